/* The functions of the language beyond those that test_formula.c shows: each is called once, and
 * its numbers are compared. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void gives(const char *formula, size_t count, const double *expected) {
    wg_error error = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    wg_tensor out = {0};
    wg_run(fn, NULL, NULL, &out, &error);
    if (error.status) fail_msg("%s", error.message);
    assert_int_equal(wg_tensor_count(&out), (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        double x = out.dtype == WG_F64   ? ((const double *)out.data)[i]
                   : out.dtype == WG_I64 ? (double)((const int64_t *)out.data)[i]
                                         : ((const uint8_t *)out.data)[i];
        if (!(fabs(x - expected[i]) <= 1e-12)) fail_msg("%s: [%zu] is %.17g", formula, i, x);
    }
    wg_tensor_free(&out, NULL);
    wg_function_free(fn);
    wg_program_free(p);
}
#define GIVES(formula, ...)                                                                        \
    gives(formula, sizeof((double[]){__VA_ARGS__}) / 8, (const double[]){__VA_ARGS__})

static void functions_give_their_values(void **state) {
    (void)state;
    GIVES("prod([2, 3, 4])", 24);
    GIVES("min([2, -3, 4]) + min(1, 2)", -2);
    GIVES("any([1, 0] > 0)", 1);
    GIVES("all([[1, 0], [1, 1]] > 0, axis=1)", 0, 1);
    GIVES("var([1, 2, 3, 4])", 1.25);
    GIVES("norm([3, 4], 1)", 7);
    GIVES("norm([3, -4], inf, keep=true)", 4);
    GIVES("layer_norm([[1, 3]], 3)", -0.5, 0.5);
    GIVES("argmin([2, 1, 1])", 1);
    GIVES("sort([2, 1, 3])", 1, 2, 3);
    GIVES("argsort([2, 1, 3])", 1, 0, 2);
    GIVES("cumsum([1, 2, 3])", 1, 3, 6);
    GIVES("cumprod([[1, 2], [3, 4]], axis=0)", 1, 2, 3, 8);
    GIVES("stack([1, 2], [3, 4], axis=-1)", 1, 3, 2, 4);
    GIVES("squeeze(expand([1, 2], axis=1))", 1, 2);
    GIVES("tile([[1, 2]], 2, 1)", 1, 2, 1, 2);
    GIVES("pad([1, 2], 1, 1)", 0, 1, 2, 0);
    GIVES("pad([1, 2], 0, 1, 9, axis=0)", 1, 2, 9);
    GIVES("reverse([[1, 2], [3, 4]], axis=1)", 2, 1, 4, 3);
    GIVES("[1, 2, 3, 4][::-1]", 4, 3, 2, 1);
    GIVES("[1, 2, 3, 4][2:0:-1]", 3, 2);
    GIVES("[1, 2, 3, 4][-1::-2]", 4, 2);
    GIVES("take_along([[1, 2], [3, 4]], [[1], [0]])", 2, 3);
    GIVES("scatter_along([[1, 2]], [[2, 2]], 3)", 0, 0, 3);
    GIVES("one_hot([1, 0], 2)", 0, 1, 1, 0);
    GIVES("dynamic_slice([1, 2, 3], i64(1), 2)", 2, 3);
    GIVES("dynamic_update([1, 2, 3], [9], i64(1))", 1, 9, 3);
    GIVES("cholesky([[4, 2], [2, 5]])", 2, 0, 1, 2);
    GIVES("cholesky_solve([[2, 0], [1, 2]], [8, 9])", 1.375, 1.25);
    GIVES("solve([[2, 1], [0, 4]], [4, 8])", 1, 2);
    GIVES("solve_lower([[2, 7], [1, 4]], [2, 9])", 1, 2);
    GIVES("solve_upper([[2, 1], [7, 4]], [4, 8])", 1, 2);
    GIVES("inv([[2, 0], [0, 4]])", 0.5, 0, 0, 0.25);
    GIVES("det([[1, 2], [3, 4]])", -2);
    GIVES("exp(logdet([[1, 2], [3, 4]]))", 2);
    GIVES("signdet([[1, 2], [3, 4]])", -1);
    GIVES("lu_l([[1, 2], [2, 8]])", 1, 0, 0.5, 1);
    GIVES("lu_u([[1, 2], [2, 8]])", 2, 8, 0, -2);
    GIVES("lu_order([[1, 2], [2, 8]])", 1, 0);
    GIVES("qr_q([[3, 1], [4, 2]])", 0.6, -0.8, 0.8, 0.6);
    GIVES("qr_r([[3, 1], [4, 2]])", 5, 2.2, 0, 0.4);
    GIVES("eigh_values([[2, 1], [1, 2]])", 1, 3);
    GIVES("eigh_vectors([[2, 0], [0, 1]])", 0, 1, 1, 0);
    GIVES("svd_u([[0, 2], [3, 0]])", 0, 1, 1, 0);
    GIVES("svd_s([[0, 2], [3, 0]])", 3, 2);
    GIVES("svd_v([[0, 2], [3, 0]])", 1, 0, 0, 1);
    GIVES("expm([[0, 1], [0, 0]])", 1, 1, 0, 1);
    GIVES("diagonal([[1, 2], [3, 4]])", 1, 4);
    GIVES("trace([[1, 2], [3, 4]])", 5);
    GIVES("einsum(\"ij,jk->ik\", [[1, 2], [3, 4]], [[5, 6], [7, 8]])", 19, 22, 43, 50);
    GIVES("einsum(\"...j,jk->...k\", [[1, 2], [3, 4]], [[5, 6], [7, 8]])", 19, 22, 43, 50);
    GIVES("bit_and(draw_bits(i64(0), i64(0), 1), i64(4294967295))", 0x6627e8d5);
    GIVES("sum(f64(draw_uniform(1, 2, 2, 3) < 1), axis=1)", 3, 3);
    GIVES("draw_normal(1, 2) - draw_normal(1, 2)", 0);
    GIVES("fma(2, [3], 4)", 10);
    GIVES("conv1d(reshape([1, 2, 4], 1, 1, 3), reshape([1, 10], 1, 1, 2), 1, 1)", 10, 21, 42, 4);
    GIVES("conv2d(ones(1, 1, 3, 3), ones(1, 1, 2, 2), 2)", 4);
    GIVES("conv_transpose2d(ones(1, 1, 1, 1), ones(1, 1, 2, 2))", 1, 1, 1, 1);
    GIVES("max_pool2d(reshape([0, 1, 2, 3, 4, 5, 6, 7], 1, 1, 2, 4), 2)", 5, 7);
    GIVES("avg_pool2d(reshape([1, 2, 3, 6], 1, 1, 2, 2), 2)", 3);
    GIVES("idiv(i64([7]), i64([-2]))", -4);
}

static void refused(const char *formula, const char *message) {
    wg_error error = {0};
    assert_null(wg_parse(formula, strlen(formula), NULL, &error));
    if (!strstr(error.message, message)) fail_msg("%s", error.message);
}

static void texts_are_for_einsum(void **state) {
    (void)state;
    refused("sum(\"ij\", [1])", "sum has no text");
    refused("einsum([1], \"i\")", "expected");
    refused("einsum([1])", "einsum begins with a text");
    refused("einsum(\"...i->i\", [[1]])", "operands have axes under ... and the result does not");
    refused("einsum(\"i, [1])", "without its closing quote");
    refused("f(x) = x\nf(\"i\")", "f takes no text");
    refused("\"i\"", "expected");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_give_their_values),
        cmocka_unit_test(texts_are_for_einsum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
