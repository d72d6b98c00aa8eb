/* Vector and matrix calculus: derivatives of textbook functions against their closed forms, written
 * here as plain loops, and against differences, on seeded random data. Each function is built once
 * and runs at named sizes of 0, 1, 2 and 17, a Hessian-vector product at a large one too. The last
 * part is about shapes: what a derivative of a vector or matrix by another looks like. */
#include "support/random_program.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 17, FEATURES = 3 };
static const int64_t sizes[] = {0, 1, 2, MOST};
#define EACH_SIZE(n)                                                                               \
    for (const int64_t *at_ = sizes, *n = at_; n < sizes + sizeof sizes / sizeof *sizes; n++)

/* ---- helpers --------------------------------------------------------------------------------- */

static const double *data(const wg_tensor *x) {
    return x->data;
}

static double dot(int64_t n, const double *a, const double *b) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static double logistic(double x) {
    return 1 / (1 + exp(-x));
}

static void assert_near(double x, double expected, double tolerance) {
    if (x == expected) return; /* infinities too */
    if (!(fabs(x - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", x, expected);
}

static void assert_all_near(const wg_tensor *x, int64_t count, const double *expected,
                            double tolerance) {
    assert_int_equal(x->dtype, WG_F64);
    assert_int_equal(wg_tensor_count(x), count);
    for (int64_t i = 0; i < count; i++) assert_near(data(x)[i], expected[i], tolerance);
}

/* The output of a program with this name, of the tensors that run_program gave. */
static const wg_tensor *named(const wg_program *program, const wg_tensor *output,
                              const char *name) {
    int index = wg_output_index(program, name);
    if (index < 0) fail_msg("no output \"%s\"", name);
    return &output[index];
}

static void check_output(const wg_program *program, int64_t n, const wg_tensor *input,
                         const char *name, int64_t count, const double *expected) {
    wg_tensor *output = run_program(program, n, input);
    assert_all_near(named(program, output, name), count, expected, 1e-12);
    free_tensors(output, wg_output_count(program));
}

static wg_program *build(wg_graph *g) {
    wg_error error = {0};
    wg_program *program = wg_build(g, &error);
    assert_ok(error);
    return program;
}

/* Differences of output `of` by input 0 agree with a Jacobian. */
static void check_differences(const wg_program *program, const wg_tensor *input, size_t of,
                              int64_t count, const double *jacobian) {
    wg_error error = {0};
    double *numeric = calloc((size_t)count + 1, sizeof *numeric);
    wg_numeric_jacobian(program, NULL, input, of, 0, WG_CENTRAL, 0, numeric, &error);
    assert_ok(error);
    for (int64_t i = 0; i < count; i++) assert_near(numeric[i], jacobian[i], 1e-7);
    free(numeric);
}

/* ---- scalar functions of a vector x: value, gradient, Hessian -------------------------------- */

struct closed {
    double y, gradient[MOST], hessian[MOST * MOST];
};

struct function {
    void (*build)(wg_graph *g); /* x is the first input, y the only output */
    void (*closed)(int64_t n, const wg_tensor *input, struct closed *c); /* n elements of x */
};

/* 1/2 x'Ax - b'x + c: gradient 1/2 (A + A') x - b, Hessian 1/2 (A + A') */
static void quadratic(wg_graph *g) {
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), A = wg_input(g, "A", wg_f64(n, n));
    wg_var b = wg_input(g, "b", wg_f64(n)), c = wg_input(g, "c", wg_f64());
    wg_var xAx = wg_matmul(x, wg_matmul(A, x));
    wg_output(g, "y", wg_add(wg_sub(wg_mul(0.5, xAx), wg_matmul(b, x)), c));
}
static void quadratic_closed(int64_t n, const wg_tensor *input, struct closed *f) {
    const double *x = data(&input[0]), *A = data(&input[1]), *b = data(&input[2]);
    f->y = *data(&input[3]) - dot(n, b, x);
    for (int64_t i = 0; i < n; i++) {
        f->y += 0.5 * x[i] * dot(n, A + i * n, x);
        for (int64_t j = 0; j < n; j++) f->hessian[i * n + j] = 0.5 * (A[i * n + j] + A[j * n + i]);
        f->gradient[i] = dot(n, f->hessian + i * n, x) - b[i];
    }
}

/* -exp(-x'x): gradient 2 x exp(-x'x), Hessian (2 I - 4 x x') exp(-x'x) */
static void bell(wg_graph *g) {
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_output(g, "y", wg_neg(wg_exp(wg_neg(wg_matmul(x, x)))));
}
static void bell_closed(int64_t n, const wg_tensor *input, struct closed *f) {
    const double *x = data(&input[0]), e = exp(-dot(n, x, x));
    f->y = -e;
    for (int64_t i = 0; i < n; i++) {
        f->gradient[i] = 2 * x[i] * e;
        for (int64_t j = 0; j < n; j++)
            f->hessian[i * n + j] = ((i == j ? 2 : 0) - 4 * x[i] * x[j]) * e;
    }
}

/* ln(1 + exp<a,x>): gradient s(<a,x>) a, Hessian s (1 - s) a a', s the logistic function */
static void soft(wg_graph *g) {
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), a = wg_input(g, "a", wg_f64(n));
    wg_output(g, "y", wg_softplus(wg_matmul(a, x)));
}
static void soft_closed(int64_t n, const wg_tensor *input, struct closed *f) {
    const double *a = data(&input[1]), z = dot(n, a, data(&input[0])), s = logistic(z);
    f->y = log1p(exp(z));
    for (int64_t i = 0; i < n; i++) {
        f->gradient[i] = s * a[i];
        for (int64_t j = 0; j < n; j++) f->hessian[i * n + j] = s * (1 - s) * a[i] * a[j];
    }
}

/* x1^2 + 2 x2^2: gradient (2 x1, 4 x2) */
static void ellipse(wg_graph *g) {
    wg_var x = wg_input(g, "x", wg_f64(2));
    wg_var x1 = wg_slice(x, 0, 0, 1, 1), x2 = wg_slice(x, 0, 1, 2, 1);
    wg_output(g, "y", wg_sum(wg_add(wg_square(x1), wg_mul(2, wg_square(x2)))));
}
static void ellipse_closed(int64_t n, const wg_tensor *input, struct closed *f) {
    const double *x = data(&input[0]);
    *f = (struct closed){.y = x[0] * x[0] + 2 * x[1] * x[1], .gradient = {2 * x[0], 4 * x[1]}};
    f->hessian[0] = 2;
    f->hessian[n + 1] = 4;
}

/* ln sum exp x: gradient p, Hessian diag p - p p', p the softmax of x. Of nothing it is -inf. */
static void log_sum_exp(wg_graph *g) {
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_output(g, "y", wg_logsumexp(x));
}
static void log_sum_exp_closed(int64_t n, const wg_tensor *input, struct closed *f) {
    const double *x = data(&input[0]);
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += exp(x[i]);
    f->y = log(sum);
    for (int64_t i = 0; i < n; i++) f->gradient[i] = exp(x[i]) / sum;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            f->hessian[i * n + j] = f->gradient[i] * ((i == j ? 1 : 0) - f->gradient[j]);
}

/* What log-likelihood and squared error share: w[FEATURES], X[n,FEATURES], t[n]. */
static void add_regression_inputs(wg_graph *g, wg_var *z, wg_var *t) {
    wg_extent n = wg_size(g, "n");
    wg_var w = wg_input(g, "w", wg_f64(FEATURES)), X = wg_input(g, "X", wg_f64(n, FEATURES));
    *t = wg_input(g, "t", wg_f64(n));
    *z = wg_matmul(X, w);
}

/* Adds an example's share: slope and curvature of its loss in z = x'w. */
static void add_example(struct closed *f, const double *x, double slope, double curvature) {
    for (int i = 0; i < FEATURES; i++) {
        f->gradient[i] += slope * x[i];
        for (int j = 0; j < FEATURES; j++)
            f->hessian[i * FEATURES + j] += curvature * x[i] * x[j];
    }
}

/* sum t log p + (1 - t) log(1 - p), p = 1 / (1 + exp(-x'w)): gradient X'(t - p), Hessian
 * -X' diag(p (1 - p)) X */
static void log_likelihood(wg_graph *g) {
    wg_var z, t;
    add_regression_inputs(g, &z, &t);
    wg_var p = wg_div(1, wg_add(1, wg_exp(wg_neg(z))));
    wg_var yes = wg_mul(t, wg_log(p)), no = wg_mul(wg_sub(1, t), wg_log(wg_sub(1, p)));
    wg_output(g, "y", wg_sum(wg_add(yes, no)));
}
static void log_likelihood_closed(int64_t n, const wg_tensor *input, struct closed *f) {
    (void)n;
    *f = (struct closed){0};
    for (int64_t k = 0; k < input[1].shape[0]; k++) {
        const double *x = data(&input[1]) + k * FEATURES, t = data(&input[2])[k];
        double p = logistic(dot(FEATURES, x, data(&input[0])));
        f->y += t * log(p) + (1 - t) * log(1 - p);
        add_example(f, x, t - p, -p * (1 - p));
    }
}

/* sum (x'w - t)^2: gradient 2 X'(Xw - t), Hessian 2 X'X */
static void squared_error(wg_graph *g) {
    wg_var z, t;
    add_regression_inputs(g, &z, &t);
    wg_output(g, "y", wg_sum(wg_square(wg_sub(z, t))));
}
static void squared_error_closed(int64_t n, const wg_tensor *input, struct closed *f) {
    (void)n;
    *f = (struct closed){0};
    for (int64_t k = 0; k < input[1].shape[0]; k++) {
        const double *x = data(&input[1]) + k * FEATURES;
        double r = dot(FEATURES, x, data(&input[0])) - data(&input[2])[k];
        f->y += r * r;
        add_example(f, x, 2 * r, 2);
    }
}

/* All that can be derived from one function, each program built once. */
struct derived {
    wg_program *y, *gradient, *forward, *reverse, *hessian, *hvp;
    const char *dy, *dydx, *d2y, *Hx; /* names of outputs */
};

static void check_point(const struct function *f, const struct derived *d, int64_t n,
                        wg_random *random) {
    static struct closed c;
    wg_tensor *input = random_inputs(d->hvp, n, random); /* those of f, then a direction */
    int64_t count = wg_tensor_count(&input[0]);
    double Hv[MOST];
    f->closed(count, input, &c);
    const double *v = data(&input[wg_input_count(d->y)]);
    for (int64_t i = 0; i < count; i++) Hv[i] = dot(count, c.hessian + i * count, v);

    check_output(d->y, n, input, "y", 1, &c.y);
    check_output(d->gradient, n, input, d->dy, count, c.gradient);
    check_output(d->forward, n, input, d->dydx, count, c.gradient);
    check_output(d->reverse, n, input, d->dydx, count, c.gradient);
    check_output(d->hessian, n, input, d->d2y, count * count, c.hessian);
    check_output(d->hvp, n, input, d->Hx, count, Hv);
    check_differences(d->y, input, 0, count, c.gradient);
    check_differences(d->gradient, input, 0, count * count, c.hessian);
    free_tensors(input, wg_input_count(d->hvp));
}

/* A test whose state is the function. */
static void function_has_its_closed_derivatives(void **state) {
    const struct function *f = *state;
    wg_error error = {0};
    wg_random random = wg_random_seed(1);
    wg_graph *g = wg_graph_new();
    f->build(g);
    struct derived d = {.y = build(g)};
    const char *x = wg_input_name(d.y, 0);
    bool w = *x == 'w';
    d.dy = w ? "dw" : "dx";
    d.dydx = w ? "dy_dw" : "dy_dx";
    d.d2y = w ? "d2y_dw_dw" : "d2y_dx_dx";
    d.Hx = w ? "Hw" : "Hx";
    d.gradient = wg_grad(d.y, x, &error);
    d.forward = wg_jacobian(d.y, NULL, x, WG_FORWARD, &error);
    d.reverse = wg_jacobian(d.y, NULL, x, WG_REVERSE, &error);
    d.hessian = wg_hessian(d.y, x, &error);
    d.hvp = wg_hvp(d.y, x, &error);
    assert_ok(error);
    EACH_SIZE(n) check_point(f, &d, *n, &random);
    wg_program *all[] = {d.y, d.gradient, d.forward, d.reverse, d.hessian, d.hvp};
    for (int i = 0; i < 6; i++) wg_program_free(all[i]);
}

/* ln(1 + exp z) at z = <a,x> = 1000 and -1000: function, gradient and Hessian are finite. */
static void softplus_is_safe_far_out(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    soft(g);
    wg_program *y = build(g), *hessian = wg_hessian(y, "x", &error);
    wg_program *gradient = wg_value_and_grad(y, "x", &error);
    assert_ok(error);
    for (int sign = -1; sign <= 1; sign += 2) {
        double x[] = {sign * 100., 0}, a[] = {10, 3}, zero[4] = {0};
        wg_tensor input[] = {{x, WG_F64, 1, {2}}, {a, WG_F64, 1, {2}}};
        check_output(gradient, 2, input, "y", 1, (double[]){sign > 0 ? 1000 : 0});
        check_output(gradient, 2, input, "dx", 2, sign > 0 ? a : zero);
        check_output(hessian, 2, input, "d2y_dx_dx", 4, zero);
    }
    wg_program_free(gradient);
    wg_program_free(hessian);
    wg_program_free(y);
}

/* log(p / (1 - p)) is w'x again, and its gradients are x and w. */
static void log_odds_are_linear(void **state) {
    (void)state;
    wg_error error = {0};
    wg_random random = wg_random_seed(2);
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var w = wg_input(g, "w", wg_f64(n)), x = wg_input(g, "x", wg_f64(n));
    wg_var p = wg_sigmoid(wg_matmul(w, x));
    wg_output(g, "odds", wg_log(wg_div(p, wg_sub(1, p))));
    wg_program *odds = build(g), *gradient = wg_value_and_grad(odds, "w, x", &error);
    assert_ok(error);
    EACH_SIZE(size) {
        wg_tensor *input = random_inputs(odds, *size, &random);
        double z = dot(*size, data(&input[0]), data(&input[1]));
        check_output(gradient, *size, input, "odds", 1, &z);
        check_output(gradient, *size, input, "dw", *size, data(&input[1]));
        check_output(gradient, *size, input, "dx", *size, data(&input[0]));
        free_tensors(input, 2);
    }
    wg_program_free(gradient);
    wg_program_free(odds);
}

/* ---- products with derivatives that are never formed ----------------------------------------- */

/* Bytes of workspace at n elements. */
static size_t workspace_at(const wg_program *program, int64_t n) {
    wg_error error = {0};
    size_t bytes = 0;
    wg_function *fn = wg_compile(program, NULL, &error);
    wg_workspace_size(fn, &n, &bytes, &error);
    assert_ok(error);
    wg_function_free(fn);
    return bytes;
}

/* y = exp z: the pullback is ybar o y. With a Jacobian it would need n^2 numbers. */
static void pullback_of_exp_is_a_product(void **state) {
    (void)state;
    wg_error error = {0};
    wg_random random = wg_random_seed(3);
    wg_graph *g = wg_graph_new();
    wg_output(g, "y", wg_exp(wg_input(g, "z", wg_f64(wg_size(g, "n")))));
    wg_program *y = build(g), *pullback = wg_vjp(y, NULL, NULL, &error);
    assert_ok(error);
    EACH_SIZE(n) {
        double expected[MOST];
        wg_tensor *input = random_inputs(pullback, *n, &random);
        for (int64_t i = 0; i < *n; i++)
            expected[i] = data(&input[1])[i] * exp(data(&input[0])[i]);
        check_output(pullback, *n, input, "z_bar", *n, expected);
        free_tensors(input, 2);
    }
    assert_true(workspace_at(pullback, 1000000) < 8 * 1000000 + 65536);
    wg_program_free(pullback);
    wg_program_free(y);
}

/* The Hessian of ln sum exp times v is p o v - p (p'v), here where no Hessian would fit. */
static void hessian_vector_products_need_no_hessian(void **state) {
    (void)state;
    enum { N = 100000 };
    wg_error error = {0};
    wg_random random = wg_random_seed(4);
    wg_graph *g = wg_graph_new();
    log_sum_exp(g);
    wg_program *y = build(g), *hvp = wg_hvp(y, NULL, &error);
    assert_ok(error);
    wg_tensor *input = random_inputs(hvp, N, &random), *output = run_program(hvp, N, input);
    const double *x = data(&input[0]), *v = data(&input[1]);
    double sum = 0, pv = 0;
    for (int i = 0; i < N; i++) sum += exp(x[i]), pv += exp(x[i]) * v[i];
    for (int i = 0; i < N; i++) {
        double p = exp(x[i]) / sum, Hv = p * v[i] - p * pv / sum;
        assert_near(data(named(hvp, output, "Hx"))[i] * N, Hv * N, 1e-9);
    }
    assert_true(workspace_at(hvp, N) < 8 * 8 * N + 65536);
    free_tensors(output, wg_output_count(hvp));
    free_tensors(input, 2);
    wg_program_free(hvp);
    wg_program_free(y);
}

/* ---- shapes of derivatives ------------------------------------------------------------------- */

/* An output of f and its Jacobian in x, input 0, by both modes: shape and numbers. */
static void check_jacobian(const wg_program *f, int64_t n, const wg_tensor *input, int rank,
                           const int64_t *shape, const double *expected) {
    wg_error error = {0};
    int64_t count = 1;
    for (int i = 0; i < rank; i++) count *= shape[i];
    for (int mode = WG_AUTO_MODE; mode <= WG_REVERSE; mode++) {
        wg_program *J = wg_jacobian(f, "y", "x", (wg_mode)mode, &error);
        assert_ok(error);
        wg_tensor *output = run_program(J, n, input);
        const wg_tensor *dy_dx = named(J, output, "dy_dx");
        assert_int_equal(dy_dx->rank, rank);
        for (int i = 0; i < rank; i++) assert_int_equal(dy_dx->shape[i], shape[i]);
        assert_all_near(dy_dx, count, expected, 1e-12);
        free_tensors(output, wg_output_count(J));
        wg_program_free(J);
    }
    check_differences(f, input, 0, count, expected);
}

/* y = sin(a x), y[n] of a scalar x: dy/dx = a cos(a x), f64[n] */
static void scalar_to_vector(void **state) {
    (void)state;
    wg_random random = wg_random_seed(5);
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), a = wg_input(g, "a", wg_f64(wg_size(g, "n")));
    wg_output(g, "y", wg_sin(wg_mul(a, x)));
    wg_program *f = build(g);
    EACH_SIZE(n) {
        double J[MOST];
        wg_tensor *input = random_inputs(f, *n, &random);
        for (int64_t i = 0; i < *n; i++) {
            double ai = data(&input[1])[i];
            J[i] = ai * cos(ai * *data(&input[0]));
        }
        check_jacobian(f, *n, input, 1, n, J);
        free_tensors(input, 2);
    }
    wg_program_free(f);
}

/* y = x'x, a scalar of x[n]: dy/dx = 2 x, f64[n] */
static void vector_to_scalar(void **state) {
    (void)state;
    wg_random random = wg_random_seed(6);
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_output(g, "y", wg_matmul(x, x));
    wg_program *f = build(g);
    EACH_SIZE(n) {
        double J[MOST];
        wg_tensor *input = random_inputs(f, *n, &random);
        for (int64_t i = 0; i < *n; i++) J[i] = 2 * data(&input[0])[i];
        check_jacobian(f, *n, input, 1, n, J);
        free_tensors(input, 1);
    }
    wg_program_free(f);
}

/* y = A exp x, y[FEATURES] of x[n]: dy/dx = A diag(exp x), f64[FEATURES,n] */
static void vector_to_vector(void **state) {
    (void)state;
    wg_random random = wg_random_seed(7);
    wg_graph *g = wg_graph_new();
    wg_extent size = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(size)), A = wg_input(g, "A", wg_f64(FEATURES, size));
    wg_output(g, "y", wg_matmul(A, wg_exp(x)));
    wg_program *f = build(g);
    EACH_SIZE(n) {
        double J[FEATURES * MOST];
        wg_tensor *input = random_inputs(f, *n, &random);
        for (int64_t k = 0; k < FEATURES * *n; k++)
            J[k] = data(&input[1])[k] * exp(data(&input[0])[k % *n]);
        check_jacobian(f, *n, input, 2, (int64_t[]){FEATURES, *n}, J);
        free_tensors(input, 2);
    }
    wg_program_free(f);
}

/* y = A x B, y[n,2] of x[FEATURES,2]: dy_ij / dx_kl = A_ik B_lj, f64[n,2,FEATURES,2] */
static void matrix_to_matrix(void **state) {
    (void)state;
    wg_random random = wg_random_seed(8);
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(FEATURES, 2));
    wg_var A = wg_input(g, "A", wg_f64(wg_size(g, "n"), FEATURES));
    wg_var B = wg_input(g, "B", wg_f64(2, 2));
    wg_output(g, "y", wg_matmul(wg_matmul(A, x), B));
    wg_program *f = build(g);
    EACH_SIZE(n) {
        double J[MOST * 2 * FEATURES * 2], *entry = J;
        wg_tensor *input = random_inputs(f, *n, &random);
        const double *a = data(&input[1]), *b = data(&input[2]);
        for (int64_t i = 0; i < *n; i++)
            for (int j = 0; j < 2; j++)
                for (int k = 0; k < FEATURES; k++)
                    for (int l = 0; l < 2; l++) *entry++ = a[i * FEATURES + k] * b[l * 2 + j];
        check_jacobian(f, *n, input, 4, (int64_t[]){*n, 2, FEATURES, 2}, J);
        free_tensors(input, 3);
    }
    wg_program_free(f);
}

/* The chain rule in vector form: d f(x(t))/dt = J dx/dt for x(t) = sin(a t), f(x) = tanh(A x). */
static void tangent_of_a_curve(void **state) {
    (void)state;
    wg_error error = {0};
    wg_random random = wg_random_seed(9);
    wg_graph *g = wg_graph_new();
    wg_extent size = wg_size(g, "n");
    wg_var t = wg_input(g, "t", wg_f64()), a = wg_input(g, "a", wg_f64(size));
    wg_var A = wg_input(g, "A", wg_f64(FEATURES, size));
    wg_output(g, "y", wg_tanh(wg_matmul(A, wg_sin(wg_mul(a, t)))));
    wg_program *curve = build(g), *tangent = wg_jvp(curve, NULL, "t", &error);

    g = wg_graph_new();
    size = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(size));
    A = wg_input(g, "A", wg_f64(FEATURES, size));
    wg_output(g, "y", wg_tanh(wg_matmul(A, x)));
    wg_program *f = build(g), *jacobian = wg_jacobian(f, NULL, "x", WG_AUTO_MODE, &error);
    assert_ok(error);

    EACH_SIZE(n) {
        wg_tensor *input = random_inputs(tangent, *n, &random); /* t, a, A, t_dot */
        double at[MOST], speed[MOST], expected[FEATURES], time = *data(&input[0]);
        *(double *)input[3].data = 1;
        for (int64_t i = 0; i < *n; i++) {
            double rate = data(&input[1])[i];
            at[i] = sin(rate * time);
            speed[i] = rate * cos(rate * time);
        }
        wg_tensor point[] = {{at, WG_F64, 1, {*n}}, input[2]};
        wg_tensor *J = run_program(jacobian, *n, point);
        for (int i = 0; i < FEATURES; i++) expected[i] = dot(*n, data(&J[0]) + i * *n, speed);
        check_output(tangent, *n, input, "y_dot", FEATURES, expected);
        check_differences(curve, input, 0, FEATURES, expected);
        free_tensors(J, 1);
        free_tensors(input, 4);
    }
    wg_program *all[] = {curve, tangent, f, jacobian};
    for (int i = 0; i < 4; i++) wg_program_free(all[i]);
}

#define FUNCTION(f)                                                                                \
    {#f "_has_its_closed_derivatives", function_has_its_closed_derivatives, NULL, NULL,            \
     &(struct function){f, f##_closed}}

int main(void) {
    const struct CMUnitTest tests[] = {
        FUNCTION(quadratic),
        FUNCTION(bell),
        FUNCTION(soft),
        FUNCTION(ellipse),
        FUNCTION(log_sum_exp),
        FUNCTION(log_likelihood),
        FUNCTION(squared_error),
        cmocka_unit_test(softplus_is_safe_far_out),
        cmocka_unit_test(log_odds_are_linear),
        cmocka_unit_test(pullback_of_exp_is_a_product),
        cmocka_unit_test(hessian_vector_products_need_no_hessian),
        cmocka_unit_test(scalar_to_vector),
        cmocka_unit_test(vector_to_scalar),
        cmocka_unit_test(vector_to_vector),
        cmocka_unit_test(matrix_to_matrix),
        cmocka_unit_test(tangent_of_a_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
