/* The order of scalar statements. A compiler that contracts products with sums takes, of a sum of
 * two products, the one that the text has first into the sum, and lets the sum wait for the other.
 * That should be the product which is ready first: in a chain of steps, each of which reads what the
 * one before has made, the time of a step is what it waits for. So where the first of two such
 * products is ready before the second, it is written behind it. */
#include "native/writer.h"

/* What one waits for: a function of exp's kind takes some 40 cycles, an addition 4. */
enum { ADDITION = 1, FUNCTION = 10 };

struct ordered {
    uint32_t uses;
    uint32_t ready; /* how long it waits, as a number of additions */
    uint32_t place; /* in the text */
    value behind;   /* the product that is to be written behind it; 0: none */
    bool moves;
};

struct order {
    struct lowered *l;
    const struct trace *t;
    struct ordered *of;
    uint8_t takes[OP_COUNT]; /* additions; 0: nobody has asked */
};

/* Statements read through views, which are no statements. */
static void count_uses(struct order *o) {
    const struct lowered *l = o->l;
    for (value v = 1; v < l->count; v++) {
        const struct instr *i = instr_at(o->t, v);
        for (size_t k = 0; l->pass[v] && k < access_count(l, v); k++)
            o->of[l->access.at[l->access_at[v] + k].root].uses++;
        for (size_t k = 0; l->role[v] == ROLE_WHOLE && k < i->narg; k++)
            o->of[storage_root(l, args_of(o->t, i)[k])].uses++;
    }
    for (size_t k = 0; k < o->t->output.count; k++)
        o->of[storage_root(l, o->t->output.at[k].v)].uses++;
}

static uint32_t takes(struct order *o, const struct instr *i) {
    if (i->narg == 0) return ADDITION;
    if (!o->takes[i->op]) {
        unsigned dtype = type_of(o->t, args_of(o->t, i)[0])->dtype;
        o->takes[i->op] = calls_function(i->op, dtype) ? FUNCTION : ADDITION;
    }
    return o->takes[i->op];
}

static uint32_t ready_at(struct order *o, value v) {
    uint32_t latest = 0;
    for (size_t k = 0; k < access_count(o->l, v); k++) {
        uint32_t ready = o->of[o->l->access.at[o->l->access_at[v] + k].root].ready;
        if (ready > latest) latest = ready;
    }
    return latest + takes(o, instr_at(o->t, v));
}

/* A product of floating numbers that nobody but one sum reads. */
static bool is_for_one_sum(const struct order *o, value v, uint32_t pass) {
    return o->l->pass[v] == pass && instr_at(o->t, v)->op == OP_mul && o->of[v].uses == 1 &&
           dtype_is_float(type_of(o->t, v)->dtype);
}

/* Of a sum of two products: the one that is ready first moves behind the other. */
static void look_at_sum(struct order *o, value sum, uint32_t pass) {
    const struct access *operand = &o->l->access.at[o->l->access_at[sum]];
    value early = operand[0].root, late = operand[1].root;
    if (!is_for_one_sum(o, early, pass) || !is_for_one_sum(o, late, pass)) return;
    if (o->of[early].ready > o->of[late].ready) early = late, late = operand[0].root;
    if (o->of[early].ready == o->of[late].ready || o->of[early].place > o->of[late].place) return;
    o->of[late].behind = early;
    o->of[early].moves = true;
}

static void find_moves(struct order *o, uint32_t pass) {
    uint32_t place = 0;
    for (value v = o->l->passes.at[pass].first; v; v = o->l->next[v]) {
        unsigned op = instr_at(o->t, v)->op;
        o->of[v].place = place++;
        o->of[v].ready = ready_at(o, v);
        if (op == OP_add || op == OP_sub) look_at_sum(o, v, pass);
    }
}

static void move(struct order *o, struct pass *pass) {
    value *next_of = o->l->next;
    value first = 0, last = 0;
    for (value v = pass->first, next; v; v = next) {
        next = next_of[v];
        if (o->of[v].moves) continue;
        if (last) next_of[last] = v;
        else first = v;
        last = v;
        if (o->of[v].behind) last = next_of[v] = o->of[v].behind;
    }
    if (last) next_of[last] = 0;
    pass->first = first;
    pass->last = last;
}

bool order_scalars(struct lowered *l, wg_error *error) {
    const struct trace *t = &l->program->t;
    struct order o = {.l = l, .t = t};
    o.of = mem_alloc_zero(&t->allocator, l->count * sizeof *o.of);
    if (!o.of) return fail_memory(error), false;
    count_uses(&o);
    for (uint32_t id = 1; id < l->passes.count; id++) {
        struct pass *pass = &l->passes.at[id];
        if (!pass->first || pass->loops.rank ||
            l->stages.at[l->stage[pass->first]].rows.rank)
            continue;
        find_moves(&o, id);
        move(&o, pass);
    }
    mem_free(&t->allocator, o.of, l->count * sizeof *o.of);
    return true;
}
