/* Values of one sample of one operation, in every element type that the operation takes there,
 * against the reference. */
#ifndef OP_VALUES_H
#define OP_VALUES_H

#include "op/op.h"
#include "wengert/data.h"

struct op_values {
    bool accepted[WG_DTYPE_COUNT]; /* as the type of the sample's first kind of arguments         */
    bool given[WG_DTYPE_COUNT];    /* as the type of a result                                     */
    double error[WG_DTYPE_COUNT];  /* by type of the result: |y - reference| / max(1, |reference|)
                                      in epsilons of a floating type; infinite where integers
                                      differ                                                      */
};

/* One way to give the sample types: those of its first kind of arguments (the floating ones if
 * there are such), those of its indices, and what a cast makes of it. */
struct op_typing {
    wg_dtype first, index, result;
};

/* Calls visit with the program of the sample, inputs x0, x1, ..., output y, in every typing that
 * the operation takes. The program is freed afterwards. */
typedef void op_typed_visit(const struct op_sample *sample, struct op_typing t,
                            const wg_program *program, void *ctx);
void op_each_typing(unsigned op, const struct op_sample *sample, op_typed_visit *visit, void *ctx);

/* Argument i, data by malloc: of the sample's range, or integers that are no indices of all
 * bits. */
wg_tensor op_draw(const struct op_sample *s, size_t i, struct op_typing t, bool all_bits,
                  wg_random *random);

/* Fails the test (cmocka) if an accepted type cannot be run or has no reference. seed draws the
 * arguments; integers are of the sample's range for odd seeds, else of all bits. */
struct op_values op_values(unsigned op, const struct op_sample *sample, uint64_t seed);

#endif
