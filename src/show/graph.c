/* The computational graph in Graphviz' DOT language: inputs at the left, a node for each
 * intermediate with its operation and formula, outputs at the right; values, tangents and adjoints
 * on the nodes. Nodes are called after their place in the trace, so that equal programs give equal
 * text. Drawing it is the command's matter. */
#include "show/show.h"

static const char head[] =
    "digraph trace {\n"
    "    graph [rankdir=LR, nodesep=0.25, ranksep=0.45, pad=0.15, "
    "fontname=\"Helvetica,Arial,sans-serif\"]\n"
    "    node [shape=box, style=\"rounded,filled\", fillcolor=\"#FFFFFF\", color=\"#8A94A6\", "
    "fontname=\"Helvetica,Arial,sans-serif\", fontsize=12, margin=\"0.06,0.03\", height=0.3]\n"
    "    edge [color=\"#5B6577\", arrowsize=0.6]\n";

static const char *const look[] = {
    [LINE_INPUT] = "style=filled, fillcolor=\"#E6EFF9\", color=\"#3B6EA8\"",
    [LINE_STEP] = "",
    [LINE_OUTPUT] = "style=filled, fillcolor=\"#FBF1DC\", color=\"#B07A1E\", peripheries=2",
};

enum { ELEMENTS_ON_NODE = 3 }; /* of a tensor */

static const char *const mark_color[] = {"#1F2937", "#1D5FA8", "#B0302F"};

/* Text inside an HTML-like label. */
static bool escaped(wg_text *out, const char *text) {
    bool ok = true;
    for (const char *c = text; *c && ok; c++) {
        switch (*c) {
        case '&': ok = text_add(out, "&amp;"); break;
        case '<': ok = text_add(out, "&lt;"); break;
        case '>': ok = text_add(out, "&gt;"); break;
        case '"': ok = text_add(out, "&quot;"); break;
        default: ok = text_bytes(out, (unsigned char)*c < 0x20 ? " " : c, 1);
        }
    }
    return ok;
}

/* One line of a node: "left = right = value", what there is of it. */
static bool write_row(wg_text *out, enum mark mark, const char *left, const char *right,
                      const wg_tensor *number, int digits) {
    if (!left) return true;
    return text_format(out, "<TR><TD><FONT COLOR=\"%s\">", mark_color[mark]) &&
           escaped(out, left) && (!right || (text_add(out, " = ") && escaped(out, right))) &&
           (!number || (text_add(out, " = ") &&
                        tensor_write(out, number, NUMBER_PLAIN, digits, ELEMENTS_ON_NODE))) &&
           text_add(out, "</FONT></TD></TR>");
}

static bool write_node(const struct lines *lines, size_t i, int digits, wg_text *out) {
    const struct line *line = &lines->at[i];
    const struct equation *adjoint = line->kind == LINE_OUTPUT ? &line->gradient : &line->adjoint;
    enum notation notation = lines->writing.notation;
    const char *title = line->name, *name = line->name, *formula = NULL;
    unsigned op = instr_at(lines->t, line->v)->op;
    const wg_tensor *number = line->primal.value;
    if (line->kind == LINE_STEP) {
        title = op_symbol(notation, op);
        formula = line->primal.right;
    } else if (line->kind == LINE_INPUT) {
        title = line->primal.right;
    } else {
        name = number ? line->primal.right : NULL;
        if (op == OP_constant || op == OP_data) number = NULL; /* 3, not 3 = 3 */
    }
    bool ok = text_format(out, "    n%zu [%s%slabel=<<TABLE BORDER=\"0\" CELLSPACING=\"0\" "
                               "CELLPADDING=\"1\"><TR><TD><FONT POINT-SIZE=\"14\"><B>",
                          i, look[line->kind], look[line->kind][0] ? ", " : "") &&
              escaped(out, title) && text_add(out, "</B></FONT></TD></TR>") &&
              write_row(out, MARK_PRIMAL, name, formula, number, digits);
    if (ok && !lines->all_scalars)
        ok = text_add(out, "<TR><TD><FONT COLOR=\"#6B7280\" POINT-SIZE=\"10\">") &&
             escaped(out, line->type) && text_add(out, "</FONT></TD></TR>");
    if (ok && line->tangent.value)
        ok = write_row(out, MARK_TANGENT, line->tangent.left, NULL, line->tangent.value, digits);
    if (ok && adjoint->value)
        ok = write_row(out, MARK_ADJOINT, adjoint->left, NULL, adjoint->value, digits);
    return ok && text_add(out, "</TABLE>>]\n");
}

/* Where an argument comes from: the line of the value behind what is inline; -1 for constants. */
static int64_t source_of(const struct lines *lines, const uint32_t *line_of, value v) {
    const struct trace *t = lines->t;
    while (lines->order.role[v] == ROLE_INLINE) {
        if (instr_at(t, v)->narg == 0) return -1;
        v = args_of(t, instr_at(t, v))[0];
    }
    return line_of[v];
}

static bool write_edge(wg_text *out, int64_t from, size_t to) {
    return from < 0 || text_format(out, "    n%lld -> n%zu\n", (long long)from, to);
}

static bool write_edges(const struct lines *lines, const uint32_t *line_of, wg_text *out) {
    bool ok = true;
    for (size_t i = lines->input_count; i < lines->count && ok; i++) {
        const struct line *line = &lines->at[i];
        const struct instr *instr = instr_at(lines->t, line->v);
        if (line->kind == LINE_OUTPUT) ok = write_edge(out, source_of(lines, line_of, line->v), i);
        for (size_t k = 0; line->kind == LINE_STEP && k < instr->narg && ok; k++)
            ok = write_edge(out, source_of(lines, line_of, args_of(lines->t, instr)[k]), i);
    }
    return ok;
}

/* The nodes first .. last - 1 on one rank, in their order. */
static bool write_rank(const char *rank, size_t first, size_t last, wg_text *out) {
    if (first == last) return true;
    bool ok = text_format(out, "    {rank=%s; edge [style=invis]; n%zu", rank, first);
    for (size_t i = first + 1; i < last && ok; i++) ok = text_format(out, " -> n%zu", i);
    return ok && text_add(out, "}\n");
}

bool write_dot(const struct lines *lines, int digits, wg_text *out) {
    size_t bytes = lines->t->instr.count * sizeof(uint32_t);
    size_t own = lines->count - lines->output_count;
    uint32_t *line_of = mem_alloc_zero(&lines->t->allocator, bytes);
    bool ok = line_of && text_add(out, head);
    for (size_t i = 0; i < own && ok; i++) line_of[lines->at[i].v] = (uint32_t)i;
    for (size_t i = 0; i < lines->count && ok; i++) ok = write_node(lines, i, digits, out);
    ok = ok && write_rank("source", 0, lines->input_count, out) &&
         write_rank("sink", own, lines->count, out) && write_edges(lines, line_of, out) &&
         text_add(out, "}\n");
    mem_free(&lines->t->allocator, line_of, bytes);
    return ok;
}
