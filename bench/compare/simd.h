/* What the hand-written code of the cases is written with: vectors of doubles, and the vector
 * variants of mathematical functions that glibc 2.35 and later have on x86-64 (within 4 ulp).
 * Elsewhere the same loops call the scalar functions. The files that include this are compiled with
 * -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math -fopenmp-simd. */
#ifndef BENCH_COMPARE_SIMD_H
#define BENCH_COMPARE_SIMD_H

#include <math.h>

#if defined __x86_64__ && defined __GLIBC_PREREQ && !defined __clang__
#if __GLIBC_PREREQ(2, 35)
#define HAS_VECTOR_VARIANT __attribute__((simd("notinbranch")))
double exp(double x) HAS_VECTOR_VARIANT;
double log(double x) HAS_VECTOR_VARIANT;
double log1p(double x) HAS_VECTOR_VARIANT;
double sin(double x) HAS_VECTOR_VARIANT;
double cos(double x) HAS_VECTOR_VARIANT;
double tanh(double x) HAS_VECTOR_VARIANT;
float expf(float x) HAS_VECTOR_VARIANT;
#endif
#endif

#if defined __AVX512F__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

/* By pointers: a memcpy goes through the stack in halves, and reading it whole waits for both. */
static inline lanes load_lanes(const double *x) { return *(const lanes *)x; }
static inline void store_lanes(double *x, lanes v) { *(lanes *)x = v; }

static inline double sum_lanes(lanes v) {
    double sum = 0;
    for (int i = 0; i < LANES; i++) sum += v[i];
    return sum;
}

#endif
