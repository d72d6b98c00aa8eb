/* The general contraction and the matrix product that is made of it. attr = batch, contract,
 * a_transposed, b_transposed, and a fifth word, 1, if its products are absolute-zero ones (mulz):
 * with batch axes b, contracted axes k and own axes m and n, in blocks,
 *
 *   a[b, m, k] or, transposed, a[b, k, m]        c[b, k, n] or, transposed, c[b, n, k]
 *   y[b, m, n] = sum over k of a[b, m, k] * c[b, k, n]
 *
 * This form is closed under differentiation: each adjoint is again a dot of the same values, with
 * other flags, and no copy is ever transposed. Below a `where` adjoints are absolute-zero dots, and
 * so is whatever is derived of those. Arbitrary axes are brought to this form in build_dot.c. */
#include "op/build.h"
#include "op/describe.h"
#include "op/kernel/kernel.h"
#include "op/reach.h"

struct dot {
    unsigned batch, contract;
    bool flip[2]; /* operand 0, operand 1 is transposed */
    bool absolute;
};

static struct dot dot_of(const struct trace *t, attr_id attr) {
    const int64_t *word = attr_words(t, attr);
    return (struct dot){(unsigned)word[0], (unsigned)word[1], {word[2] != 0, word[3] != 0},
                        op_is_absolute(t, OP_dot, attr)};
}

/* A dot of the same kind of products. */
static value dot_like(wg_graph *g, const struct dot *d, value a, value b, unsigned batch,
                      unsigned contract, bool a_transposed, bool b_transposed) {
    return (d->absolute ? build_dotz : build_dot)(g, a, b, batch, contract, a_transposed,
                                                  b_transposed);
}

/* The number of axes that only operand k has. */
static unsigned own_axes(const struct trace *t, const struct dot *d, value x) {
    return type_of(t, x)->rank - d->batch - d->contract;
}

/* The first of the contracted axes, and of the own axes, of operand k. */
static unsigned first_contracted(const struct dot *d, unsigned own, size_t k) {
    return d->batch + (d->flip[k] == (k == 0) ? 0 : own);
}

static unsigned first_own(const struct dot *d, size_t k) {
    return d->batch + (d->flip[k] == (k == 0) ? d->contract : 0);
}

/* ---- type ------------------------------------------------------------------------------------ */

/* Two vectors or matrices with one contracted axis are a matrix product to whoever reads a
 * message. */
static const char *dot_name(const struct dot *d) {
    return d->batch == 0 && d->contract == 1 ? "matmul" : "dot";
}

static bool same_extents(wg_graph *g, const struct dot *d, const value *x, unsigned first_a,
                         unsigned first_b, unsigned count, const char *which) {
    for (unsigned i = 0; i < count; i++) {
        wg_extent a = type_of(&g->t, x[0])->extent[first_a + i];
        wg_extent b = type_of(&g->t, x[1])->extent[first_b + i];
        if (a == b) continue;
        graph_fail(g, WG_ESHAPE, "%s: %s extents differ: left %s has %s, right %s has %s",
                   dot_name(d), which, type_name(g, x[0]).text, extent_name(g, a).text,
                   type_name(g, x[1]).text, extent_name(g, b).text);
        graph_fail_operands(g, x, 2);
        return false;
    }
    return true;
}

/* A hint where another orientation of a matrix would fit. */
static void hint_contraction(wg_graph *g, const struct dot *d, const value *x) {
    const wg_type *a = type_of(&g->t, x[0]), *b = type_of(&g->t, x[1]);
    if (d->contract == 1 && b->rank == 2 &&
        a->extent[first_contracted(d, own_axes(&g->t, d, x[0]), 0)] == b->extent[first_own(d, 1)])
        graph_hint(g, "transpose the right operand{, or contract other axes with wg_dot|}");
    else graph_hint(g, "the contracted axes must have one extent{; wg_dot contracts any axes|}");
}

static bool dot_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                      wg_type *type) {
    (void)narg;
    if (!op_is_absolute(&g->t, op, attr) && !require_words(g, op, attr, 4)) return false;
    struct dot d = dot_of(&g->t, attr);
    const int64_t *word = attr_words(&g->t, attr);
    wg_type a = *type_of(&g->t, x[0]), b = *type_of(&g->t, x[1]);
    if (word[0] < 0 || word[0] > WG_MAX_RANK || word[1] < 0 || word[1] > WG_MAX_RANK ||
        d.batch + d.contract > a.rank || d.batch + d.contract > b.rank) {
        graph_fail(g, WG_ESHAPE, "dot: %lld shared and %lld contracted axes of %s and %s",
                   (long long)word[0], (long long)word[1], type_name(g, x[0]).text,
                   type_name(g, x[1]).text);
        graph_fail_operands(g, x, 2);
        return false;
    }
    if (a.dtype != b.dtype) {
        graph_fail(g, WG_EDTYPE, "%s: element types differ: left %s, right %s", dot_name(&d),
                   type_name(g, x[0]).text, type_name(g, x[1]).text);
        graph_fail_operands(g, x, 2);
        if (a.dtype == WG_F64 || b.dtype == WG_F64)
            graph_hint(g, "cast one: {wg_cast(WG_F64, x)|f64(x)}");
        else if (a.dtype == WG_F32 || b.dtype == WG_F32)
            graph_hint(g, "cast one: {wg_cast(WG_F32, x)|f32(x)}");
        else graph_hint(g, "cast one: {wg_cast(WG_I64, x)|i64(x)}");
        return false;
    }
    unsigned m = own_axes(&g->t, &d, x[0]), n = own_axes(&g->t, &d, x[1]);
    if (!require_numbers(g, dot_name(&d), x[0]) || !require_rank(g, op, d.batch + m + n) ||
        !same_extents(g, &d, x, 0, 0, d.batch, "leading"))
        return false;
    if (!same_extents(g, &d, x, first_contracted(&d, m, 0), first_contracted(&d, n, 1), d.contract,
                      "inner")) {
        hint_contraction(g, &d, x);
        return false;
    }
    *type = (wg_type){.dtype = a.dtype, .rank = (uint8_t)d.batch};
    memcpy(type->extent, a.extent, d.batch * sizeof *a.extent);
    for (unsigned i = 0; i < m; i++) type->extent[type->rank++] = a.extent[first_own(&d, 0) + i];
    for (unsigned i = 0; i < n; i++) type->extent[type->rank++] = b.extent[first_own(&d, 1) + i];
    return true;
}

/* ---- simplification -------------------------------------------------------------------------- */

/* Where x is a transposition that swaps the two blocks behind the batch axes, and `first_count`
 * axes long is the first of them now: the value under it. Else 0. */
static value block_swap(const wg_graph *g, value x, unsigned batch, unsigned first_count) {
    const struct instr *i = instr_at(&g->t, x);
    if (i->op != OP_transpose) return 0;
    const int64_t *perm = attr_words(&g->t, i->attr);
    unsigned rank = (unsigned)attr_count(&g->t, i->attr), second_count = rank - batch - first_count;
    for (unsigned k = 0; k < rank; k++) {
        unsigned expected = k < batch                 ? k
                            : k < batch + first_count ? k + second_count
                                                      : k - first_count;
        if (perm[k] != expected) return 0;
    }
    return args_of(&g->t, i)[0];
}

/* A transposition that swaps the blocks of an operand becomes its flag. */
static value dot_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)narg;
    struct dot d = dot_of(&g->t, attr);
    value operand[2] = {x[0], x[1]};
    for (size_t k = 0; k < 2; k++) {
        unsigned own = own_axes(&g->t, &d, x[k]);
        if (own == 0 || d.contract == 0) continue;
        bool contracted_first = d.flip[k] == (k == 0);
        value inner = block_swap(g, x[k], d.batch, contracted_first ? d.contract : own);
        if (!inner) continue;
        operand[k] = inner;
        d.flip[k] = !d.flip[k];
    }
    if (operand[0] == x[0] && operand[1] == x[1]) return 0;
    return dot_like(g, &d, operand[0], operand[1], d.batch, d.contract, d.flip[0], d.flip[1]);
}

/* ---- derivative ------------------------------------------------------------------------------ */

/* With ct[b, m, n] and C the other operand, the adjoint of a is ct C^T [b, m, k], or C ct^T [b, k,
 * m] where a is transposed; that of c is A^T ct [b, k, n], or ct^T A [b, n, k]. The flag of the
 * other operand turns with the side on which it stands. */
static value dot_transpose(const struct rule *r, size_t k, value ct) {
    wg_graph *g = r->g;
    struct dot d = dot_of(&g->t, r->attr);
    const value *x = r->x;
    unsigned m = own_axes(&g->t, &d, x[0]), n = own_axes(&g->t, &d, x[1]);
    d.absolute |= r->guarded;
    if (k == 0 && !d.flip[0]) return dot_like(g, &d, ct, x[1], d.batch, n, false, !d.flip[1]);
    if (k == 0) return dot_like(g, &d, x[1], ct, d.batch, n, d.flip[1], true);
    if (!d.flip[1]) return dot_like(g, &d, x[0], ct, d.batch, m, !d.flip[0], false);
    return dot_like(g, &d, ct, x[0], d.batch, m, true, d.flip[0]);
}

/* ---- batching -------------------------------------------------------------------------------- */

/* x with the axis at `from` moved to position `to`. */
static value move_axis(wg_graph *g, value x, unsigned from, unsigned to) {
    if (!x || from == to || g->error.status) return x;
    uint8_t perm[WG_MAX_RANK];
    unsigned rank = type_of(&g->t, x)->rank;
    for (unsigned i = 0, next = 0; i < rank; i++) {
        if (next == from) next++;
        perm[i] = (uint8_t)(i == to ? from : next++);
    }
    return build_transpose(g, x, perm);
}

/* With one batched operand its new axis joins its own axes, so that one product serves all examples
 * and the other operand is not repeated; then the axis is moved in front of the result. Where the
 * right operand had no own axes it changes sides, and the axis stands in front already. */
static value dot_batch(const struct batch *b) {
    wg_graph *g = b->g;
    struct dot d = dot_of(&g->t, b->attr);
    value x[2] = {b->x[0], b->x[1]};
    if (b->batched[0] && b->batched[1])
        return dot_like(g, &d, x[0], x[1], d.batch + 1, d.contract, d.flip[0], d.flip[1]);
    size_t k = b->batched[0] ? 0 : 1;
    unsigned axis = d.batch; /* where the new one stands in the result */
    value y;
    if (own_axes(&g->t, &d, x[k]) == 1) { /* the new one alone: choose the order of blocks */
        value rows = move_axis(g, x[k], 0, d.batch);
        y = k == 0 ? dot_like(g, &d, rows, x[1], d.batch, d.contract, false, d.flip[1])
                   : dot_like(g, &d, rows, x[0], d.batch, d.contract, false, !d.flip[0]);
    } else {
        if (k == 1) axis += own_axes(&g->t, &d, x[0]);
        x[k] = move_axis(g, x[k], 0, first_own(&d, k));
        y = dot_like(g, &d, x[0], x[1], d.batch, d.contract, d.flip[0], d.flip[1]);
    }
    return move_axis(g, y, axis, 0);
}

/* ---- samples --------------------------------------------------------------------------------- */

/* ---- reach ----------------------------------------------------------------------------------- */

/* Through operand k: the elements along the contracted axes, but for those that meet a known 0. */
static bool operand_reach(const struct reach *r, const struct dot *d, size_t k) {
    int64_t batch = 1, terms = 1, own[2] = {1, 1};
    const struct view *x = r->exec.arg;
    for (size_t o = 0; o < 2; o++) {
        unsigned axes = x[o].rank - d->batch - d->contract;
        for (unsigned i = 0; i < axes; i++) own[o] *= x[o].shape->extent[first_own(d, o) + i];
        for (unsigned i = 0; o == 0 && i < d->contract; i++)
            terms *= x[0].shape->extent[first_contracted(d, axes, 0) + i];
    }
    for (unsigned i = 0; i < d->batch; i++) batch *= x[0].shape->extent[i];
    /* steps of an operand from one own element to the next, and from one term to the next */
    int64_t step[2], term[2];
    for (size_t o = 0; o < 2; o++) {
        bool terms_last = d->flip[o] != (o == 0);
        step[o] = terms_last ? terms : 1;
        term[o] = terms_last ? 1 : own[o];
    }
    bool sieve = reach_has_zero(&x[1 - k]);
    for (int64_t b = 0; b < batch; b++)
        for (int64_t i = 0; i < own[k]; i++) {
            int64_t first = b * own[k] * terms + i * step[k];
            set_id all = 0;
            for (int64_t p = 0; p < own[1 - k]; p++) {
                int64_t other = b * own[1 - k] * terms + p * step[1 - k];
                if (sieve || p == 0) {
                    sets_begin(r->sets);
                    for (int64_t t = 0; t < terms; t++)
                        if (!sieve || !reach_is_zero(&x[1 - k], other + t * term[1 - k]))
                            sets_add(r->sets, reached_at(&r->x[k], first + t * term[k]));
                    all = sets_end(r->sets);
                }
                int64_t y = (b * own[0] + (k == 0 ? i : p)) * own[1] + (k == 0 ? p : i);
                r->y->set[y] = sets_join(r->sets, r->y->set[y], all);
            }
        }
    return true;
}

static bool dot_reach(const struct reach *r) {
    const int64_t *word = r->exec.attr;
    struct dot d = {(unsigned)word[0], (unsigned)word[1], {word[2] != 0, word[3] != 0}, false};
    bool ok = reach_open(r);
    for (size_t k = 0; k < 2; k++)
        if (!reached_none(&r->x[k])) ok = ok && operand_reach(r, &d, k);
    return ok;
}

/* ---- samples and row ------------------------------------------------------------------------- */

static value sample_nn(wg_graph *g, const value *x) {
    return build_dot(g, x[0], x[1], 0, 1, false, false);
}
static value sample_nt(wg_graph *g, const value *x) {
    return build_dot(g, x[0], x[1], 0, 1, false, true);
}
static value sample_tn(wg_graph *g, const value *x) {
    return build_dot(g, x[0], x[1], 0, 1, true, false);
}
static value sample_tt(wg_graph *g, const value *x) {
    return build_dot(g, x[0], x[1], 0, 1, true, true);
}
static value sample_absolute(wg_graph *g, const value *x) {
    return build_dotz(g, x[0], x[1], 0, 1, false, true);
}
static value sample_outer(wg_graph *g, const value *x) {
    return build_dot(g, x[0], x[1], 0, 0, false, false);
}
static value sample_batched(wg_graph *g, const value *x) {
    return build_dot(g, x[0], x[1], 1, 1, false, true);
}
static value sample_double(wg_graph *g, const value *x) {
    return build_dot(g, x[0], x[1], 0, 2, true, false);
}
static const struct op_sample dot_sample[] = {
    {2, {{WG_F64, 2, {2, 3}}, {WG_F64, 2, {3, 4}}}, {-2, -2}, {2, 2}, sample_nn, "matrices"},
    {2, {{WG_F64, 2, {2, 3}}, {WG_F64, 2, {4, 3}}}, {-2, -2}, {2, 2}, sample_nt,
     "right transposed"},
    {2, {{WG_F64, 2, {3, 2}}, {WG_F64, 2, {3, 4}}}, {-2, -2}, {2, 2}, sample_tn, "left transposed"},
    {2, {{WG_F64, 2, {3, 2}}, {WG_F64, 2, {4, 3}}}, {-2, -2}, {2, 2}, sample_tt, "both transposed"},
    {2, {{WG_F64, 1, {5}}, {WG_F64, 1, {5}}}, {-2, -2}, {2, 2}, sample_nn, "vectors"},
    {2, {{WG_F64, 2, {3, 5}}, {WG_F64, 1, {5}}}, {-2, -2}, {2, 2}, sample_nn, "matrix and vector"},
    {2, {{WG_F64, 1, {5}}, {WG_F64, 2, {5, 3}}}, {-2, -2}, {2, 2}, sample_nn, "vector and matrix"},
    {2, {{WG_F64, 1, {2}}, {WG_F64, 1, {3}}}, {-2, -2}, {2, 2}, sample_outer, "the outer product"},
    {2, {{WG_F64, 3, {2, 3, 4}}, {WG_F64, 3, {2, 5, 4}}}, {-2, -2}, {2, 2}, sample_batched,
     "a batch of matrices"},
    {2, {{WG_F64, 3, {2, 3, 4}}, {WG_F64, 3, {2, 3, 2}}}, {-2, -2}, {2, 2}, sample_double,
     "two contracted axes"},
    {2, {{WG_F64, 2, {2, 0}}, {WG_F64, 2, {0, 3}}}, {-2, -2}, {2, 2}, sample_nn,
     "a contraction over nothing"},
    {2, {{WG_F64, 2, {2, 3}}, {WG_F64, 2, {4, 3}}}, {-2, -2}, {2, 2}, sample_absolute,
     "absolute-zero products"},
    {2, {{WG_F64, 2, {0, 3}}, {WG_F64, 2, {3, 2}}}, {-2, -2}, {2, 2}, sample_nn, "no rows"},
    {0}};

const struct op_def op_dot = {
    .name = "dot",
    .class = MULTILINEAR,
    .narg = 2,
    .linear_mask = 3,
    .absolute_word = 4,
    .doc = "y[b,m,n] = sum over k of a[b,m,k] * c[b,k,n], either operand transposed in its last "
           "two blocks of axes; 0 where k is over nothing. In adjoints below a where a term with a "
           "factor 0 is 0, also if the other is infinite or NaN. Integers wrap around",
    .infer = dot_infer,
    .identity = dot_identity,
    .transpose = dot_transpose,
    .batch = dot_batch,
    .reach = dot_reach,
    .run = run_dot,
    .sample = dot_sample};
