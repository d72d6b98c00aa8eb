/* Reverse mode of loops that keep snapshots of what they carry, and run again from these. */
#ifndef TRANSFORM_REVOLVE_H
#define TRANSFORM_REVOLVE_H

#include "op/region.h"

/* Adjoints of the operands of the loop that r speaks of, where mask (captures, carries, stacks, as
 * split.h closes it) says, for those of its results (0: none). adjoint[k] of a captured value is
 * what it has received so far. False on error. */
bool revolve_adjoints(const struct rule *r, const struct region *region, const uint8_t *mask,
                      const value *ct, value *adjoint);

#endif
