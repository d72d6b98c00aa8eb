#include "support/op_check.h"

#include "support/random_program.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the programs of a sample ---------------------------------------------------------------- */

/* Inputs x0, x1, ...; output y. */
static wg_program *sample_program(unsigned op, const struct op_sample *s, wg_dtype floating,
                                  wg_error *error) {
    static const char *const name[] = {"x0", "x1", "x2"};
    wg_graph *g = wg_graph_new();
    value arg[3] = {0};
    for (size_t i = 0; i < s->narg; i++) {
        wg_type type = s->arg[i];
        if (type.dtype == WG_F64) type.dtype = (uint8_t)floating;
        arg[i] = graph_input(g, name[i], &type);
    }
    graph_output(g, "y", s->make ? s->make(g, arg) : graph_emit(g, op, 0, arg, s->narg));
    return wg_build(g, error);
}

/* Of p's inputs and w of y's type: output L = sum(w y). */
static wg_program *weighted(const wg_program *p, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var in[4], y;
    size_t n = wg_input_count(p);
    for (size_t i = 0; i < n; i++) in[i] = wg_input(g, wg_input_name(p, i), wg_input_type(p, i));
    wg_var w = wg_input(g, "w", wg_output_type(p, 0));
    wg_apply(g, p, in, &y);
    wg_output(g, "L", wg_sum(wg_mul(w, y)));
    return wg_build(g, error);
}

/* Of a program with outputs dx...: the inputs, one v_i per output, and L = sum of <v_i, dx_i>. */
static wg_program *contracted(const wg_program *p, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var in[12], out[4], sum = {g, 0};
    size_t n = wg_input_count(p), m = wg_output_count(p);
    for (size_t i = 0; i < n; i++) in[i] = wg_input(g, wg_input_name(p, i), wg_input_type(p, i));
    wg_apply(g, p, in, out);
    for (size_t i = 0; i < m; i++) {
        char name[8] = {'v', (char)('0' + i)};
        wg_var term = wg_sum(wg_mul(wg_input(g, name, wg_output_type(p, i)), out[i]));
        sum = i ? wg_add(sum, term) : term;
    }
    wg_output(g, "L", sum);
    return wg_build(g, error);
}

/* ---- values ---------------------------------------------------------------------------------- */

static wg_tensor tensor_like(wg_type type) {
    wg_tensor t = {.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    for (int k = 0; k < type.rank; k++) t.shape[k] = type.extent[k];
    t.data = calloc((size_t)wg_tensor_count(&t) + 1, 8);
    assert_non_null(t.data);
    return t;
}

static double get(const wg_tensor *t, int64_t i) {
    switch (t->dtype) {
    case WG_F64: return ((const double *)t->data)[i];
    case WG_F32: return (double)((const float *)t->data)[i];
    case WG_I64: return (double)((const int64_t *)t->data)[i];
    case WG_I32: return ((const int32_t *)t->data)[i];
    case WG_BOOL: return ((const uint8_t *)t->data)[i];
    }
    return 0;
}

static void set(wg_tensor *t, int64_t i, double x) {
    switch (t->dtype) {
    case WG_F64: ((double *)t->data)[i] = x; break;
    case WG_F32: ((float *)t->data)[i] = (float)x; break;
    case WG_I64: ((int64_t *)t->data)[i] = (int64_t)floor(x); break;
    case WG_I32: ((int32_t *)t->data)[i] = (int32_t)floor(x); break;
    case WG_BOOL: ((uint8_t *)t->data)[i] = x >= 0.5; break;
    }
}

static wg_tensor drawn(wg_type type, double low, double high, wg_random *random) {
    wg_tensor t = tensor_like(type);
    /* integers from low to high inclusive */
    double width = dtype_is_float(type.dtype) ? high - low : high - low + 1;
    for (int64_t i = 0; i < wg_tensor_count(&t); i++)
        set(&t, i, type.dtype == WG_BOOL ? wg_random_uniform(random)
                                         : low + width * wg_random_uniform(random));
    return t;
}

static wg_function *compiled(const wg_program *p, wg_error *error) {
    wg_function *fn = wg_compile(p, NULL, error);
    if (error->status) fail_msg("%s", error->message);
    return fn;
}

static void run(const wg_function *fn, const wg_tensor *in, wg_tensor *out, size_t outputs) {
    wg_error error = {0};
    for (size_t i = 0; i < outputs; i++) out[i].data = NULL;
    wg_run(fn, NULL, in, out, &error);
    if (error.status) fail_msg("%s", error.message);
}

static double scalar(const wg_function *fn, const wg_tensor *in) {
    wg_tensor out;
    run(fn, in, &out, 1);
    double x = get(&out, 0);
    free(out.data);
    return x;
}

static double gap(double a, double b) {
    if (a == b || (isnan(a) && isnan(b))) return 0;
    double scale = fmax(1, fmax(fabs(a), fabs(b)));
    return isfinite(a - b) ? fabs(a - b) / scale : INFINITY;
}

/* x + h d on floating inputs, in place of copy. */
static void step(wg_tensor *copy, const wg_tensor *x, const wg_tensor *d, size_t n, double h) {
    for (size_t i = 0; i < n; i++)
        for (int64_t k = 0; k < wg_tensor_count(&x[i]); k++)
            set(&copy[i], k, get(&x[i], k) + (d[i].data ? h * get(&d[i], k) : 0));
}

/* ---- the checks ------------------------------------------------------------------------------ */

struct sample_run {
    const wg_program *y, *loss;
    size_t narg;
    wg_tensor x[12];    /* arguments, then w; room for directions behind */
    wg_tensor dir[4];   /* a direction per argument; data NULL for integers */
    wg_tensor copy[4];
    wg_random random;
};

enum { DIFFERENCE_STEPS = 2 };
static const double difference_step[DIFFERENCE_STEPS] = {1e-4, 5e-5};

/* Extrapolated central difference from those of both steps. */
static double extrapolate(const double *d) {
    return (4 * d[1] - d[0]) / 3;
}

/* Along the directions that are there. */
static void check_along(struct sample_run *s, const wg_tensor *dir, const wg_function *loss,
                        const wg_tensor *g, struct op_errors *e) {
    wg_tensor at[5];
    double derivative = 0, d[DIFFERENCE_STEPS];
    for (size_t i = 0, k = 0; i < s->narg; i++) {
        if (!s->dir[i].data) continue;
        for (int64_t j = 0; dir[i].data && j < wg_tensor_count(&dir[i]); j++)
            derivative += get(&g[k], j) * get(&dir[i], j);
        k++;
    }
    memcpy(at, s->copy, s->narg * sizeof *at);
    at[s->narg] = s->x[s->narg];
    for (int h = 0; h < DIFFERENCE_STEPS; h++) {
        step(s->copy, s->x, dir, s->narg, difference_step[h]);
        double up = scalar(loss, at);
        step(s->copy, s->x, dir, s->narg, -difference_step[h]);
        d[h] = (up - scalar(loss, at)) / (2 * difference_step[h]);
    }
    e->first = fmax(e->first, gap(derivative, extrapolate(d)));
}

/* Argument by argument, then all together. */
static void check_first(struct sample_run *s, const wg_function *loss, const wg_function *grad,
                        size_t floats, struct op_errors *e) {
    wg_tensor g[4];
    run(grad, s->x, g, floats);
    for (size_t only = 0; only <= s->narg; only++) {
        wg_tensor dir[4] = {{0}};
        for (size_t i = 0; i < s->narg; i++)
            if (i == only || only == s->narg) dir[i] = s->dir[i];
        check_along(s, dir, loss, g, e);
    }
    for (size_t k = 0; k < floats; k++) free(g[k].data);
}

/* H v by hvp against differences of the gradient, entry by entry. */
static void check_second(struct sample_run *s, const wg_function *grad, const wg_function *hvp,
                         size_t floats, struct op_errors *e) {
    wg_tensor h[4], up[4], down[4], at[5], in[12];
    size_t n = s->narg + 1;
    memcpy(in, s->x, n * sizeof *in);
    for (size_t i = 0; i < s->narg; i++)
        if (s->dir[i].data) in[n++] = s->dir[i];
    run(hvp, in, h, floats);
    memcpy(at, s->copy, s->narg * sizeof *at);
    at[s->narg] = s->x[s->narg];
    double *d[DIFFERENCE_STEPS] = {NULL, NULL};
    int64_t total = 0;
    for (size_t i = 0; i < floats; i++) total += wg_tensor_count(&h[i]);
    for (int k = 0; k < DIFFERENCE_STEPS; k++) {
        d[k] = calloc((size_t)total + 1, sizeof **d);
        step(s->copy, s->x, s->dir, s->narg, difference_step[k]);
        run(grad, at, up, floats);
        step(s->copy, s->x, s->dir, s->narg, -difference_step[k]);
        run(grad, at, down, floats);
        int64_t entry = 0;
        for (size_t i = 0; i < floats; i++) {
            for (int64_t j = 0; j < wg_tensor_count(&up[i]); j++)
                d[k][entry++] = (get(&up[i], j) - get(&down[i], j)) / (2 * difference_step[k]);
            free(up[i].data);
            free(down[i].data);
        }
    }
    int64_t entry = 0;
    for (size_t i = 0; i < floats; i++) {
        for (int64_t j = 0; j < wg_tensor_count(&h[i]); j++, entry++)
            e->second = fmax(e->second,
                             gap(get(&h[i], j), extrapolate((double[]){d[0][entry], d[1][entry]})));
        free(h[i].data);
    }
    for (int k = 0; k < DIFFERENCE_STEPS; k++) free(d[k]);
}

/* u^T H v four ways: forward over reverse, reverse over reverse, reverse over forward, forward over
 * forward. */
static void check_orders(struct sample_run *s, const char *wrt, size_t floats, struct op_errors *e,
                         wg_error *error) {
    wg_program *grad = wg_grad(s->loss, wrt, error);
    wg_program *tangent = wg_jvp(s->loss, NULL, wrt, error);
    wg_program *hvp = wg_hvp(s->loss, wrt, error);
    wg_program *dotted = contracted(grad, error);       /* <v, grad L> */
    wg_program *reverse2 = wg_grad(dotted, wrt, error); /* H v by reverse over reverse */
    wg_program *forward2 = wg_jvp(tangent, "L_dot", wrt, error);
    /* the tangent L_dot = <v, grad L> as first output, then reversed */
    wg_graph *g = wg_graph_new();
    wg_var in[12], out[4];
    for (size_t i = 0; i < wg_input_count(tangent); i++)
        in[i] = wg_input(g, wg_input_name(tangent, i), wg_input_type(tangent, i));
    wg_apply(g, tangent, in, out);
    wg_output(g, "t", out[1]);
    wg_program *only_tangent = wg_build(g, error);
    wg_program *mixed = wg_grad(only_tangent, wrt, error);
    if (error->status) fail_msg("%s", error->message);

    wg_tensor at[12], direction[4], h[3][4], last[4];
    size_t n = s->narg + 1, extra = 0;
    memcpy(at, s->x, n * sizeof *at);
    for (size_t i = 0; i < s->narg; i++)
        if (s->dir[i].data) at[n++] = s->dir[i];
    for (size_t i = 0; i < s->narg; i++)
        if (s->dir[i].data) {
            wg_type type = wg_input_type(s->y, i);
            direction[extra++] = drawn(type, -1, 1, &s->random);
        }
    const wg_program *const way[3] = {hvp, reverse2, mixed};
    double uhv[4] = {0};
    for (int k = 0; k < 3; k++) {
        wg_function *fn = compiled(way[k], error);
        run(fn, at, h[k], floats);
        wg_function_free(fn);
        for (size_t i = 0; i < floats; i++) {
            for (int64_t j = 0; j < wg_tensor_count(&h[k][i]); j++)
                uhv[k] += get(&h[k][i], j) * get(&direction[i], j);
            free(h[k][i].data);
        }
    }
    for (size_t i = 0; i < floats; i++) at[n++] = direction[i];
    wg_function *fn = compiled(forward2, error);
    run(fn, at, last, 3); /* L, L_dot, L_dot_dot */
    uhv[3] = get(&last[2], 0);
    for (int i = 0; i < 3; i++) free(last[i].data);
    wg_function_free(fn);
    for (int k = 1; k < 4; k++) e->orders = fmax(e->orders, gap(uhv[0], uhv[k]));
    for (size_t i = 0; i < floats; i++) free(direction[i].data);
    wg_program_free(grad);
    wg_program_free(tangent);
    wg_program_free(hvp);
    wg_program_free(dotted);
    wg_program_free(reverse2);
    wg_program_free(forward2);
    wg_program_free(only_tangent);
    wg_program_free(mixed);
}

static void check_product(struct sample_run *s, const char *wrt, size_t floats, struct op_errors *e,
                          wg_error *error) {
    wg_program *jvp = wg_jvp(s->y, NULL, wrt, error), *vjp = wg_vjp(s->y, NULL, wrt, error);
    if (error->status) fail_msg("%s", error->message);
    wg_function *forward = compiled(jvp, error), *reverse = compiled(vjp, error);
    wg_tensor at[8], t[2], a[5];
    size_t n = s->narg;
    memcpy(at, s->x, n * sizeof *at);
    for (size_t i = 0; i < s->narg; i++)
        if (s->dir[i].data) at[n++] = s->dir[i];
    run(forward, at, t, 2);
    at[s->narg] = s->x[s->narg]; /* w as the adjoint of y */
    run(reverse, at, a, 1 + floats);
    double left = 0, right = 0, scale = 0;
    for (int64_t j = 0; j < wg_tensor_count(&t[1]); j++) {
        left += get(&t[1], j) * get(&s->x[s->narg], j);
        scale += fabs(get(&t[1], j) * get(&s->x[s->narg], j));
    }
    for (size_t i = 0, k = 1; i < s->narg; i++) {
        if (!s->dir[i].data) continue;
        for (int64_t j = 0; j < wg_tensor_count(&a[k]); j++)
            right += get(&a[k], j) * get(&s->dir[i], j);
        k++;
    }
    e->product = fmax(e->product, fabs(left - right) / fmax(1, scale));
    free(t[0].data);
    free(t[1].data);
    for (size_t i = 0; i < 1 + floats; i++) free(a[i].data);
    wg_function_free(forward);
    wg_function_free(reverse);
    wg_program_free(jvp);
    wg_program_free(vjp);
}

/* vmap over one argument or over all, with 3 examples, against three runs. */
static void check_batched(struct sample_run *s, const struct op_sample *sample, size_t only,
                          struct op_errors *e, wg_error *error) {
    static const char *const name[] = {"x0", "x1", "x2"};
    enum { EXAMPLES = 3 };
    wg_program *mapped = wg_vmap(s->y, only < s->narg ? name[only] : NULL, "examples", error);
    if (error->status) fail_msg("%s", error->message);
    wg_function *batch = compiled(mapped, error), *one = compiled(s->y, error);
    wg_tensor at[3], example[3], all, single;
    for (size_t i = 0; i < s->narg; i++) {
        at[i] = s->x[i];
        if (only < s->narg && only != i) continue;
        wg_type type = sample->arg[i];
        memmove(type.extent + 1, type.extent, sizeof type.extent - sizeof *type.extent);
        type.extent[0] = EXAMPLES;
        type.rank++;
        at[i] = drawn(type, sample->low[i], sample->high[i], &s->random);
    }
    run(batch, at, &all, 1);
    for (int k = 0; k < EXAMPLES; k++) {
        for (size_t i = 0; i < s->narg; i++) {
            example[i] = s->x[i];
            if (at[i].data != s->x[i].data)
                example[i].data = (char *)at[i].data + (size_t)k * wg_dtype_size(at[i].dtype) *
                                                           (size_t)wg_tensor_count(&s->x[i]);
        }
        run(one, example, &single, 1);
        int64_t count = wg_tensor_count(&single);
        assert_int_equal(wg_tensor_count(&all), EXAMPLES * count);
        for (int64_t j = 0; j < count; j++)
            e->batched = fmax(e->batched, gap(get(&all, k * count + j), get(&single, j)));
        free(single.data);
    }
    free(all.data);
    for (size_t i = 0; i < s->narg; i++)
        if (at[i].data != s->x[i].data) free(at[i].data);
    wg_function_free(batch);
    wg_function_free(one);
    wg_program_free(mapped);
}

/* Both at one point, which f32 can hold; in: x, then the directions if the program takes them. */
static double single_gap(const wg_program *p32, const wg_program *p64, const wg_tensor *in,
                         size_t floats, wg_error *error) {
    if (error->status) fail_msg("%s", error->message);
    wg_function *f32 = compiled(p32, error), *f64 = compiled(p64, error);
    wg_tensor narrow[12], wide[12], y32[4], y64[4];
    size_t inputs = wg_input_count(p32);
    double worst = 0;
    for (size_t i = 0; i < inputs; i++) {
        narrow[i] = tensor_like(wg_input_type(p32, i));
        wide[i] = tensor_like(wg_input_type(p64, i));
        for (int64_t j = 0; j < wg_tensor_count(&narrow[i]); j++) {
            set(&narrow[i], j, get(&in[i], j));
            set(&wide[i], j, get(&narrow[i], j));
        }
    }
    run(f32, narrow, y32, floats);
    run(f64, wide, y64, floats);
    for (size_t i = 0; i < floats; i++) {
        for (int64_t j = 0; j < wg_tensor_count(&y32[i]); j++)
            worst = fmax(worst, gap(get(&y32[i], j), get(&y64[i], j)));
        free(y32[i].data);
        free(y64[i].data);
    }
    for (size_t i = 0; i < inputs; i++) {
        free(narrow[i].data);
        free(wide[i].data);
    }
    wg_function_free(f32);
    wg_function_free(f64);
    return worst;
}

/* Gradient and Hessian times vector of an f32 copy of the program. */
static void check_single(struct sample_run *s, unsigned op, const struct op_sample *sample,
                         const wg_program *grad64, const wg_program *hvp64, const char *wrt,
                         size_t floats, struct op_errors *e, wg_error *error) {
    wg_program *y = sample_program(op, sample, WG_F32, error), *loss = weighted(y, error);
    wg_program *grad = wg_grad(loss, wrt, error), *hvp = wg_hvp(loss, wrt, error);
    wg_tensor in[12];
    size_t n = s->narg + 1;
    memcpy(in, s->x, n * sizeof *in);
    for (size_t i = 0; i < s->narg; i++)
        if (s->dir[i].data) in[n++] = s->dir[i];
    e->single = fmax(e->single, single_gap(grad, grad64, in, floats, error));
    e->single_second = fmax(e->single_second, single_gap(hvp, hvp64, in, floats, error));
    wg_program_free(y);
    wg_program_free(loss);
    wg_program_free(grad);
    wg_program_free(hvp);
}

static void check_derivatives(struct sample_run *s, unsigned op, const struct op_sample *sample,
                              const char *wrt, size_t floats, struct op_errors *e,
                              wg_error *error) {
    wg_program *loss = weighted(s->y, error);
    wg_program *grad = wg_grad(loss, wrt, error), *hvp = wg_hvp(loss, wrt, error);
    if (error->status) fail_msg("%s: %s", op_def(op)->name, error->message);
    wg_function *loss_fn = compiled(loss, error), *grad_fn = compiled(grad, error);
    wg_function *hvp_fn = compiled(hvp, error);
    s->loss = loss;
    s->x[s->narg] = drawn(wg_output_type(s->y, 0), -1, 1, &s->random);
    for (size_t i = 0; i < s->narg; i++) s->copy[i] = tensor_like(sample->arg[i]);
    check_product(s, wrt, floats, e, error);
    e->differentiable = isfinite(scalar(loss_fn, s->x)); /* the maximum of nothing is not */
    if (e->differentiable) {
        check_first(s, loss_fn, grad_fn, floats, e);
        check_second(s, grad_fn, hvp_fn, floats, e);
        check_orders(s, wrt, floats, e, error);
        check_single(s, op, sample, grad, hvp, wrt, floats, e, error);
    }
    for (size_t i = 0; i < s->narg; i++) free(s->copy[i].data);
    free(s->x[s->narg].data);
    wg_function_free(loss_fn);
    wg_function_free(grad_fn);
    wg_function_free(hvp_fn);
    wg_program_free(loss);
    wg_program_free(grad);
    wg_program_free(hvp);
}

struct op_errors op_check(unsigned op, const struct op_sample *sample, uint64_t seed) {
    static const char *const name[] = {"x0", "x1", "x2"};
    struct op_errors e = {0};
    wg_error error = {0};
    struct sample_run s = {.narg = sample->narg, .random = wg_random_seed(seed)};
    wg_program *y = sample_program(op, sample, WG_F64, &error);
    if (error.status) fail_msg("%s: %s", op_def(op)->name, error.message);
    s.y = y;
    for (size_t i = 0; i < s.narg; i++)
        s.x[i] = drawn(sample->arg[i], sample->low[i], sample->high[i], &s.random);
    for (size_t only = 0; s.narg && only <= s.narg; only++)
        check_batched(&s, sample, only, &e, &error);
    char wrt[16] = "";
    size_t floats = 0;
    bool wide = wg_output_type(y, 0).dtype == WG_F64; /* differences of f32 say little */
    for (size_t i = 0; i < s.narg; i++) {
        if (!dtype_is_float(sample->arg[i].dtype)) continue;
        strcat(strcat(wrt, floats++ ? "," : ""), name[i]);
        s.dir[i] = drawn(sample->arg[i], -1, 1, &s.random);
        wide = wide && sample->arg[i].dtype == WG_F64;
    }
    if (floats && wide) check_derivatives(&s, op, sample, wrt, floats, &e, &error);
    for (size_t i = 0; i < s.narg; i++) {
        free(s.x[i].data);
        free(s.dir[i].data);
    }
    wg_program_free(y);
    return e;
}

void op_each_sample(void (*visit)(unsigned op, const struct op_sample *sample, void *ctx),
                    void *ctx) {
    for (unsigned op = 1; op < OP_COUNT; op++)
        for (const struct op_sample *s = op_def(op)->sample; s && (s->narg || s->make); s++)
            visit(op, s, ctx);
}
