/* Reductions: sum, the largest element, alone or as a shift, and its index, log of a sum of
 * exponentials, Euclidean norm. All but argmax take a mask of axes, attr = mask (bit i = axis i);
 * argmax takes attr = axis. The result has the axes that remain, in their order. Rules put a result
 * back over its argument with build_expand. Values at edge points (nothing to reduce, ties,
 * infinities, NaN) are in the doc lines; accuracy and loops are kernel/reduce.h's matter. Softmax
 * and mean are in compose.c. */
#include "op/build.h"
#include "op/describe.h"
#include "op/kernel/kernel.h"
#include "op/reach.h"

static uint32_t mask_of(const struct trace *t, attr_id attr) {
    return (uint32_t)attr_words(t, attr)[0];
}

static bool reduce_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                         wg_type *type) {
    (void)narg;
    if (!require_words(g, op, attr, 1)) return false;
    wg_type from = *type_of(&g->t, x[0]);
    int64_t mask = attr_words(&g->t, attr)[0];
    if (mask < 0 || mask > axes_below(from.rank)) {
        graph_fail(g, WG_ESHAPE, "%s: axes beyond the rank %d of %s", op_def(op)->name, from.rank,
                   type_name(g, x[0]).text);
        graph_fail_operands(g, x, 1);
        return false;
    }
    *type = type_without(&from, (uint32_t)mask);
    bool floats = op == OP_logsumexp || op == OP_norm || op == OP_peak;
    return (floats ? require_floats : require_numbers)(g, op_def(op)->name, x[0]);
}

/* Whether every reduced axis has the constant extent 1: the result's shape then, else false. */
static bool reduces_nothing(const wg_graph *g, attr_id attr, value x, wg_type *shape) {
    const wg_type *from = type_of(&g->t, x);
    uint32_t mask = mask_of(&g->t, attr);
    for (size_t i = 0; i < from->rank; i++)
        if (mask >> i & 1 && from->extent[i] != 1) return false;
    *shape = type_without(from, mask);
    return true;
}

/* One element's sum and maximum are that element. So is its log sum exp, whose derivative at an
 * infinity is not that of an identity: it keeps its own rule. */
static value reduce_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)narg;
    wg_type shape;
    return reduces_nothing(g, attr, x[0], &shape) ? build_reshape(g, x[0], &shape) : 0;
}

static value reduce_batch(const struct batch *b) {
    return build_reduce(b->g, b->op, b->x[0], mask_of(&b->g->t, b->attr) << 1);
}

/* The result over the argument's shape again. */
static value expanded(const struct rule *r, value reduced) {
    return build_expand(r->g, reduced, r->x[0], mask_of(&r->g->t, r->attr));
}

/* The tangent of a reduction whose gradient has the argument's shape. */
static value weighted_sum(const struct rule *r, value t, value weight) {
    return build_sum(r->g, rule_mul(r, t, weight), mask_of(&r->g->t, r->attr));
}

/* ---- samples --------------------------------------------------------------------------------- */

#define REDUCE_SAMPLES(name)                                                                       \
    static value name##_last(wg_graph *g, const value *x) {                                        \
        return build_reduce(g, OP_##name, x[0], 2);                                                \
    }                                                                                              \
    static value name##_first(wg_graph *g, const value *x) {                                       \
        return build_reduce(g, OP_##name, x[0], 1);                                                \
    }                                                                                              \
    static value name##_ends(wg_graph *g, const value *x) {                                        \
        return build_reduce(g, OP_##name, x[0], 5);                                                \
    }                                                                                              \
    static value name##_middle(wg_graph *g, const value *x) {                                      \
        return build_reduce(g, OP_##name, x[0], 2);                                                \
    }                                                                                              \
    static const struct op_sample name##_sample[] = {                                              \
        {1, {{WG_F64, 2, {3, 5}}}, {-2}, {2}, name##_last, "rows"},                                \
        {1, {{WG_F64, 2, {5, 3}}}, {-2}, {2}, name##_first, "columns"},                            \
        {1, {{WG_F64, 3, {2, 3, 4}}}, {-2}, {2}, name##_middle, "an axis in the middle"},          \
        {1, {{WG_F64, 3, {2, 3, 4}}}, {-2}, {2}, name##_ends, "the outer axes"},                   \
        {1, {{WG_F64, 1, {40}}}, {-2}, {2}, name##_first, "all of a vector"},                      \
        {1, {{WG_F64, 2, {3, 0}}}, {-2}, {2}, name##_last, "rows of nothing"},                     \
        {1, {{WG_F64, 2, {0, 3}}}, {-2}, {2}, name##_last, "no rows"},                             \
        {0}}

REDUCE_SAMPLES(sum);
REDUCE_SAMPLES(reduce_max);
REDUCE_SAMPLES(logsumexp);
REDUCE_SAMPLES(norm);

/* ---- sum ------------------------------------------------------------------------------------- */

static value sum_transpose(const struct rule *r, size_t k, value ct) {
    (void)k;
    return expanded(r, ct);
}

const struct op_def op_sum = {
    .name = "sum",
    .class = LINEAR,
    .narg = 1,
    .linear_mask = 0xff,
    .doc = "y = sum of x over axes, 0 over nothing; its transpose is broadcast. In partial sums: "
           "the rounding error grows with the logarithm of the count. Integers wrap around",
    .infer = reduce_infer,
    .identity = reduce_identity,
    .transpose = sum_transpose,
    .batch = reduce_batch,
    .reach = reach_axes,
    .run = run_sum,
    .sample = sum_sample};

/* ---- reduce_max ------------------------------------------------------------------------------ */

/* The weights are 1/ties at the largest elements. Dividing before the sum makes them an empty array
 * over nothing, so that the tangent is 0 there, and NaN where y is NaN and equals nothing. */
static value reduce_max_jvp(const struct rule *r, const value *t) {
    wg_dtype dtype = (wg_dtype)type_of(&r->g->t, r->x[0])->dtype;
    value largest = build_binary(r->g, OP_eq, r->x[0], expanded(r, r->y));
    value one = build_cast(r->g, dtype, largest);
    value ties = build_sum(r->g, one, mask_of(&r->g->t, r->attr));
    return weighted_sum(r, t[0], build_div(r->g, one, expanded(r, ties)));
}

const struct op_def op_reduce_max = {
    .name = "reduce_max",
    .class = GENERAL,
    .narg = 1,
    .doc = "y = largest element of x over axes; NaN if there is one. Over nothing -inf, for "
           "integers an error. Ties share the derivative equally",
    .infer = reduce_infer,
    .identity = reduce_identity,
    .jvp = reduce_max_jvp,
    .batch = reduce_batch,
    .reach = reach_axes,
    .run = run_reduce_max,
    .sample = reduce_max_sample};

/* ---- peak ------------------------------------------------------------------------------------ */

/* Of numbers of which the largest is a constant: its derivative is 0 indeed, which differences see
 * too. */
static value peak_of_capped(wg_graph *g, value x, uint32_t axes) {
    return build_peak(g, build_binary(g, OP_max, x, build_like(g, x, 3)), axes);
}
static value peak_last(wg_graph *g, const value *x) {
    return peak_of_capped(g, x[0], 2);
}
static value peak_ends(wg_graph *g, const value *x) {
    return peak_of_capped(g, x[0], 5);
}
static const struct op_sample peak_sample[] = {
    {1, {{WG_F64, 2, {3, 5}}}, {-2}, {2}, peak_last, "rows"},
    {1, {{WG_F64, 3, {2, 3, 4}}}, {-2}, {2}, peak_ends, "the outer axes"},
    {1, {{WG_F64, 2, {3, 0}}}, {-2}, {2}, peak_last, "rows of nothing"},
    {0}};

const struct op_def op_peak = {
    .name = "peak",
    .class = NODIFF,
    .narg = 1,
    .doc = "y = largest element of x over axes that is a number, but 0 where that is not finite: "
           "what exponentials are shifted by. Its derivative is 0, because what is shifted does "
           "not depend on it",
    .infer = reduce_infer,
    .batch = reduce_batch,
    .run = run_peak,
    .sample = peak_sample};

/* ---- argmax ---------------------------------------------------------------------------------- */

static bool argmax_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                         wg_type *type) {
    (void)narg;
    if (!require_words(g, op, attr, 1)) return false;
    wg_type from = *type_of(&g->t, x[0]);
    int64_t axis = attr_words(&g->t, attr)[0];
    if (axis < 0 || axis >= from.rank) {
        graph_fail(g, WG_ESHAPE, "argmax: axis %lld of a value of rank %d", (long long)axis,
                   from.rank);
        graph_fail_operands(g, x, 1);
        return false;
    }
    *type = type_without(&from, (uint32_t)1 << axis);
    type->dtype = WG_I64;
    return require_numbers(g, op_def(op)->name, x[0]);
}

static value argmax_batch(const struct batch *b) {
    return build_argmax(b->g, b->x[0], (unsigned)attr_words(&b->g->t, b->attr)[0] + 1);
}

static value argmax_last(wg_graph *g, const value *x) {
    return build_argmax(g, x[0], 1);
}
static value argmax_first(wg_graph *g, const value *x) {
    return build_argmax(g, x[0], 0);
}
static const struct op_sample argmax_sample[] = {
    {1, {{WG_F64, 2, {3, 5}}}, {-2}, {2}, argmax_last, "rows"},
    {1, {{WG_F64, 3, {2, 3, 4}}}, {-2}, {2}, argmax_last, "an axis in the middle"},
    {1, {{WG_F64, 2, {3, 0}}}, {-2}, {2}, argmax_first, "no columns"},
    {0}};

const struct op_def op_argmax = {
    .name = "argmax",
    .class = NODIFF,
    .narg = 1,
    .doc = "y = index (i64) of the largest element along an axis, the first of equal ones; NaN "
           "counts as largest; over nothing an error. Not differentiable: an integer",
    .infer = argmax_infer,
    .batch = argmax_batch,
    .run = run_argmax,
    .sample = argmax_sample};

/* ---- logsumexp ------------------------------------------------------------------------------- */

struct exponentials build_exponentials(wg_graph *g, value a, uint32_t axes) {
    struct exponentials e = {.shift = build_peak(g, a, axes)};
    if (!e.shift) return e;
    e.terms = build_unary(g, OP_exp, build_sub(g, a, build_expand(g, e.shift, a, axes)));
    e.sum = build_sum(g, e.terms, axes);
    return e;
}

/* dy = sum of t * e / sum of e, for e = exp(x - peak). Where all x are -inf both sums are 0, and
 * so is their quotient, as divz has it. */
static value logsumexp_jvp(const struct rule *r, const value *t) {
    struct exponentials e = build_exponentials(r->g, r->x[0], mask_of(&r->g->t, r->attr));
    if (!e.sum) return 0;
    return build_binary(r->g, OP_divz, weighted_sum(r, t[0], e.terms), e.sum);
}

static value logsumexp_expand(wg_graph *g, attr_id attr, const value *x) {
    struct exponentials e = build_exponentials(g, x[0], mask_of(&g->t, attr));
    return e.sum ? build_add(g, build_unary(g, OP_log, e.sum), e.shift) : 0;
}

const struct op_def op_logsumexp = {
    .name = "logsumexp",
    .class = GENERAL,
    .narg = 1,
    .doc = "y = log(sum of exp(x)) over axes, shifted by the largest x; -inf over nothing or where "
           "all x are -inf, also if there is one x, and the derivative is 0 there; +inf and NaN "
           "propagate",
    .infer = reduce_infer,
    .jvp = logsumexp_jvp,
    .batch = reduce_batch,
    .expand = logsumexp_expand,
    .reach = reach_axes,
    .run = run_logsumexp,
    .sample = logsumexp_sample};

/* ---- norm ------------------------------------------------------------------------------------ */

/* dy = sum of t * x/y, which divz makes 0 where y is, with all its derivatives. */
static value norm_jvp(const struct rule *r, const value *t) {
    return weighted_sum(r, t[0], build_binary(r->g, OP_divz, r->x[0], expanded(r, r->y)));
}

const struct op_def op_norm = {
    .name = "norm",
    .class = GENERAL,
    .narg = 1,
    .doc = "y = sqrt(sum of x^2) over axes, scaled so that no square overflows or vanishes; 0 over "
           "nothing; derivatives of every order are 0 where y is 0",
    .infer = reduce_infer,
    .jvp = norm_jvp,
    .batch = reduce_batch,
    .reach = reach_axes,
    .run = run_norm,
    .sample = norm_sample};
