/* Robertson's chemical kinetics (The solution of a set of reaction rate equations, 1966), a stiff
 * system, integrated by CVODE (SUNDIALS 6) with its exact Jacobian. The rate constants are an input
 * that stays fixed. `cvode differences` leaves the Jacobian to CVODE.
 *
 *     cc cvode.c -lwengert -lsundials_cvode -lsundials_nvecserial -lm -o cvode */
#include <wengert.h>

#include <cvode/cvode.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <string.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>

static const wg_options options = {.backend = WG_NATIVE};

static const char robertson[] = "rate(y[3], k[3]) = {\n"
                                "  let first = k[0]*y[0]; let second = k[1]*y[1]*y[2]\n"
                                "  let third = k[2]*y[1]^2\n"
                                "  dy = [second - first, first - second - third, third]\n"
                                "}\n";

/* y at t = 1e11, from the Test Set for IVP Solvers (Mazzia and Magherini, problem ROBER). */
static const double end = 1e11;
static const double expected[] = {0.2083340149701255e-7, 0.8333360770334713e-13,
                                  0.9999999791665050};

struct system {
    wg_function *rate, *jacobian;
    void *rate_workspace, *jacobian_workspace;
    double k[3];
    wg_error error;
};

static int rate(double t, N_Vector y, N_Vector dy, void *data) {
    struct system *s = data;
    (void)t;
    const void *input[] = {N_VGetArrayPointer(y), s->k};
    void *output[] = {N_VGetArrayPointer(dy)};
    wg_call_with(s->rate, NULL, input, output, s->rate_workspace, &s->error);
    return s->error.status ? -1 : 0;
}

static int jacobian(double t, N_Vector y, N_Vector dy, SUNMatrix J, void *data, N_Vector temporary1,
                    N_Vector temporary2, N_Vector temporary3) {
    struct system *s = data;
    (void)t, (void)dy, (void)temporary1, (void)temporary2, (void)temporary3;
    const void *input[] = {N_VGetArrayPointer(y), s->k};
    void *output[] = {SUNDenseMatrix_Data(J)};
    wg_call_with(s->jacobian, NULL, input, output, s->jacobian_workspace, &s->error);
    return s->error.status ? -1 : 0;
}

/* SUNDIALS keeps matrices by columns: the transpose of ours. */
static wg_program *jacobian_by_columns(const wg_program *f, wg_error *error) {
    wg_program *by_rows = wg_jacobian(f, NULL, "y", WG_AUTO_MODE, error);
    wg_graph *g = wg_graph_new();
    wg_var in[] = {wg_input(g, "y", wg_f64(3)), wg_input(g, "k", wg_f64(3))}, J = {0};
    wg_apply(g, by_rows, in, &J);
    wg_output(g, "J", wg_transpose(J));
    wg_program_free(by_rows);
    return wg_build(g, error);
}

static void prepare(struct system *s) {
    wg_program *f = wg_parse(robertson, sizeof robertson - 1, NULL, &s->error);
    wg_program *J = jacobian_by_columns(f, &s->error);
    s->rate = wg_compile(f, &options, &s->error);
    s->jacobian = wg_compile(J, &options, &s->error);
    s->rate_workspace = wg_workspace_new(s->rate, NULL, &s->error);
    s->jacobian_workspace = wg_workspace_new(s->jacobian, NULL, &s->error);
    wg_program_free(J);
    wg_program_free(f);
}

int main(int argc, char **argv) {
    bool exact = argc < 2 || strcmp(argv[1], "differences") != 0;
    struct system s = {.k = {0.04, 1e4, 3e7}};
    prepare(&s);
    SUNContext context;
    SUNContext_Create(NULL, &context);
    N_Vector y = N_VMake_Serial(3, (double[]){1, 0, 0}, context);
    SUNMatrix J = SUNDenseMatrix(3, 3, context);
    SUNLinearSolver linear = SUNLinSol_Dense(y, J, context);
    void *solver = CVodeCreate(CV_BDF, context);
    CVodeInit(solver, rate, 0, y);
    CVodeSStolerances(solver, 1e-8, 1e-20);
    CVodeSetMaxNumSteps(solver, 10000);
    CVodeSetUserData(solver, &s);
    CVodeSetLinearSolver(solver, linear, J);
    if (exact) CVodeSetJacFn(solver, jacobian);

    double t = 0;
    long steps = 0, rates = 0, jacobians = 0, for_differences = 0;
    int status = s.error.status ? -1 : CVode(solver, end, y, &t, CV_NORMAL);
    CVodeGetNumSteps(solver, &steps);
    CVodeGetNumRhsEvals(solver, &rates);
    CVodeGetNumJacEvals(solver, &jacobians);
    CVodeGetNumLinRhsEvals(solver, &for_differences);

    const double *at = N_VGetArrayPointer(y);
    bool right = status == CV_SUCCESS;
    for (int i = 0; i < 3; i++) right = right && fabs(at[i] / expected[i] - 1) < 1e-5;
    printf("y(%g) = (%.4g, %.4g, %.4g): %s\n", t, at[0], at[1], at[2], right ? "right" : "wrong");
    printf("%ld steps, %ld rates, %ld Jacobians, %ld rates for them\n", steps, rates, jacobians,
           for_differences);
    if (s.error.status) fprintf(stderr, "cvode: %s\n", s.error.message);

    CVodeFree(&solver);
    SUNLinSolFree(linear);
    SUNMatDestroy(J);
    N_VDestroy(y);
    SUNContext_Free(&context);
    wg_workspace_free(s.jacobian_workspace);
    wg_workspace_free(s.rate_workspace);
    wg_function_free(s.jacobian);
    wg_function_free(s.rate);
    return !right;
}
