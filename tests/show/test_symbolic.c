/* Derivatives as formulas: what wg_symbolic writes is read again, and has the values of the
 * derivative program; lengths, costs and memory plans are those that the worked cases say. */
#include "support/test.h"

#include "support/failing_allocator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wengert.h>

enum { MOST = 8 };

static wg_program *parsed(const char *formula, wg_error *error) {
    return wg_parse(formula, strlen(formula), NULL, error);
}

/* A tensor for each input; every extent is 3, elements are positive, indices below 3. */
static void fill(const wg_program *p, wg_tensor *input) {
    for (size_t i = 0; i < wg_input_count(p); i++) {
        wg_type type = wg_input_type(p, i);
        input[i] = (wg_tensor){.dtype = (wg_dtype)type.dtype, .rank = type.rank};
        for (int k = 0; k < type.rank; k++)
            input[i].shape[k] = type.extent[k] >= 0 ? type.extent[k] : 3;
        size_t count = (size_t)wg_tensor_count(&input[i]);
        input[i].data = calloc(count + 1, 8);
        assert_non_null(input[i].data);
        for (size_t k = 0; k < count; k++) {
            double x = 0.3 + 0.17 * (double)((7 * k + 5 * i) % 11);
            if (type.dtype == WG_F64)
                ((double *)input[i].data)[k] = x;
            else if (type.dtype == WG_F32)
                ((float *)input[i].data)[k] = (float)x;
            else if (type.dtype == WG_I32)
                ((int32_t *)input[i].data)[k] = (int32_t)(k % 3);
            else if (type.dtype == WG_I64)
                ((int64_t *)input[i].data)[k] = (int64_t)(k % 3);
        }
    }
}

static double element(const wg_tensor *x, int64_t k) {
    return x->dtype == WG_F32 ? (double)((const float *)x->data)[k] : ((const double *)x->data)[k];
}

static void compare(const char *text, const wg_tensor *a, const wg_tensor *b) {
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(wg_tensor_count(a), wg_tensor_count(b));
    double limit = a->dtype == WG_F32 ? 1e-5 : 1e-12;
    for (int64_t k = wg_tensor_count(a); k-- > 0;) {
        double x = element(a, k), y = element(b, k);
        if (!(fabs(x - y) <= limit * fmax(1, fabs(x))) && !(isnan(x) && isnan(y)))
            fail_msg("%g became %g in\n%s", x, y, text);
    }
}

static void run(const wg_program *p, const wg_tensor *input, wg_tensor *output) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, NULL, &error);
    memset(output, 0, MOST * sizeof *output);
    wg_run(fn, NULL, input, output, &error);
    if (error.status) fail_msg("%s", error.message);
    wg_function_free(fn);
}

static void round_trip(const char *formula, bool shared) {
    wg_error error = {0};
    wg_text text = {0};
    wg_tensor input[MOST], given[MOST], exact[MOST], again[MOST];
    wg_program *p = parsed(formula, &error), *gradient = wg_grad(p, NULL, &error);
    wg_symbolic(p, NULL, NULL, shared, &text, &error);
    wg_program *read = wg_parse(text.data, text.size, NULL, &error);
    if (error.status) fail_msg("%s: %s\n%s", formula, error.message, text.data ? text.data : "");
    fill(p, input);
    for (size_t i = 0; i < wg_input_count(read); i++) /* unused names are no inputs there */
        given[i] = input[wg_input_index(p, wg_input_name(read, i))];
    run(gradient, input, exact);
    run(read, given, again);
    assert_int_equal(wg_output_count(gradient), wg_output_count(read));
    for (size_t i = 0; i < wg_output_count(read); i++) {
        compare(text.data, &exact[i], &again[i]);
        wg_tensor_free(&exact[i], NULL);
        wg_tensor_free(&again[i], NULL);
    }
    for (size_t i = 0; i < wg_input_count(p); i++) free(input[i].data);
    wg_text_free(&text);
    wg_program_free(p);
    wg_program_free(gradient);
    wg_program_free(read);
}

static const char *const formulas[] = {
    "x1*exp(x1*x2)",
    "log(x1) + x1*x2 - sin(x2)",
    "a/(b*c) - (a - b)^3/-c + 2^-a - (-b)",
    "-x^2*(-3)*y - (x - (y - x))*(x/y/x)",
    "1 - x - (1 - (y + 2)) - -x",
    "where(x > 1 and not (y == 2), sqrt(x), x*y) + max(x, y) + relu(x - y) + xor(x > 1, y > 1)*0",
    "a*b*c*d*e*f*g*h",
    "x + x*x + x*x*x + x*x*x*x + x*x*x*x*x + sin(x)*cos(x)*tan(x)/exp(x)/log(x) + hypot(x, 2)",
    "f(x[n]) = sum(x*exp(x))",
    "f(x[n], s) = sum(s*x) + s*sum(2*x - 1)/n",
    "f(x[n]) = logsumexp(x) + norm(x) + mean(square(x)) + max(x)",
    "f(A[n,m], x[m], b[n]) = sum(tanh(A @ x + b))",
    "f(x[n], A[n,n], b[n], c) = 0.5*x' @ A @ x - b' @ x + c",
    "f(X[n,m], W[m,k]) = sum(softmax(X @ W)^2)",
    "f(X[n,m]) = sum(sum(X, axis=1)*sum(X, axis=1)) + sum(max(X, axis=0))",
    "f(x[5]) = x[0]*x[1] + sum(x[1:4]^2) + sum(x[::2])*x[-1]",
    "f(x[n]) = sum(x[1:]*x[:n-1])",
    "f(A[3,4]) = sum(A[1:, ::2]^2)",
    "f(x[n]: f32) = sum(where(x > 1, x, 0) + max(x, 0.5))",
    "f(X[2,3,4], W[4,5]) = sum((X @ W)^2)",
    "f(x[n], y[m]) = sum(reshape(x, n, 1)*y) + sum(x)*n",
    "f(x[n]) = sum(concat(x, 2*x, axis=0)^2)",
    "f(x[n], i[m]: i32) = sum(x[i]^2)",
    "f(A[n,3], i[m]: i64) = sum(take(A, i, axis=0)*sin(take(A, i, axis=0)))",
    "f(A[2,n,4], i[m]: i64) = sum(exp(take(A, i, axis=1)))",
    "f(X[n,4], label[n]: i32) = sum(logsumexp(X, axis=1) - pick(X, label))",
    "f(u[m], i[m]: i64) = sum(scatter_add(u, i, 5)^3)",
    "f(X[n,4], i[n,2]: i64) = sum(take_along(X, i)^3)",
    "f(x[4], i[m]: i64) = sum(take_along(x, i)^3)",
};

static void test_round_trips(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        if (i == 5) continue; /* of truth values: below */
        round_trip(formulas[i], false);
        round_trip(formulas[i], true);
    }
    round_trip("where(x > 1 and not (y == 2), sqrt(x), x*y) + max(x, y) + relu(x - y)", false);
}

/* Chains longer than what is flattened at once, and terms beyond what people are shown. */
static void test_long_formulas(void **state) {
    (void)state;
    wg_text sum = {0}, product = {0};
    char term[64];
    wg_error error = {0};
    wg_program *p;
    char *long_sum = calloc(1, 20000), *long_product = calloc(1, 20000);
    assert_non_null(long_sum);
    assert_non_null(long_product);
    for (int i = 1; i <= 60; i++) {
        snprintf(term, sizeof term, "%ssin(%d*x)*exp(y/%d)", i > 1 ? i % 3 ? " + " : " - " : "", i,
                 i);
        strcat(long_sum, term);
        snprintf(term, sizeof term, "%s(x %c %d*y)", i > 1 ? "*" : "", i % 2 ? '-' : '+', i);
        if (i <= 40) strcat(long_product, term);
    }
    round_trip(long_sum, false);
    round_trip(long_sum, true);
    round_trip(long_product, true);
    strcpy(long_sum, "x");
    for (int i = 0; i < 40; i++) strcat(long_sum, i % 2 ? "" : "*exp(x)*sin(x)");
    round_trip(long_sum, true);
    p = parsed("f(x) = { let a = x*sin(x)\nlet b = a*sin(a)\nlet c = b*sin(b)\nlet d = c*sin(c)\n"
               "let e = d*sin(d)\nlet g = e*sin(e)\nlet h = g*sin(g)\nlet i = h*sin(h)\n"
               "let j = i*sin(i)\nlet k = j*sin(j)\n y = k*sin(k) }",
               &error);
    assert_int_equal(wg_symbolic(p, NULL, NULL, false, &sum, &error), WG_EOVERFLOW);
    assert_non_null(strstr(error.message, "ask for shared subexpressions"));
    assert_int_equal(sum.size, 0);
    error = (wg_error){0};
    assert_int_equal(wg_symbolic(p, NULL, NULL, true, &product, &error), WG_OK);
    wg_text_free(&sum);
    wg_text_free(&product);
    wg_program_free(p);
    free(long_sum);
    free(long_product);
}

static void expect_text_of(const char *formula, const char *of, bool shared, const char *wanted) {
    wg_error error = {0};
    wg_text text = {0};
    wg_program *p = parsed(formula, &error);
    wg_symbolic(p, of, NULL, shared, &text, &error);
    if (error.status) fail_msg("%s", error.message);
    assert_string_equal(text.data, wanted);
    wg_text_free(&text);
    wg_program_free(p);
}

static void expect_text(const char *formula, bool shared, const char *wanted) {
    expect_text_of(formula, NULL, shared, wanted);
}

static void test_texts(void **state) {
    (void)state;
    expect_text("x + y", false, "dx = 1\ndy = 1\n");
    expect_text("x*sin(x)", false, "dx = x*cos(x) + sin(x)\n");
    expect_text("sin(x^2)", false, "dx = 2*cos(x^2)*x\n");
    expect_text("y1 = x*z; y2 = x/z", false,
                "dy1_dx = z\ndy1_dz = x\ndy2_dx = 1/z\ndy2_dz = -x/(z*z)\n");
    expect_text("f(x[n]) = sum(x)", false, "derivative(x[n]) = {\n  dx = ones(n)\n}\n");
}

/* Outputs with axes: by a scalar, and element by element; beside the tangent for ones. */
static void test_tensors(void **state) {
    (void)state;
    static const char *const elementwise[] = {
        "f(x[n]) = x*sin(x) + 1/x",        "f(x[n,m], a) = where(x > a, sqrt(x), a*x)",
        "f(a, b) = [a*b, a, b^2]",         "f(a, A[n,n], x[n]) = { let y = A @ exp(a*x)\n z = y }",
        "f(x[n]: f32) = 2*x",              "f(x[n], a) = a*x/norm(a + stop_gradient(x))",
    };
    for (size_t i = 0; i < sizeof elementwise / sizeof *elementwise; i++)
        for (int k = 0; k < 2; k++) {
            wg_error error = {0};
            wg_text text = {0};
            wg_program *p = parsed(elementwise[i], &error);
            assert_int_equal(error.status, WG_OK);
            const char *wrt = wg_input_name(p, i == 3 ? 0 : (size_t)k % wg_input_count(p));
            wg_tensor input[MOST], given[MOST], exact[MOST], again[MOST];
            wg_program *tangent = wg_jvp(p, NULL, wrt, &error), *read;
            wg_symbolic(p, NULL, wrt, k, &text, &error);
            read = wg_parse(text.data, text.size, NULL, &error);
            if (error.status) fail_msg("%s: %s", elementwise[i], error.message);
            fill(tangent, input);
            size_t last = wg_input_count(p);
            for (int64_t n = 0; n < wg_tensor_count(&input[last]); n++)
                if (input[last].dtype == WG_F32) ((float *)input[last].data)[n] = 1;
                else ((double *)input[last].data)[n] = 1;
            for (size_t n = 0; n < wg_input_count(read); n++)
                given[n] = input[wg_input_index(p, wg_input_name(read, n))];
            run(tangent, input, exact);
            run(read, given, again);
            compare(text.data, &exact[1], &again[0]);
            for (size_t n = 0; n < 2; n++) wg_tensor_free(&exact[n], NULL);
            wg_tensor_free(&again[0], NULL);
            for (size_t n = 0; n < wg_input_count(tangent); n++) free(input[n].data);
            wg_text_free(&text);
            wg_program_free(p);
            wg_program_free(tangent);
            wg_program_free(read);
        }
    expect_text("f(x[n]) = x*sin(x)", false,
                "derivative(x[n]) = {\n  dx = x*cos(x) + sin(x)\n}\n");
    /* what another output does with x is none of this one's business */
    expect_text_of("f(x[n]) = { s = sum(x); y = x^2 }", "y", false,
                   "derivative(x[n]) = {\n  dx = 2*x\n}\n");
}

static void test_errors(void **state) {
    (void)state;
    static const struct {
        const char *formula, *of, *message;
        wg_status status;
    } wrong[] = {
        {"f(A[n,n], x[n]) = A @ x", NULL,
         "formula:1:21: symbolic: output \"y\" is not made of \"A\" element by element, so its "
         "derivative has an element for every pair of theirs\n  hint: sum it, weigh and sum it, as "
         "in sum(w*y), or have the numbers of the jacobian",
         WG_ESHAPE},
        {"f(x[n]) = x/sum(x)", NULL, "is not made of \"x\" element by element", WG_ESHAPE},
        {"f(x[3]) = x*x[::-1]", NULL, "is not made of \"x\" element by element", WG_ESHAPE},
        {"f(x[n], A[m,n]) = x + A", NULL, "is not made of \"x\" element by element", WG_ESHAPE},
        {"x", "z", "z", WG_ENAME},
        {"f(x[n]) = sum(cumprod(x))", NULL, "formulas have no word for recur, which is in the "
         "derivative\n  hint: gradient computes, show --after grad prints it as instructions",
         WG_ENORULE},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wg_error error = {0};
        wg_text text = {0};
        wg_program *p = parsed(wrong[i].formula, &error);
        assert_int_equal(wg_symbolic(p, wrong[i].of, NULL, false, &text, &error), wrong[i].status);
        if (!strstr(error.message, wrong[i].message)) fail_msg("%s", error.message);
        assert_int_equal(text.size, 0);
        wg_text_free(&text);
        wg_program_free(p);
    }
}

/* Case F: naive partials of a product of n cost n(n-2) multiplications, reverse mode O(n). */
static void test_costs(void **state) {
    (void)state;
    char formula[256] = "x1";
    for (int n = 2; n <= 10; n++) {
        wg_error error = {0};
        wg_cost written, reverse;
        size_t length = strlen(formula);
        snprintf(formula + length, sizeof formula - length, "*x%d", n);
        wg_program *p = parsed(formula, &error), *g = wg_grad(p, NULL, &error);
        wg_program *both = wg_value_and_grad(p, NULL, &error);
        wg_count_operations(g, NULL, true, &written, &error);
        wg_count_operations(both, NULL, false, &reverse, &error);
        assert_int_equal(error.status, WG_OK);
        assert_true(written.multiplications == n * (n - 2));
        assert_true(reverse.multiplications == (n > 2 ? 3 * n - 5 : 1));
        assert_true(reverse.additions == 0 && reverse.functions == 0);
        wg_program_free(p);
        wg_program_free(g);
        wg_program_free(both);
    }
    wg_error error = {0};
    wg_cost cost;
    wg_program *p = parsed("f(A[n,m], x[m]) = sum(exp(A @ x))", &error);
    wg_count_operations(p, (const int64_t[]){3, 5}, false, &cost, &error);
    assert_true(cost.multiplications == 15 && cost.additions == 12 + 2 && cost.functions == 3);
    assert_int_equal(wg_count_operations(p, NULL, false, &cost, &error), WG_EARGUMENT);
    wg_program_free(p);
}

static void test_plans(void **state) {
    (void)state;
    wg_error error = {0};
    wg_text named = {0}, known = {0};
    wg_program *p = parsed("f(x[n]) = sum(x*exp(x))", &error);
    wg_program *vjp = wg_value_and_grad(p, NULL, &error);
    wg_function *fn = wg_compile(vjp, NULL, &error);
    size_t bytes = 0;
    char line[64];
    wg_show_plan(vjp, NULL, WG_TEXT, &named, &error);
    wg_show_plan(vjp, (const int64_t[]){100}, WG_TEXT, &known, &error);
    wg_workspace_size(fn, (const int64_t[]){100}, &bytes, &error);
    if (error.status) fail_msg("%s", error.message);
    assert_non_null(strstr(named.data, "inputs      8*n bytes"));
    assert_non_null(strstr(named.data, "2 residuals, 16*n bytes"));
    assert_non_null(strstr(known.data, "inputs      800 bytes"));
    snprintf(line, sizeof line, "workspace   %zu bytes", bytes);
    assert_non_null(strstr(known.data, line));
    assert_int_equal(wg_show_plan(vjp, NULL, WG_LATEX, &named, &error), WG_EARGUMENT);
    wg_text_free(&named);
    wg_text_free(&known);
    wg_function_free(fn);
    wg_program_free(p);
    wg_program_free(vjp);
}

static wg_status without_memory(const wg_allocator *allocator, void *ctx) {
    static const char formula[] = "f(x[n], A[n,n]) = sum(A @ x*sin(x)) + sum(x[1:])*3";
    wg_error error = {0};
    (void)ctx;
    wg_text text = {.allocator = *allocator};
    wg_parse_options options = {.allocator = allocator};
    wg_program *p = wg_parse(formula, strlen(formula), &options, &error);
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
    if (!error.status) wg_symbolic(p, NULL, NULL, true, &text, &error);
    if (!error.status) wg_symbolic(p, NULL, NULL, false, &text, &error);
    if (!error.status) wg_show_plan(vjp, NULL, WG_TEXT, &text, &error);
    if (!error.status) wg_show_plan(vjp, NULL, WG_JSON, &text, &error);
    wg_text_free(&text);
    wg_program_free(p);
    wg_program_free(vjp);
    return error.status;
}

static void test_memory(void **state) {
    (void)state;
    assert_true(fail_every_request(without_memory, NULL) > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_long_formulas),
        cmocka_unit_test(test_texts),       cmocka_unit_test(test_errors),
        cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_costs),       cmocka_unit_test(test_plans),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
