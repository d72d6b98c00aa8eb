/* SHA-256, written from FIPS 180-4: section 5.1.1 pads, 4.1.2 names the functions, 6.2.2 is the
 * loop over a block. For names of content in the cache of compiled code; tables in memory use
 * hash.c. */
#include "base/base.h"

enum { BLOCK = 64, LENGTH_AT = 56 };

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes (4.2.2). */
static const uint32_t constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

static uint32_t load_big(const unsigned char *byte) {
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static void store_big(unsigned char *byte, uint64_t value, int count) {
    for (int i = 0; i < count; i++) byte[i] = (unsigned char)(value >> 8 * (count - 1 - i));
}

static void add_block(uint32_t state[8], const unsigned char *block) {
    uint32_t w[64], s[8];
    for (int t = 0; t < 16; t++) w[t] = load_big(block + 4 * t);
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    memcpy(s, state, sizeof s);
    for (int t = 0; t < 64; t++) {
        uint32_t a = s[0], e = s[4];
        uint32_t sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t choice = (e & s[5]) ^ (~e & s[6]);
        uint32_t t1 = s[7] + sum1 + choice + constant[t] + w[t];
        uint32_t sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t majority = (a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]);
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + sum0 + majority;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

struct sha256 sha256_start(void) {
    return (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                     0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t size) {
    const unsigned char *byte = bytes;
    size_t held = hash->size % BLOCK;
    hash->size += size;
    for (; size > 0 && held > 0; byte++, size--) {
        hash->block[held++] = *byte;
        if (held == BLOCK) {
            add_block(hash->state, hash->block);
            held = 0;
        }
    }
    for (; size >= BLOCK; byte += BLOCK, size -= BLOCK) add_block(hash->state, byte);
    if (size > 0) memcpy(hash->block, byte, size);
}

void sha256_finish(struct sha256 *hash, unsigned char digest[32]) {
    unsigned char padding[BLOCK + 8] = {0x80};
    size_t held = hash->size % BLOCK;
    size_t zeros = (held < LENGTH_AT ? LENGTH_AT : LENGTH_AT + BLOCK) - held;
    store_big(padding + zeros, hash->size * 8, 8);
    sha256_add(hash, padding, zeros + 8);
    for (int i = 0; i < 8; i++) store_big(digest + 4 * i, hash->state[i], 4);
}
