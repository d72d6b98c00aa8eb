/* The check of a caller's rule: what the tests of the operation table do, on a program that is
 * nothing but the rule's function. With weights w of the results, L(x) = sum of w_j y_j is a scalar
 * whose derivatives are taken in every mode and order, and compared with one another and with
 * differences of L and of its gradient. Programs are built through the public interface. */
#include "run/vector.h"

#include "wengert/graph.h"
#include "wengert/elementwise.h"

#include <math.h>
#include <stdio.h>

enum { POINTS = 4, EXAMPLES = 3, NAME = 24 };

/* The programs of a check, and what they run on. Inputs of all: x_1 .. x_k, w_1 .. w_m, and for
 * some a direction d, and another u, of each floating x. */
struct rule_check {
    const wg_allocator *a;
    wg_program *loss, *gradient, *tangent;
    wg_function *f, *grad, *jvp; /* L; dL/dx; L and L' along d */
    wg_function *second[3]; /* H d by forward over reverse, reverse twice, reverse over forward */
    wg_function *twice;     /* L, d'L, u'H d by forward mode twice */
    wg_function *mapped, *single; /* L and dL/dx on a batch, and not */
    char *wrt;                    /* "x1, x3" */
    size_t wrt_size, inputs, arguments, floats;
    wg_tensor *x, *moved, *d, *u; /* of each input, of each floating argument */
    wg_tensor *in, *out;          /* what a call takes and gives; data borrowed, and its own */
    size_t in_count, out_count;
    bool single_precision;
    wg_rule_report *report;
    wg_random random;
};

/* ---- programs -------------------------------------------------------------------------------- */

/* L, with the rule attached, of inputs x1 ... and w1 .... */
static wg_program *loss_program(const wg_program *program, const wg_rule *rule, const char *sizes,
                                wg_error *error) {
    size_t k = wg_input_count(program), m = wg_output_count(program), size_count;
    const wg_allocator *a = &program->t.allocator;
    char name[NAME];
    wg_graph *g = wg_graph_new_with(a);
    wg_var *x = mem_alloc_zero(a, (k + m + 1) * sizeof *x), *y = x + k, sum = {g, 0};
    size_count = program->t.size.count;
    wg_extent *size = mem_alloc(a, (size_count + 1) * sizeof *size);
    if (!g || !x || !size) {
        fail_memory(error);
        mem_free(a, x, (k + m + 1) * sizeof *x);
        mem_free(a, size, (size_count + 1) * sizeof *size);
        wg_graph_free(g);
        return NULL;
    }
    for (size_t i = 0; i < size_count; i++) size[i] = wg_size(g, wg_size_name(program, i));
    for (size_t i = 0; i < k; i++) {
        snprintf(name, sizeof name, "x%zu", i + 1);
        wg_type given = wg_input_type(program, i);
        x[i] = wg_input(g, name, graph_import_type(g, &program->t, &given, size));
    }
    wg_custom(g, program, rule, x, y);
    for (size_t j = 0, at = 0; j < m; j++) {
        if (!dtype_is_float(wg_output_type(program, j).dtype)) continue;
        snprintf(name, sizeof name, "w%zu", ++at);
        wg_var w = wg_input(g, name, wg_type_of_var(y[j]));
        wg_var term = wg_sum(wg_cast(WG_F64, wg_mul(w, y[j])));
        sum = at == 1 ? term : wg_add(sum, term);
    }
    wg_output(g, "L", sum);
    mem_free(a, x, (k + m + 1) * sizeof *x);
    mem_free(a, size, (size_count + 1) * sizeof *size);
    wg_program *p = wg_build(g, error), *fixed = wg_specialize(p, sizes, error);
    wg_program_free(p);
    return fixed;
}

/* Of a program whose outputs are a gradient: <v, gradient>, v a new input for each output. Of one
 * with outputs L and L': L' alone. Inputs and their names stay. */
static wg_program *scalar_of(const wg_program *p, bool is_tangent, wg_error *error) {
    if (failed(error) || !p) return NULL;
    size_t n = wg_input_count(p), m = wg_output_count(p);
    const wg_allocator *a = &p->t.allocator;
    char name[NAME];
    wg_graph *g = wg_graph_new_with(a);
    wg_var *in = mem_alloc_zero(a, (n + m) * sizeof *in), *out = in + n, sum = {g, 0};
    if (!g || !in) {
        fail_memory(error);
        wg_graph_free(g);
        mem_free(a, in, (n + m) * sizeof *in);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) in[i] = wg_input(g, wg_input_name(p, i), wg_input_type(p, i));
    wg_apply(g, p, in, out);
    for (size_t i = 0; i < m && !is_tangent; i++) {
        snprintf(name, sizeof name, "v%zu", i + 1);
        wg_var v = wg_input(g, name, wg_output_type(p, i));
        wg_var term = wg_sum(wg_cast(WG_F64, wg_mul(v, out[i])));
        sum = i ? wg_add(sum, term) : term;
    }
    wg_output(g, "s", is_tangent ? out[1] : sum);
    mem_free(a, in, (n + m) * sizeof *in);
    return wg_build(g, error);
}

/* A derivative, unless the rule has none in this mode: then its check is missing, and NULL. */
static wg_program *derived(struct rule_check *c, unsigned check, wg_program *p, wg_error *of_making,
                           wg_error *error) {
    if (of_making->status == WG_ENORULE)
        c->report->missing |= check;
    else
        fail_as(error, of_making);
    *of_making = (wg_error){0};
    return p;
}

/* Compiles a program and frees it; NULL of NULL. */
static wg_function *compiled(wg_program *p, wg_error *error) {
    wg_function *fn = p ? wg_compile(p, NULL, error) : NULL;
    wg_program_free(p);
    return fn;
}

static void make_programs(struct rule_check *c, wg_error *error) {
    const unsigned second = WG_RULE_SECOND | WG_RULE_ORDERS;
    wg_error own = {0};
    wg_program *p = c->loss, *scalar;
    c->f = wg_compile(p, NULL, error);
    c->gradient = derived(c, WG_RULE_FIRST | WG_RULE_PRODUCT | WG_RULE_BATCHED | second,
                          wg_grad(p, c->wrt, &own), &own, error);
    c->tangent = derived(c, WG_RULE_FIRST | WG_RULE_PRODUCT | WG_RULE_ORDERS,
                         wg_jvp(p, "L", c->wrt, &own), &own, error);
    if (c->gradient) {
        c->grad = wg_compile(c->gradient, NULL, error);
        c->second[0] = compiled(derived(c, second, wg_hvp(p, c->wrt, &own), &own, error), error);
        scalar = scalar_of(c->gradient, false, &own);
        c->second[1] = compiled(
            derived(c, WG_RULE_ORDERS, wg_grad(scalar, c->wrt, &own), &own, error), error);
        wg_program_free(scalar);
        wg_program *both = wg_value_and_grad(p, c->wrt, error);
        c->mapped = compiled(
            derived(c, WG_RULE_BATCHED, wg_vmap(both, NULL, "examples", &own), &own, error), error);
        c->single = compiled(both, error);
    }
    if (c->tangent) {
        c->jvp = wg_compile(c->tangent, NULL, error);
        scalar = scalar_of(c->tangent, true, &own);
        c->second[2] = compiled(
            derived(c, WG_RULE_ORDERS, wg_grad(scalar, c->wrt, &own), &own, error), error);
        wg_program_free(scalar);
        c->twice = compiled(
            derived(c, WG_RULE_ORDERS, wg_jvp(c->tangent, "L_dot", c->wrt, &own), &own, error),
            error);
    }
}

/* ---- numbers --------------------------------------------------------------------------------- */

static wg_status make_tensor(const struct rule_check *c, wg_type type, wg_tensor *x,
                             wg_error *error) {
    wg_tensor made = {.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    for (size_t k = 0; k < type.rank; k++) made.shape[k] = type.extent[k];
    wg_status status = tensor_alloc(&made, c->a, error);
    if (status == WG_OK) *x = made;
    return status;
}

static void draw_integer(struct rule_check *c, wg_tensor *x, int64_t i, double number) {
    switch (x->dtype) {
    case WG_BOOL: ((uint8_t *)x->data)[i] = wg_random_below(&c->random, 2) != 0; break;
    case WG_I32: ((int32_t *)x->data)[i] = (int32_t)number; break;
    default: ((int64_t *)x->data)[i] = (int64_t)number;
    }
}

static void draw(struct rule_check *c, wg_tensor *x, bool is_argument,
                 const wg_rule_options *options) {
    double width = options->high - options->low;
    for (int64_t i = 0; i < wg_tensor_count(x); i++) {
        if (!vector_is_float(x)) {
            double steps = floor(options->high) - ceil(options->low) + 1;
            draw_integer(c, x, i,
                         ceil(options->low) + floor(steps * wg_random_uniform(&c->random)));
        } else if (is_argument) {
            vector_set(x, i, options->low + width * wg_random_uniform(&c->random));
        } else {
            vector_set(x, i, wg_random_normal(&c->random));
        }
    }
}

static double gap(double a, double b) {
    double difference = fabs(a - b) / fmax(1, fmax(fabs(a), fabs(b)));
    return a == b ? 0 : isfinite(difference) ? difference : NAN;
}

/* The larger one, where NaN is larger than any number. */
static void grow(double *worst, double error) {
    if (!isnan(*worst) && !(error <= *worst)) *worst = error;
}

/* fn at x (moved or not), d and u, the last two or the last left out where NULL. */
static wg_status evaluate(struct rule_check *c, const wg_function *fn, const wg_tensor *x,
                          const wg_tensor *d, const wg_tensor *u, wg_error *error) {
    size_t n = c->inputs;
    memcpy(c->in, x, n * sizeof *x);
    for (size_t i = 0; d && i < c->floats; i++) c->in[n++] = d[i];
    for (size_t i = 0; u && i < c->floats; i++) c->in[n++] = u[i];
    for (size_t i = 0; i < c->out_count; i++) wg_tensor_free(&c->out[i], c->a);
    return wg_run(fn, NULL, c->in, c->out, error);
}

/* <v, outputs from `first` on>, one for each floating argument. */
static double product(const struct rule_check *c, const wg_tensor *v, size_t first) {
    double sum = 0;
    for (size_t i = 0; i < c->floats; i++) sum += vector_dot(&v[i], &c->out[first + i]);
    return sum;
}

/* moved = x + step d */
static void move(const struct rule_check *c, double step) {
    for (size_t i = 0, at = 0; i < c->arguments; i++) {
        if (!vector_is_float(&c->x[i])) continue;
        for (int64_t k = wg_tensor_count(&c->x[i]); k-- > 0;)
            vector_set(&c->moved[i], k, vector_get(&c->x[i], k) + step * vector_get(&c->d[at], k));
        at++;
    }
}

/* The derivative along d of L, or of <u, dL/dx>, by differences extrapolated from two steps. */
static wg_status differences(struct rule_check *c, bool of_gradient, double *derivative,
                             wg_error *error) {
    double step = c->single_precision ? 1e-2 : 1e-4, largest = 1, at[2][2];
    for (size_t i = 0; i < c->arguments; i++)
        for (int64_t k = vector_is_float(&c->x[i]) ? wg_tensor_count(&c->x[i]) : 0; k-- > 0;)
            largest = fmax(largest, fabs(vector_get(&c->x[i], k)));
    step *= largest;
    for (int h = 0; h < 2; h++)
        for (int side = 0; side < 2; side++) {
            move(c, (side ? -step : step) / (h + 1));
            if (evaluate(c, of_gradient ? c->grad : c->f, c->moved, NULL, NULL, error))
                return error->status;
            at[h][side] = of_gradient ? product(c, c->u, 0) : vector_get(&c->out[0], 0);
        }
    double wide = (at[0][0] - at[0][1]) / (2 * step);
    double narrow = (at[1][0] - at[1][1]) / step;
    *derivative = (4 * narrow - wide) / 3;
    return WG_OK;
}

/* ---- the checks at one point ----------------------------------------------------------------- */

static void check_first(struct rule_check *c, wg_error *error) {
    double numeric, reverse = 0, forward = 0;
    if (differences(c, false, &numeric, error)) return;
    if (c->grad && evaluate(c, c->grad, c->x, NULL, NULL, error) == WG_OK) {
        reverse = product(c, c->d, 0);
        grow(&c->report->first, gap(reverse, numeric));
    }
    if (c->jvp && !failed(error) && evaluate(c, c->jvp, c->x, c->d, NULL, error) == WG_OK) {
        forward = vector_get(&c->out[1], 0);
        grow(&c->report->first, gap(forward, numeric));
    }
    if (c->grad && c->jvp) grow(&c->report->product, gap(forward, reverse));
}

/* u'H d by differences, and by the four orders. */
static void check_second(struct rule_check *c, wg_error *error) {
    double numeric, way[4];
    bool has[4] = {false};
    for (size_t i = 0; i < 3 && !failed(error); i++) {
        if (!c->second[i] || evaluate(c, c->second[i], c->x, c->d, NULL, error)) continue;
        way[i] = product(c, c->u, 0);
        has[i] = true;
    }
    if (c->twice && !failed(error) && evaluate(c, c->twice, c->x, c->d, c->u, error) == WG_OK) {
        way[3] = vector_get(&c->out[2], 0);
        has[3] = true;
    }
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++)
            if (has[i] && has[k]) grow(&c->report->orders, gap(way[i], way[k]));
    if (has[0] && !failed(error) && differences(c, true, &numeric, error) == WG_OK)
        grow(&c->report->second, gap(way[0], numeric));
}

/* EXAMPLES points at once, the outputs against those of each: x is drawn anew. */
static wg_status run_batch(struct rule_check *c, wg_tensor *batch, wg_tensor *all,
                           const wg_rule_options *options, wg_error *error) {
    for (size_t i = 0; i < c->inputs; i++) {
        batch[i] = c->x[i];
        batch[i].rank++;
        batch[i].shape[0] = EXAMPLES;
        for (int k = 0; k < c->x[i].rank; k++) batch[i].shape[k + 1] = c->x[i].shape[k];
        wg_tensor made = batch[i];
        batch[i].data = NULL;
        if (tensor_alloc(&made, c->a, error)) return error->status;
        batch[i] = made;
        draw(c, &batch[i], i < c->arguments, options);
    }
    if (wg_run(c->mapped, NULL, batch, all, error)) return error->status;
    for (size_t e = 0; e < EXAMPLES; e++) {
        for (size_t i = 0; i < c->inputs; i++) {
            size_t size = (size_t)wg_tensor_count(&c->x[i]) * wg_dtype_size(c->x[i].dtype);
            memcpy(c->x[i].data, (char *)batch[i].data + e * size, size);
        }
        if (evaluate(c, c->single, c->x, NULL, NULL, error)) return error->status;
        for (size_t i = 0; i <= c->floats; i++) {
            int64_t count = wg_tensor_count(&c->out[i]);
            for (int64_t k = 0; k < count; k++)
                grow(&c->report->batched,
                     gap(vector_get(&all[i], (int64_t)e * count + k), vector_get(&c->out[i], k)));
        }
    }
    return WG_OK;
}

static void check_batched(struct rule_check *c, const wg_rule_options *options, wg_error *error) {
    if (!c->mapped || failed(error)) return;
    for (size_t i = 0; i < c->inputs; i++)
        if (c->x[i].rank == WG_MAX_RANK) return;
    wg_tensor *batch = vector_list(c->a, c->inputs), *all = vector_list(c->a, c->floats + 1);
    if (batch && all)
        run_batch(c, batch, all, options, error);
    else
        fail_memory(error);
    vector_free_list(c->a, batch, c->inputs);
    vector_free_list(c->a, all, c->floats + 1);
}

static void check_point(struct rule_check *c, const wg_rule_options *options, wg_error *error) {
    for (size_t i = 0; i < c->inputs; i++) {
        draw(c, &c->x[i], i < c->arguments, options);
        size_t size = (size_t)wg_tensor_count(&c->x[i]) * wg_dtype_size(c->x[i].dtype);
        memcpy(c->moved[i].data, c->x[i].data, size);
    }
    for (size_t i = 0; i < c->floats; i++) {
        draw(c, &c->d[i], false, options);
        draw(c, &c->u[i], false, options);
    }
    check_first(c, error);
    check_second(c, error);
    check_batched(c, options, error);
    c->report->points++;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* The names of the floating arguments, tensors for all inputs, and for directions. */
static wg_status prepare(struct rule_check *c, wg_error *error) {
    wg_text wrt = {.allocator = *c->a};
    bool ok = true;
    if (c->loss->t.size.count)
        return fail_with(error, WG_EARGUMENT,
                         "check rule: the size \"%s\" is not given; options.sizes = \"%s=3\"",
                         wg_size_name(c->loss, 0), wg_size_name(c->loss, 0));
    for (size_t i = 0; i < c->arguments; i++) {
        if (!dtype_is_float(wg_input_type(c->loss, i).dtype)) continue;
        ok = ok && text_format(&wrt, "%sx%zu", c->floats++ ? ", " : "", i + 1);
    }
    c->wrt = wrt.data;
    c->wrt_size = wrt.capacity;
    if (!ok) return fail_memory(error);
    if (c->floats == 0)
        return fail_with(error, WG_EDTYPE, "check rule: no argument is of a floating type");
    c->in_count = c->inputs + 2 * c->floats;
    c->out_count = c->floats + 3;
    c->x = vector_list(c->a, c->inputs);
    c->moved = vector_list(c->a, c->inputs);
    c->d = vector_list(c->a, c->floats);
    c->u = vector_list(c->a, c->floats);
    c->in = vector_list(c->a, c->in_count);
    c->out = vector_list(c->a, c->out_count);
    if (!c->x || !c->moved || !c->d || !c->u || !c->in || !c->out) return fail_memory(error);
    for (size_t i = 0, at = 0; i < c->inputs; i++) {
        wg_type type = wg_input_type(c->loss, i);
        c->single_precision |= type.dtype == WG_F32;
        if (make_tensor(c, type, &c->x[i], error) || make_tensor(c, type, &c->moved[i], error))
            return error->status;
        if (i >= c->arguments || !dtype_is_float(type.dtype)) continue;
        if (make_tensor(c, type, &c->d[at], error) || make_tensor(c, type, &c->u[at], error))
            return error->status;
        at++;
    }
    return WG_OK;
}

static void release(struct rule_check *c) {
    vector_free_list(c->a, c->x, c->inputs);
    vector_free_list(c->a, c->moved, c->inputs);
    vector_free_list(c->a, c->d, c->floats);
    vector_free_list(c->a, c->u, c->floats);
    mem_free(c->a, c->in, (c->in_count + 1) * sizeof *c->in); /* what it lists is borrowed */
    vector_free_list(c->a, c->out, c->out_count);
    mem_free(c->a, c->wrt, c->wrt_size);
    wg_program_free(c->loss);
    wg_program_free(c->gradient);
    wg_program_free(c->tangent);
    wg_function *function[] = {c->f,         c->grad,  c->jvp,    c->second[0], c->second[1],
                               c->second[2], c->twice, c->mapped, c->single};
    for (size_t i = 0; i < sizeof function / sizeof *function; i++) wg_function_free(function[i]);
}

/* Which errors are too large; a NaN is. */
static unsigned judge(const wg_rule_report *r, bool single) {
    const double error[] = {r->first, r->second, r->orders, r->product, r->batched};
    static const double most[2][5] = {{1e-6, 1e-6, 1e-9, 1e-10, 1e-10},
                                      {1e-2, 5e-2, 1e-3, 1e-3, 1e-3}};
    unsigned failed = 0;
    for (unsigned i = 0; i < 5; i++)
        if (!(error[i] <= most[single][i])) failed |= 1u << i;
    return failed;
}

wg_status wg_check_rule(const wg_program *program, const wg_rule *rule,
                        const wg_rule_options *options, wg_rule_report *report, wg_error *error) {
    wg_error own = {0};
    if (!error) error = &own;
    if (failed(error)) return error->status;
    if (!program || !rule || !options || !report)
        return fail_with(error, WG_EARGUMENT, "check rule: the %s NULL",
                         !program   ? "program is"
                         : !rule    ? "rule is"
                         : !options ? "options are"
                                    : "report is");
    if (!(options->low < options->high) || !isfinite(options->high - options->low))
        return fail_with(error, WG_EARGUMENT, "check rule: no range from %g to %g", options->low,
                         options->high);
    *report = (wg_rule_report){0};
    struct rule_check c = {
        .a = &program->t.allocator, .report = report, .random = wg_random_seed(options->seed)};
    c.loss = loss_program(program, rule, options->sizes, error);
    if (c.loss) {
        c.inputs = wg_input_count(c.loss);
        c.arguments = wg_input_count(program);
        if (prepare(&c, error) == WG_OK) make_programs(&c, error);
        size_t points = options->points ? options->points : POINTS;
        for (size_t i = 0; i < points && !failed(error); i++) check_point(&c, options, error);
        report->failed = judge(report, c.single_precision);
    }
    release(&c);
    return error->status;
}
