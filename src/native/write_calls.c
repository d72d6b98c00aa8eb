/* Passes that a function of the runtime computes for a row at once, of operands that lie in memory:
 * products along a long axis, and reductions of the rows of a nest's row. */
#include "native/products.h"
#include "native/writer.h"

static void add_operand_address(struct writer *w, const struct access *a,
                                const struct site_of_use *at) {
    add(w, "&");
    add_memory(w, a->root);
    add(w, "[");
    add_index(w, a, at);
    add(w, "]");
}

static void add_strided(struct writer *w, const struct access *a, size_t loop,
                        const struct site_of_use *at) {
    add_operand_address(w, a, at);
    add(w, ", ");
    add_extent(w, &w->l->extents->t, a->stride[loop], false);
    add(w, ", ");
}

/* In C to take away it is the plain product of runtime_whole.h. */
static void add_along(struct writer *w, value v, size_t rows, int depth) {
    const struct access *a = &w->l->access.at[w->l->access_at[v]];
    const struct loops *loops = &w->l->passes.at[w->l->pass[v]].loops;
    struct plan no_loops = {.rows = rows};
    struct site_of_use row = {w->l->pass[v], &no_loops};
    bool plain = w->shipped && !is_called_body(w);
    indent(w, depth);
    ADD(w, "wg_%s_%s(%s%lld, %lld, %lld, ", plain ? "dot" : "along", short_name[dtype_of(w, v)],
        plain ? "1, " : "", (long long)loops->extent[0], (long long)loops->extent[1],
        (long long)short_dot_terms(w->t, v));
    add_strided(w, &a[0], rows, &row);
    if (plain) add(w, "1, ");
    if (plain) {
        add_operand_address(w, &a[1], &row);
        add(w, ", 1, ");
        add_extent(w, &w->l->extents->t, a[1].stride[rows + 1], false);
        add(w, ", ");
    } else {
        add_strided(w, &a[1], rows + 1, &row);
    }
    add(w, "&");
    add_place(w, v, &row);
    add(w, ");");
    add_comment(w, v);
}

static void add_row_reductions(struct writer *w, value v, size_t rows, int depth) {
    uint32_t pass = w->l->pass[v];
    struct plan plan = plan_loops(w, pass, rows, rows + w->l->passes.at[pass].loops.rank);
    struct site_of_use at = {pass, &plan};
    const wg_type *x = type_of(w->t, args_of(w->t, instr_at(w->t, v))[0]);
    for (size_t k = 0; k < plan.count; k++) open_loop(w, pass, &plan, k, depth + (int)k, false);
    indent(w, depth + (int)plan.count);
    add_place(w, v, &at);
    ADD(w, " = wg_%s_run_%s(", reducer(w, v), short_name[dtype_of(w, v)]);
    add_operand_address(w, &w->l->access.at[w->l->access_at[v]], &at);
    add(w, ", ");
    add_program_extent(w, x->extent[x->rank - 1], false);
    add(w, ");");
    add_comment(w, v);
    for (size_t k = plan.count; k-- > 0;) {
        indent(w, depth + (int)k);
        add(w, "}\n");
    }
}

void add_call(struct writer *w, uint32_t pass, size_t rows, int depth) {
    value v = w->l->passes.at[pass].first;
    if (instr_at(w->t, v)->op == OP_dot)
        add_along(w, v, rows, depth);
    else
        add_row_reductions(w, v, rows, depth);
}
