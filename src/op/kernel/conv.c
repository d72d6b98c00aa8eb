/* The kernel of conv: reads attributes and extents, and sends every image and group through tiles
 * of conv.h, whose products BLAS takes where it is there and the element type is its own. */
#include "op/conv.h"
#include "op/kernel/kernel.h"

#include <limits.h>

#if WG_BLAS
#include <cblas.h>
#endif

enum {
    TILE_BYTES = 1 << 16,
    LEAST_PIXELS = 32 /* that a tile has at least; deeper windows are cut instead */
};

struct conv {
    int64_t images, groups, channels, own; /* n, g, c, o */
    int64_t x[2], k[2], y[2];              /* in space */
    int64_t stride[2], dilation[2], low[2];
    int64_t depth, pixels; /* c*i*j, p*q */
    enum conv_tensor result;
    bool absolute; /* products: where all is finite they are the others */
};

struct run {
    int64_t from, to;
};

/* The j of 0 .. count-1 with first + j*stride within 0 .. extent-1. */
static struct run places_inside(int64_t first, int64_t stride, int64_t extent, int64_t count) {
    int64_t from = first >= 0 ? 0 : (-first + stride - 1) / stride;
    int64_t to = first >= extent ? 0 : (extent - first + stride - 1) / stride;
    return (struct run){from < count ? from : count, to < count ? to : count};
}

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
    memset(e->out.data, 0, (size_t)e->out.shape->count * size);
    if (e->arg[0].shape->count == 0 || e->arg[1].shape->count == 0) return WG_OK;
    switch (e->out.dtype) {
    case WG_F64: convolve_f64(&v, tensor); return WG_OK;
    case WG_F32: convolve_f32(&v, tensor); return WG_OK;
    case WG_I64: convolve_u64(&v, tensor); return WG_OK;
    case WG_I32: convolve_u32(&v, tensor); return WG_OK;
    default: return fail_with(e->error, WG_EDTYPE, "conv: of this element type");
    }
}
