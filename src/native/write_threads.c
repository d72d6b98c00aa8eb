/* The C of loops that several threads share, by OpenMP. Which iterations a thread takes changes no
 * result: the outermost loop is cut in pieces that depend on sizes alone, each computed for itself,
 * or a vector's lanes and what is left over behind them, which is rounded in its own way, would be
 * other elements. Reductions are found in groups of blocks, and these joined one after the other as
 * if one thread had gone through all. */
#include "native/writer.h"

#include <string.h>

/* ---- how much work there is ------------------------------------------------------------------ */

enum { CALL = 10 }; /* what a mathematical function costs beside an addition */

static unsigned cost_of(const struct writer *w, value v) {
    const struct instr *i = instr_at(w->t, v);
    const char *formula = i->narg ? formula_of(i->op, dtype_of(w, args_of(w->t, i)[0])) : NULL;
    return formula && strchr(formula, '(') ? CALL : 1;
}

static unsigned cost_of_pass(const struct writer *w, uint32_t pass) {
    unsigned cost = 0;
    for (value v = w->l->passes.at[pass].first; v; v = w->l->next[v]) cost += cost_of(w, v);
    return cost;
}

static void add_product(struct writer *w, const struct loops *loops, size_t from) {
    for (size_t k = from; k < loops->rank; k++) {
        add(w, " * ");
        add_program_extent(w, loops->extent[k], true);
    }
}

/* The next loop is shared, if that is worth it. The work is a sum over the nest's passes, or that
 * of one pass: "5.0 * n * m", a floating number, which does not overflow. */
static void share(struct writer *w, const struct stage *nest, uint32_t pass, int depth) {
    indent(w, depth);
    add(w, "WG_SHARED(");
    for (uint32_t id = pass ? pass : nest->first; id; id = pass ? 0 : w->l->passes.at[id].next) {
        if (id != nest->first && !pass) add(w, " + ");
        ADD(w, "%u.0", cost_of_pass(w, id));
        add_product(w, &nest->rows, 0);
        add_product(w, &w->l->passes.at[id].loops, 0);
    }
    add(w, ")\n");
}

static const struct stage *nest_of(const struct writer *w, uint32_t pass) {
    return &w->l->stages.at[w->l->stage[w->l->passes.at[pass].first]];
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static void open_piece(struct writer *w, uint32_t pass, const struct plan *plan, int depth) {
    indent(w, depth);
    add(w, "for (int64_t piece = 0; piece < ");
    add_trips(w, pass, plan, 0);
    add(w, "; piece += step) {\n");
    indent(w, depth + 1);
    add(w, "WG_ONE_BY_ONE\n");
    indent(w, depth + 1);
    add(w, "const int64_t rest = ");
    add_trips(w, pass, plan, 0);
    add(w, " - piece, end = piece + (rest < step ? rest : step);\n");
}

static void open_block(struct writer *w, int depth) {
    indent(w, depth);
    add(w, "{\n");
}

int open_pieces(struct writer *w, uint32_t pass, struct plan *plan, int depth) {
    plan->pieces = true;
    open_block(w, depth++);
    indent(w, depth);
    ADD(w, "const int64_t step = %s((int64_t)1", plan->along_rows ? "wg_step_along" : "wg_step");
    for (size_t k = 1; k < plan->count; k++) {
        add(w, " * ");
        add_trips(w, pass, plan, k);
    }
    add(w, ");\n");
    share(w, nest_of(w, pass), pass, depth);
    open_piece(w, pass, plan, depth);
    return depth + 1;
}

/* A block of its own for each thread, of as many elements as a row has. */
static void declare_row_buffer(struct writer *w, value v, const struct loops *loops, int depth) {
    const char *type = type_text_of[dtype_of(w, v)];
    indent(w, depth);
    ADD(w, "%s *const ", type);
    add_memory(w, v);
    ADD(w, " = (%s *)f->table[%u] + (int64_t)WG_THREAD", type, w->w->homes->table[v]);
    add_product(w, loops, 0);
    add(w, ";\n");
}

int open_row_pieces(struct writer *w, const struct stage *nest, struct plan *plan, int depth) {
    const struct lowered *l = w->l;
    plan->pieces = true;
    open_block(w, depth++);
    indent(w, depth);
    add(w, "const int64_t step = wg_step(");
    for (uint32_t id = nest->first; id; id = l->passes.at[id].next) {
        add(w, id == nest->first ? "(int64_t)1" : " + (int64_t)1");
        add_product(w, &nest->rows, 1);
        add_product(w, &l->passes.at[id].loops, 0);
    }
    add(w, ");\n");
    share(w, nest, 0, depth);
    open_piece(w, nest->first, plan, depth);
    for (uint32_t id = nest->first; id; id = l->passes.at[id].next)
        for (value v = l->passes.at[id].first; v; v = l->next[v])
            if (l->storage[v] == STORE_ROW)
                declare_row_buffer(w, v, &l->passes.at[id].loops, depth + 1);
    return depth + 1;
}

/* ---- reductions ------------------------------------------------------------------------------ */

/* Calls visit for each reduction of the pass. */
static void each_reduction(struct writer *w, uint32_t pass, int depth,
                           void (*visit)(struct writer *w, value v, int depth)) {
    for (value v = w->l->passes.at[pass].first; v && w->ok; v = w->l->next[v])
        if (w->l->role[v] == ROLE_REDUCE) visit(w, v, depth);
}

static void declare_groups(struct writer *w, value v, int depth) {
    indent(w, depth);
    ADD(w, "wg_%s_%s s%u[WG_GROUPS];\n", reducer(w, v), short_name[dtype_of(w, v)], v);
}

static void keep_group(struct writer *w, value v, int depth) {
    indent(w, depth);
    ADD(w, "s%u[group] = r%u;\n", v, v);
}

static void join_group(struct writer *w, value v, int depth) {
    indent(w, depth);
    ADD(w, "wg_%s_join_%s(&r%u, &s%u[group]);\n", reducer(w, v), short_name[dtype_of(w, v)], v, v);
}

static void open_group_loop(struct writer *w, int depth) {
    indent(w, depth);
    add(w, "for (int64_t group = 0; group < groups; group++) {\n");
}

void open_groups(struct writer *w, uint32_t pass, int depth) {
    indent(w, depth);
    add(w, "for (int64_t tile = 0; tile < terms; tile += WG_GROUPS * WG_GROUP) {\n");
    indent(w, depth + 1);
    add(w, "const int64_t rest = terms - tile, many = (rest + WG_GROUP - 1) / WG_GROUP;\n");
    indent(w, depth + 1);
    add(w, "const int64_t groups = many < WG_GROUPS ? many : WG_GROUPS;\n");
    each_reduction(w, pass, depth + 1, declare_groups);
    share(w, nest_of(w, pass), pass, depth + 1);
    open_group_loop(w, depth + 1);
    indent(w, depth + 2);
    add(w, "WG_ONE_BY_ONE\n");
    indent(w, depth + 2);
    add(w, "const int64_t start = tile + group * WG_GROUP;\n");
    indent(w, depth + 2);
    add(w, "const int64_t end = terms - start < WG_GROUP ? terms : start + WG_GROUP;\n");
}

void close_groups(struct writer *w, uint32_t pass, int depth) {
    each_reduction(w, pass, depth + 2, keep_group);
    indent(w, depth + 1);
    add(w, "}\n");
    open_group_loop(w, depth + 1);
    each_reduction(w, pass, depth + 2, join_group);
    indent(w, depth + 1);
    add(w, "}\n");
    indent(w, depth);
    add(w, "}\n");
}
