/* Learning: the adjoints of softmax cross-entropy, of softmax regression and of networks of one to
 * four layers against the formulas derived by hand, each written here as plain loops,
 *
 *     G_{L+1} = S - I_y,    G_i = (G_{i+1} o s'_i) W_i',    dW_i = Z_i' (G_{i+1} o s'_i).
 *
 * Every program is built once and runs at batches of 0, 1, 2 and 17 examples. That training gets
 * anywhere is tested through the examples. */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 4, MAX_WIDTH = 9, MAX_BATCH = 17 };

static const int64_t batches[] = {0, 1, 2, MAX_BATCH};
static const int64_t width[MAX_LAYERS + 1] = {7, 9, 6, 8, 5};

typedef double matrix[MAX_BATCH * MAX_WIDTH]; /* also holds weights: MAX_WIDTH^2 < this size */

static void fill(double *x, int64_t count, wg_random *random) {
    for (int64_t i = 0; i < count; i++) x[i] = wg_random_normal(random);
}

static void assert_near(double x, double expected, double tolerance) {
    if (!(fabs(x - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", x, expected);
}

static void assert_all_near(const wg_tensor *x, const double *expected, double tolerance) {
    int64_t count = wg_tensor_count(x);
    assert_int_equal(x->dtype, WG_F64);
    for (int64_t i = 0; i < count; i++)
        assert_near(((double *)x->data)[i], expected[i], tolerance);
}

/* Runs a program, outputs allocated; asserts success. */
static void run(const wg_program *program, const wg_tensor *input, wg_tensor *output) {
    wg_error error = {0};
    wg_function *fn = wg_compile(program, NULL, &error);
    wg_run(fn, NULL, input, output, &error);
    assert_ok(error);
    wg_function_free(fn);
}

static void free_all(wg_tensor *tensor, size_t count) {
    for (size_t i = 0; i < count; i++) wg_tensor_free(&tensor[i], NULL);
}

/* ---- networks -------------------------------------------------------------------------------- */

enum activation { RELU, SIGMOID, TANH };

static wg_var activate(enum activation s, wg_var a) {
    return s == RELU ? wg_relu(a) : s == SIGMOID ? wg_sigmoid(a) : wg_tanh(a);
}

static double value_of(enum activation s, double a) {
    return s == RELU ? (a > 0 ? a : 0) : s == SIGMOID ? 1 / (1 + exp(-a)) : tanh(a);
}

static double slope_of(enum activation s, double a) {
    double z = value_of(s, a);
    return s == RELU ? (a > 0 ? 1 : 0) : s == SIGMOID ? z * (1 - z) : 1 - z * z;
}

/* Inputs X, y, W1, ..., WL; outputs the summed loss and the derivatives in X, W1, ..., WL. */
static wg_program *network_gradient(int layers, enum activation s) {
    static const char *const name[MAX_LAYERS] = {"W1", "W2", "W3", "W4"};
    static const char *const wrt[MAX_LAYERS] = {"X, W1", "X, W1, W2", "X, W1, W2, W3",
                                                "X, W1, W2, W3, W4"};
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var Z = wg_input(g, "X", wg_f64(n, width[0])), y = wg_input(g, "y", wg_i64(n));
    for (int i = 0; i < layers; i++) {
        Z = wg_matmul(Z, wg_input(g, name[i], wg_f64(width[i], width[i + 1])));
        if (i < layers - 1) Z = activate(s, Z);
    }
    wg_output(g, "loss", wg_sum(wg_cross_entropy(Z, y)));
    wg_program *loss = wg_build(g, &error);
    wg_program *gradient = wg_value_and_grad(loss, wrt[layers - 1], &error);
    assert_ok(error);
    wg_program_free(loss);
    return gradient;
}

/* a f64[n,k], b f64[k,m] -> c f64[n,m]; a_t, b_t: a is f64[k,n], b is f64[m,k] in memory */
static void multiply(const double *a, bool a_t, const double *b, bool b_t, int64_t n, int64_t k,
                     int64_t m, double *c) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++)
                sum += a[a_t ? l * n + i : i * k + l] * b[b_t ? j * k + l : l * m + j];
            c[i * m + j] = sum;
        }
}

/* Logits h f64[n,k] become G = S - I_y; returns the summed loss. */
static double top(double *h, const int64_t *y, int64_t n, int64_t k) {
    double loss = 0;
    for (int64_t i = 0; i < n; i++) {
        double *row = h + i * k, most = row[0], sum = 0;
        for (int64_t j = 1; j < k; j++) most = fmax(most, row[j]);
        for (int64_t j = 0; j < k; j++) sum += exp(row[j] - most);
        loss += most + log(sum) - row[y[i]];
        for (int64_t j = 0; j < k; j++) row[j] = exp(row[j] - most) / sum;
        row[y[i]] -= 1;
    }
    return loss;
}

/* Loss and derivatives by hand. */
static double by_hand(int layers, enum activation s, int64_t n, const double *X, const int64_t *y,
                      matrix *W, double *dX, matrix *dW) {
    static matrix Z[MAX_LAYERS], A[MAX_LAYERS], G, H; /* A_i = Z_i W_i, Z_{i+1} = s(A_i) */
    memcpy(Z[0], X, (size_t)(n * width[0]) * sizeof *X);
    for (int i = 0; i < layers; i++) {
        multiply(Z[i], false, W[i], false, n, width[i], width[i + 1], A[i]);
        for (int64_t k = 0; i < layers - 1 && k < n * width[i + 1]; k++)
            Z[i + 1][k] = value_of(s, A[i][k]);
    }
    memcpy(G, A[layers - 1], sizeof G);
    double loss = top(G, y, n, width[layers]);
    for (int i = layers - 1; i >= 0; i--) {
        for (int64_t k = 0; i < layers - 1 && k < n * width[i + 1]; k++)
            G[k] *= slope_of(s, A[i][k]);
        multiply(Z[i], true, G, false, width[i], n, width[i + 1], dW[i]);
        multiply(G, false, W[i], true, n, width[i + 1], width[i], H);
        memcpy(G, H, sizeof G);
    }
    memcpy(dX, G, (size_t)(n * width[0]) * sizeof *dX);
    return loss;
}

static void check_network(int layers, enum activation s, wg_random *random) {
    static matrix X, dX, W[MAX_LAYERS], dW[MAX_LAYERS];
    int64_t y[MAX_BATCH];
    wg_program *gradient = network_gradient(layers, s);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        int64_t n = batches[b];
        wg_tensor in[2 + MAX_LAYERS] = {{X, WG_F64, 2, {n, width[0]}}, {y, WG_I64, 1, {n}}};
        wg_tensor out[2 + MAX_LAYERS] = {{0}};
        fill(X, n * width[0], random);
        for (int64_t i = 0; i < n; i++)
            y[i] = (int64_t)wg_random_below(random, (uint64_t)width[layers]);
        for (int i = 0; i < layers; i++) {
            fill(W[i], width[i] * width[i + 1], random);
            in[2 + i] = (wg_tensor){W[i], WG_F64, 2, {width[i], width[i + 1]}};
        }
        run(gradient, in, out);
        assert_near(*(double *)out[0].data, by_hand(layers, s, n, X, y, W, dX, dW), 1e-12);
        assert_all_near(&out[1], dX, 1e-12);
        for (int i = 0; i < layers; i++) {
            assert_int_equal(wg_tensor_count(&out[2 + i]), width[i] * width[i + 1]);
            assert_all_near(&out[2 + i], dW[i], 1e-12);
        }
        free_all(out, 2 + MAX_LAYERS);
    }
    wg_program_free(gradient);
}

static void networks_have_the_adjoints_derived_by_hand(void **state) {
    (void)state;
    wg_random random = wg_random_seed(1);
    for (int layers = 1; layers <= MAX_LAYERS; layers++)
        for (int s = RELU; s <= TANH; s++) check_network(layers, (enum activation)s, &random);
}

/* Z = X W: the adjoints are Zbar W' and X' Zbar, for every Zbar. */
static void products_have_products_for_adjoints(void **state) {
    (void)state;
    static matrix X, W, Zbar, expected;
    wg_error error = {0};
    wg_random random = wg_random_seed(2);
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "X", wg_f64(n, 7)), w = wg_input(g, "W", wg_f64(7, 9));
    wg_output(g, "Z", wg_matmul(x, w));
    wg_program *product = wg_build(g, &error), *pullback = wg_vjp(product, NULL, NULL, &error);
    assert_ok(error);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        int64_t rows = batches[b];
        wg_tensor in[] = {{X, WG_F64, 2, {rows, 7}}, {W, WG_F64, 2, {7, 9}},
                          {Zbar, WG_F64, 2, {rows, 9}}};
        wg_tensor out[3] = {{0}};
        for (int i = 0; i < 3; i++) fill(in[i].data, wg_tensor_count(&in[i]), &random);
        run(pullback, in, out);
        multiply(Zbar, false, W, true, rows, 9, 7, expected);
        assert_all_near(&out[1], expected, 1e-12);
        multiply(X, true, Zbar, false, 7, rows, 9, expected);
        assert_all_near(&out[2], expected, 1e-12);
        free_all(out, 3);
    }
    wg_program_free(pullback);
    wg_program_free(product);
}

/* ---- softmax cross-entropy ------------------------------------------------------------------- */

/* Inputs h[n,k], y[n]; outputs the losses l[n], and the derivative of their sum in h. */
static wg_program *cross_entropy_gradient(wg_dtype dtype, wg_dtype label) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n"), k = wg_size(g, "k");
    wg_var h = wg_input(g, "h", wg_type_of(dtype, 2, (wg_extent[]){n, k}));
    wg_var l = wg_cross_entropy(h, wg_input(g, "y", wg_type_of(label, 1, &n)));
    wg_output(g, "total", wg_sum(l));
    wg_output(g, "l", l);
    wg_program *loss = wg_build(g, &error), *gradient = wg_value_and_grad(loss, "h", &error);
    assert_ok(error);
    wg_program_free(loss);
    return gradient;
}

static void cross_entropy_is_minus_log_softmax(void **state) {
    (void)state;
    static matrix h, expected;
    int64_t y[MAX_BATCH];
    wg_random random = wg_random_seed(3);
    wg_program *gradient = cross_entropy_gradient(WG_F64, WG_I64);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
        for (int64_t k = 1; k <= MAX_WIDTH; k += 4) {
            int64_t n = batches[b];
            wg_tensor in[] = {{h, WG_F64, 2, {n, k}}, {y, WG_I64, 1, {n}}}, out[3] = {{0}};
            fill(h, n * k, &random);
            for (int64_t i = 0; i < n; i++) y[i] = (int64_t)wg_random_below(&random, (uint64_t)k);
            memcpy(expected, h, sizeof h);
            run(gradient, in, out);
            assert_near(*(double *)out[0].data, top(expected, y, n, k), 1e-12);
            assert_all_near(&out[2], expected, 1e-12);
            free_all(out, 3);
        }
    wg_program_free(gradient);
}

/* Logits at which exp overflows or vanishes: loss and gradient are what they are in the limit. */
static void cross_entropy_is_safe_for_large_logits(void **state) {
    (void)state;
    double h[4][3] = {{1000, -1000, 0}, {1000, -1000, 0}, {-1000, -1000, -1000}, {1000, 1000, 0}};
    int64_t y[4] = {0, 1, 2, 0};
    double l[4] = {0, 2000, log(3), log(2)};
    double dh[4][3] = {{0, 0, 0}, {1, -1, 0}, {1 / 3., 1 / 3., -2 / 3.}, {-0.5, 0.5, 0}};
    wg_tensor in[] = {{h, WG_F64, 2, {4, 3}}, {y, WG_I64, 1, {4}}}, out[3] = {{0}};
    wg_program *gradient = cross_entropy_gradient(WG_F64, WG_I64);
    run(gradient, in, out);
    assert_all_near(&out[1], l, 1e-12);
    assert_all_near(&out[2], dh[0], 1e-12);
    free_all(out, 3);
    wg_program_free(gradient);
}

static void cross_entropy_takes_f32_and_short_labels(void **state) {
    (void)state;
    float h[] = {1000, -1000, 1, 2};
    int32_t y[] = {1, 0};
    wg_tensor in[] = {{h, WG_F32, 2, {2, 2}}, {y, WG_I32, 1, {2}}}, out[3] = {{0}};
    wg_program *gradient = cross_entropy_gradient(WG_F32, WG_I32);
    run(gradient, in, out);
    const float *l = out[1].data, *dh = out[2].data;
    double p = 1 / (1 + exp(1));
    assert_near((double)l[0], 2000, 1e-6);
    assert_near((double)l[1], -log(p), 1e-6);
    assert_near((double)dh[0], 1, 1e-6);
    assert_near((double)dh[1], -1, 1e-6);
    assert_near((double)dh[2], p - 1, 1e-6);
    assert_near((double)dh[3], 1 - p, 1e-6);
    free_all(out, 3);
    wg_program_free(gradient);
}

static void labels_outside_the_classes_are_refused(void **state) {
    (void)state;
    double h[3] = {0};
    wg_program *gradient = cross_entropy_gradient(WG_F64, WG_I64);
    for (int64_t y = -1; y <= 3; y += 4) {
        wg_error error = {0};
        wg_tensor in[] = {{h, WG_F64, 2, {1, 3}}, {&y, WG_I64, 1, {1}}}, out[3] = {{0}};
        wg_function *fn = wg_compile(gradient, NULL, &error);
        assert_int_equal(wg_run(fn, NULL, in, out, &error), WG_EINDEX);
        wg_function_free(fn);
        free_all(out, 3);
    }
    wg_program_free(gradient);
}

/* ---- softmax regression ---------------------------------------------------------------------- */

/* The mean loss of h = X W has the gradient X' (S - I_y) / n. Of no examples the mean is NaN, and
 * they pull nowhere. */
static void softmax_regression_has_its_closed_gradient(void **state) {
    (void)state;
    static matrix X, W, H, dW;
    int64_t y[MAX_BATCH];
    wg_error error = {0};
    wg_random random = wg_random_seed(4);
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "X", wg_f64(n, 8)), w = wg_input(g, "W", wg_f64(8, 5));
    wg_var h = wg_matmul(x, w), label = wg_input(g, "y", wg_i64(n));
    wg_output(g, "loss", wg_mean(wg_cross_entropy(h, label)));
    wg_program *loss = wg_build(g, &error), *gradient = wg_value_and_grad(loss, "W", &error);
    assert_ok(error);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        int64_t rows = batches[b];
        wg_tensor in[] = {
            {X, WG_F64, 2, {rows, 8}}, {W, WG_F64, 2, {8, 5}}, {y, WG_I64, 1, {rows}}};
        wg_tensor out[2] = {{0}};
        fill(X, rows * 8, &random);
        fill(W, 8 * 5, &random);
        for (int64_t i = 0; i < rows; i++) y[i] = (int64_t)wg_random_below(&random, 5);
        run(gradient, in, out);
        multiply(X, false, W, false, rows, 8, 5, H);
        double total = top(H, y, rows, 5), value = *(double *)out[0].data;
        if (rows == 0) assert_true(isnan(value));
        else assert_near(value, total / (double)rows, 1e-12);
        multiply(X, true, H, false, 8, rows, 5, dW);
        for (int i = 0; i < 8 * 5 && rows > 0; i++) dW[i] /= (double)rows;
        assert_all_near(&out[1], dW, 1e-12);
        free_all(out, 2);
    }
    wg_program_free(gradient);
    wg_program_free(loss);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_have_the_adjoints_derived_by_hand),
        cmocka_unit_test(products_have_products_for_adjoints),
        cmocka_unit_test(cross_entropy_is_minus_log_softmax),
        cmocka_unit_test(cross_entropy_is_safe_for_large_logits),
        cmocka_unit_test(cross_entropy_takes_f32_and_short_labels),
        cmocka_unit_test(labels_outside_the_classes_are_refused),
        cmocka_unit_test(softmax_regression_has_its_closed_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
