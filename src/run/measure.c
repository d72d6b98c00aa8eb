/* The sizes of types as far as they are known before a call: a constant factor times a product of
 * named extents. Types with the same product can be compared, so their tensors can share storage;
 * types of one domain have equally many elements, so their elements can be visited in one loop. */
#include "run/run.h"

static uint64_t key_hash(const wg_extent *extent, size_t count) {
    uint64_t h = count;
    for (size_t i = 0; i < count; i++) h = hash_mix(h, (uint64_t)extent[i]);
    return h;
}

/* Room for one more key in the table. */
static bool grow(const wg_allocator *a, struct measures *m) {
    if (2 * (m->key.count + 1) <= m->capacity) return true;
    size_t capacity = m->capacity ? 2 * m->capacity : 64;
    uint32_t *bucket = mem_alloc_zero(a, capacity * sizeof *bucket);
    if (!bucket) return false;
    for (size_t i = 0; i < m->key.count; i++) {
        struct span s = m->key.at[i];
        size_t at = key_hash(m->extent.at + s.at, s.count) & (capacity - 1);
        while (bucket[at]) at = (at + 1) & (capacity - 1);
        bucket[at] = (uint32_t)(i + 1);
    }
    mem_free(a, m->bucket, m->capacity * sizeof *bucket);
    m->bucket = bucket;
    m->capacity = capacity;
    return true;
}

static bool key_intern(const wg_allocator *a, struct measures *m, const wg_extent *extent,
                       size_t count, uint32_t *id) {
    if (!grow(a, m)) return false;
    size_t at = key_hash(extent, count) & (m->capacity - 1);
    for (; m->bucket[at]; at = (at + 1) & (m->capacity - 1)) {
        *id = m->bucket[at] - 1;
        struct span s = m->key.at[*id];
        if (s.count == count && !memcmp(m->extent.at + s.at, extent, count * sizeof *extent))
            return true;
    }
    if (!VEC_RESERVE(a, &m->extent, m->extent.count + count)) return false;
    struct span *key = VEC_PUSH(a, &m->key);
    if (!key) return false;
    *key = (struct span){(uint32_t)m->extent.count, (uint32_t)count};
    memcpy(m->extent.at + m->extent.count, extent, count * sizeof *extent);
    m->extent.count += count;
    *id = (uint32_t)(m->key.count - 1);
    m->bucket[at] = *id + 1;
    return true;
}

/* The product of a type's constant extents (false if it overflows) and its named ones, sorted. */
static bool split(const wg_type *type, int64_t *factor, wg_extent *named, size_t *count) {
    bool zero = false, overflow = false;
    *factor = 1;
    *count = 0;
    for (size_t i = 0; i < type->rank; i++) {
        wg_extent e = type->extent[i];
        zero |= e == 0;
        if (e >= 0) {
            overflow |= mul_overflows(*factor, e, factor);
            continue;
        }
        size_t at = (*count)++;
        for (; at > 0 && named[at - 1] > e; at--) named[at] = named[at - 1];
        named[at] = e;
    }
    if (zero) *factor = 0;
    return zero || !overflow;
}

/* Says of which value, and where it was made. Returns false. */
static bool too_many_elements(const struct trace *t, type_id id, wg_error *error) {
    char where[256] = "";
    wg_text text = {.allocator = t->allocator};
    value v = 1;
    while (v < t->instr.count && instr_at(t, v)->type != id) v++;
    if (v < t->instr.count) site_head(t, instr_at(t, v)->site, where, sizeof where);
    type_text(t, type_at(t, id), &text);
    fail_with(error, WG_EOVERFLOW,
              "%s%s has more elements than a 64-bit number counts; make its extents smaller", where,
              text.data ? text.data : "a value");
    wg_text_free(&text);
    return false;
}

bool measures_make(struct wg_function *fn, wg_error *error) {
    const struct trace *t = &fn->program->t;
    struct measures *m = &fn->measures;
    const wg_allocator *a = &fn->allocator;
    m->type_count = t->type.count;
    m->count = mem_alloc_zero(a, m->type_count * sizeof *m->count);
    m->domain = mem_alloc_zero(a, m->type_count * sizeof *m->domain);
    uint32_t none;
    if (!m->count || !m->domain || !VEC_RESERVE(a, &m->extent, 1) ||
        !key_intern(a, m, m->extent.at, 0, &none)) /* the empty product is part 0 */
        return fail_memory(error), false;
    for (type_id id = 1; id < t->type.count; id++) {
        wg_extent key[1 + WG_MAX_RANK]; /* the factor, then the named extents */
        size_t count;
        struct measure *of = &m->count[id];
        if (!split(&t->type.at[id], &of->factor, key + 1, &count))
            return too_many_elements(t, id, error);
        key[0] = of->factor;
        if (!key_intern(a, m, key + 1, count, &of->part) ||
            !key_intern(a, m, key, 1 + count, &m->domain[id]))
            return fail_memory(error), false;
    }
    return true;
}

bool measure_of(struct wg_function *fn, const wg_type *type, struct measure *measure) {
    wg_extent named[WG_MAX_RANK];
    size_t count;
    *measure = (struct measure){0};
    if (!split(type, &measure->factor, named, &count)) measure->factor = INT64_MAX;
    return key_intern(&fn->allocator, &fn->measures, named, count, &measure->part);
}

void measures_free(struct wg_function *fn) {
    struct measures *m = &fn->measures;
    const wg_allocator *a = &fn->allocator;
    VEC_FREE(a, &m->key);
    VEC_FREE(a, &m->extent);
    mem_free(a, m->bucket, m->capacity * sizeof *m->bucket);
    mem_free(a, m->count, m->type_count * sizeof *m->count);
    mem_free(a, m->domain, m->type_count * sizeof *m->domain);
}

bool measure_eval(const struct wg_function *fn, struct measure m, const int64_t *size,
                  size_t *result) {
    struct span part = fn->measures.key.at[m.part];
    int64_t product = m.factor, extent;
    bool zero = product == 0, overflow = false;
    for (size_t i = 0; i < part.count; i++) {
        if (!extent_eval(&fn->program->t, fn->measures.extent.at[part.at + i], size, &extent))
            return false;
        zero |= extent == 0;
        overflow |= mul_overflows(product, extent, &product);
    }
    *result = zero ? 0 : (size_t)product;
    return zero || !overflow;
}
