/* Products in native code: which of them are statements, and how others are rearranged. */
#ifndef NATIVE_PRODUCTS_H
#define NATIVE_PRODUCTS_H

#include "native/lower.h"

struct dot { /* the attribute of a dot, as op/dot.c has it */
    unsigned batch, contract;
    bool flip[2]; /* operand 0, operand 1 is transposed */
    bool absolute;
};

/* ---- short_dot.c ----------------------------------------------------------------------------- */
struct dot dot_of(const struct trace *t, value v);
/* Whether dot v is a statement: a sum of few products, written out. */
bool is_short_dot(const struct trace *t, value v);
/* The number of terms of such a sum. */
int64_t short_dot_terms(const struct trace *t, value v);
/* Whether dot v is a product of few rows along a long axis, for each element of a batch: a function
 * computes it within a nest, from rows that are still in the cache. */
bool is_along_dot(const struct trace *t, value v);
/* For each axis of operand k of a dot with one contracted axis, the axis of the result that it is,
 * or CONTRACTED. */
void dot_loops(const struct trace *t, value v, size_t k, int8_t loop[WG_MAX_RANK]);

/* ---- masks.c --------------------------------------------------------------------------------- */
/* Whether only some entries of the product v are read, which the program itself tells. */
bool takes_part(const struct trace *t, value v);
/* v made of products of these entries, and zeros, in another graph, of constant extents. */
value make_part(wg_graph *g, const struct trace *from, value v, const value *map);

/* ---- products.c ------------------------------------------------------------------------------ */
/* Whether v is, or sums, a product that another arrangement serves better. */
bool rearranges(const struct trace *t, value v);
/* v in that arrangement, in another graph. */
value rearrange(wg_graph *g, const struct trace *from, value v, const value *map);

#endif
