/* The program behind sparse values: a jvp or vjp, batched over colours, whose seeds it makes
 * itself, 1 where an element has the colour and 0 elsewhere. It stays a program of named sizes. */
#include "transform/pattern.h"

#include "op/build.h"
#include "op/describe.h"

static wg_type port_type(struct derivation *d, bool output, uint32_t k) {
    value v = (output ? d->from->output.at : d->from->input.at)[k].v;
    return graph_import_type(d->g, d->from, type_of(d->from, v), d->size_map);
}

static wg_extent all_elements(struct derivation *d, bool outputs, const struct selection *s) {
    wg_extent sum = 0;
    for (size_t i = 0; i < s->count; i++) {
        wg_type type = port_type(d, outputs, s->index[i]);
        sum = extent_add(d->g, sum, type_count(d->g, &type));
    }
    return sum;
}

/* [directions, type...]: 1 where the colour of an element, from `at` on, is first + direction. */
static value seeds(wg_graph *g, const wg_type *type, value colour, value lane, wg_extent at) {
    if (type->rank == WG_MAX_RANK)
        return graph_fail(g, WG_ESHAPE, "sparse: a value of rank %d has no room for another axis",
                          WG_MAX_RANK);
    wg_extent count = type_count(g, type), directions = type_of(&g->t, lane)->extent[0];
    wg_type shape = *type, batched = type_prepend(type, directions);
    shape.dtype = batched.dtype = WG_I32;
    value own = build_slice(g, colour, &at, &count, (const int64_t[]){1});
    value each = build_broadcast(g, own ? build_reshape(g, own, &shape) : 0, &batched,
                                 axes_below(batched.rank) & ~1u);
    value lanes = build_broadcast(g, lane, &batched, 1);
    if (!each || !lanes) return 0;
    return build_cast(g, (wg_dtype)type->dtype, build_binary(g, OP_eq, each, lanes));
}

/* The results of the batch, one behind the other: [directions, elements]. */
static value joined(struct derivation *d, const struct trace *linear, const value *map,
                    const bool *on_axis, wg_extent directions) {
    wg_graph *g = d->g;
    value all = 0;
    for (size_t i = 0; i < linear->output.count && !g->error.status; i++) {
        value v = linear->output.at[i].v, part = map[v];
        if (!on_axis[v]) part = batch_broadcast(g, part, directions);
        if (!part) return 0;
        wg_type type = *type_of(&g->t, part), rest = type_without(&type, 1);
        wg_type flat = {.dtype = type.dtype, .rank = 2, .extent = {directions, 0}};
        flat.extent[1] = type_count(g, &rest);
        part = build_cast(g, WG_F64, build_reshape(g, part, &flat));
        /* two at a time: an instruction has at most 255 arguments */
        all = all ? build_concat(g, (const value[]){all, part}, 2, 1) : part;
    }
    return all;
}

static bool compress(struct derivation *d, const wg_program *linear, bool forward,
                     const struct selection *seeded, int64_t directions) {
    wg_graph *g = d->g;
    const struct trace *t = &linear->t;
    size_t inputs = d->from->input.count;
    value *input = derive_array(d, t->input.count, sizeof *input);
    bool *batched = derive_array(d, t->input.count, sizeof *batched);
    value *map = derive_array(d, t->instr.count, sizeof *map);
    bool *on_axis = derive_array(d, t->instr.count, sizeof *on_axis);
    if (g->error.status || !derive_inputs(d)) return false;
    memcpy(input, d->input, inputs * sizeof *input);
    wg_type of_colour = {.dtype = WG_I32, .rank = 1, .extent = {all_elements(d, !forward, seeded)}};
    wg_type of_first = {.dtype = WG_I32};
    value colour = graph_input(g, derive_name(d, false, "colour", "", ""), &of_colour);
    value first = graph_input(g, derive_name(d, false, "first", "", ""), &of_first);
    value lane = build_add(g, build_cast(g, WG_I32, build_iota(g, directions)), first);
    wg_extent at = 0;
    for (size_t i = 0; i < seeded->count && !g->error.status; i++) {
        wg_type type = port_type(d, !forward, seeded->index[i]);
        input[inputs + i] = seeds(g, &type, colour, lane, at);
        batched[inputs + i] = true;
        at = extent_add(g, at, type_count(g, &type));
    }
    if (g->error.status ||
        !vmap_program(g, t, input, batched, directions, d->size_map, map, on_axis))
        return false;
    value all = joined(d, t, map, on_axis, directions);
    if (all) graph_output(g, "compressed", all);
    return g->error.status == WG_OK;
}

wg_program *compress_program(const wg_program *p, const char *of, const char *wrt, bool forward,
                             int64_t directions, wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (derive_begin(&d, p, error) && derive_select(&d, false, wrt, &x) &&
        derive_select(&d, true, of, &y)) {
        if (forward)
            derive_jvp(&d, &x, &y, false, NAMED_AFTER_OUTPUTS);
        else
            derive_vjp(&d, &x, &y, false);
    }
    wg_program *linear = derive_finish(&d);
    if (!linear) return NULL;
    if (derive_begin(&d, p, error) && derive_select(&d, false, wrt, &x) &&
        derive_select(&d, true, of, &y)) {
        compress(&d, linear, forward, forward ? &x : &y, directions);
        d.g->imported = NULL; /* its sites go with it */
    }
    wg_program_free(linear);
    return derive_finish(&d);
}
