/* Seeded random programs over the public interface, for property tests: smooth and kinked
 * elementwise operations, fan-out, broadcasting, reductions, products, slices, indexing and
 * branches, on shapes with the named size n. Values stay bounded, so that differences are
 * meaningful. */
#ifndef RANDOM_PROGRAM_H
#define RANDOM_PROGRAM_H

#include <wengert.h>

/* A program of about `length` instructions with inputs a[], b f64[n], c f64[n,3], d f64[3,3] and
 * outputs y f64 (a scalar that depends on everything) and z (some tensor). smooth: without kinks
 * and branches. NULL and an error if building fails. */
wg_program *random_program(uint64_t seed, int length, bool smooth, const wg_allocator *allocator,
                           wg_error *error);

/* Inputs for any program of floating inputs, drawn from [-1, 1), data by malloc; sizes all equal n.
 * free_tensors releases them. */
wg_tensor *random_inputs(const wg_program *program, int64_t n, wg_random *random);
void free_tensors(wg_tensor *tensor, size_t count);

/* Runs a program on tensors; outputs allocated. Asserts success (cmocka). */
wg_tensor *run_program(const wg_program *program, int64_t n, const wg_tensor *input);
/* The same; NULL on error. */
wg_tensor *try_program(const wg_program *program, int64_t n, const wg_tensor *input,
                       wg_error *error);

/* Whether a program multiplies matrices: compiled, it agrees with the interpreter within rounding,
 * since native code adds up short products in another order than a BLAS, and takes the sum over the
 * rows of a product before the product; everything else gives the same bits. */
bool has_products(const wg_program *program);

/* The sum of the products of the elements of two f64 tensors; *scale grows by their absolutes. */
double inner_product(const wg_tensor *a, const wg_tensor *b, double *scale);

#endif
