/* Extents: canonical polynomials, overflow, evaluation. */
#include "ir/ir.h"
#include "support/test.h"

static void equal_polynomials_are_one_number(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n"), m = wg_size(g, "m");
    wg_extent a = extent_mul(g, extent_add(g, n, 1), extent_add(g, m, 2));
    wg_extent b = extent_add(g, extent_add(g, extent_mul(g, m, n), m),
                             extent_add(g, extent_mul(g, 2, n), 2));
    assert_true(a == b && a < 0);
    assert_true(extent_sub(g, a, b) == 0);
    assert_true(extent_sub(g, extent_add(g, n, 5), n) == 5);
    assert_true(wg_size(g, "n") == n);
    wg_text text = {0};
    assert_true(extent_text(&g->t, a, &text));
    assert_string_equal(text.data, "n*m+2*n+m+2");
    wg_text_free(&text);
    assert_int_equal(extent_degree(&g->t, a), 2);
    int64_t result;
    assert_true(extent_eval(&g->t, a, (int64_t[]){3, 4}, &result));
    assert_int_equal(result, 24);
    wg_graph_free(g);
}

static void negative_constants_stay_apart(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n"), minus = extent_sub(g, 3, 5);
    int64_t result, difference;
    assert_true(minus < 0 && minus != n);
    assert_false(extent_eval(&g->t, minus, (int64_t[]){9}, &result));
    assert_true(extent_difference(g, extent_add(g, n, 1), extent_add(g, n, 4), &difference));
    assert_int_equal(difference, -3);
    assert_false(extent_difference(g, n, 3, &difference));
    assert_true(extent_provably_le(g, n, extent_add(g, n, 1)));
    assert_false(extent_provably_le(g, extent_add(g, n, 1), n));
    assert_false(extent_provably_le(g, 1, n));
    wg_graph_free(g);
}

static void overflow_is_an_error(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent big = extent_mul(g, wg_size(g, "n"), INT64_MAX);
    assert_int_equal(wg_graph_error(g)->status, WG_OK);
    assert_true(extent_add(g, big, big) == extent_bad);
    assert_int_equal(wg_graph_error(g)->status, WG_EOVERFLOW);
    wg_graph_free(g);
    g = wg_graph_new();
    wg_extent power = wg_size(g, "n");
    for (int i = 0; i < 4; i++) power = extent_mul(g, power, power);
    assert_int_equal(wg_graph_error(g)->status, WG_EOVERFLOW);
    wg_graph_free(g);
}

static void evaluation_checks_overflow(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n"), square = extent_mul(g, n, n);
    int64_t result, shape[WG_MAX_RANK], count;
    assert_false(extent_eval(&g->t, square, (int64_t[]){INT64_C(1) << 40}, &result));
    wg_type type = wg_f64(n, n, n);
    assert_false(type_eval(&g->t, &type, (int64_t[]){INT64_C(1) << 30}, shape, &count));
    type = wg_f64(n, n, n, 0);
    assert_true(type_eval(&g->t, &type, (int64_t[]){INT64_C(1) << 30}, shape, &count));
    assert_int_equal(count, 0);
    wg_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_polynomials_are_one_number),
        cmocka_unit_test(negative_constants_stay_apart),
        cmocka_unit_test(overflow_is_an_error),
        cmocka_unit_test(evaluation_checks_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
