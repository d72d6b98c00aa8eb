/* Memory: the allocator hook, growable arrays and the arena. Every byte that the library uses is
 * asked for here, through the hook, and given back with the size that was asked for. An allocator
 * that is NULL or all zero is the standard one. Running out is a NULL or a false, never an exit;
 * turning that into an error with WG_ENOMEM is the caller's matter (fail_memory). */
#include "base/base.h"

#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

/* ---- the hook ----------------------------------------------------------------------------- */

/* Asks for large pages under a large block. Programs of a million instructions are read at random
 * places, and half of that time went into translating addresses. Only advice: failing is fine. */
static void advise_large_pages(void *block, size_t size) {
#if defined(MADV_HUGEPAGE)
    enum { LARGE_PAGE = 2 << 20 };
    uintptr_t first = ((uintptr_t)block + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    uintptr_t end = ((uintptr_t)block + size) & ~(uintptr_t)(LARGE_PAGE - 1);
    if (first < end) (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
    (void)block, (void)size;
#endif
}

static void *standard_resize(void *ctx, void *block, size_t old_size, size_t new_size) {
    (void)ctx;
    (void)old_size;
    if (new_size > 0) {
        void *resized = realloc(block, new_size);
        if (resized) advise_large_pages(resized, new_size);
        return resized;
    }
    free(block);
    return NULL;
}

wg_allocator standard_allocator(void) {
    return (wg_allocator){.resize = standard_resize};
}

wg_allocator allocator_or_standard(const wg_allocator *allocator) {
    return allocator && allocator->resize ? *allocator : standard_allocator();
}

static void *resize(const wg_allocator *allocator, void *block, size_t old_size, size_t new_size) {
    wg_allocator a = allocator_or_standard(allocator);
    return a.resize(a.ctx, block, old_size, new_size);
}

void *mem_alloc(const wg_allocator *allocator, size_t size) {
    /* No object may be larger than what the difference of two pointers into it can say. */
    return size > 0 && size <= PTRDIFF_MAX ? resize(allocator, NULL, 0, size) : NULL;
}

void *mem_alloc_zero(const wg_allocator *allocator, size_t size) {
    void *block = mem_alloc(allocator, size);
    return block ? memset(block, 0, size) : NULL;
}

void mem_free(const wg_allocator *allocator, void *block, size_t size) {
    if (block) resize(allocator, block, size, 0);
}

/* ---- growable arrays ---------------------------------------------------------------------- */

enum { FIRST_CAPACITY = 8 };

bool vec_reserve(const wg_allocator *allocator, void **at, size_t *capacity, size_t count,
                 size_t element_size) {
    if (count <= *capacity) return true;
    size_t most = PTRDIFF_MAX / element_size;
    if (count > most) return false;
    size_t grown = *capacity <= most / 2 ? *capacity * 2 : most;
    if (grown < FIRST_CAPACITY && FIRST_CAPACITY <= most) grown = FIRST_CAPACITY;
    if (grown < count) grown = count;

    /* `at` is the address of a T *, not of a void *: copying its bytes is what every T allows. */
    void *block;
    memcpy(&block, at, sizeof block);
    block = resize(allocator, block, *capacity * element_size, grown * element_size);
    if (!block) return false;
    memcpy(at, &block, sizeof block);
    *capacity = grown;
    return true;
}

/* ---- the arena ---------------------------------------------------------------------------- */

enum { FIRST_BLOCK = 1024, LARGEST_BLOCK = 1 << 20 };

struct arena_block {
    struct arena_block *previous;
    size_t capacity, used; /* bytes of room, and how many of them are given out */
    unsigned char room[];
};

/* NULL if the block has too little room left. */
static void *block_take(struct arena_block *block, size_t size, size_t alignment) {
    size_t left = block->capacity - block->used;
    size_t gap = -(uintptr_t)(block->room + block->used) & (alignment - 1);
    if (gap > left || size > left - gap) return NULL;
    void *taken = block->room + block->used + gap;
    block->used += gap + size;
    return taken;
}

/* A new last block with room for `size` bytes. Blocks double up to a bound, beyond which a small
 * request would hold much memory that nobody asked for; a large request gets a block of its own. */
static bool arena_grow(struct arena *arena, size_t size) {
    size_t capacity = arena->last ? arena->last->capacity * 2 : FIRST_BLOCK;
    if (capacity > LARGEST_BLOCK) capacity = LARGEST_BLOCK;
    if (capacity < size) capacity = size;
    struct arena_block *block = mem_alloc(&arena->allocator, sizeof *block + capacity);
    if (!block) return false;
    *block = (struct arena_block){.previous = arena->last, .capacity = capacity};
    arena->last = block;
    return true;
}

/* alignment: a power of two */
void *arena_alloc(struct arena *arena, size_t size, size_t alignment) {
    if (size > PTRDIFF_MAX / 2 || alignment > PTRDIFF_MAX / 4) return NULL;
    void *taken = arena->last ? block_take(arena->last, size, alignment) : NULL;
    if (taken || !arena_grow(arena, size + alignment)) return taken;
    return block_take(arena->last, size, alignment);
}

struct arena_mark arena_mark(const struct arena *arena) {
    return (struct arena_mark){arena->last, arena->last ? arena->last->used : 0};
}

void arena_rewind(struct arena *arena, struct arena_mark mark) {
    while (arena->last != mark.last) {
        struct arena_block *block = arena->last;
        arena->last = block->previous;
        mem_free(&arena->allocator, block, sizeof *block + block->capacity);
    }
    if (arena->last) arena->last->used = mark.used;
}

void arena_free(struct arena *arena) {
    arena_rewind(arena, (struct arena_mark){0});
}

size_t arena_bytes(const struct arena *arena) {
    size_t bytes = 0;
    for (const struct arena_block *block = arena->last; block; block = block->previous)
        bytes += sizeof *block + block->capacity;
    return bytes;
}
