/* Solvers: roots, minima and linear equations that are known; what a run counts and says where
 * it does not get there; no allocation in a run; what is refused. */
#include "support/failing_allocator.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define assert_near(a, b, off)                                                                     \
    do {                                                                                           \
        double a_ = (a), b_ = (b);                                                                 \
        if (!(fabs(a_ - b_) <= (off) * (1 + fabs(b_)))) fail_msg("%.17g is not %.17g", a_, b_);    \
    } while (0)

typedef wg_solver *maker(const wg_program *p, const char *unknown, const wg_solver_options *options,
                         wg_error *error);

/* One run of a formula's solver. */
static wg_solver_report solved(maker *make, const char *text, const char *unknown,
                               const wg_solver_options *options, const void *const *in, double *x) {
    wg_error error = {0};
    wg_program *p = test_parse(text);
    wg_solver *s = make(p, unknown, options, &error);
    assert_ok(error);
    wg_program_free(p);
    wg_solver_report report;
    wg_solver_run(s, in, x, &report, &error);
    assert_ok(error);
    wg_solver_free(s);
    return report;
}

static void expect(wg_solver_report report, wg_outcome outcome) {
    if (report.outcome != outcome)
        fail_msg("%s, not %s: %d steps, residual %g", wg_outcome_name(report.outcome),
                 wg_outcome_name(outcome), (int)report.steps, report.residual);
}

/* ---- roots ----------------------------------------------------------------------------------- */

static void newton_finds_roots_of_systems(void **state) {
    (void)state;
    /* More, Garbow and Hillstrom 1981, problem 7, the helical valley, and 13, Powell's */
    double x[4] = {-1, 0, 0}, a = 10;
    const void *in[] = {NULL, &a};
    wg_solver_report report = solved(
        wg_newton,
        "F(x[3], a) = [a*(x[2] - 10*atan2(x[1], x[0])/(2*3.141592653589793)),"
        " a*(hypot(x[0], x[1]) - 1), x[2]]",
        "x", NULL, in, x);
    expect(report, WG_CONVERGED);
    assert_near(x[0], 1, 1e-9);
    assert_near(x[1], 0, 1e-9);
    assert_true(report.steps < 30 && report.residual <= 1e-10);
    /* quadratic convergence: y^3 + y = 10 from 3 */
    double y = 3, c = 10;
    report = solved(wg_newton, "F(c, y) = y^3 + y - c", "y", NULL, (const void *[]){&c, NULL}, &y);
    expect(report, WG_CONVERGED);
    assert_near(y, 2, 1e-11);
    assert_true(report.steps <= 6);
}

/* atan from afar: the plain method would run away. */
static void damping_keeps_newton_from_running_away(void **state) {
    (void)state;
    double x = 20;
    wg_solver_report report = solved(wg_newton, "atan(x)", "x", NULL, (const void *[]){NULL}, &x);
    expect(report, WG_CONVERGED);
    assert_near(x, 0, 1e-10);
    assert_true(report.evaluations > report.steps + 1);
}

static void newton_says_where_there_is_no_root(void **state) {
    (void)state;
    double x = 0.7;
    expect(solved(wg_newton, "x^2 + 1", "x", NULL, (const void *[]){NULL}, &x), WG_STALLED);
    x = -1;
    expect(solved(wg_newton, "log(x)", "x", NULL, (const void *[]){NULL}, &x), WG_NOT_FINITE);
    assert_near(x, -1, 0); /* left where it was */
    x = 5;
    wg_solver_report report = solved(wg_newton, "x^3 - 1", "x", &(wg_solver_options){.most = 2},
                                     (const void *[]){NULL}, &x);
    expect(report, WG_MOST_STEPS);
    assert_int_equal(report.steps, 2);
    x = 0;
    expect(solved(wg_newton, "x^3 - 1", "x", NULL, (const void *[]){NULL}, &x), WG_STALLED);
}

/* ---- minima ---------------------------------------------------------------------------------- */

static void newton_cg_finds_the_minimum_of_rosenbrock(void **state) {
    (void)state;
    enum { N = 1000 };
    static double x[N];
    for (int i = 0; i < N; i++) x[i] = i % 2 ? 1 : -1.2;
    int64_t n = N;
    wg_solver_report report = solved(
        wg_newton_cg, "f(x[n]) = sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)", "x",
        &(wg_solver_options){.size = &n}, (const void *[]){NULL}, x);
    expect(report, WG_CONVERGED);
    for (int i = 0; i < N; i++) assert_near(x[i], 1, 1e-8);
    assert_true(report.value < 1e-16 && report.residual <= 1e-8);
    assert_true(report.steps < 5 * N && report.products < 25 * N);
}

/* From a maximum's neighbourhood and along negative curvature; two minima at x = +-1, y = 0. */
static void newton_cg_leaves_saddles(void **state) {
    (void)state;
    double x[2] = {1e-3, 0.5};
    wg_solver_report report = solved(wg_newton_cg, "f(x[2]) = (x[0]^2 - 1)^2 + x[1]^2", "x", NULL,
                                     (const void *[]){NULL}, x);
    expect(report, WG_CONVERGED);
    assert_near(fabs(x[0]), 1, 1e-7);
    assert_near(x[1], 0, 1e-7);
    x[0] = 300, x[1] = -200; /* a scale that the first radius does not know */
    report = solved(wg_newton_cg, "f(x[2]) = cosh((x[0] - 310)/5) + (x[1] + 3)^4", "x", NULL,
                    (const void *[]){NULL}, x);
    expect(report, WG_CONVERGED);
    assert_near(x[0], 310, 1e-6);
}

static void newton_cg_says_what_it_met(void **state) {
    (void)state;
    double x = -1;
    expect(solved(wg_newton_cg, "log(x)", "x", NULL, (const void *[]){NULL}, &x), WG_NOT_FINITE);
    x = 3;
    wg_solver_report report = solved(wg_newton_cg, "abs(x)", "x", NULL, (const void *[]){NULL}, &x);
    assert_true(report.outcome == WG_CONVERGED || report.outcome == WG_STALLED);
    assert_near(x, 0, 1e-6);
    x = 4;
    report = solved(wg_newton_cg, "x^4", "x", &(wg_solver_options){.most = 1},
                    (const void *[]){NULL}, &x);
    expect(report, WG_MOST_STEPS);
    assert_int_equal(report.steps, 1);
    x = 0;
    report = solved(wg_newton_cg, "exp(-x)", "x", &(wg_solver_options){.tolerance = 1e-6},
                    (const void *[]){NULL}, &x); /* a minimum at infinity */
    expect(report, WG_CONVERGED);
    assert_true(x > 13);
}

/* ---- linear equations ------------------------------------------------------------------------ */

/* The negative second difference, n x n, whose inverse is known: x_i = i (n + 1 - i)/2 for b =
 * 1. */
static void conjugate_gradients_solve_by_products_alone(void **state) {
    (void)state;
    enum { N = 100 };
    static double x[N], b[N];
    for (int i = 0; i < N; i++) b[i] = 1;
    int64_t n = N;
    const char *text = "F(x[n], b[n]) = 2*x - concat(x[1:], [0]) - concat([0], x[:-1]) - b";
    wg_solver_options options = {.size = &n};
    const void *in[] = {NULL, b};
    wg_solver_report report = solved(wg_conjugate_gradient, text, "x", &options, in, x);
    expect(report, WG_CONVERGED);
    for (int i = 1; i <= N; i++) assert_near(x[i - 1], i * (N + 1.0 - i) / 2, 1e-8);
    assert_true(report.steps <= N && report.products == report.steps);
    report = solved(wg_conjugate_gradient, text, "x", &options, in, x); /* from the solution */
    expect(report, WG_CONVERGED);
    assert_true(report.steps <= 1);
    memset(b, 0, sizeof b);
    x[3] = 1; /* b = 0: from there to 0 */
    options.most = 2;
    expect(solved(wg_conjugate_gradient, text, "x", &options, in, x), WG_MOST_STEPS);
}

static void conjugate_gradients_say_where_they_do_not_apply(void **state) {
    (void)state;
    double x[2] = {0, 0}, b[2] = {1, 2};
    expect(solved(wg_conjugate_gradient, "F(x[2], b[2]) = [1, -3]*x - b", "x", NULL,
                  (const void *[]){NULL, b}, x),
           WG_NOT_DEFINITE);
    b[0] = NAN;
    expect(solved(wg_conjugate_gradient, "F(x[2], b[2]) = x - b", "x", NULL,
                  (const void *[]){NULL, b}, x),
           WG_NOT_FINITE);
}

/* ---- runs ------------------------------------------------------------------------------------ */

/* One solver, many runs with other inputs; none of them asks for memory. */
static void runs_allocate_nothing(void **state) {
    (void)state;
    wg_error error = {0};
    static const struct {
        maker *make;
        const char *text;
    } cases[] = {{wg_newton, "F(x[3], c) = x^3 + x - c"},
                 {wg_newton_cg, "F(x[3], c) = sum(x^4/4 + x^2/2 - c*x)"},
                 {wg_conjugate_gradient, "F(x[3], c) = [10, 5, 5]*x - c*[1, 1, 1]*5"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct failing_allocator counter = {0};
        wg_allocator allocator = failing_hook(&counter);
        wg_parse_options options = {.allocator = &allocator};
        wg_program *p = wg_parse(cases[k].text, strlen(cases[k].text), &options, &error);
        wg_solver *s = cases[k].make(p, "x", NULL, &error);
        assert_ok(error);
        size_t before = counter.requests;
        for (double c = 2; c < 12; c += 2) {
            double x[3] = {0, 0, 0};
            wg_solver_report report;
            wg_solver_run(s, (const void *[]){NULL, &c}, x, &report, &error);
            assert_ok(error);
            expect(report, WG_CONVERGED);
            assert_near(k < 2 ? x[1] * x[1] * x[1] + x[1] : x[1], c, 1e-7);
        }
        assert_int_equal(counter.requests, before);
        wg_solver_free(s);
        wg_program_free(p);
        assert_int_equal(counter.live_blocks, 0);
    }
}

static void what_no_solver_takes_is_refused(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = test_parse("f(x[2], y) = { s = sum(x)*y; v = x*y }");
    wg_program *sized = test_parse("f(x[n]) = x");
    EXPECT_ERROR(WG_EARGUMENT, "solver: the program is NULL", wg_newton(NULL, "x", NULL, &error));
    EXPECT_ERROR(WG_ENAME, "solver: there is no input \"z\"", wg_newton(p, "z", NULL, &error));
    EXPECT_ERROR(WG_ESHAPE, "solver: output \"s\" has 1 elements, the unknown \"x\" has 2",
                 wg_newton(p, "x", NULL, &error));
    EXPECT_ERROR(WG_EARGUMENT, "solver: the program has named sizes; give their values",
                 wg_newton(sized, "x", NULL, &error));
    EXPECT_ERROR(WG_ESHAPE, "solver: output \"y\" must be a scalar",
                 wg_newton_cg(sized, "x", &(wg_solver_options){.size = &(int64_t){3}}, &error));
    EXPECT_ERROR(WG_EARGUMENT, "solver: a tolerance or a number of steps is negative",
                 wg_newton_cg(p, "x", &(wg_solver_options){.most = -1}, &error));
    error = (wg_error){0};
    double x = 0;
    assert_int_equal(wg_solver_run(NULL, NULL, &x, NULL, &error), WG_EARGUMENT);
    assert_string_equal(error.message, "solver: the solver, its inputs or x is NULL");
    assert_string_equal(wg_outcome_name(WG_STALLED), "stalled");
    wg_solver_free(NULL);
    wg_program_free(p);
    wg_program_free(sized);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newton_finds_roots_of_systems),
        cmocka_unit_test(damping_keeps_newton_from_running_away),
        cmocka_unit_test(newton_says_where_there_is_no_root),
        cmocka_unit_test(newton_cg_finds_the_minimum_of_rosenbrock),
        cmocka_unit_test(newton_cg_leaves_saddles),
        cmocka_unit_test(newton_cg_says_what_it_met),
        cmocka_unit_test(conjugate_gradients_solve_by_products_alone),
        cmocka_unit_test(conjugate_gradients_say_where_they_do_not_apply),
        cmocka_unit_test(runs_allocate_nothing),
        cmocka_unit_test(what_no_solver_takes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
