/* Random numbers of programs: the known answers of Philox, which word stands where, ranges,
 * moments, and what a batch of keys draws. */
#include "evaluate.h"

#include "op/kernel/philox.h"

static void philox_gives_the_known_answers(void **state) {
    (void)state;
    /* From the tests of Random123: Philox4x32-10 on zeros, on ones, and on digits of pi. */
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        philox(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static wg_var integer(struct evaluate *e, const int64_t *number) {
    return evaluate_input(e, false, WG_I64, SHAPE(), number);
}

/* Element i of a draw is word i % 4 of the block i / 4, the counter in the upper half. */
static void words_stand_in_their_order(void **state) {
    (void)state;
    const int64_t key = 0x299f31d0a4093822, counter = -7;
    uint32_t word[12];
    for (uint32_t block = 0; block < 3; block++)
        philox((const uint32_t[]){block, 0, (uint32_t)-7, 0xffffffff},
               (const uint32_t[]){0xa4093822, 0x299f31d0}, word + 4 * block);
    struct evaluate e = evaluate_begin();
    evaluate(&e, wg_draw_bits(integer(&e, &key), integer(&e, &counter), wg_i32(5, 2)));
    assert_memory_equal(e.out.data, word, 10 * sizeof *word);
    evaluate_end(&e);
    e = evaluate_begin();
    evaluate(&e, wg_draw_bits(integer(&e, &key), integer(&e, &counter), wg_i64(5)));
    for (size_t i = 0; i < 5; i++)
        assert_true(((const uint64_t *)e.out.data)[i] ==
                    (word[2 * i] | (uint64_t)word[2 * i + 1] << 32));
    evaluate_end(&e);
}

static void keys_and_counters_of_a_shape_are_as_many_draws(void **state) {
    (void)state;
    const int64_t key = 3, counters[] = {0, 1, 2};
    struct evaluate all = evaluate_begin();
    evaluate(&all,
             wg_draw_normal(integer(&all, &key),
                            evaluate_input(&all, true, WG_I64, SHAPE(3), counters), wg_f64(5)));
    assert_int_equal(all.out.rank, 2);
    for (size_t i = 0; i < 3; i++) {
        struct evaluate one = evaluate_begin();
        evaluate(&one, wg_draw_normal(integer(&one, &key), integer(&one, &counters[i]), wg_f64(5)));
        assert_memory_equal((const double *)all.out.data + 5 * i, one.out.data, 5 * sizeof(double));
        evaluate_end(&one);
    }
    assert_memory_not_equal(all.out.data, (const double *)all.out.data + 5, 5 * sizeof(double));
    evaluate_end(&all);
}

enum { MANY = 40000 };

static double moment(const wg_tensor *t, int order) {
    double sum = 0;
    for (size_t i = 0; i < MANY; i++)
        sum += pow(t->dtype == WG_F64 ? ((const double *)t->data)[i]
                                      : (double)((const float *)t->data)[i],
                   order);
    return sum / MANY;
}

/* Moments within five standard deviations of what they estimate. */
static void numbers_have_their_distribution(void **state) {
    (void)state;
    for (int single = 0; single < 2; single++) {
        wg_type type = single ? wg_f32(MANY) : wg_f64(MANY);
        const int64_t key = 1, counter = 2;
        struct evaluate e = evaluate_begin();
        evaluate(&e, wg_draw_uniform(integer(&e, &key), integer(&e, &counter), type));
        for (size_t i = 0; i < MANY; i++) {
            double u = single ? (double)((const float *)e.out.data)[i]
                              : ((const double *)e.out.data)[i];
            assert_true(u >= 0 && u < 1);
        }
        assert_true(fabs(moment(&e.out, 1) - 1.0 / 2) < 5 * sqrt(1.0 / 12 / MANY));
        assert_true(fabs(moment(&e.out, 2) - 1.0 / 3) < 5 * sqrt(4.0 / 45 / MANY));
        evaluate_end(&e);
        e = evaluate_begin();
        evaluate(&e, wg_draw_normal(integer(&e, &key), integer(&e, &counter), type));
        assert_true(fabs(moment(&e.out, 1)) < 5 * sqrt(1.0 / MANY));
        assert_true(fabs(moment(&e.out, 2) - 1) < 5 * sqrt(2.0 / MANY));
        assert_true(fabs(moment(&e.out, 3)) < 5 * sqrt(15.0 / MANY));
        assert_true(fabs(moment(&e.out, 4) - 3) < 5 * sqrt(96.0 / MANY));
        evaluate_end(&e);
    }
}

/* The reparametrised mean of (m + s z)^2: the numbers are constants to every derivative. */
static void derivatives_pass_the_numbers_by(void **state) {
    (void)state;
    wg_error error = {0};
    const char formula[] = "f(s) = (draw_normal(i64(1), i64(2)) * s)^2";
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program *grad = wg_value_and_grad(p, NULL, &error);
    wg_function *fn = wg_compile(grad, NULL, &error);
    double s = 3, value = 0, derivative = 0;
    wg_call_with(fn, NULL, (const void *[]){&s}, (void *[]){&value, &derivative}, NULL, &error);
    assert_ok(error);
    assert_true(value > 0);
    assert_true(fabs(derivative - 2 * value / s) < 1e-12 * derivative);
    wg_function_free(fn);
    wg_program_free(grad);
    wg_program_free(p);
}

static void refused(wg_var (*draw)(struct evaluate *e), wg_status status, const char *message) {
    wg_error error = {0};
    struct evaluate e = evaluate_begin();
    evaluate_with(&e, draw(&e), &error);
    assert_int_equal(error.status, status);
    if (!strstr(error.message, message)) fail_msg("%s", error.message);
    evaluate_end(&e);
}

static const int64_t numbers[6];

static wg_var two_shapes(struct evaluate *e) {
    return wg_draw_uniform(evaluate_input(e, false, WG_I64, SHAPE(2), numbers),
                           evaluate_input(e, false, WG_I64, SHAPE(3), numbers), wg_f64(4));
}
static wg_var bits_of_f64(struct evaluate *e) {
    return wg_draw_bits(integer(e, numbers), integer(e, numbers), wg_f64(4));
}
static wg_var normal_integers(struct evaluate *e) {
    return wg_draw_normal(integer(e, numbers), integer(e, numbers), wg_i32(4));
}
static wg_var floating_key(struct evaluate *e) {
    return wg_draw_bits(wg_number(e->g, WG_F64, 1), integer(e, numbers), wg_i32(4));
}
static wg_var all_the_axes(struct evaluate *e) {
    return wg_draw_normal(integer(e, numbers), integer(e, numbers), wg_f64(1, 1, 1, 1, 1, 1, 1, 1));
}

static void errors_say_what_is_wrong(void **state) {
    (void)state;
    refused(two_shapes, WG_ESHAPE, "key i64[2] and counter i64[3]: both must be i64 of one shape");
    refused(bits_of_f64, WG_EDTYPE, "bits are drawn as i32 or i64");
    refused(normal_integers, WG_EDTYPE, "the numbers are f32 or f64");
    refused(floating_key, WG_EDTYPE, "the key is f64, not i32 or i64");
    refused(all_the_axes, WG_ESHAPE, "at most 7 axes are possible");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(words_stand_in_their_order),
        cmocka_unit_test(keys_and_counters_of_a_shape_are_as_many_draws),
        cmocka_unit_test(numbers_have_their_distribution),
        cmocka_unit_test(derivatives_pass_the_numbers_by),
        cmocka_unit_test(errors_say_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
