/* The functions of runtime_wide.h, with the instructions of AVX-512 in plain C, on any processor:
 * errors and edges over the points that native code is measured at, and dense ones where arguments
 * are taken apart. What the instructions themselves give, test_native_accuracy measures on
 * processors that have them. */
#include "op/op.h"
#include "support/test.h"
#include "support/vector_accuracy.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) /* vectors beside numbers, as only gcc takes them */
#pragma GCC diagnostic ignored "-Wpsabi"

#define WG_WIDE_EMULATED
typedef double wide __attribute__((vector_size(64)));
typedef int64_t wide_bits __attribute__((vector_size(64)));
/* A wide of these values, i being the element. */
#define EACH(value)                                                                                \
    wide y;                                                                                        \
    for (int i = 0; i < 8; i++) y[i] = value;                                                      \
    return y

static inline wide wg_wide_all(double x) { EACH(x); }
static inline wide wg_wide_fma(wide a, wide b, wide c) { EACH(fma(a[i], b[i], c[i])); }
static inline wide wg_wide_at_most(wide most, wide x) { EACH(most[i] < x[i] ? most[i] : x[i]); }
static inline wide wg_wide_bounded(wide x, wide most) {
    EACH(copysign(fmin(fabs(x[i]), most[i]), x[i]));
}
static inline wide wg_wide_with_ends(wide x, wide of, wide end) {
    EACH(of[i] == 0 || of[i] == HUGE_VAL ? end[i] : x[i]);
}
static inline wide wg_wide_entry(const double table[16], wide_bits of) { EACH(table[of[i] & 15]); }

static double scaled(double x, double n) {
    if (isnan(n) || (x == 0 && n == HUGE_VAL)) return NAN;
    return ldexp(x, (int)fmax(-5000, fmin(5000, floor(n))));
}
static inline wide wg_wide_scale(wide x, wide n) { EACH(scaled(x[i], n[i])); }
static inline wide wg_wide_exponent(wide x) { EACH(logb(x[i])); }

static double mantissa(double x) {
    int exponent;
    double m = frexp(x, &exponent);
    if (x == 0 || x == HUGE_VAL) return 1;
    return !(x > 0) ? NAN : m < 0.75 ? 2 * m : m;
}
static inline wide wg_wide_mantissa(wide x) { EACH(mantissa(x[i])); }

#include "native/runtime_wide.h"

static const struct {
    unsigned op;
    wg_wide (*function)(wg_wide);
    double low, high; /* where it is looked at closely */
} functions[] = {
    {OP_exp, wg_wide_exp, -1, 1},
    {OP_log, wg_wide_log, 0.4, 2.1},
    {OP_log1p, wg_wide_log1p, -0.6, 1.1},
    {OP_tanh, wg_wide_tanh, -1.2, 1.2},
};

static const struct native_function *described(unsigned op) {
    const struct native_function *f = native_functions;
    while (f->op != op) f++;
    return f;
}

static void apply(size_t function, const double *x, double *y) {
    for (size_t i = 0; i < VECTOR_POINTS; i += 8) {
        wg_wide eight;
        memcpy(&eight, x + i, sizeof eight);
        eight = functions[function].function(eight);
        memcpy(y + i, &eight, sizeof eight);
    }
}

static void check_points(size_t function, const double *x) {
    static double y[VECTOR_POINTS];
    const struct native_function *f = described(functions[function].op);
    apply(function, x, y);
    double error = native_error_f64(f, VECTOR_POINTS, x, x, y);
    if (!(error <= f->f64_bound) || error < 0.4)
        fail_msg("%s: an error of %.3f units, at most %.1f", op_def(f->op)->name, error,
                 f->f64_bound);
}

static void errors_are_within_bounds(void **state) {
    static double x[VECTOR_POINTS];
    (void)state;
    if (LDBL_MANT_DIG < 64) skip(); /* nothing to compare with */
    assert_int_equal(VECTOR_POINTS % 8, 0);
    for (size_t k = 0; k < COUNT_OF(functions); k++) {
        vector_points_f64(x, NULL);
        check_points(k, x);
        double width = functions[k].high - functions[k].low;
        for (size_t i = 0; i < VECTOR_POINTS; i++)
            x[i] = functions[k].low + width * ((double)i + 0.3) / VECTOR_POINTS;
        check_points(k, x);
        /* both sides of all places where the last digits of numbers decide */
        for (size_t i = 0; i < VECTOR_POINTS; i++) {
            double at = (double)(i / 3 % 64) / 32 - 1 + (double)(i / 192 % 100);
            x[i] = i % 3 == 0 ? at : nextafter(at, i % 3 == 1 ? HUGE_VAL : -HUGE_VAL);
        }
        check_points(k, x);
    }
}

static void special_values_are_exact(void **state) {
    const double inf = HUGE_VAL;
    const struct {
        size_t function;
        double x, y;
    } cases[] = {{0, 0, 1},
                 {0, -0.0, 1},
                 {0, inf, inf},
                 {0, -inf, 0},
                 {0, 1e308, inf},
                 {0, -1e308, 0},
                 {1, 1, 0},
                 {1, 0, -inf},
                 {1, -0.0, -inf},
                 {1, inf, inf},
                 {1, -1, NAN},
                 {1, -inf, NAN},
                 {2, 0, 0},
                 {2, -0.0, -0.0},
                 {2, -1, -inf},
                 {2, inf, inf},
                 {2, -2, NAN},
                 {2, -inf, NAN},
                 {2, 0x1p-1074, 0x1p-1074},
                 {3, 0, 0},
                 {3, -0.0, -0.0},
                 {3, inf, 1},
                 {3, -inf, -1},
                 {3, -0x1p-1074, -0x1p-1074},
                 {0, NAN, NAN},
                 {1, NAN, NAN},
                 {2, NAN, NAN},
                 {3, NAN, NAN}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double y = functions[cases[i].function].function(wg_wide_all(cases[i].x))[i % 8];
        bool same = isnan(cases[i].y) ? isnan(y) != 0
                                      : y == cases[i].y && !signbit(y) == !signbit(cases[i].y);
        if (!same)
            fail_msg("%s(%g) is %.17g, not %g", op_def(functions[cases[i].function].op)->name,
                     cases[i].x, y, cases[i].y);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_are_within_bounds),
                                       cmocka_unit_test(special_values_are_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
static void vectors_are_those_of_gcc(void **state) {
    (void)state;
    skip();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors_are_those_of_gcc)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
