/* Dependency through rules of callers: a jvp program reaches from its tangents to those of the
 * results, a vjp program from adjoints of the results to those of the arguments, which is read the
 * other way round. The value beside a rule plays no part, as in derivatives. */
#include "transform/sparsity.h"

#include "op/custom.h"

struct parts { /* of one custom instruction */
    struct walk *w;
    value v;
    const value *y, *x; /* all results of its call, its arguments */
    size_t results, arguments, result;
    const int64_t *size; /* extents for the sizes of a program */
};

/* The rule's program opened under its sizes. */
static bool open_rule(struct walk *rule, struct sparsity *s, const struct parts *c,
                      const wg_program *p, int64_t **size, size_t *bytes) {
    *bytes = (p->t.size.count + 1) * sizeof **size;
    *size = mem_alloc(&c->w->s->sets.allocator, *bytes);
    *rule = (struct walk){.s = s, .t = &p->t};
    if (!*size) return false;
    for (size_t i = 0; i < p->t.size.count; i++)
        if (!extent_eval(c->w->t, c->size[i], c->w->size, &(*size)[i])) {
            fail_with(s->error, WG_EOVERFLOW,
                      "sparsity: a size of a rule is negative or too large");
            return false;
        }
    return walk_open(rule, s, &p->t, *size, c->w->budget);
}

/* Arguments, and results where the program takes them, stand in a rule without a derivative.
 * Returns the number of the first tangent or adjoint, of which there are `linear`. */
static size_t pass_values(const struct parts *c, const wg_program *p, size_t linear,
                          struct reached *in) {
    size_t at = c->arguments;
    for (size_t k = 0; k < c->arguments; k++) in[k].data = c->w->at[c->x[k]].data;
    if (p->t.input.count == c->arguments + linear) return at;
    for (size_t j = 0; j < c->results; j++) in[at++].data = c->w->at[c->y[j]].data;
    return at;
}

static bool through_jvp(const struct parts *c, const wg_program *p) {
    struct walk *w = c->w, rule;
    struct reached in[2 * CUSTOM_OPERANDS] = {{0}};
    int64_t *size, count = walk_count(w, c->v);
    size_t bytes, floats = 0;
    bool grown;
    for (size_t k = 0; k < c->arguments; k++) floats += value_is_float(w->t, c->x[k]);
    size_t at = pass_values(c, p, floats, in);
    for (size_t k = 0; k < c->arguments; k++)
        if (value_is_float(w->t, c->x[k])) in[at++] = w->at[c->x[k]];
    bool ok = open_rule(&rule, w->s, c, p, &size, &bytes) && walk_run(&rule, in) &&
              reached_join(w->s, &w->at[c->v], walk_output(&rule, c->result), count,
                           walk_width(w, c->v), &grown);
    walk_close(&rule);
    mem_free(&w->s->sets.allocator, size, bytes);
    return ok;
}

/* One pass over the adjoints of an argument: each of result elements that its element e depends on
 * is counted, or gets the set of e. */
static void distribute(const struct parts *c, const struct walk *rule, int64_t first, int64_t count,
                       uint32_t *end, set_id *set) {
    size_t at = 0;
    for (size_t k = 0; k < c->arguments; k++) {
        if (!value_is_float(c->w->t, c->x[k])) continue;
        const struct reached *bar = walk_output(rule, at++), *x = &c->w->at[c->x[k]];
        for (int64_t e = 0; e < walk_count(c->w, c->x[k]); e++) {
            struct set_run room;
            size_t runs;
            const struct set_run *run = sets_runs(&rule->s->sets, reached_at(bar, e), &room, &runs);
            for (size_t i = 0; i < runs; i++)
                for (int64_t y = run[i].begin; y < run[i].end; y++) {
                    if (y < first || y >= first + count) continue;
                    if (set)
                        set[end[y - first]++] = reached_at(x, e);
                    else
                        end[y - first + 1]++;
                }
        }
    }
}

/* What the adjoint of each argument's element depends on is what depends on that element. */
static bool through_vjp(const struct parts *c, const wg_program *p) {
    struct walk *w = c->w, rule;
    const wg_allocator *a = &w->s->sets.allocator;
    struct reached in[2 * CUSTOM_OPERANDS] = {{0}};
    struct sparsity s = {.error = w->s->error};
    int64_t total = 0, first = 0, count = walk_count(w, c->v), *size = NULL;
    size_t bytes = 0;
    for (size_t j = 0; j < c->results; j++) {
        if (j == c->result) first = total;
        total += walk_count(w, c->y[j]);
    }
    if (total > SETS_UNIVERSE) {
        fail_with(s.error, WG_EOVERFLOW, "sparsity: more than %d results of a rule", SETS_UNIVERSE);
        return false;
    }
    bool sets = sets_open(&s.sets, a, (uint32_t)total);
    set_id *own = mem_alloc(a, ((size_t)total + 1) * sizeof *own);
    bool ok = sets && own;
    size_t seed = pass_values(c, p, c->results, in);
    int64_t at = 0;
    for (size_t j = 0; ok && j < c->results; j++) {
        in[seed + j].set = own + at;
        for (int64_t e = 0; e < walk_count(w, c->y[j]); e++, at++) own[at] = (set_id)at + 1;
    }
    bool opened = ok;
    ok = ok && open_rule(&rule, &s, c, p, &size, &bytes) && walk_run(&rule, in);
    size_t ends = ((size_t)count + 1) * sizeof(uint32_t), terms = 0;
    uint32_t *end = mem_alloc_zero(a, ends);
    set_id *set = NULL;
    struct reached *y = &w->at[c->v];
    ok = ok && end;
    if (ok) {
        distribute(c, &rule, first, count, end, NULL);
        for (int64_t e = 0; e < count; e++) end[e + 1] += end[e];
        terms = end[count];
        set = mem_alloc(a, (terms + 1) * sizeof *set);
        ok = set;
    }
    if (ok) distribute(c, &rule, first, count, end, set);
    struct reached sum = {0};
    sum.set = ok && count ? mem_alloc_zero(a, (size_t)count * sizeof *sum.set) : NULL;
    ok = ok && (sum.set || !count);
    for (int64_t e = 0, i = 0; ok && e < count; e++) {
        sets_begin(&w->s->sets);
        for (; i < end[e]; i++) sets_add(&w->s->sets, set[i]);
        sum.set[e] = sets_end(&w->s->sets);
    }
    bool grown;
    ok = ok && reached_join(w->s, y, &sum, count, walk_width(w, c->v), &grown);
    mem_free(a, sum.set, (size_t)count * sizeof *sum.set);
    mem_free(a, set, (terms + 1) * sizeof *set);
    mem_free(a, end, ends);
    if (opened) walk_close(&rule);
    mem_free(a, size, bytes);
    mem_free(a, own, ((size_t)total + 1) * sizeof *own);
    sets_close(&s.sets);
    return ok;
}

/* Of a rule that has both programs, each mode takes its own: the union serves either. */
bool walk_custom(struct walk *w, value v) {
    const struct trace *t = w->t;
    const struct instr *i = instr_at(t, v);
    const int64_t *word = attr_words(t, i->attr);
    const struct custom_rule *rule = &t->rule.at[word[0]];
    const value *arg = args_of(t, i);
    size_t lead = custom_lead(word);
    struct parts c = {.w = w,
                      .v = v,
                      .y = word[1] > 1 ? arg + 1 : arg,
                      .x = arg + lead,
                      .results = (size_t)word[1],
                      .arguments = i->narg - lead,
                      .result = (size_t)word[2],
                      .size = word + CUSTOM_HEAD};
    if (rule->jvp && !through_jvp(&c, rule->jvp)) return false;
    if (rule->jvp) c.size += rule->jvp->t.size.count;
    return !rule->vjp || through_vjp(&c, rule->vjp);
}
