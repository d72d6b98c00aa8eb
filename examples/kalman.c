/* How noisy are a moving point and the eyes that watch it? A Kalman filter gives the likelihood of
 * all observations as a loop over them (Durbin and Koopman, Time Series Analysis by State Space
 * Methods, 2012, section 7.2), and Newton's method with exact first and second derivatives through
 * that loop finds the two noises that make it largest. The number of steps is known at the call. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>

enum { STEPS = 400, STATE = 4, SEEN = 2 };

/* Position and velocity in the plane; positions are seen. */
static const double motion[STATE * STATE] = {1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1};
static const double sight[SEEN * STATE] = {1, 0, 0, 0, 0, 1, 0, 0};

/* Inputs y [steps,2] and theta [2], the logarithms of both noises; output the mean of the negative
 * logarithms of the likelihoods, without their constant. */
static wg_program *filter(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_extent steps = wg_size(g, "steps");
    wg_var y = wg_input(g, "y", wg_f64(steps, SEEN)), theta = wg_input(g, "theta", wg_f64(2));
    wg_var F = wg_constant(g, wg_f64(STATE, STATE), motion);
    wg_var H = wg_constant(g, wg_f64(SEEN, STATE), sight);
    /* the velocity is pushed about, and what is seen is blurred */
    wg_var Q = wg_formula(g, "exp(2*theta[0]) * eye(4) * [0, 0, 1, 1]", "theta", theta, NULL);
    wg_var R = wg_formula(g, "exp(2*theta[1]) * eye(2)", "theta", theta, NULL);

    wg_loop *loop = wg_loop_begin(g, steps);
    wg_var seen = wg_loop_slice(loop, y);
    wg_var m = wg_loop_carry(loop, wg_full(g, wg_f64(STATE), 0));
    wg_var P = wg_loop_carry(loop, wg_formula(g, "10*eye(4)", NULL));
    wg_var loss = wg_loop_carry(loop, wg_number(g, WG_F64, 0));
    wg_var ahead = wg_matmul(F, m);
    wg_var A = wg_formula(g, "F @ P @ F' + Q", "F", F, "P", P, "Q", Q, NULL);
    wg_var L = wg_formula(g, "cholesky(H @ A @ H' + R)", "H", H, "A", A, "R", R, NULL);
    /* in units in which the surprise has the variance 1 */
    wg_var surprise = wg_triangular_solve(L, wg_sub(seen, wg_matmul(H, ahead)), WG_LOWER);
    wg_var gain = wg_triangular_solve(L, wg_matmul(H, A), WG_LOWER);
    wg_loop_next(loop, m, wg_formula(g, "a + W' @ v", "a", ahead, "W", gain, "v", surprise, NULL));
    wg_loop_next(loop, P, wg_formula(g, "A - W' @ W", "A", A, "W", gain, NULL));
    wg_loop_next(loop, loss,
                 wg_formula(g, "s + 0.5*sum(v^2) + sum(log(diagonal(L)))", "s", loss, "v", surprise,
                            "L", L, NULL));
    wg_var result[3] = {{0}};
    wg_loop_end(loop, result);
    wg_output(g, "loss",
              wg_formula(g, "s / f64(n)", "s", result[2], "n", wg_extent_value(g, steps), NULL));
    return wg_build(g, error);
}

/* A path with a noise of 0.1 in its velocity, seen with one of 0.5. */
static void simulate(double *y) {
    double x[STATE] = {0};
    wg_random random = wg_random_seed(3);
    for (int t = 0; t < STEPS; t++) {
        for (int k = 0; k < SEEN; k++) {
            x[k] += x[SEEN + k];
            x[SEEN + k] += 0.1 * wg_random_normal(&random);
            y[SEEN * t + k] = x[k] + 0.5 * wg_random_normal(&random);
        }
    }
}

/* theta -= H^-1 g, or a small step down where H is not positive definite. */
static double newton(const double *g, const double H[4], double *theta) {
    double det = H[0] * H[3] - H[1] * H[2];
    bool definite = det > 0 && H[0] > 0;
    double step[2] = {definite ? (H[3] * g[0] - H[1] * g[1]) / det : g[0],
                      definite ? (H[0] * g[1] - H[2] * g[0]) / det : g[1]};
    double length = hypot(step[0], step[1]), most = length > 0.7 ? 0.7 / length : 1;
    for (int k = 0; k < 2; k++) theta[k] -= most * step[k];
    return length;
}

int main(void) {
    static double y[STEPS * SEEN];
    double theta[2] = {-1, 0.5}, value = 0, slope[2], curve[4], length = 1;
    wg_error error = {0};
    simulate(y);
    wg_program *loss = filter(&error), *first = wg_value_and_grad(loss, "theta", &error);
    wg_program *second = wg_hessian(loss, "theta", &error);
    wg_function *gradient = wg_compile(first, NULL, &error);
    wg_function *hessian = wg_compile(second, NULL, &error);
    const int64_t size[] = {STEPS};
    for (int t = 0; t < 30 && length > 1e-9 && !error.status; t++) {
        const void *in[] = {y, theta};
        wg_call_with(gradient, size, in, (void *[]){&value, slope}, NULL, &error);
        wg_call_with(hessian, size, in, (void *[]){curve}, NULL, &error);
        printf("step %2d  loss %.6f  gradient %8.1e  motion %.4f  sight %.4f\n", t, value,
               hypot(slope[0], slope[1]), exp(theta[0]), exp(theta[1]));
        length = newton(slope, curve, theta);
    }
    if (error.status)
        fprintf(stderr, "kalman: %s\n", error.message);
    else
        printf("found motion %.4f, of 0.1, and sight %.4f, of 0.5\n", exp(theta[0]), exp(theta[1]));
    wg_function_free(gradient);
    wg_function_free(hessian);
    wg_program_free(second);
    wg_program_free(first);
    wg_program_free(loss);
    return error.status != WG_OK;
}
