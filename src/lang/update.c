/* Assignments to part of a value, x[i] = ..., A[i, :] += ..., and to all of it by an operator,
 * s += ...: the name stands for the updated value from then on. The places that are single are
 * updated by index, which the planner does in place where nothing else reads the old value; slices
 * are put between what stands before and behind them. */
#include "lang/lang.h"
#include "op/describe.h"

/* ---- by index -------------------------------------------------------------------------------- */

/* x with `update` added, or set, at an index along an axis, which the update does not have. */
static value put_at(struct parser *p, value x, value update, value index, unsigned axis, bool add) {
    return (add ? build_index_add : build_index_set)(p->g, x, update, index, axis, 0);
}

/* ---- slices ---------------------------------------------------------------------------------- */

struct window {
    wg_extent start[WG_MAX_RANK], count[WG_MAX_RANK];
    int64_t step[WG_MAX_RANK];
};

static value cut(struct parser *p, value x, size_t axes, const struct window *w, size_t axis,
                 wg_extent start, wg_extent count) {
    const wg_type *type = term_type(p, x);
    struct window part = {.start = {0}};
    for (size_t k = 0; k < type->rank; k++) {
        part.start[k] = k < axes ? w->start[k] : k == axis ? start : 0;
        part.count[k] = k < axes ? w->count[k] : k == axis ? count : type->extent[k];
        part.step[k] = 1;
    }
    return build_slice(p->g, x, part.start, part.count, part.step);
}

/* x with its window replaced by y, of the window's shape: from the last axis to the first, y grows
 * by what stands before and behind it along the axis. */
static value put_window(struct parser *p, value x, value y, const struct window *w) {
    wg_graph *g = p->g;
    for (size_t axis = term_type(p, x)->rank; axis-- > 0 && y;) {
        wg_extent extent = term_type(p, x)->extent[axis];
        wg_extent end = extent_add(g, w->start[axis], w->count[axis]);
        value part[3];
        size_t count = 0;
        if (w->start[axis] == 0 && w->count[axis] == extent) continue;
        if (w->start[axis] != 0) part[count++] = cut(p, x, axis, w, axis, 0, w->start[axis]);
        part[count++] = y;
        if (end != extent)
            part[count++] = cut(p, x, axis, w, axis, end, extent_sub(g, extent, end));
        for (size_t k = 0; k < count; k++)
            if (!part[k]) return 0;
        y = build_concat(g, part, count, (unsigned)axis);
    }
    return y;
}

/* ---- any subscript --------------------------------------------------------------------------- */

/* How an element of the old value and one of the right side make the new one; OP_none: the right
 * side is it. */
struct update {
    struct place place;
    unsigned op;
    struct term right;
};

/* The right side in the type of x, stretched to its shape. */
static value right_side(struct parser *p, const struct update *u, value x) {
    value y = term_build(p, u->right, (wg_dtype)term_type(p, x)->dtype);
    return y ? build_broadcast_to(p->g, y, term_type(p, x)) : 0;
}

static value replaced(struct parser *p, const struct update *u, value x) {
    value y = right_side(p, u, x);
    return u->op == OP_none || !y ? y : build_binary(p->g, u->op, x, y);
}

/* The first item that is a single place known at the call only, or count. */
static size_t first_traced(const struct term *item, size_t count) {
    size_t k = 0;
    while (k < count && (item_is_slice(&item[ITEM * k]) || item_is_fixed(&item[ITEM * k]))) k++;
    return k;
}

static bool is_whole(const struct term *item, size_t count) {
    for (size_t k = 0; k < count; k++)
        if (!item_is_slice(&item[ITEM * k]) || item[ITEM * k].kind != TERM_NONE ||
            item[ITEM * k + 1].kind != TERM_NONE || item[ITEM * k + 2].as.number != 1)
            return false;
    return true;
}

/* Slices and fixed places. */
static value update_window(struct parser *p, const struct update *u, value x,
                           const struct term *item, size_t count) {
    struct window w;
    wg_type type = *term_type(p, x), kept = {.dtype = type.dtype}, full = type;
    for (size_t k = 0; k < type.rank; k++) {
        w.start[k] = 0;
        w.count[k] = type.extent[k];
        w.step[k] = 1;
        if (k < count &&
            !fixed_window(p, x, &item[ITEM * k], k, &w.start[k], &w.count[k], &w.step[k]))
            return 0;
        if (w.step[k] != 1)
            return graph_fail(p->g, WG_EARGUMENT, "a slice with a step is not assigned"),
                   graph_hint(p->g, "assign in a loop: for i in 0:n:2 { x[i] = ... }"), 0;
        full.extent[k] = w.count[k];
        if (k >= count || !item_is_fixed(&item[ITEM * k])) kept.extent[kept.rank++] = w.count[k];
    }
    value part = build_slice(p->g, x, w.start, w.count, w.step);
    if (part) part = replaced(p, u, build_reshape(p->g, part, &kept));
    return part ? put_window(p, x, build_reshape(p->g, part, &full), &w) : 0;
}

/* One place known at the call: what stands there is updated by the other items, and put back. */
static value update_items(struct parser *p, const struct update *u, value x,
                          const struct term *item, size_t count) {
    wg_graph *g = p->g;
    struct term rest[ITEM * WG_MAX_RANK];
    wg_type whole = *term_type(p, x);
    size_t axis = first_traced(item, count), places = leading_places(p, item, count);
    value index;
    if (places) {
        index = flat_place(p, x, item, places);
        x = flatten_axes(p, x, places);
        axis = 0;
    } else {
        if (axis == count) return update_window(p, u, x, item, count);
        index = term_build(p, item[ITEM * axis], WG_I64);
        places = 1;
    }
    if (!index || !x) return 0;
    size_t left = count - places;
    for (size_t k = 0; k < ITEM * left; k++)
        rest[k] = item[k < ITEM * axis ? k : k + ITEM * places];
    bool vector = term_type(p, index)->rank > 0;
    bool adds = (u->op == OP_add || u->op == OP_sub) && is_whole(rest, left);
    if (vector && !adds) {
        graph_fail(g, WG_ESHAPE, "an array of indices stands in updates x[k] += ... alone");
        graph_hint(g, "assign in a loop: for i in 0:n { x[k[i]] = ... }");
        return 0;
    }
    value old = build_take(g, x, index, (unsigned)axis, 0), y;
    if (!old) return 0;
    if (adds) {
        y = right_side(p, u, old);
        if (y && u->op == OP_sub) y = build_neg(g, y);
    } else if (is_whole(rest, left)) {
        y = replaced(p, u, old);
    } else {
        y = update_items(p, u, old, rest, left);
    }
    if (y) y = put_at(p, x, y, index, (unsigned)axis, adds);
    return y ? build_reshape(g, y, &whole) : 0;
}

void update_statement(struct parser *p) {
    static const unsigned op[] = {OP_add, OP_sub, OP_mul, OP_div};
    struct token name = p->in.token;
    size_t first = p->stack.count, count = 0;
    lex_next(p);
    struct term old = name_term(p, &name);
    value x = 0;
    if (token_kind(p) == '[' && !parse_failed(p)) {
        parse_at(p, name.place);
        x = term_default(p, old);
        if (x) count = read_items(p, x);
    }
    unsigned kind = token_kind(p);
    struct update u = {.place = p->in.token.place, .op = OP_none};
    if (kind >= T_INCREASE && kind <= T_DIVIDE) u.op = op[kind - T_INCREASE];
    if (!parse_failed(p) && u.op == OP_none && kind != '=') lex_unexpected(p, "'=' or '+='");
    if (!parse_failed(p)) lex_next(p);
    if (!parse_failed(p)) u.right = expression(p);
    parse_at(p, u.place);
    struct term term = term_none();
    if (!parse_failed(p)) {
        if (x)
            term = term_value(update_items(p, &u, x, p->stack.at + first, count));
        else
            term = term_binary(p, u.op, old, u.right);
    }
    p->stack.count = first;
    assign_name(p, &name, term, true);
}
