/* Running programs. */
#ifndef WENGERT_RUN_H
#define WENGERT_RUN_H

#include "wengert/base.h"
#include "wengert/custom.h"
#include "wengert/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A program made ready to run. Immutable: any number of threads may call one function at once. It
 * keeps what it needs; the program may be freed. Free it with wg_function_free. */
typedef struct wg_function wg_function;

/* WG_NATIVE writes the program as C, compiles that with the system's compiler and loads it. Where
 * that cannot be (no compiler, one that fails or takes longer than $WENGERT_COMPILE_SECONDS, by
 * default 30 and more for long programs, nowhere to write), the function is interpreted all the
 * same, and wg_function_note says why. WG_AUTO interprets until a thread has the native code
 * compiled, and calls that from then on; freeing the function waits for the compiler. */
typedef enum wg_backend { WG_INTERPRET, WG_NATIVE, WG_AUTO } wg_backend;

/* All zero is the default; NULL stands for that. */
typedef struct wg_options {
    wg_backend backend;
    /* Donation: output name = input name, "W_new=W, b_new=b". The call may pass the same buffer for
     * both, and the output overwrites the input when its last reader is done. */
    const char *donate;
    /* WG_NATIVE: the compiler's flags for code and rounding, words between blanks; NULL stands for
     * "-O3 -march=native -fno-math-errno -fno-trapping-math", on x86-64 with
     * "-mprefer-vector-width=512", for gcc with "-fno-tree-sink -fno-thread-jumps -fno-tree-pre",
     * which keep loops free of branches. "-O0 -ffp-contract=off" gives the interpreter's results bit
     * for bit. With NULL, and without threads, long axes of which only sums are used are taken in
     * portions, so that such sums are rounded in another order. */
    const char *flags;
    /* WG_NATIVE: at most how many threads loops over much data may use, the calling one included;
     * -1: as many as there are processors. The code is the same for every number, and so are the
     * results, bit for bit. 0: one thread, and code that knows of no others, which the compiler may
     * round differently. How many threads products take is the BLAS's own matter. The workspace
     * grows with the number.
     * Loops are shared by OpenMP: where the compiler has none, one thread does everything, and
     * wg_function_note says so. As with everything that uses OpenMP, a process that forks after
     * such a call must not make another in the child before it calls exec. */
    int threads;
} wg_options;

/* Plans, and compiles where that is asked for; NULL on error: WG_EARGUMENT for options without
 * meaning, WG_ENAME and WG_ESHAPE for donations that do not fit, WG_EOVERFLOW for a program that is
 * too long. That there is no native code is no error. Cost: linear in the length of the program,
 * and the compiler's time. */
WG_API wg_function *wg_compile(const wg_program *program, const wg_options *options,
                               wg_error *error);
WG_API void wg_function_free(wg_function *fn);
/* Why a function for which native code was asked is interpreted, or runs in one thread where more
 * were asked for; "" if neither is so. The function's. */
WG_API const char *wg_function_note(const wg_function *fn);
/* What the compiler of native code was called with and what it printed, at most 64 kB of it, or
 * where in the cache the code was found; also where native code could not be had. "" if no compiler
 * was asked, or if it is still at work (WG_AUTO). The function's. */
WG_API const char *wg_function_log(const wg_function *fn);

/* Runs fn: size[i] for each named size, input[i] and output[i] the dense row-major buffers of each
 * input and output, in the program's order. Buffers belong to the caller and are neither copied nor
 * kept. Output buffers may not overlap inputs or each other (WG_EALIAS), but for donated pairs;
 * above 4096 pairs to compare, outputs times inputs and outputs, that is the caller's own care.
 * On error the outputs hold anything. Allocates one workspace of wg_workspace_size bytes. */
WG_API wg_status wg_call(const wg_function *fn, const int64_t *size, const void *const *input,
                         void *const *output);
/* The same with the message in error, in a workspace of the caller's (of wg_workspace_new, or at
 * least wg_workspace_size bytes, aligned to 64; NULL: allocate one). With a workspace nothing is
 * allocated. */
WG_API wg_status wg_call_with(const wg_function *fn, const int64_t *size, const void *const *input,
                              void *const *output, void *workspace, wg_error *error);
/* The bytes of workspace that a call with these sizes needs; WG_EOVERFLOW if no memory holds it. */
WG_API wg_status wg_workspace_size(const wg_function *fn, const int64_t *size, size_t *bytes,
                                   wg_error *error);
/* A workspace for calls of fn with these sizes, of wg_workspace_size bytes, from fn's allocator;
 * NULL on error. It keeps nothing from one call to the next and serves one call at a time, so every
 * thread takes one of its own. Free it with wg_workspace_free, before or after fn. */
WG_API void *wg_workspace_new(const wg_function *fn, const int64_t *size, wg_error *error);
/* Only for what wg_workspace_new gave; NULL is fine. */
WG_API void wg_workspace_free(void *workspace);

/* Runs fn on tensors: the named sizes are read off the inputs' shapes and every shape and element
 * type is checked. size: as above for those that no input determines, or NULL. An output whose data
 * is NULL is allocated (free it with wg_tensor_free); else its shape must be the result's. */
WG_API wg_status wg_run(const wg_function *fn, const int64_t *size, const wg_tensor *input,
                        wg_tensor *output, wg_error *error);

/* ---- where a NaN comes from ---------------------------------------------------------------- */

/* Runs a program on tensors (sizes as for wg_run) one instruction after the other, and finds the
 * first whose result has a NaN or an infinity: *instruction is its number, as wg_program_print
 * writes it, or 0 if everything is finite. An input counts, a number that the program itself writes
 * does not. Appends to report (NULL: not wanted) the instruction, its line, the first element in
 * question, what its operands are there, and for derived code the instruction and line that it came
 * from:
 *     %4 = div at model.wg:3:12 is inf at [2]
 *       %1 = input "x" at model.wg:1:7 is 1 at [2]
 *       %3 = sub at model.wg:2:9 is 0 at [2]
 * Slow, and every value is kept: for programs that a call has shown to go wrong. */
WG_API wg_status wg_find_nonfinite(const wg_program *program, const int64_t *size,
                                   const wg_tensor *input, uint32_t *instruction, wg_text *report,
                                   wg_error *error);

/* ---- numeric differentiation and checks ------------------------------------------------------ */

typedef enum wg_difference { WG_CENTRAL, WG_ONE_SIDED } wg_difference;

/* size, here and below: as for wg_run, of the named sizes that no input determines, or NULL. */

/* The Jacobian of output `of` by input `wrt` (indices) by differences with step epsilon (0: the
 * cube root of the machine epsilon, scaled by |x|; the square root if one-sided): jacobian
 * f64[y..., x...] dense, of count(y) * count(x) elements. Evaluates the program 2 count(x)
 * times. */
WG_API wg_status wg_numeric_jacobian(const wg_program *program, const int64_t *size,
                                     const wg_tensor *input, size_t of, size_t wrt,
                                     wg_difference kind, double epsilon, double *jacobian,
                                     wg_error *error);

/* The product of all Jacobians with these tangents by differences along them, in two evaluations:
 * (f(x + e t) - f(x - e t)) / 2e, or (f(x + e t) - f(x)) / e if one-sided, which truncates with an
 * error of O(e^2) or O(e) and rounds with one of O(machine epsilon / e). tangent: a tensor of its
 * type for every input, data NULL for zero. epsilon 0: as above, scaled by the largest |x| that
 * moves. output[i] receives new data of the type of output i (free them with wg_tensor_free), if
 * that is a floating one. WG_ESHAPE, WG_EDTYPE for a tangent that does not fit its input. */
WG_API wg_status wg_numeric_jvp(const wg_program *program, const int64_t *size,
                                const wg_tensor *input, const wg_tensor *tangent,
                                wg_difference kind, double epsilon, wg_tensor *output,
                                wg_error *error);

/* The product of these adjoints with the Jacobians by input `wrt`, by differences along each
 * element of it: 2 count(x) evaluations, for differences know no reverse mode. adjoint: a tensor of
 * its type for every output, data NULL for zero. *output receives new data of the type of the
 * input (free them with wg_tensor_free). Steps as for wg_numeric_jacobian, errors as for
 * wg_numeric_jvp. */
WG_API wg_status wg_numeric_vjp(const wg_program *program, const int64_t *size,
                                const wg_tensor *input, const wg_tensor *adjoint, size_t wrt,
                                wg_difference kind, double epsilon, wg_tensor *output,
                                wg_error *error);

typedef struct wg_check_report {
    double difference; /* largest | d.grad - (f(x + e d) - f(x - e d)) / 2e | / max(1, scale) over
                          the directions d drawn from the unit sphere                             */
    double product;    /* largest | <J x', y'> - <x', J^T y'> | / max(1, scale): forward against
                          reverse mode                                                            */
    size_t directions; /* how many were drawn                                                     */
} wg_check_report;

/* Checks forward against reverse mode and both against central differences at this point, on seeded
 * random directions over all floating inputs. WG_OK means that the check ran. */
WG_API wg_status wg_check_gradient(const wg_program *program, const int64_t *size,
                                   const wg_tensor *input, uint64_t seed, wg_check_report *report,
                                   wg_error *error);

/* What wg_check_rule looks at; each is a number of its report and a bit. */
typedef enum wg_rule_check {
    WG_RULE_FIRST = 1,   /* the gradient, by both modes, against differences of the value        */
    WG_RULE_SECOND = 2,  /* the Hessian times a vector against differences of the gradient       */
    WG_RULE_ORDERS = 4,  /* second derivatives by the four orders of forward and reverse mode    */
    WG_RULE_PRODUCT = 8, /* <J x', y'> against <x', J^T y'>                                      */
    WG_RULE_BATCHED = 16 /* value and gradient under vmap against one example at a time          */
} wg_rule_check;

typedef struct wg_rule_options {
    const char *sizes; /* every named size of the program, "n=3, m=2"; NULL if there is none */
    double low, high;  /* arguments are drawn from low .. high; integers include both */
    uint64_t seed;
    size_t points; /* how many are drawn; 0: 4 */
} wg_rule_options;

/* Each error is the largest of all points, over max(1, |number|); 0 for a check not run. */
typedef struct wg_rule_report {
    double first, second, orders, product, batched;
    unsigned failed;  /* the bits of the checks whose error is too large, or NaN: above 1e-6, 1e-6,
                         1e-9, 1e-10, 1e-10 in this order; where f32 takes part above 1e-2, 5e-2,
                         1e-3, 1e-3, 1e-3                                                        */
    unsigned missing; /* of those for which the rule gives no derivative (WG_ENORULE): not run, or
                         by fewer modes                                                          */
    size_t points;    /* how many were looked at                                                 */
} wg_rule_report;

/* Puts a rule (wengert/custom.h) for the derivative of a program through the checks that every
 * operation of the library passes, on seeded random arguments, weights of the results and
 * directions. Differences are central, extrapolated from two steps, 1e-4 and 5e-5 (f32: 1e-2 and
 * 5e-3) times the largest argument, but at least that; so the program should be smooth between low
 * and high. WG_OK means that the checks ran: look at report->failed. A rule that is not the
 * derivative on purpose fails WG_RULE_FIRST. WG_EARGUMENT without low < high or for a size that is
 * not given; the errors of wg_custom. */
WG_API wg_status wg_check_rule(const wg_program *program, const wg_rule *rule,
                               const wg_rule_options *options, wg_rule_report *report,
                               wg_error *error);

/* How far differences are off for these step sizes, along one seeded random direction: for each
 * | numeric - exact | / max(1, |exact|), by central and by one-sided differences. The truncation of
 * large steps and the rounding of small ones, to be looked at (Griewank and Walther, section 1). */
WG_API wg_status wg_check_steps(const wg_program *program, const int64_t *size,
                                const wg_tensor *input, uint64_t seed, const double *epsilon,
                                size_t count, double *central, double *one_sided,
                                wg_error *error);

#ifdef __cplusplus
}
#endif
#endif
