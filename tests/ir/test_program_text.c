/* Program text: what is printed reads back to the same text, and broken text is refused with its line. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

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

static void broken_text_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "program text, line 1: the first line must be 'wengert 1'"},
        {"wengert 1\n", "a program without outputs"},
        {"wengert 1\nfrobnicate\n", "program text, line 2: an instruction, size, require or output expected"},
        {"wengert 1\n%1 = nothing : f64\n", "program text, line 2: an unknown operation"},
        {"wengert 1\n%2 = input \"x\" : f64\n", "program text, line 2: values must be numbered 1, 2, 3, ..."},
        {"wengert 1\n%1 = input \"x\" : f16\n",
         "program text, line 2: an element type expected: bool, i32, i64, f32 or f64"},
        {"wengert 1\n%1 = input \"x\" : f64[m]\n", "program text, line 2: a size that is not declared"},
        {"wengert 1\n%1 = input \"x\" : f64\n%2 = sin %2 : f64\n",
         "program text, line 3: a value that is not defined above"},
        {"wengert 1\n%1 = input \"x\" : f64\n%2 = sin %1 : f32\n",
         "program text, line 3: the type is not what the operation gives"},
        {"wengert 1\n%1 = input \"x\" : f64[1,2,3,4,5,6,7,8,9]\n", "program text, line 2: more axes than 8"},
        {"wengert 1\n%1 = constant 99999999999999999999 : i64\n",
         "program text, line 2: an integer that leaves 64 bits"},
        {"wengert 1\n%1 = data [1 2] : f64[3]\noutput \"y\" %1\n", "program text, line 2: a number expected"},
        {"wengert 1\noutput \"y\" %1\n", "program text, line 2: a value that is not defined above"},
        {"wengert 1\n%1 = input \"x : f64\n", "program text, line 2: a string without its closing quote"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wg_error error = {0};
        wg_program *p = wg_program_read(bad[i].text, strlen(bad[i].text), NULL, &error);
        assert_null(p);
        assert_string_equal(error.message, bad[i].message);
    }
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
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(damaged_text_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
