/* One program, natively and interpreted, at the sizes around which its loops change. */
#ifndef AROUND_H
#define AROUND_H

#include "native/bundle.h"

static const char exactly[] = "-O0 -ffp-contract=off";
/* Every loop is shared, in pieces that several threads get some of. */
static const char shared[] = "-O0 -ffp-contract=off -DWG_MUCH=0 -DWG_PIECE=32";
static const struct tolerance rounding = {1e-11, 1e-4};

static inline wg_program *with_size(const wg_program *p, int64_t n) {
    wg_error error = {0};
    char size[32];
    snprintf(size, sizeof size, "n=%lld", (long long)n);
    wg_program *fixed = wg_specialize(p, size, &error);
    assert_ok(error);
    return fixed;
}

static inline wg_function *compile(const wg_program *p, wg_backend backend, int threads,
                                   const char *flags) {
    wg_error error = {0};
    wg_options options = {.backend = backend, .threads = threads, .flags = flags};
    wg_function *fn = wg_compile(p, &options, &error);
    assert_ok(error);
    assert_string_equal(wg_function_note(fn), "");
    return fn;
}

/* How often the C of a program has these words. */
static inline size_t count_lowered(const wg_program *p, const char *words) {
    wg_error error = {0};
    wg_text text = {0};
    size_t count = 0;
    wg_show_lowered(p, &text, &error);
    assert_ok(error);
    for (const char *s = text.data; (s = strstr(s, words)); s++) count++;
    wg_text_free(&text);
    return count;
}

static inline void compare_at(const wg_program *p, const wg_function *native, const char *label,
                              int64_t n, struct tolerance allowed) {
    struct bundle *b = bundle_of_one(p, label);
    wg_function *interpreted = compile(p, WG_INTERPRET, 1, NULL);
    wg_random random = wg_random_seed((uint64_t)n);
    wg_tensor *in = random_inputs(p, n, &random);
    size_t off = bundle_compare(b, interpreted, native, n, in, allowed, "around");
    free_tensors(in, b->inputs);
    wg_function_free(interpreted);
    bundle_free(b);
    if (off) fail_msg("%s, n = %lld", label, (long long)n);
}

/* At these sizes; at the last one also with that as a number, by two threads, and optimised. */
static inline void compare_around(const wg_program *p, const char *label, const int64_t *size,
                                  size_t count) {
    int64_t last = size[count - 1];
    wg_program *fixed = with_size(p, last);
    wg_function *native[] = {compile(p, WG_NATIVE, 1, exactly),
                             compile(fixed, WG_NATIVE, 1, exactly),
                             compile(p, WG_NATIVE, 2, shared), compile(fixed, WG_NATIVE, 1, NULL)};
    for (size_t s = 0; s + 1 < count; s++)
        if (size[s] > 0 || !strstr(label, "max"))
            compare_at(p, native[0], label, size[s], same_bits);
    for (size_t k = 0; k < COUNT_OF(native); k++) {
        compare_at(p, native[k], label, last, k < 3 ? same_bits : rounding);
        wg_function_free(native[k]);
    }
    wg_program_free(fixed);
}

/* The same for its gradients; not where sanitizers look on, which takes long. */
static inline void compare_formula_around(const char *formula, const int64_t *size, size_t count) {
    wg_error error = {0};
    wg_program *p = test_parse(formula), *vjp = wg_vjp(p, NULL, NULL, &error);
    assert_ok(error);
    compare_around(p, formula, size, count);
    if (!getenv("WG_INSTRUMENTED")) compare_around(vjp, formula, size, count);
    wg_program_free(p);
    wg_program_free(vjp);
}

#endif
