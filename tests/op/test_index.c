/* take, pick and scatter_add: values on axes in every place, repeated indices, both index types,
 * named sizes from 0 up, and what an index outside says. */
#include "op/evaluate.h"

static double number[360];

static void takes_along_every_axis(void **state) {
    (void)state;
    const int64_t n[3] = {3, 4, 5}, index[6] = {2, 0, 2, 1, 1, 0};
    for (int axis = 0; axis < 3; axis++)
        for (int named = 0; named < 2; named++) {
            struct evaluate e = evaluate_begin();
            wg_var x = evaluate_input(&e, named, WG_F64, 3, n, number);
            wg_var i = evaluate_input(&e, named, WG_I64, SHAPE(2, 3), index);
            evaluate(&e, wg_take(x, i, axis - 3 * named));
            int64_t before = 1, after = 1, at = 0;
            for (int k = 0; k < axis; k++) before *= n[k];
            for (int k = axis + 1; k < 3; k++) after *= n[k];
            for (int64_t b = 0; b < before; b++)
                for (int64_t k = 0; k < 6; k++)
                    for (int64_t a = 0; a < after; a++)
                        assert_true(((double *)e.out.data)[at++] ==
                                    number[(b * n[axis] + index[k]) * after + a]);
            assert_int_equal(wg_tensor_count(&e.out), at);
            evaluate_end(&e);
        }
}

static void picks_one_of_every_row(void **state) {
    (void)state;
    struct evaluate e = evaluate_begin();
    wg_var x = evaluate_input(&e, true, WG_F64, SHAPE(2, 2, 3), number);
    evaluate(&e,
             wg_pick(x, evaluate_input(&e, true, WG_I32, SHAPE(2, 2), (int32_t[]){2, 0, 1, 1})));
    ASSERT_VALUES(&e.out, 2, 3, 7, 10);
    evaluate_end(&e);
}

static void moves_every_element_type(void **state) {
    (void)state;
    uint8_t b[3] = {1, 0, 1};
    int32_t i[3] = {7, -8, INT32_MAX};
    float f[3] = {0.5f, 1.5f, 2.5f};
    int64_t l[3] = {1, INT64_MAX, 3}, index[3] = {2, 1, 2};
    struct evaluate e = evaluate_begin();
    evaluate(&e, wg_take(evaluate_input(&e, false, WG_BOOL, SHAPE(3), b),
                         evaluate_input(&e, false, WG_I64, SHAPE(3), index), 0));
    ASSERT_VALUES(&e.out, 1, 0, 1);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_scatter_add(evaluate_input(&e, false, WG_I32, SHAPE(3), i),
                                evaluate_input(&e, false, WG_I64, SHAPE(3), index), 0, 3));
    ASSERT_VALUES(&e.out, 0, -8, INT32_MIN + 6.0);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_scatter_add(evaluate_input(&e, false, WG_F32, SHAPE(3), f),
                                evaluate_input(&e, false, WG_I64, SHAPE(3), index), 0, 4));
    ASSERT_VALUES(&e.out, 0, 1.5, 3, 0);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_scatter_add(evaluate_input(&e, false, WG_I64, SHAPE(3), l),
                                evaluate_input(&e, false, WG_I64, SHAPE(3), index), 0, 3));
    assert_true(((int64_t *)e.out.data)[1] == INT64_MAX && ((int64_t *)e.out.data)[2] == 4);
    evaluate_end(&e);
}

/* Along an axis in the middle, at a matrix of indices; the adjoint of take is this. */
static void scatters_in_the_middle(void **state) {
    (void)state;
    const int64_t index[2] = {1, 1};
    struct evaluate e = evaluate_begin();
    wg_var x = evaluate_input(&e, true, WG_F64, SHAPE(2, 2, 3), number);
    wg_var i = evaluate_input(&e, true, WG_I64, SHAPE(2), index);
    evaluate(&e, wg_scatter_add(x, i, 1, 2));
    ASSERT_VALUES(&e.out, 0, 0, 0, 3, 5, 7, 0, 0, 0, 15, 17, 19);
    evaluate_end(&e);
}

static void adjoint_of_take_adds_up(void **state) {
    (void)state;
    for (int64_t n = 1; n < 4; n++) {
        wg_graph *g = wg_graph_new();
        wg_error error = {0};
        wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n")));
        wg_var i = wg_input(g, "i", wg_i64(wg_size(g, "m"))),
               w = wg_input(g, "w", wg_f64(wg_size(g, "m")));
        wg_output(g, "y", wg_sum(wg_mul(w, wg_take(x, i, 0))));
        wg_program *p = wg_build(g, &error), *grad = wg_grad(p, "x", &error);
        wg_function *fn = wg_compile(grad, NULL, &error);
        assert_ok(error);
        double weight[4] = {1, 10, 100, 1000}, dx[3] = {-1, -1, -1};
        int64_t index[4] = {0, n - 1, 0, n - 1};
        wg_tensor in[3] = {
            {number, WG_F64, 1, {n}}, {index, WG_I64, 1, {4}}, {weight, WG_F64, 1, {4}}};
        wg_tensor out = {dx, WG_F64, 1, {n}};
        wg_run(fn, NULL, in, &out, &error);
        assert_ok(error);
        assert_true(dx[0] == (n == 1 ? 1111 : 101));
        if (n > 1) assert_true(dx[n - 1] == 1010);
        if (n > 2) assert_true(dx[1] == 0);
        wg_function_free(fn);
        wg_program_free(grad);
        wg_program_free(p);
    }
}

static void updates_by_index(void **state) {
    (void)state;
    const double base[6] = {1, 2, 3, 4, 5, 6}, more[4] = {10, 20, 30, 40};
    for (int named = 0; named < 2; named++) {
        struct evaluate e = evaluate_begin();
        wg_var x = evaluate_input(&e, named, WG_F64, SHAPE(2, 3), base);
        wg_var u = evaluate_input(&e, named, WG_F64, SHAPE(2, 2), more);
        wg_var i = evaluate_input(&e, named, WG_I32, SHAPE(2), (int32_t[]){2, 2});
        evaluate(&e, wg_index_add(x, u, i, -1));
        ASSERT_VALUES(&e.out, 1, 2, 33, 4, 5, 76);
        evaluate_end(&e);
        e = evaluate_begin();
        x = evaluate_input(&e, named, WG_F64, SHAPE(2, 3), base);
        u = evaluate_input(&e, named, WG_F64, SHAPE(2), more);
        i = evaluate_input(&e, named, WG_I64, SHAPE(), (int64_t[]){1});
        evaluate(&e, wg_index_set(x, u, i, 1));
        ASSERT_VALUES(&e.out, 1, 10, 3, 4, 20, 6);
        evaluate_end(&e);
    }
    struct evaluate e = evaluate_begin(); /* truths; and one number for all of a row */
    wg_var t = evaluate_input(&e, false, WG_BOOL, SHAPE(2, 2), (uint8_t[]){1, 1, 0, 0});
    wg_var i = evaluate_input(&e, false, WG_I64, SHAPE(), (int64_t[]){0});
    evaluate(&e, wg_index_set(t, wg_number(e.g, WG_BOOL, 0), i, 0));
    ASSERT_VALUES(&e.out, 0, 0, 0, 0);
    evaluate_end(&e);
}

/* y = sum w (x with x[j] = u^2, then x[i] += u): what was overwritten has no adjoint. */
static void adjoints_of_updates(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_error error = {0};
    wg_var x = wg_input(g, "x", wg_f64(4)), u = wg_input(g, "u", wg_f64());
    wg_var i = wg_input(g, "i", wg_i64()), j = wg_input(g, "j", wg_i64());
    const double weights[4] = {1, 10, 100, 1000};
    wg_var w = wg_constant(g, wg_f64(4), weights);
    wg_var set = wg_index_set(x, wg_mul(u, u), j, 0);
    wg_output(g, "y", wg_sum(wg_mul(w, wg_index_add(set, u, i, 0))));
    wg_program *p = wg_build(g, &error), *grad = wg_grad(p, "x, u", &error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    assert_ok(error);
    double in[4] = {1, 2, 3, 4}, at = 3, dx[4], du;
    for (int64_t k = 0; k < 16; k++) {
        int64_t index = k / 4, other = k % 4;
        wg_call_with(fn, NULL, (const void *[]){in, &at, &index, &other}, (void *[]){dx, &du}, NULL,
                     &error);
        assert_ok(error);
        double weight = 1, adds = 0, sets = 0;
        for (int64_t n = 0; n < 4; n++, weight *= 10) {
            assert_true(dx[n] == (n == other ? 0 : weight));
            if (n == index) adds = weight;
            if (n == other) sets = weight;
        }
        assert_true(du == adds + 6 * sets);
    }
    wg_function_free(fn);
    wg_program_free(grad);
    wg_program_free(p);
}

static void says_which_index_is_outside(void **state) {
    (void)state;
    static const struct {
        enum { TAKE, SCATTER, ADD, SET } what;
        int64_t n;
        int32_t index;
        const char *message;
    } wrong[] = {
        {TAKE, 4, 4, "take: index 4 is outside 0..3 (axis 1 of f64[2,4])"},
        {TAKE, 4, -1, "take: index -1 is outside 0..3 (axis 1 of f64[2,4])"},
        {TAKE, 0, 0, "take: index 0 into an empty axis (axis 1 of f64[2,0])"},
        {SCATTER, 3, 3, "scatter_add: index 3 is outside 0..2 (axis 1 of f64[2,3])"},
        {ADD, 4, 7, "index_add: index 7 is outside 0..3 (axis 1 of f64[2,4])"},
        {SET, 4, -2, "index_set: index -2 is outside 0..3 (axis 1 of f64[2,4])"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        struct evaluate e = evaluate_begin();
        int32_t index[1] = {wrong[k].index};
        int64_t shape[2] = {2, wrong[k].what == SCATTER ? 1 : wrong[k].n};
        wg_var x = evaluate_input(&e, true, WG_F64, 2, shape, number);
        wg_var i = evaluate_input(&e, false, WG_I32, SHAPE(1), index);
        wg_var one = wg_reshape(i, WG_INFER), zero = wg_number(e.g, WG_F64, 0);
        wg_error error = {0};
        evaluate_with(&e,
                      wrong[k].what == TAKE      ? wg_take(x, i, 1)
                      : wrong[k].what == SCATTER ? wg_scatter_add(x, i, 1, wrong[k].n)
                      : wrong[k].what == ADD     ? wg_index_add(x, zero, i, 1)
                                                 : wg_index_set(x, zero, wg_sum(one), 1),
                      &error);
        assert_int_equal(error.status, WG_EINDEX);
        if (!strstr(error.message, wrong[k].message)) fail_msg("%s", error.message);
        evaluate_end(&e);
    }
}

/* No index, and no element, is no mistake. */
static void nothing_is_taken(void **state) {
    (void)state;
    struct evaluate e = evaluate_begin();
    wg_var x = evaluate_input(&e, true, WG_F64, SHAPE(0, 3), NULL);
    evaluate(&e, wg_take(x, evaluate_input(&e, true, WG_I64, SHAPE(0), NULL), 0));
    assert_int_equal(e.out.shape[0], 0);
    evaluate_end(&e);
    e = evaluate_begin();
    x = evaluate_input(&e, true, WG_F64, SHAPE(0, 2), NULL);
    evaluate(&e, wg_scatter_add(x, evaluate_input(&e, true, WG_I64, SHAPE(0), NULL), 0, 2));
    ASSERT_VALUES(&e.out, 0, 0, 0, 0);
    evaluate_end(&e);
}

int main(void) {
    for (int i = 0; i < 360; i++) number[i] = i;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_along_every_axis),
        cmocka_unit_test(picks_one_of_every_row),
        cmocka_unit_test(moves_every_element_type),
        cmocka_unit_test(scatters_in_the_middle),
        cmocka_unit_test(adjoint_of_take_adds_up),
        cmocka_unit_test(updates_by_index),
        cmocka_unit_test(adjoints_of_updates),
        cmocka_unit_test(says_which_index_is_outside),
        cmocka_unit_test(nothing_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
