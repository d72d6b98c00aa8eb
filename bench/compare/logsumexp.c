/* log sum exp x, shifted by the largest element; its gradient is softmax(x). */
#include "compare.h"
#include "simd.h"

static double largest(const double *restrict x, int64_t n) {
    double most = -INFINITY;
#pragma omp simd reduction(max : most)
    for (int64_t i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
    return most;
}

static double value(const struct problem *p) {
    const double *restrict x = p->input[0].data;
    int64_t n = p->input[0].shape[0];
    double shift = largest(x, n), sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += exp(x[i] - shift);
    return shift + log(sum);
}

static double gradient(const struct problem *p, void *const *slope) {
    const double *restrict x = p->input[0].data;
    double *restrict dx = slope[0];
    int64_t n = p->input[0].shape[0];
    double shift = largest(x, n), sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += dx[i] = exp(x[i] - shift);
    double scale = 1 / sum;
    for (int64_t i = 0; i < n; i++) dx[i] *= scale;
    return shift + log(sum);
}

static void fill(struct problem *p, wg_random *random) {
    double *x = p->input[0].data;
    for (int64_t i = 0; i < p->input[0].shape[0]; i++) x[i] = wg_random_uniform(random);
}

const struct bench_case case_logsumexp = {
    .name = "logsumexp",
    .what = "log sum exp x",
    .formula = "f(x[n]) = logsumexp(x)",
    .wrt = "x",
    .sizes = {"n=37", "n=10000", "n=160000", "n=1280000"},
    .fill = fill,
    .value = value,
    .gradient = gradient,
};
