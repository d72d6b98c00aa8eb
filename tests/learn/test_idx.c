/* IDX files: bytes to every element type, the digits that come with the sources, every lie. */
#include "support/failing_allocator.h"
#include "support/scratch.h"
#include "wengert/data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char small[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 2, 127, 128, 255};

static void bytes_become_numbers(void **state) {
    (void)state;
    static const int expected[6] = {0, 1, 2, 127, 128, 255};
    static const wg_dtype dtypes[] = {WG_I32, WG_I64, WG_F32, WG_F64};
    scratch_write("x", small, sizeof small);
    for (size_t d = 0; d < 4; d++) {
        struct failing_allocator f = {0};
        wg_allocator a = failing_hook(&f);
        wg_error error = {0};
        wg_tensor t;
        assert_int_equal(wg_idx_read("x", dtypes[d], 1.0 / 255, &a, &t, &error), WG_OK);
        assert_int_equal(t.dtype, dtypes[d]);
        assert_int_equal(t.rank, 2);
        assert_int_equal(t.shape[0], 2);
        assert_int_equal(t.shape[1], 3);
        for (int i = 0; i < 6; i++) {
            double scaled = expected[i] * (1.0 / 255);
            switch (t.dtype) {
            case WG_I32: assert_int_equal(((int32_t *)t.data)[i], expected[i]); break;
            case WG_I64: assert_int_equal(((int64_t *)t.data)[i], expected[i]); break;
            case WG_F32: assert_true(((float *)t.data)[i] == (float)scaled); break;
            default: assert_true(((double *)t.data)[i] == scaled); break;
            }
        }
        assert_int_equal(f.requests, 1); /* nothing beside the result */
        assert_int_equal(f.peak_bytes, 6 * wg_dtype_size(t.dtype));
        wg_tensor_free(&t, &a);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.wrong_sizes, 0);
    }
}

/* So large that a byte overwritten before it is read would show. */
static void widening_in_place_is_safe(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    unsigned char bytes[8 + COUNT] = {0, 0, 8, 1, 0, 0, COUNT >> 8, COUNT & 255};
    for (int i = 0; i < COUNT; i++) bytes[8 + i] = (unsigned char)(i * 7);
    scratch_write("x", bytes, sizeof bytes);
    wg_tensor t;
    assert_int_equal(wg_idx_read("x", WG_F64, 2, NULL, &t, NULL), WG_OK);
    for (int i = 0; i < COUNT; i++) assert_true(((double *)t.data)[i] == 2 * (i * 7 % 256));
    wg_tensor_free(&t, NULL);
}

static void empty_axes_and_full_rank_are_read(void **state) {
    (void)state;
    unsigned char bytes[4 + 8 * 4] = {0, 0, 8, 8};
    for (size_t axis = 0; axis < 8; axis++) bytes[4 + 4 * axis + 3] = axis == 5 ? 0 : 2;
    scratch_write("x", bytes, sizeof bytes);
    wg_tensor t;
    assert_int_equal(wg_idx_read("x", WG_F32, 1, NULL, &t, NULL), WG_OK);
    assert_int_equal(t.rank, 8);
    assert_int_equal(wg_tensor_count(&t), 0);
    assert_non_null(t.data);
    wg_tensor_free(&t, NULL);
}

static void digits_are_read(void **state) {
    (void)state;
    wg_error error = {0};
    wg_tensor images, labels;
    const char *folder = WG_SOURCE_DIR "/data/digits/";
    char path[1000];
    assert_true(strlen(folder) < 900);
    strcat(strcpy(path, folder), "train-images-idx3-ubyte");
    assert_int_equal(wg_idx_read(path, WG_F32, 1, NULL, &images, &error), WG_OK);
    strcat(strcpy(path, folder), "train-labels-idx1-ubyte");
    assert_int_equal(wg_idx_read(path, WG_I32, 1, NULL, &labels, &error), WG_OK);
    assert_int_equal(images.rank, 3);
    assert_int_equal(labels.rank, 1);
    assert_int_equal(images.shape[0], labels.shape[0]);
    for (int64_t i = 0; i < labels.shape[0]; i++)
        assert_in_range(((int32_t *)labels.data)[i], 0, 9);
    wg_tensor_free(&images, NULL);
    wg_tensor_free(&labels, NULL);
}

static const struct {
    unsigned char bytes[40];
    size_t size;
    const char *message;
} lies[] = {
    {"", 0, "x: ends after 0 bytes, 4 more expected"},
    {"\0\0\10", 3, "x: ends after 3 bytes, 1 more expected"},
    {"\x1F\x8B\10\0", 4, "x: is compressed; unpack it with gunzip"},
    {"PNG!", 4, "x: not an IDX file: begins with bytes 50 4e 47 21, not 00 00 08 rank"},
    {"\0\0\7\1", 4, "x: not an IDX file: begins with bytes 00 00 07 01, not 00 00 08 rank"},
    {"\0\1\10\1", 4, "x: not an IDX file: begins with bytes 00 01 08 01, not 00 00 08 rank"},
    {"\0\0\15\1", 4, "x: the elements are f32 (type 0x0d); only u8 (type 0x08) is read"},
    {"\0\0\11\1", 4, "x: the elements are i8 (type 0x09); only u8 (type 0x08) is read"},
    {"\0\0\10\0", 4, "x: the rank is 0; 1 to 8 is supported"},
    {"\0\0\10\11", 4, "x: the rank is 9; 1 to 8 is supported"},
    {"\0\0\10\2\0\0\0\1", 8, "x: ends after 8 bytes, 4 more expected"},
    {"\0\0\10\2\0\0\0\1\0", 9, "x: ends after 9 bytes, 3 more expected"},
    {"\0\0\10\2\0\0\0\2\0\0\0\3abcde", 17, "x: 6 bytes of data expected for u8[2,3], 5 there"},
    {"\0\0\10\2\0\0\0\2\0\0\0\3abcdefg", 19, "x: 6 bytes of data expected for u8[2,3], 7 there"},
    {"\0\0\10\2\xFF\xFF\xFF\xFF\0\0\0\1", 12,
     "x: 4294967295 bytes of data expected for u8[4294967295,1], 0 there"},
    {"\0\0\10\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12,
     "x: no memory holds as many elements as u8[4294967295,4294967295] says"},
    {"\0\0\10\3\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 16,
     "x: no memory holds as many elements as u8[0,4294967295,4294967295] says"},
};

static void lies_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct failing_allocator f = {0};
        wg_allocator a = failing_hook(&f);
        wg_error error = {0};
        wg_tensor t;
        memset(&t, 0xFF, sizeof t);
        scratch_write("x", lies[i].bytes, lies[i].size);
        assert_int_equal(wg_idx_read("x", WG_F32, 1, &a, &t, &error), WG_EFORMAT);
        assert_string_equal(error.message, lies[i].message);
        assert_null(t.data);
        assert_int_equal(f.requests, 0);
    }
}

static wg_status read_x(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_tensor t;
    wg_status status = wg_idx_read("x", WG_F32, 1, allocator, &t, NULL);
    wg_tensor_free(&t, allocator);
    return status;
}

static void reading_survives_every_failure(void **state) {
    (void)state;
    scratch_write("x", small, sizeof small);
    assert_int_equal(fail_every_request(read_x, NULL), 1);
}

static void senseless_arguments_are_refused(void **state) {
    (void)state;
    wg_error error = {0};
    wg_tensor t;
    assert_int_equal(wg_idx_read("x", WG_BOOL, 1, NULL, &t, &error), WG_EARGUMENT);
    assert_string_equal(error.message, "wg_idx_read: bytes become i32, i64, f32 or f64, not bool");
    assert_int_equal(wg_idx_read(NULL, WG_F32, 1, NULL, &t, NULL), WG_EARGUMENT);
    assert_int_equal(wg_idx_read("x", WG_F32, 1, NULL, NULL, NULL), WG_EARGUMENT);
    error = (wg_error){0};
    assert_int_equal(wg_idx_read("missing", WG_F32, 1, NULL, &t, &error), WG_EIO);
    assert_string_equal(error.message, "missing: No such file or directory");
    assert_int_equal(wg_idx_read("x", WG_F32, 1, NULL, &t, &error), WG_EIO);
    assert_null(t.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_numbers),
        cmocka_unit_test(widening_in_place_is_safe),
        cmocka_unit_test(empty_axes_and_full_rank_are_read),
        cmocka_unit_test(digits_are_read),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(reading_survives_every_failure),
        cmocka_unit_test(senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
