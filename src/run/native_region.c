/* Native code for loops and branches: their bodies are planned as programs of their own and written
 * as functions in front of the program's, which calls them. A body has one workspace, laid out as
 * that of shipped C is; bodies run one at a time, so that one piece of memory serves all of a
 * program, and those inside a body lie behind what it has itself. What no nest does, the library
 * does, called back with addresses and sizes. */
#include "native/write.h"
#include "op/region.h"
#include "run/run.h"

#include <stdio.h>

enum {
    MAX_EXTENTS = 256, /* of a body that the library's operations are called from */
    MAX_OPERANDS = UINT8_MAX,
    LONG_WAY = 60 /* letters behind the program's name */
};

/* ---- bodies as functions --------------------------------------------------------------------- */

struct wg_function *native_body(const wg_program *program, const bool *unread,
                                const uint32_t *donor, wg_error *error) {
    struct wg_function *fn = function_prepare(program, NULL, NATIVE_BODY, unread, error);
    size_t at = 0;
    for (size_t k = 0; fn && donor && k < program->t.output.count; k++) {
        if (unread && unread[k]) continue;
        value y = fn->program->t.output.at[at].v;
        fn->donor[at++] = type_of(&fn->program->t, y)->rank > 0 ? donor[k] : 0;
    }
    return fn;
}

/* ---- shipping -------------------------------------------------------------------------------- */

bool ship_function(const struct wg_function *fn, const struct writing *writing,
                   const struct ship_wanted *wanted, wg_text *code, wg_text *header,
                   struct shipped_work *work, wg_error *error) {
    const struct measures *m = &fn->measures;
    size_t bytes = (fn->slot.count + 1) * sizeof(struct ship_slot);
    struct ship_slot *slot = mem_alloc(&fn->allocator, bytes);
    if (!slot) return fail_memory(error), false;
    for (size_t i = 0; i < fn->slot.count; i++) {
        struct span part = m->key.at[fn->slot.at[i].part];
        slot[i] = (struct ship_slot){fn->slot.at[i].factor, m->extent.at + part.at, part.count};
    }
    struct shipping s = {.name = wanted->name,
                         .kind = wanted->kind,
                         .cblas = wanted->cblas,
                         .number = wanted->number,
                         .donor = wanted->kind == SHIP_PROGRAM || wanted->kind == SHIP_CORE
                                      ? NULL : fn->donor,
                         .outputs = (uint32_t)table_output(fn, 0),
                         .constants = (uint32_t)table_blob(fn, 0),
                         .slots = (uint32_t)table_slot(fn, 0),
                         .slot = slot,
                         .slot_count = fn->slot.count,
                         .cell_count = fn->cell_count};
    bool ok = ship_program(writing, &s, code, header, error);
    if (work) work->bytes = ship_work(writing, &s, &work->named);
    mem_free(&fn->allocator, slot, bytes);
    return ok;
}

/* ---- writing bodies -------------------------------------------------------------------------- */

struct body_job {
    struct native_bodies *bodies;
    struct wg_function *fn;
    const char *name;
    struct shipped_work work;
};

static bool ship_body(const struct writing *writing, void *context, wg_error *error) {
    struct body_job *job = context;
    struct native_bodies *b = job->bodies;
    struct ship_wanted wanted = {job->name, b->called ? CALLED_BODY : SHIP_BODY, b->cblas,
                                 job->fn->number};
    bool ok = ship_function(job->fn, writing, &wanted, b->text, NULL, &job->work, error);
    if (ok && !text_add(b->text, "\n")) fail_memory(error), ok = false;
    return ok;
}

/* The library knows it by a number. */
static bool register_body(struct native_bodies *b, struct wg_function *fn, wg_error *error) {
    struct wg_function **new = VEC_PUSH(&b->outermost->allocator, &b->outermost->inside);
    if (!new) return fail_memory(error), false;
    *new = fn;
    fn->number = (uint32_t)b->outermost->inside.count - 1;
    if (b->called && fn->program->t.extent.count > MAX_EXTENTS)
        return !fail_with(error, WG_ENATIVE, "a body of more than %d named extents", MAX_EXTENTS);
    return true;
}

static bool write_body(struct native_bodies *b, const struct trace *t, struct wg_function *fn,
                       const char *name, struct body_code *code, wg_error *error) {
    struct body_job job = {.bodies = b, .fn = fn, .name = name};
    struct native_bodies inner = *b;
    inner.name = name;
    if (!register_body(b, fn, error)) return false;
    struct around around = {t, code->region, fn->number};
    inner.around = &around;
    inner.ahead = code->ahead;
    if (!native_plan(fn, &inner, ship_body, &job, error)) return false;
    code->t = &fn->program->t;
    code->donor = fn->donor;
    code->work = job.work.bytes;
    code->named_work = job.work.named;
    return true;
}

/* By the way to it, or where that is long by its number. */
static void name_body(const struct native_bodies *b, const char *op, const struct region_code *r,
                      size_t k, char name[BODY_NAME]) {
    if (strlen(b->name) > strlen(b->whole) + LONG_WAY)
        snprintf(name, BODY_NAME, "%s_body%zu", b->whole, b->outermost->inside.count);
    else if (r->bodies > 1)
        snprintf(name, BODY_NAME, "%s_%s%u_%zu", b->name, op, r->v, k);
    else
        snprintf(name, BODY_NAME, "%s_%s%u", b->name, op, r->v);
}

bool write_bodies(struct wg_function *fn, struct native_bodies *b, struct body_list *list,
                  wg_error *error) {
    const wg_allocator *a = &fn->allocator;
    size_t count = 0, at = 0;
    for (size_t i = 0; i < fn->region.count; i++) count += fn->region.at[i].bodies;
    *list = (struct body_list){.count = count};
    if (count == 0) return true;
    list->body = mem_alloc_zero(a, count * sizeof *list->body);
    list->name = mem_alloc_zero(a, count * sizeof *list->name);
    list->ahead = mem_alloc_zero(a, count * sizeof *list->ahead);
    if (!list->body || !list->name || !list->ahead) return fail_memory(error), false;
    for (size_t i = 0; i < fn->region.count; i++) {
        const struct region_code *r = &fn->region.at[i];
        const char *op = op_def(instr_at(&fn->program->t, r->v)->op)->name;
        for (size_t k = 0; k < r->bodies; k++, at++) {
            char *name = list->name[at];
            name_body(b, op, r, k, name);
            list->body[at] = (struct body_code){.region = r->v,
                                                .which = k,
                                                .name = name,
                                                .ahead = &list->ahead[at],
                                                .unread = r->unread};
            if (!write_body(b, &fn->program->t, r->body[k], name, &list->body[at], error)) return false;
        }
    }
    return true;
}

void body_list_free(const struct wg_function *fn, struct body_list *list) {
    mem_free(&fn->allocator, list->body, list->count * sizeof *list->body);
    mem_free(&fn->allocator, list->name, list->count * sizeof *list->name);
    for (size_t k = 0; list->ahead && k < list->count; k++)
        ahead_free(&fn->allocator, &list->ahead[k]);
    mem_free(&fn->allocator, list->ahead, list->count * sizeof *list->ahead);
}

/* ---- workspaces ------------------------------------------------------------------------------ */

static size_t rounded(size_t bytes) {
    return (bytes + SHIP_ROUND - 1) / SHIP_ROUND * SHIP_ROUND;
}

static wg_status too_large(wg_error *error) {
    return fail_with(error, WG_EOVERFLOW,
                     "call: no memory holds the workspace of a loop or branch");
}

wg_status native_inner(const struct wg_function *fn, const int64_t *size, size_t *bytes,
                       wg_error *error) {
    const struct trace *t = &fn->program->t;
    int64_t of_body[MAX_SIZES];
    wg_status status = WG_OK;
    *bytes = 0;
    for (size_t i = 0; i < fn->region.count; i++) {
        const struct region_code *code = &fn->region.at[i];
        const struct instr *instr = instr_at(t, code->v);
        struct region r = region_open(t, instr->op, instr->attr);
        for (size_t k = 0; k < code->bodies && status == WG_OK; k++) {
            const struct wg_function *body = code->body[k];
            size_t inner = 0, own = 0;
            status = body_sizes(t, &r, k, size, of_body, error);
            if (status == WG_OK) status = check_sizes(body, of_body, error);
            if (status == WG_OK) status = native_inner(body, of_body, &inner, error);
            if (status) return status;
            if (body->has_cells) own = rounded(body->cell_count * CELL_SIZE);
            for (size_t j = 0; j < body->slot.count; j++) {
                size_t one;
                if (!measure_eval(body, body->slot.at[j], of_body, &one) ||
                    __builtin_add_overflow(own, rounded(one), &own))
                    return too_large(error);
            }
            if (__builtin_add_overflow(own, inner, &own)) return too_large(error);
            if (own > *bytes) *bytes = own;
        }
    }
    return status;
}

/* ---- the library's operations in bodies ------------------------------------------------------ */

int call_inside(void *call, uint32_t number, uint32_t operation, int check, void *const *at,
                const int64_t *size) {
    struct call c = *(const struct call *)call;
    const struct wg_function *fn = c.fn->inside.at[number];
    const struct trace *t = &fn->program->t;
    const struct instr *i = instr_at(t, operation);
    int64_t extent_value[MAX_EXTENTS];
    struct shape shape[1 + MAX_OPERANDS];
    struct view view[1 + MAX_OPERANDS];
    for (size_t k = 1; k < t->extent.count; k++)
        extent_eval(t, -(wg_extent)k, size, &extent_value[k]);
    for (size_t k = 0; k <= i->narg; k++) {
        const wg_type *type = type_of(t, k ? args_of(t, i)[k - 1] : operation);
        if (!type_eval(t, type, size, shape[k].extent, &shape[k].count))
            return (int)too_large(c.error);
        view[k] = (struct view){at[k], &shape[k], type->rank, type->dtype};
    }
    c.fn = fn;
    c.extent_value = extent_value;
    return (int)apply_operation(&c, operation, view, check != 0);
}
