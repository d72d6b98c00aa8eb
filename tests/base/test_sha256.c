/* The digests of FIPS 180-4's own examples, and of pieces of every size. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_digest(struct sha256 *hash, const char *expected) {
    unsigned char digest[32];
    char hex[65];
    sha256_finish(hash, digest);
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(hex, expected);
}

static void known_digests(void **state) {
    (void)state;
    static const char *const known[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        struct sha256 hash = sha256_start();
        sha256_add(&hash, known[i][0], strlen(known[i][0]));
        assert_digest(&hash, known[i][1]);
    }
}

/* A million times "a", in pieces of 1 to 200 bytes. */
static void pieces_of_every_size(void **state) {
    (void)state;
    char a[200];
    memset(a, 'a', sizeof a);
    struct sha256 hash = sha256_start();
    size_t left = 1000000;
    for (size_t piece = 1; left > 0; piece = piece % sizeof a + 1) {
        size_t size = piece < left ? piece : left;
        sha256_add(&hash, a, size);
        left -= size;
    }
    assert_digest(&hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests),
        cmocka_unit_test(pieces_of_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
