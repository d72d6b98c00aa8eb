/* Tangents, adjoints and values of a trace. They are made by the transformations themselves, with
 * seeds as inputs and a `copy` around every derivative: so each is a value of its own, at which the
 * formulas of the others end. The derived program gives out every primal, tangent and adjoint, and
 * is run where the caller names a point. */
#include "show/show.h"

#include "transform/transform.h"
#include "wengert/run.h"

#include <stdio.h>

/* The derived program. An output is known by its place in it, counted from 1; 0 is an absent
 * one. */
struct derived {
    struct lines *lines;
    wg_graph *g;
    wg_program *program;
    wg_extent *size_map;
    value *input, *map, *tangent; /* in g, by input and by value of the program shown */
    value *adjoint;               /* in g, by value of g                              */
    value *seed;                  /* in g, by line: the input that is its seed; 0 = none */
    size_t *place[3];             /* enum mark; by line                               */
    size_t output_count;
};

static void *table(struct derived *d, size_t count, size_t size) {
    void *block = arena_alloc(&d->lines->arena, (count + 1) * size, sizeof(void *));
    if (block) return memset(block, 0, (count + 1) * size);
    fail_memory(&d->g->error);
    return NULL;
}

/* The number of lines in front of the outputs. */
static size_t own_count(const struct lines *s) {
    return s->input_count + s->step_count;
}

/* ---- the derived program --------------------------------------------------------------------- */

static value finish(void *ctx, wg_graph *g, value primal, value derivative) {
    (void)ctx;
    (void)primal;
    if (!derivative) return 0;
    return graph_append(g, OP_copy, instr_at(&g->t, derivative)->type, 0, &derivative, 1);
}

static const struct derivative_hook hook = {.finish = finish};

static bool has_input(const struct trace *t, const char *name) {
    for (size_t i = 0; i < t->input.count; i++)
        if (strcmp(name_at(t, t->input.at[i].name), name) == 0) return true;
    return false;
}

/* An input for the derivative of v, which belongs to line i; called as those of wg_jvp and
 * wg_vjp. */
static void seed_input(struct derived *d, value v, size_t i, const char *suffix) {
    wg_graph *g = d->g;
    wg_text name = {.allocator = g->t.allocator};
    bool ok = text_format(&name, "%s%s", lines_port_name(d->lines, i), suffix);
    while (ok && has_input(&g->t, name.data)) ok = text_add(&name, "_");
    wg_type type = *type_of(&g->t, v);
    if (ok) d->seed[i] = graph_input(g, name.data, &type);
    else fail_memory(&g->error);
    wg_text_free(&name);
}

static void forward(struct derived *d) {
    const struct lines *s = d->lines;
    for (size_t i = 0; i < s->input_count; i++)
        if (value_is_float(s->t, s->at[i].v)) seed_input(d, d->input[i], i, "_dot");
    jvp_program(d->g, s->t, d->input, d->seed, d->size_map, NULL, 0, &hook, d->map,
                d->tangent);
}

static void reverse(struct derived *d) {
    const struct lines *s = d->lines;
    wg_graph *g = d->g;
    size_t own = own_count(s), wrt_count = 0;
    value *y = table(d, s->output_count, sizeof *y);
    value *wrt = table(d, s->input_count, sizeof *wrt);
    value *of_wrt = table(d, s->input_count, sizeof *of_wrt);
    if (g->error.status) return;
    for (size_t i = 0; i < s->input_count; i++)
        if (value_is_float(s->t, s->at[i].v)) wrt[wrt_count++] = d->input[i];
    for (size_t i = 0; i < s->output_count; i++) {
        y[i] = d->map[s->at[own + i].v];
        if (value_is_float(s->t, s->at[own + i].v)) seed_input(d, y[i], own + i, "_bar");
    }
    d->adjoint = table(d, g->t.instr.count, sizeof *d->adjoint);
    if (g->error.status) return;
    vjp_graph(g, y, d->seed + own, s->output_count, wrt, wrt_count, &hook, of_wrt, d->adjoint);
}

/* Gives out v, under a name that nobody sees. The names differ, so that there is no need to compare
 * each with all others, as graph_output does. */
static size_t put_out(struct derived *d, value v) {
    wg_graph *g = d->g;
    char text[24];
    if (!v) return 0;
    int length = snprintf(text, sizeof text, "v%zu", ++d->output_count);
    name_id name = graph_name(g, text, (size_t)length);
    struct port *port = name ? VEC_PUSH(&g->t.allocator, &g->t.output) : NULL;
    if (port) *port = (struct port){v, name};
    else fail_memory(&g->error);
    return d->output_count;
}

/* Takes d->g, and makes d->program of it. */
static bool build(struct derived *d, const wg_show_options *options, wg_error *error) {
    struct lines *s = d->lines;
    const struct trace *t = s->t;
    wg_graph *g = d->g;
    d->input = table(d, s->input_count, sizeof *d->input);
    d->map = table(d, t->instr.count, sizeof *d->map);
    d->tangent = table(d, t->instr.count, sizeof *d->tangent);
    d->seed = table(d, s->count, sizeof *d->seed);
    for (size_t k = 0; k < COUNT_OF(d->place); k++)
        d->place[k] = table(d, s->count, sizeof *d->place[k]);
    for (size_t i = 0; i < s->input_count && !g->error.status; i++) {
        wg_type type = graph_import_type(g, t, type_of(t, s->at[i].v), d->size_map);
        d->input[i] = graph_input(g, lines_port_name(s, i), &type);
    }
    if (!g->error.status) {
        if (options->tangent) forward(d);
        else graph_inline(g, t, d->input, d->size_map, d->map);
    }
    if (!g->error.status && options->adjoint) reverse(d);
    for (size_t i = 0; i < s->count && !g->error.status; i++) {
        value v = s->at[i].v;
        d->place[MARK_PRIMAL][i] = put_out(d, d->map[v]);
        d->place[MARK_TANGENT][i] = put_out(d, d->tangent[v]);
        if (d->adjoint && i < own_count(s))
            d->place[MARK_ADJOINT][i] = put_out(d, d->adjoint[d->map[v]]);
    }
    d->program = graph_build(g, error);
    return d->program != NULL;
}

/* ---- formulas -------------------------------------------------------------------------------- */

static value output_at(const struct derived *d, enum mark mark, size_t i) {
    return d->program->t.output.at[d->place[mark][i] - 1].v;
}

/* Names for the values of the derived program: primals, seeds, derivatives. */
static bool call_all(const struct derived *d, struct writing *w) {
    struct lines *s = d->lines;
    size_t own = own_count(s), input = s->input_count;
    for (size_t i = 0; i < own; i++) {
        value v = i < input ? w->t->input.at[i].v : output_at(d, MARK_PRIMAL, i);
        writing_call(w, v, s->at[i].name, i, false);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (!d->seed[i]) continue;
        const char *name = lines_port(s, i < own ? MARK_TANGENT : MARK_ADJOINT, i);
        if (!name) return false;
        writing_call(w, w->t->input.at[input++].v, name, 0, true);
    }
    for (enum mark mark = MARK_TANGENT; mark <= MARK_ADJOINT; mark++)
        for (size_t i = 0; i < own; i++) {
            if (!d->place[mark][i]) continue;
            const char *name = lines_variable(s, mark, i);
            if (!name) return false;
            writing_call(w, output_at(d, mark, i), name, i, true);
        }
    writing_complete(w);
    return true;
}

/* The derivative that stands in line i, "0" where it is absent. */
static bool equation(const struct derived *d, struct writing *w, enum mark mark, size_t i,
                     struct equation *e) {
    struct lines *s = d->lines;
    bool output = s->at[i].kind == LINE_OUTPUT;
    size_t place = d->place[mark][i];
    e->left = output ? lines_port(s, mark, i) : lines_variable(s, mark, i);
    e->right = "0";
    if (s->has_values) e->value = place ? &s->value[place - 1] : &s->absent;
    w->derived_first = mark == MARK_ADJOINT;
    enum formula formula = output ? FORMULA_VALUE : FORMULA_DEFINING;
    if (place) e->right = lines_formula(s, w, output_at(d, mark, i), formula);
    return e->left && e->right;
}

static bool write_equations(const struct derived *d) {
    struct lines *s = d->lines;
    struct writing w;
    if (!writing_open(s, &d->program->t, s->writing.notation, &w) || !call_all(d, &w)) return false;
    size_t own = own_count(s), input = s->input_count;
    for (size_t i = 0; i < s->count; i++) {
        struct line *line = &s->at[i];
        if (!value_is_float(s->t, line->v)) continue;
        if (s->has_tangents && !equation(d, &w, MARK_TANGENT, i, &line->tangent)) return false;
        if (s->has_adjoints && i < own && !equation(d, &w, MARK_ADJOINT, i, &line->adjoint))
            return false;
        const wg_tensor *seed = d->seed[i] && s->has_values ? &s->input[input++] : NULL;
        if (!s->has_adjoints || line->kind == LINE_STEP) continue;
        struct equation *e = &line->gradient;
        e->left = lines_port(s, MARK_ADJOINT, i);
        e->right = line->adjoint.left;
        if (s->has_values) e->value = line->kind == LINE_INPUT ? line->adjoint.value : seed;
        if (!e->left) return false;
    }
    return true;
}

/* ---- values ---------------------------------------------------------------------------------- */

static wg_status run(const wg_program *p, const wg_tensor *input, wg_tensor *output,
                     wg_error *error) {
    wg_function *fn = wg_compile(p, NULL, error);
    wg_status status = fn ? wg_run(fn, NULL, input, output, error) : error->status;
    wg_function_free(fn);
    return status;
}

/* A seed like the tensor x: the caller's, or else ones or zeros. */
static bool seed_make(struct lines *s, const wg_tensor *x, const wg_tensor *given, bool ones,
                      wg_tensor *seed) {
    *seed = given && given->data ? *given : *x;
    if (given && given->data) return true;
    size_t count = (size_t)wg_tensor_count(x), size = wg_dtype_size(x->dtype);
    seed->data = arena_alloc(&s->arena, count * size + 1, 16);
    if (!seed->data) return false;
    memset(seed->data, 0, count * size);
    for (size_t i = 0; ones && i < count; i++) {
        if (x->dtype == WG_F32) ((float *)seed->data)[i] = 1;
        else ((double *)seed->data)[i] = 1;
    }
    return true;
}

/* Seeds for the lines first .. first + count - 1, which are inputs or outputs with the tensors
 * x. */
static bool seeds_make(struct derived *d, size_t first, size_t count, const wg_tensor *x,
                       const wg_tensor *given, size_t *next) {
    struct lines *s = d->lines;
    bool ones = !given;
    for (size_t i = 0; i < count; i++) {
        if (!d->seed[first + i]) continue;
        wg_tensor *seed = &s->input[(*next)++];
        if (!seed_make(s, &x[i], given ? &given[i] : NULL, ones, seed)) return false;
        ones = false;
    }
    return true;
}

/* The shapes of the outputs, and so of their seeds, are known once the program itself has run;
 * which also is the check of what the caller gives. */
static wg_status make_inputs(struct derived *d, const wg_program *p, const wg_show_options *options,
                             wg_error *error) {
    struct lines *s = d->lines;
    size_t next = s->input_count, own = own_count(s);
    wg_tensor *y = arena_alloc(&s->arena, (s->output_count + 1) * sizeof *y, sizeof(void *));
    if (!y) return fail_memory(error);
    memset(y, 0, s->output_count * sizeof *y);
    if (run(p, options->at, y, error) == WG_OK &&
        !(seeds_make(d, 0, s->input_count, options->at, options->input_tangent, &next) &&
          seeds_make(d, own, s->output_count, y, options->output_adjoint, &next)))
        fail_memory(error);
    for (size_t i = 0; i < s->output_count; i++) wg_tensor_free(&y[i], &s->t->allocator);
    return error->status;
}

static wg_status evaluate(struct derived *d, const wg_program *p, const wg_show_options *options,
                          wg_error *error) {
    struct lines *s = d->lines;
    const struct trace *q = &d->program->t;
    s->input = arena_alloc(&s->arena, (q->input.count + 1) * sizeof *s->input, sizeof(void *));
    s->value = mem_alloc_zero(&s->t->allocator, d->output_count * sizeof *s->value);
    if (!s->input || !s->value) return fail_memory(error);
    s->value_count = d->output_count;
    if (s->input_count) memcpy(s->input, options->at, s->input_count * sizeof *s->input);
    if (q->input.count > s->input_count && make_inputs(d, p, options, error) != WG_OK)
        return error->status;
    for (size_t i = 0; i < s->count; i++)
        s->at[i].primal.value = &s->value[d->place[MARK_PRIMAL][i] - 1];
    return run(d->program, s->input, s->value, error);
}

wg_status lines_derive(struct lines *s, const wg_program *p, const wg_show_options *options,
                       wg_error *error) {
    struct derived d = {.lines = s};
    size_t sizes = s->t->size.count + 1;
    d.size_map = arena_alloc(&s->arena, sizes * sizeof *d.size_map, sizeof *d.size_map);
    d.g = d.size_map ? graph_like(p, d.size_map, error) : NULL;
    if (!d.g) return fail_memory(error);
    if (build(&d, options, error) &&
        (!s->has_values || evaluate(&d, p, options, error) == WG_OK) &&
        (s->has_tangents || s->has_adjoints) && !write_equations(&d))
        fail_memory(error);
    wg_program_free(d.program);
    return error->status;
}
