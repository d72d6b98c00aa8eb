/* What may be made in the place of what (op/in_place.h), and the order that lets it. The order of
 * the trace would do for values; but an operation that may work in the place of an operand has to
 * copy it where somebody reads it later. So it waits for readers that stand behind it and do not
 * depend on it. In a circle of operations that wait for each other the first one goes on. */
#include "op/in_place.h"

/* ---- what follows what ----------------------------------------------------------------------- */

static uint32_t operand_of(const struct trace *t, const struct region *r, size_t k);

/* The input of which a value is what updates have left; -1: it is none. Bodies inside bodies are as
 * deep as programs are, at most MAX_RULE_DEPTH. */
static int64_t beginning_of(const struct trace *t, value v) {
    for (;;) {
        const struct instr *i = instr_at(t, v);
        const value *arg = args_of(t, i);
        uint32_t operand = 0;
        if (i->op == OP_input) return attr_words(t, i->attr)[0];
        if (i->op == OP_item) {
            size_t k = (size_t)attr_words(t, i->attr)[0];
            i = instr_at(t, arg[0]);
            arg = args_of(t, i);
            struct region r = region_open(t, i->op, i->attr);
            operand = operand_of(t, &r, k);
        } else if (!(op_def(i->op)->flags & (OP_IN_PLACE | OP_ALIAS))) {
            return -1;
        }
        if (operand == FOLLOWS_NONE) return -1;
        v = arg[operand];
    }
}

/* Of a branch the captured operand that the first case to begin with one begins with: a case that
 * does not makes the result anew where that is, when it reads it no more. */
static uint32_t operand_of(const struct trace *t, const struct region *r, size_t k) {
    if (k < r->carries) return (uint32_t)(r->lead + r->captures + k);
    for (size_t b = 0; r->op == OP_branch && k < r->items && b < r->bodies; b++) {
        const struct trace *body = &region_body(t, r, b)->body->t;
        value v = body->output.at[k].v;
        int64_t input = type_of(body, v)->rank ? beginning_of(body, v) : -1;
        if (input >= 0) return (uint32_t)r->lead + (uint32_t)input;
    }
    return FOLLOWS_NONE;
}

void region_follows(const struct trace *t, const struct region *r, uint32_t *operand) {
    bool given[REGION_OPERANDS + 1] = {0}; /* one place is not for two results */
    for (size_t k = 0; k < r->items; k++) {
        operand[k] = operand_of(t, r, k);
        if (operand[k] == FOLLOWS_NONE) continue;
        if (given[operand[k]]) operand[k] = FOLLOWS_NONE;
        else given[operand[k]] = true;
    }
}

size_t in_place_operands(const struct trace *t, value v, struct in_place *list) {
    const struct instr *i = instr_at(t, v);
    uint32_t operand[REGION_OPERANDS];
    size_t n = 0;
    if (op_def(i->op)->flags & OP_IN_PLACE) list[n++] = (struct in_place){0, 0};
    if (i->op != OP_loop && i->op != OP_branch) return n;
    struct region r = region_open(t, i->op, i->attr);
    region_follows(t, &r, operand);
    for (size_t k = 0; k < r.items; k++)
        if (operand[k] != FOLLOWS_NONE) list[n++] = (struct in_place){operand[k], (uint32_t)k};
    return n;
}

/* ---- who waits for whom ---------------------------------------------------------------------- */

struct edge {
    value before, after;
};

struct ordering { /* arrays by value - begin; what stands before begin is nobody's matter */
    const struct trace *t;
    value begin, end;
    const bool *fixed;
    value *origin; /* whose elements a name or a broadcast reads; 0: of something before */
    value *last_reader;
    value *last_taker; /* the last operation that would have its place */
    bool *reached;     /* depends on the operation at hand; when sorting: is put in its place */
    size_t work;       /* instructions that may still be looked at */
    VEC(struct edge) edge;
    uint32_t *unmet; /* how many must come first and have not */
    uint32_t *first; /* where its followers begin in the list of */
    value *follower;
    size_t followers;
    VEC(value) late; /* a heap: those that can come now, behind their turn */
    value *result;
    size_t count;
};

/* Whether it is made where it is read, or is another name. */
static bool is_transparent(const struct trace *t, const struct instr *i) {
    if (!(op_def(i->op)->flags & OP_ALIAS) && i->op != OP_broadcast) return false;
    return type_at(t, i->type)->rank > 0 || type_of(t, args_of(t, i)[0])->rank == 0;
}

static value origin_of(const struct ordering *o, value v) {
    return v < o->begin ? 0 : o->origin[v - o->begin];
}

static void find_readers(struct ordering *o) {
    struct in_place list[REGION_OPERANDS];
    for (value v = o->begin; v < o->end; v++) {
        const struct instr *i = instr_at(o->t, v);
        const value *arg = args_of(o->t, i);
        bool transparent = is_transparent(o->t, i);
        value *origin = &o->origin[v - o->begin];
        *origin = transparent ? origin_of(o, arg[0]) : v;
        if (o->fixed && o->fixed[v - o->begin] && *origin) /* a reader behind all */
            o->last_reader[*origin - o->begin] = o->end;
        if (transparent || i->op == OP_item) continue;
        for (size_t k = 0; k < i->narg; k++) {
            value base = origin_of(o, arg[k]);
            if (base && o->last_reader[base - o->begin] < v) o->last_reader[base - o->begin] = v;
        }
        for (size_t n = in_place_operands(o->t, v, list), k = 0; k < n; k++) {
            value base = origin_of(o, arg[list[k].operand]);
            if (base) o->last_taker[base - o->begin] = v;
        }
    }
}

static bool can_be_taken(const struct ordering *o, value base) {
    const struct instr *i = instr_at(o->t, base);
    return type_at(o->t, i->type)->rank > 0 && i->op != OP_constant && i->op != OP_data &&
           o->last_reader[base - o->begin] != o->end;
}

/* Has v wait for the readers of base behind it, if they do not wait for v. */
static bool follow_readers(struct ordering *o, value v, value base) {
    const struct trace *t = o->t;
    if (!base || o->last_taker[base - o->begin] != v || !can_be_taken(o, base)) return true;
    value last = o->last_reader[base - o->begin];
    size_t edges = o->edge.count;
    bool *reached = o->reached;
    if (last <= v || last - v > o->work) return true;
    o->work -= last - v;
    memset(reached + (v - o->begin), 0, last - v + 1);
    reached[v - o->begin] = true;
    for (value r = v + 1; r <= last; r++) {
        const struct instr *i = instr_at(t, r);
        bool reads = false, transparent = is_transparent(t, i) || i->op == OP_item;
        for (size_t k = 0; k < i->narg; k++) {
            value x = args_of(t, i)[k];
            if (x >= v && reached[x - o->begin]) reached[r - o->begin] = true;
            reads = reads || (!transparent && origin_of(o, x) == base);
        }
        if (!reads) continue;
        if (reached[r - o->begin]) { /* v copies in any case */
            o->edge.count = edges;
            return true;
        }
        struct edge *new = VEC_PUSH(&t->allocator, &o->edge);
        if (!new) return false;
        *new = (struct edge){r, v};
    }
    return true;
}

/* ---- sorting --------------------------------------------------------------------------------- */

/* The values that wait for each, by arguments and by edges. */
static bool list_followers(struct ordering *o) {
    const struct trace *t = o->t;
    size_t n = o->end - o->begin;
    uint32_t total = 0;
    for (value v = o->begin; v < o->end; v++) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; k < i->narg; k++) {
            value x = args_of(t, i)[k];
            if (x < o->begin) continue;
            o->unmet[v - o->begin]++;
            o->first[x - o->begin]++;
        }
    }
    for (size_t k = 0; k < o->edge.count; k++) {
        o->unmet[o->edge.at[k].after - o->begin]++;
        o->first[o->edge.at[k].before - o->begin]++;
    }
    for (size_t k = 0; k < n; k++) o->first[k] = total += o->first[k]; /* where each list ends */
    o->first[n] = total;
    o->followers = total + (size_t)1;
    o->follower = mem_alloc(&t->allocator, o->followers * sizeof *o->follower);
    if (!o->follower) return false;
    for (size_t k = 0; k < o->edge.count; k++)
        o->follower[--o->first[o->edge.at[k].before - o->begin]] = o->edge.at[k].after;
    for (value v = o->end; v-- > o->begin;)
        for (size_t k = 0; k < instr_at(t, v)->narg; k++) {
            value x = args_of(t, instr_at(t, v))[k];
            if (x >= o->begin) o->follower[--o->first[x - o->begin]] = v;
        }
    return true;
}

static void push_late(struct ordering *o, value v) {
    size_t k = o->late.count++;
    for (; k > 0 && o->late.at[(k - 1) / 2] > v; k = (k - 1) / 2)
        o->late.at[k] = o->late.at[(k - 1) / 2];
    o->late.at[k] = v;
}

static value pop_late(struct ordering *o) {
    value *heap = o->late.at, top = heap[0], last = heap[--o->late.count];
    size_t k = 0, n = o->late.count;
    for (size_t child; (child = 2 * k + 1) < n; k = child) {
        if (child + 1 < n && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= last) break;
        heap[k] = heap[child];
    }
    heap[k] = last;
    return top;
}

/* v stands next, and behind it what waited for it alone and has had its turn. */
static void put(struct ordering *o, value v, value turn) {
    for (;;) {
        size_t at = v - o->begin;
        o->result[o->count++] = v;
        o->reached[at] = true;
        for (uint32_t k = o->first[at]; k < o->first[at + 1]; k++) {
            value f = o->follower[k];
            if (--o->unmet[f - o->begin] == 0 && f <= turn && !o->reached[f - o->begin])
                push_late(o, f);
        }
        if (!o->late.count) return;
        v = pop_late(o);
    }
}

static bool sort(struct ordering *o) {
    size_t n = o->end - o->begin;
    if (!VEC_RESERVE(&o->t->allocator, &o->late, n) || !list_followers(o)) return false;
    memset(o->reached, 0, n);
    for (value v = o->begin; v < o->end; v++)
        if (o->unmet[v - o->begin] == 0) put(o, v, v);
    for (value v = o->begin; v < o->end; v++) /* those in circles, which copy */
        if (!o->reached[v - o->begin]) put(o, v, o->end);
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool has_takers(const struct trace *t, value begin, value end) {
    for (value v = begin; v < end; v++) {
        unsigned op = instr_at(t, v)->op;
        if (op_def(op)->flags & OP_IN_PLACE || op == OP_loop || op == OP_branch) return true;
    }
    return false;
}

bool in_place_sequence(const struct trace *t, value begin, value end, const bool *fixed,
                       value **sequence, bool **taken) {
    const wg_allocator *a = &t->allocator;
    size_t n = end - begin, bytes = (n + 1) * sizeof(value);
    *sequence = NULL;
    *taken = NULL;
    if (!has_takers(t, begin, end)) return true;
    struct ordering o = {.t = t, .begin = begin, .end = end, .fixed = fixed, .work = 64 * n};
    struct in_place list[REGION_OPERANDS];
    o.origin = mem_alloc_zero(a, bytes);
    o.last_reader = mem_alloc_zero(a, bytes);
    o.last_taker = mem_alloc_zero(a, bytes);
    o.unmet = mem_alloc_zero(a, bytes);
    o.first = mem_alloc_zero(a, bytes);
    o.result = mem_alloc_zero(a, n * sizeof(value));
    o.reached = mem_alloc_zero(a, n);
    bool ok = o.origin && o.last_reader && o.last_taker && o.unmet && o.first && o.result &&
              o.reached;
    if (ok) find_readers(&o);
    for (value v = begin; ok && v < end; v++)
        for (size_t count = in_place_operands(t, v, list), k = 0; ok && k < count; k++)
            ok = follow_readers(&o, v, origin_of(&o, args_of(t, instr_at(t, v))[list[k].operand]));
    bool moves = ok && o.edge.count > 0;
    if (moves) ok = sort(&o);
    for (size_t k = 0; ok && k < n; k++)
        o.reached[k] = o.last_taker[k] && can_be_taken(&o, begin + (value)k);
    if (ok)
        *taken = o.reached;
    else
        mem_free(a, o.reached, n);
    if (ok && moves)
        *sequence = o.result;
    else
        mem_free(a, o.result, n * sizeof(value));
    mem_free(a, o.origin, bytes);
    mem_free(a, o.last_reader, bytes);
    mem_free(a, o.last_taker, bytes);
    mem_free(a, o.unmet, bytes);
    mem_free(a, o.first, bytes);
    mem_free(a, o.follower, o.followers * sizeof *o.follower);
    VEC_FREE(a, &o.edge);
    VEC_FREE(a, &o.late);
    return ok;
}
