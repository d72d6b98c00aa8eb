/* The one intermediate form: types, extents, values, instructions, the graph that grows and the
 * program that no longer changes. Sections below are named after the files that implement them.
 *
 * Invariants (checked by verify.c): instruction 0 is unused, so value 0 means "absent"; arguments
 * come before their users; equal instructions are one value; names of inputs, outputs and sizes
 * are unique; nothing but inputs is dead in a built program. */
#ifndef IR_H
#define IR_H

#include "base/base.h"
#include "wengert/custom.h"
#include "wengert/graph.h"
#include "wengert/program.h"

typedef uint32_t value;   /* index of the instruction that defines it; 0 = absent               */
typedef uint32_t type_id; /* interned type; 1 + dtype is the scalar of that dtype               */
typedef uint32_t attr_id; /* interned sequence of int64_t; 0 = the empty one                    */
typedef uint32_t name_id; /* interned string; 0 = none                                          */

enum instr_flag {
    INSTR_TANGENT = 1, /* made by forward mode                                                   */
    INSTR_ADJOINT = 2  /* made by reverse mode                                                   */
};

struct instr {       /* 24 bytes                                                                 */
    uint16_t op;     /* row of the operation table                                               */
    uint8_t narg, flags;
    type_id type;    /* of the result                                                            */
    uint32_t arg;    /* first of narg values in the trace's argument array                       */
    attr_id attr;    /* axes, literal bits, extents, ...: the operation's file says              */
    uint32_t site;   /* where the user's text made it, or made what it was derived from          */
    value origin;    /* derived code: the primal instruction it came from, if that is still here */
};

struct site {
    name_id file; /* 0: none known; "formula" texts have their own name */
    uint32_t line;
    uint32_t column : 24, flags : 8;
    name_id name; /* the variable of C that the value is assigned to, or that it is the derivative of:
                     holds for instructions with these flags, others have their site from one      */
};

struct port { /* an input or output */
    value v;
    name_id name;
};

/* A condition on sizes that only a call can decide: left <= right, or equality. */
struct check {
    wg_extent left, right;
    bool equal;
    uint32_t site;
};

struct span { /* of the pool of words, or of bytes */
    uint32_t at, count;
};

typedef VEC(struct span) span_vec;

struct blob { /* a constant tensor's elements, in the arena */
    const void *data;
    size_t size;
};

/* Programs that instructions name: a rule that a caller has given for the derivative of `custom`
 * instructions, or a body of regions (op/region.h). */
struct custom_rule {
    name_id name;
    bool is_body;
    union {
        wg_program *jvp;  /* own copies; NULL: not given, but one of the two is                   */
        wg_program *body; /* of a region: always there                                            */
    };
    union {
        wg_program *vjp;
        wg_program *reverse; /* what a loop run backwards does; NULL: derived when needed         */
    };
    char *key; /* all that tells two rules apart: name, programs, addresses                       */
    size_t key_size;
    uint32_t hash;  /* of the key                                                                 */
    uint32_t depth; /* 1, or more by the depth of the rules that its programs have                */
};

/* A C function that `external` instructions call. */
struct external {
    name_id name;
    wg_external_function *call;
    void *context;
};

/* What graph and program share. */
struct trace {
    wg_allocator allocator;
    struct arena arena; /* strings and blobs */
    VEC(struct instr) instr;
    VEC(value) arg;
    VEC(wg_type) type;      /* [0] unused, [1..5] scalars */
    span_vec attr;          /* [0] empty */
    span_vec extent;        /* [0] unused; the extent -i is the polynomial extent[i] */
    VEC(int64_t) word;      /* what attr and extent spans point into */
    VEC(const char *) name; /* [0] is "" */
    VEC(struct site) site;  /* [0] unknown */
    VEC(struct blob) blob;
    VEC(struct port) input;
    VEC(struct port) output;
    VEC(name_id) size; /* the named sizes */
    VEC(struct check) check;
    VEC(struct custom_rule) rule;
    VEC(struct external) external;
};

struct wg_program {
    struct trace t;
};

/* An open-addressing table of ids; the keys live in the trace. The hash beside the id decides
 * nearly every comparison without a look at the key, and lets the table grow without one. */
struct intern {
    struct intern_slot {
        uint32_t id, hash; /* id 0: empty */
    } *slot;
    size_t capacity, count;
};

/* Whoever computes the values of an eager graph: told of every instruction that is appended, when
 * it stands in its place, and of the graph's end. It reports into the graph's error. */
struct evaluator {
    void (*appended)(struct evaluator *e, wg_graph *g, value v);
    void (*end)(struct evaluator *e, wg_graph *g);
};

/* What vmap has made already: rule `to` is the batch of rule `from` in the arguments of a mask. */
struct batched_rule {
    uint32_t from, to;
    uint64_t mask[4];
};

struct wg_graph {
    struct trace t;
    struct evaluator *eager; /* NULL: the graph only grows, a program computes its values later */
    wg_error error; /* the first; later calls do nothing */
    struct intern instr_index, type_index, attr_index, extent_index, name_index;
    struct intern input_index, output_index; /* ports by name: id 1 + index, as in what follows */
    struct intern size_index, check_index;   /* named sizes by name, checks by what they say */
    struct intern blob_index;                /* constant tensors by their bytes */
    struct intern rule_index, external_index;
    VEC(struct batched_rule) batched_rule;
    span_vec taken; /* instructions that cases of branches took over, in their order */
    VEC(value) in_bodies; /* those that may fail, or follow from such, and loops took over */
    value loop_begin; /* the first instruction of the innermost loop that is being built; 0: none */
    uint32_t site;    /* given to the instructions appended next */
    value origin;     /* likewise */
    uint8_t flags;    /* likewise */
    const struct trace *imported; /* whose sites were appended last, and from where on */
    uint32_t imported_at;
    bool is_iteration; /* of a loop, with its adjoints: loops in it are within another */
    bool no_fold; /* append exactly what is asked for: readers of text, tests */
};

/* ---- extent.c: polynomials in named sizes --------------------------------------------------- */
/* A polynomial is an interned word sequence: term after term, each [coefficient, degree, size index
 * ... (ascending, repeated for powers)], terms by degree, then by size indices; equal polynomials
 * therefore are equal numbers. A negative constant is a polynomial too, so that no result of a
 * subtraction is mistaken for another. All return extent_bad and record WG_EOVERFLOW in the graph
 * when a coefficient leaves the word. */
extern const wg_extent extent_bad;
wg_extent extent_size(wg_graph *g, uint32_t size_index);
wg_extent extent_add(wg_graph *g, wg_extent a, wg_extent b);
wg_extent extent_sub(wg_graph *g, wg_extent a, wg_extent b);
wg_extent extent_mul(wg_graph *g, wg_extent a, wg_extent b);
/* The constant difference a - b if they differ by one: true and *difference. */
bool extent_difference(wg_graph *g, wg_extent a, wg_extent b, int64_t *difference);
/* Whether a <= b for all sizes >= 0 (every coefficient of b - a is >= 0). */
bool extent_provably_le(wg_graph *g, wg_extent a, wg_extent b);
/* Total degree: 0 for a constant. */
int extent_degree(const struct trace *t, wg_extent e);
/* Whether a named size stands in the polynomial. */
bool extent_has_size(const struct trace *t, wg_extent e, size_t size_index);
/* The value under given sizes; false on overflow or a negative result. */
bool extent_eval(const struct trace *t, wg_extent e, const int64_t *size, int64_t *result);
bool extent_text(const struct trace *t, wg_extent e, wg_text *out);
/* The same extent of another trace in this graph, sizes matched by map (size index -> extent). */
wg_extent extent_import(wg_graph *g, const struct trace *from, wg_extent e, const wg_extent *map);

/* ---- type.c --------------------------------------------------------------------------------- */
type_id type_intern(wg_graph *g, const wg_type *type); /* 0 on error */
static inline type_id type_scalar(wg_dtype dtype) {
    return 1 + (type_id)dtype;
}
static inline const wg_type *type_at(const struct trace *t, type_id id) {
    return &t->type.at[id];
}
bool type_equal(const wg_type *a, const wg_type *b);
bool type_same_shape(const wg_type *a, const wg_type *b);
/* The number of elements as an extent. */
wg_extent type_count(wg_graph *g, const wg_type *type);
bool type_eval(const struct trace *t, const wg_type *type, const int64_t *size, int64_t *shape,
               int64_t *count);
bool type_text(const struct trace *t, const wg_type *type, wg_text *out);
static inline bool dtype_is_float(unsigned dtype) {
    return dtype >= WG_F32;
}

/* ---- intern.c: what is there already --------------------------------------------------------- */
enum { MAX_IDS = INT32_MAX };
/* Room for one more key. */
bool intern_grow(wg_graph *g, struct intern *index);
/* The first slot from *at on that holds this hash; NULL if an empty one comes before, then *at is
 * that one's, for intern_put, which returns id. */
const struct intern_slot *intern_next(const struct intern *index, uint32_t hash, size_t *at);
uint32_t intern_put(struct intern *index, size_t at, uint32_t id, uint32_t hash);
/* Removes an id that was put under this hash. */
void intern_forget(struct intern *index, uint32_t id, uint32_t hash);
uint32_t words_hash(const int64_t *word, size_t count);
attr_id graph_attr(wg_graph *g, const int64_t *word, size_t count);
uint32_t graph_extent(wg_graph *g, const int64_t *word, size_t count); /* extent.c; 0 on error */
name_id graph_name(wg_graph *g, const char *string, size_t length);
/* Each input is one of its kind, and a copy exists to be a value of its own: neither is looked for,
 * and so neither is in the table, where many equal ones would make every search long. */
bool op_is_shared(unsigned op);
/* Makes the table wide enough for `count` instructions. */
bool instr_index_grow(wg_graph *g, size_t count);
/* The slot of the instruction that equals this one, or the empty one (id 0) where it would stand,
 * with the hash to put there. There is room for it. */
struct intern_slot *instr_slot(const wg_graph *g, unsigned op, type_id type, attr_id attr,
                               const value *arg, size_t narg, uint32_t *hash);
void graph_free_tables(wg_graph *g); /* they are needed while the graph grows only */
/* A way back for graphs without inputs, outputs and named sizes: graph_rewind removes what was
 * appended and interned after the mark. An error stays. */
struct graph_mark {
    size_t instr, arg, type, attr, extent, word, name, site, blob, check, rule, external;
    struct arena_mark arena;
};
struct graph_mark graph_mark(const wg_graph *g);
void graph_rewind(wg_graph *g, const struct graph_mark *mark);

/* ---- graph.c: appending ---------------------------------------------------------------------- */
wg_graph *graph_new(const wg_allocator *allocator);
void trace_free(struct trace *t);
/* Appends an instruction, or finds what it equals: checks and infers the result's type through the
 * operation table, folds constants, applies the operation's identities, orders the arguments of
 * commutative operations, and shares equal instructions. 0 once the graph has an error. */
value graph_emit(wg_graph *g, unsigned op, attr_id attr, const value *arg, size_t narg);
/* The instruction that graph_emit would find equal, of this type; 0 if there is none. */
value graph_find(const wg_graph *g, unsigned op, type_id type, attr_id attr, const value *arg,
                 size_t narg);
/* Appends without identities or sharing: inputs, and readers of program text. */
value graph_append(wg_graph *g, unsigned op, type_id type, attr_id attr, const value *arg,
                   size_t narg);
/* Makes room for count instructions at once, where so many are to be expected. */
void graph_reserve(wg_graph *g, size_t count);
void graph_site(wg_graph *g, const char *file, uint32_t line, uint32_t column);
/* Tells which variable the value belongs to, as its C text shows; one that was told already stays. */
void graph_value_name(wg_graph *g, value v, const char *name);
/* The variable's name; NULL: none is known. */
const char *value_name(const struct trace *t, value v);
value graph_input(wg_graph *g, const char *name, const wg_type *type);
void graph_output(wg_graph *g, const char *name, value v);
bool graph_has_port(wg_graph *g, bool output, const char *name);
uint32_t graph_size(wg_graph *g, const char *name); /* index; existing or new */
/* Requires left <= right or left == right: proven here, refuted here, or checked at each call. */
void graph_require(wg_graph *g, wg_extent left, wg_extent right, bool equal, const char *what);
value graph_blob(wg_graph *g, const wg_type *type, const void *data); /* a constant tensor */

static inline const struct instr *instr_at(const struct trace *t, value v) {
    return &t->instr.at[v];
}
static inline const value *args_of(const struct trace *t, const struct instr *i) {
    return &t->arg.at[i->arg];
}
static inline const wg_type *type_of(const struct trace *t, value v) {
    return &t->type.at[t->instr.at[v].type];
}
static inline bool value_is_float(const struct trace *t, value v) {
    return dtype_is_float(type_of(t, v)->dtype);
}
static inline const int64_t *attr_words(const struct trace *t, attr_id a) {
    return t->word.at + t->attr.at[a].at;
}
static inline size_t attr_count(const struct trace *t, attr_id a) {
    return t->attr.at[a].count;
}
const char *name_at(const struct trace *t, name_id name);
/* Whether a byte may stand in the name of an input, output or size. Names stand in lists ("W, b"),
 * assignments ("n=3") and printed text, so a few bytes are not theirs. */
bool name_has(char byte);
/* The same of a whole name, of which `what` tells the kind; else an error of the graph. */
bool name_is_good(wg_graph *g, const char *what, const char *name);
bool value_is_input(const struct trace *t, value v);
/* Which one: of an input. */
static inline size_t input_number(const struct trace *t, value v) {
    return (size_t)attr_words(t, instr_at(t, v)->attr)[0];
}
/* By an instruction or as an output. */
bool value_is_read(const struct trace *t, value v);

/* Records an error of the graph at its current site: "file:line: what". Operands, if any, are
 * listed with what made them and where; a hint line is added by graph_hint. Returns 0. */
value graph_fail(wg_graph *g, wg_status status, const char *format, ...) PRINTF_LIKE(3, 4);
void graph_fail_operands(wg_graph *g, const value *arg, size_t narg);
/* What C and formulas spell differently is written {C|formula}, once a hint: the user of a formula
 * reads "cast one: f64(x)" for "cast one: {wg_cast(WG_F64, x)|f64(x)}". */
void graph_hint(wg_graph *g, const char *format, ...) PRINTF_LIKE(2, 3);
bool graph_fail_memory(wg_graph *g); /* always false */
bool site_text(const struct trace *t, uint32_t site, wg_text *out);

/* Constants. A splat is a scalar constant or a broadcast of one. Literal bits are the element's own
 * representation, zero-extended into an int64_t. */
int64_t literal_from_f64(wg_dtype dtype, double number);
double literal_to_f64(wg_dtype dtype, int64_t bits);
value graph_literal(wg_graph *g, wg_dtype dtype, int64_t bits); /* scalar */
bool literal_text(wg_text *out, wg_dtype dtype, int64_t bits);
bool value_is_splat(const struct trace *t, value v, int64_t *bits);
bool value_is_splat_of(const struct trace *t, value v, double number);

/* ---- program.c ------------------------------------------------------------------------------- */
/* Turns the graph into a program without dead code and frees the graph; NULL and its error else. */
wg_program *graph_build(wg_graph *g, wg_error *error);
/* Appends a program's instructions to a graph. input[i] stands for the program's i-th input;
 * map, an array of instr.count values that the caller owns, receives the value of each
 * instruction. size_map: extents for the program's sizes. False on error. */
bool graph_inline(wg_graph *g, const struct trace *from, const value *input,
                  const wg_extent *size_map, value *map);
/* One instruction of it: the arguments are taken through map. */
value graph_import(wg_graph *g, const struct trace *from, value v, const wg_extent *size_map,
                   const value *map);
/* The pieces of that: attributes and types with their extents, checks, the site of what follows. */
attr_id graph_import_attr(wg_graph *g, const struct trace *from, value v,
                          const wg_extent *size_map);
wg_type graph_import_type(wg_graph *g, const struct trace *from, const wg_type *type,
                          const wg_extent *size_map);
bool graph_import_checks(wg_graph *g, const struct trace *from, const wg_extent *size_map);
bool graph_take_site(wg_graph *g, const struct trace *from, uint32_t site);
/* A new graph with the program's sizes and its checks, for a transformation to fill. */
wg_graph *graph_like(const wg_program *p, wg_extent *size_map, wg_error *error);
wg_program *program_copy(const wg_program *p, const wg_allocator *allocator, wg_error *error);
/* Has the users of custom instructions read the value itself, and frees the rules and what only
 * they needed: for a program that is only run. map: room for instr.count values, means nothing
 * later. */
bool program_drop_rules(wg_program *p, value *map); /* false without memory */

/* ---- custom.c: rules and C functions --------------------------------------------------------- */
/* Of rules and bodies in the programs of rules and bodies: bounds what recurses over them. A branch
 * counts for one. A loop or rule counts for three, since reverse mode of loops in loops takes more
 * than twice the time for each level. */
enum { MAX_RULE_DEPTH = 24, LOOP_DEPTH = 3 };
uint32_t record_depth(bool is_body, const char *name); /* what one counts for */
/* The index of a rule made of copies of these programs (either NULL), or of an equal one that is
 * there; -1 and an error of the graph. */
int64_t graph_rule(wg_graph *g, const char *name, const wg_program *jvp, const wg_program *vjp);
/* Likewise of the body of a region, which is called "loop", "branch", or as its maker likes. */
int64_t graph_body(wg_graph *g, const char *name, const wg_program *body,
                   const wg_program *reverse);
/* How many words at the front of an attribute name rules or bodies, and the first of them. */
size_t attr_rules(unsigned op, const int64_t *word, size_t count, size_t *first);
/* Likewise of a C function; of a rule and of a function of another trace. */
int64_t graph_external(wg_graph *g, const char *name, wg_external_function *call, void *context);
int64_t graph_import_rule(wg_graph *g, const struct trace *from, int64_t index);
int64_t graph_import_external(wg_graph *g, const struct trace *from, int64_t index);
/* Takes back those from these counts on. */
void graph_forget_rules(wg_graph *g, size_t rules, size_t externals);
/* Of traces: copies both, frees the rules from a count on; keeps those that instructions name,
 * under new numbers. False without memory. */
bool rules_copy(struct trace *to, const struct trace *from, wg_error *error);
void rules_free(struct trace *t, size_t keep);
bool rules_drop_unused(struct trace *t);
uint32_t rules_depth(const wg_program *p); /* 0: p has none; p may be NULL */

/* ---- verify.c, print.c, read.c --------------------------------------------------------------- */
wg_status trace_verify(const struct trace *t, wg_error *error);
/* The program as text without the first line, every line behind `indent` blanks. addresses: C
 * functions are told by where they are, so that equal texts are equal programs. */
bool trace_print(const struct trace *t, unsigned indent, bool addresses, wg_text *out);

#endif
