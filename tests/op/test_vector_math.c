/* The functions of op/kernel/vector_math.h: the errors that are stated for them, their edges, exact
 * values, and that the same text gives the same digits one element at a time, not optimised (the
 * build compiles this file so), as in the vector loops of the kernels. */
#include "op/kernel/vector_math.h"
#include "op/kernel/vector_math_f32.h"
#include "op/op.h"
#include "support/test.h"
#include "support/vector_accuracy.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

static void errors_are_within_bounds(void **state) {
    (void)state;
    if (LDBL_MANT_DIG < 64) skip(); /* nothing to compare with */
    for (size_t i = 0; i < vector_function_count; i++) {
        const struct vector_function *f = &vector_functions[i];
        double f64 = vector_error_f64(f), f32 = vector_error_f32(f);
        if (!(f64 <= f->f64_bound) || !(f32 <= f->f32_bound))
            fail_msg("%s: errors of %.3f and %.3f units, not %.1f and %.1f", op_def(f->op)->name,
                     f64, f32, f->f64_bound, f->f32_bound);
        if (f64 < 0.5 || f32 < 0.5) fail_msg("%s: measured nothing", op_def(f->op)->name);
    }
}

/* ---- exact values --------------------------------------------------------------------------- */

static double value_f64(unsigned op, double x) {
    double y;
    op_kernel(op, WG_F64, WG_F64)(1, (const void *const[]){&x}, &y);
    return y;
}

static float value_f32(unsigned op, float x) {
    float y;
    op_kernel(op, WG_F32, WG_F32)(1, (const void *const[]){&x}, &y);
    return y;
}

static void assert_value(unsigned op, double x, double expected) {
    double y = value_f64(op, x);
    if (isnan(expected) ? !isnan(y) : y != expected || !signbit(y) != !signbit(expected))
        fail_msg("%s(%.17g) is %.17g, not %.17g", op_def(op)->name, x, y, expected);
    if ((double)(float)x != x || (fabs(expected) != 0 && (double)(float)expected != expected))
        return;
    float single = value_f32(op, (float)x);
    if (isnan(expected) ? !isnan(single)
                        : (double)single != expected || !signbit(single) != !signbit(expected))
        fail_msg("%s(%.9g) in f32 is %.9g, not %.9g", op_def(op)->name, x, (double)single,
                 expected);
}

static void edges_are_those_of_the_c_library(void **state) {
    static const unsigned odd[] = {OP_sin, OP_tan, OP_sinh, OP_tanh, OP_expm1, OP_log1p};
    const double inf = HUGE_VAL;
    (void)state;
    for (size_t i = 0; i < vector_function_count; i++)
        assert_value(vector_functions[i].op, NAN, NAN);
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        assert_value(odd[i], 0, 0);
        assert_value(odd[i], -0.0, -0.0);
        assert_value(odd[i], 0x1p-1074, 0x1p-1074);
        assert_value(odd[i], -0x1p-149, -0x1p-149);
        assert_value(odd[i], -0x1p-60, -0x1p-60);
    }
    assert_value(OP_exp, 0, 1);
    assert_value(OP_exp, -0.0, 1);
    assert_value(OP_exp, inf, inf);
    assert_value(OP_exp, -inf, 0);
    assert_value(OP_exp, 1e300, inf);
    assert_value(OP_exp, -1e300, 0);
    assert_value(OP_exp, 0x1.62e42fefa39fp+9, inf);
    assert_true(value_f64(OP_exp, 0x1.62e42fefa39efp+9) < inf);
    assert_value(OP_exp, -0x1.74910d52d3051p+9, 0x1p-1074);
    assert_value(OP_exp, -745.14, 0);
    assert_value(OP_exp2, inf, inf);
    assert_value(OP_exp2, -inf, 0);
    assert_value(OP_exp2, 1024, inf);
    assert_value(OP_exp2, -1075.5, 0);
    assert_value(OP_expm1, inf, inf);
    assert_value(OP_expm1, -inf, -1);
    assert_value(OP_expm1, -1e10, -1);
    assert_value(OP_expm1, 1e10, inf);
    for (unsigned op = OP_log; op <= OP_log10; op++) {
        assert_value(op, 0, -inf);
        assert_value(op, -0.0, -inf);
        assert_value(op, -1, NAN);
        assert_value(op, -inf, NAN);
        assert_value(op, inf, inf);
        assert_value(op, 1, 0);
    }
    assert_value(OP_log1p, -1, -inf);
    assert_value(OP_log1p, -2, NAN);
    assert_value(OP_log1p, inf, inf);
    assert_value(OP_log1p, -inf, NAN);
    assert_value(OP_sin, inf, NAN);
    assert_value(OP_cos, -inf, NAN);
    assert_value(OP_tan, inf, NAN);
    assert_value(OP_cos, 0, 1);
    assert_value(OP_sinh, inf, inf);
    assert_value(OP_sinh, -inf, -inf);
    assert_value(OP_sinh, -1e10, -inf);
    assert_true(value_f64(OP_sinh, 710.4) < inf);
    assert_value(OP_cosh, 0, 1);
    assert_value(OP_cosh, -inf, inf);
    assert_true(value_f64(OP_cosh, -710.4) < inf);
    assert_value(OP_tanh, inf, 1);
    assert_value(OP_tanh, -1e300, -1);
}

static void powers_are_exact(void **state) {
    char text[16];
    (void)state;
    for (int k = -1074; k < 1024; k++) {
        assert_value(OP_exp2, k, ldexp(1, k));
        assert_value(OP_log2, ldexp(1, k), k);
    }
    for (int k = 0; k <= 22; k++) { /* all powers of ten that are doubles */
        snprintf(text, sizeof text, "1e%d", k);
        assert_value(OP_log10, strtod(text, NULL), k);
    }
}

/* ---- the same digits everywhere -------------------------------------------------------------- */

#define EACH_FUNCTION                                                                              \
    CHECK(exp)                                                                                     \
    CHECK(exp2) CHECK(expm1) CHECK(log) CHECK(log2) CHECK(log10) CHECK(log1p) CHECK(sin)           \
        CHECK(cos) CHECK(tan) CHECK(sinh) CHECK(cosh) CHECK(tanh)

enum { POINTS = 1003 };

/* Angles near and far, in one block and in blocks of their own. */
static double point(int i) {
    double x = 1e-3 * exp2(i % 97 * 0.3) * (i % 2 ? -1 : 1) * (1 + 1e-3 * i);
    return i > 300 && x > 1e5 ? x - 1e5 * floor(x * 1e-5) : x;
}

static void kernels_and_text_agree(void **state) {
    double x[POINTS], y[POINTS];
    float x32[POINTS], y32[POINTS];
    (void)state;
    for (int i = 0; i < POINTS; i++) x32[i] = (float)(x[i] = point(i));
#define CHECK(name)                                                                                \
    op_kernel(OP_##name, WG_F64, WG_F64)(POINTS, (const void *const[]){x}, y);                     \
    op_kernel(OP_##name, WG_F32, WG_F32)(POINTS, (const void *const[]){x32}, y32);                 \
    for (int i = 0; i < POINTS; i++) {                                                             \
        if (isnan(y[i]) && isnan(y32[i])) continue;                                                \
        assert_true(vm_bits(vm_##name(x[i])) == vm_bits(y[i]));                                    \
        assert_true(vmf_bits(vm_##name##f(x32[i])) == vmf_bits(y32[i]));                           \
    }
    EACH_FUNCTION
#undef CHECK
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_within_bounds),
        cmocka_unit_test(edges_are_those_of_the_c_library),
        cmocka_unit_test(powers_are_exact),
        cmocka_unit_test(kernels_and_text_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
