/* Builders of the operations that are not elementwise: each makes the attribute words that its
 * family's file describes and emits the instruction, which checks and simplifies. Products are in
 * build_dot.c, what is made of several operations in compose.c. */
#include "op/build.h"
#include "op/describe.h"

/* ---- shape ----------------------------------------------------------------------------------- */

value build_reshape(wg_graph *g, value a, const wg_type *shape) {
    int64_t word[1 + WG_MAX_RANK] = {shape->rank};
    memcpy(word + 1, shape->extent, shape->rank * sizeof *word);
    return graph_emit(g, OP_reshape, graph_attr(g, word, 1 + (size_t)shape->rank), &a, 1);
}

value build_transpose(wg_graph *g, value a, const uint8_t *perm) {
    if (!a || g->error.status) return 0;
    int64_t word[WG_MAX_RANK];
    size_t rank = type_of(&g->t, a)->rank;
    for (size_t i = 0; i < rank; i++) word[i] = perm[i];
    return graph_emit(g, OP_transpose, graph_attr(g, word, rank), &a, 1);
}

value build_broadcast(wg_graph *g, value a, const wg_type *shape, uint32_t mapped) {
    int64_t word[2 + WG_MAX_RANK] = {shape->rank};
    memcpy(word + 1, shape->extent, shape->rank * sizeof *word);
    word[1 + shape->rank] = mapped;
    return graph_emit(g, OP_broadcast, graph_attr(g, word, 2 + (size_t)shape->rank), &a, 1);
}

value build_broadcast_to(wg_graph *g, value a, const wg_type *shape) {
    if (!a || g->error.status) return 0;
    wg_type from = *type_of(&g->t, a), dense = {.dtype = from.dtype};
    wg_type target = *shape;
    bool good = from.rank <= target.rank;
    uint32_t mapped = 0;
    for (size_t i = 0; i < from.rank && good; i++) {
        size_t at = target.rank - from.rank + i;
        if (from.extent[i] == target.extent[at]) {
            mapped |= (uint32_t)1 << at;
            dense.extent[dense.rank++] = from.extent[i];
        } else {
            good = from.extent[i] == 1;
        }
    }
    if (!good) {
        graph_fail(g, WG_ESHAPE, "broadcast: %s does not stretch to %s", type_name(g, a).text,
                   shape_name(g, &target).text);
        graph_fail_operands(g, &a, 1);
        graph_hint(g, "axes are aligned at the last one, and only the constant extent 1 stretches");
        return 0;
    }
    return build_broadcast(g, build_reshape(g, a, &dense), &target, mapped);
}

static value build_window(wg_graph *g, unsigned op, value a, const wg_extent *start,
                          const wg_extent *count, const int64_t *step) {
    if (!a || g->error.status) return 0;
    int64_t word[3 * WG_MAX_RANK];
    size_t rank = type_of(&g->t, a)->rank;
    memcpy(word, start, rank * sizeof *word);
    memcpy(word + rank, count, rank * sizeof *word);
    memcpy(word + 2 * rank, step, rank * sizeof *word);
    return graph_emit(g, op, graph_attr(g, word, 3 * rank), &a, 1);
}

value build_slice(wg_graph *g, value a, const wg_extent *start, const wg_extent *count,
                  const int64_t *step) {
    return build_window(g, OP_slice, a, start, count, step);
}

value build_pad(wg_graph *g, value a, const wg_extent *start, const wg_extent *total,
                const int64_t *step) {
    return build_window(g, OP_pad, a, start, total, step);
}

/* An instruction holds at most 255 operands. Of a longer list as many as that become one, and of
 * those as many again, so that no element is copied more than a few times. */
enum { CONCAT_LEVELS = 8 };
struct concat_level {
    size_t count;
    value part[UINT8_MAX];
};

static value concat_level(wg_graph *g, attr_id attr, struct concat_level *level) {
    size_t count = level->count;
    level->count = 0;
    return graph_emit(g, OP_concat, attr, level->part, count);
}

static void add_part(wg_graph *g, attr_id attr, struct concat_level *level, value part) {
    while (level->count == UINT8_MAX) {
        value full = concat_level(g, attr, level);
        level->part[level->count++] = part;
        part = full;
        level++;
    }
    level->part[level->count++] = part;
}

/* An error tells the parts as they were given, not as some instruction has them. */
static bool parts_agree(wg_graph *g, const value *part, size_t count, unsigned axis) {
    bool agree = !g->error.status;
    wg_type type = {0};
    if (agree) type = *type_of(&g->t, part[0]);
    for (size_t k = 1; agree && axis < type.rank && k < count; k++)
        agree = part[k] && concat_part(g, axis, part[0], part[k], k, &type);
    return agree;
}

value build_concat(wg_graph *g, const value *part, size_t count, unsigned axis) {
    if (count == 0)
        return graph_fail(g, WG_EARGUMENT, "concat: no parts; at least one is needed");
    if (count > UINT8_MAX && !parts_agree(g, part, count, axis)) return 0;
    attr_id attr = graph_attr(g, (const int64_t[]){axis}, 1);
    struct concat_level level[CONCAT_LEVELS];
    for (size_t k = 0; k < CONCAT_LEVELS; k++) level[k].count = 0;
    for (size_t i = 0; i < count; i++) add_part(g, attr, level, part[i]);
    for (size_t k = 0;;) { /* what is left over on each level goes to the next that has something */
        size_t next = k + 1;
        while (next < CONCAT_LEVELS && level[next].count == 0) next++;
        if (next == CONCAT_LEVELS) return concat_level(g, attr, &level[k]);
        value rest = level[k].count == 1 ? level[k].part[0] : concat_level(g, attr, &level[k]);
        add_part(g, attr, &level[next], rest);
        k = next;
    }
}

/* ---- extents that follow from others --------------------------------------------------------- */

/* The term without the factors of another, both [coefficient, degree, sizes...]; false if it does
 * not have them. */
static bool divide_term(const int64_t *term, const int64_t *by, int64_t *quotient) {
    if (term[0] == INT64_MIN || term[0] % by[0] != 0) return false;
    int64_t left = 0;
    for (int64_t i = 0, k = 0; i < term[1]; i++) { /* both lists of sizes ascend */
        if (k < by[1] && term[2 + i] == by[2 + k]) k++;
        else quotient[2 + left++] = term[2 + i];
    }
    quotient[0] = term[0] / by[0];
    quotient[1] = left;
    return left == term[1] - by[1];
}

/* The terms of an extent; constant, of two words, is room for those of a constant. */
static struct span terms_of(const wg_graph *g, wg_extent e, int64_t *constant) {
    constant[0] = e;
    constant[1] = 0;
    return e < 0 ? g->t.extent.at[-e] : (struct span){0, 2};
}

/* total / by where that is a polynomial and `by` a single positive term; false where it is not. */
static bool quotient(wg_graph *g, wg_extent total, wg_extent by, wg_extent *result) {
    int64_t constant[2], divisor_constant[2], divisor[16], term[16];
    struct span terms = terms_of(g, total, constant), single = terms_of(g, by, divisor_constant);
    const int64_t *word = by < 0 ? g->t.word.at + single.at : divisor_constant;
    if (word[0] <= 0 || single.count != 2 + (size_t)word[1]) return false;
    memcpy(divisor, word, single.count * sizeof *divisor);
    *result = 0;
    for (uint32_t at = 0; total != 0 && at < terms.count;) {
        word = total < 0 ? g->t.word.at + terms.at + at : constant; /* moves as extents are made */
        at += 2 + (uint32_t)word[1];
        if (!divide_term(word, divisor, term)) return false;
        wg_extent part = term[0] > 0 ? term[0] : -term[0];
        for (int64_t i = 0; i < term[1]; i++)
            part = extent_mul(g, part, extent_size(g, (uint32_t)term[2 + i]));
        *result = term[0] > 0 ? extent_add(g, *result, part) : extent_sub(g, *result, part);
    }
    return !g->error.status;
}

bool infer_extent(wg_graph *g, value a, wg_type *shape) {
    if (!a || g->error.status) return false;
    wg_type from = *type_of(&g->t, a);
    size_t unknown = shape->rank;
    bool used[WG_MAX_RANK] = {false}, nothing = false;
    wg_extent total = 1, known = 1;
    for (size_t i = 0; i < shape->rank; i++) {
        if (shape->extent[i] != WG_INFER) {
            size_t k = 0; /* an extent that both have cancels */
            while (k < from.rank && (used[k] || from.extent[k] != shape->extent[i])) k++;
            if (k < from.rank) used[k] = true;
            else known = extent_mul(g, known, shape->extent[i]);
            nothing = nothing || shape->extent[i] == 0;
        } else if (unknown == shape->rank) {
            unknown = i;
        } else {
            graph_fail(g, WG_ESHAPE,
                       "reshape: axes %zu and %zu are both to be inferred; only one can be",
                       unknown, i);
            return false;
        }
    }
    if (unknown == shape->rank) return !g->error.status;
    for (size_t k = 0; k < from.rank; k++)
        if (!used[k]) total = extent_mul(g, total, from.extent[k]);
    /* no elements on both sides fit any extent */
    if (!nothing && quotient(g, total, known, &shape->extent[unknown])) return true;
    graph_fail(g, WG_ESHAPE, "reshape: the extent of axis %zu does not follow from %s", unknown,
               type_name(g, a).text);
    graph_fail_operands(g, &a, 1);
    graph_hint(g, "give every extent, or let the known ones divide the number of elements");
    return false;
}

bool slice_count(wg_graph *g, wg_extent start, wg_extent stop, int64_t step, wg_extent *count) {
    wg_extent length = extent_sub(g, stop, start);
    int64_t constant;
    if (g->error.status) return false;
    if (step < 1) {
        graph_fail(g, WG_EARGUMENT, "slice: the step is %lld; it must be at least 1",
                   (long long)step);
        return false;
    }
    if (extent_difference(g, stop, start, &constant) && constant < 0) {
        graph_fail(g, WG_ESHAPE, "slice: from %s to %s is backwards", extent_name(g, start).text,
                   extent_name(g, stop).text);
        return false;
    }
    /* the constant term, the first, is rounded up; the others must divide */
    const int64_t *word = length < 0 ? g->t.word.at + g->t.extent.at[-length].at : NULL;
    int64_t rest = (!word ? length : word[1] == 0 ? word[0] : 0) % step;
    if (rest) length = extent_add(g, length, rest > 0 ? step - rest : -rest);
    if (!g->error.status && quotient(g, length, step, count)) return true;
    graph_fail(g, WG_ESHAPE,
               "slice: the number of elements from %s to %s in steps of %lld is no polynomial of "
               "the sizes",
               extent_name(g, start).text, extent_name(g, stop).text, (long long)step);
    graph_hint(g, "let the step divide what the sizes are multiplied by, or slice in steps of 1");
    return false;
}

/* ---- reductions ------------------------------------------------------------------------------ */

value build_reduce(wg_graph *g, unsigned op, value a, uint32_t axes) {
    return graph_emit(g, op, graph_attr(g, (const int64_t[]){axes}, 1), &a, 1);
}

value build_sum(wg_graph *g, value a, uint32_t axes) {
    return build_reduce(g, OP_sum, a, axes);
}

value build_reduce_max(wg_graph *g, value a, uint32_t axes) {
    return build_reduce(g, OP_reduce_max, a, axes);
}

value build_peak(wg_graph *g, value a, uint32_t axes) {
    return build_reduce(g, OP_peak, a, axes);
}
value build_logsumexp(wg_graph *g, value a, uint32_t axes) {
    return build_reduce(g, OP_logsumexp, a, axes);
}

value build_norm(wg_graph *g, value a, uint32_t axes) {
    return build_reduce(g, OP_norm, a, axes);
}

value build_argmax(wg_graph *g, value a, unsigned axis) {
    return graph_emit(g, OP_argmax, graph_attr(g, (const int64_t[]){axis}, 1), &a, 1);
}

value build_expand(wg_graph *g, value reduced, value a, uint32_t axes) {
    if (!reduced || !a || g->error.status) return 0;
    wg_type shape = *type_of(&g->t, a);
    return build_broadcast(g, reduced, &shape, axes_below(shape.rank) & ~axes);
}

/* ---- along one axis -------------------------------------------------------------------------- */

value build_cumsum(wg_graph *g, value a, unsigned axis, bool reverse) {
    return graph_emit(g, OP_cumsum, graph_attr(g, (const int64_t[]){axis, reverse}, 2), &a, 1);
}

static value recurrence(wg_graph *g, value a, value b, unsigned axis, bool reverse,
                        bool absolute) {
    attr_id attr = graph_attr(g, (const int64_t[]){axis, reverse, true}, absolute ? 3 : 2);
    return graph_emit(g, OP_recur, attr, (const value[]){a, b}, 2);
}

value build_recur(wg_graph *g, value a, value b, unsigned axis, bool reverse) {
    return recurrence(g, a, b, axis, reverse, false);
}

value build_recurz(wg_graph *g, value a, value b, unsigned axis, bool reverse) {
    return recurrence(g, a, b, axis, reverse, true);
}

value build_argsort(wg_graph *g, value a, unsigned axis) {
    return graph_emit(g, OP_argsort, graph_attr(g, (const int64_t[]){axis}, 1), &a, 1);
}

/* ---- indexing -------------------------------------------------------------------------------- */

value build_take(wg_graph *g, value a, value index, unsigned axis, unsigned batch) {
    attr_id attr = graph_attr(g, (const int64_t[]){axis, batch}, 2);
    return graph_emit(g, OP_take, attr, (const value[]){a, index}, 2);
}

value build_scatter_add(wg_graph *g, value update, value index, unsigned axis, unsigned batch,
                        wg_extent extent) {
    attr_id attr = graph_attr(g, (const int64_t[]){axis, batch, extent}, 3);
    return graph_emit(g, OP_scatter_add, attr, (const value[]){update, index}, 2);
}

static value update_at(wg_graph *g, unsigned op, value a, value update, value index, unsigned axis,
                       unsigned batch) {
    if (!a || !update || !index || g->error.status) return 0;
    wg_type type = *type_of(&g->t, a), at = *type_of(&g->t, index), needed = {.dtype = type.dtype};
    unsigned own = at.rank < batch ? 0 : at.rank - batch;
    /* an axis or rank that is none is for the operation to tell */
    if (axis < type.rank && type.rank + own - 1 <= WG_MAX_RANK) {
        for (unsigned i = 0; i < axis; i++) needed.extent[needed.rank++] = type.extent[i];
        for (unsigned i = 0; i < own; i++) needed.extent[needed.rank++] = at.extent[batch + i];
        for (unsigned i = axis + 1; i < type.rank; i++)
            needed.extent[needed.rank++] = type.extent[i];
        if (type_of(&g->t, update)->rank <= needed.rank &&
            !type_same_shape(type_of(&g->t, update), &needed))
            update = build_broadcast_to(g, update, &needed);
    }
    attr_id attr = graph_attr(g, (const int64_t[]){axis, batch}, 2);
    return graph_emit(g, op, attr, (const value[]){a, update, index}, 3);
}

value build_index_add(wg_graph *g, value a, value update, value index, unsigned axis,
                      unsigned batch) {
    return update_at(g, OP_index_add, a, update, index, axis, batch);
}

value build_index_set(wg_graph *g, value a, value update, value index, unsigned axis,
                      unsigned batch) {
    return update_at(g, OP_index_set, a, update, index, axis, batch);
}
