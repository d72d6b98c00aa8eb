/* Appending: sharing, folding, identities, dead code, names, sites. */
#include "ir/ir.h"
#include "op/build.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static void equal_instructions_are_one_value(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = wg_input(g, "y", wg_f64());
    assert_int_equal(wg_sin(x).id, wg_sin(x).id);
    assert_int_equal(wg_add(x, y).id, wg_add(y, x).id);
    assert_int_not_equal(wg_sub(x, y).id, wg_sub(y, x).id);
    assert_int_not_equal(wg_add(x, 0.0).id, x.id); /* -0 + 0 is 0 */
    assert_int_equal(wg_add(x, -0.0).id, x.id);
    assert_int_equal(wg_mul(1, x).id, x.id);
    assert_int_not_equal(wg_mul(0, x).id, wg_number(g, WG_F64, 0).id);
    assert_int_not_equal(wg_number(g, WG_F64, 0).id, wg_number(g, WG_F64, -0.0).id);
    assert_int_not_equal(wg_number(g, WG_F64, 0).id, wg_number(g, WG_I64, 0).id);
    wg_graph_free(g);
}

static void equal_tensors_are_one_constant(void **state) {
    (void)state;
    static const double a[] = {1, 2, 3, 4}, b[] = {1, 2, 3, 5};
    wg_graph *g = wg_graph_new();
    uint32_t first = wg_constant(g, wg_f64(4), a).id;
    assert_int_equal(wg_constant(g, wg_f64(4), a).id, first);
    assert_int_not_equal(wg_constant(g, wg_f64(2, 2), a).id, first);
    assert_int_not_equal(wg_constant(g, wg_i64(4), a).id, first);
    assert_int_not_equal(wg_constant(g, wg_f64(4), b).id, first);
    assert_int_not_equal(wg_constant(g, wg_f64(3), a).id, wg_constant(g, wg_f64(0), NULL).id);
    assert_int_equal(g->t.blob.count, 4);
    assert_int_equal(wg_graph_error(g)->status, WG_OK);
    wg_graph_free(g);
}

static void constants_are_folded(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    int64_t bits;
    wg_var six = wg_mul(wg_number(g, WG_F64, 2), 3);
    assert_true(value_is_splat(&g->t, six.id, &bits));
    assert_true(literal_to_f64(WG_F64, bits) == 6);
    wg_extent n = wg_size(g, "n");
    wg_var splat = wg_exp(wg_full(g, wg_f64(n, 3), 0));
    assert_true(value_is_splat_of(&g->t, splat.id, 1));
    assert_true(wg_extent_of(splat, 0) == n);
    wg_var truth = wg_lt(wg_number(g, WG_F32, 1), 2);
    assert_true(value_is_splat_of(&g->t, truth.id, 1));
    assert_int_equal(wg_type_of_var(truth).dtype, WG_BOOL);
    assert_int_equal(wg_graph_error(g)->status, WG_OK);
    wg_graph_free(g);
}

static void programs_have_no_dead_code(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), unused = wg_input(g, "unused", wg_f64(3));
    for (int i = 0; i < 10; i++) wg_cos(wg_mul(x, i + 2));
    wg_sum(unused);
    wg_output(g, "y", wg_sin(x));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    assert_int_equal(wg_program_length(p), 3); /* both inputs stay */
    assert_int_equal(wg_program_verify(p, &error), WG_OK);
    wg_program_free(p);
}

/* Many sizes and many checks, each asked for twice. */
static void sizes_and_checks_are_shared(void **state) {
    (void)state;
    enum { MANY = 300 };
    wg_graph *g = wg_graph_new();
    wg_extent size[MANY];
    for (int twice = 0; twice < 2; twice++) {
        for (int i = 0; i < MANY; i++) {
            char name[16];
            snprintf(name, sizeof name, "n%d", i);
            wg_extent n = wg_size(g, name);
            if (twice) assert_true(n == size[i]);
            size[i] = n;
        }
        for (int i = 1; i < MANY; i++) {
            graph_require(g, size[i - 1], size[i], true, "test");
            graph_require(g, size[i - 1], size[i], false, "test");
        }
        assert_int_equal(g->t.size.count, MANY);
        assert_int_equal(g->t.check.count, 2 * (MANY - 1));
    }
    assert_int_equal(wg_graph_error(g)->status, WG_OK);
    wg_graph_free(g);
}

static void names_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *name, *message;
    } bad[] = {
        {"", "test_graph.c:%d: an input without a name"},
        {"a,b", "test_graph.c:%d: an input cannot be named \"a,b\""},
        {"x", "test_graph.c:%d: there is an input \"x\" already"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char expected[128];
        wg_graph *g = wg_graph_new();
        wg_input(g, "x", wg_f64());
        int line = __LINE__ + 1;
        wg_input(g, bad[i].name, wg_f64());
        snprintf(expected, sizeof expected, bad[i].message, line);
        assert_int_equal(wg_graph_error(g)->status, WG_ENAME);
        assert_memory_equal(wg_graph_error(g)->message, expected, strlen(expected));
        wg_graph_free(g);
    }
}

static void a_program_needs_an_output(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_input(g, "x", wg_f64());
    assert_null(wg_build(g, &error));
    assert_int_equal(error.status, WG_EARGUMENT);
    assert_non_null(strstr(error.message, "a program without outputs"));
}

static void the_first_error_stays(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(3)), y = wg_input(g, "y", wg_f64(4));
    wg_var z = wg_add(x, y);
    wg_var w = wg_matmul(z, wg_sin(z));
    wg_output(g, "w", w);
    assert_null(wg_build(g, &error));
    assert_int_equal(error.status, WG_ESHAPE);
    assert_non_null(strstr(error.message, "add"));
    /* and nothing that receives it does anything */
    assert_null(wg_grad(NULL, NULL, &error));
    assert_null(wg_compile(NULL, NULL, &error));
    assert_non_null(strstr(error.message, "add"));
}

static void programs_are_parts_of_programs(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n));
    wg_output(g, "s", wg_sum(wg_square(x)));
    wg_program *square = wg_build(g, &error), *grad = wg_grad(square, NULL, &error);
    g = wg_graph_new();
    wg_var v = wg_input(g, "v", wg_f64(5)), out;
    wg_apply(g, grad, &v, &out);
    wg_output(g, "step", wg_sub(v, wg_mul(0.1, out)));
    wg_program *step = wg_build(g, &error);
    assert_ok(error);
    assert_int_equal(wg_size_count(step), 0);
    assert_int_equal(wg_output_type(step, 0).extent[0], 5);
    wg_program_free(square);
    wg_program_free(step);
    g = wg_graph_new();
    wg_var bad = wg_input(g, "v", wg_f32(5));
    wg_apply(g, grad, &bad, &out);
    assert_int_equal(wg_graph_error(g)->status, WG_EDTYPE);
    assert_non_null(
        strstr(wg_graph_error(g)->message, "apply: input \"x\" is f64[5], given f32[5]"));
    wg_graph_free(g);
    wg_program_free(grad);

    g = wg_graph_new(); /* what could not be derived gives no results, and nobody reads them */
    wg_var none = {0};
    v = wg_input(g, "v", wg_f64(5));
    wg_apply(g, NULL, &v, &none);
    wg_output(g, "y", wg_sub(v, wg_transpose(none)));
    assert_null(wg_build(g, &error));
    assert_int_equal(error.status, WG_EARGUMENT);
    assert_non_null(strstr(error.message, "apply: the program is NULL"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_instructions_are_one_value),
        cmocka_unit_test(equal_tensors_are_one_constant),
        cmocka_unit_test(constants_are_folded),
        cmocka_unit_test(programs_have_no_dead_code),
        cmocka_unit_test(sizes_and_checks_are_shared),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(a_program_needs_an_output),
        cmocka_unit_test(the_first_error_stays),
        cmocka_unit_test(programs_are_parts_of_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
