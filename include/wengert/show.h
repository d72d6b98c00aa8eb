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
    bool ascii;           /* v_dot, v_bar, v1 instead of v̇, v̄, v₁                                  */
    bool fold;            /* negations stand inside the lines that use them                        */
    bool tangent;         /* a column of tangents                                                  */
    bool adjoint;         /* a column of adjoints, last line first                                 */
    int digits;           /* significant digits of values, but for JSON; 0: 6                      */
    /* Where values are wanted: one tensor an input; NULL: formulas only. Borrowed. */
    const wg_tensor *at;
    /* Seeds: a tensor of the input's (output's) shape for each input (output), data NULL for zero;
     * NULL: ones for the first floating input (output), zero for the others. Borrowed. */
    const wg_tensor *input_tangent;
    const wg_tensor *output_adjoint;
} wg_show_options;

/* Appends the evaluation trace, numbered as in Griewank and Walther: inputs v(1-n) .. v0, then
 * intermediates level by level, the outputs last. Formulas of tangents end in a seed x_dot for every
 * floating input, those of adjoints in a seed y_bar for every floating output; a derivative that is
 * zero whatever the seeds has 0 for formula and value. NULL for the options: text, formulas only.
 * Errors: those of the derivatives, and of wg_run for a point or seed that does not fit; the text is
 * then as it was.
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
 * Names and formulas are as with ascii, numbers exact, tensors nested arrays ([] where there are no
 * elements); "NaN", "Infinity" and "-Infinity" stand for what JSON has no numbers for. The adjoint of
 * an output is a seed and has no formula; what is not of a floating type has no derivatives. */
WG_API wg_status wg_show_trace(const wg_program *program, const wg_show_options *options,
                               wg_text *out, wg_error *error);
/* Appends the computational graph in Graphviz' DOT language; values stand on the nodes where a point
 * is given, with tangents and adjoints as the options say. The format is of no matter. */
WG_API wg_status wg_show_graph(const wg_program *program, const wg_show_options *options,
                               wg_text *out, wg_error *error);

#ifdef __cplusplus
}
#endif
#endif
