/* The rows of matrices for support/reference.h. */
#ifndef REFERENCE_LINALG_H
#define REFERENCE_LINALG_H

#include "support/reference.h"

/* Computes y, which has its extents and elements 0; false if op is no such row. */
bool reference_linalg(unsigned op, const struct array *const *arg, size_t narg, const int64_t *word,
                      struct array *y);

#endif
