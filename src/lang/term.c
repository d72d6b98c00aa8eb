/* Operands while a formula is read: values of the graph, and what has no element type yet:
 * numbers, extents, arrays of numbers. These take the type of the value they meet, exactly or
 * not at all (2.5 is no i32), so that 0.5*x is right for every x. What is made of plain numbers
 * alone is computed here, once, in f64. Everything else is left to the builders, with their
 * checks and messages. */
#include "lang/lang.h"

#include <float.h>
#include <math.h>

struct term term_value(value v) {
    return v ? (struct term){TERM_VALUE, {.v = v}} : term_none();
}

struct term term_number(double number) {
    return (struct term){TERM_NUMBER, {.number = number}};
}

struct term term_extent(wg_extent extent) {
    return (struct term){TERM_EXTENT, {.extent = extent}};
}

bool term_push(struct parser *p, struct term t) {
    struct term *top = VEC_PUSH(&p->g->t.allocator, &p->stack);
    if (!top) {
        parse_memory(p);
        return false;
    }
    *top = t;
    return true;
}

struct term term_pop(struct parser *p) {
    return p->stack.count ? p->stack.at[--p->stack.count] : term_none();
}

/* ---- numbers get an element type ------------------------------------------------------------- */

static const double largest_exact = 9007199254740992.0; /* 2^53 */

static bool is_whole(double number) {
    return number == floor(number) && fabs(number) <= largest_exact;
}

static bool holds(wg_dtype dtype, double number) {
    switch (dtype) {
    case WG_F64: return true;
    case WG_F32: return !(fabs(number) > (double)FLT_MAX) || isinf(number);
    case WG_I64: return is_whole(number);
    case WG_I32: return is_whole(number) && number >= INT32_MIN && number <= INT32_MAX;
    case WG_BOOL: return false;
    }
    return false;
}

bool term_holds(const struct parser *p, struct term t, wg_dtype dtype) {
    if (t.kind == TERM_NUMBER) return holds(dtype, t.as.number);
    if (t.kind != TERM_ARRAY) return false;
    const struct array *array = &p->array.at[t.as.index];
    for (size_t i = 0; i < array->count; i++)
        if (!holds(dtype, p->element.at[array->at + i])) return false;
    return true;
}

static bool fits(struct parser *p, double number, wg_dtype dtype) {
    bool fine = holds(dtype, number);
    if (fine || parse_failed(p)) return fine;
    if (dtype == WG_BOOL) {
        graph_fail(p->g, WG_EDTYPE, "a number where a truth value belongs");
        graph_hint(p->g, "write true or false, or compare: x != 0");
    } else {
        graph_fail(p->g, WG_EDTYPE, "the number %.15g is no %s", number, wg_dtype_name(dtype));
        graph_hint(p->g, "convert the other operand: f64(x)");
    }
    return false;
}

static value build_array(struct parser *p, const struct array *array, wg_dtype dtype) {
    const wg_allocator *allocator = &p->g->t.allocator;
    size_t width = wg_dtype_size(dtype), size = array->count * width;
    unsigned char *data = mem_alloc(allocator, size ? size : 1);
    if (!data) {
        parse_memory(p);
        return 0;
    }
    for (size_t i = 0; i < array->count; i++) {
        double number = p->element.at[array->at + i];
        if (!fits(p, number, dtype)) break;
        int64_t bits = literal_from_f64(dtype, number); /* its first bytes are the element */
        memcpy(data + i * width, &bits, width);
    }
    wg_type type = array->type;
    type.dtype = (uint8_t)dtype;
    value v = parse_failed(p) ? 0 : graph_blob(p->g, &type, data);
    mem_free(allocator, data, size ? size : 1);
    return v;
}

value term_build(struct parser *p, struct term t, wg_dtype dtype) {
    if (parse_failed(p)) return 0;
    switch (t.kind) {
    case TERM_VALUE: return t.as.v;
    case TERM_NUMBER:
        return fits(p, t.as.number, dtype) ? build_number(p->g, dtype, t.as.number) : 0;
    case TERM_EXTENT:
        if (dtype == WG_BOOL && !fits(p, 0, dtype)) return 0;
        return build_cast(p->g, dtype, build_extent(p->g, t.as.extent));
    case TERM_ARRAY: return build_array(p, &p->array.at[t.as.index], dtype);
    default: return 0;
    }
}

value term_default(struct parser *p, struct term t) {
    return term_build(p, t, t.kind == TERM_EXTENT ? WG_I64 : WG_F64);
}

bool term_pair(struct parser *p, struct term a, struct term b, value *va, value *vb) {
    value typed = a.kind == TERM_VALUE ? a.as.v : b.kind == TERM_VALUE ? b.as.v : 0;
    wg_dtype dtype = typed ? (wg_dtype)term_type(p, typed)->dtype : WG_F64;
    *va = term_build(p, a, dtype);
    *vb = term_build(p, b, dtype);
    return *va && *vb;
}

/* ---- elementwise operations ------------------------------------------------------------------ */

/* What was computed from plain numbers is one again, where the graph folded it. */
static struct term plain_again(const struct parser *p, value v) {
    int64_t bits;
    if (!v || !value_is_splat(&p->g->t, v, &bits)) return term_value(v);
    const wg_type *type = term_type(p, v);
    if (type->rank > 0 || type->dtype != WG_F64) return term_value(v);
    return term_number(literal_to_f64(WG_F64, bits));
}

struct term term_unary(struct parser *p, unsigned op, struct term a) {
    if (op == OP_neg && a.kind == TERM_NUMBER) return term_number(-a.as.number);
    if (op == OP_neg && a.kind == TERM_EXTENT) return term_extent(extent_sub(p->g, 0, a.as.extent));
    value v = build_unary(p->g, op, term_build(p, a, WG_F64));
    return a.kind == TERM_NUMBER ? plain_again(p, v) : term_value(v);
}

bool term_is_extent(const struct parser *p, struct term t, wg_extent *extent) {
    if (t.kind == TERM_EXTENT) {
        *extent = t.as.extent;
        return true;
    }
    if (t.kind != TERM_NUMBER || !is_whole(t.as.number)) return false;
    int64_t whole = (int64_t)t.as.number;
    *extent = whole >= 0 ? whole : extent_sub(p->g, 0, -whole);
    return true;
}

static bool extent_binary(struct parser *p, unsigned op, struct term a, struct term b,
                          struct term *result) {
    wg_extent x, y;
    if (op != OP_add && op != OP_sub && op != OP_mul) return false;
    if (!term_is_extent(p, a, &x) || !term_is_extent(p, b, &y)) return false;
    *result = term_extent(op == OP_add   ? extent_add(p->g, x, y)
                          : op == OP_sub ? extent_sub(p->g, x, y)
                                         : extent_mul(p->g, x, y));
    return true;
}

struct term term_binary(struct parser *p, unsigned op, struct term a, struct term b) {
    if (parse_failed(p)) return term_none();
    bool plain = a.kind == TERM_NUMBER && b.kind == TERM_NUMBER;
    struct term result;
    if (plain) {
        double x = a.as.number, y = b.as.number;
        switch (op) {
        case OP_add: return term_number(x + y);
        case OP_sub: return term_number(x - y);
        case OP_mul: return term_number(x * y);
        case OP_div: return term_number(x / y);
        default: break; /* computed by the operation's own kernel */
        }
    } else if (extent_binary(p, op, a, b, &result)) {
        return result;
    }
    value va, vb;
    if (!term_pair(p, a, b, &va, &vb)) return term_none();
    value v = build_binary(p->g, op, va, vb);
    return plain ? plain_again(p, v) : term_value(v);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

/* Whether the terms are numbers, or arrays of numbers of one shape; then their joint array. */
static bool plain_array(struct parser *p, const struct term *term, size_t count,
                        struct array *array) {
    const wg_allocator *allocator = &p->g->t.allocator;
    *array = (struct array){.type = {.dtype = WG_F64, .rank = 1}, .at = p->element.count};
    bool nested = count > 0 && term[0].kind == TERM_ARRAY;
    if (nested) {
        const wg_type *row = &p->array.at[term[0].as.index].type;
        if (row->rank == WG_MAX_RANK) return false;
        array->type.rank = (uint8_t)(row->rank + 1);
        for (size_t i = 0; i < row->rank; i++) array->type.extent[i + 1] = row->extent[i];
    }
    array->type.extent[0] = (wg_extent)count;
    for (size_t i = 0; i < count; i++) {
        if (term[i].kind != (nested ? TERM_ARRAY : TERM_NUMBER)) return false;
        const struct array *row = nested ? &p->array.at[term[i].as.index] : NULL;
        if (row && !type_same_shape(&row->type, &p->array.at[term[0].as.index].type)) return false;
        array->count += row ? row->count : 1;
    }
    if (!VEC_RESERVE(allocator, &p->element, array->at + array->count)) {
        parse_memory(p);
        return false;
    }
    if (array->count == 0) return true;
    double *element = p->element.at + array->at;
    for (size_t i = 0; i < count; i++) {
        if (!nested) {
            *element++ = term[i].as.number;
            continue;
        }
        const struct array *row = &p->array.at[term[i].as.index];
        if (row->count) memcpy(element, p->element.at + row->at, row->count * sizeof *element);
        element += row->count;
    }
    p->element.count += array->count;
    return true;
}

/* Values of one shape along a new first axis. */
static value stack_values(struct parser *p, const struct term *term, size_t count, value *part) {
    wg_dtype dtype = WG_F64;
    for (size_t i = count; i-- > 0;)
        if (term[i].kind == TERM_VALUE) dtype = (wg_dtype)term_type(p, term[i].as.v)->dtype;
    for (size_t i = 0; i < count; i++) {
        part[i] = term_build(p, term[i], dtype);
        if (!part[i]) return 0;
        const wg_type *type = term_type(p, part[i]), *first = term_type(p, part[0]);
        if (i > 0 && !type_equal(type, term_type(p, part[i - 1]))) {
            graph_fail(p->g, type_same_shape(type, first) ? WG_EDTYPE : WG_ESHAPE,
                       "element %zu of the array has another shape or element type than the first",
                       i);
            return 0;
        }
        if (type->rank == WG_MAX_RANK) {
            graph_fail(p->g, WG_ESHAPE, "an array of more than %d axes", WG_MAX_RANK);
            return 0;
        }
    }
    for (size_t i = 0; i < count; i++) {
        wg_type row = *term_type(p, part[i]);
        for (size_t k = row.rank++; k > 0; k--) row.extent[k] = row.extent[k - 1];
        row.extent[0] = 1;
        part[i] = build_reshape(p->g, part[i], &row);
        if (!part[i]) return 0;
    }
    return build_concat(p->g, part, count, 0);
}

struct term term_array(struct parser *p, size_t first, struct place place) {
    if (parse_failed(p)) return term_none();
    const wg_allocator *allocator = &p->g->t.allocator;
    size_t count = p->stack.count - first;
    const struct term *term = count ? p->stack.at + first : NULL;
    struct term result = term_none();
    struct array array;
    parse_at(p, place);
    if (plain_array(p, term, count, &array)) {
        struct array *new = VEC_PUSH(allocator, &p->array);
        if (new) {
            *new = array;
            result = (struct term){TERM_ARRAY, {.index = p->array.count - 1}};
        } else {
            parse_memory(p);
        }
    } else if (!parse_failed(p)) {
        value *part = mem_alloc(allocator, count * sizeof *part);
        if (part)
            result = term_value(stack_values(p, term, count, part));
        else
            parse_memory(p);
        mem_free(allocator, part, count * sizeof *part);
    }
    p->stack.count = first;
    return result;
}
