/* The order and numbering of an evaluation trace, after Griewank and Walther: what is computable
 * from the inputs comes first, breadth first, in program order among equals; the dependent
 * variables are the last. Every instruction is an input, a step with a number of its own, or
 * inline: written out where it is used and transparent to the order. Names and formulas are made
 * elsewhere. */
#include "show/show.h"

bool broadcast_is_implicit(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_broadcast) return false;
    unsigned to = type_at(t, i->type)->rank, from = type_of(t, args_of(t, i)[0])->rank;
    int64_t mapped = attr_words(t, i->attr)[attr_count(t, i->attr) - 1];
    return mapped == ((INT64_C(1) << from) - 1) << (to - from);
}

enum use { USE_OUTPUT = 1, USE_PLAIN = 2 }; /* PLAIN: by an operation that does not broadcast */

static void mark_uses(const struct trace *t, uint8_t *use) {
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        if (op_is_elementwise(i->op) && i->narg > 1) continue;
        for (size_t k = 0; k < i->narg; k++) use[args_of(t, i)[k]] |= USE_PLAIN;
    }
    for (size_t i = 0; i < t->output.count; i++) use[t->output.at[i].v] |= USE_OUTPUT;
}

/* Roles of arguments are known already. */
static enum role role_of(const struct trace *t, value v, bool fold, unsigned use,
                         const uint8_t *role) {
    const struct instr *i = instr_at(t, v);
    int64_t bits;
    if (i->op == OP_input) return ROLE_INPUT;
    if (op_def(i->op)->class == LEAF || value_is_splat(t, v, &bits)) return ROLE_INLINE;
    if (use & USE_OUTPUT) return ROLE_STEP;
    value x = args_of(t, i)[0];
    bool of_leaf = op_def(instr_at(t, x)->op)->class == LEAF && role[x] == ROLE_INLINE;
    if (i->op == OP_neg && fold) return ROLE_INLINE;
    if (i->op == OP_cast && of_leaf) return ROLE_INLINE;
    if (!(use & USE_PLAIN) && broadcast_is_implicit(t, v)) return ROLE_INLINE;
    return ROLE_STEP;
}

/* Who waits for whom: the steps that use step s are user[first[s]] .. user[first[s + 1] - 1], in
 * program order. */
struct waiting {
    value *source;     /* what a value is read from: itself, or what its inline instruction reads */
    uint32_t *pending; /* how many arguments of a step have no number yet */
    uint32_t *first;
    value *user;
    uint8_t *use; /* enum use bits */
};

static bool waiting_open(const struct trace *t, struct arena *scratch, struct waiting *w) {
    size_t n = t->instr.count, bytes = n * sizeof(uint32_t);
    w->source = arena_alloc(scratch, bytes, sizeof(uint32_t));
    w->pending = arena_alloc(scratch, bytes, sizeof(uint32_t));
    w->first = arena_alloc(scratch, bytes + sizeof(uint32_t), sizeof(uint32_t));
    w->user = arena_alloc(scratch, (t->arg.count + 1) * sizeof *w->user, sizeof *w->user);
    w->use = arena_alloc(scratch, n, 1);
    if (!w->source || !w->pending || !w->first || !w->user || !w->use) return false;
    memset(w->source, 0, bytes);
    memset(w->pending, 0, bytes);
    memset(w->first, 0, bytes + sizeof(uint32_t));
    memset(w->use, 0, n);
    return true;
}

/* Counts the users of each step, turns counts into ends, and fills in from the ends downwards. */
static void find_users(const struct trace *t, const uint8_t *role, struct waiting *w) {
    value n = (value)t->instr.count;
    for (value v = 1; v < n; v++) {
        const struct instr *i = instr_at(t, v);
        if (role[v] == ROLE_INLINE) w->source[v] = i->narg ? w->source[args_of(t, i)[0]] : 0;
        else w->source[v] = v;
        for (size_t k = 0; role[v] == ROLE_STEP && k < i->narg; k++) {
            value s = w->source[args_of(t, i)[k]];
            if (role[s] != ROLE_STEP) continue; /* inputs and constants are there from the start */
            w->pending[v]++;
            w->first[s]++;
        }
    }
    for (value v = 1; v <= n; v++) w->first[v] += w->first[v - 1];
    for (value v = n; v-- > 1;) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; role[v] == ROLE_STEP && k < i->narg; k++) {
            value s = w->source[args_of(t, i)[k]];
            if (role[s] == ROLE_STEP) w->user[--w->first[s]] = v;
        }
    }
}

/* The array of steps is the queue itself: what leaves it has its number, and stays. */
static void take_steps(const struct trace *t, struct waiting *w, struct order *order) {
    const uint8_t *role = order->role;
    value *queue = order->step;
    size_t head = 0, tail = 0;
    for (value v = 1; v < t->instr.count; v++) {
        bool last = w->use[v] & USE_OUTPUT && w->first[v] == w->first[v + 1];
        if (role[v] == ROLE_STEP && !w->pending[v] && !last) queue[tail++] = v;
    }
    while (head < tail) {
        value s = queue[head++];
        for (uint32_t k = w->first[s]; k < w->first[s + 1]; k++) {
            value v = w->user[k];
            bool last = w->use[v] & USE_OUTPUT && w->first[v] == w->first[v + 1];
            if (--w->pending[v] == 0 && !last) queue[tail++] = v;
        }
    }
    for (size_t i = 0; i < t->output.count; i++) {
        value v = t->output.at[i].v;
        if (role[v] != ROLE_STEP || w->first[v] != w->first[v + 1]) continue;
        if (!(w->use[v] & USE_OUTPUT)) continue; /* an output by two names */
        w->use[v] = 0;
        queue[tail++] = v;
    }
    order->step_count = tail;
}

bool order_make(const struct trace *t, bool fold, struct arena *arena, struct order *order) {
    struct arena scratch = {.allocator = t->allocator};
    struct waiting w;
    size_t n = t->instr.count;
    order->role = arena_alloc(arena, n, 1);
    order->step = arena_alloc(arena, n * sizeof *order->step, sizeof *order->step);
    order->step_count = 0;
    bool ok = order->role && order->step && waiting_open(t, &scratch, &w);
    if (ok) {
        order->role[0] = ROLE_INLINE;
        mark_uses(t, w.use);
        for (value v = 1; v < n; v++)
            order->role[v] = (uint8_t)role_of(t, v, fold, w.use[v], order->role);
        find_users(t, order->role, &w);
        take_steps(t, &w, order);
    }
    arena_free(&scratch);
    return ok;
}
