/* Our side of the MNIST benchmark, spoken to by bench/mnist.sh as bench/mnist_torch.py is.
 *
 *     mnist FOLDER HIDDEN      784 -> HIDDEN -> 10 with relu; HIDDEN = 0: 784 -> 10
 *
 * For each line on standard input it trains one epoch and prints the seconds that took and the
 * accuracy on the test images. A training step is one program: it takes its batch out of all images
 * by row numbers, and its new parameters overwrite the old ones. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CLASSES = 10, BATCH = 100 };
enum { IMAGE, LABEL, ROWS, PARAMETER, MAX_INPUTS = PARAMETER + 4 };
static const double rate = 0.3;

struct network {
    int64_t pixels, hidden;
    size_t parameters; /* W1, b1, and with a hidden layer W2, b2 */
};

static void make_inputs(wg_graph *g, const struct network *net, wg_var *in) {
    int64_t first = net->hidden ? net->hidden : CLASSES;
    wg_extent N = wg_size(g, "N"), n = wg_size(g, "n");
    in[IMAGE] = wg_input(g, "image", wg_f32(N, net->pixels));
    in[LABEL] = wg_input(g, "label", wg_i64(N));
    in[ROWS] = wg_input(g, "rows", wg_i32(n));
    in[PARAMETER] = wg_input(g, "W1", wg_f32(net->pixels, first));
    in[PARAMETER + 1] = wg_input(g, "b1", wg_f32(first));
    if (!net->hidden) return;
    in[PARAMETER + 2] = wg_input(g, "W2", wg_f32(net->hidden, CLASSES));
    in[PARAMETER + 3] = wg_input(g, "b2", wg_f32(CLASSES));
}

/* The logits and labels of the images numbered in `rows`. */
static wg_var make_logits(const struct network *net, const wg_var *in, wg_var *y) {
    *y = wg_take(in[LABEL], in[ROWS], 0);
    wg_var h = wg_take(in[IMAGE], in[ROWS], 0);
    for (size_t i = 0; i < net->parameters; i += 2) {
        h = wg_add(wg_matmul(h, in[PARAMETER + i]), in[PARAMETER + i + 1]);
        if (i + 2 < net->parameters) h = wg_relu(h);
    }
    return h;
}

static wg_program *make_count(const struct network *net, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var in[MAX_INPUTS], y, h;
    make_inputs(g, net, in);
    h = make_logits(net, in, &y);
    wg_output(g, "right", wg_sum(wg_cast(WG_I64, wg_eq(wg_argmax(h, 1), y))));
    return wg_build(g, error);
}

static wg_program *make_step(const struct network *net, wg_error *error) {
    static const char *const name[] = {"W1_new", "b1_new", "W2_new", "b2_new"};
    wg_graph *g = wg_graph_new();
    wg_var in[MAX_INPUTS], d[4] = {{0}}, y, h;
    make_inputs(g, net, in);
    h = make_logits(net, in, &y);
    wg_output(g, "loss", wg_mean(wg_cross_entropy(h, y)));
    wg_program *loss = wg_build(g, error);
    wg_program *gradient = wg_grad(loss, net->hidden ? "W1, b1, W2, b2" : "W1, b1", error);

    g = wg_graph_new();
    make_inputs(g, net, in);
    wg_apply(g, gradient, in, d);
    for (size_t i = 0; i < net->parameters; i++)
        wg_output(g, name[i], wg_sub(in[PARAMETER + i], wg_mul(rate, d[i])));
    wg_program_free(loss);
    wg_program_free(gradient);
    return wg_build(g, error);
}

static void read_data(const char *folder, const char *part, wg_tensor *image, wg_tensor *label,
                      wg_error *error) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", folder, part);
    wg_idx_read(path, WG_F32, 1 / 255., NULL, image, error);
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", folder, part);
    wg_idx_read(path, WG_I64, 1, NULL, label, error);
    if (image->shape[0] != label->shape[0] && !error->status)
        *error = (wg_error){WG_ESHAPE, "as many labels as images are needed"};
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One workspace for both functions at their largest batches, aligned to 64 bytes. */
static void *make_workspace(const wg_function *step, const wg_function *count, int64_t images,
                            int64_t tests, wg_error *error) {
    size_t one = 0, other = 0;
    wg_workspace_size(step, (int64_t[]){images, BATCH}, &one, error);
    wg_workspace_size(count, (int64_t[]){tests, tests}, &other, error);
    if (error->status) return NULL;
    size_t bytes = ((one > other ? one : other) / 64 + 1) * 64;
    void *workspace = aligned_alloc(64, bytes);
    if (!workspace) *error = (wg_error){WG_ENOMEM, "not enough memory"};
    return workspace;
}

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: mnist FOLDER HIDDEN < EPOCHS\n"), 2;
    wg_error error = {0};
    wg_tensor image, label, test_image, test_label;
    read_data(argv[1], "train", &image, &label, &error);
    read_data(argv[1], "t10k", &test_image, &test_label, &error);
    struct network net = {.pixels = image.shape[1] * image.shape[2], .hidden = atoi(argv[2])};
    net.parameters = net.hidden ? 4 : 2;

    wg_program *step = make_step(&net, &error), *count = make_count(&net, &error);
    wg_options donate = {.donate = net.hidden ? "W1_new=W1, b1_new=b1, W2_new=W2, b2_new=b2"
                                              : "W1_new=W1, b1_new=b1"};
    wg_function *run_step = wg_compile(step, &donate, &error);
    wg_function *run_count = wg_compile(count, NULL, &error);
    int64_t images = image.shape[0], tests = test_image.shape[0];
    void *workspace = make_workspace(run_step, run_count, images, tests, &error);

    void *p[4] = {NULL};
    wg_random random = wg_random_seed(1);
    for (size_t i = 0; i < net.parameters && !error.status; i++) {
        wg_type type = wg_input_type(step, PARAMETER + i);
        size_t size = (size_t)(type.extent[0] * (type.rank == 2 ? type.extent[1] : 1));
        float *x = p[i] = calloc(size, sizeof *x);
        if (!x) error = (wg_error){WG_ENOMEM, "not enough memory"};
        for (size_t k = 0; x && type.rank == 2 && k < size; k++)
            x[k] = (float)(sqrt(2 / (double)type.extent[0]) * wg_random_normal(&random));
    }
    uint32_t *order = calloc((size_t)(images > tests ? images : tests) + 1, sizeof *order);
    if (!order) error = (wg_error){WG_ENOMEM, "not enough memory"};

    const void *in[] = {image.data, label.data, order, p[0], p[1], p[2], p[3]};
    const void *test[] = {test_image.data, test_label.data, order, p[0], p[1], p[2], p[3]};
    char line[64];
    while (!error.status && fgets(line, sizeof line, stdin)) {
        double start = seconds();
        wg_random_permutation(&random, (size_t)images, order);
        for (int64_t at = 0, n; at < images && !error.status; at += n) {
            n = images - at < BATCH ? images - at : BATCH;
            in[ROWS] = order + at;
            wg_call_with(run_step, (int64_t[]){images, n}, in, p, workspace, &error);
        }
        double end = seconds();
        int64_t right = 0;
        for (int64_t i = 0; i < tests; i++) order[i] = (uint32_t)i;
        wg_call_with(run_count, (int64_t[]){tests, tests}, test, (void *[]){&right}, workspace,
                     &error);
        printf("%.4f %.4f\n", end - start, (double)right / (double)tests);
        fflush(stdout);
    }
    if (error.status) fprintf(stderr, "mnist: %s\n", error.message);

    wg_tensor *read[] = {&image, &label, &test_image, &test_label};
    for (int i = 0; i < 4; i++) wg_tensor_free(read[i], NULL), free(p[i]);
    free(order);
    free(workspace);
    wg_function_free(run_count);
    wg_function_free(run_step);
    wg_program_free(count);
    wg_program_free(step);
    return error.status != WG_OK;
}
