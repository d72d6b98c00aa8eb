/* What a loop carries only to add to it: numbers, and elements of arrays. Each addition waits for
 * the one before, which keeps the loop from vectors where the rest of it is a map. So the loop
 * collects what is added, and it is added up behind the loop. */
#ifndef TRANSFORM_ADDENDS_H
#define TRANSFORM_ADDENDS_H

#include "op/region.h"

struct addends {
    wg_program *body; /* of the loop without those carries, the addends its last results; the
                         caller's */
    bool apart[2 * REGION_OPERANDS]; /* of each carry */
    size_t results;                  /* how many more */
    const wg_program *from;
    size_t given, carries; /* of from: captures, carries */
};

/* Looks at the body p of a loop with so many captures and carries. Of a loop that is not within
 * another only a few sums are apart: the memory for addends grows with the loop, and is there but
 * once if it is within one. False, and nothing found, where it would not help, or on error. */
bool find_addends(const wg_program *p, size_t captures, size_t carries, bool within,
                  struct addends *a, wg_error *error);
/* What carry k is behind the loop, where it began as `begin` (0: zeros of like's type). parts: of
 * the loop, with all captures of `from`; addend: what the loop has collected. */
value add_addends(wg_graph *g, const struct addends *a, size_t k, value begin, value like,
                  const struct region_parts *parts, const value *addend);

#endif
