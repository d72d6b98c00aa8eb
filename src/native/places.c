/* What a concatenation is made of, made where the concatenation has it. A part that a nest computes
 * is written to its rows' places in the result at once, instead of to memory of its own that a copy
 * reads: the result need not be passed over again for every part. A statement may have several such
 * places, and memory of its own beside them where others read it from there; what is not computed
 * by a nest is copied by the operation as before. */
#include "native/lower.h"

enum { FREQUENT = 8 }; /* places of one number that are written one by one */

/* Axis j of root, seen through a name of it, is which axis of the part; -1: of extent 1. */
static bool match_axes(const wg_type *root, const wg_type *part, int8_t *to) {
    uint8_t m = 0;
    for (uint8_t j = 0; j < root->rank; j++) {
        to[j] = -1;
        if (root->extent[j] == 1) continue;
        while (m < part->rank && part->extent[m] == 1) m++;
        if (m == part->rank || part->extent[m] != root->extent[j]) return false;
        to[j] = (int8_t)m++;
    }
    while (m < part->rank && part->extent[m] == 1) m++;
    return m == part->rank;
}

struct access place_access(struct lowered *l, value v, const struct place *place) {
    const struct trace *t = &l->program->t;
    wg_graph *g = l->extents;
    const struct instr *i = instr_at(t, place->whole);
    const wg_type *whole = type_of(t, place->whole);
    size_t axis = (size_t)attr_words(t, i->attr)[0];
    struct access a = {.root = place->whole};
    int8_t to[WG_MAX_RANK];
    wg_extent stride[WG_MAX_RANK], step = 1;
    for (size_t k = whole->rank; k-- > 0;) {
        stride[k] = step;
        step = extent_mul(g, step, lowered_extent(l, whole->extent[k]));
    }
    for (uint32_t k = 0; k < place->part; k++) {
        wg_extent before = lowered_extent(l, type_of(t, args_of(t, i)[k])->extent[axis]);
        a.base = extent_add(g, a.base, extent_mul(g, before, stride[axis]));
    }
    match_axes(type_of(t, v), type_of(t, args_of(t, i)[place->part]), to);
    for (size_t j = 0; j < type_of(t, v)->rank; j++)
        if (to[j] >= 0) a.stride[j] = stride[to[j]];
    return a;
}

const struct place *place_of_part(const struct lowered *l, value whole, size_t part) {
    const struct trace *t = &l->program->t;
    value root = storage_root(l, args_of(t, instr_at(t, whole))[part]);
    for (uint32_t id = l->place[root]; id; id = l->places.at[id - 1].next)
        if (l->places.at[id - 1].whole == whole && l->places.at[id - 1].part == part)
            return &l->places.at[id - 1];
    return NULL;
}

/* A statement in a plain loop, where stores stand side by side at the end of the body. */
static bool may_be_placed(const struct lowered *l, value root) {
    if (l->role[root] != ROLE_POINT || !l->pass[root]) return false;
    const struct pass *pass = &l->passes.at[l->pass[root]];
    const struct stage *nest = &l->stages.at[l->stage[root]];
    return !pass->summed && !pass->reduces && !pass->products && !nest->short_rows &&
           nest->rows.rank + pass->loops.rank > 0;
}

bool joins_numbers(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_concat) return false;
    for (size_t k = 0; k < i->narg; k++) {
        const wg_type *part = type_of(t, args_of(t, i)[k]);
        for (size_t j = 0; j < part->rank; j++)
            if (part->extent[j] != 1) return false;
    }
    return true;
}

/* Whether a number stands so often among the parts, as a 0 does between others, that loops copy it
 * (write_numbers.c). */
static bool is_frequent(const struct lowered *l, value whole, value root) {
    const struct trace *t = &l->program->t;
    const struct instr *i = instr_at(t, whole);
    size_t count = 0;
    for (size_t k = 0; k < i->narg; k++) count += storage_root(l, args_of(t, i)[k]) == root;
    return count > FREQUENT && joins_numbers(t, whole);
}

/* Gives every statement among the parts its place. */
static bool place_parts(struct lowered *l, value whole, wg_error *error) {
    const struct trace *t = &l->program->t;
    const struct instr *i = instr_at(t, whole);
    int8_t to[WG_MAX_RANK];
    for (size_t k = 0; k < i->narg; k++) {
        value part = args_of(t, i)[k], root = storage_root(l, part);
        if (!may_be_placed(l, root) || !match_axes(type_of(t, root), type_of(t, part), to) ||
            is_frequent(l, whole, root))
            continue;
        struct place *place = VEC_PUSH(&t->allocator, &l->places);
        if (!place) return fail_memory(error), false;
        *place = (struct place){whole, (uint32_t)k, l->place[root]};
        l->place[root] = (uint32_t)l->places.count;
    }
    return true;
}

/* Whether somebody reads a statement with places from memory of its own. */
static void mark_read(struct lowered *l, bool *read) {
    const struct trace *t = &l->program->t;
    for (value v = 1; v < l->count; v++) {
        for (size_t k = 0; l->pass[v] && k < access_count(l, v); k++) {
            value root = l->access.at[l->access_at[v] + k].root;
            read[root] |= l->pass[root] != l->pass[v];
        }
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; l->role[v] == ROLE_WHOLE && k < i->narg; k++)
            if (i->op != OP_concat || !place_of_part(l, v, k))
                read[storage_root(l, args_of(t, i)[k])] = true;
    }
    for (size_t i = 0; i < t->output.count; i++) read[storage_root(l, t->output.at[i].v)] = true;
}

bool settle_places(struct lowered *l, wg_error *error) {
    const struct trace *t = &l->program->t;
    for (value v = 1; v < l->count; v++)
        if (l->role[v] == ROLE_WHOLE && instr_at(t, v)->op == OP_concat &&
            !place_parts(l, v, error))
            return false;
    if (!l->places.count) return true;
    bool *read = mem_alloc_zero(&t->allocator, l->count);
    if (!read) return fail_memory(error), false;
    mark_read(l, read);
    for (value v = 1; v < l->count; v++)
        if (l->place[v] && !read[v] && !l->check[v]) l->storage[v] = STORE_NONE;
    mem_free(&t->allocator, read, l->count);
    return true;
}
