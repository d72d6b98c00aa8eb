/* The elementwise rows once more, in long double and 128 bits. */
#include "support/reference.h"

#include <tgmath.h>

/* ---- special functions in long double -------------------------------------------------------- */

/* sum over k >= 0 of (x + k)^-s for x > 0, s > 1, by Euler and Maclaurin (NIST Handbook, 25.11.5);
 * far enough out that six terms are below the rounding. */
static long double long_zeta(long double s, long double x) {
    static const long double bernoulli[] = {1.0L / 6,   -1.0L / 30, 1.0L / 42,
                                            -1.0L / 30, 5.0L / 66,  -691.0L / 2730};
    long double sum = 0, from = 60 + s;
    for (; x < from; x++) sum += pow(x, -s);
    long double term = s * pow(x, -s - 1), series = 0;
    for (int k = 1; k <= 6; k++) { /* term = s ... (s+2k-2) x^(1-s-2k) / (2k)! */
        term /= 2 * k * (k == 1 ? 1 : 2 * k - 1);
        series += bernoulli[k - 1] * term;
        term *= (s + 2 * k - 1) * (s + 2 * k) / (x * x);
    }
    return sum + pow(x, 1 - s) / (s - 1) + pow(x, -s) / 2 + series;
}

static long double long_digamma(long double x) {
    long double sum = 0;
    for (; x < 60; x++) sum += 1 / x;
    long double q = 1 / (x * x);
    return log(x) - 1 / (2 * x) - q * (1.0L / 12 - q * (1.0L / 120 - q * (1.0L / 252 - q / 240))) -
           sum;
}

static long double long_polygamma(long double n, long double x) {
    n = rint(n);
    if (n == 0) return long_digamma(x);
    return (fmod(n, 2) == 0 ? -1 : 1) * tgamma(n + 1) * long_zeta(n + 1, x);
}

#define special_lgamma(x) lgamma(x)
#define special_digamma(x) long_digamma(x)
#define special_trigamma(x) long_polygamma(1, x)
#define special_polygamma(n, x) long_polygamma(n, x)

/* ---- words of the rows of integers ----------------------------------------------------------- */

static wide floor_quotient(wide a, wide b) {
    if (b == 0) return 0;
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
static wide floor_remainder(wide a, wide b) {
    return a - b * floor_quotient(a, b);
}
/* Divided by 2^count, rounded down. */
static wide shifted(wide a, uwide count) {
    wide power = 1;
    for (uwide i = 0; i < count && i < 64; i++) power *= 2;
    return floor_quotient(a, power);
}
#define BITS(x)           bits
#define SHIFTED(a, count) shifted(a, count)
#define ABSOLUTE(a, b)    (((a) == 0) | ((b) == 0) ? 0 : (a) * (b))

/* ---- the rows -------------------------------------------------------------------------------- */

typedef long double f64; /* what a row's value is converted to */

#define FLOATING(name, value)                                                                      \
    static long double name##_floating(const long double *x) {                                     \
        const long double a = x[0], b = x[1], c = x[2];                                            \
        (void)a, (void)b, (void)c;                                                                 \
        return (long double)(value);                                                               \
    }
#define INTEGER(name, value)                                                                       \
    static wide name##_integer(const wide *x, unsigned bits) {                                     \
        const wide a = x[0], b = x[1];                                                             \
        const uwide u = (uwide)a, v = (uwide)b;                                                    \
        (void)a, (void)b, (void)u, (void)v, (void)bits;                                            \
        return (wide)(value);                                                                      \
    }
#define UNARY(name, value, ...)  FLOATING(name, value)
#define BINARY(name, value, ...) FLOATING(name, value)
#define UNARY_INT(name, value, integer, ...)                                                       \
    FLOATING(name, value)                                                                          \
    INTEGER(name, integer)
#define BINARY_INT       UNARY_INT
#define INTEGER1(name, value, doc)   INTEGER(name, value)
#define INTEGER2(name, value, doc)   INTEGER(name, value)
#define PREDICATE1(name, value, doc) FLOATING(name, value)
#define PREDICATE2(name, value, doc)
#define LOGICAL1(name, value, doc)   INTEGER(name, value)
#define LOGICAL2(name, value, doc)   INTEGER(name, value)
#define COMPARISON(name, value, doc)                                                               \
    FLOATING(name, value)                                                                          \
    INTEGER(name, value)
#include "op/elementwise.def"

static floating_row *const floating[OP_COUNT] = {
#define UNARY(name, ...)      [OP_##name] = name##_floating,
#define BINARY(name, ...)     [OP_##name] = name##_floating,
#define PREDICATE1(name, ...) [OP_##name] = name##_floating,
#define PREDICATE2(name, ...)
#define INTEGER1(name, ...)
#define LOGICAL1(name, ...)
#define COMPARISON(name, ...) [OP_##name] = name##_floating,
#include "op/elementwise.def"
};

static integer_row *const integer[OP_COUNT] = {
#define UNARY(name, ...)
#define BINARY(name, ...)
#define PREDICATE1(name, ...)
#define PREDICATE2(name, ...)
#define UNARY_INT(name, ...)  [OP_##name] = name##_integer,
#define BINARY_INT(name, ...) [OP_##name] = name##_integer,
#define INTEGER1(name, ...)   [OP_##name] = name##_integer,
#define INTEGER2(name, ...)   [OP_##name] = name##_integer,
#define LOGICAL1(name, ...)   [OP_##name] = name##_integer,
#define LOGICAL2(name, ...)   [OP_##name] = name##_integer,
#define COMPARISON(name, ...) [OP_##name] = name##_integer,
#include "op/elementwise.def"
};

floating_row *reference_floating(unsigned op) {
    return floating[op];
}

integer_row *reference_integer(unsigned op) {
    return integer[op];
}
