/* The public functions of wengert/custom.h that append to a graph: a program with a rule for its
 * derivative, and the call of a C function, whose derivatives, C functions too, become such a rule.
 * (wg_program_read_with is ir/read.c's, wg_check_rule run/check_rule.c's.) */
#include "op/apply.h"
#include "op/build.h"
#include "op/custom.h"
#include "op/external.h"
#include "op/face.h"

#include <stdio.h>

/* ---- a program with a rule ------------------------------------------------------------------- */

/* What the sizes of a rule's program are: what the arguments bring; else those of the same name in
 * the value's program, where they are `known`; else the graph's. */
static bool rule_sizes(wg_graph *g, const wg_program *p, const value *argument, size_t count,
                       const wg_program *value_of, const wg_extent *known, wg_extent *size) {
    if (!p) return true;
    apply_read_sizes(g, &p->t, argument, count, size);
    for (size_t i = 0; i < p->t.size.count; i++) {
        int same = wg_size_index(value_of, wg_size_name(p, i));
        if (size[i] == extent_bad && same >= 0) size[i] = known[same];
    }
    return apply_name_sizes(g, &p->t, size);
}

struct custom_call {
    const wg_program *program;
    const wg_rule *rule;
    size_t inputs, outputs;
    value *argument, *result, *y; /* of each input; of each output; of the floating ones */
    wg_extent *size, *rule_size;  /* of the program; of the jvp, then of the vjp */
};

/* Gives the floating results the rule. */
static bool attach_rule(wg_graph *g, const struct custom_call *c) {
    const wg_program *jvp = c->rule->jvp, *vjp = c->rule->vjp;
    size_t count = 0, of_jvp = wg_size_count(jvp), sizes = of_jvp + wg_size_count(vjp);
    for (size_t i = 0; i < c->outputs; i++)
        if (value_is_float(&g->t, c->result[i])) c->y[count++] = c->result[i];
    if (count == 0) {
        graph_fail(g, WG_EDTYPE, "custom \"%s\": the program has no output of a floating type",
                   c->rule->name);
        return false;
    }
    if (!rule_sizes(g, jvp, c->argument, c->inputs, c->program, c->size, c->rule_size) ||
        !rule_sizes(g, vjp, c->argument, c->inputs, c->program, c->size, c->rule_size + of_jvp))
        return false;
    int64_t rule = graph_rule(g, c->rule->name, jvp, vjp);
    value *wrapped = c->y + c->outputs;
    if (!build_custom(g, rule, c->y, count, c->argument, c->inputs, c->rule_size, sizes, wrapped))
        return false;
    for (size_t i = 0, at = 0; i < c->outputs; i++)
        if (value_is_float(&g->t, c->result[i])) c->result[i] = wrapped[at++];
    return true;
}

static bool custom_is_given(wg_graph *g, const wg_program *program, const wg_rule *rule,
                            const wg_var *result) {
    const char *missing = !program                   ? "the program is"
                          : !rule                    ? "the rule is"
                          : !rule->name              ? "the rule's name is"
                          : !rule->jvp && !rule->vjp ? "both programs of the rule are"
                          : !result                  ? "the list of results is"
                                                     : NULL;
    if (missing) graph_fail(g, WG_EARGUMENT, "custom: %s NULL", missing);
    return !missing;
}

void wg_custom_at(const char *file, int line, wg_graph *g, const wg_program *program,
                  const wg_rule *rule, const wg_var *argument, wg_var *result) {
    size_t outputs = wg_output_count(program), inputs = wg_input_count(program);
    for (size_t i = 0; result && i < outputs; i++) result[i] = (wg_var){g, 0};
    if (!face_begin(g, file, line) || !custom_is_given(g, program, rule, result)) return;
    uint32_t site = g->site;
    size_t sizes = wg_size_count(program), of_rule = wg_size_count(rule->jvp);
    of_rule += wg_size_count(rule->vjp);
    size_t bytes = (inputs + 3 * outputs) * sizeof(value);
    size_t size_bytes = (sizes + of_rule + 1) * sizeof(wg_extent);
    struct custom_call c = {.program = program, .rule = rule, .inputs = inputs, .outputs = outputs};
    c.argument = mem_alloc_zero(&g->t.allocator, bytes);
    c.size = mem_alloc(&g->t.allocator, size_bytes);
    if (c.argument && c.size) {
        c.result = c.argument + inputs;
        c.y = c.result + outputs;
        c.rule_size = c.size + sizes;
        bool ok = apply_arguments(g, "custom", program, argument, c.argument) &&
                  apply_program(g, "custom", program, c.argument, c.size, c.result);
        if (!g->error.status) g->site = site; /* the program brought its own */
        ok = ok && attach_rule(g, &c);
        for (size_t i = 0; i < outputs && ok; i++) result[i].id = c.result[i];
    } else {
        fail_memory(&g->error);
    }
    mem_free(&g->t.allocator, c.argument, bytes);
    mem_free(&g->t.allocator, c.size, size_bytes);
}

/* ---- C functions ----------------------------------------------------------------------------- */

struct external_call {
    const wg_external *f;
    const char *file;
    int line;
    size_t count, results;
    const value *x;
    const wg_type *type; /* of each result */
    value *y;
};

/* The sizes that types of g name, as sizes of the rule's graph: what extent_import needs, and, in
 * `used`, how they stand in g. */
struct size_match {
    wg_extent *in_rule, *used;
    size_t count;
};

static bool match_sizes(const wg_graph *g, wg_graph *of_rule, const wg_type *type,
                        struct size_match *match) {
    for (size_t k = 0; k < type->rank; k++)
        for (size_t i = 0; i < g->t.size.count; i++) {
            if (match->in_rule[i] != extent_bad) continue;
            if (!extent_has_size(&g->t, type->extent[k], i)) continue;
            const char *name = name_at(&g->t, g->t.size.at[i]);
            match->in_rule[i] = extent_size(of_rule, graph_size(of_rule, name));
            match->used[match->count++] = (wg_extent)i; /* its number, for now */
        }
    return of_rule->error.status == WG_OK;
}

/* An input of the rule's graph of a type of g. */
static value rule_input(const wg_graph *g, wg_graph *of_rule, const struct size_match *match,
                        const char *format, size_t number, const wg_type *type) {
    char name[32];
    snprintf(name, sizeof name, format, number);
    wg_type own = graph_import_type(of_rule, &g->t, type, match->in_rule);
    return graph_input(of_rule, name, &own);
}

/* Inputs, the call of the derivative's function, outputs. */
static void fill_derivative(const wg_graph *g, wg_graph *of_rule, const struct external_call *c,
                            bool is_jvp, struct size_match *match) {
    value x[2 * EXTERNAL_PORTS], out[EXTERNAL_PORTS];
    wg_type type[EXTERNAL_PORTS];
    size_t count = 0, results = 0;
    char name[128];
    for (size_t i = 0; i < c->count; i++) match_sizes(g, of_rule, type_of(&g->t, c->x[i]), match);
    for (size_t i = 0; i < c->results; i++) match_sizes(g, of_rule, &c->type[i], match);
    for (size_t i = 0; i < c->count; i++)
        x[count++] = rule_input(g, of_rule, match, "x%zu", i + 1, type_of(&g->t, c->x[i]));
    size_t linear = count;
    for (size_t i = 0; i < c->count + c->results; i++) {
        bool of_x = i < c->count;
        size_t number = of_x ? i : i - c->count;
        const wg_type *t = of_x ? type_of(&g->t, c->x[number]) : &c->type[number];
        if (!dtype_is_float(t->dtype)) continue;
        if (of_x == is_jvp)
            x[count++] = rule_input(g, of_rule, match, is_jvp ? "x%zu_dot" : "y%zu_bar", number + 1,
                                    t);
        else
            type[results++] = graph_import_type(of_rule, &g->t, t, match->in_rule);
    }
    snprintf(name, sizeof name, "%.100s.%s", c->f->name, is_jvp ? "jvp" : "vjp");
    if (count > EXTERNAL_PORTS || results == 0)
        graph_fail(of_rule, WG_EARGUMENT,
                   "external \"%s\": %zu arguments of its %s, with %zu results; at most %d "
                   "arguments, and a floating one to begin with, are possible",
                   c->f->name, count, is_jvp ? "jvp" : "vjp", results, EXTERNAL_PORTS);
    int64_t function = graph_external(of_rule, name, is_jvp ? c->f->jvp : c->f->vjp, c->f->context);
    if (!build_external(of_rule, function, x, count, linear, EXTERNAL_HAS_NONE, type, results, out))
        return;
    for (size_t i = 0; i < results; i++) {
        snprintf(name, sizeof name, is_jvp ? "y%zu_dot" : "x%zu_bar", i + 1);
        graph_output(of_rule, name, out[i]);
    }
}

/* The function f->jvp or f->vjp as a program. size receives what its sizes are in g. */
static wg_program *derivative_program(wg_graph *g, const struct external_call *c, bool is_jvp,
                                      wg_extent *size, size_t *sizes) {
    wg_error error = {0};
    size_t bytes = (g->t.size.count + 1) * sizeof(wg_extent);
    struct size_match match = {.in_rule = mem_alloc(&g->t.allocator, bytes), .used = size};
    wg_graph *of_rule = graph_new(&g->t.allocator);
    wg_program *p = NULL;
    if (match.in_rule && of_rule) {
        for (size_t i = 0; i < g->t.size.count; i++) match.in_rule[i] = extent_bad;
        graph_site(of_rule, c->file, (uint32_t)c->line, 0);
        fill_derivative(g, of_rule, c, is_jvp, &match);
        for (size_t i = 0; i < match.count; i++) size[i] = extent_size(g, (uint32_t)size[i]);
        *sizes = match.count;
        p = graph_build(of_rule, &error);
    } else {
        fail_memory(&error);
        wg_graph_free(of_rule);
    }
    mem_free(&g->t.allocator, match.in_rule, bytes);
    fail_as(&g->error, &error);
    return p;
}

/* Gives the floating results the rule that the functions jvp and vjp make. */
static void attach_functions(wg_graph *g, const struct external_call *c) {
    value y[EXTERNAL_PORTS], wrapped[EXTERNAL_PORTS];
    size_t count = 0, of_jvp = 0, of_vjp = 0;
    size_t bytes = 2 * (g->t.size.count + 1) * sizeof(wg_extent);
    wg_extent *size = mem_alloc(&g->t.allocator, bytes);
    if (!size) {
        fail_memory(&g->error);
        return;
    }
    for (size_t i = 0; i < c->results; i++)
        if (dtype_is_float(c->type[i].dtype)) y[count++] = c->y[i];
    wg_program *jvp = c->f->jvp ? derivative_program(g, c, true, size, &of_jvp) : NULL;
    wg_program *vjp = c->f->vjp && !g->error.status
                          ? derivative_program(g, c, false, size + of_jvp, &of_vjp)
                          : NULL;
    int64_t rule = g->error.status ? -1 : graph_rule(g, c->f->name, jvp, vjp);
    if (build_custom(g, rule, y, count, c->x, c->count, size, of_jvp + of_vjp, wrapped))
        for (size_t i = 0, at = 0; i < c->results; i++)
            if (dtype_is_float(c->type[i].dtype)) c->y[i] = wrapped[at++];
    wg_program_free(jvp);
    wg_program_free(vjp);
    mem_free(&g->t.allocator, size, bytes);
}

static bool external_is_given(wg_graph *g, const wg_external *f, size_t count,
                              const wg_var *argument, size_t results, const wg_type *type,
                              const wg_var *result) {
    const char *missing = !f          ? "the function is"
                          : !f->name  ? "the function's name is"
                          : !f->call  ? "what it calls is"
                          : !argument ? "the list of arguments is"
                          : !type     ? "the list of types is"
                          : !result   ? "the list of results is"
                                      : NULL;
    if (missing) {
        graph_fail(g, WG_EARGUMENT, "external: %s NULL", missing);
        return false;
    }
    if (count < 1 || count > EXTERNAL_PORTS || results < 1 || results > EXTERNAL_PORTS) {
        graph_fail(g, WG_EARGUMENT,
                   "external \"%s\": %zu arguments and %zu results; 1 to %d of "
                   "each are possible",
                   f->name, count, results, EXTERNAL_PORTS);
        return false;
    }
    if (f->differences && (f->jvp || f->vjp)) {
        graph_fail(g, WG_EARGUMENT,
                   "external \"%s\": differences are for a function without a jvp or vjp", f->name);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!face_var(g, "external", argument[i])) return false;
    for (size_t i = 0; i < results; i++)
        if (!face_type(g, "external", &type[i])) return false;
    return true;
}

void wg_external_at(const char *file, int line, wg_graph *g, const wg_external *f, size_t count,
                    const wg_var *argument, size_t results, const wg_type *type, wg_var *result) {
    value x[EXTERNAL_PORTS], y[EXTERNAL_PORTS];
    for (size_t i = 0; result && i < results; i++) result[i] = (wg_var){g, 0};
    if (!face_begin(g, file, line) ||
        !external_is_given(g, f, count, argument, results, type, result))
        return;
    for (size_t i = 0; i < count; i++) x[i] = argument[i].id;
    struct external_call c = {.f = f,
                              .file = file,
                              .line = line > 0 ? line : 0,
                              .count = count,
                              .results = results,
                              .x = x,
                              .type = type,
                              .y = y};
    int64_t function = graph_external(g, f->name, f->call, f->context);
    bool floats = false;
    for (size_t i = 0; i < results; i++) floats = floats || dtype_is_float(type[i].dtype);
    if (!build_external(g, function, x, count, count,
                        f->differences ? EXTERNAL_DIFFERENCES : EXTERNAL_HAS_NONE, type, results,
                        y))
        return;
    if (floats && (f->jvp || f->vjp)) attach_functions(g, &c);
    for (size_t i = 0; i < results && !g->error.status; i++) result[i].id = y[i];
}
