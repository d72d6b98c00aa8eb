/* Sparse derivatives in 10^5 variables: the patterns of stencils, arrows and blocks, with the
 * sweeps that they need, in seconds. Values are compared with products along a direction, which no
 * colour enters. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 100000, SIDE = 225 };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double *room(int64_t n) {
    double *x = calloc((size_t)n + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

struct wanted { /* entries, and at most how many sweeps of each kind */
    bool hessian;
    int64_t n, columns, entries, forward, reverse;
};

/* The product with a direction, by the matrix and without it. */
static void compare(const wg_program *product, const wg_pattern *p, int64_t n, const double *x,
                    const double *value) {
    wg_error error = {0};
    double *t = room(p->columns), *y = room(p->rows), *primal = room(p->rows);
    for (int64_t k = 0; k < p->columns; k++) t[k] = cos((double)k);
    wg_function *fn = wg_compile(product, NULL, &error);
    bool both = wg_output_count(product) == 2; /* a jvp has the value in front */
    wg_call_with(fn, &n, (const void *const[]){x, t}, (void *const[]){both ? primal : y, y}, NULL,
                 &error);
    assert_ok(error);
    for (int64_t i = 0; i < p->rows; i++) {
        double sum = 0, scale = 1;
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) {
            sum += value[e] * t[p->column[e]];
            scale += fabs(value[e] * t[p->column[e]]);
        }
        if (!(fabs(sum - y[i]) <= 1e-11 * scale)) fail_msg("row %lld is off", (long long)i);
    }
    wg_function_free(fn);
    free(t);
    free(y);
    free(primal);
}

static void check(const char *formula, struct wanted wanted) {
    wg_error error = {0};
    wg_program *f = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program *product = wanted.hessian ? wg_hvp(f, NULL, &error) : wg_jvp(f, NULL, NULL, &error);
    wg_sparse_options options = {.size = &wanted.n};
    double start = seconds();
    wg_sparse *s = (wanted.hessian ? wg_sparse_hessian : wg_sparse_jacobian)(f, &options, &error);
    assert_ok(error);
    double made = seconds() - start;
    const wg_pattern *p = wg_sparse_pattern(s);
    int64_t forward, reverse;
    wg_sparse_sweeps(s, &forward, &reverse);
    double *x = room(p->columns), *value = room(p->entries);
    for (int64_t k = 0; k < p->columns; k++) x[k] = sin((double)k);
    void *workspace = wg_sparse_workspace_new(s, &error);
    wg_sparse_values(s, (const void *const[]){x}, value, workspace, &error);
    assert_ok(error);
    print_message("%lld entries, %lld and %lld sweeps, made in %.2f s\n", (long long)p->entries,
                  (long long)forward, (long long)reverse, made);
    assert_int_equal(p->columns, wanted.columns);
    assert_int_equal(p->entries, wanted.entries);
    assert_true(forward <= wanted.forward && reverse <= wanted.reverse);
    assert_true(made < 20); /* a tenth of a second is usual; sanitizers and other tests run too */
    compare(product, p, wanted.n, x, value);
    wg_sparse_workspace_free(workspace);
    wg_sparse_free(s);
    wg_program_free(product);
    wg_program_free(f);
    free(x);
    free(value);
}

static void a_tridiagonal_jacobian_takes_three_sweeps(void **state) {
    (void)state;
    check("f(x[n]) = concat(x[0:1], x[:-2] - 2*x[1:-1]^2 + x[2:], x[n-1:n])",
          (struct wanted){false, N, N, 3 * N - 4, 3, 0});
}

/* A heat step on a square, zeros around it. */
static void a_heat_stencil_takes_a_handful(void **state) {
    (void)state;
    check("f(u[n,n]) = { y = u + 0.1*(pad(u[1:], 0, 1, axis=0) + pad(u[:-1], 1, 0, axis=0)\n"
          "  + pad(u[:,1:], 0, 1, axis=1) + pad(u[:,:-1], 1, 0, axis=1) - 4*u^2) }",
          (struct wanted){false, 316, 316 * 316, 5 * 316 * 316 - 4 * 316, 8, 0});
}

/* The Brusselator on a torus: two fields, each with its five neighbours, and the other field. */
static void a_brusselator_takes_a_handful(void **state) {
    (void)state;
    check("around(u[n,n]) = (concat(u[1:], u[:1]) + concat(u[n-1:n], u[:-1])\n"
          "  + concat(u[:,1:], u[:,:1], axis=1) + concat(u[:,n-1:n], u[:,:-1], axis=1) - 4*u)\n"
          "f(w[2,n,n]) = {\n"
          "  y = stack(1 + w[0]^2*w[1] - 4.4*w[0] + 0.1*around(w[0]),\n"
          "            3.4*w[0] - w[0]^2*w[1] + 0.1*around(w[1])) }",
          (struct wanted){false, SIDE, 2 * SIDE * SIDE, 12 * SIDE * SIDE, 12, 0});
}

/* One dense row and one dense column: columns and a row, together three sweeps. */
static void an_arrow_takes_both_modes(void **state) {
    (void)state;
    check("f(x[n]) = concat(reshape(sum(x^2), 1), x[1:]^2*x[0])",
          (struct wanted){false, N, N, 3 * N - 2, 2, 1});
}

static void dense_rows_are_taken_as_rows(void **state) {
    (void)state;
    check("f(x[n]) = concat(x^2, stack(sum(x^2), sum(sin(x))))",
          (struct wanted){false, N, N, 3 * N, 1, 2});
}

static void rosenbrocks_hessian_takes_three_sweeps(void **state) {
    (void)state;
    check("f(x[n]) = sum(100*(x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2)",
          (struct wanted){true, N, N, 3 * N - 2, 3, 0});
}

static void an_arrow_hessian_takes_two_sweeps(void **state) {
    (void)state;
    check("f(x[n]) = sum(x^2*x[0]) + sum(x^3)", (struct wanted){true, N, N, 3 * N - 2, 2, 0});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tridiagonal_jacobian_takes_three_sweeps),
        cmocka_unit_test(a_heat_stencil_takes_a_handful),
        cmocka_unit_test(a_brusselator_takes_a_handful),
        cmocka_unit_test(an_arrow_takes_both_modes),
        cmocka_unit_test(dense_rows_are_taken_as_rows),
        cmocka_unit_test(rosenbrocks_hessian_takes_three_sweeps),
        cmocka_unit_test(an_arrow_hessian_takes_two_sweeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
