/* Between which extents a whole number lies: of the indices of loops around, and of what is made of
 * them by adding and subtracting extents. Front ends ask, to give loops within loops a length. */
#ifndef OP_BOUNDS_H
#define OP_BOUNDS_H

#include "op/op.h"

struct bounded { /* low <= v <= high in every iteration */
    value v;
    wg_extent low, high;
};

/* The extent that an i64 is, if it is one: a literal that is not negative, or made of sizes. */
bool value_extent(const wg_graph *g, value v, wg_extent *extent);
/* False where nothing is known of v. The last of `known` that is v decides. */
bool value_bounds(wg_graph *g, const struct bounded *known, size_t count, value v, wg_extent *low,
                  wg_extent *high);

#endif
