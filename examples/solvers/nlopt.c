/* Rosenbrock's function in 1000 variables, minimised by NLopt's L-BFGS with its exact gradient.
 *
 *     cc nlopt.c -lwengert -lnlopt -lm -o nlopt */
#include <wengert.h>

#include <math.h>
#include <nlopt.h>
#include <stdio.h>

enum { N = 1000 };

static const wg_options options = {.backend = WG_NATIVE};

static const char rosenbrock[] = "f(x[n]) = sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)";

/* What NLopt hands to the callback: f, and f with its gradient as one program. */
struct objective {
    wg_function *value, *value_and_gradient;
    void *value_workspace, *gradient_workspace;
    int values, gradients;
    wg_error error;
    nlopt_opt solver;
};

/* f(x); its gradient too, unless NLopt passes NULL because the algorithm wants none. */
static double evaluate(unsigned n, const double *x, double *gradient, void *data) {
    struct objective *f = data;
    const int64_t size[] = {n};
    double y = NAN;
    if (gradient)
        wg_call_with(f->value_and_gradient, size, (const void *[]){x}, (void *[]){&y, gradient},
                     f->gradient_workspace, &f->error);
    else
        wg_call_with(f->value, size, (const void *[]){x}, (void *[]){&y}, f->value_workspace,
                     &f->error);
    f->values++;
    f->gradients += gradient != NULL;
    if (f->error.status) nlopt_force_stop(f->solver);
    return y;
}

static void prepare(struct objective *f) {
    const int64_t size[] = {N};
    wg_program *value = wg_parse(rosenbrock, sizeof rosenbrock - 1, NULL, &f->error);
    wg_program *value_and_gradient = wg_value_and_grad(value, "x", &f->error);
    f->value = wg_compile(value, &options, &f->error);
    f->value_and_gradient = wg_compile(value_and_gradient, &options, &f->error);
    f->value_workspace = wg_workspace_new(f->value, size, &f->error);
    f->gradient_workspace = wg_workspace_new(f->value_and_gradient, size, &f->error);
    wg_program_free(value_and_gradient);
    wg_program_free(value);
}

int main(void) {
    struct objective f = {.solver = nlopt_create(NLOPT_LD_LBFGS, N)};
    prepare(&f);
    nlopt_set_min_objective(f.solver, evaluate, &f);
    nlopt_set_vector_storage(f.solver, 10); /* left alone: 1310 here, and 100 times the time */
    nlopt_set_ftol_rel(f.solver, 1e-15);
    nlopt_set_maxeval(f.solver, 100000);

    double x[N], least = NAN, distance = 0;
    for (int i = 0; i < N; i++) x[i] = i % 2 ? 1 : -1.2;
    nlopt_result result = f.error.status ? NLOPT_FAILURE : nlopt_optimize(f.solver, x, &least);
    for (int i = 0; i < N; i++) distance = fmax(distance, fabs(x[i] - 1));

    /* The only minimum is f = 0 at (1, ..., 1). */
    bool right = result > 0 && distance < 1e-5 && evaluate(N, x, NULL, &f) == least;
    printf("f = %.6f, max |x - 1| = %.6f: %s\n", least, distance, right ? "right" : "wrong");
    printf("%d values, %d of them with the gradient\n", f.values, f.gradients);
    if (f.error.status)
        fprintf(stderr, "nlopt: %s\n", f.error.message);
    else if (result < 0)
        fprintf(stderr, "nlopt: %s\n", nlopt_result_to_string(result));

    nlopt_destroy(f.solver);
    wg_workspace_free(f.gradient_workspace);
    wg_workspace_free(f.value_workspace);
    wg_function_free(f.value_and_gradient);
    wg_function_free(f.value);
    return !right;
}
