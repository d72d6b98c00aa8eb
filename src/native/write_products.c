/* Short dots as C: a sum of products written out. What the innermost loop does not change of their
 * operands is loaded in front of it. */
#include "native/products.h"
#include "native/writer.h"

/* Term number `term` of a short dot's operand. */
static struct access factor_of(struct writer *w, value dot, size_t k, int64_t term) {
    struct access a = w->l->access.at[w->l->access_at[dot] + k];
    wg_graph *g = w->l->extents;
    a.base = extent_add(g, a.base, extent_mul(g, a.stride[CONTRACTED], term));
    return a;
}

/* Whether an operand of a short dot is the same in all iterations of the innermost loop. */
static bool is_fixed(const struct writer *w, value dot, size_t k, const struct site_of_use *at) {
    const struct access *a = &w->l->access.at[w->l->access_at[dot] + k];
    return at->plan && at->plan->count &&
           a->stride[at->plan->loop[at->plan->count - 1].last] == 0;
}

/* A compiler could not do this itself, since it must fear that the loop writes what it reads. */
void load_factors(struct writer *w, const struct site_of_use *at, int depth) {
    const struct lowered *l = w->l;
    for (value v = l->passes.at[at->pass].first; v; v = l->next[v]) {
        for (size_t k = 0; k < 2 && instr_at(w->t, v)->op == OP_dot; k++) {
            if (!is_fixed(w, v, k, at)) continue;
            for (int64_t term = 0; term < short_dot_terms(w->t, v) && w->ok; term++) {
                struct access a = factor_of(w, v, k, term);
                indent(w, depth);
                ADD(w, "const %s v%u_%c%lld = ", type_text_of[dtype_of(w, v)], v, "ab"[k],
                    (long long)term);
                add_operand(w, &a, at);
                add(w, ";\n");
            }
        }
    }
}

void add_products(struct writer *w, value v, const struct site_of_use *at) {
    add(w, dtype_of(w, v) == WG_F32 ? "0.0f" : "0.0");
    for (int64_t term = 0; term < short_dot_terms(w->t, v) && w->ok; term++) {
        for (size_t k = 0; k < 2; k++) {
            struct access a = factor_of(w, v, k, term);
            add(w, k ? " * " : " + ");
            if (is_fixed(w, v, k, at)) ADD(w, "v%u_%c%lld", v, "ab"[k], (long long)term);
            else add_operand(w, &a, at);
        }
    }
}
