/* Conjugate gradients: of a linear equation, and inside of a trust region for a minimum.
 * Sources: Nocedal and Wright, Numerical Optimization, 2nd ed., 2006, algorithms 5.2 (conjugate
 * gradients), 7.2 (Steihaug's step) and 4.1 (the trust region). The rule for changes that
 * rounding hides is that of Conn, Gould and Toint, Trust-Region Methods, 2000, section 17.4.2. */
#include "run/solver.h"

#include <math.h>

/* ---- a linear equation: function 0: x -> A x - b; function 1: x, p -> A p -------------------- */

wg_status conjugate_gradient_run(wg_solver *s, double *x, wg_solver_report *report,
                                 wg_error *error) {
    int64_t n = s->n;
    double *r = s->vector[0], *p = s->vector[1], *Ap = s->vector[2], *zero = s->vector[3];
    memset(zero, 0, (size_t)n * sizeof *zero);
    if (solver_call(s, 0, zero, NULL, (void *[]){r}, error)) return error->status;
    double of_b = sqrt(solver_inner(n, r, r)); /* F(0) = -b */
    if (solver_call(s, 0, x, NULL, (void *[]){r}, error)) return error->status;
    report->evaluations = 2;
    for (int64_t i = 0; i < n; i++) p[i] = r[i] = -r[i];
    for (double rr = solver_inner(n, r, r);; report->steps++) {
        double off = sqrt(rr);
        report->residual = of_b > 0 ? off / of_b : off;
        if (!isfinite(off))
            report->outcome = WG_NOT_FINITE;
        else if (off <= s->tolerance * of_b || off == 0)
            report->outcome = WG_CONVERGED;
        if (report->outcome != WG_MOST_STEPS || report->steps >= s->most) return WG_OK;
        report->products++;
        if (solver_call(s, 1, x, p, (void *[]){Ap}, error)) return error->status;
        double curvature = solver_inner(n, p, Ap), length = rr / curvature;
        if (!(curvature > 0)) {
            report->outcome = isnan(curvature) ? WG_NOT_FINITE : WG_NOT_DEFINITE;
            return WG_OK;
        }
        solver_add(n, length, p, x);
        solver_add(n, -length, Ap, r);
        double next = solver_inner(n, r, r);
        for (int64_t i = 0; i < n; i++) p[i] = r[i] + next / rr * p[i];
        rr = next;
    }
}

/* ---- a minimum: function 0: x -> f; 1: x -> f, g; 2: x, p -> H p ----------------------------- */

struct region {
    double *g, *step, *r, *d, *Hd, *trial, *g_there;
    double radius;
};

/* The t >= 0 with |step + t d| = radius. */
static double to_the_edge(int64_t n, const struct region *t) {
    double a = solver_inner(n, t->d, t->d), b = solver_inner(n, t->step, t->d);
    double c = solver_inner(n, t->step, t->step) - t->radius * t->radius;
    double root = sqrt(fmax(b * b - a * c, 0));
    return b > 0 ? -c / (b + root) : (root - b) / a;
}

/* A step inside of the region by conjugate gradients on H step = -g; *fall is what the quadratic
 * model falls by. The forcing term min(1/2, sqrt |g|) makes the method converge faster than
 * linearly. */
static bool steihaug(wg_solver *s, const double *x, struct region *t, double *fall,
                     wg_solver_report *report, wg_error *error) {
    int64_t n = s->n;
    double rr = solver_inner(n, t->g, t->g), first = sqrt(rr);
    double enough = fmin(0.5, sqrt(first)) * first;
    *fall = 0;
    for (int64_t i = 0; i < n; i++) {
        t->step[i] = 0;
        t->r[i] = t->g[i];
        t->d[i] = -t->g[i];
    }
    for (int64_t k = 0; k < 10 * n + 100 && sqrt(rr) > enough; k++) {
        report->products++;
        if (solver_call(s, 2, x, t->d, (void *[]){t->Hd}, error)) return false;
        double curvature = solver_inner(n, t->d, t->Hd), length = rr / curvature;
        bool out = !(curvature > 0);
        if (!out) {
            solver_add(n, length, t->d, t->step);
            out = !(solver_inner(n, t->step, t->step) < t->radius * t->radius);
            if (out) solver_add(n, -length, t->d, t->step);
        }
        if (out) length = to_the_edge(n, t);
        /* along d the model falls by length rr - length^2 curvature / 2 */
        *fall += length * rr - 0.5 * length * length * curvature;
        if (out) solver_add(n, length, t->d, t->step);
        if (out) return true;
        solver_add(n, length, t->Hd, t->r);
        double next = solver_inner(n, t->r, t->r);
        for (int64_t i = 0; i < n; i++) t->d[i] = next / rr * t->d[i] - t->r[i];
        rr = next;
    }
    return true;
}

/* The next radius for what the step did as a part of what the model said. */
static double next_radius(double radius, double length, double ratio) {
    if (!(ratio >= 0.25)) return 0.25 * length;
    return ratio > 0.75 && length > 0.99 * radius ? 2 * radius : radius;
}

wg_status newton_cg_run(wg_solver *s, double *x, wg_solver_report *report, wg_error *error) {
    int64_t n = s->n;
    double **v = s->vector, there;
    struct region t = {v[0], v[1], v[2], v[3], v[4], v[5], v[6], 1};
    size_t bytes = (size_t)n * sizeof *x;
    report->evaluations = 1;
    if (solver_call(s, 1, x, NULL, (void *[]){&report->value, t.g}, error)) return error->status;
    t.radius = fmax(1, sqrt(solver_inner(n, x, x)) / 10);
    for (;; report->steps++) {
        report->residual = solver_largest(n, t.g);
        if (!isfinite(report->residual) || !isfinite(report->value))
            report->outcome = WG_NOT_FINITE;
        else if (report->residual <= s->tolerance)
            report->outcome = WG_CONVERGED;
        if (report->outcome != WG_MOST_STEPS || report->steps >= s->most) return WG_OK;
        double fall;
        if (!steihaug(s, x, &t, &fall, report, error)) return error->status;
        double length = sqrt(solver_inner(n, t.step, t.step));
        for (int64_t i = 0; i < n; i++) t.trial[i] = x[i] + t.step[i];
        report->evaluations++;
        if (solver_call(s, 1, t.trial, NULL, (void *[]){&there, t.g_there}, error))
            return error->status;
        /* what both are below, rounding of the values hides: such steps are taken for good */
        double hidden = 10 * 0x1p-52 * fmax(1, fabs(report->value));
        double ratio = (report->value - there + hidden) / (fall + hidden);
        bool finite = isfinite(there) && isfinite(solver_largest(n, t.g_there));
        bool moves = memcmp(t.trial, x, bytes) != 0;
        t.radius = next_radius(t.radius, length, finite ? ratio : -1);
        if (finite && ratio > 1e-4 && moves) {
            memcpy(x, t.trial, bytes);
            memcpy(t.g, t.g_there, bytes);
            report->value = there;
        } else if (!moves || t.radius < 0x1p-52) {
            report->outcome = WG_STALLED;
            return WG_OK;
        }
    }
}
