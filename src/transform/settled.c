/* Bodies with elements of which it is known that they are there at the end as they are read
 * (accesses.h). */
#include "transform/settled.h"

#include "op/build.h"
#include "op/describe.h"
#include "transform/accesses.h"
#include "transform/derive.h"
#include "transform/region.h"
#include "wengert/loop.h"

enum { MOST_FINALS = 24, MOST_LIFTED = 16 };

/* ---- the body again -------------------------------------------------------------------------- */

struct settling {
    struct nest *n;
    size_t found; /* elements so far */
};

struct making { /* the body of a loop again */
    struct settling *g;
    struct nest *n;
    struct scope *s;
    struct derivation d;
    value final[REGION_OPERANDS + 1]; /* of each chain: what it is at the end */
};

static value fresh_input(struct making *m, const char *format, const char *name,
                         const wg_type *type) {
    const char *fresh = derive_name(&m->d, false, format, name, "");
    return fresh && !m->d.g->error.status ? graph_input(m->d.g, fresh, type) : 0;
}

static void take_position(struct making *m, const struct instr *i) {
    if (graph_take_site(m->d.g, m->d.from, i->site)) m->d.g->flags = i->flags;
}

/* element: of the chain, seen as an array of this type. With it the same of what is at the end. */
static value both(struct making *m, value element, uint32_t chain, const wg_type *type,
                  value index, int64_t axis) {
    value array = build_reshape(m->d.g, m->final[chain], type);
    value late = build_take(m->d.g, array, index, (unsigned)axis, 0);
    return graph_emit(m->d.g, OP_settled, 0, (value[]){element, late}, 2);
}

struct lifted { /* an element that is the same in all iterations of a loop: taken in front of it */
    value by[MOST_LIFTED]; /* in its body */
    size_t count;
};

static wg_program *rewrite(struct settling *settling, struct scope *s, const wg_program *body,
                           const struct region *r, const struct lifted *lifted, uint32_t *finals,
                           size_t *final_count);

/* Takes in front of loop v, from a carry of it, what no iteration changes, at an index that is the
 * same in all; at 0, which there is, if there are no iterations. */
static void lift_elements(struct making *m, const struct scope *inner, value v,
                          const struct region *r, const wg_extent *size, struct lifted *lifted,
                          value *capture) {
    const value *x = args_of(m->d.from, instr_at(m->d.from, v));
    wg_graph *g = m->d.g;
    lifted->count = 0;
    for (value u = 1; u < inner->t->instr.count && lifted->count < MOST_LIFTED; u++) {
        const struct instr *i = instr_at(inner->t, u);
        if (i->op != OP_take || g->error.status) continue;
        value array = args_of(inner->t, i)[0], index = args_of(inner->t, i)[1];
        uint32_t chain = inner->chain[array];
        struct whole extent;
        int64_t axis = attr_words(inner->t, i->attr)[0];
        if (!value_is_input(inner->t, index) || !is_settled(m->n, inner, u)) continue;
        size_t number = input_number(inner->t, index), of = 0;
        for (size_t k = 0; k < r->captures + r->carries; k++)
            if (m->s->chain[x[r->lead + k]] == chain) of = r->lead + k;
        if (number == 0 || number > r->captures || !of ||
            !extent_at(inner, type_of(inner->t, array)->extent[axis], &extent) ||
            !is_all_positive(m->n, &extent))
            continue;
        wg_type type = graph_import_type(g, inner->t, type_of(inner->t, array), size);
        value most = build_extent(g, extent_import(g, m->d.from, r->length, m->d.size_map));
        value zero = build_number(g, WG_I64, 0);
        if (r->lead) most = build_binary(g, OP_min, m->d.map[x[0]], most);
        value at = build_where(g, build_binary(g, OP_gt, most, zero),
                               m->d.map[x[r->lead + number - 1]], zero);
        value element = build_take(g, build_reshape(g, m->d.map[x[of]], &type), at,
                                   (unsigned)axis, 0);
        capture[lifted->count] = both(m, element, chain, &type, at, axis);
        lifted->by[lifted->count++] = u;
    }
}

/* The loop i with a new body, that has `count` captures: without those of the new ones that it does
 * not read. */
static value loop_with(struct making *m, const struct instr *i, const struct region *r,
                       const wg_extent *size, const wg_program *body, value *capture,
                       size_t count) {
    wg_graph *g = m->d.g;
    const value *x = args_of(m->d.from, i);
    bool read[3 * REGION_OPERANDS] = {0};
    value operand[REGION_OPERANDS];
    inputs_read(&body->t, read);
    for (size_t k = 0; k < body->t.input.count; k++)
        read[k] = read[k] || k <= r->captures || k > count;
    wg_program *less = only_read(body, read, m->n->error);
    for (size_t k = 0; k < r->carries + r->stacks; k++)
        operand[k] = m->d.map[x[r->lead + r->captures + k]];
    struct region_parts parts = {
        .body = less, .sizes = size,
        .length = extent_import(g, m->d.from, r->length, m->d.size_map), .flags = r->flags,
        .lead = r->lead ? m->d.map[x[0]] : 0, .capture = capture,
        .captures = keep_read(capture, count, read + 1), .carry = operand,
        .carries = r->carries, .stack = operand + r->carries, .stacks = r->stacks,
        .results = r->results};
    take_position(m, i);
    value loop = less ? build_region(g, OP_loop, &parts) : 0;
    g->flags = 0;
    wg_program_free(less);
    return loop;
}

/* The number of an input that is the array, or a view of it. */
static size_t input_of_chain(const struct scope *s, uint32_t chain) {
    size_t k = 1;
    while (k < s->t->input.count && s->chain[s->t->input.at[k].v] != chain) k++;
    return k;
}

/* The loop v with what its body now is; 0, and no error, if nothing is settled in it. */
static value rewrite_loop(struct making *m, value v) {
    struct nest *n = m->n;
    const struct trace *t = m->d.from;
    const struct instr *i = instr_at(t, v);
    const value *x = args_of(t, i);
    struct region r = region_open(t, i->op, i->attr);
    size_t found = m->g->found, sizes = n->t->size.count + 1, n_finals = 0, count = r.captures;
    uint32_t finals[REGION_OPERANDS];
    value capture[2 * REGION_OPERANDS], result = 0;
    struct lifted lifted = {.count = 0};
    struct scope inner = {0};
    if (r.flags & LOOP_CONDITION || r.kept || r.snapshots || region_body(t, &r, 0)->reverse ||
        r.captures + r.carries + r.stacks > REGION_OPERANDS / 2)
        return 0;
    const struct trace *inside = &region_body(t, &r, 0)->body->t;
    size_t bytes = (inside->size.count + 1) * sizeof(wg_extent);
    bool *before = mem_alloc(n->a, sizes);
    wg_extent *size = mem_alloc_zero(n->a, bytes);
    if (!before || !size) fail_memory(n->error);
    if (before && size && enter_loop(n, m->s, v, &inner)) {
        for (size_t k = 0; k < inside->size.count; k++)
            size[k] = extent_import(m->d.g, t, region_sizes(t, &r, 0)[k], m->d.size_map);
        lift_elements(m, &inner, v, &r, size, &lifted, capture + REGION_OPERANDS);
        memcpy(before, n->positive, sizes);
        if (n->counter[inner.counter].has_length)
            mark_positive(n, &n->counter[inner.counter].length);
        for (uint32_t c = 1; c <= REGION_OPERANDS; c++)
            if (m->final[c]) finals[n_finals++] = c;
        wg_program *new = rewrite(m->g, &inner, region_body(t, &r, 0)->body, &r, &lifted, finals,
                                  &n_finals);
        memcpy(n->positive, before, sizes);
        if (new && m->g->found > found) {
            for (size_t k = 0; k < r.captures; k++) capture[k] = m->d.map[x[r.lead + k]];
            for (size_t k = 0; k < n_finals; k++) {
                value like = inside->input.at[input_of_chain(&inner, finals[k])].v;
                wg_type type = graph_import_type(m->d.g, inside, type_of(inside, like), size);
                capture[count++] = build_reshape(m->d.g, m->final[finals[k]], &type);
            }
            for (size_t k = 0; k < lifted.count; k++)
                capture[count++] = capture[REGION_OPERANDS + k];
            result = loop_with(m, i, &r, size, new, capture, count);
        }
        wg_program_free(new);
    }
    scope_end(n, &inner);
    if (before) mem_free(n->a, before, sizes);
    if (size) mem_free(n->a, size, bytes);
    return result;
}

static bool is_lifted(const struct lifted *l, value v) {
    for (size_t k = 0; l && k < l->count; k++)
        if (l->by[k] == v) return true;
    return false;
}

/* The body with inputs for what chains are at the end (finals: those that it shall have; those that
 * it can use are left), then for what is lifted, behind its captures. */
static wg_program *rewrite(struct settling *settling, struct scope *s, const wg_program *body,
                           const struct region *r, const struct lifted *lifted, uint32_t *finals,
                           size_t *final_count) {
    struct nest *n = settling->n;
    struct making m = {.g = settling, .n = n, .s = s};
    size_t left = 0;
    if (derive_begin(&m.d, body, n->error)) {
        const struct trace *t = m.d.from;
        wg_graph *g = m.d.g;
        for (size_t k = 0; k <= r->captures; k++) derive_input(&m.d, k);
        for (size_t k = 0; k < *final_count; k++) {
            size_t from = input_of_chain(s, finals[k]);
            if (from == t->input.count) continue;
            wg_type type = graph_import_type(g, t, type_of(t, t->input.at[from].v), m.d.size_map);
            m.final[finals[k]] = fresh_input(&m, "%a_final", from_input_name(&m.d, from), &type);
            finals[left++] = finals[k];
        }
        for (size_t k = 0; lifted && k < lifted->count; k++) {
            wg_type type = graph_import_type(g, t, type_of(t, lifted->by[k]), m.d.size_map);
            m.d.map[lifted->by[k]] = fresh_input(&m, "%a", "element", &type);
            settling->found++;
        }
        for (size_t k = 1 + r->captures; k < t->input.count; k++) derive_input(&m.d, k);
        for (value v = 1; v < t->instr.count && !g->error.status && !failed(n->error); v++) {
            const struct instr *i = instr_at(t, v);
            if (i->op == OP_input || is_lifted(lifted, v)) continue;
            if (i->op == OP_loop) m.d.map[v] = rewrite_loop(&m, v);
            if (!m.d.map[v]) m.d.map[v] = graph_import(g, t, v, m.d.size_map, m.d.map);
            if (g->error.status || i->op != OP_take) continue;
            uint32_t chain = s->chain[args_of(t, i)[0]];
            if (!chain || !m.final[chain] || !is_settled(n, s, v)) continue;
            wg_type type = *type_of(&g->t, m.d.map[args_of(t, i)[0]]);
            m.d.map[v] = both(&m, m.d.map[v], chain, &type, m.d.map[args_of(t, i)[1]],
                              attr_words(t, i->attr)[0]);
            settling->found++;
        }
        g->site = 0;
        derive_primals(&m.d);
    }
    *final_count = left;
    return derive_finish(&m.d);
}

/* Of the carries whose writes are known. */
static wg_program *settle(struct settling *g, const struct region *r, const value *x,
                          const uint8_t *mask, bool *settled) {
    const wg_program *body = region_body(g->n->t, r, 0)->body;
    struct scope s = {0};
    uint32_t finals[MOST_FINALS];
    size_t count = 0;
    bool read[3 * REGION_OPERANDS] = {0};
    wg_program *all = NULL, *less = NULL;
    if (enter_outermost(g->n, r, x, mask, &s)) {
        for (size_t k = 0; k < r->carries && count < MOST_FINALS; k++)
            if (s.chain[body->t.input.at[1 + r->captures + k].v] && !g->n->spoiled[k + 1])
                finals[count++] = (uint32_t)k + 1;
        if (count) all = rewrite(g, &s, body, r, NULL, finals, &count);
    }
    scope_end(g->n, &s);
    if (all && g->found) {
        inputs_read(&all->t, read);
        for (size_t k = 0; k < all->t.input.count; k++)
            read[k] = read[k] || k <= r->captures || k > r->captures + count;
        for (size_t k = 0; k < count; k++) settled[finals[k] - 1] = read[1 + r->captures + k];
        less = only_read(all, read, g->n->error);
    }
    wg_program_free(all);
    return less;
}

wg_program *settle_body(const struct trace *t, const struct region *r, const value *x,
                        const uint8_t *mask, bool *settled, wg_error *error) {
    const wg_program *body = region_body(t, r, 0)->body;
    bool any = false;
    for (size_t k = 0; k < r->carries; k++)
        any |= mask[r->captures + k] && type_of(&body->t, body->t.output.at[k].v)->rank > 0;
    if (!any || r->flags & LOOP_BACKWARDS || r->length == WG_UNBOUNDED || r->snapshots)
        return NULL;
    struct settling g = {.n = nest_open(t, r, x, mask, error)};
    wg_program *result = g.n ? settle(&g, r, x, mask, settled) : NULL;
    nest_close(g.n);
    return result;
}

/* ---- while the loop runs, and backwards ------------------------------------------------------ */

static bool has_settled(const struct trace *t) {
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        if (i->op == OP_settled) return true;
        if (i->op != OP_loop && i->op != OP_branch) continue;
        struct region r = region_open(t, i->op, i->attr);
        for (size_t k = 0; k < r.bodies; k++)
            if (has_settled(&region_body(t, &r, k)->body->t)) return true;
    }
    return false;
}

/* A loop or branch of which no body has such elements any more, and that is given only what one of
 * its bodies reads. What it keeps for its reverse, which is there already, are results. */
static value region_part(struct derivation *d, value v, bool backwards) {
    const struct trace *t = d->from;
    const wg_allocator *a = &t->allocator;
    const struct instr *i = instr_at(t, v);
    struct region r = region_open(t, i->op, i->attr);
    size_t first = r.op == OP_loop ? 1 : 0, sizes = 0, bytes = r.bodies * sizeof(wg_program *);
    bool read[3 * REGION_OPERANDS] = {0};
    value x[UINT8_MAX], result = 0;
    wg_error error = {0};
    const wg_program **body = mem_alloc_zero(a, bytes);
    for (size_t k = 0; body && k < r.bodies; k++) {
        const wg_program *old = region_body(t, &r, k)->body;
        sizes += old->t.size.count;
        body[k] = settled_part(old, backwards, &error);
        if (body[k]) inputs_read(&body[k]->t, read);
    }
    for (size_t k = 0; k < 3 * REGION_OPERANDS; k++)
        read[k] = read[k] || k < first || k >= first + r.captures;
    for (size_t k = 0; body && k < r.bodies; k++) {
        wg_program *less = body[k] ? only_read(body[k], read, &error) : NULL;
        wg_program_free((wg_program *)(uintptr_t)body[k]);
        body[k] = less;
    }
    wg_extent *size = mem_alloc_zero(a, (sizes + 1) * sizeof *size);
    if (!body || !size) fail_memory(&error);
    fail_as(&d->g->error, &error);
    if (!d->g->error.status) {
        for (size_t k = 0; k < sizes; k++)
            size[k] = extent_import(d->g, t, r.extent[k], d->size_map);
        for (size_t k = 0; k < i->narg; k++) x[k] = d->map[args_of(t, i)[k]];
        struct region_parts parts = {
            .sizes = size, .flags = r.flags, .lead = r.lead ? x[0] : 0, .capture = x + r.lead,
            .carry = x + r.lead + r.captures, .carries = r.carries, .stacks = r.stacks,
            .results = r.results, .snapshots = r.snapshots};
        parts.stack = parts.carry + r.carries;
        parts.captures = keep_read(x + r.lead, r.captures, read + first);
        if (r.op == OP_loop) {
            parts.body = body[0];
            parts.condition = r.bodies > 1 ? body[1] : NULL;
            parts.length = extent_import(d->g, t, r.length, d->size_map);
        } else {
            parts.branch = body;
            parts.branches = r.bodies;
            parts.kept = r.kept;
        }
        if (graph_take_site(d->g, t, i->site)) d->g->flags = i->flags;
        result = build_region(d->g, r.op, &parts);
        d->g->flags = 0;
    }
    for (size_t k = 0; body && k < r.bodies; k++)
        wg_program_free((wg_program *)(uintptr_t)body[k]);
    if (body) mem_free(a, body, bytes);
    if (size) mem_free(a, size, (sizes + 1) * sizeof *size);
    return result;
}

wg_program *settled_part(const wg_program *p, bool backwards, wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, p, error) && derive_inputs(&d)) {
        const struct trace *t = d.from;
        graph_import_checks(d.g, t, d.size_map);
        for (value v = 1; v < t->instr.count && !d.g->error.status; v++) {
            const struct instr *i = instr_at(t, v);
            bool region = i->op == OP_loop || i->op == OP_branch, within = false;
            struct region r = region ? region_open(t, i->op, i->attr) : (struct region){0};
            for (size_t k = 0; k < r.bodies; k++)
                within |= has_settled(&region_body(t, &r, k)->body->t);
            if (i->op == OP_input) d.map[v] = d.input[input_number(t, v)];
            else if (i->op == OP_settled) d.map[v] = d.map[args_of(t, i)[backwards]];
            else if (within) d.map[v] = region_part(&d, v, backwards);
            else d.map[v] = graph_import(d.g, t, v, d.size_map, d.map);
        }
        d.g->site = 0;
        if (!d.g->error.status) derive_primals(&d);
    }
    return derive_finish(&d);
}
