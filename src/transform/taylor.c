/* Truncated Taylor series as programs: wg_taylor, of any program along given series of its
 * inputs, and wg_taylor_ode, of the solution of an ordinary differential equation. The walks are
 * series.c. */
#include "transform/derive.h"

#include "op/build.h"
#include "transform/series.h"

static bool good_order(struct derivation *d, int order) {
    if (order >= 1 && order <= MAX_SERIES_ORDER) return true;
    graph_fail(d->g, WG_EARGUMENT, "taylor: order %d; 1 to %d are possible", order,
               MAX_SERIES_ORDER);
    return false;
}

/* New inputs "x_series" for the inputs selected. */
static bool series_inputs(struct derivation *d, const struct selection *x, int order) {
    for (size_t i = 0; i < x->count && !d->g->error.status; i++) {
        uint32_t k = x->index[i];
        wg_type type = *type_of(&d->g->t, d->input[k]);
        const char *name = derive_name(d, false, "%a_series", from_input_name(d, k), "");
        if (!name || !series_type(d->g, &type, order, &type)) return false;
        d->g->site = instr_at(&d->g->t, d->input[k])->site;
        d->extra[k] = graph_input(d->g, name, &type);
    }
    d->g->site = 0;
    return !d->g->error.status;
}

wg_program *wg_taylor(const wg_program *program, const char *of, const char *wrt, int order,
                      wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (derive_begin(&d, program, error) && good_order(&d, order) &&
        derive_select(&d, false, wrt, &x) && derive_select(&d, true, of, &y) && derive_inputs(&d) &&
        series_inputs(&d, &x, order) &&
        series_program(d.g, d.from, d.input, d.extra, order, d.size_map, y.index, y.count, d.map,
                       d.map_t)) {
        derive_primals(&d);
        for (size_t i = 0; i < y.count && !d.g->error.status; i++) {
            value v = d.from->output.at[y.index[i]].v, series = d.map_t[v];
            const char *name = derive_name(&d, true, "%a_series", from_output_name(&d, y.index[i]),
                                           "");
            wg_type type = *type_of(&d.g->t, d.map[v]);
            if (name && !series && series_type(d.g, &type, order, &type))
                series = build_full(d.g, &type, 0);
            if (name) graph_output(d.g, name, series);
        }
    }
    return derive_finish(&d);
}

/* Each rate is of its state's type. */
static bool rates_fit(struct derivation *d, const struct selection *rate,
                      const struct selection *state) {
    if (rate->count != state->count) {
        graph_fail(d->g, WG_EARGUMENT, "taylor: %zu outputs as the derivatives of %zu inputs",
                   rate->count, state->count);
        return false;
    }
    for (size_t i = 0; i < rate->count; i++) {
        value x = d->from->input.at[state->index[i]].v, y = d->from->output.at[rate->index[i]].v;
        if (type_equal(type_of(d->from, x), type_of(d->from, y))) continue;
        wg_text a = {.allocator = d->g->t.allocator}, b = {.allocator = d->g->t.allocator};
        bool ok = type_text(d->from, type_of(d->from, y), &a) &&
                  type_text(d->from, type_of(d->from, x), &b);
        if (ok)
            graph_fail(d->g, WG_ESHAPE,
                       "taylor: output \"%s\" is %s and cannot be the derivative of input \"%s\", "
                       "which is %s",
                       from_output_name(d, rate->index[i]), a.data,
                       from_input_name(d, state->index[i]), b.data);
        else
            fail_memory(&d->g->error);
        wg_text_free(&a);
        wg_text_free(&b);
        return false;
    }
    return true;
}

wg_program *wg_taylor_ode(const wg_program *program, const char *rates, const char *states,
                          int order, wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (derive_begin(&d, program, error) && good_order(&d, order) &&
        derive_select(&d, false, states, &x) && derive_select(&d, true, rates, &y) &&
        rates_fit(&d, &y, &x) && derive_inputs(&d)) {
        wg_type type;
        for (size_t i = 0; i < x.count; i++)
            if (!series_type(d.g, type_of(&d.g->t, d.input[x.index[i]]), order, &type)) break;
        if (!d.g->error.status && series_of_solution(d.g, d.from, d.input, order, d.size_map,
                                                     y.index, x.index, x.count, d.map, d.extra))
            for (size_t i = 0; i < x.count && !d.g->error.status; i++) {
                value from = d.input[x.index[i]], series = d.extra[i];
                const char *name = derive_name(&d, true, "%a_series",
                                               from_input_name(&d, x.index[i]), "");
                series_type(d.g, type_of(&d.g->t, from), order, &type);
                if (name) graph_output(d.g, name, series ? series : build_full(d.g, &type, 0));
            }
    }
    return derive_finish(&d);
}
