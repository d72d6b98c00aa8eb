/* Inside of show: a program becomes lines (names, formulas and values of primals, tangents and
 * adjoints), computed once; text, Markdown, LaTeX, JSON and DOT are written from the lines. Nothing
 * outside this folder includes this header. Functions that return bool return false only for want
 * of memory, unless they take a wg_error. */
#ifndef SHOW_H
#define SHOW_H

#include "op/op.h"
#include "wengert/show.h"

/* ---- order.c: which instructions are numbered, and how --------------------------------------- */

enum role {
    ROLE_INLINE, /* written out where it is used: literals, folded negations, implicit broadcasts */
    ROLE_INPUT,
    ROLE_STEP    /* an intermediate variable */
};

struct order { /* lives in the arena given */
    uint8_t *role; /* enum role of each value */
    value *step;   /* the intermediates v1 .. vl */
    size_t step_count;
};

/* Breadth first from the inputs; outputs that nothing uses come last. */
bool order_make(const struct trace *t, bool fold, struct arena *arena, struct order *order);

/* A broadcast that NumPy's rule makes by itself: the argument's axes are the last ones. */
bool broadcast_is_implicit(const struct trace *t, value v);

/* ---- names.c --------------------------------------------------------------------------------- */

enum notation { NOTATION_UNICODE, NOTATION_ASCII, NOTATION_LATEX };
enum mark { MARK_PRIMAL, MARK_TANGENT, MARK_ADJOINT }; /* v, v with a dot, v with a bar */

bool name_variable(wg_text *out, enum notation notation, enum mark mark, int64_t number);
/* Of a line in the body of a loop or branch: the letter, and numbers from the outermost line in. */
bool name_within(wg_text *out, enum notation notation, char letter, const int64_t *path,
                 size_t depth, int64_t number);
bool name_port(wg_text *out, enum notation notation, enum mark mark, const char *name);

/* ---- numbers.c ------------------------------------------------------------------------------- */

enum number_style {
    NUMBER_PLAIN, /* digits significant ones, 0: the shortest that reads back; inf, nan */
    NUMBER_LATEX, /* the same, as mathematics */
    NUMBER_JSON   /* the shortest; true, false, "NaN", "Infinity", "-Infinity" */
};

/* An element given by its bits (see ir.h). */
bool number_write(wg_text *out, wg_dtype dtype, int64_t bits, enum number_style style, int digits);
/* A tensor: in brackets, at most `most` elements and then an ellipsis (0: all of them). */
bool tensor_write(wg_text *out, const wg_tensor *tensor, enum number_style style, int digits,
                  size_t most);
int64_t element_bits(wg_dtype dtype, const void *data, int64_t index);

/* ---- formula.c: expressions with as few brackets as they can have ---------------------------- */

/* How the values of one trace are written. */
struct writing {
    const struct trace *t;
    enum notation notation;
    const char **name;  /* of each value; NULL: written out */
    uint32_t *rank;     /* place among the named ones; else the least of what it is made of */
    bool *derived;      /* has a tangent or an adjoint in it */
    bool derived_first; /* adjoints in front of their factors, tangents behind */
    uint8_t *axes;      /* spoken formulas, in the formula language: the axes (a mask) that the text
                           of a value has by itself; NULL: for people */
};

/* Completes rank and derived, for the values without a name, and axes. */
void writing_complete(const struct writing *w);
/* What is written of a value. */
enum formula {
    FORMULA_VALUE,    /* its name, or the expression that it is */
    FORMULA_DEFINING, /* the expression, even if it has a name */
    FORMULA_OPERAND   /* as FORMULA_VALUE, in an operation that broadcasts as NumPy does */
};
bool formula_write(const struct writing *w, value v, enum formula formula, wg_text *out);

/* ---- notation.c: how each operation is written ----------------------------------------------- */

/* The name of a function, "exp" or "\exp". */
bool function_name(const struct writing *w, value v, wg_text *out);
/* What stands behind the arguments of a call: ", axis=0". */
bool function_attributes(const struct writing *w, value v, wg_text *out);
/* The brackets behind a slice: "[0:3, ::2]". */
bool slice_brackets(const struct writing *w, value v, wg_text *out);
/* "<=" and so on for comparisons and connectives, else NULL. */
const char *infix_symbol(enum notation notation, unsigned op);
/* A contraction that is a matrix product, as of NumPy's @. */
bool dot_is_matmul(const struct trace *t, value v);
/* A tensor times a scalar. */
bool dot_is_scaling(const struct trace *t, value v);
/* Whether formulas have a word for this take; and this scatter_add has the word scatter_along. */
bool take_has_word(const struct trace *t, value v);
bool scatter_is_along(const struct trace *t, value v);
/* The last two axes exchanged. */
bool transpose_is_plain(const struct trace *t, value v);
/* A short sign for the operation, for the nodes of a graph. */
const char *op_symbol(enum notation notation, unsigned op);

/* ---- lines.c: what all back ends show -------------------------------------------------------- */

struct equation {
    const char *left, *right; /* left NULL: there is none */
    const wg_tensor *value;   /* NULL: unknown */
};

/* A body of a loop or branch, where it stands. */
struct inner_body {
    const struct trace *t;
    uint32_t around; /* 1 + the number of the body around, 0: the trace */
    value region;    /* in it */
    size_t number;   /* of the bodies of its region */
};

enum inner_kind { INNER_CARRY, INNER_STEP, INNER_RESULT, INNER_HEADING };

/* A line of one; a heading has no right side. */
struct inner {
    enum inner_kind kind;
    unsigned depth; /* 1: of a line's own body */
    const char *type;
    struct equation equation;
    uint32_t body; /* which, and the value in it */
    value v;
};

enum line_kind { LINE_INPUT, LINE_STEP, LINE_OUTPUT };

struct line {
    enum line_kind kind;
    value v;          /* in the program */
    const char *name; /* of the variable; of an output its own name */
    const char *type; /* "f64[n,3]" */
    struct equation primal, tangent, adjoint;
    struct inner *inner;      /* of a loop or branch */
    size_t inner_count;
    struct inner_body *body;
    struct equation gradient; /* of an input: x-bar = v-bar; of an output: its seed, no formula */
};

struct lines {
    const struct trace *t; /* the program's */
    struct order order;
    struct writing writing; /* of the program */
    struct arena arena;
    wg_text scratch;
    struct line *at; /* inputs, intermediates, outputs */
    size_t input_count, step_count, output_count, count;
    struct {
        uint32_t line, inner; /* inner 0: the line itself */
    } *row; /* of the primal trace */
    size_t row_count;
    bool has_tangents, has_adjoints, has_values, all_scalars;
    wg_tensor *input, *value; /* what equations point into: the seeds are behind the inputs */
    size_t value_count;
    wg_tensor absent; /* zero */
    double zero;
};

/* The string in scratch, if it was written, in the arena; scratch is empty then. NULL without
 * memory, as are the strings below. i counts lines. */
const char *lines_keep(struct lines *lines, bool written);
const char *lines_variable(struct lines *lines, enum mark mark, size_t i);
const char *lines_port(struct lines *lines, enum mark mark, size_t i);
const char *lines_formula(struct lines *lines, const struct writing *w, value v,
                          enum formula formula);
/* The name of an input or output in the program. */
const char *lines_port_name(const struct lines *lines, size_t i);
/* A writing of a trace in which nothing has a name yet. */
bool writing_open(struct lines *lines, const struct trace *t, enum notation notation,
                  struct writing *w);
/* Gives v a name, unless it has one; place orders terms and factors. */
void writing_call(struct writing *w, value v, const char *name, size_t place, bool derived);

/* region.c: loops and branches. */
bool is_region(const struct trace *t, value v);
/* Whether it is a result that a loop keeps for its adjoints. */
bool region_keeps(const struct trace *t, value v);
struct path;
/* What stands behind the equals sign of a loop, a branch, or a result of one. path: NULL for the
 * trace itself. */
const char *region_formula(struct lines *lines, const struct writing *w, const struct path *path,
                           value v);
/* Gives a loop's or branch's line those of its bodies. */
bool region_lines(struct lines *lines, bool fold, struct line *line);

/* derived.c: tangents, adjoints, values. */
wg_status lines_derive(struct lines *lines, const wg_program *program,
                       const wg_show_options *options, wg_error *error);

/* Computes everything that the options ask for. lines_free in any case. */
wg_status lines_make(struct lines *lines, const wg_program *program,
                     const wg_show_options *options, enum notation notation, wg_error *error);
void lines_free(struct lines *lines);

/* Blocks of a printed trace: 0 the primal trace (and tangents beside it), 1 the adjoint trace. */
struct row {
    unsigned group; /* rows of one group stand together, a rule between groups */
    unsigned depth; /* within bodies: how far in it stands */
    const char *type;
    const struct equation *equation[2]; /* NULL: empty; without a right side: a heading */
};
unsigned block_count(const struct lines *lines);
/* Titles of the equations; returns how many there are in a row. */
unsigned block_titles(const struct lines *lines, unsigned block, const char *title[2]);
/* The next row of a block, *cursor being 0 at first; false behind the last. What has no adjoint is
 * left out of the adjoint trace. */
bool block_next(const struct lines *lines, unsigned block, size_t *cursor, struct row *row);

/* ---- back ends ------------------------------------------------------------------------------- */

bool write_text(const struct lines *lines, bool ascii, int digits, wg_text *out);
bool write_markdown(const struct lines *lines, int digits, wg_text *out);
bool write_latex(const struct lines *lines, int digits, wg_text *out);
bool write_json(const struct lines *lines, wg_text *out);
bool json_string(wg_text *out, const char *text); /* in quotes */
bool write_dot(const struct lines *lines, int digits, wg_text *out);

/* At most this many elements of a tensor are printed in a table. */
enum { ELEMENTS_SHOWN = 6 };

#endif
