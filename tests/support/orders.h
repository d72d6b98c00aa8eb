/* Derivatives of any order of a scalar formula, through every sequence of forward and reverse mode:
 * what a point where something is 0, infinite or tied is tested by. */
#ifndef ORDERS_H
#define ORDERS_H

#include <wengert.h>

/* A formula of x f64, whatever shape it takes inside, with a scalar result. */
typedef wg_var formula(wg_graph *g, wg_var x);

/* Fails the test (cmocka) unless the derivatives of orders 1, 2, ... at x are those of `expected`,
 * to 1e-14, zeros of either sign alike, in all 2^orders sequences of the two modes. */
void check_orders(formula *f, double x, const double *expected, size_t orders);

#endif
