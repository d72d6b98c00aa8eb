/* Matrices for graphs: factors, solutions of equations, determinants, eigenvalues, singular values,
 * the exponential. A matrix is the last two axes of a value of f32 or f64; axes in front of them
 * are a batch, as for wg_matmul. All have derivatives of every order in every mode; where they are
 * not finite or not defined is said here and in docs/conventions.md, and rows of derivatives name
 * their source beside the rule. What several functions need of one matrix is computed once: a
 * solution, its adjoints and the determinant share a factorization, U, s and V a decomposition.
 *
 * Large matrices go to LAPACK where the library has one (WG_BLAS), small ones through plain loops,
 * and so do all in C that is emitted. Errors are the graph's: WG_ESHAPE for what is no matrix, no
 * square one where that is needed, or does not fit; WG_EDTYPE for integers. */
#ifndef WENGERT_LINALG_H
#define WENGERT_LINALG_H

#include "wengert/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- symmetric, positive definite ------------------------------------------------------------ */

/* a [n,n] -> L [n,n], lower triangular with L L' = (a + a')/2: for a symmetric a that is a, and
 * adjoints are symmetric. NaN everywhere where it is not positive definite. n^3/3 operations. */
WG_API wg_var wg_cholesky_at(const char *file, int line, wg_var a);
/* By such a factor: l [n,n], b [n] or [n,k] -> x like b, L L' x = b. */
WG_API wg_var wg_cholesky_solve_at(const char *file, int line, wg_var l, wg_var b);

/* ---- equations ------------------------------------------------------------------------------- */

/* a [n,n], b [n] or [n,k] -> x like b, a x = b. Axes in front are broadcast; a b of one axis is a
 * vector, every other one holds columns. By factors with row exchanges; infinite or NaN where a is
 * singular. */
WG_API wg_var wg_solve_at(const char *file, int line, wg_var a, wg_var b);

enum wg_triangle {
    WG_LOWER = 0,
    WG_UPPER = 1,
    WG_TRANSPOSED = 2,   /* solve with the transpose of that triangle */
    WG_UNIT_DIAGONAL = 4 /* take its diagonal for ones */
};
/* The same for one triangle of a, at n^2 operations a column: the rest of a is not read, and has
 * derivative 0. `how`: of enum wg_triangle, joined by |. */
WG_API wg_var wg_triangular_solve_at(const char *file, int line, wg_var a, wg_var b, int how);
/* a [n,n] -> a^-1. To multiply with it, solve. */
WG_API wg_var wg_inverse_at(const char *file, int line, wg_var a);

/* ---- determinants ---------------------------------------------------------------------------- */
/* A matrix is singular where elimination meets a pivot 0. Native code fuses products with sums, so
 * that a pivot which is 0 only by rounding, as of [[3, 3], [1, 1]], may be a tiny number there. */

/* a [n,n] -> a scalar. Where a is singular it is 0, and its derivative is that by cofactors, right
 * for every rank; second derivatives are NaN there. 1 of nothing. */
WG_API wg_var wg_det_at(const char *file, int line, wg_var a);
/* log|det a|, which neither overflows nor vanishes; -inf where a is singular, with derivatives that
 * are infinite or NaN. Of a positive definite a, twice the sum of the logarithms of the diagonal of
 * wg_cholesky(a) costs half. */
WG_API wg_var wg_log_det_at(const char *file, int line, wg_var a);
/* 1, -1, or 0 where a is singular; its derivative is 0. */
WG_API wg_var wg_sign_det_at(const char *file, int line, wg_var a);

/* ---- factors --------------------------------------------------------------------------------- */

typedef struct wg_lu_factors {
    wg_var l, u, order;
} wg_lu_factors;
/* a [n,n] -> L [n,n] with ones on its diagonal, U [n,n], and the order (i64 [n]) of a's rows in
 * which L U = a[order]: pivots are the largest of their columns. Derivatives are infinite or NaN
 * where a is singular; the order is a constant to them. */
WG_API wg_lu_factors wg_lu_at(const char *file, int line, wg_var a);

typedef struct wg_qr_factors {
    wg_var q, r;
} wg_qr_factors;
/* a [m,n] -> Q [m,k] with orthonormal columns, R [k,n] upper triangular with a diagonal that is not
 * negative, Q R = a, k the smaller of m and n; of named extents that may be either, n, and m < n is
 * an error at the call. Derivatives are infinite or NaN where the first k columns are not
 * independent. */
WG_API wg_qr_factors wg_qr_at(const char *file, int line, wg_var a);

typedef struct wg_eigen {
    wg_var values, vectors;
} wg_eigen;
/* a [n,n] -> the eigenvalues [n] of (a + a')/2 in ascending order, and its eigenvectors in the
 * columns of V [n,n], V diag(w) V' = (a + a')/2; the element of the largest magnitude of each is
 * positive. Eigenvectors of equal eigenvalues have no derivative: pairs that are equal to working
 * accuracy add 0. So the gradient of the sum of f(w) is right there, and that of a function of the
 * vectors as far as it does not depend on their choice within the pair. NaN where a has a NaN or an
 * infinity. */
WG_API wg_eigen wg_eigh_at(const char *file, int line, wg_var a);

typedef struct wg_singular {
    wg_var u, s, v;
} wg_singular;
/* a [m,n] -> U [m,k] and V [n,k] with orthonormal columns, singular values s [k] in descending
 * order, U diag(s) V' = a; k as for wg_qr. The element of the largest magnitude of each column of V
 * (of U where m < n) is positive. Equal singular values, and those that are 0, are to derivatives
 * what equal eigenvalues are to those of wg_eigh. NaN where a has a NaN or an infinity. */
WG_API wg_singular wg_svd_at(const char *file, int line, wg_var a);

/* ---- functions of matrices ------------------------------------------------------------------- */

/* exp(a) = 1 + a + a^2/2 + ..., a [n,n]: by scaling and squaring (Higham, 2005), a derivative of
 * order k at 3^k times its cost (Al-Mohy and Higham, 2009), of an order above 6 WG_ENORULE. NaN
 * where a has a NaN or an infinity. */
WG_API wg_var wg_expm_at(const char *file, int line, wg_var a);
/* a [n,n] -> its diagonal [n], and the sum of that; of any element type. */
WG_API wg_var wg_diagonal_at(const char *file, int line, wg_var a);
WG_API wg_var wg_trace_at(const char *file, int line, wg_var a);

#ifndef __cplusplus
#define wg_cholesky(a) wg_cholesky_at(WG_HERE, a)
#define wg_cholesky_solve(l, b) wg_cholesky_solve_at(WG_HERE, l, b)
#define wg_solve(a, b) wg_solve_at(WG_HERE, a, b)
/* wg_triangular_solve(l, b, WG_LOWER | WG_TRANSPOSED) */
#define wg_triangular_solve(a, b, how) wg_triangular_solve_at(WG_HERE, a, b, how)
#define wg_inverse(a) wg_inverse_at(WG_HERE, a)
#define wg_det(a) wg_det_at(WG_HERE, a)
#define wg_log_det(a) wg_log_det_at(WG_HERE, a)
#define wg_sign_det(a) wg_sign_det_at(WG_HERE, a)
#define wg_lu(a) wg_lu_at(WG_HERE, a)
#define wg_qr(a) wg_qr_at(WG_HERE, a)
#define wg_eigh(a) wg_eigh_at(WG_HERE, a)
#define wg_svd(a) wg_svd_at(WG_HERE, a)
#define wg_expm(a) wg_expm_at(WG_HERE, a)
#define wg_diagonal(a) wg_diagonal_at(WG_HERE, a)
#define wg_trace(a) wg_trace_at(WG_HERE, a)
#endif

#ifdef __cplusplus
}
#endif
#endif
