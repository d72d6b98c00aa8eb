/* The elementwise kernels for every processor, and the choice between these and those for the
 * processor at hand. */
#include "op/op.h"

static elementwise_kernel *any_kernel(unsigned op, unsigned last_dtype, unsigned result_dtype);
#define KERNEL_OF any_kernel
#include "op/kernel/elementwise_loops.h"

#ifdef WG_AVX2
elementwise_kernel *avx2_kernel(unsigned op, unsigned last_dtype, unsigned result_dtype);
#endif

elementwise_kernel *op_kernel(unsigned op, unsigned last_dtype, unsigned result_dtype) {
#ifdef WG_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return avx2_kernel(op, last_dtype, result_dtype);
#endif
    return any_kernel(op, last_dtype, result_dtype);
}
