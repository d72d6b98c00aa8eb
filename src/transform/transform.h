/* Transformations inside a graph: what the public functions of wengert/program.h, the printed
 * traces and eager graphs are made of. All append to a graph; nothing is changed in place. */
#ifndef TRANSFORM_H
#define TRANSFORM_H

#include "op/op.h"

/* What a caller that prints wants to see made: called with every primal value's finished tangent or
 * adjoint (0 = absent), returns what is used from there on: usually the same, or a `copy` of it. */
struct derivative_hook {
    value (*finish)(void *ctx, wg_graph *g, value primal, value derivative);
    void *ctx;
};

/* The tangent of one instruction for tangents of its arguments (0 = absent; not all). */
value jvp_rule(const struct rule *r, const value *tangent);

/* Forward mode over the program `from`, appended to g: tangents stand beside their primals.
 *   input[i]    value in g of from's i-th input
 *   tangent[i]  its tangent, 0 = none
 *   map, map_t  arrays of from's instr.count, owned by the caller: each instruction's value in g
 *               and its tangent (0 = absent)                                                     */
bool jvp_program(wg_graph *g, const struct trace *from, const value *input, const value *tangent,
                 const wg_extent *size_map, const struct derivative_hook *hook, value *map,
                 value *map_t);

/* Reverse mode in g: adjoints of `wrt` values for the adjoints ct[i] (0 = none) of the values y[i].
 * Looks at the instructions that y depends on. adjoint[i] receives the adjoint of wrt[i], 0 where
 * there is none. `all`, if not NULL, has room for as many values as g has instructions at the call,
 * and receives every value's adjoint. Returns false and records in g on error. */
bool vjp_graph(wg_graph *g, const value *y, const value *ct, size_t y_count, const value *wrt,
               size_t wrt_count, const struct derivative_hook *hook, value *adjoint, value *all);

/* The program with the inputs in `batched` given a leading axis of `extent`; map[i] is each
 * instruction's value in g, map_batched[i] whether it carries the axis. */
bool vmap_program(wg_graph *g, const struct trace *from, const value *input, const bool *batched,
                  wg_extent extent, const wg_extent *size_map, value *map, bool *map_batched);

#endif
