/* Operations that move elements and compute nothing: reshape, transpose, broadcast, slice, pad,
 * concat. All are linear, and closed under transposition: reshape and transpose are their own kind,
 * broadcast answers to sum, slice to pad, concat to slices. Their identities keep chains of them
 * short, which derivatives would else grow. Builders are in build_shape.c, loops in kernel/. */
#include "op/build.h"
#include "op/describe.h"
#include "op/kernel/kernel.h"
#include "op/reach.h"

/* ---- attributes as shapes -------------------------------------------------------------------- */

/* Reads [rank, extents...] with `more` words behind them. */
static bool read_shape(wg_graph *g, unsigned op, attr_id attr, size_t more, wg_type *type) {
    const int64_t *word = attr_words(&g->t, attr);
    size_t count = attr_count(&g->t, attr);
    if (count == 0 || word[0] < 0 || word[0] > WG_MAX_RANK)
        return require_words(g, op, attr, count + 1);
    *type = (wg_type){.rank = (uint8_t)word[0]};
    if (!require_words(g, op, attr, 1 + (size_t)type->rank + more)) return false;
    for (size_t i = 0; i < type->rank; i++)
        if (!require_extent(g, op_def(op)->name, type->extent[i] = word[1 + i])) return false;
    return true;
}

/* The value is a constant repeated over its type: the same of another shape, or 0 if it is not. */
static value splat_of_shape(wg_graph *g, value x, const wg_type *shape) {
    int64_t bits;
    if (!value_is_splat(&g->t, x, &bits)) return 0;
    value scalar = graph_literal(g, (wg_dtype)type_of(&g->t, x)->dtype, bits);
    return build_broadcast(g, scalar, shape, 0);
}

static const struct instr *made_by(const wg_graph *g, value x, unsigned op) {
    const struct instr *i = instr_at(&g->t, x);
    return i->op == op ? i : NULL;
}

/* ---- reshape: attr = rank, extents ----------------------------------------------------------- */

static bool reshape_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                          wg_type *type) {
    (void)narg;
    if (!read_shape(g, op, attr, 0, type)) return false;
    wg_type from = *type_of(&g->t, x[0]);
    type->dtype = from.dtype;
    wg_extent have = type_count(g, &from), want = type_count(g, type);
    int64_t difference;
    if (have == want || g->error.status) return !g->error.status;
    if (extent_difference(g, have, want, &difference)) {
        graph_fail(g, WG_ESHAPE, "reshape: %s elements of %s cannot become %s elements of %s",
                   extent_name(g, have).text, type_name(g, x[0]).text, extent_name(g, want).text,
                   shape_name(g, type).text);
        graph_fail_operands(g, x, 1);
        return false;
    }
    graph_require(g, have, want, true, "reshape");
    return !g->error.status;
}

static bool shape_word_is_extent(const int64_t *word, size_t count, size_t index) {
    (void)count;
    return index >= 1 && index <= (size_t)word[0];
}

static value reshape_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)narg;
    wg_type shape;
    if (!read_shape(g, OP_reshape, attr, 0, &shape)) return 0;
    if (type_same_shape(type_of(&g->t, x[0]), &shape)) return x[0];
    const struct instr *inner = made_by(g, x[0], OP_reshape);
    if (inner) return build_reshape(g, args_of(&g->t, inner)[0], &shape);
    return splat_of_shape(g, x[0], &shape);
}

static value reshape_transpose(const struct rule *r, size_t k, value ct) {
    wg_type shape = *type_of(&r->g->t, r->x[k]);
    return build_reshape(r->g, ct, &shape);
}

static value reshape_batch(const struct batch *b) {
    if (!require_rank(b->g, b->op, b->from->rank + 1u)) return 0;
    wg_type shape = type_prepend(b->from, b->extent);
    return build_reshape(b->g, b->x[0], &shape);
}

static value sample_reshape(wg_graph *g, const value *x) {
    return build_reshape(g, x[0], &(wg_type){WG_F64, 3, {3, 2, 2}});
}
static value sample_flatten(wg_graph *g, const value *x) {
    return build_reshape(g, x[0], &(wg_type){WG_F64, 1, {0}});
}
static value sample_reshape_scalar(wg_graph *g, const value *x) {
    return build_reshape(g, x[0], &(wg_type){WG_F64, 2, {1, 1}});
}
static const struct op_sample reshape_sample[] = {
    {1, {{WG_F64, 2, {4, 3}}}, {-2}, {2}, sample_reshape, "matrix to rank 3"},
    {1, {{WG_F64, 2, {0, 3}}}, {-2}, {2}, sample_flatten, "no elements"},
    {1, {{WG_F64, 0, {0}}}, {-2}, {2}, sample_reshape_scalar, "scalar to matrix"},
    {0}};

const struct op_def op_reshape = {
    .name = "reshape",
    .class = LINEAR,
    .narg = 1,
    .flags = OP_ALIAS,
    .linear_mask = 0xff,
    .doc = "y = x in row-major order under other extents of the same count",
    .infer = reshape_infer,
    .attr_is_extent = shape_word_is_extent,
    .identity = reshape_identity,
    .transpose = reshape_transpose,
    .batch = reshape_batch,
    .reach = reach_moves,
    .run = run_reshape,
    .sample = reshape_sample};

/* ---- transpose: attr = permutation ----------------------------------------------------------- */

static bool transpose_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                            wg_type *type) {
    (void)narg;
    const wg_type *from = type_of(&g->t, x[0]);
    if (!require_words(g, op, attr, from->rank)) return false;
    const int64_t *perm = attr_words(&g->t, attr);
    uint32_t seen = 0;
    *type = (wg_type){.dtype = from->dtype, .rank = from->rank};
    for (size_t i = 0; i < from->rank; i++) {
        if (perm[i] < 0 || perm[i] >= from->rank || seen >> perm[i] & 1) {
            graph_fail(g, WG_EARGUMENT, "transpose: the axes are no permutation of 0..%d",
                       from->rank - 1);
            return false;
        }
        seen |= (uint32_t)1 << perm[i];
        type->extent[i] = from->extent[perm[i]];
    }
    return true;
}

static value transpose_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)narg;
    wg_type from = *type_of(&g->t, x[0]), shape = from;
    uint8_t perm[WG_MAX_RANK];
    const int64_t *word = attr_words(&g->t, attr);
    bool ordered = true; /* but for axes of extent 1, which may stand anywhere */
    for (size_t i = 0, last = 0; i < from.rank; i++) {
        perm[i] = (uint8_t)word[i];
        shape.extent[i] = from.extent[perm[i]];
        if (shape.extent[i] == 1) continue;
        if (perm[i] < last) ordered = false;
        last = perm[i];
    }
    if (ordered) return build_reshape(g, x[0], &shape);
    const struct instr *inner = made_by(g, x[0], OP_transpose);
    if (inner) {
        const int64_t *first = attr_words(&g->t, inner->attr);
        for (size_t i = 0; i < from.rank; i++) perm[i] = (uint8_t)first[perm[i]];
        return build_transpose(g, args_of(&g->t, inner)[0], perm);
    }
    return splat_of_shape(g, x[0], &shape);
}

static value transpose_transpose(const struct rule *r, size_t k, value ct) {
    (void)k;
    const int64_t *perm = attr_words(&r->g->t, r->attr);
    uint8_t inverse[WG_MAX_RANK];
    for (size_t i = 0; i < attr_count(&r->g->t, r->attr); i++) inverse[perm[i]] = (uint8_t)i;
    return build_transpose(r->g, ct, inverse);
}

static value transpose_batch(const struct batch *b) {
    if (!require_rank(b->g, b->op, b->from->rank + 1u)) return 0;
    const int64_t *word = attr_words(&b->g->t, b->attr);
    uint8_t perm[WG_MAX_RANK] = {0};
    for (size_t i = 0; i < b->from->rank; i++) perm[i + 1] = (uint8_t)(word[i] + 1);
    return build_transpose(b->g, b->x[0], perm);
}

static value sample_transpose(wg_graph *g, const value *x) {
    return build_transpose(g, x[0], (const uint8_t[]){1, 0});
}
static value sample_rotate(wg_graph *g, const value *x) {
    return build_transpose(g, x[0], (const uint8_t[]){2, 0, 1});
}
static const struct op_sample transpose_sample[] = {
    {1, {{WG_F64, 2, {3, 5}}}, {-2}, {2}, sample_transpose, "matrix"},
    {1, {{WG_F64, 3, {2, 3, 4}}}, {-2}, {2}, sample_rotate, "three axes"},
    {1, {{WG_F64, 2, {0, 5}}}, {-2}, {2}, sample_transpose, "no elements"},
    {0}};

const struct op_def op_transpose = {
    .name = "transpose",
    .class = LINEAR,
    .narg = 1,
    .linear_mask = 0xff,
    .doc = "y = x with its axes in another order: axis i of y is axis perm[i] of x",
    .infer = transpose_infer,
    .identity = transpose_identity,
    .transpose = transpose_transpose,
    .batch = transpose_batch,
    .reach = reach_moves,
    .run = run_transpose,
    .sample = transpose_sample};

/* ---- broadcast: attr = rank, extents, mask of the axes that are x's, in order ---------------- */

static bool broadcast_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                            wg_type *type) {
    (void)narg;
    if (!read_shape(g, op, attr, 1, type)) return false;
    const wg_type *from = type_of(&g->t, x[0]);
    int64_t mapped = attr_words(&g->t, attr)[1 + type->rank];
    type->dtype = from->dtype;
    size_t k = 0;
    bool good = mapped >= 0 && mapped <= axes_below(type->rank);
    for (size_t i = 0; i < type->rank && good; i++)
        if (mapped >> i & 1) good = k < from->rank && from->extent[k++] == type->extent[i];
    if (good && k == from->rank) return true;
    graph_fail(g, WG_ESHAPE, "broadcast: the axes of %s do not fit into %s",
               type_name(g, x[0]).text, shape_name(g, type).text);
    graph_fail_operands(g, x, 1);
    return false;
}

static value broadcast_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)narg;
    wg_type shape;
    if (!read_shape(g, OP_broadcast, attr, 1, &shape)) return 0;
    uint32_t mapped = (uint32_t)attr_words(&g->t, attr)[1 + shape.rank];
    bool repeats = false;
    for (size_t i = 0; i < shape.rank; i++)
        if (!(mapped >> i & 1) && shape.extent[i] != 1) repeats = true;
    /* a constant stays a broadcast, the one form that is known for a splat */
    if (!repeats && (shape.rank == 0 || !made_by(g, x[0], OP_constant)))
        return build_reshape(g, x[0], &shape);
    const struct instr *inner = made_by(g, x[0], OP_broadcast);
    if (!inner) return 0;
    uint32_t first = (uint32_t)attr_words(&g->t, inner->attr)[attr_count(&g->t, inner->attr) - 1];
    uint32_t both = 0;
    for (uint32_t i = 0, k = 0; i < shape.rank; i++)
        if (mapped >> i & 1) both |= (first >> k++ & 1) << i;
    return build_broadcast(g, args_of(&g->t, inner)[0], &shape, both);
}

static bool broadcast_word_is_extent(const int64_t *word, size_t count, size_t index) {
    return shape_word_is_extent(word, count, index) && index + 1 < count;
}

static uint32_t broadcast_unmapped(const struct rule *r) {
    const int64_t *word = attr_words(&r->g->t, r->attr);
    return axes_below((size_t)word[0]) & ~(uint32_t)word[1 + word[0]];
}

static value broadcast_transpose(const struct rule *r, size_t k, value ct) {
    (void)k;
    return build_sum(r->g, ct, broadcast_unmapped(r));
}

static value broadcast_batch(const struct batch *b) {
    if (!require_rank(b->g, b->op, b->from->rank + 1u)) return 0;
    wg_type shape = type_prepend(b->from, b->extent);
    uint32_t mapped = (uint32_t)attr_words(&b->g->t, b->attr)[1 + b->from->rank];
    return build_broadcast(b->g, b->x[0], &shape, mapped << 1 | 1);
}

static value sample_rows(wg_graph *g, const value *x) {
    return build_broadcast(g, x[0], &(wg_type){WG_F64, 2, {4, 3}}, 2);
}
static value sample_columns(wg_graph *g, const value *x) {
    return build_broadcast(g, x[0], &(wg_type){WG_F64, 2, {3, 4}}, 1);
}
static value sample_spread(wg_graph *g, const value *x) {
    return build_broadcast(g, x[0], &(wg_type){WG_F64, 3, {2, 4, 3}}, 5);
}
static value sample_nowhere(wg_graph *g, const value *x) {
    return build_broadcast(g, x[0], &(wg_type){WG_F64, 2, {0, 2}}, 0);
}
static const struct op_sample broadcast_sample[] = {
    {1, {{WG_F64, 1, {3}}}, {-2}, {2}, sample_rows, "a row to every row"},
    {1, {{WG_F64, 1, {3}}}, {-2}, {2}, sample_columns, "a column to every column"},
    {1, {{WG_F64, 2, {2, 3}}}, {-2}, {2}, sample_spread, "a new axis in the middle"},
    {1, {{WG_F64, 0, {0}}}, {-2}, {2}, sample_nowhere, "a scalar to no elements"},
    {0}};

const struct op_def op_broadcast = {
    .name = "broadcast",
    .class = LINEAR,
    .narg = 1,
    .linear_mask = 0xff,
    .doc = "y = x repeated along new axes; its transpose is a sum over them",
    .infer = broadcast_infer,
    .attr_is_extent = broadcast_word_is_extent,
    .identity = broadcast_identity,
    .transpose = broadcast_transpose,
    .batch = broadcast_batch,
    .reach = reach_moves,
    .run = run_broadcast,
    .sample = broadcast_sample};

/* ---- slice and pad: attr = starts, counts (pad: totals), steps ------------------------------- */

/* A negative step names the elements that its absolute value names, and takes them from the last to
 * the first: so start is the lowest one always, and never below 0 where an axis is empty. */

/* Reads the attribute into three rows, and checks that slice `count` from `large` is within
 * bounds. */
struct window {
    wg_extent start[WG_MAX_RANK], count[WG_MAX_RANK];
    int64_t step[WG_MAX_RANK];
};

static bool read_window(wg_graph *g, unsigned op, attr_id attr, size_t rank, struct window *w) {
    if (!require_words(g, op, attr, 3 * rank)) return false;
    const int64_t *word = attr_words(&g->t, attr);
    for (size_t i = 0; i < rank; i++) {
        w->start[i] = word[i];
        w->count[i] = word[rank + i];
        w->step[i] = word[2 * rank + i];
    }
    for (size_t i = 0; i < rank; i++) {
        if (!require_extent(g, op_def(op)->name, w->start[i]) ||
            !require_extent(g, op_def(op)->name, w->count[i]))
            return false;
        if (w->step[i] != 0 && w->step[i] > -INT64_MAX) continue;
        graph_fail(g, WG_EARGUMENT, "%s: the step along axis %zu is %lld; it must not be 0",
                   op_def(op)->name, i, (long long)w->step[i]);
        return false;
    }
    return true;
}

/* start >= 0 and start + (count-1)*step < extent, the second written without the difference, whose
 * value for count = 0 could be negative. */
static bool require_window(wg_graph *g, unsigned op, const value *x, size_t axis, wg_extent start,
                           wg_extent count, int64_t step, wg_extent extent) {
    if (step < 0) step = -step;
    if (start >= 0 && count >= 0 && extent >= 0) {
        int64_t reach;
        if (count == 0 ? start <= extent
                       : !mul_overflows(count - 1, step, &reach) &&
                             !add_overflows(reach, start, &reach) && reach < extent)
            return true;
        graph_fail(g, WG_ESHAPE,
                   "%s: %lld element%s from %lld in steps of %lld leave axis %zu of %s with "
                   "extent %lld",
                   op_def(op)->name, (long long)count, count == 1 ? "" : "s", (long long)start,
                   (long long)step, axis, type_name(g, x[0]).text, (long long)extent);
        graph_fail_operands(g, x, 1);
        return false;
    }
    graph_require(g, 0, start, false, op_def(op)->name);
    graph_require(g, 0, count, false, op_def(op)->name);
    wg_extent end = extent_add(g, start, extent_mul(g, count, step));
    graph_require(g, end, extent_add(g, extent, step - 1), false, op_def(op)->name);
    return !g->error.status;
}

static bool slice_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                        wg_type *type) {
    (void)narg;
    wg_type from = *type_of(&g->t, x[0]);
    struct window w;
    if (!read_window(g, op, attr, from.rank, &w)) return false;
    *type = from;
    for (size_t i = 0; i < from.rank; i++) {
        type->extent[i] = w.count[i];
        if (!require_window(g, op, x, i, w.start[i], w.count[i], w.step[i], from.extent[i]))
            return false;
    }
    return true;
}

static bool pad_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                      wg_type *type) {
    (void)narg;
    wg_type from = *type_of(&g->t, x[0]);
    struct window w;
    if (!read_window(g, op, attr, from.rank, &w)) return false;
    *type = from;
    for (size_t i = 0; i < from.rank; i++) {
        type->extent[i] = w.count[i];
        if (!require_window(g, op, x, i, w.start[i], from.extent[i], w.step[i], w.count[i]))
            return false;
    }
    return true;
}

static bool window_word_is_extent(const int64_t *word, size_t count, size_t index) {
    (void)word;
    return index < 2 * (count / 3);
}

/* Both are the identity where all is taken in steps of 1. */
static value window_identity(wg_graph *g, unsigned op, attr_id attr, const value *x) {
    wg_type from = *type_of(&g->t, x[0]);
    struct window w;
    if (!read_window(g, op, attr, from.rank, &w)) return 0;
    bool whole = true;
    for (size_t i = 0; i < from.rank; i++)
        whole = whole && w.start[i] == 0 && w.count[i] == from.extent[i] && w.step[i] == 1;
    if (whole) return x[0];
    if (op == OP_pad && !value_is_splat_of(&g->t, x[0], 0)) return 0;
    memcpy(from.extent, w.count, from.rank * sizeof *from.extent);
    return splat_of_shape(g, x[0], &from);
}

static value slice_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)narg;
    return window_identity(g, OP_slice, attr, x);
}

static value pad_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)narg;
    return window_identity(g, OP_pad, attr, x);
}

static value slice_transpose(const struct rule *r, size_t k, value ct) {
    wg_type from = *type_of(&r->g->t, r->x[k]);
    struct window w;
    if (!read_window(r->g, OP_slice, r->attr, from.rank, &w)) return 0;
    return build_pad(r->g, ct, w.start, from.extent, w.step);
}

static value pad_transpose(const struct rule *r, size_t k, value ct) {
    wg_type from = *type_of(&r->g->t, r->x[k]);
    struct window w;
    if (!read_window(r->g, OP_pad, r->attr, from.rank, &w)) return 0;
    return build_slice(r->g, ct, w.start, from.extent, w.step);
}

static value window_batch(const struct batch *b) {
    size_t rank = b->from->rank;
    struct window w, all = {.start = {0}, .count = {b->extent}, .step = {1}};
    if (!require_rank(b->g, b->op, rank + 1) || !read_window(b->g, b->op, b->attr, rank, &w))
        return 0;
    memcpy(all.start + 1, w.start, rank * sizeof *w.start);
    memcpy(all.count + 1, w.count, rank * sizeof *w.count);
    memcpy(all.step + 1, w.step, rank * sizeof *w.step);
    return (b->op == OP_slice ? build_slice : build_pad)(b->g, b->x[0], all.start, all.count,
                                                         all.step);
}

static value sample_slice(wg_graph *g, const value *x) {
    return build_slice(g, x[0], (const wg_extent[]){1, 0}, (const wg_extent[]){2, 3},
                       (const int64_t[]){1, 2});
}
static value sample_slice_nothing(wg_graph *g, const value *x) {
    return build_slice(g, x[0], (const wg_extent[]){3}, (const wg_extent[]){0},
                       (const int64_t[]){1});
}
static value sample_slice_middle(wg_graph *g, const value *x) {
    return build_slice(g, x[0], (const wg_extent[]){0, 1, 0}, (const wg_extent[]){2, 2, 3},
                       (const int64_t[]){1, 2, 1});
}
static value sample_slice_backwards(wg_graph *g, const value *x) {
    return build_slice(g, x[0], (const wg_extent[]){1, 0}, (const wg_extent[]){2, 3},
                       (const int64_t[]){-2, -1});
}
static const struct op_sample slice_sample[] = {
    {1, {{WG_F64, 2, {4, 3}}}, {-2}, {2}, sample_slice_backwards, "backwards"},
    {1, {{WG_F64, 2, {4, 5}}}, {-2}, {2}, sample_slice, "rows, every second column"},
    {1, {{WG_F64, 1, {3}}}, {-2}, {2}, sample_slice_nothing, "nothing"},
    {1, {{WG_F64, 3, {2, 4, 3}}}, {-2}, {2}, sample_slice_middle, "an axis in the middle"},
    {0}};

const struct op_def op_slice = {
    .name = "slice",
    .class = LINEAR,
    .narg = 1,
    .linear_mask = 0xff,
    .doc = "y[i] = x[start + i*step] for i < count, along every axis; a negative step takes the "
           "same elements as its absolute value, from the last to the first; its transpose is pad",
    .infer = slice_infer,
    .attr_is_extent = window_word_is_extent,
    .identity = slice_identity,
    .transpose = slice_transpose,
    .batch = window_batch,
    .reach = reach_moves,
    .run = run_slice,
    .sample = slice_sample};

static value sample_pad(wg_graph *g, const value *x) {
    return build_pad(g, x[0], (const wg_extent[]){1, 0}, (const wg_extent[]){4, 5},
                     (const int64_t[]){1, 2});
}
static value sample_pad_nothing(wg_graph *g, const value *x) {
    return build_pad(g, x[0], (const wg_extent[]){2}, (const wg_extent[]){3}, (const int64_t[]){1});
}
static value sample_pad_backwards(wg_graph *g, const value *x) {
    return build_pad(g, x[0], (const wg_extent[]){1, 0}, (const wg_extent[]){4, 3},
                     (const int64_t[]){-2, -1});
}
static const struct op_sample pad_sample[] = {
    {1, {{WG_F64, 2, {2, 3}}}, {-2}, {2}, sample_pad_backwards, "backwards"},
    {1, {{WG_F64, 2, {2, 3}}}, {-2}, {2}, sample_pad, "between rows and columns"},
    {1, {{WG_F64, 1, {0}}}, {-2}, {2}, sample_pad_nothing, "nothing, among zeros"},
    {0}};

const struct op_def op_pad = {
    .name = "pad",
    .class = LINEAR,
    .narg = 1,
    .linear_mask = 0xff,
    .doc = "y[start + i*step] = x[i] along every axis, 0 elsewhere; a negative step puts x there "
           "from its last element to its first; its transpose is slice",
    .infer = pad_infer,
    .attr_is_extent = window_word_is_extent,
    .identity = pad_identity,
    .transpose = pad_transpose,
    .batch = window_batch,
    .reach = reach_moves,
    .run = run_pad,
    .sample = pad_sample};

/* ---- concat: attr = axis --------------------------------------------------------------------- */

bool concat_part(wg_graph *g, unsigned axis, value first, value part, size_t k, wg_type *whole) {
    wg_type type = *type_of(&g->t, part);
    wg_extent sum = type.rank > axis ? extent_add(g, whole->extent[axis], type.extent[axis]) : 0;
    if (type.rank == whole->rank) type.extent[axis] = whole->extent[axis];
    if (!type_equal(&type, whole)) {
        bool dtype = type.dtype != whole->dtype;
        graph_fail(g, dtype ? WG_EDTYPE : WG_ESHAPE,
                   "concat: part 0 is %s and part %zu is %s; %s", type_name(g, first).text, k,
                   type_name(g, part).text,
                   dtype ? "element types must agree" : "only the joined axis may differ");
        graph_fail_operands(g, (const value[]){first, part}, 2);
        return false;
    }
    whole->extent[axis] = sum;
    return true;
}

static bool concat_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                         wg_type *type) {
    if (!require_words(g, op, attr, 1)) return false;
    int64_t axis = attr_words(&g->t, attr)[0];
    *type = *type_of(&g->t, x[0]);
    if (axis < 0 || axis >= type->rank) {
        graph_fail(g, WG_ESHAPE, "concat: axis %lld of a value of rank %d", (long long)axis,
                   type->rank);
        graph_fail_operands(g, x, 1);
        return false;
    }
    for (size_t k = 1; k < narg; k++)
        if (!concat_part(g, (unsigned)axis, x[0], x[k], k, type)) return false;
    return !g->error.status;
}

static value concat_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)g;
    (void)attr;
    return narg == 1 ? x[0] : 0;
}

static value concat_transpose(const struct rule *r, size_t k, value ct) {
    wg_graph *g = r->g;
    size_t axis = (size_t)attr_words(&g->t, r->attr)[0];
    wg_type part = *type_of(&g->t, r->x[k]);
    wg_extent start[WG_MAX_RANK] = {0};
    int64_t step[WG_MAX_RANK];
    for (size_t i = 0; i < k; i++)
        start[axis] = extent_add(g, start[axis], type_of(&g->t, r->x[i])->extent[axis]);
    for (size_t i = 0; i < WG_MAX_RANK; i++) step[i] = 1;
    return build_slice(g, ct, start, part.extent, step);
}

static value concat_batch(const struct batch *b) {
    value part[UINT8_MAX];
    for (size_t k = 0; k < b->narg; k++) part[k] = batch_argument(b, k);
    return build_concat(b->g, part, b->narg, (unsigned)attr_words(&b->g->t, b->attr)[0] + 1);
}

static value sample_concat(wg_graph *g, const value *x) {
    return build_concat(g, x, 3, 0);
}
static value sample_concat_columns(wg_graph *g, const value *x) {
    return build_concat(g, x, 2, 1);
}
static const struct op_sample concat_sample[] = {
    {3, {{WG_F64, 1, {2}}, {WG_F64, 1, {0}}, {WG_F64, 1, {3}}}, {-2, -2, -2}, {2, 2, 2},
     sample_concat, "vectors, one empty"},
    {2, {{WG_F64, 3, {2, 1, 2}}, {WG_F64, 3, {2, 3, 2}}}, {-2, -2}, {2, 2},
     sample_concat_columns, "an axis in the middle"},
    {0}};

const struct op_def op_concat = {
    .name = "concat",
    .class = LINEAR,
    .narg = -1,
    .linear_mask = 0xff,
    .doc = "y = the parts one behind the other along an axis; its transpose are slices",
    .infer = concat_infer,
    .identity = concat_identity,
    .transpose = concat_transpose,
    .batch = concat_batch,
    .reach = reach_moves,
    .run = run_concat,
    .sample = concat_sample};
