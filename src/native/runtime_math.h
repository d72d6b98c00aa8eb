/* Which mathematical functions a compiled program calls. Scalar code calls the C library, which is
 * faster for one number, or, where digits are to be the interpreter's, one copy of each function of
 * vector_math.h. In loops gcc calls the C library's vector functions (libmvec) for what
 * vector_math.h lacks, and for angles, which that treats in two ways. clang calls those that it
 * knows, sines, cosines and powers, where WG_LIBMVEC says that it was told to. Behind this stands
 * WG_SCALAR(name) for each function that scalar code calls, and, for loops of gcc where the
 * processor has what that needs, runtime_wide.h. */
#ifdef __OPTIMIZE__
#define WG_SCALAR(name)                                                                            \
    static inline WG_UNUSED double wg_##name(double x) { return name(x); }                         \
    static inline WG_UNUSED float wg_##name##f(float x) { return name##f(x); }
#else
#define WG_SCALAR(name)                                                                            \
    static WG_APART double wg_##name(double x) { return vm_##name(x); }                            \
    static WG_APART float wg_##name##f(float x) { return vm_##name##f(x); }
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) &&       \
    defined(__OPTIMIZE__)
#define WG_SIMD __attribute__((simd("notinbranch"), const, nothrow))
/* Under another name, or sines and cosines of one angle would be joined to one scalar call. */
#define WG_ANGLE(name)                                                                             \
    WG_SIMD extern double wg_simd_##name(double) __asm__(#name);                                   \
    WG_SIMD extern float wg_simd_##name##f(float) __asm__(#name "f");
WG_ANGLE(sin)
WG_ANGLE(cos)
#define vm_sin wg_simd_sin
#define vm_sinf wg_simd_sinf
#define vm_cos wg_simd_cos
#define vm_cosf wg_simd_cosf
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define WG_WIDE_LOOPS
#endif
WG_SIMD extern double pow(double, double);
WG_SIMD extern float powf(float, float);
#if __GLIBC_PREREQ(2, 35)
#define WG_SIMD1(name)                                                                             \
    WG_SIMD extern double name(double);                                                            \
    WG_SIMD extern float name##f(float);
#define WG_SIMD2(name)                                                                             \
    WG_SIMD extern double name(double, double);                                                    \
    WG_SIMD extern float name##f(float, float);
WG_ANGLE(tan)
#define vm_tan wg_simd_tan
#define vm_tanf wg_simd_tanf
WG_SIMD1(acos)
WG_SIMD1(acosh)
WG_SIMD1(asin)
WG_SIMD1(asinh)
WG_SIMD1(atan)
WG_SIMD1(atanh)
WG_SIMD1(cbrt)
WG_SIMD1(erf)
WG_SIMD1(erfc)
WG_SIMD2(atan2)
WG_SIMD2(hypot)
#endif
#elif defined(__clang__) && defined(WG_LIBMVEC) && defined(__OPTIMIZE__)
#define vm_sin sin
#define vm_sinf sinf
#define vm_cos cos
#define vm_cosf cosf
#endif
