/* Forward mode, reverse mode and batches of loops and branches: each is a loop or branch again,
 * whose bodies are the derivatives or batches of the bodies.
 *
 * Reverse mode runs a loop twice. The first run keeps, stack by stack, what the second needs; the
 * second goes through the iterations in the other order, with the adjoints of what is carried as
 * what it carries, and sums for captured values beside them. What is kept is decided in split.c; a
 * loop that is to keep snapshots only, or that has no bound, is that of revolve.c. A branch keeps
 * what its maker asked for: its reverse computes the branch that was taken again. */
#include "transform/region.h"

#include "op/build.h"
#include "op/describe.h"
#include "op/whole.h"
#include "transform/addends.h"
#include "transform/derive.h"
#include "transform/revolve.h"
#include "transform/series.h"
#include "transform/settled.h"
#include "transform/split.h"
#include "wengert/loop.h"

static void free_words(wg_graph *g, int64_t *words, size_t bytes) {
    if (words) mem_free(&g->t.allocator, words, bytes);
}

/* Inputs of a body in groups that stay groups when each gets companions behind it: a loop's index,
 * captures, carries, stacks; a branch's captures. */
struct groups {
    size_t count, end[4];
};

static struct groups groups_of(const struct region *r) {
    if (r->op == OP_branch) return (struct groups){1, {r->captures}};
    size_t a = 1, b = a + r->captures, c = b + r->carries;
    return (struct groups){4, {a, b, c, c + r->stacks}};
}

static value companion(struct derivation *d, const char *format, const char *name, value v) {
    const char *fresh = derive_name(d, false, format, name, "");
    if (!fresh || d->g->error.status) return 0;
    wg_type type = *type_of(&d->g->t, v);
    return graph_input(d->g, fresh, &type);
}

static void output_as(struct derivation *d, const char *format, const char *name, value v) {
    const char *fresh = derive_name(d, true, format, name, "");
    if (fresh && !d->g->error.status) graph_output(d->g, fresh, v);
}

/* ---- forward mode, and series ---------------------------------------------------------------- */
/* What is said of tangents holds of series, which are tangents of an order > 0. */

static value tangent_input(struct derivation *d, size_t i, int order) {
    if (order == 0) return companion(d, "%a_dot", from_input_name(d, i), d->input[i]);
    const char *fresh = derive_name(d, false, "%a_series", from_input_name(d, i), "");
    wg_type type;
    if (!fresh || d->g->error.status ||
        !series_type(d->g, type_of(&d->g->t, d->input[i]), order, &type))
        return 0;
    return graph_input(d->g, fresh, &type);
}

/* Zeros in the place of the tangent of x. */
static value zero_tangent(wg_graph *g, value x, int order) {
    wg_type type;
    if (order == 0 || g->error.status) return build_like(g, x, 0);
    return series_type(g, type_of(&g->t, x), order, &type) ? build_full(g, &type, 0) : 0;
}

/* Inputs of d->g: those of each group, then tangents for those that `tangent` names. */
static void inputs_with_tangents(struct derivation *d, const struct groups *groups,
                                 const bool *tangent, int order) {
    for (size_t k = 0, begin = 0; k < groups->count; begin = groups->end[k++]) {
        for (size_t i = begin; i < groups->end[k]; i++) derive_input(d, i);
        for (size_t i = begin; i < groups->end[k]; i++)
            if (tangent[i]) d->extra[i] = tangent_input(d, i, order);
    }
}

static bool tangents_of_body(struct derivation *d, int order) {
    if (d->g->error.status) return false;
    if (order > 0)
        return series_program(d->g, d->from, d->input, d->extra, order, d->size_map, NULL, 0,
                              d->map, d->map_t);
    return jvp_program(d->g, d->from, d->input, d->extra, d->size_map, NULL, 0, NULL, d->map,
                       d->map_t);
}

/* The body joined with its tangents. in[i]: which inputs have one; out[i]: which outputs are to
 * have one, and more that turn out to. Carries that turn out to have one are added to in, and
 * *again says that all is to be done again with them. */
static wg_program *tangent_body(const wg_program *body, const struct region *r, int order, bool *in,
                                bool *out, bool *again, wg_error *error) {
    struct derivation d;
    struct groups groups = groups_of(r);
    *again = false;
    if (derive_begin(&d, body, error)) {
        size_t outputs = body->t.output.count;
        inputs_with_tangents(&d, &groups, in, order);
        if (tangents_of_body(&d, order)) {
            for (size_t k = 0; k < outputs; k++) {
                bool has = d.map_t[d.from->output.at[k].v] != 0;
                size_t carry = 1 + r->captures + k; /* its input */
                if (has && k < r->carries && !in[carry]) in[carry] = *again = true;
                out[k] = out[k] || has || (k < r->carries && in[carry]);
            }
            size_t middle = r->op == OP_branch ? r->results - r->kept : r->carries;
            size_t part[3] = {0, middle, outputs};
            for (size_t p = 0; p < 2; p++) {
                for (size_t k = part[p]; k < part[p + 1]; k++)
                    output_as(&d, "%a", from_output_name(&d, k), d.map[d.from->output.at[k].v]);
                for (size_t k = part[p]; k < part[p + 1]; k++) {
                    value v = d.from->output.at[k].v;
                    if (out[k])
                        output_as(&d, order ? "%a_series" : "%a_dot", from_output_name(&d, k),
                                  d.map_t[v] ? d.map_t[v] : zero_tangent(d.g, d.map[v], order));
                }
            }
        }
    }
    wg_program *p = derive_finish(&d);
    return p;
}

/* The same program with inputs that it does not look at: tangents of its own. */
static wg_program *with_tangents(const wg_program *p, const struct region *r, int order,
                                 const bool *in, wg_error *error) {
    struct derivation d;
    struct groups groups = groups_of(r);
    groups.count = 3; /* a condition sees no stacks */
    if (derive_begin(&d, p, error)) {
        inputs_with_tangents(&d, &groups, in, order);
        if (!d.g->error.status && graph_inline(d.g, d.from, d.input, d.size_map, d.map))
            derive_primals(&d);
    }
    return derive_finish(&d);
}

/* values of x, then the tangents that are there */
static size_t with_companions(const value *x, const value *t, const bool *has, size_t count,
                              int order, wg_graph *g, value *out) {
    size_t n = 0;
    for (size_t k = 0; k < count; k++) out[n++] = x[k];
    for (size_t k = 0; k < count; k++)
        if (has[k]) out[n++] = t[k] ? t[k] : zero_tangent(g, x[k], order);
    return n;
}

static bool too_many(wg_graph *g, const struct region *r, size_t factor) {
    size_t operands = r->captures + r->carries + r->stacks + r->results;
    if (factor * operands < REGION_OPERANDS) return false;
    graph_fail(g, WG_EOVERFLOW,
               "%s: a derivative or batch of %zu operands and results would have more than %d",
               op_def(r->op)->name, operands, REGION_OPERANDS);
    return true;
}

static const wg_program **program_list(wg_graph *g, size_t count) {
    const wg_program **list = mem_alloc_zero(&g->t.allocator, count * sizeof(wg_program *));
    if (!list) fail_memory(&g->error);
    return list;
}

static void free_programs(wg_graph *g, const wg_program **list, size_t count) {
    for (size_t k = 0; list && k < count; k++)
        wg_program_free((wg_program *)(uintptr_t)list[k]);
    if (list) mem_free(&g->t.allocator, list, count * sizeof(wg_program *));
}

static size_t wanted_tangents(const struct region *region, const bool *out) {
    size_t count = 0;
    for (size_t k = 0; k < region->results; k++) count += out[k];
    return count;
}

static value branch_tangent(const struct rule *r, const struct region *region, int order,
                            const value *t, value *primal, value *tangent) {
    wg_graph *g = r->g;
    size_t n = region->bodies;
    bool in[REGION_OPERANDS] = {0}, out[REGION_OPERANDS] = {0}, again;
    const wg_program **body = program_list(g, n);
    wg_error error = {0};
    value result = 0, capture[2 * REGION_OPERANDS];
    for (size_t k = 0; k < region->captures; k++) in[k] = t[1 + k] != 0;
    /* Outputs that have a tangent in one branch have one in all: again, where another one has shown
     * more of them. Only there, or branches in branches would take twice the time for each level. */
    for (int round = 0; body && round < 2; round++)
        for (size_t k = 0; k < n && !error.status; k++) {
            size_t tangents = wanted_tangents(region, out);
            if (round && body[k]->t.output.count == region->results + tangents) continue;
            wg_program_free((wg_program *)(uintptr_t)body[k]);
            body[k] = tangent_body(region_body(&g->t, region, k)->body, region, order, in, out,
                                   &again, &error);
        }
    fail_as(&g->error, &error);
    if (body && !g->error.status) {
        size_t plain = region->results - region->kept;
        struct region_parts parts = {.branch = body, .branches = n, .sizes = region->extent,
                                     .lead = r->x[0], .capture = capture,
                                     .results = region->results, .kept = region->kept};
        for (size_t k = 0; k < region->results; k++) {
            parts.results += out[k];
            if (k >= plain) parts.kept += out[k];
        }
        parts.captures = with_companions(r->x + 1, t + 1, in, region->captures, order, g, capture);
        result = build_region(g, OP_branch, &parts);
        for (size_t part = 0; part < 2; part++) { /* results, then those that are kept */
            size_t begin = part ? plain : 0, end = part ? region->results : plain;
            size_t item = part ? parts.results - parts.kept : 0, item_t = item + end - begin;
            for (size_t k = begin; k < end; k++) {
                primal[k] = build_item(g, result, item++);
                tangent[k] = out[k] ? build_item(g, result, item_t++) : 0;
            }
        }
    }
    free_programs(g, body, n);
    return result;
}

/* The series of a stack [order, length, ...] as the stack of the series of its slices, and back. */
static value swapped(wg_graph *g, value series) {
    uint8_t perm[WG_MAX_RANK] = {1, 0, 2, 3, 4, 5, 6, 7};
    return series ? build_transpose(g, series, perm) : 0;
}

static value loop_tangent(const struct rule *r, const struct region *region, int order,
                          const value *t, value *primal, value *tangent) {
    wg_graph *g = r->g;
    bool in[REGION_OPERANDS + 1] = {0}, out[REGION_OPERANDS] = {0}, again = true;
    wg_error error = {0};
    wg_program *body = NULL, *condition = NULL;
    size_t first = region->lead, captures = region->captures, carries = region->carries;
    const value *x = r->x + first;
    t += first;
    for (size_t k = 0; k < captures + carries + region->stacks; k++) in[1 + k] = t[k] != 0;
    while (again && !error.status) {
        wg_program_free(body);
        body = tangent_body(region_body(&g->t, region, 0)->body, region, order, in, out, &again,
                            &error);
    }
    if (region->bodies > 1 && !error.status)
        condition = with_tangents(region_body(&g->t, region, 1)->body, region, order, in, &error);
    fail_as(&g->error, &error);
    value result = 0, operand[3][2 * REGION_OPERANDS];
    if (!g->error.status) {
        size_t n[3];
        n[0] = with_companions(x, t, in + 1, captures, order, g, operand[0]);
        n[1] = with_companions(x + captures, t + captures, in + 1 + captures, carries, order, g,
                               operand[1]);
        n[2] = with_companions(x + captures + carries, t + captures + carries,
                               in + 1 + captures + carries, region->stacks, order, g, operand[2]);
        for (size_t k = region->stacks; order > 0 && k < n[2]; k++)
            operand[2][k] = swapped(g, operand[2][k]);
        struct region_parts parts = {
            .body = body, .condition = condition, .sizes = region->extent,
            .length = region->length, .flags = region->flags, .lead = first ? r->x[0] : 0,
            .capture = operand[0], .carry = operand[1], .stack = operand[2], .captures = n[0],
            .carries = n[1], .stacks = n[2], .results = region->results,
            .snapshots = region->snapshots};
        for (size_t k = 0; k < region->results; k++) parts.results += out[carries + k];
        result = build_region(g, OP_loop, &parts);
        size_t carry_t = carries, item = n[1], item_t = n[1] + region->results;
        for (size_t k = 0; k < region->items; k++) {
            bool carried = k < carries;
            primal[k] = build_item(g, result, carried ? k : item++);
            tangent[k] = !out[k] ? 0 : build_item(g, result, carried ? carry_t++ : item_t++);
            if (order > 0 && !carried) tangent[k] = swapped(g, tangent[k]);
        }
    }
    wg_program_free(body);
    wg_program_free(condition);
    return result;
}

value region_series(const struct rule *r, int order, const value *t, value *primal,
                    value *tangent) {
    struct region region;
    size_t bytes;
    int64_t *words = region_copy(r->g, r->op, r->attr, &region, &bytes);
    if (!words) return 0;
    value result = too_many(r->g, &region, 2) ? 0
                   : r->op == OP_branch ? branch_tangent(r, &region, order, t, primal, tangent)
                                        : loop_tangent(r, &region, order, t, primal, tangent);
    free_words(r->g, words, bytes);
    return result;
}

value region_tangent(const struct rule *r, const value *t, value *primal, value *tangent) {
    return region_series(r, 0, t, primal, tangent);
}

/* ---- reverse mode ---------------------------------------------------------------------------- */

/* Which operands adjoints are wanted of, carries closed under what the body does with them. */
static bool close_active(wg_graph *g, const struct region *region, const value *x,
                         const bool *active, uint8_t *mask) {
    size_t first = region->lead, captures = region->captures, carries = region->carries;
    size_t operands = captures + carries + region->stacks;
    bool any = false;
    for (size_t k = 0; k < operands; k++) {
        mask[k] = active[first + k] && value_is_float(&g->t, x[first + k]);
        any |= mask[k];
    }
    if (!any || carries == 0) return any;
    wg_error error = {0};
    bool more = split_active(region_body(&g->t, region, 0)->body, region, mask, &error);
    fail_as(&g->error, &error);
    return any && more;
}

/* Whether the loop is run again for what its reverse needs, rather than keeping it. */
static bool is_run_again(const struct region *region, size_t kept) {
    return kept > 0 && (region->snapshots || region->length == WG_UNBOUNDED ||
                        region->flags & LOOP_AGAIN);
}

/* Makes the loop `old` what `new` is, which has its operands and gives all that it gives and keeps
 * more: so that not both run. Not where somebody reads what the old one kept. */
static bool take_place(wg_graph *g, value old, value new, size_t first_kept) {
    struct trace *t = &g->t;
    if (g->error.status || g->eager || instr_at(t, old)->narg != instr_at(t, new)->narg)
        return false;
    struct instr *i = &t->instr.at[old];
    if (memcmp(args_of(t, i), args_of(t, instr_at(t, new)), i->narg * sizeof(value)) != 0)
        return false;
    for (value v = old + 1; v < t->instr.count; v++)
        for (size_t k = 0; k < instr_at(t, v)->narg; k++) {
            value x = args_of(t, instr_at(t, v))[k];
            const struct instr *item = instr_at(t, x);
            if (x > old && item->op == OP_item && args_of(t, item)[0] == old &&
                attr_words(t, item->attr)[0] >= (int64_t)first_kept &&
                attr_words(t, item->attr)[0] != REGION_COUNT)
                return false;
        }
    uint32_t hash;
    struct intern_slot *slot = instr_slot(g, i->op, i->type, instr_at(t, new)->attr,
                                          args_of(t, i), i->narg, &hash);
    if (slot->id == new) slot->id = old;
    i->attr = instr_at(t, new)->attr;
    return true;
}

/* split_loop where elements of carries are settled: marks these in mask. False if none are, if it
 * does not come to an end for want of room for more operands, or, with an error, of memory. Not of
 * loops within others that are split: what they leave behind would be kept. */
static bool split_settled(const wg_graph *g, const struct region *r, const value *x,
                          uint8_t *mask, bool guarded, wg_program **body, wg_program **reverse,
                          size_t *kept, wg_error *memory) {
    wg_error own = {0}, *error = &own;
    bool settled[REGION_OPERANDS] = {0}, read[4 * REGION_OPERANDS] = {0};
    uint8_t wide_mask[2 * REGION_OPERANDS] = {0};
    struct region wide = *r;
    size_t behind = r->carries + r->stacks;
    wg_program *late =
        g->is_iteration ? NULL : settle_body(&g->t, r, x, mask, settled, error);
    wg_program *forward = NULL, *backward = NULL, *runs = NULL;
    if (!late) {
        if (own.status == WG_ENOMEM) *memory = own;
        return false;
    }
    for (size_t k = 0; k < r->carries; k++) wide.captures += settled[k];
    memcpy(wide_mask, mask, r->captures);
    memcpy(wide_mask + wide.captures, mask + r->captures, behind);
    if (split_loop(late, &wide, wide_mask, guarded, &forward, &backward, kept, error)) {
        runs = settled_part(forward, false, error);
        *reverse = settled_part(backward, true, error);
    }
    bool good = runs && *reverse;
    if (good) inputs_read(&runs->t, read);
    for (size_t k = 0; k < wide.captures + behind + 1; k++) {
        bool is_final = k > r->captures && k <= wide.captures;
        good = good && !(is_final && read[k]);
        read[k] = !is_final;
    }
    if (good) *body = only_read(runs, read, error);
    for (size_t k = 0; k < r->carries && *body; k++)
        if (settled[k]) mask[r->captures + k] |= REGION_SETTLED;
    if (!*body) {
        wg_program_free(*reverse);
        *reverse = NULL;
    }
    wg_program_free(late);
    wg_program_free(forward);
    wg_program_free(backward);
    wg_program_free(runs);
    if (own.status == WG_ENOMEM) *memory = own;
    return *body != NULL;
}

value region_reversible(const struct rule *r, const bool *active, bool guarded, bool plain) {
    wg_graph *g = r->g;
    struct region region;
    size_t bytes;
    uint8_t mask[REGION_OPERANDS] = {0};
    if (r->op != OP_loop) return r->y;
    int64_t *words = region_copy(g, r->op, r->attr, &region, &bytes);
    if (!words) return 0;
    value result = r->y;
    if (plain) region.kept = 0;
    bool any = close_active(g, &region, r->x, active, mask), there = !guarded && !plain;
    size_t operands = region.captures + region.carries + region.stacks, kept = 0;
    for (size_t k = 0; k < operands; k++)
        there = there && mask[k] <= (region.active[k] & REGION_ACTIVE);
    there = there && region_body(&g->t, &region, 0)->reverse;
    if (any && !there && !g->error.status && !too_many(g, &region, 2)) {
        wg_error error = {0};
        wg_program *body = NULL, *reverse = NULL;
        struct region_parts parts = {
            .sizes = region.extent, .length = region.length, .flags = region.flags,
            .lead = region.lead ? r->x[0] : 0, .capture = r->x + region.lead,
            .captures = region.captures, .carries = region.carries, .stacks = region.stacks,
            .active = mask, .snapshots = region.snapshots};
        parts.carry = parts.capture + parts.captures;
        parts.stack = parts.carry + parts.carries;
        if (!split_settled(g, &region, r->x, mask, guarded, &body, &reverse, &kept, &error) &&
            !split_loop(region_body(&g->t, &region, 0)->body, &region, mask, guarded, &body,
                        &reverse, &kept, &error)) {
            result = 0;
        } else if (!is_run_again(&region, kept)) {
            parts.results = region.results - region.kept + kept;
            parts.kept = kept;
            parts.body = body;
            parts.reverse = reverse;
            if (region.bodies > 1) parts.condition = region_body(&g->t, &region, 1)->body;
            result = build_region(g, OP_loop, &parts);
            if (result && result != r->y && !plain && instr_at(&g->t, r->y)->op == OP_loop &&
                take_place(g, r->y, result, region.carries + region.results - region.kept))
                result = r->y;
            for (size_t k = 0; k < parts.carries + parts.results; k++) build_item(g, result, k);
        }
        fail_as(&g->error, &error);
        wg_program_free(body);
        wg_program_free(reverse);
    }
    free_words(g, words, bytes);
    return g->error.status ? 0 : result;
}

static value or_zero(wg_graph *g, value v, value like) {
    return v ? v : build_like(g, like, 0);
}

/* ---- what is not read ------------------------------------------------------------------------ */

void inputs_read(const struct trace *t, bool *read) {
    for (value v = 1; v < t->instr.count; v++)
        for (size_t k = 0; k < instr_at(t, v)->narg; k++) {
            value x = args_of(t, instr_at(t, v))[k];
            if (value_is_input(t, x)) read[input_number(t, x)] = true;
        }
    for (size_t k = 0; k < t->output.count; k++) {
        value y = t->output.at[k].v;
        if (value_is_input(t, y)) read[input_number(t, y)] = true;
    }
}

wg_program *only_read(const wg_program *p, const bool *read, wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, p, error)) {
        for (size_t i = 0; i < p->t.input.count; i++)
            if (read[i]) derive_input(&d, i);
        if (!d.g->error.status && graph_inline(d.g, d.from, d.input, d.size_map, d.map))
            derive_primals(&d);
    }
    return derive_finish(&d);
}

size_t keep_read(value *list, size_t count, const bool *read) {
    size_t n = 0;
    for (size_t k = 0; k < count; k++)
        if (read[k]) list[n++] = list[k];
    return n;
}

/* ---- loops backwards ------------------------------------------------------------------------- */

/* A loop backwards in the making. It carries adjoints of carries, then sums for captures. */
struct backwards {
    struct region_parts parts;
    value captured[2 * REGION_OPERANDS], given[2 * REGION_OPERANDS]; /* those read; all */
    value carried[2 * REGION_OPERANDS], stacked[2 * REGION_OPERANDS];
    value began[2 * REGION_OPERANDS], like[2 * REGION_OPERANDS]; /* of all carries; 0: zeros */
    size_t carries;
    struct addends addends;
    wg_program *body;
};

static void carry_adjoint(struct backwards *b, value began, value like) {
    b->began[b->carries] = began;
    b->like[b->carries++] = like;
}

/* What the reverse takes and gives, in its order. */
static void collect_backwards(const struct rule *r, const struct region *region, const value *ct,
                              const value *adjoint, const value *item, struct backwards *b) {
    wg_graph *g = r->g;
    size_t captures = region->captures, carries = region->carries, stacks = region->stacks;
    size_t plain = region->results - region->kept, n = 0;
    const value *capture = r->x + region->lead, *carry = capture + captures,
                *stack = carry + carries;
    const int64_t *active = region->active;
    memcpy(b->given, capture, captures * sizeof *capture);
    b->parts.captures = captures;
    for (size_t k = 0; k < carries; k++)
        if (active[captures + k] & REGION_SETTLED) b->given[b->parts.captures++] = item[k];
    for (size_t k = 0; k < carries; k++)
        if (active[captures + k] & REGION_ACTIVE) carry_adjoint(b, ct[k], carry[k]);
    for (size_t k = 0; k < captures; k++)
        if (active[k] & REGION_ACTIVE) carry_adjoint(b, adjoint[region->lead + k], capture[k]);
    for (size_t k = 0; k < region->kept; k++) b->stacked[n++] = item[carries + plain + k];
    for (size_t k = 0; k < stacks; k++) b->stacked[n++] = stack[k];
    for (size_t k = 0; k < plain && !g->error.status; k++)
        if (value_is_float(&g->t, item[carries + k]))
            b->stacked[n++] = or_zero(g, ct[carries + k], item[carries + k]);
    b->parts.stacks = n;
    for (size_t k = 0; k < stacks; k++)
        b->parts.results += (active[captures + carries + k] & REGION_ACTIVE) != 0;
}

/* Whether it runs about as often as it is long, as far as one sees: addends are summed up over the
 * whole length. */
static bool has_own_length(const wg_graph *g, const struct region *region,
                           const struct region_parts *parts) {
    struct whole count;
    if (region->flags & (LOOP_CONDITION | LOOP_AGAIN)) return false;
    if (!parts->lead) return true;
    if (!whole_value(&g->t, region_bare_count(&g->t, parts->lead, region->length), &count))
        return false;
    for (uint32_t k = 0; k < count.count; k++)
        for (size_t j = 0; j < MOST_FACTORS && count.term[k].factor[j]; j++) {
            uint32_t f = count.term[k].factor[j];
            if (!(f & FACTOR_SIZE) && !value_is_input(&g->t, f)) return false;
        }
    return true;
}

/* The loop backwards. r speaks of one that is reversible for what is active. What its body does not
 * read it is not given: so a loop around has not to keep it. */
static value build_backwards(wg_graph *g, const struct region *region, struct backwards *b) {
    struct region_parts *parts = &b->parts;
    const wg_program *reverse = region_body(&g->t, region, 0)->reverse;
    size_t given = parts->captures;
    bool read[1 + 6 * REGION_OPERANDS] = {0};
    wg_error error = {0};
    parts->body = reverse;
    if (!region->snapshots && region->length != WG_UNBOUNDED && has_own_length(g, region, parts) &&
        find_addends(reverse, given, b->carries, g->is_iteration, &b->addends, &error))
        parts->body = b->addends.body;
    for (size_t k = 0; k < b->carries; k++)
        if (!b->addends.apart[k])
            b->carried[parts->carries++] = or_zero(g, b->began[k], b->like[k]);
    parts->results += b->addends.results;
    memcpy(b->captured, b->given, given * sizeof *b->given);
    if (!region->snapshots && !error.status && !g->error.status) {
        inputs_read(&parts->body->t, read);
        read[0] = true;
        for (size_t k = 0; k < parts->carries; k++) read[1 + given + k] = true;
        parts->body = b->body = only_read(parts->body, read, &error);
        parts->captures = keep_read(b->captured, given, read + 1);
        parts->stacks = keep_read(b->stacked, parts->stacks, read + 1 + given + parts->carries);
    }
    fail_as(&g->error, &error);
    return g->error.status ? 0 : build_region(g, OP_loop, parts);
}

static bool loop_adjoints(const struct rule *r, const struct region *region, const value *ct,
                          value *adjoint) {
    wg_graph *g = r->g;
    size_t captures = region->captures, behind = region->lead + captures, at = 0, n = 0;
    value item[REGION_OPERANDS], addend[2 * REGION_OPERANDS];
    struct backwards b = {.parts = {.sizes = region->extent, .length = region->length,
                                    .flags = region->flags ^ LOOP_BACKWARDS,
                                    .snapshots = region->snapshots}};
    b.parts.flags &= ~(LOOP_APART | LOOP_RECORD);
    b.parts.capture = b.captured;
    b.parts.carry = b.carried;
    b.parts.stack = b.stacked;
    bool ends_early = region->flags & (LOOP_COUNTED | LOOP_CONDITION);
    if (ends_early) b.parts.lead = build_item(g, r->y, REGION_COUNT);
    for (size_t k = 0; k < region->items; k++)
        item[k] = build_item(g, r->y, k);
    collect_backwards(r, region, ct, adjoint, item, &b);
    value loop = build_backwards(g, region, &b);
    size_t results = b.parts.carries + b.parts.results;
    for (size_t k = 0; k < b.addends.results; k++)
        addend[k] = build_item(g, loop, results - b.addends.results + k);
    struct region_parts like = b.parts; /* with all captures */
    like.capture = b.given;
    for (size_t k = 0; k < region->carries + captures && !g->error.status; k++) {
        bool is_carry = k < region->carries;
        value *to = &adjoint[is_carry ? behind + k : region->lead + k - region->carries];
        *to = 0;
        if (!(region->active[is_carry ? captures + k : k - region->carries] & REGION_ACTIVE))
            continue;
        *to = b.addends.apart[at] ? add_addends(g, &b.addends, at, b.began[at], b.like[at], &like,
                                                addend)
                                  : build_item(g, loop, n++);
        at++;
    }
    for (size_t k = 0; k < region->stacks; k++) {
        bool is_active = region->active[captures + region->carries + k] & REGION_ACTIVE;
        adjoint[behind + region->carries + k] = is_active ? build_item(g, loop, n++) : 0;
    }
    wg_program_free(b.body);
    wg_program_free(b.addends.body);
    return !g->error.status;
}

/* A body and its adjoints: captures, the sums that there are, adjoints of results as far as
 * `seeded` -> adjoints of active captures, with those sums, then the kept results. */
static wg_program *branch_and_adjoints(const wg_program *body, const struct region *r,
                                       const bool *active, const value *sum, const bool *seeded,
                                       bool guarded, bool within, wg_error *error) {
    struct derivation d;
    value y[2 * REGION_OPERANDS], ct[2 * REGION_OPERANDS];
    value wrt[REGION_OPERANDS], adjoint[REGION_OPERANDS];
    size_t seeds = 0, n = 0;
    if (derive_begin(&d, body, error)) {
        d.g->is_iteration = within;
        for (size_t i = 0; i < r->captures; i++) derive_input(&d, i);
        for (size_t i = 0; i < r->captures; i++) {
            if (!active[1 + i]) continue;
            wrt[n++] = d.input[i];
            if (!sum[1 + i]) continue;
            y[seeds] = d.input[i]; /* its adjoint begins with the sum so far */
            ct[seeds++] = companion(&d, "%a_sum", from_input_name(&d, i), d.input[i]);
        }
        if (!d.g->error.status &&
            region_inline(d.g, d.from, d.input, active + 1, d.size_map, d.map)) {
            for (size_t k = 0; k < r->results; k++) {
                value v = d.map[d.from->output.at[k].v];
                if (d.g->error.status || !seeded[k]) continue;
                y[seeds] = v;
                ct[seeds++] = companion(&d, "%a_bar", from_output_name(&d, k), v);
            }
            if (vjp_guarded(d.g, y, ct, seeds, wrt, n, guarded, adjoint))
                for (size_t k = 0; k < n; k++)
                    output_as(&d, "%a", "x_bar", or_zero(d.g, adjoint[k], wrt[k]));
            for (size_t k = r->results - r->kept; k < r->results && !d.g->error.status; k++)
                output_as(&d, "%a", from_output_name(&d, k), d.map[d.from->output.at[k].v]);
        }
    }
    return derive_finish(&d);
}

/* One branch backwards: captures, kept results, then as above -> adjoints of active captures. What
 * is kept is read, and the rest computed again from it. */
static wg_program *reverse_branch(const wg_program *body, const struct region *r,
                                  const bool *active, const value *sum, const bool *seeded,
                                  bool guarded, bool within, wg_error *error) {
    wg_program *all = branch_and_adjoints(body, r, active, sum, seeded, guarded, within, error);
    struct derivation d;
    if (!all || r->kept == 0) return all;
    if (derive_begin(&d, all, error)) {
        size_t wants = d.from->output.count - r->kept;
        for (size_t i = 0; i < r->captures; i++) derive_input(&d, i);
        for (size_t k = 0; k < r->kept && !d.g->error.status; k++) {
            value v = d.from->output.at[wants + k].v;
            wg_type type = graph_import_type(d.g, d.from, type_of(d.from, v), d.size_map);
            value kept = graph_input(d.g, derive_name(&d, false, "kept", "", ""), &type);
            if (!value_is_input(d.from, v)) d.map[v] = kept;
        }
        for (size_t i = r->captures; i < d.from->input.count; i++) derive_input(&d, i);
        for (value v = 1; v < d.from->instr.count && !d.g->error.status; v++) {
            const struct instr *i = instr_at(d.from, v);
            if (i->op == OP_input) d.map[v] = d.input[input_number(d.from, v)];
            else if (!d.map[v]) d.map[v] = graph_import(d.g, d.from, v, d.size_map, d.map);
        }
        d.g->site = 0;
        for (size_t k = 0; k < wants && !d.g->error.status; k++)
            output_as(&d, "%a", "x_bar", d.map[d.from->output.at[k].v]);
    }
    wg_program *p = derive_finish(&d);
    wg_program_free(all);
    return p;
}

static bool branch_adjoints(const struct rule *r, const struct region *region, const bool *active,
                            const value *ct, value *adjoint) {
    wg_graph *g = r->g;
    const wg_program **body = program_list(g, region->bodies);
    wg_error error = {0};
    value capture[2 * REGION_OPERANDS];
    bool wanted[REGION_OPERANDS] = {0}, seeded[REGION_OPERANDS] = {0};
    size_t n = 0, results = 0;
    for (size_t k = 0; k < region->captures; k++) {
        wanted[1 + k] = active[1 + k] && value_is_float(&g->t, r->x[1 + k]);
        results += wanted[1 + k];
        capture[n++] = r->x[1 + k];
    }
    for (size_t k = region->results - region->kept; k < region->results; k++)
        capture[n++] = build_item(g, r->y, k);
    for (size_t k = 0; k < region->captures; k++)
        if (wanted[1 + k] && adjoint[1 + k]) capture[n++] = adjoint[1 + k];
    for (size_t k = 0; k < region->results; k++) {
        seeded[k] = ct[k] != 0;
        if (seeded[k]) capture[n++] = ct[k];
    }
    for (size_t k = 0; body && k < region->bodies && !error.status; k++)
        body[k] = reverse_branch(region_body(&g->t, region, k)->body, region, wanted, adjoint,
                                 seeded, r->guarded, g->is_iteration, &error);
    bool read[4 * REGION_OPERANDS] = {0};
    for (size_t k = 0; body && k < region->bodies && !error.status; k++)
        inputs_read(&body[k]->t, read);
    for (size_t k = 0; body && k < region->bodies && !error.status; k++) {
        wg_program *less = only_read(body[k], read, &error);
        wg_program_free((wg_program *)(uintptr_t)body[k]);
        body[k] = less;
    }
    fail_as(&g->error, &error);
    if (body && !g->error.status && results) {
        struct region_parts parts = {.branch = body, .branches = region->bodies,
                                     .sizes = region->extent, .capture = capture,
                                     .captures = keep_read(capture, n, read), .lead = r->x[0],
                                     .results = results};
        value branch = build_region(g, OP_branch, &parts);
        for (size_t k = 0, at = 0; k < region->captures; k++)
            adjoint[1 + k] = wanted[1 + k] ? build_item(g, branch, at++) : 0;
    }
    free_programs(g, body, region->bodies);
    return !g->error.status;
}

bool region_adjoints(const struct rule *r, const bool *active, const value *ct, value *adjoint) {
    struct region region;
    size_t bytes;
    uint8_t mask[REGION_OPERANDS] = {0};
    int64_t *words = region_copy(r->g, r->op, r->attr, &region, &bytes);
    if (!words) return false;
    bool ok = !too_many(r->g, &region, 2);
    if (ok && r->op == OP_branch) {
        ok = branch_adjoints(r, &region, active, ct, adjoint);
    } else if (ok && region_body(&r->g->t, &region, 0)->reverse) {
        ok = loop_adjoints(r, &region, ct, adjoint);
    } else if (ok && close_active(r->g, &region, r->x, active, mask)) {
        ok = revolve_adjoints(r, &region, mask, ct, adjoint);
    }
    free_words(r->g, words, bytes);
    return ok;
}

bool region_inline(wg_graph *g, const struct trace *from, const value *input, const bool *active,
                   const wg_extent *size_map, value *map) {
    size_t bytes = from->instr.count;
    bool *depends = mem_alloc_zero(&g->t.allocator, bytes);
    if (!depends) return fail_memory(&g->error), false;
    for (value v = 1; v < from->instr.count; v++) map[v] = 0;
    for (value v = 1; v < from->instr.count && !g->error.status; v++) {
        const struct instr *i = instr_at(from, v);
        if (i->op == OP_input) {
            int64_t index = attr_words(from, i->attr)[0];
            map[v] = input[index];
            depends[v] = active[index];
            continue;
        }
        bool is_there = map[v] != 0; /* a result of what was spread */
        bool floats = dtype_is_float(type_at(from, i->type)->dtype), here[UINT8_MAX];
        enum op_class class = (enum op_class)op_def(i->op)->class;
        value x[UINT8_MAX];
        for (size_t k = 0; k < i->narg; k++) {
            here[k] = depends[args_of(from, i)[k]];
            x[k] = map[args_of(from, i)[k]];
            depends[v] |= here[k] && class != NODIFF && (floats || class == REGION);
        }
        if (is_there) continue;
        if (depends[v] && map_spreads(from, v)) {
            spread_map(g, from, v, size_map, map);
            continue;
        }
        map[v] = graph_import(g, from, v, size_map, map);
        if (i->op != OP_loop || !depends[v] || g->error.status) continue;
        struct rule r = {.g = g, .y = map[v], .x = x, .narg = i->narg, .op = i->op,
                         .attr = instr_at(&g->t, map[v])->attr};
        bool kept = region_open(&g->t, r.op, r.attr).kept > 0;
        map[v] = region_reversible(&r, here, false, kept);
    }
    mem_free(&g->t.allocator, depends, bytes);
    if (!g->error.status) g->site = 0;
    return g->error.status == WG_OK;
}
