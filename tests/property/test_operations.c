/* Every operation of the table, through every check that needs neither compiler nor loops: an
 * operation without samples, or whose rules disagree with differences, cannot pass. */
#include "support/op_check.h"
#include "support/op_values.h"
#include "support/test.h"

#include <stdio.h>

static void check(unsigned op, const struct op_sample *sample, void *ctx) {
    (void)ctx;
    const char *name = op_def(op)->name, *note = sample->note ? sample->note : "";
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct op_errors e = op_check(op, sample, seed);
        if (e.first > 1e-7)
            fail_msg("%s (%s): gradient off differences by %.2g", name, note, e.first);
        if (e.second > 1e-7)
            fail_msg("%s (%s): Hessian off differences by %.2g", name, note, e.second);
        if (e.orders > 1e-10)
            fail_msg("%s (%s): orders of modes differ by %.2g", name, note, e.orders);
        if (e.product > 1e-12)
            fail_msg("%s (%s): forward and reverse differ by %.2g", name, note, e.product);
        if (e.batched > 1e-12)
            fail_msg("%s (%s): batched and loop differ by %.2g", name, note, e.batched);
        if (e.single > 1e-4) fail_msg("%s (%s): f32 and f64 differ by %.2g", name, note, e.single);
        if (e.single_second > 1e-4)
            fail_msg("%s (%s): Hessians of f32 and f64 differ by %.2g", name, note,
                     e.single_second);
    }
}

static void every_operation_agrees_with_differences(void **state) {
    (void)state;
    op_each_sample(check, NULL);
}

/* What floating results may be off, in epsilons of max(1, |y|). */
enum { MOST_EPSILONS = 16 };

/* For a type that an operation takes there is no way around this: whatever builds is run and
 * compared, and what the kernels of elementwise rows can do must have built. */
static void every_type_has_the_values_of_the_reference(void **state) {
    (void)state;
    for (unsigned op = 1; op < OP_COUNT; op++) {
        bool accepted[WG_DTYPE_COUNT] = {false};
        for (const struct op_sample *s = op_def(op)->sample; s && (s->narg || s->make); s++)
            for (uint64_t seed = 1; seed <= 4; seed++) {
                struct op_values v = op_values(op, s, seed);
                for (wg_dtype d = WG_BOOL; d <= WG_F64; d++) {
                    accepted[d] |= v.accepted[d];
                    if (!(v.error[d] <= MOST_EPSILONS))
                        fail_msg("%s (%s) giving %s: off the reference by %.3g", op_def(op)->name,
                                 s->note ? s->note : "", wg_dtype_name(d), v.error[d]);
                }
            }
        bool any = op == OP_input || op_def(op)->flags & OP_IN_MAKING ||
                   op_def(op)->class == REGION;
        for (wg_dtype d = WG_BOOL; d <= WG_F64; d++) {
            bool possible = op_kernel(op, d, WG_BOOL) || op_kernel(op, d, d);
            if (possible && !accepted[d])
                fail_msg("%s has a kernel for %s and no check of it", op_def(op)->name,
                         wg_dtype_name(d));
            any |= accepted[d];
        }
        if (!any) fail_msg("%s: no type was checked", op_def(op)->name);
    }
}

static void every_operation_has_samples(void **state) {
    (void)state;
    for (unsigned op = 1; op < OP_COUNT; op++) {
        const struct op_def *def = op_def(op);
        if (def->class == LEAF || def->class == REGION || def->flags & OP_IN_MAKING)
            continue; /* transform/test_loops.c */
        if (!def->sample || !(def->sample->narg || def->sample->make))
            fail_msg("%s has no sample for the tests", def->name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_has_samples),
        cmocka_unit_test(every_type_has_the_values_of_the_reference),
        cmocka_unit_test(every_operation_agrees_with_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
