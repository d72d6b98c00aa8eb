/* What the public transformations share: a derivation from its beginning to the program that it
 * gives, lists of names, fresh names. The transformations themselves are in derivatives.c,
 * jacobian.c and resize.c. */
#include "transform/derive.h"

#include "op/build.h"

#include <stdio.h>

void *derive_array(struct derivation *d, size_t count, size_t size) {
    size_t bytes;
    bool overflow = __builtin_mul_overflow(count + 1, size, &bytes);
    void *block = overflow ? NULL : arena_alloc(&d->scratch, bytes, 16);
    if (block) memset(block, 0, bytes);
    else fail_memory(&d->g->error);
    return block;
}

/* A derivative program has about this many times the instructions of its primal: what is reserved,
 * so that a large index is not made anew again and again while it grows. */
enum { DERIVATIVE_GROWTH = 4 };

bool derive_begin(struct derivation *d, const wg_program *p, wg_error *error) {
    *d = (struct derivation){.error = error};
    if (failed(error)) return false;
    if (!p) {
        fail_with(error, WG_EARGUMENT, "the program to transform is NULL");
        return false;
    }
    d->scratch.allocator = p->t.allocator;
    d->from = &p->t;
    d->size_map = arena_alloc(&d->scratch, (p->t.size.count + 1) * sizeof *d->size_map, 16);
    if (!d->size_map) fail_memory(error);
    else d->g = graph_like(p, d->size_map, error);
    if (!d->g) return false;
    graph_reserve(d->g, DERIVATIVE_GROWTH * p->t.instr.count);
    size_t ports = p->t.input.count > p->t.output.count ? p->t.input.count : p->t.output.count;
    d->input = derive_array(d, p->t.input.count, sizeof *d->input);
    d->extra = derive_array(d, ports, sizeof *d->extra);
    d->map = derive_array(d, p->t.instr.count, sizeof *d->map);
    d->map_t = derive_array(d, p->t.instr.count, sizeof *d->map_t);
    return d->g->error.status == WG_OK;
}

wg_program *derive_finish(struct derivation *d) {
    wg_program *p = d->g ? graph_build(d->g, d->error) : NULL;
    if (!p && d->error && !d->error->status) fail_memory(d->error);
    arena_free(&d->scratch);
    return p;
}

/* Ports by name while a list is read: open addressing, 1 + index in a slot, 0 for an empty one. */
struct port_table {
    const struct trace *t;
    const struct port *port;
    size_t count, mask;
    uint32_t *slot;
};

/* The slot of the port of this name, an empty one if there is none. */
static uint32_t *port_find(const struct port_table *p, const char *name, size_t length) {
    size_t at = (size_t)hash_bytes(name, length, 0) & p->mask;
    for (; p->slot[at]; at = (at + 1) & p->mask) {
        const char *known = name_at(p->t, p->port[p->slot[at] - 1].name);
        if (strncmp(known, name, length) == 0 && known[length] == 0) break;
    }
    return &p->slot[at];
}

static bool port_table(struct derivation *d, bool outputs, struct port_table *p) {
    const struct trace *t = d->from;
    *p = (struct port_table){.t = t, .port = outputs ? t->output.at : t->input.at,
                             .count = outputs ? t->output.count : t->input.count, .mask = 15};
    while (p->mask < 2 * p->count) p->mask = 2 * p->mask + 1;
    p->slot = derive_array(d, p->mask + 1, sizeof *p->slot);
    for (size_t i = 0; p->slot && i < p->count; i++) {
        const char *name = name_at(t, p->port[i].name);
        *port_find(p, name, strlen(name)) = (uint32_t)i + 1;
    }
    return p->slot != NULL;
}

static bool unknown_name(struct derivation *d, const struct port_table *p, const char *kind,
                         const char *name, size_t length) {
    graph_fail(d->g, WG_ENAME, "there is no %s \"%.*s\"", kind, (int)(length < 64 ? length : 64),
               name);
    wg_text known = {.allocator = d->g->t.allocator};
    bool ok = true;
    for (size_t k = 0; k < p->count && k < 16; k++)
        ok = ok && text_format(&known, "%s%s", k ? ", " : "", name_at(p->t, p->port[k].name));
    if (ok && known.data)
        graph_hint(d->g, "the %ss are %s%s", kind, known.data, p->count > 16 ? ", ..." : "");
    wg_text_free(&known);
    return false;
}

bool derive_list(struct derivation *d, bool outputs, const char *names,
                 struct selection *selection) {
    const char *kind = outputs ? "output" : "input", *start, *cursor = names;
    struct port_table p;
    size_t length;
    if (!port_table(d, outputs, &p)) return false;
    bool *named = derive_array(d, p.count, sizeof *named);
    *selection = (struct selection){derive_array(d, p.count, sizeof *selection->index), 0};
    if (!named || !selection->index) return false;
    while (name_next(&cursor, &start, &length)) {
        uint32_t i = *port_find(&p, start, length);
        if (i-- == 0) return unknown_name(d, &p, kind, start, length);
        if (named[i]) {
            graph_fail(d->g, WG_ENAME, "%s \"%s\" is named twice", kind,
                       name_at(p.t, p.port[i].name));
            return false;
        }
        named[i] = true;
        selection->index[selection->count++] = i;
    }
    return true;
}

bool derive_select(struct derivation *d, bool outputs, const char *names,
                   struct selection *selection) {
    const struct trace *t = d->from;
    size_t count = outputs ? t->output.count : t->input.count;
    const struct port *port = outputs ? t->output.at : t->input.at;
    const char *kind = outputs ? "output" : "input";
    if (!derive_list(d, outputs, names ? names : "", selection)) return false;
    for (size_t k = 0; k < selection->count; k++) {
        struct port chosen = port[selection->index[k]];
        unsigned dtype = type_of(t, chosen.v)->dtype;
        if (dtype_is_float(dtype)) continue;
        graph_fail(d->g, WG_EDTYPE, "%s \"%s\" is of type %s, which has no derivatives", kind,
                   name_at(t, chosen.name), wg_dtype_name((wg_dtype)dtype));
        return false;
    }
    for (size_t i = 0; !names && i < count; i++)
        if (value_is_float(t, port[i].v))
            selection->index[selection->count++] = (uint32_t)i;
    if (selection->count == 0)
        graph_fail(d->g, WG_EDTYPE, "no %s of a floating type to differentiate", kind);
    return d->g->error.status == WG_OK;
}

value derive_input(struct derivation *d, size_t i) {
    value v = d->from->input.at[i].v;
    wg_type type = graph_import_type(d->g, d->from, type_of(d->from, v), d->size_map);
    return d->map[v] = d->input[i] = graph_input(d->g, from_input_name(d, i), &type);
}

bool derive_inputs(struct derivation *d) {
    for (size_t i = 0; i < d->from->input.count && !d->g->error.status; i++) {
        graph_take_site(d->g, d->from, instr_at(d->from, d->from->input.at[i].v)->site);
        derive_input(d, i);
    }
    d->g->site = 0;
    return d->g->error.status == WG_OK;
}

const char *derive_name(struct derivation *d, bool output, const char *format, const char *a,
                        const char *b) {
    size_t room = strlen(format) + strlen(a) + strlen(b) + 16;
    char *name = derive_array(d, room, 1);
    if (!name) return NULL;
    size_t length = 0;
    for (const char *c = format; *c; c++) { /* %a and %b are the two names */
        const char *piece = c[0] == '%' && c[1] == 'a' ? a : c[0] == '%' && c[1] == 'b' ? b : NULL;
        if (piece) {
            memcpy(name + length, piece, strlen(piece));
            length += strlen(piece);
            c++;
        } else {
            name[length++] = *c;
        }
    }
    for (unsigned n = 2; graph_has_port(d->g, output, name); n++)
        snprintf(name + length, room - length, "_%u", n);
    return name;
}

value derive_or_zero(struct derivation *d, value v, value primal) {
    return v ? v : build_like(d->g, primal, 0);
}

void derive_primals(struct derivation *d) {
    for (size_t i = 0; i < d->from->output.count; i++)
        graph_output(d->g, from_output_name(d, i), d->map[d->from->output.at[i].v]);
}
