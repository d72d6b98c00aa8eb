/* The rows of elementwise.def as rows of the operation table: partials, shape rule, identities and
 * samples. Kernels are in kernel/elementwise_loops.h, builders in build_elementwise.c.
 *
 * A partial is read by a small stack machine: every word of the row pushes a value, or pops its
 * operands and pushes the result. The commas below fix the order from left to right, which the
 * arguments of nested calls would leave to the compiler: programs come out the same from each. */
#include "op/elementwise.h"

#include "op/build.h"

/* ---- words of partials ---------------------------------------------------------------------- */

struct machine {
    const struct rule *rule;
    value stack[8];
    size_t depth;
};

static void push(struct machine *m, value v) {
    m->stack[m->depth++] = v;
}

static void push_number(struct machine *m, double number) {
    push(m, build_like(m->rule->g, m->rule->x[0], number));
}

static void apply(struct machine *m, unsigned op) {
    value *top = &m->stack[m->depth - 1];
    *top = build_unary(m->rule->g, op, *top);
}

static void apply2(struct machine *m, unsigned op) {
    value *top = &m->stack[--m->depth - 1];
    *top = build_binary(m->rule->g, op, top[0], top[1]);
}

static void apply_where(struct machine *m) {
    value *top = &m->stack[(m->depth -= 2) - 1];
    *top = build_where(m->rule->g, top[0], top[1], top[2]);
}

/* clang-format off */
#define A           push(m, m->rule->x[0])
#define B           push(m, m->rule->x[1])
#define X           A
#define Y           push(m, m->rule->y)
#define NUM(c)      push_number(m, c)
#define NONE        (void)m /* nothing is pushed: absent */
#define NEG(x)      (x, apply(m, OP_neg))
#define SIGN(x)     (x, apply(m, OP_sign))
#define SQUARE(x)   (x, apply(m, OP_square))
#define RSQRT(x)    (x, apply(m, OP_rsqrt))
#define RECIPROCAL(x) (x, apply(m, OP_reciprocal))
#define EXP(x)      (x, apply(m, OP_exp))
#define LOG(x)      (x, apply(m, OP_log))
#define SIN(x)      (x, apply(m, OP_sin))
#define COS(x)      (x, apply(m, OP_cos))
#define SINH(x)     (x, apply(m, OP_sinh))
#define COSH(x)     (x, apply(m, OP_cosh))
#define SIGMOID(x)  (x, apply(m, OP_sigmoid))
#define ERFC(x)     (x, apply(m, OP_erfc))
#define ROUND(x)    (x, apply(m, OP_round))
#define DIGAMMA(x)  (x, apply(m, OP_digamma))
#define TRIGAMMA(x) (x, apply(m, OP_trigamma))
#define ADD(x, y)   (x, y, apply2(m, OP_add))
#define SUB(x, y)   (x, y, apply2(m, OP_sub))
#define MUL(x, y)   (x, y, apply2(m, OP_mul))
#define DIV(x, y)   (x, y, apply2(m, OP_div))
#define MULZ(x, y)  (x, y, apply2(m, OP_mulz))
#define DIVZ(x, y)  (x, y, apply2(m, OP_divz))
#define POLYGAMMA(x, y) (x, y, apply2(m, OP_polygamma))
#define POW(x, y)   (x, y, apply2(m, OP_pow))
#define HYPOT(x, y) (x, y, apply2(m, OP_hypot))
#define EQ(x, y)    (x, y, apply2(m, OP_eq))
#define LT(x, y)    (x, y, apply2(m, OP_lt))
#define GT(x, y)    (x, y, apply2(m, OP_gt))
#define AND(x, y)   (x, y, apply2(m, OP_and))
#define OR(x, y)    (x, y, apply2(m, OP_or))
#define WHERE(condition, x, y) (condition, x, y, apply_where(m))
/* x / y, 0 where y is 0 */
/* clang-format on */

#define UNARY(name, value_in_c, da, low, high, doc)                                                \
    static value partial_##name(const struct rule *r, size_t k) {                                  \
        struct machine machine = {.rule = r}, *m = &machine;                                       \
        (void)k;                                                                                   \
        da;                                                                                        \
        return m->stack[0];                                                                        \
    }
#define BINARY(name, value_in_c, da, db, low, high, flags, doc)                                    \
    static value partial_##name(const struct rule *r, size_t k) {                                  \
        struct machine machine = {.rule = r}, *m = &machine;                                       \
        if (k == 0) da;                                                                            \
        else db;                                                                                   \
        return m->stack[0];                                                                        \
    }
#define TERNARY(name, value_in_c, da, db, dc, low, high, doc)                                      \
    static value partial_##name(const struct rule *r, size_t k) {                                  \
        struct machine machine = {.rule = r}, *m = &machine;                                       \
        if (k == 0) da;                                                                            \
        else if (k == 1) db;                                                                       \
        else dc;                                                                                   \
        return m->stack[0];                                                                        \
    }
#define STEP(name, ...)
#define STEP_INT(name, ...)
#define PREDICATE1(name, ...)
#define PREDICATE2(name, ...)
#include "op/elementwise.def"

/* Products are linear in each factor: ct times the other one. */
static value product_transpose(const struct rule *r, size_t k, value ct) {
    struct rule guarded = *r;
    guarded.guarded |= r->op == OP_mulz;
    return rule_mul(&guarded, ct, r->x[1 - k]);
}

/* ---- identities ----------------------------------------------------------------------------- */

/* The argument of v if v is made by this unary operation, else 0. */
static value inside(const wg_graph *g, value v, unsigned op) {
    const struct instr *i = instr_at(&g->t, v);
    return i->op == op ? args_of(&g->t, i)[0] : 0;
}

static bool is(const wg_graph *g, value v, double number) {
    return value_is_splat_of(&g->t, v, number);
}

static value simplify_sum(wg_graph *g, value a, value b) {
    value minus_a = inside(g, a, OP_neg), minus_b = inside(g, b, OP_neg);
    if (is(g, a, -0.0)) return b;
    if (is(g, b, -0.0)) return a;
    if (minus_b) return build_sub(g, a, minus_b);
    return minus_a ? build_sub(g, b, minus_a) : 0;
}

static value simplify_difference(wg_graph *g, value a, value b) {
    value minus_b = inside(g, b, OP_neg);
    if (is(g, b, 0.0)) return a;
    if (is(g, a, -0.0)) return build_neg(g, b);
    return minus_b ? build_add(g, a, minus_b) : 0;
}

static value simplify_product(wg_graph *g, unsigned op, value a, value b) {
    value minus_a = inside(g, a, OP_neg), minus_b = inside(g, b, OP_neg);
    if (is(g, b, 1)) return a;
    if (is(g, a, 1)) return b;
    if (is(g, b, -1)) return build_neg(g, a);
    if (is(g, a, -1)) return build_neg(g, b);
    if (op == OP_mulz && (is(g, a, 0.0) || is(g, b, 0.0))) return build_like(g, a, 0);
    return minus_a && minus_b ? build_binary(g, op, minus_a, minus_b) : 0;
}

static value simplify_quotient(wg_graph *g, value a, value b) {
    if (is(g, b, 1)) return a;
    if (is(g, b, -1)) return build_neg(g, a);
    return is(g, a, 1) ? build_unary(g, OP_reciprocal, b) : 0;
}

static value simplify_power(wg_graph *g, value a, value b) {
    if (is(g, b, 0.0) || is(g, b, -0.0)) return build_like(g, a, 1);
    if (is(g, b, 1)) return a;
    if (is(g, b, 2)) return build_unary(g, OP_square, a);
    return is(g, b, -1) ? build_unary(g, OP_reciprocal, a) : 0;
}

/* Each holds for all numbers, signed zeros, infinities and NaN included (but for the sign of a zero
 * that mulz makes). So x + 0, x - x, 0 - x and x * 0 are not here. */
static value simplify(wg_graph *g, unsigned op, const value *x) {
    switch (op) {
    case OP_neg:
    case OP_not: return inside(g, x[0], op);
    case OP_add: return simplify_sum(g, x[0], x[1]);
    case OP_sub: return simplify_difference(g, x[0], x[1]);
    case OP_mul:
    case OP_mulz: return simplify_product(g, op, x[0], x[1]);
    case OP_div: return simplify_quotient(g, x[0], x[1]);
    case OP_pow: return simplify_power(g, x[0], x[1]);
    default: return 0;
    }
}

/* ---- shape rule ----------------------------------------------------------------------------- */

static bool hint_at_cast(wg_graph *g, unsigned op, unsigned dtype) {
    if (op_kernel(op, WG_F64, WG_F64)) graph_hint(g, "cast first: {wg_cast(WG_F64, x)|f64(x)}");
    else if (op_kernel(op, WG_I64, WG_I64))
        graph_hint(g, "cast first: {wg_cast(WG_I64, x)|i64(x)}");
    else if (dtype != WG_BOOL) graph_hint(g, "make a bool of it first: {wg_ne(x, 0)|x != 0}");
    return false;
}

static bool pointwise_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                            wg_type *type) {
    const struct op_def *def = op_def(op);
    *type = *type_of(&g->t, x[narg - 1]);
    (void)attr;
    if (!pointwise_agree(g, op, x, narg)) return false;
    if (!op_kernel(op, type->dtype, type->dtype)) {
        graph_fail(g, WG_EDTYPE, "%s: not defined for elements of type %s", def->name,
                   wg_dtype_name((wg_dtype)type->dtype));
        graph_fail_operands(g, x, narg);
        return hint_at_cast(g, op, type->dtype);
    }
    return true;
}

static bool predicate_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                            wg_type *type) {
    bool good = pointwise_infer(g, op, attr, x, narg, type);
    type->dtype = WG_BOOL;
    return good;
}

/* ---- rows ----------------------------------------------------------------------------------- */

/* Flags of elementwise.def beside those of the table. */
#define BILINEAR 128
#define TABLE_FLAGS(flags) (((flags) & ~BILINEAR) | OP_POINTWISE)

#define VECTOR(dtype) {dtype, 1, {3}}
#define SAMPLE1(dtype, l, h)                                                                       \
    (const struct op_sample[]) {                                                                   \
        {.narg = 1, .arg = {VECTOR(dtype)}, .low = {l}, .high = {h}}, {0}                          \
    }
#define SAMPLE2(dtype, l, h)                                                                       \
    (const struct op_sample[]) {                                                                   \
        {.narg = 2, .arg = {VECTOR(dtype), VECTOR(dtype)}, .low = {l, l}, .high = {h, h}}, {0}     \
    }

#define SAMPLE3(dtype, l, h)                                                                       \
    (const struct op_sample[]) {                                                                   \
        {.narg = 3,                                                                                \
         .arg = {VECTOR(dtype), VECTOR(dtype), VECTOR(dtype)},                                     \
         .low = {l, l, l},                                                                         \
         .high = {h, h, h}},                                                                       \
            {0}                                                                                    \
    }

#define IDENTITY(name)                                                                             \
    static value identity_##name(wg_graph *g, attr_id attr, const value *x, size_t narg) {         \
        (void)attr, (void)narg;                                                                    \
        return simplify(g, OP_##name, x);                                                          \
    }

#define UNARY(row, value_in_c, da, l, h, text)                                                     \
    IDENTITY(row)                                                                                  \
    const struct op_def op_##row = {.name = #row,                                                  \
                                    .class = ELEMENTWISE,                                          \
                                    .narg = 1,                                                     \
                                    .flags = OP_POINTWISE,                                         \
                                    .doc = text,                                                   \
                                    .infer = pointwise_infer,                                      \
                                    .identity = identity_##row,                                    \
                                    .partial = partial_##row,                                      \
                                    .sample = SAMPLE1(WG_F64, l, h)};
#define BINARY(row, value_in_c, da, db, l, h, bits, text)                                          \
    IDENTITY(row)                                                                                  \
    const struct op_def op_##row = {.name = #row,                                                  \
                                    .class = (bits)&BILINEAR ? MULTILINEAR : ELEMENTWISE,          \
                                    .narg = 2,                                                     \
                                    .flags = TABLE_FLAGS(bits),                                    \
                                    .linear_mask = (bits)&BILINEAR ? 3 : 0,                        \
                                    .doc = text,                                                   \
                                    .infer = pointwise_infer,                                      \
                                    .identity = identity_##row,                                    \
                                    .partial = partial_##row,                                      \
                                    .transpose = (bits)&BILINEAR ? product_transpose : NULL,       \
                                    .sample = SAMPLE2(WG_F64, l, h)};
#define TERNARY(row, value_in_c, da, db, dc, l, h, text)                                           \
    IDENTITY(row)                                                                                  \
    const struct op_def op_##row = {.name = #row,                                                  \
                                    .class = ELEMENTWISE,                                          \
                                    .narg = 3,                                                     \
                                    .flags = OP_POINTWISE,                                         \
                                    .doc = text,                                                   \
                                    .infer = pointwise_infer,                                      \
                                    .identity = identity_##row,                                    \
                                    .partial = partial_##row,                                      \
                                    .sample = SAMPLE3(WG_F64, l, h)};
/* The sample stands last, since it contains commas. */
#define NODIFF_ROW(row, arguments, rule, text, ...)                                                \
    IDENTITY(row)                                                                                  \
    const struct op_def op_##row = {.name = #row,                                                  \
                                    .class = NODIFF,                                               \
                                    .narg = arguments,                                             \
                                    .flags = OP_POINTWISE,                                         \
                                    .doc = text,                                                   \
                                    .infer = rule,                                                 \
                                    .identity = identity_##row,                                    \
                                    .sample = __VA_ARGS__};
#define STEP_INT(row, value_in_c, integer, l, h, text)                                             \
    NODIFF_ROW(row, 1, pointwise_infer, text, SAMPLE1(WG_F64, l, h))
#define STEP(row, value_in_c, l, h, text) STEP_INT(row, value_in_c, , l, h, text)
#define INTEGER1(row, value_in_c, text)                                                            \
    NODIFF_ROW(row, 1, pointwise_infer, text, SAMPLE1(WG_I64, -5, 5))
#define INTEGER2(row, value_in_c, text)                                                            \
    NODIFF_ROW(row, 2, pointwise_infer, text, SAMPLE2(WG_I64, -5, 5))
#define PREDICATE1(row, value_in_c, text)                                                          \
    NODIFF_ROW(row, 1, predicate_infer, text, SAMPLE1(WG_F64, -2, 2))
#define PREDICATE2(row, value_in_c, text)                                                          \
    NODIFF_ROW(row, 2, predicate_infer, text, SAMPLE2(WG_F64, -2, 2))
#define LOGICAL1(row, value_in_c, text)                                                            \
    NODIFF_ROW(row, 1, predicate_infer, text, SAMPLE1(WG_BOOL, 0, 1))
#define LOGICAL2(row, value_in_c, text)                                                            \
    NODIFF_ROW(row, 2, predicate_infer, text, SAMPLE2(WG_BOOL, 0, 1))
#include "op/elementwise.def"
