/* More operations for graphs: shape, reductions and scans, order, indexing, windows, einsum.
 * The conventions are those of wengert/graph.h: axes count from the end if negative, a list of none
 * is all, errors are the graph's. Functions made of several operations have the derivatives that
 * follow from those; docs/conventions.md lists edge points. */
#ifndef WENGERT_OPS_H
#define WENGERT_OPS_H

#include "wengert/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- shape ----------------------------------------------------------------------------------- */

/* low[i] times the number before axis i of x and high[i] times behind it, for every axis. Extents
 * of at least 0: slices take away. The number has no derivative. */
WG_API wg_var wg_pad_at(const char *file, int line, wg_var x, const wg_extent *low,
                        const wg_extent *high, double number);
/* The elements along the axes listed (none: all) from the last to the first. */
WG_API wg_var wg_reverse_at(const char *file, int line, wg_var x, size_t count, const int *axis);
/* x without the axes listed, which must have the constant extent 1; none listed: all of those. */
WG_API wg_var wg_squeeze_at(const char *file, int line, wg_var x, size_t count, const int *axis);
/* A new axis of extent 1, which is axis `axis` of the result. */
WG_API wg_var wg_expand_at(const char *file, int line, wg_var x, int axis);
/* Parts of one type side by side along a new axis, which is axis `axis` of the result. */
WG_API wg_var wg_stack_at(const char *file, int line, int axis, size_t count, const wg_var *part);
/* times[i] copies of x one behind the other along axis i; one number for every axis. */
WG_API wg_var wg_tile_at(const char *file, int line, wg_var x, size_t count,
                         const wg_extent *times);

/* ---- reductions over the axes listed (none listed: all) -------------------------------------- */

/* The smallest element: NaN if there is one; of nothing +inf for floating types, an error at the
 * call for integers. Ties share the derivative equally. */
WG_API wg_var wg_reduce_min_at(const char *file, int line, wg_var x, size_t count, const int *axis);
/* The product, 1 of nothing, in the order of the elements. Derivatives of every order are right
 * where elements are 0. Integers wrap around. */
WG_API wg_var wg_prod_at(const char *file, int line, wg_var x, size_t count, const int *axis);
/* bool -> bool: whether any, or every, element is true; of nothing false, and true. */
WG_API wg_var wg_any_at(const char *file, int line, wg_var x, size_t count, const int *axis);
WG_API wg_var wg_all_at(const char *file, int line, wg_var x, size_t count, const int *axis);
/* The mean of (x - mean x)^2: divided by the count, not by one less; of nothing NaN. */
WG_API wg_var wg_variance_at(const char *file, int line, wg_var x, size_t count, const int *axis);
/* (sum |x|^p)^(1/p) for p > 0, scaled so that no power overflows or vanishes; the sum of |x| for 1,
 * wg_norm for 2, the largest |x| for INFINITY. Of nothing 0. Where an element is 0 it adds nothing
 * to the derivative, and where the norm is 0 the derivative is 0, also for p < 1. */
WG_API wg_var wg_norm_of_order_at(const char *file, int line, wg_var x, double p, size_t count,
                                  const int *axis);
/* (x - mean x) / sqrt(variance x + epsilon) over the axes, epsilon >= 0; gain and bias are a
 * product and a sum of the caller's (Ba, Kiros and Hinton, 2016). */
WG_API wg_var wg_layer_norm_at(const char *file, int line, wg_var x, double epsilon, size_t count,
                               const int *axis);

/* ---- along one axis -------------------------------------------------------------------------- */

/* The index (i64) of the smallest element, the first of equal ones; a NaN counts as smallest. */
WG_API wg_var wg_argmin_at(const char *file, int line, wg_var x, int axis);
/* In ascending order, NaN last, equal ones in their order; the indices (i64) that put it so. The
 * derivative of the sorted values goes to where each came from. O(n log n) whatever the order;
 * for descending order reverse. */
WG_API wg_var wg_sort_at(const char *file, int line, wg_var x, int axis);
WG_API wg_var wg_argsort_at(const char *file, int line, wg_var x, int axis);
/* Running sums and products, from the end if `reverse`; derivatives as those of sum and prod. */
WG_API wg_var wg_cumsum_at(const char *file, int line, wg_var x, int axis, bool reverse);
WG_API wg_var wg_cumprod_at(const char *file, int line, wg_var x, int axis, bool reverse);
/* a and b of one type: y_i = a_i y_(i-1) + b_i, beginning with y_0 = b_0; from the end if
 * `reverse`. */
WG_API wg_var wg_recur_at(const char *file, int line, wg_var a, wg_var b, int axis, bool reverse);

/* ---- indexing: i32 and i64, WG_EINDEX at the call for what is outside the axis --------------- */

/* An index for every place, of x's extents but along the axis: y[.., i, ..] =
 * x[.., index[.., i, ..], ..]. */
WG_API wg_var wg_take_along_at(const char *file, int line, wg_var x, wg_var index, int axis);
/* Its transpose: zeros with `extent` along the axis, to which update[.., i, ..] is added at
 * index[.., i, ..]. update and index of one shape. */
WG_API wg_var wg_scatter_along_at(const char *file, int line, wg_var update, wg_var index, int axis,
                                  wg_extent extent);
/* index [...] -> dtype [..., count]: 1 at the index, else 0; all 0 where the index is outside. */
WG_API wg_var wg_one_hot_at(const char *file, int line, wg_var index, wg_extent count,
                            wg_dtype dtype);
/* count elements along the axis from `start` on, an integer scalar that the call computes; x with
 * such a stretch replaced. A stretch that leaves the axis is WG_EINDEX at the call: it is not
 * moved. */
WG_API wg_var wg_dynamic_slice_at(const char *file, int line, wg_var x, wg_var start, int axis,
                                  wg_extent count);
WG_API wg_var wg_dynamic_update_at(const char *file, int line, wg_var x, wg_var update,
                                   wg_var start, int axis);

/* ---- random numbers -------------------------------------------------------------------------- */

/* Numbers of a type as a pure function of key and counter, i32 or i64: the same arguments give the
 * same numbers everywhere; two counters of one key share none of their blocks of bits. So a
 * program that needs new numbers in every call takes a counter as input, say the step's number.
 * Keys and counters of shape [b...], of which one may be a scalar, give results [b..., type's
 * shape...]: one draw for each. A mapped draw whose key and counter are not mapped is one for all
 * examples. Derivatives are zero. The source is Philox4x32-10 (Salmon, Moraes, Dror and Shaw,
 * 2011), not for secrets.
 *
 * All bits of an i32 or i64; f32 or f64 in [0, 1), multiples of 2^-24 or 2^-53; f32 or f64 of mean
 * 0 and variance 1 by Box and Muller's formula, at most 5.8 or 8.6 from 0, of at most WG_MAX_RANK -
 * 1 axes. WG_EDTYPE for other types, WG_ESHAPE for keys and counters of two shapes. */
WG_API wg_var wg_draw_bits_at(const char *file, int line, wg_var key, wg_var counter,
                              wg_type type);
WG_API wg_var wg_draw_uniform_at(const char *file, int line, wg_var key, wg_var counter,
                                 wg_type type);
WG_API wg_var wg_draw_normal_at(const char *file, int line, wg_var key, wg_var counter,
                                wg_type type);

/* ---- convolution and pooling ----------------------------------------------------------------- */

/* How a window moves over an image, along its height and its width; all zero, or NULL, is the plain
 * one. low and high are zeros (for the largest element: nothing) before and behind the image. */
typedef struct wg_window {
    int64_t stride[2];   /* 0: 1, and for pooling the window's size */
    int64_t dilation[2]; /* distance of the window's elements; 0: 1 */
    int64_t low[2], high[2];
    int64_t groups; /* of channels, each with kernels of its own; 0: 1 */
} wg_window;

/* x [n,c,h,w], kernel [o,c/groups,i,j] -> [n,o,p,q] with p = floor((h + low + high -
 * ((i-1)*dilation + 1)) / stride) + 1, likewise q: y[n,o,p,q] = the sum over c, i, j of
 * x[n,c, p*stride + i*dilation - low, ..] * kernel[o,c,i,j]; the kernel is not turned around. The
 * window must fit into the padded image. f32, f64 and integers. */
WG_API wg_var wg_conv2d_at(const char *file, int line, wg_var x, wg_var kernel,
                           const wg_window *window);
/* x [n,c,l], kernel [o,c/groups,i] -> [n,o,p]: the same; the window's first numbers count. */
WG_API wg_var wg_conv1d_at(const char *file, int line, wg_var x, wg_var kernel,
                           const wg_window *window);
/* The transpose of wg_conv2d in its image: x [n,o,p,q], kernel [o,c/groups,i,j] -> [n,c,h,w] with
 * h = (p-1)*stride + (i-1)*dilation + 1 - low - high, likewise w. Where a stride left some of the
 * image behind, a negative high adds it again. */
WG_API wg_var wg_conv_transpose2d_at(const char *file, int line, wg_var x, wg_var kernel,
                                     const wg_window *window);
/* The largest element, and the mean, of every window of size[0] by size[1] of x [n,c,h,w], f32 or
 * f64. Ties share the derivative equally, NaN is the largest; padding counts as zeros of the mean.
 * Extents follow as for wg_conv2d; groups have no meaning here. */
WG_API wg_var wg_max_pool2d_at(const char *file, int line, wg_var x, const int64_t size[2],
                               const wg_window *window);
WG_API wg_var wg_avg_pool2d_at(const char *file, int line, wg_var x, const int64_t size[2],
                               const wg_window *window);

/* ---- Einstein's summation -------------------------------------------------------------------- */

/* wg_einsum("bij,bjk->bik", a, b): a letter for every axis of every operand; letters that the
 * result lacks are summed over, a letter that an operand has twice is its diagonal. Without "->",
 * the result has the letters that occur once, in alphabetical order, capitals first. A letter has
 * one extent: nothing stretches. "..." stands for the axes of an operand that have no letter,
 * aligned at the last of them; there an extent 1 stretches to the others', the result must have
 * them, and without "->" has them first: "...ij,jk->...ik". Operands are contracted from the left
 * to the right. */
WG_API wg_var wg_einsum_at(const char *file, int line, const char *text, size_t count,
                           const wg_var *x);

#ifndef __cplusplus
/* Behind the named arguments an array of variables, counted. */
#define WG_VARS_(...)                                                                              \
    sizeof((wg_var[]){__VA_ARGS__}) / sizeof(wg_var), (const wg_var[]){__VA_ARGS__}
#define WG_INTS_(T, ...)                                                                           \
    sizeof((T[]){0, __VA_ARGS__}) / sizeof(T) - 1, (const T[]){0, __VA_ARGS__} + 1

/* wg_pad(x, low, high, number) with two arrays */
#define wg_pad(x, low, high, number) wg_pad_at(WG_HERE, x, low, high, number)
/* wg_reverse(x), wg_reverse(x, 0, 1), and so on */
#define wg_reverse(...) wg_reverse_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_squeeze(...) wg_squeeze_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_expand(x, axis) wg_expand_at(WG_HERE, x, axis)
/* wg_stack(axis, a, b, ...) */
#define wg_stack(axis, ...) wg_stack_at(WG_HERE, axis, WG_VARS_(__VA_ARGS__))
/* wg_tile(x, 2, 1) for a matrix */
#define wg_tile(...) wg_tile_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(wg_extent, __VA_ARGS__))
#define wg_reduce_min(...) \
    wg_reduce_min_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_prod(...) wg_prod_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_any(...) wg_any_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_all(...) wg_all_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_variance(...) \
    wg_variance_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
/* wg_norm_of_order(x, p, axes...), wg_layer_norm(x, epsilon, axes...): at least one axis */
#define wg_norm_of_order(x, p, ...) wg_norm_of_order_at(WG_HERE, x, p, WG_INTS_(int, __VA_ARGS__))
#define wg_layer_norm(x, epsilon, ...) \
    wg_layer_norm_at(WG_HERE, x, epsilon, WG_INTS_(int, __VA_ARGS__))
#define wg_argmin(x, axis) wg_argmin_at(WG_HERE, x, axis)
#define wg_sort(x, axis) wg_sort_at(WG_HERE, x, axis)
#define wg_argsort(x, axis) wg_argsort_at(WG_HERE, x, axis)
#define wg_cumsum(x, axis) wg_cumsum_at(WG_HERE, x, axis, false)
#define wg_cumprod(x, axis) wg_cumprod_at(WG_HERE, x, axis, false)
#define wg_recur(a, b, axis) wg_recur_at(WG_HERE, a, b, axis, false)
#define wg_take_along(x, index, axis) wg_take_along_at(WG_HERE, x, index, axis)
#define wg_scatter_along(update, index, axis, extent) \
    wg_scatter_along_at(WG_HERE, update, index, axis, extent)
#define wg_one_hot(index, count, dtype) wg_one_hot_at(WG_HERE, index, count, dtype)
#define wg_dynamic_slice(x, start, axis, count) wg_dynamic_slice_at(WG_HERE, x, start, axis, count)
#define wg_dynamic_update(x, update, start, axis) \
    wg_dynamic_update_at(WG_HERE, x, update, start, axis)
/* wg_draw_normal(key, counter, wg_f64(n, 3)) */
#define wg_draw_bits(key, counter, ...) wg_draw_bits_at(WG_HERE, key, counter, __VA_ARGS__)
#define wg_draw_uniform(key, counter, ...) wg_draw_uniform_at(WG_HERE, key, counter, __VA_ARGS__)
#define wg_draw_normal(key, counter, ...) wg_draw_normal_at(WG_HERE, key, counter, __VA_ARGS__)
/* wg_conv2d(x, k, NULL), wg_conv2d(x, k, &(wg_window){.stride = {2, 2}, .low = {1, 1}}) */
#define wg_conv2d(x, kernel, window) wg_conv2d_at(WG_HERE, x, kernel, window)
#define wg_conv1d(x, kernel, window) wg_conv1d_at(WG_HERE, x, kernel, window)
#define wg_conv_transpose2d(x, kernel, window) wg_conv_transpose2d_at(WG_HERE, x, kernel, window)
/* wg_max_pool2d(x, ((int64_t[]){2, 2}), NULL) */
#define wg_max_pool2d(x, size, window) wg_max_pool2d_at(WG_HERE, x, size, window)
#define wg_avg_pool2d(x, size, window) wg_avg_pool2d_at(WG_HERE, x, size, window)
#define wg_einsum(text, ...) wg_einsum_at(WG_HERE, text, WG_VARS_(__VA_ARGS__))
#endif

#ifdef __cplusplus
}
#endif
#endif
