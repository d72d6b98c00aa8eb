/* Formulas: an expression is written out with as few brackets as it can have, down to the values
 * that have names. Chains of sums and products are flattened, signs pulled in front, reciprocals
 * written as quotients, and terms and factors put in the order of the trace, so that what a
 * derivative rule appended reads as a person would have written it. The value is that of the
 * instructions, which may add in another order.
 *
 * No recursion: the pieces still to be written wait on a stack. Length is bounded for people: where
 * an expression grows too long, an ellipsis stands for the rest. Spoken formulas, which the formula
 * language reads again, are written whole: a chain that is too long to be flattened at once goes on
 * inside brackets, and a broadcast that no other operand makes is a product with ones. How single
 * operations are spelt is the matter of notation.c. */
#include "show/show.h"

#include <math.h>

/* How tightly a text binds; it stands in brackets where its surroundings bind tighter. */
enum level {
    LEVEL_ANY,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_COMPARE,
    LEVEL_SUM, /* and what begins with a minus */
    LEVEL_PRODUCT,
    LEVEL_POWER,
    LEVEL_ATOM
};

enum piece_kind {
    PIECE_OPERAND,    /* a value                                              */
    PIECE_SEPARATOR,  /* text that is left out behind the ellipsis            */
    PIECE_CLOSER,     /* text that closes what is open                        */
    PIECE_ATTRIBUTES, /* of the value's operation, and what closes its call   */
    PIECE_BRACKETS,   /* of the value, a slice                                */
    PIECE_REST,       /* the arguments of a call that come behind the first   */
    PIECE_FULL,       /* a tensor of the value's type, all ones (zeros)       */
    PIECE_ALIGNED     /* ", n, 1)": where the axes of a broadcast stand       */
};

enum operand_flag {
    MAGNITUDE = 1, /* without its sign, which is written already                   */
    LOOSE = 2,     /* NumPy's rule applies here: it makes the implicit broadcasts   */
    TYPED = 4      /* a number here has no partner that tells its element type      */
};

struct piece {
    uint8_t kind, level, flags;
    value v;
    uint32_t first; /* of PIECE_REST: the argument */
    const char *text;
};

enum { MAX_TERMS = 16, MAX_OPERANDS = 96, MAX_PIECES = 512 };

/* The pieces of one expression, from left to right. */
struct pieces {
    struct piece at[4 * MAX_TERMS + 16];
    size_t count;
};

struct writer {
    const struct writing *w;
    wg_text *out;
    VEC(struct piece) stack;
    size_t operands;
    bool cut; /* the ellipsis stands */
    bool ok;
};

/* Signs and brackets of each notation. */
static const struct spelling {
    const char *open, *close, *minus, *minus_infix, *times, *ellipsis, *ellipsis_infix, *matmul,
        *transposed;
} spellings[] = {
    [NOTATION_UNICODE] = {"(", ")", "\u2212", " \u2212 ", "\u00B7", "\u2026", " + \u2026", " @ ",
                          "\u1D40"},
    [NOTATION_ASCII] = {"(", ")", "-", " - ", "*", "...", " + ...", " @ ", "'"},
    [NOTATION_LATEX] = {"\\left(", "\\right)", "-", " - ", " \\cdot ", "\\ldots", " + \\ldots",
                        " \\, ", "^{\\top}"}};

static const struct spelling *spelling_of(const struct writing *w) {
    return &spellings[w->notation];
}

/* ---- values ---------------------------------------------------------------------------------- */

static uint8_t axes_of(const struct writing *w, value v) {
    return (uint8_t)((1u << type_of(w->t, v)->rank) - 1);
}

/* The axes that the text of v has by itself, where all its arguments' are known. What is missing
 * comes from other operands, or has to be said. */
static uint8_t axes_written(const struct writing *w, value v) {
    const struct instr *i = instr_at(w->t, v);
    const value *x = args_of(w->t, i);
    uint8_t axes = 0;
    int64_t bits;
    if (w->name[v]) return axes_of(w, v);
    if (value_is_splat(w->t, v, &bits)) return 0;
    if (i->op == OP_broadcast)
        return (uint8_t)attr_words(w->t, i->attr)[attr_count(w->t, i->attr) - 1];
    bool loose = i->op == OP_copy || i->op == OP_neg || i->op == OP_reciprocal ||
                 i->op == OP_square || (op_is_elementwise(i->op) && i->narg > 1) ||
                 (i->op == OP_dot && dot_is_scaling(w->t, v));
    for (size_t k = 0; loose && k < i->narg; k++) axes |= w->axes[x[k]];
    return loose ? axes : axes_of(w, v);
}

void writing_complete(const struct writing *w) {
    const struct trace *t = w->t;
    w->rank[0] = 0;
    w->derived[0] = false;
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        if (w->axes) w->axes[v] = axes_written(w, v);
        if (w->name[v]) continue;
        w->rank[v] = 0;
        w->derived[v] = false;
        for (size_t k = 0; k < i->narg; k++) w->derived[v] |= w->derived[args_of(t, i)[k]];
        for (size_t k = 0; k < i->narg; k++) {
            value x = args_of(t, i)[k];
            if (!w->rank[x] || w->derived[x] != w->derived[v]) continue;
            if (!w->rank[v] || w->rank[x] < w->rank[v]) w->rank[v] = w->rank[x];
        }
    }
}

static const value *args(const struct writing *w, value v) {
    return args_of(w->t, instr_at(w->t, v));
}

static unsigned op_of(const struct writing *w, value v) {
    return instr_at(w->t, v)->op;
}

/* The language has to be told the shape of v. */
static bool needs_shape(const struct writing *w, value v, unsigned flags) {
    return w->axes && !w->name[v] && !(flags & LOOSE) && w->axes[v] != axes_of(w, v);
}

static bool is_literal(const struct writing *w, value v, int64_t *bits) {
    return !w->name[v] && value_is_splat(w->t, v, bits);
}

/* The value behind copies, and behind broadcasts that the reader makes in thought. */
static value look_through(const struct writing *w, value v, unsigned flags) {
    int64_t bits;
    while (!w->name[v] && !is_literal(w, v, &bits) && !needs_shape(w, v, flags)) {
        bool implicit = flags & LOOSE && broadcast_is_implicit(w->t, v);
        if (op_of(w, v) != OP_copy && !implicit) break;
        v = args(w, v)[0];
    }
    return v;
}

static bool is_negative(wg_dtype dtype, int64_t bits) {
    double number = literal_to_f64(dtype, bits);
    return number < 0 || (number == 0 && signbit(number));
}

/* ---- products -------------------------------------------------------------------------------- */

struct product {
    value over[MAX_TERMS], under[MAX_TERMS];
    size_t over_count, under_count;
    bool minus, cut;
};

static bool is_product(const struct writing *w, value v) {
    unsigned op = op_of(w, v);
    if (op == OP_dot) return dot_is_scaling(w->t, v);
    return op == OP_mul || (op == OP_mulz && !w->axes) || op == OP_div || op == OP_reciprocal;
}

/* Literals, then factors in the order of the trace; tangents behind the others, adjoints in
 * front. */
static bool factor_before(const struct writing *w, value a, value b) {
    bool literal_a = !w->rank[a], literal_b = !w->rank[b];
    if (literal_a != literal_b) return literal_a;
    if (w->derived[a] != w->derived[b]) return w->derived[a] == w->derived_first;
    return w->rank[a] < w->rank[b];
}

static void factor_insert(const struct writing *w, struct product *p, value v, bool inverted) {
    value *factor = inverted ? p->under : p->over;
    size_t *count = inverted ? &p->under_count : &p->over_count, at = *count;
    if (at == MAX_TERMS) {
        p->cut = true;
        return;
    }
    for (; at > 0 && factor_before(w, v, factor[at - 1]); at--) factor[at] = factor[at - 1];
    factor[at] = v;
    ++*count;
}

static void flatten_product(const struct writing *w, value v, struct product *p) {
    struct {
        value v;
        bool inverted;
    } stack[MAX_TERMS] = {{v, false}};
    size_t depth = 1;
    *p = (struct product){.over_count = 0};
    while (depth > 0) {
        bool inverted = stack[--depth].inverted;
        value x = look_through(w, stack[depth].v, LOOSE);
        unsigned op = op_of(w, x);
        int64_t bits;
        if (is_literal(w, x, &bits)) {
            wg_dtype dtype = (wg_dtype)type_of(w->t, x)->dtype;
            p->minus ^= is_negative(dtype, bits);
            if (fabs(literal_to_f64(dtype, bits)) != 1) factor_insert(w, p, x, inverted);
        } else if (w->name[x] || (op != OP_neg && !is_product(w, x)) ||
                   (w->axes && p->over_count + p->under_count + depth + 2 > MAX_TERMS)) {
            factor_insert(w, p, x, inverted);
        } else if (depth + 2 > MAX_TERMS) {
            p->cut = true;
        } else if (op == OP_neg) {
            p->minus = !p->minus;
            stack[depth].v = args(w, x)[0];
            stack[depth++].inverted = inverted;
        } else if (op == OP_reciprocal) {
            stack[depth].v = args(w, x)[0];
            stack[depth++].inverted = !inverted;
        } else { /* the first argument is looked at first */
            stack[depth].v = args(w, x)[1];
            stack[depth++].inverted = inverted != (op == OP_div);
            stack[depth].v = args(w, x)[0];
            stack[depth++].inverted = inverted;
        }
    }
}

/* ---- sums ------------------------------------------------------------------------------------ */

struct term {
    value v;
    bool minus;
};

struct sum {
    struct term term[MAX_TERMS];
    size_t count;
    bool cut;
};

static bool is_sum(const struct writing *w, value v) {
    unsigned op = op_of(w, v);
    return op == OP_add || op == OP_sub || op == OP_neg;
}

/* What is added comes first, so that a formula begins with a minus only where it must; then the
 * order of the trace. */
static void term_insert(const struct writing *w, struct sum *s, struct term term) {
    struct product p;
    size_t at = s->count;
    int64_t bits;
    if (at == MAX_TERMS) {
        s->cut = true;
        return;
    }
    if (is_literal(w, term.v, &bits)) {
        term.minus ^= is_negative((wg_dtype)type_of(w->t, term.v)->dtype, bits);
    } else if (!w->name[term.v] && is_product(w, term.v)) {
        flatten_product(w, term.v, &p);
        term.minus ^= p.minus;
    }
    for (; at > 0; at--) {
        const struct term *before = &s->term[at - 1];
        if (before->minus != term.minus ? term.minus : w->rank[before->v] <= w->rank[term.v]) break;
        s->term[at] = *before;
    }
    s->term[at] = term;
    s->count++;
}

/* The right argument is looked at first: chains of sums lean to the left, and then the stack stays
 * short. */
static void flatten_sum(const struct writing *w, value v, struct sum *s) {
    struct term stack[MAX_TERMS] = {{v, false}};
    size_t depth = 1;
    s->count = 0;
    s->cut = false;
    while (depth > 0) {
        struct term top = stack[--depth];
        top.v = look_through(w, top.v, LOOSE);
        unsigned op = op_of(w, top.v);
        if (w->name[top.v] || !is_sum(w, top.v) ||
            (w->axes && s->count + depth + 2 > MAX_TERMS)) {
            term_insert(w, s, top);
        } else if (depth + 2 > MAX_TERMS) {
            s->cut = true;
        } else if (op == OP_neg) {
            stack[depth++] = (struct term){args(w, top.v)[0], !top.minus};
        } else {
            stack[depth++] = (struct term){args(w, top.v)[0], top.minus};
            stack[depth++] = (struct term){args(w, top.v)[1], top.minus != (op == OP_sub)};
        }
    }
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static void add_piece(struct pieces *list, enum piece_kind kind, const char *text, value v) {
    list->at[list->count++] = (struct piece){.kind = (uint8_t)kind, .text = text, .v = v};
}

static void add_text(struct pieces *list, const char *text) {
    add_piece(list, PIECE_SEPARATOR, text, 0);
}

static void add_operand(struct pieces *list, value v, enum level level, unsigned flags) {
    add_piece(list, PIECE_OPERAND, NULL, v);
    list->at[list->count - 1].level = (uint8_t)level;
    list->at[list->count - 1].flags = (uint8_t)flags;
}

static enum level level_of(const struct writing *w, value v) {
    struct product p;
    if (is_sum(w, v)) return LEVEL_SUM;
    if (is_product(w, v)) {
        flatten_product(w, v, &p);
        return p.minus ? LEVEL_SUM : LEVEL_PRODUCT;
    }
    switch (op_of(w, v)) {
    case OP_or: return LEVEL_OR;
    case OP_xor: return w->axes ? LEVEL_ATOM : LEVEL_OR;
    case OP_and: return LEVEL_AND;
    case OP_not: return LEVEL_NOT;
    case OP_square:
    case OP_pow: return LEVEL_POWER;
    case OP_dot: return dot_is_matmul(w->t, v) ? LEVEL_PRODUCT : LEVEL_ATOM;
    default: return infix_symbol(w->notation, op_of(w, v)) ? LEVEL_COMPARE : LEVEL_ATOM;
    }
}

static void add_sum(const struct writing *w, struct pieces *list, value v) {
    const struct spelling *spelling = spelling_of(w);
    struct sum s;
    flatten_sum(w, v, &s);
    for (size_t i = 0; i < s.count; i++) {
        if (s.term[i].minus) add_text(list, i ? spelling->minus_infix : spelling->minus);
        else if (i) add_text(list, " + ");
        add_operand(list, s.term[i].v, LEVEL_PRODUCT, MAGNITUDE | LOOSE);
    }
    if (s.cut) add_text(list, s.count ? spelling->ellipsis_infix : spelling->ellipsis);
}

static void add_factors(const struct writing *w, struct pieces *list, const value *factor,
                        size_t count) {
    bool alone = w->notation == NOTATION_LATEX && count == 1; /* in braces, or by itself */
    for (size_t i = 0; i < count; i++) {
        if (i) add_text(list, spelling_of(w)->times);
        unsigned sign = is_product(w, factor[i]) ? 0 : MAGNITUDE; /* one with a sign of its own */
        add_operand(list, factor[i], alone ? LEVEL_ANY : LEVEL_POWER, sign | LOOSE);
    }
    if (count == 0) add_text(list, "1");
}

static void add_product(const struct writing *w, struct pieces *list, value v, bool magnitude) {
    const struct spelling *spelling = spelling_of(w);
    struct product p;
    flatten_product(w, v, &p);
    bool fraction = p.under_count && w->notation == NOTATION_LATEX;
    bool brackets = p.under_count > 1 && w->notation != NOTATION_LATEX;
    if (p.minus && !magnitude) add_text(list, spelling->minus);
    if (fraction) add_text(list, "\\frac{");
    add_factors(w, list, p.over, p.over_count);
    if (p.cut) add_text(list, spelling->ellipsis);
    if (fraction) add_piece(list, PIECE_CLOSER, "}{", 0);
    else if (p.under_count) add_text(list, "/");
    if (brackets) add_text(list, spelling->open);
    if (p.under_count) add_factors(w, list, p.under, p.under_count);
    if (brackets) add_piece(list, PIECE_CLOSER, spelling->close, 0);
    if (fraction) add_piece(list, PIECE_CLOSER, "}", 0);
}

static void add_power(const struct writing *w, struct pieces *list, value v) {
    static const char *const raised[] = {"\u2070", "\u00B9", "\u00B2", "\u00B3", "\u2074",
                                         "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
    bool square = op_of(w, v) == OP_square;
    value exponent = square ? 0 : args(w, v)[1];
    int64_t bits;
    double number = square ? 2 : -1;
    if (!square && is_literal(w, exponent, &bits))
        number = literal_to_f64((wg_dtype)type_of(w->t, exponent)->dtype, bits);
    add_operand(list, args(w, v)[0], LEVEL_ATOM, LOOSE);
    if (w->notation == NOTATION_UNICODE && number >= 0 && number <= 9 && number == floor(number)) {
        add_text(list, raised[(size_t)number]);
    } else if (w->notation == NOTATION_LATEX) {
        add_text(list, square ? "^{2" : "^{");
        if (!square) add_operand(list, exponent, LEVEL_ANY, LOOSE);
        add_piece(list, PIECE_CLOSER, "}", 0);
    } else {
        add_text(list, square ? "^2" : "^");
        if (!square) add_operand(list, exponent, LEVEL_ATOM, LOOSE);
    }
}

static void add_matmul(const struct writing *w, struct pieces *list, value v) {
    const int64_t *attr = attr_words(w->t, instr_at(w->t, v)->attr); /* batch, contract, flags */
    const struct spelling *spelling = spelling_of(w);
    for (size_t k = 0; k < 2; k++) {
        value x = args(w, v)[k];
        bool transposed = attr[2 + k] && type_of(w->t, x)->rank >= 2;
        if (k) add_text(list, spelling->matmul);
        add_operand(list, x, transposed ? LEVEL_ATOM : LEVEL_POWER, 0);
        if (transposed) add_text(list, spelling->transposed);
    }
}

/* Argument k in the order of the trace, where that is of no matter; literals stay behind. */
static value commuted(const struct writing *w, value v, size_t k) {
    const value *x = args(w, v);
    bool exchange = op_def(op_of(w, v))->flags & OP_COMMUTATIVE && w->rank[x[1]] &&
                    (w->rank[x[0]] > w->rank[x[1]] || !w->rank[x[0]]);
    return x[exchange ? 1 - k : k];
}

static void add_call(struct writer *s, struct pieces *list, value v) {
    const struct writing *w = s->w;
    const struct instr *i = instr_at(w->t, v);
    unsigned flags = op_is_elementwise(i->op) && i->narg > 1 ? LOOSE : 0;
    if (w->axes && i->op == OP_where) flags |= TYPED;
    bool latex = w->notation == NOTATION_LATEX;
    const char *close = NULL;
    if (latex && i->op == OP_sqrt) add_text(list, "\\sqrt{"), close = "}";
    else if (latex && i->op == OP_abs) add_text(list, "\\left|"), close = "\\right|";
    else s->ok = s->ok && function_name(w, v, s->out);
    if (!close && i->narg) add_text(list, spelling_of(w)->open);
    for (size_t k = 0; k < i->narg && k < MAX_TERMS; k++) {
        value x = commuted(w, v, k);
        if (k) add_text(list, ", ");
        if (region_keeps(w->t, x) && !w->name[x]) add_text(list, "kept");
        else add_operand(list, x, LEVEL_ANY, flags);
    }
    if (i->narg > MAX_TERMS && !w->axes)
        add_text(list, ", "), add_text(list, spelling_of(w)->ellipsis);
    if (i->narg > MAX_TERMS && w->axes) {
        add_piece(list, PIECE_REST, NULL, v);
        list->at[list->count - 1].first = MAX_TERMS;
    }
    if (close) add_piece(list, PIECE_CLOSER, close, 0);
    else if (i->narg) add_piece(list, PIECE_ATTRIBUTES, spelling_of(w)->close, v);
}

/* More arguments of a call that has many, and what is still left of them. */
static void add_rest(const struct writing *w, struct pieces *list, const struct piece *p) {
    const struct instr *i = instr_at(w->t, p->v);
    size_t end = i->narg < p->first + MAX_TERMS ? i->narg : p->first + MAX_TERMS;
    for (size_t k = p->first; k < end; k++) {
        add_text(list, ", ");
        add_operand(list, args(w, p->v)[k], LEVEL_ANY, 0);
    }
    if (end == i->narg) return;
    add_piece(list, PIECE_REST, NULL, p->v);
    list->at[list->count - 1].first = (uint32_t)end;
}

/* v, whose text lacks axes, times ones of its shape. */
static void add_shaped(const struct writing *w, struct pieces *list, value v, enum level level) {
    const struct spelling *spelling = spelling_of(w);
    bool truth = type_of(w->t, v)->dtype == WG_BOOL, brackets = truth || level > LEVEL_PRODUCT;
    int64_t bits;
    double number = is_literal(w, v, &bits) && !truth
                        ? literal_to_f64((wg_dtype)type_of(w->t, v)->dtype, bits)
                        : NAN;
    if (number == 1 || (number == 0 && !signbit(number))) {
        add_piece(list, PIECE_FULL, number == 1 ? "ones" : "zeros", v);
        return;
    }
    if (brackets) add_text(list, spelling->open);
    add_operand(list, v, truth ? LEVEL_NOT : LEVEL_POWER, LOOSE);
    add_text(list, truth ? " and " : spelling->times);
    add_piece(list, PIECE_FULL, "ones", v);
    if (brackets) add_piece(list, PIECE_CLOSER, spelling->close, 0);
}

/* A broadcast among operands that give it its shape; the reader repeats axes of one element. */
static void add_aligned(const struct writing *w, struct pieces *list, value v) {
    add_text(list, "reshape(");
    add_operand(list, args(w, v)[0], LEVEL_ANY, 0);
    add_piece(list, PIECE_ALIGNED, NULL, v);
}

static void add_operation(struct writer *s, struct pieces *list, value v, enum level level) {
    const struct writing *w = s->w;
    unsigned op = op_of(w, v);
    const char *infix = w->axes && op == OP_xor ? NULL : infix_symbol(w->notation, op);
    if (infix) {
        add_operand(list, commuted(w, v, 0), level + 1, LOOSE);
        add_text(list, infix);
        add_operand(list, commuted(w, v, 1), level + 1, LOOSE);
    } else if (op == OP_not) {
        add_text(list, w->notation == NOTATION_LATEX ? "\\lnot " : "not ");
        add_operand(list, args(w, v)[0], LEVEL_NOT, 0);
    } else if (op == OP_dot && level == LEVEL_PRODUCT) {
        add_matmul(w, list, v);
    } else if (op == OP_transpose && transpose_is_plain(w->t, v)) {
        add_operand(list, args(w, v)[0], LEVEL_ATOM, 0);
        add_text(list, spelling_of(w)->transposed);
    } else if (op == OP_broadcast && w->axes) {
        add_aligned(w, list, v);
    } else if (op == OP_slice) {
        add_operand(list, args(w, v)[0], LEVEL_ATOM, 0);
        add_piece(list, PIECE_BRACKETS, NULL, v);
    } else {
        add_call(s, list, v);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_literal(struct writer *s, const struct piece *p, value v, int64_t bits) {
    const struct spelling *spelling = spelling_of(s->w);
    wg_dtype dtype = (wg_dtype)type_of(s->w->t, v)->dtype;
    bool negative = is_negative(dtype, bits), brackets = negative && p->level > LEVEL_SUM;
    bool typed = p->flags & TYPED && dtype != WG_F64 && dtype != WG_BOOL;
    if (typed) s->ok = s->ok && text_format(s->out, "%s(", wg_dtype_name(dtype));
    enum number_style style = s->w->notation == NOTATION_LATEX ? NUMBER_LATEX : NUMBER_PLAIN;
    if (negative) {
        if (p->flags & MAGNITUDE) brackets = false;
        if (brackets) s->ok = s->ok && text_add(s->out, spelling->open);
        if (!(p->flags & MAGNITUDE)) s->ok = s->ok && text_add(s->out, spelling->minus);
    }
    size_t start = s->out->size;
    s->ok = s->ok && number_write(s->out, dtype, bits, style, 0);
    if (s->ok && negative && s->out->data[start] == '-') { /* the sign stands already */
        memmove(s->out->data + start, s->out->data + start + 1, s->out->size - start);
        s->out->size--;
    }
    if (brackets) s->ok = s->ok && text_add(s->out, spelling->close);
    if (typed) s->ok = s->ok && text_add(s->out, ")");
}

/* A tensor of ones in the type of v; a bool one is made by a comparison. */
static bool write_full(const struct writing *w, value v, const char *name, wg_text *out) {
    const wg_type *type = type_of(w->t, v);
    bool cast = type->dtype != WG_F64 && type->dtype != WG_BOOL;
    bool ok = !cast || text_format(out, "%s(", wg_dtype_name((wg_dtype)type->dtype));
    ok = ok && text_format(out, "%s(", name);
    for (size_t k = 0; ok && k < type->rank; k++)
        ok = text_add(out, k ? ", " : "") && extent_text(w->t, type->extent[k], out);
    return ok && text_add(out, type->dtype == WG_BOOL ? ") == 1" : cast ? "))" : ")");
}

/* The extents behind the argument of a reshape that puts its axes where the broadcast asks. */
static bool write_aligned(const struct writing *w, value v, wg_text *out) {
    const wg_type *type = type_of(w->t, v);
    bool ok = true, begun = false;
    for (unsigned k = 0; ok && k < type->rank; k++) {
        bool mapped = w->axes[v] >> k & 1;
        begun |= mapped;
        if (begun) ok = text_add(out, ", ") && extent_text(w->t, mapped ? type->extent[k] : 1, out);
    }
    return ok && text_add(out, ")");
}

/* In front of what waits already. Without memory, or where no person would read on, false. */
static bool push_pieces(struct writer *s, struct pieces *list) {
    const wg_allocator *a = &s->w->t->allocator;
    if (!s->w->axes && s->stack.count + list->count > MAX_PIECES) return false;
    if (!VEC_RESERVE(a, &s->stack, s->stack.count + list->count)) {
        s->ok = false;
        return false;
    }
    while (list->count > 0) s->stack.at[s->stack.count++] = list->at[--list->count];
    return true;
}

static void write_operand(struct writer *s, const struct piece *p) {
    const struct writing *w = s->w;
    const struct spelling *spelling = spelling_of(w);
    struct pieces list;
    list.count = 0;
    value v = look_through(w, p->v, p->flags);
    int64_t bits;
    s->operands++;
    if (w->name[v]) {
        s->ok = s->ok && text_add(s->out, w->name[v]);
        return;
    }
    if (needs_shape(w, v, p->flags)) {
        add_shaped(w, &list, v, (enum level)p->level);
        push_pieces(s, &list);
        return;
    }
    if (is_literal(w, v, &bits)) {
        write_literal(s, p, v, bits);
        return;
    }
    bool magnitude = p->flags & MAGNITUDE && is_product(w, v);
    enum level level = magnitude ? LEVEL_PRODUCT : level_of(w, v);
    bool brackets = level < (enum level)p->level;
    if (brackets) add_text(&list, spelling->open);
    if (is_sum(w, v)) add_sum(w, &list, v);
    else if (is_product(w, v)) add_product(w, &list, v, magnitude);
    else if (level == LEVEL_POWER) add_power(w, &list, v);
    else add_operation(s, &list, v, level);
    if (brackets) add_piece(&list, PIECE_CLOSER, spelling->close, 0);
    if (push_pieces(s, &list) || !s->ok) return;
    s->ok = text_add(s->out, spelling->ellipsis);
    s->cut = true;
}

bool formula_write(const struct writing *w, value v, enum formula formula, wg_text *out) {
    struct writer s = {.w = w, .out = out, .ok = true};
    struct pieces list;
    const char *name = w->name[v];
    if (formula == FORMULA_DEFINING) w->name[v] = NULL; /* while its own definition is written */
    if (w->axes) w->axes[v] = axes_written(w, v);
    list.count = 0;
    add_operand(&list, v, LEVEL_ANY, formula == FORMULA_OPERAND ? LOOSE : 0);
    push_pieces(&s, &list);
    while (s.stack.count > 0 && s.ok) {
        struct piece p = s.stack.at[--s.stack.count];
        switch ((enum piece_kind)p.kind) {
        case PIECE_OPERAND:
            if (s.cut) break;
            if (w->axes || s.operands < MAX_OPERANDS) {
                write_operand(&s, &p);
            } else {
                s.ok = text_add(out, spelling_of(w)->ellipsis);
                s.cut = true;
            }
            break;
        case PIECE_SEPARATOR: s.ok = s.cut || text_add(out, p.text); break;
        case PIECE_CLOSER: s.ok = text_add(out, p.text); break;
        case PIECE_ATTRIBUTES:
            s.ok = (s.cut || function_attributes(w, p.v, out)) && text_add(out, p.text);
            break;
        case PIECE_BRACKETS: s.ok = s.cut || slice_brackets(w, p.v, out); break;
        case PIECE_REST:
            list.count = 0;
            add_rest(w, &list, &p);
            push_pieces(&s, &list);
            break;
        case PIECE_FULL: s.ok = write_full(w, p.v, p.text, out); break;
        case PIECE_ALIGNED: s.ok = write_aligned(w, p.v, out); break;
        }
    }
    VEC_FREE(&w->t->allocator, &s.stack);
    w->name[v] = name;
    if (w->axes) w->axes[v] = axes_written(w, v);
    return s.ok;
}
