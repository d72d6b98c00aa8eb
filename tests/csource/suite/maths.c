/* The functions of math.h. What the C library computes by other means than the library's own few
 * operations is allowed to be off in the last places. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>

/* at x in 0.1..3; native */
double elementary(double x) {
    double s = exp(x) + exp2(x) * expm1(x) - log(x) + log2(x) * log10(x) + log1p(x);
    return s + sin(x) * cos(x) + tan(x / 3) + sinh(x) - cosh(x) * tanh(x);
}

/* at x in 0.1..0.9 */
double inverse(double x) {
    return asin(x) + acos(x) * atan(x) + asinh(x) - acosh(1 + x) + atanh(x) + atan2(x, 1 - x) +
           atan2(-x, -1);
}

/* at x in 0.1..3; y in 0.1..3 */
double powers_and_roots(double x, double y) {
    return pow(x, y) + pow(x, 2) + sqrt(x) * cbrt(y) + hypot(x, y) + pow(x, -1.5) + pow(2, y);
}

/* at x in 0.1..3 */
double special(double x) { return erf(x) + erfc(x) * lgamma(x + 0.5); }

/* at x in 0.2..4; within 1e-13; differences 1e-6 */
double gammas(double x) { return tgamma(x) + tgamma(-x / 5 - 0.1); }

/* at x in -9..9; y in 1..3 */
double rounding(double x, double y) {
    double s = floor(x) + ceil(x) * 2 + trunc(x) * 3 + round(x) * 4 + rint(x) * 5 + nearbyint(x) * 6;
    s += fmod(x, y) * 0.1 + fabs(x) + (double)lround(x) + (double)llrint(x) + (double)lrint(y);
    return s + remainder(x, y) * 0.01 + copysign(y, x) + fdim(x, y) + fmin(x, y) * fmax(x, y);
}

/* at x = 0.5 -0.5 1.5 2.5 -2.5 0 -0.0 4503599627370497.5 -1e300; differences 0 */
double rounding_edges(double x) {
    return round(x) * 3 + rint(x) * 5 + trunc(x) + copysign(1, x) + floor(-x) - ceil(-x);
}

/* at */
double parts(double x, double y[2]) {
    double whole;
    double rest = modf(x * 10, &whole);
    y[0] = rest;
    y[1] = whole + modf(-x * 7, &y[0]);
    return rest * y[1] + y[0];
}

/* at */
double both(double x, double y[2]) {
    double s, c;
    sincos(x, &s, &c);
    sincos(s, y, y + 1);
    return s * c + y[0] * y[1];
}

/* at k = -3 0 2 9; x in 0.5..2 */
double scaled(double x, int k) {
    return ldexp(x, k) + scalbn(x, -k) * 2 + (double)abs(k) + (double)labs((long)k - 5) + fma(x, k, x);
}

/* at x in -2..2; differences 0 */
int classified(double x, float f) {
    double zero = x - x, inf = 1 / zero;
    return isnan(x) + 2 * isfinite(x) + 4 * (isinf(inf) != 0) + 8 * (signbit(x) != 0) +
           16 * isnormal(x) + 32 * isgreater(x, 0.5) + 64 * islessequal(x, (double)f) +
           128 * isunordered(x, inf - inf) + 256 * isless(f, 2) + 512 * (isnan(inf - inf) != 0);
}

/* at x in 0.1..0.9; differences 0; native */
float single_precision(float x) {
    float s = expf(x) + logf(x) * sinf(x) + cosf(x) - tanf(x) + sqrtf(x) * fabsf(x - 1);
    s += floorf(x * 7) + fmodf(x, 0.3f) + powf(x, 1.5f) + atan2f(x, 2) + hypotf(x, 1) + tanhf(x);
    return s + (float)(sin(x) * 2) + fmaxf(x, 0.5f) + fminf(x, 0.25f) + asinf(x) + cbrtf(x);
}

/* at -- of no number but literals */
double of_literals(double x) {
    return x * (sqrt(2) + fabs(-3.5) + floor(2.7) + M_PI) + ceil(-1.2);
}

/* at x in -200..200 */
double mantissas(double x, int k[3]) {
    double s = frexp(x, &k[0]) * 3 + frexp(1 / x, k + 1);
    int e;
    s += frexp(4 * s, &e) * e;
    k[2] = e;
    return s;
}

/* at x = 0 -0.0 1 0.5 0.99999999999999989 2 4.9e-324 1e-310 1.7e308 -8 -7.9999999999999991 3e-308; values */
double mantissa_edges(double x, float f, int k[3]) {
    double y = frexp(x, k);
    double z = frexp(-1 / (x - x), k + 1);
    return z < 0 ? y + (double)frexpf(f, k + 2) : 0;
}
