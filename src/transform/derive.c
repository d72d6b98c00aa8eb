/* The public transformations as programs: jvp, vjp, grad, hvp, vmap, specialize. Jacobians and
 * Hessians are in jacobian.c. */
#include "transform/derive.h"

#include "op/build.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what they share ------------------------------------------------------------------------------ */

void *derive_array(struct derivation *d, size_t count, size_t size) {
    size_t bytes;
    void *block = NULL;
    if (!__builtin_mul_overflow(count + 1, size, &bytes)) block = arena_alloc(&d->scratch, bytes, 16);
    if (block) memset(block, 0, bytes);
    else fail_memory(&d->g->error);
    return block;
}

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

static bool select_named(struct derivation *d, bool outputs, const char *names,
                         struct selection *selection) {
    const struct trace *t = d->from;
    size_t count = outputs ? t->output.count : t->input.count, length;
    const struct port *port = outputs ? t->output.at : t->input.at;
    const char *kind = outputs ? "output" : "input", *start, *cursor = names;
    while (name_next(&cursor, &start, &length)) {
        size_t i = 0;
        for (; i < count; i++) {
            const char *name = name_at(t, port[i].name);
            if (strncmp(name, start, length) == 0 && name[length] == 0) break;
        }
        if (i == count) {
            graph_fail(d->g, WG_ENAME, "there is no %s \"%.*s\"", kind, (int)(length < 64 ? length : 64), start);
            wg_text known = {.allocator = d->g->t.allocator};
            bool ok = true;
            for (size_t k = 0; k < count && k < 16; k++)
                ok = ok && text_format(&known, "%s%s", k ? ", " : "", name_at(t, port[k].name));
            if (ok && known.data) graph_hint(d->g, "the %ss are %s", kind, known.data);
            wg_text_free(&known);
            return false;
        }
        const wg_type *type = type_of(t, port[i].v);
        if (!dtype_is_float(type->dtype)) {
            graph_fail(d->g, WG_EDTYPE, "%s \"%s\" is of type %s, which has no derivatives", kind,
                       name_at(t, port[i].name), wg_dtype_name((wg_dtype)type->dtype));
            return false;
        }
        for (size_t k = 0; k < selection->count; k++) {
            if (selection->index[k] != i) continue;
            graph_fail(d->g, WG_ENAME, "%s \"%s\" is named twice", kind, name_at(t, port[i].name));
            return false;
        }
        selection->index[selection->count++] = (uint32_t)i;
    }
    return true;
}

bool derive_select(struct derivation *d, bool outputs, const char *names,
                   struct selection *selection) {
    const struct trace *t = d->from;
    size_t count = outputs ? t->output.count : t->input.count;
    const struct port *port = outputs ? t->output.at : t->input.at;
    *selection = (struct selection){derive_array(d, count, sizeof(uint32_t)), 0};
    if (!selection->index) return false;
    if (names && !select_named(d, outputs, names, selection)) return false;
    for (size_t i = 0; !names && i < count; i++)
        if (dtype_is_float(type_of(t, port[i].v)->dtype))
            selection->index[selection->count++] = (uint32_t)i;
    if (selection->count == 0)
        graph_fail(d->g, WG_EDTYPE, "no %s of a floating type to differentiate",
                   outputs ? "output" : "input");
    return d->g->error.status == WG_OK;
}

bool derive_inputs(struct derivation *d) {
    for (size_t i = 0; i < d->from->input.count && !d->g->error.status; i++) {
        value v = d->from->input.at[i].v;
        wg_type type = graph_import_type(d->g, d->from, type_of(d->from, v), d->size_map);
        graph_take_site(d->g, d->from, instr_at(d->from, v)->site);
        d->input[i] = graph_input(d->g, from_input_name(d, i), &type);
    }
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

static void output_primals(struct derivation *d) {
    for (size_t i = 0; i < d->from->output.count; i++)
        graph_output(d->g, from_output_name(d, i), d->map[d->from->output.at[i].v]);
}

/* A new input of the type of v, for a tangent or adjoint of it. */
static value seed_input(struct derivation *d, const char *format, const char *name, value v) {
    const char *fresh = derive_name(d, false, format, name, "");
    if (!fresh || d->g->error.status) return 0;
    wg_type type = *type_of(&d->g->t, v);
    return graph_input(d->g, fresh, &type);
}

/* ---- jvp ------------------------------------------------------------------------------------------- */

wg_program *derive_jvp(const wg_program *p, const char *of, const char *wrt, bool keep,
                       enum tangent_names names, wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (derive_begin(&d, p, error) && derive_select(&d, false, wrt, &x) &&
        derive_select(&d, true, of, &y) && derive_inputs(&d)) {
        for (size_t i = 0; i < x.count; i++) {
            uint32_t k = x.index[i];
            d.extra[k] = seed_input(&d, "%a_dot", from_input_name(&d, k), d.input[k]);
        }
        if (jvp_program(d.g, d.from, d.input, d.extra, d.size_map, NULL, d.map, d.map_t)) {
            if (keep) output_primals(&d);
            for (size_t i = 0; i < y.count; i++) {
                value v = d.from->output.at[y.index[i]].v;
                const char *name =
                    names == NAMED_AFTER_OUTPUTS
                        ? derive_name(&d, true, "%a_dot", from_output_name(&d, y.index[i]), "")
                        : derive_name(&d, true, "H%a", from_input_name(&d, x.index[i]), "");
                if (name) graph_output(d.g, name, derive_or_zero(&d, d.map_t[v], d.map[v]));
            }
        }
    }
    return derive_finish(&d);
}

wg_program *wg_jvp(const wg_program *program, const char *of, const char *wrt, wg_error *error) {
    return derive_jvp(program, of, wrt, true, NAMED_AFTER_OUTPUTS, error);
}

/* ---- vjp ------------------------------------------------------------------------------------------- */

/* Adjoints of the inputs x for seeds of the outputs y, as outputs named by format. */
static void adjoints_out(struct derivation *d, const struct selection *x, const struct selection *y,
                         const value *seed, const char *format) {
    value *wrt = derive_array(d, x->count, sizeof *wrt);
    value *primal = derive_array(d, y->count, sizeof *primal);
    value *adjoint = derive_array(d, x->count, sizeof *adjoint);
    if (d->g->error.status) return;
    for (size_t i = 0; i < x->count; i++) wrt[i] = d->input[x->index[i]];
    for (size_t i = 0; i < y->count; i++) primal[i] = d->map[d->from->output.at[y->index[i]].v];
    if (!vjp_graph(d->g, primal, seed, y->count, wrt, x->count, NULL, adjoint, NULL)) return;
    for (size_t i = 0; i < x->count; i++) {
        const char *name = derive_name(d, true, format, from_input_name(d, x->index[i]), "");
        if (name) graph_output(d->g, name, derive_or_zero(d, adjoint[i], wrt[i]));
    }
}

wg_program *derive_vjp(const wg_program *p, const char *of, const char *wrt, bool keep,
                       wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (derive_begin(&d, p, error) && derive_select(&d, false, wrt, &x) &&
        derive_select(&d, true, of, &y) && derive_inputs(&d) &&
        graph_inline(d.g, d.from, d.input, d.size_map, d.map)) {
        for (size_t i = 0; i < y.count; i++)
            d.extra[i] = seed_input(&d, "%a_bar", from_output_name(&d, y.index[i]),
                                    d.map[d.from->output.at[y.index[i]].v]);
        if (keep) output_primals(&d);
        adjoints_out(&d, &x, &y, d.extra, "%a_bar");
    }
    return derive_finish(&d);
}

wg_program *wg_vjp(const wg_program *program, const char *of, const char *wrt, wg_error *error) {
    return derive_vjp(program, of, wrt, true, error);
}

static wg_program *gradient(const wg_program *p, const char *wrt, bool keep, wg_error *error) {
    struct derivation d;
    struct selection x;
    if (derive_begin(&d, p, error) && derive_select(&d, false, wrt, &x) && derive_inputs(&d) &&
        graph_inline(d.g, d.from, d.input, d.size_map, d.map)) {
        value y = d.map[d.from->output.at[0].v];
        const wg_type *type = type_of(&d.g->t, y);
        if (type->rank != 0 || !dtype_is_float(type->dtype)) {
            wg_text text = {.allocator = d.g->t.allocator};
            if (type_text(&d.g->t, type, &text))
                graph_fail(d.g, WG_ESHAPE, "gradient: output \"%s\" is %s, not a floating scalar",
                           from_output_name(&d, 0), text.data);
            else fail_memory(&d.g->error);
            graph_hint(d.g, "sum it, or ask for a Jacobian");
            wg_text_free(&text);
        } else {
            uint32_t first = 0;
            struct selection one = {&first, 1};
            value seed = build_like(d.g, y, 1);
            if (keep) output_primals(&d);
            adjoints_out(&d, &x, &one, &seed, "d%a");
        }
    }
    return derive_finish(&d);
}

wg_program *wg_grad(const wg_program *program, const char *wrt, wg_error *error) {
    return gradient(program, wrt, false, error);
}

wg_program *wg_value_and_grad(const wg_program *program, const char *wrt, wg_error *error) {
    return gradient(program, wrt, true, error);
}

wg_program *wg_hvp(const wg_program *program, const char *wrt, wg_error *error) {
    wg_program *grad = wg_grad(program, wrt, error);
    if (!grad) return NULL;
    wg_program *hvp = derive_jvp(grad, NULL, wrt, false, NAMED_AFTER_INPUTS, error);
    wg_program_free(grad);
    return hvp;
}

/* ---- vmap, specialize ---------------------------------------------------------------------------------- */

wg_program *wg_vmap(const wg_program *program, const char *over, const char *size,
                    wg_error *error) {
    struct derivation d;
    if (!derive_begin(&d, program, error)) return derive_finish(&d);
    wg_graph *g = d.g;
    size_t inputs = d.from->input.count, length;
    bool *batched = derive_array(&d, inputs, sizeof *batched);
    bool *map_batched = derive_array(&d, d.from->instr.count, sizeof *map_batched);
    if (!size || !size[0]) graph_fail(g, WG_ENAME, "vmap: the new size needs a name");
    else if (wg_size_index(program, size) >= 0)
        graph_fail(g, WG_ENAME, "vmap: there is a size \"%s\" already", size);
    if (g->error.status) return derive_finish(&d);
    wg_extent extent = extent_size(g, graph_size(g, size));
    const char *start, *cursor = over;
    while (over && name_next(&cursor, &start, &length)) {
        size_t i = 0;
        while (i < inputs && (strncmp(from_input_name(&d, i), start, length) != 0 ||
                              from_input_name(&d, i)[length] != 0))
            i++;
        if (i < inputs) batched[i] = true;
        else graph_fail(g, WG_ENAME, "vmap: there is no input \"%.*s\"", (int)(length < 64 ? length : 64), start);
    }
    for (size_t i = 0; i < inputs && !g->error.status; i++) {
        value v = d.from->input.at[i].v;
        wg_type type = graph_import_type(g, d.from, type_of(d.from, v), d.size_map);
        batched[i] |= !over;
        if (batched[i] && type.rank == WG_MAX_RANK)
            graph_fail(g, WG_ESHAPE, "vmap: input \"%s\" has rank %d already", from_input_name(&d, i), WG_MAX_RANK);
        if (batched[i] && !g->error.status) {
            memmove(type.extent + 1, type.extent, type.rank * sizeof *type.extent);
            type.extent[0] = extent;
            type.rank++;
        }
        d.input[i] = graph_input(g, from_input_name(&d, i), &type);
    }
    if (!g->error.status && vmap_program(g, d.from, d.input, batched, extent, d.size_map, d.map, map_batched))
        for (size_t i = 0; i < d.from->output.count; i++) {
            value v = d.from->output.at[i].v;
            graph_output(g, from_output_name(&d, i),
                         map_batched[v] ? d.map[v] : batch_broadcast(g, d.map[v], extent));
        }
    return derive_finish(&d);
}

/* Reads "n=100, m=3" into size_map. */
static bool read_sizes(struct derivation *d, const wg_program *p, const char *sizes) {
    const char *start, *cursor = sizes;
    size_t length;
    while (name_next(&cursor, &start, &length)) {
        char item[96], *end;
        if (length >= sizeof item) length = sizeof item - 1;
        memcpy(item, start, length);
        item[length] = 0;
        char *equals = strchr(item, '=');
        if (!equals) {
            graph_fail(d->g, WG_ESYNTAX, "specialize: \"%s\" is not of the form size=number", item);
            return false;
        }
        char *stop = equals;
        while (stop > item && stop[-1] == ' ') stop--;
        *stop = 0;
        long long number = strtoll(equals + 1, &end, 10);
        while (*end == ' ') end++;
        int index = wg_size_index(p, item);
        if (index < 0) graph_fail(d->g, WG_ENAME, "specialize: there is no size \"%s\"", item);
        else if (*end || end == equals + 1 || number < 0 || number == INT64_MAX)
            graph_fail(d->g, WG_EARGUMENT, "specialize: %s needs a number that is at least 0", item);
        else d->size_map[index] = number;
        if (d->g->error.status) return false;
    }
    return true;
}

wg_program *wg_specialize(const wg_program *program, const char *sizes, wg_error *error) {
    struct derivation d;
    if (!derive_begin(&d, program, error)) return derive_finish(&d);
    bool ok = read_sizes(&d, program, sizes ? sizes : "");
    if (ok) { /* the sizes that stay are numbered anew, and the checks are decided */
        wg_graph *g = graph_new(&program->t.allocator);
        if (!g) {
            fail_memory(&d.g->error);
            return derive_finish(&d);
        }
        wg_graph_free(d.g);
        d.g = g;
        for (size_t i = 0; i < program->t.size.count; i++)
            if (d.size_map[i] < 0)
                d.size_map[i] = extent_size(g, graph_size(g, wg_size_name(program, i)));
        if (graph_import_checks(g, d.from, d.size_map) && derive_inputs(&d) &&
            graph_inline(g, d.from, d.input, d.size_map, d.map))
            output_primals(&d);
    }
    return derive_finish(&d);
}
