/* The functions of the language: a row each, with how it is called, and below them every
 * elementwise operation by its own name. Rows turn arguments and options into calls of builders;
 * what an operation is, and what it accepts, is not known here. */
#include "lang/lang.h"
#include "op/describe.h"

enum { AXIS = 1, AXES = 2, KEEP = 4, REDUCE = AXES | KEEP, ANY = 255 };

struct builtin;
typedef value builtin_function(struct parser *p, const struct call *c, const struct builtin *b,
                               const struct term *arg, size_t count);

struct builtin {
    const char *name, *usage;
    builtin_function *apply;
    uint8_t least, most, options;
    int detail; /* an operation, an element type, or a number: the function's own affair */
};

/* ---- axes ------------------------------------------------------------------------------------ */

static bool resolve_axis(struct parser *p, const struct builtin *b, value x, int axis,
                         unsigned *result) {
    int rank = term_type(p, x)->rank;
    if (axis < -rank || axis >= rank) {
        graph_fail(p->g, WG_ESHAPE, "%s: there is no axis %d in %s", b->name, axis,
                   type_name(p->g, x).text);
        return false;
    }
    *result = (unsigned)(axis < 0 ? axis + rank : axis);
    return true;
}

/* The axis given, or else the row's own. */
static bool one_axis(struct parser *p, const struct call *c, const struct builtin *b, value x,
                     unsigned *axis) {
    return x && resolve_axis(p, b, x, c->has_axis ? c->axis[0] : b->detail, axis);
}

/* ---- reductions ------------------------------------------------------------------------------ */

static value reduce_axes(struct parser *p, const struct call *c, const struct builtin *b, value x) {
    if (!x) return 0;
    uint32_t axes = c->has_axis ? 0 : all_axes(p->g, x);
    for (size_t i = 0; i < c->axis_count; i++) {
        unsigned axis;
        if (!resolve_axis(p, b, x, c->axis[i], &axis)) return 0;
        if (axes >> axis & 1)
            return graph_fail(p->g, WG_ESHAPE, "%s: axis %d is named twice", b->name, c->axis[i]);
        axes |= (uint32_t)1 << axis;
    }
    wg_type kept = *term_type(p, x);
    value y = b->detail == OP_none ? build_mean(p->g, x, axes)
                                   : build_reduce(p->g, (unsigned)b->detail, x, axes);
    if (!c->keep || !y) return y;
    for (size_t i = 0; i < kept.rank; i++)
        if (axes >> i & 1) kept.extent[i] = 1;
    return build_reshape(p->g, y, &kept);
}

static value apply_reduce(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    (void)count;
    return reduce_axes(p, c, b, term_default(p, arg[0]));
}

static value apply_max(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    value x, y;
    if (count == 1) return reduce_axes(p, c, b, term_default(p, arg[0]));
    if (c->has_axis || c->has_keep)
        return graph_fail(p->g, WG_EARGUMENT, "max of two arguments has no options");
    return term_pair(p, arg[0], arg[1], &x, &y) ? build_binary(p->g, OP_max, x, y) : 0;
}

static value apply_argmax(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x = term_default(p, arg[0]);
    return one_axis(p, c, b, x, &axis) ? build_argmax(p->g, x, axis) : 0;
}

static value apply_softmax(struct parser *p, const struct call *c, const struct builtin *b,
                           const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x = term_default(p, arg[0]);
    return one_axis(p, c, b, x, &axis) ? build_softmax(p->g, x, axis) : 0;
}

static value apply_log_softmax(struct parser *p, const struct call *c, const struct builtin *b,
                               const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x = term_default(p, arg[0]);
    return one_axis(p, c, b, x, &axis) ? build_log_softmax(p->g, x, axis) : 0;
}

/* ---- losses and products --------------------------------------------------------------------- */

static value apply_cross_entropy(struct parser *p, const struct call *c, const struct builtin *b,
                                 const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value logits = term_default(p, arg[0]), label = term_build(p, arg[1], WG_I64);
    return build_cross_entropy(p->g, logits, label);
}

static value apply_mse(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value x, y;
    return term_pair(p, arg[0], arg[1], &x, &y) ? build_mse(p->g, x, y) : 0;
}

static value apply_matmul(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value x, y;
    return term_pair(p, arg[0], arg[1], &x, &y) ? build_matmul(p->g, x, y) : 0;
}

/* The sum of all products of elements: x f64[n...], y f64[n...] -> f64 */
static value apply_dot(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value x, y;
    if (!term_pair(p, arg[0], arg[1], &x, &y)) return 0;
    if (type_same_shape(term_type(p, x), term_type(p, y)))
        return build_dot(p->g, x, y, 0, term_type(p, x)->rank, false, false);
    graph_fail(p->g, WG_ESHAPE, "dot: shapes differ: left %s, right %s", type_name(p->g, x).text,
               type_name(p->g, y).text);
    graph_fail_operands(p->g, (const value[]){x, y}, 2);
    graph_hint(p->g, "dot is the sum of the products of all elements; @ is the matrix product");
    return 0;
}

/* ---- choice and conversion ------------------------------------------------------------------- */

static value apply_where(struct parser *p, const struct call *c, const struct builtin *b,
                         const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value condition = term_default(p, arg[0]), x, y;
    if (!condition || !term_pair(p, arg[1], arg[2], &x, &y)) return 0;
    return build_where(p->g, condition, x, y);
}

/* Numbers that the type holds become it at once: i32([0, 2]) is a constant. */
static value apply_cast(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c, (void)count;
    wg_dtype dtype = (wg_dtype)b->detail;
    if (term_holds(p, arg[0], dtype)) return term_build(p, arg[0], dtype);
    return build_cast(p->g, dtype, term_default(p, arg[0]));
}

/* ---- shape ----------------------------------------------------------------------------------- */

/* Arguments as the extents of a type; -1 is WG_INFER where that is allowed. */
static bool read_extents(struct parser *p, const struct builtin *b, const struct term *arg,
                         size_t count, bool may_infer, wg_type *type) {
    if (count > WG_MAX_RANK) {
        graph_fail(p->g, WG_ESHAPE, "%s: more than %d axes", b->name, WG_MAX_RANK);
        return false;
    }
    type->rank = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        bool is_number = arg[i].kind == TERM_NUMBER;
        if (is_number && arg[i].as.number == -1 && may_infer) {
            type->extent[i] = WG_INFER;
            continue;
        }
        if (term_is_extent(p, arg[i], &type->extent[i]) && (!is_number || arg[i].as.number >= 0))
            continue;
        if (parse_failed(p)) return false;
        graph_fail(p->g, WG_ESHAPE, "%s: an extent is made of whole numbers and named sizes",
                   b->name);
        return false;
    }
    return true;
}

static value apply_full(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c;
    wg_type type = {.dtype = WG_F64};
    return read_extents(p, b, arg, count, false, &type) ? build_full(p->g, &type, b->detail) : 0;
}

static value apply_eye(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    (void)c;
    wg_type type = {0};
    return read_extents(p, b, arg, count, false, &type) ? build_eye(p->g, WG_F64, type.extent[0])
                                                        : 0;
}

static value apply_iota(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c;
    wg_type type = {0};
    return read_extents(p, b, arg, count, false, &type) ? build_iota(p->g, type.extent[0]) : 0;
}

static value apply_transpose(struct parser *p, const struct call *c, const struct builtin *b,
                             const struct term *arg, size_t count) {
    (void)c;
    value x = term_default(p, arg[0]);
    if (!x) return 0;
    uint8_t perm[WG_MAX_RANK];
    size_t rank = term_type(p, x)->rank;
    uint32_t seen = 0;
    for (size_t i = 0; i < rank; i++) perm[i] = (uint8_t)(rank - 1 - i);
    for (size_t i = 1; i < count && count == rank + 1; i++) {
        wg_extent given;
        unsigned axis;
        if (!term_is_extent(p, arg[i], &given) || arg[i].kind != TERM_NUMBER) break;
        int number = arg[i].as.number < -WG_MAX_RANK  ? -WG_MAX_RANK - 1
                     : arg[i].as.number > WG_MAX_RANK ? WG_MAX_RANK
                                                      : (int)arg[i].as.number;
        if (!resolve_axis(p, b, x, number, &axis)) return 0;
        perm[i - 1] = (uint8_t)axis;
        seen |= (uint32_t)1 << axis;
    }
    if (count > 1 && (count != rank + 1 || seen != all_axes(p->g, x)))
        return graph_fail(p->g, WG_ESHAPE, "transpose: each of the %zu axes is named once", rank);
    return build_transpose(p->g, x, perm);
}

static value apply_reshape(struct parser *p, const struct call *c, const struct builtin *b,
                           const struct term *arg, size_t count) {
    wg_type type = {0};
    value x = term_default(p, arg[0]);
    if (!x || !read_extents(p, b, arg + 1, count - 1, true, &type)) return 0;
    bool infers = false;
    for (size_t i = 0; i < type.rank; i++) infers = infers || type.extent[i] == WG_INFER;
    if (!infers) return build_reshape(p->g, x, &type);
    return wg_reshape_at(p->origin, (int)c->name->place.line, (wg_var){p->g, x}, type.rank,
                         type.extent)
        .id;
}

static value apply_concat(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    const wg_allocator *allocator = &p->g->t.allocator;
    value *part = mem_alloc(allocator, count * sizeof *part), result = 0;
    if (!part) {
        parse_memory(p);
        return 0;
    }
    wg_dtype dtype = WG_F64;
    for (size_t i = count; i-- > 0;)
        if (arg[i].kind == TERM_VALUE) dtype = (wg_dtype)term_type(p, arg[i].as.v)->dtype;
    for (size_t i = 0; i < count; i++) part[i] = term_build(p, arg[i], dtype);
    unsigned axis;
    if (!parse_failed(p) && one_axis(p, c, b, part[0], &axis))
        result = build_concat(p->g, part, count, axis);
    mem_free(allocator, part, count * sizeof *part);
    return result;
}

static value apply_take(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x = term_default(p, arg[0]), index = term_build(p, arg[1], WG_I64);
    return one_axis(p, c, b, x, &axis) ? build_take(p->g, x, index, axis, 0) : 0;
}

/* For every row of x[..., n] the element index[...]. */
static value apply_pick(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c, (void)count;
    value x = term_default(p, arg[0]), index = term_build(p, arg[1], WG_I64);
    unsigned last;
    if (!x || !index || !resolve_axis(p, b, x, -1, &last)) return 0;
    return build_take(p->g, x, index, last, last);
}

/* ---- the table ------------------------------------------------------------------------------- */

// clang-format off
static const struct builtin builtins[] = {
    {"sum",           "sum(x, axis=0)",               apply_reduce,   1, 1, REDUCE, OP_sum},
    {"mean",          "mean(x, axis=0)",              apply_reduce,   1, 1, REDUCE, OP_none},
    {"max",           "max(x, axis=0) or max(a, b)",  apply_max,      1, 2, REDUCE, OP_reduce_max},
    {"logsumexp",     "logsumexp(x, axis=0)",         apply_reduce,   1, 1, REDUCE, OP_logsumexp},
    {"norm",          "norm(x, axis=0)",              apply_reduce,   1, 1, REDUCE, OP_norm},
    {"argmax",        "argmax(x, axis=-1)",           apply_argmax,   1, 1, AXIS, -1},
    {"softmax",       "softmax(x, axis=-1)",          apply_softmax,  1, 1, AXIS, -1},
    {"log_softmax",   "log_softmax(x, axis=-1)",      apply_log_softmax, 1, 1, AXIS, -1},
    {"cross_entropy", "cross_entropy(logits, labels)", apply_cross_entropy, 2, 2, 0, 0},
    {"mse",           "mse(a, b)",                    apply_mse,      2, 2, 0, 0},
    {"matmul",        "matmul(a, b)",                 apply_matmul,   2, 2, 0, 0},
    {"dot",           "dot(a, b)",                    apply_dot,      2, 2, 0, 0},
    {"where",         "where(condition, a, b)",       apply_where,    3, 3, 0, 0},
    {"bool",          "bool(x)",                      apply_cast,     1, 1, 0, WG_BOOL},
    {"i32",           "i32(x)",                       apply_cast,     1, 1, 0, WG_I32},
    {"i64",           "i64(x)",                       apply_cast,     1, 1, 0, WG_I64},
    {"f32",           "f32(x)",                       apply_cast,     1, 1, 0, WG_F32},
    {"f64",           "f64(x)",                       apply_cast,     1, 1, 0, WG_F64},
    {"zeros",         "zeros(n, m)",                  apply_full,     0, ANY, 0, 0},
    {"ones",          "ones(n, m)",                   apply_full,     0, ANY, 0, 1},
    {"eye",           "eye(n)",                       apply_eye,      1, 1, 0, 0},
    {"iota",          "iota(n)",                      apply_iota,     1, 1, 0, 0},
    {"transpose",     "transpose(x) or transpose(x, 1, 0)", apply_transpose, 1, ANY, 0, 0},
    {"reshape",       "reshape(x, 2, 3)",             apply_reshape,  1, ANY, 0, 0},
    {"concat",        "concat(a, b, axis=0)",         apply_concat,   1, ANY, AXIS, 0},
    {"take",          "take(x, index, axis=0)",       apply_take,     2, 2, AXIS, 0},
    {"pick",          "pick(x, index)",               apply_pick,     2, 2, 0, 0},
};
// clang-format on

static const struct builtin *find(const char *name, size_t length) {
    for (size_t i = 0; i < COUNT_OF(builtins); i++)
        if (strlen(builtins[i].name) == length && memcmp(builtins[i].name, name, length) == 0)
            return &builtins[i];
    return NULL;
}

/* The elementwise operations that a name may call. */
static bool is_function(unsigned op) {
    return op != OP_none && op != OP_copy && op != OP_cast && op != OP_where &&
           op_is_elementwise(op) && (op_def(op)->narg == 1 || op_def(op)->narg == 2);
}

static unsigned operation(const char *name, size_t length) {
    if (length == 2 && memcmp(name, "ln", 2) == 0) return OP_log;
    unsigned op = op_by_name(name, length);
    return is_function(op) ? op : OP_none;
}

bool builtin_exists(const char *name, size_t length) {
    return find(name, length) || operation(name, length) != OP_none;
}

void builtin_nearest(struct nearest *n) {
    for (size_t i = 0; i < COUNT_OF(builtins); i++)
        nearest_try(n, builtins[i].name, strlen(builtins[i].name));
    for (unsigned op = 1; op < OP_COUNT; op++)
        if (is_function(op)) nearest_try(n, op_def(op)->name, strlen(op_def(op)->name));
}

static bool good_count(struct parser *p, const struct call *c, const char *name, const char *usage,
                       size_t least, size_t most) {
    size_t count = p->stack.count - c->first;
    if (count >= least && (count <= most || most == ANY)) return true;
    parse_fail(p, c->name->place, WG_EARGUMENT, "%s takes %zu argument%s, not %zu", name,
               count < least ? least : most, (count < least ? least : most) == 1 ? "" : "s", count);
    if (usage) parse_hint(p, "%s", usage);
    return false;
}

static bool good_options(struct parser *p, const struct call *c, const struct builtin *b) {
    const char *wrong = NULL;
    if (c->has_axis && !(b->options & (AXIS | AXES))) wrong = "no option axis";
    if (c->axis_count != 1 && c->has_axis && b->options & AXIS) wrong = "one axis";
    if (c->has_keep && !(b->options & KEEP)) wrong = "no option keep";
    if (!wrong) return true;
    parse_fail(p, c->name->place, WG_EARGUMENT, "%s has %s", b->name, wrong);
    parse_hint(p, "%s", b->usage);
    return false;
}

/* sin(x), pow(a, b): whatever the table of operations has. */
static struct term call_elementwise(struct parser *p, const struct call *c) {
    unsigned op = operation(c->name->start, c->name->length);
    const struct op_def *def = op_def(op);
    size_t count = (size_t)def->narg;
    if (!good_count(p, c, def->name, op == OP_min ? "the least element of x is -max(-x)" : NULL,
                    count, count))
        return term_none();
    if (c->has_axis || c->has_keep) {
        parse_fail(p, c->name->place, WG_EARGUMENT, "%s has no options", def->name);
        return term_none();
    }
    const struct term *arg = p->stack.at + c->first;
    return count == 1 ? term_unary(p, op, arg[0]) : term_binary(p, op, arg[0], arg[1]);
}

struct term builtin_call(struct parser *p, const struct call *c) {
    const struct builtin *b = find(c->name->start, c->name->length);
    parse_at(p, c->name->place);
    if (!b) return call_elementwise(p, c);
    if (!good_count(p, c, b->name, b->usage, b->least, b->most) || !good_options(p, c, b))
        return term_none();
    return term_value(b->apply(p, c, b, p->stack.at + c->first, p->stack.count - c->first));
}
