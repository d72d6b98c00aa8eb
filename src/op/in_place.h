/* Operations that may make a result in the place of an operand: updates by index, loops on what
 * they carry, branches on a captured array that their cases update. Who plans storage asks for the
 * operand and has it read by all others before; reverse mode takes the same order, so that what has
 * one reader more in one direction has one addend more in the other. */
#ifndef OP_IN_PLACE_H
#define OP_IN_PLACE_H

#include "op/region.h"

#define FOLLOWS_NONE UINT32_MAX
/* For each result of a region the number of the operand in whose place it may be made, or
 * FOLLOWS_NONE; no operand twice. */
void region_follows(const struct trace *t, const struct region *r, uint32_t *operand);

/* An operand in whose place result `item` of an operation may be made; 0 of one with one result. */
struct in_place {
    uint32_t operand, item;
};
/* Room for REGION_OPERANDS; their number. */
size_t in_place_operands(const struct trace *t, value v, struct in_place *list);

/* The instructions begin .. end-1 in an order in which operations that may work in the place of an
 * operand come behind its other readers, wherever these do not depend on them, and all else as in
 * the trace. fixed: by value - begin, values whose place nobody can have; NULL: none are.
 * *sequence: the values in this order, NULL if it is that of the trace; *taken: by value - begin,
 * whether some operation would have its place, NULL: none. Both are the caller's, of end - begin
 * elements. False without memory. */
bool in_place_sequence(const struct trace *t, value begin, value end, const bool *fixed,
                       value **sequence, bool **taken);

#endif
