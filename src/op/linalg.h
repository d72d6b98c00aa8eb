/* What the rows of matrices (factor.c, spectral.c) and the functions made of them
 * (compose_linalg.c) share: matrices are the last two axes, everything in front of them a batch.
 * Builders return 0 once the graph has an error, or where an argument is absent. */
#ifndef OP_LINALG_H
#define OP_LINALG_H

#include "op/build.h"

/* [..., n, n], floating; an error of the graph else, which begins with the name. */
bool require_square(wg_graph *g, const char *name, value a);
/* [..., m, n], floating. */
bool require_matrix(wg_graph *g, const char *name, value a);
/* The extent of the axis `from_end` (1: the last) from the end. */
wg_extent matrix_extent(const wg_graph *g, value a, unsigned from_end);

value matrix_transpose(wg_graph *g, value a);
/* The product of matrices with the same axes in front. */
value matrix_product(wg_graph *g, value a, value b, bool a_transposed, bool b_transposed);
/* Rows start .. stop-1. */
value matrix_rows(wg_graph *g, value a, wg_extent start, wg_extent stop);
value rows_joined(wg_graph *g, const value *part, size_t count);
/* The elements of a below the diagonal, on it and above it times these numbers. */
value matrix_masked(wg_graph *g, value a, double below, double on, double above);
/* [..., n, n] -> [..., n]: the diagonal; a vector times every row, or every column. */
value matrix_diagonal(wg_graph *g, value a);
value scale_columns(wg_graph *g, value a, value v);
value scale_rows(wg_graph *g, value a, value v);

/* Memory of `count` words of eight bytes that a kernel works in; an error of the graph if the
 * argument `words` of an operation is another one. */
value build_words(wg_graph *g, wg_extent count);
bool require_room(wg_graph *g, unsigned op, value words, wg_extent count);
/* How many each kernel takes for its argument; qr, eigh and svd as much as LAPACK wants. */
wg_extent cofactor_room(wg_graph *g, value a);
wg_extent qr_room(wg_graph *g, value a);
wg_extent eigh_room(wg_graph *g, value a);
wg_extent svd_room(wg_graph *g, value a);
wg_extent expm_room(wg_graph *g, value a, size_t order);

struct triangle { /* how triangular_solve reads its matrix */
    bool lower, transposed, unit, absolute;
};
struct triangle triangle_of(const struct trace *t, attr_id attr);
/* factor_small.c: matrices of few rows as elementwise operations, others as they are. */
value cholesky_expand(wg_graph *g, attr_id attr, const value *x);
value triangular_expand(wg_graph *g, attr_id attr, const value *x);
value lu_expand(wg_graph *g, attr_id attr, const value *x);
value solve_expand(wg_graph *g, attr_id attr, const value *x);
value det_expand(wg_graph *g, attr_id attr, const value *x);
/* a [b..., n, n], x [b..., n, k] */
value build_triangular(wg_graph *g, value a, value x, struct triangle t);
/* The factors f = build_lu(a) of a; a itself is there for its derivatives. */
value build_lu(wg_graph *g, value a);
value build_factor_solve(wg_graph *g, value a, value f, value b, bool transposed, bool absolute);
enum { DET_VALUE, DET_LOG, DET_SIGN };
value build_factor_det(wg_graph *g, value a, value f, int what);
value build_cofactor(wg_graph *g, value a);

/* Packed results: rows Q, R of a [m,n]; w, V; U, s, V'. m >= n. */
value build_qr(wg_graph *g, value a);
value build_eigh(wg_graph *g, value a);
value build_svd(wg_graph *g, value a);
/* x[0], and the directions x[1] .. x[order]. */
value build_expm_along(wg_graph *g, const value *x, size_t order, bool absolute);

#endif
