/* What a body writes, found by carrying it out on a graph that is thrown away. There nothing is
 * known but literals: variables that the body writes are unknown when it begins again, elements of
 * arrays always, and every case of a branch is carried out. So what is found is all that may be
 * written; what is not, keeps the value that it has. */
#include "csource/lower.h"

static void note(struct lower *l, struct watch *w, struct cell *c) {
    struct written *found = NULL;
    for (size_t i = 0; i < w->written.count && !found; i++)
        if (w->written.at[i].cell == c) found = &w->written.at[i];
    bool found_before = found != NULL;
    if (!found) found = VEC_PUSH(&l->allocator, &w->written);
    if (!found) {
        refuse_memory(l);
        return;
    }
    *found = (struct written){.cell = c, .begin = found_before ? found->begin : 0};
    bool lasts = !c->to.object || c->to.object->serial < w->first_serial;
    if (c->type->kind == TYPE_POINTER && c->is_set && lasts) {
        found->to = c->to;
        found->is_set = true;
    }
}

void note_written(struct lower *l, struct cell *c) {
    if (l->watch && c->serial < l->watch->first_serial) note(l, l->watch, c);
}

void note_read(struct lower *l, struct cell *c) {
    struct watch *w = l->watch;
    c->is_read = true;
    if (!w || c->serial >= w->first_serial) return;
    for (size_t i = 0; i < w->read.count; i++)
        if (w->read.at[i] == c) return;
    struct cell **new = VEC_PUSH(&l->allocator, &w->read);
    if (new)
        *new = c;
    else
        refuse_memory(l);
}

/* 1: v is counter times a number, and something else; 0: counter is not in it; -1: neither. */
static int linear_in(const struct lower *l, value v, value counter, int depth) {
    const struct instr *i = instr_at(&l->g->t, v);
    const value *x = args_of(&l->g->t, i);
    int64_t number;
    if (v == counter) return 1;
    if (v < counter || i->narg == 0) return 0; /* made before it */
    if (depth > 16) return -1;
    int any = 0, a[2] = {0};
    for (size_t k = 0; k < i->narg; k++) {
        int one = linear_in(l, x[k], counter, depth + 1);
        if (k < 2) a[k] = one;
        any |= one != 0;
    }
    if (!any) return 0;
    if (i->op == OP_mul)
        for (size_t k = 0; k < 2; k++)
            if (a[k] == 1 && literal_of(l, x[1 - k], &number) && number != 0) return 1;
    bool sums = i->op == OP_add || i->op == OP_sub;
    return sums && ((a[0] == 1 && a[1] == 0) || (a[0] == 0 && a[1] == 1)) ? 1 : -1;
}

bool watch_writes(const struct watch *w, const struct cell *c) {
    for (size_t i = 0; i < w->written.count; i++)
        if (w->written.at[i].cell == c) return true;
    return false;
}

void watch_free(struct lower *l, struct watch *w) {
    VEC_FREE(&l->allocator, &w->written);
    VEC_FREE(&l->allocator, &w->read);
    VEC_FREE(&l->allocator, &w->form);
}

void forget(struct lower *l, const written_vec *written) {
    (void)l;
    for (size_t i = 0; i < written->count; i++) written->at[i].cell->v = 0;
}

/* Pointers that the body moves are what they point to from the second time on, where nothing was
 * assigned to them before. */
static void settle_targets(const written_vec *written) {
    for (size_t i = 0; i < written->count; i++) {
        const struct written *w = &written->at[i];
        if (w->cell->type->kind != TYPE_POINTER || w->cell->is_set) continue;
        w->cell->to = w->to;
        w->cell->is_set = w->is_set;
    }
}

/* ---- all that is alive ----------------------------------------------------------------------- */

struct saved {
    value v;
    struct place to;
    bool is_set;
};
typedef VEC(struct saved) saved_vec;

static uint32_t cells_of(const struct object *o) { return o->cell_count + o->part_count; }

static bool save_all(struct lower *l, saved_vec *saved) {
    for (size_t i = 0; i < l->object.count; i++)
        for (uint32_t k = 0; k < cells_of(l->object.at[i]); k++) {
            const struct cell *c = object_cell(l->object.at[i], k);
            struct saved *new = VEC_PUSH(&l->allocator, saved);
            if (!new) {
                refuse_memory(l);
                VEC_FREE(&l->allocator, saved);
                return false;
            }
            *new = (struct saved){c->v, c->to, c->is_set};
        }
    return true;
}

static void restore_all(struct lower *l, const saved_vec *saved) {
    size_t at = 0;
    for (size_t i = 0; i < l->object.count; i++)
        for (uint32_t k = 0; k < cells_of(l->object.at[i]) && at < saved->count; k++, at++) {
            struct cell *c = object_cell(l->object.at[i], k);
            c->v = saved->at[at].v;
            c->to = saved->at[at].to;
            c->is_set = saved->at[at].is_set;
        }
}

/* The values of the cells as the new graph has them: literals, else unknown. */
static void translate_all(struct lower *l, const wg_graph *from) {
    for (size_t i = 0; i < l->object.count; i++)
        for (uint32_t k = 0; k < cells_of(l->object.at[i]); k++) {
            struct cell *c = object_cell(l->object.at[i], k);
            value old = c->v;
            int64_t bits;
            c->v = 0;
            if (!old || c->is_array) continue;
            const wg_type *type = type_of(&from->t, old);
            if (type->rank == 0 && value_is_splat(&from->t, old, &bits))
                c->v = graph_literal(l->g, (wg_dtype)type->dtype, bits);
        }
}

/* ---- what every iteration adds --------------------------------------------------------------- */

static bool is_whole(const struct cell *c) {
    return !c->is_array && (c->type->kind == TYPE_INT || c->type->kind == TYPE_POINTER);
}

static void name_beginnings(struct lower *l, written_vec *written) {
    for (size_t i = 0; i < written->count; i++) {
        struct written *w = &written->at[i];
        if (is_whole(w->cell)) w->begin = w->cell->v = unknown_value(l, WG_I64);
    }
}

static uint32_t form_new(struct lower *l, struct watch *w, struct form form) {
    if (!VEC_RESERVE(&l->allocator, &w->form, w->form.count + 2)) {
        refuse_memory(l);
        return 0;
    }
    if (!w->form.count) w->form.at[w->form.count++] = (struct form){0};
    w->form.at[w->form.count] = form;
    return (uint32_t)w->form.count++;
}

/* The cell from outside that this unknown value is of, if the body leaves it alone. */
static struct cell *cell_named(struct lower *l, const struct watch *w, value v) {
    for (size_t i = 0; i < l->object.count; i++) {
        const struct object *o = l->object.at[i];
        if (o->serial >= w->first_serial) continue;
        for (uint32_t k = 0; k < cells_of(o); k++) {
            struct cell *c = object_cell(o, k);
            if (c->v == v && is_whole(c) && c->type->kind == TYPE_INT && !watch_writes(w, c))
                return c;
        }
    }
    return NULL;
}

/* The form of v; 0 where it has none. */
static uint32_t form_of(struct lower *l, struct watch *w, value v, int depth) {
    int64_t number;
    if (depth > 12) return 0;
    if (v == w->counter) return form_new(l, w, (struct form){.kind = FORM_COUNTER});
    if (literal_of(l, v, &number))
        return form_new(l, w, (struct form){.kind = FORM_NUMBER, .number = number});
    const struct instr *i = instr_at(&l->g->t, v);
    if (i->op == OP_input) {
        struct cell *c = cell_named(l, w, v);
        return c ? form_new(l, w, (struct form){.kind = FORM_CELL, .cell = c}) : 0;
    }
    if (i->op != OP_add && i->op != OP_sub && i->op != OP_mul && i->op != OP_neg) return 0;
    struct form form = {.kind = FORM_OPERATION, .op = i->op};
    for (size_t k = 0; k < i->narg; k++)
        if (!(form.x[k] = form_of(l, w, args_of(&l->g->t, instr_at(&l->g->t, v))[k], depth + 1)))
            return 0;
    return form_new(l, w, form);
}

/* Where the rest of the index is the same in every iteration, each meets another element. */
void note_index(struct lower *l, const struct cell *c, value index) {
    struct watch *w = l->watch;
    if (!w || !w->counter || !c->is_array || c->serial >= w->first_serial || !index) return;
    if (c->count == LENGTH_UNKNOWN || w->implied != LENGTH_UNKNOWN) return;
    if (linear_in(l, index, w->counter, 0) == 1 && form_of(l, w, index, 0)) w->implied = c->count;
}

/* How often the counter is multiplied with itself in a form; 2 or more is too often. */
static int degree(const struct watch *w, uint32_t form) {
    const struct form *f = &w->form.at[form];
    if (f->kind != FORM_OPERATION) return f->kind == FORM_COUNTER;
    int a = degree(w, f->x[0]), b = f->x[1] ? degree(w, f->x[1]) : 0;
    return f->op == OP_mul ? a + b : a > b ? a : b;
}

/* begin + form, in any order of sums: the form; 0 where v is something else. */
static uint32_t added_to(struct lower *l, struct watch *w, value v, value begin, int depth) {
    const struct instr *i = instr_at(&l->g->t, v);
    if (v == begin) return form_new(l, w, (struct form){.kind = FORM_NUMBER});
    if (depth > 12 || (i->op != OP_add && i->op != OP_sub)) return 0;
    value x[2] = {args_of(&l->g->t, i)[0], args_of(&l->g->t, i)[1]};
    uint16_t op = i->op;
    for (size_t k = 0; k < (op == OP_add ? 2u : 1u); k++) {
        uint32_t rest = added_to(l, w, x[k], begin, depth + 1);
        if (!rest) continue;
        uint32_t other = form_of(l, w, x[1 - k], 0);
        if (!other) return 0;
        return form_new(l, w, (struct form){.kind = FORM_OPERATION, .op = op, .x = {rest, other}});
    }
    return 0;
}

static void find_forms(struct lower *l, struct watch *w) {
    for (size_t i = 0; i < w->written.count && !stopped(l); i++) {
        struct written *one = &w->written.at[i];
        if (!one->begin || !one->cell->v) continue;
        uint32_t form = added_to(l, w, one->cell->v, one->begin, 0);
        if (form && degree(w, form) <= 1) one->form = form;
    }
}

value form_value(struct lower *l, const struct watch *w, uint32_t form, value counter) {
    const struct form *f = &w->form.at[form];
    switch (f->kind) {
    case FORM_NUMBER: return whole(l, f->number);
    case FORM_CELL: return cell_value(l, f->cell);
    case FORM_COUNTER: return counter;
    default: break;
    }
    value a = form_value(l, w, f->x[0], counter);
    if (f->op == OP_neg) return stopped(l) ? 0 : build_neg(l->g, a);
    value b = form_value(l, w, f->x[1], counter);
    return stopped(l) ? 0 : build_binary(l->g, f->op, a, b);
}

value form_slope(struct lower *l, const struct watch *w, uint32_t form) {
    const struct form *f = &w->form.at[form];
    if (f->kind != FORM_OPERATION) return whole(l, f->kind == FORM_COUNTER);
    value a = form_slope(l, w, f->x[0]);
    if (f->op == OP_neg) return stopped(l) ? 0 : build_neg(l->g, a);
    value b = form_slope(l, w, f->x[1]);
    if (f->op == OP_mul) { /* one of the two has none */
        a = stopped(l) ? 0 : build_mul(l->g, a, form_value(l, w, f->x[1], whole(l, 0)));
        b = stopped(l) ? 0 : build_mul(l->g, b, form_value(l, w, f->x[0], whole(l, 0)));
        return stopped(l) ? 0 : build_add(l->g, a, b);
    }
    return stopped(l) ? 0 : build_binary(l->g, f->op, a, b);
}

/* Carries the step out until it writes nothing new. */
static void until_settled(struct lower *l, struct watch *w, action *f, void *data, bool repeats,
                          const saved_vec *begin) {
    size_t known;
    do {
        known = w->written.count;
        restore_all(l, begin);
        forget(l, &w->written);
        settle_targets(&w->written);
        name_beginnings(l, &w->written);
        w->implied = LENGTH_UNKNOWN; /* what was seen before more was known to be written */
        f(l, data);
    } while (repeats && w->written.count > known && !stopped(l));
}

struct watch watch_step(struct lower *l, action *f, void *data, bool repeats,
                        struct cell *changes) {
    struct watch w = {.first_serial = l->serials + 1, .implied = LENGTH_UNKNOWN};
    saved_vec before = {0}, begin = {0};
    if (stopped(l)) return w;
    if (!save_all(l, &before)) {
        VEC_FREE(&l->allocator, &before);
        return w;
    }
    size_t objects = l->object.count, bindings = l->binding.count, tables = l->table.count;
    struct arena_mark mark = arena_mark(&l->arena);
    uint32_t serials = l->serials;
    struct frame *frame = l->frame;
    struct object *broke = l->broke, *continued = l->continued;
    wg_graph *scratch = graph_new(&l->allocator);
    if (!scratch) {
        refuse_memory(l);
        VEC_FREE(&l->allocator, &before);
        return w;
    }
    l->g = scratch;
    l->watch = &w;
    translate_all(l, l->real);
    if (changes) w.counter = changes->v = unknown_value(l, cell_dtype(changes));
    if (save_all(l, &begin)) until_settled(l, &w, f, data, repeats, &begin);
    if (repeats) find_forms(l, &w);
    if (scratch->error.status) fail_as(&l->error, &scratch->error);
    l->g = l->real;
    l->watch = NULL;
    l->object.count = objects;
    l->binding.count = bindings;
    l->table.count = tables;
    l->serials = serials;
    l->frame = frame;
    l->broke = broke;
    l->continued = continued;
    arena_rewind(&l->arena, mark);
    restore_all(l, &before);
    wg_graph_free(scratch);
    VEC_FREE(&l->allocator, &begin);
    VEC_FREE(&l->allocator, &before);
    return w;
}

/* Of a watch within another: what it found is found by that one too, and forgotten. */
static void close_watch(struct lower *l, struct watch *w) {
    l->watch = w->outer;
    settle_targets(&w->written);
    for (size_t i = 0; i < w->written.count; i++) note_written(l, w->written.at[i].cell);
    for (size_t i = 0; i < w->read.count; i++) note_read(l, w->read.at[i]);
    forget(l, &w->written);
    watch_free(l, w);
}

void watch_cases(struct lower *l, arm *f, void *data, size_t cases) {
    struct watch w = {.outer = l->watch, .first_serial = l->serials + 1};
    saved_vec begin = {0};
    if (stopped(l) || !save_all(l, &begin)) return;
    l->watch = &w;
    for (size_t k = 0; k < cases && !stopped(l); k++) {
        f(l, data, k);
        restore_all(l, &begin);
    }
    close_watch(l, &w);
    VEC_FREE(&l->allocator, &begin);
}

void watch_again(struct lower *l, action *f, void *data) {
    struct watch w = {.outer = l->watch, .first_serial = l->serials + 1};
    saved_vec begin = {0};
    if (stopped(l) || !save_all(l, &begin)) return;
    l->watch = &w;
    until_settled(l, &w, f, data, true, &begin);
    close_watch(l, &w);
    VEC_FREE(&l->allocator, &begin);
}
