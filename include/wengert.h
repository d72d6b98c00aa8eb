/* Wengert: automatic differentiation in C. This header is the whole public interface:
 *
 *   graph.h        build a program by calls or from a formula
 *   loop.h         loops and branches as instructions: for, while, scan, map, if
 *   ops.h          more operations: shape, reductions, scans, order, indexing, einsum
 *   linalg.h       matrices: factors, equations, eigenvalues, the exponential
 *   custom.h       derivatives that the caller gives, and C functions as operations
 *   implicit.h     solutions of equations, with their derivatives
 *   program.h      look at it, print it, and transform it: jvp, vjp, Jacobian, Hessian, ...
 *   eager.h        graphs that compute as they grow, beside ordinary C control flow
 *   run.h          make it ready to run, call it, check its derivatives
 *   sparse.h       sparse Jacobians and Hessians: patterns, and values of the entries alone
 *   solve.h        roots, minima and linear equations of compiled functions
 *   emit.h         write it as C that needs no library
 *   show.h         evaluation traces and computational graphs for people
 *   data.h         files of numbers, random numbers
 *
 * Nothing here prints, exits or aborts. Names begin with wg_ and WG_. */
#ifndef WENGERT_H
#define WENGERT_H

#include "wengert/base.h"
#include "wengert/program.h"
#include "wengert/graph.h"
#include "wengert/loop.h"
#include "wengert/elementwise.h"
#include "wengert/ops.h"
#include "wengert/linalg.h"
#include "wengert/custom.h"
#include "wengert/implicit.h"
#include "wengert/eager.h"
#include "wengert/run.h"
#include "wengert/solve.h"
#include "wengert/sparse.h"
#include "wengert/emit.h"
#include "wengert/show.h"
#include "wengert/data.h"
#include "wengert/csource.h"

#endif
