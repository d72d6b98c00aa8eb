/* Many threads at once: calls of one function, also one that calls C functions, and graphs that
 * each thread builds for itself out of one shared program, give what they give alone. */
#include "support/test.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, CALLS = 50, N = 300 };

struct job {
    const wg_function *fn;
    double x[N], value, gradient[N]; /* what a call alone gives */
    bool own_workspace, same;
};

static wg_status call(const struct job *j, double *value, double *gradient, void *workspace) {
    return wg_call_with(j->fn, (int64_t[]){N}, (const void *[]){j->x}, (void *[]){value, gradient},
                        workspace, NULL);
}

static void *work(void *argument) {
    struct job *j = argument;
    void *workspace = j->own_workspace ? wg_workspace_new(j->fn, (int64_t[]){N}, NULL) : NULL;
    j->same = true;
    for (int i = 0; i < CALLS; i++) {
        double value = 0, gradient[N] = {0};
        j->same = j->same && call(j, &value, gradient, workspace) == WG_OK && value == j->value &&
                  memcmp(gradient, j->gradient, sizeof gradient) == 0;
    }
    wg_workspace_free(workspace);
    return NULL;
}

static void threads_share_a_function(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n));
    wg_var y = wg_mul(wg_logsumexp(wg_mul(x, wg_sin(x))), wg_norm(wg_softmax(x, 0)));
    wg_output(g, "y", y);
    wg_program *p = wg_build(g, &error), *d = wg_value_and_grad(p, NULL, &error);
    wg_function *fn = wg_compile(d, NULL, &error);
    assert_ok(error);
    wg_program_free(d);
    wg_program_free(p); /* the function keeps what it needs */
    struct job *job = calloc(THREADS, sizeof *job);
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        job[i].fn = fn;
        job[i].own_workspace = i % 2;
        for (int k = 0; k < N; k++) job[i].x[k] = (double)((k + 7 * i) % 13) / 7 - 1;
        assert_int_equal(call(&job[i], &job[i].value, job[i].gradient, NULL), WG_OK);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, work, &job[i]), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) assert_true(job[i].same);
    free(job);
    wg_function_free(fn);
}

/* Reads the shared program, differentiates it, builds a graph and an eager graph of its own. */
static void *build(void *argument) {
    const wg_program *shared = argument;
    for (int i = 0; i < CALLS; i++) {
        wg_error error = {0};
        wg_program *d = wg_grad(shared, "x", &error), *h = wg_hvp(shared, "x", &error);
        wg_graph *g = wg_graph_new();
        wg_var x = wg_input(g, "x", wg_f64(3)), slope;
        wg_apply(g, d, &x, &slope);
        wg_output(g, "s", wg_sum(slope));
        wg_program *p = wg_build(g, &error);
        wg_function *fn = wg_compile(p, NULL, &error);
        double at[] = {0, 0, 0}, sum = 0;
        wg_call_with(fn, NULL, (const void *[]){at}, (void *[]){&sum}, NULL, &error);
        wg_graph *eager = wg_eager_new();
        wg_var e = wg_scalar(eager, i), de;
        wg_backward(wg_mul(e, e), 1, &e, &de);
        bool right = !error.status && sum == 1 && wg_item(de) == 2 * i;
        wg_graph_free(eager);
        wg_function_free(fn);
        wg_program_free(p);
        wg_program_free(h);
        wg_program_free(d);
        if (!right) return NULL;
    }
    return argument;
}

static void threads_build_from_a_shared_program(void **state) {
    (void)state;
    static const char formula[] = "f(x[n]) = logsumexp(x)";
    wg_error error = {0};
    wg_program *shared = wg_parse(formula, sizeof formula - 1, NULL, &error);
    assert_ok(error);
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, build, shared), 0);
    for (int i = 0; i < THREADS; i++) {
        void *right = NULL;
        assert_int_equal(pthread_join(thread[i], &right), 0);
        assert_non_null(right);
    }
    wg_program_free(shared);
}

/* ---- C functions ---------------------------------------------------------------------------- */

/* sin, or cos, of n elements; *context counts calls, which takes an atomic number. */
static wg_status sine(void *context, const wg_tensor *argument, const wg_tensor *result) {
    const double *x = argument[0].data;
    double *y = result[0].data;
    atomic_fetch_add((atomic_int *)context, 1);
    for (int64_t i = 0; i < argument[0].shape[0]; i++) y[i] = sin(x[i]);
    return WG_OK;
}

static wg_status sine_vjp(void *context, const wg_tensor *argument, const wg_tensor *result) {
    const double *x = argument[0].data, *ct = argument[1].data;
    double *x_bar = result[0].data;
    atomic_fetch_add((atomic_int *)context, 1);
    for (int64_t i = 0; i < argument[0].shape[0]; i++) x_bar[i] = ct[i] * cos(x[i]);
    return WG_OK;
}

static void threads_share_a_c_function(void **state) {
    (void)state;
    wg_error error = {0};
    atomic_int calls = 0;
    const wg_external f = {.name = "sine", .call = sine, .vjp = sine_vjp, .context = &calls};
    wg_graph *g = wg_graph_new();
    wg_type type = wg_f64(wg_size(g, "n"));
    wg_var x = wg_input(g, "x", type), y;
    wg_external(g, &f, 1, &x, 1, &type, &y);
    wg_output(g, "y", wg_sum(wg_square(y)));
    wg_program *p = wg_build(g, &error), *d = wg_value_and_grad(p, NULL, &error);
    wg_function *fn = wg_compile(d, NULL, &error);
    assert_ok(error);
    struct job *job = calloc(THREADS, sizeof *job);
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        job[i].fn = fn;
        job[i].own_workspace = i % 2;
        for (int k = 0; k < N; k++) job[i].x[k] = (double)((k + 7 * i) % 13) / 7 - 1;
        assert_int_equal(call(&job[i], &job[i].value, job[i].gradient, NULL), WG_OK);
        for (int k = 0; k < N; k++)
            assert_true(fabs(job[i].gradient[k] - sin(2 * job[i].x[k])) < 1e-14);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, work, &job[i]), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) assert_true(job[i].same);
    assert_int_equal(atomic_load(&calls), 2 * THREADS * (CALLS + 1));
    free(job);
    wg_function_free(fn);
    wg_program_free(d);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_share_a_function),
                                       cmocka_unit_test(threads_build_from_a_shared_program),
                                       cmocka_unit_test(threads_share_a_c_function)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
