/* The table that joins all operations, and its check of itself. A row lives in its family's file;
 * here are only the pointers, in the order of the codes. */
#include "op/op.h"

#define OP(name) extern const struct op_def op_##name;
#include "op/ops.def"
#undef OP
#define UNARY(name, ...) extern const struct op_def op_##name;
#define BINARY UNARY
#define PREDICATE1 UNARY
#define PREDICATE2 UNARY
#include "op/elementwise.def"

/* The unused instruction 0. */
static const struct op_def op_none = {.name = "none", .class = LEAF};

const struct op_def *const op_table[OP_COUNT] = {
    [OP_none] = &op_none,
#define OP(name) [OP_##name] = &op_##name,
#include "op/ops.def"
#undef OP
#define UNARY(name, ...) [OP_##name] = &op_##name,
#define BINARY UNARY
#define PREDICATE1 UNARY
#define PREDICATE2 UNARY
#include "op/elementwise.def"
};

unsigned op_by_name(const char *name, size_t length) {
    for (unsigned op = OP_none + 1; op < OP_COUNT; op++) {
        const char *row = op_table[op]->name;
        if (length && row[0] == name[0] && strncmp(row, name, length) == 0 && row[length] == 0)
            return op;
    }
    return OP_none;
}

/* The rule that a row of its class cannot do without; NULL if it has it. */
static const char *missing_rule(const struct op_def *def) {
    switch ((enum op_class)def->class) {
    case LEAF: return def->narg == 0 ? NULL : "no arguments";
    case ELEMENTWISE: return def->partial ? NULL : "partial";
    case LINEAR:
    case MULTILINEAR:
        if (!def->linear_mask) return "linear_mask";
        return def->transpose ? NULL : "transpose";
    case GENERAL: return def->jvp ? NULL : "jvp";
    case NODIFF:
    case CUSTOM:
    case REGION: return NULL;
    }
    return "class";
}

static bool has_kernel(unsigned op) {
    for (unsigned dtype = 0; dtype < WG_DTYPE_COUNT; dtype++)
        if (op_kernel(op, dtype, dtype)) return true;
    return false;
}

static const char *missing(unsigned op) {
    const struct op_def *def = op_table[op];
    /* whoever runs a program gives these their storage */
    bool runs = !(def->flags & OP_IN_MAKING);
    bool stored = op == OP_input || op == OP_constant || op == OP_data;
    if (!def->name || !def->name[0]) return "name";
    if (op_by_name(def->name, strlen(def->name)) != op) return "name of its own";
    if (!def->doc || !def->doc[0]) return "doc";
    if (!def->infer) return "infer";
    if (missing_rule(def)) return missing_rule(def);
    if (op_is_elementwise(op) ? !has_kernel(op) : !def->run && !stored && runs) return "kernel";
    if (!op_is_elementwise(op) && def->narg != 0 && def->class != CUSTOM &&
        def->class != REGION && !def->batch)
        return "batch";
    /* a region is a program, and tested as one: tests/transform/test_loops.c */
    if (op != OP_input && runs && def->class != REGION &&
        (!def->sample || (!def->sample->narg && !def->sample->make)))
        return "sample";
    return NULL;
}

const char *op_table_check(unsigned *op) {
    for (*op = OP_none + 1; *op < OP_COUNT; ++*op)
        if (missing(*op)) return missing(*op);
    return NULL;
}
