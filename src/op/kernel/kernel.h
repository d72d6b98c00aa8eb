/* The kernels that the operation table names, all of the form of op_def.run: one instruction on
 * dense row-major operands. Their loops are in the headers beside this file, plain C on pointers
 * and strides; the .c files only read attributes and extents. No kernel allocates. */
#ifndef KERNEL_H
#define KERNEL_H

#include "op/op.h"

wg_status run_reshape(const struct exec *e);
wg_status run_transpose(const struct exec *e);
wg_status run_broadcast(const struct exec *e);
wg_status run_slice(const struct exec *e);
wg_status run_pad(const struct exec *e);
wg_status run_concat(const struct exec *e);

wg_status run_sum(const struct exec *e);
wg_status run_reduce_max(const struct exec *e);
wg_status run_peak(const struct exec *e);
wg_status run_argmax(const struct exec *e);
wg_status run_logsumexp(const struct exec *e);
wg_status run_norm(const struct exec *e);

wg_status run_cumsum(const struct exec *e);
wg_status run_recur(const struct exec *e);
wg_status run_argsort(const struct exec *e);

wg_status run_take(const struct exec *e);
wg_status run_scatter_add(const struct exec *e);
wg_status run_index_add(const struct exec *e);
wg_status run_index_set(const struct exec *e);
/* What op_def.check says. */
wg_status check_take(const struct exec *e);
wg_status check_scatter_add(const struct exec *e);
wg_status check_index_add(const struct exec *e);
wg_status check_index_set(const struct exec *e);

wg_status run_draw_bits(const struct exec *e);

wg_status run_dot(const struct exec *e);
#ifdef WG_WIDE
/* gemm.h: y[m, n] = a b, all extents > 0, operands by their strides, for processors with
 * AVX-512. */
void gemm_avx512_f64(int64_t m, int64_t n, int64_t depth, const double *a, int64_t a_row,
                     int64_t a_col, const double *b, int64_t b_row, int64_t b_col, double *y);
void gemm_avx512_f32(int64_t m, int64_t n, int64_t depth, const float *a, int64_t a_row,
                     int64_t a_col, const float *b, int64_t b_row, int64_t b_col, float *y);
/* Whether they sum in every lane where both operands lie along the summed axis. */
bool gemm_avx512_along(int64_t m, int64_t n, int64_t depth);
#endif
wg_status run_conv(const struct exec *e);

wg_status run_words(const struct exec *e);
wg_status run_cholesky(const struct exec *e);
wg_status run_triangular_solve(const struct exec *e);
wg_status run_lu(const struct exec *e);
wg_status run_solve(const struct exec *e);
wg_status run_det(const struct exec *e);
wg_status run_cofactor(const struct exec *e);
wg_status run_qr(const struct exec *e);
wg_status run_eigh(const struct exec *e);
wg_status run_svd(const struct exec *e);
wg_status run_expm(const struct exec *e);

#endif
