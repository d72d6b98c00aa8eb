/* vmap and specialize: sizes, names, errors, and batches of batches of every operation. */
#include "support/op_check.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

/* x f64[n], y f64 -> z = x[1:] y, with a check that n is at least 1 */
static wg_program *sliced(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), y = wg_input(g, "y", wg_f64());
    wg_output(g, "z", wg_mul(wg_slice(x, 0, 1, n, 1), y));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static void expect_type(const wg_program *p, wg_type type, const char *expected) {
    wg_text text = {0};
    assert_int_equal(wg_type_text(p, type, &text), WG_OK);
    assert_string_equal(text.data, expected);
    wg_text_free(&text);
}

static void vmap_adds_a_leading_size(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = sliced(), *all = wg_vmap(p, NULL, "b", &error);
    wg_program *one = wg_vmap(p, "y", "b", &error), *none = wg_vmap(p, "", "b", &error);
    wg_program *twice = wg_vmap(one, "x", "c", &error);
    assert_ok(error);
    expect_type(all, wg_input_type(all, 0), "f64[b,n]");
    expect_type(all, wg_input_type(all, 1), "f64[b]");
    expect_type(all, wg_output_type(all, 0), "f64[b,n-1]");
    expect_type(one, wg_input_type(one, 0), "f64[n]");
    expect_type(one, wg_output_type(one, 0), "f64[b,n-1]");
    expect_type(none, wg_input_type(none, 1), "f64");
    expect_type(none, wg_output_type(none, 0), "f64[b,n-1]");
    expect_type(twice, wg_input_type(twice, 0), "f64[c,n]");
    expect_type(twice, wg_output_type(twice, 0), "f64[c,b,n-1]");
    assert_string_equal(wg_size_name(twice, 2), "c");
    wg_program_free(p);
    wg_program_free(all);
    wg_program_free(one);
    wg_program_free(none);
    wg_program_free(twice);
}

/* z = A x for A f64[2,3], along other axes than the leading one. */
static void vmap_takes_and_gives_any_axis(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input(g, "A", wg_f64(2, 3)), x = wg_input(g, "x", wg_f64(3));
    wg_output(g, "z", wg_matmul(a, x));
    wg_output(g, "s", wg_sum(a));
    wg_program *p = wg_build(g, &error);
    wg_program *q = wg_vmap_axes(p, "x:1", "s:none, z:-1", "b", &error);
    wg_program *both = wg_vmap(p, "A:-1, x", "b", &error);
    assert_ok(error);
    expect_type(q, wg_input_type(q, 0), "f64[2,3]");
    expect_type(q, wg_input_type(q, 1), "f64[3,b]");
    expect_type(q, wg_output_type(q, 0), "f64[2,b]");
    expect_type(q, wg_output_type(q, 1), "f64");
    expect_type(both, wg_input_type(both, 0), "f64[2,3,b]");
    expect_type(both, wg_output_type(both, 0), "f64[b,2]");
    const double A[6] = {1, 2, 3, 4, 5, 6}, X[6] = {1, -1, 0, 2, 1, 0.5}; /* columns of x */
    double z[4], s;
    wg_function *fn = wg_compile(q, NULL, &error);
    assert_ok(error);
    wg_call_with(fn, (int64_t[]){2}, (const void *[]){A, X}, (void *[]){z, &s}, NULL, &error);
    assert_ok(error);
    const double expected[4] = {4, 4.5, 10, 9};
    for (size_t i = 0; i < 4; i++) assert_true(z[i] == expected[i]);
    assert_true(s == 21);
    static const char *const bad[][2] = {{"x:2", NULL},  {"x:", NULL},    {"x:none", NULL},
                                         {"x:-3", NULL}, {"x", "z:none"}, {"x", "z:2"},
                                         {"x:1b", NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wg_error why = {0};
        assert_null(wg_vmap_axes(p, bad[i][0], bad[i][1], "b", &why));
        assert_int_equal(why.status, WG_EARGUMENT);
    }
    wg_function_free(fn);
    wg_program_free(p);
    wg_program_free(q);
    wg_program_free(both);
}

static void specialize_fixes_sizes(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = sliced(), *b = wg_vmap(p, NULL, "b", &error);
    wg_program *q = wg_specialize(b, " n = 3 ", &error), *r = wg_specialize(b, "b=2,n=1", &error);
    wg_program *same = wg_specialize(b, NULL, &error);
    assert_ok(error);
    expect_type(q, wg_output_type(q, 0), "f64[b,2]");
    assert_int_equal(wg_size_count(q), 1);
    expect_type(r, wg_output_type(r, 0), "f64[2,0]");
    assert_int_equal(wg_size_count(r), 0);
    assert_int_equal(wg_size_count(same), 2);
    wg_program_free(p);
    wg_program_free(b);
    wg_program_free(q);
    wg_program_free(r);
    wg_program_free(same);
}

static void errors_say_what_is_wrong(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = sliced();
    EXPECT_ERROR(WG_ENAME, "vmap: the new size needs a name", wg_vmap(p, NULL, NULL, &error));
    EXPECT_ERROR(WG_ENAME, "vmap: there is a size \"n\" already", wg_vmap(p, NULL, "n", &error));
    EXPECT_ERROR(WG_ENAME,
                 "a size cannot be named \"2b\"\n"
                 "  hint: letters, digits, '_' and '.', not beginning with a digit",
                 wg_vmap(p, NULL, "2b", &error));
    EXPECT_ERROR(WG_ENAME, "there is no input \"q\"\n  hint: the inputs are x, y",
                 wg_vmap(p, "x, q", "b", &error));
    EXPECT_ERROR(WG_EARGUMENT, "the program to transform is NULL",
                 wg_vmap(NULL, NULL, "b", &error));
    EXPECT_ERROR(WG_EARGUMENT, "the program to transform is NULL",
                 wg_specialize(NULL, "n=1", &error));
    EXPECT_ERROR(WG_ESYNTAX, "specialize: \"n\" is not of the form size=number",
                 wg_specialize(p, "n", &error));
    EXPECT_ERROR(WG_ENAME, "specialize: there is no size \"m\"", wg_specialize(p, "m=3", &error));
    EXPECT_ERROR(WG_ENAME, "specialize: size \"n\" is given twice",
                 wg_specialize(p, "n=3, n=3", &error));
    EXPECT_ERROR(WG_EARGUMENT, "specialize: n needs a number that is at least 0",
                 wg_specialize(p, "n=-1", &error));
    EXPECT_ERROR(WG_EARGUMENT, "specialize: n needs a number that is at least 0",
                 wg_specialize(p, "n=", &error));
    EXPECT_ERROR(WG_EARGUMENT, "specialize: n needs a number that is at least 0",
                 wg_specialize(p, "n=9223372036854775808", &error));
    wg_program_free(p);
}

/* A name of any length is read whole, and so is the number behind it. */
static void long_names_keep_their_numbers(void **state) {
    (void)state;
    char name[121], list[160];
    memset(name, 'n', 120);
    name[120] = 0;
    strcat(strcpy(list, name), "=123456");
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_output(g, "y", wg_sin(wg_input(g, "x", wg_f64(wg_size(g, name)))));
    wg_program *p = wg_build(g, &error), *q = wg_specialize(p, list, &error);
    assert_ok(error);
    expect_type(q, wg_output_type(q, 0), "f64[123456]");
    wg_program_free(p);
    wg_program_free(q);
}

/* What a check refuses at a call is refused when the size is fixed, with the line that asked. */
static void specialize_decides_checks(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = sliced();
    assert_null(wg_specialize(p, "n=0", &error));
    assert_int_equal(error.status, WG_ESHAPE);
    assert_non_null(strstr(error.message, "test_resize.c:"));
    wg_program_free(p);

    error = (wg_error){0};
    wg_graph *g = wg_graph_new();
    wg_extent less = wg_extent_sub(g, wg_size(g, "n"), 3);
    wg_output(g, "y", wg_sin(wg_input_at("a.c", 7, g, "x", wg_f64(2, less))));
    p = wg_build(g, &error);
    assert_ok(error);
    EXPECT_ERROR(WG_ESHAPE,
                 "a.c:7: specialize: axis 1 of input \"x\" would have a negative extent",
                 wg_specialize(p, "n=2", &error));
    wg_program_free(p);
}

/* ---- batches of batches ---------------------------------------------------------------------- */

enum { OUTER = 2, INNER = 3, ARGUMENTS = 4 };

static int64_t elements(wg_type type) {
    int64_t count = 1;
    for (int i = 0; i < type.rank; i++) count *= type.extent[i];
    return count;
}

static void draw(wg_type type, void *data, double low, double high, wg_random *random) {
    for (int64_t i = 0; i < elements(type); i++) {
        double u = wg_random_uniform(random), whole = low + (double)(int)((high - low + 1) * u);
        switch ((wg_dtype)type.dtype) {
        case WG_BOOL: ((uint8_t *)data)[i] = u < 0.5; break;
        case WG_I32: ((int32_t *)data)[i] = (int32_t)whole; break;
        case WG_I64: ((int64_t *)data)[i] = (int64_t)whole; break;
        case WG_F32: ((float *)data)[i] = (float)(low + (high - low) * u); break;
        case WG_F64: ((double *)data)[i] = low + (high - low) * u; break;
        }
    }
}

static double element(wg_type type, const void *data, int64_t i) {
    switch ((wg_dtype)type.dtype) {
    case WG_BOOL: return ((const uint8_t *)data)[i];
    case WG_I32: return ((const int32_t *)data)[i];
    case WG_I64: return (double)((const int64_t *)data)[i];
    case WG_F32: return (double)((const float *)data)[i];
    case WG_F64: return ((const double *)data)[i];
    }
    return 0;
}

static void *room(wg_type type) {
    void *data = calloc((size_t)elements(type) + 1, 8);
    assert_non_null(data);
    return data;
}

static const char *listed(const wg_program *p, unsigned mask, char *list) {
    list[0] = 0;
    for (size_t i = 0; i < wg_input_count(p); i++)
        if (mask >> i & 1) strcat(strcat(list, wg_input_name(p, i)), ",");
    return list;
}

/* p mapped over the inputs of one mask, and the result over those of the other, against p itself.
 * The two axes of an input stand in front, outer first, where it has them. */
static void check_masks(const char *what, const wg_program *p, unsigned inner, unsigned outer,
                        const double *low, const double *high, wg_random *random) {
    char list[64];
    wg_error error = {0};
    wg_program *once = wg_vmap(p, listed(p, inner, list), "I", &error);
    wg_program *twice = wg_vmap(once, listed(p, outer, list), "O", &error);
    wg_program *fixed = wg_specialize(twice, "I=3, O=2", &error);
    wg_function *mapped = wg_compile(fixed, NULL, &error), *alone = wg_compile(p, NULL, &error);
    if (error.status) fail_msg("%s, %u and %u: %s", what, inner, outer, error.message);
    void *in[ARGUMENTS], *out[ARGUMENTS], *y[ARGUMENTS];
    const void *x[ARGUMENTS];
    size_t inputs = wg_input_count(p), outputs = wg_output_count(p);
    for (size_t i = 0; i < inputs; i++) {
        in[i] = room(wg_input_type(fixed, i));
        draw(wg_input_type(fixed, i), in[i], low[i], high[i], random);
    }
    for (size_t i = 0; i < outputs; i++) {
        out[i] = room(wg_output_type(fixed, i));
        y[i] = room(wg_output_type(p, i));
    }
    wg_call_with(mapped, NULL, (const void *const *)in, out, NULL, &error);
    for (int o = 0; o < OUTER && !error.status; o++)
        for (int k = 0; k < INNER; k++) {
            for (size_t i = 0; i < inputs; i++) {
                wg_type type = wg_input_type(p, i);
                int64_t at = (outer >> i & 1 ? o : 0) * (inner >> i & 1 ? INNER : 1) +
                             (inner >> i & 1 ? k : 0);
                x[i] = (char *)in[i] + (size_t)(at * elements(type)) *
                                           wg_dtype_size((wg_dtype)type.dtype);
            }
            wg_call_with(alone, NULL, x, y, NULL, &error);
            for (size_t i = 0; i < outputs; i++) {
                wg_type type = wg_output_type(p, i);
                int64_t count = elements(type);
                for (int64_t j = 0; j < count; j++) {
                    double a = element(type, y[i], j);
                    double b = element(type, out[i], (o * INNER + k) * count + j);
                    double gap = a > b ? a - b : b - a, size = a > 0 ? a : -a;
                    if (a == b || (a != a && b != b) || gap <= 1e-11 * (1 + size)) continue;
                    fail_msg("%s, %u and %u: %.17g alone, %.17g batched", what, inner, outer, a, b);
                }
            }
        }
    /* nothing has a largest element, with or without examples */
    if (error.status) assert_int_not_equal(wg_call(alone, NULL, (const void *const *)in, y), WG_OK);
    for (size_t i = 0; i < inputs; i++) free(in[i]);
    for (size_t i = 0; i < outputs; i++) free(out[i]), free(y[i]);
    wg_function_free(mapped);
    wg_function_free(alone);
    wg_program_free(once);
    wg_program_free(twice);
    wg_program_free(fixed);
}

static void check_sample(unsigned op, const struct op_sample *sample, void *ctx) {
    static const char *const name[] = {"x0", "x1", "x2"};
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    value x[3];
    double low[ARGUMENTS] = {-1, -1, -1, -1}, high[ARGUMENTS] = {1, 1, 1, 1};
    for (size_t i = 0; i < sample->narg && i < 3; i++) {
        x[i] = graph_input(g, name[i], &sample->arg[i]);
        low[i] = sample->low[i];
        high[i] = sample->high[i];
    }
    graph_output(g, "y", sample->make ? sample->make(g, x)
                                      : graph_emit(g, op, 0, x, sample->narg));
    wg_program *p = wg_build(g, &error);
    if (error.status) fail_msg("%s: %s", op_def(op)->name, error.message);
    error = (wg_error){0};
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error); /* some have none */
    for (int k = 0; k < 2; k++) {
        const wg_program *q = k ? vjp : p;
        size_t inputs = wg_input_count(q);
        if (!q || inputs > 3 || wg_output_count(q) > ARGUMENTS || wg_size_count(q)) continue;
        for (unsigned masks = 0; masks < 1u << 2 * inputs; masks++)
            check_masks(op_def(op)->name, q, masks >> inputs, masks & ((1u << inputs) - 1), low,
                        high, ctx);
    }
    wg_program_free(p);
    wg_program_free(vjp);
}

static void batches_of_batches_equal_loops(void **state) {
    (void)state;
    wg_random random = wg_random_seed(3);
    op_each_sample(check_sample, &random);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vmap_adds_a_leading_size),
        cmocka_unit_test(vmap_takes_and_gives_any_axis),
        cmocka_unit_test(specialize_fixes_sizes),
        cmocka_unit_test(errors_say_what_is_wrong),
        cmocka_unit_test(long_names_keep_their_numbers),
        cmocka_unit_test(specialize_decides_checks),
        cmocka_unit_test(batches_of_batches_equal_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
