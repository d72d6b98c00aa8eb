/* Traces as Markdown tables (GitHub's flavour, with pipes). Formulas are plain text: what Markdown
 * would take for markup is escaped. */
#include "show/show.h"

static bool escaped(wg_text *out, const char *text) {
    bool ok = true;
    for (const char *c = text; *c && ok; c++) {
        if (*c == '\n') ok = text_add(out, " ");
        else ok = text_format(out, strchr("\\`*_[]<>|~&", *c) ? "\\%c" : "%c", *c);
    }
    return ok;
}

static bool write_row(const struct lines *lines, const struct row *row, unsigned count, int digits,
                      wg_text *out) {
    bool ok = text_add(out, "|");
    for (unsigned k = 0; k < count && ok; k++) {
        const struct equation *e = row->equation[k];
        ok = text_add(out, " ");
        for (unsigned depth = 0; ok && e && depth < row->depth; depth++)
            ok = text_add(out, "&emsp;");
        if (e && e->left) ok = ok && escaped(out, e->left);
        if (e && e->left && e->right)
            ok = ok && text_add(out, " = ") && escaped(out, e->right);
        ok = ok && text_add(out, " |");
        if (k == 0 && !lines->all_scalars)
            ok = ok && text_add(out, " ") && escaped(out, row->type) && text_add(out, " |");
        if (!lines->has_values) continue;
        ok = ok && text_add(out, " ");
        if (e && e->left && e->value)
            ok = ok && tensor_write(out, e->value, NUMBER_PLAIN, digits, ELEMENTS_SHOWN);
        ok = ok && text_add(out, " |");
    }
    return ok && text_add(out, "\n");
}

bool write_markdown(const struct lines *lines, int digits, wg_text *out) {
    bool ok = true;
    for (unsigned block = 0; block < block_count(lines) && ok; block++) {
        const char *title[2];
        unsigned count = block_titles(lines, block, title);
        ok = text_add(out, block ? "\n|" : "|");
        for (unsigned line = 0; line < 2 && ok; line++) {
            if (line) ok = text_add(out, "\n|");
            for (unsigned k = 0; k < count && ok; k++) {
                ok = text_format(out, line ? " :--- |" : " %s |", title[k]);
                if (k == 0 && !lines->all_scalars)
                    ok = ok && text_add(out, line ? " :--- |" : " Type |");
                if (lines->has_values) ok = ok && text_add(out, line ? " ---: |" : " Value |");
            }
        }
        ok = ok && text_add(out, "\n");
        struct row row;
        for (size_t i = 0; ok && block_next(lines, block, &i, &row);)
            ok = write_row(lines, &row, count, digits, out);
    }
    return ok;
}
