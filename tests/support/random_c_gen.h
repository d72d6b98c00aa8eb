/* What random_c.c and random_c_numbers.c share: the generator's state. */
#ifndef RANDOM_C_GEN_H
#define RANDOM_C_GEN_H

#include "support/random_c.h"
#include "support/test.h"

enum variable_kind { REAL, WHOLE, COUNTER, HASH, REALS, WHOLES, MATRIX, PAIR, POINTER };
enum { VARIABLES = 80, HELPERS = 4 };

struct variable {
    enum variable_kind kind;
    const char *name, *length; /* of an array; of a counter what it is below; NULL: `count` */
    int count;
    bool is_const, is_hidden, has_before; /* a counter: what is one before is there too */
};

enum helper_kind { OF_NUMBERS, INTO_REAL, OF_ARRAYS, OF_PAIR, INTO_PAIR, OF_WHOLES, HELPER_KINDS };

struct gen {
    struct random_c *r;
    struct c_text *t;
    wg_random random;
    struct variable v[VARIABLES];
    int count, first, names, loops, depth, room;
    const char *length; /* n, or m in a helper; NULL: none */
    bool nonempty, breaks, continues;
    const char *returned; /* form of a return statement with a gap for a number */
    enum helper_kind helper[HELPERS];
    int helpers;
};

/* ---- random_c_numbers.c ---------------------------------------------------------------------- */
int below(struct gen *g, int n);
bool chance(struct gen *g, int percent);
/* One of the kind that may be written, or read; NULL: there is none. New ones twice as often. */
struct variable *pick(struct gen *g, enum variable_kind kind, bool writes);
const char *helper_name(struct gen *g, int number);
struct c_node *a_whole(struct gen *g, int depth);
/* A whole number that is no larger. */
struct c_node *reduced(struct gen *g, struct c_node *n, int most);
/* An index into an array of so many. */
struct c_node *an_index(struct gen *g, const struct variable *array, int depth);
/* A condition, with effects or without. */
struct c_node *a_truth(struct gen *g, int depth, bool effects);
struct c_node *a_real(struct gen *g, int depth);
struct c_node *real_leaf(struct gen *g);
/* A number that can be assigned to; NULL: there is none. */
struct c_node *real_place(struct gen *g);
/* A number that is no larger. */
struct c_node *bounded(struct gen *g, struct c_node *n, double most);

/* ---- random_c_idioms.c ----------------------------------------------------------------------- */
struct c_node *idiom(struct gen *g);

/* ---- random_c.c ------------------------------------------------------------------------------ */
const char *new_name(struct gen *g, const char *letter);
struct variable *declare(struct gen *g, enum variable_kind kind, const char *name,
                         const char *length, int count);
/* The form with a name for #, another for ~, and a third for ^. */
const char *named(struct gen *g, const char *form, const char *name, const char *other,
                  const char *length);

#endif
