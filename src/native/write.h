/* Loop nests as C: one function a program, or several where it is long. */
#ifndef NATIVE_WRITE_H
#define NATIVE_WRITE_H

#include "native/ahead.h"

#define NO_HOME UINT32_MAX

/* Where values are during a call: entries of the table of addresses, and cells of eight bytes. */
struct homes {
    uint32_t *table; /* of each value; NO_HOME: none */
    uint32_t *cell;
};

/* A copy, mostly behind the last stage: an output that is not made in place. */
struct output_copy {
    uint32_t to;   /* table entry */
    value from;    /* a root */
    uint32_t save; /* a table entry that holds it instead; NO_HOME: none */
    bool first;    /* in front of all: an input whose place another output has */
};

/* The body of a loop or branch: a function that has been written, of
 *   (frame), sizes, inputs, outputs, workspace
 * without the inputs that an output takes the place of, and the outputs that nobody reads. */
struct body_code {
    value region;
    size_t which; /* of its bodies */
    const char *name;
    const struct trace *t;
    const uint32_t *donor; /* of each output: 1 + the input in whose place it is */
    const bool *unread;    /* results of the region, for which there is no output */
    struct ahead_list *ahead; /* what it leaves to be checked in front of its loop; NULL: nothing */
    size_t work;           /* bytes of workspace, if they are constant; else NAME_work(sizes) */
    bool named_work;
};

/* What a loop carries in memory though nobody reads it in the end. */
struct spare {
    value region;
    size_t carry;
    uint32_t home; /* table entry */
};

/* An index that a body does not check, as that is done ahead of its loop. */
struct left_out {
    value index; /* a root */
    wg_extent extent; /* of the program */
};

struct writing {
    struct lowered *lowered;
    const struct homes *homes;
    const struct output_copy *copy;
    size_t copy_count;
    const struct spare *spare;
    size_t spare_count;
    const struct body_code *body; /* in the order of regions */
    size_t body_count;
    const char *before; /* the text of bodies, which stands in front; NULL: it stands already */
    VEC(struct left_out) left_out;
    bool threads;       /* loops may be shared by f->threads of them */
};

/* Appends the complete file. The function written is
 *     int wg_program(const wg_frame *f)
 * and returns a wg_status. */
bool write_c(const struct writing *w, wg_text *out, wg_error *error);

/* ---- ship.c: the same program as C that needs no library ------------------------------------- */

struct ship_slot { /* a piece of the workspace: factor times the product of extents, in bytes */
    int64_t factor;
    const wg_extent *part;
    size_t part_count;
};

enum ship_kind {
    SHIP_PROGRAM,
    SHIP_CORE, /* the same, static and not declared */
    SHIP_BODY,  /* of a loop or branch of one */
    CALLED_BODY /* of a loop or branch of a program that is loaded */
};

struct shipping {
    const char *name; /* of the function */
    enum ship_kind kind;
    bool cblas;            /* products of floating matrices by a BLAS */
    uint32_t number;       /* by which a called body is known to the library */
    const uint32_t *donor; /* of each output: 1 + the input in whose place it is; NULL: none */
    /* The table's entries: inputs, then from these on outputs, constants, and slots. */
    uint32_t outputs, constants, slots;
    const struct ship_slot *slot;
    size_t slot_count, cell_count;
};

enum { SHIP_ROUND = 16 }; /* pieces of a workspace begin at multiples of so many bytes */

/* Appends the program's functions to `code`, and, of SHIP_PROGRAM, its declarations with what they
 * take and give to `header`. WG_EARGUMENT for an operation that has no C. */
bool ship_program(const struct writing *w, const struct shipping *s, wg_text *code,
                  wg_text *header, wg_error *error);
/* The bytes of workspace, without those that depend on sizes if `named`. */
size_t ship_work(const struct writing *w, const struct shipping *s, bool *named);
/* Appends what stands above functions: who is bound by it (nobody), and the pieces of the runtime
 * that they use. */
bool ship_runtime(const char *functions, bool cblas, wg_text *out, wg_error *error);

/* Whether C or C++ keeps the word, or the code its parameter `work`. */
bool is_c_keyword(const char *word);

/* ---- formula.c ------------------------------------------------------------------------------- */
/* The row's value for operands of this type, as elementwise.def spells it; NULL: it has none. */
const char *formula_of(unsigned op, unsigned dtype);

#endif
