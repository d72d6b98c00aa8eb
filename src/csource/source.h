/* A C function that was read, and what the C that is written for it knows of its parameters.
 *   csource.c   reads it
 *   leaf.c      the scalars and arrays that its parameters are made of; C's types as text
 *   ship.h      functions of the same parameters that compute its derivatives (wg_csource_emit)
 *   report.c    what they cost and keep (wg_csource_report)
 *   quote.c     the user's lines beside what they became */
#ifndef SOURCE_H
#define SOURCE_H

#include "csource/tree.h"
#include "ir/ir.h"

struct wg_csource {
    wg_allocator allocator;
    wg_program *program;
    struct arena arena; /* the names below */
    const char *function, *return_type;
    wg_csource_parameter *parameter;
    size_t count;
    struct tree *tree;
    const struct decl *decl;  /* of the function */
    const char **file;        /* what was read, as far as the caller named it: the source first */
    const char **folder;      /* of headers */
    size_t file_count, folder_count;
};

/* Keeps what ship.c asks for. False without memory. */
bool source_keep(struct wg_csource *s, const char *path, const wg_csource_options *options);

/* ---- leaf.c ---------------------------------------------------------------------------------- */

/* How the caller hands over what a leaf is in. */
enum top {
    TOP_SCALAR,    /* n            */
    TOP_ARRAY,     /* x[...]       */
    TOP_ALONE,     /* *x           */
    TOP_RECORD,    /* s.member     */
    TOP_POINTER,   /* s->member    */
    TOP_ROWS       /* p[row_].member */
};

/* A scalar, or an array, that is an input or output of the program, or a size of it. */
struct leaf {
    const char *name;         /* of the port */
    const struct decl *d;     /* the parameter; NULL: what is returned */
    const struct ctype *type; /* of an element */
    const struct ctype *owner; /* the struct, or what the parameter points to */
    enum top top;
    const char *member;       /* "pos", "in.k", "body[i0_].at"; NULL: none */
    int64_t dims[WG_MAX_RANK]; /* of arrays of structs in it, which i0_, i1_, ... run through */
    size_t dim_count, own_levels; /* own_levels: the member's own axes, behind these */
    bool is_array;            /* the member, or what x points to */
    bool is_deep;             /* of several axes, so that its address has another type */
    int64_t inner;            /* of TOP_ROWS: elements in one struct */
    int in, out;              /* of the program; -1: none */
    size_t parameter;
};

typedef VEC(struct leaf) leaf_vec;

/* All leaves in the order of the parameters, what is returned last. False without memory. */
bool leaves_of(struct wg_csource *s, leaf_vec *leaves);

/* A type of C for a declaration outside of the source: scalars by names that <stddef.h>, <stdint.h>
 * and <stdbool.h> know, structs by their own. */
const char *c_type_name(const struct ctype *type);
/* Appends the structs that the source itself declares, and the headers that declare others. */
bool add_records(struct wg_csource *s, wg_text *out);

/* ---- ship.c ---------------------------------------------------------------------------------- */
/* The program where some of the inputs are zeros instead. */
wg_program *with_zeros(const wg_program *p, const bool *zero, wg_error *error);

/* ---- quote.c --------------------------------------------------------------------------------- */
/* Appends the code, with a comment that quotes a line of the source in front of what is made from
 * it. */
bool add_quoted(struct wg_csource *s, const char *code, wg_text *out);

#endif
