/* Matrix products for processors with AVX-512: see gemm.h. */
#include "op/kernel/kernel.h"

#ifdef WG_WIDE

enum {
    DEEP = 192,   /* a strip: 36 kB */
    ALONG = 32,   /* depth from which sums in every lane are worth adding up the lanes */
    SMALL = 10,   /* rows and columns of a result, with which they are so from there on */
    MEDIUM = 24   /* and with which from twice that depth on */
};

bool gemm_avx512_along(int64_t m, int64_t n, int64_t depth) {
    if (m < 2 || n < 2 || depth < ALONG) return false;
    int64_t most = m > n ? m : n;
    return most <= SMALL || (most <= MEDIUM && depth >= 2 * ALONG);
}

/* The side of squares of results that takes least: products and what they read. */
static int64_t along_side(int64_t m, int64_t n) {
    int64_t best = 2, least = INT64_MAX;
    for (int64_t side = 2; side <= 5 && side <= m && side <= n; side++) {
        int64_t cost = ((m + side - 1) / side) * ((n + side - 1) / side) * side * (side + 2);
        if (cost <= least) least = cost, best = side;
    }
    return best;
}

#define T double
#define F(name) name##_f64
#include "op/kernel/gemm.h"
#undef T
#undef F
#define T float
#define F(name) name##_f32
#include "op/kernel/gemm.h"

#else
typedef int nothing_here;
#endif
