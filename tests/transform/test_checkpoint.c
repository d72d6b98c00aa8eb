/* What reverse mode keeps where it is told to: checkpoints, loops with snapshots, loops that nobody
 * can count. Derivatives against those of the same program that keeps everything, in every mode and
 * order, numbers of repeated iterations against the proven ones, bytes against bytes. */
#include "support/run_both.h"

#include <stdatomic.h>

enum { N = 17 };

static const double point[N] = {0.1,  0.2, -0.3, 0.4,  -0.15, 0.25, 0.35, -0.45, 0.05,
                                0.15, 0.3, -0.2, -0.1, 0.22,  0.31, 0.12, -0.33};
static const double weight = -0.4;

static void run(const wg_program *p, int64_t n, const double *x, const double *w, struct run *r) {
    run_both(p, &n, (const void *[]){x, w}, r);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

struct shape { /* of a loop: its length or the number of its iterations may be known at the call */
    int64_t snapshots;
    bool backwards, counted, ends;
};

/* (s, a, k) -> (sin(s) exp(w) + x_i + 0.1 i a, a s + x_i, k + 2): y = sum of s and of all s x_i */
static wg_program *recurrence(struct shape shape) {
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), w = wg_input(g, "w", wg_f64()), r[4] = {{0}};
    wg_loop *loop = wg_loop_begin(g, n);
    if (shape.counted) wg_loop_count(loop, wg_sub(wg_cast(WG_I64, wg_mul(-10, w)), 1));
    if (shape.backwards) wg_loop_backwards(loop);
    wg_loop_checkpoints(loop, shape.snapshots);
    wg_var s = wg_loop_carry(loop, wg_number(g, WG_F64, 0.5)), a = wg_loop_carry(loop, w);
    wg_var k = wg_loop_carry(loop, wg_number(g, WG_I64, 1)), xi = wg_loop_slice(loop, x);
    wg_var i = wg_cast(WG_F64, wg_loop_index(loop));
    if (shape.ends) wg_loop_while(loop, wg_lt(wg_abs(a), 0.7));
    wg_var next = wg_add(wg_mul(wg_sin(s), wg_exp(w)), wg_add(xi, wg_mul(wg_mul(0.1, i), a)));
    wg_loop_next(loop, s, next);
    wg_loop_next(loop, a, wg_add(wg_mul(a, wg_cos(wg_mul(s, wg_cast(WG_F64, k)))), xi));
    wg_loop_next(loop, k, wg_add(k, 2));
    wg_loop_collect(loop, wg_mul(next, xi));
    wg_loop_end(loop, r);
    wg_output(g, "y", wg_add(wg_mul(r[0], r[1]), wg_sum(r[3])));
    return test_build(g);
}

static void snapshots_change_no_gradient(void **state) {
    (void)state;
    wg_error error = {0};
    for (int kind = 0; kind < 6; kind++) {
        struct shape shape = {.backwards = kind % 2, .counted = kind / 2 == 1, .ends = kind == 4};
        if (kind == 5) shape.counted = shape.backwards = true;
        wg_program *p = recurrence(shape), *plain = wg_value_and_grad(p, "x, w", &error);
        for (int c = 1; c < 8; c += c < 4 ? 1 : 3) {
            shape.snapshots = c;
            wg_program *q = recurrence(shape), *grad = wg_value_and_grad(q, "x, w", &error);
            assert_ok(error);
            static struct run all, few;
            for (size_t k = 0; k < 4; k++) {
                int64_t n = (int64_t[]){0, 1, 2, N}[k];
                run(plain, n, point, &weight, &all);
                run(grad, n, point, &weight, &few);
                assert_memory_equal(&all, &few, sizeof all);
            }
            wg_program_free(q);
            wg_program_free(grad);
        }
        wg_program_free(p);
        wg_program_free(plain);
    }
}

static void snapshots_serve_every_order_and_mode(void **state) {
    (void)state;
    wg_error error = {0};
    enum { M = 5 };
    static struct run r[2][6], all, one;
    for (int few = 0; few < 2; few++) {
        wg_program *p = recurrence((struct shape){.snapshots = few ? 2 : 0});
        wg_program *grad = wg_grad(p, "x", &error),
                   *jac = wg_jacobian(p, NULL, "x", WG_FORWARD, &error);
        wg_program *made[] = {wg_hessian(p, "x", &error), /* forward over reverse */
                              wg_jacobian(grad, NULL, "x", WG_REVERSE, &error),
                              wg_jacobian(jac, NULL, "x", WG_REVERSE, &error),
                              wg_taylor(grad, NULL, "w", 2, &error)};
        assert_ok(error);
        for (size_t k = 0; k < 3; k++) run(made[k], M, point, &weight, &r[few][k]);
        const void *in[] = {point, &weight, (double[]){1, 0}};
        run_by(made[3], WG_INTERPRET, (int64_t[]){M}, in, &r[few][3], NULL);
        for (size_t k = 0; k < 4; k++) wg_program_free(made[k]);
        wg_program_free(p);
        wg_program_free(grad);
        wg_program_free(jac);
    }
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < M * M; i++) {
            assert_near(r[1][k].out[0][i], r[0][k].out[0][i], 1e-13);
            assert_near(r[1][k].out[0][i], r[0][0].out[0][i], 1e-12);
        }
    for (size_t i = 0; i < 2 * M; i++) assert_near(r[1][3].out[1][i], r[0][3].out[1][i], 1e-13);
    /* examples that end at different times */
    for (int kind = 0; kind < 4; kind++) {
        wg_program *p = recurrence((struct shape){2, kind % 2 && kind < 2, kind < 2, kind >= 2});
        wg_program *grad = wg_grad(p, "x", &error), *batch = wg_vmap(grad, "w", "m", &error);
        wg_program *before = wg_vmap(p, "w", "m", &error);
        wg_program *after = wg_vjp(before, "y", "x", &error);
        const double w[] = {-0.4, -0.7, -0.2, -1.1};
        double sum[N] = {0};
        assert_ok(error);
        run_by(batch, WG_INTERPRET, (int64_t[]){N, 4}, (const void *[]){point, w}, &all, NULL);
        for (size_t k = 0; k < 4; k++) {
            run(grad, N, point, &w[k], &one);
            for (size_t i = 0; i < N; i++) {
                assert_near(all.out[0][k * N + i], one.out[0][i], 1e-13);
                sum[i] += one.out[0][i];
            }
        }
        const double ones[] = {1, 1, 1, 1};
        run_by(after, WG_INTERPRET, (int64_t[]){N, 4}, (const void *[]){point, w, ones}, &all,
               NULL);
        for (size_t i = 0; i < N; i++) assert_near(all.out[1][i], sum[i], 1e-13);
        wg_program_free(p);
        wg_program_free(grad);
        wg_program_free(batch);
        wg_program_free(before);
        wg_program_free(after);
    }
}

/* The sum of sin(s_k) over k <= i, s_k+1 = s_k x_i A[k] + a branch, in a loop over i that carries
 * what comes of it, and an array that it updates; A is captured by both. */
static wg_program *nested(int64_t outside, int64_t inside) {
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), w = wg_input(g, "w", wg_f64()), r[2] = {{0}};
    wg_var a = wg_mul(w, wg_cos(x));
    wg_loop *outer = wg_loop_begin(g, n);
    wg_loop_checkpoints(outer, outside);
    wg_var i = wg_loop_index(outer), sum = wg_loop_carry(outer, w);
    wg_var made = wg_loop_carry(outer, wg_mul(x, x)), xi = wg_loop_slice(outer, x), in[2] = {{0}};
    wg_loop *inner = wg_loop_begin(g, n);
    wg_loop_count(inner, wg_add(i, 1));
    wg_loop_checkpoints(inner, inside);
    wg_var s = wg_loop_carry(inner, sum), all = wg_loop_carry(inner, wg_mul(0.5, xi));
    wg_var k = wg_loop_index(inner), y;
    wg_branch *branch = wg_branch_begin(g, wg_gt(s, 0.1));
    wg_branch_case(branch, wg_log(wg_add(s, 1)));
    wg_branch_case(branch, wg_mul(xi, s));
    wg_branch_end(branch, &y);
    wg_loop_next(inner, s, wg_add(wg_mul(wg_mul(s, xi), wg_take(a, k, 0)), y));
    wg_loop_next(inner, all, wg_add(all, wg_sin(s)));
    wg_loop_end(inner, in);
    wg_loop_next(outer, sum, wg_add(in[1], wg_mul(in[0], wg_take(made, i, 0))));
    wg_loop_next(outer, made, wg_index_set(made, wg_mul(in[0], in[0]), i, 0));
    wg_loop_end(outer, r);
    wg_output(g, "y", wg_add(r[0], wg_sum(wg_mul(x, r[1]))));
    return test_build(g);
}

static void loops_with_snapshots_nest(void **state) {
    (void)state;
    wg_error error = {0};
    enum { M = 6 };
    static struct run r[4][2];
    for (int kind = 0; kind < 4; kind++) {
        wg_program *p = nested(kind % 2 ? 2 : 0, kind / 2 ? 3 : 0);
        wg_program *made[] = {wg_value_and_grad(p, "x, w", &error), wg_hessian(p, "x", &error)};
        assert_ok(error);
        for (size_t k = 0; k < 2; k++) run(made[k], M, point, &weight, &r[kind][k]);
        for (size_t k = 0; k < 2; k++) wg_program_free(made[k]);
        wg_program_free(p);
        for (size_t k = 0; k < 2; k++)
            for (size_t o = 0; o < 3; o++)
                for (size_t i = 0; i < M * M; i++)
                    assert_near(r[kind][k].out[o][i], r[0][k].out[o][i], 1e-13);
    }
}

/* ---- how often ------------------------------------------------------------------------------- */

static wg_status counted_sine(void *context, const wg_tensor *in, const wg_tensor *out) {
    const double *x = in[0].data;
    double *y = out[0].data;
    atomic_fetch_add((atomic_long *)context, 1);
    for (int64_t i = 0; i < wg_tensor_count(&in[0]); i++) y[i] = sin(x[i]);
    return WG_OK;
}

static wg_status sine_vjp(void *context, const wg_tensor *in, const wg_tensor *out) {
    const double *x = in[0].data, *ct = in[1].data;
    double *x_bar = out[0].data;
    (void)context;
    for (int64_t i = 0; i < wg_tensor_count(&in[0]); i++) x_bar[i] = cos(x[i]) * ct[i];
    return WG_OK;
}

/* y = sum of s_n, s_i+1 = sin(s_i) + x s_i, by a function that counts, m elements wide. */
static wg_program *chain(wg_extent length, int64_t snapshots, int64_t m, atomic_long *calls) {
    wg_graph *g = wg_graph_new();
    if (length < 0) length = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(m)), k = wg_input(g, "k", wg_i64()), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, length);
    wg_loop_checkpoints(loop, snapshots);
    wg_var s = wg_loop_carry(loop, x), sine;
    if (length == WG_UNBOUNDED) wg_loop_while(loop, wg_lt(wg_loop_index(loop), k));
    const wg_external f = {
        .name = "counted", .call = counted_sine, .vjp = sine_vjp, .context = calls};
    wg_type type = wg_f64(m);
    if (calls)
        wg_external(g, &f, 1, &s, 1, &type, &sine);
    else
        sine = wg_sin(s);
    wg_loop_next(loop, s, wg_add(sine, wg_mul(x, s)));
    wg_loop_end(loop, r);
    wg_output(g, "y", wg_sum(r[0]));
    return test_build(g);
}

/* (s + r)! / (s! r!) */
static int64_t binomial(int64_t s, int64_t r) {
    int64_t b = r < 0 ? 0 : 1;
    for (int64_t k = 1; k <= r; k++) b = b * (s + k) / k;
    return b;
}

/* The smallest number of repeated iterations, by trying every split. */
static int64_t fewest(int64_t m, int64_t s, int64_t (*known)[10]) {
    for (int64_t i = 0; i <= m; i++)
        for (int64_t k = 1; k <= s; k++) {
            int64_t best = i <= 1 ? 0 : i * (i - 1) / 2;
            for (int64_t d = 1; k > 1 && d < i; d++) {
                int64_t here = d + known[d][k] + known[i - d][k - 1];
                if (here < best) best = here;
            }
            known[i][k] = best;
        }
    return known[m][s];
}

static double run_chain(const wg_program *p, wg_backend backend, int64_t n, const double *x,
                        double *grad, size_t *bytes) {
    static struct run r;
    const void *in[] = {x, &n};
    run_by(p, backend, &n, in, &r, bytes);
    if (grad) memcpy(grad, r.out[1], 3 * sizeof *grad);
    return r.out[0][0];
}

static void no_iteration_is_run_more_often_than_proven(void **state) {
    (void)state;
    wg_error error = {0};
    static int64_t known[101][10];
    for (int64_t c = 1; c < 10; c++) {
        atomic_long calls = 0;
        wg_program *p = chain(-1, c, 3, &calls), *grad = wg_value_and_grad(p, "x", &error);
        assert_ok(error);
        for (int64_t n = 0; n <= 100; n += n < 20 ? 1 : 16) {
            calls = 0;
            run_chain(grad, WG_INTERPRET, n, point, NULL, NULL);
            assert_int_equal(calls, n + fewest(n, c, known));
        }
        wg_program_free(p);
        wg_program_free(grad);
    }
}

static void memory_is_that_of_the_snapshots(void **state) {
    (void)state;
    wg_error error = {0};
    enum { LENGTH = 10000, SNAPSHOTS = 20, WIDTH = 64 };
    atomic_long calls = 0;
    size_t bytes[2];
    double x[WIDTH], out[2][3], y[2];
    for (int i = 0; i < WIDTH; i++) x[i] = 0.01 * i - 0.3;
    for (int few = 0; few < 2; few++) {
        wg_program *p = chain(-1, few ? SNAPSHOTS : 0, WIDTH, &calls);
        wg_program *grad = wg_value_and_grad(p, "x", &error);
        assert_ok(error);
        calls = 0;
        y[few] = run_chain(grad, WG_INTERPRET, LENGTH, x, out[few], &bytes[few]);
        wg_program_free(p);
        wg_program_free(grad);
    }
    /* 10,000 is at most 24! / (20! 4!) = 10,626, but more than 23! / (20! 3!) */
    assert_int_equal(calls, LENGTH + 4 * LENGTH - binomial(SNAPSHOTS + 1, 3));
    assert_true(y[0] == y[1]);
    assert_memory_equal(out[0], out[1], sizeof out[0]);
    assert_true(bytes[0] > LENGTH * WIDTH * sizeof(double));
    assert_true(100 * bytes[1] < bytes[0]);
}

/* ---- loops that nobody can count ------------------------------------------------------------- */

static void a_loop_that_nobody_can_count_has_a_gradient(void **state) {
    (void)state;
    wg_error error = {0};
    size_t bytes[6];
    wg_program *p = chain(WG_UNBOUNDED, 0, 3, NULL), *q = chain(-1, 0, 3, NULL);
    wg_program *open[] = {wg_value_and_grad(p, "x", &error), wg_hessian(p, "x", &error)};
    wg_program *known[] = {wg_value_and_grad(q, "x", &error), wg_hessian(q, "x", &error)};
    assert_ok(error);
    for (size_t k = 0; k < 6; k++) {
        int64_t n = (int64_t[]){0, 1, 2, 33, 100, 1000}[k];
        double one[2][3];
        double y = run_chain(open[0], WG_INTERPRET, n, point, one[0], &bytes[k]);
        assert_true(y == run_chain(known[0], WG_INTERPRET, n, point, one[1], NULL));
        assert_memory_equal(one[0], one[1], sizeof one[0]);
        assert_true(y == run_chain(open[0], WG_NATIVE, n, point, one[1], NULL));
        assert_memory_equal(one[0], one[1], sizeof one[0]);
        assert_int_equal(bytes[k], bytes[0]);
        static struct run h[2];
        run_by(open[1], WG_INTERPRET, &n, (const void *[]){point, &n}, &h[0], NULL);
        run_by(known[1], WG_INTERPRET, &n, (const void *[]){point, &n}, &h[1], NULL);
        for (size_t i = 0; i < 9; i++) assert_near(h[0].out[0][i], h[1].out[0][i], 1e-13);
    }
    for (size_t k = 0; k < 2; k++) {
        wg_program_free(open[k]);
        wg_program_free(known[k]);
    }
    wg_program_free(p);
    wg_program_free(q);
}

/* y = x multiplied by 1 + x^2 until it is 40: examples that end at different times, one at once. */
static void batches_of_loops_that_nobody_can_count(void **state) {
    (void)state;
    wg_error error = {0};
    enum { M = 4 };
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, WG_UNBOUNDED);
    wg_var y = wg_loop_carry(loop, x);
    wg_loop_while(loop, wg_lt(y, 40));
    wg_loop_next(loop, y, wg_mul(y, wg_add(1, wg_mul(x, x))));
    wg_loop_end(loop, r);
    wg_output(g, "y", r[0]);
    wg_program *p = test_build(g), *grad = wg_grad(p, "x", &error),
               *second = wg_grad(grad, "x", &error);
    wg_program *batch = wg_vmap(p, "x", "n", &error);
    wg_program *all[] = {wg_vmap(grad, "x", "n", &error), wg_vjp(batch, "y", "x", &error),
                         wg_vmap(second, "x", "n", &error)};
    assert_ok(error);
    const double at[M] = {0.5, 1, 2, 50}, ones[M] = {1, 1, 1, 1};
    const int64_t size = M;
    static struct run r0, r1, r2, one;
    run_by(all[0], WG_INTERPRET, &size, (const void *[]){at}, &r0, NULL);
    run_by(all[1], WG_INTERPRET, &size, (const void *[]){at, ones}, &r1, NULL);
    run_by(all[2], WG_INTERPRET, &size, (const void *[]){at}, &r2, NULL);
    for (size_t k = 0; k < M; k++) {
        run_by(grad, WG_INTERPRET, NULL, (const void *[]){&at[k]}, &one, NULL);
        assert_near(r0.out[0][k], one.out[0][0], 1e-14);
        assert_near(r1.out[1][k], one.out[0][0], 1e-14);
        run_by(second, WG_INTERPRET, NULL, (const void *[]){&at[k]}, &one, NULL);
        assert_near(r2.out[0][k], one.out[0][0], 1e-14);
    }
    double m = 0; /* y = x (1 + x^2)^m */
    for (double v = at[0]; v < 40; v *= 1 + at[0] * at[0]) m++;
    double rate = pow(1 + at[0] * at[0], m - 1) * (1 + (2 * m + 1) * at[0] * at[0]);
    assert_near(r0.out[0][0], rate, 1e-13);
    for (size_t k = 0; k < 3; k++) wg_program_free(all[k]);
    wg_program_free(p);
    wg_program_free(grad);
    wg_program_free(second);
    wg_program_free(batch);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

/* Layers x -> tanh(sin(w x) + x^2) exp(-x/2), each under a checkpoint; y = sum x^2. calls: of the
 * sine, which is what is marked. */
static wg_program *layers(wg_keep keep, bool loop_of_them, int64_t m, atomic_long *calls) {
    wg_graph *g = wg_graph_new();
    wg_extent n = m > 0 ? m : wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), w = wg_input(g, "w", wg_f64()), r[1], at = x;
    const wg_external f = {
        .name = "counted", .call = counted_sine, .vjp = sine_vjp, .context = calls};
    wg_type type = wg_f64(n);
    wg_loop *loop = loop_of_them ? wg_loop_begin(g, 6) : NULL;
    if (loop) at = wg_loop_carry(loop, x);
    for (int i = 0; i < (loop ? 1 : 6); i++) {
        wg_var in = at, angle = wg_mul(w, at), sine;
        wg_checkpoint *c = wg_checkpoint_begin(g, keep);
        if (calls)
            wg_external(g, &f, 1, &angle, 1, &type, &sine);
        else
            sine = wg_sin(angle);
        wg_checkpoint_keep(c, sine);
        at = wg_tanh(wg_add(sine, wg_square(at)));
        wg_checkpoint_end(c, &at, wg_mul(at, wg_exp(wg_mul(-0.5, in))));
        if (loop) wg_loop_next(loop, in, at);
    }
    if (loop) {
        wg_loop_end(loop, r);
        at = r[0];
    }
    wg_output(g, "y", wg_sum(wg_square(at)));
    return test_build(g);
}

static void checkpoints_change_no_derivative(void **state) {
    (void)state;
    wg_error error = {0};
    enum { M = 7, WAYS = 6 };
    static struct run r[3][WAYS];
    for (int inside = 0; inside < 2; inside++) {
        for (int keep = WG_KEEP_INPUTS; keep <= WG_KEEP_ALL; keep++) {
            wg_program *p = layers((wg_keep)keep, inside, 0, NULL), *grad = wg_grad(p, "x", &error);
            wg_program *jac = wg_jacobian(p, NULL, "x", WG_FORWARD, &error);
            wg_program *way[WAYS] = {wg_value_and_grad(p, "x, w", &error),
                                     wg_hessian(p, "x", &error),
                                     wg_jacobian(grad, NULL, "x", WG_REVERSE, &error),
                                     wg_jacobian(jac, NULL, "x", WG_REVERSE, &error),
                                     wg_vmap(grad, "w", "m", &error),
                                     wg_taylor(grad, NULL, "w", 2, &error)};
            assert_ok(error);
            for (size_t k = 0; k < WAYS; k++) {
                const double w[] = {0.6, -0.4, 1.1};
                const void *in[] = {point, w, (double[]){1, 0}};
                int64_t size[] = {M, 3};
                run_by(way[k], WG_INTERPRET, size, in, &r[keep][k], NULL);
                static struct run native;
                if (k < 2 && run_by(way[k], WG_NATIVE, size, in, &native, NULL))
                    assert_memory_equal(&r[keep][k], &native, sizeof native);
                wg_program_free(way[k]);
            }
            wg_program_free(p);
            wg_program_free(grad);
            wg_program_free(jac);
        }
        for (int keep = WG_KEEP_INPUTS; keep < WG_KEEP_ALL; keep++)
            for (size_t k = 0; k < WAYS; k++)
                for (size_t o = 0; o < 3; o++)
                    for (size_t i = 0; i < M * M; i++)
                        assert_near(r[keep][k].out[o][i], r[WG_KEEP_ALL][k].out[o][i], 1e-14);
    }
}

static void marked_values_are_not_computed_again(void **state) {
    (void)state;
    wg_error error = {0};
    for (int inside = 0; inside < 2; inside++)
        for (int keep = WG_KEEP_INPUTS; keep <= WG_KEEP_ALL; keep++) {
            atomic_long calls = 0;
            static struct run r;
            wg_program *p = layers((wg_keep)keep, inside, 3, &calls);
            wg_program *grad = wg_value_and_grad(p, "x", &error);
            assert_ok(error);
            run_by(grad, WG_INTERPRET, NULL, (const void *[]){point, &weight}, &r, NULL);
            assert_int_equal(calls, keep == WG_KEEP_INPUTS ? 12 : 6);
            wg_program_free(p);
            wg_program_free(grad);
        }
}

static void a_checkpoint_keeps_its_inputs(void **state) {
    (void)state;
    wg_error error = {0};
    enum { M = 4096 };
    size_t bytes[3];
    for (int keep = WG_KEEP_INPUTS; keep <= WG_KEEP_ALL; keep++) {
        wg_program *p = layers((wg_keep)keep, true, M, NULL), *grad = wg_grad(p, "x", &error);
        wg_function *fn = wg_compile(grad, NULL, &error);
        wg_workspace_size(fn, NULL, &bytes[keep], &error);
        assert_ok(error);
        wg_function_free(fn);
        wg_program_free(p);
        wg_program_free(grad);
    }
    size_t layer = M * sizeof(double);
    assert_true(bytes[WG_KEEP_INPUTS] + 5 * layer < bytes[WG_KEEP_MARKED]);
    assert_true(bytes[WG_KEEP_MARKED] + 5 * layer < bytes[WG_KEEP_ALL]);
}

static void misuse_is_an_error(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, 3);
    wg_loop_checkpoints(loop, 40000);
    wg_loop_end(loop, NULL);
    assert_non_null(strstr(wg_graph_error(g)->message,
                           "loop_checkpoints: 40000 snapshots; 1 to 32767 are possible"));
    wg_checkpoint *c = wg_checkpoint_begin(g, WG_KEEP_MARKED);
    assert_null(c);
    wg_checkpoint_keep(c, x);
    wg_checkpoint_end(c, r, x);
    wg_graph_free(g);
    g = wg_graph_new();
    assert_null(wg_checkpoint_begin(g, (wg_keep)3));
    assert_non_null(
        strstr(wg_graph_error(g)->message, "checkpoint: 3 is no way of keeping values"));
    wg_graph_free(g);
    g = wg_graph_new();
    wg_graph *other = wg_graph_new();
    wg_var y = wg_input(other, "y", wg_f64());
    c = wg_checkpoint_begin(g, WG_KEEP_MARKED);
    wg_checkpoint_keep(c, y);
    assert_non_null(strstr(wg_graph_error(g)->message, "checkpoint_keep: operands of two graphs"));
    wg_checkpoint_end(c, r, y);
    wg_graph_free(g);
    wg_graph_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_change_no_gradient),
        cmocka_unit_test(snapshots_serve_every_order_and_mode),
        cmocka_unit_test(loops_with_snapshots_nest),
        cmocka_unit_test(no_iteration_is_run_more_often_than_proven),
        cmocka_unit_test(memory_is_that_of_the_snapshots),
        cmocka_unit_test(a_loop_that_nobody_can_count_has_a_gradient),
        cmocka_unit_test(batches_of_loops_that_nobody_can_count),
        cmocka_unit_test(checkpoints_change_no_derivative),
        cmocka_unit_test(marked_values_are_not_computed_again),
        cmocka_unit_test(a_checkpoint_keeps_its_inputs),
        cmocka_unit_test(misuse_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
