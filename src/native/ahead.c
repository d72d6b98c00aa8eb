/* Which indices are checked ahead of loops (ahead.h). A body's checks are found when it is lowered,
 * in terms of its inputs; where the loop is, they are put into terms of what it is given, which
 * there may be polynomials again. */
#include "native/ahead.h"

#include "native/write.h"
#include "op/region.h"

/* ---- from a body to its loop ----------------------------------------------------------------- */

struct crossing {
    const struct trace *t, *body; /* around the loop, and within */
    const value *arg;             /* of the loop */
    struct region r;
    const wg_extent *size;
    bool deep;
};

static bool cross(const struct crossing *c, const struct whole *from, struct whole *to) {
    struct whole sum = {0};
    for (uint32_t k = 0; k < from->count; k++) {
        const struct whole_term *term = &from->term[k];
        struct whole product = whole_number(term->coefficient);
        for (size_t j = 0; j < MOST_FACTORS && term->factor[j]; j++) {
            uint32_t f = term->factor[j];
            struct whole p;
            if (f & FACTOR_SIZE) {
                if (!whole_extent(c->t, c->size[f & ~(uint32_t)FACTOR_SIZE], &p)) return false;
            } else { /* of the inputs a captured one: the first is the index */
                int64_t input = attr_words(c->body, instr_at(c->body, f)->attr)[0];
                value given = c->arg[c->r.lead + (size_t)input - 1];
                p = whole_factor(given);
                if (c->deep && !whole_value(c->t, given, &p)) return false;
            }
            if (!whole_multiply(&product, &p, &product)) return false;
        }
        if (!whole_add_times(&sum, &product, 1)) return false;
    }
    *to = sum;
    return true;
}

static bool cross_loops(const struct crossing *c, const struct ahead *from, struct ahead *to) {
    bool ok = true;
    for (uint32_t k = 0; k < from->loops && ok; k++) {
        struct ahead_loop *loop = &to->loop[k];
        ok = cross(c, &from->loop[k].step, &loop->step);
        if (k + 1 < from->loops) {
            ok = ok && cross(c, &from->loop[k].count, &loop->count) &&
                 cross(c, &from->loop[k].length, &loop->length);
            continue;
        }
        loop->counted = c->r.lead > 0;
        loop->backwards = (c->r.flags & LOOP_BACKWARDS) != 0;
        loop->count = (struct whole){0};
        if (loop->counted) loop->count = whole_factor(c->arg[0]);
        if (loop->counted && c->deep)
            ok = ok && whole_value(c->t, region_bare_count(c->t, c->arg[0], c->r.length),
                                   &loop->count);
        ok = ok && whole_extent(c->t, c->r.length, &loop->length);
    }
    return ok;
}

static bool crossed(const struct trace *t, const struct body_code *body, bool deep,
                    const struct ahead *from, struct ahead *to) {
    const struct instr *i = instr_at(t, body->region);
    struct crossing c = {.t = t, .body = body->t, .arg = args_of(t, i),
                         .r = region_open(t, i->op, i->attr), .deep = deep};
    c.size = region_sizes(t, &c.r, 0);
    size_t sizes = from->t->size.count;
    *to = *from;
    to->size = mem_alloc_zero(&t->allocator, (sizes + 1) * sizeof *to->size);
    bool ok = to->size && cross(&c, &from->first, &to->first) &&
              cross(&c, &from->extent, &to->extent) && cross_loops(&c, from, to);
    for (size_t k = 0; k < sizes && ok; k++) ok = cross(&c, &from->size[k], &to->size[k]);
    if (!ok) ahead_free_sizes(&t->allocator, to);
    return ok;
}

bool ahead_at_loop(const struct trace *t, const struct body_code *body, const struct ahead *from,
                   struct ahead *to) {
    return crossed(t, body, false, from, to);
}

void ahead_free_sizes(const wg_allocator *allocator, struct ahead *a) {
    if (a->size) mem_free(allocator, a->size, (a->t->size.count + 1) * sizeof *a->size);
    a->size = NULL;
}

void ahead_free(const wg_allocator *allocator, struct ahead_list *list) {
    for (size_t k = 0; k < list->is.count; k++) ahead_free_sizes(allocator, &list->is.at[k]);
    VEC_FREE(allocator, &list->is);
}

/* ---- what needs no check --------------------------------------------------------------------- */

/* Whether p is a sum of products of sizes, which no program can make overflow in what follows. */
static bool is_of_sizes(const struct whole *p) {
    enum { SMALL = 1 << 20 };
    for (uint32_t k = 0; k < p->count; k++) {
        if (p->term[k].coefficient > SMALL) return false;
        for (size_t j = 0; j < MOST_FACTORS && p->term[k].factor[j]; j++)
            if (!(p->term[k].factor[j] & FACTOR_SIZE)) return false;
    }
    return true;
}

/* first + the sum of steps * (length - 1) is at most extent - 1 if all that is left of the
 * difference is positive. */
static bool is_within(const struct ahead *a) {
    struct whole room = whole_number((uint64_t)-1);
    if (!is_of_sizes(&a->first) || !is_of_sizes(&a->extent)) return false;
    if (!whole_add_times(&room, &a->extent, 1) || !whole_add_times(&room, &a->first, (uint64_t)-1))
        return false;
    for (uint32_t k = 0; k < a->loops; k++) {
        const struct ahead_loop *loop = &a->loop[k];
        struct whole reach;
        if (!is_of_sizes(&loop->step) || !is_of_sizes(&loop->length) ||
            !whole_multiply(&loop->step, &loop->length, &reach) ||
            !whole_add_times(&room, &reach, (uint64_t)-1) ||
            !whole_add_times(&room, &loop->step, 1))
            return false;
    }
    return is_of_sizes(&room);
}

bool is_always_within(const struct trace *t, const struct body_code *body,
                      const struct ahead *from) {
    struct ahead a;
    bool is = crossed(t, body, true, from, &a) && is_within(&a);
    ahead_free_sizes(&t->allocator, &a);
    return is;
}

/* ---- what may leave a body ------------------------------------------------------------------- */

struct finder {
    struct writing *w;
    const struct trace *t;
    const struct around *around;
    size_t captures;
    struct ahead_list *list;
    wg_allocator allocator;
};

/* Takes the factor that is the loop's own index out of p: what it is multiplied with goes to
 * `step`. False if there is more of it, or what the body computes or carries. */
static bool split(const struct finder *f, struct whole *p, struct whole *step) {
    struct whole rest = {0};
    for (uint32_t k = 0; k < p->count; k++) {
        struct whole_term term = p->term[k], by = {.coefficient = term.coefficient};
        size_t powers = 0, n = 0;
        for (size_t j = 0; j < MOST_FACTORS && term.factor[j]; j++) {
            bool is_size = term.factor[j] & FACTOR_SIZE;
            const struct instr *i = is_size ? NULL : instr_at(f->t, term.factor[j]);
            if (i && i->op != OP_input) return false;
            int64_t input = i ? attr_words(f->t, i->attr)[0] : 1;
            if (input > (int64_t)f->captures && i) return false;
            if (i && input == 0) powers++;
            else by.factor[n++] = term.factor[j];
        }
        if (powers > (step ? 1 : 0)) return false;
        if (!whole_add_term(powers ? step : &rest, &by)) return false;
    }
    *p = rest;
    return true;
}

/* One loop more, if there is room and inner loops do not depend on it. */
static bool leaves(const struct finder *f, struct ahead *a) {
    if (a->loops == MOST_LOOPS || !split(f, &a->extent, NULL)) return false;
    for (uint32_t k = 0; k < a->loops; k++) {
        struct ahead_loop *loop = &a->loop[k];
        if (!split(f, &loop->step, NULL) || !split(f, &loop->count, NULL) ||
            !split(f, &loop->length, NULL))
            return false;
    }
    a->loop[a->loops] = (struct ahead_loop){0};
    if (!split(f, &a->first, &a->loop[a->loops].step)) return false;
    for (size_t k = 0; k < a->t->size.count; k++)
        if (!split(f, &a->size[k], NULL)) return false;
    a->loops++;
    return true;
}

static bool is_listed(const struct ahead_list *list, const struct ahead *a) {
    for (size_t i = 0; i < list->is.count; i++) {
        const struct ahead *b = &list->is.at[i];
        bool is = a->loops == b->loops && whole_same(&a->first, &b->first) &&
                  whole_same(&a->extent, &b->extent);
        for (uint32_t k = 0; k < a->loops && is; k++) {
            is = whole_same(&a->loop[k].step, &b->loop[k].step);
            if (k + 1 == a->loops) continue;
            is = is && whole_same(&a->loop[k].count, &b->loop[k].count) &&
                 whole_same(&a->loop[k].length, &b->loop[k].length) &&
                 a->loop[k].counted == b->loop[k].counted;
        }
        if (is) return true;
    }
    return false;
}

/* Takes over a's sizes. */
static bool list_one(struct finder *f, struct ahead *a) {
    struct ahead *new = is_listed(f->list, a) ? a : VEC_PUSH(&f->allocator, &f->list->is);
    if (new && new != a) *new = *a;
    else ahead_free_sizes(&f->allocator, a);
    return new != NULL;
}

static bool leave_out(struct finder *f, value v, size_t operand, wg_extent extent) {
    const struct instr *i = instr_at(f->t, v);
    value index = storage_root(f->w->lowered, args_of(f->t, i)[operand]);
    struct ahead a = {.body = f->around->number, .operand = (uint32_t)operand, .t = f->t, .by = v};
    if (type_of(f->t, index)->rank > 0 || type_of(f->t, index)->dtype != WG_I64) return true;
    a.size = mem_alloc_zero(&f->allocator, (f->t->size.count + 1) * sizeof *a.size);
    if (!a.size) return false;
    for (uint32_t k = 0; k < f->t->size.count; k++) a.size[k] = whole_factor(FACTOR_SIZE | k);
    if (!whole_value(f->t, index, &a.first) || !whole_extent(f->t, extent, &a.extent) ||
        !leaves(f, &a)) {
        ahead_free_sizes(&f->allocator, &a);
        return true;
    }
    struct left_out *out = VEC_PUSH(&f->allocator, &f->w->left_out);
    if (!out) {
        ahead_free_sizes(&f->allocator, &a);
        return false;
    }
    *out = (struct left_out){index, extent};
    return list_one(f, &a);
}

bool is_update_at_integer(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    return (i->op == OP_index_add || i->op == OP_index_set) &&
           type_of(t, args_of(t, i)[2])->rank == 0 && attr_words(t, i->attr)[1] == 0;
}

static bool find_own(struct finder *f) {
    const struct lowered *l = f->w->lowered;
    for (size_t k = 0; k < l->checks.count; k++) {
        const struct index_check *check = &l->checks.at[k];
        size_t operand = instr_at(f->t, check->by)->narg - 1u;
        if (!leave_out(f, check->by, operand, check->extent)) return false;
    }
    for (value v = 1; v < l->count; v++) {
        if (!l->stage[v] || !is_update_at_integer(f->t, v)) continue;
        size_t axis = (size_t)attr_words(f->t, instr_at(f->t, v)->attr)[0];
        if (!leave_out(f, v, 2, type_of(f->t, v)->extent[axis])) return false;
    }
    return true;
}

static bool find_inner(struct finder *f) {
    for (size_t b = 0; b < f->w->body_count; b++) {
        const struct body_code *code = &f->w->body[b];
        for (size_t k = 0; code->ahead && k < code->ahead->is.count; k++) {
            struct ahead *from = &code->ahead->is.at[k], to;
            if (!crossed(f->t, code, true, from, &to)) continue;
            from->moved = is_within(&to);
            if (from->moved || !leaves(f, &to)) {
                ahead_free_sizes(&f->allocator, &to);
                continue;
            }
            from->moved = true;
            if (!list_one(f, &to)) return false;
        }
    }
    return true;
}

bool find_ahead(struct writing *w, const struct around *around, struct ahead_list *list) {
    const struct trace *t = &w->lowered->program->t;
    const struct instr *i = instr_at(around->t, around->loop);
    struct region r = region_open(around->t, i->op, i->attr);
    struct finder f = {w, t, around, r.captures, list, t->allocator};
    if (r.op != OP_loop || r.flags & LOOP_CONDITION) return true;
    return find_own(&f) && find_inner(&f);
}
