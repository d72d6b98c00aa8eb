/* What bash and zsh complete behind `wengert`: commands, their options, the choices that some take,
 * and files elsewhere. Written from the table of commands.c when the command is built. */
#include "cli/cli.h"

/* "a|b|c" as "a b c". */
static bool words(wg_text *out, const char *choices) {
    bool ok = true;
    for (const char *at = choices; ok && *at; at++)
        ok = text_bytes(out, *at == '|' ? " " : at, 1);
    return ok;
}

static bool takes(const struct command *command, int id) {
    return command->options >> id & 1;
}

static bool command_names(wg_text *out) {
    bool ok = true;
    for (size_t i = 0; ok && i < command_count; i++)
        ok = text_format(out, "%s%s", i ? " " : "", command_table[i].name);
    return ok;
}

/* ---- bash ---------------------------------------------------------------------------------- */

static bool bash_choices(wg_text *out, const struct command *command) {
    bool ok = true;
    for (int id = 0; ok && id < OPTION_COUNT; id++) {
        const struct option *option = &option_table[id];
        if (!takes(command, id) || option->kind != KIND_CHOICE) continue;
        ok = text_format(out, "    %s:%s) words='", command->name, option->name) &&
             words(out, choices_of(command, (enum option_id)id)) && text_add(out, "' ;;\n");
    }
    return ok;
}

static bool bash_options(wg_text *out, const struct command *command) {
    bool ok = text_format(out, "        %s) words='", command->name);
    const char *before = "";
    for (int id = 0; ok && id < OPTION_COUNT; id++) {
        const struct option *option = &option_table[id];
        if (!takes(command, id)) continue;
        ok = text_format(out, "%s%s%s%s", before, option->letter ? option->letter : "",
                         option->letter ? " " : "", option->name);
        before = " ";
    }
    return ok && text_add(out, "' ;;\n");
}

bool completion_bash(wg_text *out) {
    bool ok = text_add(out,
                       "# Completion of wengert for bash.\n"
                       "_wengert() {\n"
                       "    local current=${COMP_WORDS[COMP_CWORD]} words=\n"
                       "    if [ \"$COMP_CWORD\" -eq 1 ] || [ \"${COMP_WORDS[1]}\" = help ]; then\n"
                       "        COMPREPLY=($(compgen -W '") &&
              command_names(out) &&
              text_add(out, " --help --version' -- \"$current\"))\n"
                            "        return\n"
                            "    fi\n"
                            "    case ${COMP_WORDS[1]}:${COMP_WORDS[COMP_CWORD-1]} in\n");
    for (size_t i = 0; ok && i < command_count; i++) ok = bash_choices(out, &command_table[i]);
    ok = ok && text_add(out, "    esac\n"
                             "    if [ -z \"$words\" ] && [ \"${current:0:1}\" = - ]; then\n"
                             "        case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; ok && i < command_count; i++) ok = bash_options(out, &command_table[i]);
    return ok && text_add(out, "        esac\n"
                               "    fi\n"
                               "    if [ -n \"$words\" ]; then\n"
                               "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                               "    else\n"
                               "        COMPREPLY=($(compgen -f -- \"$current\"))\n"
                               "    fi\n"
                               "}\n"
                               "complete -o filenames -F _wengert wengert\n");
}

/* ---- zsh ----------------------------------------------------------------------------------- */

/* Inside '...[...]': quotes end the first, brackets the second, a colon a field. */
static bool zsh_text(wg_text *out, const char *text) {
    bool ok = true;
    for (const char *at = text; ok && *at; at++) {
        if (*at == '\'') ok = text_add(out, "'\\''");
        else if (strchr("[]:\\", *at)) ok = text_format(out, "\\%c", *at);
        else ok = text_bytes(out, at, 1);
    }
    return ok;
}

static bool zsh_option(wg_text *out, const struct command *command, enum option_id id,
                       const char *name) {
    const struct option *option = &option_table[id];
    bool ok = text_format(out, " \\\n            '%s%s[", option->kind == KIND_LIST ? "*" : "",
                          name) &&
              zsh_text(out, option->help) && text_add(out, "]");
    if (option->argument) ok = ok && text_format(out, ":%s:", option->argument);
    if (option->kind == KIND_CHOICE)
        ok = ok && text_add(out, "(") && words(out, choices_of(command, id)) && text_add(out, ")");
    if (id == OPT_OUTPUT) ok = ok && text_add(out, "_files");
    return ok && text_add(out, "'");
}

static bool zsh_command(wg_text *out, const struct command *command) {
    bool ok = text_format(out, "    %s)\n        _arguments", command->name);
    for (int id = 0; ok && id < OPTION_COUNT; id++) {
        const struct option *option = &option_table[id];
        if (!takes(command, id)) continue;
        ok = (!option->letter || zsh_option(out, command, (enum option_id)id, option->letter)) &&
             zsh_option(out, command, (enum option_id)id, option->name);
    }
    static const char *const operand[] = {
        [OPERAND_FORMULA] = " \\\n            '1:formula:_files -g \"*.(wg|c)\"'",
        [OPERAND_SOURCES] = " \\\n            '*:source:_files -g \"*.c\"'",
        [OPERAND_NONE] = "",
        [OPERAND_COMMAND] = " \\\n            '1:command:($names)'"};
    return ok && text_format(out, "%s ;;\n", operand[operand_of(command)]);
}

bool completion_zsh(wg_text *out) {
    bool ok = text_add(out, "#compdef wengert\n"
                            "# Completion of wengert for zsh.\n"
                            "local -a names=(") &&
              command_names(out) && text_add(out, ") commands=(");
    for (size_t i = 0; ok && i < command_count; i++)
        ok = text_format(out, "\n    '%s:", command_table[i].name) &&
             zsh_text(out, command_table[i].summary) && text_add(out, "'");
    ok = ok && text_add(out, ")\n"
                             "if (( CURRENT == 2 )); then\n"
                             "    _describe command commands\n"
                             "    return\n"
                             "fi\n"
                             "local command=$words[2]\n"
                             "shift words\n"
                             "(( CURRENT-- ))\n"
                             "case $command in\n");
    for (size_t i = 0; ok && i < command_count; i++) ok = zsh_command(out, &command_table[i]);
    return ok && text_add(out, "esac\n");
}
