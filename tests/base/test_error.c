/* Sticky errors: the first one stays, NULL is fine, long messages end in whole characters. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#undef fail /* ours is meant, not cmocka's */

static void first_error_stays(void **state) {
    (void)state;
    wg_error error = {0};
    assert_false(failed(&error));
    assert_int_equal(fail_with(&error, WG_ESHAPE, "f64[%d] here", 3), WG_ESHAPE);
    assert_true(failed(&error));
    assert_int_equal(fail_with(&error, WG_ENAME, "later"), WG_ESHAPE);
    assert_int_equal(fail_memory(&error), WG_ESHAPE);
    assert_int_equal(error.status, WG_ESHAPE);
    assert_string_equal(error.message, "f64[3] here");
    fail_more(&error, "\n  hint: try %s", "f64[4]");
    assert_string_equal(error.message, "f64[3] here\n  hint: try f64[4]");
}

static void error_may_be_null(void **state) {
    (void)state;
    assert_false(failed(NULL));
    assert_int_equal(fail_with(NULL, WG_EIO, "%d", 1), WG_EIO);
    assert_int_equal(fail_memory(NULL), WG_ENOMEM);
    fail_more(NULL, "%d", 1);
}

static void nothing_is_added_to_no_error(void **state) {
    (void)state;
    wg_error error = {0};
    fail_more(&error, "a hint");
    assert_int_equal(error.status, WG_OK);
    assert_string_equal(error.message, "");
}

static void long_message_is_cut(void **state) {
    (void)state;
    char text[5001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    wg_error error = {0};
    fail_with(&error, WG_EIO, "%s", text);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    fail_more(&error, "more");
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
}

/* Characters of 2, 3 and 4 bytes, at every position relative to the end of the room. */
static void cut_falls_between_characters(void **state) {
    (void)state;
    const char *const character[] = {"\u00e9", "\u2202", "\U0001d4b3"};
    for (size_t c = 0; c < COUNT_OF(character); c++) {
        size_t size = strlen(character[c]);
        for (size_t shift = 0; shift < size; shift++) {
            char text[3000];
            memset(text, 'x', shift);
            size_t end = shift;
            for (; end + size < sizeof text; end += size) memcpy(text + end, character[c], size);
            text[end] = '\0';
            wg_error error = {0};
            fail_with(&error, WG_EIO, "%s", text);
            size_t length = strlen(error.message), room = sizeof error.message - 1;
            assert_in_range(length, room - size + 1, room);
            assert_int_equal((length - shift) % size, 0);
            assert_memory_equal(error.message, text, length);
        }
    }
}

static void statuses_have_names(void **state) {
    (void)state;
    assert_string_equal(wg_status_name(WG_OK), "ok");
    assert_string_equal(wg_status_name(WG_ESHAPE), "shape error");
    for (int i = WG_OK; i <= WG_EINTERNAL; i++)
        for (int j = WG_OK; j < i; j++)
            assert_string_not_equal(wg_status_name((wg_status)i), wg_status_name((wg_status)j));
    assert_string_equal(wg_status_name((wg_status)(WG_EINTERNAL + 1)), "unknown status");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_error_stays),
        cmocka_unit_test(error_may_be_null),
        cmocka_unit_test(nothing_is_added_to_no_error),
        cmocka_unit_test(long_message_is_cut),
        cmocka_unit_test(cut_falls_between_characters),
        cmocka_unit_test(statuses_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
