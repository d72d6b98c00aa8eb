/* What a call writes, counted: for tests that hold loops to their promise not to copy what they
 * update. Each run of a function's steps adds what they write once; bodies of regions add their
 * own, and region.c what a loop begins with in another place than it lies. */
#include "run/run.h"

static int64_t bytes_of_type(const struct call *c, type_id id) {
    const wg_type *type = type_at(&c->fn->program->t, id);
    return c->shape[id].count * (int64_t)wg_dtype_size((wg_dtype)type->dtype);
}

static int64_t bytes_of_group(const struct call *c, const struct group *group) {
    int64_t width = 0;
    for (uint32_t k = 0; k < group->count; k++) width += c->fn->lane.at[group->lane + k].width[0];
    return width * c->shape[group->type].count;
}

static bool are_same(const struct call *c, place a, place b) {
    bool tables = place_kind(a) == TABLE && place_kind(b) == TABLE;
    return a == b || (tables && c->table[place_index(a)] == c->table[place_index(b)]);
}

static int64_t bytes_of_operation(const struct call *c, const place *operand, value v) {
    const struct trace *t = &c->fn->program->t;
    const struct instr *i = instr_at(t, v);
    bool in_place = op_def(i->op)->flags & OP_IN_PLACE && are_same(c, operand[0], operand[1]);
    return bytes_of_type(c, in_place ? instr_at(t, args_of(t, i)[1])->type : i->type);
}

static int64_t bytes_of_copies(const struct call *c, const struct copy *copy, size_t count) {
    int64_t bytes = 0;
    for (size_t k = 0; k < count; k++)
        if (!are_same(c, copy[k].to, copy[k].from)) bytes += bytes_of_type(c, copy[k].type);
    return bytes;
}

int64_t bytes_moved(const struct call *c) {
    const struct wg_function *fn = c->fn;
    int64_t bytes = 0;
    for (size_t k = 0; k < fn->step.count; k++) {
        const struct step *s = &fn->step.at[k];
        switch (s->kind) {
        case STEP_SCALARS: bytes += (int64_t)(s->count * CELL_SIZE); break;
        case STEP_GROUP: bytes += bytes_of_group(c, &fn->group.at[s->first]); break;
        case STEP_OPERATION:
            bytes += bytes_of_operation(c, fn->operand.at + s->first, s->count);
            break;
        case STEP_COPIES: bytes += bytes_of_copies(c, fn->copy.at + s->first, s->count); break;
        case STEP_REGION:
        case STEP_CHECK: break;
        }
    }
    return bytes;
}
