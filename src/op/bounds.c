#include "op/bounds.h"

bool value_extent(const wg_graph *g, value v, wg_extent *extent) {
    const struct instr *i = instr_at(&g->t, v);
    int64_t bits;
    if (i->op == OP_size) {
        *extent = attr_words(&g->t, i->attr)[0];
        return true;
    }
    bool plain = type_of(&g->t, v)->dtype == WG_I64 && value_is_splat(&g->t, v, &bits);
    if (plain) *extent = bits;
    return plain && bits >= 0;
}

bool value_bounds(wg_graph *g, const struct bounded *known, size_t count, value v, wg_extent *low,
                  wg_extent *high) {
    wg_extent offset = 0, e; /* v was negative ? offset - v : offset + v */
    bool negative = false;
    for (int step = 0; step < 8; step++) {
        const struct instr *i = instr_at(&g->t, v);
        const value *x = args_of(&g->t, i);
        if (value_extent(g, v, &e)) {
            *low = *high = negative ? extent_sub(g, offset, e) : extent_add(g, offset, e);
            return !g->error.status;
        }
        for (size_t k = count; k-- > 0;) {
            if (v != known[k].v) continue;
            wg_extent a = known[k].low, b = known[k].high;
            *low = negative ? extent_sub(g, offset, b) : extent_add(g, offset, a);
            *high = negative ? extent_sub(g, offset, a) : extent_add(g, offset, b);
            return !g->error.status;
        }
        int64_t number;
        if (i->op != OP_add && i->op != OP_sub) return false;
        size_t other = value_extent(g, x[1], &e) ? 0 : value_extent(g, x[0], &e) ? 1 : 2;
        bool minus = negative != (i->op == OP_sub && other == 0);
        for (size_t k = 0; i->op == OP_add && other == 2 && k < 2; k++)
            if (type_of(&g->t, x[k])->dtype == WG_I64 && value_is_splat(&g->t, x[k], &number) &&
                number < 0 && number > INT64_MIN) { /* i + -1 */
                other = 1 - k;
                e = -number;
                minus = !negative;
            }
        if (other == 2) return false;
        offset = minus ? extent_sub(g, offset, e) : extent_add(g, offset, e);
        if (i->op == OP_sub && other == 1) negative = !negative;
        v = x[other];
    }
    return false;
}
