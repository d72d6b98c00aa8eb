/* Numbers that came out, written: as names and nested brackets for people, as JSON for scripts, and
 * as a table of all elements (CSV, Markdown, LaTeX), which has a row for every element of the rows
 * and a column for every element of the columns. A Jacobian of scalars is a matrix with its names
 * around it. */
#include "cli/cli.h"
#include "show/show.h"

bool results_make(struct cli *c, struct results *r, size_t rows, size_t columns) {
    size_t blocks;
    *r = (struct results){
        .rows = rows, .columns = columns, .before = "", .between = "", .after = ""};
    r->row = arena_alloc(&c->arena, (rows + 1) * sizeof *r->row, _Alignof(struct axis));
    r->column = arena_alloc(&c->arena, (columns + 1) * sizeof *r->column, _Alignof(struct axis));
    bool ok = !__builtin_mul_overflow(rows, columns ? columns : 1, &blocks);
    if (ok && r->row && r->column)
        r->block = new_tensors(c, blocks);
    else
        fail_memory(&c->error);
    return r->block != NULL;
}

void results_free(struct cli *c, struct results *r) {
    free_tensors(c, r->block, r->rows * (r->columns ? r->columns : 1));
}

void set_axis(struct axis *axis, const char *name, const wg_tensor *tensor) {
    axis->name = name;
    axis->rank = tensor->rank;
    memcpy(axis->shape, tensor->shape, sizeof axis->shape);
}

/* ---- numbers ------------------------------------------------------------------------------- */

static bool write_number(wg_text *out, const wg_tensor *tensor, int64_t i, int digits) {
    return number_write(out, tensor->dtype, element_bits(tensor->dtype, tensor->data, i),
                        NUMBER_PLAIN, digits);
}

/* Columns on the screen: bytes that do not continue a UTF-8 character. */
static size_t display_width(const char *text) {
    size_t width = 0;
    for (; *text; text++) width += (*text & 0xC0) != 0x80;
    return width;
}

int64_t axis_count(const struct axis *axis) {
    int64_t count = 1; /* no overflow: there is a tensor of this shape */
    for (int i = 0; i < axis->rank; i++) count *= axis->shape[i];
    return count;
}

/* How many axes begin at an element of a tensor. */
static int axes_beginning(const wg_tensor *tensor, int64_t i) {
    int axes = 0;
    for (int64_t size = 1; axes < tensor->rank; axes++) {
        size *= tensor->shape[tensor->rank - 1 - axes];
        if (i % size) break;
    }
    return axes;
}

/* The widest number of each place of the last axis; NULL without memory. */
static size_t *column_widths(const struct cli *c, const wg_tensor *tensor, int64_t columns,
                             int digits) {
    int64_t count = wg_tensor_count(tensor);
    size_t *width = mem_alloc_zero(&c->allocator, (size_t)columns * sizeof *width);
    wg_text number = {.allocator = c->allocator};
    bool ok = width != NULL;
    for (int64_t i = 0; ok && i < count; i++) {
        text_cut(&number, 0);
        ok = write_number(&number, tensor, i, digits);
        if (ok && number.size > width[i % columns]) width[i % columns] = number.size;
    }
    wg_text_free(&number);
    if (ok) return width;
    mem_free(&c->allocator, width, (size_t)columns * sizeof *width);
    return NULL;
}

static bool write_padded(wg_text *out, const wg_tensor *tensor, int64_t i, size_t width,
                         int digits) {
    size_t start = out->size;
    bool ok = write_number(out, tensor, i, digits);
    size_t missing = width > out->size - start ? width - (out->size - start) : 0;
    if (!ok || !missing) return ok;
    if (!text_reserve(out, missing)) return false;
    memmove(out->data + start + missing, out->data + start, out->size - start + 1);
    memset(out->data + start, ' ', missing);
    out->size += missing;
    return true;
}

/* Nested brackets; the columns of a matrix are aligned, and rows after the first one are
 * indented. */
static bool write_brackets(const struct cli *c, wg_text *out, const wg_tensor *tensor,
                           size_t indent, int digits) {
    int64_t count = wg_tensor_count(tensor);
    if (tensor->rank == 0) return write_number(out, tensor, 0, digits);
    if (count == 0) return tensor_write(out, tensor, NUMBER_PLAIN, digits, 0);
    int64_t columns = tensor->shape[tensor->rank - 1];
    bool matrix = tensor->rank > 1, ok = true;
    size_t *width = matrix ? column_widths(c, tensor, columns, digits) : NULL;
    if (matrix && !width) return false;
    for (int64_t i = 0; ok && i < count; i++) {
        int begin = axes_beginning(tensor, i), end = axes_beginning(tensor, i + 1);
        if (i && begin)
            ok = text_format(out, ",\n%*s", (int)indent + tensor->rank - begin, "");
        else if (i)
            ok = text_add(out, ", ");
        for (int k = 0; ok && k < begin; k++) ok = text_add(out, "[");
        ok = ok && write_padded(out, tensor, i, width ? width[i % columns] : 0, digits);
        for (int k = 0; ok && k < end; k++) ok = text_add(out, "]");
    }
    if (width) mem_free(&c->allocator, width, (size_t)columns * sizeof *width);
    return ok;
}

/* ---- for people ---------------------------------------------------------------------------- */

static bool all_scalars(const struct results *r) {
    for (size_t i = 0; i < r->rows; i++)
        if (r->row[i].rank) return false;
    for (size_t i = 0; i < r->columns; i++)
        if (r->column[i].rank) return false;
    return true;
}

/*                    x1     x2
 * J = [[1.0459849301464, 0.0459],   y1
 *      [-0.1411200080598, -0.42]]   y2     (with the numbers aligned) */
static bool write_matrix(const struct cli *c, wg_text *out, const struct results *r, int digits) {
    wg_text number = {.allocator = c->allocator};
    size_t *width = mem_alloc_zero(&c->allocator, (r->columns + 1) * sizeof *width);
    bool ok = width != NULL;
    for (size_t k = 0; ok && k < r->columns; k++) {
        width[k] = display_width(r->column[k].name);
        for (size_t i = 0; ok && i < r->rows; i++) {
            text_cut(&number, 0);
            ok = write_number(&number, &r->block[i * r->columns + k], 0, digits);
            if (ok && number.size > width[k]) width[k] = number.size;
        }
    }
    int indent = (int)strlen(r->title) + 3;
    ok = ok && text_format(out, "%*s", indent, "");
    for (size_t k = 0; ok && k < r->columns; k++) {
        const char *name = r->column[k].name;
        ok = text_format(out, "  %*s%s", (int)(width[k] - display_width(name)), "", name);
    }
    for (size_t i = 0; ok && i < r->rows; i++) {
        ok = i ? text_format(out, "\n%*s[", indent + 1, "")
               : text_format(out, "\n%s = [[", r->title);
        for (size_t k = 0; ok && k < r->columns; k++)
            ok = (!k || text_add(out, ", ")) &&
                 write_padded(out, &r->block[i * r->columns + k], 0, width[k], digits);
        ok = ok && text_format(out, "]%s  %s", i + 1 < r->rows ? ", " : "] ", r->row[i].name);
    }
    wg_text_free(&number);
    mem_free(&c->allocator, width, (r->columns + 1) * sizeof *width);
    return ok && text_add(out, "\n");
}

static bool write_text_results(const struct cli *c, wg_text *out, const struct results *r,
                               int digits) {
    size_t columns = r->columns ? r->columns : 1;
    if (r->columns && all_scalars(r)) return write_matrix(c, out, r, digits);
    bool ok = true;
    wg_text label = {.allocator = c->allocator};
    for (size_t i = 0; ok && i < r->rows * columns; i++) {
        const char *row = r->row[i / columns].name;
        const char *column = r->columns ? r->column[i % columns].name : "";
        text_cut(&label, 0);
        ok = text_format(&label, "%s%s%s%s%s = ", r->before, row, r->between, column, r->after) &&
             text_add(out, label.data) &&
             write_brackets(c, out, &r->block[i], display_width(label.data), digits) &&
             text_add(out, "\n");
    }
    wg_text_free(&label);
    return ok;
}

/* ---- JSON ---------------------------------------------------------------------------------- */
/* Names need no escapes: the language has only letters, digits and _ in them. */

static bool json_names(wg_text *out, const char *key, const struct axis *axis, size_t count) {
    bool ok = text_format(out, "  \"%s\": [", key);
    for (size_t i = 0; ok && i < count; i++)
        ok = text_format(out, "%s\"%s\"", i ? ", " : "", axis[i].name);
    return ok && text_add(out, "],\n");
}

static bool write_json_results(wg_text *out, const struct results *r) {
    bool ok = text_add(out, "{\n");
    if (r->of)
        ok = ok && text_format(out, "  \"of\": \"%s\",\n", r->of);
    else if (r->columns)
        ok = ok && json_names(out, "of", r->row, r->rows);
    if (r->wrt) ok = ok && json_names(out, "wrt", r->wrt, r->wrt_count);
    if (r->mode) ok = ok && text_format(out, "  \"mode\": \"%s\",\n", r->mode);
    const char *indent = r->key ? "    " : "  ";
    if (r->key) ok = ok && text_format(out, "  \"%s\": %s", r->key, r->columns ? "[\n" : "{\n");
    for (size_t i = 0; ok && i < r->rows; i++) {
        ok = text_add(out, indent);
        if (r->columns)
            ok = ok && text_add(out, "[");
        else
            ok = ok && text_format(out, "\"%s\": ", r->row[i].name) &&
                 tensor_write(out, &r->block[i], NUMBER_JSON, 0, 0);
        for (size_t k = 0; ok && k < r->columns; k++)
            ok = (!k || text_add(out, ", ")) &&
                 tensor_write(out, &r->block[i * r->columns + k], NUMBER_JSON, 0, 0);
        ok = ok && text_format(out, "%s%s\n", r->columns ? "]" : "", i + 1 < r->rows ? "," : "");
    }
    if (r->key) ok = ok && text_add(out, r->columns ? "  ]\n" : "  }\n");
    return ok && text_add(out, "}\n");
}

/* ---- tables -------------------------------------------------------------------------------- */

struct table_style {
    const char *begin, *separator, *row_end, *rule, *end;
    enum number_style number;
    bool latex;
};

static const struct table_style csv = {"", ",", "\n", "", "", NUMBER_PLAIN, false};
static const struct table_style markdown = {"| ", " | ", " |\n", "|", "", NUMBER_PLAIN, false};
static const struct table_style latex = {
    "", " & ", " \\\\\n", "\\hline\n", "\\end{array}\n", NUMBER_LATEX, true};

bool write_element(wg_text *out, const struct axis *axis, int64_t i, bool in_latex) {
    bool ok = in_latex ? name_port(out, NOTATION_LATEX, MARK_PRIMAL, axis->name)
                       : text_add(out, axis->name);
    int64_t size = axis_count(axis);
    for (int k = 0; ok && k < axis->rank; k++) {
        size /= axis->shape[k];
        ok = text_format(out, "[%lld]", (long long)(i / size % axis->shape[k]));
    }
    return ok;
}

static bool write_header(wg_text *out, const struct results *r, const struct table_style *style) {
    int64_t columns = 0;
    bool ok = true;
    for (size_t k = 0; k < r->columns; k++) columns += axis_count(&r->column[k]);
    if (!r->columns) columns = 1;
    if (style->latex) ok = text_add(out, "\\begin{array}{l|");
    for (int64_t k = 0; ok && style->latex && k < columns; k++) ok = text_add(out, "r");
    if (style->latex) ok = ok && text_add(out, "}\n");
    ok = ok && text_add(out, style->begin);
    if (!r->columns)
        ok = ok &&
             text_format(out, style->latex ? "%s\\text{value}" : "name%svalue", style->separator);
    for (size_t k = 0; ok && k < r->columns; k++)
        for (int64_t b = 0; ok && b < axis_count(&r->column[k]); b++)
            ok = text_add(out, style->separator) &&
                 write_element(out, &r->column[k], b, style->latex);
    ok = ok && text_add(out, style->row_end) && text_add(out, style->rule);
    if (style == &markdown) {
        ok = ok && text_add(out, " --- |");
        for (int64_t k = 0; ok && k < columns; k++) ok = text_add(out, " ---: |");
        ok = ok && text_add(out, "\n");
    }
    return ok;
}

/* The row of element a of row i. */
static bool write_row(wg_text *out, const struct results *r, size_t i, int64_t a,
                      const struct table_style *style, int digits) {
    static const struct axis one = {.rank = 0};
    bool ok = text_add(out, style->begin) && write_element(out, &r->row[i], a, style->latex);
    size_t columns = r->columns ? r->columns : 1;
    for (size_t k = 0; ok && k < columns; k++) {
        const wg_tensor *block = &r->block[i * columns + k];
        int64_t width = axis_count(r->columns ? &r->column[k] : &one);
        for (int64_t b = a * width; ok && b < (a + 1) * width; b++)
            ok = text_add(out, style->separator) &&
                 number_write(out, block->dtype, element_bits(block->dtype, block->data, b),
                              style->number, digits);
    }
    return ok && text_add(out, style->row_end);
}

static bool write_table(wg_text *out, const struct results *r, const struct table_style *style,
                        int digits) {
    bool ok = write_header(out, r, style);
    for (size_t i = 0; ok && i < r->rows; i++)
        for (int64_t a = 0; ok && a < axis_count(&r->row[i]); a++)
            ok = write_row(out, r, i, a, style, digits);
    return ok && text_add(out, style->end);
}

bool results_write(struct cli *c, const struct results *r) {
    int digits = (int)option_number(c, OPT_DIGITS, 0);
    bool ok;
    if (option_is(c, OPT_FORMAT, "json"))
        ok = write_json_results(&c->out, r);
    else if (option_is(c, OPT_FORMAT, "csv"))
        ok = write_table(&c->out, r, &csv, digits);
    else if (option_is(c, OPT_FORMAT, "markdown"))
        ok = write_table(&c->out, r, &markdown, digits);
    else if (option_is(c, OPT_FORMAT, "latex"))
        ok = write_table(&c->out, r, &latex, digits);
    else
        ok = write_text_results(c, &c->out, r, digits);
    return ok || !fail_memory(&c->error);
}
