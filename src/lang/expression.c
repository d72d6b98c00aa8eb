/* Expressions: operators by precedence, operands, what follows operands. Operators and operands
 * wait on stacks of the parser, so that only brackets nest calls of C, and these are counted: a
 * chain of any length and any number of signs is read in constant depth and linear time.
 * Instructions come in the order in which the text is evaluated, from left to right. From weak to
 * strong: or, and, not, comparisons, + -, * / @, signs, ^ (from the right), ' and brackets. */
#include "lang/lang.h"

#include <math.h>

enum precedence { P_OR = 1, P_AND, P_NOT, P_COMPARE, P_SUM, P_PRODUCT, P_SIGN, P_POWER };

enum arity { PREFIX = 1, INFIX };

static const struct sign {
    unsigned token;
    uint8_t arity, precedence;
    unsigned op; /* OP_none: the row says what happens in reduce */
} signs[] = {
    {T_NOT, PREFIX, P_NOT, OP_not},  {'-', PREFIX, P_SIGN, OP_neg},
    {'+', PREFIX, P_SIGN, OP_none},  {T_OR, INFIX, P_OR, OP_or},
    {T_AND, INFIX, P_AND, OP_and},   {T_EQ, INFIX, P_COMPARE, OP_eq},
    {T_NE, INFIX, P_COMPARE, OP_ne}, {'<', INFIX, P_COMPARE, OP_lt},
    {T_LE, INFIX, P_COMPARE, OP_le}, {'>', INFIX, P_COMPARE, OP_gt},
    {T_GE, INFIX, P_COMPARE, OP_ge}, {'+', INFIX, P_SUM, OP_add},
    {'-', INFIX, P_SUM, OP_sub},     {'*', INFIX, P_PRODUCT, OP_mul},
    {'/', INFIX, P_PRODUCT, OP_div}, {'@', INFIX, P_PRODUCT, OP_dot},
    {'^', INFIX, P_POWER, OP_pow},
};

static const struct sign *find_sign(unsigned token, enum arity arity) {
    for (size_t i = 0; i < COUNT_OF(signs); i++)
        if (signs[i].token == token && signs[i].arity == arity) return &signs[i];
    return NULL;
}

/* ---- operands -------------------------------------------------------------------------------- */

/* A name of this scope whose body is over, the last one. */
static const struct gone *gone_name(const struct parser *p, const struct token *name) {
    for (size_t i = p->gone.count; i-- > 0;) {
        const struct gone *gone = &p->gone.at[i];
        if (gone->scope == p->scope && gone->length == name->length &&
            memcmp(gone->start, name->start, name->length) == 0)
            return gone;
    }
    return NULL;
}

static void unknown_name(struct parser *p, const struct token *name) {
    parse_fail(p, name->place, WG_ENAME, "unknown name '%.*s'",
               (int)(name->length < 100 ? name->length : 100), name->start);
    struct nearest nearest = {.wanted = name->start, .wanted_length = name->length};
    for (size_t i = p->names.stack.count; i-- > 0;) {
        const struct name *known = &p->names.stack.at[i];
        if (known->scope == p->scope) nearest_try(&nearest, known->start, known->length);
    }
    const struct gone *gone = gone_name(p, name);
    if (gone)
        parse_hint(p, "it is local to a body, since line %u; give it a value before the loop or "
                   "branch: let %.*s = ...", (unsigned)gone->line,
                   (int)(name->length < 100 ? name->length : 100), name->start);
    else if (names_find(&p->names, SCOPE_FUNCTIONS, name->start, name->length) ||
        builtin_exists(name->start, name->length))
        parse_hint(p, "a function is called with brackets: %.*s(x)",
                   (int)(name->length < 100 ? name->length : 100), name->start);
    else
        nearest_hint(p, &nearest);
}

/* A free name of a bare formula: an input, of the type that the caller gives it. */
static struct term new_input(struct parser *p, const struct token *name) {
    wg_graph *g = p->g;
    name_id id = graph_name(g, name->start, name->length);
    if (!id) return term_none();
    wg_type type = {.dtype = WG_F64};
    for (size_t i = 0; i < p->free->bound_count; i++)
        if (strcmp(p->free->bound[i].name, name_at(&g->t, id)) == 0) type = p->free->bound[i].type;
    parse_at(p, name->place);
    struct term term = term_value(graph_input(g, name_at(&g->t, id), &type));
    bind_name(p, name, term);
    struct name *bound = names_find(&p->names, p->scope, name->start, name->length);
    if (bound) bound->is_input = true;
    return term;
}

/* A name that is not a call: bound, or in a bare formula a new input. */
struct term name_term(struct parser *p, const struct token *name) {
    struct name *known = names_find(&p->names, p->scope, name->start, name->length);
    if (known) return known->term;
    if (p->scope == SCOPE_FORMULA && p->free && !gone_name(p, name)) return new_input(p, name);
    unknown_name(p, name);
    return term_none();
}

/* "[" was taken. */
static struct term array_literal(struct parser *p, struct place place) {
    size_t first = p->stack.count;
    while (token_kind(p) != ']' && !parse_failed(p)) {
        if (!term_push(p, expression(p)) || !lex_take(p, ',')) break;
    }
    lex_expect(p, ']', "',' or ']'");
    return term_array(p, first, place);
}

static struct term truth(struct parser *p, bool is_true) {
    return term_value(build_number(p->g, WG_BOOL, is_true));
}

static struct term primary(struct parser *p) {
    struct token token = p->in.token;
    struct term inner;
    switch (token.kind) {
    case T_NUMBER: lex_next(p); return term_number(token.number);
    case T_PI: lex_next(p); return term_number(3.14159265358979323846);
    case T_INF: lex_next(p); return term_number((double)INFINITY);
    case T_NAN: lex_next(p); return term_number((double)NAN);
    case T_TRUE:
    case T_FALSE: lex_next(p); return truth(p, token.kind == T_TRUE);
    case T_NAME: lex_next(p); return token_kind(p) == '(' ? call(p, &token) : name_term(p, &token);
    case '(':
        lex_next(p);
        inner = expression(p);
        lex_expect(p, ')', "an operator or ')'");
        return inner;
    case '[': lex_next(p); return array_literal(p, token.place);
    case T_IF: lex_next(p); return if_expression(p, token.place);
    case T_FOR:
    case T_WHILE:
        lex_unexpected(p, "a value");
        parse_hint(p, "a loop stands on a line of its own, in the braces of a function");
        return term_none();
    case T_NOT:
        parse_fail(p, token.place, WG_ESYNTAX, "'not' binds less than the operator before it");
        parse_hint(p, "put it in brackets: a == (not b)");
        return term_none();
    default: lex_unexpected(p, "a value"); return term_none();
    }
}

/* x' exchanges the last two axes; a vector stays what it is. */
OUT_OF_LINE static struct term transposed(struct parser *p, struct term x, struct place place) {
    parse_at(p, place);
    value v = term_default(p, x);
    if (!v) return term_none();
    uint8_t rank = term_type(p, v)->rank, perm[WG_MAX_RANK];
    if (rank < 2) return x;
    for (uint8_t i = 0; i < rank; i++) perm[i] = i;
    perm[rank - 1] = (uint8_t)(rank - 2);
    perm[rank - 2] = (uint8_t)(rank - 1);
    return term_value(build_transpose(p->g, v, perm));
}

static struct term operand(struct parser *p) {
    struct term x = primary(p);
    while (!parse_failed(p)) {
        struct place place = p->in.token.place;
        if (token_kind(p) == '[')
            x = subscript(p, x);
        else if (lex_take(p, '\''))
            x = transposed(p, x, place);
        else
            break;
    }
    return x;
}

/* ---- operators ------------------------------------------------------------------------------- */

static struct term product(struct parser *p, struct term a, struct term b) {
    value va, vb;
    return term_value(term_pair(p, a, b, &va, &vb) ? build_matmul(p->g, va, vb) : 0);
}

/* Applies the operator that waits on top to its operands. */
static void reduce(struct parser *p) {
    struct pending top = p->pending.at[--p->pending.count];
    const struct sign *sign = &signs[top.sign];
    struct term b = term_pop(p), a = sign->arity == INFIX ? term_pop(p) : term_none();
    struct term y = b;
    parse_at(p, top.place);
    if (sign->arity == PREFIX) {
        if (sign->op != OP_none) y = term_unary(p, sign->op, b);
    } else if (sign->op == OP_dot) {
        y = product(p, a, b);
    } else {
        y = term_binary(p, sign->op, a, b);
    }
    term_push(p, y);
}

static bool wait_for_operand(struct parser *p, const struct sign *sign) {
    struct pending *top = VEC_PUSH(&p->g->t.allocator, &p->pending);
    if (!top) {
        parse_memory(p);
        return false;
    }
    *top = (struct pending){(uint8_t)(sign - signs), p->in.token.place};
    lex_next(p);
    return true;
}

static unsigned top_precedence(const struct parser *p, size_t first) {
    if (p->pending.count == first) return 0;
    return signs[p->pending.at[p->pending.count - 1].sign].precedence;
}

/* Signs and `not`, then an operand. */
static void prefixed_operand(struct parser *p, size_t first) {
    const struct sign *sign;
    while ((sign = find_sign(token_kind(p), PREFIX)) != NULL) {
        if (sign->token == T_NOT && top_precedence(p, first) > P_NOT) break; /* primary reports */
        if (!wait_for_operand(p, sign)) return;
    }
    term_push(p, operand(p));
}

struct term expression(struct parser *p) {
    size_t pending = p->pending.count, stack = p->stack.count;
    enter_level(p);
    while (!parse_failed(p)) {
        prefixed_operand(p, pending);
        const struct sign *sign = find_sign(token_kind(p), INFIX);
        unsigned precedence = sign ? sign->precedence : 0;
        /* ^ waits for what is on its right; the others take what is on their left first */
        while (!parse_failed(p) && p->pending.count > pending &&
               top_precedence(p, pending) + (precedence != P_POWER) > precedence) {
            if (precedence == P_COMPARE && top_precedence(p, pending) == P_COMPARE) {
                parse_fail(p, p->in.token.place, WG_ESYNTAX, "comparisons do not chain");
                parse_hint(p, "write a < b and b < c");
                break;
            }
            reduce(p);
        }
        if (!sign || parse_failed(p) || !wait_for_operand(p, sign)) break;
    }
    p->depth--;
    struct term result = parse_failed(p) ? term_none() : term_pop(p);
    p->pending.count = pending;
    p->stack.count = stack;
    return result;
}
