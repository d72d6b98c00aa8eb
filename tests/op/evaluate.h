/* Running small programs in the tests of operations: a graph whose inputs are given as they are
 * made, evaluated at once. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EVALUATE_INPUTS = 8 };

struct evaluate {
    wg_graph *g;
    wg_tensor in[EVALUATE_INPUTS];
    size_t count;
    wg_tensor out; /* of the last evaluation; data owned */
};

static inline struct evaluate evaluate_begin(void) {
    struct evaluate e = {.g = wg_graph_new()};
    assert_non_null(e.g);
    return e;
}

/* An input x0, x1, ... with these shape and data (borrowed). named: extents but 1 are sizes n0, n2,
 * ... of those values, so that nothing is known when the program is built. */
static inline wg_var evaluate_input(struct evaluate *e, bool named, wg_dtype dtype, int rank,
                                    const int64_t *shape, const void *data) {
    char name[8] = {'x', (char)('0' + e->count)}, size[8] = {'n'};
    wg_type type = {.dtype = (uint8_t)dtype, .rank = (uint8_t)rank};
    wg_tensor *t = &e->in[e->count++];
    *t = (wg_tensor){.data = (void *)(uintptr_t)data, .dtype = dtype, .rank = rank};
    for (int i = 0; i < rank; i++) {
        size[1] = (char)('0' + shape[i]); /* equal extents are one size */
        type.extent[i] = named && shape[i] != 1 && shape[i] < 10 ? wg_size(e->g, size) : shape[i];
        t->shape[i] = shape[i];
    }
    return wg_input(e->g, name, type);
}

#define SHAPE(...)                                                                                 \
    (int)(sizeof((int64_t[]){0, __VA_ARGS__}) / sizeof(int64_t) - 1),                              \
        (const int64_t[]){0, __VA_ARGS__} + 1

/* Builds and runs the program with the one output y; the message of an error in *error. */
static inline void evaluate_with(struct evaluate *e, wg_var y, wg_error *error) {
    wg_output(e->g, "y", y);
    wg_program *p = wg_build(e->g, error);
    wg_function *fn = wg_compile(p, NULL, error);
    e->out = (wg_tensor){0};
    if (fn) wg_run(fn, NULL, e->in, &e->out, error);
    wg_function_free(fn);
    wg_program_free(p);
}

static inline void evaluate(struct evaluate *e, wg_var y) {
    wg_error error = {0};
    evaluate_with(e, y, &error);
    assert_ok(error);
}

static inline void evaluate_end(struct evaluate *e) {
    wg_tensor_free(&e->out, NULL);
}

/* Equal numbers, NaN equal to NaN. */
static inline void assert_numbers(const wg_tensor *t, const double *expected, size_t count,
                                  double tolerance) {
    assert_int_equal(wg_tensor_count(t), (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        double x = t->dtype == WG_F64   ? ((const double *)t->data)[i]
                   : t->dtype == WG_F32 ? (double)((const float *)t->data)[i]
                   : t->dtype == WG_I64 ? (double)((const int64_t *)t->data)[i]
                   : t->dtype == WG_I32 ? ((const int32_t *)t->data)[i]
                                        : ((const uint8_t *)t->data)[i];
        bool same = x == expected[i] || (isnan(x) && isnan(expected[i])) ||
                    fabs(x - expected[i]) <= tolerance * fmax(1, fabs(expected[i]));
        if (!same) fail_msg("element %zu is %.17g, not %.17g", i, x, expected[i]);
    }
}

#define ASSERT_VALUES(t, ...)                                                                      \
    assert_numbers((t), (const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / 8, 0)

#endif
