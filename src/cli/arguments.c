/* argv, read by the table of commands.c: options in any order among the operands, "--name value"
 * or "--name=value", "-D value" or "-Dvalue", "--" in front of what only looks like an option. What
 * is wrong here is wrong
 * usage (exit status 2). What the values of options mean is the matter of those who use them, but
 * for choices and numbers. */
#include "cli/cli.h"
#include "lang/lang.h" /* the nearest name */

#include <errno.h>
#include <stdlib.h>

bool usage_error(struct cli *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    c->usage = !failed(&c->error);
    fail_v(&c->error, WG_EARGUMENT, format, args);
    va_end(args);
    return false;
}

bool input_error(struct cli *c, wg_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fail_v(&c->error, status, format, args);
    va_end(args);
    return false;
}

/* ---- what was given ------------------------------------------------------------------------ */

static const struct given *find(const struct cli *c, enum option_id id) {
    for (size_t i = 0; i < c->given.count; i++)
        if (c->given.at[i].id == id) return &c->given.at[i];
    return NULL;
}

bool has_option(const struct cli *c, enum option_id id) { return find(c, id) != NULL; }

const char *option_text(const struct cli *c, enum option_id id) {
    const struct given *given = find(c, id);
    return given ? given->value : NULL;
}

bool option_is(const struct cli *c, enum option_id id, const char *choice) {
    const char *text = option_text(c, id), *choices = choices_of(c->command, id);
    size_t length = strlen(choice);
    if (text) return strcmp(text, choice) == 0;
    return strncmp(choices, choice, length) == 0 && strchr("|", choices[length]);
}

uint64_t option_number(const struct cli *c, enum option_id id, uint64_t otherwise) {
    const char *text = option_text(c, id);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool is_among(const char *choices, const char *text) {
    size_t length = strlen(text);
    for (const char *at = choices; length && (at = strstr(at, text)); at += length)
        if ((at == choices || at[-1] == '|') && strchr("|", at[length])) return true;
    return false;
}

static bool check_number(struct cli *c, const struct option *option, const char *text) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    bool digits = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
    if (digits && number >= option->least && number <= option->most) return true;
    return usage_error(c, "%s takes a whole number from %llu to %llu, not '%.64s'", option->name,
                       (unsigned long long)option->least, (unsigned long long)option->most, text);
}

static bool take(struct cli *c, enum option_id id, const char *text) {
    const struct option *option = &option_table[id];
    const char *choices = choices_of(c->command, id);
    if (option->kind != KIND_LIST && option->kind != KIND_FLAG && has_option(c, id))
        return usage_error(c, "%s is given twice", option->name);
    if (option->kind == KIND_CHOICE && !is_among(choices, text))
        return usage_error(c, "%s of '%s' is one of %s, not '%.64s'", option->name,
                           c->command->name, choices, text);
    if (option->kind == KIND_NUMBER && !check_number(c, option, text)) return false;
    struct given *given = VEC_PUSH(&c->allocator, &c->given);
    if (!given) return !fail_memory(&c->error);
    *given = (struct given){id, text};
    return true;
}

static bool did_you_mean(struct cli *c, const struct nearest *nearest) {
    if (nearest->found)
        fail_more(&c->error, "; did you mean '%.*s'?", (int)nearest->found_length, nearest->found);
    return false;
}

static bool unknown_option(struct cli *c, const char *name, size_t length) {
    struct nearest nearest = {.wanted = name, .wanted_length = length};
    for (int id = 0; id < OPTION_COUNT; id++)
        if (c->command->options >> id & 1)
            nearest_try(&nearest, option_table[id].name, strlen(option_table[id].name));
    usage_error(c, "'%s' has no option '%.*s'", c->command->name, (int)(length < 64 ? length : 64),
                name);
    return did_you_mean(c, &nearest);
}

/* The option that argument names, of this command; OPTION_COUNT if there is none. */
static enum option_id option_named(const struct cli *c, const char *argument, size_t length) {
    int id = 0;
    for (; id < OPTION_COUNT; id++) {
        const struct option *option = &option_table[id];
        if (!(c->command->options >> id & 1)) continue;
        if (strncmp(argument, option->name, length) == 0 && option->name[length] == '\0') break;
        if (option->letter && length == 2 && strncmp(argument, option->letter, 2) == 0) break;
    }
    return (enum option_id)id;
}

/* argv[*i] is an option; a value that stands behind it is taken too. */
static bool read_option(struct cli *c, int argc, char **argv, int *i) {
    const char *argument = argv[*i], *text = NULL;
    bool is_long = argument[1] == '-' || strncmp(argument, "-std", 4) == 0;
    size_t length = is_long ? strcspn(argument, "=") : 2;
    enum option_id id = option_named(c, argument, length);
    if (id == OPTION_COUNT) return unknown_option(c, argument, length);
    if (argument[length]) text = argument + length + is_long; /* --name=value, -evalue */
    const struct option *option = &option_table[id];
    if (option->kind == KIND_FLAG)
        return text ? usage_error(c, "%s takes no value", option->name) : take(c, id, NULL);
    if (!text && *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0) text = argv[++*i];
    if (!text)
        return usage_error(c, "%s needs a value: %s %s", argument, argument, option->argument);
    return take(c, id, text);
}

static bool read_operand(struct cli *c, const char *argument) {
    if (operand_of(c->command) == OPERAND_NONE)
        return usage_error(c, "'%s' takes options only, not '%.64s'", c->command->name, argument);
    if (!c->file) {
        c->file = argument;
        return true;
    }
    if (operand_of(c->command) == OPERAND_SOURCES) return take(c, OPT_FILE, argument);
    return usage_error(c, "'%.64s' is one too many: '%.64s' was given already", argument,
                       c->file);
}

static bool read_command(struct cli *c, const char *name) {
    if (name) c->command = command_named(name);
    if (c->command) return true;
    if (!name) return usage_error(c, "what shall be done? For example: wengert eval -e '1 + 1'");
    struct nearest nearest = {.wanted = name, .wanted_length = strlen(name)};
    for (size_t i = 0; i < command_count; i++)
        nearest_try(&nearest, command_table[i].name, strlen(command_table[i].name));
    usage_error(c, "there is no command '%.64s'", name);
    return did_you_mean(c, &nearest);
}

bool read_arguments(struct cli *c, int argc, char **argv) {
    if (!read_command(c, argc > 1 ? argv[1] : NULL)) return false;
    bool options = true;
    for (int i = 2; i < argc; i++) {
        bool ok = true;
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1])
            ok = read_option(c, argc, argv, &i);
        else
            ok = read_operand(c, argv[i]);
        if (!ok) return false;
    }
    return true;
}
