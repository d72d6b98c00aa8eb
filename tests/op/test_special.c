/* Values of elementwise rows at their edges, and the derivatives of the gamma function's logarithm
 * against long double: the same recurrence, but to where a few terms of the series suffice. */
#include "op/evaluate.h"
#include "op/kernel/special.h"

/* ---- digamma and its kin --------------------------------------------------------------------- */

static long double reference_digamma(long double x) {
    long double sum = 0, f;
    for (; x < 60; x++) sum += 1 / x;
    f = 1 / (x * x);
    return logl(x) - 0.5L / x -
           f * (1.0L / 12 - f * (1.0L / 120 - f * (1.0L / 252 - f * (1.0L / 240 - f / 132)))) - sum;
}

static long double reference_trigamma(long double x) {
    long double sum = 0, f;
    for (; x < 60; x++) sum += 1 / (x * x);
    f = 1 / (x * x);
    return sum + 1 / x + f / 2 +
           f / x * (1.0L / 6 - f * (1.0L / 30 - f * (1.0L / 42 - f * (1.0L / 30 - f * 5 / 66))));
}

static double worst_of(double (*f)(double), long double (*reference)(long double)) {
    double worst = 0;
    for (double x = 1e-3; x < 1e4; x *= 1.0007) {
        long double y = reference((long double)x);
        double gap = (double)(fabsl((long double)f(x) - y) / fmaxl(1, fabsl(y)));
        worst = fmax(worst, gap);
    }
    return worst;
}

static void derivatives_of_lgamma_are_accurate(void **state) {
    (void)state;
    double digamma = worst_of(special_digamma, reference_digamma);
    double trigamma = worst_of(special_trigamma, reference_trigamma);
    if (digamma > 8 * 0x1p-52) fail_msg("digamma is off by %.3g", digamma);
    if (trigamma > 8 * 0x1p-52) fail_msg("trigamma is off by %.3g", trigamma);
    for (int n = 2; n <= 60; n += 7) { /* psi_n(1) = (-1)^(n+1) n! zeta(n+1), and recurrence */
        double x = 0.75, fact = tgamma(n + 1.0), sign = n % 2 ? 1 : -1;
        double step = special_polygamma(n, x) - special_polygamma(n, x + 1);
        double expected = sign * fact * pow(x, -n - 1.0);
        assert_true(fabs(step - expected) <= 1e-13 * fabs(expected));
        double left = special_polygamma(n, -0.25) - special_polygamma(n, 0.75);
        expected = sign * fact * pow(-0.25, -n - 1.0);
        assert_true(fabs(left - expected) <= 1e-11 * fabs(expected));
    }
    assert_true(fabs(special_polygamma(2, 1) + 2.4041138063191886) < 1e-14);
}

/* ---- edges ----------------------------------------------------------------------------------- */

#define POINTS(...)                                                                                \
    evaluate_input(&e, false, WG_F64, SHAPE(sizeof((double[]){__VA_ARGS__}) / 8),                 \
                   (const double[]){__VA_ARGS__})
#define I64(...)                                                                                   \
    evaluate_input(&e, false, WG_I64, SHAPE(sizeof((int64_t[]){__VA_ARGS__}) / 8),                \
                   (const int64_t[]){__VA_ARGS__})
#define I32(...)                                                                                   \
    evaluate_input(&e, false, WG_I32, SHAPE(sizeof((int32_t[]){__VA_ARGS__}) / 4),                \
                   (const int32_t[]){__VA_ARGS__})
#define GIVES(y, ...)                                                                              \
    do {                                                                                           \
        struct evaluate e = evaluate_begin();                                                      \
        evaluate(&e, y);                                                                           \
        ASSERT_VALUES(&e.out, __VA_ARGS__);                                                        \
        evaluate_end(&e);                                                                          \
    } while (0)

static void floating_rows_have_their_edges(void **state) {
    (void)state;
    const double inf = INFINITY;
    GIVES(wg_round(POINTS(0.5, 1.5, -2.5, inf)), 0, 2, -2, inf);
    GIVES(wg_floor(POINTS(-0.5, 2)), -1, 2);
    GIVES(wg_ceil(POINTS(-0.5, 2.1)), 0, 3);
    GIVES(wg_lgamma(POINTS(0, -1, 1, 2, inf)), inf, inf, 0, 0, inf);
    GIVES(wg_digamma(POINTS(0, -0.0, -3, inf, -inf)), -inf, inf, NAN, inf, NAN);
    GIVES(wg_trigamma(POINTS(0, -3, inf)), inf, inf, 0);
    GIVES(wg_polygamma(POINTS(-1, 61, NAN), POINTS(1, 1, 1)), NAN, NAN, NAN);
    GIVES(wg_silu(POINTS(-inf, 0, inf, -1000)), 0, 0, inf, 0);
    GIVES(wg_gelu(POINTS(-inf, 0, inf, -1000)), 0, 0, inf, 0);
    GIVES(wg_xlogy(POINTS(0, 0, 0, 2), POINTS(0, inf, NAN, 1)), 0, 0, NAN, 0);
    GIVES(wg_fmod(POINTS(5, -5, 5, 1, inf), POINTS(3, 3, -3, 0, 1)), 2, -2, 2, NAN, NAN);
    GIVES(wg_fma(POINTS(0x1.0000001p0), POINTS(0x1.0000001p0), -1), 0x1.00000008p-27);
    GIVES(wg_erfc(POINTS(-inf, inf)), 2, 0);
    GIVES(wg_acosh(POINTS(1, 0.5)), 0, NAN);
}

static void integer_rows_are_defined_everywhere(void **state) {
    (void)state;
    const double lowest = -0x1p63;
    GIVES(wg_idiv(I64(7, -7, 7, -7, 5, INT64_MIN), I64(2, 2, -2, -2, 0, -1)), 3, -4, -4, 3, 0,
          lowest);
    GIVES(wg_imod(I64(7, -7, 7, -7, 5, INT64_MIN), I64(2, 2, -2, -2, 0, -1)), 1, 1, -1, -1, 5, 0);
    GIVES(wg_idiv(I32(INT32_MIN, -7), I32(-1, 2)), -0x1p31, -4);
    GIVES(wg_shift_left(I64(1, 1, 1, 3), I64(62, 64, -1, 1)), 0x1p62, 0, 0, 6);
    GIVES(wg_shift_right(I64(-5, 5, -5, 5), I64(1, 1, 64, -1)), -3, 2, -1, 0);
    GIVES(wg_shift_right(I32(-5, -5), I32(1, 31)), -3, -1);
    GIVES(wg_bit_and(I32(12, -1), I32(10, 7)), 8, 7);
    GIVES(wg_bit_or(I32(12, 0), I32(10, 7)), 14, 7);
    GIVES(wg_bit_xor(I32(12, -1), I32(10, 0)), 6, -1);
    GIVES(wg_bit_not(I64(0, INT64_MAX)), -1, lowest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_of_lgamma_are_accurate),
        cmocka_unit_test(floating_rows_have_their_edges),
        cmocka_unit_test(integer_rows_are_defined_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
