/* Factors and triangular solutions of matrices of up to 4 rows, written out for native code and C
 * to take away: elementwise operations on the elements of all matrices of a batch side by side, in
 * the order of the kernels (kernel/factor.h), so that the digits are theirs. */
#include "op/build.h"
#include "op/linalg.h"

#include <math.h>

enum { SMALL = 4 };

/* The rows of a square matrix that is written out, or 0. */
static size_t small_rows(const wg_graph *g, value a) {
    const wg_type *type = type_of(&g->t, a);
    wg_extent n = type->extent[type->rank - 1];
    return n >= 1 && n <= SMALL ? (size_t)n : 0;
}

/* a[..., i, :] along the last axis but one, without that axis. */
static value row_of(wg_graph *g, value a, size_t i) {
    unsigned axis = type_of(&g->t, a)->rank - 2u;
    wg_extent at = (wg_extent)i;
    value row = build_slice_axis(g, a, axis, at, at + 1, 1);
    return row ? build_squeeze(g, row, 1u << axis) : 0;
}

static value element_of(wg_graph *g, value a, size_t i, size_t j) {
    value row = row_of(g, a, i);
    if (!row) return 0;
    unsigned axis = type_of(&g->t, row)->rank - 1u;
    wg_extent at = (wg_extent)j;
    value one = build_slice_axis(g, row, axis, at, at + 1, 1);
    return one ? build_squeeze(g, one, 1u << axis) : 0;
}

/* The sum of a[k] b[k] as kernels add it up. */
static value product_of(wg_graph *g, size_t count, const value *a, const value *b, value zero) {
    value sum = zero;
    for (size_t k = 0; k < count; k++) sum = build_add(g, sum, build_mul(g, a[k], b[k]));
    return sum;
}

value cholesky_expand(wg_graph *g, attr_id attr, const value *x) {
    size_t n = small_rows(g, x[0]);
    if (n == 0) return graph_emit(g, OP_cholesky, attr, x, 1);
    unsigned axis = type_of(&g->t, x[0])->rank - 2u;
    value l[SMALL][SMALL] = {{0}}, row[SMALL] = {0}, good = 0, zero = 0;
    for (size_t i = 0; i < n && !g->error.status; i++) {
        for (size_t j = 0; j <= i && !g->error.status; j++) {
            value here = element_of(g, x[0], i, j), there = element_of(g, x[0], j, i);
            value half = here ? build_like(g, here, 0.5) : 0;
            if (!zero && here) zero = build_like(g, here, 0);
            l[i][j] = build_add(g, build_mul(g, half, here), build_mul(g, half, there));
        }
        for (size_t j = 0; j < i; j++)
            l[i][j] = build_div(g, build_sub(g, l[i][j], product_of(g, j, l[i], l[j], zero)),
                                l[j][j]);
        value pivot = build_sub(g, l[i][i], product_of(g, i, l[i], l[i], zero));
        value is_good = build_binary(g, OP_gt, pivot, zero);
        good = good ? build_binary(g, OP_and, good, is_good) : is_good;
        l[i][i] = build_unary(g, OP_sqrt, pivot);
    }
    value nan = zero ? build_like(g, zero, (double)NAN) : 0;
    for (size_t i = 0; i < n && !g->error.status; i++) {
        for (size_t j = 0; j < n; j++)
            l[i][j] = build_where(g, good, j <= i ? l[i][j] : zero, nan);
        row[i] = build_stack(g, l[i], n, axis);
    }
    return g->error.status ? 0 : build_stack(g, row, n, axis);
}

/* x_to += -a[i,j] x_from, of whole rows. */
static value reduced(wg_graph *g, value a, size_t i, size_t j, value from, value to) {
    value one = build_unary(g, OP_neg, element_of(g, a, i, j));
    if (!one) return 0;
    one = build_new_axis(g, one, type_of(&g->t, one)->rank);
    return build_add(g, to, build_mul(g, one, from));
}

value triangular_expand(wg_graph *g, attr_id attr, const value *x) {
    size_t n = small_rows(g, x[0]);
    if (n == 0) return graph_emit(g, OP_triangular_solve, attr, x, 2);
    struct triangle t = triangle_of(&g->t, attr);
    unsigned axis = type_of(&g->t, x[1])->rank - 2u;
    value row[SMALL];
    for (size_t i = 0; i < n; i++) row[i] = row_of(g, x[1], i);
    for (size_t step = 0; step < n && !g->error.status; step++) {
        size_t i = t.lower != t.transposed ? step : n - 1 - step;
        size_t begin = t.lower ? 0 : i + 1, end = t.lower ? i : n;
        for (size_t j = begin; j < end && !t.transposed; j++)
            row[i] = reduced(g, x[0], i, j, row[j], row[i]);
        value pivot = t.unit ? 0 : element_of(g, x[0], i, i);
        if (pivot)
            row[i] = build_div(g, row[i], build_new_axis(g, pivot, type_of(&g->t, pivot)->rank));
        for (size_t j = begin; j < end && t.transposed; j++)
            row[j] = reduced(g, x[0], i, j, row[i], row[j]);
    }
    for (size_t i = 0, k; t.absolute && i < n && !g->error.status; i++) {
        value zero = build_like(g, row[i], 0), empty = 0;
        for (k = 0; k < n; k++) {
            value none = build_binary(g, OP_eq, row_of(g, x[1], k), zero);
            empty = empty ? build_binary(g, OP_and, empty, none) : none;
        }
        row[i] = build_where(g, empty, zero, row[i]);
    }
    return g->error.status ? 0 : build_stack(g, row, n, axis);
}
