/* Rules that callers give, bodies of regions, and C functions, as records of a trace: interned,
 * imported, copied and freed with it. A trace owns the programs of its rules, so nothing counts
 * references; equal rules of a trace are one, and a transformation that brings a rule in again
 * finds it. The instructions that name them are op/custom.c, op/region.c and op/external.c.
 *
 * Programs of rules may have rules. What walks down into them (printing, copying, freeing,
 * verifying) recurses, at most MAX_RULE_DEPTH deep. */
#include "op/op.h"

/* ---- rules ----------------------------------------------------------------------------------- */

uint32_t rules_depth(const wg_program *p) {
    uint32_t depth = 0;
    for (size_t i = 0; p && i < p->t.rule.count; i++)
        if (p->t.rule.at[i].depth > depth) depth = p->t.rule.at[i].depth;
    return depth;
}

uint32_t record_depth(bool is_body, const char *name) {
    return is_body && strcmp(name, op_def(OP_branch)->name) == 0 ? 1 : LOOP_DEPTH;
}

static void rule_free(const wg_allocator *a, struct custom_rule *rule) {
    wg_program_free(rule->jvp);
    wg_program_free(rule->vjp);
    mem_free(a, rule->key, rule->key_size);
}

void rules_free(struct trace *t, size_t keep) {
    while (t->rule.count > keep) rule_free(&t->allocator, &t->rule.at[--t->rule.count]);
}

/* A copy with everything but the name, which is the trace's. */
static bool rule_copy(const wg_allocator *a, const struct custom_rule *from,
                      struct custom_rule *copy, wg_error *error) {
    *copy = *from;
    copy->key = mem_alloc(a, from->key_size);
    copy->jvp = from->jvp ? program_copy(from->jvp, a, error) : NULL;
    copy->vjp = from->vjp ? program_copy(from->vjp, a, error) : NULL;
    if (copy->key && !copy->jvp == !from->jvp && !copy->vjp == !from->vjp) {
        memcpy(copy->key, from->key, from->key_size);
        return true;
    }
    rule_free(a, copy);
    return fail_memory(error), false;
}

/* The index of a rule that equals this one in all but the number of its name; or of a copy. */
static int64_t rule_intern(wg_graph *g, const char *name, const struct custom_rule *given) {
    struct trace *t = &g->t;
    name_id id = graph_name(g, name, strlen(name));
    if (g->error.status || !intern_grow(g, &g->rule_index)) return -1;
    size_t at = given->hash;
    for (const struct intern_slot *s; (s = intern_next(&g->rule_index, given->hash, &at)); at++) {
        const struct custom_rule *known = &t->rule.at[s->id - 1];
        if (known->key_size == given->key_size &&
            memcmp(known->key, given->key, given->key_size) == 0)
            return s->id - 1;
    }
    struct custom_rule copy;
    if (!rule_copy(&t->allocator, given, &copy, &g->error)) return -1;
    struct custom_rule *new = VEC_PUSH(&t->allocator, &t->rule);
    if (!new) {
        rule_free(&t->allocator, &copy);
        return fail_memory(&g->error), -1;
    }
    copy.name = id;
    *new = copy;
    return intern_put(&g->rule_index, at, (uint32_t)t->rule.count, given->hash) - 1;
}

static int64_t add_record(wg_graph *g, bool is_body, const char *name, const wg_program *jvp,
                          const wg_program *vjp) {
    if (g->error.status || !name_is_good(g, is_body ? "a body" : "a rule", name)) return -1;
    /* borrowed, to be looked at only */
    struct custom_rule given = {.is_body = is_body,
                                .jvp = (wg_program *)(uintptr_t)jvp,
                                .vjp = (wg_program *)(uintptr_t)vjp};
    uint32_t inner = rules_depth(jvp), other = rules_depth(vjp);
    given.depth = record_depth(is_body, name) + (inner > other ? inner : other);
    if (given.depth > MAX_RULE_DEPTH) {
        if (is_body)
            graph_fail(g, WG_EOVERFLOW,
                       "%s: nested too deep: %d branches are the most, and a loop counts for %d",
                       name, MAX_RULE_DEPTH, LOOP_DEPTH);
        else
            graph_fail(g, WG_EOVERFLOW,
                       "rule \"%s\": rules in the programs of rules, deeper than %d", name,
                       MAX_RULE_DEPTH / LOOP_DEPTH);
        return -1;
    }
    wg_text key = {.allocator = g->t.allocator};
    bool ok = text_format(&key, "%s%s\n", is_body ? "body " : "", name) &&
              (!jvp || (text_add(&key, "jvp\n") && trace_print(&jvp->t, 0, true, &key))) &&
              (!vjp || (text_add(&key, "vjp\n") && trace_print(&vjp->t, 0, true, &key)));
    given.key = key.data;
    given.key_size = key.size;
    given.hash = ok ? (uint32_t)hash_bytes(key.data, key.size, 0) : 0;
    if (!ok) fail_memory(&g->error);
    int64_t index = ok ? rule_intern(g, name, &given) : -1;
    wg_text_free(&key);
    return index;
}

int64_t graph_rule(wg_graph *g, const char *name, const wg_program *jvp, const wg_program *vjp) {
    return add_record(g, false, name, jvp, vjp);
}

int64_t graph_body(wg_graph *g, const char *name, const wg_program *body,
                   const wg_program *reverse) {
    return add_record(g, true, name, body, reverse);
}

size_t attr_rules(unsigned op, const int64_t *word, size_t count, size_t *first) {
    *first = 0;
    switch ((enum op_refers)op_def(op)->refers) {
    case REFERS_TO_RULE: return count > 0;
    case REFERS_TO_BODIES:
        *first = 1;
        return count > 0 && word[0] > 0 && (uint64_t)word[0] < count ? (size_t)word[0] : 0;
    case REFERS_TO_EXTERNAL:
    case REFERS_TO_NOTHING: break;
    }
    return 0;
}

int64_t graph_import_rule(wg_graph *g, const struct trace *from, int64_t index) {
    if (from == &g->t || g->error.status) return g->error.status ? -1 : index;
    const struct custom_rule *rule = &from->rule.at[index];
    return rule_intern(g, name_at(from, rule->name), rule);
}

/* ---- C functions ----------------------------------------------------------------------------- */

static uint32_t external_hash(const struct external *e) {
    uint64_t h = hash_mix(e->name, (uint64_t)(uintptr_t)e->call);
    return (uint32_t)hash_mix(h, (uint64_t)(uintptr_t)e->context);
}

int64_t graph_external(wg_graph *g, const char *name, wg_external_function *call, void *context) {
    struct trace *t = &g->t;
    if (g->error.status || !name_is_good(g, "a C function", name)) return -1;
    struct external given = {graph_name(g, name, strlen(name)), call, context};
    if (g->error.status || !intern_grow(g, &g->external_index)) return -1;
    uint32_t hash = external_hash(&given);
    size_t at = hash;
    for (const struct intern_slot *s; (s = intern_next(&g->external_index, hash, &at)); at++) {
        const struct external *known = &t->external.at[s->id - 1];
        if (known->name == given.name && known->call == call && known->context == context)
            return s->id - 1;
    }
    struct external *new = VEC_PUSH(&t->allocator, &t->external);
    if (!new) return fail_memory(&g->error), -1;
    *new = given;
    return intern_put(&g->external_index, at, (uint32_t)t->external.count, hash) - 1;
}

int64_t graph_import_external(wg_graph *g, const struct trace *from, int64_t index) {
    if (from == &g->t) return index;
    const struct external *e = &from->external.at[index];
    return graph_external(g, name_at(from, e->name), e->call, e->context);
}

/* ---- of whole traces ------------------------------------------------------------------------- */

void graph_forget_rules(wg_graph *g, size_t rules, size_t externals) {
    struct trace *t = &g->t;
    for (size_t i = t->rule.count; i-- > rules;)
        intern_forget(&g->rule_index, (uint32_t)i + 1, t->rule.at[i].hash);
    rules_free(t, rules);
    for (; t->external.count > externals; t->external.count--)
        intern_forget(&g->external_index, (uint32_t)t->external.count,
                      external_hash(&t->external.at[t->external.count - 1]));
}

bool rules_copy(struct trace *to, const struct trace *from, wg_error *error) {
    const wg_allocator *a = &to->allocator;
    if ((from->external.count && !VEC_RESERVE(a, &to->external, from->external.count)) ||
        (from->rule.count && !VEC_RESERVE(a, &to->rule, from->rule.count)))
        return fail_memory(error), false;
    for (size_t i = 0; i < from->external.count; i++) to->external.at[i] = from->external.at[i];
    to->external.count = from->external.count;
    for (; to->rule.count < from->rule.count; to->rule.count++)
        if (!rule_copy(a, &from->rule.at[to->rule.count], &to->rule.at[to->rule.count], error))
            return false;
    return true;
}

/* The same attribute with other words from `first` on, as a new one: others may share the old. */
static bool renumber(struct trace *t, struct instr *i, size_t first, size_t count,
                     const uint32_t *number) {
    struct span old = t->attr.at[i->attr];
    if (!VEC_RESERVE(&t->allocator, &t->word, t->word.count + old.count) ||
        !VEC_RESERVE(&t->allocator, &t->attr, t->attr.count + 1))
        return false;
    int64_t *word = t->word.at + t->word.count;
    memcpy(word, t->word.at + old.at, old.count * sizeof *word);
    for (size_t k = first; k < first + count; k++) word[k] = (int64_t)number[word[k]] - 1;
    i->attr = (attr_id)t->attr.count;
    t->attr.at[t->attr.count++] = (struct span){(uint32_t)t->word.count, old.count};
    t->word.count += old.count;
    return true;
}

bool rules_drop_unused(struct trace *t) {
    size_t rules = t->rule.count, externals = t->external.count, kept = 0, first;
    if (rules + externals == 0) return true;
    size_t bytes = (rules + externals) * sizeof(uint32_t);
    uint32_t *rule = mem_alloc_zero(&t->allocator, bytes);
    if (!rule) return false;
    uint32_t *external = rule + rules;
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        const int64_t *word = attr_words(t, i->attr);
        size_t count = attr_rules(i->op, word, attr_count(t, i->attr), &first);
        for (size_t k = 0; k < count; k++) rule[word[first + k]] = 1;
        if (op_def(i->op)->refers == REFERS_TO_EXTERNAL) external[word[0]] = 1;
    }
    for (size_t i = 0; i < rules; i++) { /* from here on rule[i] is 1 + the new number */
        struct custom_rule record = t->rule.at[i];
        if (rule[i])
            t->rule.at[kept++] = record, rule[i] = (uint32_t)kept;
        else
            rule_free(&t->allocator, &record);
    }
    t->rule.count = kept;
    kept = 0;
    for (size_t i = 0; i < externals; i++)
        if (external[i]) t->external.at[kept++] = t->external.at[i], external[i] = (uint32_t)kept;
    t->external.count = kept;
    bool ok = true, all = t->rule.count == rules && t->external.count == externals;
    for (value v = 1; ok && !all && v < t->instr.count; v++) {
        struct instr *i = &t->instr.at[v];
        size_t count = attr_rules(i->op, attr_words(t, i->attr), attr_count(t, i->attr), &first);
        if (count) ok = renumber(t, i, first, count, rule);
        else if (op_def(i->op)->refers == REFERS_TO_EXTERNAL) ok = renumber(t, i, 0, 1, external);
    }
    mem_free(&t->allocator, rule, bytes);
    return ok;
}
