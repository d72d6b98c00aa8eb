/* The walk over a trace that carries sets of variables, and the pattern that it ends in. A value's
 * sets are given back after its last reader. What no input sends anything to is computed, by the
 * kernels that run it at a call, so that indices and conditions are known where they can be.
 *
 * Values that are not of a floating type have no sets: nothing is differentiated through them. */
#include "transform/sparsity.h"

#include "transform/pattern.h"

/* ---- values ---------------------------------------------------------------------------------- */

void reached_free(struct sparsity *s, struct reached *x, int64_t count, size_t width) {
    const wg_allocator *a = &s->sets.allocator;
    mem_free(a, x->set, (size_t)count * sizeof *x->set);
    mem_free(a, x->data, (size_t)count * width);
    *x = (struct reached){0};
}

bool reached_copy(struct sparsity *s, struct reached *to, const struct reached *x, int64_t count,
                  size_t width) {
    const wg_allocator *a = &s->sets.allocator;
    size_t n = (size_t)count;
    *to = (struct reached){.every = x->every};
    if (n && x->set) {
        to->set = mem_alloc(a, n * sizeof *to->set);
        if (!to->set) return false;
        memcpy(to->set, x->set, n * sizeof *to->set);
    }
    if (n && x->data) {
        to->data = mem_alloc(a, n * width);
        if (!to->data) return false;
        memcpy(to->data, x->data, n * width);
    }
    return true;
}

bool reached_join(struct sparsity *s, struct reached *x, const struct reached *more, int64_t count,
                  size_t width, bool *grown) {
    const wg_allocator *a = &s->sets.allocator;
    size_t n = (size_t)count;
    if (x->data && !(more->data && memcmp(x->data, more->data, n * width) == 0)) {
        mem_free(a, x->data, n * width);
        x->data = NULL;
        *grown = true;
    }
    if (!x->set && !more->set) {
        set_id every = sets_join(&s->sets, x->every, more->every);
        if (every != x->every) *grown = true;
        x->every = every;
        return true;
    }
    if (!x->set && n) {
        x->set = mem_alloc(a, n * sizeof *x->set);
        if (!x->set) return false;
        for (size_t i = 0; i < n; i++) x->set[i] = x->every;
    }
    for (size_t i = 0; i < n; i++) {
        set_id joined = sets_join(&s->sets, x->set[i], reached_at(more, (int64_t)i));
        if (joined != x->set[i]) *grown = true;
        x->set[i] = joined;
    }
    return true;
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool sizes_fit(const struct trace *t, const int64_t *size, wg_error *error) {
    for (size_t i = 0; i < t->check.count; i++) {
        const struct check *check = &t->check.at[i];
        int64_t left, right;
        bool known = extent_eval(t, check->left, size, &left);
        known = extent_eval(t, check->right, size, &right) && known;
        if (known && (check->equal ? left == right : left <= right)) continue;
        fail_with(error, WG_ESHAPE, "sparsity: the program cannot be called with these sizes");
        return false;
    }
    return true;
}

static bool shapes_fit(struct walk *w) {
    const struct trace *t = w->t;
    for (size_t i = 1; i < t->extent.count; i++) /* those that fail are in no type of a value */
        extent_eval(t, -(wg_extent)i, w->size, &w->extent_value[i]);
    for (size_t i = 1; i < t->type.count; i++) w->shape[i].count = -1;
    for (value v = 1; v < t->instr.count; v++) {
        struct shape *shape = &w->shape[instr_at(t, v)->type];
        if (shape->count < 0 &&
            (!type_eval(t, type_of(t, v), w->size, shape->extent, &shape->count) ||
             shape->count > INT64_MAX / 64)) {
            fail_with(w->s->error, WG_EOVERFLOW,
                      "sparsity: no memory holds a value of the program "
                      "with these sizes");
            return false;
        }
        w->work += 1 + (uint64_t)shape->count;
    }
    return true;
}

bool walk_open(struct walk *w, struct sparsity *s, const struct trace *t, const int64_t *size,
               uint64_t budget) {
    const wg_allocator *a = &s->sets.allocator;
    *w = (struct walk){.s = s, .t = t, .size = size, .budget = budget};
    w->extent_value = mem_alloc_zero(a, (t->extent.count + 1) * sizeof *w->extent_value);
    w->shape = mem_alloc_zero(a, t->type.count * sizeof *w->shape);
    w->at = mem_alloc_zero(a, t->instr.count * sizeof *w->at);
    w->last = mem_alloc_zero(a, t->instr.count * sizeof *w->last);
    if (!w->extent_value || !w->shape || !w->at || !w->last) return false;
    if (!sizes_fit(t, size, s->error) || !shapes_fit(w)) return false;
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; k < i->narg; k++) w->last[args_of(t, i)[k]] = v;
    }
    for (size_t i = 0; i < t->input.count; i++) w->last[t->input.at[i].v] = UINT32_MAX;
    for (size_t i = 0; i < t->output.count; i++) w->last[t->output.at[i].v] = UINT32_MAX;
    return true;
}

/* What an update by index costs is what it updates, if it may do so in place. */
static bool updates_in_place(const struct walk *w, value v) {
    const struct instr *i = instr_at(w->t, v);
    return (i->op == OP_index_add || i->op == OP_index_set) && w->last[args_of(w->t, i)[0]] == v &&
           args_of(w->t, i)[1] != args_of(w->t, i)[0];
}

void walk_lend(struct walk *w, size_t first, size_t count, bool lend) {
    const struct trace *t = w->t;
    for (size_t i = first; i < first + count; i++)
        w->last[t->input.at[i].v] = lend ? 0 : UINT32_MAX;
    for (value v = 1; v < t->instr.count && lend; v++) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; k < i->narg; k++)
            if (w->last[args_of(t, i)[k]] != UINT32_MAX) w->last[args_of(t, i)[k]] = v;
    }
    for (size_t i = 0; i < t->output.count; i++) w->last[t->output.at[i].v] = UINT32_MAX;
    w->work = 0;
    for (value v = 1; v < t->instr.count; v++)
        w->work += 1 + (value_is_input(t, v) || updates_in_place(w, v)
                            ? 0
                            : (uint64_t)walk_count(w, v));
}

static void drop(struct walk *w, value v) {
    reached_free(w->s, &w->at[v], walk_count(w, v), walk_width(w, v));
}

static void clear(struct walk *w) {
    for (value v = 1; v < w->t->instr.count; v++) {
        if (value_is_input(w->t, v))
            w->at[v] = (struct reached){0};
        else
            drop(w, v);
    }
}

void walk_close(struct walk *w) {
    const wg_allocator *a = &w->s->sets.allocator;
    const struct trace *t = w->t;
    if (w->at && w->shape) clear(w);
    mem_free(a, w->extent_value, (t->extent.count + 1) * sizeof *w->extent_value);
    mem_free(a, w->shape, t->type.count * sizeof *w->shape);
    mem_free(a, w->at, t->instr.count * sizeof *w->at);
    mem_free(a, w->last, t->instr.count * sizeof *w->last);
}

const struct reached *walk_output(const struct walk *w, size_t k) {
    return &w->at[w->t->output.at[k].v];
}

/* ---- what is known --------------------------------------------------------------------------- */

/* What the operation's rules see of this instruction. */
static struct reach look(const struct walk *w, value v, struct view *arg, struct reached *x) {
    const struct trace *t = w->t;
    const struct instr *i = instr_at(t, v);
    for (size_t k = 0; k < i->narg; k++) {
        value a = args_of(t, i)[k];
        const wg_type *type = type_of(t, a);
        x[k] = w->at[a];
        arg[k] = (struct view){x[k].data, &w->shape[instr_at(t, a)->type], type->rank, type->dtype};
    }
    const wg_type *type = type_at(t, i->type);
    return (struct reach){.exec = {.arg = arg,
                                   .narg = i->narg,
                                   .out = {NULL, &w->shape[i->type], type->rank, type->dtype},
                                   .attr = attr_words(t, i->attr),
                                   .attr_count = attr_count(t, i->attr),
                                   .extent_value = w->extent_value,
                                   .trace = t},
                          .op = i->op,
                          .x = x,
                          .sets = &w->s->sets};
}

static bool is_known(const struct walk *w, const struct instr *i) {
    const struct op_def *def = op_def(i->op);
    if (i->op == OP_external || def->class == REGION || def->class == CUSTOM) return false;
    for (size_t k = 0; k < i->narg; k++) {
        value a = args_of(w->t, i)[k];
        if (!w->at[a].data && walk_count(w, a)) return false;
    }
    return true;
}

/* The elements, in room of their own; an error at a call, such as an index outside, leaves them
 * unknown. */
static bool compute(struct walk *w, value v, struct reach *r) {
    const struct trace *t = w->t;
    const struct instr *i = instr_at(t, v);
    size_t count = (size_t)walk_count(w, v), bytes = count * walk_width(w, v);
    struct reached *y = &w->at[v];
    if (bytes == 0) return true;
    y->data = mem_alloc_zero(&w->s->sets.allocator, bytes);
    if (!y->data) return false;
    const int64_t *word = r->exec.attr;
    if (i->op == OP_constant) {
        memcpy(y->data, &word[0], bytes);
    } else if (i->op == OP_data) {
        memcpy(y->data, t->blob.at[word[0]].data, bytes);
    } else if (op_is_elementwise(i->op)) {
        const void *x[3] = {0};
        for (size_t k = 0; k < i->narg; k++) x[k] = r->exec.arg[k].data;
        op_kernel(i->op, r->exec.arg[i->narg - 1].dtype, r->exec.out.dtype)(count, x, y->data);
    } else {
        wg_error error = {0};
        r->exec.out.data = y->data;
        r->exec.error = &error;
        if (op_def(i->op)->run(&r->exec) != WG_OK) {
            mem_free(&w->s->sets.allocator, y->data, bytes);
            y->data = NULL;
        }
    }
    return true;
}

/* ---- how far it reaches ---------------------------------------------------------------------- */

/* Whether argument k sends nothing to element i of an elementwise result. */
static bool is_cut(const struct reach *r, size_t k, int64_t i) {
    const struct view *x = r->exec.arg;
    if (r->op == OP_mul || r->op == OP_mulz) return reach_is_zero(&x[1 - k], i);
    if (r->op != OP_where) return false;
    return k == 0 || (x[0].data && ((const bool *)x[0].data)[i] != (k == 1));
}

static bool reach_elements(const struct reach *r) {
    const struct view *x = r->exec.arg;
    bool plain = true, cuts = (r->op == OP_where && x[0].data) ||
                              ((r->op == OP_mul || r->op == OP_mulz) &&
                               (reach_has_zero(&x[0]) || reach_has_zero(&x[1])));
    set_id every = 0;
    for (size_t k = 0; k < r->exec.narg; k++) {
        plain = plain && !r->x[k].set;
        every = sets_join(r->sets, every, r->x[k].every);
    }
    if (plain && !cuts) {
        r->y->every = every;
        return true;
    }
    if (!reach_open(r)) return false;
    for (int64_t i = 0; i < r->exec.out.shape->count; i++) {
        set_id sum = 0;
        for (size_t k = 0; k < r->exec.narg; k++)
            if (!cuts || !is_cut(r, k, i)) sum = sets_join(r->sets, sum, reached_at(&r->x[k], i));
        r->y->set[i] = sum;
    }
    return true;
}

static bool step(struct walk *w, value v) {
    const struct instr *i = instr_at(w->t, v);
    const struct op_def *def = op_def(i->op);
    struct view arg[UINT8_MAX];
    struct reached x[UINT8_MAX];
    if (i->op == OP_loop || i->op == OP_branch) return walk_region(w, v);
    if (i->op == OP_item) return true; /* its region has brought it */
    struct reach r = look(w, v, arg, x);
    r.y = &w->at[v];
    if (is_known(w, i)) {
        if (!compute(w, v, &r)) return false;
        r.exec.out.data = NULL;
    }
    bool any = false;
    for (size_t k = 0; k < i->narg; k++) any = any || !reached_none(&x[k]);
    if (!any || def->class == NODIFF || !dtype_is_float(type_at(w->t, i->type)->dtype)) return true;
    if (i->op == OP_custom) return walk_custom(w, v);
    if (updates_in_place(w, v)) { /* the sets of the base, none of which is read again */
        r.y->set = x[0].set;
        w->at[args_of(w->t, i)[0]].set = NULL;
    }
    if (def->reach) return def->reach(&r);
    return op_is_elementwise(i->op) ? reach_elements(&r) : reach_all(&r);
}

bool walk_run(struct walk *w, const struct reached *input) {
    const struct trace *t = w->t;
    clear(w);
    for (size_t i = 0; i < t->input.count; i++) w->at[t->input.at[i].v] = input[i];
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        if (i->op == OP_input) continue;
        if (!step(w, v) || w->s->sets.failed) return false;
        for (size_t k = 0; k < i->narg; k++)
            if (w->last[args_of(t, i)[k]] == v && !value_is_input(t, args_of(t, i)[k]))
                drop(w, args_of(t, i)[k]);
    }
    return true;
}

/* ---- the pattern ----------------------------------------------------------------------------- */

enum { BUDGET = 1 << 27 }; /* elements that loops may look at, one iteration after the other */

/* The outputs' sets, one behind the other, as rows. */
static wg_status write_pattern(struct walk *w, const struct selection *y, int64_t rows,
                               wg_pattern *p) {
    const struct sets *sets = &w->s->sets;
    struct set_run room;
    size_t runs;
    int64_t entries = 0;
    for (size_t o = 0; o < y->count; o++) {
        const struct reached *out = walk_output(w, y->index[o]);
        int64_t count = walk_count(w, w->t->output.at[y->index[o]].v);
        for (int64_t i = 0; i < count; i++)
            if (add_overflows(entries, (int64_t)sets_size(sets, reached_at(out, i)), &entries))
                return fail_memory(w->s->error);
    }
    if (!pattern_open(p, &sets->allocator, rows, sets->universe, entries, w->s->error))
        return w->s->error->status;
    int64_t row = 0, at = 0;
    for (size_t o = 0; o < y->count; o++) {
        const struct reached *out = walk_output(w, y->index[o]);
        int64_t count = walk_count(w, w->t->output.at[y->index[o]].v);
        for (int64_t i = 0; i < count; i++, p->row[++row] = at) {
            const struct set_run *run = sets_runs(sets, reached_at(out, i), &room, &runs);
            for (size_t k = 0; k < runs; k++)
                for (uint32_t c = run[k].begin; c < run[k].end; c++) p->column[at++] = c;
        }
    }
    return WG_OK;
}

/* The number of elements of the ports chosen; -1 if it is too large. */
static int64_t total(const struct trace *t, const struct port *port, const struct selection *s,
                     const int64_t *size) {
    int64_t shape[WG_MAX_RANK], count, sum = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!type_eval(t, type_of(t, port[s->index[i]].v), size, shape, &count) ||
            add_overflows(sum, count, &sum))
            return -1;
    return sum;
}

static bool fill_inputs(struct walk *w, const struct selection *x, const void *const *known,
                        struct reached *input) {
    const struct trace *t = w->t;
    const wg_allocator *a = &w->s->sets.allocator;
    for (size_t i = 0; known && i < t->input.count; i++) /* read only: the walk frees no inputs */
        input[i].data = (void *)(uintptr_t)known[i];
    for (size_t i = 0, first = 1; i < x->count; i++) {
        size_t count = (size_t)walk_count(w, t->input.at[x->index[i]].v);
        struct reached *in = &input[x->index[i]];
        in->data = NULL;
        in->set = count ? mem_alloc(a, count * sizeof *in->set) : NULL;
        if (count && !in->set) return false;
        for (size_t k = 0; k < count; k++) in->set[k] = (set_id)first++;
    }
    return true;
}

wg_status sparsity_pattern(const wg_program *p, const struct selection *x,
                           const struct selection *y, const int64_t *size, const void *const *known,
                           wg_pattern *pattern, wg_error *error) {
    const struct trace *t = &p->t;
    const wg_allocator *a = &t->allocator;
    struct sparsity s = {.error = error};
    struct walk w;
    *pattern = (wg_pattern){.allocator = *a};
    if (!size && t->size.count)
        return fail_with(error, WG_EARGUMENT,
                         "sparsity: the program has named sizes, and the sizes "
                         "are NULL");
    for (size_t i = 0; i < t->size.count; i++)
        if (size[i] < 0)
            return fail_with(error, WG_EARGUMENT,
                             "sparsity: size \"%s\" is %lld; sizes are at "
                             "least 0",
                             name_at(t, t->size.at[i]), (long long)size[i]);
    if (!sizes_fit(t, size, error)) return error->status;
    int64_t columns = total(t, t->input.at, x, size), rows = total(t, t->output.at, y, size);
    if (columns < 0 || rows < 0 || columns > SETS_UNIVERSE)
        return fail_with(error, WG_EOVERFLOW, "sparsity: more than %d columns", SETS_UNIVERSE);
    size_t bytes = (t->input.count + 1) * sizeof(struct reached);
    struct reached *input = mem_alloc_zero(a, bytes);
    bool ok = sets_open(&s.sets, a, (uint32_t)columns) && input;
    bool open = ok && walk_open(&w, &s, t, size, BUDGET);
    if (open && fill_inputs(&w, x, known, input) && walk_run(&w, input))
        write_pattern(&w, y, rows, pattern);
    else if (!error->status)
        fail_memory(error);
    for (size_t i = 0; open && i < x->count; i++)
        mem_free(a, input[x->index[i]].set,
                 (size_t)walk_count(&w, t->input.at[x->index[i]].v) * sizeof(set_id));
    if (ok) walk_close(&w);
    sets_close(&s.sets);
    mem_free(a, input, bytes);
    return error->status;
}
