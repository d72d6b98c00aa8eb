/* The man pages, written from the table of commands.c when the command is built, and the files that
 * they and the completions become. In roff a backslash, a leading dot and a quote mean something,
 * and a bare minus is a hyphen. */
#include "cli/cli.h"

static bool roff(wg_text *out, const char *text, size_t length) {
    bool ok = true, first = true;
    for (const char *at = text; ok && at < text + length; at++) {
        if (first && (*at == '.' || *at == '\'')) ok = text_add(out, "\\&");
        if (*at == '\\')
            ok = ok && text_add(out, "\\e");
        else if (*at == '-')
            ok = ok && text_add(out, "\\-");
        else
            ok = ok && text_bytes(out, at, 1);
        first = *at == '\n';
    }
    return ok;
}

static bool roff_string(wg_text *out, const char *text) { return roff(out, text, strlen(text)); }

static bool manual_option(wg_text *out, const struct command *command, enum option_id id) {
    const struct option *option = &option_table[id];
    bool ok = text_add(out, ".TP\n\\fB");
    if (option->letter) ok = ok && roff_string(out, option->letter) && text_add(out, "\\fR, \\fB");
    ok = ok && roff_string(out, option->name) && text_add(out, "\\fR");
    if (option->argument) ok = ok && text_format(out, " \\fI%s\\fR", option->argument);
    ok = ok && text_add(out, "\n");
    if (option->kind == KIND_CHOICE)
        ok = ok && roff_string(out, choices_of(command, id)) && text_add(out, ": ");
    return ok && roff_string(out, option->help) && text_add(out, "\n");
}

static bool manual_end(wg_text *out, const char *also) {
    return text_format(out,
                       ".SH EXIT STATUS\n0; 1 if the input was wrong; 2 if the usage was.\n"
                       ".SH SEE ALSO\n%s\n",
                       also);
}

static bool overview_page(wg_text *out) {
    bool ok = text_format(out,
                          ".TH wengert 1 \"\" \"wengert %s\" \"Wengert\"\n.SH NAME\n"
                          "wengert \\- traces formulas and C functions and differentiates them\n"
                          ".SH SYNOPSIS\n"
                          ".B wengert\n\\fICOMMAND\\fR [\\fIFILE.wg\\fR | "
                          "\\fIFILE.c:FUNCTION\\fR | \\fB\\-e\\fR "
                          "\\fIFORMULA\\fR] [\\fIoptions\\fR]\n.SH DESCRIPTION\n"
                          "Each command has a page of its own, and a help text, "
                          "\\fBwengert\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR.\n.SH COMMANDS\n",
                          wg_version());
    for (size_t i = 0; ok && i < command_count; i++)
        ok = text_format(out, ".TP\n\\fB%s\\fR\n", command_table[i].name) &&
             roff_string(out, command_table[i].summary) && text_add(out, "\n");
    ok = ok && manual_end(out, ".nh");
    for (size_t i = 0; ok && i < command_count; i++)
        ok = text_format(out, ".BR wengert\\-%s (1)%s\n", command_table[i].name,
                         i + 1 < command_count ? "," : "");
    return ok;
}

static bool command_page(wg_text *out, const struct command *command) {
    static const char *const synopsis[] = {
        [OPERAND_FORMULA] =
            "[\\fIFILE.wg\\fR | \\fIFILE.c:FUNCTION\\fR | \\fB\\-e\\fR \\fIFORMULA\\fR] "
            "[\\fIoptions\\fR]",
        [OPERAND_SOURCES] = "\\fIFILE.c\\fR[:\\fIFUNCTION\\fR] [\\fIFILE.c ...\\fR] "
                            "[\\fIoptions\\fR]",
        [OPERAND_NONE] = "[\\fIoptions\\fR]",
        [OPERAND_COMMAND] = "[\\fICOMMAND\\fR]"};
    bool ok = text_format(out,
                          ".TH wengert\\-%s 1 \"\" \"wengert %s\" \"Wengert\"\n.SH NAME\n"
                          "wengert\\-%s \\- ",
                          command->name, wg_version(), command->name) &&
              roff_string(out, command->summary) &&
              text_format(out, "\n.SH SYNOPSIS\n.B wengert %s\n%s\n.SH DESCRIPTION\n",
                          command->name, synopsis[operand_of(command)]) &&
              roff_string(out, command->about) && text_add(out, "\n.SH OPTIONS\n");
    for (int id = 0; ok && id < OPTION_COUNT; id++)
        if (command->options >> id & 1) ok = manual_option(out, command, (enum option_id)id);
    if (command->example)
        ok = ok && text_add(out, ".SH EXAMPLE\n.nf\n$ ") && roff_string(out, command->example) &&
             text_add(out, "\n.fi\n");
    return ok && manual_end(out, ".BR wengert (1)");
}

/* ---- files --------------------------------------------------------------------------------- */

/* Writes what one writer appends, into a file of the folder. */
static bool generate(struct cli *c, const char *folder, const char *name, bool written) {
    const char *path = keep_text(c, "%s/%s", folder, name);
    bool ok = written ? path && write_file(c, path) : !fail_memory(&c->error);
    text_cut(&c->out, 0);
    return ok;
}

bool generate_files(struct cli *c, const char *folder) {
    bool ok = generate(c, folder, "man/wengert.1", overview_page(&c->out));
    for (size_t i = 0; ok && i < command_count; i++) {
        const char *name = keep_text(c, "man/wengert-%s.1", command_table[i].name);
        ok = name && generate(c, folder, name, command_page(&c->out, &command_table[i]));
    }
    return ok && generate(c, folder, "completion/wengert.bash", completion_bash(&c->out)) &&
           generate(c, folder, "completion/_wengert", completion_zsh(&c->out));
}
