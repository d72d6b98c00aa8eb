/* The elementwise kernels for processors with AVX2 and FMA, in a build for x86-64; the build gives
 * this file its flags. Nothing but the width of vectors differs: no operation is fused or
 * reordered. */
#include "op/kernel/elementwise.h"

#ifdef WG_X86_LEVELS
#define KERNEL_OF avx2_kernel
#include "op/kernel/elementwise_loops.h"
#endif
