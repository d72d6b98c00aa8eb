/* The derivatives as programs: what they name their inputs and outputs, what they select, what they
 * say where there is no derivative, and how they nest. That their numbers are right is the matter
 * of tests/property. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The names of a program, "x, y -> z". */
static const char *names(const wg_program *p) {
    static char text[256];
    size_t at = 0;
    for (size_t i = 0; i < wg_input_count(p); i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? ", " : "",
                               wg_input_name(p, i));
    at += (size_t)snprintf(text + at, sizeof text - at, " -> ");
    for (size_t i = 0; i < wg_output_count(p); i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? ", " : "",
                               wg_output_name(p, i));
    return text;
}

/* x f64, v f64[n], k i32 -> y = sin(x) sum(v), z = v x, c = k + 1 */
static wg_program *mixed_program(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), v = wg_input(g, "v", wg_f64(wg_size(g, "n")));
    wg_var k = wg_input(g, "k", wg_i32());
    wg_output(g, "y", wg_mul(wg_sin(x), wg_sum(v)));
    wg_output(g, "z", wg_mul(v, x));
    wg_output(g, "c", wg_add(k, 1));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

/* EXPECT_NAMES("...", call on p and &error), where the function has an error */
#define EXPECT_NAMES(text, call)                                                                   \
    do {                                                                                           \
        error = (wg_error){0};                                                                     \
        wg_program *q = call;                                                                      \
        assert_ok(error);                                                                          \
        assert_string_equal(names(q), text);                                                       \
        wg_program_free(q);                                                                        \
    } while (0)

static void inputs_and_outputs_are_named(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = mixed_program();
    EXPECT_NAMES("x, v, k, x_dot, v_dot -> y, z, c, y_dot, z_dot", wg_jvp(p, NULL, NULL, &error));
    EXPECT_NAMES("x, v, k, v_dot -> y, z, c, z_dot", wg_jvp(p, "z", "v", &error));
    EXPECT_NAMES("x, v, k, y_bar, z_bar -> y, z, c, x_bar, v_bar", wg_vjp(p, NULL, NULL, &error));
    EXPECT_NAMES("x, v, k, z_bar, y_bar -> y, z, c, v_bar, x_bar",
                 wg_vjp(p, "z, y", "v,x", &error));
    EXPECT_NAMES("x, v, k -> dv, dx", wg_grad(p, " v , x ", &error));
    EXPECT_NAMES("x, v, k -> y, z, c, dx, dv", wg_value_and_grad(p, NULL, &error));
    EXPECT_NAMES("x, v, k, x_dot, v_dot -> Hx, Hv", wg_hvp(p, NULL, &error));
    EXPECT_NAMES("x, v, k, v_dot, x_dot -> Hv, Hx", wg_hvp(p, "v, x", &error));
    EXPECT_NAMES("x, v, k -> dy_dx, dy_dv, dz_dx, dz_dv",
                 wg_jacobian(p, NULL, NULL, WG_FORWARD, &error));
    EXPECT_NAMES("x, v, k -> dz_dv, dz_dx, dy_dv, dy_dx",
                 wg_jacobian(p, "z,y", "v,x", WG_REVERSE, &error));
    EXPECT_NAMES("x, v, k -> d2y_dx_dx, d2y_dx_dv, d2y_dv_dx, d2y_dv_dv",
                 wg_hessian(p, NULL, &error));
    wg_program_free(p);
}

/* A name that is taken gets a number, so that transformations nest whatever the program's names. */
static void taken_names_get_numbers(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), t = wg_input(g, "x_dot", wg_f64());
    wg_output(g, "y", wg_mul(x, t));
    wg_output(g, "dx", wg_add(x, t));
    wg_program *p = wg_build(g, &error), *once = wg_jvp(p, "y", "x", &error);
    assert_ok(error);
    EXPECT_NAMES("x, x_dot, x_dot_2 -> y, dx, y_dot", wg_jvp(p, "y", "x", &error));
    EXPECT_NAMES("x, x_dot, x_dot_2, x_dot_3 -> y, dx, y_dot, y_dot_2",
                 wg_jvp(once, "y", "x", &error));
    EXPECT_NAMES("x, x_dot -> y, dx, dx_2", wg_value_and_grad(p, "x", &error));
    wg_program_free(p);
    wg_program_free(once);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void errors_say_what_there_is(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = mixed_program();
    EXPECT_ERROR(WG_ENAME, "there is no input \"q\"\n  hint: the inputs are x, v, k",
                 wg_jvp(p, NULL, "x, q", &error));
    EXPECT_ERROR(WG_ENAME, "there is no output \"\"\n  hint: the outputs are y, z, c",
                 wg_vjp(p, "y,,z", NULL, &error));
    EXPECT_ERROR(WG_ENAME, "input \"x\" is named twice", wg_grad(p, "x, v, x", &error));
    EXPECT_ERROR(WG_EDTYPE, "input \"k\" is of type i32, which has no derivatives",
                 wg_hessian(p, "x, k", &error));
    EXPECT_ERROR(WG_EDTYPE, "output \"c\" is of type i32, which has no derivatives",
                 wg_jacobian(p, "c", NULL, WG_AUTO_MODE, &error));
    EXPECT_ERROR(WG_EDTYPE, "no input of a floating type to differentiate",
                 wg_jvp(p, NULL, "", &error));
    EXPECT_ERROR(WG_EARGUMENT, "the program to transform is NULL", wg_hvp(NULL, NULL, &error));
    EXPECT_ERROR(WG_EARGUMENT, "the program to transform is NULL",
                 wg_jacobian(NULL, NULL, NULL, WG_AUTO_MODE, &error));
    error = (wg_error){0};
    assert_int_equal(wg_jacobian_mode(p, "q", NULL, &error), WG_AUTO_MODE);
    assert_string_equal(error.message, "there is no output \"q\"\n  hint: the outputs are y, z, c");
    /* without an error to fill, and with one that is filled already, nothing happens */
    assert_null(wg_jvp(p, NULL, "q", NULL));
    assert_null(wg_grad(p, NULL, &error));
    assert_int_equal(error.status, WG_ENAME);
    wg_program_free(p);
}

static void gradients_are_of_scalars(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f32(wg_size(g, "n"), 3));
    wg_output(g, "y", wg_sin_at("a.c", 7, x));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    EXPECT_ERROR(WG_ESHAPE,
                 "a.c:7: gradient: output \"y\" is f32[n,3], not a floating scalar\n"
                 "  hint: sum it, or ask for a Jacobian",
                 wg_grad(p, NULL, &error));
    wg_program_free(p);
}

static void jacobians_have_at_most_eight_axes(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_output(g, "y", wg_sin(wg_input(g, "x", wg_f64(1, 2, 1, 1, 1))));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    EXPECT_ERROR(WG_ESHAPE, "jacobian: ranks 5 and 5 together are more than 8 axes",
                 wg_jacobian(p, NULL, NULL, WG_REVERSE, &error));
    wg_program_free(p);
}

/* ---- mode ------------------------------------------------------------------------------------ */

static wg_mode mode_of(wg_extent (*in)(wg_graph *), wg_extent (*out)(wg_graph *)) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = in(g), m = out(g);
    wg_var x = wg_input(g, "x", wg_f64(n));
    wg_output(g, "y", wg_broadcast(wg_sum(x), m));
    wg_program *p = wg_build(g, &error);
    wg_mode mode = wg_jacobian_mode(p, NULL, NULL, &error);
    assert_ok(error);
    wg_program_free(p);
    return mode;
}

static wg_extent two(wg_graph *g) { return (void)g, 2; }
static wg_extent three(wg_graph *g) { return (void)g, 3; }
static wg_extent n(wg_graph *g) { return wg_size(g, "n"); }
static wg_extent m(wg_graph *g) { return wg_size(g, "m"); }
static wg_extent n_plus_1(wg_graph *g) { return wg_extent_add(g, n(g), 1); }
static wg_extent n_squared(wg_graph *g) { return wg_extent_mul(g, n(g), n(g)); }

static void the_fewer_sweeps_are_chosen(void **state) {
    (void)state;
    assert_int_equal(mode_of(two, three), WG_FORWARD);
    assert_int_equal(mode_of(three, two), WG_REVERSE);
    assert_int_equal(mode_of(two, two), WG_REVERSE);
    assert_int_equal(mode_of(three, n), WG_FORWARD); /* by degree, whatever n will be */
    assert_int_equal(mode_of(n, three), WG_REVERSE);
    assert_int_equal(mode_of(n, n_squared), WG_FORWARD);
    assert_int_equal(mode_of(n, n_plus_1), WG_FORWARD);
    assert_int_equal(mode_of(n_plus_1, n), WG_REVERSE);
    assert_int_equal(mode_of(n, m), WG_REVERSE); /* in doubt */
}

/* ---- nesting --------------------------------------------------------------------------------- */

static double value_of(const wg_program *p, size_t output, const double *input) {
    wg_error error = {0};
    const void *in[8];
    double out[16];
    void *at[16];
    wg_function *fn = wg_compile(p, NULL, &error);
    for (size_t i = 0; i < wg_input_count(p); i++) in[i] = &input[i];
    for (size_t i = 0; i < wg_output_count(p); i++) at[i] = &out[i];
    wg_call_with(fn, NULL, in, at, NULL, &error);
    assert_ok(error);
    wg_function_free(fn);
    return out[output];
}

static wg_program *forward(const wg_program *p, wg_error *error) {
    const char *last = wg_output_name(p, wg_output_count(p) - 1);
    return wg_jvp(p, last, "x", error);
}

static wg_program *reverse(const wg_program *p, wg_error *error) {
    const char *last = wg_output_name(p, wg_output_count(p) - 1);
    return wg_vjp(p, last, "x", error);
}

/* The fourth derivative of x^5 / 120 is x, by every sequence of the two modes: all other inputs of
 * the result are seeds. */
static void every_sequence_of_modes_gives_the_fourth_derivative(void **state) {
    (void)state;
    enum { ORDER = 4 };
    const double at[] = {0.75, 1, 1, 1, 1};
    for (unsigned sequence = 0; sequence < 1u << ORDER; sequence++) {
        wg_error error = {0};
        wg_graph *g = wg_graph_new();
        wg_var x = wg_input(g, "x", wg_f64());
        wg_output(g, "y", wg_div(wg_mul(wg_square(wg_square(x)), x), 120));
        wg_program *p = wg_build(g, &error);
        for (unsigned k = 0; k < ORDER; k++) {
            wg_program *next = (sequence >> k & 1 ? reverse : forward)(p, &error);
            wg_program_free(p);
            p = next;
        }
        assert_ok(error);
        double y = value_of(p, wg_output_count(p) - 1, at);
        assert_true(y > 0.75 - 1e-12 && y < 0.75 + 1e-12);
        wg_program_free(p);
    }
}

/* What does not depend on an input has the derivative zero, of its own shape. */
static void what_does_not_depend_is_zero(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), k = wg_input(g, "k", wg_i64());
    wg_output(g, "y", wg_mul(wg_cast(WG_F64, wg_cast(WG_I64, x)), wg_cast(WG_F64, k)));
    wg_output(g, "x_again", x);
    wg_program *p = wg_build(g, &error), *grad = wg_grad(p, NULL, &error);
    wg_program *j = wg_jacobian(p, NULL, NULL, WG_AUTO_MODE, &error);
    assert_ok(error);
    int64_t three_bits = 3;
    double at[2] = {2.5};
    memcpy(&at[1], &three_bits, sizeof three_bits);
    assert_true(value_of(p, 0, at) == 6);
    assert_true(value_of(grad, 0, at) == 0);
    assert_true(value_of(j, 0, at) == 0 && value_of(j, 1, at) == 1);
    wg_program_free(p);
    wg_program_free(grad);
    wg_program_free(j);
}

/* ---- size ------------------------------------------------------------------------------------ */

static size_t occurrences(const wg_program *p, const char *word) {
    wg_error error = {0};
    wg_text text = {0};
    size_t count = 0;
    wg_program_print(p, &text, &error);
    assert_ok(error);
    for (const char *c = text.data; (c = strstr(c, word)); c++) count++;
    wg_text_free(&text);
    return count;
}

/* Every sweep of a Jacobian brings the program in: its constants and what is made of them stay
 * one. */
static void sweeps_share_constants(void **state) {
    (void)state;
    static const double table[] = {1, 2, 3, 4};
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(4));
    wg_var y = wg_sin(wg_mul(x, wg_constant(g, wg_f64(4), table)));
    static const char *const name[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) wg_output(g, name[i], wg_sum(wg_slice(y, 0, i, i + 1, 1)));
    wg_program *p = wg_build(g, &error), *j = wg_jacobian(p, NULL, NULL, WG_REVERSE, &error);
    assert_ok(error);
    assert_int_equal(occurrences(j, "= data ["), 1);
    assert_int_equal(occurrences(j, "= cos "), 1);
    wg_program_free(p);
    wg_program_free(j);
}

/* Derivatives by very many inputs take time in proportion: with a search in all names for each
 * name this test would last half a minute. */
static void many_inputs_take_no_search(void **state) {
    (void)state;
    enum { MANY = 50000 };
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var y = wg_number(g, WG_F64, 1);
    char *list = malloc(MANY * 8), *end = list;
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        end += sprintf(end, "%s%s", i ? "," : "", name);
        y = wg_add(y, wg_square(wg_input(g, name, wg_f64())));
    }
    wg_output(g, "y", y);
    clock_t begin = clock();
    wg_program *p = wg_build(g, &error);
    wg_program *j = wg_jacobian(p, NULL, list, WG_REVERSE, &error);
    assert_ok(error);
    assert_int_equal(wg_output_count(j), MANY);
    assert_string_equal(wg_output_name(j, MANY - 1), "dy_dx49999");
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 8);
    wg_program_free(p);
    wg_program_free(j);
    free(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_and_outputs_are_named),
        cmocka_unit_test(taken_names_get_numbers),
        cmocka_unit_test(errors_say_what_there_is),
        cmocka_unit_test(gradients_are_of_scalars),
        cmocka_unit_test(jacobians_have_at_most_eight_axes),
        cmocka_unit_test(the_fewer_sweeps_are_chosen),
        cmocka_unit_test(every_sequence_of_modes_gives_the_fourth_derivative),
        cmocka_unit_test(what_does_not_depend_is_zero),
        cmocka_unit_test(sweeps_share_constants),
        cmocka_unit_test(many_inputs_take_no_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
