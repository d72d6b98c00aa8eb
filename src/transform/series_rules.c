/* The operations whose partials or tangents would make a long way to their series, or a wrong
 * one at a point where the function is smooth:
 *
 *   quotients, solutions of linear equations, linear recurrences, whose derivatives are such
 *   again and so would begin anew at every order;
 *   square and sqrt, which take half a convolution by themselves;
 *   powers: of a whole constant exponent by products, which hold at 0 too; of any other by the
 *   logarithmic derivative, where x is not 0.
 *
 * The recurrences are those of Griewank and Walther, Evaluating Derivatives, 2nd ed., 2008,
 * section 13.2, table 13.1 and 13.2. Everything else follows from the table of operations:
 * series.c. */
#include "transform/series_rules.h"

#include "op/linalg.h"

#include <math.h>

static value sum(wg_graph *g, value a, value b) { return a && b ? build_add(g, a, b) : a ? a : b; }

static value difference(wg_graph *g, value a, value b) {
    if (!b) return a;
    return a ? build_sub(g, a, b) : build_neg(g, b);
}

static value product(wg_graph *g, value a, value b) { return a && b ? build_mul(g, a, b) : 0; }

/* sum over j = from .. to of a_j b_k-j */
static value convolution(const struct series *s, value a, value b, int k, int from, int to) {
    wg_graph *g = series_graph(s);
    value total = 0;
    for (int j = from; j <= to; j++)
        total = sum(g, total, product(g, series_at(s, a, j), series_at(s, b, k - j)));
    return total;
}

/* sum over j = from .. to of j a_j b_k-j */
static value derived_convolution(const struct series *s, value a, value b, int k, int from,
                                 int to) {
    wg_graph *g = series_graph(s);
    value total = 0;
    for (int j = from; j <= to; j++)
        total = sum(g, total, product(g, series_scaled(s, a, j), series_at(s, b, k - j)));
    return total;
}

/* sum over j = from .. k - from of a_j a_k-j */
static value squares(const struct series *s, value a, int k, int from) {
    wg_graph *g = series_graph(s);
    value total = 0;
    for (int j = from; 2 * j < k; j++)
        total = sum(g, total, product(g, series_at(s, a, j), series_at(s, a, k - j)));
    if (total) total = build_mul(g, build_like(g, total, 2), total);
    value middle = k % 2 == 0 && k / 2 >= from ? series_at(s, a, k / 2) : 0;
    return middle ? sum(g, total, build_unary(g, OP_square, middle)) : total;
}

/* a = y b */
static value quotient(const struct series *s, const struct rule *r, int k) {
    value b = r->x[1], rest = convolution(s, b, r->y, k, 1, k);
    rest = difference(r->g, series_at(s, r->x[0], k), rest);
    return rest ? build_binary(r->g, r->op, rest, series_at(s, b, 0)) : 0;
}

/* 1 = y x */
static value reciprocal(const struct series *s, const struct rule *r, int k) {
    value rest = convolution(s, r->x[0], r->y, k, 1, k);
    return rest ? build_neg(r->g, build_mul(r->g, rest, series_at(s, r->y, 0))) : 0;
}

/* x = y y */
static value square_root(const struct series *s, const struct rule *r, int k) {
    value rest = difference(r->g, series_at(s, r->x[0], k), squares(s, r->y, k, 1));
    value y = series_at(s, r->y, 0);
    return rest ? build_div(r->g, rest, build_mul(r->g, build_like(r->g, y, 2), y)) : 0;
}

/* ---- linear equations ------------------------------------------------------------------------ */

/* A y = b, by the factors of A_0: A_0 y_k = b_k - sum over j >= 1 of A_j y_k-j. */
static value solution(const struct series *s, const struct rule *r, int k) {
    wg_graph *g = r->g;
    bool transposed = attr_words(&g->t, r->attr)[0] != 0;
    value rest = series_at(s, r->x[2], k);
    for (int j = 1; j <= k; j++) {
        value a = series_at(s, r->x[0], j), y = series_at(s, r->y, k - j);
        if (a && y) rest = difference(g, rest, matrix_product(g, a, y, transposed, false));
    }
    value x[3] = {series_at(s, r->x[0], 0), series_at(s, r->x[1], 0), rest};
    return rest ? graph_emit(g, r->op, r->attr, x, 3) : 0;
}

/* y_i = a_i y_i-1 + b_i: the same recurrence, with b_k + sum over j >= 1 of a_j times the shifted
 * y_k-j in the place of b. */
static value recurrence(const struct series *s, const struct rule *r, int k) {
    wg_graph *g = r->g;
    const int64_t *word = attr_words(&g->t, r->attr);
    unsigned axis = (unsigned)word[0],
             times = op_is_absolute(&g->t, r->op, r->attr) ? OP_mulz : OP_mul;
    bool reverse = word[1] != 0;
    value rest = series_at(s, r->x[1], k);
    for (int j = 1; j <= k; j++) {
        value a = series_at(s, r->x[0], j), y = series_at(s, r->y, k - j);
        if (a && y)
            rest = sum(g, rest, build_binary(g, times, a, build_shifted(g, y, axis, reverse)));
    }
    value x[2] = {series_at(s, r->x[0], 0), rest};
    return rest ? graph_emit(g, r->op, r->attr, x, 2) : 0;
}

/* ---- powers ---------------------------------------------------------------------------------- */

enum { MOST_PRODUCTS = 1 << 20 }; /* exponents above this have none */

/* Whether the exponent is a whole constant. */
static bool whole_exponent(const wg_graph *g, value b, int64_t *n) {
    int64_t bits;
    if (!value_is_splat(&g->t, b, &bits)) return false;
    double number = literal_to_f64((wg_dtype)type_of(&g->t, b)->dtype, bits);
    if (!(fabs(number) <= MOST_PRODUCTS) || number != floor(number)) return false;
    *n = (int64_t)number;
    return true;
}

static value power_by_products(wg_graph *g, value a, int64_t n) {
    value power = 0, square = a;
    for (uint64_t left = (uint64_t)(n < 0 ? -n : n); left; left /= 2) {
        if (left % 2) power = power ? build_mul(g, power, square) : square;
        if (left > 1) square = build_unary(g, OP_square, square);
    }
    return n < 0 && power ? build_unary(g, OP_reciprocal, power) : power;
}

/* The exponent stands still: x y' = b y x'. */
static value fixed_power(const struct series *s, const struct rule *r, int k) {
    wg_graph *g = r->g;
    value a = r->x[0], first = series_at(s, a, 0);
    value left = derived_convolution(s, a, r->y, k, 1, k);
    value right = derived_convolution(s, r->y, a, k, 1, k - 1);
    value rest = difference(g, product(g, series_at(s, r->x[1], 0), left), right);
    return rest ? build_div(g, rest, build_mul(g, build_like(g, first, k), first)) : 0;
}

/* y = e^w, w = b log a: y' = y w'. */
static value moving_power(const struct series *s, const struct rule *r, value w, int k) {
    value rest = derived_convolution(s, w, r->y, k, 1, k);
    return rest ? build_div(r->g, rest, build_like(r->g, rest, k)) : 0;
}

/* ---- the rules ------------------------------------------------------------------------------- */

bool series_has_rule(const struct series *s, const struct rule *r, value *reads) {
    int64_t n;
    *reads = 0;
    switch (r->op) {
    case OP_div:
    case OP_divz:
    case OP_reciprocal:
    case OP_square:
    case OP_sqrt:
    case OP_solve:
    case OP_recur: return true;
    case OP_pow:
        if (whole_exponent(r->g, r->x[1], &n))
            *reads = power_by_products(r->g, r->x[0], n);
        else if (!series_is_constant(s, r->x[1]))
            *reads = build_mul(r->g, r->x[1], build_unary(r->g, OP_log, r->x[0]));
        return true;
    default: return false;
    }
}

value series_by_rule(const struct series *s, const struct rule *r, value reads, int k) {
    switch (r->op) {
    case OP_div:
    case OP_divz: return quotient(s, r, k);
    case OP_reciprocal: return reciprocal(s, r, k);
    case OP_square: return squares(s, r->x[0], k, 0);
    case OP_sqrt: return square_root(s, r, k);
    case OP_solve: return solution(s, r, k);
    case OP_recur: return recurrence(s, r, k);
    case OP_pow:
        if (!series_is_constant(s, r->x[1])) return moving_power(s, r, reads, k);
        return reads ? series_at(s, reads, k) : fixed_power(s, r, k);
    default: return 0;
    }
}
