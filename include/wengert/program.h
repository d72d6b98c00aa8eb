/* Programs, what they are made of, and the transformations that map programs to programs. */
#ifndef WENGERT_PROGRAM_H
#define WENGERT_PROGRAM_H

#include "wengert/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An immutable evaluation trace with named inputs and outputs. Any number of threads may read one
 * program at once. Free it with wg_program_free; nothing else refers to it. */
typedef struct wg_program wg_program;

WG_API void wg_program_free(wg_program *program);

/* ---- what a program takes and gives ------------------------------------------------------- */

WG_API size_t wg_input_count(const wg_program *program);
WG_API size_t wg_output_count(const wg_program *program);
WG_API size_t wg_size_count(const wg_program *program);
/* Names are borrowed from the program; NULL for an index out of range. */
WG_API const char *wg_input_name(const wg_program *program, size_t index);
WG_API const char *wg_output_name(const wg_program *program, size_t index);
WG_API const char *wg_size_name(const wg_program *program, size_t index);
/* The index of the input, output or named size with this name, or -1. */
WG_API int wg_input_index(const wg_program *program, const char *name);
WG_API int wg_output_index(const wg_program *program, const char *name);
WG_API int wg_size_index(const wg_program *program, const char *name);
/* Extents are read in this program; a bool scalar for an index out of range. */
WG_API wg_type wg_input_type(const wg_program *program, size_t index);
WG_API wg_type wg_output_type(const wg_program *program, size_t index);
/* The number of instructions, and the bytes that the program occupies. */
WG_API size_t wg_program_length(const wg_program *program);
WG_API size_t wg_program_bytes(const wg_program *program);

/* Appends a type as text, "f64[n,784]"; negative extents are read in this program. */
WG_API wg_status wg_type_text(const wg_program *program, wg_type type, wg_text *out);

/* ---- text ---------------------------------------------------------------------------------- */

/* Appends the program as text, one instruction a line; wg_program_read gives it back. */
WG_API wg_status wg_program_print(const wg_program *program, wg_text *out, wg_error *error);
/* Reads what wg_program_print wrote (size bytes), for the caller to free. Errors name the line;
 * NULL on error. Rules of C functions: wg_program_read_with (custom.h). */
WG_API wg_program *wg_program_read(const char *text, size_t size, const wg_allocator *allocator,
                                   wg_error *error);
/* Checks every structural rule of a program: WG_OK, or WG_EINTERNAL and what is broken where. */
WG_API wg_status wg_program_verify(const wg_program *program, wg_error *error);

/* ---- derivatives --------------------------------------------------------------------------- */
/* wrt and of are lists of input and output names, "W, b"; NULL means every input or output of a
 * floating type. All functions return a new program that the caller frees, or NULL and an error.
 * They nest: the result of one may be given to any other. Inputs of the result are the inputs of
 * the argument in their order, followed by those named below. Unknown names are WG_ENAME; wrt or of
 * naming something that is not of a floating type is WG_EDTYPE; a new name that is taken gets "_2",
 * "_3", ... behind it; an operation without a derivative on the path is WG_ENORULE. */

/* Forward mode (pushforward): for every x in wrt a new input "x_dot" (type of x); outputs are those
 * of the program followed by "y_dot" (type of y) for every y in of: the tangent J x_dot. */
WG_API wg_program *wg_jvp(const wg_program *program, const char *of, const char *wrt,
                          wg_error *error);

/* Reverse mode (pullback): for every y in of a new input "y_bar"; outputs are those of the program
 * followed by "x_bar" for every x in wrt: the adjoint of x under y_bar, that is the row y_bar J.
 * Cost: a small multiple of the program's own, whatever the number of inputs. */
WG_API wg_program *wg_vjp(const wg_program *program, const char *of, const char *wrt,
                          wg_error *error);

/* The gradient of the first output, a floating scalar: an output "dx" for every x in wrt. */
WG_API wg_program *wg_grad(const wg_program *program, const char *wrt, wg_error *error);
/* The same behind the outputs of the program. */
WG_API wg_program *wg_value_and_grad(const wg_program *program, const char *wrt, wg_error *error);

typedef enum wg_mode { WG_AUTO_MODE, WG_FORWARD, WG_REVERSE } wg_mode;

/* Jacobians: an output "dy_dx" (shape of y followed by shape of x) for every y in of and x in wrt,
 * y outermost. WG_FORWARD computes columns, WG_REVERSE rows, all of them batched; WG_AUTO_MODE
 * takes whichever are fewer (see wg_jacobian_mode). Differentiation is exact: no step sizes. */
WG_API wg_program *wg_jacobian(const wg_program *program, const char *of, const char *wrt,
                               wg_mode mode, wg_error *error);
/* The mode that WG_AUTO_MODE takes for this program: forward if the inputs have fewer elements than
 * the outputs; of two numbers that depend on named sizes, the one of lower degree is taken for the
 * smaller, and in doubt reverse is chosen. */
WG_API wg_mode wg_jacobian_mode(const wg_program *program, const char *of, const char *wrt,
                                wg_error *error);

/* The Hessian of the first output, a floating scalar: "d2y_da_db" (shape of a followed by shape of
 * b) for every a and b in wrt; forward over reverse. */
WG_API wg_program *wg_hessian(const wg_program *program, const char *wrt, wg_error *error);

/* Hessian times vector, the Hessian never formed: for every x in wrt an input "x_dot"; outputs
 * "Hx" (type of x). Cost: a small multiple of one gradient; memory of the gradient's order. */
WG_API wg_program *wg_hvp(const wg_program *program, const char *wrt, wg_error *error);

/* ---- Taylor series --------------------------------------------------------------------------- */
/* The series of a value x along a parameter t is x(t) = x + x_1 t + x_2 t^2 + ...; x_k is the
 * k-th derivative by t over k!. The coefficients 1 .. order (at most 64) stand in one tensor,
 * "x_series" f64[order, x...], of which x itself is no part. Cost: for each nonlinear operation
 * on the way about order^2 / 2 products for every convolution that its recurrence has, one for
 * products, exponentials and quotients, two for sine and cosine together; the recurrences are
 * those of Griewank and Walther, Evaluating Derivatives, 2nd ed., 2008, section 13.2. lgamma and
 * its derivatives, which obey no such recurrence, cost order^3. Where one side is chosen (where,
 * max, abs), it is by x itself. At points where a function is not smooth coefficients are
 * infinite or NaN; so they are of x^b at x = 0, if b is not a whole constant. */

/* Along series of the inputs: for every x in wrt a new input "x_series"; outputs are those of
 * the program followed by "y_series" for every y in of. Order 1 is wg_jvp. WG_EARGUMENT for an
 * order that is not possible, WG_ESHAPE for a value of rank 8, which has no room for the axis. */
WG_API wg_program *wg_taylor(const wg_program *program, const char *of, const char *wrt, int order,
                             wg_error *error);

/* Of the solution of an ordinary differential equation: the outputs named in rates are the
 * derivatives by t of the inputs named in states, in the same order and of the same types
 * (WG_ESHAPE); NULL: all. Inputs are those of the program, outputs "x_series" for every state x:
 * the solution that is x at t = 0 is x + x_1 t + ... One call computes all coefficients, at the
 * cost of wg_taylor; a loop in the program is run once for each. An equation in which t stands
 * has it as a state of rate 1. */
WG_API wg_program *wg_taylor_ode(const wg_program *program, const char *rates, const char *states,
                                 int order, wg_error *error);

/* ---- batches and sizes ----------------------------------------------------------------------- */

/* The program on a batch of examples: the inputs named in `over` (NULL: all) gain an axis of a new
 * named size `size`, every output gains it too. The axis is the leading one, or, in over =
 * "x, w:1", behind so many axes; -1 stands for the last. */
WG_API wg_program *wg_vmap(const wg_program *program, const char *over, const char *size,
                           wg_error *error);
/* The same with a say where outputs have the axis: of = "y:1, z:none", where "none" is for an
 * output that no batched input reaches (WG_EARGUMENT else). Outputs that are not named have it in
 * front. */
WG_API wg_program *wg_vmap_axes(const wg_program *program, const char *over, const char *of,
                                const char *size, wg_error *error);

/* The program with named sizes fixed, "n=100, m=3"; the others stay named. WG_ESHAPE where a check
 * on sizes fails with these, or an input would have a negative extent. */
WG_API wg_program *wg_specialize(const wg_program *program, const char *sizes, wg_error *error);

#ifdef __cplusplus
}
#endif
#endif
