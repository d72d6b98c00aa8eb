/* Matrices that are large enough by LAPACK and BLAS, one at a time, for one element type: T,
 * F(name) a name for it, LAPACK(name) the function of LAPACK, CBLAS(name) that of BLAS. Each does
 * what the function of the same name in factor.h and spectral.h does, to whose signs and orders its
 * result is brought. */

static void F(large_triangular)(int64_t n, int64_t k, bool lower, bool transposed, bool unit,
                                const T *a, T *x) {
    CBLAS(trsm)
    (CblasRowMajor, CblasLeft, lower ? CblasLower : CblasUpper,
     transposed ? CblasTrans : CblasNoTrans, unit ? CblasUnit : CblasNonUnit, (int)n, (int)k, 1, a,
     (int)n, x, (int)k);
}

/* The row-major lower triangle is the column-major upper one. */
static void F(large_cholesky)(int64_t n, const T *a, T *y) {
    int size = (int)n, info;
    F(wg_lower_half)(n, a, y);
    LAPACK(potrf_)("U", &size, y, &size, &info);
    if (info != 0) F(wg_fill)(n * n, (T)NAN, y);
}

/* Pivots are exchanges of LAPACK's, counted from 1; the last row of f first holds them. */
static void F(large_lu)(int64_t n, const T *a, T *f) {
    int size = (int)n, info, *pivot = (int *)(void *)(f + n * n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) f[j * n + i] = a[i * n + j];
    LAPACK(getrf_)(&size, &size, f, &size, pivot, &info);
    F(wg_square_transpose)(n, f);
    T *order = f + n * n;
    /* an element is at least as wide as an int: from the last to the first none is overwritten */
    for (int64_t i = n; i-- > 0;) {
        int exchange;
        memcpy(&exchange, (const char *)order + (size_t)i * sizeof exchange, sizeof exchange);
        order[i] = (T)(exchange - 1);
    }
    /* exchanges, from the last to the first, into the order that they make */
    for (int64_t i = n; i-- > 0;) {
        int64_t other = (int64_t)order[i];
        order[i] = (T)i;
        for (int64_t k = i; k < n && other != i; k++)
            order[k] = order[k] == (T)i ? (T)other : order[k] == (T)other ? (T)i : order[k];
    }
}

static void F(large_solve)(int64_t n, int64_t k, bool transposed, const T *f, const T *b, T *x) {
    if (!transposed)
        F(wg_take_order)(n, k, f + n * n, b, x);
    else
        memcpy(x, b, (size_t)(n * k) * sizeof *x);
    F(large_triangular)(n, k, !transposed, transposed, !transposed, f, x);
    F(large_triangular)(n, k, transposed, transposed, transposed, f, x);
    if (transposed) F(wg_undo_order)(n, k, f + n * n, x);
}

/* work: m n + 32 n + n elements */
static void F(large_qr)(int64_t m, int64_t n, const T *a, T *work, T *y) {
    int rows = (int)m, columns = (int)n, info, length = (int)(32 * n);
    T *q = work, *tau = q + m * n, *room = tau + n, *r = y + m * n;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) q[j * m + i] = a[i * n + j];
    LAPACK(geqrf_)(&rows, &columns, q, &rows, tau, room, &length, &info);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) r[i * n + j] = j < i ? 0 : q[j * m + i];
    LAPACK(orgqr_)(&rows, &columns, &columns, q, &rows, tau, room, &length, &info);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) y[i * n + j] = q[j * m + i];
    F(wg_qr_signs)(m, n, y);
}

/* work: 2 n^2 + 40 n + 1 elements, then 5 n + 3 ints. Eigenvectors are rows at first. */
static bool F(large_eigh)(int64_t n, const T *a, T *work, T *y) {
    int size = (int)n, info, length = (int)(2 * n * n + 40 * n + 1), ints = (int)(5 * n + 3);
    T *z = y + n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            z[i * n + j] = (T)0.5 * a[i * n + j] + (T)0.5 * a[j * n + i];
    if (!F(wg_all_finite)(n * n, z)) return false;
    LAPACK(syevd_)
    ("V", "U", &size, z, &size, y, work, &length, (int *)(void *)(work + length), &ints, &info);
    for (int64_t i = 0; i < n; i++)
        if (F(wg_points_back)(n, 1, z + i * n)) F(wg_scale_row)(n, -1, z + i * n);
    F(wg_square_transpose)(n, z);
    return info == 0;
}

/* work: m n + 4 n^2 + 64 n + 32 m elements, then 8 n ints. The transpose of a, as LAPACK sees it,
 * is V diag(s) U'. */
static bool F(large_svd)(int64_t m, int64_t n, const T *a, T *work, T *y) {
    int rows = (int)n, columns = (int)m, info, length = (int)(4 * n * n + 64 * n + 32 * m);
    T *copy = work, *room = work + m * n, *s = y + m * n;
    if (!F(wg_all_finite)(m * n, a)) return false;
    memcpy(copy, a, (size_t)(m * n) * sizeof *a);
    LAPACK(gesdd_)
    ("S", &rows, &columns, copy, &rows, s, s + n, &rows, y, &rows, room, &length,
     (int *)(void *)(room + length), &info);
    F(wg_svd_signs)(m, n, y);
    return info == 0;
}

static void F(large_product)(int64_t n, const T *a, const T *b, T *y) {
    int size = (int)n;
    CBLAS(gemm)
    (CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1, a, size, b, size, 0, y, size);
}
