/* Operations along one axis whose result keeps the shape: running sums, linear recurrences, and the
 * order of the elements. Running and whole products, and sorted values, are made of these in
 * compose_reduce.c: a product's derivative by way of a recurrence divides by nothing, so it is
 * right where elements are 0, in every order. */
#include "op/build.h"
#include "op/describe.h"
#include "op/kernel/kernel.h"
#include "op/reach.h"

static unsigned axis_of(const struct trace *t, attr_id attr) {
    return (unsigned)attr_words(t, attr)[0];
}

static bool is_reversed(const struct trace *t, attr_id attr) {
    return attr_words(t, attr)[1] != 0;
}

static bool line_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    bool absolute = op_is_absolute(&g->t, op, attr);
    if (!absolute && !require_words(g, op, attr, op == OP_argsort ? 1 : 2)) return false;
    *type = *type_of(&g->t, x[0]);
    int64_t axis = attr_words(&g->t, attr)[0];
    if (axis < 0 || axis >= type->rank) {
        graph_fail(g, WG_ESHAPE, "%s: axis %lld of a value of rank %d", op_def(op)->name,
                   (long long)axis, type->rank);
        graph_fail_operands(g, x, narg);
        return false;
    }
    if (narg == 2 && !type_equal(type, type_of(&g->t, x[1]))) {
        graph_fail(g, WG_ESHAPE, "%s: types differ: %s and %s", op_def(op)->name,
                   type_name(g, x[0]).text, type_name(g, x[1]).text);
        graph_fail_operands(g, x, narg);
        return false;
    }
    if (op == OP_argsort) type->dtype = WG_I64;
    return require_numbers(g, op_def(op)->name, x[0]);
}

/* ---- cumsum: attr = axis, reverse ------------------------------------------------------------ */

static value cumsum_transpose(const struct rule *r, size_t k, value ct) {
    (void)k;
    return build_cumsum(r->g, ct, axis_of(&r->g->t, r->attr), !is_reversed(&r->g->t, r->attr));
}

static value cumsum_batch(const struct batch *b) {
    return build_cumsum(b->g, b->x[0], axis_of(&b->g->t, b->attr) + 1,
                        is_reversed(&b->g->t, b->attr));
}

static value cumsum_forward(wg_graph *g, const value *x) {
    return build_cumsum(g, x[0], 0, false);
}
static value cumsum_backward(wg_graph *g, const value *x) {
    return build_cumsum(g, x[0], 1, true);
}
static const struct op_sample cumsum_sample[] = {
    {1, {{WG_F64, 1, {5}}}, {-2}, {2}, cumsum_forward, "of a vector"},
    {1,
     {{WG_F64, 3, {2, 3, 2}}},
     {-2},
     {2},
     cumsum_backward,
     "from the end, an axis in the middle"},
    {1, {{WG_F64, 2, {0, 3}}}, {-2}, {2}, cumsum_forward, "of nothing"},
    {0}};

const struct op_def op_cumsum = {
    .name = "cumsum",
    .class = LINEAR,
    .narg = 1,
    .linear_mask = 0xff,
    .doc = "y_i = x_0 + ... + x_i along an axis, or x_i + ... + x_n-1 from the end; one is the "
           "other's transpose. Sums of f32 are kept in f64; integers wrap around",
    .infer = line_infer,
    .transpose = cumsum_transpose,
    .batch = cumsum_batch,
    .reach = reach_lines,
    .run = run_cumsum,
    .sample = cumsum_sample};

/* ---- recur: attr = axis, reverse, and a third word, 1, for absolute-zero products ------------ */

/* The elements along the axis one place on, the first one 0; from behind if `back`. By a pad and a
 * slice whose extents are never negative, so that an axis of extent 0 is none of their business. */
value build_shifted(wg_graph *g, value x, unsigned axis, bool back) {
    if (!x || g->error.status) return 0;
    wg_type type = *type_of(&g->t, x), longer = type;
    wg_extent start[WG_MAX_RANK] = {0}, from[WG_MAX_RANK] = {0};
    int64_t step[WG_MAX_RANK];
    for (size_t i = 0; i < type.rank; i++) step[i] = 1;
    longer.extent[axis] = extent_add(g, type.extent[axis], 1);
    start[axis] = !back;
    from[axis] = back;
    return build_slice(g, build_pad(g, x, start, longer.extent, step), from, type.extent, step);
}

/* The rule with absolute-zero products if the recurrence has them, or its adjoint must. */
static struct rule with_products(const struct rule *r) {
    struct rule like = *r;
    like.guarded |= op_is_absolute(&r->g->t, r->op, r->attr);
    return like;
}

static value recur_like(const struct rule *r, value a, value b, unsigned axis, bool reverse) {
    return (r->guarded ? build_recurz : build_recur)(r->g, a, b, axis, reverse);
}

/* t_i = a_i t_i-1 + (t_a)_i y_i-1 + (t_b)_i: a recurrence again. */
static value recur_jvp(const struct rule *r, const value *t) {
    unsigned axis = axis_of(&r->g->t, r->attr);
    bool reverse = is_reversed(&r->g->t, r->attr);
    struct rule like = with_products(r);
    value inhomogeneous = t[1];
    if (t[0])
        inhomogeneous = rule_add(r, rule_mul(&like, t[0], build_shifted(r->g, r->y, axis, reverse)),
                                 inhomogeneous);
    return recur_like(&like, r->x[0], inhomogeneous, axis, reverse);
}

/* The adjoint of b obeys s_i = ct_i + a_i+1 s_i+1, the recurrence backwards; that of a is s_i
 * y_i-1. */
static value recur_vjp(const struct rule *r, size_t k, value ct) {
    unsigned axis = axis_of(&r->g->t, r->attr);
    bool reverse = is_reversed(&r->g->t, r->attr);
    struct rule like = with_products(r);
    value s = recur_like(&like, build_shifted(r->g, r->x[0], axis, !reverse), ct, axis, !reverse);
    return k == 1 ? s : rule_mul(&like, s, build_shifted(r->g, r->y, axis, reverse));
}

static value recur_batch(const struct batch *b) {
    return (op_is_absolute(&b->g->t, b->op, b->attr) ? build_recurz : build_recur)(
        b->g, batch_argument(b, 0), batch_argument(b, 1), axis_of(&b->g->t, b->attr) + 1,
        is_reversed(&b->g->t, b->attr));
}

static value recur_forward(wg_graph *g, const value *x) {
    return build_recur(g, x[0], x[1], 0, false);
}
static value recur_backward(wg_graph *g, const value *x) {
    return build_recur(g, x[0], x[1], 1, true);
}
static value recur_absolute(wg_graph *g, const value *x) {
    return build_recurz(g, x[0], x[1], 0, false);
}
static const struct op_sample recur_sample[] = {
    {2, {{WG_F64, 1, {5}}, {WG_F64, 1, {5}}}, {-1, -2}, {1, 2}, recur_forward, "of vectors"},
    {2, {{WG_F64, 3, {2, 3, 2}}, {WG_F64, 3, {2, 3, 2}}}, {-1, -2}, {1, 2}, recur_backward,
     "from the end, an axis in the middle"},
    {2, {{WG_F64, 1, {5}}, {WG_F64, 1, {5}}}, {-1, -2}, {1, 2}, recur_absolute,
     "absolute-zero products"},
    {2, {{WG_F64, 1, {0}}, {WG_F64, 1, {0}}}, {-1, -2}, {1, 2}, recur_forward, "of nothing"},
    {0}};

const struct op_def op_recur = {
    .name = "recur",
    .class = GENERAL,
    .narg = 2,
    .absolute_word = 2,
    .doc =
        "y_i = a_i y_i-1 + b_i along an axis, beginning with y_0 = b_0, or the same from the end; "
        "the first a has no effect. Derivatives are recurrences too; in adjoints below a where a "
        "product with a factor 0 is 0, also if the other is infinite or NaN",
    .infer = line_infer,
    .jvp = recur_jvp,
    .vjp = recur_vjp,
    .batch = recur_batch,
    .reach = reach_lines,
    .run = run_recur,
    .sample = recur_sample};

/* ---- argsort: attr = axis -------------------------------------------------------------------- */

static value argsort_batch(const struct batch *b) {
    return build_argsort(b->g, b->x[0], axis_of(&b->g->t, b->attr) + 1);
}

static value argsort_first(wg_graph *g, const value *x) {
    return build_argsort(g, x[0], 0);
}
static value argsort_middle(wg_graph *g, const value *x) {
    return build_argsort(g, x[0], 1);
}
static const struct op_sample argsort_sample[] = {
    {1, {{WG_F64, 1, {9}}}, {-2}, {2}, argsort_first, "of a vector"},
    {1, {{WG_I32, 3, {2, 7, 2}}}, {-2}, {2}, argsort_middle, "with ties, an axis in the middle"},
    {1, {{WG_F64, 1, {0}}}, {-2}, {2}, argsort_first, "of nothing"},
    {0}};

const struct op_def op_argsort = {
    .name = "argsort",
    .class = NODIFF,
    .narg = 1,
    .doc =
        "y = the indices (i64) that put x in ascending order along an axis: NaN last, equal ones "
        "in their order. Not differentiable: integers",
    .infer = line_infer,
    .batch = argsort_batch,
    .run = run_argsort,
    .sample = argsort_sample};
