#include "op/whole.h"

#include "op/op.h"

enum { DEEPEST = 24, MOST_VISITS = 300 };

bool whole_add_term(struct whole *p, const struct whole_term *term) {
    uint32_t k = 0;
    int order = 1;
    if (term->coefficient == 0) return true;
    for (; k < p->count; k++) {
        order = memcmp(p->term[k].factor, term->factor, sizeof term->factor);
        if (order >= 0) break;
    }
    if (k < p->count && order == 0) {
        p->term[k].coefficient += term->coefficient;
        if (p->term[k].coefficient) return true;
        p->count--;
        memmove(&p->term[k], &p->term[k + 1], (p->count - k) * sizeof *p->term);
        return true;
    }
    if (p->count == MOST_TERMS) return false;
    memmove(&p->term[k + 1], &p->term[k], (p->count++ - k) * sizeof *p->term);
    p->term[k] = *term;
    return true;
}

struct whole whole_number(uint64_t n) {
    struct whole p = {0};
    whole_add_term(&p, &(struct whole_term){.coefficient = n});
    return p;
}

struct whole whole_factor(uint32_t f) {
    struct whole p = {0};
    whole_add_term(&p, &(struct whole_term){1, {f}});
    return p;
}

bool whole_add_times(struct whole *a, const struct whole *b, uint64_t by) {
    for (uint32_t k = 0; k < b->count; k++) {
        struct whole_term term = b->term[k];
        term.coefficient *= by;
        if (!whole_add_term(a, &term)) return false;
    }
    return true;
}

bool whole_multiply(const struct whole *a, const struct whole *b, struct whole *product) {
    struct whole result = {0};
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t j = 0; j < b->count; j++) {
            const struct whole_term *x = &a->term[i], *y = &b->term[j];
            struct whole_term term = {.coefficient = x->coefficient * y->coefficient};
            size_t n = 0, k = 0, m = 0;
            for (;;) {
                uint32_t p = k < MOST_FACTORS ? x->factor[k] : 0;
                uint32_t q = m < MOST_FACTORS ? y->factor[m] : 0;
                if (!p && !q) break;
                if (n == MOST_FACTORS) return false;
                if (p >= q) term.factor[n++] = p, k++;
                else term.factor[n++] = q, m++;
            }
            if (!whole_add_term(&result, &term)) return false;
        }
    *product = result;
    return true;
}

bool whole_same(const struct whole *a, const struct whole *b) {
    return a->count == b->count && !memcmp(a->term, b->term, a->count * sizeof *a->term);
}

bool whole_extent(const struct trace *t, wg_extent e, struct whole *p) {
    *p = whole_number(e >= 0 ? (uint64_t)e : 0);
    if (e >= 0) return true;
    struct span span = t->extent.at[-e];
    const int64_t *word = t->word.at + span.at, *end = word + span.count;
    for (; word < end; word += 2 + word[1]) {
        struct whole term = whole_number((uint64_t)word[0]);
        for (int64_t k = 0; k < word[1]; k++) {
            struct whole size = whole_factor(FACTOR_SIZE | (uint32_t)word[2 + k]);
            if (!whole_multiply(&term, &size, &term)) return false;
        }
        if (!whole_add_times(p, &term, 1)) return false;
    }
    return true;
}

static bool value_within(const struct trace *t, value v, int depth, int *visits, struct whole *p) {
    const struct instr *i = instr_at(t, v);
    const value *arg = args_of(t, i);
    struct whole a = {0}, b = {0};
    *p = whole_factor(v);
    if (v >= FACTOR_SIZE || depth > DEEPEST || ++*visits > MOST_VISITS) return v < FACTOR_SIZE;
    if (type_of(t, v)->dtype != WG_I64 || type_of(t, v)->rank > 0) return true;
    switch (i->op) {
    case OP_constant: *p = whole_number((uint64_t)attr_words(t, i->attr)[0]); return true;
    case OP_size: return whole_extent(t, attr_words(t, i->attr)[0], p);
    case OP_copy:
    case OP_stop_gradient: return value_within(t, arg[0], depth + 1, visits, p);
    case OP_neg:
        if (!value_within(t, arg[0], depth + 1, visits, &a)) return false;
        *p = (struct whole){0};
        return whole_add_times(p, &a, (uint64_t)-1);
    case OP_add:
    case OP_sub:
    case OP_mul: break;
    default: return true;
    }
    if (!value_within(t, arg[0], depth + 1, visits, &a) ||
        !value_within(t, arg[1], depth + 1, visits, &b))
        return false;
    if (i->op == OP_mul) return whole_multiply(&a, &b, p);
    *p = a;
    return whole_add_times(p, &b, i->op == OP_add ? 1 : (uint64_t)-1);
}

bool whole_value(const struct trace *t, value v, struct whole *p) {
    int visits = 0;
    return value_within(t, v, 0, &visits, p);
}
