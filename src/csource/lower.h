/* From the tree of a C function to a graph. C's statements are carried out one after the other, as
 * if by an interpreter that computes with values of the graph:
 *
 *  - A variable is an object of cells, one for every scalar in it. A cell holds a value of the
 *    graph: a scalar, or, where arrays contain it, all its elements in a row (so an array of
 *    structs becomes one array for each member). An assignment gives the cell another value.
 *    (object.c)
 *  - A pointer is a place: an object and a cell, known here, and an index, which is a value.
 *  - `if`, `switch` and loops become branches and loops of the graph, whose results and carries are
 *    the cells that their bodies write. Which these are is found by carrying out the bodies first
 *    on a graph that is thrown away (watch.c), so that writes through pointers and in functions
 *    that are called are seen. (control.c, loop.c)
 *  - break, continue and return set flags, and what comes behind them is a branch by these.
 *  - Calls are carried out in the place where they stand. (call.c)
 *
 * Whole numbers are i64 with the value that C gives them: what C wraps around is wrapped here.
 * Truths are bool until somebody computes with them. */
#ifndef LOWER_H
#define LOWER_H

#include "csource/tree.h"
#include "op/bounds.h"
#include "op/build.h"
#include "op/face.h"
#include "wengert/loop.h"

struct object;

/* Where something of `type` stands: the cells of the object from `cell` on, and which of the many
 * that stand there if the object is an array. object NULL: a null pointer. */
struct place {
    struct object *object;
    uint32_t cell;
    value index; /* i64 */
    const struct ctype *type;
};

struct cell {
    const struct ctype *type; /* a scalar or a pointer                                         */
    bool is_array;
    wg_extent count;          /* of an array: elements                                         */
    value v;                  /* of a pointer its index; 0: nothing was assigned, or unknown   */
    const void *constant;     /* elements of a const table: the value is made when it is read  */
    struct place to;          /* of a pointer: all but the index                               */
    bool is_set;              /* of a pointer: `to` is known                                   */
    bool is_read;             /* an element was, at any time                                   */
    uint32_t serial;          /* that of its object                                            */
    struct cell *part;        /* of a short local array: its elements, each a cell; else NULL   */
    struct object *owner;
};

struct object {
    const char *name;
    const struct ctype *type;
    struct cell *cell, *part;    /* part: of all cells that have them */
    uint32_t cell_count, part_count;
    uint32_t serial;             /* in the order in which objects came to be */
    bool is_alone;               /* a pointer parameter of unknown length points to it */
    bool is_addressed;           /* a pointer may change it */
    bool is_allocated;           /* lives on where its block ends */
    const struct decl *decl;     /* of a variable or table; NULL: none */
};

static inline struct cell *object_cell(const struct object *o, uint32_t i) {
    return i < o->cell_count ? &o->cell[i] : &o->part[i - o->cell_count];
}

/* What an expression gives. */
struct operand {
    const struct ctype *type;
    value v;         /* of a scalar */
    struct place at; /* of a pointer what it points to; of an array or record where it is */
};

struct frame { /* of a function that is being carried out */
    struct frame *caller;
    struct decl *function;
    struct object *result, *returned;
    size_t first_binding;
    int depth;
};

struct binding {
    const struct decl *decl;
    struct object *object;
};

/* A cell that was written, and where it pointed to afterwards. */
struct written {
    struct cell *cell;
    struct place to;
    bool is_set;
    value begin;   /* of a whole number or pointer: what it was when the body began           */
    uint32_t form; /* in watch.form: what every iteration adds to it; 0: something else is done */
    bool stays; /* of a pointer to one object: it never moves within it */
};
typedef VEC(struct written) written_vec;

/* An expression of whole numbers that are the same in every iteration, and of the counter. */
struct form {
    enum { FORM_NUMBER, FORM_CELL, FORM_COUNTER, FORM_OPERATION } kind;
    uint16_t op;
    uint32_t x[2];
    int64_t number;
    struct cell *cell;
};

struct watch {
    struct watch *outer;
    uint32_t first_serial; /* of the objects that are not looked at: those made since */
    written_vec written;
    VEC(struct cell *) read;
    value counter;     /* of a loop that counts: its variable; 0: none */
    wg_extent implied; /* how long an array is of which every iteration meets another element;
                          LENGTH_UNKNOWN: none was seen */
    VEC(struct form) form; /* [0] unused */
};

struct lower {
    wg_graph *g, *real; /* the graph in use; that of the program */
    struct tree *tree;
    struct arena arena;
    wg_allocator allocator;
    wg_error error; /* the first */
    const wg_csource_options *options;
    struct frame *frame;
    struct object *broke, *continued; /* flags of the innermost loop or switch; NULL: none */
    VEC(struct binding) binding;
    VEC(struct object *) object; /* those alive */
    VEC(struct object *) table;  /* global tables */
    VEC(struct bounded) bounded;
    struct watch *watch; /* NULL: this is the program's own graph */
    uint32_t serials;
    int nesting, loops; /* loops: of the graph, that are open */
    bool is_filling; /* a const table gets its initial values */
    /* Short local arrays are cells one by one, as long as every index into them is a literal. One
     * of which that turns out to be wrong is noted here, and all begins again. */
    VEC(const struct decl *) whole_array;
    bool begins_again;
};

typedef void action(struct lower *l, void *data);
typedef void arm(struct lower *l, void *data, size_t which); /* a case of a branch */

/* ---- lower.c: errors, places in the text, small things --------------------------------------- */
bool stopped(const struct lower *l); /* an error was recorded: there is nothing to do any more */
/* An error at a node; the hint, if not NULL, stands below. */
void refuse_at(struct lower *l, const struct spot *spot, const char *hint, const char *format, ...)
    PRINTF_LIKE(4, 5);
void refuse_null(struct lower *l, const struct node *at); /* a pointer that points nowhere */
void refuse_memory(struct lower *l);
void stand_at(struct lower *l, const struct node *n);
void *keep(struct lower *l, size_t size); /* zeros, as long as the lowering goes; NULL: no memory */
const struct ctype *plain_type(enum ctype_kind kind);
extern const struct ctype int_type, size_type;
bool is_scalar(const struct ctype *type);   /* a number or truth */
bool is_floating(const struct ctype *type);
bool same_type(const struct ctype *a, const struct ctype *b); /* const and the like apart */
/* The type with all lengths of arrays known; in a watch some may be made up. */
const struct ctype *settled_type(struct lower *l, const struct ctype *type, const struct node *at);
bool literal_of(const struct lower *l, value v, int64_t *number); /* of a whole number or truth */
value whole(struct lower *l, int64_t number);
value truth(struct lower *l, bool b);
value unknown_value(struct lower *l, wg_dtype dtype); /* in a watch: one that nothing is known of */
/* The extent that a value is: a literal or made of sizes. */
bool extent_of(struct lower *l, value v, wg_extent *e);
value extent_value(struct lower *l, wg_extent e);
bool not_negative(struct lower *l, value v);
bool bounds_of(struct lower *l, value v, wg_extent *low, wg_extent *high);

/* ---- object.c -------------------------------------------------------------------------------- */
struct object *object_new(struct lower *l, const char *name, const struct ctype *type);
/* Of a local variable: its short arrays are parts. */
struct object *variable_new(struct lower *l, const struct decl *decl, const struct ctype *type);
/* The array is to be one value, of which any element may be asked; all begins again. */
void make_whole(struct lower *l, struct cell *c);
/* Too many cells to be carried: the longest of their arrays becomes whole. False: there is none. */
bool make_one_whole(struct lower *l, const written_vec *written);
uint32_t cells_in(const struct ctype *type);
wg_dtype cell_dtype(const struct cell *c);
void bind(struct lower *l, const struct decl *decl, struct object *object);
/* Ends a block: names and objects that came since are gone. */
void leave_scope(struct lower *l, size_t objects, size_t bindings);
struct object *bound_object(struct lower *l, const struct decl *decl, const struct node *at);
struct place place_of(struct lower *l, struct object *object);
/* The first element of an array; a member of a record; `step` elements further. */
struct place place_element(struct lower *l, struct place array);
struct place place_member(struct lower *l, struct place record, const char *name);
struct place place_moved(struct lower *l, struct place p, value step);
struct operand load_from(struct lower *l, struct place p, const struct node *at);
void store_to(struct lower *l, struct place p, struct operand x, const struct node *at);
/* p += x, or p -= x, of an element of an array of floating numbers. */
bool store_sum(struct lower *l, struct place p, value x, const struct node *at);
void copy_object(struct lower *l, struct place to, struct place from, const struct node *at);
/* Likewise so many that stand one behind the other. */
void copy_several(struct lower *l, struct place to, struct place from, wg_extent count,
                  const struct node *at);
/* Puts zeros everywhere. */
void clear_object(struct lower *l, struct object *object);
value cell_value(struct lower *l, struct cell *c);
/* The value is assigned to the variable that the cell is alone: emitted C calls it so. */
void name_value(struct lower *l, const struct cell *c, value v);
void cell_set(struct lower *l, struct cell *c, value v);
/* Elements [to, to + count) of a cell become those of another. */
void copy_elements(struct lower *l, struct cell *to, value to_index, struct cell *from,
                   value from_index, wg_extent count);

/* ---- watch.c --------------------------------------------------------------------------------- */
void note_written(struct lower *l, struct cell *c);
void note_read(struct lower *l, struct cell *c);
/* An element of an array is met, at this index. */
void note_index(struct lower *l, const struct cell *c, value index);
/* What a step writes and reads of what is there already. One that repeats is carried out until
 * nothing more is found, with everything unknown that it writes; `changes` is unknown from the
 * beginning (may be NULL). To be freed by watch_free. */
struct watch watch_step(struct lower *l, action *f, void *data, bool repeats, struct cell *changes);
bool watch_writes(const struct watch *w, const struct cell *c);
void watch_free(struct lower *l, struct watch *w);
/* The form's value in the graph, and how much it grows with the counter. */
value form_value(struct lower *l, const struct watch *w, uint32_t form, value counter);
value form_slope(struct lower *l, const struct watch *w, uint32_t form);
/* Within a watch: carries a step out until nothing more changes, and forgets what it writes. */
void watch_again(struct lower *l, action *f, void *data);
/* Within a watch: carries all cases out, each from the same beginning, and forgets likewise. */
void watch_cases(struct lower *l, arm *f, void *data, size_t cases);
void forget(struct lower *l, const written_vec *written);

/* ---- expression.c ---------------------------------------------------------------------------- */
struct operand rvalue(struct lower *l, const struct node *n);
struct place lvalue(struct lower *l, const struct node *n);
value condition(struct lower *l, const struct node *n); /* bool[] */
value truth_of(struct lower *l, struct operand x);
struct operand converted(struct lower *l, struct operand x, const struct ctype *type,
                         const struct node *at);
value as_whole(struct lower *l, value v); /* a truth as 0 or 1 */
struct operand computed(struct lower *l, enum operator_kind op, struct operand a, struct operand b,
                        const struct node *at);
/* Whether both ways of a choice may be computed: no effect, nothing that can fail or is dear. An
 * element that the condition reads may be read. */
bool is_cheap(const struct node *n, const struct node *condition, int *budget);
/* The initial value of a variable. */
void initialise(struct lower *l, struct place p, const struct node *init);
/* The type that both operands of an operator are brought to. */
const struct ctype *common_type(const struct ctype *a, const struct ctype *b);

/* ---- table.c: const tables ------------------------------------------------------------------- */
bool table_fill(struct lower *l, struct object *object, const struct node *init);
value table_element(struct lower *l, const struct cell *c, int64_t k);
/* While the table is filled: element `index` of its cell. */
void table_put(struct lower *l, struct cell *c, value index, value v, const struct node *at);

/* ---- call.c, mathematics.c ------------------------------------------------------------------- */
struct operand evaluate_call(struct lower *l, const struct node *n);
/* malloc(n * sizeof *p) and calloc, turned into a pointer to `of`: a local array. */
bool is_allocation(const struct node *n);
struct operand allocated(struct lower *l, const struct node *n, const struct ctype *of);
/* Carries the body of n's function out; the object with the result, NULL for void. */
struct object *carry_body_out(struct lower *l, const struct node *n, const struct operand *given);
/* A function of math.h. False: there is none of that name. */
bool mathematics(struct lower *l, const struct node *n, const char *name, struct operand *result);
bool is_cheap_function(const char *name);
/* memcpy, memset, malloc, printf and so on. */
bool library_call(struct lower *l, const struct node *n, const char *name, struct operand *result);

/* ---- control.c ------------------------------------------------------------------------------- */
void statement(struct lower *l, const struct node *n);
/* Carries out one of the cases, `arm` of data and its number, by an index or a truth. */
void branch(struct lower *l, value choice, size_t cases, arm *f, void *data, const struct node *at);
/* Whether break, continue or return stands in it. */
bool may_leave(const struct node *n);
/* Whether the variable is assigned to in it, or its address taken. */
bool node_assigns(const struct node *n, const struct decl *d);
/* Whether what follows is passed over: bool[]. */
value interrupted(struct lower *l);

/* ---- loop.c ---------------------------------------------------------------------------------- */
void loop_statement(struct lower *l, const struct node *n);

#endif
