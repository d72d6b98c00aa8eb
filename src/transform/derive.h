/* What the public transformations share: the source program, the graph that grows, the arrays that
 * connect them, and the selection of inputs and outputs by name. */
#ifndef DERIVE_H
#define DERIVE_H

#include "transform/transform.h"

struct selection { /* indices of inputs or outputs */
    uint32_t *index;
    size_t count;
};

struct derivation {
    const struct trace *from;
    wg_graph *g;
    wg_error *error;
    struct arena scratch; /* everything below, freed by derive_finish */
    wg_extent *size_map;  /* per named size of from                                              */
    value *input;         /* per input of from: its value in g                                   */
    value *extra;         /* per input or output of from: tangent, adjoint or seed; 0 = none     */
    value *map, *map_t;   /* per instruction of from                                             */
};

/* False, and an error recorded, if p is NULL, error is set already, or memory ends; derive_finish
 * is called in any case. */
bool derive_begin(struct derivation *d, const wg_program *p, wg_error *error);
/* The program built, or NULL and an error. */
wg_program *derive_finish(struct derivation *d);

/* Inputs (outputs) named by a list, in its order, each once. */
bool derive_list(struct derivation *d, bool outputs, const char *names,
                 struct selection *selection);
/* The same for derivatives: all must be of a floating type, and there must be one. NULL: all that
 * are of a floating type. */
bool derive_select(struct derivation *d, bool outputs, const char *names,
                   struct selection *selection);
/* An input in g of the name and type of input i of from. */
value derive_input(struct derivation *d, size_t i);
/* One for each. */
bool derive_inputs(struct derivation *d);
/* A name made by format from a and b that no input (output) of g has: "_2", "_3", ... is appended
 * to one that is taken. Lives in scratch; NULL without memory. */
const char *derive_name(struct derivation *d, bool output, const char *format, const char *a,
                        const char *b);
static inline const char *from_input_name(const struct derivation *d, size_t i) {
    return name_at(d->from, d->from->input.at[i].name);
}
static inline const char *from_output_name(const struct derivation *d, size_t i) {
    return name_at(d->from, d->from->output.at[i].name);
}
/* v, or zeros of its primal's type where it is absent. */
value derive_or_zero(struct derivation *d, value v, value primal);
/* Zeroed scratch; NULL, and an error recorded, without memory. */
void *derive_array(struct derivation *d, size_t count, size_t size);

/* The outputs of from, as outputs of the same names. */
void derive_primals(struct derivation *d);

/* What wg_jvp and wg_vjp give, for a derivation that has begun: inputs, seeds and outputs; those of
 * from stand first if keep. The selections are of from's inputs x and outputs y. */
enum tangent_names {
    NAMED_AFTER_OUTPUTS, /* "y_dot"                                                              */
    NAMED_AFTER_INPUTS   /* "Hx": from is a gradient, its outputs belong to x in the same order  */
};
bool derive_jvp(struct derivation *d, const struct selection *x, const struct selection *y,
                bool keep, enum tangent_names names);
bool derive_vjp(struct derivation *d, const struct selection *x, const struct selection *y,
                bool keep);

/* One input in g for each of from, those batched with a new axis of `extent` in front. */
bool derive_batched_inputs(struct derivation *d, const bool *batched, wg_extent extent);
/* x[...] -> [extent, x...] */
value batch_broadcast(wg_graph *g, value x, wg_extent extent);

#endif
