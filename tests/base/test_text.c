/* Growable text, the shortest decimals, lists of names. */
#include "base/base.h"
#include "support/failing_allocator.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void text_grows(void **state) {
    (void)state;
    struct failing_allocator f = {0};
    wg_text text = {.allocator = failing_hook(&f)};
    assert_true(text_add(&text, "y = "));
    assert_true(text_format(&text, "%s[%d]", "f64", 3));
    assert_true(text_bytes(&text, "\0!", 2));
    assert_true(text_add(&text, ""));
    assert_int_equal(text.size, 12);
    assert_memory_equal(text.data, "y = f64[3]\0!", 13);
    text_cut(&text, 3);
    assert_string_equal(text.data, "y =");
    text_cut(&text, 100);
    assert_int_equal(text.size, 3);

    char piece[300];
    memset(piece, 'a', sizeof piece - 1);
    piece[sizeof piece - 1] = '\0';
    for (int i = 0; i < 100; i++) assert_true(text_format(&text, "%s%d", piece, i % 10));
    assert_int_equal(text.size, 3 + 100 * 300);
    assert_int_equal(strlen(text.data), text.size);
    wg_text_free(&text);
    assert_null(text.data);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.wrong_sizes, 0);
    wg_text_free(&text);
    wg_text_free(NULL);
}

static void text_sizes_do_not_overflow(void **state) {
    (void)state;
    wg_text text = {0};
    assert_true(text_add(&text, "abc"));
    assert_false(text_reserve(&text, SIZE_MAX));
    assert_false(text_reserve(&text, PTRDIFF_MAX - 3));
    assert_string_equal(text.data, "abc");
    wg_text_free(&text);
}

/* One step that finds no memory leaves the text as it was. */
static void text_without_memory_is_as_it_was(void **state) {
    (void)state;
    for (int step = 0; step < 3; step++) {
        struct failing_allocator f = {.fail_at = 2};
        wg_text text = {.allocator = failing_hook(&f)};
        assert_true(text_add(&text, "abc"));
        size_t more = text.capacity;
        bool ok = step == 0   ? text_reserve(&text, more)
                  : step == 1 ? text_format(&text, "%*d", (int)more, 1)
                              : text_f64(&text, -1.2345678901234567e-300);
        assert_false(ok);
        assert_string_equal(text.data, "abc");
        assert_int_equal(text.size, 3);
        wg_text_free(&text);
        assert_int_equal(f.live_blocks, 0);
    }
}

static wg_status compose(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_text text = {.allocator = *allocator};
    bool ok = text_add(&text, "v = ") && text_f64(&text, 0.1) && text_format(&text, "%100d", 1) &&
              text_f32(&text, 0.1f);
    wg_text_free(&text);
    return ok ? WG_OK : WG_ENOMEM;
}

static void text_survives_every_failure(void **state) {
    (void)state;
    assert_in_range(fail_every_request(compose, NULL), 2, 6);
}

static const struct {
    double number;
    const char *text;
} numbers[] = {
    {0, "0"},
    {-0.0, "-0"},
    {3, "3"},
    {-17, "-17"},
    {100, "100"},
    {0.5, "0.5"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {-123.456, "-123.456"},
    {0.0001, "0.0001"},
    {0.00001, "1e-05"},
    {1.5e-7, "1.5e-07"},
    {1e15, "1000000000000000"},
    {9007199254740992, "9007199254740992"},
    {1e16, "1e+16"},
    {1.25e100, "1.25e+100"},
    {0x1p-44, "5.684341886080802e-14"}, /* not the nearest of 16 digits */
    {9.5367431640625e-07, "9.5367431640625e-07"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {0x1p-1074, "5e-324"},
    {0x3p-1074, "1.5e-323"},
    {INFINITY, "inf"},
    {-INFINITY, "-inf"},
};

static const struct {
    float number;
    const char *text;
} singles[] = {
    {0.1f, "0.1"},
    {1.0f / 3, "0.33333334"},
    {16777216, "16777216"},
    {FLT_MAX, "3.4028235e+38"},
    {0x1p-149f, "1e-45"},
    {0x1p-96f, "1.2621775e-29"},
    {-2.5f, "-2.5"},
};

static void check_known_numbers(void) {
    wg_text text = {0};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        text_cut(&text, 0);
        assert_true(text_f64(&text, numbers[i].number));
        assert_string_equal(text.data, numbers[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(singles); i++) {
        text_cut(&text, 0);
        assert_true(text_f32(&text, singles[i].number));
        assert_string_equal(text.data, singles[i].text);
    }
    text_cut(&text, 0);
    assert_true(text_f64(&text, NAN) && text_f32(&text, -NAN));
    assert_string_equal(text.data, "nannan");
    wg_text_free(&text);
}

static void numbers_are_shortest(void **state) {
    (void)state;
    check_known_numbers();
}

/* Where the decimal point is a comma; passes over machines that know no such place. */
static void locale_changes_nothing(void **state) {
    (void)state;
    static const char *const places[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (setlocale(LC_NUMERIC, places[i])) check_known_numbers();
    setlocale(LC_NUMERIC, "C");
}

/* Bit patterns from a small generator; every power of two. */
static void numbers_read_back(void **state) {
    (void)state;
    wg_text text = {0};
    uint64_t bits = 1;
    for (int i = -1074; i < 20000; i++) {
        bits = hash_mix(bits, 0x1234567);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (i < 1024) number = ldexp(1, i);
        if (!isfinite(number)) continue;
        text_cut(&text, 0);
        assert_true(text_f64(&text, number));
        assert_true(strtod(text.data, NULL) == number);

        float single = (float)number;
        if (!isfinite(single)) continue;
        text_cut(&text, 0);
        assert_true(text_f32(&text, single));
        assert_true(strtof(text.data, NULL) == single);
        assert_true((float)strtod(text.data, NULL) == single);
    }
    wg_text_free(&text);
}

static void expect_names(const char *list, const char *expected) {
    wg_text got = {0};
    const char *start;
    size_t length;
    assert_true(text_add(&got, ""));
    while (name_next(&list, &start, &length))
        assert_true(text_format(&got, "<%.*s>", (int)length, start));
    assert_string_equal(got.data, expected);
    wg_text_free(&got);
}

static void names_are_listed(void **state) {
    (void)state;
    expect_names("W, b", "<W><b>");
    expect_names("W", "<W>");
    expect_names("  W1 ,\tb1\n,x2  ", "<W1><b1><x2>");
    expect_names("", "");
    expect_names("   ", "");
    expect_names(NULL, "");
    expect_names("W,", "<W>");
    expect_names(",W,,b", "<><W><><b>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows),
        cmocka_unit_test(text_sizes_do_not_overflow),
        cmocka_unit_test(text_without_memory_is_as_it_was),
        cmocka_unit_test(text_survives_every_failure),
        cmocka_unit_test(numbers_are_shortest),
        cmocka_unit_test(locale_changes_nothing),
        cmocka_unit_test(numbers_read_back),
        cmocka_unit_test(names_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
