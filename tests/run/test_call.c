/* Calls: named sizes from one build, what is refused and with which words, donated buffers, and
 * that a call with a workspace allocates nothing. */
#include "run/run.h"
#include "support/failing_allocator.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

enum { WORKSPACE = 1 << 16 };

static _Alignas(64) char workspace[WORKSPACE];

static wg_function *compile(wg_graph *g, const char *donate) {
    wg_error error = {0};
    wg_program *p = test_build(g);
    wg_function *fn = wg_compile(p, &(wg_options){.donate = donate}, &error);
    assert_ok(error);
    wg_program_free(p);
    return fn;
}

static void assert_message(const wg_error *error, wg_status status, const char *message) {
    assert_string_equal(error->message, message);
    assert_int_equal(error->status, status);
}

/* mean of squares, each row centred: y[m] of x[m,n] */
static wg_function *row_variance(void) {
    wg_graph *g = wg_graph_new();
    wg_extent m = wg_size(g, "m"), n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(m, n));
    wg_var mean = wg_reshape(wg_mean(x, 1), m, 1);
    wg_output(g, "y", wg_mean(wg_square(wg_sub(x, mean)), 1));
    return compile(g, NULL);
}

static void one_build_serves_all_sizes(void **state) {
    (void)state;
    static const int64_t sizes[] = {0, 1, 2, 17};
    wg_function *fn = row_variance();
    for (size_t i = 0; i < 16; i++) {
        int64_t m = sizes[i / 4], n = sizes[i % 4];
        double x[17 * 17], y[17];
        for (int64_t k = 0; k < m * n; k++) x[k] = (double)(k * k % 7);
        wg_error error = {0};
        wg_call_with(fn, (int64_t[]){m, n}, (const void *[]){x}, (void *[]){y}, workspace, &error);
        assert_ok(error);
        for (int64_t r = 0; r < m; r++) {
            double mean = 0, square = 0;
            for (int64_t k = 0; k < n; k++) mean += x[r * n + k] / (double)n;
            for (int64_t k = 0; k < n; k++)
                square += (x[r * n + k] - mean) * (x[r * n + k] - mean) / (double)n;
            if (n == 0)
                assert_true(y[r] != y[r]);
            else
                assert_true(y[r] - square < 1e-12 && square - y[r] < 1e-12);
        }
    }
    wg_function_free(fn);
}

static void buffers_without_elements_may_be_null(void **state) {
    (void)state;
    wg_function *fn = row_variance();
    wg_error error = {0};
    wg_call_with(fn, (int64_t[]){0, 5}, (const void *[]){NULL}, (void *[]){NULL}, NULL, &error);
    assert_ok(error);
    wg_call_with(fn, (int64_t[]){1, 5}, (const void *[]){NULL}, (void *[]){workspace}, NULL,
                 &error);
    assert_message(&error, WG_EARGUMENT, "call: the buffer of input \"x\" is NULL");
    double x[5] = {0};
    error.status = WG_OK;
    wg_call_with(fn, (int64_t[]){1, 5}, (const void *[]){x}, (void *[]){NULL}, NULL, &error);
    assert_message(&error, WG_EARGUMENT, "call: the buffer of output \"y\" is NULL");
    wg_function_free(fn);
}

static void sizes_are_checked(void **state) {
    (void)state;
    wg_function *fn = row_variance();
    double x = 0, y;
    size_t bytes;
    wg_error error = {0};
    const void *const input[] = {&x};
    void *const output[] = {&y};
    wg_call_with(fn, (int64_t[]){1, -1}, input, output, NULL, &error);
    assert_message(&error, WG_EARGUMENT, "call: size \"n\" is -1; sizes are at least 0");
    error.status = WG_OK;
    wg_call_with(fn, NULL, input, output, NULL, &error);
    assert_message(&error, WG_EARGUMENT, "call: the sizes are NULL");
    error.status = WG_OK;
    wg_call_with(fn, (int64_t[]){INT64_MAX / 2, 4}, input, output, workspace, &error);
    assert_message(&error, WG_EOVERFLOW,
                   "call: no memory holds a value of type f64[m,n] for "
                   "m = 4611686018427387903, n = 4");
    error.status = WG_OK;
    wg_workspace_size(fn, (int64_t[]){INT64_MAX / 2, 4}, &bytes, &error);
    assert_message(&error, WG_EOVERFLOW, "call: no memory holds the workspace");
    assert_int_equal(wg_call(fn, (int64_t[]){1, -1}, input, output), WG_EARGUMENT);
    wg_function_free(fn);
}

static void what_shapes_cannot_prove_is_checked(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n"), m = wg_size(g, "m");
    wg_var x = wg_input(g, "x", wg_f64(n, 3));
    wg_output_at("shape.c", 7, g, "y",
                 wg_exp(wg_reshape_at("dir/shape.c", 6, x, 2, (wg_extent[]){2, m})));
    wg_function *fn = compile(g, NULL);
    double x4[12] = {0}, y[12];
    wg_error error = {0};
    wg_call_with(fn, (int64_t[]){4, 6}, (const void *[]){x4}, (void *[]){y}, workspace, &error);
    assert_ok(error);
    wg_call_with(fn, (int64_t[]){4, 5}, (const void *[]){x4}, (void *[]){y}, workspace, &error);
    assert_message(&error, WG_ESHAPE,
                   "shape.c:6: 3*n, which is 12, must equal 2*m, which is 10, for n = 4, m = 5");
    wg_function_free(fn);
}

/* The value of a size that stands alone is told once. */
static void checks_name_a_size_once(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_output(g, "y", wg_slice_at("slice.c", 3, x, 0, 0, 5, 1));
    wg_function *fn = compile(g, NULL);
    double x2[2] = {0}, y[5];
    wg_error error = {0};
    wg_call_with(fn, (int64_t[]){2}, (const void *[]){x2}, (void *[]){y}, workspace, &error);
    assert_message(&error, WG_ESHAPE, "slice.c:3: 5 must be at most n, which is 2");
    wg_function_free(fn);
}

static void errors_of_operations_tell_their_line(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(3)), at = wg_input(g, "at", wg_i64(2));
    wg_output(g, "y", wg_take_at("look.c", 12, x, at, 0));
    wg_function *fn = compile(g, NULL);
    double x3[3] = {1, 2, 3}, y[2];
    wg_error error = {0};
    wg_call_with(fn, NULL, (const void *[]){x3, (int64_t[]){2, 0}}, (void *[]){y}, workspace,
                 &error);
    assert_ok(error);
    assert_true(y[0] == 3 && y[1] == 1);
    wg_call_with(fn, NULL, (const void *[]){x3, (int64_t[]){0, 3}}, (void *[]){y}, workspace,
                 &error);
    assert_int_equal(error.status, WG_EINDEX);
    assert_non_null(strstr(error.message, "look.c:12: take: index 3 "));
    assert_int_equal(wg_call(fn, NULL, (const void *[]){x3, (int64_t[]){-1, 3}}, (void *[]){y}),
                     WG_EINDEX);
    wg_function_free(fn);
}

/* ---- buffers that overlap -------------------------------------------------------------------- */

static wg_function *two_outputs(const char *donate) {
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input(g, "a", wg_f64(8)), b = wg_input(g, "b", wg_f64(8));
    wg_output(g, "sum", wg_add(a, b));
    wg_output(g, "product", wg_mul(a, b));
    return compile(g, donate);
}

static void overlaps_are_refused(void **state) {
    (void)state;
    wg_function *fn = two_outputs(NULL);
    double a[16] = {0}, b[8] = {0}, y[16];
    wg_error error = {0};
    wg_call_with(fn, NULL, (const void *[]){a, b}, (void *[]){y, y + 8}, workspace, &error);
    wg_call_with(fn, NULL, (const void *[]){a, a}, (void *[]){y, a + 8}, workspace, &error);
    assert_ok(error);
    wg_call_with(fn, NULL, (const void *[]){a, b}, (void *[]){y, y + 7}, workspace, &error);
    assert_message(&error, WG_EALIAS,
                   "call: the buffers of output \"product\" and output \"sum\" "
                   "overlap; give the output one of its own, or donate the input");
    error.status = WG_OK;
    wg_call_with(fn, NULL, (const void *[]){a, b}, (void *[]){y, a}, workspace, &error);
    assert_message(&error, WG_EALIAS,
                   "call: the buffers of output \"product\" and input \"a\" "
                   "overlap; give the output one of its own, or donate the input");
    wg_function_free(fn);

    fn = two_outputs("product=a");
    error.status = WG_OK;
    wg_call_with(fn, NULL, (const void *[]){a, b}, (void *[]){y, a}, workspace, &error);
    assert_ok(error);
    assert_int_equal(wg_call(fn, NULL, (const void *[]){a, b}, (void *[]){y, a + 1}), WG_EALIAS);
    assert_int_equal(wg_call(fn, NULL, (const void *[]){a, b}, (void *[]){y, b}), WG_EALIAS);
    assert_int_equal(wg_call(fn, NULL, (const void *[]){a, a}, (void *[]){y, a}), WG_EALIAS);
    wg_function_free(fn);
}

static void donated_buffers_are_updated_in_place(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var w = wg_input(g, "w", wg_f64(50, 50)), x = wg_input(g, "x", wg_f64(50));
    wg_output(g, "w_new", wg_sub(w, wg_mul(0.1, wg_mul(wg_matmul(w, x), w))));
    wg_function *fn = compile(g, " w_new = w ");
    assert_int_equal(fn->copy.count, 0);
    wg_function_free(fn);

    /* the transpose still reads w when the sum is made */
    g = wg_graph_new();
    w = wg_input(g, "w", wg_f64(2, 2));
    wg_var y = wg_exp(w);
    wg_output(g, "w_new", y);
    wg_output(g, "y", wg_matmul(wg_transpose(y), w));
    fn = compile(g, "w_new=w");
    assert_int_equal(fn->copy.count, 1);
    double buffer[4] = {0, 0, 0, 0}, product[4];
    wg_error error = {0};
    wg_call_with(fn, NULL, (const void *[]){buffer}, (void *[]){buffer, product}, workspace,
                 &error);
    assert_ok(error);
    for (int i = 0; i < 4; i++) assert_true(buffer[i] == 1 && product[i] == 0);
    wg_function_free(fn);
}

static void donated_buffers_may_change_places(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input(g, "a", wg_f64(2)), b = wg_input(g, "b", wg_f64(2));
    wg_output(g, "x", b);
    wg_output(g, "y", a);
    wg_output(g, "z", a);
    wg_function *fn = compile(g, "x=a, y=b");
    double p[2] = {1, 2}, q[2] = {3, 4}, z[2];
    wg_error error = {0};
    wg_call_with(fn, NULL, (const void *[]){p, q}, (void *[]){p, q, z}, workspace, &error);
    assert_ok(error);
    assert_true(p[0] == 3 && p[1] == 4 && q[0] == 1 && q[1] == 2 && z[0] == 1 && z[1] == 2);
    wg_function_free(fn);
}

static void donations_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *donate;
        wg_status status;
        const char *message;
    } cases[] = {{"y", WG_ENAME, "donate: \"y\" is not of the form output=input"},
                 {"z=x", WG_ENAME, "donate: there is no output \"z\""},
                 {"y=q", WG_ENAME, "donate: there is no input \"q\""},
                 {"y=x, y=v", WG_ENAME, "donate: output \"y\" is named twice"},
                 {"y=x, u=x", WG_ENAME, "donate: input \"x\" is named twice"},
                 {"y=m", WG_ESHAPE,
                  "donate: output \"y\" is f64[n] but input \"m\" is f64[n,n]; they share a "
                  "buffer only if they have one type"},
                 {"y=x,", WG_OK, ""},
                 {"", WG_OK, ""}};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), v = wg_input(g, "v", wg_f64(n));
    wg_input(g, "m", wg_f64(n, n));
    wg_output(g, "y", wg_add(x, v));
    wg_output(g, "u", wg_sub(x, v));
    wg_program *p = test_build(g);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        wg_error error = {0};
        wg_function *fn = wg_compile(p, &(wg_options){.donate = cases[i].donate}, &error);
        assert_message(&error, cases[i].status, cases[i].message);
        assert_int_equal(fn != NULL, cases[i].status == WG_OK);
        wg_function_free(fn);
    }
    wg_program_free(p);
}

/* ---- arguments, memory ----------------------------------------------------------------------- */

static void null_is_refused(void **state) {
    (void)state;
    wg_error error = {0};
    assert_null(wg_compile(NULL, NULL, &error));
    assert_message(&error, WG_EARGUMENT, "compile: the program is NULL");
    error.status = WG_OK;
    wg_call_with(NULL, NULL, NULL, NULL, NULL, &error);
    assert_message(&error, WG_EARGUMENT, "call: the function is NULL");
    wg_function *fn = row_variance();
    error.status = WG_OK;
    wg_call_with(fn, (int64_t[]){1, 1}, NULL, (void *[]){workspace}, NULL, &error);
    assert_message(&error, WG_EARGUMENT, "call: the list of inputs is NULL");
    error.status = WG_OK;
    wg_call_with(fn, (int64_t[]){1, 1}, (const void *[]){workspace}, NULL, NULL, &error);
    assert_message(&error, WG_EARGUMENT, "call: the list of outputs is NULL");
    /* a failed chain of calls does nothing more */
    assert_int_equal(wg_call_with(fn, NULL, NULL, NULL, NULL, &error), WG_EARGUMENT);
    assert_message(&error, WG_EARGUMENT, "call: the list of outputs is NULL");
    wg_function_free(fn);
    wg_function_free(NULL);
}

static void a_workspace_is_made_to_measure(void **state) {
    (void)state;
    struct failing_allocator allocator = {0};
    wg_allocator hook = failing_hook(&allocator);
    wg_error error = {0};
    wg_graph *g = wg_graph_new_with(&hook);
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
    wg_output(g, "y", wg_cumsum(wg_reverse(wg_sort(x, 0), 0), 0));
    wg_program *p = wg_build(g, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    wg_program_free(p);
    double in[17], out[17];
    for (int i = 0; i < 17; i++) in[i] = (i * 7) % 17;
    for (int64_t n = 0; n <= 17; n += 17) {
        size_t before = allocator.requests;
        char *own = wg_workspace_new(fn, &n, &error);
        assert_ok(error);
        assert_non_null(own);
        assert_int_equal((uintptr_t)own % 64, 0);
        size_t bytes;
        wg_workspace_size(fn, &n, &bytes, &error);
        memset(own, 0xa5, bytes); /* all of it may be written, and nothing in it is kept */
        wg_call_with(fn, &n, (const void *[]){in}, (void *[]){out}, own, &error);
        assert_ok(error);
        assert_int_equal(allocator.requests, before + 1);
        wg_workspace_free(own);
    }
    for (int i = 0; i < 17; i++) assert_true(out[i] == 136 - (16 - i) * (15 - i) / 2);

    assert_null(wg_workspace_new(fn, (int64_t[]){-1}, &error));
    assert_message(&error, WG_EARGUMENT, "call: size \"n\" is -1; sizes are at least 0");
    assert_null(wg_workspace_new(fn, (int64_t[]){1}, &error)); /* the chain has failed */
    error.status = WG_OK;
    assert_null(wg_workspace_new(NULL, NULL, &error));
    assert_message(&error, WG_EARGUMENT, "workspace size: the function is NULL");
    error.status = WG_OK;
    allocator.fail_at = allocator.requests + 1;
    assert_null(wg_workspace_new(fn, (int64_t[]){17}, &error));
    assert_int_equal(error.status, WG_ENOMEM);
    wg_workspace_free(NULL);

    void *later = wg_workspace_new(fn, (int64_t[]){17}, NULL);
    assert_non_null(later);
    wg_function_free(fn); /* it outlives its function */
    wg_workspace_free(later);
    assert_int_equal(allocator.live_blocks, 0);
    assert_int_equal(allocator.wrong_sizes, 0);
}

static void calls_with_a_workspace_allocate_nothing(void **state) {
    (void)state;
    struct failing_allocator allocator = {0};
    wg_allocator hook = failing_hook(&allocator);
    wg_error error = {0};
    wg_graph *g = wg_graph_new_with(&hook);
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n, 4)), w = wg_input(g, "w", wg_f64(4, 4));
    wg_output(g, "y", wg_logsumexp(wg_tanh(wg_matmul(wg_exp(x), w)), 1));
    wg_program *p = wg_build(g, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    double in[17 * 4] = {0}, weight[16] = {0}, out[17];
    for (int64_t size = 0; size <= 17; size++) {
        size_t before = allocator.requests, bytes;
        wg_workspace_size(fn, &size, &bytes, &error);
        assert_in_range(bytes, 1, WORKSPACE);
        wg_call_with(fn, &size, (const void *[]){in, weight}, (void *[]){out}, workspace, &error);
        assert_ok(error);
        assert_int_equal(allocator.requests, before);
        wg_call_with(fn, &size, (const void *[]){in, weight}, (void *[]){out}, NULL, &error);
        assert_ok(error);
        assert_int_equal(allocator.requests, before + 1);
    }
    wg_function_free(fn);
    wg_program_free(p);
    assert_int_equal(allocator.live_blocks, 0);
    assert_int_equal(allocator.wrong_sizes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_build_serves_all_sizes),
                                       cmocka_unit_test(buffers_without_elements_may_be_null),
                                       cmocka_unit_test(sizes_are_checked),
                                       cmocka_unit_test(what_shapes_cannot_prove_is_checked),
        cmocka_unit_test(checks_name_a_size_once),
                                       cmocka_unit_test(errors_of_operations_tell_their_line),
                                       cmocka_unit_test(overlaps_are_refused),
                                       cmocka_unit_test(donated_buffers_are_updated_in_place),
                                       cmocka_unit_test(donated_buffers_may_change_places),
                                       cmocka_unit_test(donations_are_checked),
                                       cmocka_unit_test(null_is_refused),
                                       cmocka_unit_test(a_workspace_is_made_to_measure),
                                       cmocka_unit_test(calls_with_a_workspace_allocate_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
