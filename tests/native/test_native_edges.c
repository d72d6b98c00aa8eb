/* Native code where programs are odd: without instructions, with outputs that are inputs, constants
 * or each other, with nothing in a tensor, with chains of views, with names that are no C. The
 * interpreter's bits, for numbers with NaN, infinities and zeros of both signs among them. */
#include "native/bundle.h"
#include "op/linalg.h"
#include "wengert/data.h"
#include "wengert/emit.h"

static const char *const formulas[] = {
    /* no instruction, or none that computes */
    "f(x) = x",
    /* a part of one matrix that is read by its name, then of another that a nest makes */
    "f(x) = { y = sum([[4, 0, 0], [x, 2, 5]]); z = [5, x] }",
    /* factors and solutions written out */
    "f(A[3,3], b[3,2]) = { y = cholesky(A @ A' + 3*eye(3)); z = solve_lower(A, b); w = "
    "solve_upper(A, b); v = cholesky(A) }",
    "f(A[n,2,2], b[n,2,1]) = { y = cholesky(A); z = solve_lower(A, b) }",
    "f(A[3,3], b[3,2]) = { B = A + 5*eye(3); y = solve(B, b); z = det(B); w = signdet(B) }",
    "f(A[n,4,4], b[4]) = { y = solve(A + 9*eye(4), b); z = det(A); w = logdet(A); v = lu_order(A) "
    "}",
    "f(A[n,2,2]: f32) = { y = inv(A + f32(7)*f32(eye(2))); z = det(A) }",
    "f(x[n]) = x",
    "f(x[n], a: i32, b[2]: bool) = { y = b; z = a; w = x; v = x }",
    "f() = { y = 2.5; z = [1, 2, 3]; w = true; v = i32(7); u = -0.0; t = nan; s = -inf }",
    "f(x: f32) = { y = x; z = f32(0.1) }",
    "f(x[n]) = { y = iota(n); z = f64(n)*n; w = iota(2*n+1) }",
    /* one value in many places */
    "f(x[n]) = { y = sin(x); z = y; w = reshape(y, n, 1); v = y' }",
    "f(a) = { y = sin(a); z = y; w = reshape(y, 1); v = zeros(3) + y }",
    "f(x[n]) = { y = x; z = reshape(x, n, 1); w = x[::-1]; v = x' }",
    "f(x[n], A[n,n]) = { y = sum(A @ x); z = y; w = A; v = A' }",
    /* scalars */
    "f(a, b: f32, c: i32, d: i64, e: bool) = { y = a*2; z = b/3; w = c*c - 7; v = idiv(d, 3); "
    "u = not e; t = where(e, c, 5); s = f32(a) + b; r = i32(a); q = i64(b); p = f64(c)/f64(d) }",
    "f(a) = { y = sum(a); z = sum(zeros(0) + a); w = max(zeros(0) + a); v = logsumexp(reshape(a, "
    "1)) }",
    "f(a: f32) = { y = sin(a)*0.1 + 1e-3; z = a^3; w = exp(a)/7; v = a*1e30*1e10; u = sqrt(a + "
    "0.1) }",
    /* where of integers, comparisons, bits */
    "f(x[n]: i32, y[n]: i32) = { z = where(x < y, x, -y); w = max(x, y) + idiv(x, y) - imod(x, y) "
    "}",
    "f(x[n]: i64, k[n]: i64) = { y = shift_left(x, k); z = shift_right(-x, k); w = bit_xor(x, "
    "bit_not(k)) }",
    "f(x[n]: bool, y[n]: bool) = { z = x and not y; w = xor(x, y); v = where(x, 1.5, -0.0); u = "
    "i32(x) + 1 }",
    "f(x[n]: f32) = { y = where(x > 0.1, x, 0.1); z = i32(x); w = i64(x*1e10); v = bool(x); u = "
    "f64(x) }",
    "f(x[n]) = { y = i32(x*1e10); z = i64(x*1e300); w = f32(x*1e300); v = bool(x); u = i32(x) }",
    "f(x[n]: i64) = { y = i32(x*3000000000); z = f32(x); w = f64(x); v = bool(x); u = abs(x); t = "
    "sign(-x) }",
    /* extents of nothing and of one */
    "f(x[n,0], y[0,n]) = { z = sum(x); w = sum(x, axis=1); v = sum(y, axis=0); u = y @ y'; t = x @ "
    "x' }",
    "f(x[n,1], y[1,n]) = { z = x*y; w = sum(z, axis=0); v = softmax(x); u = squeeze(x, axis=1); t "
    "= max(y) }",
    /* chains of views */
    "f(x[n,3]) = sin(reshape(x', 3*n)[::-1])",
    "f(x[n,3]) = { y = reshape(reshape(x[::-1, ::2], 2*n), n, 2)' + 1; z = x[:, ::-2][:, 1:] * 2 }",
    "f(x[n,3]) = { y = transpose(expand(x, axis=0) * ones(2, 1, 1), 2, 0, 1) + 1; z = tile(x, 2, "
    "2) }",
    "f(x[n,3,2]) = { y = sum(transpose(x, 2, 0, 1)); z = sum(x[::-1], axis=(1, 2)); "
    "w = max(transpose(x, 1, 2, 0), axis=(1, 2)); v = logsumexp(transpose(x, 0, 2, 1), axis=(1, "
    "2)) }",
    "f(x[n,4]) = sum(reshape(x, 2*n, 2)[:, ::-1]*reshape(x, 2*n, 2), axis=1)",
    "f(x[n,2,2,2,2,2]) = sum(transpose(x, 5, 4, 3, 2, 1, 0), axis=(0, 2, 4)) + 1",
    "f(a[n], x[n+1]) = { y = x[1:] - x[:n] + a; z = x[n] * x; w = cumsum(x)[::-1] }",
    "f(x[n,n]) = { y = x + x'; z = x @ x' - x'; w = x[::-1, ::-1]' }",
    /* softmax and its like, on rows and on columns, more than one to a row */
    "f(x[n,5]) = { y = softmax(x); z = log_softmax(x); w = layer_norm(x, 1e-5); v = softmax(x, "
    "axis=0) }",
    "f(x[n,5], y[n,5]) = { z = sum(softmax(x)*y, axis=1); w = norm(x, axis=1); v = var(x, axis=1) "
    "}",
    /* names */
    "f(int[σ], double[λ], _a[σ,λ], a_, switch) = { do = sum(int) + sum(double); goto = _a*switch "
    "+ a_; int_ = int*σ; double_ = double*λ }",
    "f(v1[n], m1[n], c, i0, in0[n]) = { v2 = v1*m1 + c; f = i0*in0; r1 = sum(v1); status = sum(m1) "
    "}",
};

static wg_tensor draw(const wg_program *p, size_t i, int64_t n, wg_random *random) {
    wg_type type = wg_input_type(p, i);
    wg_tensor t = {.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    const double special[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 5e-324, 1e300, -1e-42};
    for (int k = 0; k < t.rank; k++)
        t.shape[k] = type.extent[k] >= 0 ? type.extent[k] : test_extent(p, type.extent[k], n);
    t.data = calloc((size_t)wg_tensor_count(&t) + 1, 8);
    assert_non_null(t.data);
    for (int64_t k = 0; k < wg_tensor_count(&t); k++) {
        bool usual = wg_random_below(random, 4) > 0;
        double x = usual ? 4 * wg_random_uniform(random) - 2 : special[wg_random_below(random, 8)];
        int64_t whole = usual ? (int64_t)wg_random_below(random, 9) - 4
                              : (int64_t)wg_random_bits(random);
        switch (t.dtype) {
        case WG_BOOL: ((uint8_t *)t.data)[k] = whole & 1; break;
        case WG_I32: ((int32_t *)t.data)[k] = (int32_t)(uint32_t)whole; break;
        case WG_I64: ((int64_t *)t.data)[k] = whole; break;
        case WG_F32: ((float *)t.data)[k] = (float)x; break;
        case WG_F64: ((double *)t.data)[k] = x; break;
        }
    }
    return t;
}

static size_t compare_alone(const wg_program *p, const char *label) {
    static const int64_t sizes[] = {0, 1, 2, 3, 40, 600};
    struct bundle *b = bundle_of_one(p, label);
    wg_function *interpreted = bundle_compile(p, WG_INTERPRET, NULL);
    wg_function *native = bundle_compile(p, WG_NATIVE, "-O0 -ffp-contract=off");
    wg_tensor in[64];
    size_t different = 0;
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        wg_random random = wg_random_seed(s);
        for (size_t i = 0; i < wg_input_count(p); i++) in[i] = draw(p, i, sizes[s], &random);
        different += bundle_compare(b, interpreted, native, sizes[s], in, same_bits, "alone");
        for (size_t i = 0; i < wg_input_count(p); i++) free(in[i].data);
    }
    wg_function_free(interpreted);
    wg_function_free(native);
    bundle_free(b);
    return different;
}

static void odd_programs_give_the_interpreters_bits(void **state) {
    (void)state;
    size_t different = 0;
    for (size_t i = 0; i < COUNT_OF(formulas); i++) {
        wg_error error = {0};
        wg_program *p = wg_parse(formulas[i], strlen(formulas[i]), NULL, &error);
        if (error.status) fail_msg("%s\n%s", formulas[i], error.message);
        different += compare_alone(p, formulas[i]);
        wg_program *vjp = wg_vjp(p, NULL, NULL, &error), *jvp = wg_jvp(vjp, NULL, NULL, &error);
        if (jvp && jvp->t.instr.count > p->t.instr.count)
            different += compare_alone(jvp, formulas[i]);
        wg_program_free(vjp);
        wg_program_free(jvp);
        wg_program_free(p);
    }
    assert_int_equal(different, 0);
}

/* Factors of `a`, and all that takes them. */
static void add_factors(wg_graph *g, value a, value b, const char *kind) {
    value f = build_lu(g, a);
    char name[32];
    snprintf(name, sizeof name, "%s_lu", kind);
    graph_output(g, name, f);
    for (int how = 0; how < 4; how++) {
        snprintf(name, sizeof name, "%s_solve%d", kind, how);
        graph_output(g, name, build_factor_solve(g, a, f, b, how & 1, how >> 1));
    }
    for (int what = DET_VALUE; what <= DET_SIGN; what++) {
        snprintf(name, sizeof name, "%s_det%d", kind, what);
        graph_output(g, name, build_factor_det(g, a, f, what));
    }
}

/* Of matrices of `rows` rows: whatever was drawn; numbers of which many are equal in magnitude, so
 * that pivots tie and matrices are singular; such that rounding decides; all finite. */
static wg_program *factors(wg_dtype dtype, int64_t rows, int64_t columns, bool batched) {
    wg_graph *g = wg_graph_new();
    wg_error error = {0};
    wg_type type = {.dtype = dtype, .rank = 2, .extent = {rows, rows}};
    if (batched) type = (wg_type){dtype, 3, {wg_size(g, "n"), rows, rows}};
    value a = graph_input(g, "A", &type);
    type.extent[type.rank - 1] = columns;
    value b = graph_input(g, "b", &type);
    value is_finite = build_binary(g, OP_lt, build_unary(g, OP_abs, a), build_like(g, a, 3));
    value finite = build_where(g, is_finite, a, build_like(g, a, 0.5));
    value whole = build_unary(g, OP_round, finite);
    add_factors(g, a, b, "any");
    add_factors(g, whole, b, "whole");
    add_factors(g, build_div(g, whole, build_like(g, a, 3)), b, "thirds");
    add_factors(g, finite, b, "finite");
    if (wg_graph_error(g)->status) fail_msg("%s", wg_graph_error(g)->message);
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static void factors_of_few_rows_have_the_kernels_bits(void **state) {
    (void)state;
    size_t different = 0;
    for (int64_t rows = 1; rows <= 5; rows++)
        for (int kind = 0; kind < 4; kind++) {
            bool batched = kind < 2;
            char label[32];
            snprintf(label, sizeof label, "factors of %d rows", (int)rows);
            wg_program *p = factors(kind % 2 ? WG_F32 : WG_F64, rows, kind, batched);
            different += compare_alone(p, label);
            wg_program_free(p);
        }
    assert_int_equal(different, 0);
}

/* C to take away has the kernels' texts only where they are called: for a fifth row, and for a
 * logarithm. */
static void factors_of_few_rows_are_written_out(void **state) {
    (void)state;
    static const struct {
        const char *formula;
        bool lu, solve, det;
    } of[] = {
        {"f(A[n,1,1], b[n,1,2]) = { y = solve(A, b); z = det(A); w = signdet(A) }", 0, 0, 0},
        {"f(A[4,4], b[4,n]) = { y = solve(A, b); z = det(A); w = signdet(A) }", 0, 0, 0},
        {"f(A[n,4,4], b[n,4]) = solve(A[0], b[0]) + logdet(A[0])", 0, 0, 1},
        {"f(A[5,5], b[5,2]) = { y = solve(A, b); z = det(A) }", 1, 1, 1},
        {"f(A[n,n], b[n,2]) = { y = solve(A, b); z = det(A) }", 1, 1, 1},
    };
    for (size_t i = 0; i < COUNT_OF(of); i++) {
        wg_error error = {0};
        wg_text code = {0}, header = {0};
        const wg_program *p = test_parse(of[i].formula);
        const char *name = "f";
        wg_emit(&p, &name, 1, NULL, &code, &header, &error);
        assert_ok(error);
        assert_int_equal(strstr(code.data, "wg_lu_f64(") != NULL, of[i].lu);
        assert_int_equal(strstr(code.data, "wg_solve_f64(") != NULL, of[i].solve);
        assert_int_equal(strstr(code.data, "wg_det_f64(") != NULL, of[i].det);
        wg_text_free(&code);
        wg_text_free(&header);
        wg_program_free((wg_program *)(uintptr_t)p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_programs_give_the_interpreters_bits),
        cmocka_unit_test(factors_of_few_rows_have_the_kernels_bits),
        cmocka_unit_test(factors_of_few_rows_are_written_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
