/* Items, what is written together, in the order in which stages run, and parts, the functions that
 * a long program is cut into: a compiler's time grows faster than a function. Scalar code comes in
 * runs that a part can hold, and in the repeats that are found among them (repeats.c). Where values
 * stand in nests is settled before (lower.c). */
#include "native/lower.h"

enum {
    WHOLE_FUNCTION = 2000, /* statements up to which a program is one function */
    PART = 500             /* statements of a function of a longer one */
};

static bool add_item(struct lowered *l, struct item item, wg_error *error) {
    struct item *new = VEC_PUSH(&l->program->t.allocator, &l->items);
    if (!new) {
        fail_memory(error);
        return false;
    }
    *new = item;
    return true;
}

/* Statements without loops, in runs that a part can hold, and the repeats among them. */
static bool list_run(struct lowered *l, uint32_t stage, uint32_t pass, wg_error *error) {
    if (!find_repeats(l, pass, error)) return false;
    value first = l->passes.at[pass].first;
    while (first) {
        const struct repeat *r = repeat_of(l, first);
        struct item item = {.stage = stage, .pass = pass, .first = first};
        if (r) item.repeat = (uint32_t)(r - l->repeats.at) + 1;
        uint32_t most = r ? r->trips * r->period : PART;
        value v = first;
        for (; v && item.count < most && repeat_of(l, v) == r; v = l->next[v]) item.count++;
        if (!add_item(l, item, error)) return false;
        first = v;
    }
    return true;
}

bool list_items(struct lowered *l, wg_error *error) {
    for (size_t i = 0; i < l->order_count; i++) {
        uint32_t stage = l->order[i];
        const struct stage *s = &l->stages.at[stage];
        if (!stage) continue;
        if (s->operation || s->rows.rank) {
            if (!add_item(l, (struct item){.stage = stage}, error)) return false;
            continue;
        }
        for (uint32_t id = s->first; id; id = l->passes.at[id].next) {
            bool ok = l->passes.at[id].loops.rank > 0
                          ? add_item(l, (struct item){.stage = stage, .pass = id}, error)
                          : list_run(l, stage, id, error);
            if (!ok) return false;
        }
    }
    return true;
}

/* Tells each statement of an item where it belongs; returns how many are written. */
static size_t mark(struct lowered *l, size_t index) {
    const struct item *item = &l->items.at[index];
    const struct stage *stage = &l->stages.at[item->stage];
    size_t count = 0;
    if (stage->operation) {
        for (value v = stage->operation; v; v = l->next[v]) l->item[v] = (uint32_t)index + 1;
        return 1;
    }
    for (uint32_t pass = item->pass ? item->pass : stage->first; pass;
         pass = item->pass ? 0 : l->passes.at[pass].next) {
        value v = item->first ? item->first : l->passes.at[pass].first;
        for (; v && (!item->count || count < item->count); v = l->next[v], count++)
            l->item[v] = (uint32_t)index + 1;
    }
    return item->repeat ? l->repeats.at[item->repeat - 1].period : count;
}

/* A variable that another function reads gets a cell. */
void cut_items(struct lowered *l) {
    size_t total = 0, inside = 0;
    uint32_t part = 0;
    for (size_t i = 0; i < l->items.count; i++) total += mark(l, i);
    l->part_count = 1;
    if (total <= WHOLE_FUNCTION) return;
    for (size_t i = 0; i < l->items.count; i++) {
        size_t count = mark(l, i);
        if (inside > 0 && inside + count > PART) {
            part++;
            inside = 0;
        }
        l->items.at[i].part = part;
        inside += count;
    }
    l->part_count = part + 1;
    for (value v = 1; v < l->count; v++) {
        for (size_t k = 0; l->pass[v] && k < access_count(l, v); k++) {
            value root = l->access.at[l->access_at[v] + k].root;
            if (l->pass[root] && part_of(l, root) != part_of(l, v)) store(l, root, STORE_FULL);
        }
    }
}
