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

/* ---- formula.c ------------------------------------------------------------------------------- */
/* The row's value for operands of this type, as elementwise.def spells it; NULL: it has none. */
const char *formula_of(unsigned op, unsigned dtype);

#endif
