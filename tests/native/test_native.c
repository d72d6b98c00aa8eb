/* Native code against the interpreter: bit for bit without optimisation, within rounding with it;
 * random programs and their derivatives, at sizes 0, 1, 2, 17 and 700 from one build. */
#include "support/random_program.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t sizes[] = {0, 1, 2, 17, 700};
enum { SIZES = 5, PROGRAMS = 12 };

static const wg_options exact = {.backend = WG_NATIVE, .flags = "-O0 -ffp-contract=off"};
static const wg_options fast = {.backend = WG_NATIVE};

static wg_function *native(const wg_program *p, const wg_options *options) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, options, &error);
    assert_string_equal(error.message, "");
    assert_string_equal(wg_function_note(fn), "");
    return fn;
}

static wg_tensor *run(const wg_function *fn, const wg_program *p, int64_t n,
                      const wg_tensor *input) {
    wg_error error = {0};
    wg_tensor *output = calloc(wg_output_count(p) + 1, sizeof *output);
    wg_run(fn, wg_size_count(p) ? &n : NULL, input, output, &error);
    assert_string_equal(error.message, "");
    return output;
}

/* The largest difference relative to the largest element; bits: none is allowed. */
static void compare(const wg_program *p, const wg_tensor *a, const wg_tensor *b, bool bits,
                    const char *what) {
    for (size_t i = 0; i < wg_output_count(p); i++) {
        int64_t count = wg_tensor_count(&a[i]);
        const double *x = a[i].data, *y = b[i].data;
        double scale = 1, worst = 0;
        if (a[i].dtype != WG_F64) {
            assert_memory_equal(x, y, (size_t)count * wg_dtype_size((wg_dtype)a[i].dtype));
            continue;
        }
        for (int64_t k = 0; k < count; k++) {
            bool same = memcmp(&x[k], &y[k], sizeof *x) == 0 || (x[k] != x[k] && y[k] != y[k]);
            if (bits && !same) {
                wg_text text = {0};
                wg_program_print(p, &text, NULL);
                fail_msg("%s, output %zu, element %lld: %.17g, native %.17g\n%s", what, i,
                         (long long)k, x[k], y[k], text.data);
            }
            if (isfinite(x[k])) scale = fmax(scale, fabs(x[k]));
            if (!same) worst = fmax(worst, fabs(x[k] - y[k]));
            if (isfinite(x[k]) != isfinite(y[k])) worst = INFINITY;
        }
        if (worst > 1e-11 * scale) fail_msg("%s, output %zu: off by %g", what, i, worst / scale);
    }
}

static void check(const wg_program *p, uint64_t seed, const char *what) {
    wg_error error = {0};
    wg_function *interpreted = wg_compile(p, NULL, &error);
    wg_function *plain = native(p, &exact), *optimised = native(p, &fast);
    for (int s = 0; s < SIZES; s++) {
        wg_random random = wg_random_seed(seed * 100 + (uint64_t)s);
        char text[128];
        snprintf(text, sizeof text, "program %llu, %s, n = %lld", (unsigned long long)seed, what,
                 (long long)sizes[s]);
        wg_tensor *input = random_inputs(p, sizes[s], &random);
        wg_tensor *expected = run(interpreted, p, sizes[s], input);
        wg_tensor *got = run(plain, p, sizes[s], input);
        compare(p, expected, got, true, text);
        free_tensors(got, wg_output_count(p));
        got = run(optimised, p, sizes[s], input);
        compare(p, expected, got, false, text);
        free_tensors(got, wg_output_count(p));
        free_tensors(expected, wg_output_count(p));
        free_tensors(input, wg_input_count(p));
    }
    wg_function_free(interpreted);
    wg_function_free(plain);
    wg_function_free(optimised);
}

static void random_programs_and_their_derivatives_give_the_interpreters_bits(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 10 + (int)seed % 40, false, NULL, &error);
        wg_program *vjp = wg_vjp(p, NULL, NULL, &error), *jvp = wg_jvp(vjp, NULL, NULL, &error);
        assert_string_equal(error.message, "");
        check(p, seed, "value");
        check(vjp, seed, "vjp");
        check(jvp, seed, "jvp of vjp");
        wg_program_free(p);
        wg_program_free(vjp);
        wg_program_free(jvp);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs_and_their_derivatives_give_the_interpreters_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
