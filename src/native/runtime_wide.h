/* exp, log, log1p and tanh of eight doubles with AVX-512, whose instructions take a number apart,
 * scale it and look it up among sixteen: a table leaves so little of an argument that few terms of
 * a series are, and a logarithm needs no division. Loops that gcc compiles call these in the place
 * of what vector_math.h has. Every element gets the digits that it would get anywhere else in its
 * loop: shorter vectors and single numbers are widened. Edges are those of vector_math.h.
 *
 * Tang, Table-driven implementation of the exponential function in IEEE floating-point arithmetic
 * (1989), and of the logarithm function (1990), has the method; tools/minimax.py prints
 * coefficients and tables; tests/native/test_native_wide.c measures errors. */
typedef double wg_wide __attribute__((vector_size(64)));
typedef int64_t wg_wide_bits __attribute__((vector_size(64)));
#define WG_WIDE static inline __attribute__((always_inline, unused)) wg_wide
#define WG_WIDE_TABLE static const double __attribute__((aligned(64), unused))
#define WG_WIDE_SIGN (INT64_MIN - (wg_wide_bits){0})

/* ---- instructions ---------------------------------------------------------------------------- */

#ifndef WG_WIDE_EMULATED
/* x in every element */
WG_WIDE wg_wide_all(double x) { return x - (wg_wide){0}; }

/* y 2^floor(n), rounded once; n may be infinite. */
WG_WIDE wg_wide_scale(wg_wide y, wg_wide n) {
    __asm__("vscalefpd %1, %0, %0" : "+v"(y) : "v"(n));
    return y;
}

/* x with a magnitude of at most `most`, which is also that of NaN */
WG_WIDE wg_wide_bounded(wg_wide x, wg_wide most) {
    __asm__("vrangepd $2, %1, %0, %0" : "+v"(x) : "v"(most));
    return x;
}

/* x, but at most `most`; NaN where x is */
WG_WIDE wg_wide_at_most(wg_wide most, wg_wide x) {
    __asm__("vminpd %1, %0, %0" : "+v"(most) : "v"(x));
    return most;
}

/* k of |x| = 2^k m, 1 <= m < 2: -infinity for 0, infinity for infinity */
WG_WIDE wg_wide_exponent(wg_wide x) {
    __asm__("vgetexppd %1, %0" : "=v"(x) : "v"(x));
    return x;
}

/* m of x = 2^k m, 3/4 <= m < 3/2: 1 for 0 and infinity, NaN for what is less than 0 */
WG_WIDE wg_wide_mantissa(wg_wide x) {
    __asm__("vgetmantpd $15, %1, %0" : "=v"(x) : "v"(x));
    return x;
}

/* y, but `end` where x is 0 or infinity */
WG_WIDE wg_wide_with_ends(wg_wide y, wg_wide x, wg_wide end) {
    __asm__("vfpclasspd $14, %1, %%k1\n\tvmovapd %2, %0%{%%k1%}"
            : "+v"(y)
            : "v"(x), "v"(end)
            : "k1");
    return y;
}

/* x y + z, rounded once */
WG_WIDE wg_wide_fma(wg_wide x, wg_wide y, wg_wide z) {
    __asm__("vfmadd213pd %2, %1, %0" : "+v"(x) : "v"(y), "v"(z));
    return x;
}

/* the entries that the last four bits of i name */
WG_WIDE wg_wide_entry(const double table[16], wg_wide_bits i) {
    const wg_wide *half = (const wg_wide *)(const void *)table;
    return __builtin_shuffle(half[0], half[1], i);
}
#endif

/* ---- exponentials ---------------------------------------------------------------------------- */

/* clang-format off */
/* 2^(j/16), and what that lacks, relative to it */
WG_WIDE_TABLE wg_wide_power[16] = {
    1.0, 1.0442737824274138, 1.0905077326652577, 1.1387886347566916, 1.189207115002721,
    1.241857812073484, 1.2968395546510096, 1.3542555469368927, 1.4142135623730951,
    1.4768261459394993, 1.5422108254079407, 1.6104903319492543, 1.681792830507429,
    1.7562521603732995, 1.8340080864093424, 1.9152065613971474};
WG_WIDE_TABLE wg_wide_power_rest[16] = {
    0.0, 8.189317638195514e-17, -2.7939114859515733e-17, 7.826573258636075e-17,
    3.3484623336251524e-17, 3.7508542013031266e-17, 1.9572585293112036e-17, 5.68648095791174e-17,
    -6.835808657661923e-17, -2.3591094770850053e-17, 5.1548301170786783e-17, 1.5341410053603723e-17,
    4.875160526227061e-17, 1.685487290628973e-17, 1.790126907604513e-17, -5.5450656186394274e-17};
/* clang-format on */

/* x = n ln 2 + (high - low), 16 n whole and |high - low| <= ln(2)/32, high exact; and 2^(n - floor
 * n) = power (1 + rest). */
struct wg_wide_exponent {
    wg_wide n, high, low, power, rest;
};

static inline __attribute__((always_inline, unused)) struct wg_wide_exponent
wg_wide_reduce_exponent(wg_wide x) {
    struct wg_wide_exponent e;
    const double round = 6755399441055744.0 / 16; /* the last bit of a sum with it: 1/16 */
    wg_wide t = x * 1.4426950408889634 + round;
    e.n = t - round;
    e.high = x - e.n * 0.6931471805582987;
    e.low = e.n * 1.6465949582897082e-12;
    e.power = wg_wide_entry(wg_wide_power, (wg_wide_bits)t);
    e.rest = wg_wide_entry(wg_wide_power_rest, (wg_wide_bits)t);
    return e;
}

/* e^r - 1 - r + rest */
WG_WIDE wg_wide_exp_rest(wg_wide r, wg_wide rest) {
    wg_wide square = r * r;
    wg_wide p = (0.5000000000000003 + 0.16666666666666677 * r) +
                square * ((0.04166666666188785 + 0.008333333332415526 * r) +
                          square * (0.0013889092666829772 + 0.0001984155418575506 * r));
    return square * p + rest;
}

/* Where x is infinite, NaN or beyond what has a result n says so, and r is kept from more. */
WG_WIDE wg_wide_exp(wg_wide x) {
    struct wg_wide_exponent e = wg_wide_reduce_exponent(x);
    wg_wide r = wg_wide_bounded(e.high - e.low, wg_wide_all(0.03));
    return wg_wide_scale(e.power + e.power * (r + wg_wide_exp_rest(r, e.rest)), e.n);
}

/* |E / (E + 2)| with E = e^(2x) - 1 of |x|, but of -|x| where that is small: then 1 + E/2 is below
 * 1, and its rounding less than the result's. */
WG_WIDE wg_wide_tanh(wg_wide x) {
    wg_wide most = wg_wide_at_most(wg_wide_all(20), (wg_wide)((wg_wide_bits)x & ~WG_WIDE_SIGN));
    wg_wide_bits down = WG_WIDE_SIGN & (most < 0.3466);
    struct wg_wide_exponent e = wg_wide_reduce_exponent(
        (wg_wide)((wg_wide_bits)(most + most) ^ down));
    wg_wide power = wg_wide_scale(e.power, e.n);
    wg_wide E = (power - 1) + power * (e.high + wg_wide_exp_rest(e.high - e.low, e.rest - e.low));
    return (wg_wide)(((wg_wide_bits)(E / (E + 2)) & ~WG_WIDE_SIGN) |
                     ((wg_wide_bits)x & WG_WIDE_SIGN));
}

/* ---- logarithms ------------------------------------------------------------------------------ */

/* clang-format off */
/* 1/c of few digits, for c in that interval of [3/4, 3/2) where j is the first four binary digits
 * behind the point of a number or, below 1, of its double: 1 beside 1. And log c in two parts, the
 * first a multiple of 2^-42. */
WG_WIDE_TABLE wg_wide_reciprocal[16] = {
    1.0, 0.90625, 0.875, 0.8125, 0.78125, 0.75, 0.703125, 0.6875, 1.3125, 1.25, 1.203125, 1.15625,
    1.125, 1.09375, 1.0625, 1.0};
WG_WIDE_TABLE wg_wide_logarithm[16] = {
    0.0, 0.09844007281321865, 0.13353139262449076, 0.20763936477828793, 0.2468600779316148,
    0.28768207245184385, 0.35222059358943625, 0.3746934494413381, -0.2719337154835557,
    -0.22314355131425145, -0.18492233849406148, -0.14518200984457508, -0.11778303565643,
    -0.08961215868976069, -0.06062462181648698, 0.0};
WG_WIDE_TABLE wg_wide_logarithm_rest[16] = {
    0.0, 3.3871241029241416e-14, 3.1859736349078334e-14, -4.3425422595242564e-14,
    -8.899851356560444e-14, -6.292357389008195e-14, -8.414918193489195e-14, 7.260466149925637e-14,
    -8.604306772808733e-14, 4.169796584527195e-14, 4.9485167661250996e-14, 7.718001336828099e-14,
    4.654729747598445e-14, 7.355770219435029e-14, 5.213620639136504e-14, 0.0};
/* clang-format on */

/* x = 2^k c (1 + r); `end` is the logarithm of 0 and infinity. */
struct wg_wide_logarithm {
    wg_wide k, r, reciprocal, end;
    wg_wide_bits j;
};

static inline __attribute__((always_inline, unused)) struct wg_wide_logarithm
wg_wide_reduce_logarithm(wg_wide x) {
    struct wg_wide_logarithm l;
    wg_wide m = wg_wide_mantissa(x);
    l.end = wg_wide_exponent(x);
    l.k = l.end - wg_wide_exponent(m);
    l.j = (wg_wide_bits)m >> 48;
    l.reciprocal = wg_wide_entry(wg_wide_reciprocal, l.j);
    l.r = wg_wide_fma(m, l.reciprocal, wg_wide_all(-1));
    return l;
}

/* log x + more, where that is less than the last digits of 1. */
WG_WIDE wg_wide_logarithm_of(struct wg_wide_logarithm l, wg_wide more) {
    wg_wide r = l.r, square = r * r;
    wg_wide p = (0.3333333333333285 - 0.250000000000276 * r) +
                square * ((0.20000000002761192 - 0.16666666596718832 * r) +
                          square * ((0.1428570936192678 - 0.12500039133904112 * r) +
                                    square * ((0.11114636465776996 - 0.10009534106225425 * r) +
                                              square * 0.08221391077052717)));
    wg_wide high = l.k * 0.6931471805598903 + wg_wide_entry(wg_wide_logarithm, l.j);
    wg_wide low = l.k * 5.497923018708371e-14 + wg_wide_entry(wg_wide_logarithm_rest, l.j);
    return high + (r + ((square * (r * p - 0.5) + more) + low));
}

WG_WIDE wg_wide_log(wg_wide x) {
    struct wg_wide_logarithm l = wg_wide_reduce_logarithm(x);
    return wg_wide_with_ends(wg_wide_logarithm_of(l, wg_wide_all(0)), x, l.end);
}

/* log u, u = 1 + x rounded, and what u lost over u = 2^k c (1 + r): for 1/(1 + r), 1 - r will do.
 * With the sign of x, also where that is -0. */
WG_WIDE wg_wide_log1p(wg_wide x) {
    wg_wide u = 1 + x, lost = x - (u - 1);
    struct wg_wide_logarithm l = wg_wide_reduce_logarithm(u);
    wg_wide more = wg_wide_scale(lost, -l.k) * l.reciprocal;
    wg_wide y = wg_wide_with_ends(wg_wide_logarithm_of(l, more - more * l.r), u, l.end);
    return (wg_wide)((wg_wide_bits)y | ((wg_wide_bits)x & WG_WIDE_SIGN));
}

/* ---- what loops call ------------------------------------------------------------------------- */

/* By the names that x86-64's vector ABI has for the function wg_NAME_of_many of eight, four, two
 * numbers and one. Not static, though nobody else sees them: what refers to them knows them by
 * these names alone. write_call.c names the functions that there are. */
typedef double wg_four __attribute__((vector_size(32)));
typedef double wg_two __attribute__((vector_size(16)));
#define WG_WIDE_CALLED __attribute__((noinline, used, visibility("hidden")))
#define WG_WIDE_VARIANTS(name)                                                                     \
    extern double wg_simd_##name(double) __asm__("wg_" #name "_of_many")                           \
        __attribute__((simd("notinbranch"), const, nothrow, visibility("hidden")));                \
    WG_WIDE_CALLED wg_wide wg_eight_##name(wg_wide) __asm__("_ZGVeN8v_wg_" #name "_of_many");      \
    WG_WIDE_CALLED wg_four wg_four_##name(wg_four) __asm__("_ZGVdN4v_wg_" #name "_of_many");       \
    WG_WIDE_CALLED wg_two wg_two_##name(wg_two) __asm__("_ZGVbN2v_wg_" #name "_of_many");          \
    WG_WIDE_CALLED double wg_one_##name(double) __asm__("wg_" #name "_of_many");                   \
    wg_wide wg_eight_##name(wg_wide x) { return wg_wide_##name(x); }                               \
    wg_four wg_four_##name(wg_four x) {                                                            \
        wg_wide y = wg_wide_##name((wg_wide){x[0], x[1], x[2], x[3]});                             \
        return (wg_four){y[0], y[1], y[2], y[3]};                                                  \
    }                                                                                              \
    wg_two wg_two_##name(wg_two x) {                                                               \
        wg_wide y = wg_wide_##name((wg_wide){x[0], x[1]});                                         \
        return (wg_two){y[0], y[1]};                                                               \
    }                                                                                              \
    double wg_one_##name(double x) { return wg_wide_##name((wg_wide){x})[0]; }
