/* Extents: constants, and canonical integer polynomials in a graph's named sizes. Canonical form
 * makes equality identity; every coefficient and every evaluation is checked for overflow. How
 * extents join to shapes is type.c's matter. */
#include "ir/ir.h"

const wg_extent extent_bad = INT64_MIN + 1;

enum { MAX_TERMS = 32, MAX_DEGREE = 8 };

struct term {
    int64_t coefficient;
    uint32_t degree, size[MAX_DEGREE]; /* size indices, ascending */
};

struct polynomial {
    size_t count;
    struct term term[MAX_TERMS];
};

static int term_order(const struct term *a, const struct term *b) {
    if (a->degree != b->degree) return a->degree < b->degree ? -1 : 1;
    for (uint32_t i = 0; i < a->degree; i++)
        if (a->size[i] != b->size[i]) return a->size[i] < b->size[i] ? -1 : 1;
    return 0;
}

/* Adds a term in its place; false where the word or the room ends. */
static bool polynomial_add(struct polynomial *p, const struct term *term) {
    if (term->coefficient == 0) return true;
    size_t at = 0;
    while (at < p->count && term_order(&p->term[at], term) < 0) at++;
    if (at < p->count && term_order(&p->term[at], term) == 0) {
        int64_t *sum = &p->term[at].coefficient;
        if (add_overflows(*sum, term->coefficient, sum)) return false;
        if (*sum == 0) {
            memmove(&p->term[at], &p->term[at + 1], (p->count - at - 1) * sizeof *p->term);
            p->count--;
        }
        return true;
    }
    if (p->count == MAX_TERMS) return false;
    memmove(&p->term[at + 1], &p->term[at], (p->count - at) * sizeof *p->term);
    p->term[at] = *term;
    p->count++;
    return true;
}

static void polynomial_read(const struct trace *t, wg_extent e, struct polynomial *p) {
    p->count = 0;
    if (e >= 0) {
        polynomial_add(p, &(struct term){.coefficient = e});
        return;
    }
    struct span span = t->extent.at[-e];
    const int64_t *word = t->word.at + span.at, *end = word + span.count;
    while (word < end) {
        struct term *term = &p->term[p->count++];
        term->coefficient = *word++;
        term->degree = (uint32_t)*word++;
        for (uint32_t i = 0; i < term->degree; i++) term->size[i] = (uint32_t)*word++;
    }
}

static wg_extent polynomial_intern(wg_graph *g, const struct polynomial *p) {
    if (p->count == 0) return 0;
    if (p->count == 1 && p->term[0].degree == 0 && p->term[0].coefficient > 0)
        return p->term[0].coefficient;
    int64_t word[MAX_TERMS * (MAX_DEGREE + 2)];
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++) {
        word[count++] = p->term[i].coefficient;
        word[count++] = p->term[i].degree;
        for (uint32_t k = 0; k < p->term[i].degree; k++) word[count++] = p->term[i].size[k];
    }
    uint32_t id = graph_extent(g, word, count);
    return id ? -(wg_extent)id : extent_bad;
}

static wg_extent overflow(wg_graph *g) {
    graph_fail(g, WG_EOVERFLOW, "an extent leaves 64 bits, or has more than %d terms or degree %d",
               MAX_TERMS, MAX_DEGREE);
    return extent_bad;
}

wg_extent extent_size(wg_graph *g, uint32_t size_index) {
    struct polynomial p = {1, {{1, 1, {size_index}}}};
    return polynomial_intern(g, &p);
}

static wg_extent add_scaled(wg_graph *g, wg_extent a, wg_extent b, int64_t scale) {
    if (g->error.status || a == extent_bad || b == extent_bad) return extent_bad;
    struct polynomial p, q;
    polynomial_read(&g->t, a, &p);
    polynomial_read(&g->t, b, &q);
    for (size_t i = 0; i < q.count; i++) {
        struct term term = q.term[i];
        if (mul_overflows(term.coefficient, scale, &term.coefficient) || !polynomial_add(&p, &term))
            return overflow(g);
    }
    return polynomial_intern(g, &p);
}

wg_extent extent_add(wg_graph *g, wg_extent a, wg_extent b) {
    return add_scaled(g, a, b, 1);
}

wg_extent extent_sub(wg_graph *g, wg_extent a, wg_extent b) {
    return add_scaled(g, a, b, -1);
}

wg_extent extent_mul(wg_graph *g, wg_extent a, wg_extent b) {
    if (g->error.status || a == extent_bad || b == extent_bad) return extent_bad;
    if (a == 1) return b;
    if (b == 1) return a;
    struct polynomial p, q, product = {0};
    polynomial_read(&g->t, a, &p);
    polynomial_read(&g->t, b, &q);
    for (size_t i = 0; i < p.count; i++) {
        for (size_t k = 0; k < q.count; k++) {
            const struct term *x = &p.term[i], *y = &q.term[k];
            struct term term = {.degree = x->degree + y->degree};
            if (term.degree > MAX_DEGREE ||
                mul_overflows(x->coefficient, y->coefficient, &term.coefficient))
                return overflow(g);
            for (uint32_t m = 0, ix = 0, iy = 0; m < term.degree; m++) { /* merge */
                bool from_x = iy == y->degree || (ix < x->degree && x->size[ix] <= y->size[iy]);
                term.size[m] = from_x ? x->size[ix++] : y->size[iy++];
            }
            if (!polynomial_add(&product, &term)) return overflow(g);
        }
    }
    return polynomial_intern(g, &product);
}

bool extent_difference(wg_graph *g, wg_extent a, wg_extent b, int64_t *difference) {
    wg_extent d = extent_sub(g, a, b);
    if (d == extent_bad || extent_degree(&g->t, d) > 0) return false;
    *difference = d >= 0 ? d : g->t.word.at[g->t.extent.at[-d].at];
    return true;
}

bool extent_provably_le(wg_graph *g, wg_extent a, wg_extent b) {
    wg_extent d = extent_sub(g, b, a);
    if (d == extent_bad) return false;
    struct polynomial p;
    polynomial_read(&g->t, d, &p);
    for (size_t i = 0; i < p.count; i++)
        if (p.term[i].coefficient < 0) return false;
    return true;
}

int extent_degree(const struct trace *t, wg_extent e) {
    if (e >= 0) return 0;
    struct polynomial p;
    polynomial_read(t, e, &p);
    return (int)p.term[p.count - 1].degree; /* terms are ordered by degree */
}

bool extent_has_size(const struct trace *t, wg_extent e, size_t size_index) {
    if (e >= 0) return false;
    struct span span = t->extent.at[-e];
    const int64_t *word = t->word.at + span.at, *end = word + span.count;
    while (word < end) {
        int64_t degree = word[1];
        for (word += 2; degree > 0; degree--)
            if (*word++ == (int64_t)size_index) return true;
    }
    return false;
}

bool extent_eval(const struct trace *t, wg_extent e, const int64_t *size, int64_t *result) {
    *result = e;
    if (e >= 0) return true;
    struct span span = t->extent.at[-e];
    const int64_t *word = t->word.at + span.at, *end = word + span.count;
    int64_t sum = 0;
    while (word < end) {
        int64_t product = *word++;
        for (int64_t degree = *word++; degree > 0; degree--)
            if (mul_overflows(product, size[*word++], &product)) return false;
        if (add_overflows(sum, product, &sum)) return false;
    }
    *result = sum;
    return sum >= 0;
}

static bool term_text(const struct trace *t, const struct term *term, bool *first, wg_text *out) {
    bool negative = term->coefficient < 0;
    uint64_t size = negative ? 0 - (uint64_t)term->coefficient : (uint64_t)term->coefficient;
    if (!text_add(out, negative ? "-" : *first ? "" : "+")) return false;
    *first = false;
    if ((size != 1 || term->degree == 0) &&
        !text_format(out, "%llu%s", (unsigned long long)size, term->degree ? "*" : ""))
        return false;
    for (uint32_t k = 0; k < term->degree; k++)
        if (!text_format(out, "%s%s", k ? "*" : "", name_at(t, t->size.at[term->size[k]])))
            return false;
    return true;
}

bool extent_text(const struct trace *t, wg_extent e, wg_text *out) {
    if (e >= 0) return text_format(out, "%lld", (long long)e);
    struct polynomial p;
    polynomial_read(t, e, &p);
    /* the highest degree first, as people write it */
    bool first = true;
    for (uint32_t degree = p.term[p.count - 1].degree + 1; degree-- > 0;)
        for (size_t i = 0; i < p.count; i++)
            if (p.term[i].degree == degree && !term_text(t, &p.term[i], &first, out)) return false;
    return true;
}

wg_extent extent_import(wg_graph *g, const struct trace *from, wg_extent e, const wg_extent *map) {
    if (e >= 0) return e;
    struct polynomial p;
    polynomial_read(from, e, &p);
    wg_extent sum = 0;
    for (size_t i = 0; i < p.count; i++) {
        bool negative = p.term[i].coefficient < 0;
        if (p.term[i].coefficient == INT64_MIN) return overflow(g);
        wg_extent product = negative ? -p.term[i].coefficient : p.term[i].coefficient;
        for (uint32_t k = 0; k < p.term[i].degree; k++)
            product = extent_mul(g, product, map[p.term[i].size[k]]);
        sum = negative ? extent_sub(g, sum, product) : extent_add(g, sum, product);
    }
    return sum;
}
