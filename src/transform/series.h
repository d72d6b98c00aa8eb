/* Truncated Taylor series of the values of a graph: what taylor.c and the bodies of regions are
 * made of. The coefficients of a value v, a function of a parameter t, are values of the same
 * graph: v(t) = v_0 + v_1 t + v_2 t^2 + ... A coefficient that is zero everywhere is absent, as
 * a tangent is.
 *
 * Outside of a graph the coefficients 1 .. order of one value are one tensor, its series, on a
 * new leading axis: [order, v...]. */
#ifndef TRANSFORM_SERIES_H
#define TRANSFORM_SERIES_H

#include "transform/transform.h"

enum { MAX_SERIES_ORDER = 64 }; /* nothing recurses deeper than orders */

/* The program from, on the series of its inputs, to the series of its outputs.
 *   input[i], series[i]   coefficient 0, and the others as one tensor, of from's i-th input; the
 *                         latter 0: none
 *   of, of_count          the outputs that are wanted (NULL: all)
 *   map, map_s            arrays of from's instr.count: each instruction's value in g, and for the
 *                         outputs wanted their series (0 = absent)                               */
bool series_program(wg_graph *g, const struct trace *from, const value *input, const value *series,
                    int order, const wg_extent *size_map, const uint32_t *of, size_t of_count,
                    value *map, value *map_s);

/* The series of the solution of x' = f(x): the outputs numbered `rate` of the program are the
 * derivatives of the inputs numbered `state`, count of each. result[i]: the series of state i. */
bool series_of_solution(wg_graph *g, const struct trace *from, const value *input, int order,
                        const wg_extent *size_map, const uint32_t *rate, const uint32_t *state,
                        size_t count, value *map, value *result);

/* The type of the series of a value of this type; false, and an error, where there is no room for
 * another axis. */
bool series_type(wg_graph *g, const wg_type *type, int order, wg_type *series);

#endif
