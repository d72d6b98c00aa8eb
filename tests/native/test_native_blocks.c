/* Loops that are cut where a mathematical function follows another: against the interpreter around
 * the lengths of blocks, in place, by several threads; and which loops are cut. */
#include "native/around.h"

static size_t buffers(const wg_program *p) {
    return count_lowered(p, "[WG_BLOCK] WG_ALIGNED;");
}

static const char chain[] = "f(x[n]) = sin(exp(tanh(x)))";

/* ---- results --------------------------------------------------------------------------------- */

static const char *const formulas[] = {
    chain,
    "f(x[n], y[n]) = sum(sin(exp(tanh(x))*log1p(y^2)))",
    "f(x[n]) = { a = exp(sin(x)); b = tanh(a*x); c = max(b*exp(b)); d = sum(log1p(exp(b))) }",
    "f(x[n], y[n]) = concat(sin(exp(x)), tanh(exp(y)), x*y, axis=0)",
    "f(x[n]) = { m = cos(exp(x)) > 0.5; y = where(tanh(exp(x)) > 0.7, x, exp(-exp(x))) }",
    "f(x[3,n]) = { a = sum(exp(sin(exp(x))), axis=1); b = tanh(exp(x')) }",
    "f(x[n,5]) = softmax(tanh(exp(x)), axis=1)",
    "f(x[n]) = { let a = exp(x); let b = sin(a); let c = tanh(b); let d = exp(c)\n"
    "  let e = log1p(d); let f = exp(e - 2); let g = sin(f); let h = exp(g); let i = tanh(h)\n"
    "  let j = sin(i); let k = exp(j)\n"
    "  y = a*b*c*d*e*f*g*h*i*j*k }", /* waits for more than there are buffers */
};

static void results_are_the_interpreters(void **state) {
    static const int64_t sizes[] = {0, 1, 64, 511, 513, 1300, 1029};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(formulas); i++)
        compare_formula_around(formulas[i], sizes, COUNT_OF(sizes));
}

/* What a later loop reads of an input is not yet written over. */
static void outputs_take_the_place_of_inputs(void **state) {
    (void)state;
    enum { N = 1300 };
    wg_error error = {0};
    wg_program *p = test_parse("f(x[n], y[n]) = { a = exp(tanh(x) + y); b = sin(exp(x))*tanh(y) }");
    wg_options options = {.backend = WG_NATIVE, .donate = "a=x, b=y", .flags = exactly};
    wg_function *in_place = wg_compile(p, &options, &error);
    assert_ok(error);
    wg_function *interpreted = compile(p, WG_INTERPRET, 1, NULL);
    static double x[N], y[N], a[N], b[N];
    for (size_t i = 0; i < N; i++) {
        x[i] = (double)(i % 97) / 40 - 1;
        y[i] = (double)(i % 89) / 50 - 1;
    }
    const int64_t n = N;
    wg_call_with(interpreted, &n, (const void *[]){x, y}, (void *[]){a, b}, NULL, &error);
    wg_call_with(in_place, &n, (const void *[]){x, y}, (void *[]){x, y}, NULL, &error);
    assert_ok(error);
    assert_memory_equal(x, a, sizeof a);
    assert_memory_equal(y, b, sizeof b);
    wg_function_free(in_place);
    wg_function_free(interpreted);
    wg_program_free(p);
}

/* ---- which are cut --------------------------------------------------------------------------- */

static void loops_are_cut_between_functions(void **state) {
    static const struct {
        const char *formula;
        int64_t n; /* 0: a name */
        size_t buffers;
    } loop[] = {
        {chain, 0, 1}, /* used twice */
        {chain, 1000, 1},
        {chain, 40, 0},                                   /* too short */
        {"f(x[n]) = exp(x) + sin(x)*tanh(x)", 0, 0},      /* one behind the other, but not of it */
        {"f(x[n]) = exp(sqrt(abs(x)) + floor(x))", 0, 0}, /* that cost little */
        {"f(x[n]) = sum(sin(exp(x)))", 0, 1},
        {"f(x[n]) = sum(sin(x))", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(loop); i++) {
        wg_program *named = test_parse(loop[i].formula);
        wg_program *p = loop[i].n ? with_size(named, loop[i].n) : named;
        if (buffers(p) != loop[i].buffers)
            fail_msg("%s: %zu buffers, not %zu", loop[i].formula, buffers(p), loop[i].buffers);
        if (p != named) wg_program_free(p);
        wg_program_free(named);
    }
    wg_program *p = test_parse(formulas[COUNT_OF(formulas) - 1]);
    assert_int_equal(buffers(p), 0);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(results_are_the_interpreters),
                                       cmocka_unit_test(outputs_take_the_place_of_inputs),
                                       cmocka_unit_test(loops_are_cut_between_functions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
