/* Elementary functions of double without branches, tables or calls, so that a compiler makes vector
 * code of a loop over any of them, for vectors of any width; those of float are vector_math_f32.h.
 * This text and that one are in the public domain where that exists, else free for every use
 * without condition or warranty: they bind nobody who copies them or ships what contains them.
 *
 * C99 and C++, self-contained, to be pasted into another file as they are. They ask for IEEE
 * arithmetic in the format of the operands, rounded to nearest (no -ffast-math, no x87), and
 * -fno-math-errno -fno-trapping-math to become vectors. Digits are the same for every width and
 * compiler as long as products and sums are not contracted (-ffp-contract=off, or -std=c99 with
 * gcc); contracted they are as accurate, and differ in the last place.
 *
 * Edges are those of C's annex F: NaN gives NaN, signed zeros and infinities have their limits,
 * subnormal arguments and results are kept, a result too large is infinite. No flag of the
 * floating-point environment has a meaning. Largest errors, in units of the result's last place,
 * are measured by tests/op/test_vector_math.c and listed in docs/conventions.md.
 *
 * How: the argument is reduced to a short interval around 0 as Cody and Waite (Software Manual for
 * the Elementary Functions, 1980) do, by a constant in parts whose products with small whole
 * numbers are exact; there a polynomial takes over, whose coefficients tools/minimax.py computes
 * and prints; the rest is scaling by bits. Muller, Elementary Functions (3rd ed.), chapters 3 and
 * 11, has the theory. */
#ifndef VECTOR_MATH_H
#define VECTOR_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) /* a loop that calls is no vector loop */
#define VM_INLINE static inline __attribute__((always_inline, unused))
#else
#define VM_INLINE static inline
#endif

/* ---- bits ----------------------------------------------------------------------------------- */

/* x + VM_ROUND has x, rounded to a whole number, in its low bits, for |x| < 2^51: 3 * 2^51. */
#define VM_ROUND 6755399441055744.0
#define VM_SIGN ((uint64_t)1 << 63)
/* 1 and the square root of 1/2 as bits, and the bits of a significand. */
#define VM_ONE ((uint64_t)0x3ff00000 << 32)
#define VM_ROOT_HALF (((uint64_t)0x3fe6a09e << 32) + 0x667f3bcd)
#define VM_FRACTION (((uint64_t)1 << 52) - 1)
/* Below this an argument is its own sine, tangent, expm1, log1p, ...: 2^-54. */
#define VM_TINY 5.551115123125783e-17
#define VM_SMALLEST_NORMAL 2.2250738585072014e-308

VM_INLINE uint64_t vm_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

VM_INLINE double vm_from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* x with its sign turned around if that of the other is negative, as that of -0 is. */
VM_INLINE double vm_with_sign(double x, double other) {
    return vm_from_bits(vm_bits(x) ^ (vm_bits(other) & VM_SIGN));
}

/* The upper half of the digits of x: products of halves are exact (Dekker). */
VM_INLINE double vm_first_half(double x) {
    return vm_from_bits(vm_bits(x) & ~(((uint64_t)1 << 27) - 1));
}

/* ---- polynomials, evaluated in pairs of terms: half as deep as Horner's scheme --------------- */

VM_INLINE double vm_poly3(double x, double c0, double c1, double c2, double c3) {
    return (c0 + c1 * x) + (x * x) * (c2 + c3 * x);
}
VM_INLINE double vm_poly5(double x, double c0, double c1, double c2, double c3, double c4,
                          double c5) {
    return (c0 + c1 * x) + (x * x) * vm_poly3(x, c2, c3, c4, c5);
}
VM_INLINE double vm_poly6(double x, double c0, double c1, double c2, double c3, double c4,
                          double c5, double c6) {
    double square = x * x;
    return (c0 + c1 * x) + square * ((c2 + c3 * x) + square * ((c4 + c5 * x) + square * c6));
}
VM_INLINE double vm_poly10(double x, double c0, double c1, double c2, double c3, double c4,
                           double c5, double c6, double c7, double c8, double c9, double c10) {
    double square = x * x;
    return vm_poly3(x, c0, c1, c2, c3) +
           (square * square) * vm_poly6(x, c4, c5, c6, c7, c8, c9, c10);
}

/* ---- exponentials --------------------------------------------------------------------------- */

/* x = n ln 2 + r, |r| <= ln(2)/2, and r = high - low, where high is exact and the difference not.
 * The low bits of n are n + 2 * 1023, twice the exponent's bias. |x| < 1000. */
struct vm_exponent {
    double r, high, low;
    uint64_t n;
};
#define VM_ROUND_EXPONENT (VM_ROUND + 2046)

VM_INLINE struct vm_exponent vm_reduce_exponent(double x) {
    struct vm_exponent e;
    double t = x * 1.4426950408889634 + VM_ROUND_EXPONENT, n = t - VM_ROUND_EXPONENT;
    e.high = x - n * 0.6931471805598903;
    e.low = n * 5.497923018708371e-14;
    e.r = e.high - e.low;
    e.n = vm_bits(t);
    return e;
}

/* y 2^n in two steps, each a power of two that there is: rounded once where it is subnormal, and
 * infinite where too large. -2046 <= n <= 2046. */
VM_INLINE double vm_scale(double y, uint64_t n) {
    uint64_t half = n >> 1;
    return y * vm_from_bits(half << 52) * vm_from_bits((n - half) << 52);
}

/* e^x 2^shift for |x| < 1000, with e^r = 1 + r + r^2 p(r). What 1 + high loses is kept: few results
 * are not the nearest double. p is taken apart so that little waits for little. */
VM_INLINE double vm_exp_shifted(double x, int shift) {
    struct vm_exponent e = vm_reduce_exponent(x);
    double square = e.r * e.r, fourth = square * square;
    double p0 = 0.500000000000001 + 0.16666666666666421 * e.r;
    double p2 = vm_poly3(e.r, 0.04166666666653482, 0.008333333333490263, 0.0013888888942554598,
                         0.0001984126951271952);
    double p6 = vm_poly3(e.r, 2.4801494102360757e-05, 2.755758279035693e-06, 2.762992065877741e-07,
                         2.5000741713054093e-08);
    double sum = 1 + e.high, loss = (1 - sum) + e.high;
    double rest = ((loss - e.low) + square * p0) + fourth * (p2 + fourth * p6);
    return vm_scale(sum + rest, e.n + (uint64_t)(int64_t)shift);
}

VM_INLINE double vm_exp(double x) {
    double y = vm_exp_shifted(x, 0), end = x > 0 ? HUGE_VAL : 0;
    return fabs(x) > 750 ? end : y;
}

/* (e^x - 1) / 2^shift, without the last power of two, which may be infinite. -60 < x < 711 for a
 * shift of 1 or 2. As e^r, but with p of least error relative to r. */
VM_INLINE double vm_expm1_over(double x, unsigned shift) {
    struct vm_exponent e = vm_reduce_exponent(x);
    double p = vm_poly10(e.r, 0.5, 0.16666666666666677, 0.0416666666666667, 0.008333333333321648,
                         0.0013888888888866904, 0.0001984126988608553, 2.480158736044024e-05,
                         2.7557244249499545e-06, 2.755724285042433e-07, 2.510902294132383e-08,
                         2.092441705741335e-09);
    double power = vm_from_bits((e.n - 1023 - shift) << 52);
    double one = vm_from_bits((uint64_t)(1023 - shift) << 52);
    return power * (e.high + (e.r * e.r * p - e.low)) + (power - one);
}

VM_INLINE double vm_expm1(double x) {
    double y = 2 * vm_expm1_over(x, 1), finite = x > 710 ? HUGE_VAL : y;
    double above = x < -50 ? -1 : finite;
    return fabs(x) < VM_TINY ? x : above;
}

/* 2^x = 2^n (1 + r p(r)), x = n + r exactly. */
VM_INLINE double vm_exp2(double x) {
    double t = x + VM_ROUND_EXPONENT, r = x - (t - VM_ROUND_EXPONENT);
    double p = vm_poly10(r, 0.24022650695910072, 0.0555041086648217, 0.009618129107628496,
                         0.0013333558146389976, 0.00015403530393340848, 1.5252733856735475e-05,
                         1.3215486833292375e-06, 1.0178050981639217e-07, 7.054888155417273e-09,
                         4.4567107763251936e-10, 2.5741948734369002e-11);
    double y = vm_scale(1 + (r * 0.6931471805599453 + r * r * p), vm_bits(t));
    double end = x > 0 ? HUGE_VAL : 0;
    return fabs(x) > 1080 ? end : y;
}

/* ---- hyperbolic functions ------------------------------------------------------------------- */

VM_INLINE double vm_at_most(double high, double x) { return x > high ? high : x; }

/* With E = e^2|x| - 1: E / (E + 2). From 20 on it is 1. What the sum loses, which matters where
 * E is small, is made good with the quotient's help: 2 / (E + 2) is 1 - y. */
VM_INLINE double vm_tanh(double x) {
    double half = vm_expm1_over(vm_at_most(40, 2 * fabs(x)), 1), sum = half + 1;
    double y = half / sum, loss = half < 1 ? half - (sum - 1) : 0;
    y = y - y * ((1 - y) * loss);
    return fabs(x) < VM_TINY ? x : vm_with_sign(y, x);
}

/* With E = e^|x| - 1: (E + E/(E+1)) / 2; a quarter of E is finite wherever the sine is. The loss as
 * with tanh. */
VM_INLINE double vm_sinh(double x) {
    double quarter = vm_expm1_over(vm_at_most(710.6, fabs(x)), 2);
    double sum = 4 * quarter + 1, loss = quarter < 0.25 ? 4 * quarter - (sum - 1) : 0;
    double part = quarter / sum;
    double y = 2 * (quarter + (part - part * ((1 - 4 * part) * loss)));
    return fabs(x) < VM_TINY ? x : vm_with_sign(y, x);
}

/* With E = e^|x| / 2: E + 1 / (4 E). */
VM_INLINE double vm_cosh(double x) {
    double half = vm_exp_shifted(vm_at_most(720, fabs(x)), -1);
    return half + 0.25 / half;
}

/* ---- logarithms ----------------------------------------------------------------------------- */

/* x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt 2, and with s = f/(2+f)
 * log(1+f) = f - (square - rest), square = f^2/2, rest = s (square + s^2 p(s^2)): the series of
 * log((1+s)/(1-s)), arranged so that only f and the square count where f is small. */
struct vm_logarithm {
    double k, f, s, square, rest;
};

/* Of one that is not subnormal. */
VM_INLINE struct vm_logarithm vm_reduce_normal(double x) {
    struct vm_logarithm l;
    uint64_t bits = vm_bits(x) + (VM_ONE - VM_ROOT_HALF);
    /* the exponent as the last bits of 2^52 + exponent */
    double exponent = vm_from_bits((bits >> 52) | ((uint64_t)0x43300000 << 32));
    l.k = exponent - (4503599627370496.0 + 1023);
    l.f = vm_from_bits((bits & VM_FRACTION) + VM_ROOT_HALF) - 1;
    double s = l.f / (2 + l.f), z = s * s;
    double p = vm_poly6(z, 0.6666666666666731, 0.39999999999436553, 0.28571428738251387,
                        0.22222198947781274, 0.18183546733283754, 0.15314463947749005,
                        0.14792105843428854);
    l.s = s;
    l.square = 0.5 * l.f * l.f;
    l.rest = s * (l.square + z * p);
    return l;
}

VM_INLINE struct vm_logarithm vm_reduce_logarithm(double x) {
    double normal = x < VM_SMALLEST_NORMAL ? x * 18014398509481984.0 : x;
    struct vm_logarithm l = vm_reduce_normal(normal);
    l.k -= x < VM_SMALLEST_NORMAL ? 54 : 0;
    return l;
}

/* y, but what a logarithm is where its argument is 0, negative, infinite or NaN. */
VM_INLINE double vm_logarithm_edges(double x, double y) {
    double finite = x < HUGE_VAL ? y : x;
    double positive = x < 0 ? (double)NAN : finite;
    return x == 0 ? -HUGE_VAL : positive;
}

VM_INLINE double vm_log(double x) {
    struct vm_logarithm l = vm_reduce_logarithm(x);
    double low = l.rest + l.k * 5.497923018708371e-14;
    return vm_logarithm_edges(x, l.k * 0.6931471805598903 - ((l.square - low) - l.f));
}

/* u = 1 + x rounded, and log(1+x) = log u + log(1 + c), c what u lost, over u. That quotient need
 * not be exact: 1/u = 2^(1-k) (1-s)/2/(1+s), with 1 - s + s^2 in the place of 1/(1+s), which is off
 * by s^3 < 0.006, and less where c counts for more. */
VM_INLINE double vm_log1p(double x) {
    double u = 1 + x, back = u - 1, lost = (1 - (u - back)) + (x - back);
    struct vm_logarithm l = vm_reduce_normal(u);
    uint64_t exponent = (vm_bits(u) + (VM_ONE - VM_ROOT_HALF)) & ~VM_FRACTION;
    double power = vm_from_bits(((uint64_t)2047 << 52) - exponent), less = 1 - l.s;
    double c = lost * power * (0.5 * less * (less + l.s * l.s));
    double low = l.rest + (l.k * 5.497923018708371e-14 + c);
    double y = l.k * 0.6931471805598903 - ((l.square - low) - l.f);
    return fabs(x) < VM_TINY ? x : vm_logarithm_edges(u, y);
}

/* k a + log(1+f) b, where a and b are given in two parts, of which the first times a number of 26
 * bits is exact: so log(1+f) is taken in two such parts, and powers of the base come out whole. */
VM_INLINE double vm_logarithm_of_base(struct vm_logarithm l, double a_high, double a_low,
                                      double b_high, double b_low) {
    double high = vm_first_half(l.f - l.square);
    double low = (l.f - high) - l.square + l.rest;
    double whole = l.k * a_high, part = high * b_high, sum = whole + part;
    double rest = l.k * a_low + (low * (b_high + b_low) + high * b_low);
    return sum + (((whole - sum) + part) + rest);
}

VM_INLINE double vm_log2(double x) {
    struct vm_logarithm l = vm_reduce_logarithm(x);
    double y = vm_logarithm_of_base(l, 1, 0, 1.4426950216293335, 1.9259629911266175e-08);
    return vm_logarithm_edges(x, y);
}

VM_INLINE double vm_log10(double x) {
    struct vm_logarithm l = vm_reduce_logarithm(x);
    double y = vm_logarithm_of_base(l, 0.30102999566395283, 2.8363394551044964e-14,
                                    0.4342944771051407, 4.798111141615973e-09);
    return vm_logarithm_edges(x, y);
}

/* ---- circular functions --------------------------------------------------------------------- */

/* Angles beyond this need more of pi than a few parts (Payne and Hanek); sin, cos and tan of math.h
 * have it. So vm_sin, vm_cos and vm_tan, which take any angle, branch, and vm_sin_near and its kin,
 * which do not, are for angles that are not above it, infinities and NaN. Where both apply digits
 * are the same: a loop may look at a block of angles first and choose for all of them. */
#define VM_NEAR 1048576.0

/* 0 <= x = n pi/2 + r + c, |r| <= pi/4 and c what r lost. pi/2 is taken in parts of 33 bits and n
 * has 20, so that products are exact but for the last, and what the differences round off is kept:
 * also next to a multiple of pi/2 r has all its digits. */
struct vm_angle {
    double r, c;
    uint64_t n;
};

/* What a - b, rounded to the difference given, loses (Dekker's fast sum): for |a| >= |b|, or where
 * the difference is exact. With the parts of pi/2 one of both holds: a smaller a is a multiple of
 * the last bit that b can have, and the difference below 2^53 of these bits. */
VM_INLINE double vm_loss(double a, double b, double difference) { return (a - difference) - b; }

VM_INLINE struct vm_angle vm_reduce_angle(double x) {
    struct vm_angle a;
    double t = x * 0.6366197723675814 + VM_ROUND, n = t - VM_ROUND;
    double first = x - n * 1.5707963267341256;
    double second = first - n * 6.077100506303966e-11;
    double third = second - n * 2.0222662487111665e-21;
    double loss = vm_loss(first, n * 6.077100506303966e-11, second) +
                  vm_loss(second, n * 2.0222662487111665e-21, third) - n * 8.4784276603689e-32;
    a.r = third + loss;
    a.c = (third - a.r) + loss;
    a.n = vm_bits(t);
    return a;
}

/* sin(r + c) and cos(r + c) */
VM_INLINE double vm_sin_reduced(struct vm_angle a) {
    double z = a.r * a.r;
    double p = vm_poly5(z, -0.16666666666666632, 0.008333333333322559, -0.0001984126982990358,
                        2.7557313720545223e-06, -2.5050762093456994e-08, 1.5897004574660297e-10);
    return a.r + (a.r * z * p + a.c * (1 - 0.5 * z));
}

VM_INLINE double vm_cos_reduced(struct vm_angle a) {
    double z = a.r * a.r, half = 0.5 * z, y = 1 - half;
    double p = vm_poly5(z, 0.041666666666666616, -0.0013888888888876141, 2.4801587290581064e-05,
                        -2.755731463586805e-07, 2.0875758278314627e-09, -1.1361314891288122e-11);
    return y + (((1 - y) - half) + (z * z * p - a.r * a.c));
}

/* odd where n is odd, else even: by masks, for comparisons of 64-bit integers are not everywhere */
VM_INLINE double vm_by_parity(uint64_t n, double even, double odd) {
    uint64_t mask = (uint64_t)0 - (n & 1);
    return vm_from_bits((vm_bits(even) & ~mask) | (vm_bits(odd) & mask));
}

VM_INLINE double vm_sin_near(double x) {
    struct vm_angle a = vm_reduce_angle(fabs(x));
    double y = vm_by_parity(a.n, vm_sin_reduced(a), vm_cos_reduced(a));
    return vm_from_bits(vm_bits(y) ^ ((a.n & 2) << 62) ^ (vm_bits(x) & VM_SIGN));
}

VM_INLINE double vm_cos_near(double x) {
    struct vm_angle a = vm_reduce_angle(fabs(x));
    double y = vm_by_parity(a.n, vm_cos_reduced(a), vm_sin_reduced(a));
    return vm_from_bits(vm_bits(y) ^ (((a.n + 1) & 2) << 62));
}

VM_INLINE double vm_tan_near(double x) {
    struct vm_angle a = vm_reduce_angle(fabs(x));
    double s = vm_sin_reduced(a), c = vm_cos_reduced(a);
    double y = vm_by_parity(a.n, s, c) / vm_by_parity(a.n, c, s);
    return vm_from_bits(vm_bits(y) ^ ((a.n & 1) << 63) ^ (vm_bits(x) & VM_SIGN));
}

VM_INLINE double vm_sin(double x) { return fabs(x) > VM_NEAR ? sin(x) : vm_sin_near(x); }
VM_INLINE double vm_cos(double x) { return fabs(x) > VM_NEAR ? cos(x) : vm_cos_near(x); }
VM_INLINE double vm_tan(double x) { return fabs(x) > VM_NEAR ? tan(x) : vm_tan_near(x); }

#endif
