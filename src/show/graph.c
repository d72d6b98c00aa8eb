/* The computational graph in Graphviz' DOT language: inputs at the left, a node for each
 * intermediate with its operation and formula, outputs at the right; values, tangents and adjoints
 * on the nodes. Nodes are called after their place in the trace, so that equal programs give equal
 * text. A loop or branch is a box around what its bodies have; in it dashed edges lead back to what
 * a loop carries. Drawing it is the command's matter. */
#include "op/region.h"
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
    bool ok = text_format(out,
                          "    n%zu [%s%slabel=<<TABLE BORDER=\"0\" CELLSPACING=\"0\" "
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

/* ---- boxes ----------------------------------------------------------------------------------- */

static bool write_inner_node(const struct lines *lines, size_t i, size_t k, wg_text *out) {
    const struct line *line = &lines->at[i];
    const struct inner *inner = &line->inner[k];
    const struct equation *e = &inner->equation;
    bool carry = inner->kind == INNER_CARRY;
    unsigned op = instr_at(line->body[inner->body].t, inner->v)->op;
    const char *title = carry ? e->left : op_symbol(lines->writing.notation, op);
    return text_format(out,
                       "    n%zu_%zu [label=<<TABLE BORDER=\"0\" CELLSPACING=\"0\" "
                       "CELLPADDING=\"1\"><TR><TD><FONT POINT-SIZE=\"14\"><B>",
                       i, k + 1) &&
           escaped(out, title) && text_add(out, "</B></FONT></TD></TR>") &&
           write_row(out, MARK_PRIMAL, carry ? e->right : e->left, carry ? NULL : e->right, NULL,
                     0) &&
           text_add(out, "<TR><TD><FONT COLOR=\"#6B7280\" POINT-SIZE=\"10\">") &&
           escaped(out, inner->type) && text_add(out, "</FONT></TD></TR></TABLE>>]\n");
}

/* Boxes that are open, by the depth of what is in them; a branch has one for each case too. */
struct boxes {
    struct {
        unsigned depth;
        bool is_case;
    } open[2 * MAX_RULE_DEPTH + 4];
    size_t count, made;
};

static bool close_box(struct boxes *b, wg_text *out) {
    b->count--;
    return text_add(out, "    }\n");
}

static bool open_box(struct boxes *b, size_t i, unsigned depth, bool is_case, const char *label,
                     wg_text *out) {
    if (b->count == COUNT_OF(b->open)) return true;
    b->open[b->count].depth = depth;
    b->open[b->count++].is_case = is_case;
    return text_format(out,
                       "    subgraph cluster_%zu_%zu {\n"
                       "    graph [style=\"%s\", color=\"#8A94A6\", bgcolor=\"%s\", label=<",
                       i, b->made++, is_case ? "rounded,dashed" : "rounded",
                       is_case ? "transparent" : "#F7F8FA") &&
           escaped(out, label) && text_add(out, ">]\n");
}

static bool write_box(const struct lines *lines, size_t i, int digits, wg_text *out) {
    const struct line *line = &lines->at[i];
    struct boxes b = {.count = 0};
    bool ok = open_box(&b, i, 1, false, line->primal.right, out) &&
              write_node(lines, i, digits, out);
    if (ok && instr_at(lines->t, line->v)->op == OP_branch) ok = open_box(&b, i, 1, true, "", out);
    for (size_t k = 0; ok && k < line->inner_count; k++) {
        const struct inner *inner = &line->inner[k];
        unsigned depth = inner->depth + (inner->kind == INNER_HEADING);
        while (ok && b.count && b.open[b.count - 1].depth > depth) ok = close_box(&b, out);
        if (inner->kind == INNER_HEADING) {
            if (ok && b.count && b.open[b.count - 1].is_case) ok = close_box(&b, out);
            ok = ok && open_box(&b, i, depth, true, inner->equation.left, out);
        } else if (inner->kind != INNER_RESULT) {
            const struct trace *t = line->body[inner->body].t;
            bool region = inner->kind == INNER_STEP && is_region(t, inner->v);
            if (region) ok = ok && open_box(&b, i, depth + 1, false, inner->equation.right, out);
            ok = ok && write_inner_node(lines, i, k, out);
            if (ok && region && instr_at(t, inner->v)->op == OP_branch)
                ok = open_box(&b, i, depth + 1, true, "", out);
        }
    }
    while (ok && b.count) ok = close_box(&b, out);
    return ok;
}

/* ---- edges ----------------------------------------------------------------------------------- */

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

/* What a loop or branch is given by itself: how often, and which; the rest goes to its bodies. */
static size_t edges_in(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    return is_region(t, v) ? region_open(t, i->op, i->attr).lead : i->narg;
}

/* The lines within line i: which of them stands for a value of a body, by the body's first. */
struct inside {
    const struct lines *lines;
    const uint32_t *line_of;
    size_t line;
    uint32_t *node; /* 1 + the inner line; 0: none */
    size_t *first;  /* of each body: where its values begin in node */
};

/* The node that gives a value of a body (1 + its number; 0: the trace); 0 and a line outside, which
 * is -1 for none. */
static size_t inner_source(const struct inside *n, uint32_t body, value v, int64_t *outside) {
    const struct inner_body *all = n->lines->at[n->line].body;
    while (body) {
        const struct inner_body *b = &all[body - 1];
        const struct instr *i = instr_at(b->t, v);
        size_t node = n->node[n->first[body - 1] + v];
        if (node) return node;
        *outside = -1;
        if (i->op == OP_input) {
            const struct trace *t = b->around ? all[b->around - 1].t : n->lines->t;
            const struct instr *from = instr_at(t, b->region);
            size_t k = (size_t)attr_words(b->t, i->attr)[0], loop = from->op == OP_loop;
            if (loop && k == 0) return 0; /* the index */
            size_t lead = region_open(t, from->op, from->attr).lead;
            v = args_of(t, from)[lead + k - loop];
            body = b->around;
        } else if (i->narg == 0) {
            return 0;
        } else {
            v = args_of(b->t, i)[0];
        }
    }
    *outside = source_of(n->lines, n->line_of, v);
    return 0;
}

/* From a value of a body to an inner line (0: to the line itself). */
static bool write_inner_edge(const struct inside *n, uint32_t body, value v, size_t to,
                             const char *look_of_edge, wg_text *out) {
    int64_t outside = -1;
    size_t from = inner_source(n, body, v, &outside);
    if (!from && outside < 0) return true;
    bool ok = from ? text_format(out, "    n%zu_%zu -> ", n->line, from)
                   : text_format(out, "    n%lld -> ", (long long)outside);
    ok = ok && (to ? text_format(out, "n%zu_%zu", n->line, to) : text_format(out, "n%zu", n->line));
    return ok && text_add(out, look_of_edge) && text_add(out, "\n");
}

static bool write_inner_edges(const struct inside *n, wg_text *out) {
    const struct line *line = &n->lines->at[n->line];
    bool ok = true;
    for (size_t k = 0; ok && k < line->inner_count; k++) {
        const struct inner *inner = &line->inner[k];
        const struct inner_body *b = &line->body[inner->body];
        const struct trace *around = b->around ? line->body[b->around - 1].t : n->lines->t;
        size_t region = b->around ? n->node[n->first[b->around - 1] + b->region] : 0;
        if (inner->kind == INNER_STEP) {
            const struct instr *i = instr_at(b->t, inner->v);
            for (size_t x = 0; ok && x < edges_in(b->t, inner->v); x++)
                ok = write_inner_edge(n, inner->body + 1, args_of(b->t, i)[x], k + 1, "", out);
        } else if (inner->kind == INNER_RESULT) {
            ok = write_inner_edge(n, inner->body + 1, inner->v, region, "", out);
        } else if (inner->kind == INNER_CARRY) {
            const struct instr *i = instr_at(around, b->region);
            struct region r = region_open(around, i->op, i->attr);
            size_t input = (size_t)attr_words(b->t, instr_at(b->t, inner->v)->attr)[0];
            value begin = args_of(around, i)[r.lead + input - 1];
            value next = b->t->output.at[input - 1 - r.captures].v;
            ok = write_inner_edge(n, b->around, begin, k + 1, "", out) &&
                 write_inner_edge(n, inner->body + 1, next, k + 1,
                                  " [style=dashed, constraint=false]", out) &&
                 write_inner_edge(n, inner->body + 1, next, region, "", out);
        }
    }
    return ok;
}

static bool write_inside(const struct lines *lines, const uint32_t *line_of, size_t i,
                         wg_text *out) {
    const struct line *line = &lines->at[i];
    const wg_allocator *a = &lines->t->allocator;
    size_t bodies = 0, values = 0;
    for (size_t k = 0; k < line->inner_count; k++)
        if (line->inner[k].body >= bodies) bodies = line->inner[k].body + 1;
    for (size_t k = 0; k < bodies; k++) values += line->body[k].t->instr.count;
    struct inside n = {.lines = lines,
                       .line_of = line_of,
                       .line = i,
                       .node = mem_alloc_zero(a, (values + 1) * sizeof *n.node),
                       .first = mem_alloc_zero(a, (bodies + 1) * sizeof *n.first)};
    bool ok = n.node && n.first;
    for (size_t k = 1; ok && k < bodies; k++)
        n.first[k] = n.first[k - 1] + line->body[k - 1].t->instr.count;
    for (size_t k = 0; ok && k < line->inner_count; k++)
        if (line->inner[k].kind == INNER_CARRY || line->inner[k].kind == INNER_STEP)
            n.node[n.first[line->inner[k].body] + line->inner[k].v] = (uint32_t)k + 1;
    ok = ok && write_inner_edges(&n, out);
    mem_free(a, n.node, n.node ? (values + 1) * sizeof *n.node : 0);
    mem_free(a, n.first, n.first ? (bodies + 1) * sizeof *n.first : 0);
    return ok;
}

static bool write_edges(const struct lines *lines, const uint32_t *line_of, wg_text *out) {
    bool ok = true;
    for (size_t i = lines->input_count; i < lines->count && ok; i++) {
        const struct line *line = &lines->at[i];
        const struct instr *instr = instr_at(lines->t, line->v);
        size_t count = edges_in(lines->t, line->v);
        if (line->kind == LINE_OUTPUT) ok = write_edge(out, source_of(lines, line_of, line->v), i);
        for (size_t k = 0; line->kind == LINE_STEP && k < count && ok; k++)
            ok = write_edge(out, source_of(lines, line_of, args_of(lines->t, instr)[k]), i);
        if (line->inner_count) ok = ok && write_inside(lines, line_of, i, out);
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
    for (size_t i = 0; i < lines->count && ok; i++)
        ok = lines->at[i].inner_count ? write_box(lines, i, digits, out)
                                      : write_node(lines, i, digits, out);
    ok = ok && write_rank("source", 0, lines->input_count, out) &&
         write_rank("sink", own, lines->count, out) && write_edges(lines, line_of, out) &&
         text_add(out, "}\n");
    mem_free(&lines->t->allocator, line_of, bytes);
    return ok;
}
