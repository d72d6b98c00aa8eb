/* NIST's data set Misra1a (monomolecular adsorption), fitted by GSL's trust-region method. The
 * residuals, their Jacobian and the second derivative along a direction that geodesic acceleration
 * asks for are three programs from one formula. `gsl differences` leaves both derivatives to GSL.
 *
 *     cc gsl.c -lwengert -lgsl -lopenblas -lm -o gsl */
#include <wengert.h>

#include <gsl/gsl_multifit_nlinear.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 14, P = 2 };

static const wg_options options = {.backend = WG_NATIVE};

static const char misra1a[] = "residual(b[2], x[n], y[n]) = b[0]*(1 - exp(-b[1]*x)) - y";

/* Data and certified values: NIST Statistical Reference Datasets, nonlinear regression. */
static const double x[N] = {77.6,  114.9, 141.1, 190.8, 239.9, 289.0, 332.8,
                            378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0};
static const double y[N] = {10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02,
                            44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78};
static const double certified[P] = {2.3894212918e2, 5.5015643181e-4};

enum { RESIDUAL, JACOBIAN, SECOND, FUNCTIONS };

struct model {
    wg_function *fn[FUNCTIONS];
    void *workspace[FUNCTIONS];
    wg_error error;
};

static int call(struct model *m, int which, const gsl_vector *b, const gsl_vector *v, double *out) {
    const void *input[] = {b->data, x, y, v ? v->data : NULL}; /* of stride 1: GSL's own */
    wg_status status = wg_call_with(m->fn[which], (int64_t[]){N}, input, (void *[]){out},
                                    m->workspace[which], &m->error);
    return status ? GSL_EFAILED : GSL_SUCCESS;
}

/* For its differences GSL gives a column of a matrix for r, whose elements are P apart. */
static int residual(const gsl_vector *b, void *model, gsl_vector *r) {
    double dense[N];
    gsl_vector_view from = gsl_vector_view_array(dense, N);
    int status = call(model, RESIDUAL, b, NULL, dense);
    return status ? status : gsl_vector_memcpy(r, &from.vector);
}

/* J is row-major, as our Jacobians are. */
static int jacobian(const gsl_vector *b, void *model, gsl_matrix *J) {
    return J->tda == P ? call(model, JACOBIAN, b, NULL, J->data) : GSL_EINVAL;
}

static int second(const gsl_vector *b, const gsl_vector *v, void *model, gsl_vector *r_vv) {
    return r_vv->stride == 1 ? call(model, SECOND, b, v, r_vv->data) : GSL_EINVAL;
}

/* d2r/dt2 (b + t v) at t = 0: the tangent of the tangent, both along v. */
static wg_program *second_along(const wg_program *r, wg_error *error) {
    wg_program *first = wg_jvp(r, "residual", "b", error);
    wg_program *both = wg_jvp(first, "residual_dot", "b", error);
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var b = wg_input(g, "b", wg_f64(P)), at = wg_input(g, "x", wg_f64(n));
    wg_var observed = wg_input(g, "y", wg_f64(n)), v = wg_input(g, "v", wg_f64(P));
    wg_var out[3] = {{0}};
    wg_apply(g, both, ((wg_var[]){b, at, observed, v, v}), out);
    wg_output(g, "r_vv", out[2]); /* the two before it are r and its tangent */
    wg_program_free(both);
    wg_program_free(first);
    return wg_build(g, error);
}

static void prepare(struct model *m) {
    wg_program *r = wg_parse(misra1a, sizeof misra1a - 1, NULL, &m->error);
    wg_program *program[FUNCTIONS] = {r, wg_jacobian(r, NULL, "b", WG_FORWARD, &m->error),
                                      second_along(r, &m->error)};
    for (int i = 0; i < FUNCTIONS; i++) {
        m->fn[i] = wg_compile(program[i], &options, &m->error);
        m->workspace[i] = wg_workspace_new(m->fn[i], (int64_t[]){N}, &m->error);
    }
    for (int i = 0; i < FUNCTIONS; i++) wg_program_free(program[i]);
}

int main(int argc, char **argv) {
    bool exact = argc < 2 || strcmp(argv[1], "differences") != 0;
    struct model model = {0};
    prepare(&model);
    gsl_multifit_nlinear_fdf fdf = {
        residual, exact ? jacobian : NULL, exact ? second : NULL, N, P, &model, 0, 0, 0};
    gsl_multifit_nlinear_parameters method = gsl_multifit_nlinear_default_parameters();
    method.trs = gsl_multifit_nlinear_trs_lmaccel;
    gsl_multifit_nlinear_workspace *fit = gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust,
                                                                     &method, N, P);

    double start[P] = {500, 1e-4};
    gsl_vector_view b = gsl_vector_view_array(start, P);
    int info, status = model.error.status ? GSL_EFAILED : GSL_SUCCESS;
    if (!status) status = gsl_multifit_nlinear_init(&b.vector, &fdf, fit);
    if (!status) status = gsl_multifit_nlinear_driver(100, 1e-12, 1e-12, 0, NULL, NULL, &info, fit);

    double b1 = gsl_vector_get(fit->x, 0), b2 = gsl_vector_get(fit->x, 1);
    bool right = !status && fabs(b1 / certified[0] - 1) < 1e-8 &&
                 fabs(b2 / certified[1] - 1) < 1e-8;
    printf("b = (%.8g, %.8g): %s\n", b1, b2, right ? "right" : "wrong");
    printf("%zu steps, %zu residuals, %zu Jacobians, %zu second derivatives\n",
           gsl_multifit_nlinear_niter(fit), fdf.nevalf, fdf.nevaldf, fdf.nevalfvv);
    if (model.error.status) fprintf(stderr, "gsl: %s\n", model.error.message);

    gsl_multifit_nlinear_free(fit);
    for (int i = 0; i < FUNCTIONS; i++) {
        wg_workspace_free(model.workspace[i]);
        wg_function_free(model.fn[i]);
    }
    return !right;
}
