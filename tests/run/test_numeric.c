/* Numeric differentiation: against closed forms, at both kinds of step, and the gradient check,
 * which must see a wrong derivative. */
#include "support/failing_allocator.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

static wg_program *two_of_three(const wg_allocator *allocator, wg_error *error) {
    wg_graph *g = wg_graph_new_with(allocator);
    wg_var x = wg_input(g, "x", wg_f64(3)), k = wg_input(g, "k", wg_i64(2));
    wg_var s = wg_input(g, "s", wg_f64());
    wg_output(g, "y", wg_mul(wg_take(wg_exp(x), k, 0), s));
    wg_output(g, "z", wg_sum(wg_square(x)));
    return wg_build(g, error);
}

static double x3[] = {0.5, -1, 2}, s1 = 3;
static int64_t k2[] = {2, 0};
static const wg_tensor point[] = {
    {x3, WG_F64, 1, {3}}, {k2, WG_I64, 1, {2}}, {&s1, WG_F64, 0, {0}}};

static void differences_are_near_the_closed_form(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = two_of_three(NULL, &error);
    double jacobian[6], expected[6] = {0, 0, 3 * exp(2), 3 * exp(0.5), 0, 0};
    wg_numeric_jacobian(p, NULL, point, 0, 0, WG_CENTRAL, 0, jacobian, &error);
    assert_ok(error);
    for (int i = 0; i < 6; i++) assert_true(fabs(jacobian[i] - expected[i]) < 1e-8);
    wg_numeric_jacobian(p, NULL, point, 0, 0, WG_ONE_SIDED, 0, jacobian, &error);
    assert_ok(error);
    double worst = 0;
    for (int i = 0; i < 6; i++) worst = fmax(worst, fabs(jacobian[i] - expected[i]));
    assert_true(worst < 1e-5 && worst > 1e-9); /* one-sided differences are of first order */
    wg_numeric_jacobian(p, NULL, point, 1, 0, WG_CENTRAL, 1e-3, jacobian, &error);
    for (int i = 0; i < 3; i++) assert_true(fabs(jacobian[i] - 2 * x3[i]) < 1e-10);
    wg_numeric_jacobian(p, NULL, point, 0, 2, WG_CENTRAL, 0, jacobian, &error);
    assert_ok(error);
    assert_true(fabs(jacobian[0] - exp(2)) < 1e-8 && fabs(jacobian[1] - exp(0.5)) < 1e-8);
    assert_true(x3[0] == 0.5 && x3[1] == -1 && x3[2] == 2); /* the point was not touched */
    wg_program_free(p);
}

static void wrong_ports_are_refused(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = two_of_three(NULL, &error);
    double jacobian[6];
    assert_int_equal(wg_numeric_jacobian(p, NULL, point, 0, 1, WG_CENTRAL, 0, jacobian, &error),
                     WG_EDTYPE);
    assert_string_equal(error.message, "numeric jacobian: input \"k\" is not of a floating type");
    error = (wg_error){0};
    wg_numeric_jacobian(p, NULL, point, 2, 0, WG_CENTRAL, 0, jacobian, &error);
    assert_string_equal(error.message, "numeric jacobian: output 2 of a program with 2 outputs");
    assert_int_equal(wg_numeric_jacobian(NULL, NULL, point, 0, 0, WG_CENTRAL, 0, jacobian, NULL),
                     WG_EARGUMENT);
    wg_program_free(p);
}

static void the_modes_agree_with_differences(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = two_of_three(NULL, &error);
    wg_check_report report;
    for (uint64_t seed = 0; seed < 5; seed++) {
        wg_check_gradient(p, NULL, point, seed, &report, &error);
        assert_ok(error);
        assert_true(report.directions > 0);
        assert_true(report.difference < 1e-8);
        assert_true(report.product < 1e-13);
    }
    wg_program_free(p);
}

/* floor-like: the derivative of sign is 0, but a difference across its jump is not */
static void the_check_sees_a_wrong_derivative(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_output(g, "y", wg_sign(wg_input(g, "x", wg_f64())));
    wg_program *p = wg_build(g, &error);
    wg_check_report report;
    double zero = 0;
    wg_check_gradient(p, NULL, &(wg_tensor){&zero, WG_F64, 0, {0}}, 1, &report, &error);
    assert_ok(error);
    assert_true(report.difference > 0.5);
    wg_program_free(p);
}

static wg_status differentiate(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_error error = {0};
    wg_check_report report;
    double jacobian[6], step = 0.1, off[2];
    wg_tensor tangent[] = {point[0], {0}, {0}}, dot[2] = {{0}};
    wg_program *p = two_of_three(allocator, &error);
    if (p) wg_numeric_jvp(p, NULL, point, tangent, WG_CENTRAL, 0, dot, &error);
    if (p) wg_check_steps(p, NULL, point, 1, &step, 1, &off[0], &off[1], &error);
    for (int i = 0; i < 2; i++) wg_tensor_free(&dot[i], allocator);
    wg_tensor adjoint[] = {{0}, point[2]}, bar = {0};
    if (p) wg_numeric_vjp(p, NULL, point, adjoint, 0, WG_CENTRAL, 0, &bar, &error);
    wg_tensor_free(&bar, allocator);
    if (p) wg_numeric_jacobian(p, NULL, point, 0, 0, WG_CENTRAL, 0, jacobian, &error);
    if (p) wg_check_gradient(p, NULL, point, 1, &report, &error);
    wg_program_free(p);
    return error.status;
}

static void differences_along_a_direction(void **state) {
    (void)state;
    wg_error error = {0};
    double direction[] = {1, 0, -2};
    wg_tensor tangent[] = {{direction, WG_F64, 1, {3}}, {0}, {0}}, dot[2] = {{0}};
    wg_program *p = two_of_three(NULL, &error);
    for (int kind = WG_CENTRAL; kind <= WG_ONE_SIDED; kind++) {
        wg_numeric_jvp(p, NULL, point, tangent, (wg_difference)kind, 0, dot, &error);
        assert_ok(error);
        const double *y = dot[0].data, *z = dot[1].data, limit = kind == WG_CENTRAL ? 1e-8 : 1e-5;
        assert_true(fabs(y[0] + 6 * exp(2)) < limit && fabs(y[1] - 3 * exp(0.5)) < limit);
        assert_true(fabs(z[0] - (2 * 0.5 - 8)) < limit);
        for (int i = 0; i < 2; i++) wg_tensor_free(&dot[i], NULL);
    }
    tangent[0].shape[0] = 2;
    assert_int_equal(wg_numeric_jvp(p, NULL, point, tangent, WG_CENTRAL, 0, dot, &error),
                     WG_ESHAPE);
    assert_string_equal(error.message,
                        "numeric jvp: input \"x\" and its tangent are not of one floating type and "
                        "shape");
    assert_null(dot[0].data);
    wg_program_free(p);
}

static void differences_weighed_by_adjoints(void **state) {
    (void)state;
    wg_error error = {0};
    double weights[] = {1, -2}, three = 3;
    wg_tensor adjoint[] = {{weights, WG_F64, 1, {2}}, {&three, WG_F64, 0, {0}}}, bar = {0};
    wg_program *p = two_of_three(NULL, &error);
    for (int kind = WG_CENTRAL; kind <= WG_ONE_SIDED; kind++) {
        wg_numeric_vjp(p, NULL, point, adjoint, 0, (wg_difference)kind, 0, &bar, &error);
        assert_ok(error);
        const double *x = bar.data, limit = kind == WG_CENTRAL ? 1e-8 : 1e-5;
        assert_true(fabs(x[0] - (-6 * exp(0.5) + 3)) < limit && fabs(x[1] + 6) < limit);
        assert_true(fabs(x[2] - (3 * exp(2) + 12)) < limit);
        wg_tensor_free(&bar, NULL);
    }
    adjoint[0].data = NULL; /* zero */
    wg_numeric_vjp(p, NULL, point, adjoint, 2, WG_CENTRAL, 0, &bar, &error);
    assert_ok(error);
    assert_true(*(double *)bar.data == 0);
    wg_tensor_free(&bar, NULL);
    bar.data = NULL;
    adjoint[1].rank = 1;
    assert_int_equal(wg_numeric_vjp(p, NULL, point, adjoint, 0, WG_CENTRAL, 0, &bar, &error),
                     WG_ESHAPE);
    assert_string_equal(error.message,
                        "numeric vjp: output \"z\" and its adjoint are not of one floating type "
                        "and shape");
    assert_null(bar.data);
    wg_program_free(p);
}

/* y = n sum(x^2) of x[n+1]: nothing but the call says what n is. */
static void sizes_may_be_given(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(wg_extent_add(g, n, 1)));
    wg_var count = wg_cast(WG_F64, wg_extent_value(g, n));
    wg_output(g, "y", wg_mul(count, wg_sum(wg_square(x))));
    wg_program *p = wg_build(g, &error);
    const int64_t size[] = {2};
    double jacobian[3], one = 1, step = 1e-3, off[2];
    wg_tensor in = {x3, WG_F64, 1, {3}}, adjoint = {&one, WG_F64, 0, {0}}, dot = {0}, bar = {0};
    wg_check_report report;
    wg_numeric_jacobian(p, size, &in, 0, 0, WG_CENTRAL, 0, jacobian, &error);
    wg_numeric_jvp(p, size, &in, &in, WG_CENTRAL, 0, &dot, &error);
    wg_numeric_vjp(p, size, &in, &adjoint, 0, WG_CENTRAL, 0, &bar, &error);
    wg_check_gradient(p, size, &in, 1, &report, &error);
    wg_check_steps(p, size, &in, 1, &step, 1, &off[0], &off[1], &error);
    assert_ok(error);
    for (int i = 0; i < 3; i++) {
        assert_true(fabs(jacobian[i] - 4 * x3[i]) < 1e-8);
        assert_true(fabs(((double *)bar.data)[i] - 4 * x3[i]) < 1e-8);
    }
    assert_true(fabs(*(double *)dot.data - 4 * 5.25) < 1e-8);
    assert_true(report.directions > 0 && report.difference < 1e-8);
    wg_tensor_free(&dot, NULL);
    wg_tensor_free(&bar, NULL);
    wg_numeric_jacobian(p, NULL, &in, 0, 0, WG_CENTRAL, 0, jacobian, &error);
    assert_string_equal(error.message,
                        "run: no input's shape tells the size \"n\"; give it in the list of sizes");
    wg_program_free(p);
}

/* Truncation falls with the step, of second and first order; rounding rises again behind. */
static void errors_fall_and_rise_with_the_step(void **state) {
    (void)state;
    static const double step[] = {1e-1, 1e-2, 1e-3, 1e-13};
    double central[4], one_sided[4];
    wg_error error = {0};
    wg_program *p = two_of_three(NULL, &error);
    wg_check_steps(p, NULL, point, 1, step, 4, central, one_sided, &error);
    assert_ok(error);
    assert_true(central[0] / central[1] > 50 && central[1] / central[2] > 50);
    assert_true(one_sided[0] / one_sided[1] > 5 && one_sided[1] / one_sided[2] > 5);
    assert_true(central[3] > 1e-6 && one_sided[3] > 1e-6);
    wg_program_free(p);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    assert_true(fail_every_request(differentiate, NULL) > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(differences_are_near_the_closed_form),
                                       cmocka_unit_test(wrong_ports_are_refused),
                                       cmocka_unit_test(the_modes_agree_with_differences),
                                       cmocka_unit_test(the_check_sees_a_wrong_derivative),
                                       cmocka_unit_test(differences_along_a_direction),
                                       cmocka_unit_test(differences_weighed_by_adjoints),
                                       cmocka_unit_test(sizes_may_be_given),
                                       cmocka_unit_test(errors_fall_and_rise_with_the_step),
                                       cmocka_unit_test(every_failed_allocation_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
