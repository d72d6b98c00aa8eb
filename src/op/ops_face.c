/* The public functions of wengert/ops.h: as in face.c, they check what only the public interface
 * can get wrong, note the caller's line, and leave the rest to the builders. */
#include "op/build.h"
#include "op/describe.h"
#include "op/face.h"

#include "wengert/ops.h"

#include <string.h>

/* ---- shape ----------------------------------------------------------------------------------- */

wg_var wg_pad_at(const char *file, int line, wg_var x, const wg_extent *low, const wg_extent *high,
                 double number) {
    wg_graph *g = face_enter(file, line, "pad", 1, &x);
    for (size_t i = 0; g && i < type_of(&g->t, x.id)->rank; i++)
        if (!face_extent(g, "pad", low[i]) || !face_extent(g, "pad", high[i]))
            return face_result(x, g, 0);
    return face_result(x, g, g ? build_pad_with(g, x.id, low, high, number) : 0);
}

wg_var wg_reverse_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "reverse", x, count, axis, build_reverse);
}

/* None listed: those of the constant extent 1, instead of all. */
wg_var wg_squeeze_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    wg_graph *g = face_enter(file, line, "squeeze", 1, &x);
    uint32_t mask;
    if (!g || !face_axes(g, "squeeze", x.id, count, axis, &mask)) return face_result(x, g, 0);
    const wg_type *type = type_of(&g->t, x.id);
    for (size_t i = 0; i < type->rank && count == 0; i++)
        if (type->extent[i] != 1) mask &= ~((uint32_t)1 << i);
    return face_result(x, g, build_squeeze(g, x.id, mask));
}

wg_var wg_expand_at(const char *file, int line, wg_var x, int axis) {
    wg_graph *g = face_enter(file, line, "expand", 1, &x);
    if (!g) return face_result(x, g, 0);
    int rank = type_of(&g->t, x.id)->rank + 1;
    if (axis >= -rank && axis < rank)
        return face_result(x, g,
                           build_new_axis(g, x.id, (unsigned)(axis < 0 ? axis + rank : axis)));
    graph_fail(g, WG_ESHAPE, "expand: axis %d of a result of rank %d", axis, rank);
    graph_fail_operands(g, &x.id, 1);
    return face_result(x, g, 0);
}

wg_var wg_stack_at(const char *file, int line, int axis, size_t count, const wg_var *part) {
    return face_joined(file, line, "stack", count, part, axis, true, build_stack);
}

wg_var wg_tile_at(const char *file, int line, wg_var x, size_t count, const wg_extent *times) {
    wg_graph *g = face_enter(file, line, "tile", 1, &x);
    if (!g) return face_result(x, g, 0);
    if (count != type_of(&g->t, x.id)->rank) {
        graph_fail(g, WG_ESHAPE, "tile: %zu numbers of copies for %s; one an axis is needed", count,
                   type_name(g, x.id).text);
        graph_fail_operands(g, &x.id, 1);
        return face_result(x, g, 0);
    }
    for (size_t i = 0; i < count; i++)
        if (!face_extent(g, "tile", times[i])) return face_result(x, g, 0);
    return face_result(x, g, build_tile(g, x.id, times));
}

/* ---- reductions and scans -------------------------------------------------------------------- */

wg_var wg_reduce_min_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "reduce_min", x, count, axis, build_reduce_min);
}

wg_var wg_prod_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "prod", x, count, axis, build_prod);
}

wg_var wg_any_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "any", x, count, axis, build_any);
}

wg_var wg_all_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "all", x, count, axis, build_all);
}

wg_var wg_variance_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "variance", x, count, axis, build_variance);
}

wg_var wg_norm_of_order_at(const char *file, int line, wg_var x, double p, size_t count,
                           const int *axis) {
    wg_graph *g = face_enter(file, line, "norm", 1, &x);
    uint32_t mask;
    bool good = g && face_axes(g, "norm", x.id, count, axis, &mask);
    return face_result(x, g, good ? build_norm_of_order(g, x.id, p, mask) : 0);
}

wg_var wg_layer_norm_at(const char *file, int line, wg_var x, double epsilon, size_t count,
                        const int *axis) {
    wg_graph *g = face_enter(file, line, "layer_norm", 1, &x);
    uint32_t mask;
    bool good = g && face_axes(g, "layer_norm", x.id, count, axis, &mask);
    return face_result(x, g, good ? build_layer_norm(g, x.id, mask, epsilon) : 0);
}

wg_var wg_argmin_at(const char *file, int line, wg_var x, int axis) {
    return face_along_axis(file, line, "argmin", x, axis, build_argmin);
}

wg_var wg_sort_at(const char *file, int line, wg_var x, int axis) {
    return face_along_axis(file, line, "sort", x, axis, build_sort);
}

wg_var wg_argsort_at(const char *file, int line, wg_var x, int axis) {
    return face_along_axis(file, line, "argsort", x, axis, build_argsort);
}

static wg_var scan(const char *file, int line, const char *name, wg_var x, int axis, bool reverse,
                   value (*build)(wg_graph *, value, unsigned, bool)) {
    wg_graph *g = face_enter(file, line, name, 1, &x);
    unsigned at;
    bool good = g && face_axis(g, name, x.id, axis, &at);
    return face_result(x, g, good ? build(g, x.id, at, reverse) : 0);
}

wg_var wg_cumsum_at(const char *file, int line, wg_var x, int axis, bool reverse) {
    return scan(file, line, "cumsum", x, axis, reverse, build_cumsum);
}

wg_var wg_cumprod_at(const char *file, int line, wg_var x, int axis, bool reverse) {
    return scan(file, line, "cumprod", x, axis, reverse, build_cumprod);
}

wg_var wg_recur_at(const char *file, int line, wg_var a, wg_var b, int axis, bool reverse) {
    wg_graph *g = face_enter(file, line, "recur", 2, (const wg_var[]){a, b});
    unsigned at;
    bool good = g && face_axis(g, "recur", a.id, axis, &at);
    return face_result(a.graph ? a : b, g, good ? build_recur(g, a.id, b.id, at, reverse) : 0);
}

/* ---- indexing -------------------------------------------------------------------------------- */

wg_var wg_take_along_at(const char *file, int line, wg_var x, wg_var index, int axis) {
    wg_graph *g = face_enter(file, line, "take_along", 2, (const wg_var[]){x, index});
    unsigned at;
    bool good = g && face_axis(g, "take_along", x.id, axis, &at);
    return face_result(x.graph ? x : index, g, good ? build_take_along(g, x.id, index.id, at) : 0);
}

wg_var wg_scatter_along_at(const char *file, int line, wg_var update, wg_var index, int axis,
                           wg_extent extent) {
    wg_graph *g = face_enter(file, line, "scatter_along", 2, (const wg_var[]){update, index});
    unsigned at;
    bool good = g && face_axis(g, "scatter_along", update.id, axis, &at) &&
                face_extent(g, "scatter_along", extent);
    return face_result(update.graph ? update : index, g,
                       good ? build_scatter_along(g, update.id, index.id, at, extent) : 0);
}

wg_var wg_one_hot_at(const char *file, int line, wg_var index, wg_extent count, wg_dtype dtype) {
    wg_graph *g = face_enter(file, line, "one_hot", 1, &index);
    if (!g || !face_extent(g, "one_hot", count)) return face_result(index, g, 0);
    if ((unsigned)dtype < WG_DTYPE_COUNT)
        return face_result(index, g, build_one_hot(g, index.id, count, dtype));
    return face_result(index, g,
                       graph_fail(g, WG_EDTYPE, "one_hot: %d is no element type", (int)dtype));
}

wg_var wg_dynamic_slice_at(const char *file, int line, wg_var x, wg_var start, int axis,
                           wg_extent count) {
    wg_graph *g = face_enter(file, line, "dynamic_slice", 2, (const wg_var[]){x, start});
    unsigned at;
    bool good = g && face_axis(g, "dynamic_slice", x.id, axis, &at) &&
                face_extent(g, "dynamic_slice", count);
    return face_result(x.graph ? x : start, g,
                       good ? build_dynamic_slice(g, x.id, start.id, at, count) : 0);
}

wg_var wg_dynamic_update_at(const char *file, int line, wg_var x, wg_var update, wg_var start,
                            int axis) {
    wg_graph *g = face_enter(file, line, "dynamic_update", 3, (const wg_var[]){x, update, start});
    unsigned at;
    bool good = g && face_axis(g, "dynamic_update", x.id, axis, &at);
    return face_result(x, g, good ? build_dynamic_update(g, x.id, update.id, start.id, at) : 0);
}

/* ---- random numbers -------------------------------------------------------------------------- */

static wg_var face_draw(const char *file, int line, const char *name, wg_var key, wg_var counter,
                        wg_type type,
                        value (*build)(wg_graph *, value, value, const wg_type *)) {
    wg_graph *g = face_enter(file, line, name, 2, (const wg_var[]){key, counter});
    bool good = g && type.dtype < WG_DTYPE_COUNT && type.rank <= WG_MAX_RANK;
    if (g && !good) graph_fail(g, WG_EARGUMENT, "%s: what is asked for is no type", name);
    for (size_t i = 0; good && i < type.rank; i++) good = face_extent(g, name, type.extent[i]);
    return face_result(key.graph ? key : counter, g,
                       good ? build(g, key.id, counter.id, &type) : 0);
}

wg_var wg_draw_bits_at(const char *file, int line, wg_var key, wg_var counter, wg_type type) {
    return face_draw(file, line, "draw_bits", key, counter, type, build_draw_bits);
}

wg_var wg_draw_uniform_at(const char *file, int line, wg_var key, wg_var counter, wg_type type) {
    return face_draw(file, line, "draw_uniform", key, counter, type, build_draw_uniform);
}

wg_var wg_draw_normal_at(const char *file, int line, wg_var key, wg_var counter, wg_type type) {
    return face_draw(file, line, "draw_normal", key, counter, type, build_draw_normal);
}

/* ---- Einstein's summation -------------------------------------------------------------------- */

static value named_einsum(wg_graph *g, const char *text, const value *x, size_t count) {
    if (!text) return graph_fail(g, WG_EARGUMENT, "einsum: the text is NULL");
    return build_einsum(g, text, strlen(text), x, count);
}

wg_var wg_einsum_at(const char *file, int line, const char *text, size_t count, const wg_var *x) {
    if (count == 0 || !x) return (wg_var){NULL, 0};
    wg_graph *g = face_enter(file, line, "einsum", count, x);
    if (!g) return face_result(x[0], g, 0);
    size_t bytes = count * sizeof(value);
    value *id = mem_alloc(&g->t.allocator, bytes);
    if (!id) return fail_memory(&g->error), face_result(x[0], g, 0);
    for (size_t i = 0; i < count; i++) id[i] = x[i].id;
    value y = named_einsum(g, text, id, count);
    mem_free(&g->t.allocator, id, bytes);
    return face_result(x[0], g, y);
}

/* ---- convolution and pooling ----------------------------------------------------------------- */

wg_var wg_conv2d_at(const char *file, int line, wg_var x, wg_var kernel, const wg_window *window) {
    wg_graph *g = face_enter(file, line, "conv2d", 2, (const wg_var[]){x, kernel});
    return face_result(x.graph ? x : kernel, g,
                       g ? build_convolution(g, x.id, kernel.id, 2, window) : 0);
}

wg_var wg_conv1d_at(const char *file, int line, wg_var x, wg_var kernel, const wg_window *window) {
    wg_graph *g = face_enter(file, line, "conv1d", 2, (const wg_var[]){x, kernel});
    return face_result(x.graph ? x : kernel, g,
                       g ? build_convolution(g, x.id, kernel.id, 1, window) : 0);
}

wg_var wg_conv_transpose2d_at(const char *file, int line, wg_var x, wg_var kernel,
                              const wg_window *window) {
    wg_graph *g = face_enter(file, line, "conv_transpose2d", 2, (const wg_var[]){x, kernel});
    return face_result(x.graph ? x : kernel, g,
                       g ? build_conv_transpose(g, x.id, kernel.id, window) : 0);
}

wg_var wg_max_pool2d_at(const char *file, int line, wg_var x, const int64_t size[2],
                        const wg_window *window) {
    wg_graph *g = face_enter(file, line, "max_pool2d", 1, &x);
    return face_result(x, g, g ? build_max_pool(g, x.id, size, window) : 0);
}

wg_var wg_avg_pool2d_at(const char *file, int line, wg_var x, const int64_t size[2],
                        const wg_window *window) {
    wg_graph *g = face_enter(file, line, "avg_pool2d", 1, &x);
    return face_result(x, g, g ? build_avg_pool(g, x.id, size, window) : 0);
}
