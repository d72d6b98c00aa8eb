/* Indexing by values: take gathers elements, scatter_add adds them where they came from; each is
 * the other's transpose. With leading batch axes b, an axis, and the axes p before and q after it:
 *
 *   take         a[b,p,n,q], index[b,i] -> [b,p,i,q]    y[b,p,i,q] = a[b,p,index[b,i],q]
 *   scatter_add  a[b,p,i,q], index[b,i] -> [b,p,n,q]    y[b,p,index[b,i],q] += a[b,p,i,q]
 *
 * Indices are i32 or i64 and carry no derivative; what lies outside 0 .. n-1 is an error at the
 * call. */
#include "op/build.h"
#include "op/describe.h"
#include "op/kernel/kernel.h"
#include "op/reach.h"

static unsigned axis_of(const struct trace *t, attr_id attr) {
    return (unsigned)attr_words(t, attr)[0];
}

static unsigned batch_of(const struct trace *t, attr_id attr) {
    return (unsigned)attr_words(t, attr)[1];
}

/* The axes shared with the index, and the axis: within the value, and in this order. */
static bool check_axes(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t rank) {
    const int64_t *word = attr_words(&g->t, attr);
    wg_type a = *type_of(&g->t, x[0]), index = *type_of(&g->t, x[1]);
    bool good = word[1] >= 0 && word[1] <= index.rank && word[1] <= word[0] &&
                word[0] < (int64_t)rank;
    for (size_t i = 0; good && i < (size_t)word[1]; i++) good = a.extent[i] == index.extent[i];
    if (good) return true;
    graph_fail(g, WG_ESHAPE, "%s: %s with index %s, axis %lld, and %lld shared leading axes",
               op_def(op)->name, type_name(g, x[0]).text, type_name(g, x[1]).text,
               (long long)word[0], (long long)word[1]);
    graph_fail_operands(g, x, 2);
    return false;
}

/* ---- take: attr = axis, batch ---------------------------------------------------------------- */

static bool take_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    (void)narg;
    wg_type a = *type_of(&g->t, x[0]), index = *type_of(&g->t, x[1]);
    if (!require_words(g, op, attr, 2) || !require_integers(g, op_def(op)->name, x[1]) ||
        !check_axes(g, op, attr, x, a.rank))
        return false;
    size_t axis = axis_of(&g->t, attr), batch = batch_of(&g->t, attr);
    if (!require_rank(g, op, a.rank + index.rank - batch - 1u)) return false;
    *type = (wg_type){.dtype = a.dtype};
    for (size_t i = 0; i < axis; i++) type->extent[type->rank++] = a.extent[i];
    for (size_t i = batch; i < index.rank; i++) type->extent[type->rank++] = index.extent[i];
    for (size_t i = axis + 1; i < a.rank; i++) type->extent[type->rank++] = a.extent[i];
    return true;
}

static value take_transpose(const struct rule *r, size_t k, value ct) {
    unsigned axis = axis_of(&r->g->t, r->attr);
    wg_extent extent = type_of(&r->g->t, r->x[k])->extent[axis];
    return build_scatter_add(r->g, ct, r->x[1], axis, batch_of(&r->g->t, r->attr), extent);
}

/* x with its first axis moved to position `to`, or with axis `to` moved to the front. */
static value move_axis(wg_graph *g, value x, unsigned to, bool to_front) {
    if (!x || g->error.status) return 0;
    uint8_t perm[WG_MAX_RANK];
    size_t rank = type_of(&g->t, x)->rank;
    for (uint8_t i = 0; i < rank; i++) perm[i] = i;
    for (uint8_t i = 0; i <= to; i++)
        perm[i] = (uint8_t)(to_front ? (i == 0 ? to : i - 1u) : (i == to ? 0 : i + 1u));
    return build_transpose(g, x, perm);
}

static value take_batch(const struct batch *b) {
    wg_graph *g = b->g;
    unsigned axis = axis_of(&g->t, b->attr), batch = batch_of(&g->t, b->attr);
    if (!b->batched[1] && batch == 0) return build_take(g, b->x[0], b->x[1], axis + 1, 0);
    if (b->batched[0])
        return build_take(g, b->x[0], batch_argument(b, 1), axis + 1, batch + 1);
    /* only the index has the new axis: one take for all of it, and the axis is moved afterwards */
    value index = move_axis(g, b->x[1], batch, false);
    return move_axis(g, build_take(g, b->x[0], index, axis, batch), axis, true);
}

/* Where the index is not known, each element may come from anywhere along the axis. */
static bool take_reach(const struct reach *r) {
    const struct exec *e = &r->exec;
    if (e->arg[1].data && check_take(e) == WG_OK) return reach_moves(r);
    struct reach_axis a = reach_axis(&e->arg[0], 0, (size_t)e->attr[0]);
    if (!reach_open(r)) return false;
    int64_t lines = a.before * a.after, taken = lines ? e->out.shape->count / lines : 0;
    for (int64_t line = 0; line < lines; line++) {
        int64_t before = line / a.after, after = line % a.after;
        sets_begin(r->sets);
        for (int64_t i = 0; i < a.extent; i++)
            sets_add(r->sets, reached_at(&r->x[0], (before * a.extent + i) * a.after + after));
        set_id all = sets_end(r->sets);
        for (int64_t i = 0; i < taken; i++)
            r->y->set[(before * taken + i) * a.after + after] = all;
    }
    return true;
}

static value take_rows(wg_graph *g, const value *x) {
    return build_take(g, x[0], x[1], 0, 0);
}
static value take_columns(wg_graph *g, const value *x) {
    return build_take(g, x[0], x[1], 1, 0);
}
static value take_picked(wg_graph *g, const value *x) {
    return build_take(g, x[0], x[1], 1, 1);
}
static const struct op_sample take_sample[] = {
    {2, {{WG_F64, 2, {4, 3}}, {WG_I64, 1, {6}}}, {-2, 0}, {2, 3}, take_rows, "rows, some twice"},
    {2, {{WG_F64, 3, {2, 4, 3}}, {WG_I32, 2, {2, 2}}}, {-2, 0}, {2, 3}, take_columns,
     "an axis in the middle, by a matrix"},
    {2, {{WG_F64, 2, {5, 3}}, {WG_I64, 1, {5}}}, {-2, 0}, {2, 2}, take_picked, "one of every row"},
    {2, {{WG_F64, 1, {3}}, {WG_I64, 0, {0}}}, {-2, 0}, {2, 2}, take_rows, "one element"},
    {2, {{WG_F64, 2, {4, 3}}, {WG_I64, 1, {0}}}, {-2, 0}, {2, 3}, take_rows, "nothing"},
    {0}};

const struct op_def op_take = {
    .name = "take",
    .class = LINEAR,
    .narg = 2,
    .linear_mask = 1,
    .doc = "y = the elements of a along an axis at the integers of an index, whose axes replace "
           "it; an index outside the axis is an error at the call",
    .infer = take_infer,
    .transpose = take_transpose,
    .batch = take_batch,
    .reach = take_reach,
    .run = run_take,
    .check = check_take,
    .sample = take_sample};

/* ---- scatter_add: attr = axis, batch, extent ------------------------------------------------- */

static bool scatter_add_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                              wg_type *type) {
    (void)narg;
    wg_type update = *type_of(&g->t, x[0]), index = *type_of(&g->t, x[1]);
    if (!require_words(g, op, attr, 3) || !require_integers(g, op_def(op)->name, x[1]) ||
        !require_numbers(g, op_def(op)->name, x[0]))
        return false;
    wg_extent extent = attr_words(&g->t, attr)[2];
    /* the axes of the result, of which the index's stand for one in the update */
    size_t rank = (size_t)update.rank + 1 + (size_t)attr_words(&g->t, attr)[1] - index.rank;
    if (!require_extent(g, op_def(op)->name, extent) ||
        !check_axes(g, op, attr, x, rank > WG_MAX_RANK + 1 ? 0 : rank) ||
        !require_rank(g, op, rank))
        return false;
    size_t axis = axis_of(&g->t, attr), batch = batch_of(&g->t, attr), own = index.rank - batch;
    *type = update;
    type->rank = (uint8_t)rank;
    type->extent[axis] = extent;
    for (size_t i = axis + 1; i < rank; i++) type->extent[i] = update.extent[i + own - 1];
    for (size_t i = 0; i < own; i++) {
        if (update.extent[axis + i] == index.extent[batch + i]) continue;
        graph_fail(g, WG_ESHAPE,
                   "scatter_add: %s at index %s along axis %zu: the index's axes must stand there",
                   type_name(g, x[0]).text, type_name(g, x[1]).text, axis);
        graph_fail_operands(g, x, 2);
        return false;
    }
    return true;
}

static bool scatter_word_is_extent(const int64_t *word, size_t count, size_t index) {
    (void)word;
    (void)count;
    return index == 2;
}

static value scatter_add_transpose(const struct rule *r, size_t k, value ct) {
    (void)k;
    return build_take(r->g, ct, r->x[1], axis_of(&r->g->t, r->attr), batch_of(&r->g->t, r->attr));
}

static value scatter_add_batch(const struct batch *b) {
    wg_graph *g = b->g;
    unsigned axis = axis_of(&g->t, b->attr), batch = batch_of(&g->t, b->attr);
    wg_extent extent = attr_words(&g->t, b->attr)[2];
    if (!b->batched[1] && batch == 0)
        return build_scatter_add(g, b->x[0], b->x[1], axis + 1, 0, extent);
    return build_scatter_add(g, batch_argument(b, 0), batch_argument(b, 1), axis + 1, batch + 1,
                             extent);
}

/* Each place that an element is added to is where take would have found it. Where the index is not
 * known, an element may go anywhere along the axis. */
static bool scatter_add_reach(const struct reach *r) {
    const struct exec *e = &r->exec;
    const wg_allocator *allocator = &r->sets->allocator;
    size_t count = (size_t)e->arg[0].shape->count, places = (size_t)e->out.shape->count;
    if (e->arg[1].data && places <= INT32_MAX && check_scatter_add(e) == WG_OK) {
        int32_t *place = mem_alloc(allocator, (places + 1) * sizeof *place);
        int32_t *target = mem_alloc(allocator, (count + 1) * sizeof *target);
        bool ok = place && target;
        for (size_t i = 0; ok && i < places; i++) place[i] = (int32_t)i;
        struct view arg[2] = {e->out, e->arg[1]};
        struct exec take = *e;
        arg[0].data = place;
        arg[0].dtype = WG_I32;
        take.arg = arg;
        take.attr_count = 2;
        take.out = e->arg[0];
        take.out.data = target;
        take.out.dtype = WG_I32;
        ok = ok && run_take(&take) == WG_OK && reach_gathers(r, target);
        mem_free(allocator, place, (places + 1) * sizeof *place);
        mem_free(allocator, target, (count + 1) * sizeof *target);
        return ok;
    }
    struct reach_axis a = reach_axis(&e->out, 0, (size_t)e->attr[0]);
    if (!reach_open(r)) return false;
    int64_t lines = a.before * a.after, added = lines ? (int64_t)count / lines : 0;
    for (int64_t line = 0; line < lines; line++) {
        int64_t before = line / a.after, after = line % a.after;
        sets_begin(r->sets);
        for (int64_t i = 0; i < added; i++)
            sets_add(r->sets, reached_at(&r->x[0], (before * added + i) * a.after + after));
        set_id all = sets_end(r->sets);
        for (int64_t i = 0; i < a.extent; i++)
            r->y->set[(before * a.extent + i) * a.after + after] = all;
    }
    return true;
}

static value scatter_rows(wg_graph *g, const value *x) {
    return build_scatter_add(g, x[0], x[1], 0, 0, 4);
}
static value scatter_columns(wg_graph *g, const value *x) {
    return build_scatter_add(g, x[0], x[1], 1, 0, 4);
}
static value scatter_picked(wg_graph *g, const value *x) {
    return build_scatter_add(g, x[0], x[1], 1, 1, 3);
}
static const struct op_sample scatter_add_sample[] = {
    {2, {{WG_F64, 2, {6, 3}}, {WG_I64, 1, {6}}}, {-2, 0}, {2, 3}, scatter_rows, "rows, some twice"},
    {2, {{WG_F64, 4, {2, 2, 3, 2}}, {WG_I32, 2, {2, 3}}}, {-2, 0}, {2, 3}, scatter_columns,
     "an axis in the middle, by a matrix"},
    {2, {{WG_F64, 1, {5}}, {WG_I64, 1, {5}}}, {-2, 0}, {2, 2}, scatter_picked, "one to every row"},
    {2, {{WG_F64, 2, {0, 3}}, {WG_I64, 1, {0}}}, {-2, 0}, {2, 3}, scatter_rows, "nothing"},
    {0}};

const struct op_def op_scatter_add = {
    .name = "scatter_add",
    .class = LINEAR,
    .narg = 2,
    .linear_mask = 1,
    .doc = "y = zeros with an update added along an axis at the integers of an index, in their "
           "order; the transpose of take",
    .infer = scatter_add_infer,
    .attr_is_extent = scatter_word_is_extent,
    .transpose = scatter_add_transpose,
    .batch = scatter_add_batch,
    .reach = scatter_add_reach,
    .run = run_scatter_add,
    .check = check_scatter_add,
    .sample = scatter_add_sample};
