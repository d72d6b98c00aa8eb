/* Patterns: of Jacobians and Hessians by the walk of sparsity.c, and turned around. */
#include "transform/pattern.h"

#include "transform/sparsity.h"

static bool pattern_alloc(wg_pattern *p, wg_error *error) {
    size_t bytes;
    if (p->rows >= INT64_MAX / 8 ||
        __builtin_mul_overflow((size_t)p->entries, sizeof *p->column, &bytes))
        return !fail_memory(error);
    p->row = mem_alloc_zero(&p->allocator, ((size_t)p->rows + 1) * sizeof *p->row);
    p->column = bytes ? mem_alloc(&p->allocator, bytes) : NULL;
    if (p->row && (p->column || !bytes)) return true;
    fail_with(error, WG_ENOMEM, "no memory for a pattern of %lld entries", (long long)p->entries);
    wg_pattern_free(p);
    return false;
}

bool pattern_open(wg_pattern *p, const wg_allocator *a, int64_t rows, int64_t columns,
                  int64_t entries, wg_error *error) {
    *p = (wg_pattern){.rows = rows, .columns = columns, .entries = entries, .allocator = *a};
    return pattern_alloc(p, error);
}

void wg_pattern_free(wg_pattern *p) {
    if (!p) return;
    const wg_allocator a = allocator_or_standard(p->allocator.resize ? &p->allocator : NULL);
    if (p->row) mem_free(&a, p->row, ((size_t)p->rows + 1) * sizeof *p->row);
    if (p->column) mem_free(&a, p->column, (size_t)p->entries * sizeof *p->column);
    *p = (wg_pattern){0};
}

void wg_pattern_rows(const wg_pattern *p, int64_t *row) {
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) row[e] = i;
}

wg_status wg_pattern_transpose(const wg_pattern *p, wg_pattern *transposed, int64_t *entry,
                               wg_error *error) {
    if (failed(error)) return error->status;
    if (!p || !transposed || !p->row)
        return fail_with(error, WG_EARGUMENT, "pattern: %s",
                         transposed ? "there is none to transpose" : "the result is NULL");
    wg_pattern t;
    if (!pattern_open(&t, &p->allocator, p->columns, p->rows, p->entries, error)) return WG_ENOMEM;
    for (int64_t e = 0; e < p->entries; e++) t.row[p->column[e] + 1]++;
    for (int64_t i = 0; i < t.rows; i++) t.row[i + 1] += t.row[i];
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) {
            int64_t to = t.row[p->column[e]]++;
            t.column[to] = i;
            if (entry) entry[to] = e;
        }
    for (int64_t i = t.rows; i-- > 0;) t.row[i + 1] = t.row[i];
    t.row[0] = 0;
    *transposed = t;
    return WG_OK;
}

/* The union of a pattern and its transposed. */
static wg_status make_symmetric(wg_pattern *p, wg_error *error) {
    wg_pattern t, both;
    if (wg_pattern_transpose(p, &t, NULL, error)) return error->status;
    int64_t entries = 0;
    for (int pass = 0; pass < 2; pass++) { /* counts, then writes */
        if (pass && !pattern_open(&both, &p->allocator, p->rows, p->columns, entries, error)) break;
        int64_t at = 0;
        for (int64_t i = 0; i < p->rows; i++) {
            int64_t a = p->row[i], b = t.row[i];
            while (a < p->row[i + 1] || b < t.row[i + 1]) {
                int64_t x = a < p->row[i + 1] ? p->column[a] : INT64_MAX;
                int64_t y = b < t.row[i + 1] ? t.column[b] : INT64_MAX;
                a += x <= y;
                b += y <= x;
                if (pass) both.column[at] = x < y ? x : y;
                at++;
            }
            if (pass) both.row[i + 1] = at;
        }
        entries = at;
    }
    wg_pattern_free(&t);
    if (failed(error)) return error->status;
    wg_pattern_free(p);
    *p = both;
    return WG_OK;
}

/* ---- of programs ----------------------------------------------------------------------------- */

bool pattern_select(struct derivation *d, const wg_program *p, const char *of, const char *wrt,
                    struct selection *x, struct selection *y, wg_error *error) {
    return derive_begin(d, p, error) && derive_select(d, false, wrt, x) &&
           derive_select(d, true, of, y);
}

void pattern_unselect(struct derivation *d, wg_error *error) {
    if (d->g && d->g->error.status) fail_with(error, d->g->error.status, "%s", d->g->error.message);
    wg_graph_free(d->g);
    arena_free(&d->scratch);
}

static wg_status find(const wg_program *p, const char *of, const wg_sparse_options *o,
                      wg_pattern *pattern, wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (pattern_select(&d, p, of, o->wrt, &x, &y, error))
        sparsity_pattern(p, &x, &y, o->size, o->known, pattern, error);
    pattern_unselect(&d, error);
    return error->status;
}

wg_status wg_jacobian_pattern(const wg_program *program, const wg_sparse_options *options,
                              wg_pattern *pattern, wg_error *error) {
    static const wg_sparse_options usual;
    wg_error own = {0};
    if (!error) error = &own;
    if (failed(error)) return error->status;
    if (!pattern) return fail_with(error, WG_EARGUMENT, "jacobian pattern: the pattern is NULL");
    if (!options) options = &usual;
    return find(program, options->of, options, pattern, error);
}

wg_status wg_hessian_pattern(const wg_program *program, const wg_sparse_options *options,
                             wg_pattern *pattern, wg_error *error) {
    static const wg_sparse_options usual;
    wg_error own = {0};
    if (!error) error = &own;
    if (failed(error)) return error->status;
    if (!pattern) return fail_with(error, WG_EARGUMENT, "hessian pattern: the pattern is NULL");
    if (!options) options = &usual;
    wg_program *grad = wg_grad(program, options->wrt, error);
    if (grad && find(grad, NULL, options, pattern, error) == WG_OK &&
        make_symmetric(pattern, error))
        wg_pattern_free(pattern);
    wg_program_free(grad);
    return error->status;
}
