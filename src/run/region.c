/* How the interpreter runs loops and branches. A body is a function of its own, with a workspace
 * inside that of the function around it, laid out when the region begins and used by every
 * iteration. Bodies nest as deep as their programs do, at most MAX_RULE_DEPTH.
 *
 * Nothing is copied on the way: slices of stacks are read, and slices of results are written, where
 * they lie in the whole; what is carried stays in one place, since a body's carried outputs may
 * have the buffers of the inputs that they follow (plan.c). */
#include "op/region.h"
#include "run/run.h"

#define NO_PLACE UINT32_MAX /* of a result that nobody reads */

/* The workspaces of a loop's body and of its condition, and spare memory, lie one behind the
 * other. */
static size_t aligned(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

void regions_free(struct wg_function *fn) {
    for (size_t i = 0; i < fn->region.count; i++) {
        struct region_code *r = &fn->region.at[i];
        for (size_t k = 0; r->body && k < r->bodies; k++) wg_function_free(r->body[k]);
        mem_free(&fn->allocator, r->body, r->bodies * sizeof(struct wg_function *));
        if (r->unread) mem_free(&fn->allocator, r->unread, REGION_OPERANDS);
        mem_free(&fn->allocator, r->follows, (r->items + 1) * sizeof *r->follows);
    }
    VEC_FREE(&fn->allocator, &fn->region);
}

static size_t region_number(const struct wg_function *fn, value v) {
    size_t low = 0, high = fn->region.count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (fn->region.at[middle].v <= v) low = middle;
        else high = middle;
    }
    return low;
}

const struct region_code *region_code(const struct wg_function *fn, value v) {
    return &fn->region.at[region_number(fn, v)];
}

static bool find_followed(struct wg_function *fn, struct region_code *code,
                          const struct region *r) {
    const struct trace *t = &fn->program->t;
    code->items = r->items;
    code->follows = mem_alloc(&fn->allocator, (r->items + 1) * sizeof *code->follows);
    if (!code->follows) return false;
    region_follows(t, r, code->follows);
    /* An array of one element may be another name of a scalar, but is in another place. */
    const value *arg = args_of(t, instr_at(t, code->v));
    const struct trace *body = &region_body(t, r, 0)->body->t;
    for (size_t k = 0; k < r->items; k++) {
        uint32_t operand = code->follows[k];
        bool is_scalar = type_of(body, body->output.at[k].v)->rank == 0;
        if (operand != FOLLOWS_NONE && (type_of(t, arg[operand])->rank == 0) != is_scalar)
            code->follows[k] = FOLLOWS_NONE;
    }
    return true;
}

/* The bodies of one region. Native ones make only what somebody reads, or is carried. */
static bool make_bodies(struct wg_function *fn, struct region_code *code, wg_error *error) {
    const struct trace *t = &fn->program->t;
    const struct instr *i = instr_at(t, code->v);
    struct region r = region_open(t, i->op, i->attr);
    code->bodies = r.bodies;
    code->body = mem_alloc_zero(&fn->allocator, r.bodies * sizeof(struct wg_function *));
    if (!code->body || !find_followed(fn, code, &r)) return fail_memory(error), false;
    for (size_t k = 0; k < r.carries && fn->expanded; k++) code->unread[k] = false;
    uint32_t donor[REGION_OPERANDS]; /* operands behind the lead are inputs behind a loop's index */
    for (size_t k = 0; k < r.items; k++)
        donor[k] = code->follows[k] == FOLLOWS_NONE
                       ? 0 : 1 + code->follows[k] - (uint32_t)r.lead + (r.op == OP_loop);
    for (size_t k = 0; k < r.bodies; k++) {
        const wg_program *body = region_body(t, &r, k)->body;
        bool condition = r.op == OP_loop && k > 0;
        if (body->t.size.count > MAX_SIZES)
            return !fail_with(error, WG_EOVERFLOW,
                              "a body of %zu named sizes: at most %d can be run",
                              body->t.size.count, MAX_SIZES);
        const uint32_t *follows = condition ? NULL : donor;
        code->body[k] = fn->expanded
                            ? native_body(body, condition ? NULL : code->unread, follows, error)
                            : interpreted_body(body, fn, follows, error);
        if (!code->body[k]) return false;
    }
    return true;
}

static bool list_region(struct wg_function *fn, value v, wg_error *error) {
    struct region_code *code = VEC_PUSH(&fn->allocator, &fn->region);
    if (!code) return fail_memory(error), false;
    *code = (struct region_code){.v = v};
    code->unread = mem_alloc(&fn->allocator, REGION_OPERANDS);
    if (!code->unread) return fail_memory(error), false;
    memset(code->unread, true, REGION_OPERANDS);
    return true;
}

static void mark_read(struct wg_function *fn, value item) {
    const struct trace *t = &fn->program->t;
    const struct instr *i = instr_at(t, item);
    struct region_code *code = &fn->region.at[region_number(fn, args_of(t, i)[0])];
    int64_t k = attr_words(t, i->attr)[0];
    if (k != REGION_COUNT && code->unread) code->unread[k] = false;
}

bool regions_make(struct wg_function *fn, wg_error *error) {
    const struct trace *t = &fn->program->t;
    for (value v = 1; v < t->instr.count; v++) {
        unsigned op = instr_at(t, v)->op;
        if ((op == OP_loop || op == OP_branch) && !list_region(fn, v, error)) return false;
        if (op == OP_item) mark_read(fn, v);
    }
    for (size_t i = 0; i < fn->region.count; i++)
        if (!make_bodies(fn, &fn->region.at[i], error)) return false;
    return true;
}

wg_status body_sizes(const struct trace *t, const struct region *r, size_t k, const int64_t *size,
                     int64_t *of_body, wg_error *error) {
    const wg_extent *extent = region_sizes(t, r, k);
    size_t count = region_body(t, r, k)->body->t.size.count;
    for (size_t i = 0; i < count; i++)
        if (!extent_eval(t, extent[i], size, &of_body[i]))
            return fail_with(error, WG_EOVERFLOW,
                             "call: a size inside a loop or branch is negative or too large");
    return WG_OK;
}

/* The bytes of the body's output k under its sizes. */
static wg_status size_of_output(const struct wg_function *body, size_t k, const int64_t *size,
                                size_t *bytes, wg_error *error) {
    const struct trace *t = &body->program->t;
    int64_t shape[WG_MAX_RANK], count;
    const wg_type *type = type_of(t, t->output.at[k].v);
    if (!type_eval(t, type, size, shape, &count))
        return fail_with(error, WG_EOVERFLOW, "call: no memory holds a result of a loop or branch");
    *bytes = aligned((size_t)count * wg_dtype_size((wg_dtype)type->dtype));
    return WG_OK;
}

/* Room for the results that nobody reads: the body writes them all the same, slice over slice. */
static wg_status spare_bytes(const struct wg_function *body, const struct region_code *code,
                             const int64_t *size, size_t *bytes, wg_error *error) {
    *bytes = 0;
    wg_status status = WG_OK;
    for (size_t k = 0; k < code->items && status == WG_OK; k++) {
        size_t one = 0;
        if (!code->unread[k]) continue;
        status = size_of_output(body, k, size, &one, error);
        *bytes += one;
    }
    return status;
}

wg_status regions_size(const struct wg_function *fn, const int64_t *size, size_t *bytes,
                       wg_error *error) {
    const struct trace *t = &fn->program->t;
    wg_status status = WG_OK;
    int64_t of_body[MAX_SIZES];
    *bytes = 0;
    if (fn->expanded) return native_inner(fn, size, bytes, error);
    for (size_t i = 0; i < fn->region.count && status == WG_OK; i++) {
        const struct region_code *code = &fn->region.at[i];
        const struct instr *instr = instr_at(t, code->v);
        struct region r = region_open(t, instr->op, instr->attr);
        size_t all = 0, spare = 0;
        for (size_t k = 0; k < r.bodies && status == WG_OK; k++) {
            size_t one = 0;
            struct call c;
            status = body_sizes(t, &r, k, size, of_body, error);
            if (status == WG_OK) status = lay_out(code->body[k], of_body, NULL, &c, &one, error);
            one = aligned(one);
            if (r.op == OP_loop) all += one; /* two at most */
            else if (one > all) all = one;
            if (status == WG_OK && (k == 0 || r.op == OP_branch))
                status = spare_bytes(code->body[k], code, of_body, &one, error);
            if (one > spare) spare = one;
        }
        if (all + spare > *bytes) *bytes = all + spare;
    }
    return status;
}

/* ---- running --------------------------------------------------------------------------------- */

struct inner { /* a body in the course of a region */
    struct call call;
    int64_t size[MAX_SIZES];
};

static wg_status enter(const struct call *c, const struct region *r, const struct region_code *code,
                       size_t k, char *base, struct inner *inner, size_t *bytes) {
    const struct wg_function *fn = code->body[k];
    inner->call = (struct call){.fn = fn, .moved = c->moved, .error = c->error};
    inner->call.base[POOL] = (char *)fn->pool.at;
    wg_status status = body_sizes(&c->fn->program->t, r, k, c->size, inner->size, c->error);
    if (status == WG_OK)
        status = lay_out(fn, inner->size, base, &inner->call, bytes, c->error);
    if (status == WG_OK) take_blobs(&inner->call);
    return status;
}

static char *address_of(const struct call *c, place p) {
    return place_kind(p) == TABLE ? c->table[place_index(p)]
                                  : c->base[place_kind(p)] + place_index(p) * CELL_SIZE;
}

static size_t bytes_of(const struct call *c, value v) {
    type_id type = instr_at(&c->fn->program->t, v)->type;
    return (size_t)c->shape[type].count *
           wg_dtype_size((wg_dtype)type_at(&c->fn->program->t, type)->dtype);
}

/* The bytes of the body's output k. */
static size_t output_bytes(const struct call *body, size_t k) {
    return bytes_of(body, body->fn->program->t.output.at[k].v);
}

static size_t input_bytes(const struct call *body, size_t k) {
    return bytes_of(body, body->fn->program->t.input.at[k].v);
}

/* Where the results go, the body's outputs; those that nobody reads into spare memory. */
static void find_results(const struct call *c, const struct region *r, const place *operand,
                         const struct call *body, char *spare, char **result) {
    for (size_t k = 0; k < r->items; k++) {
        bool read = operand[1 + k] != NO_PLACE;
        result[k] = read ? address_of(c, operand[1 + k]) : spare;
        if (!read) spare += aligned(output_bytes(body, k));
    }
}

/* Entries of the tables that do not change from one iteration to the next. */
static void connect(const struct call *c, const struct region *r, const place *operand,
                    char *const *result, int64_t *index, struct call *body, bool is_body) {
    const place *arg = operand + 1 + r->items + r->lead;
    char **in = body->table, **out = body->table + table_output(body->fn, 0);
    *in++ = (char *)index;
    for (size_t k = 0; k < r->captures; k++) *in++ = address_of(c, arg[k]);
    for (size_t k = 0; k < r->carries; k++) {
        *in++ = result[k];
        if (is_body) out[k] = in[-1];
    }
}

static wg_status run_loop(const struct call *c, const struct region_code *code,
                          const struct region *r, const place *operand) {
    const struct trace *t = &c->fn->program->t;
    const place *arg = operand + 1 + r->items;
    int64_t length = 0, index = 0, ran = 0;
    if (!extent_eval(t, r->length, c->size, &length))
        return fail_with(c->error, WG_EOVERFLOW, "call: the length of a loop is negative");
    int64_t count = length;
    if (r->lead) memcpy(&count, address_of(c, arg[0]), sizeof count);
    if (count > length) count = length;
    struct inner body, condition;
    size_t bytes = 0, more = 0;
    wg_status status = enter(c, r, code, 0, c->inner, &body, &bytes);
    if (status == WG_OK && r->bodies > 1)
        status = enter(c, r, code, 1, c->inner + aligned(bytes), &condition, &more);
    if (status) return status;
    char *result[REGION_OPERANDS];
    find_results(c, r, operand, &body.call, c->inner + aligned(bytes) + aligned(more), result);
    arg += r->lead + r->captures;
    for (size_t k = 0; k < r->carries; k++) {
        char *to = result[k], *from = address_of(c, arg[k]);
        size_t size = output_bytes(&body.call, k);
        if (to == from || size == 0) continue;
        memcpy(to, from, size);
        if (c->moved) *c->moved += (int64_t)size;
    }
    bool truth = true;
    connect(c, r, operand, result, &index, &body.call, true);
    if (r->bodies > 1) {
        connect(c, r, operand, result, &index, &condition.call, false);
        condition.call.table[table_output(condition.call.fn, 0)] = (char *)&truth;
    }
    char **slice = body.call.table + 1 + r->captures + r->carries;
    char **made = body.call.table + table_output(body.call.fn, 0) + r->carries;
    size_t in_width[REGION_OPERANDS], out_width[REGION_OPERANDS];
    for (size_t k = 0; k < r->stacks; k++)
        in_width[k] = input_bytes(&body.call, 1 + r->captures + r->carries + k);
    for (size_t k = 0; k < r->results; k++) out_width[k] = output_bytes(&body.call, r->carries + k);
    arg += r->carries;
    for (; ran < count; ran++) {
        index = r->flags & LOOP_BACKWARDS ? count - 1 - ran : ran;
        if (r->bodies > 1) {
            status = interpret(&condition.call);
            if (status || !truth) break;
        }
        for (size_t k = 0; k < r->stacks; k++)
            slice[k] = address_of(c, arg[k]) + (size_t)index * in_width[k];
        for (size_t k = 0; k < r->results; k++)
            made[k] = result[r->carries + k] +
                      (size_t)(operand[1 + r->carries + k] == NO_PLACE ? 0 : index) * out_width[k];
        status = interpret(&body.call);
        if (status) break;
    }
    for (size_t k = 0; k < region_cleared(r) - r->carries && ran < length; k++)
        if (operand[1 + r->carries + k] != NO_PLACE && out_width[k])
            memset(result[r->carries + k] + (size_t)ran * out_width[k], 0,
                   (size_t)(length - ran) * out_width[k]);
    memcpy(address_of(c, operand[0]), &ran, sizeof ran);
    return status;
}

static wg_status run_branch(const struct call *c, const struct region_code *code,
                            const struct region *r, const place *operand) {
    const place *arg = operand + 1 + r->items;
    int64_t index;
    memcpy(&index, address_of(c, arg[0]), sizeof index);
    if (index >= (int64_t)r->bodies) index = (int64_t)r->bodies - 1;
    if (index < 0) index = 0;
    struct inner body;
    size_t bytes = 0;
    wg_status status = enter(c, r, code, (size_t)index, c->inner, &body, &bytes);
    if (status) return status;
    for (size_t k = 0; k < r->captures; k++) body.call.table[k] = address_of(c, arg[1 + k]);
    char *result[REGION_OPERANDS];
    find_results(c, r, operand, &body.call, c->inner + aligned(bytes), result);
    for (size_t k = 0; k < r->results; k++)
        body.call.table[table_output(body.call.fn, k)] = result[k];
    status = interpret(&body.call);
    memcpy(address_of(c, operand[0]), &index, sizeof index);
    return status;
}

wg_status run_region(const struct call *c, const struct step *step) {
    const struct trace *t = &c->fn->program->t;
    const struct region_code *code = &c->fn->region.at[step->count];
    const struct instr *i = instr_at(t, code->v);
    struct region r = region_open(t, i->op, i->attr);
    const place *operand = c->fn->operand.at + step->first;
    return (r.op == OP_loop ? run_loop : run_branch)(c, code, &r, operand);
}
