/* A program appended to a graph on given values: what wg_apply and wg_custom share. `name` begins
 * the messages. */
#ifndef OP_APPLY_H
#define OP_APPLY_H

#include "op/op.h"

/* The values of a list of variables that stand for the program's inputs; false, and an error, if
 * the list is NULL or one is no value of g. */
bool apply_arguments(wg_graph *g, const char *name, const wg_program *p, const wg_var *input,
                     value *argument);
/* What the sizes of t are where its first `count` inputs are `given`: the extent that the first
 * input brings which has the size as an axis; extent_bad for those that none brings. */
void apply_read_sizes(const wg_graph *g, const struct trace *t, const value *given, size_t count,
                      wg_extent *size_map);
/* Those that are still extent_bad become sizes of the graph of the same name. */
bool apply_name_sizes(wg_graph *g, const struct trace *t, wg_extent *size_map);
/* Appends the program: result[i] is its i-th output. size_map: room for its sizes. */
bool apply_program(wg_graph *g, const char *name, const wg_program *p, const value *argument,
                   wg_extent *size_map, value *result);

#endif
