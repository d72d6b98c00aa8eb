/* How far the functions of op/kernel/vector_math.h are from the true values: measured for
 * docs/conventions.md, judged by tests/op/test_vector_math.c. */
#ifndef TEST_VECTOR_ACCURACY_H
#define TEST_VECTOR_ACCURACY_H

#include <stddef.h>

/* Errors are in units of the last place of the true value. */
struct vector_function {
    unsigned op;
    long double (*reference)(long double x);
    double f64_bound, f32_bound; /* the largest errors that are stated */
};

extern const struct vector_function vector_functions[];
extern const size_t vector_function_count;

/* A function as loops of native code compute it at its usual flags: by the same text with products
 * and sums contracted, or by glibc's vector functions, which promise 4 units. */
struct native_function {
    unsigned op;
    long double (*one)(long double x); /* or */
    long double (*two)(long double a, long double b);
    double f64, f32;             /* the larger one of what gcc's and clang's code showed */
    double f64_bound, f32_bound; /* the largest errors that are stated */
};

extern const struct native_function native_functions[];
extern const size_t native_function_count;

/* The largest error of the kernel over points that are the same in every run: of all magnitudes,
 * dense around 0 and 1, over the range of exponentials and up to many turns, next to multiples of
 * quarter turns, and edges. Infinite where a result is NaN, infinite or a zero of one sign, and the
 * true one, rounded, is not. */
double vector_error_f64(const struct vector_function *f);
double vector_error_f32(const struct vector_function *f);

/* The same of results y of the first n of these points, which are those that the above takes, and
 * as many others for second arguments. */
enum { VECTOR_POINTS = 30000 };
void vector_points_f64(double *a, double *b);
void vector_points_f32(float *a, float *b);
double native_error_f64(const struct native_function *f, size_t n, const double *a,
                        const double *b, const double *y);
double native_error_f32(const struct native_function *f, size_t n, const float *a, const float *b,
                        const float *y);

#endif
