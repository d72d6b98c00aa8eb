/* What the solvers of wengert/solve.h share: a program's functions, their workspaces, vectors.
 * Made in solver.c; the methods are solver_newton.c and solver_cg.c. */
#ifndef RUN_SOLVER_H
#define RUN_SOLVER_H

#include "base/base.h"
#include "wengert/solve.h"

enum { SOLVER_FUNCTIONS = 3, SOLVER_VECTORS = 8 };

struct wg_solver {
    wg_allocator allocator;
    wg_status (*run)(wg_solver *s, double *x, wg_solver_report *report, wg_error *error);
    double tolerance;
    int64_t most;
    int64_t n; /* elements of x */
    size_t inputs, unknown, sizes;
    int64_t *size;
    wg_function *function[SOLVER_FUNCTIONS];
    void *workspace[SOLVER_FUNCTIONS];
    const void **in; /* inputs, and a direction behind them */
    double *block;   /* the vectors */
    double *vector[SOLVER_VECTORS];
};

/* Function k at x, and along p where it takes a direction (else NULL). */
wg_status solver_call(wg_solver *s, size_t k, const double *x, const double *p, void *const *out,
                      wg_error *error);

double solver_inner(int64_t n, const double *a, const double *b);
double solver_largest(int64_t n, const double *a);                    /* NaN if any is */
void solver_add(int64_t n, double scale, const double *a, double *b); /* b += scale a */

/* The methods; functions as solver.c makes them. */
wg_status newton_run(wg_solver *s, double *x, wg_solver_report *report, wg_error *error);
wg_status newton_cg_run(wg_solver *s, double *x, wg_solver_report *report, wg_error *error);
wg_status conjugate_gradient_run(wg_solver *s, double *x, wg_solver_report *report,
                                 wg_error *error);

#endif
