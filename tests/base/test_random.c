/* Random numbers against outputs of the published algorithms (computed apart, in Python, from the
 * papers' definitions), and in their moments. */
#include "wengert/data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void seeds_are_splitmix64(void **state) {
    (void)state;
    wg_random random = wg_random_seed(1234567);
    assert_true(random.state[0] == 6457827717110365317u);
    assert_true(random.state[1] == 3203168211198807973u);
    assert_true(random.state[2] == 9817491932198370423u);
    assert_true(random.state[3] == 4593380528125082431u);
}

static void bits_are_xoshiro256(void **state) {
    (void)state;
    static const uint64_t from_1234[] = {
        11520u,
        0u,
        1509978240u,
        1215971899390074240u,
        1216172134540287360u,
        607988272756665600u,
        16172922978634559625u,
        8476171486693032832u,
        10595114339597558777u,
        2904607092377533576u,
    };
    wg_random random = {{1, 2, 3, 4}};
    for (size_t i = 0; i < 10; i++) assert_true(wg_random_bits(&random) == from_1234[i]);

    static const uint64_t from_seed_42[] = {0x15780b2e0c2ec716, 0x6104d9866d113a7e,
                                            0xae17533239e499a1, 0xecb8ad4703b360a1,
                                            0xfde6dc7fe2ec5e64, 0xc50da53101795238};
    random = wg_random_seed(42);
    for (size_t i = 0; i < 6; i++) assert_true(wg_random_bits(&random) == from_seed_42[i]);
}

static void uniform_is_in_its_interval(void **state) {
    (void)state;
    wg_random random = wg_random_seed(1), most = {{0}};
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double u = wg_random_uniform(&random);
        assert_true(u >= 0 && u < 1);
        sum += u;
    }
    assert_true(fabs(sum / 100000 - 0.5) < 0.005);

    /* The state whose next 64 bits are all ones: rotl(s1 * 5, 7) * 9 = -1 */
    uint64_t ninth = 0x8E38E38E38E38E39u, fifth = 0xCCCCCCCCCCCCCCCDu; /* 1/9, 1/5 modulo 2^64 */
    uint64_t rotated = UINT64_MAX * ninth;
    most.state[1] = (rotated >> 7 | rotated << 57) * fifth;
    assert_true(wg_random_uniform(&most) == 1 - 0x1p-53);
}

static void normal_has_its_moments(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    wg_random random = wg_random_seed(2);
    double moment[5] = {0};
    for (int i = 0; i < COUNT; i++) {
        double x = wg_random_normal(&random), power = 1;
        for (int k = 0; k < 5; k++, power *= x) moment[k] += power / COUNT;
    }
    assert_true(fabs(moment[1]) < 0.01);
    assert_true(fabs(moment[2] - 1) < 0.02);
    assert_true(fabs(moment[3]) < 0.05);
    assert_true(fabs(moment[4] - 3) < 0.1);
}

static void below_is_fair(void **state) {
    (void)state;
    wg_random random = wg_random_seed(3);
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++) seen[wg_random_below(&random, 7)]++;
    for (int i = 0; i < 7; i++) assert_in_range(seen[i], 9600, 10400);

    /* Without rejection, the lower half of this bound would come up twice as often as the upper. */
    uint64_t bound = (uint64_t)3 << 62;
    int low = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t x = wg_random_below(&random, bound);
        assert_true(x < bound);
        low += x < (uint64_t)1 << 62;
    }
    assert_in_range(low, 3100, 3570);

    assert_true(wg_random_below(&random, 1) == 0);
    assert_true(wg_random_below(&random, 0) == 0);
}

static void permutations_are_whole_and_fair(void **state) {
    (void)state;
    wg_random random = wg_random_seed(4);
    uint32_t order[1000];
    unsigned char seen[1000] = {0};
    wg_random_permutation(&random, 1000, order);
    for (int i = 0; i < 1000; i++) {
        assert_in_range(order[i], 0, 999);
        assert_int_equal(seen[order[i]]++, 0);
    }

    int count[27] = {0}; /* by the three numbers as one of base 3 */
    for (int i = 0; i < 60000; i++) {
        wg_random_permutation(&random, 3, order);
        count[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    int kinds = 0;
    for (int i = 0; i < 27; i++) {
        if (count[i] == 0) continue;
        kinds++;
        assert_in_range(count[i], 9600, 10400);
    }
    assert_int_equal(kinds, 6);
    wg_random_permutation(&random, 0, NULL);
}

static void seeds_repeat(void **state) {
    (void)state;
    wg_random a = wg_random_seed(7), b = wg_random_seed(7), c = wg_random_seed(8);
    for (int i = 0; i < 100; i++) {
        double x = wg_random_normal(&a);
        assert_true(x == wg_random_normal(&b));
        assert_true(x != wg_random_normal(&c));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_are_splitmix64),
        cmocka_unit_test(bits_are_xoshiro256),
        cmocka_unit_test(uniform_is_in_its_interval),
        cmocka_unit_test(normal_has_its_moments),
        cmocka_unit_test(below_is_fair),
        cmocka_unit_test(permutations_are_whole_and_fair),
        cmocka_unit_test(seeds_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
