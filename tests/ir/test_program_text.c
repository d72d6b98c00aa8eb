/* Program text: what is printed reads back to the same text, and broken text is refused with its
 * line. */
#include "support/test.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const good =
    "wengert 1\n"
    "size n\n"
    "%1 = input \"x\" : f64[n]\n"
    "%2 = input \"i\" : i32[3]\n"
    "%3 = constant 0.1 : f64\n"
    "%4 = broadcast {1, n, 0} %3 : f64[n]\n"
    "%5 = mul %1 %4 : f64[n] at \"a.wg\":3:7\n"
    "%6 = data [1 -inf 2.5] : f64[3]\n"
    "%7 = sum {1} %5 : f64 adjoint %5\n"
    "output \"y\" %7\n"
    "output \"c\" %6\n";

static void text_round_trips(void **state) {
    (void)state;
    wg_error error = {0};
    wg_text text = {0};
    wg_program *p = wg_program_read(good, strlen(good), NULL, &error);
    wg_program_print(p, &text, &error);
    assert_ok(error);
    assert_string_equal(text.data, good);
    wg_text_free(&text);
    wg_program_free(p);
}

/* What sizes must fulfil keeps its order, also where reading an instruction asks for it again. */
static void requirements_round_trip(void **state) {
    (void)state;
    static const char formula[] = "f(x[n,3]) = x[3:]";
    wg_error error = {0};
    wg_text first = {0}, second = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program_print(p, &first, &error);
    wg_program *again = wg_program_read(first.data, first.size, NULL, &error);
    wg_program_print(again, &second, &error);
    assert_ok(error);
    assert_non_null(strstr(first.data, "require 3 <= n"));
    assert_string_equal(first.data, second.data);
    wg_text_free(&first);
    wg_text_free(&second);
    wg_program_free(p);
    wg_program_free(again);
}

static void broken_text_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "program text, line 1: the first line must be 'wengert 1'"},
        {"wengert 1\n", "a program without outputs"},
        {"wengert 1\nfrobnicate\n",
         "program text, line 2: an instruction, size, require or output expected"},
        {"wengert 1\n%1 = nothing : f64\n", "program text, line 2: an unknown operation"},
        {"wengert 1\n%2 = input \"x\" : f64\n",
         "program text, line 2: values must be numbered 1, 2, 3, ..."},
        {"wengert 1\n%1 = input \"x\" : f16\n",
         "program text, line 2: an element type expected: bool, i32, i64, f32 or f64"},
        {"wengert 1\n%1 = input \"x\" : f64[m]\n",
         "program text, line 2: a size that is not declared"},
        {"wengert 1\n%1 = input \"x\" : f64\n%2 = sin %2 : f64\n",
         "program text, line 3: a value that is not defined above"},
        {"wengert 1\n%1 = input \"x\" : f64\n%2 = sin %1 : f32\n",
         "program text, line 3: the type is not what the operation gives"},
        {"wengert 1\n%1 = input \"x\" : f64[1,2,3,4,5,6,7,8,9]\n",
         "program text, line 2: more axes than 8"},
        {"wengert 1\n%1 = constant 99999999999999999999 : i64\n",
         "program text, line 2: an integer that leaves 64 bits"},
        {"wengert 1\n%1 = data [1 2] : f64[3]\noutput \"y\" %1\n",
         "program text, line 2: a number expected"},
        {"wengert 1\noutput \"y\" %1\n", "program text, line 2: a value that is not defined above"},
        {"wengert 1\n%1 = constant 1 2 : f64\n", "program text, line 2: ':' expected"},
        {"wengert 1\n%1 = data [1 2] 3 : f64[2]\n", "program text, line 2: ':' expected"},
        {"wengert 1\n%1 = input \"x\" : f64[-2]\n", "program text, line 2: an extent below 0"},
        {"wengert 1\n%1 = input \"x : f64\n",
         "program text, line 2: a string without its closing quote"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wg_error error = {0};
        wg_program *p = wg_program_read(bad[i].text, strlen(bad[i].text), NULL, &error);
        assert_null(p);
        assert_string_equal(error.message, bad[i].message);
    }
}

/* Names that wg_size and wg_input take are read back, whatever their bytes. */
static void every_name_reads_back(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n.1"), m = wg_size(g, "at:"), k = wg_size(g, "\xc3\xa9(<");
    wg_var x = wg_input(g, "x'|", wg_f64(wg_extent_mul(g, n, m), wg_extent_add(g, k, 1)));
    wg_output(g, "y;", wg_slice(x, 0, 1, wg_extent_mul(g, n, m), 1));
    wg_program *p = wg_build(g, &error);
    wg_text text = {0}, second = {0};
    wg_program_print(p, &text, &error);
    assert_ok(error);
    wg_program *again = wg_program_read(text.data, text.size, NULL, &error);
    wg_program_print(again, &second, &error);
    assert_ok(error);
    assert_string_equal(text.data, second.data);
    wg_text_free(&text);
    wg_text_free(&second);
    wg_program_free(p);
    wg_program_free(again);
}

static double constant_of(const char *number) {
    char text[1200];
    double y = 0;
    wg_error error = {0};
    snprintf(text, sizeof text, "wengert 1\n%%1 = constant %s : f64\noutput \"y\" %%1\n", number);
    wg_program *p = wg_program_read(text, strlen(text), NULL, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    wg_call_with(fn, NULL, NULL, (void *const[]){&y}, NULL, &error);
    assert_ok(error);
    wg_function_free(fn);
    wg_program_free(p);
    return y;
}

/* Numbers mean the same in every locale, also where the decimal point is a comma; where the system
 * has no such locale this looks at the grammar alone. */
static void numbers_do_not_depend_on_the_locale(void **state) {
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8")) setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    assert_true(constant_of("1.25") == 1.25 && constant_of("-0.5e-3") == -0.5e-3);
    assert_true(constant_of("1e+300") == 1e300 && constant_of("4.9406564584124654e-324") > 0);
    assert_true(constant_of("-inf") == -HUGE_VAL && isnan(constant_of("nan")));
    assert_true(constant_of("1e99999999") == HUGE_VAL && constant_of(".5") == 0.5);
    setlocale(LC_NUMERIC, "C");
}

/* Equal lines stay apart, and reading them takes time in proportion to their number. */
static void equal_lines_take_no_search(void **state) {
    (void)state;
    enum { LINES = 50000 };
    wg_error error = {0};
    char *text = malloc(LINES * 32), *end = text;
    end += sprintf(end, "wengert 1\n%%1 = input \"x\" : f64\n");
    for (int i = 2; i <= LINES; i++) end += sprintf(end, "%%%d = sin %%1 : f64\n", i);
    end += sprintf(end, "output \"y\" %%%d\n", LINES);
    clock_t begin = clock();
    wg_program *p = wg_program_read(text, (size_t)(end - text), NULL, &error);
    assert_ok(error);
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 2);
    assert_int_equal(wg_program_length(p), 2); /* the others are dead */
    wg_program_free(p);
    free(text);
}

/* Any prefix and any changed byte of good text is either read or refused, never worse. */
static void damaged_text_does_no_harm(void **state) {
    (void)state;
    size_t size = strlen(good);
    char *copy = malloc(size + 1);
    for (size_t cut = 0; cut < size; cut++) {
        wg_error error = {0};
        wg_program_free(wg_program_read(good, cut, NULL, &error));
    }
    static const char bytes[] = "%9-[]{}\"x \n*";
    for (size_t at = 0; at < size; at++)
        for (const char *b = bytes; *b; b++) {
            wg_error error = {0};
            memcpy(copy, good, size + 1);
            copy[at] = *b;
            wg_program *p = wg_program_read(copy, size, NULL, &error);
            if (p) assert_int_equal(wg_program_verify(p, &error), WG_OK);
            else assert_int_not_equal(error.status, WG_OK);
            wg_program_free(p);
        }
    free(copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_round_trips),
        cmocka_unit_test(requirements_round_trip),
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(every_name_reads_back),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(equal_lines_take_no_search),
        cmocka_unit_test(damaged_text_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
