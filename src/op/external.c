/* The row `external`: a C function of the caller as an operation. Several results are one vector,
 * results one behind the other, of which slices are the results; so an instruction has one value
 * here as everywhere.
 *
 * Under vmap the kernel calls the function once an example: the attribute lists the batch axes,
 * outermost first, and which arguments carry each. The Jacobian that differences give, and the
 * transpose of a function that is linear, are the function itself on a batch of moved arguments or
 * of basis vectors, contracted with the tangent or adjoint: ordinary instructions, no kernel of
 * their own. */
#include "op/external.h"

#include "op/build.h"
#include "op/describe.h"

#include <float.h>
#include <math.h>

/* attr = [function, linear from, external_derivative, levels, then for each level: mask of the
 * arguments that carry it, extent; results, then for each result: dtype, rank, extents...] */
enum {
    HEAD = 4,
    LEVEL = 2,
    MAX_WORDS = HEAD + LEVEL * WG_MAX_RANK + 1 + EXTERNAL_PORTS * (2 + WG_MAX_RANK)
};

struct level {
    uint64_t mask;
    wg_extent extent;
};

struct call {
    int64_t function;
    size_t linear, levels, results;
    enum external_derivative derivative;
    struct level level[WG_MAX_RANK]; /* outermost first */
    wg_type type[EXTERNAL_PORTS];    /* of each result, of one example */
};

/* ---- the attribute --------------------------------------------------------------------------- */

static bool read_call(const int64_t *word, size_t count, struct call *c) {
    if (count <= HEAD || word[0] < 0 || word[1] < 0 || word[1] > EXTERNAL_PORTS || word[2] < 0 ||
        word[2] > EXTERNAL_IS_DIFFERENCE || word[3] < 0 || word[3] > WG_MAX_RANK)
        return false;
    *c = (struct call){.function = word[0],
                       .linear = (size_t)word[1],
                       .derivative = (enum external_derivative)word[2],
                       .levels = (size_t)word[3]};
    size_t at = HEAD;
    if (at + LEVEL * c->levels >= count) return false;
    for (size_t l = 0; l < c->levels; l++, at += LEVEL)
        c->level[l] = (struct level){(uint64_t)word[at], word[at + 1]};
    if (word[at] < 1 || word[at] > EXTERNAL_PORTS) return false;
    c->results = (size_t)word[at++];
    for (size_t i = 0; i < c->results; i++) {
        if (at + 2 > count || word[at] < 0 || word[at] >= WG_DTYPE_COUNT || word[at + 1] < 0 ||
            word[at + 1] > WG_MAX_RANK || at + 2 + (size_t)word[at + 1] > count)
            return false;
        c->type[i] = wg_type_of((wg_dtype)word[at], (size_t)word[at + 1], word + at + 2);
        at += 2 + c->type[i].rank;
    }
    return at == count;
}

static attr_id write_call(wg_graph *g, const struct call *c) {
    int64_t word[MAX_WORDS] = {c->function, (int64_t)c->linear, c->derivative, (int64_t)c->levels};
    size_t at = HEAD;
    for (size_t l = 0; l < c->levels; l++) {
        word[at++] = (int64_t)c->level[l].mask;
        word[at++] = c->level[l].extent;
    }
    word[at++] = (int64_t)c->results;
    for (size_t i = 0; i < c->results; i++) {
        word[at++] = c->type[i].dtype;
        word[at++] = c->type[i].rank;
        for (size_t k = 0; k < c->type[i].rank; k++) word[at++] = c->type[i].extent[k];
    }
    return graph_attr(g, word, at);
}

static struct call call_of(const struct trace *t, attr_id attr) {
    struct call c;
    read_call(attr_words(t, attr), attr_count(t, attr), &c); /* infer has looked at it */
    return c;
}

/* Looks at the words before `index` only: a reader of text asks when it has no others. */
static bool word_is_extent(const int64_t *word, size_t count, size_t index) {
    size_t at = HEAD;
    (void)count;
    if (index < HEAD || word[3] < 0 || word[3] > WG_MAX_RANK) return false;
    at += LEVEL * (size_t)word[3];
    if (index < at) return (index - HEAD) % LEVEL == 1;
    for (at++; at < index;) {
        int64_t rank = at + 1 < index ? word[at + 1] : 0;
        if (rank < 0 || rank > WG_MAX_RANK) return false;
        if (index < at + 2 + (size_t)rank) return index >= at + 2;
        at += 2 + (size_t)rank;
    }
    return false;
}

static size_t carried(const struct call *c, size_t argument) {
    size_t levels = 0;
    for (size_t l = 0; l < c->levels; l++) levels += c->level[l].mask >> argument & 1;
    return levels;
}

/* The type of the instruction: that of the result, or the vector of all, behind the batch axes. */
static bool whole_type(wg_graph *g, const struct call *c, wg_type *type) {
    wg_type inner = c->type[0];
    if (c->results > 1) {
        inner = (wg_type){.dtype = inner.dtype, .rank = 1};
        for (size_t i = 0; i < c->results; i++)
            inner.extent[0] = extent_add(g, inner.extent[0], type_count(g, &c->type[i]));
    }
    if (!require_rank(g, OP_external, inner.rank + c->levels)) return false;
    for (size_t l = c->levels; l-- > 0;) inner = type_prepend(&inner, c->level[l].extent);
    *type = inner;
    return g->error.status == WG_OK;
}

static bool extents_are_sound(wg_graph *g, const struct call *c) {
    bool ok = true;
    for (size_t l = 0; l < c->levels; l++)
        ok = ok && require_extent(g, "external", c->level[l].extent);
    for (size_t i = 0; i < c->results; i++)
        for (size_t k = 0; k < c->type[i].rank; k++)
            ok = ok && require_extent(g, "external", c->type[i].extent[k]);
    return ok;
}

static bool arguments_fit(wg_graph *g, const struct call *c, const value *x, size_t narg) {
    for (size_t k = 0; k < narg; k++) {
        const wg_type *type = type_of(&g->t, x[k]);
        size_t axis = 0;
        for (size_t l = 0; l < c->levels; l++) {
            if (!(c->level[l].mask >> k & 1)) continue;
            if (axis == type->rank || type->extent[axis++] != c->level[l].extent) return false;
        }
    }
    for (size_t l = 0; l < c->levels; l++)
        if (c->level[l].mask >> narg) return false;
    return c->linear <= narg;
}

static bool external_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                           wg_type *type) {
    struct call c;
    (void)op;
    bool sound = narg >= 1 && narg <= EXTERNAL_PORTS &&
                 read_call(attr_words(&g->t, attr), attr_count(&g->t, attr), &c) &&
                 (uint64_t)c.function < g->t.external.count;
    if (sound && !extents_are_sound(g, &c)) return false;
    if (!sound || !arguments_fit(g, &c, x, narg)) {
        graph_fail(g, WG_EARGUMENT, "external: attributes that it does not have");
        return false;
    }
    for (size_t i = 1; i < c.results; i++) {
        if (c.type[i].dtype == c.type[0].dtype) continue;
        graph_fail(g, WG_EDTYPE, "external \"%s\": results of %s and %s; several are of one type",
                   name_at(&g->t, g->t.external.at[c.function].name),
                   wg_dtype_name((wg_dtype)c.type[0].dtype),
                   wg_dtype_name((wg_dtype)c.type[i].dtype));
        return false;
    }
    return whole_type(g, &c, type);
}

/* ---- building -------------------------------------------------------------------------------- */

bool build_external(wg_graph *g, int64_t function, const value *x, size_t count, size_t linear,
                    enum external_derivative derivative, const wg_type *type, size_t results,
                    value *result) {
    struct call c = {
        .function = function, .linear = linear, .results = results, .derivative = derivative};
    if (g->error.status || function < 0) return false;
    memcpy(c.type, type, results * sizeof *type);
    value y = graph_emit(g, OP_external, write_call(g, &c), x, count);
    wg_extent start = 0;
    for (size_t i = 0; i < results; i++) {
        if (results == 1) {
            result[0] = y;
            break;
        }
        wg_extent size = type_count(g, &type[i]);
        value part = build_slice(g, y, &start, &size, (const int64_t[]){1});
        result[i] = build_reshape(g, part, &type[i]);
        start = extent_add(g, start, size);
    }
    return g->error.status == WG_OK;
}

static value external_batch(const struct batch *b) {
    struct call c = call_of(&b->g->t, b->attr);
    if (c.levels == WG_MAX_RANK)
        return graph_fail(b->g, WG_ESHAPE, "vmap: an external in more than %d batches",
                          WG_MAX_RANK);
    memmove(c.level + 1, c.level, c.levels * sizeof *c.level);
    c.level[0] = (struct level){0, b->extent};
    for (size_t k = 0; k < b->narg; k++)
        if (b->batched[k]) c.level[0].mask |= (uint64_t)1 << k;
    c.levels++;
    return graph_emit(b->g, OP_external, write_call(b->g, &c), b->x, b->narg);
}

/* ---- calling --------------------------------------------------------------------------------- */

struct operand { /* of one call after the other */
    char *data;
    size_t size;                 /* bytes of one example */
    int64_t stride[WG_MAX_RANK]; /* of each level, in examples; 0: the same for all */
};

static void open_argument(const struct exec *e, const struct call *c, size_t k,
                          struct operand *operand, wg_tensor *tensor) {
    const struct view *x = &e->arg[k];
    size_t lead = carried(c, k);
    *tensor = (wg_tensor){.dtype = (wg_dtype)x->dtype, .rank = (int)(x->rank - lead)};
    int64_t count = 1, step = 1;
    for (size_t i = lead; i < x->rank; i++) {
        tensor->shape[i - lead] = x->shape->extent[i];
        count *= x->shape->extent[i];
    }
    *operand = (struct operand){.data = x->data,
                                .size = (size_t)count * wg_dtype_size((wg_dtype)x->dtype)};
    for (size_t l = c->levels; l-- > 0;) {
        if (!(c->level[l].mask >> k & 1)) continue;
        operand->stride[l] = step;
        step *= exec_extent(e, c->level[l].extent);
    }
}

/* False for a shape that is none: where results are one vector, nothing else has looked at it. */
static bool open_result(const struct exec *e, const struct call *c, size_t i, wg_tensor *tensor) {
    *tensor = (wg_tensor){.dtype = (wg_dtype)c->type[i].dtype, .rank = c->type[i].rank};
    for (size_t k = 0; k < c->type[i].rank; k++)
        tensor->shape[k] = exec_extent(e, c->type[i].extent[k]);
    return wg_tensor_count(tensor) >= 0;
}

static wg_status call_failed(const struct exec *e, const struct external *f, wg_status status) {
    const char *name = name_at(e->trace, f->name);
    if (status > WG_OK && status <= WG_EINTERNAL)
        return fail_with(e->error, status, "external \"%s\" failed: %s", name,
                         wg_status_name(status));
    return fail_with(e->error, WG_EARGUMENT, "external \"%s\" returned %d, which is no status",
                     name, (int)status);
}

static wg_status external_run(const struct exec *e) {
    struct call c;
    read_call(e->attr, e->attr_count, &c);
    const struct external *f = &e->trace->external.at[c.function];
    struct operand operand[EXTERNAL_PORTS];
    wg_tensor argument[EXTERNAL_PORTS], result[EXTERNAL_PORTS];
    for (size_t k = 0; k < e->narg; k++) open_argument(e, &c, k, &operand[k], &argument[k]);
    for (size_t i = 0; i < c.results; i++)
        if (!open_result(e, &c, i, &result[i]))
            return fail_with(e->error, WG_ESHAPE,
                             "external \"%s\": result %zu would have a negative extent",
                             name_at(e->trace, f->name), i + 1);
    if (e->out.shape->count == 0) return WG_OK; /* nothing to be written, however many examples */
    int64_t examples = 1, extent[WG_MAX_RANK], index[WG_MAX_RANK] = {0};
    for (size_t l = 0; l < c.levels; l++) examples *= extent[l] = exec_extent(e, c.level[l].extent);
    char *out = e->out.data;
    for (int64_t n = 0; n < examples; n++) {
        for (size_t k = 0; k < e->narg; k++) {
            int64_t at = 0;
            for (size_t l = 0; l < c.levels; l++) at += index[l] * operand[k].stride[l];
            argument[k].data = operand[k].data + (size_t)at * operand[k].size;
        }
        for (size_t i = 0; i < c.results; i++) {
            result[i].data = out;
            out += (size_t)wg_tensor_count(&result[i]) * wg_dtype_size(result[i].dtype);
        }
        wg_status status = f->call(f->context, argument, result);
        if (status != WG_OK) return call_failed(e, f, status);
        for (size_t l = c.levels; l-- > 0; index[l] = 0)
            if (++index[l] < extent[l]) break;
    }
    return WG_OK;
}

/* ---- derivatives ----------------------------------------------------------------------------- */

static value no_rule(const struct rule *r, const struct call *c, size_t k) {
    wg_graph *g = r->g;
    const char *name = name_at(&g->t, g->t.external.at[c->function].name);
    if (c->derivative == EXTERNAL_IS_DIFFERENCE) {
        graph_fail(g, WG_ENORULE, "external \"%s\": differences give first derivatives only", name);
        graph_hint(g, "give it a jvp or a vjp, and these a rule by wg_custom");
        return 0;
    }
    graph_fail(g, WG_ENORULE, "external \"%s\" has no derivative by its argument %zu", name, k + 1);
    graph_hint(g, "give wg_external a jvp, a vjp or differences, or give a rule by wg_custom; "
                  "wg_stop_gradient makes it a constant");
    return 0;
}

/* All axes of the levels, in front of the argument's own. */
static value on_all_levels(wg_graph *g, const struct call *c, size_t k, value v) {
    wg_type type = *type_of(&g->t, v);
    size_t lead = carried(c, k), own = type.rank - lead;
    uint32_t mapped = 0;
    if (lead == c->levels || !require_rank(g, OP_external, own + c->levels)) return v;
    wg_type all = {.dtype = type.dtype, .rank = (uint8_t)(own + c->levels)};
    for (size_t l = 0; l < c->levels; l++) {
        all.extent[l] = c->level[l].extent;
        if (c->level[l].mask >> k & 1) mapped |= (uint32_t)1 << l;
    }
    for (size_t i = 0; i < own; i++) {
        all.extent[c->levels + i] = type.extent[lead + i];
        mapped |= (uint32_t)1 << (c->levels + i);
    }
    return build_broadcast(g, v, &all, mapped);
}

/* Back: the sum over the axes that the argument does not carry. */
static value off_all_levels(wg_graph *g, const struct call *c, size_t k, value v) {
    uint32_t axes = 0;
    for (size_t l = 0; l < c->levels; l++)
        if (!(c->level[l].mask >> k & 1)) axes |= (uint32_t)1 << l;
    return axes ? build_sum(g, v, axes) : v;
}

/* The levels' axes followed by one of all elements of the argument: the form to be contracted. */
static wg_type flat_type(wg_graph *g, const struct call *c, const wg_type *all) {
    wg_type own = type_without(all, axes_below(c->levels)), flat = *all;
    flat.rank = (uint8_t)(c->levels + 1);
    flat.extent[c->levels] = type_count(g, &own);
    return flat;
}

/* Rows of the function: its results [n, levels..., y...] where argument k is `moved`, which carries
 * the new axis of n and the levels in `mask`; the others that are linear are 0. */
static value rows(const struct rule *r, struct call c, size_t k, value moved, wg_extent n,
                  bool all_levels) {
    value x[EXTERNAL_PORTS];
    for (size_t i = 0; i < r->narg; i++)
        x[i] = i == k                           ? moved
               : k >= c.linear && i >= c.linear ? build_like(r->g, r->x[i], 0)
                                                : r->x[i];
    for (size_t l = 0; l < c.levels; l++) {
        c.level[l].mask &= ~((uint64_t)1 << k);
        if (all_levels) c.level[l].mask |= (uint64_t)1 << k;
    }
    if (c.levels == WG_MAX_RANK) return require_rank(r->g, OP_external, WG_MAX_RANK + 1), 0;
    memmove(c.level + 1, c.level, c.levels * sizeof *c.level);
    c.level[0] = (struct level){(uint64_t)1 << k, n};
    c.levels++;
    if (all_levels) c.derivative = EXTERNAL_IS_DIFFERENCE;
    return graph_emit(r->g, OP_external, write_call(r->g, &c), x, r->narg);
}

/* The rows of the linear function's matrix: the function on the basis of argument k. */
static value linear_rows(const struct rule *r, const struct call *c, size_t k, wg_type own) {
    wg_graph *g = r->g;
    wg_extent n = type_count(g, &own);
    if (!require_rank(g, OP_external, own.rank + 1u)) return 0;
    wg_type basis = type_prepend(&own, n);
    value eye = build_eye(g, (wg_dtype)own.dtype, n);
    return rows(r, *c, k, build_reshape(g, eye, &basis), n, false);
}

/* f(x + h e_i) - f(x - h e_i) for each element i of argument k, of one example each. *width: the
 * distance 2h, as it is after rounding, in the argument's type on all levels. */
static value difference_rows(const struct rule *r, const struct call *c, size_t k, wg_type own,
                             value *width) {
    wg_graph *g = r->g;
    bool single = own.dtype == WG_F32 || c->type[0].dtype == WG_F32;
    double step = cbrt(single ? (double)FLT_EPSILON : DBL_EPSILON);
    value x = on_all_levels(g, c, k, r->x[k]);
    if (!x || !require_rank(g, OP_external, type_of(&g->t, x)->rank + 1u)) return 0;
    value h = build_mul(g, build_binary(g, OP_max, build_unary(g, OP_abs, x), build_like(g, x, 1)),
                        build_like(g, x, step));
    value above = build_add(g, x, h), below = build_sub(g, x, h);
    *width = build_sub(g, above, below);
    wg_extent n = type_count(g, &own);
    wg_type basis = type_prepend(&own, n), moved = type_prepend(type_of(&g->t, x), n);
    value eye = build_reshape(g, build_eye(g, (wg_dtype)own.dtype, n), &basis);
    uint32_t of_basis = (axes_below(own.rank) << (1 + c->levels)) | 1;
    uint32_t of_x = axes_below(moved.rank) & ~1u;
    value chosen = build_broadcast(g, build_binary(g, OP_ne, eye, build_like(g, eye, 0)), &moved,
                                   of_basis);
    value still = build_broadcast(g, x, &moved, of_x), side[2] = {above, below};
    for (size_t i = 0; i < 2; i++) {
        value there = build_where(g, chosen, build_broadcast(g, side[i], &moved, of_x), still);
        side[i] = rows(r, *c, k, there, n, true);
    }
    return build_cast(g, (wg_dtype)own.dtype, build_sub(g, side[0], side[1]));
}

/* J [n, levels..., y...] of argument k, and what tangents are to be divided by before, and adjoints
 * behind (0: nothing). */
static value jacobian_rows(const struct rule *r, const struct call *c, size_t k, value *width) {
    wg_type own = type_without(type_of(&r->g->t, r->x[k]), axes_below(carried(c, k)));
    *width = 0;
    if (k < c->linear) return difference_rows(r, c, k, own, width);
    return build_cast(r->g, (wg_dtype)own.dtype, linear_rows(r, c, k, own));
}

static value divided(wg_graph *g, value v, value width) {
    return width ? build_div(g, v, width) : v;
}

/* t [levels..., n] with J [n, levels..., y...] -> [levels..., y...], in the result's type. */
static value tangent_by_rows(const struct rule *r, const struct call *c, size_t k, value t) {
    wg_graph *g = r->g;
    uint8_t of_t[WG_MAX_RANK + 1], of_rows[WG_MAX_RANK + 1];
    value width, matrix = jacobian_rows(r, c, k, &width);
    t = divided(g, on_all_levels(g, c, k, t), width);
    if (!t || !matrix) return 0;
    wg_type flat = flat_type(g, c, type_of(&g->t, t));
    for (uint8_t l = 0; l < c->levels; l++) of_t[l] = l, of_rows[l] = (uint8_t)(l + 1);
    of_t[c->levels] = (uint8_t)c->levels;
    of_rows[c->levels] = 0;
    value y = build_dot_axes(g, build_reshape(g, t, &flat), matrix, (unsigned)c->levels, 1,
                             (const uint8_t *const[]){of_t, of_rows});
    return build_cast(g, (wg_dtype)c->type[0].dtype, y);
}

static value external_vjp(const struct rule *r, size_t k, value ct) {
    wg_graph *g = r->g;
    struct call c = call_of(&g->t, r->attr);
    uint8_t of_ct[WG_MAX_RANK], of_rows[WG_MAX_RANK];
    if (k < c.linear && c.derivative != EXTERNAL_DIFFERENCES) return no_rule(r, &c, k);
    value width, matrix = jacobian_rows(r, &c, k, &width);
    if (!matrix) return 0;
    unsigned rank = type_of(&g->t, ct)->rank;
    for (uint8_t i = 0; i < rank; i++) of_ct[i] = i, of_rows[i] = (uint8_t)(i + 1);
    ct = build_cast(g, (wg_dtype)type_of(&g->t, matrix)->dtype, ct);
    value flat = build_dot_axes(g, ct, matrix, (unsigned)c.levels, rank - (unsigned)c.levels,
                                (const uint8_t *const[]){of_ct, of_rows});
    value x = on_all_levels(g, &c, k, r->x[k]);
    if (!flat || !x) return 0;
    wg_type all = *type_of(&g->t, x);
    return off_all_levels(g, &c, k, divided(g, build_reshape(g, flat, &all), width));
}

/* The function itself on the tangents of the arguments in which it is linear. */
static value linear_tangent(const struct rule *r, const struct call *c, const value *t) {
    value x[EXTERNAL_PORTS];
    bool any = false;
    for (size_t k = 0; k < r->narg; k++) {
        x[k] = k < c->linear ? r->x[k] : t[k] ? t[k] : build_like(r->g, r->x[k], 0);
        any = any || (k >= c->linear && t[k]);
    }
    return any ? graph_emit(r->g, OP_external, r->attr, x, r->narg) : 0;
}

static value external_jvp(const struct rule *r, const value *t) {
    struct call c = call_of(&r->g->t, r->attr);
    value sum = linear_tangent(r, &c, t);
    for (size_t k = 0; k < c.linear && !r->g->error.status; k++) {
        if (!t[k]) continue;
        if (c.derivative != EXTERNAL_DIFFERENCES) return no_rule(r, &c, k);
        sum = rule_add(r, sum, tangent_by_rows(r, &c, k, t[k]));
    }
    return sum;
}

/* ---- the row --------------------------------------------------------------------------------- */

/* The elements from the last to the first, whatever their type. */
static wg_status reversed_function(void *context, const wg_tensor *argument,
                                   const wg_tensor *result) {
    size_t size = wg_dtype_size(result->dtype), count = (size_t)wg_tensor_count(result);
    const char *x = argument->data;
    char *y = result->data;
    (void)context;
    for (size_t i = 0; i < count; i++) memcpy(y + i * size, x + (count - 1 - i) * size, size);
    return WG_OK;
}

static value external_sample(wg_graph *g, const value *arg) {
    wg_type type = *type_of(&g->t, arg[0]);
    value y = 0;
    int64_t function = graph_external(g, "reversed", reversed_function, NULL);
    build_external(g, function, arg, 1, 1, EXTERNAL_HAS_NONE, &type, 1, &y);
    return y;
}

const struct op_def op_external = {
    .name = "external",
    .class = GENERAL,
    .narg = -1,
    .refers = REFERS_TO_EXTERNAL,
    .doc = "the result of a C function; its derivative is an error unless the caller gave one",
    .infer = external_infer,
    .attr_is_extent = word_is_extent,
    .jvp = external_jvp,
    .vjp = external_vjp,
    .batch = external_batch,
    .run = external_run,
    /* integers: the tests of the table differentiate what has floating numbers */
    .sample = (const struct op_sample[]){{.narg = 1,
                                          .arg = {{WG_I64, 1, {3}}},
                                          .low = {-5},
                                          .high = {5},
                                          .make = external_sample},
                                         {0}},
};
