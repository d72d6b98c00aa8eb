/* The row `custom` and the application of a rule's program to values. A rule is checked against the
 * operands whenever an instruction is appended, so that neither a caller nor a program text can
 * bring one that does not fit. */
#include "op/custom.h"

#include "op/build.h"
#include "op/conv.h"
#include "op/describe.h"

/* ---- parts ----------------------------------------------------------------------------------- */

static bool unsound(wg_graph *g) {
    graph_fail(g, WG_EARGUMENT, "custom: attributes that it does not have");
    return false;
}

static size_t size_count(const wg_program *p) { return p ? p->t.size.count : 0; }

bool custom_open(wg_graph *g, attr_id attr, const value *x, size_t narg, struct custom *c) {
    const struct trace *t = &g->t;
    size_t count = attr_count(t, attr);
    if (count < CUSTOM_HEAD) return unsound(g);
    const int64_t *word = attr_words(t, attr);
    if (word[0] < 0 || (uint64_t)word[0] >= t->rule.count || word[1] < 1 ||
        (uint64_t)word[1] >= narg || word[2] < 0 || word[2] >= word[1])
        return unsound(g);
    const struct custom_rule *rule = &t->rule.at[word[0]];
    if (rule->is_body) return unsound(g);
    size_t m = (size_t)word[1], lead = custom_lead(word);
    *c = (struct custom){.name = name_at(t, rule->name),
                         .jvp = rule->jvp,
                         .vjp = rule->vjp,
                         .results = m,
                         .attr = attr,
                         .result = (size_t)word[2]};
    c->sizes = size_count(c->jvp) + size_count(c->vjp);
    if (count != CUSTOM_HEAD + c->sizes || narg < lead) return unsound(g);
    c->arguments = narg - lead;
    c->y = m > 1 ? x + 1 : x;
    c->x = x + lead;
    if (m > 1 && x[0] != c->y[c->result]) return unsound(g);
    for (size_t i = 0; i < c->arguments; i++)
        c->floats += value_is_float(t, c->x[i]);
    c->jvp_size = mem_alloc(&t->allocator, (c->sizes + 1) * sizeof *c->jvp_size);
    if (!c->jvp_size) return fail_memory(&g->error), false;
    c->vjp_size = c->jvp_size + size_count(c->jvp);
    for (size_t i = 0; i < c->sizes; i++) {
        c->jvp_size[i] = word[CUSTOM_HEAD + i];
        if (require_extent(g, "custom", c->jvp_size[i])) continue;
        custom_close(g, c);
        return false;
    }
    return true;
}

size_t custom_results_taken(const struct custom *c, const wg_program *p) {
    size_t linear = p == c->jvp ? c->floats : c->results;
    return p->t.input.count == c->arguments + c->results + linear ? c->results : 0;
}

void custom_close(wg_graph *g, struct custom *c) {
    mem_free(&g->t.allocator, c->jvp_size, (c->sizes + 1) * sizeof *c->jvp_size);
}

attr_id custom_attr(wg_graph *g, attr_id attr, size_t j) {
    size_t count = attr_count(&g->t, attr), bytes = count * sizeof(int64_t);
    int64_t *word = mem_alloc(&g->t.allocator, bytes);
    if (!word) return fail_memory(&g->error), 0;
    memcpy(word, attr_words(&g->t, attr), bytes);
    word[2] = (int64_t)j;
    attr_id other = graph_attr(g, word, count);
    mem_free(&g->t.allocator, word, bytes);
    return other;
}

size_t custom_operands(const value *y, size_t m, const value *x, size_t k, size_t j,
                       value *operand) {
    size_t count = 1;
    operand[0] = y[j];
    for (size_t i = 0; m > 1 && i < m; i++) operand[count++] = y[i];
    for (size_t i = 0; i < k; i++) operand[count++] = x[i];
    return count;
}

bool build_custom(wg_graph *g, int64_t rule, const value *y, size_t m, const value *x, size_t k,
                  const wg_extent *size, size_t sizes, value *result) {
    value operand[CUSTOM_OPERANDS];
    if (g->error.status || rule < 0) return false;
    if (m + k + 1 > CUSTOM_OPERANDS) {
        graph_fail(g, WG_EOVERFLOW, "custom: %zu arguments and %zu results; together at most %d", k,
                   m, CUSTOM_OPERANDS - 1);
        return false;
    }
    size_t bytes = (CUSTOM_HEAD + sizes) * sizeof(int64_t);
    int64_t *word = mem_alloc(&g->t.allocator, bytes);
    if (!word) return fail_memory(&g->error), false;
    word[0] = rule;
    word[1] = (int64_t)m;
    for (size_t i = 0; i < sizes; i++) word[CUSTOM_HEAD + i] = size[i];
    for (size_t j = 0; j < m && !g->error.status; j++) {
        word[2] = (int64_t)j;
        size_t count = custom_operands(y, m, x, k, j, operand);
        result[j] = graph_emit(g, OP_custom, graph_attr(g, word, CUSTOM_HEAD + sizes), operand,
                               count);
    }
    mem_free(&g->t.allocator, word, bytes);
    return g->error.status == WG_OK;
}

/* ---- whether a rule fits --------------------------------------------------------------------- */

struct fit {
    wg_graph *g;
    const struct custom *c;
    const wg_program *p;
    const char *kind; /* "jvp" or "vjp" */
    const wg_extent *size_map;
};

/* Input or output `index` of the program belongs to v, as `what` says. */
static bool fits(const struct fit *f, bool output, size_t index, const char *what, size_t number,
                 value v) {
    wg_graph *g = f->g;
    struct port port = (output ? f->p->t.output.at : f->p->t.input.at)[index];
    wg_type has = graph_import_type(g, &f->p->t, type_of(&f->p->t, port.v), f->size_map);
    wg_type needs = *type_of(&g->t, v);
    if (g->error.status || type_equal(&has, &needs)) return !g->error.status;
    graph_fail(g, has.dtype == needs.dtype ? WG_ESHAPE : WG_EDTYPE,
               "custom \"%s\": %s \"%s\" of the %s is %s, but %s %zu is %s", f->c->name,
               output ? "output" : "input", name_at(&f->p->t, port.name), f->kind,
               type_name_of(g, &has).text, what, number, type_name_of(g, &needs).text);
    return false;
}

static bool counts_fit(const struct fit *f, size_t linear, size_t outputs, const char *of_linear) {
    size_t k = f->c->arguments, in = f->p->t.input.count, out = f->p->t.output.count;
    size_t taken = custom_results_taken(f->c, f->p);
    if (in == k + taken + linear && out == outputs) return true;
    graph_fail(f->g, WG_EARGUMENT,
               "custom \"%s\": the %s has %zu inputs and %zu outputs; %zu inputs, of which %zu %s, "
               "and %zu outputs are needed",
               f->c->name, f->kind, in, out, k + linear, linear, of_linear, outputs);
    graph_hint(f->g, "or %zu inputs, if it takes the results behind the arguments",
               k + f->c->results + linear);
    return false;
}

static bool rule_fits(const struct fit *f, bool is_jvp) {
    const struct custom *c = f->c;
    size_t linear = is_jvp ? c->floats : c->results, outputs = is_jvp ? c->results : c->floats;
    if (!counts_fit(f, linear, outputs, is_jvp ? "tangents" : "adjoints")) return false;
    size_t at = 0, taken = custom_results_taken(c, f->p);
    for (size_t j = 0; j < taken; j++)
        if (!fits(f, false, c->arguments + j, "floating result", j + 1, c->y[j])) return false;
    for (size_t i = 0; i < c->arguments; i++) {
        if (!fits(f, false, i, "argument", i + 1, c->x[i])) return false;
        if (!value_is_float(&f->g->t, c->x[i])) continue;
        size_t port = is_jvp ? c->arguments + taken + at : at;
        if (!fits(f, !is_jvp, port, "argument", i + 1, c->x[i])) return false;
        at++;
    }
    for (size_t j = 0; j < c->results; j++)
        if (!fits(f, is_jvp, is_jvp ? j : c->arguments + taken + j, "floating result", j + 1,
                  c->y[j]))
            return false;
    return true;
}

static bool custom_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                         wg_type *type) {
    struct custom c;
    (void)op;
    if (narg > CUSTOM_OPERANDS) return unsound(g);
    if (!custom_open(g, attr, x, narg, &c)) return false;
    struct fit jvp = {g, &c, c.jvp, "jvp", c.jvp_size}, vjp = {g, &c, c.vjp, "vjp", c.vjp_size};
    bool ok = true;
    for (size_t j = 0; ok && j < c.results; j++) ok = require_floats(g, "custom", c.y[j]);
    ok = ok && (!c.jvp || rule_fits(&jvp, true)) && (!c.vjp || rule_fits(&vjp, false));
    custom_close(g, &c);
    if (ok) *type = *type_of(&g->t, x[0]);
    return ok;
}

/* ---- a rule's program on values -------------------------------------------------------------- */

enum role {
    PRIMAL, /* does not depend on the linear inputs */
    LINEAR_IN,
    ABSENT /* zero, and not made */
};

struct application {
    wg_graph *g;
    const struct trace *from;
    const wg_extent *size_map;
    value *map;
    uint8_t *role;
    bool guarded;
};

/* Whether the instruction is an absent zero because arguments are. */
static bool is_absent(const struct application *a, const struct instr *i) {
    const struct op_def *def = op_def(i->op);
    const value *x = args_of(a->from, i);
    bool first = a->role[x[0]] == ABSENT, second = i->narg > 1 && a->role[x[1]] == ABSENT;
    bool every = true, any = false;
    switch (i->op) {
    case OP_neg: return first;
    case OP_add:
    case OP_sub: return first && second;
    case OP_mul:
    case OP_mulz: return first || second;
    case OP_div: return first && !second;
    default: break;
    }
    if (def->class != LINEAR && def->class != MULTILINEAR) return false;
    for (size_t k = 0; k < i->narg; k++) {
        bool absent = a->role[x[k]] == ABSENT;
        if (!op_is_linear_in(def, k) && absent) return false;
        every = every && (absent || !op_is_linear_in(def, k));
        any = any || absent;
    }
    return def->class == LINEAR ? every : any;
}

/* Where one term of a sum is absent: the other; 0 for anything else. */
static value other_term(const struct application *a, const struct instr *i) {
    const value *x = args_of(a->from, i);
    if (i->op != OP_add && i->op != OP_sub) return 0;
    if (a->role[x[1]] == ABSENT) return a->map[x[0]];
    return i->op == OP_add ? a->map[x[1]] : build_neg(a->g, a->map[x[1]]);
}

/* Gives every argument that is absent a tensor of zeros. */
static void make_zeros(const struct application *a, const struct instr *i) {
    for (size_t k = 0; k < i->narg; k++) {
        value x = args_of(a->from, i)[k];
        if (a->role[x] != ABSENT || a->map[x]) continue;
        wg_type type = graph_import_type(a->g, a->from, type_of(a->from, x), a->size_map);
        a->map[x] = build_full(a->g, &type, 0);
    }
}

static value guarded_conv(const struct application *a, value v, value p, value q) {
    int64_t word[CONV_WORDS];
    attr_id attr = graph_import_attr(a->g, a->from, v, a->size_map);
    if (a->g->error.status) return 0;
    memcpy(word, attr_words(&a->g->t, attr), sizeof word);
    word[CONV_ABSOLUTE] = true;
    return build_conv(a->g, word, p, q);
}

/* The instruction as an absolute-zero product, 0 if it is none that has one. */
static value guarded_product(const struct application *a, value v) {
    const struct instr *i = instr_at(a->from, v);
    if (i->narg != 2) return 0;
    const value *x = args_of(a->from, i);
    const int64_t *word = attr_words(a->from, i->attr);
    bool first = a->role[x[0]] == LINEAR_IN, second = a->role[x[1]] == LINEAR_IN;
    value p = a->map[x[0]], q = a->map[x[1]];
    if (first == second) return 0;
    switch (i->op) {
    case OP_mul: return build_binary(a->g, OP_mulz, first ? p : q, first ? q : p);
    case OP_div:
        if (second) return 0;
        return build_binary(a->g, OP_mulz, p, build_unary(a->g, OP_reciprocal, q));
    case OP_dot:
        return build_dotz(a->g, p, q, (unsigned)word[0], (unsigned)word[1], word[2] != 0,
                          word[3] != 0);
    case OP_conv: return guarded_conv(a, v, p, q);
    case OP_recur: return build_recurz(a->g, p, q, (unsigned)word[0], word[1] != 0);
    default: return 0;
    }
}

static void apply_instruction(const struct application *a, value v) {
    const struct instr *i = instr_at(a->from, v);
    bool absent = false;
    a->role[v] = PRIMAL;
    for (size_t k = 0; k < i->narg; k++) {
        uint8_t role = a->role[args_of(a->from, i)[k]];
        absent |= role == ABSENT;
        if (role != PRIMAL && dtype_is_float(type_at(a->from, i->type)->dtype))
            a->role[v] = LINEAR_IN;
    }
    if (absent && is_absent(a, i)) {
        a->role[v] = ABSENT;
        a->map[v] = 0;
        return;
    }
    graph_take_site(a->g, a->from, i->site);
    value made = absent ? other_term(a, i) : 0;
    if (absent && !made) make_zeros(a, i);
    if (!made && a->guarded && a->role[v] == LINEAR_IN) made = guarded_product(a, v);
    a->map[v] = made ? made : graph_import(a->g, a->from, v, a->size_map, a->map);
}

/* The results of the call: the custom values themselves. */
static void own_results(wg_graph *g, const struct custom *c, value *own) {
    value operand[CUSTOM_OPERANDS];
    for (size_t j = 0; j < c->results && !g->error.status; j++) {
        size_t count = custom_operands(c->y, c->results, c->x, c->arguments, j, operand);
        own[j] = graph_emit(g, OP_custom, custom_attr(g, c->attr, j), operand, count);
    }
}

static void apply_all(const struct application *a, size_t given, const value *x,
                      const value *linear) {
    for (value v = 1; v < a->from->instr.count && !a->g->error.status; v++) {
        const struct instr *i = instr_at(a->from, v);
        if (i->op != OP_input) {
            apply_instruction(a, v);
            continue;
        }
        size_t index = (size_t)attr_words(a->from, i->attr)[0];
        a->map[v] = index < given ? x[index] : linear[index - given];
        a->role[v] = index < given ? PRIMAL : a->map[v] ? LINEAR_IN : ABSENT;
    }
}

bool custom_apply(wg_graph *g, const struct custom *c, const wg_program *p, const value *linear,
                  bool guarded, value *out) {
    const struct trace *from = &p->t;
    size_t count = from->instr.count;
    struct application a = {.g = g,
                            .from = from,
                            .guarded = guarded,
                            .size_map = p == c->jvp ? c->jvp_size : c->vjp_size,
                            .map = mem_alloc_zero(&g->t.allocator, count * sizeof(value)),
                            .role = mem_alloc_zero(&g->t.allocator, count)};
    /* the walk around this one goes on where it was */
    uint32_t site = g->site, imported_at = g->imported_at;
    const struct trace *imported = g->imported;
    g->imported = NULL;
    if (!a.map || !a.role)
        fail_memory(&g->error);
    else if (graph_import_checks(g, from, a.size_map)) {
        value known[2 * CUSTOM_OPERANDS];
        size_t taken = custom_results_taken(c, p);
        memcpy(known, c->x, c->arguments * sizeof *known);
        if (taken) own_results(g, c, known + c->arguments);
        apply_all(&a, c->arguments + taken, known, linear);
    }
    for (size_t i = 0; i < from->output.count && !g->error.status; i++) {
        value v = from->output.at[i].v;
        out[i] = a.role[v] == ABSENT ? 0 : a.map[v];
    }
    g->imported = imported;
    g->imported_at = imported_at;
    g->site = site;
    mem_free(&g->t.allocator, a.map, count * sizeof(value));
    mem_free(&g->t.allocator, a.role, count);
    return g->error.status == WG_OK;
}

/* ---- the row --------------------------------------------------------------------------------- */

static bool custom_word_is_extent(const int64_t *word, size_t count, size_t index) {
    (void)word, (void)count;
    return index >= CUSTOM_HEAD;
}

static wg_status custom_run(const struct exec *e) {
    size_t size = (size_t)e->out.shape->count * wg_dtype_size((wg_dtype)e->out.dtype);
    if (size && e->out.data != e->arg[0].data) memcpy(e->out.data, e->arg[0].data, size);
    return WG_OK;
}

/* log(1 + e^x) with the derivative sigma(x), finite for every x, as a jvp or as a vjp. */
static value softplus(wg_graph *g, value x, bool is_jvp) {
    wg_error error = {0};
    wg_graph *of_rule = graph_new(&g->t.allocator);
    if (!of_rule) return fail_memory(&g->error), 0;
    wg_type type = *type_of(&g->t, x);
    value at = graph_input(of_rule, "x", &type), t = graph_input(of_rule, "t", &type);
    graph_output(of_rule, "y", build_mul(of_rule, t, build_unary(of_rule, OP_sigmoid, at)));
    wg_program *p = graph_build(of_rule, &error);
    if (!p) return fail_as(&g->error, &error), 0;
    value y = build_unary(g, OP_log1p, build_unary(g, OP_exp, x)), result = 0;
    int64_t rule = graph_rule(g, "softplus", is_jvp ? p : NULL, is_jvp ? NULL : p);
    build_custom(g, rule, &y, 1, &x, 1, NULL, 0, &result);
    wg_program_free(p);
    return result;
}

static value jvp_sample(wg_graph *g, const value *arg) { return softplus(g, arg[0], true); }

static value vjp_sample(wg_graph *g, const value *arg) { return softplus(g, arg[0], false); }

const struct op_def op_custom = {
    .name = "custom",
    .class = CUSTOM,
    .narg = -1,
    .flags = OP_ALIAS,
    .refers = REFERS_TO_RULE,
    .doc = "y; its derivative is the program that the caller gave, in every mode and order",
    .infer = custom_infer,
    .attr_is_extent = custom_word_is_extent,
    .run = custom_run,
    .sample = (const struct op_sample[]){{.narg = 1,
                                          .arg = {{WG_F64, 1, {4}}},
                                          .low = {-3},
                                          .high = {3},
                                          .make = jvp_sample,
                                          .note = "a jvp"},
                                         {.narg = 1,
                                          .arg = {{WG_F64, 1, {4}}},
                                          .low = {-3},
                                          .high = {3},
                                          .make = vjp_sample,
                                          .note = "a vjp"},
                                         {0}},
};
