/* Seeded random C functions, as people write them who think of no derivative: declarations and
 * assignments of every kind, whole and floating numbers, if, switch, for, while, do, break, continue,
 * return, helpers with pointers and structs, local arrays, pointers that walk, effects in subscripts
 * and conditions. Nothing is undefined, every loop ends, values stay moderate, and they are smooth
 * but where a way is decided. */
#ifndef RANDOM_C_H
#define RANDOM_C_H

#include "support/c_tree.h"

#include <stdint.h>

enum { RANDOM_C_MOST = 8 };

/* What the functions take, and what they leave there. The first members stand in the texts too. */
struct random_c_pair {
    double u, v;
    int j;
    double w[2];
};
struct random_c_point {
    double a, b, r; /* r: what a function returns, or writes through a pointer r */
    double x[RANDOM_C_MOST], y[RANDOM_C_MOST], z[4], g[2][3];
    struct random_c_pair s, q;
    int k, n, c[3];
};

struct random_c {
    uint64_t seed;
    struct c_text text;
    struct c_node *root; /* helpers and the function, f<seed> */
    const char *size[5]; /* options: lengths of pointers */
    size_t size_count;
    bool returns; /* the value r */
};

void random_c_draw(struct random_c *r, uint64_t seed, int length);
void random_c_free(struct random_c *r);
/* The function for its reader; for free(). */
char *random_c_plain(const struct random_c *r);
/* The same for a compiler, with void call_<seed>(struct random_c_point *, uint64_t *way) below,
 * where *way comes to tell which way was gone at every decision. It goes behind
 * random_c_prelude, once in a file. `broken` there is 1 after a smaller function has gone outside of
 * an array that has no elements. */
char *random_c_marked(const struct random_c *r);
extern const char random_c_prelude[];

#endif
