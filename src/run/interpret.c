/* The interpreter: a call's steps, one after the other. All places were resolved when the function
 * was compiled and all shapes when the call began, so nothing here decides or allocates. Scalar
 * code is the tight loop of run_scalars; tensors of a group go through run_group block by block. */
#include "run/run.h"

#include <stdio.h>

static inline char *cell(const struct call *c, place p) {
    return c->base[place_kind(p)] + place_index(p) * CELL_SIZE;
}

static inline char *address(const struct call *c, place p) {
    return place_kind(p) == TABLE ? c->table[place_index(p)] : cell(c, p);
}

/* ---- scalar code ----------------------------------------------------------------------------- */

static void run_scalars(const struct call *c, const struct apply *a, size_t count) {
    for (const struct apply *end = a + count; a < end; a++) {
        const void *arg[3] = {cell(c, a->arg[0]), cell(c, a->arg[1]), cell(c, a->arg[2])};
        a->kernel(1, arg, cell(c, a->out));
    }
}

/* ---- blocks of broadcasts -------------------------------------------------------------------- */

/* count times the element at from. */
static void repeat(char *out, const char *from, size_t count, size_t width) {
    switch (width) {
    case 1: memset(out, *from, count); return;
    case 4: {
        uint32_t element;
        memcpy(&element, from, 4);
        for (size_t i = 0; i < count; i++) memcpy(out + 4 * i, &element, 4);
        return;
    }
    default: {
        uint64_t element;
        memcpy(&element, from, 8);
        for (size_t i = 0; i < count; i++) memcpy(out + 8 * i, &element, 8);
    }
    }
}

struct axes { /* of a broadcast: neighbours that are walked alike are one */
    size_t count;
    size_t extent[WG_MAX_RANK], stride[WG_MAX_RANK]; /* stride in x, in elements; 0: repeated */
};

static struct axes axes_of(const struct shape *x, const struct shape *y, size_t y_rank,
                           uint32_t mapped) {
    struct axes axes;
    size_t stride[WG_MAX_RANK], step = 1, k = 0;
    axes.count = 0;
    for (size_t i = 0; i < y_rank; i++) k += mapped >> i & 1;
    for (size_t i = y_rank; i-- > 0;) {
        stride[i] = 0;
        if (!(mapped >> i & 1)) continue;
        size_t extent = (size_t)x->extent[--k];
        if (extent == (size_t)y->extent[i]) stride[i] = step;
        step *= extent;
    }
    for (size_t i = 0; i < y_rank; i++) {
        size_t extent = (size_t)y->extent[i], n = axes.count;
        if (extent == 1) continue;
        if (n && axes.stride[n - 1] == stride[i] * extent) {
            axes.extent[n - 1] *= extent;
            axes.stride[n - 1] = stride[i];
        } else {
            axes.extent[n] = extent;
            axes.stride[n] = stride[i];
            axes.count++;
        }
    }
    return axes;
}

static struct axes axes_of_fill(const struct call *c, value broadcast) {
    const struct trace *t = &c->fn->program->t;
    const struct instr *i = instr_at(t, broadcast);
    type_id x = instr_at(t, args_of(t, i)[0])->type;
    return axes_of(&c->shape[x], &c->shape[i->type], type_at(t, i->type)->rank,
                   (uint32_t)attr_words(t, i->attr)[attr_count(t, i->attr) - 1]);
}

/* Where the elements begin .. begin+count-1 of the broadcast lie side by side in x; NULL if they do
 * not. */
static const char *stretch(const struct axes *axes, const char *from, size_t width, size_t begin,
                           size_t count) {
    size_t at = 0, last = axes->count - 1;
    if (axes->count == 0 || axes->stride[last] != 1 ||
        begin % axes->extent[last] + count > axes->extent[last])
        return NULL;
    for (size_t k = axes->count; k-- > 0; begin /= axes->extent[k])
        at += begin % axes->extent[k] * axes->stride[k];
    return from + at * width;
}

/* Elements begin .. begin+count-1 of the broadcast, in row-major order. */
static void fill(const struct axes *axes, const char *from, size_t width, size_t begin,
                 size_t count, char *out) {
    if (axes->count == 0) {
        repeat(out, from, count, width);
        return;
    }
    size_t index[WG_MAX_RANK], last = axes->count - 1, rest = begin;
    for (size_t k = axes->count; k-- > 0; rest /= axes->extent[k])
        index[k] = rest % axes->extent[k];
    while (count > 0) {
        size_t at = 0, run = axes->extent[last] - index[last];
        if (run > count) run = count;
        for (size_t k = 0; k < axes->count; k++) at += index[k] * axes->stride[k];
        if (axes->stride[last] == 0)
            repeat(out, from + at * width, run, width);
        else
            memcpy(out, from + at * width, run * width); /* the last axis of x: stride 1 */
        out += run * width;
        count -= run;
        index[last] = 0;
        for (size_t k = last; k-- > 0; index[k] = 0)
            if (++index[k] < axes->extent[k]) break;
    }
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* The first broadcasts of a group: how they are walked, and where the present block of each is read
 * in its source, instead of in the register that is planned for it; NULL: in the register. */
struct broadcasts {
    size_t count;
    struct {
        const struct lane *lane;
        struct axes axes;
        const char *at;
    } one[4];
};

static void find_broadcasts(const struct call *c, const struct lane *lane, size_t count,
                            struct broadcasts *b) {
    b->count = 0;
    for (size_t k = 0; k < count && b->count < sizeof b->one / sizeof *b->one; k++) {
        if (lane[k].apply.kernel) continue;
        b->one[b->count].lane = &lane[k];
        b->one[b->count].at = NULL;
        b->one[b->count++].axes = axes_of_fill(c, lane[k].fill);
    }
}

/* The length of rows where blocks end: a block within a row needs no copy of it. 1: anywhere, as
 * there are no such rows or they are short. */
static size_t row_of(const struct broadcasts *b) {
    enum { SHORT = 256 };
    const struct axes *axes = &b->one[0].axes;
    if (b->count == 0 || axes->count == 0 || axes->stride[axes->count - 1] != 1) return 1;
    size_t row = axes->extent[axes->count - 1];
    return row < SHORT ? 1 : row;
}

/* Where a lane's operand has the element `begin`: registers hold one block only. */
static inline char *element(const struct call *c, place p, size_t block, size_t begin,
                            size_t width) {
    if (place_kind(p) == REGISTER) return c->scratch + place_index(p) * block * CELL_SIZE;
    return address(c, p) + begin * width;
}

static inline const char *operand(const struct call *c, const struct broadcasts *b, place p,
                                  size_t block, size_t begin, size_t width) {
    for (size_t i = 0; i < b->count; i++)
        if (b->one[i].at && b->one[i].lane->apply.out == p) return b->one[i].at;
    return element(c, p, block, begin, width);
}

static void run_broadcast(const struct call *c, struct broadcasts *b, const struct lane *lane,
                          size_t begin, size_t count, char *out) {
    const char *from = address(c, lane->apply.arg[0]);
    size_t width = lane->width[0];
    for (size_t i = 0; i < b->count; i++) {
        if (b->one[i].lane != lane) continue;
        if (place_kind(lane->apply.out) == REGISTER)
            b->one[i].at = stretch(&b->one[i].axes, from, width, begin, count);
        if (!b->one[i].at) fill(&b->one[i].axes, from, width, begin, count, out);
        return;
    }
    struct axes axes = axes_of_fill(c, lane->fill);
    fill(&axes, from, width, begin, count, out);
}

static void run_lane(const struct call *c, struct broadcasts *b, const struct lane *lane,
                     size_t block, size_t begin, size_t count) {
    const struct apply *a = &lane->apply;
    char *out = element(c, a->out, block, begin, lane->width[0]);
    const void *arg[3];
    for (size_t k = 0; k < 3 && a->kernel; k++)
        arg[k] = operand(c, b, a->arg[k], block, begin, lane->width[1 + k]);
    for (size_t i = 0; i < b->count; i++) /* the register holds something else from here on */
        if (b->one[i].lane->apply.out == a->out) b->one[i].at = NULL;
    if (a->kernel)
        a->kernel(count, arg, out);
    else
        run_broadcast(c, b, lane, begin, count, out);
}

static void run_group(const struct call *c, const struct group *group) {
    const struct lane *lane = c->fn->lane.at + group->lane;
    size_t count = (size_t)c->shape[group->type].count;
    size_t block = group->block && group->block < count ? group->block : count;
    if (count == 0) return;
    for (size_t k = 0; k < group->splats; k++)
        repeat(element(c, lane[k].apply.out, block, 0, 0), address(c, lane[k].apply.arg[0]), block,
               lane[k].width[0]);
    struct broadcasts b;
    find_broadcasts(c, lane + group->splats, group->count - group->splats, &b);
    size_t row = row_of(&b);
    for (size_t begin = 0, some; begin < count; begin += some) {
        some = count - begin < block ? count - begin : block;
        if (row > 1 && some > row - begin % row) some = row - begin % row;
        for (size_t k = group->splats; k < group->count; k++)
            run_lane(c, &b, &lane[k], block, begin, some);
    }
}

/* ---- operations and copies ------------------------------------------------------------------- */

static struct view view(const struct call *c, value v, place p) {
    const struct trace *t = &c->fn->program->t;
    type_id id = instr_at(t, v)->type;
    const wg_type *type = type_at(t, id);
    return (struct view){address(c, p), &c->shape[id], type->rank, type->dtype};
}

static size_t bytes(const struct call *c, type_id id) {
    const wg_type *type = type_at(&c->fn->program->t, id);
    return (size_t)c->shape[id].count * wg_dtype_size((wg_dtype)type->dtype);
}

void site_head(const struct trace *t, uint32_t site, char *head, size_t size) {
    const struct site *s = &t->site.at[site];
    head[0] = 0;
    if (s->line == 0) return;
    const char *file = name_at(t, s->file), *slash = strrchr(file, '/');
    if (slash) file = slash + 1;
    if (s->column)
        snprintf(head, size, "%s:%u:%u: ", file, (unsigned)s->line, (unsigned)s->column);
    else
        snprintf(head, size, "%s:%u: ", file, (unsigned)s->line);
}

static wg_status run_operation(const struct call *c, const place *operand, value v, bool check) {
    const struct trace *t = &c->fn->program->t;
    const struct instr *i = instr_at(t, v);
    if (op_def(i->op)->flags & OP_ALIAS) { /* a scalar out of a tensor of one element */
        memmove(address(c, operand[0]), address(c, operand[1]), bytes(c, i->type));
        return WG_OK;
    }
    struct view all[1 + UINT8_MAX];
    all[0] = view(c, v, operand[0]);
    for (size_t k = 0; k < i->narg; k++) all[1 + k] = view(c, args_of(t, i)[k], operand[1 + k]);
    return apply_operation(c, v, all, check);
}

wg_status apply_operation(const struct call *c, value v, struct view *operand, bool check) {
    const struct trace *t = &c->fn->program->t;
    const struct instr *i = instr_at(t, v);
    wg_error error;
    error.status = WG_OK;
    struct exec e = {.arg = operand + 1,
                     .narg = i->narg,
                     .out = operand[0],
                     .attr = attr_words(t, i->attr),
                     .attr_count = attr_count(t, i->attr),
                     .extent_value = c->extent_value,
                     .trace = t,
                     .error = c->error ? &error : NULL};
    wg_status status = check ? op_def(i->op)->check(&e) : op_def(i->op)->run(&e);
    if (status == WG_OK || !c->error) return status;
    char head[256];
    site_head(t, i->site, head, sizeof head);
    return fail_with(c->error, status, "%s%s", head,
                     error.status ? error.message : wg_status_name(status));
}

static void run_copies(const struct call *c, const struct copy *copy, size_t count) {
    for (const struct copy *end = copy + count; copy < end; copy++) {
        size_t size = bytes(c, copy->type);
        char *to = address(c, copy->to), *from = address(c, copy->from);
        if (size && to != from) memcpy(to, from, size);
    }
}

wg_status call_operation(const struct call *c, uint32_t step) {
    const struct step *s = &c->fn->step.at[step];
    return run_operation(c, c->fn->operand.at + s->first, s->count, s->kind == STEP_CHECK);
}

wg_status interpret(const struct call *c) {
    const struct wg_function *fn = c->fn;
    wg_status status = WG_OK;
    if (c->moved) *c->moved += bytes_moved(c);
    for (size_t k = 0; k < fn->scalar_input.count; k++) {
        struct scalar_input in = fn->scalar_input.at[k];
        const wg_type *type = type_of(&fn->program->t, fn->program->t.input.at[in.input].v);
        memcpy(c->base[CELL] + in.cell * CELL_SIZE, c->table[in.input],
               wg_dtype_size((wg_dtype)type->dtype));
    }
    for (size_t k = 0; k < fn->step.count && status == WG_OK; k++) {
        const struct step *step = &fn->step.at[k];
        switch (step->kind) {
        case STEP_SCALARS: run_scalars(c, fn->scalar.at + step->first, step->count); break;
        case STEP_GROUP: run_group(c, fn->group.at + step->first); break;
        case STEP_REGION: status = run_region(c, step); break;
        case STEP_COPIES: run_copies(c, fn->copy.at + step->first, step->count); break;
        case STEP_OPERATION:
        case STEP_CHECK: status = call_operation(c, (uint32_t)k); break;
        }
    }
    return status;
}
