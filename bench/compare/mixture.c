/* The log posterior of a Gaussian mixture with a Wishart prior (a benchmark of ADBench), but for
 * its additive constant: k components in d dimensions, n points x. Q_k is lower triangular with
 * diagonal exp q_k and l_k below it, column by column;
 *
 *     beta_ki = alpha_k + sum q_k - 1/2 |Q_k (x_i - mu_k)|^2
 *     y = -n d/2 log 2 pi + sum_i logsumexp_k beta_ki - n logsumexp alpha
 *         - sum_k (gamma^2/2 (sum exp(q_k)^2 + sum l_k^2) - m sum q_k)
 *
 * The formula has points last, so that vectors go along them whatever d is, and says that Q is
 * triangular, which `place`, an input, tells no compiler.
 *
 * By hand: points in blocks of 32, so that every inner loop is over points. Of a block,
 * z = Q (x - mu) is kept for all components and read again by the gradient,
 * dQ_k = -sum_i w_ki z_i (x_i - mu_k)^T with w the softmax of beta over k, and
 * d mu_k = Q_k^T sum_i w_ki z_i. */
#include "compare.h"
#include "simd.h"

#include <string.h>

enum { BLOCK = 4 * LANES, MAX_D = 64 };

struct mixture {
    int64_t d, k, n, e; /* e = d (d - 1) / 2 */
    const double *alpha, *mu, *q, *l, *x;
    double gamma, m;
    /* scratch */
    double *Q;    /* f64[k,d,d] */
    double *log0; /* f64[k]: alpha + sum q */
    double *xt;   /* f64[d,BLOCK]: the block, transposed */
    double *z;    /* f64[k,d,BLOCK] */
    double *beta; /* f64[k,BLOCK]; then w */
    double *dQ;   /* f64[k,d,d,LANES]: -sum w z y^T, not yet summed over lanes */
    double *wz;   /* f64[k,d,LANES]: sum w z, and... */
    double *w;    /* f64[k,LANES]: sum w, likewise */
};

static size_t doubles_of_scratch(int64_t d, int64_t k) {
    return (size_t)(k * d * d + k + d * BLOCK + k * d * BLOCK + k * BLOCK + k * d * d * LANES +
                    k * d * LANES + k * LANES);
}

static size_t scratch(const struct problem *p) {
    return sizeof(double) * doubles_of_scratch(p->input[1].shape[1], p->input[1].shape[0]);
}

static double log_sum_exp(const double *x, int64_t n) {
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
    for (int64_t i = 0; i < n; i++) sum += exp(x[i] - most);
    return most + log(sum);
}

static void fill_Q(const struct mixture *g) {
    int64_t d = g->d;
    for (int64_t k = 0; k < g->k; k++) {
        double *restrict Q = g->Q + k * d * d, sum = 0;
        const double *below = g->l + k * g->e;
        for (int64_t i = 0; i < d; i++) {
            Q[i * d + i] = exp(g->q[k * d + i]);
            sum += g->q[k * d + i];
            for (int64_t j = i + 1; j < d; j++) Q[j * d + i] = *below++;
        }
        g->log0[k] = g->alpha[k] + sum;
    }
}

static struct mixture arrange(const struct problem *p) {
    struct mixture g = {
        .d = p->input[1].shape[1],
        .k = p->input[1].shape[0],
        .n = p->input[4].shape[0],
        .alpha = p->input[0].data,
        .mu = p->input[1].data,
        .q = p->input[2].data,
        .l = p->input[3].data,
        .x = p->input[4].data,
        .gamma = *(const double *)p->input[6].data,
        .m = *(const double *)p->input[7].data,
        .Q = p->scratch,
    };
    g.e = g.d * (g.d - 1) / 2;
    g.log0 = g.Q + g.k * g.d * g.d;
    g.xt = g.log0 + g.k;
    g.z = g.xt + g.d * BLOCK;
    g.beta = g.z + g.k * g.d * BLOCK;
    g.dQ = g.beta + g.k * BLOCK;
    g.wz = g.dQ + g.k * g.d * g.d * LANES;
    g.w = g.wz + g.k * g.d * LANES;
    fill_Q(&g);
    return g;
}

/* What does not depend on the points. */
static double prior(const struct mixture *g) {
    double squares = 0, sum = 0;
    for (int64_t k = 0; k < g->k; k++)
        for (int64_t j = 0; j < g->d; j++) {
            double scale = g->Q[(k * g->d + j) * g->d + j];
            squares += scale * scale;
            sum += g->q[k * g->d + j];
        }
    for (int64_t i = 0; i < g->k * g->e; i++) squares += g->l[i] * g->l[i];
    return -(double)(g->n * g->d) / 2 * log(2 * 3.14159265358979323846) -
           (double)g->n * log_sum_exp(g->alpha, g->k) - g->gamma * g->gamma / 2 * squares +
           g->m * sum;
}

/* y = x - mu of a block for component k, as d rows of BLOCK points. */
static void centre(const struct mixture *g, int64_t k, double *restrict y) {
    for (int64_t i = 0; i < g->d; i++) {
        double mu = g->mu[k * g->d + i];
        for (int b = 0; b < BLOCK; b++) y[i * BLOCK + b] = g->xt[i * BLOCK + b] - mu;
    }
}

/* z = Q y and beta of component k. */
static void map_component(const struct mixture *g, int64_t k) {
    double y[MAX_D * BLOCK];
    int64_t d = g->d;
    lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    centre(g, k, y);
    for (int64_t i = 0; i < d; i++) {
        const double *restrict Q = g->Q + (k * d + i) * d;
        lanes z0 = {0}, z1 = {0}, z2 = {0}, z3 = {0};
        for (int64_t j = 0; j <= i; j++) {
            const double *at = y + j * BLOCK;
            z0 += Q[j] * load_lanes(at);
            z1 += Q[j] * load_lanes(at + LANES);
            z2 += Q[j] * load_lanes(at + 2 * LANES);
            z3 += Q[j] * load_lanes(at + 3 * LANES);
        }
        double *z = g->z + (k * d + i) * BLOCK;
        store_lanes(z, z0);
        store_lanes(z + LANES, z1);
        store_lanes(z + 2 * LANES, z2);
        store_lanes(z + 3 * LANES, z3);
        s0 += z0 * z0, s1 += z1 * z1, s2 += z2 * z2, s3 += z3 * z3;
    }
    double *beta = g->beta + k * BLOCK;
    store_lanes(beta, g->log0[k] - 0.5 * s0);
    store_lanes(beta + LANES, g->log0[k] - 0.5 * s1);
    store_lanes(beta + 2 * LANES, g->log0[k] - 0.5 * s2);
    store_lanes(beta + 3 * LANES, g->log0[k] - 0.5 * s3);
}

/* The sum over a block's points of logsumexp beta; beta becomes the softmax over components. */
static double weigh(const struct mixture *g, int64_t count) {
    double most[BLOCK], sum[BLOCK], total = 0;
    for (int b = 0; b < BLOCK; b++) most[b] = -INFINITY, sum[b] = 0;
    for (int64_t k = 0; k < g->k; k++)
        for (int b = 0; b < BLOCK; b++) {
            double beta = g->beta[k * BLOCK + b];
            most[b] = beta > most[b] ? beta : most[b];
        }
    for (int64_t k = 0; k < g->k; k++) {
        double *restrict beta = g->beta + k * BLOCK;
#pragma omp simd
        for (int b = 0; b < BLOCK; b++) sum[b] += beta[b] = exp(beta[b] - most[b]);
    }
    for (int b = 0; b < count; b++) total += most[b] + log(sum[b]);
    for (int b = 0; b < BLOCK; b++) sum[b] = b < count ? 1 / sum[b] : 0;
    for (int64_t k = 0; k < g->k; k++)
        for (int b = 0; b < BLOCK; b++) g->beta[k * BLOCK + b] *= sum[b];
    return total;
}

/* Adds to dQ, wz and w what a block says of component k. */
static void add_component(const struct mixture *g, int64_t k) {
    double y[MAX_D * BLOCK];
    int64_t d = g->d;
    lanes w[4], sum = {0};
    centre(g, k, y);
    for (int b = 0; b < 4; b++) sum += w[b] = load_lanes(g->beta + k * BLOCK + b * LANES);
    sum += load_lanes(g->w + k * LANES);
    store_lanes(g->w + k * LANES, sum);
    for (int64_t i = 0; i < d; i++) {
        const double *z = g->z + (k * d + i) * BLOCK;
        double *restrict dQ = g->dQ + (k * d + i) * d * LANES, *wz = g->wz + (k * d + i) * LANES;
        lanes z0 = w[0] * load_lanes(z), z1 = w[1] * load_lanes(z + LANES);
        lanes z2 = w[2] * load_lanes(z + 2 * LANES), z3 = w[3] * load_lanes(z + 3 * LANES);
        lanes all = load_lanes(wz) + ((z0 + z1) + (z2 + z3));
        store_lanes(wz, all);
        for (int64_t j = 0; j <= i; j++) {
            const double *at = y + j * BLOCK;
            lanes a = z0 * load_lanes(at) + z1 * load_lanes(at + LANES);
            lanes b = z2 * load_lanes(at + 2 * LANES) + z3 * load_lanes(at + 3 * LANES);
            store_lanes(dQ + j * LANES, load_lanes(dQ + j * LANES) - (a + b));
        }
    }
}

/* The points' part of the value, and where asked for of dQ, wz and w. */
static double likelihood(const struct mixture *g, bool add) {
    double y = 0;
    for (int64_t start = 0; start < g->n; start += BLOCK) {
        int64_t count = g->n - start < BLOCK ? g->n - start : BLOCK;
        for (int64_t i = 0; i < g->d; i++)
            for (int64_t b = 0; b < BLOCK; b++)
                g->xt[i * BLOCK + b] = b < count ? g->x[(start + b) * g->d + i] : 0;
        for (int64_t k = 0; k < g->k; k++) map_component(g, k);
        y += weigh(g, count);
        for (int64_t k = 0; add && k < g->k; k++) add_component(g, k);
    }
    return y;
}

static double value(const struct problem *p) {
    struct mixture g = arrange(p);
    return prior(&g) + likelihood(&g, false);
}

/* The slopes of component k, from dQ, wz and w. */
static void finish(const struct mixture *g, int64_t k, double *dmu, double *dq, double *dl) {
    int64_t d = g->d;
    const double *Q = g->Q + k * d * d, *dQ = g->dQ + k * d * d * LANES;
    double weight = sum_lanes(load_lanes(g->w + k * LANES)), square = g->gamma * g->gamma;
    memset(dmu, 0, (size_t)d * sizeof *dmu);
    for (int64_t i = 0; i < d; i++) {
        double wz = sum_lanes(load_lanes(g->wz + (k * d + i) * LANES));
        for (int64_t j = 0; j <= i; j++) dmu[j] += Q[i * d + j] * wz;
    }
    for (int64_t i = 0; i < d; i++) {
        double scale = Q[i * d + i], dscale = sum_lanes(load_lanes(dQ + (i * d + i) * LANES));
        dq[i] = weight + dscale * scale - square * scale * scale + g->m;
        for (int64_t j = i + 1; j < d; j++)
            *dl++ = sum_lanes(load_lanes(dQ + (j * d + i) * LANES)) - square * Q[j * d + i];
    }
}

static double gradient(const struct problem *p, void *const *slope) {
    struct mixture g = arrange(p);
    double *dalpha = slope[0], *dmu = slope[1], *dq = slope[2], *dl = slope[3];
    memset(g.dQ, 0, (size_t)(g.k * (g.d * g.d + g.d + 1) * LANES) * sizeof(double));
    double y = prior(&g) + likelihood(&g, true), shift = log_sum_exp(g.alpha, g.k);
    for (int64_t k = 0; k < g.k; k++) {
        dalpha[k] = sum_lanes(load_lanes(g.w + k * LANES)) - (double)g.n * exp(g.alpha[k] - shift);
        finish(&g, k, dmu + k * g.d, dq + k * g.d, dl + k * g.e);
    }
    return y;
}

static void normal(wg_tensor *x, wg_random *random) {
    double *data = x->data;
    for (int64_t i = 0, n = wg_tensor_count(x); i < n; i++) data[i] = wg_random_normal(random);
}

/* place[i,j]: where entry i, j of Q is found in (exp q, l, 0). */
static void fill_place(int64_t *place, int64_t d) {
    int64_t below = d;
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = 0; i < d; i++)
            place[i * d + j] = i == j ? i : i > j ? below++ : d + d * (d - 1) / 2;
}

static void fill(struct problem *p, wg_random *random) {
    wg_tensor *mu = &p->input[1];
    double *centre_of = mu->data;
    normal(&p->input[4], random);
    normal(&p->input[0], random);
    for (int64_t i = 0, n = wg_tensor_count(mu); i < n; i++)
        centre_of[i] = wg_random_uniform(random);
    normal(&p->input[2], random);
    normal(&p->input[3], random);
    fill_place(p->input[5].data, mu->shape[1]);
    *(double *)p->input[6].data = 0.7;
    *(double *)p->input[7].data = 2;
}

const struct bench_case case_mixture = {
    .name = "mixture",
    .what = "log posterior of a Gaussian mixture",
    .formula = "f(alpha[k], mu[k,d], q[k,d], l[k,e], x[n,d], place[d,d]: i64, gamma, m) = {\n"
               "  let entries = concat(exp(q), l, zeros(k, 1), axis=1)[:, place]\n"
               "  let i = iota(d)\n"
               "  let Q = where(expand(i, axis=1) >= expand(i, axis=0), entries, 0)\n"
               "  let z = einsum(\"kij,kjn->kin\", Q, expand(x', axis=0) - expand(mu, axis=2))\n"
               "  let beta = expand(alpha + sum(q, axis=1), axis=1) - 0.5*sum(z^2, axis=1)\n"
               "  let prior = gamma^2/2*(sum(exp(q)^2) + sum(l^2)) - m*sum(q)\n"
               "  sum(logsumexp(beta, axis=0)) - n*(logsumexp(alpha) + d/2*log(2*pi)) - prior\n"
               "}",
    .wrt = "alpha, mu, q, l",
    .sizes = {"d=3, k=4, e=3, n=37", "d=2, k=5, e=1, n=1000", "d=10, k=25, e=45, n=1000",
              "d=20, k=50, e=190, n=1000"},
    .fill = fill,
    .value = value,
    .gradient = gradient,
    .scratch = scratch,
};
