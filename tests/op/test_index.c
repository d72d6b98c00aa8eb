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

static void says_which_index_is_outside(void **state) {
    (void)state;
    static const struct {
        bool scatter;
        int64_t n;
        int32_t index;
        const char *message;
    } wrong[] = {
        {false, 4, 4, "take: index 4 is outside 0..3 (axis 1 of f64[2,4])"},
        {false, 4, -1, "take: index -1 is outside 0..3 (axis 1 of f64[2,4])"},
        {false, 0, 0, "take: index 0 into an empty axis (axis 1 of f64[2,0])"},
        {true, 3, 3, "scatter_add: index 3 is outside 0..2 (axis 1 of f64[2,3])"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        struct evaluate e = evaluate_begin();
        int32_t index[1] = {wrong[k].index};
        int64_t shape[2] = {2, wrong[k].scatter ? 1 : wrong[k].n};
        wg_var x = evaluate_input(&e, true, WG_F64, 2, shape, number);
        wg_var i = evaluate_input(&e, false, WG_I32, SHAPE(1), index);
        wg_error error = {0};
        evaluate_with(&e, wrong[k].scatter ? wg_scatter_add(x, i, 1, wrong[k].n) : wg_take(x, i, 1),
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
        cmocka_unit_test(says_which_index_is_outside),
        cmocka_unit_test(nothing_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
