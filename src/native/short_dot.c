/* Products with few terms: y[b, m, n] = sum over k of a[b, m, k] * c[b, k, n] with a small constant
 * number of terms, written out as one statement of a nest. It is computed with what stands beside
 * it, in vectors along n, and for the smallest shapes as scalars; a call of the library for each
 * batch element would cost more than the products. The right operand must be small enough to stay
 * in the first cache while the rows of the left one pass by. The terms are added in their order,
 * as op/kernel/product.h adds those of small products. */
#include "native/products.h"

enum {
    MOST_TERMS = 32,       /* of products in batches, each too small for a call */
    MOST_TERMS_ALONE = 8,  /* beyond which one call for all rows is faster */
    VECTOR = 8,
    NARROW = 16, /* elements up to which a right operand of few columns is worth no call */
    MOST_RIGHT = 2048, /* elements of the right operand */
    LONG_AXIS = 32,    /* terms that fill vectors often enough to add up their lanes in the end */
    FEW_ROWS = 24      /* rows and columns of results of which no operand is worth a copy */
};

struct dot dot_of(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    const int64_t *word = attr_words(t, i->attr);
    return (struct dot){(unsigned)word[0], (unsigned)word[1], {word[2] != 0, word[3] != 0},
                        attr_count(t, i->attr) == 5};
}

/* Where the contracted axis of operand k stands: behind the operand's own axes, or before. */
static unsigned contracted_axis(const struct trace *t, value v, size_t k) {
    struct dot d = dot_of(t, v);
    unsigned own = type_of(t, args_of(t, instr_at(t, v))[k])->rank - d.batch - d.contract;
    return d.batch + (d.flip[k] == (k == 0) ? 0 : own);
}

int64_t short_dot_terms(const struct trace *t, value v) {
    const value *x = args_of(t, instr_at(t, v));
    return type_of(t, x[0])->extent[contracted_axis(t, v, 0)];
}

bool is_short_dot(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_dot) return false;
    struct dot d = dot_of(t, v);
    const value *x = args_of(t, i);
    const wg_type *right = type_of(t, x[1]);
    if (d.contract != 1 || d.absolute || !dtype_is_float(right->dtype)) return false;
    int64_t terms = short_dot_terms(t, v), size = 1;
    for (size_t k = d.batch; k < right->rank; k++)
        if (right->extent[k] < 0 || mul_overflows(size, right->extent[k], &size)) return false;
    /* Few columns leave vectors empty, which a product of many rows by BLAS does not. */
    bool is_narrow = d.batch == 0 && size / (terms ? terms : 1) < VECTOR && size > NARROW;
    int64_t most = d.batch > 0 ? MOST_TERMS : MOST_TERMS_ALONE;
    return terms > 0 && terms <= most && size <= MOST_RIGHT && !is_narrow;
}

bool is_along_dot(const struct trace *t, value v) {
    if (instr_at(t, v)->op != OP_dot) return false;
    struct dot d = dot_of(t, v);
    const wg_type *y = type_of(t, v);
    if (d.batch == 0 || d.contract != 1 || d.absolute || d.flip[0] || !d.flip[1] ||
        !dtype_is_float(y->dtype) || y->rank != d.batch + 2)
        return false;
    for (size_t k = 0; k < 2; k++)
        if (type_of(t, args_of(t, instr_at(t, v))[k])->rank != d.batch + 2) return false;
    for (size_t k = d.batch; k < y->rank; k++)
        if (y->extent[k] < 2 || y->extent[k] > FEW_ROWS) return false;
    return short_dot_terms(t, v) >= LONG_AXIS;
}

void dot_loops(const struct trace *t, value v, size_t k, int8_t loop[WG_MAX_RANK]) {
    struct dot d = dot_of(t, v);
    const value *x = args_of(t, instr_at(t, v));
    unsigned rank = type_of(t, x[k])->rank, contracted = contracted_axis(t, v, k);
    unsigned own = d.batch + (k ? type_of(t, x[0])->rank - d.batch - 1 : 0);
    for (unsigned j = 0; j < rank; j++)
        loop[j] = (int8_t)(j < d.batch ? j : j == contracted ? CONTRACTED : own++);
}
