/* A C function with a rule for its derivative, in a fit. The Bessel functions J_n are the C
 * library's jn, and the rule is the recurrence
 *
 *     J_n'(x) = (J_n-1(x) - J_n+1(x)) / 2                (NIST Handbook, 10.6.1).
 *
 * The rule is a program that calls jn again, with a rule of its own for the next order, so Newton's
 * method has its Hessian: a and k of y = a J_0(k x) are found from measurements. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>

enum { POINTS = 40, ORDERS = 2, STEPS = 6 };

/* n i32, x f64[m] -> J_n(x). Called from many threads at once if the program is. */
static wg_status bessel(void *context, const wg_tensor *argument, const wg_tensor *result) {
    int n = *(const int32_t *)argument[0].data;
    const double *x = argument[1].data;
    double *y = result[0].data;
    (void)context;
    for (int64_t i = 0; i < result[0].shape[0]; i++) y[i] = jn(n, x[i]);
    return WG_OK;
}

static const wg_external bessel_function = {.name = "bessel", .call = bessel};

/* A program n, x -> J_n(x), and its jvp, whose own derivatives go `orders` further. */
struct function {
    wg_program *value, *jvp;
};

/* J_n(x) with the rule of f, or, where that has come to its end, with none. */
static wg_var call(wg_graph *g, const struct function *f, wg_var n, wg_var x) {
    wg_var y = {g, 0}, argument[] = {n, x};
    wg_type type = wg_type_of_var(x);
    if (f->jvp) wg_custom(g, f->value, (&(wg_rule){"bessel", f->jvp, NULL}), argument, &y);
    else wg_external(g, &bessel_function, 2, argument, 1, &type, &y);
    return y;
}

static struct function make_function(int orders, wg_error *error) {
    static const struct function plain = {NULL, NULL};
    struct function f = plain, next;
    for (int order = 0; order <= orders; order++, f = next) {
        wg_graph *g = wg_graph_new();
        wg_extent m = wg_size(g, "m");
        wg_var n = wg_input(g, "n", wg_i32()), x = wg_input(g, "x", wg_f64(m));
        wg_output(g, "y", call(g, &plain, n, x));
        next.value = wg_build(g, error);

        g = wg_graph_new();
        m = wg_size(g, "m");
        n = wg_input(g, "n", wg_i32()), x = wg_input(g, "x", wg_f64(m));
        wg_var t = wg_input(g, "t", wg_f64(m));
        wg_var below = call(g, &f, wg_sub(n, 1), x), above = call(g, &f, wg_add(n, 1), x);
        wg_output(g, "y_dot", wg_mul(t, wg_mul(0.5, wg_sub(below, above))));
        next.jvp = wg_build(g, error);
        wg_program_free(f.value);
        wg_program_free(f.jvp);
    }
    return f;
}

/* The mean square of a J_0(k x) - y, of theta = (a, k). */
static wg_program *make_loss(const struct function *f, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_extent m = wg_size(g, "m");
    wg_var theta = wg_input(g, "theta", wg_f64(2));
    wg_var x = wg_input(g, "x", wg_f64(m)), y = wg_input(g, "y", wg_f64(m));
    wg_var a = wg_slice(theta, 0, 0, 1, 1), k = wg_slice(theta, 0, 1, 2, 1);
    wg_var fit = wg_mul(a, call(g, f, wg_number(g, WG_I32, 0), wg_mul(k, x)));
    wg_output(g, "loss", wg_mse(fit, y));
    return wg_build(g, error);
}

int main(void) {
    wg_error error = {0};
    wg_random random = wg_random_seed(1);
    double theta[2] = {1.5, 1.6}, x[POINTS], y[POINTS], slope[2], H[2][2], loss;
    for (int i = 0; i < POINTS; i++) {
        x[i] = 0.2 * i;
        y[i] = 2.5 * jn(0, 1.7 * x[i]) + 0.01 * wg_random_normal(&random);
    }

    struct function f = make_function(ORDERS, &error);
    wg_rule_report report;
    const wg_rule rule = {"bessel", f.jvp, NULL};
    const wg_rule_options where = {.sizes = "m=3", .low = 0.5, .high = 5, .seed = 1};
    wg_check_rule(f.value, &rule, &where, &report, &error);
    if (!error.status)
        printf("the rule against differences: %.0e, second order %.0e%s\n", report.first,
               report.second, report.failed ? ": WRONG" : "");

    wg_program *p = make_loss(&f, &error), *both = wg_value_and_grad(p, "theta", &error);
    wg_program *curvature = wg_hessian(p, "theta", &error);
    wg_function *gradient = wg_compile(both, NULL, &error);
    wg_function *hessian = wg_compile(curvature, NULL, &error);
    const void *in[] = {theta, x, y};
    for (int step = 0; step < STEPS && !error.status; step++) {
        const int64_t size[] = {POINTS};
        wg_call_with(gradient, size, in, (void *[]){&loss, slope}, NULL, &error);
        wg_call_with(hessian, size, in, (void *[]){H}, NULL, &error);
        double det = H[0][0] * H[1][1] - H[0][1] * H[1][0];
        printf("loss %.8f  a = %.6f  k = %.6f\n", loss, theta[0], theta[1]);
        theta[0] -= (H[1][1] * slope[0] - H[0][1] * slope[1]) / det;
        theta[1] -= (H[0][0] * slope[1] - H[1][0] * slope[0]) / det;
    }
    if (error.status) fprintf(stderr, "bessel: %s\n", error.message);

    wg_function_free(gradient);
    wg_function_free(hessian);
    wg_program_free(both);
    wg_program_free(curvature);
    wg_program_free(p);
    wg_program_free(f.value);
    wg_program_free(f.jvp);
    return error.status != WG_OK;
}
