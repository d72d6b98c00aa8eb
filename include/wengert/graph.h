/* Building programs: a graph grows by calls, wg_build makes it a program.
 *
 * A graph remembers its first error; later calls on it do nothing and give variables that mean
 * nothing, and wg_build reports it. So a function may be written without any checks. One graph is
 * used by one thread at a time; any number of graphs may be used at once.
 *
 * Names below ending in _at take the caller's file and line, which every error and printed trace
 * cites; the macros without _at fill them in. */
#ifndef WENGERT_GRAPH_H
#define WENGERT_GRAPH_H

#include "wengert/base.h"
#include "wengert/program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_graph wg_graph;

/* A value of a graph. A struct, so that `if (x > 1)` on a traced value does not compile. */
typedef struct wg_var {
    wg_graph *graph;
    uint32_t id;
} wg_var;

/* An operand: a variable, or a number that takes the element type of its partner. */
typedef struct wg_arg {
    wg_var var;
    double number;
    bool is_number;
} wg_arg;

static inline wg_arg wg_arg_var(wg_var x) {
    wg_arg a = {x, 0, false};
    return a;
}
static inline wg_arg wg_arg_number(double x) {
    wg_arg a = {{NULL, 0}, x, true};
    return a;
}

/* A new graph, NULL without memory. With NULL for the allocator the standard one is used. */
WG_API wg_graph *wg_graph_new(void);
WG_API wg_graph *wg_graph_new_with(const wg_allocator *allocator);
/* Only for a graph that is not given to wg_build. */
WG_API void wg_graph_free(wg_graph *g);
/* The graph's first error, for a look before wg_build; status WG_OK if there is none. Borrowed. */
WG_API const wg_error *wg_graph_error(const wg_graph *g);
/* The program, without dead code. Takes the graph: it is freed, also on error (then NULL). */
WG_API wg_program *wg_build(wg_graph *g, wg_error *error);

#define WG_HERE __FILE__, __LINE__

/* ---- leaves ---------------------------------------------------------------------------------- */

/* A size that the call gives, at least 0. The same name is the same size. */
WG_API wg_extent wg_size_at(const char *file, int line, wg_graph *g, const char *name);
/* Arithmetic on extents, constant or named; WG_EOVERFLOW where a coefficient leaves 64 bits. */
WG_API wg_extent wg_extent_add(wg_graph *g, wg_extent a, wg_extent b);
WG_API wg_extent wg_extent_sub(wg_graph *g, wg_extent a, wg_extent b);
WG_API wg_extent wg_extent_mul(wg_graph *g, wg_extent a, wg_extent b);
/* An input, in the order of these calls. The name is copied; WG_ENAME where it is taken. */
WG_API wg_var wg_input_at(const char *file, int line, wg_graph *g, const char *name, wg_type type);
/* x as an output, in the order of these calls; one value may be several. Names as for inputs, of
 * which an output may have one again. */
WG_API void wg_output_at(const char *file, int line, wg_graph *g, const char *name, wg_var x);
/* A scalar constant; WG_EDTYPE for a number that the type does not hold. */
WG_API wg_var wg_number_at(const char *file, int line, wg_graph *g, wg_dtype dtype, double number);
/* A constant tensor of constant extents; the data are copied. */
WG_API wg_var wg_constant_at(const char *file, int line, wg_graph *g, wg_type type,
                             const void *data);
/* The number everywhere; extents may be named. */
WG_API wg_var wg_full_at(const char *file, int line, wg_graph *g, wg_type type, double number);
/* 0, 1, ..., count-1: i64[count]. */
WG_API wg_var wg_iota_at(const char *file, int line, wg_graph *g, wg_extent count);
/* An extent as a value: i64[], what it is at the call. */
WG_API wg_var wg_extent_value_at(const char *file, int line, wg_graph *g, wg_extent extent);
/* Of an x that means nothing, a bool scalar. */
WG_API wg_type wg_type_of_var(wg_var x);
/* The extent of axis (negative: from the end). */
WG_API wg_extent wg_extent_of(wg_var x, int axis);

/* ---- elementwise: wg_sin(x), wg_add(a, b), ... are in wengert/elementwise.h ------------------ */

/* condition bool, broadcast with a and b: a where it is true, else b. Both are evaluated; the one
 * not taken sends nothing to any derivative. */
WG_API wg_var wg_where_at(const char *file, int line, wg_var condition, wg_arg a, wg_arg b);
/* x in another element type: from floating numbers to integers towards 0, at the ends of the range
 * beyond it, 0 for NaN; from i64 to i32 the low 32 bits; to bool whether it is not 0. Between
 * floating types tangents and adjoints are cast likewise; to and from others the derivative is
 * 0. */
WG_API wg_var wg_cast_at(const char *file, int line, wg_dtype dtype, wg_var x);
/* x, taken for a constant by every derivative: zero in both modes and every order. Differences do
 * not know that, so wg_check_gradient disagrees where x matters. */
WG_API wg_var wg_stop_gradient_at(const char *file, int line, wg_var x);

/* ---- shape ----------------------------------------------------------------------------------- */

/* x in row-major order under new extents of the same count; one extent may be WG_INFER. */
#define WG_INFER INT64_MIN
WG_API wg_var wg_reshape_at(const char *file, int line, wg_var x, size_t rank,
                            const wg_extent *extent);
/* Result axis i is x's axis perm[i]; rank 0 for all axes reversed. */
WG_API wg_var wg_transpose_at(const char *file, int line, wg_var x, size_t rank, const int *perm);
/* x stretched to these extents: aligned at the last axis, as far as x has the constant extent 1
 * there, or no axis. */
WG_API wg_var wg_broadcast_at(const char *file, int line, wg_var x, size_t rank,
                              const wg_extent *extent);
/* Axis `axis`, elements start, start + step, ... before stop; for a negative step those above stop.
 * WG_INFER for start or stop: from, or to, the end of the axis, so that (x, 0, WG_INFER, WG_INFER,
 * -1) reverses. What leaves the axis is an error, here or at the call. */
WG_API wg_var wg_slice_at(const char *file, int line, wg_var x, int axis, wg_extent start,
                          wg_extent stop, int64_t step);
/* count parts one behind the other along an axis; their other extents agree. */
WG_API wg_var wg_concat_at(const char *file, int line, int axis, size_t count, const wg_var *part);

/* ---- reductions over the axes listed (none listed: all; negative: from the end) -------------- */
/* The sum over nothing is 0, the mean of nothing NaN, the maximum of nothing -inf for floating
 * types (an error at the call for integers), logsumexp of nothing -inf, the norm of nothing 0. */

WG_API wg_var wg_sum_at(const char *file, int line, wg_var x, size_t count, const int *axis);
WG_API wg_var wg_mean_at(const char *file, int line, wg_var x, size_t count, const int *axis);
WG_API wg_var wg_reduce_max_at(const char *file, int line, wg_var x, size_t count, const int *axis);
/* log sum exp, shifted by the maximum: finite wherever the result is. */
WG_API wg_var wg_logsumexp_at(const char *file, int line, wg_var x, size_t count, const int *axis);
/* The Euclidean norm; its derivative at 0 is 0. */
WG_API wg_var wg_norm_at(const char *file, int line, wg_var x, size_t count, const int *axis);
/* The index (i64) of the largest element, the first of equal ones; a NaN counts as largest. */
WG_API wg_var wg_argmax_at(const char *file, int line, wg_var x, int axis);

/* ---- indexing -------------------------------------------------------------------------------- */

/* x along axis at the integers of index: the index's shape replaces the axis. WG_EINDEX at the call
 * for an index outside 0 .. extent-1. */
WG_API wg_var wg_take_at(const char *file, int line, wg_var x, wg_var index, int axis);
/* For every row of x[..., n] the element index[...]. */
WG_API wg_var wg_pick_at(const char *file, int line, wg_var x, wg_var index);
/* Zeros with `extent` along axis, update added at the integers of index: the transpose of take. */
WG_API wg_var wg_scatter_add_at(const char *file, int line, wg_var update, wg_var index, int axis,
                                wg_extent extent);
/* x with the update added to the elements that wg_take would read; an integer that stands in the
 * index twice adds twice. The update broadcasts to those elements. Where nobody reads x any more,
 * the result takes its place: then the cost is that of the update, in a loop as anywhere. */
WG_API wg_var wg_index_add_at(const char *file, int line, wg_var x, wg_var update, wg_var index,
                              int axis);
/* x with the update in the place of the elements at one index, i32[] or i64[], along axis: a[i] = u
 * of C, with a new value for the result. Broadcasts, and takes the place of x, as wg_index_add. */
WG_API wg_var wg_index_set_at(const char *file, int line, wg_var x, wg_var update, wg_var index,
                              int axis);

/* ---- products -------------------------------------------------------------------------------- */

/* a f64[..., m, k], b f64[..., k, n] -> f64[..., m, n]; a vector loses the axis that it lacks. */
WG_API wg_var wg_matmul_at(const char *file, int line, wg_var a, wg_var b);
/* The contraction over pairs of axes: first `batch` pairs that stay, then `contract` that are
 * summed away: result [batch..., a's others..., b's others...]. */
WG_API wg_var wg_dot_at(const char *file, int line, wg_var a, wg_var b, size_t batch,
                        const int *a_batch, const int *b_batch, size_t contract,
                        const int *a_contract, const int *b_contract);

/* ---- composites ------------------------------------------------------------------------------ */

/* exp x / sum exp x along the axis, and its logarithm; shifted by the maximum, so that no x
 * overflows. */
WG_API wg_var wg_softmax_at(const char *file, int line, wg_var x, int axis);
WG_API wg_var wg_log_softmax_at(const char *file, int line, wg_var x, int axis);
/* logits f64[..., k], label i32 or i64 [...] -> f64[...]: log sum exp h - h[label]. */
WG_API wg_var wg_cross_entropy_at(const char *file, int line, wg_var logits, wg_var label);
/* The mean of (a - b)^2 over all elements; a and b broadcast. */
WG_API wg_var wg_mse_at(const char *file, int line, wg_var a, wg_var b);

/* ---- programs as parts ----------------------------------------------------------------------- */

/* Appends a program to g: input[i] stands for its i-th input (of the same type; a named size of the
 * program is what the first input that has it as an axis brings), output[i] receives its i-th
 * output. So a gradient becomes part of a training step. The program is only read. One that is NULL
 * because its making failed is an error of the graph, and leaves output as it was: begin it with
 * {{0}}, which later calls on the failed graph pass over. */
WG_API void wg_apply_at(const char *file, int line, wg_graph *g, const wg_program *program,
                        const wg_var *input, wg_var *output);

#ifndef __cplusplus
#define WG_ARG(x) _Generic((x), wg_var: wg_arg_var, default: wg_arg_number)(x)
#define WG_HEAD_(first, ...) first
#define WG_TAIL_(first, ...) __VA_ARGS__
/* The arguments behind the first as a count and an array of T. */
#define WG_REST_(T, ...)                                                                           \
    sizeof((T[]){WG_TAIL_(__VA_ARGS__, 0)}) / sizeof(T) - 1, (const T[]){WG_TAIL_(__VA_ARGS__, 0)}

#define wg_size(g, name) wg_size_at(WG_HERE, g, name)
#define wg_input(g, name, type) wg_input_at(WG_HERE, g, name, type)
#define wg_output(g, name, x) wg_output_at(WG_HERE, g, name, x)
#define wg_number(g, dtype, number) wg_number_at(WG_HERE, g, dtype, number)
#define wg_constant(g, type, data) wg_constant_at(WG_HERE, g, type, data)
#define wg_full(g, type, number) wg_full_at(WG_HERE, g, type, number)
#define wg_iota(g, count) wg_iota_at(WG_HERE, g, count)
#define wg_extent_value(g, extent) wg_extent_value_at(WG_HERE, g, extent)
#define wg_where(condition, a, b) wg_where_at(WG_HERE, condition, WG_ARG(a), WG_ARG(b))
#define wg_cast(dtype, x) wg_cast_at(WG_HERE, dtype, x)
#define wg_stop_gradient(x) wg_stop_gradient_at(WG_HERE, x)
/* wg_reshape(x, m, n), wg_transpose(x) or wg_transpose(x, 1, 0), wg_broadcast(x, m, n) */
#define wg_reshape(...) \
    wg_reshape_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(wg_extent, __VA_ARGS__))
#define wg_transpose(...) \
    wg_transpose_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_broadcast(...) \
    wg_broadcast_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(wg_extent, __VA_ARGS__))
#define wg_slice(x, axis, start, stop, step) wg_slice_at(WG_HERE, x, axis, start, stop, step)
/* wg_concat(axis, a, b, ...) */
#define wg_concat(...) wg_concat_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), \
    sizeof((wg_var[]){WG_TAIL_(__VA_ARGS__, {NULL, 0})}) / sizeof(wg_var) - 1, \
    (const wg_var[]){WG_TAIL_(__VA_ARGS__, {NULL, 0})})
/* wg_sum(x), wg_sum(x, 0), wg_sum(x, 0, 1), ... */
#define wg_sum(...) wg_sum_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_mean(...) wg_mean_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_reduce_max(...) \
    wg_reduce_max_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_logsumexp(...) \
    wg_logsumexp_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_norm(...) wg_norm_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), WG_REST_(int, __VA_ARGS__))
#define wg_argmax(x, axis) wg_argmax_at(WG_HERE, x, axis)
#define wg_take(x, index, axis) wg_take_at(WG_HERE, x, index, axis)
#define wg_pick(x, index) wg_pick_at(WG_HERE, x, index)
#define wg_scatter_add(update, index, axis, extent) \
    wg_scatter_add_at(WG_HERE, update, index, axis, extent)
#define wg_index_add(x, update, index, axis) wg_index_add_at(WG_HERE, x, update, index, axis)
#define wg_index_set(x, update, index, axis) wg_index_set_at(WG_HERE, x, update, index, axis)
#define wg_matmul(a, b) wg_matmul_at(WG_HERE, a, b)
#define wg_softmax(x, axis) wg_softmax_at(WG_HERE, x, axis)
#define wg_log_softmax(x, axis) wg_log_softmax_at(WG_HERE, x, axis)
#define wg_cross_entropy(logits, label) wg_cross_entropy_at(WG_HERE, logits, label)
#define wg_mse(a, b) wg_mse_at(WG_HERE, a, b)
#define wg_apply(g, program, input, output) wg_apply_at(WG_HERE, g, program, input, output)
#endif

/* ---- formulas -------------------------------------------------------------------------------- */

/* A formula of the language of docs/language.md may stand anywhere a variable may:
 *     wg_formula(g, "0.5*(sigmoid(w*x + b) - t)^2", "w", w, "x", x, "b", b, "t", t, NULL)
 * names followed by variables of g, closed by NULL. Errors are the graph's. */
WG_API wg_var wg_formula(wg_graph *g, const char *formula, ...);

typedef struct wg_binding { /* what a free name of a formula is */
    const char *name;
    wg_type type; /* constant extents */
} wg_binding;

/* Reads a text in the formula language: functions, and perhaps a formula below them. Gives the
 * function named as a program (NULL: the formula, or where there is none the last function), calls
 * to the others expanded. The formula's free names become inputs, in the order of their first use,
 * of the type that `bound` gives them, else f64 scalars; an output without a name is "y". origin
 * names the text in messages (a file's name, or NULL). size bytes of text need not end in NUL. */
typedef struct wg_parse_options {
    const char *function, *origin;
    const wg_binding *bound;
    size_t bound_count;
    const wg_allocator *allocator;
} wg_parse_options;
WG_API wg_program *wg_parse(const char *text, size_t size, const wg_parse_options *options,
                            wg_error *error);

#ifdef __cplusplus
}
#endif
#endif
