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

static bool map_program(struct derivation *d, const char *over, wg_extent extent) {
    wg_graph *g = d->g;
    struct selection named = {0};
    bool *batched = derive_array(d, d->from->input.count, sizeof *batched);
    bool *map_batched = derive_array(d, d->from->instr.count, sizeof *map_batched);
    if (g->error.status || (over && !derive_list(d, false, over, &named))) return false;
    for (size_t i = 0; !over && i < d->from->input.count; i++) batched[i] = true;
    for (size_t i = 0; i < named.count; i++) batched[named.index[i]] = true;
    if (!derive_batched_inputs(d, batched, extent) ||
        !vmap_program(g, d->from, d->input, batched, extent, d->size_map, d->map, map_batched))
        return false;
    for (size_t i = 0; i < d->from->output.count; i++) {
        value v = d->from->output.at[i].v;
        value y = map_batched[v] ? d->map[v] : batch_broadcast(g, d->map[v], extent);
        graph_output(g, from_output_name(d, i), y);
    }
    return g->error.status == WG_OK;
}

wg_program *wg_vmap(const wg_program *program, const char *over, const char *size,
                    wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, program, error)) {
        wg_graph *g = d.g;
        if (!size || !size[0]) graph_fail(g, WG_ENAME, "vmap: the new size needs a name");
        else if (wg_size_index(program, size) >= 0)
            graph_fail(g, WG_ENAME, "vmap: there is a size \"%s\" already", size);
        wg_extent extent = extent_size(g, graph_size(g, size));
        if (!g->error.status) map_program(&d, over, extent);
    }
    return derive_finish(&d);
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
