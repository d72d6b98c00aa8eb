/* A hundred thousand Hessians, each built, compiled, called and freed, and as many steps of an
 * eager graph with gradients of gradients: no block stays behind, and the process does not grow. */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEPS = 100000, SETTLED = 1000, MOST_GROWTH = 1 << 20 };

/* What is allocated now, by the sizes that the library tells. */
struct ledger {
    size_t live, peak;
};

static void *resize(void *ctx, void *block, size_t old_size, size_t new_size) {
    struct ledger *l = ctx;
    if (new_size == 0) {
        free(block);
        l->live -= old_size;
        return NULL;
    }
    void *moved = realloc(block, new_size);
    if (!moved) return NULL;
    l->live += new_size - old_size;
    if (l->live > l->peak) l->peak = l->live;
    return moved;
}

/* 0 where it cannot be told, or where a sanitizer keeps what is freed. */
static size_t resident_bytes(void) {
    unsigned long total, resident = 0;
    FILE *f = getenv("WG_INSTRUMENTED") ? NULL : fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%lu %lu", &total, &resident) != 2) resident = 0;
    if (f) fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void assert_no_growth(size_t before) {
    size_t after = resident_bytes();
    if (after > before + MOST_GROWTH) fail_msg("grown from %zu to %zu bytes", before, after);
}

/* x^3 + s x y at (s, 2): second derivatives 6s, s, s, 0. */
static void one_hessian(const wg_allocator *allocator, double s) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new_with(allocator);
    wg_var x = wg_input(g, "x", wg_f64()), y = wg_input(g, "y", wg_f64());
    wg_output(g, "f", wg_add(wg_pow(x, 3), wg_mul(s, wg_mul(x, y))));
    wg_program *p = wg_build(g, &error), *h = wg_hessian(p, NULL, &error);
    wg_function *fn = wg_compile(h, NULL, &error);
    double two = 2, second[4];
    wg_call_with(fn, NULL, (const void *[]){&s, &two},
                 (void *[]){&second[0], &second[1], &second[2], &second[3]}, NULL, &error);
    assert_ok(error);
    const double expected[] = {6 * s, s, s, 0};
    for (int i = 0; i < 4; i++) assert_true(fabs(second[i] - expected[i]) < 1e-12 * s);
    wg_function_free(fn);
    wg_program_free(h);
    wg_program_free(p);
}

static void hessians_leave_nothing_behind(void **state) {
    (void)state;
    struct ledger ledger = {0};
    wg_allocator allocator = {resize, &ledger};
    size_t settled = 0, peak = 0;
    for (int step = 0; step < STEPS; step++) {
        one_hessian(&allocator, 1 + step % 10);
        assert_int_equal(ledger.live, 0);
        if (step != SETTLED) continue;
        settled = resident_bytes();
        peak = ledger.peak;
    }
    assert_int_equal(ledger.peak, peak);
    assert_no_growth(settled);
}

static void steps_of_an_eager_graph_need_what_one_needs(void **state) {
    (void)state;
    struct ledger ledger = {0};
    wg_allocator allocator = {resize, &ledger};
    wg_graph *g = wg_eager_new_with(&allocator);
    uint32_t start = wg_mark(g);
    size_t settled = 0, live = 0;
    for (int step = 0; step < STEPS; step++) {
        double at = 1 + (step % 7) / 8.0;
        wg_var x = wg_scalar(g, at), y = wg_mul(wg_exp(x), wg_sin(x)), slope, curvature;
        wg_backward(y, 1, &x, &slope);
        wg_backward(slope, 1, &x, &curvature);
        assert_true(fabs(wg_item(curvature) - 2 * exp(at) * cos(at)) < 1e-12);
        wg_rewind(g, start);
        if (step != SETTLED) continue;
        settled = resident_bytes();
        live = ledger.live;
    }
    assert_ok(*wg_graph_error(g));
    assert_int_equal(ledger.live, live);
    assert_no_growth(settled);
    wg_graph_free(g);
    assert_int_equal(ledger.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hessians_leave_nothing_behind),
        cmocka_unit_test(steps_of_an_eager_graph_need_what_one_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
