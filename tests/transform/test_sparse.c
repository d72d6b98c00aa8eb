/* Sparse Jacobians and Hessians against dense ones: every sample of every operation, random
 * programs, and shapes with nothing, too much, or the wrong proportions in them. */
#include "support/op_check.h"
#include "support/op_values.h"
#include "support/random_program.h"
#include "support/sparse_check.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- operations ------------------------------------------------------------------------------ */

/* Whether an entry is 0 at no ordinary point: not where one argument or element is chosen, nor where
 * triangles are joined to whole matrices. */
static bool is_exact(unsigned op) {
    return op_def(op)->class != ELEMENTWISE && op != OP_reduce_max &&
           !(op >= OP_words && op <= OP_expm);
}

static void check_typed(const struct op_sample *sample, struct op_typing t, const wg_program *p,
                        void *ctx) {
    wg_random random = wg_random_seed(3);
    wg_tensor x[3] = {{0}};
    if (t.first != WG_F64 || wg_output_type(p, 0).dtype != WG_F64 || sample->narg == 0) return;
    bool floats = false;
    for (size_t i = 0; i < sample->narg; i++) {
        x[i] = op_draw(sample, i, t, false, &random);
        floats = floats || x[i].dtype == WG_F64;
    }
    wg_error error = {0};
    wg_program_free(wg_jvp(p, NULL, NULL, &error));
    if (error.status == WG_OK && floats)
        for (int known = 0; known < 2; known++) {
            struct sparse_counts c = check_sparse_jacobian(p, 3, x, known);
            if (known && is_exact(*(unsigned *)ctx) && c.entries != c.nonzeros)
                fail_msg("%s (%s): %lld entries, of which %lld are not 0",
                         op_def(*(unsigned *)ctx)->name, sample->note ? sample->note : "",
                         (long long)c.entries, (long long)c.nonzeros);
        }
    else if (floats && error.status != WG_ENORULE)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < sample->narg; i++) free(x[i].data);
}

static void check_sample(unsigned op, const struct op_sample *sample, void *ctx) {
    (void)ctx;
    op_each_typing(op, sample, check_typed, &op);
}

static void every_operation_agrees_with_dense(void **state) {
    (void)state;
    op_each_sample(check_sample, NULL);
}

/* ---- programs -------------------------------------------------------------------------------- */

static void random_programs_agree_with_dense(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        wg_error error = {0};
        wg_random random = wg_random_seed(seed);
        wg_program *p = random_program(seed, 30, seed % 2, NULL, &error);
        assert_ok(error);
        wg_tensor *x = random_inputs(p, 4, &random);
        check_sparse_jacobian(p, 4, x, false);
        check_sparse_hessian(p, 4, x, false);
        free_tensors(x, wg_input_count(p));
        wg_program_free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_agrees_with_dense),
        cmocka_unit_test(random_programs_agree_with_dense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
