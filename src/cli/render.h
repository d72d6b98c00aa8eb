/* Drawing graphs through Graphviz' library. */
#ifndef RENDER_H
#define RENDER_H

#include "wengert/base.h"

/* Appends the drawing of a graph in the DOT language, in one of Graphviz' formats ("svg", "png",
 * ...). WG_EARGUMENT for a format that it does not know, or in a build without Graphviz; WG_EFORMAT
 * for text that is not a graph; WG_EOVERFLOW for more than 1,500 lines of it. Not for several
 * threads at once: Graphviz keeps global state. */
wg_status render_dot(const char *dot, const char *format, wg_text *out, wg_error *error);

#endif
