/* Native code whose loops threads share: the same bits for every number of threads, and without
 * optimisation the interpreter's; several callers at once; code that goes while its threads wait;
 * a compiler without OpenMP. */
#include "base/base.h"
#include "support/random_program.h"
#include "support/scratch.h"
#include "support/test.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const int counts[] = {1, 2, 3, 8};
static const char plain[] = "-O0 -ffp-contract=off";
/* The same, and the usual flags, but that the shortest loops are shared too. */
#define SHARE_ALL " -DWG_MUCH=0 -DWG_PIECE=32"
static const char plain_shared[] = "-O0 -ffp-contract=off" SHARE_ALL;
static const char usual_shared[] = "-O3 -march=native -fno-math-errno -fno-trapping-math" SHARE_ALL;

static wg_function *compile(const wg_program *p, int threads, const char *flags) {
    wg_error error = {0};
    wg_options options = {.backend = WG_NATIVE, .threads = threads, .flags = flags};
    wg_function *fn = wg_compile(p, &options, &error);
    assert_ok(error);
    assert_string_equal(wg_function_note(fn), "");
    return fn;
}

static wg_tensor *run(const wg_function *fn, const wg_program *p, int64_t n,
                      const wg_tensor *input) {
    wg_error error = {0};
    wg_tensor *output = calloc(wg_output_count(p) + 1, sizeof *output);
    wg_run(fn, wg_size_count(p) ? &n : NULL, input, output, &error);
    assert_ok(error);
    return output;
}

/* NaN is NaN, whatever its bits. */
static bool same_element(const wg_tensor *x, const wg_tensor *y, int64_t k) {
    if (x->dtype == WG_F64) {
        const double *a = x->data, *b = y->data;
        return memcmp(&a[k], &b[k], sizeof *a) == 0 || (isnan(a[k]) && isnan(b[k]));
    }
    if (x->dtype == WG_F32) {
        const float *a = x->data, *b = y->data;
        return memcmp(&a[k], &b[k], sizeof *a) == 0 || (isnan(a[k]) && isnan(b[k]));
    }
    size_t width = wg_dtype_size((wg_dtype)x->dtype), at = (size_t)k * width;
    return memcmp((const char *)x->data + at, (const char *)y->data + at, width) == 0;
}

static void assert_same(const wg_program *p, const wg_tensor *x, const wg_tensor *y,
                        const char *what) {
    for (size_t i = 0; i < wg_output_count(p); i++)
        for (int64_t k = 0; k < wg_tensor_count(&x[i]); k++)
            if (!same_element(&x[i], &y[i], k))
                fail_msg("%s: output %s differs at %lld", what, wg_output_name(p, i), (long long)k);
}

/* One thread beside several, optimised; and not optimised, all of them beside the interpreter, but
 * where products of matrices agree with it within rounding only. */
static void check(const wg_program *p, int64_t n, const wg_tensor *input, bool share_all,
                  const char *what) {
    for (int optimised = 0; optimised < 2; optimised++) {
        wg_error error = {0};
        const char *flags = optimised ? share_all ? usual_shared : NULL
                            : share_all ? plain_shared : plain;
        bool native = optimised || has_products(p);
        wg_function *one = native ? compile(p, 1, flags) : wg_compile(p, NULL, &error);
        wg_tensor *expected = run(one, p, n, input);
        for (size_t i = 0; i < COUNT_OF(counts); i++) {
            char text[160];
            wg_function *many = compile(p, counts[i], flags);
            wg_tensor *got = run(many, p, n, input);
            snprintf(text, sizeof text, "%s, %d threads, %s", what, counts[i],
                     optimised ? "optimised" : "as interpreted");
            assert_same(p, expected, got, text);
            free_tensors(got, wg_output_count(p));
            wg_function_free(many); /* its threads wait for more */
        }
        free_tensors(expected, wg_output_count(p));
        wg_function_free(one);
    }
}

/* ---- formulas -------------------------------------------------------------------------------- */

/* x: f64[n] or f64[n,m] (m > 0), or of f32. */
static wg_program *program_of(const char *formula, wg_dtype dtype, int64_t m) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_type type = wg_type_of(dtype, m ? 2 : 1, (wg_extent[]){n, m});
    wg_output(g, "y", wg_formula(g, formula, "x", wg_input(g, "x", type), NULL));
    wg_program *p = wg_build(g, &error), *d = wg_value_and_grad(p, NULL, &error);
    assert_ok(error);
    wg_program_free(p);
    return d;
}

/* Among them zeros of either sign as the largest, and NaN where it is asked for. */
static double element(int64_t k, bool nan) {
    if (nan && k % 70001 == 70000) return (double)NAN;
    double x = (double)(k * 7919 % 10007) / 5000 - 2.001;
    return x > 0 ? (k % 2 ? 0.0 : -0.0) : x;
}

static wg_tensor tensor_of(wg_dtype dtype, int64_t n, int64_t m, bool nan) {
    int64_t count = n * (m ? m : 1);
    wg_tensor x = {.dtype = dtype, .rank = m ? 2 : 1, .shape = {n, m}};
    x.data = malloc((size_t)count * wg_dtype_size(dtype));
    for (int64_t k = 0; k < count; k++) {
        if (dtype == WG_F64) ((double *)x.data)[k] = element(k, nan);
        else ((float *)x.data)[k] = (float)element(k, nan);
    }
    return x;
}

static void threads_give_the_bits_of_one(void **state) {
    static const struct {
        const char *formula;
        int64_t n, m;
        wg_dtype dtype;
    } subject[] = {
        {"sum(sin(exp(tanh(x))*log1p(x^2)))", 140001, 0, WG_F64}, /* groups of blocks */
        {"sum(x)", 1100000, 0, WG_F64},                           /* more than one tile */
        {"max(x) + sum(x*x)", 140001, 0, WG_F32},
        {"logsumexp(x)", 70001, 0, WG_F64},
        {"sum(logsumexp(x, axis=1))", 3000, 37, WG_F64}, /* rows */
        {"sum(softmax(x, axis=1)^2)", 300, 700, WG_F32}, /* with buffers, of several blocks */
        {"sum(x'^2)", 400, 500, WG_F64},                 /* loops that do not join */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(subject); i++) {
        wg_dtype dtype = subject[i].dtype;
        wg_program *p = program_of(subject[i].formula, dtype, subject[i].m);
        for (int nan = 0; nan < 2; nan++) {
            wg_tensor x = tensor_of(dtype, subject[i].n, subject[i].m, nan);
            check(p, subject[i].n, &x, false, subject[i].formula);
            free(x.data);
        }
        wg_program_free(p);
    }
}

static void random_programs_do_too(void **state) {
    static const int64_t sizes[] = {0, 1, 17, 700};
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 25, false, NULL, &error);
        wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
        assert_ok(error);
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            wg_random random = wg_random_seed(seed);
            wg_tensor *input = random_inputs(vjp, sizes[i], &random);
            check(vjp, sizes[i], input, true, "random program");
            free_tensors(input, wg_input_count(vjp));
        }
        wg_program_free(vjp);
        wg_program_free(p);
    }
}

/* ---- callers --------------------------------------------------------------------------------- */

enum { CALLERS = 4, CALLS = 5, ROWS = 2000, COLUMNS = 60 };

struct caller {
    const wg_function *fn;
    const double *x, *gradient;
    double value;
    bool same;
};

static void *call(void *data) {
    struct caller *c = data;
    int64_t n = ROWS;
    size_t size = ROWS * COLUMNS * sizeof(double);
    double value, *gradient = malloc(size);
    void *workspace = wg_workspace_new(c->fn, &n, NULL);
    c->same = gradient && workspace;
    for (int i = 0; i < CALLS && c->same; i++) {
        wg_status status = wg_call_with(c->fn, &n, (const void *[]){c->x},
                                        (void *[]){&value, gradient}, workspace, NULL);
        c->same = status == WG_OK && value == c->value && !memcmp(gradient, c->gradient, size);
    }
    wg_workspace_free(workspace);
    free(gradient);
    return NULL;
}

static void callers_with_threads_of_their_own_do_not_meet(void **state) {
    (void)state;
    wg_program *p = program_of("sum(softmax(x, axis=1)^2)", WG_F64, COLUMNS);
    wg_function *one = compile(p, 1, NULL), *two = compile(p, 2, NULL);
    wg_tensor x = tensor_of(WG_F64, ROWS, COLUMNS, false);
    wg_tensor *expected = run(one, p, ROWS, &x);
    struct caller caller[CALLERS];
    pthread_t thread[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        caller[i] = (struct caller){two, x.data, expected[1].data,
                                    *(double *)expected[0].data, false};
        assert_int_equal(pthread_create(&thread[i], NULL, call, &caller[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_true(caller[i].same);
    }
    free_tensors(expected, wg_output_count(p));
    free(x.data);
    wg_function_free(one);
    wg_function_free(two);
    wg_program_free(p);
}

/* ---- code that goes ----------------------------------------------------------------------------- */

/* In a process of its own, which has not loaded OpenMP's library yet: it brings that along, compiled
 * for the first time and then from the cache, and goes. */
static int load_call_and_free(void) {
    wg_program *p = program_of("sum(exp(x))", WG_F64, 0);
    wg_tensor x = tensor_of(WG_F64, 4000, 0, false);
    wg_function *fn = compile(p, 2, plain_shared);
    wg_tensor *y = run(fn, p, 4000, &x);
    free_tensors(y, wg_output_count(p));
    wg_function_free(fn);
    usleep(100000); /* its threads wait for more */
    free(x.data);
    wg_program_free(p);
    return 0;
}

static void code_goes_while_its_threads_wait(void **state) {
    (void)state;
    char cache[256];
    assert_non_null(getcwd(cache, sizeof cache));
    for (int cached = 0; cached < 2; cached++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            setenv("WENGERT_CACHE", cache, 1);
            for (int k = 1; k < NSIG; k++) signal(k, SIG_DFL); /* not cmocka's */
            _exit(load_call_and_free());
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

/* ---- what is not there ----------------------------------------------------------------------- */

static void a_compiler_without_openmp_gives_one_thread(void **state) {
    (void)state;
    wg_error error = {0};
    char path[] = "/tmp/wengert-test-XXXXXX", cc[64];
    const char *before = getenv("CC");
    char *kept = before ? strdup(before) : NULL;
    assert_non_null(mkdtemp(path));
    snprintf(cc, sizeof cc, "%s/cc", path);
    FILE *file = fopen(cc, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\nfor word; do [ \"$word\" != -fopenmp ] || exit 7; done\n"
                  "exec %s \"$@\"\n", kept ? kept : "cc");
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(cc, 0700), 0);
    setenv("CC", cc, 1);
    wg_program *p = program_of("sum(exp(x))", WG_F64, 0);
    wg_options options = {.backend = WG_NATIVE, .threads = 2};
    wg_function *fn = wg_compile(p, &options, &error);
    assert_ok(error);
    assert_non_null(strstr(wg_function_note(fn), "one thread only"));
    assert_non_null(strstr(wg_function_note(fn), "exit status 7"));
    wg_tensor x = tensor_of(WG_F64, 70000, 0, false);
    wg_tensor *got = run(fn, p, 70000, &x);
    free_tensors(got, wg_output_count(p));
    free(x.data);
    wg_function_free(fn);
    wg_program_free(p);
    if (kept) setenv("CC", kept, 1);
    else unsetenv("CC");
    free(kept);
    unlink(cc);
    rmdir(path);
}

static void counts_of_threads_are_checked(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = program_of("sum(softmax(x, axis=1)^2)", WG_F64, 900);
    assert_null(wg_compile(p, &(wg_options){.backend = WG_NATIVE, .threads = -2}, &error));
    assert_int_equal(error.status, WG_EARGUMENT);
    size_t bytes[2];
    for (int i = 0; i < 2; i++) {
        wg_error none = {0};
        wg_function *fn = compile(p, i ? 8 : 0, NULL);
        wg_workspace_size(fn, (int64_t[]){5}, &bytes[i], &none);
        assert_ok(none);
        wg_function_free(fn);
    }
    assert_true(bytes[1] - bytes[0] >= 7 * 900 * sizeof(double)); /* a row for each */
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        /* before OpenMP is there */
        cmocka_unit_test_setup_teardown(code_goes_while_its_threads_wait, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test(threads_give_the_bits_of_one),
        cmocka_unit_test(random_programs_do_too),
        cmocka_unit_test(callers_with_threads_of_their_own_do_not_meet),
        cmocka_unit_test(a_compiler_without_openmp_gives_one_thread),
        cmocka_unit_test(counts_of_threads_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
