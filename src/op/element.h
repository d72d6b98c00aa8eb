/* Which elements of arrays the iterations of a loop come to, as far as their indices say: in a body
 * whose first inputs are the loop's index and what it captures. */
#ifndef OP_ELEMENT_H
#define OP_ELEMENT_H

#include "op/region.h"

bool reads_value(const struct trace *t, value reader, value x);
/* The index of a take, index_add or index_set. */
value index_of_update(const struct trace *t, value update);

enum motion {
    MOVES,  /* somehow */
    STANDS, /* the same in all iterations */
    BY_ONE  /* each iteration one further than the one before */
};
/* Of an index that depends on nothing but the loop's index, captures and sizes; MOVES else. */
enum motion index_motion(const struct trace *t, value index, size_t captures);

/* Whether of array x, an input of one axis, each iteration reads and writes but the one element
 * that it comes to, moving by one; y: the output that the array is then. */
bool is_own_element(const struct trace *t, value x, value y, size_t captures);

/* Whether no iteration of the loop r of t needs what another one has made: each carry is handed on
 * as it is, or an array of which each has its own element, and else there are numbers only. */
bool is_without_order(const struct trace *t, const struct region *r);

#endif
