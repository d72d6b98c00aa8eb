/* Help for the files of operations: types and extents as text for messages, checks that several
 * families share, and batched arguments. No operation lives here. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "op/op.h"

/* Text by value, for use as an argument of graph_fail: type_name(g, a).text. Cut where it ends. */
struct description {
    char text[160];
};
struct description type_name(const wg_graph *g, value v);                 /* f64[n,10] */
struct description type_name_of(const wg_graph *g, const wg_type *type);  /* likewise */
struct description shape_name(const wg_graph *g, const wg_type *type);    /* [n,10] */
struct description extent_name(const wg_graph *g, wg_extent e);           /* n+1 */

/* Each returns false where the condition does not hold, and records an error of the graph that
 * begins with the name, the operation's or that of a function made of several. */
bool require_numbers(wg_graph *g, const char *name, value x);  /* not bool */
bool require_floats(wg_graph *g, const char *name, value x);   /* f32 or f64 */
bool require_integers(wg_graph *g, const char *name, value x); /* i32 or i64, as indices are */
/* Of a result: at most WG_MAX_RANK. */
bool require_rank(wg_graph *g, unsigned op, size_t rank);
/* The attribute has this many words: broken only by a hand-written program text. */
bool require_words(wg_graph *g, unsigned op, attr_id attr, size_t count);
/* A constant, or a polynomial of this graph. */
bool require_extent(wg_graph *g, const char *name, wg_extent e);

/* Of leaves whose attribute is one extent, and whose value an i64 for each of so many. */
bool infer_one_extent(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                      wg_type *type);
/* attr_is_extent of rows whose first word is an extent, and no other. */
bool first_is_extent(const int64_t *word, size_t count, size_t index);

/* The type with a new first axis; the caller knows that the rank has room. */
wg_type type_prepend(const wg_type *type, wg_extent extent);
/* The type without the axes of the mask. */
wg_type type_without(const wg_type *type, uint32_t axes);

/* Argument k with the batch axis in front, broadcast where it has none. */
value batch_argument(const struct batch *b, size_t k);
/* A mask of the axes 0 .. rank-1. */
static inline uint32_t axes_below(size_t rank) {
    return ((uint32_t)1 << rank) - 1;
}

#endif
