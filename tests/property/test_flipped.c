/* Tests of the tests: the derivative drivers are compiled here against a table whose rule for one
 * operation and argument has its sign flipped. The checks that every operation passes must then
 * fail. */
#include "op/op.h"

static const struct op_def *flipped_op_def(unsigned op);
#define op_def(op) flipped_op_def(op)
#include "transform/jvp.c"
#include "transform/vjp.c"
#undef op_def

#include "support/op_check.h"
#include "support/test.h"

static unsigned flipped_op;
static size_t flipped_argument;
static struct op_def flipped;

static bool flip_applied; /* a derivative that vanishes everywhere has no sign to flip */

static value flip(const struct rule *r, value v) {
    flip_applied |= v != 0;
    return build_neg(r->g, v);
}

static value flipped_partial(const struct rule *r, size_t k) {
    value v = op_table[flipped_op]->partial(r, k);
    return k == flipped_argument ? flip(r, v) : v;
}

static value flipped_transpose(const struct rule *r, size_t k, value ct) {
    value v = op_table[flipped_op]->transpose(r, k, ct);
    return k == flipped_argument ? flip(r, v) : v;
}

static value flipped_jvp(const struct rule *r, const value *t) {
    return flip(r, op_table[flipped_op]->jvp(r, t));
}

static value flipped_vjp(const struct rule *r, size_t k, value ct) {
    value v = op_table[flipped_op]->vjp(r, k, ct);
    return k == flipped_argument ? flip(r, v) : v;
}

static const struct op_def *flipped_op_def(unsigned op) {
    if (op != flipped_op) return op_table[op];
    flipped = *op_table[op];
    if (flipped.partial) flipped.partial = flipped_partial;
    if (flipped.transpose) flipped.transpose = flipped_transpose;
    if (flipped.jvp) flipped.jvp = flipped_jvp;
    if (flipped.vjp) flipped.vjp = flipped_vjp;
    return &flipped;
}

static bool is_caught(unsigned op, const struct op_sample *sample) {
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct op_errors e = op_check(op, sample, seed);
        if (e.first > 1e-7 || e.second > 1e-7 || e.product > 1e-12) return true;
    }
    return false;
}

static void flipped_signs_are_caught(void **state) {
    (void)state;
    size_t tried = 0;
    for (unsigned op = 1; op < OP_COUNT; op++) {
        const struct op_def *def = op_table[op];
        if (!def->partial && !def->transpose && !def->jvp) continue;
        for (size_t k = 0; k < 3; k++) {
            bool caught = false;
            flip_applied = false;
            for (const struct op_sample *s = def->sample; s && (s->narg || s->make); s++) {
                if (k >= s->narg || !dtype_is_float(s->arg[k].dtype)) continue;
                flipped_op = OP_none;
                struct op_errors honest = op_check(op, s, 1);
                if (!honest.differentiable) continue;
                flipped_op = op;
                flipped_argument = k;
                caught |= is_caught(op, s);
                flipped_op = OP_none;
            }
            if (flip_applied && !caught)
                fail_msg("%s: a flipped sign in argument %zu goes unnoticed", def->name, k);
            tried += caught;
        }
    }
    assert_true(tried > 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(flipped_signs_are_caught)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
