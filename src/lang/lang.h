/* The formula language, inside: what its files share. Text goes through lex.c (tokens),
 * expression.c (operators and brackets), subscript.c (x[...]), builtin.c (the functions of the
 * language), call.c (calls), statement.c (statements and blocks), control.c (loops and branches)
 * and formula.c (definitions, whole texts) straight into a graph: there is no syntax tree. A
 * function is the place of its text; a call reads the text again with the parameters bound. term.c
 * holds the operands, names.c the names in view.
 *
 * Errors are the graph's (sticky). After one the reader finds only ends of text, so that every
 * loop ends by itself; report.c shows the line with a caret once the reading is over. */
#ifndef LANG_H
#define LANG_H

#include "op/bounds.h"
#include "op/build.h"
#include "wengert/loop.h"

/* Brackets and calls nest calls of C: what is not on that way keeps out of its frames. */
#if defined(__GNUC__)
#define OUT_OF_LINE __attribute__((noinline))
#else
#define OUT_OF_LINE
#endif

/* ---- lex.c ----------------------------------------------------------------------------------- */

/* Single characters stand for themselves. */
enum token_kind {
    T_END,
    T_NEWLINE, /* or ; */
    T_NAME = 128,
    T_NUMBER,
    T_TEXT, /* in quotes, which it includes */
    T_LET,
    T_AND,
    T_OR,
    T_NOT,
    T_TRUE,
    T_FALSE,
    T_PI,
    T_INF,
    T_NAN,
    T_EQ,
    T_NE,
    T_LE,
    T_GE,
    T_FOR,
    T_IN,
    T_WHILE,
    T_IF,
    T_THEN,
    T_ELSE,
    T_INCREASE, /* += -= *= /= */
    T_DECREASE,
    T_MULTIPLY,
    T_DIVIDE
};

/* A place in the text, counted in characters from 1; at counts bytes from 0. */
struct place {
    size_t at;
    uint32_t line, column;
};

struct token {
    unsigned kind;
    struct place place;
    const char *start;
    size_t length;
    double number;
};

/* Where the reading stands; a copy of it is a way back. */
struct reader {
    struct token token; /* the next one, not yet taken */
    struct place next;  /* behind it                   */
    size_t brackets;    /* ( and [ open before it: line ends do not count inside */
};

/* ---- term.c: operands ------------------------------------------------------------------------ */

/* Only a value has an element type. The others take that of their partner, and alone are f64 (an
 * extent: i64). Arithmetic of them alone is done while reading. */
enum term_kind { TERM_NONE, TERM_VALUE, TERM_NUMBER, TERM_EXTENT, TERM_ARRAY, TERM_FUNCTION };

struct term {
    enum term_kind kind;
    union {
        value v;
        double number;
        wg_extent extent;
        size_t index; /* into parser.array, parser.function */
    } as;
};

/* An array of plain numbers, [[1, 2], [3, 4]]: at is its first element in parser.element. */
struct array {
    wg_type type;
    size_t at, count;
};

/* ---- names.c --------------------------------------------------------------------------------- */

struct name {
    const char *start; /* borrowed */
    size_t length;
    uint32_t scope, chain; /* chain: the next of its bucket, + 1 */
    struct place place;    /* where it was first given a value, and last */
    struct place assigned;
    struct term term;
    bool is_input, is_index; /* of a bare formula; of a loop, which is not assigned */
    uint32_t seen;           /* by the look ahead of this number */
};

/* A stack of names with a hash index. Scope 0 holds functions, 1 the formula, others one call
 * each. */
struct names {
    VEC(struct name) stack;
    uint32_t *bucket;
    size_t bucket_count;
};

enum { SCOPE_FUNCTIONS, SCOPE_FORMULA };

struct name *names_find(const struct names *n, uint32_t scope, const char *start, size_t length);
/* NULL if there is no memory. The name must be new. */
struct name *names_add(struct names *n, const wg_allocator *allocator, uint32_t scope,
                       const char *start, size_t length, struct term term);
void names_cut(struct names *n, size_t count); /* back to the oldest count names */
void names_free(struct names *n, const wg_allocator *allocator);

/* ---- the parser ------------------------------------------------------------------------------ */

struct function {
    struct token name;
    struct reader parameters, body; /* at the opening bracket; behind the equals sign */
    size_t arity;
};

/* A result of a block; that of a bare expression has a name of length 0. */
struct output {
    const char *name;
    size_t length;
    struct place place;
    struct term term;
};

/* A loop whose body is being read. */
struct open_loop {
    wg_loop *loop;
    value index;       /* as it counts: 0, 1, ...                             */
    value name;        /* what the name of the index stands for               */
    value begin;       /* values before this one are the same in every iteration */
    wg_extent length;
    wg_extent low, high; /* low <= name <= high, if bounded */
    bool is_bounded, is_counted;
    size_t bounded; /* of parser.bounded before it */
};

/* A name whose body is over. */
struct gone {
    const char *start;
    size_t length;
    uint32_t scope, line;
};

/* An operator that waits for its right operand. */
struct pending {
    uint8_t sign; /* row of expression.c */
    struct place place;
};

struct parser {
    wg_graph *g;
    const char *text, *origin;
    size_t size;
    struct reader in;
    struct place place; /* of what was built last: where an error is */

    struct names names;
    VEC(struct function) function;
    VEC(struct array) array;
    VEC(double) element;
    VEC(struct term) stack; /* operands, arguments, elements under way */
    VEC(struct pending) pending;
    VEC(struct output) output;
    VEC(struct open_loop) loop;
    VEC(struct bounded) bounded; /* indices of loops that are open */
    VEC(struct gone) gone;
    VEC(size_t) assigned; /* names, by their number: what the bodies being read assign */

    const wg_parse_options *free; /* what free names of the formula become; NULL: an error */
    uint32_t scope, scope_count;
    size_t function_limit; /* functions before this one are in view */
    size_t body_depth;     /* of loops and branches around, within the function */
    uint32_t looks_ahead;
    size_t depth, call_depth, call_tokens, calls_told;
    bool hints; /* the last parse_fail was the first error */
};

enum { MAX_DEPTH = 256, MAX_CALL_TOKENS = 10000000, MAX_NUMBER = 255 };

/* lex.c: takes the token, and reads the next. */
void lex_start(struct parser *p);
void lex_next(struct parser *p);
static inline unsigned token_kind(const struct parser *p) { return p->in.token.kind; }
/* The token behind the next one; nothing is taken. */
unsigned lex_peek(struct parser *p);
/* Takes the token if it is of this kind. */
bool lex_take(struct parser *p, unsigned kind);
/* Takes a token of this kind, or reports "expected <what>, found ...". */
bool lex_expect(struct parser *p, unsigned kind, const char *what);
void lex_unexpected(struct parser *p, const char *expected);
void skip_newlines(struct parser *p);
/* Takes a line end where a token of this kind is next behind it. */
void skip_newline_before(struct parser *p, unsigned kind);
static inline bool is_comparison(unsigned kind) {
    return kind == '<' || kind == '>' || (kind >= T_EQ && kind <= T_GE);
}

/* report.c: the text's part in messages. parse_at says what is built next, parse_fail reports an
 * error there, parse_hint adds to it what to do; neither does anything after an earlier error. */
void parse_at(struct parser *p, struct place place);
void parse_fail(struct parser *p, struct place place, wg_status status, const char *format, ...)
    PRINTF_LIKE(4, 5);
void parse_hint(struct parser *p, const char *format, ...) PRINTF_LIKE(2, 3);
void parse_memory(struct parser *p);
/* Puts the line of text and a caret below the first line of the message, once. */
void report_line(struct parser *p);
/* Hints at the known name that is nearest to this one, if one is near. */
struct nearest {
    const char *wanted, *found;
    size_t wanted_length, found_length, distance;
};
void nearest_try(struct nearest *n, const char *name, size_t length);
void nearest_hint(struct parser *p, const struct nearest *n);

/* term.c */
static inline bool parse_failed(const struct parser *p) { return p->g->error.status != WG_OK; }
static inline struct term term_none(void) { return (struct term){TERM_NONE, {0}}; }
struct term term_value(value v); /* TERM_NONE for 0 */
struct term term_number(double number);
struct term term_extent(wg_extent extent);
/* The value of a term in this element type, if it has none yet; 0 on error. */
value term_build(struct parser *p, struct term t, wg_dtype dtype);
/* The same in its own: i64 for an extent, else f64. */
value term_default(struct parser *p, struct term t);
/* Both in one element type: that of the first that has one. */
bool term_pair(struct parser *p, struct term a, struct term b, value *va, value *vb);
/* An elementwise operation; one on plain numbers is a plain number. */
struct term term_unary(struct parser *p, unsigned op, struct term a);
struct term term_binary(struct parser *p, unsigned op, struct term a, struct term b);
/* A whole number or an extent; false if it is neither. */
bool term_is_extent(const struct parser *p, struct term t, wg_extent *extent);
/* Whether a plain number, or every element of an array of them, is one of this element type. */
bool term_holds(const struct parser *p, struct term t, wg_dtype dtype);
/* An array of the terms from here on to the top of the stack, which it takes off. */
struct term term_array(struct parser *p, size_t first, struct place place);
bool term_push(struct parser *p, struct term t);
struct term term_pop(struct parser *p);
static inline const wg_type *term_type(const struct parser *p, value v) {
    return type_of(&p->g->t, v);
}

/* expression.c */
struct term expression(struct parser *p);
/* What a name that is no call stands for: bound, or in a bare formula a new input. */
struct term name_term(struct parser *p, const struct token *name);

/* subscript.c: the brackets behind an operand */
struct term subscript(struct parser *p, struct term x);
/* Their parts. An item leaves three terms on the stack: start, stop, step of a slice (no term where
 * none is given, but a step always); or the index, no term, no term. */
enum { ITEM = 3 };
/* Reads the items for a value of this rank, and counts them; "[" is next. */
size_t read_items(struct parser *p, value x);
static inline bool item_is_slice(const struct term *item) { return item[2].kind != TERM_NONE; }
static inline bool item_is_fixed(const struct term *item) {
    return !item_is_slice(item) &&
           (item[0].kind == TERM_NUMBER || item[0].kind == TERM_EXTENT);
}
/* One element or slice along an axis, fixed before the call: start and count. */
bool fixed_window(struct parser *p, value x, const struct term *item, size_t axis,
                  wg_extent *start, wg_extent *count, int64_t *step);
/* How many of the items in front are single places, if they are to be read as one place in the
 * flattened axes, else 0; and that place, i64[]. */
size_t leading_places(const struct parser *p, const struct term *item, size_t count);
value flat_place(struct parser *p, value x, const struct term *item, size_t places);
value flatten_axes(struct parser *p, value x, size_t axes);

/* call.c */
/* The call of a name just read, up to its closing bracket, in an expression. */
struct term call(struct parser *p, const struct token *name);
/* The same where several results may come: of a function of the text, all its results are left in
 * parser.output from `first` on. */
void call_several(struct parser *p, const struct token *name, size_t first);
/* Binds the parameters of f: with arguments to those (from `first` on the stack), else to new
 * inputs of the program. */
void read_parameters(struct parser *p, const struct function *f, const size_t *first);
/* A new name in the present scope; an error if it is known there. */
void bind_name(struct parser *p, const struct token *name, struct term term);
/* One level of nesting deeper; the caller takes it back from parser.depth. */
void enter_level(struct parser *p);

/* builtin.c: the functions of the language. The arguments of a call lie on the stack from
 * `first` on, options (axis = 0) are apart. */
struct call {
    const struct token *name;
    size_t first;
    int axis[WG_MAX_RANK];
    uint8_t axis_count;
    bool has_axis, has_keep, keep;
    const char *text; /* the first argument if it is in quotes, without them; not on the stack */
    size_t text_length;
};
bool builtin_exists(const char *name, size_t length);
struct term builtin_call(struct parser *p, const struct call *c);
void builtin_nearest(struct nearest *n);

/* statement.c */
/* Gives a name its value; anew: even in a straight text, and where it has one. */
void assign_name(struct parser *p, const struct token *name, struct term term, bool anew);
/* Statements up to a token of the kind `end`, which stays; their results are left in
 * parser.output. */
void block(struct parser *p, unsigned end);
/* The body of a function, which is next: its results are left in parser.output. */
void read_body(struct parser *p);
/* { statements } of a loop or branch. What is new in it is out of view behind it. */
void read_branch_body(struct parser *p);
/* Takes the names of a body from `first` on out of view; those of inputs stay. */
void names_end(struct parser *p, size_t first);
/* Whether a definition comes next; formula.c. */
bool definition_ahead(struct parser *p, struct token *name);

/* control.c */
void for_statement(struct parser *p);
void while_statement(struct parser *p);
void if_statement(struct parser *p);
/* if c then a else b; the word was taken. */
struct term if_expression(struct parser *p, struct place place);
/* Whether "(i in" is next; and such a call behind its name: map(i in 0:n: x[i]^2). */
bool comprehension_ahead(struct parser *p);
struct term comprehension(struct parser *p, const struct token *name);
/* Least and largest values of a scalar of i64, where they follow from the loops around. */
bool known_bounds(struct parser *p, value v, wg_extent *low, wg_extent *high);
/* The loop of which this is the index, if it goes through all slices of x as they are; or NULL. */
struct open_loop *loop_over(struct parser *p, value index, value x);

/* update.c: the brackets behind a name that is assigned, x[i] = ..., x[i, :] += ... */
void update_statement(struct parser *p);

#endif
