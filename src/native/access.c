/* Views as index arithmetic: an operand's elements by the loops of its reader. While a chain of
 * views is walked downwards, each axis of the value at hand is indexed by start + step * (one
 * loop), or by a constant; at the bottom that becomes one linear form with the strides of the
 * storage. A reshape that mixes axes is a linear form itself, and ends the walk. */
#include "native/products.h"

struct axis {
    int8_t loop; /* -1: none */
    wg_extent start;
    int64_t step;
};

struct walk {
    struct lowered *l;
    wg_graph *g; /* of extents */
    wg_extent size[WG_MAX_RANK];
    value v;
    struct axis axis[WG_MAX_RANK];
};

wg_extent lowered_extent(struct lowered *l, wg_extent e) {
    return e >= 0 ? e : extent_import(l->extents, &l->program->t, e, l->size_map);
}

static void broadcast_axes(struct walk *w, const struct instr *i) {
    const struct trace *t = &w->l->program->t;
    const int64_t *word = attr_words(t, i->attr);
    int64_t mapped = word[1 + word[0]];
    size_t k = 0;
    for (size_t j = 0; j < (size_t)word[0]; j++)
        if (mapped >> j & 1) w->axis[k++] = w->axis[j];
}

static void transpose_axes(struct walk *w, const struct instr *i) {
    const struct trace *t = &w->l->program->t;
    const int64_t *perm = attr_words(t, i->attr);
    struct axis from[WG_MAX_RANK];
    memcpy(from, w->axis, sizeof from);
    for (size_t j = 0; j < attr_count(t, i->attr); j++) w->axis[perm[j]] = from[j];
}

/* by * e, of either sign: as extents, negative numbers are polynomials like any other. */
static wg_extent scaled(wg_graph *g, wg_extent e, int64_t by) {
    if (by >= 0) return extent_mul(g, e, by);
    return extent_sub(g, 0, extent_add(g, extent_mul(g, e, -(by + 1)), e));
}

/* start + |step| * index, from the last to the first where step is negative. */
static bool slice_axes(struct walk *w, const struct instr *i) {
    const struct trace *t = &w->l->program->t;
    const int64_t *word = attr_words(t, i->attr);
    size_t rank = attr_count(t, i->attr) / 3;
    for (size_t j = 0; j < rank; j++) {
        int64_t step = word[2 * rank + j];
        struct axis *a = &w->axis[j];
        wg_extent start = lowered_extent(w->l, word[j]);
        if (step < 0) {
            wg_extent last = extent_sub(w->g, lowered_extent(w->l, word[rank + j]), 1);
            start = extent_sub(w->g, start, scaled(w->g, last, step));
        }
        a->start = extent_add(w->g, start, scaled(w->g, a->start, step));
        if (mul_overflows(a->step, step, &a->step)) return false;
    }
    return true;
}

/* Axes of extent 1 come and go; the others keep their order. False if the reshape does more. */
static bool reshape_axes(struct walk *w, const wg_type *from, const wg_type *to) {
    struct axis axis[WG_MAX_RANK];
    size_t j = 0;
    for (size_t k = 0; k < from->rank; k++) {
        if (from->extent[k] == 1) {
            axis[k] = (struct axis){.loop = -1};
            continue;
        }
        while (j < to->rank && to->extent[j] == 1) j++;
        if (j == to->rank || to->extent[j] != from->extent[k]) return false;
        axis[k] = w->axis[j++];
    }
    while (j < to->rank && to->extent[j] == 1) j++;
    if (j < to->rank) return false;
    memcpy(w->axis, axis, from->rank * sizeof *axis);
    return true;
}

/* The linear form over dense storage of this shape. */
static void linear(struct walk *w, const wg_type *shape, struct access *access) {
    wg_extent stride = 1;
    for (size_t j = shape->rank; j-- > 0;) {
        const struct axis *a = &w->axis[j];
        access->base = extent_add(w->g, access->base, extent_mul(w->g, a->start, stride));
        if (a->loop >= 0) {
            wg_extent *of = &access->stride[a->loop];
            *of = extent_add(w->g, *of, scaled(w->g, stride, a->step));
        }
        stride = extent_mul(w->g, stride, lowered_extent(w->l, shape->extent[j]));
    }
}

static bool is_plain(const struct axis *a, size_t loop) {
    return a->loop == (int8_t)loop && a->start == 0 && a->step == 1;
}

static bool follow(struct walk *w, bool *mixed) {
    const struct trace *t = &w->l->program->t;
    const struct instr *i = instr_at(t, w->v);
    value below = args_of(t, i)[0];
    switch (i->op) {
    case OP_broadcast: broadcast_axes(w, i); break;
    case OP_transpose: transpose_axes(w, i); break;
    case OP_slice:
        if (!slice_axes(w, i)) return false;
        break;
    case OP_reshape: *mixed = !reshape_axes(w, type_of(t, below), type_of(t, w->v)); break;
    default: break; /* a copy */
    }
    if (!*mixed) w->v = below;
    return true;
}

/* From w->v, whose axes are given, down to a value that is no view. */
static bool walk_down(struct walk *w, const wg_type *domain, struct access *access) {
    struct lowered *l = w->l;
    const struct trace *t = &l->program->t;
    bool mixed = false;
    while (l->role[w->v] == ROLE_VIEW && !mixed)
        if (!follow(w, &mixed)) return false;
    *access = (struct access){.root = w->v};
    const wg_type *shape = type_of(t, w->v);
    linear(w, shape, access);
    if (mixed) { /* row-major elements of the reshape are those of its storage */
        access->root = storage_root(l, w->v);
        return l->role[access->root] != ROLE_VIEW && !l->extents->error.status;
    }
    while (access->prefix < shape->rank && is_plain(&w->axis[access->prefix], access->prefix))
        access->prefix++;
    access->identity = access->prefix == shape->rank && type_same_shape(shape, domain);
    return !l->extents->error.status;
}

bool access_of(struct lowered *l, value v, struct access *access) {
    int8_t loop[WG_MAX_RANK];
    for (size_t j = 0; j < WG_MAX_RANK; j++) loop[j] = (int8_t)j;
    return access_by(l, v, loop, type_of(&l->program->t, v), access);
}

bool access_by(struct lowered *l, value v, const int8_t *loop, const wg_type *domain,
               struct access *access) {
    const struct trace *t = &l->program->t;
    struct walk w = {.l = l, .g = l->extents, .v = v};
    for (size_t j = 0; j < type_of(t, v)->rank; j++) w.axis[j] = (struct axis){loop[j], 0, 1};
    return walk_down(&w, domain, access);
}

bool access_of_factor(struct lowered *l, value dot, size_t k, struct access *access) {
    const struct trace *t = &l->program->t;
    int8_t loop[WG_MAX_RANK];
    dot_loops(t, dot, k, loop);
    return access_by(l, args_of(t, instr_at(t, dot))[k], loop, type_of(t, dot), access);
}

/* ---- what is indexed how --------------------------------------------------------------------- */

bool has_address(const struct trace *t, value v) {
    while (is_only_a_name(t, v)) v = args_of(t, instr_at(t, v))[0];
    return instr_at(t, v)->op != OP_constant;
}

/* take is a statement: an element read at an index. So is scatter_add if each element can only get
 * one addend. */
bool is_indexed_statement(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_take && i->op != OP_scatter_add) return false;
    value a = args_of(t, i)[0], index = args_of(t, i)[1];
    if (!has_address(t, index)) return false;
    if (i->op == OP_take) return has_address(t, a);
    return type_of(t, index)->rank == attr_words(t, i->attr)[1];
}

/* ---- joining loops --------------------------------------------------------------------------- */

/* What scatter_add adds to is told by the index of one loop, which therefore stays a loop. */
static bool needs_loop(const struct lowered *l, value v, size_t k) {
    const struct instr *i = instr_at(&l->program->t, v);
    size_t axis = i->op == OP_scatter_add ? (size_t)attr_words(&l->program->t, i->attr)[0] : 0;
    return i->op == OP_scatter_add && (axis == k || axis == k + 1);
}

bool joins_next(struct lowered *l, uint32_t id, size_t k) {
    const struct pass *pass = &l->passes.at[id];
    for (value v = pass->first; v; v = l->next[v]) {
        if (needs_loop(l, v, k)) return false;
        const struct stage *nest = &l->stages.at[l->stage[v]];
        size_t rows = nest->rows.rank, next = k + 1;
        wg_extent extent = next < rows ? nest->rows.extent[next]
                                       : pass->loops.extent[next - rows];
        extent = lowered_extent(l, extent);
        for (size_t i = 0; i < access_count(l, v); i++) {
            const struct access *a = &l->access.at[l->access_at[v] + i];
            if (a->stride[k] != extent_mul(l->extents, a->stride[next], extent)) return false;
        }
        for (uint32_t p = l->place[v]; p; p = l->places.at[p - 1].next) {
            struct access a = place_access(l, v, &l->places.at[p - 1]);
            if (a.stride[k] != extent_mul(l->extents, a.stride[next], extent)) return false;
        }
    }
    return true;
}

bool joins_to_one(struct lowered *l, uint32_t id) {
    const struct pass *pass = &l->passes.at[id];
    size_t rows = l->stages.at[l->stage[pass->first]].rows.rank;
    for (size_t k = 0; k + 1 < pass->loops.rank; k++)
        if (!joins_next(l, id, rows + k)) return false;
    return true;
}
