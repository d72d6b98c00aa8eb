/* Loops and branches: instructions whose bodies are programs. They are differentiated, batched,
 * printed and run like any other instruction, nest, and are what a loop or an `if` of C would not
 * be: part of the program, which decides at every call how often they run and which way they go.
 *
 * A body is built by the same calls on the same graph, between begin and end; what it uses from
 * outside is captured by itself, and what does not change from one iteration to the next is
 * computed before the loop. Values of a body mean nothing outside of it: a program that uses one
 * there is an error when it is built.
 *
 * What other tools call scan is a loop with carries and collected results, fori one with carries
 * and its index, map one without carries, and while one with wg_loop_while, of length WG_UNBOUNDED
 * where no bound is known. cond and switch are a branch, by a bool or an index, and a call of
 * another program is wg_apply, which puts its instructions here. */
#ifndef WENGERT_LOOP_H
#define WENGERT_LOOP_H

#include "wengert/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- loops ----------------------------------------------------------------------------------- */

/* A loop in the making; freed by wg_loop_end. All calls on it do nothing once its graph has an
 * error. */
typedef struct wg_loop wg_loop;

/* A bound that a loop with a condition need not have: then it collects no results, and reverse mode
 * runs it again from snapshots (wg_loop_checkpoints; 32 unless told otherwise), since nobody knows
 * how much there would be to keep. */
#define WG_UNBOUNDED INT64_MAX

/* A loop of `length` iterations, i = 0, 1, ..., length-1: an extent of the graph. NULL without
 * memory, or for a graph with an error; such a loop may be handed to all that follows. */
WG_API wg_loop *wg_loop_begin_at(const char *file, int line, wg_graph *g, wg_extent length);
/* Only the first `count` (i64[], brought to 0 .. length) of the iterations, known at the call. */
WG_API void wg_loop_count_at(const char *file, int line, wg_loop *loop, wg_var count);
/* i = length-1 (or count-1), ..., 0. Not together with a condition. */
WG_API void wg_loop_backwards(wg_loop *loop);
/* Reverse mode keeps this many snapshots (1 .. 32767; 0: none) of what is carried, instead of
 * values of every iteration, and runs the loop again from these: the memory no longer grows with
 * the length. With c snapshots and l iterations none is run more than r times again, r being the
 * smallest for which l is at most (c + r)! / (c! r!), and all together at most
 *     r l - (c + r)! / ((c + 1)! (r - 1)!)
 * times, the fewest possible (Griewank and Walther, Algorithm 799: revolve, ACM Transactions on
 * Mathematical Software 26, 2000), and once more each where its adjoints are made: 3.8 times and
 * one for 10,000 iterations and 20 snapshots. The length may be one that only the call knows. A
 * carry that nothing depends on but itself and the results, a running sum, is in no snapshot. The
 * reverse is three loops in one another, and so a loop counts for three of the 24 regions that may
 * nest: 8 loops, or 24 branches. */
WG_API void wg_loop_checkpoints_at(const char *file, int line, wg_loop *loop, int64_t snapshots);
/* The index i of the iteration: i64[]. */
WG_API wg_var wg_loop_index_at(const char *file, int line, wg_loop *loop);
/* What is carried from one iteration to the next, of the type of `begin`, its value in the first
 * iteration; wg_loop_next says what it is in the next. */
WG_API wg_var wg_loop_carry_at(const char *file, int line, wg_loop *loop, wg_var begin);
/* Slice i of a stack[length, ...]. Nothing is copied. */
WG_API wg_var wg_loop_slice_at(const char *file, int line, wg_loop *loop, wg_var stack);
/* The carry in the next iteration, of the same type; a carry without is what it was. */
WG_API void wg_loop_next_at(const char *file, int line, wg_loop *loop, wg_var carry, wg_var next);
/* The loop ends before the first iteration for which the condition, bool[], does not hold. It may
 * look at the index, carries and values from outside. At most one. */
WG_API void wg_loop_while_at(const char *file, int line, wg_loop *loop, wg_var condition);
/* y[...] becomes slice i of a result[length, ...]; zeros for iterations that did not run. */
WG_API void wg_loop_collect_at(const char *file, int line, wg_loop *loop, wg_var y);
/* Appends the loop and frees it. result: room for what was carried, in the order of
 * wg_loop_carry, then what was collected; begin it with {{0}}. Returns the number of iterations
 * that ran, i64[].
 *
 * Derivatives. Forward mode carries tangents along. Reverse mode keeps for every iteration what its
 * adjoints need, by the smallest number of bytes (Griewank and Walther, Evaluating Derivatives, 2nd
 * ed., chapter 3, for the principle), and runs the loop backwards: memory grows with the length. An
 * array that is carried and updated by index is kept by the elements that are read of it. */
WG_API wg_var wg_loop_end_at(const char *file, int line, wg_loop *loop, wg_var *result);

/* ---- branches -------------------------------------------------------------------------------- */

/* A branch in the making; freed by wg_branch_end. */
typedef struct wg_branch wg_branch;

/* A choice by an index, i64[]: of the first case at 0 (or below), of the last at its number or
 * above; by a condition, bool[]: of the first case if it holds, else of the second. Only the case
 * that is taken is computed: so NaN of another reaches no value and no derivative. (wg_where
 * computes both, and chooses element by element.) */
WG_API wg_branch *wg_branch_begin_at(const char *file, int line, wg_graph *g, wg_var choice);
/* Ends a case with its results: as many as the first case has, of the same types. What was built
 * since the last case, or the beginning, is its body. */
WG_API void wg_branch_case_at(const char *file, int line, wg_branch *branch, size_t count,
                              const wg_var *result);
/* Appends the branch and frees it; result: room for as many as each case has. */
WG_API void wg_branch_end_at(const char *file, int line, wg_branch *branch, wg_var *result);

/* ---- checkpoints ----------------------------------------------------------------------------- */

/* A part of the program of which reverse mode keeps less than it reads, and computes the rest again
 * when it comes to it. Values and derivatives are the same, of every order and in every mode. */
typedef struct wg_checkpoint wg_checkpoint;

typedef enum wg_keep {
    WG_KEEP_INPUTS, /* what it uses from outside, and nothing of its own                         */
    WG_KEEP_MARKED, /* that, and the values marked by wg_checkpoint_keep                         */
    WG_KEEP_ALL     /* everything: as if there were no checkpoint                                */
} wg_keep;

/* What is built from here to wg_checkpoint_end is the part. NULL as wg_loop_begin. */
WG_API wg_checkpoint *wg_checkpoint_begin_at(const char *file, int line, wg_graph *g, wg_keep keep);
/* Marks a value of the part, and returns it: so that what is dear to compute, or small, is kept. */
WG_API wg_var wg_checkpoint_keep_at(const char *file, int line, wg_checkpoint *c, wg_var x);
/* Ends the part with results y, of which result (room for count) receives what stands for them
 * outside, and frees it. */
WG_API void wg_checkpoint_end_at(const char *file, int line, wg_checkpoint *c, wg_var *result,
                                 size_t count, const wg_var *y);

#ifndef __cplusplus
#define wg_loop_begin(g, length) wg_loop_begin_at(WG_HERE, g, length)
#define wg_loop_count(loop, count) wg_loop_count_at(WG_HERE, loop, count)
#define wg_loop_checkpoints(loop, snapshots) wg_loop_checkpoints_at(WG_HERE, loop, snapshots)
#define wg_loop_index(loop) wg_loop_index_at(WG_HERE, loop)
#define wg_loop_carry(loop, begin) wg_loop_carry_at(WG_HERE, loop, begin)
#define wg_loop_slice(loop, stack) wg_loop_slice_at(WG_HERE, loop, stack)
#define wg_loop_next(loop, carry, next) wg_loop_next_at(WG_HERE, loop, carry, next)
#define wg_loop_while(loop, condition) wg_loop_while_at(WG_HERE, loop, condition)
#define wg_loop_collect(loop, y) wg_loop_collect_at(WG_HERE, loop, y)
#define wg_loop_end(loop, result) wg_loop_end_at(WG_HERE, loop, result)
#define wg_branch_begin(g, choice) wg_branch_begin_at(WG_HERE, g, choice)
/* wg_branch_case(branch, a, b, ...) */
#define wg_branch_case(...) wg_branch_case_at(WG_HERE, WG_HEAD_(__VA_ARGS__, 0), \
    sizeof((wg_var[]){WG_TAIL_(__VA_ARGS__, {NULL, 0})}) / sizeof(wg_var) - 1, \
    (const wg_var[]){WG_TAIL_(__VA_ARGS__, {NULL, 0})})
#define wg_branch_end(branch, result) wg_branch_end_at(WG_HERE, branch, result)
#define wg_checkpoint_begin(g, keep) wg_checkpoint_begin_at(WG_HERE, g, keep)
#define wg_checkpoint_keep(c, x) wg_checkpoint_keep_at(WG_HERE, c, x)
/* wg_checkpoint_end(c, result, a, b, ...) */
#define wg_checkpoint_end(c, result, ...) wg_checkpoint_end_at(WG_HERE, c, result, \
    sizeof((wg_var[]){__VA_ARGS__}) / sizeof(wg_var), (const wg_var[]){__VA_ARGS__})
#endif

#ifdef __cplusplus
}
#endif
#endif
