/* Programs over other sizes: vmap gives them an axis of examples, specialize fixes named sizes. */
#include "transform/derive.h"

#include "op/build.h"

#include <stdlib.h>

/* ---- vmap ------------------------------------------------------------------------------------ */

bool derive_batched_inputs(struct derivation *d, const bool *batched, wg_extent extent) {
    wg_graph *g = d->g;
    for (size_t i = 0; i < d->from->input.count && !g->error.status; i++) {
        value v = d->from->input.at[i].v;
        wg_type type = graph_import_type(g, d->from, type_of(d->from, v), d->size_map);
        graph_take_site(g, d->from, instr_at(d->from, v)->site);
        if (batched[i] && type.rank == WG_MAX_RANK) {
            graph_fail(g, WG_ESHAPE, "vmap: input \"%s\" has rank %d already",
                       from_input_name(d, i), WG_MAX_RANK);
            return false;
        }
        if (batched[i]) {
            memmove(type.extent + 1, type.extent, type.rank * sizeof *type.extent);
            type.extent[0] = extent;
            type.rank++;
        }
        d->input[i] = graph_input(g, from_input_name(d, i), &type);
    }
    g->site = 0;
    return g->error.status == WG_OK;
}

/* Where ports have the axis of the batch; of each input, and of each output. */
enum { LEADING = 0, UNBATCHED = 255 };

/* "axis" of "name:axis", and the length of the name; an axis below 0 counts from the end. */
static bool read_axis(struct derivation *d, const char *item, size_t length, size_t *name,
                      int *axis) {
    const char *colon = item + length;
    while (colon > item && *colon != ':') colon--;
    *name = length;
    *axis = LEADING;
    if (colon == item) return true;
    *name = (size_t)(colon - item);
    const char *digit = colon + 1, *end = item + length;
    if (end - digit == 4 && memcmp(digit, "none", 4) == 0) return *axis = UNBATCHED, true;
    bool minus = digit < end && *digit == '-';
    if (minus) digit++;
    if (end - digit == 1 && *digit >= '0' && *digit <= '7') {
        *axis = minus ? -(*digit - '0') : *digit - '0';
        if (!minus || *axis) return true;
    }
    graph_fail(d->g, WG_EARGUMENT, "vmap: \"%.*s\" is not of the form name:axis",
               (int)(length < 64 ? length : 64), item);
    graph_hint(d->g, "axes are 0 to 7, or -1 to -7 from the end; an output that is one for all "
                     "examples has :none");
    return false;
}

/* Reads "x, y:1, z:-1" into axis[port]; what is not named is left as it is. */
static bool read_axes(struct derivation *d, bool outputs, const char *list, uint8_t *axis) {
    struct selection chosen = {0};
    const struct trace *t = d->from;
    const char *cursor = list, *item;
    size_t length, name, at = 0;
    char *names = derive_array(d, strlen(list) + 2, 1);
    if (!names) return false;
    while (name_next(&cursor, &item, &length)) {
        int given;
        if (!read_axis(d, item, length, &name, &given)) return false;
        if (at) names[at++] = ',';
        memcpy(names + at, item, name);
        at += name;
    }
    if (!derive_list(d, outputs, names, &chosen)) return false;
    cursor = list;
    for (size_t k = 0; name_next(&cursor, &item, &length); k++) {
        const struct port *port = outputs ? &t->output.at[chosen.index[k]]
                                          : &t->input.at[chosen.index[k]];
        int given, rank = type_of(t, port->v)->rank + 1;
        read_axis(d, item, length, &name, &given);
        if (given < 0) given += rank;
        bool none = given == UNBATCHED;
        if ((none && !outputs) || (!none && (given < 0 || given >= rank))) {
            graph_fail(d->g, WG_EARGUMENT,
                       "vmap: %s \"%s\" has %d ax%s with that of the batch: \"%.*s\" is none of "
                       "them",
                       outputs ? "output" : "input", name_at(t, port->name), rank,
                       rank == 1 ? "is" : "es", (int)(length < 64 ? length : 64), item);
            return false;
        }
        axis[chosen.index[k]] = (uint8_t)given;
    }
    return true;
}

/* The leading axis to `axis`, or that to the front. */
static value move_axis(wg_graph *g, value v, uint8_t axis, bool to_front) {
    uint8_t perm[WG_MAX_RANK];
    if (axis == 0 || !v) return v;
    uint8_t rank = type_of(&g->t, v)->rank;
    for (uint8_t k = 0; k < rank; k++) {
        if (to_front) perm[k] = k == 0 ? axis : k <= axis ? (uint8_t)(k - 1) : k;
        else perm[k] = k == axis ? 0 : k < axis ? (uint8_t)(k + 1) : k;
    }
    return build_transpose(g, v, perm);
}

static wg_type insert_axis(const wg_type *type, uint8_t axis, wg_extent extent) {
    wg_type result = *type;
    memmove(result.extent + axis + 1, type->extent + axis,
            (type->rank - axis) * sizeof *type->extent);
    result.extent[axis] = extent;
    result.rank++;
    return result;
}

static bool map_inputs(struct derivation *d, const uint8_t *axis, bool *batched, wg_extent extent) {
    wg_graph *g = d->g;
    for (size_t i = 0; i < d->from->input.count && !g->error.status; i++) {
        value v = d->from->input.at[i].v;
        wg_type type = graph_import_type(g, d->from, type_of(d->from, v), d->size_map);
        graph_take_site(g, d->from, instr_at(d->from, v)->site);
        batched[i] = axis[i] != UNBATCHED;
        if (batched[i] && type.rank == WG_MAX_RANK) {
            graph_fail(g, WG_ESHAPE, "vmap: input \"%s\" has rank %d already",
                       from_input_name(d, i), WG_MAX_RANK);
            return false;
        }
        if (batched[i]) type = insert_axis(&type, axis[i], extent);
        d->input[i] = graph_input(g, from_input_name(d, i), &type);
    }
    for (size_t i = 0; i < d->from->input.count && !g->error.status; i++)
        if (batched[i]) d->input[i] = move_axis(g, d->input[i], axis[i], true);
    g->site = 0;
    return g->error.status == WG_OK;
}

static bool map_program(struct derivation *d, const char *over, const char *of, wg_extent extent) {
    wg_graph *g = d->g;
    size_t inputs = d->from->input.count, outputs = d->from->output.count;
    bool *batched = derive_array(d, inputs, sizeof *batched);
    bool *map_batched = derive_array(d, d->from->instr.count, sizeof *map_batched);
    uint8_t *in = derive_array(d, inputs, 1), *out = derive_array(d, outputs, 1);
    if (g->error.status) return false;
    if (over) memset(in, UNBATCHED, inputs);
    if ((over && !read_axes(d, false, over, in)) || (of && !read_axes(d, true, of, out)) ||
        !map_inputs(d, in, batched, extent) ||
        !vmap_program(g, d->from, d->input, batched, extent, d->size_map, d->map, map_batched))
        return false;
    for (size_t i = 0; i < outputs && !g->error.status; i++) {
        value v = d->from->output.at[i].v, y = d->map[v];
        if (out[i] == UNBATCHED && map_batched[v]) {
            graph_fail(g, WG_EARGUMENT, "vmap: output \"%s\" is another one for each example, and "
                                        "has no axis for them", from_output_name(d, i));
            return false;
        }
        if (!map_batched[v] && out[i] != UNBATCHED) y = batch_broadcast(g, y, extent);
        graph_output(g, from_output_name(d, i),
                     out[i] == UNBATCHED ? y : move_axis(g, y, out[i], false));
    }
    return g->error.status == WG_OK;
}

wg_program *wg_vmap_axes(const wg_program *program, const char *over, const char *of,
                         const char *size, wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, program, error)) {
        wg_graph *g = d.g;
        if (!size || !size[0]) graph_fail(g, WG_ENAME, "vmap: the new size needs a name");
        else if (wg_size_index(program, size) >= 0)
            graph_fail(g, WG_ENAME, "vmap: there is a size \"%s\" already", size);
        wg_extent extent = extent_size(g, graph_size(g, size));
        if (!g->error.status) map_program(&d, over, of, extent);
    }
    return derive_finish(&d);
}

wg_program *wg_vmap(const wg_program *program, const char *over, const char *size,
                    wg_error *error) {
    return wg_vmap_axes(program, over, NULL, size, error);
}

/* ---- specialize ------------------------------------------------------------------------------ */

/* before and behind stand around the text at fault. */
static bool bad_size(struct derivation *d, wg_status status, const char *text, size_t length,
                     const char *before, const char *behind) {
    graph_fail(d->g, status, "specialize: %s%.*s%s", before, (int)(length < 64 ? length : 64),
               text, behind);
    return false;
}

/* Reads one of "n=100, m=3". */
static bool read_size(struct derivation *d, const char *item, size_t length) {
    const struct trace *t = d->from;
    const char *equals = memchr(item, '=', length);
    if (!equals)
        return bad_size(d, WG_ESYNTAX, item, length, "\"", "\" is not of the form size=number");
    size_t name = (size_t)(equals - item), digits = length - name - 1, index = 0;
    while (name > 0 && item[name - 1] == ' ') name--;
    const char *digit = equals + 1;
    for (; digits > 0 && *digit == ' '; digits--) digit++;
    for (; index < t->size.count; index++) {
        const char *known = name_at(t, t->size.at[index]);
        if (strncmp(known, item, name) == 0 && known[name] == 0) break;
    }
    if (index == t->size.count)
        return bad_size(d, WG_ENAME, item, name, "there is no size \"", "\"");
    if (d->size_map[index] >= 0)
        return bad_size(d, WG_ENAME, item, name, "size \"", "\" is given twice");
    int64_t number = 0;
    bool good = digits > 0;
    for (; digits > 0 && good; digits--, digit++)
        good = *digit >= '0' && *digit <= '9' && !mul_overflows(number, 10, &number) &&
               !add_overflows(number, *digit - '0', &number);
    if (!good)
        return bad_size(d, WG_EARGUMENT, item, name, "", " needs a number that is at least 0");
    d->size_map[index] = number;
    return true;
}

/* Begins the graph anew: the sizes that stay are numbered again, those given are numbers. */
static bool renumber_sizes(struct derivation *d) {
    const struct trace *t = d->from;
    wg_graph *g = graph_new(&t->allocator);
    if (!g) {
        fail_memory(&d->g->error);
        return false;
    }
    wg_graph_free(d->g);
    d->g = g;
    for (size_t i = 0; i < t->size.count; i++)
        if (d->size_map[i] < 0)
            d->size_map[i] = extent_size(g, graph_size(g, name_at(t, t->size.at[i])));
    return graph_import_checks(g, t, d->size_map);
}

/* With sizes given, an extent of an input may turn out to be no length. */
static bool check_inputs(struct derivation *d) {
    wg_graph *g = d->g;
    for (size_t i = 0; i < d->from->input.count; i++) {
        const wg_type *type = type_of(&g->t, d->input[i]);
        for (size_t k = 0; k < type->rank; k++) {
            wg_extent e = type->extent[k];
            if (e >= 0 || extent_degree(&g->t, e) > 0) continue;
            g->site = instr_at(&g->t, d->input[i])->site;
            graph_fail(g, WG_ESHAPE,
                       "specialize: axis %zu of input \"%s\" would have a negative extent", k,
                       from_input_name(d, i));
            return false;
        }
    }
    return true;
}

wg_program *wg_specialize(const wg_program *program, const char *sizes, wg_error *error) {
    struct derivation d;
    if (!derive_begin(&d, program, error)) return derive_finish(&d);
    const char *start, *cursor = sizes;
    size_t length;
    bool ok = true;
    while (ok && name_next(&cursor, &start, &length)) ok = read_size(&d, start, length);
    if (ok && renumber_sizes(&d) && derive_inputs(&d) && check_inputs(&d) &&
        graph_inline(d.g, d.from, d.input, d.size_map, d.map))
        derive_primals(&d);
    return derive_finish(&d);
}
