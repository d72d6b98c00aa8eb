/* A block of statements is drawn from a seed of its own. So one walk serves a graph, which sees
 * each body once, and C, which goes through it in every iteration. What is drawn depends on what
 * kinds of values there are, and these are the same in both. */
#include "support/random_loops.h"

#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum kind { SCALAR, VECTOR, INTEGER };
enum { MOST_VALUES = 64, MOST_CARRIES = 3, CONSTANT_LENGTH = 3 };

struct val {
    enum kind kind;
    wg_var var; /* of a graph */
    double *at; /* of C: one number, or n */
    int64_t number;
};

struct scope {
    struct val v[MOST_VALUES];
    int count;
};

struct machine {
    const struct random_loops *r;
    wg_graph *g; /* NULL: C */
    wg_extent extent;
    int64_t n;
    uint64_t path;
    double **block; /* of C: what was allocated */
    size_t blocks, room;
};

/* ---- values ---------------------------------------------------------------------------------- */

static double *numbers(struct machine *m, int64_t count) {
    if (m->blocks == m->room) {
        m->room = 2 * m->room + 256;
        m->block = realloc(m->block, m->room * sizeof *m->block);
        assert_non_null(m->block);
    }
    double *x = calloc((size_t)count + 1, sizeof *x);
    assert_non_null(x);
    return m->block[m->blocks++] = x;
}

static int64_t elements(const struct machine *m, enum kind kind) {
    return kind == VECTOR ? m->n : 1;
}

static struct val empty(struct machine *m, enum kind kind) {
    struct val v = {.kind = kind};
    if (!m->g && kind != INTEGER) v.at = numbers(m, elements(m, kind));
    return v;
}

static struct val number(struct machine *m, double x) {
    struct val v = empty(m, SCALAR);
    if (m->g)
        v.var = wg_number(m->g, WG_F64, x);
    else
        v.at[0] = x;
    return v;
}

static struct val integer(struct machine *m, int64_t i) {
    struct val v = {.kind = INTEGER, .number = i};
    if (m->g) v.var = wg_number(m->g, WG_I64, (double)i);
    return v;
}

static void decide(struct machine *m, uint64_t way) {
    m->path = (m->path ^ way) * UINT64_C(0x9E3779B97F4A7C15) + 1;
}

static void keep(struct scope *s, struct val v) {
    if (s->count < MOST_VALUES) s->v[s->count++] = v;
}

/* One of the kind, newer ones twice as often; the scope has one. */
static struct val pick(const struct scope *s, wg_random *random, enum kind kind) {
    int found[MOST_VALUES], n = 0;
    for (int i = 0; i < s->count; i++)
        if (s->v[i].kind == kind) found[n++] = i;
    assert_true(n > 0);
    uint64_t i = wg_random_below(random, (uint64_t)n), k = wg_random_below(random, (uint64_t)n);
    return s->v[found[i > k ? i : k]];
}

static enum kind any_kind(wg_random *random) {
    return wg_random_below(random, 3) == 0 ? VECTOR : SCALAR;
}

/* ---- operations ------------------------------------------------------------------------------ */

static struct val unary(struct machine *m, uint64_t op, struct val a) {
    struct val y = empty(m, a.kind);
    if (m->g) {
        wg_var x = a.var;
        y.var = op == 0   ? wg_sin(x)
                : op == 1 ? wg_tanh(x)
                : op == 2 ? wg_cos(wg_add(x, 0.5))
                : op == 3 ? wg_log(wg_add(wg_square(x), 1.5))
                          : wg_div(x, wg_add(wg_square(x), 2));
        return y;
    }
    for (int64_t i = 0; i < elements(m, a.kind); i++) {
        double x = a.at[i];
        y.at[i] = op == 0   ? sin(x)
                  : op == 1 ? tanh(x)
                  : op == 2 ? cos(x + 0.5)
                  : op == 3 ? log(x * x + 1.5)
                            : x / (x * x + 2);
    }
    return y;
}

static struct val binary(struct machine *m, uint64_t op, struct val a, struct val b) {
    struct val y = empty(m, a.kind == VECTOR || b.kind == VECTOR ? VECTOR : SCALAR);
    if (m->g) {
        y.var = op == 0   ? wg_mul(0.5, wg_add(a.var, b.var))
                : op == 1 ? wg_tanh(wg_mul(a.var, b.var))
                : op == 2 ? wg_sub(a.var, wg_mul(0.5, b.var))
                          : wg_div(a.var, wg_add(1.5, wg_square(b.var)));
        if (op == 2) y.var = wg_sin(y.var);
        return y;
    }
    for (int64_t i = 0; i < elements(m, y.kind); i++) {
        double u = a.at[a.kind == VECTOR ? i : 0], v = b.at[b.kind == VECTOR ? i : 0];
        y.at[i] = op == 0   ? 0.5 * (u + v)
                  : op == 1 ? tanh(u * v)
                  : op == 2 ? sin(u - 0.5 * v)
                            : u / (1.5 + v * v);
    }
    return y;
}

/* tanh of a quarter of the sum. */
static struct val sum(struct machine *m, struct val a) {
    struct val y = empty(m, SCALAR);
    if (m->g) {
        y.var = wg_tanh(wg_mul(0.25, wg_sum(a.var)));
        return y;
    }
    for (int64_t i = 0; i < elements(m, a.kind); i++) y.at[0] += a.at[i];
    y.at[0] = tanh(0.25 * y.at[0]);
    return y;
}

/* Brought to 0 .. n-1; for n = 0 nothing is read. */
static struct val index_near(struct machine *m, struct val i, int64_t shift) {
    struct val y = {.kind = INTEGER, .number = i.number + shift};
    if (m->g) {
        wg_var last = wg_sub(wg_extent_value(m->g, m->extent), 1);
        y.var = wg_max(wg_min(wg_add(i.var, wg_number(m->g, WG_I64, (double)shift)), last), 0);
        return y;
    }
    if (y.number > m->n - 1) y.number = m->n - 1;
    if (y.number < 0) y.number = 0;
    return y;
}

static struct val take(struct machine *m, struct val a, struct val i) {
    struct val y = empty(m, SCALAR);
    if (m->g)
        y.var = wg_take(a.var, i.var, 0);
    else
        y.at[0] = a.at[i.number];
    return y;
}

static struct val update(struct machine *m, struct val a, struct val u, struct val i, bool adds) {
    struct val y = empty(m, VECTOR);
    if (m->g) {
        y.var = adds ? wg_index_add(a.var, wg_mul(0.5, u.var), i.var, 0)
                     : wg_index_set(a.var, u.var, i.var, 0);
        return y;
    }
    memcpy(y.at, a.at, (size_t)m->n * sizeof *y.at);
    y.at[i.number] = adds ? y.at[i.number] + 0.5 * u.at[0] : u.at[0];
    return y;
}

/* ---- bodies ---------------------------------------------------------------------------------- */

static void block(struct machine *m, struct scope *s, uint64_t seed, int length, int depth,
                  bool inside);

static uint64_t seed_of(wg_random *random) { return wg_random_below(random, UINT64_MAX - 1); }

static int inner_length(const struct machine *m, wg_random *random) {
    return 1 + (int)wg_random_below(random, (uint64_t)m->r->inner);
}

struct loop { /* as it is drawn */
    bool over_n, backwards, counted, conditional, inside;
    struct val count;
    int carries, slices, results;
    struct val carry[MOST_CARRIES], stack[2];
    enum kind result[2];
    uint64_t seed;
    int length;
};

static struct loop draw_loop(struct machine *m, const struct scope *s, wg_random *random,
                             bool inside) {
    struct loop l = {.over_n = wg_random_below(random, 4) > 0};
    l.inside = inside || l.over_n;
    l.backwards = wg_random_below(random, 3) == 0;
    l.counted = wg_random_below(random, 3) == 0;
    l.conditional = !l.backwards && !l.counted && m->r->whiles && wg_random_below(random, 3) == 0;
    if (l.counted) l.count = pick(s, random, INTEGER);
    l.carries = (int)wg_random_below(random, MOST_CARRIES + 1);
    if (l.conditional && l.carries == 0) l.carries = 1;
    for (int k = 0; k < l.carries; k++)
        l.carry[k] = pick(s, random, k == 0 && l.conditional ? SCALAR : any_kind(random));
    l.slices = l.over_n ? (int)wg_random_below(random, 3) : 0;
    for (int k = 0; k < l.slices; k++) l.stack[k] = pick(s, random, VECTOR);
    l.results = (int)wg_random_below(random, 3);
    if (l.carries == 0 && l.results == 0) l.results = 1;
    for (int k = 0; k < l.results; k++) l.result[k] = l.over_n ? any_kind(random) : SCALAR;
    l.seed = seed_of(random);
    l.length = inner_length(m, random);
    return l;
}

/* Statements of the body on what it is given; then what is carried on, and collected. */
static void body(struct machine *m, const struct scope *outer, const struct loop *l, int depth,
                 struct val index, const struct val *carry, const struct val *slice,
                 struct val *next, struct val *result) {
    struct scope s = *outer;
    wg_random random = wg_random_seed(l->seed);
    keep(&s, index);
    for (int k = 0; k < l->slices; k++) keep(&s, slice[k]);
    for (int k = 0; k < l->carries; k++) keep(&s, carry[k]);
    block(m, &s, seed_of(&random), l->length, depth + 1, l->inside);
    for (int k = 0; k < l->carries; k++) next[k] = pick(&s, &random, carry[k].kind);
    for (int k = 0; k < l->results; k++) result[k] = pick(&s, &random, l->result[k]);
}

static void build_loop(struct machine *m, struct scope *s, const struct loop *l, int depth) {
    struct val index = {.kind = INTEGER}, carry[MOST_CARRIES], slice[2], next[MOST_CARRIES];
    struct val result[2];
    wg_var out[MOST_CARRIES + 2] = {{0}};
    wg_loop *loop = wg_loop_begin(m->g, l->over_n ? m->extent : CONSTANT_LENGTH);
    if (l->counted) wg_loop_count(loop, l->count.var);
    if (l->backwards) wg_loop_backwards(loop);
    if (m->r->snapshots && l->seed % 4 == 0)
        wg_loop_checkpoints(loop, 1 + (int64_t)(l->seed / 4 % 3));
    index.var = wg_loop_index(loop);
    for (int k = 0; k < l->carries; k++) {
        carry[k] = l->carry[k];
        carry[k].var = wg_loop_carry(loop, l->carry[k].var);
    }
    for (int k = 0; k < l->slices; k++)
        slice[k] = (struct val){.kind = SCALAR, .var = wg_loop_slice(loop, l->stack[k].var)};
    if (l->conditional) wg_loop_while(loop, wg_lt(carry[0].var, 0.4));
    body(m, s, l, depth, index, carry, slice, next, result);
    for (int k = 0; k < l->carries; k++) wg_loop_next(loop, carry[k].var, next[k].var);
    for (int k = 0; k < l->results; k++) wg_loop_collect(loop, result[k].var);
    struct val ran = {.kind = INTEGER, .var = wg_loop_end(loop, out)};
    keep(s, ran);
    for (int k = 0; k < l->carries; k++)
        keep(s, (struct val){.kind = l->carry[k].kind, .var = out[k]});
    for (int k = 0; k < l->results; k++) {
        wg_var y = out[l->carries + k];
        if (!l->over_n) /* f64[3] */
            keep(s, (struct val){.kind = SCALAR, .var = wg_tanh(wg_mul(0.25, wg_sum(y)))});
        else if (l->result[k] == VECTOR) /* f64[n, n] */
            keep(s, (struct val){.kind = VECTOR, .var = wg_tanh(wg_mul(0.25, wg_sum(y, 0)))});
        else
            keep(s, (struct val){.kind = VECTOR, .var = y});
    }
}

static void run_loop(struct machine *m, struct scope *s, const struct loop *l, int depth) {
    int64_t length = l->over_n ? m->n : CONSTANT_LENGTH, count = length, ran = 0;
    struct val carry[MOST_CARRIES], slice[2], next[MOST_CARRIES], result[2], stack[2];
    if (l->counted && l->count.number < count) count = l->count.number;
    memcpy(carry, l->carry, sizeof carry);
    for (int k = 0; k < l->results; k++)
        stack[k] = (struct val){.kind = VECTOR,
                                .at = numbers(m, length * elements(m, l->result[k]))};
    for (; ran < count; ran++) {
        int64_t i = l->backwards ? count - 1 - ran : ran;
        if (l->conditional && !(carry[0].at[0] < 0.4)) break;
        for (int k = 0; k < l->slices; k++)
            slice[k] = (struct val){.kind = SCALAR, .at = l->stack[k].at + i};
        body(m, s, l, depth, integer(m, i), carry, slice, next, result);
        memcpy(carry, next, sizeof carry);
        for (int k = 0; k < l->results; k++) {
            int64_t width = elements(m, l->result[k]);
            memcpy(stack[k].at + i * width, result[k].at, (size_t)width * sizeof(double));
        }
    }
    decide(m, (uint64_t)ran);
    keep(s, integer(m, ran));
    for (int k = 0; k < l->carries; k++) keep(s, carry[k]);
    for (int k = 0; k < l->results; k++) {
        struct val y = stack[k];
        if (!l->over_n) {
            y = empty(m, SCALAR);
            for (int64_t i = 0; i < length; i++) y.at[0] += stack[k].at[i];
            y.at[0] = tanh(0.25 * y.at[0]);
        } else if (l->result[k] == VECTOR) {
            y = empty(m, VECTOR);
            for (int64_t i = 0; i < length * m->n; i++) y.at[i % m->n] += stack[k].at[i];
            for (int64_t i = 0; i < m->n; i++) y.at[i] = tanh(0.25 * y.at[i]);
        }
        keep(s, y);
    }
}

/* ---- branches -------------------------------------------------------------------------------- */

/* One case: its results of the kinds drawn. */
static void branch_case(struct machine *m, const struct scope *outer, uint64_t seed, int length,
                        int depth, bool inside, const enum kind *kind, int results,
                        struct val *result) {
    struct scope s = *outer;
    wg_random random = wg_random_seed(seed);
    block(m, &s, seed_of(&random), length, depth + 1, inside);
    for (int k = 0; k < results; k++) result[k] = pick(&s, &random, kind[k]);
}

static void branch(struct machine *m, struct scope *s, wg_random *random, int depth, bool inside) {
    bool by_index = wg_random_below(random, 3) == 0;
    int cases = by_index ? 2 + (int)wg_random_below(random, 2) : 2;
    int results = 1 + (int)wg_random_below(random, 2), length = inner_length(m, random);
    enum kind kind[2] = {any_kind(random), any_kind(random)};
    struct val choice = pick(s, random, by_index ? INTEGER : SCALAR), result[2] = {{0}};
    uint64_t seed = seed_of(random);
    if (!m->g) {
        int64_t taken = by_index ? choice.number : !(choice.at[0] > 0.1);
        taken = taken < 0 ? 0 : taken >= cases ? cases - 1 : taken;
        decide(m, (uint64_t)taken);
        branch_case(m, s, seed + (uint64_t)taken, length, depth, inside, kind, results, result);
        for (int k = 0; k < results; k++) keep(s, result[k]);
        return;
    }
    wg_branch *b = wg_branch_begin(m->g, by_index ? choice.var : wg_gt(choice.var, 0.1));
    wg_var out[2] = {{0}};
    for (int i = 0; i < cases; i++) {
        branch_case(m, s, seed + (uint64_t)i, length, depth, inside, kind, results, result);
        wg_var y[2] = {result[0].var, result[1].var};
        wg_branch_case_at(__FILE__, __LINE__, b, (size_t)results, y);
    }
    wg_branch_end(b, out);
    for (int k = 0; k < results; k++) keep(s, (struct val){.kind = kind[k], .var = out[k]});
}

/* tanh(x), where x < 9, as always; else what is NaN wherever x is. */
static struct val hazard(struct machine *m, struct val x) {
    struct val y = unary(m, 1, x);
    if (!m->g || !m->r->hazards) return y;
    wg_branch *b = wg_branch_begin(m->g, wg_lt(x.var, 9));
    wg_branch_case(b, wg_tanh(x.var));
    wg_var root = wg_sqrt(wg_sub(x.var, 9));
    wg_branch_case(b, wg_div(wg_mul(root, wg_log(wg_sub(x.var, 9))), wg_sub(x.var, x.var)));
    wg_branch_end(b, &y.var);
    return y;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void block(struct machine *m, struct scope *s, uint64_t seed, int length, int depth,
                  bool inside) {
    for (int i = 0; i < length; i++) {
        wg_random random = wg_random_seed(seed + (uint64_t)i);
        uint64_t kinds = depth < m->r->depth ? 13 : 9, what = wg_random_below(&random, kinds);
        enum kind kind = any_kind(&random);
        struct val a = pick(s, &random, kind), u = pick(s, &random, SCALAR);
        if (what < 2) {
            keep(s, unary(m, wg_random_below(&random, 5), a));
        } else if (what < 4) {
            struct val other = pick(s, &random, any_kind(&random));
            keep(s, binary(m, wg_random_below(&random, 4), a, other));
        } else if (what == 4) {
            keep(s, hazard(m, u));
        } else if (what < 9 && inside) { /* where n is not 0 */
            struct val vector = pick(s, &random, VECTOR), at = pick(s, &random, INTEGER);
            at = index_near(m, at, (int64_t)wg_random_below(&random, 3) - 1);
            if (what < 6)
                keep(s, take(m, vector, at));
            else
                keep(s, update(m, vector, u, at, what == 6));
        } else if (what < 9) {
            keep(s, sum(m, pick(s, &random, VECTOR)));
        } else if (what < 11) {
            struct loop l = draw_loop(m, s, &random, inside);
            if (m->g)
                build_loop(m, s, &l, depth);
            else
                run_loop(m, s, &l, depth);
        } else {
            branch(m, s, &random, depth, inside);
        }
    }
}

static struct val both(struct machine *m, struct val y, struct val v) {
    return binary(m, 2, v.kind == VECTOR ? sum(m, v) : v, y);
}

/* y and z, of all that the program has. */
static void finish(struct machine *m, const struct scope *s, struct val *y, struct val *z) {
    *y = number(m, 0.25);
    for (int i = 0; i < s->count; i++) {
        if (s->v[i].kind == VECTOR) *z = s->v[i];
        if (s->v[i].kind != INTEGER) *y = both(m, *y, s->v[i]);
    }
}

wg_program *random_loops(const struct random_loops *r, const wg_allocator *allocator,
                         wg_error *error) {
    wg_graph *g = wg_graph_new_with(allocator);
    if (!g) return wg_build(g, error); /* says why */
    struct machine m = {.r = r, .g = g};
    struct scope s = {.count = 0};
    struct val y, z = {.kind = VECTOR};
    m.extent = wg_size(g, "n");
    keep(&s, (struct val){.kind = SCALAR, .var = wg_input(g, "a", wg_f64())});
    keep(&s, (struct val){.kind = VECTOR, .var = wg_input(g, "b", wg_f64(m.extent))});
    keep(&s, (struct val){.kind = VECTOR, .var = wg_input(g, "c", wg_f64(m.extent))});
    keep(&s, (struct val){.kind = INTEGER, .var = wg_input(g, "k", wg_i64())});
    block(&m, &s, r->seed * 1000, r->length, 0, false);
    finish(&m, &s, &y, &z);
    wg_output(g, "y", y.var);
    wg_output(g, "z", z.var);
    return wg_build(g, error);
}

double random_loops_in_c(const struct random_loops *r, int64_t n, double a, const double *b,
                         const double *c, int64_t k, double *z, uint64_t *path) {
    struct machine m = {.r = r, .n = n, .path = 1};
    struct scope s = {.count = 0};
    struct val y, last = {.kind = VECTOR},
                  in[3] = {empty(&m, SCALAR), empty(&m, VECTOR), empty(&m, VECTOR)};
    in[0].at[0] = a;
    if (n) memcpy(in[1].at, b, (size_t)n * sizeof *b);
    if (n) memcpy(in[2].at, c, (size_t)n * sizeof *c);
    for (int i = 0; i < 3; i++) keep(&s, in[i]);
    keep(&s, integer(&m, k));
    block(&m, &s, r->seed * 1000, r->length, 0, false);
    finish(&m, &s, &y, &last);
    double result = y.at[0];
    if (n) memcpy(z, last.at, (size_t)n * sizeof *z);
    *path = m.path;
    for (size_t i = 0; i < m.blocks; i++) free(m.block[i]);
    free(m.block);
    return result;
}
