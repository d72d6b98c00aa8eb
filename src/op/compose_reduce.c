/* Reductions and scans that are a few operations each: the smallest element, products, truths,
 * variance, norms of any order, layer normalisation. A product goes through the recurrence of
 * scan.c, whose derivatives divide by nothing: right with any number of zeros, in every order. */
#include "op/build.h"
#include "op/describe.h"

#include <math.h>

/* ---- the smallest ---------------------------------------------------------------------------- */

/* Turns the order around without rounding or overflow: -x, of integers -x - 1. */
static value turned(wg_graph *g, value a) {
    if (!a || g->error.status) return 0;
    return build_unary(g, value_is_float(&g->t, a) ? OP_neg : OP_bit_not, a);
}

value build_reduce_min(wg_graph *g, value a, uint32_t axes) {
    if (!a || g->error.status || !require_numbers(g, "reduce_min", a)) return 0;
    return turned(g, build_reduce_max(g, turned(g, a), axes));
}

value build_argmin(wg_graph *g, value a, unsigned axis) {
    if (!a || g->error.status || !require_numbers(g, "argmin", a)) return 0;
    return build_argmax(g, turned(g, a), axis);
}

/* ---- products -------------------------------------------------------------------------------- */

/* Along the axis: 1, x_0, x_0 x_1, ..., n + 1 of them, as the recurrence y_i = x_i y_i-1 behind a
 * 1; reversed: the products from the end, and the 1 last. */
static value products(wg_graph *g, value a, unsigned axis, bool reverse) {
    if (!a || g->error.status) return 0;
    wg_type type = *type_of(&g->t, a), longer = type, one = type;
    wg_extent at[WG_MAX_RANK] = {0}, first[WG_MAX_RANK] = {0};
    int64_t step[WG_MAX_RANK];
    for (size_t i = 0; i < type.rank; i++) step[i] = 1;
    longer.extent[axis] = extent_add(g, type.extent[axis], 1);
    one.extent[axis] = 1;
    at[axis] = !reverse;
    if (reverse) first[axis] = type.extent[axis];
    value factor = build_pad(g, a, at, longer.extent, step);
    value begin = build_pad(g, build_full(g, &one, 1), first, longer.extent, step);
    return build_recur(g, factor, begin, axis, reverse);
}

value build_cumprod(wg_graph *g, value a, unsigned axis, bool reverse) {
    if (!a || g->error.status || !require_numbers(g, "cumprod", a)) return 0;
    wg_type type = *type_of(&g->t, a);
    if (axis >= type.rank) {
        graph_fail(g, WG_ESHAPE, "cumprod: axis %u of a value of rank %d", axis, type.rank);
        return graph_fail_operands(g, &a, 1), 0;
    }
    wg_extent start[WG_MAX_RANK] = {0};
    int64_t step[WG_MAX_RANK];
    for (size_t i = 0; i < type.rank; i++) step[i] = 1;
    start[axis] = !reverse;
    return build_slice(g, products(g, a, axis, reverse), start, type.extent, step);
}

value build_prod(wg_graph *g, value a, uint32_t axes) {
    if (!a || g->error.status || !require_numbers(g, "prod", a)) return 0;
    wg_type type = *type_of(&g->t, a), kept = type_without(&type, axes), flat = kept;
    uint8_t perm[WG_MAX_RANK], n = 0;
    wg_extent start[WG_MAX_RANK] = {0};
    int64_t step[WG_MAX_RANK];
    if (kept.rank == type.rank) return a;
    wg_type reduced = type_without(&type, axes_below(type.rank) & ~axes);
    for (uint8_t i = 0; i < type.rank; i++)
        if (!(axes >> i & 1)) perm[n++] = i;
    for (uint8_t i = 0; i < type.rank; i++)
        if (axes >> i & 1) perm[n++] = i;
    flat.extent[flat.rank++] = type_count(g, &reduced);
    value line = build_reshape(g, build_transpose(g, a, perm), &flat);
    value y = products(g, line, kept.rank, false);
    for (size_t i = 0; i < flat.rank; i++) step[i] = 1;
    start[kept.rank] = flat.extent[kept.rank];
    flat.extent[kept.rank] = 1;
    return g->error.status ? 0
                           : build_reshape(g, build_slice(g, y, start, flat.extent, step), &kept);
}

/* ---- truths ---------------------------------------------------------------------------------- */

/* Counts of truths in i64, which no array's size overflows. */
static value count_true(wg_graph *g, const char *name, value a, uint32_t axes) {
    if (type_of(&g->t, a)->dtype == WG_BOOL) return build_sum(g, build_cast(g, WG_I64, a), axes);
    graph_fail(g, WG_EDTYPE, "%s: takes bool, not %s", name, type_name(g, a).text);
    graph_fail_operands(g, &a, 1);
    graph_hint(g, "make a bool of it first: wg_ne(x, 0)");
    return 0;
}

value build_any(wg_graph *g, value a, uint32_t axes) {
    if (!a || g->error.status) return 0;
    value count = count_true(g, "any", a, axes);
    return build_binary(g, OP_gt, count, build_like(g, count, 0));
}

value build_all(wg_graph *g, value a, uint32_t axes) {
    if (!a || g->error.status) return 0;
    bool truths = type_of(&g->t, a)->dtype == WG_BOOL;
    value count = count_true(g, "all", truths ? build_unary(g, OP_not, a) : a, axes);
    return build_binary(g, OP_eq, count, build_like(g, count, 0));
}

/* ---- moments --------------------------------------------------------------------------------- */

static value centred(wg_graph *g, value a, uint32_t axes) {
    return build_sub(g, a, build_expand(g, build_mean(g, a, axes), a, axes));
}

value build_variance(wg_graph *g, value a, uint32_t axes) {
    if (!a || g->error.status || !require_floats(g, "variance", a)) return 0;
    return build_mean(g, build_unary(g, OP_square, centred(g, a, axes)), axes);
}

value build_layer_norm(wg_graph *g, value a, uint32_t axes, double epsilon) {
    if (!a || g->error.status || !require_floats(g, "layer_norm", a)) return 0;
    if (!(epsilon >= 0))
        return graph_fail(g, WG_EARGUMENT, "layer_norm: epsilon is %g; it must not be negative",
                          epsilon);
    value d = centred(g, a, axes), variance = build_mean(g, build_unary(g, OP_square, d), axes);
    value scale = build_unary(g, OP_rsqrt,
                              build_add(g, variance, build_like(g, variance, epsilon)));
    return build_mul(g, d, build_expand(g, scale, a, axes));
}

/* ---- norms ----------------------------------------------------------------------------------- */

/* A power of two near the largest of |x|, for sums of powers that neither overflow nor vanish. It
 * scales without rounding, and `floor` keeps it constant for every derivative. */
static value scale_of(wg_graph *g, value largest) {
    value one = build_like(g, largest, 1), zero = build_like(g, largest, 0);
    value usable = build_binary(g, OP_and, build_unary(g, OP_isfinite, largest),
                                build_binary(g, OP_gt, largest, zero));
    value log2 = build_unary(g, OP_log2, build_where(g, usable, largest, one));
    double least = largest && type_of(&g->t, largest)->dtype == WG_F64 ? -1000 : -120;
    value whole = build_sub(g, build_unary(g, OP_floor, log2), one);
    return build_unary(g, OP_exp2, build_binary(g, OP_max, whole, build_like(g, largest, least)));
}

/* x^p for x >= 0, with 0 for its derivatives at 0, whatever p. */
static value power_of(wg_graph *g, value x, double p) {
    value zero = build_like(g, x, 0), is_zero = build_binary(g, OP_eq, x, zero);
    value base = build_where(g, is_zero, build_like(g, x, 1), x);
    return build_where(g, is_zero, zero, build_binary(g, OP_pow, base, build_like(g, x, p)));
}

value build_norm_of_order(wg_graph *g, value a, double p, uint32_t axes) {
    if (!a || g->error.status || !require_floats(g, "norm", a)) return 0;
    if (!(p > 0)) {
        graph_fail(g, WG_EARGUMENT, "norm: the order is %g; it must be above 0", p);
        graph_hint(g, "count what is not 0 with a sum of wg_ne(x, 0)");
        return 0;
    }
    if (p == 2) return build_norm(g, a, axes);
    value size = build_unary(g, OP_abs, a);
    if (p == 1) return build_sum(g, size, axes);
    /* the largest of nothing is -inf; of sizes, with the 0 that a norm of nothing is */
    value largest = build_reduce_max(g, size, axes);
    if (isinf(p)) return build_unary(g, OP_relu, largest);
    if (!largest) return 0;
    value scale = scale_of(g, largest);
    value sum = build_sum(
        g, power_of(g, build_div(g, size, build_expand(g, scale, a, axes)), p), axes);
    return build_mul(g, scale, power_of(g, sum, 1 / p));
}
