/* Programs of f64 at a point, interpreted and by native code, for tests that compare derivatives of
 * many kinds: their outputs side by side in one struct, which memcmp compares. */
#ifndef RUN_BOTH_H
#define RUN_BOTH_H

#include "support/test.h"

#include <math.h>
#include <string.h>

enum { RUN_OUTPUTS = 6, RUN_MOST = 17 * 17 };

struct run { /* the outputs of a program; what they do not fill is 0 */
    double out[RUN_OUTPUTS][RUN_MOST];
};

/* |a - b| <= off (1 + |b|), which no NaN is. */
#define assert_near(a, b, off)                                                                     \
    do {                                                                                           \
        double a_ = (a), b_ = (b);                                                                 \
        if (!(fabs(a_ - b_) <= (off) * (1 + fabs(b_)))) fail_msg("%.17g is not %.17g", a_, b_);    \
    } while (0)

/* Sizes and inputs as the program has them; bytes, unless NULL: those of the workspace. False where
 * native code is not built in, and the interpreter has run. */
static inline bool run_by(const wg_program *p, wg_backend backend, const int64_t *size,
                          const void *const *in, struct run *r, size_t *bytes) {
    wg_error error = {0};
    wg_options options = {.backend = backend, .flags = "-O0 -ffp-contract=off"};
    wg_function *fn = wg_compile(p, &options, &error);
    assert_ok(error);
    bool absent = strstr(wg_function_note(fn), "WG_NATIVE_BACKEND");
    if (!absent) assert_string_equal(wg_function_note(fn), "");
    void *out[RUN_OUTPUTS];
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < RUN_OUTPUTS; i++) out[i] = r->out[i];
    if (bytes) wg_workspace_size(fn, size, bytes, &error);
    wg_call_with(fn, size, in, out, NULL, &error);
    assert_ok(error);
    wg_function_free(fn);
    return !absent;
}

/* Interpreted, and by native code: the same bits. */
static inline void run_both(const wg_program *p, const int64_t *size, const void *const *in,
                            struct run *r) {
    static struct run native;
    run_by(p, WG_INTERPRET, size, in, r, NULL);
    if (run_by(p, WG_NATIVE, size, in, &native, NULL))
        assert_memory_equal(r, &native, sizeof native);
}

#endif
