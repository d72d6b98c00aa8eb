/* .npy files: round trips, every header that NumPy writes, and every way to lie. */
#include "support/failing_allocator.h"
#include "support/scratch.h"
#include "wengert/data.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Writes w.npy: a front of the given version with this header, and `data` bytes 0, 1, 0, 1, ... */
static void write_file(int version, const char *header, size_t data) {
    unsigned char bytes[2000] = "\x93NUMPY";
    size_t length = strlen(header), at = 6;
    bytes[at++] = (unsigned char)version;
    bytes[at++] = 0;
    for (int i = 0; i < (version == 1 ? 2 : 4); i++) bytes[at++] = (unsigned char)(length >> 8 * i);
    memcpy(bytes + at, header, length);
    at += length;
    for (size_t i = 0; i < data; i++) bytes[at++] = i % 2;
    scratch_write("w.npy", bytes, at);
}

/* w.npy is refused with this status and message, and nothing is allocated for what it claims. */
static void expect_refusal(wg_status status, const char *message) {
    struct failing_allocator f = {0};
    wg_allocator a = failing_hook(&f);
    wg_error error = {0};
    wg_tensor tensor;
    memset(&tensor, 0xFF, sizeof tensor);
    assert_int_equal(wg_npy_read("w.npy", &a, &tensor, &error), status);
    assert_int_equal(error.status, status);
    assert_string_equal(error.message, message);
    assert_null(tensor.data);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.wrong_sizes, 0);
    assert_int_equal(wg_npy_read("w.npy", NULL, &tensor, NULL), status);
}

static void round_trips(void **state) {
    (void)state;
    static const double f64[6] = {1, -2.5, 3e300, 0, 1.0 / 3, -0.0};
    static const float f32[6] = {1, -2.5f, 3e30f, 0, 1.0f / 3, -0.0f};
    static const int64_t i64[6] = {1, -2, INT64_MAX, INT64_MIN, 0, 5};
    static const int32_t i32[6] = {1, -2, INT32_MAX, INT32_MIN, 0, 5};
    static const unsigned char bools[6] = {0, 1, 1, 0, 0, 1};
    const wg_tensor tensors[] = {
        {(void *)f64, WG_F64, 2, {2, 3}},
        {(void *)f32, WG_F32, 1, {6}},
        {(void *)i64, WG_I64, 3, {3, 1, 2}},
        {(void *)i32, WG_I32, 8, {1, 1, 2, 1, 3, 1, 1, 1}},
        {(void *)bools, WG_BOOL, 2, {6, 1}},
        {(void *)f64, WG_F64, 0, {0}},
        {NULL, WG_F32, 2, {0, 4}},
    };
    for (size_t i = 0; i < COUNT_OF(tensors); i++) {
        const wg_tensor *t = &tensors[i];
        wg_error error = {0};
        wg_tensor back;
        assert_int_equal(wg_npy_write("w.npy", t, &error), WG_OK);
        assert_int_equal(scratch_count(), 1);
        assert_int_equal(wg_npy_read("w.npy", NULL, &back, &error), WG_OK);
        assert_int_equal(back.dtype, t->dtype);
        assert_int_equal(back.rank, t->rank);
        assert_memory_equal(back.shape, t->shape, (size_t)t->rank * sizeof *t->shape);
        assert_non_null(back.data);
        size_t bytes = (size_t)wg_tensor_count(t) * wg_dtype_size(t->dtype);
        if (bytes > 0) assert_memory_equal(back.data, t->data, bytes);
        wg_tensor_free(&back, NULL);
    }
}

/* What numpy.save writes for numpy.array([[1.5, -2.0]]), byte for byte. */
static void files_are_as_numpy_writes_them(void **state) {
    (void)state;
    const struct {
        wg_tensor tensor;
        const char *header;
    } written[] = {
        {{(double[]){1.5, -2}, WG_F64, 2, {1, 2}},
         "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }"},
        {{(int32_t[]){7}, WG_I32, 1, {1}},
         "{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }"},
        {{(int64_t[]){7}, WG_I64, 0, {0}},
         "{'descr': '<i8', 'fortran_order': False, 'shape': (), }"},
    };
    for (size_t i = 0; i < COUNT_OF(written); i++) {
        const wg_tensor *t = &written[i].tensor;
        size_t bytes = (size_t)wg_tensor_count(t) * wg_dtype_size(t->dtype);
        char expected[256], got[256];
        memset(expected, ' ', sizeof expected);
        memcpy(expected, "\x93NUMPY\1\0\x76\0", 10);
        memcpy(expected + 10, written[i].header, strlen(written[i].header));
        expected[127] = '\n';
        memcpy(expected + 128, t->data, bytes);

        assert_int_equal(wg_npy_write("w.npy", t, NULL), WG_OK);
        FILE *file = fopen("w.npy", "rb");
        assert_non_null(file);
        assert_int_equal(fread(got, 1, sizeof got, file), 128 + bytes);
        fclose(file);
        assert_memory_equal(got, expected, 128 + bytes);
    }
}

static void largest_header_is_aligned(void **state) {
    (void)state;
    wg_tensor t = {NULL, WG_F64, 8, {0}}, back;
    wg_error error = {0};
    /* One extent is 0, so that there is no data; the others use up the digits that there are. */
    for (int i = 1; i < 8; i++) t.shape[i] = i < 4 ? 99999 : 1;
    assert_int_equal(wg_npy_write("w.npy", &t, &error), WG_OK);
    struct stat about;
    assert_int_equal(stat("w.npy", &about), 0);
    assert_int_equal(about.st_size, 128);
    assert_int_equal(wg_npy_read("w.npy", NULL, &back, &error), WG_OK);
    assert_memory_equal(back.shape, t.shape, sizeof t.shape);
    wg_tensor_free(&back, NULL);
}

static void headers_vary(void **state) {
    (void)state;
    static const char *const header[] = {
        "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }          \n",
        "{'shape': (2, 3), 'fortran_order': False, 'descr': '<i4'}",
        "{\"fortran_order\":False,\"shape\":(2,3,),\"descr\":\"=i4\",}\n",
        " { 'descr' : '<i4' , 'shape' : ( 2 , 3 ) , 'fortran_order' : False } \n\n",
    };
    for (int version = 1; version <= 3; version++)
        for (size_t i = 0; i < COUNT_OF(header); i++) {
            wg_error error = {0};
            wg_tensor tensor;
            write_file(version, header[i], 24);
            assert_int_equal(wg_npy_read("w.npy", NULL, &tensor, &error), WG_OK);
            assert_int_equal(tensor.dtype, WG_I32);
            assert_int_equal(tensor.rank, 2);
            assert_int_equal(tensor.shape[0], 2);
            assert_int_equal(tensor.shape[1], 3);
            assert_int_equal(((int32_t *)tensor.data)[5], 0x01000100);
            wg_tensor_free(&tensor, NULL);
        }
}

static const struct {
    const char *header;
    size_t data;
    const char *message;
} lies[] = {
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (10, 10), }", 792,
     "w.npy: 800 bytes of data expected for f64[10,10], 792 there"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 9,
     "w.npy: 8 bytes of data expected for f64, 9 there"},
    {"{'descr': '|b1', 'fortran_order': False, 'shape': (0,), }", 1,
     "w.npy: 0 bytes of data expected for bool[0], 1 there"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 8,
     "w.npy: no memory holds as many elements as f64[4294967296,4294967296] says"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296), }", 0,
     "w.npy: no memory holds as many elements as f64[0,4294967296,4294967296] says"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807,), }", 8,
     "w.npy: no memory holds as many elements as f64[9223372036854775807] says"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }", 8,
     "w.npy: 8000000000000000 bytes of data expected for f64[1000000000000000], 8 there"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775808,), }", 8,
     "w.npy: an axis in 'shape' is 2^63 or longer"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", 8,
     "w.npy: 'shape' has more than 8 axes"},
    {"{'descr': '<f8', 'fortran_order': True, 'shape': (1, 1), }", 8,
     "w.npy: the elements are in Fortran order; save numpy.ascontiguousarray(a)"},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (8,), }", 8,
     "w.npy: 'descr' is '|u1'; read are '|b1', '<i4', '<i8', '<f4' and '<f8' "
     "(convert with NumPy's astype)"},
    {"{'descr': '>f8', 'fortran_order': False, 'shape': (1,), }", 8,
     "w.npy: 'descr' is '>f8'; read are '|b1', '<i4', '<i8', '<f4' and '<f8' "
     "(convert with NumPy's astype)"},
    {"{'descr': '', 'fortran_order': False, 'shape': (1,), }", 8,
     "w.npy: 'descr' is ''; read are '|b1', '<i4', '<i8', '<f4' and '<f8' "
     "(convert with NumPy's astype)"},
    {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", 8,
     "w.npy: a structured array; save each of its fields in a file of its own"},
    {"{'descr': 8, 'fortran_order': False, 'shape': (1,), }", 8,
     "w.npy: byte 10 of the header: a string for 'descr' expected, '8' found"},
    {"{'descr': '<f8', 'fortran_order': 0, 'shape': (1,), }", 8,
     "w.npy: byte 34 of the header: True or False for 'fortran_order' expected, '0' found"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1), }", 8,
     "w.npy: byte 52 of the header: ',' after the length in 'shape' expected, ')' found"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", 8,
     "w.npy: byte 51 of the header: the length of an axis in 'shape' expected, '-' found"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (,), }", 8,
     "w.npy: byte 51 of the header: the length of an axis in 'shape' expected, ',' found"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (2 3), }", 8,
     "w.npy: byte 53 of the header: ',' after the length in 'shape' expected, '3' found"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3; }", 8,
     "w.npy: byte 55 of the header: ',' or ')' in 'shape' expected, ';' found"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': [1], }", 8,
     "w.npy: byte 50 of the header: '(' for 'shape' expected, '[' found"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)", 8,
     "w.npy: the header ends where ',' or '}' is expected"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,", 8,
     "w.npy: the header ends where the length of an axis in 'shape' is expected"},
    {"{'descr': '<f8", 8,
     "w.npy: the header ends where a letter or the end of a string is expected"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), } x", 8,
     "w.npy: byte 58 of the header: nothing after '}' expected, 'x' found"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), , }", 8,
     "w.npy: byte 56 of the header: the name of a field or '}' expected, ',' found"},
    {"{'descr' '<f8'}", 8, "w.npy: byte 9 of the header: ':' expected, ''' found"},
    {"{'descr': '<f8', 'shape': (1,), }", 8, "w.npy: the header has no field 'fortran_order'"},
    {"{}", 8, "w.npy: the header has no field 'descr'"},
    {"", 8, "w.npy: the header ends where '{' is expected"},
    {"[]", 8, "w.npy: byte 0 of the header: '{' expected, '[' found"},
    {"{'shape': (), 'shape': ()}", 8, "w.npy: the header's field 'shape' is there twice"},
    {"{'colour': 'red'}", 8, "w.npy: the header's field 'colour' is unknown"},
    {"{'a\033[31m': 1}", 8,
     "w.npy: byte 3 of the header: a letter or the end of a string expected, code 27 found"},
};

static void lies_are_refused(void **state) {
    (void)state;
    for (int version = 1; version <= 3; version++)
        for (size_t i = 0; i < COUNT_OF(lies); i++) {
            write_file(version, lies[i].header, lies[i].data);
            expect_refusal(WG_EFORMAT, lies[i].message);
        }
}

static void bools_are_0_or_1(void **state) {
    (void)state;
    char bytes[] = "\x93NUMPY\1\0\x36\0"
                   "{'descr':'|b1','fortran_order':False,'shape':(3,)}   \n"
                   "\1\0\2";
    scratch_write("w.npy", bytes, sizeof bytes - 1);
    expect_refusal(WG_EFORMAT, "w.npy: element 2 is 2, but a bool is 0 or 1");
}

static void fronts_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } fronts[] = {
        {"", 0, "w.npy: 0 bytes are too few for a .npy file"},
        {"\x93NUMPY\1\0\x76", 9, "w.npy: 9 bytes are too few for a .npy file"},
        {"PK\3\4 an archive", 14, "w.npy: not a .npy file: does not begin with \\x93NUMPY"},
        {"\x93NUMPY\0\0\0\0", 10, "w.npy: version 0.0 of the format; 1.0 to 3.0 are read"},
        {"\x93NUMPY\4\0\0\0\0\0", 12, "w.npy: version 4.0 of the format; 1.0 to 3.0 are read"},
        {"\x93NUMPY\1\1\0\0", 10, "w.npy: version 1.1 of the format; 1.0 to 3.0 are read"},
        {"\x93NUMPY\1\0\3\0{}", 12, "w.npy: a header of 3 bytes expected, 2 there"},
        {"\x93NUMPY\2\0\0\0", 10, "w.npy: ends after 10 bytes, 2 more expected"},
        {"\x93NUMPY\2\0\xFF\xFF\xFF\xFF{}", 14,
         "w.npy: a header of 4294967295 bytes expected, 2 there"},
    };
    for (size_t i = 0; i < COUNT_OF(fronts); i++) {
        scratch_write("w.npy", fronts[i].bytes, fronts[i].size);
        expect_refusal(WG_EFORMAT, fronts[i].message);
    }
    static char large[20000] = "\x93NUMPY\1\0\x11\x27"; /* 10001 bytes */
    scratch_write("w.npy", large, sizeof large);
    expect_refusal(WG_EFORMAT, "w.npy: a header of 10001 bytes; at most 10000 are read");
}

/* Every file that a good one becomes by the loss of its end. */
static void truncated_files_are_refused(void **state) {
    (void)state;
    wg_tensor t = {(double[]){1, 2, 3}, WG_F64, 1, {3}};
    char bytes[200];
    assert_int_equal(wg_npy_write("w.npy", &t, NULL), WG_OK);
    FILE *file = fopen("w.npy", "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(size, 152);
    for (size_t cut = 0; cut < size; cut++) {
        scratch_write("w.npy", bytes, cut);
        wg_tensor back;
        assert_int_equal(wg_npy_read("w.npy", NULL, &back, NULL), WG_EFORMAT);
    }
}

static void what_is_no_file_is_refused(void **state) {
    (void)state;
    unlink("w.npy");
    expect_refusal(WG_EIO, "w.npy: No such file or directory");
    assert_int_equal(mkdir("w.npy", 0700), 0);
    expect_refusal(WG_EIO, "w.npy: Is a directory");
    wg_error error = {0};
    wg_tensor t = {(double[]){1}, WG_F64, 0, {0}};
    assert_int_equal(wg_npy_write("w.npy", &t, &error), WG_EIO);
    assert_string_equal(error.message, "w.npy: Is a directory");
    assert_int_equal(rmdir("w.npy"), 0);
    assert_int_equal(mkfifo("w.npy", 0600), 0);
    expect_refusal(WG_EIO, "w.npy: Not a regular file; copy its content into one");
    unlink("w.npy");
}

static wg_status read_w(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_tensor tensor;
    wg_status status = wg_npy_read("w.npy", allocator, &tensor, NULL);
    wg_tensor_free(&tensor, allocator);
    return status;
}

static void reading_survives_every_failure(void **state) {
    (void)state;
    wg_tensor t = {(double[]){1, 2, 3}, WG_F64, 1, {3}};
    assert_int_equal(wg_npy_write("w.npy", &t, NULL), WG_OK);
    assert_int_equal(fail_every_request(read_w, NULL), 1);
}

static void writing_replaces_whole_files(void **state) {
    (void)state;
    wg_tensor t = {(double[]){1, 2, 3}, WG_F64, 1, {3}}, back;
    wg_error error = {0};
    unlink("w.npy");
    assert_int_equal(wg_npy_write("missing/w.npy", &t, &error), WG_EIO);
    assert_string_equal(error.message, "missing/w.npy: No such file or directory");

    /* The permissions of what was there stay; so does what a link points from. */
    struct stat about;
    scratch_write("w.npy", "old", 3);
    assert_int_equal(chmod("w.npy", 0640), 0);
    assert_int_equal(wg_npy_write("w.npy", &t, NULL), WG_OK);
    assert_int_equal(stat("w.npy", &about), 0);
    assert_int_equal(about.st_mode & 07777, 0640);
    assert_int_equal(symlink("w.npy", "link.npy"), 0);
    t.shape[0] = 2;
    assert_int_equal(wg_npy_write("link.npy", &t, NULL), WG_OK);
    assert_int_equal(wg_npy_read("w.npy", NULL, &back, NULL), WG_OK);
    assert_int_equal(back.shape[0], 2);
    wg_tensor_free(&back, NULL);
    assert_int_equal(lstat("link.npy", &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    unlink("link.npy");
    assert_int_equal(scratch_count(), 1);

    /* Where writing fails, what was there stays, and nothing else is left. */
    struct rlimit old, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none = (struct rlimit){.rlim_cur = 100, .rlim_max = old.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    error = (wg_error){0};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    wg_status status = wg_npy_write("w.npy", &t, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, WG_EIO);
    assert_string_equal(error.message, "w.npy: File too large");
    assert_int_equal(scratch_count(), 1);
    assert_int_equal(wg_npy_read("w.npy", NULL, &back, NULL), WG_OK);
    wg_tensor_free(&back, NULL);
}

/* Pipes and devices are written to, not replaced. */
static void writing_goes_through_what_is_no_file(void **state) {
    (void)state;
    wg_tensor t = {(double[]){1}, WG_F64, 0, {0}};
    wg_error error = {0};
    struct stat about;
    char bytes[200];
    unlink("w.npy");
    assert_int_equal(mkfifo("w.npy", 0600), 0);
    int pipe = open("w.npy", O_RDWR | O_NONBLOCK);
    assert_true(pipe >= 0);
    assert_int_equal(wg_npy_write("w.npy", &t, &error), WG_OK);
    assert_int_equal(read(pipe, bytes, sizeof bytes), 136);
    close(pipe);
    assert_int_equal(lstat("w.npy", &about), 0);
    assert_true(S_ISFIFO(about.st_mode));
    unlink("w.npy");

    /* By way of a link, so that a mistake could not replace the device. */
    assert_int_equal(symlink("/dev/full", "w.npy"), 0);
    assert_int_equal(wg_npy_write("w.npy", &t, &error), WG_EIO);
    assert_string_equal(error.message, "w.npy: No space left on device");
    unlink("w.npy");
}

static void senseless_arguments_are_refused(void **state) {
    (void)state;
    wg_tensor t = {NULL, WG_F64, 1, {3}}, wide = {NULL, WG_F64, 9, {0}};
    wg_error error = {0};
    assert_int_equal(wg_npy_read(NULL, NULL, &t, &error), WG_EARGUMENT);
    assert_string_equal(error.message, "wg_npy_read: path or tensor is NULL");
    assert_int_equal(wg_npy_read("w.npy", NULL, NULL, NULL), WG_EARGUMENT);
    assert_int_equal(wg_npy_write(NULL, &t, NULL), WG_EARGUMENT);
    assert_int_equal(wg_npy_write("w.npy", NULL, NULL), WG_EARGUMENT);
    t = (wg_tensor){NULL, WG_F64, 1, {3}};
    error = (wg_error){0};
    assert_int_equal(wg_npy_write("w.npy", &t, &error), WG_EARGUMENT);
    assert_string_equal(error.message, "w.npy: the tensor to write has no data");
    error = (wg_error){0};
    assert_int_equal(wg_npy_write("w.npy", &wide, &error), WG_EARGUMENT);
    assert_string_equal(error.message, "w.npy: the tensor to write has no valid dtype or shape");

    /* After an error nothing is done. */
    unlink("w.npy");
    assert_int_equal(wg_npy_write("w.npy", &t, &error), WG_EARGUMENT);
    assert_int_equal(wg_npy_read("w.npy", NULL, &t, &error), WG_EARGUMENT);
    assert_int_equal(scratch_count(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(files_are_as_numpy_writes_them),
        cmocka_unit_test(largest_header_is_aligned),
        cmocka_unit_test(headers_vary),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(bools_are_0_or_1),
        cmocka_unit_test(fronts_are_checked),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(reading_survives_every_failure),
        cmocka_unit_test(writing_replaces_whole_files),
        cmocka_unit_test(writing_goes_through_what_is_no_file),
        cmocka_unit_test(senseless_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
