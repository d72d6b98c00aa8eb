/* Taylor series: every operation of the table, random programs, loops and branches against nested
 * forward mode along the same curve; closed forms to high order; edge points; solutions of
 * differential equations; what higher orders cost; and what is refused. */
#include "support/op_check.h"
#include "support/op_values.h"
#include "support/random_program.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORDER = 4 };

#define assert_near(a, b, off)                                                                     \
    do {                                                                                           \
        double a_ = (a), b_ = (b);                                                                 \
        if (!(fabs(a_ - b_) <= (off) * (1 + fabs(b_)))) fail_msg("%.17g is not %.17g", a_, b_);    \
    } while (0)

static bool is_float(wg_type type) { return type.dtype == WG_F64 || type.dtype == WG_F32; }

/* ---- the same by nested forward mode --------------------------------------------------------- */

/* The inputs of wg_taylor(p, ORDER), then t: the floating outputs of p at x(t). */
static wg_program *along_curve(const wg_program *p, wg_error *error) {
    wg_graph *g = wg_graph_new();
    size_t inputs = wg_input_count(p), outputs = wg_output_count(p);
    wg_var in[8], x[8], out[8] = {{0}};
    for (size_t i = 0; i < wg_size_count(p); i++) wg_size(g, wg_size_name(p, i));
    for (size_t i = 0; i < inputs; i++)
        x[i] = in[i] = wg_input(g, wg_input_name(p, i), wg_input_type(p, i));
    wg_var series[8];
    for (size_t i = 0; i < inputs; i++) {
        wg_type type = wg_input_type(p, i);
        if (!is_float(type)) continue;
        char name[32];
        snprintf(name, sizeof name, "%s_series", wg_input_name(p, i));
        memmove(type.extent + 1, type.extent, type.rank * sizeof *type.extent);
        type.extent[0] = ORDER;
        type.rank++;
        series[i] = wg_input(g, name, type);
    }
    wg_var t = wg_input(g, "t", wg_f64());
    for (size_t i = 0; i < inputs; i++) {
        if (!is_float(wg_input_type(p, i))) continue;
        wg_var sum = wg_take(series[i], wg_cast(WG_I64, wg_number(g, WG_F64, ORDER - 1)), 0);
        for (int k = ORDER - 2; k >= 0; k--)
            sum = wg_add(wg_take(series[i], wg_cast(WG_I64, wg_number(g, WG_F64, k)), 0),
                         wg_mul(t, sum));
        x[i] = wg_add(in[i], wg_mul(t, sum));
    }
    wg_apply(g, p, x, out);
    for (size_t i = 0; i < outputs; i++) wg_output(g, wg_output_name(p, i), out[i]);
    return wg_build(g, error);
}

/* The k-th derivatives by t of the floating outputs, k = 1 .. ORDER; NULL at the first error. */
static void nested(const wg_program *curve, wg_program **derivative, wg_error *error) {
    const wg_program *last = curve;
    for (int k = 0; k < ORDER; k++)
        last = derivative[k] = wg_jacobian(last, NULL, "t", WG_FORWARD, error);
}

/* Fails unless the series of p's outputs at these inputs (those of wg_taylor, then t = 0) are those
 * of nested forward mode. */
static void compare(const wg_program *p, int64_t n, wg_tensor *in, double off, const char *what) {
    wg_error error = {0}, other = {0};
    wg_program *taylor = wg_taylor(p, NULL, NULL, ORDER, &error);
    wg_program *curve = along_curve(p, &other), *derivative[ORDER] = {NULL};
    assert_ok(other);
    nested(curve, derivative, &other);
    if (error.status || other.status) {
        if (error.status != other.status)
            fail_msg("%s: \"%s\", nested \"%s\"", what, error.message, other.message);
    } else {
        wg_program_verify(taylor, &error);
        assert_ok(error);
        size_t outputs = wg_output_count(p), number = 0;
        wg_tensor *out = run_program(taylor, n, in);
        for (int k = 0; k < ORDER; k++) {
            double factorial = tgamma(k + 2);
            wg_tensor *d = run_program(derivative[k], n, in);
            number = 0;
            for (size_t i = 0; i < outputs; i++) {
                if (!is_float(wg_output_type(p, i))) continue;
                const double *a = (const double *)out[outputs + number].data, *b = d[number].data;
                int64_t count = wg_tensor_count(&d[number]);
                for (int64_t j = 0; j < count; j++) {
                    double c = a[k * count + j], e = b[j] / factorial;
                    if (!(fabs(c - e) <= off * (1 + fabs(e))))
                        fail_msg("%s: coefficient %d of %s[%d] is %.17g, nested %.17g", what, k + 1,
                                 wg_output_name(p, i), (int)j, c, e);
                }
                number++;
            }
            free_tensors(d, number);
        }
        free_tensors(out, outputs + number);
    }
    for (int k = 0; k < ORDER; k++) wg_program_free(derivative[k]);
    wg_program_free(curve);
    wg_program_free(taylor);
}

/* The inputs of p from `draw`, their series from -spread .. spread, and t = 0. */
static wg_tensor *curve_inputs(const wg_program *p, wg_tensor *x, double spread,
                               wg_random *random) {
    size_t inputs = wg_input_count(p), count = inputs;
    wg_tensor *in = calloc(2 * inputs + 1, sizeof *in);
    assert_non_null(in);
    memcpy(in, x, inputs * sizeof *in);
    for (size_t i = 0; i < inputs; i++) {
        if (!is_float(wg_input_type(p, i))) continue;
        wg_tensor *s = &in[count++];
        *s = x[i];
        memmove(s->shape + 1, s->shape, (size_t)s->rank * sizeof *s->shape);
        s->shape[0] = ORDER;
        s->rank++;
        int64_t elements = wg_tensor_count(s);
        s->data = calloc((size_t)elements + 1, sizeof(double));
        assert_non_null(s->data);
        for (int64_t k = 0; k < elements; k++)
            ((double *)s->data)[k] = spread * (2 * wg_random_uniform(random) - 1);
    }
    in[count] = (wg_tensor){.dtype = WG_F64, .data = calloc(1, sizeof(double))};
    assert_non_null(in[count].data);
    return in;
}

static size_t curve_input_count(const wg_program *p) {
    size_t count = wg_input_count(p) + 1;
    for (size_t i = 0; i < wg_input_count(p); i++) count += is_float(wg_input_type(p, i));
    return count;
}

/* ---- the table ------------------------------------------------------------------------------- */

static void check_sample(unsigned op, const struct op_sample *s, void *ctx) {
    static const char *const name[] = {"x0", "x1", "x2"};
    wg_error error = {0};
    bool floats = false;
    (*(int *)ctx)++;
    for (size_t i = 0; i < s->narg; i++) floats |= dtype_is_float(s->arg[i].dtype);
    if (!floats) return;
    wg_graph *g = graph_new(NULL);
    value arg[3] = {0};
    for (size_t i = 0; i < s->narg; i++) arg[i] = graph_input(g, name[i], &s->arg[i]);
    value y = s->make ? s->make(g, arg) : graph_emit(g, op, 0, arg, s->narg);
    if (!g->error.status && !value_is_float(&g->t, y)) {
        wg_graph_free(g);
        return;
    }
    graph_output(g, "y", y);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    wg_random random = wg_random_seed(op);
    wg_tensor x[3];
    for (size_t i = 0; i < s->narg; i++) {
        struct op_typing typing = {WG_F64, (wg_dtype)s->arg[i].dtype, WG_F64};
        x[i] = op_draw(s, i, typing, false, &random);
    }
    wg_tensor *in = curve_inputs(p, x, 0.25, &random);
    char what[160];
    snprintf(what, sizeof what, "%s (%s)", op_def(op)->name, s->note ? s->note : "");
    compare(p, 0, in, 1e-11, what);
    free_tensors(in, curve_input_count(p));
    wg_program_free(p);
}

static void every_operation_has_the_series_of_nested_forward_mode(void **state) {
    (void)state;
    int samples = 0;
    op_each_sample(check_sample, &samples);
    assert_true(samples > 150);
}

/* Convolutions are sums of products of two: no operation is linear in more than two arguments, each
 * on its own. */
static void no_operation_is_trilinear(void **state) {
    (void)state;
    for (unsigned op = 1; op < OP_COUNT; op++) {
        const struct op_def *def = op_def(op);
        if (def->class != MULTILINEAR) continue;
        assert_int_equal(__builtin_popcount(def->linear_mask), 2);
    }
}

static void random_programs_have_the_series_of_nested_forward_mode(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 6 + (int)seed, seed % 2 == 0, NULL, &error);
        assert_ok(error);
        for (int s = 0; s < 4; s++) {
            int64_t n = (int64_t[]){0, 1, 2, 17}[s];
            wg_random random = wg_random_seed(seed);
            wg_tensor *x = random_inputs(p, n, &random);
            wg_tensor *in = curve_inputs(p, x, 0.25, &random);
            char what[32];
            snprintf(what, sizeof what, "program %d, n = %d", (int)seed, (int)n);
            compare(p, n, in, 1e-9, what);
            free_tensors(in, curve_input_count(p));
            free(x);
        }
        wg_program_free(p);
    }
}

/* ---- loops and branches ---------------------------------------------------------------------- */

/* A carry, slices, a capture and a collection; backwards if asked. */
static wg_program *recurrence(bool backwards) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n, 2)), w = wg_input(g, "w", wg_f64());
    wg_loop *loop = wg_loop_begin(g, n);
    if (backwards) wg_loop_backwards(loop);
    wg_var s = wg_loop_carry(loop, wg_full(g, wg_f64(2), 0.5)), xi = wg_loop_slice(loop, x);
    wg_var next = wg_add(wg_mul(wg_sin(s), wg_exp(w)), wg_square(xi)), r[2] = {{0}};
    wg_loop_next(loop, s, next);
    wg_loop_collect(loop, wg_mul(next, wg_sum(xi)));
    wg_loop_end(loop, r);
    wg_output(g, "last", r[0]);
    wg_output(g, "all", wg_tanh(r[1]));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

/* Newton's method for sqrt(x) until it is there, inside of a branch by the sign of w. */
static wg_program *conditional(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), w = wg_input(g, "w", wg_f64());
    wg_branch *branch = wg_branch_begin(g, wg_gt(w, 0));
    wg_loop *loop = wg_loop_begin(g, 40);
    wg_var target = wg_add(wg_square(x), 1), r = wg_loop_carry(loop, target), root[1] = {{0}};
    wg_loop_while(loop, wg_gt(wg_abs(wg_sub(wg_square(r), target)), 1e-13));
    wg_loop_next(loop, r, wg_mul(0.5, wg_add(r, wg_div(target, r))));
    wg_loop_end(loop, root);
    wg_branch_case(branch, wg_mul(root[0], w));
    wg_branch_case(branch, wg_log(wg_add(wg_square(w), x)));
    wg_var y[1] = {{0}};
    wg_branch_end(branch, y);
    wg_output(g, "y", wg_mul(y[0], wg_cos(x)));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static void compare_at(const wg_program *p, int64_t n, uint64_t seed, double off,
                       const char *what) {
    wg_random random = wg_random_seed(seed);
    wg_tensor *x = random_inputs(p, n, &random);
    wg_tensor *in = curve_inputs(p, x, 0.25, &random);
    compare(p, n, in, off, what);
    free_tensors(in, curve_input_count(p));
    free(x);
}

static void loops_and_branches_carry_series(void **state) {
    (void)state;
    wg_program *forth = recurrence(false), *back = recurrence(true), *choice = conditional();
    for (int s = 0; s < 4; s++) {
        compare_at(forth, (int64_t[]){0, 1, 2, 17}[s], 1, 1e-11, "a loop");
        compare_at(back, (int64_t[]){0, 1, 2, 17}[s], 2, 1e-11, "a loop backwards");
    }
    for (uint64_t seed = 1; seed <= 6; seed++) compare_at(choice, 0, seed, 1e-9, "a branch");
    wg_program_free(forth);
    wg_program_free(back);
    wg_program_free(choice);
}

/* ---- closed forms ---------------------------------------------------------------------------- */

enum { HIGH = 24 };

/* Coefficients 1 .. HIGH of a formula of x at x = at + t. */
static void series_of(const char *formula, double at, double *series) {
    wg_error error = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program *taylor = wg_taylor(p, NULL, NULL, HIGH, &error);
    wg_function *fn = wg_compile(taylor, NULL, &error);
    assert_ok(error);
    double in[HIGH] = {1}, y;
    wg_call_with(fn, NULL, (const void *[]){&at, in}, (void *[]){&y, series}, NULL, &error);
    assert_ok(error);
    wg_function_free(fn);
    wg_program_free(taylor);
    wg_program_free(p);
}

static void closed_forms_hold_to_order_24(void **state) {
    (void)state;
    double s[HIGH], factorial = 1;
    static const char *const formula[] = {"exp(x)",   "sin(x)",      "cosh(x)", "1/(1 - x)",
                                          "log1p(x)", "sqrt(1 + x)", "atan(x)", "x^3"};
    for (size_t f = 0; f < sizeof formula / sizeof *formula; f++) {
        series_of(formula[f], 0, s);
        double binomial = 1;
        factorial = 1;
        for (int k = 1; k <= HIGH; k++) {
            factorial *= k;
            binomial *= (1.5 - k) / k;
            double odd = k % 2, sign = k / 2 % 2 ? -1 : 1, other = k % 2 ? 1 : -1;
            double exact[] = {1 / factorial,
                              odd ? sign / factorial : 0,
                              odd ? 0 : 1 / factorial,
                              1,
                              other / k,
                              binomial,
                              odd ? sign / k : 0,
                              k == 3};
            if (!(fabs(s[k - 1] - exact[f]) <= 1e-14 * fabs(exact[f])))
                fail_msg("%s: coefficient %d is %.17g, not %.17g", formula[f], k, s[k - 1],
                         exact[f]);
        }
    }
}

/* Where the nested rules hold, so do the series: powers at 0, choices, a branch that is not
 * taken. */
static void edge_points_have_their_series(void **state) {
    (void)state;
    double s[HIGH];
    series_of("x^-2", 2, s); /* (2 + t)^-2 = 1/4 - t/4 + 3/16 t^2 - ... */
    assert_near(s[0], -0.25, 1e-15);
    assert_near(s[1], 3.0 / 16, 1e-15);
    series_of("abs(x) + max(x, 0) + relu(x)", 0, s);
    assert_near(s[0], 0.5, 0);
    assert_near(s[1], 0, 0);
    series_of("where(x > 0, sqrt(x), sin(x))", 0, s);
    assert_near(s[0], 1, 0);
    assert_near(s[2], -1.0 / 6, 1e-15);
    series_of("hypot(x, 0) + norm([x, 0])", 0, s);
    assert_near(s[0], 0, 0);
    assert_near(s[HIGH - 1], 0, 0);
    series_of("2^x", 0, s); /* log(2)^k / k! */
    assert_near(s[2], pow(log(2), 3) / 6, 1e-15);
    series_of("x^x", 1, s); /* 1 + t + t^2 + t^3/2 + ... */
    assert_near(s[0], 1, 1e-15);
    assert_near(s[1], 1, 1e-15);
    assert_near(s[2], 0.5, 1e-15);
}

/* Order 1 is forward mode, to the number of instructions that a slice and a stack are more. */
static void order_one_is_forward_mode(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 20, false, NULL, &error);
        wg_program *taylor = wg_taylor(p, "y", "c", 1, &error), *jvp = wg_jvp(p, "y", "c", &error);
        assert_ok(error);
        wg_random random = wg_random_seed(seed);
        wg_tensor *in = random_inputs(jvp, 3, &random);
        wg_tensor *a = run_program(jvp, 3, in);
        wg_tensor last = in[wg_input_count(jvp) - 1], *series = &in[wg_input_count(jvp) - 1];
        memmove(series->shape + 1, series->shape, (size_t)series->rank * sizeof *series->shape);
        series->shape[0] = 1;
        series->rank++;
        wg_tensor *b = run_program(taylor, 3, in);
        assert_near(((double *)b[2].data)[0], ((double *)a[2].data)[0], 1e-14);
        assert_true(wg_program_length(taylor) <= wg_program_length(jvp) + 8);
        *series = last;
        free_tensors(in, wg_input_count(jvp));
        free_tensors(a, wg_output_count(jvp));
        free_tensors(b, wg_output_count(taylor));
        wg_program_free(p);
        wg_program_free(jvp);
        wg_program_free(taylor);
    }
}

static void single_precision_has_series_too(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f32());
    wg_output(g, "y", wg_exp(wg_sin(x)));
    wg_program *p = wg_build(g, &error), *taylor = wg_taylor(p, NULL, NULL, 3, &error);
    wg_function *fn = wg_compile(taylor, NULL, &error);
    assert_ok(error);
    float at = 0, in[3] = {1, 0, 0}, y, s[3]; /* 1 + t + t^2/2 + 0 t^3 */
    wg_call_with(fn, NULL, (const void *[]){&at, in}, (void *[]){&y, s}, NULL, &error);
    assert_ok(error);
    assert_near((double)s[0], 1, 1e-6);
    assert_near((double)s[1], 0.5, 1e-6);
    assert_near((double)s[2], 0, 1e-6);
    wg_function_free(fn);
    wg_program_free(taylor);
    wg_program_free(p);
}

/* ---- differential equations ------------------------------------------------------------------ */

/* x' = y, y' = -x: cosine and minus sine, all coefficients in one call. */
static void a_rotation_has_the_series_of_sine_and_cosine(void **state) {
    (void)state;
    wg_error error = {0};
    const char *text = "f(x, y) = { dx = y; dy = -x }";
    wg_program *p = wg_parse(text, strlen(text), NULL, &error);
    wg_program *ode = wg_taylor_ode(p, "dx, dy", "x, y", HIGH, &error);
    wg_function *fn = wg_compile(ode, NULL, &error);
    assert_ok(error);
    assert_string_equal(wg_output_name(ode, 1), "y_series");
    double x = 1, y = 0, sx[HIGH], sy[HIGH], factorial = 1;
    wg_call_with(fn, NULL, (const void *[]){&x, &y}, (void *[]){sx, sy}, NULL, &error);
    assert_ok(error);
    for (int k = 1; k <= HIGH; k++) {
        factorial *= k;
        double sign = (k + 1) / 2 % 2 ? -1 : 1;
        assert_near(sx[k - 1] * factorial, k % 2 ? 0 : sign, 1e-14);
        assert_near(sy[k - 1] * factorial, k % 2 ? sign : 0, 1e-14);
    }
    wg_function_free(fn);
    wg_program_free(ode);
    wg_program_free(p);
}

/* Riccati's x' = 1 + x^2 with the square added up by a loop, x = tan(t): the loop carries series of
 * every order that the equation asks for. A parameter stays as it is. */
static void an_equation_may_have_loops_and_parameters(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input(g, "a", wg_f64()), x = wg_input(g, "x", wg_f64());
    wg_loop *loop = wg_loop_begin(g, 4);
    wg_var s = wg_loop_carry(loop, a), r[1] = {{0}};
    wg_loop_next(loop, s, wg_add(s, wg_div(wg_square(x), 4)));
    wg_loop_end(loop, r);
    wg_output(g, "rate", r[0]);
    wg_program *p = wg_build(g, &error);
    wg_program *ode = wg_taylor_ode(p, "rate", "x", 7, &error);
    wg_function *fn = wg_compile(ode, NULL, &error);
    assert_ok(error);
    double one = 1, zero = 0, y[7], tangent[7] = {1, 0, 1.0 / 3, 0, 2.0 / 15, 0, 17.0 / 315};
    wg_call_with(fn, NULL, (const void *[]){&one, &zero}, (void *[]){y}, NULL, &error);
    assert_ok(error);
    for (int k = 0; k < 7; k++) assert_near(y[k], tangent[k], 1e-15);
    wg_function_free(fn);
    wg_program_free(ode);
    wg_program_free(p);
}

/* ---- cost ------------------------------------------------------------------------------------ */

static size_t length_of(const wg_program *p, int order) {
    wg_error error = {0};
    wg_program *taylor = wg_taylor(p, NULL, NULL, order, &error);
    assert_ok(error);
    size_t length = wg_program_length(taylor);
    wg_program_free(taylor);
    return length;
}

static void twice_the_order_costs_at_most_four_times(void **state) {
    (void)state;
    static const char *const formula[] = {"exp(sin(x)*y)/(1 + x^2)",
                                          "sqrt(x)*tanh(y) + atan2(x, y)", "erf(x)*log(y)*gelu(x)",
                                          "hypot(x, y)^2.5*asin(x/8)", "x^y + softplus(x)*silu(y)",
        "f(x[5]) = cumprod(x) + softmax(x)*norm(x)"};
    for (size_t f = 0; f < sizeof formula / sizeof *formula; f++) {
        wg_error error = {0};
        wg_program *p = wg_parse(formula[f], strlen(formula[f]), NULL, &error);
        assert_ok(error);
        double ratio = (double)length_of(p, 16) / (double)length_of(p, 8);
        if (!(ratio <= 4))
            fail_msg("%s: order 16 has %.3g times the length of 8", formula[f], ratio);
        wg_program_free(p);
    }
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void what_has_no_series_is_refused(void **state) {
    (void)state;
    wg_error error = {0};
    const char *text = "f(x, y[2]) = { u = x; v = 2*y }";
    wg_program *p = wg_parse(text, strlen(text), NULL, &error);
    assert_ok(error);
    EXPECT_ERROR(WG_EARGUMENT, "taylor: order 0; 1 to 64 are possible",
                 wg_taylor(p, NULL, NULL, 0, &error));
    EXPECT_ERROR(WG_EARGUMENT, "taylor: order 65; 1 to 64 are possible",
                 wg_taylor_ode(p, NULL, NULL, 65, &error));
    EXPECT_ERROR(WG_EARGUMENT, "taylor: 1 outputs as the derivatives of 2 inputs",
                 wg_taylor_ode(p, "u", NULL, 3, &error));
    EXPECT_ERROR(
        WG_ESHAPE,
        "taylor: output \"v\" is f64[2] and cannot be the derivative of input \"x\", which "
        "is f64",
        wg_taylor_ode(p, "v", "x", 3, &error));
    error = (wg_error){0};
    assert_null(wg_taylor(p, NULL, "z", 3, &error));
    assert_int_equal(error.status, WG_ENAME);
    wg_program_free(p);
    error = (wg_error){0};
    text = "f(x[1,1,1,1,1,1,1,1]) = 2*x";
    p = wg_parse(text, strlen(text), NULL, &error);
    assert_ok(error);
    EXPECT_ERROR(WG_ESHAPE, "taylor: a value of rank 8 has no room for an axis of coefficients",
                 wg_taylor(p, NULL, NULL, 3, &error));
    wg_program_free(p);
    assert_null(wg_taylor(NULL, NULL, NULL, 3, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_the_series_of_nested_forward_mode),
        cmocka_unit_test(no_operation_is_trilinear),
        cmocka_unit_test(random_programs_have_the_series_of_nested_forward_mode),
        cmocka_unit_test(loops_and_branches_carry_series),
        cmocka_unit_test(closed_forms_hold_to_order_24),
        cmocka_unit_test(edge_points_have_their_series),
        cmocka_unit_test(order_one_is_forward_mode),
        cmocka_unit_test(single_precision_has_series_too),
        cmocka_unit_test(a_rotation_has_the_series_of_sine_and_cosine),
        cmocka_unit_test(an_equation_may_have_loops_and_parameters),
        cmocka_unit_test(twice_the_order_costs_at_most_four_times),
        cmocka_unit_test(what_has_no_series_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
