/* Hashing of bytes, for tables in memory: fast, the same on every machine, and no defence against
 * keys that were chosen to collide. */
#include "base/base.h"

static uint64_t load_word(const unsigned char *byte, size_t count) {
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) word |= (uint64_t)byte[i] << (8 * i);
    return word;
}

uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed) {
    const unsigned char *byte = bytes;
    uint64_t h = hash_mix(seed, size); /* so that trailing zeros count */
    for (; size >= 8; byte += 8, size -= 8) h = hash_mix(h, load_word(byte, 8));
    if (size > 0) h = hash_mix(h, load_word(byte, size));
    return h;
}
