/* Functions of matrices that are made of the rows of factor.c and spectral.c: solutions with any
 * axes in front, the inverse, determinants, the parts of decompositions. Factors that a solution or
 * determinant takes are those of a stopped matrix: their derivatives are that of the matrix beside
 * them. */
#include "op/linalg.h"

#include "op/describe.h"

/* ---- equations ------------------------------------------------------------------------------- */

/* The two operands of an equation: b with columns, and both with the same axes in front. */
struct equation {
    value x[2];
    bool vector; /* b was one, and so is the solution */
};

static bool make_equation(wg_graph *g, const char *name, value a, value b, struct equation *e) {
    *e = (struct equation){{a, b}, false};
    if (!a || !b || g->error.status || !require_square(g, name, a)) return false;
    wg_type left = *type_of(&g->t, a), right = *type_of(&g->t, b);
    e->vector = right.rank == 1;
    if (right.rank == 0 || right.dtype != left.dtype ||
        right.extent[right.rank - (e->vector ? 1u : 2u)] != left.extent[left.rank - 1]) {
        graph_fail(g, right.dtype == left.dtype ? WG_ESHAPE : WG_EDTYPE,
                   "%s: the matrix is %s, the right-hand side %s", name, type_name(g, a).text,
                   type_name(g, b).text);
        graph_fail_operands(g, e->x, 2);
        graph_hint(g, "a right-hand side is a vector, or has a column for every solution");
        return false;
    }
    if (e->vector) e->x[1] = build_new_axis(g, b, 1);
    return build_fronts(g, name, e->x);
}

static value solution(wg_graph *g, const struct equation *e, value x) {
    return x && e->vector ? build_squeeze(g, x, (uint32_t)1 << (type_of(&g->t, x)->rank - 1u)) : x;
}

static value factors_of(wg_graph *g, value a) {
    return build_lu(g, build_unary(g, OP_stop_gradient, a));
}

value build_solve(wg_graph *g, value a, value b) {
    struct equation e;
    if (!make_equation(g, "solve", a, b, &e)) return 0;
    value f = factors_of(g, e.x[0]);
    return solution(g, &e, build_factor_solve(g, e.x[0], f, e.x[1], false, false));
}

value build_triangular_solve(wg_graph *g, value a, value b, int how) {
    struct equation e;
    struct triangle t = {.lower = !(how & WG_UPPER),
                         .transposed = how & WG_TRANSPOSED,
                         .unit = how & WG_UNIT_DIAGONAL};
    if (how < 0 || how > (WG_UPPER | WG_TRANSPOSED | WG_UNIT_DIAGONAL))
        return graph_fail(g, WG_EARGUMENT, "triangular_solve: %d is none of enum wg_triangle", how);
    if (!make_equation(g, "triangular_solve", a, b, &e)) return 0;
    return solution(g, &e, build_triangular(g, e.x[0], e.x[1], t));
}

value build_cholesky(wg_graph *g, value a) {
    if (!a || g->error.status || !require_square(g, "cholesky", a)) return 0;
    return graph_emit(g, OP_cholesky, 0, &a, 1);
}

value build_cholesky_solve(wg_graph *g, value l, value b) {
    struct equation e;
    if (!make_equation(g, "cholesky_solve", l, b, &e)) return 0;
    value half = build_triangular(g, e.x[0], e.x[1], (struct triangle){.lower = true});
    return solution(
        g, &e,
        build_triangular(g, e.x[0], half, (struct triangle){.lower = true, .transposed = true}));
}

value build_inverse(wg_graph *g, value a) {
    if (!a || g->error.status || !require_square(g, "inverse", a)) return 0;
    wg_type type = *type_of(&g->t, a);
    value eye = build_eye(g, (wg_dtype)type.dtype, matrix_extent(g, a, 1));
    return build_factor_solve(g, a, factors_of(g, a), build_broadcast_to(g, eye, &type), false,
                              false);
}

/* ---- determinants ---------------------------------------------------------------------------- */

static value determinant(wg_graph *g, const char *name, value a, int what) {
    if (!a || g->error.status || !require_square(g, name, a)) return 0;
    return build_factor_det(g, a, factors_of(g, a), what);
}

value build_det(wg_graph *g, value a) { return determinant(g, "det", a, DET_VALUE); }

value build_log_det(wg_graph *g, value a) { return determinant(g, "log_det", a, DET_LOG); }

value build_sign_det(wg_graph *g, value a) { return determinant(g, "sign_det", a, DET_SIGN); }

/* ---- functions of matrices ------------------------------------------------------------------- */

value build_expm(wg_graph *g, value a) { return build_expm_along(g, &a, 0, false); }

static value diagonal_of(wg_graph *g, const char *name, const char *text, value a) {
    if (!a || g->error.status) return 0;
    if (type_of(&g->t, a)->rank >= 2) return build_einsum(g, text, strlen(text), &a, 1);
    graph_fail(g, WG_ESHAPE, "%s: takes matrices, not %s", name, type_name(g, a).text);
    return graph_fail_operands(g, &a, 1), 0;
}

value build_diagonal(wg_graph *g, value a) { return diagonal_of(g, "diagonal", "...ii->...i", a); }

value build_trace(wg_graph *g, value a) { return diagonal_of(g, "trace", "...ii->...", a); }

/* ---- parts of decompositions ----------------------------------------------------------------- */

/* Whether there are fewer rows than columns, as far as that is known. */
static bool is_wide(wg_graph *g, value a) {
    wg_extent m = matrix_extent(g, a, 2), n = matrix_extent(g, a, 1);
    return m != n && !extent_provably_le(g, n, m) && extent_provably_le(g, m, n);
}

static value columns(wg_graph *g, value a, wg_extent start, wg_extent stop) {
    return build_slice_axis(g, a, type_of(&g->t, a)->rank - 1u, start, stop, 1);
}

static value lu_part(wg_graph *g, value a, enum matrix_part part) {
    wg_extent n = matrix_extent(g, a, 1);
    value f = build_lu(g, a), square = matrix_rows(g, f, 0, n);
    if (part == LU_U) return matrix_masked(g, square, 0, 1, 1);
    if (part == LU_L) {
        value below = matrix_masked(g, square, 1, 0, 0);
        return build_add(g, below, build_eye(g, (wg_dtype)type_of(&g->t, a)->dtype, n));
    }
    value order = build_cast(g, WG_I64, matrix_rows(g, f, n, extent_add(g, n, 1)));
    return order ? build_squeeze(g, order, (uint32_t)1 << (type_of(&g->t, order)->rank - 2u)) : 0;
}

/* Of a wide matrix [A1, A2] the factors of A1, and Q' A2 beside R. */
static value qr_part(wg_graph *g, value a, enum matrix_part part) {
    wg_extent m = matrix_extent(g, a, 2), n = matrix_extent(g, a, 1);
    bool wide = is_wide(g, a);
    value y = build_qr(g, wide ? columns(g, a, 0, m) : a);
    value q = matrix_rows(g, y, 0, m);
    value r = matrix_rows(g, y, m, extent_add(g, m, wide ? m : n));
    if (part == QR_Q || !wide || !r) return part == QR_Q ? q : r;
    value rest = matrix_product(g, q, columns(g, a, m, n), true, false);
    return rest ? build_concat(g, (const value[]){r, rest}, 2, type_of(&g->t, r)->rank - 1u) : 0;
}

static value eigh_part(wg_graph *g, value a, enum matrix_part part) {
    value y = build_eigh(g, a);
    if (part == EIGH_VECTORS) return matrix_rows(g, y, 1, extent_add(g, matrix_extent(g, a, 1), 1));
    value w = matrix_rows(g, y, 0, 1);
    return w ? build_squeeze(g, w, (uint32_t)1 << (type_of(&g->t, w)->rank - 2u)) : 0;
}

/* Of a wide matrix that of its transpose, with U and V exchanged. */
static value svd_part(wg_graph *g, value a, enum matrix_part part) {
    bool wide = is_wide(g, a);
    if (wide) a = matrix_transpose(g, a);
    if (wide && part != SVD_S) part = part == SVD_U ? SVD_V : SVD_U;
    value y = build_svd(g, a);
    if (!y) return 0;
    wg_extent m = matrix_extent(g, a, 2), n = matrix_extent(g, a, 1), behind = extent_add(g, m, 1);
    if (part == SVD_U) return matrix_rows(g, y, 0, m);
    if (part == SVD_V)
        return matrix_transpose(g, matrix_rows(g, y, behind, extent_add(g, behind, n)));
    value s = matrix_rows(g, y, m, behind);
    return s ? build_squeeze(g, s, (uint32_t)1 << (type_of(&g->t, s)->rank - 2u)) : 0;
}

value build_matrix_part(wg_graph *g, value a, enum matrix_part part) {
    bool square = part <= LU_ORDER || part == EIGH_VALUES || part == EIGH_VECTORS;
    const char *name = part <= LU_ORDER ? "lu"
                       : part <= QR_R   ? "qr"
                       : part < SVD_U   ? "eigh"
                                        : "svd";
    if (!a || g->error.status || !(square ? require_square : require_matrix)(g, name, a)) return 0;
    switch (part) {
    case LU_L:
    case LU_U:
    case LU_ORDER: return lu_part(g, a, part);
    case QR_Q:
    case QR_R: return qr_part(g, a, part);
    case EIGH_VALUES:
    case EIGH_VECTORS: return eigh_part(g, a, part);
    case SVD_U:
    case SVD_S:
    case SVD_V: return svd_part(g, a, part);
    }
    return 0;
}
