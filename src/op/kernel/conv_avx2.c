/* Convolution for processors with AVX2 and FMA, in a build for x86-64; the build gives this file
 * its flags. Products and sums are fused, as BLAS fuses them. */
#include "op/kernel/conv_form.h"

#ifdef WG_WIDE
enum { IMAGE_BYTES = 1 << 16, OTHER_BYTES = 1 << 15 };
#define ROWS 4
#define VECTORS 3
#define SIDE_O 3
#define SIDE_D 4

#define T double
#define F(name) name##_avx2_f64
#define LANES 4
#include "op/kernel/conv_direct.h"
#undef T
#undef F
#undef LANES
#define T float
#define F(name) name##_avx2_f32
#define LANES 8
#include "op/kernel/conv_direct.h"
#endif
