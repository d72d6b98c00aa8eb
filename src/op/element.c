#include "op/element.h"

#include "op/whole.h"

bool reads_value(const struct trace *t, value reader, value x) {
    for (size_t k = 0; k < instr_at(t, reader)->narg; k++)
        if (args_of(t, instr_at(t, reader))[k] == x) return true;
    return false;
}

value index_of_update(const struct trace *t, value update) {
    const struct instr *i = instr_at(t, update);
    return args_of(t, i)[i->narg - 1];
}

enum motion index_motion(const struct trace *t, value index, size_t captures) {
    struct whole p;
    enum motion motion = STANDS;
    if (type_of(t, index)->rank || type_of(t, index)->dtype != WG_I64 ||
        !whole_value(t, index, &p))
        return MOVES;
    for (uint32_t k = 0; k < p.count; k++)
        for (size_t j = 0; j < MOST_FACTORS && p.term[k].factor[j]; j++) {
            uint32_t f = p.term[k].factor[j];
            if (f & FACTOR_SIZE) continue;
            if (!value_is_input(t, f)) return MOVES;
            size_t input = input_number(t, f);
            if (input > captures) return MOVES;
            if (input > 0) continue;
            if (p.term[k].coefficient != 1 || p.term[k].factor[1]) return MOVES;
            motion = BY_ONE;
        }
    return motion;
}

bool is_own_element(const struct trace *t, value x, value y, size_t captures) {
    value index = 0;
    size_t outputs = 0;
    if (type_of(t, x)->rank != 1) return false;
    for (value v = y;; v = args_of(t, instr_at(t, v))[0]) {
        for (value u = 1; u < t->instr.count; u++) {
            unsigned op = instr_at(t, u)->op;
            if (!reads_value(t, u, v)) continue;
            if ((op != OP_take && op != OP_index_add && op != OP_index_set) ||
                args_of(t, instr_at(t, u))[0] != v || (index && index_of_update(t, u) != index))
                return false;
            index = index_of_update(t, u);
        }
        for (size_t k = 0; k < t->output.count; k++)
            if (t->output.at[k].v == v && (v != y || outputs++ > 0)) return false;
        if (v == x) break;
        if (instr_at(t, v)->op != OP_index_add && instr_at(t, v)->op != OP_index_set) return false;
    }
    return index && index_motion(t, index, captures) == BY_ONE;
}

bool is_without_order(const struct trace *t, const struct region *r) {
    const struct trace *body = &region_body(t, r, 0)->body->t;
    if (r->flags & LOOP_CONDITION) return false;
    for (value v = 1; v < body->instr.count; v++) {
        unsigned op = instr_at(body, v)->op;
        bool in_place = op == OP_index_add || op == OP_index_set || op == OP_input;
        if (op_def(op)->class == REGION || (type_of(body, v)->rank > 0 && !in_place)) return false;
    }
    for (size_t k = 0; k < r->carries; k++) {
        value x = body->input.at[1 + r->captures + k].v, y = body->output.at[k].v;
        if (y != x && !is_own_element(body, x, y, r->captures)) return false;
    }
    return true;
}
