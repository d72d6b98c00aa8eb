/* Slots and cells of a workspace, and which of them are free. A value takes the free slot of its
 * named extents that fits best, or makes the largest one larger: sizes are constants times the
 * product of these extents, so that which is larger is known before any call. */
#include "run/run.h"

enum {
    FREE_SEARCH = 32, /* free slots looked at for the best fit */
    SPARE = 4         /* a slot is not taken by a value so many times smaller */
};

static bool too_many(struct slots *s, size_t count) {
    if (count < PLACE_LIMIT) return false;
    fail_with(s->error, WG_EOVERFLOW, "the program has more values than a call can place");
    return true;
}

bool measure_in_bytes(struct measure *m, wg_dtype dtype, wg_error *error) {
    if (!mul_overflows(m->factor, (int64_t)wg_dtype_size(dtype), &m->factor)) return true;
    fail_with(error, WG_EOVERFLOW,
              "a value has more bytes than a 64-bit number counts; make its extents smaller");
    return false;
}

/* The list of the free slots of these named extents: 1 + the first. NULL if there is no memory. */
static uint32_t *list_of(struct slots *s, uint32_t part) {
    const wg_allocator *a = &s->fn->allocator;
    while (s->first_free.count <= part) {
        uint32_t *new = VEC_PUSH(a, &s->first_free);
        if (!new) return fail_memory(s->error), NULL;
        *new = 0;
    }
    return &s->first_free.at[part];
}

/* Whether a slot of `have` is a better home for `need` bytes than one of `best` (-1: none): the
 * smallest that fits, else the largest. */
static bool better(int64_t have, int64_t best, int64_t need) {
    if (have / SPARE > need) return false;
    if (best < 0) return true;
    return have >= need ? best < need || have < best : best < need && have > best;
}

bool slots_take(struct slots *s, struct measure need, uint32_t *entry) {
    struct wg_function *fn = s->fn;
    uint32_t *link = list_of(s, need.part), *found = NULL, slot;
    int64_t best = -1;
    if (!link) return false;
    for (size_t i = 0; *link && i < FREE_SEARCH && best != need.factor; i++) {
        int64_t have = fn->slot.at[*link - 1].factor;
        if (better(have, best, need.factor)) {
            found = link;
            best = have;
        }
        link = &s->next_free.at[*link - 1];
    }
    if (found) {
        slot = *found - 1;
        *found = s->next_free.at[slot];
        if (best < need.factor) fn->slot.at[slot].factor = need.factor;
    } else {
        uint32_t *next = VEC_PUSH(&fn->allocator, &s->next_free);
        struct measure *new = next ? VEC_PUSH(&fn->allocator, &fn->slot) : NULL;
        if (!new) return fail_memory(s->error), false;
        *next = 0;
        *new = need;
        slot = (uint32_t)(fn->slot.count - 1);
    }
    *entry = (uint32_t)table_slot(fn, slot);
    return !too_many(s, *entry);
}

void slots_free(struct slots *s, uint32_t slot) {
    uint32_t *first = &s->first_free.at[s->fn->slot.at[slot].part]; /* there since it was taken */
    s->next_free.at[slot] = *first;
    *first = slot + 1;
}

bool slots_take_cell(struct slots *s, uint32_t *cell) {
    *cell = s->free_cell.count ? s->free_cell.at[--s->free_cell.count]
                               : (uint32_t)s->fn->cell_count++;
    return !too_many(s, *cell);
}

bool slots_take_cells(struct slots *s, size_t count, uint32_t *first) {
    *first = (uint32_t)s->fn->cell_count;
    s->fn->cell_count += count;
    return !too_many(s, s->fn->cell_count);
}

bool slots_free_cell(struct slots *s, uint32_t cell) {
    uint32_t *new = VEC_PUSH(&s->fn->allocator, &s->free_cell);
    if (!new) return fail_memory(s->error), false;
    *new = cell;
    return true;
}

void slots_end(struct slots *s) {
    VEC_FREE(&s->fn->allocator, &s->first_free);
    VEC_FREE(&s->fn->allocator, &s->next_free);
    VEC_FREE(&s->fn->allocator, &s->free_cell);
}
