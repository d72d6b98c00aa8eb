/* Loop nests of native code that random programs of named sizes do not reach: short rows taken
 * together, reading and scattering by index, reductions over leading and middle axes. Each formula
 * with its vjp, and that one's jvp, must give the interpreter's bits without optimisation, and its
 * numbers with it; once on plain inputs, once with NaN, infinities and zeros of both signs. */
#include "support/test.h"

#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const wg_options exact = {.backend = WG_NATIVE, .flags = "-O0 -ffp-contract=off"};
static const wg_options fast = {.backend = WG_NATIVE};

/* All inputs of i64 are indices below 3, all of i32 below 4. */
static void fill(const wg_program *p, const int64_t *size, bool special, wg_tensor *input) {
    static const double odd[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e-310, 700.0};
    wg_random random = wg_random_seed(7);
    for (size_t i = 0; i < wg_input_count(p); i++) {
        wg_type type = wg_input_type(p, i);
        wg_tensor *t = &input[i];
        *t = (wg_tensor){.dtype = (wg_dtype)type.dtype, .rank = type.rank};
        for (int k = 0; k < type.rank; k++)
            t->shape[k] = type.extent[k] >= 0 ? type.extent[k] : *size;
        int64_t count = wg_tensor_count(t);
        t->data = calloc((size_t)count + 1, sizeof(double));
        for (int64_t k = 0; k < count; k++) {
            double x = wg_random_normal(&random);
            if (special && wg_random_below(&random, 9) == 0) x = odd[wg_random_below(&random, 7)];
            switch (t->dtype) {
            case WG_F64: ((double *)t->data)[k] = x; break;
            case WG_F32: ((float *)t->data)[k] = (float)x; break;
            case WG_I64: ((int64_t *)t->data)[k] = (int64_t)wg_random_below(&random, 3); break;
            default: ((int32_t *)t->data)[k] = (int32_t)wg_random_below(&random, 4); break;
            }
        }
    }
}

static double element(const wg_tensor *t, int64_t k) {
    switch (t->dtype) {
    case WG_F64: return ((const double *)t->data)[k];
    case WG_F32: return (double)((const float *)t->data)[k];
    case WG_I64: return (double)((const int64_t *)t->data)[k];
    case WG_I32: return (double)((const int32_t *)t->data)[k];
    default: return (double)((const uint8_t *)t->data)[k];
    }
}

static bool same(double x, double y) {
    return (x != x && y != y) || (x == y && signbit(x) == signbit(y));
}

static void compare(const wg_tensor *a, const wg_tensor *b, bool bits, const char *what) {
    double scale = 1, bound = a->dtype == WG_F32 ? 1e-5 : 1e-12;
    int64_t count = wg_tensor_count(a);
    for (int64_t k = 0; k < count; k++)
        if (isfinite(element(a, k))) scale = fmax(scale, fabs(element(a, k)));
    for (int64_t k = 0; k < count; k++) {
        double x = element(a, k), y = element(b, k);
        if (bits ? same(x, y) : same(x, y) || fabs(x - y) <= bound * scale) continue;
        fail_msg("%s, element %lld: %.17g, native %.17g", what, (long long)k, x, y);
    }
}

static void run(const wg_program *p, const wg_options *options, const int64_t *size,
                const wg_tensor *input, wg_tensor *output) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, options, &error);
    memset(output, 0, (wg_output_count(p) + 1) * sizeof *output);
    wg_run(fn, size, input, output, &error);
    assert_string_equal(error.message, "");
    if (options) assert_string_equal(wg_function_note(fn), "");
    wg_function_free(fn);
}

static void check_program(const wg_program *p, int64_t size, const char *formula,
                          const char *what) {
    enum { MOST = 16 };
    wg_tensor input[MOST], expected[MOST], got[MOST];
    assert_true(wg_input_count(p) < MOST && wg_output_count(p) < MOST);
    for (int special = 0; special < 2; special++) {
        fill(p, &size, special, input);
        run(p, NULL, &size, input, expected);
        for (int optimised = 0; optimised < 2; optimised++) {
            if (special && optimised) continue; /* infinities part where rounding decides */
            run(p, optimised ? &fast : &exact, &size, input, got);
            for (size_t i = 0; i < wg_output_count(p); i++) {
                char text[512];
                snprintf(text, sizeof text, "%s\n%s%s, output %s, n = %lld", formula, what,
                         special ? ", special values" : "", wg_output_name(p, i),
                         (long long)size);
                compare(&expected[i], &got[i], !optimised, text);
                free(got[i].data);
            }
        }
        for (size_t i = 0; i < wg_output_count(p); i++) free(expected[i].data);
        for (size_t i = 0; i < wg_input_count(p); i++) free(input[i].data);
    }
}

static void check(const char *formula, int64_t size) {
    wg_error error = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error), *jvp = wg_jvp(vjp, NULL, NULL, &error);
    assert_string_equal(error.message, "");
    check_program(p, size, formula, "value");
    check_program(vjp, size, formula, "vjp");
    check_program(jvp, size, formula, "jvp of vjp");
    wg_program_free(p);
    wg_program_free(vjp);
    wg_program_free(jvp);
}

static void short_rows_are_taken_together(void **state) {
    (void)state;
    check("f(h[100,10], l[100]: i64) = { y = mean(cross_entropy(h, l)); p = softmax(tanh(h)) }", 0);
    check("f(x[50,7], g[7], b[50]) = { y = layer_norm(x, 1e-5) * g; "
          "z = sum(exp(x) * x, axis=1)*b }",
          0);
    check("f(x[n,3,5], w[5,3]) = { y = sum(sin(x) * transpose(w), axis=(1, 2))"
          "; z = logsumexp(exp(x)*2, axis=2); m = max(x, axis=2) }", 60);
    check("f(x[9,64], y[9,64]) = { s = sum(log1p(square(x*y)), axis=1); t = softmax(x - y) }", 0);
    check("f(x[300,1]: f32, y[300,13]: f32) = { s = softmax(x*y); m = norm(cos(y)*x, axis=1) }", 0);
    check("f(x[n,6]) = { s = softmax(x); r = reverse(s, axis=1)*x + s[:,0:1] }", 0);
}

static void costly_functions_have_loops_of_their_own(void **state) {
    (void)state;
    check("f(x[n], y[n], a) = { s = sum(sin(exp(tanh(x))*log1p(x*x))*y); t = exp(cos(x*a)) + "
          "erf(y)*log(1 + exp(x)); m = max(exp(sin(y)) - t) }",
          1300);
    check("f(x[3,n]: f32, y[n]: f32) = { z = exp(tanh(x) - cos(y)) * sin(x); "
          "s = sum(cos(sin(x*y)), axis=1); l = lgamma(exp(y)) + atan2(exp(y), 1 + y*y) }",
          530);
}

static void columns_are_reduced_row_by_row(void **state) {
    (void)state;
    check("f(x[n,700], b[700]) = { y = logsumexp(x*b, axis=0); z = sum(sin(x) + b, axis=0) }", 150);
    check("f(x[3,n,2,5], w[n]) = { y = sum(x*x, axis=1); z = sum(exp(x), axis=(1, 2)); "
          "m = max(x, axis=(0, 1)); s = softmax(x, axis=1) }",
          67);
    check("f(x[n,4]: f32, y[4,n]: f32) = { s = softmax(x*transpose(y), axis=0); "
          "z = sum(transpose(y)*2, axis=0) + sum(y, axis=1); p = peak(x + 1, axis=0) }",
          130);
    check("f(x[n,3,3], a[3,3], b[n,3]) = { y = sum(x*a, axis=0); "
          "z = sum(x*expand(b, axis=1), axis=1); "
          "t = sum(x[:,:,0:2] * transpose(a)[:,0:2], axis=(0, 1)) }",
          0);
}

static void few_columns_are_reduced_together(void **state) {
    (void)state;
    check("f(x[n,10], b[10], c[n]) = { y = sum(exp(x*b), axis=0); "
          "z = sum(sin(x)*expand(c, axis=1), axis=0); s = sum(x, axis=0) }",
          300);
    check("f(x[4,n,3,2]: f32) = { y = sum(x*x, axis=1); m = max(x, axis=1)"
          "; l = logsumexp(transpose(x, 1, 0, 2, 3), axis=0) }",
          130);
}

static void indices_are_read_in_loops(void **state) {
    (void)state;
    check("f(e[4,n], i[n]: i32, w[n]) = { y = take(e, i)*w; z = sum(take(e, i), axis=1) }", 37);
    check("f(x[n,3], l[n]: i64, k: i64) = { y = logsumexp(x, axis=1) - take_along(x, "
          "expand(l, axis=1))[:,0]; o = one_hot(l, 3)*x; c = x[:, k]*x[0, k] }", 41);
    check("f(x[5,4,6], i[7]: i32, j[3]: i64) = { y = take(sin(x), i, axis=1)*2; "
          "z = take(take(x, i, axis=1), j, axis=2) }", 0);
}

static void indices_are_read_through_views(void **state) {
    (void)state;
    check("f(a[7,5], i[n]: i64, w[n]) = { y = take(a[:,2], i)*w; z = take(a[::-1,1:4], i, axis=0); "
          "t = take(a', i, axis=1)*w; u = take(exp(a)[1::2,4], i) + take(a[:3,0], i)*w }", 37);
    check("f(a[3], b[4,3,2], i[n]: i64, k: i64) = { y = take(expand(a, axis=1)*b[0], i, axis=0); "
          "z = take(transpose(b, 1, 0, 2)[:,1], i, axis=0); c = b[k,:,1]*a; "
          "s = take(reshape(b, 12, 2)[:,0], i) }", 5);
}

/* How often the loops that a formula becomes have this in their text. */
static int count_in_loops(const char *formula, const char *what) {
    int count = 0;
    wg_error error = {0};
    wg_text text = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_show_lowered(p, &text, &error);
    assert_string_equal(error.message, "");
    for (const char *at = text.data; (at = strstr(at, what)); at++) count++;
    wg_text_free(&text);
    wg_program_free(p);
    return count;
}

static void columns_of_tables_are_not_copied(void **state) {
    (void)state;
    assert_int_equal(count_in_loops("f(a[7,5], i[n]: i64, w[n]) = w*take(a[:,2], i) - "
                                    "take(a[:,3], i)", "for ("), 1);
}

static void columns_of_one_element_join_their_rows(void **state) {
    (void)state;
    const char *formula = "f(x[n], y[n,1]) = { s = 2*x + 1; t = expand(exp(x), axis=1)*y*[[3]]; "
                          "z = sum(t*x') }";
    check(formula, 70);
    assert_int_equal(count_in_loops("f(x[n], y[n,1]) = { s = 2*x; t = expand(x, axis=1)*y }",
                                    "for ("), 1);
}

static void parts_are_made_in_place(void **state) {
    (void)state;
    check("f(x[n], y[n], w[n,3]) = { a = stack(sin(x), y, x*y, sin(x), axis=1); "
          "b = concat(expand(x*2, axis=1), w, exp(w), axis=1); "
          "c = sum(a*2) + sum(x*2); d = stack(x, 0*y + 1, axis=0) }", 130);
    check("f(x[4,n,2], y[4,3,2], z[4,1,2]) = { let a = concat(x*2, y + 1, z, x*2, -z, axis=1); "
          "s = sum(a^2, axis=1); b = sum(concat(a, a*3, axis=0), axis=1); c = concat(sum(x, "
          "axis=1), exp(z[:,0]), axis=1) }",
          9);
    check("f(x[5,7], y[7,5]: f64) = { a = stack(x', y*2, x' - y, axis=2); "
          "b = concat(reshape(x*2, 7, 5), y*2, axis=1) }",
          0);
    check("f(x[n,10], b[10]) = concat(softmax(x), x*b, expand(sum(x, axis=1), axis=1), axis=1)",
          33);
    assert_int_equal(count_in_loops("f(x[n], y[n]) = stack(2*x, x + y, y, 2*x, axis=1)",
                                    "wg_pieces"), 0);
}

/* What is only a part needs no memory of its own. */
static void parts_in_place_take_no_memory(void **state) {
    (void)state;
    const char *formula = "f(x[n]) = stack(sin(x), x*2, x, sin(x), axis=1)";
    wg_error error = {0};
    size_t bytes = 1;
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_function *fn = wg_compile(p, &fast, &error);
    wg_workspace_size(fn, &(int64_t){1000}, &bytes, &error);
    assert_string_equal(error.message, "");
    assert_true(bytes < 1000);
    wg_function_free(fn);
    wg_program_free(p);
}

/* An output that takes an input's place has other memory while the input is read. */
static void parts_spare_what_is_donated(void **state) {
    (void)state;
    const char *formula = "f(x[300,2]) = { y = concat(x[:,1:2]*2, x[:,0:1] + 1, axis=1); "
                          "z = sum(x) }";
    wg_error error = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_options options = fast;
    options.donate = "y=x";
    wg_function *fn = wg_compile(p, &options, &error);
    double x[300][2], z;
    for (int i = 0; i < 300; i++) x[i][0] = i, x[i][1] = -i;
    wg_call_with(fn, NULL, (const void *[]){x}, (void *[]){x, &z}, NULL, &error);
    assert_string_equal(error.message, "");
    assert_true(z == 0);
    for (int i = 0; i < 300; i++) assert_true(x[i][0] == -2 * i && x[i][1] == i + 1);
    wg_function_free(fn);
    wg_program_free(p);
}

static void wrong_indices_are_errors_at_their_line(void **state) {
    (void)state;
    const char *formula = "f(x[n,3], l[n]: i64) = sum(cross_entropy(x, l + 1))";
    wg_error error = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program *gradient = wg_value_and_grad(p, "x", &error);
    for (int k = 0; k < 2; k++) {
        wg_function *fn = wg_compile(k ? gradient : p, &fast, &error);
        double x[12] = {0}, y, dx[12];
        int64_t label[4] = {0, 1, -1, 0}, n = 4;
        void *output[] = {&y, dx};
        assert_int_equal(wg_call_with(fn, &n, (const void *[]){x, label}, output, NULL, &error),
                         WG_OK);
        label[2] = 2;
        assert_int_equal(wg_call_with(fn, &n, (const void *[]){x, label}, output, NULL, &error),
                         WG_EINDEX);
        assert_string_equal(error.message,
                            "formula:1:28: take: index 3 is outside 0..2 (axis 1 of f64[4,3])");
        error = (wg_error){0};
        label[2] = -2;
        assert_int_equal(wg_call(fn, &n, (const void *[]){x, label}, output), WG_EINDEX);
        n = 0; /* no index, no error */
        assert_int_equal(wg_call(fn, &n, (const void *[]){x, label}, output), WG_OK);
        wg_function_free(fn);
    }
    wg_program_free(p);
    wg_program_free(gradient);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_rows_are_taken_together),
        cmocka_unit_test(costly_functions_have_loops_of_their_own),
        cmocka_unit_test(columns_are_reduced_row_by_row),
        cmocka_unit_test(few_columns_are_reduced_together),
        cmocka_unit_test(indices_are_read_in_loops),
        cmocka_unit_test(indices_are_read_through_views),
        cmocka_unit_test(columns_of_tables_are_not_copied),
        cmocka_unit_test(columns_of_one_element_join_their_rows),
        cmocka_unit_test(parts_are_made_in_place),
        cmocka_unit_test(parts_in_place_take_no_memory),
        cmocka_unit_test(parts_spare_what_is_donated),
        cmocka_unit_test(wrong_indices_are_errors_at_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
