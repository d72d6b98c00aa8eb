/* Kernels of the reductions: one instance of reduce.h for each element type, and the joining of a
 * call's axes into the groups that it walks. Nothing is allocated; local
 * arrays take up to 100 kB. */
#include "op/kernel/kernel.h"
#include "op/kernel/strided.h"
#include "op/kernel/vector_math.h"
#include "op/kernel/vector_math_f32.h"

#include <float.h>
#include <math.h>

enum { LANES = 16, WIDE = 64, BLOCK = 512, CHUNK = 1024, TINY = 4, RADIX = 64, LEVELS = 6 };
enum term { PLAIN, SQUARES, EXPONENTIALS };
enum reduce_kind { REDUCE_SUM, REDUCE_MAX, REDUCE_PEAK, REDUCE_LOGSUMEXP, REDUCE_NORM };
enum largest { OF_ALL, OF_MAGNITUDES, OF_NUMBERS /* of what is not NaN */ };

/* How a reduction walks its argument. Of each axis only extent and `in`, the stride, are used. */
struct reduction {
    size_t kept_rank, reduced_rank;
    struct strided_axis kept[STRIDED_RANK], reduced[STRIDED_RANK]; /* without the innermost group */
    int64_t width;        /* of the innermost group                                          */
    bool runs;            /* it is reduced: runs of width elements; else rows of as many columns */
    bool reduces_nothing; /* there is no element to reduce                                   */
};

#define T double
#define U double
#define FLOAT 1
#define F(name) name##_f64
#define T_LOWEST (-HUGE_VAL)
#define T_MAX DBL_MAX
#define T_MIN DBL_MIN
#define T_EPSILON DBL_EPSILON
#define T_MIN_EXP DBL_MIN_EXP
#define exp_f64 vm_exp
#define log_f64 vm_log
#define sqrt_f64 sqrt
#define frexp_f64 frexp
#define ldexp_f64 ldexp
#include "op/kernel/reduce.h"
#undef T
#undef U
#undef F
#undef T_LOWEST
#undef T_MAX
#undef T_MIN
#undef T_EPSILON
#undef T_MIN_EXP

#define T float
#define U float
#define F(name) name##_f32
#define T_LOWEST (-HUGE_VALF)
#define T_MAX FLT_MAX
#define T_MIN FLT_MIN
#define T_EPSILON FLT_EPSILON
#define T_MIN_EXP FLT_MIN_EXP
#define exp_f32 vm_expf
#define log_f32 vm_logf
#define sqrt_f32 sqrtf
#define frexp_f32 frexpf
#define ldexp_f32 ldexpf
#include "op/kernel/reduce.h"
#undef T
#undef U
#undef F
#undef T_LOWEST
#undef FLOAT

#define T int32_t
#define U uint32_t
#define FLOAT 0
#define F(name) name##_i32
#define T_LOWEST INT32_MIN
#include "op/kernel/reduce.h"
#undef T
#undef U
#undef F
#undef T_LOWEST

#define T int64_t
#define U uint64_t
#define F(name) name##_i64
#define T_LOWEST INT64_MIN
#include "op/kernel/reduce.h"

static struct reduction plan(const struct view *x, int64_t mask) {
    struct reduction r = {.width = 1};
    bool any = false;
    int64_t stride = 1;
    struct strided_axis group[STRIDED_RANK];
    bool reduced[STRIDED_RANK];
    size_t groups = 0; /* innermost first */
    for (size_t i = x->rank; i-- > 0; stride *= x->shape->extent[i]) {
        int64_t extent = x->shape->extent[i];
        bool is_reduced = mask >> i & 1;
        any |= is_reduced && extent == 0;
        if (extent == 1) continue;
        if (groups && reduced[groups - 1] == is_reduced) {
            group[groups - 1].extent *= extent;
            continue;
        }
        reduced[groups] = is_reduced;
        group[groups++] = (struct strided_axis){extent, stride, 0};
    }
    r.reduces_nothing = any;
    if (groups) {
        r.width = group[0].extent;
        r.runs = reduced[0];
    }
    for (size_t k = groups; k-- > 1;) {
        if (reduced[k]) r.reduced[r.reduced_rank++] = group[k];
        else r.kept[r.kept_rank++] = group[k];
    }
    return r;
}

static wg_status reduce(const struct exec *e, enum reduce_kind kind) {
    if (e->out.shape->count == 0) return WG_OK;
    struct reduction r = plan(&e->arg[0], e->attr[0]);
    const void *x = e->arg[0].data;
    switch (e->out.dtype) {
    case WG_F64: reduce_f64(kind, &r, x, e->out.data); break;
    case WG_F32: reduce_f32(kind, &r, x, e->out.data); break;
    case WG_I64: reduce_i64(kind, &r, x, e->out.data); break;
    case WG_I32: reduce_i32(kind, &r, x, e->out.data); break;
    default: return fail_with(e->error, WG_EDTYPE, "a reduction of this element type");
    }
    return WG_OK;
}

wg_status run_sum(const struct exec *e) {
    return reduce(e, REDUCE_SUM);
}

wg_status run_reduce_max(const struct exec *e) {
    if (e->arg[0].shape->count == 0 && e->out.shape->count > 0 && !dtype_is_float(e->out.dtype))
        return fail_with(
            e->error, WG_EARGUMENT,
            "reduce_max: no elements along a reduced axis, and no integer is the largest of none");
    return reduce(e, REDUCE_MAX);
}

wg_status run_peak(const struct exec *e) {
    return reduce(e, REDUCE_PEAK);
}

wg_status run_logsumexp(const struct exec *e) {
    return reduce(e, REDUCE_LOGSUMEXP);
}

wg_status run_norm(const struct exec *e) {
    return reduce(e, REDUCE_NORM);
}

/* attr: axis */
wg_status run_argmax(const struct exec *e) {
    const struct view *x = &e->arg[0];
    size_t axis = (size_t)e->attr[0];
    int64_t outer = 1, n = x->shape->extent[axis], inner = 1;
    if (e->out.shape->count == 0) return WG_OK;
    if (n == 0)
        return fail_with(e->error, WG_EARGUMENT,
                         "argmax: no elements along axis %zu, so none is the largest", axis);
    for (size_t i = 0; i < axis; i++) outer *= x->shape->extent[i];
    for (size_t i = axis + 1; i < x->rank; i++) inner *= x->shape->extent[i];
    switch (x->dtype) {
    case WG_F64: argmax_f64(outer, n, inner, x->data, e->out.data); break;
    case WG_F32: argmax_f32(outer, n, inner, x->data, e->out.data); break;
    case WG_I64: argmax_i64(outer, n, inner, x->data, e->out.data); break;
    case WG_I32: argmax_i32(outer, n, inner, x->data, e->out.data); break;
    default: return fail_with(e->error, WG_EDTYPE, "argmax of this element type");
    }
    return WG_OK;
}
