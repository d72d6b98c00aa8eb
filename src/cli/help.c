/* The help texts, written from the table of commands.c and nowhere else: what a command takes, and
 * what it does not, cannot be told wrong here. */
#include "cli/cli.h"

/* Appends words of text in lines of at most 80 columns, all but the first indented. `column`: where
 * the first one begins. */
static bool wrapped(wg_text *out, const char *text, size_t indent, size_t column) {
    bool ok = true, first = true;
    while (ok && *text) {
        size_t length = strcspn(text, " ");
        if (!first && column + 1 + length > 80) {
            ok = text_format(out, "\n%*s", (int)indent, "");
            column = indent;
            first = true;
        }
        ok = ok && text_format(out, "%s%.*s", first ? "" : " ", (int)length, text);
        column += length + !first;
        first = false;
        text += length + strspn(text + length, " ");
    }
    return ok && text_add(out, "\n");
}

enum { OPTION_COLUMN = 22, SUMMARY_COLUMN = 12 };

static bool option_line(wg_text *out, const struct command *command, enum option_id id) {
    const struct option *option = &option_table[id];
    const char *choices = choices_of(command, id), *argument = option->argument;
    size_t start = out->size, column = OPTION_COLUMN;
    bool ok = text_format(out, "  %s%s%s%s%s", option->letter ? option->letter : "",
                          option->letter ? ", " : "", option->name, argument ? " " : "",
                          argument ? argument : "");
    if (out->size - start > OPTION_COLUMN - 2) {
        ok = ok && text_add(out, "\n");
        start = out->size;
    }
    ok = ok && text_format(out, "%*s", (int)(OPTION_COLUMN - (out->size - start)), "");
    if (option->kind == KIND_CHOICE) {
        ok = ok && text_format(out, "%s: ", choices);
        column += strlen(choices) + 2;
    }
    return ok && wrapped(out, option->help, OPTION_COLUMN, column);
}

static bool example(wg_text *out, const char *text) {
    bool ok = text_add(out, "\nExample:\n");
    for (bool command = true; ok && *text; command = false) {
        size_t length = strcspn(text, "\n");
        ok = text_format(out, "  %s%.*s\n", command ? "$ " : "", (int)length, text);
        text += length + (text[length] == '\n');
    }
    return ok;
}

bool help_command(struct cli *c, const struct command *command) {
    wg_text *out = &c->out;
    static const char *const usage[] = {
        [OPERAND_FORMULA] = "[FILE.wg | FILE.c:FUNCTION | -e FORMULA] [options]",
        [OPERAND_SOURCES] = "FILE.c[:FUNCTION] [FILE.c ...] [options]",
        [OPERAND_NONE] = "[options]",
        [OPERAND_COMMAND] = "[COMMAND]"};
    bool options = operand_of(command) != OPERAND_COMMAND;
    bool ok = text_format(out, "Usage: wengert %s %s\n\n", command->name,
                          usage[operand_of(command)]) &&
              wrapped(out, command->about, 0, 0);
    if (options) ok = ok && text_add(out, "\nOptions:\n");
    for (int id = 0; ok && options && id < OPTION_COUNT; id++)
        if (command->options >> id & 1) ok = option_line(out, command, (enum option_id)id);
    if (command->example) ok = ok && example(out, command->example);
    return ok || !fail_memory(&c->error);
}

bool help_overview(struct cli *c) {
    wg_text *out = &c->out;
    bool ok = text_add(out, "Usage: wengert COMMAND [FILE.wg | FILE.c:FUNCTION | -e FORMULA] "
                            "[options]\n\n"
                            "Traces formulas and C functions and differentiates them.\n\n"
                            "Commands:\n");
    for (size_t i = 0; ok && i < command_count; i++)
        ok = text_format(out, "  %-*s", SUMMARY_COLUMN - 2, command_table[i].name) &&
             wrapped(out, command_table[i].summary, SUMMARY_COLUMN, SUMMARY_COLUMN);
    ok = ok &&
         text_add(out, "\n'wengert COMMAND --help' tells the options of a command and shows an "
                       "example.\nExit status: 0; 1 if the input was wrong; 2 if the usage was.\n");
    return ok || !fail_memory(&c->error);
}

bool command_help(struct cli *c) {
    if (!c->file) return help_overview(c);
    const struct command *command = command_named(c->file);
    return command ? help_command(c, command)
                   : usage_error(c, "there is no command '%.64s'", c->file);
}
