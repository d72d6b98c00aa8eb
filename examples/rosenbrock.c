/* The valley of Rosenbrock in 1,000 variables,
 *
 *     f(x) = sum over i of 100 (x_i+1 - x_i^2)^2 + (1 - x_i)^2,
 *
 * by Newton's method with conjugate gradients. What is compiled are f, its gradient and the Hessian
 * times a vector: three numbers for each variable, where the Hessian would have a million. The run
 * itself allocates nothing. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 1000 };

static const char valley[] = "f(x[n]) = sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)";

int main(void) {
    wg_error error = {0};
    wg_program *f = wg_parse(valley, strlen(valley), NULL, &error);
    int64_t n = N;
    wg_solver_options options = {.size = &n};
    wg_solver *solver = wg_newton_cg(f, "x", &options, &error);

    static double x[N];
    for (int i = 0; i < N; i++) x[i] = i % 2 ? 1 : -1.2; /* where everybody begins */
    wg_solver_report report;
    wg_solver_run(solver, (const void *[]){NULL}, x, &report, &error);
    double off = 0;
    for (int i = 0; i < N; i++) off = fmax(off, fabs(x[i] - 1));
    if (error.status)
        fprintf(stderr, "rosenbrock: %s\n", error.message);
    else
        printf("%s: %.0e from the minimum\n%d steps, %d products of the Hessian, gradient %.0e\n",
               wg_outcome_name(report.outcome), off, (int)report.steps, (int)report.products,
               report.residual);

    wg_solver_free(solver);
    wg_program_free(f);
    return error.status != WG_OK;
}
