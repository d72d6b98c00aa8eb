/* The functions of vector_math.h, which has to come first, for float: the same methods and edges;
 * what is said there holds here, also that this text binds nobody. Formulas are explained there;
 * what stands here is what the shorter format changes. All is computed in float but for the
 * reduction of angles. */
#ifndef VECTOR_MATH_F32_H
#define VECTOR_MATH_F32_H

/* ---- bits ----------------------------------------------------------------------------------- */

#define VMF_ROUND 12582912.0f /* 3 * 2^22 */
#define VMF_SIGN ((uint32_t)1 << 31)
#define VMF_ONE ((uint32_t)0x3f800000)
#define VMF_ROOT_HALF ((uint32_t)0x3f3504f3)
#define VMF_FRACTION (((uint32_t)1 << 23) - 1)
#define VMF_TINY 2.9802322e-08f /* 2^-25 */
#define VMF_SMALLEST_NORMAL 1.17549435e-38f

VM_INLINE uint32_t vmf_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

VM_INLINE float vmf_from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

VM_INLINE float vmf_with_sign(float x, float other) {
    return vmf_from_bits(vmf_bits(x) ^ (vmf_bits(other) & VMF_SIGN));
}

/* 12 bits of 24 */
VM_INLINE float vmf_first_half(float x) {
    return vmf_from_bits(vmf_bits(x) & ~(((uint32_t)1 << 12) - 1));
}

/* ---- polynomials ---------------------------------------------------------------------------- */

VM_INLINE float vmf_poly3(float x, float c0, float c1, float c2, float c3) {
    return (c0 + c1 * x) + (x * x) * (c2 + c3 * x);
}
VM_INLINE float vmf_poly5(float x, float c0, float c1, float c2, float c3, float c4, float c5) {
    return (c0 + c1 * x) + (x * x) * vmf_poly3(x, c2, c3, c4, c5);
}

/* ---- exponentials --------------------------------------------------------------------------- */

/* |x| < 180: then the products with n are exact. The low bits of n are n + 2 * 127. */
struct vmf_exponent {
    float r, high, low;
    uint32_t n;
};
#define VMF_ROUND_EXPONENT (VMF_ROUND + 254)

VM_INLINE struct vmf_exponent vmf_reduce_exponent(float x) {
    struct vmf_exponent e;
    float t = x * 1.442695f + VMF_ROUND_EXPONENT, n = t - VMF_ROUND_EXPONENT;
    e.high = x - n * 0.693145751953125f;
    e.low = n * 1.428606765330187e-06f;
    e.r = e.high - e.low;
    e.n = vmf_bits(t);
    return e;
}

VM_INLINE float vmf_scale(float y, uint32_t n) {
    uint32_t half = n >> 1;
    return y * vmf_from_bits(half << 23) * vmf_from_bits((n - half) << 23);
}

VM_INLINE float vmf_exp_shifted(float x, int shift) {
    struct vmf_exponent e = vmf_reduce_exponent(x);
    float square = e.r * e.r;
    float p0 = 0.4999999403953552f + 0.1666652113199234f * e.r;
    float p2 = (0.04166834056377411f + 0.00836864672601223f * e.r) +
               square * 0.0013816871214658022f;
    float sum = 1 + e.high, loss = (1 - sum) + e.high;
    float rest = ((loss - e.low) + square * p0) + (square * square) * p2;
    return vmf_scale(sum + rest, e.n + (uint32_t)shift);
}

VM_INLINE float vm_expf(float x) {
    float y = vmf_exp_shifted(x, 0), end = x > 0 ? HUGE_VALF : 0;
    return fabsf(x) > 104 ? end : y;
}

/* -20 < x < 89.5 */
VM_INLINE float vmf_expm1_over(float x, unsigned shift) {
    struct vmf_exponent e = vmf_reduce_exponent(x);
    float p = vmf_poly5(e.r, 0.5f, 0.1666666716337204f, 0.04166635498404503f, 0.008333273231983185f,
                        0.0013940971111878753f, 0.00019914127187803388f);
    float power = vmf_from_bits((e.n - 127 - shift) << 23);
    float one = vmf_from_bits((uint32_t)(127 - shift) << 23);
    return power * (e.high + (e.r * e.r * p - e.low)) + (power - one);
}

VM_INLINE float vm_expm1f(float x) {
    float y = 2 * vmf_expm1_over(x, 1), finite = x > 89 ? HUGE_VALF : y;
    float above = x < -20 ? -1 : finite;
    return fabsf(x) < VMF_TINY ? x : above;
}

VM_INLINE float vm_exp2f(float x) {
    float t = x + VMF_ROUND_EXPONENT, r = x - (t - VMF_ROUND_EXPONENT);
    float p = vmf_poly5(r, 0.24022650718688965f, 0.05550410971045494f, 0.009618036448955536f,
                        0.0013333429815247655f, 0.00015467347111552954f, 1.5315183190978132e-05f);
    float y = vmf_scale(1 + (r * 0.6931471824645996f + r * r * p), vmf_bits(t));
    float end = x > 0 ? HUGE_VALF : 0;
    return fabsf(x) > 151 ? end : y;
}

/* ---- hyperbolic functions ------------------------------------------------------------------- */

VM_INLINE float vmf_at_most(float high, float x) { return x > high ? high : x; }

/* From 10 on it is 1. */
VM_INLINE float vm_tanhf(float x) {
    float half = vmf_expm1_over(vmf_at_most(20, 2 * fabsf(x)), 1), sum = half + 1;
    float y = half / sum, loss = half < 1 ? half - (sum - 1) : 0;
    y = y - y * ((1 - y) * loss);
    return fabsf(x) < VMF_TINY ? x : vmf_with_sign(y, x);
}

VM_INLINE float vm_sinhf(float x) {
    float quarter = vmf_expm1_over(vmf_at_most(89.45f, fabsf(x)), 2);
    float sum = 4 * quarter + 1, loss = quarter < 0.25f ? 4 * quarter - (sum - 1) : 0;
    float part = quarter / sum;
    float y = 2 * (quarter + (part - part * ((1 - 4 * part) * loss)));
    return fabsf(x) < VMF_TINY ? x : vmf_with_sign(y, x);
}

VM_INLINE float vm_coshf(float x) {
    float half = vmf_exp_shifted(vmf_at_most(91, fabsf(x)), -1);
    return half + 0.25f / half;
}

/* ---- logarithms ----------------------------------------------------------------------------- */

struct vmf_logarithm {
    float k, f, s, square, rest;
};

VM_INLINE struct vmf_logarithm vmf_reduce_normal(float x) {
    struct vmf_logarithm l;
    uint32_t bits = vmf_bits(x) + (VMF_ONE - VMF_ROOT_HALF);
    float exponent = vmf_from_bits((bits >> 23) | (uint32_t)0x4b000000); /* 2^23 + exponent */
    l.k = exponent - (8388608.0f + 127);
    l.f = vmf_from_bits((bits & VMF_FRACTION) + VMF_ROOT_HALF) - 1;
    float s = l.f / (2 + l.f), z = s * s;
    float p = vmf_poly3(z, 0.6666666269302368f, 0.4000033140182495f, 0.28537485003471375f,
                        0.2357926219701767f);
    l.s = s;
    l.square = 0.5f * l.f * l.f;
    l.rest = s * (l.square + z * p);
    return l;
}

VM_INLINE struct vmf_logarithm vmf_reduce_logarithm(float x) {
    float normal = x < VMF_SMALLEST_NORMAL ? x * 33554432.0f : x;
    struct vmf_logarithm l = vmf_reduce_normal(normal);
    l.k -= x < VMF_SMALLEST_NORMAL ? 25.0f : 0.0f;
    return l;
}

VM_INLINE float vmf_logarithm_edges(float x, float y) {
    float finite = x < HUGE_VALF ? y : x;
    float positive = x < 0 ? (float)NAN : finite;
    return x == 0 ? -HUGE_VALF : positive;
}

VM_INLINE float vm_logf(float x) {
    struct vmf_logarithm l = vmf_reduce_logarithm(x);
    float low = l.rest + l.k * 1.428606765330187e-06f;
    return vmf_logarithm_edges(x, l.k * 0.693145751953125f - ((l.square - low) - l.f));
}

VM_INLINE float vm_log1pf(float x) {
    float u = 1 + x, back = u - 1, lost = (1 - (u - back)) + (x - back);
    struct vmf_logarithm l = vmf_reduce_normal(u);
    uint32_t exponent = (vmf_bits(u) + (VMF_ONE - VMF_ROOT_HALF)) & ~VMF_FRACTION;
    float power = vmf_from_bits(((uint32_t)255 << 23) - exponent), less = 1 - l.s;
    float c = lost * power * (0.5f * less * (less + l.s * l.s));
    float low = l.rest + (l.k * 1.428606765330187e-06f + c);
    float y = l.k * 0.693145751953125f - ((l.square - low) - l.f);
    return fabsf(x) < VMF_TINY ? x : vmf_logarithm_edges(u, y);
}

/* Parts of 12 bits. */
VM_INLINE float vmf_logarithm_of_base(struct vmf_logarithm l, float a_high, float a_low,
                                      float b_high, float b_low) {
    float high = vmf_first_half(l.f - l.square);
    float low = (l.f - high) - l.square + l.rest;
    float whole = l.k * a_high, part = high * b_high, sum = whole + part;
    float rest = l.k * a_low + (low * (b_high + b_low) + high * b_low);
    return sum + (((whole - sum) + part) + rest);
}

VM_INLINE float vm_log2f(float x) {
    struct vmf_logarithm l = vmf_reduce_logarithm(x);
    float y = vmf_logarithm_of_base(l, 1, 0, 1.4423828125f, 0.00031222839606925845f);
    return vmf_logarithm_edges(x, y);
}

VM_INLINE float vm_log10f(float x) {
    struct vmf_logarithm l = vmf_reduce_logarithm(x);
    float y = vmf_logarithm_of_base(l, 0.301025390625f, 4.605039066518657e-06f, 0.4342041015625f,
                                    9.038033749675378e-05f);
    return vmf_logarithm_edges(x, y);
}

/* ---- circular functions --------------------------------------------------------------------- */

/* 0 <= x = n pi/2 + r + c, reduced in double: two parts of pi/2 are enough for every float up to
 * VM_NEAR. */
struct vmf_angle {
    float r, c;
    uint32_t n;
};

VM_INLINE struct vmf_angle vmf_reduce_angle(float x) {
    struct vmf_angle a;
    double t = (double)x * 0.6366197723675814 + VM_ROUND, n = t - VM_ROUND;
    double r = ((double)x - n * 1.5707963267341256) - n * 6.077100506303966e-11;
    a.r = (float)r;
    a.c = (float)(r - (double)a.r);
    a.n = (uint32_t)vm_bits(t);
    return a;
}

VM_INLINE float vmf_sin_reduced(struct vmf_angle a) {
    float z = a.r * a.r;
    float p = vmf_poly3(z, -0.1666666716337204f, 0.008333329111337662f, -0.0001983933907467872f,
                        2.7183466499991482e-06f);
    return a.r + (a.r * z * p + a.c * (1 - 0.5f * z));
}

VM_INLINE float vmf_cos_reduced(struct vmf_angle a) {
    float z = a.r * a.r, half = 0.5f * z, y = 1 - half;
    float p = vmf_poly3(z, 0.0416666679084301f, -0.0013888883404433727f, 2.4799541279207915e-05f,
                        -2.721179725995171e-07f);
    return y + (((1 - y) - half) + (z * z * p - a.r * a.c));
}

VM_INLINE float vmf_by_parity(uint32_t n, float even, float odd) {
    uint32_t mask = (uint32_t)0 - (n & 1);
    return vmf_from_bits((vmf_bits(even) & ~mask) | (vmf_bits(odd) & mask));
}

VM_INLINE float vm_sin_nearf(float x) {
    struct vmf_angle a = vmf_reduce_angle(fabsf(x));
    float y = vmf_by_parity(a.n, vmf_sin_reduced(a), vmf_cos_reduced(a));
    return vmf_from_bits(vmf_bits(y) ^ ((a.n & 2) << 30) ^ (vmf_bits(x) & VMF_SIGN));
}

VM_INLINE float vm_cos_nearf(float x) {
    struct vmf_angle a = vmf_reduce_angle(fabsf(x));
    float y = vmf_by_parity(a.n, vmf_cos_reduced(a), vmf_sin_reduced(a));
    return vmf_from_bits(vmf_bits(y) ^ (((a.n + 1) & 2) << 30));
}

VM_INLINE float vm_tan_nearf(float x) {
    struct vmf_angle a = vmf_reduce_angle(fabsf(x));
    float s = vmf_sin_reduced(a), c = vmf_cos_reduced(a);
    float y = vmf_by_parity(a.n, s, c) / vmf_by_parity(a.n, c, s);
    return vmf_from_bits(vmf_bits(y) ^ ((a.n & 1) << 31) ^ (vmf_bits(x) & VMF_SIGN));
}

VM_INLINE float vm_sinf(float x) { return fabsf(x) > (float)VM_NEAR ? sinf(x) : vm_sin_nearf(x); }
VM_INLINE float vm_cosf(float x) { return fabsf(x) > (float)VM_NEAR ? cosf(x) : vm_cos_nearf(x); }
VM_INLINE float vm_tanf(float x) { return fabsf(x) > (float)VM_NEAR ? tanf(x) : vm_tan_nearf(x); }

#endif
