/* Indices that are checked ahead of a loop: an element that each of its iterations reads or writes,
 * at an index that moves by equal steps. All of them lie within an axis if the first and the last
 * do, so that one test in front stands for one in every iteration, which would keep compilers from
 * making vector code. A test may move out through several loops, as long as the inner ones always
 * run equally often.
 *
 * Indices are polynomials in sizes and integers of the program, modulo 2^64 as the program computes
 * them, which are the same number however they are written: nothing overflows here that does not
 * there. What is said of first and last holds all the same. Two neighbours within an axis are less
 * than 2^63 apart, so that their step is what it is modulo 2^64, with a sign; and no such step leads
 * from within an axis past its end and round. */
#ifndef NATIVE_AHEAD_H
#define NATIVE_AHEAD_H

#include "native/lower.h"
#include "op/whole.h"

enum { MOST_LOOPS = 3 };

struct ahead_loop {
    struct whole step, count, length;
    bool counted; /* runs `count` times, brought to 0 .. length; else `length` times */
    bool backwards;
};

struct ahead {
    struct whole first, extent;         /* 0 .. extent - 1 is the axis */
    struct ahead_loop loop[MOST_LOOPS]; /* from the innermost on */
    uint32_t loops;
    /* Who complains: an operand of an instruction of a body, under these sizes. */
    uint32_t body, operand;
    const struct trace *t;
    value by;
    struct whole *size; /* of t; mem_alloc */
    bool moved; /* on to the loop around the one it was found in */
};

struct ahead_list {
    VEC(struct ahead) is;
};

/* The program is a body of this loop. */
struct around {
    const struct trace *t;
    value loop;
    uint32_t number; /* of the body */
};

struct writing;
struct body_code;
/* What a loop's body has checked ahead of the loop: its own indices, which writing->left_out then
 * names too, and those of the loops inside it, which are marked as moved. False without memory. */
bool find_ahead(struct writing *w, const struct around *around, struct ahead_list *list);
/* A check of its body in terms of the loop's own operands. The sizes of `to` are the caller's. False
 * without memory. */
bool ahead_at_loop(const struct trace *t, const struct body_code *body, const struct ahead *from,
                   struct ahead *to);
/* Whether it holds there for all sizes, and however often loops run. */
bool is_always_within(const struct trace *t, const struct body_code *body,
                      const struct ahead *from);
void ahead_free_sizes(const wg_allocator *allocator, struct ahead *a);
void ahead_free(const wg_allocator *allocator, struct ahead_list *list);

/* An update of a few elements at an integer, whose index is its last operand. */
bool is_update_at_integer(const struct trace *t, value v);

#endif
