/* Every request for memory fails once, alone and with all that follow, while programs with loops
 * and branches are built, differentiated, put in batches, compiled and called. */
#include "support/test.h"

#include "support/failing_allocator.h"
#include "support/random_loops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small ones that have, between them, all kinds of loops and branches. */
static const struct random_loops programs[] = {
    {.seed = 9, .length = 3, .inner = 2, .depth = 2},
    {.seed = 14, .length = 4, .inner = 2, .depth = 1, .whiles = true},
    {.seed = 22, .length = 3, .inner = 2, .depth = 2, .hazards = true},
    {.seed = 31, .length = 4, .inner = 3, .depth = 1},
};

static wg_status building(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    wg_program_free(random_loops(ctx, allocator, &error));
    return error.status;
}

static wg_status transforming(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    wg_program *p = random_loops(ctx, allocator, &error);
    wg_program *made[] = {
        wg_jvp(p, NULL, NULL, &error),    wg_vjp(p, NULL, NULL, &error),
        wg_hvp(p, "a", &error),           wg_vmap(p, "a, b", "batch", &error),
        wg_specialize(p, "n=3", &error),
    };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) wg_program_free(made[i]);
    wg_program_free(p);
    return error.status;
}

/* A factor, of which the reverse reads the end, and a stencil, of which it adds behind loops. */
static const char *const arrays[] = {
    "f(x[n,n]) = { let l = x\n"
    "  for j in 0:n { for k in 0:j { for i in j:n { l[i, j] -= l[i, k]*l[j, k] } } }\n"
    "  y = sum(l) }",
    "f(x[n]) = { let a = x\n"
    "  for t in 0:2 { for i in 1:n-1 { a[i] = a[i]*x[i-1] + x[i+1] } }\n"
    "  y = sum(a) }"};

static wg_status differentiating_arrays(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    wg_parse_options options = {.allocator = allocator};
    wg_program *p = wg_parse(ctx, strlen(ctx), &options, &error);
    wg_program_free(wg_grad(p, "x", &error));
    wg_program_free(p);
    return error.status;
}

static wg_status printing_and_reading(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    wg_text text = {.allocator = *allocator};
    wg_program *p = random_loops(ctx, allocator, &error), *again = NULL;
    if (!error.status) wg_program_print(p, &text, &error);
    if (!error.status) again = wg_program_read(text.data, text.size, allocator, &error);
    wg_text_free(&text);
    wg_program_free(p);
    wg_program_free(again);
    return error.status;
}

static wg_status running(const wg_allocator *allocator, void *ctx) {
    static const double a = 0.5, b[] = {0.1, -0.7, 0.3}, c[] = {0.9, 0.2, -0.4};
    static double out[8][8];
    static const int64_t k = 2, n = 3;
    wg_error error = {0};
    void *y[8];
    for (size_t i = 0; i < 8; i++) y[i] = out[i];
    wg_program *p = random_loops(ctx, allocator, &error);
    wg_program *grad = wg_value_and_grad(p, NULL, &error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    wg_call_with(fn, &n, (const void *[]){&a, b, c, &k}, y, NULL, &error);
    wg_function_free(fn);
    wg_program_free(p);
    wg_program_free(grad);
    return error.status;
}

static void survives(wg_status (*work)(const wg_allocator *allocator, void *ctx)) {
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        struct random_loops r = programs[i];
        assert_true(fail_every_request(work, &r) > 20);
    }
}

static void building_survives(void **state) {
    (void)state;
    survives(building);
}

static void transforming_survives(void **state) {
    (void)state;
    survives(transforming);
}

static void differentiating_arrays_survives(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s", arrays[i]);
        assert_true(fail_every_request(differentiating_arrays, text) > 100);
    }
}

static void printing_and_reading_survives(void **state) {
    (void)state;
    survives(printing_and_reading);
}

static void running_survives(void **state) {
    (void)state;
    survives(running);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(building_survives),
        cmocka_unit_test(transforming_survives),
        cmocka_unit_test(differentiating_arrays_survives),
        cmocka_unit_test(printing_and_reading_survives),
        cmocka_unit_test(running_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
