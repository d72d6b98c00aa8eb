/* Expressions: numbers as C computes them, pointers as places. */
#include "csource/lower.h"

static bool is_pointer_like(const struct ctype *t) {
    return t && (t->kind == TYPE_POINTER || t->kind == TYPE_ARRAY);
}

/* ---- conversions ----------------------------------------------------------------------------- */

value as_whole(struct lower *l, value v) {
    if (stopped(l) || !v || type_of(&l->g->t, v)->dtype != WG_BOOL) return v;
    return build_cast(l->g, WG_I64, v);
}

/* A whole number brought into the range of its type. */
static value wrapped(struct lower *l, value v, const struct ctype *type) {
    int64_t n;
    if (stopped(l) || type->kind != TYPE_INT || type->bits >= 64) return v;
    unsigned up = 64u - type->bits;
    if (literal_of(l, v, &n)) {
        uint64_t u = (uint64_t)n << up;
        return whole(l, type->is_signed ? (int64_t)u >> up : (int64_t)(u >> up));
    }
    if (!type->is_signed)
        return build_binary(l->g, OP_bit_and, v, whole(l, (int64_t)(UINT64_MAX >> up)));
    if (type->bits == 32) return build_cast(l->g, WG_I64, build_cast(l->g, WG_I32, v));
    v = build_binary(l->g, OP_shift_left, v, whole(l, up));
    return build_binary(l->g, OP_shift_right, v, whole(l, up));
}

/* Whether bounds are known that fit the type. Lengths, and indices within them, are taken to fit
 * types of 32 bits and more, which C counts them in. */
static bool is_counted(struct lower *l, value v, const struct ctype *type) {
    wg_extent low, high;
    int64_t number;
    if (literal_of(l, v, &number) || !bounds_of(l, v, &low, &high) ||
        !extent_provably_le(l->g, 0, low))
        return false;
    unsigned digits = type->bits - type->is_signed;
    bool is_number = high >= 0;
    return is_number ? digits >= 63 || high < (int64_t)1 << digits : type->bits >= 32;
}

static bool fits(struct lower *l, value v, const struct ctype *from, const struct ctype *to) {
    if (from->kind == TYPE_BOOL || type_of(&l->g->t, v)->dtype == WG_BOOL) return true;
    if (from->kind != TYPE_INT || to->bits >= 64) return to->bits >= 64;
    if (from->is_signed == to->is_signed && from->bits <= to->bits) return true;
    if (!from->is_signed && from->bits < to->bits) return true;
    return is_counted(l, v, to);
}

static value float_of(struct lower *l, value v, const struct ctype *from, wg_dtype dtype) {
    if (from->kind != TYPE_INT || from->is_signed || from->bits < 64 || not_negative(l, v) ||
        type_of(&l->g->t, v)->dtype != WG_I64)
        return build_cast(l->g, dtype, as_whole(l, v));
    /* half of it, whose last bit keeps what rounding has to know */
    value one = whole(l, 1);
    value half = build_binary(l->g, OP_bit_and, build_binary(l->g, OP_shift_right, v, one),
                              whole(l, INT64_MAX));
    half = build_binary(l->g, OP_bit_or, half, build_binary(l->g, OP_bit_and, v, one));
    value big = build_mul(l->g, build_cast(l->g, dtype, half), build_number(l->g, dtype, 2));
    return build_where(l->g, build_binary(l->g, OP_lt, v, whole(l, 0)), big,
                       build_cast(l->g, dtype, v));
}

static value whole_of(struct lower *l, value v, const struct ctype *to) {
    value n = build_cast(l->g, WG_I64, v);
    if (to->is_signed || to->bits < 64) return n;
    wg_dtype dtype = (wg_dtype)type_of(&l->g->t, v)->dtype;
    value top = build_number(l->g, dtype, 9223372036854775808.0);
    value rest = build_cast(l->g, WG_I64, build_sub(l->g, v, top));
    return build_where(l->g, build_binary(l->g, OP_ge, v, top),
                       build_binary(l->g, OP_bit_xor, rest, whole(l, INT64_MIN)), n);
}

struct operand converted(struct lower *l, struct operand x, const struct ctype *type,
                         const struct node *at) {
    if (stopped(l) || !type) return x;
    const struct ctype *from = x.type;
    struct operand y = x;
    y.type = type;
    if (type->kind == TYPE_ARRAY) return x; /* a parameter that looks like one is a pointer */
    if (type->kind == TYPE_VOID || !from) return y;
    if (is_pointer_like(from) && type->kind == TYPE_BOOL) {
        y.v = truth(l, x.at.object != NULL);
        return y;
    }
    if (type->kind == TYPE_POINTER) {
        if (from->kind == TYPE_ARRAY) {
            y.at = place_element(l, x.at);
            return y;
        }
        int64_t n;
        if (from->kind == TYPE_INT && literal_of(l, x.v, &n) && n == 0) {
            y.at = (struct place){.index = whole(l, 0), .type = type->of};
            return y;
        }
        if (from->kind == TYPE_POINTER && (type->of->kind == TYPE_VOID || !x.at.object)) return y;
        const struct ctype *have = x.at.type, *want = type->of;
        if (from->kind == TYPE_POINTER && same_type(have, want)) return y;
        if (from->kind == TYPE_POINTER && want->kind == TYPE_ARRAY && same_type(have, want->of) &&
            ((literal_of(l, x.at.index, &n) && n == 0) || l->watch)) {
            y.at.type = settled_type(l, want, at); /* a row of numbers seen as rows */
            return y;
        }
        refuse_at(l, &at->spot, "an object is read and written as what it was declared",
                  "this turns '%.64s' into '%.64s'", from->text, type->text);
        return y;
    }
    if (type->kind == TYPE_RECORD) return y;
    if (!is_scalar(from) || !is_scalar(type) || !x.v) {
        refuse_at(l, &at->spot, NULL, "this turns '%.64s' into '%.64s'", from->text, type->text);
        return y;
    }
    if (type->kind == TYPE_BOOL)
        y.v = truth_of(l, x);
    else if (is_floating(type)) {
        wg_dtype dtype = type->kind == TYPE_DOUBLE ? WG_F64 : WG_F32;
        y.v = is_floating(from) ? (from->kind == type->kind ? x.v : build_cast(l->g, dtype, x.v))
                                : float_of(l, x.v, from, dtype);
    } else if (is_floating(from))
        y.v = wrapped(l, whole_of(l, x.v, type), type);
    else
        y.v = fits(l, x.v, from, type) ? x.v : wrapped(l, as_whole(l, x.v), type);
    return y;
}

value truth_of(struct lower *l, struct operand x) {
    if (stopped(l)) return 0;
    if (is_pointer_like(x.type)) return truth(l, x.at.object != NULL);
    if (!x.v) return truth(l, false);
    unsigned dtype = type_of(&l->g->t, x.v)->dtype;
    if (dtype == WG_BOOL) return x.v;
    return build_binary(l->g, OP_ne, x.v, build_number(l->g, (wg_dtype)dtype, 0));
}

value condition(struct lower *l, const struct node *n) { return truth_of(l, rvalue(l, n)); }

/* ---- arithmetic ------------------------------------------------------------------------------ */

static const struct ctype *promoted(const struct ctype *t) {
    return t->kind == TYPE_BOOL || (t->kind == TYPE_INT && t->bits < 32) ? &int_type : t;
}

const struct ctype *common_type(const struct ctype *a, const struct ctype *b) {
    if (a->kind == TYPE_DOUBLE || b->kind == TYPE_DOUBLE) return plain_type(TYPE_DOUBLE);
    if (a->kind == TYPE_FLOAT || b->kind == TYPE_FLOAT) return plain_type(TYPE_FLOAT);
    a = promoted(a);
    b = promoted(b);
    if (a->bits != b->bits) return a->bits > b->bits ? a : b;
    return a->is_signed ? b : a;
}

static value is_below(struct lower *l, value a, value b, bool or_equal, bool is_unsigned) {
    if (is_unsigned && !(not_negative(l, a) && not_negative(l, b))) {
        value top = whole(l, INT64_MIN);
        a = build_binary(l->g, OP_bit_xor, a, top);
        b = build_binary(l->g, OP_bit_xor, b, top);
    }
    return build_binary(l->g, or_equal ? OP_le : OP_lt, a, b);
}

/* The quotient rounded towards 0. */
static value quotient(struct lower *l, value a, value b, const struct ctype *type) {
    wg_graph *g = l->g;
    if (not_negative(l, a) && not_negative(l, b)) return build_binary(g, OP_idiv, a, b);
    value zero = whole(l, 0), one = whole(l, 1);
    if (type->is_signed) {
        value q = build_binary(g, OP_idiv, a, b), r = build_binary(g, OP_imod, a, b);
        value apart = build_binary(g, OP_lt, build_binary(g, OP_bit_xor, a, b), zero);
        value rest = build_binary(g, OP_ne, r, zero);
        return build_add(g, q, build_cast(g, WG_I64, build_binary(g, OP_and, apart, rest)));
    }
    if (type->bits < 64) return build_binary(g, OP_idiv, a, b);
    /* twice the quotient of half of a, and one more if the rest is as large as b */
    value half = build_binary(g, OP_bit_and, build_binary(g, OP_shift_right, a, one),
                              whole(l, INT64_MAX));
    value q = build_binary(g, OP_shift_left, build_binary(g, OP_idiv, half, b), one);
    value rest = build_sub(g, a, build_mul(g, q, b));
    q = build_add(g, q, build_cast(g, WG_I64, is_below(l, b, rest, true, true)));
    value large = build_cast(g, WG_I64, is_below(l, b, a, true, true));
    return build_where(g, build_binary(g, OP_lt, b, zero), large, q);
}

static value shifted_right(struct lower *l, value a, value b, const struct ctype *type) {
    wg_graph *g = l->g;
    if (type->is_signed || type->bits < 64 || not_negative(l, a))
        return build_binary(g, OP_shift_right, a, b);
    value high = build_binary(g, OP_shift_right,
                              build_binary(g, OP_bit_and,
                                           build_binary(g, OP_shift_right, a, whole(l, 1)),
                                           whole(l, INT64_MAX)),
                              build_sub(g, b, whole(l, 1)));
    return build_where(g, build_binary(g, OP_eq, b, whole(l, 0)), a, high);
}

static value whole_arithmetic(struct lower *l, enum operator_kind op, value a, value b,
                              const struct ctype *type) {
    wg_graph *g = l->g;
    value y = 0;
    bool counted = false;
    switch (op) {
    case C_MUL: y = build_mul(g, a, b); break;
    case C_DIV: return quotient(l, a, b, type);
    case C_REM:
        if (not_negative(l, a) && not_negative(l, b)) return build_binary(g, OP_imod, a, b);
        return build_sub(g, a, build_mul(g, quotient(l, a, b, type), b));
    case C_ADD: y = build_add(g, a, b); break;
    case C_SUB: y = build_sub(g, a, b); break;
    case C_SHL: y = build_binary(g, OP_shift_left, a, b); break;
    case C_SHR: return shifted_right(l, a, b, type);
    case C_AND: return build_binary(g, OP_bit_and, a, b);
    case C_XOR: return build_binary(g, OP_bit_xor, a, b);
    case C_OR: return build_binary(g, OP_bit_or, a, b);
    default: break;
    }
    counted = type->is_signed || (op != C_SHL && op != C_MUL && is_counted(l, y, type));
    return counted ? y : wrapped(l, y, type);
}

static value comparison(struct lower *l, enum operator_kind op, value a, value b,
                        const struct ctype *type) {
    static const uint16_t row[] = {[C_LT] = OP_lt, [C_GT] = OP_gt, [C_LE] = OP_le,
                                   [C_GE] = OP_ge, [C_EQ] = OP_eq, [C_NE] = OP_ne};
    bool is_unsigned = type->kind == TYPE_INT && !type->is_signed && type->bits == 64;
    if (is_unsigned && op != C_EQ && op != C_NE) {
        bool swap = op == C_GT || op == C_GE;
        return is_below(l, swap ? b : a, swap ? a : b, op == C_LE || op == C_GE, true);
    }
    return build_binary(l->g, row[op], a, b);
}

static bool compares(enum operator_kind op) { return op >= C_LT && op <= C_NE; }

static const struct ctype *pointer_to(struct lower *l, const struct ctype *of) {
    struct ctype *pointer = keep(l, sizeof *pointer);
    if (pointer)
        *pointer = (struct ctype){.kind = TYPE_POINTER, .of = of, .bytes = 8, .text = "pointer"};
    return pointer;
}

/* An array as the pointer to its first element. */
static struct operand decayed(struct lower *l, struct operand x, const struct node *at) {
    if (stopped(l) || !x.type || x.type->kind != TYPE_ARRAY) return x;
    const struct ctype *pointer = pointer_to(l, x.type->of);
    return pointer ? converted(l, x, pointer, at) : x;
}

/* Of pointers: differences and comparisons within one object, and moves. */
static struct operand pointer_arithmetic(struct lower *l, enum operator_kind op, struct operand a,
                                         struct operand b, const struct node *at) {
    struct operand y = {.type = &int_type};
    a = decayed(l, a, at);
    b = decayed(l, b, at);
    bool two = is_pointer_like(a.type) && is_pointer_like(b.type);
    if (stopped(l)) return y;
    if (!two && (op == C_ADD || op == C_SUB)) {
        struct operand p = is_pointer_like(a.type) ? a : b, n = is_pointer_like(a.type) ? b : a;
        value step = as_whole(l, n.v);
        if (op == C_SUB) step = build_neg(l->g, step);
        p.at = place_moved(l, p.at, step);
        return p;
    }
    if (compares(op) && (!two || !a.at.object || !b.at.object)) { /* with NULL */
        bool null_a = !is_pointer_like(a.type) || !a.at.object;
        bool null_b = !is_pointer_like(b.type) || !b.at.object;
        y.v = truth(l, op == C_EQ ? null_a == null_b : op == C_NE ? null_a != null_b : false);
        return y;
    }
    if (two && a.at.object && a.at.object == b.at.object && a.at.cell == b.at.cell) {
        if (op == C_SUB) {
            y.v = build_sub(l->g, a.at.index, b.at.index);
            y.type = plain_type(TYPE_INT);
            return y;
        }
        if (compares(op)) {
            y.v = comparison(l, op, a.at.index, b.at.index, plain_type(TYPE_INT));
            return y;
        }
    }
    if (two && (op == C_EQ || op == C_NE)) { /* of two objects */
        y.v = truth(l, op == C_NE);
        return y;
    }
    refuse_at(l, &at->spot, "pointers are compared and subtracted within one array",
              "this is arithmetic on pointers to two objects");
    return y;
}

struct operand computed(struct lower *l, enum operator_kind op, struct operand a, struct operand b,
                        const struct node *at) {
    static const uint16_t row[] = {
        [C_MUL] = OP_mul, [C_DIV] = OP_div, [C_ADD] = OP_add, [C_SUB] = OP_sub};
    struct operand y = {.type = &int_type};
    if (stopped(l) || !a.type || !b.type) return y;
    if (is_pointer_like(a.type) || is_pointer_like(b.type))
        return pointer_arithmetic(l, op, a, b, at);
    if (!is_scalar(a.type) || !is_scalar(b.type)) {
        refuse_at(l, &at->spot, NULL, "this operator has operands that are no numbers");
        return y;
    }
    bool shifts = op == C_SHL || op == C_SHR;
    const struct ctype *type = shifts ? promoted(a.type) : common_type(a.type, b.type);
    a = converted(l, a, type, at);
    if (!shifts) b = converted(l, b, type, at);
    if (!is_floating(type)) {
        a.v = as_whole(l, a.v);
        b.v = as_whole(l, b.v);
    }
    if (stopped(l)) return y;
    if (compares(op)) {
        y.v = comparison(l, op, a.v, b.v, type);
        return y;
    }
    y.type = type;
    y.v = is_floating(type) ? build_binary(l->g, row[op], a.v, b.v)
                            : whole_arithmetic(l, op, a.v, b.v, type);
    return y;
}

/* ---- choices --------------------------------------------------------------------------------- */

static bool same_tree(const struct node *a, const struct node *b) {
    while (a->kind == NODE_CAST) a = a->child[0];
    while (b->kind == NODE_CAST) b = b->child[0];
    bool alike = a->kind == b->kind && a->op == b->op && a->count == b->count &&
                 a->decl == b->decl && a->integer == b->integer && a->real == b->real &&
                 (a->text == b->text || (a->text && b->text && strcmp(a->text, b->text) == 0));
    for (size_t i = 0; alike && i < a->count; i++) alike = same_tree(a->child[i], b->child[i]);
    return alike;
}

static bool contains(const struct node *n, const struct node *part) {
    if (n->kind == part->kind && same_tree(n, part)) return true;
    size_t always = n->count; /* of these the others may be passed over */
    if (n->kind == NODE_CHOICE ||
        (n->kind == NODE_BINARY && (n->op == C_BOTH || n->op == C_EITHER)))
        always = 1;
    for (size_t i = 0; i < always; i++)
        if (n->child[i] && contains(n->child[i], part)) return true;
    return false;
}

static bool has_effects(const struct node *n) {
    if (n->kind == NODE_ASSIGN || n->kind == NODE_CALL) return true;
    if (n->kind == NODE_UNARY && n->op >= C_AFTER_INCREASE && n->op <= C_DECREASE) return true;
    for (size_t i = 0; i < n->count; i++)
        if (n->child[i] && has_effects(n->child[i])) return true;
    return false;
}

bool is_cheap(const struct node *n, const struct node *condition, int *budget) {
    if (--*budget < 0) return false;
    switch (n->kind) {
    case NODE_INT:
    case NODE_REAL: return true;
    case NODE_NAME: return is_scalar(n->type) && n->decl != NULL;
    case NODE_CAST:
        if (!is_scalar(n->type) || !is_scalar(n->child[0]->type)) return false;
        break;
    case NODE_UNARY:
        if (n->op < C_PLUS) return false;
        break;
    case NODE_BINARY:
        if (n->op == C_COMMA || !is_scalar(n->child[0]->type) || !is_scalar(n->child[1]->type))
            return false;
        break;
    case NODE_CHOICE: break;
    case NODE_CALL:
        if (!n->decl || n->decl->body || !is_cheap_function(n->decl->name)) return false;
        break;
    case NODE_INDEX:
    case NODE_MEMBER:
        return condition && is_scalar(n->type) && contains(condition, n) && !has_effects(condition);
    default: return false;
    }
    for (size_t i = 0; i < n->count; i++)
        if (!is_cheap(n->child[i], condition, budget)) return false;
    return true;
}

struct choice {
    const struct node *n, *way[2];
    struct object *result;
    bool is_truth, otherwise; /* of a && b and a || b: what a way that is NULL gives */
};

static void choose(struct lower *l, void *data, size_t which) {
    struct choice *c = data;
    const struct node *n = c->way[which];
    struct operand x = {.type = plain_type(TYPE_BOOL)};
    if (c->is_truth)
        x.v = n ? condition(l, n) : truth(l, c->otherwise);
    else
        x = rvalue(l, n);
    if (c->result) store_to(l, place_of(l, c->result), x, c->n);
}

/* a ? b : c, of scalars, pointers and structs. */
static struct operand choice(struct lower *l, const struct node *n) {
    struct operand y = {.type = n->type};
    value c = condition(l, n->child[0]);
    int64_t known;
    int budget = 12;
    if (stopped(l)) return y;
    if (literal_of(l, c, &known)) return rvalue(l, n->child[known ? 1 : 2]);
    if (is_scalar(n->type) && is_cheap(n->child[1], n->child[0], &budget) &&
        is_cheap(n->child[2], n->child[0], &budget)) {
        struct operand a = converted(l, rvalue(l, n->child[1]), n->type, n);
        struct operand b = converted(l, rvalue(l, n->child[2]), n->type, n);
        if (stopped(l)) return y;
        if (!is_floating(n->type) && n->type->kind != TYPE_BOOL) {
            a.v = as_whole(l, a.v);
            b.v = as_whole(l, b.v);
        }
        y.v = build_where(l->g, c, a.v, b.v);
        return y;
    }
    struct choice ways = {.n = n, .way = {n->child[1], n->child[2]}};
    const struct ctype *type = n->type;
    if (type->kind == TYPE_ARRAY) type = pointer_to(l, type->of); /* of parameters that look so */
    if (type && type->kind != TYPE_VOID) ways.result = object_new(l, "?:", type);
    branch(l, c, 2, choose, &ways, n);
    if (stopped(l) || !ways.result) return y;
    return load_from(l, place_of(l, ways.result), n);
}

/* a && b, a || b: b is computed only where a does not decide. */
static struct operand both(struct lower *l, const struct node *n) {
    struct operand y = {.type = &int_type};
    bool is_and = n->op == C_BOTH;
    value a = condition(l, n->child[0]);
    int64_t known;
    int budget = 12;
    if (stopped(l)) return y;
    if (literal_of(l, a, &known)) {
        y.v = (known != 0) == is_and ? condition(l, n->child[1]) : a;
        return y;
    }
    if (is_cheap(n->child[1], n->child[0], &budget)) {
        value b = condition(l, n->child[1]);
        y.v = stopped(l) ? 0 : build_binary(l->g, is_and ? OP_and : OP_or, a, b);
        return y;
    }
    struct choice ways = {.n = n, .is_truth = true, .otherwise = !is_and};
    ways.way[is_and ? 0 : 1] = n->child[1];
    ways.result = object_new(l, is_and ? "&&" : "||", plain_type(TYPE_BOOL));
    branch(l, a, 2, choose, &ways, n);
    if (!stopped(l)) y.v = cell_value(l, &ways.result->cell[0]);
    return y;
}

/* ---- operators with effects ------------------------------------------------------------------ */

static struct operand assign(struct lower *l, const struct node *n) {
    const struct node *left = n->child[0], *right = n->child[1];
    struct operand x = rvalue(l, right);
    struct place p = lvalue(l, left);
    if (stopped(l)) return x;
    stand_at(l, n);
    if (n->op == C_NONE) {
        x = converted(l, x, left->type, n);
        store_to(l, p, x, n);
        return x;
    }
    if (p.type && p.type->kind == TYPE_DOUBLE && x.type && x.type->kind == TYPE_DOUBLE &&
        (n->op == C_ADD || n->op == C_SUB) &&
        store_sum(l, p, n->op == C_SUB ? build_neg(l->g, x.v) : x.v, n)) {
        return (struct operand){.type = left->type, .v = 0, .at = p};
    }
    struct operand old = load_from(l, p, n);
    struct operand y = computed(l, n->op, old, x, n);
    if (!is_pointer_like(left->type)) y = converted(l, y, left->type, n);
    store_to(l, p, y, n);
    return y;
}

static struct operand count_on(struct lower *l, const struct node *n) {
    struct place p = lvalue(l, n->child[0]);
    struct operand old = load_from(l, p, n), one = {.type = &int_type, .v = whole(l, 1)};
    bool up = n->op == C_INCREASE || n->op == C_AFTER_INCREASE;
    struct operand y = computed(l, up ? C_ADD : C_SUB, old, one, n);
    if (!is_pointer_like(old.type)) y = converted(l, y, n->child[0]->type, n);
    store_to(l, p, y, n);
    return n->op == C_INCREASE || n->op == C_DECREASE ? y : old;
}

static struct operand unary(struct lower *l, const struct node *n) {
    struct operand x = {.type = n->type};
    const struct ctype *type;
    switch (n->op) {
    case C_AFTER_INCREASE:
    case C_AFTER_DECREASE:
    case C_INCREASE:
    case C_DECREASE: return count_on(l, n);
    case C_ADDRESS:
        x.at = lvalue(l, n->child[0]);
        if (x.at.object) x.at.object->is_addressed = true;
        return x;
    case C_AT: return load_from(l, lvalue(l, n), n);
    case C_NOT:
        x.v = condition(l, n->child[0]);
        if (!stopped(l)) x.v = build_unary(l->g, OP_not, x.v);
        x.type = &int_type;
        return x;
    default: break;
    }
    x = rvalue(l, n->child[0]);
    if (stopped(l) || !is_scalar(x.type)) return x;
    type = promoted(x.type);
    x = converted(l, x, type, n);
    x.type = type;
    if (!is_floating(type)) x.v = as_whole(l, x.v);
    if (stopped(l) || n->op == C_PLUS) return x;
    if (n->op == C_MINUS) x.v = build_neg(l->g, x.v);
    if (n->op == C_FLIP) x.v = build_unary(l->g, OP_bit_not, x.v);
    if (!is_floating(type) && !type->is_signed) x.v = wrapped(l, x.v, type);
    return x;
}

static void refuse_node(struct lower *l, const struct node *n) {
    static const struct {
        const char *what, *hint;
    } ways[] = {{"goto", "leave by break, continue or return, or by a flag that is asked"},
                {"assembly code",
                 "write it in C, or give the function that it is in a body in C by "
                 "--rule name=file.c"},
                {"a statement as an expression", "make it a function"},
                {"the address of a label", "decide by switch"},
                {"a range of elements", "assign them in a loop"},
                {"sizeof what only a call knows", "say how many, times sizeof of one"}};
    const char *hint = NULL;
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        if (strcmp(ways[i].what, n->text) == 0) hint = ways[i].hint;
    refuse_at(l, &n->spot, hint, "%.128s is not carried", n->text);
}

/* ---- places ---------------------------------------------------------------------------------- */

static struct operand element_pointer(struct lower *l, const struct node *n) {
    struct operand a = rvalue(l, n->child[0]), b = rvalue(l, n->child[1]);
    return stopped(l) ? a : computed(l, C_ADD, a, b, n);
}

struct place lvalue(struct lower *l, const struct node *n) {
    struct place p = {0};
    if (stopped(l)) return p;
    switch (n->kind) {
    case NODE_NAME: return place_of(l, bound_object(l, n->decl, n));
    case NODE_INDEX: return element_pointer(l, n).at;
    case NODE_UNARY:
        if (n->op != C_AT) break;
        return rvalue(l, n->child[0]).at;
    case NODE_MEMBER: {
        const struct node *base = n->child[0];
        bool arrow = base->type && is_pointer_like(base->type);
        p = arrow ? rvalue(l, base).at : lvalue(l, base);
        if (arrow && base->type->kind == TYPE_ARRAY) p = place_element(l, p);
        if (!stopped(l) && !p.object) {
            refuse_null(l, n);
            return p;
        }
        return place_member(l, p, n->text);
    }
    case NODE_LITERAL: {
        struct object *o = object_new(l, "literal", settled_type(l, n->type, n));
        p = place_of(l, o);
        if (o) initialise(l, p, n->child[0]);
        return p;
    }
    case NODE_CAST:
        if (same_type(n->type, n->child[0]->type)) return lvalue(l, n->child[0]);
        break;
    case NODE_REFUSED: break;
    case NODE_CALL:
    case NODE_CHOICE:
    case NODE_ASSIGN: return rvalue(l, n).at; /* of a struct */
    default: break;
    }
    if (n->kind == NODE_REFUSED)
        refuse_node(l, n);
    else
        refuse_at(l, &n->spot, NULL, "this cannot be assigned to, or has no address here");
    return p;
}

/* ---- all expressions ------------------------------------------------------------------------- */

static struct operand evaluate(struct lower *l, const struct node *n) {
    struct operand x = {.type = n->type};
    switch (n->kind) {
    case NODE_INT:
        x.v = is_floating(n->type)
                  ? build_number(l->g, n->type->kind == TYPE_DOUBLE ? WG_F64 : WG_F32,
                                 (double)n->integer)
                  : whole(l, n->integer);
        return x;
    case NODE_REAL:
        x.v = build_number(l->g, n->type && n->type->kind == TYPE_FLOAT ? WG_F32 : WG_F64, n->real);
        return x;
    case NODE_NAME:
    case NODE_INDEX:
    case NODE_MEMBER:
    case NODE_LITERAL: return load_from(l, lvalue(l, n), n);
    case NODE_UNARY: return unary(l, n);
    case NODE_BINARY:
        if (n->op == C_BOTH || n->op == C_EITHER) return both(l, n);
        if (n->op == C_COMMA) {
            rvalue(l, n->child[0]);
            return rvalue(l, n->child[1]);
        }
        x = rvalue(l, n->child[0]);
        {
            struct operand b = rvalue(l, n->child[1]);
            stand_at(l, n);
            return stopped(l) ? x : computed(l, n->op, x, b, n);
        }
    case NODE_ASSIGN:
        x = assign(l, n);
        if (!stopped(l) && is_scalar(n->type) && !x.v) x = load_from(l, x.at, n);
        return x;
    case NODE_CHOICE: return choice(l, n);
    case NODE_CALL: return evaluate_call(l, n);
    case NODE_CAST: {
        const struct node *inner = n->child[0];
        if (n->type->kind == TYPE_VOID) {
            rvalue(l, inner);
            return x;
        }
        if (n->type->kind == TYPE_POINTER && is_allocation(inner) && n->type->of->kind != TYPE_VOID)
            return allocated(l, inner, settled_type(l, n->type->of, n));
        x = rvalue(l, inner);
        stand_at(l, n);
        const struct ctype *type = n->type;
        if (type->kind == TYPE_POINTER && is_pointer_like(x.type)) type = settled_type(l, type, n);
        return converted(l, x, type, n);
    }
    case NODE_STRING: x.at = (struct place){.type = n->type ? n->type->of : NULL}; return x;
    case NODE_REFUSED: refuse_node(l, n); return x;
    default: refuse_at(l, &n->spot, NULL, "this is no expression"); return x;
    }
}

struct operand rvalue(struct lower *l, const struct node *n) {
    struct operand none = {0};
    if (stopped(l) || !n) return none;
    stand_at(l, n);
    struct operand x = evaluate(l, n);
    return x;
}

/* ---- initial values -------------------------------------------------------------------------- */

/* Which member or element the designator is; false: none that is known here. */
static bool designated(struct lower *l, const struct ctype *type, const struct node *by,
                       size_t *at) {
    int64_t index = 0;
    if (by->kind != NODE_MEMBER) {
        if (!literal_of(l, rvalue(l, by).v, &index) || index < 0) return false;
        *at = (size_t)index;
        return true;
    }
    for (*at = 0; type->kind == TYPE_RECORD && *at < type->record->count; ++*at)
        if (strcmp(type->record->field[*at].name, by->text) == 0) return true;
    return false;
}

/* Takes initial values off the list for the parts of p, as many as there are parts. depth: of
 * braces left out, which is how many designators of the first value were followed already. */
static void initialise_list(struct lower *l, struct place p, const struct node *list, size_t *next,
                            size_t depth) {
    const struct ctype *type = p.type;
    size_t at = 0, members = type->kind == TYPE_RECORD ? type->record->count : 0;
    for (bool first = true; *next < list->count && !stopped(l); first = false) {
        const struct node *item = list->child[*next], *x = item;
        size_t designators = 0;
        if (item->kind == NODE_DESIGNATED) {
            designators = item->count - 1;
            x = item->child[designators];
            if (depth && !first) return; /* it begins at the braces */
            if (depth < designators && !designated(l, type, item->child[depth], &at)) return;
        }
        struct place part = p;
        if (type->kind == TYPE_RECORD) {
            if (at >= members) return;
            part = place_member(l, p, type->record->field[at].name);
        } else {
            if (type->count >= 0 && at >= (size_t)type->count) return;
            part = place_moved(l, place_element(l, p), whole(l, (int64_t)at));
        }
        bool inner = part.type->kind == TYPE_ARRAY || part.type->kind == TYPE_RECORD;
        if (inner &&
            (designators > depth + 1 || (x->kind != NODE_INIT && !same_type(part.type, x->type)))) {
            initialise_list(l, part, list, next, depth + 1); /* braces left out */
        } else {
            initialise(l, part, x);
            ++*next;
        }
        at++;
    }
}

void initialise(struct lower *l, struct place p, const struct node *init) {
    if (stopped(l) || !p.type) return;
    while (init->kind == NODE_CAST && init->child[0]->kind == NODE_INIT) init = init->child[0];
    if (init->kind == NODE_INIT && (p.type->kind == TYPE_ARRAY || p.type->kind == TYPE_RECORD)) {
        size_t next = 0;
        initialise_list(l, p, init, &next, 0);
        return;
    }
    if (init->kind == NODE_INIT) {
        if (init->count) initialise(l, p, init->child[0]);
        return;
    }
    struct operand x = rvalue(l, init);
    stand_at(l, init);
    store_to(l, p, is_scalar(p.type) ? converted(l, x, p.type, init) : x, init);
}
