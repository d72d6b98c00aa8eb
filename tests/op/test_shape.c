/* Reshape, transpose, broadcast, slice, pad and concat: values against index formulas on every
 * shape and element size, identities, named sizes, and every message. */
#include "op/evaluate.h"

#include "op/build.h"

/* ---- values ---------------------------------------------------------------------------------- */

static double number[5040];

static int64_t count_of(int rank, const int64_t *shape) {
    int64_t count = 1;
    for (int i = 0; i < rank; i++) count *= shape[i];
    return count;
}

static const int64_t big[4][4] = {{3, 4, 5, 2}, {7, 1, 33, 4}, {2, 35, 17, 1}, {1, 1, 5, 1}};

/* All permutations of four axes, against y[i] = x[i permuted]. */
static void transposes_every_permutation(void **state) {
    (void)state;
    for (size_t s = 0; s < 4; s++)
        for (int code = 0; code < 256; code++) {
            int perm[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};
            if ((1 << perm[0] | 1 << perm[1] | 1 << perm[2] | 1 << perm[3]) != 15) continue;
            struct evaluate e = evaluate_begin();
            wg_var x = evaluate_input(&e, s == 0, WG_F64, 4, big[s], number);
            evaluate(&e, wg_transpose_at(WG_HERE, x, 4, perm));
            int64_t stride[4] = {0}, step = 1, at = 0;
            for (int i = 3; i >= 0; step *= big[s][i--]) stride[i] = step;
            const int64_t *n = e.out.shape;
            for (int64_t i = 0; i < n[0]; i++)
                for (int64_t j = 0; j < n[1]; j++)
                    for (int64_t k = 0; k < n[2]; k++)
                        for (int64_t l = 0; l < n[3]; l++)
                            assert_true(((double *)e.out.data)[at++] ==
                                        number[i * stride[perm[0]] + j * stride[perm[1]] +
                                               k * stride[perm[2]] + l * stride[perm[3]]]);
            assert_int_equal(at, count_of(4, big[s]));
            evaluate_end(&e);
        }
}

static void moves_every_element_size(void **state) {
    (void)state;
    uint8_t b[6] = {1, 0, 0, 1, 1, 0};
    float f[6] = {0, 1, 2, 3, 4, 5};
    struct evaluate e = evaluate_begin();
    evaluate(&e, wg_transpose(evaluate_input(&e, false, WG_BOOL, SHAPE(2, 3), b)));
    ASSERT_VALUES(&e.out, 1, 1, 0, 1, 0, 0);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_transpose(evaluate_input(&e, false, WG_F32, SHAPE(2, 3), f)));
    ASSERT_VALUES(&e.out, 0, 3, 1, 4, 2, 5);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_broadcast(evaluate_input(&e, false, WG_BOOL, SHAPE(3), b), 2, 3));
    ASSERT_VALUES(&e.out, 1, 0, 0, 1, 0, 0);
    evaluate_end(&e);
}

static void broadcasts_as_numpy_does(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct evaluate e = evaluate_begin();
        wg_var x = evaluate_input(&e, named, WG_F64, SHAPE(2, 1, 3), number);
        wg_extent two = wg_extent_of(x, 0), three = wg_extent_of(x, 2);
        evaluate(&e, wg_broadcast(x, 2, two, 2, three));
        ASSERT_VALUES(&e.out, 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5, 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4,
                      5);
        evaluate_end(&e);
        e = evaluate_begin();
        x = evaluate_input(&e, named, WG_F64, SHAPE(3, 1), number);
        evaluate(&e, wg_broadcast(x, wg_extent_of(x, 0), 20));
        for (int i = 0; i < 60; i++) assert_true(((double *)e.out.data)[i] == i / 20);
        evaluate_end(&e);
    }
}

static void slices_and_pads(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct evaluate e = evaluate_begin();
        wg_var x = evaluate_input(&e, named, WG_F64, SHAPE(3, 4), number);
        evaluate(&e, wg_slice(wg_slice(x, 0, 1, 3, 1), -1, 0, 4, 3));
        ASSERT_VALUES(&e.out, 4, 7, 8, 11);
        evaluate_end(&e);
        e = evaluate_begin();
        x = evaluate_input(&e, named, WG_F64, SHAPE(2, 2), number + 1);
        value y = build_pad(e.g, x.id, (wg_extent[]){1, 0}, (wg_extent[]){4, 4}, (int64_t[]){1, 3});
        evaluate(&e, (wg_var){e.g, y});
        ASSERT_VALUES(&e.out, 0, 0, 0, 0, 1, 0, 0, 2, 3, 0, 0, 4, 0, 0, 0, 0);
        evaluate_end(&e);
    }
}

/* A step beyond every extent takes one element, and multiplies nothing. */
static void a_huge_step_takes_one(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3, 4, 5, 6};
    struct evaluate e = evaluate_begin();
    wg_var v = evaluate_input(&e, false, WG_F64, SHAPE(3, 2), x);
    evaluate(&e, wg_slice(v, 0, 1, 2, INT64_MAX));
    ASSERT_VALUES(&e.out, 3, 4);
    evaluate_end(&e);
}

/* x[0:2n:2] has n elements, x[n:2n+1:2] cannot be said; x[:n-1] is checked at the call. */
static void slices_by_named_sizes(void **state) {
    (void)state;
    for (int64_t n = 0; n < 4; n++) {
        wg_graph *g = wg_graph_new();
        wg_extent size = wg_size(g, "n"), twice = wg_extent_mul(g, 2, size);
        wg_var x = wg_input(g, "x", wg_f64(twice)), z = wg_input(g, "z", wg_f64(size));
        wg_output(g, "y", wg_slice(x, 0, 1, wg_extent_add(g, twice, 1), 2));
        wg_output(g, "w", wg_slice(x, 0, 0, twice, 2));
        wg_output(g, "rest", wg_slice(z, 0, 1, size, 1));
        wg_error error = {0};
        wg_program *p = wg_build(g, &error);
        assert_ok(error);
        assert_true(wg_output_type(p, 0).extent[0] == wg_input_type(p, 1).extent[0]);
        wg_function *fn = wg_compile(p, NULL, &error);
        wg_tensor in[2] = {{number, WG_F64, 1, {2 * n}}, {number, WG_F64, 1, {n}}}, out[3] = {{0}};
        if (n == 0) {
            const void *const none[2] = {number, number};
            assert_int_equal(wg_call(fn, &n, none, (void *[]){NULL, NULL, NULL}), WG_ESHAPE);
        } else {
            wg_run(fn, &n, in, out, &error);
            assert_ok(error);
            for (int64_t i = 0; i < n; i++) {
                assert_true(((double *)out[0].data)[i] == (double)(2 * i + 1));
                assert_true(((double *)out[1].data)[i] == (double)(2 * i));
            }
            assert_int_equal(out[2].shape[0], n - 1);
        }
        for (int i = 0; i < 3; i++) wg_tensor_free(&out[i], NULL);
        wg_function_free(fn);
        wg_program_free(p);
    }
}

static void concatenates(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct evaluate e = evaluate_begin();
        wg_var a = evaluate_input(&e, named, WG_F64, SHAPE(2, 1), number);
        wg_var b = evaluate_input(&e, named, WG_F64, SHAPE(2, 3), number + 10);
        wg_var c = evaluate_input(&e, named, WG_F64, SHAPE(2, 0), NULL);
        evaluate(&e, wg_concat(-1, a, b, c));
        ASSERT_VALUES(&e.out, 0, 10, 11, 12, 1, 13, 14, 15);
        evaluate_end(&e);
    }
}

/* Around as many parts as one instruction takes, and beyond. */
static void concatenates_many(void **state) {
    (void)state;
    enum { PARTS = 700 };
    static const int counts[] = {1, 254, 255, 256, 257, 510, 511, PARTS};
    static wg_var part[PARTS];
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        int count = counts[k];
        struct evaluate e = evaluate_begin();
        wg_var x = evaluate_input(&e, false, WG_F64, SHAPE(PARTS), number);
        for (int i = 0; i < count; i++) part[i] = wg_slice(x, 0, PARTS - 1 - i, PARTS - i, 1);
        evaluate(&e, wg_concat_at(WG_HERE, 0, (size_t)count, part));
        for (int i = 0; i < count; i++) assert_true(((double *)e.out.data)[i] == PARTS - 1 - i);
        evaluate_end(&e);
    }
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(2, 3));
    for (int i = 0; i < PARTS; i++) part[i] = i == 600 ? wg_slice(x, 1, 0, 2, 1) : x;
    wg_concat_at(WG_HERE, 0, PARTS, part);
    assert_non_null(strstr(wg_graph_error(g)->message,
                           "concat: part 0 is f64[2,3] and part 600 is f64[2,2]"));
    wg_graph_free(g);
}

/* Rows of parts, more of them than are written at once, of every size of element. */
static void concatenates_long_columns(void **state) {
    (void)state;
    enum { ROWS = 2500, WIDTH = 7 };
    static const wg_dtype dtype[] = {WG_BOOL, WG_I32, WG_F64};
    static const int64_t width[] = {1, 3, 0, 1, 2}, from[] = {0, 1, 4, 4, 5};
    for (size_t d = 0; d < 3; d++) {
        struct evaluate e = evaluate_begin();
        size_t size = wg_dtype_size(dtype[d]);
        static char whole[ROWS * WIDTH * 8], piece[5][ROWS * 3 * 8];
        wg_var part[5];
        for (size_t i = 0; i < ROWS * WIDTH * size; i++)
            whole[i] = (char)(dtype[d] == WG_BOOL ? i * i % 2 : i * 37 % 101);
        for (int k = 0; k < 5; k++) {
            size_t bytes = (size_t)width[k] * size;
            for (size_t i = 0; i < ROWS; i++)
                memcpy(piece[k] + i * bytes, whole + (i * WIDTH + (size_t)from[k]) * size, bytes);
            part[k] = evaluate_input(&e, false, dtype[d], SHAPE(ROWS, width[k]), piece[k]);
        }
        evaluate(&e, wg_concat_at(WG_HERE, 1, 5, part));
        assert_memory_equal(e.out.data, whole, ROWS * WIDTH * size);
        evaluate_end(&e);
    }
}

static void infers_an_extent(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n"), m = wg_size(g, "m"), n1 = wg_extent_add(g, n, 1);
    wg_var x = wg_input(g, "x", wg_f64(n1, m, 6));
    assert_true(wg_extent_of(wg_reshape(x, WG_INFER, m), 0) ==
                wg_extent_add(g, wg_extent_mul(g, 6, n), 6));
    assert_true(wg_extent_of(wg_reshape(x, n1, WG_INFER), 1) == wg_extent_mul(g, 6, m));
    assert_true(wg_extent_of(wg_reshape(x, 2, WG_INFER, 3), 1) == wg_extent_mul(g, n1, m));
    wg_var flat = wg_reshape(x, WG_INFER);
    assert_true(wg_extent_of(flat, 0) == wg_extent_mul(g, wg_extent_mul(g, n1, m), 6));
    assert_true(wg_extent_of(wg_reshape(flat, 3, WG_INFER, m), 1) ==
                wg_extent_mul(g, 2, n1));
    assert_int_equal(wg_graph_error(g)->status, WG_OK);
    wg_graph_free(g);
}

/* ---- identities ------------------------------------------------------------------------------ */

static void chains_collapse(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n, 3, 1)), a = wg_input(g, "a", wg_f64(4, 3));
    assert_int_equal(wg_transpose(wg_transpose(x, 2, 0, 1), 1, 2, 0).id, x.id);
    assert_int_equal(wg_transpose(x, 0, 1, 2).id, x.id);
    assert_int_equal(wg_reshape(wg_reshape(a, 2, 6), 4, 3).id, a.id);
    assert_int_equal(wg_reshape(wg_reshape(a, 2, 6), 12).id, wg_reshape(a, 12).id);
    assert_int_equal(wg_transpose(x, 2, 0, 1).id, wg_reshape(x, 1, n, 3).id);
    assert_int_equal(wg_broadcast(a, 4, 3).id, a.id);
    assert_int_equal(wg_broadcast(wg_broadcast(a, 2, 4, 3), 5, 2, 4, 3).id,
                     wg_broadcast(a, 5, 2, 4, 3).id);
    assert_int_equal(wg_slice(x, 0, 0, n, 1).id, x.id);
    assert_int_equal(wg_concat(0, a).id, a.id);
    assert_int_equal(wg_sum_at(WG_HERE, x, 1, (int[]){2}).id, wg_reshape(x, n, 3).id);
    wg_var ones = wg_full(g, wg_f64(4, 3), 1);
    assert_int_equal(wg_transpose(ones).id, wg_full(g, wg_f64(3, 4), 1).id);
    assert_int_equal(wg_reshape(ones, 12).id, wg_full(g, wg_f64(12), 1).id);
    assert_int_equal(wg_slice(ones, 0, 1, 3, 1).id, wg_full(g, wg_f64(2, 3), 1).id);
    assert_int_equal(wg_graph_error(g)->status, WG_OK);
    wg_graph_free(g);
}

int main(void) {
    for (int i = 0; i < (int)COUNT_OF(number); i++) number[i] = i;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposes_every_permutation),
        cmocka_unit_test(moves_every_element_size),
        cmocka_unit_test(broadcasts_as_numpy_does),
        cmocka_unit_test(slices_and_pads),
        cmocka_unit_test(slices_by_named_sizes),
        cmocka_unit_test(a_huge_step_takes_one),
        cmocka_unit_test(concatenates),
        cmocka_unit_test(concatenates_many),
        cmocka_unit_test(concatenates_long_columns),
        cmocka_unit_test(infers_an_extent),
        cmocka_unit_test(chains_collapse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
