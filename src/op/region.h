/* Structured loops and branches: the instructions `loop` and `branch`, whose bodies are programs of
 * the trace, and `item`, which reads one of their results. What the instruction itself gives, an
 * i64, tells how many times the loop's body ran, or which branch was taken; it too is read through
 * an item, of the number REGION_COUNT, so that a batch may give another one in its place.
 *
 *   loop    [count], captures, carries, stacks -> carries, stacks of results
 *           for i = 0, 1, ... below the count (at most the length), while the condition holds:
 *               carries, results[i] = body(i, captures, carries, stacks[i])
 *           backwards: i = count-1, ..., 0. What a loop that ends early has not made is zeros.
 *   branch  index, captures -> results of body[index](captures); an index outside is brought to
 *           the nearest. One with a single body is a call, of which a checkpoint is made: reverse
 *           mode computes it again from captures and `kept` results, the last ones.
 *
 * The body takes i as i64[], and slices without their first axis, the loop's length. A condition is
 * a second body (i, captures, carries) -> bool[]. A loop without carries is a map, one over a
 * length without stacks a counted loop, one with a condition a while.
 *
 * A loop may bring along what runs it backwards for adjoints, as the `reverse` of its first body: a
 * program that is itself the body of a loop over the same indices in the other order,
 *   i, captures, adjoints of active carries, sums for active captures, kept results, stacks,
 *   adjoints of floating results -> adjoints of carries, sums, adjoints of active stacks
 * of which the `kept` results, the last ones, exist for its sake alone (transform/region.c). Behind
 * its captures stands what carries are at the end, as far as elements of them are settled
 * (transform/settled.h). A loop
 * with `snapshots` has none: reverse mode keeps that many of what is carried, and runs the loop
 * again from there (transform/revolve.c). One that is to run again has none either: what is kept for
 * it, as much as its bound allows, is there for one iteration of the loops around at a time. */
#ifndef OP_REGION_H
#define OP_REGION_H

#include "op/op.h"

/* attr = [n, body 1 .. body n, then for a branch
 *   captures, results, kept, for a loop length, flags, captures, carries, stacks, results, kept,
 *   snapshots, then for every capture, carry and stack a sum of bits: 1 if adjoints of it are made,
 *   2 if the reverse is given what the carry is at the end,
 * then for both the extents for the sizes of body 1, body 2, ...] */
enum loop_flag {
    LOOP_BACKWARDS = 1,
    LOOP_COUNTED = 2,   /* the count is an operand, else it is the length */
    LOOP_CONDITION = 4, /* body 2 */
    LOOP_APART = 8,     /* its iterations may run in any order: a map */
    LOOP_AGAIN = 16,    /* reverse mode runs it again, and keeps only then: see below */
    LOOP_RECORD = 32    /* that run: loops around run it again too, rather than keep its results */
};

enum region_bit { REGION_ACTIVE = 1, REGION_SETTLED = 2 };

enum { REGION_OPERANDS = 255, REGION_COUNT = INT16_MAX };

struct region {
    unsigned op;
    size_t bodies;
    const int64_t *body;   /* n words: their numbers among the rules */
    const int64_t *extent; /* of the sizes of all bodies */
    wg_extent length;      /* of a loop; and its flags */
    int64_t flags;
    size_t captures, carries, stacks, results, kept; /* a branch has no carries and stacks */
    int64_t snapshots; /* of a loop; 0: none */
    const int64_t *active; /* captures, carries, stacks: region_bit */
    size_t lead; /* operands in front of the captures: a loop's count, a branch's index */
    size_t items; /* carries and results */
};

/* The results of which slices that a loop has not come to are zeros; nobody reads those of others. */
static inline size_t region_cleared(const struct region *r) {
    return r->flags & LOOP_RECORD ? r->carries : r->items - r->kept;
}

/* What an attribute that is sound says; the pointers go with the trace's words, which move. */
struct region region_open(const struct trace *t, unsigned op, attr_id attr);
static inline const struct custom_rule *region_body(const struct trace *t, const struct region *r,
                                                    size_t k) {
    return &t->rule.at[r->body[k]];
}
/* The same with words of its own, which the caller frees; NULL and an error without memory. */
int64_t *region_copy(wg_graph *g, unsigned op, attr_id attr, struct region *copy, size_t *bytes);
/* The extents for the sizes of body k. */
const wg_extent *region_sizes(const struct trace *t, const struct region *r, size_t k);
/* What a loop's count says without the bounds that the loop brings it to itself. */
value region_bare_count(const struct trace *t, value count, wg_extent length);
/* The type of result k, in a graph whose words these are. */
bool region_item_type(wg_graph *g, value region, size_t k, wg_type *type);

/* The operands and parts of a region in the making; all lists are the caller's. */
struct region_parts {
    const wg_program *body, *reverse; /* reverse: NULL, or of a loop's body */
    const wg_program *condition;      /* of a loop; NULL */
    const wg_program *const *branch;  /* of a branch, in the place of body */
    size_t branches;
    const wg_extent *sizes; /* of all bodies, one after the other */
    wg_extent length;
    int64_t flags;
    value lead; /* the count or index; 0: none */
    const value *capture, *carry, *stack;
    size_t captures, carries, stacks, results, kept;
    int64_t snapshots;
    const uint8_t *active; /* with reverse: captures, carries, stacks */
};
/* Appends it; its value, 0 on error. */
value build_region(wg_graph *g, unsigned op, const struct region_parts *parts);
value build_item(wg_graph *g, value region, size_t k);

/* Of a loop in the making (wengert/loop.h): broadcasts in it are made by its body, for which they
 * are other indices, and not before it, as what does not vary is. */
struct wg_loop;
void loop_broadcasts_within(struct wg_loop *loop);
/* Likewise: LOOP_AGAIN, LOOP_RECORD. */
void loop_sets_flags(struct wg_loop *loop, int64_t flags);

#endif
