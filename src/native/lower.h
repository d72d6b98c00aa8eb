/* Loop nests: what a program becomes before it is written as C. A program is a sequence of stages;
 * a stage is one operation of the library, a loop or branch of the program, or a nest:
 *
 *     for each row (the loops of the nest, perhaps none)
 *         pass: statements on the row, or one loop (of any rank) over the row's elements with
 *                statements on each, and reductions over that loop
 *         pass: ...
 *
 * A softmax is one nest, its rows the outer loops, its passes the largest element, the
 * exponentials with their sum, and the quotients. Elementwise instructions are statements; what
 * only moves elements (broadcast, transpose, slice, reshape) is no statement at all but a way to
 * index what is read. Values live in a variable of the loop's body, in a buffer of one row, or in
 * memory, as far as their readers ask for.
 *
 *   expand.c   replaces operations by what serves better: pads.c, products.c, masks.c
 *   portions.c takes an axis in portions
 *   lower.c    places every value
 *   ahead.c    indices that are checked in front of loops
 *   access.c   how a statement's operand is indexed
 *   places.c   parts of concatenations, made in place
 *   order.c    which of two scalar products comes first
 *   items.c    what is written together, and as how many functions
 *   repeats.c  scalar code that repeats itself becomes a loop
 *   write*.c   the nests as C that is loaded
 *   ship*.c    the same as C to take away
 *
 * Where things are stored is not said here: see run/native.c. */
#ifndef NATIVE_LOWER_H
#define NATIVE_LOWER_H

#include "op/op.h"

enum role {
    ROLE_GIVEN,  /* an input or constant                                                        */
    ROLE_INDEX,  /* iota, size: computed where it is read                                       */
    ROLE_VIEW,   /* other indices of what it reads                                              */
    ROLE_POINT,  /* a statement: elementwise, or a view that somebody needs whole               */
    ROLE_REDUCE, /* a reduction over the loop of its pass: one number a row                    */
    ROLE_CALL,    /* computed for a row at once by a function, alone in its pass                */
    ROLE_COLUMNS, /* a reduction over the first loops of its pass: one number a column           */
    ROLE_WHOLE,  /* an operation of the library, or a loop or branch                            */
    ROLE_RESULT  /* what a loop or branch made: there when that is                              */
};

enum storage {
    STORE_NONE, /* a variable                                                                   */
    STORE_ROW,  /* a buffer with the elements of one row's loop                                 */
    STORE_FULL  /* memory: all elements, or the cell of a scalar                                */
};

/* Element base + sum of stride[l] * i_l, with i_l the loops of the reader's domain. Extents of
 * lowered.extents. */
struct access {
    value root;      /* what has storage, or is a leaf to be written in place                   */
    bool identity;   /* root has the domain's shape and is read at the domain's index           */
    uint8_t prefix;  /* the first so many axes of root are read at the domain's first indices   */
    wg_extent base, stride[WG_MAX_RANK + 1]; /* the last: along the contracted axis of a dot */
    wg_extent by_index; /* of what take reads: the stride of its index */
};
enum { CONTRACTED = WG_MAX_RANK };

/* Integers that statements index with: they are in memory, and are checked when they are there, all
 * at once, before anything is read by them. */
struct index_check {
    value by;         /* the first instruction that indexes with them */
    wg_extent extent; /* of the program: they lie in 0 .. extent - 1 */
    uint32_t next;    /* 1 + another check of the same integers; 0: none */
};

struct loops { /* extents of the program */
    uint8_t rank;
    wg_extent extent[WG_MAX_RANK];
};

struct pass {
    struct loops loops; /* behind the nest's own */
    uint8_t summed;     /* the first loops, which the reductions of columns go over; 0: none */
    uint8_t columns;    /* how many there are */
    bool reduces;       /* there are reductions over all of the loops */
    bool products;      /* there are short dots */
    bool call;          /* it is one ROLE_CALL */
    uint32_t next;      /* of the nest; 0: the last */
    uint32_t order;     /* within the nest */
    value first, last;  /* statements, linked by lowered.next */
};

struct stage {
    value operation;      /* of a nest 0 */
    struct loops rows;
    uint32_t first, last; /* passes */
    uint32_t position;    /* stages run in this order */
    bool consumed;        /* another stage reads one of its values */
    bool narrow;          /* short products with few columns: its inner loop is no whole vector */
    bool short_rows;      /* of a few elements each: many rows are taken together */
    bool counted;         /* of a loop or branch: somebody asks how often it ran, or which way */
};

/* What is written together: an operation, a nest, a loop of scalar code, or statements of it. */
struct item {
    uint32_t stage, pass; /* pass 0: the whole stage */
    value first;          /* of statements without a loop: `count` of them from here on */
    uint32_t count;
    uint32_t part;        /* the function that it belongs to */
    uint32_t repeat;      /* 1 + the repeat that these statements are; 0: none */
};

/* Where a program writes out what a loop would do, the same scalar statements follow one another
 * with operands that move on by equal steps: a repeat. The first `period` statements stand for
 * all. */
enum move {
    MOVE_NONE,   /* always the same value */
    MOVE_BACK,   /* made `distance` repetitions before, 0: in this one */
    MOVE_CELL,   /* kept by another repeat, each time `step` repetitions of that further on */
    MOVE_ELEMENT /* of the same tensor, each time `step` elements further on */
};

struct operand_move {
    uint8_t kind;
    uint32_t from; /* MOVE_BACK: the statement of the body that made it */
    uint32_t distance;
    int64_t step;
};

/* What readers outside of the loop need of a statement. */
enum keep { KEEP_NONE, KEEP_LAST, KEEP_ALL };

struct repeated_statement {
    uint8_t keep;
    uint8_t reach; /* so many repetitions later its value is read for the last time */
};

struct repeat {
    uint32_t at; /* in lowered.sequence */
    uint32_t period, trips;
    size_t body;  /* in lowered.repeated: one a statement of the body */
    size_t moves; /* in lowered.moves: MOVES_EACH a statement of the body */
};
enum { MOVES_EACH = 3, MOST_BACK = 4 /* repetitions that an operand may lie back */ };

/* A part of a concatenation, which a statement writes there at once. */
struct place {
    value whole;
    uint32_t part;
    uint32_t next; /* 1 + another place of the same statement; 0: none */
};

struct lowered {
    const wg_program *program;
    wg_graph *extents;    /* owns the extents of accesses */
    wg_extent *size_map;  /* the program's sizes there */
    size_t count;         /* of values */
    uint8_t *role, *storage;
    uint32_t *pass;      /* of statements; 0: none */
    uint32_t *stage;       /* that makes the value; 0: none */
    value *next;          /* statement of the same pass; of a loop or branch: its results */
    uint32_t *access_at;  /* of statements: the first of their operands' accesses */
    VEC(struct pass) passes; /* [0] unused */
    VEC(struct stage) stages;   /* [0] stands for what is there before the call */
    VEC(struct access) access;
    uint32_t *order;      /* stages as they run; 0: none */
    size_t order_count;
    VEC(struct item) items; /* as they run */
    uint32_t *item;       /* of each value: 1 + the item that makes it; 0: none */
    uint32_t part_count;
    VEC(struct index_check) checks;
    uint32_t *check; /* of each root: 1 + the last check of it; 0: none */
    VEC(struct place) places;
    uint32_t *place; /* of statements: 1 + the last place of it; 0: none */
    VEC(struct repeat) repeats;
    VEC(struct operand_move) moves;
    VEC(struct repeated_statement) repeated;
    VEC(value) sequence; /* the statements of passes with repeats, in order */
    uint32_t *repeat;    /* of each value: 1 + its repeat; 0: none */
    uint32_t *position;  /* of each value: 1 + its place in the sequence; 0: none */
};

/* ---- expand.c -------------------------------------------------------------------------------- */
/* The program with operations that nests compute better replaced by what they are made of; inputs
 * and outputs as they were, but for those outputs that are `unread` (NULL: none). A new program,
 * also where nothing changes. */
wg_program *expand(const wg_program *program, const bool *unread, wg_error *error);

/* ---- portions.c ------------------------------------------------------------------------------ */
/* A new program with an axis taken in portions, if that keeps in the cache what would else go to
 * memory; else a copy. */
wg_program *take_portions(const wg_program *program, wg_error *error);

/* ---- pads.c ---------------------------------------------------------------------------------- */
enum pad_kind { PAD_NONE, PAD_TERM, PAD_SUM }; /* of a larger sum; the whole of one */
/* Finds the sums of pads (kind: zeros, one for each value); false where memory is short. */
bool find_pad_sums(const struct trace *t, uint8_t *kind);
/* The sum v of pads as a concatenation; 0 where its pieces overlap, or the graph has an error. */
value join_pads(wg_graph *g, const struct trace *from, value v, const value *map);
enum {
    SHORT_ROW = 64,         /* elements of a row that is short */
    SHORT_ROWS_BLOCK = 512, /* elements taken together */
    SHORT_ROWS_MOST = 64    /* statements of a nest that keeps its rows on the stack */
};
/* Finds the nests of short rows. What lives within such rows needs no memory: it is kept on the
 * stack. */
void settle_short_rows(struct lowered *l);

/* ---- lower.c --------------------------------------------------------------------------------- */
/* sequence, taken: NULL, or an order of the values from 1 on, and which of them some operation
 * would have the place of (op/in_place.h). */
bool lower(const wg_program *program, const value *sequence, const bool *taken, struct lowered *l,
           wg_error *error);
void lowered_free(struct lowered *l);
/* Whether v is only another name for its operand: a reshape, a copy, the number that a loop or
 * branch itself is. */
bool is_only_a_name(const struct trace *t, value v);
/* The value whose storage v has where it is needed whole. */
value storage_root(const struct lowered *l, value v);
/* The reductions that nests compute: of floating numbers, over axes that are neighbours. kept: the
 * axes before them; columns: the number of axes behind. */
bool is_nest_reduction(const struct trace *t, value v, struct loops *kept, uint8_t *columns);

/* At least this storage for what is computed. */
static inline void store(struct lowered *l, value root, enum storage at_least) {
    if (l->role[root] != ROLE_GIVEN && l->role[root] != ROLE_INDEX &&
        l->storage[root] < (uint8_t)at_least)
        l->storage[root] = (uint8_t)at_least;
}

/* ---- order.c --------------------------------------------------------------------------------- */
/* Orders the statements of passes without loops so that compilers contract the right products. */
bool order_scalars(struct lowered *l, wg_error *error);

/* ---- items.c --------------------------------------------------------------------------------- */
/* The items of the stages in their order, with the repeats of scalar code. */
bool list_items(struct lowered *l, wg_error *error);
/* Cuts a long program into functions, and gives what one makes and another reads a cell. */
void cut_items(struct lowered *l);

/* ---- repeats.c ------------------------------------------------------------------------------- */
/* Finds the repeats of a pass without loops and adds them to l->repeats, in order. Its statements
 * get a place in l->sequence if it is long enough to have any. */
bool find_repeats(struct lowered *l, uint32_t pass, wg_error *error);
/* When those of all passes are found: what is kept of their values, and its storage. */
void settle_repeats(struct lowered *l);
/* The repeat that makes v; NULL: none. */
const struct repeat *repeat_of(const struct lowered *l, value v);
/* Where in its repeat a value stands. */
struct turn {
    uint32_t trip, statement;
};
struct turn turn_of(const struct lowered *l, const struct repeat *r, value v);
static inline value repeated(const struct lowered *l, const struct repeat *r, uint32_t trip,
                             uint32_t statement) {
    return l->sequence.at[r->at + trip * r->period + statement];
}

/* ---- places.c -------------------------------------------------------------------------------- */
/* Gives statements their places in concatenations, and takes the memory from those that need none
 * beside these. */
bool settle_places(struct lowered *l, wg_error *error);
/* Whether v is a concatenation of parts of one number each. */
bool joins_numbers(const struct trace *t, value v);
/* Where the part is made at once; NULL: the operation copies it. */
const struct place *place_of_part(const struct lowered *l, value whole, size_t part);
/* Where v's element goes, under the loops of its own domain. */
struct access place_access(struct lowered *l, value v, const struct place *place);

/* ---- access.c -------------------------------------------------------------------------------- */
/* How v is read at the index of a domain of v's own shape. Views are followed down to a value that
 * is none, or that is a statement. False: what `root` is then must be made whole first (a view
 * under a reshape that mixes axes), or there is an error in l->extents. */
bool access_of(struct lowered *l, value v, struct access *access);
/* The same for operand k of a short dot, under the loops of the dot's result. */
bool access_of_factor(struct lowered *l, value dot, size_t k, struct access *access);
/* The same where axis j of v is read at loop[j] of a domain; -1: at 0. */
bool access_by(struct lowered *l, value v, const int8_t *loop, const wg_type *domain,
               struct access *access);
/* Whether v's storage is memory, or a cell, and no literal. */
bool has_address(const struct trace *t, value v);
/* Whether v reads or writes at indices that are values, and a statement can. */
bool is_indexed_statement(const struct trace *t, value v);
/* An extent of the program in l->extents. */
wg_extent lowered_extent(struct lowered *l, wg_extent e);
/* Whether loop k and the next of a pass's domain (its rows, then its own) walk all that the
 * statements read and write as one loop would. */
bool joins_next(struct lowered *l, uint32_t pass, size_t k);
/* Whether the pass's own loops are one, or join to one. */
bool joins_to_one(struct lowered *l, uint32_t pass);
/* Whether shipped C has cells: one function without repeats has variables. */
static inline bool has_cells(const struct lowered *l) {
    return l->part_count > 1 || l->repeats.count > 0;
}
/* The function that v is computed in. */
static inline uint32_t part_of(const struct lowered *l, value v) {
    return l->items.at[l->item[v] - 1].part;
}
/* The arguments of a statement, each of which has an access. */
static inline size_t access_count(const struct lowered *l, value v) {
    const struct instr *i = instr_at(&l->program->t, v);
    return i->narg;
}

#endif
