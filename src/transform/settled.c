/* Which elements are settled is a question about indices. An element that iteration i of the loop
 * reads is settled if no write of the same array in iteration i, or later, has its index. Indices
 * are polynomials (op/whole.h) in sizes and in the counters of the loop and of the loops within it,
 * each of which has a count that is a polynomial in sizes and the counters around it. The
 * difference D of two indices is shown to be nowhere 0
 *     by bounds: D > 0, or D < 0, in all iterations, or
 *     by a stride S, a product of sizes and a number: D = S B + A with 0 < A < S, or -S < A < 0
 *     (two columns of a matrix that lies row by row).
 * For bounds, counters are replaced by their first or last value, from the innermost on, where
 * their coefficient has a sign; what is left, a polynomial in sizes >= 0, some of them > 0, is not
 * negative if no coefficient is.
 *
 * Programs compute modulo 2^64; polynomials do not. So only indices are looked at of which each
 * term, with counters at most as large as their loops are long, is at most 2^12 times the extent of
 * the axis: of an array in memory that is less than 2^62 all together. */
#include "transform/settled.h"

#include "op/build.h"
#include "op/describe.h"
#include "op/whole.h"
#include "transform/derive.h"
#include "transform/region.h"
#include "wengert/loop.h"

enum { MOST_COUNTERS = 48, MOST_WRITES = 200, MOST_FINALS = 24, MOST_LIFTED = 16,
       OPAQUE = 1 << 20, LARGEST_COEFFICIENT = 1 << 12, MOST_EFFORT = 1 << 17 };

struct counter { /* 0 .. the smaller of count and length */
    struct whole count, length;
    bool has_count, has_length;
};

/* Elements of an array that are read or written, at an index of an axis of so many, in front of
 * which there are `before` elements by their axes. */
struct access {
    uint32_t chain; /* which array: 1 + the number of the carry */
    struct whole at, extent, before;
};

struct nest { /* a loop and the loops within it */
    const wg_allocator *a;
    const struct trace *t; /* around it: its sizes are those of polynomials */
    struct counter counter[MOST_COUNTERS];
    size_t counters;
    struct access write[MOST_WRITES];
    size_t writes;
    bool spoiled[REGION_OPERANDS + 1]; /* chains of which not all is known */
    bool *positive;                    /* sizes that are not 0 where an iteration runs */
    size_t found;
    size_t effort; /* steps of proofs so far */
    wg_error *error;
};

struct scope { /* a program at one place of the nest */
    const struct trace *t;
    struct whole *size, *at; /* of its sizes; of its integers */
    bool *size_known, *known;
    uint32_t *chain; /* the array that a value is, after some of its writes; 0: none */
    size_t counter;
};

/* ---- what is known of values ----------------------------------------------------------------- */

static bool scope_begin(struct nest *n, struct scope *s, const struct trace *t) {
    size_t values = t->instr.count, sizes = t->size.count + 1;
    *s = (struct scope){.t = t};
    s->size = mem_alloc_zero(n->a, sizes * sizeof *s->size);
    s->at = mem_alloc_zero(n->a, values * sizeof *s->at);
    s->size_known = mem_alloc_zero(n->a, sizes);
    s->known = mem_alloc_zero(n->a, values);
    s->chain = mem_alloc_zero(n->a, values * sizeof *s->chain);
    bool ok = s->size && s->at && s->size_known && s->known && s->chain;
    if (!ok) fail_memory(n->error);
    return ok;
}

static void scope_end(struct nest *n, struct scope *s) {
    size_t values = s->t ? s->t->instr.count : 0, sizes = s->t ? s->t->size.count + 1 : 0;
    if (s->size) mem_free(n->a, s->size, sizes * sizeof *s->size);
    if (s->at) mem_free(n->a, s->at, values * sizeof *s->at);
    if (s->size_known) mem_free(n->a, s->size_known, sizes);
    if (s->known) mem_free(n->a, s->known, values);
    if (s->chain) mem_free(n->a, s->chain, values * sizeof *s->chain);
}

/* An extent of the scope's program. */
static bool extent_at(const struct scope *s, wg_extent e, struct whole *result) {
    struct whole p, sum = {0};
    if (!whole_extent(s->t, e, &p)) return false;
    for (uint32_t k = 0; k < p.count; k++) {
        struct whole product = whole_number(p.term[k].coefficient);
        for (size_t j = 0; j < MOST_FACTORS && p.term[k].factor[j]; j++) {
            uint32_t size = p.term[k].factor[j] & ~(uint32_t)FACTOR_SIZE;
            if (!s->size_known[size] || !whole_multiply(&product, &s->size[size], &product))
                return false;
        }
        if (!whole_add_times(&sum, &product, 1)) return false;
    }
    *result = sum;
    return true;
}

static bool integer_at(const struct scope *s, value v, struct whole *p) {
    const struct instr *i = instr_at(s->t, v);
    const value *x = args_of(s->t, i);
    for (size_t k = 0; k < i->narg; k++)
        if (!s->known[x[k]]) return false;
    switch (i->op) {
    case OP_constant: *p = whole_number((uint64_t)attr_words(s->t, i->attr)[0]); return true;
    case OP_size: return extent_at(s, attr_words(s->t, i->attr)[0], p);
    case OP_copy: *p = s->at[x[0]]; return true;
    case OP_neg:
        *p = (struct whole){0};
        return whole_add_times(p, &s->at[x[0]], (uint64_t)-1);
    case OP_add:
    case OP_sub:
        *p = s->at[x[0]];
        return whole_add_times(p, &s->at[x[1]], i->op == OP_add ? 1 : (uint64_t)-1);
    case OP_mul: return whole_multiply(&s->at[x[0]], &s->at[x[1]], p);
    default: return false;
    }
}

static bool is_update(const struct instr *i) {
    return i->op == OP_index_add || i->op == OP_index_set;
}

/* All but inputs, whose maker fills them in. */
static void scope_fill(struct scope *s) {
    for (value v = 1; v < s->t->instr.count; v++) {
        const struct instr *i = instr_at(s->t, v);
        const value *x = args_of(s->t, i);
        const wg_type *type = type_of(s->t, v);
        if (i->op == OP_input) continue;
        if (is_update(i) || i->op == OP_copy || i->op == OP_reshape) s->chain[v] = s->chain[x[0]];
        if (i->op == OP_item && instr_at(s->t, x[0])->op == OP_loop) {
            const struct instr *loop = instr_at(s->t, x[0]);
            struct region r = region_open(s->t, loop->op, loop->attr);
            size_t k = (size_t)attr_words(s->t, i->attr)[0];
            if (k < r.carries)
                s->chain[v] = s->chain[args_of(s->t, loop)[r.lead + r.captures + k]];
        }
        if (type->dtype == WG_I64 && type->rank == 0) s->known[v] = integer_at(s, v, &s->at[v]);
    }
}

static size_t input_number(const struct trace *t, value v) {
    return (size_t)attr_words(t, instr_at(t, v)->attr)[0];
}

/* Opens the body of loop v of scope s: with a counter of its own. False where there is no room, or
 * an error. */
static bool enter_loop(struct nest *n, const struct scope *s, value v, struct scope *inner) {
    const struct instr *i = instr_at(s->t, v);
    const value *x = args_of(s->t, i);
    struct region r = region_open(s->t, i->op, i->attr);
    const struct trace *t = &region_body(s->t, &r, 0)->body->t;
    const wg_extent *size = region_sizes(s->t, &r, 0);
    *inner = (struct scope){0};
    if (n->counters == MOST_COUNTERS || !scope_begin(n, inner, t)) return false;
    struct counter *c = &n->counter[inner->counter = n->counters++];
    *c = (struct counter){0};
    c->has_length = extent_at(s, r.length, &c->length);
    value count = r.lead ? region_bare_count(s->t, x[0], r.length) : 0;
    if (count && s->known[count]) c->count = s->at[count], c->has_count = true;
    for (size_t k = 0; k < t->size.count; k++)
        inner->size_known[k] = extent_at(s, size[k], &inner->size[k]);
    for (size_t k = 0; k < 1 + r.captures + r.carries; k++) {
        value in = t->input.at[k].v;
        if (k == 0) {
            inner->at[in] = whole_factor((uint32_t)inner->counter + 1);
            inner->known[in] = true;
        } else {
            value given = x[r.lead + k - 1];
            inner->chain[in] = s->chain[given];
            inner->known[in] = k <= r.captures && s->known[given];
            if (inner->known[in]) inner->at[in] = s->at[given];
        }
    }
    scope_fill(inner);
    return true;
}

/* ---- writes ---------------------------------------------------------------------------------- */

static bool is_at_integer(const struct scope *s, value v) {
    const struct instr *i = instr_at(s->t, v);
    value index = args_of(s->t, i)[i->narg - 1];
    return type_of(s->t, index)->rank == 0 && attr_words(s->t, i->attr)[1] == 0 &&
           s->known[index];
}

static bool divides(const struct whole_term *a, const struct whole_term *b) {
    size_t at = 0;
    for (size_t j = 0; j < MOST_FACTORS && a->factor[j]; j++, at++) {
        while (at < MOST_FACTORS && b->factor[at] > a->factor[j]) at++;
        if (at == MOST_FACTORS || b->factor[at] != a->factor[j]) return false;
    }
    return true;
}

static int64_t magnitude(const struct whole_term *term) {
    int64_t c = (int64_t)term->coefficient;
    return c < 0 ? -c : c;
}

/* Whether a term is not larger than an extent a few times over: than one of the terms that it is
 * the sum of, from which only a small number is taken away. */
static bool is_within_extent(const struct whole_term *term, const struct whole *extent) {
    bool is = false;
    for (uint32_t k = 0; k < extent->count; k++) {
        const struct whole_term *room = &extent->term[k];
        if ((int64_t)room->coefficient < 0) {
            if (room->factor[0] || magnitude(room) > LARGEST_COEFFICIENT) return false;
        } else if (divides(term, room)) {
            is = is || term->coefficient / LARGEST_COEFFICIENT <= room->coefficient;
        }
    }
    return is || (!term->factor[0] && term->coefficient <= LARGEST_COEFFICIENT);
}

/* Whether each term is, where counters are as large as they can be. */
static bool stays_small(const struct nest *n, const struct whole *p, const struct whole *extent) {
    for (uint32_t k = 0; k < p->count; k++) {
        const struct whole_term *term = &p->term[k];
        struct whole most = whole_number((uint64_t)magnitude(term));
        for (size_t j = 0; j < MOST_FACTORS && term->factor[j]; j++) {
            uint32_t f = term->factor[j];
            struct whole by = whole_factor(f);
            if (!(f & FACTOR_SIZE)) {
                if (f & OPAQUE || !n->counter[f - 1].has_length) return false;
                by = n->counter[f - 1].length;
            }
            for (uint32_t m = 0; m < by.count; m++)
                if (magnitude(&by.term[m]) > 1 << 20) return false;
            if (!whole_multiply(&most, &by, &most)) return false;
            for (uint32_t m = 0; m < most.count; m++)
                if (magnitude(&most.term[m]) > (int64_t)1 << 40) return false;
        }
        for (uint32_t m = 0; m < most.count; m++)
            if ((int64_t)most.term[m].coefficient > 0 && !is_within_extent(&most.term[m], extent))
                return false;
    }
    return true;
}

/* The elements that v takes or updates. False where not enough is known. */
static bool access_of(const struct nest *n, const struct scope *s, value v, struct access *a) {
    const struct instr *i = instr_at(s->t, v);
    const value *x = args_of(s->t, i);
    const wg_type *type = type_of(s->t, x[0]);
    int64_t axis = attr_words(s->t, i->attr)[0];
    *a = (struct access){.chain = s->chain[x[0]], .before = whole_number(1)};
    if (!is_at_integer(s, v) || !extent_at(s, type->extent[axis], &a->extent)) return false;
    a->at = s->at[x[i->narg - 1]];
    for (int64_t j = 0; j < axis; j++) {
        struct whole more;
        if (!extent_at(s, type->extent[j], &more) ||
            !whole_multiply(&a->before, &more, &a->before))
            return false;
    }
    return stays_small(n, &a->at, &a->extent);
}

static void collect_writes(struct nest *n, struct scope *s) {
    for (value v = 1; v < s->t->instr.count && !failed(n->error); v++) {
        const struct instr *i = instr_at(s->t, v);
        if (is_update(i) && s->chain[v]) {
            bool known = n->writes < MOST_WRITES && access_of(n, s, v, &n->write[n->writes]);
            if (known) n->writes++;
            else n->spoiled[s->chain[v]] = true;
        }
        if (i->op != OP_loop) continue;
        struct region r = region_open(s->t, i->op, i->attr);
        const value *carry = args_of(s->t, i) + r.lead + r.captures;
        struct scope inner;
        bool entered = enter_loop(n, s, v, &inner);
        if (entered) collect_writes(n, &inner);
        for (size_t k = 0; k < r.carries; k++)
            if (!entered || inner.chain[inner.t->output.at[k].v] != s->chain[carry[k]])
                n->spoiled[s->chain[carry[k]]] = true;
        scope_end(n, &inner);
    }
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static bool has_factor(const struct whole_term *term, uint32_t f) {
    for (size_t j = 0; j < MOST_FACTORS && term->factor[j]; j++)
        if (term->factor[j] == f) return true;
    return false;
}

/* p = by * f + rest; false if f has a power. */
static bool take_apart(const struct whole *p, uint32_t f, struct whole *by, struct whole *rest) {
    *by = *rest = (struct whole){0};
    for (uint32_t k = 0; k < p->count; k++) {
        struct whole_term term = p->term[k];
        bool has = has_factor(&term, f);
        size_t to = 0, powers = 0;
        for (size_t j = 0; j < MOST_FACTORS; j++) {
            uint32_t factor = p->term[k].factor[j];
            if (factor == f) powers++;
            else term.factor[to++] = factor;
        }
        while (to < MOST_FACTORS) term.factor[to++] = 0;
        if (powers > 1 || !whole_add_term(has ? by : rest, &term)) return false;
    }
    return true;
}

/* Whether a polynomial in sizes is not negative: what is positive is 1 + something. */
static bool sizes_not_negative(const struct nest *n, const struct whole *p) {
    struct whole shifted = {0};
    for (uint32_t k = 0; k < p->count; k++) {
        struct whole product = whole_number(p->term[k].coefficient);
        for (size_t j = 0; j < MOST_FACTORS && p->term[k].factor[j]; j++) {
            uint32_t f = p->term[k].factor[j];
            struct whole by = whole_factor(f), one = whole_number(1);
            if (!(f & FACTOR_SIZE)) return false;
            if (n->positive[f & ~(uint32_t)FACTOR_SIZE] && !whole_add_times(&by, &one, 1))
                return false;
            if (!whole_multiply(&product, &by, &product)) return false;
        }
        if (!whole_add_times(&shifted, &product, 1)) return false;
    }
    for (uint32_t k = 0; k < shifted.count; k++)
        if ((int64_t)shifted.term[k].coefficient < 0) return false;
    return true;
}

/* For all values of the first `counters` counters that occur together. Each may have two bounds, so
 * that the steps double with every loop: when they are too many, nothing is known. */
static bool not_negative(struct nest *n, const struct whole *p, size_t counters) {
    struct whole by, rest, minus = {0}, one = whole_number(1);
    if (n->effort++ > MOST_EFFORT) return false;
    while (counters > 0) {
        uint32_t f = (uint32_t)counters--;
        const struct counter *c = &n->counter[counters];
        if (!take_apart(p, f, &by, &rest)) return false;
        if (by.count == 0) continue;
        if (not_negative(n, &by, counters)) return not_negative(n, &rest, counters);
        if (!whole_add_times(&minus, &by, (uint64_t)-1) || !not_negative(n, &minus, counters))
            return false;
        for (int length = 0; length < 2; length++) {
            struct whole last = length ? c->length : c->count, at_last = rest;
            if (!(length ? c->has_length : c->has_count)) continue;
            if (whole_add_times(&last, &one, (uint64_t)-1) &&
                whole_multiply(&by, &last, &last) && whole_add_times(&at_last, &last, 1) &&
                not_negative(n, &at_last, counters))
                return true;
        }
        return false;
    }
    return sizes_not_negative(n, p);
}

/* Whether by * p >= least. */
static bool is_at_least(struct nest *n, const struct whole *p, uint64_t by, int64_t least) {
    struct whole rest = whole_number((uint64_t)-least);
    return whole_add_times(&rest, p, by) && not_negative(n, &rest, n->counters);
}

/* The number and sizes of a term. */
static struct whole_term stride_of(const struct whole_term *term) {
    struct whole_term stride = {.coefficient = (uint64_t)magnitude(term)};
    size_t to = 0;
    for (size_t j = 0; j < MOST_FACTORS; j++)
        if (term->factor[j] & FACTOR_SIZE) stride.factor[to++] = term->factor[j];
    return stride;
}

/* The least in size. */
static int64_t remainder_of(uint64_t number, uint64_t by) {
    int64_t rest = (int64_t)number % (int64_t)by;
    if (2 * rest > (int64_t)by) rest -= (int64_t)by;
    if (2 * rest < -(int64_t)by) rest += (int64_t)by;
    return rest;
}

static bool is_never_zero(struct nest *n, const struct whole *p) {
    const uint64_t minus = (uint64_t)-1;
    if (is_at_least(n, p, 1, 1) || is_at_least(n, p, minus, 1)) return true;
    for (uint32_t k = 0; k < p->count; k++) {
        struct whole_term stride = stride_of(&p->term[k]);
        struct whole rest = {0}, room, other;
        if (stride.coefficient == 1 && !stride.factor[0]) continue;
        for (uint32_t j = 0; j < p->count; j++) {
            struct whole_term left = p->term[j];
            if (divides(&stride, &left))
                left.coefficient = (uint64_t)remainder_of(left.coefficient, stride.coefficient);
            whole_add_term(&rest, &left);
        }
        room = other = (struct whole){0};
        if (!whole_add_term(&room, &stride) || !whole_add_term(&other, &stride) ||
            !whole_add_times(&room, &rest, minus) || !whole_add_times(&other, &rest, 1))
            continue;
        if (is_at_least(n, &rest, 1, 1) && is_at_least(n, &room, 1, 1)) return true;
        if (is_at_least(n, &rest, minus, 1) && is_at_least(n, &other, 1, 1)) return true;
    }
    return false;
}

/* ---- which elements -------------------------------------------------------------------------- */

/* Sizes of a product that is not 0. */
static void mark_positive(const struct nest *n, const struct whole *p) {
    if (p->count != 1) return;
    for (size_t j = 0; j < MOST_FACTORS && p->term[0].factor[j]; j++)
        if (p->term[0].factor[j] & FACTOR_SIZE)
            n->positive[p->term[0].factor[j] & ~(uint32_t)FACTOR_SIZE] = true;
}

static bool is_settled(struct nest *n, const struct scope *s, value v) {
    const struct instr *i = instr_at(s->t, v);
    struct access a;
    if (i->op != OP_take || !s->chain[args_of(s->t, i)[0]] || !access_of(n, s, v, &a) ||
        n->spoiled[a.chain])
        return false;
    size_t sizes = n->t->size.count + 1;
    bool *before = mem_alloc(n->a, sizes), settled = before != NULL;
    if (!before) return fail_memory(n->error), false;
    memcpy(before, n->positive, sizes);
    mark_positive(n, &a.extent);
    for (size_t k = 0; k < n->writes && settled; k++) {
        const struct access *w = &n->write[k];
        struct whole difference = w->at;
        if (w->chain != a.chain) continue;
        settled = whole_same(&w->extent, &a.extent) && whole_same(&w->before, &a.before) &&
                  whole_add_times(&difference, &a.at, (uint64_t)-1) &&
                  is_never_zero(n, &difference);
    }
    memcpy(n->positive, before, sizes);
    mem_free(n->a, before, sizes);
    return settled;
}

/* ---- the body again -------------------------------------------------------------------------- */

struct making {
    struct nest *n;
    struct scope *s;
    struct derivation d;
    value final[REGION_OPERANDS + 1]; /* of each chain: what it is at the end */
};

static value fresh_input(struct making *m, const char *format, const char *name,
                         const wg_type *type) {
    const char *fresh = derive_name(&m->d, false, format, name, "");
    return fresh && !m->d.g->error.status ? graph_input(m->d.g, fresh, type) : 0;
}

static void take_position(struct making *m, const struct instr *i) {
    if (graph_take_site(m->d.g, m->d.from, i->site)) m->d.g->flags = i->flags;
}

/* element: of the chain, seen as an array of this type; the same of what the array is at the end. */
static value both(struct making *m, value element, uint32_t chain, const wg_type *type,
                  value index, int64_t axis) {
    value array = build_reshape(m->d.g, m->final[chain], type);
    value late = build_take(m->d.g, array, index, (unsigned)axis, 0);
    return graph_emit(m->d.g, OP_settled, 0, (value[]){element, late}, 2);
}

struct lifted { /* an element that is the same in all iterations of a loop: taken in front of it */
    value by[MOST_LIFTED]; /* in its body */
    size_t count;
};

static wg_program *rewrite(struct nest *n, struct scope *s, const wg_program *body,
                           const struct region *r, const struct lifted *lifted, uint32_t *finals,
                           size_t *final_count);

static bool is_all_positive(const struct nest *n, const struct whole *p) {
    if (p->count != 1) return false;
    for (size_t j = 0; j < MOST_FACTORS && p->term[0].factor[j]; j++) {
        uint32_t f = p->term[0].factor[j];
        if (!(f & FACTOR_SIZE) || !n->positive[f & ~(uint32_t)FACTOR_SIZE]) return false;
    }
    return (int64_t)p->term[0].coefficient > 0;
}

/* Takes in front of loop v, from a carry of it, what no iteration changes, at an index that is the
 * same in all; at 0, which there is, if there are no iterations. */
static void lift_elements(struct making *m, const struct scope *inner, value v,
                          const struct region *r, const wg_extent *size, struct lifted *lifted,
                          value *capture) {
    const value *x = args_of(m->d.from, instr_at(m->d.from, v));
    wg_graph *g = m->d.g;
    lifted->count = 0;
    for (value u = 1; u < inner->t->instr.count && lifted->count < MOST_LIFTED; u++) {
        const struct instr *i = instr_at(inner->t, u);
        if (i->op != OP_take || g->error.status) continue;
        value array = args_of(inner->t, i)[0], index = args_of(inner->t, i)[1];
        uint32_t chain = inner->chain[array];
        struct whole extent;
        int64_t axis = attr_words(inner->t, i->attr)[0];
        if (!value_is_input(inner->t, index) || !is_settled(m->n, inner, u)) continue;
        size_t number = input_number(inner->t, index), of = 0;
        for (size_t k = 0; k < r->captures + r->carries; k++)
            if (m->s->chain[x[r->lead + k]] == chain) of = r->lead + k;
        if (number == 0 || number > r->captures || !of ||
            !extent_at(inner, type_of(inner->t, array)->extent[axis], &extent) ||
            !is_all_positive(m->n, &extent))
            continue;
        wg_type type = graph_import_type(g, inner->t, type_of(inner->t, array), size);
        value most = build_extent(g, extent_import(g, m->d.from, r->length, m->d.size_map));
        value zero = build_number(g, WG_I64, 0);
        if (r->lead) most = build_binary(g, OP_min, m->d.map[x[0]], most);
        value at = build_where(g, build_binary(g, OP_gt, most, zero),
                               m->d.map[x[r->lead + number - 1]], zero);
        value element = build_take(g, build_reshape(g, m->d.map[x[of]], &type), at,
                                   (unsigned)axis, 0);
        capture[lifted->count] = both(m, element, chain, &type, at, axis);
        lifted->by[lifted->count++] = u;
    }
}

/* The loop i with a new body, that has `count` captures: without those of the new ones that it does
 * not read. */
static value loop_with(struct making *m, const struct instr *i, const struct region *r,
                       const wg_extent *size, const wg_program *body, value *capture,
                       size_t count) {
    wg_graph *g = m->d.g;
    const value *x = args_of(m->d.from, i);
    bool read[3 * REGION_OPERANDS] = {0};
    value operand[REGION_OPERANDS];
    inputs_read(&body->t, read);
    for (size_t k = 0; k < body->t.input.count; k++)
        read[k] = read[k] || k <= r->captures || k > count;
    wg_program *less = only_read(body, read, m->n->error);
    for (size_t k = 0; k < r->carries + r->stacks; k++)
        operand[k] = m->d.map[x[r->lead + r->captures + k]];
    struct region_parts parts = {
        .body = less, .sizes = size,
        .length = extent_import(g, m->d.from, r->length, m->d.size_map), .flags = r->flags,
        .lead = r->lead ? m->d.map[x[0]] : 0, .capture = capture,
        .captures = keep_read(capture, count, read + 1), .carry = operand,
        .carries = r->carries, .stack = operand + r->carries, .stacks = r->stacks,
        .results = r->results};
    take_position(m, i);
    value loop = less ? build_region(g, OP_loop, &parts) : 0;
    g->flags = 0;
    wg_program_free(less);
    return loop;
}

/* The loop v with what its body now is; 0, and no error, if nothing is settled in it. */
static value rewrite_loop(struct making *m, value v) {
    struct nest *n = m->n;
    const struct trace *t = m->d.from;
    const struct instr *i = instr_at(t, v);
    const value *x = args_of(t, i);
    struct region r = region_open(t, i->op, i->attr);
    size_t found = n->found, sizes = n->t->size.count + 1, n_finals = 0, count = r.captures;
    uint32_t finals[REGION_OPERANDS];
    value capture[2 * REGION_OPERANDS], result = 0;
    struct lifted lifted = {.count = 0};
    struct scope inner = {0};
    if (r.flags & LOOP_CONDITION || r.kept || r.snapshots || region_body(t, &r, 0)->reverse ||
        r.captures + r.carries + r.stacks > REGION_OPERANDS / 2)
        return 0;
    const struct trace *inside = &region_body(t, &r, 0)->body->t;
    size_t bytes = (inside->size.count + 1) * sizeof(wg_extent);
    bool *before = mem_alloc(n->a, sizes);
    wg_extent *size = mem_alloc_zero(n->a, bytes);
    if (!before || !size) fail_memory(n->error);
    if (before && size && enter_loop(n, m->s, v, &inner)) {
        for (size_t k = 0; k < inside->size.count; k++)
            size[k] = extent_import(m->d.g, t, region_sizes(t, &r, 0)[k], m->d.size_map);
        lift_elements(m, &inner, v, &r, size, &lifted, capture + REGION_OPERANDS);
        memcpy(before, n->positive, sizes);
        if (n->counter[inner.counter].has_length)
            mark_positive(n, &n->counter[inner.counter].length);
        for (uint32_t c = 1; c <= REGION_OPERANDS; c++)
            if (m->final[c]) finals[n_finals++] = c;
        wg_program *new = rewrite(n, &inner, region_body(t, &r, 0)->body, &r, &lifted, finals,
                                  &n_finals);
        memcpy(n->positive, before, sizes);
        if (new && n->found > found) {
            for (size_t k = 0; k < r.captures; k++) capture[k] = m->d.map[x[r.lead + k]];
            for (size_t k = 0; k < n_finals; k++) capture[count++] = m->final[finals[k]];
            for (size_t k = 0; k < lifted.count; k++)
                capture[count++] = capture[REGION_OPERANDS + k];
            result = loop_with(m, i, &r, size, new, capture, count);
        }
        wg_program_free(new);
    }
    scope_end(n, &inner);
    if (before) mem_free(n->a, before, sizes);
    if (size) mem_free(n->a, size, bytes);
    return result;
}

static bool is_lifted(const struct lifted *l, value v) {
    for (size_t k = 0; l && k < l->count; k++)
        if (l->by[k] == v) return true;
    return false;
}

/* The body with inputs for what chains are at the end (finals: those that it shall have; those that
 * it can use are left), then for what is lifted, behind its captures. */
static wg_program *rewrite(struct nest *n, struct scope *s, const wg_program *body,
                           const struct region *r, const struct lifted *lifted, uint32_t *finals,
                           size_t *final_count) {
    struct making m = {.n = n, .s = s};
    size_t left = 0;
    if (derive_begin(&m.d, body, n->error)) {
        const struct trace *t = m.d.from;
        wg_graph *g = m.d.g;
        for (size_t k = 0; k <= r->captures; k++) derive_input(&m.d, k);
        for (size_t k = 0; k < *final_count; k++) {
            size_t from = t->input.count;
            for (size_t j = 1; j < t->input.count; j++)
                if (s->chain[t->input.at[j].v] == finals[k]) from = j;
            if (from == t->input.count) continue;
            wg_type type = graph_import_type(g, t, type_of(t, t->input.at[from].v), m.d.size_map);
            m.final[finals[k]] = fresh_input(&m, "%a_final", from_input_name(&m.d, from), &type);
            finals[left++] = finals[k];
        }
        for (size_t k = 0; lifted && k < lifted->count; k++) {
            wg_type type = graph_import_type(g, t, type_of(t, lifted->by[k]), m.d.size_map);
            m.d.map[lifted->by[k]] = fresh_input(&m, "%a", "element", &type);
            n->found++;
        }
        for (size_t k = 1 + r->captures; k < t->input.count; k++) derive_input(&m.d, k);
        for (value v = 1; v < t->instr.count && !g->error.status && !failed(n->error); v++) {
            const struct instr *i = instr_at(t, v);
            if (i->op == OP_input || is_lifted(lifted, v)) continue;
            if (i->op == OP_loop) m.d.map[v] = rewrite_loop(&m, v);
            if (!m.d.map[v]) m.d.map[v] = graph_import(g, t, v, m.d.size_map, m.d.map);
            if (g->error.status || i->op != OP_take) continue;
            uint32_t chain = s->chain[args_of(t, i)[0]];
            if (!chain || !m.final[chain] || !is_settled(n, s, v)) continue;
            wg_type type = *type_of(&g->t, m.d.map[args_of(t, i)[0]]);
            m.d.map[v] = both(&m, m.d.map[v], chain, &type, m.d.map[args_of(t, i)[1]],
                              attr_words(t, i->attr)[0]);
            n->found++;
        }
        g->site = 0;
        derive_primals(&m.d);
    }
    *final_count = left;
    return derive_finish(&m.d);
}

/* An integer around the nest, if it is one of sizes alone. */
static bool of_sizes(const struct nest *n, value v, struct whole *p) {
    if (!whole_value(n->t, v, p)) return false;
    for (uint32_t k = 0; k < p->count; k++)
        for (size_t j = 0; j < MOST_FACTORS && p->term[k].factor[j]; j++)
            if (!(p->term[k].factor[j] & FACTOR_SIZE)) return false;
    return true;
}

/* Opens the body of the loop itself, at an iteration `at`; x: the loop's operands. */
static bool enter_outermost(struct nest *n, const struct region *r, const value *x,
                            const uint8_t *mask, const struct whole *at, struct scope *s) {
    const struct trace *t = &region_body(n->t, r, 0)->body->t;
    *s = (struct scope){0};
    if (!scope_begin(n, s, t)) return false;
    for (size_t k = 0; k < t->size.count; k++)
        s->size_known[k] = whole_extent(n->t, r->extent[k], &s->size[k]);
    for (size_t k = 0; k < 1 + r->captures + r->carries; k++) {
        value in = t->input.at[k].v;
        const wg_type *type = type_of(t, in);
        if (k <= r->captures) {
            s->known[in] = type->dtype == WG_I64 && type->rank == 0;
            if (k == 0) s->at[in] = *at;
            else if (s->known[in] && !of_sizes(n, x[r->lead + k - 1], &s->at[in]))
                s->at[in] = whole_factor(OPAQUE | (uint32_t)k);
        } else if (mask[k - 1] && type->rank > 0) {
            s->chain[in] = (uint32_t)(k - r->captures);
        }
    }
    scope_fill(s);
    return true;
}

/* Counter 0 is the loop's, counter 1 says how many iterations later a write is. */
static wg_program *settle(struct nest *n, const struct region *r, const value *x,
                          const uint8_t *mask, bool *settled) {
    const wg_program *body = region_body(n->t, r, 0)->body;
    struct counter *loop = &n->counter[0], *later = &n->counter[1];
    struct whole first = whole_factor(1), second = whole_factor(2), any = first;
    struct scope s;
    uint32_t finals[REGION_OPERANDS];
    size_t count = 0;
    bool read[3 * REGION_OPERANDS] = {0};
    wg_program *result = NULL;
    n->counters = 2;
    loop->has_length = whole_extent(n->t, r->length, &loop->length);
    loop->has_count = r->lead && of_sizes(n, region_bare_count(n->t, x[0], r->length),
                                          &loop->count);
    *later = *loop;
    if (!later->has_count) later->has_count = loop->has_length, later->count = loop->length;
    if (!whole_add_times(&later->count, &first, (uint64_t)-1) || !whole_add_times(&any, &second, 1))
        return NULL;
    if (loop->has_length) mark_positive(n, &loop->length);
    if (enter_outermost(n, r, x, mask, &any, &s)) {
        collect_writes(n, &s);
        for (size_t k = 0; k < r->carries; k++)
            if (s.chain[body->t.output.at[k].v] != k + 1) n->spoiled[k + 1] = true;
        for (size_t k = 0; k < r->carries && count < MOST_FINALS; k++)
            if (s.chain[body->t.input.at[1 + r->captures + k].v] && !n->spoiled[k + 1])
                finals[count++] = (uint32_t)k + 1;
    }
    scope_end(n, &s);
    s = (struct scope){0};
    if (count && !failed(n->error) && enter_outermost(n, r, x, mask, &first, &s))
        result = rewrite(n, &s, body, r, NULL, finals, &count);
    scope_end(n, &s);
    if (result && n->found) {
        inputs_read(&result->t, read);
        for (size_t k = 0; k < result->t.input.count; k++)
            read[k] = read[k] || k <= r->captures || k > r->captures + count;
        for (size_t k = 0; k < count; k++) settled[finals[k] - 1] = read[1 + r->captures + k];
        wg_program *less = only_read(result, read, n->error);
        wg_program_free(result);
        return less;
    }
    wg_program_free(result);
    return NULL;
}

wg_program *settle_body(const struct trace *t, const struct region *r, const value *x,
                        const uint8_t *mask, bool *settled, wg_error *error) {
    const wg_program *body = region_body(t, r, 0)->body;
    const wg_allocator *a = &t->allocator;
    size_t sizes = t->size.count + 1;
    bool any = false;
    for (size_t k = 0; k < r->carries; k++)
        any |= mask[r->captures + k] && type_of(&body->t, body->t.output.at[k].v)->rank > 0;
    if (!any || r->flags & LOOP_BACKWARDS || r->length == WG_UNBOUNDED || r->snapshots)
        return NULL;
    struct nest *n = mem_alloc_zero(a, sizeof *n);
    bool *positive = mem_alloc_zero(a, sizes);
    wg_program *result = NULL;
    if (n && positive) {
        n->a = a;
        n->t = t;
        n->positive = positive;
        n->error = error;
        result = settle(n, r, x, mask, settled);
    } else {
        fail_memory(error);
    }
    if (positive) mem_free(a, positive, sizes);
    if (n) mem_free(a, n, sizeof *n);
    return result;
}

/* ---- while the loop runs, and backwards ------------------------------------------------------ */

static bool has_settled(const struct trace *t) {
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        if (i->op == OP_settled) return true;
        if (i->op != OP_loop && i->op != OP_branch) continue;
        struct region r = region_open(t, i->op, i->attr);
        for (size_t k = 0; k < r.bodies; k++)
            if (has_settled(&region_body(t, &r, k)->body->t)) return true;
    }
    return false;
}

/* A loop or branch of which no body has such elements any more, and that is given only what one of
 * its bodies reads. */
static value region_part(struct derivation *d, value v, bool backwards) {
    const struct trace *t = d->from;
    const wg_allocator *a = &t->allocator;
    const struct instr *i = instr_at(t, v);
    struct region r = region_open(t, i->op, i->attr);
    size_t first = r.op == OP_loop ? 1 : 0, sizes = 0, bytes = r.bodies * sizeof(wg_program *);
    bool read[3 * REGION_OPERANDS] = {0};
    value x[UINT8_MAX], result = 0;
    wg_error error = {0};
    const wg_program **body = mem_alloc_zero(a, bytes);
    for (size_t k = 0; body && k < r.bodies; k++) {
        const wg_program *old = region_body(t, &r, k)->body;
        sizes += old->t.size.count;
        body[k] = settled_part(old, backwards, &error);
        if (body[k]) inputs_read(&body[k]->t, read);
    }
    for (size_t k = 0; k < 3 * REGION_OPERANDS; k++)
        read[k] = read[k] || k < first || k >= first + r.captures;
    for (size_t k = 0; body && k < r.bodies; k++) {
        wg_program *less = body[k] ? only_read(body[k], read, &error) : NULL;
        wg_program_free((wg_program *)(uintptr_t)body[k]);
        body[k] = less;
    }
    wg_extent *size = mem_alloc_zero(a, (sizes + 1) * sizeof *size);
    if (!body || !size) fail_memory(&error);
    fail_as(&d->g->error, &error);
    if (!d->g->error.status) {
        for (size_t k = 0; k < sizes; k++)
            size[k] = extent_import(d->g, t, r.extent[k], d->size_map);
        for (size_t k = 0; k < i->narg; k++) x[k] = d->map[args_of(t, i)[k]];
        struct region_parts parts = {
            .sizes = size, .flags = r.flags, .lead = r.lead ? x[0] : 0, .capture = x + r.lead,
            .carry = x + r.lead + r.captures, .carries = r.carries, .stacks = r.stacks,
            .results = r.results, .snapshots = r.snapshots};
        parts.stack = parts.carry + r.carries;
        parts.captures = keep_read(x + r.lead, r.captures, read + first);
        if (r.op == OP_loop) {
            parts.body = body[0];
            parts.condition = r.bodies > 1 ? body[1] : NULL;
            parts.length = extent_import(d->g, t, r.length, d->size_map);
        } else {
            parts.branch = body;
            parts.branches = r.bodies;
            parts.kept = r.kept;
        }
        if (graph_take_site(d->g, t, i->site)) d->g->flags = i->flags;
        result = build_region(d->g, r.op, &parts);
        d->g->flags = 0;
    }
    for (size_t k = 0; body && k < r.bodies; k++)
        wg_program_free((wg_program *)(uintptr_t)body[k]);
    if (body) mem_free(a, body, bytes);
    if (size) mem_free(a, size, (sizes + 1) * sizeof *size);
    return result;
}

wg_program *settled_part(const wg_program *p, bool backwards, wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, p, error) && derive_inputs(&d)) {
        const struct trace *t = d.from;
        graph_import_checks(d.g, t, d.size_map);
        for (value v = 1; v < t->instr.count && !d.g->error.status; v++) {
            const struct instr *i = instr_at(t, v);
            bool region = i->op == OP_loop || i->op == OP_branch, within = false;
            struct region r = region ? region_open(t, i->op, i->attr) : (struct region){0};
            for (size_t k = 0; k < r.bodies; k++)
                within |= has_settled(&region_body(t, &r, k)->body->t);
            if (i->op == OP_input) d.map[v] = d.input[input_number(t, v)];
            else if (i->op == OP_settled) d.map[v] = d.map[args_of(t, i)[backwards]];
            else if (within) d.map[v] = region_part(&d, v, backwards);
            else d.map[v] = graph_import(d.g, t, v, d.size_map, d.map);
        }
        d.g->site = 0;
        if (!d.g->error.status) derive_primals(&d);
    }
    return derive_finish(&d);
}
