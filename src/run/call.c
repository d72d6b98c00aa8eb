/* Calls: from sizes and buffers to shapes, checks and addresses. A call's workspace begins with
 * what the call itself needs (address table; where extents are named, their values and the shapes
 * of types), then cells, scratch memory and slots. Everything is counted and laid out by one
 * function, so that wg_workspace_size and the call agree; with a workspace nothing is allocated. */
#include "run/run.h"

enum {
    ALIGNMENT = 64,          /* of the workspace, and of slots that are not smaller */
    MAX_OVERLAP_PAIRS = 4096 /* above it, overlapping buffers are the caller's own care */
};

/* ---- laying out ------------------------------------------------------------------------------ */

struct room {
    char *base; /* NULL: count only */
    size_t at;
    bool overflow;
};

static void *take(struct room *r, size_t count, size_t width) {
    size_t size;
    r->overflow |= __builtin_mul_overflow(count, width, &size);
    size_t alignment = size >= ALIGNMENT ? ALIGNMENT : sizeof(int64_t);
    size_t begin = (r->at + alignment - 1) & ~(alignment - 1);
    r->overflow |= begin < r->at || __builtin_add_overflow(begin, size, &r->at) ||
                   r->at > PTRDIFF_MAX;
    return r->base && !r->overflow ? r->base + begin : NULL;
}

static void add_sizes(const struct trace *t, const int64_t *size, wg_text *text) {
    for (size_t i = 0; i < t->size.count; i++)
        text_format(text, "%s%s = %lld", i ? ", " : " for ", name_at(t, t->size.at[i]),
                    (long long)size[i]);
}

/* An extent as text, with its value where it is more than a number. */
static void add_extent(const struct trace *t, wg_extent e, const int64_t *size, wg_text *text) {
    int64_t number;
    extent_text(t, e, text);
    if (e >= 0) return;
    if (extent_eval(t, e, size, &number) || number != e)
        text_format(text, ", which is %lld", (long long)number);
    else
        text_add(text, ", which is too large");
}

/* Whether it is more than one size or one number: its value alone does not tell where it is
 * from. */
static bool is_composed(const struct trace *t, wg_extent e) {
    if (e >= 0) return false;
    struct span span = t->extent.at[-e]; /* of terms: coefficient, degree, sizes */
    const int64_t *word = t->word.at + span.at;
    return span.count != 3 || word[0] != 1 || word[1] != 1;
}

static wg_status check_failed(const struct wg_function *fn, const struct check *check,
                              const int64_t *size, wg_error *error) {
    const struct trace *t = &fn->program->t;
    if (!error) return WG_ESHAPE;
    char head[256];
    wg_text text = {.allocator = fn->allocator};
    site_head(t, check->site, head, sizeof head);
    add_extent(t, check->left, size, &text);
    if (check->left < 0) text_add(&text, ",");
    text_add(&text, check->equal ? " must equal " : " must be at most ");
    add_extent(t, check->right, size, &text);
    if (is_composed(t, check->left) || is_composed(t, check->right)) {
        if (check->right < 0) text_add(&text, ",");
        add_sizes(t, size, &text);
    }
    fail_with(error, WG_ESHAPE, "%s%s", head, text.data ? text.data : "sizes do not go together");
    wg_text_free(&text);
    return WG_ESHAPE;
}

wg_status check_sizes(const struct wg_function *fn, const int64_t *size, wg_error *error) {
    const struct trace *t = &fn->program->t;
    if (!size && t->size.count) return fail_with(error, WG_EARGUMENT, "call: the sizes are NULL");
    for (size_t i = 0; i < t->size.count; i++)
        if (size[i] < 0)
            return fail_with(error, WG_EARGUMENT, "call: size \"%s\" is %lld; sizes are at least 0",
                             name_at(t, t->size.at[i]), (long long)size[i]);
    for (size_t i = 0; i < t->check.count; i++) {
        const struct check *check = &t->check.at[i];
        int64_t left, right;
        bool known = extent_eval(t, check->left, size, &left);
        known = extent_eval(t, check->right, size, &right) && known;
        if (!known || (check->equal ? left != right : left > right))
            return check_failed(fn, check, size, error);
    }
    return WG_OK;
}

static wg_status type_failed(const struct wg_function *fn, type_id type, const int64_t *size,
                             wg_error *error) {
    const struct trace *t = &fn->program->t;
    if (!error) return WG_EOVERFLOW;
    wg_text text = {.allocator = fn->allocator};
    type_text(t, type_at(t, type), &text);
    add_sizes(t, size, &text);
    fail_with(error, WG_EOVERFLOW, "call: no memory holds a value of type %s",
              text.data ? text.data : "that it makes");
    wg_text_free(&text);
    return WG_EOVERFLOW;
}

/* Extents and shapes of a call, into the arrays given. */
static wg_status evaluate(const struct wg_function *fn, const int64_t *size, int64_t *extent_value,
                          struct shape *shape, wg_error *error) {
    const struct trace *t = &fn->program->t;
    for (size_t i = 1; i < t->extent.count; i++) /* those that fail are in no type of a value */
        extent_eval(t, -(wg_extent)i, size, &extent_value[i]);
    for (size_t i = 0; i < fn->type.count; i++) {
        struct shape *s = &shape[fn->type.at[i]];
        const wg_type *type = type_at(t, fn->type.at[i]);
        if (!type_eval(t, type, size, s->extent, &s->count))
            return type_failed(fn, fn->type.at[i], size, error);
    }
    return WG_OK;
}

wg_status lay_out(const struct wg_function *fn, const int64_t *size, void *base, struct call *c,
                  size_t *bytes, wg_error *error) {
    const struct trace *t = &fn->program->t;
    struct room room = {.base = base};
    size_t inner = 0;
    wg_status status = check_sizes(fn, size, error);
    if (status == WG_OK) status = regions_size(fn, size, &inner, error);
    if (status) return status;
    c->size = size;
    c->table = take(&room, table_slot(fn, fn->slot.count), sizeof *c->table);
    c->shape = fn->shape;
    c->extent_value = fn->extent_value;
    if (has_named_sizes(fn)) {
        int64_t *extent_value = take(&room, t->extent.count, sizeof *extent_value);
        struct shape *shape = take(&room, t->type.count, sizeof *shape);
        status = base ? evaluate(fn, size, extent_value, shape, error) : WG_OK;
        if (status) return status;
        c->extent_value = extent_value;
        c->shape = shape;
    }
    c->base[CELL] = take(&room, fn->cell_count, CELL_SIZE);
    c->scratch = take(&room, fn->scratch, 1);
    for (size_t i = 0; i < fn->slot.count; i++) {
        size_t slot_size = 0;
        room.overflow |= !measure_eval(fn, fn->slot.at[i], size, &slot_size);
        char *slot = take(&room, slot_size, 1);
        if (base) c->table[table_slot(fn, i)] = slot;
    }
    c->inner = take(&room, inner, 1);
    *bytes = room.at;
    if (room.overflow) return fail_with(error, WG_EOVERFLOW, "call: no memory holds the workspace");
    return WG_OK;
}

wg_status wg_workspace_size(const wg_function *fn, const int64_t *size, size_t *bytes,
                            wg_error *error) {
    if (failed(error)) return error->status;
    if (!fn || !bytes)
        return fail_with(error, WG_EARGUMENT, "workspace size: %s is NULL",
                         fn ? "bytes" : "the function");
    const struct wg_function *planned = background_planned(fn);
    struct call c = {.fn = fn};
    size_t more = 0;
    wg_status status = lay_out(fn, size, NULL, &c, bytes, error);
    if (status || !planned) return status;
    status = lay_out(planned, size, NULL, &c, &more, error);
    if (more > *bytes) *bytes = more; /* it serves whichever of the two runs */
    return status;
}

/* Stands before a workspace that is allocated here: what giving it back takes. */
struct workspace_head {
    wg_allocator allocator;
    void *block;
    size_t bytes;
};

void *workspace_make(const wg_allocator *allocator, size_t bytes, wg_error *error) {
    struct workspace_head head = {.allocator = *allocator,
                                  .bytes = bytes + sizeof head + ALIGNMENT};
    head.block = head.bytes > bytes ? mem_alloc(&head.allocator, head.bytes) : NULL;
    if (!head.block) return fail_memory(error), NULL;
    uintptr_t begin = (uintptr_t)head.block + sizeof head;
    size_t skip = (size_t)(-begin & (ALIGNMENT - 1));
    char *workspace = (char *)head.block + sizeof head + skip;
    memcpy(workspace - sizeof head, &head, sizeof head);
    return workspace;
}

void *wg_workspace_new(const wg_function *fn, const int64_t *size, wg_error *error) {
    size_t bytes;
    if (wg_workspace_size(fn, size, &bytes, error)) return NULL;
    return workspace_make(&fn->allocator, bytes, error);
}

void wg_workspace_free(void *workspace) {
    if (!workspace) return;
    struct workspace_head head;
    memcpy(&head, (char *)workspace - sizeof head, sizeof head);
    mem_free(&head.allocator, head.block, head.bytes);
}

wg_extent workspace_extent(const struct wg_function *fn, wg_graph *g, const wg_extent *size_map) {
    const struct trace *t = &fn->program->t;
    struct room room = {.base = NULL};
    take(&room, table_slot(fn, fn->slot.count), sizeof(char *));
    if (has_named_sizes(fn)) {
        take(&room, t->extent.count, sizeof(int64_t));
        take(&room, t->type.count, sizeof(struct shape));
    }
    take(&room, fn->cell_count, CELL_SIZE);
    take(&room, fn->scratch, 1);
    wg_extent slots = 0;
    for (size_t i = 0; i < fn->slot.count; i++) {
        struct measure m = fn->slot.at[i];
        struct span part = fn->measures.key.at[m.part];
        wg_extent bytes = m.factor;
        if (part.count == 0) take(&room, (size_t)m.factor, 1);
        for (size_t k = 0; k < part.count; k++) {
            wg_extent named = fn->measures.extent.at[part.at + k];
            bytes = extent_mul(g, bytes, extent_import(g, t, named, size_map));
        }
        if (part.count) slots = extent_add(g, slots, bytes);
    }
    if (room.overflow) graph_fail(g, WG_EOVERFLOW, "no memory holds the workspace");
    return extent_add(g, slots, (wg_extent)room.at);
}

/* ---- the caller's buffers -------------------------------------------------------------------- */

struct buffer {
    const char *what, *name;
    uintptr_t at;
    size_t size;
};

static struct buffer buffer_of(const struct call *c, bool output, size_t index) {
    const struct trace *t = &c->fn->program->t;
    const struct port *port = output ? &t->output.at[index] : &t->input.at[index];
    type_id type = instr_at(t, port->v)->type;
    return (struct buffer){.what = output ? "output" : "input",
                           .name = name_at(t, port->name),
                           .at = (uintptr_t)c->table[output ? table_output(c->fn, index) : index],
                           .size = (size_t)c->shape[type].count *
                                   wg_dtype_size((wg_dtype)type_at(t, type)->dtype)};
}

static bool overlap(const struct buffer *a, const struct buffer *b) {
    return a->size && b->size && a->at < b->at + b->size && b->at < a->at + a->size;
}

static wg_status overlap_failed(const struct call *c, const struct buffer *a,
                                const struct buffer *b) {
    return fail_with(c->error, WG_EALIAS,
                     "call: the buffers of %s \"%s\" and %s \"%s\" overlap; give the output one of "
                     "its own, or donate the input",
                     a->what, a->name, b->what, b->name);
}

static wg_status check_overlaps(const struct call *c) {
    size_t inputs = c->fn->program->t.input.count, outputs = c->fn->program->t.output.count;
    if (outputs > MAX_OVERLAP_PAIRS || (inputs + outputs) * outputs > MAX_OVERLAP_PAIRS)
        return WG_OK;
    for (size_t i = 0; i < outputs; i++) {
        struct buffer y = buffer_of(c, true, i);
        for (size_t k = 0; k < inputs; k++) {
            struct buffer x = buffer_of(c, false, k);
            bool donated = c->fn->donor[i] == k + 1 && x.at == y.at;
            if (!donated && overlap(&x, &y)) return overlap_failed(c, &y, &x);
        }
        for (size_t k = 0; k < i; k++) {
            struct buffer other = buffer_of(c, true, k);
            if (overlap(&other, &y)) return overlap_failed(c, &y, &other);
        }
    }
    return WG_OK;
}

static wg_status check_present(const struct call *c, bool output, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (c->table[output ? table_output(c->fn, i) : i]) continue;
        struct buffer b = buffer_of(c, output, i);
        if (b.size)
            return fail_with(c->error, WG_EARGUMENT, "call: the buffer of %s \"%s\" is NULL",
                             b.what, b.name);
    }
    return WG_OK;
}

void take_blobs(struct call *c) {
    const struct trace *t = &c->fn->program->t;
    for (size_t i = 0; i < t->blob.count; i++)
        c->table[table_blob(c->fn, i)] = (char *)(uintptr_t)t->blob.at[i].data;
}

/* Their addresses into the call's table. */
static wg_status take_buffers(struct call *c, const void *const *input, void *const *output) {
    const struct trace *t = &c->fn->program->t;
    if ((!input && t->input.count) || (!output && t->output.count))
        return fail_with(c->error, WG_EARGUMENT, "call: the list of %s is NULL",
                         input ? "outputs" : "inputs");
    /* Nothing writes through the addresses of inputs and constants. */
    for (size_t i = 0; i < t->input.count; i++) c->table[i] = (char *)(uintptr_t)input[i];
    for (size_t i = 0; i < t->output.count; i++) c->table[table_output(c->fn, i)] = output[i];
    take_blobs(c);
    wg_status status = check_present(c, false, t->input.count);
    if (status == WG_OK) status = check_present(c, true, t->output.count);
    return status == WG_OK ? check_overlaps(c) : status;
}

/* ---- calling --------------------------------------------------------------------------------- */

static wg_status call_in(const struct wg_function *fn, const int64_t *size,
                         const void *const *input, void *const *output, void *workspace,
                         int64_t *moved, wg_error *error) {
    size_t bytes;
    struct call c = {.fn = fn, .moved = moved, .error = error};
    c.base[POOL] = (char *)fn->pool.at;
    wg_status status = lay_out(fn, size, workspace, &c, &bytes, error);
    if (status == WG_OK) status = take_buffers(&c, input, output);
    if (status) return status;
    return fn->code ? native_call(&c, size) : interpret(&c);
}

/* With a workspace of its own. */
static wg_status call_alone(const struct wg_function *fn, const int64_t *size,
                            const void *const *input, void *const *output, int64_t *moved,
                            wg_error *error) {
    size_t bytes;
    wg_status status = wg_workspace_size(fn, size, &bytes, error);
    if (status) return status;
    void *workspace = workspace_make(&fn->allocator, bytes, error);
    if (!workspace) return WG_ENOMEM;
    status = call_in(fn, size, input, output, workspace, moved, error);
    wg_workspace_free(workspace);
    return status;
}

wg_status wg_call_with(const wg_function *fn, const int64_t *size, const void *const *input,
                       void *const *output, void *workspace, wg_error *error) {
    if (failed(error)) return error->status;
    if (!fn) return fail_with(error, WG_EARGUMENT, "call: the function is NULL");
    const struct wg_function *native = background_native(fn);
    if (native) fn = native;
    if (workspace) return call_in(fn, size, input, output, workspace, NULL, error);
    return call_alone(fn, size, input, output, NULL, error);
}

wg_status call_counted(const struct wg_function *fn, const int64_t *size, const void *const *input,
                       void *const *output, int64_t *moved, wg_error *error) {
    *moved = 0;
    return call_alone(fn, size, input, output, moved, error);
}

wg_status wg_call(const wg_function *fn, const int64_t *size, const void *const *input,
                  void *const *output) {
    return wg_call_with(fn, size, input, output, NULL, NULL);
}
