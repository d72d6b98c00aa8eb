/* Patterns in the making, and the programs whose results are compressed matrices. */
#ifndef PATTERN_H
#define PATTERN_H

#include "transform/derive.h"
#include "wengert/sparse.h"

/* Arrays of a pattern of this size; row begins with zeros. False and an error without memory. */
bool pattern_open(wg_pattern *p, const wg_allocator *a, int64_t rows, int64_t columns,
                  int64_t entries, wg_error *error);

/* What names mean for a program, in a derivation that is only asked; false, and maybe an error that
 * pattern_unselect records. That is called in any case, and ends the selections. */
bool pattern_select(struct derivation *d, const wg_program *p, const char *of, const char *wrt,
                    struct selection *x, struct selection *y, wg_error *error);
void pattern_unselect(struct derivation *d, wg_error *error);

/* compress.c: products of the Jacobian with the sums of all columns (forward), else rows, of one
 * colour, for `directions` colours from `first` on:
 *   inputs of p, colour i32[columns or rows], first i32[] -> compressed f64[directions, rows or
 *   columns]. NULL and an error. */
wg_program *compress_program(const wg_program *p, const char *of, const char *wrt, bool forward,
                             int64_t directions, wg_error *error);

#endif
