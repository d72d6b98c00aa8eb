/* Chandrasekhar's H-equation, H(m) = 1/(1 - c/2 int_0^1 m H(u)/(m + u) du), by the midpoint rule at
 * 100 points (Kelley, Solving Nonlinear Equations with Newton's Method, 2003), solved by KINSOL
 * (SUNDIALS 6): Newton's method with GMRES, which needs no Jacobian but its product with a vector,
 * the tangent of the residual. `kinsol differences` leaves the products to KINSOL.
 *
 *     cc kinsol.c -lwengert -lsundials_kinsol -lsundials_nvecserial -lm -o kinsol */
#include <wengert.h>

#include <kinsol/kinsol.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <string.h>
#include <sunlinsol/sunlinsol_spgmr.h>

enum { N = 100 };

static const wg_options options = {.backend = WG_NATIVE};

static const char h_equation[] = "residual(h[n], c) = {\n"
                                 "  let m = (f64(iota(n)) + 0.5)/n\n"
                                 "  let K = expand(m, axis=1)/(expand(m, axis=1) + m)\n"
                                 "  r = h - 1/(1 - 0.5*c*(K @ h)/n)\n"
                                 "}\n";

struct system {
    wg_function *residual, *tangent;
    void *residual_workspace, *tangent_workspace;
    double c, r[N]; /* r: what a tangent is computed beside */
    wg_error error;
};

static int residual(N_Vector h, N_Vector r, void *data) {
    struct system *s = data;
    const void *input[] = {N_VGetArrayPointer(h), &s->c};
    void *output[] = {N_VGetArrayPointer(r)};
    wg_call_with(s->residual, (int64_t[]){N}, input, output, s->residual_workspace, &s->error);
    return s->error.status ? -1 : 0;
}

/* The Jacobian at h times v. */
static int product(N_Vector v, N_Vector Jv, N_Vector h, booleantype *new_h, void *data) {
    struct system *s = data;
    (void)new_h;
    const void *input[] = {N_VGetArrayPointer(h), &s->c, N_VGetArrayPointer(v)};
    void *output[] = {s->r, N_VGetArrayPointer(Jv)};
    wg_call_with(s->tangent, (int64_t[]){N}, input, output, s->tangent_workspace, &s->error);
    return s->error.status ? -1 : 0;
}

static void prepare(struct system *s) {
    wg_program *f = wg_parse(h_equation, sizeof h_equation - 1, NULL, &s->error);
    wg_program *tangent = wg_jvp(f, "r", "h", &s->error);
    s->residual = wg_compile(f, &options, &s->error);
    s->tangent = wg_compile(tangent, &options, &s->error);
    s->residual_workspace = wg_workspace_new(s->residual, (int64_t[]){N}, &s->error);
    s->tangent_workspace = wg_workspace_new(s->tangent, (int64_t[]){N}, &s->error);
    wg_program_free(tangent);
    wg_program_free(f);
}

int main(int argc, char **argv) {
    bool exact = argc < 2 || strcmp(argv[1], "differences") != 0;
    struct system s = {.c = 0.99};
    prepare(&s);
    SUNContext context;
    SUNContext_Create(NULL, &context);
    N_Vector h = N_VNew_Serial(N, context), ones = N_VNew_Serial(N, context);
    N_VConst(1, h), N_VConst(1, ones);
    SUNLinearSolver linear = SUNLinSol_SPGMR(h, SUN_PREC_NONE, 20, context);
    void *solver = KINCreate(context);
    KINInit(solver, residual, h);
    KINSetUserData(solver, &s);
    KINSetFuncNormTol(solver, 1e-12);
    KINSetLinearSolver(solver, linear, NULL);
    if (exact) KINSetJacTimesVecFn(solver, product);

    long steps = 0, residuals = 0, products = 0, for_differences = 0;
    int status = s.error.status ? -1 : KINSol(solver, h, KIN_NONE, ones, ones);
    KINGetNumNonlinSolvIters(solver, &steps);
    KINGetNumFuncEvals(solver, &residuals);
    KINGetNumJtimesEvals(solver, &products);
    KINGetNumLinFuncEvals(solver, &for_differences);

    /* The sum of all equations, each times H_i, leaves mean - c/4 mean^2 = 1, on any grid. */
    double mean = N_VDotProd(h, ones) / N, expected = 2 * (1 - sqrt(1 - s.c)) / s.c;
    bool right = status >= 0 && fabs(mean / expected - 1) < 1e-11;
    printf("mean H = %.10f: %s\n", mean, right ? "right" : "wrong");
    printf("%ld steps, %ld residuals, %ld products, %ld residuals for them\n", steps, residuals,
           products, for_differences);
    if (s.error.status) fprintf(stderr, "kinsol: %s\n", s.error.message);

    KINFree(&solver);
    SUNLinSolFree(linear);
    N_VDestroy(h), N_VDestroy(ones);
    SUNContext_Free(&context);
    wg_workspace_free(s.tangent_workspace);
    wg_workspace_free(s.residual_workspace);
    wg_function_free(s.tangent);
    wg_function_free(s.residual);
    return !right;
}
