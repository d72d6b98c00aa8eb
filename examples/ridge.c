/* How much to regularise, by gradients. A logistic regression is fitted to few noisy examples
 * with a penalty e^theta_k w_k^2 for each weight; theta is chosen so that the fit does well on
 * examples that it has not seen. The fitted weights are a root, of the gradient of the training
 * loss, and so an implicit function of theta: the gradient and the Hessian of the validation
 * loss by theta go through it, whatever the fit does inside, and Newton's method with conjugate
 * gradients takes both. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEATURES = 8, TRAIN = 40, VALID = 400 };

/* Two features matter, the others are noise. */
static const char text[] = //
    "train(w[8], theta[8], X[m,8], y[m]) =\n"
    "  mean(softplus(X @ w) - y*(X @ w)) + 0.5*sum(exp(theta)*w^2)\n"
    "valid(w[8], X[k,8], y[k]) = mean(softplus(X @ w) - y*(X @ w)) # the same without a penalty\n";

static wg_program *parsed(const char *function, wg_error *error) {
    wg_parse_options options = {.function = function};
    return wg_parse(text, strlen(text), &options, error);
}

/* The validation loss of the weights fitted with theta, by theta and the data. */
static wg_program *make_outer(wg_error *error) {
    wg_program *train = parsed("train", error), *valid = parsed("valid", error);
    wg_program *slope = wg_grad(train, "w", error); /* 0 at the fitted weights */
    wg_graph *g = wg_graph_new();
    wg_extent m = wg_size(g, "m"), k = wg_size(g, "k");
    wg_var data[5] = {wg_input(g, "theta", wg_f64(FEATURES)), wg_input(g, "X", wg_f64(m, FEATURES)),
                      wg_input(g, "y", wg_f64(m)), wg_input(g, "X_new", wg_f64(k, FEATURES)),
                      wg_input(g, "y_new", wg_f64(k))};
    wg_var begin = wg_full(g, wg_f64(FEATURES), 0), w = {g, 0}, loss = {g, 0};
    wg_newton_root(g, slope, NULL, &begin, data, &w);
    wg_apply(g, valid, ((wg_var[]){w, data[3], data[4]}), &loss);
    wg_output(g, "loss", loss);
    wg_program *outer = wg_build(g, error);
    wg_program_free(train);
    wg_program_free(valid);
    wg_program_free(slope);
    return outer;
}

static void draw(wg_random *random, int count, double (*X)[FEATURES], double *y) {
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < FEATURES; j++) X[i][j] = wg_random_normal(random);
        double p = 1 / (1 + exp(-(2 * X[i][0] - 1.5 * X[i][1])));
        y[i] = wg_random_uniform(random) < p;
    }
}

int main(void) {
    static double X[TRAIN][FEATURES], y[TRAIN], X_new[VALID][FEATURES], y_new[VALID];
    wg_error error = {0};
    wg_random random = wg_random_seed(3);
    draw(&random, TRAIN, X, y);
    draw(&random, VALID, X_new, y_new);

    wg_program *outer = make_outer(&error);
    int64_t size[2] = {TRAIN, VALID};
    wg_solver_options options = {.size = size, .tolerance = 1e-7};
    wg_solver *solver = wg_newton_cg(outer, "theta", &options, &error);
    wg_function *fn = wg_compile(outer, NULL, &error);

    double theta[FEATURES], before = 0;
    for (int j = 0; j < FEATURES; j++) theta[j] = -4;
    const void *in[] = {theta, X, y, X_new, y_new};
    wg_call_with(fn, size, in, (void *[]){&before}, NULL, &error);
    wg_solver_report report;
    wg_solver_run(solver, in, theta, &report, &error);
    if (error.status)
        fprintf(stderr, "ridge: %s\n", error.message);
    else {
        printf("%s in %d steps: loss on unseen examples %.4f, was %.4f\npenalties",
               wg_outcome_name(report.outcome), (int)report.steps, report.value, before);
        for (int j = 0; j < FEATURES; j++) printf(" %.2g", exp(theta[j]));
        printf("\n");
    }
    wg_function_free(fn);
    wg_solver_free(solver);
    wg_program_free(outer);
    return error.status != WG_OK;
}
