/* Arrays that loops carry and update by index are never copied, forward or in reverse: the bytes
 * that a call writes are counted, and grow with the iterations, not with iterations times
 * elements. */
#include "run/run.h"
#include "support/test.h"
#include "wengert/loop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static wg_var integer(wg_graph *g, int64_t number) { return wg_number(g, WG_I64, (double)number); }

/* Runs p and gives the bytes it wrote. */
static int64_t moved(const wg_program *p, int64_t n, const void *const *in, void *const *out) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    int64_t bytes = 0;
    call_counted(fn, &n, in, out, &bytes, &error);
    assert_ok(error);
    wg_function_free(fn);
    return bytes;
}

/* s[0] = x[0], s[i] = s[i-1] + x[i], by index in arrays as C would; y = sum of w_i s_i^2. */
static wg_program *prefix_sum(void) {
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), w = wg_input(g, "w", wg_f64(n)), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, n);
    wg_var s = wg_loop_carry(loop, wg_broadcast(wg_number(g, WG_F64, 0), n));
    wg_var i = wg_loop_index(loop), before = wg_max(wg_sub(i, 1), 0);
    wg_var next = wg_add(wg_take(s, before, 0), wg_take(x, i, 0));
    wg_loop_next(loop, s, wg_index_set(s, next, i, 0));
    wg_loop_end(loop, r);
    wg_output(g, "y", wg_sum(wg_mul(w, wg_mul(r[0], r[0]))));
    return test_build(g);
}

static void a_prefix_sum_of_a_million_copies_nothing(void **state) {
    (void)state;
    enum { N = 1000000, SMALL = 1000 };
    wg_error error = {0};
    wg_program *p = prefix_sum(), *grad = wg_value_and_grad(p, "x", &error);
    assert_ok(error);
    double *x = malloc(N * sizeof *x), *w = malloc(N * sizeof *w), *dx = malloc(N * sizeof *dx), y;
    for (size_t i = 0; i < N; i++) x[i] = (double)(i % 7) - 3, w[i] = 1e-3 * (double)(i % 11);
    const void *in[] = {x, w};
    for (int gradient = 0; gradient < 2; gradient++) {
        const wg_program *q = gradient ? grad : p;
        int64_t few = moved(q, SMALL, in, (void *[]){&y, dx});
        int64_t many = moved(q, N, in, (void *[]){&y, dx});
        assert_true(few / SMALL < 400);
        assert_true(many / N <= few / SMALL);
    }
    double s = 0, expected = 0, suffix = 0;
    for (size_t i = 0; i < N; i++) s += x[i], expected += w[i] * s * s;
    assert_true(fabs(y - expected) <= 1e-10 * expected);
    for (size_t i = N; i-- > 0; s -= x[i]) {
        suffix += 2 * w[i] * s;
        assert_true(fabs(dx[i] - suffix) <= 1e-9 * (1 + fabs(suffix)));
    }
    wg_program_free(p);
    wg_program_free(grad);
    free(x), free(w), free(dx);
}

/* Steps of u[i,k] += c (sum of neighbours - 4 u[i,k]) for all cells but those at the border, from
 * one array into another, cell by cell at flat indices; y = sum of the squares at the end. */
static wg_program *heat(wg_extent n, int64_t steps) {
    wg_graph *g = wg_graph_new();
    wg_var u0 = wg_input(g, "u", wg_f64(n, n)), c = wg_input(g, "c", wg_f64()), r[1] = {{0}};
    wg_loop *time = wg_loop_begin(g, steps);
    wg_var u = wg_loop_carry(time, u0), rows[1] = {{0}}, cells[1] = {{0}};
    wg_var flat = wg_reshape(u, n * n);
    wg_loop *down = wg_loop_begin(g, n - 2);
    wg_var new = wg_loop_carry(down, u), i = wg_loop_index(down);
    wg_loop *right = wg_loop_begin(g, n - 2);
    wg_var line = wg_loop_carry(right, new), k = wg_loop_index(right);
    wg_var at = wg_add(wg_mul(wg_add(i, 1), integer(g, n)), wg_add(k, 1));
    wg_var sum = wg_mul(-4, wg_take(flat, at, 0));
    const int64_t step[] = {-1, 1, -n, n};
    for (size_t d = 0; d < 4; d++)
        sum = wg_add(sum, wg_take(flat, wg_add(at, integer(g, step[d])), 0));
    wg_var cell = wg_add(wg_take(flat, at, 0), wg_mul(c, sum));
    wg_var set = wg_index_set(wg_reshape(line, n * n), cell, at, 0);
    wg_loop_next(right, line, wg_reshape(set, n, n));
    wg_loop_end(right, cells);
    wg_loop_next(down, new, cells[0]);
    wg_loop_end(down, rows);
    wg_loop_next(time, u, rows[0]);
    wg_loop_end(time, r);
    wg_output(g, "y", wg_sum(wg_mul(r[0], r[0])));
    return test_build(g);
}

/* The same in C, with its derivative with respect to c beside it. */
static double heat_in_c(int64_t n, int64_t steps, const double *u0, double c, double *dc) {
    size_t bytes = (size_t)(n * n) * sizeof(double);
    double *u[2] = {malloc(bytes), malloc(bytes)}, *t[2] = {malloc(bytes), malloc(bytes)}, y = 0;
    memcpy(u[0], u0, bytes);
    memset(t[0], 0, bytes);
    for (int64_t s = 0; s < steps; s++) {
        const double *from = u[s & 1], *t_from = t[s & 1];
        memcpy(u[~s & 1], from, bytes);
        memcpy(t[~s & 1], t_from, bytes);
        for (int64_t i = 1; i < n - 1; i++)
            for (int64_t k = 1; k < n - 1; k++) {
                int64_t at = i * n + k;
                double sum = from[at - 1] + from[at + 1] + from[at - n] + from[at + n];
                double t_sum = t_from[at - 1] + t_from[at + 1] + t_from[at - n] + t_from[at + n];
                u[~s & 1][at] += c * (sum - 4 * from[at]);
                t[~s & 1][at] += c * (t_sum - 4 * t_from[at]) + sum - 4 * from[at];
            }
    }
    *dc = 0;
    for (int64_t i = 0; i < n * n; i++) {
        y += u[steps & 1][i] * u[steps & 1][i];
        *dc += 2 * u[steps & 1][i] * t[steps & 1][i];
    }
    for (int k = 0; k < 2; k++) free(u[k]), free(t[k]);
    return y;
}

static void a_thousand_steps_of_heat_copy_no_more_than_they_compute(void **state) {
    (void)state;
    enum { STEPS = 1000, N = 12 };
    wg_error error = {0};
    double u[32 * 32], du[32 * 32], y, dc, c = 0.01, expected;
    for (size_t i = 0; i < sizeof u / sizeof *u; i++) u[i] = (double)(i * i % 17) / 17;
    int64_t few[2], many[2];
    for (int large = 0; large < 2; large++) {
        int64_t n = large ? 32 : N, steps = large ? 30 : STEPS, cells = (n - 2) * (n - 2) * steps;
        wg_program *p = heat(n, steps), *grad = wg_value_and_grad(p, "u, c", &error);
        assert_ok(error);
        const void *in[] = {u, &c};
        int64_t *bytes = large ? many : few;
        bytes[0] = moved(p, 0, in, (void *[]){&y}) / cells;
        assert_true(fabs(y - heat_in_c(n, steps, u, c, &expected)) <= 1e-12 * y);
        bytes[1] = moved(grad, 0, in, (void *[]){&y, du, &dc}) / cells;
        assert_true(fabs(dc - expected) <= 1e-10 * fabs(expected));
        wg_program_free(p);
        wg_program_free(grad);
    }
    for (int k = 0; k < 2; k++) { /* a cell's share does not grow with the array */
        assert_true(few[k] < (k ? 800 : 300));
        assert_true(many[k] <= few[k]);
    }
}

/* Where an element is above the middle one, it is halved: an update in one case of a branch. The
 * middle is read behind the update, of what it was before; the first element alone sees that. */
static wg_program *halving(void) {
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), r[1] = {{0}}, kept[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, n);
    wg_var a = wg_loop_carry(loop, x), i = wg_loop_index(loop), ai = wg_take(a, i, 0);
    wg_branch *branch = wg_branch_begin(g, wg_gt(ai, 0.5));
    wg_branch_case(branch, wg_index_set(a, wg_mul(wg_mul(ai, ai), 0.5), i, 0));
    wg_branch_case(branch, a);
    wg_branch_end(branch, kept);
    wg_var middle = wg_take(a, integer(g, 1), 0), zero = integer(g, 0);
    wg_loop_next(loop, a, wg_index_add(kept[0], wg_mul(wg_sin(middle), 1e-3), zero, 0));
    wg_loop_end(loop, r);
    wg_output(g, "y", wg_sum(wg_mul(r[0], r[0])));
    return test_build(g);
}

static double halving_in_c(int64_t n, const double *x) {
    double *a = malloc((size_t)n * sizeof *a), y = 0;
    memcpy(a, x, (size_t)n * sizeof *a);
    for (int64_t i = 0; i < n; i++) {
        double middle = a[1];
        if (a[i] > 0.5) a[i] = a[i] * a[i] * 0.5;
        a[0] += sin(middle) * 1e-3;
    }
    for (int64_t i = 0; i < n; i++) y += a[i] * a[i];
    free(a);
    return y;
}

static void a_branch_updates_in_place(void **state) {
    (void)state;
    enum { N = 4000, SMALL = 400 };
    wg_error error = {0};
    wg_program *p = halving(), *grad = wg_value_and_grad(p, "x", &error);
    assert_ok(error);
    static double x[N], dx[N];
    double y;
    for (size_t i = 0; i < N; i++) x[i] = (double)(i * i % 29) / 28;
    for (int gradient = 0; gradient < 2; gradient++) {
        const wg_program *q = gradient ? grad : p;
        int64_t few = moved(q, SMALL, (const void *[]){x}, (void *[]){&y, dx});
        int64_t many = moved(q, N, (const void *[]){x}, (void *[]){&y, dx});
        assert_true(few / SMALL < 500 && many / N <= few / SMALL);
        assert_true(fabs(y - halving_in_c(N, x)) <= 1e-12 * y);
    }
    for (size_t k = 0; k < 40; k++) {
        double was = x[k], up, down;
        x[k] = was + 1e-5;
        up = halving_in_c(N, x);
        x[k] = was - 1e-5;
        down = halving_in_c(N, x);
        x[k] = was;
        assert_true(fabs(dx[k] - (up - down) / 2e-5) < 1e-6);
    }
    wg_program_free(p);
    wg_program_free(grad);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_sum_of_a_million_copies_nothing),
        cmocka_unit_test(a_branch_updates_in_place),
        cmocka_unit_test(a_thousand_steps_of_heat_copy_no_more_than_they_compute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
