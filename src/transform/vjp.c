/* Reverse mode: a walk backwards that appends adjoint contributions and sums them per value, an
 * ordinary extended program. Adjoints exist only for values that depend on the inputs asked for
 * (activity); what nobody uses afterwards is removed when the program is built (need).
 *
 * A GENERAL operation has only a jvp. Its tangent is appended for placeholder tangents, and this
 * same walk runs back over those few instructions, with respect to the placeholders. */
#include "transform/transform.h"

#include "op/build.h"

/* The walk over instructions begin .. end-1; arrays are indexed by value - begin. */
struct sweep {
    wg_graph *g;
    value begin, end;
    value *adjoint;
    uint8_t *state;
    const struct derivative_hook *hook;
    bool inner; /* over the jvp of a GENERAL operation */
};

enum { ACTIVE = 1, GUARDED = 2 }; /* bits of state */

static bool sweep_open(struct sweep *s, wg_graph *g, value begin, value end) {
    const wg_allocator *a = &g->t.allocator;
    size_t n = end - begin;
    *s = (struct sweep){.g = g, .begin = begin, .end = end};
    s->adjoint = mem_alloc_zero(a, n * sizeof *s->adjoint);
    s->state = mem_alloc_zero(a, n);
    if ((s->adjoint && s->state) || n == 0) return true;
    mem_free(a, s->adjoint, n * sizeof *s->adjoint);
    mem_free(a, s->state, n);
    fail_memory(&g->error);
    return false;
}

static void sweep_close(struct sweep *s) {
    size_t n = s->end - s->begin;
    mem_free(&s->g->t.allocator, s->adjoint, n * sizeof *s->adjoint);
    mem_free(&s->g->t.allocator, s->state, n);
}

static bool is_active(const struct sweep *s, value v) {
    return v >= s->begin && v < s->end && s->state[v - s->begin] & ACTIVE;
}

/* What depends on a value that is marked already, by floating values. */
static void mark_active(struct sweep *s) {
    const struct trace *t = &s->g->t;
    for (value v = s->begin; v < s->end; v++) {
        const struct instr *i = instr_at(t, v);
        if (is_active(s, v) || !dtype_is_float(type_at(t, i->type)->dtype)) continue;
        for (size_t k = 0; k < i->narg; k++)
            if (is_active(s, args_of(t, i)[k])) s->state[v - s->begin] |= ACTIVE;
    }
}

static void contribute(struct sweep *s, value v, value ct, bool guarded) {
    value *sum = &s->adjoint[v - s->begin];
    if (!ct) return;
    *sum = *sum ? build_add(s->g, *sum, ct) : ct;
    if (guarded) s->state[v - s->begin] |= GUARDED;
}

static void sweep_run(struct sweep *s);

/* Adjoints of a GENERAL operation's arguments by transposing its jvp. */
static void transpose_jvp(struct sweep *s, const struct rule *r, const struct op_def *def,
                          value ct) {
    wg_graph *g = s->g;
    value tangent[UINT8_MAX] = {0};
    value begin = (value)g->t.instr.count;
    if (s->inner) {
        graph_fail(g, WG_EINTERNAL, "%s: the tangent of an operation uses it non-linearly",
                   def->name);
        return;
    }
    for (size_t k = 0; k < r->narg; k++)
        if (is_active(s, r->x[k]))
            tangent[k] = graph_append(g, OP_copy, instr_at(&g->t, r->x[k])->type, 0, &r->x[k], 1);
    value first_rule = (value)g->t.instr.count;
    value out = def->jvp(r, tangent);
    struct sweep inner;
    if (g->error.status || !out || !sweep_open(&inner, g, begin, (value)g->t.instr.count)) return;
    inner.inner = true;
    for (value v = begin; v < first_rule; v++) inner.state[v - begin] = ACTIVE;
    mark_active(&inner);
    if (is_active(&inner, out)) {
        contribute(&inner, out, ct, r->guarded);
        sweep_run(&inner);
        for (size_t k = 0; k < r->narg; k++) {
            if (!tangent[k]) continue;
            contribute(s, r->x[k], inner.adjoint[tangent[k] - begin],
                       inner.state[tangent[k] - begin] & GUARDED);
        }
    }
    sweep_close(&inner);
}

static void propagate(struct sweep *s, const struct rule *r, value ct) {
    const struct op_def *def = op_def(r->op);
    bool guards = r->guarded || def->flags & OP_GUARDS;
    enum op_class class = (enum op_class)def->class;
    if (class == GENERAL && !def->vjp) {
        transpose_jvp(s, r, def, ct);
        return;
    }
    for (size_t k = 0; k < r->narg; k++) {
        value c = 0;
        if (!is_active(s, r->x[k])) continue;
        if (class == ELEMENTWISE) {
            value partial = def->partial(r, k);
            if (partial) c = rule_mul(r, ct, partial);
        } else if (class == GENERAL) {
            c = def->vjp(r, k, ct);
        } else if ((class == LINEAR || class == MULTILINEAR) && op_is_linear_in(def, k)) {
            c = def->transpose(r, k, ct);
        }
        contribute(s, r->x[k], c, guards);
    }
}

static void sweep_run(struct sweep *s) {
    wg_graph *g = s->g;
    uint32_t site = g->site;
    for (value v = s->end; v-- > s->begin && !g->error.status;) {
        struct instr i = *instr_at(&g->t, v); /* copies: the arrays move while rules append */
        value *ct = &s->adjoint[v - s->begin], x[UINT8_MAX];
        if (!s->inner) {
            g->site = i.site;
            g->flags = INSTR_ADJOINT;
            g->origin = v;
            if (s->hook) *ct = s->hook->finish(s->hook->ctx, g, v, *ct);
        }
        if (!*ct || !(s->state[v - s->begin] & ACTIVE)) continue;
        memcpy(x, args_of(&g->t, &i), i.narg * sizeof *x);
        struct rule r = {.g = g, .y = v, .x = x, .narg = i.narg, .attr = i.attr, .op = i.op,
                         .guarded = s->state[v - s->begin] & GUARDED};
        propagate(s, &r, *ct);
    }
    if (!s->inner) {
        g->site = site;
        g->flags = 0;
        g->origin = 0;
    }
}

bool vjp_graph(wg_graph *g, const value *y, const value *ct, size_t y_count, const value *wrt,
               size_t wrt_count, const struct derivative_hook *hook, value *adjoint, value *all) {
    struct sweep s;
    if (g->error.status || !sweep_open(&s, g, 1, (value)g->t.instr.count)) return false;
    s.hook = hook;
    for (size_t i = 0; i < wrt_count; i++) s.state[wrt[i] - 1] |= ACTIVE;
    mark_active(&s);
    for (size_t i = 0; i < y_count; i++)
        if (ct[i] && is_active(&s, y[i])) contribute(&s, y[i], ct[i], false);
    sweep_run(&s);
    for (size_t i = 0; i < wrt_count; i++) adjoint[i] = s.adjoint[wrt[i] - 1];
    if (all) {
        all[0] = 0;
        memcpy(all + 1, s.adjoint, (s.end - 1) * sizeof *all);
    }
    sweep_close(&s);
    return g->error.status == WG_OK;
}
