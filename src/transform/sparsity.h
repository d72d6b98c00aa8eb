/* Structural dependency through a whole program: a walk over its trace that carries the sets of
 * op/reach.h. Regions and rules of callers are walks of their own programs, inside. */
#ifndef SPARSITY_H
#define SPARSITY_H

#include "op/reach.h"
#include "op/region.h"
#include "wengert/sparse.h"

struct sparsity {
    struct sets sets;
    wg_error *error; /* not NULL */
};

/* A trace under sizes; it may be walked again and again. */
struct walk {
    struct sparsity *s;
    const struct trace *t;
    const int64_t *size;
    int64_t *extent_value;
    struct shape *shape; /* of each type that a value has */
    struct reached *at;  /* of each instruction; those of inputs are the caller's */
    value *last;         /* the last reader of each; UINT32_MAX: whoever called the walk */
    uint64_t work;       /* elements that a run looks at, regions left out */
    uint64_t budget;     /* how many its loops may, before they are taken as a whole */
};

/* False, and maybe an error: without one, memory has ended. walk_close in any case. */
bool walk_open(struct walk *w, struct sparsity *s, const struct trace *t, const int64_t *size,
               uint64_t budget);
void walk_close(struct walk *w);
/* Lets the walk have, or no longer, the sets of `count` inputs from `first` on, where an update by
 * index is their last reader: what it has taken is gone from w->at. */
void walk_lend(struct walk *w, size_t first, size_t count, bool lend);
/* input: one for each of the trace's; what stands there is read until the next run or the end. */
bool walk_run(struct walk *w, const struct reached *input);
/* Output k, in the walk's hands, and the number of its elements. */
const struct reached *walk_output(const struct walk *w, size_t k);
static inline int64_t walk_count(const struct walk *w, value v) {
    return w->shape[instr_at(w->t, v)->type].count;
}
static inline size_t walk_width(const struct walk *w, value v) {
    return wg_dtype_size((wg_dtype)type_of(w->t, v)->dtype);
}

/* Values outside of a walk: `count` elements of `width` bytes. */
void reached_free(struct sparsity *s, struct reached *x, int64_t count, size_t width);
bool reached_copy(struct sparsity *s, struct reached *to, const struct reached *x, int64_t count,
                  size_t width);
/* x becomes the union of both, known only where both are the same. *grown: it was not. */
bool reached_join(struct sparsity *s, struct reached *x, const struct reached *more, int64_t count,
                  size_t width, bool *grown);

/* sparsity_region.c: what the items of a region have. sparsity_rule.c: what a custom has. */
bool walk_region(struct walk *w, value v);
bool walk_custom(struct walk *w, value v);

struct selection;
/* Rows are the elements of the outputs y, columns those of the inputs x, one behind the other.
 * size: of all named sizes. known: NULL, or for every input its elements, where they may decide;
 * else NULL. */
wg_status sparsity_pattern(const wg_program *p, const struct selection *x,
                           const struct selection *y, const int64_t *size, const void *const *known,
                           wg_pattern *pattern, wg_error *error);

/* ---- colour.c -------------------------------------------------------------------------------- */

enum { NO_COLOUR = -1 };
/* Colours for columns, so that no two of one colour meet in a row; rows that skip (NULL: none)
 * names do not count. Columns without entries in the others get NO_COLOUR. colour: room for all
 * columns; *count: how many colours. False without memory. */
bool colour_columns(const wg_pattern *p, const bool *skip, int32_t *colour, int32_t *count);
/* Of a symmetric pattern, so that of any entry (i, j) either j's colour is at no other entry of row
 * i, or i's at no other entry of row j. Diagonals count as if they were there. */
bool colour_symmetric(const wg_pattern *p, int32_t *colour, int32_t *count);
/* The k densest rows, marked in `dense`, for which the entries of the densest other row and k are
 * fewest together. */
bool densest_rows(const wg_pattern *p, bool *dense, int64_t *together);

#endif
