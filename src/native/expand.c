/* The program with operations that nests compute better replaced by what they are made of. */
#include "native/products.h"

static bool expands(const struct trace *t, const uint8_t *pads) {
    for (value v = 1; v < t->instr.count; v++)
        if (op_def(instr_at(t, v)->op)->expand || pads[v] == PAD_SUM || rearranges(t, v))
            return true;
    return false;
}

static value expand_instruction(wg_graph *g, const struct trace *from, value v,
                                const wg_extent *size_map, const value *map, bool pads) {
    const struct instr *i = instr_at(from, v);
    const struct op_def *def = op_def(i->op);
    value joined = pads ? join_pads(g, from, v, map) : 0;
    if (joined) return joined;
    if (rearranges(from, v)) return rearrange(g, from, v, map);
    if (!def->expand) return graph_import(g, from, v, size_map, map);
    value arg[UINT8_MAX];
    if (!graph_take_site(g, from, i->site)) return 0;
    for (size_t k = 0; k < i->narg; k++) arg[k] = map[args_of(from, i)[k]];
    attr_id attr = graph_import_attr(g, from, v, size_map);
    g->flags = i->flags;
    value result = def->expand(g, attr, arg);
    g->flags = 0;
    return result;
}

static wg_program *rebuild(const wg_program *p, const uint8_t *pads, const bool *unread,
                           wg_error *error) {
    const struct trace *t = &p->t;
    const wg_allocator *a = &t->allocator;
    wg_extent *size_map = mem_alloc(a, (t->size.count + 1) * sizeof *size_map);
    value *map = mem_alloc_zero(a, t->instr.count * sizeof *map);
    wg_graph *g = size_map && map ? graph_like(p, size_map, error) : NULL;
    if (!size_map || !map) fail_memory(error);
    for (size_t i = 0; g && i < t->input.count; i++) {
        wg_type type = graph_import_type(g, t, type_of(t, t->input.at[i].v), size_map);
        map[t->input.at[i].v] = graph_input(g, name_at(t, t->input.at[i].name), &type);
    }
    for (value v = 1; g && v < t->instr.count && !g->error.status; v++)
        if (instr_at(t, v)->op != OP_input)
            map[v] = expand_instruction(g, t, v, size_map, map, pads[v] == PAD_SUM);
    for (size_t i = 0; g && i < t->output.count && !g->error.status; i++)
        if (!unread || !unread[i])
            graph_output(g, name_at(t, t->output.at[i].name), map[t->output.at[i].v]);
    mem_free(a, size_map, (t->size.count + 1) * sizeof *size_map);
    mem_free(a, map, t->instr.count * sizeof *map);
    return g ? graph_build(g, error) : NULL;
}

wg_program *expand(const wg_program *p, const bool *unread, wg_error *error) {
    const wg_allocator *a = &p->t.allocator;
    size_t count = p->t.instr.count;
    uint8_t *pads = mem_alloc_zero(a, count);
    wg_program *result = NULL;
    if (!pads || !find_pad_sums(&p->t, pads)) fail_memory(error);
    else if (unread || expands(&p->t, pads)) result = rebuild(p, pads, unread, error);
    else result = program_copy(p, a, error);
    mem_free(a, pads, count);
    return result;
}
