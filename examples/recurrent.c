/* A recurrent network reads sequences whose lengths differ from one to the next, and is to tell at
 * the end how the sequence began: the sign of its first number, whatever noise followed. The graph
 * is eager: an ordinary loop of C, as long as the sequence, builds it; wg_backward goes back
 * through the loop, and wg_rewind makes room for the next sequence. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>

enum { HIDDEN = 8, PARAMETERS = 4, STEPS = 5000, REPORT = 1000, TESTS = 1000, LONGEST = 24 };
static const double rate = 0.05;

/* h <- tanh(W h + x u + b) for every number x of the sequence; in the end y = v h */
static struct parameter {
    const char *name;
    wg_extent rank, extent[2];
    double data[HIDDEN * HIDDEN];
} parameters[PARAMETERS] = {
    {"W", 2, {HIDDEN, HIDDEN}, {0}},
    {"u", 1, {HIDDEN}, {0}},
    {"b", 1, {HIDDEN}, {0}},
    {"v", 1, {HIDDEN}, {0}},
};

static size_t count_of(const struct parameter *p) {
    return p->rank == 2 ? HIDDEN * HIDDEN : HIDDEN;
}

static void initialize(wg_random *random) {
    for (int k = 0; k < PARAMETERS; k++)
        for (size_t i = 0; i < count_of(&parameters[k]); i++)
            parameters[k].data[i] = 0.3 * wg_random_normal(random);
}

/* A sequence of least .. most numbers; returns its length. */
static int make_sequence(wg_random *random, int least, int most, double *x) {
    int length = least + (int)wg_random_below(random, (uint64_t)(most - least + 1));
    for (int i = 0; i < length; i++) x[i] = 0.3 * wg_random_normal(random);
    x[0] = wg_random_below(random, 2) ? 1 : -1;
    return length;
}

static void append_parameters(wg_graph *g, wg_var *theta) {
    for (int k = 0; k < PARAMETERS; k++) {
        const struct parameter *p = &parameters[k];
        theta[k] = wg_value(g, wg_type_of(WG_F64, (size_t)p->rank, p->extent), p->data);
    }
}

static wg_var read_sequence(wg_graph *g, const wg_var *theta, const double *x, int length) {
    wg_var W = theta[0], u = theta[1], b = theta[2], v = theta[3];
    wg_var h = wg_full(g, wg_f64(HIDDEN), 0);
    for (int i = 0; i < length; i++)
        h = wg_tanh(wg_add(wg_add(wg_matmul(W, h), wg_mul(u, x[i])), b));
    return wg_matmul(v, h);
}

/* One step down the loss log(1 + exp(-t y)), which is returned. */
static double learn(wg_graph *g, const double *x, int length) {
    wg_var theta[PARAMETERS], slope[PARAMETERS];
    append_parameters(g, theta);
    wg_var y = read_sequence(g, theta, x, length);
    wg_var loss = wg_softplus(wg_mul(y, x[0] > 0 ? -1 : 1));
    wg_backward(loss, PARAMETERS, theta, slope);
    for (int k = 0; k < PARAMETERS; k++) {
        const double *d = wg_data(slope[k]).data;
        for (size_t i = 0; d && i < count_of(&parameters[k]); i++)
            parameters[k].data[i] -= rate * d[i];
    }
    return wg_item(loss);
}

/* The part of new sequences, of these lengths, that is told right. */
static double test(wg_graph *g, uint32_t start, wg_random *random, int least, int most) {
    double x[LONGEST];
    int right = 0;
    for (int i = 0; i < TESTS; i++) {
        wg_var theta[PARAMETERS];
        int length = make_sequence(random, least, most, x);
        append_parameters(g, theta);
        right += wg_item(read_sequence(g, theta, x, length)) * x[0] > 0;
        wg_rewind(g, start);
    }
    return (double)right / TESTS;
}

int main(void) {
    double x[LONGEST], loss = 0;
    wg_random random = wg_random_seed(1);
    wg_graph *g = wg_eager_new();
    uint32_t start = wg_mark(g);
    initialize(&random);
    for (int step = 1; step <= STEPS && !wg_graph_error(g)->status; step++) {
        loss += learn(g, x, make_sequence(&random, 1, 12, x)) / REPORT;
        wg_rewind(g, start);
        if (step % REPORT) continue;
        printf("%5d sequences: loss %.4f, accuracy %.3f\n", step, loss,
               test(g, start, &random, 1, 12));
        loss = 0;
    }
    printf("twice as long: accuracy %.3f\n", test(g, start, &random, 13, LONGEST));
    wg_error error = *wg_graph_error(g);
    if (error.status) fprintf(stderr, "recurrent: %s\n", error.message);
    wg_graph_free(g);
    return error.status != WG_OK;
}
