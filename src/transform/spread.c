/* Maps spread out: a loop whose iterations stand apart becomes the batch of its body, the index an
 * iota, if its body is small. What runs programs does so to have long vectors in the place of many
 * short steps (fused into one nest, shared by threads), and reverse mode, since sums over the
 * iterations are then sums of the program, and what the adjoints need is no stack to be kept.
 *
 * A body is small if all of its values are of constant and few elements. What a batch would compute
 * in vain or in lockstep stays a loop: branches, loops that end by a condition or a count, C
 * functions. */
#include "op/build.h"
#include "transform/derive.h"
#include "transform/region.h"

enum { FEW = 64 }; /* elements of a value of the body */

static bool is_small(const struct trace *t);

static bool is_small_loop(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_loop) return false;
    struct region r = region_open(t, i->op, i->attr);
    return !r.lead && !(r.flags & LOOP_CONDITION) && is_small(&region_body(t, &r, 0)->body->t);
}

/* Programs of rules nest at most MAX_RULE_DEPTH deep. */
static bool is_small(const struct trace *t) {
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        const wg_type *type = type_at(t, i->type);
        int64_t count = 1;
        if (type->rank == WG_MAX_RANK || i->op == OP_branch || i->op == OP_external) return false;
        if (i->op == OP_loop && !is_small_loop(t, v)) return false;
        if (i->op == OP_input) continue;
        for (size_t k = 0; k < type->rank; k++) {
            if (type->extent[k] < 0 || type->extent[k] > FEW) return false;
            count *= type->extent[k];
        }
        if (count > FEW) return false;
    }
    return true;
}

/* Whether something that can fail would be computed where no iteration runs: what is the same in
 * all of them is computed once in a batch, even of none. */
static bool fails_without(const struct trace *body, const struct region *r) {
    const wg_allocator *a = &body->allocator;
    bool *varies = mem_alloc_zero(a, body->instr.count), fails = !varies;
    for (value v = 1; v < body->instr.count && !fails; v++) {
        const struct instr *i = instr_at(body, v);
        if (i->op == OP_input) {
            size_t k = (size_t)attr_words(body, i->attr)[0];
            varies[v] = k == 0 || k > r->captures;
        }
        for (size_t k = 0; k < i->narg; k++) varies[v] |= varies[args_of(body, i)[k]];
        fails = !varies[v] && (op_def(i->op)->check || i->op == OP_loop);
    }
    mem_free(a, varies, body->instr.count);
    return fails;
}

bool map_spreads(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_loop) return false;
    struct region r = region_open(t, i->op, i->attr);
    return r.flags & LOOP_APART && !r.snapshots && is_small_loop(t, v) &&
           (r.length > 0 || !fails_without(&region_body(t, &r, 0)->body->t, &r));
}

/* The results of the map v of `from` for the operands map[...], by number. */
static void spread(wg_graph *g, const struct trace *from, value v, const wg_extent *size_map,
                   const value *map, value *result) {
    const struct instr *i = instr_at(from, v);
    struct region r = region_open(from, i->op, i->attr);
    const struct trace *body = &region_body(from, &r, 0)->body->t;
    const wg_extent *sizes = region_sizes(from, &r, 0);
    const wg_allocator *a = &g->t.allocator;
    size_t inputs = body->input.count, count = body->instr.count, named = body->size.count;
    value *input = mem_alloc_zero(a, (inputs + 1) * sizeof *input);
    value *in_body = mem_alloc_zero(a, count * sizeof *in_body);
    bool *batched = mem_alloc_zero(a, inputs + 1), *on_axis = mem_alloc_zero(a, count);
    wg_extent *of_body = mem_alloc_zero(a, (named + 1) * sizeof *of_body);
    wg_extent length = extent_import(g, from, r.length, size_map);
    if (input && in_body && batched && on_axis && of_body) {
        for (size_t k = 0; k < named; k++) of_body[k] = extent_import(g, from, sizes[k], size_map);
        input[0] = build_iota(g, length);
        batched[0] = true;
        for (size_t k = 0; k < r.captures + r.stacks; k++) {
            input[1 + k] = map[args_of(from, i)[k]];
            batched[1 + k] = k >= r.captures;
        }
        const struct trace *imported = g->imported;
        uint32_t at = g->imported_at, site = g->site;
        g->imported = NULL;
        if (!g->error.status)
            vmap_program(g, body, input, batched, length, of_body, in_body, on_axis);
        g->imported = imported;
        g->imported_at = at;
        g->site = site;
        for (size_t k = 0; k < r.results && !g->error.status; k++) {
            value y = body->output.at[k].v;
            result[k] = on_axis[y] ? in_body[y] : batch_broadcast(g, in_body[y], length);
        }
        result[r.results] = build_extent(g, length);
    } else {
        fail_memory(&g->error);
    }
    mem_free(a, input, (inputs + 1) * sizeof *input);
    mem_free(a, in_body, count * sizeof *in_body);
    mem_free(a, batched, inputs + 1);
    mem_free(a, on_axis, count);
    mem_free(a, of_body, (named + 1) * sizeof *of_body);
}

void spread_map(wg_graph *g, const struct trace *from, value v, const wg_extent *size_map,
                value *map) {
    value result[REGION_OPERANDS + 1] = {0};
    struct region r = region_open(from, OP_loop, instr_at(from, v)->attr);
    spread(g, from, v, size_map, map, result);
    map[v] = result[r.results];
    for (value item = v + 1; item < from->instr.count; item++) {
        const struct instr *i = instr_at(from, item);
        if (i->op != OP_item || args_of(from, i)[0] != v) continue;
        int64_t k = attr_words(from, i->attr)[0];
        map[item] = k == REGION_COUNT ? result[r.results] : result[k];
    }
}

static bool any_spreads(const struct trace *t) {
    for (value v = 1; v < t->instr.count; v++)
        if (map_spreads(t, v)) return true;
    return false;
}

wg_program *program_spread(const wg_program *p, wg_error *error) {
    const struct trace *t = &p->t;
    const wg_allocator *a = &t->allocator;
    if (!any_spreads(t)) return program_copy(p, a, error);
    wg_extent *size_map = mem_alloc(a, (t->size.count + 1) * sizeof *size_map);
    value *map = mem_alloc_zero(a, t->instr.count * sizeof *map);
    wg_graph *g = size_map && map ? graph_like(p, size_map, error) : NULL;
    if (!size_map || !map) fail_memory(error);
    for (size_t i = 0; g && i < t->input.count; i++) {
        wg_type type = graph_import_type(g, t, type_of(t, t->input.at[i].v), size_map);
        map[t->input.at[i].v] = graph_input(g, name_at(t, t->input.at[i].name), &type);
    }
    for (value v = 1; g && v < t->instr.count && !g->error.status; v++) {
        if (map[v]) continue; /* an input, or a result of what was spread */
        if (map_spreads(t, v)) spread_map(g, t, v, size_map, map);
        else map[v] = graph_import(g, t, v, size_map, map);
    }
    for (size_t i = 0; g && i < t->output.count && !g->error.status; i++)
        graph_output(g, name_at(t, t->output.at[i].name), map[t->output.at[i].v]);
    mem_free(a, size_map, (t->size.count + 1) * sizeof *size_map);
    mem_free(a, map, t->instr.count * sizeof *map);
    return g ? graph_build(g, error) : NULL;
}
