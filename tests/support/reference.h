/* What every operation computes, by the plainest loops there are: floating numbers in long double,
 * integers in 128 bits and cut to their type afterwards. Kernels are compared with this. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "op/op.h"

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

struct number { /* one of the two, as the element type says */
    long double f;
    wide i;
};

struct array {
    wg_dtype dtype;
    size_t rank;
    int64_t extent[WG_MAX_RANK], count;
    struct number *at;
};

/* Elementwise rows: the formula of elementwise.def in these types; NULL where the row has none.
 * `bits` is the width of the integers. Truths are 0 and 1. */
typedef long double floating_row(const long double *x);
typedef wide integer_row(const wide *x, unsigned bits);
floating_row *reference_floating(unsigned op);
integer_row *reference_integer(unsigned op);

/* x as an element of this type: integers keep the bits that they have room for. */
struct number reference_cut(wg_dtype dtype, struct number x);

/* The first output of the program for these sizes and inputs; free what `at` points to. False, and
 * the operation's code in *missing, where an operation has no reference. Of named sizes only types
 * and the operation `size` may be made, no other attributes. */
bool reference_run(const wg_program *p, const int64_t *size, const wg_tensor *input,
                   struct array *output, unsigned *missing);

#endif
