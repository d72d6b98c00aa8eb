/* The kernel of draw_bits: key i64[b...], counter i64[b...] -> i32 or i64 [b..., shape...]. Blocks
 * of four words are computed one after the other; which word goes where is said in op/random.c. */
#include "op/kernel/kernel.h"
#include "op/kernel/philox.h"

/* What is drawn for one key and counter: count words, or pairs of words where `wide`. */
static void draw(uint64_t key, uint64_t counter, int64_t count, bool wide, void *out) {
    uint32_t *y32 = out, word[PHILOX_WORDS], k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    uint64_t *y64 = out;
    int64_t each = wide ? PHILOX_WORDS / 2 : PHILOX_WORDS;
    for (int64_t i = 0; i < count; i += each) {
        uint64_t block = (uint64_t)(i / each);
        philox((const uint32_t[]){(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)counter,
                                  (uint32_t)(counter >> 32)},
               k, word);
        for (int64_t j = 0; j < each && i + j < count; j++)
            if (wide)
                y64[i + j] = word[2 * j] | (uint64_t)word[2 * j + 1] << 32;
            else
                y32[i + j] = word[j];
    }
}

wg_status run_draw_bits(const struct exec *e) {
    const int64_t *key = e->arg[0].data, *counter = e->arg[1].data;
    int64_t draws = e->arg[0].shape->count, count = draws ? e->out.shape->count / draws : 0;
    bool wide = e->out.dtype == WG_I64;
    size_t bytes = (size_t)count * (wide ? sizeof(int64_t) : sizeof(int32_t));
    for (int64_t b = 0; b < draws; b++)
        draw((uint64_t)key[b], (uint64_t)counter[b], count, wide,
             (char *)e->out.data + (size_t)b * bytes);
    return WG_OK;
}
