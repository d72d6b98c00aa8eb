/* Builders for rules, composites and front ends: one function an operation. All return 0 once the
 * graph has an error, or where an argument is absent (0). Elementwise builders broadcast as NumPy
 * does: shapes are aligned at their last axes, and only the constant extent 1 stretches. */
#ifndef OP_BUILD_H
#define OP_BUILD_H

#include "op/op.h"
#include "wengert/linalg.h"
#include "wengert/ops.h"

/* ---- leaves ---- */
value build_number(wg_graph *g, wg_dtype dtype, double number); /* scalar */
value build_full(wg_graph *g, const wg_type *type, double number); /* splat of that type */
value build_like(wg_graph *g, value x, double number);             /* splat of x's type  */
value build_iota(wg_graph *g, wg_extent count);                    /* 0, 1, ... : i64[count] */
value build_extent(wg_graph *g, wg_extent extent);                 /* its value: i64 scalar */
value build_eye(wg_graph *g, wg_dtype dtype, wg_extent n);         /* identity matrix [n,n] */

/* ---- elementwise: any op of elementwise.def ---- */
value build_unary(wg_graph *g, unsigned op, value a);
value build_binary(wg_graph *g, unsigned op, value a, value b);
value build_ternary(wg_graph *g, unsigned op, value a, value b, value c);
value build_where(wg_graph *g, value condition, value a, value b);
value build_cast(wg_graph *g, wg_dtype dtype, value a);
static inline value build_add(wg_graph *g, value a, value b) {
    return build_binary(g, OP_add, a, b);
}
static inline value build_sub(wg_graph *g, value a, value b) {
    return build_binary(g, OP_sub, a, b);
}
static inline value build_mul(wg_graph *g, value a, value b) {
    return build_binary(g, OP_mul, a, b);
}
static inline value build_div(wg_graph *g, value a, value b) {
    return build_binary(g, OP_div, a, b);
}
static inline value build_neg(wg_graph *g, value a) {
    return build_unary(g, OP_neg, a);
}
/* ct * p in a rule, as an absolute-zero product where the rule is guarded; sum of two terms of
 * which either may be absent. */
value rule_mul(const struct rule *r, value ct, value p);
value rule_add(const struct rule *r, value a, value b);

/* ---- shape ---- */
value build_reshape(wg_graph *g, value a, const wg_type *shape); /* dtype of shape is ignored */
value build_transpose(wg_graph *g, value a, const uint8_t *perm); /* result axis i is a's perm[i] */
/* a's axes, in order, become those of the result that `mapped` names (bit i = axis i). */
value build_broadcast(wg_graph *g, value a, const wg_type *shape, uint32_t mapped);
value build_broadcast_to(wg_graph *g, value a, const wg_type *shape); /* NumPy's rule */
/* start, count: extents; all for every axis. A negative step takes the elements that the positive
 * one takes, from the last to the first. */
value build_slice(wg_graph *g, value a, const wg_extent *start, const wg_extent *count,
                  const int64_t *step);
/* Zeros of shape total with out[start + i*step] = a[i]: the transpose of a slice. */
value build_pad(wg_graph *g, value a, const wg_extent *start, const wg_extent *total,
                const int64_t *step);
value build_concat(wg_graph *g, const value *part, size_t count, unsigned axis);
/* Joins part number k to the type of a concatenation; false and an error where it differs. */
bool concat_part(wg_graph *g, unsigned axis, value first, value part, size_t k, wg_type *whole);
/* Gives the WG_INFER of a shape, if there is one, the extent that makes as many elements as a has;
 * false and an error where none follows. */
bool infer_extent(wg_graph *g, value a, wg_type *shape);
/* The number of elements start, start + step, ... below stop: a polynomial, or an error. */
bool slice_count(wg_graph *g, wg_extent start, wg_extent stop, int64_t step, wg_extent *count);

/* ---- reductions over the axes of a mask (bit i = axis i); keep leaves them with extent 1 ---- */
value build_sum(wg_graph *g, value a, uint32_t axes);
value build_mean(wg_graph *g, value a, uint32_t axes);
value build_reduce_max(wg_graph *g, value a, uint32_t axes);
value build_peak(wg_graph *g, value a, uint32_t axes); /* the largest number as a shift, see op_peak */
value build_argmax(wg_graph *g, value a, unsigned axis); /* i64; the first of ties */
value build_logsumexp(wg_graph *g, value a, uint32_t axes);
value build_norm(wg_graph *g, value a, uint32_t axes); /* Euclidean */
/* What log-sum-exp, softmax and their derivatives are made of: the peak, exp(a - peak), and its
 * sum. Shared where they are asked for again, so that each exponential is taken once. All 0 on
 * error. */
struct exponentials {
    value shift, terms, sum;
};
struct exponentials build_exponentials(wg_graph *g, value a, uint32_t axes);
value build_reduce(wg_graph *g, unsigned op, value a, uint32_t axes);
/* A reduction's result put back over a's shape along the reduced axes. */
value build_expand(wg_graph *g, value reduced, value a, uint32_t axes);

/* ---- along one axis ---- */
/* Running sums from the front, or from the end. */
value build_cumsum(wg_graph *g, value a, unsigned axis, bool reverse);
/* y_i = a_i y_i-1 + b_i, y_0 = b_0, or the same from the end. */
value build_recur(wg_graph *g, value a, value b, unsigned axis, bool reverse);
/* The same with absolute-zero products: a_i y_i-1 is 0 where a factor is. */
value build_recurz(wg_graph *g, value a, value b, unsigned axis, bool reverse);
/* The elements one place on, the first one 0; from the end if back. */
value build_shifted(wg_graph *g, value a, unsigned axis, bool back);
value build_argsort(wg_graph *g, value a, unsigned axis); /* i64; stable, NaN last */

/* ---- indexing ---- */
/* a[b..., n, rest...], index i32/i64[b..., i...] -> [b..., i..., rest...]; batch leading axes b are
 * shared; with batch = 0 and axis = k, axes before k come first in the result:
 * [a axes before axis..., i..., a axes after axis...]. */
value build_take(wg_graph *g, value a, value index, unsigned axis, unsigned batch);
/* The transpose of take in a: zeros with `extent` along axis, to which updates are added. */
value build_scatter_add(wg_graph *g, value update, value index, unsigned axis, unsigned batch,
                        wg_extent extent);
/* a with the update added to what take would read of it, or, at one index a batch, put in its
 * place. The update broadcasts to the elements that it meets. */
value build_index_add(wg_graph *g, value a, value update, value index, unsigned axis,
                      unsigned batch);
value build_index_set(wg_graph *g, value a, value update, value index, unsigned axis,
                      unsigned batch);

/* ---- random numbers of a type: i32 or i64 bits; f32 or f64 in [0, 1), or normal ---- */
/* key and counter i32/i64[b...], either of them scalar -> [b..., type's shape...] */
value build_draw_bits(wg_graph *g, value key, value counter, const wg_type *type);
value build_draw_uniform(wg_graph *g, value key, value counter, const wg_type *type);
value build_draw_normal(wg_graph *g, value key, value counter, const wg_type *type);

/* ---- products ---- */
/* The contraction: a[batch..., m..., k...] (a_transposed: [batch..., k..., m...]) with
 * b[batch..., k..., n...] (b_transposed: [batch..., n..., k...]) -> [batch..., m..., n...];
 * batch and contract count the leading shared and the contracted axes. */
value build_dot(wg_graph *g, value a, value b, unsigned batch, unsigned contract,
                bool a_transposed, bool b_transposed);
/* The same as an absolute-zero contraction: a term with a factor 0 is 0, whatever the other is. */
value build_dotz(wg_graph *g, value a, value b, unsigned batch, unsigned contract,
                 bool a_transposed, bool b_transposed);
/* build_dot over pairs of axes anywhere, in pairs[0] of a and pairs[1] of b: first `batch` pairs
 * that stay, then `contract` that are summed away -> [batch..., a's others..., b's others...]. */
value build_dot_axes(wg_graph *g, value a, value b, unsigned batch, unsigned contract,
                     const uint8_t *const pairs[2]);
/* Matrix product as NumPy's @: vectors allowed, leading axes broadcast. */
value build_matmul(wg_graph *g, value a, value b);
/* Broadcasts two values of rank 2 or more so that all axes but their last two agree; false, and an
 * error that begins with the name, where they do not. */
bool build_fronts(wg_graph *g, const char *name, value x[2]);

/* ---- matrices, the last two axes (compose_linalg.c); rows and their parts are in op/linalg.h - */
value build_cholesky(wg_graph *g, value a);
value build_cholesky_solve(wg_graph *g, value l, value b);
value build_solve(wg_graph *g, value a, value b);
value build_triangular_solve(wg_graph *g, value a, value b, int how); /* enum wg_triangle */
value build_inverse(wg_graph *g, value a);
value build_det(wg_graph *g, value a);
value build_log_det(wg_graph *g, value a);
value build_sign_det(wg_graph *g, value a);
value build_expm(wg_graph *g, value a);
value build_diagonal(wg_graph *g, value a);
value build_trace(wg_graph *g, value a);
/* One part of a decomposition, as wengert/linalg.h has them; equal decompositions are one. */
enum matrix_part {
    LU_L, LU_U, LU_ORDER, QR_Q, QR_R, EIGH_VALUES, EIGH_VECTORS, SVD_U, SVD_S, SVD_V
};
value build_matrix_part(wg_graph *g, value a, enum matrix_part part);

/* ---- convolution and pooling ---- */
/* The trilinear form of conv.c, of which `word`, CONV_WORDS of op/conv.h, says the result. */
value build_conv(wg_graph *g, const int64_t *word, value a, value b);
/* As networks lay it out (compose_window.c): space has one axis or two; NULL: the plain window. */
value build_convolution(wg_graph *g, value x, value kernel, unsigned space, const wg_window *w);
value build_conv_transpose(wg_graph *g, value x, value kernel, const wg_window *w);
value build_max_pool(wg_graph *g, value x, const int64_t size[2], const wg_window *w);
value build_avg_pool(wg_graph *g, value x, const int64_t size[2], const wg_window *w);

/* ---- composites (compose.c) ---- */
value build_softmax(wg_graph *g, value a, unsigned axis);
value build_log_softmax(wg_graph *g, value a, unsigned axis);
/* logits [..., k], label i32/i64 [...] -> [...]: log sum exp h - h[label] */
value build_cross_entropy(wg_graph *g, value logits, value label);
value build_mse(wg_graph *g, value a, value b); /* mean of (a-b)^2 */

/* ---- composites of shape and index (compose_shape.c) ---- */
value build_reverse(wg_graph *g, value a, uint32_t axes);
/* start, start + step, ... before stop; WG_INFER: from, or to, the end of the axis. slice_range
 * makes of them what build_slice takes: the lowest place and the count. */
bool slice_range(wg_graph *g, wg_extent extent, wg_extent *start, wg_extent stop, int64_t step,
                 wg_extent *count);
value build_slice_axis(wg_graph *g, value a, unsigned axis, wg_extent start, wg_extent stop,
                       int64_t step);
/* low[i] and high[i] times the number before and behind axis i. */
value build_pad_with(wg_graph *g, value a, const wg_extent *low, const wg_extent *high,
                     double number);
value build_new_axis(wg_graph *g, value a, unsigned axis); /* of extent 1; axis of the result */
value build_squeeze(wg_graph *g, value a, uint32_t axes);  /* each of the constant extent 1 */
value build_stack(wg_graph *g, const value *part, size_t count, unsigned axis);
value build_tile(wg_graph *g, value a, const wg_extent *times); /* per axis */
/* y[.., i, ..] = a[.., index[.., i, ..], ..]; its transpose; values in ascending order. */
value build_take_along(wg_graph *g, value a, value index, unsigned axis);
value build_scatter_along(wg_graph *g, value update, value index, unsigned axis, wg_extent extent);
value build_sort(wg_graph *g, value a, unsigned axis);
value build_one_hot(wg_graph *g, value index, wg_extent count, wg_dtype dtype);
value build_dynamic_slice(wg_graph *g, value a, value start, unsigned axis, wg_extent count);
value build_dynamic_update(wg_graph *g, value a, value update, value start, unsigned axis);

/* ---- composite reductions and scans (compose_reduce.c) ---- */
value build_reduce_min(wg_graph *g, value a, uint32_t axes);
value build_argmin(wg_graph *g, value a, unsigned axis);
value build_prod(wg_graph *g, value a, uint32_t axes);
value build_cumprod(wg_graph *g, value a, unsigned axis, bool reverse);
value build_any(wg_graph *g, value a, uint32_t axes);
value build_all(wg_graph *g, value a, uint32_t axes);
value build_variance(wg_graph *g, value a, uint32_t axes); /* over the count, not one less */
value build_layer_norm(wg_graph *g, value a, uint32_t axes, double epsilon);
value build_norm_of_order(wg_graph *g, value a, double p, uint32_t axes); /* p > 0, or infinity */

/* Einstein's summation; size bytes of text (einsum.c). */
value build_einsum(wg_graph *g, const char *text, size_t size, const value *x, size_t count);

/* All axes of a value, as a mask. */
uint32_t all_axes(const wg_graph *g, value a);

#endif
