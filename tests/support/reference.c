/* A walk over a program's instructions that computes each by loops over coordinates: no strides, no
 * blocks, no special cases for speed. Attributes are read as the operations' files say. */
#include "support/reference.h"

#include "op/conv.h"
#include "support/reference_linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct number number;

/* What an instruction is computed of. */
struct job {
    const struct array *x[UINT8_MAX];
    size_t narg;
    const int64_t *word;
    size_t words;
    struct array y;
    bool floating; /* the result */
};

/* ---- numbers --------------------------------------------------------------------------------- */

static unsigned bits_of(wg_dtype dtype) {
    return dtype == WG_BOOL ? 1 : 8 * (unsigned)wg_dtype_size(dtype);
}

number reference_cut(wg_dtype dtype, number x) {
    if (dtype == WG_BOOL) x.i = x.i & 1;
    if (dtype == WG_I32) x.i = (int32_t)(uint32_t)(uwide)x.i;
    if (dtype == WG_I64) x.i = (int64_t)(uint64_t)(uwide)x.i;
    return x;
}

static number add(number a, number b) {
    return (number){a.f + b.f, (wide)((uwide)a.i + (uwide)b.i)};
}

static number times(number a, number b, bool absolute) {
    bool nothing = absolute && (a.f == 0 || b.f == 0);
    return (number){nothing ? 0 : a.f * b.f, (wide)((uwide)a.i * (uwide)b.i)};
}

static bool less(bool floating, number a, number b) {
    return floating ? a.f < b.f : a.i < b.i;
}

static number read_element(const wg_tensor *t, int64_t k) {
    switch (t->dtype) {
    case WG_F64: return (number){.f = (long double)((const double *)t->data)[k]};
    case WG_F32: return (number){.f = (long double)((const float *)t->data)[k]};
    case WG_I64: return (number){.i = ((const int64_t *)t->data)[k]};
    case WG_I32: return (number){.i = ((const int32_t *)t->data)[k]};
    case WG_BOOL: return (number){.i = ((const uint8_t *)t->data)[k]};
    }
    return (number){0};
}

/* ---- coordinates ----------------------------------------------------------------------------- */

static void coordinates(const struct array *a, int64_t flat, int64_t *c) {
    for (size_t i = a->rank; i-- > 0; flat /= a->extent[i]) c[i] = flat % a->extent[i];
}

static int64_t place(const struct array *a, const int64_t *c) {
    int64_t flat = 0;
    for (size_t i = 0; i < a->rank; i++) flat = flat * a->extent[i] + c[i];
    return flat;
}

/* ---- leaves and elementwise ------------------------------------------------------------------ */

static bool do_elementwise(struct job *j, unsigned op) {
    floating_row *row = reference_floating(op);
    integer_row *whole = reference_integer(op);
    bool from_floats = dtype_is_float(j->x[0]->dtype);
    if (from_floats ? !row : !whole) return false;
    for (int64_t k = 0; k < j->y.count; k++) {
        long double f[3] = {0};
        wide i[3] = {0};
        for (size_t n = 0; n < j->narg; n++) {
            f[n] = j->x[n]->at[k].f;
            i[n] = j->x[n]->at[k].i;
        }
        if (!from_floats) j->y.at[k].i = whole(i, bits_of(j->x[0]->dtype));
        else if (j->floating) j->y.at[k].f = row(f);
        else j->y.at[k].i = row(f) != 0;
    }
    return true;
}

/* Saturating where a floating number has no integer, NaN to 0. */
static number cast_one(wg_dtype from, wg_dtype to, number x) {
    bool floats = dtype_is_float(from);
    if (dtype_is_float(to)) return (number){.f = floats ? x.f : (long double)x.i};
    if (to == WG_BOOL) return (number){.i = floats ? x.f != 0 : x.i != 0};
    if (!floats) return x;
    long double limit = ldexpl(1, (int)bits_of(to) - 1);
    if (isnan(x.f)) return (number){0};
    if (x.f >= limit) return (number){.i = (wide)limit - 1};
    return (number){.i = x.f < -limit ? -(wide)limit : (wide)x.f};
}

static void do_where_cast(struct job *j, unsigned op) {
    for (int64_t k = 0; k < j->y.count; k++)
        j->y.at[k] = op == OP_where  ? j->x[j->x[0]->at[k].i ? 1 : 2]->at[k]
                     : op == OP_cast ? cast_one(j->x[0]->dtype, j->y.dtype, j->x[0]->at[k])
                                     : j->x[0]->at[k];
}

/* ---- shape ----------------------------------------------------------------------------------- */

static void do_shape(struct job *j, unsigned op) {
    const struct array *x = j->x[0];
    size_t rank = j->y.rank, part = 0;
    int64_t c[WG_MAX_RANK], from[WG_MAX_RANK], begin = 0;
    for (int64_t k = 0; k < j->y.count; k++) {
        coordinates(&j->y, k, c);
        if (op == OP_transpose)
            for (size_t i = 0; i < rank; i++) from[j->word[i]] = c[i];
        if (op == OP_broadcast)
            for (size_t i = 0, n = 0; i < rank; i++)
                if (j->word[j->words - 1] >> i & 1) from[n++] = c[i];
        if (op == OP_slice) /* backwards: the same elements from the last to the first */
            for (size_t i = 0; i < rank; i++) {
                int64_t step = j->word[2 * rank + i];
                from[i] = step < 0 ? j->word[i] - (j->y.extent[i] - 1 - c[i]) * step
                                   : j->word[i] + c[i] * step;
            }
        if (op == OP_concat) {
            size_t axis = (size_t)j->word[0];
            for (part = 0, begin = 0; c[axis] - begin >= j->x[part]->extent[axis]; part++)
                begin += j->x[part]->extent[axis];
            memcpy(from, c, sizeof from);
            from[axis] -= begin;
            x = j->x[part];
        }
        j->y.at[k] = x->at[op == OP_reshape ? k : place(x, from)];
    }
}

static void do_pad(struct job *j) {
    const struct array *x = j->x[0];
    size_t rank = j->y.rank;
    int64_t c[WG_MAX_RANK], to[WG_MAX_RANK];
    for (int64_t k = 0; k < x->count; k++) {
        coordinates(x, k, c);
        for (size_t i = 0; i < rank; i++) {
            int64_t step = j->word[2 * rank + i];
            to[i] = step < 0 ? j->word[i] - (x->extent[i] - 1 - c[i]) * step
                             : j->word[i] + c[i] * step;
        }
        j->y.at[place(&j->y, to)] = x->at[k];
    }
}

/* ---- reductions ------------------------------------------------------------------------------ */

/* log and sqrt at the end, on sums that long double's range keeps from overflowing. */
static void do_reduce(struct job *j, unsigned op) {
    const struct array *x = j->x[0];
    bool *met = calloc((size_t)j->y.count + 1, sizeof *met);
    int64_t c[WG_MAX_RANK], kept[WG_MAX_RANK];
    for (int64_t k = 0; k < x->count; k++) {
        coordinates(x, k, c);
        for (size_t i = 0, n = 0; i < x->rank; i++)
            if (!(j->word[0] >> i & 1)) kept[n++] = c[i];
        int64_t at = place(&j->y, kept);
        number *y = &j->y.at[at], v = x->at[k];
        if (op == OP_reduce_max || op == OP_peak)
            *y = met[at] && !less(j->floating, *y, v) ? *y : v;
        else if (op == OP_logsumexp) y->f += expl(v.f);
        else *y = add(*y, op == OP_norm ? times(v, v, false) : v);
        met[at] = true;
    }
    for (int64_t k = 0; k < j->y.count; k++) {
        if (op == OP_reduce_max && !met[k]) j->y.at[k].f = -INFINITY;
        if (op == OP_peak && !isfinite(j->y.at[k].f)) j->y.at[k].f = 0;
        if (op == OP_logsumexp) j->y.at[k].f = logl(j->y.at[k].f);
        if (op == OP_norm) j->y.at[k].f = sqrtl(j->y.at[k].f);
    }
    free(met);
}

/* ---- along an axis: x[outer, n, inner] ------------------------------------------------------- */

struct line {
    int64_t outer, n, inner;
};

static struct line line_of(const struct array *x, int64_t axis) {
    struct line l = {1, x->extent[axis], 1};
    for (size_t i = 0; i < x->rank; i++)
        if ((int64_t)i != axis) *((int64_t)i < axis ? &l.outer : &l.inner) *= x->extent[i];
    return l;
}

static void do_argmax(struct job *j) {
    const struct array *x = j->x[0];
    struct line l = line_of(x, j->word[0]);
    for (int64_t k = 0; k < j->y.count; k++) {
        const number *first = x->at + k / l.inner * l.n * l.inner + k % l.inner;
        int64_t best = 0;
        for (int64_t i = 1; i < l.n; i++)
            if (less(dtype_is_float(x->dtype), first[best * l.inner], first[i * l.inner])) best = i;
        j->y.at[k].i = best;
    }
}

/* The place of an element is the count of those that stand before it. */
static void do_argsort(struct job *j) {
    const struct array *x = j->x[0];
    struct line l = line_of(x, j->word[0]);
    bool floating = dtype_is_float(x->dtype);
    for (int64_t k = 0; k < x->count; k++) {
        int64_t i = k / l.inner % l.n, start = k - i * l.inner, before = 0;
        for (int64_t other = 0; other < l.n; other++) {
            number o = x->at[start + other * l.inner];
            before += less(floating, o, x->at[k]) ||
                      (other < i && !less(floating, x->at[k], o));
        }
        j->y.at[start + before * l.inner].i = i;
    }
}

static void do_recurrence(struct job *j, unsigned op) {
    struct line l = line_of(&j->y, j->word[0]);
    bool reverse = j->word[1] != 0, absolute = op == OP_recur && j->words == 3;
    for (int64_t k = 0; k < j->y.count; k++) {
        int64_t flat = reverse ? j->y.count - 1 - k : k, i = flat / l.inner % l.n;
        number *y = &j->y.at[flat];
        *y = j->x[op == OP_recur]->at[flat];
        if (i == (reverse ? l.n - 1 : 0)) continue;
        number last = j->y.at[flat + (reverse ? l.inner : -l.inner)];
        *y = add(op == OP_recur ? times(j->x[0]->at[flat], last, absolute) : last, *y);
        *y = reference_cut(j->y.dtype, *y);
    }
}

/* ---- indexing -------------------------------------------------------------------------------- */

/* Walks over the small one, in the layout [b, p, i.., q], and moves from or to the large one. */
static void do_index(struct job *j, bool scatter) {
    const struct array *small = scatter ? j->x[0] : &j->y, *large = scatter ? &j->y : j->x[0];
    const struct array *index = j->x[1];
    size_t axis = (size_t)j->word[0], batch = (size_t)j->word[1], own = index->rank - batch;
    int64_t c[WG_MAX_RANK], at[WG_MAX_RANK], i[WG_MAX_RANK];
    for (int64_t k = 0; k < small->count; k++) {
        coordinates(small, k, c);
        for (size_t n = 0; n < axis; n++) at[n] = c[n];
        for (size_t n = 0; n < index->rank; n++) i[n] = n < batch ? c[n] : c[axis + n - batch];
        at[axis] = (int64_t)index->at[place(index, i)].i;
        for (size_t n = axis + 1; n < large->rank; n++) at[n] = c[n + own - 1];
        int64_t there = place(large, at);
        if (scatter) j->y.at[there] = add(j->y.at[there], small->at[k]);
        else j->y.at[k] = large->at[there];
    }
}

/* index_add, and index_set, whose index has no axes of its own. */
static void do_update(struct job *j, bool sum) {
    const struct array *update = j->x[1], *index = j->x[2];
    size_t axis = (size_t)j->word[0], batch = (size_t)j->word[1], own = index->rank - batch;
    int64_t c[WG_MAX_RANK], at[WG_MAX_RANK], i[WG_MAX_RANK];
    memcpy(j->y.at, j->x[0]->at, (size_t)j->y.count * sizeof *j->y.at);
    for (int64_t k = 0; k < update->count; k++) {
        coordinates(update, k, c);
        for (size_t n = 0; n < axis; n++) at[n] = c[n];
        for (size_t n = 0; n < index->rank; n++) i[n] = n < batch ? c[n] : c[axis + n - batch];
        at[axis] = (int64_t)index->at[place(index, i)].i;
        for (size_t n = axis + 1; n < j->y.rank; n++) at[n] = c[n + own - 1];
        number *to = &j->y.at[place(&j->y, at)];
        *to = sum ? add(*to, update->at[k]) : update->at[k];
    }
}

/* ---- random bits ----------------------------------------------------------------------------- */

/* Philox4x32-10 as its paper states the round, on words of any block of any draw. */
static uint32_t philox_word(uint64_t key, uint64_t counter, uint64_t n) {
    uint64_t r[4] = {(n / 4) & UINT32_MAX, n / 4 >> 32, counter & UINT32_MAX, counter >> 32};
    uint64_t k[2] = {key & UINT32_MAX, key >> 32};
    for (int round = 0; round < 10; round++) {
        uint64_t p = r[0] * 0xD2511F53u, q = r[2] * 0xCD9E8D57u;
        uint64_t next[4] = {(q >> 32) ^ r[1] ^ k[0], q & UINT32_MAX, (p >> 32) ^ r[3] ^ k[1],
                            p & UINT32_MAX};
        memcpy(r, next, sizeof r);
        k[0] = (k[0] + 0x9E3779B9u) & UINT32_MAX;
        k[1] = (k[1] + 0xBB67AE85u) & UINT32_MAX;
    }
    return (uint32_t)r[n % 4];
}

static void do_draw(struct job *j) {
    int64_t draws = j->x[0]->count, each = draws ? j->y.count / draws : 0;
    for (int64_t k = 0; k < j->y.count; k++) {
        uint64_t key = (uint64_t)(uwide)j->x[0]->at[k / each].i;
        uint64_t counter = (uint64_t)(uwide)j->x[1]->at[k / each].i, n = (uint64_t)(k % each);
        uint64_t low = philox_word(key, counter, j->y.dtype == WG_I64 ? 2 * n : n);
        uint64_t high = j->y.dtype == WG_I64 ? philox_word(key, counter, 2 * n + 1) : 0;
        j->y.at[k].i = (wide)(low | high << 32);
    }
}

/* ---- products -------------------------------------------------------------------------------- */

static void do_dot(struct job *j) {
    const struct array *a = j->x[0], *b = j->x[1];
    int64_t depth = 1, batch = 1, m = 1, n = 1;
    size_t shared = (size_t)j->word[0], contract = (size_t)j->word[1];
    bool at = j->word[2] != 0, bt = j->word[3] != 0, absolute = j->words == 5;
    for (size_t i = 0; i < shared; i++) batch *= a->extent[i];
    for (size_t i = 0; i < contract; i++)
        depth *= a->extent[at ? shared + i : a->rank - contract + i];
    if (a->count == 0 || b->count == 0) return; /* sums of nothing */
    m = a->count / batch / depth;
    n = b->count / batch / depth;
    for (int64_t k = 0; k < j->y.count; k++)
        for (int64_t l = 0; l < depth; l++) {
            int64_t p = k / n / m, row = k / n % m, column = k % n;
            number left = a->at[p * m * depth + (at ? l * m + row : row * depth + l)];
            number right = b->at[p * n * depth + (bt ? column * depth + l : l * n + column)];
            j->y.at[k] = add(j->y.at[k], times(left, right, absolute));
        }
}

static void do_conv(struct job *j) {
    const int64_t *w = j->word;
    enum conv_tensor result = (enum conv_tensor)w[CONV_RESULT];
    const struct array *t[3];
    for (int i = 0, k = 0; i < 3; i++) t[i] = i == (int)result ? &j->y : j->x[k++];
    int64_t yc[8], count = t[OUTPUT]->count * t[KERNEL]->extent[2] * t[KERNEL]->extent[3] *
                           t[KERNEL]->extent[4];
    for (int64_t k = 0; k < count; k++) { /* every element of y with every tap (c, i, j) */
        int64_t tap[3], rest = k % (count / t[OUTPUT]->count);
        coordinates(t[OUTPUT], k / (count / t[OUTPUT]->count), yc);
        for (int i = 3; i-- > 0; rest /= t[KERNEL]->extent[2 + i])
            tap[i] = rest % t[KERNEL]->extent[2 + i];
        int64_t h[2];
        bool inside = true;
        for (int i = 0; i < 2; i++) {
            h[i] = yc[3 + i] * w[CONV_STRIDE + i] + tap[1 + i] * w[CONV_DILATION + i] -
                   w[CONV_LOW + i];
            inside = inside && h[i] >= 0 && h[i] < t[IMAGE]->extent[3 + i];
        }
        if (!inside) continue;
        int64_t at[3] = {
            place(t[IMAGE], (int64_t[]){yc[0], yc[1], tap[0], h[0], h[1]}),
            place(t[KERNEL], (int64_t[]){yc[1], yc[2], tap[0], tap[1], tap[2]}),
            place(t[OUTPUT], yc)};
        int one = result == IMAGE ? KERNEL : IMAGE, other = result == OUTPUT ? KERNEL : OUTPUT;
        number *y = &j->y.at[at[result]];
        *y = add(*y, times(t[one]->at[at[one]], t[other]->at[at[other]], w[CONV_ABSOLUTE] != 0));
    }
}

/* ---- what callers give ----------------------------------------------------------------------- */

static void write_element(const wg_tensor *t, int64_t k, number x) {
    switch (t->dtype) {
    case WG_F64: ((double *)t->data)[k] = (double)x.f; break;
    case WG_F32: ((float *)t->data)[k] = (float)x.f; break;
    case WG_I64: ((int64_t *)t->data)[k] = (int64_t)x.i; break;
    case WG_I32: ((int32_t *)t->data)[k] = (int32_t)x.i; break;
    case WG_BOOL: ((uint8_t *)t->data)[k] = (uint8_t)x.i; break;
    }
}

/* With data of its own. */
static wg_tensor tensor_of(const struct array *a) {
    wg_tensor t = {.dtype = a->dtype, .rank = (int)a->rank};
    memcpy(t.shape, a->extent, a->rank * sizeof *a->extent);
    t.data = calloc((size_t)a->count + 1, wg_dtype_size(a->dtype));
    for (int64_t k = 0; k < a->count; k++) write_element(&t, k, a->at[k]);
    return t;
}

/* What a C function computes, only it knows: the reference is a call of its own, on copies, and
 * tells whether the kernel hands over the arguments and the result. One result, no batch. */
static bool do_external(struct job *j, const struct trace *t) {
    enum { LEVELS = 3, RESULTS = 4, PORTS = 32 }; /* words of external.c */
    if (j->words <= RESULTS || j->word[LEVELS] != 0 || j->word[RESULTS] != 1 || j->narg > PORTS)
        return false;
    const struct external *f = &t->external.at[j->word[0]];
    wg_tensor x[PORTS], y = tensor_of(&j->y);
    for (size_t i = 0; i < j->narg; i++) x[i] = tensor_of(j->x[i]);
    bool ok = f->call(f->context, x, &y) == WG_OK;
    for (int64_t k = 0; k < j->y.count; k++) j->y.at[k] = read_element(&y, k);
    for (size_t i = 0; i < j->narg; i++) free(x[i].data);
    free(y.data);
    return ok;
}

/* ---- the walk -------------------------------------------------------------------------------- */

static bool compute(struct job *j, unsigned op, const struct trace *t, const int64_t *size,
                    const wg_tensor *input) {
    int64_t extent = 0;
    switch (op) {
    case OP_input:
        for (int64_t k = 0; k < j->y.count; k++) j->y.at[k] = read_element(&input[j->word[0]], k);
        return true;
    case OP_constant:
    case OP_data: {
        const void *data = op == OP_data ? t->blob.at[j->word[0]].data : j->word;
        wg_tensor written = {.data = (void *)(uintptr_t)data, .dtype = j->y.dtype};
        for (int64_t k = 0; k < j->y.count; k++) j->y.at[k] = read_element(&written, k);
        return true;
    }
    case OP_iota:
        for (int64_t k = 0; k < j->y.count; k++) j->y.at[k].i = k;
        return true;
    case OP_size:
        extent_eval(t, j->word[0], size, &extent);
        j->y.at[0].i = extent;
        return true;
    case OP_where:
    case OP_cast:
    case OP_stop_gradient:
    case OP_custom: /* the value, which is the first operand */
    case OP_copy: do_where_cast(j, op); return true;
    case OP_reshape:
    case OP_transpose:
    case OP_broadcast:
    case OP_slice:
    case OP_concat: do_shape(j, op); return true;
    case OP_pad: do_pad(j); return true;
    case OP_sum:
    case OP_reduce_max:
    case OP_peak:
    case OP_logsumexp:
    case OP_norm: do_reduce(j, op); return true;
    case OP_argmax: do_argmax(j); return true;
    case OP_argsort: do_argsort(j); return true;
    case OP_cumsum:
    case OP_recur: do_recurrence(j, op); return true;
    case OP_take: do_index(j, false); return true;
    case OP_scatter_add: do_index(j, true); return true;
    case OP_index_add:
    case OP_index_set: do_update(j, op == OP_index_add); return true;
    case OP_draw_bits: do_draw(j); return true;
    case OP_dot: do_dot(j); return true;
    case OP_conv: do_conv(j); return true;
    case OP_external: return do_external(j, t);
    default:
        return reference_linalg(op, j->x, j->narg, j->word, &j->y) ||
               (op_is_elementwise(op) && do_elementwise(j, op));
    }
}

bool reference_run(const wg_program *p, const int64_t *size, const wg_tensor *input,
                   struct array *output, unsigned *missing) {
    const struct trace *t = &p->t;
    struct array *all = calloc(t->instr.count, sizeof *all);
    bool ok = true;
    for (value v = 1; ok && v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        const wg_type *type = type_of(t, v);
        struct job j = {.narg = i->narg, .word = attr_words(t, i->attr),
                        .words = attr_count(t, i->attr),
                        .floating = dtype_is_float(type->dtype)};
        j.y = (struct array){.dtype = (wg_dtype)type->dtype, .rank = type->rank};
        ok = type_eval(t, type, size, j.y.extent, &j.y.count);
        j.y.at = calloc((size_t)j.y.count + 1, sizeof *j.y.at);
        for (size_t k = 0; k < i->narg; k++) j.x[k] = &all[args_of(t, i)[k]];
        ok = ok && compute(&j, i->op, t, size, input);
        *missing = i->op;
        for (int64_t k = 0; k < j.y.count; k++)
            j.y.at[k] = reference_cut(j.y.dtype, j.y.at[k]);
        all[v] = j.y;
    }
    value result = t->output.at[0].v;
    *output = all[result];
    all[result].at = NULL;
    for (value v = 1; v < t->instr.count; v++) free(all[v].at);
    free(all);
    return ok;
}
