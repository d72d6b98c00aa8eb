/* Programs: made from graphs, copied, looked at, and brought back into graphs for
 * transformations. */
#include "op/op.h"

/* ---- from graph to program ------------------------------------------------------------------- */

/* Keeps what outputs need, and the inputs. map[v] becomes the new value of v, 0 for dead ones;
 * instructions move down in place, since no value's number grows. */
static void remove_dead(struct trace *t, value *map) {
    memset(map, 0, t->instr.count * sizeof *map);
    for (size_t i = 0; i < t->input.count; i++) map[t->input.at[i].v] = 1;
    for (size_t i = 0; i < t->output.count; i++) map[t->output.at[i].v] = 1;
    for (value v = (value)t->instr.count; v-- > 1;) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; map[v] && k < i->narg; k++) map[args_of(t, i)[k]] = 1;
    }
    size_t count = 1, arg_count = 0;
    for (value v = 1; v < t->instr.count; v++) {
        if (!map[v]) continue;
        struct instr i = *instr_at(t, v);
        const value *from = args_of(t, &i);
        for (size_t k = 0; k < i.narg; k++) t->arg.at[arg_count + k] = map[from[k]];
        i.arg = (uint32_t)arg_count;
        i.origin = i.origin < v ? map[i.origin] : 0;
        arg_count += i.narg;
        t->instr.at[count] = i;
        map[v] = (value)count++;
    }
    t->instr.count = count;
    t->arg.count = arg_count;
    for (size_t i = 0; i < t->input.count; i++) t->input.at[i].v = map[t->input.at[i].v];
    for (size_t i = 0; i < t->output.count; i++) t->output.at[i].v = map[t->output.at[i].v];
}

/* A variable of a loop that something outside of it reads is an error. */
static void find_variables(wg_graph *g) {
    const struct trace *t = &g->t;
    bool any = false;
    for (value v = 1; v < t->instr.count && !any; v++) any = instr_at(t, v)->op == OP_variable;
    if (!any) return;
    bool *need = mem_alloc_zero(&t->allocator, t->instr.count);
    if (!need) {
        graph_fail_memory(g);
        return;
    }
    for (size_t i = 0; i < t->output.count; i++) need[t->output.at[i].v] = true;
    for (value v = (value)t->instr.count; v-- > 1 && !g->error.status;) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; need[v] && k < i->narg; k++) need[args_of(t, i)[k]] = true;
        if (!need[v] || i->op != OP_variable) continue;
        g->site = i->site;
        graph_fail(g, WG_EARGUMENT, "an index, carry or slice of a loop is used outside of it");
        graph_hint(g, "what a loop gives are the results that wg_loop_end fills in; a loop that "
                      "was begun must be ended");
    }
    mem_free(&t->allocator, need, t->instr.count);
}

wg_program *graph_build(wg_graph *g, wg_error *error) {
    if (!g) {
        if (!failed(error)) fail_memory(error);
        return NULL;
    }
    wg_program *p = NULL;
    wg_allocator a = g->t.allocator;
    if (!g->error.status && g->t.output.count == 0)
        graph_fail(g, WG_EARGUMENT, "a program without outputs");
    if (!g->error.status && !failed(error)) find_variables(g);
    if (!g->error.status && !failed(error)) {
        size_t bytes = g->t.instr.count * sizeof(value);
        value *map = mem_alloc(&a, bytes);
        p = map ? mem_alloc_zero(&a, sizeof *p) : NULL;
        if (p) remove_dead(&g->t, map);
        if (p && rules_drop_unused(&g->t)) {
            p->t = g->t;
        } else {
            mem_free(&a, p, sizeof *p);
            p = NULL;
            fail_memory(&g->error);
        }
        mem_free(&a, map, bytes);
    }
    if (!p) {
        if (g->error.status) fail_with(error, g->error.status, "%s", g->error.message);
        wg_graph_free(g);
        return NULL;
    }
    graph_free_tables(g);
    mem_free(&a, g, sizeof *g);
#ifndef NDEBUG
    if (trace_verify(&p->t, error) != WG_OK) {
        wg_program_free(p);
        return NULL;
    }
#endif
    return p;
}

wg_program *wg_build(wg_graph *g, wg_error *error) {
    return graph_build(g, error);
}

void wg_program_free(wg_program *program) {
    if (!program) return;
    wg_allocator a = program->t.allocator;
    trace_free(&program->t);
    mem_free(&a, program, sizeof *program);
}

/* ---- copying --------------------------------------------------------------------------------- */

/* Also an empty array has storage afterwards, so that pointers into it may be formed. */
#define VEC_COPY(a, to, from)                                                                      \
    (VEC_RESERVE(a, to, (from)->count + 1) &&                                                      \
     ((from)->count == 0 || memcpy((to)->at, (from)->at, (from)->count * sizeof *(from)->at)) &&   \
     ((to)->count = (from)->count, true))

static bool names_copy(struct trace *to, const struct trace *from) {
    if (!VEC_RESERVE(&to->allocator, &to->name, from->name.count)) return false;
    to->name.at[to->name.count++] = "";
    for (size_t i = 1; i < from->name.count; i++) {
        size_t size = strlen(from->name.at[i]) + 1;
        char *copy = arena_alloc(&to->arena, size, 1);
        if (!copy) return false;
        memcpy(copy, from->name.at[i], size);
        to->name.at[to->name.count++] = copy;
    }
    return true;
}

static bool blobs_copy(struct trace *to, const struct trace *from) {
    if (from->blob.count && !VEC_RESERVE(&to->allocator, &to->blob, from->blob.count)) return false;
    for (size_t i = 0; i < from->blob.count; i++) {
        struct blob b = from->blob.at[i];
        void *copy = arena_alloc(&to->arena, b.size ? b.size : 1, 64);
        if (!copy) return false;
        if (b.size) memcpy(copy, b.data, b.size);
        to->blob.at[to->blob.count++] = (struct blob){copy, b.size};
    }
    return true;
}

wg_program *program_copy(const wg_program *p, const wg_allocator *allocator, wg_error *error) {
    if (failed(error)) return NULL;
    wg_allocator a = allocator ? *allocator : p->t.allocator;
    wg_program *copy = mem_alloc_zero(&a, sizeof *copy);
    if (!copy) {
        fail_memory(error);
        return NULL;
    }
    struct trace *to = &copy->t;
    const struct trace *from = &p->t;
    to->allocator = to->arena.allocator = a;
    bool ok = VEC_COPY(&a, &to->instr, &from->instr) && VEC_COPY(&a, &to->arg, &from->arg) &&
              VEC_COPY(&a, &to->type, &from->type) && VEC_COPY(&a, &to->attr, &from->attr) &&
              VEC_COPY(&a, &to->extent, &from->extent) && VEC_COPY(&a, &to->word, &from->word) &&
              VEC_COPY(&a, &to->site, &from->site) && VEC_COPY(&a, &to->input, &from->input) &&
              VEC_COPY(&a, &to->output, &from->output) && VEC_COPY(&a, &to->size, &from->size) &&
              VEC_COPY(&a, &to->check, &from->check) && names_copy(to, from) &&
              blobs_copy(to, from) && rules_copy(to, from, NULL);
    if (ok) return copy;
    wg_program_free(copy);
    fail_memory(error);
    return NULL;
}

bool program_drop_rules(wg_program *p, value *map) {
    struct trace *t = &p->t;
    for (value v = 0; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        bool named = op_def(i->op)->refers == REFERS_TO_RULE; /* the value is the first argument */
        map[v] = named ? map[args_of(t, i)[0]] : v;
    }
    for (size_t k = 0; k < t->arg.count; k++) t->arg.at[k] = map[t->arg.at[k]];
    for (size_t k = 0; k < t->output.count; k++) t->output.at[k].v = map[t->output.at[k].v];
    remove_dead(t, map);
    for (size_t k = 0; k < t->rule.count; k++) {
        wg_program_free(t->rule.at[k].is_body ? t->rule.at[k].reverse : NULL);
        if (t->rule.at[k].is_body) t->rule.at[k].reverse = NULL;
    }
    return rules_drop_unused(t);
}

/* ---- from program into a graph --------------------------------------------------------------- */

/* Appends the sites of another trace once; *offset is where its site 0 would be. */
static bool import_sites(wg_graph *g, const struct trace *from) {
    if (g->imported == from) return true;
    struct trace *t = &g->t;
    uint32_t at = (uint32_t)t->site.count;
    if (!VEC_RESERVE(&t->allocator, &t->site, t->site.count + from->site.count)) {
        fail_memory(&g->error);
        return false;
    }
    name_id last = 0, copy = 0;
    for (size_t i = 0; i < from->site.count; i++) {
        struct site site = from->site.at[i];
        if (site.file != last) {
            last = site.file;
            copy = graph_name(g, name_at(from, last), strlen(name_at(from, last)));
        }
        site.file = site.file ? copy : 0;
        if (site.name) {
            const char *name = name_at(from, site.name);
            site.name = graph_name(g, name, strlen(name));
        }
        t->site.at[t->site.count++] = site;
    }
    g->imported = from;
    g->imported_at = at;
    return g->error.status == WG_OK;
}

bool graph_take_site(wg_graph *g, const struct trace *from, uint32_t site) {
    if (!import_sites(g, from)) return false;
    g->site = g->imported_at + site;
    return true;
}

static attr_id import_attr(wg_graph *g, const struct trace *from, const struct instr *i,
                           const wg_extent *size_map) {
    enum { MANY = 64 };
    size_t count = attr_count(from, i->attr), bytes = count * sizeof(int64_t);
    const struct op_def *def = op_def(i->op);
    if (count == 0) return 0;
    if (!def->attr_is_extent) return graph_attr(g, attr_words(from, i->attr), count);
    int64_t few[MANY], *local = count > MANY ? mem_alloc(&g->t.allocator, bytes) : few;
    if (!local) {
        fail_memory(&g->error);
        return 0;
    }
    for (size_t k = 0; k < count; k++) {
        const int64_t *word = attr_words(from, i->attr); /* moves if the trace is the graph's own */
        local[k] = def->attr_is_extent(word, count, k) ? extent_import(g, from, word[k], size_map)
                                                       : word[k];
    }
    size_t first, rules = attr_rules(i->op, attr_words(from, i->attr), count, &first);
    for (size_t k = first; k < first + rules; k++) local[k] = graph_import_rule(g, from, local[k]);
    if (def->refers == REFERS_TO_EXTERNAL) local[0] = graph_import_external(g, from, local[0]);
    attr_id attr = graph_attr(g, local, count);
    if (local != few) mem_free(&g->t.allocator, local, bytes);
    return attr;
}

static bool import_type(wg_graph *g, const struct trace *from, const wg_type *type,
                        const wg_extent *size_map, wg_type *out) {
    *out = *type;
    for (size_t k = 0; k < type->rank; k++)
        out->extent[k] = extent_import(g, from, type->extent[k], size_map);
    return g->error.status == WG_OK;
}

wg_type graph_import_type(wg_graph *g, const struct trace *from, const wg_type *type,
                          const wg_extent *size_map) {
    wg_type out;
    import_type(g, from, type, size_map, &out);
    return out;
}

attr_id graph_import_attr(wg_graph *g, const struct trace *from, value v,
                          const wg_extent *size_map) {
    return import_attr(g, from, instr_at(from, v), size_map);
}

value graph_import(wg_graph *g, const struct trace *from, value v, const wg_extent *size_map,
                   const value *map) {
    const struct instr *i = instr_at(from, v);
    if (!graph_take_site(g, from, i->site)) return 0;
    uint8_t flags = g->flags;
    value origin = g->origin, result;
    if (!flags) { /* else it is part of a derivative in the making, whatever it was before */
        g->flags = i->flags;
        g->origin = i->origin ? map[i->origin] : 0;
    }
    if (i->op == OP_data) {
        wg_type type = *type_at(from, i->type);
        result = graph_blob(g, &type, from->blob.at[attr_words(from, i->attr)[0]].data);
    } else {
        value arg[UINT8_MAX];
        for (size_t k = 0; k < i->narg; k++) arg[k] = map[args_of(from, i)[k]];
        result = graph_emit(g, i->op, import_attr(g, from, i, size_map), arg, i->narg);
    }
    g->flags = flags;
    g->origin = origin;
    return result;
}

bool graph_inline(wg_graph *g, const struct trace *from, const value *input,
                  const wg_extent *size_map, value *map) {
    for (value v = 1; v < from->instr.count && !g->error.status; v++) {
        const struct instr *i = instr_at(from, v);
        map[v] = i->op == OP_input ? input[attr_words(from, i->attr)[0]]
                                   : graph_import(g, from, v, size_map, map);
    }
    if (!g->error.status) g->site = 0;
    return g->error.status == WG_OK;
}

bool graph_import_checks(wg_graph *g, const struct trace *from, const wg_extent *size_map) {
    for (size_t i = 0; i < from->check.count && !g->error.status; i++) {
        const struct check *c = &from->check.at[i];
        if (!graph_take_site(g, from, c->site)) break;
        wg_extent left = extent_import(g, from, c->left, size_map);
        wg_extent right = extent_import(g, from, c->right, size_map);
        graph_require(g, left, right, c->equal, "sizes");
    }
    return g->error.status == WG_OK;
}

wg_graph *graph_like(const wg_program *p, wg_extent *size_map, wg_error *error) {
    if (failed(error)) return NULL;
    wg_graph *g = graph_new(&p->t.allocator);
    if (!g) {
        fail_memory(error);
        return NULL;
    }
    for (size_t i = 0; i < p->t.size.count; i++)
        size_map[i] = extent_size(g, graph_size(g, name_at(&p->t, p->t.size.at[i])));
    graph_import_checks(g, &p->t, size_map);
    g->site = 0; /* what goes wrong next is not the last check's fault */
    return g;
}

/* ---- questions ------------------------------------------------------------------------------- */

size_t wg_input_count(const wg_program *program) {
    return program ? program->t.input.count : 0;
}
size_t wg_output_count(const wg_program *program) {
    return program ? program->t.output.count : 0;
}
size_t wg_size_count(const wg_program *program) {
    return program ? program->t.size.count : 0;
}
const char *wg_input_name(const wg_program *p, size_t index) {
    return index < wg_input_count(p) ? name_at(&p->t, p->t.input.at[index].name) : NULL;
}
const char *wg_output_name(const wg_program *p, size_t index) {
    return index < wg_output_count(p) ? name_at(&p->t, p->t.output.at[index].name) : NULL;
}
const char *wg_size_name(const wg_program *p, size_t index) {
    return index < wg_size_count(p) ? name_at(&p->t, p->t.size.at[index]) : NULL;
}

static int find_name(const wg_program *p, const char *(*name_of)(const wg_program *, size_t),
                     size_t count, const char *name) {
    for (size_t i = 0; name && i < count; i++)
        if (strcmp(name_of(p, i), name) == 0) return (int)i;
    return -1;
}

int wg_input_index(const wg_program *program, const char *name) {
    return find_name(program, wg_input_name, wg_input_count(program), name);
}
int wg_output_index(const wg_program *program, const char *name) {
    return find_name(program, wg_output_name, wg_output_count(program), name);
}
int wg_size_index(const wg_program *program, const char *name) {
    return find_name(program, wg_size_name, wg_size_count(program), name);
}
wg_type wg_input_type(const wg_program *p, size_t index) {
    return index < wg_input_count(p) ? *type_of(&p->t, p->t.input.at[index].v) : (wg_type){0};
}
wg_type wg_output_type(const wg_program *p, size_t index) {
    return index < wg_output_count(p) ? *type_of(&p->t, p->t.output.at[index].v) : (wg_type){0};
}
size_t wg_program_length(const wg_program *program) {
    return program ? program->t.instr.count - 1 : 0;
}

/* The programs of its rules, at most MAX_RULE_DEPTH deep. */
static size_t rules_bytes(const struct trace *t) {
    size_t bytes = 0;
    for (size_t i = 0; i < t->rule.count; i++)
        bytes += t->rule.at[i].key_size + wg_program_bytes(t->rule.at[i].jvp) +
                 wg_program_bytes(t->rule.at[i].vjp);
    return bytes;
}

size_t wg_program_bytes(const wg_program *program) {
    if (!program) return 0;
    const struct trace *t = &program->t;
#define BYTES(vec) ((vec).capacity * sizeof *(vec).at)
    return sizeof *program + arena_bytes(&t->arena) + BYTES(t->instr) + BYTES(t->arg) +
           BYTES(t->type) + BYTES(t->attr) + BYTES(t->extent) + BYTES(t->word) + BYTES(t->name) +
           BYTES(t->site) + BYTES(t->blob) + BYTES(t->input) + BYTES(t->output) + BYTES(t->size) +
           BYTES(t->check) + BYTES(t->rule) + BYTES(t->external) + rules_bytes(t);
#undef BYTES
}
