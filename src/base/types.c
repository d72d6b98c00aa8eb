/* Element types, tensors in memory and the version: what the public base header promises of plain
 * data. The types of programs, with their named sizes, live in ir. */
#include "base/base.h"

#ifndef WG_VERSION
#define WG_VERSION "0.1.0"
#endif

const char *wg_version(void) {
    return WG_VERSION;
}

int wg_abi_version(void) {
    return WG_ABI_VERSION;
}

static const struct {
    const char *name;
    size_t size;
} dtypes[WG_DTYPE_COUNT] = {
    [WG_BOOL] = {"bool", 1}, [WG_I32] = {"i32", 4}, [WG_I64] = {"i64", 8},
    [WG_F32] = {"f32", 4},   [WG_F64] = {"f64", 8},
};

static bool is_dtype(wg_dtype dtype) {
    return (unsigned)dtype < WG_DTYPE_COUNT;
}

const char *wg_dtype_name(wg_dtype dtype) {
    return is_dtype(dtype) ? dtypes[dtype].name : "unknown";
}

size_t wg_dtype_size(wg_dtype dtype) {
    return is_dtype(dtype) ? dtypes[dtype].size : 0;
}

/* An extent of 0 makes the count 0, but the product of the others must fit all the same: loops
 * count over some of the axes. */
int64_t wg_tensor_count(const wg_tensor *tensor) {
    if (!tensor || tensor->rank < 0 || tensor->rank > WG_MAX_RANK) return -1;
    int64_t product = 1;
    bool empty = false;
    for (int i = 0; i < tensor->rank; i++) {
        int64_t extent = tensor->shape[i];
        if (extent < 0) return -1;
        if (extent == 0)
            empty = true;
        else if (mul_overflows(product, extent, &product))
            return -1;
    }
    return empty ? 0 : product;
}

/* The bytes that a tensor of the library's own holds, 0 where they cannot be counted. A tensor
 * without elements holds one, so that its data are not NULL. */
static size_t owned_bytes(const wg_tensor *tensor) {
    int64_t count = wg_tensor_count(tensor), bytes;
    if (count < 0 || !is_dtype(tensor->dtype)) return 0;
    if (mul_overflows(count, (int64_t)wg_dtype_size(tensor->dtype), &bytes)) return 0;
    if ((uint64_t)bytes > PTRDIFF_MAX) return 0;
    return bytes > 0 ? (size_t)bytes : 1;
}

wg_status tensor_alloc(wg_tensor *tensor, const wg_allocator *allocator, wg_error *error) {
    size_t bytes = owned_bytes(tensor);
    tensor->data = NULL;
    if (bytes == 0) return fail_with(error, WG_EOVERFLOW, "the tensor is larger than any memory");
    tensor->data = mem_alloc(allocator, bytes);
    return tensor->data ? WG_OK : fail_memory(error);
}

void wg_tensor_free(wg_tensor *tensor, const wg_allocator *allocator) {
    if (!tensor) return;
    mem_free(allocator, tensor->data, owned_bytes(tensor));
    *tensor = (wg_tensor){0};
}
