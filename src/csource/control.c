/* Statements, and what decides between them. A statement that may leave sets a flag (broke,
 * continued, returned); what comes behind it in its block is then a branch by the flags. An `if` of
 * which one case always leaves takes the rest of its block into the other case, so that no flag
 * need be asked. */
#include "csource/lower.h"

#define MOVES INT64_MIN
enum { MAX_STATEMENTS = 1000, MOST_CARRIED = 254, MOST_CASES = 64 };

/* ---- branches -------------------------------------------------------------------------------- */

static void one_case(struct lower *l, arm *f, void *data, size_t which) {
    size_t objects = l->object.count, bindings = l->binding.count;
    f(l, data, which);
    l->object.count = objects;
    l->binding.count = bindings;
}

struct cases {
    arm *f;
    void *data;
    size_t count;
};

static void all_cases(struct lower *l, void *data) {
    const struct cases *c = data;
    watch_cases(l, c->f, c->data, c->count);
}

static bool same_target(const struct cell *c, const struct place *to, bool is_set) {
    return c->is_set == is_set &&
           (!is_set || (c->to.object == to->object && c->to.cell == to->cell));
}

void branch(struct lower *l, value choice, size_t cases, arm *f, void *data,
            const struct node *at) {
    int64_t known;
    if (stopped(l)) return;
    if (literal_of(l, choice, &known)) {
        bool is_truth = type_of(&l->g->t, choice)->dtype == WG_BOOL;
        size_t which = is_truth ? known == 0 : known < 0 ? 0 : (size_t)known;
        f(l, data, which < cases ? which : cases - 1);
        return;
    }
    if (l->watch) {
        watch_cases(l, f, data, cases);
        return;
    }
    struct cases all = {f, data, cases};
    struct watch w = watch_step(l, all_cases, &all, false, NULL);
    size_t count = w.written.count;
    wg_var *result = mem_alloc_zero(&l->allocator, (count + 1) * sizeof *result);
    struct cell *begin = mem_alloc(&l->allocator, (count + 1) * sizeof *begin);
    struct cell *end = mem_alloc(&l->allocator, (count + 1) * sizeof *end);
    int64_t *fixed = mem_alloc(&l->allocator, (count + 1) * sizeof *fixed); /* pointers' indices */
    if (!result || !begin || !end || !fixed) refuse_memory(l);
    if (!stopped(l) && count > MOST_CARRIED && !make_one_whole(l, &w.written))
        refuse_at(l, &at->spot, NULL, "what is decided here assigns more than 254 variables");
    if (!stopped(l) && count > 0) {
        for (size_t i = 0; i < count; i++) begin[i] = *w.written.at[i].cell;
        stand_at(l, at);
        wg_branch *b = wg_branch_begin_at(NULL, SAME_SITE, l->g, (wg_var){l->g, choice});
        for (size_t k = 0; k < cases && !stopped(l); k++) {
            for (size_t i = 0; i < count; i++) *w.written.at[i].cell = begin[i];
            one_case(l, f, data, k);
            for (size_t i = 0; i < count && !stopped(l); i++) {
                struct cell *c = w.written.at[i].cell;
                result[i] = (wg_var){l->g, cell_value(l, c)};
                if (c->type->kind == TYPE_POINTER) {
                    int64_t index;
                    bool stays = literal_of(l, c->v, &index) || !c->v;
                    if (!c->v) index = 0;
                    if (!k) fixed[i] = stays ? index : MOVES;
                    if (!stays || index != fixed[i]) fixed[i] = MOVES;
                    /* where nothing was assigned, the other case decides */
                    if (k && c->is_set && !end[i].is_set) end[i] = *c;
                    if (k && c->is_set && !same_target(c, &end[i].to, end[i].is_set))
                        refuse_at(l, &at->spot,
                                  "choose an index into one array, or write the two cases out",
                                  "a pointer points to different objects after the cases of this");
                }
                if (!k) end[i] = *c;
            }
            stand_at(l, at);
            if (!stopped(l)) wg_branch_case_at(NULL, SAME_SITE, b, count, result);
        }
        stand_at(l, at);
        wg_branch_end_at(NULL, SAME_SITE, b, result);
        for (size_t i = 0; i < count && !stopped(l); i++) {
            struct cell *c = w.written.at[i].cell;
            c->v = result[i].id;
            name_value(l, c, c->v);
            if (c->type->kind == TYPE_POINTER) {
                c->to = end[i].to;
                c->is_set = end[i].is_set;
                if (fixed[i] != MOVES) c->v = whole(l, fixed[i]);
            }
        }
    }
    if (fixed) mem_free(&l->allocator, fixed, (count + 1) * sizeof *fixed);
    if (result) mem_free(&l->allocator, result, (count + 1) * sizeof *result);
    if (begin) mem_free(&l->allocator, begin, (count + 1) * sizeof *begin);
    if (end) mem_free(&l->allocator, end, (count + 1) * sizeof *end);
    watch_free(l, &w);
}

/* ---- leaving --------------------------------------------------------------------------------- */

static void raise_flag(struct lower *l, struct object *flag) {
    if (flag && !stopped(l)) cell_set(l, &flag->cell[0], truth(l, true));
}

value interrupted(struct lower *l) {
    struct object *flags[] = {l->frame->returned, l->broke, l->continued};
    value any = truth(l, false);
    for (size_t i = 0; i < COUNT_OF(flags) && !stopped(l); i++)
        if (flags[i]) any = build_binary(l->g, OP_or, any, cell_value(l, &flags[i]->cell[0]));
    return any;
}

static bool is_down(struct lower *l, struct object *flag) {
    int64_t known;
    return literal_of(l, flag->cell[0].v, &known) && !known;
}

/* Within a case where nothing was left: the flags are down. */
static void assume_going(struct lower *l) {
    struct object *flags[] = {l->frame->returned, l->broke, l->continued};
    for (size_t i = 0; i < COUNT_OF(flags) && !stopped(l); i++)
        if (flags[i] && !is_down(l, flags[i])) cell_set(l, &flags[i]->cell[0], truth(l, false));
}

/* Whether nothing is carried out behind this statement. */
static bool leaves(const struct node *n) {
    if (!n) return false;
    switch (n->kind) {
    case NODE_BREAK:
    case NODE_CONTINUE:
    case NODE_RETURN: return true;
    case NODE_BLOCK: return n->count > 0 && leaves(n->child[n->count - 1]);
    case NODE_IF: return leaves(n->child[1]) && leaves(n->child[2]);
    default: return false;
    }
}

bool may_leave(const struct node *n) {
    if (n->kind == NODE_BREAK || n->kind == NODE_CONTINUE || n->kind == NODE_RETURN) return true;
    if (n->kind == NODE_DECLARE) return false;
    for (size_t i = 0; i < n->count; i++)
        if (n->child[i] && may_leave(n->child[i])) return true;
    return false;
}

bool node_assigns(const struct node *n, const struct decl *d) {
    bool changes = n->kind == NODE_ASSIGN ||
                   (n->kind == NODE_UNARY && n->op >= C_AFTER_INCREASE && n->op <= C_ADDRESS);
    const struct node *target = changes ? n->child[0] : NULL;
    while (target && target->kind == NODE_CAST) target = target->child[0];
    if (target && target->kind == NODE_NAME && target->decl == d) return true;
    for (size_t i = 0; n->kind == NODE_DECLARE && i < n->count; i++)
        if (n->decls[i]->init && node_assigns(n->decls[i]->init, d)) return true;
    for (size_t i = 0; n->kind != NODE_DECLARE && i < n->count; i++)
        if (n->child[i] && node_assigns(n->child[i], d)) return true;
    return false;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

struct rest {
    struct node *const *list;
    size_t count;
    const struct node *first[MOST_CASES]; /* of an if, or several in a row: its cases; NULL: none */
};

static void run_list(struct lower *l, struct node *const *list, size_t count);

static void run_rest(struct lower *l, void *data, size_t which) {
    const struct rest *r = data;
    if (which) return; /* left */
    assume_going(l);
    run_list(l, r->list, r->count);
}

static void going_on(struct lower *l, struct node *const *list, size_t count,
                     const struct node *at) {
    value stop = interrupted(l);
    int64_t known;
    if (stopped(l) || !count) return;
    if (literal_of(l, stop, &known)) {
        if (!known) run_list(l, list, count);
        return;
    }
    /* Up to the next statement that may leave, and on behind it, so that a long row of such does
     * not nest; but names that are declared on the way are needed until the end. */
    struct rest r = {.list = list, .count = 0};
    bool declares = false;
    for (size_t i = 0; i < count; i++) declares = declares || list[i]->kind == NODE_DECLARE;
    while (r.count < count && (declares || !r.count || !may_leave(list[r.count - 1]))) r.count++;
    branch(l, build_unary(l->g, OP_not, stop), 2, run_rest, &r, at);
    going_on(l, list + r.count, count - r.count, at);
}

/* A case of an `if` with the rest of the block behind it, unless it leaves. */
static void run_case(struct lower *l, void *data, size_t which) {
    const struct rest *r = data;
    const struct node *n = r->first[which];
    if (n) statement(l, n);
    if (r->count && !leaves(n)) going_on(l, r->list, r->count, n ? n : r->list[0]);
}

static bool assigns_cheaply(const struct node *n, const struct node *condition, int *budget) {
    if (!n || n->kind == NODE_EMPTY) return true;
    if (n->kind == NODE_BLOCK) {
        for (size_t i = 0; i < n->count; i++)
            if (!assigns_cheaply(n->child[i], condition, budget)) return false;
        return true;
    }
    if (n->kind != NODE_ASSIGN || n->child[0]->kind != NODE_NAME) return false;
    const struct decl *d = n->child[0]->decl;
    return d && is_scalar(d->type) && !d->is_global && !d->is_static &&
           is_cheap(n->child[1], condition, budget);
}

/* The variables that cheap assignments write. */
static void cells_assigned(struct lower *l, const struct node *n, struct cell **list, size_t *count,
                           size_t room) {
    if (!n) return;
    if (n->kind == NODE_BLOCK)
        for (size_t i = 0; i < n->count; i++) cells_assigned(l, n->child[i], list, count, room);
    if (n->kind != NODE_ASSIGN) return;
    struct object *o = bound_object(l, n->child[0]->decl, n);
    for (size_t i = 0; o && i < *count; i++)
        if (list[i] == &o->cell[0]) return;
    if (o && *count < room) list[(*count)++] = &o->cell[0];
}

/* Both cases are computed, and each variable chooses: no branch is needed. */
static bool choose_values(struct lower *l, value c, const struct node *n) {
    enum { ROOM = 4 };
    int budget = 16;
    struct cell *cell[ROOM];
    value before[ROOM], first[ROOM];
    size_t count = 0;
    if (!assigns_cheaply(n->child[1], n->child[0], &budget) ||
        !assigns_cheaply(n->child[2], n->child[0], &budget))
        return false;
    cells_assigned(l, n->child[1], cell, &count, ROOM);
    cells_assigned(l, n->child[2], cell, &count, ROOM);
    if (count == ROOM) return false;
    for (size_t i = 0; i < count; i++) before[i] = cell_value(l, cell[i]);
    statement(l, n->child[1]);
    for (size_t i = 0; i < count && !stopped(l); i++) {
        first[i] = cell[i]->v;
        cell[i]->v = before[i];
    }
    if (n->child[2]) statement(l, n->child[2]);
    stand_at(l, n);
    for (size_t i = 0; i < count && !stopped(l); i++) {
        cell[i]->v = build_where(l->g, c, first[i], cell_value(l, cell[i]));
        name_value(l, cell[i], cell[i]->v);
    }
    return true;
}

/* Ifs in a row, else-ifs or behind cases that leave, whose conditions are cheap, are one branch by
 * the number of the first that holds: so that a long row does not nest. The number of cases; 2:
 * there is no row. choice[k]: condition k. */
static size_t row_of_ifs(struct lower *l, const struct node *n, struct rest *r, value *choice) {
    size_t cases = 1, stays = !leaves(n->child[1]);
    const struct node *other = n->child[2];
    struct rest row = *r;
    while (cases + 2 < MOST_CASES && !stopped(l)) {
        int budget = 12;
        const struct node *next = other;
        bool behind = !other && !stays && row.count;
        if (behind) next = row.list[0];
        if (!next || next->kind != NODE_IF || !is_cheap(next->child[0], n->child[0], &budget))
            break;
        if (behind) {
            row.list++;
            row.count--;
        }
        choice[cases] = condition(l, next->child[0]);
        row.first[cases++] = next->child[1];
        stays += !leaves(next->child[1]);
        other = next->child[2];
    }
    stays += !leaves(other);
    if (cases < 3 || (row.count && stays > 1)) return 2;
    row.first[cases++] = other;
    *r = row;
    return cases;
}

static void if_with_rest(struct lower *l, const struct node *n, struct node *const *list,
                         size_t count) {
    value c = condition(l, n->child[0]), choice[MOST_CASES];
    int64_t known;
    struct rest r = {.list = list, .count = count, .first = {n->child[1], n->child[2]}};
    if (stopped(l)) return;
    bool is_known = literal_of(l, c, &known);
    if (!is_known && !count && choose_values(l, c, n)) return;
    size_t cases = is_known ? 2 : row_of_ifs(l, n, &r, choice);
    choice[0] = c;
    if (cases > 2) {
        c = whole(l, (int64_t)cases - 1);
        for (size_t k = cases - 1; k-- > 0 && !stopped(l);)
            c = build_where(l->g, choice[k], whole(l, (int64_t)k), c);
    }
    branch(l, c, cases, run_case, &r, n);
}

static void run_list(struct lower *l, struct node *const *list, size_t count) {
    for (size_t i = 0; i < count && !stopped(l); i++) {
        const struct node *n = list[i];
        size_t rest = count - i - 1;
        bool takes_rest = n->kind == NODE_IF && rest &&
                          (leaves(n->child[1]) || leaves(n->child[2]));
        if (takes_rest) {
            if_with_rest(l, n, list + i + 1, rest);
            return;
        }
        statement(l, n);
        int64_t known;
        value stop = interrupted(l);
        if (stopped(l)) return;
        if (literal_of(l, stop, &known) && !known) continue;
        going_on(l, list + i + 1, rest, n);
        return;
    }
}

static void block(struct lower *l, const struct node *n) {
    size_t objects = l->object.count, bindings = l->binding.count;
    run_list(l, n->child, n->count);
    leave_scope(l, objects, bindings);
}

/* ---- switch ---------------------------------------------------------------------------------- */

struct label {
    const struct node *low, *high; /* NULL: default */
    size_t at;                     /* in the list of statements */
};

struct switch_parts {
    VEC(struct label) label;
    VEC(struct node *) list;
    VEC(size_t) entry; /* places in the list that cases begin at, without repetition */
    const struct node *n;
};

static bool take_labels(struct lower *l, struct switch_parts *s, struct node *n) {
    while (n && (n->kind == NODE_CASE || n->kind == NODE_DEFAULT)) {
        struct label *new = VEC_PUSH(&l->allocator, &s->label);
        if (!new) return false;
        *new = (struct label){.at = s->list.count};
        if (n->kind == NODE_CASE) {
            new->low = n->child[0];
            new->high = n->child[1];
        }
        n = n->child[n->kind == NODE_CASE ? 2 : 0];
    }
    struct node **new = n ? VEC_PUSH(&l->allocator, &s->list) : NULL;
    if (new) *new = n;
    return new != NULL;
}

static void run_entry(struct lower *l, void *data, size_t which) {
    struct switch_parts *s = data;
    if (which >= s->entry.count) return; /* no label fits */
    size_t at = s->entry.at[which];
    run_list(l, s->list.at + at, s->list.count - at);
}

static value fits_label(struct lower *l, const struct operand *x, const struct label *label,
                        const struct node *at) {
    struct operand low = converted(l, rvalue(l, label->low), x->type, at);
    if (!label->high) return build_binary(l->g, OP_eq, x->v, low.v);
    struct operand high = converted(l, rvalue(l, label->high), x->type, at);
    return build_binary(l->g, OP_and, build_binary(l->g, OP_ge, x->v, low.v),
                        build_binary(l->g, OP_le, x->v, high.v));
}

static void choose_entry(struct lower *l, struct switch_parts *s, const struct node *n) {
    struct operand x = rvalue(l, n->child[0]);
    x.v = as_whole(l, x.v);
    size_t otherwise = SIZE_MAX;
    for (size_t i = 0; i < s->label.count && !stopped(l); i++) {
        size_t k = 0;
        while (k < s->entry.count && s->entry.at[k] != s->label.at[i].at) k++;
        size_t *new = k == s->entry.count ? VEC_PUSH(&l->allocator, &s->entry) : NULL;
        if (new)
            *new = s->label.at[i].at;
        else if (k == s->entry.count)
            refuse_memory(l);
        if (!s->label.at[i].low) otherwise = k;
    }
    size_t cases = s->entry.count + (otherwise == SIZE_MAX);
    value which = whole(l, (int64_t)(otherwise == SIZE_MAX ? s->entry.count : otherwise));
    for (size_t i = s->label.count; i-- > 0 && !stopped(l);) {
        size_t k = 0;
        if (!s->label.at[i].low) continue;
        while (k < s->entry.count && s->entry.at[k] != s->label.at[i].at) k++;
        which = build_where(l->g, fits_label(l, &x, &s->label.at[i], n), whole(l, (int64_t)k),
                            which);
    }
    if (!stopped(l) && s->entry.count) branch(l, which, cases, run_entry, s, n);
}

static void switch_statement(struct lower *l, const struct node *n) {
    struct switch_parts s = {.n = n};
    const struct node *body = n->child[1];
    bool good = true;
    if (body->kind != NODE_BLOCK) {
        good = take_labels(l, &s, n->child[1]);
    } else {
        for (size_t i = 0; good && i < body->count; i++) good = take_labels(l, &s, body->child[i]);
    }
    if (!good) refuse_memory(l);
    struct object *broke = l->broke;
    size_t objects = l->object.count, bindings = l->binding.count;
    l->broke = object_new(l, "break", plain_type(TYPE_BOOL));
    if (!stopped(l)) cell_set(l, &l->broke->cell[0], truth(l, false));
    choose_entry(l, &s, n);
    l->broke = broke;
    leave_scope(l, objects, bindings);
    VEC_FREE(&l->allocator, &s.label);
    VEC_FREE(&l->allocator, &s.list);
    VEC_FREE(&l->allocator, &s.entry);
}

/* ---- statements ------------------------------------------------------------------------------ */

static void declare(struct lower *l, const struct node *n) {
    for (size_t i = 0; i < n->count && !stopped(l); i++) {
        const struct decl *d = n->decls[i];
        if (d->is_static || d->is_global) continue; /* a table, made when it is read */
        stand_at(l, n);
        struct object *o = variable_new(l, d, settled_type(l, d->type, n));
        if (!o) return;
        bool is_list = d->init && (d->type->kind == TYPE_ARRAY || d->type->kind == TYPE_RECORD);
        if (is_list && (d->init->kind == NODE_INIT || d->init->kind == NODE_CAST))
            clear_object(l, o);
        if (!d->init && d->type->kind == TYPE_POINTER) o->cell[0].is_set = false;
        bind(l, d, o);
        if (d->init) initialise(l, place_of(l, o), d->init);
    }
}

static void return_statement(struct lower *l, const struct node *n) {
    if (n->count) {
        struct operand x = rvalue(l, n->child[0]);
        stand_at(l, n);
        if (l->frame->result) {
            const struct ctype *type = l->frame->result->type;
            if (is_scalar(type)) x = converted(l, x, type, n);
            store_to(l, place_of(l, l->frame->result), x, n);
        }
    }
    raise_flag(l, l->frame->returned);
}

void statement(struct lower *l, const struct node *n) {
    if (stopped(l) || !n) return;
    if (++l->nesting > MAX_STATEMENTS) {
        refuse_at(l, &n->spot, NULL, "statements nest more than %d deep", MAX_STATEMENTS);
        return;
    }
    stand_at(l, n);
    switch (n->kind) {
    case NODE_BLOCK: block(l, n); break;
    case NODE_DECLARE: declare(l, n); break;
    case NODE_IF: if_with_rest(l, n, NULL, 0); break;
    case NODE_FOR:
    case NODE_WHILE:
    case NODE_DO: loop_statement(l, n); break;
    case NODE_SWITCH: switch_statement(l, n); break;
    case NODE_CASE:
    case NODE_DEFAULT:
        refuse_at(l, &n->spot, "put it directly into the braces of its switch",
                  "this label stands in a statement within its switch");
        break;
    case NODE_BREAK: raise_flag(l, l->broke); break;
    case NODE_CONTINUE: raise_flag(l, l->continued); break;
    case NODE_RETURN: return_statement(l, n); break;
    case NODE_EMPTY: break;
    default: rvalue(l, n); break;
    }
    l->nesting--;
}
