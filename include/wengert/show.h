/* Programs for people: evaluation traces and computational graphs. */
#ifndef WENGERT_SHOW_H
#define WENGERT_SHOW_H

#include "wengert/base.h"
#include "wengert/program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum wg_format { WG_TEXT, WG_MARKDOWN, WG_LATEX, WG_JSON } wg_format;

typedef struct wg_show_options {
    wg_format format;
    bool ascii;           /* v_dot, v_bar, v1 instead of v̇, v̄, v₁                               */
    bool fold;            /* negations stand inside the lines that use them                       */
    bool tangent;         /* a column of tangents                                                 */
    bool adjoint;         /* a column of adjoints, last line first                                */
    int digits;           /* significant digits of values, but for JSON; 0: 6                     */
    /* Where values are wanted: one tensor an input; NULL: formulas only. Borrowed. */
    const wg_tensor *at;
    /* Seeds: a tensor of the input's (output's) shape for each input (output), data NULL for zero;
     * NULL: ones for the first floating input (output), zero for the others. Borrowed. */
    const wg_tensor *input_tangent;
    const wg_tensor *output_adjoint;
} wg_show_options;

/* Appends the evaluation trace, numbered as in Griewank and Walther: inputs v(1-n) .. v0, then
 * intermediates level by level, the outputs last. Formulas of tangents end in a seed x_dot for
 * every floating input, those of adjoints in a seed y_bar for every floating output; a derivative
 * that is zero whatever the seeds has 0 for formula and value. NULL for the options: text, formulas
 * only. Errors: those of the derivatives, and of wg_run for a point or seed that does not fit; the
 * text is then as it was.
 *
 * WG_JSON gives one object. Its fields do not change with the other options, but values, tangents
 * and adjoints are there only where they are asked for:
 *     {"inputs":  [{"name": "v0", "input": "x", "type": "f64", DERIVED}, ...],
 *      "lines":   [{"name": "v1", "op": "mul", "args": ["v0", "2"], "formula": "2*v0",
 *                   "type": "f64", DERIVED}, ...],
 *      "outputs": [{"name": "y", "formula": "v1", "type": "f64", DERIVED}, ...]}
 * where DERIVED is
 *     "value": 6, "tangent": {"name": "v1_dot", "formula": "2*v0_dot", "value": 2},
 *                 "adjoint": {"name": "v1_bar", "formula": "y_bar", "value": 1}
 * A line of a loop or branch has those of its bodies too, which have a number of their own:
 *     "body": [{"depth": 1, "name": "v1.2", "formula": "sin(c1.1)", "type": "f64"}, ...]
 * where depth counts how far in it is, c1.1 is what v1 carries first, r1.1 its first result, and
 * a name without formula and type is a heading ("else").
 * Names and formulas are as with ascii, numbers exact, tensors nested arrays ([] along an axis
 * of extent 0, and for more than 4096 of those); "NaN", "Infinity" and "-Infinity" stand for
 * what JSON has no numbers for. The adjoint of an output is a seed and has no formula; what is
 * not of a floating type has no derivatives. */
WG_API wg_status wg_show_trace(const wg_program *program, const wg_show_options *options,
                               wg_text *out, wg_error *error);
/* Appends the computational graph in Graphviz' DOT language; values stand on the nodes where a
 * point is given, with tangents and adjoints as the options say. The format is of no matter. */
WG_API wg_status wg_show_graph(const wg_program *program, const wg_show_options *options,
                               wg_text *out, wg_error *error);

/* ---- derivatives as formulas ----------------------------------------------------------------- */

/* Appends the derivative of every output in `of` by every input in `wrt` (lists of names as for
 * wg_vjp, NULL: all of a floating type) as text in the formula language, a line each:
 *     dx = exp(x) + x*exp(x)
 * "dy_dx" where `of` has several outputs. Of an output with axes "dx" has them too: its derivative
 * by a scalar x; or dy[i]/dx[i] for all i, the diagonal of the Jacobian, where y is made of x
 * element by element and the diagonal is all there is. Where all inputs are f64 scalars the text is
 * lines alone, whose inputs are the names in them; else it is a function with the inputs as
 * parameters. shared: what is used more than once has a name and a line of its own
 * (let t1 = exp(x)), so that the text grows as the program does; else everything is written out.
 * The sum, product and chain rules are those of reverse mode, the simplifications those of a graph
 * (0 and 1, equal subexpressions), so no identity that IEEE arithmetic does not keep is used. The
 * text has been read back when it is given out; its values are those of the derivative up to the
 * order of additions and multiplications.
 * Errors: WG_ESHAPE for any other output with axes, WG_ENORULE where the formula language has no
 * word for an operation, WG_EOVERFLOW where written out it has more than 100000 operations; the
 * text is then as it was. */
WG_API wg_status wg_symbolic(const wg_program *program, const char *of, const char *wrt,
                             bool shared, wg_text *out, wg_error *error);

/* ---- what a program costs -------------------------------------------------------------------- */

/* Counts of one evaluation, in elements; rounded beyond 2^53. */
typedef struct wg_cost {
    double additions;       /* sums, differences, signs; within reductions and products too    */
    double multiplications; /* products, quotients and squares                                 */
    double functions;       /* all other functions of an element, comparisons and choices too  */
    double instructions;    /* whatever their shapes; those that only move elements too        */
} wg_cost;

/* Counts the operations of a program under these sizes (as for wg_call; may be NULL if there are
 * none). expanded: of its outputs written out as formulas, every subexpression anew where it is
 * used, as naive symbolic differentiation has them. A loop counts as often as it may run (once, if
 * nothing bounds it), a branch as the dearest of its cases. Cost: linear in the length of the
 * program. WG_EOVERFLOW for sizes under which an extent is negative or a value too large. */
WG_API wg_status wg_count_operations(const wg_program *program, const int64_t *size, bool expanded,
                                     wg_cost *cost, wg_error *error);

/* ---- what a program needs of memory ---------------------------------------------------------- */

/* Appends what a call of the program takes: bytes of inputs, outputs, constants and workspace, and
 * the peak, their sum; then, for a program that wg_vjp, wg_grad or wg_value_and_grad made, every
 * residual: a value of the primal computation that the adjoint computation reads, with its type,
 * size, the operations whose adjoints need it, and the places that made both. Inputs and constants
 * are there anyway and are no residuals. size: values of the named sizes, NULL: bytes are formulas
 * in them, the workspace before each block is rounded up to 64 bytes. Format: WG_TEXT or WG_JSON,
 * where bytes are numbers, or strings where they are formulas:
 *     {"inputs": 8, "outputs": 16, "constants": 0, "workspace": 64, "peak": 88, "residuals":
 *      [{"op": "exp", "type": "f64", "bytes": 8, "at": "f:1:3",
 *        "needed_by": [{"op": "mul", "at": "f:1:2"}]}, ...]}
 * and "loop": "f:1:1" behind "at" where the body of that loop made it, one for every iteration. */
WG_API wg_status wg_show_plan(const wg_program *program, const int64_t *size, wg_format format,
                              wg_text *out, wg_error *error);

#ifdef __cplusplus
}
#endif
#endif
