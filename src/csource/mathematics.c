/* The functions of math.h, each by the operations of the graph that give its values to the last bit
 * where there is one, and by its definition where it is made of several. The forms with f and with
 * __builtin_ in front are the same rows. */
#include "csource/lower.h"

#include <float.h>
#include <math.h>

struct unary_row {
    const char *name;
    uint16_t op;
    bool is_cheap;
};

static const struct unary_row unary_rows[] = {
    {"acos", OP_acos, false}, {"asin", OP_asin, false}, {"atan", OP_atan, false},
    {"cos", OP_cos, false}, {"sin", OP_sin, false}, {"tan", OP_tan, false},
    {"acosh", OP_acosh, false}, {"asinh", OP_asinh, false}, {"atanh", OP_atanh, false},
    {"cosh", OP_cosh, false}, {"sinh", OP_sinh, false}, {"tanh", OP_tanh, false},
    {"exp", OP_exp, false}, {"exp2", OP_exp2, false}, {"expm1", OP_expm1, false},
    {"log", OP_log, false}, {"log10", OP_log10, false}, {"log1p", OP_log1p, false},
    {"log2", OP_log2, false}, {"cbrt", OP_cbrt, false}, {"fabs", OP_abs, true},
    {"sqrt", OP_sqrt, true}, {"erf", OP_erf, false}, {"erfc", OP_erfc, false},
    {"lgamma", OP_lgamma, false}, {"ceil", OP_ceil, true}, {"floor", OP_floor, true},
    {"rint", OP_round, true}, {"nearbyint", OP_round, true}};

static const struct unary_row binary_rows[] = {
    {"pow", OP_pow, false}, {"hypot", OP_hypot, false}, {"atan2", OP_atan2, false},
    {"fmod", OP_fmod, false}};

/* ---- made of several ------------------------------------------------------------------------- */

static value number(struct lower *l, value like, double x) { return build_like(l->g, like, x); }

static value is_nan(struct lower *l, value x) { return build_binary(l->g, OP_ne, x, x); }

static value sign_bit(struct lower *l, value x) { /* -0 too; of a NaN false */
    value below = build_binary(l->g, OP_lt, x, number(l, x, 0));
    value zero = build_binary(l->g, OP_eq, x, number(l, x, 0));
    value inverse = build_div(l->g, number(l, x, 1), x);
    value negative_zero = build_binary(l->g, OP_lt, inverse, number(l, x, 0));
    return build_binary(l->g, OP_or, below, build_binary(l->g, OP_and, zero, negative_zero));
}

static value truncated(struct lower *l, value x) {
    return build_where(l->g, build_binary(l->g, OP_lt, x, number(l, x, 0)),
                       build_unary(l->g, OP_ceil, x), build_unary(l->g, OP_floor, x));
}

/* Halves away from 0. */
static value rounded(struct lower *l, value x) {
    value t = truncated(l, x);
    value rest = build_unary(l->g, OP_abs, build_sub(l->g, x, t));
    value one = build_where(l->g, build_binary(l->g, OP_lt, x, number(l, x, 0)),
                            number(l, x, -1), number(l, x, 1));
    return build_where(l->g, build_binary(l->g, OP_ge, rest, number(l, x, 0.5)),
                       build_add(l->g, t, one), t);
}

static value copied_sign(struct lower *l, value x, value sign) {
    value size = build_unary(l->g, OP_abs, x);
    return build_where(l->g, sign_bit(l, sign), build_neg(l->g, size), size);
}

/* The other where one is NaN. */
static value extreme(struct lower *l, uint16_t op, value a, value b) {
    value y = build_binary(l->g, op, a, b);
    return build_where(l->g, is_nan(l, a), b, build_where(l->g, is_nan(l, b), a, y));
}

static value difference(struct lower *l, value a, value b) { /* fdim */
    value below = build_binary(l->g, OP_le, a, b);
    return build_where(l->g, below, number(l, a, 0), build_sub(l->g, a, b));
}

/* x - n y for the whole n nearest to x / y, an even one of two: by the exact fmod to 2y. */
static value remainder_of(struct lower *l, value x, value y) {
    wg_graph *g = l->g;
    value size = build_unary(g, OP_abs, y);
    value r = build_binary(g, OP_fmod, build_unary(g, OP_abs, x), build_add(g, size, size));
    value half = build_mul(g, size, number(l, y, 0.5));
    value twice = build_sub(g, r, size);
    value after = build_where(g, build_binary(g, OP_ge, twice, half), build_sub(g, twice, size),
                              twice);
    r = build_where(g, build_binary(g, OP_gt, r, half), after, r);
    return build_where(g, sign_bit(l, x), build_neg(g, r), r);
}

/* gamma(x) = exp(lgamma x), with its sign below 0; exact for small whole numbers. */
static value gamma_of(struct lower *l, value x) {
    wg_graph *g = l->g;
    value size = build_unary(g, OP_exp, build_unary(g, OP_lgamma, x));
    value floor = build_unary(g, OP_floor, x);
    value even = build_binary(g, OP_eq, build_binary(g, OP_fmod, floor, number(l, x, 2)),
                              number(l, x, 0));
    value negative = build_binary(g, OP_lt, x, number(l, x, 0));
    value flips = build_binary(g, OP_and, negative, build_unary(g, OP_not, even));
    return build_where(g, flips, build_neg(g, size), size);
}

static value power_of_two(struct lower *l, value like, value whole_power) {
    wg_dtype dtype = (wg_dtype)type_of(&l->g->t, like)->dtype;
    return build_unary(l->g, OP_exp2, build_cast(l->g, dtype, whole_power));
}

/* x 2^n in two steps, so that neither factor overflows where the result does not. */
static value scaled(struct lower *l, value x, value n) {
    value half = build_binary(l->g, OP_shift_right, n, whole(l, 1));
    value rest = build_sub(l->g, n, half);
    return build_mul(l->g, build_mul(l->g, x, power_of_two(l, x, half)),
                     power_of_two(l, x, rest));
}

/* ---- calls ----------------------------------------------------------------------------------- */

struct arguments {
    value x[3];
    size_t count;
    const struct ctype *type; /* of the numbers */
};

static struct arguments take_arguments(struct lower *l, const struct node *n,
                                       const struct ctype *type) {
    struct arguments a = {.type = type};
    for (size_t i = 0; i < n->count && i < 3 && !stopped(l); i++) {
        struct operand x = rvalue(l, n->child[i]);
        if (stopped(l)) break;
        if (is_scalar(x.type) && (i == 0 || is_floating(x.type)) && type)
            x = converted(l, x, type, n);
        a.x[a.count++] = is_floating(x.type) ? x.v : as_whole(l, x.v);
    }
    stand_at(l, n);
    return a;
}

static bool is_one_of(const char *name, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, list[i]) == 0) return true;
    return false;
}

/* Tests and comparisons, of numbers of any floating type. */
static bool predicate(struct lower *l, const struct node *n, const char *name,
                      struct operand *result) {
    static const char *const names[] = {"isnan", "isinf", "isinf_sign", "isfinite", "finite",
                                        "signbit", "isnormal", "isgreater", "isgreaterequal",
                                        "isless", "islessequal", "islessgreater", "isunordered"};
    if (!is_one_of(name, names, COUNT_OF(names)) || n->count < 1) return false;
    const struct ctype *type = n->child[0]->type;
    for (size_t i = 1; i < n->count; i++) type = common_type(type, n->child[i]->type);
    if (!is_floating(type)) type = plain_type(TYPE_DOUBLE);
    struct arguments a = take_arguments(l, n, type);
    for (size_t i = 1; i < a.count && !stopped(l); i++)
        a.x[i] = build_cast(l->g, type->kind == TYPE_DOUBLE ? WG_F64 : WG_F32, a.x[i]);
    *result = (struct operand){.type = &int_type};
    if (stopped(l)) return true;
    wg_graph *g = l->g;
    value x = a.x[0], y = a.count > 1 ? a.x[1] : 0, v = 0;
    if (strcmp(name, "isnan") == 0) v = is_nan(l, x);
    else if (strcmp(name, "isinf") == 0 || strcmp(name, "isinf_sign") == 0) {
        v = build_binary(g, OP_eq, build_unary(g, OP_abs, x), number(l, x, (double)INFINITY));
        value minus = build_binary(g, OP_lt, x, number(l, x, 0));
        v = build_where(g, v, build_where(g, minus, whole(l, -1), whole(l, 1)), whole(l, 0));
    } else if (strcmp(name, "isfinite") == 0 || strcmp(name, "finite") == 0)
        v = build_unary(g, OP_isfinite, x);
    else if (strcmp(name, "signbit") == 0) v = sign_bit(l, x);
    else if (strcmp(name, "isnormal") == 0) {
        double least = type->kind == TYPE_DOUBLE ? DBL_MIN : (double)FLT_MIN;
        v = build_binary(g, OP_ge, build_unary(g, OP_abs, x), number(l, x, least));
        v = build_binary(g, OP_and, build_unary(g, OP_isfinite, x), v);
    }
    else if (!y) return false;
    else if (strcmp(name, "isgreater") == 0) v = build_binary(g, OP_gt, x, y);
    else if (strcmp(name, "isgreaterequal") == 0) v = build_binary(g, OP_ge, x, y);
    else if (strcmp(name, "isless") == 0) v = build_binary(g, OP_lt, x, y);
    else if (strcmp(name, "islessequal") == 0) v = build_binary(g, OP_le, x, y);
    else if (strcmp(name, "islessgreater") == 0)
        v = build_binary(g, OP_or, build_binary(g, OP_lt, x, y), build_binary(g, OP_gt, x, y));
    else v = build_binary(g, OP_or, is_nan(l, x), is_nan(l, y));
    result->v = v;
    return true;
}

/* The exponent n of x = m 2^n with 1/2 <= m < 1, and m; of 0, infinities and NaN 0 and x. */
static value exponent_of(struct lower *l, value x, value *part) {
    wg_graph *g = l->g;
    value zero = number(l, x, 0), size = build_unary(g, OP_abs, x);
    value plain = build_binary(g, OP_and, build_unary(g, OP_isfinite, x),
                               build_binary(g, OP_ne, x, zero));
    size = build_where(g, plain, size, number(l, x, 1));
    value n = build_cast(g, WG_I64, build_unary(g, OP_floor, build_unary(g, OP_log2, size)));
    n = build_add(g, n, whole(l, 1));
    value m = scaled(l, size, build_neg(g, n)); /* may be off by one: log2 rounds */
    value above = build_binary(g, OP_ge, m, number(l, x, 1));
    value below = build_binary(g, OP_lt, m, number(l, x, 0.5));
    n = build_where(g, above, build_add(g, n, whole(l, 1)),
                    build_where(g, below, build_sub(g, n, whole(l, 1)), n));
    if (part) *part = build_where(g, plain, scaled(l, x, build_neg(g, n)), x);
    return build_where(g, plain, n, whole(l, 0));
}

/* modf, frexp and sincos give results through pointers. */
static bool with_pointer(struct lower *l, const struct node *n, const char *name,
                         const struct ctype *type, struct operand *result) {
    bool is_modf = strcmp(name, "modf") == 0, is_sincos = strcmp(name, "sincos") == 0;
    bool is_frexp = strcmp(name, "frexp") == 0;
    if (n->count != (is_sincos ? 3u : 2u) || !(is_modf || is_frexp || is_sincos)) return false;
    struct operand x = converted(l, rvalue(l, n->child[0]), type, n);
    struct operand p = rvalue(l, n->child[1]);
    struct operand q = is_sincos ? rvalue(l, n->child[2]) : p;
    *result = (struct operand){.type = type};
    if (stopped(l)) return true;
    if (is_sincos) {
        struct operand s = {.type = type, .v = build_unary(l->g, OP_sin, x.v)};
        struct operand c = {.type = type, .v = build_unary(l->g, OP_cos, x.v)};
        store_to(l, p.at, s, n);
        store_to(l, q.at, c, n);
        return true;
    }
    if (is_frexp) {
        struct operand e = {.type = &int_type, .v = exponent_of(l, x.v, &result->v)};
        store_to(l, p.at, e, n);
        return true;
    }
    value t = truncated(l, x.v);
    struct operand part = {.type = type, .v = t};
    store_to(l, p.at, part, n);
    value infinite = build_binary(l->g, OP_eq, build_unary(l->g, OP_abs, x.v),
                                  number(l, x.v, (double)INFINITY));
    value rest = build_where(l->g, infinite, number(l, x.v, 0), build_sub(l->g, x.v, t));
    result->v = copied_sign(l, rest, x.v);
    return true;
}

static const char *const others[] = {
    "trunc", "round", "copysign", "fmin", "fmax", "fdim", "fma", "remainder", "drem", "tgamma",
    "ldexp", "scalbn", "scalbln", "lround", "llround", "lrint", "llrint", "exp10", "significand",
    "inf", "huge_val", "nan", "sincos", "modf", "frexp"};

static bool is_constant_name(const char *name) {
    return strcmp(name, "inf") == 0 || strcmp(name, "huge_val") == 0 || strcmp(name, "nan") == 0;
}

static value made_of_several(struct lower *l, const char *name, const struct arguments *a,
                             const struct ctype **type) {
    value x = a->x[0], y = a->x[1];
    if (strcmp(name, "trunc") == 0) return truncated(l, x);
    if (strcmp(name, "round") == 0) return rounded(l, x);
    if (strcmp(name, "tgamma") == 0) return gamma_of(l, x);
    if (strcmp(name, "exp10") == 0) return build_binary(l->g, OP_pow, number(l, x, 10), x);
    bool rounds = strcmp(name, "lround") == 0 || strcmp(name, "llround") == 0;
    if (rounds || strcmp(name, "lrint") == 0 || strcmp(name, "llrint") == 0) {
        *type = plain_type(TYPE_INT);
        return build_cast(l->g, WG_I64, rounds ? rounded(l, x) : build_unary(l->g, OP_round, x));
    }
    if (a->count < 2) return 0;
    if (strcmp(name, "copysign") == 0) return copied_sign(l, x, y);
    if (strcmp(name, "fmin") == 0) return extreme(l, OP_min, x, y);
    if (strcmp(name, "fmax") == 0) return extreme(l, OP_max, x, y);
    if (strcmp(name, "fdim") == 0) return difference(l, x, y);
    if (strcmp(name, "remainder") == 0 || strcmp(name, "drem") == 0) return remainder_of(l, x, y);
    if (strcmp(name, "fma") == 0 && a->count == 3)
        return build_ternary(l->g, OP_fma, x, y, a->x[2]);
    if (strcmp(name, "ldexp") == 0 || strcmp(name, "scalbn") == 0 || strcmp(name, "scalbln") == 0)
        return scaled(l, x, y);
    return 0;
}

/* The name without what stands around it: sinf, __builtin_sin, __builtin_huge_val. */
static const char *bare_name(const char *name, char *room, size_t size, bool *is_float) {
    if (strncmp(name, "__builtin_", 10) == 0) name += 10;
    size_t length = strlen(name);
    *is_float = false;
    for (int strip = 0; strip < 2; strip++) {
        if (length >= size) return NULL;
        memcpy(room, name, length);
        room[length] = 0;
        for (size_t i = 0; i < COUNT_OF(unary_rows); i++)
            if (strcmp(unary_rows[i].name, room) == 0) return room;
        for (size_t i = 0; i < COUNT_OF(binary_rows); i++)
            if (strcmp(binary_rows[i].name, room) == 0) return room;
        if (is_one_of(room, others, COUNT_OF(others))) return room;
        if (length < 2 || name[length - 1] != 'f') return NULL;
        *is_float = true;
        length--;
    }
    return NULL;
}

bool is_cheap_function(const char *name) {
    char room[32];
    bool is_float;
    const char *bare = bare_name(name, room, sizeof room, &is_float);
    if (!bare) return false;
    for (size_t i = 0; i < COUNT_OF(unary_rows); i++)
        if (strcmp(unary_rows[i].name, bare) == 0) return unary_rows[i].is_cheap;
    return strcmp(bare, "fmin") == 0 || strcmp(bare, "fmax") == 0 || is_constant_name(bare);
}

bool mathematics(struct lower *l, const struct node *n, const char *name, struct operand *result) {
    char room[32];
    bool is_float;
    const char *given = strncmp(name, "__builtin_", 10) == 0 ? name + 10 : name;
    if (predicate(l, n, given, result)) return true;
    if (strcmp(given, "abs") == 0 || strcmp(given, "labs") == 0 || strcmp(given, "llabs") == 0) {
        *result = rvalue(l, n->child[0]);
        result->v = stopped(l) ? 0 : build_unary(l->g, OP_abs, as_whole(l, result->v));
        return true;
    }
    if (strcmp(given, "expect") == 0 && n->count) {
        *result = rvalue(l, n->child[0]);
        return true;
    }
    const char *bare = bare_name(name, room, sizeof room, &is_float);
    if (!bare) return false;
    const struct ctype *type = plain_type(is_float ? TYPE_FLOAT : TYPE_DOUBLE);
    *result = (struct operand){.type = type};
    if (is_constant_name(bare)) {
        double x = strcmp(bare, "nan") == 0 ? (double)NAN : (double)INFINITY;
        result->v = stopped(l) ? 0 : build_number(l->g, is_float ? WG_F32 : WG_F64, x);
        return true;
    }
    if (with_pointer(l, n, bare, type, result)) return true;
    struct arguments a = take_arguments(l, n, type);
    if (stopped(l)) return true;
    for (size_t i = 0; i < COUNT_OF(unary_rows); i++)
        if (a.count == 1 && strcmp(unary_rows[i].name, bare) == 0)
            result->v = build_unary(l->g, unary_rows[i].op, a.x[0]);
    for (size_t i = 0; i < COUNT_OF(binary_rows); i++)
        if (a.count == 2 && strcmp(binary_rows[i].name, bare) == 0)
            result->v = build_binary(l->g, binary_rows[i].op, a.x[0], a.x[1]);
    if (!result->v) result->v = made_of_several(l, bare, &a, &result->type);
    return result->v != 0 || stopped(l);
}
