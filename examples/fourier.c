/* Random Fourier features: a classifier that is linear in
 *
 *     phi(x) = sqrt(2/m) cos(F' x + u),     F ~ N(0, 1/width^2),   u uniform in 0 .. 2 pi,
 *
 * is nearly one with a Gaussian kernel (Rahimi and Recht, 2007), although all that it learns is a
 * matrix: F and u are drawn once and stay. Here it learns handwritten digits with more and more
 * features m.
 *
 *     fourier [FOLDER]      the folder of the four MNIST files, data/digits if none is given */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 10, BATCH = 50, EPOCHS = 20 };
enum { IMAGE, LABEL, ROWS, F, U, W, INPUTS };
static const double rate = 10, tau = 6.283185307179586;

/* Images as rows of pixels, f64[N,pixels], black 0 to white 1, and labels i64[N]. */
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

/* Of the images numbered in `rows`: their mean loss, and how many come out wrong. m features. */
static wg_program *make_model(int64_t pixels, int64_t m, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_extent N = wg_size(g, "N"), n = wg_size(g, "n");
    wg_var image = wg_input(g, "image", wg_f64(N, pixels)), label = wg_input(g, "label", wg_i64(N));
    wg_var rows = wg_input(g, "rows", wg_i32(n));
    wg_var f = wg_input(g, "F", wg_f64(pixels, m)), u = wg_input(g, "u", wg_f64(m));
    wg_var w = wg_input(g, "W", wg_f64(m, CLASSES));

    wg_var X = wg_take(image, rows, 0), y = wg_take(label, rows, 0);
    wg_var phi = wg_mul(sqrt(2 / (double)m), wg_cos(wg_add(wg_matmul(X, f), u)));
    wg_var h = wg_matmul(phi, w);
    wg_output(g, "loss", wg_mean(wg_cross_entropy(h, y)));
    wg_output(g, "wrong", wg_sum(wg_cast(WG_I64, wg_ne(wg_argmax(h, 1), y))));
    return wg_build(g, error);
}

/* Draws F and u, learns W in batches of the training images, and measures on the test images.
 * train and test give the images and labels, order has room for the longer list of rows. */
static void learn(int64_t m, wg_tensor train[INPUTS], wg_tensor test[INPUTS], uint32_t *order,
                  wg_error *error) {
    int64_t count = train[IMAGE].shape[0], tests = test[IMAGE].shape[0];
    int64_t pixels = train[IMAGE].shape[1];
    double *f = calloc((size_t)(pixels * m) + 1, sizeof *f);
    double *u = calloc((size_t)m, sizeof *u), *w = calloc((size_t)m * CLASSES, sizeof *w);
    if (!f || !u || !w) *error = (wg_error){WG_ENOMEM, "not enough memory"};
    train[F] = test[F] = (wg_tensor){f, WG_F64, 2, {pixels, m}};
    train[U] = test[U] = (wg_tensor){u, WG_F64, 1, {m}};
    train[W] = test[W] = (wg_tensor){w, WG_F64, 2, {m, CLASSES}};

    wg_program *model = make_model(pixels, m, error), *gradient = wg_grad(model, "W", error);
    wg_function *run_model = wg_compile(model, NULL, error);
    wg_function *run_gradient = wg_compile(gradient, NULL, error);
    wg_tensor slope = {0}, result[2] = {{0}}; /* allocated by the first run */

    wg_random random = wg_random_seed(1);
    double width = sqrt((double)pixels) / 6;
    for (int64_t i = 0; f && i < pixels * m; i++) f[i] = wg_random_normal(&random) / width;
    for (int64_t i = 0; u && i < m; i++) u[i] = tau * wg_random_uniform(&random);
    for (int epoch = 0; epoch < EPOCHS && !error->status; epoch++) {
        wg_random_permutation(&random, (size_t)count, order);
        for (int64_t at = 0; at < count && !error->status; at += BATCH) {
            int64_t n = count - at < BATCH ? count - at : BATCH;
            train[ROWS] = (wg_tensor){order + at, WG_I32, 1, {n}};
            if (wg_run(run_gradient, NULL, train, &slope, error)) break;
            const double *dw = slope.data;
            for (int64_t i = 0; i < m * CLASSES; i++) w[i] -= rate * dw[i];
        }
    }
    for (int64_t i = 0; i < tests; i++) order[i] = (uint32_t)i;
    test[ROWS] = (wg_tensor){order, WG_I32, 1, {tests}};
    if (!wg_run(run_model, NULL, test, result, error))
        printf("%5d features: test loss %.4f, accuracy %.4f\n", (int)m, *(double *)result[0].data,
               1 - (double)*(int64_t *)result[1].data / (double)tests);

    wg_tensor_free(&slope, NULL);
    for (int i = 0; i < 2; i++) wg_tensor_free(&result[i], NULL);
    wg_function_free(run_gradient);
    wg_function_free(run_model);
    wg_program_free(gradient);
    wg_program_free(model);
    free(f);
    free(u);
    free(w);
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "data/digits";
    wg_error error = {0}; /* keeps the first failure; what is called after it does nothing */
    wg_tensor train[INPUTS] = {{0}}, test[INPUTS] = {{0}};
    read_data(folder, "train", train, &error);
    read_data(folder, "t10k", test, &error);
    int64_t count = train[IMAGE].shape[0], tests = test[IMAGE].shape[0];
    uint32_t *order = calloc((size_t)(count > tests ? count : tests) + 1, sizeof *order);
    if (!order) error = (wg_error){WG_ENOMEM, "not enough memory"};
    for (int64_t m = 20; m <= 500 && !error.status; m *= 5) learn(m, train, test, order, &error);
    if (error.status) fprintf(stderr, "fourier: %s\n", error.message);

    for (int i = IMAGE; i <= LABEL; i++) {
        wg_tensor_free(&train[i], NULL);
        wg_tensor_free(&test[i], NULL);
    }
    free(order);
    return error.status != WG_OK;
}
