/* Random programs: forward against reverse mode, derivatives against differences, batches against
 * loops, text against the program it came from; at sizes 0, 1, 2 and 17 from one build. Where modes
 * disagree, or a batch and its loop, the smallest program that shows it is printed. */
#include "support/random_program.h"
#include "support/shrink.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t sizes[] = {0, 1, 2, 17};
enum { SIZES = 4, PROGRAMS = 60 };

enum { HOLDS, NOT_BUILT, NOT_RUN, DISAGREES }; /* what checks for the shrinker find */

static int found(int failure, char *message, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (message) vsnprintf(message, SHRINK_MESSAGE, format, args);
    va_end(args);
    return failure;
}

static int compare_modes(const wg_program *p, const wg_program *jvp, const wg_program *vjp,
                         int64_t n, uint64_t seed, char *message) {
    wg_error error = {0};
    wg_random random = wg_random_seed(seed);
    size_t in = wg_input_count(p), out = wg_output_count(p);
    wg_tensor *forward = random_inputs(jvp, n, &random); /* x, x' */
    wg_tensor *reverse = random_inputs(vjp, n, &random); /* x, y' */
    for (size_t i = 0; i < in; i++)
        memcpy(reverse[i].data, forward[i].data,
               (size_t)wg_tensor_count(&forward[i]) * sizeof(double));
    wg_tensor *tangent = try_program(jvp, n, forward, &error);
    wg_tensor *adjoint = try_program(vjp, n, reverse, &error);
    double left = 0, right = 0, scale = 1;
    for (size_t i = 0; adjoint && i < out; i++)
        left += inner_product(&tangent[out + i], &reverse[in + i], &scale);
    for (size_t i = 0; adjoint && i < in; i++)
        right += inner_product(&adjoint[out + i], &forward[in + i], &scale);
    free_tensors(forward, wg_input_count(jvp));
    free_tensors(reverse, wg_input_count(vjp));
    free_tensors(tangent, wg_output_count(jvp));
    free_tensors(adjoint, wg_output_count(vjp));
    if (error.status) return found(NOT_RUN, message, "%s", error.message);
    if (fabs(left - right) <= 1e-12 * scale) return HOLDS;
    return found(DISAGREES, message, "n = %lld: <Jx', y'> = %.17g, <x', J'y'> = %.17g",
                 (long long)n, left, right);
}

static int check_modes(const wg_program *p, void *ctx, char *message) {
    uint64_t seed = *(const uint64_t *)ctx;
    wg_error error = {0};
    wg_program *jvp = wg_jvp(p, NULL, NULL, &error), *vjp = wg_vjp(p, NULL, NULL, &error);
    int failure = error.status ? found(NOT_BUILT, message, "%s", error.message) : HOLDS;
    for (int s = 0; s < SIZES && failure == HOLDS; s++)
        failure = compare_modes(p, jvp, vjp, sizes[s], seed * 100 + (uint64_t)s, message);
    wg_program_free(jvp);
    wg_program_free(vjp);
    return failure;
}

static void forward_and_reverse_mode_agree(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        wg_error error = {0};
        char what[32];
        wg_program *p = random_program(seed, 10 + (int)seed % 40, false, NULL, &error);
        assert_ok(error);
        snprintf(what, sizeof what, "program %d", (int)seed);
        assert_holds(p, check_modes, &seed, what);
        wg_program_free(p);
    }
}

static void check_reports_no_difference_on_smooth_programs(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 8 + (int)seed % 20, true, NULL, &error);
        assert_ok(error);
        for (int s = 0; s < SIZES; s++) {
            wg_random random = wg_random_seed(seed + 1000);
            wg_tensor *in = random_inputs(p, sizes[s], &random);
            wg_check_report report;
            wg_check_gradient(p, NULL, in, seed, &report, &error);
            assert_ok(error);
            if (!(report.difference <= 1e-7) || !(report.product <= 1e-12))
                fail_msg("program %llu at n = %lld: difference %.3g, product %.3g",
                         (unsigned long long)seed, (long long)sizes[s], report.difference,
                         report.product);
            free_tensors(in, wg_input_count(p));
        }
        wg_program_free(p);
    }
}

/* The Hessian of y is symmetric, and its product with a vector is hvp's. */
static void second_derivatives_agree(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS / 4; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 8 + (int)seed, true, NULL, &error);
        wg_program *hessian = wg_hessian(p, "d", &error), *hvp = wg_hvp(p, "d", &error);
        assert_ok(error);
        for (int s = 0; s < SIZES; s++) {
            wg_random random = wg_random_seed(seed + 77);
            wg_tensor *in = random_inputs(hvp, sizes[s], &random);
            wg_tensor *h = run_program(hessian, sizes[s], in), *v = run_program(hvp, sizes[s], in);
            const double *full = h[0].data, *product = v[0].data, *direction = in[4].data;
            assert_int_equal(wg_tensor_count(&h[0]), 81);
            for (int i = 0; i < 9; i++) {
                double sum = 0, scale = 1;
                for (int k = 0; k < 9; k++) {
                    sum += full[9 * i + k] * direction[k];
                    scale += fabs(full[9 * i + k]);
                    assert_true(fabs(full[9 * i + k] - full[9 * k + i]) <=
                                1e-11 * (1 + fabs(full[9 * i + k])));
                }
                assert_true(fabs(sum - product[i]) <= 1e-11 * scale);
            }
            free_tensors(in, wg_input_count(hvp));
            free_tensors(h, 1);
            free_tensors(v, 1);
        }
        wg_program_free(p);
        wg_program_free(hessian);
        wg_program_free(hvp);
    }
}

static void both_jacobian_modes_agree(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS / 2; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 8 + (int)seed % 20, false, NULL, &error);
        wg_program *forward = wg_jacobian(p, NULL, "b, d", WG_FORWARD, &error);
        wg_program *reverse = wg_jacobian(p, NULL, "b, d", WG_REVERSE, &error);
        assert_ok(error);
        size_t blocks = wg_output_count(forward);
        assert_int_equal(blocks, 4);
        for (int s = 0; s < SIZES; s++) {
            wg_random random = wg_random_seed(seed + 5);
            wg_tensor *in = random_inputs(p, sizes[s], &random);
            wg_tensor *f = run_program(forward, sizes[s], in),
                      *r = run_program(reverse, sizes[s], in);
            for (size_t i = 0; i < blocks; i++) {
                assert_string_equal(wg_output_name(forward, i), wg_output_name(reverse, i));
                assert_int_equal(wg_tensor_count(&f[i]), wg_tensor_count(&r[i]));
                for (int64_t k = 0; k < wg_tensor_count(&f[i]); k++) {
                    double a = ((double *)f[i].data)[k], b = ((double *)r[i].data)[k];
                    if (!(fabs(a - b) <= 1e-11 * (1 + fabs(a))))
                        fail_msg("program %llu, %s[%lld]: %.17g forward, %.17g in reverse",
                                 (unsigned long long)seed, wg_output_name(forward, i), (long long)k,
                                 a, b);
                }
            }
            free_tensors(in, wg_input_count(p));
            free_tensors(f, blocks);
            free_tensors(r, blocks);
        }
        wg_program_free(p);
        wg_program_free(forward);
        wg_program_free(reverse);
    }
}

enum { EXAMPLES = 3 };

/* One example of a batch against the program alone on it. */
static int compare_example(const wg_program *p, const wg_tensor *in, const wg_tensor *all,
                           int64_t n, int example, char *message) {
    wg_error error = {0};
    wg_tensor one[8];
    size_t inputs = wg_input_count(p), outputs = wg_output_count(p);
    assert_true(inputs <= 8);
    for (size_t i = 0; i < inputs; i++) {
        one[i] = in[i];
        if (in[i].rank == wg_input_type(p, i).rank) continue;
        one[i].rank--;
        memmove(one[i].shape, one[i].shape + 1, 7 * sizeof *one[i].shape);
        one[i].data = (double *)in[i].data + example * wg_tensor_count(&one[i]);
    }
    wg_tensor *single = try_program(p, n, one, &error);
    if (error.status) return found(NOT_RUN, message, "%s", error.message);
    int failure = HOLDS;
    for (size_t i = 0; i < outputs; i++) {
        int64_t count = wg_tensor_count(&single[i]);
        for (int64_t j = 0; j < count && failure == HOLDS; j++) {
            double a = ((double *)all[i].data)[example * count + j];
            double b = ((double *)single[i].data)[j];
            if (!(fabs(a - b) <= 1e-11 * (1 + fabs(b))))
                failure = found(DISAGREES, message, "n = %lld, %s: batched %.17g, alone %.17g",
                                (long long)n, wg_output_name(p, i), a, b);
        }
    }
    free_tensors(single, outputs);
    return failure;
}

static int check_batches(const wg_program *p, void *ctx, char *message) {
    uint64_t seed = *(const uint64_t *)ctx;
    wg_error error = {0};
    /* the shrinker may have taken b or d away */
    bool some = seed % 2 == 0 && wg_input_index(p, "b") >= 0 && wg_input_index(p, "d") >= 0;
    wg_program *mapped = wg_vmap(p, some ? "b, d" : NULL, "examples", &error);
    wg_program *fixed = wg_specialize(mapped, "examples=3", &error);
    int failure = error.status ? found(NOT_BUILT, message, "%s", error.message) : HOLDS;
    wg_random random = wg_random_seed(seed);
    for (int s = 0; s < SIZES && failure == HOLDS; s++) {
        wg_tensor *in = random_inputs(fixed, sizes[s], &random);
        wg_tensor *all = try_program(fixed, sizes[s], in, &error);
        if (error.status) failure = found(NOT_RUN, message, "%s", error.message);
        for (int k = 0; k < EXAMPLES && failure == HOLDS; k++)
            failure = compare_example(p, in, all, sizes[s], k, message);
        free_tensors(in, wg_input_count(p));
        free_tensors(all, wg_output_count(p));
    }
    wg_program_free(mapped);
    wg_program_free(fixed);
    return failure;
}

static void batched_programs_equal_loops(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        wg_error error = {0};
        char what[48];
        wg_program *p = random_program(seed, 8 + (int)seed % 20, false, NULL, &error);
        wg_program *grad = wg_value_and_grad(p, NULL, &error);
        assert_ok(error);
        snprintf(what, sizeof what, "program %d and its gradient", (int)seed);
        assert_holds(grad, check_batches, &seed, what);
        wg_program_free(p);
        wg_program_free(grad);
    }
}

static void programs_survive_print_and_read(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 10 + (int)seed, false, NULL, &error);
        wg_program *grad = wg_value_and_grad(p, NULL, &error), *both[] = {p, grad};
        assert_ok(error);
        for (int i = 0; i < 2; i++) {
            wg_text first = {0}, second = {0};
            wg_program_print(both[i], &first, &error);
            wg_program *again = wg_program_read(first.data, first.size, NULL, &error);
            wg_program_print(again, &second, &error);
            wg_program_verify(again, &error);
            assert_ok(error);
            assert_string_equal(first.data, second.data);
            wg_random random = wg_random_seed(seed);
            wg_tensor *in = random_inputs(p, 2, &random);
            wg_tensor *a = run_program(both[i], 2, in), *b = run_program(again, 2, in);
            for (size_t k = 0; k < wg_output_count(again); k++)
                assert_memory_equal(a[k].data, b[k].data,
                                    (size_t)wg_tensor_count(&a[k]) * sizeof(double));
            free_tensors(in, wg_input_count(p));
            free_tensors(a, wg_output_count(again));
            free_tensors(b, wg_output_count(again));
            wg_text_free(&first);
            wg_text_free(&second);
            wg_program_free(again);
        }
        wg_program_free(p);
        wg_program_free(grad);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_and_reverse_mode_agree),
        cmocka_unit_test(check_reports_no_difference_on_smooth_programs),
        cmocka_unit_test(second_derivatives_agree),
        cmocka_unit_test(both_jacobian_modes_agree),
        cmocka_unit_test(batched_programs_equal_loops),
        cmocka_unit_test(programs_survive_print_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
