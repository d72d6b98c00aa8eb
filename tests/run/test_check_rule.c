/* wg_check_rule: right rules pass, and each kind of wrong one fails the check that is for it. */
#include "support/test.h"

#include <string.h>

static wg_program *parse(const char *text, wg_error *error) {
    return wg_parse(text, strlen(text), NULL, error);
}

/* A function and rules for it, as formulas; NULL: not given. */
struct given {
    const char *value, *jvp, *vjp;
    wg_rule_options at;
};

static wg_rule_report check(const struct given *given) {
    wg_error error = {0};
    wg_rule_report report;
    wg_program *value = parse(given->value, &error);
    wg_program *jvp = given->jvp ? parse(given->jvp, &error) : NULL;
    wg_program *vjp = given->vjp ? parse(given->vjp, &error) : NULL;
    wg_check_rule(value, &(wg_rule){"rule", jvp, vjp}, &given->at, &report, &error);
    if (error.status) fail_msg("%s: %s", given->value, error.message);
    wg_program_free(value);
    wg_program_free(jvp);
    wg_program_free(vjp);
    return report;
}

#define SOFTPLUS     "f(x[n]) = log(1 + exp(x))"
#define SLOPE(of_it) "f(x[m], t[m]) = " of_it "*t*sigmoid(x)" /* diagonal: a jvp and a vjp */
#define AROUND_ZERO  {.sizes = "n=4", .low = -2, .high = 2, .seed = 3}

/* Two floating results, one that is not, and an argument that is not: k r, k + 1, phi. */
#define POLAR "f(x, y, k: i32) = { r = f64(k)*hypot(x, y); k1 = k + 1; phi = atan2(y, x) }"
#define POLAR_JVP                                                                                  \
    "f(x, y, k: i32, s, t) = {"                                                                    \
    "  r_dot = f64(k)*(x*s + y*t)/hypot(x, y); phi_dot = (x*t - y*s)/(x*x + y*y) }"
#define POLAR_VJP                                                                                  \
    "f(x, y, k: i32, a, b) = {"                                                                    \
    "  x_bar = f64(k)*a*x/hypot(x, y) - b*y/(x*x + y*y);"                                          \
    "  y_bar = f64(k)*a*y/hypot(x, y) + b*x/(x*x + y*y) }"
#define OFF_ZERO {.low = 1, .high = 3, .seed = 3, .points = 2}

static void right_rules_pass(void **state) {
    (void)state;
    static const struct given right[] = {
        {SOFTPLUS, SLOPE("1"), NULL, AROUND_ZERO}, {SOFTPLUS, NULL, SLOPE("1"), AROUND_ZERO},
        {POLAR, POLAR_JVP, NULL, OFF_ZERO},        {POLAR, NULL, POLAR_VJP, OFF_ZERO},
        {POLAR, POLAR_JVP, POLAR_VJP, OFF_ZERO},
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        wg_rule_report report = check(&right[i]);
        assert_int_equal(report.missing, 0);
        if (report.failed)
            fail_msg("rule %zu: %g %g %g %g %g", i, report.first, report.second, report.orders,
                     report.product, report.batched);
        assert_true(report.first > 0 && report.second > 0); /* differences are never exact */
        assert_int_equal(report.points, right[i].at.points ? right[i].at.points : 4);
    }
}

static void wrong_slopes_fail(void **state) {
    (void)state;
    static const struct given wrong[] = {
        {SOFTPLUS, SLOPE("-1"), NULL, AROUND_ZERO},
        {SOFTPLUS, NULL, SLOPE("-1"), AROUND_ZERO},
        {SOFTPLUS, SLOPE("1.00001"), NULL, AROUND_ZERO},
        {SOFTPLUS, NULL, SLOPE("1.00001"), AROUND_ZERO},
        {SOFTPLUS, SLOPE("-1"), SLOPE("1"), AROUND_ZERO}, /* these contradict each other */
        {SOFTPLUS, SLOPE("1"), SLOPE("1.00001"), AROUND_ZERO},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wg_rule_report report = check(&wrong[i]);
        assert_true(report.failed & WG_RULE_FIRST);
        assert_int_equal((report.failed & WG_RULE_PRODUCT) != 0, i >= 4);
    }
}

/* The slope is right, but it says that it does not change. */
static void wrong_curvature_fails(void **state) {
    (void)state;
    static const char constant[] = "f(x, t) = 3*stop_gradient(x)^2*t";
    static const struct given wrong[] = {{"f(x) = x^3", constant, NULL, OFF_ZERO},
                                         {"f(x) = x^3", NULL, constant, OFF_ZERO}};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(check(&wrong[i]).failed, WG_RULE_SECOND);
}

/* A product of two tangents, or adjoints, is no part of a derivative. Where one of the two is
 * absent the rule is linear, and right, so a program that asks for one alone may use it. */
static void cross_terms_fail(void **state) {
    (void)state;
    static const char value[] = "f(x, z) = x*sin(z)";
    static const char crossed[] = "f(x, z, s, t) = s*sin(z) + x*t*cos(z) + s*t";
    const unsigned all = WG_RULE_FIRST | WG_RULE_SECOND | WG_RULE_ORDERS | WG_RULE_PRODUCT |
                         WG_RULE_BATCHED;
    wg_rule_report report = check(&(struct given){value, crossed, NULL, OFF_ZERO});
    assert_true(report.failed & WG_RULE_FIRST); /* by forward mode */
    assert_int_equal(report.missing, all);      /* reverse mode cannot be had of it */
    report = check(&(struct given){"f(x) = { p = 2*x; q = sin(x) }", NULL,
                                   "f(x, a, b) = 2*a + cos(x)*b + a*b", OFF_ZERO});
    assert_true(report.failed & WG_RULE_FIRST); /* by reverse mode */
    assert_int_equal(report.missing, WG_RULE_FIRST | WG_RULE_PRODUCT | WG_RULE_ORDERS);

    wg_error error = {0};
    wg_program *p = parse(value, &error), *jvp = parse(crossed, &error);
    wg_graph *g = wg_graph_new();
    wg_var in[2] = {wg_input(g, "x", wg_f64()), wg_input(g, "z", wg_f64())}, y = {g, 0};
    wg_custom(g, p, (&(wg_rule){"crossed", jvp, NULL}), in, &y);
    wg_output(g, "y", y);
    wg_program *q = wg_build(g, &error), *dx = wg_grad(q, "x", &error);
    wg_function *fn = wg_compile(dx, NULL, &error);
    double x = 2, z = 0, slope = -1;
    wg_call_with(fn, NULL, (const void *[]){&x, &z}, (void *[]){&slope}, NULL, &error);
    assert_ok(error);
    assert_true(slope == 0); /* sin(0) */
    assert_null(wg_grad(q, "x, z", &error));
    assert_int_equal(error.status, WG_ENORULE);
    wg_function_free(fn);
    wg_program_free(dx);
    wg_program_free(q);
    wg_program_free(jvp);
    wg_program_free(p);
}

static void wrong_options_are_told(void **state) {
    (void)state;
    wg_error error = {0};
    wg_rule_report report;
    wg_program *p = parse(SOFTPLUS, &error), *slope = parse(SLOPE("1"), &error);
    const wg_rule rule = {"f", slope, NULL};
    EXPECT_ERROR(WG_EARGUMENT, "check rule: the size \"n\" is not given; options.sizes = \"n=3\"",
                 (wg_check_rule(p, &rule, &(wg_rule_options){.low = 0, .high = 1}, &report, &error),
                  NULL));
    EXPECT_ERROR(WG_EARGUMENT, "check rule: no range from 1 to 1",
                 (wg_check_rule(p, &rule, &(wg_rule_options){.low = 1, .high = 1}, &report, &error),
                  NULL));
    wg_program_free(p);
    wg_program_free(slope);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_rules_pass),       cmocka_unit_test(wrong_slopes_fail),
        cmocka_unit_test(wrong_curvature_fails),  cmocka_unit_test(cross_terms_fail),
        cmocka_unit_test(wrong_options_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
