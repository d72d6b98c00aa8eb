/* Repeats of scalar code as loops. A value that a later repetition reads waits in variables, v7_1
 * for that of one repetition before, v7_2 of two; one that others read behind the loop stands in
 * cells, one behind the other. Nothing is read from cells that the loop writes, so that its
 * iterations are independent but for these variables. */
#include "native/writer.h"

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

void write_repeat(struct writer *w, const struct item *item) {
    const struct lowered *l = w->l;
    const struct repeat *r = &l->repeats.at[item->repeat - 1];
    struct site_of_use at = {item->pass, NULL};
    add(w, "    {\n");
    for (uint32_t j = 0; j < r->period && w->ok; j++) declare_earlier(w, r, j, item->pass);
    add(w, "        WG_INDEPENDENT\n");
    ADD(w, "        for (int64_t i0 = 0; i0 < %u; i0++) {\n", r->trips);
    for (uint32_t j = 0; j < r->period && w->ok; j++) {
        w->of_repeat = repeated(l, r, 0, j);
        add_statement(w, w->of_repeat, &at, 3);
    }
    w->of_repeat = 0;
    for (uint32_t j = 0; j < r->period && w->ok; j++) end_repetition(w, r, j);
    add(w, "        }\n");
    for (uint32_t j = 0; j < r->period && w->ok; j++) {
        if (l->repeated.at[r->body + j].keep != KEEP_LAST) continue;
        add(w, "        ");
        add_cell(w, repeated(l, r, r->trips - 1, j));
        ADD(w, " = v%u_1;\n", repeated(l, r, 0, j));
    }
    add(w, "    }\n");
}
