/* The one place per operation: what a row of the table says, and the contexts in which its rules
 * and kernels run. Rules append instructions to a graph through the builders of op/build.h. */
#ifndef OP_H
#define OP_H

#include "ir/ir.h"

enum op_code {
    OP_none,
#define OP(name) OP_##name,
#include "op/ops.def"
#undef OP
#define UNARY(name, ...) OP_##name,
#define BINARY(name, ...) OP_##name,
#define PREDICATE1(name, ...) OP_##name,
#define PREDICATE2(name, ...) OP_##name,
#include "op/elementwise.def"
#undef UNARY
#undef BINARY
#undef PREDICATE1
#undef PREDICATE2
    OP_COUNT
};

enum op_class {
    LEAF,        /* no arguments: input, constant, iota, size */
    ELEMENTWISE, /* partials per argument */
    LINEAR,      /* in the arguments of linear_mask: transpose */
    MULTILINEAR, /* in each argument of linear_mask on its own: transpose per argument */
    GENERAL,     /* jvp; vjp follows by transposing it */
    NODIFF,      /* piecewise constant, stopped, or not floating: derivative zero, stated in doc  */
    CUSTOM,      /* the rule comes with the instruction: transform/custom.c                       */
    REGION       /* the body comes with the instruction: transform/region.c                       */
};

enum op_flag {
    OP_COMMUTATIVE = 1,
    OP_GUARDS = 2,    /* selects: adjoints that pass it take part in absolute-zero products only */
    OP_POINTWISE = 4, /* elementwise kernels, whatever the class */
    OP_ALIAS = 8,     /* the result is the first argument's elements, in the same order */
    OP_IN_PLACE = 16, /* the kernel copies the first argument, unless the result is in its place */
    OP_IN_MAKING = 32 /* stands in loops in the making, in no program */
};

/* Of which table of the trace the first attribute words are indices. */
enum op_refers {
    REFERS_TO_NOTHING,
    REFERS_TO_RULE,
    REFERS_TO_BODIES, /* word[0] of them, word[1], ... */
    REFERS_TO_EXTERNAL
};

/* A rule looks at one instruction of graph g: arguments x, result y, attributes. */
struct rule {
    wg_graph *g;
    value y;         /* its result; 0 where a rule may not use it */
    const value *x;  /* its arguments */
    size_t narg;
    attr_id attr;
    unsigned op;
    bool guarded;    /* the adjoint came through a `where`: its products are absolute-zero ones */
};

/* Evaluated extents and types of one call. */
struct shape {
    int64_t count;
    int64_t extent[WG_MAX_RANK];
};

struct view {
    void *data;
    const struct shape *shape;
    uint8_t rank, dtype;
};

/* What a kernel sees: its operands and result, dense and row-major, and its attributes. */
struct exec {
    const struct view *arg;
    size_t narg;
    struct view out;
    const int64_t *attr;
    size_t attr_count;
    const int64_t *extent_value; /* value of the extent -i, at [i]; see exec_extent */
    const struct trace *trace;   /* for those whose attribute names a record of it */
    wg_error *error;             /* may be NULL */
};

static inline int64_t exec_extent(const struct exec *e, wg_extent extent) {
    return extent >= 0 ? extent : e->extent_value[-extent];
}

/* n elements; arg and out dense. out may be the same buffer as an argument of its element size. */
typedef void elementwise_kernel(size_t n, const void *const *arg, void *out);
/* The kernel of an elementwise operation by the element types of its last argument and its result;
 * NULL if it does not exist for those. */
elementwise_kernel *op_kernel(unsigned op, unsigned last_dtype, unsigned result_dtype);

/* How vmap sees an instruction: arguments of which some carry a leading batch axis. */
struct batch {
    wg_graph *g;
    const value *x;       /* arguments in the new graph */
    const bool *batched;  /* which of them have a leading axis of `extent` */
    const wg_type *from;  /* the result's type without the batch axis, extents in the new graph */
    size_t narg;
    unsigned op;
    attr_id attr;         /* in the new graph */
    wg_extent extent;
};

struct reach;

/* One case that the table's tests run: argument types (constant extents) and attributes, and a
 * range to draw floating arguments from. make() emits the instruction on given arguments. */
struct op_sample {
    size_t narg;
    wg_type arg[3];
    double low[3], high[3];
    value (*make)(wg_graph *g, const value *arg); /* NULL: the operation, without attributes */
    const char *note;
};

struct op_def {
    const char *name;
    uint8_t class;
    int8_t narg;           /* -1: any number, at least one */
    uint8_t flags;
    uint8_t linear_mask;   /* LINEAR, MULTILINEAR: the arguments that carry tangents; 0xff: all */
    uint8_t refers;        /* enum op_refers */
    uint8_t absolute_word; /* the number of the attribute word that, if it is the last and 1, makes
                            * the products inside absolute-zero ones; 0: there is no such word */
    const char *doc;       /* one line: formula, and value and derivative at edge points */

    /* Result type from arguments and attributes; records an error in g, returns false if wrong. */
    bool (*infer)(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                  wg_type *type);
    /* Which attribute words are extents; NULL: none are. */
    bool (*attr_is_extent)(const int64_t *word, size_t count, size_t index);
    /* A value that equals the instruction by an identity that keeps IEEE meaning, or 0. */
    value (*identity)(wg_graph *g, attr_id attr, const value *x, size_t narg);

    /* ELEMENTWISE: dy/dx[k], appended to r->g; 0 for a derivative that is zero everywhere. */
    value (*partial)(const struct rule *r, size_t k);
    /* LINEAR, MULTILINEAR: the adjoint of x[k] for the adjoint ct of y. */
    value (*transpose)(const struct rule *r, size_t k, value ct);
    /* GENERAL: the tangent of y for tangents t[k] (0 = absent), linear in them; 0 and an error of
     * the graph, WG_ENORULE, where there is none. */
    value (*jvp)(const struct rule *r, const value *t);
    /* GENERAL, optional: the adjoint of x[k] for ct. */
    value (*vjp)(const struct rule *r, size_t k, value ct);
    /* NULL for elementwise operations, which follow the general rule. */
    value (*batch)(const struct batch *b);

    /* Optional: the same value, bit for bit, made of other operations; 0 on error. For a back end
     * that fuses what it knows better than a kernel could. */
    value (*expand)(wg_graph *g, attr_id attr, const value *x);

    /* The sets of the result's elements from those of the arguments' (op/reach.h); false without
     * memory. NULL: element by element of elementwise operations, of others all on all. */
    bool (*reach)(const struct reach *r);

    wg_status (*run)(const struct exec *e); /* NULL for elementwise operations: op_kernel */
    /* Optional: the errors of `run` that depend on the operands' values, and nothing else. For a
     * back end that computes the value itself. */
    wg_status (*check)(const struct exec *e);

    const struct op_sample *sample; /* ended by a sample with narg 0 and no make */
};

/* The table, indexed by op_code. */
extern const struct op_def *const op_table[OP_COUNT];
static inline const struct op_def *op_def(unsigned op) {
    return op_table[op];
}
static inline bool op_is_linear_in(const struct op_def *def, size_t k) {
    return def->linear_mask == 0xff || (k < 8 && def->linear_mask >> k & 1);
}
/* Whether its products are absolute-zero ones (mulz), as those of adjoints below a `where`. */
static inline bool op_is_absolute(const struct trace *t, unsigned op, attr_id attr) {
    size_t word = op_def(op)->absolute_word;
    return word && attr_count(t, attr) == word + 1 && attr_words(t, attr)[word] == 1;
}
/* The operation called name, or OP_none. */
unsigned op_by_name(const char *name, size_t length);
/* Whether every element of the result is made of the elements beside it: op_kernel runs it. */
static inline bool op_is_elementwise(unsigned op) {
    return op_table[op]->flags & OP_POINTWISE;
}
/* What the first incomplete row, which *op receives, lacks; NULL if the table is complete. */
const char *op_table_check(unsigned *op);

#endif
