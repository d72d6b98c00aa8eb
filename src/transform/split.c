/* What a loop keeps for its reverse. The adjoints of one iteration read values of the body: some of
 * them depend on nothing but captures, slices and the index, which are there again when the loop
 * runs backwards; others must be kept, or computed again from what is kept. Which ones is the
 * smallest cut of the body's graph between what is carried or dear to compute and what the adjoints
 * read, each value weighed by its bytes (a maximal flow: Ford and Fulkerson, by shortest paths). So
 * an array that is carried along is never kept where the elements read from it are enough. Where
 * many numbers are kept, they are kept as vectors. */
#include "transform/split.h"

#include "op/build.h"
#include "transform/derive.h"
#include "transform/region.h"

struct split {
    struct derivation d; /* of the body, whose graph holds one iteration and its adjoints */
    const struct region *r;
    const uint8_t *mask;
    size_t plain;    /* results without kept ones */
    value *ct_carry, *sum, *ct_result; /* inputs: of active carries, captures; floating results */
    value *want;     /* what the reverse gives */
    size_t carries, sums, results, wants;
    uint8_t *state; /* of each value of d.g */
    VEC(value) kept;         /* values by themselves, then those of each pack */
    VEC(struct span) pack;   /* in kept: numbers of one type that are kept as one vector */
    size_t singles;
};

enum {
    FEW_KEPT = 32,   /* values that are results of their own each */
    MOST_PACKED = 200 /* numbers in a vector */
};

enum { DEPENDS = 1, NEEDED = 2, READ = 4, CARRIED = 8, THERE = 16 }; /* bits of state */

/* ---- activity -------------------------------------------------------------------------------- */

bool split_active(const wg_program *body, const struct region *r, uint8_t *mask, wg_error *error) {
    const struct trace *t = &body->t;
    bool *active = mem_alloc(&t->allocator, t->instr.count), again = true;
    if (!active) return fail_memory(error), false;
    while (again) {
        again = false;
        memset(active, 0, t->instr.count);
        for (value v = 1; v < t->instr.count; v++) {
            const struct instr *i = instr_at(t, v);
            enum op_class class = (enum op_class)op_def(i->op)->class;
            size_t index = i->op == OP_input ? input_number(t, v) : 0;
            if (index) active[v] = mask[index - 1];
            if (class == NODIFF ||
                (class != REGION && !dtype_is_float(type_at(t, i->type)->dtype)))
                continue;
            for (size_t k = 0; k < i->narg; k++) active[v] |= active[args_of(t, i)[k]];
        }
        for (size_t k = 0; k < r->carries; k++) {
            value v = t->output.at[k].v;
            if (!active[v] || mask[r->captures + k] || !value_is_float(t, v))
                continue;
            mask[r->captures + k] = again = true;
        }
    }
    mem_free(&t->allocator, active, t->instr.count);
    return true;
}

/* ---- one iteration and its adjoints ---------------------------------------------------------- */

static value input_like(struct split *s, const char *format, const char *name, value v) {
    const char *fresh = derive_name(&s->d, false, format, name, "");
    if (!fresh || s->d.g->error.status) return 0;
    wg_type type = *type_of(&s->d.g->t, v);
    return graph_input(s->d.g, fresh, &type);
}

static bool derive_iteration(struct split *s, bool guarded) {
    struct derivation *d = &s->d;
    const struct region *r = s->r;
    wg_graph *g = d->g;
    size_t operands = r->captures + r->carries + r->stacks, outputs = r->carries + s->plain;
    bool *active = derive_array(d, operands + 1, sizeof *active);
    value *y = derive_array(d, outputs + r->captures, sizeof *y);
    value *ct = derive_array(d, outputs + r->captures, sizeof *ct);
    value *wrt = derive_array(d, operands, sizeof *wrt);
    s->want = derive_array(d, operands, sizeof *s->want);
    s->ct_carry = derive_array(d, r->carries, sizeof *s->ct_carry);
    s->sum = derive_array(d, r->captures, sizeof *s->sum);
    s->ct_result = derive_array(d, s->plain, sizeof *s->ct_result);
    if (g->error.status || !derive_inputs(d)) return false;
    g->is_iteration = true;
    for (size_t k = 0; k < operands; k++) active[1 + k] = s->mask[k];
    if (!region_inline(g, d->from, d->input, active, d->size_map, d->map)) return false;
    size_t seeds = 0, n = 0;
    for (size_t k = 0; k < r->carries; k++) {
        if (!s->mask[r->captures + k]) continue;
        value in = d->input[1 + r->captures + k];
        y[seeds] = d->map[d->from->output.at[k].v];
        ct[seeds++] = s->ct_carry[s->carries++] =
            input_like(s, "%a_bar", from_input_name(d, 1 + r->captures + k), in);
        wrt[n++] = in;
    }
    for (size_t k = 0; k < r->captures; k++) {
        if (!s->mask[k]) continue;
        y[seeds] = wrt[n++] = d->input[1 + k]; /* its adjoint begins with the sum so far */
        ct[seeds++] = s->sum[s->sums++] =
            input_like(s, "%a_sum", from_input_name(d, 1 + k), d->input[1 + k]);
    }
    for (size_t k = 0; k < r->stacks; k++)
        if (s->mask[r->captures + r->carries + k])
            wrt[n++] = d->input[1 + r->captures + r->carries + k];
    for (size_t k = 0; k < s->plain; k++) {
        value v = d->map[d->from->output.at[r->carries + k].v];
        if (g->error.status || !value_is_float(&g->t, v)) continue;
        y[seeds] = v;
        ct[seeds++] = s->ct_result[s->results++] =
            input_like(s, "%a_bar", from_output_name(d, r->carries + k), v);
    }
    if (!vjp_guarded(g, y, ct, seeds, wrt, n, guarded, s->want)) return false;
    for (size_t k = 0; k < n; k++) s->want[k] = derive_or_zero(d, s->want[k], wrt[k]);
    s->wants = n;
    return g->error.status == WG_OK;
}

/* ---- what is needed -------------------------------------------------------------------------- */

/* Marks what depends on adjoints, what the reverse needs, and what of the primal part it reads. */
static bool mark_needs(struct split *s) {
    const struct trace *t = &s->d.g->t;
    const struct region *r = s->r;
    s->state = derive_array(&s->d, t->instr.count, 1);
    if (!s->state) return false;
    for (size_t k = 0; k < s->carries; k++) s->state[s->ct_carry[k]] |= DEPENDS | THERE;
    for (size_t k = 0; k < s->sums; k++) s->state[s->sum[k]] |= DEPENDS | THERE;
    for (size_t k = 0; k < s->results; k++) s->state[s->ct_result[k]] |= DEPENDS | THERE;
    for (size_t k = 0; k <= r->captures; k++) s->state[s->d.input[k]] |= THERE;
    for (size_t k = 0; k < r->carries; k++)
        s->state[s->d.input[1 + r->captures + k]] |= CARRIED;
    for (size_t k = 0; k < r->stacks; k++)
        s->state[s->d.input[1 + r->captures + r->carries + k]] |= THERE;
    for (value v = 1; v < t->instr.count; v++)
        for (size_t k = 0; k < instr_at(t, v)->narg; k++)
            s->state[v] |= s->state[args_of(t, instr_at(t, v))[k]] & DEPENDS;
    for (size_t k = 0; k < s->wants; k++)
        s->state[s->want[k]] |= NEEDED | (s->state[s->want[k]] & DEPENDS ? 0 : READ);
    for (value v = (value)t->instr.count; v-- > 1;) {
        if (!(s->state[v] & NEEDED)) continue;
        for (size_t k = 0; k < instr_at(t, v)->narg; k++) {
            value x = args_of(t, instr_at(t, v))[k];
            s->state[x] |= NEEDED;
            if (s->state[v] & DEPENDS && !(s->state[x] & DEPENDS)) s->state[x] |= READ;
        }
    }
    return true;
}

/* Whether the reverse may compute it again: a few instructions an element. */
static bool is_cheap(unsigned op) {
    switch (op) {
    case OP_add:
    case OP_sub:
    case OP_mul:
    case OP_mulz:
    case OP_div:
    case OP_divz:
    case OP_neg:
    case OP_abs:
    case OP_sign:
    case OP_max:
    case OP_min:
    case OP_relu:
    case OP_square:
    case OP_reciprocal:
    case OP_where:
    case OP_cast:
    case OP_copy:
    case OP_stop_gradient:
    case OP_settled:
    case OP_not:
    case OP_take:
    case OP_reshape:
    case OP_transpose:
    case OP_broadcast:
    case OP_slice: return true;
    default: break;
    }
    const struct op_def *def = op_def(op);
    return def->class == LEAF || (op_is_elementwise(op) && def->class == NODIFF);
}

/* ---- the cut --------------------------------------------------------------------------------- */

enum { ASSUMED_SIZE = 1000, FOREVER = INT32_MAX };

struct edge {
    uint32_t to, next; /* next of the same node; edge i ^ 1 is the way back */
    int64_t room;
};

struct flow { /* node 0: where values come from; 1: where they are read; 2v, 2v+1: v in and out */
    const wg_allocator *a;
    VEC(struct edge) edge; /* 0 and 1 unused */
    uint32_t *first, *by;  /* of each node */
    uint32_t *queue;
    size_t nodes;
};

static bool connect(struct flow *f, size_t from, size_t to, int64_t room) {
    if (!VEC_RESERVE(f->a, &f->edge, f->edge.count + 2)) return false;
    uint32_t n = (uint32_t)f->edge.count;
    f->edge.at[n] = (struct edge){(uint32_t)to, f->first[from], room};
    f->edge.at[n + 1] = (struct edge){(uint32_t)from, f->first[to], 0};
    f->first[from] = n;
    f->first[to] = n + 1;
    f->edge.count += 2;
    return true;
}

/* Marks in f->by the edge by which each node is reached; whether the reader is. */
static bool search(struct flow *f) {
    size_t head = 0, tail = 0;
    memset(f->by, 0, f->nodes * sizeof *f->by);
    f->queue[tail++] = 0;
    f->by[0] = UINT32_MAX;
    while (head < tail && !f->by[1]) {
        uint32_t at = f->queue[head++];
        for (uint32_t e = f->first[at]; e; e = f->edge.at[e].next) {
            uint32_t to = f->edge.at[e].to;
            if (f->by[to] || f->edge.at[e].room == 0) continue;
            f->by[to] = e;
            f->queue[tail++] = to;
        }
    }
    return f->by[1] != 0;
}

static void augment(struct flow *f) {
    int64_t room = INT64_MAX;
    for (uint32_t at = 1; at; at = f->edge.at[f->by[at] ^ 1].to)
        if (f->edge.at[f->by[at]].room < room) room = f->edge.at[f->by[at]].room;
    for (uint32_t at = 1; at; at = f->edge.at[f->by[at] ^ 1].to) {
        f->edge.at[f->by[at]].room -= room;
        f->edge.at[f->by[at] ^ 1].room += room;
    }
}

static int64_t weight(struct split *s, const int64_t *size, value v) {
    const struct trace *t = &s->d.g->t;
    const wg_type *type = type_of(t, v);
    int64_t shape[WG_MAX_RANK], count;
    if (type->rank == WG_MAX_RANK || !type_eval(t, type, size, shape, &count) ||
        count > FOREVER / 16)
        return FOREVER;
    return 1 + 8 * count;
}

/* Whether the reverse may compute a value again, and from what: a result of a loop that is run
 * again for such results from all that the loop is given. */
static bool is_again(const struct split *s, value v, const value **source, size_t *count) {
    const struct trace *t = &s->d.g->t;
    const struct instr *i = instr_at(t, v);
    *count = 0;
    if (s->state[v] & CARRIED) return false;
    if (i->op == OP_item) {
        i = instr_at(t, args_of(t, i)[0]);
        if (i->op != OP_loop || !(region_open(t, i->op, i->attr).flags & LOOP_RECORD))
            return false;
    } else if (!is_cheap(i->op)) {
        return false;
    }
    size_t skipped = i->op == OP_settled; /* it is the second one, backwards */
    *count = i->narg - skipped;
    *source = args_of(t, i) + skipped;
    return true;
}

static bool fill_flow(struct split *s, struct flow *f) {
    const struct trace *t = &s->d.g->t;
    int64_t *size = derive_array(&s->d, t->size.count, sizeof *size);
    if (!size) return false;
    for (size_t i = 0; i < t->size.count; i++) size[i] = ASSUMED_SIZE;
    bool ok = true;
    for (value v = 1; ok && v < t->instr.count; v++) {
        uint8_t state = s->state[v];
        const struct instr *i = instr_at(t, v);
        if (!(state & NEEDED) || state & (DEPENDS | THERE) || i->op == OP_loop ||
            i->op == OP_branch)
            continue;
        size_t sources;
        const value *source = NULL;
        bool again = is_again(s, v, &source, &sources);
        ok = connect(f, 2 * v, 2 * v + 1, weight(s, size, v));
        if (ok && !again) ok = connect(f, 0, 2 * v, INT64_MAX / 4);
        for (size_t k = 0; ok && k < sources; k++)
            if (!(s->state[source[k]] & THERE))
                ok = connect(f, 2 * source[k] + 1, 2 * v, INT64_MAX / 4);
        if (ok && state & READ) ok = connect(f, 2 * v + 1, 1, INT64_MAX / 4);
    }
    return ok;
}

static bool choose_kept(struct split *s) {
    const struct trace *t = &s->d.g->t;
    const wg_allocator *a = &t->allocator;
    struct flow f = {.a = a, .nodes = 2 * t->instr.count + 2};
    size_t bytes = f.nodes * sizeof(uint32_t);
    f.first = mem_alloc_zero(a, bytes);
    f.by = mem_alloc(a, bytes);
    f.queue = mem_alloc(a, bytes);
    bool ok = f.first && f.by && f.queue && VEC_RESERVE(a, &f.edge, 2);
    if (ok) memset(f.edge.at, 0, 2 * sizeof *f.edge.at), f.edge.count = 2;
    ok = ok && fill_flow(s, &f);
    while (ok && search(&f)) augment(&f);
    for (value v = 1; ok && v < t->instr.count; v++) {
        if (!f.by[2 * v] || f.by[2 * v + 1]) continue;
        value *new = VEC_PUSH(a, &s->kept);
        ok = new != NULL;
        if (ok) *new = v;
    }
    mem_free(a, f.first, bytes);
    mem_free(a, f.by, bytes);
    mem_free(a, f.queue, bytes);
    VEC_FREE(a, &f.edge);
    if (!ok) fail_memory(&s->d.g->error);
    return ok;
}

/* Many numbers are kept as vectors: a region has room for a few hundred results, and one slice of a
 * stack is read faster than many. */
static bool pack_kept(struct split *s) {
    const struct trace *t = &s->d.g->t;
    const wg_allocator *a = &t->allocator;
    size_t count = s->kept.count, at = 0;
    s->singles = count;
    if (count <= FEW_KEPT) return true;
    value *all = derive_array(&s->d, count, sizeof *all);
    if (!all) return false;
    memcpy(all, s->kept.at, count * sizeof *all);
    for (size_t k = 0; k < count; k++)
        if (type_of(t, all[k])->rank > 0) s->kept.at[at++] = all[k];
    s->singles = at;
    for (unsigned dtype = 0; dtype < WG_DTYPE_COUNT; dtype++) {
        struct span *pack = NULL;
        for (size_t k = 0; k < count; k++) {
            const wg_type *type = type_of(t, all[k]);
            if (type->rank > 0 || type->dtype != dtype) continue;
            if (!pack || pack->count == MOST_PACKED) {
                pack = VEC_PUSH(a, &s->pack);
                if (!pack) return fail_memory(&s->d.g->error), false;
                *pack = (struct span){.at = (uint32_t)at};
            }
            s->kept.at[at++] = all[k];
            pack->count++;
        }
    }
    return true;
}

/* ---- the two programs ------------------------------------------------------------------------ */

struct part { /* a program in the making of some of the values */
    struct split *s;
    wg_graph *g;
    wg_extent *size_map;
    value *map;
    uint8_t *need;
    wg_error *error;
};

static bool open_part(struct split *s, struct part *p, wg_error *error) {
    const struct trace *t = &s->d.g->t;
    *p = (struct part){.s = s, .g = graph_new(&t->allocator), .error = error};
    p->size_map = derive_array(&s->d, t->size.count, sizeof *p->size_map);
    p->map = derive_array(&s->d, t->instr.count, sizeof *p->map);
    p->need = derive_array(&s->d, t->instr.count, 1);
    if (!p->g || !p->size_map || !p->map || !p->need) return fail_memory(error), false;
    for (size_t i = 0; i < t->size.count; i++)
        p->size_map[i] = extent_size(p->g, graph_size(p->g, name_at(t, t->size.at[i])));
    return true;
}

static void part_input(struct part *p, const char *format, const char *name, value v) {
    struct derivation namer = {.g = p->g, .scratch = p->s->d.scratch};
    const char *fresh = derive_name(&namer, false, format, name, "");
    p->s->d.scratch = namer.scratch;
    if (!fresh || p->g->error.status) return;
    const struct trace *t = &p->s->d.g->t;
    wg_type type = graph_import_type(p->g, t, type_of(t, v), p->size_map);
    p->map[v] = graph_input(p->g, fresh, &type);
}

static void part_given(struct part *p, value v) {
    const struct trace *t = &p->s->d.g->t;
    part_input(p, "%a", name_at(t, t->input.at[input_number(t, v)].name), v);
}

/* Takes over what the outputs need that is no input. Backwards, settled elements are those of what
 * is there at the end. */
static void part_fill(struct part *p, const value *out, size_t count, bool backwards) {
    const struct trace *t = &p->s->d.g->t;
    for (size_t k = 0; k < count; k++) p->need[out[k]] = 1;
    for (value v = (value)t->instr.count; v-- > 1;) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = backwards && i->op == OP_settled; k < i->narg; k++)
            if (p->need[v] && !p->map[v]) p->need[args_of(t, i)[k]] = 1;
    }
    for (value v = 1; v < t->instr.count && !p->g->error.status; v++) {
        const struct instr *i = instr_at(t, v);
        if (!p->need[v] || p->map[v]) continue;
        if (backwards && i->op == OP_settled) p->map[v] = p->map[args_of(t, i)[1]];
        else p->map[v] = graph_import(p->g, t, v, p->size_map, p->map);
    }
    p->g->site = 0;
}

static void part_output(struct part *p, const char *name, value v) {
    struct derivation namer = {.g = p->g, .scratch = p->s->d.scratch};
    if (p->g->error.status) return;
    const char *fresh = derive_name(&namer, true, "%a", name, "");
    p->s->d.scratch = namer.scratch;
    if (fresh) graph_output(p->g, fresh, v);
}

static value packed(struct part *p, const value *v, size_t count) {
    value part[MOST_PACKED];
    for (size_t k = 0; k < count; k++) part[k] = p->map[v[k]];
    return build_stack(p->g, part, count, 0);
}

/* The numbers of a pack, out of an input of the part. */
static void part_packed_input(struct part *p, const value *v, size_t count) {
    struct derivation namer = {.g = p->g, .scratch = p->s->d.scratch};
    const char *fresh = derive_name(&namer, false, "%a", "kept", "");
    p->s->d.scratch = namer.scratch;
    if (!fresh || p->g->error.status) return;
    wg_type type = *type_of(&p->s->d.g->t, v[0]), number = type;
    type.rank = 1;
    type.extent[0] = (wg_extent)count;
    value all = graph_input(p->g, fresh, &type);
    for (size_t k = 0; k < count; k++) {
        wg_extent at = (wg_extent)k;
        p->map[v[k]] =
            build_reshape(p->g, build_slice_axis(p->g, all, 0, at, at + 1, 1), &number);
    }
}

static wg_program *forward_part(struct split *s, wg_error *error) {
    struct part p;
    size_t outputs = s->r->carries + s->plain, count = outputs + s->kept.count;
    value *out = derive_array(&s->d, count, sizeof *out);
    if (!open_part(s, &p, error) || !out) return wg_graph_free(p.g), NULL;
    for (size_t k = 0; k < outputs; k++) out[k] = s->d.map[s->d.from->output.at[k].v];
    if (s->kept.count) memcpy(out + outputs, s->kept.at, s->kept.count * sizeof *out);
    for (size_t k = 0; k < s->d.from->input.count; k++) part_given(&p, s->d.input[k]);
    graph_import_checks(p.g, &s->d.g->t, p.size_map);
    part_fill(&p, out, count, false);
    for (size_t k = 0; k < outputs; k++)
        part_output(&p, from_output_name(&s->d, k), p.map[out[k]]);
    for (size_t k = 0; k < s->singles; k++) part_output(&p, "kept", p.map[s->kept.at[k]]);
    for (size_t k = 0; k < s->pack.count; k++)
        part_output(&p, "kept", packed(&p, s->kept.at + s->pack.at[k].at, s->pack.at[k].count));
    return graph_build(p.g, p.error);
}

static wg_program *reverse_part(struct split *s, wg_error *error) {
    struct part p;
    const struct region *r = s->r;
    if (!open_part(s, &p, error)) return wg_graph_free(p.g), NULL;
    for (size_t k = 0; k <= r->captures; k++) part_given(&p, s->d.input[k]);
    for (size_t k = 0; k < s->carries; k++) part_given(&p, s->ct_carry[k]);
    for (size_t k = 0; k < s->sums; k++) part_given(&p, s->sum[k]);
    for (size_t k = 0; k < s->singles; k++) part_input(&p, "%a", "kept", s->kept.at[k]);
    for (size_t k = 0; k < s->pack.count; k++)
        part_packed_input(&p, s->kept.at + s->pack.at[k].at, s->pack.at[k].count);
    for (size_t k = 0; k < r->stacks; k++)
        part_given(&p, s->d.input[1 + r->captures + r->carries + k]);
    for (size_t k = 0; k < s->results; k++) part_given(&p, s->ct_result[k]);
    part_fill(&p, s->want, s->wants, true);
    for (size_t k = 0; k < s->wants; k++) part_output(&p, "x_bar", p.map[s->want[k]]);
    return graph_build(p.g, p.error);
}

bool split_loop(const wg_program *body, const struct region *r, const uint8_t *mask, bool guarded,
                wg_program **forward, wg_program **reverse, size_t *kept, wg_error *error) {
    struct split s = {.r = r, .mask = mask, .plain = r->results - r->kept};
    *forward = *reverse = NULL;
    if (derive_begin(&s.d, body, error) && derive_iteration(&s, guarded) && mark_needs(&s) &&
        choose_kept(&s) && pack_kept(&s)) {
        *forward = forward_part(&s, error);
        if (*forward) *reverse = reverse_part(&s, error);
        *kept = s.singles + s.pack.count;
    }
    if (s.d.g) {
        if (s.d.g->error.status) fail_with(error, s.d.g->error.status, "%s", s.d.g->error.message);
        VEC_FREE(&s.d.g->t.allocator, &s.kept);
        VEC_FREE(&s.d.g->t.allocator, &s.pack);
    }
    wg_graph_free(s.d.g);
    arena_free(&s.d.scratch);
    return *forward && *reverse;
}
