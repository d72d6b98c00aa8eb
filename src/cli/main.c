/* The `wengert` command: one run from argv to the exit status, 0, 1 (the input was wrong) or 2 (the
 * usage was). Only here is an error printed, and all that a run holds is given back. What the
 * commands are is told by the table in commands.c. */
#include "cli/cli.h"

#include <stdio.h>

static bool run(struct cli *c, int argc, char **argv) {
    if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")))
        return text_format(&c->out, "wengert %s\n", wg_version()) || !fail_memory(&c->error);
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) return help_overview(c);
    if (argc == 3 && !strcmp(argv[1], "--generate")) return generate_files(c, argv[2]);
    if (!read_arguments(c, argc, argv)) return false;
    if (has_option(c, OPT_HELP)) return help_command(c, c->command);
    return c->command->run(c);
}

static int report(const struct cli *c) {
    fprintf(stderr, "wengert: %s\n", c->error.message);
    if (!c->usage) return 1;
    fprintf(stderr, "try 'wengert %s%s--help'\n", c->command ? c->command->name : "",
            c->command ? " " : "");
    return 2;
}

static void release(struct cli *c) {
    free_tensors(c, c->input, c->input_count);
    free_values(c, &c->at);
    wg_program_free(c->program);
    wg_csource_free(c->source);
    wg_text_free(&c->out);
    VEC_FREE(&c->allocator, &c->given);
    arena_free(&c->arena);
}

int main(int argc, char **argv) {
    struct cli c = {.allocator = standard_allocator()};
    c.arena.allocator = c.out.allocator = c.allocator;
    int status = run(&c, argc, argv) && write_out(&c) ? 0 : report(&c);
    release(&c);
    return status;
}
