/* Transformations inside a graph: what the public functions of wengert/program.h, the printed
 * traces and eager graphs are made of. All append to a graph; nothing is changed in place. */
#ifndef TRANSFORM_H
#define TRANSFORM_H

#include "op/op.h"

/* What a caller that prints wants to see made: called with every primal value's finished tangent or
 * adjoint (0 = absent), returns what is used from there on: usually the same, or a `copy` of it. */
struct derivative_hook {
    value (*finish)(void *ctx, wg_graph *g, value primal, value derivative);
    void *ctx;
};

/* The tangent of one instruction for tangents of its arguments (0 = absent; not all). */
value jvp_rule(const struct rule *r, const value *tangent);

/* Marks, by 1, the values whose tangents send something to those of the outputs numbered in `of`
 * (of_count; NULL: all); the others by 0. mark: room for t's instr.count. */
void mark_needed(const struct trace *t, const uint32_t *of, size_t of_count, value *mark);

/* Forward mode over the program `from`, appended to g: tangents stand beside their primals, where
 * they send something to the outputs numbered in `of` (of_count; NULL: all). What only a rule's
 * value needs gets none.
 *   input[i]    value in g of from's i-th input
 *   tangent[i]  its tangent, 0 = none
 *   map, map_t  arrays of from's instr.count, owned by the caller: each instruction's value in g
 *               and its tangent (0 = absent)                                                     */
bool jvp_program(wg_graph *g, const struct trace *from, const value *input, const value *tangent,
                 const wg_extent *size_map, const uint32_t *of, size_t of_count,
                 const struct derivative_hook *hook, value *map, value *map_t);

/* Reverse mode in g: adjoints of `wrt` values for the adjoints ct[i] (0 = none) of the values y[i].
 * Looks at the instructions that y depends on. adjoint[i] receives the adjoint of wrt[i], 0 where
 * there is none. `all`, if not NULL, has room for as many values as g has instructions at the call,
 * and receives every value's adjoint. Returns false and records in g on error. */
bool vjp_graph(wg_graph *g, const value *y, const value *ct, size_t y_count, const value *wrt,
               size_t wrt_count, const struct derivative_hook *hook, value *adjoint, value *all);

/* The same without a look at what is made on the way; guarded: products with adjoints are
 * absolute-zero ones from the beginning. */
bool vjp_guarded(wg_graph *g, const value *y, const value *ct, size_t y_count, const value *wrt,
                 size_t wrt_count, bool guarded, value *adjoint);

/* Reverse mode over the instructions from `begin` on, which are linear in the values wrt, copies
 * among them: adjoint[i] of wrt[i] (0: none), guarded[i] whether it came through a `where`, for the
 * adjoints ct[i] (0: none) of y[i]. rule: NULL, or the name of a rule whose program they are, which
 * is then found out if it is not linear: WG_ENORULE. */
struct appended {
    value begin;
    const value *y, *ct;
    size_t count;
    const value *wrt;
    size_t wrt_count;
    bool guarded; /* so is ct */
    const char *rule;
    bool is_jvp; /* of the rule */
};
bool vjp_appended(wg_graph *g, const struct appended *a, value *adjoint, bool *guarded);

/* The modes of `custom` (custom.c). The tangent of r's result for tangents of its operands. */
value custom_tangent(const struct rule *r, const value *tangent);
/* Adjoints of its operands, where they are active, for those of all results of its call. Arrays by
 * operand, ct by result. False on error. */
bool custom_adjoints(const struct rule *r, const bool *active, const value *ct, value *adjoint,
                     bool *guarded);
/* The results of the call that v is one of, as far as they are there (else 0); their number. */
size_t custom_siblings(wg_graph *g, value v, value *sibling);
value custom_batch(const struct batch *b);

/* The program with the inputs in `batched` given a leading axis of `extent`; map[i] is each
 * instruction's value in g, map_batched[i] whether it carries the axis. */
bool vmap_program(wg_graph *g, const struct trace *from, const value *input, const bool *batched,
                  wg_extent extent, const wg_extent *size_map, value *map, bool *map_batched);

/* A copy of the program, in which maps of small bodies are batches. NULL and an error. */
wg_program *program_spread(const wg_program *program, wg_error *error);

/* The program with every f64 turned into f32. NULL and an error. */
wg_program *program_narrow(const wg_program *program, wg_error *error);

#endif
