#include "support/test.h"

#include "ir/ir.h"

int64_t test_extent(const wg_program *program, wg_extent extent, int64_t n) {
    int64_t size[16], result;
    for (size_t i = 0; i < 16; i++) size[i] = n;
    assert_true(extent_eval(&program->t, extent, size, &result));
    return result;
}
