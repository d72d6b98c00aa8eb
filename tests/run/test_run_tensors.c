/* Calls on tensors: sizes read off shapes, types checked with these words, outputs allocated. */
#include "support/failing_allocator.h"
#include "support/test.h"

/* y[n] = X[n,k] @ w[k] */
static wg_function *product(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n"), k = wg_size(g, "k");
    wg_var x = wg_input(g, "X", wg_f64(n, k)), w = wg_input(g, "w", wg_f64(k));
    wg_output(g, "y", wg_matmul(x, w));
    wg_program *p = wg_build(g, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    wg_program_free(p);
    return fn;
}

static void sizes_come_from_shapes(void **state) {
    (void)state;
    wg_function *fn = product();
    double x[17 * 17], w[17], y[17];
    for (int i = 0; i < 17 * 17; i++) x[i] = 1;
    for (int i = 0; i < 17; i++) w[i] = 2;
    static const int64_t sizes[] = {0, 1, 2, 17};
    for (size_t i = 0; i < 16; i++) {
        int64_t n = sizes[i / 4], k = sizes[i % 4];
        wg_error error = {0};
        wg_tensor in[] = {{x, WG_F64, 2, {n, k}}, {w, WG_F64, 1, {k}}},
                  out[2] = {{0}, {y, WG_F64, 1, {n}}};
        wg_run(fn, NULL, in, &out[0], &error);
        wg_run(fn, NULL, in, &out[1], &error);
        assert_ok(error);
        assert_int_equal(out[0].rank, 1);
        assert_int_equal(out[0].shape[0], n);
        assert_int_equal(out[0].dtype, WG_F64);
        for (int64_t r = 0; r < n; r++)
            assert_true(((double *)out[0].data)[r] == 2 * (double)k && y[r] == 2 * (double)k);
        wg_tensor_free(&out[0], NULL);
    }
    wg_function_free(fn);
}

static void tensors_that_do_not_fit_are_named(void **state) {
    (void)state;
    double x[6] = {0}, w[6] = {0}, y[6];
    int32_t whole[3] = {0};
    const struct {
        wg_tensor x, w, y;
        wg_status status;
        const char *message;
    } cases[] = {{{x, WG_F64, 2, {2, 3}}, {w, WG_F64, 1, {3}}, {y, WG_F64, 1, {2}}, WG_OK, ""},
                 {{x, WG_F64, 2, {2, 3}},
                  {0},
                  {0},
                  WG_EARGUMENT,
                  "input \"w\": f64[k] expected, nothing given"},
                 {{NULL, WG_F64, 2, {2, 3}},
                  {w, WG_F64, 1, {3}},
                  {0},
                  WG_EARGUMENT,
                  "input \"X\": f64[n,k] expected, f64[2,3] without data given"},
                 {{x, WG_F64, 2, {2, 3}},
                  {whole, WG_I32, 1, {3}},
                  {0},
                  WG_EDTYPE,
                  "input \"w\": f64[k] expected, i32[3] given"},
                 {{x, WG_F64, 2, {2, 3}},
                  {w, WG_F64, 2, {3, 1}},
                  {0},
                  WG_ESHAPE,
                  "input \"w\": f64[k] expected, f64[3,1] given"},
                 {{x, WG_F64, 2, {2, 3}},
                  {w, WG_F64, 1, {2}},
                  {0},
                  WG_ESHAPE,
                  "input \"w\": f64[k] = f64[3] expected, f64[2] given"},
                 {{x, WG_F64, 2, {2, -3}},
                  {w, WG_F64, 1, {2}},
                  {0},
                  WG_ESHAPE,
                  "input \"X\": f64[n,k] expected, f64[2,-3] given"},
                 {{x, WG_F64, 99, {2, 3}},
                  {w, WG_F64, 1, {3}},
                  {0},
                  WG_ESHAPE,
                  "input \"X\": f64[n,k] expected, no sound tensor given"},
                 {{x, WG_F64, 2, {2, 3}},
                  {w, WG_F64, 1, {3}},
                  {y, WG_F64, 1, {3}},
                  WG_ESHAPE,
                  "output \"y\": f64[n] = f64[2] expected, f64[3] given"},
                 {{x, WG_F64, 2, {2, 3}},
                  {w, WG_F64, 1, {3}},
                  {y, WG_F32, 1, {2}},
                  WG_EDTYPE,
                  "output \"y\": f64[n] = f64[2] expected, f32[2] given"},
                 {{x, WG_F64, 2, {2, 3}},
                  {w, WG_F64, 1, {3}},
                  {w, WG_F64, 1, {2}},
                  WG_EALIAS,
                  "call: the buffers of output \"y\" and input \"w\" overlap; give the output one "
                  "of its own, "
                  "or donate the input"}};
    wg_function *fn = product();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wg_error error = {0};
        wg_tensor out = cases[i].y;
        wg_status status = wg_run(fn, NULL, (wg_tensor[]){cases[i].x, cases[i].w}, &out, &error);
        assert_string_equal(error.message, cases[i].message);
        assert_int_equal(status, cases[i].status);
        assert_ptr_equal(out.data, cases[i].y.data); /* nothing allocated stays behind */
    }
    wg_function_free(fn);
}

static void sizes_that_no_shape_tells_are_asked_for(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(wg_extent_add(g, n, 1)));
    wg_output(g, "y", wg_sum(x));
    wg_program *p = wg_build(g, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    double data[3] = {1, 2, 4}, y = 0;
    wg_tensor in = {data, WG_F64, 1, {3}}, out = {&y, WG_F64, 0, {0}};
    wg_run(fn, (int64_t[]){2}, &in, &out, &error);
    assert_ok(error);
    assert_true(y == 7);
    assert_int_equal(wg_run(fn, NULL, &in, &out, &error), WG_EARGUMENT);
    assert_string_equal(error.message,
                        "run: no input's shape tells the size \"n\"; give it in the list of sizes");
    error = (wg_error){0};
    assert_int_equal(wg_run(fn, (int64_t[]){3}, &in, &out, &error), WG_ESHAPE);
    assert_string_equal(error.message, "input \"x\": f64[n+1] = f64[4] expected, f64[3] given");
    assert_int_equal(wg_run(fn, NULL, &in, NULL, NULL), WG_EARGUMENT);
    wg_function_free(fn);
    wg_program_free(p);
}

/* ---- memory that runs out -------------------------------------------------------------------- */

/* Everything from the graph to the outputs, with donation, groups, operations and scalars. */
static wg_status compile_and_run(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_error error = {0};
    wg_graph *g = wg_graph_new_with(allocator);
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n, 3)), w = wg_input(g, "w", wg_f64(3, 3));
    wg_var s = wg_input(g, "s", wg_f64());
    wg_var h = wg_tanh(wg_mul(wg_matmul(x, w), wg_exp(s))), t = wg_transpose(wg_add(h, x));
    wg_output(g, "w_new", wg_sub(w, wg_matmul(t, wg_exp(h))));
    wg_output(g, "rows", wg_reshape(h, wg_extent_mul(g, n, 3)));
    wg_output(g, "loss", wg_sum(wg_square(h)));
    wg_program *p = wg_build(g, &error);
    wg_function *fn = wg_compile(p, &(wg_options){.donate = "w_new=w"}, &error);
    double x6[6] = {1, 2, 3, 4, 5, 6}, w9[9] = {0.1, 0.2}, s1 = 0.5;
    wg_tensor in[] = {{x6, WG_F64, 2, {2, 3}}, {w9, WG_F64, 2, {3, 3}}, {&s1, WG_F64, 0, {0}}};
    wg_tensor out[3] = {{w9, WG_F64, 2, {3, 3}}, {0}, {0}};
    wg_run(fn, NULL, in, out, &error);
    if (error.status) assert_true(!out[1].data && !out[2].data);
    wg_tensor_free(&out[1], allocator);
    wg_tensor_free(&out[2], allocator);
    wg_function_free(fn);
    wg_program_free(p);
    return error.status;
}

/* What a check says of the sizes comes before what their outputs would be. */
static void checks_come_before_outputs(void **state) {
    (void)state;
    wg_error error = {0};
    static const char text[] = "f(x[n]) = conv1d(reshape(x, 1, 1, n), ones(1, 1, 5))";
    wg_program *p = wg_parse(text, sizeof text - 1, NULL, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    double x[4] = {1, 2, 3, 4};
    wg_tensor in = {x, WG_F64, 1, {4}}, out = {0};
    wg_run(fn, NULL, &in, &out, &error);
    assert_int_equal(error.status, WG_ESHAPE);
    assert_string_equal(error.message, "formula:1:11: 5 must be at most n, which is 4");
    wg_function_free(fn);
    wg_program_free(p);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    assert_true(fail_every_request(compile_and_run, NULL) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes_come_from_shapes),
                                       cmocka_unit_test(tensors_that_do_not_fit_are_named),
                                       cmocka_unit_test(sizes_that_no_shape_tells_are_asked_for),
                                       cmocka_unit_test(checks_come_before_outputs),
        cmocka_unit_test(every_failed_allocation_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
