/* Solutions of equations with the derivative of the implicit function theorem
 * (wengert/implicit.h): a solver's program gets a rule, whose two programs are made here of the
 * residual's,
 *
 *     y' = -F_y^-1 F_x x'         xbar = -F_x' F_y'^-1 ybar,
 *
 * in terms of x and the solution y, which the rule takes; so its own derivatives are implicit
 * again. Solvers of our own, fixed points and Newton's method, are loops. */
#include "wengert/implicit.h"

#include "op/apply.h"
#include "op/build.h"
#include "op/describe.h"
#include "op/face.h"
#include "op/linalg.h"
#include "wengert/custom.h"
#include "wengert/loop.h"

#include <math.h>
#include <stdio.h>

/* An equation F(y_1 .. y_m, x_1 .. x_k) = 0 in the making of its programs. */
struct equation {
    const char *name; /* of the function that was called, in messages */
    const char *file;
    int line;
    const wg_program *residual;
    size_t m, k;
    wg_text y_names, x_names;            /* "a, b"; of x those that are floating */
    wg_program *jacobian, *along, *back; /* blocks of F_y; tangents and adjoints by x */
};

/* ---- the equation ---------------------------------------------------------------------------- */

static bool refuse(wg_graph *g, const struct equation *e, const char *what) {
    graph_fail(g, WG_EARGUMENT, "%s: %s", e->name, what);
    return false;
}

/* Each F_i is of y_i's type, and all are of one floating element type. */
static bool types_fit(wg_graph *g, const struct equation *e) {
    const struct trace *t = &e->residual->t;
    unsigned dtype = type_of(t, t->output.at[0].v)->dtype;
    for (size_t i = 0; i < e->m; i++) {
        const wg_type *y = type_of(t, t->input.at[i].v), *f = type_of(t, t->output.at[i].v);
        wg_text has = {.allocator = g->t.allocator}, needs = {.allocator = g->t.allocator};
        if (type_equal(y, f) && f->dtype == dtype && dtype_is_float(dtype)) continue;
        if (type_text(t, f, &has) && type_text(t, y, &needs))
            graph_fail(
                g, type_same_shape(y, f) ? WG_EDTYPE : WG_ESHAPE,
                "%s: output \"%s\" is %s, but the unknown \"%s\" is %s; they must agree, and "
                "all unknowns be of one floating type",
                e->name, name_at(t, t->output.at[i].name), has.data,
                name_at(t, t->input.at[i].name), needs.data);
        else
            fail_memory(&g->error);
        wg_text_free(&has);
        wg_text_free(&needs);
        return false;
    }
    return true;
}

static bool add_name(wg_graph *g, wg_text *names, const char *name) {
    return text_format(names, "%s%s", names->size ? ", " : "", name) || graph_fail_memory(g);
}

static bool equation_begin(struct equation *e, wg_graph *g) {
    e->y_names.allocator = e->x_names.allocator = g->t.allocator;
    if (!e->residual) return refuse(g, e, "the program is NULL");
    e->m = wg_output_count(e->residual);
    size_t inputs = wg_input_count(e->residual);
    if (inputs < e->m)
        return refuse(g, e, "the program has fewer inputs than outputs: unknowns come first");
    e->k = inputs - e->m;
    if (!types_fit(g, e)) return false;
    for (size_t i = 0; i < inputs; i++) {
        bool floats = dtype_is_float(wg_input_type(e->residual, i).dtype);
        const char *name = wg_input_name(e->residual, i);
        if (floats && !add_name(g, i < e->m ? &e->y_names : &e->x_names, name)) return false;
    }
    return true;
}

static void equation_end(struct equation *e) {
    wg_text_free(&e->y_names);
    wg_text_free(&e->x_names);
    wg_program_free(e->jacobian);
    wg_program_free(e->along);
    wg_program_free(e->back);
}

/* ---- programs in the making ------------------------------------------------------------------ */

enum { MOST_PORTS = 250 };

/* A graph that begins with inputs of the types of x_1 .. x_k and y_1 .. y_m, named by number. */
struct made {
    wg_graph *g;
    wg_extent *size_map; /* of the residual's sizes */
    size_t bytes;
    value x[MOST_PORTS], y[MOST_PORTS];
};

static value numbered_input(struct made *h, const struct equation *e, size_t port, const char *name,
                            size_t number) {
    char text[32];
    snprintf(text, sizeof text, "%s%zu", name, number + 1);
    const struct trace *t = &e->residual->t;
    wg_type type = graph_import_type(h->g, t, type_of(t, t->input.at[port].v), h->size_map);
    return graph_input(h->g, text, &type);
}

static void numbered_output(struct made *h, const char *name, size_t number, value v) {
    char text[32];
    snprintf(text, sizeof text, "%s%zu", name, number + 1);
    if (!h->g->error.status) graph_output(h->g, text, v);
}

static bool made_begin(struct made *h, const struct equation *e, wg_error *error) {
    const wg_allocator *allocator = &e->residual->t.allocator;
    h->bytes = (wg_size_count(e->residual) + 1) * sizeof *h->size_map;
    h->size_map = mem_alloc(allocator, h->bytes);
    h->g = NULL;
    if (!h->size_map)
        fail_memory(error);
    else
        h->g = graph_like(e->residual, h->size_map, error);
    if (h->g) graph_site(h->g, e->file, (uint32_t)(e->line > 0 ? e->line : 0), 0);
    return h->g != NULL;
}

static wg_program *made_end(struct made *h, const struct equation *e, wg_error *error) {
    wg_program *p = h->g ? graph_build(h->g, error) : NULL;
    if (h->size_map) mem_free(&e->residual->t.allocator, h->size_map, h->bytes);
    return p;
}

/* The program on y, x and what else it takes. */
static bool apply(struct made *h, const struct equation *e, const wg_program *p, const value *y,
                  const value *more, size_t count, value *result) {
    value argument[3 * MOST_PORTS];
    size_t n = 0;
    if (h->g->error.status) return false;
    for (size_t i = 0; i < e->m; i++) argument[n++] = y[i];
    for (size_t i = 0; i < e->k; i++) argument[n++] = h->x[i];
    for (size_t i = 0; i < count; i++) argument[n++] = more[i];
    size_t bytes = (wg_size_count(p) + 1) * sizeof(wg_extent);
    wg_extent *size = mem_alloc(&h->g->t.allocator, bytes);
    if (!size) return fail_memory(&h->g->error), false;
    bool ok = apply_program(h->g, e->name, p, argument, size, result);
    mem_free(&h->g->t.allocator, size, bytes);
    return ok;
}

/* ---- linear algebra -------------------------------------------------------------------------- */

static value flat(wg_graph *g, const value *part, size_t count) {
    value row[MOST_PORTS];
    for (size_t i = 0; i < count && !g->error.status; i++) {
        wg_type type = *type_of(&g->t, part[i]);
        wg_type line = {.dtype = type.dtype, .rank = 1, .extent = {type_count(g, &type)}};
        row[i] = build_reshape(g, part[i], &line);
    }
    return g->error.status ? 0 : build_concat(g, row, count, 0);
}

/* The pieces of a flat vector in the shapes of `like`. */
static void pieces(wg_graph *g, value vector, const value *like, size_t count, value *piece) {
    wg_extent from = 0;
    for (size_t i = 0; i < count && !g->error.status; i++) {
        wg_type type = *type_of(&g->t, like[i]);
        wg_extent to = extent_add(g, from, type_count(g, &type));
        piece[i] = build_reshape(g, build_slice_axis(g, vector, 0, from, to, 1), &type);
        from = to;
    }
}

/* Blocks [F_i..., y_j...] as one matrix. */
static value matrix(wg_graph *g, const value *block, const value *y, size_t m) {
    value rows[MOST_PORTS], row[MOST_PORTS];
    for (size_t i = 0; i < m && !g->error.status; i++) {
        for (size_t j = 0; j < m && !g->error.status; j++) {
            wg_type a = *type_of(&g->t, y[i]), b = *type_of(&g->t, y[j]);
            wg_type type = {
                .dtype = a.dtype, .rank = 2, .extent = {type_count(g, &a), type_count(g, &b)}};
            row[j] = build_reshape(g, block[i * m + j], &type);
        }
        rows[i] = g->error.status ? 0 : build_concat(g, row, m, 1);
    }
    return g->error.status ? 0 : build_concat(g, rows, m, 0);
}

/* x with A x = b, or A' x = b. A f[n,n], b f[n] */
static value solve(wg_graph *g, value a, value b, bool transposed) {
    if (!a || !b || g->error.status) return 0;
    value column = build_new_axis(g, b, 1);
    return build_squeeze(g, build_factor_solve(g, a, build_lu(g, a), column, transposed, false), 2);
}

/* F_y at y. */
static value slopes(struct made *h, const struct equation *e, const value *y) {
    wg_graph *g = h->g;
    size_t count = e->m * e->m, bytes = count * sizeof(value);
    value *block = mem_alloc_zero(&g->t.allocator, bytes + 1), result = 0;
    if (!block) return fail_memory(&g->error), 0;
    if (apply(h, e, e->jacobian, y, NULL, 0, block)) result = matrix(g, block, y, e->m);
    mem_free(&g->t.allocator, block, bytes + 1);
    return result;
}

/* ---- the rule -------------------------------------------------------------------------------- */

static void rule_inputs(struct made *h, const struct equation *e) {
    for (size_t i = 0; i < e->k; i++) h->x[i] = numbered_input(h, e, e->m + i, "x", i);
    for (size_t i = 0; i < e->m; i++) h->y[i] = numbered_input(h, e, i, "y", i);
}

static bool floating_x(const struct equation *e, size_t i) {
    return dtype_is_float(wg_input_type(e->residual, e->m + i).dtype);
}

static wg_program *rule_jvp(const struct equation *e, wg_error *error) {
    struct made h;
    value linear[MOST_PORTS], out[2 * MOST_PORTS] = {0}, piece[MOST_PORTS] = {0};
    size_t n = 0;
    if (made_begin(&h, e, error)) {
        rule_inputs(&h, e);
        for (size_t i = 0; i < e->k; i++)
            if (floating_x(e, i)) linear[n++] = numbered_input(&h, e, e->m + i, "t", i);
        value a = slopes(&h, e, h.y);
        if (apply(&h, e, e->along, h.y, linear, n, out)) {
            value right = build_neg(h.g, flat(h.g, out + e->m, e->m));
            pieces(h.g, solve(h.g, a, right, false), h.y, e->m, piece);
        }
        for (size_t i = 0; i < e->m; i++) numbered_output(&h, "y_dot", i, piece[i]);
    }
    return made_end(&h, e, error);
}

static wg_program *rule_vjp(const struct equation *e, wg_error *error) {
    struct made h;
    value linear[MOST_PORTS], out[2 * MOST_PORTS] = {0};
    if (made_begin(&h, e, error)) {
        rule_inputs(&h, e);
        for (size_t i = 0; i < e->m; i++) linear[i] = numbered_input(&h, e, i, "ct", i);
        value a = slopes(&h, e, h.y);
        value right = h.g->error.status ? 0 : build_neg(h.g, flat(h.g, linear, e->m));
        pieces(h.g, solve(h.g, a, right, true), h.y, e->m, linear);
        if (apply(&h, e, e->back, h.y, linear, e->m, out))
            for (size_t i = 0, n = 0; i < e->k; i++)
                if (floating_x(e, i)) numbered_output(&h, "x_bar", i, out[e->m + n++]);
    }
    return made_end(&h, e, error);
}

/* The solver on the arguments, with the rule. */
static void attach(struct equation *e, wg_graph *g, const wg_program *solver,
                   const wg_var *argument, wg_var *result) {
    wg_error error = {0};
    if (!e->x_names.size) { /* nothing to differentiate by */
        wg_apply_at(e->file, e->line, g, solver, argument, result);
        return;
    }
    if (!e->jacobian)
        e->jacobian = wg_jacobian(e->residual, NULL, e->y_names.data, WG_FORWARD, &error);
    e->along = wg_jvp(e->residual, NULL, e->x_names.data, &error);
    e->back = wg_vjp(e->residual, NULL, e->x_names.data, &error);
    wg_program *jvp = error.status ? NULL : rule_jvp(e, &error);
    wg_program *vjp = error.status ? NULL : rule_vjp(e, &error);
    if (error.status) {
        graph_site(g, e->file, (uint32_t)(e->line > 0 ? e->line : 0), 0);
        graph_fail(g, error.status, "%s: %s", e->name, error.message);
    } else {
        wg_rule rule = {.name = e->name, .jvp = jvp, .vjp = vjp};
        wg_custom_at(e->file, e->line, g, solver, &rule, argument, result);
    }
    wg_program_free(jvp);
    wg_program_free(vjp);
}

static bool few_ports(wg_graph *g, const struct equation *e, size_t begins) {
    if (2 * e->m + e->k + begins < MOST_PORTS) return true;
    graph_fail(g, WG_EOVERFLOW, "%s: %zu unknowns and %zu arguments; together at most %d", e->name,
               e->m, e->k, MOST_PORTS - 1);
    return false;
}

void wg_implicit_root_at(const char *file, int line, wg_graph *g, const wg_program *residual,
                         const wg_program *solver, const wg_var *argument, wg_var *result) {
    struct equation e = {.name = "implicit_root", .file = file, .line = line, .residual = residual};
    for (size_t i = 0; result && i < wg_output_count(residual); i++) result[i] = (wg_var){g, 0};
    if (!face_begin(g, file, line)) return;
    bool ok = equation_begin(&e, g) && few_ports(g, &e, 0);
    if (ok && (!solver || !result)) ok = refuse(g, &e, "the solver or the list of results is NULL");
    if (ok && (wg_input_count(solver) != e.k || wg_output_count(solver) != e.m)) {
        graph_fail(
            g, WG_EARGUMENT,
            "%s: the solver has %zu inputs and %zu outputs; it is to make %zu unknowns of %zu "
            "arguments",
            e.name, wg_input_count(solver), wg_output_count(solver), e.m, e.k);
        ok = false;
    }
    if (ok) attach(&e, g, solver, argument, result);
    equation_end(&e);
}

/* ---- solvers --------------------------------------------------------------------------------- */

/* y_1 .. y_m, x_1 .. x_k, begin_1 .. begin_m -> F(y, x), or T(y, x) - y: the residual with the
 * places to begin as arguments that it does not look at. */
static wg_program *with_begin(const struct equation *e, bool fixed_point, wg_error *error) {
    struct made h;
    value out[MOST_PORTS] = {0};
    if (made_begin(&h, e, error)) {
        for (size_t i = 0; i < e->m; i++) h.y[i] = numbered_input(&h, e, i, "y", i);
        for (size_t i = 0; i < e->k; i++) h.x[i] = numbered_input(&h, e, e->m + i, "x", i);
        for (size_t i = 0; i < e->m; i++) numbered_input(&h, e, i, "begin", i);
        if (apply(&h, e, e->residual, h.y, NULL, 0, out))
            for (size_t i = 0; i < e->m; i++)
                numbered_output(&h, "F", i, fixed_point ? build_sub(h.g, out[i], h.y[i]) : out[i]);
    }
    return made_end(&h, e, error);
}

/* The next y: T(y, x), or y - F_y^-1 F. */
static void advance(struct made *h, const struct equation *e, bool fixed_point, const value *y,
                    value *next) {
    value f[MOST_PORTS] = {0}, step[MOST_PORTS] = {0};
    wg_graph *g = h->g;
    if (!apply(h, e, e->residual, y, NULL, 0, fixed_point ? next : f) || fixed_point) return;
    value a = slopes(h, e, y);
    pieces(g, solve(g, a, flat(g, f, e->m), false), y, e->m, step);
    for (size_t i = 0; i < e->m && !g->error.status; i++) next[i] = build_sub(g, y[i], step[i]);
}

/* The largest |next - y| / (1 + |y|). */
static value largest_change(wg_graph *g, const value *y, const value *next, size_t m) {
    value largest = 0;
    for (size_t i = 0; i < m && !g->error.status; i++) {
        value change = build_unary(g, OP_abs, build_sub(g, next[i], y[i]));
        value scale = build_unary(g, OP_abs, y[i]);
        change = build_div(g, change, build_add(g, build_like(g, scale, 1), scale));
        value most = build_reduce_max(g, change, all_axes(g, change));
        largest = largest ? build_binary(g, OP_max, largest, most) : most;
    }
    return largest;
}

/* x_1 .. x_k, begin_1 .. begin_m -> y_1 .. y_m, and the number of steps. */
static wg_program *solver_of(const struct equation *e, bool fixed_point, const wg_iteration *end,
                             wg_error *error) {
    struct made h;
    value next[MOST_PORTS] = {0};
    wg_var y[MOST_PORTS], last[MOST_PORTS + 1] = {{0}};
    if (made_begin(&h, e, error)) {
        wg_graph *g = h.g;
        for (size_t i = 0; i < e->k; i++) h.x[i] = numbered_input(&h, e, e->m + i, "x", i);
        for (size_t i = 0; i < e->m; i++) h.y[i] = numbered_input(&h, e, i, "begin", i);
        wg_dtype dtype = (wg_dtype)wg_input_type(e->residual, 0).dtype;
        double tolerance = end && end->tolerance ? end->tolerance : dtype == WG_F64 ? 1e-13 : 1e-6;
        wg_loop *loop = wg_loop_begin_at(e->file, e->line, g, end && end->most ? end->most : 1000);
        for (size_t i = 0; i < e->m; i++) {
            y[i] = wg_loop_carry_at(e->file, e->line, loop, (wg_var){g, h.y[i]});
            h.y[i] = y[i].id;
        }
        value far = build_number(g, dtype, INFINITY);
        wg_var change = wg_loop_carry_at(e->file, e->line, loop, (wg_var){g, far});
        value limit = build_number(g, dtype, tolerance);
        if (!g->error.status)
            wg_loop_while_at(e->file, e->line, loop,
                             (wg_var){g, build_binary(g, OP_gt, change.id, limit)});
        advance(&h, e, fixed_point, h.y, next);
        for (size_t i = 0; i < e->m; i++)
            wg_loop_next_at(e->file, e->line, loop, y[i], (wg_var){g, next[i]});
        wg_loop_next_at(e->file, e->line, loop, change,
                        (wg_var){g, largest_change(g, h.y, next, e->m)});
        wg_var trips = wg_loop_end_at(e->file, e->line, loop, last);
        for (size_t i = 0; i < e->m; i++) numbered_output(&h, "y", i, last[i].id);
        if (!g->error.status) graph_output(g, "steps", trips.id);
    }
    return made_end(&h, e, error);
}

static wg_var solved(struct equation *e, bool fixed_point, wg_graph *g, const wg_iteration *end,
                     const wg_var *begin, const wg_var *argument, wg_var *result) {
    wg_var given[MOST_PORTS], out[MOST_PORTS + 1] = {{0}}, steps = {g, 0};
    wg_error error = {0};
    for (size_t i = 0; result && i < wg_output_count(e->residual); i++) result[i] = steps;
    if (!face_begin(g, e->file, e->line)) return steps;
    bool ok = equation_begin(e, g) && few_ports(g, e, e->m);
    if (ok && (!begin || !result || (!argument && e->k)))
        ok = refuse(g, e, "the list of beginnings, arguments or results is NULL");
    if (ok && end && (!(end->tolerance >= 0) || end->most < 0))
        ok = refuse(g, e, "a tolerance or a number of steps is negative");
    if (ok && !fixed_point)
        e->jacobian = wg_jacobian(e->residual, NULL, e->y_names.data, WG_FORWARD, &error);
    if (ok) {
        wg_program *solver = solver_of(e, fixed_point, end, &error);
        wg_program *residual = with_begin(e, fixed_point, &error);
        for (size_t i = 0; i < e->k; i++) given[i] = argument[i];
        for (size_t i = 0; i < e->m; i++) given[e->k + i] = begin[i];
        struct equation whole = {
            .name = e->name, .file = e->file, .line = e->line, .residual = residual};
        if (error.status)
            graph_fail(g, error.status, "%s: %s", e->name, error.message);
        else if (equation_begin(&whole, g))
            attach(&whole, g, solver, given, out);
        equation_end(&whole);
        wg_program_free(solver);
        wg_program_free(residual);
        for (size_t i = 0; i < e->m; i++) result[i] = (wg_var){g, out[i].id};
        steps.id = out[e->m].id;
    }
    equation_end(e);
    return steps;
}

wg_var wg_fixed_point_at(const char *file, int line, wg_graph *g, const wg_program *step,
                         const wg_iteration *end, const wg_var *begin, const wg_var *argument,
                         wg_var *result) {
    struct equation e = {.name = "fixed_point", .file = file, .line = line, .residual = step};
    return solved(&e, true, g, end, begin, argument, result);
}

wg_var wg_newton_root_at(const char *file, int line, wg_graph *g, const wg_program *residual,
                         const wg_iteration *end, const wg_var *begin, const wg_var *argument,
                         wg_var *result) {
    struct equation e = {.name = "newton_root", .file = file, .line = line, .residual = residual};
    return solved(&e, false, g, end, begin, argument, result);
}
