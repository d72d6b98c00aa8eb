/* Inside of writing C of derivatives of a C function.
 *   ship.c     what is differentiated by what, the derivatives as programs, the files
 *   face.c     a function around each of these programs
 *   report.c   what they cost and keep */
#ifndef CSOURCE_SHIP_H
#define CSOURCE_SHIP_H

#include "csource/source.h"

enum kind { GRAD, VALUE_GRAD, HVP, JAC, HESS, JVP, VJP, KINDS };

struct kind_row {
    const char *name, *what; /* "what" is the derivative of the outputs by the inputs */
};
extern const struct kind_row kinds[KINDS];

struct shipment {
    struct wg_csource *s;
    const wg_csource_emit_options *o;
    const char *sizes; /* of a report: "n=1000" */
    wg_error *error;
    struct arena arena;
    wg_program *p;   /* the function, without what it need not be given */
    leaf_vec leaves;
    VEC(size_t) wrt, of;           /* leaves */
    wg_text cores, faces, declared;
    bool gathers, has_bool;
};

/* ---- ship.c ---------------------------------------------------------------------------------- */
/* A text in the arena; "" and an error without memory. */
const char *compose(struct shipment *h, const char *format, ...) PRINTF_LIKE(2, 3);
void put(struct shipment *h, wg_text *out, const char *format, ...) PRINTF_LIKE(3, 4);
#define PUSH(h, list, item)                                                                        \
    do {                                                                                           \
        __typeof__(&(list)->at[0]) new_ = VEC_PUSH(&(h)->s->allocator, list);                      \
        if (new_)                                                                                  \
            *new_ = item;                                                                          \
        else                                                                                       \
            fail_memory((h)->error);                                                               \
    } while (0)

/* What options ask for; close in any case. */
void shipment_open(struct shipment *h, const wg_csource *source,
                   const wg_csource_emit_options *options, wg_error *error);
void shipment_close(struct shipment *h);
/* Calls `each` for every kind that options list. */
void each_kind(struct shipment *h, void (*each)(struct shipment *h, enum kind kind));
/* "x, s.length": the names of what is differentiated, or by what. */
const char *list_names(struct shipment *h, bool output);
/* The first floating scalar among what is differentiated; NULL and an error: there is none. */
const struct leaf *scalar_output(struct shipment *h, enum kind kind);
/* The derivative as a program; NULL on error. */
wg_program *derivative(struct shipment *h, enum kind kind);

/* ---- face.c ---------------------------------------------------------------------------------- */
/* Appends the functions of one derivative to cores, faces and declared. */
void ship_kind(struct shipment *h, enum kind kind);

#endif
