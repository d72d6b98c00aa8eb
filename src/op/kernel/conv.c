/* The kernel of conv: reads attributes and extents. Floating types go to conv_direct.h, where the
 * processor is one that it was compiled for; what is left, and what conv_direct.h does not take,
 * sends every image and group through tiles of conv.h, whose products BLAS takes where it is there
 * and the element type is its own. */
#include "op/kernel/conv_form.h"
#include "op/kernel/kernel.h"

#include <limits.h>

#if WG_BLAS
#include <cblas.h>
#endif

enum {
    TILE_BYTES = 1 << 16,
    LEAST_PIXELS = 32 /* that a tile has at least; deeper windows are cut instead */
};

#define T uint64_t
#define F(name) name##_u64
#define ADD_PRODUCT add_product_u64
#include "op/kernel/conv.h"
#undef T
#undef F
#undef ADD_PRODUCT
#define T uint32_t
#define F(name) name##_u32
#define ADD_PRODUCT add_product_u32
#include "op/kernel/conv.h"
#undef T
#undef F
#undef ADD_PRODUCT

/* The product by BLAS, whose extents are int, or in plain C. */
#if WG_BLAS
#define BLAS_PRODUCT(NAME, T, PLAIN, PREFIX)                                                       \
    static void PLAIN(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const T *a, int64_t lda,  \
                      const T *b, int64_t ldb, T *restrict c, int64_t ldc);                        \
    static void NAME(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const T *a, int64_t lda,   \
                     const T *b, int64_t ldb, T *c, int64_t ldc) {                                 \
        if (m > INT_MAX || n > INT_MAX || k > INT_MAX || lda > INT_MAX || ldb > INT_MAX ||         \
            ldc > INT_MAX)                                                                         \
            PLAIN(ta, tb, m, n, k, a, lda, b, ldb, c, ldc);                                        \
        else                                                                                       \
            cblas_##PREFIX##gemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans,                    \
                                 tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1, a,     \
                                 (int)lda, b, (int)ldb, 1, c, (int)ldc);                           \
    }
BLAS_PRODUCT(blas_f64, double, add_product_f64, d)
BLAS_PRODUCT(blas_f32, float, add_product_f32, s)
#define PRODUCT_F64 blas_f64
#define PRODUCT_F32 blas_f32
#else
#define PRODUCT_F64 add_product_f64
#define PRODUCT_F32 add_product_f32
#endif

#define T double
#define F(name) name##_f64
#define ADD_PRODUCT PRODUCT_F64
#include "op/kernel/conv.h"
#undef T
#undef F
#undef ADD_PRODUCT
#define T float
#define F(name) name##_f32
#define ADD_PRODUCT PRODUCT_F32
#include "op/kernel/conv.h"

/* The kernel for the processor at hand, or NULL. */
static conv_kernel *direct_kernel(wg_dtype dtype) {
#ifdef WG_WIDE
    bool f64 = dtype == WG_F64;
    if (f64 || dtype == WG_F32) {
        if (__builtin_cpu_supports("avx512f")) return f64 ? conv_avx512_f64 : conv_avx512_f32;
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            return f64 ? conv_avx2_f64 : conv_avx2_f32;
    }
#endif
    (void)dtype;
    return NULL;
}

wg_status run_conv(const struct exec *e) {
    struct conv v = {.result = (enum conv_tensor)e->attr[CONV_RESULT],
                     .absolute = e->attr[CONV_ABSOLUTE] != 0};
    const int64_t *extent[3];
    void *tensor[3];
    for (size_t t = 0, k = 0; t < 3; t++) {
        const struct view *view = t == v.result ? &e->out : &e->arg[k++];
        extent[t] = view->shape->extent;
        tensor[t] = view->data;
    }
    v.images = extent[v.result == IMAGE ? OUTPUT : IMAGE][0];
    v.groups = extent[v.result == IMAGE ? OUTPUT : IMAGE][1];
    v.channels = extent[v.result == IMAGE ? KERNEL : IMAGE][2];
    v.own = v.result == OUTPUT ? extent[KERNEL][1] : extent[OUTPUT][2];
    for (size_t i = 0; i < 2; i++) {
        v.x[i] = extent[IMAGE][3 + i];
        v.k[i] = extent[KERNEL][3 + i];
        v.y[i] = extent[OUTPUT][3 + i];
        v.stride[i] = e->attr[CONV_STRIDE + i];
        v.dilation[i] = e->attr[CONV_DILATION + i];
        v.low[i] = e->attr[CONV_LOW + i];
    }
    v.depth = v.channels * v.k[0] * v.k[1];
    v.pixels = v.y[0] * v.y[1];
    size_t size = wg_dtype_size((wg_dtype)e->out.dtype);
    if (e->out.shape->count == 0) return WG_OK;
    bool empty = e->arg[0].shape->count == 0 || e->arg[1].shape->count == 0;
    conv_kernel *direct = empty || v.absolute ? NULL : direct_kernel((wg_dtype)e->out.dtype);
    if (direct && direct(&v, tensor)) return WG_OK;
    memset(e->out.data, 0, (size_t)e->out.shape->count * size);
    if (empty) return WG_OK;
    switch (e->out.dtype) {
    case WG_F64: convolve_f64(&v, tensor); return WG_OK;
    case WG_F32: convolve_f32(&v, tensor); return WG_OK;
    case WG_I64: convolve_u64(&v, tensor); return WG_OK;
    case WG_I32: convolve_u32(&v, tensor); return WG_OK;
    default: return fail_with(e->error, WG_EDTYPE, "conv: of this element type");
    }
}
