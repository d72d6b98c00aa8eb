/* Every elementwise kernel of every level that the processor has gives the bits of the first level,
 * over values of all kinds and lengths that no vector divides. */
#include "op/kernel/elementwise.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { LONGEST = 1003, MOST_ARGS = 3 };

static uint64_t next_bits(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

/* One number of three is a special one, one has any bits, one is of a moderate size. */
static double some_number(uint64_t *state) {
    static const double special[] = {
        0,        -0.0, 1,  -1,  NAN, HUGE_VAL, -HUGE_VAL, 1e-40, -0x1p-1074, 0x1p-70,
        0x1p1023, -750, 89, 710, 0.5, -0.5,     2,         1e6,   3e6,        -1e22};
    uint64_t bits = next_bits(state);
    double any;
    memcpy(&any, &bits, sizeof any);
    switch (next_bits(state) % 3) {
    case 0: return special[bits % COUNT_OF(special)];
    case 1: return any;
    default: return ((double)(bits >> 40) * 0x1p-24 - 0.5) * 40;
    }
}

static void fill(wg_dtype dtype, void *block, uint64_t *state) {
    for (size_t i = 0; i < LONGEST; i++) {
        uint64_t bits = next_bits(state);
        if (i % 2) bits = (uint64_t)((int64_t)bits >> 58); /* small integers too */
        switch (dtype) {
        case WG_BOOL: ((uint8_t *)block)[i] = bits & 1; break;
        case WG_I32: ((int32_t *)block)[i] = (int32_t)bits; break;
        case WG_I64: ((int64_t *)block)[i] = (int64_t)bits; break;
        case WG_F32: ((float *)block)[i] = (float)some_number(state); break;
        default: ((double *)block)[i] = some_number(state);
        }
    }
}

/* Equal bits, or NaN twice: which NaN it is depends on the order of operands, which is free. */
static bool same(wg_dtype dtype, const void *a, const void *b, size_t i) {
    if (dtype == WG_F32 && isnan(((const float *)a)[i])) return isnan(((const float *)b)[i]);
    if (dtype == WG_F64 && isnan(((const double *)a)[i])) return isnan(((const double *)b)[i]);
    size_t size = wg_dtype_size(dtype);
    return !memcmp((const char *)a + i * size, (const char *)b + i * size, size);
}

static void compare(unsigned op, wg_dtype last, wg_dtype result) {
    static const size_t count[] = {1, 2, 3, 5, 17, 67, 259, LONGEST};
    static double block[MOST_ARGS][LONGEST], expected[LONGEST], y[LONGEST];
    elementwise_kernel *plain = kernel_of_level(LEVEL_ANY, op, last, result);
    const void *arg[MOST_ARGS] = {0};
    uint64_t state = op;
    for (size_t c = 0; plain && c < COUNT_OF(count); c++) {
        for (int k = 0; k < op_def(op)->narg; k++) {
            fill(op == OP_where && k == 0 ? WG_BOOL : last, block[k], &state);
            arg[k] = block[k];
        }
        plain(count[c], arg, expected);
        for (enum kernel_level level = LEVEL_ANY + 1; level < LEVEL_COUNT; level++) {
            if (!kernel_level_is_there(level)) continue;
            kernel_of_level(level, op, last, result)(count[c], arg, y);
            for (size_t i = 0; i < count[c]; i++)
                if (!same(result, expected, y, i))
                    fail_msg("%s of %s, level %d: element %zu of %zu differs", op_def(op)->name,
                             wg_dtype_name(last), (int)level, i, count[c]);
        }
    }
}

static void levels_give_the_same_bits(void **state) {
    (void)state;
    for (unsigned op = OP_none + 1; op < OP_COUNT; op++)
        for (unsigned from = 0; from < WG_DTYPE_COUNT && op_is_elementwise(op); from++)
            for (unsigned to = 0; to < WG_DTYPE_COUNT; to++)
                if (op == OP_cast || to == (op >= OP_eq ? (unsigned)WG_BOOL : from))
                    compare(op, (wg_dtype)from, (wg_dtype)to);
}

static void every_level_has_every_kernel(void **state) {
    (void)state;
    for (enum kernel_level level = LEVEL_ANY; level < LEVEL_COUNT; level++)
        for (unsigned op = 0; op < OP_COUNT && kernel_level_is_there(level); op++)
            for (unsigned from = 0; from < WG_DTYPE_COUNT; from++)
                assert_int_equal(!kernel_of_level(level, op, from, from),
                                 !kernel_of_level(LEVEL_ANY, op, from, from));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_give_the_same_bits),
        cmocka_unit_test(every_level_has_every_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
