/* Matrix products for processors with AVX-512: see gemm.h. */
#include "op/kernel/kernel.h"

#ifdef WG_WIDE

enum { DEEP = 192 }; /* a strip: 36 kB */

#define T double
#define F(name) name##_f64
#include "op/kernel/gemm.h"
#undef T
#undef F
#define T float
#define F(name) name##_f32
#include "op/kernel/gemm.h"

#else
typedef int nothing_here;
#endif
