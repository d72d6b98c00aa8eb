/* Elementwise operations at the points where the rest of the tests never look: edge values and edge
 * derivatives of every row that promises some, integers that wrap, casts that saturate, kernels in
 * place, identities, second derivatives at edge points, and the texts of errors. */
#include "op/build.h"
#include "support/failing_allocator.h"
#include "support/orders.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double nan_ = NAN, inf = INFINITY;

/* Equal as numbers, zeros of one sign, or both NaN. */
static bool same(double a, double b) {
    return isnan(a) || isnan(b) ? isnan(a) && isnan(b) : a == b && !signbit(a) == !signbit(b);
}

static bool close(double a, double b, double tolerance) {
    return same(a, b) || fabs(a - b) <= tolerance * fabs(b);
}

static void the_table_is_complete(void **state) {
    unsigned op;
    const char *missing = op_table_check(&op);
    (void)state;
    if (missing) fail_msg("%s: no %s", op_def(op)->name, missing);
    assert_int_equal(op_by_name("sin", 3), OP_sin);
    assert_int_equal(op_by_name("sine", 3), OP_sin);
    assert_int_equal(op_by_name("si", 2), OP_none);
    assert_int_equal(op_by_name("", 0), OP_none);
    assert_int_equal(op_by_name("none", 4), OP_none);
}

/* ---- values --------------------------------------------------------------------------------- */

static double value_f64(unsigned op, double a, double b) {
    double y;
    op_kernel(op, WG_F64, WG_F64)(1, (const void *[]){&a, &b}, &y);
    return y;
}

static float value_f32(unsigned op, float a, float b) {
    float y;
    op_kernel(op, WG_F32, WG_F32)(1, (const void *[]){&a, &b}, &y);
    return y;
}

static void values_at_edge_points(void **state) {
    static const struct {
        unsigned op;
        double a, b, y;
    } edge[] = {
        {OP_neg, 0, 0, -0.0},
        {OP_abs, -0.0, 0, 0},
        {OP_abs, NAN, 0, NAN},
        {OP_sign, -3, 0, -1},
        {OP_sign, 0, 0, 0},
        {OP_sign, INFINITY, 0, 1},
        {OP_sign, NAN, 0, NAN},
        {OP_sqrt, -1, 0, NAN},
        {OP_cbrt, -8, 0, -2},
        {OP_rsqrt, 0, 0, INFINITY},
        {OP_reciprocal, -0.0, 0, -INFINITY},
        {OP_log, 0, 0, -INFINITY},
        {OP_log, -1, 0, NAN},
        {OP_log1p, -1, 0, -INFINITY},
        {OP_sigmoid, 1000, 0, 1},
        {OP_sigmoid, -1000, 0, 0},
        {OP_sigmoid, -INFINITY, 0, 0},
        {OP_sigmoid, NAN, 0, NAN},
        {OP_softplus, 1000, 0, 1000},
        {OP_softplus, -1000, 0, 0},
        {OP_softplus, INFINITY, 0, INFINITY},
        {OP_softplus, NAN, 0, NAN},
        {OP_relu, -1, 0, 0},
        {OP_relu, INFINITY, 0, INFINITY},
        {OP_relu, NAN, 0, NAN},
        {OP_erf, INFINITY, 0, 1},
        {OP_div, 1, 0, INFINITY},
        {OP_div, 0, 0, NAN},
        {OP_mulz, 0, INFINITY, 0},
        {OP_mulz, NAN, 0, 0},
        {OP_mulz, NAN, 1, NAN},
        {OP_divz, 3, 0, 0},
        {OP_divz, NAN, -0.0, 0},
        {OP_divz, 3, 2, 1.5},
        {OP_divz, 0, NAN, NAN},
        {OP_mulz, -2, 3, -6},
        {OP_pow, 0, 0, 1},
        {OP_pow, NAN, 0, 1},
        {OP_pow, -2, 3, -8},
        {OP_pow, -2, 0.5, NAN},
        {OP_pow, 0, -1, INFINITY},
        {OP_hypot, 0x1.8p601, 0x1p602, 0x1.4p602},
        {OP_hypot, INFINITY, NAN, INFINITY},
        {OP_atan2, 0, -1, 3.141592653589793},
        {OP_atan2, 0, 0, 0},
        {OP_min, 1, 2, 1},
        {OP_min, NAN, 1, NAN},
        {OP_min, 1, NAN, NAN},
        {OP_max, 1, 2, 2},
        {OP_max, NAN, 1, NAN},
        {OP_max, 1, NAN, NAN},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(edge); i++) {
        double y = value_f64(edge[i].op, edge[i].a, edge[i].b);
        if (!same(y, edge[i].y))
            fail_msg("%s(%g, %g) is %g, not %g", op_def(edge[i].op)->name, edge[i].a, edge[i].b, y,
                     edge[i].y);
        if (fabs(edge[i].a) > 1e100) continue; /* f32 has no such number */
        float single = value_f32(edge[i].op, (float)edge[i].a, (float)edge[i].b);
        if (!same((double)single, (double)(float)edge[i].y))
            fail_msg("%s in f32 is %g", op_def(edge[i].op)->name, (double)single);
    }
}

static bool truth(unsigned op, unsigned dtype, const void *a, const void *b) {
    uint8_t y = 7;
    op_kernel(op, dtype, WG_BOOL)(1, (const void *[]){a, b}, &y);
    assert_true(y <= 1);
    return y;
}

static void predicates(void **state) {
    const double one = 1, two = 2;
    const int64_t huge = INT64_MAX, less = INT64_MAX - 1;
    const uint8_t no = 0, yes = 1;
    (void)state;
    assert_true(truth(OP_lt, WG_F64, &one, &two));
    assert_false(truth(OP_ge, WG_F64, &one, &two));
    assert_true(truth(OP_le, WG_F64, &one, &one));
    assert_true(truth(OP_ne, WG_F64, &nan_, &nan_));
    for (unsigned op = OP_lt; op <= OP_ge; op++) assert_false(truth(op, WG_F64, &nan_, &one));
    assert_false(truth(OP_eq, WG_F64, &nan_, &nan_));
    assert_true(truth(OP_gt, WG_I64, &huge, &less));
    assert_true(truth(OP_eq, WG_BOOL, &no, &no));
    assert_true(truth(OP_isfinite, WG_F64, &one, NULL));
    assert_false(truth(OP_isfinite, WG_F64, &inf, NULL));
    assert_false(truth(OP_isfinite, WG_F64, &nan_, NULL));
    assert_true(truth(OP_and, WG_BOOL, &yes, &yes));
    assert_false(truth(OP_and, WG_BOOL, &yes, &no));
    assert_true(truth(OP_or, WG_BOOL, &yes, &no));
    assert_false(truth(OP_xor, WG_BOOL, &yes, &yes));
    assert_true(truth(OP_not, WG_BOOL, &no, NULL));
}

static int32_t value_i32(unsigned op, int32_t a, int32_t b) {
    int32_t y;
    op_kernel(op, WG_I32, WG_I32)(1, (const void *[]){&a, &b}, &y);
    return y;
}

static int64_t value_i64(unsigned op, int64_t a, int64_t b) {
    int64_t y;
    op_kernel(op, WG_I64, WG_I64)(1, (const void *[]){&a, &b}, &y);
    return y;
}

static void integers_wrap_around(void **state) {
    (void)state;
    assert_int_equal(value_i32(OP_add, INT32_MAX, 1), INT32_MIN);
    assert_int_equal(value_i32(OP_sub, INT32_MIN, 1), INT32_MAX);
    assert_int_equal(value_i32(OP_mul, 1 << 20, 1 << 20), 0);
    assert_int_equal(value_i32(OP_neg, INT32_MIN, 0), INT32_MIN);
    assert_int_equal(value_i32(OP_abs, INT32_MIN, 0), INT32_MIN);
    assert_int_equal(value_i32(OP_abs, -5, 0), 5);
    assert_int_equal(value_i32(OP_sign, -5, 0), -1);
    assert_int_equal(value_i32(OP_square, -5, 0), 25);
    assert_int_equal(value_i32(OP_min, -5, 3), -5);
    assert_int_equal(value_i32(OP_max, -5, 3), 3);
    assert_true(value_i64(OP_add, INT64_MAX, 1) == INT64_MIN);
    assert_true(value_i64(OP_mul, (int64_t)1 << 40, (int64_t)1 << 40) == 0);
    assert_true(value_i64(OP_sign, INT64_MIN, 0) == -1);
    assert_null(op_kernel(OP_div, WG_I64, WG_I64));
    assert_null(op_kernel(OP_add, WG_BOOL, WG_BOOL));
}

static void casts_saturate(void **state) {
    static const struct {
        double from;
        int32_t i32;
        int64_t i64;
    } cast[] = {
        {0.9, 0, 0},
        {-0.9, 0, 0},
        {-1.5, -1, -1},
        {2147483647.5, INT32_MAX, 2147483647},
        {2147483648.0, INT32_MAX, 2147483648},
        {-2147483648.5, INT32_MIN, -2147483648},
        {-2147483649.5, INT32_MIN, -2147483649},
        {1e300, INT32_MAX, INT64_MAX},
        {-1e300, INT32_MIN, INT64_MIN},
        {9223372036854775807.0, INT32_MAX, INT64_MAX},
        {-9223372036854775808.0, INT32_MIN, INT64_MIN},
        {INFINITY, INT32_MAX, INT64_MAX},
        {-INFINITY, INT32_MIN, INT64_MIN},
        {NAN, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cast); i++) {
        int32_t narrow;
        int64_t wide;
        const void *arg[] = {&cast[i].from};
        op_kernel(OP_cast, WG_F64, WG_I32)(1, arg, &narrow);
        op_kernel(OP_cast, WG_F64, WG_I64)(1, arg, &wide);
        assert_int_equal(narrow, cast[i].i32);
        assert_true(wide == cast[i].i64);
    }
    const float half = -0.5f;
    const int64_t wide = 0x1234567890;
    const uint8_t yes = 1;
    uint8_t is_true;
    int32_t low;
    double number;
    op_kernel(OP_cast, WG_F32, WG_BOOL)(1, (const void *[]){&half}, &is_true);
    assert_int_equal(is_true, 1);
    op_kernel(OP_cast, WG_I64, WG_I32)(1, (const void *[]){&wide}, &low);
    assert_int_equal(low, 0x34567890);
    op_kernel(OP_cast, WG_BOOL, WG_F64)(1, (const void *[]){&yes}, &number);
    assert_true(number == 1);
}

/* ---- kernels in place ----------------------------------------------------------------------- */

enum { LONGEST = 67 };

/* Element i of argument k, awkward enough to tell any two apart. */
static void fill(unsigned dtype, size_t k, void *block) {
    for (size_t i = 0; i < LONGEST; i++) {
        double x = (double)((i * 7 + k * 5) % 11) - 4.5 + 0.25 * (double)k;
        int64_t bits = literal_from_f64((wg_dtype)dtype, dtype_is_float(dtype) ? x : trunc(x));
        if (dtype == WG_BOOL) bits = (int64_t)((i + k) % 3 == 0);
        memcpy((char *)block + i * wg_dtype_size((wg_dtype)dtype), &bits,
               wg_dtype_size((wg_dtype)dtype));
    }
}

static void check_in_place(unsigned op, unsigned last, unsigned result) {
    static const size_t count[] = {0, 1, 2, 3, 16, LONGEST};
    elementwise_kernel *kernel = op_kernel(op, last, result);
    size_t narg = (size_t)op_def(op)->narg, size = wg_dtype_size((wg_dtype)result);
    int64_t block[3][LONGEST], out[LONGEST + 1];
    if (!kernel) return;
    for (size_t c = 0; c < COUNT_OF(count); c++) {
        for (size_t over = 0; over <= narg; over++) { /* == narg: over nothing */
            const void *arg[3] = {0};
            unsigned dtype = 0;
            for (size_t k = 0; k < narg; k++) {
                unsigned of = op == OP_where && k == 0 ? WG_BOOL : last;
                if (k == over) dtype = of;
                fill(of, k, block[k]);
                arg[k] = block[k];
            }
            if (over < narg && wg_dtype_size((wg_dtype)dtype) != size) continue;
            memset(out, 0xAB, sizeof out);
            kernel(count[c], arg, out);
            for (size_t i = count[c] * size; i < sizeof out; i++)
                assert_int_equal(((unsigned char *)out)[i], 0xAB); /* nothing beyond the end */
            if (over == narg) continue;
            kernel(count[c], arg, block[over]);
            assert_memory_equal(block[over], out, count[c] * size);
        }
    }
}

static void kernels_work_in_place(void **state) {
    (void)state;
    for (unsigned op = OP_none + 1; op < OP_COUNT; op++)
        for (unsigned from = 0; from < WG_DTYPE_COUNT && op_is_elementwise(op); from++)
            for (unsigned to = 0; to < WG_DTYPE_COUNT; to++)
                if (op == OP_cast || to == (op >= OP_eq ? (unsigned)WG_BOOL : from))
                    check_in_place(op, from, to);
}

/* ---- derivatives ---------------------------------------------------------------------------- */

/* dy/dx[k] by the row's rule on constants, which fold; 0 where the rule says that it vanishes. */
static double partial_at(wg_dtype dtype, unsigned op, double a, double b, size_t k) {
    wg_graph *g = wg_graph_new();
    value x[2] = {build_number(g, dtype, a), build_number(g, dtype, b)};
    size_t narg = (size_t)op_def(op)->narg;
    struct rule r = {.g = g, .x = x, .narg = narg, .op = op, .y = graph_emit(g, op, 0, x, narg)};
    int64_t bits = 0;
    assert_true(r.y != 0);
    value p = op_def(op)->partial(&r, k);
    assert_int_equal(g->error.status, WG_OK);
    if (p) assert_true(value_is_splat(&g->t, p, &bits));
    double result = p ? literal_to_f64(dtype, bits) : 0;
    wg_graph_free(g);
    return result;
}

static void derivatives_at_edge_points(void **state) {
    static const struct {
        unsigned op;
        double a, b;
        double da, db;
    } edge[] = {
        {OP_abs, 0, 0, 0, 0},
        {OP_abs, -2, 0, -1, 0},
        {OP_relu, 0, 0, 0, 0},
        {OP_relu, 1e-300, 0, 1, 0},
        {OP_relu, -1, 0, 0, 0},
        {OP_sqrt, 0, 0, INFINITY, 0},
        {OP_cbrt, 0, 0, INFINITY, 0},
        {OP_log, 0, 0, INFINITY, 0},
        {OP_asin, 1, 0, INFINITY, 0},
        {OP_acos, -1, 0, -INFINITY, 0},
        {OP_sigmoid, 1000, 0, 0, 0},
        {OP_sigmoid, -1000, 0, 0, 0},
        {OP_softplus, 1000, 0, 1, 0},
        {OP_softplus, -1000, 0, 0, 0},
        {OP_tanh, 1000, 0, 0, 0},
        {OP_min, 1, 1, 0.5, 0.5},
        {OP_max, 1, 1, 0.5, 0.5},
        {OP_max, INFINITY, INFINITY, 0.5, 0.5},
        {OP_max, 2, 1, 1, 0},
        {OP_min, 2, 1, 0, 1},
        {OP_hypot, 0, 0, 0, 0},
        {OP_hypot, 3e200, 4e200, 0.6, 0.8},
        {OP_atan2, 0, 0, 0, 0},
        {OP_atan2, 0, 2, 0.5, 0},
        {OP_atan2, 0, -2, -0.5, 0},
        {OP_atan2, 4, 0, 0, -0.25},
        {OP_div, 3, 2, 0.5, -0.75},
        {OP_pow, 0, 0, 0, 0},
        {OP_pow, 0, 1, 1, 0},
        {OP_pow, 0, 2, 0, 0},
        {OP_pow, 0, 0.5, INFINITY, 0},
        {OP_pow, -3, 2, -6, NAN},
        {OP_pow, 2, 0, 0, 0.69314718055994531},
        {OP_pow, INFINITY, -1, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(edge); i++) {
        for (size_t k = 0; k < (size_t)op_def(edge[i].op)->narg; k++) {
            double expected = k ? edge[i].db : edge[i].da;
            double p = partial_at(WG_F64, edge[i].op, edge[i].a, edge[i].b, k);
            if (!close(p + 0.0, expected + 0.0, 1e-15)) /* + 0.0: zeros of either sign */
                fail_msg("d%s(%g, %g) by %zu is %g, not %g", op_def(edge[i].op)->name, edge[i].a,
                         edge[i].b, k, p, expected);
        }
    }
}

/* Where a formula in y alone would lose all digits. */
static void derivatives_keep_their_digits(void **state) {
    (void)state;
    assert_true(close(partial_at(WG_F64, OP_sigmoid, 40, 0, 0), exp(-40), 1e-15));
    assert_true(close(partial_at(WG_F64, OP_sigmoid, -40, 0, 0), exp(-40), 1e-15));
    assert_true(close(partial_at(WG_F64, OP_softplus, -40, 0, 0), exp(-40), 1e-15));
    assert_true(close(partial_at(WG_F64, OP_expm1, -40, 0, 0), exp(-40), 1e-15));
    /* 1 - x^2 at x = 1 - 2^-53, where rounding the square first would lose half of the digits */
    assert_true(close(partial_at(WG_F64, OP_asin, 1 - 0x1p-53, 0, 0), 0x1p26, 1e-15));
    assert_true(close(partial_at(WG_F32, OP_sigmoid, 20, 0, 0), exp(-20), 1e-6));
}

/* ---- identities ----------------------------------------------------------------------------- */

static void identities_keep_ieee_meaning(void **state) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(3)), y = wg_input(g, "y", wg_f64(3));
    wg_var i = wg_input(g, "i", wg_i32(3)), c = wg_input(g, "c", wg_bool(3));
    (void)state;
#define EQUAL(a, b) assert_int_equal((a).id, (b).id)
#define DIFFER(a, b) assert_int_not_equal((a).id, (b).id)
    EQUAL(wg_add(x, -0.0), x);
    DIFFER(wg_add(x, 0.0), x); /* -0 + 0 = 0 */
    EQUAL(wg_add(i, 0), i);
    EQUAL(wg_sub(x, 0.0), x);
    DIFFER(wg_sub(x, -0.0), x);
    EQUAL(wg_sub(-0.0, x), wg_neg(x));
    DIFFER(wg_sub(0.0, x), wg_neg(x)); /* 0 - 0 = 0 */
    EQUAL(wg_sub(0, i), wg_neg(i));
    DIFFER(wg_sub(x, x), wg_full(g, wg_f64(3), 0)); /* NaN - NaN */
    EQUAL(wg_add(x, wg_neg(y)), wg_sub(x, y));
    EQUAL(wg_add(wg_neg(x), y), wg_sub(y, x));
    EQUAL(wg_sub(x, wg_neg(y)), wg_add(x, y));
    EQUAL(wg_mul(x, 1), x);
    EQUAL(wg_mul(1, x), x);
    EQUAL(wg_mul(x, -1), wg_neg(x));
    EQUAL(wg_mul(wg_neg(x), wg_neg(y)), wg_mul(x, y));
    DIFFER(wg_mul(x, 0), wg_full(g, wg_f64(3), 0)); /* inf * 0 */
    EQUAL(wg_mulz(x, 0), wg_full(g, wg_f64(3), 0));
    EQUAL(wg_mulz(0, x), wg_full(g, wg_f64(3), 0));
    EQUAL(wg_mulz(1, x), x);
    EQUAL(wg_div(x, 1), x);
    EQUAL(wg_div(x, -1), wg_neg(x));
    EQUAL(wg_div(1, x), wg_reciprocal(x));
    DIFFER(wg_div(x, 2), wg_mul(x, 0.5));
    EQUAL(wg_neg(wg_neg(x)), x);
    EQUAL(wg_not(wg_not(c)), c);
    EQUAL(wg_pow(x, 0), wg_full(g, wg_f64(3), 1));
    EQUAL(wg_pow(x, 1), x);
    EQUAL(wg_pow(x, 2), wg_square(x));
    EQUAL(wg_pow(x, -1), wg_reciprocal(x));
    DIFFER(wg_pow(x, 0.5), wg_sqrt(x)); /* at -0 and -inf */
    DIFFER(wg_max(x, 0), wg_relu(x));   /* at ties, in the derivative */
#undef EQUAL
#undef DIFFER
    value yes = build_number(g, WG_BOOL, 1), no = build_number(g, WG_BOOL, 0);
    assert_int_equal(build_where(g, yes, x.id, y.id), x.id);
    assert_int_equal(build_where(g, no, x.id, y.id), y.id);
    assert_int_equal(build_where(g, c.id, x.id, x.id), x.id);
    assert_int_equal(build_where(g, wg_not(c).id, x.id, y.id), build_where(g, c.id, y.id, x.id));
    assert_int_equal(build_cast(g, WG_F64, x.id), x.id);
    assert_int_not_equal(build_cast(g, WG_F32, x.id), x.id);
    assert_int_equal(g->error.status, WG_OK);
    wg_graph_free(g);
}

/* ---- edge points to higher orders --------------------------------------------------------- */

static wg_var norm_of_two(wg_graph *g, wg_var x) {
    (void)g;
    return wg_hypot(x, wg_mul(2, x));
}

static wg_var angle(wg_graph *g, wg_var x) {
    (void)g;
    return wg_atan2(x, wg_mul(2, x));
}

static wg_var variable_power(wg_graph *g, wg_var x) {
    (void)g;
    return wg_pow(x, wg_add(wg_mul(0, x), 2)); /* x^2 with an exponent that is not known */
}

static void second_derivatives_at_edge_points(void **state) {
    (void)state;
    check_orders(norm_of_two, 0, (const double[]){0, 0, 0}, 3);
    check_orders(angle, 0, (const double[]){0, 0, 0}, 3);
    check_orders(variable_power, 0, (const double[]){0, 2}, 2);
}

static wg_var one_abs(wg_graph *g, wg_var x) {
    (void)g;
    return wg_add(wg_abs(x), wg_sign(x));
}
static wg_var one_relu(wg_graph *g, wg_var x) {
    (void)g;
    return wg_relu(x);
}
static wg_var max_of_zero(wg_graph *g, wg_var x) {
    (void)g;
    return wg_max(wg_mul(3, x), 0);
}
static wg_var min_of_zero(wg_graph *g, wg_var x) {
    (void)g;
    return wg_min(0, wg_mul(3, x));
}

/* Of x, 2x, 3x, which tie at 0: each has a third. */
static wg_var largest_of_three(wg_graph *g, wg_var x) {
    const double factor[] = {1, 2, 3};
    return wg_reduce_max(wg_mul(x, wg_constant(g, wg_f64(3), factor)));
}
static wg_var smallest_of_three(wg_graph *g, wg_var x) {
    const double factor[] = {1, 2, 3};
    return wg_reduce_min(wg_mul(x, wg_constant(g, wg_f64(3), factor)));
}

/* Where two sides of a kink meet there is one number, the same in both modes: abs and relu take 0,
 * and those that tie share equally, two or many. So max(x, 0) is not relu(x). */
static void kinks_have_one_derivative_in_every_mode(void **state) {
    (void)state;
    check_orders(one_abs, 0, (const double[]){0, 0, 0}, 3);
    check_orders(one_relu, 0, (const double[]){0, 0, 0}, 3);
    check_orders(max_of_zero, 0, (const double[]){1.5, 0, 0}, 3);
    check_orders(min_of_zero, 0, (const double[]){1.5, 0, 0}, 3);
    check_orders(largest_of_three, 0, (const double[]){2, 0, 0}, 3);
    check_orders(smallest_of_three, 0, (const double[]){2, 0, 0}, 3);
}

/* norm and logsumexp over an axis, and the smooth functions that lose their digits near 0. */
static wg_var norm_of_many(wg_graph *g, wg_var x) {
    const double factor[] = {1, -2, 2};
    return wg_norm(wg_mul(x, wg_constant(g, wg_f64(3), factor)));
}
static wg_var logsumexp_of_infinities(wg_graph *g, wg_var x) {
    const double least[] = {-INFINITY, -INFINITY};
    return wg_logsumexp(wg_add(x, wg_constant(g, wg_f64(2), least)));
}
static wg_var entropy_of_nothing(wg_graph *g, wg_var x) {
    (void)g;
    return wg_xlogy(wg_mul(0, x), x);
}
static wg_var near_zero(wg_graph *g, wg_var x) {
    (void)g;
    return wg_add(wg_log1p(x), wg_expm1(x));
}

static void norms_and_their_like_are_finite_at_the_edge(void **state) {
    (void)state;
    check_orders(norm_of_many, 0, (const double[]){0, 0, 0}, 3);
    check_orders(norm_of_two, 0, (const double[]){0, 0, 0}, 3);
    check_orders(logsumexp_of_infinities, 0, (const double[]){0, 0, 0}, 3);
    check_orders(entropy_of_nothing, 1, (const double[]){0, 0}, 2);
    check_orders(near_zero, 0, (const double[]){2, 0, 3}, 3);
}

static double square_of_cast(bool forward) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f32());
    wg_output(g, "y", wg_square(wg_cast(WG_F64, wg_cast(WG_F32, wg_cast(WG_F64, x)))));
    wg_program *p = wg_build(g, &error), *q = NULL;
    assert_ok(error);
    q = forward ? wg_jvp(p, "y", "x", &error) : wg_grad(p, "x", &error);
    assert_ok(error);
    wg_function *fn = wg_compile(q, NULL, &error);
    assert_ok(error);
    float three = 3, one = 1, dx = 0;
    double y, dy = 0;
    void *result[] = {forward ? (void *)&y : (void *)&dx, &dy};
    assert_int_equal(wg_call(fn, NULL, (const void *[]){&three, &one}, result), WG_OK);
    wg_function_free(fn);
    wg_program_free(q);
    wg_program_free(p);
    return forward ? dy : (double)dx;
}

static void casts_between_floating_types_are_linear(void **state) {
    (void)state;
    assert_true(square_of_cast(true) == 6);
    assert_true(square_of_cast(false) == 6);
}

static wg_var of_integer(wg_graph *g, wg_var x) {
    (void)g;
    return wg_add(wg_square(x), wg_cast(WG_F64, wg_cast(WG_I64, x)));
}

static wg_var of_sign(wg_graph *g, wg_var x) {
    (void)g;
    return wg_mul(wg_sign(x), wg_where(wg_not(wg_lt(x, 0)), x, 0));
}

static void steps_have_no_derivative(void **state) {
    (void)state;
    check_orders(of_integer, 1.5, (const double[]){3, 2}, 2);
    check_orders(of_sign, 1.5, (const double[]){1, 0}, 2);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void expect(wg_graph *g, wg_status status, const char *message) {
    assert_int_equal(wg_graph_error(g)->status, status);
    assert_string_equal(wg_graph_error(g)->message, message);
    wg_graph_free(g);
}

/* A graph at a place of its own, so that the messages do not move with the lines of this file. */
static wg_graph *graph_with(wg_type a, wg_type b, wg_var *x, wg_var *y) {
    wg_graph *g = wg_graph_new();
    *x = wg_input_at("model.c", 1, g, "x", a);
    *y = wg_input_at("model.c", 2, g, "y", b);
    return g;
}

static void errors_say_what_and_where(void **state) {
    wg_var x, y;
    wg_graph *g = graph_with(wg_f64(3), wg_i32(3), &x, &y);
    (void)state;
    wg_mul_at("model.c", 3, WG_ARG(x), WG_ARG(y));
    expect(g, WG_EDTYPE,
           "model.c:3: mul: element types differ: left f64[3], right i32[3]\n"
           "  left  = input \"x\"      model.c:1\n"
           "  right = input \"y\"      model.c:2\n"
           "  hint: cast one: wg_cast(WG_F64, x)");

    g = graph_with(wg_f64(3, 4), wg_f64(4, 3), &x, &y);
    wg_add_at("model.c", 3, WG_ARG(x), WG_ARG(y));
    expect(g, WG_ESHAPE,
           "model.c:3: add: extents differ: left f64[3,4] has 4, right f64[4,3] has 3\n"
           "  left  = input \"x\"      model.c:1\n"
           "  right = input \"y\"      model.c:2\n"
           "  hint: shapes are aligned at their last axes, and only the extent 1 stretches");

    g = wg_graph_new();
    x = wg_input_at("model.c", 1, g, "x", wg_f64(wg_size(g, "n")));
    y = wg_input_at("model.c", 2, g, "y", wg_f64(wg_size(g, "m")));
    wg_sub_at("model.c", 3, WG_ARG(x), WG_ARG(y));
    expect(g, WG_ESHAPE,
           "model.c:3: sub: extents differ: left f64[n] has n, right f64[m] has m\n"
           "  left  = input \"x\"      model.c:1\n"
           "  right = input \"y\"      model.c:2\n"
           "  hint: shapes are aligned at their last axes, and only the extent 1 stretches");

    g = graph_with(wg_bool(3), wg_bool(3), &x, &y);
    wg_add_at("model.c", 3, WG_ARG(x), WG_ARG(y));
    expect(g, WG_EDTYPE,
           "model.c:3: add: not defined for elements of type bool\n"
           "  left  = input \"x\"      model.c:1\n"
           "  right = input \"y\"      model.c:2\n"
           "  hint: cast first: wg_cast(WG_F64, x)");

    g = graph_with(wg_i64(3), wg_f64(), &x, &y);
    wg_sin_at("model.c", 3, x);
    expect(g, WG_EDTYPE,
           "model.c:3: sin: not defined for elements of type i64\n"
           "  operand = input \"x\"      model.c:1\n"
           "  hint: cast first: wg_cast(WG_F64, x)");

    g = graph_with(wg_f64(3), wg_f64(), &x, &y);
    wg_and_at("model.c", 3, WG_ARG(x), WG_ARG(y));
    expect(g, WG_EDTYPE,
           "model.c:3: and: not defined for elements of type f64\n"
           "  left  = input \"x\"      model.c:1\n"
           "  right = broadcast      model.c:3\n"
           "  hint: make a bool of it first: wg_ne(x, 0)");

    g = graph_with(wg_i32(3), wg_f64(), &x, &y);
    wg_mul_at("model.c", 3, WG_ARG(x), WG_ARG(0.5));
    expect(g, WG_EDTYPE,
           "model.c:3: mul: the number 0.5 is no i32, as its partner is\n"
           "  operand = input \"x\"      model.c:1\n"
           "  hint: cast the partner first: wg_cast(WG_F64, x)");

    g = graph_with(wg_f64(3), wg_f64(3), &x, &y);
    graph_site(g, "model.c", 3, 0);
    build_where(g, x.id, x.id, y.id);
    expect(g, WG_EDTYPE,
           "model.c:3: where: the condition has elements of type f64, not bool\n"
           "  operand 1 = input \"x\"      model.c:1\n"
           "  operand 2 = input \"x\"      model.c:1\n"
           "  operand 3 = input \"y\"      model.c:2\n"
           "  hint: make a bool of it first: wg_ne(x, 0)");
}

static void bad_operands_do_not_crash(void **state) {
    wg_graph *g = wg_graph_new(), *other = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = wg_input(other, "y", wg_f64()), none = {NULL, 0};
    (void)state;
    assert_null(wg_add(1, 2).graph);
    assert_null(wg_sin(none).graph);
    assert_null(wg_add(none, none).graph);
    wg_add_at("model.c", 3, WG_ARG(x), WG_ARG(y));
    assert_int_equal(wg_add(x, 1).id, 0); /* the error sticks */
    wg_graph_free(other);
    expect(g, WG_EARGUMENT,
           "model.c:3: add: operands of two graphs; build all of one program in one graph");
    g = wg_graph_new();
    wg_add_at("model.c", 3, WG_ARG(none), WG_ARG(wg_input(g, "x", wg_f64())));
    expect(g, WG_EARGUMENT,
           "model.c:3: add: an operand is not a value: a wg_var that no call gave");
    g = wg_graph_new();
    wg_cos_at("model.c", 3, (wg_var){g, 99});
    expect(g, WG_EARGUMENT,
           "model.c:3: cos: an operand is not a value: a wg_var that no call gave");
}

/* Every row, its operands of two shapes, and its partials. */
static wg_status build_everything(const wg_allocator *allocator, void *ctx) {
    wg_graph *g = wg_graph_new_with(allocator);
    unsigned op = *(unsigned *)ctx;
    size_t narg = (size_t)op_def(op)->narg;
    if (!g) return WG_ENOMEM;
    wg_type wide = op_def(op)->sample->arg[0], one = wide;
    one.extent[0] = 1;
    value x[] = {graph_input(g, "x", &wide), graph_input(g, "y", &one), 0};
    if (narg == 3) x[2] = x[0];
    value y = narg == 3   ? build_ternary(g, op, x[0], x[1], x[2])
              : narg == 2 ? build_binary(g, op, x[0], x[1])
                          : build_unary(g, op, x[0]);
    struct rule r = {.g = g, .x = x, .narg = narg, .op = op, .y = y};
    if (y && narg >= 2) x[1] = args_of(&g->t, instr_at(&g->t, y))[1];
    for (size_t k = 0; k < narg && y && op_def(op)->partial; k++) op_def(op)->partial(&r, k);
    wg_status status = wg_graph_error(g)->status;
    wg_graph_free(g);
    return status;
}

static void building_survives_without_memory(void **state) {
    (void)state;
    for (unsigned op = OP_neg; op < OP_COUNT; op++) fail_every_request(build_everything, &op);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_complete),
        cmocka_unit_test(values_at_edge_points),
        cmocka_unit_test(predicates),
        cmocka_unit_test(integers_wrap_around),
        cmocka_unit_test(casts_saturate),
        cmocka_unit_test(kernels_work_in_place),
        cmocka_unit_test(derivatives_at_edge_points),
        cmocka_unit_test(derivatives_keep_their_digits),
        cmocka_unit_test(identities_keep_ieee_meaning),
        cmocka_unit_test(second_derivatives_at_edge_points),
        cmocka_unit_test(kinks_have_one_derivative_in_every_mode),
        cmocka_unit_test(norms_and_their_like_are_finite_at_the_edge),
        cmocka_unit_test(casts_between_floating_types_are_linear),
        cmocka_unit_test(steps_have_no_derivative),
        cmocka_unit_test(errors_say_what_and_where),
        cmocka_unit_test(bad_operands_do_not_crash),
        cmocka_unit_test(building_survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
