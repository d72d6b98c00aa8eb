/* What the files that write C share. */
#ifndef NATIVE_WRITER_H
#define NATIVE_WRITER_H

#include "native/write.h"

struct writer {
    const struct writing *w;
    struct lowered *l;
    const struct trace *t;
    wg_text *out;
    uint32_t part; /* the function at hand */
    uint32_t *declared; /* of each value: 1 + the last part that declared its memory */
    uint32_t item;      /* 1 + the item at hand */
    uint32_t *loaded;   /* of each value: the last item that has it in a variable */
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
};

static inline unsigned dtype_of(const struct writer *w, value v) {
    return type_of(w->t, v)->dtype;
}

/* ---- write.c --------------------------------------------------------------------------------- */

extern const char *const type_text_of[WG_DTYPE_COUNT], *const short_name[WG_DTYPE_COUNT];

void add(struct writer *w, const char *text);
#define ADD(w, ...) ((w)->ok = (w)->ok && text_format((w)->out, __VA_ARGS__))
void indent(struct writer *w, int depth);
void add_memory(struct writer *w, value root);
/* An extent of the program; in parentheses if it is more than one term and `tight`. */
void add_program_extent(struct writer *w, wg_extent e, bool tight);
/* The iterations of loop k of the plan. */
void add_trips(struct writer *w, uint32_t pass, const struct plan *plan, size_t k);
/* "sum", "max" or "peak" */
const char *reducer(const struct writer *w, value v);

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

#endif
