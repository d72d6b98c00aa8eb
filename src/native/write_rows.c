/* Nests whose rows are short: many rows at a time, in loops of their own. A loop of ten elements
 * fills no vectors, so mathematical functions are taken in one loop over the elements of all rows
 * at hand, and those of a row's own numbers in one over the rows. What one loop makes and another
 * reads is kept in arrays on the stack.
 *
 * Each pass of the nest becomes several loops, its steps:
 *     1, 3, ...   over rows and elements: what costs little
 *     2, 4, ...   flat: functions whose operands are elements at the same place
 *     the last    over rows: the reductions, in the order of runtime_reduce.h
 * What a pass writes to memory follows its last step where there are several: its place may be that
 * of an operand which a later step reads. */
#include "native/writer.h"

#include <stdio.h>

enum { KEPT = 1, DEFERRED = 2 };

/* ---- questions ------------------------------------------------------------------------------- */

static int64_t row_size(const struct lowered *l, uint32_t pass) {
    const struct loops *loops = &l->passes.at[pass].loops;
    int64_t size = 1;
    for (size_t k = 0; k < loops->rank; k++) size *= loops->extent[k];
    return size;
}

static int64_t rows_at_once(const struct lowered *l, uint32_t stage) {
    int64_t longest = 1, least = 8;
    for (uint32_t p = l->stages.at[stage].first; p; p = l->passes.at[p].next)
        if (row_size(l, p) > longest) longest = row_size(l, p);
    int64_t rows = SHORT_ROWS_BLOCK / longest / least * least;
    return rows > least ? rows : least;
}

/* Whether the statement is worth a flat loop: rows fill no vectors, it calls a function, and reads
 * elements of its pass at its own place. */
static bool is_flat(const struct writer *w, value v) {
    const struct lowered *l = w->l;
    const struct instr *i = instr_at(w->t, v);
    int64_t lanes = 64 / (int64_t)wg_dtype_size((wg_dtype)dtype_of(w, v));
    if (l->passes.at[l->pass[v]].loops.rank == 0 || row_size(l, l->pass[v]) % lanes == 0 ||
        !i->narg || !calls_function(i->op, dtype_of(w, v)))
        return false;
    for (size_t k = 0; k < i->narg; k++) {
        const struct access *a = &l->access.at[l->access_at[v] + k];
        if (instr_at(w->t, a->root)->op == OP_constant) continue;
        if (l->pass[a->root] != l->pass[v] || !a->identity) return false;
    }
    return true;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Numbers the steps of a pass from an odd one on; returns the last that has statements. */
static uint32_t number_steps(struct writer *w, uint32_t pass, uint32_t first) {
    const struct lowered *l = w->l;
    uint32_t last = first;
    for (value v = l->passes.at[pass].first; v; v = l->next[v]) {
        if (l->role[v] == ROLE_REDUCE) continue;
        bool flat = is_flat(w, v);
        uint32_t step = flat ? first + 1 : first;
        for (size_t k = 0; k < access_count(l, v); k++) {
            value root = l->access.at[l->access_at[v] + k].root;
            uint32_t ready = l->pass[root] == pass ? w->step[root] : 0;
            if (ready && (ready % 2 == 0) != flat) ready++;
            if (ready > step) step = ready;
        }
        w->step[v] = step;
        if (step > last) last = step;
    }
    for (value v = l->passes.at[pass].first; v; v = l->next[v])
        if (l->role[v] == ROLE_REDUCE) w->step[v] = last + 1;
    return last;
}

static bool waits_for_last(const struct writer *w, value v, uint32_t first, uint32_t last) {
    bool in_memory = w->l->storage[v] == STORE_FULL && w->l->role[v] != ROLE_REDUCE;
    return in_memory && last > first && (w->step[v] != last || last % 2 == 0);
}

static void keep_operands(struct writer *w, value v) {
    const struct lowered *l = w->l;
    for (size_t k = 0; k < access_count(l, v); k++) {
        value root = l->access.at[l->access_at[v] + k].root;
        if (!w->step[root] || w->step[root] == w->step[v]) continue;
        if (l->storage[root] != STORE_FULL || l->pass[root] == l->pass[v] ||
            l->role[root] == ROLE_REDUCE)
            w->kept[root] |= KEPT;
    }
}

void add_kept(struct writer *w, const struct access *a, const struct site_of_use *at) {
    uint32_t pass = w->l->pass[a->root];
    bool of_row = w->l->role[a->root] == ROLE_REDUCE || w->l->passes.at[pass].loops.rank == 0;
    if (w->kept_index) {
        ADD(w, "b%u[%s]", a->root, w->kept_index);
    } else if (of_row) {
        ADD(w, "b%u[row]", a->root);
    } else {
        struct plan within = *at->plan;
        struct site_of_use row = {at->pass, &within};
        within.rows = 0;
        ADD(w, "b%u[%lld * row + ", a->root, (long long)row_size(w->l, pass));
        add_index(w, a, &row);
        add(w, "]");
    }
}

/* ---- loops ----------------------------------------------------------------------------------- */

struct rows { /* what the loops of a pass share */
    uint32_t pass;
    size_t axis; /* of the nest, whose rows are taken together */
    struct plan plan;
    int depth;
};

/* for (begin ...) { over blocks of a loop of the plan, up to `trips`. */
static void open_blocks(struct writer *w, uint32_t pass, const struct plan *plan,
                        size_t k, const char *size, int depth) {
    bool piece = plan->pieces && k == 0;
    indent(w, depth);
    ADD(w, "for (int64_t begin = %s, trips = ", piece ? "piece" : "0");
    if (piece) add(w, "end");
    else add_trips(w, pass, plan, k);
    ADD(w, "; begin < trips; begin += %s) {\n", size);
}

static void open_rows(struct writer *w, const struct rows *at, bool independent) {
    if (independent) {
        indent(w, at->depth);
        add(w, "WG_INDEPENDENT\n");
    }
    indent(w, at->depth);
    add(w, "for (int64_t row = 0; row < rows; row++) {\n");
    indent(w, at->depth + 1);
    ADD(w, "const int64_t i%zu = begin + row;\n", at->axis);
    indent(w, at->depth + 1);
    ADD(w, "(void)i%zu;\n", at->axis);
}

static void close_loop(struct writer *w, int depth) {
    indent(w, depth);
    add(w, "}\n");
}

static void keep(struct writer *w, value v, const struct rows *at, int depth) {
    if (!(w->kept[v] & KEPT)) return;
    indent(w, depth);
    if (w->kept_index) ADD(w, "b%u[%s] = v%u;\n", v, w->kept_index, v);
    else if (at->plan.count == 0) ADD(w, "b%u[row] = v%u;\n", v, v);
    else
        ADD(w, "b%u[%lld * row + i%zu] = v%u;\n", v, (long long)row_size(w->l, at->pass),
            at->plan.loop[0].last, v);
}

/* The statements of the step at hand, and what they write. */
static void add_step_body(struct writer *w, const struct rows *at, int depth) {
    const struct lowered *l = w->l;
    struct site_of_use here = {at->pass, &at->plan};
    for (value v = l->passes.at[at->pass].first; v && w->ok; v = l->next[v])
        if (w->step[v] == w->now) add_statement(w, v, &here, depth);
    for (value v = l->passes.at[at->pass].first; v && w->ok; v = l->next[v]) {
        if (w->step[v] != w->now) continue;
        keep(w, v, at, depth);
        if (!(w->kept[v] & DEFERRED)) add_store(w, v, &here, depth);
    }
}

static void open_elements(struct writer *w, const struct rows *at) {
    open_rows(w, at, at->plan.count == 0);
    if (at->plan.count) open_loop(w, at->pass, &at->plan, 0, at->depth + 1, true);
}

static void close_elements(struct writer *w, const struct rows *at) {
    if (at->plan.count) close_loop(w, at->depth + 1);
    close_loop(w, at->depth);
}

static void add_step(struct writer *w, const struct rows *at) {
    bool flat = w->now % 2 == 0;
    if (flat) {
        w->kept_index = "each";
        indent(w, at->depth);
        add(w, "WG_INDEPENDENT\n");
        indent(w, at->depth);
        ADD(w, "for (int64_t each = 0; each < %lld * rows; each++) {\n",
            (long long)row_size(w->l, at->pass));
        add_step_body(w, at, at->depth + 1);
        close_loop(w, at->depth);
        w->kept_index = NULL;
    } else {
        open_elements(w, at);
        add_step_body(w, at, at->depth + 1 + (at->plan.count > 0));
        close_elements(w, at);
    }
}

static void add_deferred(struct writer *w, const struct rows *at) {
    const struct lowered *l = w->l;
    struct site_of_use here = {at->pass, &at->plan};
    int depth = at->depth + 1 + (at->plan.count > 0);
    open_elements(w, at);
    for (value v = l->passes.at[at->pass].first; v && w->ok; v = l->next[v]) {
        if (!(w->kept[v] & DEFERRED)) continue;
        indent(w, depth);
        add_place(w, v, &here);
        ADD(w, " = b%u[%lld * row + i%zu];\n", v, (long long)row_size(l, at->pass),
            at->plan.loop[0].last);
    }
    close_elements(w, at);
}

/* ---- reductions ------------------------------------------------------------------------------ */

/* Copies the terms of a row that do not lie one behind the other. */
static void gather_terms(struct writer *w, value v, const struct rows *at, int depth) {
    struct site_of_use here = {at->pass, &at->plan};
    indent(w, depth);
    ADD(w, "%s t%u[%lld];\n", type_text_of[dtype_of(w, v)], v, (long long)row_size(w->l, at->pass));
    open_loop(w, at->pass, &at->plan, 0, depth, true);
    indent(w, depth + 1);
    ADD(w, "t%u[i%zu] = ", v, at->plan.loop[0].last);
    add_operand(w, &w->l->access.at[w->l->access_at[v]], &here);
    add(w, ";\n");
    close_loop(w, depth);
}

static void add_reduction(struct writer *w, value v, const struct rows *at, int depth) {
    const struct lowered *l = w->l;
    const struct access *a = &l->access.at[l->access_at[v]];
    struct plan no_loops = {.rows = at->plan.rows};
    struct site_of_use row = {at->pass, &no_loops};
    long long n = row_size(l, at->pass);
    bool in_array = (w->kept[a->root] & KEPT) && a->identity;
    bool gathered = !in_array && !terms_in_memory(w, v, &at->plan);
    if (gathered) gather_terms(w, v, at, depth);
    indent(w, depth);
    ADD(w, "const %s v%u = wg_%s_short_%s(", type_text_of[dtype_of(w, v)], v, reducer(w, v),
        short_name[dtype_of(w, v)]);
    if (gathered) {
        ADD(w, "t%u", v);
    } else if (in_array) {
        ADD(w, "b%u + %lld * row", a->root, n);
    } else {
        add_memory(w, a->root);
        add(w, " + ");
        add_index(w, a, &row);
    }
    ADD(w, ", %lld);", n);
    add_comment(w, v);
    if (w->kept[v] & KEPT) {
        indent(w, depth);
        ADD(w, "b%u[row] = v%u;\n", v, v);
    }
    add_store(w, v, &row, depth);
}

static void add_reductions(struct writer *w, const struct rows *at) {
    const struct lowered *l = w->l;
    open_rows(w, at, false);
    for (value v = l->passes.at[at->pass].first; v && w->ok; v = l->next[v])
        if (l->role[v] == ROLE_REDUCE) add_reduction(w, v, at, at->depth + 1);
    close_loop(w, at->depth);
}

/* ---- the nest -------------------------------------------------------------------------------- */

static void add_pass_steps(struct writer *w, uint32_t pass, size_t rows, int depth,
                           uint32_t first, uint32_t last) {
    const struct lowered *l = w->l;
    struct rows at = {.pass = pass, .axis = rows - 1, .depth = depth};
    at.plan = plan_loops(w, pass, rows, rows + l->passes.at[pass].loops.rank);
    bool reduces = false, defers = false;
    for (uint32_t step = first; step <= last && w->ok; step++) {
        bool any = false;
        for (value v = l->passes.at[pass].first; v; v = l->next[v]) any |= w->step[v] == step;
        w->now = step;
        if (any) add_step(w, &at);
    }
    for (value v = l->passes.at[pass].first; v; v = l->next[v]) {
        reduces |= l->role[v] == ROLE_REDUCE;
        defers |= (w->kept[v] & DEFERRED) != 0;
    }
    w->now = last + 1;
    if (defers) add_deferred(w, &at);
    if (reduces) add_reductions(w, &at);
}

static void declare_kept(struct writer *w, uint32_t stage, int64_t rows, int depth) {
    const struct lowered *l = w->l;
    for (uint32_t p = l->stages.at[stage].first; p; p = l->passes.at[p].next) {
        for (value v = l->passes.at[p].first; v; v = l->next[v]) {
            if (!(w->kept[v] & KEPT)) continue;
            int64_t size = l->role[v] == ROLE_REDUCE ? 1 : row_size(l, p);
            indent(w, depth);
            ADD(w, "%s b%u[%lld];\n", type_text_of[dtype_of(w, v)], v, (long long)(rows * size));
        }
    }
}

/* Says of every value of the nest which step makes it, and what is kept for other steps. The pass
 * after a pass whose last step is `last` begins at the next odd number behind its reductions. */
static uint32_t step_behind(uint32_t last) {
    return (last + 2) | 1;
}

static void plan_steps(struct writer *w, const struct stage *nest) {
    const struct lowered *l = w->l;
    uint32_t first = 1;
    for (uint32_t p = nest->first; p; p = l->passes.at[p].next) {
        uint32_t last = number_steps(w, p, first);
        for (value v = l->passes.at[p].first; v; v = l->next[v])
            if (waits_for_last(w, v, first, last)) w->kept[v] = KEPT | DEFERRED;
        first = step_behind(last);
    }
    for (uint32_t p = nest->first; p; p = l->passes.at[p].next)
        for (value v = l->passes.at[p].first; v; v = l->next[v]) keep_operands(w, v);
}

static void forget_steps(struct writer *w, const struct stage *nest) {
    for (uint32_t p = nest->first; p; p = w->l->passes.at[p].next)
        for (value v = w->l->passes.at[p].first; v; v = w->l->next[v])
            w->step[v] = w->kept[v] = 0;
}

void add_short_rows(struct writer *w, uint32_t stage, const struct plan *rows, int depth) {
    const struct lowered *l = w->l;
    const struct stage *nest = &l->stages.at[stage];
    int64_t at_once = rows_at_once(l, stage);
    size_t rank = nest->rows.rank;
    uint32_t first = 1;
    char size[32];
    snprintf(size, sizeof size, "%lld", (long long)at_once);
    plan_steps(w, nest);
    open_blocks(w, nest->first, rows, rank - 1, size, depth);
    indent(w, depth + 1);
    ADD(w, "const int64_t rows = trips - begin < %lld ? trips - begin : %lld;\n",
        (long long)at_once, (long long)at_once);
    declare_kept(w, stage, at_once, depth + 1);
    for (uint32_t p = nest->first; p && w->ok; p = l->passes.at[p].next) {
        uint32_t last = first;
        for (value v = l->passes.at[p].first; v; v = l->next[v])
            if (l->role[v] != ROLE_REDUCE && w->step[v] > last) last = w->step[v];
        add_pass_steps(w, p, rank, depth + 1, first, last);
        first = step_behind(last);
    }
    close_loop(w, depth);
    forget_steps(w, nest);
    w->now = 0;
}
