/* What elementwise.c, core.c and build_elementwise.c share: the checks that operands of elementwise
 * operations go together. Users of the operations include op/build.h. */
#ifndef OP_ELEMENTWISE_H
#define OP_ELEMENTWISE_H

#include "op/op.h"

/* Whether the operands are of one type, but for the condition of `where`: bool. Else an error. */
bool pointwise_agree(wg_graph *g, unsigned op, const value *x, size_t narg);
/* The same but for shapes that broadcasting makes equal: *shape, of the last operand's dtype. */
bool pointwise_common(wg_graph *g, unsigned op, const value *x, size_t narg, wg_type *shape);

#endif
