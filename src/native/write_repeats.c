/* Repeats of scalar code as loops. A value that a later repetition reads waits in variables, v7_1
 * for that of one repetition before, v7_2 of two; one that others read behind the loop stands in
 * cells, one behind the other. Nothing is read from cells that the loop writes, so that its
 * iterations are independent but for these variables. Calls that do not wait for an earlier
 * repetition are made in front of it, for a block of repetitions side by side. */
#include "native/writer.h"

enum { MOST_AHEAD = 8 }; /* statements whose blocks lie on the stack */

bool add_moved(struct writer *w, const struct access *a) {
    const struct lowered *l = w->l;
    const struct repeat *r = repeat_of(l, w->of_repeat);
    uint32_t statement = turn_of(l, r, w->of_repeat).statement;
    size_t k = (size_t)(a - &l->access.at[l->access_at[w->of_repeat]]);
    const struct operand_move *move = &l->moves.at[r->moves + statement * MOVES_EACH + k];
    switch ((enum move)move->kind) {
    case MOVE_NONE: return false;
    case MOVE_BACK:
        ADD(w, "v%u", repeated(l, r, 0, move->from));
        if (move->distance) ADD(w, "_%u", move->distance);
        return true;
    case MOVE_CELL:
        if (w->shipped) shipped_cells(w);
        ADD(w, "c[%u + %lld * i0].%s", w->w->homes->cell[a->root], (long long)move->step,
            short_name[dtype_of(w, a->root)]);
        return true;
    case MOVE_ELEMENT:
        add_memory(w, a->root);
        ADD(w, "[%lld + %lld * i0]", (long long)a->base, (long long)move->step);
        return true;
    }
    return false;
}

/* What earlier repetitions, or the code in front of the loop, made. */
static void declare_earlier(struct writer *w, const struct repeat *r, uint32_t j, uint32_t pass) {
    const struct lowered *l = w->l;
    value v = repeated(l, r, 0, j);
    const struct repeated_statement *of = &l->repeated.at[r->body + j];
    for (uint32_t k = 1; k <= of->reach; k++) {
        struct access before = {.root = l->sequence.at[r->at + j - k * r->period]};
        struct site_of_use at = {pass, NULL};
        ADD(w, "        %s v%u_%u = ", type_text_of[dtype_of(w, v)], v, k);
        add_operand(w, &before, &at);
        add(w, ";\n");
    }
    if (of->keep == KEEP_LAST && !of->reach)
        ADD(w, "        %s v%u_1 = 0;\n", type_text_of[dtype_of(w, v)], v);
}

static void end_repetition(struct writer *w, const struct repeat *r, uint32_t j) {
    const struct lowered *l = w->l;
    value v = repeated(l, r, 0, j);
    const struct repeated_statement *of = &l->repeated.at[r->body + j];
    if (of->keep == KEEP_ALL) {
        if (w->shipped) shipped_cells(w);
        ADD(w, "            c[%u + i0].%s = v%u;\n", w->w->homes->cell[v],
            short_name[dtype_of(w, v)], v);
    }
    for (uint32_t k = of->reach; k > 1; k--)
        ADD(w, "            v%u_%u = v%u_%u;\n", v, k, v, k - 1);
    if (of->reach || of->keep == KEEP_LAST) ADD(w, "            v%u_1 = v%u;\n", v, v);
}

/* ---- what is computed ahead ------------------------------------------------------------------ */

/* Whether no value of an earlier repetition is needed for statement j. `waits`: of those before. */
static bool is_free(const struct lowered *l, const struct repeat *r, uint32_t j,
                    const uint8_t *waits) {
    for (size_t k = 0; k < MOVES_EACH; k++) {
        const struct operand_move *move = &l->moves.at[r->moves + j * MOVES_EACH + k];
        if (move->kind == MOVE_BACK && (move->distance || waits[move->from])) return false;
    }
    return true;
}

/* Marks what statement j, or one that is marked behind it, reads of this repetition. */
static void mark_operands(const struct lowered *l, const struct repeat *r, uint32_t j,
                          uint8_t *ahead) {
    for (size_t k = 0; k < MOVES_EACH; k++) {
        const struct operand_move *move = &l->moves.at[r->moves + j * MOVES_EACH + k];
        if (move->kind == MOVE_BACK) ahead[move->from] = 1;
    }
}

/* Marks the statements that are computed ahead: calls, and what they need. Returns how many. */
static uint32_t choose_ahead(struct writer *w, const struct repeat *r, uint8_t *ahead,
                             uint8_t *waits) {
    const struct lowered *l = w->l;
    uint32_t count = 0;
    for (uint32_t j = 0; j < r->period; j++) {
        value v = repeated(l, r, 0, j);
        waits[j] = !is_free(l, r, j, waits);
        ahead[j] = !waits[j] && calls_function(instr_at(w->t, v)->op, dtype_of(w, v));
    }
    for (uint32_t j = r->period; j-- > 0;)
        if (ahead[j]) mark_operands(l, r, j, ahead), count++;
    if (count > MOST_AHEAD) memset(ahead, 0, r->period);
    return count > MOST_AHEAD ? 0 : count;
}

/* Opens the loop over blocks, with what is computed ahead of one. */
static void open_blocks(struct writer *w, const struct repeat *r, uint32_t pass,
                        const uint8_t *ahead) {
    const struct plan side_by_side = {0};
    struct site_of_use at = {pass, &side_by_side};
    ADD(w, "        for (int64_t begin = 0; begin < %u; begin += WG_BLOCK) {\n", r->trips);
    ADD(w, "        const int64_t rest = %u - begin, count = rest < WG_BLOCK ? rest : WG_BLOCK;\n",
        r->trips);
    for (uint32_t j = 0; j < r->period; j++) {
        value v = repeated(w->l, r, 0, j);
        if (ahead[j]) ADD(w, "        %s w%u[WG_BLOCK];\n", type_text_of[dtype_of(w, v)], v);
    }
    add(w, "        WG_INDEPENDENT\n        for (int64_t each = 0; each < count; each++) {\n"
           "            const int64_t i0 = begin + each;\n            (void)i0;\n");
    for (uint32_t j = 0; j < r->period && w->ok; j++) {
        w->of_repeat = repeated(w->l, r, 0, j);
        if (ahead[j]) add_statement(w, w->of_repeat, &at, 3);
    }
    w->of_repeat = 0;
    for (uint32_t j = 0; j < r->period && w->ok; j++) {
        value v = repeated(w->l, r, 0, j);
        if (ahead[j]) ADD(w, "            w%u[each] = v%u;\n", v, v);
    }
    add(w, "        }\n");
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void add_repetition(struct writer *w, const struct repeat *r, uint32_t pass,
                           const uint8_t *ahead) {
    const struct lowered *l = w->l;
    struct site_of_use at = {pass, NULL};
    for (uint32_t j = 0; j < r->period && w->ok; j++) {
        value v = repeated(l, r, 0, j);
        w->of_repeat = v;
        if (ahead[j])
            ADD(w, "            const %s v%u = w%u[each];\n", type_text_of[dtype_of(w, v)], v, v);
        else
            add_statement(w, v, &at, 3);
    }
    w->of_repeat = 0;
    for (uint32_t j = 0; j < r->period && w->ok; j++) end_repetition(w, r, j);
}

static void end_loop(struct writer *w, const struct repeat *r) {
    const struct lowered *l = w->l;
    for (uint32_t j = 0; j < r->period && w->ok; j++) {
        if (l->repeated.at[r->body + j].keep != KEEP_LAST) continue;
        add(w, "        ");
        add_cell(w, repeated(l, r, r->trips - 1, j));
        ADD(w, " = v%u_1;\n", repeated(l, r, 0, j));
    }
}

void write_repeat(struct writer *w, const struct item *item) {
    const struct repeat *r = &w->l->repeats.at[item->repeat - 1];
    const wg_allocator *a = &w->t->allocator;
    uint8_t *ahead = mem_alloc_zero(a, 2 * (size_t)r->period);
    if (!ahead) {
        w->ok = false;
        return;
    }
    bool blocks = choose_ahead(w, r, ahead, ahead + r->period) > 0;
    add(w, "    {\n");
    for (uint32_t j = 0; j < r->period && w->ok; j++) declare_earlier(w, r, j, item->pass);
    if (blocks) open_blocks(w, r, item->pass, ahead);
    add(w, "        WG_INDEPENDENT\n");
    if (blocks)
        add(w, "        for (int64_t each = 0; each < count; each++) {\n"
               "            const int64_t i0 = begin + each;\n            (void)i0;\n");
    else
        ADD(w, "        for (int64_t i0 = 0; i0 < %u; i0++) {\n", r->trips);
    add_repetition(w, r, item->pass, ahead);
    add(w, blocks ? "        }\n        }\n" : "        }\n");
    end_loop(w, r);
    add(w, "    }\n");
    mem_free(a, ahead, 2 * (size_t)r->period);
}
