/* x[...]: whole numbers pick an element and drop the axis (negative ones count from the end),
 * slices start:stop:step keep it, traced integers gather along it. Bounds are extents, so that
 * x[0:n-1] serves every n; they are never clipped to the axis: what sizes cannot prove is checked
 * at the call. All fixed parts of a subscript are one slice and one reshape; single places in a row
 * of which one is traced are one place of the flattened axes; the index of a loop that goes along
 * all of the first axis reads a slice of the loop, which copies nothing. */
#include "lang/lang.h"
#include "op/describe.h"
#include "op/face.h"

#include <stdio.h>

struct axes {
    wg_extent start[WG_MAX_RANK], count[WG_MAX_RANK];
    int64_t step[WG_MAX_RANK];
};

/* ---- reading --------------------------------------------------------------------------------- */

static bool slice_ends(const struct parser *p) {
    return token_kind(p) == ':' || token_kind(p) == ',' || token_kind(p) == ']';
}

static struct term optional(struct parser *p) {
    return slice_ends(p) ? term_none() : expression(p);
}

OUT_OF_LINE static void read_item(struct parser *p) {
    if (token_kind(p) == ']' || token_kind(p) == ',') lex_unexpected(p, "an index");
    term_push(p, optional(p));
    if (!lex_take(p, ':')) {
        term_push(p, term_none());
        term_push(p, term_none());
        return;
    }
    term_push(p, optional(p));
    struct term step = term_number(1);
    if (lex_take(p, ':')) {
        struct place place = p->in.token.place;
        struct term given = optional(p);
        wg_extent extent;
        if (given.kind != TERM_NONE) step = given;
        if (!parse_failed(p) &&
            (step.kind != TERM_NUMBER || !term_is_extent(p, step, &extent) || extent == 0))
            parse_fail(p, place, WG_ESYNTAX, "the step of a slice is a whole number, not 0");
    }
    term_push(p, step);
}

/* ---- what it means --------------------------------------------------------------------------- */

/* The place along an axis that a term names. */
static bool bound(struct parser *p, struct term t, wg_extent axis, wg_extent *at) {
    if (!term_is_extent(p, t, at)) {
        if (parse_failed(p)) return false;
        parse_fail(p, p->place, WG_EDTYPE,
                   "a bound of a slice is made of whole numbers and named sizes with + - *");
        return false;
    }
    if (t.kind == TERM_NUMBER && t.as.number < 0) *at = extent_add(p->g, axis, *at);
    return !parse_failed(p);
}

/* A bound as it was written, "" for none. */
static struct description bound_text(const struct parser *p, struct term t) {
    struct description written = {""};
    if (t.kind == TERM_NUMBER) snprintf(written.text, sizeof written.text, "%.0f", t.as.number);
    return t.kind == TERM_EXTENT ? extent_name(p->g, t.as.extent) : written;
}

/* 0 <= start <= stop <= extent: refuted here with the text's words, else left to the builder. */
OUT_OF_LINE static bool inside(struct parser *p, value x, size_t axis, const struct term *item,
                               wg_extent start, wg_extent stop) {
    wg_graph *g = p->g;
    wg_extent extent = term_type(p, x)->extent[axis];
    int64_t before, turned, behind;
    bool outside = (extent_difference(g, 0, start, &before) && before > 0) ||
                   (extent_difference(g, start, stop, &turned) && turned > 0) ||
                   (extent_difference(g, stop, extent, &behind) && behind > 0);
    bool is_slice = item[2].kind != TERM_NONE;
    if (outside && is_slice)
        parse_fail(p, p->place, WG_ESHAPE, "the slice %s:%s leaves axis %zu of %s",
                   bound_text(p, item[0]).text, bound_text(p, item[1]).text, axis,
                   type_name(g, x).text);
    else if (outside)
        parse_fail(p, p->place, WG_ESHAPE, "the index %s is outside axis %zu of %s",
                   bound_text(p, item[0]).text, axis, type_name(g, x).text);
    else
        graph_require(g, start, stop, false, "slice");
    return !parse_failed(p);
}

/* Item k is a slice: its part in axes. */
static bool read_slice(struct parser *p, value x, const struct term *item, size_t k,
                       struct axes *axes) {
    wg_extent extent = term_type(p, x)->extent[k], start = 0, stop = extent;
    int64_t step = (int64_t)item[2].as.number;
    if (step < 0) start = stop = WG_INFER;
    if (item[0].kind != TERM_NONE && !bound(p, item[0], extent, &start)) return false;
    if (item[1].kind != TERM_NONE && !bound(p, item[1], extent, &stop)) return false;
    if (step > 0 && !inside(p, x, k, item, start, stop)) return false;
    axes->step[k] = step;
    axes->start[k] = start;
    return slice_range(p->g, extent, &axes->start[k], stop, step, &axes->count[k]);
}

static bool is_gather(const struct term *item) {
    return !item_is_slice(item) && !item_is_fixed(item);
}

bool fixed_window(struct parser *p, value x, const struct term *item, size_t k, wg_extent *start,
                  wg_extent *count, int64_t *step) {
    struct axes axes;
    *step = *count = 1;
    if (!item_is_slice(item))
        return bound(p, item[0], term_type(p, x)->extent[k], start) &&
               inside(p, x, k, item, *start, extent_add(p->g, *start, 1));
    if (!read_slice(p, x, item, k, &axes)) return false;
    *start = axes.start[k];
    *count = axes.count[k];
    *step = axes.step[k];
    return !parse_failed(p);
}

/* The slice that all items make, and the axes of whole numbers dropped. */
OUT_OF_LINE static value apply_fixed(struct parser *p, value x, const struct term *item,
                                     size_t count) {
    struct axes axes;
    wg_type type = *term_type(p, x), kept = {.dtype = type.dtype};
    for (size_t k = 0; k < type.rank; k++) {
        axes.start[k] = 0;
        axes.count[k] = type.extent[k];
        axes.step[k] = 1;
    }
    for (size_t k = 0; k < count; k++) {
        if (is_gather(&item[ITEM * k])) continue;
        if (!fixed_window(p, x, &item[ITEM * k], k, &axes.start[k], &axes.count[k], &axes.step[k]))
            return 0;
    }
    if (parse_failed(p)) return 0;
    for (size_t k = 0; k < type.rank; k++)
        if (k >= count || !item_is_fixed(&item[ITEM * k])) kept.extent[kept.rank++] = axes.count[k];
    value part = build_slice(p->g, x, axes.start, axes.count, axes.step);
    return part ? build_reshape(p->g, part, &kept) : 0;
}

OUT_OF_LINE static value apply_gather(struct parser *p, value x, const struct term *item,
                                      size_t count) {
    unsigned axis = 0;
    bool several = false;
    for (size_t k = 0; k < count && x; k++) {
        if (item_is_fixed(&item[ITEM * k])) continue;
        if (!is_gather(&item[ITEM * k])) {
            axis++;
            continue;
        }
        value index = term_build(p, item[ITEM * k], WG_I64);
        if (!index) return 0;
        unsigned rank = term_type(p, index)->rank;
        if (rank > 0 && several) {
            graph_fail(p->g, WG_ESHAPE, "two arrays of indices in one subscript");
            graph_hint(p->g, "index one axis after the other: x[i][:, k]");
            return 0;
        }
        several = several || rank > 0;
        x = build_take(p->g, x, index, axis, 0);
        axis += rank;
    }
    return x;
}

/* ---- several places in a row ----------------------------------------------------------------- */

static bool is_scalar_index(const struct parser *p, const struct term *item) {
    return item_is_fixed(item) || (is_gather(item) && item[0].kind == TERM_VALUE &&
                                   term_type(p, item[0].as.v)->rank == 0);
}

size_t leading_places(const struct parser *p, const struct term *item, size_t count) {
    size_t places = 0, traced = 0;
    while (places < count && is_scalar_index(p, &item[ITEM * places])) {
        traced += is_gather(&item[ITEM * places]);
        places++;
    }
    return places > 1 && traced > 0 ? places : 0;
}

/* The index along an axis; one that may lie outside is -1 there, which is outside of all. */
static value place_along(struct parser *p, value x, const struct term *item, size_t axis) {
    wg_graph *g = p->g;
    wg_extent extent = term_type(p, x)->extent[axis], start, count, low, high;
    int64_t step;
    if (item_is_fixed(item))
        return fixed_window(p, x, item, axis, &start, &count, &step) ? build_extent(g, start) : 0;
    value i = build_cast(g, WG_I64, term_build(p, item[0], WG_I64));
    if (axis == 0 || !i) return i;
    if (known_bounds(p, i, &low, &high) && extent_provably_le(g, 0, low) &&
        extent_provably_le(g, extent_add(g, high, 1), extent))
        return i;
    value inside = build_binary(g, OP_and, build_binary(g, OP_ge, i, build_number(g, WG_I64, 0)),
                                build_binary(g, OP_lt, i, build_extent(g, extent)));
    return build_where(g, inside, i, build_like(g, i, -1));
}

/* Row-major; outside if one of them is. */
value flat_place(struct parser *p, value x, const struct term *item, size_t places) {
    wg_graph *g = p->g;
    value place = place_along(p, x, item, 0), outside = 0;
    for (size_t k = 1; k < places && place; k++) {
        value i = place_along(p, x, &item[ITEM * k], k);
        if (i && instr_at(&g->t, i)->op == OP_where) {
            value out = build_binary(g, OP_lt, i, build_number(g, WG_I64, 0));
            outside = outside ? build_binary(g, OP_or, outside, out) : out;
        }
        value extent = build_extent(g, term_type(p, x)->extent[k]);
        place = build_add(g, build_mul(g, place, extent), i);
    }
    return outside && place ? build_where(g, outside, build_like(g, place, -1), place) : place;
}

value flatten_axes(struct parser *p, value x, size_t axes) {
    wg_type type = *term_type(p, x), flat = {.dtype = type.dtype, .rank = 1, .extent = {1}};
    for (size_t k = 0; k < axes; k++)
        flat.extent[0] = extent_mul(p->g, flat.extent[0], type.extent[k]);
    for (size_t k = axes; k < type.rank; k++) flat.extent[flat.rank++] = type.extent[k];
    return build_reshape(p->g, x, &flat);
}

/* ---- all together ---------------------------------------------------------------------------- */

size_t read_items(struct parser *p, value x) {
    struct place place = p->in.token.place;
    size_t rank = term_type(p, x)->rank, count = 0;
    lex_next(p);
    do {
        if (count == rank) {
            parse_fail(p, place, WG_ESHAPE, "%s",
                       rank == 0 ? "a scalar has no axis to index" : "more indices than axes");
            if (rank) parse_hint(p, "the value is %s", type_name(p->g, x).text);
        }
        read_item(p);
        count++;
    } while (!parse_failed(p) && lex_take(p, ','));
    lex_expect(p, ']', "',' or ']'");
    return count;
}

static value apply_items(struct parser *p, value x, const struct term *item, size_t count) {
    struct open_loop *loop = is_gather(item) && item[0].kind == TERM_VALUE
                                 ? loop_over(p, item[0].as.v, x) : NULL;
    if (loop) {
        x = wg_loop_slice_at(NULL, SAME_SITE, loop->loop, (wg_var){p->g, x}).id;
        item += ITEM;
        count--;
    }
    size_t places = x ? leading_places(p, item, count) : 0;
    if (places) {
        value place = flat_place(p, x, item, places);
        x = place ? build_take(p->g, flatten_axes(p, x, places), place, 0, 0) : 0;
        item += ITEM * places;
        count -= places;
    }
    if (x && count) x = apply_fixed(p, x, item, count);
    return x && count ? apply_gather(p, x, item, count) : x;
}

struct term subscript(struct parser *p, struct term x) {
    struct place place = p->in.token.place;
    size_t first = p->stack.count;
    parse_at(p, place);
    value v = term_default(p, x);
    if (!v) return term_none();
    size_t count = read_items(p, v);
    if (!parse_failed(p)) {
        parse_at(p, place);
        v = apply_items(p, v, p->stack.at + first, count);
    }
    p->stack.count = first;
    return parse_failed(p) ? term_none() : term_value(v);
}
