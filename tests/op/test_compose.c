/* Functions that are made of several operations, and the scans below them: values at the edges
 * (nothing, ties, NaN, zeros in products), derivatives of both orders where they are easy to get
 * wrong, and the same with named sizes. */
#include "op/evaluate.h"

/* Runs body for constant extents and for named sizes. */
#define BOTH(body)                                                                                 \
    for (int named = 0; named < 2; named++) {                                                      \
        struct evaluate e = evaluate_begin();                                                      \
        body;                                                                                      \
        evaluate_end(&e);                                                                          \
    }
#define VECTOR(n, ...) evaluate_input(&e, named, WG_F64, SHAPE(n), (const double[]){__VA_ARGS__})
#define MATRIX(n, m, ...)                                                                          \
    evaluate_input(&e, named, WG_F64, SHAPE(n, m), (const double[]){__VA_ARGS__})
#define INTEGERS(n, ...) evaluate_input(&e, named, WG_I64, SHAPE(n), (const int64_t[]){__VA_ARGS__})
#define IS(y, ...)                                                                                 \
    evaluate(&e, y);                                                                               \
    ASSERT_VALUES(&e.out, __VA_ARGS__)

/* The gradient and Hessian of L at x f64[n]. */
static void derivatives(wg_var (*L)(wg_var x), int64_t n, const double *x, const double *gradient,
                        const double *hessian) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_output(g, "L", L(wg_input(g, "x", wg_f64(n))));
    wg_program *p = wg_build(g, &error), *derived[2] = {wg_grad(p, "x", &error), NULL};
    derived[1] = wg_hessian(p, "x", &error);
    const double *expected[2] = {gradient, hessian};
    wg_tensor in = {(void *)(uintptr_t)x, WG_F64, 1, {n}}, out = {0};
    for (int k = 0; k < 2; k++) {
        wg_function *fn = wg_compile(derived[k], NULL, &error);
        assert_ok(error);
        wg_run(fn, NULL, &in, &out, &error);
        assert_ok(error);
        assert_numbers(&out, expected[k], (size_t)(k ? n * n : n), 1e-14);
        wg_tensor_free(&out, NULL);
        wg_function_free(fn);
        wg_program_free(derived[k]);
    }
    wg_program_free(p);
}

/* ---- products and scans ---------------------------------------------------------------------- */

static void products_have_right_values(void **state) {
    (void)state;
    BOTH(IS(wg_prod(VECTOR(4, 2, -3, 0.5, 4)), -12))
    BOTH(IS(wg_prod(MATRIX(2, 3, 1, 2, 3, 4, 5, 6), 0), 4, 10, 18))
    BOTH(IS(wg_prod(MATRIX(2, 3, 1, 2, 3, 4, 5, 6), 1), 6, 120))
    BOTH(IS(wg_prod(MATRIX(2, 0, 0), 1), 1, 1))
    BOTH(IS(wg_prod(VECTOR(0, 0)), 1))
    BOTH(IS(wg_cumprod(MATRIX(2, 3, 1, 2, 3, 4, 5, 6), 1), 1, 2, 6, 4, 20, 120))
    BOTH(IS(wg_cumprod_at(WG_HERE, VECTOR(3, 2, 3, 4), 0, true), 24, 12, 4))
    BOTH(IS(wg_cumsum(MATRIX(2, 3, 1, 2, 3, 4, 5, 6), 0), 1, 2, 3, 5, 7, 9))
    BOTH(IS(wg_cumsum_at(WG_HERE, VECTOR(3, 1, 2, 3), 0, true), 6, 5, 3))
    BOTH(IS(wg_cumprod(INTEGERS(3, 2, 3, 4), 0), 2, 6, 24))
    BOTH(evaluate(&e, wg_cumprod(VECTOR(0, 0), 0)); assert_int_equal(e.out.shape[0], 0))
}

static wg_var product(wg_var x) {
    return wg_prod(x);
}

static void derivatives_of_products_hold_with_zeros(void **state) {
    (void)state;
    derivatives(product, 3, (const double[]){2, 3, 4}, (const double[]){12, 8, 6},
                (const double[]){0, 4, 3, 4, 0, 2, 3, 2, 0});
    derivatives(product, 3, (const double[]){2, 0, 4}, (const double[]){0, 8, 0},
                (const double[]){0, 4, 0, 4, 0, 2, 0, 2, 0});
    derivatives(product, 3, (const double[]){0, 3, 0}, (const double[]){0, 0, 0},
                (const double[]){0, 0, 3, 0, 0, 0, 3, 0, 0});
}

static wg_var weighted_cumprod(wg_var x) {
    double w[3] = {1, 10, 100};
    return wg_sum(wg_mul(wg_cumprod(x, 0), wg_constant(x.graph, wg_f64(3), w)));
}

static void derivatives_of_running_products_hold_with_zeros(void **state) {
    (void)state; /* x0 + 10 x0 x1 + 100 x0 x1 x2 */
    derivatives(weighted_cumprod, 3, (const double[]){2, 0, 5}, (const double[]){1, 1020, 0},
                (const double[]){0, 510, 0, 510, 0, 200, 0, 200, 0});
}

/* ---- the smallest, truths, moments, norms ---------------------------------------------------- */

static void reductions_have_their_edges(void **state) {
    (void)state;
    BOTH(IS(wg_reduce_min(MATRIX(2, 2, 3, 1, 2, 5), 1), 1, 2))
    BOTH(IS(wg_reduce_min(VECTOR(3, 1, NAN, 0)), NAN))
    BOTH(IS(wg_reduce_min(VECTOR(0, 0)), INFINITY))
    BOTH(IS(wg_reduce_min(INTEGERS(3, INT64_MIN, 0, INT64_MAX)), -0x1p63))
    BOTH(IS(wg_argmin(VECTOR(4, 2, 1, 1, 3), 0), 1))
    BOTH(IS(wg_argmin(VECTOR(3, 2, NAN, 1), 0), 1))
    BOTH(IS(wg_any(wg_gt(MATRIX(2, 2, 0, 0, 0, 1), 0), 1), 0, 1))
    BOTH(IS(wg_all(wg_gt(MATRIX(2, 2, 1, 1, 0, 1), 0), 1), 1, 0))
    BOTH(IS(wg_any(wg_gt(VECTOR(0, 0), 0)), 0))
    BOTH(IS(wg_all(wg_gt(VECTOR(0, 0), 0)), 1))
    BOTH(IS(wg_variance(VECTOR(4, 1, 2, 3, 4)), 1.25))
    BOTH(IS(wg_variance(VECTOR(0, 0)), NAN))
    BOTH(IS(wg_layer_norm(MATRIX(2, 2, 1, 3, 5, 5), 0, -1), -1, 1, NAN, NAN))
    BOTH(IS(wg_layer_norm(MATRIX(2, 2, 1, 3, 5, 5), 3, -1), -0.5, 0.5, 0, 0))
}

static void norms_of_any_order_neither_overflow_nor_vanish(void **state) {
    (void)state;
    BOTH(IS(wg_norm_of_order(VECTOR(3, 3, -4, 0), 1, 0), 7))
    BOTH(IS(wg_norm_of_order(VECTOR(3, 3, -4, 0), 2, 0), 5))
    BOTH(IS(wg_norm_of_order(VECTOR(3, 3, -4, 0), INFINITY, 0), 4))
    BOTH(IS(wg_norm_of_order(VECTOR(0, 0), INFINITY, 0), 0))
    BOTH(IS(wg_norm_of_order(VECTOR(0, 0), 3, 0), 0))
    BOTH(IS(wg_norm_of_order(VECTOR(2, 0, 0), 3, 0), 0))
    BOTH(IS(wg_norm_of_order(VECTOR(2, 9, 16), 0.5, 0), 49))
    BOTH(evaluate(&e, wg_norm_of_order(VECTOR(2, 3e200, 4e200), 4, 0));
         assert_numbers(&e.out, (const double[]){4.284572294953817e200}, 1, 1e-15))
    BOTH(evaluate(&e, wg_norm_of_order(VECTOR(2, 3e-200, 4e-200), 4, 0));
         assert_numbers(&e.out, (const double[]){0}, 1, 5e-200))
}

static wg_var cubic_norm(wg_var x) {
    return wg_norm_of_order(x, 3, 0);
}
static wg_var largest_norm(wg_var x) {
    return wg_norm_of_order(x, INFINITY, 0);
}

static void norms_have_derivatives_at_zeros(void **state) {
    (void)state;
    double none[9] = {0};
    derivatives(cubic_norm, 3, (const double[]){0, 0, 0}, none, none);
    derivatives(cubic_norm, 2, (const double[]){-2, 0}, (const double[]){-1, 0}, none);
    derivatives(largest_norm, 2, (const double[]){-2, 2}, (const double[]){-0.5, 0.5}, none);
}

/* ---- order ----------------------------------------------------------------------------------- */

static void sorting_is_stable_and_puts_nan_last(void **state) {
    (void)state;
    BOTH(IS(wg_sort(VECTOR(5, 3, NAN, -INFINITY, 1, INFINITY), 0), -INFINITY, 1, 3, INFINITY, NAN))
    BOTH(IS(wg_argsort(VECTOR(6, 1, NAN, 0, 1, NAN, 0), 0), 2, 5, 0, 3, 1, 4))
    BOTH(IS(wg_argsort(VECTOR(3, 0.0, -0.0, 0.0), 0), 0, 1, 2))
    BOTH(IS(wg_sort(MATRIX(3, 2, 5, 1, 4, 3, 6, 2), 0), 4, 1, 5, 2, 6, 3))
    BOTH(IS(wg_sort(INTEGERS(4, 3, INT64_MIN, 2, 3), 0), -0x1p63, 2, 3, 3))
    BOTH(evaluate(&e, wg_sort(VECTOR(0, 0), 0)); assert_int_equal(e.out.shape[0], 0))
}

static wg_var weighted_sort(wg_var x) {
    double w[3] = {1, 10, 100};
    wg_var y = wg_mul(wg_sort(x, 0), wg_constant(x.graph, wg_f64(3), w));
    return wg_add(wg_sum(y), wg_sum(wg_square(wg_slice(wg_sort(x, 0), 0, 0, 1, 1))));
}

static void adjoints_of_sorted_values_go_back(void **state) {
    (void)state;
    derivatives(weighted_sort, 3, (const double[]){7, -2, 7}, (const double[]){10, -3, 100},
                (const double[]){0, 0, 0, 0, 2, 0, 0, 0, 0});
}

/* ---- shape ----------------------------------------------------------------------------------- */

static void slices_go_both_ways(void **state) {
    (void)state;
    BOTH(wg_var x = VECTOR(5, 0, 1, 2, 3, 4);
         IS(wg_slice(x, 0, WG_INFER, WG_INFER, -1), 4, 3, 2, 1, 0))
    BOTH(wg_var x = VECTOR(5, 0, 1, 2, 3, 4); IS(wg_slice(x, 0, 4, 1, -1), 4, 3, 2))
    BOTH(wg_var x = VECTOR(5, 0, 1, 2, 3, 4); IS(wg_slice(x, 0, 4, 0, -3), 4, 1))
    BOTH(wg_var x = VECTOR(5, 0, 1, 2, 3, 4); IS(wg_slice(x, 0, 3, WG_INFER, -2), 3, 1))
    BOTH(IS(wg_reverse(MATRIX(2, 2, 1, 2, 3, 4)), 4, 3, 2, 1))
    BOTH(IS(wg_reverse(MATRIX(2, 2, 1, 2, 3, 4), 0), 3, 4, 1, 2))
    BOTH(evaluate(&e, wg_reverse(VECTOR(0, 0))); assert_int_equal(e.out.shape[0], 0))
}

static void shapes_are_made(void **state) {
    (void)state;
    wg_extent low[2] = {1, 0}, high[2] = {0, 1};
    BOTH(IS(wg_pad(MATRIX(1, 2, 1, 2), low, high, 0), 0, 0, 0, 1, 2, 0))
    BOTH(IS(wg_pad(MATRIX(1, 2, 1, 2), low, high, NAN), NAN, NAN, NAN, 1, 2, NAN))
    BOTH(wg_var a = VECTOR(2, 1, 2); wg_var b = VECTOR(2, 3, 4); IS(wg_stack(0, a, b), 1, 2, 3, 4);
         assert_int_equal(e.out.rank, 2))
    BOTH(wg_var a = VECTOR(2, 1, 2); wg_var b = VECTOR(2, 3, 4); IS(wg_stack(-1, a, b), 1, 3, 2, 4))
    BOTH(IS(wg_tile(MATRIX(2, 2, 1, 2, 3, 4), 1, 2), 1, 2, 1, 2, 3, 4, 3, 4))
    BOTH(IS(wg_tile(VECTOR(2, 1, 2), 3), 1, 2, 1, 2, 1, 2))
    BOTH(evaluate(&e, wg_tile(VECTOR(2, 1, 2), 0)); assert_int_equal(e.out.shape[0], 0))
    BOTH(evaluate(&e, wg_squeeze(wg_expand(VECTOR(2, 1, 2), -1))); assert_int_equal(e.out.rank, 1))
    BOTH(evaluate(&e, wg_expand(VECTOR(2, 1, 2), 0)); assert_int_equal(e.out.shape[1], 2))
}

/* ---- indexing -------------------------------------------------------------------------------- */

static void elements_are_found_by_values(void **state) {
    (void)state;
    int64_t index[] = {1, 0, 1, 1};
    for (int named = 0; named < 2; named++) {
        struct evaluate e = evaluate_begin();
        wg_var a = MATRIX(2, 2, 1, 2, 3, 4);
        wg_var i = evaluate_input(&e, named, WG_I64, SHAPE(2, 2), index);
        IS(wg_concat(0, wg_take_along(a, i, 0), wg_take_along(a, i, 1),
                     wg_scatter_along(a, i, 0, 3)),
           3, 2, 3, 4, 2, 1, 4, 4, 0, 2, 4, 4, 0, 0);
        evaluate_end(&e);
    }
    BOTH(IS(wg_one_hot(INTEGERS(3, 2, -1, 0), 3, WG_F64), 0, 0, 1, 0, 0, 0, 1, 0, 0))
}

static void windows_start_at_values(void **state) {
    (void)state;
    int64_t at = 2;
    BOTH(wg_var x = VECTOR(4, 1, 2, 3, 4); wg_var s = evaluate_input(&e, 0, WG_I64, SHAPE(), &at);
         IS(wg_dynamic_slice(x, s, 0, 2), 3, 4))
    BOTH(wg_var x = VECTOR(4, 1, 2, 3, 4); wg_var s = evaluate_input(&e, 0, WG_I64, SHAPE(), &at);
         wg_var u = VECTOR(2, 8, 9); IS(wg_dynamic_update(x, u, s, 0), 1, 2, 8, 9))
    for (int named = 0; named < 2; named++) { /* what leaves the axis is not moved */
        wg_error error = {0};
        struct evaluate e = evaluate_begin();
        wg_var x = VECTOR(4, 1, 2, 3, 4), s = evaluate_input(&e, 0, WG_I64, SHAPE(), &at);
        evaluate_with(&e, wg_dynamic_slice(x, s, 0, 3), &error);
        assert_int_equal(error.status, WG_EINDEX);
        evaluate_end(&e);
    }
}

/* ---- einsum ---------------------------------------------------------------------------------- */

static void einsum_is_every_sum_of_products(void **state) {
    (void)state;
#define A MATRIX(2, 2, 1, 2, 3, 4)
#define B MATRIX(2, 2, 5, 6, 7, 8)
    BOTH(IS(wg_einsum("ij->ji", A), 1, 3, 2, 4))
    BOTH(IS(wg_einsum("ii", A), 5))
    BOTH(IS(wg_einsum("ii->i", A), 1, 4))
    BOTH(IS(wg_einsum("ij->", A), 10))
    BOTH(IS(wg_einsum("ba", A), 1, 3, 2, 4))
    BOTH(wg_var a = A; wg_var b = B; IS(wg_einsum("ij, jk -> ik", a, b), 19, 22, 43, 50))
    BOTH(wg_var a = A; wg_var b = B; IS(wg_einsum("ij,ij->i", a, b), 17, 53))
    BOTH(wg_var a = A; wg_var b = B;
         IS(wg_einsum("bi,bj->bij", a, b), 5, 6, 10, 12, 21, 24, 28, 32))
    BOTH(wg_var a = A; wg_var b = B; IS(wg_einsum("ij,kl->", a, b), 260))
    BOTH(wg_var a = A; wg_var b = B; wg_var c = A; IS(wg_einsum("ij,jk,ki->", a, b, c), 371))
    BOTH(wg_var a = VECTOR(2, 1, 2); wg_var b = VECTOR(3, 3, 4, 5);
         IS(wg_einsum("i,j->ij", a, b), 3, 4, 5, 6, 8, 10))
}

static void einsum_fills_ellipses(void **state) {
    (void)state;
#define C evaluate_input(&e, named, WG_F64, SHAPE(2, 1, 2), (const double[]){1, 2, 3, 4})
    BOTH(IS(wg_einsum("...ij->...ji", A), 1, 3, 2, 4))
    BOTH(IS(wg_einsum("...i->...", A), 3, 7))
    BOTH(IS(wg_einsum("i...->...", A), 4, 6))
    BOTH(IS(wg_einsum("i...", A), 1, 3, 2, 4)) /* as "i...->...i" */
    BOTH(IS(wg_einsum("...ii", A), 5))
    BOTH(wg_var a = A; wg_var b = B; IS(wg_einsum("...ij,...jk->...ik", a, b), 19, 22, 43, 50))
    BOTH(wg_var a = A; wg_var b = B; IS(wg_einsum("...j,jk", a, b), 19, 22, 43, 50))
    BOTH(wg_var c = C; wg_var b = B; /* the leading axis of c alone, 1 row, stretched along none */
         IS(wg_einsum("...ij,...jk->...ik", c, b), 19, 22, 43, 50))
    BOTH(wg_var c = C; wg_var a = A; /* [2, 1] and [2] under the ellipses: 1 is stretched to 2 */
         IS(wg_einsum("...i,...i->...", c, a), 5, 11, 11, 25))
    BOTH(wg_var c = C; wg_var a = A; IS(wg_einsum("...i,ki->k...", c, a), 5, 11, 11, 25))
    BOTH(wg_var a = VECTOR(2, 3, 5); wg_var b = VECTOR(2, 1, 2);
         IS(wg_einsum("..., ...", a, b), 3, 10))
#undef C
}

static void einsum_says_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"ij,jk", "more operands are named than given"},
        {"i1", "only letters, commas, ... and one -> are known"},
        {"i..", "only letters, commas, ... and one -> are known"},
        {"...i...", "an ellipsis stands twice in one place"},
        {"...i->i", "operands have axes under ... and the result does not"},
        {"...ijk->...", "einsum \"...ijk->...\": \"...ijk\" for an operand f64[2,3]"},
        {"...,", "more operands are named than given"},
        {"ij->ik", "a letter of the result is in no operand"},
        {"ij->ii", "a letter stands twice in the result"},
        {"ijk", "\"ijk\" for an operand f64[2,3]"},
        {"ii", "i is 2 in operand 1 and 3 in operand 1"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        wg_error error = {0};
        wg_graph *g = wg_graph_new();
        wg_output(g, "y", wg_einsum(wrong[k].text, wg_input(g, "x", wg_f64(2, 3))));
        assert_null(wg_build(g, &error));
        if (!strstr(error.message, wrong[k].message)) fail_msg("%s", error.message);
    }
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input_at("f.c", 1, g, "a", wg_f64(5, 2, 3));
    wg_var b = wg_input_at("f.c", 2, g, "b", wg_f64(4, 3));
    wg_output(g, "y", wg_einsum_at("f.c", 3, "...i,...i->...", 2, (wg_var[]){a, b}));
    assert_null(wg_build(g, &error));
    assert_string_equal(error.message,
                        "f.c:3: einsum: axis -1 of ... is 2 in operand 1 and 4 in operand 2\n"
                        "  left  = input \"a\"      f.c:1\n"
                        "  right = input \"b\"      f.c:2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_have_right_values),
        cmocka_unit_test(derivatives_of_products_hold_with_zeros),
        cmocka_unit_test(derivatives_of_running_products_hold_with_zeros),
        cmocka_unit_test(reductions_have_their_edges),
        cmocka_unit_test(norms_of_any_order_neither_overflow_nor_vanish),
        cmocka_unit_test(norms_have_derivatives_at_zeros),
        cmocka_unit_test(sorting_is_stable_and_puts_nan_last),
        cmocka_unit_test(adjoints_of_sorted_values_go_back),
        cmocka_unit_test(slices_go_both_ways),
        cmocka_unit_test(shapes_are_made),
        cmocka_unit_test(elements_are_found_by_values),
        cmocka_unit_test(windows_start_at_values),
        cmocka_unit_test(einsum_is_every_sum_of_products),
        cmocka_unit_test(einsum_fills_ellipses),
        cmocka_unit_test(einsum_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
