/* Builders of leaves and of elementwise operations, and the checks that operands go together. Here
 * operands of different shapes get their broadcasts: kernels and rules never see two shapes. */
#include "op/build.h"
#include "op/describe.h"
#include "op/elementwise.h"

/* ---- do operands go together? --------------------------------------------------------------- */

static const char *role(unsigned op, size_t k) {
    static const char *const two[] = {"left", "right"}, *const three[] = {"a", "b", "c"};
    if (op == OP_where) return k == 0 ? "condition" : three[k - 1];
    return op_def(op)->narg == 3 ? three[k] : two[k];
}

/* "mul: element types differ: left f64[3], right i32[3]", the operands and a hint; " has 4" behind
 * each type where an extent of each is at fault. */
static bool fail_pair(wg_graph *g, wg_status status, unsigned op, const char *what, const value *x,
                      size_t narg, size_t i, size_t k, const wg_extent *extent, const char *hint) {
    const char *has = extent ? " has " : "";
    struct description left = {""}, right = {""};
    if (extent) {
        left = extent_name(g, extent[0]);
        right = extent_name(g, extent[1]);
    }
    graph_fail(g, status, "%s: %s: %s %s%s%s, %s %s%s%s", op_def(op)->name, what, role(op, i),
               type_name(g, x[i]).text, has, left.text, role(op, k), type_name(g, x[k]).text, has,
               right.text);
    graph_fail_operands(g, x, narg);
    graph_hint(g, "%s", hint);
    return false;
}

/* Whether the element types go together. */
static bool agree_in_dtype(wg_graph *g, unsigned op, const value *x, size_t narg) {
    size_t first = op == OP_where;
    if (first && type_of(&g->t, x[0])->dtype != WG_BOOL) {
        graph_fail(g, WG_EDTYPE, "where: the condition has elements of type %s, not bool",
                   wg_dtype_name((wg_dtype)type_of(&g->t, x[0])->dtype));
        graph_fail_operands(g, x, narg);
        graph_hint(g, "make a bool of it first: {wg_ne(x, 0)|x != 0}");
        return false;
    }
    for (size_t k = first + 1; k < narg; k++)
        if (type_of(&g->t, x[k])->dtype != type_of(&g->t, x[first])->dtype)
            return fail_pair(g, WG_EDTYPE, op, "element types differ", x, narg, first, k, NULL,
                             "cast one: {wg_cast(WG_F64, x)|f64(x)}");
    return true;
}

bool pointwise_agree(wg_graph *g, unsigned op, const value *x, size_t narg) {
    if (!agree_in_dtype(g, op, x, narg)) return false;
    for (size_t k = 1; k < narg; k++)
        if (!type_same_shape(type_of(&g->t, x[k]), type_of(&g->t, x[0])))
            return fail_pair(g, WG_ESHAPE, op, "shapes differ", x, narg, 0, k, NULL,
                             "broadcast one to the shape of the other");
    return true;
}

bool pointwise_common(wg_graph *g, unsigned op, const value *x, size_t narg, wg_type *shape) {
    size_t owner[WG_MAX_RANK] = {0}; /* which operand gave an extent of the result */
    if (!agree_in_dtype(g, op, x, narg)) return false;
    *shape = (wg_type){.dtype = type_of(&g->t, x[narg - 1])->dtype};
    for (size_t k = 0; k < narg; k++)
        if (type_of(&g->t, x[k])->rank > shape->rank) shape->rank = type_of(&g->t, x[k])->rank;
    for (size_t axis = 0; axis < shape->rank; axis++) shape->extent[axis] = 1;
    for (size_t k = 0; k < narg; k++) {
        const wg_type *type = type_of(&g->t, x[k]);
        for (size_t i = type->rank, axis = shape->rank; i-- > 0;) {
            wg_extent *extent = &shape->extent[--axis], given = type->extent[i];
            if (given == *extent || given == 1) continue;
            if (*extent != 1)
                return fail_pair(g, WG_ESHAPE, op, "extents differ", x, narg, owner[axis], k,
                                 (const wg_extent[]){*extent, given},
                                 "shapes are aligned at their last axes, and only the extent 1 "
                                 "stretches");
            *extent = given;
            owner[axis] = k;
        }
    }
    return true;
}

/* ---- leaves --------------------------------------------------------------------------------- */

value build_number(wg_graph *g, wg_dtype dtype, double number) {
    return graph_literal(g, dtype, literal_from_f64(dtype, number));
}

value build_full(wg_graph *g, const wg_type *type, double number) {
    wg_type shape = *type; /* type may point into the graph's table, which moves */
    value scalar = build_number(g, (wg_dtype)shape.dtype, number);
    return shape.rank ? build_broadcast(g, scalar, &shape, 0) : scalar;
}

value build_like(wg_graph *g, value x, double number) {
    return x && !g->error.status ? build_full(g, type_of(&g->t, x), number) : 0;
}

value build_iota(wg_graph *g, wg_extent count) {
    return graph_emit(g, OP_iota, graph_attr(g, &count, 1), NULL, 0);
}

value build_extent(wg_graph *g, wg_extent extent) {
    if (extent >= 0) return graph_literal(g, WG_I64, extent);
    return graph_emit(g, OP_size, graph_attr(g, &extent, 1), NULL, 0);
}

value build_eye(wg_graph *g, wg_dtype dtype, wg_extent n) {
    wg_type square = {.dtype = WG_I64, .rank = 2, .extent = {n, n}};
    value index = build_iota(g, n);
    value row = build_broadcast(g, index, &square, 1u << 0);
    value column = build_broadcast(g, index, &square, 1u << 1);
    return build_cast(g, dtype, build_binary(g, OP_eq, row, column));
}

/* ---- elementwise ---------------------------------------------------------------------------- */

/* The instruction on operands that are broadcast where their shapes differ. */
static value build_pointwise(wg_graph *g, unsigned op, value *x, size_t narg) {
    bool same = true;
    if (g->error.status) return 0;
    for (size_t k = 0; k < narg; k++) {
        if (!x[k]) return 0;
        same = same && type_same_shape(type_of(&g->t, x[k]), type_of(&g->t, x[0]));
    }
    wg_type shape;
    if (!same && !pointwise_common(g, op, x, narg, &shape)) return 0;
    for (size_t k = 0; k < narg && !same; k++)
        if (!type_same_shape(type_of(&g->t, x[k]), &shape))
            x[k] = build_broadcast_to(g, x[k], &shape);
    return graph_emit(g, op, 0, x, narg);
}

value build_unary(wg_graph *g, unsigned op, value a) {
    return graph_emit(g, op, 0, &a, 1);
}

value build_binary(wg_graph *g, unsigned op, value a, value b) {
    return build_pointwise(g, op, (value[]){a, b}, 2);
}

value build_ternary(wg_graph *g, unsigned op, value a, value b, value c) {
    return build_pointwise(g, op, (value[]){a, b, c}, 3);
}

value build_where(wg_graph *g, value condition, value a, value b) {
    return build_pointwise(g, OP_where, (value[]){condition, a, b}, 3);
}

value build_cast(wg_graph *g, wg_dtype dtype, value a) {
    return graph_emit(g, OP_cast, graph_attr(g, (int64_t[]){dtype}, 1), &a, 1);
}

value rule_mul(const struct rule *r, value ct, value p) {
    return build_binary(r->g, r->guarded ? OP_mulz : OP_mul, ct, p);
}

value rule_add(const struct rule *r, value a, value b) {
    return a && b ? build_add(r->g, a, b) : a ? a : b;
}
