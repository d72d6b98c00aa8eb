/* Elements of carried arrays that a loop reads when no iteration changes them any more. They stand
 * in what the loop leaves behind too, so its reverse takes them from there, and the loop keeps
 * nothing for them: elements of a factor that is computed column by column, states of a recurrence
 * that are stored one behind the other. */
#ifndef TRANSFORM_SETTLED_H
#define TRANSFORM_SETTLED_H

#include "op/region.h"

/* The body of the loop r of t, whose operands are x, with one more input behind the captures for
 * each carry for which `settled` is set: what it is at the end. Each such element, in loops within
 * too, is then `settled(element, the same of what is there at the end)`. mask: of which carries
 * adjoints are wanted (split.h). NULL if there is none; NULL and an error. */
wg_program *settle_body(const struct trace *t, const struct region *r, const value *x,
                        const uint8_t *mask, bool *settled, wg_error *error);
/* What a program with such elements does while the loop runs, or backwards: the same program with
 * the first, or the second, of the two. Loops within are not given any more what they do not
 * read. NULL and an error. */
wg_program *settled_part(const wg_program *p, bool backwards, wg_error *error);

#endif
