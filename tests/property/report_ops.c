/* `make report-ops`: each operation of the table with its worst errors. Elementwise values are
 * compared with the same row in long double, in units of the result's last place (constants that a
 * row writes are those of f64; many units near a root, as digamma's at 1.46, are few of 1).
 * Derivatives of order 1 and 2 of every operation are compared with differences, forward with
 * reverse mode, a batch with a loop, f32 with f64, as the tests do, but with the errors told
 * instead of judged. Columns that do not apply are empty. */
#include "support/op_check.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <tgmath.h>

enum { SAMPLES = 4000, SEEDS = 3 };

/* ---- long double ---------------------------------------------------------------------------- */

/* sum over k >= 0 of (x + k)^-s for x > 0, s > 1, by Euler and Maclaurin (NIST Handbook, 25.11.5);
 * far enough out that six terms are below the rounding. */
static long double long_zeta(long double s, long double x) {
    static const long double bernoulli[] = {1.0L / 6,   -1.0L / 30, 1.0L / 42,
                                            -1.0L / 30, 5.0L / 66,  -691.0L / 2730};
    long double sum = 0, from = 60 + s;
    for (; x < from; x++) sum += pow(x, -s);
    long double term = s * pow(x, -s - 1), series = 0;
    for (int k = 1; k <= 6; k++) { /* term = s ... (s+2k-2) x^(1-s-2k) / (2k)! */
        term /= 2 * k * (k == 1 ? 1 : 2 * k - 1);
        series += bernoulli[k - 1] * term;
        term *= (s + 2 * k - 1) * (s + 2 * k) / (x * x);
    }
    return sum + pow(x, 1 - s) / (s - 1) + pow(x, -s) / 2 + series;
}

static long double long_digamma(long double x) {
    long double sum = 0;
    for (; x < 60; x++) sum += 1 / x;
    long double q = 1 / (x * x);
    return log(x) - 1 / (2 * x) - q * (1.0L / 12 - q * (1.0L / 120 - q * (1.0L / 252 - q / 240))) -
           sum;
}

static long double long_polygamma(long double n, long double x) {
    n = rint(n);
    if (n == 0) return long_digamma(x);
    return (fmod(n, 2) == 0 ? -1 : 1) * tgamma(n + 1) * long_zeta(n + 1, x);
}

#define special_lgamma(x) lgamma(x)
#define special_digamma(x) long_digamma(x)
#define special_trigamma(x) long_polygamma(1, x)
#define special_polygamma(n, x) long_polygamma(n, x)

typedef long double f64; /* what a row's value is converted to */
#define UNARY(name, value, ...)                                                                    \
    static long double name##_long(const long double *x) {                                         \
        const long double a = x[0];                                                                \
        return (value);                                                                            \
    }
#define BINARY(name, value, ...)                                                                   \
    static long double name##_long(const long double *x) {                                         \
        const long double a = x[0], b = x[1];                                                      \
        return (value);                                                                            \
    }
#define TERNARY(name, value, ...)                                                                  \
    static long double name##_long(const long double *x) {                                         \
        const long double a = x[0], b = x[1], c = x[2];                                            \
        return (value);                                                                            \
    }
#define PREDICATE1(...)
#define PREDICATE2(...)
#include "op/elementwise.def"

static long double (*const reference[OP_COUNT])(const long double *x) = {
#define UNARY(name, ...) [OP_##name] = name##_long,
#define BINARY(name, ...) [OP_##name] = name##_long,
#define PREDICATE1(...)
#define PREDICATE2(...)
#include "op/elementwise.def"
};

/* In units of the last place of y, of a significand of this many bits. */
static double ulps(long double x, long double y, int bits) {
    if (x == y) return 0;
    return (double)fabs((x - y) / ldexp(1.0L, ilogb(y) + 1 - bits));
}

/* The worst error of the kernel at points of the range that the tests draw from. */
static double value_error(unsigned op, bool single) {
    static double x64[3][SAMPLES], y64[SAMPLES];
    static float x32[3][SAMPLES], y32[SAMPLES];
    const struct op_def *def = op_def(op);
    wg_random random = wg_random_seed(op);
    for (int i = 0; i < def->narg; i++)
        for (int k = 0; k < SAMPLES; k++) {
            double low = def->sample->low[i], high = def->sample->high[i];
            x64[i][k] = low + (high - low) * wg_random_uniform(&random);
            x32[i][k] = (float)x64[i][k];
        }
    wg_dtype dtype = single ? WG_F32 : WG_F64;
    const void *x[3];
    for (int i = 0; i < 3; i++) x[i] = single ? (void *)x32[i] : (void *)x64[i];
    op_kernel(op, dtype, dtype)(SAMPLES, x, single ? (void *)y32 : (void *)y64);
    double worst = 0;
    for (int k = 0; k < SAMPLES; k++) {
        long double at[3];
        for (int i = 0; i < 3; i++) at[i] = single ? (long double)x32[i][k] : x64[i][k];
        long double y = single ? (long double)y32[k] : y64[k];
        worst = fmax(worst, ulps(y, reference[op](at), single ? 24 : 53));
    }
    return worst;
}

/* ---- the report ----------------------------------------------------------------------------- */

static void print_cell(bool applies, double error) {
    if (applies)
        printf("  %8.2g", error);
    else
        printf("  %8s", "");
}

static void report(void **state) {
    (void)state;
    printf("%-14s  %8s  %8s  %8s  %8s  %8s  %8s  %8s\n", "operation", "f64 ulp", "f32 ulp",
           "order 1", "order 2", "modes", "batch", "f32-f64");
    for (unsigned op = 1; op < OP_COUNT; op++) {
        const struct op_def *def = op_def(op);
        struct op_errors worst = {0};
        for (const struct op_sample *s = def->sample; s && (s->narg || s->make); s++)
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                struct op_errors e = op_check(op, s, seed);
                worst.first = fmax(worst.first, e.first);
                worst.second = fmax(worst.second, e.second);
                worst.orders = fmax(worst.orders, fmax(e.orders, e.product));
                worst.batched = fmax(worst.batched, e.batched);
                worst.single = fmax(worst.single, e.single);
                worst.differentiable |= e.differentiable;
            }
        printf("%-14s", def->name);
        for (int single = 0; single < 2; single++)
            print_cell(reference[op], reference[op] ? value_error(op, single) : 0);
        print_cell(worst.differentiable, worst.first);
        print_cell(worst.differentiable, worst.second);
        print_cell(worst.differentiable, worst.orders);
        print_cell(def->class != LEAF, worst.batched);
        print_cell(worst.differentiable, worst.single);
        putchar('\n');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(report)};
    return cmocka_run_group_tests_name("operations", tests, NULL, NULL);
}
