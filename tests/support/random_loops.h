/* Seeded random programs with loops and branches, and what they compute by loops and ifs of C: one
 * generator that either appends instructions or computes numbers, iteration by iteration. Loops run
 * in both directions, as often as an integer of the call says or while a condition holds, over the
 * size n or a constant; they carry scalars and arrays, read slices, collect results and capture
 * what is outside; arrays are read and updated by index; branches have two or three cases. All
 * nest. */
#ifndef RANDOM_LOOPS_H
#define RANDOM_LOOPS_H

#include <wengert.h>

struct random_loops {
    uint64_t seed;
    int length;     /* statements of the program */
    int inner;      /* of a body, at most */
    int depth;      /* of bodies in bodies; 0: there are none */
    bool hazards;   /* with cases that are never taken, and whose values are NaN */
    bool whiles;    /* with conditions, that depend on numbers */
    bool snapshots; /* of which reverse mode keeps one to three, in one loop of four */
};

/* Inputs a f64[], b f64[n], c f64[n], k i64[]; outputs y f64[], that depends on everything, and
 * z f64[n]. */
wg_program *random_loops(const struct random_loops *r, const wg_allocator *allocator,
                         wg_error *error);
/* The same in C: y, and z of n elements. *path tells which ways were gone: where it is the same,
 * values are smooth functions of a, b and c. */
double random_loops_in_c(const struct random_loops *r, int64_t n, double a, const double *b,
                         const double *c, int64_t k, double *z, uint64_t *path);

#endif
