/* Structural dependency: which variables an element's derivative can come from, known from how the
 * operation reaches, never from numbers. Every element carries a set of variables; the row of the
 * table says how those of a result follow from those of its arguments. A set may be too large (that
 * costs sweeps), never too small.
 *
 * What does not depend on any input is computed on the way: indices and conditions decide which
 * elements are reached, and a factor that is a known 0 lets nothing through. */
#ifndef OP_REACH_H
#define OP_REACH_H

#include "base/sets.h"
#include "op/op.h"

/* A value: its elements' sets, and its elements where they are known. */
struct reached {
    set_id *set;  /* of each element; NULL: all have `every` */
    set_id every; /* 0: there is nothing to differentiate by */
    void *data;   /* the elements; NULL: they depend on an input */
};

/* What a row's `reach` sees. Views have shapes and, where elements are known, data. */
struct reach {
    struct exec exec; /* no data of the result */
    unsigned op;
    const struct reached *x;
    struct reached *y; /* its set, its every: to be filled in; it begins empty, but for an update by
                        * index in the place of its base, whose sets it then begins with */
    struct sets *sets;
};

static inline set_id reached_at(const struct reached *x, int64_t i) {
    return x->set ? x->set[i] : x->every;
}
static inline bool reached_none(const struct reached *x) { return !x->set && !x->every; }

/* Room for the result's sets, all of them empty. Like everything here false without memory. */
bool reach_open(const struct reach *r);
/* The union of all elements' sets. */
set_id reach_whole(const struct reach *r, size_t k);

/* Every element of the result on every one of the arguments: what holds of any operation. */
bool reach_all(const struct reach *r);
/* Of operations that move elements: the kernel itself, on the sets in the place of the elements. */
bool reach_moves(const struct reach *r);
/* Of a reduction, attr = mask of axes: each element on those that it is reduced from. */
bool reach_axes(const struct reach *r);
/* Along an axis, attr = axis, reverse: each element on those of all arguments up to its place. */
bool reach_lines(const struct reach *r);

/* Over the last two axes: each matrix on those at its place of every argument. */
bool reach_matrices(const struct reach *r);
/* The same of equations whose right-hand sides are the columns of the last argument: each column of
 * the result on its own. */
bool reach_columns(const struct reach *r);
/* Of a sum of argument 0's elements, target[i] being the place that element i is added to. */
bool reach_gathers(const struct reach *r, const int32_t *target);
/* Whether an element of an argument is known to be 0, as a factor; whether any is. */
bool reach_is_zero(const struct view *v, int64_t i);
bool reach_has_zero(const struct view *v);

/* The axes before and after one of a value, as products of extents. */
struct reach_axis {
    int64_t before, extent, after;
};
struct reach_axis reach_axis(const struct view *v, size_t first, size_t axis);

#endif
