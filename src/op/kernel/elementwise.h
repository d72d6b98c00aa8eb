/* The levels of the processor that the loops of elementwise_loops.h are compiled for, and their
 * kernels: for the choice between them in elementwise.c, and for tests and tools that compare them.
 * Whoever wants a kernel calls op_kernel. */
#ifndef ELEMENTWISE_KERNELS_H
#define ELEMENTWISE_KERNELS_H

#include "op/op.h"

/* The first one every processor has; later ones are wider. */
enum kernel_level { LEVEL_ANY, LEVEL_AVX2, LEVEL_AVX512, LEVEL_COUNT };

/* Whether the build has the level and the processor too. */
bool kernel_level_is_there(enum kernel_level level);
/* As op_kernel, but of a level that is there. */
elementwise_kernel *kernel_of_level(enum kernel_level level, unsigned op, unsigned last_dtype,
                                    unsigned result_dtype);

/* One for each level, defined by elementwise_loops.h. */
elementwise_kernel *any_kernel(unsigned op, unsigned last_dtype, unsigned result_dtype);
elementwise_kernel *avx2_kernel(unsigned op, unsigned last_dtype, unsigned result_dtype);
elementwise_kernel *avx512_kernel(unsigned op, unsigned last_dtype, unsigned result_dtype);

#endif
