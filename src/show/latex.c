/* Traces as LaTeX: one array in display mathematics for each block, needing no package. */
#include "show/show.h"

static bool write_row(const struct lines *lines, const struct row *row, unsigned count, int digits,
                      wg_text *out) {
    bool ok = true;
    for (unsigned k = 0; k < count && ok; k++) {
        const struct equation *e = row->equation[k];
        if (k) ok = text_add(out, " & ");
        for (unsigned depth = 0; ok && e && depth < row->depth; depth++)
            ok = text_add(out, "\\quad ");
        if (e && e->left) ok = ok && text_add(out, e->left);
        if (e && e->left && e->right) ok = ok && text_format(out, " = %s", e->right);
        if (k == 0 && !lines->all_scalars)
            ok = ok && (row->type[0] ? text_format(out, " & \\texttt{%s}", row->type)
                                     : text_add(out, " &"));
        if (!lines->has_values) continue;
        ok = ok && text_add(out, " & ");
        if (e && e->left && e->value)
            ok = ok && tensor_write(out, e->value, NUMBER_LATEX, digits, ELEMENTS_SHOWN);
    }
    return ok && text_add(out, " \\\\\n");
}

bool write_latex(const struct lines *lines, int digits, wg_text *out) {
    bool ok = true, types = !lines->all_scalars;
    for (unsigned block = 0; block < block_count(lines) && ok; block++) {
        const char *title[2];
        unsigned count = block_titles(lines, block, title), group = 0;
        ok = text_add(out, block ? "\n\\[\n\\begin{array}{" : "\\[\n\\begin{array}{");
        for (unsigned k = 0; k < count && ok; k++)
            ok = text_add(out, k ? "|l" : "|l") && (k || !types || text_add(out, "|l")) &&
                 (!lines->has_values || text_add(out, "|l"));
        ok = ok && text_add(out, "|}\n\\hline\n");
        for (unsigned k = 0; k < count && ok; k++)
            ok = text_format(out, k ? " & \\mbox{%s}" : "\\mbox{%s}", title[k]) &&
                 (k || !types || text_add(out, " & \\mbox{Type}")) &&
                 (!lines->has_values || text_add(out, " & \\mbox{Value}"));
        ok = ok && text_add(out, " \\\\\n");
        struct row row;
        for (size_t i = 0; ok && block_next(lines, block, &i, &row);) {
            if (i == 1 || row.group != group) ok = text_add(out, "\\hline\n");
            group = row.group;
            ok = ok && write_row(lines, &row, count, digits, out);
        }
        ok = ok && text_add(out, "\\hline\n\\end{array}\n\\]\n");
    }
    return ok;
}
