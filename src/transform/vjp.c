/* Reverse mode: a walk backwards that appends adjoint contributions and sums them per value, an
 * ordinary extended program. Adjoints exist only for values that depend on the inputs asked for
 * (activity); what nobody uses afterwards is removed when the program is built (need).
 *
 * A GENERAL operation has only a jvp. Its tangent is appended for placeholder tangents, and this
 * same walk runs back over those few instructions, with respect to the placeholders. Rules of
 * callers are transposed in the same way (custom.c); in their programs may be GENERAL operations
 * and rules again, so walks nest, as deep as rules do. */
#include "transform/transform.h"

#include "op/build.h"
#include "op/custom.h"
#include "op/in_place.h"
#include "transform/region.h"

/* The walk over instructions begin .. end-1; arrays are indexed by value - begin. */
struct sweep {
    wg_graph *g;
    value begin, end;
    value *adjoint;
    uint8_t *state;
    const struct derivative_hook *hook;
    bool inner; /* over what was appended to be transposed */
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

/* What depends on a value that is marked already, by floating values, or through a region, which
 * gives an integer itself. */
static void mark_active(struct sweep *s) {
    const struct trace *t = &s->g->t;
    for (value v = s->begin; v < s->end; v++) {
        const struct instr *i = instr_at(t, v);
        bool region = i->op == OP_loop || i->op == OP_branch;
        if (is_active(s, v) || (!region && !dtype_is_float(type_at(t, i->type)->dtype))) continue;
        for (size_t k = 0; k < i->narg; k++)
            if (is_active(s, args_of(t, i)[k])) s->state[v - s->begin] |= ACTIVE;
    }
}

/* Zeros with updates by index, of this shape or another: what they are made of, from the last to
 * the first, which is a scatter_add. The number of them, 0 if v is something else, or of more. */
enum { MOST_UPDATES = 64 };

static size_t updates_of(const struct trace *t, value v, value *made) {
    for (size_t n = 0; n < MOST_UPDATES;) {
        const struct instr *i = instr_at(t, v);
        made[n++] = v;
        if (i->op == OP_scatter_add) return n;
        if (i->op != OP_index_add && i->op != OP_reshape) return 0;
        v = args_of(t, i)[0];
    }
    return 0;
}

/* The sum and those updates: they are made in it instead of zeros. */
static value update_sum(wg_graph *g, value sum, const value *made, size_t count) {
    while (count-- > 0) {
        struct instr i = *instr_at(&g->t, made[count]);
        const value *x = args_of(&g->t, &i) + (i.op == OP_index_add);
        if (i.op == OP_reshape) {
            wg_type shape = *type_at(&g->t, i.type);
            sum = build_reshape(g, sum, &shape);
            continue;
        }
        const int64_t *word = attr_words(&g->t, i.attr);
        wg_type shape = *type_at(&g->t, i.type);
        unsigned axis = (unsigned)word[0], batch = (unsigned)word[1];
        value update = x[0], index = x[1];
        if (i.op == OP_scatter_add) sum = build_reshape(g, sum, &shape);
        sum = build_index_add(g, sum, update, index, axis, batch);
    }
    return sum;
}

/* a + b. Where one is zeros but for updates by index, these are made in the other: so reading an
 * array by index costs its adjoint no more than what is read. */
static value sum_of(wg_graph *g, value a, value b) {
    value made[MOST_UPDATES];
    size_t count = updates_of(&g->t, b, made);
    if (count) return update_sum(g, a, made, count);
    if (instr_at(&g->t, a)->op == OP_scatter_add) return update_sum(g, b, &a, 1);
    return build_add(g, a, b);
}

static void contribute(struct sweep *s, value v, value ct, bool guarded) {
    value *sum = &s->adjoint[v - s->begin];
    if (!ct) return;
    *sum = *sum ? sum_of(s->g, *sum, ct) : ct;
    if (guarded) s->state[v - s->begin] |= GUARDED;
}

/* The adjoint so far, which somebody else adds to from here on. */
static value take_adjoint(struct sweep *s, value v) {
    value sum = s->adjoint[v - s->begin];
    s->adjoint[v - s->begin] = 0;
    return sum;
}

static void sweep_run(struct sweep *s);

/* The transpose of a linear map does not depend on where it is taken: adjoints that are made of the
 * placeholders tell that the map was not linear. */
static bool is_linear(wg_graph *g, const struct appended *a, const value *adjoint) {
    const struct trace *t = &g->t;
    size_t n = t->instr.count - a->begin;
    bool linear = true, *depends = mem_alloc_zero(&t->allocator, n);
    if (!depends) return fail_memory(&g->error), false;
    for (size_t i = 0; i < a->wrt_count; i++) depends[a->wrt[i] - a->begin] = true;
    for (value v = a->begin; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; k < i->narg; k++) {
            value x = args_of(t, i)[k];
            if (x >= a->begin && depends[x - a->begin]) depends[v - a->begin] = true;
        }
    }
    for (size_t i = 0; i < a->wrt_count; i++)
        linear = linear && !(adjoint[i] >= a->begin && depends[adjoint[i] - a->begin]);
    mem_free(&t->allocator, depends, n);
    if (linear) return true;
    graph_fail(g, WG_ENORULE,
               "the %s of the rule \"%s\" is not linear in the %s, so the other mode does not "
               "follow from it",
               a->is_jvp ? "jvp" : "vjp", a->rule, a->is_jvp ? "tangents" : "adjoints");
    graph_hint(g, "give the rule a %s too", a->is_jvp ? "vjp" : "jvp");
    return false;
}

bool vjp_appended(wg_graph *g, const struct appended *a, value *adjoint, bool *guarded) {
    struct sweep s;
    if (g->error.status || !sweep_open(&s, g, a->begin, (value)g->t.instr.count)) return false;
    s.inner = true;
    for (size_t i = 0; i < a->wrt_count; i++) s.state[a->wrt[i] - a->begin] = ACTIVE;
    mark_active(&s);
    bool any = false;
    for (size_t i = 0; i < a->count; i++) {
        if (!a->ct[i] || !is_active(&s, a->y[i])) continue;
        contribute(&s, a->y[i], a->ct[i], a->guarded);
        any = true;
    }
    if (any) sweep_run(&s);
    for (size_t i = 0; i < a->wrt_count; i++) {
        adjoint[i] = s.adjoint[a->wrt[i] - a->begin];
        guarded[i] = s.state[a->wrt[i] - a->begin] & GUARDED;
    }
    sweep_close(&s);
    return !g->error.status && (!a->rule || is_linear(g, a, adjoint));
}

/* Adjoints of a GENERAL operation's arguments by transposing its jvp. */
static void transpose_jvp(struct sweep *s, const struct rule *r, const struct op_def *def,
                          value ct) {
    wg_graph *g = s->g;
    value tangent[UINT8_MAX] = {0}, wrt[UINT8_MAX], adjoint[UINT8_MAX];
    bool guarded[UINT8_MAX];
    struct appended a = {.begin = (value)g->t.instr.count, .ct = &ct, .count = 1, .wrt = wrt,
                         .guarded = r->guarded};
    for (size_t k = 0; k < r->narg; k++)
        if (is_active(s, r->x[k]))
            wrt[a.wrt_count++] = tangent[k] =
                graph_append(g, OP_copy, instr_at(&g->t, r->x[k])->type, 0, &r->x[k], 1);
    value out = g->error.status ? 0 : def->jvp(r, tangent);
    a.y = &out;
    if (!out || !vjp_appended(g, &a, adjoint, guarded)) return;
    for (size_t k = 0, i = 0; k < r->narg; k++) {
        if (!tangent[k]) continue;
        contribute(s, r->x[k], adjoint[i], guarded[i]);
        i++;
    }
}

/* The results of one call send their adjoints back together, when the walk comes to the first of
 * them; all their users are behind it by then. */
static void propagate_custom(struct sweep *s, value v, const struct rule *r) {
    value sibling[CUSTOM_OPERANDS], ct[CUSTOM_OPERANDS] = {0}, adjoint[UINT8_MAX] = {0};
    bool active[UINT8_MAX], guarded[UINT8_MAX] = {0}, any = false;
    struct rule all = *r;
    size_t count = custom_siblings(s->g, v, sibling);
    for (size_t j = 0; j < count; j++) {
        if (!is_active(s, sibling[j])) continue;
        if (sibling[j] < v) return;
        ct[j] = s->adjoint[sibling[j] - s->begin];
        any = any || ct[j];
        all.guarded = all.guarded || s->state[sibling[j] - s->begin] & GUARDED;
    }
    for (size_t k = 0; k < r->narg; k++) active[k] = is_active(s, r->x[k]);
    if (!any || !custom_adjoints(&all, active, ct, adjoint, guarded)) return;
    for (size_t k = 0; k < r->narg; k++)
        if (adjoint[k]) contribute(s, r->x[k], adjoint[k], guarded[k]);
}

/* Whether there is a branch in a loop: what it reads from outside may then be for a case that is
 * never taken. Bodies nest at most MAX_RULE_DEPTH deep. */
static bool has_branch(const struct trace *t, const struct region *region) {
    const struct trace *body = &region_body(t, region, 0)->body->t;
    for (value v = 1; v < body->instr.count; v++) {
        const struct instr *i = instr_at(body, v);
        if (i->op == OP_branch) return true;
        if (i->op != OP_loop) continue;
        struct region inner = region_open(body, i->op, i->attr);
        if (has_branch(body, &inner)) return true;
    }
    return false;
}

/* A region sends back what all of its results have received. What captured values have received
 * from others goes through it, so that it adds to that in its place. */
static void propagate_region(struct sweep *s, value v, const struct rule *r) {
    wg_graph *g = s->g;
    value ct[REGION_OPERANDS] = {0}, adjoint[UINT8_MAX] = {0};
    bool active[UINT8_MAX], any = false, plain = false;
    struct rule all = *r;
    all.guarded = all.guarded || r->op == OP_branch; /* the case not taken sends nothing on */
    struct region region = region_open(&g->t, r->op, r->attr);
    bool branches = r->op == OP_loop && has_branch(&g->t, &region);
    size_t items = region.items, kept = items - region.kept;
    size_t first = region.lead, behind = first + region.captures;
    for (value item = v + 1; item < s->end; item++) {
        const struct instr *i = instr_at(&g->t, item);
        if (i->op != OP_item || args_of(&g->t, i)[0] != v) continue;
        size_t k = (size_t)attr_words(&g->t, i->attr)[0];
        if (k >= items || !is_active(s, item) || !s->adjoint[item - s->begin]) continue;
        ct[k] = s->adjoint[item - s->begin];
        any = true;
        plain = plain || k >= kept;
        all.guarded = all.guarded || s->state[item - s->begin] & GUARDED;
    }
    for (size_t k = 0; k < r->narg; k++) active[k] = is_active(s, r->x[k]);
    if (!any) return;
    all.y = region_reversible(&all, active, all.guarded, plain);
    if (!all.y) return;
    all.attr = instr_at(&g->t, all.y)->attr;
    for (size_t k = first; k < behind; k++)
        if (active[k]) adjoint[k] = take_adjoint(s, r->x[k]);
    bool guards = all.guarded || branches;
    if (!region_adjoints(&all, active, ct, adjoint)) return;
    for (size_t k = 0; k < r->narg; k++)
        if (active[k] && adjoint[k]) contribute(s, r->x[k], adjoint[k], guards);
}

static void propagate(struct sweep *s, const struct rule *r, value ct) {
    const struct op_def *def = op_def(r->op);
    bool guards = r->guarded || def->flags & OP_GUARDS ||
                  op_is_absolute(&s->g->t, r->op, r->attr);
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

/* From the end of the order in which updates happen in place: what has many readers then receives
 * first what it was updated to, in the place of that adjoint, and what the others read of it
 * after. */
static void sweep_run(struct sweep *s) {
    wg_graph *g = s->g;
    uint32_t site = g->site;
    value *sequence;
    bool *taken;
    if (!in_place_sequence(&g->t, s->begin, s->end, NULL, &sequence, &taken)) {
        graph_fail_memory(g);
        return;
    }
    mem_free(&g->t.allocator, taken, s->end - s->begin);
    for (size_t k = s->end - s->begin; k-- > 0 && !g->error.status;) {
        value v = sequence ? sequence[k] : s->begin + (value)k;
        struct instr i = *instr_at(&g->t, v); /* copies: the arrays move while rules append */
        value *ct = &s->adjoint[v - s->begin], x[UINT8_MAX];
        if (!s->inner) {
            g->site = i.site;
            g->flags = INSTR_ADJOINT;
            g->origin = v;
            if (s->hook) *ct = s->hook->finish(s->hook->ctx, g, v, *ct);
        }
        bool region = i.op == OP_loop || i.op == OP_branch;
        if ((!*ct && i.op != OP_custom && !region) || i.op == OP_item ||
            !(s->state[v - s->begin] & ACTIVE))
            continue;
        if (*ct && instr_at(&g->t, *ct)->flags & INSTR_ADJOINT && value_name(&g->t, v))
            graph_value_name(g, *ct, value_name(&g->t, v));
        memcpy(x, args_of(&g->t, &i), i.narg * sizeof *x);
        struct rule r = {.g = g, .y = v, .x = x, .narg = i.narg, .attr = i.attr, .op = i.op,
                         .guarded = s->state[v - s->begin] & GUARDED};
        if (i.op == OP_custom) propagate_custom(s, v, &r);
        else if (region) propagate_region(s, v, &r);
        else propagate(s, &r, *ct);
    }
    mem_free(&g->t.allocator, sequence, (s->end - s->begin) * sizeof *sequence);
    if (!s->inner) {
        g->site = site;
        g->flags = 0;
        g->origin = 0;
    }
}

bool vjp_guarded(wg_graph *g, const value *y, const value *ct, size_t y_count, const value *wrt,
                 size_t wrt_count, bool guarded, value *adjoint) {
    struct sweep s;
    if (g->error.status || !sweep_open(&s, g, 1, (value)g->t.instr.count)) return false;
    for (size_t i = 0; i < wrt_count; i++) s.state[wrt[i] - 1] |= ACTIVE;
    mark_active(&s);
    for (size_t i = 0; i < y_count; i++)
        if (ct[i] && is_active(&s, y[i])) contribute(&s, y[i], ct[i], guarded);
    sweep_run(&s);
    for (size_t i = 0; i < wrt_count; i++) adjoint[i] = s.adjoint[wrt[i] - 1];
    sweep_close(&s);
    return g->error.status == WG_OK;
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
