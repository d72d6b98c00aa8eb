/* Reading and writing arrays of numbers, and reproducible random numbers. */
#ifndef WENGERT_DATA_H
#define WENGERT_DATA_H

#include "wengert/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NumPy's .npy (versions 1 to 3, little endian, C order; b1 i4 i8 f4 f8). The tensor's data belong
 * to the caller: wg_tensor_free. WG_EIO, WG_EFORMAT (with the offending field), WG_ENOMEM. */
WG_API wg_status wg_npy_read(const char *path, const wg_allocator *allocator, wg_tensor *tensor,
                             wg_error *error);
WG_API wg_status wg_npy_write(const char *path, const wg_tensor *tensor, wg_error *error);

/* The IDX format of the MNIST files: unsigned bytes become `dtype` (WG_I32 or WG_I64 as they are,
 * WG_F32 or WG_F64 times `scale`). */
WG_API wg_status wg_idx_read(const char *path, wg_dtype dtype, double scale,
                             const wg_allocator *allocator, wg_tensor *tensor, wg_error *error);

/* A stream of random numbers: xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64.
 * The same seed gives the same stream on every machine. Not for cryptography. */
typedef struct wg_random {
    uint64_t state[4];
} wg_random;
WG_API wg_random wg_random_seed(uint64_t seed);
WG_API uint64_t wg_random_bits(wg_random *random);
WG_API double wg_random_uniform(wg_random *random);                    /* [0, 1), 53 bits */
WG_API double wg_random_normal(wg_random *random);                     /* N(0, 1), polar method */
WG_API uint64_t wg_random_below(wg_random *random, uint64_t bound);    /* 0 .. bound-1, unbiased */
/* A permutation of 0 .. count-1 (Fisher-Yates). */
WG_API void wg_random_permutation(wg_random *random, size_t count, uint32_t *order);

#ifdef __cplusplus
}
#endif
#endif
