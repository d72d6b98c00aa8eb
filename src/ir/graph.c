/* The graph that grows: appending with folding and sharing, inputs and outputs, sites and errors.
 * The tables that find what is there already are intern.c's. What an operation is comes from the
 * operation table; this file knows only the leaves by name. */
#include "op/build.h"

#include <stdio.h>

/* ---- life ------------------------------------------------------------------------------------ */

void trace_free(struct trace *t) {
    const wg_allocator *a = &t->allocator;
    VEC_FREE(a, &t->instr);
    VEC_FREE(a, &t->arg);
    VEC_FREE(a, &t->type);
    VEC_FREE(a, &t->attr);
    VEC_FREE(a, &t->extent);
    VEC_FREE(a, &t->word);
    VEC_FREE(a, &t->name);
    VEC_FREE(a, &t->site);
    VEC_FREE(a, &t->blob);
    VEC_FREE(a, &t->input);
    VEC_FREE(a, &t->output);
    VEC_FREE(a, &t->size);
    VEC_FREE(a, &t->check);
    rules_free(t, 0);
    VEC_FREE(a, &t->rule);
    VEC_FREE(a, &t->external);
    arena_free(&t->arena);
}

wg_graph *graph_new(const wg_allocator *allocator) {
    wg_allocator a = allocator_or_standard(allocator);
    wg_graph *g = mem_alloc_zero(&a, sizeof *g);
    if (!g) return NULL;
    struct trace *t = &g->t;
    t->allocator = t->arena.allocator = a;
    bool ok = VEC_RESERVE(&a, &t->instr, 1) && VEC_RESERVE(&a, &t->attr, 1) &&
              VEC_RESERVE(&a, &t->extent, 1) && VEC_RESERVE(&a, &t->name, 1) &&
              VEC_RESERVE(&a, &t->site, 1) && VEC_RESERVE(&a, &t->arg, 1) &&
              VEC_RESERVE(&a, &t->word, 1) && VEC_RESERVE(&a, &t->type, 1 + WG_DTYPE_COUNT);
    if (!ok) {
        wg_graph_free(g);
        return NULL;
    }
    t->instr.at[t->instr.count++] = (struct instr){0};
    t->attr.at[t->attr.count++] = t->extent.at[t->extent.count++] = (struct span){0};
    t->name.at[t->name.count++] = "";
    t->site.at[t->site.count++] = (struct site){0};
    t->type.at[t->type.count++] = (wg_type){0};
    for (uint8_t d = 0; d < WG_DTYPE_COUNT; d++)
        t->type.at[t->type.count++] = (wg_type){.dtype = d};
    return g;
}

wg_graph *wg_graph_new(void) {
    return graph_new(NULL);
}

wg_graph *wg_graph_new_with(const wg_allocator *allocator) {
    return graph_new(allocator);
}

void wg_graph_free(wg_graph *g) {
    if (!g) return;
    if (g->eager) g->eager->end(g->eager, g);
    graph_free_tables(g);
    trace_free(&g->t);
    wg_allocator a = g->t.allocator;
    mem_free(&a, g, sizeof *g);
}

const wg_error *wg_graph_error(const wg_graph *g) {
    static const wg_error none = {WG_ENOMEM, "there is no graph: out of memory"};
    return g ? &g->error : &none;
}

/* ---- sites and errors ------------------------------------------------------------------------ */

void graph_site(wg_graph *g, const char *file, uint32_t line, uint32_t column) {
    if (g->error.status) return;
    struct trace *t = &g->t;
    const struct site *last = &t->site.at[t->site.count - 1];
    const char *last_file = name_at(t, last->file);
    if (!file) file = "";
    bool same_file = last_file == file || strcmp(last_file, file) == 0;
    column &= 0xFFFFFF;
    if (same_file && last->line == line && last->column == column && !last->name) {
        g->site = (uint32_t)(t->site.count - 1);
        return;
    }
    name_id name = same_file ? last->file : graph_name(g, file, strlen(file));
    struct site *site = g->error.status ? NULL : VEC_PUSH(&t->allocator, &t->site);
    if (!site) {
        graph_fail_memory(g);
        return;
    }
    *site = (struct site){.file = name, .line = line, .column = column & 0xFFFFFF};
    g->site = (uint32_t)(t->site.count - 1);
}

const char *value_name(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    const struct site *s = &t->site.at[i->site];
    return s->name && s->flags == i->flags ? name_at(t, s->name) : NULL;
}

void graph_value_name(wg_graph *g, value v, const char *name) {
    struct trace *t = &g->t;
    unsigned op = g->error.status || !v ? OP_input : t->instr.at[v].op;
    if ((op_def(op)->class == LEAF && op != OP_variable) || value_name(t, v)) return;
    struct site named = t->site.at[t->instr.at[v].site];
    named.name = graph_name(g, name, strlen(name));
    named.flags = t->instr.at[v].flags;
    struct site *site = g->error.status ? NULL : VEC_PUSH(&t->allocator, &t->site);
    if (!site) {
        graph_fail_memory(g);
        return;
    }
    *site = named;
    t->instr.at[v].site = (uint32_t)(t->site.count - 1);
}

bool site_text(const struct trace *t, uint32_t site, wg_text *out) {
    const struct site *s = &t->site.at[site];
    if (s->line == 0) return true;
    const char *file = name_at(t, s->file), *slash = strrchr(file, '/');
    if (!text_format(out, "%s:%u", slash ? slash + 1 : file, (unsigned)s->line)) return false;
    return s->column == 0 || text_format(out, ":%u", (unsigned)s->column);
}

/* Writes into a fixed buffer, since an error must not need memory. */
static void site_print(const struct trace *t, uint32_t site, char *buffer, size_t size) {
    const struct site *s = &t->site.at[site];
    buffer[0] = 0;
    if (s->line == 0) return;
    const char *file = name_at(t, s->file), *slash = strrchr(file, '/');
    int n = snprintf(buffer, size, "%s:%u", slash ? slash + 1 : file, (unsigned)s->line);
    if (s->column && n > 0 && (size_t)n < size)
        snprintf(buffer + n, size - (size_t)n, ":%u", (unsigned)s->column);
}

value graph_fail(wg_graph *g, wg_status status, const char *format, ...) {
    if (g->error.status) return 0;
    char where[256], what[1024];
    site_print(&g->t, g->site, where, sizeof where);
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    fail_with(&g->error, status, "%s%s%s", where, where[0] ? ": " : "", what);
    return 0;
}

bool graph_fail_memory(wg_graph *g) {
    fail_memory(&g->error);
    return false;
}

void graph_fail_operands(wg_graph *g, const value *arg, size_t narg) {
    static const char *const two[] = {"left", "right"};
    for (size_t i = 0; i < narg && i < 8; i++) {
        if (!arg[i]) continue;
        const struct instr *instr = instr_at(&g->t, arg[i]);
        char where[256], role[16], what[256];
        site_print(&g->t, instr->site, where, sizeof where);
        if (narg == 2) snprintf(role, sizeof role, "%s", two[i]);
        else if (narg == 1) snprintf(role, sizeof role, "operand");
        else snprintf(role, sizeof role, "operand %zu", i + 1);
        snprintf(what, sizeof what, "%s", op_def(instr->op)->name);
        for (size_t k = 0; k < g->t.input.count; k++)
            if (g->t.input.at[k].v == arg[i])
                snprintf(what, sizeof what, "input \"%s\"", name_at(&g->t, g->t.input.at[k].name));
        if (where[0]) fail_more(&g->error, "\n  %-5s = %-14s %s", role, what, where);
        else fail_more(&g->error, "\n  %-5s = %s", role, what);
    }
}

void graph_hint(wg_graph *g, const char *format, ...) {
    char hint[512];
    va_list args;
    va_start(args, format);
    vsnprintf(hint, sizeof hint, format, args);
    va_end(args);
    char *c = strchr(hint, '{'), *formula = c ? strchr(c, '|') : NULL;
    char *end = formula ? strchr(formula, '}') : NULL;
    if (!end) {
        fail_more(&g->error, "\n  hint: %s", hint);
        return;
    }
    *c++ = *formula++ = *end++ = '\0';
    bool in_formula = g->t.site.at[g->site].column > 0; /* a line of C has no column */
    fail_more(&g->error, "\n  hint: %s%s%s", hint, in_formula ? formula : c, end);
}

/* ---- literals -------------------------------------------------------------------------------- */

int64_t literal_from_f64(wg_dtype dtype, double number) {
    int64_t bits = 0;
    float single = (float)number;
    switch (dtype) {
    case WG_BOOL: return number != 0;
    case WG_I32: return (int64_t)(uint32_t)(int32_t)number;
    case WG_I64: return (int64_t)number;
    case WG_F32: memcpy(&bits, &single, sizeof single); return bits;
    case WG_F64: memcpy(&bits, &number, sizeof number); return bits;
    }
    return 0;
}

double literal_to_f64(wg_dtype dtype, int64_t bits) {
    float single;
    double number;
    switch (dtype) {
    case WG_BOOL: return bits != 0;
    case WG_I32: return (int32_t)bits;
    case WG_I64: return (double)bits;
    case WG_F32: memcpy(&single, &bits, sizeof single); return (double)single;
    case WG_F64: memcpy(&number, &bits, sizeof number); return number;
    }
    return 0;
}

value graph_literal(wg_graph *g, wg_dtype dtype, int64_t bits) {
    /* the element type is part of the attribute: equal bits of two types are two constants */
    return graph_emit(g, OP_constant, graph_attr(g, (int64_t[]){bits, dtype}, 2), NULL, 0);
}

bool value_is_splat(const struct trace *t, value v, int64_t *bits) {
    const struct instr *i = instr_at(t, v);
    if (i->op == OP_broadcast) i = instr_at(t, args_of(t, i)[0]);
    if (i->op != OP_constant) return false;
    *bits = attr_words(t, i->attr)[0];
    return true;
}

bool value_is_splat_of(const struct trace *t, value v, double number) {
    int64_t bits;
    wg_dtype dtype = (wg_dtype)type_of(t, v)->dtype;
    return value_is_splat(t, v, &bits) && bits == literal_from_f64(dtype, number);
}

/* ---- appending ------------------------------------------------------------------------------- */

void graph_reserve(wg_graph *g, size_t count) {
    struct trace *t = &g->t;
    if (g->error.status || count > MAX_IDS) return;
    if (!instr_index_grow(g, count) || !VEC_RESERVE(&t->allocator, &t->instr, count) ||
        !VEC_RESERVE(&t->allocator, &t->arg, count))
        graph_fail_memory(g);
}

value graph_append(wg_graph *g, unsigned op, type_id type, attr_id attr, const value *arg,
                   size_t narg) {
    struct trace *t = &g->t;
    if (g->error.status) return 0;
    if (t->instr.count >= MAX_IDS || t->arg.count + narg >= MAX_IDS)
        return graph_fail(g, WG_EOVERFLOW, "more instructions than a 32-bit id counts");
    if (!VEC_RESERVE(&t->allocator, &t->instr, t->instr.count + 1) ||
        !VEC_RESERVE(&t->allocator, &t->arg, t->arg.count + narg))
        return (value)graph_fail_memory(g);
    if (narg) memcpy(t->arg.at + t->arg.count, arg, narg * sizeof *arg);
    t->instr.at[t->instr.count] = (struct instr){
        .op = (uint16_t)op, .narg = (uint8_t)narg, .flags = g->flags, .type = type,
        .arg = (uint32_t)t->arg.count, .attr = attr, .site = g->site, .origin = g->origin};
    t->arg.count += narg;
    value v = (value)t->instr.count++;
    if (!g->eager) return v;
    g->eager->appended(g->eager, g, v);
    return g->error.status ? 0 : v;
}

/* An elementwise operation on constants is a constant. */
static value fold_constants(wg_graph *g, unsigned op, type_id type, const value *arg, size_t narg) {
    struct trace *t = &g->t;
    if (narg == 0 || narg > 3 || op == OP_copy || !op_is_elementwise(op)) return 0;
    int64_t bits[3], result = 0;
    const void *operand[3] = {0};
    for (size_t i = 0; i < narg; i++) {
        if (!value_is_splat(t, arg[i], &bits[i])) return 0;
        operand[i] = &bits[i]; /* little-endian: the first bytes are the element */
    }
    wg_type shape = t->type.at[type];
    elementwise_kernel *kernel = op_kernel(op, type_of(t, arg[narg - 1])->dtype, shape.dtype);
    if (!kernel) return 0;
    kernel(1, operand, &result);
    value constant = graph_literal(g, (wg_dtype)shape.dtype, result);
    return build_broadcast(g, constant, &shape, 0);
}

value graph_emit(wg_graph *g, unsigned op, attr_id attr, const value *arg, size_t narg) {
    struct trace *t = &g->t;
    if (g->error.status) return 0;
    const struct op_def *def = op_def(op);
    if (narg > UINT8_MAX)
        return graph_fail(g, WG_EOVERFLOW, "%s: %zu operands, at most 255 are possible", def->name,
                          narg);
    value local[UINT8_MAX]; /* arg may point into t->arg, which moves */
    for (size_t i = 0; i < narg; i++) {
        if (arg[i] == 0) return 0;
        local[i] = arg[i];
    }
    if (def->narg >= 0 && (size_t)def->narg != narg)
        return graph_fail(g, WG_EARGUMENT, "%s: takes %d operands, not %zu", def->name, def->narg,
                          narg);
    wg_type inferred = {0};
    if (!def->infer(g, op, attr, local, narg, &inferred) || g->error.status) {
        if (!g->error.status) graph_fail(g, WG_EINTERNAL, "%s: no type", def->name);
        return 0;
    }
    type_id type = type_intern(g, &inferred);
    if (g->no_fold) return graph_append(g, op, type, attr, local, narg);
    value same = fold_constants(g, op, type, local, narg);
    if (!same && def->identity) same = def->identity(g, attr, local, narg);
    if (same || g->error.status) return same;
    if (!op_is_shared(op)) return graph_append(g, op, type, attr, local, narg);
    if (def->flags & OP_COMMUTATIVE && local[0] > local[1]) {
        value swap = local[0];
        local[0] = local[1];
        local[1] = swap;
    }
    if (!instr_index_grow(g, t->instr.count + 1)) return 0;
    uint32_t hash;
    struct intern_slot *slot = instr_slot(g, op, type, attr, local, narg, &hash);
    if (slot->id) return slot->id;
    value v = graph_append(g, op, type, attr, local, narg);
    if (v) *slot = (struct intern_slot){v, hash};
    return v;
}

value graph_find(const wg_graph *g, unsigned op, type_id type, attr_id attr, const value *arg,
                 size_t narg) {
    if (g->error.status || !g->instr_index.capacity || !op_is_shared(op)) return 0;
    uint32_t hash;
    return instr_slot(g, op, type, attr, arg, narg, &hash)->id;
}

/* ---- inputs, outputs, sizes, blobs ----------------------------------------------------------- */

bool value_is_read(const struct trace *t, value v) {
    for (value u = 1; u < t->instr.count; u++)
        for (size_t k = 0; k < instr_at(t, u)->narg; k++)
            if (args_of(t, instr_at(t, u))[k] == v) return true;
    for (size_t k = 0; k < t->output.count; k++)
        if (t->output.at[k].v == v) return true;
    return false;
}

bool value_is_input(const struct trace *t, value v) {
    return instr_at(t, v)->op == OP_input;
}

bool name_has(char byte) {
    return (unsigned char)byte > ' ' && !strchr(",=\"\\%{}[]+-*/", byte);
}

bool name_is_good(wg_graph *g, const char *what, const char *name) {
    if (!name || !name[0]) {
        graph_fail(g, WG_ENAME, "%s without a name", what);
        return false;
    }
    for (const char *c = name; *c; c++) {
        if (name_has(*c) && (c > name || *c < '0' || *c > '9')) continue;
        graph_fail(g, WG_ENAME, "%s cannot be named \"%.64s\"", what, name);
        graph_hint(g, "letters, digits, '_' and '.', not beginning with a digit");
        return false;
    }
    return true;
}

/* An eager graph computes as it grows, so it has no place for what only a call brings. */
static bool takes_ports(wg_graph *g, const char *what, const char *name) {
    if (!g->eager) return true;
    graph_fail(g, WG_EARGUMENT, "an eager graph has no %s, here \"%.64s\"", what, name ? name : "");
    graph_hint(g, "give it values with wg_value, read them with wg_data");
    return false;
}

/* The slot of the port of this name: its id is 1 + the port's index; empty if there is none. */
static struct intern_slot *port_slot(const struct intern *index, const struct port *port,
                                     name_id name) {
    uint32_t hash = (uint32_t)hash_mix(0, name);
    size_t at = hash;
    for (const struct intern_slot *slot; (slot = intern_next(index, hash, &at)); at++)
        if (port[slot->id - 1].name == name) break;
    return &index->slot[at];
}

/* Takes note of the port that is about to be appended; false if its name is taken, or on error. */
static bool port_add(wg_graph *g, struct intern *index, const struct port *port, size_t count,
                     name_id name) {
    if (g->error.status || !intern_grow(g, index)) return false;
    struct intern_slot *slot = port_slot(index, port, name);
    if (slot->id) return false;
    *slot = (struct intern_slot){(uint32_t)count + 1, (uint32_t)hash_mix(0, name)};
    index->count++;
    return true;
}

bool graph_has_port(wg_graph *g, bool output, const char *name) {
    name_id id = graph_name(g, name, strlen(name));
    struct intern *index = output ? &g->output_index : &g->input_index;
    return id && index->count &&
           port_slot(index, output ? g->t.output.at : g->t.input.at, id)->id;
}

value graph_input(wg_graph *g, const char *name, const wg_type *type) {
    struct trace *t = &g->t;
    if (g->error.status || !takes_ports(g, "inputs", name) || !name_is_good(g, "an input", name))
        return 0;
    name_id id = graph_name(g, name, strlen(name));
    if (!port_add(g, &g->input_index, t->input.at, t->input.count, id)) {
        graph_fail(g, WG_ENAME, "there is an input \"%s\" already", name);
        return 0;
    }
    type_id tid = type_intern(g, type);
    attr_id attr = graph_attr(g, (int64_t[]){(int64_t)t->input.count}, 1);
    value v = graph_append(g, OP_input, tid, attr, NULL, 0);
    struct port *port = v ? VEC_PUSH(&t->allocator, &t->input) : NULL;
    if (!port) return g->error.status ? 0 : (value)graph_fail_memory(g);
    *port = (struct port){v, id};
    return v;
}

void graph_output(wg_graph *g, const char *name, value v) {
    struct trace *t = &g->t;
    if (g->error.status || !takes_ports(g, "outputs", name) || !name_is_good(g, "an output", name))
        return;
    if (!v) {
        graph_fail(g, WG_EARGUMENT, "output \"%s\" is not a value", name);
        return;
    }
    name_id id = graph_name(g, name, strlen(name));
    if (!port_add(g, &g->output_index, t->output.at, t->output.count, id)) {
        graph_fail(g, WG_ENAME, "there is an output \"%s\" already", name);
        return;
    }
    struct port *port = g->error.status ? NULL : VEC_PUSH(&t->allocator, &t->output);
    if (port) *port = (struct port){v, id};
    else if (!g->error.status) graph_fail_memory(g);
}

uint32_t graph_size(wg_graph *g, const char *name) {
    struct trace *t = &g->t;
    if (g->error.status || !takes_ports(g, "named sizes", name) || !name_is_good(g, "a size", name))
        return 0;
    name_id id = graph_name(g, name, strlen(name));
    if (g->error.status || !intern_grow(g, &g->size_index)) return 0;
    uint32_t hash = (uint32_t)hash_mix(0, id);
    size_t at = hash;
    for (const struct intern_slot *s; (s = intern_next(&g->size_index, hash, &at)); at++)
        if (t->size.at[s->id - 1] == id) return s->id - 1;
    name_id *new = VEC_PUSH(&t->allocator, &t->size);
    if (!new) return (uint32_t)graph_fail_memory(g);
    *new = id;
    return intern_put(&g->size_index, at, (uint32_t)t->size.count, hash) - 1;
}

void graph_require(wg_graph *g, wg_extent left, wg_extent right, bool equal, const char *what) {
    struct trace *t = &g->t;
    if (g->error.status) return;
    int64_t difference;
    bool constant = extent_difference(g, left, right, &difference);
    if (constant ? (equal ? difference == 0 : difference <= 0)
                 : !equal && extent_provably_le(g, left, right))
        return;
    if (constant) {
        wg_text l = {.allocator = t->allocator}, r = {.allocator = t->allocator};
        if (extent_text(t, left, &l) && extent_text(t, right, &r))
            graph_fail(g, WG_ESHAPE, "%s: %s is not %s %s", what, l.data,
                       equal ? "equal to" : "at most", r.data);
        else graph_fail_memory(g);
        wg_text_free(&l);
        wg_text_free(&r);
        return;
    }
    if (g->error.status || !intern_grow(g, &g->check_index)) return;
    uint32_t hash = words_hash((const int64_t[]){left, right, equal}, 3);
    size_t at = hash;
    for (const struct intern_slot *s; (s = intern_next(&g->check_index, hash, &at)); at++) {
        const struct check *c = &t->check.at[s->id - 1];
        if (c->left == left && c->right == right && c->equal == equal) return;
    }
    struct check *check = VEC_PUSH(&t->allocator, &t->check);
    if (!check) {
        graph_fail_memory(g);
        return;
    }
    *check = (struct check){left, right, equal, g->site};
    intern_put(&g->check_index, at, (uint32_t)t->check.count, hash);
}

/* The index of a blob with these bytes, or -1 and an error. Equal bytes are one blob, so that what
 * a transformation brings in twice is one constant. Eager graphs, which forget, share none. */
static int64_t blob_add(wg_graph *g, const void *data, size_t size) {
    struct trace *t = &g->t;
    uint32_t hash = 0;
    size_t at = 0;
    if (!g->eager) {
        if (!intern_grow(g, &g->blob_index)) return -1;
        at = hash = (uint32_t)hash_bytes(data, size, 0);
        for (const struct intern_slot *s; (s = intern_next(&g->blob_index, hash, &at)); at++) {
            struct blob known = t->blob.at[s->id - 1];
            if (known.size == size && (size == 0 || memcmp(known.data, data, size) == 0))
                return s->id - 1;
        }
    }
    void *copy = arena_alloc(&t->arena, size ? size : 1, 64);
    struct blob *blob = copy ? VEC_PUSH(&t->allocator, &t->blob) : NULL;
    if (!blob) return graph_fail_memory(g), -1;
    if (size) memcpy(copy, data, size);
    *blob = (struct blob){copy, size};
    if (!g->eager) intern_put(&g->blob_index, at, (uint32_t)t->blob.count, hash);
    return (int64_t)t->blob.count - 1;
}

value graph_blob(wg_graph *g, const wg_type *type, const void *data) {
    int64_t shape[WG_MAX_RANK], count, size;
    if (g->error.status) return 0;
    for (size_t i = 0; i < type->rank; i++)
        if (type->extent[i] < 0)
            return graph_fail(g, WG_ESHAPE,
                              "a constant tensor with an extent that is not constant");
    if (!type_eval(&g->t, type, NULL, shape, &count) ||
        mul_overflows(count, (int64_t)wg_dtype_size((wg_dtype)type->dtype), &size))
        return graph_fail(g, WG_EOVERFLOW, "a constant tensor larger than any memory");
    int64_t index = blob_add(g, data, (size_t)size);
    if (index < 0) return 0;
    int64_t word[3 + WG_MAX_RANK] = {index, type->dtype, type->rank};
    for (size_t i = 0; i < type->rank; i++) word[3 + i] = type->extent[i];
    return graph_emit(g, OP_data, graph_attr(g, word, 3 + (size_t)type->rank), NULL, 0);
}
