/* Networks for MNIST in f32, a batch of images through layers with relu between them, then the mean
 * cross-entropy: the value and the gradient of a training step. By hand: one product per layer
 * forward and one or two back, bias and relu in one pass over its result. */
#include "compare.h"
#include "simd.h"

#ifdef WG_BLAS
#include <cblas.h>
#endif

enum { MAX_LAYERS = 4 };

/* The inputs are W1, b1, W2, b2, ..., x, label. */
struct network {
    int layers;
    int64_t n, width[MAX_LAYERS + 1];                               /* width[0]: of an image */
    const float *W[MAX_LAYERS], *b[MAX_LAYERS], *h[MAX_LAYERS + 1]; /* h[0] = x */
    const int64_t *label;
    float *out[MAX_LAYERS]; /* h[i + 1], in scratch; of the last layer its exponentials */
    float *dh[2];           /* adjoints, in turn */
};

/* c[m,n] = (a or a^T) (b or b^T), of f32 */
static void product(bool a_turned, bool b_turned, int64_t m, int64_t n, int64_t k, const float *a,
                    const float *b, float *restrict c) {
#ifdef WG_BLAS
    cblas_sgemm(CblasRowMajor, a_turned ? CblasTrans : CblasNoTrans,
                b_turned ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1, a,
                (int)(a_turned ? m : k), b, (int)(b_turned ? k : n), 0, c, (int)n);
#else
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) c[i * n + j] = 0;
        for (int64_t l = 0; l < k; l++) {
            float factor = a_turned ? a[l * m + i] : a[i * k + l];
            for (int64_t j = 0; j < n; j++)
                c[i * n + j] += factor * (b_turned ? b[j * k + l] : b[l * n + j]);
        }
    }
#endif
}

static int64_t widest(const struct network *net) {
    int64_t most = 0;
    for (int i = 1; i <= net->layers; i++) most = net->width[i] > most ? net->width[i] : most;
    return most;
}

static struct network arrange(const struct problem *p) {
    struct network net = {.layers = (int)(p->inputs - 2) / 2};
    const wg_tensor *x = &p->input[p->inputs - 2];
    float *at = p->scratch;
    net.n = x->shape[0];
    net.width[0] = x->shape[1];
    net.h[0] = x->data;
    net.label = p->input[p->inputs - 1].data;
    for (int i = 0; i < net.layers; i++) {
        net.W[i] = p->input[2 * i].data;
        net.b[i] = p->input[2 * i + 1].data;
        net.width[i + 1] = p->input[2 * i].shape[1];
        net.h[i + 1] = net.out[i] = at;
        if (at) at += net.n * net.width[i + 1];
    }
    for (int i = 0; i < 2; i++) {
        net.dh[i] = at;
        if (at) at += net.n * widest(&net);
    }
    return net;
}

static size_t scratch(const struct problem *p) {
    struct network net = arrange(p);
    int64_t floats = 2 * widest(&net);
    for (int i = 1; i <= net.layers; i++) floats += net.width[i];
    return (size_t)(net.n * floats) * sizeof(float);
}

static void add_bias(float *restrict h, const float *restrict b, int64_t n, int64_t width,
                     bool relu) {
    for (int64_t i = 0; i < n; i++, h += width) {
        for (int64_t j = 0; j < width; j++) h[j] += b[j];
        for (int64_t j = 0; relu && j < width; j++) h[j] = h[j] > 0 ? h[j] : 0;
    }
}

/* The mean cross-entropy of logits h f32[n,c], which become their softmax, over n. */
static double softmax_loss(float *restrict h, const int64_t *label, int64_t n, int64_t c) {
    double loss = 0;
    for (int64_t i = 0; i < n; i++) {
        float *row = h + i * c, most = row[0];
        for (int64_t j = 1; j < c; j++) most = row[j] > most ? row[j] : most;
        for (int64_t j = 0; j < c; j++) row[j] -= most;
        loss -= (double)row[label[i]];
    }
#pragma omp simd
    for (int64_t i = 0; i < n * c; i++) h[i] = expf(h[i]);
    for (int64_t i = 0; i < n; i++) {
        float *row = h + i * c, sum = 0;
        for (int64_t j = 0; j < c; j++) sum += row[j];
        for (int64_t j = 0; j < c; j++) row[j] /= sum * (float)n;
        loss += (double)logf(sum);
    }
    return loss / (double)n;
}

static double forward(const struct network *net) {
    for (int i = 0; i < net->layers; i++) {
        int64_t from = net->width[i], to = net->width[i + 1];
        product(false, false, net->n, to, from, net->h[i], net->W[i], net->out[i]);
        add_bias(net->out[i], net->b[i], net->n, to, i + 1 < net->layers);
    }
    int last = net->layers - 1;
    return softmax_loss(net->out[last], net->label, net->n, net->width[last + 1]);
}

static double value(const struct problem *p) {
    struct network net = arrange(p);
    return forward(&net);
}

static void sum_rows(const float *restrict dz, int64_t n, int64_t width, float *restrict db) {
    for (int64_t j = 0; j < width; j++) db[j] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < width; j++) db[j] += dz[i * width + j];
}

static double gradient(const struct problem *p, void *const *slope) {
    struct network net = arrange(p);
    double loss = forward(&net);
    float *dz = net.out[net.layers - 1];
    for (int64_t i = 0; i < net.n; i++)
        dz[i * net.width[net.layers] + net.label[i]] -= 1 / (float)net.n;
    for (int i = net.layers; i-- > 0;) {
        int64_t from = net.width[i], to = net.width[i + 1];
        product(true, false, from, to, net.n, net.h[i], dz, slope[2 * i]);
        sum_rows(dz, net.n, to, slope[2 * i + 1]);
        if (i == 0) break;
        float *restrict dh = net.dh[i % 2];
        const float *restrict h = net.h[i];
        product(false, true, net.n, from, to, dz, net.W[i], dh);
        for (int64_t j = 0; j < net.n * from; j++) dh[j] = h[j] > 0 ? dh[j] : 0;
        dz = dh;
    }
    return loss;
}

/* Weights N(0, 2/inputs), biases N(0, 0.01), pixels in [0, 1). */
static void fill(struct problem *p, wg_random *random) {
    for (size_t i = 0; i + 1 < p->inputs; i++) {
        wg_tensor *t = &p->input[i];
        float *data = t->data;
        bool pixels = i + 2 == p->inputs;
        double scale = t->rank == 2 ? sqrt(2 / (double)t->shape[0]) : 0.1;
        for (int64_t j = 0, n = wg_tensor_count(t); j < n; j++)
            data[j] = (float)(pixels ? wg_random_uniform(random)
                                     : scale * wg_random_normal(random));
    }
    wg_tensor *label = &p->input[p->inputs - 1];
    for (int64_t i = 0; i < label->shape[0]; i++)
        ((int64_t *)label->data)[i] = (int64_t)wg_random_below(random, 10);
}

const struct bench_case case_network = {
    .name = "network",
    .what = "784-128-10, f32: mean cross-entropy",
    .formula = "f(W1[784,128]: f32, b1[128]: f32, W2[128,10]: f32, b2[10]: f32,\n"
               "  x[n,784]: f32, label[n]: i64) = {\n"
               "  let h = relu(x @ W1 + b1)\n"
               "  mean(cross_entropy(h @ W2 + b2, label))\n"
               "}",
    .wrt = "W1, b1, W2, b2",
    .sizes = {"n=3", "n=100"},
    .fill = fill,
    .value = value,
    .gradient = gradient,
    .scratch = scratch,
};

const struct bench_case case_deep_network = {
    .name = "deep network",
    .what = "784-512-512-10, f32: mean cross-entropy",
    .formula = "f(W1[784,512]: f32, b1[512]: f32, W2[512,512]: f32, b2[512]: f32,\n"
               "  W3[512,10]: f32, b3[10]: f32, x[n,784]: f32, label[n]: i64) = {\n"
               "  let h1 = relu(x @ W1 + b1)\n"
               "  let h2 = relu(h1 @ W2 + b2)\n"
               "  mean(cross_entropy(h2 @ W3 + b3, label))\n"
               "}",
    .wrt = "W1, b1, W2, b2, W3, b3",
    .sizes = {"n=3", "n=100"},
    .fill = fill,
    .value = value,
    .gradient = gradient,
    .scratch = scratch,
};
