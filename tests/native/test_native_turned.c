/* Loops that read operands across their rows: against the interpreter around the sizes of the parts
 * in which they are done, in place, by several threads; and which loops are. */
#include "native/around.h"

static size_t copies(const wg_program *p) {
    return count_lowered(p, "WG_SOON(from");
}

/* ---- results --------------------------------------------------------------------------------- */

static const char *const formulas[] = {
    "f(x[n,2*n+1]) = x'",
    "f(x[n,2*n+1]: f32) = x'",
    "f(x[n,n+3], y[n+3,n]) = exp(x') + y*2",
    "f(x[n,n+1], y[n,n+1], z[n]: f32) = x' * y' + exp(y') - x[::-1,:]' * f64(z)",
    "f(x[n,n+70]: f32, y[n,n+70]) = { a = f64(x') + y'; b = f64(x')*y' }",
    "f(x[n,3,n+5]) = transpose(x) * 3",
    "f(x[n,3,n+5]) = transpose(x, 1, 2, 0) + 1",
    "f(x[n,2,n+5]) = { a = transpose(x, 2, 1, 0); b = exp(a) }",
    "f(x[n,n+2]) = sum(tanh(x[:,1:]') * x[:,:-1]')",
    "f(x[n,n+2], y[n+2,n]) = softmax(x' + y, axis=1)",
    "f(x[n,40], y[40,n]) = { a = x'; b = x' * y; c = x + y' }",
    "f(x[n,5], y[n,5]) = concat(x', y', axis=0)",
    "f(x[n,n+1], y[n+1], z[n]) = (x*y)'[:n,:] * z",
    "f(x[n,20], y[n,20]) = where(x' > y', x', 0)",
    "f(x[n,70]) = { a = i32(x*9); b = a' * 3; c = i64(a') + i64(x')*2; d = f64(a') * x' }",
    "f(x[n,130]) = { a = x > 0.5; b = not a'; c = f32(a') / 2 }",
};

static void results_are_the_interpreters(void **state) {
    static const int64_t sizes[] = {0, 1, 7, 8, 15, 16, 17, 63, 64, 65, 128, 131, 255, 300};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(formulas); i++)
        compare_formula_around(formulas[i], sizes, COUNT_OF(sizes));
}

/* Of an output that takes the place of an operand each element is read before it is written. */
static void outputs_take_the_place_of_inputs(void **state) {
    (void)state;
    enum { N = 83, M = 75 };
    wg_error error = {0};
    wg_program *p = test_parse("f(x[n,75], y[75,n]) = x' * 3 + y * y");
    wg_options options = {.backend = WG_NATIVE, .donate = "f=y", .flags = exactly};
    wg_function *in_place = wg_compile(p, &options, &error);
    assert_ok(error);
    static double x[N * M], y[M * N], expected[M * N];
    for (int i = 0; i < N * M; i++) {
        x[i] = i % 97;
        y[i] = i % 89;
    }
    for (int i = 0; i < M; i++)
        for (int k = 0; k < N; k++)
            expected[i * N + k] = x[k * M + i] * 3 + y[i * N + k] * y[i * N + k];
    const int64_t n = N;
    wg_call_with(in_place, &n, (const void *[]){x, y}, (void *[]){y}, NULL, &error);
    assert_ok(error);
    assert_memory_equal(y, expected, sizeof y);
    wg_function_free(in_place);
    wg_program_free(p);
}

/* ---- which are done so ----------------------------------------------------------------------- */

static void operands_are_copied_where_that_helps(void **state) {
    static const struct {
        const char *formula;
        size_t copies;
    } loop[] = {
        {"f(x[n,m]) = x'", 1},
        {"f(x[n,m]) = x' * x'", 1}, /* the same operand */
        {"f(x[n,m]) = x' * x[::-1,:]'", 2},
        {"f(x[n,m], y[m,n]) = x' + y", 1},
        {"f(x[200,900]) = x' * 2", 0}, /* arithmetic that the cache serves */
        {"f(x[300,900]) = x' * 2", 1},
        {"f(x[200,900]) = exp(x')", 1},
        {"f(x[n,m], y[m,n]) = x + 2", 0},
        {"f(x[n,7]) = x'", 0},       /* a line of memory holds a row */
        {"f(x[15,n]) = x'", 0},      /* and has place for all lines that are read */
        {"f(x[60,60]) = x'", 0},     /* as the cache has */
        {"f(x[64,64]) = x'", 1},
        {"f(x[n]) = x + x[::-1]", 0}, /* one loop */
        {"f(x[n,12]: f32) = x'", 0}, /* a line holds more than a row */
        {"f(x[n,3,m]) = transpose(x)", 1},
        {"f(x[n,m,3]) = transpose(x, 1, 0, 2)", 0}, /* rows are moved whole */
        {"f(x[n,m], y[n], z[m,1]) = x' * y + z", 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(loop); i++) {
        wg_program *p = test_parse(loop[i].formula);
        if (copies(p) != loop[i].copies)
            fail_msg("%s: %zu copies, not %zu", loop[i].formula, copies(p), loop[i].copies);
        wg_program_free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(results_are_the_interpreters),
                                       cmocka_unit_test(outputs_take_the_place_of_inputs),
                                       cmocka_unit_test(operands_are_copied_where_that_helps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
