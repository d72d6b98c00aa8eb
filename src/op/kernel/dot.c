/* The kernel of dot: one matrix product for each element of the batch axes: by the loops of gemm.h
 * on a processor with AVX-512, where BLAS has none for it or slower ones; by BLAS where it is there,
 * the element type is its own and the product is large enough to be worth a call; else by
 * product.h. Threads of a BLAS are its own matter and are left as they are set. An absolute-zero
 * product, where 0 times anything is 0, differs from these only beside infinities and NaN, so it has
 * loops of its own for operands that hold some, and else is one of these. */
#include "op/kernel/kernel.h"

#include <float.h>
#include <limits.h>

#if WG_BLAS
#include <cblas.h>
#endif

enum {
    ROWS = 4,
    COLS = 8,
    LANES = 8,
    BLOCK_ROWS = 64, /* the left block: 64 kB, the right panel: 8 kB */
    BLOCK_DEPTH = 128,
    SMALL = 512,    /* multiplications up to which nothing is copied into blocks */
    WIDE_SMALL = 1000, /* those up to which tiles of AVX-512 are too large */
    BLAS_SMALL = 64 /* multiplications up to which a call of BLAS costs more than it saves */
};

#define T double
#define F(name) name##_f64
#include "op/kernel/product.h"
#undef T
#undef F
#define T float
#define F(name) name##_f32
#include "op/kernel/product.h"
#undef T
#undef F
#define T uint64_t
#define F(name) name##_u64
#include "op/kernel/product.h"
#undef T
#undef F
#define T uint32_t
#define F(name) name##_u32
#include "op/kernel/product.h"

/* a[batch, m, depth] or transposed, b[batch, depth, n] or transposed. */
struct product {
    int64_t batch, m, n, depth;
    bool a_transposed, b_transposed;
};

/* attr: batch, contract, a_transposed, b_transposed, and a fifth word for absolute-zero products */
static struct product product_of(const struct exec *e) {
    struct product p = {1, 1, 1, 1, e->attr[2] != 0, e->attr[3] != 0};
    const int64_t *a = e->arg[0].shape->extent, *b = e->arg[1].shape->extent;
    size_t batch = (size_t)e->attr[0], contract = (size_t)e->attr[1];
    size_t m = e->arg[0].rank - batch - contract, n = e->arg[1].rank - batch - contract;
    for (size_t i = 0; i < batch; i++) p.batch *= a[i];
    for (size_t i = 0; i < contract; i++) p.depth *= a[batch + i + (p.a_transposed ? 0 : m)];
    for (size_t i = 0; i < m; i++) p.m *= a[batch + i + (p.a_transposed ? contract : 0)];
    for (size_t i = 0; i < n; i++) p.n *= b[batch + i + (p.b_transposed ? 0 : contract)];
    return p;
}

#if WG_BLAS
/* Whether BLAS may take it: extents that its int holds, and work that is worth its overhead. The
 * product of two vectors is as fast without. */
static bool is_for_blas(const struct product *p) {
    return p->m <= INT_MAX && p->n <= INT_MAX && p->depth <= INT_MAX && (p->m > 1 || p->n > 1) &&
           (double)p->m * (double)p->n * (double)p->depth > BLAS_SMALL;
}

#define BLAS_PRODUCT(NAME, T, PREFIX)                                                              \
    static void NAME(const struct product *p, const T *a, const T *b, T *y) {                      \
        int m = (int)p->m, n = (int)p->n, k = (int)p->depth;                                       \
        enum CBLAS_TRANSPOSE ta = p->a_transposed ? CblasTrans : CblasNoTrans;                     \
        enum CBLAS_TRANSPOSE tb = p->b_transposed ? CblasTrans : CblasNoTrans;                     \
        int lda = p->a_transposed ? m : k, ldb = p->b_transposed ? k : n;                          \
        if (n == 1)                                                                                \
            cblas_##PREFIX##gemv(CblasRowMajor, ta, p->a_transposed ? k : m,                       \
                                 p->a_transposed ? m : k, 1, a, lda, b, 1, 0, y, 1);               \
        else if (m == 1)                                                                           \
            cblas_##PREFIX##gemv(CblasRowMajor, p->b_transposed ? CblasNoTrans : CblasTrans,       \
                                 p->b_transposed ? n : k, p->b_transposed ? k : n, 1, b, ldb, a,   \
                                 1, 0, y, 1);                                                      \
        else                                                                                       \
            cblas_##PREFIX##gemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, 0, y, n);      \
    }
BLAS_PRODUCT(blas_f64, double, d)
BLAS_PRODUCT(blas_f32, float, s)
#endif

#ifdef WG_WIDE
#if WG_BLAS
static bool has_wide_blas(void) {
    static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    const char *core = openblas_get_corename();
    for (size_t i = 0; i < COUNT_OF(wide); i++)
        if (strcmp(core, wide[i]) == 0) return true;
    return false;
}

/* Where a BLAS with such loops, and one thread, is slower, as measured (docs/performance.md): above
 * what it multiplies without copies, and below what leaves the second cache; not where rows are few,
 * or the left operand is read across its rows for few columns or a long sum. */
static bool is_faster_than_wide_blas(const struct product *p) {
    double work = (double)p->m * (double)p->n * (double)p->depth;
    bool across = p->a_transposed && (p->n < 128 || p->depth > 512);
    return p->m >= 100 && work > (p->b_transposed ? 0.25e6 : 1e6) && work < 70e6 && !across &&
           openblas_get_num_threads() == 1;
}
#endif

/* Whether the loops for AVX-512 may take it: unless BLAS has better ones of its own, and for tiles
 * that are not mostly empty. */
static bool is_for_wide(const struct product *p) {
    if (!p->a_transposed && p->b_transposed && gemm_avx512_along(p->m, p->n, p->depth))
        return __builtin_cpu_supports("avx512f");
    if (p->m < 4 || p->n < 8 || (double)p->m * (double)p->n * (double)p->depth < WIDE_SMALL)
        return false;
#if WG_BLAS
    if (has_wide_blas() && !is_faster_than_wide_blas(p)) return false;
#endif
    return __builtin_cpu_supports("avx512f");
}

#define WIDE_PRODUCT(NAME, T, F)                                                                   \
    static void NAME(const struct product *p, const T *a, const T *b, T *y) {                      \
        bool ta = p->a_transposed, tb = p->b_transposed;                                           \
        gemm_avx512_##F(p->m, p->n, p->depth, a, ta ? 1 : p->depth, ta ? p->m : 1, b,              \
                        tb ? 1 : p->n, tb ? p->depth : 1, y);                                      \
    }
WIDE_PRODUCT(wide_f64, double, f64)
WIDE_PRODUCT(wide_f32, float, f32)
#endif

/* One product for each batch element in plain C. */
#define PLAIN_PRODUCT(NAME, T, F)                                                                  \
    static void NAME(const struct product *p, const T *a, const T *b, T *y) {                      \
        struct matrix_##F l = {a, p->a_transposed ? 1 : p->depth, p->a_transposed ? p->m : 1};     \
        struct matrix_##F r = {b, p->b_transposed ? 1 : p->n, p->b_transposed ? p->depth : 1};     \
        product_##F(p->m, p->n, p->depth, l, r, y);                                                \
    }
PLAIN_PRODUCT(plain_f64, double, f64)
PLAIN_PRODUCT(plain_f32, float, f32)
PLAIN_PRODUCT(plain_u64, uint64_t, u64)
PLAIN_PRODUCT(plain_u32, uint32_t, u32)

/* ---- absolute-zero products ------------------------------------------------------------------ */

#define ABSOLUTE_PRODUCT(NAME, FINITE, T, LARGEST)                                                 \
    static bool FINITE(const T *x, int64_t count) {                                                \
        int other = 0;                                                                             \
        for (int64_t i = 0; i < count; i++) other |= !(x[i] >= -LARGEST && x[i] <= LARGEST);       \
        return !other;                                                                             \
    }                                                                                              \
    /* Computes y and returns true where an operand holds an infinity or NaN. */                   \
    static bool NAME(const struct product *p, const T *a, const T *b, T *y) {                      \
        if (FINITE(a, p->m * p->depth) && FINITE(b, p->depth * p->n)) return false;                \
        int64_t a_row = p->a_transposed ? 1 : p->depth, a_column = p->a_transposed ? p->m : 1;     \
        int64_t b_row = p->b_transposed ? 1 : p->n, b_column = p->b_transposed ? p->depth : 1;     \
        for (int64_t i = 0; i < p->m; i++) {                                                       \
            for (int64_t j = 0; j < p->n; j++) {                                                   \
                T sum = 0;                                                                         \
                for (int64_t k = 0; k < p->depth; k++) {                                           \
                    T l = a[i * a_row + k * a_column], r = b[k * b_row + j * b_column];            \
                    if (l != 0 && r != 0) sum += l * r;                                            \
                }                                                                                  \
                y[i * p->n + j] = sum;                                                             \
            }                                                                                      \
        }                                                                                          \
        return true;                                                                               \
    }
ABSOLUTE_PRODUCT(absolute_f64, is_finite_f64, double, DBL_MAX)
ABSOLUTE_PRODUCT(absolute_f32, is_finite_f32, float, FLT_MAX)

static bool absolute_product(wg_dtype dtype, const struct product *p, const void *a, const void *b,
                             void *y) {
    if (dtype == WG_F64) return absolute_f64(p, a, b, y);
    return dtype == WG_F32 && absolute_f32(p, a, b, y);
}

typedef void product_kernel(const struct product *p, const void *a, const void *b, void *y);

/* The same kernels for operands of any type, so that one table holds them. */
#define ANY_TYPE(NAME, KERNEL)                                                                     \
    static void NAME(const struct product *p, const void *a, const void *b, void *y) {             \
        KERNEL(p, a, b, y);                                                                        \
    }
ANY_TYPE(any_plain_f64, plain_f64)
ANY_TYPE(any_plain_f32, plain_f32)
ANY_TYPE(any_plain_u64, plain_u64)
ANY_TYPE(any_plain_u32, plain_u32)
#if WG_BLAS
ANY_TYPE(any_blas_f64, blas_f64)
ANY_TYPE(any_blas_f32, blas_f32)
#endif
#ifdef WG_WIDE
ANY_TYPE(any_wide_f64, wide_f64)
ANY_TYPE(any_wide_f32, wide_f32)
#endif

static product_kernel *kernel_for(const struct product *p, wg_dtype dtype) {
    if (dtype == WG_I64) return any_plain_u64;
    if (dtype == WG_I32) return any_plain_u32;
    if (!dtype_is_float(dtype)) return NULL;
    bool f64 = dtype == WG_F64;
    (void)p;
#ifdef WG_WIDE
    if (is_for_wide(p)) return f64 ? any_wide_f64 : any_wide_f32;
#endif
#if WG_BLAS
    if (is_for_blas(p)) return f64 ? any_blas_f64 : any_blas_f32;
#endif
    return f64 ? any_plain_f64 : any_plain_f32;
}

wg_status run_dot(const struct exec *e) {
    struct product p = product_of(e);
    size_t size = wg_dtype_size((wg_dtype)e->out.dtype);
    if (e->out.shape->count == 0) return WG_OK;
    if (p.depth == 0) {
        memset(e->out.data, 0, (size_t)e->out.shape->count * size);
        return WG_OK;
    }
    product_kernel *kernel = kernel_for(&p, (wg_dtype)e->out.dtype);
    if (!kernel) return fail_with(e->error, WG_EDTYPE, "dot: of this element type");
    bool absolute = e->attr_count == 5;
    for (int64_t i = 0; i < p.batch; i++) {
        const void *a = (const char *)e->arg[0].data + (size_t)(i * p.m * p.depth) * size;
        const void *b = (const char *)e->arg[1].data + (size_t)(i * p.depth * p.n) * size;
        void *y = (char *)e->out.data + (size_t)(i * p.m * p.n) * size;
        if (!absolute || !absolute_product((wg_dtype)e->out.dtype, &p, a, b, y))
            kernel(&p, a, b, y);
    }
    return WG_OK;
}
