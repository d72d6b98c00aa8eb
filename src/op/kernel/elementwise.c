/* The elementwise kernels for every processor, and the choice between these and those for the
 * processor at hand. */
#include "op/kernel/elementwise.h"

#define KERNEL_OF any_kernel
#include "op/kernel/elementwise_loops.h"

bool kernel_level_is_there(enum kernel_level level) {
    switch (level) {
    case LEVEL_ANY: return true;
#ifdef WG_X86_LEVELS
    case LEVEL_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case LEVEL_AVX512:
        return kernel_level_is_there(LEVEL_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
#endif
    default: return false;
    }
}

elementwise_kernel *kernel_of_level(enum kernel_level level, unsigned op, unsigned last_dtype,
                                    unsigned result_dtype) {
    switch (level) {
#ifdef WG_X86_LEVELS
    case LEVEL_AVX512: return avx512_kernel(op, last_dtype, result_dtype);
    case LEVEL_AVX2: return avx2_kernel(op, last_dtype, result_dtype);
#endif
    default: return any_kernel(op, last_dtype, result_dtype);
    }
}

elementwise_kernel *op_kernel(unsigned op, unsigned last_dtype, unsigned result_dtype) {
    enum kernel_level level = LEVEL_COUNT - 1;
    while (!kernel_level_is_there(level)) level--;
    return kernel_of_level(level, op, last_dtype, result_dtype);
}
