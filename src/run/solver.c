/* Solvers in the making: the programs of a method derived and compiled, memory taken, inputs bound.
 * Nothing here iterates. */
#include "run/solver.h"

#include "op/linalg.h"
#include "wengert/program.h"

#include <math.h>

double solver_inner(int64_t n, const double *a, const double *b) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

double solver_largest(int64_t n, const double *a) {
    double most = 0;
    for (int64_t i = 0; i < n && !isnan(most); i++)
        if (!(fabs(a[i]) <= most)) most = fabs(a[i]);
    return most;
}

void solver_add(int64_t n, double scale, const double *a, double *b) {
    for (int64_t i = 0; i < n; i++) b[i] += scale * a[i];
}

wg_status solver_call(wg_solver *s, size_t k, const double *x, const double *p, void *const *out,
                      wg_error *error) {
    s->in[s->unknown] = x;
    s->in[s->inputs] = p;
    return wg_call_with(s->function[k], s->size, s->in, out, s->workspace[k], error);
}

/* ---- programs -------------------------------------------------------------------------------- */

/* A graph with the inputs of a program, and the program's outputs on them. */
struct fresh {
    wg_graph *g;
    const struct trace *from;
    value *input;
    wg_extent *size;
    size_t input_bytes, size_bytes;
};

static bool fresh_begin(struct fresh *f, const wg_program *p, wg_error *error) {
    const wg_allocator *a = &p->t.allocator;
    *f = (struct fresh){.from = &p->t};
    f->input_bytes = (p->t.input.count + 1) * sizeof *f->input;
    f->size_bytes = (p->t.size.count + 1) * sizeof *f->size;
    f->input = mem_alloc_zero(a, f->input_bytes);
    f->size = mem_alloc_zero(a, f->size_bytes);
    if (!f->input || !f->size)
        fail_memory(error);
    else
        f->g = graph_like(p, f->size, error);
    for (size_t i = 0; f->g && i < p->t.input.count && !f->g->error.status; i++) {
        struct port port = p->t.input.at[i];
        wg_type type = graph_import_type(f->g, &p->t, type_of(&p->t, port.v), f->size);
        f->input[i] = graph_input(f->g, name_at(&p->t, port.name), &type);
    }
    return f->g && !f->g->error.status;
}

static wg_program *fresh_end(struct fresh *f, wg_error *error) {
    const wg_allocator *a = &f->from->allocator;
    wg_program *p = f->g ? graph_build(f->g, error) : NULL;
    if (f->input) mem_free(a, f->input, f->input_bytes);
    if (f->size) mem_free(a, f->size, f->size_bytes);
    return p;
}

/* Output k of a program whose inputs are those of f. */
static value output_of(struct fresh *f, const wg_program *p, size_t k) {
    wg_graph *g = f->g;
    size_t bytes = p->t.instr.count * sizeof(value), sizes = (p->t.size.count + 1) * 8;
    value *map = mem_alloc_zero(&g->t.allocator, bytes), result = 0;
    wg_extent *size = mem_alloc(&g->t.allocator, sizes);
    if (!map || !size) fail_memory(&g->error);
    if (!g->error.status) {
        for (size_t i = 0; i < p->t.size.count; i++)
            size[i] = extent_size(g, graph_size(g, name_at(&p->t, p->t.size.at[i])));
        g->imported = NULL; /* another program may have lived at this address */
        if (graph_import_checks(g, &p->t, size) && graph_inline(g, &p->t, f->input, size, map))
            result = map[p->t.output.at[k].v];
        g->imported = NULL;
    }
    if (map) mem_free(&g->t.allocator, map, bytes);
    if (size) mem_free(&g->t.allocator, size, sizes);
    return result;
}

/* The program with output k alone. */
static wg_program *only_output(const wg_program *p, size_t k, wg_error *error) {
    struct fresh f;
    if (!p) return NULL;
    if (fresh_begin(&f, p, error)) {
        value y = output_of(&f, p, k);
        if (!f.g->error.status) graph_output(f.g, wg_output_name(p, k), y);
    }
    return fresh_end(&f, error);
}

/* F f64[n], and F_x^-1 F f64[n]. */
static wg_program *newton_step(const wg_program *p, const char *unknown, wg_error *error) {
    struct fresh f;
    wg_program *jacobian = wg_jacobian(p, NULL, unknown, WG_AUTO_MODE, error);
    if (!jacobian) return NULL;
    if (fresh_begin(&f, p, error)) {
        wg_graph *g = f.g;
        value y = output_of(&f, p, 0), J = output_of(&f, jacobian, 0);
        if (!g->error.status) {
            wg_type type = *type_of(&g->t, y);
            wg_extent n = type_count(g, &type);
            wg_type column = {.dtype = WG_F64, .rank = 2, .extent = {n, 1}};
            wg_type square = {.dtype = WG_F64, .rank = 2, .extent = {n, n}};
            J = build_reshape(g, J, &square);
            value right = build_reshape(g, y, &column);
            value step = build_factor_solve(g, J, build_lu(g, J), right, false, false);
            if (!g->error.status) graph_output(g, "F", y);
            if (!g->error.status) graph_output(g, "step", step);
        }
    }
    wg_program_free(jacobian);
    return fresh_end(&f, error);
}

/* ---- making ---------------------------------------------------------------------------------- */

static bool count_of(const wg_program *p, wg_type type, const int64_t *size, int64_t *count) {
    int64_t shape[WG_MAX_RANK];
    return type_eval(&p->t, &type, size, shape, count);
}

/* Whether the unknown and the first output are what the method takes. */
static bool good_ports(wg_solver *s, const wg_program *p, const char *unknown, bool scalar,
                       wg_error *error) {
    int index = unknown ? wg_input_index(p, unknown) : -1;
    if (index < 0) {
        fail_with(error, WG_ENAME, "solver: there is no input \"%s\"", unknown ? unknown : "");
        return false;
    }
    wg_type x = wg_input_type(p, (size_t)index), y = wg_output_type(p, 0);
    int64_t outputs;
    s->unknown = (size_t)index;
    if (x.dtype != WG_F64 || y.dtype != WG_F64) {
        fail_with(error, WG_EDTYPE, "solver: input \"%s\" and output \"%s\" must be f64", unknown,
                  wg_output_name(p, 0));
        return false;
    }
    if (!count_of(p, x, s->size, &s->n) || !count_of(p, y, s->size, &outputs)) {
        fail_with(error, WG_ESHAPE, "solver: a named size makes an extent negative or too large");
        return false;
    }
    if (scalar ? y.rank == 0 : outputs == s->n) return true;
    if (scalar)
        fail_with(error, WG_ESHAPE, "solver: output \"%s\" must be a scalar", wg_output_name(p, 0));
    else
        fail_with(error, WG_ESHAPE,
                  "solver: output \"%s\" has %lld elements, the unknown \"%s\" has %lld",
                  wg_output_name(p, 0), (long long)outputs, unknown, (long long)s->n);
    return false;
}

static bool take_memory(wg_solver *s, const wg_allocator *a, wg_error *error) {
    size_t one = (size_t)s->n + 1;
    if (one > SIZE_MAX / sizeof(double) / SOLVER_VECTORS) return fail_memory(error), false;
    s->in = mem_alloc_zero(a, (s->inputs + 1) * sizeof *s->in);
    s->block = mem_alloc_zero(a, SOLVER_VECTORS * one * sizeof *s->block);
    if (!s->in || !s->block) return fail_memory(error), false;
    for (size_t k = 0; k < SOLVER_VECTORS; k++) s->vector[k] = s->block + k * one;
    for (size_t k = 0; k < SOLVER_FUNCTIONS; k++) {
        if (s->function[k]) s->workspace[k] = wg_workspace_new(s->function[k], s->size, error);
        if (failed(error)) return false;
    }
    return true;
}

void wg_solver_free(wg_solver *s) {
    if (!s) return;
    wg_allocator a = s->allocator;
    for (size_t k = 0; k < SOLVER_FUNCTIONS; k++) {
        wg_workspace_free(s->workspace[k]);
        wg_function_free(s->function[k]);
    }
    if (s->in) mem_free(&a, s->in, (s->inputs + 1) * sizeof *s->in);
    if (s->block) mem_free(&a, s->block, SOLVER_VECTORS * ((size_t)s->n + 1) * sizeof *s->block);
    if (s->size) mem_free(&a, s->size, (s->sizes + 1) * sizeof *s->size);
    mem_free(&a, s, sizeof *s);
}

/* A solver of a program with options checked and defaults in their place; NULL and an error. */
static wg_solver *solver_begin(const wg_program *p, const char *unknown,
                               const wg_solver_options *options, bool scalar, wg_error *error) {
    static const wg_solver_options plain = {0};
    const wg_solver_options *o = options ? options : &plain;
    if (failed(error)) return NULL;
    if (!p) return fail_with(error, WG_EARGUMENT, "solver: the program is NULL"), NULL;
    if (!(o->tolerance >= 0) || o->most < 0)
        return fail_with(error, WG_EARGUMENT,
                         "solver: a tolerance or a number of steps is negative"),
               NULL;
    if (wg_size_count(p) && !o->size)
        return fail_with(error, WG_EARGUMENT,
                         "solver: the program has named sizes; give their values"),
               NULL;
    const wg_allocator *a = &p->t.allocator;
    wg_solver *s = mem_alloc_zero(a, sizeof *s);
    if (!s) return fail_memory(error), NULL;
    s->allocator = *a;
    s->inputs = wg_input_count(p);
    s->sizes = wg_size_count(p);
    s->tolerance = o->tolerance;
    s->most = o->most;
    s->size = mem_alloc_zero(a, (s->sizes + 1) * sizeof *s->size);
    if (!s->size)
        fail_memory(error);
    else if (s->sizes)
        memcpy(s->size, o->size, s->sizes * sizeof *s->size);
    if (s->size && good_ports(s, p, unknown, scalar, error)) return s;
    wg_solver_free(s);
    return NULL;
}

/* Compiles the programs, which it frees, and takes all memory. */
static wg_solver *solver_end(wg_solver *s, wg_program **program, const wg_solver_options *options,
                             wg_error *error) {
    wg_options how = {.backend = options ? options->backend : WG_INTERPRET};
    for (size_t k = 0; k < SOLVER_FUNCTIONS; k++) {
        if (program[k]) s->function[k] = wg_compile(program[k], &how, error);
        wg_program_free(program[k]);
    }
    if (!failed(error) && take_memory(s, &s->allocator, error)) return s;
    wg_solver_free(s);
    return NULL;
}

static void defaults(wg_solver *s, double tolerance, int64_t most) {
    if (s->tolerance == 0) s->tolerance = tolerance;
    if (s->most == 0) s->most = most;
}

wg_solver *wg_newton(const wg_program *program, const char *unknown,
                     const wg_solver_options *options, wg_error *error) {
    wg_error own = {0};
    if (!error) error = &own;
    wg_solver *s = solver_begin(program, unknown, options, false, error);
    if (!s) return NULL;
    s->run = newton_run;
    defaults(s, 1e-10, 100);
    wg_program *p[SOLVER_FUNCTIONS] = {only_output(program, 0, error)};
    if (p[0]) p[1] = newton_step(p[0], unknown, error);
    return solver_end(s, p, options, error);
}

wg_solver *wg_newton_cg(const wg_program *program, const char *unknown,
                        const wg_solver_options *options, wg_error *error) {
    wg_error own = {0};
    if (!error) error = &own;
    wg_solver *s = solver_begin(program, unknown, options, true, error);
    if (!s) return NULL;
    s->run = newton_cg_run;
    defaults(s, 1e-8, 10000);
    wg_program *p[SOLVER_FUNCTIONS] = {only_output(program, 0, error)};
    if (p[0]) p[1] = wg_value_and_grad(p[0], unknown, error);
    if (p[1]) p[2] = wg_hvp(p[0], unknown, error);
    return solver_end(s, p, options, error);
}

wg_solver *wg_conjugate_gradient(const wg_program *program, const char *unknown,
                                 const wg_solver_options *options, wg_error *error) {
    wg_error own = {0};
    if (!error) error = &own;
    wg_solver *s = solver_begin(program, unknown, options, false, error);
    if (!s) return NULL;
    s->run = conjugate_gradient_run;
    defaults(s, 1e-10, s->n < 10 ? 100 : s->n > INT64_MAX / 10 ? INT64_MAX : 10 * s->n);
    wg_program *p[SOLVER_FUNCTIONS] = {only_output(program, 0, error)};
    wg_program *jvp = p[0] ? wg_jvp(p[0], NULL, unknown, error) : NULL;
    p[1] = only_output(jvp, 1, error);
    wg_program_free(jvp);
    return solver_end(s, p, options, error);
}

/* ---- running --------------------------------------------------------------------------------- */

wg_status wg_solver_run(wg_solver *s, const void *const *input, double *x, wg_solver_report *report,
                        wg_error *error) {
    wg_error own = {0};
    wg_solver_report local;
    if (!error) error = &own;
    if (failed(error)) return error->status;
    if (!s || !input || (!x && s->n))
        return fail_with(error, WG_EARGUMENT, "solver: the solver, its inputs or x is NULL");
    if (!report) report = &local;
    *report = (wg_solver_report){.outcome = WG_MOST_STEPS, .residual = INFINITY};
    memcpy(s->in, input, s->inputs * sizeof *s->in);
    return s->run(s, x, report, error);
}

const char *wg_outcome_name(wg_outcome outcome) {
    static const char *const name[] = {"converged", "most steps", "stalled", "not finite",
                                       "not definite"};
    return (unsigned)outcome < COUNT_OF(name) ? name[outcome] : "unknown";
}
