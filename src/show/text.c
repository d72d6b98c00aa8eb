/* Traces as aligned tables for a terminal: equals signs below each other, decimal points too, a
 * rule between inputs, intermediates and outputs. Widths are those of the display: a combining mark
 * has none. What is in the cells is the matter of lines.c. */
#include "show/show.h"

/* Columns that UTF-8 text takes: one a character, none for the marks U+0300 .. U+036F. */
static size_t display_width(const char *text) {
    size_t width = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool continues = (*c & 0xC0) == 0x80;
        bool combines = *c == 0xCC || (*c == 0xCD && c[1] <= 0xAF);
        width += !continues && !combines;
    }
    return width;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

enum { INDENT = 2 }; /* columns for each depth of bodies */

/* One equation with its type and value, over all rows: the widest of each part. */
struct columns {
    size_t left, right, type, value;
    size_t whole; /* digits in front of the decimal point */
};

/* Columns in front of the decimal point of a scalar; tensors begin where numbers begin. */
static size_t whole_width(const wg_tensor *number, const char *text) {
    return number->rank > 0 ? 0 : strcspn(text, ".e");
}

static bool value_write(const struct equation *e, int digits, wg_text *out) {
    text_cut(out, 0);
    return !e->value || tensor_write(out, e->value, NUMBER_PLAIN, digits, ELEMENTS_SHOWN);
}

static bool measure(const struct lines *lines, unsigned block, int digits, struct columns column[2],
                    wg_text *scratch) {
    struct row row;
    for (size_t i = 0; block_next(lines, block, &i, &row);) {
        for (size_t k = 0; k < 2; k++) {
            const struct equation *e = row.equation[k];
            struct columns *c = &column[k];
            if (!e || !e->left) continue;
            size_t left = INDENT * row.depth + display_width(e->left);
            if (e->right) c->left = larger(c->left, left);
            if (e->right) c->right = larger(c->right, display_width(e->right));
            if (k == 0 && !lines->all_scalars) c->type = larger(c->type, display_width(row.type));
            if (!value_write(e, digits, scratch)) return false;
            if (e->value) c->whole = larger(c->whole, whole_width(e->value, scratch->data));
        }
    }
    for (size_t i = 0; block_next(lines, block, &i, &row);) {
        for (size_t k = 0; k < 2; k++) {
            const struct equation *e = row.equation[k];
            if (!e || !e->left || !e->value) continue;
            if (!value_write(e, digits, scratch)) return false;
            size_t whole = whole_width(e->value, scratch->data);
            size_t indent = e->value->rank > 0 ? 0 : column[k].whole - whole;
            column[k].value = larger(column[k].value, indent + display_width(scratch->data));
        }
    }
    return true;
}

static bool repeat(wg_text *out, const char *text, size_t count) {
    bool ok = true;
    for (; count > 0 && ok; count--) ok = text_add(out, text);
    return ok;
}

/* The text, then blanks up to the width and a gap between columns. */
static bool cell(wg_text *out, const char *text, size_t width) {
    size_t own = display_width(text);
    return text_add(out, text) && repeat(out, " ", (width > own ? width - own : 0) + 3);
}

static void trim(wg_text *out) {
    size_t size = out->size;
    while (size > 0 && out->data[size - 1] == ' ') size--;
    text_cut(out, size);
}

static size_t equation_width(const struct columns *c) {
    return c->left + 3 + c->right;
}

static bool write_equation(const struct lines *lines, const struct row *row, size_t k,
                           const struct columns *c, int digits, wg_text *scratch, wg_text *out) {
    const struct equation *e = row->equation[k];
    bool there = e && e->left, ok = true;
    if (there) {
        size_t own = INDENT * row->depth + display_width(e->left), width = equation_width(c);
        ok = repeat(out, " ", INDENT * row->depth) && text_add(out, e->left);
        if (e->right)
            ok = ok && repeat(out, " ", c->left - own) && text_add(out, " = ") &&
                 cell(out, e->right, c->right);
        else
            ok = ok && repeat(out, " ", (width > own ? width - own : 0) + 3);
    } else {
        ok = repeat(out, " ", equation_width(c) + 3);
    }
    if (k == 0 && !lines->all_scalars) ok = ok && cell(out, row->type, c->type);
    if (!lines->has_values) return ok;
    ok = ok && (there ? value_write(e, digits, scratch) : (text_cut(scratch, 0), true));
    if (ok && there && e->value && e->value->rank == 0) {
        size_t indent = c->whole - whole_width(e->value, scratch->data);
        return repeat(out, " ", indent) && cell(out, scratch->data, c->value - indent);
    }
    return ok && cell(out, there && e->value ? scratch->data : "", c->value);
}

static bool write_block(const struct lines *lines, unsigned block, bool ascii, int digits,
                        wg_text *scratch, wg_text *out) {
    struct columns column[2] = {{0}};
    const char *title[2];
    unsigned count = block_titles(lines, block, title), group = 0;
    size_t width = 0;
    struct row row;
    bool types = !lines->all_scalars, ok = measure(lines, block, digits, column, scratch);
    for (unsigned k = 0; k < count && ok; k++) {
        struct columns *c = &column[k];
        size_t own = display_width(title[k]);
        if (equation_width(c) < own) c->right = own - c->left - 3;
        if (k == 0 && types) c->type = larger(c->type, 4);
        c->value = larger(c->value, 5);
        width += equation_width(c) + 3 + (k == 0 && types ? c->type + 3 : 0) +
                 (lines->has_values ? c->value + 3 : 0);
        ok = cell(out, title[k], equation_width(c)) &&
             (k > 0 || !types || cell(out, "Type", c->type)) &&
             (!lines->has_values || cell(out, "Value", c->value));
    }
    for (size_t i = 0; ok && block_next(lines, block, &i, &row);) {
        trim(out);
        ok = text_add(out, "\n");
        if (i == 1 || row.group != group)
            ok = ok && repeat(out, ascii ? "-" : "\u2500", width - 3) && text_add(out, "\n");
        group = row.group;
        for (unsigned k = 0; k < count && ok; k++)
            ok = write_equation(lines, &row, k, &column[k], digits, scratch, out);
    }
    trim(out);
    return ok && text_add(out, "\n");
}

bool write_text(const struct lines *lines, bool ascii, int digits, wg_text *out) {
    wg_text scratch = {.allocator = lines->t->allocator};
    bool ok = true;
    for (unsigned block = 0; block < block_count(lines) && ok; block++)
        ok = (block == 0 || text_add(out, "\n")) &&
             write_block(lines, block, ascii, digits, &scratch, out);
    wg_text_free(&scratch);
    return ok;
}
