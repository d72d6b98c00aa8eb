/* Philox4x32-10: 128 bits out of a counter of 128 bits and a key of 64 (Salmon, Moraes, Dror and
 * Shaw, Parallel random numbers: as easy as 1, 2, 3, 2011). Words are in the paper's order, the
 * lowest first. */
#ifndef PHILOX_H
#define PHILOX_H

#include <stdint.h>

enum { PHILOX_WORDS = 4, PHILOX_ROUNDS = 10 };

static inline void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t a = counter[0], b = counter[1], c = counter[2], d = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t left = UINT64_C(0xD2511F53) * a, right = UINT64_C(0xCD9E8D57) * c;
        a = (uint32_t)(right >> 32) ^ b ^ k0;
        b = (uint32_t)right;
        c = (uint32_t)(left >> 32) ^ d ^ k1;
        d = (uint32_t)left;
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
    out[0] = a, out[1] = b, out[2] = c, out[3] = d;
}

#endif
