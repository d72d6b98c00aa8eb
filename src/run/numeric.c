/* Numeric differentiation, to check the exact one against: Jacobians and their products by
 * differences, the test of forward and reverse mode against each other and against central
 * differences along random directions, and how far differences are off as their step shrinks.
 * Nothing else in the library computes a derivative from here. */
#include "run/run.h"
#include "run/vector.h"

#include "wengert/data.h"

#include <float.h>
#include <math.h>

enum { DIRECTIONS = 4 };

/* The step that balances truncation and rounding at x of this type. */
static double best_step(wg_dtype dtype, wg_difference kind, double x) {
    double epsilon = dtype == WG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    return (kind == WG_CENTRAL ? cbrt(epsilon) : sqrt(epsilon)) * fmax(1, fabs(x));
}

/* ---- one element at a time ------------------------------------------------------------------- */

/* A program moved along the elements of one input, one after the other. */
struct columns {
    const int64_t *size;
    wg_function *fn;
    wg_tensor *input, *above, *below; /* inputs, one of them moved; outputs at two points */
    size_t inputs, outputs, wrt;
    wg_difference kind;
    double epsilon;
    /* What becomes of the outputs above and below, `width` apart, for element k. */
    void (*take)(struct columns *c, int64_t k, double width);
    size_t of;
    double *jacobian;
    const wg_tensor *adjoint; /* of the outputs */
    wg_tensor product;        /* their product with the Jacobians, of the input's type */
};

static void take_jacobian(struct columns *c, int64_t k, double width) {
    const wg_tensor *above = &c->above[c->of], *below = &c->below[c->of];
    int64_t rows = wg_tensor_count(above), columns = wg_tensor_count(&c->input[c->wrt]);
    for (int64_t i = 0; i < rows; i++)
        c->jacobian[i * columns + k] = (vector_get(above, i) - vector_get(below, i)) / width;
}

static void take_product(struct columns *c, int64_t k, double width) {
    double sum = 0;
    for (size_t y = 0; y < c->outputs; y++)
        for (int64_t i = c->adjoint[y].data ? wg_tensor_count(&c->above[y]) : 0; i-- > 0;)
            sum += vector_get(&c->adjoint[y], i) *
                   (vector_get(&c->above[y], i) - vector_get(&c->below[y], i));
    vector_set(&c->product, k, sum / width);
}

static wg_status each_column(struct columns *c, wg_error *error) {
    wg_tensor *x = &c->input[c->wrt];
    int64_t columns = wg_tensor_count(x);
    for (int64_t k = 0; !failed(error) && k < columns; k++) {
        double at = vector_get(x, k);
        double step = c->epsilon > 0 ? c->epsilon : best_step(x->dtype, c->kind, at);
        vector_set(x, k, at + step);
        double high = vector_get(x, k), low = at; /* what rounding made of them */
        wg_run(c->fn, c->size, c->input, c->above, error);
        if (c->kind == WG_CENTRAL) {
            vector_set(x, k, at - step);
            low = vector_get(x, k);
            wg_run(c->fn, c->size, c->input, c->below, error);
        }
        vector_set(x, k, at);
        if (!failed(error)) c->take(c, k, high - low);
    }
    return error->status;
}

/* Compiled, with room for the outputs, which hold f(x): all types are right from here on. */
static wg_status columns_open(struct columns *c, const wg_program *program, const wg_tensor *input,
                              wg_error *error) {
    const wg_allocator *a = &program->t.allocator;
    wg_tensor moved = {0};
    c->inputs = wg_input_count(program);
    c->outputs = wg_output_count(program);
    c->fn = wg_compile(program, NULL, error);
    c->input = vector_list(a, c->inputs);
    c->above = vector_list(a, c->outputs);
    c->below = vector_list(a, c->outputs);
    if (!c->input || !c->above || !c->below) return fail_memory(error);
    if (wg_run(c->fn, c->size, input, c->below, error) ||
        wg_run(c->fn, c->size, input, c->above, error) ||
        vector_clone(&input[c->wrt], a, &moved, error))
        return error->status;
    memcpy(c->input, input, c->inputs * sizeof *input); /* the caller's, but for what moves */
    c->input[c->wrt] = moved;
    return WG_OK;
}

static void columns_close(struct columns *c, const wg_allocator *a) {
    if (c->input) wg_tensor_free(&c->input[c->wrt], a);
    mem_free(a, c->input, (c->inputs + 1) * sizeof *c->input);
    vector_free_list(a, c->above, c->outputs);
    vector_free_list(a, c->below, c->outputs);
    wg_function_free(c->fn);
}

static wg_status check_input(const char *what, const wg_program *program, const wg_tensor *input,
                             size_t wrt, wg_error *error) {
    if (!program || !input)
        return fail_with(error, WG_EARGUMENT, "%s: the %s NULL", what,
                         program ? "inputs are" : "program is");
    if (wrt >= wg_input_count(program))
        return fail_with(error, WG_EARGUMENT, "%s: input %zu of a program with %zu inputs", what,
                         wrt, wg_input_count(program));
    if (!dtype_is_float(wg_input_type(program, wrt).dtype))
        return fail_with(error, WG_EDTYPE, "%s: input \"%s\" is not of a floating type", what,
                         wg_input_name(program, wrt));
    return WG_OK;
}

wg_status wg_numeric_jacobian(const wg_program *program, const int64_t *size,
                              const wg_tensor *input, size_t of, size_t wrt, wg_difference kind,
                              double epsilon, double *jacobian, wg_error *error) {
    static const char what[] = "numeric jacobian";
    wg_error own = {0};
    if (!error) error = &own;
    if (failed(error) || check_input(what, program, input, wrt, error)) return error->status;
    if (of >= wg_output_count(program))
        return fail_with(error, WG_EARGUMENT, "%s: output %zu of a program with %zu outputs", what,
                         of, wg_output_count(program));
    if (!dtype_is_float(wg_output_type(program, of).dtype))
        return fail_with(error, WG_EDTYPE, "%s: output \"%s\" is not of a floating type", what,
                         wg_output_name(program, of));
    if (!jacobian) return fail_with(error, WG_EARGUMENT, "%s: the jacobian is NULL", what);
    struct columns c = {.size = size, .wrt = wrt, .kind = kind, .epsilon = epsilon,
                        .take = take_jacobian, .of = of, .jacobian = jacobian};
    if (columns_open(&c, program, input, error) == WG_OK) each_column(&c, error);
    columns_close(&c, &program->t.allocator);
    return error->status;
}

static bool same_type(const wg_tensor *a, const wg_tensor *b) {
    bool same = a->dtype == b->dtype && a->rank == b->rank;
    for (int k = 0; same && k < a->rank; k++) same = a->shape[k] == b->shape[k];
    return same;
}

/* Directions have the floating types of the values that they belong to. */
static wg_status check_direction(const char *what, const char *port, const char *name,
                                 const wg_tensor *x, const wg_tensor *direction, wg_error *error) {
    if (!direction->data || (vector_is_float(x) && same_type(x, direction))) return WG_OK;
    return fail_with(error, vector_is_float(x) ? WG_ESHAPE : WG_EDTYPE,
                     "numeric %s \"%s\" and its %s are not of one floating type and shape", port,
                     name, what);
}

wg_status wg_numeric_vjp(const wg_program *program, const int64_t *size, const wg_tensor *input,
                         const wg_tensor *adjoint, size_t wrt, wg_difference kind, double epsilon,
                         wg_tensor *output, wg_error *error) {
    static const char what[] = "numeric vjp";
    wg_error own = {0};
    if (!error) error = &own;
    if (failed(error) || check_input(what, program, input, wrt, error)) return error->status;
    if (!adjoint || !output)
        return fail_with(error, WG_EARGUMENT, "%s: the %s NULL", what,
                         output ? "adjoints are" : "output is");
    const wg_allocator *a = &program->t.allocator;
    struct columns c = {.size = size, .wrt = wrt, .kind = kind, .epsilon = epsilon,
                        .take = take_product, .adjoint = adjoint};
    columns_open(&c, program, input, error);
    for (size_t i = 0; i < c.outputs && !failed(error); i++)
        check_direction("adjoint", "vjp: output", wg_output_name(program, i), &c.above[i],
                        &adjoint[i], error);
    if (!failed(error) && vector_clone(&input[wrt], a, &c.product, error) == WG_OK &&
        each_column(&c, error) == WG_OK) {
        *output = c.product; /* the caller's from here on */
        c.product = (wg_tensor){0};
    }
    wg_tensor_free(&c.product, a);
    columns_close(&c, a);
    return error->status;
}

/* ---- along a direction ----------------------------------------------------------------------- */

/* A program moved along a direction, to both sides of a point. */
struct line {
    const wg_allocator *a;
    const int64_t *size;
    size_t inputs, outputs;
    wg_function *fn;
    wg_tensor *moved, *above, *below; /* inputs at one place; outputs at two */
    double largest;                   /* of |x| where x moves */
    wg_dtype coarsest;                /* of what moves */
};

static void line_move(struct line *l, const wg_tensor *x, const wg_tensor *tangent, double step) {
    for (size_t i = 0; i < l->inputs; i++)
        for (int64_t k = tangent[i].data ? wg_tensor_count(&x[i]) : 0; k-- > 0;)
            vector_set(&l->moved[i], k, vector_get(&x[i], k) + step * vector_get(&tangent[i], k));
}

static wg_status line_open(struct line *l, const wg_program *program, const int64_t *size,
                           const wg_tensor *x, const wg_tensor *tangent, wg_error *error) {
    *l = (struct line){.a = &program->t.allocator,
                       .size = size,
                       .inputs = wg_input_count(program),
                       .outputs = wg_output_count(program),
                       .coarsest = WG_F64};
    l->fn = wg_compile(program, NULL, error);
    l->moved = vector_list(l->a, l->inputs);
    l->above = vector_list(l->a, l->outputs);
    l->below = vector_list(l->a, l->outputs);
    if (!l->moved || !l->above || !l->below) return fail_memory(error);
    if (wg_run(l->fn, size, x, l->above, error)) return error->status; /* all types are right */
    for (size_t i = 0; i < l->inputs; i++) {
        if (check_direction("tangent", "jvp: input", wg_input_name(program, i), &x[i], &tangent[i],
                            error))
            return error->status;
        if (vector_clone(&x[i], l->a, &l->moved[i], error)) return error->status;
        for (int64_t k = tangent[i].data ? wg_tensor_count(&x[i]) : 0; k-- > 0;)
            l->largest = fmax(l->largest, fabs(vector_get(&x[i], k)));
        if (tangent[i].data && x[i].dtype == WG_F32) l->coarsest = WG_F32;
    }
    return WG_OK;
}

static void line_close(struct line *l) {
    vector_free_list(l->a, l->moved, l->inputs);
    vector_free_list(l->a, l->above, l->outputs);
    vector_free_list(l->a, l->below, l->outputs);
    wg_function_free(l->fn);
}

wg_status wg_numeric_jvp(const wg_program *program, const int64_t *size, const wg_tensor *input,
                         const wg_tensor *tangent, wg_difference kind, double epsilon,
                         wg_tensor *output, wg_error *error) {
    wg_error own = {0};
    struct line l;
    if (!error) error = &own;
    if (failed(error)) return error->status;
    if (!program || !output || ((!input || !tangent) && wg_input_count(program)))
        return fail_with(error, WG_EARGUMENT, "numeric jvp: the %s NULL",
                         !program  ? "program is"
                         : !output ? "outputs are"
                                   : "inputs or tangents are");
    if (line_open(&l, program, size, input, tangent, error) == WG_OK) {
        double step = epsilon > 0 ? epsilon : best_step(l.coarsest, kind, l.largest);
        double back = kind == WG_CENTRAL ? step : 0;
        line_move(&l, input, tangent, step);
        wg_run(l.fn, size, l.moved, l.above, error);
        line_move(&l, input, tangent, -back);
        wg_run(l.fn, size, l.moved, l.below, error);
        for (size_t i = 0; i < l.outputs && !failed(error); i++) {
            if (!vector_is_float(&l.above[i])) continue;
            for (int64_t k = wg_tensor_count(&l.above[i]); k-- > 0;)
                vector_set(&l.above[i], k,
                           (vector_get(&l.above[i], k) - vector_get(&l.below[i], k)) /
                               (step + back));
            output[i] = l.above[i]; /* the caller's from here on */
            l.above[i] = (wg_tensor){0};
        }
    }
    line_close(&l);
    return error->status;
}

/* ---- the gradient check ---------------------------------------------------------------------- */

/* A program f, its derivatives forward and in reverse, and the tensors that they take and give. */
struct check_run {
    const wg_allocator *a;
    const int64_t *size;
    const wg_tensor *x;      /* where */
    size_t inputs, outputs;  /* of the program */
    size_t x_count, y_count; /* the floating ones among them */
    wg_program *jvp, *vjp;
    wg_function *f, *f_jvp, *f_vjp;
    wg_tensor *jvp_in, *vjp_in;       /* x, followed by the directions: theirs */
    wg_tensor *jvp_out, *vjp_out;     /* y, followed by J x' and by J^T y' */
    wg_tensor *moved, *above, *below; /* x a step along x', and f there and on the other side */
    double largest;                   /* of |x| */
    wg_dtype coarsest;                /* of the floating types */
};

static double squares(const wg_tensor *x, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += vector_dot(&x[i], &x[i]);
    return sum;
}

/* A point of the unit sphere in all these tensors together. */
static void draw_direction(wg_random *random, wg_tensor *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (int64_t k = wg_tensor_count(&x[i]); k-- > 0;)
            vector_set(&x[i], k, wg_random_normal(random));
    double length = sqrt(squares(x, count));
    for (size_t i = 0; length > 0 && i < count; i++)
        for (int64_t k = wg_tensor_count(&x[i]); k-- > 0;)
            vector_set(&x[i], k, vector_get(&x[i], k) / length);
}

/* moved = x + step * x' */
static void move(struct check_run *r, double step) {
    const wg_tensor *direction = r->jvp_in + r->inputs;
    for (size_t i = 0, at = 0; i < r->inputs; i++) {
        if (!vector_is_float(&r->x[i])) continue;
        for (int64_t k = wg_tensor_count(&r->x[i]); k-- > 0;)
            vector_set(&r->moved[i], k,
                       vector_get(&r->x[i], k) + step * vector_get(&direction[at], k));
        at++;
    }
}

/* The larger one, where NaN is larger than any number. */
static double worse(double a, double b) { return b <= a || isnan(a) ? a : b; }

/* A tangent x' and an adjoint y', and what forward mode makes of them: <J x', y'>. */
static wg_status draw(struct check_run *r, wg_random *random, double *forward, wg_error *error) {
    wg_tensor *y_bar = r->vjp_in + r->inputs;
    draw_direction(random, r->jvp_in + r->inputs, r->x_count);
    draw_direction(random, y_bar, r->y_count);
    wg_run(r->f_jvp, r->size, r->jvp_in, r->jvp_out, error);
    *forward = 0;
    for (size_t i = 0; i < r->y_count && !failed(error); i++)
        *forward += vector_dot(&y_bar[i], &r->jvp_out[r->outputs + i]);
    return error->status;
}

/* The same by differences, with steps of this length along x'. */
static wg_status differences(struct check_run *r, wg_difference kind, double step, double *numeric,
                             wg_error *error) {
    const wg_tensor *y_bar = r->vjp_in + r->inputs;
    double back = kind == WG_CENTRAL ? step : 0;
    move(r, step);
    wg_run(r->f, r->size, r->moved, r->above, error);
    move(r, -back);
    if (wg_run(r->f, r->size, r->moved, r->below, error)) return error->status;
    *numeric = 0;
    for (size_t i = 0, at = 0; i < r->outputs; i++) {
        if (!vector_is_float(&r->above[i])) continue;
        for (int64_t k = wg_tensor_count(&r->above[i]); k-- > 0;)
            *numeric += vector_get(&y_bar[at], k) *
                        (vector_get(&r->above[i], k) - vector_get(&r->below[i], k));
        at++;
    }
    *numeric /= step + back;
    return WG_OK;
}

static wg_status try_direction(struct check_run *r, wg_random *random, wg_check_report *report,
                               wg_error *error) {
    const wg_tensor *x_dot = r->jvp_in + r->inputs;
    double step = best_step(r->coarsest, WG_CENTRAL, r->largest);
    double forward, reverse = 0, numeric;
    if (draw(r, random, &forward, error) ||
        wg_run(r->f_vjp, r->size, r->vjp_in, r->vjp_out, error) ||
        differences(r, WG_CENTRAL, step, &numeric, error))
        return error->status;
    for (size_t i = 0; i < r->x_count; i++)
        reverse += vector_dot(&x_dot[i], &r->vjp_out[r->outputs + i]);
    double scale = fmax(1, fabs(numeric));
    report->difference = worse(report->difference, fabs(forward - numeric) / scale);
    report->difference = worse(report->difference, fabs(reverse - numeric) / scale);
    report->product = worse(report->product, fabs(forward - reverse) / fmax(1, fabs(forward)));
    report->directions++;
    return WG_OK;
}

/* What stands behind x in `in` gets data of the types that the ports of the program say; the sizes
 * come from like, whose floating ones have the same shapes in the same order. */
static wg_status add_directions(struct check_run *r, wg_tensor *in, const wg_tensor *like,
                                size_t like_count, wg_error *error) {
    memcpy(in, r->x, r->inputs * sizeof *in);
    wg_tensor *next = in + r->inputs;
    for (size_t i = 0; i < like_count; i++)
        if (vector_is_float(&like[i]) && vector_clone(&like[i], r->a, next++, error)) break;
    return error->status;
}

static wg_status prepare(struct check_run *r, const wg_program *program, wg_error *error) {
    r->jvp = wg_jvp(program, NULL, NULL, error);
    r->vjp = wg_vjp(program, NULL, NULL, error);
    r->f = wg_compile(program, NULL, error);
    r->f_jvp = wg_compile(r->jvp, NULL, error);
    r->f_vjp = wg_compile(r->vjp, NULL, error);
    r->jvp_in = vector_list(r->a, r->inputs + r->x_count);
    r->vjp_in = vector_list(r->a, r->inputs + r->y_count);
    r->jvp_out = vector_list(r->a, r->outputs + r->y_count);
    r->vjp_out = vector_list(r->a, r->outputs + r->x_count);
    r->moved = vector_list(r->a, r->inputs);
    r->above = vector_list(r->a, r->outputs);
    r->below = vector_list(r->a, r->outputs);
    if (!r->jvp_in || !r->vjp_in || !r->jvp_out || !r->vjp_out || !r->moved || !r->above ||
        !r->below)
        return fail_memory(error);
    if (wg_run(r->f, r->size, r->x, r->above, error) || /* all types are right from here on */
        add_directions(r, r->jvp_in, r->x, r->inputs, error) ||
        add_directions(r, r->vjp_in, r->above, r->outputs, error))
        return error->status;
    r->coarsest = WG_F64;
    for (size_t i = 0; i < r->outputs; i++)
        if (r->above[i].dtype == WG_F32) r->coarsest = WG_F32;
    for (size_t i = 0; i < r->inputs; i++) {
        if (vector_clone(&r->x[i], r->a, &r->moved[i], error)) return error->status;
        if (r->x[i].dtype == WG_F32) r->coarsest = WG_F32;
        for (int64_t k = vector_is_float(&r->x[i]) ? wg_tensor_count(&r->x[i]) : 0; k-- > 0;)
            r->largest = fmax(r->largest, fabs(vector_get(&r->x[i], k)));
    }
    return WG_OK;
}

static void release(struct check_run *r) {
    for (size_t i = 0; r->jvp_in && i < r->inputs; i++)
        r->jvp_in[i] = (wg_tensor){0}; /* borrowed */
    for (size_t i = 0; r->vjp_in && i < r->inputs; i++) r->vjp_in[i] = (wg_tensor){0};
    vector_free_list(r->a, r->jvp_in, r->inputs + r->x_count);
    vector_free_list(r->a, r->vjp_in, r->inputs + r->y_count);
    vector_free_list(r->a, r->jvp_out, r->outputs + r->y_count);
    vector_free_list(r->a, r->vjp_out, r->outputs + r->x_count);
    vector_free_list(r->a, r->moved, r->inputs);
    vector_free_list(r->a, r->above, r->outputs);
    vector_free_list(r->a, r->below, r->outputs);
    wg_function_free(r->f);
    wg_function_free(r->f_jvp);
    wg_function_free(r->f_vjp);
    wg_program_free(r->jvp);
    wg_program_free(r->vjp);
}

/* Everything that a check runs, at this point; release in any case. */
static wg_status check_open(struct check_run *r, const wg_program *program, const int64_t *size,
                            const wg_tensor *input, wg_error *error) {
    *r = (struct check_run){.a = &program->t.allocator, .size = size, .x = input};
    r->inputs = wg_input_count(program);
    r->outputs = wg_output_count(program);
    for (size_t i = 0; i < r->inputs; i++)
        r->x_count += dtype_is_float(wg_input_type(program, i).dtype);
    for (size_t i = 0; i < r->outputs; i++)
        r->y_count += dtype_is_float(wg_output_type(program, i).dtype);
    if (!r->x_count || !r->y_count)
        return fail_with(error, WG_EDTYPE, "check: the program has no %s of a floating type",
                         r->x_count ? "output" : "input");
    return prepare(r, program, error);
}

wg_status wg_check_gradient(const wg_program *program, const int64_t *size,
                            const wg_tensor *input, uint64_t seed, wg_check_report *report,
                            wg_error *error) {
    wg_error own = {0};
    struct check_run r;
    if (!error) error = &own;
    if (failed(error)) return error->status;
    if (!program || !report || (!input && wg_input_count(program)))
        return fail_with(error, WG_EARGUMENT, "check: the %s NULL",
                         !program  ? "program is"
                         : !report ? "report is"
                                   : "inputs are");
    *report = (wg_check_report){0};
    check_open(&r, program, size, input, error);
    wg_random random = wg_random_seed(seed);
    for (size_t i = 0; i < DIRECTIONS && !failed(error); i++)
        try_direction(&r, &random, report, error);
    release(&r);
    return error->status;
}

wg_status wg_check_steps(const wg_program *program, const int64_t *size, const wg_tensor *input,
                         uint64_t seed, const double *epsilon, size_t count, double *central,
                         double *one_sided, wg_error *error) {
    wg_error own = {0};
    struct check_run r;
    double *result[] = {central, one_sided}, exact = 0, numeric = 0;
    if (!error) error = &own;
    if (failed(error)) return error->status;
    if (!program || (!input && wg_input_count(program)) ||
        (count && (!epsilon || !central || !one_sided)))
        return fail_with(error, WG_EARGUMENT,
                         "check: a program, inputs, steps and room for results are needed");
    check_open(&r, program, size, input, error);
    wg_random random = wg_random_seed(seed);
    if (!failed(error)) draw(&r, &random, &exact, error);
    for (size_t i = 0; i < 2 * count && !failed(error); i++) {
        if (differences(&r, i < count ? WG_CENTRAL : WG_ONE_SIDED, epsilon[i % count], &numeric,
                        error))
            break;
        result[i / count][i % count] = fabs(numeric - exact) / fmax(1, fabs(exact));
    }
    release(&r);
    return error->status;
}
