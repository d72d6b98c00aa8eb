/* Sparse derivatives through loops, branches and rules of callers: never less than the dense matrix
 * has, and exact where what is read and written is known iteration by iteration. */
#include "support/sparse_check.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 9 };

static double data[N] = {0.3, -0.7, 1.1, 0.45, -0.2, 0.9, 0.5, -1.2, 0.8};

/* Inputs x f64[n] and, if the program has them, k i64 and others of the same numbers. */
static struct sparse_counts check(const wg_program *p, int64_t k, bool hessian, bool known) {
    wg_tensor input[4] = {{0}};
    for (size_t i = 0; i < wg_input_count(p); i++) {
        wg_type type = wg_input_type(p, i);
        input[i] = (wg_tensor){.data = data, .dtype = (wg_dtype)type.dtype, .rank = type.rank};
        for (int a = 0; a < type.rank; a++) input[i].shape[a] = test_extent(p, type.extent[a], N);
        if (type.dtype == WG_I64) input[i].data = &k;
    }
    return (hessian ? check_sparse_hessian : check_sparse_jacobian)(p, N, input, known);
}

/* ---- loops ----------------------------------------------------------------------------------- */

struct setting {
    bool backwards, counted, ends; /* the count an input k; a condition on the carry */
    bool carried, indexed;         /* x_i joined to what is carried; x_i+1 read by index */
};

/* s_i+1 = sin(s_i) + x_i (or s_i), r_i = s_i x_i (+ x_i+1), s_0 = x_0: y = s at the end, z = r */
static wg_program *loop_program(struct setting o) {
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), k = {0};
    if (o.counted) k = wg_input(g, "k", wg_i64());
    wg_extent less = wg_extent_sub(g, n, 1);
    wg_var inner = wg_slice(x, 0, 0, less, 1);
    wg_loop *loop = wg_loop_begin(g, less);
    if (o.counted) wg_loop_count(loop, k);
    if (o.backwards) wg_loop_backwards(loop);
    wg_var i = wg_loop_index(loop), xi = wg_loop_slice(loop, inner), r[2] = {{0}};
    wg_var s = wg_loop_carry(loop, wg_sum(wg_slice(x, 0, 0, 1, 1)));
    wg_loop_next(loop, s, o.carried ? wg_add(wg_sin(s), xi) : s);
    wg_var y = wg_mul(s, xi);
    if (o.indexed) y = wg_add(y, wg_square(wg_take(x, wg_add(i, 1), 0)));
    if (o.ends) wg_loop_while(loop, wg_lt(s, 1.5));
    wg_loop_collect(loop, y);
    wg_loop_end(loop, r);
    wg_output(g, "y", r[0]);
    wg_output(g, "z", r[1]);
    return test_build(g);
}

static void loops_agree_with_dense(void **state) {
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++) {
        struct setting o = {bits & 1, bits & 2, bits & 4, bits & 8, bits & 16};
        if (o.backwards && o.ends) continue;
        wg_program *p = loop_program(o);
        for (int64_t k = 0; k < N + 2; k += o.counted ? 3 : N + 2)
            for (int known = 0; known < 2; known++) {
                struct sparse_counts c = check(p, k, false, known);
                if (!o.ends && (!o.counted || known) && o.carried)
                    assert_int_equal(c.entries, c.nonzeros);
                check(p, k, true, known);
            }
        wg_program_free(p);
    }
}

/* A state of m elements, moved one place at each step, whose last one meets x_i: what is carried is
 * an array, and the length decides whether it is followed or taken as a whole. */
static wg_program *shift_register(wg_extent length, wg_extent m) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(m)), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, length);
    wg_var s = wg_loop_carry(loop, wg_mul(x, 2));
    wg_var first = wg_slice(x, 0, 0, 1, 1), rest = wg_slice(s, 0, 0, m - 1, 1);
    wg_loop_next(loop, s, wg_concat(0, wg_mul(first, 0.5), wg_mul(rest, 0.9)));
    wg_loop_end(loop, r);
    wg_output(g, "y", r[0]);
    return test_build(g);
}

static void a_loop_too_long_to_follow_is_taken_as_a_whole(void **state) {
    (void)state;
    wg_error error = {0};
    wg_pattern pattern;
    wg_program *p = shift_register(3, 5);
    assert_int_equal(wg_jacobian_pattern(p, NULL, &pattern, &error), WG_OK);
    assert_int_equal(pattern.row[3], 3); /* x_0 alone, three times; then x_0 and x_1 */
    assert_int_equal(pattern.entries, 3 + 2);
    wg_pattern_free(&pattern);
    wg_program_free(p);
    p = shift_register(INT64_C(1) << 40, 5);
    assert_int_equal(wg_jacobian_pattern(p, NULL, &pattern, &error), WG_OK);
    assert_true(pattern.entries >= 5);
    for (int64_t i = 0; i < 5; i++) assert_int_equal(pattern.column[pattern.row[i]], 0);
    wg_pattern_free(&pattern);
    wg_program_free(p);
}

/* A walk around 40 places, far more steps than patience: carries are widened, and nothing is
 * lost. */
static void widened_carries_lose_nothing(void **state) {
    (void)state;
    enum { PLACES = 40 };
    wg_error error = {0};
    wg_pattern pattern;
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(PLACES)), r[2] = {{0}};
    wg_loop *loop = wg_loop_begin(g, WG_UNBOUNDED);
    wg_var s = wg_loop_carry(loop, x), sum = wg_loop_carry(loop, wg_mul(x, 2));
    wg_loop_next(
        loop, s,
        wg_concat(0, wg_slice(s, 0, PLACES - 1, PLACES, 1), wg_slice(s, 0, 0, PLACES - 1, 1)));
    wg_loop_next(loop, sum, wg_add(sum, s));
    wg_loop_while(loop, wg_lt(wg_sum(sum), 100));
    wg_loop_end(loop, r);
    wg_output(g, "y", r[1]);
    wg_program *p = test_build(g);
    assert_int_equal(wg_jacobian_pattern(p, NULL, &pattern, &error), WG_OK);
    assert_int_equal(pattern.entries, PLACES * PLACES);
    wg_pattern_free(&pattern);
    wg_program_free(p);
}

/* Carries that change places: after n steps, a and b are what they were, or each other. */
static void carries_may_change_places(void **state) {
    (void)state;
    wg_error error = {0};
    for (int64_t steps = 0; steps < 4; steps++)
        for (int ends = 0; ends < 2; ends++) {
            wg_graph *g = wg_graph_new();
            wg_var x = wg_input(g, "x", wg_f64(3)), z = wg_input(g, "z", wg_f64(3)), r[2] = {{0}};
            wg_loop *loop = wg_loop_begin(g, steps);
            wg_var a = wg_loop_carry(loop, wg_sin(x)), b = wg_loop_carry(loop, wg_cos(z));
            wg_loop_next(loop, a, b);
            wg_loop_next(loop, b, a);
            if (ends) wg_loop_while(loop, wg_lt(wg_sum(a), 100));
            wg_loop_end(loop, r);
            wg_output(g, "y", r[0]);
            wg_program *p = test_build(g);
            wg_pattern pattern;
            assert_int_equal(wg_jacobian_pattern(p, NULL, &pattern, &error), WG_OK);
            assert_int_equal(pattern.entries, ends && steps ? 6 : 3);
            for (int64_t i = 0; i < 3 && !ends; i++)
                assert_int_equal(pattern.column[i], steps % 2 ? 3 + i : i);
            wg_pattern_free(&pattern);
            wg_program_free(p);
        }
}

/* y_i = x_i x_i+1, one after the other into an array that is carried: exact, and in time that does
 * not grow with the square of the length. */
static void arrays_are_updated_in_place(void **state) {
    (void)state;
    enum { LONG = 50000 };
    wg_error error = {0};
    wg_program *p = test_parse(
        "f(x[n]) = {\n  y = x\n  z = 0*x\n"
        "  for i in 0:n-1 { y[i] = x[i]*x[i+1]\n    z[i+1] += y[i]*z[i] + x[i] }\n}");
    struct sparse_counts c = check(p, 0, false, false);
    assert_int_equal(c.entries, (2 * N - 1) + N * (N + 1) / 2 - 1);
    wg_program_free(p);
    p = test_parse("f(x[n]) = {\n  y = x\n  for i in 0:n-1 { y[i] = x[i]*x[i+1] }\n}");
    wg_pattern pattern;
    wg_sparse_options options = {.size = (int64_t[]){LONG}};
    assert_int_equal(wg_jacobian_pattern(p, &options, &pattern, &error), WG_OK);
    assert_int_equal(pattern.entries, 2 * LONG - 1);
    wg_pattern_free(&pattern);
    wg_program_free(p);
}

/* An inner loop over the elements behind the outer loop's: row i reaches x_i, x_i+1, ..., x_n-1. */
static void nested_loops_are_followed(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), r[1] = {{0}}, inner_r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, n);
    wg_var i = wg_loop_index(loop);
    wg_loop *inner = wg_loop_begin(g, n);
    wg_loop_count(inner, wg_sub(wg_extent_value(g, n), i));
    wg_var s = wg_loop_carry(inner, wg_number(g, WG_F64, 0));
    wg_var at = wg_take(x, wg_add(i, wg_loop_index(inner)), 0);
    wg_loop_next(inner, s, wg_add(wg_mul(s, s), wg_mul(at, 1.5)));
    wg_loop_end(inner, inner_r);
    wg_loop_collect(loop, inner_r[0]);
    wg_loop_end(loop, r);
    wg_output(g, "y", r[0]);
    wg_program *p = test_build(g);
    struct sparse_counts c = check(p, 0, false, true);
    assert_int_equal(c.entries, N * (N + 1) / 2);
    wg_program_free(p);
}

/* ---- branches -------------------------------------------------------------------------------- */

static void a_branch_that_is_known_counts_alone(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), k = wg_input(g, "k", wg_i64()), r[1] = {{0}};
    wg_branch *branch = wg_branch_begin(g, k);
    wg_branch_case(branch, wg_square(x));
    wg_branch_case(branch, wg_sin(wg_cumsum(x, 0)));
    wg_branch_case(branch, wg_add(wg_mul(x, 0), 1));
    wg_branch_end(branch, r);
    wg_output(g, "y", r[0]);
    wg_program *p = test_build(g);
    for (int64_t at = -1; at < 4; at++) {
        struct sparse_counts c = check(p, at, false, false);
        assert_int_equal(c.entries, N * (N + 1) / 2);
        c = check(p, at, false, true);
        assert_int_equal(c.entries, at == 1 ? N * (N + 1) / 2 : at < 1 ? N : 0);
    }
    wg_program_free(p);
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* y_i = x_i x_n-1-i and z = x_0, by a rule of either kind. */
static void rules_reach_as_their_programs_do(void **state) {
    (void)state;
    wg_program *f = test_parse("f(x[n]) = { y = x*x[::-1]; z = x[0]^2 }");
    wg_program *jvp = test_parse("j(x[n], t[n]) = { y = t*x[::-1] + x*t[::-1]; z = 2*x[0]*t[0] }");
    wg_program *vjp = test_parse("v(x[n], y[n], z) = {\n"
                            "  t = y*x[::-1] + (y*x)[::-1] + concat(2*x[0:1]*z, 0*x[1:]) }");
    for (unsigned given = 1; given < 4; given++) {
        wg_rule rule = {
            .name = "pairs", .jvp = given & 1 ? jvp : NULL, .vjp = given & 2 ? vjp : NULL};
        wg_graph *g = wg_graph_new();
        wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n"))), y[2] = {{0}}, sines = wg_sin(x);
        wg_custom(g, f, &rule, &sines, y);
        wg_output(g, "w", wg_add(wg_sum(wg_mul(y[0], y[0])), wg_mul(y[1], y[1])));
        wg_output(g, "y", y[0]);
        wg_output(g, "z", y[1]);
        wg_program *p = test_build(g);
        struct sparse_counts c = check(p, 0, false, false);
        assert_int_equal(c.entries, N + (2 * N - N % 2) + 1);
        check(p, 0, true, false);
        wg_program_free(p);
    }
    wg_program_free(f);
    wg_program_free(jvp);
    wg_program_free(vjp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_agree_with_dense),
        cmocka_unit_test(a_loop_too_long_to_follow_is_taken_as_a_whole),
        cmocka_unit_test(widened_carries_lose_nothing),
        cmocka_unit_test(carries_may_change_places),
        cmocka_unit_test(arrays_are_updated_in_place),
        cmocka_unit_test(nested_loops_are_followed),
        cmocka_unit_test(a_branch_that_is_known_counts_alone),
        cmocka_unit_test(rules_reach_as_their_programs_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
