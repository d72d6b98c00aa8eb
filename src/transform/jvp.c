/* Forward mode: one walk, every instruction's tangent appended beside it. The rules are those of
 * the operation table; this file only knows what each class means. */
#include "transform/transform.h"

#include "op/build.h"
#include "op/custom.h"
#include "transform/region.h"

#include <stdio.h>

/* Sum of the operation's values with one linear argument at a time replaced by its tangent. */
static value multilinear_tangent(const struct rule *r, const struct op_def *def, const value *t) {
    value sum = 0, arg[UINT8_MAX];
    for (size_t k = 0; k < r->narg; k++) {
        if (!t[k] || !op_is_linear_in(def, k)) continue;
        memcpy(arg, r->x, r->narg * sizeof *arg);
        arg[k] = t[k];
        sum = rule_add(r, sum, graph_emit(r->g, r->op, r->attr, arg, r->narg));
    }
    return sum;
}

/* The operation itself on tangents; absent ones are zeros. */
static value linear_tangent(const struct rule *r, const struct op_def *def, const value *t) {
    value arg[UINT8_MAX];
    for (size_t k = 0; k < r->narg; k++)
        arg[k] = !op_is_linear_in(def, k) ? r->x[k] : t[k] ? t[k] : build_like(r->g, r->x[k], 0);
    return graph_emit(r->g, r->op, r->attr, arg, r->narg);
}

static value elementwise_tangent(const struct rule *r, const struct op_def *def, const value *t) {
    value sum = 0;
    for (size_t k = 0; k < r->narg; k++) {
        value partial = t[k] ? def->partial(r, k) : 0;
        if (partial) sum = rule_add(r, sum, rule_mul(r, t[k], partial));
    }
    return sum;
}

value jvp_rule(const struct rule *r, const value *tangent) {
    const struct op_def *def = op_def(r->op);
    switch ((enum op_class)def->class) {
    case ELEMENTWISE: return elementwise_tangent(r, def, tangent);
    case LINEAR: return linear_tangent(r, def, tangent);
    case MULTILINEAR: return multilinear_tangent(r, def, tangent);
    case GENERAL: return def->jvp(r, tangent);
    case CUSTOM: return custom_tangent(r, tangent);
    case LEAF:
    case REGION:
    case NODIFF: break;
    }
    return 0;
}

void mark_needed(const struct trace *t, const uint32_t *of, size_t of_count, value *mark) {
    memset(mark, 0, t->instr.count * sizeof *mark);
    if (!of) of_count = t->output.count;
    for (size_t i = 0; i < of_count; i++) mark[t->output.at[of ? of[i] : i].v] = 1;
    for (value v = (value)t->instr.count; v-- > 1;) {
        const struct instr *i = instr_at(t, v);
        enum op_class class = (enum op_class)op_def(i->op)->class;
        /* a rule speaks of the arguments only, which stand behind the values */
        size_t first = class == CUSTOM ? custom_lead(attr_words(t, i->attr)) : 0;
        if (!mark[v] || class == NODIFF) continue;
        for (size_t k = first; k < i->narg; k++) mark[args_of(t, i)[k]] = 1;
    }
}

/* A region that is joined with its tangents stands for the one without; so do all its results. */
static value join_tangents(const struct trace *from, value v, const struct rule *r, const value *t,
                           value *map, value *map_t) {
    value primal[REGION_OPERANDS] = {0}, tangent[REGION_OPERANDS] = {0};
    value joined = region_tangent(r, t, primal, tangent);
    for (value item = v + 1; joined && item < from->instr.count; item++) {
        const struct instr *i = instr_at(from, item);
        if (i->op != OP_item || args_of(from, i)[0] != v) continue;
        int64_t k = attr_words(from, i->attr)[0];
        map[item] = k == REGION_COUNT ? build_item(r->g, joined, REGION_COUNT) : primal[k];
        map_t[item] = k == REGION_COUNT ? 0 : tangent[k];
    }
    return joined;
}

/* A tangent has the name of its primal value, which may be an adjoint. */
static void name_tangent(wg_graph *g, value t, const char *name, unsigned flags) {
    char words[80];
    snprintf(words, sizeof words, flags & INSTR_ADJOINT ? "%.64s_bar" : "%.64s", name);
    graph_value_name(g, t, words);
}

bool jvp_program(wg_graph *g, const struct trace *from, const value *input, const value *tangent,
                 const wg_extent *size_map, const uint32_t *of, size_t of_count,
                 const struct derivative_hook *hook, value *map, value *map_t) {
    mark_needed(from, of, of_count, map_t); /* a mark stands where the tangent will */
    memset(map, 0, from->instr.count * sizeof *map);
    map_t[0] = 0;
    for (value v = 1; v < from->instr.count && !g->error.status; v++) {
        const struct instr *i = instr_at(from, v);
        if (i->op == OP_input) {
            int64_t index = attr_words(from, i->attr)[0];
            map[v] = input[index];
            map_t[v] = tangent[index];
        } else if (!(i->op == OP_item && map[v])) {
            bool needed = map_t[v] != 0;
            map[v] = graph_import(g, from, v, size_map, map);
            map_t[v] = 0;
            value x[UINT8_MAX], t[UINT8_MAX];
            bool any = false;
            for (size_t k = 0; k < i->narg; k++) {
                value a = args_of(from, i)[k];
                x[k] = map[a];
                t[k] = map_t[a];
                any |= t[k] != 0;
            }
            bool region = i->op == OP_loop || i->op == OP_branch;
            if (any && needed && (region || dtype_is_float(type_at(from, i->type)->dtype))) {
                g->flags = INSTR_TANGENT;
                g->origin = map[v];
                struct rule r = {.g = g, .y = map[v], .x = x, .narg = i->narg, .op = i->op,
                                 .attr = graph_import_attr(g, from, v, size_map)};
                if (g->error.status) break; /* rules read attributes that are sound */
                if (region) map[v] = join_tangents(from, v, &r, t, map, map_t);
                else map_t[v] = jvp_rule(&r, t);
                if (map_t[v] && instr_at(&g->t, map_t[v])->flags && value_name(from, v))
                    name_tangent(g, map_t[v], value_name(from, v), i->flags);
                g->flags = 0;
                g->origin = 0;
            }
        }
        if (hook) map_t[v] = hook->finish(hook->ctx, g, map[v], map_t[v]);
    }
    g->site = 0;
    return g->error.status == WG_OK;
}
