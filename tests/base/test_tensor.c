/* Element types, tensors in memory, the version, and the hash. */
#include "base/base.h"
#include "support/failing_allocator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void dtypes_have_names_and_sizes(void **state) {
    (void)state;
    static const char *const name[WG_DTYPE_COUNT] = {"bool", "i32", "i64", "f32", "f64"};
    static const size_t size[WG_DTYPE_COUNT] = {1, 4, 8, 4, 8};
    for (int i = 0; i < WG_DTYPE_COUNT; i++) {
        assert_string_equal(wg_dtype_name((wg_dtype)i), name[i]);
        assert_int_equal(wg_dtype_size((wg_dtype)i), size[i]);
    }
    assert_string_equal(wg_dtype_name((wg_dtype)WG_DTYPE_COUNT), "unknown");
    assert_int_equal(wg_dtype_size((wg_dtype)WG_DTYPE_COUNT), 0);
}

static void elements_are_counted(void **state) {
    (void)state;
    assert_int_equal(wg_tensor_count(&(wg_tensor){.rank = 0}), 1);
    assert_int_equal(wg_tensor_count(&(wg_tensor){.rank = 3, .shape = {2, 3, 4}}), 24);
    assert_int_equal(wg_tensor_count(&(wg_tensor){.rank = 2, .shape = {0, 5}}), 0);
    assert_int_equal(wg_tensor_count(&(wg_tensor){.rank = 1, .shape = {INT64_MAX}}), INT64_MAX);
    assert_int_equal(wg_tensor_count(&(wg_tensor){.rank = 2, .shape = {INT64_MAX, 2}}), -1);
    assert_int_equal(wg_tensor_count(&(wg_tensor){.rank = 3, .shape = {0, INT64_MAX, 2}}), -1);
    assert_int_equal(wg_tensor_count(&(wg_tensor){.rank = 2, .shape = {0, -1}}), -1);
    assert_int_equal(wg_tensor_count(&(wg_tensor){.rank = WG_MAX_RANK + 1}), -1);
    assert_int_equal(wg_tensor_count(&(wg_tensor){.rank = -1}), -1);
    assert_int_equal(wg_tensor_count(NULL), -1);
}

static void tensors_are_given_back(void **state) {
    (void)state;
    struct failing_allocator f = {0};
    wg_allocator a = failing_hook(&f);
    wg_tensor t = {.dtype = WG_F32, .rank = 2, .shape = {3, 5}};
    assert_int_equal(tensor_alloc(&t, &a, NULL), WG_OK);
    assert_int_equal(f.live_bytes, 60);
    wg_tensor_free(&t, &a);
    assert_null(t.data);
    assert_int_equal(t.rank, 0);

    wg_tensor empty = {.dtype = WG_F64, .rank = 1, .shape = {0}};
    assert_int_equal(tensor_alloc(&empty, &a, NULL), WG_OK);
    assert_non_null(empty.data);
    wg_tensor_free(&empty, &a);
    wg_tensor_free(&empty, &a);
    wg_tensor_free(NULL, &a);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.wrong_sizes, 0);
}

static void impossible_tensors_are_refused(void **state) {
    (void)state;
    struct failing_allocator f = {.fail_at = 1};
    wg_allocator a = failing_hook(&f);
    wg_error error = {0};
    wg_tensor t = {.dtype = WG_F64, .rank = 2, .shape = {INT64_MAX / 8, 2}};
    assert_int_equal(tensor_alloc(&t, &a, &error), WG_EOVERFLOW);
    assert_string_equal(error.message, "the tensor is larger than any memory");
    assert_int_equal(f.requests, 0);

    error = (wg_error){0};
    t = (wg_tensor){.dtype = WG_F64, .rank = 1, .shape = {2}};
    assert_int_equal(tensor_alloc(&t, &a, &error), WG_ENOMEM);
    assert_null(t.data);
}

static void types_are_written_as_lists(void **state) {
    (void)state;
    wg_type scalar = wg_f64(), matrix = wg_i32(784, 10);
    assert_int_equal(scalar.rank, 0);
    assert_int_equal(scalar.dtype, WG_F64);
    assert_int_equal(matrix.rank, 2);
    assert_int_equal(matrix.dtype, WG_I32);
    assert_int_equal(matrix.extent[0], 784);
    assert_int_equal(matrix.extent[1], 10);
    assert_int_equal(wg_f32(1, 2, 3, 4, 5, 6, 7, 8, 9).rank, 255);
}

static void version_is_three_numbers(void **state) {
    (void)state;
    int major, minor, patch;
    char rest;
    assert_int_equal(sscanf(wg_version(), "%d.%d.%d%c", &major, &minor, &patch, &rest), 3);
}

/* All strings of up to 9 bytes that have one bit set, or none: no two hashes agree. */
static void hashes_differ(void **state) {
    (void)state;
    uint64_t hash[512];
    size_t count = 0;
    for (size_t size = 0; size <= 9; size++)
        for (size_t bit = 0; bit <= 8 * size; bit++) {
            unsigned char bytes[10] = {0};
            if (bit < 8 * size) bytes[bit / 8] = (unsigned char)(1u << bit % 8);
            hash[count++] = hash_bytes(bytes, size, 0);
        }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) assert_true(hash[i] != hash[j]);
    assert_true(hash_bytes("abc", 3, 1) != hash_bytes("abc", 3, 2));
    assert_int_equal(hash_bytes("abc", 3, 1), hash_bytes("abcd", 3, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dtypes_have_names_and_sizes),
        cmocka_unit_test(elements_are_counted),
        cmocka_unit_test(tensors_are_given_back),
        cmocka_unit_test(impossible_tensors_are_refused),
        cmocka_unit_test(types_are_written_as_lists),
        cmocka_unit_test(version_is_three_numbers),
        cmocka_unit_test(hashes_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
