/* The instruction `custom`: a value whose derivative is a rule that the caller gave. Here are its
 * parts, and a rule's program applied to values; the modes are transform/custom.c. */
#ifndef OP_CUSTOM_H
#define OP_CUSTOM_H

#include "op/op.h"

/* custom(y_j, x_1 .. x_k) of a function of one floating result, custom(y_j, y_1 .. y_m, x_1 .. x_k)
 * of one with m, so that the results of one call find each other: they differ in y_j and j alone.
 * attr = [rule, m, j, extents for the sizes of the jvp program, for those of the vjp program]. */
enum { CUSTOM_HEAD = 3, CUSTOM_OPERANDS = 254 };

/* How many operands stand before x_1. */
static inline size_t custom_lead(const int64_t *word) {
    return word[1] > 1 ? 1 + (size_t)word[1] : 1;
}

/* A program of the rule takes x_1 .. x_k, then, if it wants to, the results of the call, and then
 * tangents or adjoints; its number of inputs tells. The results are the custom values themselves,
 * so that a derivative of the rule sees their derivatives by the rule, and not those of y_1 ..
 * y_m. */
struct custom {
    const char *name;
    const wg_program *jvp, *vjp;       /* of the graph's rule; NULL: not given */
    size_t results, arguments, result; /* m, k, j */
    size_t floats;                     /* arguments of a floating type */
    const value *y, *x;                /* the operands that the caller gave */
    attr_id attr;
    wg_extent *jvp_size, *vjp_size;
    size_t sizes; /* of both together */
};

/* False, and an error of the graph, if attribute and operands are not sound or memory ends; else
 * custom_close frees what it took. x stays the caller's and must last. */
bool custom_open(wg_graph *g, attr_id attr, const value *x, size_t narg, struct custom *c);
void custom_close(wg_graph *g, struct custom *c);
/* The attribute and operands of result j; operand has room for CUSTOM_OPERANDS. Returns how many
 * these are. */
attr_id custom_attr(wg_graph *g, attr_id attr, size_t j);
size_t custom_operands(const value *y, size_t m, const value *x, size_t k, size_t j,
                       value *operand);
/* Appends custom(y_j, ...) for every j of m: result[j]. size: those of jvp, then those of vjp. */
bool build_custom(wg_graph *g, int64_t rule, const value *y, size_t m, const value *x, size_t k,
                  const wg_extent *size, size_t sizes, value *result);

/* How many results the program p of c's rule takes: none, or all. */
size_t custom_results_taken(const struct custom *c, const wg_program *p);
/* Appends a rule's program p: x and results for its first inputs, linear for the others, where 0 is
 * an absent zero, as it is in out. What is linear in absent ones is not made. guarded: products
 * with what depends on `linear` are absolute-zero ones (mul, div, dot, conv and recur). */
bool custom_apply(wg_graph *g, const struct custom *c, const wg_program *p, const value *linear,
                  bool guarded, value *out);

#endif
