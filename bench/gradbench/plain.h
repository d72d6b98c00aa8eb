/* The functions of the evaluations in plain C, written as their definitions read: how fast this
 * machine computes them without Wengert, and what Wengert's values and derivatives are compared
 * with. No sum is reordered, nothing is vectorised by hand. */
#ifndef BENCH_GRADBENCH_PLAIN_H
#define BENCH_GRADBENCH_PLAIN_H

#include <stdint.h>

/* gmm: alpha[k], mu[k,d], q[k,d], l[k,d(d-1)/2], x[n,d] */
struct plain_gmm {
    int64_t d, k, n;
    const double *alpha, *mu, *q, *l, *x;
    double gamma, m, constant;
    double *scratch; /* k (d + 2) + 2 d */
};
double plain_gmm(const struct plain_gmm *of);

/* ba: of one observation. cam[11], x[3], feat[2] -> error[2] */
void plain_ba(const double *cam, const double *x, double w, const double *feat, double *error);

/* ht: relatives, inverses [bones,4,4], base[vertices,4], weights[vertices,bones], point[points,3],
 * us[points,2] or NULL, corner[points]: the vertices of its triangle, without us the first is all
 * -> error[points,3] */
struct plain_ht {
    int64_t bones, vertices, points;
    const int64_t *parent, *corner[3];
    const double *theta, *relatives, *inverses, *base, *weights, *point, *us;
    double mirror;   /* -1 or 1: what the first coordinate is multiplied by */
    double *scratch; /* 16 bones + 3 vertices */
};
void plain_ht(const struct plain_ht *of, double *error);

/* lstm: main[2 layers, 4 bits], extra[3, bits], state[2 layers, bits], sequence[steps, bits] */
struct plain_lstm {
    int64_t layers, bits, steps;
    const double *main, *extra, *state, *sequence;
    double *scratch; /* (2 layers + 2) bits */
};
double plain_lstm(const struct plain_lstm *of);

/* llsq: x[m], of n points */
double plain_llsq(const double *x, int64_t m, int64_t n);

/* lse: x[n] */
double plain_lse(const double *x, int64_t n);

#endif
