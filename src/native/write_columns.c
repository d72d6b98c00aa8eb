/* Reductions over loops that others stand behind: of columns. A block of columns at a time, so that
 * their numbers stay in the cache, with all rows one after the other; rows are added up in the
 * order of op/kernel/reduce.h. */
#include "native/writer.h"

struct columns {
    uint32_t pass;
    struct plan plan;  /* the loops over rows, then those over columns */
    size_t summed;     /* how many of them are over rows */
};

static struct columns plan_columns(struct writer *w, uint32_t pass, size_t rows) {
    const struct pass *p = &w->l->passes.at[pass];
    size_t first = rows + p->summed, end = rows + p->loops.rank;
    struct columns c = {.pass = pass, .plan = plan_loops(w, pass, rows, first)};
    struct plan columns = plan_loops(w, pass, first, end);
    c.summed = c.plan.count;
    for (size_t k = 0; k < columns.count; k++) c.plan.loop[c.plan.count++] = columns.loop[k];
    return c;
}

/* Calls add_one for each reduction of the pass. */
static void each_reduction(struct writer *w, const struct columns *c, int depth,
                           void (*add_one)(struct writer *w, value v, const struct columns *c)) {
    const struct lowered *l = w->l;
    for (value v = l->passes.at[c->pass].first; v && w->ok; v = l->next[v]) {
        if (l->role[v] != ROLE_COLUMNS) continue;
        indent(w, depth);
        add_one(w, v, c);
    }
}

/* Sums, or largest elements. */
static const char *family(const struct writer *w, value v) {
    return instr_at(w->t, v)->op == OP_sum ? "sum" : "max";
}

static void add_begin(struct writer *w, value v, const struct columns *c) {
    (void)c;
    const char *kind = family(w, v), *type = short_name[dtype_of(w, v)];
    ADD(w, "wg_column_%s_%s r%u; ", kind, type, v);
    ADD(w, "wg_column_%s_begin_%s(&r%u, count);", kind, type, v);
    add_comment(w, v);
}

static void add_term(struct writer *w, value v, const struct columns *c) {
    struct site_of_use at = {c->pass, &c->plan};
    ADD(w, "wg_column_%s_add_%s(&r%u, each, ", family(w, v), short_name[dtype_of(w, v)], v);
    add_operand(w, &w->l->access.at[w->l->access_at[v]], &at);
    add(w, ");\n");
}

static void add_row_end(struct writer *w, value v, const struct columns *c) {
    (void)c;
    ADD(w, "wg_column_%s_row_%s(&r%u, count);\n", family(w, v), short_name[dtype_of(w, v)], v);
}

static void add_end(struct writer *w, value v, const struct columns *c) {
    (void)c;
    ADD(w, "wg_column_%s_end_%s(&r%u, count);\n", family(w, v), short_name[dtype_of(w, v)], v);
}

static void add_total(struct writer *w, value v, const struct columns *c) {
    struct site_of_use at = {c->pass, &c->plan};
    const char *tail = instr_at(w->t, v)->op == OP_peak ? "peak" : "total";
    add_place(w, v, &at);
    ADD(w, " = wg_column_%s_%s_%s(&r%u, each);\n", family(w, v), tail,
        short_name[dtype_of(w, v)], v);
}

/* for (...) { over the columns of a block, from the one that `begin` names. */
static void open_block_loop(struct writer *w, const struct site_of_use *at, const char *begin,
                            int depth) {
    size_t axis = at->plan->loop[at->plan->count - 1].last;
    indent(w, depth);
    add(w, "WG_INDEPENDENT\n");
    indent(w, depth);
    add(w, "for (int64_t each = 0; each < count; each++) {\n");
    indent(w, depth + 1);
    ADD(w, "const int64_t i%zu = %s + each;\n", axis, begin);
    indent(w, depth + 1);
    ADD(w, "(void)i%zu;\n", axis);
}

static void add_block(struct writer *w, const struct columns *c, int depth) {
    struct site_of_use at = {c->pass, &c->plan};
    int inside = depth + (int)c->summed;
    each_reduction(w, c, depth, add_begin);
    for (size_t k = 0; k < c->summed; k++)
        open_loop(w, c->pass, &c->plan, k, depth + (int)k, false);
    load_factors(w, &at, inside);
    open_block_loop(w, &at, "first", inside);
    add_body(w, &at, inside + 1);
    each_reduction(w, c, inside + 1, add_term);
    close_loops(w, inside + 1, inside);
    each_reduction(w, c, inside, add_row_end);
    close_loops(w, depth + (int)c->summed, depth);
    each_reduction(w, c, depth, add_end);
    open_block_loop(w, &at, "first", depth);
    each_reduction(w, c, depth + 1, add_total);
    close_loops(w, depth + 1, depth);
}

/* ---- few columns ----------------------------------------------------------------------------- */

/* The number of columns if it is constant, and few; else 0. */
static int64_t few_columns(const struct writer *w, const struct columns *c) {
    const struct pass *p = &w->l->passes.at[c->pass];
    int64_t width = 1;
    if (c->summed != 1 || c->plan.count != 2) return 0;
    for (size_t k = p->summed; k < p->loops.rank; k++) {
        wg_extent extent = p->loops.extent[k];
        if (extent < 1 || extent > SHORT_ROW || (width *= extent) > SHORT_ROW) return 0;
    }
    return width;
}

static bool has_terms_in_memory(const struct writer *w, value v, const struct columns *c,
                                int64_t width) {
    const struct access *a = &w->l->access.at[w->l->access_at[v]];
    return terms_in_memory(w, v, &c->plan) && a->stride[c->plan.loop[0].last] == width;
}

/* for (...) over the elements of the rows at hand: as one loop where they join. Returns the number
 * of loops. */
static int open_elements(struct writer *w, const struct columns *c, bool joined, int64_t width,
                         int depth) {
    size_t row = c->plan.loop[0].last, column = c->plan.loop[1].last;
    if (!joined) {
        indent(w, depth);
        add(w, "for (int64_t row = 0; row < rows; row++) {\n");
        indent(w, depth + 1);
        ADD(w, "const int64_t i%zu = first + row;\n", row);
        open_loop(w, c->pass, &c->plan, 1, depth + 1, true);
        indent(w, depth + 2);
        ADD(w, "const int64_t each = %lld * row + i%zu;\n", (long long)width, column);
        indent(w, depth + 2);
        add(w, "(void)each;\n");
        return 2;
    }
    indent(w, depth);
    add(w, "WG_INDEPENDENT\n");
    indent(w, depth);
    ADD(w, "for (int64_t each = 0; each < %lld * rows; each++) {\n", (long long)width);
    indent(w, depth + 1);
    ADD(w, "const int64_t i%zu = %lld * first + each;\n", column, (long long)width);
    indent(w, depth + 1);
    ADD(w, "(void)i%zu;\n", column);
    return 1;
}

static void add_row_terms(struct writer *w, const struct columns *c, const struct plan *all,
                      int64_t width, int depth) {
    const struct lowered *l = w->l;
    bool joined = all->count == 1, any = false;
    struct site_of_use at = {c->pass, joined ? all : &c->plan};
    for (value v = l->passes.at[c->pass].first; v; v = l->next[v]) {
        any |= l->role[v] == ROLE_POINT || !has_terms_in_memory(w, v, c, width);
        if (l->role[v] != ROLE_COLUMNS || has_terms_in_memory(w, v, c, width)) continue;
        indent(w, depth);
        ADD(w, "%s t%u[WG_ROWS * %lld];\n", type_text_of[dtype_of(w, v)], v, (long long)width);
    }
    if (!any) return;
    int loops = open_elements(w, c, joined, width, depth);
    add_body(w, &at, depth + loops);
    for (value v = l->passes.at[c->pass].first; v && w->ok; v = l->next[v]) {
        if (l->role[v] != ROLE_COLUMNS || has_terms_in_memory(w, v, c, width)) continue;
        indent(w, depth + loops);
        ADD(w, "t%u[each] = ", v);
        add_operand(w, &l->access.at[l->access_at[v]], &at);
        add(w, ";\n");
    }
    close_loops(w, depth + loops, depth);
}

static void add_rows(struct writer *w, const struct columns *c, int64_t width, int depth) {
    const struct lowered *l = w->l;
    struct plan no_loops = {.rows = c->plan.rows};
    struct site_of_use at = {c->pass, &no_loops};
    for (value v = l->passes.at[c->pass].first; v && w->ok; v = l->next[v]) {
        if (l->role[v] != ROLE_COLUMNS) continue;
        const struct access *a = &l->access.at[l->access_at[v]];
        indent(w, depth);
        ADD(w, "wg_column_%s_rows_%s(&r%u, ", family(w, v), short_name[dtype_of(w, v)], v);
        if (has_terms_in_memory(w, v, c, width)) {
            add_memory(w, a->root);
            ADD(w, " + %lld * first + ", (long long)width);
            add_index(w, a, &at);
        } else {
            ADD(w, "t%u", v);
        }
        ADD(w, ", rows, %lld);\n", (long long)width);
    }
}

/* Few columns fill no vectors: the terms of the rows that are added up in turn are made by one loop
 * if they can be. */
static void add_few_columns(struct writer *w, const struct columns *c, int64_t width, int depth) {
    size_t rank = w->l->passes.at[c->pass].loops.rank;
    struct site_of_use at = {c->pass, &c->plan};
    struct plan all = plan_loops(w, c->pass, c->plan.rows, c->plan.rows + rank);
    indent(w, depth);
    ADD(w, "const int64_t count = %lld;\n", (long long)width);
    each_reduction(w, c, depth, add_begin);
    indent(w, depth);
    add(w, "for (int64_t first = 0, trips = ");
    add_trips(w, c->pass, &c->plan, 0);
    add(w, "; first < trips; first += WG_ROWS) {\n");
    indent(w, depth + 1);
    add(w, "const int64_t rows = trips - first < WG_ROWS ? trips - first : WG_ROWS;\n");
    add_row_terms(w, c, &all, width, depth + 1);
    add_rows(w, c, width, depth + 1);
    close_loops(w, depth + 1, depth);
    indent(w, depth);
    add(w, "const int64_t first = 0;\n");
    each_reduction(w, c, depth, add_end);
    open_block_loop(w, &at, "first", depth);
    each_reduction(w, c, depth + 1, add_total);
    close_loops(w, depth + 1, depth);
}

/* ---- a pass ---------------------------------------------------------------------------------- */

void add_columns(struct writer *w, uint32_t pass, size_t rows, int depth) {
    struct columns c = plan_columns(w, pass, rows);
    int64_t width = few_columns(w, &c);
    if (width) {
        indent(w, depth);
        add(w, "{\n");
        add_few_columns(w, &c, width, depth + 1);
        close_loops(w, depth + 1, depth);
        return;
    }
    size_t last = c.plan.count - 1, outside = last - c.summed;
    for (size_t k = 0; k < outside; k++)
        open_loop(w, pass, &c.plan, c.summed + k, depth + (int)k, false);
    depth += (int)outside;
    indent(w, depth);
    add(w, "for (int64_t first = 0; first < ");
    add_trips(w, pass, &c.plan, last);
    add(w, "; first += WG_COLUMNS) {\n");
    indent(w, depth + 1);
    add(w, "const int64_t rest = ");
    add_trips(w, pass, &c.plan, last);
    add(w, " - first, count = rest < WG_COLUMNS ? rest : WG_COLUMNS;\n");
    add_block(w, &c, depth + 1);
    close_loops(w, depth + 1, depth - (int)outside);
}
