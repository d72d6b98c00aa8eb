/* Derivatives and batches of loops and branches. */
#ifndef TRANSFORM_REGION_H
#define TRANSFORM_REGION_H

#include "op/region.h"
#include "transform/transform.h"

/* Forward mode: the region that r speaks of (its attribute in g, its operands x), joined with its
 * tangents for those of its operands; 0 on error. primal[k], tangent[k]: the results, the latter 0
 * where absent; room for REGION_OPERANDS each. */
value region_tangent(const struct rule *r, const value *t, value *primal, value *tangent);
/* The same for series (series.h) of its operands to this order: x are coefficients 0. */
value region_series(const struct rule *r, int order, const value *t, value *primal, value *series);
/* Reverse mode: what a loop needs to be run backwards: the loop of r again, with kept results and
 * its reverse, for adjoints of the operands that are active. guarded: absolute-zero products. For
 * one that has them, or that has nothing active, r->y. plain: what it kept already has adjoints
 * too, and is no more than any other result. A branch needs nothing. 0 on error. */
value region_reversible(const struct rule *r, const bool *active, bool guarded, bool plain);
/* Adjoints of the operands of a region, where they are active, for those of its results (0: none),
 * by number. Those of captures are sums with what adjoint holds for them (0: nothing) before. False
 * on error. */
bool region_adjoints(const struct rule *r, const bool *active, const value *ct, value *adjoint);
/* The batch of a region: results by number, and whether each carries the axis; *count: what its
 * item REGION_COUNT is then, on the axis if *count_batched. The region, 0 on error. */
value region_batch(const struct batch *b, value *result, bool *on_axis, value *count,
                   bool *count_batched);
/* Appends the program from on the inputs given, loops whose operands depend on active inputs ready
 * for reverse mode. Like graph_inline else. */
bool region_inline(wg_graph *g, const struct trace *from, const value *input, const bool *active,
                   const wg_extent *size_map, value *map);

/* ---- what programs read of their inputs ---- */
/* Sets those that an instruction or output reads. */
void inputs_read(const struct trace *t, bool *read);
/* The program without the inputs of which read does not say so, and which nothing reads. */
wg_program *only_read(const wg_program *p, const bool *read, wg_error *error);
/* The values of the list of which read says so; their number. */
size_t keep_read(value *list, size_t count, const bool *read);

/* ---- spread.c -------------------------------------------------------------------------------- */
/* Whether v is a map that is better computed as the batch of its body. */
bool map_spreads(const struct trace *t, value v);
/* Appends that for operands map[...]; sets map of v, which stands for the number of iterations, and
 * of its items. */
void spread_map(wg_graph *g, const struct trace *from, value v, const wg_extent *size_map,
                value *map);

#endif
