/* Rules that callers give for derivatives: in every mode and order, batched, printed and read,
 * eagerly, and refused where they do not fit. */
#include "support/test.h"

#include "support/random_program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- functions and rules --------------------------------------------------------------------- */

/* log(1 + e^x) as it is written, which overflows: f64[n]. */
static wg_program *plain_softplus(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_output(g, "y", wg_log(wg_add(1, wg_exp(x))));
    return wg_build(g, error);
}

/* max(x, 0) + log(1 + e^-|x|), the same and finite. */
static wg_program *stable_softplus(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_output(g, "y", wg_add(wg_max(x, 0), wg_log1p(wg_exp(wg_neg(wg_abs(x))))));
    return wg_build(g, error);
}

/* factor sigma(x) t: a jvp and a vjp at once, since it is diagonal. Its size has another name. */
static wg_program *softplus_slope(double factor, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_extent m = wg_size(g, "m");
    wg_var x = wg_input(g, "x", wg_f64(m)), t = wg_input(g, "t", wg_f64(m));
    wg_output(g, "s", wg_mul(factor, wg_mul(t, wg_sigmoid(x))));
    return wg_build(g, error);
}

/* p as a part of sum(p(w x)^2), of inputs w f64 and x f64[n]. */
static wg_program *squared(const wg_program *p, const wg_rule *rule, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var w = wg_input(g, "w", wg_f64()), x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_var argument = wg_mul(w, x), y = {g, 0};
    if (rule)
        wg_custom(g, p, rule, &argument, &y);
    else
        wg_apply(g, p, &argument, &y);
    wg_output(g, "L", wg_sum(wg_square(y)));
    return wg_build(g, error);
}

/* r = sqrt(x^2 + y^2), phi = atan2(y, x), k (an integer) times r: two floating results, one that is
 * not, and an argument that is not. */
static wg_program *polar(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = wg_input(g, "y", wg_f64());
    wg_var k = wg_input(g, "k", wg_i32());
    wg_output(g, "r", wg_mul(wg_cast(WG_F64, k), wg_hypot(x, y)));
    wg_output(g, "k1", wg_add(k, 1));
    wg_output(g, "phi", wg_atan2(y, x));
    return wg_build(g, error);
}

static wg_program *polar_jvp(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = wg_input(g, "y", wg_f64());
    wg_var k = wg_cast(WG_F64, wg_input(g, "k", wg_i32()));
    wg_var s = wg_input(g, "s", wg_f64()), t = wg_input(g, "t", wg_f64());
    wg_var r = wg_hypot(x, y), square = wg_add(wg_mul(x, x), wg_mul(y, y));
    wg_output(g, "r_dot", wg_mul(k, wg_div(wg_add(wg_mul(x, s), wg_mul(y, t)), r)));
    wg_output(g, "phi_dot", wg_div(wg_sub(wg_mul(x, t), wg_mul(y, s)), square));
    return wg_build(g, error);
}

static wg_program *polar_vjp(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = wg_input(g, "y", wg_f64());
    wg_var k = wg_cast(WG_F64, wg_input(g, "k", wg_i32()));
    wg_var a = wg_mul(k, wg_input(g, "a", wg_f64())), b = wg_input(g, "b", wg_f64());
    wg_var r = wg_hypot(x, y), square = wg_add(wg_mul(x, x), wg_mul(y, y));
    wg_output(g, "x_bar", wg_sub(wg_div(wg_mul(a, x), r), wg_div(wg_mul(b, y), square)));
    wg_output(g, "y_bar", wg_add(wg_div(wg_mul(a, y), r), wg_div(wg_mul(b, x), square)));
    return wg_build(g, error);
}

/* The same two programs in terms of the results, which they take behind the arguments. */
static wg_program *polar_of_results(bool is_jvp, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_input(g, "x", wg_f64());
    wg_input(g, "y", wg_f64());
    wg_var k = wg_cast(WG_F64, wg_input(g, "k", wg_i32()));
    wg_var r = wg_div(wg_input(g, "r", wg_f64()), k), phi = wg_input(g, "phi", wg_f64());
    wg_var a = wg_input(g, "a", wg_f64()), b = wg_input(g, "b", wg_f64());
    wg_var c = wg_cos(phi), s = wg_sin(phi);
    if (is_jvp) {
        wg_output(g, "r_dot", wg_mul(k, wg_add(wg_mul(c, a), wg_mul(s, b))));
        wg_output(g, "phi_dot", wg_div(wg_sub(wg_mul(c, b), wg_mul(s, a)), r));
    } else {
        wg_output(g, "x_bar", wg_sub(wg_mul(wg_mul(k, a), c), wg_div(wg_mul(b, s), r)));
        wg_output(g, "y_bar", wg_add(wg_mul(wg_mul(k, a), s), wg_div(wg_mul(b, c), r)));
    }
    return wg_build(g, error);
}

/* 1 - e^-y t: the slope of softplus by its result y. */
static wg_program *softplus_slope_of_result(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_extent m = wg_size(g, "m");
    wg_input(g, "x", wg_f64(m));
    wg_var y = wg_input(g, "y", wg_f64(m)), t = wg_input(g, "t", wg_f64(m));
    wg_output(g, "s", wg_mul(t, wg_neg(wg_expm1(wg_neg(y)))));
    return wg_build(g, error);
}

/* Both results of polar used, and one of them twice: r phi + sin(r). */
static wg_program *of_polar(const wg_program *p, const wg_rule *rule, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var in[3] = {wg_input(g, "x", wg_f64()), wg_input(g, "y", wg_f64()),
                    wg_input(g, "k", wg_i32())};
    wg_var out[3] = {{g, 0}, {g, 0}, {g, 0}};
    if (rule)
        wg_custom(g, p, rule, in, out);
    else
        wg_apply(g, p, in, out);
    wg_output(g, "L", wg_add(wg_mul(out[0], out[2]), wg_sin(out[0])));
    wg_output(g, "k1", out[1]);
    return wg_build(g, error);
}

/* ---- running --------------------------------------------------------------------------------- */

enum { N = 3, ROOM = 64 };

static wg_tensor scalar(double *x) { return (wg_tensor){x, WG_F64, 0, {0}}; }
static wg_tensor vector(double *x) { return (wg_tensor){x, WG_F64, 1, {N}}; }

/* All outputs of p, floating ones, one behind the other; p is freed. Returns how many numbers. */
static size_t numbers(wg_program *p, const wg_tensor *in, double *result, wg_error *error) {
    if (error->status) fail_msg("%s", error->message);
    wg_function *fn = wg_compile(p, NULL, error);
    wg_tensor out[8] = {{0}};
    size_t count = 0;
    wg_run(fn, NULL, in, out, error);
    if (error->status) fail_msg("%s", error->message);
    for (size_t i = 0; i < wg_output_count(p); i++) {
        for (int64_t k = 0; out[i].dtype == WG_F64 && k < wg_tensor_count(&out[i]); k++)
            result[count++] = ((double *)out[i].data)[k];
        wg_tensor_free(&out[i], NULL);
    }
    assert_true(count <= ROOM);
    wg_function_free(fn);
    wg_program_free(p);
    return count;
}

static void assert_same(wg_program *p, wg_program *q, const wg_tensor *in, wg_error *error) {
    double a[ROOM], b[ROOM];
    size_t count = numbers(p, in, a, error);
    assert_int_equal(count, numbers(q, in, b, error));
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        if (!(fabs(a[i] - b[i]) <= 1e-11 * fmax(1, fabs(a[i]))))
            fail_msg("number %zu: %.17g, not %.17g", i, b[i], a[i]);
}

typedef wg_program *transform(const wg_program *p, wg_error *error);

static wg_program *t_grad(const wg_program *p, wg_error *e) { return wg_grad(p, NULL, e); }
static wg_program *t_hessian(const wg_program *p, wg_error *e) { return wg_hessian(p, NULL, e); }
static wg_program *t_jacobian(const wg_program *p, wg_error *e) {
    return wg_jacobian(p, "L", NULL, WG_FORWARD, e);
}
static wg_program *t_reverse(const wg_program *p, wg_error *e) {
    return wg_jacobian(p, "L", NULL, WG_REVERSE, e);
}
/* Hessians by the other three orders of modes. */
static wg_program *t_reverse_forward(const wg_program *p, wg_error *e) {
    wg_program *j = wg_jacobian(p, "L", NULL, WG_FORWARD, e);
    wg_program *h = wg_jacobian(j, NULL, NULL, WG_REVERSE, e);
    wg_program_free(j);
    return h;
}
static wg_program *t_reverse_reverse(const wg_program *p, wg_error *e) {
    wg_program *j = wg_grad(p, NULL, e), *h = wg_jacobian(j, NULL, NULL, WG_REVERSE, e);
    wg_program_free(j);
    return h;
}
static wg_program *t_forward_forward(const wg_program *p, wg_error *e) {
    wg_program *j = wg_jacobian(p, "L", NULL, WG_FORWARD, e);
    wg_program *h = wg_jacobian(j, NULL, NULL, WG_FORWARD, e);
    wg_program_free(j);
    return h;
}
/* What was printed and read. */
static wg_program *reread(const wg_program *p, wg_error *e) {
    wg_text text = {0};
    wg_program_print(p, &text, e);
    wg_program *q = wg_program_read(text.data ? text.data : "", text.size, NULL, e);
    wg_text again = {0};
    wg_program_print(q, &again, e);
    if (e->status) fail_msg("%s in\n%s", e->message, text.data);
    assert_string_equal(text.data, again.data);
    wg_text_free(&text);
    wg_text_free(&again);
    return q;
}
static wg_program *t_hessian_reread(const wg_program *p, wg_error *e) {
    wg_program *q = reread(p, e), *h = wg_hessian(q, NULL, e), *again = reread(h, e);
    wg_program_free(q);
    wg_program_free(h);
    return again;
}

static transform *const every_mode[] = {t_grad,
                                        t_jacobian,
                                        t_reverse,
                                        t_hessian,
                                        t_reverse_reverse,
                                        t_reverse_forward,
                                        t_forward_forward,
                                        t_hessian_reread};
enum { MODES = sizeof every_mode / sizeof *every_mode };

/* The derivative is refused since the vjp of this rule cannot be transposed. */
#define EXPECT_NOT_LINEAR(name, call)                                                              \
    do {                                                                                           \
        error = (wg_error){0};                                                                     \
        assert_null(call);                                                                         \
        assert_int_equal(error.status, WG_ENORULE);                                                \
        assert_non_null(strstr(error.message, ": the vjp of the rule \"" name                      \
                                              "\" is not linear in the adjoints, "                 \
                                              "so the other mode does not follow from it\n"        \
                                              "  hint: give the rule a jvp too"));                 \
    } while (0)

/* ---- tests ----------------------------------------------------------------------------------- */

static void one_rule_serves_every_mode(void **state) {
    (void)state;
    wg_error error = {0};
    double w = 0.7, x[N] = {-1.5, 0.4, 2};
    wg_tensor in[] = {scalar(&w), vector(x)};
    wg_program *p = plain_softplus(&error), *slope = softplus_slope(1, &error);
    wg_program *of_y = softplus_slope_of_result(&error);
    const wg_rule rule[] = {
        {"softplus", slope, NULL}, {"softplus", NULL, slope}, {"softplus", slope, slope},
        {"softplus", of_y, NULL},  {"softplus", NULL, of_y},  {"softplus", of_y, slope}};
    wg_program *want = squared(p, NULL, &error);
    for (size_t r = 0; r < 6; r++) {
        wg_program *have = squared(p, &rule[r], &error);
        for (size_t m = 0; m < MODES; m++)
            assert_same(every_mode[m](want, &error), every_mode[m](have, &error), in, &error);
        wg_program_free(have);
    }
    wg_program_free(want);
    wg_program_free(p);
    wg_program_free(slope);
    wg_program_free(of_y);
}

static void batches_before_and_after(void **state) {
    (void)state;
    wg_error error = {0};
    double w[2] = {0.7, -0.2}, x[2 * N] = {-1.5, 0.4, 2, 1, -1, 0.5};
    wg_program *p = plain_softplus(&error), *slope = softplus_slope(1, &error);
    wg_program *want = squared(p, NULL, &error);
    wg_program *of_y = softplus_slope_of_result(&error);
    const wg_rule rules[] = {{"softplus", slope, NULL},
                             {"softplus", NULL, slope},
                             {"softplus", of_y, NULL},
                             {"softplus", NULL, of_y}};
    const char *const over[] = {NULL, "x", "w"};
    for (size_t r = 0; r < 4; r++) {
        wg_program *have = squared(p, &rules[r], &error);
        for (size_t o = 0; o < 3; o++) {
            wg_tensor in[] = {{w, WG_F64, 0, {0}}, {x, WG_F64, 1, {N}}};
            if (o != 1) in[0] = (wg_tensor){w, WG_F64, 1, {2}};
            if (o != 2) in[1] = (wg_tensor){x, WG_F64, 2, {2, N}};
            wg_program *g[2], *v[2];
            for (int i = 0; i < 2; i++) {
                const wg_program *one = i ? have : want;
                g[i] = wg_grad(one, NULL, &error);         /* a batch of gradients */
                v[i] = wg_vmap(one, over[o], "b", &error); /* the gradient of a batch */
            }
            assert_same(wg_vmap(g[0], over[o], "b", &error), wg_vmap(g[1], over[o], "b", &error),
                        in, &error);
            wg_program *again = wg_vmap(v[1], NULL, "c", &error); /* in two batches */
            assert_int_equal(error.status, WG_OK);
            wg_program_free(again);
            assert_same(wg_jacobian(v[0], NULL, NULL, WG_REVERSE, &error),
                        wg_jacobian(v[1], NULL, NULL, WG_REVERSE, &error), in, &error);
            assert_same(wg_jacobian(v[0], NULL, NULL, WG_FORWARD, &error),
                        wg_jacobian(v[1], NULL, NULL, WG_FORWARD, &error), in, &error);
            wg_program *read = reread(v[1], &error);
            assert_same(wg_jacobian(v[0], NULL, NULL, WG_FORWARD, &error),
                        wg_jacobian(read, NULL, NULL, WG_FORWARD, &error), in, &error);
            wg_program_free(read);
            for (int i = 0; i < 2; i++) {
                wg_program_free(g[i]);
                wg_program_free(v[i]);
            }
        }
        wg_program_free(have);
    }
    wg_program_free(want);
    wg_program_free(p);
    wg_program_free(slope);
    wg_program_free(of_y);
}

static void two_results_share_a_rule(void **state) {
    (void)state;
    wg_error error = {0};
    double x = 0.8, y = -1.1;
    int32_t k = 2;
    wg_tensor in[] = {scalar(&x), scalar(&y), {&k, WG_I32, 0, {0}}};
    wg_program *p = polar(&error), *jvp = polar_jvp(&error), *vjp = polar_vjp(&error);
    wg_program *of_r = polar_of_results(true, &error), *back = polar_of_results(false, &error);
    const wg_rule rules[] = {{"polar", jvp, NULL},  {"polar", NULL, vjp},  {"polar", jvp, vjp},
                             {"polar", of_r, NULL}, {"polar", NULL, back}, {"polar", of_r, vjp},
                             {"polar", jvp, back},  {"polar", of_r, back}};
    wg_program *want = of_polar(p, NULL, &error);
    for (size_t r = 0; r < 8; r++) {
        wg_program *have = of_polar(p, &rules[r], &error);
        for (size_t m = 0; m < MODES; m++)
            assert_same(every_mode[m](want, &error), every_mode[m](have, &error), in, &error);
        wg_program_free(have);
    }
    wg_program_free(want);
    wg_program_free(p);
    wg_program_free(jvp);
    wg_program_free(vjp);
    wg_program_free(of_r);
    wg_program_free(back);
}

/* The adjoints of both results reach the rule at once, also where it is not linear in them: here
 * x_bar = a b, which is not 0 only if it sees both. */
static void adjoints_of_results_come_together(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64());
    wg_output(g, "p", wg_mul(2, x));
    wg_output(g, "q", wg_mul(3, x));
    wg_program *pair = wg_build(g, &error);
    g = wg_graph_new();
    wg_input(g, "x", wg_f64());
    wg_var a = wg_input(g, "a", wg_f64()), b = wg_input(g, "b", wg_f64());
    wg_output(g, "x_bar", wg_mul(a, b));
    wg_program *vjp = wg_build(g, &error);
    g = wg_graph_new();
    x = wg_input(g, "x", wg_f64());
    wg_var out[2];
    wg_custom(g, pair, (&(wg_rule){"pair", NULL, vjp}), &x, out);
    wg_output(g, "L", wg_add(wg_mul(5, out[0]), wg_mul(7, out[1])));
    wg_program *p = wg_build(g, &error);
    double at = 1, slope[ROOM];
    assert_int_equal(numbers(wg_grad(p, NULL, &error), (wg_tensor[]){scalar(&at)}, slope, &error),
                     1);
    assert_true(slope[0] == 35);
    EXPECT_NOT_LINEAR("pair", wg_jvp(p, NULL, NULL, &error));
    wg_program_free(p);
    wg_program_free(pair);
    wg_program_free(vjp);
}

static void clipped_adjoints(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_output(g, "y", wg_input(g, "x", wg_f64(n)));
    wg_program *same = wg_build(g, &error);
    g = wg_graph_new();
    n = wg_size(g, "n");
    wg_input(g, "x", wg_f64(n));
    wg_output(g, "x_bar", wg_max(-1, wg_min(1, wg_input(g, "y_bar", wg_f64(n)))));
    wg_program *clamp = wg_build(g, &error),
               *p = squared(same, &(wg_rule){"clip", NULL, clamp}, &error);
    /* L = sum (w x)^2: dL/dx = w clip(2 w x) */
    double w = 2, x[N] = {-3, 0.1, 5}, slope[ROOM];
    wg_tensor in[] = {scalar(&w), vector(x)};
    numbers(wg_grad(p, "x", &error), in, slope, &error);
    assert_true(slope[0] == -2 && slope[1] == 0.8 && slope[2] == 2);
    /* reverse over reverse: where 2 y is not clipped, what comes back along it is, 2 w to 1 */
    wg_program *grad = wg_grad(p, "x", &error);
    numbers(wg_jacobian(grad, NULL, "x", WG_REVERSE, &error), in, slope, &error);
    for (int i = 0; i < N * N; i++) assert_true(slope[i] == (i == 4 ? 2 : 0));
    EXPECT_NOT_LINEAR("clip", wg_jvp(p, NULL, "x", &error));
    wg_program_free(grad);
    wg_program_free(p);
    wg_program_free(same);
    wg_program_free(clamp);
}

static void stable_value_and_slope(void **state) {
    (void)state;
    wg_error error = {0};
    double w = 1, x[N] = {-800, 0, 800}, slope[ROOM];
    wg_tensor in[] = {scalar(&w), vector(x)};
    wg_program *p = stable_softplus(&error), *rule = softplus_slope(1, &error);
    wg_program *q = squared(p, &(wg_rule){"softplus", rule, NULL}, &error);
    assert_int_equal(numbers(wg_grad(q, "x", &error), in, slope, &error), N);
    assert_true(slope[0] == 0 && fabs(slope[1] - log(2)) < 1e-15 && slope[2] == 1600);
    for (int order = 0; order < 2; order++) {
        size_t count = numbers(order ? t_forward_forward(q, &error) : wg_hessian(q, NULL, &error),
                               in, slope, &error);
        for (size_t i = 0; i < count; i++) assert_true(isfinite(slope[i]));
    }
    wg_program_free(p);
    wg_program_free(q);
    wg_program_free(rule);
}

/* A rule below a where: what the branch not taken has of infinities stays there. */
static void guarded_by_where(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_output(g, "y", wg_sqrt(wg_input(g, "x", wg_f64())));
    wg_program *root = wg_build(g, &error);
    g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), t = wg_input(g, "t", wg_f64());
    wg_output(g, "s", wg_div(t, wg_mul(2, wg_sqrt(x))));
    wg_program *slope = wg_build(g, &error);
    const wg_rule rules[] = {{"root", slope, NULL}, {"root", NULL, slope}};
    for (size_t r = 0; r < 2; r++) {
        g = wg_graph_new();
        x = wg_input(g, "x", wg_f64());
        wg_var y;
        wg_custom(g, root, &rules[r], &x, &y);
        wg_output(g, "L", wg_where(wg_gt(x, 0), y, 0));
        wg_program *p = wg_build(g, &error);
        double at = 0, out[ROOM];
        for (size_t m = 0; m < 3; m++) {
            numbers(every_mode[m](p, &error), (wg_tensor[]){scalar(&at)}, out, &error);
            assert_true(out[0] == 0);
        }
        wg_program_free(p);
    }
    wg_program_free(root);
    wg_program_free(slope);
}

/* t f64[3] times what is infinite for x = 0 f64[3], by each of the library's products. */
enum { PRODUCTS = 5 };

static wg_var infinite_product(size_t kind, wg_var x, wg_var t) {
    wg_var inf = wg_div(1, x), matrix = wg_add(wg_expand(inf, 0), wg_expand(inf, 1));
    const wg_window same = {.low = {1}, .high = {1}};
    switch (kind) {
    case 0: return wg_mul(t, inf);
    case 1: return wg_div(t, x);
    case 2: return wg_matmul(matrix, t);
    case 3:
        return wg_reshape(wg_conv1d(wg_reshape(t, 1, 1, N), wg_reshape(inf, 1, 1, N), &same), N);
    default: return wg_recur(inf, t, 0);
    }
}

static void no_product_of_a_rule_lets_nan_through(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_output(g, "y", wg_square(wg_input(g, "x", wg_f64(N))));
    wg_program *square = wg_build(g, &error);
    for (size_t kind = 0; kind < PRODUCTS; kind++) {
        g = wg_graph_new();
        wg_var x = wg_input(g, "x", wg_f64(N)), t = wg_input(g, "t", wg_f64(N)), y = {g, 0};
        wg_output(g, "s", infinite_product(kind, x, t));
        wg_program *slope = wg_build(g, &error);
        const wg_rule rules[] = {{"f", slope, NULL}, {"f", NULL, slope}};
        for (size_t r = 0; r < 2; r++) {
            g = wg_graph_new();
            x = wg_input(g, "x", wg_f64(N));
            wg_custom(g, square, &rules[r], &x, &y);
            wg_output(g, "L", wg_sum(wg_where(wg_gt(x, 0), y, 0)));
            wg_program *p = wg_build(g, &error);
            double at[N] = {0}, out[ROOM];
            for (size_t m = 0; m < MODES; m++) {
                size_t count = numbers(every_mode[m](p, &error), (wg_tensor[]){vector(at)}, out,
                                       &error);
                for (size_t i = 0; i < count; i++)
                    if (out[i] != 0)
                        fail_msg("product %zu, rule %zu, mode %zu: %g", kind, r, m, out[i]);
            }
            wg_program_free(p);
        }
        wg_program_free(slope);
    }
    wg_program_free(square);
}

/* The rule's own program has a rule: derivatives of second order are the inner one's, here
 * deliberately 10 times too large. */
static void rules_of_rules(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *ten = softplus_slope(10, &error), *p = plain_softplus(&error);
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), t = wg_input(g, "t", wg_f64(n)), inner;
    wg_custom(g, p, (&(wg_rule){"inner", ten, NULL}), &x, &inner);
    wg_output(g, "s", wg_mul(t, inner));
    wg_program *jvp = wg_build(g, &error);
    g = wg_graph_new();
    x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_var y;
    wg_custom(g, p, (&(wg_rule){"outer", jvp, NULL}), &x, &y);
    wg_output(g, "L", wg_sum(y));
    wg_program *q = wg_build(g, &error), *read = reread(q, &error);
    double at[N] = {-1, 0, 2};
    wg_tensor in[] = {vector(at)};
    for (size_t m = 3; m < MODES; m++) {
        double h[ROOM];
        numbers(every_mode[m](m % 2 ? q : read, &error), in, h, &error);
        for (int i = 0; i < N; i++)
            assert_true(fabs(h[i * N + i] - 10 / (1 + exp(-at[i]))) < 1e-12);
    }
    wg_program_free(ten);
    wg_program_free(p);
    wg_program_free(jvp);
    wg_program_free(q);
    wg_program_free(read);
}

/* What only the value needs has no part in derivatives, and a program that runs has no rules. */
static void values_cost_nothing(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = plain_softplus(&error), *slope = softplus_slope(1, &error);
    wg_program *q = squared(p, &(wg_rule){"softplus", slope, NULL}, &error);
    wg_program *tangent = wg_jvp(q, NULL, NULL, &error), *grad = wg_grad(q, NULL, &error);
    wg_text text = {0};
    wg_program_print(tangent, &text, &error);
    assert_ok(error);
    size_t made = 0; /* the tangent of exp or log would be a division or another exp */
    for (const char *c = text.data; (c = strstr(c, "= div ")); c++) made++;
    assert_int_equal(made, 0);
    wg_text_free(&text);
    wg_function *with = wg_compile(q, NULL, &error);
    wg_program *plain = squared(p, NULL, &error);
    wg_function *without = wg_compile(plain, NULL, &error);
    size_t a = 0, b = 1;
    wg_workspace_size(with, (int64_t[]){1000}, &a, &error);
    wg_workspace_size(without, (int64_t[]){1000}, &b, &error);
    assert_ok(error);
    assert_true(a <= b + 1024);
    wg_function_free(with);
    wg_function_free(without);
    wg_program_free(plain);
    wg_program_free(p);
    wg_program_free(slope);
    wg_program_free(q);
    wg_program_free(tangent);
    wg_program_free(grad);
}

static void eager_graphs_have_rules(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = plain_softplus(&error), *slope = softplus_slope(1, &error);
    const wg_rule rules[] = {{"softplus", slope, NULL}, {"softplus", NULL, slope}};
    assert_ok(error);
    for (size_t r = 0; r < 2; r++) {
        wg_graph *g = wg_eager_new();
        uint32_t mark = wg_mark(g);
        for (int step = 0; step < 50; step++) {
            double at[N] = {-1, 0.5, step * 0.1};
            wg_var x = wg_value(g, wg_f64(N), at), y, dx, ddx;
            wg_custom(g, p, &rules[r], &x, &y);
            wg_var L = wg_sum(wg_square(y));
            wg_backward(L, 1, &x, &dx);
            wg_backward(wg_sum(dx), 1, &x, &ddx);
            assert_ok(*wg_graph_error(g));
            for (int i = 0; i < N; i++) {
                double s = 1 / (1 + exp(-at[i])), f = log1p(exp(at[i]));
                assert_true(fabs(((double *)wg_data(y).data)[i] - f) < 1e-14);
                assert_true(fabs(((double *)wg_data(dx).data)[i] - 2 * f * s) < 1e-13);
                assert_true(fabs(((double *)wg_data(ddx).data)[i] - 2 * (s * s + f * s * (1 - s))) <
                            1e-13);
            }
            wg_rewind(g, mark);
        }
        wg_graph_free(g);
    }
    wg_program_free(p);
    wg_program_free(slope);
}

static void sizes_are_what_arguments_bring(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = plain_softplus(&error), *slope = softplus_slope(1, &error);
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "m"); /* the name that the rule has for another one */
    wg_var x = wg_input(g, "x", wg_f64(n)), twice = wg_concat(0, x, x), y;
    wg_custom(g, p, (&(wg_rule){"softplus", slope, NULL}), &twice, &y); /* n is m + m */
    wg_output(g, "L", wg_sum(y));
    wg_program *q = wg_build(g, &error), *fixed = wg_specialize(q, "m=3", &error);
    double at[N] = {-1, 0, 2}, a[ROOM], b[ROOM];
    wg_tensor in[] = {vector(at)};
    assert_int_equal(numbers(wg_grad(q, NULL, &error), in, a, &error), N);
    assert_int_equal(numbers(wg_grad(fixed, NULL, &error), in, b, &error), N);
    for (int i = 0; i < N; i++)
        assert_true(a[i] == b[i] && fabs(a[i] - 2 / (1 + exp(-at[i]))) < 1e-15);
    wg_program_free(p);
    wg_program_free(slope);
    wg_program_free(q);
    wg_program_free(fixed);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static wg_program *with_rule(const wg_program *p, const wg_rule *rule, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input_at("f.c", 1, g, "x", wg_f64(N)), y[3] = {{g, 0}, {g, 0}, {g, 0}};
    wg_custom_at("f.c", 2, g, p, rule, &x, y);
    wg_output_at("f.c", 3, g, "y", y[0]);
    return wg_build(g, error);
}

static void rules_that_do_not_fit(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = plain_softplus(&error), *slope = softplus_slope(1, &error);
    wg_graph *g = wg_graph_new();
    wg_input(g, "x", wg_f64(N));
    wg_output(g, "s", wg_sum(wg_input(g, "t", wg_f64(N))));
    wg_program *summed = wg_build(g, &error);
    g = wg_graph_new();
    wg_input(g, "x", wg_f64(N));
    wg_output(g, "s", wg_cast(WG_F64, wg_input(g, "t", wg_f32(N))));
    wg_program *single = wg_build(g, &error);
    assert_ok(error);
    EXPECT_ERROR(WG_ESHAPE,
                 "f.c:2: custom \"f\": output \"s\" of the jvp is f64, but floating result 1 is "
                 "f64[3]",
                 with_rule(p, &(wg_rule){"f", summed, NULL}, &error));
    EXPECT_ERROR(WG_EDTYPE,
                 "f.c:2: custom \"f\": input \"t\" of the vjp is f32[3], but floating result 1 is "
                 "f64[3]",
                 with_rule(p, &(wg_rule){"f", NULL, single}, &error));
    EXPECT_ERROR(WG_EARGUMENT,
                 "f.c:2: custom \"f\": the jvp has 1 inputs and 1 outputs; 2 inputs, of which 1 "
                 "tangents, and 1 outputs are needed\n"
                 "  hint: or 3 inputs, if it takes the results behind the arguments",
                 with_rule(p, &(wg_rule){"f", p, NULL}, &error));
    EXPECT_ERROR(WG_EARGUMENT, "f.c:2: custom: both programs of the rule are NULL",
                 with_rule(p, &(wg_rule){"f", NULL, NULL}, &error));
    EXPECT_ERROR(WG_EARGUMENT, "f.c:2: custom: the rule's name is NULL",
                 with_rule(p, &(wg_rule){NULL, slope, NULL}, &error));
    EXPECT_ERROR(WG_EARGUMENT, "f.c:2: custom: the rule is NULL", with_rule(p, NULL, &error));
    EXPECT_ERROR(WG_ENAME,
                 "f.c:2: a rule cannot be named \"a b\"\n"
                 "  hint: letters, digits, '_' and '.', not beginning with a digit",
                 with_rule(p, &(wg_rule){"a b", slope, NULL}, &error));
    wg_program_free(p);
    wg_program_free(slope);
    wg_program_free(summed);
    wg_program_free(single);
}

static void texts_of_rules_that_are_none(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"rule \"f\"\n", "line 3: 'jvp' or 'vjp' expected"},
        {"rule \"f\"\njvp\n%1 = input \"x\" : f64\noutput \"y\" %1\n",
         "line 6: the program of a rule without its end"},
        {"rule \"f\"\njvp\nend\n", "a program without outputs"},
        {"rule \"f\"\njvp\n%1 = sin %2 : f64\nend\n",
         "line 4: a value that is not defined above"},
        {"%1 = input \"x\" : f64\n%2 = custom {0, 1, 0} %1 %1 : f64\noutput \"y\" %2\n",
         "custom: attributes that it does not have"},
        {"%1 = input \"x\" : f64\n%2 = external {0, 1, 0, 0, 1, 4, 0} %1 : f64\n",
         "external: attributes that it does not have"},
        {"rule \"f\"\nvjp\n%1 = input \"x\" : f64\n%2 = input \"t\" : f32\noutput \"s\" %1\n"
         "end\n%1 = input \"x\" : f64\n%2 = custom {0, 1, 0} %1 %1 : f64\noutput \"y\" %2\n",
         "custom \"f\": input \"t\" of the vjp is f32, but floating result 1 is f64"},
        {"rule \"f\"\nvjp\n%1 = input \"x\" : f64\noutput \"s\" %1\nend\n"
         "rule \"f\"\nvjp\n%1 = input \"x\" : f64\noutput \"s\" %1\nend\n",
         "line 12: a rule that stands above already"},
    };
    char text[1024];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wg_error error = {0};
        snprintf(text, sizeof text, "wengert 1\n%s", cases[i].text);
        assert_null(wg_program_read(text, strlen(text), NULL, &error));
        if (!strstr(error.message, cases[i].message))
            fail_msg("%s\nis not: %s", error.message, cases[i].message);
    }
    char *at = text;
    at += sprintf(at, "wengert 1\n");
    for (int i = 0; i < 9; i++) at += sprintf(at, "rule \"f\"\njvp\n");
    wg_error error = {0};
    assert_null(wg_program_read(text, strlen(text), NULL, &error));
    assert_non_null(strstr(error.message, "rules inside rules, too deep"));
}

static void traces_show_the_rule(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = plain_softplus(&error), *slope = softplus_slope(1, &error);
    wg_program *q = squared(p, &(wg_rule){"softplus", slope, NULL}, &error);
    wg_text text = {0};
    wg_cost with, without;
    wg_show_trace(q, &(wg_show_options){.format = WG_TEXT, .tangent = true}, &text, &error);
    wg_program *plain = squared(p, NULL, &error);
    wg_count_operations(q, (int64_t[]){10}, false, &with, &error);
    wg_count_operations(plain, (int64_t[]){10}, false, &without, &error);
    assert_ok(error);
    assert_non_null(strstr(text.data, " = softplus(v"));
    assert_true(with.functions == without.functions && with.additions == without.additions);
    wg_text_free(&text);
    wg_program_free(p);
    wg_program_free(slope);
    wg_program_free(q);
    wg_program_free(plain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rule_serves_every_mode),
        cmocka_unit_test(batches_before_and_after),
        cmocka_unit_test(two_results_share_a_rule),
        cmocka_unit_test(adjoints_of_results_come_together),
        cmocka_unit_test(clipped_adjoints),
        cmocka_unit_test(stable_value_and_slope),
        cmocka_unit_test(guarded_by_where),
        cmocka_unit_test(no_product_of_a_rule_lets_nan_through),
        cmocka_unit_test(rules_of_rules),
        cmocka_unit_test(values_cost_nothing),
        cmocka_unit_test(eager_graphs_have_rules),
        cmocka_unit_test(sizes_are_what_arguments_bring),
        cmocka_unit_test(rules_that_do_not_fit),
        cmocka_unit_test(texts_of_rules_that_are_none),
        cmocka_unit_test(traces_show_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
