/* `make report-math`: nanoseconds an element of the vector functions' kernels at every level that
 * the processor has, beside libm's function, one call an element, and on x86-64 Linux libmvec's for
 * vectors of the same width. Arrays stay in the first-level cache; all are taken in turns, and
 * medians printed. Our errors are in docs/conventions.md; libmvec promises 4 units of the last
 * place. */
#include "op/kernel/elementwise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 1024, CALLS = 16, ROUNDS = 41 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- what is measured ----------------------------------------------------------------------- */

/* The build's flags do not make vector calls of these: that takes -ffast-math. */
#define LIBRARY(name, T)                                                                           \
    static void library_##name(size_t n, const void *const *arg, void *out) {                      \
        const T *x = arg[0];                                                                       \
        T *y = out;                                                                                \
        for (size_t i = 0; i < n; i++) y[i] = name(x[i]);                                          \
    }

/* libmvec's functions by the names of the vector ABI, in which b, d and e stand for 128, 256 and
 * 512 bits: exp of 4 doubles is _ZGVdN4v_exp. */
#if defined(__x86_64__) && defined(__GNUC__) && defined(__linux__)
#define VECTORS(isa, lanes, name, T, target)                                                       \
    typedef T isa##_##name##_x                                                                     \
        __attribute__((vector_size(lanes * sizeof(T)), may_alias, aligned(sizeof(T))));            \
    target isa##_##name##_x _ZGV##isa##N##lanes##v_##name(isa##_##name##_x);                       \
    target static void isa##_##name(size_t n, const void *const *arg, void *out) {                 \
        const T *x = arg[0];                                                                       \
        T *y = out;                                                                                \
        for (size_t i = 0; i < n; i += lanes)                                                      \
            *(isa##_##name##_x *)(y + i) = _ZGV##isa##N##lanes##v_##name(                          \
                *(const isa##_##name##_x *)(x + i));                                               \
    }
#define DOUBLES(name)                                                                              \
    LIBRARY(name, double)                                                                          \
    VECTORS(b, 2, name, double, )                                                                  \
    VECTORS(d, 4, name, double, __attribute__((target("avx2"))))                                   \
    VECTORS(e, 8, name, double, __attribute__((target("avx512f"))))
#define FLOATS(name)                                                                               \
    LIBRARY(name, float)                                                                           \
    VECTORS(b, 4, name, float, )                                                                   \
    VECTORS(d, 8, name, float, __attribute__((target("avx2"))))                                    \
    VECTORS(e, 16, name, float, __attribute__((target("avx512f"))))
#define VECTORS_OF(name) b_##name, d_##name, e_##name
#else
#define DOUBLES(name) LIBRARY(name, double)
#define FLOATS(name) LIBRARY(name, float)
#define VECTORS_OF(name) NULL, NULL, NULL
#endif

#define EACH(DO)                                                                                   \
    DO(exp)                                                                                        \
    DO(exp2)                                                                                       \
    DO(expm1) DO(log) DO(log2) DO(log10) DO(log1p) DO(sin) DO(cos) DO(tan) DO(sinh) DO(cosh)       \
        DO(tanh)
#define BOTH(name) DOUBLES(name) FLOATS(name##f)
EACH(BOTH)

static const struct subject {
    unsigned op;
    elementwise_kernel *library[2], *vectors[2][LEVEL_COUNT]; /* of f64, of f32 */
} subjects[] = {
#define SUBJECT(name)                                                                              \
    {OP_##name, {library_##name, library_##name##f}, {{VECTORS_OF(name)}, {VECTORS_OF(name##f)}}},
    EACH(SUBJECT)};

/* ---- the report ----------------------------------------------------------------------------- */

enum { COLUMNS = 1 + 2 * LEVEL_COUNT };

static double measure(elementwise_kernel *kernel, const void *x, void *y) {
    double begin = now();
    for (int i = 0; i < CALLS; i++) kernel(N, &x, y);
    return (now() - begin) / (CALLS * N) * 1e9;
}

static void report(const struct subject *s, bool single, const void *x, void *y) {
    static double ns[COLUMNS][ROUNDS];
    wg_dtype dtype = single ? WG_F32 : WG_F64;
    elementwise_kernel *column[COLUMNS] = {s->library[single]};
    for (enum kernel_level level = LEVEL_ANY; level < LEVEL_COUNT; level++) {
        if (!kernel_level_is_there(level)) continue;
        column[1 + 2 * level] = kernel_of_level(level, s->op, dtype, dtype);
        column[2 + 2 * level] = s->vectors[single][level];
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < COLUMNS; k++)
            if (column[k]) ns[k][round] = measure(column[k], x, y);
    printf("%-6s %s ", op_def(s->op)->name, single ? "f32" : "f64");
    for (int k = 0; k < COLUMNS; k++) {
        qsort(ns[k], ROUNDS, sizeof *ns[k], by_value);
        if (column[k])
            printf("  %7.2f", ns[k][ROUNDS / 2]);
        else
            printf("  %7s", "");
    }
    putchar('\n');
}

int main(void) {
    static double x[N], y[N];
    static float x32[N];
    for (int i = 0; i < N; i++) x32[i] = (float)(x[i] = 0.1 + 3.0 * (i * 61 % N) / N);
    printf("%-10s  %7s  %7s  %7s  %7s  %7s  %7s  %7s\n", "ns/element", "libm", "SSE2", "libmvec",
           "AVX2", "libmvec", "AVX-512", "libmvec");
    for (int single = 0; single < 2; single++)
        for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
            report(&subjects[i], single, single ? (void *)x32 : (void *)x, y);
    return 0;
}
