/* Batching: a program over a leading axis of examples. An instruction none of whose arguments
 * carries the axis is taken as it is; elementwise ones get every argument on the axis; the others
 * bring their own rule. */
#include "transform/transform.h"

#include "op/build.h"
#include "transform/region.h"

/* x put on a leading axis: [extent, x...]. */
value batch_broadcast(wg_graph *g, value x, wg_extent extent) {
    if (!x) return 0;
    wg_type type = *type_of(&g->t, x);
    if (type.rank == WG_MAX_RANK)
        return graph_fail(g, WG_ESHAPE, "vmap: a value of rank %d cannot take another axis",
                          WG_MAX_RANK);
    memmove(type.extent + 1, type.extent, type.rank * sizeof *type.extent);
    type.extent[0] = extent;
    type.rank++;
    return build_broadcast(g, x, &type, ((1u << type.rank) - 1) & ~1u);
}

static value batch_elementwise(const struct batch *b) {
    value arg[UINT8_MAX];
    for (size_t k = 0; k < b->narg; k++)
        arg[k] = b->batched[k] ? b->x[k] : batch_broadcast(b->g, b->x[k], b->extent);
    return graph_emit(b->g, b->op, b->attr, arg, b->narg);
}

/* A region's results are those of its batch, by whatever way. */
static value batch_region(const struct batch *b, const struct trace *from, value v, value *map,
                          bool *map_batched) {
    value result[REGION_OPERANDS] = {0}, count = 0;
    bool on_axis[REGION_OPERANDS] = {0}, count_batched = false;
    value region = region_batch(b, result, on_axis, &count, &count_batched);
    map_batched[v] = false;
    for (value item = v + 1; region && item < from->instr.count; item++) {
        const struct instr *i = instr_at(from, item);
        if (i->op != OP_item || args_of(from, i)[0] != v) continue;
        int64_t k = attr_words(from, i->attr)[0];
        map[item] = k == REGION_COUNT ? count : result[k];
        map_batched[item] = k == REGION_COUNT ? count_batched : on_axis[k];
    }
    return region;
}

bool vmap_program(wg_graph *g, const struct trace *from, const value *input, const bool *batched,
                  wg_extent extent, const wg_extent *size_map, value *map, bool *map_batched) {
    memset(map, 0, from->instr.count * sizeof *map);
    for (value v = 1; v < from->instr.count && !g->error.status; v++) {
        const struct instr *i = instr_at(from, v);
        if (i->op == OP_input) {
            int64_t index = attr_words(from, i->attr)[0];
            map[v] = input[index];
            map_batched[v] = batched[index];
            continue;
        }
        if (i->op == OP_item && map[v]) continue; /* its region has been batched */
        value x[UINT8_MAX];
        bool on_axis[UINT8_MAX];
        map_batched[v] = false;
        for (size_t k = 0; k < i->narg; k++) {
            value a = args_of(from, i)[k];
            x[k] = map[a];
            on_axis[k] = map_batched[a];
            map_batched[v] |= on_axis[k];
        }
        if (!map_batched[v]) {
            map[v] = graph_import(g, from, v, size_map, map);
            continue;
        }
        if (!graph_take_site(g, from, i->site)) break;
        wg_type type = graph_import_type(g, from, type_at(from, i->type), size_map);
        struct batch b = {.g = g, .x = x, .batched = on_axis, .from = &type, .narg = i->narg,
                          .op = i->op, .extent = extent,
                          .attr = graph_import_attr(g, from, v, size_map)};
        if (g->error.status) break; /* rules read attributes that are sound */
        g->flags = i->flags;
        g->origin = i->origin ? map[i->origin] : 0;
        map[v] = op_def(i->op)->class == REGION ? batch_region(&b, from, v, map, map_batched)
                 : i->op == OP_custom   ? custom_batch(&b)
                 : op_def(i->op)->batch ? op_def(i->op)->batch(&b)
                                        : batch_elementwise(&b);
        g->flags = 0;
        g->origin = 0;
    }
    g->site = 0;
    return g->error.status == WG_OK;
}
