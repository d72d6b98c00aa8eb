/* From the trace, in an order that lets updates happen in place, to steps. Elementwise instructions
 * on scalars gather in scalar code, those on tensors in groups that will run block by block; every
 * other operation is a step of its own. Reshapes are only names; broadcasts are made inside the
 * groups that read them, and become a step where something else does.
 *
 * A value may join a step of its domain wherever that stands, if all that it reads is there by
 * then: values never change, so computing one earlier is always right. A step may move to the end
 * as long as no other step reads from it. One forward walk; where values are stored is plan.c's
 * matter. */
#include "native/lower.h"
#include "op/region.h"
#include "run/run.h"

struct scheduler {
    const struct wg_function *fn;
    const struct trace *t;
    struct schedule *s;
    uint32_t *open;       /* of each domain: the group that may still grow; 0: none */
    uint32_t scalars;     /* the same for scalar code */
    uint32_t last_tensor; /* the last step that is not scalar code */
    uint32_t clock;
};

elementwise_kernel *kernel_of(const struct trace *t, const struct instr *i) {
    if (i->narg == 0 || i->narg > 3 || i->op == OP_copy) return NULL;
    return op_kernel(i->op, type_of(t, args_of(t, i)[i->narg - 1])->dtype,
                     type_at(t, i->type)->dtype);
}

static bool is_scalar(const struct scheduler *c, value v) { return type_of(c->t, v)->rank == 0; }

static enum making making_of(const struct scheduler *c, value v) {
    const struct instr *i = instr_at(c->t, v);
    const value *arg = args_of(c->t, i);
    /* scalars live in cells, and a cell can stand for a tensor, not the reverse */
    if (op_def(i->op)->flags & OP_ALIAS)
        return is_scalar(c, v) && !is_scalar(c, c->s->root[arg[0]]) ? ALONE : ALIAS;
    switch (i->op) {
    case OP_item:
        return attr_words(c->t, i->attr)[0] == REGION_COUNT ? ALIAS : RESULT;
    case OP_input:
    case OP_constant:
    case OP_data: return GIVEN;
    case OP_broadcast: return is_scalar(c, v) ? ALONE : FILL;
    default: return kernel_of(c->t, i) ? MEMBER : ALONE;
    }
}

static uint32_t new_phase(struct scheduler *c, enum step_kind kind) {
    if (!VEC_RESERVE(&c->fn->allocator, &c->s->step, c->s->step.count + 1)) return 0;
    c->s->step.at[c->s->step.count] = (struct phase){.kind = kind, .position = ++c->clock};
    return (uint32_t)c->s->step.count++;
}

static void append(struct scheduler *c, uint32_t phase, value v) {
    struct phase *p = &c->s->step.at[phase];
    if (p->last)
        c->s->next[p->last] = v;
    else
        p->first = v;
    p->last = v;
    c->s->phase[v] = phase;
    if (p->kind != STEP_SCALARS) c->last_tensor = phase;
}

value source_of(const struct schedule *s, const struct trace *t, value v, bool *fill) {
    value root = s->root[v];
    *fill = s->making[root] == FILL;
    return *fill ? s->root[args_of(t, instr_at(t, root))[0]] : root;
}

/* A step that reads what another will overwrite stays where it is, too. */
static void consume(struct scheduler *c, value root, uint32_t by) {
    uint32_t phase = c->s->phase[root];
    if (c->s->taken && root && c->s->taken[root - 1]) c->s->step.at[by].consumed = true;
    if (phase && phase != by) c->s->step.at[phase].consumed = true;
}

/* A value that is needed as a whole: a fill gets a step of its own now. */
static bool need_whole(struct scheduler *c, value v) {
    value root = c->s->root[v];
    if (c->s->making[root] != FILL || c->s->phase[root]) return true;
    uint32_t phase = new_phase(c, STEP_OPERATION);
    if (!phase) return false;
    append(c, phase, root);
    consume(c, c->s->root[args_of(c->t, instr_at(c->t, root))[0]], phase);
    return true;
}

static bool place_alone(struct scheduler *c, value v) {
    const struct instr *i = instr_at(c->t, v);
    const value *arg = args_of(c->t, i);
    for (size_t k = 0; k < i->narg; k++)
        if (!need_whole(c, arg[k])) return false;
    bool region = op_def(i->op)->class == REGION;
    uint32_t phase = new_phase(c, region ? STEP_REGION : STEP_OPERATION);
    if (!phase) return false;
    append(c, phase, v);
    for (size_t k = 0; k < i->narg; k++) consume(c, c->s->root[arg[k]], phase);
    return true;
}

/* Whether v can be a member of the step, which may have to move to the end for that. */
static bool can_join(struct scheduler *c, uint32_t phase, value v) {
    const struct schedule *s = c->s;
    const struct instr *i = instr_at(c->t, v);
    struct phase *p = &s->step.at[phase];
    uint32_t ready = 0; /* when all that v reads from other steps is there */
    bool uses = false;  /* whether v reads from the step itself */
    for (size_t k = 0; k < i->narg; k++) {
        bool fill;
        value from = source_of(s, c->t, args_of(c->t, i)[k], &fill);
        if (s->phase[from] != phase) {
            uint32_t position = s->step.at[s->phase[from]].position;
            if (position > ready) ready = position;
        } else if (fill) {
            return false; /* a fill reads other elements than those of its block */
        } else {
            uses = true;
        }
    }
    bool in_time = ready < p->position;
    if (in_time && (p->kind == STEP_SCALARS || c->last_tensor == phase)) return true;
    /* Behind other steps that read from it, a group saves one read of a value that has storage
     * anyway, and costs the life of another tensor from here to its place in the trace. */
    if (!uses || p->consumed) return false;
    if (in_time) return true;
    p->position = ++c->clock;
    return true;
}

static bool place_member(struct scheduler *c, value v) {
    bool scalar = is_scalar(c, v);
    type_id type = instr_at(c->t, v)->type;
    uint32_t *open = scalar ? &c->scalars : &c->open[c->fn->measures.domain[type]];
    if (!*open || !can_join(c, *open, v)) {
        *open = new_phase(c, scalar ? STEP_SCALARS : STEP_GROUP);
        if (!*open) return false;
    }
    append(c, *open, v);
    const struct instr *i = instr_at(c->t, v);
    for (size_t k = 0; k < i->narg; k++) {
        bool fill;
        consume(c, source_of(c->s, c->t, args_of(c->t, i)[k], &fill), *open);
    }
    return true;
}

static bool place_value(struct scheduler *c, value v) {
    struct schedule *s = c->s;
    const value *arg = args_of(c->t, instr_at(c->t, v));
    s->root[v] = v;
    s->making[v] = (uint8_t)making_of(c, v);
    switch ((enum making)s->making[v]) {
    case GIVEN: return true;
    case RESULT: append(c, s->phase[arg[0]], v); return true;
    case ALIAS: s->root[v] = s->root[arg[0]]; return true;
    case FILL: return need_whole(c, arg[0]); /* a broadcast of a broadcast reads the first one */
    case MEMBER: return place_member(c, v);
    case ALONE: return place_alone(c, v);
    }
    return false;
}

static bool sort(const struct scheduler *c) {
    struct schedule *s = c->s;
    s->order_count = (size_t)c->clock + 1;
    s->order = mem_alloc_zero(&c->fn->allocator, s->order_count * sizeof *s->order);
    if (!s->order) return false;
    for (uint32_t i = 1; i < s->step.count; i++) s->order[s->step.at[i].position] = i;
    return true;
}

bool is_copied_first(const struct wg_function *fn, size_t output) {
    const struct trace *t = &fn->program->t;
    value v = t->output.at[output].v;
    while (is_only_a_name(t, v)) v = args_of(t, instr_at(t, v))[0];
    if (!value_is_input(t, v) || type_of(t, v)->rank == 0 || fn->donor[output]) return false;
    for (size_t i = 0; i < t->output.count; i++)
        if (fn->donor[i] && t->input.at[fn->donor[i] - 1].v == v) return true;
    return false;
}

bool make_sequence(const struct wg_function *fn, bool native, value **sequence, bool **taken) {
    const struct trace *t = &fn->program->t;
    size_t count = t->instr.count;
    bool *fixed = mem_alloc_zero(&fn->allocator, count);
    if (!fixed) return false;
    for (size_t i = 0; i < t->input.count; i++) fixed[t->input.at[i].v] = true;
    for (size_t i = 0; i < t->output.count; i++)
        if (fn->donor[i]) fixed[t->input.at[fn->donor[i] - 1].v] = false;
    for (size_t i = 0; i < t->output.count; i++)
        if (!native || !is_copied_first(fn, i)) fixed[t->output.at[i].v] = true;
    bool ok = in_place_sequence(t, 1, (value)count, fixed + 1, sequence, taken);
    mem_free(&fn->allocator, fixed, count);
    return ok;
}

bool schedule_make(const struct wg_function *fn, struct schedule *s, wg_error *error) {
    const struct trace *t = &fn->program->t;
    const wg_allocator *a = &fn->allocator;
    struct scheduler c = {.fn = fn, .t = t, .s = s};
    size_t domains = fn->measures.key.count;
    *s = (struct schedule){.count = t->instr.count};
    s->making = mem_alloc_zero(a, s->count * sizeof *s->making);
    s->root = mem_alloc_zero(a, s->count * sizeof *s->root);
    s->next = mem_alloc_zero(a, s->count * sizeof *s->next);
    s->phase = mem_alloc_zero(a, s->count * sizeof *s->phase);
    c.open = mem_alloc_zero(a, domains * sizeof *c.open);
    struct phase *before = VEC_PUSH(a, &s->step);
    bool ok = s->making && s->root && s->next && s->phase && c.open && before &&
              make_sequence(fn, false, &s->sequence, &s->taken);
    if (ok) *before = (struct phase){0};
    for (value v = 1; ok && v < t->instr.count; v++)
        ok = place_value(&c, s->sequence ? s->sequence[v - 1] : v);
    for (size_t i = 0; ok && i < t->output.count; i++) ok = need_whole(&c, t->output.at[i].v);
    ok = ok && sort(&c);
    mem_free(a, c.open, domains * sizeof *c.open);
    if (!ok) fail_memory(error);
    return ok;
}

void schedule_free(const struct wg_function *fn, struct schedule *s) {
    const wg_allocator *a = &fn->allocator;
    mem_free(a, s->making, s->count * sizeof *s->making);
    mem_free(a, s->root, s->count * sizeof *s->root);
    mem_free(a, s->next, s->count * sizeof *s->next);
    mem_free(a, s->phase, s->count * sizeof *s->phase);
    mem_free(a, s->order, s->order_count * sizeof *s->order);
    mem_free(a, s->sequence, (s->count - 1) * sizeof *s->sequence);
    mem_free(a, s->taken, s->count - 1);
    VEC_FREE(a, &s->step);
}
