/* The shrinker, on failures that are made up: what is left must be what a person would have
 * written. */
#include "support/random_program.h"
#include "support/shrink.h"
#include "support/test.h"

#include "op/op.h"

#include <stdlib.h>
#include <string.h>

/* The failure: a sine of a product. With a square root somewhere it is another one. */
static int sine_of_product(const wg_program *p, void *ctx, char *message) {
    const struct trace *t = &p->t;
    bool product = false, root = false;
    (void)ctx;
    (void)message;
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        product |= i->op == OP_sin && instr_at(t, args_of(t, i)[0])->op == OP_mul;
        root |= i->op == OP_sqrt;
    }
    return product ? 1 + root : 0;
}

static void text_is_shrunk_to_the_line(void **state) {
    (void)state;
    static const char text[] = "wengert 1\n"
                               "size n\n"
                               "size m\n"
                               "require 1 <= m at \"a.wg\":9:9\n"
                               "%1 = input \"x\" : f64[n,3] at \"50%1 : at \\\".wg\":1:2\n"
                               "%2 = input \"unused\" : f64[m]\n"
                               "%3 = exp %1 : f64[n,3] at \"a.wg\":1:3\n"
                               "%4 = mul %1 %3 : f64[n,3] at \"a.wg\":1:4 tangent %3\n"
                               "%5 = exp %4 : f64[n,3]\n"
                               "%6 = mul %4 %5 : f64[n,3] adjoint %4\n"
                               "%7 = sin %6 : f64[n,3]\n"
                               "%8 = sum {2} %7 : f64[n]\n"
                               "%9 = sum {1} %2 : f64\n"
                               "output \"y\" %8\n"
                               "output \"z\" %6\n"
                               "output \"w\" %9\n";
    static const char smallest[] = "wengert 1\n"
                                   "size n\n"
                                   "%1 = input \"v2\" : f64[n,3]\n"
                                   "%2 = input \"v1\" : f64[n,3]\n"
                                   "%3 = mul %1 %2 : f64[n,3]\n"
                                   "%4 = sin %3 : f64[n,3]\n"
                                   "output \"y\" %4\n";
    wg_error error = {0};
    wg_program *p = wg_program_read(text, strlen(text), NULL, &error);
    assert_ok(error);
    char *shrunk = shrink_program(p, sine_of_product, NULL);
    assert_string_equal(shrunk, smallest);
    free(shrunk);
    wg_program_free(p);
}

/* Of random programs of some hundred instructions two inputs or one are left, the product, the
 * sine, and, where that belongs to the failure, the root with what joins both. */
static void little_is_left_of_random_programs(void **state) {
    (void)state;
    size_t shown[3] = {0};
    for (uint64_t seed = 1; seed <= 30; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 20 + (int)seed, false, NULL, &error);
        assert_ok(error);
        int failure = sine_of_product(p, NULL, NULL);
        shown[failure]++;
        if (failure) {
            char *text = shrink_program(p, sine_of_product, NULL);
            wg_program *smallest = wg_program_read(text, strlen(text), NULL, &error);
            assert_ok(error);
            assert_int_equal(sine_of_product(smallest, NULL, NULL), failure);
            assert_true(wg_output_count(smallest) <= (size_t)failure);
            if (wg_program_length(smallest) > (failure == 1 ? 4 : 10))
                fail_msg("program %d: more is left than needed:\n%s", (int)seed, text);
            free(text);
            wg_program_free(smallest);
        }
        wg_program_free(p);
    }
    assert_true(shown[1] && shown[2]);
}

static void a_program_that_is_fine_passes(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = wg_parse("sin(x)", 6, NULL, &error);
    assert_ok(error);
    assert_holds(p, sine_of_product, NULL, "a sine");
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_shrunk_to_the_line),
        cmocka_unit_test(little_is_left_of_random_programs),
        cmocka_unit_test(a_program_that_is_fine_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
