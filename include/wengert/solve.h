/* Solvers on compiled functions: roots by Newton's method, minima by Newton's method with conjugate
 * gradients, linear equations by conjugate gradients. A solver is made once from a program: the
 * derivatives that it needs are compiled and all memory is taken then; a run allocates nothing. (As
 * part of a program, with derivatives of the solution, see implicit.h.)
 *
 * All numbers are f64. Where vectors are meant, a norm is the largest absolute element. */
#ifndef WENGERT_SOLVE_H
#define WENGERT_SOLVE_H

#include "wengert/base.h"
#include "wengert/program.h"
#include "wengert/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A solver for one run at a time: every thread makes one of its own. Free it with
 * wg_solver_free. */
typedef struct wg_solver wg_solver;

/* All zero is the default; NULL stands for that. */
typedef struct wg_solver_options {
    double tolerance;    /* when a run has converged; 0: see each solver */
    int64_t most;        /* at most so many steps; 0: see each solver */
    const int64_t *size; /* of each named size of the program; NULL where it has none */
    wg_backend backend;  /* of the functions, as for wg_compile */
} wg_solver_options;

typedef enum wg_outcome {
    WG_CONVERGED,
    WG_MOST_STEPS,   /* as many steps as were allowed, and not there */
    WG_STALLED,      /* no step brings it nearer: rounding, a local minimum of |F|, a kink */
    WG_NOT_FINITE,   /* NaN or infinity where the run begins, or everywhere around */
    WG_NOT_DEFINITE  /* of conjugate gradients: p'A p <= 0 for a direction p */
} wg_outcome;

typedef struct wg_solver_report {
    wg_outcome outcome;
    int64_t steps;       /* that changed x, or were tried and undone */
    int64_t evaluations; /* of the program, its value alone or with derivatives */
    int64_t products;    /* of a Hessian, or of the map, with a vector */
    double residual;     /* what converges: norm of F, of the gradient, or relative, of b - A x */
    double value;        /* of the loss, where there is one */
} wg_solver_report;

/* A name of an outcome, "converged"; static storage. */
WG_API const char *wg_outcome_name(wg_outcome outcome);

/* A root of the program's first output, F f64[...], in the input `unknown`, x f64[...] of as
 * many elements: x - F_x^-1 F, a step at a time, halved until the sum of squares of F falls
 * enough (Dennis and Schnabel, Numerical Methods for Unconstrained Optimization and Nonlinear
 * Equations, 1983, section 6.3). Converged: the norm of F is at most the tolerance (1e-10), or
 * so is the full step's norm relative to 1 + |x|, to machine precision. At most 100 steps. Cost
 * of a step: the Jacobian, n x n, and its factors. */
WG_API wg_solver *wg_newton(const wg_program *program, const char *unknown,
                            const wg_solver_options *options, wg_error *error);

/* A minimum of the program's first output, a scalar f64, in the input `unknown`: a trust region
 * whose steps are found by conjugate gradients (Steihaug; Nocedal and Wright, Numerical
 * Optimization, 2nd ed., 2006, algorithms 4.1 and 7.2), by products of the Hessian with vectors;
 * the Hessian is never formed, and need not be definite. Memory: seven vectors of n, and what
 * the products take. Converged: the norm of the gradient is at most the tolerance (1e-8). At
 * most 10000 steps. */
WG_API wg_solver *wg_newton_cg(const wg_program *program, const char *unknown,
                               const wg_solver_options *options, wg_error *error);

/* The solution of F(x) = A x - b = 0 for a symmetric positive definite A, of which only products
 * with vectors are made: the program's first output is F, affine in `unknown`, and A p its
 * derivative along p (Hestenes and Stiefel 1952; Nocedal and Wright, algorithm 5.2). That F is
 * affine and A symmetric is the caller's care. Converged: the Euclidean norm of b - A x is at
 * most the tolerance (1e-10) times that of b. At most 10 n steps, and at least 100. */
WG_API wg_solver *wg_conjugate_gradient(const wg_program *program, const char *unknown,
                                        const wg_solver_options *options, wg_error *error);

/* Solves with these inputs, in the program's order (that of the unknown is not looked at), from
 * x on, which receives what was found, the best so far whatever the outcome. report: NULL, or
 * what happened. WG_OK means that it ran: look at report->outcome; other statuses are those of
 * wg_call. */
WG_API wg_status wg_solver_run(wg_solver *solver, const void *const *input, double *x,
                               wg_solver_report *report, wg_error *error);
WG_API void wg_solver_free(wg_solver *solver);

#ifdef __cplusplus
}
#endif
#endif
