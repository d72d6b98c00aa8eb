/* Below a `where`: whatever the branch that is not taken holds, infinities and NaN, reaches no
 * derivative, in any sequence of modes. Scalar formulas to order 4 against closed forms; then every
 * operation that multiplies or divides inside, with the second of two examples poisoned and left
 * out, against the same with zeros in its place. */
#include "op/evaluate.h"
#include "support/orders.h"

/* ---- scalars --------------------------------------------------------------------------------- */

static wg_var guarded_sqrt(wg_graph *g, wg_var x) {
    (void)g;
    return wg_where(wg_gt(x, 0), wg_sqrt(x), 0);
}

/* Two singular functions in a row, and a guard that depends on x itself. */
static wg_var guarded_chain(wg_graph *g, wg_var x) {
    (void)g;
    return wg_mul(x, wg_where(wg_gt(x, 0), wg_log(wg_sqrt(x)), 0));
}

static wg_var guarded_quotient(wg_graph *g, wg_var x) {
    (void)g;
    return wg_where(wg_eq(x, 0), 1, wg_div(wg_sin(x), x));
}

/* Both operands of the product are NaN where x is negative. */
static wg_var guarded_product(wg_graph *g, wg_var x) {
    (void)g;
    wg_var v = wg_broadcast(wg_log(x), 3);
    return wg_where(wg_gt(x, 0), wg_matmul(v, v), 0);
}

/* A product that the gradient ends with, its other factor NaN where x is negative: 9 x log(x) by a
 * matrix and a vector, 16 x log(x) over windows, x (3 + 2 log(x) + log(x)^2) by a recurrence. */
static wg_var guarded_contraction(wg_graph *g, wg_var x) {
    (void)g;
    wg_var y = wg_matmul(wg_broadcast(wg_log(x), 3, 3), wg_broadcast(x, 3));
    return wg_sum(wg_where(wg_gt(x, 0), y, 0));
}
static wg_var guarded_windows(wg_graph *g, wg_var x) {
    (void)g;
    wg_var kernel = wg_broadcast(wg_log(x), 2, 1, 2, 2);
    wg_var y = wg_conv2d(wg_broadcast(x, 1, 1, 2, 3), kernel, NULL);
    return wg_sum(wg_where(wg_gt(x, 0), y, 0));
}
static wg_var guarded_growth(wg_graph *g, wg_var x) {
    (void)g;
    wg_var y = wg_recur(wg_broadcast(wg_log(x), 3), wg_broadcast(x, 3), 0);
    return wg_sum(wg_where(wg_gt(x, 0), y, 0));
}

/* A product of elements, which is a recurrence: log(x)^3. */
static wg_var guarded_recurrence(wg_graph *g, wg_var x) {
    (void)g;
    return wg_where(wg_gt(x, 0), wg_prod(wg_broadcast(wg_log(x), 3)), 0);
}

/* The one place of a window over four elements, log(x) in image and kernel: 4 log(x)^2. */
static wg_var guarded_convolution(wg_graph *g, wg_var x) {
    (void)g;
    wg_var v = wg_broadcast(wg_log(x), 1, 1, 2, 2);
    return wg_where(wg_gt(x, 0), wg_sum(wg_conv2d(v, v, NULL)), 0);
}

static void the_branch_not_taken_sends_nothing(void **state) {
    (void)state;
    check_orders(guarded_sqrt, -1, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_sqrt, 0, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_sqrt, 4, (const double[]){0.25, -0.03125, 3.0 / 256, -15.0 / 2048}, 4);
    check_orders(guarded_chain, -1, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_chain, 0, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_chain, 1, (const double[]){0.5, 0.5, -0.5, 1}, 4);
    check_orders(guarded_quotient, 0, (const double[]){0, 0, 0}, 3);
    check_orders(guarded_product, -1, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_product, 0, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_product, 1, (const double[]){0, 6, -18, 66}, 4);
    check_orders(guarded_contraction, -1, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_contraction, 0, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_contraction, 1, (const double[]){9, 9, -9, 18}, 4);
    check_orders(guarded_windows, -1, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_windows, 0, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_windows, 1, (const double[]){16, 16, -16, 32}, 4);
    check_orders(guarded_growth, -1, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_growth, 0, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_growth, 1, (const double[]){5, 4, -2, 2}, 4);
    check_orders(guarded_recurrence, -1, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_recurrence, 0, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_recurrence, 1, (const double[]){0, 0, 6, -36}, 4);
    check_orders(guarded_convolution, -1, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_convolution, 0, (const double[]){0, 0, 0, 0}, 4);
    check_orders(guarded_convolution, 1, (const double[]){0, 8, -24, 88}, 4);
}

/* ---- examples left out ----------------------------------------------------------------------- */

enum { ROOM = 64 };

/* Of x and k, shapes below, into [2, ...], each example of its own row of x. */
typedef wg_var examples(wg_var x, wg_var k);

static wg_var by_matmul(wg_var x, wg_var k) {
    return wg_matmul(x, k);
}
static wg_var by_einsum(wg_var x, wg_var k) {
    return wg_einsum("ij,jk->ik", x, k);
}
static wg_var by_conv(wg_var x, wg_var k) {
    wg_window window = {.low = {1, 1}, .high = {1, 0}, .stride = {2, 1}};
    return wg_conv2d(x, k, &window);
}
static wg_var by_grouped_conv(wg_var x, wg_var k) {
    wg_window window = {.dilation = {1, 2}, .groups = 2};
    return wg_conv2d(x, k, &window);
}
static wg_var by_conv_transpose(wg_var x, wg_var k) {
    wg_window window = {.stride = {2, 1}, .low = {1, 0}};
    return wg_conv_transpose2d(x, k, &window);
}
static const int64_t two[2] = {2, 2};

static wg_var by_avg_pool(wg_var x, wg_var k) {
    return wg_avg_pool2d(wg_mul(x, k), two, NULL);
}
static wg_var by_max_pool(wg_var x, wg_var k) {
    return wg_max_pool2d(wg_mul(x, k), two, NULL);
}
static wg_var by_prod(wg_var x, wg_var k) {
    return wg_reshape(wg_prod(wg_mul(x, k), 1), 2, 1);
}
static wg_var by_cumprod(wg_var x, wg_var k) {
    return wg_cumprod(wg_mul(x, k), 1);
}
static wg_var by_recur(wg_var x, wg_var k) {
    return wg_recur_at(WG_HERE, x, wg_mul(x, k), 1, true);
}
static wg_var by_softmax(wg_var x, wg_var k) {
    return wg_softmax(wg_mul(x, k), 1);
}
static wg_var by_logsumexp(wg_var x, wg_var k) {
    return wg_reshape(wg_logsumexp(wg_mul(x, k), 1), 2, 1);
}
static wg_var by_norm(wg_var x, wg_var k) {
    return wg_reshape(wg_norm(wg_mul(x, k), 1), 2, 1);
}
static wg_var by_variance(wg_var x, wg_var k) {
    return wg_reshape(wg_variance(wg_mul(x, k), 1), 2, 1);
}
static wg_var by_max(wg_var x, wg_var k) {
    return wg_reshape(wg_reduce_max(wg_mul(x, k), 1), 2, 1);
}
static wg_var by_sort(wg_var x, wg_var k) {
    return wg_sort(wg_mul(x, k), 1);
}
static wg_var by_pow(wg_var x, wg_var k) {
    return wg_pow(wg_abs(x), k);
}
static wg_var by_atan2(wg_var x, wg_var k) {
    return wg_div(wg_atan2(x, k), wg_hypot(x, k));
}

static const struct case_of {
    const char *name;
    examples *f;
    wg_type x, k;
} left_out[] = {
    {"matmul", by_matmul, {WG_F64, 2, {2, 3}}, {WG_F64, 2, {3, 2}}},
    {"einsum", by_einsum, {WG_F64, 2, {2, 3}}, {WG_F64, 2, {3, 2}}},
    {"conv2d", by_conv, {WG_F64, 4, {2, 1, 4, 3}}, {WG_F64, 4, {2, 1, 2, 2}}},
    {"conv2d in groups", by_grouped_conv, {WG_F64, 4, {2, 2, 2, 3}}, {WG_F64, 4, {4, 1, 2, 2}}},
    {"conv_transpose2d", by_conv_transpose, {WG_F64, 4, {2, 2, 2, 2}}, {WG_F64, 4, {2, 1, 2, 2}}},
    {"avg_pool2d", by_avg_pool, {WG_F64, 4, {2, 1, 4, 4}}, {WG_F64, 0, {0}}},
    {"max_pool2d", by_max_pool, {WG_F64, 4, {2, 1, 4, 4}}, {WG_F64, 0, {0}}},
    {"prod", by_prod, {WG_F64, 2, {2, 3}}, {WG_F64, 1, {3}}},
    {"cumprod", by_cumprod, {WG_F64, 2, {2, 4}}, {WG_F64, 1, {4}}},
    {"recur", by_recur, {WG_F64, 2, {2, 4}}, {WG_F64, 1, {4}}},
    {"softmax", by_softmax, {WG_F64, 2, {2, 3}}, {WG_F64, 1, {3}}},
    {"logsumexp", by_logsumexp, {WG_F64, 2, {2, 3}}, {WG_F64, 1, {3}}},
    {"norm", by_norm, {WG_F64, 2, {2, 3}}, {WG_F64, 1, {3}}},
    {"variance", by_variance, {WG_F64, 2, {2, 3}}, {WG_F64, 1, {3}}},
    {"reduce_max", by_max, {WG_F64, 2, {2, 3}}, {WG_F64, 1, {3}}},
    {"sort", by_sort, {WG_F64, 2, {2, 3}}, {WG_F64, 1, {3}}},
    {"pow", by_pow, {WG_F64, 2, {2, 3}}, {WG_F64, 1, {3}}},
    {"atan2", by_atan2, {WG_F64, 2, {2, 3}}, {WG_F64, 1, {3}}},
};

/* y = the sum of the squares of the first example's elements; the second one's are left out. */
static wg_program *first_alone(const struct case_of *c, wg_dtype dtype) {
    wg_graph *g = wg_graph_new();
    wg_error error = {0};
    wg_type type[2] = {c->x, c->k};
    for (int i = 0; i < 2; i++) type[i].dtype = (uint8_t)dtype;
    wg_var x = wg_input(g, "x", type[0]), k = wg_input(g, "k", type[1]), y = c->f(x, k);
    wg_type mask = {.dtype = WG_BOOL, .rank = wg_type_of_var(y).rank};
    for (size_t i = 0; i < mask.rank; i++) mask.extent[i] = i ? 1 : 2;
    const bool first[] = {true, false};
    wg_var taken = wg_constant(g, mask, first);
    wg_output(g, "y", wg_sum(wg_where(taken, wg_square(y), 0)));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

/* Modes applied one after the other, the first in bit 0: 1 for forward. Each differentiates all
 * that the one before has made, by x and k. */
static wg_program *second_order(const struct case_of *c, wg_dtype dtype, unsigned modes) {
    wg_error error = {0};
    wg_program *p = first_alone(c, dtype);
    const char *of = "y";
    for (int order = 0; order < 2; order++, modes >>= 1) {
        wg_program *d = modes & 1 ? wg_jvp(p, of, "x, k", &error) : wg_vjp(p, of, "x, k", &error);
        assert_ok(error);
        of = modes & 1 ? "y_dot" : "x_bar, k_bar";
        wg_program_free(p);
        p = d;
    }
    return p;
}

/* Runs p with the second half of x poisoned; numbers, small whole ones, elsewhere. */
static void run_poisoned(const wg_program *p, double poison, wg_tensor *out) {
    static double room[12][ROOM];
    wg_error error = {0};
    wg_tensor in[12];
    for (size_t i = 0; i < wg_input_count(p); i++) {
        wg_type type = wg_input_type(p, i);
        in[i] = (wg_tensor){room[i], (wg_dtype)type.dtype, type.rank, {0}};
        memcpy(in[i].shape, type.extent, sizeof in[i].shape);
        int64_t count = wg_tensor_count(&in[i]);
        for (int64_t k = 0; k < count; k++) {
            double number = (double)((k * 7 + (int64_t)i * 3) % 5) - 1.5;
            if (i == 0 && k >= count / 2) number = k % 3 ? poison : -poison;
            if (type.dtype == WG_F32) ((float *)room[i])[k] = (float)number;
            else room[i][k] = number;
        }
    }
    wg_function *fn = wg_compile(p, NULL, &error);
    for (size_t i = 0; i < wg_output_count(p); i++) out[i] = (wg_tensor){0};
    wg_run(fn, NULL, in, out, &error);
    assert_ok(error);
    wg_function_free(fn);
}

static double element(const wg_tensor *t, int64_t k) {
    return t->dtype == WG_F32 ? (double)((const float *)t->data)[k] : ((const double *)t->data)[k];
}

static void check_left_out(const struct case_of *c, wg_dtype dtype, unsigned modes) {
    wg_program *p = second_order(c, dtype, modes);
    const double poisons[] = {(double)NAN, (double)INFINITY, 0};
    wg_tensor plain[8], out[8];
    run_poisoned(p, 1, plain);
    for (size_t i = 0; i < sizeof poisons / sizeof *poisons; i++) {
        run_poisoned(p, poisons[i], out);
        for (size_t o = 0; o < wg_output_count(p); o++) {
            for (int64_t k = 0; k < wg_tensor_count(&out[o]); k++) {
                double have = element(&out[o], k), want = element(&plain[o], k);
                double tolerance = (dtype == WG_F32 ? 1e-5 : 1e-13) * fmax(1, fabs(want));
                if (!(fabs(have - want) <= tolerance))
                    fail_msg("%s, %s, modes %u, %g: %s[%d] is %.17g, not %.17g", c->name,
                             wg_dtype_name(dtype), modes, poisons[i], wg_output_name(p, o),
                             (int)k, have, want);
            }
            wg_tensor_free(&out[o], NULL);
        }
    }
    for (size_t o = 0; o < wg_output_count(p); o++) wg_tensor_free(&plain[o], NULL);
    wg_program_free(p);
}

static void examples_left_out_send_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        for (unsigned modes = 0; modes < 4; modes++)
            for (wg_dtype dtype = WG_F32; dtype <= WG_F64; dtype++)
                check_left_out(&left_out[i], dtype, modes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_branch_not_taken_sends_nothing),
        cmocka_unit_test(examples_left_out_send_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
