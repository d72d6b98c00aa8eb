/* Sparse Jacobians and Hessians against dense ones: every sample of every operation, random
 * programs, and shapes with nothing, too much, or the wrong proportions in them. */
#include "support/op_check.h"
#include "support/op_values.h"
#include "support/random_program.h"
#include "support/sparse_check.h"
#include "support/test.h"
#include "transform/sparsity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- operations ------------------------------------------------------------------------------ */

/* Whether an entry is 0 at no ordinary point: not where one argument or element is chosen, nor
 * where triangles are joined to whole matrices. */
static bool is_exact(unsigned op) {
    return op_def(op)->class != ELEMENTWISE && op != OP_reduce_max &&
           !(op >= OP_words && op <= OP_expm);
}

static void check_typed(const struct op_sample *sample, struct op_typing t, const wg_program *p,
                        void *ctx) {
    wg_random random = wg_random_seed(3);
    wg_tensor x[3] = {{0}};
    if (t.first != WG_F64 || wg_output_type(p, 0).dtype != WG_F64 || sample->narg == 0) return;
    bool floats = false;
    for (size_t i = 0; i < sample->narg; i++) {
        x[i] = op_draw(sample, i, t, false, &random);
        floats = floats || x[i].dtype == WG_F64;
    }
    wg_error error = {0};
    wg_program_free(wg_jvp(p, NULL, NULL, &error));
    if (error.status == WG_OK && floats)
        for (int known = 0; known < 2; known++) {
            struct sparse_counts c = check_sparse_jacobian(p, 3, x, known);
            if (known && is_exact(*(unsigned *)ctx) && c.entries != c.nonzeros)
                fail_msg("%s (%s): %lld entries, of which %lld are not 0",
                         op_def(*(unsigned *)ctx)->name, sample->note ? sample->note : "",
                         (long long)c.entries, (long long)c.nonzeros);
        }
    else if (floats && error.status != WG_ENORULE)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < sample->narg; i++) free(x[i].data);
}

static void check_sample(unsigned op, const struct op_sample *sample, void *ctx) {
    (void)ctx;
    op_each_typing(op, sample, check_typed, &op);
}

static void every_operation_agrees_with_dense(void **state) {
    (void)state;
    op_each_sample(check_sample, NULL);
}

/* ---- programs -------------------------------------------------------------------------------- */

static void random_programs_agree_with_dense(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        wg_error error = {0};
        wg_random random = wg_random_seed(seed);
        wg_program *p = random_program(seed, 30, seed % 2, NULL, &error);
        assert_ok(error);
        wg_tensor *x = random_inputs(p, 4, &random);
        check_sparse_jacobian(p, 4, x, false);
        check_sparse_hessian(p, 4, x, false);
        free_tensors(x, wg_input_count(p));
        wg_program_free(p);
    }
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static struct sparse_counts check(const char *formula, int64_t n, bool hessian) {
    wg_random random = wg_random_seed(7);
    wg_program *p = test_parse(formula);
    wg_tensor *x = random_inputs(p, n, &random);
    struct sparse_counts c = (hessian ? check_sparse_hessian : check_sparse_jacobian)(p, n, x,
                                                                                      false);
    free_tensors(x, wg_input_count(p));
    wg_program_free(p);
    return c;
}

static void empty_rows_and_trailing_empty_columns(void **state) {
    (void)state;
    struct sparse_counts c = check("f(x[n]) = pad(x[:-2]^2, 1, 3)", 6, false);
    assert_int_equal(c.entries, 4);
    c = check("f(x[n], y[n]) = { a = 2*x[:-2]; b = floor(y); c = x - x }", 6, false);
    assert_int_equal(c.entries, 4 + 6); /* terms that cancel are not seen to */
    c = check("f(x[n]) = floor(x)", 6, false);
    assert_int_equal(c.entries + c.forward + c.reverse, 0);
    c = check("f(x[n]) = sum(x[1:-1]^3)", 6, true);
    assert_int_equal(c.entries, 4);
    c = check("f(x[n]) = sum(3*x)", 6, true);
    assert_int_equal(c.entries + c.forward, 0);
    c = check("f(x[n]) = x^2", 0, false);
    assert_int_equal(c.entries, 0);
}

static void shapes_that_are_not_square(void **state) {
    (void)state;
    struct sparse_counts c = check("f(x[30]) = x[::3]*x[1::3]", 30, false);
    assert_int_equal(c.entries, 20);
    assert_int_equal(c.forward + c.reverse, 1); /* rows, of which none meet: one in reverse */
    c = check("f(x[n]) = concat(x^2, sin(x), x^3)", 8, false);
    assert_int_equal(c.entries, 24);
    assert_true(c.forward == 1 && c.reverse == 0);
    c = check("f(x[n], A[n,n], b) = { y = A @ x; z = sum(A, axis=0)*b; w = b }", 4, false);
    assert_int_equal(c.entries, 4 * 8 + 4 * 5 + 1);
}

static void dense_rows_and_columns(void **state) {
    (void)state;
    struct sparse_counts c = check("f(x[n]) = concat(x^2, reshape(sum(x), 1))", 20, false);
    assert_int_equal(c.entries, 40);
    assert_int_equal(c.forward + c.reverse, 2);
    c = check("f(x[n]) = x*x[3]", 20, false);
    assert_int_equal(c.entries, 39);
    assert_int_equal(c.forward + c.reverse, 2);
    c = check("f(x[n]) = concat(reshape(sum(x), 1), x[1:]*x[0])", 20, false);
    assert_int_equal(c.entries, 58);
    assert_int_equal(c.forward + c.reverse, 3);
    c = check("f(x[n]) = sum(x)^3", 12, true);
    assert_int_equal(c.entries, 144);
}

/* Of a mask, a one-hot product and a difference matrix. */
static void known_zeros_let_nothing_through(void **state) {
    (void)state;
    struct sparse_counts c = check(
        "f(x[n]) = { i = iota(n); y = where(i > 1, x^2, 0) + where(i < 1, 3, x[0]) }", 5, false);
    assert_int_equal(c.entries, 3 + 4);
    c = check("f(x[n]) = { i = iota(n); y = f64(imod(i, 2) == 0)*(x*x[0]) }", 5, false);
    assert_int_equal(c.entries, 1 + 2 * 2);
    c = check("f(x[n]) = { i = iota(n); y = one_hot(idiv(i, 2), n) @ sin(x) }", 6, false);
    assert_int_equal(c.entries, 6);
    c = check("f(x[n]) = one_hot(iota(n), n)*x", 4, false);
    assert_int_equal(c.entries, 4);
}

/* Nothing is tried out: where all numbers are 0 at a point, the pattern is what it is. */
static void patterns_do_not_depend_on_the_point(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = test_parse("f(x[n]) = x[1:]*x[:-1]^2");
    wg_sparse_options options = {.size = (int64_t[]){4}};
    wg_sparse *s = wg_sparse_jacobian(p, &options, &error);
    assert_ok(error);
    double x[4] = {0}, entry[6];
    assert_int_equal(wg_sparse_pattern(s)->entries, 6);
    for (int point = 0; point < 2; point++) {
        wg_sparse_values(s, (const void *const[]){x}, entry, NULL, &error);
        assert_ok(error);
        assert_true(entry[0] == 2 * x[0] * x[1] && entry[1] == x[0] * x[0]);
        x[0] = 3;
        x[1] = 5;
    }
    wg_sparse_free(s);
    wg_program_free(p);
}

static void columns_are_rows_of_the_transposed(void **state) {
    (void)state;
    wg_error error = {0};
    wg_pattern p, t;
    wg_program *f = test_parse("f(x[n]) = concat(x[1:]*x[:-1], x[:2])");
    wg_sparse_options options = {.size = (int64_t[]){5}};
    wg_jacobian_pattern(f, &options, &p, &error);
    int64_t entry[16], row[16];
    wg_pattern_transpose(&p, &t, entry, &error);
    assert_ok(error);
    assert_true(t.rows == p.columns && t.columns == p.rows && t.entries == p.entries);
    wg_pattern_rows(&p, row);
    for (int64_t k = 0; k < t.rows; k++)
        for (int64_t e = t.row[k]; e < t.row[k + 1]; e++) {
            assert_int_equal(p.column[entry[e]], k);
            assert_int_equal(row[entry[e]], t.column[e]);
            if (e > t.row[k]) assert_true(t.column[e] > t.column[e - 1]);
        }
    wg_pattern_free(&t);
    wg_pattern_free(&p);
    wg_pattern_free(&p); /* twice does no harm */
    wg_program_free(f);
}

/* ---- colours --------------------------------------------------------------------------------- */

enum { VERTICES = 40 };

/* A random symmetric pattern, diagonal included. */
static void random_graph(wg_random *random, double share, wg_pattern *p) {
    static bool there[VERTICES][VERTICES];
    static int64_t row[VERTICES + 1], column[VERTICES * VERTICES];
    memset(there, 0, sizeof there);
    for (int i = 0; i < VERTICES; i++)
        for (int k = 0; k <= i; k++)
            there[i][k] = there[k][i] = wg_random_uniform(random) < (i == k ? 0.9 : share);
    *p = (wg_pattern){.rows = VERTICES,
                      .columns = VERTICES,
                      .row = row,
                      .column = column,
                      .allocator = standard_allocator()};
    for (int i = 0; i < VERTICES; i++) {
        for (int k = 0; k < VERTICES; k++)
            if (there[i][k]) column[p->entries++] = k;
        row[i + 1] = p->entries;
    }
}

/* Whether in row i nothing but entry j has the colour. */
static bool alone(const wg_pattern *p, const int32_t *colour, int64_t i, int64_t j) {
    int times = 0;
    for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) times += colour[p->column[e]] == colour[j];
    return times == 1;
}

static void star_colourings_recover_every_entry(void **state) {
    (void)state;
    wg_random random = wg_random_seed(11);
    for (int round = 0; round < 200; round++) {
        wg_pattern p;
        int32_t colour[VERTICES], count, by_columns;
        random_graph(&random, 0.01 + 0.3 * wg_random_uniform(&random), &p);
        assert_true(colour_columns(&p, NULL, colour, &by_columns));
        for (int64_t i = 0; i < p.rows; i++)
            for (int64_t e = p.row[i]; e < p.row[i + 1]; e++)
                assert_true(alone(&p, colour, i, p.column[e]));
        assert_true(colour_symmetric(&p, colour, &count));
        for (int64_t i = 0; i < p.rows; i++)
            for (int64_t e = p.row[i]; e < p.row[i + 1]; e++) {
                int64_t j = p.column[e];
                assert_in_range(colour[j], 0, count - 1);
                assert_true(alone(&p, colour, i, j) || alone(&p, colour, j, i));
            }
        assert_true(count <= by_columns + 2); /* symmetry is worth something */
    }
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* Cameras and points that observations bring together: two residuals by eleven numbers of a camera,
 * three of a point and a weight, in 2x15 blocks of a matrix with tens of thousands of columns. */
static void bundle_adjustment_has_blocks_of_two_by_fifteen(void **state) {
    (void)state;
    enum { CAMERAS = 50, POINTS = 1000, SEEN = 4000 };
    static const char text[] =
        "f(cam[c,11], X[m,3], w[p], ci[p]: i64, xi[p]: i64, feat[p,2]) = {\n"
        "  k = cam[ci]\n  d = X[xi] - k[:,3:6]\n  r = k[:,0:3]\n"
        "  t2 = sum(r^2, axis=1)\n  t = sqrt(t2)\n  v = r/reshape(t, -1, 1)\n"
        "  cross = stack(v[:,1]*d[:,2] - v[:,2]*d[:,1], v[:,2]*d[:,0] - v[:,0]*d[:,2],\n"
        "                v[:,0]*d[:,1] - v[:,1]*d[:,0], axis=1)\n"
        "  q = d*reshape(cos(t), -1, 1) + cross*reshape(sin(t), -1, 1) +\n"
        "    v*reshape(sum(v*d, axis=1)*(1 - cos(t)), -1, 1)\n"
        "  u = q[:,0:2]/q[:,2:3]\n  s = sum(u^2, axis=1)\n"
        "  L = 1 + k[:,9]*s + k[:,10]*s^2\n"
        "  proj = u*reshape(L*k[:,6], -1, 1) + k[:,7:9]\n"
        "  err = reshape(w, -1, 1)*(proj - feat)\n  weight = 1 - w^2 }";
    wg_error error = {0};
    wg_program *p = test_parse(text);
    static int64_t camera[SEEN], point[SEEN];
    for (int64_t i = 0; i < SEEN; i++) {
        camera[i] = i % CAMERAS;
        point[i] = (i * 7 + i / 1000) % POINTS;
    }
    int64_t size[3] = {0};
    size[wg_size_index(p, "c")] = CAMERAS;
    size[wg_size_index(p, "m")] = POINTS;
    size[wg_size_index(p, "p")] = SEEN;
    const void *known[6] = {NULL, NULL, NULL, camera, point, NULL};
    wg_sparse_options options = {
        .of = "err, weight", .wrt = "cam, X, w", .size = size, .known = known};
    wg_sparse *s = wg_sparse_jacobian(p, &options, &error);
    assert_ok(error);
    const wg_pattern *pattern = wg_sparse_pattern(s);
    assert_int_equal(pattern->rows, 3 * SEEN);
    assert_int_equal(pattern->columns, 11 * CAMERAS + 3 * POINTS + SEEN);
    int64_t forward, reverse;
    wg_sparse_sweeps(s, &forward, &reverse);
    print_message("%lld and %lld sweeps\n", (long long)forward, (long long)reverse);
    assert_true(forward <= 15 + 4 && reverse == 0);
    for (int64_t i = 0; i < 2 * SEEN; i++) {
        const int64_t *column = pattern->column + pattern->row[i];
        int64_t seen = i / 2, at = 0, other = 7 + i % 2;
        /* a residual has nothing to do with the other coordinate of the principal point */
        assert_int_equal(pattern->row[i + 1] - pattern->row[i], 14);
        for (int64_t k = 0; k < 11; k++)
            if (k != 15 - other) assert_int_equal(column[at++], 11 * camera[seen] + k);
        for (int64_t k = 0; k < 3; k++)
            assert_int_equal(column[at++], 11 * CAMERAS + 3 * point[seen] + k);
        assert_int_equal(column[at], 11 * CAMERAS + 3 * POINTS + seen);
    }
    for (int64_t i = 0; i < SEEN; i++) {
        assert_int_equal(pattern->row[2 * SEEN + i + 1] - pattern->row[2 * SEEN + i], 1);
        assert_int_equal(pattern->column[pattern->row[2 * SEEN + i]],
                         11 * CAMERAS + 3 * POINTS + i);
    }
    wg_sparse_free(s);
    wg_program_free(p);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void errors_say_what_is_wrong(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = test_parse("f(x[n], i: i64) = x[1:]*x[:-1]");
    wg_sparse_options options = {.size = (int64_t[]){5}};
    EXPECT_ERROR(WG_EARGUMENT, "sparse: the program is NULL",
                 wg_sparse_jacobian(NULL, &options, &error));
    EXPECT_ERROR(WG_EARGUMENT, "sparsity: the program has named sizes, and the sizes are NULL",
                 wg_sparse_jacobian(p, NULL, &error));
    EXPECT_ERROR(WG_EARGUMENT, "sparsity: size \"n\" is -1; sizes are at least 0",
                 wg_sparse_jacobian(p, &(wg_sparse_options){.size = (int64_t[]){-1}}, &error));
    EXPECT_ERROR(WG_ESHAPE, "sparsity: the program cannot be called with these sizes",
                 wg_sparse_jacobian(p, &(wg_sparse_options){.size = (int64_t[]){0}}, &error));
    options.wrt = "z";
    EXPECT_ERROR(WG_ENAME, "there is no input \"z\"\n  hint: the inputs are x, i",
                 wg_sparse_jacobian(p, &options, &error));
    options.wrt = NULL;
    options.run.donate = "y=x";
    EXPECT_ERROR(WG_EARGUMENT, "sparse: nothing can be donated to a matrix of derivatives",
                 wg_sparse_jacobian(p, &options, &error));
    options.run.donate = NULL;
    error = (wg_error){0};
    assert_int_equal(wg_jacobian_pattern(p, &options, NULL, &error), WG_EARGUMENT);
    assert_int_equal(wg_sparse_values(NULL, NULL, NULL, NULL, NULL), WG_EARGUMENT);
    wg_sparse_free(NULL);
    wg_pattern_free(NULL);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_agrees_with_dense),
        cmocka_unit_test(random_programs_agree_with_dense),
        cmocka_unit_test(empty_rows_and_trailing_empty_columns),
        cmocka_unit_test(shapes_that_are_not_square),
        cmocka_unit_test(dense_rows_and_columns),
        cmocka_unit_test(known_zeros_let_nothing_through),
        cmocka_unit_test(patterns_do_not_depend_on_the_point),
        cmocka_unit_test(columns_are_rows_of_the_transposed),
        cmocka_unit_test(star_colourings_recover_every_entry),
        cmocka_unit_test(bundle_adjustment_has_blocks_of_two_by_fifteen),
        cmocka_unit_test(errors_say_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
