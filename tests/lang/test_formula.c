/* What formulas mean: each is evaluated and compared with numbers, or with the program that it is
 * to become. What is refused, and with which words, is in test_formula_errors.c. */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const wg_binding bound[] = {
    {"v", {WG_F64, 1, {3}}},       {"M", {WG_F64, 2, {2, 3}}}, {"S", {WG_F64, 2, {2, 2}}},
    {"s", {WG_F32, 1, {3}}},       {"k", {WG_I32, 0, {0}}},    {"K", {WG_I64, 1, {2}}},
    {"T", {WG_F64, 3, {2, 1, 3}}},
};

/* By name, whatever the type: v = 1 2 3, M = 1 .. 6, S = 1 .. 4, k = 1, K = 1 0, else 1, 2, ... */
static void fill(const wg_program *p, wg_tensor *input, double *storage) {
    for (size_t i = 0; i < wg_input_count(p); i++) {
        wg_type type = wg_input_type(p, i);
        wg_tensor *x = &input[i];
        *x = (wg_tensor){
            .data = storage + 32 * i, .dtype = (wg_dtype)type.dtype, .rank = type.rank};
        for (int axis = 0; axis < x->rank; axis++)
            x->shape[axis] = type.extent[axis] < 0 ? 3 : type.extent[axis];
        bool is_index = strcmp(wg_input_name(p, i), "K") == 0;
        for (int n = 0; n < wg_tensor_count(x); n++) {
            int number = is_index ? 1 - n : n + 1;
            switch (x->dtype) {
            case WG_F64: ((double *)x->data)[n] = number; break;
            case WG_F32: ((float *)x->data)[n] = (float)number; break;
            case WG_I64: ((int64_t *)x->data)[n] = number; break;
            case WG_I32: ((int32_t *)x->data)[n] = number; break;
            case WG_BOOL: ((bool *)x->data)[n] = number & 1; break;
            }
        }
    }
}

static double element(const wg_tensor *x, int64_t n) {
    switch (x->dtype) {
    case WG_F64: return ((const double *)x->data)[n];
    case WG_F32: return (double)((const float *)x->data)[n];
    case WG_I64: return (double)((const int64_t *)x->data)[n];
    case WG_I32: return ((const int32_t *)x->data)[n];
    case WG_BOOL: return ((const bool *)x->data)[n];
    }
    return NAN;
}

static wg_program *parse(const char *text) {
    wg_error error = {0};
    wg_parse_options options = {.bound = bound, .bound_count = sizeof bound / sizeof *bound};
    wg_program *p = wg_parse(text, strlen(text), &options, &error);
    if (!p) fail_msg("%s: %s", text, error.message);
    assert_int_equal(wg_program_verify(p, &error), WG_OK);
    return p;
}

/* All elements of all outputs in a row, with the types in front: "f64[2]: 1 2; i64: 3". */
static void assert_value(const char *text, const char *expected) {
    wg_error error = {0};
    wg_program *p = parse(text);
    wg_function *fn = wg_compile(p, NULL, &error);
    double storage[8 * 32];
    wg_tensor input[8], output[8] = {{0}};
    char got[512];
    size_t n = 0, outputs = wg_output_count(p);
    assert_ok(error);
    fill(p, input, storage);
    wg_run(fn, NULL, input, output, &error);
    if (error.status) fail_msg("%s: %s", text, error.message);
    for (size_t i = 0; i < outputs; i++) {
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%s", i ? "; " : "",
                              wg_dtype_name(output[i].dtype));
        for (int axis = 0; axis < output[i].rank; axis++)
            n += (size_t)snprintf(got + n, sizeof got - n, "%c%d", axis ? ',' : '[',
                                  (int)output[i].shape[axis]);
        n += (size_t)snprintf(got + n, sizeof got - n, "%s:", output[i].rank ? "]" : "");
        for (int64_t k = 0; k < wg_tensor_count(&output[i]); k++)
            n += (size_t)snprintf(got + n, sizeof got - n, " %.10g", element(&output[i], k));
        wg_tensor_free(&output[i], NULL);
    }
    if (strcmp(got, expected)) fail_msg("%s\n  is       %s\n  expected %s", text, got, expected);
    wg_function_free(fn);
    wg_program_free(p);
}

#define CASES(...)                                                                                 \
    static const char *const cases[][2] = {__VA_ARGS__};                                           \
    (void)state;                                                                                   \
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_value(cases[i][0], cases[i][1])

static void numbers(void **state) {
    CASES({"12", "f64: 12"}, {".5 + 1.", "f64: 1.5"}, {"1e-3", "f64: 0.001"},
          {"2.5E+2", "f64: 250"}, {"0.1 + 0.2", "f64: 0.3"}, {"cos(pi)", "f64: -1"},
          {"-inf", "f64: -inf"}, {"nan", "f64: nan"}, {"true", "bool: 1"},
          {"123456789012345678901234567890", "f64: 1.23456789e+29"},
          {"0.000000000000000000000000000001", "f64: 1e-30"}, {"1e-999", "f64: 0"},
          /* numbers take the element type of their partner */
          {"0.5*s", "f32[3]: 0.5 1 1.5"}, {"2*k", "i32: 2"}, {"K + 1", "i64[2]: 2 1"},
          {"sqrt(4)*s", "f32[3]: 2 4 6"}, {"-2^2*k", "i32: -4"}, {"[1, 2]*K", "i64[2]: 1 0"},
          {"k == 1", "bool: 1"}, {"where(k > 0, 2, s)", "f32[3]: 2 2 2"},
          {"max(s, 2)", "f32[3]: 2 2 3"});
}

static void operators(void **state) {
    CASES({"1 + 2*3", "f64: 7"}, {"(1 + 2)*3", "f64: 9"}, {"7 - 2 - 1", "f64: 4"},
          {"8/4/2", "f64: 1"}, {"2^3^2", "f64: 512"}, {"-2^2", "f64: -4"}, {"2^-1", "f64: 0.5"},
          {"2^-1*4", "f64: 2"}, {"-3*-2", "f64: 6"}, {"--3", "f64: 3"}, {"+3 - +2", "f64: 1"},
          {"2*-3^2", "f64: -18"}, {"1 < 2", "bool: 1"}, {"1 + 1 == 2", "bool: 1"},
          {"1 != 1", "bool: 0"}, {"2 <= 1", "bool: 0"}, {"2 >= 2", "bool: 1"}, {"1 > 2", "bool: 0"},
          {"not 1 < 2", "bool: 0"}, {"true or false and false", "bool: 1"},
          {"not true or true", "bool: 1"}, {"not not true", "bool: 1"},
          {"x == 1 and not x == 2", "bool: 1"}, {"v @ v", "f64: 14"}, {"M @ v", "f64[2]: 14 32"},
          {"S @ M", "f64[2,3]: 9 12 15 19 26 33"}, {"v' @ v", "f64: 14"},
          {"M'", "f64[3,2]: 1 4 2 5 3 6"}, {"M''", "f64[2,3]: 1 2 3 4 5 6"}, {"x'", "f64: 1"},
          {"T'", "f64[2,3,1]: 1 2 3 4 5 6"}, {"M + v", "f64[2,3]: 2 4 6 5 7 9"},
          {"v*2 - v", "f64[3]: 1 2 3"}, {"-M @ v", "f64[2]: -14 -32"});
}

static void subscripts(void **state) {
    CASES({"v[0]", "f64: 1"}, {"v[-1]", "f64: 3"}, {"v[1:]", "f64[2]: 2 3"},
          {"v[:2]", "f64[2]: 1 2"}, {"v[:]", "f64[3]: 1 2 3"}, {"v[::2]", "f64[2]: 1 3"},
          {"v[-2:-1]", "f64[1]: 2"}, {"v[1:1]", "f64[0]:"}, {"v[0:3:3]", "f64[1]: 1"},
          {"M[1]", "f64[3]: 4 5 6"}, {"M[:, 1]", "f64[2]: 2 5"}, {"M[1, 2]", "f64: 6"},
          {"M[0:1, ::2]", "f64[1,2]: 1 3"}, {"M[0][1:][0]", "f64: 2"}, {"v[k]", "f64: 2"},
          {"M[k]", "f64[3]: 4 5 6"}, {"M[:, k]", "f64[2]: 2 5"}, {"M[K]", "f64[2,3]: 4 5 6 1 2 3"},
          {"M[K, 0]", "f64[2]: 4 1"}, {"M[k, 1:]", "f64[2]: 5 6"},
          {"v[[2, 0, 0]]", "f64[3]: 3 1 1"}, {"T[:, 0, K]", "f64[2,2]: 2 1 5 4"},
          {"T[k, 0]", "f64[3]: 4 5 6"}, {"[1, 2, 3][1]", "f64: 2"},
          {"f(x[n]) = x[1:] - x[:n-1]", "f64[2]: 1 1"}, {"f(x[n]) = x[n-1]", "f64: 3"},
          {"f(x[n]) = concat(x, x)[::2]", "f64[3]: 1 3 2"});
}

static void arrays(void **state) {
    CASES({"[1, 2, 3]", "f64[3]: 1 2 3"}, {"[]", "f64[0]:"},
          {"[[1, 2], [3, 4]]", "f64[2,2]: 1 2 3 4"}, {"[[[1], [2]]]", "f64[1,2,1]: 1 2"},
          {"[-1, 2*3,]", "f64[2]: -1 6"}, {"[x, 2, x + 2]", "f64[3]: 1 2 3"},
          {"[v, v]", "f64[2,3]: 1 2 3 1 2 3"}, {"[[x, 0], [0, x]]", "f64[2,2]: 1 0 0 1"},
          {"[v, [4, 5, 6]]", "f64[2,3]: 1 2 3 4 5 6"},
          {"let a = [1, 2]; [a, a]", "f64[2,2]: 1 2 1 2"}, {"-[1, 2]", "f64[2]: -1 -2"},
          {"[[1, 2], [3, 4]]'", "f64[2,2]: 1 3 2 4"}, {"i32([3, 4])", "i32[2]: 3 4"},
          {"[true, false]", "bool[2]: 1 0"});
}

static void functions_of_the_language(void **state) {
    CASES({"ln(exp(2))", "f64: 2"}, {"atan2(0, 1)", "f64: 0"}, {"sum(M)", "f64: 21"},
          {"sum(M, axis=0)", "f64[3]: 5 7 9"}, {"sum(M, axis=-1)", "f64[2]: 6 15"},
          {"sum(M, axis=(0, 1))", "f64: 21"}, {"sum(M, axis=1, keep=true)", "f64[2,1]: 6 15"},
          {"sum(M, keep=true)", "f64[1,1]: 21"}, {"sum(M, keep=false)", "f64: 21"},
          {"mean(v)", "f64: 2"}, {"max(M, axis=0)", "f64[3]: 4 5 6"}, {"max(v)", "f64: 3"},
          {"max(v, 2)", "f64[3]: 2 2 3"}, {"min(v, 2)", "f64[3]: 1 2 2"},
          {"norm([3, 4])", "f64: 5"}, {"logsumexp([0, 0])", "f64: 0.6931471806"},
          {"peak([-3, -2])", "f64: -2"}, {"peak([1/0, 2])", "f64: 0"},
          {"argmax(M)", "i64[2]: 2 2"}, {"argmax(M, axis=0)", "i64[3]: 1 1 1"},
          {"softmax([0, 0])", "f64[2]: 0.5 0.5"},
          {"softmax([[0], [0]], axis=0)", "f64[2,1]: 0.5 0.5"},
          {"exp(log_softmax([1000, 1000]))", "f64[2]: 0.5 0.5"},
          {"cross_entropy([[0, 0], [0, 0]], [0, 1])", "f64[2]: 0.6931471806 0.6931471806"},
          {"mse(v, 2)", "f64: 0.6666666667"}, {"dot(M, M)", "f64: 91"}, {"dot(2, 3)", "f64: 6"},
          {"matmul(M, v)", "f64[2]: 14 32"}, {"where(v > 1, v, 0)", "f64[3]: 0 2 3"},
          {"f32(0.5)", "f32: 0.5"}, {"i32(2.9)", "i32: 2"}, {"i64(-2.9)", "i64: -2"},
          {"bool(2)", "bool: 1"}, {"f64(k)/2", "f64: 0.5"}, {"i32(v)", "i32[3]: 1 2 3"},
          {"zeros(2)", "f64[2]: 0 0"}, {"ones(1, 2)", "f64[1,2]: 1 1"}, {"ones()", "f64: 1"},
          {"eye(2)", "f64[2,2]: 1 0 0 1"}, {"iota(3)", "i64[3]: 0 1 2"},
          {"transpose(M)", "f64[3,2]: 1 4 2 5 3 6"},
          {"transpose(T, 1, 2, 0)", "f64[1,3,2]: 1 4 2 5 3 6"},
          {"transpose(M, 0, -1)", "f64[2,3]: 1 2 3 4 5 6"}, {"reshape(v, 3, 1)", "f64[3,1]: 1 2 3"},
          {"reshape(M, 3, -1)", "f64[3,2]: 1 2 3 4 5 6"}, {"reshape([1])", "f64: 1"},
          {"concat(v, [4], v[:1])", "f64[5]: 1 2 3 4 1"},
          {"concat(S, S, axis=1)", "f64[2,4]: 1 2 1 2 3 4 3 4"},
          {"take(M, K)", "f64[2,3]: 4 5 6 1 2 3"}, {"take(M, [2, 0], axis=1)", "f64[2,2]: 3 1 6 4"},
          {"pick(M, K)", "f64[2]: 2 4"}, {"xor(true, false)", "bool: 1"},
          {"isfinite(v/0)", "bool[3]: 0 0 0"});
}

static void sizes(void **state) {
    CASES({"f(x[n]) = sum(x)/n", "f64: 2"}, {"f(x[n]) = n", "i64: 3"},
          {"f(x[n]) = n*0.5", "f64: 1.5"}, {"f(x[n]) = zeros(n - 1, 2)", "f64[2,2]: 0 0 0 0"},
          {"f(x[n]) = n > 2", "bool: 1"}, {"f(x[n]) = iota(2*n) + n", "i64[6]: 3 4 5 6 7 8"},
          {"f(x[n]) = -n", "i64: -3"}, {"f(x[n]) = n^2", "f64: 9"},
          {"f(x[n]) = sqrt(n + 1)", "f64: 2"}, {"f(x[n]) = x*n", "f64[3]: 3 6 9"},
          {"f(x[n], y[n]: f32) = y/n", "f32[3]: 0.3333333433 0.6666666865 1"},
          {"f(x[3]) = sum(x)", "f64: 6"}, {"f(x[n], A[n,n]) = x' @ A @ x", "f64: 228"},
          {"f(x[n]) = reshape(x, n, 1) @ reshape(x, 1, -1)", "f64[3,3]: 1 2 3 2 4 6 3 6 9"});
}

static void statements(void **state) {
    CASES({"a = x + 1; b = a*2", "f64: 2; f64: 4"}, {"let t = x + 1\nt*t", "f64: 4"},
          {"let t = x + 1; y = t", "f64: 2"}, {"\n\n x # comment\n\n", "f64: 1"},
          {"x +\n 1", "f64: 2"}, {"sum(\n  v\n)", "f64: 6"}, {"[1,\n2]", "f64[2]: 1 2"},
          {"y =\n  x", "f64: 1"},
          {"f(a) = {\n  # nothing\n  y = a\n\n  let t = y;;\n z = t\n}", "f64: 1; f64: 1"},
          {"f(a) = { a }", "f64: 1"}, {"x\r\n", "f64: 1"}, {"\xEF\xBB\xBFx", "f64: 1"},
          {"\xCF\x83 = \xCE\xBB\xE2\x82\x81 + 1", "f64: 2"});
}

static void calls(void **state) {
    CASES({"sq(x) = x*x\nsq(3)", "f64: 9"}, {"sq(x) = x*x\nsq(v)", "f64[3]: 1 4 9"},
          {"sq(x) = x*x\nsq(2)*s", "f32[3]: 4 8 12"},
          {"f(x) = { s = x + 1; d = x - 1 }\n(a, b) = f(x)", "f64: 2; f64: 0"},
          {"f(x) = { s = x + 1; d = x - 1 }\nlet (a, b) = f(x)\na*b", "f64: 0"},
          {"(a) = sin(0*x)", "f64: 0"},
          {"mean2(x[n]) = sum(x)/n\nmean2(v) + mean2(M[0])", "f64: 4"},
          {"half(x[n]) = x[:n]*0.5\nf(y[m]) = half(y[1:])", "f64[2]: 1 1.5"},
          {"f(x) = x + 1\ng(x) = f(f(x))\ng(g(1))", "f64: 5"}, {"f(x: f32) = x\nf(2)", "f32: 2"},
          {"f(x[n]: i32) = x\nf([1, 2])", "i32[2]: 1 2"}, {"two() = 2\ntwo()*k", "i32: 2"},
          {"z(k) = zeros(k)\nz(2)", "f64[2]: 0 0"}, {"f(x[n]) = n\nf(v)*s", "f32[3]: 3 6 9"},
          {"pair() = [1, 2]\npair()*v[:2]", "f64[2]: 1 4"},
          {"sigmoid(x) = sigmoid(x) + 1\nsigmoid(0)", "f64: 1.5"}, {"f(x) = x\nf(\n1,)", "f64: 1"});
}

static void assert_ports(const char *text, const char *expected) {
    wg_program *p = parse(text);
    char got[256];
    size_t n = 0;
    got[0] = 0;
    for (size_t i = 0; i < wg_input_count(p); i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s ", wg_input_name(p, i));
    n += (size_t)snprintf(got + n, sizeof got - n, "->");
    for (size_t i = 0; i < wg_output_count(p); i++)
        n += (size_t)snprintf(got + n, sizeof got - n, " %s", wg_output_name(p, i));
    assert_string_equal(got, expected);
    wg_program_free(p);
}

static void names(void **state) {
    (void)state;
    assert_ports("b*a + b", "b a -> y");
    assert_ports("x*y", "x y -> f");
    assert_ports("p = a; q = p", "a -> p q");
    assert_ports("f(x, unused) = x", "x unused -> y");
    assert_ports("g(y) = y", "y -> g");
    assert_ports("y(y) = y", "y -> result");
    assert_ports("f(x) = x\ng(x) = f(x)", "x -> y");
    assert_ports("f(x) = x\nf(t)", "t -> y");
    assert_ports("f() = 1", "-> y");
}

/* The instructions in the order of the text, at their operators: the first worked case. */
static void instructions_follow_the_text(void **state) {
    (void)state;
    wg_error error = {0};
    wg_text text = {0};
    wg_program *p = parse("f(x1, x2, x3) = x1*x3 + log(x2 + x1)*exp(-x3)");
    wg_program_print(p, &text, &error);
    assert_ok(error);
    assert_string_equal(text.data, "wengert 1\n"
                                   "%1 = input \"x1\" : f64 at \"formula\":1:3\n"
                                   "%2 = input \"x2\" : f64 at \"formula\":1:7\n"
                                   "%3 = input \"x3\" : f64 at \"formula\":1:11\n"
                                   "%4 = mul %1 %3 : f64 at \"formula\":1:19\n"
                                   "%5 = add %1 %2 : f64 at \"formula\":1:32\n"
                                   "%6 = log %5 : f64 at \"formula\":1:25\n"
                                   "%7 = neg %3 : f64 at \"formula\":1:42\n"
                                   "%8 = exp %7 : f64 at \"formula\":1:38\n"
                                   "%9 = mul %6 %8 : f64 at \"formula\":1:37\n"
                                   "%10 = add %4 %9 : f64 at \"formula\":1:23\n"
                                   "output \"y\" %10\n");
    wg_text_free(&text);
    wg_program_free(p);
}

static void a_function_may_be_chosen(void **state) {
    (void)state;
    static const char text[] = "f(x) = x + 1\ng(x) = f(x)*2\nh(x) = zeros(2)[x]\n";
    wg_error error = {0};
    wg_program *p = wg_parse(text, strlen(text), &(wg_parse_options){.function = "g"}, &error);
    assert_ok(error); /* what is wrong in h, which nothing calls, does not matter */
    assert_int_equal(wg_program_length(p), 4 + 1);
    wg_program_free(p);
    p = wg_parse("f(x) = x # and more", 8, NULL, &error); /* size counts, not a NUL */
    assert_ok(error);
    wg_program_free(p);
}

static void formulas_stand_within_graphs(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var w = wg_input(g, "w", wg_f64(n)), x = wg_input(g, "x", wg_f64(n));
    wg_var z = wg_formula(g, "let s = sigmoid(w' @ x + b); 0.5*(s - 1)^2", "w", w, "x", x, "b",
                          wg_number(g, WG_F64, -0.3), NULL);
    wg_var same = wg_mul(0.5, wg_square(wg_sub(wg_sigmoid(wg_add(wg_matmul(w, x), -0.3)), 1)));
    assert_int_equal(z.id, same.id);
    assert_int_equal(wg_formula(g, "3", NULL).id, wg_number(g, WG_F64, 3).id);
    assert_int_equal(wg_formula(g, "f(t) = t*t\nf(w)", "w", w, NULL).id, wg_mul(w, w).id);
    wg_output(g, "z", z);
    wg_program_free(wg_build(g, &error));
    assert_ok(error);
}

/* examples/NAME, to the printed digits of the worked cases. */
static void assert_example(const char *name, const double *const *x, size_t outputs,
                           const double *expected) {
    char path[512], text[2048];
    snprintf(path, sizeof path, WG_SOURCE_DIR "/examples/%s", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    wg_error error = {0};
    wg_program *p = wg_parse(text, size, &(wg_parse_options){.origin = name}, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    double y[2];
    wg_call_with(fn, (const int64_t[]){2}, (const void *const *)x, (void *[]){&y[0], &y[1]}, NULL,
                 &error);
    assert_ok(error);
    for (size_t i = 0; i < outputs; i++) assert_true(fabs(y[i] - expected[i]) < 1e-15 * 16);
    wg_function_free(fn);
    wg_program_free(p);
}

static void examples_give_their_numbers(void **state) {
    (void)state;
    const double A[] = {3, 1, 0, 2}, ab[] = {1, 2, 1, 1};
    assert_example("case_a.wg", (const double *[]){&(double){3}, &(double){5}, &(double){1}}, 2,
                   (double[]){3.7649837923018605, -0.9832545496013599});
    assert_example("case_b.wg", (const double *[]){&(double){2}, &(double){5}}, 1,
                   (double[]){11.652071455223084});
    assert_example("case_c.wg",
                   (const double *[]){&(double){0.5}, &(double){2}, &(double){-0.3}, &(double){1},
                                      &(double){0.1}},
                   1, (double[]){0.06754967726936241});
    assert_example("quad.wg", (const double *[]){ab, A, ab + 2, &(double){4}}, 1, (double[]){7.5});
    const double X[8] = {1, -1, 2, 0.5}, W1[32] = {0}, W2[24] = {0};
    const int32_t label[2] = {0, 2};
    assert_example("mlp.wg", (const double *[]){X, (const double *)(const void *)label, W1, W2}, 1,
                   (double[]){1.0986122886681098});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(operators),
        cmocka_unit_test(subscripts),
        cmocka_unit_test(arrays),
        cmocka_unit_test(functions_of_the_language),
        cmocka_unit_test(sizes),
        cmocka_unit_test(statements),
        cmocka_unit_test(calls),
        cmocka_unit_test(names),
        cmocka_unit_test(instructions_follow_the_text),
        cmocka_unit_test(a_function_may_be_chosen),
        cmocka_unit_test(formulas_stand_within_graphs),
        cmocka_unit_test(examples_give_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
