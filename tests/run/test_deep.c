/* A million instructions, each on the one before, on a stack of 256 kB: built, printed, read back,
 * differentiated in both modes, batched, compiled and run. Nothing recurses over a program, and
 * nothing of its size is on the stack. */
#include "support/test.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { DEPTH = 1000000, STACK = 256 * 1024 };

/* y = (x + x - x + x - ...)^2, which is x^2, every sum an instruction of its own. */
static wg_program *chain(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = x;
    for (int i = 0; i < DEPTH; i++) y = i % 2 ? wg_sub(y, x) : wg_add(y, x);
    wg_output(g, "y", wg_mul(y, y));
    return wg_build(g, error);
}

static double value_of(const wg_program *p, const double *input, size_t output, wg_error *error) {
    wg_function *fn = wg_compile(p, NULL, error);
    double result[4] = {0};
    const void *in[] = {&input[0], &input[1]};
    void *out[] = {&result[0], &result[1], &result[2], &result[3]};
    wg_call_with(fn, NULL, in, out, NULL, error);
    wg_function_free(fn);
    return result[output];
}

static void *everything(void *ctx) {
    wg_error *error = ctx;
    wg_text text = {0};
    wg_program *p = chain(error);
    wg_program_print(p, &text, error);
    wg_program *read = wg_program_read(text.data, text.size, NULL, error);
    wg_text_free(&text);
    const double at[] = {3, 1};
    wg_program *forward = wg_jvp(read, "y", "x", error), *reverse = wg_vjp(p, "y", "x", error);
    wg_program *second = wg_hvp(p, "x", error), *batch = wg_vmap(p, "x", "n", error);
    bool right = !error->status && wg_program_length(p) > DEPTH &&
                 value_of(p, at, 0, error) == 9 && value_of(forward, at, 1, error) == 6 &&
                 value_of(reverse, at, 1, error) == 6 && value_of(second, at, 0, error) == 2;
    wg_program_free(p);
    wg_program_free(read);
    wg_program_free(forward);
    wg_program_free(reverse);
    wg_program_free(second);
    wg_program_free(batch);
    return right ? ctx : NULL;
}

static void a_million_instructions_fit_a_small_stack(void **state) {
    (void)state;
    wg_error error = {0};
    pthread_t thread;
    pthread_attr_t attributes;
    void *right;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, everything, &error), 0);
    assert_int_equal(pthread_join(thread, &right), 0);
    pthread_attr_destroy(&attributes);
    assert_ok(error);
    assert_non_null(right);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_million_instructions_fit_a_small_stack)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
