/* Derivatives as programs: jvp, vjp, grad, value and grad, hvp. The walks that append them are in
 * jvp.c and vjp.c; Jacobians and Hessians are in jacobian.c. */
#include "transform/derive.h"

#include "op/build.h"
#include "transform/region.h"

/* A new input of the type of v, for a tangent or adjoint of it. */
static value seed_input(struct derivation *d, const char *format, const char *name, value v) {
    const char *fresh = derive_name(d, false, format, name, "");
    if (!fresh || d->g->error.status) return 0;
    wg_type type = *type_of(&d->g->t, v);
    d->g->site = instr_at(&d->g->t, v)->site;
    value seed = graph_input(d->g, fresh, &type);
    d->g->site = 0;
    return seed;
}

/* ---- jvp ------------------------------------------------------------------------------------- */

bool derive_jvp(struct derivation *d, const struct selection *x, const struct selection *y,
                bool keep, enum tangent_names names) {
    if (!derive_inputs(d)) return false;
    for (size_t i = 0; i < x->count; i++) {
        uint32_t k = x->index[i];
        d->extra[k] = seed_input(d, "%a_dot", from_input_name(d, k), d->input[k]);
    }
    if (!jvp_program(d->g, d->from, d->input, d->extra, d->size_map, y->index,
                     y->count, NULL, d->map, d->map_t))
        return false;
    if (keep) derive_primals(d);
    for (size_t i = 0; i < y->count; i++) {
        value v = d->from->output.at[y->index[i]].v;
        const char *name;
        if (names == NAMED_AFTER_INPUTS)
            name = derive_name(d, true, "H%a", from_input_name(d, x->index[i]), "");
        else name = derive_name(d, true, "%a_dot", from_output_name(d, y->index[i]), "");
        if (name) graph_output(d->g, name, derive_or_zero(d, d->map_t[v], d->map[v]));
    }
    return d->g->error.status == WG_OK;
}

wg_program *wg_jvp(const wg_program *program, const char *of, const char *wrt, wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (derive_begin(&d, program, error) && derive_select(&d, false, wrt, &x) &&
        derive_select(&d, true, of, &y))
        derive_jvp(&d, &x, &y, true, NAMED_AFTER_OUTPUTS);
    return derive_finish(&d);
}

/* ---- vjp ------------------------------------------------------------------------------------- */

/* Adjoints of the inputs x for seeds of the outputs y, as outputs named by format. */
static bool adjoints_out(struct derivation *d, const struct selection *x,
                         const struct selection *y, const value *seed, const char *format) {
    value *wrt = derive_array(d, x->count, sizeof *wrt);
    value *primal = derive_array(d, y->count, sizeof *primal);
    value *adjoint = derive_array(d, x->count, sizeof *adjoint);
    if (d->g->error.status) return false;
    for (size_t i = 0; i < x->count; i++) wrt[i] = d->input[x->index[i]];
    for (size_t i = 0; i < y->count; i++) primal[i] = d->map[d->from->output.at[y->index[i]].v];
    if (!vjp_graph(d->g, primal, seed, y->count, wrt, x->count, NULL, adjoint, NULL)) return false;
    for (size_t i = 0; i < x->count; i++) {
        const char *name = derive_name(d, true, format, from_input_name(d, x->index[i]), "");
        if (name) graph_output(d->g, name, derive_or_zero(d, adjoint[i], wrt[i]));
    }
    return d->g->error.status == WG_OK;
}

/* The program's instructions on inputs of the same names, ready for adjoints of those of x. */
static bool inline_program(struct derivation *d, const struct selection *x) {
    bool *active = derive_array(d, d->from->input.count, sizeof *active);
    if (!active || !derive_inputs(d)) return false;
    for (size_t i = 0; i < x->count; i++) active[x->index[i]] = true;
    return region_inline(d->g, d->from, d->input, active, d->size_map, d->map);
}

bool derive_vjp(struct derivation *d, const struct selection *x, const struct selection *y,
                bool keep) {
    if (!inline_program(d, x)) return false;
    for (size_t i = 0; i < y->count; i++) {
        uint32_t k = y->index[i];
        d->extra[i] = seed_input(d, "%a_bar", from_output_name(d, k),
                                 d->map[d->from->output.at[k].v]);
    }
    if (keep) derive_primals(d);
    return adjoints_out(d, x, y, d->extra, "%a_bar");
}

wg_program *wg_vjp(const wg_program *program, const char *of, const char *wrt, wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (derive_begin(&d, program, error) && derive_select(&d, false, wrt, &x) &&
        derive_select(&d, true, of, &y))
        derive_vjp(&d, &x, &y, true);
    return derive_finish(&d);
}

/* ---- gradients ------------------------------------------------------------------------------- */

/* Whether the first output is a floating scalar. */
static bool has_gradient(struct derivation *d) {
    value y = d->from->output.at[0].v;
    const wg_type *type = type_of(d->from, y);
    if (type->rank == 0 && dtype_is_float(type->dtype)) return true;
    wg_text text = {.allocator = d->g->t.allocator};
    graph_take_site(d->g, d->from, instr_at(d->from, y)->site);
    if (type_text(d->from, type, &text))
        graph_fail(d->g, WG_ESHAPE, "gradient: output \"%s\" is %s, not a floating scalar",
                   from_output_name(d, 0), text.data);
    else fail_memory(&d->g->error);
    graph_hint(d->g, "sum it, or ask for a Jacobian");
    wg_text_free(&text);
    return false;
}

static wg_program *gradient(const wg_program *p, const char *wrt, bool keep, wg_error *error) {
    struct derivation d;
    struct selection x, y = {(uint32_t[]){0}, 1};
    if (derive_begin(&d, p, error) && derive_select(&d, false, wrt, &x) && has_gradient(&d) &&
        inline_program(&d, &x)) {
        value seed = build_like(d.g, d.map[d.from->output.at[0].v], 1);
        if (keep) derive_primals(&d);
        adjoints_out(&d, &x, &y, &seed, "d%a");
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
    struct derivation d;
    struct selection x, y;
    if (derive_begin(&d, grad, error) && derive_select(&d, false, wrt, &x) &&
        derive_select(&d, true, NULL, &y))
        derive_jvp(&d, &x, &y, false, NAMED_AFTER_INPUTS);
    wg_program *hvp = derive_finish(&d);
    wg_program_free(grad);
    return hvp;
}
