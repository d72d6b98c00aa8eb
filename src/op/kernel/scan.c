/* Kernels of cumsum, recur and argsort: one instance of scan.h for each element type. attr: axis,
 * and for the first two whether they go backwards; a third word of recur for absolute-zero
 * products. Nothing is allocated. */
#include "op/kernel/kernel.h"

#include <math.h>

enum { INNER = 4096, LINES = 8 }; /* INNER: 32 kB of sums, most rows as a whole */

#define T double
#define U double
#define A double
#define F(name) name##_f64
#include "op/kernel/scan.h"
#undef T
#undef U
#undef F
#define T float
#define U float
#define F(name) name##_f32
#include "op/kernel/scan.h"
#undef T
#undef U
#undef A
#undef F
#define T int64_t
#define U uint64_t
#define A uint64_t
#define F(name) name##_i64
#include "op/kernel/scan.h"
#undef T
#undef U
#undef A
#undef F
#define T int32_t
#define U uint32_t
#define A uint32_t
#define F(name) name##_i32
#include "op/kernel/scan.h"

struct lines {
    int64_t outer, n, inner;
};

static struct lines lines_of(const struct exec *e) {
    const struct shape *shape = e->out.shape;
    size_t axis = (size_t)e->attr[0];
    struct lines l = {1, shape->extent[axis], 1};
    for (size_t i = 0; i < axis; i++) l.outer *= shape->extent[i];
    for (size_t i = axis + 1; i < e->out.rank; i++) l.inner *= shape->extent[i];
    return l;
}

wg_status run_cumsum(const struct exec *e) {
    struct lines l = lines_of(e);
    bool reverse = e->attr[1] != 0;
    const void *x = e->arg[0].data;
    if (e->out.shape->count == 0) return WG_OK;
    switch (e->out.dtype) {
    case WG_F64: cumsum_f64(l.outer, l.n, l.inner, reverse, x, e->out.data); break;
    case WG_F32: cumsum_f32(l.outer, l.n, l.inner, reverse, x, e->out.data); break;
    case WG_I64: cumsum_i64(l.outer, l.n, l.inner, reverse, x, e->out.data); break;
    case WG_I32: cumsum_i32(l.outer, l.n, l.inner, reverse, x, e->out.data); break;
    default: return fail_with(e->error, WG_EDTYPE, "cumsum of this element type");
    }
    return WG_OK;
}

wg_status run_recur(const struct exec *e) {
    struct lines l = lines_of(e);
    bool reverse = e->attr[1] != 0, absolute = e->attr_count == 3;
    const void *a = e->arg[0].data, *b = e->arg[1].data;
    if (e->out.shape->count == 0) return WG_OK;
    switch (e->out.dtype) {
    case WG_F64: recur_f64(l.outer, l.n, l.inner, reverse, absolute, a, b, e->out.data); break;
    case WG_F32: recur_f32(l.outer, l.n, l.inner, reverse, absolute, a, b, e->out.data); break;
    case WG_I64: recur_i64(l.outer, l.n, l.inner, reverse, absolute, a, b, e->out.data); break;
    case WG_I32: recur_i32(l.outer, l.n, l.inner, reverse, absolute, a, b, e->out.data); break;
    default: return fail_with(e->error, WG_EDTYPE, "recur of this element type");
    }
    return WG_OK;
}

wg_status run_argsort(const struct exec *e) {
    struct lines l = lines_of(e);
    const void *x = e->arg[0].data;
    if (e->out.shape->count == 0) return WG_OK;
    switch (e->arg[0].dtype) {
    case WG_F64: argsort_f64(l.outer, l.n, l.inner, x, e->out.data); break;
    case WG_F32: argsort_f32(l.outer, l.n, l.inner, x, e->out.data); break;
    case WG_I64: argsort_i64(l.outer, l.n, l.inner, x, e->out.data); break;
    case WG_I32: argsort_i32(l.outer, l.n, l.inner, x, e->out.data); break;
    default: return fail_with(e->error, WG_EDTYPE, "argsort of this element type");
    }
    return WG_OK;
}
