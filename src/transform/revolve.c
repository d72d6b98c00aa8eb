/* Reverse mode of a loop with c snapshots: Griewank and Walther, Algorithm 799: revolve (ACM
 * Transactions on Mathematical Software 26, 2000), as loops of the trace. The loop itself is left
 * as it is. Its reverse goes through the iterations j from the last to the first, and carries
 * along, beside adjoints, the snapshots, a stack of states with the iterations that they begin: the
 * topmost one is where j, or an earlier iteration, begins. From there it goes on to j, by counted
 * loops of which each is preceded by a snapshot, and takes that one iteration back.
 *
 * Where the next snapshot stands follows from the m iterations up to j, j counted, and the s free
 * places, the topmost snapshot's own counted. With b(s, r) = (s + r)! / (s! r!) and the smallest r
 * for which m <= b(s, r), no iteration need be run again more than r times, and all together not
 * more than r m - b(s + 1, r - 1) times, if the snapshot stands
 * min(b(s, r - 1), m - b(s - 1, r - 1)) iterations further (section 2 there: any split of m into
 * two parts which r - 1 and r repetitions can do). Nothing is known but at the call, so all of this
 * is computed there; for the same reason a loop that nobody can count has this reverse mode too.
 *
 * A loop whose iterations only add to what is carried needs none of this: it runs once more. So
 * does one that is told to (LOOP_AGAIN), which then keeps what its iterations need. */
#include "transform/revolve.h"

#include "op/build.h"
#include "op/describe.h"
#include "op/face.h"
#include "transform/split.h"
#include "wengert/loop.h"

enum { UNBOUNDED_SNAPSHOTS = 32 }; /* five times for half a million iterations */
enum { RECORD = 1, STEP = 2 };     /* what a value of the body is needed for */

struct revolve {
    wg_graph *g;
    const struct region *r;
    const value *capture, *carry, *stack; /* the loop's operands */
    const uint8_t *mask;
    wg_program *forward, *reverse; /* one iteration (split.h) */
    size_t kept;
    uint8_t *need; /* of each value of forward: bits; NULL without memory */
    value *map;    /* of forward's or reverse's instructions */
    size_t room;   /* of need and map */
    value count;   /* of iterations that ran */
    value places;  /* how many snapshots there may be */
    size_t states; /* carries that iterations depend on, or what is taken back does */
    uint8_t state[REGION_OPERANDS];
};

static wg_var var(struct revolve *v, value x) { return (wg_var){v->g, x}; }

static value integer(struct revolve *v, double number) {
    return build_number(v->g, WG_I64, number);
}

static value arithmetic(struct revolve *v, unsigned op, value a, value b) {
    return build_binary(v->g, op, a, b);
}

/* ---- what is needed -------------------------------------------------------------------------- */

static void mark(struct revolve *v, unsigned bit) {
    const struct trace *t = &v->forward->t;
    for (value x = (value)t->instr.count; x-- > 1;)
        for (size_t k = 0; v->need[x] & bit && k < instr_at(t, x)->narg; k++)
            v->need[args_of(t, instr_at(t, x))[k]] |= (uint8_t)bit;
}

static value input_of(const wg_program *p, size_t k) { return p->t.input.at[k].v; }
static value output_of(const wg_program *p, size_t k) { return p->t.output.at[k].v; }

/* Marks what the record of an iteration needs, and what the iterations before it do; lists the
 * carries among that. */
static void find_needs(struct revolve *v) {
    const struct region *r = v->r;
    size_t plain = r->carries + r->results, first = 1 + r->captures;
    for (size_t k = 0; k < v->kept; k++) v->need[output_of(v->forward, plain + k)] |= RECORD;
    mark(v, RECORD);
    for (bool more = true; more;) {
        more = false;
        for (size_t k = 0; k < r->carries; k++) {
            value next = output_of(v->forward, k);
            if (!v->need[input_of(v->forward, first + k)] || v->need[next] & STEP) continue;
            v->need[next] |= STEP;
            more = true;
        }
        mark(v, STEP);
    }
    for (size_t k = 0; k < r->carries; k++)
        if (v->need[input_of(v->forward, first + k)]) v->state[v->states++] = (uint8_t)k;
}

/* ---- one iteration in place ------------------------------------------------------------------ */

/* Appends a program: of forward what has one of these bits, of reverse (0) all. */
static void append(struct revolve *v, const wg_program *p, unsigned bit, const value *input) {
    wg_graph *g = v->g;
    const struct trace *t = &p->t, *imported = g->imported;
    uint32_t at = g->imported_at, site = g->site;
    g->imported = NULL;
    for (value x = 1; x < t->instr.count && !g->error.status; x++) {
        const struct instr *i = instr_at(t, x);
        if (bit && !(v->need[x] & bit)) continue;
        v->map[x] = i->op == OP_input ? input[input_number(t, x)]
                                      : graph_import(g, t, x, v->r->extent, v->map);
    }
    g->imported = imported;
    g->imported_at = at;
    g->site = site;
}

/* The number of iteration q as the body knows it; or the other way round. An iteration of which
 * nobody looks at the results, one of a batch, may be none of the loop's. */
static value index_of(struct revolve *v, value q) {
    const struct region *r = v->r;
    if (r->flags & LOOP_BACKWARDS)
        q = arithmetic(v, OP_sub, arithmetic(v, OP_sub, v->count, integer(v, 1)), q);
    if (r->length == WG_UNBOUNDED) return q;
    value last = arithmetic(v, OP_sub, build_extent(v->g, r->length), integer(v, 1));
    return arithmetic(v, OP_max, arithmetic(v, OP_min, q, last), integer(v, 0));
}

/* Iteration q in a state, for what has the bit; slice: of the stacks, NULL: read here. */
static void append_iteration(struct revolve *v, unsigned bit, value index, const value *state,
                             const value *slice) {
    const struct region *r = v->r;
    value input[2 * REGION_OPERANDS] = {0};
    size_t n = 0;
    input[n++] = index;
    for (size_t k = 0; k < r->captures; k++) input[n++] = v->capture[k];
    for (size_t k = 0; k < v->states; k++) input[n + v->state[k]] = state[k];
    n += r->carries;
    for (size_t k = 0; k < r->stacks; k++, n++)
        if (v->need[input_of(v->forward, n)] & bit)
            input[n] = slice ? slice[k] : build_take(v->g, v->stack[k], index, 0, 0);
    append(v, v->forward, bit, input);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static value first_of(struct revolve *v, value x, wg_extent places) {
    wg_type type = type_prepend(type_of(&v->g->t, x), places);
    return build_broadcast_to(v->g, x, &type);
}

/* How many iterations to go on until the next snapshot, of m > 1 with s free places. */
static value distance(struct revolve *v, value m, value s) {
    wg_graph *g = v->g;
    value one = integer(v, 1);
    wg_var found[2] = {{0}};
    wg_loop *loop = wg_loop_begin_at(NULL, SAME_SITE, g, WG_UNBOUNDED);
    wg_var r = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, integer(v, 0)));
    wg_var b = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, one));
    wg_loop_while_at(NULL, SAME_SITE, loop, var(v, arithmetic(v, OP_lt, b.id, m)));
    value next = arithmetic(v, OP_add, r.id, one);
    value more = arithmetic(v, OP_mul, b.id, arithmetic(v, OP_add, s, next));
    wg_loop_next_at(NULL, SAME_SITE, loop, r, var(v, next));
    wg_loop_next_at(NULL, SAME_SITE, loop, b, var(v, arithmetic(v, OP_idiv, more, next)));
    wg_loop_end_at(NULL, SAME_SITE, loop, found);
    value sum = arithmetic(v, OP_add, s, found[0].id); /* s + r */
    value left = arithmetic(v, OP_idiv, arithmetic(v, OP_mul, found[1].id, found[0].id), sum);
    value right = arithmetic(v, OP_idiv, arithmetic(v, OP_mul, left, s),
                             arithmetic(v, OP_sub, sum, one));
    return arithmetic(v, OP_min, left, arithmetic(v, OP_sub, m, right));
}

/* From iteration p on so many further: the state there, in the place of the one here. */
static void go_on(struct revolve *v, value p, value further, value *state) {
    wg_var carried[REGION_OPERANDS], end[REGION_OPERANDS] = {{0}};
    wg_loop *loop = wg_loop_begin_at(NULL, SAME_SITE, v->g, v->r->length);
    wg_loop_count_at(NULL, SAME_SITE, loop, var(v, further));
    wg_loop_checkpoints_at(NULL, SAME_SITE, loop, v->r->snapshots);
    wg_var i = wg_loop_index_at(NULL, SAME_SITE, loop);
    value here[REGION_OPERANDS];
    for (size_t k = 0; k < v->states; k++) {
        carried[k] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, state[k]));
        here[k] = carried[k].id;
    }
    append_iteration(v, STEP, index_of(v, arithmetic(v, OP_add, p, i.id)), here, NULL);
    for (size_t k = 0; k < v->states; k++) {
        value next = output_of(v->forward, v->state[k]);
        wg_loop_next_at(NULL, SAME_SITE, loop, carried[k], var(v, v->map[next]));
    }
    wg_loop_end_at(NULL, SAME_SITE, loop, end);
    for (size_t k = 0; k < v->states; k++) state[k] = end[k].id;
}

/* The snapshots: of each state a stack, the iterations that they begin, how many there are. */
struct snapshots {
    value stack[REGION_OPERANDS], begin, number;
};

/* From the topmost snapshot to iteration q, with new ones on the way. The one that stands in q
 * itself, or would, is no longer there afterwards. */
static void advance(struct revolve *v, struct snapshots *s, value q, wg_extent places,
                    value *state) {
    wg_var carried[2 * REGION_OPERANDS], end[2 * REGION_OPERANDS] = {{0}};
    size_t n = v->states;
    value one = integer(v, 1), last = arithmetic(v, OP_sub, v->places, one);
    value top = arithmetic(v, OP_max, arithmetic(v, OP_sub, s->number, one), integer(v, 0));
    wg_loop *loop = wg_loop_begin_at(NULL, SAME_SITE, v->g, places);
    value begin = build_take(v->g, s->begin, top, 0, 0);
    for (size_t k = 0; k < n; k++) {
        value from = build_take(v->g, s->stack[k], top, 0, 0);
        carried[k] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, s->stack[k]));
        carried[n + k] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, from));
        state[k] = carried[n + k].id;
    }
    wg_var *rest = carried + 2 * n;
    rest[0] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, s->begin));
    rest[1] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, begin));
    rest[2] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, top));
    value p = rest[1].id, place = arithmetic(v, OP_min, rest[2].id, last);
    wg_loop_while_at(NULL, SAME_SITE, loop, var(v, arithmetic(v, OP_lt, p, q)));
    for (size_t k = 0; k < n; k++)
        wg_loop_next_at(NULL, SAME_SITE, loop, carried[k],
                        var(v, build_index_set(v->g, carried[k].id, state[k], place, 0, 0)));
    value m = arithmetic(v, OP_sub, arithmetic(v, OP_add, q, one), p);
    value further = distance(v, m, arithmetic(v, OP_sub, v->places, place));
    go_on(v, p, further, state);
    for (size_t k = 0; k < n; k++)
        wg_loop_next_at(NULL, SAME_SITE, loop, carried[n + k], var(v, state[k]));
    wg_loop_next_at(NULL, SAME_SITE, loop, rest[0],
                    var(v, build_index_set(v->g, rest[0].id, p, place, 0, 0)));
    wg_loop_next_at(NULL, SAME_SITE, loop, rest[1], var(v, arithmetic(v, OP_add, p, further)));
    wg_loop_next_at(NULL, SAME_SITE, loop, rest[2], var(v, arithmetic(v, OP_add, rest[2].id, one)));
    wg_loop_end_at(NULL, SAME_SITE, loop, end);
    for (size_t k = 0; k < n; k++) { /* in the order of the carries: pairs, then the rest */
        s->stack[k] = end[2 * k].id;
        state[k] = end[2 * k + 1].id;
    }
    s->begin = end[2 * n].id;
    s->number = end[2 * n + 2].id;
}

/* ---- the loop backwards ---------------------------------------------------------------------- */

static value type_zero(struct revolve *v, const wg_program *p, value x) {
    wg_type type = graph_import_type(v->g, &p->t, type_of(&p->t, x), v->r->extent);
    return v->g->error.status ? 0 : build_full(v->g, &type, 0);
}

/* What ran: of a loop that may end early by its condition only it can tell. */
static value trip_count(struct revolve *v, const struct rule *r) {
    value length = build_extent(v->g, v->r->length);
    if (v->r->flags & LOOP_CONDITION) return build_item(v->g, r->y, REGION_COUNT);
    if (!v->r->lead) return length;
    return arithmetic(v, OP_max, arithmetic(v, OP_min, r->x[0], length), integer(v, 0));
}

/* kept: stacks of what the iterations have kept; NULL: each is run again, from snapshots. */
static void append_reverse(struct revolve *v, wg_extent places, const value *kept, const value *ct,
                           value *adjoint) {
    wg_graph *g = v->g;
    const struct region *r = v->r;
    const uint8_t *of_carry = v->mask + r->captures, *of_stack = of_carry + r->carries;
    size_t n = 0, first_stack = 1 + r->captures + r->carries;
    wg_var carried[3 * REGION_OPERANDS], result[3 * REGION_OPERANDS] = {{0}};
    value input[3 * REGION_OPERANDS] = {0}, slice[REGION_OPERANDS] = {0}, state[REGION_OPERANDS];
    struct snapshots s = {.begin = 0};
    wg_loop *loop = wg_loop_begin_at(NULL, SAME_SITE, g, r->length);
    if (r->flags & (LOOP_COUNTED | LOOP_CONDITION))
        wg_loop_count_at(NULL, SAME_SITE, loop, var(v, v->count));
    if (!(r->flags & LOOP_BACKWARDS)) wg_loop_backwards(loop);
    wg_loop_checkpoints_at(NULL, SAME_SITE, loop, r->snapshots);
    value index = wg_loop_index_at(NULL, SAME_SITE, loop).id;
    /* what is carried: adjoints, sums, snapshots */
    for (size_t k = 0; k < r->carries; k++) {
        if (!of_carry[k]) continue;
        value begin = ct[k] ? ct[k] : build_like(g, v->carry[k], 0);
        carried[n++] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, begin));
    }
    for (size_t k = 0; k < r->captures; k++) {
        if (!v->mask[k]) continue;
        value begin = adjoint[r->lead + k];
        if (!begin) begin = build_like(g, v->capture[k], 0);
        carried[n++] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, begin));
    }
    size_t adjoints = n;
    bool from_snapshots = v->states && !kept;
    if (from_snapshots) {
        for (size_t k = 0; k < v->states; k++, n++) {
            value all = first_of(v, v->carry[v->state[k]], places);
            carried[n] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, all));
            s.stack[k] = carried[n].id;
        }
        value begin = first_of(v, integer(v, 0), places), number = integer(v, 1);
        s.begin = (carried[n++] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, begin))).id;
        s.number = (carried[n++] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, number))).id;
        value q = r->flags & LOOP_BACKWARDS
                      ? arithmetic(v, OP_sub, arithmetic(v, OP_sub, v->count, integer(v, 1)), index)
                      : index;
        if (!g->error.status) advance(v, &s, q, places, state);
    }
    /* one iteration there, and back */
    size_t m = 1 + r->captures + adjoints + v->kept;
    for (size_t k = 0; k < r->stacks; k++)
        if ((!kept && v->need[input_of(v->forward, first_stack + k)] & RECORD) ||
            value_is_read(&v->reverse->t, input_of(v->reverse, m + k)))
            slice[k] = wg_loop_slice_at(NULL, SAME_SITE, loop, var(v, v->stack[k])).id;
    if (!g->error.status && !kept) append_iteration(v, RECORD, index, state, slice);
    m = 0;
    input[m++] = index;
    for (size_t k = 0; k < r->captures; k++) input[m++] = v->capture[k];
    for (size_t k = 0; k < adjoints; k++) input[m++] = carried[k].id;
    for (size_t k = 0; k < v->kept; k++)
        input[m++] = kept ? wg_loop_slice_at(NULL, SAME_SITE, loop, var(v, kept[k])).id
                          : v->map[output_of(v->forward, r->carries + r->results + k)];
    for (size_t k = 0; k < r->stacks; k++) input[m++] = slice[k];
    for (size_t k = r->carries; k < r->items; k++) {
        value y = output_of(v->forward, k);
        if (!value_is_float(&v->forward->t, y)) continue;
        input[m++] = ct[k] ? wg_loop_slice_at(NULL, SAME_SITE, loop, var(v, ct[k])).id
                           : type_zero(v, v->forward, y);
    }
    if (!g->error.status) append(v, v->reverse, 0, input);
    for (size_t k = 0; k < n; k++) {
        size_t of = k - adjoints; /* of the snapshots */
        value next = k < adjoints      ? v->map[output_of(v->reverse, k)]
                     : of < v->states  ? s.stack[of]
                     : of == v->states ? s.begin
                                       : s.number;
        wg_loop_next_at(NULL, SAME_SITE, loop, carried[k], var(v, next));
    }
    for (size_t k = adjoints; k < v->reverse->t.output.count; k++)
        wg_loop_collect_at(NULL, SAME_SITE, loop, var(v, v->map[output_of(v->reverse, k)]));
    wg_loop_end_at(NULL, SAME_SITE, loop, result);
    size_t item = 0;
    for (size_t k = 0; k < r->carries; k++)
        adjoint[r->lead + r->captures + k] = of_carry[k] ? result[item++].id : 0;
    for (size_t k = 0; k < r->captures; k++)
        adjoint[r->lead + k] = v->mask[k] ? result[item++].id : 0;
    item = n;
    for (size_t k = 0; k < r->stacks; k++)
        adjoint[r->lead + r->captures + r->carries + k] = of_stack[k] ? result[item++].id : 0;
}

/* ---- loops that add only --------------------------------------------------------------------- */

/* Whether an iteration hands the adjoints of what is carried on as they are: what it adds to the sums
 * of captured values is then the same in any order. */
static bool adds_only(const struct revolve *v) {
    size_t adjoints = 0;
    for (size_t k = 0; k < v->r->carries; k++) {
        if (!v->mask[v->r->captures + k]) continue;
        value in = input_of(v->reverse, 1 + v->r->captures + adjoints);
        if (output_of(v->reverse, adjoints++) != in) return false;
    }
    return true;
}

/* Such a loop runs once more in its own order, with the sums beside what is carried: no snapshots
 * are needed, and nothing is kept. */
static void append_again(struct revolve *v, const value *ct, value *adjoint) {
    wg_graph *g = v->g;
    const struct region *r = v->r;
    const uint8_t *of_carry = v->mask + r->captures, *of_stack = of_carry + r->carries;
    size_t sums = 0, active = 0, n = 0, first_stack = 1 + r->captures + r->carries;
    wg_var carried[2 * REGION_OPERANDS], result[2 * REGION_OPERANDS] = {{0}};
    value input[4 * REGION_OPERANDS] = {0}, slice[REGION_OPERANDS] = {0}, state[REGION_OPERANDS],
          next[REGION_OPERANDS], ct_carry[REGION_OPERANDS];
    for (size_t k = 0; k < r->carries; k++)
        if (of_carry[k]) ct_carry[active++] = ct[k] ? ct[k] : build_like(g, v->carry[k], 0);
    wg_loop *loop = wg_loop_begin_at(NULL, SAME_SITE, g, r->length);
    if (r->flags & (LOOP_COUNTED | LOOP_CONDITION))
        wg_loop_count_at(NULL, SAME_SITE, loop, var(v, v->count));
    if (r->flags & LOOP_BACKWARDS) wg_loop_backwards(loop);
    wg_loop_checkpoints_at(NULL, SAME_SITE, loop, r->snapshots);
    value index = wg_loop_index_at(NULL, SAME_SITE, loop).id;
    for (size_t k = 0; k < r->captures; k++) {
        if (!v->mask[k]) continue;
        value begin = adjoint[r->lead + k];
        if (!begin) begin = build_like(g, v->capture[k], 0);
        carried[sums++] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, begin));
    }
    for (size_t k = 0; k < v->states; k++) {
        carried[sums + k] = wg_loop_carry_at(NULL, SAME_SITE, loop,
                                             var(v, v->carry[v->state[k]]));
        state[k] = carried[sums + k].id;
    }
    size_t m = 1 + r->captures + active + sums + v->kept;
    for (size_t k = 0; k < r->stacks; k++)
        if (v->need[input_of(v->forward, first_stack + k)] ||
            value_is_read(&v->reverse->t, input_of(v->reverse, m + k)))
            slice[k] = wg_loop_slice_at(NULL, SAME_SITE, loop, var(v, v->stack[k])).id;
    append_iteration(v, RECORD | STEP, index, state, slice);
    for (size_t k = 0; k < v->states; k++) next[k] = v->map[output_of(v->forward, v->state[k])];
    input[n++] = index;
    for (size_t k = 0; k < r->captures; k++) input[n++] = v->capture[k];
    for (size_t k = 0; k < active; k++) input[n++] = ct_carry[k];
    for (size_t k = 0; k < sums; k++) input[n++] = carried[k].id;
    for (size_t k = 0; k < v->kept; k++)
        input[n++] = v->map[output_of(v->forward, r->carries + r->results + k)];
    for (size_t k = 0; k < r->stacks; k++) input[n++] = slice[k];
    for (size_t k = r->carries; k < r->items; k++) {
        value y = output_of(v->forward, k);
        if (!value_is_float(&v->forward->t, y)) continue;
        input[n++] = ct[k] ? wg_loop_slice_at(NULL, SAME_SITE, loop, var(v, ct[k])).id
                           : type_zero(v, v->forward, y);
    }
    if (!g->error.status) append(v, v->reverse, 0, input);
    for (size_t k = 0; k < sums; k++)
        wg_loop_next_at(NULL, SAME_SITE, loop, carried[k],
                        var(v, v->map[output_of(v->reverse, active + k)]));
    for (size_t k = 0; k < v->states; k++)
        wg_loop_next_at(NULL, SAME_SITE, loop, carried[sums + k], var(v, next[k]));
    for (size_t k = active + sums; k < v->reverse->t.output.count; k++)
        wg_loop_collect_at(NULL, SAME_SITE, loop, var(v, v->map[output_of(v->reverse, k)]));
    wg_loop_end_at(NULL, SAME_SITE, loop, result);
    active = n = 0;
    for (size_t k = 0; k < r->carries; k++)
        adjoint[r->lead + r->captures + k] = of_carry[k] ? ct_carry[active++] : 0;
    for (size_t k = 0; k < r->captures; k++)
        adjoint[r->lead + k] = v->mask[k] ? result[n++].id : 0;
    n = sums + v->states;
    for (size_t k = 0; k < r->stacks; k++)
        adjoint[r->lead + r->captures + r->carries + k] = of_stack[k] ? result[n++].id : 0;
}

/* ---- loops that are run again once ----------------------------------------------------------- */

/* The loop as far as what its iterations keep needs it: stacks of that. */
static void keep_all(struct revolve *v, value *kept) {
    wg_graph *g = v->g;
    const struct region *r = v->r;
    size_t first_stack = 1 + r->captures + r->carries;
    value slice[REGION_OPERANDS] = {0}, state[REGION_OPERANDS];
    wg_var carried[REGION_OPERANDS], result[2 * REGION_OPERANDS] = {{0}};
    wg_loop *loop = wg_loop_begin_at(NULL, SAME_SITE, g, r->length);
    if (r->flags & (LOOP_COUNTED | LOOP_CONDITION))
        wg_loop_count_at(NULL, SAME_SITE, loop, var(v, v->count));
    if (r->flags & LOOP_BACKWARDS) wg_loop_backwards(loop);
    loop_sets_flags(loop, LOOP_AGAIN | LOOP_RECORD);
    value index = wg_loop_index_at(NULL, SAME_SITE, loop).id;
    for (size_t k = 0; k < v->states; k++) {
        carried[k] = wg_loop_carry_at(NULL, SAME_SITE, loop, var(v, v->carry[v->state[k]]));
        state[k] = carried[k].id;
    }
    for (size_t k = 0; k < r->stacks; k++)
        if (v->need[input_of(v->forward, first_stack + k)])
            slice[k] = wg_loop_slice_at(NULL, SAME_SITE, loop, var(v, v->stack[k])).id;
    if (!g->error.status) append_iteration(v, RECORD | STEP, index, state, slice);
    for (size_t k = 0; k < v->states; k++)
        wg_loop_next_at(NULL, SAME_SITE, loop, carried[k],
                        var(v, v->map[output_of(v->forward, v->state[k])]));
    for (size_t k = 0; k < v->kept; k++) {
        value one = v->map[output_of(v->forward, r->carries + r->results + k)];
        wg_loop_collect_at(NULL, SAME_SITE, loop, var(v, one));
    }
    wg_loop_end_at(NULL, SAME_SITE, loop, result);
    for (size_t k = 0; k < v->kept; k++) kept[k] = result[v->states + k].id;
}

bool revolve_adjoints(const struct rule *r, const struct region *region, const uint8_t *mask,
                      const value *ct, value *adjoint) {
    wg_graph *g = r->g;
    const wg_allocator *a = &g->t.allocator;
    struct revolve v = {.g = g, .r = region, .capture = r->x + region->lead, .mask = mask};
    wg_error error = {0};
    v.carry = v.capture + region->captures;
    v.stack = v.carry + region->carries;
    if (split_loop(region_body(&g->t, region, 0)->body, region, mask, r->guarded, &v.forward,
                   &v.reverse, &v.kept, &error)) {
        size_t one = v.forward->t.instr.count, other = v.reverse->t.instr.count;
        v.room = one > other ? one : other;
        v.need = mem_alloc_zero(a, v.room);
        v.map = mem_alloc_zero(a, v.room * sizeof *v.map);
        if (v.need && v.map) {
            int64_t places = region->snapshots ? region->snapshots : UNBOUNDED_SNAPSHOTS;
            if (region->length > 0 && region->length < places) places = region->length;
            find_needs(&v);
            v.count = trip_count(&v, r);
            v.places = integer(&v, (double)places);
            value kept[REGION_OPERANDS];
            bool keeps = region->flags & LOOP_AGAIN && !region->snapshots;
            if (adds_only(&v)) {
                append_again(&v, ct, adjoint);
            } else {
                if (keeps) keep_all(&v, kept);
                append_reverse(&v, places, keeps ? kept : NULL, ct, adjoint);
            }
        } else {
            graph_fail_memory(g);
        }
        if (v.need) mem_free(a, v.need, v.room);
        if (v.map) mem_free(a, v.map, v.room * sizeof *v.map);
    } else {
        fail_as(&g->error, &error);
    }
    wg_program_free(v.forward);
    wg_program_free(v.reverse);
    return !g->error.status;
}
