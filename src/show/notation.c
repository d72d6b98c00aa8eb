/* How single operations are spelt: names, infix signs and the attributes of calls, as in the
 * formula language where that has a form for them. An operation that this file does not know is a
 * function of its name in the table, without attributes. The layouts of attributes are those that
 * the operations' files state. */
#include "show/show.h"

#include "op/region.h"

#include <inttypes.h>

const char *infix_symbol(enum notation notation, unsigned op) {
    static const struct {
        unsigned op;
        const char *text[3]; /* by notation */
    } infix[] = {
        {OP_eq, {" == ", " == ", " = "}},
        {OP_ne, {" \u2260 ", " != ", " \\ne "}},
        {OP_lt, {" < ", " < ", " < "}},
        {OP_le, {" \u2264 ", " <= ", " \\le "}},
        {OP_gt, {" > ", " > ", " > "}},
        {OP_ge, {" \u2265 ", " >= ", " \\ge "}},
        {OP_and, {" and ", " and ", " \\land "}},
        {OP_or, {" or ", " or ", " \\lor "}},
        {OP_xor, {" xor ", " xor ", " \\oplus "}},
    };
    for (size_t i = 0; i < COUNT_OF(infix); i++)
        if (infix[i].op == op) return infix[i].text[notation];
    return NULL;
}

const char *op_symbol(enum notation notation, unsigned op) {
    bool ascii = notation == NOTATION_ASCII;
    switch (op) {
    case OP_add: return "+";
    case OP_sub: return ascii ? "-" : "\u2212";
    case OP_neg: return ascii ? "-" : "\u2212";
    case OP_mul:
    case OP_mulz: return ascii ? "*" : "\u00D7";
    case OP_div: return "/";
    case OP_dot: return "@";
    case OP_pow: return "^";
    case OP_reduce_max: return "max";
    case OP_transpose: return ascii ? "'" : "\u1D40";
    default: {
        const char *infix = infix_symbol(notation, op);
        return infix ? infix : op_def(op)->name;
    }
    }
}

bool dot_is_matmul(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    const int64_t *attr = attr_words(t, i->attr); /* batch, contract, a_transposed, b_transposed */
    int64_t batch = attr[0];
    for (size_t k = 0; k < 2; k++) {
        int64_t rank = type_of(t, args_of(t, i)[k])->rank;
        if (rank != batch + 2 && (batch > 0 || rank != 1)) return false;
    }
    return attr[1] == 1;
}

/* The product of two vectors that has all pairs. */
static bool dot_is_outer(const struct trace *t, value v) {
    const int64_t *attr = attr_words(t, instr_at(t, v)->attr);
    return attr[0] == 0 && attr[1] == 0;
}

bool dot_is_scaling(const struct trace *t, value v) {
    const value *x = args_of(t, instr_at(t, v));
    return dot_is_outer(t, v) && (type_of(t, x[0])->rank == 0 || type_of(t, x[1])->rank == 0);
}

/* An element from every row. */
static bool take_is_pick(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    const int64_t *attr = attr_words(t, i->attr); /* axis, batch */
    int64_t last = type_of(t, args_of(t, i)[0])->rank - 1;
    return last > 0 && attr[0] == last && attr[1] == last && type_at(t, i->type)->rank == last;
}

/* What take_along and scatter_along make: an index for every element, along the last axis. */
static bool is_along(const struct trace *t, value v, int64_t last) {
    const struct instr *i = instr_at(t, v);
    const int64_t *attr = attr_words(t, i->attr); /* axis, batch */
    return attr[0] == last && attr[1] == last && type_of(t, args_of(t, i)[1])->rank == last + 1;
}

/* Of vectors it is a plain take. */
static bool take_is_along(const struct trace *t, value v) {
    int64_t last = type_of(t, args_of(t, instr_at(t, v))[0])->rank - 1;
    return last > 0 && is_along(t, v, last);
}

bool take_has_word(const struct trace *t, value v) {
    bool shares_axes = attr_words(t, instr_at(t, v)->attr)[1] > 0;
    return !shares_axes || take_is_pick(t, v) || take_is_along(t, v);
}

bool scatter_is_along(const struct trace *t, value v) {
    return is_along(t, v, type_of(t, v)->rank - 1);
}

bool transpose_is_plain(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    const int64_t *perm = attr_words(t, i->attr);
    int64_t rank = (int64_t)attr_count(t, i->attr);
    for (int64_t k = 0; k < rank; k++) {
        int64_t plain = k < rank - 2 ? k : 2 * rank - 3 - k;
        if (perm[k] != plain) return false;
    }
    return rank >= 2;
}

bool function_name(const struct writing *w, value v, wg_text *out) {
    static const struct {
        unsigned op;
        const char *latex;
    } known[] = {{OP_exp, "\\exp"},       {OP_log, "\\log"},       {OP_sin, "\\sin"},
                 {OP_cos, "\\cos"},       {OP_tan, "\\tan"},       {OP_asin, "\\arcsin"},
                 {OP_acos, "\\arccos"},   {OP_atan, "\\arctan"},   {OP_sinh, "\\sinh"},
                 {OP_cosh, "\\cosh"},     {OP_tanh, "\\tanh"},     {OP_sigmoid, "\\sigma"},
                 {OP_max, "\\max"},       {OP_min, "\\min"},       {OP_reduce_max, "\\max"}};
    const struct trace *t = w->t;
    const struct instr *i = instr_at(t, v);
    bool latex = w->notation == NOTATION_LATEX;
    const char *name = op_def(i->op)->name;
    switch (i->op) {
    case OP_reduce_max: name = "max"; break;
    case OP_reshape: name = w->axes && !type_at(t, i->type)->rank ? "sum" : name; break;
    case OP_cast: name = wg_dtype_name((wg_dtype)type_at(t, i->type)->dtype); break;
    case OP_take:
        if (take_is_pick(t, v)) name = "pick";
        else if (w->axes && take_is_along(t, v)) name = "take_along";
        break;
    case OP_scatter_add: name = w->axes && scatter_is_along(t, v) ? "scatter_along" : name; break;
    case OP_custom: name = name_at(t, t->rule.at[attr_words(t, i->attr)[0]].name); break;
    case OP_external: name = name_at(t, t->external.at[attr_words(t, i->attr)[0]].name); break;
    case OP_dot: name = dot_is_outer(t, v) ? "outer" : "dot"; break;
    case OP_solve: name = attr_words(t, i->attr)[0] ? "solve_transposed" : name; break;
    case OP_triangular_solve: {
        static const char *const solve[2][2] = {{"solve_upper", "solve_upper_transposed"},
                                                {"solve_lower", "solve_lower_transposed"}};
        name = solve[attr_words(t, i->attr)[0]][attr_words(t, i->attr)[1]];
        break;
    }
    case OP_det: {
        static const char *const det[] = {"det", "logdet", "signdet"};
        name = det[attr_words(t, i->attr)[0]];
        break;
    }
    case OP_size: /* a polynomial, maybe inside a product */
        return text_add(out, w->axes ? "(" : "") &&
               extent_text(t, attr_words(t, i->attr)[0], out) && text_add(out, w->axes ? ")" : "");
    case OP_iota:
        return text_add(out, latex ? "\\operatorname{iota}(" : "iota(") &&
               extent_text(t, attr_words(t, i->attr)[0], out) && text_add(out, ")");
    case OP_data: {
        wg_tensor tensor = {.data = NULL};
        const wg_type *type = type_at(t, i->type);
        tensor.dtype = (wg_dtype)type->dtype;
        tensor.rank = type->rank;
        for (size_t k = 0; k < type->rank; k++) tensor.shape[k] = type->extent[k];
        /* only read, as tensor_write says */
        memcpy(&tensor.data, &t->blob.at[attr_words(t, i->attr)[0]].data, sizeof tensor.data);
        return tensor_write(out, &tensor, latex ? NUMBER_LATEX : NUMBER_PLAIN, 0,
                            w->axes ? 0 : ELEMENTS_SHOWN);
    }
    default: break;
    }
    if (!latex) return text_add(out, name);
    for (size_t k = 0; k < COUNT_OF(known); k++)
        if (known[k].op == i->op) return text_add(out, known[k].latex);
    bool ok = text_add(out, "\\operatorname{");
    for (const char *c = name; *c && ok; c++) ok = text_format(out, *c == '_' ? "\\%c" : "%c", *c);
    return ok && text_add(out, "}");
}

/* ", axis=0", ", axis=(0, 1)"; nothing for none. */
static bool axes_write(uint64_t mask, wg_text *out) {
    bool several = (mask & (mask - 1)) != 0, ok = true;
    const char *before = several ? ", axis=(" : ", axis=";
    for (unsigned k = 0; mask >> k && ok; k++) {
        if (!(mask >> k & 1)) continue;
        ok = text_format(out, "%s%u", before, k);
        before = ", ";
    }
    return ok && (!several || text_add(out, ")"));
}

static uint64_t all_of(unsigned rank) {
    return (UINT64_C(1) << rank) - 1;
}

bool function_attributes(const struct writing *w, value v, wg_text *out) {
    const struct trace *t = w->t;
    const struct instr *i = instr_at(t, v);
    if (!i->narg) return true;
    const int64_t *attr = attr_words(t, i->attr);
    const wg_type *x = type_of(t, args_of(t, i)[0]), *y = type_at(t, i->type);
    bool ok = true;
    switch (i->op) {
    case OP_sum:
    case OP_reduce_max:
    case OP_peak:
    case OP_logsumexp:
    case OP_norm: return (uint64_t)attr[0] == all_of(x->rank) || axes_write((uint64_t)attr[0], out);
    case OP_argmax: return x->rank == 1 || text_format(out, ", axis=%" PRId64, attr[0]);
    case OP_concat: return text_format(out, ", axis=%" PRId64, attr[0]);
    case OP_item: return attr[0] == REGION_COUNT || text_format(out, ", %" PRId64, attr[0] + 1);
    case OP_index_add:
    case OP_index_set:
    case OP_take:
    case OP_scatter_add: /* axis, batch; and the extent for whoever reads it back */
        if (i->op == OP_take && take_is_pick(t, v)) return true;
        if (i->op == OP_scatter_add && w->axes) {
            ok = text_add(out, ", ") && extent_text(t, attr[2], out);
            return ok && text_format(out, ", axis=%" PRId64, attr[0]);
        }
        return text_format(out, ", axis=%" PRId64, attr[0]) &&
               (!attr[1] || (w->axes && take_is_along(t, v)) ||
                text_format(out, ", batch=%" PRId64, attr[1]));
    case OP_broadcast: { /* the axes that are new */
        uint64_t fresh = all_of(y->rank) & ~(uint64_t)attr[attr_count(t, i->attr) - 1];
        return x->rank == 0 || axes_write(fresh, out);
    }
    case OP_reshape:
        for (size_t k = 0; k < y->rank && ok; k++)
            ok = text_add(out, ", ") && extent_text(t, y->extent[k], out);
        return ok;
    case OP_transpose:
        for (size_t k = 0; k < y->rank && ok; k++) ok = text_format(out, ", %" PRId64, attr[k]);
        return ok;
    case OP_pad: /* where the argument's elements go */
        return text_add(out, ", ") && slice_brackets(w, v, out);
    case OP_dot:
        if (dot_is_outer(t, v)) return true;
        ok = !attr[0] || text_format(out, ", batch=%" PRId64, attr[0]);
        if (attr[0] + attr[1] < x->rank || attr[0])
            ok = ok && text_format(out, ", contract=%" PRId64, attr[1]);
        return ok;
    default: return true;
    }
}

/* Whether start + count is length, as polynomials: told from their values at two points of no
 * particular kind. Only what is printed depends on it. */
static bool reaches_end(const struct trace *t, wg_extent start, wg_extent count, wg_extent length) {
    enum { MOST = 16 };
    int64_t size[MOST], a, b, c;
    if (t->size.count > MOST) return false;
    for (int64_t point = 1; point <= 2; point++) {
        for (size_t k = 0; k < t->size.count; k++) size[k] = point * 1009 + (int64_t)(k * k) * 31;
        if (!extent_eval(t, start, size, &a) || !extent_eval(t, count, size, &b) ||
            !extent_eval(t, length, size, &c) || a + b != c)
            return false;
    }
    return true;
}

/* One axis: "2:5", ":n", "1:", "::2"; elements start, start + step, ..., count of them. */
static bool range_write(const struct trace *t, wg_extent start, wg_extent count, int64_t step,
                        wg_extent length, wg_text *out) {
    bool ok = (start == 0 || extent_text(t, start, out)) && text_add(out, ":");
    if (step == 1 && reaches_end(t, start, count, length)) return ok;
    if (start >= 0 && count >= 0) {
        int64_t stop = start + (count > 0 ? (count - 1) * step + 1 : 0);
        ok = ok && text_format(out, "%" PRId64, stop);
    } else {
        ok = ok && (start == 0 || (extent_text(t, start, out) && text_add(out, "+"))) &&
             text_add(out, step == 1 ? "" : "(") && extent_text(t, count, out) &&
             (step == 1 || text_format(out, ")*%" PRId64, step));
    }
    return ok && (step == 1 || text_format(out, ":%" PRId64, step));
}

bool slice_brackets(const struct writing *w, value v, wg_text *out) {
    const struct trace *t = w->t;
    const struct instr *i = instr_at(t, v);
    const wg_type *x = type_of(t, args_of(t, i)[0]), *y = type_at(t, i->type);
    const wg_type *part = i->op == OP_slice ? y : x, *whole = i->op == OP_slice ? x : y;
    const int64_t *attr = attr_words(t, i->attr); /* starts, counts or totals, steps */
    size_t rank = y->rank;
    bool ok = text_add(out, "[");
    for (size_t k = 0; k < rank && ok; k++)
        ok = text_add(out, k ? ", " : "") &&
             range_write(t, attr[k], part->extent[k], attr[2 * rank + k], whole->extent[k], out);
    return ok && text_add(out, "]");
}
