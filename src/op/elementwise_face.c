/* The public functions of wengert/elementwise.h: wg_sin_at, wg_add_at, ... for every row of
 * elementwise.def. They check what only the public interface can get wrong (variables of no graph
 * or of two, numbers that the partner's element type does not have); builders check the rest. */
#include "op/build.h"
#include "op/face.h"

#include "wengert/elementwise.h"

/* The number as a scalar of its partner's element type. */
static value number_beside(wg_graph *g, unsigned op, double number, value partner) {
    unsigned dtype = type_of(&g->t, partner)->dtype;
    if (face_has_number((wg_dtype)dtype, number)) return build_number(g, (wg_dtype)dtype, number);
    graph_fail(g, WG_EDTYPE, "%s: the number %g is no %s, as its partner is", op_def(op)->name,
               number, wg_dtype_name((wg_dtype)dtype));
    graph_fail_operands(g, &partner, 1);
    graph_hint(g, "cast the partner first: {wg_cast(WG_F64, x)|f64(x)}");
    return 0;
}

static wg_var unary(const char *file, int line, unsigned op, wg_var x) {
    wg_graph *g = face_enter(file, line, op_def(op)->name, 1, &x);
    return face_result(x, g, g ? build_unary(g, op, x.id) : 0);
}

/* Operands of which some are numbers: these take the element type of the first variable. */
static wg_var mixed(const char *file, int line, unsigned op, size_t count, const wg_arg *x) {
    wg_var var[3];
    value arg[3], y = 0;
    size_t vars = 0;
    for (size_t k = 0; k < count; k++)
        if (!x[k].is_number) var[vars++] = x[k].var;
    wg_graph *g = face_enter(file, line, op_def(op)->name, vars, var);
    if (!g) {
        for (size_t k = 0; k < vars && !g; k++) g = var[k].graph;
        return (wg_var){g, 0};
    }
    for (size_t k = 0; k < count; k++)
        arg[k] = x[k].is_number ? number_beside(g, op, x[k].number, var[0].id) : x[k].var.id;
    if (count == 2) y = build_binary(g, op, arg[0], arg[1]);
    else y = build_ternary(g, op, arg[0], arg[1], arg[2]);
    return (wg_var){g, y};
}

#define UNARY(name, ...)                                                                           \
    wg_var wg_##name##_at(const char *file, int line, wg_var x) {                                  \
        return unary(file, line, OP_##name, x);                                                    \
    }
#define BINARY(name, ...)                                                                          \
    wg_var wg_##name##_at(const char *file, int line, wg_arg a, wg_arg b) {                        \
        return mixed(file, line, OP_##name, 2, (const wg_arg[]){a, b});                            \
    }
#define TERNARY(name, ...)                                                                         \
    wg_var wg_##name##_at(const char *file, int line, wg_arg a, wg_arg b, wg_arg c) {              \
        return mixed(file, line, OP_##name, 3, (const wg_arg[]){a, b, c});                         \
    }
#define PREDICATE1 UNARY
#define PREDICATE2 BINARY
#include "op/elementwise.def"
