/* Random programs: forward against reverse mode, derivatives against differences, batches against
 * loops, text against the program it came from; at sizes 0, 1, 2 and 17 from one build. */
#include "support/random_program.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t sizes[] = {0, 1, 2, 17};
enum { SIZES = 4, PROGRAMS = 60 };

static double dot(const wg_tensor *a, const wg_tensor *b, double *scale) {
    double sum = 0;
    for (int64_t i = 0; i < wg_tensor_count(a); i++) {
        double term = ((const double *)a->data)[i] * ((const double *)b->data)[i];
        sum += term;
        *scale += fabs(term);
    }
    return sum;
}

static void forward_and_reverse_mode_agree(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 10 + (int)seed % 40, false, NULL, &error);
        wg_program *jvp = wg_jvp(p, NULL, NULL, &error), *vjp = wg_vjp(p, NULL, NULL, &error);
        assert_ok(error);
        for (int s = 0; s < SIZES; s++) {
            wg_random random = wg_random_seed(seed * 100 + (uint64_t)s);
            size_t in = wg_input_count(p), out = wg_output_count(p);
            wg_tensor *forward = random_inputs(jvp, sizes[s], &random); /* x, x' */
            wg_tensor *reverse = random_inputs(vjp, sizes[s], &random); /* x, y' */
            for (size_t i = 0; i < in; i++)
                memcpy(reverse[i].data, forward[i].data, (size_t)wg_tensor_count(&forward[i]) * sizeof(double));
            wg_tensor *tangent = run_program(jvp, sizes[s], forward);
            wg_tensor *adjoint = run_program(vjp, sizes[s], reverse);
            double left = 0, right = 0, scale = 1;
            for (size_t i = 0; i < out; i++) left += dot(&tangent[out + i], &reverse[in + i], &scale);
            for (size_t i = 0; i < in; i++) right += dot(&adjoint[out + i], &forward[in + i], &scale);
            if (!(fabs(left - right) <= 1e-12 * scale))
                fail_msg("program %llu at n = %lld: <Jx', y'> = %.17g, <x', J'y'> = %.17g",
                         (unsigned long long)seed, (long long)sizes[s], left, right);
            free_tensors(forward, wg_input_count(jvp));
            free_tensors(reverse, wg_input_count(vjp));
            free_tensors(tangent, wg_output_count(jvp));
            free_tensors(adjoint, wg_output_count(vjp));
        }
        wg_program_free(p);
        wg_program_free(jvp);
        wg_program_free(vjp);
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
            wg_check_gradient(p, in, seed, &report, &error);
            assert_ok(error);
            if (!(report.difference <= 1e-7) || !(report.product <= 1e-12))
                fail_msg("program %llu at n = %lld: difference %.3g, product %.3g",
                         (unsigned long long)seed, (long long)sizes[s], report.difference, report.product);
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
                    assert_true(fabs(full[9 * i + k] - full[9 * k + i]) <= 1e-11 * (1 + fabs(full[9 * i + k])));
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
            wg_tensor *f = run_program(forward, sizes[s], in), *r = run_program(reverse, sizes[s], in);
            for (size_t i = 0; i < blocks; i++) {
                assert_string_equal(wg_output_name(forward, i), wg_output_name(reverse, i));
                assert_int_equal(wg_tensor_count(&f[i]), wg_tensor_count(&r[i]));
                for (int64_t k = 0; k < wg_tensor_count(&f[i]); k++) {
                    double a = ((double *)f[i].data)[k], b = ((double *)r[i].data)[k];
                    if (!(fabs(a - b) <= 1e-11 * (1 + fabs(a))))
                        fail_msg("program %llu, %s[%lld]: %.17g forward, %.17g in reverse",
                                 (unsigned long long)seed, wg_output_name(forward, i), (long long)k, a, b);
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

static void batched_programs_equal_loops(void **state) {
    (void)state;
    enum { EXAMPLES = 3 };
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        wg_error error = {0};
        const char *over = seed % 2 ? NULL : "b, d";
        wg_program *p = random_program(seed, 8 + (int)seed % 20, false, NULL, &error);
        wg_program *grad = wg_value_and_grad(p, NULL, &error), *mapped = wg_vmap(grad, over, "examples", &error);
        wg_program *fixed = wg_specialize(mapped, "examples=3", &error);
        assert_ok(error);
        wg_random random = wg_random_seed(seed);
        for (int s = 0; s < SIZES; s++) {
            size_t inputs = wg_input_count(p), outputs = wg_output_count(grad);
            wg_tensor *in = random_inputs(fixed, sizes[s], &random), one[4];
            wg_tensor *all = run_program(fixed, sizes[s], in);
            for (int k = 0; k < EXAMPLES; k++) {
                for (size_t i = 0; i < inputs; i++) {
                    one[i] = in[i];
                    if (in[i].rank == wg_input_type(p, i).rank) continue;
                    one[i].rank--;
                    memmove(one[i].shape, one[i].shape + 1, 7 * sizeof *one[i].shape);
                    one[i].data = (double *)in[i].data + k * wg_tensor_count(&one[i]);
                }
                wg_tensor *single = run_program(grad, sizes[s], one);
                for (size_t i = 0; i < outputs; i++) {
                    int64_t count = wg_tensor_count(&single[i]);
                    for (int64_t j = 0; j < count; j++) {
                        double a = ((double *)all[i].data)[k * count + j], b = ((double *)single[i].data)[j];
                        if (!(fabs(a - b) <= 1e-11 * (1 + fabs(b))))
                            fail_msg("program %llu, %s: batched %.17g, alone %.17g",
                                     (unsigned long long)seed, wg_output_name(grad, i), a, b);
                    }
                }
                free_tensors(single, outputs);
            }
            free_tensors(in, inputs);
            free_tensors(all, outputs);
        }
        wg_program_free(p);
        wg_program_free(grad);
        wg_program_free(mapped);
        wg_program_free(fixed);
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
                assert_memory_equal(a[k].data, b[k].data, (size_t)wg_tensor_count(&a[k]) * sizeof(double));
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
