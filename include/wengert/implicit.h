/* Solutions of equations as functions of what the equations depend on. How a solution is found
 * is nobody's business: its derivative follows from the equation, at the solution,
 *
 *     F(y, x) = 0   gives   F_y y' + F_x x' = 0   (the implicit function theorem),
 *
 * so nothing that the solver does is differentiated or kept. The derivative is a rule
 * (custom.h): it holds in both modes, in every order, for batches and Taylor series. Where F_y
 * is singular it is infinite or NaN. It is that of a solution; from an iteration that ended too
 * early it is off by as much as y is, and not told.
 *
 * F_y is formed, n x n for the n elements of all y together, and factored: O(n^3) for each
 * evaluation of the derivative, whatever the number of x. */
#ifndef WENGERT_IMPLICIT_H
#define WENGERT_IMPLICIT_H

#include "wengert/base.h"
#include "wengert/graph.h"
#include "wengert/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends solver to g and gives its results the derivative of a root of the residual:
 *   residual  y_1 ... y_m, x_1 ... x_k -> F_1 ... F_m, of y's types, all of one floating
 *             element type
 *   solver    x_1 ... x_k -> y_1 ... y_m with F = 0: a formula, a loop (loop.h), a C function
 *             (wg_external), anything. An x that it alone looks at (a place to begin)
 *             has derivative 0.
 * argument: k variables of g; result: room for m (begin it with {{0}}). The programs are only
 * read, and copied. Ports are matched by their order; sizes by what arguments bring, then by
 * name. Errors, the graph's: WG_EARGUMENT, WG_ESHAPE, WG_EDTYPE where the programs do not go
 * together. */
WG_API void wg_implicit_root_at(const char *file, int line, wg_graph *g,
                                const wg_program *residual, const wg_program *solver,
                                const wg_var *argument, wg_var *result);

/* When an iteration ends. All zero is the default; NULL stands for that. */
typedef struct wg_iteration {
    double tolerance; /* no element changes by more than tolerance (1 + |y|); 0: 1e-13, f32 1e-6 */
    int64_t most;     /* at most so many steps, whatever they reach; 0: 1000 */
} wg_iteration;

/* The fixed point y = T(y, x), by repeating step from `begin` on until it stands still.
 *   step      y_1 ... y_m, x_1 ... x_k -> y_1 ... y_m
 * begin: m variables of g, argument: k, result: room for m. The derivative is that of the fixed
 * point, by (1 - T_y) y' = T_x x'; that in begin is 0. Where the steps do not converge, what the
 * last one gives is taken: look at step(y) - y where that may happen. Returns how many were
 * taken, i64[]. Otherwise as wg_implicit_root. */
WG_API wg_var wg_fixed_point_at(const char *file, int line, wg_graph *g, const wg_program *step,
                                const wg_iteration *end, const wg_var *begin,
                                const wg_var *argument, wg_var *result);

/* A root of F(y, x) by Newton's method from `begin` on: y - F_y^-1 F, until that stands still.
 * Newton's method finds the root that it is led to, and near none it may find nothing (the last
 * y is taken). Returns how many steps were taken. Otherwise as wg_implicit_root. */
WG_API wg_var wg_newton_root_at(const char *file, int line, wg_graph *g,
                                const wg_program *residual, const wg_iteration *end,
                                const wg_var *begin, const wg_var *argument, wg_var *result);

#ifndef __cplusplus
#define wg_implicit_root(g, residual, solver, argument, result) \
    wg_implicit_root_at(WG_HERE, g, residual, solver, argument, result)
#define wg_fixed_point(g, step, end, begin, argument, result) \
    wg_fixed_point_at(WG_HERE, g, step, end, begin, argument, result)
#define wg_newton_root(g, residual, end, begin, argument, result) \
    wg_newton_root_at(WG_HERE, g, residual, end, begin, argument, result)
#endif

#ifdef __cplusplus
}
#endif
#endif
