/* Products in the arrangement that costs least.
 *
 * A short dot reads its right operand along the rows of that; one that would read it across gets a
 * transposed copy, which is small.
 *
 * The sum over the rows of a product is the product of the summed rows: where x is centred by mu,
 * the adjoint of mu is such a sum, and one row takes the place of all. Both agree within rounding,
 * and an infinity or NaN of an operand reaches both; only where a sum or a product of numbers is
 * too large for a number may one be finite and the other not. */
#include "native/products.h"
#include "op/build.h"

static bool turns_right(const struct trace *t, value v) {
    if (!is_short_dot(t, v)) return false;
    struct dot d = dot_of(t, v);
    return d.flip[1] && type_of(t, args_of(t, instr_at(t, v))[1])->rank == d.batch + 2;
}

static value turn_right(wg_graph *g, const struct trace *from, value v, const value *map) {
    struct dot d = dot_of(from, v);
    const value *x = args_of(from, instr_at(from, v));
    uint8_t perm[WG_MAX_RANK];
    for (unsigned j = 0; j < d.batch; j++) perm[j] = (uint8_t)j;
    perm[d.batch] = (uint8_t)(d.batch + 1);
    perm[d.batch + 1] = (uint8_t)d.batch;
    /* The copy keeps the dot from taking the transpose back into its flag. */
    value right = build_transpose(g, map[x[1]], perm);
    if (right) right = graph_emit(g, OP_copy, 0, &right, 1);
    return build_dot(g, map[x[0]], right, d.batch, 1, d.flip[0], false);
}

/* A sum over all the axes that only one operand of a product has. */
struct summed {
    value dot;
    size_t operand;
    bool negative;  /* the sum of the product's negative */
    uint32_t axes;  /* as a mask of the operand's */
};

static bool find_summed(const struct trace *t, value v, struct summed *s) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_sum) return false;
    uint32_t mask = (uint32_t)attr_words(t, i->attr)[0];
    value x = args_of(t, i)[0];
    *s = (struct summed){.negative = instr_at(t, x)->op == OP_neg};
    s->dot = s->negative ? args_of(t, instr_at(t, x))[0] : x;
    if (instr_at(t, s->dot)->op != OP_dot || !value_is_float(t, s->dot))
        return false;
    struct dot d = dot_of(t, s->dot);
    unsigned at = d.batch; /* in the result */
    for (size_t k = 0; k < 2; k++) {
        value operand = args_of(t, instr_at(t, s->dot))[k];
        unsigned own = type_of(t, operand)->rank - d.batch - d.contract;
        uint32_t axes = ((uint32_t)1 << own) - 1;
        s->operand = k;
        s->axes = axes << (d.batch + (d.flip[k] == (k == 0) ? d.contract : 0));
        if (own > 0 && mask == axes << at) return !d.absolute;
        at += own;
    }
    return false;
}

static value sum_first(wg_graph *g, const struct trace *from, const struct summed *s,
                       const value *map) {
    struct dot d = dot_of(from, s->dot);
    const value *x = args_of(from, instr_at(from, s->dot));
    value operand[2] = {map[x[0]], map[x[1]]};
    operand[s->operand] = build_sum(g, operand[s->operand], s->axes);
    value y = build_dot(g, operand[0], operand[1], d.batch, d.contract, d.flip[0], d.flip[1]);
    return s->negative ? build_neg(g, y) : y;
}

bool rearranges(const struct trace *t, value v) {
    struct summed s;
    return turns_right(t, v) || find_summed(t, v, &s) || takes_part(t, v);
}

value rearrange(wg_graph *g, const struct trace *from, value v, const value *map) {
    struct summed s;
    if (find_summed(from, v, &s)) return sum_first(g, from, &s, map);
    return turns_right(from, v) ? turn_right(g, from, v, map) : make_part(g, from, v, map);
}
