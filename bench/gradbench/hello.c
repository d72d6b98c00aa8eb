/* hello: x^2 and its derivative. The input and the answer are bare numbers. */
#include "gradbench.h"

static void read(struct job *job, const cJSON *input) {
    if (!cJSON_IsNumber(input)) job_fail(job, WG_EDTYPE, "hello: the input is no number");
    add_number(job, "x", cJSON_GetNumberValue(input));
}

static wg_program *value(const struct job *job, wg_error *error) {
    (void)job;
    return formula("square(x) = x^2", NULL, error);
}

static void plain(const struct job *job, double *y) {
    const double *x = data_of(job, "x");
    *y = *x * *x;
}

static cJSON *answer(const struct job *job) { return json_array(job->result, 0, NULL); }

const struct evaluation evaluation_hello = {
    .name = "hello",
    .value_name = "square",
    .derivative_name = "double",
    .read = read,
    .value = value,
    .wrt = "x",
    .answer = answer,
    .plain = plain,
};
