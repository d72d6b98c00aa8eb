/* The names in view: a stack, because what is bound last goes first, with a hash index by scope and
 * spelling, so that a formula of a million names is read in linear time. The spelling is borrowed
 * from the text. Names of one scope are unique; who may see which scope is not decided here. */
#include "lang/lang.h"

static uint32_t *bucket_of(const struct names *n, uint32_t scope, const char *start,
                           size_t length) {
    return &n->bucket[hash_bytes(start, length, scope) & (n->bucket_count - 1)];
}

struct name *names_find(const struct names *n, uint32_t scope, const char *start, size_t length) {
    if (!n->bucket_count) return NULL;
    for (uint32_t i = *bucket_of(n, scope, start, length); i; i = n->stack.at[i - 1].chain) {
        struct name *name = &n->stack.at[i - 1];
        if (name->scope == scope && name->length == length &&
            memcmp(name->start, start, length) == 0)
            return name;
    }
    return NULL;
}

/* Chains run from the newest name to the oldest: names_cut relies on it. */
static void link(struct names *n, size_t index) {
    struct name *name = &n->stack.at[index];
    uint32_t *bucket = bucket_of(n, name->scope, name->start, name->length);
    name->chain = *bucket;
    *bucket = (uint32_t)index + 1;
}

static bool grow(struct names *n, const wg_allocator *allocator) {
    if (n->stack.count < n->bucket_count) return true;
    size_t count = n->bucket_count ? 2 * n->bucket_count : 64;
    if (n->stack.count >= UINT32_MAX / 2) return false;
    uint32_t *bucket = mem_alloc_zero(allocator, count * sizeof *bucket);
    if (!bucket) return false;
    mem_free(allocator, n->bucket, n->bucket_count * sizeof *n->bucket);
    n->bucket = bucket;
    n->bucket_count = count;
    for (size_t i = 0; i < n->stack.count; i++) link(n, i);
    return true;
}

struct name *names_add(struct names *n, const wg_allocator *allocator, uint32_t scope,
                       const char *start, size_t length, struct term term) {
    struct name *name = grow(n, allocator) ? VEC_PUSH(allocator, &n->stack) : NULL;
    if (!name) return NULL;
    *name = (struct name){.start = start, .length = length, .scope = scope, .term = term};
    link(n, n->stack.count - 1);
    return name;
}

void names_cut(struct names *n, size_t count) {
    while (n->stack.count > count) {
        struct name *name = &n->stack.at[--n->stack.count];
        *bucket_of(n, name->scope, name->start, name->length) = name->chain;
    }
}

void names_free(struct names *n, const wg_allocator *allocator) {
    VEC_FREE(allocator, &n->stack);
    mem_free(allocator, n->bucket, n->bucket_count * sizeof *n->bucket);
    n->bucket = NULL;
    n->bucket_count = 0;
}
