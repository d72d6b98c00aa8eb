/* From steps to storage: one walk over the steps as they will run gives every value its place and
 * writes the operands of every step. Storage is counted by reads still to come: what nobody reads
 * any more is free at once, for a value of the same measure, or of another factor of the same
 * named extents (the slot then grows). Outputs are made where the caller wants them.
 *
 * Inside a group, values that only the group reads get registers; a result may take the storage of
 * an argument that dies there, since both are visited element by element in the same order. So may
 * that of an update by index, of what a loop carries on, and of a branch. An output may have its
 * donor's buffer under the same condition; where that fails it is made elsewhere and copied when
 * all steps are done. What updates make of a donor one after the other, on the way to its output,
 * is made in the output's buffer from the first of them on. */
#include "op/region.h"
#include "run/run.h"

enum {
    REGISTER_BYTES = 16384, /* for all registers of a group: half of a small first-level cache */
    MIN_BLOCK = 128,        /* elements of a block */
    MAX_BLOCK = 512,        /* so that the next arrays are fetched while these are worked on */
    MAX_SPLATS = 8          /* scalars that a group keeps in registers from block to block */
};

#define NOWHERE UINT32_MAX

struct dying {
    uint32_t slot;
    struct measure bytes; /* of the value; the slot may be larger */
};

struct planner {
    struct wg_function *fn;
    const struct trace *t;
    const struct schedule *s;
    wg_error *error;
    uint32_t *use;   /* of each root: reads to come; being an output is one that never comes */
    place *where;    /* of each root */
    uint32_t *target; /* of each root on the way from a donor to its output: 1 + the output */
    value *holder;   /* of each output: the last value that was made in its buffer on that way */
    uint32_t *inner; /* the same two inside the group at hand; registers only */
    place *local;
    struct slots slots;
    id_vec free_register;
    VEC(struct dying) dying;         /* values that nobody reads behind the group at hand */
    uint32_t register_count, splats; /* of the group at hand; registers below splats are kept */
};

static bool push(struct planner *p, id_vec *vec, uint32_t id) {
    uint32_t *at = VEC_PUSH(&p->fn->allocator, vec);
    if (!at) return fail_memory(p->error), false;
    *at = id;
    return true;
}

/* ---- cells and slots ------------------------------------------------------------------------- */

static bool take_cell(struct planner *p, place *where) {
    uint32_t cell;
    if (!slots_take_cell(&p->slots, &cell)) return false;
    *where = place_of(CELL, cell);
    return true;
}

/* The bytes of a value of this type. */
static bool bytes_of(struct planner *p, type_id type, struct measure *bytes) {
    *bytes = p->fn->measures.count[type];
    return measure_in_bytes(bytes, (wg_dtype)type_at(p->t, type)->dtype, p->error);
}

static bool take_slot(struct planner *p, struct measure need, place *where) {
    uint32_t entry;
    if (!slots_take(&p->slots, need, &entry)) return false;
    *where = place_of(TABLE, entry);
    return true;
}

/* The slot of a place, or -1. */
static int64_t slot_of(const struct planner *p, place where) {
    size_t first = table_slot(p->fn, 0);
    if (where == NOWHERE || place_kind(where) != TABLE || place_index(where) < first) return -1;
    return (int64_t)(place_index(where) - first);
}

static bool free_place(struct planner *p, place where) {
    if (place_kind(where) == CELL)
        return slots_free_cell(&p->slots, (uint32_t)place_index(where));
    int64_t slot = slot_of(p, where);
    if (slot >= 0) slots_free(&p->slots, (uint32_t)slot);
    return true;
}

/* One read of a root is done. */
static bool release(struct planner *p, value root) {
    return --p->use[root] > 0 || free_place(p, p->where[root]);
}

/* ---- before the first step ------------------------------------------------------------------- */

static void count_uses(struct planner *p) {
    const struct schedule *s = p->s;
    for (value v = 1; v < s->count; v++) {
        if (!s->phase[v] || s->making[v] == RESULT) continue;
        const struct instr *i = instr_at(p->t, v);
        const value *arg = args_of(p->t, i);
        bool fill;
        for (size_t k = 0; k < i->narg; k++)
            p->use[s->making[v] == MEMBER ? source_of(p->s, p->t, arg[k], &fill)
                                          : s->root[arg[k]]]++;
    }
    for (size_t i = 0; i < p->t->output.count; i++) p->use[s->root[p->t->output.at[i].v]]++;
}

static bool add_constant(struct planner *p, value v, int64_t bits) {
    int64_t *cell = VEC_PUSH(&p->fn->allocator, &p->fn->pool);
    if (!cell) return fail_memory(p->error), false;
    *cell = bits;
    p->where[v] = place_of(POOL, p->fn->pool.count - 1);
    return true;
}

static bool add_scalar_input(struct planner *p, value v, uint32_t input) {
    if (p->use[v] == 0) return true;
    if (!take_cell(p, &p->where[v])) return false;
    struct scalar_input *new = VEC_PUSH(&p->fn->allocator, &p->fn->scalar_input);
    if (!new) return fail_memory(p->error), false;
    *new = (struct scalar_input){input, (uint32_t)place_index(p->where[v])};
    return true;
}

static bool place_given(struct planner *p, value v) {
    const struct instr *i = instr_at(p->t, v);
    int64_t word = attr_words(p->t, i->attr)[0]; /* index of the input or blob, or the bits */
    bool scalar = type_at(p->t, i->type)->rank == 0;
    if (i->op == OP_constant) return add_constant(p, v, word);
    if (i->op == OP_input) {
        p->where[v] = place_of(TABLE, (size_t)word);
        return !scalar || add_scalar_input(p, v, (uint32_t)word);
    }
    const struct blob *blob = &p->t->blob.at[word];
    p->where[v] = place_of(TABLE, table_blob(p->fn, (size_t)word));
    int64_t bits = 0;
    if (scalar) memcpy(&bits, blob->data, blob->size);
    return !scalar || add_constant(p, v, bits);
}

static bool same_bytes(const struct planner *p, value v, value w) {
    type_id x = instr_at(p->t, v)->type, y = instr_at(p->t, w)->type;
    struct measure a = p->fn->measures.count[x], b = p->fn->measures.count[y];
    return x == y || (type_at(p->t, x)->dtype == type_at(p->t, y)->dtype && a.part == b.part &&
                      a.factor == b.factor);
}

/* The root of the operand in whose place a root may be made; 0: none. */
static value place_before(const struct planner *p, value v) {
    const struct instr *i = instr_at(p->t, v);
    uint32_t operand = 0;
    if (p->s->making[v] == RESULT) {
        size_t k = (size_t)attr_words(p->t, i->attr)[0];
        value region = args_of(p->t, i)[0];
        operand = region_code(p->fn, region)->follows[k];
        i = instr_at(p->t, region);
    } else if (!(op_def(i->op)->flags & OP_IN_PLACE)) {
        return 0;
    }
    return operand == FOLLOWS_NONE ? 0 : p->s->root[args_of(p->t, i)[operand]];
}

/* Marks the way from the donor of an output to it, if updates lead there. */
static void mark_way(struct planner *p, size_t output) {
    uint32_t donor = p->fn->donor[output];
    value end = p->s->root[p->t->output.at[output].v];
    value begin = donor ? p->t->input.at[donor - 1].v : 0, v = end;
    while (v && v != begin) {
        value before = place_before(p, v);
        v = before && same_bytes(p, before, v) ? before : 0;
    }
    if (!v) return;
    for (v = end; v != begin; v = place_before(p, v))
        if (v != end) p->target[v] = (uint32_t)output + 1;
}

/* Tensors that are outputs and made by a step are made there; a value that is two, in the first. */
static void place_outputs(struct planner *p) {
    for (size_t i = 0; i < p->t->output.count; i++) mark_way(p, i);
    for (size_t i = 0; i < p->t->output.count; i++) {
        value root = p->s->root[p->t->output.at[i].v];
        if (p->s->making[root] != GIVEN && type_of(p->t, root)->rank > 0 &&
            p->where[root] == NOWHERE)
            p->where[root] = place_of(TABLE, table_output(p->fn, i));
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

static bool add_step(struct planner *p, enum step_kind kind, size_t first, size_t count) {
    struct step *step = VEC_PUSH(&p->fn->allocator, &p->fn->step);
    if (!step) return fail_memory(p->error), false;
    *step = (struct step){kind, (uint32_t)first, (uint32_t)count};
    return true;
}

/* Whether the value may be made in the output buffer that is its place: not while somebody reads
 * the donor of that buffer. */
static bool output_is_free(const struct planner *p, value v) {
    size_t output = place_index(p->where[v]) - table_output(p->fn, 0);
    uint32_t donor = p->fn->donor[output];
    return p->use[p->holder[output]] == 0 &&
           (!donor || p->use[p->t->input.at[donor - 1].v] == 0);
}

static bool plan_scalars(struct planner *p, const struct phase *phase) {
    struct wg_function *fn = p->fn;
    size_t first = fn->scalar.count;
    for (value v = phase->first; v; v = p->s->next[v]) {
        const struct instr *i = instr_at(p->t, v);
        const value *arg = args_of(p->t, i);
        struct apply *a = VEC_PUSH(&fn->allocator, &fn->scalar);
        if (!a) return fail_memory(p->error), false;
        *a = (struct apply){.kernel = kernel_of(p->t, i)};
        for (size_t k = 0; k < i->narg; k++) {
            value root = p->s->root[arg[k]];
            a->arg[k] = p->where[root];
            if (!release(p, root)) return false;
        }
        if (!take_cell(p, &a->out)) return false;
        p->where[v] = a->out;
        if (p->use[v] == 0 && !free_place(p, a->out)) return false;
    }
    return add_step(p, STEP_SCALARS, first, fn->scalar.count - first);
}

static bool add_operand(struct planner *p, place where) {
    place *new = VEC_PUSH(&p->fn->allocator, &p->fn->operand);
    if (!new) return fail_memory(p->error), false;
    *new = where;
    return true;
}

/* The very place of the operand root for v, or the output's buffer that may be the same; NOWHERE if
 * somebody else reads root from here on, or it is no place to write to. */
static place place_over(const struct planner *p, value v, value root) {
    size_t outputs = table_output(p->fn, 0);
    if (p->use[root] != 1 || !same_bytes(p, root, v) || type_of(p->t, root)->rank == 0)
        return NOWHERE;
    if (slot_of(p, p->where[root]) >= 0)
        return p->where[v] == NOWHERE ? p->where[root] : NOWHERE;
    if (p->s->making[root] != GIVEN) /* in an output's buffer already, on the way there */
        return p->where[v] == NOWHERE || p->where[v] == p->where[root] ? p->where[root] : NOWHERE;
    size_t output = p->where[v] != NOWHERE ? place_index(p->where[v]) - outputs
                    : p->target[v]         ? p->target[v] - 1
                                           : p->t->output.count;
    bool donated = output < p->t->output.count && p->fn->donor[output] &&
                   p->t->input.at[p->fn->donor[output] - 1].v == root &&
                   p->use[p->holder[output]] == 0;
    return donated ? place_of(TABLE, outputs + output) : NOWHERE;
}

/* A place for the result v of an operation, that of the operand `over` (0: none) if it may. *taken:
 * it has that slot now. */
static bool place_result(struct planner *p, value v, value over, bool *taken) {
    struct measure bytes;
    *taken = false;
    if (type_of(p->t, v)->rank == 0) return take_cell(p, &p->where[v]);
    place same = over ? place_over(p, v, over) : NOWHERE;
    if (same != NOWHERE) {
        *taken = slot_of(p, same) >= 0;
        if (!*taken) p->holder[place_index(same) - table_output(p->fn, 0)] = v;
        p->where[v] = same;
        return true;
    }
    if (p->where[v] != NOWHERE && output_is_free(p, v)) return true;
    return bytes_of(p, instr_at(p->t, v)->type, &bytes) && take_slot(p, bytes, &p->where[v]);
}

/* A region, whose value and results stand in front of its operands. */
static bool plan_region(struct planner *p, const struct phase *phase) {
    struct wg_function *fn = p->fn;
    value v = phase->first;
    const struct instr *i = instr_at(p->t, v);
    const value *arg = args_of(p->t, i);
    struct region r = region_open(p->t, i->op, i->attr);
    const struct region_code *code = region_code(fn, v);
    size_t first = fn->operand.count, n = 1 + r.items + i->narg;
    if (!VEC_RESERVE(&fn->allocator, &fn->operand, first + n)) return fail_memory(p->error), false;
    fn->operand.count += n;
    bool taken, ok = place_result(p, v, 0, &taken);
    for (size_t k = 0; k < r.items; k++) fn->operand.at[first + 1 + k] = NOWHERE;
    bool keep[REGION_OPERANDS] = {0}; /* operands whose slots are results' now */
    for (value item = p->s->next[v]; ok && item; item = p->s->next[item]) {
        size_t k = (size_t)attr_words(p->t, instr_at(p->t, item)->attr)[0];
        if (k >= r.items) continue;
        ok = place_result(p, item, place_before(p, item), &taken);
        if (taken) keep[code->follows[k]] = true;
        fn->operand.at[first + 1 + k] = p->where[item];
    }
    fn->operand.at[first] = p->where[v];
    for (size_t k = 0; ok && k < i->narg; k++)
        fn->operand.at[first + 1 + r.items + k] = p->where[p->s->root[arg[k]]];
    for (size_t k = 0; ok && k < i->narg; k++) {
        value root = p->s->root[arg[k]];
        if (keep[k]) p->use[root]--;
        else ok = release(p, root);
    }
    for (value one = v; ok && one; one = p->s->next[one])
        if (p->use[one] == 0) ok = free_place(p, p->where[one]);
    return ok && add_step(p, STEP_REGION, first, (size_t)(code - fn->region.at));
}

static bool plan_operation(struct planner *p, const struct phase *phase) {
    struct wg_function *fn = p->fn;
    value v = phase->first;
    const struct instr *i = instr_at(p->t, v);
    const value *arg = args_of(p->t, i);
    size_t first = fn->operand.count;
    bool taken, ok = place_result(p, v, place_before(p, v), &taken);
    ok = ok && add_operand(p, p->where[v]);
    for (size_t k = 0; ok && k < i->narg; k++) ok = add_operand(p, p->where[p->s->root[arg[k]]]);
    for (size_t k = 0; ok && k < i->narg; k++) {
        if (k == 0 && taken) p->use[p->s->root[arg[0]]]--;
        else ok = release(p, p->s->root[arg[k]]);
    }
    if (ok && p->use[v] == 0) ok = free_place(p, p->where[v]);
    return ok && add_step(p, STEP_OPERATION, first, v);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static uint8_t width_of(const struct planner *p, value v) {
    return (uint8_t)wg_dtype_size((wg_dtype)type_of(p->t, v)->dtype);
}

static place take_register(struct planner *p) {
    uint32_t r = p->free_register.count ? p->free_register.at[--p->free_register.count]
                                        : p->register_count++;
    return place_of(REGISTER, r);
}

static bool add_fill(struct planner *p, value broadcast, value from) {
    struct lane *lane = VEC_PUSH(&p->fn->allocator, &p->fn->lane);
    if (!lane) return fail_memory(p->error), false;
    p->local[broadcast] = take_register(p);
    *lane = (struct lane){.apply = {NULL, p->local[broadcast], {p->where[from]}},
                          .width = {width_of(p, broadcast)},
                          .fill = broadcast};
    return true;
}

/* Counts what the group reads from itself, and begins with the scalars that it fills in. */
static bool open_group(struct planner *p, const struct phase *phase, uint32_t id) {
    for (value v = phase->first; v; v = p->s->next[v]) {
        const struct instr *i = instr_at(p->t, v);
        for (size_t k = 0; k < i->narg; k++) {
            bool fill;
            value arg = args_of(p->t, i)[k], root = p->s->root[arg];
            value from = source_of(p->s, p->t, arg, &fill);
            if (!fill && p->s->phase[root] != id) continue;
            bool splat = fill && type_of(p->t, from)->rank == 0;
            if (p->inner[root]++ > 0 || !splat || p->splats == MAX_SPLATS) continue;
            if (!add_fill(p, root, from)) return false;
            p->splats++;
        }
    }
    return true;
}

/* An argument of the lane at hand is read. *late: a register that is free only behind the lane,
 * because its elements have another width than the result's. */
static bool read_argument(struct planner *p, value arg, uint8_t width, uint8_t out_width,
                          place *where, place *late) {
    bool fill;
    value root = p->s->root[arg];
    source_of(p->s, p->t, arg, &fill);
    bool local = p->local[root] != NOWHERE;
    *where = local ? p->local[root] : p->where[root];
    if (p->inner[root] && --p->inner[root] == 0 && local) {
        p->local[root] = NOWHERE;
        if (place_index(*where) < p->splats) return true;
        if (width != out_width)
            *late = *where;
        else if (!push(p, &p->free_register, (uint32_t)place_index(*where)))
            return false;
    }
    /* Reads through fills last until the group is done: they go to other elements. */
    if (fill || --p->use[root] > 0) return true;
    int64_t slot = slot_of(p, *where);
    if (slot < 0) return true;
    struct measure bytes;
    if (!bytes_of(p, instr_at(p->t, arg)->type, &bytes)) return false;
    struct dying *new = VEC_PUSH(&p->fn->allocator, &p->dying);
    if (!new) return fail_memory(p->error), false;
    *new = (struct dying){(uint32_t)slot, bytes};
    return true;
}

/* The slot of an argument that dies in the group and has the very measure of the result, so that
 * their elements lie at the same addresses; the last ones are looked at, which are those of the
 * lane itself. */
static bool take_dying(struct planner *p, struct measure need, place *where) {
    for (size_t n = p->dying.count, i = n; i-- > 0 && i + 8 > n;) {
        struct dying *d = &p->dying.at[i];
        if (d->bytes.part != need.part || d->bytes.factor != need.factor) continue;
        *where = place_of(TABLE, table_slot(p->fn, d->slot));
        *d = p->dying.at[--p->dying.count];
        return true;
    }
    return false;
}

static bool plan_lane(struct planner *p, value v) {
    const struct instr *i = instr_at(p->t, v);
    const value *arg = args_of(p->t, i);
    struct lane lane = {.apply.kernel = kernel_of(p->t, i), .width = {width_of(p, v)}};
    place late[3] = {NOWHERE, NOWHERE, NOWHERE};
    /* Fills come first, so that none takes the register of an argument that dies here. */
    for (size_t k = 0; k < i->narg; k++) {
        bool fill;
        value root = p->s->root[arg[k]], from = source_of(p->s, p->t, arg[k], &fill);
        if (fill && p->local[root] == NOWHERE && !add_fill(p, root, from)) return false;
    }
    for (size_t k = 0; k < i->narg; k++) {
        uint8_t width = lane.width[1 + k] = width_of(p, arg[k]);
        if (!read_argument(p, arg[k], width, lane.width[0], &lane.apply.arg[k], &late[k]))
            return false;
    }
    struct measure bytes;
    if (p->use[v] == p->inner[v]) { /* nobody else reads it */
        p->where[v] = NOWHERE;
        lane.apply.out = p->local[v] = take_register(p);
    } else {
        if (p->where[v] == NOWHERE || !output_is_free(p, v)) {
            if (!bytes_of(p, i->type, &bytes)) return false;
            if (!take_dying(p, bytes, &p->where[v]) && !take_slot(p, bytes, &p->where[v]))
                return false;
        }
        lane.apply.out = p->where[v];
    }
    for (size_t k = 0; k < i->narg; k++)
        if (late[k] != NOWHERE && !push(p, &p->free_register, (uint32_t)place_index(late[k])))
            return false;
    struct lane *new = VEC_PUSH(&p->fn->allocator, &p->fn->lane);
    if (!new) return fail_memory(p->error), false;
    *new = lane;
    return true;
}

static bool close_group(struct planner *p, const struct phase *phase) {
    while (p->dying.count)
        slots_free(&p->slots, p->dying.at[--p->dying.count].slot);
    for (value v = phase->first; v; v = p->s->next[v]) {
        const struct instr *i = instr_at(p->t, v);
        for (size_t k = 0; k < i->narg; k++) {
            bool fill;
            value from = source_of(p->s, p->t, args_of(p->t, i)[k], &fill);
            if (fill && !release(p, from)) return false;
        }
    }
    return true;
}

static uint32_t block_of(size_t lanes, uint32_t registers) {
    if (registers == 0) return lanes == 1 ? 0 : MAX_BLOCK;
    uint32_t block = REGISTER_BYTES / (uint32_t)CELL_SIZE / registers / MIN_BLOCK * MIN_BLOCK;
    return block < MIN_BLOCK ? MIN_BLOCK : block > MAX_BLOCK ? MAX_BLOCK : block;
}

static bool plan_group(struct planner *p, uint32_t id) {
    struct wg_function *fn = p->fn;
    const struct phase *phase = &p->s->step.at[id];
    size_t first = fn->lane.count;
    p->register_count = p->splats = 0;
    p->free_register.count = 0;
    if (!open_group(p, phase, id)) return false;
    for (value v = phase->first; v; v = p->s->next[v])
        if (!plan_lane(p, v)) return false;
    if (!close_group(p, phase)) return false;
    struct group *group = VEC_PUSH(&fn->allocator, &fn->group);
    if (!group) return fail_memory(p->error), false;
    size_t count = fn->lane.count - first;
    *group = (struct group){(uint32_t)first, (uint32_t)count, p->splats,
                            block_of(count, p->register_count), instr_at(p->t, phase->first)->type};
    size_t scratch = (size_t)group->block * p->register_count * CELL_SIZE;
    if (scratch > fn->scratch) fn->scratch = scratch;
    return add_step(p, STEP_GROUP, fn->group.count - 1, 1);
}

/* ---- behind the last step -------------------------------------------------------------------- */

static bool add_copy(struct planner *p, place to, place from, type_id type) {
    struct copy *copy = VEC_PUSH(&p->fn->allocator, &p->fn->copy);
    if (!copy) return fail_memory(p->error), false;
    *copy = (struct copy){to, from, type};
    return true;
}

/* The place of a value from which an output with a donor is copied. If that is an input whose own
 * buffer another output will have, it is saved in a slot first. */
static bool save_donor(struct planner *p, size_t output) {
    value root = p->s->root[p->t->output.at[output].v];
    uint32_t donor = p->fn->donor[output];
    if (!p->inner[root] || p->t->input.at[donor - 1].v == root) return true;
    place from = p->where[root];
    type_id type = instr_at(p->t, root)->type;
    struct measure bytes;
    p->inner[root] = 0;
    return bytes_of(p, type, &bytes) && take_slot(p, bytes, &p->where[root]) &&
           add_copy(p, p->where[root], from, type);
}

/* Outputs that are not in place are copied there; those with a donor last, when everybody has read
 * it. */
static bool plan_copies(struct planner *p) {
    const struct trace *t = p->t;
    struct wg_function *fn = p->fn;
    for (size_t i = 0; i < t->output.count; i++) /* outside of groups, inner marks donors */
        if (fn->donor[i]) p->inner[t->input.at[fn->donor[i] - 1].v] = 1;
    for (size_t i = 0; i < t->output.count; i++)
        if (fn->donor[i] && !save_donor(p, i)) return false;
    for (int donated = 0; donated < 2; donated++) {
        for (size_t i = 0; i < t->output.count; i++) {
            value v = t->output.at[i].v, root = p->s->root[v];
            place to = place_of(TABLE, table_output(fn, i));
            if (p->where[root] == to || (fn->donor[i] != 0) != donated) continue;
            if (!add_copy(p, to, p->where[root], instr_at(t, v)->type)) return false;
        }
    }
    return fn->copy.count == 0 || add_step(p, STEP_COPIES, 0, fn->copy.count);
}

static bool walk(struct planner *p) {
    const struct schedule *s = p->s;
    count_uses(p);
    for (value v = 1; v < s->count; v++)
        if (s->making[v] == GIVEN && !place_given(p, v)) return false;
    place_outputs(p);
    for (size_t i = 0; i < s->order_count; i++) {
        if (!s->order[i]) continue;
        const struct phase *phase = &s->step.at[s->order[i]];
        bool ok = phase->kind == STEP_SCALARS ? plan_scalars(p, phase)
                  : phase->kind == STEP_GROUP ? plan_group(p, s->order[i])
                  : phase->kind == STEP_REGION ? plan_region(p, phase)
                                              : plan_operation(p, phase);
        if (!ok) return false;
    }
    return plan_copies(p);
}

bool plan_make(struct wg_function *fn, const struct schedule *s, wg_error *error) {
    const wg_allocator *a = &fn->allocator;
    struct planner p = {.fn = fn, .t = &fn->program->t, .s = s, .error = error};
    p.slots = (struct slots){.fn = fn, .error = error};
    size_t bytes = s->count * sizeof(uint32_t);
    p.use = mem_alloc_zero(a, bytes);
    p.inner = mem_alloc_zero(a, bytes);
    p.where = mem_alloc(a, bytes);
    p.local = mem_alloc(a, bytes);
    p.target = mem_alloc_zero(a, bytes);
    size_t held = (p.t->output.count + 1) * sizeof *p.holder;
    p.holder = mem_alloc_zero(a, held);
    bool ok = p.use && p.inner && p.where && p.local && p.target && p.holder;
    if (ok) {
        memset(p.where, 0xff, bytes); /* NOWHERE */
        memset(p.local, 0xff, bytes);
        ok = walk(&p);
    } else {
        fail_memory(error);
    }
    mem_free(a, p.use, bytes);
    mem_free(a, p.inner, bytes);
    mem_free(a, p.where, bytes);
    mem_free(a, p.local, bytes);
    mem_free(a, p.target, bytes);
    mem_free(a, p.holder, held);
    slots_end(&p.slots);
    VEC_FREE(a, &p.free_register);
    VEC_FREE(a, &p.dying);
    return ok;
}
