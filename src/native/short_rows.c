/* Which nests take many short rows together. write_rows.c writes them. */
#include "native/lower.h"

/* Whether all loops of the nest are few constant steps, so that many rows are better taken
 * together. */
static bool has_short_rows(struct lowered *l, const struct stage *nest) {
    size_t statements = 0;
    bool loops = false;
    if (nest->operation || nest->rows.rank == 0) return false;
    for (uint32_t id = nest->first; id; id = l->passes.at[id].next) {
        const struct pass *pass = &l->passes.at[id];
        int64_t size = 1;
        for (size_t k = 0; k < pass->loops.rank; k++) {
            wg_extent extent = pass->loops.extent[k];
            if (extent < 1 || extent > SHORT_ROW || (size *= extent) > SHORT_ROW) return false;
        }
        for (value v = pass->first; v; v = l->next[v]) statements++;
        if (statements > SHORT_ROWS_MOST || pass->summed || pass->products || pass->call ||
            !joins_to_one(l, id))
            return false;
        loops |= pass->loops.rank > 0;
    }
    return loops;
}

void settle_short_rows(struct lowered *l) {
    for (size_t i = 1; i < l->stages.count; i++)
        l->stages.at[i].short_rows = has_short_rows(l, &l->stages.at[i]);
    for (value v = 1; v < l->count; v++)
        if (l->storage[v] == STORE_ROW && l->stages.at[l->stage[v]].short_rows)
            l->storage[v] = STORE_NONE;
}
