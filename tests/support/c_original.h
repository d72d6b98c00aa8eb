/* The C function itself beside the program that was made of it: compiled by a compiler of the
 * system without optimisation, and called with the program's own inputs and outputs. */
#ifndef C_ORIGINAL_H
#define C_ORIGINAL_H

#include <wengert.h>

/* size[i], in[i] and out[i] as for wg_call; count[i]: the elements of input i. Returns 0, or, where
 * the function changed something that the program has no output for, 1. */
typedef int original_call(const int64_t *size, const int64_t *count, const void *const *in,
                          void *const *out);

struct original; /* a compiled file */

/* Appends a function `call_NAME` of this type to *text. tree_* of src/csource tell the types of the
 * parameters. False and an error if that cannot be. */
bool original_write(const char *path, const wg_csource_options *options, const wg_csource *source,
                    wg_text *text, wg_error *error);
/* Compiles the file with what original_write wrote behind it, in the working directory, with -O0,
 * -ffp-contract=off and all warnings as errors. NULL where there is no such compiler; an error where
 * it complains. */
struct original *original_open(const char *compiler, const char *path, const wg_text *text,
                               wg_error *error);
original_call *original_of(const struct original *o, const char *function);
void original_close(struct original *o);

#endif
