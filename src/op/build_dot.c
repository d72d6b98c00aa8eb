/* Builders of products: the canonical contraction of dot.c, the contraction of any axes, which is
 * brought to that form, and the matrix product by NumPy's rules. Operands are transposed only where
 * the two flags of dot cannot say it. */
#include "op/build.h"
#include "op/describe.h"

static value contraction(wg_graph *g, value a, value b, unsigned batch, unsigned contract,
                         bool a_transposed, bool b_transposed, bool absolute) {
    if (!a || !b || g->error.status) return 0;
    /* where there is only one block to order, the flag says nothing: one form for one meaning */
    if (contract == 0 || type_of(&g->t, a)->rank <= batch + contract) a_transposed = false;
    if (contract == 0 || type_of(&g->t, b)->rank <= batch + contract) b_transposed = false;
    const int64_t word[] = {batch, contract, a_transposed, b_transposed, true};
    attr_id attr = graph_attr(g, word, absolute ? 5 : 4);
    return graph_emit(g, OP_dot, attr, (const value[]){a, b}, 2);
}

value build_dot(wg_graph *g, value a, value b, unsigned batch, unsigned contract,
                bool a_transposed, bool b_transposed) {
    return contraction(g, a, b, batch, contract, a_transposed, b_transposed, false);
}

value build_dotz(wg_graph *g, value a, value b, unsigned batch, unsigned contract,
                 bool a_transposed, bool b_transposed) {
    return contraction(g, a, b, batch, contract, a_transposed, b_transposed, true);
}

/* ---- any axes -------------------------------------------------------------------------------- */

/* The operand in the order batch, others, contracted (or others last). Returns whether the value
 * stands in that order already. */
static bool block_order(unsigned rank, unsigned batch, unsigned contract, const uint8_t *pairs,
                        bool others_last, uint8_t *perm) {
    uint32_t named = 0;
    unsigned n = 0;
    for (unsigned i = 0; i < batch + contract; i++) named |= (uint32_t)1 << pairs[i];
    for (unsigned i = 0; i < batch; i++) perm[n++] = pairs[i];
    for (unsigned i = 0; i < contract && others_last; i++) perm[n++] = pairs[batch + i];
    for (uint8_t i = 0; i < rank; i++)
        if (!(named >> i & 1)) perm[n++] = i;
    for (unsigned i = 0; i < contract && !others_last; i++) perm[n++] = pairs[batch + i];
    for (unsigned i = 0; i < rank; i++)
        if (perm[i] != i) return false;
    return true;
}

value build_dot_axes(wg_graph *g, value a, value b, unsigned batch, unsigned contract,
                     const uint8_t *const pairs[2]) {
    if (!a || !b || g->error.status) return 0;
    value x[2] = {a, b};
    uint8_t pair[2][WG_MAX_RANK], perm[WG_MAX_RANK];
    for (unsigned i = 0; i < batch + contract; i++)
        for (size_t k = 0; k < 2; k++) pair[k][i] = pairs[k][i];
    /* contracted pairs may stand in any order: that of the left operand's axes */
    for (unsigned i = batch + 1; i < batch + contract; i++)
        for (unsigned j = i; j > batch && pair[0][j] < pair[0][j - 1]; j--)
            for (size_t k = 0; k < 2; k++) {
                uint8_t swap = pair[k][j];
                pair[k][j] = pair[k][j - 1];
                pair[k][j - 1] = swap;
            }
    bool others_last[2];
    for (size_t k = 0; k < 2; k++) {
        unsigned rank = type_of(&g->t, x[k])->rank;
        others_last[k] = true;
        if (block_order(rank, batch, contract, pair[k], true, perm)) continue;
        others_last[k] = false;
        if (block_order(rank, batch, contract, pair[k], false, perm)) continue;
        x[k] = build_transpose(g, x[k], perm);
    }
    return build_dot(g, x[0], x[1], batch, contract, others_last[0], !others_last[1]);
}

/* ---- the matrix product ---------------------------------------------------------------------- */

/* The axes before the last two that two operands have together, broadcast. */
static bool leading_axes(wg_graph *g, const char *name, const value *x, wg_type *leading) {
    wg_type a = *type_of(&g->t, x[0]), b = *type_of(&g->t, x[1]);
    const wg_type *longer = a.rank >= b.rank ? &a : &b, *shorter = longer == &a ? &b : &a;
    size_t more = (size_t)(longer->rank - shorter->rank);
    *leading = (wg_type){.rank = (uint8_t)(longer->rank - 2)};
    for (size_t i = 0; i < leading->rank; i++) {
        wg_extent e = longer->extent[i], f = i < more ? e : shorter->extent[i - more];
        leading->extent[i] = e == 1 ? f : e;
        if (e == f || e == 1 || f == 1) continue;
        graph_fail(g, WG_ESHAPE, "%s: leading extents differ: left %s, right %s", name,
                   type_name(g, x[0]).text, type_name(g, x[1]).text);
        graph_fail_operands(g, x, 2);
        graph_hint(g, "axes before the last two are aligned at the last one, and only the constant "
                      "extent 1 stretches");
        return false;
    }
    return true;
}

/* x with these axes before its last two. */
static value with_leading(wg_graph *g, value x, const wg_type *leading) {
    if (!x) return 0;
    wg_type type = *type_of(&g->t, x), full = *leading;
    full.extent[full.rank++] = type.extent[type.rank - 2];
    full.extent[full.rank++] = type.extent[type.rank - 1];
    return build_broadcast_to(g, x, &full);
}

bool build_fronts(wg_graph *g, const char *name, value x[2]) {
    wg_type leading;
    if (!x[0] || !x[1] || g->error.status || !leading_axes(g, name, x, &leading)) return false;
    for (size_t k = 0; k < 2; k++) x[k] = with_leading(g, x[k], &leading);
    return !g->error.status;
}

value build_matmul(wg_graph *g, value a, value b) {
    if (!a || !b || g->error.status) return 0;
    value x[2] = {a, b};
    wg_type l = *type_of(&g->t, a), r = *type_of(&g->t, b);
    if (l.rank == 0 || r.rank == 0) {
        graph_fail(g, WG_ESHAPE, "matmul: the %s operand is a scalar: left %s, right %s",
                   l.rank == 0 ? "left" : "right", type_name(g, a).text, type_name(g, b).text);
        graph_fail_operands(g, x, 2);
        graph_hint(g, "scale with {wg_mul|*}");
        return 0;
    }
    /* one matrix on the right serves all rows on the left, whatever their leading axes */
    if (r.rank <= 2) return build_dot(g, a, b, 0, 1, false, false);
    bool vector = l.rank == 1; /* a row that the result does not have */
    if (vector) {
        wg_type row = type_prepend(&l, 1);
        x[0] = build_reshape(g, a, &row);
    }
    if (!build_fronts(g, "matmul", x)) return 0;
    unsigned batch = type_of(&g->t, x[0])->rank - 2u;
    value y = build_dot(g, x[0], x[1], batch, 1, false, false);
    if (!vector || !y) return y;
    wg_type type = *type_of(&g->t, y), without = type_without(&type, (uint32_t)1 << batch);
    return build_reshape(g, y, &without);
}
