/* `make report-ops`: each operation of the table with its worst errors, told instead of judged.
 *
 * types     which of bool, i32, i64, f32 and f64 (b i l f d) its arguments may have
 * integers  integer and boolean results against 128-bit arithmetic, on numbers of all bits
 * f64, f32  against the reference in long double: elementwise functions at 4000 points, in units of
 *           the result's last place (many units near a root, as digamma's at 1.46, are few of 1);
 *           the others on their samples, in epsilons of max(1, |y|)
 * order 1   gradient against differences in f64, argument by argument and all together
 * order 2   Hessian times vector against differences of the gradient
 * modes     forward against reverse mode, order 1 and the four sequences of order 2
 * batch     a batch against a loop
 * f32 ord1, ord2   the gradient and the Hessian times vector in f32 against f64
 *
 * All but the units of the last place are relative to max(1, |.|). Columns that do not apply are
 * empty. */
#include "support/op_check.h"
#include "support/op_values.h"
#include "support/reference.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>

enum { SAMPLES = 4000, SEEDS = 3 };

/* ---- values ---------------------------------------------------------------------------------- */

/* In units of the last place of y, of a significand of this many bits. */
static double ulps(long double x, long double y, int bits) {
    if (x == y) return 0;
    return (double)fabsl((x - y) / ldexpl(1, ilogbl(y) + 1 - bits));
}

/* The worst error of an elementwise kernel at points of the range that the tests draw from. */
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
        worst = fmax(worst, ulps(y, reference_floating(op)(at), single ? 24 : 53));
    }
    return worst;
}

/* Of every sample and several seeds. */
static struct op_values all_values(unsigned op) {
    struct op_values all = {.accepted = {false}};
    for (const struct op_sample *s = op_def(op)->sample; s && (s->narg || s->make); s++)
        for (uint64_t seed = 1; seed <= 2 * SEEDS; seed++) {
            struct op_values v = op_values(op, s, seed);
            for (int d = 0; d < WG_DTYPE_COUNT; d++) {
                all.accepted[d] |= v.accepted[d];
                all.given[d] |= v.given[d];
                all.error[d] = fmax(all.error[d], v.error[d]);
            }
        }
    return all;
}

/* ---- the report ----------------------------------------------------------------------------- */

static void print_cell(bool applies, double error) {
    if (applies) printf("  %8.2g", error);
    else printf("  %8s", "");
}

static void print_values(unsigned op) {
    struct op_values v = all_values(op);
    bool integers = false;
    double off = 0;
    printf("  ");
    for (int d = 0; d < WG_DTYPE_COUNT; d++) putchar(v.accepted[d] ? "bilfd"[d] : '-');
    for (int d = WG_BOOL; d <= WG_I64; d++) {
        integers |= v.given[d];
        off = fmax(off, v.error[d]);
    }
    if (integers && off == 0) printf("  %8s", "exact");
    else print_cell(integers, off);
    bool row = reference_floating(op) && op_def(op)->class != NODIFF;
    for (int d = WG_F64; d >= WG_F32; d--)
        print_cell(v.given[d], row ? value_error(op, d == WG_F32) : v.error[d]);
}

static struct op_errors all_errors(unsigned op) {
    struct op_errors worst = {0};
    for (const struct op_sample *s = op_def(op)->sample; s && (s->narg || s->make); s++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct op_errors e = op_check(op, s, seed);
            worst.first = fmax(worst.first, e.first);
            worst.second = fmax(worst.second, e.second);
            worst.orders = fmax(worst.orders, fmax(e.orders, e.product));
            worst.batched = fmax(worst.batched, e.batched);
            worst.single = fmax(worst.single, e.single);
            worst.single_second = fmax(worst.single_second, e.single_second);
            worst.differentiable |= e.differentiable;
        }
    return worst;
}

static void report(void **state) {
    (void)state;
    static const char *const column[] = {"integers", "f64",   "f32",      "order 1", "order 2",
                                         "modes",    "batch", "f32 ord1", "f32 ord2"};
    printf("%-14s  %5s", "operation", "types");
    for (size_t i = 0; i < COUNT_OF(column); i++) printf("  %8s", column[i]);
    putchar('\n');
    for (unsigned op = 1; op < OP_COUNT; op++) {
        const struct op_def *def = op_def(op);
        struct op_errors worst = all_errors(op);
        printf("%-14s", def->name);
        print_values(op);
        print_cell(worst.differentiable, worst.first);
        print_cell(worst.differentiable, worst.second);
        print_cell(worst.differentiable, worst.orders);
        print_cell(def->class != LEAF, worst.batched);
        print_cell(worst.differentiable, worst.single);
        print_cell(worst.differentiable, worst.single_second);
        putchar('\n');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(report)};
    return cmocka_run_group_tests_name("operations", tests, NULL, NULL);
}
