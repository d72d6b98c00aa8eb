/* What the planner promises about memory and steps: storage is reused as soon as it can be, results
 * take the place of dying arguments, values inside a group have no storage at all. Asserted in
 * bytes, so that a lost optimisation is seen. */
#include "run/run.h"
#include "support/test.h"

#include <stdio.h>

enum { TENSOR = 100 * 100 * sizeof(double) };

static wg_function *compile(wg_graph *g, const char *donate) {
    wg_error error = {0};
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    wg_function *fn = wg_compile(p, &(wg_options){.donate = donate}, &error);
    assert_ok(error);
    wg_program_free(p);
    return fn;
}

static size_t workspace(const wg_function *fn, const int64_t *size) {
    wg_error error = {0};
    size_t bytes = 0;
    wg_workspace_size(fn, size, &bytes, &error);
    assert_ok(error);
    return bytes;
}

static size_t count_steps(const wg_function *fn, enum step_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < fn->step.count; i++) count += fn->step.at[i].kind == kind;
    return count;
}

static wg_function *chain_of_products(int length) {
    wg_graph *g = wg_graph_new();
    wg_var w = wg_input(g, "w", wg_f64(100, 100)), y = w;
    for (int i = 0; i < length; i++) y = wg_matmul(y, w);
    wg_output(g, "y", y);
    return compile(g, NULL);
}

static void a_chain_of_tensors_needs_two(void **state) {
    (void)state;
    wg_function *fn = chain_of_products(50), *shorter = chain_of_products(3);
    assert_int_equal(fn->slot.count, 2);
    assert_in_range(workspace(fn, NULL), 2 * TENSOR, 2 * TENSOR + 256);
    assert_int_equal(workspace(fn, NULL), workspace(shorter, NULL));
    wg_function_free(fn);
    wg_function_free(shorter);
}

static void elementwise_results_take_the_place_of_their_argument(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var w = wg_input(g, "w", wg_f64(100, 100)), y = w;
    for (int i = 0; i < 10; i++) y = wg_tanh(wg_mul(wg_add(wg_matmul(y, w), w), 2));
    wg_output(g, "y", wg_matmul(y, w));
    wg_function *fn = compile(g, NULL);
    assert_int_equal(count_steps(fn, STEP_GROUP), 10);
    assert_int_equal(fn->slot.count, 2);
    wg_function_free(fn);
}

static void values_inside_a_group_have_no_storage(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), y = x;
    for (int i = 0; i < 100; i++) y = wg_sin(wg_add(y, wg_mul(x, i)));
    wg_output(g, "y", y);
    wg_function *fn = compile(g, NULL);
    assert_int_equal(count_steps(fn, STEP_GROUP), 1);
    assert_int_equal(fn->slot.count, 0);
    assert_true(workspace(fn, (int64_t[]){1000000}) < 200000);
    wg_function_free(fn);
}

/* A bias is added inside the group that uses the sum; the sum over a batch needs it as a whole. */
static void broadcasts_are_made_where_they_are_read(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(100, 100)), b = wg_input(g, "b", wg_f64(100));
    wg_output(g, "y", wg_exp(wg_add(x, b)));
    wg_function *fn = compile(g, NULL);
    assert_int_equal(fn->step.count, 1);
    assert_int_equal(fn->slot.count, 0);
    wg_function_free(fn);

    g = wg_graph_new();
    b = wg_input(g, "b", wg_f64(100));
    wg_output(g, "y", wg_broadcast(b, 100, 100));
    fn = compile(g, NULL);
    assert_int_equal(count_steps(fn, STEP_OPERATION), 1);
    assert_int_equal(fn->slot.count, 0); /* made in the output */
    wg_function_free(fn);
}

static void reshapes_are_names(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(100, 100));
    wg_var row = wg_reshape(wg_matmul(x, x), 10000);
    wg_output(g, "y", wg_reshape(wg_exp(row), 50, 200));
    wg_function *fn = compile(g, NULL);
    assert_int_equal(fn->step.count, 2);
    assert_int_equal(fn->slot.count, 1);
    wg_function_free(fn);
}

/* Scalars between tensor instructions neither break a group nor pile up. */
static void scalars_share_cells(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = x;
    for (int i = 0; i < 20000; i++) y = wg_sin(wg_add(y, x));
    wg_output(g, "y", y);
    wg_function *fn = compile(g, NULL);
    assert_int_equal(fn->step.count, 2); /* scalar code, and the copy of the output */
    assert_in_range(fn->cell_count, 1, 3);
    assert_true(workspace(fn, NULL) <= 256);
    wg_function_free(fn);

    g = wg_graph_new();
    wg_var v = wg_input(g, "v", wg_f64(100, 100)), s = wg_input(g, "s", wg_f64());
    wg_var a = wg_mul(v, s), t = wg_exp(s), b = wg_add(a, wg_sin(t));
    wg_output(g, "y", wg_mul(b, v));
    fn = compile(g, NULL);
    assert_int_equal(count_steps(fn, STEP_GROUP), 1);
    assert_int_equal(count_steps(fn, STEP_SCALARS), 1);
    wg_function_free(fn);
}

/* Slots of named sizes are shared where one factor is all that differs. */
static void named_sizes_share_slots(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n, 64)), w = wg_input(g, "w", wg_f64(64, 32));
    wg_var v = wg_input(g, "v", wg_f64(32, 64));
    wg_var y = x;
    for (int i = 0; i < 5; i++) y = wg_matmul(wg_matmul(y, w), v);
    wg_output(g, "y", wg_sum(wg_matmul(y, w)));
    wg_function *fn = compile(g, NULL);
    assert_int_equal(fn->slot.count, 2);
    static const int64_t sizes[] = {0, 1, 2, 17, 1000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t slots = (size_t)sizes[i] * (64 + 32) * sizeof(double);
        assert_in_range(workspace(fn, &sizes[i]), slots, slots + 4096);
    }
    wg_function_free(fn);
}

/* 64 examples through 784 -> 128 -> 10 and back: what backpropagation by hand would keep. */
static void a_network_keeps_what_its_adjoint_needs(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f32(n, 784)), label = wg_input(g, "label", wg_i32(n));
    wg_var w1 = wg_input(g, "w1", wg_f32(784, 128)), b1 = wg_input(g, "b1", wg_f32(128));
    wg_var w2 = wg_input(g, "w2", wg_f32(128, 10)), b2 = wg_input(g, "b2", wg_f32(10));
    wg_var h = wg_relu(wg_add(wg_matmul(x, w1), b1));
    wg_output(g, "loss", wg_mean(wg_cross_entropy(wg_add(wg_matmul(h, w2), b2), label)));
    wg_program *p = wg_build(g, &error), *d = wg_value_and_grad(p, "w1, b1, w2, b2", &error);
    wg_function *fn = wg_compile(d, NULL, &error);
    assert_ok(error);
    size_t hidden = 64 * 128 * sizeof(float), logits = 64 * 10 * sizeof(float);
    assert_in_range(workspace(fn, (int64_t[]){64}), hidden, 2 * hidden + 4 * logits + 24 * 1024);
    wg_function_free(fn);
    wg_program_free(d);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_tensors_needs_two),
        cmocka_unit_test(elementwise_results_take_the_place_of_their_argument),
        cmocka_unit_test(values_inside_a_group_have_no_storage),
        cmocka_unit_test(broadcasts_are_made_where_they_are_read),
        cmocka_unit_test(reshapes_are_names),
        cmocka_unit_test(scalars_share_cells),
        cmocka_unit_test(named_sizes_share_slots),
        cmocka_unit_test(a_network_keeps_what_its_adjoint_needs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
