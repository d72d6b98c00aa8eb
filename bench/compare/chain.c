/* A chain of transcendental functions over a vector: sum sin(exp(tanh x) log1p(x^2)). By hand in
 * blocks that stay in the cache: what lives across few calls need not be saved around them, and
 * sine and cosine in one loop would become one call that has no vector variant. */
#include "compare.h"
#include "simd.h"

enum { BLOCK = 512 };

static double value(const struct problem *p) {
    const double *restrict x = p->input[0].data;
    int64_t n = p->input[0].shape[0];
    double y = 0;
#pragma omp simd reduction(+ : y)
    for (int64_t i = 0; i < n; i++) y += sin(exp(tanh(x[i])) * log1p(x[i] * x[i]));
    return y;
}

/* u = exp(t) l with t = tanh x, l = log1p(x^2): u' = exp(t) ((1 - t^2) l + 2x/(1 + x^2)). */
static double gradient(const struct problem *p, void *const *slope) {
    const double *restrict x = p->input[0].data;
    double *restrict dx = slope[0];
    int64_t n = p->input[0].shape[0];
    double y = 0, u[BLOCK];
    for (int64_t start = 0; start < n; start += BLOCK, x += BLOCK, dx += BLOCK) {
        int count = n - start < BLOCK ? (int)(n - start) : BLOCK;
#pragma omp simd
        for (int i = 0; i < count; i++) {
            double square = x[i] * x[i], t = tanh(x[i]), e = exp(t), l = log1p(square);
            u[i] = e * l;
            dx[i] = e * ((1 - t * t) * l + 2 * x[i] / (1 + square));
        }
#pragma omp simd
        for (int i = 0; i < count; i++) dx[i] *= cos(u[i]);
#pragma omp simd reduction(+ : y)
        for (int i = 0; i < count; i++) y += sin(u[i]);
    }
    return y;
}

const struct bench_case case_chain = {
    .name = "chain",
    .what = "sum sin(exp(tanh x) log1p(x^2))",
    .formula = "f(x[n]) = sum(sin(exp(tanh(x)) * log1p(x^2)))",
    .wrt = "x",
    .sizes = {"n=37", "n=1000000"},
    .value = value,
    .gradient = gradient,
};
