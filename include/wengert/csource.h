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
    const char *const *size;     /* "x=n*m": how many elements a pointer parameter points to     */
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
 * is the output "return", before what it writes. Whole numbers are i64 as scalars, and i32 or i64 in
 * arrays. WG_ESYNTAX for what is not C, WG_EARGUMENT for what is not carried, WG_ENAME for an
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

#ifdef __cplusplus
}
#endif
#endif
