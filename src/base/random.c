/* Random numbers: xoshiro256** 1.0 (D. Blackman and S. Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47, 2021), its state filled by splitmix64 (G. Steele, D. Lea and C. Flood,
 * "Fast splittable pseudorandom number generators", OOPSLA 2014). The integers are the same on
 * every machine; so are the uniform numbers, and the normal ones up to the last digit of log. */
#include "wengert/data.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

wg_random wg_random_seed(uint64_t seed) {
    /* Four different outputs of a bijection are not all zero, which is the one state to avoid. */
    wg_random random;
    for (int i = 0; i < 4; i++) random.state[i] = splitmix64(&seed);
    return random;
}

static uint64_t rotate_left(uint64_t x, int count) {
    return x << count | x >> (64 - count);
}

uint64_t wg_random_bits(wg_random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double wg_random_uniform(wg_random *random) {
    return (double)(wg_random_bits(random) >> 11) * 0x1p-53;
}

/* Marsaglia's polar method. The second number that it yields is dropped: keeping it would make the
 * stream depend on which calls came before. */
double wg_random_normal(wg_random *random) {
    for (;;) {
        double u = 2 * wg_random_uniform(random) - 1, v = 2 * wg_random_uniform(random) - 1;
        double s = u * u + v * v;
        if (s > 0 && s < 1) return u * sqrt(-2 * log(s) / s);
    }
}

/* 2^64 mod bound of the values would come up once more often than the others, so they are drawn
 * again. A bound of 0 gives 0. */
uint64_t wg_random_below(wg_random *random, uint64_t bound) {
    if (bound == 0) return 0;
    uint64_t unfair = -bound % bound, bits;
    do bits = wg_random_bits(random);
    while (bits < unfair);
    return bits % bound;
}

void wg_random_permutation(wg_random *random, size_t count, uint32_t *order) {
    for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)wg_random_below(random, i);
        uint32_t last = order[i - 1];
        order[i - 1] = order[j];
        order[j] = last;
    }
}
