/* The tables of a graph that grows: what makes equal words, types, names and instructions one. All
 * are open-addressing tables of ids whose keys lie in the trace, and all can forget what came after
 * a mark, in the reverse order of its coming. What is done with the ids is graph.c's affair. */
#include "op/op.h"

/* ---- keys and slots -------------------------------------------------------------------------- */

bool intern_grow(wg_graph *g, struct intern *index) {
    if (2 * (index->count + 1) <= index->capacity) return true;
    size_t capacity = index->capacity ? 2 * index->capacity : 64, mask = capacity - 1;
    struct intern_slot *slot = mem_alloc_zero(&g->t.allocator, capacity * sizeof *slot);
    if (!slot) return graph_fail_memory(g);
    for (size_t i = 0; i < index->capacity; i++) {
        if (!index->slot[i].id) continue;
        size_t at = index->slot[i].hash & mask;
        while (slot[at].id) at = (at + 1) & mask;
        slot[at] = index->slot[i];
    }
    mem_free(&g->t.allocator, index->slot, index->capacity * sizeof *index->slot);
    index->slot = slot;
    index->capacity = capacity;
    return true;
}

const struct intern_slot *intern_next(const struct intern *index, uint32_t hash, size_t *at) {
    size_t mask = index->capacity - 1;
    for (*at &= mask; index->slot[*at].id; *at = (*at + 1) & mask)
        if (index->slot[*at].hash == hash) return &index->slot[*at];
    return NULL;
}

uint32_t intern_put(struct intern *index, size_t at, uint32_t id, uint32_t hash) {
    index->slot[at] = (struct intern_slot){id, hash};
    index->count++;
    return id;
}

static void intern_free(wg_graph *g, struct intern *index) {
    mem_free(&g->t.allocator, index->slot, index->capacity * sizeof *index->slot);
}

uint32_t words_hash(const int64_t *word, size_t count) {
    uint64_t h = count;
    for (size_t i = 0; i < count; i++) h = hash_mix(h, (uint64_t)word[i]);
    return (uint32_t)h;
}

void graph_free_tables(wg_graph *g) {
    intern_free(g, &g->instr_index);
    intern_free(g, &g->type_index);
    intern_free(g, &g->attr_index);
    intern_free(g, &g->extent_index);
    intern_free(g, &g->name_index);
    intern_free(g, &g->input_index);
    intern_free(g, &g->output_index);
    intern_free(g, &g->size_index);
    intern_free(g, &g->check_index);
    intern_free(g, &g->blob_index);
    intern_free(g, &g->rule_index);
    intern_free(g, &g->external_index);
    VEC_FREE(&g->t.allocator, &g->batched_rule);
    VEC_FREE(&g->t.allocator, &g->taken);
    VEC_FREE(&g->t.allocator, &g->in_bodies);
}

/* ---- words, types, names --------------------------------------------------------------------- */

/* The id of a word sequence in spans (t->attr or t->extent). */
static uint32_t intern_words(wg_graph *g, struct intern *index, span_vec *span,
                             const int64_t *word, size_t count) {
    struct trace *t = &g->t;
    if (g->error.status || !intern_grow(g, index)) return 0;
    uint32_t hash = words_hash(word, count);
    size_t at = hash;
    for (const struct intern_slot *slot; (slot = intern_next(index, hash, &at)); at++) {
        struct span s = span->at[slot->id];
        if (s.count == count && memcmp(t->word.at + s.at, word, count * sizeof *word) == 0)
            return slot->id;
    }
    if (t->word.count + count > MAX_IDS || span->count > MAX_IDS) {
        fail_with(&g->error, WG_EOVERFLOW,
                  "the program has more attributes than a 32-bit id counts");
        return 0;
    }
    /* the words may be a piece of the pool itself, which moves when it grows */
    bool in_pool = word >= t->word.at && word < t->word.at + t->word.count;
    ptrdiff_t inside = in_pool ? word - t->word.at : -1;
    if (!VEC_RESERVE(&t->allocator, &t->word, t->word.count + count) ||
        !VEC_RESERVE(&t->allocator, span, span->count + 1))
        return (uint32_t)graph_fail_memory(g);
    if (inside >= 0) word = t->word.at + inside;
    memcpy(t->word.at + t->word.count, word, count * sizeof *word);
    uint32_t id = (uint32_t)span->count;
    span->at[span->count++] = (struct span){(uint32_t)t->word.count, (uint32_t)count};
    t->word.count += count;
    return intern_put(index, at, id, hash);
}

attr_id graph_attr(wg_graph *g, const int64_t *word, size_t count) {
    return count ? intern_words(g, &g->attr_index, &g->t.attr, word, count) : 0;
}

uint32_t graph_extent(wg_graph *g, const int64_t *word, size_t count) {
    return intern_words(g, &g->extent_index, &g->t.extent, word, count);
}

static uint32_t type_hash(const wg_type *type) {
    return words_hash(type->extent, type->rank) ^ type->dtype;
}

type_id type_intern(wg_graph *g, const wg_type *type) {
    if (g->error.status) return 0;
    if (type->rank == 0) return type_scalar((wg_dtype)type->dtype);
    struct trace *t = &g->t;
    if (!intern_grow(g, &g->type_index)) return 0;
    uint32_t hash = type_hash(type);
    size_t at = hash;
    for (const struct intern_slot *slot; (slot = intern_next(&g->type_index, hash, &at)); at++)
        if (type_equal(&t->type.at[slot->id], type)) return slot->id;
    wg_type copy = *type; /* type may point into the table */
    wg_type *new = VEC_PUSH(&t->allocator, &t->type);
    if (!new) return (type_id)graph_fail_memory(g);
    *new = copy;
    return intern_put(&g->type_index, at, (type_id)(t->type.count - 1), hash);
}

const char *name_at(const struct trace *t, name_id name) {
    return t->name.at[name];
}

name_id graph_name(wg_graph *g, const char *string, size_t length) {
    struct trace *t = &g->t;
    if (g->error.status || length == 0 || !intern_grow(g, &g->name_index)) return 0;
    uint32_t hash = (uint32_t)hash_bytes(string, length, 0);
    size_t at = hash;
    for (const struct intern_slot *slot; (slot = intern_next(&g->name_index, hash, &at)); at++) {
        const char *name = t->name.at[slot->id];
        if (strncmp(name, string, length) == 0 && name[length] == 0) return slot->id;
    }
    char *copy = arena_alloc(&t->arena, length + 1, 1);
    const char **new = copy ? VEC_PUSH(&t->allocator, &t->name) : NULL;
    if (!new) return (name_id)graph_fail_memory(g);
    memcpy(copy, string, length);
    copy[length] = 0;
    *new = copy;
    return intern_put(&g->name_index, at, (name_id)(t->name.count - 1), hash);
}

/* ---- instructions ---------------------------------------------------------------------------- */

static uint32_t instr_hash(unsigned op, type_id type, attr_id attr, const value *arg, size_t narg) {
    uint64_t h = hash_mix(op, (uint64_t)type << 32 | attr);
    for (size_t i = 0; i < narg; i++) h = hash_mix(h, arg[i]);
    return (uint32_t)h;
}

/* Where an instruction may stand in its table: first in the few slots that belong to the newest of
 * its arguments, so that what is appended in a row lies in a row; when these are taken, from its
 * hash on like any other key. A million instructions then miss the cache far less often. */
struct probe {
    size_t at;
    unsigned near; /* slots left to try beside the newest argument */
};

enum { NEAR = 8 };

static struct probe probe_start(const struct intern *index, uint32_t hash, const value *arg,
                                size_t narg) {
    value newest = 0;
    for (size_t i = 0; i < narg; i++)
        if (arg[i] > newest) newest = arg[i];
    size_t mask = index->capacity - 1;
    if (newest == 0) return (struct probe){hash & mask, 0};
    return (struct probe){(size_t)newest * 2 & mask & ~(size_t)(NEAR - 1), NEAR - 1};
}

static void probe_next(const struct intern *index, uint32_t hash, struct probe *p) {
    size_t mask = index->capacity - 1;
    if (p->near == 1) p->at = hash & mask;
    else p->at = (p->at + 1) & mask;
    if (p->near) p->near--;
}

bool op_is_shared(unsigned op) {
    return op != OP_copy && op != OP_input;
}

bool instr_index_grow(wg_graph *g, size_t count) {
    struct intern *index = &g->instr_index;
    struct trace *t = &g->t;
    if (2 * count <= index->capacity) return true;
    size_t capacity = index->capacity ? 2 * index->capacity : 64;
    while (capacity < 2 * count) capacity *= 2;
    struct intern_slot *slot = mem_alloc_zero(&t->allocator, capacity * sizeof *slot);
    if (!slot) return graph_fail_memory(g);
    intern_free(g, index);
    index->slot = slot;
    index->capacity = capacity;
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        if (!op_is_shared(i->op)) continue;
        uint32_t hash = instr_hash(i->op, i->type, i->attr, args_of(t, i), i->narg);
        struct probe p = probe_start(index, hash, args_of(t, i), i->narg);
        while (slot[p.at].id) probe_next(index, hash, &p);
        slot[p.at] = (struct intern_slot){v, hash};
    }
    return true;
}

struct intern_slot *instr_slot(const wg_graph *g, unsigned op, type_id type, attr_id attr,
                               const value *arg, size_t narg, uint32_t *hash) {
    const struct intern *index = &g->instr_index;
    *hash = instr_hash(op, type, attr, arg, narg);
    struct probe p = probe_start(index, *hash, arg, narg);
    for (; index->slot[p.at].id; probe_next(index, *hash, &p)) {
        if (index->slot[p.at].hash != *hash) continue;
        const struct instr *i = instr_at(&g->t, index->slot[p.at].id);
        if (i->op == op && i->type == type && i->attr == attr && i->narg == narg &&
            (narg == 0 || memcmp(args_of(&g->t, i), arg, narg * sizeof *arg) == 0))
            break;
    }
    return &index->slot[p.at];
}

/* ---- going back ------------------------------------------------------------------------------ */

struct graph_mark graph_mark(const wg_graph *g) {
    const struct trace *t = &g->t;
    return (struct graph_mark){
        .instr = t->instr.count, .arg = t->arg.count, .type = t->type.count, .attr = t->attr.count,
        .extent = t->extent.count, .word = t->word.count, .name = t->name.count,
        .site = t->site.count, .blob = t->blob.count, .check = t->check.count,
        .rule = t->rule.count, .external = t->external.count,
        .arena = arena_mark(&t->arena)};
}

/* Instructions are forgotten in the reverse order of their coming, so every slot on the way to the
 * newest is as it was when that came: emptying its slot leaves the table as it was before. */
static void forget_instr(wg_graph *g, value v) {
    const struct intern *index = &g->instr_index;
    const struct instr *i = instr_at(&g->t, v);
    if (!index->capacity || !op_is_shared(i->op)) return;
    uint32_t hash = instr_hash(i->op, i->type, i->attr, args_of(&g->t, i), i->narg);
    struct probe p = probe_start(index, hash, args_of(&g->t, i), i->narg);
    while (index->slot[p.at].id && index->slot[p.at].id != v) probe_next(index, hash, &p);
    index->slot[p.at] = (struct intern_slot){0};
}

/* These tables keep no order, so the gap is closed with the keys behind it that may stand there
 * (Knuth, The Art of Computer Programming 3, section 6.4, algorithm R). */
void intern_forget(struct intern *index, uint32_t id, uint32_t hash) {
    size_t mask = index->capacity - 1, at = hash & mask;
    while (index->slot[at].id && index->slot[at].id != id) at = (at + 1) & mask;
    if (!index->slot[at].id) return;
    for (size_t next = (at + 1) & mask; index->slot[next].id; next = (next + 1) & mask) {
        if (((next - index->slot[next].hash) & mask) < ((next - at) & mask)) continue;
        index->slot[at] = index->slot[next];
        at = next;
    }
    index->slot[at] = (struct intern_slot){0};
    index->count--;
}

static void forget_words(wg_graph *g, struct intern *index, span_vec *span, size_t count) {
    while (index->capacity && span->count > count) {
        struct span s = span->at[--span->count];
        intern_forget(index, (uint32_t)span->count, words_hash(g->t.word.at + s.at, s.count));
    }
}

void graph_rewind(wg_graph *g, const struct graph_mark *mark) {
    struct trace *t = &g->t;
    for (value v = (value)t->instr.count; v-- > mark->instr;) forget_instr(g, v);
    forget_words(g, &g->attr_index, &t->attr, mark->attr);
    forget_words(g, &g->extent_index, &t->extent, mark->extent);
    while (t->type.count > mark->type) {
        const wg_type *type = &t->type.at[--t->type.count];
        intern_forget(&g->type_index, (uint32_t)t->type.count,
                   type_hash(type));
    }
    graph_forget_rules(g, mark->rule, mark->external);
    while (t->name.count > mark->name) {
        const char *name = t->name.at[--t->name.count];
        intern_forget(&g->name_index, (uint32_t)t->name.count,
                   (uint32_t)hash_bytes(name, strlen(name), 0));
    }
    t->instr.count = mark->instr;
    t->arg.count = mark->arg;
    t->word.count = mark->word;
    t->site.count = mark->site;
    t->blob.count = mark->blob;
    t->check.count = mark->check;
    arena_rewind(&t->arena, mark->arena);
    g->site = 0;
    g->origin = 0;
    g->flags = 0;
    g->imported = NULL;
    g->batched_rule.count = 0;
    g->taken.count = 0;
    g->in_bodies.count = 0;
}
