/* The public functions of wengert/elementwise.h: wg_sin_at, wg_add_at, ... for every row of
 * elementwise.def. They check what only the public interface can get wrong (variables of no graph
 * or of two, numbers that the partner's element type does not have); builders check the rest. */
#include "op/build.h"

#include "wengert/elementwise.h"

#include <math.h>

static bool enter(wg_graph *g, const char *file, int line) {
    if (!g || g->error.status) return false;
    graph_site(g, file, line > 0 ? (uint32_t)line : 0, 0);
    return !g->error.status;
}

static bool check_var(wg_graph *g, unsigned op, wg_var x) {
    if (x.graph == g && x.id && x.id < g->t.instr.count) return true;
    if (x.graph && x.graph != g)
        graph_fail(g, WG_EARGUMENT,
                   "%s: operands of two graphs; build all of one program in one graph",
                   op_def(op)->name);
    else
        graph_fail(g, WG_EARGUMENT, "%s: an operand is not a value: a wg_var that no call gave",
                   op_def(op)->name);
    return false;
}

static bool dtype_has(unsigned dtype, double number) {
    switch ((wg_dtype)dtype) {
    case WG_BOOL: return number == 0 || number == 1;
    case WG_I32: return number >= INT32_MIN && number <= INT32_MAX && number == trunc(number);
    case WG_I64: return number >= -0x1p63 && number < 0x1p63 && number == trunc(number);
    case WG_F32:
    case WG_F64: return true;
    }
    return false;
}

/* The number as a scalar of its partner's element type. */
static value number_beside(wg_graph *g, unsigned op, double number, value partner) {
    unsigned dtype = type_of(&g->t, partner)->dtype;
    if (dtype_has(dtype, number)) return build_number(g, (wg_dtype)dtype, number);
    graph_fail(g, WG_EDTYPE, "%s: the number %g is no %s, as its partner is", op_def(op)->name,
               number, wg_dtype_name((wg_dtype)dtype));
    graph_fail_operands(g, &partner, 1);
    graph_hint(g, "cast the partner first: wg_cast(WG_F64, x)");
    return 0;
}

static wg_var unary(const char *file, int line, unsigned op, wg_var x) {
    wg_graph *g = x.graph;
    bool good = enter(g, file, line) && check_var(g, op, x);
    return (wg_var){g, good ? build_unary(g, op, x.id) : 0};
}

static wg_var binary(const char *file, int line, unsigned op, wg_arg a, wg_arg b) {
    wg_graph *g = a.is_number || !a.var.graph ? b.var.graph : a.var.graph;
    if (!enter(g, file, line) || (!a.is_number && !check_var(g, op, a.var)) ||
        (!b.is_number && !check_var(g, op, b.var)))
        return (wg_var){g, 0};
    value left = a.is_number ? number_beside(g, op, a.number, b.var.id) : a.var.id;
    value right = b.is_number ? number_beside(g, op, b.number, a.var.id) : b.var.id;
    return (wg_var){g, build_binary(g, op, left, right)};
}

#define UNARY(name, ...)                                                                           \
    wg_var wg_##name##_at(const char *file, int line, wg_var x) {                                  \
        return unary(file, line, OP_##name, x);                                                    \
    }
#define BINARY(name, ...)                                                                          \
    wg_var wg_##name##_at(const char *file, int line, wg_arg a, wg_arg b) {                        \
        return binary(file, line, OP_##name, a, b);                                                \
    }
#define PREDICATE1 UNARY
#define PREDICATE2 BINARY
#include "op/elementwise.def"
