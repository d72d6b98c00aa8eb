#include "support/vector_accuracy.h"

#include "op/op.h"

#include <float.h>
#include <math.h>
#include <string.h>

const struct vector_function vector_functions[] = {
    {OP_exp, expl, 0.8, 0.8},     {OP_exp2, exp2l, 1.3, 1.2}, {OP_expm1, expm1l, 1.7, 1.7},
    {OP_log, logl, 1.0, 1.0},     {OP_log2, log2l, 0.9, 0.9}, {OP_log10, log10l, 0.8, 0.8},
    {OP_log1p, log1pl, 1.0, 1.0}, {OP_sin, sinl, 0.9, 0.9},   {OP_cos, cosl, 0.9, 0.9},
    {OP_tan, tanl, 2.3, 2.5},     {OP_sinh, sinhl, 2.0, 2.0}, {OP_cosh, coshl, 1.3, 1.3},
    {OP_tanh, tanhl, 2.0, 2.0},
};
const size_t vector_function_count = sizeof vector_functions / sizeof *vector_functions;

/* ---- points --------------------------------------------------------------------------------- */

enum { POINTS = 30000 };

static uint64_t next_bits(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 32;
}

/* Point i, of kinds in turns. `any` has any bits of the format. */
static double point(size_t i, uint64_t *state, double any) {
    static const double edge[] = {
        0,  -0.0, 1,       -1, HUGE_VAL, -HUGE_VAL, NAN, 1e-40, -1e-310,  1e-45, 709.7,    -745.1,
        88, -103, 0x1p-54, 2,  10,       1e15,      0.5, -2,    1048576., 1e22,  -0x1p-30, 710.4};
    static const double width[] = {1, 3, 30, 750, 1e6};
    static const long double quarter_turn = 1.57079632679489661923L;
    enum { WIDTHS = sizeof width / sizeof *width, KINDS = WIDTHS + 3 };
    double unit = (double)(next_bits(state) >> 11) * 0x1p-53;
    if (i < sizeof edge / sizeof *edge) return edge[i];
    if (i % KINDS < WIDTHS) return width[i % KINDS] * (2 * unit - 1);
    switch (i % KINDS - WIDTHS) {
    case 0: return any;
    case 1: return (double)(rintl(6e5L * (long double)unit) * quarter_turn);
    default: return 0.9 + 0.2 * unit;
    }
}

/* ---- errors --------------------------------------------------------------------------------- */

/* Of y against y_true, which is `nearest` in a format of this many bits and no exponent below
 * `least`. */
static double error_of(long double y, long double y_true, long double nearest, int bits,
                       int least) {
    if (isnan(y) || isnan(y_true)) return isnan(y) && isnan(y_true) ? 0 : HUGE_VAL;
    if (isinf(y) || isinf(nearest)) return y == nearest ? 0 : HUGE_VAL;
    if (y == 0 && nearest == 0) return !signbit(y) == !signbit(y_true) ? 0 : HUGE_VAL;
    int exponent = y_true != 0 && ilogbl(y_true) > least ? ilogbl(y_true) : least;
    return (double)(fabsl(y - y_true) / ldexpl(1, exponent + 1 - bits));
}

double vector_error_f64(const struct vector_function *f) {
    static double x[POINTS], y[POINTS];
    uint64_t state = 1;
    double worst = 0;
    for (size_t i = 0; i < POINTS; i++) {
        uint64_t bits = next_bits(&state);
        memcpy(&x[i], &bits, sizeof bits);
        x[i] = point(i, &state, x[i]);
    }
    op_kernel(f->op, WG_F64, WG_F64)(POINTS, (const void *const[]){x}, y);
    for (size_t i = 0; i < POINTS; i++) {
        long double y_true = f->reference((long double)x[i]);
        worst = fmax(worst, error_of((long double)y[i], y_true, (long double)(double)y_true,
                                     DBL_MANT_DIG, DBL_MIN_EXP - 1));
    }
    return worst;
}

double vector_error_f32(const struct vector_function *f) {
    static float x[POINTS], y[POINTS];
    uint64_t state = 1;
    double worst = 0;
    for (size_t i = 0; i < POINTS; i++) {
        uint32_t bits = (uint32_t)next_bits(&state);
        memcpy(&x[i], &bits, sizeof bits);
        x[i] = (float)point(i, &state, (double)x[i]);
    }
    op_kernel(f->op, WG_F32, WG_F32)(POINTS, (const void *const[]){x}, y);
    for (size_t i = 0; i < POINTS; i++) {
        long double y_true = f->reference((long double)x[i]);
        worst = fmax(worst, error_of((long double)y[i], y_true, (long double)(float)y_true,
                                     FLT_MANT_DIG, FLT_MIN_EXP - 1));
    }
    return worst;
}
