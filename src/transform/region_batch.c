/* Batches of loops and branches. A loop stays a loop, of batches: what it carries takes the axis as
 * soon as one of its iterations would give it, stacks have the axis behind that of the loop. Where
 * examples end at different times, the loop goes on until the last has, and those that have ended
 * keep what they carry. A branch whose index is one for all examples stays a branch; else every
 * branch is computed, and each example takes its own. Where that would read at an index that only
 * an example that has ended, or has not taken the branch, would leave the axis by, the examples go
 * through the loop or branch one by one instead. */
#include "op/build.h"
#include "op/describe.h"
#include "transform/derive.h"
#include "transform/region.h"

#include <stdio.h>

struct batching {
    wg_graph *g;
    const struct batch *b;
    struct region r; /* words of its own */
    wg_extent extent;
    wg_extent *sizes; /* of the new bodies, which have one more: the batch */
    size_t size_count;
};

/* A name for the batch's extent that no size of the body has. */
static wg_extent batch_extent(struct derivation *d) {
    char name[32] = "batch";
    for (unsigned n = 2;; n++) {
        bool taken = false;
        for (size_t i = 0; i < d->from->size.count; i++)
            taken |= strcmp(name_at(d->from, d->from->size.at[i]), name) == 0;
        if (!taken) break;
        snprintf(name, sizeof name, "batch_%u", n);
    }
    return extent_size(d->g, graph_size(d->g, name));
}

static value batched_input(struct derivation *d, size_t i, bool on_axis, wg_extent extent) {
    wg_type type = graph_import_type(d->g, d->from, type_of(d->from, d->from->input.at[i].v),
                                     d->size_map);
    if (on_axis && type.rank == WG_MAX_RANK)
        return graph_fail(d->g, WG_ESHAPE, "vmap: a value of rank %d cannot take another axis",
                          WG_MAX_RANK);
    if (on_axis) type = type_prepend(&type, extent);
    return d->input[i] = graph_input(d->g, from_input_name(d, i), &type);
}

/* The outputs of the program d->from in d->g: result[k], on the axis where out says; out may ask
 * for more to be on it. */
static bool batched_outputs(struct derivation *d, const bool *in, wg_extent extent, bool *out,
                            value *result) {
    bool *map_batched = derive_array(d, d->from->instr.count, sizeof *map_batched);
    if (!map_batched || !vmap_program(d->g, d->from, d->input, in, extent, d->size_map, d->map,
                                      map_batched))
        return false;
    for (size_t k = 0; k < d->from->output.count; k++) {
        value v = d->from->output.at[k].v;
        out[k] = out[k] || map_batched[v];
        result[k] = out[k] && !map_batched[v] ? batch_broadcast(d->g, d->map[v], extent)
                                              : d->map[v];
    }
    return d->g->error.status == WG_OK;
}

/* How examples end apart: by counts, a value that is captured behind the others, or by a condition,
 * and then the body carries along, behind the rest, which examples go on and their numbers of
 * iterations. What has ended keeps what it carries. */
struct ending {
    const wg_program *condition; /* NULL: by counts */
    bool on;
};

static value still(struct derivation *d, const struct ending *e, const struct batching *b,
                   const value *carry, value index, const bool *in, wg_extent extent) {
    wg_graph *g = d->g;
    if (!e->condition) return 0;
    /* the condition of the next iteration */
    struct derivation c;
    wg_error error = {0};
    value result = 0;
    if (derive_begin(&c, e->condition, &error)) {
        const struct trace *t = c.from;
        size_t n = 1 + b->r.captures + b->r.carries;
        value *input = derive_array(d, n, sizeof *input);
        value *map = derive_array(d, t->instr.count, sizeof *map);
        bool *on = derive_array(d, t->instr.count, sizeof *on);
        if (input && map && on) {
            input[0] = build_add(g, index, build_number(g, WG_I64, 1));
            for (size_t k = 0; k < b->r.captures; k++) input[1 + k] = d->input[1 + k];
            for (size_t k = 0; k < b->r.carries; k++) input[1 + b->r.captures + k] = carry[k];
            g->imported = NULL;
            if (vmap_program(g, t, input, in, extent, d->size_map, map, on)) {
                value v = t->output.at[0].v;
                result = on[v] ? map[v] : batch_broadcast(g, map[v], extent);
            }
            g->imported = NULL;
        }
    }
    fail_as(&g->error, &error);
    wg_graph_free(c.g);
    arena_free(&c.scratch);
    return result;
}

/* A body of the batch; in: its inputs on the axis; *again as of tangents in region.c. */
static wg_program *batched_body(struct batching *b, const wg_program *body, bool *in, bool *out,
                                const struct ending *ending, bool *again, wg_error *error) {
    const struct region *r = &b->r;
    struct derivation d;
    *again = false;
    if (derive_begin(&d, body, error)) {
        wg_extent extent = batch_extent(&d);
        size_t outputs = body->t.output.count, carried = 1 + r->captures;
        bool counts = ending->on && !ending->condition;
        value *result = derive_array(&d, outputs, sizeof *result), going = 0, count = 0;
        const wg_type truths = {WG_BOOL, 1, {extent}}, numbers = {WG_I64, 1, {extent}};
        for (size_t i = 0; i < carried && i < body->t.input.count; i++)
            batched_input(&d, i, in[i], extent);
        if (counts) graph_input(d.g, derive_name(&d, false, "counts", "", ""), &numbers);
        for (size_t i = carried; i < carried + r->carries; i++)
            batched_input(&d, i, in[i], extent);
        if (counts) {
            going = build_binary(d.g, OP_lt, batch_broadcast(d.g, d.input[0], extent),
                                 d.g->t.input.at[carried].v);
        } else if (ending->on) {
            going = graph_input(d.g, derive_name(&d, false, "going", "", ""), &truths);
            count = graph_input(d.g, derive_name(&d, false, "ran", "", ""), &numbers);
        }
        for (size_t i = carried + r->carries; i < body->t.input.count; i++)
            batched_input(&d, i, in[i], extent);
        for (size_t k = 0; k < r->carries; k++) out[k] = out[k] || in[carried + k];
        if (!d.g->error.status && batched_outputs(&d, in, extent, out, result)) {
            for (size_t k = 0; k < r->carries; k++) {
                bool *was = &in[carried + k];
                if (out[k] && !*was) *was = *again = true;
                out[k] = *was;
            }
            for (size_t k = 0; !*again && ending->on && k < outputs; k++) {
                value old = k < r->carries ? d.input[carried + k] : build_like(d.g, result[k], 0);
                wg_type type = *type_of(&d.g->t, result[k]);
                result[k] = build_where(d.g, build_broadcast(d.g, going, &type, 1), result[k], old);
            }
            for (size_t k = 0; k < r->carries; k++)
                graph_output(d.g, from_output_name(&d, k), result[k]);
            if (ending->on && !counts && !*again) {
                value next = still(&d, ending, b, result, d.input[0], in, extent);
                graph_output(d.g, derive_name(&d, true, "going", "", ""),
                             build_binary(d.g, OP_and, going, next));
                graph_output(d.g, derive_name(&d, true, "ran", "", ""),
                             build_add(d.g, count, build_cast(d.g, WG_I64, going)));
            } else if (ending->on && !counts) {
                graph_output(d.g, derive_name(&d, true, "going", "", ""), going);
                graph_output(d.g, derive_name(&d, true, "ran", "", ""), count);
            }
            for (size_t k = r->carries; k < outputs; k++)
                graph_output(d.g, from_output_name(&d, k), result[k]);
        }
    }
    return derive_finish(&d);
}

/* x with its first two axes changed over: a stack's and the batch's. */
static value swap_axes(wg_graph *g, value x) {
    uint8_t perm[WG_MAX_RANK];
    if (!x) return 0;
    for (uint8_t k = 0; k < type_of(&g->t, x)->rank; k++) perm[k] = k < 2 ? 1 - k : k;
    return build_transpose(g, x, perm);
}

/* Extents for the sizes of new bodies, each with the batch behind its own; of[k]: the body of the
 * region that it was made from. */
static wg_extent *sizes_with_batch(struct batching *b, size_t bodies, const size_t *of) {
    size_t n = 0;
    for (size_t k = 0; k < bodies; k++)
        n += region_body(&b->g->t, &b->r, of ? of[k] : k)->body->t.size.count + 1;
    b->size_count = n;
    b->sizes = mem_alloc(&b->g->t.allocator, (n + 1) * sizeof *b->sizes);
    if (!b->sizes) return fail_memory(&b->g->error), NULL;
    n = 0;
    for (size_t k = 0; k < bodies; k++) {
        size_t from = of ? of[k] : k;
        const wg_extent *extent = region_sizes(&b->g->t, &b->r, from);
        size_t own = region_body(&b->g->t, &b->r, from)->body->t.size.count;
        for (size_t i = 0; i < own; i++) b->sizes[n++] = extent[i];
        b->sizes[n++] = b->extent;
    }
    return b->sizes;
}

/* Whether any example goes on: the condition of a loop whose examples end apart. */
static wg_program *any_going(struct batching *b, const wg_program *body, const bool *in,
                             wg_error *error) {
    const struct region *r = &b->r;
    struct derivation d;
    if (derive_begin(&d, body, error)) {
        wg_extent extent = batch_extent(&d);
        const wg_type truths = {WG_BOOL, 1, {extent}}, numbers = {WG_I64, 1, {extent}};
        size_t carried = 1 + r->captures;
        for (size_t i = 0; i < carried; i++) batched_input(&d, i, in[i], extent);
        for (size_t i = carried; i < carried + r->carries; i++)
            batched_input(&d, i, in[i], extent);
        value going = graph_input(d.g, derive_name(&d, false, "going", "", ""), &truths);
        graph_input(d.g, derive_name(&d, false, "ran", "", ""), &numbers);
        if (!d.g->error.status) graph_output(d.g, "any", build_any(d.g, going, 1));
    }
    return derive_finish(&d);
}

/* Which examples begin: those whose condition holds at first. */
static value first_going(struct batching *b, const wg_program *condition, const bool *in,
                         const value *x) {
    wg_graph *g = b->g;
    const struct trace *t = &condition->t;
    value *input = mem_alloc_zero(&g->t.allocator, (t->input.count + 1) * sizeof *input);
    value *map = mem_alloc_zero(&g->t.allocator, t->instr.count * sizeof *map), result = 0;
    bool *on = mem_alloc_zero(&g->t.allocator, t->instr.count * sizeof *on);
    if (!input || !map || !on) {
        fail_memory(&g->error);
    } else {
        input[0] = build_number(g, WG_I64, 0);
        for (size_t k = 0; k + 1 < t->input.count; k++) input[1 + k] = x[k];
        const struct trace *imported = g->imported;
        uint32_t at = g->imported_at, site = g->site;
        g->imported = NULL;
        if (vmap_program(g, t, input, in, b->extent, region_sizes(&g->t, &b->r, 1), map, on)) {
            value v = t->output.at[0].v;
            result = on[v] ? map[v] : batch_broadcast(g, map[v], b->extent);
        }
        g->imported = imported;
        g->imported_at = at;
        g->site = site;
    }
    mem_free(&g->t.allocator, input, (t->input.count + 1) * sizeof *input);
    mem_free(&g->t.allocator, map, t->instr.count * sizeof *map);
    mem_free(&g->t.allocator, on, t->instr.count * sizeof *on);
    return result;
}

/* Whether the condition gives one truth an example. */
static bool condition_on_axis(struct batching *b, const wg_program *condition, const bool *in) {
    const struct trace *t = &condition->t;
    bool *on = mem_alloc_zero(&b->g->t.allocator, t->instr.count), result = false;
    if (!on) return fail_memory(&b->g->error), false;
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        if (i->op == OP_input) on[v] = in[input_number(t, v)];
        for (size_t k = 0; k < i->narg; k++) on[v] |= on[args_of(t, i)[k]];
    }
    result = on[t->output.at[0].v];
    mem_free(&b->g->t.allocator, on, t->instr.count);
    return result;
}

/* The largest count, 0 where there are no examples. */
static value most_of(wg_graph *g, value counts) {
    wg_type one = *type_of(&g->t, counts);
    one.extent[0] = 1;
    value both[] = {counts, build_full(g, &one, 0)};
    return build_reduce_max(g, build_concat(g, both, 2, 0), 1);
}

static value loop_batch(struct batching *b, value *result, bool *on_axis, value *count,
                        bool *count_batched) {
    wg_graph *g = b->g;
    const struct region *r = &b->r;
    const value *x = b->b->x;
    const bool *batched = b->b->batched;
    size_t lead = r->lead, captures = r->captures, carries = r->carries, n = 0;
    bool in[REGION_OPERANDS + 1] = {0}, out[REGION_OPERANDS] = {0}, again = true;
    const wg_program *given = region_body(&g->t, r, 0)->body;
    const wg_program *condition = r->bodies > 1 ? region_body(&g->t, r, 1)->body : NULL;
    struct ending ending = {condition, lead && batched[0]};
    wg_program *body = NULL, *any = NULL;
    wg_error error = {0};
    for (size_t k = 0; k < captures + carries + r->stacks; k++) in[1 + k] = batched[lead + k];
    if (ending.on && condition)
        return graph_fail(g, WG_EARGUMENT, "vmap: a loop with a condition that also has a count of "
                                           "its own for every example");
    while (again && !error.status && !g->error.status) {
        if (condition && !ending.on && condition_on_axis(b, condition, in)) ending.on = true;
        for (size_t k = 0; ending.on && k < carries; k++) in[1 + captures + k] = true;
        for (size_t k = 0; ending.on && k < r->results; k++) out[carries + k] = true;
        wg_program_free(body);
        body = batched_body(b, given, in, out, &ending, &again, &error);
    }
    value operand[3][REGION_OPERANDS + 4], region = 0;
    bool counts = ending.on && !condition;
    if (ending.on && condition && !error.status) any = any_going(b, given, in, &error);
    else if (condition && !error.status) {
        struct ending none = {0};
        bool same[REGION_OPERANDS] = {0}, ignored;
        struct region plain = b->r;
        b->r.carries = 0; /* a condition carries nothing on */
        b->r.captures += carries;
        any = batched_body(b, condition, in, same, &none, &ignored, &error);
        b->r = plain;
    }
    fail_as(&g->error, &error);
    const size_t of[2] = {0, ending.on ? 0 : 1};
    if (!g->error.status && sizes_with_batch(b, any ? 2 : 1, of)) {
        size_t c[3] = {0};
        for (size_t k = 0; k < captures; k++) operand[0][c[0]++] = x[lead + k];
        if (counts) operand[0][c[0]++] = x[0];
        for (size_t k = 0; k < carries; k++) {
            value v = x[lead + captures + k];
            bool on = batched[lead + captures + k];
            operand[1][c[1]++] = in[1 + captures + k] && !on ? batch_broadcast(g, v, b->extent) : v;
        }
        if (ending.on && condition) {
            value both[2 * REGION_OPERANDS]; /* a condition looks at captures and carries */
            memcpy(both, operand[0], captures * sizeof *both);
            memcpy(both + captures, operand[1], carries * sizeof *both);
            value going = first_going(b, condition, in, both);
            operand[1][c[1]++] = going;
            wg_type numbers = {WG_I64, 1, {b->extent}};
            operand[1][c[1]++] = build_full(g, &numbers, 0);
        }
        for (size_t k = 0; k < r->stacks; k++) {
            value v = x[lead + captures + carries + k];
            operand[2][c[2]++] = batched[lead + captures + carries + k] ? swap_axes(g, v) : v;
        }
        value trips = counts ? most_of(g, x[0]) : lead ? x[0] : 0;
        struct region_parts parts = {
            .body = body, .condition = any, .sizes = b->sizes, .length = r->length,
            .flags = r->flags, .lead = trips, .capture = operand[0], .carry = operand[1],
            .stack = operand[2], .captures = c[0], .carries = c[1], .stacks = c[2],
            .results = r->results, .snapshots = r->snapshots};
        region = build_region(g, OP_loop, &parts);
        for (size_t k = 0; k < r->items; k++) {
            n = k < carries ? k : k - carries + c[1];
            value item = build_item(g, region, n);
            on_axis[k] = out[k];
            result[k] = k >= carries && out[k] ? swap_axes(g, item) : item;
        }
        *count_batched = ending.on;
        if (counts) { /* as many as it has, but for the bounds */
            value most = build_extent(g, r->length);
            *count = build_binary(g, OP_max, build_binary(g, OP_min, x[0], most),
                                  build_number(g, WG_I64, 0));
        } else {
            *count = build_item(g, region, ending.on ? c[1] - 1 : REGION_COUNT);
        }
    }
    wg_program_free(body);
    wg_program_free(any);
    return region;
}

/* ---- branches -------------------------------------------------------------------------------- */

/* One branch in the graph around it: its results, all on the axis. */
static bool inline_branch(struct batching *b, size_t k, value *result) {
    wg_graph *g = b->g;
    const struct trace *t = &region_body(&g->t, &b->r, k)->body->t;
    size_t sizes = t->size.count;
    value *map = mem_alloc_zero(&g->t.allocator, t->instr.count * sizeof *map);
    bool *on = mem_alloc_zero(&g->t.allocator, t->instr.count);
    wg_extent *size_map = mem_alloc(&g->t.allocator, (sizes + 1) * sizeof *size_map);
    bool ok = map && on && size_map;
    const struct trace *imported = g->imported;
    uint32_t at = g->imported_at, site = g->site;
    g->imported = NULL;
    if (ok) memcpy(size_map, region_sizes(&g->t, &b->r, k), sizes * sizeof *size_map);
    else fail_memory(&g->error);
    ok = ok && vmap_program(g, t, b->b->x + 1, b->b->batched + 1, b->extent, size_map, map, on);
    for (size_t i = 0; ok && i < t->output.count; i++) {
        value v = t->output.at[i].v;
        result[i] = on[v] ? map[v] : batch_broadcast(g, map[v], b->extent);
    }
    g->imported = imported;
    g->imported_at = at;
    g->site = site;
    mem_free(&g->t.allocator, map, t->instr.count * sizeof *map);
    mem_free(&g->t.allocator, on, t->instr.count);
    mem_free(&g->t.allocator, size_map, (sizes + 1) * sizeof *size_map);
    return ok && !g->error.status;
}

/* The index is one of each example's own: all branches, and a choice. */
static value choose_branches(struct batching *b, value *result, bool *on_axis, value *count) {
    wg_graph *g = b->g;
    size_t n = b->r.bodies;
    value index = b->b->x[0], other[REGION_OPERANDS];
    value top = build_number(g, WG_I64, (double)(n - 1)), zero = build_number(g, WG_I64, 0);
    *count = build_binary(g, OP_max, build_binary(g, OP_min, index, top), zero);
    for (size_t k = 0; k < n && !g->error.status; k++) {
        if (!inline_branch(b, k, k ? other : result)) return 0;
        value taken = build_binary(g, OP_eq, *count, build_number(g, WG_I64, (double)k));
        for (size_t i = 0; i < b->r.results; i++) {
            on_axis[i] = true;
            if (!k) continue;
            wg_type type = *type_of(&g->t, result[i]);
            result[i] = build_where(g, build_broadcast(g, taken, &type, 1), other[i], result[i]);
        }
    }
    return g->error.status ? 0 : *count;
}

static value branch_batch(struct batching *b, value *result, bool *on_axis, value *count) {
    wg_graph *g = b->g;
    struct region *r = &b->r;
    struct ending none = {0};
    bool in[REGION_OPERANDS + 1] = {0}, again;
    size_t n = r->bodies;
    const wg_program **body = mem_alloc_zero(&g->t.allocator, n * sizeof(wg_program *));
    wg_error error = {0};
    value region = 0;
    if (!body) return (value)graph_fail_memory(g);
    for (size_t k = 0; k < r->captures; k++) in[k] = b->b->batched[1 + k];
    struct region plain = *r;
    r->captures -= r->captures > 0; /* batched_body counts an index in front */
    for (int round = 0; round < 2; round++) /* one that has the axis in one branch has it in all */
        for (size_t k = 0; k < n && !error.status; k++) {
            wg_program_free((wg_program *)(uintptr_t)body[k]);
            body[k] = batched_body(b, region_body(&g->t, r, k)->body, in, on_axis, &none, &again,
                                   &error);
        }
    *r = plain;
    fail_as(&g->error, &error);
    if (!g->error.status && sizes_with_batch(b, n, NULL)) {
        struct region_parts parts = {.branch = body, .branches = n, .sizes = b->sizes,
                                     .lead = b->b->x[0], .capture = b->b->x + 1,
                                     .captures = r->captures, .results = r->results,
                                     .kept = r->kept};
        region = build_region(g, OP_branch, &parts);
        for (size_t k = 0; k < r->results; k++) result[k] = build_item(g, region, k);
        *count = build_item(g, region, REGION_COUNT);
    }
    for (size_t k = 0; k < n; k++) wg_program_free((wg_program *)(uintptr_t)body[k]);
    mem_free(&g->t.allocator, body, n * sizeof(wg_program *));
    return region;
}

/* ---- one by one ------------------------------------------------------------------------------ */

static bool has_indices(const struct trace *t) {
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        if (op_def(i->op)->check) return true;
        if (i->op != OP_loop && i->op != OP_branch) continue;
        struct region r = region_open(t, i->op, i->attr);
        for (size_t k = 0; k < r.bodies; k++) /* nested as deep as rules are */
            if (has_indices(&region_body(t, &r, k)->body->t)) return true;
    }
    return false;
}

/* What differs from one example to another in a body of a loop with carries of which carried[k] do;
 * NULL without memory. */
static bool *find_apart(struct batching *b, const struct trace *t, const bool *carried) {
    const bool *batched = b->b->batched + b->r.lead;
    bool *apart = mem_alloc_zero(&b->g->t.allocator, t->instr.count);
    if (!apart) return fail_memory(&b->g->error), NULL;
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        size_t k = i->op == OP_input ? input_number(t, v) : 0;
        size_t carry = k - 1 - b->r.captures;
        if (k > 0) apart[v] = carry < b->r.carries ? carried[carry] : batched[k - 1];
        for (size_t j = 0; j < i->narg; j++) apart[v] |= apart[args_of(t, i)[j]];
    }
    return apart;
}

/* Whether an index of the body may be one that no example has which goes on. */
static bool has_indices_apart(const struct trace *t, const bool *apart) {
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; op_def(i->op)->check && k < i->narg; k++) {
            value x = args_of(t, i)[k];
            if (apart[x] && !dtype_is_float(type_of(t, x)->dtype)) return true;
        }
        if (i->op != OP_loop && i->op != OP_branch) continue;
        struct region r = region_open(t, i->op, i->attr);
        for (size_t k = 0; k < r.bodies; k++)
            if (has_indices(&region_body(t, &r, k)->body->t)) return true;
    }
    return false;
}

/* A loop whose examples end apart. The condition of the next iteration is looked at even where the
 * loop's length ends it: whatever has an index there may be none of its axis. */
static bool loop_must(struct batching *b) {
    const struct trace *t = &region_body(&b->g->t, &b->r, 0)->body->t;
    const struct trace *c = b->r.bodies > 1 ? &region_body(&b->g->t, &b->r, 1)->body->t : NULL;
    size_t count = b->r.carries;
    bool carried[REGION_OPERANDS], more = true, ends = b->r.lead && b->b->batched[0];
    memcpy(carried, b->b->batched + b->r.lead + b->r.captures, count);
    bool *apart = NULL;
    while (more && !b->g->error.status) {
        more = false;
        if (apart) mem_free(&b->g->t.allocator, apart, t->instr.count);
        apart = find_apart(b, t, carried);
        for (size_t k = 0; apart && k < count; k++)
            if (!carried[k] && apart[t->output.at[k].v]) carried[k] = more = true;
    }
    if (!apart) return false;
    bool *of_condition = c ? find_apart(b, c, carried) : NULL;
    if (of_condition) {
        ends |= of_condition[c->output.at[0].v];
        mem_free(&b->g->t.allocator, of_condition, c->instr.count);
    }
    bool must = ends && (has_indices_apart(t, apart) || (c && has_indices(c)));
    mem_free(&b->g->t.allocator, apart, t->instr.count);
    return must;
}

/* Whether examples that do not take part would be asked for what they do not have. */
static bool must_go_one_by_one(struct batching *b) {
    if (b->r.op == OP_loop) return loop_must(b);
    for (size_t k = 0; b->b->batched[0] && k < b->r.bodies; k++)
        if (has_indices(&region_body(&b->g->t, &b->r, k)->body->t)) return true;
    return false;
}

/* The region itself for one example, as the body of a map; its count is the last result. */
static wg_program *body_of_one(struct batching *b, wg_error *error) {
    const struct trace *t = &b->g->t;
    const struct region *r = &b->r;
    wg_graph *h = graph_new(&t->allocator);
    size_t n = r->lead + r->captures + r->carries + r->stacks, sizes = 0, at = 0;
    for (size_t k = 0; k < r->bodies; k++) sizes += region_body(t, r, k)->body->t.size.count;
    wg_extent *map = mem_alloc(&t->allocator, (t->size.count + 1) * sizeof *map);
    wg_extent *size = mem_alloc(&t->allocator, (sizes + 1) * sizeof *size);
    const wg_program **branch = mem_alloc(&t->allocator, r->bodies * sizeof(wg_program *));
    if (h && map && size && branch) {
        const wg_type scalar = {.dtype = WG_I64};
        value x[REGION_OPERANDS + 1];
        char name[32];
        for (size_t k = 0; k < t->size.count; k++)
            map[k] = extent_size(h, graph_size(h, name_at(t, t->size.at[k])));
        graph_input(h, "index", &scalar);
        for (int stacks = 0; stacks < 2; stacks++) /* what all share, then slices */
            for (size_t k = 0; k < n; k++) {
                if (b->b->batched[k] != stacks) continue;
                wg_type type = graph_import_type(h, t, type_of(t, b->b->x[k]), map);
                if (stacks)
                    memmove(type.extent, type.extent + 1, --type.rank * sizeof *type.extent);
                snprintf(name, sizeof name, "x%zu", k + 1);
                x[k] = graph_input(h, name, &type);
            }
        for (size_t k = 0; k < r->bodies; k++) {
            branch[k] = region_body(t, r, k)->body;
            for (size_t i = 0; i < branch[k]->t.size.count; i++)
                size[at++] = extent_import(h, t, region_sizes(t, r, k)[i], map);
        }
        const value *operand = x + r->lead;
        struct region_parts parts = {.sizes = size, .lead = r->lead ? x[0] : 0, .capture = operand,
                                     .captures = r->captures, .results = r->results};
        if (r->op == OP_branch) {
            parts.branch = branch;
            parts.branches = r->bodies;
            parts.kept = r->kept;
        } else {
            parts.body = branch[0];
            parts.condition = r->bodies > 1 ? branch[1] : NULL;
            parts.length = extent_import(h, t, r->length, map);
            parts.flags = r->flags;
            parts.carry = operand + r->captures;
            parts.carries = r->carries;
            parts.stack = parts.carry + r->carries;
            parts.stacks = r->stacks;
            parts.snapshots = r->snapshots;
        }
        value region = h->error.status ? 0 : build_region(h, r->op, &parts);
        for (size_t k = 0; k <= r->items && !h->error.status; k++) {
            snprintf(name, sizeof name, "y%zu", k + 1);
            graph_output(h, name, build_item(h, region, k < r->items ? k : REGION_COUNT));
        }
    } else if (!h) {
        fail_memory(error);
    } else {
        fail_memory(&h->error);
    }
    mem_free(&t->allocator, map, (t->size.count + 1) * sizeof *map);
    mem_free(&t->allocator, size, (sizes + 1) * sizeof *size);
    mem_free(&t->allocator, branch, r->bodies * sizeof(wg_program *));
    return h ? graph_build(h, error) : NULL;
}

static value one_by_one(struct batching *b, value *result, bool *on_axis, value *count) {
    wg_graph *g = b->g;
    size_t n = b->r.lead + b->r.captures + b->r.carries + b->r.stacks, captures = 0, stacks = 0;
    value capture[REGION_OPERANDS], stack[REGION_OPERANDS], region = 0;
    wg_error error = {0};
    for (size_t k = 0; k < n; k++) {
        if (b->b->batched[k]) stack[stacks++] = b->b->x[k];
        else capture[captures++] = b->b->x[k];
    }
    wg_program *body = body_of_one(b, &error);
    fail_as(&g->error, &error);
    b->size_count = g->t.size.count;
    b->sizes = mem_alloc(&g->t.allocator, (b->size_count + 1) * sizeof *b->sizes);
    if (!b->sizes) fail_memory(&g->error);
    for (size_t k = 0; b->sizes && k < b->size_count; k++)
        b->sizes[k] = extent_size(g, (uint32_t)k);
    if (!g->error.status) {
        struct region_parts parts = {.body = body, .sizes = b->sizes, .length = b->extent,
                                     .flags = LOOP_APART, .capture = capture, .stack = stack,
                                     .captures = captures, .stacks = stacks,
                                     .results = b->r.items + 1};
        region = build_region(g, OP_loop, &parts);
        for (size_t k = 0; k < b->r.items; k++) {
            result[k] = build_item(g, region, k);
            on_axis[k] = true;
        }
        *count = build_item(g, region, b->r.items);
    }
    wg_program_free(body);
    return region;
}

value region_batch(const struct batch *given, value *result, bool *on_axis, value *count,
                   bool *count_batched) {
    wg_graph *g = given->g;
    struct batching b = {.g = g, .b = given, .extent = given->extent};
    size_t bytes;
    int64_t *words = region_copy(g, given->op, given->attr, &b.r, &bytes);
    if (!words) return 0;
    bool apart = must_go_one_by_one(&b);
    *count_batched = apart || (given->op == OP_branch && given->batched[0]);
    value region = apart                  ? one_by_one(&b, result, on_axis, count)
                   : given->op == OP_loop ? loop_batch(&b, result, on_axis, count, count_batched)
                   : *count_batched       ? choose_branches(&b, result, on_axis, count)
                                          : branch_batch(&b, result, on_axis, count);
    if (b.sizes) mem_free(&g->t.allocator, b.sizes, (b.size_count + 1) * sizeof *b.sizes);
    mem_free(&g->t.allocator, words, bytes);
    return region;
}
