/* Truncated Taylor series through a program. A value v of the graph stands for a function of t:
 * by the instruction that made it, and by its arguments, down to values whose series are given.
 * So the rules that derivatives are made of serve for series too:
 *
 *   LINEAR        y_k = op(x_k)
 *   MULTILINEAR   y_k = sum over j of op(a_j, b_k-j)
 *   ELEMENTWISE   y' = sum over arguments of p x', where p is the partial: what the table's rule
 *                 appends for it is a function of t like any other, and of lower order than y is
 *                 asked for: k y_k = sum over j of j x_j p_k-j
 *   GENERAL, CUSTOM   the same of the tangent of the jvp rule: k y_k = its coefficient k-1
 *
 * These give the classical recurrences (Griewank and Walther, Evaluating Derivatives, 2nd ed.,
 * 2008, section 13.2, tables 13.1 and 13.2): exp' = exp makes one convolution, sine and cosine
 * each other. series_rules.c holds the few operations for which there is a cheaper way. Loops
 * and branches carry the series along (region.c).
 *
 * Nothing recurses but over orders: a coefficient asks for lower ones only. */
#include "transform/series.h"

#include "op/build.h"
#include "op/custom.h"
#include "transform/region.h"
#include "transform/series_rules.h"

#include <stdlib.h>

/* Values that a rule has appended: what it is to be read of, and all that this stands on and whose
 * coefficients nobody else makes, arguments first. */
struct fragment {
    value *root, *list;
    size_t roots, count;
    bool ruled; /* read by a rule of series_rules.c, and up to the order that is asked for */
};

/* A region with the series of its operands up to some order. */
struct joined {
    int order;
    value region, primal[REGION_OPERANDS], series[REGION_OPERANDS];
};

struct expansion {
    value v;            /* the function; its coefficient 0 is another value where it stands on a
                           tangent, or on a region that has been joined */
    value *coefficient; /* order + 1 of them, of a constant only one */
    int known;          /* 0 .. known are there; -1: none */
    bool base;          /* a value of the program: the walk itself makes its coefficients */
    bool constant;      /* of t */
    value tangent_of;   /* a placeholder: the derivative by t of this value */
    uint32_t stamp;     /* of the search that found it last */
    struct fragment *fragment;
    struct joined *joined;
};

struct series {
    wg_graph *g;
    struct arena *scratch;
    int order;
    bool by_order; /* the walk makes the coefficients k of all values before any k + 1 */
    uint32_t stamp;
    VEC(struct expansion *) of; /* by value of g; NULL: none */
    VEC(value) found, work;
};

static void *scratch_zero(struct series *s, size_t size) {
    void *block = arena_alloc(s->scratch, size + 1, 16);
    if (block)
        memset(block, 0, size);
    else
        fail_memory(&s->g->error);
    return block;
}

static void series_free(struct series *s) {
    VEC_FREE(&s->g->t.allocator, &s->of);
    VEC_FREE(&s->g->t.allocator, &s->found);
    VEC_FREE(&s->g->t.allocator, &s->work);
}

/* The expansion of v, new ones without anything; NULL without memory. */
static struct expansion *expansion_of(struct series *s, value v) {
    size_t count = s->g->t.instr.count;
    if (s->of.count <= v) {
        if (!VEC_RESERVE(&s->g->t.allocator, &s->of, count)) return fail_memory(&s->g->error), NULL;
        memset(s->of.at + s->of.count, 0, (count - s->of.count) * sizeof *s->of.at);
        s->of.count = count;
    }
    if (!s->of.at[v]) {
        struct expansion *e = scratch_zero(s, sizeof *e);
        if (!e) return NULL;
        e->v = v;
        e->known = -1;
        s->of.at[v] = e;
    }
    return s->of.at[v];
}

value series_at(const struct series *s, value v, int k) {
    const struct expansion *e = s->of.at[v];
    return e->constant && k > 0 ? 0 : e->coefficient[k];
}

bool series_is_constant(const struct series *s, value v) { return s->of.at[v]->constant; }

wg_graph *series_graph(const struct series *s) { return s->g; }

static const value *args(const struct series *s, value v) {
    return args_of(&s->g->t, instr_at(&s->g->t, v));
}

/* ---- what a value is before any coefficient -------------------------------------------------- */

/* Whether v does not depend on t, by what its arguments are. */
static bool is_constant(const struct series *s, value v) {
    const struct instr *i = instr_at(&s->g->t, v);
    enum op_class class = (enum op_class)op_def(i->op)->class;
    if (class == LEAF || class == NODIFF) return true;
    bool item = i->op == OP_item;
    if (class != REGION || item)
        if (!value_is_float(&s->g->t, v)) return true;
    size_t first = class == CUSTOM ? custom_lead(attr_words(&s->g->t, i->attr)) : 0;
    for (size_t k = first; k < i->narg; k++)
        if (!series_is_constant(s, args(s, v)[k])) return false;
    return true;
}

/* Makes room for coefficients. False without memory. */
static bool settle(struct series *s, struct expansion *e, bool constant) {
    if (e->coefficient) return true;
    e->constant = constant;
    size_t count = constant ? 1 : (size_t)s->order + 1;
    e->coefficient = scratch_zero(s, count * sizeof *e->coefficient);
    return e->coefficient != NULL;
}

/* ---- fragments ------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b) {
    value left = *(const value *)a, right = *(const value *)b;
    return (left > right) - (left < right);
}

/* Whether the coefficients of e are made without the fragment of y's rule asking for them. */
static bool stands_by_itself(const struct series *s, const struct expansion *e, value y) {
    if (e->v == y) return true;
    return e->base && (s->by_order || e->known == s->order || e->constant);
}

static bool reach(struct series *s, value v, value y) {
    struct expansion *e = v ? expansion_of(s, v) : NULL;
    if (!v) return true;
    if (!e) return false;
    if (e->stamp == s->stamp || stands_by_itself(s, e, y)) return true;
    e->stamp = s->stamp;
    value *found = VEC_PUSH(&s->g->t.allocator, &s->found);
    value *work = found ? VEC_PUSH(&s->g->t.allocator, &s->work) : NULL;
    if (!work) return fail_memory(&s->g->error), false;
    *found = *work = v;
    return true;
}

/* What the rule of y has appended with these roots. */
static struct fragment *fragment_of(struct series *s, value y, const value *root, size_t roots) {
    struct fragment *f = scratch_zero(s, sizeof *f);
    if (!f || s->g->error.status) return NULL;
    s->stamp++;
    s->found.count = s->work.count = 0;
    for (size_t k = 0; k < roots; k++)
        if (!reach(s, root[k], y)) return NULL;
    while (s->work.count) {
        value v = s->work.at[--s->work.count];
        if (s->of.at[v]->tangent_of) continue;
        size_t narg = instr_at(&s->g->t, v)->narg;
        for (size_t k = 0; k < narg; k++)
            if (!reach(s, args(s, v)[k], y)) return NULL;
    }
    if (s->found.count) qsort(s->found.at, s->found.count, sizeof(value), by_number);
    f->list = scratch_zero(s, s->found.count * sizeof(value));
    f->root = scratch_zero(s, roots * sizeof(value));
    if (!f->list || !f->root) return NULL;
    memcpy(f->root, root, roots * sizeof(value));
    f->roots = roots;
    for (size_t k = 0; k < s->found.count; k++) {
        value v = s->found.at[k];
        if (!settle(s, s->of.at[v], !s->of.at[v]->tangent_of && is_constant(s, v))) return NULL;
        f->list[f->count++] = v;
    }
    return f;
}

/* ---- rules by class -------------------------------------------------------------------------- */

static value sum(wg_graph *g, value a, value b) { return a && b ? build_add(g, a, b) : a ? a : b; }

value series_scaled(const struct series *s, value v, int k) {
    value c = series_at(s, v, k);
    return c ? build_mul(s->g, build_like(s->g, c, k), c) : 0;
}

static value emit(struct series *s, value v, const value *x) {
    const struct instr i = *instr_at(&s->g->t, v);
    return graph_emit(s->g, i.op, i.attr, x, i.narg);
}

/* Coefficient 0 of v, whatever it is: the same instruction on those of its arguments. */
static value first_coefficient(struct series *s, const struct expansion *e) {
    value x[UINT8_MAX];
    const struct instr i = *instr_at(&s->g->t, e->v);
    bool same = true;
    for (size_t k = 0; k < i.narg; k++) {
        value a = args(s, e->v)[k];
        x[k] = series_at(s, a, 0);
        same = same && x[k] == a;
        if (!x[k]) x[k] = build_like(s->g, a, 0);
    }
    return same ? e->v : emit(s, e->v, x);
}

/* The operation on the coefficients k of what it is linear in; absent ones are zeros. */
static value linear_coefficient(struct series *s, value v, int k) {
    value x[UINT8_MAX];
    const struct instr i = *instr_at(&s->g->t, v);
    const struct op_def *def = op_def(i.op);
    bool any = false;
    for (size_t n = 0; n < i.narg; n++) {
        value a = args(s, v)[n];
        bool linear = op_is_linear_in(def, n);
        x[n] = series_at(s, a, linear ? k : 0);
        any = any || (linear && x[n]);
        if (!x[n]) x[n] = build_like(s->g, a, 0);
    }
    return any ? emit(s, v, x) : 0;
}

/* The convolution of the two arguments that it is linear in. (No operation has more.) */
static value bilinear_coefficient(struct series *s, value v, int k) {
    value x[UINT8_MAX], total = 0;
    const struct instr i = *instr_at(&s->g->t, v);
    size_t factor[2] = {0}, factors = 0;
    for (size_t n = 0; n < i.narg; n++) {
        x[n] = series_at(s, args(s, v)[n], 0);
        if (op_is_linear_in(op_def(i.op), n) && factors < 2) factor[factors++] = n;
    }
    value a = args(s, v)[factor[0]], b = args(s, v)[factor[1]];
    for (int j = 0; j <= k; j++) {
        x[factor[0]] = series_at(s, a, j);
        x[factor[1]] = series_at(s, b, k - j);
        if (x[factor[0]] && x[factor[1]]) total = sum(s->g, total, emit(s, v, x));
    }
    return total;
}

/* sum over arguments of x_k p_0 + (sum over j < k of j x_j p_k-j) / k */
static value elementwise_coefficient(struct series *s, const struct expansion *e, int k) {
    value direct = 0, inner = 0;
    for (size_t n = 0; n < e->fragment->roots; n++) {
        value a = args(s, e->v)[n], p = e->fragment->root[n];
        if (!p || series_is_constant(s, a)) continue;
        value last = series_at(s, a, k), slope = series_at(s, p, 0);
        if (last && slope) direct = sum(s->g, direct, build_mul(s->g, last, slope));
        for (int j = 1; j < k; j++) {
            value c = series_scaled(s, a, j), d = series_at(s, p, k - j);
            if (c && d) inner = sum(s->g, inner, build_mul(s->g, c, d));
        }
    }
    if (inner) inner = build_div(s->g, inner, build_like(s->g, inner, k));
    return sum(s->g, direct, inner);
}

static value general_coefficient(struct series *s, const struct expansion *e, int k) {
    value root = e->fragment->root[0], c = root ? series_at(s, root, k - 1) : 0;
    return c && k > 1 ? build_div(s->g, c, build_like(s->g, c, k)) : c;
}

static void partials(struct series *s, const struct rule *r, value *root) {
    const struct op_def *def = op_def(r->op);
    for (size_t k = 0; k < r->narg; k++)
        root[k] = series_is_constant(s, r->x[k]) ? 0 : def->partial(r, k);
}

/* The tangent of r's result, for placeholders in the place of the tangents of its arguments. */
static value tangent(struct series *s, const struct rule *r) {
    value t[UINT8_MAX] = {0};
    bool custom = r->op == OP_custom; /* whose rule speaks of the arguments alone */
    for (size_t k = custom ? custom_lead(attr_words(&s->g->t, r->attr)) : 0; k < r->narg; k++) {
        if (series_is_constant(s, r->x[k])) continue;
        t[k] = graph_append(s->g, OP_copy, instr_at(&s->g->t, r->x[k])->type, 0, &r->x[k], 1);
        struct expansion *e = t[k] ? expansion_of(s, t[k]) : NULL;
        if (!e || !settle(s, e, false)) return 0;
        e->tangent_of = r->x[k];
    }
    return jvp_rule(r, t);
}

/* What v's rule looks at; x has room for its arguments. */
static struct rule rule_of(const struct series *s, value v, value *x) {
    const struct instr i = *instr_at(&s->g->t, v);
    memcpy(x, args(s, v), i.narg * sizeof *x);
    return (struct rule){.g = s->g, .y = v, .x = x, .narg = i.narg, .op = i.op, .attr = i.attr};
}

/* What the rule of e stands on; made once. False on error. */
static bool make_fragment(struct series *s, struct expansion *e) {
    value x[UINT8_MAX], root[UINT8_MAX] = {0};
    struct rule r = rule_of(s, e->v, x);
    enum op_class class = (enum op_class)op_def(r.op)->class;
    if (class != ELEMENTWISE && class != GENERAL && class != CUSTOM) return true;
    bool ruled = class != CUSTOM && series_has_rule(s, &r, root);
    if (class == ELEMENTWISE && !ruled) partials(s, &r, root);
    if (class != ELEMENTWISE && !ruled) root[0] = tangent(s, &r);
    if (s->g->error.status) return false;
    e->fragment = fragment_of(s, e->v, root, class == ELEMENTWISE && !ruled ? r.narg : 1);
    if (e->fragment) e->fragment->ruled = ruled;
    return e->fragment != NULL;
}

static value ruled_coefficient(struct series *s, const struct expansion *e, int k) {
    value x[UINT8_MAX];
    struct rule r = rule_of(s, e->v, x);
    return series_by_rule(s, &r, e->fragment->root[0], k);
}

/* ---- regions --------------------------------------------------------------------------------- */

static value part_of(wg_graph *g, value series, int k) {
    return build_squeeze(g, build_slice_axis(g, series, 0, k - 1, k, 1), 1);
}

/* The coefficients 1 .. order of v as one tensor, absent ones as zeros. */
static value whole_series(struct series *s, value v, int order) {
    value part[MAX_SERIES_ORDER];
    bool any = false;
    if (series_is_constant(s, v)) return 0;
    for (int k = 1; k <= order; k++) {
        value c = series_at(s, v, k);
        any = any || c;
        part[k - 1] = c ? c : build_like(s->g, v, 0);
    }
    return any && !s->g->error.status ? build_stack(s->g, part, (size_t)order, 0) : 0;
}

/* The region on coefficients 0, joined with those up to `order`. */
static bool join(struct series *s, struct expansion *e, int order) {
    value x[UINT8_MAX], y[UINT8_MAX], series[UINT8_MAX];
    const struct instr i = *instr_at(&s->g->t, e->v);
    if (!e->joined) e->joined = scratch_zero(s, sizeof *e->joined);
    if (!e->joined) return false;
    for (size_t k = 0; k < i.narg; k++) {
        value a = args(s, e->v)[k];
        x[k] = series_at(s, a, 0);
        series[k] = whole_series(s, a, order);
        if (!x[k]) x[k] = build_like(s->g, a, 0);
    }
    struct rule r = rule_of(s, e->v, y);
    r.x = x;
    e->joined->order = order;
    e->joined->region = region_series(&r, order, series, e->joined->primal, e->joined->series);
    return e->joined->region != 0;
}

static value item_coefficient(struct series *s, value v, int k) {
    const struct joined *joined = s->of.at[args(s, v)[0]]->joined;
    int64_t number = attr_words(&s->g->t, instr_at(&s->g->t, v)->attr)[0];
    if (k == 0 && number == REGION_COUNT) return build_item(s->g, joined->region, REGION_COUNT);
    value c = k == 0 ? joined->primal[number] : joined->series[number];
    return k > 0 && c ? part_of(s->g, c, k) : c;
}

/* ---- one value to some order ----------------------------------------------------------------- */

static value coefficient(struct series *s, const struct expansion *e, int k) {
    const struct instr i = *instr_at(&s->g->t, e->v);
    enum op_class class = (enum op_class)op_def(i.op)->class;
    if (e->tangent_of) return series_scaled(s, e->tangent_of, k + 1);
    if (i.op == OP_item && s->of.at[args(s, e->v)[0]]->joined) return item_coefficient(s, e->v, k);
    if (class == REGION) return k == 0 ? first_coefficient(s, e) : 0;
    if (class == LINEAR) return linear_coefficient(s, e->v, k);
    if (class == MULTILINEAR) return bilinear_coefficient(s, e->v, k);
    if (k == 0) return first_coefficient(s, e);
    if (e->fragment->ruled) return ruled_coefficient(s, e, k);
    return class == ELEMENTWISE ? elementwise_coefficient(s, e, k) : general_coefficient(s, e, k);
}

/* Coefficients up to m of v, whose arguments have theirs. */
static bool extend(struct series *s, value v, int m) {
    struct expansion *e = s->of.at[v];
    while (e->known < m && !s->g->error.status) {
        int k = e->known + 1;
        unsigned op = instr_at(&s->g->t, v)->op;
        bool region = op == OP_loop || op == OP_branch;
        if (e->constant && k > 0) {
            e->known = s->order;
            break;
        }
        if (region && !e->constant && k > 0 && (!e->joined || e->joined->order < m))
            if (!join(s, e, m)) return false;
        if (k > 0 && !e->fragment && !make_fragment(s, e)) return false;
        int behind = !e->fragment ? -1 : e->fragment->ruled ? k : k - 1;
        for (size_t n = 0; behind >= 0 && n < e->fragment->count; n++)
            if (!extend(s, e->fragment->list[n], behind)) return false;
        e->coefficient[k] = e->constant && op != OP_item ? first_coefficient(s, e)
                                                         : coefficient(s, e, k);
        e->known = k;
    }
    return s->g->error.status == WG_OK;
}

/* ---- walks ----------------------------------------------------------------------------------- */

static bool walk_begin(struct series *s, wg_graph *g, struct arena *scratch, int order) {
    *s = (struct series){.g = g, .scratch = scratch, .order = order};
    scratch->allocator = g->t.allocator;
    return !g->error.status;
}

static bool walk_end(struct series *s) {
    s->g->site = 0;
    series_free(s);
    arena_free(s->scratch);
    return s->g->error.status == WG_OK;
}

/* The expansion of an input, with coefficient 0. */
static struct expansion *given(struct series *s, value v, bool constant) {
    struct expansion *e = v ? expansion_of(s, v) : NULL;
    if (!e || !settle(s, e, constant)) return NULL;
    e->base = true;
    e->coefficient[0] = v;
    e->known = 0;
    return e;
}

static void given_series(struct series *s, value v, value series) {
    struct expansion *e = given(s, v, !series);
    for (int k = 1; e && series && k <= s->order; k++) e->coefficient[k] = part_of(s->g, series, k);
    if (e) e->known = s->order;
}

/* An instruction of the program, on the functions that its arguments are, and its coefficients
 * up to m. Those that send nothing to an output are nobody's base: a rule that reads them has
 * their coefficients made. */
static void take(struct series *s, const struct trace *from, value v, const wg_extent *size_map,
                 bool needed, int m, value *map) {
    map[v] = graph_import(s->g, from, v, size_map, map);
    struct expansion *e = map[v] ? expansion_of(s, map[v]) : NULL;
    if (!e || !settle(s, e, is_constant(s, map[v]))) return;
    e->base = e->base || needed;
    s->g->flags = INSTR_TANGENT;
    s->g->origin = map[v];
    extend(s, map[v], needed ? m : 0);
    s->g->flags = 0;
    s->g->origin = 0;
}

bool series_program(wg_graph *g, const struct trace *from, const value *input, const value *series,
                    int order, const wg_extent *size_map, const uint32_t *of, size_t of_count,
                    value *map, value *map_s) {
    struct series s;
    struct arena scratch = {0};
    if (!walk_begin(&s, g, &scratch, order)) return false;
    mark_needed(from, of, of_count, map_s); /* marks stand where the series will */
    memset(map, 0, from->instr.count * sizeof *map);
    for (value v = 1; v < from->instr.count && !g->error.status; v++) {
        const struct instr *i = instr_at(from, v);
        if (i->op == OP_input) {
            int64_t index = attr_words(from, i->attr)[0];
            map[v] = input[index];
            given_series(&s, map[v], series[index]);
        } else {
            take(&s, from, v, size_map, map_s[v] != 0, order, map);
        }
    }
    memset(map_s, 0, from->instr.count * sizeof *map_s);
    if (!of) of_count = from->output.count;
    for (size_t n = 0; n < of_count && !g->error.status; n++) {
        value v = from->output.at[of ? of[n] : n].v;
        map_s[v] = whole_series(&s, map[v], order);
    }
    for (value v = 1; v < from->instr.count && !g->error.status; v++)
        map[v] = series_at(&s, map[v], 0);
    return walk_end(&s);
}

bool series_of_solution(wg_graph *g, const struct trace *from, const value *input, int order,
                        const wg_extent *size_map, const uint32_t *rate, const uint32_t *state,
                        size_t count, value *map, value *result) {
    struct series s;
    struct arena scratch = {0};
    if (!walk_begin(&s, g, &scratch, order)) return false;
    s.by_order = true;
    size_t length = from->instr.count;
    value *mark = scratch_zero(&s, length * sizeof *mark);
    bool *varies = scratch_zero(&s, from->input.count);
    if (mark) mark_needed(from, rate, count, mark);
    for (size_t n = 0; varies && n < count; n++) varies[state[n]] = true;
    for (value v = 1; v < length && !g->error.status; v++) {
        const struct instr *i = instr_at(from, v);
        if (i->op == OP_input) {
            int64_t index = attr_words(from, i->attr)[0];
            map[v] = input[index];
            given(&s, map[v], !varies[index]);
        } else {
            take(&s, from, v, size_map, mark[v] != 0, 0, map);
        }
    }
    for (int k = 0; k < order && !g->error.status; k++) {
        g->flags = INSTR_TANGENT;
        for (value v = 1; v < length && k > 0 && !g->error.status; v++)
            if (mark[v] && instr_at(from, v)->op != OP_input) {
                graph_take_site(g, from, instr_at(from, v)->site);
                g->origin = map[v];
                extend(&s, map[v], k);
            }
        g->origin = 0;
        for (size_t n = 0; n < count && !g->error.status; n++) {
            value c = series_at(&s, map[from->output.at[rate[n]].v], k);
            struct expansion *x = s.of.at[input[state[n]]];
            if (c && k > 0) c = build_div(g, c, build_like(g, c, k + 1));
            x->coefficient[k + 1] = c;
            x->known = k + 1;
        }
        g->flags = 0;
    }
    for (size_t n = 0; n < count && !g->error.status; n++)
        result[n] = whole_series(&s, input[state[n]], order);
    return walk_end(&s);
}

bool series_type(wg_graph *g, const wg_type *type, int order, wg_type *series) {
    *series = *type;
    if (type->rank == WG_MAX_RANK) {
        graph_fail(g, WG_ESHAPE,
                   "taylor: a value of rank %d has no room for an axis of coefficients",
                   WG_MAX_RANK);
        return false;
    }
    memmove(series->extent + 1, series->extent, type->rank * sizeof *series->extent);
    series->extent[0] = order;
    series->rank++;
    return true;
}
