/* for, while and do. A loop that counts, by a constant step to an end that does not change, becomes
 * one of known length, however else it may end; the others go on as long as a flag that is carried
 * says so. What is carried is what the body writes. */
#include "csource/lower.h"

#include "op/region.h"
#include "op/describe.h"

enum { MOST_CARRIED = 254, MOST_UNROLLED = 16, MOST_WRITTEN_OUT = 600, NOT_STRAIGHT = 1 << 20 };

struct counting {                         /* for (i = start; i < end; i += step) */
    const struct node *name, *end, *also; /* also: what stands behind && in the condition */
    enum operator_kind compare;
    const struct ctype *as; /* the type that C compares in                                    */
    int64_t step;          /* a literal; its sign if `by` says how much                       */
    const struct node *by; /* what else is added or subtracted; NULL: nothing                 */
    struct cell *cell;     /* of i */
};

struct loop {
    const struct node *n, *begin, *condition, *step, *body;
    struct counting count;
    bool counts, asks_first;
    struct object *broke, *going;
};

static const struct node *bare(const struct node *n) {
    while (n->kind == NODE_CAST && is_scalar(n->type) && is_scalar(n->child[0]->type) &&
           !is_floating(n->type) && !is_floating(n->child[0]->type))
        n = n->child[0];
    return n;
}

static bool is_whole_variable(const struct node *n) {
    return n->kind == NODE_NAME && n->decl && n->decl->type->kind == TYPE_INT &&
           !n->decl->is_global && !n->decl->is_static;
}

/* i++, i += 2, i = i - m: the variable and how much. What is no literal must be positive where the
 * loop runs, or it would not end: which nothing but its condition may do then. */
static const struct node *step_of(struct lower *l, const struct node *n, int64_t *step,
                                  const struct node **more) {
    const struct node *by = NULL, *name = NULL;
    bool minus = false;
    if (n->kind == NODE_UNARY && n->op >= C_AFTER_INCREASE && n->op <= C_DECREASE) {
        *step = n->op == C_AFTER_INCREASE || n->op == C_INCREASE ? 1 : -1;
        return bare(n->child[0]);
    }
    if (n->kind != NODE_ASSIGN) return NULL;
    name = bare(n->child[0]);
    if (n->op == C_ADD || n->op == C_SUB) {
        by = n->child[1];
        minus = n->op == C_SUB;
    } else if (n->op == C_NONE) {
        const struct node *sum = bare(n->child[1]);
        if (sum->kind != NODE_BINARY || (sum->op != C_ADD && sum->op != C_SUB)) return NULL;
        const struct node *left = bare(sum->child[0]);
        if (left->kind != NODE_NAME || left->decl != name->decl) return NULL;
        by = sum->child[1];
        minus = sum->op == C_SUB;
    }
    int budget = 8;
    if (!by || !is_cheap(by, NULL, &budget)) return NULL;
    struct operand x = rvalue(l, by);
    if (stopped(l) || is_floating(x.type) || !x.v) return NULL;
    if (!literal_of(l, x.v, step)) {
        *step = 1;
        *more = by;
    }
    if (*step == 0 || *step == INT64_MIN) return NULL;
    if (minus) *step = -*step;
    return name;
}

static bool find_counting(struct lower *l, const struct loop *p, struct counting *c) {
    static const enum operator_kind mirrored[] = {
        [C_LT] = C_GT, [C_GT] = C_LT, [C_LE] = C_GE, [C_GE] = C_LE, [C_NE] = C_NE};
    const struct node *condition = p->condition, *step = p->step;
    if (!condition || !step) return false;
    while (condition->kind == NODE_BINARY && condition->op == C_BOTH) {
        if (c->also) return false;
        c->also = condition->child[1];
        condition = condition->child[0];
    }
    if (condition->kind != NODE_BINARY || condition->op < C_LT || condition->op > C_NE ||
        condition->op == C_EQ)
        return false;
    c->name = step_of(l, step, &c->step, &c->by);
    if (!c->name || !is_whole_variable(c->name) || (c->by && may_leave(p->body))) return false;
    const struct node *left = bare(condition->child[0]), *right = bare(condition->child[1]);
    c->compare = condition->op;
    c->as = condition->child[0]->type;
    c->end = condition->child[1];
    if (left->kind != NODE_NAME || left->decl != c->name->decl) {
        if (right->kind != NODE_NAME || right->decl != c->name->decl) return false;
        c->compare = mirrored[condition->op];
        c->end = condition->child[0];
    }
    bool up = c->step > 0;
    if (c->compare == C_NE) return !c->by && (c->step == 1 || c->step == -1);
    return up == (c->compare == C_LT || c->compare == C_LE);
}

/* ---- watching -------------------------------------------------------------------------------- */

static void watched_body(struct lower *l, void *data);

static void watched_end(struct lower *l, void *data) {
    const struct counting *c = data;
    rvalue(l, c->end);
    if (c->by) rvalue(l, c->by);
}

/* Whether the counting holds: the body writes neither the variable nor what the end is made of. */
static bool counting_holds(struct lower *l, const struct loop *p, const struct watch *body) {
    const struct counting *c = &p->count;
    if (watch_writes(body, c->cell)) return false;
    struct watch end = watch_step(l, watched_end, (void *)(uintptr_t)c, false, NULL);
    bool holds = !end.written.count;
    for (size_t i = 0; i < end.read.count; i++)
        holds = holds && end.read.at[i] != c->cell && !watch_writes(body, end.read.at[i]);
    watch_free(l, &end);
    return holds && !stopped(l);
}

/* Whether a number of its type is what C makes of it. */
static bool is_in_range(const struct ctype *type, int64_t number) {
    if (type->bits >= 64) return type->is_signed || number >= 0;
    int64_t values = (int64_t)1 << (type->bits - type->is_signed);
    return number < values && number >= (type->is_signed ? -values : 0);
}

static int64_t trips_between(const struct counting *c, int64_t start, int64_t end) {
    int64_t step = c->step > 0 ? c->step : -c->step;
    int64_t distance = c->step > 0 ? end - start : start - end;
    if (c->compare == C_LE || c->compare == C_GE) distance++;
    return distance <= 0 ? 0 : (distance + step - 1) / step;
}

static bool is_small(int64_t number) { return number >= INT32_MIN && number <= UINT32_MAX; }

/* Whether i comes to its end before its type makes another number of it: signed numbers of 32 bits
 * and more do, or C says nothing of the program. Where only the condition ends a loop, it would not
 * end if i came by its end. */
static bool comes_to_end(struct lower *l, const struct loop *p) {
    const struct counting *c = &p->count;
    const struct ctype *type = c->name->decl->type;
    bool up = c->step > 0, single = !c->by && (c->step == 1 || c->step == -1);
    value start = cell_value(l, c->cell), end = as_whole(l, rvalue(l, c->end).v);
    int64_t a, b, step = up ? c->step : -c->step;
    wg_extent s0, s1, e0, e1;
    if (stopped(l)) return false;
    if (c->as->kind == TYPE_INT && !c->as->is_signed && type->is_signed &&
        !(not_negative(l, start) && up))
        return false; /* compared as another number than it is */
    if (type->is_signed && type->bits >= 32) return true;
    if (literal_of(l, start, &a) && literal_of(l, end, &b) && !c->by) {
        if (!is_small(a) || !is_small(b) || !is_small(c->step)) return false;
        if (c->compare == C_NE && (up ? a > b : a < b)) return false;
        return is_in_range(type, a + trips_between(c, a, b) * c->step);
    }
    bool bounded = bounds_of(l, start, &s0, &s1) && bounds_of(l, end, &e0, &e1);
    if (c->compare == C_NE)
        return bounded && extent_provably_le(l->g, up ? s1 : e1, up ? e0 : s0);
    bool only_ends = !may_leave(p->body) && !c->also;
    bool strict = c->compare == C_LT || c->compare == C_GT;
    if (single && strict && c->as->bits <= type->bits) return true;
    if (type->bits < 32) return single && only_ends;
    if (up && bounded && !c->by) return true;
    if (!up && literal_of(l, end, &b) && !c->by && b >= (strict ? step - 1 : step)) return true;
    return only_ends;
}

/* ---- one iteration --------------------------------------------------------------------------- */

static void lower_flag(struct lower *l, struct object *flag) {
    if (!stopped(l)) cell_set(l, &flag->cell[0], truth(l, false));
}

static void run_body(struct lower *l, void *data, size_t which) {
    const struct loop *p = data;
    if (which) { /* the condition has ended it */
        cell_set(l, &p->broke->cell[0], truth(l, true));
        return;
    }
    l->continued = object_new(l, "continue", plain_type(TYPE_BOOL));
    if (l->continued) lower_flag(l, l->continued);
    statement(l, p->body);
    l->continued = NULL; /* no more of it than one iteration */
}

static void go_on(struct lower *l, void *data, size_t which) {
    const struct loop *p = data;
    if (which) {
        if (!stopped(l)) cell_set(l, &p->going->cell[0], truth(l, false));
        return;
    }
    if (p->step) rvalue(l, p->step);
    value c = p->condition ? condition(l, p->condition) : truth(l, true);
    if (!stopped(l)) cell_set(l, &p->going->cell[0], c);
}

static value left_loop(struct lower *l, const struct loop *p) {
    if (stopped(l)) return 0;
    return build_binary(l->g, OP_or, cell_value(l, &p->broke->cell[0]),
                        cell_value(l, &l->frame->returned->cell[0]));
}

static void iteration(struct lower *l, struct loop *p) {
    size_t objects = l->object.count, bindings = l->binding.count;
    if (p->counts && p->count.also) {
        value more = condition(l, p->count.also);
        if (!stopped(l)) branch(l, more, 2, run_body, p, p->n);
    } else {
        run_body(l, p, 0);
    }
    if (!p->counts && !stopped(l)) {
        value left = left_loop(l, p);
        if (!stopped(l)) branch(l, build_unary(l->g, OP_not, left), 2, go_on, p, p->n);
    }
    l->object.count = objects;
    l->binding.count = bindings;
}

static void watched_body(struct lower *l, void *data) { iteration(l, data); }

/* ---- loops of the graph ---------------------------------------------------------------------- */

static wg_var var(struct lower *l, value v) { return (wg_var){l->g, v}; }

/* A bound of the length that is at least 0 whatever the sizes are. */
static wg_extent never_negative(struct lower *l, wg_extent e) {
    for (int k = 0; k < 4 && !extent_provably_le(l->g, 0, e); k++) e = extent_add(l->g, e, 1);
    return extent_provably_le(l->g, 0, e) ? e : WG_UNBOUNDED;
}

/* How many iterations: an extent, or a value of which an extent is a bound. */
struct trip {
    wg_extent length;
    value count;       /* 0: length */
    value start, step; /* step: by how much, always positive */
    bool is_bounded;
    wg_extent low, high; /* of the variable */
};

static struct trip count_trips(struct lower *l, const struct counting *c) {
    struct trip t = {.length = WG_UNBOUNDED};
    wg_graph *g = l->g;
    t.start = cell_value(l, c->cell);
    struct operand limit = rvalue(l, c->end);
    value end = as_whole(l, limit.v), one = whole(l, 1); /* of the type that is compared */
    if (stopped(l) || !end) return t;
    bool up = c->step > 0, inclusive = c->compare == C_LE || c->compare == C_GE;
    int64_t step = up ? c->step : -c->step;
    t.step = whole(l, step);
    if (c->by) t.step = as_whole(l, rvalue(l, c->by).v);
    value distance = build_sub(g, up ? end : t.start, up ? t.start : end);
    if (inclusive) distance = build_add(g, distance, one);
    wg_extent s0, s1, e0, e1; /* of start and end */
    int64_t trips;
    if (bounds_of(l, t.start, &s0, &s1) && bounds_of(l, end, &e0, &e1)) {
        int64_t last = inclusive ? 0 : 1;
        t.is_bounded = true;
        t.low = up ? s0 : extent_add(g, e0, last);
        t.high = up ? extent_sub(g, e1, last) : s1;
        wg_extent most = extent_sub(g, up ? e1 : s1, up ? s0 : e0);
        if (inclusive) most = extent_add(g, most, 1);
        bool is_exact = s0 == s1 && e0 == e1 && extent_provably_le(g, 0, most);
        t.length = is_exact ? most : never_negative(l, most);
        if (is_exact && step == 1 && !c->by) return t;
    }
    if (literal_of(l, distance, &trips) && !c->by) {
        t.length = trips > 0 ? (trips + step - 1) / step : 0;
        return t;
    }
    t.count = distance;
    if (step > 1 || c->by)
        t.count = build_binary(g, OP_idiv, build_add(g, distance, build_sub(g, t.step, one)),
                               t.step);
    if (c->by) /* of a distance that the step does not go */
        t.count = build_where(g, build_binary(g, OP_gt, distance, whole(l, 0)), t.count,
                              whole(l, 0));
    return t;
}

/* A loop whose variable doubles up to an end, or halves until nothing is left of it, runs at most
 * as often as it has bits: if it begins above 0, or not below, and the body leaves it alone. */
static bool is_geometric(struct lower *l, const struct loop *p) {
    const struct node *condition = p->condition, *step = p->step;
    int64_t start;
    if (!condition || !step || step->kind != NODE_ASSIGN) return false;
    bool grows = step->op == C_MUL || step->op == C_SHL;
    if (!grows && step->op != C_DIV && step->op != C_SHR) return false;
    const struct node *name = bare(step->child[0]), *by = bare(step->child[1]);
    int64_t least = step->op == C_MUL || step->op == C_DIV ? 2 : 1;
    if (!is_whole_variable(name) || by->kind != NODE_INT || by->integer < least) return false;
    struct object *o = bound_object(l, name->decl, name);
    if (!o || o->is_addressed || node_assigns(p->body, name->decl)) return false;
    value begin = cell_value(l, &o->cell[0]);
    if (grows && !(o->type->is_signed && literal_of(l, begin, &start) && start > 0)) return false;
    const struct node *c = bare(condition);
    bool never_below = step->op == C_DIV || !o->type->is_signed || not_negative(l, begin) ||
                       (c->kind == NODE_BINARY && (c->op == C_GT || c->op == C_GE));
    if (!grows && !never_below) return false;
    if (c->kind != NODE_BINARY) return !grows && c->decl == name->decl && c->kind == NODE_NAME;
    const struct node *left = bare(c->child[0]), *right = bare(c->child[1]);
    bool is_left = left->kind == NODE_NAME && left->decl == name->decl;
    if (grows) return is_left && (c->op == C_LT || c->op == C_LE);
    if (c->op == C_AND) return is_left || (right->kind == NODE_NAME && right->decl == name->decl);
    if (!is_left || right->kind != NODE_INT) return false;
    return (c->op == C_GT && right->integer >= 0) || (c->op == C_GE && right->integer >= 1) ||
           (c->op == C_NE && right->integer == 0);
}

/* What a whole number or pointer is after `index` iterations, each of which adds the form: begin +
 * index * (form at the first one) + slope * index (index - 1) / 2. */
static value after(struct lower *l, const struct loop *p, const struct watch *w,
                   const struct trip *t, const struct written *one, value index) {
    int64_t known;
    value sum = build_mul(l->g, index, form_value(l, w, one->form, t->start));
    value slope = p->counts ? form_slope(l, w, one->form) : whole(l, 0);
    if (p->counts && !(literal_of(l, slope, &known) && known == 0)) {
        slope = build_mul(l->g, slope, p->count.step > 0 ? t->step : build_neg(l->g, t->step));
        value pairs = build_mul(l->g, index, build_sub(l->g, index, whole(l, 1)));
        pairs = build_binary(l->g, OP_shift_right, pairs, whole(l, 1));
        sum = build_add(l->g, sum, build_mul(l->g, slope, pairs));
    }
    return stopped(l) ? 0 : build_add(l->g, one->begin, sum);
}

static void end_pointer(struct lower *l, const struct loop *p, const struct cell *c,
                        const struct place *to, bool is_set) {
    if (c->type->kind != TYPE_POINTER || !is_set) return;
    if (c->is_set && c->to.object == to->object && c->to.cell == to->cell) return;
    refuse_at(l, &p->n->spot, "keep an index into one array, or copy what is pointed to",
              "a pointer points to another object after an iteration of this loop");
}

/* A pointer to what is no array. */
static bool stays_at(struct lower *l, const struct written *w) {
    const struct cell *c = w->cell;
    int64_t index;
    if (stopped(l) || c->type->kind != TYPE_POINTER || !c->is_set || !c->to.object || !c->to.type ||
        !literal_of(l, w->begin, &index) || index != 0)
        return false;
    if (c->to.type->kind == TYPE_RECORD)
        return c->to.object->type->kind == TYPE_RECORD && !c->to.cell;
    return is_scalar(c->to.type) && !c->to.object->cell[c->to.cell].is_array;
}

/* The variable behind a loop of so many iterations. */
static void behind_loop(struct lower *l, const struct counting *c, const struct trip *t,
                        value ran) {
    value moved = build_mul(l->g, ran, t->step);
    if (stopped(l)) return;
    c->cell->v = c->step < 0 ? build_sub(l->g, t->start, moved) : build_add(l->g, t->start, moved);
}

/* The loop in the graph, with what `w` writes as what it carries. */
static void build_loop(struct lower *l, struct loop *p, struct watch *w) {
    size_t count = w->written.count;
    struct counting *c = &p->count;
    struct trip t = {.length = WG_UNBOUNDED};
    int64_t known;
    if (p->counts) t = count_trips(l, c);
    /* One more than there are elements: that iteration would be an error. Within other loops the
     * bounds would multiply, and what reverse mode keeps with them: there it runs again instead. */
    bool implied = p->counts && t.length == WG_UNBOUNDED && w->implied != LENGTH_UNKNOWN;
    if (implied) t.length = extent_add(l->g, w->implied, 1);
    if (!l->loops && !p->counts && p->n->kind == NODE_FOR && is_geometric(l, p))
        t.length = 64;
    if (stopped(l) || (p->counts && !t.count && t.length == 0)) return;
    if (count > MOST_CARRIED) {
        if (!make_one_whole(l, &w->written))
            refuse_at(l, &p->n->spot, NULL, "this loop assigns more than 254 variables");
        return;
    }
    size_t carried = 0;
    for (size_t i = 0; i < count; i++) carried += !w->written.at[i].form;
    if (p->counts && !carried) { /* nothing changes but what the number of iterations tells */
        value ran = t.count ? build_binary(l->g, OP_max, t.count, whole(l, 0))
                            : extent_value(l, t.length);
        for (size_t i = 0; i < count && !stopped(l); i++) {
            struct written *one = &w->written.at[i];
            one->begin = cell_value(l, one->cell);
            one->cell->v = after(l, p, w, &t, one, ran);
        }
        behind_loop(l, c, &t, ran);
        return;
    }
    wg_var *carry = mem_alloc_zero(&l->allocator, (count + 1) * sizeof *carry);
    if (!carry) {
        refuse_memory(l);
        return;
    }
    stand_at(l, p->n);
    for (size_t i = 0; i < count; i++) { /* values from before the loop */
        struct cell *cell = w->written.at[i].cell;
        cell->v = cell_value(l, cell);
    }
    wg_loop *loop = wg_loop_begin_at(NULL, SAME_SITE, l->g, t.length);
    if (t.count) wg_loop_count_at(NULL, SAME_SITE, loop, var(l, t.count));
    if (implied && l->loops) loop_sets_flags(loop, LOOP_AGAIN);
    size_t bounded = l->bounded.count;
    value index = wg_loop_index_at(NULL, SAME_SITE, loop).id, i_value = 0;
    for (size_t i = 0; i < count; i++) {
        struct written *written = &w->written.at[i];
        written->begin = written->cell->v;
        if (!written->form)
            carry[i] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(l, written->cell->v));
        else
            carry[i] = var(l, 0);
        if (written->cell->type->kind != TYPE_POINTER) continue;
        if (!written->cell->is_set) {
            written->cell->to = written->to;
            written->cell->is_set = written->is_set;
        }
        written->to = written->cell->to;
        written->is_set = written->cell->is_set;
    }
    for (size_t i = 0; i < count && !stopped(l); i++) {
        struct written *written = &w->written.at[i];
        written->cell->v = written->form ? after(l, p, w, &t, written, index) : carry[i].id;
        written->stays = !written->form && stays_at(l, written);
        if (written->stays) written->cell->v = written->begin;
        name_value(l, written->cell, written->cell->v);
    }
    if (p->counts && !stopped(l)) {
        i_value = index;
        if (!(literal_of(l, t.step, &known) && known == 1))
            i_value = build_mul(l->g, i_value, t.step);
        if (c->step < 0)
            i_value = build_sub(l->g, t.start, i_value);
        else if (!(literal_of(l, t.start, &known) && known == 0))
            i_value = build_add(l->g, t.start, i_value);
        struct bounded *new = t.is_bounded ? VEC_PUSH(&l->allocator, &l->bounded) : NULL;
        if (new)
            *new = (struct bounded){i_value, t.low, t.high};
        else if (t.is_bounded)
            refuse_memory(l);
        c->cell->v = i_value;
    }
    /* the loop goes on while no flag is up; at the first iteration none is */
    value go = 0;
    if (!p->counts) {
        go = cell_value(l, &p->going->cell[0]);
    } else if (watch_writes(w, &p->broke->cell[0]) ||
               watch_writes(w, &l->frame->returned->cell[0])) {
        go = stopped(l) ? 0 : build_unary(l->g, OP_not, left_loop(l, p));
    }
    if (go && !(literal_of(l, go, &known) && known))
        wg_loop_while_at(NULL, SAME_SITE, loop, var(l, go));
    if (!stopped(l)) {
        if (watch_writes(w, &p->broke->cell[0])) p->broke->cell[0].v = truth(l, false);
        if (watch_writes(w, &l->frame->returned->cell[0]))
            l->frame->returned->cell[0].v = truth(l, false);
    }
    l->loops++;
    iteration(l, p);
    l->loops--;
    stand_at(l, p->n);
    for (size_t i = 0; i < count && !stopped(l); i++) {
        struct cell *cell = w->written.at[i].cell;
        end_pointer(l, p, cell, &w->written.at[i].to, w->written.at[i].is_set);
        if (w->written.at[i].form) continue;
        int64_t moved;
        if (w->written.at[i].stays && !(literal_of(l, cell_value(l, cell), &moved) && moved == 0))
            refuse_at(l, &p->n->spot, "make what it points to an array",
                      "a pointer to one object moves on in this loop");
        wg_loop_next_at(NULL, SAME_SITE, loop, carry[i], var(l, cell_value(l, cell)));
    }
    l->bounded.count = bounded;
    wg_var *result = mem_alloc_zero(&l->allocator, (count + 1) * sizeof *result);
    if (!result) refuse_memory(l);
    value ran = wg_loop_end_at(NULL, SAME_SITE, loop, result).id;
    for (size_t i = 0, at = 0; i < count && !stopped(l); i++) {
        struct written *one = &w->written.at[i];
        one->cell->v = one->form ? after(l, p, w, &t, one, ran) : result[at++].id;
        if (one->stays) one->cell->v = one->begin;
        name_value(l, one->cell, one->cell->v);
    }
    if (result) mem_free(&l->allocator, result, (count + 1) * sizeof *result);
    if (p->counts && !stopped(l)) { /* the variable behind the loop */
        if (watch_writes(w, &p->broke->cell[0]) || watch_writes(w, &l->frame->returned->cell[0]))
            ran = build_sub(l->g, ran, build_cast(l->g, WG_I64, left_loop(l, p)));
        if (!t.count && !watch_writes(w, &p->broke->cell[0]) &&
            !watch_writes(w, &l->frame->returned->cell[0]))
            ran = extent_value(l, t.length);
        behind_loop(l, c, &t, ran);
    }
    mem_free(&l->allocator, carry, (count + 1) * sizeof *carry);
}

/* ---- short loops, written out ---------------------------------------------------------------- */

/* How often a loop runs whose ends are literals; -1: another one. */
static int64_t literal_trips(const struct node *n) {
    if (n->kind != NODE_FOR || !n->child[0] || !n->child[1] || !n->child[2]) return -1;
    const struct node *begin = n->child[0], *c = n->child[1], *step = n->child[2], *from = NULL;
    const struct decl *name = NULL;
    if (begin->kind == NODE_DECLARE && begin->count == 1) {
        name = begin->decls[0];
        from = name->init;
    } else if (begin->kind == NODE_ASSIGN && begin->op == C_NONE) {
        name = bare(begin->child[0])->decl;
        from = begin->child[1];
    }
    if (!from || c->kind != NODE_BINARY) return -1;
    from = bare(from);
    const struct node *left = bare(c->child[0]), *to = bare(c->child[1]);
    bool negative = from->kind == NODE_UNARY && from->op == C_MINUS;
    if (negative) from = bare(from->child[0]);
    if (from->kind != NODE_INT || to->kind != NODE_INT || left->decl != name ||
        step->kind != NODE_UNARY || bare(step->child[0])->decl != name)
        return -1;
    int64_t first = negative ? -from->integer : from->integer;
    bool up = step->op == C_INCREASE || step->op == C_AFTER_INCREASE;
    int64_t trips = up ? to->integer - first : first - to->integer;
    if (c->op == C_LE || c->op == C_GE) trips++;
    if (up ? c->op != C_LT && c->op != C_LE : c->op != C_GT && c->op != C_GE) return -1;
    return trips < 0 ? 0 : trips;
}

/* How much text this becomes where short loops in it are written out; NOT_STRAIGHT and more: there
 * is another loop in it, or something that leaves it. */
static int text_of(struct lower *l, const struct node *n, int depth) {
    int sum = 1;
    if (!n) return 0;
    if (n->kind == NODE_WHILE || n->kind == NODE_DO || n->kind == NODE_BREAK ||
        (n->kind == NODE_RETURN && depth == 0) || n->kind == NODE_SWITCH || depth > 6)
        return NOT_STRAIGHT;
    if (n->kind == NODE_DECLARE) {
        for (size_t i = 0; i < n->count && sum < NOT_STRAIGHT; i++)
            sum += text_of(l, n->decls[i]->init, depth);
        return sum;
    }
    if (n->kind == NODE_FOR) {
        int64_t trips = literal_trips(n);
        int once = text_of(l, n->child[3], depth);
        if (trips < 0 || trips > MOST_UNROLLED || once >= NOT_STRAIGHT) return NOT_STRAIGHT;
        return once * (int)trips + 1;
    }
    if (n->kind == NODE_CALL && n->decl && tree_body(l->tree, n->decl) && n->decl->body)
        sum += text_of(l, n->decl->body, depth + 1);
    for (size_t i = 0; i < n->count && sum < NOT_STRAIGHT; i++)
        sum += text_of(l, n->child[i], depth);
    return sum;
}

/* A short loop between literals becomes its iterations one after the other, so that indices in it
 * are literals too. */
static bool write_out(struct lower *l, struct loop *p) {
    const struct counting *c = &p->count;
    int64_t start, end, trips;
    int budget = 8;
    if (c->also || c->by || !literal_of(l, cell_value(l, c->cell), &start)) return false;
    if (!is_cheap(c->end, NULL, &budget)) return false;
    struct operand limit = rvalue(l, c->end);
    if (stopped(l) || !literal_of(l, limit.v, &end)) return false;
    if (!is_small(start) || !is_small(end) || !comes_to_end(l, p)) return false;
    trips = trips_between(c, start, end);
    struct object *o = bound_object(l, c->name->decl, c->name);
    if (!o || o->is_addressed || trips > MOST_UNROLLED || node_assigns(p->body, c->name->decl))
        return false;
    int text = trips ? text_of(l, p->body, 0) : 0;
    if (text >= NOT_STRAIGHT || text * trips > MOST_WRITTEN_OUT) return false;
    for (int64_t k = 0; k < trips && !stopped(l); k++) {
        size_t objects = l->object.count, bindings = l->binding.count;
        cell_set(l, c->cell, whole(l, start + k * c->step));
        run_body(l, p, 0);
        leave_scope(l, objects, bindings);
    }
    if (!stopped(l)) cell_set(l, c->cell, whole(l, start + trips * c->step));
    return true;
}

/* do { } while (0), as macros have it: once. */
static bool is_once(struct lower *l, const struct loop *p) {
    int64_t known;
    int budget = 8;
    if (p->asks_first || !p->condition || !is_cheap(p->condition, NULL, &budget)) return false;
    const struct node *c = bare(p->condition);
    if (c->kind != NODE_INT) return false;
    return literal_of(l, condition(l, c), &known) && !known;
}

static void carry_out(struct lower *l, struct loop *p) {
    int64_t known;
    if (p->begin) statement(l, p->begin);
    if (is_once(l, p)) {
        run_body(l, p, 0);
        return;
    }
    if (p->n->kind == NODE_FOR && find_counting(l, p, &p->count)) {
        struct object *o = bound_object(l, p->count.name->decl, p->n);
        if (stopped(l)) return;
        p->count.cell = &o->cell[0];
        p->counts = true;
        if (write_out(l, p)) return;
    }
    if (stopped(l)) return;
    if (l->watch) {
        p->counts = false;
        p->count.also = NULL;
        if (p->asks_first && p->condition) condition(l, p->condition);
        watch_again(l, watched_body, p);
        if (l->watch && p->going) p->going->cell[0].v = 0;
        return;
    }
    struct watch w = {0};
    if (p->counts) {
        w = watch_step(l, watched_body, p, true, p->count.cell);
        p->counts = counting_holds(l, p, &w) && comes_to_end(l, p);
        if (!p->counts) {
            watch_free(l, &w);
            w = (struct watch){0};
            p->count.also = NULL;
        }
    }
    if (!p->counts && !stopped(l)) {
        value go = p->asks_first && p->condition ? condition(l, p->condition) : truth(l, true);
        if (!stopped(l)) cell_set(l, &p->going->cell[0], go);
        if (literal_of(l, go, &known) && !known) return;
        w = watch_step(l, watched_body, p, true, NULL);
    }
    if (!stopped(l)) build_loop(l, p, &w);
    watch_free(l, &w);
}

void loop_statement(struct lower *l, const struct node *n) {
    struct loop p = {.n = n, .asks_first = n->kind != NODE_DO};
    if (n->kind == NODE_FOR) {
        p.begin = n->child[0];
        p.condition = n->child[1];
        p.step = n->child[2];
        p.body = n->child[3];
    } else {
        p.condition = n->child[n->kind == NODE_WHILE ? 0 : 1];
        p.body = n->child[n->kind == NODE_WHILE ? 1 : 0];
    }
    size_t objects = l->object.count, bindings = l->binding.count;
    struct object *broke = l->broke, *continued = l->continued;
    p.broke = object_new(l, "break", plain_type(TYPE_BOOL));
    p.going = object_new(l, "going", plain_type(TYPE_BOOL));
    if (!stopped(l)) {
        l->broke = p.broke;
        lower_flag(l, p.broke);
        cell_set(l, &p.going->cell[0], truth(l, true));
        carry_out(l, &p);
    }
    l->broke = broke;
    l->continued = continued;
    leave_scope(l, objects, bindings);
}
