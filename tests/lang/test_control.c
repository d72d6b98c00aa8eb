/* Loops and branches of the language: every construct against the same loop in C, its value and
 * its gradient in both modes against differences of that loop, of one program for several sizes.
 * What is refused, and with which words. */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 7 };

#define assert_near(a, b, off)                                                                     \
    do {                                                                                           \
        double a_ = (a), b_ = (b);                                                                 \
        if (!(fabs(a_ - b_) <= (off) * (1 + fabs(b_))))                                            \
            fail_msg("%s\n  %.17g is not %.17g", text, a_, b_);                                    \
    } while (0)

static const double point[MOST] = {0.7, -0.4, 1.3, 0.25, -1.1, 0.9, 0.55};

static wg_program *parse(const char *text) {
    wg_error error = {0};
    wg_program *p = wg_parse(text, strlen(text), NULL, &error);
    if (!p) fail_msg("%s\n%s", text, error.message);
    assert_int_equal(wg_program_verify(p, &error), WG_OK);
    return p;
}

/* The first output of a program of x[n]. */
static void run(const char *text, const wg_program *p, int64_t n, const double *x, void *out,
                void *more) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    wg_call_with(fn, &n, (const void *[]){x}, (void *[]){out, more}, NULL, &error);
    if (error.status) fail_msg("%s\n%s", text, error.message);
    wg_function_free(fn);
}

typedef double in_c(int64_t n, const double *x);

static void assert_same(const char *text, in_c *f) {
    wg_error error = {0};
    wg_program *p = parse(text), *reverse = wg_value_and_grad(p, "x", &error);
    if (!reverse) fail_msg("%s\n%s", text, error.message);
    wg_program *forward = wg_jacobian(p, NULL, "x", WG_FORWARD, &error);
    if (!forward) fail_msg("%s\n%s", text, error.message);
    for (size_t k = 0; k < 3; k++) {
        int64_t n = (int64_t[]){1, 4, MOST}[k];
        double x[MOST], value, out, grad[MOST], tangent[MOST];
        memcpy(x, point, sizeof x);
        value = f(n, x);
        run(text, p, n, x, &out, NULL);
        assert_near(out, value, 1e-13);
        run(text, reverse, n, x, &out, grad);
        assert_near(out, value, 1e-13);
        run(text, forward, n, x, tangent, NULL);
        for (int64_t i = 0; i < n; i++) {
            double step = 1e-6, up, down;
            x[i] = point[i] + step;
            up = f(n, x);
            x[i] = point[i] - step;
            down = f(n, x);
            x[i] = point[i];
            assert_near(grad[i], (up - down) / (2 * step), 1e-7);
            assert_near(tangent[i], grad[i], 1e-12);
        }
    }
    wg_program_free(p);
    wg_program_free(reverse);
    wg_program_free(forward);
}

/* ---- loops ----------------------------------------------------------------------------------- */

static double recurrence(int64_t n, const double *x) {
    double s = 0.5;
    for (int64_t i = 0; i < n; i++) s = sin(s) + x[i] * x[i];
    return s;
}

static double recurrence_backwards(int64_t n, const double *x) {
    double s = 0.5;
    for (int64_t i = n - 1; i >= 0; i--) s = sin(s) * x[i] + (double)i;
    return s;
}

static double two_carried(int64_t n, const double *x) {
    double a = 1, b = x[0];
    for (int64_t i = 0; i < n; i++) {
        double t = a + x[i] * b;
        b = cos(a) * b;
        a = t;
    }
    return a * b;
}

static double every_second(int64_t n, const double *x) {
    double s = 1;
    for (int64_t i = 0; i < n; i += 2) s *= 1 + x[i] * (double)i;
    return s;
}

static double triangle(int64_t n, const double *x) {
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) s += x[i] * x[j] * x[j];
    return s;
}

static double upper_triangle(int64_t n, const double *x) {
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) s = 0.5 * s + x[i] * x[j] * x[j];
    return s;
}

static double as_often_as_x_says(int64_t n, const double *x) {
    double s = x[0];
    for (int64_t i = 0; i < 3; i++) s *= 1 + x[n - 1];
    return s;
}

static void loops_over_ranges(void **state) {
    (void)state;
    assert_same("f(x[n]) = { let s = 0.5; for i in 0:n { s = sin(s) + x[i]^2 }; y = s }",
                recurrence);
    assert_same("f(x[n]) = {\n y = 0.5\n for i in 0:n {\n  let t = x[i]\n  y = sin(y) + t*t\n }\n}",
                recurrence);
    assert_same("g(s, t) = sin(s) + t^2\n"
                "f(x[n]) = { y = 0.5; for i in 0:n { y = g(y, x[i]) } }",
                recurrence);
    assert_same("f(x[n]) = { y = 0.5; for i in reverse(0:n) { y = sin(y)*x[i] + f64(i) } }",
                recurrence_backwards);
}

static void loops_of_several_names(void **state) {
    (void)state;
    assert_same("g(a, b, t) = { c = a + t*b; d = cos(a)*b }\n"
                "f(x[n]) = { let a = 1; let b = x[0]\n for i in 0:n { (a, b) = g(a, b, x[i]) }\n"
                " y = a*b }",
                two_carried);
    assert_same("f(x[n]) = { let a = 1; let b = x[0]\n"
                " for i in 0:n { let t = a + x[i]*b; b = cos(a)*b; a = t }\n y = a*b }",
                two_carried);
}

static void loops_with_steps_and_values_for_ends(void **state) {
    (void)state;
    assert_same("f(x[n]) = { y = 1; for i in 0:n:2 { y *= 1 + x[i]*f64(i) } }", every_second);
    assert_same("f(x[n]) = { y = 0; for i in 0:n { for j in 0:i { y += x[i]*x[j]^2 } } }",
                triangle);
    assert_same("f(x[n]) = { y = 0; for i in 0:n { y += x[i]*sum(j in 0:i: x[j]^2) } }", triangle);
    assert_same("f(x[n]) = { y = 0\n"
                " for i in 0:n {\n  for j in i+1:n { y = 0.5*y + x[i]*x[j]^2 }\n }\n}",
                upper_triangle);
    assert_same("f(x[n]) = { let k = i64(3.5*abs(x[0])/abs(x[0])); y = x[0]\n"
                " for i in 0:k limit 5 { y *= 1 + x[n-1] } }",
                as_often_as_x_says);
}

static double newton(int64_t n, const double *x) {
    double a = 1, r;
    for (int64_t i = 0; i < n; i++) a += x[i] * x[i];
    r = a;
    while (fabs(r * r - a) > 1e-14 * a) r = 0.5 * (r + a / r);
    return r;
}

static double while_with_limit(int64_t n, const double *x) {
    double s = 1;
    (void)n;
    for (int k = 0; k < 3 && s < 100; k++) s *= 2 + x[0];
    return s;
}

static void loops_with_a_condition(void **state) {
    (void)state;
    assert_same("f(x[n]) = { let a = 1 + sum(x^2); y = a\n"
                " while abs(y*y - a) > 1e-14*a limit 60 { y = 0.5*(y + a/y) } }",
                newton);
    assert_same("f(x[n]) = { y = 1; while y < 100 limit 3 { y = y*(2 + x[0]) } }",
                while_with_limit);
    /* a name may be called limit, as it could before */
    assert_same("f(x[n]) = { let limit = 100; y = 1; while y < limit limit 3 { y *= 2 + x[0] } }",
                while_with_limit);
}

/* ---- calls with an index --------------------------------------------------------------------- */

static double sum_of_squares(int64_t n, const double *x) {
    double s = 0;
    for (int64_t i = 0; i < n; i++) s += x[i] * x[i] + (double)i * x[0];
    return s;
}

static double product_of_later(int64_t n, const double *x) {
    double s = 1;
    for (int64_t i = 1; i < n; i++) s *= x[i] + x[i - 1];
    return s;
}

static double largest_sine(int64_t n, const double *x) {
    double m = -INFINITY;
    for (int64_t i = 0; i < n; i++) m = fmax(m, sin(3 * x[i]));
    return m;
}

static double nested_maximum(int64_t n, const double *x) {
    double s = 0;
    for (int64_t i = 1; i < n; i++) {
        double m = -INFINITY;
        for (int64_t j = 0; j < i; j++) m = fmax(m, x[j] * x[i]);
        s += m;
    }
    return s;
}

static double squares_of_prefixes(int64_t n, const double *x) {
    double s = 0;
    for (int64_t i = 0; i < n; i++) {
        double t = 1;
        for (int64_t j = 0; j <= i; j++) t *= 1 + x[j] * x[j];
        s += t * (double)(i + 1);
    }
    return s;
}

static void calls_with_an_index(void **state) {
    (void)state;
    assert_same("f(x[n]) = sum(i in 0:n: x[i]^2 + f64(i)*x[0])", sum_of_squares);
    assert_same("f(x[n]) = sum(map(i in 0:n: x[i]^2 + f64(i)*x[0]))", sum_of_squares);
    assert_same("f(x[n]) = prod(i in 1:n: x[i] + x[i-1])", product_of_later);
    assert_same("f(x[n]) = max(k in 0:n: sin(3*x[k]))", largest_sine);
    assert_same("f(x[n]) = -min(k in 0:n: -sin(3*x[k]))", largest_sine);
    assert_same("f(x[n]) = { y = 0; for i in 1:n { y += max(j in 0:i: x[j]*x[i]) } }",
                nested_maximum);
    assert_same("f(x[n]) = sum(i in 0:n: f64(i+1)*prod(j in 0:i+1: 1 + x[j]^2))",
                squares_of_prefixes);
}

/* ---- branches -------------------------------------------------------------------------------- */

static double choice(int64_t n, const double *x) {
    double s = 0;
    for (int64_t i = 0; i < n; i++)
        s += x[i] > 0.5 ? log(x[i]) : x[i] > 0 ? sqrt(x[i]) : x[i] * x[i];
    return s;
}

static double two_results(int64_t n, const double *x) {
    double a = 1, b = 2;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] > 0) {
            a += b * x[i];
        } else {
            b = a * x[i];
            a = 0.5;
        }
    }
    return a - b;
}

static void branches(void **state) {
    (void)state;
    assert_same("f(x[n]) = sum(i in 0:n: if x[i] > 0.5 then log(x[i])\n"
                "             else if x[i] > 0 then sqrt(x[i]) else x[i]^2)",
                choice);
    assert_same("f(x[n]) = { y = 0\n for i in 0:n {\n  if x[i] > 0.5 { y += log(x[i]) }\n"
                "  else if x[i] > 0 { y += sqrt(x[i]) }\n  else { y += x[i]^2 }\n }\n}",
                choice);
    assert_same("f(x[n]) = { y = 0; for i in 0:n { let t = x[i]; if x[i] > 0.5 { t = log(t) } else "
                "{ if t > 0 { t = sqrt(t) } else { t *= t } }; y += t } }",
                choice);
    assert_same("f(x[n]) = { let a = 1; let b = 2\n"
                " for i in 0:n { if x[i] > 0 { a += b*x[i] } else { b = a*x[i]; a = 0.5 } }\n"
                " y = a - b }",
                two_results);
}

/* What two cases have in common is computed in the one that is taken; at 0 the logarithm's slope
 * would be infinite. */
static void what_cases_share_stays_in_them(void **state) {
    (void)state;
    wg_error error = {0};
    const char *text = "f(x[n]) = { y = 0; let t = x[0]\n"
                       " if t > 1 { y = log(t) } else if t > 0 { y = t*log(t) } }";
    wg_program *p[3] = {parse(text)};
    double x = 0, out;
    for (size_t k = 1; k < 3; k++) {
        p[k] = k == 1 ? wg_grad(p[0], "x", &error) : wg_hessian(p[0], "x", &error);
        assert_ok(error);
    }
    for (size_t k = 0; k < 3; k++) {
        run(text, p[k], 1, &x, &out, NULL);
        assert_true(out == 0);
        wg_program_free(p[k]);
    }
}

/* ---- what went wrong elsewhere --------------------------------------------------------------- */

static double changing_divisor(int64_t n, const double *x) {
    double d = 2, y = 0;
    for (int64_t i = 0; i < n; i++) {
        y += x[i] / d;
        d = d * x[i] / (1 + d) + 1.5;
        y /= d;
    }
    return y;
}

static void a_divisor_that_changes_in_a_loop(void **state) {
    (void)state;
    assert_same("f(x[n]) = { let d = 2; y = 0\n"
                " for i in 0:n {\n  y += x[i]/d\n  d = d*x[i]/(1 + d) + 1.5\n  y /= d\n }\n}",
                changing_divisor);
}

static double in_it_and_behind(int64_t n, const double *x) {
    double a = sin(x[0]), y = a;
    for (int64_t i = 0; i < n; i++) y = y * a + x[i];
    return y + a * a;
}

static void a_value_from_before_the_loop_in_it_and_behind(void **state) {
    (void)state;
    assert_same(
        "f(x[n]) = { let a = sin(x[0]); y = a\n for i in 0:n { y = y*a + x[i] }\n y += a*a }",
        in_it_and_behind);
}

static double until_it_is_small(int64_t n, const double *x) {
    double y = 10 + x[0], steps = 0;
    while (y * y > 1 + x[n - 1]) {
        y = 0.5 * y + 0.1 * x[0];
        steps += y;
    }
    return y * steps;
}

static void a_condition_on_what_the_loop_changes(void **state) {
    (void)state;
    assert_same("f(x[n]) = { let t = 10 + x[0]; let s = 0\n"
                " while t*t > 1 + x[n-1] limit 20 { t = 0.5*t + 0.1*x[0]; s += t }\n y = t*s }",
                until_it_is_small);
}

static double bound_by_parameter(int64_t n, const double *x) {
    double s = 1;
    for (int k = 0; k < (int)(4 + x[0]); k++) s *= x[n - 1] + k;
    return s;
}

static void a_parameter_in_the_bound(void **state) {
    (void)state;
    assert_same("f(x[n]) = { y = 1; for k in 0:i64(4 + x[0]) limit 9 { y *= x[n-1] + f64(k) } }",
                bound_by_parameter);
}

static void the_case_not_taken_sends_nothing(void **state) {
    (void)state;
    static const double at[] = {-1, 0, 4}, first[] = {0, 0, 0.25}, second[] = {0, 0, -0.03125};
    static const char *const texts[] = {
        "f(x[n]) = sum(i in 0:n: if x[i] > 0 then sqrt(x[i]) else 0)",
        /* computed before the branch */
        "f(x[n]) = sum(i in 0:n: g(x[i], sqrt(x[i])))",
    };
    for (size_t k = 0; k < 2; k++) {
        char text[200];
        snprintf(text, sizeof text, "g(t, r) = if t > 0 then r else 0\n%s", texts[k]);
        wg_error error = {0};
        wg_program *p = parse(text), *grad = wg_grad(p, "x", &error);
        wg_program *twice[] = {wg_hessian(p, "x", &error),
                               wg_jacobian(grad, NULL, "x", WG_REVERSE, &error)};
        assert_ok(error);
        double out[9];
        run(text, grad, 3, at, out, NULL);
        for (size_t i = 0; i < 3; i++) assert_near(out[i], first[i], 0);
        for (size_t m = 0; m < 2; m++) {
            run(text, twice[m], 3, at, out, NULL);
            for (size_t i = 0; i < 9; i++) assert_near(out[i], i % 4 ? 0 : second[i / 4], 0);
            wg_program_free(twice[m]);
        }
        wg_program_free(p);
        wg_program_free(grad);
    }
}

/* ---- updates by index ------------------------------------------------------------------------ */

static double prefix_sums(int64_t n, const double *x) {
    double y[MOST], s = 0;
    memcpy(y, x, sizeof y);
    for (int64_t i = 1; i < n; i++) y[i] += y[i - 1];
    for (int64_t i = 0; i < n; i++) s += y[i] * y[i];
    return s;
}

static double table(int64_t n, const double *x) {
    double A[MOST][3], s = 0;
    memset(A, 0, sizeof A);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < 3; j++) {
            A[i][j] = x[i] * (double)(j + 1);
            if (i > 0) A[i][j] -= A[i - 1][(j + 1) % 3];
        }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < 3; j++) s += sin(A[i][j]);
    return s;
}

static double rows(int64_t n, const double *x) {
    double A[MOST][3], s = 0;
    memset(A, 0, sizeof A);
    for (int64_t i = 0; i < n; i++)
        for (int j = 0; j < 3; j++) A[i][j] = x[i] * (j + 1);
    for (int64_t i = 0; i < n; i++) A[i][1] *= 2;
    for (int64_t i = 0; i < n; i++) A[i][2] = 7 * x[0];
    for (int64_t i = 0; i < n; i++)
        for (int j = 1; j < 3; j++) A[i][j] += x[i] * x[i];
    for (int64_t i = 0; i < n; i++)
        for (int j = 0; j < 3; j++) s += A[i][j] * A[i][j];
    return s;
}

static void updates(void **state) {
    (void)state;
    assert_same("f(x[n]) = { let u = x; for i in 1:n { u[i] += u[i-1] }; y = sum(u^2) }",
                prefix_sums);
    assert_same("f(x[n]) = { let u = x; for i in 1:n { u[i] = u[i-1] + u[i] }; y = sum(u^2) }",
                prefix_sums);
    assert_same("f(x[n]) = { let A = zeros(n, 3)\n"
                " for i in 0:n { for j in 0:3 {\n  A[i, j] = x[i]*f64(j + 1)\n"
                "  if i > 0 { A[i, j] -= A[i-1, imod(j+1, 3)] }\n } }\n y = sum(sin(A)) }",
                table);
    assert_same("f(x[n]) = { let A = zeros(n, 3)\n for i in 0:n { A[i, :] = x[i]*[1, 2, 3] }\n"
                " A[:, 1] *= 2\n for i in 0:n { A[i, 2] = 7*x[0] }\n"
                " for i in 0:n { A[i, 1:] += x[i]^2 }\n y = sum(A^2) }",
                rows);
    assert_same("f(x[n]) = { let A = zeros(n, 3)\n for i in 0:n { A[i] = x[i]*[1, 2, 3] }\n"
                " A[:, i64(1)] = 2*A[:, 1]; A[:, 2] = 7*x[0]\n A[0:n, 1:3] += reshape(x^2, n, 1)\n"
                " y = sum(A^2) }",
                rows);
}

/* ---- elements of other types, and results of other shapes ------------------------------------ */

static void assert_integer(const char *text, int64_t expected) {
    double x[MOST];
    int64_t out = -1;
    wg_program *p = parse(text);
    memcpy(x, point, sizeof x);
    run(text, p, MOST, x, &out, NULL);
    if (out != expected)
        fail_msg("%s\n  %lld is not %lld", text, (long long)out, (long long)expected);
    wg_program_free(p);
}

static void integers(void **state) {
    (void)state;
    /* Collatz: 27 takes 111 steps */
    assert_integer(
        "f(x[n]) = { let k = i64(27); y = i64(0)\n"
        " while k != 1 { k = if imod(k, 2) == 0 then idiv(k, 2) else 3*k + 1; y += 1 } }",
        111);
    assert_integer("f(x[n]) = { let k = i64(27); y = i64(0)\n while k != 1 {\n"
                   "  if imod(k, 2) == 0 { k = idiv(k, 2) } else { k = 3*k + 1 }\n  y += 1\n } }",
                   111);
    assert_integer("f(x[n]) = { y = i64(0); for i in 3:n { y = 10*y + i } }", 3456);
    assert_integer("f(x[n]) = { y = i64(0); for i in reverse(3:n:2) { y = 10*y + i } }", 53);
    assert_integer("f(x[n]) = sum(i in -2:5: i)", 7);
    assert_integer("f(x[n]) = sum(i in n:n: i)", 0);
    assert_integer("f(x[n]) = sum(i in 0:n: if any(j in 0:i: x[j] > x[i]) then 1 + i - i else 0*i)",
                   5);
    assert_integer("f(x[n]) = if all(i in 0:n: x[i] > -2) then i64(1) else i64(0)", 1);
    assert_integer("f(x[n]) = { let k = n; while k > 3 { k = k - 2 }; y = k }", 3);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void assert_refused(const char *text, wg_status status, const char *message) {
    wg_error error = {0};
    wg_program *p = wg_parse(text, strlen(text), NULL, &error);
    if (p) fail_msg("%s is read", text);
    if (strcmp(error.message, message))
        fail_msg("%s\n-- is\n%s\n-- expected\n%s", text, error.message, message);
    assert_int_equal(error.status, status);
}

static void names_of_bodies(void **state) {
    (void)state;
    assert_refused(
        "let s = 0\nfor i in 0:3 { let t = x; s = s + t }\ny = t", WG_ENAME,
        "formula:3:5: unknown name 't'\n    y = t\n        ^\n"
        "  hint: it is local to a body, since line 2; give it a value before the loop or "
        "branch: let t = ...");
    assert_refused(
        "for i in 0:3 { t = x }", WG_ENAME,
        "formula:1:1: this loop changes nothing\n    for i in 0:3 { t = x }\n    ^\n"
        "  hint: it changes names that have a value before it: let s = 0; what is new in "
        "it is local");
    assert_refused(
        "if x > 0 { y = 1 } else { y = 2 }", WG_ENAME,
        "formula:1:1: this if changes nothing\n    if x > 0 { y = 1 } else { y = 2 }\n    ^\n"
        "  hint: give a name a value before it, or write y = if c then a else b; what is "
        "new in it is local");
    assert_refused("let s = 0\nfor i in 0:3 { i = 2; s = i }\ny = s", WG_ENAME,
                   "formula:2:16: 'i' is the index of a loop, which is not assigned\n"
                   "    for i in 0:3 { i = 2; s = i }\n                   ^\n"
                   "  hint: use another name in the body");
    assert_refused(
        "let s = 0\nfor i in 0:3 { x = x + 1; s = x }\ny = s", WG_ENAME,
        "formula:2:16: the input 'x' is assigned by the body that is the first to use it\n"
        "    for i in 0:3 { x = x + 1; s = x }\n                   ^\n"
        "  hint: begin with a name of your own before the loop: let t = x");
    assert_refused(
        "let s = 0\nfor i in 0:3 { s }\ny = s", WG_ENAME,
        "formula:2:1: this loop changes nothing\n    for i in 0:3 { s }\n    ^\n"
        "  hint: it changes names that have a value before it: let s = 0; what is new in "
        "it is local");
    assert_refused("let s = 0\nfor i in 0:3 { s + 1; s = 2 }\ny = s", WG_ESYNTAX,
                   "formula:2:16: an expression alone does nothing in a loop or branch\n"
                   "    for i in 0:3 { s + 1; s = 2 }\n                   ^\n"
                   "  hint: assign it: s = ..., s += ..., x[i] = ...");
    assert_refused("let s = 0\nfor i in 0:3 { for i in 0:2 { s += x } }\ny = s", WG_ENAME,
                   "formula:2:20: 'i' is a name already, from line 2\n"
                   "    for i in 0:3 { for i in 0:2 { s += x } }\n                       ^\n"
                   "  hint: a name is given once: choose another");
}

static void types_of_what_is_carried(void **state) {
    (void)state;
    assert_refused("let s = 0\nfor i in 0:3 { s = s + [1, 2] }\ny = s", WG_ESHAPE,
                   "formula:2:16: 's' is f64 before the loop, and f64[2] behind it\n"
                   "    for i in 0:3 { s = s + [1, 2] }\n                   ^\n"
                   "  hint: what is assigned in a loop keeps its shape: begin with one of that "
                   "shape, as zeros(n)");
    assert_refused("let s = 0\nfor i in 0:3 { s = i }\ny = s", WG_EDTYPE,
                   "formula:2:16: 's' is f64 before the loop, and i64 behind it\n"
                   "    for i in 0:3 { s = i }\n                   ^\n"
                   "  hint: begin with one of that type: i64(0)");
    assert_refused("y = 0\nif x > 0 { y = 1 } else { y = [1, 2] }", WG_ESHAPE,
                   "formula:2:27: 'y' is f64 if the condition holds, and f64[2] if not\n"
                   "    if x > 0 { y = 1 } else { y = [1, 2] }\n                              ^");
    assert_refused("if x > 0 then x else [x, x]", WG_ESHAPE,
                   "formula:1:22: one is f64, the other f64[2]\n"
                   "    if x > 0 then x else [x, x]\n                         ^\n"
                   "  hint: both are of one shape and element type");
}

static void conditions_and_ranges(void **state) {
    (void)state;
    assert_refused(
        "if [x, x] > 0 then x else x", WG_ESHAPE,
        "formula:1:4: the condition of an if is bool[2], not bool\n"
        "    if [x, x] > 0 then x else x\n       ^\n"
        "  hint: where(c, a, b) chooses element by element; any(c), all(c) are one truth");
    assert_refused("let s = x\nwhile s { s = s - 1 }\ny = s", WG_EDTYPE,
                   "formula:2:7: the condition of a loop is f64, not bool\n"
                   "    while s { s = s - 1 }\n          ^\n  hint: compare: x != 0");
    assert_refused("sum(i in 0:x: 1)", WG_EDTYPE,
                   "formula:1:10: an end of a range is a whole number, not f64\n"
                   "    sum(i in 0:x: 1)\n             ^\n"
                   "  hint: a size, a value of i64, or what is converted: i64(x)");
    assert_refused("sum(i in 3:1: x)", WG_ESHAPE,
                   "formula:1:10: range: 3 is not at most 1\n    sum(i in 3:1: x)\n             ^");
    assert_refused("let s = 0\nfor i in 0:9:-1 { s += x }\ny = s", WG_ESYNTAX,
                   "formula:2:14: the step of a range is a whole number above 0\n"
                   "    for i in 0:9:-1 { s += x }\n                 ^\n"
                   "  hint: backwards is reverse(0:n)");
    assert_refused("let s = 0\nfor i in 9 { s += x }\ny = s", WG_ESYNTAX,
                   "formula:2:12: expected ':' and the end of the range, found '{'\n"
                   "    for i in 9 { s += x }\n               ^\n"
                   "  hint: a range is start:stop, without its stop: 0:n");
    assert_refused("y = 1 + for", WG_ESYNTAX,
                   "formula:1:9: expected a value, found 'for'\n    y = 1 + for\n            ^\n"
                   "  hint: a loop stands on a line of its own, in the braces of a function");
    assert_refused("sin(i in 0:3: x)", WG_ESYNTAX,
                   "formula:1:5: sin takes no index\n    sin(i in 0:3: x)\n        ^\n"
                   "  hint: map, sum, prod, max, min, any and all do: sum(i in 0:n: x[i])");
    assert_refused("f(x) = { let s = 0\n while s < x limit x { s += 1 }\n y = s }", WG_ESHAPE,
                   "formula:2:20: a limit is made of whole numbers and named sizes\n"
                   "     while s < x limit x { s += 1 }\n                       ^");
    assert_refused("f(x[n]) = { let u = x\n u[0:1:2] = 1\n y = u }", WG_EARGUMENT,
                   "formula:2:11: a slice with a step is not assigned\n     u[0:1:2] = 1\n"
                   "              ^\n  hint: assign in a loop: for i in 0:n:2 { x[i] = ... }");
}

static double doubled_while_small(int64_t n, const double *x) {
    double y = 1 + x[0] * x[0];
    for (int64_t i = 0; i < n - 1; i++) y += 0.1 * sin(y);
    while (y < 40) y *= 1.5 + 0.1 * x[n - 1];
    return y;
}

static void no_bound_is_needed(void **state) {
    (void)state;
    assert_same("f(x[n]) = { y = 1 + x[0]^2; for i in 0:n-1 { y += 0.1*sin(y) }\n"
                " while y < 40 { y *= 1.5 + 0.1*x[n-1] } }",
                doubled_while_small);
}

static void loops_keep_snapshots(void **state) {
    (void)state;
    assert_same("f(x[n]) = { let s = 0.5; for i in 0:n keep 3 { s = sin(s) + x[i]^2 }; y = s }",
                recurrence);
    assert_same("f(x[n]) = { y = 0.5; let keep = n\n"
                " for i in reverse(0:keep) keep 2 { y = sin(y)*x[i] + f64(i) } }",
                recurrence_backwards);
    assert_same("f(x[n]) = { y = 1 + x[0]^2; for i in 0:i64(f64(n)) - 1 limit n keep 2 {\n"
                " y += 0.1*sin(y) }\n while y < 40 limit 99 keep 4 { y *= 1.5 + 0.1*x[n-1] } }",
                doubled_while_small);
    assert_same("f(x[n]) = { y = 1 + x[0]^2; for i in 0:n-1 { y += 0.1*sin(y) }\n"
                " while y < 40 keep 4 { y *= 1.5 + 0.1*x[n-1] } }",
                doubled_while_small);
    wg_error error = {0};
    static const char *const texts[] = {"y = x\nfor i in 0:3 keep 0 { y *= x }",
                                        "y = x\nwhile y < 3 keep x { y *= x }"};
    for (size_t k = 0; k < 2; k++) {
        error = (wg_error){0};
        assert_null(wg_parse(texts[k], strlen(texts[k]), NULL, &error));
        assert_non_null(strstr(error.message, "a loop keeps a number of snapshots, 1 to 32767"));
    }
}

static void indices_outside_are_errors_at_the_call(void **state) {
    (void)state;
    static const char *const texts[] = {
        "f(x[n]) = { y = 0; for i in 0:n { y += x[i+1] } }",
        "f(x[n]) = { y = 0; for i in 0:n { y += x[i-1] } }",
        "f(x[n]) = { let A = zeros(n, 2); y = 0; for i in 0:n { y += A[i-i, i+2] } }",
        "f(x[n]) = { let A = zeros(n, 2); for i in 0:n { A[i, i+2] = x[i] }; y = sum(A) }",
        "f(x[n]) = { let u = x; for i in 0:n { u[i+1] = 1 }; y = sum(u) }",
    };
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        wg_error error = {0};
        wg_program *p = parse(texts[k]);
        wg_function *fn = wg_compile(p, NULL, &error);
        int64_t n = 4;
        double out;
        wg_call_with(fn, &n, (const void *[]){point}, (void *[]){&out}, NULL, &error);
        if (!error.status || !strstr(error.message, "is outside"))
            fail_msg("%s: '%s'", texts[k], error.message);
        wg_function_free(fn);
        wg_program_free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_over_ranges),
        cmocka_unit_test(loops_of_several_names),
        cmocka_unit_test(loops_with_steps_and_values_for_ends),
        cmocka_unit_test(loops_with_a_condition),
        cmocka_unit_test(calls_with_an_index),
        cmocka_unit_test(branches),
        cmocka_unit_test(what_cases_share_stays_in_them),
        cmocka_unit_test(the_case_not_taken_sends_nothing),
        cmocka_unit_test(a_divisor_that_changes_in_a_loop),
        cmocka_unit_test(a_value_from_before_the_loop_in_it_and_behind),
        cmocka_unit_test(a_condition_on_what_the_loop_changes),
        cmocka_unit_test(a_parameter_in_the_bound),
        cmocka_unit_test(updates),
        cmocka_unit_test(integers),
        cmocka_unit_test(names_of_bodies),
        cmocka_unit_test(types_of_what_is_carried),
        cmocka_unit_test(conditions_and_ranges),
        cmocka_unit_test(no_bound_is_needed),
        cmocka_unit_test(loops_keep_snapshots),
        cmocka_unit_test(indices_outside_are_errors_at_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
