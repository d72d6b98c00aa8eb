/* Texts that nobody writes: megabytes, deep brackets, calls that double, noise. They are read in
 * linear time or refused in a few lines, on a small stack; without memory they leave nothing. */
#include "support/failing_allocator.h"
#include "support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
enum { STACK = 1024 * 1024 }; /* frames of instrumented code are larger */
#else
enum { STACK = 256 * 1024 };
#endif

/* first part part ... part last */
static char *repeated(const char *first, const char *part, size_t count, const char *last) {
    size_t length = strlen(part);
    char *text = malloc(strlen(first) + count * length + strlen(last) + 1), *at = text;
    assert_non_null(text);
    at += sprintf(at, "%s", first);
    for (size_t i = 0; i < count; i++, at += length) memcpy(at, part, length);
    sprintf(at, "%s", last);
    return text;
}

/* What became of a text, read on a small stack: assertions belong to the test's own thread. */
struct reading {
    const char *text;
    size_t length; /* instructions of the program */
    wg_error error;
};

static void *read_text(void *ctx) {
    struct reading *r = ctx;
    wg_program *p = wg_parse(r->text, strlen(r->text), NULL, &r->error);
    r->length = p ? wg_program_length(p) : 0;
    wg_program_free(p);
    return NULL;
}

/* Frees the text. */
static struct reading read_on_small_stack(char *text) {
    struct reading reading = {.text = text};
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, read_text, &reading), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    free(text);
    return reading;
}

static void assert_length(char *text, size_t length) {
    struct reading reading = read_on_small_stack(text);
    assert_ok(reading.error);
    assert_int_equal(reading.length, length);
}

static void long_texts_are_read(void **state) {
    (void)state;
    const size_t n = 300000;
    assert_length(repeated("x", "+x", n, ""), n + 1);
    assert_length(repeated("x", "^x", n, ""), n + 1);
    assert_length(repeated("1", "+1", n, ""), 1);
    assert_length(repeated("", "-", n, "x"), 1);
    assert_length(repeated("", "not ", n, "true"), 1);
    assert_length(repeated("x", "'", n, ""), 1);
    assert_length(repeated("[", "1,", n, "]"), 1);
    assert_length(repeated("", "\n", n, "x"), 1);
    assert_length(repeated("#", "#", n, "\nx"), 1);
    assert_length(repeated("", "x", n, ""), 1);
    assert_length(repeated("f(x) = {", "let t = x\n", 1, "y = t\n}"), 1);
}

static void assert_refused(char *text, wg_status status, const char *first_line) {
    struct reading reading = read_on_small_stack(text);
    reading.error.message[strcspn(reading.error.message, "\n")] = 0;
    assert_string_equal(reading.error.message, first_line);
    assert_int_equal(reading.error.status, status);
}

/* f0 once, then each function calls the one before it twice. */
static char *doubling_calls(void) {
    char *text = malloc(40 * 40), *at = text;
    assert_non_null(text);
    at += sprintf(at, "f0(x) = x + 1\n");
    for (int i = 1; i < 40; i++) at += sprintf(at, "f%d(x) = f%d(x)*f%d(x)\n", i, i - 1, i - 1);
    return text;
}

static char *chained_calls(int count) {
    char *text = malloc((size_t)count * 40), *at = text;
    assert_non_null(text);
    at += sprintf(at, "f0(x) = x + 1\n");
    for (int i = 1; i < count; i++) at += sprintf(at, "f%d(x) = f%d(x)*2\n", i, i - 1);
    return text;
}

static void nesting_is_bounded(void **state) {
    (void)state;
    const size_t n = 100000;
    static const char brackets[] = "formula:1:257: brackets and calls nest deeper than 256 levels";
    assert_refused(repeated("", "(", n, "x"), WG_ESYNTAX, brackets);
    assert_refused(repeated("", "[", n, "x"), WG_ESYNTAX, brackets);
    assert_refused(repeated("1*", "sin(", n, "x"), WG_ESYNTAX,
                   "formula:1:1027: brackets and calls nest deeper than 256 levels");
    assert_refused(repeated("", "[1][", n, "x"), WG_ESYNTAX,
                   "formula:1:1022: brackets and calls nest deeper than 256 levels");
    assert_refused(chained_calls(1000), WG_ESYNTAX,
                   "formula:872:11: brackets and calls nest deeper than 256 levels");
    char *close = repeated("x", ")", 255, ""), *nested = repeated("", "sin(", 255, close);
    free(close);
    assert_length(nested, 256);
    close = repeated("0", "]", 250, "");
    nested = repeated("", "i64([0])[", 250, close);
    free(close);
    assert_length(nested, 251); /* one array, which all share */
    assert_length(chained_calls(128), 131);
    assert_refused(repeated("y = ", "if x > 0 then 1 else ", n, "x"), WG_ESYNTAX,
                   "formula:1:5363: brackets and calls nest deeper than 256 levels");
    assert_refused(repeated("y = 0\n", "if x > 0 {", n, ""), WG_ENAME,
                   "formula:2:1: this if changes nothing");
    assert_refused(repeated("y = 0; if x > y { y = 1 } ", "else if x > 0 { y = 2 }", n, ""),
                   WG_ESYNTAX, "formula:1:5889: brackets and calls nest deeper than 256 levels");
    close = repeated("y += x", " }", 24, "");
    nested = repeated("y = 0; ", "if x > 0 { ", 24, close);
    free(close);
    assert_length(nested, 7);
    close = repeated("y += x", " }", 25, "");
    nested = repeated("y = 0; ", "if x > 0 { ", 25, close);
    free(close);
    assert_refused(nested, WG_EOVERFLOW,
                   "formula:1:8: branch: nested too deep: 24 branches are the most, and a loop "
                   "counts for 3");
    close = repeated("y += x", " }", 9, "");
    nested = repeated("y = 0; ", "while x > 0 { ", 9, close);
    free(close);
    assert_refused(nested, WG_EOVERFLOW,
                   "formula:1:8: loop: nested too deep: 24 branches are the most, and a loop "
                   "counts for 3");
}

static void calls_are_bounded(void **state) {
    (void)state;
    assert_refused(doubling_calls(), WG_EOVERFLOW,
                   "formula:1:9: the calls of functions come to more than 10000000 tokens");
}

/* ---- faults ---------------------------------------------------------------------------------- */

static const char *const samples[] = {
    "f(x1, x2, x3) = {\n  y1 = x1*x3 + log(x2 + x1)*exp(-x3)\n  y2 = exp(-x2) + cos(x1*x3)\n}",
    "quad(x[n], A[n,n], b[n+1]: f32, c) = 0.5*x' @ A @ x - f64(b[:n])' @ x + c",
    ("g(a[n]) = { let s = a[::1]; p = s + n; q = [s[0], 2, pi] }\n"
     "(u, w) = g([1, 2, 3])\nr = sum([[1, 2], [3, 4]], axis=(0, -1), keep=true)*u[0]"),
    "where(x > 0 and not x == 2, sqrt(x), .5e3)^-2 - reshape(concat(y*[1], [1]), 2, -1)[0, [0]]",
    "\xCF\x83 = \xCE\xBB\xE2\x82\x81*softmax([1, 2], axis=-1)",
    ("g(a, b) = { c = a + b; d = a*b }\nf(x[n], A[n,n]) = {\n let a = 1; y = x; let B = A\n"
     " for i in reverse(0:n:2) { (a, t) = g(a, x[i]); y[i] += t; B[i, :] = y }\n"
     " while a > 1 limit 9 { if a > 2 { a = 0.5*a } else if a > 1.5 { a -= 1 } else { a = 0 } }\n"
     " z = a*sum(i in 0:n: max(j in 0:i+1: B[i, j])) }"),
    "let s = [1, 2]\nfor i in 0:2 { for j in 0:i64(x) { s[i] *= if s[0] > j0 then z else 1 } }\n"
    "y = s",
};

static const char *const refused[] = {
    "f(x) = sinn(x)\nf(alpha)",
    "f(x[n]) = x + [1, 2]\ng(x) = f(x)\ng([1, 2, 3])",
    "x + (y",
    "[1, 2][5] + $",
    "let s = 0\nfor i in 0:3 { if x > 0 { s += [1, 2] } }\ny = s",
    "let s = 0\nfor i in 0:3 { let t = s; s = if t > x then t }\ny = s",
};

static wg_status read_sample(const wg_allocator *allocator, void *ctx) {
    const char *text = ctx;
    wg_error error = {0};
    wg_parse_options options = {.allocator = allocator};
    wg_program_free(wg_parse(text, strlen(text), &options, &error));
    return error.status;
}

static wg_status read_formula(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_graph *g = wg_graph_new_with(allocator);
    if (!g) return WG_ENOMEM;
    wg_var x = wg_input(g, "x", wg_f64(3));
    wg_formula(g, "sq(t) = t*t\nlet s = [1, 2, x[0]]; sum(sq(x - s))", "x", x, NULL);
    wg_status status = wg_graph_error(g)->status;
    wg_graph_free(g);
    return status;
}

static void failed_requests_are_reported(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        assert_true(fail_every_request(read_sample, (void *)(uintptr_t)samples[i]) > 10);
    assert_true(fail_every_request(read_formula, NULL) > 10);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        size_t n = 0, requests;
        do { /* an error is told, this one or that, and nothing stays behind */
            struct failing_allocator failing = {.fail_at = ++n};
            wg_allocator hook = failing_hook(&failing);
            assert_int_not_equal(read_sample(&hook, (void *)(uintptr_t)refused[i]), WG_OK);
            assert_int_equal(failing.live_blocks, 0);
            requests = failing.requests;
        } while (requests >= n);
    }
}

/* Samples with some bytes changed, moved or dropped: read or refused, and nothing else. */
static void noise_is_refused(void **state) {
    (void)state;
    static const char signs[] = "()[]{}=,;:+-*/@^'<>!.#x1nv \n\xCF\x80\xFF";
    uint64_t seed = 1;
    int rounds = getenv("WG_INSTRUMENTED") ? 4000 : 20000; /* sanitizers slow them down */
    for (int round = 0; round < rounds; round++) {
        const char *sample = samples[(size_t)round % (sizeof samples / sizeof *samples)];
        size_t size = strlen(sample);
        char *text = malloc(size); /* its end is the end of the block: readers past it are seen */
        assert_non_null(text);
        memcpy(text, sample, size);
        for (int i = 0; i < 3 && size > 1; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            size_t at = (size_t)(seed >> 33) % size, other = (size_t)(seed >> 13) % size;
            if (seed >> 62 == 0)
                text[at] = text[other];
            else if (seed >> 62 == 1)
                text[at] = signs[other % (sizeof signs - 1)];
            else if (seed >> 62 == 2)
                memmove(text + at, text + at + 1, --size - at);
        }
        wg_error error = {0};
        wg_program *p = wg_parse(text, size, NULL, &error);
        assert_int_equal(p != NULL, error.status == WG_OK);
        assert_int_not_equal(error.status, WG_EINTERNAL);
        assert_int_not_equal(error.status, WG_ENOMEM);
        wg_program_free(p);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_texts_are_read), cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(calls_are_bounded),   cmocka_unit_test(failed_requests_are_reported),
        cmocka_unit_test(noise_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
