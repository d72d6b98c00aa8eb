/* llsq: 1/2 sum (s_i - sum x_j t_i^j)^2 over n points t in [-1, 1] with s = sign t; the gradient
 * with respect to the coefficients x[m]. A loop of C writes Horner's scheme over all points. */
#include "gradbench.h"
#include "plain.h"

static void read(struct job *job, const cJSON *input) {
    int64_t m = get_length(job, input, "x"), n = get_count(job, input, "n", 2);
    if (m == 0) job_fail(job, WG_ESHAPE, "llsq: 'x' is empty");
    add_array(job, input, "x", SHAPE(m));
    double *t = add_argument(job, "t", WG_F64, SHAPE(n));
    double *s = add_argument(job, "s", WG_F64, SHAPE(n));
    for (int64_t i = 0; s && i < n; i++) {
        t[i] = -1 + 2 * (double)i / (double)(n - 1);
        s[i] = t[i] > 0 ? 1 : t[i] < 0 ? -1 : 0;
    }
}

static wg_program *value(const struct job *job, wg_error *error) {
    wg_graph *g = wg_graph_new();
    int64_t m = shape_of(job, "x")[0];
    wg_var x = input_of(g, job, "x"), t = input_of(g, job, "t"), s = input_of(g, job, "s");
    wg_var y = wg_slice(x, 0, m - 1, m, 1);
    for (int64_t j = m - 1; j-- > 0;) y = wg_add(wg_mul(y, t), wg_slice(x, 0, j, j + 1, 1));
    wg_output(g, "y", wg_mul(0.5, wg_sum(wg_square(wg_sub(s, y)))));
    return wg_build(g, error);
}

static void plain(const struct job *job, double *y) {
    *y = plain_llsq(data_of(job, "x"), shape_of(job, "x")[0], shape_of(job, "t")[0]);
}

static cJSON *answer(const struct job *job) {
    return json_array(job->result, job->derivative, shape_of(job, "x"));
}

const struct evaluation evaluation_llsq = {
    .name = "llsq",
    .value_name = "primal",
    .derivative_name = "gradient",
    .read = read,
    .value = value,
    .wrt = "x",
    .answer = answer,
    .plain = plain,
};
