/* Dependency through loops and branches. A loop is followed iteration by iteration, with its index
 * known, so that what it reads and writes by index is exact; what it carries is the union of all
 * its ends where nobody knows how often it runs. One of too many iterations, or whose index is not
 * known, is taken as a whole: what it carries grows until an iteration adds nothing. */
#include "transform/sparsity.h"

enum { PATIENCE = 8 }; /* rounds before carries are widened to one set each */

struct results { /* of a region, by number; the region's count where it is known */
    struct reached item[REGION_OPERANDS];
    int64_t elements[REGION_OPERANDS];
    size_t width[REGION_OPERANDS];
    int64_t ran;
    bool ran_known;
};

struct loop {
    struct walk *around, body, condition;
    struct region r;
    const value *capture, *carry, *stack; /* operands */
    struct results *y;
    struct reached in[1 + REGION_OPERANDS]; /* of the body: index, captures, carries, slices */
    struct reached next[REGION_OPERANDS];   /* carries in the making */
    int64_t length, index;
    bool ends_early; /* as far as anybody knows: after any iteration */
};

static bool open_body(struct walk *body, const struct walk *around, const struct region *r,
                      size_t k, uint64_t budget, int64_t **size, size_t *bytes) {
    const struct trace *t = around->t, *inner = &region_body(t, r, k)->body->t;
    const wg_extent *extent = region_sizes(t, r, k);
    *bytes = (inner->size.count + 1) * sizeof **size;
    *size = mem_alloc(&around->s->sets.allocator, *bytes);
    *body = (struct walk){.s = around->s, .t = inner};
    if (!*size) return false;
    for (size_t i = 0; i < inner->size.count; i++)
        if (!extent_eval(t, extent[i], around->size, &(*size)[i])) {
            fail_with(around->s->error, WG_EOVERFLOW,
                      "sparsity: a size inside a loop or branch is negative or too large");
            return false;
        }
    return walk_open(body, around->s, inner, *size, budget);
}

static void close_body(struct walk *body, int64_t *size, size_t bytes) {
    walk_close(body);
    mem_free(&body->s->sets.allocator, size, bytes);
}

/* ---- loops ----------------------------------------------------------------------------------- */

static struct reached *carry_in(struct loop *l, size_t k) { return &l->in[1 + l->r.captures + k]; }

static value output_value(const struct walk *w, size_t k) { return w->t->output.at[k].v; }

/* The slices of the stacks at the index, where they lie. */
static void point_at_slices(struct loop *l) {
    const struct trace *t = l->around->t;
    for (size_t k = 0; k < l->r.stacks; k++) {
        const struct reached *stack = &l->around->at[l->stack[k]];
        value slice = l->body.t->input.at[1 + l->r.captures + l->r.carries + k].v;
        size_t at = (size_t)(l->index * walk_count(&l->body, slice));
        size_t width = wg_dtype_size((wg_dtype)type_of(t, l->stack[k])->dtype);
        struct reached *in = carry_in(l, l->r.carries + k);
        *in = *stack;
        if (in->set) in->set += at;
        if (in->data) in->data = (char *)in->data + at * width;
    }
}

/* Slice `index` of result k. */
static bool store_result(struct loop *l, size_t k) {
    const wg_allocator *a = &l->around->s->sets.allocator;
    const struct reached *x = walk_output(&l->body, l->r.carries + k);
    size_t item = l->r.carries + k, width = l->y->width[item];
    size_t count = (size_t)walk_count(&l->body, output_value(&l->body, item));
    size_t all = (size_t)l->y->elements[item], at = (size_t)l->index * count;
    struct reached *y = &l->y->item[item];
    if (!reached_none(x) && count) {
        if (!y->set) y->set = mem_alloc_zero(a, all * sizeof *y->set);
        if (!y->set) return false;
        for (size_t i = 0; i < count; i++) y->set[at + i] = reached_at(x, (int64_t)i);
    }
    if (y->data && x->data) memcpy((char *)y->data + at * width, x->data, count * width);
    if (y->data && !x->data) {
        mem_free(a, y->data, all * width);
        y->data = NULL;
    }
    return true;
}

/* The carries in the next iteration, and beside them the union of all so far if any may be the
 * last. */
static bool next_carries(struct loop *l) {
    struct sparsity *s = l->around->s;
    const struct trace *t = l->body.t;
    bool ok = true, grown;
    for (size_t k = 0; k < l->r.carries && ok; k++) { /* all, before the first goes: they may change
                                                       * places */
        value out = output_value(&l->body, k);
        size_t users = 0;
        for (size_t o = 0; o < t->output.count; o++) users += t->output.at[o].v == out;
        if (out == t->input.at[1 + l->r.captures + k].v) { /* it stays */
            l->next[k] = *carry_in(l, k);
            *carry_in(l, k) = (struct reached){0};
        } else if (users == 1 && !value_is_input(t, out)) {
            l->next[k] = l->body.at[out];
            l->body.at[out] = (struct reached){0};
        } else {
            ok = reached_copy(s, &l->next[k], &l->body.at[out], l->y->elements[k], l->y->width[k]);
        }
    }
    for (size_t k = 0; k < l->r.carries && ok; k++) {
        reached_free(s, carry_in(l, k), l->y->elements[k], l->y->width[k]);
        *carry_in(l, k) = l->next[k];
        l->next[k] = (struct reached){0};
        ok = !l->ends_early || reached_join(s, &l->y->item[k], carry_in(l, k), l->y->elements[k],
                                            l->y->width[k], &grown);
    }
    return ok;
}

/* The body on what is carried, of which it may take over what it updates. */
static bool run_body(struct loop *l) {
    bool ok = walk_run(&l->body, l->in);
    for (size_t k = 0; k < l->r.carries; k++) {
        value in = l->body.t->input.at[1 + l->r.captures + k].v;
        if (!l->body.at[in].set) carry_in(l, k)->set = NULL;
    }
    return ok;
}

/* Whether the condition holds: 1, 0, or -1, which is not known; -2: failed. */
static int ask(struct loop *l) {
    if (l->r.bodies < 2) return 1;
    if (!walk_run(&l->condition, l->in)) return -2;
    const bool *truth = walk_output(&l->condition, 0)->data;
    return truth ? *truth : -1;
}

static bool follow(struct loop *l, int64_t count) {
    struct sparsity *s = l->around->s;
    const wg_allocator *a = &s->sets.allocator;
    bool backwards = l->r.flags & LOOP_BACKWARDS, grown;
    int64_t ran = 0;
    for (size_t k = l->r.carries; k < l->r.items && !l->ends_early; k++) {
        size_t bytes = (size_t)l->y->elements[k] * l->y->width[k];
        if (bytes && !(l->y->item[k].data = mem_alloc_zero(a, bytes))) return false;
    }
    for (; ran < count; ran++) {
        l->index = backwards ? count - 1 - ran : ran;
        int holds = ask(l);
        if (holds == -2) return false;
        if (holds == 0) break;
        if (holds == -1 && !l->ends_early) {
            l->ends_early = true;
            for (size_t k = 0; k < l->r.carries; k++)
                if (!reached_join(s, &l->y->item[k], carry_in(l, k), l->y->elements[k],
                                  l->y->width[k], &grown))
                    return false;
        }
        point_at_slices(l);
        if (!run_body(l)) return false;
        for (size_t k = 0; k < l->r.results; k++)
            if (!store_result(l, k)) return false;
        if (!next_carries(l)) return false;
    }
    l->y->ran = ran;
    l->y->ran_known = !l->ends_early;
    for (size_t k = 0; k < l->r.items; k++) {
        struct reached *y = &l->y->item[k];
        if (k < l->r.carries && !l->ends_early) { /* the last is the result */
            *y = *carry_in(l, k);
            *carry_in(l, k) = (struct reached){0};
        } else if (k >= l->r.carries && l->ends_early && y->data) { /* zeros, from where on? */
            mem_free(a, y->data, (size_t)l->y->elements[k] * l->y->width[k]);
            y->data = NULL;
        }
    }
    return true;
}

/* One slice that stands for all of a stack. */
static bool any_slice(struct loop *l, size_t k) {
    struct sparsity *s = l->around->s;
    const struct reached *stack = &l->around->at[l->stack[k]];
    struct reached *in = carry_in(l, l->r.carries + k);
    value slice = l->body.t->input.at[1 + l->r.captures + l->r.carries + k].v;
    size_t count = (size_t)walk_count(&l->body, slice);
    *in = (struct reached){.every = stack->every};
    if (!stack->set || count == 0) return true;
    in->set = mem_alloc(&s->sets.allocator, count * sizeof *in->set);
    for (size_t i = 0; in->set && i < count; i++) {
        sets_begin(&s->sets);
        for (int64_t n = 0; n < l->length; n++)
            sets_add(&s->sets, stack->set[(size_t)n * count + i]);
        in->set[i] = sets_end(&s->sets);
    }
    return in->set;
}

/* All elements of a carry get the union of their sets. */
static void widen(struct loop *l, size_t k) {
    struct sets *sets = &l->around->s->sets;
    struct reached *carry = carry_in(l, k);
    if (!carry->set) return;
    sets_begin(sets);
    for (int64_t i = 0; i < l->y->elements[k]; i++) sets_add(sets, carry->set[i]);
    carry->every = sets_end(sets);
    mem_free(&sets->allocator, carry->set, (size_t)l->y->elements[k] * sizeof(set_id));
    carry->set = NULL;
}

static void forget(struct loop *l, struct reached *x, size_t k) {
    mem_free(&l->around->s->sets.allocator, x->data, (size_t)l->y->elements[k] * l->y->width[k]);
    x->data = NULL;
}

static bool take_as_a_whole(struct loop *l) {
    struct sparsity *s = l->around->s;
    bool ok = true, grown = true;
    l->in[0].data = NULL;
    for (size_t k = 0; k < l->r.stacks && ok; k++) ok = any_slice(l, k);
    for (size_t k = 0; k < l->r.carries; k++) forget(l, carry_in(l, k), k);
    for (size_t round = 0; ok && grown; round++) {
        grown = false;
        ok = walk_run(&l->body, l->in);
        for (size_t k = 0; ok && k < l->r.carries; k++) {
            struct reached *carry = carry_in(l, k);
            ok = reached_join(s, carry, walk_output(&l->body, k), l->y->elements[k], l->y->width[k],
                              &grown);
        }
        for (size_t k = 0; ok && round >= PATIENCE && k < l->r.carries; k++) widen(l, k);
        ok = ok && !s->sets.failed;
    }
    for (size_t k = l->r.carries; ok && k < l->r.items; k++) {
        const struct reached *x = walk_output(&l->body, k);
        size_t count = (size_t)walk_count(&l->body, output_value(&l->body, k));
        size_t all = (size_t)l->y->elements[k];
        struct reached *y = &l->y->item[k];
        y->every = x->every;
        if (!x->set || !all) continue;
        y->set = mem_alloc(&s->sets.allocator, all * sizeof *y->set);
        ok = y->set;
        for (size_t i = 0; ok && i < all; i++) y->set[i] = x->set[i % count];
    }
    for (size_t k = 0; k < l->r.carries; k++) {
        reached_free(s, &l->y->item[k], l->y->elements[k], l->y->width[k]);
        l->y->item[k] = *carry_in(l, k);
        *carry_in(l, k) = (struct reached){0};
    }
    for (size_t k = 0; k < l->r.stacks; k++) {
        value slice = l->body.t->input.at[1 + l->r.captures + l->r.carries + k].v;
        struct reached *in = carry_in(l, l->r.carries + k);
        mem_free(&s->sets.allocator, in->set, (size_t)walk_count(&l->body, slice) * sizeof(set_id));
    }
    return ok;
}

static bool run_loop(struct loop *l) {
    struct walk *w = l->around;
    struct sparsity *s = w->s;
    const int64_t *given = l->r.lead ? w->at[l->capture[-1]].data : NULL;
    int64_t count = given && *given < l->length ? *given : l->length;
    uint64_t work;
    l->ends_early = l->r.lead && !given;
    if (count < 0) count = 0;
    walk_lend(&l->body, 1 + l->r.captures, l->r.carries, true);
    uint64_t each = l->body.work;
    for (size_t k = 0; k < l->r.carries; k++)
        if (l->ends_early || l->r.bodies > 1) each += (uint64_t)l->y->elements[k];
    bool small = !__builtin_mul_overflow((uint64_t)count, each, &work) && work <= w->budget;
    for (size_t k = 0; k < l->r.captures; k++) l->in[1 + k] = w->at[l->capture[k]];
    for (size_t k = 0; k < l->r.carries; k++) {
        const struct reached *x = &w->at[l->carry[k]];
        if (!reached_copy(s, carry_in(l, k), x, l->y->elements[k], l->y->width[k]) ||
            (l->ends_early &&
             !reached_copy(s, &l->y->item[k], x, l->y->elements[k], l->y->width[k])))
            return false;
    }
    l->in[0].data = &l->index;
    if (small && !(l->r.flags & LOOP_BACKWARDS && l->ends_early)) return follow(l, count);
    walk_lend(&l->body, 1 + l->r.captures, l->r.carries, false);
    return take_as_a_whole(l);
}

static bool walk_loop(struct walk *w, value v, struct results *y) {
    const struct trace *t = w->t;
    const struct instr *i = instr_at(t, v);
    const wg_allocator *a = &w->s->sets.allocator;
    struct loop *l = mem_alloc_zero(a, sizeof *l);
    if (!l) return false;
    *l = (struct loop){.around = w, .r = region_open(t, i->op, i->attr), .y = y};
    l->capture = args_of(t, i) + l->r.lead;
    l->carry = l->capture + l->r.captures;
    l->stack = l->carry + l->r.carries;
    int64_t *size[2] = {NULL, NULL};
    size_t bytes[2] = {0, 0};
    bool ok = extent_eval(t, l->r.length, w->size, &l->length);
    if (!ok) fail_with(w->s->error, WG_EOVERFLOW, "sparsity: the length of a loop is negative");
    uint64_t share = w->budget / (l->length > 0 ? (uint64_t)l->length : 1);
    bool opened = ok && open_body(&l->body, w, &l->r, 0, share, &size[0], &bytes[0]);
    bool asked = opened && l->r.bodies > 1;
    ok = opened;
    if (asked) ok = open_body(&l->condition, w, &l->r, 1, share, &size[1], &bytes[1]);
    ok = ok && run_loop(l);
    for (size_t k = 0; k < l->r.carries; k++) {
        reached_free(w->s, carry_in(l, k), y->elements[k], y->width[k]);
        reached_free(w->s, &l->next[k], y->elements[k], y->width[k]);
    }
    if (l->body.t) close_body(&l->body, size[0], bytes[0]);
    if (l->condition.t) close_body(&l->condition, size[1], bytes[1]);
    mem_free(a, l, sizeof *l);
    return ok;
}

/* ---- branches -------------------------------------------------------------------------------- */

/* What one body has, joined to the results so far. */
static bool walk_case(struct walk *w, const struct region *r, const value *capture, size_t k,
                      bool first, struct results *y) {
    struct walk body;
    struct reached in[REGION_OPERANDS];
    int64_t *size;
    size_t bytes;
    bool grown;
    for (size_t c = 0; c < r->captures; c++) in[c] = w->at[capture[c]];
    bool ok = open_body(&body, w, r, k, w->budget, &size, &bytes) && walk_run(&body, in);
    for (size_t o = 0; ok && o < r->results; o++) {
        const struct reached *x = walk_output(&body, o);
        ok = first ? reached_copy(w->s, &y->item[o], x, y->elements[o], y->width[o])
                   : reached_join(w->s, &y->item[o], x, y->elements[o], y->width[o], &grown);
    }
    close_body(&body, size, bytes);
    return ok;
}

static bool walk_branch(struct walk *w, value v, struct results *y) {
    const struct trace *t = w->t;
    const struct instr *i = instr_at(t, v);
    struct region r = region_open(t, i->op, i->attr);
    const value *arg = args_of(t, i);
    const int64_t *index = w->at[arg[0]].data;
    size_t first = 0, end = r.bodies;
    if (index) {
        first = *index < 0 ? 0 : (uint64_t)*index >= r.bodies ? r.bodies - 1 : (size_t)*index;
        end = first + 1;
        y->ran = (int64_t)first;
        y->ran_known = true;
    }
    for (size_t k = first; k < end; k++)
        if (!walk_case(w, &r, arg + 1, k, k == first, y)) return false;
    return true;
}

/* ---- results --------------------------------------------------------------------------------- */

/* How many elements each item has: those that somebody reads tell it. Others have none, and nobody
 * asks. */
static bool measure_items(const struct walk *w, value v, struct results *y) {
    const struct trace *t = w->t;
    struct region r = region_open(t, instr_at(t, v)->op, instr_at(t, v)->attr);
    const value *arg = args_of(t, instr_at(t, v));
    int64_t shape[WG_MAX_RANK], length = 1, size[64];
    const struct trace *body = &region_body(t, &r, 0)->body->t;
    const wg_extent *extent = region_sizes(t, &r, 0);
    if (body->size.count > COUNT_OF(size)) return false;
    for (size_t i = 0; i < body->size.count; i++)
        if (!extent_eval(t, extent[i], w->size, &size[i])) return false;
    if (r.op == OP_loop && !extent_eval(t, r.length, w->size, &length)) return false;
    for (size_t k = 0; k < r.items; k++) {
        value out = body->output.at[k].v;
        y->width[k] = wg_dtype_size((wg_dtype)type_of(body, out)->dtype);
        if (k < r.carries) {
            y->elements[k] = walk_count(w, arg[r.lead + r.captures + k]);
        } else if (!type_eval(body, type_of(body, out), size, shape, &y->elements[k]) ||
                   mul_overflows(y->elements[k], length, &y->elements[k])) {
            return false;
        }
    }
    return true;
}

static bool hand_out(struct walk *w, value v, struct results *y) {
    const struct trace *t = w->t;
    for (value item = v + 1; item < t->instr.count; item++) {
        const struct instr *i = instr_at(t, item);
        if (i->op != OP_item || args_of(t, i)[0] != v) continue;
        int64_t k = attr_words(t, i->attr)[0];
        if (k != REGION_COUNT) {
            w->at[item] = y->item[k];
            y->item[k] = (struct reached){0};
        } else if (y->ran_known) {
            w->at[item].data = mem_alloc(&w->s->sets.allocator, sizeof y->ran);
            if (!w->at[item].data) return false;
            memcpy(w->at[item].data, &y->ran, sizeof y->ran);
        }
    }
    return true;
}

bool walk_region(struct walk *w, value v) {
    const struct trace *t = w->t;
    const wg_allocator *a = &w->s->sets.allocator;
    unsigned op = instr_at(t, v)->op;
    struct results *y = mem_alloc_zero(a, sizeof *y);
    if (!y) return false;
    bool ok = measure_items(w, v, y);
    if (!ok) fail_with(w->s->error, WG_EOVERFLOW, "sparsity: no memory holds a result of a loop");
    ok = ok && (op == OP_loop ? walk_loop : walk_branch)(w, v, y) && hand_out(w, v, y);
    for (size_t k = 0; k < REGION_OPERANDS; k++)
        reached_free(w->s, &y->item[k], y->elements[k], y->width[k]);
    mem_free(a, y, sizeof *y);
    return ok;
}
