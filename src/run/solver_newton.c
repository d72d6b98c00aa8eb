/* Roots by Newton's method with a line search: Dennis and Schnabel, Numerical Methods for
 * Unconstrained Optimization and Nonlinear Equations, 1983, section 6.3. Function 0: x -> F;
 * function 1: x -> F, F_x^-1 F. */
#include "run/solver.h"

#include <math.h>

/* The sum of squares along the full step falls at this rate, of which a part is enough. */
#define ENOUGH 1e-4
#define SMALLEST_PART 0x1p-40

/* Whether the step changes x by rounding only. */
static bool is_tiny(int64_t n, const double *x, const double *step) {
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(step[i]) <= 4 * 0x1p-52 * (1 + fabs(x[i])))) return false;
    return true;
}

/* Halves the step until the squares of F fall enough; x and F are moved there. False: nowhere. */
static bool search(wg_solver *s, double *x, double *F, const double *step, double *trial,
                   double *F_there, wg_solver_report *report, wg_error *error) {
    double squares = solver_inner(s->n, F, F);
    size_t bytes = (size_t)s->n * sizeof *x;
    for (double part = 1; part >= SMALLEST_PART; part /= 2) {
        for (int64_t i = 0; i < s->n; i++) trial[i] = x[i] - part * step[i];
        report->evaluations++;
        if (solver_call(s, 0, trial, NULL, (void *[]){F_there}, error)) return false;
        if (!(solver_inner(s->n, F_there, F_there) <= (1 - 2 * ENOUGH * part) * squares)) continue;
        memcpy(x, trial, bytes);
        memcpy(F, F_there, bytes);
        return true;
    }
    return false;
}

wg_status newton_run(wg_solver *s, double *x, wg_solver_report *report, wg_error *error) {
    double *F = s->vector[0], *step = s->vector[1], *trial = s->vector[2];
    double *F_there = s->vector[3];
    for (;; report->steps++) {
        report->evaluations++;
        if (solver_call(s, 1, x, NULL, (void *[]){F, step}, error)) return error->status;
        report->residual = solver_largest(s->n, F);
        bool there = report->residual <= s->tolerance, last = report->steps >= s->most;
        if (there || (!last && is_tiny(s->n, x, step)))
            report->outcome = WG_CONVERGED;
        else if (!isfinite(report->residual))
            report->outcome = WG_NOT_FINITE;
        else if (!last && !isfinite(solver_largest(s->n, step)))
            report->outcome = WG_STALLED;
        if (report->outcome != WG_MOST_STEPS || last) return WG_OK;
        if (!search(s, x, F, step, trial, F_there, report, error)) {
            report->outcome = WG_STALLED;
            return error->status;
        }
    }
}
