/* Eager graphs: every instruction is computed as it is appended, so that ordinary C control flow
 * builds the graph. An `if` looks at a value that is there already; a loop runs as long as the data
 * say. All functions that append values work on eager graphs, but those for inputs, outputs and
 * named sizes, and loops and branches of loop.h, which C has itself; wg_backward takes gradients,
 * and gradients of gradients.
 *
 *     wg_graph *g = wg_eager_new();
 *     uint32_t start = wg_mark(g);
 *     for (int step = 0; step < steps; step++) {
 *         wg_var w = wg_value(g, wg_f64(n), weights), loss = ..., slope;
 *         wg_backward(loss, 1, &w, &slope);
 *         const double *d = wg_data(slope).data;
 *         for (int i = 0; i < n; i++) weights[i] -= 0.1 * d[i];
 *         wg_rewind(g, start);
 *     }
 *     if (wg_graph_error(g)->status) ...
 *     wg_graph_free(g);
 *
 * Errors are the graph's, as in graph.h, those of computing included (an index outside its axis):
 * look with wg_graph_error. After one, wg_item gives NaN and wg_data no data, so write the
 * condition of a loop such that NaN ends it. One thread at a time uses an eager graph. */
#ifndef WENGERT_EAGER_H
#define WENGERT_EAGER_H

#include "wengert/base.h"
#include "wengert/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A new eager graph, NULL without memory; end it with wg_graph_free. */
WG_API wg_graph *wg_eager_new(void);
WG_API wg_graph *wg_eager_new_with(const wg_allocator *allocator);

/* A leaf: a value of its own that gradients may be taken with respect to, of constant extents. The
 * dense row-major data are copied. Numbers that are no leaves are wg_number, wg_constant, or just
 * written: wg_mul(x, 2). */
WG_API wg_var wg_value_at(const char *file, int line, wg_graph *g, wg_type type, const void *data);
/* A leaf f64. */
WG_API wg_var wg_scalar_at(const char *file, int line, wg_graph *g, double number);

/* The value of x: its shape, and data that belong to the graph until it is rewound to before x, or
 * freed; they may not be written. All zero if the graph has an error or is not eager. */
WG_API wg_tensor wg_data(wg_var x);
/* The only element of x, whatever its element type; NaN on error. */
WG_API double wg_item(wg_var x);

/* Appends the reverse pass of y, a floating scalar, to y's graph: adjoint[i] becomes dy/d(wrt[i]),
 * of the type of wrt[i], zeros where y does not depend on it. wrt are any values of the graph, not
 * only leaves. Adjoints are values like any other, so that a function of them has a gradient too.
 * WG_ESHAPE or WG_EDTYPE where y is no floating scalar, WG_EDTYPE where wrt is not floating,
 * WG_ENORULE as for wg_vjp. Cost: a small multiple of computing y, and a look at every instruction
 * that the graph has. */
WG_API void wg_backward_at(const char *file, int line, wg_var y, size_t count, const wg_var *wrt,
                           wg_var *adjoint);

/* Notes where the graph stands: the number of a mark. wg_rewind takes the graph and its memory back
 * there, as often as wanted: values made since, and marks set since, are no more. An error stays.
 * Memory then serves the next step again, so that any number of steps runs in what the largest
 * needs. Values from before the mark keep their data. */
WG_API uint32_t wg_mark(wg_graph *g);
WG_API void wg_rewind(wg_graph *g, uint32_t mark);

#ifndef __cplusplus
#define wg_value(g, type, data) wg_value_at(WG_HERE, g, type, data)
#define wg_scalar(g, number) wg_scalar_at(WG_HERE, g, number)
#define wg_backward(y, count, wrt, adjoint) wg_backward_at(WG_HERE, y, count, wrt, adjoint)
#endif

#ifdef __cplusplus
}
#endif
#endif
