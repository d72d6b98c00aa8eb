/* Scalar code that repeats itself becomes a loop: a program that traces scalars has its loops
 * written out, and so has its derivative, forwards and backwards.
 *
 * Statements are compared in the order of the code. Those of a repeat do the same operation, one
 * period after the other, and each operand goes on in one of the ways of enum move. Which periods
 * are worth a try is told by words of GRAM operations: how far on the same word is met again, and
 * which such distances are the most frequent. Of loops in loops the outer one has that to offer.
 * What is found once not to go on is not looked at again, so that all this takes linear time. */
#include "native/lower.h"

enum {
    SHORTEST = 500, /* statements of a pass that is searched */
    GRAM = 24,      /* operations that tell a period */
    PERIODS = 6,    /* that are tried */
    LONGEST = 4096, /* period */
    FEWEST = 4,     /* repetitions */
    SAVED = 30      /* statements that a repeat saves at least */
};

struct finder {
    struct lowered *l;
    const struct trace *t;
    uint32_t start, end;          /* the pass in l->sequence */
    uint64_t *operation;          /* of each statement, from start on: equal for equal ones */
    uint32_t *next;               /* how far on the word that begins there is met again; 0: not */
    uint32_t period[PERIODS + 1]; /* the first from `next`, then those most frequent */
    size_t periods;
    uint32_t *stuck; /* of each period: no repeat of it begins before this */
};

/* ---- what a statement does ------------------------------------------------------------------- */

/* Statements that a loop may have in its body: a word of what they do; 0: none. */
static uint64_t operation_of(const struct lowered *l, value v) {
    const struct trace *t = &l->program->t;
    const struct instr *i = instr_at(t, v);
    bool moves = i->op == OP_take || i->op == OP_scatter_add || i->op == OP_dot;
    if (l->role[v] != ROLE_POINT || l->check[v] || moves || i->narg > MOVES_EACH) return 0;
    uint64_t h = hash_mix(hash_mix(i->op + 1, i->attr), i->type);
    for (size_t k = 0; k < i->narg; k++)
        h = hash_mix(h, type_of(t, l->access.at[l->access_at[v] + k].root)->dtype);
    return h ? h : 1;
}

static uint64_t operation_at(const struct finder *f, uint32_t at) {
    return f->operation[at - f->start];
}

static const struct access *operand_at(const struct lowered *l, uint32_t at, size_t k) {
    return &l->access.at[l->access_at[l->sequence.at[at]] + k];
}

static size_t operands_at(const struct lowered *l, uint32_t at) {
    return access_count(l, l->sequence.at[at]);
}

/* ---- how operands move ----------------------------------------------------------------------- */

const struct repeat *repeat_of(const struct lowered *l, value v) {
    return l->repeat && l->repeat[v] ? &l->repeats.at[l->repeat[v] - 1] : NULL;
}

struct turn turn_of(const struct lowered *l, const struct repeat *r, value v) {
    uint32_t place = l->position[v] - 1 - r->at;
    return (struct turn){place / r->period, place % r->period};
}

/* How an operand goes on, where the statement at `at` reads x and the one a period behind it y.
 * `own`: what other repeats made does not count as such. */
static bool find_move(const struct lowered *l, uint32_t at, uint32_t period, const struct access *x,
                      const struct access *y, bool own, struct operand_move *move) {
    *move = (struct operand_move){0};
    if (x->root == y->root) {
        if (x->base == y->base) return true;
        move->kind = MOVE_ELEMENT;
        move->step = y->base - x->base;
        return x->base >= 0 && y->base >= 0;
    }
    if (!l->position[x->root] || !l->position[y->root]) return false;
    const struct repeat *r = repeat_of(l, x->root);
    if (!own && r && r == repeat_of(l, y->root)) {
        struct turn from = turn_of(l, r, x->root), to = turn_of(l, r, y->root);
        move->kind = MOVE_CELL;
        move->step = (int64_t)to.trip - (int64_t)from.trip;
        if (from.statement == to.statement) return true;
    }
    uint32_t back = at + 1 - l->position[x->root];
    move->kind = MOVE_BACK;
    move->step = back;
    return l->position[x->root] <= at && back == at + period + 1 - l->position[y->root] &&
           back <= MOST_BACK * period;
}

static bool same_move(const struct operand_move *a, const struct operand_move *b) {
    return a->kind == b->kind && a->step == b->step;
}

/* Whether the statement goes on from one and two periods before as these went on. */
static bool goes_on(const struct finder *f, uint32_t at, uint32_t period) {
    const struct lowered *l = f->l;
    uint64_t operation = operation_at(f, at);
    if (!operation || operation != operation_at(f, at - period) ||
        operation != operation_at(f, at - 2 * period))
        return false;
    for (size_t k = 0; k < operands_at(l, at); k++) {
        const struct access *x = operand_at(l, at - 2 * period, k);
        const struct access *y = operand_at(l, at - period, k), *z = operand_at(l, at, k);
        struct operand_move first, second;
        bool same = false;
        for (int own = 0; own < 2 && !same; own++)
            same = find_move(l, at - 2 * period, period, x, y, own, &first) &&
                   find_move(l, at - period, period, y, z, own, &second) &&
                   same_move(&first, &second);
        if (!same) return false;
    }
    return true;
}

/* ---- one repeat ------------------------------------------------------------------------------ */

static bool is_own(const struct lowered *l, const struct repeat *r, value root, uint32_t trips) {
    uint32_t position = l->position[root];
    return position > r->at && position <= r->at + trips * r->period;
}

/* The moves of one operand in all trips; fewer trips where they do not go on. */
static bool settle_operand(const struct lowered *l, struct repeat *r, uint32_t j, size_t k,
                           struct operand_move *move) {
    uint32_t at = r->at + j, last = at + (r->trips - 1) * r->period;
    bool own = is_own(l, r, operand_at(l, last, k)->root, r->trips);
    if (!find_move(l, at, r->period, operand_at(l, at, k), operand_at(l, at + r->period, k), own,
                   move))
        return false;
    for (uint32_t trip = 1; trip + 1 < r->trips; trip++) {
        uint32_t here = at + trip * r->period;
        struct operand_move next;
        if (find_move(l, here, r->period, operand_at(l, here, k),
                      operand_at(l, here + r->period, k), own, &next) &&
            same_move(move, &next))
            continue;
        r->trips = trip + 1;
        return false;
    }
    if (move->kind == MOVE_NONE) return !is_own(l, r, operand_at(l, at, k)->root, r->trips);
    if (move->kind != MOVE_BACK) return true;
    uint32_t back = (uint32_t)move->step; /* the reader lies so far behind what it reads */
    move->distance = back > j ? (back - j + r->period - 1) / r->period : 0;
    move->from = j + move->distance * r->period - back;
    return true;
}

static bool is_worth_it(const struct repeat *r) {
    return r->trips >= FEWEST && (r->trips - 1) * r->period >= SAVED;
}

/* Appends the repeat if it holds, perhaps with fewer trips. */
static bool add_repeat(struct finder *f, struct repeat r, bool *added) {
    enum { TRIES = 8 };
    struct lowered *l = f->l;
    const wg_allocator *a = &f->t->allocator;
    *added = false;
    r.moves = l->moves.count;
    r.body = l->repeated.count;
    for (int i = 0; i < TRIES && is_worth_it(&r) && !*added; i++) {
        bool holds = true;
        l->moves.count = r.moves;
        for (uint32_t j = 0; j < r.period && holds; j++) {
            for (size_t k = 0; k < MOVES_EACH && holds; k++) {
                struct operand_move *move = VEC_PUSH(a, &l->moves);
                if (!move) return false;
                *move = (struct operand_move){0};
                holds = k >= operands_at(l, r.at + j) || settle_operand(l, &r, j, k, move);
            }
        }
        *added = holds;
    }
    if (!*added) {
        l->moves.count = r.moves;
        return true;
    }
    for (uint32_t j = 0; j < r.period; j++) {
        struct repeated_statement *new = VEC_PUSH(a, &l->repeated);
        if (!new) return false;
        *new = (struct repeated_statement){0};
    }
    for (size_t k = r.moves; k < l->moves.count; k++) {
        const struct operand_move *move = &l->moves.at[k];
        uint8_t *reach = &l->repeated.at[r.body + move->from].reach;
        if (move->kind == MOVE_BACK && move->distance > *reach) *reach = (uint8_t)move->distance;
    }
    struct repeat *new = VEC_PUSH(a, &l->repeats);
    if (!new) return false;
    *new = r;
    for (uint32_t i = 0; i < r.trips * r.period; i++)
        l->repeat[l->sequence.at[r.at + i]] = (uint32_t)l->repeats.count;
    return true;
}

/* The trips of a repeat that begins there; what ends it is where the next may begin behind. */
static uint32_t count_trips(struct finder *f, uint32_t at, uint32_t period) {
    uint32_t end = at + 2 * period;
    if (period == 0 || at < f->stuck[period] || end >= f->end) return 0;
    while (end < f->end && goes_on(f, end, period)) end++;
    uint32_t trips = (end - at) / period;
    if (trips < FEWEST) f->stuck[period] = end - 2 * period + 1;
    return trips;
}

static uint64_t saved(const struct repeat *r) {
    return r->trips ? (uint64_t)(r->trips - 1) * r->period : 0;
}

static bool search(struct finder *f) {
    for (uint32_t at = f->start; at < f->end;) {
        struct repeat best = {0};
        bool added = false;
        f->period[0] = f->next[at - f->start];
        for (size_t i = 0; i < f->periods; i++) {
            struct repeat r = {.at = at, .period = f->period[i]};
            r.trips = count_trips(f, at, r.period);
            if (is_worth_it(&r) && saved(&r) > saved(&best)) best = r;
        }
        if (best.trips && !add_repeat(f, best, &added)) return false;
        if (best.trips && !added) f->stuck[best.period] = at + best.period;
        at += added ? f->l->repeats.at[f->l->repeats.count - 1].trips * best.period : 1;
    }
    return true;
}

/* ---- periods --------------------------------------------------------------------------------- */

/* Tries the most frequent distances of equal words first. */
static void choose_periods(struct finder *f, const uint32_t *times) {
    for (f->periods = 1; f->periods <= PERIODS; f->periods++) {
        uint32_t best = 0;
        for (uint32_t p = 1; p <= LONGEST; p++) {
            bool known = false;
            for (size_t i = 1; i < f->periods; i++) known |= f->period[i] == p;
            if (!known && times[p] && (!best || times[p] > times[best])) best = p;
        }
        if (!best) return;
        f->period[f->periods] = best;
    }
}

static bool find_periods(struct finder *f) {
    const wg_allocator *a = &f->t->allocator;
    uint32_t count = f->end - f->start;
    size_t size = 1;
    while (size < (size_t)count) size *= 2;
    uint32_t *newest = mem_alloc_zero(a, size * sizeof *newest);
    uint32_t *times = mem_alloc_zero(a, (LONGEST + 1) * sizeof *times);
    for (uint32_t i = 0; newest && times && i + GRAM <= count; i++) {
        uint64_t h = 0;
        for (uint32_t k = 0; k < GRAM; k++) h = hash_mix(h, f->operation[i + k]);
        uint32_t *last = &newest[(h ^ h >> 32) & (size - 1)];
        uint32_t distance = *last ? i + 1 - *last : 0;
        if (distance && distance <= LONGEST) {
            times[distance]++;
            f->next[*last - 1] = distance;
        }
        *last = i + 1;
    }
    bool ok = newest && times;
    if (ok) choose_periods(f, times);
    mem_free(a, newest, size * sizeof *newest);
    mem_free(a, times, (LONGEST + 1) * sizeof *times);
    return ok;
}

/* ---- a pass ---------------------------------------------------------------------------------- */

static bool list_sequence(struct finder *f, uint32_t pass) {
    struct lowered *l = f->l;
    for (value v = l->passes.at[pass].first; v; v = l->next[v]) {
        value *new = VEC_PUSH(&f->t->allocator, &l->sequence);
        if (!new) return false;
        *new = v;
        l->position[v] = (uint32_t)l->sequence.count;
    }
    f->end = (uint32_t)l->sequence.count;
    return true;
}

bool find_repeats(struct lowered *l, uint32_t pass, wg_error *error) {
    const struct trace *t = &l->program->t;
    const wg_allocator *a = &t->allocator;
    struct finder f = {.l = l, .t = t, .start = (uint32_t)l->sequence.count};
    uint32_t count = 0;
    for (value v = l->passes.at[pass].first; v; v = l->next[v]) count++;
    if (count < SHORTEST) return true;
    if (!l->repeat) l->repeat = mem_alloc_zero(a, l->count * sizeof *l->repeat);
    if (!l->position) l->position = mem_alloc_zero(a, l->count * sizeof *l->position);
    f.operation = mem_alloc(a, count * sizeof *f.operation);
    f.next = mem_alloc_zero(a, count * sizeof *f.next);
    f.stuck = mem_alloc_zero(a, (LONGEST + 1) * sizeof *f.stuck);
    bool ok = l->repeat && l->position && f.operation && f.next && f.stuck &&
              list_sequence(&f, pass);
    for (uint32_t i = 0; ok && i < count; i++)
        f.operation[i] = operation_of(l, l->sequence.at[f.start + i]);
    ok = ok && find_periods(&f) && search(&f);
    mem_free(a, f.operation, count * sizeof *f.operation);
    mem_free(a, f.next, count * sizeof *f.next);
    mem_free(a, f.stuck, (LONGEST + 1) * sizeof *f.stuck);
    if (!ok) fail_memory(error);
    return ok;
}

/* ---- what is kept ---------------------------------------------------------------------------- */

/* Of a value that somebody reads who does not stand in its loop. */
static void keep(struct lowered *l, value v) {
    const struct repeat *r = repeat_of(l, v);
    struct turn turn = turn_of(l, r, v);
    uint8_t *kept = &l->repeated.at[r->body + turn.statement].keep;
    uint8_t wanted = turn.trip + 1 == r->trips ? KEEP_LAST : KEEP_ALL;
    if (*kept < wanted) *kept = wanted;
}

void settle_repeats(struct lowered *l) {
    for (value v = 1; l->repeats.count && v < l->count; v++) {
        if (l->repeat[v] && l->storage[v] == STORE_FULL) keep(l, v);
        for (size_t k = 0; l->pass[v] && k < access_count(l, v); k++) {
            value root = l->access.at[l->access_at[v] + k].root;
            if (l->repeat[root] && l->repeat[root] != l->repeat[v]) keep(l, root);
        }
    }
    for (size_t i = 0; i < l->repeats.count; i++) {
        const struct repeat *r = &l->repeats.at[i];
        for (uint32_t j = 0; j < r->period; j++) {
            uint8_t kept = l->repeated.at[r->body + j].keep;
            for (uint32_t trip = 0; trip < r->trips; trip++)
                if (kept == KEEP_ALL || (kept == KEEP_LAST && trip + 1 == r->trips))
                    l->storage[repeated(l, r, trip, j)] = STORE_FULL;
        }
    }
}
