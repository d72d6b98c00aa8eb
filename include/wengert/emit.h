/* Programs as C to take away: a source and a header that need neither this library nor memory of
 * their own. */
#ifndef WENGERT_EMIT_H
#define WENGERT_EMIT_H

#include "wengert/base.h"
#include "wengert/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All zero is the default; NULL stands for that. */
typedef struct wg_emit_options {
    const char *prefix; /* in front of every function's name; NULL: none                         */
    const char *header; /* the header's file name, which the code includes; NULL: the code begins
                           with the header's text instead                                        */
    bool f32;           /* f64 becomes f32 everywhere: inputs, outputs, constants, casts         */
    bool cblas;         /* products of floating matrices call cblas_dgemm and cblas_sgemm        */
} wg_emit_options;

/* Appends C99, which is C++ too, to code and header: for each program a function called prefix and
 * name[i], and how many bytes of workspace it takes, NAME_WORK, or NAME_work(n, ...) where that
 * depends on named sizes:
 *
 *     int NAME(int64_t n, ..., const double *x, ..., double *y, ..., void *work);
 *
 * Parameters are the named sizes, the inputs and the outputs in the program's order, dense and
 * row-major, and the workspace, aligned as malloc aligns, NULL if it has no bytes; nothing is kept
 * in it. Scalar inputs are passed by value; bool is uint8_t, 0 or 1. Parameters have the program's
 * names, as far as C lets them. Outputs overlap nothing. The function returns 0; 1 if an index lies
 * outside its axis, or if the largest of no elements is asked for, where there is none; 2 if a size
 * is negative or the sizes do not go together; outputs then hold anything. Sizes whose products
 * leave 64 bits are the caller's own care. It may be called by any number of threads at once, as it
 * has no state, allocates nothing and prints nothing.
 * The text needs the C library's <math.h> and <string.h>, with cblas also <cblas.h>; it is the same
 * to the byte for the same programs, and binds nobody. Compiled with -ffp-contract=off it gives the
 * interpreter's bits, but for products of matrices and convolutions, whose sums it takes in another
 * order.
 * External functions (wg_external) have no form of their own: WG_EARGUMENT, which names the line.
 * WG_ENAME for a name that is no identifier, is C's own or is given twice. On error code and header
 * are as they were. */
WG_API wg_status wg_emit(const wg_program *const *program, const char *const *name, size_t count,
                         const wg_emit_options *options, wg_text *code, wg_text *header,
                         wg_error *error);

/* Appends the loop nests that the program becomes, as wg_emit writes them, without header and
 * runtime: to be looked at. */
WG_API wg_status wg_show_lowered(const wg_program *program, wg_text *out, wg_error *error);

#ifdef __cplusplus
}
#endif
#endif
