/* C functions as operations: called, batched, differentiated as their callers say, and refused
 * where no derivative is there. */
#include "support/test.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { N = 3, ROOM = 64 };

/* ---- C functions ----------------------------------------------------------------------------- */

/* y_i = x_i sin(a x_i), s = a^2; *context counts the calls. */
static wg_status wave(void *context, const wg_tensor *in, const wg_tensor *out) {
    const double *x = in[0].data, a = *(const double *)in[1].data;
    double *y = out[0].data;
    if (context) atomic_fetch_add((atomic_int *)context, 1);
    if (out[0].rank != in[0].rank || out[0].shape[0] != in[0].shape[0]) return WG_ESHAPE;
    for (int64_t i = 0; i < in[0].shape[0]; i++) y[i] = x[i] * sin(a * x[i]);
    *(double *)out[1].data = a * a;
    return WG_OK;
}

/* x, a, x', a' -> y', s' */
static wg_status wave_jvp(void *context, const wg_tensor *in, const wg_tensor *out) {
    const double *x = in[0].data, a = *(const double *)in[1].data;
    const double *t = in[2].data, b = *(const double *)in[3].data;
    double *y = out[0].data;
    (void)context;
    for (int64_t i = 0; i < in[0].shape[0]; i++)
        y[i] = (sin(a * x[i]) + a * x[i] * cos(a * x[i])) * t[i] + x[i] * x[i] * cos(a * x[i]) * b;
    *(double *)out[1].data = 2 * a * b;
    return WG_OK;
}

/* x, a, ybar, sbar -> xbar, abar */
static wg_status wave_vjp(void *context, const wg_tensor *in, const wg_tensor *out) {
    const double *x = in[0].data, a = *(const double *)in[1].data, *ct = in[2].data;
    double *x_bar = out[0].data, sum = *(const double *)in[3].data * 2 * a;
    (void)context;
    for (int64_t i = 0; i < in[0].shape[0]; i++) {
        x_bar[i] = ct[i] * (sin(a * x[i]) + a * x[i] * cos(a * x[i]));
        sum += ct[i] * x[i] * x[i] * cos(a * x[i]);
    }
    *(double *)out[1].data = sum;
    return WG_OK;
}

static wg_status fails(void *context, const wg_tensor *in, const wg_tensor *out) {
    (void)in, (void)out;
    return *(wg_status *)context;
}

/* sum of x^2 of a matrix f32[m,n] -> f32, for differences in single precision */
static wg_status squares(void *context, const wg_tensor *in, const wg_tensor *out) {
    const float *x = in[0].data;
    float sum = 0;
    (void)context;
    for (int64_t i = 0; i < wg_tensor_count(&in[0]); i++) sum += x[i] * x[i];
    *(float *)out[0].data = sum;
    return WG_OK;
}

/* ---- programs -------------------------------------------------------------------------------- */

/* L = s + sum over i of y_i^2 / 2, by the C function, or as instructions where f is NULL. */
static wg_program *loss(const wg_external *f, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_type type[2] = {wg_f64(wg_size(g, "n")), wg_f64()};
    wg_var in[2] = {wg_input(g, "x", type[0]), wg_input(g, "a", type[1])}, out[2];
    if (f) {
        wg_external(g, f, 2, in, 2, type, out);
    } else {
        out[0] = wg_mul(in[0], wg_sin(wg_mul(in[1], in[0])));
        out[1] = wg_mul(in[1], in[1]);
    }
    wg_output(g, "L", wg_add(out[1], wg_mul(0.5, wg_sum(wg_square(out[0])))));
    return wg_build(g, error);
}

static size_t numbers(wg_program *p, const wg_tensor *in, double *result, wg_error *error) {
    if (error->status) fail_msg("%s", error->message);
    wg_function *fn = wg_compile(p, NULL, error);
    wg_tensor out[8] = {{0}};
    size_t count = 0;
    wg_run(fn, NULL, in, out, error);
    if (error->status) fail_msg("%s", error->message);
    for (size_t i = 0; i < wg_output_count(p); i++) {
        for (int64_t k = 0; k < wg_tensor_count(&out[i]); k++)
            result[count++] = ((double *)out[i].data)[k];
        wg_tensor_free(&out[i], NULL);
    }
    assert_true(count <= ROOM);
    wg_function_free(fn);
    wg_program_free(p);
    return count;
}

static void assert_near(wg_program *p, wg_program *q, const wg_tensor *in, double most,
                        wg_error *error) {
    double a[ROOM], b[ROOM];
    size_t count = numbers(p, in, a, error);
    assert_int_equal(count, numbers(q, in, b, error));
    for (size_t i = 0; i < count; i++)
        if (!(fabs(a[i] - b[i]) <= most * fmax(1, fabs(a[i]))))
            fail_msg("number %zu: %.17g, not %.17g", i, b[i], a[i]);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static double point[N] = {0.3, -1.2, 2}, slope_a = 0.8;
static const wg_tensor at[] = {{point, WG_F64, 1, {N}}, {&slope_a, WG_F64, 0, {0}}};

/* Every way to give first derivatives, in both modes, alone and batched. */
static void first_derivatives(void **state) {
    (void)state;
    wg_error error = {0};
    const wg_external ways[] = {{.name = "wave", .call = wave, .jvp = wave_jvp, .vjp = wave_vjp},
                                {.name = "wave", .call = wave, .jvp = wave_jvp},
                                {.name = "wave", .call = wave, .vjp = wave_vjp},
                                {.name = "wave", .call = wave, .differences = true}};
    wg_program *want = loss(NULL, &error);
    for (size_t i = 0; i < 4; i++) {
        double most = ways[i].differences ? 1e-8 : 1e-13;
        wg_program *have = loss(&ways[i], &error);
        assert_near(wg_value_and_grad(want, NULL, &error), wg_value_and_grad(have, NULL, &error),
                    at, most, &error);
        assert_near(wg_jacobian(want, NULL, NULL, WG_FORWARD, &error),
                    wg_jacobian(have, NULL, NULL, WG_FORWARD, &error), at, most, &error);
        assert_near(wg_grad(want, "a", &error), wg_grad(have, "a", &error), at, most, &error);
        /* examples of x, of a, and of both */
        double x[2 * N] = {0.3, -1.2, 2, 1, 0.1, -0.5}, a[2] = {0.8, -0.4};
        const char *const over[] = {"x", "a", NULL};
        for (int o = 0; o < 3; o++) {
            wg_tensor in[] = {{x, WG_F64, 1, {N}}, {a, WG_F64, 0, {0}}};
            if (o != 1) in[0] = (wg_tensor){x, WG_F64, 2, {2, N}};
            if (o != 0) in[1] = (wg_tensor){a, WG_F64, 1, {2}};
            wg_program *grad[2] = {wg_grad(want, NULL, &error), wg_grad(have, NULL, &error)};
            wg_program *batch[2] = {wg_vmap(want, over[o], "b", &error),
                                    wg_vmap(have, over[o], "b", &error)};
            assert_near(wg_vmap(grad[0], over[o], "b", &error),
                        wg_vmap(grad[1], over[o], "b", &error), in, most, &error);
            for (int mode = WG_FORWARD; mode <= WG_REVERSE; mode++)
                assert_near(wg_jacobian(batch[0], NULL, NULL, (wg_mode)mode, &error),
                            wg_jacobian(batch[1], NULL, NULL, (wg_mode)mode, &error), in, most,
                            &error);
            for (int k = 0; k < 2; k++) {
                wg_program_free(grad[k]);
                wg_program_free(batch[k]);
            }
        }
        wg_program_free(have);
    }
    wg_program_free(want);
}

static void no_derivative_is_an_error(void **state) {
    (void)state;
    wg_error error = {0};
    const wg_external f = {.name = "wave", .call = wave};
    wg_graph *g = wg_graph_new();
    wg_type type[2] = {wg_f64(N), wg_f64()};
    wg_var in[2] = {wg_input(g, "x", type[0]), wg_input(g, "a", type[1])}, out[2];
    wg_external_at("f.c", 7, g, &f, 2, in, 2, type, out);
    wg_output_at("f.c", 8, g, "L", wg_add(wg_sum(out[0]), out[1]));
    wg_output_at("f.c", 9, g, "z", wg_sum(wg_mul(in[0], wg_stop_gradient(out[0]))));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    static const char message[] =
        "f.c:7: external \"wave\" has no derivative by its argument 2\n"
        "  hint: give wg_external a jvp, a vjp or differences, or give a rule by wg_custom; "
        "wg_stop_gradient makes it a constant";
    EXPECT_ERROR(WG_ENORULE, message, wg_grad(p, "a", &error));
    EXPECT_ERROR(WG_ENORULE, message, wg_jvp(p, "L", "a", &error));
    /* where nothing comes through it there is nothing to miss */
    error = (wg_error){0};
    double z[ROOM];
    size_t count = numbers(wg_jvp(p, "z", "x", &error), (wg_tensor[]){at[0], at[1], at[0]}, z,
                           &error);
    assert_int_equal(count, 3);
    wg_program_free(p);
}

static void second_derivatives_are_errors(void **state) {
    (void)state;
    wg_error error = {0};
    const wg_external exact = {.name = "wave", .call = wave, .jvp = wave_jvp, .vjp = wave_vjp};
    const wg_external numeric = {.name = "wave", .call = wave, .differences = true};
    wg_program *p = loss(&exact, &error), *q = loss(&numeric, &error);
    assert_ok(error);
    assert_null(wg_hessian(p, NULL, &error));
    assert_int_equal(error.status, WG_ENORULE);
    assert_non_null(strstr(error.message, "external \"wave.vjp\" has no derivative by"));
    error = (wg_error){0};
    assert_null(wg_hessian(q, NULL, &error));
    assert_int_equal(error.status, WG_ENORULE);
    assert_non_null(strstr(error.message, "external \"wave\": differences give first derivatives "
                                          "only\n  hint: give it a jvp"));
    wg_program_free(p);
    wg_program_free(q);
}

/* exp as a C function, whose derivative is itself: every order through wg_custom. */
static wg_status exponential(void *context, const wg_tensor *in, const wg_tensor *out) {
    (void)context;
    for (int64_t i = 0; i < wg_tensor_count(in); i++)
        ((double *)out->data)[i] = exp(((const double *)in->data)[i]);
    return WG_OK;
}

static void rules_call_externals(void **state) {
    (void)state;
    wg_error error = {0};
    const wg_external f = {.name = "exp", .call = exponential};
    wg_program *value = NULL, *rule = NULL;
    for (int order = 0; order < 3; order++) { /* of derivatives that are there */
        wg_program *made[2];
        for (int k = 0; k < 2; k++) {
            wg_graph *g = wg_graph_new();
            wg_var x = wg_input(g, "x", wg_f64()), y;
            wg_var t = k ? wg_input(g, "t", wg_f64()) : x;
            wg_type type = wg_f64();
            if (order && k)
                wg_custom(g, value, (&(wg_rule){"exp", rule, NULL}), &x, &y);
            else
                wg_external(g, &f, 1, &x, 1, &type, &y);
            wg_output(g, "y", k ? wg_mul(t, y) : y);
            made[k] = wg_build(g, &error);
        }
        wg_program_free(value);
        wg_program_free(rule);
        value = made[0];
        rule = made[1];
    }
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y;
    wg_custom(g, value, (&(wg_rule){"exp", rule, NULL}), &x, &y);
    wg_output(g, "L", wg_square(y));
    wg_program *p = wg_build(g, &error), *d = wg_grad(p, NULL, &error);
    double in = 0.3, out[ROOM];
    numbers(wg_hessian(d, NULL, &error), (wg_tensor[]){{&in, WG_F64, 0, {0}}}, out, &error);
    assert_true(fabs(out[0] - 8 * exp(0.6)) < 1e-13); /* the third derivative of e^2x */
    wg_text text = {0};
    wg_program_print(d, &text, &error);
    wg_program *again = wg_program_read_with(text.data, text.size, &f, 1, NULL, &error);
    numbers(wg_hessian(again, NULL, &error), (wg_tensor[]){{&in, WG_F64, 0, {0}}}, out, &error);
    assert_true(fabs(out[0] - 8 * exp(0.6)) < 1e-13);
    wg_text_free(&text);
    wg_program_free(again);
    wg_program_free(value);
    wg_program_free(rule);
    wg_program_free(p);
    wg_program_free(d);
}

static void text_needs_the_functions(void **state) {
    (void)state;
    wg_error error = {0};
    const wg_external f = {.name = "wave", .call = wave, .jvp = wave_jvp, .vjp = wave_vjp};
    wg_program *p = loss(&f, &error);
    wg_text text = {0}, other = {0};
    wg_program_print(p, &text, &error);
    assert_ok(error);
    wg_program *again = wg_program_read_with(text.data, text.size, &f, 1, NULL, &error);
    wg_program_print(again, &other, &error);
    assert_ok(error);
    assert_string_equal(text.data, other.data);
    assert_near(wg_grad(p, NULL, &error), wg_grad(again, NULL, &error), at, 0, &error);
    EXPECT_ERROR(WG_ENAME,
                 "program text, line 3: the C function \"wave\" is not among those given\n"
                 "  hint: read the text with wg_program_read_with, and list it there",
                 wg_program_read(text.data, text.size, NULL, &error));
    const wg_external without = {.name = "wave", .call = wave, .jvp = wave_jvp};
    error = (wg_error){0};
    assert_null(wg_program_read_with(text.data, text.size, &without, 1, NULL, &error));
    assert_non_null(strstr(error.message, "\"wave.vjp\" is not among those given"));
    wg_text_free(&text);
    wg_text_free(&other);
    wg_program_free(p);
    wg_program_free(again);
}

static void calls_that_fail(void **state) {
    (void)state;
    wg_error error = {0};
    static const struct {
        int status;
        wg_status reported;
        const char *message;
    } cases[] = {{WG_EINDEX, WG_EINDEX, "f.c:7: external \"f\" failed: index error"},
                 {77, WG_EARGUMENT, "f.c:7: external \"f\" returned 77, which is no status"}};
    for (int i = 0; i < 2; i++) {
        wg_status status = (wg_status)cases[i].status;
        const wg_external f = {.name = "f", .call = fails, .context = &status};
        wg_graph *g = wg_graph_new(), *e = wg_eager_new();
        wg_type type = wg_f64();
        wg_var x = wg_input(g, "x", type), y, z = wg_scalar(e, 1);
        wg_external_at("f.c", 7, g, &f, 1, &x, 1, &type, &y);
        wg_output(g, "y", y);
        wg_program *p = wg_build(g, &error);
        wg_function *fn = wg_compile(p, NULL, &error);
        double in = 1, out;
        wg_call_with(fn, NULL, (const void *[]){&in}, (void *[]){&out}, NULL, &error);
        assert_int_equal(error.status, cases[i].reported);
        assert_string_equal(error.message, cases[i].message);
        assert_int_equal(wg_call(fn, NULL, (const void *[]){&in}, (void *[]){&out}),
                         cases[i].reported);
        wg_external_at("f.c", 7, e, &f, 1, &z, 1, &type, &y);
        assert_string_equal(wg_graph_error(e)->message, cases[i].message);
        wg_graph_free(e);
        wg_function_free(fn);
        wg_program_free(p);
        error = (wg_error){0};
    }
}

static wg_program *refused(const wg_external *f, size_t count, size_t results, bool mixed,
                           wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_type type[2] = {wg_f64(), mixed ? wg_f32() : wg_f64()};
    wg_var x[2] = {wg_input(g, "x", type[0]), wg_input(g, "z", type[0])}, y[2];
    wg_external_at("f.c", 7, g, f, count, x, results, type, y);
    wg_output(g, "y", y[0]);
    return wg_build(g, error);
}

static void externals_that_cannot_be(void **state) {
    (void)state;
    wg_error error = {0};
    wg_external f = {.name = "f", .call = wave, .jvp = wave_jvp, .differences = true};
    EXPECT_ERROR(WG_EARGUMENT,
                 "f.c:7: external \"f\": differences are for a function without a jvp or vjp",
                 refused(&f, 2, 2, false, &error));
    f.differences = false;
    EXPECT_ERROR(WG_EDTYPE,
                 "f.c:7: external \"f\": results of f64 and f32; several are of one type",
                 refused(&f, 2, 2, true, &error));
    EXPECT_ERROR(WG_EARGUMENT,
                 "f.c:7: external \"f\": 0 arguments and 2 results; 1 to 32 of each are possible",
                 refused(&f, 0, 2, false, &error));
    EXPECT_ERROR(WG_EARGUMENT, "f.c:7: external: what it calls is NULL",
                 refused(&(wg_external){.name = "f"}, 2, 2, false, &error));
}

static void differences_in_single_precision(void **state) {
    (void)state;
    wg_error error = {0};
    const wg_external f = {.name = "squares", .call = squares, .differences = true};
    wg_graph *g = wg_graph_new();
    wg_type type = wg_f32();
    wg_var x = wg_input(g, "x", wg_f32(2, N)), y;
    wg_external(g, &f, 1, &x, 1, &type, &y);
    wg_output(g, "y", y);
    wg_program *p = wg_build(g, &error), *d = wg_grad(p, NULL, &error);
    wg_function *fn = wg_compile(d, NULL, &error);
    float in[2 * N] = {1, -2, 0.5f, 0, 3, -0.25f};
    wg_tensor out = {0};
    wg_run(fn, NULL, (wg_tensor[]){{in, WG_F32, 2, {2, N}}}, &out, &error);
    assert_ok(error);
    for (int i = 0; i < 2 * N; i++)
        assert_true(fabsf(((float *)out.data)[i] - 2 * in[i]) < 2e-3f * fmaxf(1, fabsf(in[i])));
    wg_tensor_free(&out, NULL);
    wg_function_free(fn);
    wg_program_free(p);
    wg_program_free(d);
}

static void eager_graphs_call_functions(void **state) {
    (void)state;
    atomic_int calls = 0;
    const wg_external f = {
        .name = "wave", .call = wave, .jvp = wave_jvp, .vjp = wave_vjp, .context = &calls};
    wg_graph *g = wg_eager_new();
    uint32_t mark = wg_mark(g);
    for (int step = 0; step < 20; step++) {
        wg_type type[2] = {wg_f64(N), wg_f64()};
        wg_var in[2] = {wg_value(g, type[0], point), wg_value(g, type[1], &slope_a)}, out[2];
        wg_external(g, &f, 2, in, 2, type, out);
        wg_var d[2];
        wg_backward(wg_add(out[1], wg_sum(out[0])), 2, in, d);
        assert_ok(*wg_graph_error(g));
        double sum = 2 * slope_a;
        for (int i = 0; i < N; i++) {
            double x = point[i], s = sin(slope_a * x), c = cos(slope_a * x);
            assert_true(fabs(((double *)wg_data(d[0]).data)[i] - s - slope_a * x * c) < 1e-14);
            sum += x * x * c;
        }
        assert_true(fabs(wg_item(d[1]) - sum) < 1e-13);
        assert_int_equal(atomic_load(&calls), step + 1); /* equal calls are one */
        wg_rewind(g, mark);
    }
    wg_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_derivatives),
        cmocka_unit_test(no_derivative_is_an_error),
        cmocka_unit_test(second_derivatives_are_errors),
        cmocka_unit_test(rules_call_externals),
        cmocka_unit_test(text_needs_the_functions),
        cmocka_unit_test(calls_that_fail),
        cmocka_unit_test(externals_that_cannot_be),
        cmocka_unit_test(differences_in_single_precision),
        cmocka_unit_test(eager_graphs_call_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
