/* Random programs and their derivatives as native code against the interpreter: the same bits
 * without optimisation, within rounding with it, at sizes 0, 1, 2, 17 and 700 from one build. Alone
 * and as parts of programs long enough to be cut into several functions. */
#include "native/bundle.h"
#include "support/random_program.h"

static const int64_t sizes[] = {0, 1, 2, 17, 700};
enum { SIZES = 5 };

/* Relative to the largest element of an output: products are contracted, and what follows them is
 * far from well conditioned. */
static const struct tolerance rounding = {1e-11, 0};

static size_t compare_at_sizes(const struct bundle *b, const wg_program *p, const char *flags,
                               struct tolerance allowed, const char *what) {
    wg_function *interpreted = bundle_compile(p, WG_INTERPRET, NULL);
    wg_function *native = bundle_compile(p, WG_NATIVE, flags);
    size_t different = 0;
    for (int s = 0; s < SIZES; s++) {
        wg_random random = wg_random_seed(10 + (uint64_t)s);
        wg_tensor *input = random_inputs(p, sizes[s], &random);
        different += bundle_compare(b, interpreted, native, sizes[s], input, allowed, what);
        free_tensors(input, wg_input_count(p));
    }
    wg_function_free(interpreted);
    wg_function_free(native);
    return different;
}

static void add(struct bundle *b, const wg_program *p, uint64_t seed, const char *kind) {
    char label[BUNDLE_LABEL];
    snprintf(label, sizeof label, "program %llu, %s", (unsigned long long)seed, kind);
    bundle_add(b, p, label);
}

/* The outputs of the last program are those of all three; each alone is fused in its own way. */
static void add_program(struct bundle *b, uint64_t seed, bool each) {
    wg_error error = {0};
    int length = seed % 25 ? 5 + (int)(seed % 5) : 30;
    wg_program *p = random_program(seed, length, false, NULL, &error);
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error), *jvp = wg_jvp(vjp, NULL, NULL, &error);
    assert_ok(error);
    if (each) add(b, p, seed, "value");
    if (each) add(b, vjp, seed, "vjp");
    add(b, jvp, seed, "jvp of vjp");
    wg_program_free(p);
    wg_program_free(vjp);
    wg_program_free(jvp);
}

/* Programs first, first + 1, ... in bundles of `together`. */
static void check_programs(uint64_t first, uint64_t count, uint64_t together, const char *flags,
                           struct tolerance allowed) {
    size_t different = 0;
    for (uint64_t seed = first; seed < first + count;) {
        struct bundle *b = bundle_new();
        for (uint64_t k = 0; k < together && seed < first + count; k++)
            add_program(b, seed++, together == 1);
        wg_program *p = bundle_build(b);
        different += compare_at_sizes(b, p, flags, allowed, flags ? flags : "optimised");
        wg_program_free(p);
        bundle_free(b);
    }
    assert_int_equal(different, 0);
}

static void programs_give_the_interpreters_bits(void **state) {
    (void)state;
    check_programs(1, 10, 1, "-O0 -ffp-contract=off", same_bits);
}

static void programs_of_several_functions_give_the_interpreters_bits(void **state) {
    (void)state;
    check_programs(11, 200, 50, "-O0 -ffp-contract=off", same_bits);
}

static void optimised_programs_are_within_rounding(void **state) {
    (void)state;
    check_programs(11, 200, 50, NULL, rounding);
    check_programs(1, 5, 1, NULL, rounding);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_give_the_interpreters_bits),
        cmocka_unit_test(programs_of_several_functions_give_the_interpreters_bits),
        cmocka_unit_test(optimised_programs_are_within_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
