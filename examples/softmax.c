/* Softmax regression: the linear classifier h = X W + b learns handwritten digits by minibatch
 * stochastic gradient descent,
 *
 *     W := W - (rate / n) sum dl/dW,     l(h, y) = log sum_j exp h_j - h_y,
 *
 * the sum over the n images of a batch. The derivative is a program like any other:
 * wg_value_and_grad makes it, and the loop below only runs it and takes the step.
 *
 *     softmax [FOLDER]      the folder of the four MNIST files, data/digits if none is given */
#include <wengert.h>

#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 10, BATCH = 100, EPOCHS = 10 };
static const double rate = 0.5;

/* image f64[N,height,width], black 0 to white 1; label i64[N] */
static void read_data(const char *folder, const char *part, wg_tensor *image, wg_tensor *label,
                      wg_error *error) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", folder, part);
    wg_idx_read(path, WG_F64, 1, NULL, image, error);
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", folder, part);
    wg_idx_read(path, WG_I64, 1, NULL, label, error);

    double *pixel = image->data, white = 1;
    int64_t count = pixel ? wg_tensor_count(image) : 0;
    for (int64_t i = 0; i < count; i++) white = pixel[i] > white ? pixel[i] : white;
    for (int64_t i = 0; i < count; i++) pixel[i] /= white;
}

/* Of the N images that are there, those numbered in `batch`: their mean loss, and how many of them
 * the classifier gets wrong. The second is what we care about, but only the first has a slope. */
static wg_program *make_model(int64_t height, int64_t width, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_extent N = wg_size(g, "N"), n = wg_size(g, "n");
    wg_var image = wg_input(g, "image", wg_f64(N, height, width));
    wg_var label = wg_input(g, "label", wg_i64(N));
    wg_var batch = wg_input(g, "batch", wg_i32(n));
    wg_var W = wg_input(g, "W", wg_f64(height * width, CLASSES));
    wg_var b = wg_input(g, "b", wg_f64(CLASSES));

    wg_var X = wg_reshape(wg_take(image, batch, 0), n, height * width);
    wg_var y = wg_take(label, batch, 0);
    wg_var h = wg_add(wg_matmul(X, W), b);
    wg_output(g, "loss", wg_mean(wg_cross_entropy(h, y)));
    wg_output(g, "wrong", wg_sum(wg_cast(WG_I64, wg_ne(wg_argmax(h, 1), y))));
    return wg_build(g, error);
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "data/digits";
    wg_error error = {0}; /* keeps the first failure; what is called after it does nothing */
    wg_tensor image, label, test_image, test_label;
    read_data(folder, "train", &image, &label, &error);
    read_data(folder, "t10k", &test_image, &test_label, &error);
    int64_t count = image.shape[0], tests = test_image.shape[0];
    int64_t weights = image.shape[1] * image.shape[2] * CLASSES;

    wg_program *model = make_model(image.shape[1], image.shape[2], &error);
    wg_program *gradient = wg_value_and_grad(model, "W, b", &error);
    wg_function *run_model = wg_compile(model, NULL, &error);
    wg_function *run_gradient = wg_compile(gradient, NULL, &error);

    /* The loss is convex, so it does not matter where we start. */
    double *w = calloc((size_t)weights + 1, sizeof *w), b[CLASSES] = {0};
    wg_tensor W = {w, WG_F64, 2, {weights / CLASSES, CLASSES}}, B = {b, WG_F64, 1, {CLASSES}};
    uint32_t *order = calloc((size_t)(count > tests ? count : tests) + 1, sizeof *order);
    if (!w || !order) error = (wg_error){WG_ENOMEM, "not enough memory"};

    wg_tensor out[4] = {{0}}; /* loss, wrong, dW, db: the first run allocates them */
    wg_random random = wg_random_seed(1);
    for (int epoch = 1; epoch <= EPOCHS && !error.status; epoch++) {
        /* A batch is a piece of a shuffled list of rows; the last one takes what is left. */
        wg_random_permutation(&random, (size_t)count, order);
        for (int64_t at = 0; at < count && !error.status; at += BATCH) {
            int64_t n = count - at < BATCH ? count - at : BATCH;
            wg_tensor batch = {order + at, WG_I32, 1, {n}};
            if (wg_run(run_gradient, NULL, (wg_tensor[]){image, label, batch, W, B}, out, &error))
                break;
            const double *dw = out[2].data, *db = out[3].data;
            for (int64_t i = 0; i < weights; i++) w[i] -= rate * dw[i];
            for (int64_t i = 0; i < CLASSES; i++) b[i] -= rate * db[i];
        }
        for (int64_t i = 0; i < tests; i++) order[i] = (uint32_t)i;
        wg_tensor all = {order, WG_I32, 1, {tests}};
        wg_run(run_model, NULL, (wg_tensor[]){test_image, test_label, all, W, B}, out, &error);
        if (!error.status)
            printf("epoch %2d: test loss %.4f, accuracy %.4f\n", epoch, *(double *)out[0].data,
                   1 - (double)*(int64_t *)out[1].data / (double)tests);
    }
    if (error.status) fprintf(stderr, "softmax: %s\n", error.message);

    for (int i = 0; i < 4; i++) wg_tensor_free(&out[i], NULL);
    wg_tensor *data[] = {&image, &label, &test_image, &test_label};
    for (int i = 0; i < 4; i++) wg_tensor_free(data[i], NULL);
    free(order);
    free(w);
    wg_function_free(run_gradient);
    wg_function_free(run_model);
    wg_program_free(gradient);
    wg_program_free(model);
    return error.status != WG_OK;
}
