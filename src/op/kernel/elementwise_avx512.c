/* The elementwise kernels for processors with AVX-512 (F, DQ, BW, VL), as elementwise_avx2.c. */
#include "op/kernel/elementwise.h"

#ifdef WG_X86_LEVELS
#define KERNEL_OF avx512_kernel
#include "op/kernel/elementwise_loops.h"
#endif
