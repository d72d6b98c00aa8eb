/* The modes of `custom`, whose rule is a program that the caller gave: what the rule says is
 * applied to tangents or adjoints; the mode of which it says nothing follows by transposing the
 * other. The results of one call share one application of it: their adjoints are collected first.
 * A batch of a custom value is a custom value whose rule is the batch of the rule. */
#include "op/custom.h"

#include "op/build.h"
#include "op/describe.h"
#include "transform/derive.h"

#include <stdio.h>

/* Zeroed; NULL, and an error recorded, without memory. */
static value *new_values(wg_graph *g, size_t count) {
    value *v = mem_alloc_zero(&g->t.allocator, (count + 1) * sizeof *v);
    if (!v) fail_memory(&g->error);
    return v;
}

static void free_values(wg_graph *g, value *v, size_t count) {
    mem_free(&g->t.allocator, v, (count + 1) * sizeof *v);
}

/* A value of its own for a tangent or adjoint of v that a transposition is with respect to. */
static value placeholder(wg_graph *g, value v) {
    return graph_append(g, OP_copy, instr_at(&g->t, v)->type, 0, &v, 1);
}

/* ---- forward mode ---------------------------------------------------------------------------- */

/* The tangent of result j by transposing the vjp: ybar -> <xbar, x'> is linear. All adjoints are
 * there, so that a product of two of them does not pass for linear. */
static value tangent_by_vjp(wg_graph *g, const struct custom *c, const value *t, value *adjoint) {
    value *ct = new_values(g, c->results), *of_ct = new_values(g, c->results), tangent = 0;
    bool guarded[CUSTOM_OPERANDS];
    struct appended a = {.begin = (value)g->t.instr.count,
                         .y = adjoint,
                         .ct = t,
                         .count = c->floats,
                         .wrt = ct,
                         .wrt_count = c->results,
                         .rule = c->name};
    for (size_t j = 0; ct && of_ct && j < c->results; j++) ct[j] = placeholder(g, c->y[j]);
    if (ct && of_ct && custom_apply(g, c, c->vjp, ct, false, adjoint) &&
        vjp_appended(g, &a, of_ct, guarded))
        tangent = of_ct[c->result];
    free_values(g, ct, c->results);
    free_values(g, of_ct, c->results);
    return tangent;
}

value custom_tangent(const struct rule *r, const value *tangent) {
    wg_graph *g = r->g;
    struct custom c;
    if (!custom_open(g, r->attr, r->x, r->narg, &c)) return 0;
    size_t lead = r->narg - c.arguments, at = 0;
    value *t = new_values(g, c.floats), result = 0;
    value *out = new_values(g, c.results > c.floats ? c.results : c.floats);
    bool any = false;
    for (size_t i = 0; t && out && i < c.arguments; i++) {
        if (!value_is_float(&g->t, c.x[i])) continue;
        any = any || tangent[lead + i];
        t[at++] = tangent[lead + i];
    }
    if (any && c.jvp) {
        if (custom_apply(g, &c, c.jvp, t, r->guarded, out)) result = out[c.result];
    } else if (any) {
        result = tangent_by_vjp(g, &c, t, out);
    }
    free_values(g, out, c.results > c.floats ? c.results : c.floats);
    free_values(g, t, c.floats);
    custom_close(g, &c);
    return g->error.status ? 0 : result;
}

/* ---- reverse mode ---------------------------------------------------------------------------- */

size_t custom_siblings(wg_graph *g, value v, value *sibling) {
    struct instr i = *instr_at(&g->t, v);
    value x[UINT8_MAX], operand[CUSTOM_OPERANDS];
    memcpy(x, args_of(&g->t, &i), i.narg * sizeof *x);
    const int64_t *word = attr_words(&g->t, i.attr);
    size_t m = (size_t)word[1], own = (size_t)word[2];
    for (size_t j = 0; j < m; j++) {
        sibling[j] = v;
        if (j == own) continue;
        const value *y = x + 1;
        size_t count = custom_operands(y, m, y + m, i.narg - 1 - m, j, operand);
        attr_id attr = custom_attr(g, i.attr, j);
        sibling[j] = graph_find(g, OP_custom, instr_at(&g->t, y[j])->type, attr, operand, count);
    }
    return m;
}

/* By transposing the jvp: x' -> <y', ybar> is linear. */
static void adjoints_by_jvp(wg_graph *g, const struct custom *c, const bool *active,
                            const value *ct, bool guarded, value *adjoint, bool *guards) {
    bool of_wrt_guarded[UINT8_MAX];
    value *t = new_values(g, c->floats), *tangent = new_values(g, c->results);
    value *wrt = new_values(g, c->floats), *of_wrt = new_values(g, c->floats);
    value begin = (value)g->t.instr.count;
    size_t at = 0, count = 0;
    for (size_t i = 0; t && tangent && wrt && of_wrt && i < c->arguments; i++) {
        if (!value_is_float(&g->t, c->x[i])) continue;
        if (active[i]) wrt[count++] = t[at] = placeholder(g, c->x[i]);
        at++;
    }
    struct appended a = {.begin = begin,
                         .y = tangent,
                         .ct = ct,
                         .count = c->results,
                         .wrt = wrt,
                         .wrt_count = count,
                         .guarded = guarded,
                         .rule = c->name,
                         .is_jvp = true};
    if (!g->error.status && custom_apply(g, c, c->jvp, t, guarded, tangent) &&
        vjp_appended(g, &a, of_wrt, of_wrt_guarded)) {
        count = 0;
        for (size_t i = 0; i < c->arguments; i++) {
            if (!value_is_float(&g->t, c->x[i]) || !active[i]) continue;
            adjoint[i] = of_wrt[count];
            guards[i] = of_wrt_guarded[count++];
        }
    }
    free_values(g, t, c->floats);
    free_values(g, tangent, c->results);
    free_values(g, wrt, c->floats);
    free_values(g, of_wrt, c->floats);
}

bool custom_adjoints(const struct rule *r, const bool *active, const value *ct, value *adjoint,
                     bool *guarded) {
    wg_graph *g = r->g;
    struct custom c;
    if (!custom_open(g, r->attr, r->x, r->narg, &c)) return false;
    size_t lead = r->narg - c.arguments, at = 0;
    for (size_t i = 0; i < r->narg; i++) guarded[i] = r->guarded;
    if (!c.vjp) {
        adjoints_by_jvp(g, &c, active + lead, ct, r->guarded, adjoint + lead, guarded + lead);
    } else {
        value *out = new_values(g, c.floats);
        if (out && custom_apply(g, &c, c.vjp, ct, r->guarded, out))
            for (size_t i = 0; i < c.arguments; i++) {
                if (!value_is_float(&g->t, c.x[i])) continue;
                if (active[lead + i]) adjoint[lead + i] = out[at];
                at++;
            }
        free_values(g, out, c.floats);
    }
    custom_close(g, &c);
    return g->error.status == WG_OK;
}

/* ---- batches --------------------------------------------------------------------------------- */

/* A size's name that the program has not. */
static wg_extent new_size(struct derivation *d, const wg_program *p) {
    char name[32] = "batch";
    for (unsigned n = 2; wg_size_index(p, name) >= 0; n++)
        snprintf(name, sizeof name, "batch_%u", n);
    return extent_size(d->g, graph_size(d->g, name));
}

/* Output v of a batched rule: on the axis, or summed over it where the argument has none. */
static value batched_output(wg_graph *g, value v, bool on_axis, wg_extent extent, bool wanted) {
    if (!on_axis) v = batch_broadcast(g, v, extent);
    return wanted ? v : build_sum(g, v, 1);
}

/* The program on a batch: its arguments batched as `batched` says; tangents and adjoints as what
 * they belong to, results always. */
static wg_program *batched_rule(const struct custom *c, const bool *batched, const wg_program *p,
                                wg_error *error) {
    struct derivation d;
    bool is_jvp = p == c->jvp;
    if (!derive_begin(&d, p, error)) return derive_finish(&d);
    bool *in = derive_array(&d, p->t.input.count, sizeof *in);
    bool *out = derive_array(&d, p->t.output.count, sizeof *out);
    bool *on_axis = derive_array(&d, p->t.instr.count, sizeof *on_axis);
    wg_extent extent = new_size(&d, p);
    if (d.g->error.status) return derive_finish(&d);
    size_t at = 0, taken = custom_results_taken(c, p), known = c->arguments + taken;
    for (size_t i = 0; i < c->arguments; i++) {
        in[i] = batched[i];
        if (!dtype_is_float(wg_input_type(p, i).dtype)) continue;
        if (is_jvp)
            in[known + at] = batched[i];
        else
            out[at] = batched[i];
        at++;
    }
    for (size_t j = 0; j < taken; j++) in[c->arguments + j] = true;
    for (size_t j = 0; j < c->results; j++) (is_jvp ? out + j : in + known + j)[0] = true;
    if (derive_batched_inputs(&d, in, extent) &&
        vmap_program(d.g, d.from, d.input, in, extent, d.size_map, d.map, on_axis))
        for (size_t i = 0; i < p->t.output.count; i++) {
            value v = d.from->output.at[i].v;
            graph_output(d.g, from_output_name(&d, i),
                         batched_output(d.g, d.map[v], on_axis[v], extent, out[i]));
        }
    return derive_finish(&d);
}

/* The rule of the graph that is the batch of c's, made once for all that have it; -1 on error. */
static int64_t batched_rule_of(const struct batch *b, const struct custom *c) {
    wg_graph *g = b->g;
    wg_error error = {0};
    const bool *batched = b->batched + (b->narg - c->arguments);
    struct batched_rule made = {.from = (uint32_t)attr_words(&g->t, b->attr)[0]};
    for (size_t i = 0; i < c->arguments; i++)
        made.mask[i / 64] |= (uint64_t)batched[i] << i % 64;
    for (size_t i = 0; i < g->batched_rule.count; i++) {
        const struct batched_rule *known = &g->batched_rule.at[i];
        if (known->from == made.from && memcmp(known->mask, made.mask, sizeof made.mask) == 0)
            return known->to;
    }
    wg_program *jvp = c->jvp ? batched_rule(c, batched, c->jvp, &error) : NULL;
    wg_program *vjp = c->vjp ? batched_rule(c, batched, c->vjp, &error) : NULL;
    fail_as(&g->error, &error);
    int64_t rule = error.status ? -1 : graph_rule(g, c->name, jvp, vjp);
    wg_program_free(jvp);
    wg_program_free(vjp);
    if (rule < 0) return -1;
    made.to = (uint32_t)rule;
    struct batched_rule *new = VEC_PUSH(&g->t.allocator, &g->batched_rule);
    if (!new) return fail_memory(&g->error), -1;
    *new = made;
    return rule;
}

/* The custom values on the axis. size, y: room for the sizes of both batched programs, and for each
 * result twice. */
static value build_batched(const struct batch *b, const struct custom *c, wg_extent *size,
                           value *y) {
    value *result = y + c->results;
    size_t sizes = 0, of_jvp = (size_t)(c->vjp_size - c->jvp_size);
    for (size_t i = 0; i < of_jvp; i++) size[sizes++] = c->jvp_size[i];
    if (c->jvp) size[sizes++] = b->extent;
    for (size_t i = 0; i < c->sizes - of_jvp; i++) size[sizes++] = c->vjp_size[i];
    if (c->vjp) size[sizes++] = b->extent;
    for (size_t j = 0; j < c->results; j++) y[j] = batch_argument(b, c->results > 1 ? 1 + j : 0);
    int64_t rule = batched_rule_of(b, c);
    if (!build_custom(b->g, rule, y, c->results, c->x, c->arguments, size, sizes, result)) return 0;
    return result[c->result];
}

value custom_batch(const struct batch *b) {
    wg_graph *g = b->g;
    struct custom c;
    if (!custom_open(g, b->attr, b->x, b->narg, &c)) return 0;
    wg_extent *size = mem_alloc(&g->t.allocator, (c.sizes + 2) * sizeof *size);
    value *y = new_values(g, 2 * c.results), result = 0;
    if (!size) fail_memory(&g->error);
    if (size && y) result = build_batched(b, &c, size, y);
    mem_free(&g->t.allocator, size, (c.sizes + 2) * sizeof *size);
    free_values(g, y, 2 * c.results);
    custom_close(g, &c);
    return result;
}
