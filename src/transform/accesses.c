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
 * the axis: of an array in memory that is less than 2^62 all together. Counts are looked at where
 * they cannot wrap around either; lengths are extents, which are none if they do. */
#include "transform/accesses.h"

#include "op/describe.h"
#include "wengert/loop.h"

enum { OPAQUE = 1 << 20, LARGEST_COEFFICIENT = 1 << 12, MOST_EFFORT = 1 << 17 };

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

void scope_end(struct nest *n, struct scope *s) {
    size_t values = s->t ? s->t->instr.count : 0, sizes = s->t ? s->t->size.count + 1 : 0;
    if (s->size) mem_free(n->a, s->size, sizes * sizeof *s->size);
    if (s->at) mem_free(n->a, s->at, values * sizeof *s->at);
    if (s->size_known) mem_free(n->a, s->size_known, sizes);
    if (s->known) mem_free(n->a, s->known, values);
    if (s->chain) mem_free(n->a, s->chain, values * sizeof *s->chain);
}

bool extent_at(const struct scope *s, wg_extent e, struct whole *result) {
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
    case OP_copy:
    case OP_stop_gradient: *p = s->at[x[0]]; return true;
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

static int64_t magnitude(const struct whole_term *term) {
    int64_t c = (int64_t)term->coefficient;
    return c == INT64_MIN ? INT64_MAX : c < 0 ? -c : c;
}

static bool is_small(const struct whole *p, int64_t most) {
    for (uint32_t k = 0; k < p->count; k++)
        if (magnitude(&p->term[k]) > most) return false;
    return true;
}

/* Whether the program computes the number that the polynomial is: a sum of a few single sizes and
 * counters, small numbers of times. Sizes are taken to be less than 2^44: no array has more
 * elements. */
static bool never_wraps(const struct whole *p) {
    for (uint32_t k = 0; k < p->count; k++)
        if (p->term[k].factor[1]) return false;
    return is_small(p, 1 << 15);
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

bool enter_loop(struct nest *n, const struct scope *s, value v, struct scope *inner) {
    const struct instr *i = instr_at(s->t, v);
    const value *x = args_of(s->t, i);
    struct region r = region_open(s->t, i->op, i->attr);
    const struct trace *t = &region_body(s->t, &r, 0)->body->t;
    const wg_extent *size = region_sizes(s->t, &r, 0);
    *inner = (struct scope){0};
    if (n->counters == MOST_COUNTERS || !scope_begin(n, inner, t)) return false;
    struct counter *c = &n->counter[inner->counter = n->counters++];
    *c = (struct counter){0};
    c->has_length = r.length != WG_UNBOUNDED && extent_at(s, r.length, &c->length);
    value count = r.lead ? region_bare_count(s->t, x[0], r.length) : 0;
    c->has_count = count && s->known[count] && never_wraps(&s->at[count]);
    if (c->has_count) c->count = s->at[count];
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
            if (!is_small(&by, 1 << 20)) return false;
            if (!whole_multiply(&most, &by, &most) || !is_small(&most, (int64_t)1 << 40))
                return false;
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
    if (!is_small(p, (int64_t)1 << 40)) return false; /* nothing here wraps around */
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
            if (!(length ? c->has_length : c->has_count) || !is_small(&last, 1 << 20)) continue;
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

void mark_positive(const struct nest *n, const struct whole *p) {
    if (p->count != 1) return;
    for (size_t j = 0; j < MOST_FACTORS && p->term[0].factor[j]; j++)
        if (p->term[0].factor[j] & FACTOR_SIZE)
            n->positive[p->term[0].factor[j] & ~(uint32_t)FACTOR_SIZE] = true;
}

bool is_settled(struct nest *n, const struct scope *s, value v) {
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

bool is_all_positive(const struct nest *n, const struct whole *p) {
    if (p->count != 1) return false;
    for (size_t j = 0; j < MOST_FACTORS && p->term[0].factor[j]; j++) {
        uint32_t f = p->term[0].factor[j];
        if (!(f & FACTOR_SIZE) || !n->positive[f & ~(uint32_t)FACTOR_SIZE]) return false;
    }
    return (int64_t)p->term[0].coefficient > 0;
}

/* ---- the nest -------------------------------------------------------------------------------- */

/* An integer around the nest, if it is one of sizes alone. */
static bool of_sizes(const struct nest *n, value v, struct whole *p) {
    if (!whole_value(n->t, v, p)) return false;
    for (uint32_t k = 0; k < p->count; k++)
        for (size_t j = 0; j < MOST_FACTORS && p->term[k].factor[j]; j++)
            if (!(p->term[k].factor[j] & FACTOR_SIZE)) return false;
    return true;
}

static bool enter_at(struct nest *n, const struct region *r, const value *x, const uint8_t *mask,
                     const struct whole *at, struct scope *s) {
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

bool enter_outermost(struct nest *n, const struct region *r, const value *x, const uint8_t *mask,
                     struct scope *s) {
    struct whole first = whole_factor(1);
    return enter_at(n, r, x, mask, &first, s);
}

/* Of iterations from that of counter 0 on: counter 1 says how many later. */
static void collect(struct nest *n, const struct region *r, const value *x, const uint8_t *mask) {
    const struct trace *body = &region_body(n->t, r, 0)->body->t;
    struct counter *loop = &n->counter[0], *later = &n->counter[1];
    struct whole first = whole_factor(1), second = whole_factor(2), any = first;
    struct scope s;
    n->counters = 2;
    loop->has_length = whole_extent(n->t, r->length, &loop->length);
    loop->has_count =
        r->lead && of_sizes(n, region_bare_count(n->t, x[0], r->length), &loop->count) &&
        never_wraps(&loop->count);
    *later = *loop;
    if (!later->has_count) later->has_count = loop->has_length, later->count = loop->length;
    later->has_count = later->has_count && whole_add_times(&later->count, &first, (uint64_t)-1);
    if (loop->has_length) mark_positive(n, &loop->length);
    whole_add_times(&any, &second, 1);
    if (enter_at(n, r, x, mask, &any, &s)) {
        collect_writes(n, &s);
        for (size_t k = 0; k < r->carries; k++)
            if (s.chain[body->output.at[k].v] != k + 1) n->spoiled[k + 1] = true;
    }
    scope_end(n, &s);
}

struct nest *nest_open(const struct trace *t, const struct region *r, const value *x,
                       const uint8_t *mask, wg_error *error) {
    struct nest *n = mem_alloc_zero(&t->allocator, sizeof *n);
    if (n) {
        n->a = &t->allocator;
        n->t = t;
        n->error = error;
        n->positive = mem_alloc_zero(n->a, t->size.count + 1);
    }
    if (!n || !n->positive) fail_memory(error);
    else collect(n, r, x, mask);
    if (!failed(error)) return n;
    nest_close(n);
    return NULL;
}

void nest_close(struct nest *n) {
    if (!n) return;
    if (n->positive) mem_free(n->a, n->positive, n->t->size.count + 1);
    mem_free(n->a, n, sizeof *n);
}
