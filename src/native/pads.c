/* Sums of pads. The adjoint of a value that was sliced into many pieces is a sum of as many pads,
 * each a whole array of zeros but for its piece. Where the pieces lie apart along one axis, the sum
 * is their concatenation, and as many additions of zeros are one: work that was quadratic in the
 * number of pieces is linear. Adding 0 is kept, since it makes 0 of -0. */
#include "native/lower.h"
#include "op/build.h"

#include <stdlib.h>

struct piece {
    int64_t start, count;
    value v; /* of the new graph */
};

struct joiner {
    wg_graph *g;
    const struct trace *from;
    const value *map;
    size_t axis;
    int64_t total;
    VEC(struct piece) piece;
    VEC(value) left; /* terms of the sum, still to be looked at */
};

/* Whether v is a pad along one axis by constants, in steps of 1. */
static bool is_simple_pad(const struct trace *t, value v, size_t *axis) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_pad) return false;
    const wg_type *of = type_of(t, args_of(t, i)[0]);
    const int64_t *word = attr_words(t, i->attr);
    size_t rank = of->rank, moved = 0;
    for (size_t k = 0; k < rank; k++) {
        if (word[2 * rank + k] != 1) return false;
        if (word[k] == 0 && word[rank + k] == of->extent[k]) continue;
        if (word[k] < 0 || word[rank + k] < 0 || of->extent[k] <= 0) return false;
        *axis = k;
        moved++;
    }
    return moved == 1;
}

bool find_pad_sums(const struct trace *t, uint8_t *kind) {
    size_t n = t->instr.count;
    uint32_t *use = mem_alloc_zero(&t->allocator, n * sizeof *use);
    if (!use) return false;
    for (value v = 1; v < n; v++) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; k < i->narg; k++) use[args_of(t, i)[k]]++;
    }
    for (size_t i = 0; i < t->output.count; i++) use[t->output.at[i].v]++;
    for (value v = 1; v < n; v++) {
        const struct instr *i = instr_at(t, v);
        const value *x = args_of(t, i);
        size_t axis;
        if (is_simple_pad(t, v, &axis) && use[v] == 1) kind[v] = PAD_TERM;
        if (i->op != OP_add || kind[x[0]] == PAD_NONE || kind[x[1]] == PAD_NONE ||
            use[x[0]] != 1 || use[x[1]] != 1)
            continue;
        kind[v] = PAD_SUM;
        for (size_t k = 0; k < 2; k++) kind[x[k]] = PAD_TERM;
    }
    mem_free(&t->allocator, use, n * sizeof *use);
    return true;
}

static bool push(struct joiner *j, value v) {
    value *left = VEC_PUSH(&j->g->t.allocator, &j->left);
    if (!left) return graph_fail_memory(j->g);
    *left = v;
    return true;
}

static bool add_piece(struct joiner *j, int64_t start, int64_t count, value v) {
    struct piece *piece = VEC_PUSH(&j->g->t.allocator, &j->piece);
    if (!piece) return graph_fail_memory(j->g);
    *piece = (struct piece){start, count, v};
    return true;
}

/* The pads that v is the sum of; false where one is along another axis than the first. */
static bool collect(struct joiner *j, value v) {
    bool first = true;
    if (!push(j, v)) return false;
    while (j->left.count) {
        v = j->left.at[--j->left.count];
        const struct instr *i = instr_at(j->from, v);
        const value *x = args_of(j->from, i);
        size_t axis = 0;
        if (i->op == OP_add) {
            if (!push(j, x[0]) || !push(j, x[1])) return false;
            continue;
        }
        if (!is_simple_pad(j->from, v, &axis) || (!first && axis != j->axis)) return false;
        first = false;
        j->axis = axis;
        const int64_t *word = attr_words(j->from, i->attr);
        const wg_type *of = type_of(j->from, x[0]);
        j->total = word[of->rank + axis];
        if (!add_piece(j, word[axis], of->extent[axis], j->map[x[0]])) return false;
    }
    return true;
}

static int by_start(const void *a, const void *b) {
    int64_t x = ((const struct piece *)a)->start, y = ((const struct piece *)b)->start;
    return (x > y) - (x < y);
}

/* Puts zeros between the pieces, which are in order; false where two overlap. */
static bool fill_gaps(struct joiner *j) {
    size_t count = j->piece.count;
    wg_type type = *type_of(&j->g->t, j->piece.at[0].v);
    int64_t end = 0;
    for (size_t i = 0; i <= count; i++) {
        int64_t start = i < count ? j->piece.at[i].start : j->total;
        if (start < end) return false;
        if (start > end) {
            type.extent[j->axis] = start - end;
            if (!add_piece(j, end, start - end, build_full(j->g, &type, 0))) return false;
        }
        if (i < count) end = start + j->piece.at[i].count;
    }
    qsort(j->piece.at, j->piece.count, sizeof *j->piece.at, by_start);
    return true;
}

static value concatenate(struct joiner *j) {
    for (size_t i = 0; i < j->piece.count; i++)
        if (!push(j, j->piece.at[i].v)) return 0;
    return build_concat(j->g, j->left.at, j->left.count, (unsigned)j->axis);
}

value join_pads(wg_graph *g, const struct trace *from, value v, const value *map) {
    struct joiner j = {.g = g, .from = from, .map = map};
    value result = 0;
    if (collect(&j, v)) {
        qsort(j.piece.at, j.piece.count, sizeof *j.piece.at, by_start);
        if (fill_gaps(&j)) result = concatenate(&j);
        if (result) result = build_add(g, result, build_like(g, result, 0));
    }
    VEC_FREE(&g->t.allocator, &j.piece);
    VEC_FREE(&g->t.allocator, &j.left);
    return result;
}
