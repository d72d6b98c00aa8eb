/* What the files that write C share. Both kinds of C have the loop nests of write.c; what stands
 * around them differs: write_call.c has the frame of code that the library loads and calls, the
 * files named ship that of C which a user takes away. */
#ifndef NATIVE_WRITER_H
#define NATIVE_WRITER_H

#include "native/write.h"

struct shipped; /* ship.c */

struct grouping { /* a statement in the loops of write_blocks.c */
    uint32_t group;   /* within its pass */
    uint32_t until;   /* the last group that reads it */
    uint32_t fetched; /* the last loop that has it in a variable */
    uint8_t slot;     /* 1 + the buffer in which it waits; 0: none */
    bool has_function; /* it is, or reads, a mathematical function of its group */
};

struct writer {
    const struct writing *w;
    struct lowered *l;
    const struct trace *t;
    wg_text *out;
    uint32_t part; /* the function at hand */
    uint32_t *declared; /* of each value: 1 + the last part that declared its memory */
    uint32_t item;      /* 1 + the item at hand */
    uint32_t *loaded;   /* of each value: the last item that has it in a variable */
    struct shipped *shipped; /* NULL: the library calls this code */
    wg_error *error;         /* of shipped code: an operation that cannot be written */
    struct grouping *grouping; /* of each value */
    uint32_t *step;  /* of values that loops over short rows make in turns: which one; 0: none */
    uint8_t *kept;   /* and whether what it makes is kept in an array, with more in these bits */
    uint32_t now;    /* the loop at hand */
    value of_repeat; /* the repeated statement that is written; 0: none */
    VEC(struct left_out) checked; /* indices that have been, in the order of the text */
    const char *kept_index; /* in those arrays; NULL: by row and element */
    const struct turned *turned; /* operands that are read from copies; NULL: none */
    bool ok;
};

/* The loops of a pass after joining: each stands for the axes first .. last of the domain. */
struct plan {
    size_t rows; /* axes of the nest that have loops of their own outside */
    size_t count;
    struct {
        size_t first, last;
    } loop[WG_MAX_RANK];
    bool pieces; /* the first loop goes from `piece` to `end` */
    bool along_rows; /* the first loop goes along rows that the innermost one goes across */
};

static inline unsigned dtype_of(const struct writer *w, value v) {
    return type_of(w->t, v)->dtype;
}

/* ---- write.c --------------------------------------------------------------------------------- */

extern const char *const type_text_of[WG_DTYPE_COUNT], *const short_name[WG_DTYPE_COUNT];

/* The functions of op/kernel/vector_math.h that rows call; ended by NULL. */
extern const char *const row_functions[];
/* Whether this word is a function of the C library that rows call. */
bool is_library_function(const char *word);

static inline void add(struct writer *w, const char *text) {
    w->ok = w->ok && text_add(w->out, text);
}
#define ADD(w, ...) ((w)->ok = (w)->ok && text_format((w)->out, __VA_ARGS__))
static inline void indent(struct writer *w, int depth) {
    for (int i = 0; i < depth; i++) add(w, "    ");
}

struct site_of_use { /* where an operand is written */
    uint32_t pass;
    const struct plan *plan; /* NULL: no loops */
};

static inline bool is_row_buffer(const struct writer *w, value root) {
    return w->l->storage[root] == STORE_ROW;
}

/* A size of a trace, whose sizes are the program's. */
void add_size(struct writer *w, const struct trace *t, size_t index);
void add_memory(struct writer *w, value root);
void add_cell(struct writer *w, value root);
/* An extent of a trace as C; in parentheses if it is more than one term and `tight`. */
void add_extent(struct writer *w, const struct trace *t, wg_extent e, bool tight);
/* The number of elements of a type of the program. */
void add_count(struct writer *w, const wg_type *type);
/* Atomic: it may stand beside any operator. */
void add_literal(struct writer *w, unsigned dtype, int64_t bits);
void add_operand(struct writer *w, const struct access *a, const struct site_of_use *at);
/* Whether a scalar is read from its cell where no loop is. */
bool is_in_cell(const struct writer *w, value root);
/* Whether an operand is an element of a tensor in memory. */
bool is_read_in_memory(const struct writer *w, const struct access *a,
                       const struct site_of_use *at);
/* The address of integers that somebody indexes with. */
void add_index_address(struct writer *w, value index);
void add_comment(struct writer *w, value v);
/* Calls visit for each statement of the item. */
void visit_statements(struct writer *w, const struct item *item,
                      void (*visit)(struct writer *w, value v));
void write_item(struct writer *w, const struct item *item);
/* An extent of the program; in parentheses if it is more than one term and `tight`. */
void add_program_extent(struct writer *w, wg_extent e, bool tight);
struct plan plan_loops(struct writer *w, uint32_t pass, size_t from, size_t to);
/* for (...) { of a loop of the plan; `independent`: its iterations are. */
void open_loop(struct writer *w, uint32_t pass, const struct plan *plan, size_t k, int depth,
               bool independent);
/* The closing braces of blocks `from` - 1 to `depth` deep. */
void close_loops(struct writer *w, int from, int depth);
/* Whether a row calls a function that costs more than a few instructions. */
bool calls_function(unsigned op, unsigned dtype);
/* Checks of inputs and constants that somebody indexes with. */
void check_given_indices(struct writer *w);
/* The extent of an axis of the pass's domain. */
wg_extent domain_extent(const struct writer *w, uint32_t pass, size_t axis);
/* The iterations of loop k of the plan. */
void add_trips(struct writer *w, uint32_t pass, const struct plan *plan, size_t k);
/* "sum", "max" or "peak" */
const char *reducer(const struct writer *w, value v);

/* The index of an access under the loops at hand; at least one character. */
void add_index(struct writer *w, const struct access *a, const struct site_of_use *at);
void add_statement(struct writer *w, value v, const struct site_of_use *at, int depth);
/* The place in memory of a value under the loops at hand. */
void add_place(struct writer *w, value v, const struct site_of_use *at);
/* Writes v to memory, or to its cell, if it has a place there. */
void add_store(struct writer *w, value v, const struct site_of_use *at, int depth);
/* The statements of a pass, then what they write. */
void add_body(struct writer *w, const struct site_of_use *at, int depth);
bool has_statements(const struct writer *w, uint32_t pass);
void declare_number(struct writer *w, value v, int depth);
void end_reduction(struct writer *w, value v, int depth);
/* Whether a reduction's terms lie in memory, one behind the other, so that no buffer is needed. */
bool terms_in_memory(const struct writer *w, value v, const struct plan *plan);

/* ---- write_products.c ------------------------------------------------------------------------ */

/* In front of a pass's innermost loop: what its short dots read, and the loop does not change. */
void load_factors(struct writer *w, const struct site_of_use *at, int depth);
/* The value of a short dot: its products in their order. */
void add_products(struct writer *w, value v, const struct site_of_use *at);

/* ---- write_calls.c --------------------------------------------------------------------------- */

/* A pass of one ROLE_CALL, inside the loops over the nest's rows. */
void add_call(struct writer *w, uint32_t pass, size_t rows, int depth);

/* ---- write_numbers.c ------------------------------------------------------------------------- */

/* Whether an operation is a concatenation that is written as assignments of single numbers. */
bool is_of_numbers(const struct writer *w, value v);
void write_numbers(struct writer *w, value v);
/* In loaded code: the addresses that it takes. */
void declare_numbers(struct writer *w, value v);

/* ---- write_repeats.c ------------------------------------------------------------------------- */

/* The loop of an item that is a repeat. */
void write_repeat(struct writer *w, const struct item *item);
/* An operand of w->of_repeat that moves on from one repetition to the next; false: it does not. */
bool add_moved(struct writer *w, const struct access *a);

/* ---- write_blocks.c -------------------------------------------------------------------------- */

/* The reductions of a pass whose loop is one, and the statements of its body. */
void add_blocks(struct writer *w, uint32_t pass, const struct plan *plan, int depth);
/* The statements of a pass without reductions, whose loop is one, as several loops over blocks if
 * they are better cut; false: they are not, and nothing is written. */
bool add_cut_loop(struct writer *w, uint32_t pass, const struct plan *plan, int depth);

/* ---- write_turned.c -------------------------------------------------------------------------- */

/* Operands that the innermost loop of a pass reads across their rows. */
enum { MOST_TURNED = 4 };
struct turned {
    size_t along; /* the loop of the plan that goes along their rows */
    size_t wide;  /* as many of its iterations are taken at a time */
    bool slow;    /* the pass has statements that should be vector code */
    int64_t least; /* rows across which that is worth it */
    size_t count; /* 0: there are none */
    const struct access *operand[MOST_TURNED];
};
struct turned find_turned(struct writer *w, const struct site_of_use *at);
/* The loops of a plan with such operands, and their body. */
void add_turned(struct writer *w, const struct turned *turned, const struct site_of_use *at,
                int depth);
/* One of them, where a copy of its part is at hand; false: it is none. */
bool add_turned_operand(struct writer *w, const struct access *a, const struct site_of_use *at);

/* ---- write_rows.c ---------------------------------------------------------------------------- */

/* The passes of a nest of short rows, inside the loops over all but the last axis of its rows. */
void add_short_rows(struct writer *w, uint32_t stage, const struct plan *rows, int depth);
/* A value that is kept for all rows at hand, where another loop reads it. */
void add_kept(struct writer *w, const struct access *a, const struct site_of_use *at);

/* ---- write_columns.c ------------------------------------------------------------------------- */

/* A pass with reductions of columns, inside the loops over the nest's rows. */
void add_columns(struct writer *w, uint32_t pass, size_t rows, int depth);

/* ---- write_call.c ---------------------------------------------------------------------------- */

/* A variable for the address of a value, once a function. */
void declare_address(struct writer *w, value root);

/* ---- write_threads.c ------------------------------------------------------------------------- */

/* Opens the loop that threads share, in front of the loops of a plan that is not below rows: their
 * first then goes through one piece. Returns the depth within. */
int open_pieces(struct writer *w, uint32_t pass, struct plan *plan, int depth);
/* The same in front of a nest's rows, with the buffers of a row, which each thread has for
 * itself. */
int open_row_pieces(struct writer *w, const struct stage *nest, struct plan *plan, int depth);
/* Around the blocks of the pass's reductions r: groups of them, which threads share, and behind
 * them what the groups found put together in order. Between the two `start` and `end` are a group's
 * first element and the one behind its last. */
void open_groups(struct writer *w, uint32_t pass, int depth);
void close_groups(struct writer *w, uint32_t pass, int depth);

/* ---- ship.c ---------------------------------------------------------------------------------- */

/* The names of what is stored, in C that a user takes away. */
void shipped_memory(struct writer *w, value root);
void shipped_size(struct writer *w, size_t index);
void shipped_cells(struct writer *w);
bool ships_with_cblas(const struct writer *w);
/* Whether the code is a body that calls the library's operations. */
bool is_called_body(const struct writer *w);
uint32_t number_of_body(const struct writer *w);
/* The address that a table entry stands for. */
void add_shipped_entry(struct writer *w, uint32_t entry);
/* Where the workspaces of the bodies of its loops and branches begin. */
void add_shipped_inner(struct writer *w);
/* "n, m": the sizes as the code names them, for the library. */
void add_shipped_sizes(struct writer *w);

/* ---- ship_operation.c ------------------------------------------------------------------------ */

/* An operation that no nest does: a call of a function of runtime_whole.h, or of the library. */
void shipped_operation(struct writer *w, value v);
/* "return ...;": that an index of this instruction lies outside. */
void shipped_failure(struct writer *w, value by);
/* The check of an index that is one integer. */
void shipped_check(struct writer *w, const struct index_check *check, value index);

/* ---- write_ahead.c --------------------------------------------------------------------------- */

/* Whether an index has been checked before, or is ahead of the loop; remembers that it is now. */
bool is_checked(struct writer *w, value index, wg_extent extent);
/* The checks of a loop's body that stand in front of it, behind the variable `count`. add_value
 * writes an operand of the loop. */
void add_ahead(struct writer *w, const struct body_code *body, int depth,
               void (*add_value)(struct writer *w, value v));

/* ---- write_region.c -------------------------------------------------------------------------- */

static inline bool is_region(const struct trace *t, value v) {
    return v && op_def(instr_at(t, v)->op)->class == REGION;
}
/* A loop or branch: calls of the functions that its bodies are. */
void write_region(struct writer *w, value v);
/* In loaded code: the addresses that it takes. */
void declare_region(struct writer *w, value v);
/* The bytes that the bodies need, as C; all that is constant in *fixed, *named: there is more. */
void inner_work(const struct writing *w, size_t *fixed, bool *named);
void add_inner_work(struct writer *w);

#endif
