/* Derivatives that the caller gives: rules for functions whose own derivative is not what is wanted
 * (unstable, too dear, deliberately another one), and C functions as operations of a program.
 *
 * A rule is a program, so it is differentiated, batched, printed and run like any other: a jvp
 * alone, or a vjp alone, serves every mode and every order. wg_check_rule (run.h) compares it with
 * differences. wg_stop_gradient (graph.h) is the rule "no derivative at all". */
#ifndef WENGERT_CUSTOM_H
#define WENGERT_CUSTOM_H

#include "wengert/base.h"
#include "wengert/graph.h"
#include "wengert/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- rules ----------------------------------------------------------------------------------- */

/* The derivative of a function y_1, ..., y_m = f(x_1, ..., x_k), as one or two programs. Inputs and
 * outputs are matched by their order; their names only stand in messages. Arguments and results
 * that are not of a floating type have no tangents and adjoints.
 *
 *   jvp   x_1 ... x_k, then a tangent (of x's type) for each floating x
 *         -> a tangent (of y's type) for each floating y:   y'_j = sum over i of dy_j/dx_i x'_i
 *   vjp   x_1 ... x_k, then an adjoint (of y's type) for each floating y
 *         -> an adjoint (of x's type) for each floating x:  xbar_i = sum over j of ybar_j dy_j/dx_i
 *
 * Either program may take the results too: all floating y_1 ... y_m between the arguments and the
 * tangents (adjoints). They are there already, and their own derivatives are the rule's again: that
 * is how the rule of a function that solves an equation comes to speak of the solution.
 *
 * One of the two is enough: the other mode follows by transposing it, which needs it to be linear
 * in the tangents (adjoints); a rule that is not, such as one that clips adjoints, works in its own
 * mode, and in the other is an error (WG_ENORULE), found when that derivative is made. With both,
 * each mode takes its own. What f computes on the way may be computed again: equal instructions are
 * one. Derivatives of higher order are those of the rule's programs. */
typedef struct wg_rule {
    const char *name; /* in messages and printed programs; letters, digits, '_' and '.' */
    const wg_program *jvp, *vjp; /* NULL: not given */
} wg_rule;

/* Appends value, a program of k inputs, to g, and gives its results the derivative of the rule.
 * argument: k variables of g; result: room for as many as value has outputs (begin it with {{0}},
 * as for wg_apply). The programs are only read, and copied. Named sizes of all programs are what
 * the arguments bring, as for wg_apply; the same name in value and rule is the same size. The value
 * costs nothing beyond that of the program.
 * Errors, the graph's: WG_ESHAPE, WG_EDTYPE or WG_EARGUMENT where a program of the rule has another
 * number of inputs or outputs than above, or another type, named with both. */
WG_API void wg_custom_at(const char *file, int line, wg_graph *g, const wg_program *value,
                         const wg_rule *rule, const wg_var *argument, wg_var *result);

/* ---- C functions ----------------------------------------------------------------------------- */

/* Computes result[0], ... from argument[0], ...; shapes are those of this call, data are dense and
 * row-major. It writes every element of the results, and nothing else; arguments may not be written
 * although their data pointers allow it. A return other than WG_OK ends the call with that status
 * and the function's name. It must give equal results for equal arguments: equal calls are made
 * once, and a call whose results nobody uses, or have no elements, is not made.
 *
 * It is called from every thread that calls the wg_function, at once where these call at once; the
 * library adds no lock, so it may not write to shared state, context included, without its own. */
typedef wg_status wg_external_function(void *context, const wg_tensor *argument,
                                       const wg_tensor *result);

/* How a C function y_1, ..., y_m = f(x_1, ..., x_k) is called and differentiated. The functions and
 * what context points to are borrowed: they must outlive every graph, program and wg_function made
 * with them. Without jvp, vjp and differences a derivative through f is WG_ENORULE, never zero. */
typedef struct wg_external {
    const char *name; /* in messages and printed programs; letters, digits, '_' and '.' */
    wg_external_function *call;
    /* Arguments: x_1 ... x_k, then a tangent for each floating x; results: a tangent for each
     * floating y, of one element type. Linear in the tangents. Without a vjp, reverse mode calls it
     * once for each element of the arguments. Named "name.jvp" in programs. */
    wg_external_function *jvp;
    /* Arguments: x_1 ... x_k, then an adjoint for each floating y; results: an adjoint for each
     * floating x, of one element type. Linear in the adjoints. Without a jvp, forward mode calls it
     * once for each element of the results. Named "name.vjp". */
    wg_external_function *vjp;
    void *context; /* given to all three */
    /* Derivatives by central differences, at the step cbrt(epsilon) max(1, |x|) of the coarser of
     * the element types: first order only, about ten digits in f64 and four in f32 at best, 2 n
     * calls for n elements of an argument, which exist at once (n copies of it). Only for a
     * function without jvp and vjp. */
    bool differences;
} wg_external;

/* The results of f on variables of g, of the given types (whose named sizes are g's): count
 * arguments (at most 32, at least 1), results (at most 32, at least 1; of one element type if there
 * are several). Under vmap the function is called once for each example. For derivatives of second
 * order, give wg_custom a rule whose programs call functions that have rules themselves. */
WG_API void wg_external_at(const char *file, int line, wg_graph *g, const wg_external *f,
                           size_t count, const wg_var *argument, size_t results,
                           const wg_type *type, wg_var *result);

/* wg_program_read for a text in which C functions stand: known lists those that it may call, by
 * name; "f.jvp" and "f.vjp" are f's. WG_ENAME for a function that is not listed. */
WG_API wg_program *wg_program_read_with(const char *text, size_t size, const wg_external *known,
                                        size_t count, const wg_allocator *allocator,
                                        wg_error *error);

#ifndef __cplusplus
#define wg_custom(g, value, rule, argument, result) \
    wg_custom_at(WG_HERE, g, value, rule, argument, result)
#define wg_external(g, f, count, argument, results, type, result) \
    wg_external_at(WG_HERE, g, f, count, argument, results, type, result)
#endif

#ifdef __cplusplus
}
#endif
#endif
