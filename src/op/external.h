/* The instruction `external`: the call of a C function. */
#ifndef OP_EXTERNAL_H
#define OP_EXTERNAL_H

#include "op/op.h"

enum { EXTERNAL_PORTS = 32 }; /* arguments, and results, at most */

enum external_derivative {
    EXTERNAL_HAS_NONE,
    EXTERNAL_DIFFERENCES,
    EXTERNAL_IS_DIFFERENCE /* part of differences already: has none, and says why */
};

/* result[i] of type[i]: the function, a record of g, on x. The arguments from number `linear` on
 * are those in which it is linear (count: none); in the others its derivative is what `derivative`
 * says. Several results must be of one element type. */
bool build_external(wg_graph *g, int64_t function, const value *x, size_t count, size_t linear,
                    enum external_derivative derivative, const wg_type *type, size_t results,
                    value *result);

#endif
