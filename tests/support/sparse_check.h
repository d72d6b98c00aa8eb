/* Sparse matrices of derivatives against the dense ones: every value equal, and nothing but zeros
 * outside of the pattern. */
#ifndef SPARSE_CHECK_H
#define SPARSE_CHECK_H

#include <wengert.h>

struct sparse_counts {
    int64_t entries, nonzeros; /* of the pattern, and of the dense matrix at the point */
    int64_t forward, reverse;  /* sweeps */
};

/* The Jacobian of all floating outputs by all floating inputs at a point, where every named size is
 * n, in every mode; the counts are those of WG_AUTO_MODE. known: the pattern may rely on inputs
 * that are not of a floating type. Fails the test (cmocka) where something is wrong. */
struct sparse_counts check_sparse_jacobian(const wg_program *p, int64_t n, const wg_tensor *input,
                                           bool known);
/* Likewise the Hessian of the first output. */
struct sparse_counts check_sparse_hessian(const wg_program *p, int64_t n, const wg_tensor *input,
                                          bool known);

#endif
