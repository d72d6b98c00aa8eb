/* Placing every value: one walk over the trace, in which each statement joins a nest that has
 * room for it, or opens one.
 *
 * A nest has room if its rows are the first axes of the statement's domain, all that the statement
 * reads is there by then, and what it reads of the nest itself belongs to the same row. Within the
 * nest it joins the first pass of its own loop behind its operands. Values never change, so that
 * computing one earlier is always right; a nest may move to the end as long as no other stage reads
 * from it. A nest begins with all loops as rows; a reduction that reads from it turns the reduced
 * ones into the loop of a pass, so that what follows can use the number of each row. */
#include "native/products.h"
#include "native/write.h"
#include "op/region.h"

enum {
    VECTOR = 8, /* elements that are worth a loop */
    NEAR = 6, /* nests looked at, of those that a statement does not read from */
    MAX_OPERANDS = 3,
    MOST_COLUMNS = 4 /* reductions of columns in a pass, whose numbers lie on the stack */
};

struct placer {
    struct lowered *l;
    const struct trace *t;
    wg_error *error;
    const value *sequence; /* NULL: that of the trace */
    const bool *taken;     /* NULL: none are */
    uint32_t last_nest[NEAR]; /* the youngest nests that are no scalar code */
    uint32_t scalars;         /* the youngest of scalar code */
    uint32_t early;           /* scalar code that reads nothing computed: it runs first */
    uint32_t last;            /* the stage that was opened, or moved, last */
    uint32_t wanted;          /* the nest that a waiting statement had better join; 0: none */
    uint32_t wanted_order;    /* and the first pass of it where its reader can be */
    uint32_t clock;
    bool *by_name; /* values through which an operation reads another's storage */
};

/* ---- questions ------------------------------------------------------------------------------- */

static enum role role_of(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    struct loops kept;
    uint8_t columns;
    switch (i->op) {
    case OP_input:
    case OP_constant:
    case OP_data: return ROLE_GIVEN;
    case OP_iota:
    case OP_size: return ROLE_INDEX;
    case OP_reshape:
    case OP_copy:
    case OP_stop_gradient:
    case OP_broadcast:
    case OP_transpose:
    case OP_slice: return ROLE_VIEW;
    case OP_item: return is_only_a_name(t, v) ? ROLE_VIEW : ROLE_RESULT;
    default: break;
    }
    if (op_is_elementwise(i->op) && i->narg <= 3) return ROLE_POINT;
    if (is_short_dot(t, v)) return ROLE_POINT;
    if (is_along_dot(t, v)) return ROLE_CALL;
    if (is_indexed_statement(t, v)) return ROLE_POINT;
    if (!is_nest_reduction(t, v, &kept, &columns)) return ROLE_WHOLE;
    return columns ? ROLE_COLUMNS : ROLE_REDUCE;
}

static bool is_reduction(unsigned op) {
    return op == OP_sum || op == OP_reduce_max || op == OP_peak;
}

bool is_nest_reduction(const struct trace *t, value v, struct loops *kept, uint8_t *columns) {
    const struct instr *i = instr_at(t, v);
    if (!is_reduction(i->op)) return false;
    const wg_type *x = type_of(t, args_of(t, i)[0]);
    int64_t mask = attr_words(t, i->attr)[0];
    if (!dtype_is_float(x->dtype)) return false;
    uint8_t k = 0, reduced = 0;
    for (; k < x->rank && !(mask >> k & 1); k++) kept->extent[k] = x->extent[k];
    kept->rank = k;
    for (; k < x->rank && (mask >> k & 1); k++) reduced++;
    *columns = (uint8_t)(x->rank - k);
    for (; k < x->rank; k++)
        if (mask >> k & 1) return false;
    return reduced > 0;
}

bool is_only_a_name(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    if (i->op == OP_item) return attr_words(t, i->attr)[0] == REGION_COUNT;
    return i->op == OP_reshape || i->op == OP_copy || i->op == OP_stop_gradient;
}

value storage_root(const struct lowered *l, value v) {
    const struct trace *t = &l->program->t;
    while (l->role[v] == ROLE_VIEW && is_only_a_name(t, v)) v = args_of(t, instr_at(t, v))[0];
    return v;
}

static struct loops domain_of(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    const wg_type *type = type_of(t, is_reduction(i->op) ? args_of(t, i)[0] : v);
    struct loops d = {.rank = type->rank};
    memcpy(d.extent, type->extent, type->rank * sizeof *d.extent);
    return d;
}

/* Loops of one element behind others are none, so that a column is computed with the numbers it is
 * made of, in vectors over its rows. */
static struct loops loops_of(const struct trace *t, value v) {
    struct loops d = domain_of(t, v);
    bool is_point = !is_reduction(instr_at(t, v)->op) && instr_at(t, v)->op != OP_dot;
    while (is_point && d.rank > 1 && d.extent[d.rank - 1] == 1) d.rank--;
    return d;
}

static bool same_loops(const struct loops *a, const struct loops *b) {
    return a->rank == b->rank && !memcmp(a->extent, b->extent, a->rank * sizeof *a->extent);
}

static bool begins_with(const struct loops *d, const struct loops *rows) {
    return rows->rank <= d->rank &&
           !memcmp(d->extent, rows->extent, rows->rank * sizeof *d->extent);
}

static struct loops behind(const struct loops *d, uint8_t rank) {
    struct loops rest = {.rank = (uint8_t)(d->rank - rank)};
    memcpy(rest.extent, d->extent + rank, rest.rank * sizeof *rest.extent);
    return rest;
}

/* ---- stages and passes ----------------------------------------------------------------------- */

static bool out_of_memory(struct placer *p) {
    fail_memory(p->error);
    return false;
}

static uint32_t new_stage(struct placer *p, value operation, const struct loops *rows) {
    struct stage *stage = VEC_PUSH(&p->t->allocator, &p->l->stages);
    if (!stage) return out_of_memory(p), 0;
    *stage = (struct stage){.operation = operation, .position = ++p->clock};
    if (rows) stage->rows = *rows;
    uint32_t id = (uint32_t)(p->l->stages.count - 1);
    bool is_scalar_code = rows && rows->rank == 0;
    if (is_scalar_code) p->scalars = id;
    if (!operation && !is_scalar_code) {
        memmove(p->last_nest + 1, p->last_nest, (NEAR - 1) * sizeof *p->last_nest);
        p->last_nest[0] = id;
    }
    if (!is_scalar_code) p->last = id;
    return id;
}

static uint32_t new_pass(struct placer *p, uint32_t nest, const struct loops *loops) {
    struct pass *pass = VEC_PUSH(&p->t->allocator, &p->l->passes);
    if (!pass) return out_of_memory(p), 0;
    struct stage *n = &p->l->stages.at[nest];
    uint32_t id = (uint32_t)(p->l->passes.count - 1);
    *pass = (struct pass){.loops = *loops,
                            .order = n->last ? p->l->passes.at[n->last].order + 1 : 0};
    if (n->last) p->l->passes.at[n->last].next = id;
    else n->first = id;
    n->last = id;
    return id;
}

/* A stage that reads what another will overwrite stays where it is, too. */
static bool is_overwritten(const struct placer *p, value root) {
    return p->taken && root && p->taken[root - 1];
}

static void consume(struct placer *p, value root, uint32_t by) {
    uint32_t stage = p->l->stage[root];
    if (is_overwritten(p, root)) p->l->stages.at[by].consumed = true;
    if (stage && stage != by) p->l->stages.at[stage].consumed = true;
}

struct reading { /* what a statement reads */
    size_t count;
    struct access access[MAX_OPERANDS];
    value index; /* a root that is checked before it is read, so that another nest makes it */
};

static bool place_statement(struct placer *p, value v, const struct loops *kept,
                            const struct reading *r);
static bool place_point(struct placer *p, value v);
static bool is_waiting(const struct placer *p, value v);

/* An access could not be told: why not is in the graph of extents. */
static bool no_access(struct placer *p) {
    const wg_error *why = &p->l->extents->error;
    fail_with(p->error, why->status ? why->status : WG_EINTERNAL, "%s", why->message);
    return false;
}

static bool read_through(struct placer *p, value v, struct reading *r) {
    return access_of(p->l, v, &r->access[r->count++]) || no_access(p);
}

/* A value that is needed as a whole, in memory: a view becomes a statement, an index an
 * operation. */
static bool need_whole(struct placer *p, value v, uint32_t by) {
    struct lowered *l = p->l;
    value root = storage_root(l, v);
    struct reading r = {0};
    for (value name = v; name != root; name = args_of(p->t, instr_at(p->t, name))[0])
        p->by_name[name] = true;
    if (l->role[root] == ROLE_VIEW) {
        if (!read_through(p, root, &r)) return false;
        l->role[root] = ROLE_POINT;
        if (!place_statement(p, root, NULL, &r)) return false;
    } else if (is_waiting(p, root)) {
        if (!place_point(p, root)) return false;
    } else if (l->role[root] == ROLE_INDEX) {
        l->role[root] = ROLE_WHOLE;
        l->stage[root] = new_stage(p, root, NULL);
        if (!l->stage[root]) return false;
    }
    store(l, root, STORE_FULL);
    consume(p, root, by);
    return true;
}

/* ---- joining a nest -------------------------------------------------------------------------- */

struct fit {
    uint32_t order;  /* the first pass that may hold the statement */
    uint32_t ready;  /* when all that it reads from other stages is there */
    bool uses;       /* it reads from the nest */
    bool saves;      /* it reads there what is not in memory so far */
};

/* Whether the nest may hold a statement with this loop behind its rows. */
static bool fits(const struct placer *p, uint32_t nest, const struct loops *loop,
                 const struct reading *r, struct fit *fit) {
    const struct lowered *l = p->l;
    uint8_t rows = l->stages.at[nest].rows.rank;
    *fit = (struct fit){0};
    for (size_t k = 0; k < r->count; k++) {
        const struct access *a = &r->access[k];
        uint32_t stage = l->stage[a->root];
        if (stage != nest) {
            uint32_t position = l->stages.at[stage].position;
            if (position > fit->ready) fit->ready = position;
            continue;
        }
        if (a->root == r->index) return false;
        fit->uses = true;
        fit->saves |= l->storage[a->root] != STORE_FULL;
        if (a->prefix < rows) return false; /* elements of another row */
        const struct pass *pass = &l->passes.at[l->pass[a->root]];
        bool on_row = pass->loops.rank == 0; /* made by the row's own statements */
        bool now = l->role[a->root] == ROLE_POINT &&
                   (on_row ? loop->rank == 0 : a->identity && same_loops(&pass->loops, loop));
        uint32_t order = pass->order + !now;
        if (order > fit->order) fit->order = order;
    }
    return true;
}

static bool in_time(const struct placer *p, uint32_t nest, const struct fit *fit, bool scalar) {
    struct stage *n = &p->l->stages.at[nest];
    if (nest == p->early) return scalar && fit->ready == 0;
    bool early = fit->ready < n->position;
    /* Behind other stages that read from it, a nest saves one read of a value that is in memory
     * anyway, and costs the life of another tensor from there to its place in the trace. Of a value
     * that is not in memory it saves the life. */
    if (early && (scalar || p->last == nest || p->wanted == nest || fit->saves)) return true;
    return fit->uses && !n->consumed;
}

/* The loops of a pass that a reduction of columns goes over. */
static uint8_t summed_loops(const struct placer *p, value v) {
    struct loops kept;
    uint8_t columns;
    is_nest_reduction(p->t, v, &kept, &columns);
    uint8_t rank = domain_of(p->t, v).rank;
    return (uint8_t)(rank - kept.rank - columns);
}

/* Whether columns are reduced in a way that takes no products. */
static bool has_few_columns(const struct placer *p, value v) {
    const wg_type *y = type_of(p->t, v);
    struct loops kept;
    uint8_t columns;
    int64_t width = 1;
    is_nest_reduction(p->t, v, &kept, &columns);
    for (size_t k = kept.rank; k < y->rank; k++)
        if (y->extent[k] < 0 || mul_overflows(width, y->extent[k], &width)) return false;
    return width <= SHORT_ROW;
}

/* Reductions of one pass go over the same loops. */
static bool admits(const struct placer *p, uint32_t id, value v) {
    const struct pass *pass = &p->l->passes.at[id];
    if (pass->call || p->l->role[v] == ROLE_CALL) return false;
    if (p->l->role[v] == ROLE_REDUCE || instr_at(p->t, v)->op == OP_dot) return !pass->summed;
    if (p->l->role[v] != ROLE_COLUMNS) return true;
    return !pass->reduces && !(pass->products && has_few_columns(p, v)) &&
           pass->columns < MOST_COLUMNS &&
           (!pass->summed || pass->summed == summed_loops(p, v));
}

/* Puts the statement there; its operands get the storage that this takes. */
static bool put(struct placer *p, value v, uint32_t nest, const struct loops *loop,
                const struct reading *r, const struct fit *fit) {
    struct lowered *l = p->l;
    struct stage *n = &l->stages.at[nest];
    unsigned domain_rank = n->rows.rank + loop->rank;
    if (fit->ready >= n->position && nest != p->early) {
        n->position = ++p->clock;
        p->last = nest;
    }
    uint32_t id = n->first, order = fit->order;
    if (nest == p->wanted && order < p->wanted_order) order = p->wanted_order;
    while (id && (l->passes.at[id].order < order ||
                  !same_loops(&l->passes.at[id].loops, loop) || !admits(p, id, v)))
        id = l->passes.at[id].next;
    if (!id) id = new_pass(p, nest, loop);
    if (!id) return false;
    struct pass *pass = &l->passes.at[id];
    if (pass->last) l->next[pass->last] = v;
    else pass->first = v;
    pass->last = v;
    if (l->role[v] == ROLE_REDUCE) pass->reduces = true;
    if (l->role[v] == ROLE_CALL) pass->call = true;
    else if (instr_at(p->t, v)->op == OP_dot) pass->products = true;
    if (l->role[v] == ROLE_COLUMNS) {
        pass->summed = summed_loops(p, v);
        pass->columns++;
    }
    l->pass[v] = id;
    l->stage[v] = nest;
    l->access_at[v] = (uint32_t)l->access.count;
    if (domain_rank && n->position == p->clock) p->last = nest;
    for (size_t k = 0; k < r->count; k++) {
        const struct access *a = &r->access[k];
        struct access *kept = VEC_PUSH(&p->t->allocator, &l->access);
        if (!kept) return out_of_memory(p);
        *kept = *a;
        for (size_t j = domain_rank; j < WG_MAX_RANK; j++) kept->stride[j] = 0;
        consume(p, a->root, nest);
        if (l->stage[a->root] != nest) {
            store(l, a->root, STORE_FULL);
            continue;
        }
        const struct pass *from = &l->passes.at[l->pass[a->root]];
        if (l->pass[a->root] == id || l->role[a->root] == ROLE_REDUCE || from->loops.rank == 0)
            continue; /* a variable of the loop's body, or of the row */
        store(l, a->root, l->stages.at[nest].rows.rank ? STORE_ROW : STORE_FULL);
    }
    return true;
}

/* Whether the nest has a pass that the statement can share. */
static bool has_pass(const struct placer *p, uint32_t nest, value v, const struct loops *loop,
                     uint32_t order) {
    const struct lowered *l = p->l;
    uint32_t id = l->stages.at[nest].first;
    while (id && (l->passes.at[id].order < order ||
                  !same_loops(&l->passes.at[id].loops, loop) || !admits(p, id, v)))
        id = l->passes.at[id].next;
    return id != 0;
}

/* Turns the loops behind the first `rank` rows of a nest into the loop of its one pass. */
static bool shorten(struct lowered *l, uint32_t nest, const struct loops *rows) {
    struct stage *n = &l->stages.at[nest];
    if (n->rows.rank == rows->rank) return same_loops(&n->rows, rows);
    if (n->rows.rank < rows->rank || n->first != n->last || l->passes.at[n->first].loops.rank ||
        !begins_with(&n->rows, rows))
        return false;
    l->passes.at[n->first].loops = behind(&n->rows, rows->rank);
    n->rows = *rows;
    return true;
}

/* Functions are computed in vectors, for which a loop over a few columns is too short: they go to
 * a nest of their own, whose loops join. */
static bool wants_long_loops(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    const char *formula = i->narg ? formula_of(i->op, type_of(t, v)->dtype) : NULL;
    return formula && strchr(formula, '(');
}

static bool try_nest(struct placer *p, uint32_t nest, value v, const struct loops *domain,
                     const struct loops *kept, const struct reading *r, bool *placed) {
    struct lowered *l = p->l;
    struct fit fit;
    if (!nest || l->stages.at[nest].operation) return true;
    if (l->stages.at[nest].narrow && wants_long_loops(p->t, v)) return true;
    struct stage before = l->stages.at[nest];
    bool shortened = kept && before.rows.rank != kept->rank;
    if (kept && !shorten(l, nest, kept)) return true;
    const struct loops *rows = &l->stages.at[nest].rows;
    if (begins_with(domain, rows)) {
        struct loops loop = behind(domain, rows->rank);
        bool good = fits(p, nest, &loop, r, &fit) && in_time(p, nest, &fit, domain->rank == 0);
        /* A pass of its own is worth nothing where there are no rows to share; in a nest of its
         * own the statement has rows that others can share. */
        if (good && !kept && rows->rank == 0 && domain->rank > 0)
            good = has_pass(p, nest, v, &loop, fit.order);
        if (good) {
            *placed = true;
            if (shortened && kept->rank == 0) p->scalars = nest;
            return put(p, v, nest, &loop, r, &fit);
        }
    }
    if (shortened) {
        l->stages.at[nest].rows = before.rows;
        l->passes.at[before.first].loops = (struct loops){0};
    }
    return true;
}

/* ---- statements that wait -------------------------------------------------------------------- */

/* A statement that reads nothing computed can stand anywhere: it waits for its first reader, and
 * joins the nest that this one will join for the sake of another operand. */
static bool is_waiting(const struct placer *p, value v) {
    return p->l->role[v] == ROLE_POINT && !p->l->pass[v];
}

static bool would_join(const struct placer *p, uint32_t nest, const struct loops *domain,
                       const struct loops *kept, const struct reading *r, uint32_t *order) {
    const struct stage *n = &p->l->stages.at[nest];
    struct fit fit;
    if (!nest || n->operation || nest == p->early || !begins_with(domain, &n->rows)) return false;
    if (kept && !same_loops(kept, &n->rows)) return false;
    struct loops loop = behind(domain, n->rows.rank);
    bool would = fits(p, nest, &loop, r, &fit) && in_time(p, nest, &fit, domain->rank == 0);
    *order = fit.order;
    return would;
}

static bool place_waiting(struct placer *p, const struct loops *domain, const struct loops *kept,
                          const struct reading *r) {
    for (size_t k = 0; k < r->count; k++) {
        if (!is_waiting(p, r->access[k].root)) continue;
        for (size_t other = 0; other < r->count && !p->wanted; other++) {
            uint32_t nest = p->l->stage[r->access[other].root];
            if (would_join(p, nest, domain, kept, r, &p->wanted_order)) p->wanted = nest;
        }
        bool ok = place_point(p, r->access[k].root);
        p->wanted = 0;
        if (!ok) return false;
    }
    return true;
}

/* Whether a statement reads nothing but what is there before the first nest. */
static bool is_early(const struct placer *p, const struct reading *r) {
    for (size_t k = 0; k < r->count; k++) {
        uint32_t stage = p->l->stage[r->access[k].root];
        if (stage && stage != p->early) return false;
    }
    return true;
}

/* Numbers made of inputs and sizes alone: a nest that reads them need not run behind others. */
static bool place_early(struct placer *p, value v, const struct loops *domain,
                        const struct reading *r, bool *placed) {
    if (!p->early) {
        uint32_t scalars = p->scalars;
        p->early = new_stage(p, 0, domain);
        if (!p->early) return false;
        p->l->stages.at[p->early].position = 0;
        p->scalars = scalars;
    }
    return try_nest(p, p->early, v, domain, NULL, r, placed);
}

/* A statement: into a nest that it reads from, else into a near one, else into one of its own. The
 * rows of a reduction's nest are the axes that it keeps. */
static bool place_statement(struct placer *p, value v, const struct loops *kept,
                            const struct reading *r) {
    struct lowered *l = p->l;
    struct loops domain = loops_of(p->t, v);
    bool placed = false;
    if (!place_waiting(p, &domain, kept, r)) return false;
    if (p->wanted && !try_nest(p, p->wanted, v, &domain, kept, r, &placed)) return false;
    bool early = !placed && domain.rank == 0 && !kept && is_early(p, r);
    if (early && !place_early(p, v, &domain, r, &placed)) return false;
    for (size_t k = 0; k < r->count && !placed; k++)
        if (!try_nest(p, l->stage[r->access[k].root], v, &domain, kept, r, &placed)) return false;
    bool scalar_rows = kept ? kept->rank == 0 : domain.rank == 0;
    if (!placed && scalar_rows && !try_nest(p, p->scalars, v, &domain, kept, r, &placed))
        return false;
    for (size_t k = 0; k < NEAR && !placed; k++)
        if (!try_nest(p, p->last_nest[k], v, &domain, kept, r, &placed)) return false;
    if (placed) return true;
    uint32_t nest = new_stage(p, 0, kept ? kept : &domain);
    struct fit fit;
    if (!nest) return false;
    struct loops loop = behind(&domain, l->stages.at[nest].rows.rank);
    fits(p, nest, &loop, r, &fit);
    return put(p, v, nest, &loop, r, &fit);
}

/* An operand of a short dot. Vectors go along the result's last axis: a view that would gather
 * their elements is made whole. */
static bool read_factor(struct placer *p, value dot, size_t k, struct reading *r) {
    struct access *a = &r->access[r->count++];
    if (!access_of_factor(p->l, dot, k, a)) return no_access(p);
    size_t last = (size_t)type_of(p->t, dot)->rank - 1;
    value x = args_of(p->t, instr_at(p->t, dot))[k];
    bool gathers = type_of(p->t, dot)->rank > 0 && a->stride[last] != 0 && a->stride[last] != 1;
    if (!gathers || p->l->role[x] != ROLE_VIEW) return true;
    return need_whole(p, x, 0) && (access_of_factor(p->l, dot, k, a) || no_access(p));
}

/* ---- statements that index with values ------------------------------------------------------- */

/* Has the indices checked, once for each extent. */
static bool check_index(struct placer *p, value by, value index, wg_extent extent) {
    struct lowered *l = p->l;
    for (uint32_t id = l->check[index]; id; id = l->checks.at[id - 1].next)
        if (l->checks.at[id - 1].extent == extent) return true;
    struct index_check *check = VEC_PUSH(&p->t->allocator, &l->checks);
    if (!check) return out_of_memory(p);
    *check = (struct index_check){by, extent, l->check[index]};
    l->check[index] = (uint32_t)l->checks.count;
    return true;
}

static bool read_by(struct placer *p, value v, const int8_t *loop, const wg_type *domain,
                    struct reading *r) {
    return access_by(p->l, v, loop, domain, &r->access[r->count++]) || no_access(p);
}

/* What take reads, whose axis of indices is at loop CONTRACTED: in place, also through views of
 * what lies in memory, so that columns of a table need no copies. */
static bool read_table(struct placer *p, value a, const int8_t *loop, const wg_type *domain,
                       struct reading *r) {
    struct access *to = &r->access[r->count++];
    bool direct = access_by(p->l, a, loop, domain, to) && has_address(p->t, to->root) &&
                  p->l->role[to->root] != ROLE_INDEX;
    if (!need_whole(p, direct ? to->root : a, 0)) return false;
    if (!direct && !access_by(p->l, a, loop, domain, to)) return no_access(p);
    to->by_index = to->stride[CONTRACTED];
    to->stride[CONTRACTED] = 0;
    return true;
}

/* y[b,p,i,q] = a[b,p,index[b,i],q]: with b and p the axes of y up to `axis`. */
static bool place_take(struct placer *p, value v) {
    const struct trace *t = p->t;
    const struct instr *i = instr_at(t, v);
    const value *arg = args_of(t, i);
    int8_t axis = (int8_t)attr_words(t, i->attr)[0], batch = (int8_t)attr_words(t, i->attr)[1];
    const wg_type *a = type_of(t, arg[0]), *index = type_of(t, arg[1]), *y = type_of(t, v);
    struct reading r = {.index = storage_root(p->l, arg[1])};
    int8_t loop[WG_MAX_RANK], own = (int8_t)(index->rank - batch);
    if (!need_whole(p, arg[1], 0) || !check_index(p, v, r.index, a->extent[axis])) return false;
    for (int8_t j = 0; j < a->rank; j++)
        loop[j] = (int8_t)(j < axis ? j : j == axis ? CONTRACTED : j + own - 1);
    if (!read_table(p, arg[0], loop, y, &r)) return false;
    for (int8_t j = 0; j < index->rank; j++) loop[j] = (int8_t)(j < batch ? j : j - batch + axis);
    return read_by(p, arg[1], loop, y, &r) && place_statement(p, v, NULL, &r);
}

/* y[b,p,j,q] = a[b,p,q] where j is index[b], else 0. */
static bool place_scatter_add(struct placer *p, value v) {
    const struct trace *t = p->t;
    const struct instr *i = instr_at(t, v);
    const value *arg = args_of(t, i);
    int8_t axis = (int8_t)attr_words(t, i->attr)[0];
    const wg_type *a = type_of(t, arg[0]), *y = type_of(t, v);
    struct reading r = {.index = storage_root(p->l, arg[1])};
    int8_t loop[WG_MAX_RANK];
    if (!need_whole(p, arg[1], 0) || !check_index(p, v, r.index, y->extent[axis])) return false;
    for (int8_t j = 0; j < a->rank; j++) loop[j] = (int8_t)(j < axis ? j : j + 1);
    if (!read_by(p, arg[0], loop, y, &r)) return false;
    for (int8_t j = 0; j < WG_MAX_RANK; j++) loop[j] = j;
    return read_by(p, arg[1], loop, y, &r) && place_statement(p, v, NULL, &r);
}

/* ---- values of each role --------------------------------------------------------------------- */

static bool place_point(struct placer *p, value v) {
    const struct instr *i = instr_at(p->t, v);
    struct reading r = {0};
    if (i->op == OP_take) return place_take(p, v);
    if (i->op == OP_scatter_add) return place_scatter_add(p, v);
    for (size_t k = 0; k < i->narg; k++)
        if (!read_through(p, args_of(p->t, i)[k], &r)) return false;
    return place_statement(p, v, NULL, &r);
}

/* Whether a nest makes what a short dot reads at all rows of a batch element, and can hold the dot
 * behind it. */
static bool has_made_right(const struct placer *p, const struct access *right, unsigned batch) {
    const struct lowered *l = p->l;
    if (right->prefix < batch || l->role[right->root] != ROLE_POINT) return false;
    if (is_waiting(p, right->root)) return true;
    const struct stage *nest = &l->stages.at[l->stage[right->root]];
    return nest->rows.rank == batch ||
           (nest->rows.rank > batch && nest->first == nest->last &&
            l->passes.at[nest->first].loops.rank == 0);
}

/* The rows of a short dot's nest are those of its left operand: a row of that is made, or read,
 * just before. Where the right operand is made, they are the batch: so it is a row's own. */
static bool place_short_dot(struct placer *p, value v) {
    struct reading r = {0};
    if (!read_factor(p, v, 0, &r) || !read_factor(p, v, 1, &r)) return false;
    struct loops kept = domain_of(p->t, v);
    unsigned batch = dot_of(p->t, v).batch;
    const wg_type *left = type_of(p->t, args_of(p->t, instr_at(p->t, v))[0]);
    bool has_columns = kept.rank == left->rank;
    if (has_columns && batch && has_made_right(p, &r.access[1], batch)) kept.rank = (uint8_t)batch;
    else if (has_columns) kept.rank--;
    if (!place_statement(p, v, has_columns ? &kept : NULL, &r)) return false;
    struct stage *nest = &p->l->stages.at[p->l->stage[v]];
    const wg_type *type = type_of(p->t, v);
    nest->narrow |= type->rank > 0 && type->extent[type->rank - 1] < VECTOR &&
                    type->extent[type->rank - 1] >= 0;
    return true;
}

/* Both operands lie along the summed axis: a view that does not is made whole. */
static bool place_along(struct placer *p, value v) {
    struct reading r = {.count = 2};
    const value *x = args_of(p->t, instr_at(p->t, v));
    struct loops kept = domain_of(p->t, v);
    kept.rank = (uint8_t)dot_of(p->t, v).batch;
    for (size_t k = 0; k < 2; k++) {
        struct access *a = &r.access[k];
        if (!access_of_factor(p->l, v, k, a)) return no_access(p);
        bool good = a->stride[CONTRACTED] == 1 && a->prefix >= kept.rank &&
                    has_address(p->t, a->root) && p->l->role[a->root] != ROLE_INDEX;
        if (good && is_waiting(p, a->root)) continue;
        if (good && type_of(p->t, a->root)->rank > 0) continue;
        if (!need_whole(p, x[k], 0)) return false;
        if (!access_of_factor(p->l, v, k, a)) return no_access(p);
    }
    return place_statement(p, v, &kept, &r);
}

/* A reduction of what lies in a row's buffer, or may, in rows of its own: within that row. */
static bool place_within_row(struct placer *p, value v, const struct loops *kept,
                             const struct reading *r, bool *placed) {
    struct lowered *l = p->l;
    const struct access *a = &r->access[0];
    uint32_t nest = l->stage[a->root];
    *placed = false;
    if (l->role[a->root] != ROLE_POINT || !l->pass[a->root] || !a->identity) return true;
    uint8_t rows = l->stages.at[nest].rows.rank;
    if (l->storage[a->root] == STORE_FULL || rows == 0 || rows >= kept->rank ||
        rows + l->passes.at[l->pass[a->root]].loops.rank != kept->rank + 1)
        return true;
    l->role[v] = ROLE_CALL;
    bool ok = try_nest(p, nest, v, kept, NULL, r, placed);
    if (!*placed) l->role[v] = ROLE_REDUCE;
    return ok;
}

/* The terms of a sum over several axes are taken in the order of memory, so that a view of them is
 * made whole. */
static bool place_reduction(struct placer *p, value v) {
    struct loops kept;
    uint8_t columns;
    struct reading r = {0};
    value x = args_of(p->t, instr_at(p->t, v))[0];
    is_nest_reduction(p->t, v, &kept, &columns);
    bool one_axis = type_of(p->t, x)->rank == kept.rank + 1;
    if (columns) store(p->l, v, STORE_FULL);
    if (!columns && !one_axis && p->l->role[x] == ROLE_VIEW && !need_whole(p, x, 0)) return false;
    if (!read_through(p, x, &r)) return false;
    bool placed = false;
    if (!columns && one_axis && !place_within_row(p, v, &kept, &r, &placed)) return false;
    return placed || place_statement(p, v, &kept, &r);
}

/* What moves elements takes no statement, unless it is a reshape that mixes the axes of a view. */
static bool place_view(struct placer *p, value v) {
    struct access access;
    const struct instr *i = instr_at(p->t, v);
    if (i->op == OP_item) p->l->stages.at[p->l->stage[args_of(p->t, i)[0]]].counted = true;
    if (access_of(p->l, v, &access)) return true;
    if (p->l->extents->error.status) return no_access(p);
    return need_whole(p, access.root, 0);
}

/* Parts that are other names of inputs are copied by the nest that makes another part, unless an
 * earlier operation has read the input by that name. */
static bool read_given_parts(struct placer *p, value v) {
    struct lowered *l = p->l;
    const struct instr *i = instr_at(p->t, v);
    bool computes = false;
    for (size_t k = 0; k < i->narg; k++)
        computes |= l->role[storage_root(l, args_of(p->t, i)[k])] == ROLE_POINT;
    for (size_t k = 0; computes && k < i->narg; k++) {
        value part = args_of(p->t, i)[k];
        struct reading r = {0};
        if (l->role[part] != ROLE_VIEW || l->role[storage_root(l, part)] != ROLE_GIVEN ||
            p->by_name[part])
            continue;
        if (!read_through(p, part, &r)) return false;
        l->role[part] = ROLE_POINT;
        if (!place_statement(p, part, NULL, &r)) return false;
    }
    return true;
}

static bool place_whole(struct placer *p, value v) {
    const struct instr *i = instr_at(p->t, v);
    if (i->op == OP_concat && !read_given_parts(p, v)) return false;
    for (size_t k = 0; k < i->narg; k++)
        if (!need_whole(p, args_of(p->t, i)[k], 0)) return false;
    uint32_t stage = new_stage(p, v, NULL);
    if (!stage) return false;
    p->l->stage[v] = stage;
    p->l->storage[v] = STORE_FULL;
    return true;
}

static void place_result(struct placer *p, value v) {
    struct lowered *l = p->l;
    value region = args_of(p->t, instr_at(p->t, v))[0];
    l->stage[v] = l->stage[region];
    l->storage[v] = STORE_FULL;
    l->next[v] = l->next[region]; /* the results of a region in no order */
    l->next[region] = v;
}

/* Of the operands of a statement that waits none does, so that placing them is one step. */
static bool waits(const struct placer *p, value v) {
    const struct lowered *l = p->l;
    const struct instr *i = instr_at(p->t, v);
    if (type_of(p->t, v)->rank == 0) return false;
    for (size_t k = 0; k < i->narg; k++) {
        value x = args_of(p->t, i)[k];
        while (l->role[x] == ROLE_VIEW) x = args_of(p->t, instr_at(p->t, x))[0];
        if (is_overwritten(p, x)) return false;
        bool there = l->role[x] == ROLE_GIVEN || l->role[x] == ROLE_INDEX ||
                     (l->stage[x] && l->stage[x] == p->early);
        if (!there) return false;
    }
    return true;
}

/* Columns of what lies in memory anyway are better reduced by the library's kernel, which reads
 * ahead of itself; a nest saves nothing there. */
static bool is_for_kernel(const struct lowered *l, const struct trace *t, value v) {
    if (l->role[v] != ROLE_COLUMNS) return false;
    value x = storage_root(l, args_of(t, instr_at(t, v))[0]);
    return l->role[x] == ROLE_WHOLE ||
           (l->role[x] == ROLE_GIVEN && instr_at(t, x)->op != OP_constant);
}

static bool place_value(struct placer *p, value v) {
    p->l->role[v] = (uint8_t)role_of(p->t, v);
    if (is_for_kernel(p->l, p->t, v)) p->l->role[v] = ROLE_WHOLE;
    switch ((enum role)p->l->role[v]) {
    case ROLE_GIVEN:
    case ROLE_INDEX: return true;
    case ROLE_VIEW: return place_view(p, v);
    case ROLE_POINT:
        if (is_short_dot(p->t, v)) return place_short_dot(p, v);
        return waits(p, v) || place_point(p, v);
    case ROLE_REDUCE:
    case ROLE_COLUMNS: return place_reduction(p, v);
    case ROLE_CALL: return place_along(p, v);
    case ROLE_WHOLE: return place_whole(p, v);
    case ROLE_RESULT: place_result(p, v); return true;
    }
    return false;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Reductions over several axes that do not join to one loop read their terms from memory. */
static void settle_reductions(struct lowered *l) {
    for (value v = 1; v < l->count; v++) {
        if (l->role[v] != ROLE_REDUCE) continue;
        const struct stage *nest = &l->stages.at[l->stage[v]];
        if (joins_to_one(l, l->pass[v])) continue;
        value root = l->access.at[l->access_at[v]].root;
        if (l->stage[root] == l->stage[v])
            store(l, root, nest->rows.rank ? STORE_ROW : STORE_FULL);
    }
}

static bool sort_stages(struct placer *p) {
    struct lowered *l = p->l;
    l->order_count = (size_t)p->clock + 1; /* with gaps, where stages moved away */
    l->order = mem_alloc_zero(&p->t->allocator, l->order_count * sizeof *l->order);
    if (!l->order) return out_of_memory(p);
    for (uint32_t i = 1; i < l->stages.count; i++) l->order[l->stages.at[i].position] = i;
    return true;
}

static bool make_room(struct lowered *l, const wg_program *program, wg_error *error) {
    const wg_allocator *a = &program->t.allocator;
    size_t n = program->t.instr.count;
    *l = (struct lowered){.program = program, .count = n};
    l->size_map = mem_alloc(a, (program->t.size.count + 1) * sizeof *l->size_map);
    l->extents = l->size_map ? graph_like(program, l->size_map, error) : NULL;
    l->role = mem_alloc_zero(a, n);
    l->storage = mem_alloc_zero(a, n);
    l->pass = mem_alloc_zero(a, n * sizeof *l->pass);
    l->stage = mem_alloc_zero(a, n * sizeof *l->stage);
    l->next = mem_alloc_zero(a, n * sizeof *l->next);
    l->access_at = mem_alloc_zero(a, n * sizeof *l->access_at);
    l->item = mem_alloc_zero(a, n * sizeof *l->item);
    l->check = mem_alloc_zero(a, n * sizeof *l->check);
    l->place = mem_alloc_zero(a, n * sizeof *l->place);
    struct pass *none = VEC_PUSH(a, &l->passes);
    struct stage *before = VEC_PUSH(a, &l->stages);
    if (none) *none = (struct pass){0};
    if (before) *before = (struct stage){0};
    if (l->extents && l->role && l->storage && l->pass && l->stage && l->next && l->access_at &&
        l->item && l->check && l->place && none && before)
        return true;
    if (!failed(error)) fail_memory(error);
    return false;
}

static bool place_all(struct placer *p) {
    struct lowered *l = p->l;
    const wg_program *program = l->program;
    for (value v = 1; v < l->count; v++)
        if (!place_value(p, p->sequence ? p->sequence[v - 1] : v)) return false;
    for (size_t i = 0; i < program->t.output.count; i++)
        if (!need_whole(p, program->t.output.at[i].v, 0)) return false;
    settle_reductions(l);
    settle_short_rows(l);
    if (!settle_places(l, p->error) || !order_scalars(l, p->error)) return false;
    if (!sort_stages(p) || !list_items(l, p->error)) return false;
    settle_repeats(l);
    return true;
}

bool lower(const wg_program *program, const value *sequence, const bool *taken, struct lowered *l,
           wg_error *error) {
    struct placer p = {
        .l = l, .t = &program->t, .error = error, .sequence = sequence, .taken = taken};
    if (!make_room(l, program, error)) return false;
    p.by_name = mem_alloc_zero(&p.t->allocator, l->count);
    bool ok = p.by_name ? place_all(&p) : !fail_memory(error);
    mem_free(&p.t->allocator, p.by_name, l->count);
    const wg_error *extents = &l->extents->error;
    fail_as(error, extents);
    if (!ok || extents->status) return false;
    cut_items(l);
    return true;
}

void lowered_free(struct lowered *l) {
    if (!l->program) return;
    wg_allocator a = l->program->t.allocator;
    size_t n = l->count;
    wg_graph_free(l->extents);
    mem_free(&a, l->role, n);
    mem_free(&a, l->storage, n);
    mem_free(&a, l->pass, n * sizeof *l->pass);
    mem_free(&a, l->stage, n * sizeof *l->stage);
    mem_free(&a, l->next, n * sizeof *l->next);
    mem_free(&a, l->access_at, n * sizeof *l->access_at);
    mem_free(&a, l->item, n * sizeof *l->item);
    mem_free(&a, l->check, n * sizeof *l->check);
    mem_free(&a, l->place, n * sizeof *l->place);
    mem_free(&a, l->order, l->order_count * sizeof *l->order);
    mem_free(&a, l->size_map, (l->program->t.size.count + 1) * sizeof *l->size_map);
    VEC_FREE(&a, &l->passes);
    VEC_FREE(&a, &l->stages);
    VEC_FREE(&a, &l->access);
    VEC_FREE(&a, &l->items);
    VEC_FREE(&a, &l->checks);
    VEC_FREE(&a, &l->places);
    VEC_FREE(&a, &l->repeats);
    VEC_FREE(&a, &l->moves);
    VEC_FREE(&a, &l->repeated);
    VEC_FREE(&a, &l->sequence);
    if (l->repeat) mem_free(&a, l->repeat, n * sizeof *l->repeat);
    if (l->position) mem_free(&a, l->position, n * sizeof *l->position);
    *l = (struct lowered){0};
}
