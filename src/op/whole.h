/* Polynomials in whole numbers: indices and counts of loops, as far as they are sums of products of
 * sizes and of other integers. Coefficients are modulo 2^64, as programs compute. What would need
 * more terms or factors than there is room for is refused: then nothing is known of it. */
#ifndef OP_WHOLE_H
#define OP_WHOLE_H

#include "ir/ir.h"

enum { MOST_TERMS = 12, MOST_FACTORS = 4 };

/* Of the factors of a term one is whatever integer its maker numbers, a value of a program or the
 * counter of a loop, or with this bit the number of a named size. */
enum { FACTOR_SIZE = 1 << 30 };

struct whole_term {
    uint64_t coefficient;
    uint32_t factor[MOST_FACTORS]; /* falling, zeros at the end */
};
struct whole {
    uint32_t count;
    struct whole_term term[MOST_TERMS]; /* factors falling, no coefficient 0 */
};

struct whole whole_number(uint64_t n);
struct whole whole_factor(uint32_t factor);
bool whole_add_term(struct whole *p, const struct whole_term *term);
bool whole_add_times(struct whole *a, const struct whole *b, uint64_t by); /* a += by * b */
bool whole_multiply(const struct whole *a, const struct whole *b, struct whole *product);
bool whole_same(const struct whole *a, const struct whole *b);
/* An extent, in the sizes of its trace. */
bool whole_extent(const struct trace *t, wg_extent e, struct whole *p);
/* An integer of the trace, in its sizes and in values that are no polynomials themselves. */
bool whole_value(const struct trace *t, value v, struct whole *p);

#endif
