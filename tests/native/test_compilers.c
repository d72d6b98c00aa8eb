/* Each compiler takes the flags that are meant for it, for loops and for long scalar code, and its
 * code gives what the interpreter does. Compilers that are not there are passed over. */
#include "base/base.h"
#include "run/run.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1001 };

static wg_program *loops(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(N));
    wg_output(g, "y", wg_formula(g, "sum(sin(x)*cos(3*x) + (x^2)^1.7 + erf(x))", "x", x, NULL));
    wg_program *p = wg_build(g, &error), *d = wg_value_and_grad(p, NULL, &error);
    assert_ok(error);
    wg_program_free(p);
    return d;
}

/* Long enough to be several functions. */
static wg_program *scalars(void) {
    enum { LENGTH = 3000 };
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(N)), y = wg_sum(x);
    for (int i = 0; i < LENGTH; i++) y = i % 7 ? wg_add(wg_mul(0.5, y), i) : wg_sin(y);
    wg_output(g, "y", y);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static void call(const wg_function *fn, const double *x, double *y, double *gradient) {
    wg_error error = {0};
    wg_call_with(fn, NULL, (const void *[]){x}, (void *[]){y, gradient}, NULL, &error);
    assert_ok(error);
}

static void compare(const wg_program *p, const char *compiler) {
    wg_error error = {0};
    double x[N], y[2], gradient[2][N] = {{0}};
    wg_function *fn[] = {wg_compile(p, NULL, &error),
                         wg_compile(p, &(wg_options){.backend = WG_NATIVE}, &error)};
    assert_ok(error);
    if (wg_function_note(fn[1])[0]) fail_msg("%s: %s", compiler, wg_function_note(fn[1]));
    for (int i = 0; i < N; i++) x[i] = 0.001 * i;
    for (int i = 0; i < 2; i++) call(fn[i], x, &y[i], gradient[i]);
    assert_true(fabs(y[1] - y[0]) <= 1e-12 * fabs(y[0]));
    for (int i = 0; i < N; i++) assert_true(fabs(gradient[1][i] - gradient[0][i]) <= 1e-12);
    wg_function_free(fn[0]);
    wg_function_free(fn[1]);
}

static bool is_there(const char *compiler, const wg_program *p) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, &(wg_options){.backend = WG_NATIVE}, &error);
    assert_ok(error);
    bool missing = strstr(wg_function_note(fn), "there is no compiler") != NULL;
    if (missing) print_message("without %s\n", compiler);
    wg_function_free(fn);
    return !missing;
}

static void each_takes_its_flags(void **state) {
    static const char *const compiler[] = {"gcc", "clang"};
    (void)state;
    const char *before = getenv("CC");
    char *kept = before ? strdup(before) : NULL;
    wg_program *p[] = {loops(), scalars()};
    for (size_t i = 0; i < COUNT_OF(compiler); i++) {
        setenv("CC", compiler[i], 1);
        for (size_t k = 0; k < COUNT_OF(p) && is_there(compiler[i], p[0]); k++)
            compare(p[k], compiler[i]);
    }
    if (kept) setenv("CC", kept, 1);
    else unsetenv("CC");
    free(kept);
    wg_program_free(p[0]);
    wg_program_free(p[1]);
}

#if defined(__x86_64__)
#define HAS_VECTORS __builtin_cpu_supports("avx2")
#else
#define HAS_VECTORS 0
#endif

/* gcc tells which loops it made vector code of. */
static void is_made_vectors_of(const wg_program *p) {
    char flags[NATIVE_FLAGS_SIZE];
    wg_error error = {0};
    snprintf(flags, sizeof flags, "%s -fopt-info-vec-optimized", native_usual_flags);
    wg_function *fn = wg_compile(p, &(wg_options){.backend = WG_NATIVE, .flags = flags}, &error);
    assert_ok(error);
    if (strncmp(wg_function_log(fn), "loaded", 6) != 0) /* not out of the cache */
        assert_non_null(strstr(wg_function_log(fn), "loop vectorized"));
    wg_function_free(fn);
}

/* Also loops with a choice between a function and a number, with comparisons that become numbers,
 * and the adjoints of such. */
static void choices_keep_loops_vectors(void **state) {
    (void)state;
    static const char *const formula[] = {
        "f(x[1000], y[1000]) = { let s = x^2 + y^2; let there = s != 0; "
        "let r = sqrt(where(there, s, 1)); let c = where(there, cos(r), 1); "
        "z = x*c + y*where(there, sin(r), 1) + (x/r)*(1 - c) }",
        "f(x[1000], y[1000]) = exp(x)*f64(x == y)",
    };
    setenv("CC", "gcc", 1);
    for (size_t i = 0; HAS_VECTORS && i < COUNT_OF(formula); i++) {
        wg_error error = {0};
        wg_program *p = wg_parse(formula[i], strlen(formula[i]), NULL, &error);
        wg_program *d = wg_vjp(p, NULL, NULL, &error);
        assert_ok(error);
        if (is_there("gcc", p)) {
            is_made_vectors_of(p);
            is_made_vectors_of(d);
        }
        wg_program_free(p);
        wg_program_free(d);
    }
    unsetenv("CC");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_takes_its_flags),
        cmocka_unit_test(choices_keep_loops_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
