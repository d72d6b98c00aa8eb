/* gmm: the log posterior of a Gaussian mixture with a Wishart prior, k components in d dimensions,
 * n points x; the gradient with respect to alpha[k], mu[k,d], q[k,d], l[k,d(d-1)/2]. Q_k is lower
 * triangular with diagonal exp q_k and l_k below it, column by column. */
#include "gradbench.h"
#include "plain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

/* log Gamma_p(a) */
static double log_gamma(double a, int64_t p) {
    double y = 0.25 * (double)(p * (p - 1)) * log(pi);
    for (int64_t j = 1; j <= p; j++) y += lgamma(a + (double)(1 - j) / 2);
    return y;
}

/* What does not depend on the independents. */
static double constant(int64_t d, int64_t k, int64_t n, double m, double gamma) {
    double nu = (double)d + m + 1;
    double C = nu * (double)d * (log(gamma) - 0.5 * log(2)) - log_gamma(nu / 2, d);
    return -(double)(n * d) / 2 * log(2 * pi) + (double)k * C;
}

/* place[i,j]: where entry i, j of Q is found in (exp q, l, 0). */
static void fill_place(int64_t *place, int64_t d) {
    int64_t below = d;
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = 0; i < d; i++)
            place[i * d + j] = i == j ? i : i > j ? below++ : d + d * (d - 1) / 2;
}

static void read(struct job *job, const cJSON *input) {
    int64_t d = get_count(job, input, "d", 1), k = get_count(job, input, "k", 1);
    int64_t n = get_count(job, input, "n", 1), e = d * (d - 1) / 2;
    double m = get_number(job, input, "m"), gamma = get_number(job, input, "gamma");
    add_array(job, input, "alpha", SHAPE(k));
    add_array(job, input, "mu", SHAPE(k, d));
    add_array(job, input, "q", SHAPE(k, d));
    add_array(job, input, "l", SHAPE(k, e));
    add_array(job, input, "x", SHAPE(n, d));
    add_number(job, "gamma", gamma);
    add_number(job, "m", m);
    add_number(job, "constant", constant(d, k, n, m, gamma));
    int64_t *place = add_argument(job, "place", WG_I64, SHAPE(d, d));
    if (place) fill_place(place, d);
    job->own = malloc((size_t)(k * (d + 2) + 2 * d) * sizeof(double)); /* of plain_gmm */
}

static wg_program *value(const struct job *job, wg_error *error) {
    static const char text[] =
        "gmm(alpha[k], mu[k,d], q[k,d], l[k,e], x[n,d], gamma, m, constant, place[d,d]: i64) = {\n"
        "  let Q = concat(exp(q), l, zeros(k, 1), axis=1)[:, place]\n"
        "  let z = einsum(\"kij,knj->kni\", Q, expand(x, axis=0) - expand(mu, axis=1))\n"
        "  let beta = expand(alpha + sum(q, axis=1), axis=1) - 0.5*sum(z^2, axis=2)\n"
        "  let prior = gamma^2/2*(sum(exp(q)^2) + sum(l^2)) - m*sum(q)\n"
        "  constant + sum(logsumexp(beta, axis=0)) - n*logsumexp(alpha) - prior\n"
        "}";
    char sizes[128];
    snprintf(sizes, sizeof sizes, "d=%lld, k=%lld, e=%lld, n=%lld",
             (long long)shape_of(job, "mu")[1], (long long)shape_of(job, "mu")[0],
             (long long)shape_of(job, "l")[1], (long long)shape_of(job, "x")[0]);
    return formula(text, sizes, error);
}

static void plain(const struct job *job, double *y) {
    *y = plain_gmm(&(struct plain_gmm){
        .d = shape_of(job, "mu")[1],
        .k = shape_of(job, "mu")[0],
        .n = shape_of(job, "x")[0],
        .alpha = data_of(job, "alpha"),
        .mu = data_of(job, "mu"),
        .q = data_of(job, "q"),
        .l = data_of(job, "l"),
        .x = data_of(job, "x"),
        .gamma = *(double *)data_of(job, "gamma"),
        .m = *(double *)data_of(job, "m"),
        .constant = *(double *)data_of(job, "constant"),
        .scratch = job->own,
    });
}

static cJSON *answer(const struct job *job) {
    const char *const wrt[] = {"alpha", "mu", "q", "l"};
    const double *at = job->result;
    if (!job->derivative) return json_array(at, 0, NULL);
    cJSON *all = cJSON_CreateObject();
    for (int i = 0; i < 4; i++) {
        const int64_t *shape = shape_of(job, wrt[i]);
        int rank = i == 0 ? 1 : 2;
        cJSON_AddItemToObject(all, wrt[i], json_array(at, rank, shape));
        at += shape[0] * (rank == 2 ? shape[1] : 1);
    }
    return all;
}

const struct evaluation evaluation_gmm = {
    .name = "gmm",
    .value_name = "objective",
    .derivative_name = "jacobian",
    .read = read,
    .value = value,
    .wrt = "alpha, mu, q, l",
    .answer = answer,
    .plain = plain,
};
