/* A network of L layers, Z_{i+1} = s(Z_i W_i), with softmax cross-entropy on top, differentiated
 * twice: by Wengert, and by the formulas that one derives by hand,
 *
 *     G_{L+1} = S - I_y,    G_i = (G_{i+1} o s'_i) W_i',    dW_i = Z_i' (G_{i+1} o s'_i),
 *
 * where S is the softmax of the logits, I_y has a one at each label, o multiplies elementwise, and
 * s'_i is the slope of layer i (that of the last layer is 1: it has no activation). The table shows
 * the largest difference of the two for every layer: nothing but rounding. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>

enum { L = 4, N = 17, WIDEST = 16, CLASSES = 5 };
static const int64_t width[L + 1] = {12, WIDEST, 14, WIDEST, CLASSES};

enum activation { RELU, SIGMOID, TANH, ACTIVATIONS };
static const char *const activation_name[ACTIVATIONS] = {"relu", "sigmoid", "tanh"};

static wg_var activate(enum activation s, wg_var a) {
    return s == RELU ? wg_relu(a) : s == SIGMOID ? wg_sigmoid(a) : wg_tanh(a);
}

/* The slope, written with the value z that the activation gave. */
static wg_var slope(enum activation s, wg_var z) {
    if (s == RELU) return wg_cast(WG_F64, wg_gt(z, 0));
    return s == SIGMOID ? wg_mul(z, wg_sub(1, z)) : wg_sub(1, wg_square(z));
}

struct network { /* labels i64[n], weights, and what enters each layer and leaves the last */
    wg_var y, W[L], Z[L + 1];
};

static struct network forward(wg_graph *g, enum activation s) {
    static const char *const name[L] = {"W1", "W2", "W3", "W4"};
    struct network net;
    wg_extent n = wg_size(g, "n");
    net.Z[0] = wg_input(g, "X", wg_f64(n, width[0]));
    net.y = wg_input(g, "y", wg_i64(n));
    for (int i = 0; i < L; i++) {
        net.W[i] = wg_input(g, name[i], wg_f64(width[i], width[i + 1]));
        wg_var a = wg_matmul(net.Z[i], net.W[i]);
        net.Z[i + 1] = i < L - 1 ? activate(s, a) : a;
    }
    return net;
}

static wg_program *by_wengert(enum activation s, wg_error *error) {
    wg_graph *g = wg_graph_new();
    struct network net = forward(g, s);
    wg_output(g, "loss", wg_sum(wg_cross_entropy(net.Z[L], net.y)));
    wg_program *loss = wg_build(g, error);
    wg_program *gradient = wg_grad(loss, "W1, W2, W3, W4", error);
    wg_program_free(loss);
    return gradient;
}

static wg_program *by_hand(enum activation s, wg_error *error) {
    static const char *const name[L] = {"dW1", "dW2", "dW3", "dW4"};
    wg_graph *g = wg_graph_new();
    struct network net = forward(g, s);
    wg_extent n = wg_extent_of(net.y, 0);
    wg_var I_y = wg_cast(WG_F64, wg_eq(wg_reshape(net.y, n, 1), wg_iota(g, CLASSES))), dW[L];
    wg_var G = wg_sub(wg_softmax(net.Z[L], 1), I_y);
    for (int i = L - 1; i >= 0; i--) {
        if (i < L - 1) G = wg_mul(G, slope(s, net.Z[i + 1]));
        dW[i] = wg_matmul(wg_transpose(net.Z[i]), G);
        G = wg_matmul(G, wg_transpose(net.W[i]));
    }
    for (int i = 0; i < L; i++) wg_output(g, name[i], dW[i]);
    return wg_build(g, error);
}

/* The largest |a - b| over the largest |a|. */
static double difference(const wg_tensor *a, const wg_tensor *b) {
    const double *x = a->data, *y = b->data;
    double apart = 0, scale = 0;
    for (int64_t i = 0; i < wg_tensor_count(a); i++) {
        apart = fmax(apart, fabs(x[i] - y[i]));
        scale = fmax(scale, fabs(x[i]));
    }
    return apart / scale;
}

static void compare(enum activation s, wg_tensor *input, wg_error *error) {
    wg_program *ours = by_wengert(s, error), *theirs = by_hand(s, error);
    wg_function *f = wg_compile(ours, NULL, error), *h = wg_compile(theirs, NULL, error);
    wg_tensor dW[L] = {{0}}, expected[L] = {{0}};
    wg_run(f, NULL, input, dW, error);
    wg_run(h, NULL, input, expected, error);
    if (!error->status) printf("%-8s", activation_name[s]);
    for (int i = 0; i < L; i++) {
        if (!error->status) printf("  dW%d %.1e", i + 1, difference(&dW[i], &expected[i]));
        wg_tensor_free(&dW[i], NULL), wg_tensor_free(&expected[i], NULL);
    }
    if (!error->status) puts("");
    wg_function_free(h);
    wg_function_free(f);
    wg_program_free(theirs);
    wg_program_free(ours);
}

int main(void) {
    static double X[N * WIDEST], W[L][WIDEST * WIDEST];
    int64_t y[N];
    wg_random random = wg_random_seed(1);
    for (int i = 0; i < N * WIDEST; i++) X[i] = wg_random_normal(&random);
    for (int i = 0; i < N; i++) y[i] = (int64_t)wg_random_below(&random, CLASSES);
    wg_tensor input[2 + L] = {{X, WG_F64, 2, {N, width[0]}}, {y, WG_I64, 1, {N}}};
    for (int i = 0; i < L; i++) {
        double sigma = sqrt(2. / (double)(width[i] + width[i + 1])); /* Glorot and Bengio, 2010 */
        for (int k = 0; k < WIDEST * WIDEST; k++) W[i][k] = sigma * wg_random_normal(&random);
        input[2 + i] = (wg_tensor){W[i], WG_F64, 2, {width[i], width[i + 1]}};
    }
    wg_error error = {0};
    for (int s = 0; s < ACTIVATIONS; s++) compare((enum activation)s, input, &error);
    if (error.status) fprintf(stderr, "deep: %s\n", error.message);
    return error.status != WG_OK;
}
