/* Functions of shape and index that are a few operations each: new axes, copies side by side,
 * values around, reversal, one element per place, one-hot rows, windows that start where a value
 * says. Their derivatives are those of their parts. */
#include "op/build.h"
#include "op/describe.h"

/* The window that is all of a value, for callers to narrow. */
struct window {
    wg_extent start[WG_MAX_RANK], count[WG_MAX_RANK];
    int64_t step[WG_MAX_RANK];
};

static struct window whole(const wg_type *type) {
    struct window w = {.start = {0}};
    for (size_t i = 0; i < type->rank; i++) {
        w.count[i] = type->extent[i];
        w.step[i] = 1;
    }
    return w;
}

static value fail_axis(wg_graph *g, const char *name, value a, unsigned axis) {
    graph_fail(g, WG_ESHAPE, "%s: axis %u of a value of rank %d", name, axis,
               type_of(&g->t, a)->rank);
    return graph_fail_operands(g, &a, 1), 0;
}

/* ---- slices and paddings --------------------------------------------------------------------- */

value build_reverse(wg_graph *g, value a, uint32_t axes) {
    if (!a || g->error.status) return 0;
    struct window w = whole(type_of(&g->t, a));
    for (size_t i = 0; i < type_of(&g->t, a)->rank; i++)
        if (axes >> i & 1) w.step[i] = -1;
    return build_slice(g, a, w.start, w.count, w.step);
}

bool slice_range(wg_graph *g, wg_extent extent, wg_extent *start, wg_extent stop, int64_t step,
                 wg_extent *count) {
    if (g->error.status) return false;
    if (step == 0 || step == INT64_MIN) {
        graph_fail(g, WG_EARGUMENT, "slice: the step is %lld; it must not be 0", (long long)step);
        return false;
    }
    if (*start == WG_INFER) *start = step > 0 ? 0 : extent_sub(g, extent, 1);
    if (stop == WG_INFER) stop = step > 0 ? extent : extent_sub(g, 0, 1);
    if (step > 0) return slice_count(g, *start, stop, step, count);
    /* as many as from stop to start, and the lowest of them is the start of the window */
    if (!slice_count(g, stop, *start, -step, count)) return false;
    wg_extent reach = extent_mul(g, extent_sub(g, *count, 1), -step);
    *start = *count == 0 ? 0 : extent_sub(g, *start, reach);
    return !g->error.status;
}

value build_slice_axis(wg_graph *g, value a, unsigned axis, wg_extent start, wg_extent stop,
                       int64_t step) {
    if (!a || g->error.status) return 0;
    struct window w = whole(type_of(&g->t, a));
    if (!slice_range(g, w.count[axis], &start, stop, step, &w.count[axis])) return 0;
    w.start[axis] = start;
    w.step[axis] = step;
    return build_slice(g, a, w.start, w.count, w.step);
}

value build_pad_with(wg_graph *g, value a, const wg_extent *low, const wg_extent *high,
                     double number) {
    if (!a || g->error.status) return 0;
    wg_type type = *type_of(&g->t, a), truth = type;
    struct window w = whole(&type);
    for (size_t i = 0; i < type.rank; i++)
        w.count[i] = extent_add(g, type.extent[i], extent_add(g, low[i], high[i]));
    value padded = build_pad(g, a, low, w.count, w.step);
    if (number == 0) return padded;
    truth.dtype = WG_BOOL;
    value inside = build_pad(g, build_full(g, &truth, 1), low, w.count, w.step);
    return build_where(g, inside, padded, build_like(g, padded, number));
}

/* ---- axes ------------------------------------------------------------------------------------ */

value build_new_axis(wg_graph *g, value a, unsigned axis) {
    if (!a || g->error.status) return 0;
    wg_type type = *type_of(&g->t, a);
    if (axis > type.rank || type.rank == WG_MAX_RANK) {
        graph_fail(g, WG_ESHAPE, "expand: a new axis %u for a value of rank %d; at most rank %d is "
                                 "possible", axis, type.rank, WG_MAX_RANK);
        return graph_fail_operands(g, &a, 1), 0;
    }
    for (size_t i = type.rank++; i > axis; i--) type.extent[i] = type.extent[i - 1];
    type.extent[axis] = 1;
    return build_reshape(g, a, &type);
}

value build_squeeze(wg_graph *g, value a, uint32_t axes) {
    if (!a || g->error.status) return 0;
    wg_type type = *type_of(&g->t, a);
    for (size_t i = 0; i < type.rank; i++) {
        if (!(axes >> i & 1) || type.extent[i] == 1) continue;
        graph_fail(g, WG_ESHAPE, "squeeze: axis %zu of %s has extent %s, not the constant 1", i,
                   type_name(g, a).text, extent_name(g, type.extent[i]).text);
        return graph_fail_operands(g, &a, 1), 0;
    }
    wg_type without = type_without(&type, axes);
    return build_reshape(g, a, &without);
}

value build_stack(wg_graph *g, const value *part, size_t count, unsigned axis) {
    value *row = mem_alloc(&g->t.allocator, count * sizeof *row + 1), whole_value = 0;
    if (!row) return fail_memory(&g->error), 0;
    for (size_t i = 0; i < count; i++) row[i] = build_new_axis(g, part[i], axis);
    if (!g->error.status) whole_value = build_concat(g, row, count, axis);
    mem_free(&g->t.allocator, row, count * sizeof *row + 1);
    return whole_value;
}

value build_tile(wg_graph *g, value a, const wg_extent *times) {
    if (!a || g->error.status) return 0;
    wg_type type = *type_of(&g->t, a);
    for (size_t i = 0; i < type.rank && a; i++) {
        if (times[i] == 1) continue;
        wg_type block = {.dtype = type.dtype, .rank = 3, .extent = {1, type.extent[i], 1}}, copies;
        for (size_t k = 0; k < i; k++)
            block.extent[0] = extent_mul(g, block.extent[0], type.extent[k]);
        for (size_t k = i + 1; k < type.rank; k++)
            block.extent[2] = extent_mul(g, block.extent[2], type.extent[k]);
        copies = (wg_type){.dtype = type.dtype, .rank = 4,
                           .extent = {block.extent[0], times[i], block.extent[1], block.extent[2]}};
        type.extent[i] = extent_mul(g, type.extent[i], times[i]);
        if (g->error.status) return 0;
        a = build_reshape(g, build_broadcast(g, build_reshape(g, a, &block), &copies, 13), &type);
    }
    return a;
}

/* ---- one element per place ------------------------------------------------------------------- */

/* The value with this axis last, or with the last one there again. */
static value axis_last(wg_graph *g, value a, unsigned axis, bool back) {
    if (!a || g->error.status) return 0;
    uint8_t perm[WG_MAX_RANK];
    unsigned rank = type_of(&g->t, a)->rank;
    for (unsigned i = 0; i < rank; i++) {
        if (back) perm[i] = (uint8_t)(i < axis ? i : i == axis ? rank - 1 : i - 1);
        else perm[i] = (uint8_t)(i < axis ? i : i + 1 == rank ? axis : i + 1);
    }
    return build_transpose(g, a, perm);
}

/* Whether both have the same extents but along the axis. */
static bool beside(wg_graph *g, const char *name, value a, value index, unsigned axis) {
    if (!a || !index || g->error.status) return false;
    wg_type x = *type_of(&g->t, a), i = *type_of(&g->t, index);
    if (axis >= x.rank) return fail_axis(g, name, a, axis), false;
    x.extent[axis] = i.rank == x.rank ? i.extent[axis] : 0;
    if (type_same_shape(&x, &i)) return true;
    graph_fail(g, WG_ESHAPE, "%s: %s and the index %s differ not only along axis %u", name,
               type_name(g, a).text, type_name(g, index).text, axis);
    graph_fail_operands(g, (const value[]){a, index}, 2);
    graph_hint(g, "an index that serves all rows alike is one for wg_take");
    return false;
}

value build_take_along(wg_graph *g, value a, value index, unsigned axis) {
    if (!beside(g, "take_along", a, index, axis)) return 0;
    unsigned last = type_of(&g->t, a)->rank - 1u;
    value taken = build_take(g, axis_last(g, a, axis, false), axis_last(g, index, axis, false),
                             last, last);
    return axis_last(g, taken, axis, true);
}

value build_scatter_along(wg_graph *g, value update, value index, unsigned axis, wg_extent extent) {
    if (!beside(g, "scatter_along", update, index, axis)) return 0;
    unsigned last = type_of(&g->t, update)->rank - 1u;
    if (!type_same_shape(type_of(&g->t, update), type_of(&g->t, index))) {
        graph_fail(g, WG_ESHAPE, "scatter_along: the update %s and the index %s differ in shape",
                   type_name(g, update).text, type_name(g, index).text);
        return graph_fail_operands(g, (const value[]){update, index}, 2), 0;
    }
    value sum = build_scatter_add(g, axis_last(g, update, axis, false),
                                  axis_last(g, index, axis, false), last, last, extent);
    return axis_last(g, sum, axis, true);
}

value build_sort(wg_graph *g, value a, unsigned axis) {
    return build_take_along(g, a, build_argsort(g, a, axis), axis);
}

value build_one_hot(wg_graph *g, value index, wg_extent count, wg_dtype dtype) {
    if (!index || g->error.status || !require_integers(g, "one_hot", index)) return 0;
    value wide = build_cast(g, WG_I64, index);
    value row = build_new_axis(g, wide, type_of(&g->t, index)->rank);
    return build_cast(g, dtype, build_binary(g, OP_eq, row, build_iota(g, count)));
}

/* ---- windows that start at a value ----------------------------------------------------------- */

/* start, start + 1, ...: i64[count] */
static value run_from(wg_graph *g, const char *name, value start, wg_extent count) {
    if (!start || g->error.status || !require_integers(g, name, start)) return 0;
    if (type_of(&g->t, start)->rank == 0)
        return build_add(g, build_cast(g, WG_I64, start), build_iota(g, count));
    graph_fail(g, WG_ESHAPE, "%s: the start is %s, not a scalar", name, type_name(g, start).text);
    return graph_fail_operands(g, &start, 1), 0;
}

value build_dynamic_slice(wg_graph *g, value a, value start, unsigned axis, wg_extent count) {
    if (!a || g->error.status) return 0;
    if (axis >= type_of(&g->t, a)->rank) return fail_axis(g, "dynamic_slice", a, axis);
    return build_take(g, a, run_from(g, "dynamic_slice", start, count), axis, 0);
}

value build_dynamic_update(wg_graph *g, value a, value update, value start, unsigned axis) {
    if (!a || !update || g->error.status) return 0;
    wg_type type = *type_of(&g->t, a), part = *type_of(&g->t, update), same = part;
    if (axis >= type.rank) return fail_axis(g, "dynamic_update", a, axis);
    if (part.rank == type.rank) same.extent[axis] = type.extent[axis];
    if (!type_equal(&same, &type)) {
        graph_fail(g, WG_ESHAPE, "dynamic_update: %s into %s along axis %u: all else must agree",
                   type_name(g, update).text, type_name(g, a).text, axis);
        return graph_fail_operands(g, (const value[]){a, update}, 2), 0;
    }
    value index = run_from(g, "dynamic_update", start, part.extent[axis]);
    value placed = build_scatter_add(g, update, index, axis, 0, type.extent[axis]);
    if (!placed) return 0;
    value i = build_iota(g, type.extent[axis]), first = build_cast(g, WG_I64, start);
    value behind = build_add(g, first, build_extent(g, part.extent[axis]));
    value within = build_binary(g, OP_and, build_binary(g, OP_ge, i, first),
                                build_binary(g, OP_lt, i, behind));
    type.dtype = WG_BOOL;
    return build_where(g, build_broadcast(g, within, &type, (uint32_t)1 << axis), placed, a);
}
