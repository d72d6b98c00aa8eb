/* A Gaussian process learns its own length scale, amplitude and noise: the logarithm of the
 * marginal likelihood is one formula of a Cholesky factor (Rasmussen and Williams, Gaussian
 * Processes for Machine Learning, 2006, section 2.3), and its exact gradient, one factorization and
 * a few solutions, whatever the number of parameters. The program is made once, for any n. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>

enum { POINTS = 60, TESTS = 50, STEPS = 200, REPORT = 40, PARAMETERS = 3 };

static const char text[] =
    "kernel(x[n], z[m], l, s) = "
    "exp(2*s - 0.5*((expand(x, axis=1) - expand(z, axis=0))*exp(-l))^2)\n"
    "factor(x[n], l, s, e) = cholesky(kernel(x, x, l, s) + exp(2*e)*eye(n))\n"
    "evidence(x[n], y[n], l, s, e) = -0.5*sum(solve_lower(factor(x, l, s, e), y)^2)"
    " - sum(log(diagonal(factor(x, l, s, e)))) - 0.5*n*log(2*pi)\n"
    "predict(x[n], y[n], z[m], l, s, e) = "
    "kernel(z, x, l, s) @ cholesky_solve(factor(x, l, s, e), y)\n";

static double truth(double x) { return sin(3 * x) + 0.3 * x; }

static void draw(wg_random *random, int count, double noise, double *x, double *y) {
    for (int i = 0; i < count; i++) {
        x[i] = 6 * wg_random_uniform(random) - 3;
        y[i] = truth(x[i]) + noise * wg_random_normal(random);
    }
}

static wg_program *function(const char *name, wg_error *error) {
    return wg_parse(text, sizeof text - 1, &(wg_parse_options){.function = name}, error);
}

/* Up the gradient, each step as long as the last ones let it (Kingma and Ba, 2015). */
static void step(int t, const double *slope, double *theta) {
    static double mean[PARAMETERS], square[PARAMETERS];
    for (int k = 0; k < PARAMETERS; k++) {
        mean[k] = 0.9 * mean[k] + 0.1 * slope[k];
        square[k] = 0.99 * square[k] + 0.01 * slope[k] * slope[k];
        theta[k] += 0.05 * (mean[k] / (1 - pow(0.9, t))) /
                    (sqrt(square[k] / (1 - pow(0.99, t))) + 1e-12);
    }
}

int main(void) {
    double x[POINTS], y[POINTS], z[TESTS], there[TESTS], guess[TESTS];
    double theta[PARAMETERS] = {1, 1, 0}, slope[PARAMETERS], value = 0;
    wg_random random = wg_random_seed(1);
    wg_error error = {0};
    draw(&random, POINTS, 0.2, x, y);
    draw(&random, TESTS, 0, z, there);

    wg_program *evidence = function("evidence", &error), *predict = function("predict", &error);
    wg_program *derived = wg_value_and_grad(evidence, "l, s, e", &error);
    wg_function *learn = wg_compile(derived, NULL, &error);
    wg_function *apply = wg_compile(predict, NULL, &error);

    for (int t = 1; t <= STEPS && !error.status; t++) {
        wg_call_with(learn, (int64_t[]){POINTS},
                     (const void *[]){x, y, &theta[0], &theta[1], &theta[2]},
                     (void *[]){&value, &slope[0], &slope[1], &slope[2]}, NULL, &error);
        if (t == 1 || t % REPORT == 0)
            printf("step %3d  log evidence %8.3f  length %.3f  amplitude %.3f  noise %.3f\n", t,
                   value, exp(theta[0]), exp(theta[1]), exp(theta[2]));
        step(t, slope, theta);
    }
    /* sizes in the order in which the formula names them */
    wg_call_with(apply, (int64_t[]){POINTS, TESTS},
                 (const void *[]){x, y, z, &theta[0], &theta[1], &theta[2]}, (void *[]){guess},
                 NULL, &error);
    double sum = 0;
    for (int i = 0; i < TESTS; i++) sum += (guess[i] - there[i]) * (guess[i] - there[i]);
    if (error.status)
        fprintf(stderr, "gaussian_process: %s\n", error.message);
    else
        printf("predictions are %.3f off, of a noise of 0.2\n", sqrt(sum / TESTS));

    wg_function_free(learn);
    wg_function_free(apply);
    wg_program_free(derived);
    wg_program_free(evidence);
    wg_program_free(predict);
    return error.status != WG_OK;
}
