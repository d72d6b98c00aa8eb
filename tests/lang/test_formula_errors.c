/* What the language refuses: every message whole, with its place, line, caret and hint. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static const wg_binding bound[] = {
    {"v", {WG_F64, 1, {3}}},
    {"M", {WG_F64, 2, {3, 4}}},
    {"i", {WG_I32, 0, {0}}},
    {"K", {WG_I64, 1, {2}}},
};

static void assert_refused_in(const char *function, const char *text, size_t size, wg_status status,
                              const char *message) {
    wg_error error = {0};
    wg_parse_options options = {
        .function = function, .bound = bound, .bound_count = sizeof bound / sizeof *bound};
    wg_program *p = wg_parse(text, size, &options, &error);
    if (p) fail_msg("%s is read", text);
    if (strcmp(error.message, message))
        fail_msg("%s\n-- is\n%s\n-- expected\n%s", text, error.message, message);
    assert_int_equal(error.status, status);
}

static void assert_refused(const char *text, wg_status status, const char *message) {
    assert_refused_in(NULL, text, strlen(text), status, message);
}

static void signs_and_numbers(void **state) {
    (void)state;
    assert_refused("a $ b", WG_ESYNTAX, "formula:1:3: unknown sign '$'\n    a $ b\n      ^");
    assert_refused("x**2", WG_ESYNTAX,
                   "formula:1:2: unknown sign '**'\n    x**2\n     ^\n  hint: write ^");
    assert_refused("a \xE2\x88\x92 b", WG_ESYNTAX,
                   "formula:1:3: unknown sign '\xE2\x88\x92'\n    a \xE2\x88\x92 b\n      ^\n"
                   "  hint: write -");
    assert_refused("\xCF\x83 + \xFF", WG_ESYNTAX,
                   "formula:1:5: byte 0xff is not UTF-8\n    \xCF\x83 + \xFF\n        ^\n"
                   "  hint: save the text as UTF-8");
    assert_refused_in(NULL, "x +\0 y", 6, WG_ESYNTAX,
                      "formula:1:4: a control character (0x00) in the text\n    x +? y\n       ^");
    assert_refused("x +\x1B[31m", WG_ESYNTAX,
                   "formula:1:4: a control character (0x1b) in the text\n    x +?[31m\n       ^");
    assert_refused("1e999", WG_EOVERFLOW,
                   "formula:1:1: the number 1e999 is larger than any f64\n    1e999\n    ^");
    assert_refused("2x", WG_ESYNTAX,
                   "formula:1:2: expected an operator or a line end, found 'x'\n    2x\n     ^\n"
                   "  hint: a product is written with its sign: 2*x");
}

static void structure(void **state) {
    (void)state;
    static const char nothing[] =
        "formula:1:1: there is no formula in the text\n"
        "  hint: write an expression, like x^2 + 1, or a function, like f(x) = x^2 + 1";
    assert_refused("", WG_ESYNTAX, nothing);
    assert_refused(" \n\n", WG_ESYNTAX, nothing);
    assert_refused("x +", WG_ESYNTAX,
                   "formula:1:4: expected a value, but the text ends\n    x +\n       ^");
    assert_refused("x = ;", WG_ESYNTAX,
                   "formula:1:5: expected a value, found ';'\n    x = ;\n        ^");
    assert_refused("(x", WG_ESYNTAX,
                   "formula:1:3: expected an operator or ')', but the text ends\n    (x\n      ^");
    assert_refused("[1, 2", WG_ESYNTAX,
                   "formula:1:6: expected ',' or ']', but the text ends\n    [1, 2\n         ^");
    assert_refused("x = (a\nf(x) = 2", WG_ESYNTAX,
                   "formula:2:1: expected an operator or ')', found 'f'\n    f(x) = 2\n    ^");
    assert_refused("x == = y", WG_ESYNTAX,
                   "formula:1:6: expected a value, found '='\n    x == = y\n         ^");
    assert_refused(
        "x + y = 3", WG_ESYNTAX,
        "formula:1:7: expected an operator or a line end, found '='\n    x + y = 3\n          ^\n"
        "  hint: == compares; y = ... names a result; functions are defined above the formula");
    assert_refused("a < b < c", WG_ESYNTAX,
                   "formula:1:7: comparisons do not chain\n    a < b < c\n          ^\n"
                   "  hint: write a < b and b < c");
    assert_refused(
        "a == not b", WG_ESYNTAX,
        "formula:1:6: 'not' binds less than the operator before it\n    a == not b\n         ^\n"
        "  hint: put it in brackets: a == (not b)");
    assert_refused(
        "y = x\n + 1", WG_ESYNTAX,
        "formula:2:2: a line begins with '+'\n     + 1\n     ^\n"
        "  hint: put the sign at the end of the line before, or brackets around the expression");
    assert_refused(
        "y = x\nz*2", WG_ESYNTAX,
        "formula:2:1: a result without a name is the only one of its block\n    z*2\n    ^\n"
        "  hint: name the results: y1 = ...; what is only used is let t = ...");
    assert_refused("let t = x", WG_ESYNTAX,
                   "formula:1:1: there is no result\n    let t = x\n    ^\n"
                   "  hint: a result is an expression, or y = ... without let");
    assert_refused(
        "let x*2", WG_ESYNTAX,
        "formula:1:5: expected a name and '=' behind let, found 'x'\n    let x*2\n        ^");
    assert_refused("\tx )", WG_ESYNTAX,
                   "formula:1:4: expected an operator or a line end, found ')'\n"
                   "    \tx )\n    \t  ^");
}

static void definitions(void **state) {
    (void)state;
    assert_refused("f(x) = {\n y = x", WG_ESYNTAX,
                   "formula:1:8: this '{' is not closed\n"
                   "    f(x) = {\n           ^");
    assert_refused("f(x) = {\n y = sin(x\n z = (x)\n}", WG_ESYNTAX,
                   "formula:2:9: this '(' is not closed\n     y = sin(x\n            ^");
    assert_refused("f(x) = {\n y = (x[0)\n}", WG_ESYNTAX,
                   "formula:2:8: this '[' is not closed\n     y = (x[0)\n           ^");
    assert_refused("f(x) = {\n y = sin((x)", WG_ESYNTAX,
                   "formula:2:9: this '(' is not closed\n     y = sin((x)\n            ^");
    assert_refused("f(x) = {\n y = x)\n}", WG_ESYNTAX,
                   "formula:2:7: ')' cannot close the '{' of line 1\n     y = x)\n          ^");
    assert_refused(
        "f(2) = 3", WG_ESYNTAX,
        "formula:1:3: expected the name of a parameter, found '2'\n    f(2) = 3\n      ^");
    assert_refused("f(x: f16) = x", WG_ESYNTAX,
                   "formula:1:6: expected bool, i32, i64, f32 or f64, found 'f16'\n"
                   "    f(x: f16) = x\n         ^");
    assert_refused(
        "f(x[n], n) = x", WG_ENAME,
        "formula:1:9: 'n' is a name already, from line 1\n    f(x[n], n) = x\n            ^\n"
        "  hint: a name is given once: choose another");
    assert_refused("f(x[2*n]) = x", WG_ENAME,
                   "formula:1:7: unknown name 'n'\n    f(x[2*n]) = x\n          ^\n"
                   "  hint: a new size stands alone the first time: x[n] before z[2*n]");
    assert_refused(
        "f(x[1.5]) = x", WG_ESHAPE,
        "formula:1:5: an extent is made of whole numbers and sizes named before, with + - *\n"
        "    f(x[1.5]) = x\n        ^");
    assert_refused(
        "f(x[-1]) = x", WG_ESHAPE,
        "formula:1:5: an extent is made of whole numbers and sizes named before, with + - *\n"
        "    f(x[-1]) = x\n        ^");
    assert_refused("f(x[1,1,1,1,1,1,1,1,1]) = x", WG_ESHAPE,
                   "formula:1:21: more than 8 axes\n    f(x[1,1,1,1,1,1,1,1,1]) = x\n"
                   "                        ^");
    assert_refused("f(x) = x\nf(y) = y", WG_ENAME,
                   "formula:2:1: 'f' is a name already, from line 1\n    f(y) = y\n    ^\n"
                   "  hint: a name is given once: choose another");
    assert_refused("x\nf(y) = y", WG_ESYNTAX,
                   "formula:2:1: a function is defined within a formula\n    f(y) = y\n    ^\n"
                   "  hint: put it above");
    assert_refused_in("g", "go(x) = x", 9, WG_ENAME,
                      "formula:1:1: there is no function 'g'\n    go(x) = x\n    ^");
    assert_refused_in("gaz", "gas(x) = x", 10, WG_ENAME,
                      "formula:1:1: there is no function 'gaz'\n    gas(x) = x\n    ^\n"
                      "  hint: did you mean 'gas'?");
}

static void names_and_calls(void **state) {
    (void)state;
    assert_refused("f(alpha) = alhpa", WG_ENAME,
                   "formula:1:12: unknown name 'alhpa'\n    f(alpha) = alhpa\n               ^\n"
                   "  hint: did you mean 'alpha'?");
    assert_refused("f(x) = sin + x", WG_ENAME,
                   "formula:1:8: unknown name 'sin'\n    f(x) = sin + x\n           ^\n"
                   "  hint: a function is called with brackets: sin(x)");
    assert_refused(
        "smu(v)", WG_ENAME,
        "formula:1:1: unknown function 'smu'\n    smu(v)\n    ^\n  hint: did you mean 'sum'?");
    assert_refused("f(x) = x(2)", WG_ENAME,
                   "formula:1:8: 'x' is a value, not a function\n    f(x) = x(2)\n           ^\n"
                   "  hint: a product is written with its sign: x*(...)");
    assert_refused("f(x) = f(x)", WG_ENAME,
                   "formula:1:8: f calls itself\n    f(x) = f(x)\n           ^\n"
                   "  hint: a function may call those above it; there is no recursion");
    assert_refused_in("f", "f(x) = g(x)\ng(x) = x", 20, WG_ENAME,
                      "formula:1:8: g is only defined on line 2\n    f(x) = g(x)\n           ^\n"
                      "  hint: a function may call those above it: move the definition up");
    assert_refused(
        "y = x; y = 2", WG_ENAME,
        "formula:1:8: 'y' is a name already, from line 1\n    y = x; y = 2\n           ^\n"
        "  hint: a name is given once: choose another");
    assert_refused("f(x, y) = x\nf(1)", WG_EARGUMENT,
                   "formula:2:1: f takes 2 arguments, not 1\n    f(1)\n    ^");
    assert_refused("f(x) = {a = x; b = x}\n1 + f(2)", WG_EARGUMENT,
                   "formula:2:5: f has 2 results, where one is expected\n    1 + f(2)\n        ^\n"
                   "  hint: take them apart: let (a, b) = f(...)");
    assert_refused(
        "(a, b) = sin(x)", WG_EARGUMENT,
        "formula:1:10: sin gives 1 result for 2 names\n    (a, b) = sin(x)\n             ^");
    assert_refused("(a, b) = 3", WG_ESYNTAX,
                   "formula:1:10: expected the call of a function with several results, found '3'\n"
                   "    (a, b) = 3\n             ^");
    assert_refused("softmax(M, 1)", WG_EARGUMENT,
                   "formula:1:1: softmax takes 1 argument, not 2\n    softmax(M, 1)\n    ^\n"
                   "  hint: softmax(x, axis=-1)");
    assert_refused("sin(v, axis=0)", WG_EARGUMENT,
                   "formula:1:1: sin has no options\n"
                   "    sin(v, axis=0)\n    ^");
    assert_refused(
        "dot(v, v, axis=0)", WG_EARGUMENT,
        "formula:1:1: dot has no option axis\n    dot(v, v, axis=0)\n    ^\n  hint: dot(a, b)");
    assert_refused("sum(v, axes=0)", WG_ESYNTAX,
                   "formula:1:8: unknown option 'axes'\n    sum(v, axes=0)\n           ^\n"
                   "  hint: options are axis and keep; == compares");
    assert_refused(
        "sum(v, axis=1.5)", WG_ESYNTAX,
        "formula:1:13: an axis is a whole number below 8\n    sum(v, axis=1.5)\n                ^");
    assert_refused("f(x) = x\nf(1, axis=0)", WG_ESYNTAX,
                   "formula:2:1: f has no options\n"
                   "    f(1, axis=0)\n    ^");
}

static void shapes_and_types(void **state) {
    (void)state;
    assert_refused(
        "x + 1 + v*M", WG_ESHAPE,
        "formula:1:10: mul: extents differ: left f64[3] has 3, right f64[3,4] has 4\n"
        "    x + 1 + v*M\n             ^\n"
        "  left  = input \"v\"      formula:1:9\n"
        "  right = input \"M\"      formula:1:11\n"
        "  hint: shapes are aligned at their last axes, and only the extent 1 stretches");
    assert_refused(
        "f(x) =\n  x + [1, 2]\ng(x) = f(x)\n1 + g(v)", WG_ESHAPE,
        "formula:2:5: add: extents differ: left f64[3] has 3, right f64[2] has 2\n"
        "      x + [1, 2]\n        ^\n"
        "  left  = input \"v\"      formula:4:7\n"
        "  right = data           formula:2:5\n"
        "  hint: shapes are aligned at their last axes, and only the extent 1 stretches\n"
        "  in f, called at 3:8\n"
        "  in g, called at 4:5");
    assert_refused("f(x[n,n]) = x\nf(v)", WG_ESHAPE,
                   "formula:2:1: f: the argument x is f64[3], but the parameter has more axes\n"
                   "    f(v)\n    ^");
    assert_refused("f(x[n]) = x\nf(M)", WG_ESHAPE,
                   "formula:2:1: f: the argument x is f64[3,4], but the parameter has fewer axes\n"
                   "    f(M)\n    ^");
    assert_refused("f(x[n], y[n+1]) = x\nf(v, v)", WG_ESHAPE,
                   "formula:2:1: f: the argument y is f64[3], but axis 0 of the parameter is 4\n"
                   "    f(v, v)\n    ^");
    assert_refused(
        "f(x: f32) = x\nf(v)", WG_EDTYPE,
        "formula:2:1: f: the argument x is f64[3], but the parameter is f32\n    f(v)\n    ^");
    assert_refused("i + 0.5", WG_EDTYPE,
                   "formula:1:3: the number 0.5 is no i32\n    i + 0.5\n      ^\n"
                   "  hint: convert the other operand: f64(x)");
    assert_refused("true and 1", WG_EDTYPE,
                   "formula:1:6: a number where a truth value belongs\n    true and 1\n         ^\n"
                   "  hint: write true or false, or compare: x != 0");
    assert_refused("v[3]", WG_ESHAPE,
                   "formula:1:2: the index 3 is outside axis 0 of f64[3]\n    v[3]\n     ^");
    assert_refused("v[-4]", WG_ESHAPE,
                   "formula:1:2: the index -4 is outside axis 0 of f64[3]\n    v[-4]\n     ^");
    assert_refused("M[1:3, 2:9]", WG_ESHAPE,
                   "formula:1:2: the slice 2:9 leaves axis 1 of f64[3,4]\n    M[1:3, 2:9]\n     ^");
    assert_refused("v[2:1]", WG_ESHAPE,
                   "formula:1:2: the slice 2:1 leaves axis 0 of f64[3]\n    v[2:1]\n     ^");
    assert_refused("f(x[n]) = x[n]", WG_ESHAPE,
                   "formula:1:12: the index n is outside axis 0 of f64[n]\n    f(x[n]) = x[n]\n    "
                   "           ^");
    assert_refused("v[0, 1]", WG_ESHAPE,
                   "formula:1:2: more indices than axes\n    v[0, 1]\n     ^\n"
                   "  hint: the value is f64[3]");
    assert_refused("x[0]", WG_ESHAPE,
                   "formula:1:2: a scalar has no axis to index\n    x[0]\n     ^");
    assert_refused(
        "v[::0]", WG_ESYNTAX,
        "formula:1:5: the step of a slice is a whole number, not 0\n    v[::0]\n        ^");
    assert_refused(
        "v[0.5:]", WG_EDTYPE,
        "formula:1:2: a bound of a slice is made of whole numbers and named sizes with + - *\n"
        "    v[0.5:]\n     ^");
    assert_refused("M[K, K]", WG_ESHAPE,
                   "formula:1:2: two arrays of indices in one subscript\n    M[K, K]\n     ^\n"
                   "  hint: index one axis after the other: x[i][:, k]");
    assert_refused(
        "[v, 1]", WG_ESHAPE,
        "formula:1:1: element 1 of the array has another shape or element type than the first\n"
        "    [v, 1]\n    ^");
    assert_refused(
        "[[1, 2], [3]]", WG_ESHAPE,
        "formula:1:1: element 1 of the array has another shape or element type than the first\n"
        "    [[1, 2], [3]]\n    ^");
    assert_refused("sum(v, axis=1)", WG_ESHAPE,
                   "formula:1:1: sum: there is no axis 1 in f64[3]\n    sum(v, axis=1)\n    ^");
    assert_refused("scatter_add(v, K, 5, axis=-2)", WG_ESHAPE,
                   "formula:1:1: scatter_add: there is no axis -2 in a result of rank 1\n"
                   "    scatter_add(v, K, 5, axis=-2)\n    ^");
    assert_refused("sum(M, axis=(0, -2))", WG_ESHAPE,
                   "formula:1:1: sum: axis -2 is named twice\n    sum(M, axis=(0, -2))\n    ^");
    assert_refused("transpose(M, 0, 0)", WG_ESHAPE,
                   "formula:1:1: transpose: each of the 2 axes is named once\n"
                   "    transpose(M, 0, 0)\n    ^");
    assert_refused("zeros(-1)", WG_ESHAPE,
                   "formula:1:1: zeros: an extent is made of whole numbers and named sizes\n"
                   "    zeros(-1)\n    ^");
}

/* A long line is cut to a window around the caret. */
static void long_lines_are_cut(void **state) {
    (void)state;
    char text[4096];
    memset(text, '1', sizeof text);
    for (size_t i = 1; i < sizeof text; i += 2) text[i] = '+';
    text[2001] = '$';
    assert_refused_in(
        NULL, text, sizeof text, WG_ESYNTAX,
        "formula:1:2002: unknown sign '$'\n"
        "    ...+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1$1+1+1+1+1+1+1+1+1+1+1+1+1+1...\n"
        "                                                   ^");
}

static void arguments_are_checked(void **state) {
    (void)state;
    wg_error error = {0};
    assert_null(wg_parse(NULL, 3, NULL, &error));
    assert_string_equal(error.message, "wg_parse: the text is NULL");
    assert_null(wg_parse("x", 1, NULL, &error)); /* sticky */
    assert_int_equal(error.status, WG_EARGUMENT);
    wg_binding bad = {"x", {WG_F64, 1, {-1}}};
    error = (wg_error){0};
    assert_null(wg_parse("x", 1, &(wg_parse_options){.bound = &bad, .bound_count = 1}, &error));
    assert_string_equal(error.message, "wg_parse: binding 0 has no name, or its type is no type of "
                                       "constant extents");
    assert_null(wg_parse("x+", 2, NULL, NULL));
}

static void assert_graph_refuses(wg_graph *g, wg_var x, wg_status status, const char *message) {
    assert_int_equal(x.id, 0);
    assert_string_equal(wg_graph_error(g)->message, message);
    assert_int_equal(wg_graph_error(g)->status, status);
    wg_graph_free(g);
}

static void formulas_within_graphs_are_checked(void **state) {
    (void)state;
    wg_graph *g = wg_graph_new(), *other = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64());
    assert_graph_refuses(g, wg_formula(g, "x + z", "x", x, NULL), WG_ENAME,
                         "formula:1:5: unknown name 'z'\n    x + z\n        ^");
    g = wg_graph_new();
    assert_graph_refuses(
        g, wg_formula(g, "a = 1; b = 2", NULL), WG_EARGUMENT,
        "formula:1:8: a formula within a graph has one result; this is a second one\n"
        "    a = 1; b = 2\n           ^");
    g = wg_graph_new();
    assert_graph_refuses(g, wg_formula(g, "x", "x", wg_input(other, "x", wg_f64()), NULL),
                         WG_EARGUMENT, "wg_formula: 'x' is not a variable of this graph");
    g = wg_graph_new();
    assert_graph_refuses(g, wg_formula(g, NULL, NULL), WG_ESYNTAX,
                         "formula:1:1: there is no expression in the text");
    assert_int_equal(wg_formula(NULL, "x", NULL).id, 0);
    wg_graph_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_and_numbers),
        cmocka_unit_test(structure),
        cmocka_unit_test(definitions),
        cmocka_unit_test(names_and_calls),
        cmocka_unit_test(shapes_and_types),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(formulas_within_graphs_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
