/* Sparse Jacobians and Hessians: which entries can differ from 0, and the values of those alone.
 *
 * The pattern follows from what the operations of a program do with their elements, not from trying
 * points: an entry that is not in it is 0 at every point. Values come from a few products with the
 * Jacobian: columns that meet in no row (or rows that meet in no column) are computed together
 * (Curtis, Powell and Reid, 1974; Griewank and Walther, Evaluating Derivatives, 2nd ed., chapter
 * 8). How many products are needed is how many colours a graph takes, which is found once. */
#ifndef WENGERT_SPARSE_H
#define WENGERT_SPARSE_H

#include "wengert/base.h"
#include "wengert/program.h"
#include "wengert/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- patterns -------------------------------------------------------------------------------- */

/* Which entries of a matrix there are, row by row (CSR): those of row i are number row[i] to
 * row[i + 1] - 1, in the columns column[row[i]], ..., which ascend. Begin with {0}; the arrays are
 * the caller's and go with wg_pattern_free. */
typedef struct wg_pattern {
    int64_t rows, columns, entries;
    int64_t *row;           /* rows + 1 */
    int64_t *column;        /* entries */
    wg_allocator allocator; /* that the arrays are from */
} wg_pattern;

WG_API void wg_pattern_free(wg_pattern *pattern);
/* The row of each entry, for coordinates (COO): row has room for pattern->entries. */
WG_API void wg_pattern_rows(const wg_pattern *pattern, int64_t *row);
/* The transposed pattern, which is the compressed columns (CSC) of this one. entry (NULL: not
 * wanted) has room for pattern->entries: value k of the transposed is this one's entry[k]. */
WG_API wg_status wg_pattern_transpose(const wg_pattern *pattern, wg_pattern *transposed,
                                      int64_t *entry, wg_error *error);

/* All zero is the default; NULL stands for that. */
typedef struct wg_sparse_options {
    const char *of, *wrt; /* names, as wg_jacobian takes them; a Hessian has no `of` */
    const int64_t *size;  /* the named sizes in the program's order; NULL if there are none */
    /* For each input its elements, or NULL: what the pattern may rely on, such as the indices that
     * a mesh is given by. Where an index is not known, every element along its axis is an entry.
     * Values are right as long as calls bring the same. NULL: nothing is known. */
    const void *const *known;
    wg_mode mode;   /* columns (forward), rows (reverse), or whichever takes fewer sweeps */
    wg_options run; /* how the products are computed */
} wg_sparse_options;

/* The pattern of the Jacobian of the outputs `of` by the inputs `wrt`. Rows are the elements of the
 * outputs, one output behind the other, columns those of the inputs. An entry is there where the
 * derivative may differ from 0 at some point; it may be there where it never does, if terms cancel.
 * What a loop does is followed iteration by iteration where these are not too many (about 10^8
 * elements of work), else for all of them together; of branches all are taken, unless the choice is
 * known.
 * Cost: for each element of each value the union of its arguments' sets, that is about the time of
 * an evaluation for each entry of a row. WG_EOVERFLOW, WG_ENOMEM where the pattern is too large,
 * WG_ESHAPE for sizes that do not go together. */
WG_API wg_status wg_jacobian_pattern(const wg_program *program, const wg_sparse_options *options,
                                     wg_pattern *pattern, wg_error *error);
/* That of the Hessian of the first output, a floating scalar; symmetric, both triangles. */
WG_API wg_status wg_hessian_pattern(const wg_program *program, const wg_sparse_options *options,
                                    wg_pattern *pattern, wg_error *error);

/* ---- values ---------------------------------------------------------------------------------- */

/* A sparse Jacobian or Hessian made ready for these sizes: pattern, colours, and the program of the
 * products, compiled. Immutable: any number of threads may ask one for values at once. */
typedef struct wg_sparse wg_sparse;

/* WG_AUTO_MODE takes columns or rows, whichever need fewer colours, and where there are dense rows
 * and dense columns both: some rows in reverse, the rest by columns (or the other way round). */
WG_API wg_sparse *wg_sparse_jacobian(const wg_program *program, const wg_sparse_options *options,
                                     wg_error *error);
/* Forward over reverse; mode is not looked at. Colours are those of a star colouring, which makes
 * use of the symmetry (Coleman and More, 1984; Gebremedhin, Manne and Pothen, SIAM Review 47,
 * 2005). A rule of a caller (wg_custom) whose derivative is not symmetric gives one of the two
 * numbers for both. */
WG_API wg_sparse *wg_sparse_hessian(const wg_program *program, const wg_sparse_options *options,
                                    wg_error *error);
WG_API void wg_sparse_free(wg_sparse *sparse);

/* Where the values are: borrowed, as long as the sparse matrix lives. */
WG_API const wg_pattern *wg_sparse_pattern(const wg_sparse *sparse);
/* How many products with tangents and with adjoints one call computes. */
WG_API void wg_sparse_sweeps(const wg_sparse *sparse, int64_t *forward, int64_t *reverse);

/* The values at a point: input[i] is the buffer of the program's input i; value has room for every
 * entry of the pattern and receives them in its order, as f64 also from f32. workspace: of
 * wg_sparse_workspace_new, then nothing is allocated; NULL: allocate one. The errors of
 * wg_call_with. */
WG_API wg_status wg_sparse_values(const wg_sparse *sparse, const void *const *input, double *value,
                                  void *workspace, wg_error *error);
/* Memory for calls, one at a time, from the program's allocator: every thread takes one of its own.
 * Free it with wg_sparse_workspace_free, before or after the matrix. NULL and an error. */
WG_API void *wg_sparse_workspace_new(const wg_sparse *sparse, wg_error *error);
WG_API void wg_sparse_workspace_free(void *workspace);

#ifdef __cplusplus
}
#endif
#endif
