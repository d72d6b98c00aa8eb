/* Programs from C functions that were written without any thought of differentiation.
 *
 * The source is read by libclang, version 19 or later, which is loaded when it is needed; without
 * it these functions give WG_EIO and say what to install. What of C is carried, and how a program
 * looks that is made from C, is in docs/csource.md. */
#ifndef WENGERT_CSOURCE_H
#define WENGERT_CSOURCE_H

#include "wengert/base.h"
#include "wengert/program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_csource_options {
    const char *function;        /* NULL: the last one that the file defines                     */
    const char *const *flag;     /* for the compiler: "-I/include", "-DN=3", "-std=c99", ...     */
    size_t flag_count;
    const char *const *file;     /* more files, whose functions may be called                    */
    size_t file_count;
    const char *const *size;     /* "x=n*m": how many elements a pointer parameter points to;
                                    "n=3" for a named size is left to the caller              */
    size_t size_count;
    const char *const *inactive; /* functions without a body here that no derivative goes through:
                                    a call has the value 0, or none, and changes nothing         */
    size_t inactive_count;
    const char *const *rule;     /* "g=file.c": the file defines g, whose body stands for the one
                                    that is missing or cannot be carried                         */
    size_t rule_count;
    const char *text;            /* what the file holds; NULL: it is read                        */
    size_t text_size;
    const wg_allocator *allocator;
} wg_csource_options;

/* How a parameter of the C function came into the program. */
typedef enum wg_csource_role {
    WG_CSOURCE_SIZE,  /* a whole number that lengths are made of: the named size `name`          */
    WG_CSOURCE_VALUE, /* a scalar: the input `name`                                              */
    WG_CSOURCE_ARRAY, /* a pointer: the input `name`, and an output of that name if it is written */
    WG_CSOURCE_RECORD /* a struct or a pointer to such: inputs and outputs name.field            */
} wg_csource_role;

typedef struct wg_csource_parameter {
    const char *name, *type; /* the type as C spells it, borrowed                                */
    wg_csource_role role;
    bool is_written, is_read; /* not is_read: what it holds before has no effect on elements that
                                 are written                                              */
} wg_csource_parameter;

/* A function that was read. */
typedef struct wg_csource wg_csource;

/* Reads a C function: parses the file, and brings the function and all that it calls into one
 * program. Sizes, inputs and outputs come in the order of the parameters; what the function returns
 * is the output "return", before what it writes. Whole numbers are i64 as scalars, and i32 or i64
 * in arrays. WG_ESYNTAX for what is not C, WG_EARGUMENT for what is not carried, WG_ENAME for an
 * unknown function: always with file, line and a caret. NULL on error. */
WG_API wg_csource *wg_csource_open(const char *path, const wg_csource_options *options,
                                   wg_error *error);
/* Borrowed. */
WG_API const wg_program *wg_csource_program(const wg_csource *source);
WG_API const char *wg_csource_function(const wg_csource *source);
/* The type that the function returns, as C spells it. */
WG_API const char *wg_csource_return_type(const wg_csource *source);
WG_API size_t wg_csource_parameter_count(const wg_csource *source);
WG_API wg_csource_parameter wg_csource_parameter_at(const wg_csource *source, size_t index);
WG_API void wg_csource_free(wg_csource *source);

/* The program alone, which the caller owns. */
WG_API wg_program *wg_csource_read(const char *path, const wg_csource_options *options,
                                   wg_error *error);

/* ---- C of derivatives ------------------------------------------------------------------------ */

typedef struct wg_csource_emit_options {
    const char *with;   /* which: any of "grad,value_grad,hvp,jac,hess,jvp,vjp"; NULL: grad      */
    const char *of;     /* of what: "return, y"; NULL: everything that is given, where one number
                           is needed the first                                                   */
    const char *wrt;    /* by what: "x, s, p.pos"; NULL: all that is floating and read           */
    const char *name;   /* of the function, in what is written; NULL: its own                    */
    const char *header; /* the header's file name, which the code includes; NULL: the code begins
                           with the header's text instead                                        */
    bool cblas;         /* products of floating matrices call cblas_dgemm and cblas_sgemm        */
} wg_csource_emit_options;

/* Appends C99, which is C++ too, to code and header: for each derivative a function
 *
 *     int NAME_grad(the function's parameters, the derivative's, void *work);
 *
 * The function's parameters are in its own order and of its own types, arrays of lengths that are
 * known at the call as pointers to their first elements; all are only read, also those that the
 * function writes: where their values before the call have no effect they may be NULL. The
 * derivative's are, for each x:
 *   grad        x_bar, a gradient of the shape of x, a pointer to one number of a scalar
 *   value_grad  value, then the same
 *   hvp         x_dot for the tangents, then x_bar_dot for the products
 *   jac, hess   a matrix for each pair, dy_dx and d2y_dx_dz: y's shape followed by x's
 *   jvp         x_dot for the tangents, then y_dot for those of what is given
 *   vjp         y_bar for the adjoints of what is given, then x_bar
 * Of a struct, or an array of structs, they are a pointer to such, of which the members count that
 * are differentiated; the others stay as they are. What is written and differentiated by too is x
 * before and x_out behind the call: x_out_bar, x_out_dot. `work` is there where one is needed, of
 * NAME_WORK bytes or NAME_work(sizes), aligned as malloc aligns. The functions return 0; 1 if an
 * index lies outside its axis; 2 if a size is negative or the sizes do not go together; 3 if they
 * are compiled with WG_CHECK_ALIAS defined, and something that is written overlaps another
 * parameter. They keep no state and allocate nothing.
 * Structs that a header declares are taken from it: it is included as the source does; those of the
 * source itself are declared again. Values have the names of the variables that they were, and
 * comments quote the lines. WG_ENAME for a name that is unknown, WG_ESHAPE where one number is
 * needed and there is none, WG_ENORULE for what has no derivative. */
WG_API wg_status wg_csource_emit(const wg_csource *source, const wg_csource_emit_options *options,
                                 wg_text *code, wg_text *header, wg_error *error);

/* Appends what wg_csource_emit would write, for people: what is differentiated by what, and of that
 * what has no effect; for each derivative its operations against the function's, and the bytes that
 * it takes and keeps, with the lines that make and need them, as formulas in the sizes
 * (wg_show_plan). Operations are counted under `sizes`, "n=1000,m=3", 100 for one that is not told.
 * Errors are those of wg_csource_emit. */
WG_API wg_status wg_csource_report(const wg_csource *source, const wg_csource_emit_options *options,
                                   const char *sizes, wg_text *out, wg_error *error);

#ifdef __cplusplus
}
#endif
#endif
