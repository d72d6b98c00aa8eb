/* Kernels of matrices: extents are read here, and each matrix goes to LAPACK where that is there
 * and the matrix large enough to be worth a call, else to the loops of factor.h, spectral.h and
 * expm.h. What a kernel needs to work in is an argument, an array of words that the planner counts
 * like any other (op_words): nothing is allocated. */
#include "op/kernel/kernel.h"

#include <limits.h>
#include <math.h>

#if WG_BLAS
#include "op/kernel/lapack.h"
#include <cblas.h>
#endif

#define T double
#define F(name) name##_f64
#define LAPACK(name) d##name
#define CBLAS(name) cblas_d##name
#include "op/kernel/factor.h"
#include "op/kernel/spectral.h"
#include "op/kernel/expm.h"
#if WG_BLAS
#include "op/kernel/linalg.h"
#endif
#undef T
#undef F
#undef LAPACK
#undef CBLAS
#define T float
#define F(name) name##_f32
#define LAPACK(name) s##name
#define CBLAS(name) cblas_s##name
#include "op/kernel/factor.h"
#include "op/kernel/spectral.h"
#include "op/kernel/expm.h"
#if WG_BLAS
#include "op/kernel/linalg.h"
#endif

/* ---- extents --------------------------------------------------------------------------------- */

struct matrices { /* [batch, rows, columns] */
    int64_t batch, rows, columns;
};

static struct matrices matrices_of(const struct view *x) {
    struct matrices m = {1, x->shape->extent[x->rank - 2], x->shape->extent[x->rank - 1]};
    for (size_t i = 0; i + 2 < x->rank; i++) m.batch *= x->shape->extent[i];
    return m;
}

/* From which extent on a matrix goes to LAPACK; its int must hold the count of elements. */
#if WG_BLAS
enum { LARGE = 32, LARGE_SPECTRAL = 24 };
static bool is_large(int64_t n, int64_t least) { return n >= least && n <= 16384; }
#endif

static bool is_double(const struct exec *e) { return e->out.dtype == WG_F64; }

/* name of the result's element type: name_f64 or name_f32 of the arguments that follow. */
#define BY_TYPE(e, name, ...) (is_double(e) ? name##_f64(__VA_ARGS__) : name##_f32(__VA_ARGS__))

/* Element i * count of an operand. */
static const void *at(const struct exec *e, size_t k, int64_t i, int64_t count) {
    return (const char *)e->arg[k].data +
           (size_t)(i * count) * wg_dtype_size((wg_dtype)e->arg[k].dtype);
}

static void *out_at(const struct exec *e, int64_t i, int64_t count) {
    return (char *)e->out.data + (size_t)(i * count) * wg_dtype_size((wg_dtype)e->out.dtype);
}

/* ---- factors --------------------------------------------------------------------------------- */

wg_status run_words(const struct exec *e) {
    memset(e->out.data, 0, (size_t)e->out.shape->count * sizeof(int64_t));
    return WG_OK;
}

wg_status run_cholesky(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[0]);
    int64_t n = m.rows;
    for (int64_t i = 0; i < m.batch; i++) {
        const void *a = at(e, 0, i, n * n);
        void *y = out_at(e, i, n * n);
#if WG_BLAS
        if (is_large(n, LARGE)) {
            BY_TYPE(e, large_cholesky, n, a, y);
            continue;
        }
#endif
        BY_TYPE(e, wg_cholesky, 1, n, a, y);
    }
    return WG_OK;
}

/* attr: lower, transposed, unit, absolute */
wg_status run_triangular_solve(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[1]);
    int64_t n = m.rows, k = m.columns;
    bool lower = e->attr[0] != 0, transposed = e->attr[1] != 0, unit = e->attr[2] != 0;
    bool absolute = e->attr_count == 4;
    if (e->out.shape->count == 0) return WG_OK;
    for (int64_t i = 0; i < m.batch; i++) {
        const void *a = at(e, 0, i, n * n), *b = at(e, 1, i, n * k);
        void *x = out_at(e, i, n * k);
#if WG_BLAS
        if (is_large(n, LARGE) && k <= INT_MAX) {
            memcpy(x, b, (size_t)(n * k) * wg_dtype_size((wg_dtype)e->out.dtype));
            BY_TYPE(e, large_triangular, n, k, lower, transposed, unit, a, x);
            if (absolute) BY_TYPE(e, wg_zero_columns, n, k, b, x);
            continue;
        }
#endif
        BY_TYPE(e, wg_triangular_solve, 1, n, k, lower, transposed, unit, absolute, a, b, x);
    }
    return WG_OK;
}

wg_status run_lu(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[0]);
    int64_t n = m.rows;
    for (int64_t i = 0; i < m.batch; i++) {
        const void *a = at(e, 0, i, n * n);
        void *f = out_at(e, i, (n + 1) * n);
#if WG_BLAS
        if (is_large(n, LARGE)) {
            BY_TYPE(e, large_lu, n, a, f);
            continue;
        }
#endif
        BY_TYPE(e, wg_lu, 1, n, a, f);
    }
    return WG_OK;
}

/* arg: the matrix, which is not looked at, its factors, the right-hand sides; attr: transposed,
 * absolute */
wg_status run_solve(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[2]);
    int64_t n = m.rows, k = m.columns;
    bool transposed = e->attr[0] != 0, absolute = e->attr_count == 2;
    if (e->out.shape->count == 0) return WG_OK;
    for (int64_t i = 0; i < m.batch; i++) {
        const void *f = at(e, 1, i, (n + 1) * n), *b = at(e, 2, i, n * k);
        void *x = out_at(e, i, n * k);
#if WG_BLAS
        if (is_large(n, LARGE) && k <= INT_MAX) {
            BY_TYPE(e, large_solve, n, k, transposed, f, b, x);
            if (absolute) BY_TYPE(e, wg_zero_columns, n, k, b, x);
            continue;
        }
#endif
        BY_TYPE(e, wg_solve, 1, n, k, transposed, absolute, f, b, x);
    }
    return WG_OK;
}

/* attr: which of the three */
wg_status run_det(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[1]);
    int what = (int)e->attr[0];
    BY_TYPE(e, wg_det, m.batch, m.columns, what, e->arg[1].data, e->out.data);
    return WG_OK;
}

wg_status run_cofactor(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[0]);
    BY_TYPE(e, wg_cofactor, m.batch, m.rows, e->arg[0].data, e->arg[1].data, e->out.data);
    return WG_OK;
}

/* ---- orthogonal factors ---------------------------------------------------------------------- */

wg_status run_qr(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[0]);
    void *work = e->arg[1].data;
    for (int64_t i = 0; i < m.batch; i++) {
        const void *a = at(e, 0, i, m.rows * m.columns);
        void *y = out_at(e, i, (m.rows + m.columns) * m.columns);
#if WG_BLAS
        if (is_large(m.columns, LARGE) && m.rows <= INT_MAX / 64) {
            BY_TYPE(e, large_qr, m.rows, m.columns, a, work, y);
            continue;
        }
#endif
        BY_TYPE(e, wg_qr, 1, m.rows, m.columns, a, work, y);
    }
    return WG_OK;
}

wg_status run_eigh(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[0]);
    int64_t n = m.rows;
    void *work = e->arg[1].data;
    for (int64_t i = 0; i < m.batch; i++) {
        const void *a = at(e, 0, i, n * n);
        void *y = out_at(e, i, (n + 1) * n);
#if WG_BLAS
        if (is_large(n, LARGE_SPECTRAL)) {
            if (!BY_TYPE(e, large_eigh, n, a, work, y)) BY_TYPE(e, wg_fill, (n + 1) * n, NAN, y);
            continue;
        }
#endif
        BY_TYPE(e, wg_eigh, 1, n, a, work, y);
    }
    return WG_OK;
}

wg_status run_svd(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[0]);
    int64_t count = (m.rows + 1 + m.columns) * m.columns;
    void *work = e->arg[1].data;
    for (int64_t i = 0; i < m.batch; i++) {
        const void *a = at(e, 0, i, m.rows * m.columns);
        void *y = out_at(e, i, count);
#if WG_BLAS
        if (is_large(m.columns, LARGE_SPECTRAL) && m.rows <= INT_MAX / 64) {
            if (!BY_TYPE(e, large_svd, m.rows, m.columns, a, work, y))
                BY_TYPE(e, wg_fill, count, NAN, y);
            continue;
        }
#endif
        BY_TYPE(e, wg_svd, 1, m.rows, m.columns, a, work, y);
    }
    return WG_OK;
}

/* ---- the exponential ------------------------------------------------------------------------- */

/* arg: the matrix, the directions, the words to work in; attr: order, absolute */
wg_status run_expm(const struct exec *e) {
    struct matrices m = matrices_of(&e->arg[0]);
    int order = (int)e->attr[0];
    bool absolute = e->attr_count == 2;
    void *work = e->arg[e->narg - 1].data;
    const double *wide[8];
    const float *narrow[8];
    for (size_t k = 0; k + 1 < e->narg; k++) {
        wide[k] = e->arg[k].data;
        narrow[k] = e->arg[k].data;
    }
    void (*product_f64)(int64_t, const double *, const double *, double *) = wg_plain_product_f64;
    void (*product_f32)(int64_t, const float *, const float *, float *) = wg_plain_product_f32;
#if WG_BLAS
    if (is_large(m.rows, LARGE)) {
        product_f64 = large_product_f64;
        product_f32 = large_product_f32;
    }
#endif
    if (is_double(e))
        wg_expm_f64(m.batch, m.rows, order, absolute, product_f64, wide, work, e->out.data);
    else
        wg_expm_f32(m.batch, m.rows, order, absolute, product_f32, narrow, work, e->out.data);
    return WG_OK;
}
