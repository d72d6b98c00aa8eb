/* Convolution for processors with AVX-512, in a build for x86-64; the build gives this file
 * its flags. Products and sums are fused, as BLAS fuses them. */
#include "op/kernel/conv_form.h"

#ifdef WG_WIDE
enum { IMAGE_BYTES = 1 << 16, OTHER_BYTES = 1 << 15 };
#define ROWS 8
#define VECTORS 3
#define SIDE_O 4
#define SIDE_D 6

#define T double
#define F(name) name##_avx512_f64
#define LANES 8
#include "op/kernel/conv_direct.h"
#undef T
#undef F
#undef LANES
#define T float
#define F(name) name##_avx512_f32
#define LANES 16
#include "op/kernel/conv_direct.h"
#endif
