/* cmocka with what it needs, and small helpers that every test may use. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <wengert.h>

/* The program of a graph, which it takes, and that of a text in the formula language; the test
 * fails where there is none. */
wg_program *test_build(wg_graph *g);
wg_program *test_parse(const char *text);

/* The value of an extent of a program where every named size is n. */
int64_t test_extent(const wg_program *program, wg_extent extent, int64_t n);

#define assert_ok(error)                                                                           \
    do {                                                                                           \
        if ((error).status) fail_msg("%s", (error).message);                                       \
    } while (0)

/* The call, which uses &error of the function around it, is NULL and says exactly this. */
#define EXPECT_ERROR(code, text, call)                                                             \
    do {                                                                                           \
        error = (wg_error){0};                                                                     \
        assert_null(call);                                                                         \
        assert_string_equal(error.message, text);                                                  \
        assert_int_equal(error.status, code);                                                      \
    } while (0)

#endif
