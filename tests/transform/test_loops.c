/* Loops and branches: values against the same loop in C, derivatives of first and second order in
 * every mode against differences and against each other, batches against examples one by one,
 * sizes 0, 1, 2 and 17 of one program, text that reads back, and what they refuse. */
#include "support/run_both.h"

static void run(const wg_program *p, int64_t n, const double *x, const double *w,
                const double *more, struct run *r) {
    run_both(p, &n, (const void *[]){x, w, more}, r);
}

/* y = s_n + sum of s_i x_i, where s_i = sin(s_i-1) exp(w) + x_i, s_0 = 1/2 */
static wg_program *recurrence(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), w = wg_input(g, "w", wg_f64());
    wg_loop *loop = wg_loop_begin(g, n);
    wg_var s = wg_loop_carry(loop, wg_number(g, WG_F64, 0.5)), xi = wg_loop_slice(loop, x);
    wg_var next = wg_add(wg_mul(wg_sin(s), wg_exp(w)), xi), r[2] = {{0}};
    wg_loop_next(loop, s, next);
    wg_loop_collect(loop, wg_mul(next, xi));
    wg_loop_end(loop, r);
    wg_output(g, "y", wg_add(r[0], wg_sum(r[1])));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static double recurrence_in_c(int64_t n, const double *x, double w) {
    double s = 0.5, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        s = sin(s) * exp(w) + x[i];
        sum += s * x[i];
    }
    return s + sum;
}

static const double point[17] = {0.1,  0.2, -0.3, 0.4,  -0.15, 0.25, 0.35, -0.45, 0.05,
                                 0.15, 0.3, -0.2, -0.1, 0.22,  0.31, 0.12, -0.33};
static const double weight = -0.4;

static double quotient(int64_t n, double *x, double *at) {
    double was = *at, step = 1e-6, up, down;
    *at = was + step;
    up = recurrence_in_c(n, x, at == x + 17 ? *at : x[17]);
    *at = was - step;
    down = recurrence_in_c(n, x, at == x + 17 ? *at : x[17]);
    *at = was;
    return (up - down) / (2 * step);
}

static void a_loop_has_the_value_and_gradient_of_the_loop_in_c(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = recurrence(), *grad = wg_value_and_grad(p, "x, w", &error);
    wg_program *forward = wg_jacobian(p, NULL, "x, w", WG_FORWARD, &error);
    assert_ok(error);
    static struct run r, f;
    for (size_t k = 0; k < 4; k++) {
        int64_t n = (int64_t[]){0, 1, 2, 17}[k];
        double x[18];
        memcpy(x, point, sizeof point);
        x[17] = weight;
        run(grad, n, x, &x[17], NULL, &r);
        run(forward, n, x, &x[17], NULL, &f);
        assert_near(r.out[0][0], recurrence_in_c(n, x, weight), 1e-14);
        for (int64_t i = 0; i < n; i++) {
            assert_near(r.out[1][i], quotient(n, x, &x[i]), 1e-7);
            assert_near(r.out[1][i], f.out[0][i], 1e-13);
        }
        assert_near(r.out[2][0], quotient(n, x, &x[17]), 1e-7);
        assert_near(r.out[2][0], f.out[1][0], 1e-13);
    }
    wg_program_free(p);
    wg_program_free(grad);
    wg_program_free(forward);
}

static void second_derivatives_agree_in_all_orders_of_modes(void **state) {
    (void)state;
    wg_error error = {0};
    enum { N = 5 };
    wg_program *p = recurrence(), *grad = wg_grad(p, "x", &error);
    wg_program *hessian = wg_hessian(p, "x", &error);           /* forward over reverse */
    wg_program *rows = wg_jacobian(grad, NULL, "x", WG_REVERSE, &error); /* reverse over reverse */
    wg_program *jac = wg_jacobian(p, NULL, "x", WG_FORWARD, &error);
    wg_program *columns = wg_jacobian(jac, NULL, "x", WG_FORWARD, &error);
    wg_program *mixed = wg_jacobian(jac, NULL, "x", WG_REVERSE, &error);
    assert_ok(error);
    static struct run h, other[3], up, down;
    run(hessian, N, point, &weight, NULL, &h);
    run(rows, N, point, &weight, NULL, &other[0]);
    run(columns, N, point, &weight, NULL, &other[1]);
    run(mixed, N, point, &weight, NULL, &other[2]);
    for (size_t i = 0; i < N; i++) {
        double x[17], step = 1e-6;
        memcpy(x, point, sizeof x);
        x[i] += step;
        run(grad, N, x, &weight, NULL, &up);
        x[i] = point[i] - step;
        run(grad, N, x, &weight, NULL, &down);
        for (size_t k = 0; k < N; k++) {
            double one = h.out[0][i * N + k];
            assert_near(one, h.out[0][k * N + i], 1e-13);
            assert_near(one, (up.out[0][k] - down.out[0][k]) / (2 * step), 1e-7);
            for (size_t m = 0; m < 3; m++)
                assert_near(one, other[m].out[0][i * N + k], 1e-12);
        }
    }
    wg_program *all[] = {p, grad, hessian, rows, jac, columns, mixed};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) wg_program_free(all[i]);
}

/* Newton's method for the square root of x, until it is there: d/dx = 1/(2 sqrt(x)). */
static wg_program *square_root(wg_extent bound) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64());
    wg_loop *loop = wg_loop_begin(g, bound);
    wg_var r = wg_loop_carry(loop, x), result[1] = {{0}};
    wg_loop_while(loop, wg_gt(wg_abs(wg_sub(wg_mul(r, r), x)), 1e-14));
    wg_loop_next(loop, r, wg_mul(0.5, wg_add(r, wg_div(x, r))));
    wg_var trips = wg_loop_end(loop, result);
    wg_output(g, "y", result[0]);
    wg_output(g, "trips", wg_cast(WG_F64, trips));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static void a_while_runs_as_long_as_it_must(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = square_root(100), *grad = wg_value_and_grad(p, "x", &error);
    wg_program *forward = wg_jvp(p, "y", NULL, &error);
    assert_ok(error);
    static struct run r;
    double trips[3];
    for (size_t k = 0; k < 3; k++) {
        double x = (double[]){1, 2, 50}[k], one = 1;
        run(p, 0, &x, NULL, NULL, &r);
        trips[k] = r.out[1][0];
        assert_near(r.out[0][0], sqrt(x), 1e-12);
        run(grad, 0, &x, NULL, NULL, &r);
        double expected = k ? 0.5 / sqrt(x) : 1; /* at 1 nothing is computed, y = x */
        assert_near(r.out[2][0], expected, 1e-9);
        run(forward, 0, &x, &one, NULL, &r);
        assert_near(r.out[2][0], expected, 1e-9);
    }
    assert_true(trips[0] == 0 && trips[1] > 2 && trips[2] > trips[1]);
    wg_program_free(grad);
    wg_program_free(forward);
    wg_program_free(p);
}

static void a_batch_of_whiles_runs_each_as_long_as_it_must(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = square_root(100), *grad = wg_grad(p, "x", &error);
    wg_program *batch = wg_vmap(p, "x", "n", &error), *grads = wg_vmap(grad, "x", "n", &error);
    assert_ok(error);
    const double x[] = {1, 2, 50};
    static struct run all, one;
    run(batch, 3, x, NULL, NULL, &all);
    for (size_t k = 0; k < 3; k++) {
        run(p, 0, &x[k], NULL, NULL, &one);
        assert_near(all.out[0][k], one.out[0][0], 0);
        assert_near(all.out[1][k], one.out[1][0], 0);
    }
    run(grads, 3, x, NULL, NULL, &all);
    for (size_t k = 0; k < 3; k++) {
        run(grad, 0, &x[k], NULL, NULL, &one);
        assert_near(all.out[0][k], one.out[0][0], 1e-14);
    }
    wg_program *every[] = {p, grad, batch, grads};
    for (size_t i = 0; i < 4; i++) wg_program_free(every[i]);
}

/* sqrt(x) where x > 0, else 0: nothing of the other branch is computed or differentiated. */
static void a_branch_that_is_not_taken_sends_nothing(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y[1] = {{0}};
    wg_branch *branch = wg_branch_begin(g, wg_gt(x, 0));
    wg_branch_case(branch, wg_mul(x, wg_log(x)));
    wg_branch_case(branch, wg_mul(0, x));
    wg_branch_end(branch, y);
    wg_output(g, "y", y[0]);
    wg_program *p[4] = {wg_build(g, &error)};
    for (size_t k = 1; k < 4; k++) p[k] = wg_grad(p[k - 1], "x", &error);
    wg_program *forward = wg_jvp(p[1], NULL, NULL, &error);
    wg_program *batch = wg_vmap(p[2], "x", "n", &error);
    assert_ok(error);
    const double at[] = {4, 0, -1}, one = 1;
    const double expected[3][4] = {{4 * 1.3862943611198906, 2.3862943611198906, 0.25, -0.0625}};
    static struct run r;
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 4; k++) {
            run(p[k], 0, &at[i], NULL, NULL, &r);
            assert_near(r.out[0][0], expected[i][k], 1e-14);
        }
    run(forward, 0, &at[1], &one, NULL, &r);
    assert_near(r.out[1][0], 0, 0);
    run(batch, 3, at, NULL, NULL, &r);
    for (size_t i = 0; i < 3; i++) assert_near(r.out[0][i], expected[i][2], 1e-14);
    for (size_t k = 0; k < 4; k++) wg_program_free(p[k]);
    wg_program_free(forward);
    wg_program_free(batch);
}

/* Of the batch over c and a, value and gradient by a, at 4 and at 0 examples. */
static void check_batch_of(const char *text, const int64_t *c, const double *expected,
                           const double *da) {
    wg_error error = {0};
    wg_program *p = wg_parse(text, strlen(text), NULL, &error), *grad = wg_grad(p, "a", &error);
    wg_program *batch = wg_vmap(p, "c, a", "n", &error),
               *grads = wg_vmap(grad, "c, a", "n", &error);
    assert_ok(error);
    const double x[] = {1, 2, 4}, a[] = {1, 2, 3, 4};
    static struct run r;
    for (int64_t n = 4; n >= 0; n -= 4) {
        run(batch, n, x, (const double *)c, a, &r);
        for (int64_t k = 0; k < n; k++) assert_near(r.out[0][k], expected[k], 1e-15);
        run(grads, n, x, (const double *)c, a, &r);
        for (int64_t k = 0; k < n; k++) assert_near(r.out[0][k], da[k], 1e-15);
    }
    wg_program *every[] = {p, grad, batch, grads};
    for (size_t i = 0; i < 4; i++) wg_program_free(every[i]);
}

/* An index outside is an error only of an example that comes to it. */
static void examples_apart_read_nothing_in_vain(void **state) {
    (void)state;
    const int64_t c[] = {0, 3, 1, 2};
    check_batch_of("f(x[3], c: i64, a) = if c < 3 then a*x[c] else 0*a", c,
                   (double[]){1, 0, 6, 16}, (double[]){1, 0, 2, 4});
    check_batch_of("f(x[3], c: i64, a) = {\n let y = 0*a\n let k = c\n"
                   "while k < 3 limit 3 { y += a*x[k]; k += 1 }\n r = y\n}",
                   c, (double[]){7, 0, 18, 16}, (double[]){7, 0, 6, 4});
    check_batch_of("f(x[3], c: i64, a) = {\n let y = 0*a\n let k = c\n"
                   "for i in 0:3 - c limit 3 { y += a*x[k]; k += 1 }\n r = y\n}",
                   c, (double[]){7, 0, 18, 16}, (double[]){7, 0, 6, 4});
    check_batch_of("f(x[3], c: i64, a) = {\n let y = 0*a\n"
                   "for i in 0:c limit 3 { y += a*x[i] }\n r = y\n}",
                   c, (double[]){0, 14, 3, 12}, (double[]){0, 7, 1, 3});
    check_batch_of("f(x[3], c: i64, a) = {\n let z = a*x\n let k = i64(0)\n"
                   "while x[k] < 5*a limit 3 { z[k] *= 2; k += 1 }\n r = sum(z)\n}",
                   c, (double[]){14, 28, 42, 56}, (double[]){14, 14, 14, 14});
}

/* The sum of x_i x_k^2 over all pairs k <= i, by a counted loop inside a loop. */
static wg_program *pairs(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n));
    wg_loop *outer = wg_loop_begin(g, n);
    wg_var i = wg_loop_index(outer), sum = wg_loop_carry(outer, wg_number(g, WG_F64, 0));
    wg_var xi = wg_loop_slice(outer, x), in[1] = {{0}}, out[1] = {{0}};
    wg_loop *inner = wg_loop_begin(g, n);
    wg_loop_count(inner, wg_add(i, 1));
    wg_var part = wg_loop_carry(inner, sum), xk = wg_loop_slice(inner, x);
    wg_loop_next(inner, part, wg_add(part, wg_mul(xi, wg_mul(xk, xk))));
    wg_loop_end(inner, in);
    wg_loop_next(outer, sum, in[0]);
    wg_loop_end(outer, out);
    wg_output(g, "y", out[0]);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static void loops_nest(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = pairs(), *grad = wg_value_and_grad(p, "x", &error);
    wg_program *hessian = wg_hessian(p, "x", &error);
    assert_ok(error);
    static struct run r, h;
    for (size_t m = 0; m < 4; m++) {
        int64_t n = (int64_t[]){0, 1, 2, 17}[m];
        double value = 0, g[17] = {0}, hess[17][17] = {{0}};
        for (int64_t i = 0; i < n; i++)
            for (int64_t k = 0; k <= i; k++) {
                value += point[i] * point[k] * point[k];
                g[i] += point[k] * point[k];
                g[k] += 2 * point[i] * point[k];
                hess[i][k] += 2 * point[k];
                hess[k][i] += 2 * point[k];
                hess[k][k] += 2 * point[i];
            }
        run(grad, n, point, NULL, NULL, &r);
        run(hessian, n, point, NULL, NULL, &h);
        assert_near(r.out[0][0], value, 1e-13);
        for (int64_t i = 0; i < n; i++) assert_near(r.out[1][i], g[i], 1e-13);
        for (int64_t i = 0; i < n; i++)
            for (int64_t k = 0; k < n; k++)
                assert_near(h.out[0][i * n + k], hess[i][k], 1e-13);
    }
    wg_program_free(p);
    wg_program_free(grad);
    wg_program_free(hessian);
}

static void programs_with_loops_read_back(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p[] = {recurrence(), pairs(), square_root(9)};
    for (size_t k = 0; k < 3; k++) {
        wg_program *grad = wg_grad(p[k], "x", &error);
        wg_text first = {0}, second = {0};
        wg_program_print(grad, &first, &error);
        wg_program *again = wg_program_read(first.data, first.size, NULL, &error);
        wg_program_print(again, &second, &error);
        assert_ok(error);
        assert_string_equal(first.data, second.data);
        wg_text_free(&first);
        wg_text_free(&second);
        wg_program_free(again);
        wg_program_free(grad);
        wg_program_free(p[k]);
    }
}

/* An index that is the same in all iterations: where there are none, it is not looked at. */
static void a_loop_that_does_not_run_reads_nothing(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), r[2] = {{0}};
    wg_loop *loop = wg_loop_begin(g, n);
    wg_var s = wg_loop_carry(loop, wg_number(g, WG_F64, 0.5));
    wg_var first = wg_take(x, wg_number(g, WG_I64, 0), 0);
    wg_loop_next(loop, s, wg_mul(s, first));
    wg_loop_end(loop, r);
    loop = wg_loop_begin(g, n); /* a map */
    wg_loop_collect(loop, wg_mul(wg_take(x, wg_number(g, WG_I64, 1), 0), wg_loop_slice(loop, x)));
    wg_loop_end(loop, r + 1);
    wg_output(g, "y", wg_add(r[0], wg_sum(r[1])));
    wg_program *p = wg_build(g, &error), *grad = wg_value_and_grad(p, "x", &error);
    assert_ok(error);
    static struct run out;
    const double at[] = {3, 2};
    run(grad, 2, at, NULL, NULL, &out);
    assert_near(out.out[0][0], 4.5 + 10, 0);
    assert_near(out.out[1][0], 3 + 2, 0);
    run(grad, 0, at, NULL, NULL, &out);
    assert_near(out.out[0][0], 0.5, 0);
    wg_program_free(p);
    wg_program_free(grad);
}

/* Two loops read the same element, which is computed in neither's place but in each; what stands
 * between them and reads it too is computed once. */
static void what_stands_between_loops_stays_there(void **state) {
    (void)state;
    wg_error error = {0};
    for (int between = 0; between < 2; between++) {
        wg_graph *g = wg_graph_new();
        wg_extent n = wg_size(g, "n");
        wg_var x = wg_input(g, "x", wg_f64(n)), r[2] = {{0}}, at = wg_number(g, WG_I64, 0);
        wg_var y = wg_number(g, WG_F64, 1);
        for (int k = 0; k < 2; k++) {
            if (k && between) y = wg_exp(wg_take(x, at, 0));
            wg_loop *loop = wg_loop_begin(g, n);
            wg_var s = wg_loop_carry(loop, wg_number(g, WG_F64, 0.5));
            wg_var factor = between && k ? y : wg_take(x, at, 0);
            wg_loop_next(loop, s, wg_mul(s, factor));
            wg_loop_end(loop, r + k);
        }
        wg_output(g, "y", wg_add(r[0], r[1]));
        wg_program *p = wg_build(g, &error);
        assert_ok(error);
        wg_text text = {0};
        assert_int_equal(wg_program_print(p, &text, &error), WG_OK);
        const char *end = strstr(text.data, "\n%1 = "), *found = strstr(text.data, "= exp ");
        assert_true(end && (between ? found > end : !found));
        wg_text_free(&text);
        static struct run out;
        const double point_x[] = {3, 2};
        run(p, 2, point_x, NULL, NULL, &out);
        assert_near(out.out[0][0], 4.5 + (between ? 0.5 * exp(6) : 4.5), 1e-14);
        if (!between) {
            run(p, 0, point_x, NULL, NULL, &out);
            assert_near(out.out[0][0], 1, 0);
        }
        wg_program_free(p);
    }
}

/* What is carried begins with one value an example, and is one for all of them from then on. */
static void a_batch_carries_on_what_is_the_same_for_all(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), w = wg_input(g, "w", wg_f64()), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, 3);
    wg_var s = wg_loop_carry(loop, x);
    wg_loop_next(loop, s, w);
    wg_loop_collect(loop, wg_mul(s, s));
    wg_var out[2] = {{0}};
    wg_loop_end(loop, out);
    r[0] = wg_add(out[0], wg_sum(out[1]));
    wg_output(g, "y", r[0]);
    wg_program *p = wg_build(g, &error), *batch = wg_vmap(p, "x", "n", &error);
    assert_ok(error);
    static struct run b;
    const double at[] = {1, 2, 3}, weight_of_all = 5;
    run(batch, 3, at, &weight_of_all, NULL, &b);
    for (size_t k = 0; k < 3; k++) assert_near(b.out[0][k], 5 + at[k] * at[k] + 50, 0);
    wg_program_free(p);
    wg_program_free(batch);
}

/* Keeps an index of a loop beyond its end. */
static wg_program *leaking(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, 3);
    wg_var s = wg_loop_carry(loop, x);
    wg_loop_next(loop, s, wg_mul(s, s));
    wg_loop_end(loop, r);
    wg_output(g, "y", wg_add(s, r[0]));
    wg_program *p = wg_build(g, &error);
    assert_non_null(strstr(error.message, "an index, carry or slice of a loop is used outside"));
    assert_int_equal(error.status, WG_EARGUMENT);
    return p;
}

static void misuse_is_an_error(void **state) {
    (void)state;
    assert_null(leaking());
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(4));
    wg_loop *loop = wg_loop_begin(g, 3);
    wg_loop_slice(loop, x);
    wg_loop_end(loop, NULL);
    assert_non_null(strstr(wg_graph_error(g)->message, "f64[4] has no 3 slices"));
    assert_null(wg_build(g, &error));
    error = (wg_error){0};
    g = wg_graph_new();
    x = wg_input(g, "x", wg_f64());
    loop = wg_loop_begin(g, 3);
    wg_var s = wg_loop_carry(loop, x);
    wg_loop_next(loop, s, wg_broadcast(s, 2));
    wg_loop_end(loop, NULL);
    assert_non_null(strstr(wg_graph_error(g)->message, "cannot be f64[2] in the next iteration"));
    wg_graph_free(g);
}

/* A body of 600 operations that are dear, of which reverse mode keeps some hundred numbers. */
static void long_bodies_keep_many_numbers(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, n);
    wg_var s = wg_loop_carry(loop, wg_number(g, WG_F64, 0.1)), at = wg_loop_slice(loop, x), t = s;
    for (int k = 0; k < 300; k++)
        t = wg_add(t, wg_mul(0.003, wg_sin(wg_add(wg_mul(t, 1.01 + 0.001 * k), at))));
    wg_loop_next(loop, s, t);
    wg_loop_end(loop, r);
    wg_output(g, "y", r[0]);
    wg_program *p = wg_build(g, &error), *grad = wg_grad(p, "x", &error);
    wg_program *hessian = wg_hessian(p, "x", &error);
    assert_ok(error);
    double at_x[3] = {0.1, -0.2, 0.3}, expected[3];
    static struct run d, h;
    for (size_t i = 0; i < 3; i++) {
        double y[2];
        for (int side = 0; side < 2; side++) {
            double moved[3] = {at_x[0], at_x[1], at_x[2]}, c = 0.1;
            moved[i] += side ? 1e-5 : -1e-5;
            for (size_t step = 0; step < 3; step++)
                for (int k = 0; k < 300; k++)
                    c += 0.003 * sin(c * (1.01 + 0.001 * k) + moved[step]);
            y[side] = c;
        }
        expected[i] = (y[1] - y[0]) / 2e-5;
    }
    run(grad, 3, at_x, NULL, NULL, &d);
    run_by(hessian, WG_INTERPRET, (int64_t[]){3}, (const void *[]){at_x}, &h, NULL);
    for (size_t i = 0; i < 3; i++) assert_near(d.out[0][i], expected[i], 1e-8);
    assert_near(h.out[0][1], h.out[0][3], 1e-13);
    assert_near(h.out[0][2], h.out[0][6], 1e-13);
    wg_program_free(p);
    wg_program_free(grad);
    wg_program_free(hessian);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_has_the_value_and_gradient_of_the_loop_in_c),
        cmocka_unit_test(second_derivatives_agree_in_all_orders_of_modes),
        cmocka_unit_test(a_while_runs_as_long_as_it_must),
        cmocka_unit_test(a_batch_of_whiles_runs_each_as_long_as_it_must),
        cmocka_unit_test(a_branch_that_is_not_taken_sends_nothing),
        cmocka_unit_test(examples_apart_read_nothing_in_vain),
        cmocka_unit_test(loops_nest),
        cmocka_unit_test(programs_with_loops_read_back),
        cmocka_unit_test(a_loop_that_does_not_run_reads_nothing),
        cmocka_unit_test(what_stands_between_loops_stays_there),
        cmocka_unit_test(a_batch_carries_on_what_is_the_same_for_all),
        cmocka_unit_test(long_bodies_keep_many_numbers),
        cmocka_unit_test(misuse_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
