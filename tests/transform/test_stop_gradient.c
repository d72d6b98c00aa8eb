/* stop_gradient: the value passes, no derivative does, in every mode, order and front end. */
#include "support/test.h"

#include <string.h>

/* y = x stop_gradient(x^2) z: dy/dx = x^2 z, dy/dz = x^3; d2y/dx2 = 0, d2y/dx dz = x^2. */
static wg_program *product(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), z = wg_input(g, "z", wg_f64());
    wg_output(g, "y", wg_mul(wg_mul(x, wg_stop_gradient(wg_mul(x, x))), z));
    return wg_build(g, error);
}

static void call(const wg_program *p, const double *in, double *out) {
    wg_error error = {0};
    const void *input[8];
    void *output[8];
    for (size_t i = 0; i < wg_input_count(p); i++) input[i] = &in[i];
    for (size_t i = 0; i < wg_output_count(p); i++) output[i] = &out[i];
    wg_function *fn = wg_compile(p, NULL, &error);
    wg_call_with(fn, NULL, input, output, NULL, &error);
    assert_ok(error);
    wg_function_free(fn);
}

static void no_derivative_passes(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = product(&error), *jvp = wg_jvp(p, NULL, NULL, &error);
    wg_program *grad = wg_value_and_grad(p, NULL, &error), *hessian = wg_hessian(p, NULL, &error);
    assert_ok(error);
    double out[4], in[4] = {3, 2, 1, 10};
    call(jvp, in, out);
    assert_true(out[0] == 54 && out[1] == 18 * 1 + 27 * 10);
    call(grad, in, out);
    assert_true(out[0] == 54 && out[1] == 18 && out[2] == 27);
    /* the stopped factor is no function of x: by x and x 0; by z and x what z multiplies, x^2 */
    call(hessian, in, out);
    assert_true(out[0] == 0 && out[1] == 9 && out[2] == 9 && out[3] == 0);
    wg_program_free(p);
    wg_program_free(jvp);
    wg_program_free(grad);
    wg_program_free(hessian);
}

static void formulas_and_text_have_it(void **state) {
    (void)state;
    wg_error error = {0};
    static const char text[] = "x*stop_gradient(x^2)";
    wg_program *p = wg_parse(text, sizeof text - 1, NULL, &error);
    wg_text printed = {0};
    wg_program_print(p, &printed, &error);
    wg_program *again = wg_program_read(printed.data, printed.size, NULL, &error);
    wg_program *grad = wg_grad(again, NULL, &error);
    assert_ok(error);
    assert_non_null(strstr(printed.data, "= stop_gradient %"));
    double out, in = 3;
    call(grad, &in, &out);
    assert_true(out == 9);
    wg_text_free(&printed);
    wg_program_free(p);
    wg_program_free(again);
    wg_program_free(grad);
}

static void eager_graphs_and_tensors_too(void **state) {
    (void)state;
    const float data[3] = {1, 2, 3};
    wg_graph *g = wg_eager_new();
    wg_var x = wg_value(g, wg_f32(3), data), stopped = wg_stop_gradient(x), wrt[] = {x, stopped};
    wg_var slope[2];
    assert_memory_equal(wg_data(stopped).data, data, sizeof data);
    wg_backward(wg_sum(wg_mul(x, stopped)), 2, wrt, slope);
    assert_memory_equal(wg_data(slope[0]).data, data, sizeof data);
    assert_memory_equal(wg_data(slope[1]).data, data, sizeof data);
    assert_ok(*wg_graph_error(g));
    wg_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_derivative_passes),
        cmocka_unit_test(formulas_and_text_have_it),
        cmocka_unit_test(eager_graphs_and_tensors_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
