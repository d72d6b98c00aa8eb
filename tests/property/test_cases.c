/* The worked cases A, B and C through the C interface, to their printed digits; the same through
 * the command are golden/cli/cases.txt. */
#include "support/test.h"

#include <math.h>
#include <string.h>

/* Equal to all digits that the shortest decimal of a double has, up to the last bit or two. */
static void assert_digits(double x, double expected) {
    if (!(fabs(x - expected) <= 4e-16 * fmax(1e-3, fabs(expected))))
        fail_msg("%.17g, not %.17g", x, expected);
}

enum { MOST = 8 };

/* Calls a program of f64 scalars, its inputs in order. */
static void call(const wg_program *program, const double *in, double *out) {
    wg_error error = {0};
    const void *input[MOST];
    void *output[MOST];
    for (size_t i = 0; i < wg_input_count(program); i++) input[i] = &in[i];
    for (size_t i = 0; i < wg_output_count(program); i++) output[i] = &out[i];
    wg_function *fn = wg_compile(program, NULL, &error);
    wg_call_with(fn, NULL, input, output, NULL, &error);
    assert_ok(error);
    wg_function_free(fn);
}

/* f1 = x1 x3 + log(x2 + x1) exp(-x3), f2 = exp(-x2) + cos(x1 x3) */
static wg_program *two_of_three(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x1 = wg_input(g, "x1", wg_f64()), x2 = wg_input(g, "x2", wg_f64());
    wg_var x3 = wg_input(g, "x3", wg_f64()), product = wg_mul(x1, x3);
    wg_var factor = wg_mul(wg_log(wg_add(x2, x1)), wg_exp(wg_neg(x3)));
    wg_output(g, "y1", wg_add(product, factor));
    wg_output(g, "y2", wg_add(wg_exp(wg_neg(x2)), wg_cos(product)));
    return wg_build(g, error);
}

static const double jacobian_a[2][3] = {
    {1.0459849301464303, 0.04598493014643029, 2.2350162076981395},
    {-0.1411200080598672, -0.006737946999085467, -0.4233600241796016}};

static void case_a(void **state) {
    (void)state;
    wg_error error = {0};
    double out[MOST];
    wg_program *f = two_of_three(&error);
    wg_program *forward = wg_jvp(f, NULL, NULL, &error), *reverse = wg_vjp(f, NULL, NULL, &error);
    assert_ok(error);
    call(f, (double[]){3, 5, 1}, out);
    assert_digits(out[0], 3.7649837923018605);
    assert_digits(out[1], -0.9832545496013599);
    for (int column = 0; column < 3; column++) {
        double in[6] = {3, 5, 1};
        in[3 + column] = 1;
        call(forward, in, out);
        for (int row = 0; row < 2; row++) assert_digits(out[2 + row], jacobian_a[row][column]);
    }
    for (int row = 0; row < 2; row++) {
        double in[5] = {3, 5, 1};
        in[3 + row] = 1;
        call(reverse, in, out);
        for (int column = 0; column < 3; column++)
            assert_digits(out[2 + column], jacobian_a[row][column]);
    }
    static const wg_mode modes[] = {WG_FORWARD, WG_REVERSE, WG_AUTO_MODE};
    for (int m = 0; m < 3; m++) {
        wg_program *jacobian = wg_jacobian(f, NULL, NULL, modes[m], &error);
        assert_ok(error);
        call(jacobian, (double[]){3, 5, 1}, out);
        for (int i = 0; i < 6; i++) assert_digits(out[i], jacobian_a[i / 3][i % 3]);
        wg_program_free(jacobian);
    }
    wg_program_free(f);
    wg_program_free(forward);
    wg_program_free(reverse);
}

static void case_b(void **state) {
    (void)state;
    wg_error error = {0};
    double out[MOST];
    wg_graph *g = wg_graph_new();
    wg_var x1 = wg_input(g, "x1", wg_f64()), x2 = wg_input(g, "x2", wg_f64());
    wg_var sum = wg_add(wg_log(x1), wg_mul(x1, x2));
    wg_output(g, "y", wg_sub(sum, wg_sin(x2)));
    wg_program *f = wg_build(g, &error), *grad = wg_value_and_grad(f, NULL, &error);
    assert_ok(error);
    call(grad, (double[]){2, 5}, out);
    assert_digits(out[0], 11.652071455223084);
    assert_digits(out[1], 5.5);
    assert_digits(out[2], 1.7163378145367738);
    wg_program_free(f);
    wg_program_free(grad);
}

static void case_c(void **state) {
    (void)state;
    static const char formula[] = "cost(w, x, b, t, lambda) = {\n"
                                  "  let y = sigmoid(w*x + b)\n"
                                  "  C = 0.5*(y - t)^2 + lambda*0.5*w^2\n"
                                  "}\n";
    wg_error error = {0};
    double out[MOST];
    wg_program *f = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program *grad = wg_value_and_grad(f, "w, b, x", &error);
    assert_ok(error);
    call(grad, (double[]){0.5, 2, -0.3, 1, 0.1}, out);
    assert_digits(out[0], 0.06754967726936241);
    assert_digits(out[1], -0.09713408485276721);
    assert_digits(out[2], -0.07356704242638361);
    assert_digits(out[3], -0.036783521213191804);
    wg_program_free(f);
    wg_program_free(grad);
    /* the adjoint of an intermediate value: y = sigma(z) itself as an input */
    static const char loss[] = "0.5*(y - t)^2";
    f = wg_parse(loss, strlen(loss), NULL, &error);
    grad = wg_grad(f, "y", &error);
    assert_ok(error);
    call(grad, (double[]){1 / (1 + exp(-0.7)), 1}, out);
    assert_digits(out[0], -0.33181222783183384);
    wg_program_free(f);
    wg_program_free(grad);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_a),
        cmocka_unit_test(case_b),
        cmocka_unit_test(case_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
