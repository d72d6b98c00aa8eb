/* Triangular factors of matrices and what they are for: cholesky, triangular_solve, lu, solve, det
 * and its cofactors, over the last two axes of their arguments. A function that needs the factors
 * of A takes them as an argument beside A: so one factorization serves a solution, its derivatives
 * and a determinant. Derivatives are those of A, and the factors, made of a stopped A, have none of
 * their own. `words` is memory for kernels. Builders are in build_linalg.c. */
#include "op/linalg.h"

#include "op/describe.h"
#include "op/kernel/kernel.h"
#include "op/reach.h"

/* Every argument on the batch axis; kernels take any number of axes in front. */
static value batch_all(const struct batch *b) {
    value x[UINT8_MAX];
    for (size_t k = 0; k < b->narg; k++) x[k] = batch_argument(b, k);
    return graph_emit(b->g, b->op, b->attr, x, b->narg);
}

static bool fail_types(wg_graph *g, const char *name, const char *what, const value *x,
                       size_t narg) {
    graph_fail(g, WG_ESHAPE, "%s: %s", name, what);
    graph_fail_operands(g, x, narg);
    return false;
}

/* b [b..., rows, k] for a square a [b..., n, n]: the same axes in front. */
static bool same_front(const wg_graph *g, value a, value b) {
    const wg_type *x = type_of(&g->t, a), *y = type_of(&g->t, b);
    if (x->rank != y->rank || x->dtype != y->dtype) return false;
    for (size_t i = 0; i + 2 < x->rank; i++)
        if (x->extent[i] != y->extent[i]) return false;
    return true;
}

/* Whether f may be factors of a: one row more. */
static bool factors_fit(wg_graph *g, value a, value f) {
    const wg_type *type = type_of(&g->t, f);
    wg_extent n = matrix_extent(g, a, 1);
    if (!same_front(g, a, f)) return false;
    return type->extent[type->rank - 1] == n && type->extent[type->rank - 2] == extent_add(g, n, 1);
}

/* ---- words: attr = count --------------------------------------------------------------------- */

static value words_sample(wg_graph *g, const value *arg) {
    (void)arg;
    return build_words(g, 4);
}

const struct op_def op_words = {
    .name = "words",
    .class = LEAF,
    .doc = "i64[count]: memory in which kernels beside it work, zeros before they do. No other "
           "reader has a use for it",
    .infer = infer_one_extent,
    .attr_is_extent = first_is_extent,
    .run = run_words,
    .sample = (const struct op_sample[]){{.make = words_sample}, {0}},
};

/* ---- cholesky -------------------------------------------------------------------------------- */

static bool square_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                         wg_type *type) {
    (void)narg;
    if (!require_words(g, op, attr, 0) || !require_square(g, op_def(op)->name, x[0])) return false;
    *type = *type_of(&g->t, x[0]);
    return true;
}

/* dL = L Phi(L^-1 dA L^-T), Phi the lower triangle with half the diagonal (Murray, Differentiation
 * of the Cholesky decomposition, 2016); of dA its symmetric part. */
static value cholesky_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    struct triangle lower = {.lower = true};
    value s = build_add(g, t[0], matrix_transpose(g, t[0]));
    value half = matrix_transpose(g, build_triangular(g, r->y, s, lower));
    value whole = build_triangular(g, r->y, half, lower);
    return matrix_product(g, r->y, matrix_masked(g, whole, 0.5, 0.25, 0), false, false);
}

/* Symmetric and definite, by what is added to the diagonal. */
static value definite(wg_graph *g, value x) {
    value eye = build_eye(g, (wg_dtype)type_of(&g->t, x)->dtype, matrix_extent(g, x, 1));
    return build_add(g, x, build_mul(g, eye, build_like(g, eye, 4)));
}
static value cholesky_sample_make(wg_graph *g, const value *x) {
    return graph_emit(g, OP_cholesky, 0, (const value[]){definite(g, x[0])}, 1);
}
static const struct op_sample cholesky_sample[] = {
    {1, {{WG_F64, 2, {3, 3}}}, {-1}, {1}, cholesky_sample_make, "a matrix"},
    {1, {{WG_F64, 3, {2, 2, 2}}}, {-1}, {1}, cholesky_sample_make, "two matrices"},
    {1, {{WG_F64, 2, {1, 1}}}, {-1}, {1}, cholesky_sample_make, "a number"},
    {1, {{WG_F64, 2, {0, 0}}}, {-1}, {1}, cholesky_sample_make, "nothing"},
    {0}};

const struct op_def op_cholesky = {
    .name = "cholesky",
    .class = GENERAL,
    .narg = 1,
    .doc =
        "L, lower triangular with L L' = (A + A')/2 over the last two axes; NaN everywhere where "
        "that is not positive definite. Derivatives by A are symmetric",
    .infer = square_infer,
    .jvp = cholesky_jvp,
    .batch = batch_all,
    .expand = cholesky_expand,
    .reach = reach_matrices,
    .run = run_cholesky,
    .sample = cholesky_sample};

/* ---- triangular_solve: attr = lower, transposed, unit, and a fourth word, 1, for absolute ---- */

struct triangle triangle_of(const struct trace *t, attr_id attr) {
    const int64_t *word = attr_words(t, attr);
    return (struct triangle){word[0] != 0, word[1] != 0, word[2] != 0,
                             op_is_absolute(t, OP_triangular_solve, attr)};
}

static bool triangular_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                             wg_type *type) {
    const char *name = op_def(op)->name;
    if (!op_is_absolute(&g->t, op, attr) && !require_words(g, op, attr, 3)) return false;
    if (!require_square(g, name, x[0]) || !require_matrix(g, name, x[1])) return false;
    if (!same_front(g, x[0], x[1]) || matrix_extent(g, x[1], 2) != matrix_extent(g, x[0], 1))
        return fail_types(g, name, "the right-hand sides do not fit the matrix", x, narg);
    *type = *type_of(&g->t, x[1]);
    return true;
}

/* The part of an adjoint that the triangle takes. */
static value within(wg_graph *g, value a, struct triangle t) {
    return matrix_masked(g, a, t.lower, !t.unit, !t.lower);
}

/* op(a) x, and x w', of matrices with the same axes in front; absolute-zero products if
 * `absolute`. */
static value times(wg_graph *g, value a, value x, bool transposed, bool absolute) {
    if (!a || !x || g->error.status) return 0;
    unsigned batch = type_of(&g->t, x)->rank - 2u;
    return (absolute ? build_dotz : build_dot)(g, a, x, batch, 1, transposed, false);
}

static value outer(wg_graph *g, value x, value w, bool absolute) {
    if (!x || !w || g->error.status) return 0;
    unsigned batch = type_of(&g->t, x)->rank - 2u;
    return (absolute ? build_dotz : build_dot)(g, x, w, batch, 1, false, true);
}

static value triangular_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    struct triangle how = triangle_of(&g->t, r->attr);
    value right = t[1];
    if (t[0]) {
        value moved = build_neg(g,
                                times(g, within(g, t[0], how), r->y, how.transposed, how.absolute));
        right = right ? build_add(g, right, moved) : moved;
    }
    return build_triangular(g, r->x[0], right, how);
}

/* With w = op(a)^-T ct: w for b, and -w x' for a, or its transpose (Giles, Collected matrix
 * derivative results for forward and reverse mode AD, 2008, 2.2.4). */
static value triangular_vjp(const struct rule *r, size_t k, value ct) {
    wg_graph *g = r->g;
    struct triangle how = triangle_of(&g->t, r->attr), back = how;
    back.transposed = !how.transposed;
    back.absolute |= r->guarded;
    value w = build_triangular(g, r->x[0], ct, back);
    if (k == 1 || !w) return w;
    value all = how.transposed ? outer(g, r->y, w, back.absolute)
                               : outer(g, w, r->y, back.absolute);
    return build_neg(g, within(g, all, how));
}

/* x with its batch axis behind the last one and joined with it: columns for one matrix; and
 * back. */
static value batch_to_columns(wg_graph *g, value x) {
    if (!x || g->error.status) return 0;
    wg_type type = *type_of(&g->t, x), joined = type;
    uint8_t perm[WG_MAX_RANK];
    for (uint8_t i = 0; i < type.rank; i++) perm[i] = (uint8_t)(i + 1 < type.rank ? i + 1 : 0);
    joined.rank--;
    memmove(joined.extent, joined.extent + 1, joined.rank * sizeof *joined.extent);
    joined.extent[joined.rank - 1] = extent_mul(g, joined.extent[joined.rank - 1], type.extent[0]);
    return build_reshape(g, build_transpose(g, x, perm), &joined);
}

static value columns_to_batch(wg_graph *g, value x, const wg_type *from, wg_extent batch) {
    wg_type split = *from;
    uint8_t perm[WG_MAX_RANK];
    split.extent[split.rank++] = batch;
    for (uint8_t i = 0; i < split.rank; i++) perm[i] = (uint8_t)(i == 0 ? split.rank - 1 : i - 1);
    value apart = build_reshape(g, x, &split);
    return apart ? build_transpose(g, apart, perm) : 0;
}

/* Right-hand sides `last` of one matrix are more columns of it. */
static value solve_batch(const struct batch *b) {
    wg_graph *g = b->g;
    value x[3];
    size_t last = b->narg - 1;
    bool one = b->batched[last];
    for (size_t k = 0; k < last; k++) one = one && !b->batched[k];
    if (!one || b->from->rank == WG_MAX_RANK) return batch_all(b);
    memcpy(x, b->x, b->narg * sizeof *x);
    x[last] = batch_to_columns(g, x[last]);
    if (!x[last]) return 0;
    value y = graph_emit(g, b->op, b->attr, x, b->narg);
    return columns_to_batch(g, y, b->from, b->extent);
}

/* Triangles whose diagonal is away from 0. */
static value lower_sample(wg_graph *g, const value *x) {
    return build_triangular(g, definite(g, x[0]), x[1], (struct triangle){.lower = true});
}
static value upper_sample(wg_graph *g, const value *x) {
    return build_triangular(g, definite(g, x[0]), x[1], (struct triangle){.transposed = false});
}
static value lower_transposed_sample(wg_graph *g, const value *x) {
    return build_triangular(g, definite(g, x[0]), x[1],
                            (struct triangle){.lower = true, .transposed = true});
}
static value upper_unit_sample(wg_graph *g, const value *x) {
    return build_triangular(g, x[0], x[1],
                            (struct triangle){.transposed = true, .unit = true, .absolute = true});
}
static const struct op_sample triangular_sample[] = {
    {2, {{WG_F64, 2, {3, 3}}, {WG_F64, 2, {3, 2}}}, {-1, -2}, {1, 2}, lower_sample, "lower"},
    {2, {{WG_F64, 2, {3, 3}}, {WG_F64, 2, {3, 2}}}, {-1, -2}, {1, 2}, upper_sample, "upper"},
    {2,
     {{WG_F64, 3, {2, 3, 3}}, {WG_F64, 3, {2, 3, 1}}},
     {-1, -2},
     {1, 2},
     lower_transposed_sample,
     "lower, transposed, two matrices"},
    {2,
     {{WG_F64, 2, {3, 3}}, {WG_F64, 2, {3, 4}}},
     {-1, -2},
     {1, 2},
     upper_unit_sample,
     "upper, transposed, ones on the diagonal, absolute-zero products"},
    {2, {{WG_F64, 2, {0, 0}}, {WG_F64, 2, {0, 2}}}, {-1, -2}, {1, 2}, lower_sample, "nothing"},
    {0}};

const struct op_def op_triangular_solve = {
    .name = "triangular_solve",
    .class = GENERAL,
    .narg = 2,
    .absolute_word = 3,
    .doc = "x with T x = b for one triangle T of a matrix over the last two axes, or its "
           "transpose; its diagonal, or ones. The other triangle is not read and has derivative 0. "
           "Infinite or NaN where the diagonal has a 0. In adjoints below a where, columns of "
           "zeros give zeros whatever the matrix",
    .infer = triangular_infer,
    .jvp = triangular_jvp,
    .vjp = triangular_vjp,
    .batch = solve_batch,
    .expand = triangular_expand,
    .reach = reach_columns,
    .run = run_triangular_solve,
    .sample = triangular_sample};

/* ---- lu -------------------------------------------------------------------------------------- */

static bool lu_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                     wg_type *type) {
    if (!square_infer(g, op, attr, x, narg, type)) return false;
    wg_extent *rows = &type->extent[type->rank - 2];
    *rows = extent_add(g, *rows, 1);
    return !g->error.status;
}

/* With M = L^-1 P dA U^-1: dL = L strictly_lower(M), dU = upper(M) U. (As for Cholesky's factor;
 * de Hoog, Anderssen and Lukas, Differentiation of matrix functionals using triangular
 * factorization, 2011.) The order has no derivative. */
static value lu_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    wg_extent n = matrix_extent(g, r->x[0], 1);
    value f = matrix_rows(g, r->y, 0, n), order = matrix_rows(g, r->y, n, extent_add(g, n, 1));
    if (!f || !order) return 0;
    unsigned batch = type_of(&g->t, f)->rank - 2u;
    value index = build_squeeze(g, build_cast(g, WG_I64, order), (uint32_t)1 << batch);
    value rows = build_take(g, t[0], index, batch, batch);
    value left = build_triangular(g, f, rows, (struct triangle){.lower = true, .unit = true});
    value m = matrix_transpose(g, build_triangular(g, f, matrix_transpose(g, left),
                                                   (struct triangle){.transposed = true}));
    value lower = matrix_product(g, matrix_masked(g, f, 1, 0, 0), matrix_masked(g, m, 1, 0, 0),
                                 false, false);
    lower = build_add(g, lower, matrix_masked(g, m, 1, 0, 0));
    value upper = matrix_product(g, matrix_masked(g, m, 0, 1, 1), matrix_masked(g, f, 0, 1, 1),
                                 false, false);
    value none = order ? build_like(g, order, 0) : 0;
    return rows_joined(g, (const value[]){build_add(g, lower, upper), none}, 2);
}

static value lu_sample_make(wg_graph *g, const value *x) { return build_lu(g, definite(g, x[0])); }
/* The same with its rows in another order. */
static value lu_turned_sample(wg_graph *g, const value *x) {
    value a = definite(g, x[0]);
    return a ? build_lu(g, build_reverse(g, a, (uint32_t)1 << (type_of(&g->t, a)->rank - 2u))) : 0;
}
static const struct op_sample lu_sample[] = {
    {1, {{WG_F64, 2, {3, 3}}}, {-1}, {1}, lu_sample_make, "a matrix"},
    {1, {{WG_F64, 3, {2, 3, 3}}}, {-1}, {1}, lu_turned_sample, "two that exchange rows"},
    {1, {{WG_F64, 2, {0, 0}}}, {-1}, {1}, lu_sample_make, "nothing"},
    {0}};

const struct op_def op_lu = {
    .name = "lu",
    .class = GENERAL,
    .narg = 1,
    .doc = "[n+1,n]: L below and U on and above the diagonal, with L's diagonal of ones left away, "
           "of the rows of A in the order that the last row holds; pivots are the largest of their "
           "columns. A pivot 0 stays. The order has derivative 0",
    .infer = lu_infer,
    .jvp = lu_jvp,
    .batch = batch_all,
    .expand = lu_expand,
    .reach = reach_matrices,
    .run = run_lu,
    .sample = lu_sample};

/* ---- solve: attr = transposed, and a second word, 1, for absolute ---------------------------- */

static bool solve_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                        wg_type *type) {
    (void)narg;
    const char *name = op_def(op)->name;
    if (!op_is_absolute(&g->t, op, attr) && !require_words(g, op, attr, 1)) return false;
    if (!require_square(g, name, x[0]) || !require_matrix(g, name, x[2])) return false;
    if (!factors_fit(g, x[0], x[1]))
        return fail_types(g, name, "these are no factors of the matrix", x, 2);
    if (!same_front(g, x[0], x[2]) || matrix_extent(g, x[2], 2) != matrix_extent(g, x[0], 1))
        return fail_types(g, name, "the right-hand sides do not fit the matrix",
                          (const value[]){x[0], x[2]}, 2);
    *type = *type_of(&g->t, x[2]);
    return true;
}

static bool is_transposed(const struct rule *r) { return attr_words(&r->g->t, r->attr)[0] != 0; }

/* dx = A^-1 (db - dA x) */
static value solve_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    bool transposed = is_transposed(r), absolute = op_is_absolute(&g->t, r->op, r->attr);
    value right = t[2];
    if (t[0]) {
        value moved = build_neg(g, times(g, t[0], r->y, transposed, absolute));
        right = right ? build_add(g, right, moved) : moved;
    }
    if (!right) return build_like(g, r->y, 0); /* of the factors alone: they are stopped */
    return build_factor_solve(g, r->x[0], r->x[1], right, transposed, absolute);
}

/* With w = A^-T ct: w for b, and -w x' for A (Giles 2008, 2.3.1). */
static value solve_vjp(const struct rule *r, size_t k, value ct) {
    wg_graph *g = r->g;
    bool transposed = is_transposed(r);
    bool absolute = r->guarded || op_is_absolute(&g->t, r->op, r->attr);
    if (k == 1) return 0;
    value w = build_factor_solve(g, r->x[0], r->x[1], ct, !transposed, absolute);
    if (k == 2 || !w) return w;
    return build_neg(g, transposed ? outer(g, r->y, w, absolute) : outer(g, w, r->y, absolute));
}

static value solve_sample_make(wg_graph *g, const value *x) {
    value a = definite(g, x[0]), stopped = build_unary(g, OP_stop_gradient, a);
    return build_factor_solve(g, a, build_lu(g, stopped), x[1], false, false);
}
static value solve_transposed_sample(wg_graph *g, const value *x) {
    value a = definite(g, x[0]);
    if (a) a = build_reverse(g, a, (uint32_t)1 << (type_of(&g->t, a)->rank - 2u));
    value stopped = build_unary(g, OP_stop_gradient, a);
    return build_factor_solve(g, a, build_lu(g, stopped), x[1], true, true);
}
static const struct op_sample solve_sample[] = {
    {2,
     {{WG_F64, 2, {3, 3}}, {WG_F64, 2, {3, 2}}},
     {-1, -2},
     {1, 2},
     solve_sample_make,
     "a matrix"},
    {2,
     {{WG_F64, 3, {2, 3, 3}}, {WG_F64, 3, {2, 3, 1}}},
     {-1, -2},
     {1, 2},
     solve_transposed_sample,
     "two, transposed, absolute-zero products"},
    {2, {{WG_F64, 2, {0, 0}}, {WG_F64, 2, {0, 2}}}, {-1, -2}, {1, 2}, solve_sample_make, "nothing"},
    {0}};

const struct op_def op_solve = {
    .name = "solve",
    .class = GENERAL,
    .narg = 3,
    .absolute_word = 1,
    .doc =
        "x with A x = b, or A' x = b, over the last two axes, by the factors lu(A) that are its "
        "second argument; derivatives are those by A and b. Infinite or NaN where A is singular. "
        "In adjoints below a where, columns of zeros give zeros whatever the matrix",
    .infer = solve_infer,
    .jvp = solve_jvp,
    .vjp = solve_vjp,
    .batch = solve_batch,
    .expand = solve_expand,
    .reach = reach_columns,
    .run = run_solve,
    .sample = solve_sample};

/* ---- det: attr = which --------------------------------------------------------------------- */

static bool det_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                      wg_type *type) {
    const char *name = op_def(op)->name;
    if (!require_words(g, op, attr, 1) || !require_square(g, name, x[0])) return false;
    int64_t what = attr_words(&g->t, attr)[0];
    if (what < DET_VALUE || what > DET_SIGN || !factors_fit(g, x[0], x[1]))
        return fail_types(g, name, "these are no factors of the matrix", x, narg);
    *type = *type_of(&g->t, x[0]);
    type->rank = (uint8_t)(type->rank - 2);
    return true;
}

/* The sum of the products of the elements of two matrices. */
static value inner(wg_graph *g, value a, value b) {
    value product = build_mul(g, a, b);
    if (!product) return 0;
    unsigned rank = type_of(&g->t, product)->rank;
    return build_sum(g, product, (uint32_t)3 << (rank - 2));
}

/* d det A = <cofactors of A, dA>, d log|det A| = trace(A^-1 dA) (Giles 2008, 2.2.3). */
static value det_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    int what = (int)attr_words(&g->t, r->attr)[0];
    if (what == DET_SIGN || !t[0]) return build_like(g, r->y, 0);
    if (what == DET_VALUE) return inner(g, build_cofactor(g, r->x[0]), t[0]);
    value turned = build_factor_solve(g, r->x[0], r->x[1], t[0], false, false);
    value trace = matrix_diagonal(g, turned);
    return trace ? build_sum(g, trace, (uint32_t)1 << (type_of(&g->t, trace)->rank - 1u)) : 0;
}

static value det_of(wg_graph *g, value a, int what) {
    return build_factor_det(g, a, build_lu(g, build_unary(g, OP_stop_gradient, a)), what);
}
static value det_sample_make(wg_graph *g, const value *x) { return det_of(g, x[0], DET_VALUE); }
static value det_definite_sample(wg_graph *g, const value *x) {
    return det_of(g, definite(g, x[0]), DET_VALUE);
}
static value det_log_sample(wg_graph *g, const value *x) {
    return det_of(g, definite(g, x[0]), DET_LOG);
}
static value det_sign_sample(wg_graph *g, const value *x) {
    value a = definite(g, x[0]);
    return a ? det_of(g, build_reverse(g, a, (uint32_t)1 << (type_of(&g->t, a)->rank - 2u)),
                      DET_SIGN)
             : 0;
}
static const struct op_sample det_sample[] = {
    {1, {{WG_F64, 2, {3, 3}}}, {-1}, {1}, det_sample_make, "the determinant"},
    {1, {{WG_F64, 3, {2, 2, 2}}}, {-1}, {1}, det_definite_sample, "two of them"},
    {1, {{WG_F64, 2, {3, 3}}}, {-1}, {1}, det_log_sample, "its logarithm"},
    {1, {{WG_F64, 3, {2, 3, 3}}}, {-1}, {1}, det_sign_sample, "its sign"},
    {1, {{WG_F64, 2, {0, 0}}}, {-1}, {1}, det_sample_make, "nothing"},
    {0}};

const struct op_def op_det = {
    .name = "det",
    .class = GENERAL,
    .narg = 2,
    .doc =
        "the determinant of A over the last two axes, the logarithm of its magnitude or its "
        "sign, by the factors lu(A) that are its second argument; 1, 0 and 1 of nothing. Where A "
        "is singular 0, -inf and 0: there the determinant's derivative is that by cofactors, "
        "the logarithm's is infinite or NaN. The sign has derivative 0",
    .infer = det_infer,
    .jvp = det_jvp,
    .batch = batch_all,
    .expand = det_expand,
    .reach = reach_matrices,
    .run = run_det,
    .sample = det_sample};

/* ---- cofactor ------------------------------------------------------------------------------ */

static bool cofactor_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                           wg_type *type) {
    return square_infer(g, op, attr, x, narg, type) &&
           require_room(g, op, x[1], cofactor_room(g, x[0]));
}

/* dC = (<C, dA> C - C dA' C) / det A, of C = det(A) A^-T. */
static value cofactor_jvp(const struct rule *r, const value *t) {
    wg_graph *g = r->g;
    value whole = det_of(g, r->x[0], DET_VALUE), c = r->y;
    value turned = matrix_product(g, matrix_product(g, c, t[0], false, true), c, false, false);
    value first = inner(g, c, t[0]);
    if (!first || !turned) return 0;
    uint32_t axes = (uint32_t)3 << (type_of(&g->t, c)->rank - 2u);
    value sum = build_sub(g, build_mul(g, build_expand(g, first, c, axes), c), turned);
    return build_div(g, sum, build_expand(g, whole, c, axes));
}

static value cofactor_batch(const struct batch *b) {
    return graph_emit(b->g, b->op, b->attr, b->x, b->narg);
}

static value cofactor_sample_make(wg_graph *g, const value *x) {
    return build_cofactor(g, definite(g, x[0]));
}
static const struct op_sample cofactor_sample[] = {
    {1, {{WG_F64, 2, {3, 3}}}, {-1}, {1}, cofactor_sample_make, "a matrix"},
    {1, {{WG_F64, 3, {2, 2, 2}}}, {-1}, {1}, cofactor_sample_make, "two matrices"},
    {1, {{WG_F64, 2, {1, 1}}}, {-1}, {1}, cofactor_sample_make, "a number, whose cofactor is 1"},
    {1, {{WG_F64, 2, {0, 0}}}, {-1}, {1}, cofactor_sample_make, "nothing"},
    {0}};

const struct op_def op_cofactor = {
    .name = "cofactor",
    .class = GENERAL,
    .narg = 2,
    .doc = "the cofactors of A over the last two axes, det(A) A^-T where A is not singular, and "
           "right where it is; its own derivative is NaN there. The second argument is memory",
    .infer = cofactor_infer,
    .jvp = cofactor_jvp,
    .batch = cofactor_batch,
    .reach = reach_matrices,
    .run = run_cofactor,
    .sample = cofactor_sample};
