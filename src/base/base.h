/* What every layer stands on: memory through the allocator hook, growable arrays, the arena, text,
 * hashing, sticky errors. Nothing here knows of programs. Nothing here exits or prints. */
#ifndef BASE_H
#define BASE_H

#include "wengert/base.h"

#include <stdarg.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#if defined(__GNUC__)
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))
#else
#define PRINTF_LIKE(string, first)
#endif

/* ---- memory ------------------------------------------------------------------------------ */

wg_allocator standard_allocator(void);
/* The caller's allocator, or the standard one for NULL. */
wg_allocator allocator_or_standard(const wg_allocator *allocator);

/* NULL if there is no memory, and for size 0. */
void *mem_alloc(const wg_allocator *allocator, size_t size);
void *mem_alloc_zero(const wg_allocator *allocator, size_t size);
void mem_free(const wg_allocator *allocator, void *block, size_t size); /* NULL is fine */

/* A growable array: declare `VEC(struct site) sites;`, all zero is empty. VEC_PUSH makes room and
 * yields a pointer to the new last element, NULL if no memory (the array is then as it was). */
#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *at;                                                                                     \
        size_t count, capacity;                                                                    \
    }
#define VEC_RESERVE(a, vec, n)                                                                     \
    vec_reserve((a), (void **)&(vec)->at, &(vec)->capacity, (n), sizeof *(vec)->at)
#define VEC_PUSH(a, vec)                                                                           \
    (VEC_RESERVE((a), (vec), (vec)->count + 1) ? &(vec)->at[(vec)->count++] : NULL)
#define VEC_FREE(a, vec)                                                                           \
    (mem_free((a), (vec)->at, (vec)->capacity * sizeof *(vec)->at), (vec)->at = NULL,              \
     (vec)->count = (vec)->capacity = 0)
bool vec_reserve(const wg_allocator *allocator, void **at, size_t *capacity, size_t count,
                 size_t element_size);

/* Arena: many small blocks of one lifetime, freed together. */
struct arena {
    wg_allocator allocator;
    struct arena_block *last;
};
void *arena_alloc(struct arena *arena, size_t size, size_t alignment); /* NULL if no memory */
void arena_free(struct arena *arena);
size_t arena_bytes(const struct arena *arena);
/* A way back: what was allocated after the mark is freed. */
struct arena_mark {
    struct arena_block *last;
    size_t used;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* ---- errors ------------------------------------------------------------------------------ */

static inline bool failed(const wg_error *error) {
    return error && error->status != WG_OK;
}
/* Records the first error and returns its status; later ones are dropped. error may be NULL. */
wg_status fail_with(wg_error *error, wg_status status, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same of what another error says; nothing if that is none. */
void fail_as(wg_error *error, const wg_error *cause);
wg_status fail_v(wg_error *error, wg_status status, const char *format, va_list args);
/* Appends to the message of a recorded error (a hint, a second line); cut where the room ends. */
void fail_more(wg_error *error, const char *format, ...) PRINTF_LIKE(2, 3);
wg_status fail_memory(wg_error *error);
/* What the system says of an errno, written into room; unlike strerror safe with threads. */
const char *system_reason(int error_number, char *room, size_t size);

/* ---- text -------------------------------------------------------------------------------- */

/* Whether the first `length` characters at s, which need no end, spell this word. */
static inline bool is_word(const char *s, size_t length, const char *word) {
    return strlen(word) == length && memcmp(s, word, length) == 0;
}

/* Each returns false if there is no memory; the text then is as it was. */
bool text_reserve(wg_text *text, size_t more);
bool text_bytes(wg_text *text, const char *bytes, size_t size);
bool text_add(wg_text *text, const char *string);
bool text_format(wg_text *text, const char *format, ...) PRINTF_LIKE(2, 3);
/* The shortest decimal that reads back as the same number; "inf", "-inf", "nan". */
bool text_f64(wg_text *text, double number);
bool text_f32(wg_text *text, float number);
/* Cuts the text back to a size that it had. */
void text_cut(wg_text *text, size_t size);

/* ---- numbers ------------------------------------------------------------------------------ */

static inline bool add_overflows(int64_t a, int64_t b, int64_t *sum) {
    return __builtin_add_overflow(a, b, sum);
}
static inline bool mul_overflows(int64_t a, int64_t b, int64_t *product) {
    return __builtin_mul_overflow(a, b, product);
}

/* Room for the elements that dtype and shape ask for; never NULL on WG_OK, also without elements.
 * wg_tensor_free gives it back. WG_EOVERFLOW, WG_ENOMEM. */
wg_status tensor_alloc(wg_tensor *tensor, const wg_allocator *allocator, wg_error *error);

uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed);
/* One step of a hash over words: fast, good enough for open addressing. */
static inline uint64_t hash_mix(uint64_t h, uint64_t word) {
    h = (h ^ word) * 0x9E3779B97F4A7C15u;
    return h ^ (h >> 32);
}

/* SHA-256 (FIPS 180-4): a name for content, from which nobody can make other content of that name.
 * Start from sha256_start(); bytes may come in pieces. */
struct sha256 {
    uint32_t state[8];
    uint64_t size;           /* bytes so far */
    unsigned char block[64]; /* those that fill no block yet */
};
struct sha256 sha256_start(void);
void sha256_add(struct sha256 *hash, const void *bytes, size_t size);
void sha256_finish(struct sha256 *hash, unsigned char digest[32]);

/* Reads a list of names "W, b": calls of name_next(&cursor, &start, &length) give one name each,
 * false at the end. Blanks around names are skipped. */
bool name_next(const char **cursor, const char **start, size_t *length);

#endif
