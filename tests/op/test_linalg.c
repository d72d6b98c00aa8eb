/* Matrices of sizes that both the plain loops and LAPACK take: what factors and solutions have to
 * satisfy, derivatives against differences and forward against reverse mode, and what comes out
 * where a matrix is singular, not definite, or has equal eigenvalues. Small ones are compared with
 * other algorithms by the table's tests (property/test_operations.c). */
#include "op/evaluate.h"

#include "transform/transform.h"

static wg_program *parsed(const char *text) {
    wg_error error = {0};
    wg_program *p = wg_parse(text, strlen(text), NULL, &error);
    if (!p) fail_msg("%s: %s", text, error.message);
    return p;
}

/* Runs it on matrices [n,n] or [n] of these elements, or of random ones where there are none. */
struct run {
    wg_tensor in[4];
    size_t inputs;
};

static struct run draw(const wg_program *p, int64_t n, uint64_t seed) {
    struct run r = {.inputs = wg_input_count(p)};
    wg_random random = wg_random_seed(seed);
    for (size_t i = 0; i < r.inputs; i++) {
        wg_type type = wg_input_type(p, i);
        wg_tensor *t = &r.in[i];
        *t = (wg_tensor){.dtype = (wg_dtype)type.dtype, .rank = type.rank};
        for (int k = 0; k < type.rank; k++) t->shape[k] = test_extent(p, type.extent[k], n);
        int64_t count = wg_tensor_count(t);
        t->data = calloc((size_t)count + 1, 8);
        for (int64_t k = 0; k < count; k++) {
            double x = 2 * wg_random_uniform(&random) - 1;
            if (t->dtype == WG_F64)
                ((double *)t->data)[k] = x;
            else
                ((float *)t->data)[k] = (float)x;
        }
    }
    return r;
}

static void end(struct run *r) {
    for (size_t i = 0; i < r->inputs; i++) free(r->in[i].data);
}

static double scalar(const wg_program *p, const struct run *r) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, NULL, &error);
    wg_tensor y = {0};
    wg_run(fn, NULL, r->in, &y, &error);
    assert_ok(error);
    double x = y.dtype == WG_F64 ? *(double *)y.data : (double)*(float *)y.data;
    wg_tensor_free(&y, NULL);
    wg_function_free(fn);
    return x;
}

/* ---- what results have to satisfy ------------------------------------------------------------ */

#define DEFINITE "spd(A[n,n]) = A @ A' + eye(n)\n"
#define GENERAL "gen(A[n,n]) = A + 2*eye(n)\n"

static const char *const residual[] = {
    DEFINITE "f(A[n,n]) = norm(cholesky(spd(A)) @ cholesky(spd(A))' - spd(A))",
    DEFINITE "f(A[n,n], b[n]) = norm(spd(A) @ cholesky_solve(cholesky(spd(A)), b) - b)",
    GENERAL "f(A[n,n], b[n]) = norm(gen(A) @ solve(gen(A), b) - b)",
    GENERAL "f(A[n,n], B[n,3]) = norm(gen(A) @ solve(gen(A), B) - B)",
    GENERAL "f(A[n,n]) = norm(gen(A) @ inv(gen(A)) - eye(n))",
    GENERAL "f(A[n,n]) = norm(inv(gen(A)) @ gen(A) - eye(n))",
    "f(A[n,n]) = norm(lu_l(A) @ lu_u(A) - take(A, lu_order(A)))",
    "f(A[n,n]) = relu(max(abs(lu_l(A))) - 1)",
    "f(A[n,n], B[n,2]) = norm(lu_l(A) @ solve_lower(lu_l(A), B) - B)",
    "up(A[n,n]) = qr_r(A + 2*eye(n))\n"
    "f(A[n,n], B[n,2]) = norm(up(A) @ solve_upper(up(A), B) - B)",
    "f(c[n], A[n+2,n]) = norm(qr_q(A) @ qr_r(A) - A)",
    "f(c[n], A[n+2,n]) = norm(qr_q(A)' @ qr_q(A) - eye(n))",
    "f(c[n], A[n,n+2]) = norm(qr_q(A) @ qr_r(A) - A)",
    "f(c[n], A[n,n+2]) = norm(qr_q(A) @ qr_q(A)' - eye(n))",
    "f(A[n,n]) = norm(eigh_vectors(A) * expand(eigh_values(A), axis=0) @ eigh_vectors(A)' "
    "- (A + A')/2)",
    "f(A[n,n]) = norm(eigh_vectors(A)' @ eigh_vectors(A) - eye(n))",
    "f(c[n], A[n+3,n]) = norm(svd_u(A) * expand(svd_s(A), axis=0) @ svd_v(A)' - A)",
    "f(c[n], A[n+3,n]) = norm(svd_u(A)' @ svd_u(A) - eye(n)) + norm(svd_v(A)' @ svd_v(A) - eye(n))",
    "f(c[n], A[n,n+3]) = norm(svd_u(A) * expand(svd_s(A), axis=0) @ svd_v(A)' - A)",
    "f(A[n,n]) = norm(svd_s(A) - sort(svd_s(A))[::-1])",
    "f(A[n,n]) = norm(eigh_values(A) - sort(eigh_values(A)))",
    "f(A[n,n]) = norm(expm(A) @ expm(-A) - eye(n)) / (1 + norm(expm(A)))",
    GENERAL "f(A[n,n]) = abs(logdet(gen(A)) - sum(log(svd_s(gen(A)))))",
    DEFINITE "f(A[n,n]) = abs(logdet(spd(A)) - 2*sum(log(diagonal(cholesky(spd(A))))))",
    DEFINITE "f(A[n,n]) = abs(det(spd(A)/n) / exp(sum(log(eigh_values(spd(A)/n)))) - 1)",
    "f(A[n,n]) = abs(signdet(A) - (1 - 2*f64(det(A/n*4) < 0)))",
    "f(A[n,n]) = abs(trace(A) - sum(diagonal(A)))",
};

static void results_satisfy_their_equations(void **state) {
    static const int64_t sizes[] = {0, 1, 2, 3, 7, 23, 24, 33, 60};
    (void)state;
    for (size_t i = 0; i < sizeof residual / sizeof *residual; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            for (int single = 0; single < 2; single++) {
                int64_t n = sizes[k];
                wg_error error = {0};
                if (n == 0 && strstr(residual[i], "max(")) continue; /* of nothing: -inf */
                wg_program *wide = parsed(residual[i]);
                wg_program *p = single ? program_narrow(wide, &error) : wide;
                assert_ok(error);
                struct run r = draw(p, n, 7 + (uint64_t)n);
                double off = scalar(p, &r), most = (single ? 1e-6 : 2e-15) * (double)(20 + n * n);
                if (!(off <= most))
                    fail_msg("%s for n = %d, %s: off by %.3g", residual[i], (int)n,
                             single ? "f32" : "f64", off);
                end(&r);
                if (single) wg_program_free(p);
                wg_program_free(wide);
            }
}

/* ---- derivatives ----------------------------------------------------------------------------- */

static const char *const smooth[] = {
    DEFINITE "f(A[n,n]) = sum(cos(cholesky(spd(A))))",
    DEFINITE "f(A[n,n], b[n]) = sum(sin(cholesky_solve(cholesky(spd(A)), b)))",
    GENERAL "f(A[n,n], b[n]) = sum(sin(solve(gen(A*0.3), b)))",
    GENERAL "f(A[n,n], B[n,3]) = sum(sin(solve(gen(A*0.3), B)))",
    GENERAL "f(A[n,n]) = sum(cos(inv(gen(A*0.3))))",
    GENERAL "f(A[n,n]) = logdet(gen(A*0.3))",
    GENERAL "f(A[n,n]) = det(gen(A*0.3)/2)",
    GENERAL "f(A[n,n]) = sum(cos(lu_l(gen(A*0.3)))) + sum(sin(lu_u(gen(A*0.3))))",
    "f(c[n], A[n+2,n]) = sum(cos(qr_q(A))) + sum(sin(qr_r(A)))",
    "f(c[n], A[n,n+2]) = sum(cos(qr_q(A))) + sum(sin(qr_r(A)))",
    "f(A[n,n]) = sum(cos(eigh_values(A)))",
    "f(c[n], A[n+3,n]) = sum(cos(svd_s(A)))",
    "f(c[n], A[n,n+3]) = sum(cos(svd_s(A)))",
    "f(A[n,n]) = sum(eigh_vectors(A) * expand(cos(eigh_values(A)), axis=0) @ eigh_vectors(A)' "
    "* sin(A))",
    "f(c[n], A[n+3,n]) = sum(sin(A) * (svd_u(A) * expand(cos(svd_s(A)), axis=0) @ svd_v(A)'))",
    "f(A[n,n]) = sum(cos(expm(A*0.3)))",
};

static void derivatives_agree_with_differences(void **state) {
    static const int64_t sizes[] = {1, 2, 5, 36};
    (void)state;
    for (size_t i = 0; i < sizeof smooth / sizeof *smooth; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            wg_error error = {0};
            wg_program *p = parsed(smooth[i]);
            struct run r = draw(p, sizes[k], 3);
            wg_check_report report;
            wg_check_gradient(p, NULL, r.in, 5, &report, &error);
            assert_ok(error);
            if (!(report.difference < 1e-6) || !(report.product < 1e-11))
                fail_msg("%s for n = %d: %.2g off differences, modes %.2g apart", smooth[i],
                         (int)sizes[k], report.difference, report.product);
            end(&r);
            wg_program_free(p);
        }
}

/* The gradient of a function of one matrix. */
static void assert_gradient(const char *text, const double *at, const double *expected, int64_t n,
                            double tolerance) {
    wg_error error = {0};
    wg_program *p = parsed(text), *grad = wg_grad(p, NULL, &error);
    assert_ok(error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    wg_tensor in = {.data = (void *)(uintptr_t)at, .dtype = WG_F64, .rank = 2, .shape = {n, n}};
    wg_tensor y = {0};
    wg_run(fn, NULL, &in, &y, &error);
    assert_ok(error);
    assert_numbers(&y, expected, (size_t)(n * n), tolerance);
    wg_tensor_free(&y, NULL);
    wg_function_free(fn);
    wg_program_free(grad);
    wg_program_free(p);
}

static void the_determinant_has_a_gradient_where_it_is_0(void **state) {
    (void)state;
    const char *det = "f(A[n,n]) = det(A)";
    const double rank2[] = {1, 2, 3, 4, 5, 6, 7, 8, 9},
                 rank2_cofactors[] = {-3, 6, -3, 6, -12, 6, -3, 6, -3};
    assert_gradient(det, rank2, rank2_cofactors, 3, 1e-14);
    const double zero_column[] = {0, 1, 2, 0, 3, 5, 0, 7, 11};
    const double of_it[] = {-2, 0, 0, 3, 0, 0, -1, 0, 0};
    assert_gradient(det, zero_column, of_it, 3, 1e-14);
    const double rank1[] = {1, 2, 3, 2, 4, 6, 3, 6, 9}, nothing[9] = {0};
    assert_gradient(det, rank1, nothing, 3, 1e-14);
    assert_gradient(det, nothing, nothing, 3, 0);
    const double number[] = {0}, one[] = {1};
    assert_gradient(det, number, one, 1, 0);
}

static void equal_eigenvalues_leave_symmetric_functions_alone(void **state) {
    (void)state;
    const double e = exp(1), identity[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const double of_exp[] = {e, 0, 0, 0, e, 0, 0, 0, e};
    assert_gradient("f(A[n,n]) = sum(exp(eigh_values(A)))", identity, of_exp, 3, 1e-14);
    assert_gradient("f(A[n,n]) = sum(exp(svd_s(A)))", identity, of_exp, 3, 1e-14);
    /* one pair of equal ones, off the axes, beside another */
    const double pair[] = {2, 1, 1, 1, 2, 1, 1, 1, 2};
    const double of_squares[] = {4, 2, 2, 2, 4, 2, 2, 2, 4};
    assert_gradient("f(A[n,n]) = sum(eigh_values(A)^2)", pair, of_squares, 3, 1e-14);
    const double zero[9] = {0};
    assert_gradient("f(A[3,3]) = sum(eigh_vectors(A) * [[1,2,3],[4,5,6],[7,8,9]])", identity, zero,
                    3, 0);
    /* a projector onto both of a pair does not depend on the choice within it */
    const double projected[] = {1, 0, 0, 0, 1, 0, 0, 0, 3};
    const double turned[] = {0, 0, -0.25, 0, 0, -0.5, -0.25, -0.5, 0};
    assert_gradient("P(V[n,k]) = V @ V'\n"
                    "f(A[3,3]) = sum(P(eigh_vectors(A)[:, :2]) * [[0,0,1],[0,0,2],[0,0,0]])",
                    projected, turned, 3, 1e-14);
}

/* ---- edges ----------------------------------------------------------------------------------- */

static void assert_value(const char *text, const double *at, int64_t n, const double *expected,
                         size_t count) {
    wg_error error = {0};
    wg_program *p = parsed(text);
    wg_function *fn = wg_compile(p, NULL, &error);
    wg_tensor in = {.data = (void *)(uintptr_t)at, .dtype = WG_F64, .rank = 2, .shape = {n, n}};
    wg_tensor y = {0};
    wg_run(fn, NULL, &in, &y, &error);
    assert_ok(error);
    assert_numbers(&y, expected, count, 1e-14);
    wg_tensor_free(&y, NULL);
    wg_function_free(fn);
    wg_program_free(p);
}

static void edges_are_as_documented(void **state) {
    (void)state;
    const double indefinite[] = {1, 2, 2, 1}, singular[] = {1, 2, 2, 4}, bad[] = {1, NAN, 0, 1};
    const double endless[] = {1, INFINITY, 0, 1}, zero[4] = {0}, skew[] = {0, 1, -1, 0};
    const double nan[] = {NAN, NAN, NAN, NAN};
    assert_value("f(A[n,n]) = cholesky(A)", indefinite, 2, nan, 4);
    assert_value("f(A[n,n]) = cholesky(A)", bad, 2, nan, 4);
    assert_value("f(A[n,n]) = det(A)", singular, 2, zero, 1);
    assert_value("f(A[n,n]) = signdet(A)", singular, 2, zero, 1);
    assert_value("f(A[n,n]) = logdet(A)", singular, 2, (const double[]){-INFINITY}, 1);
    assert_value("f(A[2,2]) = f64(isfinite(solve(A, [1, 0])))", singular, 2, zero, 2);
    assert_value("f(A[n,n]) = eigh_values(A)", bad, 2, nan, 2);
    assert_value("f(A[n,n]) = svd_s(A)", endless, 2, nan, 2);
    assert_value("f(A[n,n]) = expm(A)", bad, 2, nan, 4);
    assert_value("f(A[n,n]) = expm(A)", zero, 2, (const double[]){1, 0, 0, 1}, 4);
    assert_value("f(A[n,n]) = expm(A)", skew, 2, (const double[]){cos(1), sin(1), -sin(1), cos(1)},
                 4);
    assert_value("f(A[n,n]) = svd_s(A)", zero, 2, zero, 2);
    assert_value("f(A[n,n]) = svd_u(A)' @ svd_u(A)", zero, 2, (const double[]){1, 0, 0, 1}, 4);
    assert_value("f(A[n,n]) = svd_u(A)' @ svd_u(A)", singular, 2, (const double[]){1, 0, 0, 1}, 4);
    /* of the part that is symmetric */
    assert_value("f(A[n,n]) = eigh_values(A)", skew, 2, zero, 2);
    assert_value("f(A[n,n]) = det(1e200*A)", (const double[]){1, 2, 3, 4}, 2,
                 (const double[]){-INFINITY}, 1);
    assert_value("f(A[n,n]) = logdet(1e200*A)", (const double[]){1, 2, 3, 4}, 2,
                 (const double[]){2 * log(1e200) + log(2)}, 1);
    /* squares of what overflows by itself */
    assert_value("f(A[n,n]) = svd_s(1e200*A)/1e200", (const double[]){3, 0, 0, 4}, 2,
                 (const double[]){4, 3}, 2);
    assert_value("f(A[n,n]) = qr_r(1e200*A)/1e200", (const double[]){3, 1, 4, 2}, 2,
                 (const double[]){5, 2.2, 0, 0.4}, 4);
    /* triangles are read alone, and ones for the diagonal */
    assert_value("f(A[2,2]) = solve_lower(A, [2, 5])", (const double[]){2, NAN, 1, 4}, 2,
                 (const double[]){1, 1}, 2);
}

/* Beside a where that does not take it, a matrix that has no such function sends nothing. */
static void what_is_not_taken_sends_nothing(void **state) {
    static const char *const text[] = {
        "f(A[2,2]) = where(trace(A) > 5, sum(log(diagonal(cholesky(A)))), 0)",
        "f(A[2,2]) = where(trace(A) > 5, logdet(A), 0)",
        "f(A[2,2]) = where(trace(A) > 5, det(inv(A)), 0)",
        "f(A[2,2]) = where(trace(A) > 5, sum(solve(A, [1, 2])^2), 0)",
        "f(A[2,2]) = where(trace(A) > 5, sum(solve_lower(A, [1, 2])^2), 0)",
        "f(A[2,2]) = where(trace(A) > 5, sum(qr_q(A)), 0)",
        "f(A[2,2]) = where(trace(A) > 5, sum(lu_l(A)), 0)",
        "f(A[2,2]) = where(trace(A) > 5, sum(eigh_vectors(log(A))), 0)",
        "f(A[2,2]) = where(trace(A) > 5, sum(svd_u(log(A))), 0)",
        "f(A[2,2]) = where(trace(A) > 5, sum(expm(log(A))), 0)",
    };
    const double zero[4] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        wg_error error = {0};
        wg_program *p = parsed(text[i]);
        wg_program *grad = wg_grad(p, NULL, &error), *hessian = wg_hessian(p, NULL, &error);
        wg_program *jacobian = wg_jacobian(grad, NULL, NULL, WG_REVERSE, &error);
        wg_program *forward = wg_jacobian(p, NULL, NULL, WG_FORWARD, &error);
        const wg_program *derived[] = {p, grad, hessian, jacobian, forward};
        assert_ok(error);
        for (size_t k = 0; k < 5; k++) {
            wg_function *fn = wg_compile(derived[k], NULL, &error);
            wg_tensor in = {.data = (void *)(uintptr_t)zero,
                            .dtype = WG_F64,
                            .rank = 2,
                            .shape = {2, 2}},
                      y = {0};
            wg_run(fn, NULL, &in, &y, &error);
            assert_ok(error);
            for (int64_t j = 0; j < wg_tensor_count(&y); j++)
                if (((const double *)y.data)[j] != 0)
                    fail_msg("%s: derivative %zu has a %g", text[i], k, ((double *)y.data)[j]);
            wg_tensor_free(&y, NULL);
            wg_function_free(fn);
        }
        for (size_t k = 0; k < 5; k++) wg_program_free((wg_program *)(uintptr_t)derived[k]);
    }
}

/* ---- shapes and batches ---------------------------------------------------------------------- */

static void fronts_are_broadcast(void **state) {
    (void)state;
    struct evaluate e = evaluate_begin();
    const double a[] = {2, 0, 0, 4, 1, 1, 0, 1}, b[] = {2, 4}, many[] = {2, 4, 6, 8};
    wg_var A = evaluate_input(&e, true, WG_F64, SHAPE(2, 2, 2), a);
    wg_var x = wg_solve(A, evaluate_input(&e, true, WG_F64, SHAPE(2), b));
    evaluate(&e, x);
    ASSERT_VALUES(&e.out, 1, 1, -2, 4);
    assert_int_equal(e.out.rank, 2);
    evaluate_end(&e);
    e = evaluate_begin();
    A = evaluate_input(&e, false, WG_F64, SHAPE(2, 2), a);
    evaluate(&e, wg_solve(A, evaluate_input(&e, false, WG_F64, SHAPE(2, 2, 1), many)));
    ASSERT_VALUES(&e.out, 1, 1, 3, 2);
    evaluate_end(&e);
}

/* Right-hand sides of one matrix are solved together: no copies of the matrix, one
 * factorization. */
static void one_matrix_serves_a_batch(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = parsed("f(A[3,3], b[3]) = solve(A, b)");
    wg_program *mapped = wg_vmap(p, "b", "examples", &error);
    assert_ok(error);
    size_t factors = 0, wide = 0;
    for (value v = 1; v < mapped->t.instr.count; v++) {
        const struct instr *i = instr_at(&mapped->t, v);
        factors += i->op == OP_lu;
        wide += i->op == OP_solve && type_of(&mapped->t, args_of(&mapped->t, i)[0])->rank > 2;
    }
    assert_int_equal(factors, 1);
    assert_int_equal(wide, 0);
    wg_function *fn = wg_compile(mapped, NULL, &error);
    const double a[] = {2, 1, 0, 0, 1, 0, 0, 0, 4}, b[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 2, 1, 4};
    wg_tensor in[] = {{.data = (void *)(uintptr_t)a, .dtype = WG_F64, .rank = 2, .shape = {3, 3}},
                      {.data = (void *)(uintptr_t)b, .dtype = WG_F64, .rank = 2, .shape = {4, 3}}};
    wg_tensor y = {0};
    wg_run(fn, NULL, in, &y, &error);
    assert_ok(error);
    ASSERT_VALUES(&y, 0.5, 0, 0, -0.5, 1, 0, 0, 0, 0.25, 0.5, 1, 1);
    wg_tensor_free(&y, NULL);
    wg_function_free(fn);
    wg_program_free(mapped);
    wg_program_free(p);
}

/* A solution, its adjoints and the determinant take one factorization; two parts one
 * decomposition. */
static void factors_are_shared(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned op;
    } shared[] = {
        {"f(A[n,n], b[n]) = sum(solve(A, b)) + logdet(A) + det(A)", OP_lu},
        {"f(A[n,n]) = sum(eigh_vectors(A)) + sum(eigh_values(A))", OP_eigh},
        {"f(A[n,n]) = sum(svd_u(A)) + sum(svd_s(A)) + sum(svd_v(A))", OP_svd},
        {"f(A[n,n]) = sum(qr_q(A)) + sum(qr_r(A))", OP_qr},
    };
    for (size_t k = 0; k < sizeof shared / sizeof *shared; k++) {
        wg_error error = {0};
        wg_program *p = parsed(shared[k].text), *grad = wg_grad(p, NULL, &error);
        assert_ok(error);
        size_t count = 0;
        for (value v = 1; v < grad->t.instr.count; v++)
            count += instr_at(&grad->t, v)->op == shared[k].op;
        assert_int_equal(count, 1);
        wg_program_free(grad);
        wg_program_free(p);
    }
}

/* What a kernel works in is no value that an iteration must keep. */
static void loops_do_not_keep_the_memory_of_kernels(void **state) {
    enum { N = 4, STEPS = 1000 };
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input(g, "A", wg_f64(N, N)), result[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, STEPS);
    wg_var x = wg_loop_carry(loop, a);
    wg_eigen e = wg_eigh(x);
    wg_loop_next(loop, x, wg_mul(0.5, wg_matmul(wg_mul(e.vectors, wg_expand(e.values, 0)), x)));
    wg_loop_end(loop, result);
    wg_output(g, "y", wg_sum(result[0]));
    wg_program *p = wg_build(g, &error), *grad = wg_grad(p, NULL, &error);
    assert_ok(error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    size_t bytes;
    assert_int_equal(wg_workspace_size(fn, NULL, &bytes, &error), WG_OK);
    assert_true(bytes < STEPS * 8 * N * (3 * N + 2) + 20000);
    wg_function_free(fn);
    wg_program_free(grad);
    wg_program_free(p);
}

static void eager_graphs_have_them(void **state) {
    (void)state;
    wg_graph *g = wg_eager_new();
    assert_non_null(g);
    const double data[] = {4, 2, 2, 3};
    wg_var a = wg_value(g, wg_f64(2, 2), data), da;
    wg_backward(wg_log_det(a), 1, &a, &da);
    wg_tensor t = wg_data(da);
    assert_numbers(&t, (const double[]){0.375, -0.25, -0.25, 0.5}, 4, 1e-15);
    assert_true(fabs(wg_item(wg_sum(wg_eigh(a).values)) - 7) < 1e-14);
    wg_graph_free(g);
}

static void expect_message(wg_graph *g, wg_var x, const char *message) {
    (void)x;
    assert_string_equal(wg_graph_error(g)->message, message);
    wg_graph_free(g);
}

#define AT "m.c", 1
static void mistakes_say_what_they_are(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input_at(AT, g, "A", wg_f64(2, 3));
    expect_message(g, wg_cholesky_at("m.c", 2, a),
                   "m.c:2: cholesky: takes square matrices, and f64[2,3] is none\n"
                   "  operand = input \"A\"      m.c:1");
    g = wg_graph_new();
    a = wg_input_at(AT, g, "A", wg_f64(3));
    expect_message(g, wg_eigh_at("m.c", 2, a).values,
                   "m.c:2: eigh: takes matrices, not f64[3]\n  operand = input \"A\"      m.c:1");
    g = wg_graph_new();
    a = wg_input_at(AT, g, "A", wg_i64(3, 3));
    expect_message(
        g, wg_det_at("m.c", 2, a),
        "m.c:2: det: takes f32 or f64, not i64[3,3]\n  operand = input \"A\"      m.c:1\n"
        "  hint: convert it with wg_cast(WG_F64, x)");
    g = wg_graph_new();
    a = wg_input_at(AT, g, "A", wg_f64(3, 3));
    wg_var b = wg_input_at(AT, g, "b", wg_f64(2));
    expect_message(g, wg_solve_at("m.c", 2, a, b),
                   "m.c:2: solve: the matrix is f64[3,3], the right-hand side f64[2]\n"
                   "  left  = input \"A\"      m.c:1\n  right = input \"b\"      m.c:1\n"
                   "  hint: a right-hand side is a vector, or has a column for every solution");
    g = wg_graph_new();
    a = wg_input_at(AT, g, "A", wg_f64(3, 3));
    expect_message(g, wg_triangular_solve_at("m.c", 2, a, a, 9),
                   "m.c:2: triangular_solve: 9 is none of enum wg_triangle");
}

/* Whether there are more rows than columns is known at the call, where extents are named. */
static void a_wide_matrix_of_named_extents_is_an_error_at_the_call(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = parsed("f(A[m,n]) = qr_r(A)");
    wg_function *fn = wg_compile(p, NULL, &error);
    const double a[] = {1, 2, 3, 4, 5, 6};
    wg_tensor in = {.data = (void *)(uintptr_t)a, .dtype = WG_F64, .rank = 2, .shape = {3, 2}};
    wg_tensor y = {0};
    assert_int_equal(wg_run(fn, NULL, &in, &y, &error), WG_OK);
    wg_tensor_free(&y, NULL);
    in.shape[0] = 2, in.shape[1] = 3;
    assert_int_equal(wg_run(fn, NULL, &in, &y, &error), WG_ESHAPE);
    wg_tensor_free(&y, NULL);
    wg_function_free(fn);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_satisfy_their_equations),
        cmocka_unit_test(derivatives_agree_with_differences),
        cmocka_unit_test(the_determinant_has_a_gradient_where_it_is_0),
        cmocka_unit_test(equal_eigenvalues_leave_symmetric_functions_alone),
        cmocka_unit_test(edges_are_as_documented),
        cmocka_unit_test(what_is_not_taken_sends_nothing),
        cmocka_unit_test(fronts_are_broadcast),
        cmocka_unit_test(one_matrix_serves_a_batch),
        cmocka_unit_test(factors_are_shared),
        cmocka_unit_test(loops_do_not_keep_the_memory_of_kernels),
        cmocka_unit_test(eager_graphs_have_them),
        cmocka_unit_test(mistakes_say_what_they_are),
        cmocka_unit_test(a_wide_matrix_of_named_extents_is_an_error_at_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
