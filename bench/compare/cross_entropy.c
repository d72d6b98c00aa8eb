/* Softmax cross-entropy: the mean over rows of log sum exp h - h[label]. Its gradient is
 * (softmax(h) - one_hot(label)) / n. The exponentials of all rows are taken in one loop, so that
 * short rows fill vectors too. */
#include "compare.h"
#include "simd.h"

/* exp(h - the row's largest element) for all rows; shift f64[n]. */
static void shifted_exp(const double *restrict h, int64_t n, int64_t c, double *restrict e,
                        double *restrict shift) {
    for (int64_t i = 0; i < n; i++) {
        const double *row = h + i * c;
        double most = row[0];
#pragma omp simd reduction(max : most)
        for (int64_t j = 0; j < c; j++) most = row[j] > most ? row[j] : most;
        for (int64_t j = 0; j < c; j++) e[i * c + j] = row[j] - most;
        shift[i] = most;
    }
#pragma omp simd
    for (int64_t i = 0; i < n * c; i++) e[i] = exp(e[i]);
}

static double row_sum(const double *restrict e, int64_t c) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < c; j++) sum += e[j];
    return sum;
}

/* The value; total f64[n] receives the sum of every row of e. */
static double loss(const struct problem *p, double *restrict e, double *restrict shift,
                   double *restrict total) {
    const double *h = p->input[0].data;
    const int64_t *label = p->input[1].data;
    int64_t n = p->input[0].shape[0], c = p->input[0].shape[1];
    double sum = 0;
    shifted_exp(h, n, c, e, shift);
    for (int64_t i = 0; i < n; i++) total[i] = row_sum(e + i * c, c);
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += log(total[i]) + shift[i];
    for (int64_t i = 0; i < n; i++) sum -= h[i * c + label[i]];
    return sum / (double)n;
}

static double value(const struct problem *p) {
    int64_t n = p->input[0].shape[0], c = p->input[0].shape[1];
    double *e = p->scratch, *shift = e + n * c;
    return loss(p, e, shift, shift + n);
}

static double gradient(const struct problem *p, void *const *slope) {
    const int64_t *label = p->input[1].data;
    double *restrict dh = slope[0], *shift = p->scratch, *total = shift + p->input[0].shape[0];
    int64_t n = p->input[0].shape[0], c = p->input[0].shape[1];
    double y = loss(p, dh, shift, total);
    for (int64_t i = 0; i < n; i++) {
        double scale = 1 / (total[i] * (double)n);
        for (int64_t j = 0; j < c; j++) dh[i * c + j] *= scale;
        dh[i * c + label[i]] -= 1 / (double)n;
    }
    return y;
}

static size_t scratch(const struct problem *p) {
    return (size_t)(p->input[0].shape[0] * (p->input[0].shape[1] + 2)) * sizeof(double);
}

static void fill(struct problem *p, wg_random *random) {
    double *h = p->input[0].data;
    int64_t *label = p->input[1].data, n = p->input[0].shape[0], c = p->input[0].shape[1];
    for (int64_t i = 0; i < n * c; i++) h[i] = wg_random_normal(random);
    for (int64_t i = 0; i < n; i++) label[i] = (int64_t)wg_random_below(random, (uint64_t)c);
}

const struct bench_case case_cross_entropy = {
    .name = "cross-entropy",
    .what = "mean over rows of log sum exp h - h[label]",
    .formula = "f(h[n,c], label[n]: i64) = mean(cross_entropy(h, label))",
    .wrt = "h",
    .sizes = {"n=5, c=3", "n=1000, c=10", "n=100, c=1000"},
    .fill = fill,
    .value = value,
    .gradient = gradient,
    .scratch = scratch,
};
