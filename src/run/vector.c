/* Tensors as vectors: see the header. */
#include "run/vector.h"

double vector_dot(const wg_tensor *a, const wg_tensor *b) {
    double sum = 0;
    int64_t count = wg_tensor_count(a);
    for (int64_t i = 0; i < count; i++) sum += vector_get(a, i) * vector_get(b, i);
    return sum;
}

wg_status vector_clone(const wg_tensor *x, const wg_allocator *a, wg_tensor *copy,
                       wg_error *error) {
    wg_tensor made = *x;
    wg_status status = tensor_alloc(&made, a, error);
    if (status) return status;
    size_t size = (size_t)wg_tensor_count(x) * wg_dtype_size(x->dtype);
    if (size && x->data) memcpy(made.data, x->data, size);
    *copy = made;
    return WG_OK;
}

wg_tensor *vector_list(const wg_allocator *a, size_t count) {
    return mem_alloc_zero(a, (count + 1) * sizeof(wg_tensor)); /* never empty */
}

void vector_free_list(const wg_allocator *a, wg_tensor *x, size_t count) {
    for (size_t i = 0; x && i < count; i++) wg_tensor_free(&x[i], a);
    mem_free(a, x, (count + 1) * sizeof *x);
}
