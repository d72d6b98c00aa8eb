/* Tensors of floating numbers as vectors of doubles: for what computes derivatives by differences,
 * or looks at those that programs give. */
#ifndef RUN_VECTOR_H
#define RUN_VECTOR_H

#include "run/run.h"

#include "wengert/data.h"

static inline double vector_get(const wg_tensor *x, int64_t i) {
    return x->dtype == WG_F32 ? (double)((const float *)x->data)[i] : ((const double *)x->data)[i];
}

static inline void vector_set(wg_tensor *x, int64_t i, double number) {
    if (x->dtype == WG_F32)
        ((float *)x->data)[i] = (float)number;
    else
        ((double *)x->data)[i] = number;
}

static inline bool vector_is_float(const wg_tensor *x) { return dtype_is_float(x->dtype); }

double vector_dot(const wg_tensor *a, const wg_tensor *b);
/* A tensor of the same type with data of its own. */
wg_status vector_clone(const wg_tensor *x, const wg_allocator *a, wg_tensor *copy, wg_error *error);
/* Room for count tensors, all zero; NULL without memory. The second frees them with their data. */
wg_tensor *vector_list(const wg_allocator *a, size_t count);
void vector_free_list(const wg_allocator *a, wg_tensor *x, size_t count);

#endif
