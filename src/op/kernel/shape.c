/* Kernels of the operations that only move elements: attributes and extents become strides, and
 * strided.h does the rest. Slices and pads check their bounds once more, so that no program can
 * read or write outside a buffer. */
#include "op/kernel/kernel.h"
#include "op/kernel/strided.h"

/* Row-major strides, in elements. */
static void dense_strides(const struct view *v, int64_t *stride) {
    int64_t step = 1;
    for (size_t i = v->rank; i-- > 0; step *= v->shape->extent[i]) stride[i] = step;
}

static size_t element_size(const struct exec *e) {
    return wg_dtype_size((wg_dtype)e->out.dtype);
}

wg_status run_reshape(const struct exec *e) {
    if (e->arg[0].shape->count != e->out.shape->count)
        return fail_with(e->error, WG_ESHAPE, "reshape: %lld elements cannot become %lld",
                    (long long)e->arg[0].shape->count, (long long)e->out.shape->count);
    size_t bytes = (size_t)e->out.shape->count * element_size(e);
    if (bytes && e->out.data != e->arg[0].data) memmove(e->out.data, e->arg[0].data, bytes);
    return WG_OK;
}

/* attr: the permutation */
wg_status run_transpose(const struct exec *e) {
    if (e->out.shape->count == 0) return WG_OK;
    int64_t in[WG_MAX_RANK], out[WG_MAX_RANK];
    struct strided_axis axis[STRIDED_RANK];
    dense_strides(&e->arg[0], in);
    dense_strides(&e->out, out);
    for (size_t i = 0; i < e->out.rank; i++)
        axis[i] = (struct strided_axis){e->out.shape->extent[i], in[e->attr[i]], out[i]};
    strided_copy(element_size(e), e->out.rank, axis, e->arg[0].data, e->out.data);
    return WG_OK;
}

/* attr: rank, extents, mask of the axes that are the argument's */
wg_status run_broadcast(const struct exec *e) {
    if (e->out.shape->count == 0) return WG_OK;
    int64_t in[WG_MAX_RANK], out[WG_MAX_RANK], mapped = e->attr[e->attr_count - 1];
    struct strided_axis axis[STRIDED_RANK];
    dense_strides(&e->arg[0], in);
    dense_strides(&e->out, out);
    for (size_t i = 0, k = 0; i < e->out.rank; i++)
        axis[i] = (struct strided_axis){e->out.shape->extent[i], mapped >> i & 1 ? in[k++] : 0,
                                        out[i]};
    strided_copy(element_size(e), e->out.rank, axis, e->arg[0].data, e->out.data);
    return WG_OK;
}

/* attr: start, count or total, step, each for every axis. small is the slice, large what it is of.
 * Copies from one to the other. */
static wg_status copy_window(const struct exec *e, const struct view *small,
                             const struct view *large, bool out_of_large) {
    int64_t s[WG_MAX_RANK], l[WG_MAX_RANK], base = 0;
    size_t rank = e->out.rank, size = element_size(e);
    if (small->shape->count == 0) return WG_OK;
    struct strided_axis axis[STRIDED_RANK];
    dense_strides(small, s);
    dense_strides(large, l);
    for (size_t i = 0; i < rank; i++) {
        int64_t start = exec_extent(e, e->attr[i]), given = e->attr[2 * rank + i];
        int64_t step = given < 0 ? -given : given;
        int64_t count = small->shape->extent[i], extent = large->shape->extent[i], reach;
        if (start < 0 || mul_overflows(count - 1, step, &reach) ||
            add_overflows(reach, start, &reach) || reach >= extent)
            return fail_with(
                e->error, WG_EINDEX,
                "%s: %lld elements from %lld in steps of %lld leave axis %zu of extent %lld",
                out_of_large ? "slice" : "pad", (long long)count, (long long)start, (long long)step,
                i, (long long)extent);
        base += (given < 0 ? reach : start) * l[i]; /* reach: the last element */
        step = count > 1 ? given : 0; /* one element: any step, and it may be a huge one */
        axis[i] = out_of_large ? (struct strided_axis){count, step * l[i], s[i]}
                               : (struct strided_axis){count, s[i], step * l[i]};
    }
    size_t skip = (size_t)base * size;
    if (out_of_large)
        strided_copy(size, rank, axis, (const char *)large->data + skip, small->data);
    else strided_copy(size, rank, axis, small->data, (char *)large->data + skip);
    return WG_OK;
}

wg_status run_slice(const struct exec *e) {
    return copy_window(e, &e->out, &e->arg[0], true);
}

wg_status run_pad(const struct exec *e) {
    if (e->out.shape->count == 0) return WG_OK;
    memset(e->out.data, 0, (size_t)e->out.shape->count * element_size(e));
    return copy_window(e, &e->arg[0], &e->out, false);
}

/* Rows of `piece` bytes, one behind the other, to places `row` bytes apart. What a row is mostly,
 * one element, is a load and a store; a call of memcpy for each would be most of the work. */
static void copy_rows(size_t count, size_t piece, size_t row, const char *restrict from,
                      char *restrict to) {
    if (piece == 8)
        for (size_t i = 0; i < count; i++) memcpy(to + i * row, from + i * 8, 8);
    else if (piece == 4)
        for (size_t i = 0; i < count; i++) memcpy(to + i * row, from + i * 4, 4);
    else
        for (size_t i = 0; i < count; i++) memcpy(to + i * row, from + i * piece, piece);
}

/* attr: axis. All parts write a few rows of the result before the next few are begun, so that rows
 * made of many parts are in the cache until they are whole. A part that is given as the result
 * itself is there: native code made it in place. */
wg_status run_concat(const struct exec *e) {
    enum { BLOCK = 16384 };
    if (e->out.shape->count == 0) return WG_OK;
    size_t axis = (size_t)e->attr[0], outer = 1, inner = element_size(e), width = 0;
    for (size_t i = 0; i < axis; i++) outer *= (size_t)e->out.shape->extent[i];
    for (size_t i = axis + 1; i < e->out.rank; i++) inner *= (size_t)e->out.shape->extent[i];
    size_t row = (size_t)e->out.shape->extent[axis] * inner;
    for (size_t k = 0; k < e->narg; k++) width += (size_t)e->arg[k].shape->extent[axis] * inner;
    if (width > row)
        return fail_with(e->error, WG_ESHAPE, "concat: the parts are longer than the result");
    size_t block = row < BLOCK ? BLOCK / row : 1;
    for (size_t i = 0; i < outer; i += block) {
        size_t count = outer - i < block ? outer - i : block;
        char *to = (char *)e->out.data + i * row;
        for (size_t k = 0; k < e->narg; k++) {
            size_t piece = (size_t)e->arg[k].shape->extent[axis] * inner;
            const char *from = e->arg[k].data;
            if (piece && from != e->out.data) copy_rows(count, piece, row, from + i * piece, to);
            to += piece;
        }
    }
    return WG_OK;
}
