/* Functions that are a few operations each: softmax and its kin, losses, the mean. They need no
 * rules of their own; what they must take care of is numbers. Softmax divides exponentials of
 * what is never above 0 by their sum, which is never below 1: it does not overflow, for logits of
 * any size, and its derivatives and those of log-sum-exp are made of the same parts. */
#include "op/build.h"
#include "op/describe.h"

/* Whether the value is of a floating type and has this axis; else an error that begins with the
 * name. */
static bool is_ready(wg_graph *g, const char *name, value a, unsigned axis) {
    if (!a || g->error.status || !require_floats(g, name, a)) return false;
    if (axis < type_of(&g->t, a)->rank) return true;
    graph_fail(g, WG_ESHAPE, "%s: axis %u of a value of rank %d", name, axis,
               type_of(&g->t, a)->rank);
    graph_fail_operands(g, &a, 1);
    return false;
}

static value centred(wg_graph *g, value a, unsigned axis) {
    uint32_t axes = (uint32_t)1 << axis;
    return build_sub(g, a, build_expand(g, build_logsumexp(g, a, axes), a, axes));
}

value build_log_softmax(wg_graph *g, value a, unsigned axis) {
    return is_ready(g, "log_softmax", a, axis) ? centred(g, a, axis) : 0;
}

value build_softmax(wg_graph *g, value a, unsigned axis) {
    if (!is_ready(g, "softmax", a, axis)) return 0;
    uint32_t axes = (uint32_t)1 << axis;
    struct exponentials e = build_exponentials(g, a, axes);
    return e.sum ? build_div(g, e.terms, build_expand(g, e.sum, a, axes)) : 0;
}

value build_cross_entropy(wg_graph *g, value logits, value label) {
    if (!logits || !label || g->error.status || !require_floats(g, "cross_entropy", logits) ||
        !require_integers(g, "cross_entropy", label))
        return 0;
    wg_type h = *type_of(&g->t, logits), y = *type_of(&g->t, label), rows = h;
    rows.rank = (uint8_t)(h.rank ? h.rank - 1 : 0);
    if (h.rank == 0 || !type_same_shape(&rows, &y)) {
        graph_fail(g, WG_ESHAPE, "cross_entropy: logits %s need one label a row, labels are %s",
                   type_name(g, logits).text, type_name(g, label).text);
        graph_fail_operands(g, (const value[]){logits, label}, 2);
        graph_hint(g, "the last axis of the logits are the classes; labels have the other axes");
        return 0;
    }
    value picked = build_take(g, logits, label, rows.rank, rows.rank);
    return build_sub(g, build_logsumexp(g, logits, (uint32_t)1 << rows.rank), picked);
}

value build_mean(wg_graph *g, value a, uint32_t axes) {
    if (!a || g->error.status || !require_floats(g, "mean", a)) return 0;
    value sum = build_sum(g, a, axes);
    if (!sum) return 0;
    wg_type type = *type_of(&g->t, a);
    wg_type reduced = type_without(&type, axes_below(type.rank) & ~axes);
    wg_extent count = type_count(g, &reduced);
    if (count == 1) return sum;
    return build_div(g, sum, build_cast(g, (wg_dtype)type.dtype, build_extent(g, count)));
}

value build_mse(wg_graph *g, value a, value b) {
    value square = build_unary(g, OP_square, build_sub(g, a, b));
    return build_mean(g, square, all_axes(g, square));
}
