/* Indexing by values: take gathers elements, scatter_add adds them where they came from; each is
 * the other's transpose. index_add and index_set change some elements of a base, in its own place
 * where nobody reads it any more. With leading batch axes b, an axis, and the axes p before and q
 * after it:
 *
 *   take         a[b,p,n,q], index[b,i] -> [b,p,i,q]    y[b,p,i,q] = a[b,p,index[b,i],q]
 *   scatter_add  a[b,p,i,q], index[b,i] -> [b,p,n,q]    y[b,p,index[b,i],q] += a[b,p,i,q]
 *   index_add    a[b,p,n,q], u[b,p,i,q], index[b,i]     y = a, y[b,p,index[b,i],q] += u[b,p,i,q]
 *   index_set    a[b,p,n,q], u[b,p,q], index[b]         y = a, y[b,p,index[b],q] = u[b,p,q]
 *
 * Indices are i32 or i64 and carry no derivative; what lies outside 0 .. n-1 is an error at the
 * call. An index of index_set has no axes of its own, so that none can stand in it twice. */
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

/* The axes shared with the index, which is the last argument, and the axis: within the value, and
 * in this order. */
static bool check_axes(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       size_t rank) {
    const int64_t *word = attr_words(&g->t, attr);
    wg_type a = *type_of(&g->t, x[0]), index = *type_of(&g->t, x[narg - 1]);
    bool good = word[1] >= 0 && word[1] <= index.rank && word[1] <= word[0] &&
                word[0] < (int64_t)rank;
    for (size_t i = 0; good && i < (size_t)word[1]; i++) good = a.extent[i] == index.extent[i];
    if (good) return true;
    graph_fail(g, WG_ESHAPE, "%s: %s with index %s, axis %lld, and %lld shared leading axes",
               op_def(op)->name, type_name(g, x[0]).text, type_name(g, x[narg - 1]).text,
               (long long)word[0], (long long)word[1]);
    graph_fail_operands(g, x, narg);
    return false;
}

/* The elements of a at an index: its axes but the shared ones stand for the axis. */
static wg_type elements_at(const wg_type *a, const wg_type *index, size_t axis, size_t batch) {
    wg_type type = {.dtype = a->dtype};
    for (size_t i = 0; i < axis; i++) type.extent[type.rank++] = a->extent[i];
    for (size_t i = batch; i < index->rank; i++) type.extent[type.rank++] = index->extent[i];
    for (size_t i = axis + 1; i < a->rank; i++) type.extent[type.rank++] = a->extent[i];
    return type;
}

/* ---- take: attr = axis, batch ---------------------------------------------------------------- */

static bool take_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    wg_type a = *type_of(&g->t, x[0]), index = *type_of(&g->t, x[1]);
    if (!require_words(g, op, attr, 2) || !require_integers(g, op_def(op)->name, x[1]) ||
        !check_axes(g, op, attr, x, narg, a.rank))
        return false;
    size_t axis = axis_of(&g->t, attr), batch = batch_of(&g->t, attr);
    if (!require_rank(g, op, a.rank + index.rank - batch - 1u)) return false;
    *type = elements_at(&a, &index, axis, batch);
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
    wg_type update = *type_of(&g->t, x[0]), index = *type_of(&g->t, x[1]);
    if (!require_words(g, op, attr, 3) || !require_integers(g, op_def(op)->name, x[1]) ||
        !require_numbers(g, op_def(op)->name, x[0]))
        return false;
    wg_extent extent = attr_words(&g->t, attr)[2];
    /* the axes of the result, of which the index's stand for one in the update */
    size_t rank = (size_t)update.rank + 1 + (size_t)attr_words(&g->t, attr)[1] - index.rank;
    if (!require_extent(g, op_def(op)->name, extent) ||
        !check_axes(g, op, attr, x, narg, rank > WG_MAX_RANK + 1 ? 0 : rank) ||
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

/* The place in the result of each element of an update: where take would have found it, at an index
 * that is known and good. NULL without memory. */
static int32_t *targets_of(const struct reach *r, const struct view *update,
                           const struct view *index) {
    const struct exec *e = &r->exec;
    const wg_allocator *allocator = &r->sets->allocator;
    size_t count = (size_t)update->shape->count, places = (size_t)e->out.shape->count;
    int32_t *place = mem_alloc(allocator, (places + 1) * sizeof *place);
    int32_t *target = mem_alloc(allocator, (count + 1) * sizeof *target);
    for (size_t i = 0; place && i < places; i++) place[i] = (int32_t)i;
    struct view arg[2] = {e->out, *index};
    struct exec take = *e;
    arg[0].data = place;
    arg[0].dtype = WG_I32;
    take.arg = arg;
    take.narg = 2;
    take.attr_count = 2;
    take.out = *update;
    take.out.data = target;
    take.out.dtype = WG_I32;
    bool ok = place && target && run_take(&take) == WG_OK;
    mem_free(allocator, place, (places + 1) * sizeof *place);
    if (!ok) mem_free(allocator, target, (count + 1) * sizeof *target);
    return ok ? target : NULL;
}

static void free_targets(const struct reach *r, const struct view *update, int32_t *target) {
    size_t count = (size_t)update->shape->count;
    mem_free(&r->sets->allocator, target, (count + 1) * sizeof *target);
}

/* Where the index is not known, an element of argument `update` may go anywhere along the axis. */
static void add_anywhere(const struct reach *r, size_t update) {
    struct reach_axis a = reach_axis(&r->exec.out, 0, (size_t)r->exec.attr[0]);
    int64_t lines = a.before * a.after;
    int64_t added = lines ? r->exec.arg[update].shape->count / lines : 0;
    for (int64_t line = 0; line < lines; line++) {
        int64_t before = line / a.after, after = line % a.after;
        sets_begin(r->sets);
        for (int64_t i = 0; i < added; i++)
            sets_add(r->sets, reached_at(&r->x[update], (before * added + i) * a.after + after));
        set_id all = sets_end(r->sets);
        for (int64_t i = 0; i < a.extent; i++) {
            set_id *y = &r->y->set[(before * a.extent + i) * a.after + after];
            *y = sets_join(r->sets, *y, all);
        }
    }
}

static bool scatter_add_reach(const struct reach *r) {
    const struct exec *e = &r->exec;
    if (e->arg[1].data && e->out.shape->count <= INT32_MAX && check_scatter_add(e) == WG_OK) {
        int32_t *target = targets_of(r, &e->arg[0], &e->arg[1]);
        bool ok = target && reach_gathers(r, target);
        free_targets(r, &e->arg[0], target);
        return ok;
    }
    if (!reach_open(r)) return false;
    add_anywhere(r, 0);
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

/* ---- index_add, index_set: attr = axis, batch; base, update, index --------------------------- */

static bool update_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                         wg_type *type) {
    const char *name = op_def(op)->name;
    wg_type a = *type_of(&g->t, x[0]), update = *type_of(&g->t, x[1]),
            index = *type_of(&g->t, x[2]);
    if (!require_words(g, op, attr, 2) || !require_integers(g, name, x[2]) ||
        (op == OP_index_add && !require_numbers(g, name, x[0])) ||
        !check_axes(g, op, attr, x, narg, a.rank))
        return false;
    size_t axis = axis_of(&g->t, attr), batch = batch_of(&g->t, attr);
    if (op == OP_index_set && index.rank != batch) {
        graph_fail(g, WG_ESHAPE, "index_set: index %s of more than one integer",
                   type_name(g, x[2]).text);
        graph_fail_operands(g, &x[2], 1);
        graph_hint(g, "an integer that stood in it twice would have two values to set: set one "
                      "element or slice at a time, in a loop");
        return false;
    }
    if (!require_rank(g, op, a.rank + index.rank - batch - 1u)) return false;
    wg_type needed = elements_at(&a, &index, axis, batch);
    *type = a;
    if (type_equal(&needed, &update)) return true;
    graph_fail(g, needed.dtype == update.dtype ? WG_ESHAPE : WG_EDTYPE,
               "%s: the update of %s at index %s along axis %zu is %s, not %s", name,
               type_name(g, x[0]).text, type_name(g, x[2]).text, axis, type_name(g, x[1]).text,
               type_name_of(g, &needed).text);
    graph_fail_operands(g, x, narg);
    return false;
}

static value index_add_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)narg;
    int64_t bits;
    if (!value_is_splat(&g->t, x[0], &bits) || bits) return 0; /* 0, and not -0 */
    unsigned axis = axis_of(&g->t, attr);
    return build_scatter_add(g, x[1], x[2], axis, batch_of(&g->t, attr),
                             type_of(&g->t, x[0])->extent[axis]);
}

static value read_back(const struct rule *r, value ct) {
    return build_take(r->g, ct, r->x[2], axis_of(&r->g->t, r->attr), batch_of(&r->g->t, r->attr));
}

static value index_add_transpose(const struct rule *r, size_t k, value ct) {
    return k == 0 ? ct : read_back(r, ct);
}

/* What was overwritten has no adjoint. It is read first, so that it can be cleared in its place. */
static value index_set_transpose(const struct rule *r, size_t k, value ct) {
    value update = read_back(r, ct);
    if (k == 1 || !update) return update;
    return build_index_set(r->g, ct, build_like(r->g, r->x[1], 0), r->x[2],
                           axis_of(&r->g->t, r->attr), batch_of(&r->g->t, r->attr));
}

static bool update_reach(const struct reach *r) {
    const struct exec *e = &r->exec;
    const struct view *index = &e->arg[2];
    bool known = index->data && check_index_add(e) == WG_OK;
    if (!r->y->set) {
        if (!reach_open(r)) return false;
        for (int64_t i = 0; i < e->out.shape->count; i++) r->y->set[i] = reached_at(&r->x[0], i);
    }
    if (!known) {
        add_anywhere(r, 1);
        return true;
    }
    struct reach_axis a = reach_axis(&e->out, (size_t)e->attr[1], (size_t)e->attr[0]);
    int64_t batch = 1, count = index->shape->count;
    for (int64_t i = 0; i < e->attr[1]; i++) batch *= e->out.shape->extent[i];
    if (batch) count /= batch;
    for (int64_t line = 0; line < batch * a.before; line++)
        for (int64_t i = 0; i < count; i++) {
            int64_t from = line / a.before * count + i;
            int64_t at = index->dtype == WG_I64 ? ((const int64_t *)index->data)[from]
                                                : ((const int32_t *)index->data)[from];
            for (int64_t q = 0; q < a.after; q++) {
                set_id *y = &r->y->set[(line * a.extent + at) * a.after + q];
                set_id u = reached_at(&r->x[1], (line * count + i) * a.after + q);
                *y = r->op == OP_index_set ? u : sets_join(r->sets, *y, u);
            }
        }
    return true;
}

static value update_batch(const struct batch *b) {
    wg_graph *g = b->g;
    unsigned axis = axis_of(&g->t, b->attr), batch = batch_of(&g->t, b->attr);
    bool shared = !b->batched[2] && batch == 0;
    value x[] = {batch_argument(b, 0), batch_argument(b, 1),
                 shared ? b->x[2] : batch_argument(b, 2)};
    return (b->op == OP_index_add ? build_index_add : build_index_set)(
        g, x[0], x[1], x[2], axis + 1, shared ? 0 : batch + 1);
}

static value add_to_rows(wg_graph *g, const value *x) {
    return build_index_add(g, x[0], x[1], x[2], 0, 0);
}
static value add_to_columns(wg_graph *g, const value *x) {
    return build_index_add(g, x[0], x[1], x[2], 1, 0);
}
static value add_to_each_row(wg_graph *g, const value *x) {
    return build_index_add(g, x[0], x[1], x[2], 1, 1);
}
static const struct op_sample index_add_sample[] = {
    {3, {{WG_F64, 2, {4, 3}}, {WG_F64, 2, {6, 3}}, {WG_I64, 1, {6}}}, {-2, -2, 0}, {2, 2, 3},
     add_to_rows, "rows, some twice"},
    {3, {{WG_F64, 3, {2, 4, 2}}, {WG_F64, 4, {2, 2, 2, 2}}, {WG_I32, 2, {2, 2}}}, {-2, -2, 0},
     {2, 2, 3}, add_to_columns, "an axis in the middle, by a matrix"},
    {3, {{WG_F64, 2, {5, 3}}, {WG_F64, 1, {5}}, {WG_I64, 1, {5}}}, {-2, -2, 0}, {2, 2, 2},
     add_to_each_row, "one of every row"},
    {3, {{WG_F64, 1, {3}}, {WG_F64, 0, {0}}, {WG_I64, 0, {0}}}, {-2, -2, 0}, {2, 2, 2},
     add_to_rows, "one element"},
    {3, {{WG_F64, 2, {4, 3}}, {WG_F64, 2, {0, 3}}, {WG_I64, 1, {0}}}, {-2, -2, 0}, {2, 2, 3},
     add_to_rows, "nothing"},
    {0}};

const struct op_def op_index_add = {
    .name = "index_add",
    .class = LINEAR,
    .narg = 3,
    .flags = OP_IN_PLACE,
    .linear_mask = 3,
    .doc = "y = a base with an update added along an axis at the integers of an index, in their "
           "order; in the place of the base, if that is read no more",
    .infer = update_infer,
    .identity = index_add_identity,
    .transpose = index_add_transpose,
    .batch = update_batch,
    .reach = update_reach,
    .run = run_index_add,
    .check = check_index_add,
    .sample = index_add_sample};

static value set_row(wg_graph *g, const value *x) {
    return build_index_set(g, x[0], x[1], x[2], 0, 0);
}
static value set_column(wg_graph *g, const value *x) {
    return build_index_set(g, x[0], x[1], x[2], 1, 0);
}
static value set_in_each_row(wg_graph *g, const value *x) {
    return build_index_set(g, x[0], x[1], x[2], 1, 1);
}
static const struct op_sample index_set_sample[] = {
    {3, {{WG_F64, 2, {4, 3}}, {WG_F64, 1, {3}}, {WG_I64, 0, {0}}}, {-2, -2, 0}, {2, 2, 3}, set_row,
     "a row"},
    {3, {{WG_F64, 3, {2, 4, 2}}, {WG_F64, 2, {2, 2}}, {WG_I32, 0, {0}}}, {-2, -2, 0}, {2, 2, 3},
     set_column, "an axis in the middle"},
    {3, {{WG_F64, 2, {5, 3}}, {WG_F64, 1, {5}}, {WG_I64, 1, {5}}}, {-2, -2, 0}, {2, 2, 2},
     set_in_each_row, "one of every row"},
    {3, {{WG_F64, 1, {3}}, {WG_F64, 0, {0}}, {WG_I64, 0, {0}}}, {-2, -2, 0}, {2, 2, 2}, set_row,
     "one element"},
    {0}};

const struct op_def op_index_set = {
    .name = "index_set",
    .class = LINEAR,
    .narg = 3,
    .flags = OP_IN_PLACE,
    .linear_mask = 3,
    .doc = "y = a base with an update in the place of its elements along an axis at an integer; in "
           "the place of the base, if that is read no more",
    .infer = update_infer,
    .transpose = index_set_transpose,
    .batch = update_batch,
    .reach = update_reach,
    .run = run_index_set,
    .check = check_index_set,
    .sample = index_set_sample};
