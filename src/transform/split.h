/* A loop's body for reverse mode, in two: what runs forward, and what runs backwards. */
#ifndef TRANSFORM_SPLIT_H
#define TRANSFORM_SPLIT_H

#include "op/region.h"

/* mask: 1 for captures, carries and stacks that adjoints are wanted of; carries that these flow
 * into are added. False and an error. */
bool split_active(const wg_program *body, const struct region *r, uint8_t *mask, wg_error *error);
/* The body with `kept` more results, and its reverse (op/region.h), both the caller's. False and an
 * error. */
bool split_loop(const wg_program *body, const struct region *r, const uint8_t *mask, bool guarded,
                wg_program **forward, wg_program **reverse, size_t *kept, wg_error *error);

#endif
