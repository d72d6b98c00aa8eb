/* Loops and branches as native code, beside what transform/test_loops.c runs: operations that the
 * library does inside bodies, errors with their words, carried arrays in one place, in a training
 * loop that allocates nothing, and maps that become vector code, read in what gcc makes of them. */
#include "native/compilers.h"

static wg_function *compiled(const wg_program *p, wg_backend backend, const char *donate) {
    wg_error error = {0};
    wg_options options = {.backend = backend, .donate = donate, .flags = "-O0 -ffp-contract=off"};
    wg_function *fn = wg_compile(p, &options, &error);
    assert_ok(error);
    assert_string_equal(wg_function_note(fn), "");
    return fn;
}

enum { SIDE = 24, STEPS = 7 };

/* x <- A tanh(x) with a product that no nest does, sums along each axis and a sorted row; a
 * cumulated sum of what was. */
static wg_program *with_whole_operations(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var a = wg_input(g, "a", wg_f64(SIDE, SIDE)), x = wg_input(g, "x", wg_f64(SIDE, n));
    wg_loop *loop = wg_loop_begin(g, STEPS);
    wg_var carry = wg_loop_carry(loop, x), r[3] = {{0}};
    wg_var next = wg_matmul(a, wg_tanh(carry));
    wg_loop_next(loop, carry, next);
    wg_loop_collect(loop, wg_cumsum(wg_sum(next, 1), 0));
    wg_loop_collect(loop, wg_sort(wg_sum(next, 0), 0));
    wg_loop_end(loop, r);
    wg_output(g, "x_end", r[0]);
    wg_output(g, "sums", r[1]);
    wg_output(g, "sorted", r[2]);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static void the_library_helps_inside_bodies(void **state) {
    (void)state;
    enum { N = 5 };
    wg_error error = {0};
    wg_program *p = with_whole_operations(), *vjp = wg_vjp(p, NULL, NULL, &error);
    assert_ok(error);
    static double a[SIDE * SIDE], x[SIDE * N], seed[3][SIDE * STEPS * N],
        out[2][5][SIDE * SIDE * N];
    for (size_t i = 0; i < SIDE * SIDE; i++) a[i] = (double)(i * 7 % 11) / 30 - 0.15;
    for (size_t i = 0; i < SIDE * N; i++) x[i] = (double)(i * 5 % 13) / 10 - 0.6;
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < SIDE * STEPS * N; i++)
            seed[k][i] = (double)((i + k) % 17) / 9 - 0.8;
    const void *in[] = {a, x, seed[0], seed[1], seed[2]};
    const wg_program *both[] = {p, vjp};
    for (size_t k = 0; k < 2; k++) {
        memset(out, 0, sizeof out);
        for (size_t native = 0; native < 2; native++) {
            wg_function *fn = compiled(both[k], native ? WG_NATIVE : WG_INTERPRET, NULL);
            void *y[5];
            for (size_t i = 0; i < 5; i++) y[i] = out[native][i];
            wg_call_with(fn, (int64_t[]){N}, in, y, NULL, &error);
            assert_ok(error);
            wg_function_free(fn);
        }
        for (size_t i = 0; i < 5; i++)
            for (size_t j = 0; j < SIDE * SIDE * N; j++) {
                double u = out[0][i][j], v = out[1][i][j]; /* one BLAS or another */
                assert_true(u == v || (u - v) * (u - v) <= 1e-24 * (1 + u * u));
            }
    }
    wg_program_free(p);
    wg_program_free(vjp);
}

static void errors_inside_bodies_have_the_interpreters_words(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(4)), at = wg_input(g, "at", wg_i64(3)), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, 3);
    wg_var sum = wg_loop_carry(loop, wg_number(g, WG_F64, 0)), k = wg_loop_slice(loop, at);
    wg_loop_next(loop, sum, wg_add(wg_mul(sum, sum), wg_take(x, k, 0)));
    wg_loop_end(loop, r);
    wg_output(g, "y", r[0]);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    const double xs[4] = {1, 2, 3, 4};
    const int64_t good[3] = {0, 3, 1}, bad[3] = {0, 1, 4};
    wg_error why[2] = {{0}};
    double y[2] = {0};
    for (size_t native = 0; native < 2; native++) {
        wg_function *fn = compiled(p, native ? WG_NATIVE : WG_INTERPRET, NULL);
        wg_call_with(fn, NULL, (const void *[]){xs, good}, (void *[]){&y[native]}, NULL, &error);
        assert_ok(error);
        wg_call_with(fn, NULL, (const void *[]){xs, bad}, (void *[]){&y[native]}, NULL,
                     &why[native]);
        wg_function_free(fn);
    }
    assert_int_equal(why[0].status, WG_EINDEX);
    assert_string_equal(why[0].message, why[1].message);
    wg_program_free(p);
}

/* A weight that steps down a gradient inside the loop is input and output in one buffer. */
static void what_is_carried_stays_where_it_is_given(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var w = wg_input(g, "w", wg_f64(n)), x = wg_input(g, "x", wg_f64(n)), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, 50);
    wg_var carry = wg_loop_carry(loop, w);
    wg_loop_next(loop, carry, wg_sub(carry, wg_mul(0.1, wg_sub(carry, x))));
    wg_loop_end(loop, r);
    wg_output(g, "w_new", r[0]);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    wg_function *fn = compiled(p, WG_NATIVE, "w_new=w"), *plain = compiled(p, WG_NATIVE, NULL);
    enum { N = 1000 };
    static double x_at[N], w_at[N], w_new[N];
    for (size_t i = 0; i < N; i++) x_at[i] = (double)i;
    size_t bytes = 0;
    int64_t size = N;
    assert_int_equal(wg_workspace_size(fn, &size, &bytes, &error), WG_OK);
    assert_true(bytes < N * sizeof(double)); /* no copy anywhere */
    wg_call_with(plain, &size, (const void *[]){w_at, x_at}, (void *[]){w_new}, NULL, &error);
    wg_call_with(fn, &size, (const void *[]){w_at, x_at}, (void *[]){w_at}, NULL, &error);
    assert_ok(error);
    assert_memory_equal(w_at, w_new, sizeof w_at);
    assert_true(w_at[500] > 497 && w_at[500] < 498);
    wg_function_free(fn);
    wg_function_free(plain);
    wg_program_free(p);
}

/* What is carried begins in the buffer of the output that it is in the end. */
static void what_is_carried_begins_where_it_ends(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, 3);
    wg_var carry = wg_loop_carry(loop, wg_mul(2, x));
    wg_loop_next(loop, carry, wg_mul(carry, carry));
    wg_loop_end(loop, r);
    wg_output(g, "y", r[0]);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    wg_function *fn = compiled(p, WG_NATIVE, NULL);
    double at[100], y[100];
    for (size_t i = 0; i < 100; i++) at[i] = (double)i / 100;
    size_t bytes = 0;
    int64_t size = 100;
    assert_int_equal(wg_workspace_size(fn, &size, &bytes, &error), WG_OK);
    assert_true(bytes < 100 * sizeof(double));
    wg_call_with(fn, &size, (const void *[]){at}, (void *[]){y}, NULL, &error);
    assert_ok(error);
    for (size_t i = 0; i < 100; i++) {
        double expected = 2 * at[i];
        for (int k = 0; k < 3; k++) expected *= expected;
        assert_true(y[i] == expected);
    }
    wg_function_free(fn);
    wg_program_free(p);
}

/* Outputs of a function of the language whose inputs are all f64[n]: the same native. */
static void compare_text(const char *text, int64_t n) {
    enum { MOST = 8, ROOM = 64 };
    wg_error error = {0};
    wg_program *p = wg_parse(text, strlen(text), NULL, &error);
    assert_ok(error);
    double x[MOST][ROOM], y[2][MOST][ROOM];
    const void *in[MOST];
    memset(y, 0, sizeof y);
    for (size_t i = 0; i < MOST; i++) {
        in[i] = x[i];
        for (size_t k = 0; k < ROOM; k++) x[i][k] = (double)((7 * i + 5 * k) % 13) / 8 - 0.7;
    }
    for (int native = 0; native < 2; native++) {
        wg_function *fn = compiled(p, native ? WG_NATIVE : WG_INTERPRET, NULL);
        void *out[MOST];
        for (size_t i = 0; i < MOST; i++) out[i] = y[native][i];
        wg_call_with(fn, &n, in, out, NULL, &error);
        assert_ok(error);
        wg_function_free(fn);
    }
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    wg_program_free(p);
}

/* Each is saved before another is put in its place. */
static void arrays_that_are_carried_change_places(void **state) {
    (void)state;
    compare_text("f(v[n], w[n]) = {\n x = v\n y = w\n"
                 "for i in 0:7 { let t = x; x = y; y = t }\n}",
                 5);
    compare_text("f(u[n], v[n], w[n]) = {\n x = u\n y = v\n z = w\n"
                 "for i in 0:7 { let t = x; x = y; y = z; z = t }\n}",
                 5);
    compare_text("f(v[n], w[n]) = {\n x = v\n let y = w\n"
                 "for i in 0:n { if x[i] > y[i] { let t = x; x = y; y = t } else { x[i] = 3 } }\n}",
                 5);
}

/* Parts of a concatenation that are made where it is, by a body that the library helps. */
static void elements_at_constant_indices_are_updated(void **state) {
    (void)state;
    compare_text("f(v[n], w[n]) = {\n x = v\n y = w\n"
                 "for i in 0:n { x[0] += 0.1*sin(y[1]); y = 0.9*x + y; y[n-1] = x[0] }\n}", 5);
}

/* Elements at constant indices are scalars by another name, and arrays of one element may be. */
static void scalars_and_arrays_of_one_element_are_handed_on(void **state) {
    (void)state;
    compare_text("f(x[n], a[n], b[n]) = {\n u = reshape(b[0]*b[1], 1)\n"
                 "let z = reshape(b[1]*b[2], 1, 1)\n"
                 "y = sum(i in 0:n: if x[i] > a[0] then a[1]*x[i] else a[0])\n"
                 "for i in 0:n { u = u*a[0] + x[i]; y += a[1]*z[0, 0] + u[0] }\n"
                 "v = if a[2] > 0 then u*z[0, :] else z[0, :]\n"
                 "t = map(i in 0:1: z[i, :]*y)\n}", 5);
}

/* Only how often the loop runs is asked for. */
static void a_loop_may_be_read_for_its_count_alone(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), k = wg_input(g, "k", wg_i64());
    wg_loop *loop = wg_loop_begin(g, n);
    wg_loop_count(loop, k);
    wg_loop_collect(loop, wg_sin(wg_loop_slice(loop, x)));
    wg_output(g, "count", wg_loop_end(loop, NULL));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    wg_function *fn = compiled(p, WG_NATIVE, NULL);
    const int64_t counts[] = {-1, 2, 9}, expected[] = {0, 2, 5};
    for (size_t i = 0; i < 3; i++) {
        int64_t count = 0;
        const void *in[] = {(double[5]){0}, &counts[i]};
        wg_call_with(fn, (int64_t[]){5}, in, (void *[]){&count}, NULL, &error);
        assert_ok(error);
        assert_int_equal(count, expected[i]);
    }
    wg_function_free(fn);
    wg_program_free(p);
}

/* Bodies in bodies have names of their own, however long that of the program is. */
static void names_of_bodies_differ(void **state) {
    (void)state;
    static const char text[] =
        "f(x[n], a) = {\n y = x\n"
        "for i in 0:2 { if a > 1 { for j in 0:2 { if a > 2 { for k in 0:2 { y = sin(y + a); "
        "for l in 0:2 { if a > 3 { for m in 0:2 { y[m] += y[l] } } } } } } } }\n"
        "for i in 0:2 { if a > 4 { for j in 0:2 { y = cos(y*a) } } }\n}";
    char first[201];
    memset(first, 'g', 200);
    first[200] = 0;
    wg_error error = {0};
    wg_program *p = wg_parse(text, strlen(text), NULL, &error);
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
    assert_ok(error);
    wg_text code = {0}, header = {0};
    first[199] = 'h';
    char other[201];
    memcpy(other, first, sizeof other);
    other[199] = 'i';
    wg_emit((const wg_program *const[]){p, vjp}, (const char *const[]){first, other}, 2, NULL,
            &code, &header, &error);
    assert_ok(error);
    scratch_write("deep.c", code.data, code.size);
    assert_int_equal(system("gcc -std=c99 -fsyntax-only deep.c"), 0);
    wg_text_free(&code);
    wg_text_free(&header);
    wg_program_free(p);
    wg_program_free(vjp);
}

/* y_i: x_i after three steps of a recurrence, as a map of scalars. */
static wg_program *scalar_map(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var a = wg_input(g, "a", wg_f64()), x = wg_input(g, "x", wg_f64(n)), r[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, n);
    wg_var at = wg_loop_slice(loop, x), s = at;
    for (int k = 0; k < 3; k++) s = wg_add(wg_mul(s, a), wg_mul(at, s));
    wg_loop_collect(loop, s);
    wg_loop_end(loop, r);
    wg_output(g, "y", r[0]);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

/* Threads share the iterations of a map and of its reverse, whose sum over them for the captured
 * number has the same digits for any number of threads. */
static void threads_share_a_map(void **state) {
    (void)state;
    enum { N = 200000 };
    wg_error error = {0};
    wg_program *value = scalar_map(), *vjp = wg_vjp(value, NULL, NULL, &error);
    assert_ok(error);
    double a = 0.3, da[2], *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    double *dx[2] = {malloc(N * sizeof *x), malloc(N * sizeof *x)};
    assert_true(x && y && dx[0] && dx[1]);
    for (size_t i = 0; i < N; i++) x[i] = (double)(i * 7 % 1001) / 1000;
    for (int threads = 1; threads <= 2; threads++) {
        wg_options options = {.backend = WG_NATIVE, .threads = threads};
        wg_function *fn = wg_compile(vjp, &options, &error);
        assert_ok(error);
        int64_t size = N;
        wg_call_with(fn, &size, (const void *[]){&a, x, x},
                     (void *[]){y, &da[threads - 1], dx[threads - 1]}, NULL, &error);
        assert_ok(error);
        wg_function_free(fn);
    }
    assert_true(da[0] == da[1] && da[0] != 0);
    assert_memory_equal(dx[0], dx[1], N * sizeof *x);
    free(x);
    free(y);
    free(dx[0]);
    free(dx[1]);
    wg_program_free(value);
    wg_program_free(vjp);
}

#if defined(__x86_64__)
static size_t count_in_file(const char *path, const char *const *word) {
    FILE *file = fopen(path, "r");
    char line[512];
    size_t count = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        for (size_t k = 0; word[k]; k++)
            count += strstr(line, word[k]) && strstr(line, "%ymm");
    fclose(file);
    return count;
}

static void a_map_of_scalars_becomes_vector_code(void **state) {
    (void)state;
    static const char *const products[] = {"vmulpd", "vfmadd", NULL};
    wg_error error = {0};
    wg_program *value = scalar_map(), *vjp = wg_vjp(value, NULL, NULL, &error);
    wg_text code = {0}, header = {0};
    assert_ok(error);
    assert_int_equal(wg_emit((const wg_program *const[]){value, vjp},
                             (const char *const[]){"value", "adjoints"}, 2, NULL, &code, &header,
                             &error), WG_OK);
    scratch_write("map.c", code.data, code.size);
    assert_int_equal(system("gcc -O3 -march=haswell -S -o map.s map.c"), 0);
    assert_true(count_in_file("map.s", products) >= 6 + 10); /* of the value, and of its adjoints */
    wg_text_free(&code);
    wg_text_free(&header);
    wg_program_free(value);
    wg_program_free(vjp);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_helps_inside_bodies),
        cmocka_unit_test(errors_inside_bodies_have_the_interpreters_words),
        cmocka_unit_test(what_is_carried_stays_where_it_is_given),
        cmocka_unit_test(what_is_carried_begins_where_it_ends),
        cmocka_unit_test(arrays_that_are_carried_change_places),
        cmocka_unit_test(threads_share_a_map),
        cmocka_unit_test(elements_at_constant_indices_are_updated),
        cmocka_unit_test(scalars_and_arrays_of_one_element_are_handed_on),
        cmocka_unit_test(a_loop_may_be_read_for_its_count_alone),
        cmocka_unit_test(names_of_bodies_differ),
#if defined(__x86_64__)
        cmocka_unit_test(a_map_of_scalars_becomes_vector_code),
#endif
    };
    return cmocka_run_group_tests(tests, scratch_setup, remove_environment);
}
