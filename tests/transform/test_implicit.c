/* Solutions of equations: their derivatives against closed forms, differences and unrolled
 * loops, in both modes, to third order, in batches and as series; solvers of every kind; what is
 * refused. */
#include "support/random_program.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define assert_near(a, b, off)                                                                     \
    do {                                                                                           \
        double a_ = (a), b_ = (b);                                                                 \
        if (!(fabs(a_ - b_) <= (off) * (1 + fabs(b_)))) fail_msg("%.17g is not %.17g", a_, b_);    \
    } while (0)

/* All outputs of p, one behind the other, for inputs in order; p is freed. */
static void run(wg_program *p, const void *const *in, double *out) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    void *to[8];
    for (size_t i = 0; i < wg_output_count(p); i++) {
        wg_type type = wg_output_type(p, i);
        to[i] = out;
        int64_t count = 1;
        for (int k = 0; k < type.rank; k++) count *= type.extent[k];
        out += count;
    }
    wg_call_with(fn, NULL, in, to, NULL, &error);
    assert_ok(error);
    wg_function_free(fn);
    wg_program_free(p);
}

/* ---- a number -------------------------------------------------------------------------------- */

/* y^3 + y = x, solved by Newton's method in the trace. */
static wg_program *cubic(void) {
    wg_error error = {0};
    wg_program *residual = test_parse("F(y, x) = y^3 + y - x");
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = {g, 0}, begin = wg_number(g, WG_F64, 0);
    wg_newton_root(g, residual, NULL, &begin, &x, &y);
    wg_output(g, "y", y);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    wg_program_free(residual);
    return p;
}

/* y' = 1/(3 y^2 + 1), y'' = -6 y y'^3, y''' = -6 y'^4 - 18 y y'^2 y''. */
static void derivatives_of_a_root_are_right_to_third_order(void **state) {
    (void)state;
    wg_error error = {0};
    double x = 10, y = 2, d1 = 1.0 / 13, d2 = -12 * pow(d1, 3), out[2];
    double d3 = -6 * pow(d1, 4) - 36 * d1 * d1 * d2;
    const void *in[] = {&x};
    for (int modes = 0; modes < 8; modes++) { /* a bit for each order: reverse or forward */
        wg_program *p = cubic();
        run(wg_specialize(p, "", &error), in, out);
        assert_near(out[0], y, 1e-15);
        for (int order = 0; order < 3; order++) {
            wg_mode mode = modes >> order & 1 ? WG_REVERSE : WG_FORWARD;
            wg_program *d = wg_jacobian(p, NULL, "x", mode, &error);
            assert_ok(error);
            wg_program_free(p);
            p = d;
            run(wg_specialize(p, "", &error), in, out);
            assert_near(out[0], order == 0 ? d1 : order == 1 ? d2 : d3, 1e-14);
        }
        wg_program_free(p);
    }
    wg_program *p = cubic(), *taylor = wg_taylor(p, NULL, NULL, 3, &error);
    assert_ok(error);
    double series[3] = {1, 0, 0}, all[4];
    run(taylor, (const void *[]){&x, series}, all);
    assert_near(all[1], d1, 1e-14);
    assert_near(all[2], d2 / 2, 1e-14);
    assert_near(all[3], d3 / 6, 1e-14);
    wg_program_free(p);
}

static void a_batch_of_roots_is_solved_example_by_example(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = cubic(), *slope = wg_grad(p, "x", &error);
    wg_program *batch = wg_vmap(p, NULL, "b", &error), *fixed = wg_specialize(batch, "b=3", &error);
    wg_program *slopes = wg_vmap(slope, NULL, "b", &error);
    assert_ok(error);
    double x[3] = {0, 2, 10}, y[3] = {0, 1, 2}, out[9];
    const void *in[] = {x};
    run(wg_jacobian(fixed, NULL, NULL, WG_REVERSE, &error), in, out);
    for (int i = 0; i < 9; i++)
        assert_near(out[i], i % 4 ? 0 : 1 / (3 * pow(y[i / 3], 2) + 1), 1e-14);
    run(wg_specialize(slopes, "b=3", &error), in, out);
    for (int i = 0; i < 3; i++) assert_near(out[i], 1 / (3 * y[i] * y[i] + 1), 1e-14);
    wg_program_free(p);
    wg_program_free(slope);
    wg_program_free(slopes);
    wg_program_free(batch);
    wg_program_free(fixed);
}

/* ---- several unknowns ------------------------------------------------------------------------ */

/* u f64[2], v f64: u + v sin(u) W = x, v^3 + sum(u^2) + v = w; W is not symmetric. */
static wg_program *system_of_two(bool unrolled) {
    wg_error error = {0};
    wg_program *residual = test_parse("F(u[2], v, x[2], w, W[2,2]) = {\n"
                                      "  a = u + v*(W @ sin(u)) - x\n"
                                      "  b = v^3 + sum(u^2) + v - w\n"
                                      "}");
    wg_graph *g = wg_graph_new();
    wg_var x[3] = {wg_input(g, "x", wg_f64(2)), wg_input(g, "w", wg_f64()),
                   wg_input(g, "W", wg_f64(2, 2))};
    wg_var begin[2] = {wg_full(g, wg_f64(2), 0.1), wg_number(g, WG_F64, 0.2)}, y[2] = {{0}};
    if (!unrolled) wg_newton_root(g, residual, NULL, begin, x, y);
    /* nine steps as instructions of their own, whose derivatives are those of what was done */
    wg_program *jacobian = wg_jacobian(residual, NULL, "u, v", WG_FORWARD, &error);
    assert_ok(error);
    for (int step = 0; unrolled && step < 9; step++) {
        wg_var in[5] = {begin[0], begin[1], x[0], x[1], x[2]}, r[2], J[4];
        wg_apply(g, residual, in, r);
        wg_apply(g, jacobian, in, J);
        /* Schur's complement of the 2x2 block */
        wg_var a = wg_take(J[0], wg_cast(WG_I64, wg_number(g, WG_F64, 0)), 0);
        wg_var c = wg_take(J[0], wg_cast(WG_I64, wg_number(g, WG_F64, 1)), 0);
        wg_var zero = wg_cast(WG_I64, wg_number(g, WG_F64, 0));
        wg_var one = wg_cast(WG_I64, wg_number(g, WG_F64, 1));
        wg_var a0 = wg_take(a, zero, 0), a1 = wg_take(a, one, 0), c0 = wg_take(c, zero, 0),
               c1 = wg_take(c, one, 0), det = wg_sub(wg_mul(a0, c1), wg_mul(a1, c0));
        wg_var inverse = wg_div(
            wg_reshape(wg_concat(0, wg_reshape(c1, 1), wg_reshape(wg_neg(a1), 1),
                                 wg_reshape(wg_neg(c0), 1), wg_reshape(a0, 1)),
                       2, 2),
            det);
        wg_var p = wg_matmul(inverse, r[0]), q = wg_matmul(inverse, J[1]);
        wg_var dv = wg_div(wg_sub(r[1], wg_matmul(J[2], p)), wg_sub(J[3], wg_matmul(J[2], q)));
        begin[0] = wg_sub(begin[0], wg_sub(p, wg_mul(q, dv)));
        begin[1] = wg_sub(begin[1], dv);
    }
    if (unrolled) memcpy(y, begin, sizeof y);
    wg_output(g, "L", wg_add(wg_sum(wg_exp(y[0])), wg_mul(y[1], wg_sum(y[0]))));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    wg_program_free(residual);
    wg_program_free(jacobian);
    return p;
}

enum { ALL = 2 + 1 + 4 };

static void unknowns_in_parts_have_the_derivatives_of_the_unrolled_loop(void **state) {
    (void)state;
    wg_error error = {0};
    double x[ALL] = {0.3, -0.2, 0.9, 0.5, -0.3, 0.8, 0.4}, out[2][ALL * ALL], one, up, down;
    const void *in[] = {x, x + 2, x + 3};
    wg_program *p = system_of_two(false), *q = system_of_two(true);
    run(wg_specialize(p, "", &error), in, &one);
    run(wg_specialize(q, "", &error), in, &up);
    assert_near(one, up, 1e-13);
    run(wg_grad(p, NULL, &error), in, out[0]);
    run(wg_grad(q, NULL, &error), in, out[1]);
    for (int i = 0; i < ALL; i++) assert_near(out[0][i], out[1][i], 1e-10);
    for (int i = 0; i < ALL; i++) {
        double was = x[i], step = 1e-5;
        x[i] = was + step;
        run(wg_specialize(p, "", &error), in, &up);
        x[i] = was - step;
        run(wg_specialize(p, "", &error), in, &down);
        x[i] = was;
        assert_near(out[0][i], (up - down) / (2 * step), 1e-7);
    }
    run(wg_jacobian(p, NULL, NULL, WG_FORWARD, &error), in, out[1]);
    for (int i = 0; i < ALL; i++) assert_near(out[0][i], out[1][i], 1e-13);
    /* the outputs of a Hessian are blocks; those of x and w by x, w and W are enough here */
    run(wg_hessian(p, "x, w", &error), in, out[0]);
    run(wg_hessian(q, "x, w", &error), in, out[1]);
    for (int i = 0; i < 9; i++) assert_near(out[0][i], out[1][i], 1e-10);
    wg_program_free(p);
    wg_program_free(q);
}

/* ---- solvers --------------------------------------------------------------------------------- */

/* Kepler's equation, solved by whatever C function one has. */
static wg_status kepler(void *context, const wg_tensor *argument, const wg_tensor *result) {
    double M = *(const double *)argument[0].data, e = *(const double *)argument[1].data, E = M;
    (*(int *)context)++;
    for (int i = 0; i < 60; i++) E -= (E - e * sin(E) - M) / (1 - e * cos(E));
    *(double *)result->data = E;
    return WG_OK;
}

static void a_solver_may_be_a_c_function_without_derivatives(void **state) {
    (void)state;
    wg_error error = {0};
    int calls = 0;
    wg_external f = {.name = "kepler", .call = kepler, .context = &calls};
    wg_program *residual = test_parse("F(E, M, e) = E - e*sin(E) - M");
    wg_type type = wg_f64();
    wg_graph *g = wg_graph_new();
    wg_var in[2] = {wg_input(g, "M", wg_f64()), wg_input(g, "e", wg_f64())}, E = {g, 0};
    wg_external(g, &f, 2, in, 1, &type, &E);
    wg_output(g, "E", E);
    wg_program *solver = wg_build(g, &error);
    g = wg_graph_new();
    in[0] = wg_input(g, "M", wg_f64());
    in[1] = wg_input(g, "e", wg_f64());
    wg_implicit_root(g, residual, solver, in, &E);
    wg_output(g, "E", E);
    wg_program *p = wg_build(g, &error);
    double M = 1.2, e = 0.4, at, H[4];
    const void *where[] = {&M, &e};
    run(wg_specialize(p, "", &error), where, &at);
    calls = 0;
    run(wg_hessian(p, NULL, &error), where, H);
    assert_int_equal(calls, 1);
    double s = sin(at), c = cos(at), q = 1 - e * c;
    assert_near(H[0], -e * s / pow(q, 3), 1e-14);                  /* by M, M */
    assert_near(H[1], c / (q * q) - e * s * s / pow(q, 3), 1e-14); /* by M, e */
    assert_near(H[2], H[1], 1e-14);
    assert_near(H[3], 2 * s * c / (q * q) - e * s * s * s / pow(q, 3), 1e-14);
    wg_program_free(p);
    wg_program_free(solver);
    wg_program_free(residual);
}

/* y = cos(a y): each step shrinks the error by a sin(a y) only, and the derivative is exact. */
static void a_fixed_point_has_the_derivative_of_its_equation(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *step = test_parse("T(y[3], a[3]) = cos(a*y)");
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input(g, "a", wg_f64(3)), begin = wg_input(g, "begin", wg_f64(3)), y = {g, 0};
    wg_var steps = wg_fixed_point(g, step, NULL, &begin, &a, &y);
    wg_output(g, "L", wg_sum(y));
    wg_output(g, "steps", wg_cast(WG_F64, steps));
    wg_program *p = wg_build(g, &error), *grad = wg_grad(p, NULL, &error);
    double at[3] = {0.2, 0.5, 0.8}, from[3] = {1, 0, 0.3}, value[2], d[6];
    const void *in[] = {at, from};
    run(wg_specialize(p, "", &error), in, value);
    assert_true(value[1] > 20 && value[1] < 200);
    run(grad, in, d);
    for (int i = 0; i < 3; i++) {
        double z = 0;
        for (int k = 0; k < 500; k++) z = cos(at[i] * z);
        double s = sin(at[i] * z);
        assert_near(d[i], -z * s / (1 + at[i] * s), 1e-12);
        assert_near(d[3 + i], 0, 0); /* where it begins does not matter */
    }
    wg_program_free(p);
    /* a bound that ends it too early */
    g = wg_graph_new();
    a = wg_input(g, "a", wg_f64(3)), begin = wg_input(g, "begin", wg_f64(3));
    steps = wg_fixed_point(g, step, (&(wg_iteration){.tolerance = 1e-3, .most = 2}), &begin, &a,
                           &y);
    wg_output(g, "steps", wg_cast(WG_F64, steps));
    run(wg_build(g, &error), in, value);
    assert_near(value[0], 2, 0);
    wg_program_free(step);
}

/* A named size, several systems of it by one build, and pivots that are 0 where elimination
 * begins. */
static void sizes_may_be_named_and_pivots_zero(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *residual = test_parse("F(y[n], A[n,n], b[n]) = A @ y - b");
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var in[2] = {wg_input(g, "A", wg_f64(n, n)), wg_input(g, "b", wg_f64(n))}, y = {g, 0};
    wg_var begin = wg_full(g, wg_f64(n), 0);
    wg_newton_root(g, residual, NULL, &begin, in, &y);
    wg_output(g, "y", y);
    wg_program *p = wg_build(g, &error), *jacobian = wg_jacobian(p, NULL, "b", WG_REVERSE, &error);
    wg_function *fn = wg_compile(jacobian, NULL, &error);
    assert_ok(error);
    double A[16] = {0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 4, 1}, b[4] = {1, 2, 3, 4}, J[16];
    wg_call_with(fn, (int64_t[]){4}, (const void *[]){A, b}, (void *[]){J}, NULL, &error);
    assert_ok(error);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) { /* A A^-1 = 1 */
            double sum = 0;
            for (int j = 0; j < 4; j++) sum += A[4 * i + j] * J[4 * j + k];
            assert_near(sum, i == k, 1e-15);
        }
    double one = 2, inverse;
    wg_call_with(fn, (int64_t[]){1}, (const void *[]){&one, b}, (void *[]){&inverse}, NULL, &error);
    assert_ok(error);
    assert_near(inverse, 0.5, 0);
    wg_call_with(fn, (int64_t[]){0}, (const void *[]){A, b}, (void *[]){J}, NULL, &error);
    assert_ok(error);
    wg_function_free(fn);
    wg_program_free(jacobian);
    wg_program_free(p);
    wg_program_free(residual);
}

static void single_precision_has_roots_too(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var y = wg_input(g, "y", wg_f32()), x = wg_input(g, "x", wg_f32());
    wg_output(g, "F", wg_sub(wg_mul(y, y), x));
    wg_program *residual = wg_build(g, &error);
    g = wg_graph_new();
    x = wg_input(g, "x", wg_f32());
    wg_newton_root(g, residual, NULL, &x, &x, &y);
    wg_output(g, "y", y);
    wg_program *p = wg_build(g, &error), *grad = wg_value_and_grad(p, NULL, &error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    assert_ok(error);
    float at = 9, root, slope;
    wg_call_with(fn, NULL, (const void *[]){&at}, (void *[]){&root, &slope}, NULL, &error);
    assert_ok(error);
    assert_near((double)root, 3, 1e-6);
    assert_near((double)slope, 1.0 / 6, 1e-6);
    wg_function_free(fn);
    wg_program_free(grad);
    wg_program_free(p);
    wg_program_free(residual);
}

static void rules_of_roots_print_and_read(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = cubic();
    wg_text text = {0};
    wg_program_print(p, &text, &error);
    wg_program *again = wg_program_read(text.data, text.size, NULL, &error);
    assert_ok(error);
    double x = 10, slope;
    run(wg_grad(again, NULL, &error), (const void *[]){&x}, &slope);
    assert_near(slope, 1.0 / 13, 1e-15);
    wg_text_free(&text);
    wg_program_free(again);
    wg_program_free(p);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static wg_program *with(const wg_program *residual, const wg_program *solver, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input_at("f.c", 1, g, "x", wg_f64()), y[2] = {{0}};
    wg_implicit_root_at("f.c", 2, g, residual, solver, &x, y);
    wg_output_at("f.c", 3, g, "y", y[0]);
    return wg_build(g, error);
}

static void programs_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *F = test_parse("F(y, x) = y*y - x"), *two = test_parse("F(y) = { a = y; b = y }");
    wg_program *shape = test_parse("F(y[2], x) = sum(y)*x"), *root = test_parse("S(x) = sqrt(x)");
    wg_program *wide = test_parse("S(x) = x*[1, 2]");
    EXPECT_ERROR(WG_EARGUMENT, "f.c:2: implicit_root: the program is NULL",
                 with(NULL, root, &error));
    EXPECT_ERROR(WG_EARGUMENT, "f.c:2: implicit_root: the solver or the list of results is NULL",
                 with(F, NULL, &error));
    EXPECT_ERROR(WG_EARGUMENT,
                 "f.c:2: implicit_root: the program has fewer inputs than outputs: unknowns come "
                 "first",
                 with(two, root, &error));
    EXPECT_ERROR(WG_ESHAPE,
                 "f.c:2: implicit_root: output \"F\" is f64, but the unknown \"y\" is f64[2]; they "
                 "must agree, and all unknowns be of one floating type",
                 with(shape, root, &error));
    EXPECT_ERROR(WG_EARGUMENT,
                 "f.c:2: implicit_root: the solver has 2 inputs and 1 outputs; it is to make 1 "
                 "unknowns of 1 arguments",
                 with(F, F, &error));
    error = (wg_error){0};
    assert_null(with(F, wide, &error));
    assert_int_equal(error.status, WG_ESHAPE);
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y;
    wg_newton_root_at("f.c", 2, g, F, &(wg_iteration){.tolerance = -1}, &x, &x, &y);
    EXPECT_ERROR(WG_EARGUMENT, "f.c:2: newton_root: a tolerance or a number of steps is negative",
                 wg_build(g, &error));
    wg_program *all[] = {F, two, shape, root, wide};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) wg_program_free(all[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_of_a_root_are_right_to_third_order),
        cmocka_unit_test(a_batch_of_roots_is_solved_example_by_example),
        cmocka_unit_test(unknowns_in_parts_have_the_derivatives_of_the_unrolled_loop),
        cmocka_unit_test(a_solver_may_be_a_c_function_without_derivatives),
        cmocka_unit_test(a_fixed_point_has_the_derivative_of_its_equation),
        cmocka_unit_test(sizes_may_be_named_and_pivots_zero),
        cmocka_unit_test(single_precision_has_roots_too),
        cmocka_unit_test(rules_of_roots_print_and_read),
        cmocka_unit_test(programs_that_do_not_go_together_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
