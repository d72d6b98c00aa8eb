/* Orthogonal factors of matrices, and the exponential, over the last two axes: qr, eigh, svd, expm.
 * Results of several parts are the rows of one array, which slices take apart: so one call serves
 * all of them, and adjoints of the parts come back together. What a kernel works in is its last
 * argument. Signs are those of kernel/spectral.h. Where a derivative divides by the difference of
 * two eigenvalues or squared singular values that are equal to working accuracy, it is 0 for that
 * pair: derivatives of what does not depend on the choice of vectors within it stay right. */
#include "op/linalg.h"

#include "op/describe.h"
#include "op/kernel/kernel.h"
#include "op/reach.h"

/* The matrix on the batch axis; the memory serves all. */
static value spectral_batch(const struct batch *b) {
    value x[UINT8_MAX];
    for (size_t k = 0; k + 1 < b->narg; k++) x[k] = batch_argument(b, k);
    x[b->narg - 1] = b->x[b->narg - 1];
    return graph_emit(b->g, b->op, b->attr, x, b->narg);
}

/* 1/x, but 0 where |x| is at most 16 rounding errors of `scale`. */
static value safe_inverse(wg_graph *g, value x, value scale) {
    if (!x || !scale || g->error.status) return 0;
    double epsilons = type_of(&g->t, x)->dtype == WG_F64 ? 0x1p-48 : 0x1p-19;
    value least = build_mul(g, scale, build_like(g, scale, epsilons));
    value none = build_binary(g, OP_le, build_unary(g, OP_abs, x), least);
    value one = build_like(g, x, 1);
    return build_where(g, none, build_like(g, x, 0),
                       build_div(g, one, build_where(g, none, one, x)));
}

/* x [..., n] -> [..., n, n] with x_j in column j, minus the same with x_i in row i. */
static value differences(wg_graph *g, value x) {
    if (!x || g->error.status) return 0;
    unsigned rank = type_of(&g->t, x)->rank;
    return build_sub(g, build_new_axis(g, x, rank - 1), build_new_axis(g, x, rank));
}

/* The largest magnitude of a vector, with two axes of extent 1 behind those in front. */
static value largest(wg_graph *g, value x) {
    if (!x || g->error.status) return 0;
    unsigned last = type_of(&g->t, x)->rank - 1u;
    value size = build_reduce_max(g, build_unary(g, OP_abs, x), (uint32_t)1 << last);
    size = build_unary(g, OP_stop_gradient, size);
    return build_new_axis(g, build_new_axis(g, size, last), last);
}

/* Pairs (i, j): 1 / (x_j - x_i) or 0. */
static value gaps(wg_graph *g, value x) {
    value d = differences(g, x), scale = largest(g, x);
    if (!d || !scale) return 0;
    wg_type shape = *type_of(&g->t, d);
    return safe_inverse(g, d, build_broadcast_to(g, scale, &shape));
}

/* ---- qr -------------------------------------------------------------------------------------- */

static bool tall_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, wg_type *type) {
    const char *name = op_def(op)->name;
    if (!require_words(g, op, attr, 0) || !require_matrix(g, name, x[0])) return false;
    wg_extent m = matrix_extent(g, x[0], 2), n = matrix_extent(g, x[0], 1);
    graph_require(g, n, m, false, name);
    *type = *type_of(&g->t, x[0]);
    return !g->error.status;
}

static bool qr_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                     wg_type *type) {
    (void)narg;
    if (!tall_infer(g, op, attr, x, type)) return false;
    wg_extent n = matrix_extent(g, x[0], 1), *rows = &type->extent[type->rank - 2];
    *rows = extent_add(g, *rows, n);
    return !g->error.status && require_room(g, op, x[1], qr_room(g, x[0]));
}

/* With C = dA R^-1 and M = Q'C: dQ = C - Q (M - skew), dR = (M - skew) R, where skew has M's lower
 * triangle (Walter and Lehmann, Algorithmic differentiation of linear algebra functions with
 * application in optimum experimental design, 2018; Seeger and others, 2017). */
static value qr_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    wg_extent m = matrix_extent(g, r->x[0], 2), n = matrix_extent(g, r->x[0], 1);
    value q = matrix_rows(g, r->y, 0, m), upper = matrix_rows(g, r->y, m, extent_add(g, m, n));
    value c = matrix_transpose(g, build_triangular(g, upper, matrix_transpose(g, t[0]),
                                                   (struct triangle){.transposed = true}));
    value inner = matrix_product(g, q, c, true, false);
    value below = matrix_masked(g, inner, 1, 0, 0);
    value rest = build_sub(g, inner, build_sub(g, below, matrix_transpose(g, below)));
    value dq = build_sub(g, c, matrix_product(g, q, rest, false, false));
    return rows_joined(g, (const value[]){dq, matrix_product(g, rest, upper, false, false)}, 2);
}

/* Columns that are well apart from each other: something large on the diagonal. */
static value apart(wg_graph *g, value x) {
    if (!x || g->error.status) return 0;
    wg_type type = *type_of(&g->t, x);
    wg_extent n = matrix_extent(g, x, 1);
    wg_type square = {.dtype = type.dtype, .rank = 2, .extent = {n, n}};
    value index = build_cast(g, (wg_dtype)type.dtype, build_iota(g, n));
    value weight = build_add(g, build_mul(g, index, build_like(g, index, -1.5)),
                             build_like(g, index, 6));
    value eye = build_eye(g, (wg_dtype)type.dtype, n);
    value diagonal = build_mul(g, eye, build_broadcast(g, weight, &square, 1));
    wg_type shape = square;
    shape.extent[0] = type.extent[type.rank - 2];
    diagonal = build_pad(g, diagonal, (const wg_extent[]){0, 0}, shape.extent,
                         (const int64_t[]){1, 1});
    return build_add(g, x, diagonal);
}

static value qr_sample_make(wg_graph *g, const value *x) { return build_qr(g, apart(g, x[0])); }
static const struct op_sample qr_sample[] = {
    {1, {{WG_F64, 2, {3, 3}}}, {-1}, {1}, qr_sample_make, "a square matrix"},
    {1, {{WG_F64, 3, {2, 4, 2}}}, {-1}, {1}, qr_sample_make, "two tall ones"},
    {1, {{WG_F64, 2, {2, 0}}}, {-1}, {1}, qr_sample_make, "no columns"},
    {0}};

const struct op_def op_qr = {
    .name = "qr",
    .class = GENERAL,
    .narg = 2,
    .doc = "[m+n,n]: Q with orthonormal columns above R, upper triangular with a diagonal that is "
           "not negative, Q R = A[m,n] for m >= n. Derivatives are infinite or NaN where the "
           "columns of A are not independent. The second argument is memory",
    .infer = qr_infer,
    .jvp = qr_jvp,
    .batch = spectral_batch,
    .reach = reach_matrices,
    .run = run_qr,
    .sample = qr_sample};

/* ---- eigh ------------------------------------------------------------------------------------ */

static bool eigh_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    (void)narg;
    if (!require_words(g, op, attr, 0) || !require_square(g, op_def(op)->name, x[0])) return false;
    *type = *type_of(&g->t, x[0]);
    wg_extent *rows = &type->extent[type->rank - 2];
    *rows = extent_add(g, *rows, 1);
    return !g->error.status && require_room(g, op, x[1], eigh_room(g, x[0]));
}

/* With M = V' dA V, symmetric: dw = diag M, dV = V (M_ij / (w_j - w_i)) (Giles 2008, 3.1; Seeger
 * and others, Auto-differentiating linear algebra, 2017). */
static value eigh_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    wg_extent n = matrix_extent(g, r->x[0], 1);
    value first = matrix_rows(g, r->y, 0, 1);
    value v = matrix_rows(g, r->y, 1, extent_add(g, n, 1));
    if (!first || !v) return 0;
    unsigned rank = type_of(&g->t, v)->rank;
    value w = build_squeeze(g, first, (uint32_t)1 << (rank - 2));
    value s = build_add(g, t[0], matrix_transpose(g, t[0]));
    value m = matrix_product(g, v, matrix_product(g, s, v, false, false), true, false);
    m = m ? build_mul(g, m, build_like(g, m, 0.5)) : 0;
    value dw = matrix_diagonal(g, m);
    if (!dw) return 0;
    value dv = matrix_product(g, v, build_mul(g, m, gaps(g, w)), false, false);
    return rows_joined(g, (const value[]){build_new_axis(g, dw, rank - 2), dv}, 2);
}

static value eigh_sample_make(wg_graph *g, const value *x) { return build_eigh(g, apart(g, x[0])); }
static const struct op_sample eigh_sample[] = {
    {1, {{WG_F64, 2, {3, 3}}}, {-0.5}, {0.5}, eigh_sample_make, "a matrix"},
    {1, {{WG_F64, 3, {2, 2, 2}}}, {-0.5}, {0.5}, eigh_sample_make, "two matrices"},
    {1, {{WG_F64, 2, {1, 1}}}, {-0.5}, {0.5}, eigh_sample_make, "a number"},
    {1, {{WG_F64, 2, {0, 0}}}, {-0.5}, {0.5}, eigh_sample_make, "nothing"},
    {0}};

const struct op_def op_eigh = {
    .name = "eigh",
    .class = GENERAL,
    .narg = 2,
    .doc = "[n+1,n]: the eigenvalues of (A + A')/2 in ascending order, above the eigenvectors in "
           "columns, of which the element of the largest magnitude is positive. Pairs of "
           "eigenvalues that are equal to working accuracy add 0 to the derivative of their "
           "vectors. NaN where A has a NaN or an infinity. The second argument is memory",
    .infer = eigh_infer,
    .jvp = eigh_jvp,
    .batch = spectral_batch,
    .reach = reach_matrices,
    .run = run_eigh,
    .sample = eigh_sample};

/* ---- svd ------------------------------------------------------------------------------------- */

static bool svd_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                      wg_type *type) {
    (void)narg;
    if (!tall_infer(g, op, attr, x, type)) return false;
    wg_extent n = matrix_extent(g, x[0], 1), *rows = &type->extent[type->rank - 2];
    *rows = extent_add(g, *rows, extent_add(g, n, 1));
    return !g->error.status && require_room(g, op, x[1], svd_room(g, x[0]));
}

/* With P = U' dA V and pairs f_ij = 1 / (s_j^2 - s_i^2): ds = diag P,
 * dU = U (f_ij (P_ij s_j + s_i P_ji)) + (I - U U') dA V / s, dV = V (f_ij (s_i P_ij + P_ji s_j))
 * (Giles 2008, 3.2; Walter and Lehmann 2018). 1/s is 0 where s is, to working accuracy. */
static value svd_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    wg_extent m = matrix_extent(g, r->x[0], 2), n = matrix_extent(g, r->x[0], 1);
    wg_extent behind = extent_add(g, m, 1);
    value u = matrix_rows(g, r->y, 0, m), row = matrix_rows(g, r->y, m, behind);
    value vt = matrix_rows(g, r->y, behind, extent_add(g, behind, n));
    if (!u || !row || !vt) return 0;
    unsigned rank = type_of(&g->t, u)->rank;
    value s = build_squeeze(g, row, (uint32_t)1 << (rank - 2));
    value moved = matrix_product(g, t[0], vt, false, true); /* dA V */
    value p = matrix_product(g, u, moved, true, false), f = gaps(g, build_unary(g, OP_square, s));
    value ps = scale_columns(g, p, s), sp = scale_rows(g, p, s);
    if (!ps || !sp || !f) return 0;
    value turn_u = build_mul(g, f, build_add(g, ps, matrix_transpose(g, ps)));
    value turn_v = build_mul(g, f, build_add(g, sp, matrix_transpose(g, sp)));
    value du = matrix_product(g, u, turn_u, false, false);
    value dvt = matrix_product(g, turn_v, vt, true, false);
    if (m != n) {
        value scale = largest(g, s),
              wide = s ? build_squeeze(g, scale, (uint32_t)1 << (rank - 1)) : 0;
        if (!wide) return 0;
        wg_type shape = *type_of(&g->t, s);
        value over = safe_inverse(g, s, build_broadcast_to(g, wide, &shape));
        value outside = build_sub(g, moved, matrix_product(g, u, p, false, false));
        du = build_add(g, du, scale_columns(g, outside, over));
    }
    value ds = build_new_axis(g, matrix_diagonal(g, p), rank - 2);
    return rows_joined(g, (const value[]){du, ds, dvt}, 3);
}

static value svd_sample_make(wg_graph *g, const value *x) { return build_svd(g, apart(g, x[0])); }
static const struct op_sample svd_sample[] = {
    {1, {{WG_F64, 2, {3, 3}}}, {-0.5}, {0.5}, svd_sample_make, "a square matrix"},
    {1, {{WG_F64, 3, {2, 4, 2}}}, {-0.5}, {0.5}, svd_sample_make, "two tall ones"},
    {1, {{WG_F64, 2, {2, 0}}}, {-0.5}, {0.5}, svd_sample_make, "no columns"},
    {0}};

const struct op_def op_svd = {
    .name = "svd",
    .class = GENERAL,
    .narg = 2,
    .doc = "[m+1+n,n]: U with orthonormal columns, the singular values in descending order, and "
           "V', U diag(s) V' = A[m,n] for m >= n; the element of the largest magnitude of every "
           "row of V' is positive. Pairs of singular values that are equal to working accuracy add "
           "0 to the derivatives of their vectors, and so does a singular value 0 to those of U "
           "outside its columns. NaN where A has a NaN or an infinity. The second argument is "
           "memory",
    .infer = svd_infer,
    .jvp = svd_jvp,
    .batch = spectral_batch,
    .reach = reach_matrices,
    .run = run_svd,
    .sample = svd_sample};

/* ---- expm: attr = order, and a second word, 1, for absolute ---------------------------------- */

enum { MOST_DIRECTIONS = 6 };

static bool expm_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    const char *name = op_def(op)->name;
    if (!op_is_absolute(&g->t, op, attr) && !require_words(g, op, attr, 1)) return false;
    int64_t order = attr_words(&g->t, attr)[0];
    if (order < 0 || order > MOST_DIRECTIONS || narg != (size_t)order + 2) {
        graph_fail(g, WG_EARGUMENT, "%s: %zu arguments, and an order of %lld", name, narg,
                   (long long)order);
        return false;
    }
    if (!require_square(g, name, x[0])) return false;
    *type = *type_of(&g->t, x[0]);
    for (size_t k = 1; k + 1 < narg; k++) {
        if (type_equal(type, type_of(&g->t, x[k]))) continue;
        graph_fail(g, WG_ESHAPE, "%s: a direction is %s, the matrix %s", name,
                   type_name(g, x[k]).text, type_name(g, x[0]).text);
        return false;
    }
    return require_room(g, op, x[narg - 1], expm_room(g, x[0], narg - 2));
}

/* The derivative along one more direction; those along the directions are linear in them. */
static value expm_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    value x[MOST_DIRECTIONS + 2], sum = 0;
    size_t order = r->narg - 2;
    bool absolute = op_is_absolute(&g->t, r->op, r->attr);
    if (order == MOST_DIRECTIONS) {
        graph_fail(g, WG_ENORULE, "expm: derivatives of an order above %d", MOST_DIRECTIONS);
        return 0;
    }
    memcpy(x, r->x, (order + 1) * sizeof *x);
    if (t[0]) {
        x[order + 1] = t[0];
        sum = build_expm_along(g, x, order + 1, absolute);
    }
    for (size_t k = 1; k <= order; k++) {
        if (!t[k]) continue;
        memcpy(x, r->x, (order + 1) * sizeof *x);
        x[k] = t[k];
        value term = build_expm_along(g, x, order, absolute);
        sum = sum ? build_add(g, sum, term) : term;
    }
    return sum;
}

/* <Y, D exp(A)[E1, .., Ek]> is linear in every E, and its adjoint by one of them is the same
 * derivative at A' along the others' transposes, with Y in its place. */
static value expm_vjp(const struct rule *r, size_t k, value ct) {
    wg_graph *g = r->g;
    value x[MOST_DIRECTIONS + 2];
    size_t order = r->narg - 2;
    if (k > order) return 0;
    if (k == 0 && order == MOST_DIRECTIONS)
        return graph_fail(g, WG_ENORULE, "expm: derivatives of an order above %d", MOST_DIRECTIONS);
    for (size_t i = 0; i <= order; i++) x[i] = matrix_transpose(g, r->x[i]);
    x[k ? k : order + 1] = ct;
    return build_expm_along(g, x, k ? order : order + 1,
                            r->guarded || op_is_absolute(&g->t, r->op, r->attr));
}

static value expm_sample_make(wg_graph *g, const value *x) {
    return build_expm_along(g, x, 0, false);
}
static value expm_along_sample(wg_graph *g, const value *x) {
    return build_expm_along(g, x, 1, false);
}
static value expm_twice_sample(wg_graph *g, const value *x) {
    return build_expm_along(g, x, 2, true);
}
static const struct op_sample expm_sample[] = {
    {1, {{WG_F64, 2, {3, 3}}}, {-1}, {1}, expm_sample_make, "a matrix"},
    {1, {{WG_F64, 3, {2, 2, 2}}}, {-1}, {1}, expm_sample_make, "two matrices"},
    {2,
     {{WG_F64, 2, {2, 2}}, {WG_F64, 2, {2, 2}}},
     {-1, -1},
     {1, 1},
     expm_along_sample,
     "along a direction"},
    {3,
     {{WG_F64, 2, {2, 2}}, {WG_F64, 2, {2, 2}}, {WG_F64, 2, {2, 2}}},
     {-1, -1, -1},
     {1, 1, 1},
     expm_twice_sample,
     "along two"},
    {1, {{WG_F64, 2, {0, 0}}}, {-1}, {1}, expm_sample_make, "nothing"},
    {0}};

const struct op_def op_expm = {
    .name = "expm",
    .class = GENERAL,
    .narg = -1,
    .absolute_word = 1,
    .doc = "the exponential of A over the last two axes, or its derivative along the matrices "
           "behind A, of which there are as many as its order, up to 6; by scaling and squaring. "
           "NaN where A has a NaN or an infinity. In adjoints below a where, a direction of zeros "
           "gives zeros whatever A is. The last argument is memory",
    .infer = expm_infer,
    .jvp = expm_jvp,
    .vjp = expm_vjp,
    .batch = spectral_batch,
    .reach = reach_matrices,
    .run = run_expm,
    .sample = expm_sample};
