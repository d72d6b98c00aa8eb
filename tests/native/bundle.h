/* Many programs as one, since a compiler takes as long to start as to compile a program: each is
 * imported into one graph, its inputs and outputs numbered by where they stand, and the interpreter
 * and native code run them all at once. */
#ifndef BUNDLE_H
#define BUNDLE_H

#include "op/op.h"
#include "support/random_program.h"
#include "support/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUNDLE_PROGRAMS = 512, BUNDLE_PORTS = 8192, BUNDLE_LABEL = 160 };

struct bundle {
    wg_graph *g;
    size_t programs, inputs, outputs;
    size_t first_input[BUNDLE_PROGRAMS + 1], first_output[BUNDLE_PROGRAMS + 1];
    char label[BUNDLE_PROGRAMS][BUNDLE_LABEL];
    bool multiplies[BUNDLE_PROGRAMS]; /* matrices */
};

/* How far native code may be off, relative to the output's largest element: 0 means the same bits,
 * NaNs of any payload alike. */
struct tolerance {
    double f64, f32;
};
static const struct tolerance same_bits = {0, 0};

/* What has_products says. */
static const struct tolerance products = {1e-12, 1e-5};

static inline struct bundle *bundle_new(void) {
    struct bundle *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->g = wg_graph_new();
    return b;
}

static inline void bundle_free(struct bundle *b) {
    wg_graph_free(b->g);
    free(b);
}

/* Sizes keep their names: programs of one n share it. */
static inline void bundle_add(struct bundle *b, const wg_program *p, const char *label) {
    const struct trace *t = &p->t;
    wg_var in[64], out[64];
    wg_extent size_map[16];
    assert_true(b->programs < BUNDLE_PROGRAMS && t->input.count <= 64 && t->output.count <= 64 &&
                t->size.count <= 16);
    for (size_t i = 0; i < t->size.count; i++)
        size_map[i] = extent_size(b->g, graph_size(b->g, name_at(t, t->size.at[i])));
    for (size_t i = 0; i < t->input.count; i++) {
        char name[32];
        snprintf(name, sizeof name, "x%zu", b->inputs++);
        wg_type type = graph_import_type(b->g, t, type_of(t, t->input.at[i].v), size_map);
        in[i] = wg_input(b->g, name, type);
    }
    wg_apply(b->g, p, in, out);
    for (size_t i = 0; i < t->output.count; i++) {
        char name[32];
        snprintf(name, sizeof name, "y%zu", b->outputs++);
        wg_output(b->g, name, out[i]);
    }
    b->multiplies[b->programs] = has_products(p);
    snprintf(b->label[b->programs++], BUNDLE_LABEL, "%s", label);
    b->first_input[b->programs] = b->inputs;
    b->first_output[b->programs] = b->outputs;
    if (wg_graph_error(b->g)->status) fail_msg("%s: %s", label, wg_graph_error(b->g)->message);
}

static inline wg_program *bundle_build(struct bundle *b) {
    wg_error error = {0};
    wg_program *p = wg_build(b->g, &error);
    assert_ok(error);
    b->g = NULL;
    return p;
}

/* What speaks of a program that is not put into another. */
static inline struct bundle *bundle_of_one(const wg_program *p, const char *label) {
    struct bundle *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->programs = 1;
    b->first_input[1] = b->inputs = wg_input_count(p);
    b->first_output[1] = b->outputs = wg_output_count(p);
    snprintf(b->label[0], BUNDLE_LABEL, "%s", label);
    b->multiplies[0] = has_products(p);
    return b;
}

static inline size_t bundle_owner(const struct bundle *b, size_t output) {
    size_t k = 0;
    while (b->first_output[k + 1] <= output) k++;
    return k;
}

static inline double element(const wg_tensor *t, int64_t k) {
    return t->dtype == WG_F64 ? ((const double *)t->data)[k] : (double)((const float *)t->data)[k];
}

static inline bool has_same_bits(const wg_tensor *a, const wg_tensor *b, int64_t k) {
    size_t width = wg_dtype_size(a->dtype);
    if (memcmp((const char *)a->data + (size_t)k * width, (const char *)b->data + (size_t)k * width,
               width) == 0)
        return true;
    return dtype_is_float((unsigned)a->dtype) && isnan(element(a, k)) && isnan(element(b, k));
}

/* Both NaN, both the same infinity; with rounding allowed also one of each: a contracted a*b + c,
 * whose product is too large for a number of its own, is infinite where inf - inf is NaN. */
static inline bool has_same_end(double x, double y, bool contracted) {
    if (isnan(x) && isnan(y)) return true;
    return !isfinite(x) && !isfinite(y) && (x == y || (contracted && (isnan(x) || isnan(y))));
}

/* The element that differs most, or -1 if none does by more than is allowed. */
static inline int64_t worst_element(const wg_tensor *a, const wg_tensor *b,
                                    struct tolerance allowed) {
    double scale = 1, worst = 0;
    int64_t at = -1;
    double most = a->dtype == WG_F64 ? allowed.f64 : allowed.f32;
    bool floating = dtype_is_float((unsigned)a->dtype);
    for (int64_t k = 0; floating && k < wg_tensor_count(a); k++)
        if (isfinite(element(a, k))) scale = fmax(scale, fabs(element(a, k)));
    for (int64_t k = 0; k < wg_tensor_count(a); k++) {
        if (has_same_bits(a, b, k)) continue;
        double off = floating ? fabs(element(a, k) - element(b, k)) / scale : INFINITY;
        if (floating && has_same_end(element(a, k), element(b, k), most > 0)) continue;
        if (!isfinite(off)) off = INFINITY;
        if (off < worst) continue;
        worst = off;
        at = k;
    }
    return at >= 0 && (most == 0 || worst > most) ? at : -1;
}

static inline void show_element(const wg_tensor *t, int64_t k, char text[64]) {
    switch (t->dtype) {
    case WG_BOOL: snprintf(text, 64, "%d", ((const uint8_t *)t->data)[k]); break;
    case WG_I32: snprintf(text, 64, "%d", ((const int32_t *)t->data)[k]); break;
    case WG_I64: snprintf(text, 64, "%lld", (long long)((const int64_t *)t->data)[k]); break;
    default: snprintf(text, 64, "%.17g", element(t, k)); break;
    }
}

/* Runs both functions of the bundle on the inputs; all named sizes are n. Prints which outputs
 * differ, and returns how many. */
static inline size_t bundle_compare(const struct bundle *b, const wg_function *interpreted,
                                    const wg_function *native, int64_t n, const wg_tensor *input,
                                    struct tolerance allowed, const char *what) {
    int64_t size[16];
    size_t different = 0;
    wg_error error = {0};
    wg_tensor *expected = calloc(b->outputs + 1, sizeof *expected);
    wg_tensor *got = calloc(b->outputs + 1, sizeof *got);
    assert_true(expected && got);
    for (size_t i = 0; i < 16; i++) size[i] = n;
    wg_run(interpreted, size, input, expected, &error);
    wg_run(native, size, input, got, &error);
    assert_ok(error);
    for (size_t i = 0; i < b->outputs; i++) {
        size_t owner = bundle_owner(b, i);
        bool rounded = b->multiplies[owner] && allowed.f64 == 0;
        int64_t k = worst_element(&expected[i], &got[i], rounded ? products : allowed);
        if (k < 0) continue;
        char right[64], wrong[64];
        show_element(&expected[i], k, right);
        show_element(&got[i], k, wrong);
        print_error("%s, %s, n = %lld, output %zu, element %lld: %s interpreted, %s native\n", what,
                    b->label[owner], (long long)n, i - b->first_output[owner], (long long)k, right,
                    wrong);
        different++;
    }
    for (size_t i = 0; i < b->outputs; i++) {
        free(expected[i].data);
        free(got[i].data);
    }
    free(expected);
    free(got);
    return different;
}

static inline wg_function *bundle_compile(const wg_program *p, wg_backend backend,
                                          const char *flags) {
    wg_error error = {0};
    wg_options options = {.backend = backend, .flags = flags};
    wg_function *fn = wg_compile(p, &options, &error);
    assert_ok(error);
    assert_string_equal(wg_function_note(fn), "");
    return fn;
}

#endif
