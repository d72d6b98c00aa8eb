/* Values of one sample of one operation, in every element type that the operation takes there,
 * against the reference. */
#ifndef OP_VALUES_H
#define OP_VALUES_H

#include "op/op.h"

struct op_values {
    bool accepted[WG_DTYPE_COUNT]; /* as the type of the sample's first kind of arguments         */
    bool given[WG_DTYPE_COUNT];    /* as the type of a result                                     */
    double error[WG_DTYPE_COUNT];  /* by type of the result: |y - reference| / max(1, |reference|)
                                      in epsilons of a floating type; infinite where integers
                                      differ                                                      */
};

/* Fails the test (cmocka) if an accepted type cannot be run or has no reference. seed draws the
 * arguments; integers are of the sample's range for odd seeds, else of all bits. */
struct op_values op_values(unsigned op, const struct op_sample *sample, uint64_t seed);

#endif
