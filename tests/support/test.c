#include "support/test.h"

#include "ir/ir.h"

#include <string.h>

int64_t test_extent(const wg_program *program, wg_extent extent, int64_t n) {
    int64_t size[16], result;
    for (size_t i = 0; i < 16; i++) size[i] = n;
    assert_true(extent_eval(&program->t, extent, size, &result));
    return result;
}

wg_program *test_build(wg_graph *g) {
    wg_error error = {0};
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

wg_program *test_parse(const char *text) {
    wg_error error = {0};
    wg_program *p = wg_parse(text, strlen(text), NULL, &error);
    assert_ok(error);
    return p;
}
