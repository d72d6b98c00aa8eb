/* What the files of public functions share: the look at what a caller hands over. Each check
 * records an error of the graph, which begins with the function's name, and returns false. */
#ifndef OP_FACE_H
#define OP_FACE_H

#include "op/op.h"

/* Begins a call on variables: notes the line and gives their graph, or NULL where the call is to do
 * nothing. The first variable that has a graph decides which. */
wg_graph *face_enter(const char *file, int line, const char *name, size_t count, const wg_var *x);
/* The result of a call on x; its graph is that of the operand even where there is no value. */
static inline wg_var face_result(wg_var x, wg_graph *g, value v) {
    return (wg_var){g ? g : x.graph, v};
}
/* An axis counted from the front, or from the end if negative. */
bool face_axis(wg_graph *g, const char *name, value x, int axis, unsigned *result);
/* A list that a caller gives is there, or empty. */
bool face_list(wg_graph *g, const char *name, size_t count, const void *list);
/* Whether an element type has this number. */
bool face_has_number(wg_dtype dtype, double number);
/* A list of axes as a mask; none listed are all. */
bool face_axes(wg_graph *g, const char *name, value x, size_t count, const int *axis,
               uint32_t *mask);
/* Notes the line and says whether the call is to do anything. g may be NULL. A front end that has
 * noted a place of its own gives SAME_SITE for the line. */
enum { SAME_SITE = -1 };
bool face_begin(wg_graph *g, const char *file, int line);
/* x is a value of g. */
bool face_var(wg_graph *g, const char *name, wg_var x);
/* A type as a caller may hand it over: dtype, rank and extents within bounds, and a size that can
 * be counted. */
bool face_type(wg_graph *g, const char *name, const wg_type *type);
/* An extent that may stand in a type of this graph. */
bool face_extent(wg_graph *g, const char *name, wg_extent e);
/* Calls with a list of axes, and with one axis. */
wg_var face_reduction(const char *file, int line, const char *name, wg_var x, size_t count,
                      const int *axis, value (*build)(wg_graph *, value, uint32_t));
wg_var face_along_axis(const char *file, int line, const char *name, wg_var x, int axis,
                       value (*build)(wg_graph *, value, unsigned));
/* A call on a list of variables of one graph, whose values are laid side by side. */
wg_var face_joined(const char *file, int line, const char *name, size_t count, const wg_var *part,
                   int axis, bool new_axis,
                   value (*build)(wg_graph *, const value *, size_t, unsigned));

#endif
