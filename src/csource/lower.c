/* What all of the lowering stands on: errors with their place in the text, types, and what is known
 * of values: whether they are literals, extents or not negative. */
#include "csource/lower.h"

#include "op/describe.h"

#include <stdio.h>

/* ---- errors ---------------------------------------------------------------------------------- */

bool stopped(const struct lower *l) {
    return l->error.status || l->begins_again || l->g->error.status;
}

void refuse_at(struct lower *l, const struct spot *spot, const char *hint, const char *format,
               ...) {
    char what[512];
    if (stopped(l)) return;
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    fail_with(&l->error, WG_EARGUMENT, "%s:%u:%u: %s", spot->file ? spot->file : "", spot->line,
              spot->column, what);
    tree_caret(l->tree, *spot, &l->error);
    if (hint) fail_more(&l->error, "\n  hint: %s", hint);
}

void refuse_null(struct lower *l, const struct node *at) {
    refuse_at(l, &at->spot, "have it point to something in every case before it is followed",
              "this pointer is null, or nothing was assigned to it");
}

void refuse_memory(struct lower *l) { fail_memory(&l->error); }

void stand_at(struct lower *l, const struct node *n) {
    if (n->spot.line && !stopped(l)) graph_site(l->g, n->spot.file, n->spot.line, n->spot.column);
}

void *keep(struct lower *l, size_t size) {
    void *block = arena_alloc(&l->arena, size ? size : 1, sizeof(void *));
    if (block)
        memset(block, 0, size);
    else
        refuse_memory(l);
    return block;
}

/* ---- types ----------------------------------------------------------------------------------- */

const struct ctype int_type = {
    .kind = TYPE_INT, .bits = 32, .is_signed = true, .bytes = 4, .text = "int"};
const struct ctype size_type = {.kind = TYPE_INT, .bits = 64, .bytes = 8, .text = "size_t"};

const struct ctype *plain_type(enum ctype_kind kind) {
    static const struct ctype types[] = {
        [TYPE_VOID] = {.kind = TYPE_VOID, .text = "void"},
        [TYPE_BOOL] = {.kind = TYPE_BOOL, .bytes = 1, .text = "_Bool"},
        [TYPE_INT] = {.kind = TYPE_INT, .bits = 64, .is_signed = true, .bytes = 8, .text = "long"},
        [TYPE_FLOAT] = {.kind = TYPE_FLOAT, .bytes = 4, .text = "float"},
        [TYPE_DOUBLE] = {.kind = TYPE_DOUBLE, .bytes = 8, .text = "double"}};
    return &types[kind];
}

bool is_scalar(const struct ctype *type) {
    return type && type->kind >= TYPE_BOOL && type->kind <= TYPE_DOUBLE;
}

bool is_floating(const struct ctype *type) {
    return type && (type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE);
}

bool same_type(const struct ctype *a, const struct ctype *b) {
    for (; a && b && a->kind == b->kind; a = a->of, b = b->of) {
        if (a->kind == TYPE_INT) return a->bits == b->bits;
        if (a->kind == TYPE_RECORD)
            return a->record == b->record || (strcmp(a->record->name, b->record->name) == 0 &&
                                              a->record->count == b->record->count);
        if (a->kind == TYPE_ARRAY && a->count >= 0 && b->count >= 0 && a->count != b->count)
            return false;
        if (a->kind != TYPE_ARRAY && a->kind != TYPE_POINTER) return true;
    }
    return !a && !b;
}

const struct ctype *settled_type(struct lower *l, const struct ctype *type, const struct node *at) {
    bool open = false;
    for (const struct ctype *t = type; t; t = t->of)
        open = open || (t->kind == TYPE_ARRAY && t->size);
    if (!open || stopped(l)) return type;
    struct ctype *copy = keep(l, sizeof *copy);
    if (!copy) return NULL;
    *copy = *type;
    if (type->size) {
        struct operand length = converted(l, rvalue(l, type->size), plain_type(TYPE_INT), at);
        if (stopped(l)) return NULL;
        copy->size = NULL;
        if (!extent_of(l, length.v, &copy->count)) {
            copy->count = LENGTH_UNKNOWN;
            if (!l->watch)
                refuse_at(l, &type->size->spot,
                          "make it of whole numbers that are parameters, or take the longest",
                          "the length of this array is computed from data");
        }
    }
    copy->of = settled_type(l, type->of, at);
    return copy;
}

/* ---- what is known of values ----------------------------------------------------------------- */

bool literal_of(const struct lower *l, value v, int64_t *number) {
    return v && !dtype_is_float(type_of(&l->g->t, v)->dtype) && value_is_splat(&l->g->t, v, number);
}

value whole(struct lower *l, int64_t number) {
    return stopped(l) ? 0 : graph_literal(l->g, WG_I64, number);
}

value truth(struct lower *l, bool b) { return stopped(l) ? 0 : graph_literal(l->g, WG_BOOL, b); }

value unknown_value(struct lower *l, wg_dtype dtype) {
    char name[32];
    if (stopped(l)) return 0;
    snprintf(name, sizeof name, "u%zu", l->g->t.instr.count);
    wg_type type = {.dtype = (uint8_t)dtype};
    return graph_input(l->g, name, &type);
}

bool extent_of(struct lower *l, value v, wg_extent *e) {
    wg_extent a, b;
    if (!v || stopped(l)) return false;
    const struct instr *i = instr_at(&l->g->t, v);
    const value *x = args_of(&l->g->t, i);
    if (i->op == OP_size) {
        *e = attr_words(&l->g->t, i->attr)[0];
        return true;
    }
    int64_t number;
    if (type_of(&l->g->t, v)->dtype == WG_I64 && value_is_splat(&l->g->t, v, &number)) {
        *e = number;
        return number >= 0;
    }
    if (i->op != OP_add && i->op != OP_sub && i->op != OP_mul) return false;
    value left = x[0], right = x[1];
    bool minus = i->op == OP_sub;
    if (i->op == OP_add && literal_of(l, right, &number) && number < 0) { /* n + -1 */
        minus = true;
        b = -number;
    } else if (!extent_of(l, right, &b)) {
        return false;
    }
    if (!extent_of(l, left, &a)) return false;
    *e = i->op == OP_mul ? extent_mul(l->g, a, b)
         : minus         ? extent_sub(l->g, a, b)
                         : extent_add(l->g, a, b);
    return !stopped(l);
}

value extent_value(struct lower *l, wg_extent e) {
    if (e < 0 && l->watch) return unknown_value(l, WG_I64);
    return stopped(l) ? 0 : build_extent(l->g, e);
}

bool bounds_of(struct lower *l, value v, wg_extent *low, wg_extent *high) {
    return !stopped(l) && !l->watch &&
           value_bounds(l->g, l->bounded.at, l->bounded.count, v, low, high);
}

bool not_negative(struct lower *l, value v) {
    int64_t number;
    if (!v || stopped(l)) return false;
    if (literal_of(l, v, &number)) return number >= 0;
    const struct instr *i = instr_at(&l->g->t, v);
    value a = i->narg > 0 ? args_of(&l->g->t, i)[0] : 0;
    value b = i->narg > 1 ? args_of(&l->g->t, i)[1] : 0;
    wg_extent low, high;
    if (bounds_of(l, v, &low, &high) && extent_provably_le(l->g, 0, low)) return true;
    switch (i->op) {
    case OP_size: return true;
    case OP_add:
    case OP_mul:
    case OP_idiv: return not_negative(l, a) && not_negative(l, b);
    case OP_imod: return not_negative(l, b) && (!literal_of(l, b, &number) || number > 0);
    case OP_bit_and: return not_negative(l, a) || not_negative(l, b);
    case OP_bit_or:
    case OP_bit_xor: return not_negative(l, a) && not_negative(l, b);
    case OP_shift_right: return not_negative(l, a);
    case OP_cast: return type_of(&l->g->t, a)->dtype == WG_BOOL;
    default: return false;
    }
}
