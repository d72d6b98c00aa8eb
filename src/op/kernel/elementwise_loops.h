/* Elementwise kernels: a loop for every row of elementwise.def and every element type that it has,
 * and those of where, cast and copy. What a loop computes is said by the row alone. Included once
 * for each level of the processor that the loops are compiled for, with KERNEL_OF(op, last, result)
 * the function to define, which finds them.
 *
 * The loops read element i of each argument before they write element i of the result, and nothing
 * else: so the result may take the place of an argument of the same element size, and iterations
 * are independent, which the compiler is told. Compiled without errno and traps, with NaN and
 * infinity as IEEE has them. */
#include "op/kernel/special.h"
#include "op/kernel/vector_math.h"
#include "op/kernel/vector_math_f32.h"
#include "op/op.h"

#include <tgmath.h>

typedef uint8_t b8;
typedef int32_t i32;
typedef int64_t i64;
typedef uint32_t ui32;
typedef uint64_t ui64;
typedef float f32;
typedef double f64;

/* A row says exp(a); what becomes vector code is not the C library's exp but that of vector_math.h.
 * The functions not named here are the C library's, one element at a time. */
#define VECTOR(name, x) _Generic((x), f32: vm_##name##f, f64: vm_##name)(x)
#undef exp
#undef exp2
#undef expm1
#undef log
#undef log2
#undef log10
#undef log1p
#undef sinh
#undef cosh
#undef tanh
#define exp(x) VECTOR(exp, x)
#define exp2(x) VECTOR(exp2, x)
#define expm1(x) VECTOR(expm1, x)
#define log(x) VECTOR(log, x)
#define log2(x) VECTOR(log2, x)
#define log10(x) VECTOR(log10, x)
#define log1p(x) VECTOR(log1p, x)
#define sinh(x) VECTOR(sinh, x)
#define cosh(x) VECTOR(cosh, x)
#define tanh(x) VECTOR(tanh, x)
/* For the values of ANGLE rows, whose loops say whether all angles are NEAR. */
#undef sin
#undef cos
#undef tan
#define OF_ANGLE(name, x) (NEAR ? VECTOR(name##_near, x) : VECTOR(name, x))
#define sin(x) OF_ANGLE(sin, x)
#define cos(x) OF_ANGLE(cos, x)
#define tan(x) OF_ANGLE(tan, x)

#if defined(__GNUC__) && !defined(__clang__)
#define INDEPENDENT _Pragma("GCC ivdep")
#else
#define INDEPENDENT
#endif

/* ---- loops: T the element type of the arguments, R that of the result ----------------------- */

#define LOOP1(kernel, T, R, value)                                                                 \
    static void kernel(size_t n, const void *const *arg, void *out) {                              \
        const T *x0 = arg[0];                                                                      \
        R *y = out;                                                                                \
        INDEPENDENT                                                                                \
        for (size_t i = 0; i < n; i++) {                                                           \
            const T a = x0[i];                                                                     \
            y[i] = (R)(value);                                                                     \
        }                                                                                          \
    }
#define LOOP2(kernel, T, R, value)                                                                 \
    static void kernel(size_t n, const void *const *arg, void *out) {                              \
        const T *x0 = arg[0], *x1 = arg[1];                                                        \
        R *y = out;                                                                                \
        INDEPENDENT                                                                                \
        for (size_t i = 0; i < n; i++) {                                                           \
            const T a = x0[i], b = x1[i];                                                          \
            y[i] = (R)(value);                                                                     \
        }                                                                                          \
    }
#define LOOP3(kernel, T, R, value)                                                                 \
    static void kernel(size_t n, const void *const *arg, void *out) {                              \
        const T *x0 = arg[0], *x1 = arg[1], *x2 = arg[2];                                          \
        R *y = out;                                                                                \
        INDEPENDENT                                                                                \
        for (size_t i = 0; i < n; i++) {                                                           \
            const T a = x0[i], b = x1[i], c = x2[i];                                               \
            y[i] = (R)(value);                                                                     \
        }                                                                                          \
    }
/* Of angles: where all of a block are near, which costs little to see, its loop has no branch. */
enum { ANGLES = 256 };
#define LOOP_ANGLE(kernel, T, value)                                                               \
    static void kernel(size_t n, const void *const *arg, void *out) {                              \
        const T *x0 = arg[0];                                                                      \
        T *y = out;                                                                                \
        for (size_t end = 0; n > 0; n -= end, x0 += end, y += end) {                               \
            end = n < ANGLES ? n : ANGLES;                                                         \
            T far = 0;                                                                             \
            for (size_t i = 0; i < end; i++) far = fabs(x0[i]) > (T)VM_NEAR ? 1 : far;             \
            if (far > 0) {                                                                         \
                enum { NEAR = false };                                                             \
                ANGLE_BLOCK(T, value)                                                              \
            } else {                                                                               \
                enum { NEAR = true };                                                              \
                ANGLE_BLOCK(T, value)                                                              \
            }                                                                                      \
        }                                                                                          \
    }
#define ANGLE_BLOCK(T, value)                                                                      \
    INDEPENDENT                                                                                    \
    for (size_t i = 0; i < end; i++) {                                                             \
        const T a = x0[i];                                                                         \
        y[i] = value;                                                                              \
    }
/* The same with u and v, the operands without a sign: signed overflow is undefined, this wraps. */
#define LOOP1_INT(kernel, T, value)                                                                \
    static void kernel(size_t n, const void *const *arg, void *out) {                              \
        const T *x0 = arg[0];                                                                      \
        T *y = out;                                                                                \
        INDEPENDENT                                                                                \
        for (size_t i = 0; i < n; i++) {                                                           \
            const T a = x0[i];                                                                     \
            const u##T u = (u##T)a;                                                                \
            (void)a, (void)u;                                                                      \
            y[i] = (T)(value);                                                                     \
        }                                                                                          \
    }
#define LOOP2_INT(kernel, T, value)                                                                \
    static void kernel(size_t n, const void *const *arg, void *out) {                              \
        const T *x0 = arg[0], *x1 = arg[1];                                                        \
        T *y = out;                                                                                \
        INDEPENDENT                                                                                \
        for (size_t i = 0; i < n; i++) {                                                           \
            const T a = x0[i], b = x1[i];                                                          \
            const u##T u = (u##T)a, v = (u##T)b;                                                   \
            (void)a, (void)b, (void)u, (void)v;                                                    \
            y[i] = (T)(value);                                                                     \
        }                                                                                          \
    }

/* Words of the rows of integers. Division rounds down; -1 is a case of its own because the smallest
 * integer has no quotient by it. */
static inline i64 floor_quotient(i64 a, i64 b) {
    if (b == 0) return 0;
    if (b == -1) return (i64)(0 - (ui64)a);
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
static inline i64 floor_remainder(i64 a, i64 b) {
    if (b == 0) return a;
    if (b == -1) return 0;
    i64 rest = a % b;
    return rest != 0 && (a < 0) != (b < 0) ? rest + b : rest;
}
/* a b, but 0 where a or b is 0: that only matters where the product is NaN, which the common case
 * does not look further than. */
#define ABSOLUTE(a, b)                                                                             \
    ((a) * (b) + 0 == (a) * (b) + 0 ? (a) * (b) + 0 : (((a) == 0) | ((b) == 0)) ? 0 : (a) * (b))
#define BITS(x) (8 * sizeof(x))
/* To the right with the sign kept, which C leaves to the compiler. */
#define SHIFTED(a, count) ((a) < 0 ? ~(~u >> (count)) : u >> (count))

/* ---- the rows of elementwise.def ------------------------------------------------------------ */

#define UNARY(name, value, ...)                                                                    \
    LOOP1(name##_f32, f32, f32, value)                                                             \
    LOOP1(name##_f64, f64, f64, value)
#define ANGLE(name, value, ...)                                                                    \
    LOOP_ANGLE(name##_f32, f32, value)                                                             \
    LOOP_ANGLE(name##_f64, f64, value)
#define BINARY(name, value, ...)                                                                   \
    LOOP2(name##_f32, f32, f32, value)                                                             \
    LOOP2(name##_f64, f64, f64, value)
#define TERNARY(name, value, ...)                                                                  \
    LOOP3(name##_f32, f32, f32, value)                                                             \
    LOOP3(name##_f64, f64, f64, value)
#define INTEGER1(name, value, doc)                                                                 \
    LOOP1_INT(name##_i32, i32, value)                                                              \
    LOOP1_INT(name##_i64, i64, value)
#define INTEGER2(name, value, doc)                                                                 \
    LOOP2_INT(name##_i32, i32, value)                                                              \
    LOOP2_INT(name##_i64, i64, value)
#define UNARY_INT(name, value, integer, ...)                                                       \
    UNARY(name, value, __VA_ARGS__)                                                                \
    LOOP1_INT(name##_i32, i32, integer)                                                            \
    LOOP1_INT(name##_i64, i64, integer)
#define BINARY_INT(name, value, integer, ...)                                                      \
    BINARY(name, value, __VA_ARGS__)                                                               \
    LOOP2_INT(name##_i32, i32, integer)                                                            \
    LOOP2_INT(name##_i64, i64, integer)
#define PREDICATE1(name, value, doc)                                                               \
    LOOP1(name##_f32, f32, b8, value)                                                              \
    LOOP1(name##_f64, f64, b8, value)
#define LOGICAL1(name, value, doc) LOOP1(name##_b8, b8, b8, value)
#define LOGICAL2(name, value, doc) LOOP2(name##_b8, b8, b8, value)
#define COMPARISON(name, value, doc)                                                               \
    LOOP2(name##_b8, b8, b8, value)                                                                \
    LOOP2(name##_i32, i32, b8, value)                                                              \
    LOOP2(name##_i64, i64, b8, value)                                                              \
    LOOP2(name##_f32, f32, b8, value)                                                              \
    LOOP2(name##_f64, f64, b8, value)
#include "op/elementwise.def"

/* ---- where, copy, cast ---------------------------------------------------------------------- */

/* condition bool[n], a T[n], b T[n] -> T[n] */
#define WHERE(T)                                                                                   \
    static void where_##T(size_t n, const void *const *arg, void *out) {                           \
        const b8 *condition = arg[0];                                                              \
        const T *a = arg[1], *b = arg[2];                                                          \
        T *y = out;                                                                                \
        INDEPENDENT                                                                                \
        for (size_t i = 0; i < n; i++) {                                                           \
            const T yes = a[i], no = b[i];                                                         \
            y[i] = condition[i] ? yes : no;                                                        \
        }                                                                                          \
    }

/* Truncation, saturating, NaN to 0: `limit` is the power of two just above `largest`. */
#define TRUNCATE(T, R, limit, smallest, largest)                                                   \
    (a >= (T)(limit) ? (largest) : a >= (T) - (limit) ? (R)a : a < 0 ? (smallest) : 0)
#define TO_I32(T) TRUNCATE(T, i32, 0x1p31, INT32_MIN, INT32_MAX)
#define TO_I64(T) TRUNCATE(T, i64, 0x1p63, INT64_MIN, INT64_MAX)

#define CASTS(T, to_i32, to_i64)                                                                   \
    LOOP1(T##_to_b8, T, b8, a != 0)                                                                \
    LOOP1(T##_to_i32, T, i32, to_i32)                                                              \
    LOOP1(T##_to_i64, T, i64, to_i64)                                                              \
    LOOP1(T##_to_f32, T, f32, a)                                                                   \
    LOOP1(T##_to_f64, T, f64, a)                                                                   \
    LOOP1(T##_copy, T, T, a)                                                                       \
    WHERE(T)

CASTS(b8, a, a)
CASTS(i32, a, a)
CASTS(i64, (ui32)a, a)
CASTS(f32, TO_I32(f32), TO_I64(f32))
CASTS(f64, TO_I32(f64), TO_I64(f64))

/* ---- finding them --------------------------------------------------------------------------- */

/* By operation and element type of the last argument. */
static elementwise_kernel *const kernel[OP_COUNT][WG_DTYPE_COUNT] = {
#define FLOATS(name) [WG_F32] = name##_f32, [WG_F64] = name##_f64
#define INTEGERS(name) [WG_I32] = name##_i32, [WG_I64] = name##_i64
#define NUMBERS(name) INTEGERS(name), FLOATS(name)
#define UNARY(name, ...) [OP_##name] = {FLOATS(name)},
#define BINARY(name, ...) [OP_##name] = {FLOATS(name)},
#define TERNARY(name, ...) [OP_##name] = {FLOATS(name)},
#define INTEGER1(name, ...) [OP_##name] = {INTEGERS(name)},
#define INTEGER2(name, ...) [OP_##name] = {INTEGERS(name)},
#define UNARY_INT(name, ...) [OP_##name] = {NUMBERS(name)},
#define BINARY_INT(name, ...) [OP_##name] = {NUMBERS(name)},
#define PREDICATE1(name, ...) [OP_##name] = {FLOATS(name)},
#define PREDICATE2(name, ...) [OP_##name] = {FLOATS(name)},
#define LOGICAL1(name, ...) [OP_##name] = {[WG_BOOL] = name##_b8},
#define LOGICAL2(name, ...) [OP_##name] = {[WG_BOOL] = name##_b8},
#define COMPARISON(name, ...) [OP_##name] = {[WG_BOOL] = name##_b8, NUMBERS(name)},
#include "op/elementwise.def"
    [OP_where] = {where_b8, where_i32, where_i64, where_f32, where_f64},
    [OP_stop_gradient] = {b8_copy, i32_copy, i64_copy, f32_copy, f64_copy},
    [OP_copy] = {b8_copy, i32_copy, i64_copy, f32_copy, f64_copy},
};

/* By element type of the argument and of the result. */
static elementwise_kernel *const cast_kernel[WG_DTYPE_COUNT][WG_DTYPE_COUNT] = {
#define CASTS_OF(T) {T##_to_b8, T##_to_i32, T##_to_i64, T##_to_f32, T##_to_f64}
    [WG_BOOL] = CASTS_OF(b8), [WG_I32] = CASTS_OF(i32), [WG_I64] = CASTS_OF(i64),
    [WG_F32] = CASTS_OF(f32), [WG_F64] = CASTS_OF(f64),
};

elementwise_kernel *KERNEL_OF(unsigned op, unsigned last_dtype, unsigned result_dtype) {
    if (op >= OP_COUNT || last_dtype >= WG_DTYPE_COUNT || result_dtype >= WG_DTYPE_COUNT)
        return NULL;
    return op == OP_cast ? cast_kernel[last_dtype][result_dtype] : kernel[op][last_dtype];
}
