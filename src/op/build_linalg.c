/* Builders of the rows of factor.c and spectral.c, and the small functions of matrices that their
 * rules are made of. */
#include "op/linalg.h"

#include "op/describe.h"

/* ---- what is a matrix ------------------------------------------------------------------------ */

bool require_matrix(wg_graph *g, const char *name, value a) {
    if (type_of(&g->t, a)->rank >= 2) return require_floats(g, name, a);
    graph_fail(g, WG_ESHAPE, "%s: takes matrices, not %s", name, type_name(g, a).text);
    graph_fail_operands(g, &a, 1);
    return false;
}

bool require_square(wg_graph *g, const char *name, value a) {
    if (!require_matrix(g, name, a)) return false;
    wg_extent m = matrix_extent(g, a, 2), n = matrix_extent(g, a, 1);
    if (m == n) return true;
    graph_fail(g, WG_ESHAPE, "%s: takes square matrices, and %s is none", name,
               type_name(g, a).text);
    graph_fail_operands(g, &a, 1);
    return false;
}

wg_extent matrix_extent(const wg_graph *g, value a, unsigned from_end) {
    const wg_type *type = type_of(&g->t, a);
    return type->extent[type->rank - from_end];
}

/* ---- parts ----------------------------------------------------------------------------------- */

value matrix_transpose(wg_graph *g, value a) {
    if (!a || g->error.status) return 0;
    uint8_t perm[WG_MAX_RANK], rank = type_of(&g->t, a)->rank;
    for (uint8_t i = 0; i < rank; i++) perm[i] = i;
    perm[rank - 1] = (uint8_t)(rank - 2);
    perm[rank - 2] = (uint8_t)(rank - 1);
    return build_transpose(g, a, perm);
}

value matrix_product(wg_graph *g, value a, value b, bool a_transposed, bool b_transposed) {
    if (!a || !b || g->error.status) return 0;
    return build_dot(g, a, b, type_of(&g->t, a)->rank - 2u, 1, a_transposed, b_transposed);
}

value matrix_rows(wg_graph *g, value a, wg_extent start, wg_extent stop) {
    if (!a || g->error.status) return 0;
    return build_slice_axis(g, a, type_of(&g->t, a)->rank - 2u, start, stop, 1);
}

value rows_joined(wg_graph *g, const value *part, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!part[i] || g->error.status) return 0;
    return build_concat(g, part, count, type_of(&g->t, part[0])->rank - 2u);
}

value matrix_masked(wg_graph *g, value a, double below, double on, double above) {
    if (!a || g->error.status) return 0;
    wg_dtype dtype = (wg_dtype)type_of(&g->t, a)->dtype;
    wg_extent n = matrix_extent(g, a, 1);
    wg_type square = {.dtype = WG_I64, .rank = 2, .extent = {n, n}};
    value index = build_iota(g, n);
    value row = build_broadcast(g, index, &square, 1),
          column = build_broadcast(g, index, &square, 2);
    square.dtype = (uint8_t)dtype;
    value outside = build_where(g, build_binary(g, OP_gt, row, column),
                                build_full(g, &square, below), build_full(g, &square, above));
    return build_mul(
        g, a,
        build_where(g, build_binary(g, OP_eq, row, column), build_full(g, &square, on), outside));
}

value matrix_diagonal(wg_graph *g, value a) {
    value kept = matrix_masked(g, a, 0, 1, 0);
    return kept ? build_sum(g, kept, (uint32_t)1 << (type_of(&g->t, kept)->rank - 2u)) : 0;
}

value scale_columns(wg_graph *g, value a, value v) {
    if (!a || !v || g->error.status) return 0;
    return build_mul(g, a, build_new_axis(g, v, type_of(&g->t, v)->rank - 1u));
}

value scale_rows(wg_graph *g, value a, value v) {
    if (!a || !v || g->error.status) return 0;
    return build_mul(g, a, build_new_axis(g, v, type_of(&g->t, v)->rank));
}

/* ---- memory ---------------------------------------------------------------------------------- */

value build_words(wg_graph *g, wg_extent count) {
    if (g->error.status) return 0;
    return graph_emit(g, OP_words, graph_attr(g, &count, 1), NULL, 0);
}

bool require_room(wg_graph *g, unsigned op, value words, wg_extent count) {
    wg_type want = wg_type_of(WG_I64, 1, &count);
    if (g->error.status) return false;
    if (type_equal(type_of(&g->t, words), &want)) return true;
    graph_fail(g, WG_EARGUMENT, "%s: works in %s, and was given %s", op_def(op)->name,
               type_name_of(g, &want).text, type_name(g, words).text);
    return false;
}

/* a n^2 + b n + c */
static wg_extent quadratic(wg_graph *g, wg_extent n, int64_t a, int64_t b, int64_t c) {
    wg_extent linear = extent_add(g, extent_mul(g, a, n), b);
    return extent_add(g, extent_mul(g, linear, n), c);
}

wg_extent cofactor_room(wg_graph *g, value a) {
    return quadratic(g, matrix_extent(g, a, 1), 2, 2, 0);
}

wg_extent qr_room(wg_graph *g, value a) {
    wg_extent m = matrix_extent(g, a, 2), n = matrix_extent(g, a, 1);
    return extent_mul(g, extent_add(g, m, 34), n);
}

wg_extent eigh_room(wg_graph *g, value a) { return quadratic(g, matrix_extent(g, a, 1), 2, 45, 4); }

wg_extent svd_room(wg_graph *g, value a) {
    wg_extent m = matrix_extent(g, a, 2), n = matrix_extent(g, a, 1);
    wg_extent wide = extent_add(g, extent_mul(g, m, n), extent_mul(g, 32, m));
    return extent_add(g, wide, quadratic(g, n, 4, 70, 0));
}

wg_extent expm_room(wg_graph *g, value a, size_t order) {
    return quadratic(g, matrix_extent(g, a, 1), 6 * ((int64_t)1 << order) + 2, 1, 0);
}

/* An operation on a matrix and the memory that it works in. */
static value emit_in_room(wg_graph *g, unsigned op, value a, wg_extent (*room)(wg_graph *, value)) {
    value words = build_words(g, room(g, a));
    return words ? graph_emit(g, op, 0, (const value[]){a, words}, 2) : 0;
}

/* ---- rows ------------------------------------------------------------------------------------ */

value build_triangular(wg_graph *g, value a, value x, struct triangle t) {
    if (!a || !x || g->error.status) return 0;
    const int64_t word[] = {t.lower, t.transposed, t.unit, true};
    attr_id attr = graph_attr(g, word, t.absolute ? 4 : 3);
    return graph_emit(g, OP_triangular_solve, attr, (const value[]){a, x}, 2);
}

value build_lu(wg_graph *g, value a) {
    return a && !g->error.status ? graph_emit(g, OP_lu, 0, &a, 1) : 0;
}

value build_factor_solve(wg_graph *g, value a, value f, value b, bool transposed, bool absolute) {
    if (!a || !f || !b || g->error.status) return 0;
    attr_id attr = graph_attr(g, (const int64_t[]){transposed, true}, absolute ? 2 : 1);
    return graph_emit(g, OP_solve, attr, (const value[]){a, f, b}, 3);
}

value build_factor_det(wg_graph *g, value a, value f, int what) {
    if (!a || !f || g->error.status) return 0;
    return graph_emit(g, OP_det, graph_attr(g, (const int64_t[]){what}, 1), (const value[]){a, f},
                      2);
}

value build_cofactor(wg_graph *g, value a) {
    if (!a || g->error.status || !require_square(g, "cofactor", a)) return 0;
    return emit_in_room(g, OP_cofactor, a, cofactor_room);
}

value build_qr(wg_graph *g, value a) {
    if (!a || g->error.status || !require_matrix(g, "qr", a)) return 0;
    return emit_in_room(g, OP_qr, a, qr_room);
}

value build_eigh(wg_graph *g, value a) {
    if (!a || g->error.status || !require_square(g, "eigh", a)) return 0;
    return emit_in_room(g, OP_eigh, a, eigh_room);
}

value build_svd(wg_graph *g, value a) {
    if (!a || g->error.status || !require_matrix(g, "svd", a)) return 0;
    return emit_in_room(g, OP_svd, a, svd_room);
}

value build_expm_along(wg_graph *g, const value *x, size_t order, bool absolute) {
    value arg[UINT8_MAX];
    if (g->error.status) return 0;
    for (size_t k = 0; k <= order; k++)
        if (!(arg[k] = x[k])) return 0;
    if (!require_square(g, "expm", x[0])) return 0;
    arg[order + 1] = build_words(g, expm_room(g, x[0], order));
    attr_id attr = graph_attr(g, (const int64_t[]){(int64_t)order, true}, absolute ? 2 : 1);
    return g->error.status ? 0 : graph_emit(g, OP_expm, attr, arg, order + 2);
}
