/* Kernels that go other ways where arrays are large or rows are long: transposes of every size of
 * element, sums over long rows, running sums of many lines and of long rows, broadcasts of rows
 * that are longer than a block. Numbers are whole and small, so that sums are exact. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

enum { M = 1031, N = 1517 };

static double number(int64_t i) { return (double)((i * i + 5 * i) % 7 - 3); }

/* What a formula of x[M,N] gives, as f64. */
static void assert_formula(const char *formula, wg_dtype dtype, int64_t count,
                           double (*expected)(int64_t i)) {
    wg_error error = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    size_t size = wg_dtype_size(dtype);
    char *x = malloc(M * N * size), *y = malloc((size_t)count * size);
    assert_true(x && y);
    for (int64_t i = 0; i < M * N; i++) switch (dtype) {
        case WG_F64: ((double *)x)[i] = number(i); break;
        case WG_F32: ((float *)x)[i] = (float)number(i); break;
        case WG_I32: ((int32_t *)x)[i] = (int32_t)number(i); break;
        default: x[i] = number(i) > 0;
        }
    assert_int_equal(wg_call(fn, NULL, (const void *[]){x}, (void *[]){y}), WG_OK);
    for (int64_t i = 0; i < count; i++) {
        double want = expected(i), have = dtype == WG_F64   ? ((double *)y)[i]
                                          : dtype == WG_F32 ? (double)((float *)y)[i]
                                          : dtype == WG_I32 ? (double)((int32_t *)y)[i]
                                                            : (double)y[i];
        if (dtype == WG_BOOL) want = want > 0;
        if (have != want)
            fail_msg("%s: element %lld is %g, expected %g", formula, (long long)i, have, want);
    }
    free(x);
    free(y);
    wg_function_free(fn);
    wg_program_free(p);
}

static double transposed(int64_t i) { return number(i % M * N + i / M); }

static void transposes_move_every_element(void **state) {
    (void)state;
    assert_formula("f(x[1031,1517]) = transpose(x)", WG_F64, M * N, transposed);
    assert_formula("f(x[1031,1517]: f32) = transpose(x)", WG_F32, M * N, transposed);
    assert_formula("f(x[1031,1517]: i32) = transpose(x)", WG_I32, M * N, transposed);
    assert_formula("f(x[1031,1517]: bool) = transpose(x)", WG_BOOL, M * N, transposed);
}

static double column_sum(int64_t i) {
    double sum = 0;
    for (int64_t k = 0; k < M; k++) sum += number(k * N + i);
    return sum;
}

static void long_rows_are_summed(void **state) {
    (void)state;
    assert_formula("f(x[1031,1517]) = sum(x, axis=0)", WG_F64, N, column_sum);
    assert_formula("f(x[1031,1517]: f32) = sum(x, axis=0)", WG_F32, N, column_sum);
    assert_formula("f(x[1031,1517]: i32) = sum(x, axis=0)", WG_I32, N, column_sum);
}

/* Element by element in the order of the result, beside what was there before. */
static double running;
static double along_rows(int64_t i) { return running = (i % N ? running : 0) + number(i); }
static double *column;
static double along_columns(int64_t i) { return column[i % N] += number(i); }

static void sums_run_along_lines(void **state) {
    (void)state;
    assert_formula("f(x[1031,1517]) = cumsum(x, axis=1)", WG_F64, M * N, along_rows);
    assert_formula("f(x[1031,1517]: f32) = cumsum(x, axis=1)", WG_F32, M * N, along_rows);
    column = calloc(N, sizeof *column);
    assert_formula("f(x[1031,1517]) = cumsum(x, axis=0)", WG_F64, M * N, along_columns);
    free(column);
}

static double backwards(int64_t i) {
    double sum = 0;
    for (int64_t k = i % 9; k < 9; k++) sum += number(i / 9 * 9 + k);
    return sum;
}

static void sums_run_backwards(void **state) {
    (void)state; /* 19 lines: two times eight at once, and three */
    assert_formula("f(x[1031,1517]) = reverse(cumsum(reverse(reshape(reshape(x, -1)[0:171], 19, 9),"
                   " axis=1), axis=1), axis=1)",
                   WG_F64, 171, backwards);
}

static double with_rows(int64_t i) {
    int64_t k = i % N;
    return number(i) * number(k) + number(N + k) - number(i / N * N);
}

static void broadcasts_are_read_in_place(void **state) {
    (void)state;
    assert_formula("f(x[1031,1517]) = x*x[0] + x[1] - x[:, 0:1]", WG_F64, M * N, with_rows);
    assert_formula("f(x[1031,1517]: f32) = x*x[0] + x[1] - x[:, 0:1]", WG_F32, M * N, with_rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposes_move_every_element), cmocka_unit_test(long_rows_are_summed),
        cmocka_unit_test(sums_run_along_lines), cmocka_unit_test(sums_run_backwards),
        cmocka_unit_test(broadcasts_are_read_in_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
