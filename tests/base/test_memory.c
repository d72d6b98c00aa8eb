/* The allocator hook, growable arrays and the arena: sizes, alignment, overflow, no memory. */
#include "base/base.h"
#include "support/failing_allocator.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void blocks_have_sizes(void **state) {
    (void)state;
    struct failing_allocator f = {0};
    wg_allocator a = failing_hook(&f);
    assert_null(mem_alloc(&a, 0));
    assert_null(mem_alloc(&a, (size_t)PTRDIFF_MAX + 1));
    assert_int_equal(f.requests, 0);

    unsigned char *block = mem_alloc_zero(&a, 100);
    assert_non_null(block);
    for (int i = 0; i < 100; i++) assert_int_equal(block[i], 0);
    assert_int_equal(f.live_bytes, 100);
    mem_free(&a, block, 100);
    mem_free(&a, NULL, 0);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.wrong_sizes, 0);
}

static void no_allocator_is_the_standard_one(void **state) {
    (void)state;
    wg_allocator standard = standard_allocator(), zero = {0};
    assert_true(allocator_or_standard(NULL).resize == standard.resize);
    assert_true(allocator_or_standard(&zero).resize == standard.resize);
    wg_allocator own = failing_hook(NULL);
    assert_true(allocator_or_standard(&own).resize == own.resize);
    mem_free(NULL, mem_alloc(NULL, 10), 10);
}

static void arrays_grow_by_doubling(void **state) {
    (void)state;
    struct failing_allocator f = {0};
    wg_allocator a = failing_hook(&f);
    VEC(uint32_t) v = {0};
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t *last = VEC_PUSH(&a, &v);
        assert_non_null(last);
        *last = i;
    }
    assert_int_equal(v.count, 10000);
    for (uint32_t i = 0; i < 10000; i++) assert_int_equal(v.at[i], i);
    assert_in_range(f.requests, 1, 12);
    assert_true(VEC_RESERVE(&a, &v, 20));
    assert_int_equal(v.count, 10000);
    VEC_FREE(&a, &v);
    assert_null(v.at);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.wrong_sizes, 0);
}

static void array_without_memory_is_as_it_was(void **state) {
    (void)state;
    struct failing_allocator f = {.fail_at = 2};
    wg_allocator a = failing_hook(&f);
    VEC(uint64_t) v = {0};
    uint64_t *last;
    while ((last = VEC_PUSH(&a, &v))) *last = v.count;
    assert_int_equal(v.count, v.capacity);
    for (size_t i = 0; i < v.count; i++) assert_int_equal(v.at[i], i + 1);
    VEC_FREE(&a, &v);
    assert_int_equal(f.live_blocks, 0);
}

static void array_sizes_do_not_overflow(void **state) {
    (void)state;
    struct failing_allocator f = {0};
    wg_allocator a = failing_hook(&f);
    VEC(uint64_t) v = {0};
    assert_false(VEC_RESERVE(&a, &v, SIZE_MAX));
    assert_false(VEC_RESERVE(&a, &v, SIZE_MAX / 8 + 2));
    assert_false(VEC_RESERVE(&a, &v, PTRDIFF_MAX / 8 + 1));
    assert_int_equal(f.requests, 0);
    assert_null(v.at);
}

static void arena_aligns_and_frees(void **state) {
    (void)state;
    struct failing_allocator f = {0};
    struct arena arena = {.allocator = failing_hook(&f)};
    assert_int_equal(arena_bytes(&arena), 0);
    size_t asked = 0;
    for (size_t i = 0; i < 5000; i++) {
        size_t size = i % 97, alignment = (size_t)1 << i % 8;
        char *block = arena_alloc(&arena, size, alignment);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % alignment, 0);
        memset(block, 0x5A, size); /* a sanitizer sees what lies outside */
        asked += size;
    }
    assert_in_range(f.requests, 2, 12); /* blocks grow */
    assert_int_equal(f.live_bytes, arena_bytes(&arena));
    assert_in_range(arena_bytes(&arena), asked, 4 * asked);
    arena_free(&arena);
    assert_int_equal(arena_bytes(&arena), 0);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.wrong_sizes, 0);
    arena_free(&arena);
}

static void arena_takes_blocks_of_any_size(void **state) {
    (void)state;
    struct failing_allocator f = {0};
    struct arena arena = {.allocator = failing_hook(&f)};
    char *large = arena_alloc(&arena, 10000000, 64), *small = arena_alloc(&arena, 8, 8);
    assert_non_null(large);
    assert_non_null(small);
    memset(large, 1, 10000000);
    memset(small, 2, 8);
    assert_in_range(arena_bytes(&arena), 10000008, 12000000); /* not twice the large one */
    assert_null(arena_alloc(&arena, SIZE_MAX, 1));
    assert_null(arena_alloc(&arena, SIZE_MAX - 64, 64));
    assert_null(arena_alloc(&arena, PTRDIFF_MAX, 8));
    arena_free(&arena);
    assert_int_equal(f.live_blocks, 0);
}

static wg_status fill_arena(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    struct arena arena = {.allocator = *allocator};
    wg_status status = WG_OK;
    for (int i = 0; i < 100 && status == WG_OK; i++)
        if (!arena_alloc(&arena, 100, 8)) status = WG_ENOMEM;
    arena_free(&arena);
    return status;
}

static void arena_survives_every_failure(void **state) {
    (void)state;
    assert_in_range(fail_every_request(fill_arena, NULL), 3, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_have_sizes),
        cmocka_unit_test(no_allocator_is_the_standard_one),
        cmocka_unit_test(arrays_grow_by_doubling),
        cmocka_unit_test(array_without_memory_is_as_it_was),
        cmocka_unit_test(array_sizes_do_not_overflow),
        cmocka_unit_test(arena_aligns_and_frees),
        cmocka_unit_test(arena_takes_blocks_of_any_size),
        cmocka_unit_test(arena_survives_every_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
