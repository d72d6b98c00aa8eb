/* Jacobians and Hessians as programs: a jvp or vjp batched over the columns of an identity matrix,
 * so that named sizes stay named and the batch is ordinary tensor code. */
#include "transform/derive.h"

#include "op/build.h"

static wg_extent total_count(struct derivation *d, bool outputs, const struct selection *s) {
    const struct port *port = outputs ? d->from->output.at : d->from->input.at;
    wg_extent total = 0;
    for (size_t i = 0; i < s->count; i++) {
        const wg_type *given = type_of(d->from, port[s->index[i]].v);
        wg_type type = graph_import_type(d->g, d->from, given, d->size_map);
        total = extent_add(d->g, total, type_count(d->g, &type));
    }
    return total;
}

static wg_mode choose_mode(struct derivation *d, const struct selection *x,
                           const struct selection *y) {
    wg_extent in = total_count(d, false, x), out = total_count(d, true, y);
    if (d->g->error.status) return WG_REVERSE;
    int in_degree = extent_degree(&d->g->t, in), out_degree = extent_degree(&d->g->t, out);
    if (in_degree != out_degree) return in_degree < out_degree ? WG_FORWARD : WG_REVERSE;
    return in != out && extent_provably_le(d->g, in, out) ? WG_FORWARD : WG_REVERSE;
}

wg_mode wg_jacobian_mode(const wg_program *program, const char *of, const char *wrt,
                         wg_error *error) {
    struct derivation d;
    struct selection x, y;
    wg_mode mode = WG_AUTO_MODE;
    wg_error local = {0};
    if (failed(error)) return WG_AUTO_MODE;
    if (derive_begin(&d, program, &local) && derive_select(&d, false, wrt, &x) &&
        derive_select(&d, true, of, &y))
        mode = choose_mode(&d, &x, &y);
    if (d.g && d.g->error.status) {
        fail_with(&local, d.g->error.status, "%s", d.g->error.message);
        mode = WG_AUTO_MODE;
    }
    wg_graph_free(d.g);
    arena_free(&d.scratch);
    fail_as(error, &local);
    return mode;
}

/* The rows of an identity matrix as values of this type: [count, type...]. */
static value identity_seeds(wg_graph *g, const wg_type *type, wg_extent count) {
    if (type->rank == WG_MAX_RANK)
        return graph_fail(g, WG_ESHAPE, "jacobian: a value of rank %d has no room for another axis",
                          WG_MAX_RANK);
    wg_type seeds = *type;
    memmove(seeds.extent + 1, seeds.extent, type->rank * sizeof *seeds.extent);
    seeds.extent[0] = count;
    seeds.rank++;
    return build_reshape(g, build_eye(g, (wg_dtype)type->dtype, count), &seeds);
}

/* y's shape followed by x's. */
static bool joined_type(wg_graph *g, const wg_type *y, const wg_type *x, wg_type *joined) {
    if (y->rank + x->rank > WG_MAX_RANK) {
        graph_fail(g, WG_ESHAPE, "jacobian: ranks %d and %d together are more than %d axes",
                   y->rank, x->rank, WG_MAX_RANK);
        return false;
    }
    *joined = *y;
    memcpy(joined->extent + y->rank, x->extent, x->rank * sizeof *x->extent);
    joined->rank = (uint8_t)(y->rank + x->rank);
    return true;
}

/* All outputs of the program `linear` (a jvp or vjp of d->from with one seed as its last input) for
 * the seeds of an identity of this type: result[i] is [count, output i...]. */
static bool batched_rows(struct derivation *d, const wg_program *linear, const wg_type *type,
                         value *result) {
    wg_graph *g = d->g;
    const struct trace *t = &linear->t;
    size_t inputs = d->from->input.count;
    value *input = derive_array(d, t->input.count, sizeof *input);
    bool *batched = derive_array(d, t->input.count, sizeof *batched);
    value *map = derive_array(d, t->instr.count, sizeof *map);
    bool *map_batched = derive_array(d, t->instr.count, sizeof *map_batched);
    if (g->error.status) return false;
    memcpy(input, d->input, inputs * sizeof *input);
    wg_extent count = type_count(g, type);
    batched[inputs] = count != 1; /* one row needs no axis while it is computed */
    input[inputs] = count != 1 ? identity_seeds(g, type, count) : build_full(g, type, 1);
    if (!vmap_program(g, t, input, batched, count, d->size_map, map, map_batched)) return false;
    for (size_t i = 0; i < t->output.count; i++) {
        value v = t->output.at[i].v;
        result[i] = map_batched[v] ? map[v] : batch_broadcast(g, map[v], count);
    }
    return g->error.status == WG_OK;
}

/* A jvp by one input, or a vjp of one output: the program's last input is the seed. */
static wg_program *one_seeded(const wg_program *p, bool forward, const struct selection *seeded,
                              const struct selection *read, wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, p, error)) {
        if (forward) derive_jvp(&d, seeded, read, false, NAMED_AFTER_OUTPUTS);
        else derive_vjp(&d, read, seeded, false);
    }
    return derive_finish(&d);
}

/* A row [count, other...] as a block: dy_dx where y is seeded; where x is, the axis of seeds is the
 * last, since rows are columns then. */
static value block_of(wg_graph *g, value row, const wg_type *seeded, bool forward) {
    wg_type other = *type_of(&g->t, row), joined;
    other.rank--;
    memmove(other.extent, other.extent + 1, other.rank * sizeof *other.extent);
    if (!joined_type(g, forward ? &other : seeded, forward ? seeded : &other, &joined)) return 0;
    if (forward && other.rank) {
        uint8_t perm[WG_MAX_RANK] = {0};
        for (uint8_t k = 0; k < other.rank; k++) perm[k] = (uint8_t)(k + 1);
        row = build_transpose(g, row, perm);
    }
    return build_reshape(g, row, &joined);
}

/* block[i * x.count + k] = d y_i / d x_k. One batched sweep per input forward, per output in
 * reverse. */
static bool jacobian_blocks(struct derivation *d, const wg_program *p, const struct selection *x,
                            const struct selection *y, wg_mode mode, value *block) {
    wg_graph *g = d->g;
    bool forward = mode == WG_FORWARD;
    const struct selection *seeded = forward ? x : y, *read = forward ? y : x;
    value *row = derive_array(d, read->count, sizeof *row);
    for (size_t s = 0; s < seeded->count && !g->error.status; s++) {
        struct selection one = {&seeded->index[s], 1};
        wg_error error = {0};
        wg_program *linear = one_seeded(p, forward, &one, read, &error);
        if (!linear) {
            fail_as(&g->error, &error);
            return false;
        }
        value v = (forward ? d->from->input.at : d->from->output.at)[one.index[0]].v;
        wg_type type = graph_import_type(g, d->from, type_of(d->from, v), d->size_map);
        bool ok = batched_rows(d, linear, &type, row);
        g->imported = NULL; /* its sites went with it */
        wg_program_free(linear);
        for (size_t r = 0; ok && r < read->count; r++)
            block[forward ? r * x->count + s : s * x->count + r] =
                block_of(g, row[r], &type, forward);
    }
    return g->error.status == WG_OK;
}

/* "dy_dx", or of the program whose gradient this one is, named_after, "d2y_da_db". */
static const char *block_name(struct derivation *d, const struct selection *x,
                              const struct selection *y, size_t iy, size_t ix,
                              const wg_program *named_after) {
    const char *b = from_input_name(d, x->index[ix]);
    if (!named_after)
        return derive_name(d, true, "d%a_d%b", from_output_name(d, y->index[iy]), b);
    /* the outputs are gradients by the same inputs, in the same order */
    const char *a = from_input_name(d, x->index[iy]);
    const char *first = derive_name(d, true, "d2%a_d%b", wg_output_name(named_after, 0), a);
    return first ? derive_name(d, true, "%a_d%b", first, b) : NULL;
}

/* named_after: NULL, or the program whose gradient this one is. */
static wg_program *jacobian(const wg_program *program, const char *of, const char *wrt,
                            wg_mode mode, const wg_program *named_after, wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (derive_begin(&d, program, error) && derive_select(&d, false, wrt, &x) &&
        derive_select(&d, true, of, &y) && derive_inputs(&d)) {
        value *block = derive_array(&d, x.count * y.count, sizeof *block);
        if (mode == WG_AUTO_MODE) mode = choose_mode(&d, &x, &y);
        bool ok = block && jacobian_blocks(&d, program, &x, &y, mode, block);
        for (size_t i = 0; ok && i < y.count * x.count; i++) {
            const char *name = block_name(&d, &x, &y, i / x.count, i % x.count, named_after);
            if (name) graph_output(d.g, name, block[i]);
        }
    }
    return derive_finish(&d);
}

wg_program *wg_jacobian(const wg_program *program, const char *of, const char *wrt, wg_mode mode,
                        wg_error *error) {
    return jacobian(program, of, wrt, mode, NULL, error);
}

wg_program *wg_hessian(const wg_program *program, const char *wrt, wg_error *error) {
    wg_program *grad = wg_grad(program, wrt, error);
    if (!grad) return NULL;
    wg_program *hessian = jacobian(grad, NULL, wrt, WG_FORWARD, program, error);
    wg_program_free(grad);
    return hessian;
}
