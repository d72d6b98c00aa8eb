/* lse: log sum exp x of x[n], from the largest element and a sum; its gradient. */
#include "gradbench.h"
#include "plain.h"

#include <stdio.h>

static void read(struct job *job, const cJSON *input) {
    int64_t n = get_length(job, input, "x");
    if (n == 0) job_fail(job, WG_ESHAPE, "lse: 'x' is empty");
    add_array(job, input, "x", SHAPE(n));
}

static wg_program *value(const struct job *job, wg_error *error) {
    char sizes[32];
    snprintf(sizes, sizeof sizes, "n=%lld", (long long)shape_of(job, "x")[0]);
    return formula("lse(x[n]) = { let most = max(x); most + log(sum(exp(x - most))) }", sizes,
                   error);
}

static void plain(const struct job *job, double *y) {
    *y = plain_lse(data_of(job, "x"), shape_of(job, "x")[0]);
}

static cJSON *answer(const struct job *job) {
    return json_array(job->result, job->derivative, shape_of(job, "x"));
}

const struct evaluation evaluation_lse = {
    .name = "lse",
    .value_name = "primal",
    .derivative_name = "gradient",
    .read = read,
    .value = value,
    .wrt = "x",
    .answer = answer,
    .plain = plain,
};
