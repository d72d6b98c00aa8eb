/* An axis that a program goes along is taken in portions. Where many values have the axis, each
 * element along it is computed by itself, and only sums over it are used by what follows (points of
 * a data set in a likelihood and its gradient), the program computes portions of the axis one after
 * the other, in a loop that adds up the sums: what it makes on the way then stays in the cache
 * instead of going to memory and back.
 *
 * With N the axis' extent, a value is
 *     OUTSIDE  what does not have the axis, and inputs; computed before the loop
 *     WITHIN   an instruction on values with the axis that computes each index for itself
 *     TOTAL    a sum over the axis, or a product that contracts it: the loop carries it
 *     BEHIND   what needs a total, or a value of all portions together
 * What BEHIND, or an output, reads of WITHIN is collected. */
#include "native/products.h"
#include "native/write.h"
#include "op/build.h"
#include "op/describe.h"
#include "op/face.h"
#include "op/region.h"
#include "wengert/loop.h"

enum kind { OUTSIDE, WITHIN, TOTAL, BEHIND };

enum {
    LEAST_PORTION = 72,
    MOST_PORTION = 104,
    WHOLE_VECTORS = 8,       /* a portion has a multiple of so many indices */
    ALIASED = 64,            /* but none of so many, see below */
    PORTION_BYTES = 1 << 20, /* that a portion writes to memory: they stay in the cache */
    WORTH_BYTES = 1 << 18,   /* that are written without portions: they leave the first cache */
    MOST_CANDIDATES = 8,
    MOST_CARRIED = 64, /* totals, collected values, and sources */
};

struct portions {
    const struct trace *t;
    int64_t extent;
    uint8_t *kind;
    bool *needed;    /* of values WITHIN: by a total, or collected */
    bool *collected; /* likewise: by what is BEHIND, or an output */
    int64_t portion;
};

/* ---- what can be computed in portions -------------------------------------------------------- */

/* The one axis of this extent; -1: none, -2: several. */
static int axis_of(const struct portions *p, value v) {
    const wg_type *type = type_of(p->t, v);
    int axis = -1;
    for (int j = 0; j < type->rank; j++)
        if (type->extent[j] == p->extent) axis = axis == -1 ? j : -2;
    return axis;
}

static int64_t elements(const struct trace *t, value v, int from, int to) {
    int64_t count = 1;
    for (int j = from; j < to; j++)
        if (mul_overflows(count, type_of(t, v)->extent[j], &count)) return INT64_MAX;
    return count;
}

/* Whether the operand goes along the axis, as the instruction of `kind` needs it. */
static bool is_part(const struct portions *p, value x) {
    return (p->kind[x] == OUTSIDE || p->kind[x] == WITHIN) && axis_of(p, x) >= 0;
}

static bool sums_axis(const struct portions *p, value v) {
    const struct instr *i = instr_at(p->t, v);
    value x = args_of(p->t, i)[0];
    return (attr_words(p->t, i->attr)[0] >> axis_of(p, x) & 1) != 0;
}

/* Where operand k of a dot has the axis. */
enum dot_part { DOT_NONE, DOT_BATCH, DOT_OWN, DOT_CONTRACTED };
static enum dot_part part_of_dot(const struct portions *p, value v, size_t k) {
    struct dot d = dot_of(p->t, v);
    value x = args_of(p->t, instr_at(p->t, v))[k];
    int axis = axis_of(p, x);
    if (axis < 0) return DOT_NONE;
    if (axis < (int)d.batch) return DOT_BATCH;
    int own = type_of(p->t, x)->rank - (int)d.batch - (int)d.contract;
    bool contracted_first = d.flip[k] == (k == 0);
    bool in_first = axis < (int)d.batch + (contracted_first ? (int)d.contract : own);
    return in_first == contracted_first ? DOT_CONTRACTED : DOT_OWN;
}

static enum kind kind_of_dot(const struct portions *p, value v) {
    const value *x = args_of(p->t, instr_at(p->t, v));
    enum dot_part a = part_of_dot(p, v, 0), b = part_of_dot(p, v, 1);
    if (a == DOT_CONTRACTED && b == DOT_CONTRACTED)
        return value_is_float(p->t, v) && is_part(p, x[0]) && is_part(p, x[1]) ? TOTAL : BEHIND;
    bool one = (a == DOT_OWN && b == DOT_NONE) || (a == DOT_NONE && b == DOT_OWN);
    return axis_of(p, v) >= 0 && (one || (a == DOT_BATCH && b == DOT_BATCH)) ? WITHIN : BEHIND;
}

static bool keeps_axis(const struct portions *p, value v) {
    const struct instr *i = instr_at(p->t, v);
    const int64_t *word = attr_words(p->t, i->attr);
    value x = i->narg ? args_of(p->t, i)[0] : 0;
    int to = axis_of(p, v), from = x ? axis_of(p, x) : -1;
    size_t rank = type_of(p->t, v)->rank;
    switch (i->op) {
    case OP_broadcast:
        if (!(word[1 + word[0]] >> to & 1)) return from == -1;
        return from >= 0;
    case OP_transpose: return from >= 0 && word[to] == from;
    case OP_reshape: return from >= 0 && elements(p->t, v, 0, to) == elements(p->t, x, 0, from);
    case OP_slice:
        return from == to && word[to] == 0 && word[rank + (size_t)to] == p->extent &&
               word[2 * rank + (size_t)to] == 1;
    case OP_concat:
        if (word[0] == to) return false;
        break;
    case OP_copy:
    case OP_stop_gradient: break;
    default:
        if (!op_is_elementwise(i->op)) return false;
    }
    for (size_t k = 0; k < i->narg; k++)
        if (axis_of(p, args_of(p->t, i)[k]) != to) return false;
    return i->narg > 0;
}

static enum kind kind_of(const struct portions *p, value v) {
    const struct instr *i = instr_at(p->t, v);
    bool within = false,
         may_begin = i->op == OP_broadcast || op_is_elementwise(i->op) || i->op == OP_dot;
    for (size_t k = 0; k < i->narg; k++) {
        enum kind x = p->kind[args_of(p->t, i)[k]];
        if (x == TOTAL || x == BEHIND) return BEHIND;
        within |= x == WITHIN;
    }
    if (!within && !(may_begin && axis_of(p, v) >= 0 && i->narg)) return OUTSIDE;
    if (i->op == OP_dot) {
        enum kind kind = kind_of_dot(p, v);
        return kind == BEHIND && !within ? OUTSIDE : kind;
    }
    if (i->op == OP_sum || i->op == OP_reduce_max || i->op == OP_peak) {
        value x = args_of(p->t, i)[0];
        if (!value_is_float(p->t, x)) return BEHIND;
        if (sums_axis(p, v)) return i->op == OP_sum ? TOTAL : BEHIND;
        return axis_of(p, v) >= 0 ? WITHIN : BEHIND;
    }
    if (axis_of(p, v) >= 0 && keeps_axis(p, v)) return WITHIN;
    return within ? BEHIND : OUTSIDE;
}

static void need(const struct portions *p, value v) {
    if (p->kind[v] == WITHIN) p->needed[v] = true;
}

static void find_kinds(struct portions *p) {
    const struct trace *t = p->t;
    size_t count = t->instr.count;
    memset(p->needed, 0, count);
    memset(p->collected, 0, count);
    for (value v = 1; v < count; v++) p->kind[v] = (uint8_t)kind_of(p, v);
    for (size_t k = 0; k < t->output.count; k++) {
        value y = t->output.at[k].v;
        if (p->kind[y] == WITHIN) p->collected[y] = p->needed[y] = true;
    }
    for (value v = (value)count; v-- > 1;) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; k < i->narg; k++) {
            value x = args_of(t, i)[k];
            if (p->kind[v] == TOTAL || (p->kind[v] == WITHIN && p->needed[v])) need(p, x);
            if (p->kind[v] == BEHIND && p->kind[x] == WITHIN) p->collected[x] = p->needed[x] = true;
        }
    }
}

/* ---- whether it is worth it ------------------------------------------------------------------ */

static int64_t bytes_of(const struct trace *t, value v) {
    const wg_type *type = type_of(t, v);
    int64_t bytes = elements(t, v, 0, type->rank);
    if (mul_overflows(bytes, (int64_t)wg_dtype_size((wg_dtype)type->dtype), &bytes))
        return INT64_MAX / 2;
    return bytes;
}

/* The bytes that values WITHIN write to memory; 0: portions would not do. */
static int64_t gain_of(const struct portions *p, const struct lowered *l) {
    int64_t gain = 0, totals = 0, collected = 0;
    size_t carried = 0;
    for (value v = 1; v < p->t->instr.count; v++) {
        bool source = false;
        const struct instr *i = instr_at(p->t, v);
        if (p->kind[v] == TOTAL || p->collected[v]) carried++;
        if (p->kind[v] == TOTAL) totals += bytes_of(p->t, v);
        if (p->collected[v]) collected += bytes_of(p->t, v);
        for (size_t k = 0; k < i->narg && p->needed[v]; k++)
            source |= p->kind[args_of(p->t, i)[k]] == OUTSIDE;
        carried += source;
        if (p->needed[v] && l->storage[v] == STORE_FULL && l->stage[v]) gain += bytes_of(p->t, v);
    }
    if (carried > MOST_CARRIED || gain < WORTH_BYTES || collected > gain / 4) return 0;
    return totals < gain / 4 ? gain : 0;
}

static bool is_even_portion(int64_t extent, int64_t portion) {
    return extent % portion == 0 && portion % WHOLE_VECTORS == 0 && portion % ALIASED != 0;
}

/* Portions as equal as can be. Rows of 64 or 128 numbers would all begin at a few places of a page,
 * and a processor that tells addresses apart by their place there takes what is read from one row
 * for what has just been written to another. */
static int64_t portion_for(int64_t extent, int64_t gain) {
    int64_t wanted = PORTION_BYTES / (gain / extent + 1);
    if (wanted < LEAST_PORTION) wanted = LEAST_PORTION;
    if (wanted > MOST_PORTION) wanted = MOST_PORTION;
    for (int64_t step = 0; step <= wanted / 4; step++) {
        int64_t less = wanted - step, more = wanted + step;
        if (is_even_portion(extent, more)) return more;
        if (is_even_portion(extent, less)) return less;
    }
    int64_t many = (extent + wanted - 1) / wanted, portion = (extent + many - 1) / many;
    portion = (portion + WHOLE_VECTORS - 1) / WHOLE_VECTORS * WHOLE_VECTORS;
    return portion % ALIASED == 0 ? portion + WHOLE_VECTORS : portion;
}

/* The extents that many elements have. */
static size_t list_extents(const struct trace *t, int64_t extent[MOST_CANDIDATES]) {
    size_t count = 0;
    for (value v = 1; v < t->instr.count; v++) {
        const wg_type *type = type_of(t, v);
        for (int j = 0; j < type->rank && bytes_of(t, v) >= WORTH_BYTES / 8; j++) {
            size_t k = 0;
            while (k < count && extent[k] != type->extent[j]) k++;
            if (k == count && count < MOST_CANDIDATES && type->extent[j] >= 2 * LEAST_PORTION)
                extent[count++] = type->extent[j];
        }
    }
    return count;
}

static bool choose(struct portions *p, const wg_program *program, wg_error *error) {
    int64_t extent[MOST_CANDIDATES], best = 0, most = 0;
    size_t count = list_extents(p->t, extent);
    struct lowered l = {0};
    bool ok = count == 0 || lower(program, NULL, NULL, &l, error);
    for (size_t k = 0; k < count && ok; k++) {
        p->extent = extent[k];
        find_kinds(p);
        int64_t gain = gain_of(p, &l);
        if (gain <= most) continue;
        most = gain;
        best = extent[k];
    }
    lowered_free(&l);
    p->extent = best;
    if (!best) return ok;
    find_kinds(p);
    p->portion = portion_for(best, most);
    return ok;
}

/* ---- the program in portions ----------------------------------------------------------------- */

struct making {
    const struct portions *p;
    wg_graph *g;
    wg_extent *size_map;
    value *map;   /* of the whole */
    value *part;  /* of a portion */
    value *again; /* what is computed again there */
    value *stack;
};

/* The same shape with this extent along the axis. */
static wg_type type_with(const struct making *m, value v, int64_t extent) {
    wg_type type = *type_of(m->p->t, v);
    type.extent[axis_of(m->p, v)] = extent;
    return type;
}

static value part_of_slice(const struct making *m, value v, int64_t start, int64_t count) {
    const wg_type *type = type_of(m->p->t, v);
    wg_extent from[WG_MAX_RANK] = {0}, many[WG_MAX_RANK];
    int64_t step[WG_MAX_RANK];
    for (int j = 0; j < type->rank; j++) many[j] = type->extent[j], step[j] = 1;
    from[axis_of(m->p, v)] = start;
    many[axis_of(m->p, v)] = count;
    return build_slice(m->g, m->map[v], from, many, step);
}

/* [.., N, ..] as [portions, .., portion, ..], without what is left over. */
static value make_stack(const struct making *m, value v) {
    int64_t many = m->p->extent / m->p->portion;
    int axis = axis_of(m->p, v);
    value x = part_of_slice(m, v, 0, many * m->p->portion);
    wg_type type = *type_of(m->p->t, v), cut = type_prepend(&type, many);
    uint8_t perm[WG_MAX_RANK] = {(uint8_t)axis};
    for (int j = 0; j <= type.rank; j++) {
        cut.extent[j] = j < axis        ? type.extent[j]
                        : j == axis     ? many
                        : j == axis + 1 ? m->p->portion
                                        : type.extent[j - 1];
        if (j) perm[j] = (uint8_t)(j <= axis ? j - 1 : j);
    }
    return build_transpose(m->g, build_reshape(m->g, x, &cut), perm);
}

/* The other way round. */
static value join_stack(const struct making *m, value v, value stack) {
    int64_t many = m->p->extent / m->p->portion;
    int axis = axis_of(m->p, v);
    wg_type type = type_with(m, v, many * m->p->portion);
    uint8_t perm[WG_MAX_RANK];
    for (int j = 0; j <= type.rank; j++) perm[j] = (uint8_t)(j < axis ? j + 1 : j == axis ? 0 : j);
    return build_reshape(m->g, build_transpose(m->g, stack, perm), &type);
}

/* An instruction whose attribute has the extent. */
static value resized(const struct making *m, value v, int64_t extent) {
    const struct instr *i = instr_at(m->p->t, v);
    const int64_t *word = attr_words(m->p->t, i->attr);
    wg_type type = type_with(m, v, extent);
    value x = m->part[args_of(m->p->t, i)[0]];
    if (i->op == OP_reshape) return build_reshape(m->g, x, &type);
    if (i->op == OP_broadcast) return build_broadcast(m->g, x, &type, (uint32_t)word[1 + word[0]]);
    return build_slice(m->g, x, word, type.extent, word + 2 * type.rank);
}

static value append(const struct making *m, value v, int64_t extent) {
    const struct instr *i = instr_at(m->p->t, v);
    wg_graph *g = m->g;
    value result;
    if (!graph_take_site(g, m->p->t, i->site)) return 0;
    g->flags = i->flags;
    bool has_extent = i->op == OP_reshape || i->op == OP_broadcast || i->op == OP_slice;
    if (has_extent)
        result = resized(m, v, extent);
    else
        result = graph_import(g, m->p->t, v, m->size_map, m->part);
    g->flags = 0;
    return result;
}

/* Whether the value is one cheap operation on what is there without portions too. */
static bool is_cheap(const struct portions *p, value v) {
    const struct instr *i = instr_at(p->t, v);
    const char *formula = i->narg ? formula_of(i->op, type_of(p->t, v)->dtype) : NULL;
    if (p->kind[v] != WITHIN || !formula || strchr(formula, '(')) return false;
    for (size_t k = 0; k < i->narg; k++) {
        value x = args_of(p->t, i)[k];
        while (p->kind[x] == WITHIN && instr_at(p->t, x)->op == OP_broadcast)
            x = args_of(p->t, instr_at(p->t, x))[0];
        if (p->kind[x] != OUTSIDE) return false;
    }
    return true;
}

/* What a product of a total reads is computed again for it, if that is cheap: kept since its first
 * reader it would fill the cache. A copy, which takes no time, keeps the two from being one. */
static void append_operands(const struct making *m, value v, int64_t extent) {
    const struct trace *t = m->p->t;
    const struct instr *i = instr_at(t, v);
    for (size_t k = 0; k < i->narg && !m->g->error.status; k++) {
        value x = args_of(t, i)[k], whole = x;
        if (m->p->kind[x] == WITHIN && instr_at(t, x)->op == OP_slice)
            whole = args_of(t, instr_at(t, x))[0];
        if (!is_cheap(m->p, whole)) continue;
        value first = args_of(t, instr_at(t, whole))[0], kept = m->part[first];
        value before = m->part[whole];
        if (!m->again[whole]) {
            m->part[first] = graph_emit(m->g, OP_copy, 0, &kept, 1);
            m->again[whole] = graph_import(m->g, t, whole, m->size_map, m->part);
            m->part[first] = kept;
        }
        m->part[whole] = m->again[whole];
        if (x == whole) continue;
        m->part[x] = append(m, x, extent);
        m->part[whole] = before;
    }
}

static bool is_needed(const struct portions *p, value v) {
    return p->kind[v] == TOTAL || (p->kind[v] == WITHIN && p->needed[v]);
}

/* Calls visit for each value outside that is read in portions. */
static void each_source(const struct making *m, void *with,
                        void (*visit)(const struct making *m, value v, void *with)) {
    const struct trace *t = m->p->t;
    for (value v = 1; v < t->instr.count; v++) m->part[v] = m->again[v] = 0;
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; k < i->narg && is_needed(m->p, v) && !m->g->error.status; k++) {
            value x = args_of(t, i)[k];
            if (m->p->kind[x] != OUTSIDE || m->part[x]) continue;
            if (axis_of(m->p, x) >= 0)
                visit(m, x, with);
            else
                m->part[x] = m->map[x];
        }
    }
}

static void append_part(const struct making *m, int64_t extent) {
    for (value v = 1; v < m->p->t->instr.count && !m->g->error.status; v++)
        if (is_needed(m->p, v)) {
            bool product = m->p->kind[v] == TOTAL && instr_at(m->p->t, v)->op == OP_dot;
            if (product) append_operands(m, v, extent);
            m->part[v] = append(m, v, extent);
        }
}

static void visit_left_over(const struct making *m, value v, void *with) {
    int64_t rest = m->p->extent % m->p->portion;
    (void)with;
    m->part[v] = part_of_slice(m, v, m->p->extent - rest, rest);
}

static void visit_stack(const struct making *m, value v, void *with) {
    (void)with;
    m->part[v] = m->stack[v] = make_stack(m, v);
}

static void visit_slice(const struct making *m, value v, void *with) {
    wg_var slice = wg_loop_slice_at(NULL, SAME_SITE, with, (wg_var){m->g, m->stack[v]});
    m->part[v] = slice.id;
}

/* What is left over begins the sums; the loop goes on with them. */
static void append_portions(const struct making *m) {
    const struct portions *p = m->p;
    wg_graph *g = m->g;
    int64_t rest = p->extent % p->portion;
    value begin[MOST_CARRIED] = {0};
    wg_var carry[MOST_CARRIED], result[MOST_CARRIED] = {{0}};
    size_t n = 0, k = 0;
    if (rest) {
        each_source(m, NULL, visit_left_over);
        append_part(m, rest);
    }
    for (value v = 1; v < p->t->instr.count; v++)
        if (p->kind[v] == TOTAL || p->collected[v]) begin[n++] = rest ? m->part[v] : 0;
    each_source(m, NULL, visit_stack);
    wg_loop *loop = wg_loop_begin_at(NULL, SAME_SITE, g, p->extent / p->portion);
    loop_broadcasts_within(loop);
    k = n = 0;
    for (value v = 1; v < p->t->instr.count; v++) {
        if (p->collected[v]) k++;
        if (p->kind[v] != TOTAL) continue;
        wg_type type = *type_of(p->t, v);
        value x = begin[k] ? begin[k] : build_full(g, &type, 0);
        carry[n++] = wg_loop_carry_at(NULL, SAME_SITE, loop, (wg_var){g, x});
        k++;
    }
    each_source(m, loop, visit_slice);
    append_part(m, p->portion);
    n = 0;
    for (value v = 1; v < p->t->instr.count && !g->error.status; v++) {
        if (p->kind[v] != TOTAL) continue;
        value next = build_add(g, carry[n].id, m->part[v]);
        wg_loop_next_at(NULL, SAME_SITE, loop, carry[n++], (wg_var){g, next});
    }
    for (value v = 1; v < p->t->instr.count && !g->error.status; v++)
        if (p->collected[v]) wg_loop_collect_at(NULL, SAME_SITE, loop, (wg_var){g, m->part[v]});
    wg_loop_end_at(NULL, SAME_SITE, loop, result);
    k = 0;
    size_t total = 0;
    for (value v = 1; v < p->t->instr.count && !g->error.status; v++) {
        if (p->kind[v] == TOTAL) m->map[v] = result[total++].id, k++;
        if (!p->collected[v]) continue;
        value x = join_stack(m, v, result[n++].id);
        if (begin[k]) x = build_concat(g, (const value[]){x, begin[k]}, 2, (unsigned)axis_of(p, v));
        m->map[v] = x;
        k++;
    }
}

static wg_program *rebuild(const struct portions *p, const wg_program *program, wg_error *error) {
    const struct trace *t = p->t;
    const wg_allocator *a = &t->allocator;
    size_t count = t->instr.count;
    wg_extent none[1];
    value *map = mem_alloc_zero(a, 4 * count * sizeof *map);
    wg_graph *g = map ? graph_like(program, none, error) : NULL;
    struct making m = {p, g, none, map, map + count, map + 2 * count, map + 3 * count};
    if (!map) fail_memory(error);
    for (size_t i = 0; g && i < t->input.count; i++)
        map[t->input.at[i].v] = graph_input(g, name_at(t, t->input.at[i].name),
                                            type_of(t, t->input.at[i].v));
    for (int behind = 0; g && behind < 2; behind++) {
        for (value v = 1; v < count && !g->error.status; v++)
            if (p->kind[v] == (behind ? BEHIND : OUTSIDE) && instr_at(t, v)->op != OP_input)
                map[v] = graph_import(g, t, v, none, map);
        if (!behind && !g->error.status) append_portions(&m);
    }
    for (size_t i = 0; g && i < t->output.count && !g->error.status; i++)
        graph_output(g, name_at(t, t->output.at[i].name), map[t->output.at[i].v]);
    mem_free(a, map, 4 * count * sizeof *map);
    return g ? graph_build(g, error) : NULL;
}

wg_program *take_portions(const wg_program *program, wg_error *error) {
    const wg_allocator *a = &program->t.allocator;
    size_t count = program->t.instr.count;
    struct portions p = {.t = &program->t};
    wg_program *result = NULL;
    if (p.t->size.count) return program_copy(program, a, error);
    uint8_t *room = mem_alloc_zero(a, 3 * count);
    p.kind = room;
    p.needed = (bool *)(room + count);
    p.collected = (bool *)(room + 2 * count);
    if (!room)
        fail_memory(error);
    else if (choose(&p, program, error))
        result = p.extent ? rebuild(&p, program, error) : program_copy(program, a, error);
    mem_free(a, room, 3 * count);
    return result;
}
