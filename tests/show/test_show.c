/* Printed traces and graphs: golden files for every format, the order and numbering of the trace,
 * and what happens to bad options, long formulas, and failing memory. With WG_WRITE_GOLDEN set in
 * the environment the golden files are written instead of compared. */
#include "support/test.h"

#include "ir/ir.h"
#include "show/show.h"
#include "support/failing_allocator.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- programs and points --------------------------------------------------------------------- */

static const char case_a[] = "f(x1, x2, x3) = {\n"
                             "  y1 = x1*x3 + log(x2 + x1)*exp(-x3)\n"
                             "  y2 = exp(-x2) + cos(x1*x3)\n"
                             "}\n";
static const char case_b[] = "f(x1, x2) = log(x1) + x1*x2 - sin(x2)";
static const char case_c[] = "f(w, x, b, t, λ) = {\n"
                             "  let L = 0.5*(sigmoid(w*x + b) - t)^2\n"
                             "  let R = 0.5*w^2\n"
                             "  loss = L + λ*R\n"
                             "}\n";
static const char tensors[] = "f(X[m,2], W[2,3], b[3], s, i[m]: i32) = {\n"
                              "  let Z = X @ W + b\n"
                              "  loss = sum(cross_entropy(Z, i))/s\n"
                              "  H = tanh(Z)[:, 0:2]\n"
                              "  top = argmax(Z, axis=1)\n"
                              "}\n";
static const char exact[] = "f(x1, x_2) = { y = 3*x1*x_2 + x1^2\n z = x_2 > 1\n w = 0*x1 + 2 }";

static double at_a[] = {3, 5, 1}, at_b[] = {2, 5}, at_c[] = {0.5, 2, -0.3, 1, 0.1};
static double at_exact[] = {2, 3};
static double at_X[] = {1, -1, 0.5, 2}, at_W[] = {1, 0, -1, 0.25, 2, 1}, at_bias[] = {0, 1, -1};
static double at_s = 2;
static int32_t at_i[] = {2, 0};

static void scalars(double *x, size_t count, wg_tensor *tensor) {
    for (size_t i = 0; i < count; i++) tensor[i] = (wg_tensor){.data = &x[i], .dtype = WG_F64};
}

static void point_of(const char *formula, wg_tensor *tensor) {
    if (formula == case_a) scalars(at_a, 3, tensor);
    if (formula == case_b) scalars(at_b, 2, tensor);
    if (formula == case_c) scalars(at_c, 5, tensor);
    if (formula == exact) scalars(at_exact, 2, tensor);
    if (formula != tensors) return;
    tensor[0] = (wg_tensor){.data = at_X, .dtype = WG_F64, .rank = 2, .shape = {2, 2}};
    tensor[1] = (wg_tensor){.data = at_W, .dtype = WG_F64, .rank = 2, .shape = {2, 3}};
    tensor[2] = (wg_tensor){.data = at_bias, .dtype = WG_F64, .rank = 1, .shape = {3}};
    tensor[3] = (wg_tensor){.data = &at_s, .dtype = WG_F64};
    tensor[4] = (wg_tensor){.data = at_i, .dtype = WG_I32, .rank = 1, .shape = {2}};
}

static wg_program *parsed(const char *formula, wg_error *error) {
    return wg_parse(formula, strlen(formula), NULL, error);
}

/* ---- golden files ---------------------------------------------------------------------------- */

static char *file_text(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char *text = calloc(1 << 16, 1);
    assert_non_null(text);
    size_t size = fread(text, 1, (1 << 16) - 1, file);
    assert_true(size < (1 << 16) - 1);
    fclose(file);
    return text;
}

static void compare(const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/show/%s", WG_SOURCE_DIR, name);
    if (getenv("WG_WRITE_GOLDEN")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fputs(text, file);
        assert_int_equal(fclose(file), 0);
        return;
    }
    char *golden = file_text(path);
    if (!golden) fail_msg("there is no %s", path);
    if (strcmp(golden, text) != 0) fail_msg("%s differs; it is now:\n%s", name, text);
    free(golden);
}

static void test_golden(void **state) {
    enum { FORMULAS = 1, PRIMAL = 2, UNFOLDED = 4, ASCII = 8, GRAPH = 16 };
    static const struct {
        const char *name, *formula;
        wg_format format;
        unsigned flags;
    } golden[] = {
        {"case_a.txt", case_a, WG_TEXT, 0},
        {"case_a_primal.txt", case_a, WG_TEXT, PRIMAL},
        {"case_a_unfolded.txt", case_a, WG_TEXT, UNFOLDED | FORMULAS},
        {"case_a_ascii.txt", case_a, WG_TEXT, ASCII},
        {"case_a.md", case_a, WG_MARKDOWN, 0},
        {"case_a.tex", case_a, WG_LATEX, 0},
        {"case_a.dot", case_a, WG_TEXT, GRAPH},
        {"case_a_formulas.dot", case_a, WG_TEXT, GRAPH | FORMULAS},
        {"case_b.txt", case_b, WG_TEXT, 0},
        {"case_c.txt", case_c, WG_TEXT, 0},
        {"case_c.tex", case_c, WG_LATEX, 0},
        {"tensors.txt", tensors, WG_TEXT, 0},
        {"tensors.md", tensors, WG_MARKDOWN, FORMULAS},
        {"tensors.tex", tensors, WG_LATEX, FORMULAS},
        {"tensors.json", tensors, WG_JSON, FORMULAS},
        {"tensors.dot", tensors, WG_TEXT, GRAPH | ASCII | FORMULAS},
        {"exact.json", exact, WG_JSON, 0},
        {"exact_primal.json", exact, WG_JSON, PRIMAL | FORMULAS},
        {"exact.txt", exact, WG_TEXT, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        wg_error error = {0};
        wg_text text = {0};
        wg_tensor at[8];
        wg_program *p = parsed(golden[i].formula, &error);
        unsigned flags = golden[i].flags;
        point_of(golden[i].formula, at);
        wg_show_options options = {.format = golden[i].format,
                                   .fold = !(flags & UNFOLDED),
                                   .ascii = flags & ASCII,
                                   .tangent = !(flags & PRIMAL),
                                   .adjoint = !(flags & PRIMAL),
                                   .at = flags & FORMULAS ? NULL : at};
        if (flags & GRAPH) wg_show_graph(p, &options, &text, &error);
        else wg_show_trace(p, &options, &text, &error);
        assert_ok(error);
        compare(golden[i].name, text.data);
        wg_text_free(&text);
        wg_program_free(p);
    }
}

/* ---- details --------------------------------------------------------------------------------- */

static wg_status show(const char *formula, wg_show_options options, wg_text *text,
                      wg_error *error) {
    wg_program *p = parsed(formula, error);
    wg_status status = wg_show_trace(p, &options, text, error);
    wg_program_free(p);
    return status;
}

/* Runs of blanks become one, and those at the ends of lines none. */
static void squeeze(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++)
        if (*from != ' ' || !strchr(" \n", from[1])) *to++ = *from;
    *to = 0;
}

/* Among the lines of the trace, in ASCII, are these. */
static void assert_trace(const char *formula, const char *lines) {
    wg_error error = {0};
    wg_text text = {0};
    wg_program *p = parsed(formula, &error);
    wg_show_trace(p, &(wg_show_options){.ascii = true, .fold = true}, &text, &error);
    assert_ok(error);
    squeeze(text.data);
    for (const char *line = lines; *line; line += *line == '\n') {
        char wanted[256];
        int length = (int)strcspn(line, "\n");
        snprintf(wanted, sizeof wanted, "\n%.*s", length, line);
        line += length;
        const char *found = strstr(text.data, wanted);
        if (!found || !strchr(" \n", found[length + 1]))
            fail_msg("no line %s in\n%s", wanted, text.data);
    }
    wg_text_free(&text);
    wg_program_free(p);
}

static void test_formulas(void **state) {
    (void)state;
    assert_trace("f(a, b) = (a - b)*(a + b)", "v1 = v-1 - v0\nv2 = v-1 + v0\nv3 = v1*v2");
    assert_trace("f(a) = -2*a - -3", "v1 = -2*v0\nv2 = 3 + v1");
    assert_trace("f(a) = 1/a^2 + a^-0.5 + 2^a", "v1 = v0^2\nv2 = v0^(-0.5)\nv3 = 2^v0\nv4 = 1/v1");
    assert_trace("f(a, b) = -a/b", "v1 = -v-1/v0");
    assert_trace("f(a, b) = where(not (a > b) and a != 0, max(a, b), 0)",
                 "v1 = v-1 > v0\nv2 = v-1 != 0\nv3 = max(v-1, v0)\nv4 = not v1\nv5 = v4 and v2\n"
                 "v6 = where(v5, v3, 0)");
    assert_trace("f(A[n,n], x[n]) = A' @ x + x[1:n] @ x[0:n-1]",
                 "v1 = v-1' @ v0\nv2 = v0[1:] f64[n-1]\nv3 = v0[:n-1]\nv4 = v2 @ v3");
    assert_trace("f(A[3,4], x[4]) = sum(A*x, axis=1)[0:3:2]",
                 "v1 = v-1*v0 f64[3,4]\nv2 = sum(v1, axis=1)\nv3 = v2[:3:2]");
    assert_trace("f(x) = sum([1, 2, 3]*x) + 2", "v1 = [1, 2, 3]*v0\nv2 = sum(v1)");
}

/* Outputs that are used, that are two names of one value, inputs or constants; unused inputs. */
static void test_outputs(void **state) {
    (void)state;
    assert_trace("f(a, b, c) = { p = a*b\n q = p + a\n r = p\n s = c\n t = 2 }",
                 "v1 = v-2*v-1\nv2 = v-2 + v1\np = v1\nq = v2\nr = v1\ns = v0\nt = 2");
    assert_trace("f(a, b) = { last = exp(a)\n first = sin(b)*exp(a) }",
                 "v1 = exp(v-1)\nv2 = sin(v0)\nv3 = v1*v2\nlast = v1\nfirst = v3");
    assert_trace("f(a) = { u = -a\n v = exp(-a) }", "v1 = -v0\nv2 = exp(v1)\nu = v1\nv = v2");
}

static void test_seeds(void **state) {
    wg_error error = {0};
    wg_text text = {0};
    wg_tensor at[3], seed[3], adjoint[2];
    double one = 1, two = 2;
    (void)state;
    scalars(at_a, 3, at);
    memset(seed, 0, sizeof seed);
    memset(adjoint, 0, sizeof adjoint);
    seed[1] = (wg_tensor){.data = &one, .dtype = WG_F64};
    adjoint[1] = (wg_tensor){.data = &two, .dtype = WG_F64};
    show(case_a, (wg_show_options){.ascii = true, .fold = true, .tangent = true, .adjoint = true,
                                   .digits = 8, .at = at, .input_tangent = seed,
                                   .output_adjoint = adjoint}, &text, &error);
    assert_ok(error);
    squeeze(text.data);
    assert_non_null(strstr(text.data, " y1_dot = v8_dot 0.04598493\n"));
    assert_non_null(strstr(text.data, "\nx3_bar = v0_bar -0.84672005\n"));
    wg_text_free(&text);
}

static void assert_failure(wg_show_options options, const char *formula, wg_status status,
                           const char *message) {
    wg_error error = {0};
    wg_text text = {0};
    assert_int_equal(show(formula, options, &text, &error), status);
    if (!strstr(error.message, message)) fail_msg("%s", error.message);
    assert_int_equal(text.size, 0);
    wg_text_free(&text);
}

static void test_errors(void **state) {
    wg_tensor at[3], none = {.data = NULL};
    double pair[2] = {1, 2};
    (void)state;
    scalars(at_a, 3, at);
    assert_failure((wg_show_options){.format = (wg_format)9}, case_a, WG_EARGUMENT,
                   "show: there is no format 9");
    assert_failure((wg_show_options){.digits = -1}, case_a, WG_EARGUMENT, "show: -1 digits");
    assert_int_equal(wg_show_trace(NULL, NULL, NULL, NULL), WG_EARGUMENT);
    at[1] = none;
    assert_failure((wg_show_options){.at = at, .tangent = true}, case_a, WG_EARGUMENT, "\"x2\"");
    at[1] = (wg_tensor){.data = pair, .dtype = WG_F64, .rank = 1, .shape = {2}};
    assert_failure((wg_show_options){.at = at}, case_a, WG_ESHAPE, "\"x2\"");
    scalars(at_a, 3, at);
    wg_tensor seed[3] = {[2] = {.data = pair, .dtype = WG_F64, .rank = 1, .shape = {2}}};
    assert_failure((wg_show_options){.at = at, .tangent = true, .input_tangent = seed}, case_a,
                   WG_ESHAPE, "\"x3_dot\"");
    assert_failure((wg_show_options){.at = at, .adjoint = true, .output_adjoint = seed + 1}, case_a,
                   WG_ESHAPE, "\"y2_bar\"");
}

/* ---- long and deep --------------------------------------------------------------------------- */

/* A value with many uses: its adjoint is a sum of as many terms, of which an ellipsis stands for
 * most. */
static void test_long_sums(void **state) {
    enum { USES = 2000 };
    wg_error error = {0};
    wg_text text = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), sum = wg_number(g, WG_F64, 0);
    (void)state;
    for (int i = 0; i < USES; i++) sum = wg_add(sum, wg_sin(wg_mul(x, i + 2)));
    wg_output(g, "y", sum);
    wg_program *p = wg_build(g, &error);
    wg_show_trace(p, &(wg_show_options){.adjoint = true}, &text, &error);
    assert_ok(error);
    size_t longest = 0;
    for (const char *line = text.data; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > longest) longest = strcspn(line, "\n");
    assert_true(longest < 1200); /* bytes, of characters of up to three */
    if (!strstr(text.data, " + \u2026")) fail_msg("%s", strstr(text.data, "Reverse"));
    wg_text_free(&text);
    wg_program_free(p);
}

static void *deep(void *ctx) {
    enum { DEPTH = 3000 };
    wg_error *error = ctx;
    wg_text text = {0};
    double point = 0.5;
    wg_tensor at = {.data = &point, .dtype = WG_F64};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64());
    for (int i = 0; i < DEPTH; i++) x = wg_sin(wg_neg(wg_add(x, 1)));
    wg_output(g, "y", x);
    wg_program *p = wg_build(g, error);
    wg_show_options options = {.tangent = true, .adjoint = true, .fold = true, .at = &at};
    wg_show_trace(p, &options, &text, error);
    wg_show_graph(p, &options, &text, error);
    wg_text_free(&text);
    wg_program_free(p);
    return NULL;
}

static void test_small_stack(void **state) {
    wg_error error = {0};
    pthread_t thread;
    pthread_attr_t attributes;
    (void)state;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attributes, deep, &error), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    assert_ok(error);
}

/* Derivatives of derivatives are programs like others, whatever their inputs are called. */
static void test_nested(void **state) {
    wg_error error = {0};
    wg_text text = {0};
    wg_program *p = parsed(case_b, &error), *jvp = wg_jvp(p, NULL, NULL, &error);
    wg_program *vjp = wg_vjp(jvp, NULL, NULL, &error);
    (void)state;
    for (wg_format format = WG_TEXT; format <= WG_JSON; format++)
        wg_show_trace(vjp, &(wg_show_options){.format = format, .tangent = true, .adjoint = true},
                      &text, &error);
    assert_ok(error);
    wg_text_free(&text);
    wg_program_free(p);
    wg_program_free(jvp);
    wg_program_free(vjp);
}

/* ---- LaTeX, memory --------------------------------------------------------------------------- */

static void test_latex_is_balanced(void **state) {
    static const char *const formulas[] = {
        case_a, case_b, case_c, tensors, exact,
        "f(x_1, ä, theta, β2[2]) = sqrt(abs(x_1)/ä) + norm(β2)^(theta/2) + reciprocal(theta)"};
    (void)state;
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        wg_error error = {0};
        wg_text text = {0};
        show(formulas[i], (wg_show_options){.format = WG_LATEX, .tangent = true, .adjoint = true},
             &text, &error);
        assert_ok(error);
        int depth = 0, brackets = 0;
        for (const char *c = text.data; *c; c++) {
            if (*c == '\\' && strchr("{}_", c[1])) c++;
            else depth += (*c == '{') - (*c == '}');
            brackets += (strncmp(c, "\\left", 5) == 0) - (strncmp(c, "\\right", 6) == 0);
            assert_true(depth >= 0 && brackets >= 0);
        }
        assert_int_equal(depth, 0);
        assert_int_equal(brackets, 0);
        wg_text_free(&text);
    }
}

/* The program comes from elsewhere: reading formulas has its own test of this kind. */
static wg_status show_everything(const wg_allocator *allocator, void *ctx) {
    wg_error error = {0};
    wg_text text = {.allocator = *allocator};
    wg_tensor at[8];
    const wg_program *original = *(wg_program **)ctx;
    wg_program *p = program_copy(original, allocator, &error);
    wg_show_options options = {.tangent = true, .adjoint = true, .at = at};
    point_of(wg_input_index(original, "W") >= 0 ? tensors : exact, at);
    for (; options.format <= WG_JSON; options.format++) wg_show_trace(p, &options, &text, &error);
    options.format = WG_TEXT;
    wg_show_graph(p, &options, &text, &error);
    wg_text_free(&text);
    wg_program_free(p);
    return error.status;
}

static void test_memory(void **state) {
    wg_error error = {0};
    wg_program *p[] = {parsed(exact, &error), parsed(tensors, &error)};
    (void)state;
    assert_ok(error);
    for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
        fail_every_request(show_everything, &p[i]);
        wg_program_free(p[i]);
    }
}

/* Axes in front of one of extent 0 keep their brackets, but not millions of them. */
static void test_empty_tensors(void **state) {
    static const struct {
        int rank;
        int64_t shape[3];
        const char *text;
    } empty[] = {{1, {0}, "[]"},
                 {2, {0, 3}, "[]"},
                 {2, {2, 0}, "[[], []]"},
                 {3, {2, 1, 0}, "[[[]], [[]]]"},
                 {3, {2, 0, 4}, "[[], []]"},
                 {2, {INT64_MAX, 0}, "[]"},
                 {3, {INT64_MAX, INT64_MAX, 0}, "[]"}};
    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        wg_tensor tensor = {NULL, WG_F64, empty[i].rank, {0}};
        memcpy(tensor.shape, empty[i].shape, sizeof empty[i].shape);
        wg_text text = {0};
        assert_true(tensor_write(&text, &tensor, NUMBER_PLAIN, 0, 0));
        assert_string_equal(text.data, empty[i].text);
        wg_text_free(&text);
    }
}

/* An output that is a number is drawn as that number, once. */
static void test_constant_in_graph(void **state) {
    wg_error error = {0};
    wg_text text = {0};
    double x = 2;
    wg_tensor at = {.data = &x, .dtype = WG_F64};
    wg_program *p = parsed("f(x) = { y = x + 1\n z = 3 }", &error);
    (void)state;
    wg_show_graph(p, &(wg_show_options){.at = &at, .ascii = true}, &text, &error);
    assert_ok(error);
    assert_non_null(strstr(text.data, ">3</FONT>"));
    assert_null(strstr(text.data, ">3 = 3<"));
    wg_text_free(&text);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),         cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_outputs),        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_errors),         cmocka_unit_test(test_long_sums),
        cmocka_unit_test(test_small_stack),    cmocka_unit_test(test_nested),
        cmocka_unit_test(test_latex_is_balanced), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_empty_tensors),  cmocka_unit_test(test_constant_in_graph)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
