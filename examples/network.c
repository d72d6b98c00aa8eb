/* A network of two layers, h = relu(X W1) W2, learns handwritten digits. The whole training step is
 * one program: the gradient becomes part of a larger graph, which takes the step too, and the new
 * weights are donated the buffers of the old ones, so that they change in place.
 *
 *     network [FOLDER]      the folder of the four MNIST files, data/digits if none is given */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { HIDDEN = 64, CLASSES = 10, BATCH = 50, EPOCHS = 20 };

/* What model and step take, in this order; the rate only the step. */
enum { IMAGE, LABEL, ROWS, W1, W2, RATE, INPUTS };

static void make_inputs(wg_graph *g, int64_t pixels, wg_var *in) {
    wg_extent N = wg_size(g, "N"), n = wg_size(g, "n");
    in[IMAGE] = wg_input(g, "image", wg_f64(N, pixels));
    in[LABEL] = wg_input(g, "label", wg_i64(N));
    in[ROWS] = wg_input(g, "rows", wg_i32(n));
    in[W1] = wg_input(g, "W1", wg_f64(pixels, HIDDEN));
    in[W2] = wg_input(g, "W2", wg_f64(HIDDEN, CLASSES));
}

/* Of the images numbered in `rows`: their mean loss, and how many come out wrong. */
static wg_program *make_model(int64_t pixels, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var in[INPUTS];
    make_inputs(g, pixels, in);
    wg_var X = wg_take(in[IMAGE], in[ROWS], 0), y = wg_take(in[LABEL], in[ROWS], 0);
    wg_var h = wg_matmul(wg_relu(wg_matmul(X, in[W1])), in[W2]);
    wg_output(g, "loss", wg_mean(wg_cross_entropy(h, y)));
    wg_output(g, "wrong", wg_sum(wg_cast(WG_I64, wg_ne(wg_argmax(h, 1), y))));
    return wg_build(g, error);
}

/* W := W - rate dW for both layers. */
static wg_program *make_step(const wg_program *model, int64_t pixels, wg_error *error) {
    wg_program *gradient = wg_grad(model, "W1, W2", error);
    wg_graph *g = wg_graph_new();
    wg_var in[INPUTS], d[2] = {{0}};
    make_inputs(g, pixels, in);
    in[RATE] = wg_input(g, "rate", wg_f64());
    wg_apply(g, gradient, in, d);
    wg_output(g, "W1_new", wg_sub(in[W1], wg_mul(in[RATE], d[0])));
    wg_output(g, "W2_new", wg_sub(in[W2], wg_mul(in[RATE], d[1])));
    wg_program_free(gradient);
    return wg_build(g, error);
}

/* Images as rows of pixels, f64[N,pixels], and labels i64[N]. */
static void read_data(const char *folder, const char *part, wg_tensor *in, wg_error *error) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", folder, part);
    wg_idx_read(path, WG_F64, 1, NULL, &in[IMAGE], error);
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", folder, part);
    wg_idx_read(path, WG_I64, 1, NULL, &in[LABEL], error);
    double *pixel = in[IMAGE].data, white = 1;
    int64_t count = pixel ? wg_tensor_count(&in[IMAGE]) : 0;
    for (int64_t i = 0; i < count; i++) white = pixel[i] > white ? pixel[i] : white;
    for (int64_t i = 0; i < count; i++) pixel[i] /= white;
    in[IMAGE].shape[1] *= in[IMAGE].shape[2]; /* the data stay: rows lie one behind the other */
    in[IMAGE].rank = 2;
}

/* f64[m,n] from N(0, 2/m), which keeps the variance of what passes a relu (He et al., 2015). */
static wg_tensor make_weights(int64_t m, int64_t n, wg_random *random, wg_error *error) {
    double *w = malloc((size_t)(m * n) * sizeof *w + 1);
    if (!w) *error = (wg_error){WG_ENOMEM, "not enough memory"};
    for (int64_t i = 0; w && i < m * n; i++) w[i] = sqrt(2 / (double)m) * wg_random_normal(random);
    return (wg_tensor){w, WG_F64, 2, {m, n}};
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "data/digits";
    wg_error error = {0}; /* keeps the first failure; what is called after it does nothing */
    wg_tensor in[INPUTS], test[INPUTS], measured[2] = {{0}};
    read_data(folder, "train", in, &error);
    read_data(folder, "t10k", test, &error);
    int64_t count = in[IMAGE].shape[0], tests = test[IMAGE].shape[0], pixels = in[IMAGE].shape[1];

    wg_program *model = make_model(pixels, &error), *step = make_step(model, pixels, &error);
    wg_options donate = {.donate = "W1_new=W1, W2_new=W2"};
    wg_function *run_model = wg_compile(model, NULL, &error);
    wg_function *run_step = wg_compile(step, &donate, &error);

    wg_random random = wg_random_seed(1);
    in[W1] = test[W1] = make_weights(pixels, HIDDEN, &random, &error);
    in[W2] = test[W2] = make_weights(HIDDEN, CLASSES, &random, &error);
    in[RATE] = (wg_tensor){&(double){0.3}, WG_F64, 0, {0}};
    uint32_t *order = calloc((size_t)(count > tests ? count : tests) + 1, sizeof *order);
    if (!order) error = (wg_error){WG_ENOMEM, "not enough memory"};

    for (int epoch = 1; epoch <= EPOCHS && !error.status; epoch++) {
        wg_random_permutation(&random, (size_t)count, order);
        for (int64_t at = 0; at < count && !error.status; at += BATCH) {
            int64_t n = count - at < BATCH ? count - at : BATCH;
            in[ROWS] = (wg_tensor){order + at, WG_I32, 1, {n}};
            wg_run(run_step, NULL, in, (wg_tensor[]){in[W1], in[W2]}, &error);
        }
        for (int64_t i = 0; i < tests; i++) order[i] = (uint32_t)i;
        test[ROWS] = (wg_tensor){order, WG_I32, 1, {tests}};
        if (!wg_run(run_model, NULL, test, measured, &error))
            printf("epoch %2d: accuracy %.4f\n", epoch,
                   1 - (double)*(int64_t *)measured[1].data / (double)tests);
    }
    if (error.status) fprintf(stderr, "network: %s\n", error.message);

    wg_tensor *owned[] = {in, in + LABEL, test, test + LABEL, measured, measured + 1};
    for (int i = 0; i < 6; i++) wg_tensor_free(owned[i], NULL);
    free(in[W1].data), free(in[W2].data), free(order);
    wg_function_free(run_step);
    wg_function_free(run_model);
    wg_program_free(step);
    wg_program_free(model);
    return error.status != WG_OK;
}
