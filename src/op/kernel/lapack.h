/* The functions of LAPACK that kernels call, as Fortran compilers name them; Debian's OpenBLAS has
 * them, and no header of its own for them. Matrices are column-major, so that a row-major one is
 * its transpose. All take addresses; the lengths of strings that Fortran passes behind are left
 * away, as LAPACK's own C interface leaves them. */
#ifndef LAPACK_H
#define LAPACK_H

#define LAPACK_FUNCTIONS(T, P)                                                                     \
    void P##potrf_(const char *uplo, const int *n, T *a, const int *lda, int *info);               \
    void P##getrf_(const int *m, const int *n, T *a, const int *lda, int *pivot, int *info);       \
    void P##geqrf_(const int *m, const int *n, T *a, const int *lda, T *tau, T *work,              \
                   const int *lwork, int *info);                                                   \
    void P##orgqr_(const int *m, const int *n, const int *k, T *a, const int *lda, const T *tau,   \
                   T *work, const int *lwork, int *info);                                          \
    void P##syevd_(const char *jobz, const char *uplo, const int *n, T *a, const int *lda, T *w,   \
                   T *work, const int *lwork, int *iwork, const int *liwork, int *info);           \
    void P##gesdd_(const char *jobz, const int *m, const int *n, T *a, const int *lda, T *s, T *u, \
                   const int *ldu, T *vt, const int *ldvt, T *work, const int *lwork, int *iwork,  \
                   int *info)
LAPACK_FUNCTIONS(double, d);
LAPACK_FUNCTIONS(float, s);
#undef LAPACK_FUNCTIONS

#endif
