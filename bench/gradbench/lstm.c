/* lstm: the mean log likelihood of a sequence[steps, bits] under a network of LSTM layers with
 * weights and biases of every element alone; its gradient with respect to main_params[2 layers,
 * 4 bits] and extra_params[3, bits]. Of layer k the gates are, with `in` its input and h its old
 * hidden state,
 *
 *     forget = sigmoid(in wf + bf)   ingate = sigmoid(h wi + bi)
 *     outgate = sigmoid(in wo + bo)  change = tanh(h wc + bc)
 *     cell <- cell forget + ingate change;  h <- outgate tanh(cell), the input of the next layer
 *
 * One layer runs over the whole sequence before the next one begins: what depends on its input
 * alone is computed for all steps at once, and the loop does the rest. */
#include "gradbench.h"
#include "plain.h"

#include <stdlib.h>

static void read(struct job *job, const cJSON *input) {
    int64_t rows = get_length(job, input, "main_params"),
            steps = get_length(job, input, "sequence");
    const cJSON *sequence = get(job, input, "sequence");
    int64_t bits = sequence ? cJSON_GetArraySize(sequence->child) : 0;
    if (rows < 2 || rows % 2 || bits < 1 || steps < 2)
        job_fail(job, WG_ESHAPE, "lstm: no layer, no bits, or less than two steps");
    add_array(job, input, "main_params", SHAPE(rows, 4 * bits));
    add_array(job, input, "extra_params", SHAPE(3, bits));
    add_array(job, input, "state", SHAPE(rows, bits));
    add_array(job, input, "sequence", SHAPE(steps, bits));
    job->own = malloc((size_t)((rows + 2) * bits) * sizeof(double)); /* of plain_lstm */
}

/* Row i of x, columns from .. from + count - 1. */
static wg_var row(wg_var x, int64_t i, int64_t from, int64_t count) {
    return wg_squeeze(wg_slice(wg_slice(x, 0, i, i + 1, 1), 1, from, from + count, 1), 0);
}

/* The hidden states of layer k for its inputs in[steps, bits]. */
static wg_var layer(wg_graph *g, wg_var params, wg_var state, int64_t k, wg_var in) {
    wg_extent steps = wg_extent_of(in, 0), bits = wg_extent_of(in, 1);
    wg_var w[4], b[4], result[3] = {{0}};
    for (int i = 0; i < 4; i++) {
        w[i] = row(params, 2 * k, i * bits, bits);
        b[i] = row(params, 2 * k + 1, i * bits, bits);
    }
    wg_var forget = wg_sigmoid(wg_add(wg_mul(in, w[0]), b[0]));
    wg_var outgate = wg_sigmoid(wg_add(wg_mul(in, w[2]), b[2]));
    wg_loop *loop = wg_loop_begin(g, steps);
    wg_var hidden = wg_loop_carry(loop, row(state, 2 * k, 0, bits));
    wg_var cell = wg_loop_carry(loop, row(state, 2 * k + 1, 0, bits));
    wg_var ingate = wg_sigmoid(wg_add(wg_mul(hidden, w[1]), b[1]));
    wg_var change = wg_tanh(wg_add(wg_mul(hidden, w[3]), b[3]));
    wg_var next = wg_add(wg_mul(cell, wg_loop_slice(loop, forget)), wg_mul(ingate, change));
    wg_var out = wg_mul(wg_loop_slice(loop, outgate), wg_tanh(next));
    wg_loop_next(loop, hidden, out);
    wg_loop_next(loop, cell, next);
    wg_loop_collect(loop, out);
    wg_loop_end(loop, result);
    return result[2];
}

static wg_program *value(const struct job *job, wg_error *error) {
    const int64_t *shape = shape_of(job, "sequence"), *layers = shape_of(job, "main_params");
    int64_t steps = shape[0] - 1, bits = shape[1];
    wg_graph *g = wg_graph_new();
    wg_var params = input_of(g, job, "main_params"), extra = input_of(g, job, "extra_params");
    wg_var state = input_of(g, job, "state"), sequence = input_of(g, job, "sequence");
    wg_var x = wg_mul(wg_slice(sequence, 0, 0, steps, 1), row(extra, 0, 0, bits));
    for (int64_t k = 0; 2 * k < layers[0]; k++) x = layer(g, params, state, k, x);
    wg_var y = wg_add(wg_mul(x, row(extra, 1, 0, bits)), row(extra, 2, 0, bits));
    wg_var next = wg_slice(sequence, 0, 1, steps + 1, 1);
    wg_output(g, "loss",
              wg_formula(g, "-mean(next*(y - log(2 + sum(exp(y), axis=1, keep=true))))", "next",
                         next, "y", y, NULL));
    return wg_build(g, error);
}

static void plain(const struct job *job, double *y) {
    *y = plain_lstm(&(struct plain_lstm){
        .layers = shape_of(job, "main_params")[0] / 2,
        .bits = shape_of(job, "sequence")[1],
        .steps = shape_of(job, "sequence")[0],
        .main = data_of(job, "main_params"),
        .extra = data_of(job, "extra_params"),
        .state = data_of(job, "state"),
        .sequence = data_of(job, "sequence"),
        .scratch = job->own,
    });
}

static cJSON *answer(const struct job *job) {
    int64_t count = (int64_t)job->results;
    return json_array(job->result, job->derivative, &count);
}

const struct evaluation evaluation_lstm = {
    .name = "lstm",
    .value_name = "objective",
    .derivative_name = "jacobian",
    .read = read,
    .value = value,
    .wrt = "main_params, extra_params",
    .answer = answer,
    .plain = plain,
};
