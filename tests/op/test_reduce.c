/* Reductions: every mask of every shape against plain loops, the accuracy of sums, edge points of
 * values and derivatives, and what integers do. */
#include "op/evaluate.h"

#include <float.h>

static double random_number[20000];

static void fill(void) {
    wg_random random = wg_random_seed(7);
    for (size_t i = 0; i < sizeof random_number / sizeof *random_number; i++)
        random_number[i] = 4 * wg_random_uniform(&random) - 2;
}

typedef wg_var reduction(const char *, int, wg_var, size_t, const int *);

static reduction *const reductions[] = {wg_sum_at, wg_mean_at, wg_reduce_max_at, wg_logsumexp_at,
                                        wg_norm_at};
enum { SUM, MEAN, MAX, LOGSUMEXP, NORM, REDUCTIONS };

static void accumulate(int which, double *y, double x) {
    if (which == MAX) *y = x > *y ? x : *y;
    else *y += which == LOGSUMEXP ? exp(x) : which == NORM ? x * x : x;
}

static double finish(int which, double y, double count) {
    return which == MEAN ? y / count : which == LOGSUMEXP ? log(y) : which == NORM ? sqrt(y) : y;
}

/* y[kept] over x[4 axes] by the definition. */
static size_t expected(int which, int mask, const int64_t *n, double *y) {
    int64_t stride[4], count = 1, reduced = 1;
    for (int i = 3; i >= 0; i--) {
        stride[i] = mask >> i & 1 ? 0 : count;
        if (mask >> i & 1) reduced *= n[i];
        else count *= n[i];
    }
    for (int64_t i = 0; i < count; i++) y[i] = which == MAX ? -INFINITY : 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n[0]; i++)
        for (int64_t j = 0; j < n[1]; j++)
            for (int64_t k = 0; k < n[2]; k++)
                for (int64_t l = 0; l < n[3]; l++)
                    accumulate(which,
                               &y[i * stride[0] + j * stride[1] + k * stride[2] + l * stride[3]],
                               random_number[at++]);
    for (int64_t i = 0; i < count; i++) y[i] = finish(which, y[i], (double)reduced);
    return (size_t)count;
}

static void reduces_over_every_mask(void **state) {
    (void)state;
    static const int64_t shape[][4] = {{3, 4, 5, 2},   {2, 3, 1, 40}, {40, 3, 2, 9},
                                       {0, 3, 2, 4},   {2, 3, 0, 4},  {1, 600, 1, 3},
                                       {2, 1, 1, 600}, {5, 1, 300, 2}};
    static double y[20000];
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int which = 0; which < REDUCTIONS; which++)
            for (int mask = 1; mask < 16; mask++) {
                struct evaluate e = evaluate_begin();
                int axis[4], count = 0;
                for (int i = 0; i < 4; i++)
                    if (mask >> i & 1) axis[count++] = i % 2 ? i : i - 4;
                wg_var x = evaluate_input(&e, mask % 2, WG_F64, 4, shape[s], random_number);
                evaluate(&e, reductions[which](WG_HERE, x, (size_t)count, axis));
                size_t results = expected(which, mask, shape[s], y);
                assert_numbers(&e.out, y, results, 1e-13);
                evaluate_end(&e);
            }
}

/* A million terms: the naive sum is off by thousands of units in the last place. */
static void sums_are_accurate(void **state) {
    (void)state;
    enum { COUNT = 1000000 };
    double *x = malloc(COUNT * sizeof *x);
    float *f = malloc(COUNT * sizeof *f);
    assert_non_null(x);
    assert_non_null(f);
    long double exact = 0, exact_f = 0;
    for (int i = 0; i < COUNT; i++) {
        x[i] = 1 + random_number[i % 19997] / 4;
        f[i] = (float)x[i];
        exact += x[i];
        exact_f += f[i];
    }
    const int64_t shapes[][2] = {{1, COUNT}, {COUNT, 1}};
    for (int s = 0; s < 2; s++) {
        struct evaluate e = evaluate_begin();
        int axis = 1 - s;
        evaluate(&e,
                 wg_sum_at(WG_HERE, evaluate_input(&e, true, WG_F64, 2, shapes[s], x), 1, &axis));
        assert_true(fabs((double)(*(double *)e.out.data - exact)) <=
                    8 * DBL_EPSILON * (double)exact);
        evaluate_end(&e);
        e = evaluate_begin();
        evaluate(&e,
                 wg_sum_at(WG_HERE, evaluate_input(&e, true, WG_F32, 2, shapes[s], f), 1, &axis));
        assert_true(fabs((double)(*(float *)e.out.data - exact_f)) <=
                    8 * FLT_EPSILON * (double)exact_f);
        evaluate_end(&e);
    }
    free(x);
    free(f);
}

static void integers_wrap_and_compare(void **state) {
    (void)state;
    int32_t x[6] = {INT32_MAX, 1, -5, INT32_MIN, 7, 7};
    int64_t l[4] = {INT64_MAX, 1, INT64_MIN, -1};
    struct evaluate e = evaluate_begin();
    evaluate(&e, wg_sum(evaluate_input(&e, false, WG_I32, SHAPE(3, 2), x), 1));
    ASSERT_VALUES(&e.out, INT32_MIN, INT32_MAX - 4.0, 14);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_reduce_max(evaluate_input(&e, false, WG_I32, SHAPE(3, 2), x), 0));
    ASSERT_VALUES(&e.out, INT32_MAX, 7);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_argmax(evaluate_input(&e, false, WG_I32, SHAPE(2, 3), x), 1));
    ASSERT_VALUES(&e.out, 0, 1);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_sum(evaluate_input(&e, false, WG_I64, SHAPE(2, 2), l), 1));
    assert_true(((int64_t *)e.out.data)[0] == INT64_MIN && ((int64_t *)e.out.data)[1] == INT64_MAX);
    evaluate_end(&e);
}

/* A vector through a reduction, and its gradient through reverse mode. */
static void vector(reduction *make, const double *x, int64_t n, double *y, double *gradient) {
    wg_graph *g = wg_graph_new();
    wg_error error = {0};
    wg_output(g, "y", make(WG_HERE, wg_input(g, "x", wg_f64(wg_size(g, "n"))), 0, NULL));
    wg_program *p = wg_build(g, &error), *grad = wg_value_and_grad(p, NULL, &error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    assert_ok(error);
    void *out[2] = {y, gradient};
    assert_int_equal(wg_call(fn, &n, (const void *[]){x}, out), WG_OK);
    wg_function_free(fn);
    wg_program_free(grad);
    wg_program_free(p);
}

#define NUMBERS(...) (const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double)

static void check_vector(reduction *make, const double *x, size_t n, double y, const double *dx) {
    double value, gradient[8] = {0};
    vector(make, x, (int64_t)n, &value, gradient);
    wg_tensor of_value = {&value, WG_F64, 0, {0}},
              of_gradient = {gradient, WG_F64, 1, {(int64_t)n}};
    assert_numbers(&of_value, &y, 1, 1e-15);
    assert_numbers(&of_gradient, dx, n, 1e-13);
}

static void edges_of_max(void **state) {
    (void)state;
    check_vector(wg_reduce_max_at, NUMBERS(1, 3, 3, 2), 3, (double[]){0, 0.5, 0.5, 0});
    check_vector(wg_reduce_max_at, NUMBERS(-INFINITY, -INFINITY), -INFINITY, (double[]){0.5, 0.5});
    check_vector(wg_reduce_max_at, NUMBERS(1, INFINITY), INFINITY, (double[]){0, 1});
    check_vector(wg_reduce_max_at, NUMBERS(1, NAN, 2), NAN, (double[]){NAN, NAN, NAN});
    check_vector(wg_reduce_max_at, NULL, 0, -INFINITY, NULL);
}

/* An axis that is known to be of extent 1 is no exception: the derivative at -inf is 0. */
static void logsumexp_of_one(void **state) {
    (void)state;
    const double x[] = {-INFINITY, 2}, expected[] = {0, 1};
    wg_graph *g = wg_graph_new();
    wg_error error = {0};
    wg_output(g, "y", wg_sum(wg_logsumexp(wg_input(g, "x", wg_f64(2, 1)), 1)));
    wg_program *p = wg_build(g, &error), *grad = wg_grad(p, NULL, &error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    assert_ok(error);
    double dx[2];
    assert_int_equal(wg_call(fn, NULL, (const void *[]){x}, (void *[]){dx}), WG_OK);
    for (int i = 0; i < 2; i++) assert_true(dx[i] == expected[i]);
    wg_function_free(fn);
    wg_program_free(grad);
    wg_program_free(p);
}

static void edges_of_logsumexp(void **state) {
    (void)state;
    check_vector(wg_logsumexp_at, NUMBERS(-INFINITY), -INFINITY, (double[]){0});
    check_vector(wg_logsumexp_at, NUMBERS(1000, 1000), 1000 + log(2), (double[]){0.5, 0.5});
    check_vector(wg_logsumexp_at, NUMBERS(-1000, -1000), -1000 + log(2), (double[]){0.5, 0.5});
    check_vector(wg_logsumexp_at, NUMBERS(-1000, 1000), 1000, (double[]){0, 1});
    check_vector(wg_logsumexp_at, NUMBERS(-INFINITY, 0), 0, (double[]){0, 1});
    check_vector(wg_logsumexp_at, NUMBERS(-INFINITY, -INFINITY), -INFINITY, (double[]){0, 0});
    check_vector(wg_logsumexp_at, NULL, 0, -INFINITY, NULL);
    double y, dx[2];
    vector(wg_logsumexp_at, (double[]){INFINITY, 1}, 2, &y, dx);
    assert_true(y == INFINITY);
    vector(wg_logsumexp_at, (double[]){NAN, 1}, 2, &y, dx);
    assert_true(isnan(y));
}

static void edges_of_norm(void **state) {
    (void)state;
    check_vector(wg_norm_at, NUMBERS(3, -4), 5, (double[]){0.6, -0.8});
    check_vector(wg_norm_at, NUMBERS(0, 0, 0), 0, (double[]){0, 0, 0});
    check_vector(wg_norm_at, NUMBERS(3e200, 4e200), 5e200, (double[]){0.6, 0.8});
    check_vector(wg_norm_at, NUMBERS(3e-200, 4e-200), 5e-200, (double[]){0.6, 0.8});
    check_vector(wg_norm_at, NUMBERS(3e-320, 4e-320), 5e-320,
                 (double[]){3e-320 / 5e-320, 4e-320 / 5e-320});
    check_vector(wg_norm_at, NUMBERS(-DBL_MAX), DBL_MAX, (double[]){-1});
    check_vector(wg_norm_at, NULL, 0, 0, NULL);
    double y, dx[2];
    vector(wg_norm_at, (double[]){-INFINITY, 1}, 2, &y, dx);
    assert_true(y == INFINITY);
    vector(wg_norm_at, (double[]){NAN, 1}, 2, &y, dx);
    assert_true(isnan(y));
}

/* The scaled path of columns, beside columns that need none. */
static void norms_of_columns_scale(void **state) {
    (void)state;
    double x[6] = {3e200, 3, 3e-200, 4e200, 4, 4e-200};
    struct evaluate e = evaluate_begin();
    evaluate(&e, wg_norm(evaluate_input(&e, true, WG_F64, SHAPE(2, 3), x), 0));
    assert_numbers(&e.out, (double[]){5e200, 5, 5e-200}, 3, 1e-15);
    evaluate_end(&e);
    float f[4] = {3e30f, 3e-30f, 4e30f, 4e-30f};
    e = evaluate_begin();
    evaluate(&e, wg_norm(evaluate_input(&e, true, WG_F32, SHAPE(2, 2), f), 0));
    assert_numbers(&e.out, (double[]){5e30f, 5e-30f}, 2, 1e-6);
    evaluate_end(&e);
}

/* The Hessians of norm at 0 and of logsumexp at -inf are 0, not NaN. */
static void second_derivatives_at_edges(void **state) {
    (void)state;
    reduction *const make[2] = {wg_norm_at, wg_logsumexp_at};
    const double at[2] = {0, -INFINITY};
    for (int i = 0; i < 2; i++) {
        wg_graph *g = wg_graph_new();
        wg_error error = {0};
        wg_output(g, "y", make[i](WG_HERE, wg_input(g, "x", wg_f64(2)), 0, NULL));
        wg_program *p = wg_build(g, &error), *hessian = wg_hessian(p, NULL, &error);
        wg_function *fn = wg_compile(hessian, NULL, &error);
        assert_ok(error);
        double x[2] = {at[i], at[i]}, h[4] = {1, 1, 1, 1};
        assert_int_equal(wg_call(fn, NULL, (const void *[]){x}, (void *[]){h}), WG_OK);
        for (int k = 0; k < 4; k++) assert_true(h[k] == 0);
        wg_function_free(fn);
        wg_program_free(hessian);
        wg_program_free(p);
    }
}

static void argmax_takes_the_first(void **state) {
    (void)state;
    double x[12] = {1, 3, 3, NAN, 5, NAN, -INFINITY, -INFINITY, -INFINITY, 0, -0.0, -1};
    struct evaluate e = evaluate_begin();
    evaluate(&e, wg_argmax(evaluate_input(&e, true, WG_F64, SHAPE(4, 3), x), -1));
    ASSERT_VALUES(&e.out, 1, 0, 0, 0);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_argmax(evaluate_input(&e, true, WG_F64, SHAPE(2, 2, 3), x), 1));
    ASSERT_VALUES(&e.out, 1, 1, 1, 1, 1, 1);
    evaluate_end(&e);
}

/* The logarithm of a sum of 1000 or so is known to 1e-13, and so are softmax and the losses. */
static void softmax_of_large_logits(void **state) {
    (void)state;
    double x[6] = {1000, -1000, 0, -1000, -1000, -1000};
    struct evaluate e = evaluate_begin();
    evaluate(&e, wg_softmax(evaluate_input(&e, true, WG_F64, SHAPE(2, 3), x), 1));
    assert_numbers(&e.out, (double[]){1, 0, 0, 1. / 3, 1. / 3, 1. / 3}, 6, 1e-13);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_log_softmax(evaluate_input(&e, true, WG_F64, SHAPE(2, 3), x), -1));
    assert_numbers(&e.out, (double[]){0, -2000, -1000, -log(3), -log(3), -log(3)}, 6, 1e-13);
    evaluate_end(&e);
    e = evaluate_begin();
    wg_var h = evaluate_input(&e, true, WG_F64, SHAPE(2, 3), x);
    evaluate(&e,
             wg_cross_entropy(h, evaluate_input(&e, true, WG_I32, SHAPE(2), (int32_t[]){1, 2})));
    assert_numbers(&e.out, (double[]){2000, log(3)}, 2, 1e-13);
    evaluate_end(&e);
}

int main(void) {
    fill();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reduces_over_every_mask),
        cmocka_unit_test(sums_are_accurate),
        cmocka_unit_test(integers_wrap_and_compare),
        cmocka_unit_test(edges_of_max),
        cmocka_unit_test(edges_of_logsumexp),
        cmocka_unit_test(logsumexp_of_one),
        cmocka_unit_test(edges_of_norm),
        cmocka_unit_test(norms_of_columns_scale),
        cmocka_unit_test(second_derivatives_at_edges),
        cmocka_unit_test(argmax_takes_the_first),
        cmocka_unit_test(softmax_of_large_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
