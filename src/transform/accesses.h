/* Elements of the arrays that a loop carries, which it and the loops within it read and write: and
 * which of those that are read no iteration changes any more. */
#ifndef TRANSFORM_ACCESSES_H
#define TRANSFORM_ACCESSES_H

#include "op/region.h"
#include "op/whole.h"

enum { MOST_COUNTERS = 48, MOST_WRITES = 200 };

struct counter { /* 0 .. the smaller of count and length */
    struct whole count, length;
    bool has_count, has_length;
};

/* Elements of an array that are read or written, at an index of an axis of so many, in front of
 * which there are `before` elements by their axes. */
struct access {
    uint32_t chain; /* which array: 1 + the number of the carry */
    struct whole at, extent, before;
};

struct nest { /* a loop and the loops within it */
    const wg_allocator *a;
    const struct trace *t; /* around it: its sizes are those of polynomials */
    struct counter counter[MOST_COUNTERS];
    size_t counters;
    struct access write[MOST_WRITES];
    size_t writes;
    bool spoiled[REGION_OPERANDS + 1]; /* chains of which not all is known */
    bool *positive;                    /* sizes that are not 0 where an iteration runs */
    size_t effort; /* steps of proofs so far */
    wg_error *error;
};

struct scope { /* a program at one place of the nest */
    const struct trace *t;
    struct whole *size, *at; /* of its sizes; of its integers */
    bool *size_known, *known;
    uint32_t *chain; /* the array that a value is, after some of its writes; 0: none */
    size_t counter;
};

/* Looks at what the loop r of t, whose operands are x, writes. mask: which carries matter
 * (split.h). NULL and an error; the caller's. */
struct nest *nest_open(const struct trace *t, const struct region *r, const value *x,
                       const uint8_t *mask, wg_error *error);
void nest_close(struct nest *n);

/* The body of the loop itself, and of loop v in scope s. False where there is no room, or an error;
 * scope_end is called in any case. */
bool enter_outermost(struct nest *n, const struct region *r, const value *x, const uint8_t *mask,
                     struct scope *s);
bool enter_loop(struct nest *n, const struct scope *s, value v, struct scope *inner);
void scope_end(struct nest *n, struct scope *s);

/* An extent of the scope's program; false where it is not known. */
bool extent_at(const struct scope *s, wg_extent e, struct whole *result);
/* Sizes of a product that is not 0; whether all factors of one are known not to be. */
void mark_positive(const struct nest *n, const struct whole *p);
bool is_all_positive(const struct nest *n, const struct whole *p);
/* Whether v takes elements that no write of this iteration of the outermost loop, or of a later
 * one, changes. */
bool is_settled(struct nest *n, const struct scope *s, value v);

#endif
