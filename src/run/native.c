/* Native code: the nests of native/lower.h get their storage, are written as C, compiled and
 * loaded. What a nest does not do, an operation of the library does, called back by the code: so a
 * native function is a wg_function of its own, of steps, slots and operands like the interpreter's,
 * but for who drives it.
 *
 * Storage follows the interpreter's rules (plan.c): a value's slot is free when its last reader is
 * done; outputs are made where the caller wants them; a statement may take the place of an operand
 * that dies in the nest, is read there at the statement's own index only, and not behind it. */
#include "run/run.h"
#include "native/toolchain.h"
#include "native/write.h"
#include "op/in_place.h"

struct reads { /* one root as an item reads it */
    value root;
    uint32_t order; /* the last phase that reads it */
    bool plain;     /* always at the reader's own index */
    bool taken;     /* its place is another value's from now on */
};

struct storer {
    struct wg_function *fn;
    const struct trace *t;
    struct lowered *l;
    wg_error *error;
    uint32_t *use;   /* of each root: items that will read it; being an output never ends */
    uint32_t *seen;  /* of each root: 1 + the item that was last found to read it... */
    uint32_t *found; /* and where in reads */
    uint32_t *last;  /* of each root: 1 + the last item that reads it; an output's never comes */
    bool *begun;    /* of each concatenation: a part of it has been made in place */
    struct homes homes;
    VEC(struct reads) reads; /* of the item at hand */
    struct slots slots;
    VEC(struct output_copy) copy;
    VEC(struct spare) spare;
};

static bool no_memory(struct storer *s) {
    fail_memory(s->error);
    return false;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static bool bytes_of(struct storer *s, value v, struct measure *bytes) {
    const wg_type *type = type_of(s->t, v);
    *bytes = s->fn->measures.count[instr_at(s->t, v)->type];
    if (s->l->storage[v] == STORE_ROW) {
        const struct loops *loops = &s->l->passes.at[s->l->pass[v]].loops;
        wg_type row = {.dtype = type->dtype, .rank = loops->rank};
        memcpy(row.extent, loops->extent, loops->rank * sizeof *row.extent);
        if (!measure_of(s->fn, &row, bytes)) return no_memory(s);
        /* Each thread has one of its own; too many bytes are found by what follows. */
        int64_t threads = s->fn->threads ? s->fn->threads : 1;
        if (mul_overflows(bytes->factor, threads, &bytes->factor)) bytes->factor = INT64_MAX;
    }
    return measure_in_bytes(bytes, (wg_dtype)type->dtype, s->error);
}

static bool take_slot(struct storer *s, value v) {
    struct measure need;
    return bytes_of(s, v, &need) && slots_take(&s->slots, need, &s->homes.table[v]);
}

static bool give_back(struct storer *s, value v) {
    uint32_t entry = s->homes.table[v], first = (uint32_t)table_slot(s->fn, 0);
    if (s->homes.cell[v] != NO_HOME) return slots_free_cell(&s->slots, s->homes.cell[v]);
    if (entry != NO_HOME && entry >= first) slots_free(&s->slots, entry - first);
    return true;
}

/* ---- what steps read ------------------------------------------------------------------------- */

static bool in_memory(const struct storer *s, value root) {
    return s->l->role[root] == ROLE_GIVEN ? instr_at(s->t, root)->op != OP_constant
                                          : s->l->storage[root] == STORE_FULL;
}

static bool add_read(struct storer *s, size_t item, value root, uint32_t order, bool plain) {
    uint32_t id = (uint32_t)item + 1;
    if (!in_memory(s, root) || s->l->item[root] == id) return true;
    if (s->seen[root] == id) {
        struct reads *r = &s->reads.at[s->found[root]];
        if (order > r->order) r->order = order;
        r->plain &= plain;
        return true;
    }
    s->seen[root] = id;
    s->found[root] = (uint32_t)s->reads.count;
    struct reads *new = VEC_PUSH(&s->fn->allocator, &s->reads);
    if (!new) return no_memory(s);
    *new = (struct reads){root, order, plain, false};
    return true;
}

/* Calls visit for each statement of an item. */
static bool each_statement(struct storer *s, size_t index,
                           bool (*visit)(struct storer *s, size_t item, value v)) {
    struct lowered *l = s->l;
    const struct item *item = &l->items.at[index];
    for (uint32_t p = item->pass ? item->pass : l->stages.at[item->stage].first; p;
         p = item->pass ? 0 : l->passes.at[p].next) {
        uint32_t count = 0;
        value v = item->first ? item->first : l->passes.at[p].first;
        for (; v && (!item->count || count < item->count); v = l->next[v], count++)
            if (!visit(s, index, v)) return false;
    }
    return true;
}

static bool read_statement(struct storer *s, size_t item, value v) {
    struct lowered *l = s->l;
    for (size_t k = 0; k < access_count(l, v); k++) {
        const struct access *a = &l->access.at[l->access_at[v] + k];
        bool plain = a->identity && l->role[v] == ROLE_POINT;
        if (!add_read(s, item, a->root, l->passes.at[l->pass[v]].order, plain)) return false;
    }
    return true;
}

/* Fills s->reads with what an item reads from others, each root once. */
static bool list_reads(struct storer *s, size_t index) {
    struct lowered *l = s->l;
    value operation = l->stages.at[l->items.at[index].stage].operation;
    s->reads.count = 0;
    if (!operation) return each_statement(s, index, read_statement);
    const struct instr *i = instr_at(s->t, operation);
    for (size_t k = 0; k < i->narg; k++) {
        if (i->op == OP_concat && place_of_part(l, operation, k)) continue;
        if (!add_read(s, index, storage_root(l, args_of(s->t, i)[k]), 0, false)) return false;
    }
    return true;
}

static bool count_uses(struct storer *s) {
    struct lowered *l = s->l;
    for (size_t i = 0; i < l->items.count; i++) {
        if (!list_reads(s, i)) return false;
        for (size_t k = 0; k < s->reads.count; k++) {
            s->use[s->reads.at[k].root]++;
            s->last[s->reads.at[k].root] = (uint32_t)i + 1;
        }
    }
    memset(s->seen, 0, l->count * sizeof *s->seen);
    for (size_t i = 0; i < s->t->output.count; i++) {
        if (is_copied_first(s->fn, i)) continue;
        s->use[storage_root(l, s->t->output.at[i].v)]++;
        s->last[storage_root(l, s->t->output.at[i].v)] = UINT32_MAX;
    }
    return true;
}

/* ---- giving storage -------------------------------------------------------------------------- */

/* Whether v may be made where root is: nobody reads root any more, or this very item does for the
 * last time, at v's own index and not behind v. */
static bool may_take(const struct storer *s, value v, value root) {
    const struct lowered *l = s->l;
    if (s->use[root] == 0) return true;
    if (s->use[root] > 1 || l->role[v] != ROLE_POINT) return false;
    for (size_t i = 0; i < s->reads.count; i++) {
        const struct reads *r = &s->reads.at[i];
        if (r->root == root)
            return r->plain && !r->taken && r->order <= l->passes.at[l->pass[v]].order;
    }
    return false;
}

static bool output_is_free(const struct storer *s, value v) {
    uint32_t donor = s->fn->donor[s->homes.table[v] - table_output(s->fn, 0)];
    return !donor || may_take(s, v, s->t->input.at[donor - 1].v);
}

/* An operand that dies in this item and whose place the value may have. */
static bool take_dying(struct storer *s, value v) {
    struct measure need, have;
    if (s->l->storage[v] != STORE_FULL || !bytes_of(s, v, &need)) return false;
    for (size_t i = 0; i < s->reads.count; i++) {
        value root = s->reads.at[i].root;
        if (s->use[root] != 1 || s->homes.table[root] == NO_HOME ||
            s->homes.table[root] < table_slot(s->fn, 0) || !may_take(s, v, root) ||
            type_of(s->t, root)->dtype != type_of(s->t, v)->dtype || !bytes_of(s, root, &have) ||
            have.part != need.part || have.factor != need.factor)
            continue;
        s->homes.table[v] = s->homes.table[root];
        s->reads.at[i].taken = true;
        return true;
    }
    return false;
}

/* What a repeat keeps of all its repetitions stands in cells one behind the other. */
static bool take_cells(struct storer *s, const struct repeat *r, uint32_t statement) {
    uint32_t first;
    if (!slots_take_cells(&s->slots, r->trips, &first)) return false;
    for (uint32_t k = 0; k < r->trips; k++)
        s->homes.cell[repeated(s->l, r, k, statement)] = first + k;
    return true;
}

/* A concatenation has its memory when the first of its parts is made there. */
static bool store_wholes(struct storer *s, value v) {
    for (uint32_t id = s->l->place[v]; id; id = s->l->places.at[id - 1].next) {
        value whole = s->l->places.at[id - 1].whole;
        if (s->begun[whole]) continue;
        s->begun[whole] = true;
        if ((s->homes.table[whole] == NO_HOME || !output_is_free(s, whole)) && !take_slot(s, whole))
            return false;
    }
    return true;
}

static bool store_value(struct storer *s, size_t item, value v) {
    (void)item;
    if (s->begun[v]) return true;
    if (s->l->place[v] && !store_wholes(s, v)) return false;
    const struct repeat *r = repeat_of(s->l, v);
    if (s->l->storage[v] == STORE_NONE || s->homes.cell[v] != NO_HOME) return true;
    struct turn turn = r ? turn_of(s->l, r, v) : (struct turn){0};
    if (r && s->l->repeated.at[r->body + turn.statement].keep == KEEP_ALL)
        return take_cells(s, r, turn.statement);
    if (type_of(s->t, v)->rank == 0 && s->l->storage[v] == STORE_FULL)
        return slots_take_cell(&s->slots, &s->homes.cell[v]);
    if (s->homes.table[v] != NO_HOME && output_is_free(s, v)) return true;
    return take_dying(s, v) || take_slot(s, v);
}

/* ---- results in the place of an operand ------------------------------------------------------ */

/* Whether the root is what this operand is, and no other. */
static bool is_only_operand(const struct storer *s, const struct instr *i, size_t operand,
                            value root) {
    for (size_t j = 0; j < i->narg; j++)
        if ((storage_root(s->l, args_of(s->t, i)[j]) == root) != (j == operand)) return false;
    return true;
}

/* Marks an operand as gone into the result, if it dies here. */
static bool take_operand(struct storer *s, const struct instr *i, size_t operand, value root) {
    if (s->use[root] != 1 || !is_only_operand(s, i, operand, root)) return false;
    for (size_t j = 0; j < s->reads.count; j++)
        if (s->reads.at[j].root == root) s->reads.at[j].taken = true;
    return true;
}

/* Where a result lies that is made in the place of an operand: in the output that it is in the end,
 * where the operand is if that dies, or in a slot. result: 0 where nobody reads it; *spare then
 * receives its place. */
static bool store_following(struct storer *s, const struct instr *i, size_t operand, value result,
                            uint32_t *spare) {
    value root = storage_root(s->l, args_of(s->t, i)[operand]);
    uint32_t home = s->homes.table[root];
    uint32_t wanted = result ? s->homes.table[result] : NO_HOME;
    if (wanted != NO_HOME) {
        uint32_t donor = s->fn->donor[wanted - table_output(s->fn, 0)];
        value given = donor ? s->t->input.at[donor - 1].v : 0;
        bool begins = given == root && s->use[root] == 1 && is_only_operand(s, i, operand, root);
        if (wanted == home || !donor || s->use[given] == 0 || begins) {
            if (wanted == home) take_operand(s, i, operand, root);
            return true;
        }
    }
    bool is_slot = home != NO_HOME && home >= table_slot(s->fn, 0);
    bool taken = is_slot && take_operand(s, i, operand, root);
    if (result) {
        if (!taken) return take_slot(s, result);
        s->homes.table[result] = home;
        return true;
    }
    struct measure need = s->fn->measures.count[instr_at(s->t, root)->type];
    *spare = home;
    return taken || (measure_in_bytes(&need, (wg_dtype)type_of(s->t, root)->dtype, s->error) &&
                     slots_take(&s->slots, need, spare));
}

static bool store_spare(struct storer *s, value region, size_t carry, const struct instr *i,
                        size_t operand) {
    uint32_t home = NO_HOME;
    if (!store_following(s, i, operand, 0, &home)) return false;
    struct spare *new = VEC_PUSH(&s->fn->allocator, &s->spare);
    if (!new) return no_memory(s);
    *new = (struct spare){region, carry, home};
    return true;
}

static bool store_region(struct storer *s, size_t index, value v) {
    const struct instr *i = instr_at(s->t, v);
    struct region r = region_open(s->t, i->op, i->attr);
    const uint32_t *follows = region_code(s->fn, v)->follows;
    value item[REGION_OPERANDS] = {0};
    if (!store_value(s, index, v)) return false;
    for (value one = s->l->next[v]; one; one = s->l->next[one])
        item[attr_words(s->t, instr_at(s->t, one)->attr)[0]] = one;
    for (size_t k = 0; k < r.items; k++) {
        bool in_place = follows[k] != FOLLOWS_NONE &&
                        type_of(s->t, args_of(s->t, i)[follows[k]])->rank > 0;
        bool ok = in_place && item[k] ? store_following(s, i, follows[k], item[k], NULL)
                  : in_place && k < r.carries ? store_spare(s, v, k, i, follows[k])
                  : item[k]                   ? store_value(s, index, item[k])
                                              : true;
        if (!ok) return false;
    }
    return true;
}

static bool store_operation(struct storer *s, size_t index, value v) {
    const struct instr *i = instr_at(s->t, v);
    if (op_def(i->op)->class == REGION) return store_region(s, index, v);
    bool in_place = op_def(i->op)->flags & OP_IN_PLACE && type_of(s->t, v)->rank > 0;
    return in_place ? store_following(s, i, 0, v, NULL) : store_value(s, index, v);
}

/* What only the item itself reads is free again behind it: buffers of rows, and results that no
 * other asks for. */
static bool end_value(struct storer *s, size_t item, value v) {
    (void)item;
    if (s->l->storage[v] == STORE_NONE) return true;
    return (s->l->storage[v] == STORE_FULL && s->use[v]) || give_back(s, v);
}

static bool store_item(struct storer *s, size_t index) {
    value operation = s->l->stages.at[s->l->items.at[index].stage].operation;
    size_t spare = s->spare.count;
    if (!list_reads(s, index)) return false;
    if (!(operation ? store_operation(s, index, operation)
                    : each_statement(s, index, store_value)))
        return false;
    for (size_t i = 0; i < s->reads.count; i++) {
        const struct reads *r = &s->reads.at[i];
        if (--s->use[r->root] == 0 && !r->taken && !give_back(s, r->root)) return false;
    }
    for (size_t i = spare; i < s->spare.count; i++) {
        uint32_t slot = s->spare.at[i].home - (uint32_t)table_slot(s->fn, 0);
        slots_free(&s->slots, slot);
    }
    if (!operation) return each_statement(s, index, end_value);
    for (value v = operation; v; v = s->l->next[v])
        if (!end_value(s, index, v)) return false;
    return true;
}

/* ---- before the first item, and behind the last ---------------------------------------------- */

static void place_given(struct storer *s) {
    for (value v = 1; v < s->l->count; v++) {
        const struct instr *i = instr_at(s->t, v);
        if (i->op == OP_input) s->homes.table[v] = (uint32_t)attr_words(s->t, i->attr)[0];
        if (i->op == OP_data)
            s->homes.table[v] = (uint32_t)table_blob(s->fn, (size_t)attr_words(s->t, i->attr)[0]);
    }
}

/* Tensors that are outputs are made there; a value that is two, in the first. */
static void place_outputs(struct storer *s) {
    for (size_t i = 0; i < s->t->output.count; i++) {
        value root = storage_root(s->l, s->t->output.at[i].v);
        if (s->l->role[root] != ROLE_GIVEN && type_of(s->t, root)->rank > 0 &&
            s->homes.table[root] == NO_HOME)
            s->homes.table[root] = (uint32_t)table_output(s->fn, i);
    }
}

/* Gives v's place in an output to an operand that dies there, and that v may replace. */
static bool lend_output(struct storer *s, size_t item, value v) {
    struct lowered *l = s->l;
    uint32_t home = s->homes.table[v];
    if (l->role[v] != ROLE_POINT || home == NO_HOME || l->storage[v] != STORE_FULL) return true;
    for (size_t i = 0; i < s->reads.count; i++) {
        struct reads *r = &s->reads.at[i];
        if (!r->plain || r->taken || r->order > l->passes.at[l->pass[v]].order ||
            l->role[r->root] == ROLE_GIVEN || s->homes.table[r->root] != NO_HOME ||
            instr_at(s->t, r->root)->type != instr_at(s->t, v)->type ||
            s->last[r->root] != item + 1)
            continue;
        r->taken = true;
        s->homes.table[r->root] = home;
        break;
    }
    return true;
}

/* The same for what a result is made in the place of. */
static void lend_to_operand(struct storer *s, size_t item, const struct instr *i, size_t operand,
                            value result) {
    value root = storage_root(s->l, args_of(s->t, i)[operand]);
    if (s->homes.table[result] != NO_HOME && type_of(s->t, root)->rank > 0 &&
        s->l->role[root] != ROLE_GIVEN && s->homes.table[root] == NO_HOME &&
        s->last[root] == item + 1 && is_only_operand(s, i, operand, root))
        s->homes.table[root] = s->homes.table[result];
}

static void lend_to_operands(struct storer *s, size_t item, value operation) {
    const struct instr *i = instr_at(s->t, operation);
    if (op_def(i->op)->flags & OP_IN_PLACE) lend_to_operand(s, item, i, 0, operation);
    if (op_def(i->op)->class != REGION) return;
    const uint32_t *follows = region_code(s->fn, operation)->follows;
    for (value v = s->l->next[operation]; v; v = s->l->next[v]) {
        uint32_t operand = follows[attr_words(s->t, instr_at(s->t, v)->attr)[0]];
        if (operand != FOLLOWS_NONE) lend_to_operand(s, item, i, operand, v);
    }
}

/* A value may wait in the buffer of the output that takes its place in the end: then nothing else
 * is written on the way. The last items first, so that chains of such values follow. */
static bool place_forerunners(struct storer *s) {
    struct lowered *l = s->l;
    for (size_t i = l->items.count; i-- > 0;) {
        value operation = l->stages.at[l->items.at[i].stage].operation;
        if (operation) lend_to_operands(s, i, operation);
        if (operation) continue;
        if (!list_reads(s, i) || !each_statement(s, i, lend_output)) return false;
    }
    memset(s->seen, 0, l->count * sizeof *s->seen);
    return true;
}

static bool is_donor(const struct storer *s, value root, uint32_t except) {
    for (size_t i = 0; i < s->t->output.count; i++)
        if (s->fn->donor[i] && s->fn->donor[i] != except &&
            s->t->input.at[s->fn->donor[i] - 1].v == root)
            return true;
    return false;
}

/* Outputs that are not in place; those with a donor last, when everybody has read it, and what
 * another donated output will overwrite is saved first. */
static bool list_copies(struct storer *s) {
    for (int donated = 0; donated < 2; donated++) {
        for (size_t i = 0; i < s->t->output.count; i++) {
            uint32_t donor = s->fn->donor[i], to = (uint32_t)table_output(s->fn, i);
            value root = storage_root(s->l, s->t->output.at[i].v);
            if (s->homes.table[root] == to || (donor != 0) != donated) continue;
            struct output_copy *copy = VEC_PUSH(&s->fn->allocator, &s->copy);
            if (!copy) return no_memory(s);
            *copy = (struct output_copy){to, root, NO_HOME, is_copied_first(s->fn, i)};
            if (!donor || !is_donor(s, root, donor)) continue;
            uint32_t home = s->homes.table[root];
            if (!take_slot(s, root)) return false;
            copy->save = s->homes.table[root];
            s->homes.table[root] = home;
        }
    }
    return true;
}

/* ---- operations ------------------------------------------------------------------------------ */

/* The step of an operation: its number is the lowered step's, its operands the homes. */
static place home_of(const struct storer *s, value root) {
    if (s->homes.cell[root] != NO_HOME) return place_of(CELL, s->homes.cell[root]);
    if (s->homes.table[root] != NO_HOME) return place_of(TABLE, s->homes.table[root]);
    return place_of(POOL, 0);
}

static bool add_operand(struct storer *s, value root) {
    struct wg_function *fn = s->fn;
    const struct instr *i = instr_at(s->t, root);
    place *new = VEC_PUSH(&fn->allocator, &fn->operand);
    if (!new) return no_memory(s);
    *new = home_of(s, root);
    if (i->op != OP_constant) return true;
    int64_t *bits = VEC_PUSH(&fn->allocator, &fn->pool);
    if (!bits) return no_memory(s);
    *bits = attr_words(s->t, i->attr)[0];
    *new = place_of(POOL, fn->pool.count - 1);
    return true;
}

static bool add_step(struct storer *s, enum step_kind kind, value v) {
    struct wg_function *fn = s->fn;
    struct step *step = VEC_PUSH(&fn->allocator, &fn->step);
    if (!step) return no_memory(s);
    *step = (struct step){kind, (uint32_t)fn->operand.count, v};
    if (!v) return true;
    const struct instr *i = instr_at(s->t, v);
    if (!add_operand(s, v)) return false;
    for (size_t k = 0; k < i->narg; k++) {
        bool placed = kind == STEP_OPERATION && i->op == OP_concat && place_of_part(s->l, v, k);
        value from = placed ? v : storage_root(s->l, args_of(s->t, i)[k]);
        if (!add_operand(s, from)) return false;
    }
    return true;
}

/* A step a stage, then one a check. */
static bool list_operations(struct storer *s) {
    for (size_t i = 0; i < s->l->stages.count; i++)
        if (!add_step(s, STEP_OPERATION, s->l->stages.at[i].operation)) return false;
    for (size_t i = 0; i < s->l->checks.count; i++)
        if (!add_step(s, STEP_CHECK, s->l->checks.at[i].by)) return false;
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool store_all(struct storer *s) {
    size_t bytes = s->l->count * sizeof(uint32_t);
    memset(s->homes.table, 0xff, bytes);
    memset(s->homes.cell, 0xff, bytes);
    place_given(s);
    place_outputs(s);
    if (!count_uses(s) || !place_forerunners(s)) return false;
    for (size_t i = 0; i < s->l->items.count; i++)
        if (!store_item(s, i)) return false;
    return list_copies(s) && list_operations(s);
}

/* Gives everything its storage in fn, and hands that over to be written. */
static bool plan_and_write(struct wg_function *fn, struct lowered *l, struct writing *writing,
                           native_writer *write, void *context, wg_error *error) {
    const wg_allocator *a = &fn->allocator;
    size_t bytes = l->count * sizeof(uint32_t);
    struct storer s = {.fn = fn,
                       .t = &fn->program->t,
                       .l = l,
                       .error = error,
                       .slots = {.fn = fn, .error = error}};
    s.use = mem_alloc_zero(a, bytes);
    s.seen = mem_alloc_zero(a, bytes);
    s.found = mem_alloc_zero(a, bytes);
    s.last = mem_alloc_zero(a, bytes);
    s.begun = mem_alloc_zero(a, l->count);
    s.homes.table = mem_alloc(a, bytes);
    s.homes.cell = mem_alloc(a, bytes);
    bool ok = s.use && s.seen && s.found && s.last && s.begun && s.homes.table && s.homes.cell;
    if (!ok) fail_memory(error);
    ok = ok && store_all(&s);
    writing->homes = &s.homes;
    writing->copy = s.copy.at;
    writing->copy_count = s.copy.count;
    writing->spare = s.spare.at;
    writing->spare_count = s.spare.count;
    ok = ok && write(writing, context, error);
    mem_free(a, s.use, bytes);
    mem_free(a, s.seen, bytes);
    mem_free(a, s.found, bytes);
    mem_free(a, s.last, bytes);
    mem_free(a, s.begun, l->count);
    mem_free(a, s.homes.table, bytes);
    mem_free(a, s.homes.cell, bytes);
    VEC_FREE(a, &s.reads);
    slots_end(&s.slots);
    VEC_FREE(a, &s.copy);
    VEC_FREE(a, &s.spare);
    return ok;
}

bool native_plan(struct wg_function *fn, struct native_bodies *bodies, native_writer *write,
                 void *context, wg_error *error) {
    struct lowered l = {0};
    struct body_list list;
    value *sequence = NULL;
    bool *taken = NULL;
    size_t count = fn->program->t.instr.count - 1;
    bool ok = write_bodies(fn, bodies, &list, error);
    if (ok && !make_sequence(fn, true, &sequence, &taken)) ok = !fail_memory(error);
    ok = ok && lower(fn->program, sequence, taken, &l, error);
    mem_free(&fn->allocator, sequence, count * sizeof *sequence);
    mem_free(&fn->allocator, taken, count);
    struct writing writing = {.lowered = &l,
                              .body = list.body,
                              .body_count = list.count,
                              .before = bodies->text->data,
                              .threads = fn->threads > 0};
    fn->has_cells = ok && has_cells(&l);
    if (ok && bodies->around && !find_ahead(&writing, bodies->around, bodies->ahead))
        ok = !fail_memory(error);
    ok = ok && plan_and_write(fn, &l, &writing, write, context, error);
    VEC_FREE(&fn->allocator, &writing.left_out);
    lowered_free(&l);
    body_list_free(fn, &list);
    return ok;
}

static bool write_text(const struct writing *writing, void *text, wg_error *error) {
    return write_c(writing, text, error);
}

bool native_write(struct wg_function *fn, wg_text *text, wg_error *error) {
    wg_text before = {.allocator = fn->allocator};
    struct native_bodies bodies = {"body", "body", true, false, &before, fn, NULL, NULL};
    bool ok = native_plan(fn, &bodies, write_text, text, error);
    wg_text_free(&before);
    return ok;
}

static bool build(struct wg_function *fn, const wg_text *text, const struct flags_wanted *wanted,
                  wg_error *error) {
    static const char *const library[] = {"-lm", NULL};
    /* Not fn's, which another thread may be using. */
    wg_allocator allocator = standard_allocator();
    fn->log.allocator = allocator;
    enum { PATIENCE = 30, BYTES_A_SECOND = 50000 }; /* on a machine that has other work too */
    double seconds = PATIENCE + (double)text->size / BYTES_A_SECOND;
    struct toolchain_options o = {.libraries = library, .seconds = seconds};
    struct flags flags;
    if (!flags_make(&flags, wanted, &o, error) ||
        !toolchain_load(&allocator, &o, text->data, text->size, &fn->library, &fn->log, error))
        return false;
    fn->code = toolchain_symbol(&fn->library, "wg_program");
    if (fn->code) return true;
    toolchain_unload(&fn->library);
    return !fail_with(error, WG_ENATIVE, "what the compiler made has no function wg_program");
}

/* A compiler that does not know OpenMP takes the same text for one thread's. */
bool native_load(struct wg_function *fn, const wg_text *text, const char *flags, wg_error *error) {
    bool is_long = strstr(text->data, "part1(") != NULL;
    struct flags_wanted wanted = {flags, is_long, fn->threads > 0};
    wg_error why = {0};
    if (build(fn, text, &wanted, &why)) return true;
    if (wanted.threads) {
        wanted.threads = false;
        if (build(fn, text, &wanted, error)) {
            function_note(fn, "one thread only: ", &why);
            return true;
        }
    }
    if (error && !failed(error)) *error = why;
    return false;
}

static int run_step(void *call, uint32_t step) { return (int)call_operation(call, step); }

wg_status native_call(const struct call *c, const int64_t *size) {
    struct native_frame {
        void *call;
        int (*operation)(void *call, uint32_t step);
        char *const *table;
        void *cell;
        const int64_t *size;
        int threads;
        int (*inside)(void *call, uint32_t body, uint32_t operation, int check, void *const *at,
                      const int64_t *size);
        void *inner;
    } frame = {(void *)(uintptr_t)c, run_step, c->table, c->base[CELL], size, c->fn->threads,
               call_inside, c->inner};
    int (*code)(const struct native_frame *);
    memcpy(&code, &c->fn->code, sizeof code);
    return (wg_status)code(&frame);
}
