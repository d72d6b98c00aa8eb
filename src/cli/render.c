/* Drawing graphs through Graphviz' library (libgvc, libcgraph), which is asked to keep its messages
 * to itself: what it has to say about the first error becomes the error's text. What is drawn is
 * the matter of src/show. */
#include "cli/render.h"

#include "base/base.h"

#ifdef WG_GRAPHVIZ

#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>
#include <stdlib.h>

/* A node or an edge is a line of the text. Beyond some thousands of them the layout runs out of
 * stack, for it recurses over the graph, or out of anybody's patience; with many it is kept
 * short. */
enum { MANY_LINES = 300, MAX_LINES = 1500 };

static int silent(char *message) {
    (void)message;
    return 0;
}

/* With the first line of Graphviz' own last message, of which it gives a copy from malloc. */
static wg_status complain(wg_error *error, wg_status status, const char *what) {
    char *said = aglasterr();
    size_t length = said ? strcspn(said, "\n") : 0;
    if (length > 200) length = 200;
    if (length == 0) fail_with(error, status, "%s", what);
    else fail_with(error, status, "%s: %.*s", what, (int)length, said);
    free(said);
    return status;
}

static wg_status draw(GVC_t *gvc, graph_t *graph, const char *format, wg_text *out,
                      wg_error *error) {
    char *data = NULL;
    unsigned size = 0;
    if (gvLayout(gvc, graph, "dot") != 0)
        return complain(error, WG_EFORMAT, "Graphviz finds no layout for the graph");
    wg_status status = WG_OK;
    if (gvRenderData(gvc, graph, format, &data, &size) != 0 || !data) {
        status = fail_with(error, WG_EARGUMENT,
                           "Graphviz does not draw \"%s\" here: try svg, png, pdf or dot", format);
    } else if (!text_bytes(out, data, size)) {
        status = fail_memory(error);
    }
    gvFreeRenderData(data);
    gvFreeLayout(gvc, graph);
    return status;
}

wg_status render_dot(const char *dot, const char *format, wg_text *out, wg_error *error) {
    if (failed(error)) return error->status;
    size_t lines = 0;
    for (const char *end = dot; (end = strchr(end, '\n')); end++) lines++;
    if (lines > MAX_LINES)
        return fail_with(error, WG_EOVERFLOW,
                         "a graph of %zu nodes and edges is too large to draw, the limit is %d: "
                         "ask for dot, or draw a part of the formula",
                         lines, MAX_LINES);
    agseterr(AGMAX);
    agseterrf(silent);
    graph_t *graph = agmemread(dot);
    if (!graph) return complain(error, WG_EFORMAT, "Graphviz cannot read the graph");
    if (lines > MANY_LINES) agattr(graph, AGRAPH, (char[]){"nslimit"}, (char[]){"0.2"});
    GVC_t *gvc = gvContext();
    wg_status status = gvc ? draw(gvc, graph, format, out, error) : fail_memory(error);
    agclose(graph);
    if (gvc) gvFreeContext(gvc);
    return status;
}

#else

wg_status render_dot(const char *dot, const char *format, wg_text *out, wg_error *error) {
    (void)dot;
    (void)out;
    return fail_with(error, WG_EARGUMENT,
                     "this build has no Graphviz, so it cannot draw \"%s\": ask for dot, or build "
                     "with libgraphviz-dev installed",
                     format);
}

#endif
