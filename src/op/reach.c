/* How the operations reach that have no way of their own: by moving, by reducing axes, along an
 * axis, or all on all. Those of products, indices and windows stand in their families' files. */
#include "op/reach.h"

bool reach_open(const struct reach *r) {
    size_t count = (size_t)r->exec.out.shape->count;
    r->y->set = mem_alloc_zero(&r->sets->allocator, count * sizeof *r->y->set);
    return r->y->set || count == 0;
}

set_id reach_whole(const struct reach *r, size_t k) {
    const struct reached *x = &r->x[k];
    if (!x->set) return r->exec.arg[k].shape->count ? x->every : 0;
    sets_begin(r->sets);
    for (int64_t i = 0; i < r->exec.arg[k].shape->count; i++) sets_add(r->sets, x->set[i]);
    return sets_end(r->sets);
}

bool reach_all(const struct reach *r) {
    for (size_t k = 0; k < r->exec.narg; k++)
        r->y->every = sets_join(r->sets, r->y->every, reach_whole(r, k));
    return true;
}

bool reach_is_zero(const struct view *v, int64_t i) {
    if (!v->data) return false;
    return v->dtype == WG_F64   ? ((const double *)v->data)[i] == 0
           : v->dtype == WG_F32 ? ((const float *)v->data)[i] == 0
                                : false;
}

bool reach_has_zero(const struct view *v) {
    for (int64_t i = 0; v->data && i < v->shape->count; i++)
        if (reach_is_zero(v, i)) return true;
    return false;
}

struct reach_axis reach_axis(const struct view *v, size_t first, size_t axis) {
    struct reach_axis a = {1, v->shape->extent[axis], 1};
    for (size_t i = first; i < axis; i++) a.before *= v->shape->extent[i];
    for (size_t i = axis + 1; i < v->rank; i++) a.after *= v->shape->extent[i];
    return a;
}

/* ---- moving ---------------------------------------------------------------------------------- */

/* Sets are i32 to the kernel; where one has no array it gets one. An argument that differentiation
 * does not know of, an index, stays what it is. */
bool reach_moves(const struct reach *r) {
    const wg_allocator *a = &r->sets->allocator;
    const struct op_def *def = op_def(r->op);
    struct view arg[UINT8_MAX];
    size_t narg = r->exec.narg;
    bool ok = reach_open(r);
    for (size_t k = 0; k < narg; k++) {
        const struct reached *x = &r->x[k];
        arg[k] = r->exec.arg[k];
        if (!op_is_linear_in(def, k)) continue;
        arg[k].dtype = WG_I32;
        arg[k].data = x->set;
        size_t count = (size_t)arg[k].shape->count;
        if (x->set || count == 0) continue;
        set_id *set = mem_alloc(a, count * sizeof *set);
        for (size_t i = 0; set && i < count; i++) set[i] = x->every;
        arg[k].data = set;
        ok = ok && set;
    }
    struct exec e = r->exec;
    e.arg = arg;
    e.out.dtype = WG_I32;
    e.out.data = r->y->set;
    wg_error error = {0};
    e.error = &error;
    ok = ok && def->run(&e) == WG_OK;
    for (size_t k = 0; k < narg; k++)
        if (op_is_linear_in(def, k) && arg[k].data != r->x[k].set)
            mem_free(a, arg[k].data, (size_t)arg[k].shape->count * sizeof(set_id));
    return ok;
}

/* ---- reducing -------------------------------------------------------------------------------- */

bool reach_axes(const struct reach *r) {
    const struct view *x = &r->exec.arg[0];
    int64_t mask = r->exec.attr[0], kept[WG_MAX_RANK], gone[WG_MAX_RANK], step = 1;
    int64_t kept_step[WG_MAX_RANK], gone_step[WG_MAX_RANK], terms = 1;
    size_t keep = 0, go = 0;
    for (size_t i = x->rank; i-- > 0; step *= x->shape->extent[i]) {
        bool reduced = mask >> i & 1;
        (reduced ? gone : kept)[reduced ? go : keep] = x->shape->extent[i];
        (reduced ? gone_step : kept_step)[reduced ? go++ : keep++] = step;
        if (reduced) terms *= x->shape->extent[i];
    }
    if (!r->x[0].set) {
        r->y->every = terms ? r->x[0].every : 0;
        return true;
    }
    if (!reach_open(r)) return false;
    for (int64_t y = 0; y < r->exec.out.shape->count; y++) {
        int64_t first = 0, rest = y;
        for (size_t i = 0; i < keep; rest /= kept[i++]) first += rest % kept[i] * kept_step[i];
        sets_begin(r->sets);
        for (int64_t term = 0; term < terms; term++) {
            int64_t at = first;
            rest = term;
            for (size_t i = 0; i < go; rest /= gone[i++]) at += rest % gone[i] * gone_step[i];
            sets_add(r->sets, r->x[0].set[at]);
        }
        r->y->set[y] = sets_end(r->sets);
    }
    return true;
}

/* ---- matrices -------------------------------------------------------------------------------- */

/* Adds `count` elements of argument k, from `first` on, `step` apart. */
static void add_elements(const struct reach *r, size_t k, int64_t first, int64_t count,
                         int64_t step) {
    for (int64_t i = 0; i < count && !reached_none(&r->x[k]); i++)
        sets_add(r->sets, reached_at(&r->x[k], first + i * step));
}

/* The union of matrix b of the first `narg` arguments. */
static set_id one_matrix(const struct reach *r, size_t narg, int64_t b, int64_t matrices) {
    sets_begin(r->sets);
    for (size_t k = 0; k < narg; k++) {
        int64_t each = r->exec.arg[k].shape->count / matrices;
        add_elements(r, k, b * each, each, 1);
    }
    return sets_end(r->sets);
}

static int64_t matrices_of(const struct view *a) {
    int64_t count = 1;
    for (size_t i = 0; i + 2 < a->rank; i++) count *= a->shape->extent[i];
    return count;
}

bool reach_matrices(const struct reach *r) {
    int64_t matrices = matrices_of(&r->exec.arg[0]);
    int64_t each = matrices ? r->exec.out.shape->count / matrices : 0;
    if (!reach_open(r)) return false;
    for (int64_t b = 0; b < matrices; b++) {
        set_id all = one_matrix(r, r->exec.narg, b, matrices);
        for (int64_t i = 0; i < each; i++) r->y->set[b * each + i] = all;
    }
    return true;
}

bool reach_columns(const struct reach *r) {
    const struct view *y = &r->exec.out;
    size_t last = r->exec.narg - 1;
    int64_t matrices = matrices_of(y), rows = y->shape->extent[y->rank - 2];
    int64_t columns = y->shape->extent[y->rank - 1];
    if (!reach_open(r)) return false;
    for (int64_t b = 0; b < matrices; b++) {
        set_id matrix = one_matrix(r, last, b, matrices);
        for (int64_t c = 0; c < columns; c++) {
            int64_t first = b * rows * columns + c;
            sets_begin(r->sets);
            sets_add(r->sets, matrix);
            add_elements(r, last, first, rows, columns);
            set_id all = sets_end(r->sets);
            for (int64_t i = 0; i < rows; i++) r->y->set[first + i * columns] = all;
        }
    }
    return true;
}

/* ---- adding up ------------------------------------------------------------------------------- */

/* The elements are put in the order of their targets first, so that each union is made once. */
bool reach_gathers(const struct reach *r, const int32_t *target) {
    const wg_allocator *a = &r->sets->allocator;
    size_t from = (size_t)r->exec.arg[0].shape->count, to = (size_t)r->exec.out.shape->count;
    uint32_t *end = mem_alloc_zero(a, (to + 1) * sizeof *end);
    set_id *set = mem_alloc(a, (from + 1) * sizeof *set);
    bool ok = reach_open(r) && end && set;
    for (size_t i = 0; ok && i < from; i++) end[target[i] + 1]++;
    for (size_t y = 0; ok && y < to; y++) end[y + 1] += end[y];
    for (size_t i = 0; ok && i < from; i++)
        set[end[target[i]]++] = reached_at(&r->x[0], (int64_t)i);
    for (size_t y = 0, i = 0; ok && y < to; y++) {
        sets_begin(r->sets);
        for (; i < end[y]; i++) sets_add(r->sets, set[i]);
        r->y->set[y] = sets_end(r->sets);
    }
    mem_free(a, end, (to + 1) * sizeof *end);
    mem_free(a, set, (from + 1) * sizeof *set);
    return ok;
}

/* ---- along an axis --------------------------------------------------------------------------- */

bool reach_lines(const struct reach *r) {
    struct reach_axis a = reach_axis(&r->exec.out, 0, (size_t)r->exec.attr[0]);
    bool reverse = r->exec.attr[1] != 0;
    if (!reach_open(r)) return false;
    for (int64_t line = 0; line < a.before * a.after; line++) {
        int64_t first = line / a.after * a.extent * a.after + line % a.after;
        set_id sum = 0;
        for (int64_t i = 0; i < a.extent; i++) {
            int64_t at = first + (reverse ? a.extent - 1 - i : i) * a.after;
            /* of a recurrence, the first factor has no effect */
            for (size_t k = r->exec.narg == 2 && i == 0; k < r->exec.narg; k++)
                sum = sets_join(r->sets, sum, reached_at(&r->x[k], at));
            r->y->set[at] = sum;
        }
    }
    return true;
}
