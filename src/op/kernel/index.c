/* Kernels of take, scatter_add, index_add and index_set. All indices are checked before the first
 * element moves. attr: axis, batch; scatter_add has its extent behind them. The index is the last
 * argument. Layouts as at the head of op/index.c. */
#include "op/kernel/kernel.h"

#include <stdio.h>

/* Element counts: large[batch, before, n, after], small[batch, before, m, after], index[batch,
 * m]. */
struct layout {
    int64_t batch, before, n, after, m;
    const int64_t *index64; /* one of the two */
    const int32_t *index32;
};

static struct layout layout_of(const struct exec *e, const struct view *large) {
    const struct view *index = &e->arg[e->narg - 1];
    size_t axis = (size_t)e->attr[0], batch = (size_t)e->attr[1];
    struct layout l = {1, 1, large->shape->extent[axis], 1, 1, NULL, NULL};
    for (size_t i = 0; i < batch; i++) l.batch *= large->shape->extent[i];
    for (size_t i = batch; i < axis; i++) l.before *= large->shape->extent[i];
    for (size_t i = axis + 1; i < large->rank; i++) l.after *= large->shape->extent[i];
    for (size_t i = batch; i < index->rank; i++) l.m *= index->shape->extent[i];
    if (index->dtype == WG_I64) l.index64 = index->data;
    else l.index32 = index->data;
    return l;
}

static int64_t index_at(const struct layout *l, int64_t i) {
    return l->index64 ? l->index64[i] : l->index32[i];
}

#define T double
#define F(name) name##_f64
#include "op/kernel/index.h"
#undef T
#undef F
#define T float
#define F(name) name##_f32
#include "op/kernel/index.h"
#undef T
#undef F
#define T uint64_t
#define F(name) name##_u64
#include "op/kernel/index.h"
#undef T
#undef F
#define T uint32_t
#define F(name) name##_u32
#include "op/kernel/index.h"

static wg_status check_indices(const struct exec *e, const char *name, const struct layout *l,
                               const struct view *large) {
    for (int64_t i = 0, count = e->arg[e->narg - 1].shape->count; i < count; i++) {
        int64_t index = index_at(l, i);
        if (index >= 0 && index < l->n) continue;
        char shape[256];
        size_t size = 0;
        for (size_t k = 0; k < large->rank && size < sizeof shape; k++)
            size += (size_t)snprintf(shape + size, sizeof shape - size, "%s%lld", k ? "," : "",
                                     (long long)large->shape->extent[k]);
        if (l->n == 0)
            return fail_with(
                e->error, WG_EINDEX, "%s: index %lld into an empty axis (axis %d of %s[%s])", name,
                (long long)index, (int)e->attr[0], wg_dtype_name((wg_dtype)large->dtype), shape);
        return fail_with(e->error, WG_EINDEX,
                         "%s: index %lld is outside 0..%lld (axis %d of %s[%s])", name,
                         (long long)index, (long long)l->n - 1, (int)e->attr[0],
                         wg_dtype_name((wg_dtype)large->dtype), shape);
    }
    return WG_OK;
}

static void gather(const struct layout *l, size_t size, const char *a, char *y) {
    size_t piece = (size_t)l->after * size, all = (size_t)l->m * piece;
    for (int64_t b = 0, first = 0; b < l->batch; b++, first += l->m)
        for (int64_t p = 0; p < l->before; p++, a += (size_t)l->n * piece, y += all) {
            if (piece == 8) /* a load and a store each */
                for (int64_t i = 0; i < l->m; i++)
                    memcpy(y + 8 * i, a + 8 * index_at(l, first + i), 8);
            else if (piece == 4)
                for (int64_t i = 0; i < l->m; i++)
                    memcpy(y + 4 * i, a + 4 * index_at(l, first + i), 4);
            else
                for (int64_t i = 0; i < l->m; i++)
                    memcpy(y + (size_t)i * piece, a + (size_t)index_at(l, first + i) * piece,
                           piece);
        }
}

wg_status check_take(const struct exec *e) {
    struct layout l = layout_of(e, &e->arg[0]);
    return check_indices(e, "take", &l, &e->arg[0]);
}

wg_status check_scatter_add(const struct exec *e) {
    struct layout l = layout_of(e, &e->out);
    return check_indices(e, "scatter_add", &l, &e->out);
}

wg_status run_take(const struct exec *e) {
    struct layout l = layout_of(e, &e->arg[0]);
    wg_status status = check_indices(e, "take", &l, &e->arg[0]);
    if (status != WG_OK || e->out.shape->count == 0) return status;
    gather(&l, wg_dtype_size((wg_dtype)e->out.dtype), e->arg[0].data, e->out.data);
    return WG_OK;
}

/* y[.., index, ..] += update, for elements that are there. */
static void add_at(const struct layout *l, const struct view *update, const struct view *out) {
    switch (out->dtype) {
    case WG_F64: add_at_f64(l, update->data, out->data); break;
    case WG_F32: add_at_f32(l, update->data, out->data); break;
    case WG_I64: add_at_u64(l, update->data, out->data); break;
    default: add_at_u32(l, update->data, out->data); break;
    }
}

wg_status run_scatter_add(const struct exec *e) {
    struct layout l = layout_of(e, &e->out);
    wg_status status = check_indices(e, "scatter_add", &l, &e->out);
    if (status != WG_OK || e->out.shape->count == 0) return status;
    size_t size = wg_dtype_size((wg_dtype)e->out.dtype);
    memset(e->out.data, 0, (size_t)e->out.shape->count * size);
    if (e->arg[0].shape->count > 0) add_at(&l, &e->arg[0], &e->out);
    return WG_OK;
}

/* ---- in the place of the first argument ------------------------------------------------------ */

wg_status check_index_add(const struct exec *e) {
    struct layout l = layout_of(e, &e->out);
    return check_indices(e, "index_add", &l, &e->out);
}

wg_status check_index_set(const struct exec *e) {
    struct layout l = layout_of(e, &e->out);
    return check_indices(e, "index_set", &l, &e->out);
}

/* The base where the result is to be, which may be where it is. */
static void begin_with_base(const struct exec *e) {
    if (e->out.data != e->arg[0].data)
        memcpy(e->out.data, e->arg[0].data,
               (size_t)e->out.shape->count * wg_dtype_size((wg_dtype)e->out.dtype));
}

wg_status run_index_add(const struct exec *e) {
    struct layout l = layout_of(e, &e->out);
    wg_status status = check_indices(e, "index_add", &l, &e->out);
    if (status != WG_OK || e->out.shape->count == 0) return status;
    begin_with_base(e);
    if (e->arg[1].shape->count > 0) add_at(&l, &e->arg[1], &e->out);
    return WG_OK;
}

wg_status run_index_set(const struct exec *e) {
    struct layout l = layout_of(e, &e->out);
    wg_status status = check_indices(e, "index_set", &l, &e->out);
    if (status != WG_OK || e->out.shape->count == 0) return status;
    begin_with_base(e);
    size_t piece = (size_t)l.after * wg_dtype_size((wg_dtype)e->out.dtype);
    const char *update = e->arg[1].data;
    char *y = e->out.data;
    for (int64_t b = 0; b < l.batch; b++)
        for (int64_t p = 0; p < l.before; p++, update += piece, y += (size_t)l.n * piece)
            memcpy(y + (size_t)index_at(&l, b) * piece, update, piece);
    return WG_OK;
}
