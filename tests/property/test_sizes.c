/* The golden programs with named sizes, each built and differentiated once and run at sizes 0, 1, 2
 * and 17: forward against reverse mode. */
#include "support/random_program.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static wg_program *golden(const char *file, const char *function, wg_error *error) {
    static char text[1 << 16];
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/golden/programs/%s.wg", WG_SOURCE_DIR, file);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t size = fread(text, 1, sizeof text, f);
    fclose(f);
    wg_parse_options options = {.function = function, .origin = file};
    return wg_parse(text, size, &options, error);
}

static void check_at(const wg_program *p, const wg_program *jvp, const wg_program *vjp, int64_t n) {
    wg_random random = wg_random_seed(7 + (uint64_t)n);
    size_t in = wg_input_count(p), out = wg_output_count(p);
    wg_tensor *forward = random_inputs(jvp, n, &random); /* x, x' */
    wg_tensor *reverse = random_inputs(vjp, n, &random); /* x, y' */
    for (size_t i = 0; i < in; i++)
        memcpy(reverse[i].data, forward[i].data,
               (size_t)wg_tensor_count(&forward[i]) * sizeof(double));
    wg_tensor *tangent = run_program(jvp, n, forward), *adjoint = run_program(vjp, n, reverse);
    double left = 0, right = 0, scale = 1;
    for (size_t i = 0; i < out; i++)
        left += inner_product(&tangent[out + i], &reverse[in + i], &scale);
    for (size_t i = 0; i < in; i++)
        right += inner_product(&adjoint[out + i], &forward[in + i], &scale);
    if (!(fabs(left - right) <= 1e-12 * scale))
        fail_msg("n = %lld: %.17g forward, %.17g in reverse", (long long)n, left, right);
    free_tensors(forward, wg_input_count(jvp));
    free_tensors(reverse, wg_input_count(vjp));
    free_tensors(tangent, wg_output_count(jvp));
    free_tensors(adjoint, wg_output_count(vjp));
}

static void golden_programs_run_at_every_size(void **state) {
    static const char *const program[][2] = {
        {"quadratic", "quad"},   {"gaussian", "bump"},       {"logistic", "loss"},
        {"logistic", "odds"},    {"logistic", "likelihood"}, {"shapes", "exponential"},
        {"shapes", "linear"},    {"where", "f"},             {"where", "g"},
    };
    static const int64_t sizes[] = {0, 1, 2, 17};
    (void)state;
    for (size_t i = 0; i < sizeof program / sizeof *program; i++) {
        wg_error error = {0};
        wg_program *p = golden(program[i][0], program[i][1], &error);
        wg_program *jvp = wg_jvp(p, NULL, NULL, &error), *vjp = wg_vjp(p, NULL, NULL, &error);
        assert_ok(error);
        assert_true(wg_size_count(p) > 0);
        for (int s = 0; s < 4; s++) check_at(p, jvp, vjp, sizes[s]);
        wg_program_free(p);
        wg_program_free(jvp);
        wg_program_free(vjp);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_programs_run_at_every_size)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
