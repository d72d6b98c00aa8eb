/* Three arms of a spiral: no straight lines part them, so a linear classifier fails, and a small
 * network learns them. Each then draws the plane as it sees it.
 *
 * The classifiers are formulas; wg_formula makes each part of a graph, like any other call. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>

enum { ARMS = 3, POINTS = 300, HIDDEN = 32, PARAMETERS = 4, STEPS = 2000, COLUMNS = 64, ROWS = 28 };
static const double rate = 1;

static const struct classifier {
    const char *name, *logits;
    size_t count; /* of parameters */
    struct {
        const char *name;
        int64_t rows, columns; /* columns 0: a vector */
    } parameter[PARAMETERS];
} classifiers[] = {
    {"linear", "X @ V + c", 2, {{"V", 2, ARMS}, {"c", ARMS, 0}}},
    {"network",
     "tanh(X @ W + b) @ V + c",
     4,
     {{"V", HIDDEN, ARMS}, {"c", ARMS, 0}, {"W", 2, HIDDEN}, {"b", HIDDEN, 0}}},
};

/* Inputs: the parameters, then points X f64[n,2] and their arms y i64[n]. */
static wg_program *make_program(const struct classifier *c, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var p[PARAMETERS] = {{0}};
    for (size_t i = 0; i < c->count; i++) {
        int64_t rows = c->parameter[i].rows, columns = c->parameter[i].columns;
        p[i] = wg_input(g, c->parameter[i].name, columns ? wg_f64(rows, columns) : wg_f64(rows));
    }
    wg_extent n = wg_size(g, "n");
    wg_var X = wg_input(g, "X", wg_f64(n, 2)), y = wg_input(g, "y", wg_i64(n));
    /* The list of names ends at the first NULL, so the linear classifier gives only its two. */
    wg_var h = wg_formula(g, c->logits, "X", X, c->parameter[0].name, p[0], c->parameter[1].name,
                          p[1], c->parameter[2].name, p[2], c->parameter[3].name, p[3], NULL);
    wg_output(g, "loss", wg_mean(wg_cross_entropy(h, y)));
    wg_output(g, "class", wg_argmax(h, 1));
    return wg_build(g, error);
}

/* Point k lies on arm k % ARMS, the further out the larger k is, give or take some noise. */
static void make_points(double x[POINTS][2], int64_t arm[POINTS], wg_random *random) {
    for (int k = 0; k < POINTS; k++) {
        double radius = (k + 1.) / POINTS, turn = 2 * acos(-1) / ARMS;
        double angle = 4 * radius + turn * (k % ARMS) + 0.15 * wg_random_normal(random);
        x[k][0] = radius * cos(angle);
        x[k][1] = radius * sin(angle);
        arm[k] = k % ARMS;
    }
}

static void learn(const struct classifier *c, double x[POINTS][2], int64_t *arm, wg_error *error) {
    static double theta[PARAMETERS][HIDDEN * ARMS], plane[ROWS * COLUMNS][2];
    static int64_t none[ROWS * COLUMNS];
    wg_tensor in[PARAMETERS + 2], out[2 + PARAMETERS] = {{0}}, seen[2] = {{0}};
    wg_random random = wg_random_seed(2);
    for (size_t i = 0; i < c->count; i++) {
        int64_t rows = c->parameter[i].rows, columns = c->parameter[i].columns;
        in[i] = (wg_tensor){theta[i], WG_F64, columns ? 2 : 1, {rows, columns}};
        for (int64_t k = 0; k < wg_tensor_count(&in[i]); k++)
            theta[i][k] = wg_random_normal(&random) / sqrt(columns ? (double)rows : 1);
    }
    in[c->count] = (wg_tensor){x, WG_F64, 2, {POINTS, 2}};
    in[c->count + 1] = (wg_tensor){arm, WG_I64, 1, {POINTS}};

    wg_program *program = make_program(c, error);
    wg_program *gradient = wg_value_and_grad(program, c->count == 2 ? "V, c" : "V, c, W, b", error);
    wg_function *run = wg_compile(program, NULL, error);
    wg_function *descend = wg_compile(gradient, NULL, error);
    for (int step = 0; step < STEPS && !wg_run(descend, NULL, in, out, error); step++)
        for (size_t i = 0; i < c->count; i++) {
            const double *slope = out[2 + i].data;
            for (int64_t k = 0; k < wg_tensor_count(&in[i]); k++) theta[i][k] -= rate * slope[k];
        }

    for (int i = 0; i < ROWS * COLUMNS; i++) {
        plane[i][0] = 2.2 * (i % COLUMNS + 0.5) / COLUMNS - 1.1;
        plane[i][1] = 1.1 - 2.2 * (i / COLUMNS + 0.5) / ROWS;
    }
    in[c->count] = (wg_tensor){plane, WG_F64, 2, {ROWS * COLUMNS, 2}};
    in[c->count + 1] = (wg_tensor){none, WG_I64, 1, {ROWS * COLUMNS}};
    wg_run(run, NULL, in, seen, error);
    if (!error->status) {
        int right = 0;
        for (int k = 0; k < POINTS; k++) right += ((int64_t *)out[1].data)[k] == arm[k];
        printf("%s: loss %.4f, accuracy %.3f\n\n", c->name, *(double *)out[0].data,
               (double)right / POINTS);
        for (int i = 0; i < ROWS * COLUMNS; i++)
            printf("%c%s", ".o#"[((int64_t *)seen[1].data)[i]], (i + 1) % COLUMNS ? "" : "\n");
        printf("\n");
    }

    for (size_t i = 0; i < 2 + c->count; i++) wg_tensor_free(&out[i], NULL);
    for (size_t i = 0; i < 2; i++) wg_tensor_free(&seen[i], NULL);
    wg_function_free(descend);
    wg_function_free(run);
    wg_program_free(gradient);
    wg_program_free(program);
}

int main(void) {
    static double x[POINTS][2];
    static int64_t arm[POINTS];
    wg_error error = {0}; /* keeps the first failure; what is called after it does nothing */
    wg_random random = wg_random_seed(1);
    make_points(x, arm, &random);
    for (size_t i = 0; i < 2; i++) learn(&classifiers[i], x, arm, &error);
    if (error.status) fprintf(stderr, "spiral: %s\n", error.message);
    return error.status != WG_OK;
}
