/* Factors, solutions and determinants of matrices of up to 4 rows, written out for native code and
 * C to take away: elementwise operations on the elements of all matrices of a batch side by side,
 * in the order of the kernels (kernel/factor.h), so that the digits are theirs. What a kernel
 * decides by a branch, which rows change places and whether a pivot divides, is a `where`. */
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

/* The rows of x become those of op(a)^-1 x; of a the first n rows are read. */
static void solve_triangle(wg_graph *g, value a, size_t n, struct triangle t, value *row) {
    for (size_t step = 0; step < n && !g->error.status; step++) {
        size_t i = t.lower != t.transposed ? step : n - 1 - step;
        size_t begin = t.lower ? 0 : i + 1, end = t.lower ? i : n;
        for (size_t j = begin; j < end && !t.transposed; j++)
            row[i] = reduced(g, a, i, j, row[j], row[i]);
        value pivot = t.unit ? 0 : element_of(g, a, i, i);
        if (pivot)
            row[i] = build_div(g, row[i], build_new_axis(g, pivot, type_of(&g->t, pivot)->rank));
        for (size_t j = begin; j < end && t.transposed; j++)
            row[j] = reduced(g, a, i, j, row[i], row[j]);
    }
}

/* Columns of a solution that belong to columns of zeros among the right-hand sides are zeros. */
static void zero_columns(wg_graph *g, size_t n, const value *right, value *row) {
    value zero = build_like(g, right[0], 0), empty = 0;
    for (size_t i = 0; i < n; i++) {
        value none = build_binary(g, OP_eq, right[i], zero);
        empty = empty ? build_binary(g, OP_and, empty, none) : none;
    }
    for (size_t i = 0; i < n; i++) row[i] = build_where(g, empty, zero, row[i]);
}

value triangular_expand(wg_graph *g, attr_id attr, const value *x) {
    size_t n = small_rows(g, x[0]);
    if (n == 0) return graph_emit(g, OP_triangular_solve, attr, x, 2);
    struct triangle t = triangle_of(&g->t, attr);
    value right[SMALL], row[SMALL];
    for (size_t i = 0; i < n; i++) right[i] = row[i] = row_of(g, x[1], i);
    if (g->error.status) return 0;
    unsigned axis = type_of(&g->t, x[1])->rank - 2u;
    solve_triangle(g, x[0], n, t, row);
    if (t.absolute) zero_columns(g, n, right, row);
    return g->error.status ? 0 : build_stack(g, row, n, axis);
}

/* ---- with pivots ----------------------------------------------------------------------------- */

/* Row k of f[n,width] changes places with the one, of those from k on, whose element in column k is
 * the largest, the first of equal ones. */
static void bring_pivot(wg_graph *g, size_t n, size_t k, size_t width, value f[][SMALL + 1]) {
    value taken[SMALL] = {0}, top[SMALL + 1], below = 0;
    value largest = build_unary(g, OP_abs, f[k][k]);
    for (size_t i = k + 1; i < n; i++) {
        value size = build_unary(g, OP_abs, f[i][k]);
        taken[i] = build_binary(g, OP_gt, size, largest);
        largest = build_where(g, taken[i], size, largest);
    }
    for (size_t c = 0; c < width; c++) top[c] = f[k][c];
    for (size_t i = k + 1; i < n; i++)
        for (size_t c = 0; c < width; c++) top[c] = build_where(g, taken[i], f[i][c], top[c]);
    /* the pivot is the last row that was taken */
    for (size_t i = n; --i > k;) {
        value last = taken[i];
        if (below) last = build_binary(g, OP_and, last, build_unary(g, OP_not, below));
        below = below ? build_binary(g, OP_or, below, taken[i]) : taken[i];
        for (size_t c = 0; c < width; c++) f[i][c] = build_where(g, last, f[k][c], f[i][c]);
    }
    for (size_t c = 0; c < width; c++) f[k][c] = top[c];
}

/* Takes row k off those below it, unless its pivot is 0. */
static void eliminate(wg_graph *g, size_t n, size_t k, value f[][SMALL + 1]) {
    value pivot = f[k][k], divides = build_binary(g, OP_ne, pivot, build_like(g, pivot, 0));
    for (size_t i = k + 1; i < n; i++) {
        value ratio = build_div(g, f[i][k], pivot), back = build_unary(g, OP_neg, ratio);
        f[i][k] = build_where(g, divides, ratio, f[i][k]);
        for (size_t j = k + 1; j < n; j++) {
            value less = build_add(g, f[i][j], build_mul(g, back, f[k][j]));
            f[i][j] = build_where(g, divides, less, f[i][j]);
        }
    }
}

value lu_expand(wg_graph *g, attr_id attr, const value *x) {
    size_t n = small_rows(g, x[0]);
    if (n == 0) return graph_emit(g, OP_lu, attr, x, 1);
    unsigned axis = type_of(&g->t, x[0])->rank - 2u;
    value f[SMALL][SMALL + 1], order[SMALL], row[SMALL + 1];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) f[i][j] = element_of(g, x[0], i, j);
        f[i][n] = f[i][0] ? build_like(g, f[i][0], (double)i) : 0; /* its place in the order */
    }
    for (size_t k = 0; k < n && !g->error.status; k++) {
        bring_pivot(g, n, k, n + 1, f);
        if (!g->error.status) eliminate(g, n, k, f);
    }
    for (size_t i = 0; i < n && !g->error.status; i++) {
        row[i] = build_stack(g, f[i], n, axis);
        order[i] = f[i][n];
    }
    if (!g->error.status) row[n] = build_stack(g, order, n, axis);
    return g->error.status ? 0 : build_stack(g, row, n + 1, axis);
}

/* Row i of `to` is row order[i] of `from`, or, back, row order[i] of `to` is row i of `from`. */
static void reorder(wg_graph *g, value f, size_t n, bool back, const value *from, value *to) {
    value is[SMALL][SMALL] = {{0}};
    for (size_t i = 0; i < n; i++) {
        value place = element_of(g, f, n, i);
        if (!place) return;
        place = build_new_axis(g, place, type_of(&g->t, place)->rank);
        for (size_t j = 0; j < n && place; j++)
            is[i][j] = build_binary(g, OP_eq, place, build_like(g, place, (double)j));
    }
    for (size_t i = 0; i < n; i++) {
        to[i] = from[n - 1];
        for (size_t j = n - 1; j-- > 0;)
            to[i] = build_where(g, back ? is[j][i] : is[i][j], from[j], to[i]);
    }
}

value solve_expand(wg_graph *g, attr_id attr, const value *x) {
    size_t n = small_rows(g, x[0]);
    if (n == 0) return graph_emit(g, OP_solve, attr, x, 3);
    bool transposed = attr_words(&g->t, attr)[0] != 0;
    bool absolute = op_is_absolute(&g->t, OP_solve, attr);
    struct triangle first = {!transposed, transposed, !transposed, false};
    struct triangle second = {transposed, transposed, transposed, false};
    value right[SMALL], row[SMALL], turned[SMALL] = {0};
    for (size_t i = 0; i < n; i++) right[i] = row[i] = row_of(g, x[2], i);
    if (g->error.status) return 0;
    unsigned axis = type_of(&g->t, x[2])->rank - 2u;
    if (!transposed) reorder(g, x[1], n, false, right, row);
    if (!g->error.status) solve_triangle(g, x[1], n, first, row);
    if (!g->error.status) solve_triangle(g, x[1], n, second, row);
    if (transposed && !g->error.status) {
        reorder(g, x[1], n, true, row, turned);
        memcpy(row, turned, sizeof row);
    }
    if (absolute && !g->error.status) zero_columns(g, n, right, row);
    return g->error.status ? 0 : build_stack(g, row, n, axis);
}

/* -1 where an odd number of the rows above row i come after it in the matrix, else 1. */
static value turn_of(wg_graph *g, const value *order, size_t i) {
    value odd = 0;
    for (size_t j = 0; j < i; j++) {
        value behind = build_binary(g, OP_gt, order[j], order[i]);
        odd = odd ? build_binary(g, OP_xor, odd, behind) : behind;
    }
    value one = build_like(g, order[i], 1);
    return odd ? build_where(g, odd, build_like(g, order[i], -1), one) : one;
}

/* The logarithm stays a call of the kernel, whose time is the logarithms'. */
value det_expand(wg_graph *g, attr_id attr, const value *x) {
    size_t n = small_rows(g, x[0]);
    int64_t what = attr_words(&g->t, attr)[0];
    if (n == 0 || what == DET_LOG) return graph_emit(g, OP_det, attr, x, 2);
    value order[SMALL] = {0}, product = 0;
    for (size_t i = 0; i < n; i++) order[i] = element_of(g, x[1], n, i);
    for (size_t i = 0; i < n && !g->error.status; i++) {
        value pivot = element_of(g, x[1], i, i), turn = turn_of(g, order, i);
        if (what == DET_SIGN) pivot = build_unary(g, OP_sign, pivot);
        value factor = build_mul(g, turn, pivot);
        product = product ? build_mul(g, product, factor) : factor;
    }
    return g->error.status ? 0 : product;
}
