/* jacobian --sparse, hessian --sparse, pattern: matrices of derivatives by their entries. For
 * people an entry is a line with the names of its row and column, or a mark in a picture; for
 * scripts JSON holds the compressed rows, and CSV coordinates. */
#include "cli/cli.h"
#include "run/run.h"
#include "show/show.h"

struct matrix {
    wg_sparse *sparse;
    const wg_pattern *pattern;
    int64_t forward, reverse; /* sweeps */
    int64_t *size;            /* of the program's named sizes */
    const void **data;        /* of its inputs */
    struct axis *row, *column;
    size_t rows, columns; /* axes */
    const char *of;       /* of a Hessian: the output */
};

/* ---- making one ---------------------------------------------------------------------------- */

static void *room(struct cli *c, size_t count, size_t size) {
    void *block = arena_alloc(&c->arena, (count + 1) * size, _Alignof(int64_t));
    if (block)
        memset(block, 0, (count + 1) * size);
    else
        fail_memory(&c->error);
    return block;
}

/* The named sizes: what the values' shapes say. Without values there may be none left. */
static bool find_sizes(struct cli *c, struct matrix *m) {
    const struct trace *t = &c->program->t;
    m->size = room(c, t->size.count, sizeof *m->size);
    m->data = room(c, t->input.count, sizeof *m->data);
    if (!m->size || !m->data) return false;
    if (c->input) return bind_inputs(t, NULL, c->input, m->size, m->data, &c->error) == WG_OK;
    if (t->size.count == 0) return true;
    return input_error(c, WG_ENAME, "the size %s has no value; give it with --size %s=...",
                       wg_size_name(c->program, 0), wg_size_name(c->program, 0));
}

/* The axes of inputs or outputs under these sizes. */
static struct axis *axes(struct cli *c, const struct matrix *m, bool outputs,
                         const struct ports *ports) {
    struct axis *axis = room(c, ports->count, sizeof *axis);
    for (size_t i = 0; axis && i < ports->count; i++) {
        wg_type type = port_type(c, outputs, ports->index[i]);
        int64_t count;
        axis[i].name = port_name(c, outputs, ports->index[i]);
        axis[i].rank = type.rank;
        if (!type_eval(&c->program->t, &type, m->size, axis[i].shape, &count)) {
            fail_with(&c->error, WG_EOVERFLOW, "%s is too large", axis[i].name);
            return NULL;
        }
    }
    return axis;
}

static bool make(struct cli *c, bool hessian, struct matrix *m) {
    struct ports x, y;
    if (option_is(c, OPT_MODE, "numeric"))
        return usage_error(c, "--sparse differentiates exactly: --mode numeric is for dense ones");
    m->of = hessian ? wg_output_name(c->program, 0) : NULL;
    if (!find_sizes(c, m) || !select_ports(c, OPT_WRT, &x)) return false;
    if (!hessian && !select_ports(c, OPT_OF, &y)) return false;
    m->columns = x.count;
    m->rows = hessian ? x.count : y.count;
    m->column = axes(c, m, false, &x);
    m->row = m->column && !hessian ? axes(c, m, true, &y) : m->column;
    if (!m->row) return false;
    const void **known = room(c, c->input_count, sizeof *known);
    for (size_t i = 0; known && i < c->input_count; i++)
        if (!dtype_is_float(port_type(c, false, i).dtype)) known[i] = c->input[i].data;
    bool native = has_option(c, OPT_BACKEND) && option_is(c, OPT_BACKEND, "native");
    wg_sparse_options options = {.of = option_text(c, OPT_OF),
                                 .wrt = option_text(c, OPT_WRT),
                                 .size = m->size,
                                 .known = c->input ? known : NULL,
                                 .mode = option_is(c, OPT_MODE, "forward")   ? WG_FORWARD
                                         : option_is(c, OPT_MODE, "reverse") ? WG_REVERSE
                                                                             : WG_AUTO_MODE,
                                 .run = {.backend = native ? WG_NATIVE : WG_INTERPRET}};
    if (!known) return false;
    m->sparse = (hessian ? wg_sparse_hessian : wg_sparse_jacobian)(c->program, &options, &c->error);
    m->pattern = wg_sparse_pattern(m->sparse);
    wg_sparse_sweeps(m->sparse, &m->forward, &m->reverse);
    return m->sparse;
}

/* ---- lines and tables ---------------------------------------------------------------------- */

/* "3 by 4, 5 entries; 2 sweeps forward" */
static bool write_summary(wg_text *out, const struct matrix *m) {
    const wg_pattern *p = m->pattern;
    const char *noun = m->forward + m->reverse == 1 ? "sweep" : "sweeps";
    bool ok = text_format(out, "%lld by %lld, %lld %s", (long long)p->rows, (long long)p->columns,
                          (long long)p->entries, p->entries == 1 ? "entry" : "entries");
    if (m->forward && m->reverse)
        ok = ok && text_format(out, "; %lld sweeps forward and %lld in reverse",
                               (long long)m->forward, (long long)m->reverse);
    else if (m->forward || m->reverse)
        ok = ok && text_format(out, "; %lld %s %s", (long long)(m->forward + m->reverse), noun,
                               m->forward ? "forward" : "in reverse");
    return ok && text_add(out, "\n");
}

/* The name of row or column i of the matrix. */
static bool write_name(wg_text *out, const struct axis *axis, int64_t i) {
    for (;; axis++) {
        int64_t count = axis_count(axis);
        if (i < count) return write_element(out, axis, i, false);
        i -= count;
    }
}

static bool write_lines(const struct cli *c, wg_text *out, const struct matrix *m,
                        const double *number, const char *title) {
    const wg_pattern *p = m->pattern;
    int digits = (int)option_number(c, OPT_DIGITS, 0);
    size_t widest[2] = {0, 0};
    bool ok = text_format(out, "%s is ", title) && write_summary(out, m);
    wg_text name[2] = {{.allocator = c->allocator}, {.allocator = c->allocator}};
    for (int pass = 0; pass < 2; pass++) /* finds the widest names, then writes */
        for (int64_t i = 0; i < p->rows && ok; i++)
            for (int64_t e = p->row[i]; e < p->row[i + 1] && ok; e++) {
                for (size_t k = 0; k < 2; k++) text_cut(&name[k], 0);
                ok = write_name(&name[0], m->row, i) &&
                     write_name(&name[1], m->column, p->column[e]);
                for (size_t k = 0; k < 2 && ok; k++)
                    if (name[k].size > widest[k]) widest[k] = name[k].size;
                if (!pass || !ok) continue;
                ok = text_format(out, "%-*s  %-*s  ", (int)widest[0], name[0].data, (int)widest[1],
                                 name[1].data) &&
                     number_write(out, WG_F64, element_bits(WG_F64, number, e), NUMBER_PLAIN,
                                  digits) &&
                     text_add(out, "\n");
            }
    for (size_t k = 0; k < 2; k++) wg_text_free(&name[k]);
    return ok;
}

static bool write_numbers(wg_text *out, const char *key, const int64_t *number, int64_t count,
                          const char *behind) {
    bool ok = text_format(out, "  \"%s\": [", key);
    for (int64_t i = 0; i < count && ok; i++)
        ok = text_format(out, "%s%lld", i ? ", " : "", (long long)number[i]);
    return ok && text_format(out, "]%s\n", behind);
}

static bool write_names(wg_text *out, const char *key, const struct axis *axis, size_t count) {
    bool ok = text_format(out, "  \"%s\": [", key);
    for (size_t i = 0; i < count && ok; i++)
        ok = text_format(out, "%s\"%s\"", i ? ", " : "", axis[i].name);
    return ok && text_add(out, "],\n");
}

/* number: NULL, or of each entry. */
static bool write_compressed(wg_text *out, const struct matrix *m, const double *number) {
    const wg_pattern *p = m->pattern;
    bool ok = text_add(out, "{\n") &&
              (m->of ? text_format(out, "  \"of\": \"%s\",\n", m->of)
                     : write_names(out, "of", m->row, m->rows)) &&
              write_names(out, "wrt", m->column, m->columns) &&
              text_format(out, "  \"rows\": %lld,\n  \"columns\": %lld,\n", (long long)p->rows,
                          (long long)p->columns) &&
              text_format(out, "  \"sweeps\": {\"forward\": %lld, \"reverse\": %lld},\n",
                          (long long)m->forward, (long long)m->reverse) &&
              write_numbers(out, "row", p->row, p->rows + 1, ",") &&
              write_numbers(out, "column", p->column, p->entries, number ? "," : "");
    if (ok && number) {
        wg_tensor all = {(void *)(uintptr_t)number, WG_F64, 1, {p->entries}};
        ok = text_add(out, "  \"value\": ") && tensor_write(out, &all, NUMBER_JSON, 0, 0) &&
             text_add(out, "\n");
    }
    return ok && text_add(out, "}\n");
}

static bool write_coordinates(const struct cli *c, wg_text *out, const struct matrix *m,
                              const double *number) {
    const wg_pattern *p = m->pattern;
    int digits = (int)option_number(c, OPT_DIGITS, 0);
    bool ok = text_add(out, "row,column,value\n");
    for (int64_t i = 0; i < p->rows && ok; i++)
        for (int64_t e = p->row[i]; e < p->row[i + 1] && ok; e++)
            ok = text_format(out, "%lld,%lld,", (long long)i, (long long)p->column[e]) &&
                 number_write(out, WG_F64, element_bits(WG_F64, number, e), NUMBER_PLAIN, digits) &&
                 text_add(out, "\n");
    return ok;
}

bool sparse_result(struct cli *c, bool hessian) {
    struct matrix m = {0};
    if (option_is(c, OPT_FORMAT, "markdown") || option_is(c, OPT_FORMAT, "latex"))
        return usage_error(c, "entries of a sparse matrix are written as text, json or csv");
    bool several, ok = hessian ? load_scalar(c, &several) : load(c, true);
    ok = ok && make(c, hessian, &m);
    size_t bytes = ok ? ((size_t)m.pattern->entries + 1) * sizeof(double) : 0;
    double *number = ok ? mem_alloc(&c->allocator, bytes) : NULL;
    if (ok && !number) ok = !fail_memory(&c->error);
    ok = ok && wg_sparse_values(m.sparse, m.data, number, NULL, &c->error) == WG_OK;
    if (ok) {
        ok = option_is(c, OPT_FORMAT, "json") ? write_compressed(&c->out, &m, number)
             : option_is(c, OPT_FORMAT, "csv")
                 ? write_coordinates(c, &c->out, &m, number)
                 : write_lines(c, &c->out, &m, number, hessian ? "H" : "J");
        if (!ok) fail_memory(&c->error);
    }
    mem_free(&c->allocator, number, bytes);
    wg_sparse_free(m.sparse);
    return ok;
}

/* ---- pictures ------------------------------------------------------------------------------ */

enum { TEXT_ROWS = 60, TEXT_COLUMNS = 78, SVG_CELLS = 600 };

/* How many elements a cell has along an axis, so that there are at most `most` cells. */
static int64_t cell_size(int64_t elements, int64_t most) {
    return elements ? (elements + most - 1) / most : 1;
}

/* Marks the cells of the lines of elements from `first` on that have entries. */
static void mark_cells(const wg_pattern *p, int64_t first, int64_t cell, char *mark, size_t width) {
    memset(mark, 0, width);
    for (int64_t i = first; i < first + cell && i < p->rows; i++)
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) mark[p->column[e] / cell] = 1;
}

static bool write_dots(wg_text *out, const struct matrix *m, char *mark) {
    const wg_pattern *p = m->pattern;
    int64_t cell = cell_size(p->rows, TEXT_ROWS), across = cell_size(p->columns, TEXT_COLUMNS);
    if (across > cell) cell = across;
    size_t width = (size_t)((p->columns + cell - 1) / cell);
    bool ok = write_summary(out, m);
    if (cell > 1)
        ok = ok && text_format(out, "a mark for each %lld by %lld elements\n", (long long)cell,
                               (long long)cell);
    for (int64_t i = 0; i < p->rows && ok; i += cell) {
        mark_cells(p, i, cell, mark, width);
        for (size_t k = 0; k < width && ok; k++) ok = text_add(out, mark[k] ? "x" : ".");
        ok = ok && text_add(out, "\n");
    }
    return ok;
}

static bool write_svg(wg_text *out, const struct matrix *m, char *mark) {
    const wg_pattern *p = m->pattern;
    int64_t cell = cell_size(p->rows, SVG_CELLS), across = cell_size(p->columns, SVG_CELLS);
    if (across > cell) cell = across;
    int64_t height = (p->rows + cell - 1) / cell, width = (p->columns + cell - 1) / cell;
    int64_t longest = height > width ? height : width, scale = longest ? SVG_CELLS / longest : 1;
    bool ok = text_format(out,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%lld\" "
                          "height=\"%lld\" viewBox=\"0 0 %lld %lld\">\n<title>",
                          (long long)(width * scale), (long long)(height * scale), (long long)width,
                          (long long)height) &&
              write_summary(out, m) &&
              text_format(out,
                          "</title>\n<rect width=\"%lld\" height=\"%lld\" fill=\"white\" "
                          "stroke=\"gray\" stroke-width=\"0.1\"/>\n<path fill=\"black\" d=\"",
                          (long long)width, (long long)height);
    for (int64_t i = 0; i < height && ok; i++) {
        mark_cells(p, i * cell, cell, mark, (size_t)width);
        for (int64_t k = 0, end; k < width && ok; k = end) {
            for (end = k; end < width && mark[end];) end++;
            if (end > k)
                ok = text_format(out, "M%lld %lldh%lldv1h-%lldz", (long long)k, (long long)i,
                                 (long long)(end - k), (long long)(end - k));
            else
                end++;
        }
        ok = ok && text_add(out, "\n");
    }
    return ok && text_add(out, "\"/>\n</svg>\n");
}

/* Of a file whose name ends so. */
static bool wants_svg(const struct cli *c) {
    const char *path = option_text(c, OPT_OUTPUT), *dot = path ? strrchr(path, '.') : NULL;
    if (has_option(c, OPT_FORMAT)) return option_is(c, OPT_FORMAT, "svg");
    return dot && strcmp(dot, ".svg") == 0;
}

bool command_pattern(struct cli *c) {
    struct matrix m = {0};
    bool hessian = has_option(c, OPT_HESSIAN);
    if (!load(c, false) || (hessian && !keep_output(c)) || !make(c, hessian, &m)) return false;
    size_t width = (size_t)m.pattern->columns + 1;
    char *mark = mem_alloc(&c->allocator, width);
    bool ok = mark && (option_is(c, OPT_FORMAT, "json") ? write_compressed(&c->out, &m, NULL)
                       : wants_svg(c)                   ? write_svg(&c->out, &m, mark)
                                                        : write_dots(&c->out, &m, mark));
    if (!ok) fail_memory(&c->error);
    mem_free(&c->allocator, mark, width);
    wg_sparse_free(m.sparse);
    return ok;
}
