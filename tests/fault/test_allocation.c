/* Every request for memory fails once, alone and with all that follow: the library reports it, and
 * gives everything back. Whole chains of calls are run, from building to the last derivative. */
#include "support/test.h"

#include "support/failing_allocator.h"
#include "support/random_program.h"

#include <math.h>
#include <string.h>

static const char formula[] = "f(x[n], A[n,n], b, i: i32) = {\n"
                              "  q = 0.5*x' @ A @ x - sum(where(x > b, sqrt(x), 0))\n"
                              "  r = softmax(A @ x)[i] + logsumexp(x)\n"
                              "}\n";

static wg_program *parsed(const wg_allocator *allocator, wg_error *error) {
    wg_parse_options options = {.allocator = allocator};
    return wg_parse(formula, strlen(formula), &options, error);
}

static wg_status building(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    (void)ctx;
    wg_program_free(random_program(5, 30, false, allocator, &error));
    return error.status;
}

static wg_status composing(const wg_allocator *allocator, void *ctx) {
    static const char text[] = "g(x[n], A[n,n]) = einsum(\"ij,j,ii->i\", A, sort(x), A)*prod(x) "
                               "+ sum(stack(x, cumprod(x[::-1]))) + norm(x, 3)"
                               "+ sum(x*draw_normal(1, 2, n))";
    wg_error error = {0};
    wg_parse_options options = {.allocator = allocator};
    (void)ctx;
    wg_program *p = wg_parse(text, strlen(text), &options, &error);
    wg_program_free(wg_vjp(p, NULL, NULL, &error));
    wg_program_free(p);
    return error.status;
}

static wg_status making_matrices(const wg_allocator *allocator, void *ctx) {
    static const char text[] =
        "g(x[n], A[n,n]) = sum(solve(A, x)) + logdet(A) + det(A) + sum(inv(A))"
        "+ sum(solve_lower(cholesky(A), x)) + sum(qr_r(A)) + sum(lu_l(A))"
        "+ sum(eigh_vectors(A)) + sum(svd_v(A)) + trace(expm(A))";
    wg_error error = {0};
    wg_parse_options options = {.allocator = allocator};
    (void)ctx;
    wg_program *p = wg_parse(text, strlen(text), &options, &error);
    wg_program_free(wg_vjp(p, NULL, NULL, &error));
    wg_program_free(wg_vmap(p, "x", "batch", &error));
    wg_program_free(p);
    return error.status;
}

static wg_status reading_formulas(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    (void)ctx;
    wg_program_free(parsed(allocator, &error));
    return error.status;
}

static wg_status transforming(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    (void)ctx;
    wg_program *p = parsed(allocator, &error);
    wg_program *made[] = {
        wg_jvp(p, NULL, NULL, &error),
        wg_vjp(p, NULL, NULL, &error),
        wg_value_and_grad(p, "x", &error),
        wg_hvp(p, "x, b", &error),
        wg_hessian(p, "x", &error),
        wg_jacobian(p, NULL, "x, b", WG_FORWARD, &error),
        wg_jacobian(p, NULL, "x, b", WG_REVERSE, &error),
        wg_vmap(p, "x", "batch", &error),
        wg_specialize(p, "n=3", &error),
        wg_taylor(p, NULL, "x, b", 3, &error),
    };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) wg_program_free(made[i]);
    wg_program_free(p);
    return error.status;
}

static wg_status printing_and_reading(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    (void)ctx;
    wg_text text = {.allocator = *allocator};
    wg_program *p = parsed(allocator, &error), *grad = wg_grad(p, "x", &error), *again = NULL;
    if (!error.status) wg_program_print(grad, &text, &error);
    if (!error.status) again = wg_program_read(text.data, text.size, allocator, &error);
    wg_text_free(&text);
    wg_program_free(p);
    wg_program_free(grad);
    wg_program_free(again);
    return error.status;
}

static wg_status running(const wg_allocator *allocator, void *ctx) {
    static double x[] = {1, 2, 3}, a[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, b = 1.5;
    static int32_t i = 1;
    wg_error error = {0};
    (void)ctx;
    wg_tensor in[] = {
        {x, WG_F64, 1, {3}}, {a, WG_F64, 2, {3, 3}}, {&b, WG_F64, 0, {0}}, {&i, WG_I32, 0, {0}}};
    wg_tensor out[8] = {{0}};
    wg_check_report report;
    double jacobian[3];
    wg_program *p = parsed(allocator, &error), *grad = wg_value_and_grad(p, "x", &error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    wg_run(fn, NULL, in, out, &error);
    wg_workspace_free(wg_workspace_new(fn, (int64_t[]){3}, &error));
    wg_numeric_jacobian(p, NULL, in, 0, 0, WG_CENTRAL, 0, jacobian, &error);
    wg_check_gradient(p, NULL, in, 1, &report, &error);
    for (size_t k = 0; k < wg_output_count(grad); k++) wg_tensor_free(&out[k], allocator);
    wg_function_free(fn);
    wg_program_free(p);
    wg_program_free(grad);
    return error.status;
}

/* Where memory ends while native code is planned there is no function at all: the interpreter would
 * want more. The compiler's run takes its memory from elsewhere, and finds its work in the
 * cache. */
static wg_status compiling(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    wg_program *p = parsed(allocator, &error), *grad = wg_value_and_grad(p, "x", &error);
    wg_options options = {.backend = *(wg_backend *)ctx, .flags = "-O0"};
    wg_function *fn = wg_compile(grad, &options, &error);
    wg_workspace_free(wg_workspace_new(fn, (int64_t[]){3}, &error));
    wg_function_free(fn);
    wg_program_free(p);
    wg_program_free(grad);
    return error.status;
}

static wg_status showing(const wg_allocator *allocator, void *ctx) {
    static double x[] = {1, 2}, a[] = {1, 2, 3, 4}, b = 1.5;
    static int32_t i = 1;
    wg_error error = {0};
    (void)ctx;
    wg_tensor in[] = {
        {x, WG_F64, 1, {2}}, {a, WG_F64, 2, {2, 2}}, {&b, WG_F64, 0, {0}}, {&i, WG_I32, 0, {0}}};
    wg_text text = {.allocator = *allocator};
    wg_program *p = parsed(allocator, &error);
    for (int format = WG_TEXT; format <= WG_JSON; format++) {
        wg_show_options options = {
            .format = (wg_format)format, .tangent = true, .adjoint = true, .at = in};
        wg_show_trace(p, &options, &text, &error);
    }
    wg_show_options options = {.tangent = true, .adjoint = true, .at = in};
    wg_show_graph(p, &options, &text, &error);
    wg_text_free(&text);
    wg_program_free(p);
    return error.status;
}

/* y = sqrt(1 + t^2) of the rule below, and of a C function with the same derivative. */
static wg_status arc(void *context, const wg_tensor *argument, const wg_tensor *result) {
    double x = *(const double *)argument->data;
    (void)context;
    *(double *)result->data = sqrt(1 + x * x);
    return WG_OK;
}

static wg_status arc_vjp(void *context, const wg_tensor *argument, const wg_tensor *result) {
    double x = *(const double *)argument[0].data, ct = *(const double *)argument[1].data;
    (void)context;
    *(double *)result->data = ct * x / sqrt(1 + x * x);
    return WG_OK;
}

static const wg_external arc_function = {.name = "arc", .call = arc, .vjp = arc_vjp};
static const wg_external arc_numeric = {.name = "arc", .call = arc, .differences = true};

static wg_program *arc_program(const wg_allocator *allocator, wg_error *error) {
    wg_graph *g = wg_graph_new_with(allocator);
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_output(g, "y", wg_sqrt(wg_add(1, wg_square(x))));
    return wg_build(g, error);
}

static wg_program *arc_rule(const wg_allocator *allocator, wg_error *error) {
    wg_graph *g = wg_graph_new_with(allocator);
    wg_extent m = wg_size(g, "m");
    wg_var x = wg_input(g, "x", wg_f64(m)), t = wg_input(g, "t", wg_f64(m));
    wg_output(g, "s", wg_mul(t, wg_div(x, wg_sqrt(wg_add(1, wg_square(x))))));
    return wg_build(g, error);
}

/* A rule and two C functions in one program, and all that is done with it. */
static wg_status ruling(const wg_allocator *allocator, void *ctx) {
    const bool *reverse = ctx;
    wg_error error = {0};
    wg_program *value = arc_program(allocator, &error), *slope = arc_rule(allocator, &error);
    wg_rule rule = {"arc", *reverse ? NULL : slope, *reverse ? slope : NULL};
    wg_graph *g = error.status ? NULL : wg_graph_new_with(allocator);
    if (!g) error.status = WG_ENOMEM;
    wg_type type = wg_f64();
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n"))), y = {g, 0}, z = {g, 0}, w = {g, 0};
    wg_var sum;
    wg_custom(g, value, &rule, &x, &y);
    sum = wg_sum(y);
    wg_external(g, &arc_function, 1, &sum, 1, &type, &z);
    wg_external(g, &arc_numeric, 1, &sum, 1, &type, &w);
    wg_output(g, "L", wg_mul(z, w));
    wg_program *p = g ? wg_build(g, &error) : NULL;
    wg_program *made[] = {wg_vjp(p, NULL, NULL, &error), wg_jvp(p, NULL, NULL, &error),
                          wg_vmap(p, NULL, "b", &error), wg_specialize(p, "n=2", &error),
                          wg_taylor(p, NULL, NULL, 1, &error)};
    wg_program *batch_of = wg_grad(made[2] ? p : NULL, NULL, &error);
    wg_program *both = wg_vmap(batch_of, NULL, "b", &error);
    wg_text text = {.allocator = *allocator};
    wg_program_print(p, &text, &error);
    if (!error.status)
        wg_program_free(wg_program_read_with(text.data, text.size, &arc_function, 1, allocator,
                                             &error));
    wg_text_free(&text);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) wg_program_free(made[i]);
    wg_function_free(wg_compile(both, NULL, &error));
    wg_rule_report report;
    wg_check_rule(value, &rule, &(wg_rule_options){"n=2", -1, 1, 1, 1}, &report, &error);
    wg_program_free(both);
    wg_program_free(batch_of);
    wg_program_free(p);
    wg_program_free(value);
    wg_program_free(slope);
    return error.status;
}

static void rules_survive(void **state) {
    (void)state;
    for (int reverse = 0; reverse < 2; reverse++) {
        bool is_vjp = reverse;
        assert_true(fail_every_request(ruling, &is_vjp) > 100);
    }
}

/* Series through a loop, and of the solution of the equation whose rate it is. */
static wg_status expanding(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    (void)ctx;
    wg_graph *g = wg_graph_new_with(allocator);
    if (!g) return WG_ENOMEM;
    wg_var x = wg_input(g, "x", wg_f64()), y[1] = {{g, 0}};
    wg_loop *loop = wg_loop_begin(g, 3);
    wg_var s = wg_loop_carry(loop, x);
    wg_loop_next(loop, s, wg_sin(wg_mul(s, x)));
    wg_loop_end(loop, y);
    wg_output(g, "y", wg_div(y[0], wg_norm(wg_exp(x))));
    wg_program *p = wg_build(g, &error);
    wg_program_free(wg_taylor(p, NULL, NULL, 3, &error));
    wg_program_free(wg_taylor_ode(p, NULL, NULL, 3, &error));
    wg_program_free(p);
    return error.status;
}

/* What reverse mode keeps: a checkpoint in a loop with snapshots, and a loop without a bound. */
static wg_status keeping(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    (void)ctx;
    wg_graph *g = wg_graph_new_with(allocator);
    if (!g) return WG_ENOMEM;
    wg_var x = wg_input(g, "x", wg_f64(2)), y[1] = {{g, 0}}, z[1] = {{g, 0}};
    wg_loop *loop = wg_loop_begin(g, 5);
    wg_loop_checkpoints(loop, 2);
    wg_var s = wg_loop_carry(loop, x);
    wg_checkpoint *part = wg_checkpoint_begin(g, WG_KEEP_MARKED);
    wg_var next = wg_checkpoint_keep(part, wg_sin(s));
    wg_checkpoint_end(part, &next, wg_mul(next, x));
    wg_loop_next(loop, s, next);
    wg_loop_end(loop, y);
    loop = wg_loop_begin(g, WG_UNBOUNDED);
    s = wg_loop_carry(loop, wg_sum(y[0]));
    wg_loop_while(loop, wg_lt(s, 2));
    wg_loop_next(loop, s, wg_add(1, wg_mul(s, s)));
    wg_loop_end(loop, z);
    wg_output(g, "y", z[0]);
    wg_program *p = wg_build(g, &error), *grad = wg_grad(p, NULL, &error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    const double at[2] = {0.3, 0.4};
    double out[2];
    wg_call_with(fn, NULL, (const void *[]){at}, (void *[]){out}, NULL, &error);
    wg_function_free(fn);
    wg_program_free(grad);
    wg_program_free(p);
    return error.status;
}

/* The root of an equation, and its gradient. */
static wg_status solving(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    (void)ctx;
    wg_graph *g = wg_graph_new_with(allocator);
    if (!g) return WG_ENOMEM;
    wg_var y = wg_input(g, "y", wg_f64()), x = wg_input(g, "x", wg_f64());
    wg_output(g, "F", wg_sub(wg_mul(y, y), x));
    wg_program *residual = wg_build(g, &error);
    g = wg_graph_new_with(allocator);
    if (!g) error.status = WG_ENOMEM;
    x = wg_input(g, "x", wg_f64());
    y = (wg_var){g, 0};
    wg_newton_root(g, residual, NULL, &x, &x, &y);
    wg_output(g, "y", y);
    wg_program *p = g ? wg_build(g, &error) : NULL;
    wg_program_free(wg_grad(p, NULL, &error));
    wg_solver *(*const make[])(const wg_program *, const char *, const wg_solver_options *,
                               wg_error *) = {wg_newton, wg_newton_cg, wg_conjugate_gradient};
    for (size_t i = 0; i < 3 && !error.status; i++)
        wg_solver_free(make[i](residual, "y", NULL, &error));
    wg_program_free(p);
    wg_program_free(residual);
    return error.status;
}

/* Pattern, colours and values, of a loop with an index, a branch and a rule among others. */
static wg_status thinning(const wg_allocator *allocator, void *ctx) {
    static double x[] = {1, 2, 3, 4}, value[16];
    wg_error error = {0};
    (void)ctx;
    wg_program *of = arc_program(allocator, &error), *slope = arc_rule(allocator, &error);
    wg_rule rule = {"arc", slope, NULL};
    wg_graph *g = error.status ? NULL : wg_graph_new_with(allocator);
    if (!g) error.status = WG_ENOMEM;
    wg_extent n = wg_size(g, "n");
    wg_var in = wg_input(g, "x", wg_f64(n)), made[2] = {{g, 0}, {g, 0}}, y = {g, 0};
    wg_loop *loop = wg_loop_begin(g, n);
    wg_var i = wg_loop_index(loop), s = wg_loop_carry(loop, wg_number(g, WG_F64, 1));
    wg_loop_next(loop, s, wg_sin(s));
    wg_loop_collect(loop, wg_mul(s, wg_square(wg_take(in, i, 0))));
    wg_loop_end(loop, made);
    wg_branch *branch = wg_branch_begin(g, wg_gt(made[0], 0));
    wg_branch_case(branch, wg_square(made[1]));
    wg_branch_case(branch, made[1]);
    wg_branch_end(branch, &made[1]);
    wg_custom(g, of, &rule, &made[1], &y);
    wg_output(g, "y", wg_sum(y));
    wg_output(g, "z", wg_concat(0, y, wg_cumsum(wg_slice(y, 0, 0, 2, 1), 0)));
    wg_program *p = g ? wg_build(g, &error) : NULL;
    wg_sparse_options options = {.of = "z", .size = (int64_t[]){4}};
    wg_sparse *jacobian = wg_sparse_jacobian(p, &options, &error);
    wg_sparse *hessian = wg_sparse_hessian(p, &options, &error);
    wg_pattern t = {0};
    wg_pattern_transpose(wg_sparse_pattern(jacobian), &t, NULL, &error);
    wg_sparse_values(jacobian, (const void *const[]){x}, value, NULL, &error);
    wg_sparse_workspace_free(wg_sparse_workspace_new(hessian, &error));
    wg_pattern_free(&t);
    wg_sparse_free(jacobian);
    wg_sparse_free(hessian);
    wg_program_free(p);
    wg_program_free(of);
    wg_program_free(slope);
    return error.status;
}

static wg_status emitting(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    (void)ctx;
    wg_text code = {.allocator = *allocator}, header = {.allocator = *allocator};
    wg_program *p = parsed(allocator, &error), *grad = wg_value_and_grad(p, "x", &error);
    wg_emit((const wg_program *const[]){p, grad}, (const char *const[]){"f", "df"}, 2,
            &(wg_emit_options){.f32 = true}, &code, &header, &error);
    wg_show_lowered(grad, &code, &error);
    wg_text_free(&code);
    wg_text_free(&header);
    wg_program_free(p);
    wg_program_free(grad);
    return error.status;
}

static wg_status writing_out(const wg_allocator *allocator, void *ctx) {
    static const char text[] = "g(A[3,3]) = { y = cholesky(A); z = solve_lower(A, A); "
                               "w = solve(A, A); v = det(A); u = signdet(A) }";
    wg_error error = {0};
    wg_parse_options options = {.allocator = allocator};
    (void)ctx;
    wg_text code = {.allocator = *allocator};
    wg_program *p = wg_parse(text, strlen(text), &options, &error);
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
    wg_show_lowered(vjp, &code, &error);
    wg_text_free(&code);
    wg_program_free(p);
    wg_program_free(vjp);
    return error.status;
}

#define FAULT_TEST(work)                                                                           \
    static void work##_survives(void **state) {                                                    \
        (void)state;                                                                               \
        assert_true(fail_every_request(work, NULL) > 10);                                          \
    }
FAULT_TEST(building)
FAULT_TEST(reading_formulas)
FAULT_TEST(composing)
FAULT_TEST(making_matrices)
FAULT_TEST(transforming)
FAULT_TEST(printing_and_reading)
FAULT_TEST(running)
FAULT_TEST(showing)
FAULT_TEST(emitting)
FAULT_TEST(writing_out)
FAULT_TEST(expanding)
FAULT_TEST(keeping)
FAULT_TEST(solving)
FAULT_TEST(thinning)

static void compiling_survives(void **state) {
    (void)state;
    for (wg_backend backend = WG_NATIVE; backend <= WG_AUTO; backend++)
        assert_true(fail_every_request(compiling, &backend) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(building_survives),     cmocka_unit_test(reading_formulas_survives),
        cmocka_unit_test(composing_survives),     cmocka_unit_test(making_matrices_survives),
        cmocka_unit_test(transforming_survives), cmocka_unit_test(printing_and_reading_survives),
        cmocka_unit_test(running_survives),      cmocka_unit_test(showing_survives),
        cmocka_unit_test(rules_survive),
        cmocka_unit_test(compiling_survives),
        cmocka_unit_test(emitting_survives),     cmocka_unit_test(expanding_survives),
        cmocka_unit_test(solving_survives),      cmocka_unit_test(keeping_survives),
        cmocka_unit_test(thinning_survives),     cmocka_unit_test(writing_out_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
