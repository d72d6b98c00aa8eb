/* Indices that are checked ahead of loops (native/ahead.h): one outside is found in whichever
 * iteration it is, in the interpreter's words, and never where no iteration has it; and what is
 * left of the loop becomes vector code. */
#include "native/compilers.h"
#include "support/run_both.h"

#include <dlfcn.h>

enum { OUTER = 4, INNER = 5, N = 12 };

/* sum += x[first + i step + j inner_step], and the element of y there is set to i + x. */
static wg_program *walk(bool backwards) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), y = wg_input(g, "y", wg_f64(n)), r[2] = {{0}};
    wg_var first = wg_input(g, "first", wg_i64()), step = wg_input(g, "step", wg_i64());
    wg_var inner_step = wg_input(g, "inner_step", wg_i64());
    wg_var count = wg_input(g, "count", wg_i64()), often = wg_input(g, "inner", wg_i64());
    wg_loop *outer = wg_loop_begin(g, OUTER);
    wg_loop_count(outer, count);
    if (backwards) wg_loop_backwards(outer);
    wg_var i = wg_loop_index(outer);
    wg_var total = wg_loop_carry(outer, wg_number(g, WG_F64, 0)), all = wg_loop_carry(outer, y);
    wg_loop *inner = wg_loop_begin(g, INNER);
    wg_loop_count(inner, often);
    wg_var j = wg_loop_index(inner);
    wg_var sum = wg_loop_carry(inner, total), set = wg_loop_carry(inner, all);
    wg_var at = wg_add(wg_add(first, wg_mul(i, step)), wg_mul(inner_step, j));
    wg_var value = wg_take(x, at, 0);
    wg_loop_next(inner, sum, wg_add(sum, wg_mul(value, value)));
    wg_loop_next(inner, set, wg_index_set(set, wg_add(value, wg_cast(WG_F64, i)), at, 0));
    wg_loop_end(inner, r);
    wg_loop_next(outer, total, r[0]);
    wg_loop_next(outer, all, r[1]);
    wg_loop_end(outer, r);
    wg_output(g, "sum", r[0]);
    wg_output(g, "y_new", r[1]);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static const int64_t firsts[] = {0,     1,         -1,        N - 1,         N / 2,
                                 N,     INT64_MAX, INT64_MIN, INT64_MAX - 2, -3},
                     steps[] = {0, 1, -1, 3, -2, INT64_MAX, INT64_MIN, (int64_t)1 << 62},
                     counts[] = {-1, 0, 1, 2, 3, 9};

typedef void visitor(void *context, const int64_t number[5]);

static void for_all(visitor *visit, void *context) {
    for (size_t a = 0; a < COUNT_OF(firsts); a++)
        for (size_t b = 0; b < COUNT_OF(steps); b++)
            for (size_t c = 0; c < COUNT_OF(steps); c++)
                for (size_t d = 0; d < COUNT_OF(counts); d++)
                    for (size_t e = 0; e < COUNT_OF(counts); e++)
                        visit(context, (const int64_t[]){firsts[a], steps[b], steps[c], counts[d],
                                                         counts[e]});
}

struct runs {
    wg_function *fn[2];
    int (*shipped)(int64_t, const double *, const double *, int64_t, int64_t, int64_t, int64_t,
                   int64_t, double *, double *, void *);
    char *work;
    size_t good, bad, outputs;
};

static const double xs[N] = {0.5, 1, 2, -1, 3, 0.25, 1.5, -2, 4, 0.125, 7, 1},
                    ys[N] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1, -2};

static void compare(void *context, const int64_t number[5]) {
    struct runs *runs = context;
    wg_error why[2] = {{0}};
    double sum[3] = {0}, y[3][N] = {{0}};
    const void *in[] = {xs, ys, &number[0], &number[1], &number[2], &number[3], &number[4]};
    const int64_t size = N;
    for (size_t k = 0; k < 2; k++)
        wg_call_with(runs->fn[k], &size, in, (void *[]){&sum[k], y[k]}, NULL, &why[k]);
    int status = runs->shipped(N, xs, ys, number[0], number[1], number[2], number[3], number[4],
                               &sum[2], y[2], runs->work);
    assert_int_equal(why[0].status, why[1].status);
    assert_string_equal(why[0].message, why[1].message);
    assert_int_equal(status, why[0].status ? 1 : 0);
    runs->good += why[0].status == WG_OK;
    runs->bad += why[0].status == WG_EINDEX;
    for (size_t k = 1; k < 3 && !why[0].status; k++) {
        assert_memory_equal(&sum[0], &sum[k], sizeof *sum);
        assert_memory_equal(y[0], y[k], sizeof *y);
    }
}

static void *shipped(const wg_program *p, const char *name, const char *flags, void **library) {
    wg_text code = {0}, header = {0};
    wg_error error = {0};
    char command[300], path[300];
    wg_emit(&p, &name, 1, NULL, &code, &header, &error);
    assert_ok(error);
    scratch_write("shipped.c", code.data, code.size);
    snprintf(path, sizeof path, "%s.so", in_folder(name));
    snprintf(command, sizeof command, "gcc -std=c99 -Wall -Wextra -Wpedantic -Werror %s -shared "
             "-fPIC -o %s.so shipped.c -lm", flags, name);
    assert_int_equal(system(command), 0);
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(*library);
    wg_text_free(&code);
    wg_text_free(&header);
    return dlsym(*library, name);
}

static void indices_outside_are_found_wherever_they_are(void **state) {
    (void)state;
    char work[4096];
    for (int backwards = 0; backwards < 2; backwards++) {
        wg_error error = {0};
        wg_program *p = walk(backwards);
        void *library;
        wg_options options = {.backend = WG_NATIVE, .flags = "-O0 -ffp-contract=off"};
        struct runs runs = {.work = work};
        void *f = shipped(p, backwards ? "down" : "up", "-O2 -ffp-contract=off", &library);
        memcpy(&runs.shipped, &f, sizeof f);
        runs.fn[0] = wg_compile(p, NULL, &error);
        runs.fn[1] = wg_compile(p, &options, &error);
        assert_ok(error);
        for_all(compare, &runs);
        assert_true(runs.good > 2000 && runs.bad > 2000);
        wg_function_free(runs.fn[0]);
        wg_function_free(runs.fn[1]);
        wg_program_free(p);
        dlclose(library);
    }
}

/* y[i] = x[i-1] + x[i+1] - 2 x[i] in the inner part of m rows of n. */
static wg_program *stencil(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent m = wg_size(g, "m"), n = wg_size(g, "n"), all = wg_extent_mul(g, m, n);
    wg_var x = wg_input(g, "x", wg_f64(all)), y = wg_input(g, "y", wg_f64(all)), r[1] = {{0}};
    wg_loop *rows = wg_loop_begin(g, m);
    wg_var row = wg_mul(wg_loop_index(rows), wg_extent_value(g, n)), lines = wg_loop_carry(rows, y);
    wg_loop *loop = wg_loop_begin(g, n);
    wg_loop_count(loop, wg_sub(wg_extent_value(g, n), 2));
    wg_var at = wg_add(row, wg_add(wg_loop_index(loop), 1)), line = wg_loop_carry(loop, lines);
    wg_var sides = wg_add(wg_take(x, wg_sub(at, 1), 0), wg_take(x, wg_add(at, 1), 0));
    wg_var value = wg_sub(sides, wg_mul(wg_take(x, at, 0), 2));
    wg_loop_next(loop, line, wg_index_set(line, value, at, 0));
    wg_loop_end(loop, r);
    wg_loop_next(rows, lines, r[0]);
    wg_loop_end(rows, r);
    wg_output(g, "z", r[0]);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

/* How many lines hold it. */
static size_t count_word(const char *path, const char *word) {
    FILE *file = fopen(path, "r");
    char line[512];
    size_t count = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) count += strstr(line, word) != NULL;
    fclose(file);
    return count;
}

static void a_stencil_is_checked_once_and_becomes_vector_code(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = stencil();
    wg_text code = {0}, header = {0};
    wg_emit((const wg_program *const[]){p}, (const char *const[]){"stencil"}, 1, NULL, &code,
            &header, &error);
    assert_ok(error);
    scratch_write("stencil.c", code.data, code.size);
    /* Of three places one is within for all sizes, the others are tested in front of all loops. */
    assert_true(count_word("stencil.c", "|| wg_leaves(") == 2);
#if defined(__x86_64__)
    assert_int_equal(system("gcc -O3 -march=haswell -S -o stencil.s stencil.c"), 0);
    assert_true(count_word("stencil.s", "vaddpd") >= 1);
#endif
    wg_text_free(&code);
    wg_text_free(&header);
    wg_program_free(p);
}

/* q stands in an index that is computed, and is one by itself, which is in memory. */
static void an_index_is_read_where_it_is_computed_and_where_it_lies(void **state) {
    (void)state;
    static const char text[] =
        "f(x[n,n], w[n,n]) = { let s = 0.1*x[0, 0]\n"
        "  for i in 0:n { for j in 0:n {\n"
        "    s = 0.3*sum(q in 0:n: w[n-1-q, q]*x[i, q]) + 0.2*s } }\n"
        "  y = s }";
    wg_error error = {0};
    wg_program *p = wg_parse(text, strlen(text), NULL, &error);
    assert_ok(error);
    double x[9], w[9];
    for (int i = 0; i < 9; i++) x[i] = 0.1 * i - 0.3, w[i] = 0.2 * i * i - 1;
    for (int64_t n = 1; n <= 3; n++) {
        static struct run r;
        double s = 0.1 * x[0];
        run_both(p, &n, (const void *[]){x, w}, &r);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0;
                for (int64_t q = 0; q < n; q++) sum += w[(n - 1 - q) * n + q] * x[i * n + q];
                s = 0.3 * sum + 0.2 * s;
            }
        assert_near(r.out[0][0], s, 1e-14);
    }
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices_outside_are_found_wherever_they_are),
        cmocka_unit_test(a_stencil_is_checked_once_and_becomes_vector_code),
        cmocka_unit_test(an_index_is_read_where_it_is_computed_and_where_it_lies),
    };
    return cmocka_run_group_tests(tests, scratch_setup, remove_environment);
}
