/* Convolution and pooling as networks lay them out: images [n,c,h,w], kernels [o,c/groups,i,j].
 * Here channels are told apart into groups, and extents follow from strides and paddings; the sums
 * are those of conv.c. The largest elements of windows are those of a view of all windows, taken
 * along one axis after the other, so that the length of a program does not depend on their size. */
#include "op/build.h"
#include "op/conv.h"
#include "op/describe.h"

#include <math.h>

static value fail_shape(wg_graph *g, const char *name, value x, const char *wrong) {
    graph_fail(g, WG_ESHAPE, "%s: %s has %s", name, type_name(g, x).text, wrong);
    return graph_fail_operands(g, &x, 1), 0;
}

/* The window with its defaults filled in; stride: that of a window which gives none. */
static bool read_window(wg_graph *g, const char *name, const wg_window *given,
                        const int64_t stride[2], int64_t least_high, wg_window *w) {
    *w = given ? *given : (wg_window){.groups = 0};
    bool good = w->groups >= 0;
    if (w->groups == 0) w->groups = 1;
    for (size_t i = 0; i < 2; i++) {
        if (w->stride[i] == 0) w->stride[i] = stride[i];
        if (w->dilation[i] == 0) w->dilation[i] = 1;
        good = good && w->stride[i] >= 1 && w->stride[i] <= INT32_MAX && w->dilation[i] >= 1 &&
               w->dilation[i] <= INT32_MAX && w->low[i] >= 0 && w->low[i] <= INT32_MAX &&
               w->high[i] >= least_high && w->high[i] <= INT32_MAX;
    }
    if (good) return true;
    graph_fail(g, WG_EARGUMENT, "%s: strides, dilations, paddings and groups must be numbers "
                                "from 0 to 2^31-1", name);
    return false;
}

/* Elements from the first of a window to its last, both counted. */
static wg_extent window_reach(wg_graph *g, const char *name, wg_extent size, int64_t dilation) {
    graph_require(g, 1, size, false, name);
    return extent_add(g, extent_mul(g, extent_sub(g, size, 1), dilation), 1);
}

/* The number of places of a window along an axis. */
static bool window_count(wg_graph *g, const char *name, const wg_window *w, size_t i,
                         wg_extent extent, wg_extent size, wg_extent *count) {
    wg_extent reach = window_reach(g, name, size, w->dilation[i]);
    wg_extent padded = extent_add(g, extent, w->low[i] + w->high[i]);
    int64_t over;
    if (g->error.status) return false;
    if (extent_difference(g, reach, padded, &over) && over > 0) {
        graph_fail(g, WG_ESHAPE, "%s: a window over %s elements does not fit into %s, padding "
                                 "included", name, extent_name(g, reach).text,
                   extent_name(g, padded).text);
        graph_hint(g, "pad the image, or take a smaller window or dilation");
        return false;
    }
    graph_require(g, reach, padded, false, name);
    return slice_count(g, 0, extent_add(g, extent_sub(g, padded, reach), 1), w->stride[i], count);
}

/* ---- convolution ----------------------------------------------------------------------------- */

/* [.., m, ..] -> [.., groups, m/groups, ..] */
static value split_groups(wg_graph *g, const char *name, value x, unsigned axis, int64_t groups) {
    wg_type type = *type_of(&g->t, x), split = type;
    wg_extent each;
    if (!slice_count(g, 0, type.extent[axis], groups, &each)) return 0;
    if (extent_mul(g, each, groups) != type.extent[axis]) {
        graph_fail(g, WG_ESHAPE, "%s: %lld groups do not divide the %s channels of %s", name,
                   (long long)groups, extent_name(g, type.extent[axis]).text, type_name(g, x).text);
        return graph_fail_operands(g, &x, 1), 0;
    }
    split.rank++;
    for (unsigned i = axis + 1; i < type.rank; i++) split.extent[i + 1] = type.extent[i];
    split.extent[axis] = groups;
    split.extent[axis + 1] = each;
    return build_reshape(g, x, &split);
}

/* The way back, of an image. */
static value join_groups(wg_graph *g, value y) {
    if (!y || g->error.status) return 0;
    wg_type type = *type_of(&g->t, y), joined = type;
    joined.rank--;
    joined.extent[1] = extent_mul(g, type.extent[1], type.extent[2]);
    for (unsigned i = 2; i < joined.rank; i++) joined.extent[i] = type.extent[i + 1];
    return g->error.status ? 0 : build_reshape(g, y, &joined);
}

/* Both directions: result is OUTPUT, or IMAGE for the transpose; extent: its own, in space. */
static value convolve(wg_graph *g, const char *name, value x, value kernel, const wg_window *w,
                      enum conv_tensor result, const wg_extent *extent) {
    wg_type a = *type_of(&g->t, x), k = *type_of(&g->t, kernel);
    wg_extent channels = result == OUTPUT ? extent_mul(g, k.extent[1], w->groups) : k.extent[0];
    if (g->error.status) return 0;
    if (a.dtype != k.dtype || channels != a.extent[1]) {
        graph_fail(g, a.dtype == k.dtype ? WG_ESHAPE : WG_EDTYPE,
                   "%s: the image %s and the kernel %s do not fit in %lld group%s", name,
                   type_name(g, x).text, type_name(g, kernel).text, (long long)w->groups,
                   w->groups == 1 ? "" : "s");
        graph_fail_operands(g, (const value[]){x, kernel}, 2);
        graph_hint(g, result == OUTPUT ? "images are [n,c,h,w], kernels [o,c/groups,i,j]"
                                       : "images are [n,o,h,w], kernels [o,c/groups,i,j]");
        return 0;
    }
    int64_t word[CONV_WORDS] = {result};
    for (size_t i = 0; i < 2; i++) {
        word[CONV_STRIDE + i] = w->stride[i];
        word[CONV_DILATION + i] = w->dilation[i];
        word[CONV_LOW + i] = w->low[i];
        word[CONV_EXTENT + i] = extent[i];
    }
    value image = split_groups(g, name, x, 1, w->groups);
    value own = image ? split_groups(g, name, kernel, 0, w->groups) : 0;
    return join_groups(g, result == OUTPUT ? build_conv(g, word, image, own)
                                           : build_conv(g, word, own, image));
}

static bool has_rank(wg_graph *g, const char *name, value x, value kernel, unsigned rank) {
    if (!x || !kernel || g->error.status) return false;
    value wrong = type_of(&g->t, x)->rank != rank        ? x
                  : type_of(&g->t, kernel)->rank != rank ? kernel
                                                         : 0;
    if (!wrong) return true;
    return fail_shape(g, name, wrong, rank == 4 ? "not the four axes [n,c,h,w] and [o,c/groups,i,j]"
                                                : "not the three axes [n,c,l] and [o,c/groups,i]");
}

value build_convolution(wg_graph *g, value x, value kernel, unsigned space, const wg_window *w) {
    const char *name = space == 1 ? "conv1d" : "conv2d";
    wg_window window;
    wg_extent extent[2];
    if (!has_rank(g, name, x, kernel, space + 2) ||
        !read_window(g, name, w, (const int64_t[]){1, 1}, 0, &window))
        return 0;
    if (space == 1) { /* an image of one line */
        x = build_new_axis(g, x, 2);
        kernel = build_new_axis(g, kernel, 2);
        window.stride[1] = window.stride[0];
        window.dilation[1] = window.dilation[0];
        window.low[1] = window.low[0];
        window.high[1] = window.high[0];
        window.low[0] = window.high[0] = 0;
        window.stride[0] = window.dilation[0] = 1;
    }
    if (!x || !kernel) return 0;
    wg_type a = *type_of(&g->t, x), k = *type_of(&g->t, kernel);
    for (size_t i = 0; i < 2; i++)
        if (!window_count(g, name, &window, i, a.extent[2 + i], k.extent[2 + i], &extent[i]))
            return 0;
    value y = convolve(g, name, x, kernel, &window, OUTPUT, extent);
    return y && space == 1 ? build_squeeze(g, y, 1u << 2) : y;
}

value build_conv_transpose(wg_graph *g, value x, value kernel, const wg_window *w) {
    static const char name[] = "conv_transpose2d";
    wg_window window;
    wg_extent extent[2];
    if (!has_rank(g, name, x, kernel, 4) ||
        !read_window(g, name, w, (const int64_t[]){1, 1}, -INT32_MAX, &window))
        return 0;
    wg_type a = *type_of(&g->t, x), k = *type_of(&g->t, kernel);
    for (size_t i = 0; i < 2; i++) {
        wg_extent last = extent_mul(g, extent_sub(g, a.extent[2 + i], 1), window.stride[i]);
        wg_extent reach = window_reach(g, name, k.extent[2 + i], window.dilation[i]);
        wg_extent full = extent_add(g, last, reach);
        graph_require(g, window.low[i] + window.high[i], full, false, name);
        extent[i] = extent_sub(g, full, window.low[i] + window.high[i]);
    }
    if (g->error.status) return 0;
    return convolve(g, name, x, kernel, &window, IMAGE, extent);
}

/* ---- pooling --------------------------------------------------------------------------------- */

static bool read_pool(wg_graph *g, const char *name, value x, const int64_t size[2],
                      const wg_window *given, wg_window *w, wg_extent *count) {
    if (!x || g->error.status || !require_floats(g, name, x)) return false;
    if (type_of(&g->t, x)->rank != 4)
        return fail_shape(g, name, x, "not the four axes [n,c,h,w]");
    if (!size || size[0] < 1 || size[1] < 1 || size[0] > INT32_MAX || size[1] > INT32_MAX) {
        graph_fail(g, WG_EARGUMENT, "%s: the two numbers of the size must be at least 1", name);
        return false;
    }
    if (!read_window(g, name, given, size, 0, w)) return false;
    for (size_t i = 0; i < 2; i++)
        if (!window_count(g, name, w, i, type_of(&g->t, x)->extent[2 + i], size[i], &count[i]))
            return false;
    return true;
}

/* place * stride + element * dilation: i64[count, size] */
static value window_index(wg_graph *g, const wg_window *w, size_t i, wg_extent count,
                          int64_t size) {
    value place = build_mul(g, build_iota(g, count),
                            build_number(g, WG_I64, (double)w->stride[i]));
    value element = build_mul(g, build_iota(g, size),
                              build_number(g, WG_I64, (double)w->dilation[i]));
    return place ? build_add(g, build_new_axis(g, place, 1), element) : 0;
}

value build_max_pool(wg_graph *g, value x, const int64_t size[2], const wg_window *w) {
    wg_window window;
    wg_extent count[2], low[4] = {0}, high[4] = {0};
    if (!read_pool(g, "max_pool2d", x, size, w, &window, count)) return 0;
    bool padded = false;
    for (size_t i = 0; i < 2; i++) {
        low[2 + i] = window.low[i];
        high[2 + i] = window.high[i];
        padded = padded || window.low[i] || window.high[i];
    }
    if (padded) x = build_pad_with(g, x, low, high, -INFINITY);
    /* [n,c,p,i,w], then [n,c,p,i,q,j] */
    x = build_take(g, x, window_index(g, &window, 0, count[0], size[0]), 2, 0);
    x = build_take(g, x, window_index(g, &window, 1, count[1], size[1]), 4, 0);
    return build_reduce_max(g, x, 1u << 3 | 1u << 5);
}

/* A convolution of every channel on its own, as an image of its own, with equal weights. */
value build_avg_pool(wg_graph *g, value x, const int64_t size[2], const wg_window *w) {
    wg_window window;
    wg_extent count[2];
    if (!read_pool(g, "avg_pool2d", x, size, w, &window, count)) return 0;
    window.groups = 1;
    wg_type type = *type_of(&g->t, x), apart = type, y = type;
    wg_type kernel = {.dtype = type.dtype, .rank = 4, .extent = {1, 1, size[0], size[1]}};
    apart.extent[0] = extent_mul(g, type.extent[0], type.extent[1]);
    apart.extent[1] = 1;
    if (g->error.status) return 0;
    value weight = build_full(g, &kernel, 1 / ((double)size[0] * (double)size[1]));
    value images = build_reshape(g, x, &apart);
    if (!weight || !images) return 0;
    value mean = convolve(g, "avg_pool2d", images, weight, &window, OUTPUT, count);
    for (size_t i = 0; i < 2; i++) y.extent[2 + i] = count[i];
    return mean ? build_reshape(g, mean, &y) : 0;
}
