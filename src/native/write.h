/* Loop nests as C: one function a program, or several where it is long. */
#ifndef NATIVE_WRITE_H
#define NATIVE_WRITE_H

#include "native/lower.h"

#define NO_HOME UINT32_MAX

/* Where values are during a call: entries of the table of addresses, and cells of eight bytes. */
struct homes {
    uint32_t *table; /* of each value; NO_HOME: none */
    uint32_t *cell;
};

/* A copy behind the last stage: an output that is not made in place. */
struct output_copy {
    uint32_t to;   /* table entry */
    value from;    /* a root */
    uint32_t save; /* a table entry that holds it instead; NO_HOME: none */
};

struct writing {
    struct lowered *lowered;
    const struct homes *homes;
    const struct output_copy *copy;
    size_t copy_count;
    bool threads; /* loops may be shared by f->threads of them */
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

struct shipping {
    const char *name; /* of the function */
    bool cblas;       /* products of floating matrices by a BLAS */
    /* The table's entries: inputs, then from these on outputs, constants, and slots. */
    uint32_t outputs, constants, slots;
    const struct ship_slot *slot;
    size_t slot_count, cell_count;
};

/* Appends the program's functions to `code`, and its declarations with what they take and give to
 * `header`. WG_EARGUMENT for an operation that has no C. */
bool ship_program(const struct writing *w, const struct shipping *s, wg_text *code,
                  wg_text *header, wg_error *error);
/* Appends what stands above functions: who is bound by it (nobody), and the pieces of the runtime
 * that they use. */
bool ship_runtime(const char *functions, bool cblas, wg_text *out, wg_error *error);

/* Whether C or C++ keeps the word, or the code its parameter `work`. */
bool is_c_keyword(const char *word);

/* ---- formula.c ------------------------------------------------------------------------------- */
/* The row's value for operands of this type, as elementwise.def spells it; NULL: it has none. */
const char *formula_of(unsigned op, unsigned dtype);

#endif
