/* Problem 71 of Hock and Schittkowski (Test Examples for Nonlinear Programming Codes, 1981), solved
 * by Ipopt with exact first and second derivatives. Objective, constraints and Lagrangian are
 * functions of one text. `ipopt differences` leaves the derivatives of the constraints to Ipopt's
 * differences and approximates the Hessian from gradients (L-BFGS).
 *
 *     cc ipopt.c -lwengert $(pkg-config --cflags ipopt) -lipopt -lm -o ipopt */
#include <wengert.h>

#include <IpStdCInterface.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 4, M = 2, TRIANGLE = N * (N + 1) / 2 };

static const wg_options options = {.backend = WG_NATIVE};

static const char hs71[] =
    "objective(x[4]) = x[0]*x[3]*(x[0] + x[1] + x[2]) + x[2]\n"
    "constraints(x[4]) = [prod(x), sum(x^2)]\n"
    "lagrangian(x[4], sigma, lambda[2]) = sigma*objective(x) + lambda @ constraints(x)\n";

enum { OBJECTIVE, GRADIENT, CONSTRAINTS, JACOBIAN, HESSIAN, FUNCTIONS };

struct problem {
    wg_function *fn[FUNCTIONS];
    void *workspace[FUNCTIONS];
    int calls[FUNCTIONS];
    wg_error error;
};

static Bool call(void *data, int which, const double *x, const double *sigma, const double *lambda,
                 double *out) {
    struct problem *p = data;
    p->calls[which]++;
    return wg_call_with(p->fn[which], NULL, (const void *[]){x, sigma, lambda}, (void *[]){out},
                        p->workspace[which], &p->error) == WG_OK;
}

static Bool objective(Index n, Number *x, Bool new_x, Number *f, UserDataPtr p) {
    (void)n, (void)new_x;
    return call(p, OBJECTIVE, x, NULL, NULL, f);
}

static Bool gradient(Index n, Number *x, Bool new_x, Number *df, UserDataPtr p) {
    (void)n, (void)new_x;
    return call(p, GRADIENT, x, NULL, NULL, df);
}

static Bool constraints(Index n, Number *x, Bool new_x, Index m, Number *g, UserDataPtr p) {
    (void)n, (void)new_x, (void)m;
    return call(p, CONSTRAINTS, x, NULL, NULL, g);
}

/* Ipopt asks once, with values NULL, where the entries are: all of them, row by row. */
static Bool jacobian(Index n, Number *x, Bool new_x, Index m, Index count, Index *row,
                     Index *column, Number *values, UserDataPtr p) {
    (void)new_x, (void)m;
    if (values) return call(p, JACOBIAN, x, NULL, NULL, values);
    for (Index k = 0; k < count; k++) row[k] = k / n, column[k] = k % n;
    return TRUE;
}

/* Of sigma f + lambda . g only the lower triangle: Ipopt adds up entries that it is given twice. */
static Bool hessian(Index n, Number *x, Bool new_x, Number sigma, Index m, Number *lambda,
                    Bool new_lambda, Index count, Index *row, Index *column, Number *values,
                    UserDataPtr p) {
    (void)new_x, (void)m, (void)new_lambda, (void)count;
    double H[N * N];
    if (values && !call(p, HESSIAN, x, &sigma, lambda, H)) return FALSE;
    for (Index i = 0, k = 0; i < n; i++)
        for (Index j = 0; j <= i; j++, k++)
            if (values)
                values[k] = H[i * n + j];
            else
                row[k] = i, column[k] = j;
    return TRUE;
}

static wg_program *parse(const char *function, wg_error *error) {
    wg_parse_options which = {.function = function, .origin = "hs71"};
    return wg_parse(hs71, sizeof hs71 - 1, &which, error);
}

static void prepare(struct problem *p) {
    wg_error *error = &p->error;
    wg_program *f = parse("objective", error), *g = parse("constraints", error);
    wg_program *lagrangian = parse("lagrangian", error);
    wg_program *program[FUNCTIONS] = {f, wg_grad(f, "x", error), g,
                                      wg_jacobian(g, NULL, "x", WG_AUTO_MODE, error),
                                      wg_hessian(lagrangian, "x", error)};
    for (int i = 0; i < FUNCTIONS; i++) {
        p->fn[i] = wg_compile(program[i], &options, error);
        p->workspace[i] = wg_workspace_new(p->fn[i], NULL, error);
        wg_program_free(program[i]);
    }
    wg_program_free(lagrangian);
}

int main(int argc, char **argv) {
    bool exact = argc < 2 || strcmp(argv[1], "differences") != 0;
    struct problem p = {0};
    prepare(&p);
    double low[N] = {1, 1, 1, 1}, high[N] = {5, 5, 5, 5}; /* 25 <= g1, g2 = 40 */
    double g_low[M] = {25, 40}, g_high[M] = {2e19, 40}, x[N] = {1, 5, 5, 1}, f = NAN;
    IpoptProblem solver = CreateIpoptProblem(N, low, high, M, g_low, g_high, M * N, TRIANGLE, 0,
                                             objective, constraints, gradient, jacobian, hessian);
    AddIpoptIntOption(solver, "print_level", 0);
    AddIpoptStrOption(solver, "sb", "yes"); /* no banner */
    AddIpoptNumOption(solver, "bound_relax_factor", 0);
    if (!exact) {
        AddIpoptStrOption(solver, "jacobian_approximation", "finite-difference-values");
        AddIpoptStrOption(solver, "hessian_approximation", "limited-memory");
    }
    enum ApplicationReturnStatus status = Internal_Error;
    if (!p.error.status) status = IpoptSolve(solver, x, NULL, &f, NULL, NULL, NULL, &p);

    bool right = status == Solve_Succeeded && fabs(f - 17.0140173) < 1e-6;
    printf("f = %.7f at (%.5f, %.5f, %.5f, %.5f): %s\n", f, x[0], x[1], x[2], x[3],
           right ? "right" : "wrong");
    printf("%d objectives, %d gradients, %d constraints, %d Jacobians, %d Hessians\n",
           p.calls[OBJECTIVE], p.calls[GRADIENT], p.calls[CONSTRAINTS], p.calls[JACOBIAN],
           p.calls[HESSIAN]);
    if (p.error.status) fprintf(stderr, "ipopt: %s\n", p.error.message);

    FreeIpoptProblem(solver);
    for (int i = 0; i < FUNCTIONS; i++) {
        wg_workspace_free(p.workspace[i]);
        wg_function_free(p.fn[i]);
    }
    return !right;
}
