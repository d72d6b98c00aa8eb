/* Learns to read handwritten digits and tells how well: what `make demo` ends with. The network is
 * relu(X W1 + b1) W2 + b2, in f32, trained by minibatch stochastic gradient descent.
 *
 *     digits [FOLDER [interpret]]      the folder of the MNIST files, else data/digits */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { HIDDEN = 128, CLASSES = 10, BAR = 24 };
enum { IMAGE, LABEL, ROWS, W1, B1, W2, B2, INPUTS };
static const float rate = 0.3f;

/* Of the images numbered in `rows`: their mean loss, and how many come out wrong. */
static wg_program *make_model(int64_t pixels, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_extent N = wg_size(g, "N"), n = wg_size(g, "n");
    wg_var image = wg_input(g, "image", wg_f32(N, pixels)), label = wg_input(g, "label", wg_i64(N));
    wg_var rows = wg_input(g, "rows", wg_i32(n));
    wg_var w1 = wg_input(g, "W1", wg_f32(pixels, HIDDEN)), b1 = wg_input(g, "b1", wg_f32(HIDDEN));
    wg_var w2 = wg_input(g, "W2", wg_f32(HIDDEN, CLASSES)), b2 = wg_input(g, "b2", wg_f32(CLASSES));
    wg_var X = wg_take(image, rows, 0), y = wg_take(label, rows, 0);
    wg_var h = wg_add(wg_matmul(wg_relu(wg_add(wg_matmul(X, w1), b1)), w2), b2);
    wg_output(g, "loss", wg_mean(wg_cross_entropy(h, y)));
    wg_output(g, "wrong", wg_sum(wg_cast(WG_I64, wg_ne(wg_argmax(h, 1), y))));
    return wg_build(g, error);
}

/* image f32[N,pixels], black 0 to white 1, and label i64[N] */
static void read_data(const char *folder, const char *part, wg_tensor *in, wg_error *error) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", folder, part);
    wg_idx_read(path, WG_F32, 1, NULL, &in[IMAGE], error);
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", folder, part);
    wg_idx_read(path, WG_I64, 1, NULL, &in[LABEL], error);
    float *pixel = in[IMAGE].data, white = 1;
    int64_t count = pixel ? wg_tensor_count(&in[IMAGE]) : 0;
    for (int64_t i = 0; i < count; i++) white = fmaxf(white, pixel[i]);
    for (int64_t i = 0; i < count; i++) pixel[i] /= white;
    in[IMAGE].shape[1] *= in[IMAGE].shape[2]; /* the data stay: rows lie one behind the other */
    in[IMAGE].rank = 2;
}

/* A bar that moves where somebody watches, and one line an epoch in a file. */
static void show_progress(int epoch, double part, double loss, double accuracy) {
    static const char bar[2 * BAR + 1] = "########################........................";
    bool watched = isatty(STDOUT_FILENO), last = accuracy >= 0;
    if (watched) printf("\r[%.*s] ", BAR, bar + BAR - (int)(part * BAR));
    if (watched || last) printf("epoch %2d  loss %.4f", epoch, loss);
    if (last) printf("  accuracy %.4f\n", accuracy);
    fflush(stdout);
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : "data/digits";
    wg_error error = {0}; /* keeps the first failure; what is called after it does nothing */
    wg_tensor in[INPUTS] = {{0}}, test[INPUTS] = {{0}}, out[6] = {{0}};
    read_data(folder, "train", in, &error);
    read_data(folder, "t10k", test, &error);
    int64_t count = in[IMAGE].shape[0], tests = test[IMAGE].shape[0], pixels = in[IMAGE].shape[1];
    wg_program *model = make_model(pixels, &error);
    wg_program *gradient = wg_value_and_grad(model, "W1, b1, W2, b2", &error);
    wg_function *run_model = wg_compile(model, NULL, &error);
    wg_backend backend = argc > 2 ? WG_INTERPRET : WG_NATIVE;
    wg_function *run_gradient = wg_compile(gradient, &(wg_options){.backend = backend}, &error);

    /* Weights from N(0, 2 / rows) (He et al., 2015), biases from 0. */
    wg_random random = wg_random_seed(1);
    for (int i = W1; i <= B2 && !error.status; i++) {
        wg_type type = wg_input_type(model, (size_t)i);
        in[i] = (wg_tensor){NULL, WG_F32, type.rank, {type.extent[0], type.extent[1]}};
        float *p = in[i].data = calloc((size_t)wg_tensor_count(&in[i]) + 1, sizeof *p);
        if (!p) error = (wg_error){WG_ENOMEM, "not enough memory"};
        for (int64_t k = 0; p && type.rank == 2 && k < wg_tensor_count(&in[i]); k++)
            p[k] = (float)(sqrt(2 / (double)type.extent[0]) * wg_random_normal(&random));
        test[i] = in[i];
    }
    uint32_t *order = calloc((size_t)(count > tests ? count : tests) + 1, sizeof *order);
    if (!order) error = (wg_error){WG_ENOMEM, "not enough memory"};
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    int epochs = count > 10000 ? 10 : 40, batch = count > 10000 ? 100 : 20; /* few: more steps */
    for (int epoch = 1; epoch <= epochs && !error.status; epoch++) {
        wg_random_permutation(&random, (size_t)count, order);
        for (int64_t at = 0, n; at < count; at += n) {
            n = count - at < batch ? count - at : batch;
            in[ROWS] = (wg_tensor){order + at, WG_I32, 1, {n}};
            if (wg_run(run_gradient, NULL, in, out, &error)) break;
            for (int i = W1; i <= B2; i++) {
                float *p = in[i].data, *dp = out[2 + i - W1].data; /* after loss and wrong */
                for (int64_t k = wg_tensor_count(&in[i]); k-- > 0;) p[k] -= rate * dp[k];
            }
            show_progress(epoch, (double)at / (double)count, *(float *)out[0].data, -1);
        }
        for (int64_t i = 0; i < tests; i++) order[i] = (uint32_t)i;
        test[ROWS] = (wg_tensor){order, WG_I32, 1, {tests}};
        if (wg_run(run_model, NULL, test, out, &error)) break;
        double right = 1 - (double)*(int64_t *)out[1].data / (double)tests;
        show_progress(epoch, 1, *(float *)out[0].data, right);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = difftime(to.tv_sec, from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    if (error.status) fprintf(stderr, "digits: %s\n", error.message);
    else printf("%d images learned %d times in %.2f s%s\n", (int)count, epochs, seconds,
                *wg_function_note(run_gradient) ? ", interpreted" : "");
    wg_tensor *read[] = {in, in + LABEL, test, test + LABEL};
    for (int i = 0; i < 4; i++) wg_tensor_free(read[i], NULL), free(in[W1 + i].data);
    for (int i = 0; i < 6; i++) wg_tensor_free(&out[i], NULL);
    free(order);
    wg_function_free(run_gradient);
    wg_function_free(run_model);
    wg_program_free(gradient);
    wg_program_free(model);
    return error.status != WG_OK;
}
