/* Products: all four orientations, batch axes and sizes around the block sizes of the kernel
 * against plain loops; vectors and leading axes as NumPy's @ takes them; contractions of any axes;
 * which instructions come of it, so that nothing is copied that need not be. */
#include "op/evaluate.h"

#include "op/build.h"

static double left[200000], right[200000];

static void fill(void) {
    wg_random random = wg_random_seed(3);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        left[i] = (double)wg_random_below(&random, 9) - 4; /* small integers: products are exact */
        right[i] = (double)wg_random_below(&random, 9) - 4;
    }
}

/* Copies numbers into an array of a type. */
static void *as(wg_dtype dtype, const double *x, size_t count) {
    void *data = calloc(count + 1, 8);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++) {
        if (dtype == WG_F64) ((double *)data)[i] = x[i];
        else if (dtype == WG_F32) ((float *)data)[i] = (float)x[i];
        else if (dtype == WG_I64) ((int64_t *)data)[i] = (int64_t)x[i];
        else ((int32_t *)data)[i] = (int32_t)x[i];
    }
    return data;
}

static void check_product(wg_dtype dtype, bool at, bool bt, int64_t batch, int64_t m, int64_t n,
                          int64_t k) {
    struct evaluate e = evaluate_begin();
    void *a = as(dtype, left, (size_t)(batch * m * k)),
         *b = as(dtype, right, (size_t)(batch * k * n));
    wg_var x = evaluate_input(&e, true, dtype, SHAPE(batch, at ? k : m, at ? m : k), a);
    wg_var y = evaluate_input(&e, true, dtype, SHAPE(batch, bt ? n : k, bt ? k : n), b);
    evaluate(&e, (wg_var){e.g, build_dot(e.g, x.id, y.id, 1, 1, at, bt)});
    double *expected = calloc((size_t)(batch * m * n) + 1, sizeof *expected);
    assert_non_null(expected);
    for (int64_t o = 0; o < batch; o++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++)
                for (int64_t p = 0; p < k; p++)
                    expected[(o * m + i) * n + j] +=
                        left[o * m * k + (at ? p * m + i : i * k + p)] *
                        right[o * k * n + (bt ? j * k + p : p * n + j)];
    assert_numbers(&e.out, expected, (size_t)(batch * m * n), 0);
    free(expected);
    free(a);
    free(b);
    evaluate_end(&e);
}

static void multiplies_every_orientation(void **state) {
    (void)state;
    static const int64_t size[][4] = {{1, 1, 1, 1},     {2, 3, 4, 5},   {1, 4, 8, 7},
                                      {1, 5, 9, 200},   {1, 1, 40, 30}, {1, 40, 1, 30},
                                      {2, 67, 33, 130}, {3, 0, 4, 2},   {3, 4, 0, 2},
                                      {3, 4, 2, 0},     {0, 2, 2, 2},   {1, 130, 17, 3},
                                      {1, 110, 131, 200}};
    for (size_t s = 0; s < sizeof size / sizeof *size; s++)
        for (int flags = 0; flags < 4; flags++)
            for (int dtype = WG_I32; dtype <= WG_F64; dtype++)
                check_product((wg_dtype)dtype, flags & 1, flags >> 1, size[s][0], size[s][1],
                              size[s][2], size[s][3]);
}

/* Few rows of both operands along the summed axis, at sizes around those of tiles and vectors. */
static void multiplies_along_long_axes(void **state) {
    (void)state;
    static const int64_t few[] = {2, 3, 4, 5, 6, 9, 10, 16, 24, 25}, deep[] = {31, 32, 64, 77, 100};
    for (size_t i = 0; i < COUNT_OF(few); i++)
        for (size_t j = 0; j < COUNT_OF(few); j++)
            for (size_t k = 0; k < COUNT_OF(deep); k++)
                for (int dtype = WG_F32; dtype <= WG_F64; dtype++)
                    check_product((wg_dtype)dtype, false, true, 2, few[i], few[j], deep[k]);
}

static void integers_wrap(void **state) {
    (void)state;
    int32_t a[2] = {INT32_MAX, INT32_MAX}, b[2] = {2, 3};
    struct evaluate e = evaluate_begin();
    evaluate(&e, wg_matmul(evaluate_input(&e, false, WG_I32, SHAPE(2), a),
                           evaluate_input(&e, false, WG_I32, SHAPE(2), b)));
    ASSERT_VALUES(&e.out, INT32_MAX - 4.0);
    evaluate_end(&e);
}

/* A NaN or infinity in either operand arrives in the product, also beside zeros. */
static void nan_propagates(void **state) {
    (void)state;
    double a[4] = {0, 0, 0, 0}, b[4] = {NAN, 1, 1, INFINITY};
    struct evaluate e = evaluate_begin();
    evaluate(&e, wg_matmul(evaluate_input(&e, true, WG_F64, SHAPE(2, 2), a),
                           evaluate_input(&e, true, WG_F64, SHAPE(2, 2), b)));
    ASSERT_VALUES(&e.out, NAN, NAN, NAN, NAN);
    evaluate_end(&e);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static size_t instructions(const wg_graph *g, unsigned op) {
    size_t count = 0;
    for (size_t i = 1; i < g->t.instr.count; i++) count += g->t.instr.at[i].op == op;
    return count;
}

static void assert_shape(wg_var x, size_t rank, const wg_extent *extent) {
    wg_type type = wg_type_of_var(x), expected = wg_type_of(WG_F64, rank, extent);
    if (wg_graph_error(x.graph)->status) fail_msg("%s", wg_graph_error(x.graph)->message);
    assert_true(type_equal(&type, &expected));
}
#define ASSERT_SHAPE(x, ...)                                                                       \
    assert_shape(x, sizeof((wg_extent[]){0, __VA_ARGS__}) / sizeof(wg_extent) - 1,                 \
                 (wg_extent[]){0, __VA_ARGS__} + 1)

static void matmul_takes_shapes_as_numpy(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent b = wg_size(g, "b"), m = wg_size(g, "m"), k = wg_size(g, "k"), n = wg_size(g, "n");
    wg_var v = wg_input(g, "v", wg_f64(k)), w = wg_input(g, "w", wg_f64(k));
    wg_var mk = wg_input(g, "mk", wg_f64(m, k)), kn = wg_input(g, "kn", wg_f64(k, n));
    wg_var bmk = wg_input(g, "bmk", wg_f64(b, m, k)), bkn = wg_input(g, "bkn", wg_f64(b, k, n));
    wg_var c = wg_input(g, "c", wg_f64(5, 1, m, k)), d = wg_input(g, "d", wg_f64(b, k, n));
    assert_shape(wg_matmul(v, w), 0, NULL);
    ASSERT_SHAPE(wg_matmul(mk, v), m);
    ASSERT_SHAPE(wg_matmul(v, kn), n);
    ASSERT_SHAPE(wg_matmul(mk, kn), m, n);
    ASSERT_SHAPE(wg_matmul(bmk, kn), b, m, n);
    ASSERT_SHAPE(wg_matmul(bmk, v), b, m);
    ASSERT_SHAPE(wg_matmul(bmk, bkn), b, m, n);
    assert_int_equal(instructions(g, OP_broadcast), 0);
    assert_int_equal(instructions(g, OP_dot), 7);
    ASSERT_SHAPE(wg_matmul(v, bkn), b, n);
    ASSERT_SHAPE(wg_matmul(mk, bkn), b, m, n);
    ASSERT_SHAPE(wg_matmul(c, d), 5, b, m, n);
    wg_graph_free(g);
}

static void matmul_broadcasts_leading_axes(void **state) {
    (void)state;
    struct evaluate e = evaluate_begin();
    wg_var x = evaluate_input(&e, true, WG_F64, SHAPE(2, 1, 2, 2), left);
    wg_var y = evaluate_input(&e, true, WG_F64, SHAPE(3, 2, 1), right);
    evaluate(&e, wg_matmul(x, y));
    assert_int_equal(e.out.rank, 4);
    double expected[12];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 2; k++)
                expected[(i * 3 + j) * 2 + k] = left[4 * i + 2 * k] * right[2 * j] +
                                                left[4 * i + 2 * k + 1] * right[2 * j + 1];
    assert_numbers(&e.out, expected, 12, 0);
    evaluate_end(&e);
}

/* a[i,j,k] b[k,l,i] summed over i and k, and with i kept. */
static void contracts_any_axes(void **state) {
    (void)state;
    double whole[12] = {0}, kept[24] = {0};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 5; k++)
                for (int l = 0; l < 4; l++) {
                    double term = left[(i * 3 + j) * 5 + k] * right[(k * 4 + l) * 2 + i];
                    whole[j * 4 + l] += term;
                    kept[(i * 3 + j) * 4 + l] += term;
                }
    struct evaluate e = evaluate_begin();
    wg_var a = evaluate_input(&e, true, WG_F64, SHAPE(2, 3, 5), left);
    wg_var b = evaluate_input(&e, true, WG_F64, SHAPE(5, 4, 2), right);
    evaluate(&e, wg_dot_at(WG_HERE, a, b, 0, NULL, NULL, 2, (int[]){2, 0}, (int[]){0, -1}));
    assert_numbers(&e.out, whole, 12, 0);
    evaluate_end(&e);
    e = evaluate_begin();
    a = evaluate_input(&e, true, WG_F64, SHAPE(2, 3, 5), left);
    b = evaluate_input(&e, true, WG_F64, SHAPE(5, 4, 2), right);
    evaluate(&e, wg_dot_at(WG_HERE, a, b, 1, (int[]){0}, (int[]){2}, 1, (int[]){-1}, (int[]){0}));
    assert_numbers(&e.out, kept, 24, 0);
    evaluate_end(&e);
}

/* ---- what is not copied ---------------------------------------------------------------------- */

/* A transposed operand becomes a flag; so do the four products of a matrix product's adjoints and
 * those of theirs. */
static void transposes_are_absorbed(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_error error = {0};
    wg_extent m = wg_size(g, "m"), k = wg_size(g, "k"), n = wg_size(g, "n");
    wg_var a = wg_input(g, "a", wg_f64(k, m)), b = wg_input(g, "b", wg_f64(n, k));
    wg_output(g, "y", wg_sum(wg_square(wg_matmul(wg_transpose(a), wg_transpose(b)))));
    wg_program *p = wg_build(g, &error), *grad = wg_grad(p, NULL, &error);
    wg_program *hvp = wg_hvp(p, NULL, &error);
    assert_ok(error);
    const wg_program *programs[3] = {p, grad, hvp};
    for (int i = 0; i < 3; i++) {
        const struct trace *t = &programs[i]->t;
        for (size_t v = 1; v < t->instr.count; v++)
            assert_int_not_equal(t->instr.at[v].op, OP_transpose);
    }
    wg_program_free(hvp);
    wg_program_free(grad);
    wg_program_free(p);
}

/* A batch on one side is more rows of one product. */
static void batches_are_rows(void **state) {
    (void)state;
    for (int which = 0; which < 3; which++) {
        wg_graph *g = wg_graph_new();
        wg_error error = {0};
        wg_var a = wg_input(g, "a", wg_f64(4, 3)), x = wg_input(g, "x", wg_f64(3));
        wg_output(g, "y", which == 0 ? wg_matmul(a, x) : which == 1 ? wg_matmul(x, wg_transpose(a))
                                                                    : wg_matmul(x, x));
        wg_program *p = wg_build(g, &error), *batched = wg_vmap(p, "x", "n", &error);
        assert_ok(error);
        const struct trace *t = &batched->t;
        for (size_t v = 1; v < t->instr.count; v++) {
            assert_int_not_equal(t->instr.at[v].op, OP_broadcast);
            assert_int_not_equal(t->instr.at[v].op, OP_transpose);
        }
        wg_program_free(batched);
        wg_program_free(p);
    }
}

/* y = sum of the elements of A x where the mask is set: what the other rows of A hold, infinities
 * and NaN, does not come back to x, nor to a matrix in its place. In every orientation. */
static void rows_not_taken_send_nothing(void **state) {
    (void)state;
    enum { N = 40 };
    static double a[N * N], mask[N], ones[N * N];
    for (int which = 0; which < 4; which++) {
        bool at = which & 1, bt = which & 2;
        double expected[N * N] = {0};
        for (int i = 0; i < N; i++) {
            mask[i] = i % 3 == 0;
            for (int k = 0; k < N; k++) {
                double *element = &a[at ? k * N + i : i * N + k];
                *element = mask[i] > 0 ? left[i * N + k] : k % 2 ? INFINITY : NAN;
                for (int j = 0; mask[i] > 0 && j < N; j++)
                    expected[bt ? j * N + k : k * N + j] += *element;
                ones[i * N + k] = 1;
            }
        }
        wg_dtype dtype = which == 3 ? WG_F32 : WG_F64;
        wg_graph *g = wg_graph_new();
        wg_error error = {0};
        wg_extent n = wg_size(g, "n");
        wg_type square = wg_type_of(dtype, 2, (const wg_extent[]){n, n});
        wg_var m = wg_input(g, "mask", wg_type_of(dtype, 1, &n));
        wg_var A = wg_input(g, "A", square), x = wg_input(g, "x", square);
        wg_var y = {g, build_dot(g, A.id, x.id, 0, 1, at, bt)};
        wg_var taken = wg_gt(wg_broadcast(wg_reshape(m, n, 1), n, n), 0);
        wg_output(g, "y", wg_sum(wg_where(taken, y, 0)));
        wg_program *p = wg_build(g, &error), *grad = wg_grad(p, "x", &error);
        wg_function *fn = wg_compile(grad, NULL, &error);
        assert_ok(error);
        void *in[3] = {as(dtype, mask, N), as(dtype, a, N * N), as(dtype, ones, N * N)};
        wg_tensor out = {as(dtype, ones, N * N), dtype, 2, {N, N}};
        wg_status status = wg_call(fn, (int64_t[]){N}, (const void *const *)in, &out.data);
        assert_int_equal(status, WG_OK);
        assert_numbers(&out, expected, N * N, 0);
        for (int i = 0; i < 3; i++) free(in[i]);
        free(out.data);
        wg_function_free(fn);
        wg_program_free(grad);
        wg_program_free(p);
    }
}

/* Tiles, edges of tiles, and depths around those that are summed at once: against long double. */
static void multiplies_every_shape(void **state) {
    (void)state;
    static const int64_t extents[] = {3, 4, 8, 9, 31, 48, 49, 100}, depths[] = {1, 7, 192, 193};
    enum { LARGEST = 100 * 193 };
    static double a[LARGEST], b[LARGEST], y[100 * 100];
    static float a32[LARGEST], b32[LARGEST], y32[100 * 100];
    for (int i = 0; i < LARGEST; i++) {
        a[i] = a32[i] = (float)((i * 7919) % 1009) / 1009 - 0.4f;
        b[i] = b32[i] = (float)((i * 6007) % 997) / 997 - 0.6f;
    }
    for (int which = 0; which < 8; which++) {
        bool at = which & 1, bt = which & 2, f32 = which & 4;
        wg_error error = {0};
        wg_graph *g = wg_graph_new();
        wg_extent m = wg_size(g, "m"), k = wg_size(g, "k"), n = wg_size(g, "n");
        wg_dtype dtype = f32 ? WG_F32 : WG_F64;
        wg_var A = wg_input(g, "A", wg_type_of(dtype, 2, (wg_extent[]){at ? k : m, at ? m : k}));
        wg_var B = wg_input(g, "B", wg_type_of(dtype, 2, (wg_extent[]){bt ? n : k, bt ? k : n}));
        wg_var product = {g, build_dot(g, A.id, B.id, 0, 1, at, bt)};
        wg_output(g, "y", product);
        wg_program *p = wg_build(g, &error);
        wg_function *fn = wg_compile(p, NULL, &error);
        assert_ok(error);
        for (size_t s = 0; s < 8 * 8 * 4; s++) {
            int64_t M = extents[s % 8], N = extents[s / 8 % 8], K = depths[s / 64];
            const void *in[2] = {f32 ? (void *)a32 : a, f32 ? (void *)b32 : b};
            void *out[1] = {f32 ? (void *)y32 : y};
            assert_int_equal(wg_call(fn, (int64_t[]){M, K, N}, in, out), WG_OK);
            for (int64_t i = 0; i < M * N; i++) {
                int64_t row = i / N, column = i % N;
                long double sum = 0;
                for (int64_t d = 0; d < K; d++)
                    sum += (long double)a[at ? d * M + row : row * K + d] *
                           (long double)b[bt ? column * K + d : d * N + column];
                double got = f32 ? (double)y32[i] : y[i];
                double bound = (double)(K + 1) * (f32 ? 1e-7 : 2e-16);
                if (!(fabsl(sum - (long double)got) <= (long double)bound))
                    fail_msg("%lld x %lld x %lld, %d: y[%lld] = %.17g, not %.17Lg", (long long)M,
                             (long long)K, (long long)N, which, (long long)i, got, sum);
            }
        }
        wg_function_free(fn);
        wg_program_free(p);
    }
}

int main(void) {
    fill();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multiplies_every_orientation),
        cmocka_unit_test(multiplies_along_long_axes),
        cmocka_unit_test(multiplies_every_shape),
        cmocka_unit_test(integers_wrap),
        cmocka_unit_test(nan_propagates),
        cmocka_unit_test(matmul_takes_shapes_as_numpy),
        cmocka_unit_test(matmul_broadcasts_leading_axes),
        cmocka_unit_test(contracts_any_axes),
        cmocka_unit_test(transposes_are_absorbed),
        cmocka_unit_test(batches_are_rows),
        cmocka_unit_test(rows_not_taken_send_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
