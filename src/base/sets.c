/* The store of sets.h. A set lies in one array of runs for all; its hash and place in an entry. */
#include "base/sets.h"

#include <stdlib.h>

enum { KNOWN = 1 << 16, FIRST_SLOTS = 1 << 10, GATHER = 1 << 10 };

bool sets_open(struct sets *s, const wg_allocator *allocator, uint32_t universe) {
    *s = (struct sets){.allocator = *allocator, .universe = universe, .slots = FIRST_SLOTS};
    s->slot = mem_alloc_zero(allocator, s->slots * sizeof *s->slot);
    s->known = mem_alloc_zero(allocator, KNOWN * sizeof *s->known);
    s->failed = !s->slot || !s->known;
    return !s->failed;
}

void sets_close(struct sets *s) {
    mem_free(&s->allocator, s->slot, s->slots * sizeof *s->slot);
    mem_free(&s->allocator, s->known, KNOWN * sizeof *s->known);
    VEC_FREE(&s->allocator, &s->run);
    VEC_FREE(&s->allocator, &s->entry);
    VEC_FREE(&s->allocator, &s->gathered);
}

const struct set_run *sets_runs(const struct sets *s, set_id a, struct set_run *room,
                                size_t *count) {
    *count = a != 0;
    *room = (struct set_run){a - 1, a};
    if (a <= s->universe) return room;
    const struct set_entry *e = &s->entry.at[a - s->universe - 1];
    *count = e->count;
    return s->run.at + e->at;
}

uint64_t sets_size(const struct sets *s, set_id a) {
    struct set_run room;
    size_t count;
    uint64_t size = 0;
    const struct set_run *run = sets_runs(s, a, &room, &count);
    for (size_t i = 0; i < count; i++) size += run[i].end - run[i].begin;
    return size;
}

/* ---- one set, one number --------------------------------------------------------------------- */

static bool grow_slots(struct sets *s) {
    size_t slots = 2 * s->slots;
    uint32_t *slot = mem_alloc_zero(&s->allocator, slots * sizeof *slot);
    if (!slot) return false;
    for (uint32_t i = 0; i < s->entry.count; i++) {
        size_t at = s->entry.at[i].hash & (slots - 1);
        while (slot[at]) at = (at + 1) & (slots - 1);
        slot[at] = i + 1;
    }
    mem_free(&s->allocator, s->slot, s->slots * sizeof *s->slot);
    s->slot = slot;
    s->slots = slots;
    return true;
}

static set_id out_of_memory(struct sets *s) {
    s->failed = true;
    return 0;
}

/* The last `count` runs of s->run, ascending and apart, as a set: they stay if it is a new one. */
static set_id intern(struct sets *s, size_t count) {
    size_t at = s->run.count - count;
    const struct set_run *run = s->run.at + at;
    if (count == 0) return 0;
    if (count == 1 && run->end - run->begin == 1) {
        s->run.count = at;
        return run->end;
    }
    uint32_t hash = (uint32_t)hash_bytes(run, count * sizeof *run, 0);
    size_t k = hash & (s->slots - 1);
    for (; s->slot[k]; k = (k + 1) & (s->slots - 1)) {
        const struct set_entry *e = &s->entry.at[s->slot[k] - 1];
        if (e->hash != hash || e->count != count ||
            memcmp(s->run.at + e->at, run, count * sizeof *run) != 0)
            continue;
        s->run.count = at;
        return s->universe + s->slot[k];
    }
    if (s->entry.count >= UINT32_MAX - 1 - s->universe || count > UINT32_MAX)
        return out_of_memory(s);
    struct set_entry *e = VEC_PUSH(&s->allocator, &s->entry);
    if (!e) return out_of_memory(s);
    *e = (struct set_entry){at, (uint32_t)count, hash};
    s->slot[k] = (uint32_t)s->entry.count;
    if (2 * s->entry.count > s->slots && !grow_slots(s)) return out_of_memory(s);
    return s->universe + (uint32_t)s->entry.count;
}

/* ---- of two ---------------------------------------------------------------------------------- */

static set_id merge(struct sets *s, set_id a, set_id b) {
    struct set_run room[2];
    size_t n[2], i = 0, k = 0, begin = s->run.count;
    sets_runs(s, a, &room[0], &n[0]);
    sets_runs(s, b, &room[1], &n[1]);
    if (!VEC_RESERVE(&s->allocator, &s->run, begin + n[0] + n[1])) return out_of_memory(s);
    const struct set_run *x = sets_runs(s, a, &room[0], &n[0]),
                         *y = sets_runs(s, b, &room[1], &n[1]);
    struct set_run *out = s->run.at + begin;
    size_t count = 0;
    while (i < n[0] || k < n[1]) {
        bool first = k == n[1] || (i < n[0] && x[i].begin <= y[k].begin);
        struct set_run next = first ? x[i++] : y[k++];
        if (count && next.begin <= out[count - 1].end) {
            if (next.end > out[count - 1].end) out[count - 1].end = next.end;
        } else {
            out[count++] = next;
        }
    }
    s->run.count = begin + count;
    return intern(s, count);
}

set_id sets_join(struct sets *s, set_id a, set_id b) {
    if (a > b) {
        set_id swap = a;
        a = b;
        b = swap;
    }
    if (a == 0 || a == b || s->failed) return b;
    struct set_pair *pair = &s->known[hash_mix(a, b) & (KNOWN - 1)];
    if (pair->a == a && pair->b == b) return pair->joined;
    set_id joined = merge(s, a, b);
    *pair = (struct set_pair){a, b, joined};
    return joined;
}

/* ---- of many --------------------------------------------------------------------------------- */

static int by_begin(const void *a, const void *b) {
    const struct set_run *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Brings what was gathered into order, neighbours and overlaps made one. */
static void put_in_order(struct sets *s) {
    struct set_run *run = s->gathered.at;
    size_t count = s->gathered.count, kept = 0;
    if (s->sorted == count) return;
    qsort(run, count, sizeof *run, by_begin);
    for (size_t i = 0; i < count; i++) {
        if (kept && run[i].begin <= run[kept - 1].end) {
            if (run[i].end > run[kept - 1].end) run[kept - 1].end = run[i].end;
        } else {
            run[kept++] = run[i];
        }
    }
    s->gathered.count = s->sorted = kept;
}

void sets_begin(struct sets *s) {
    s->gathered.count = s->sorted = 0;
    s->last = 0;
}

void sets_add(struct sets *s, set_id a) {
    struct set_run room;
    size_t count;
    if (a == s->last || a == 0 || s->failed) return;
    s->last = a;
    const struct set_run *run = sets_runs(s, a, &room, &count);
    size_t have = s->gathered.count;
    /* in order as it comes, as neighbours do: nothing to sort */
    if (count == 1 && have && s->sorted == have && run->begin >= s->gathered.at[have - 1].begin &&
        run->begin <= s->gathered.at[have - 1].end) {
        if (run->end > s->gathered.at[have - 1].end) s->gathered.at[have - 1].end = run->end;
        return;
    }
    if (have > GATHER && have > 2 * s->sorted) put_in_order(s);
    have = s->gathered.count;
    if (!VEC_RESERVE(&s->allocator, &s->gathered, have + count)) {
        s->failed = true;
        return;
    }
    memcpy(s->gathered.at + have, run, count * sizeof *run);
    bool follows = s->sorted == have && (have == 0 || run->begin > s->gathered.at[have - 1].end);
    s->gathered.count += count;
    if (follows) s->sorted = s->gathered.count;
}

set_id sets_end(struct sets *s) {
    if (s->failed) return 0;
    put_in_order(s);
    size_t count = s->gathered.count, begin = s->run.count;
    if (count == 0) return 0;
    if (!VEC_RESERVE(&s->allocator, &s->run, begin + count)) return out_of_memory(s);
    memcpy(s->run.at + begin, s->gathered.at, count * sizeof *s->run.at);
    s->run.count = begin + count;
    return intern(s, count);
}
