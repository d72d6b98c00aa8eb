/* A C source as a tree of our own, made from what libclang says of it (tree.c, tree_type.c), and
 * read by the lowering (lower.h). Macros, headers and implicit conversions are clang's work: every
 * conversion stands in the tree as a NODE_CAST. Nothing here knows of graphs, and only the files of
 * reader.h know of libclang. What the tree has no form for is a NODE_REFUSED, which says why; it is
 * an error where it is reached, and only there. Everything lives in the tree's arena. */
#ifndef TREE_H
#define TREE_H

#include "base/base.h"
#include "wengert/csource.h"

#define LENGTH_UNKNOWN INT64_MIN

struct spot { /* where it stands in the user's text, behind macros; line 0: nowhere */
    const char *file;
    uint32_t line, column;
};

enum ctype_kind {
    TYPE_VOID, TYPE_BOOL, TYPE_INT, TYPE_FLOAT, TYPE_DOUBLE, /* scalars first */
    TYPE_POINTER, TYPE_ARRAY, TYPE_RECORD, TYPE_FUNCTION, TYPE_OTHER
};

struct ctype {
    enum ctype_kind kind;
    uint8_t bits;              /* of a whole number */
    bool is_signed, is_const, is_volatile, is_restrict;
    const struct ctype *of;    /* what is pointed to; an array's element; what a function returns */
    const struct record *record;
    wg_extent count;           /* of an array; LENGTH_UNKNOWN, or an extent of a graph */
    struct node *size;         /* of an array whose length is computed where it is declared */
    int64_t bytes;             /* sizeof; negative where it is not constant */
    const char *text;          /* as C spells it */
    const char *plain;         /* the same without names of typedefs */
};

struct field {
    const char *name;
    const struct ctype *type;
};

struct record {
    const char *name;
    struct field *field;
    size_t count;
    const char *refused; /* why its fields cannot be carried; NULL: they can */
    uint64_t key;
    struct spot spot; /* of its members */
};

enum node_kind {
    /* expressions */
    NODE_INT,      /* integer                                                                  */
    NODE_REAL,     /* real                                                                     */
    NODE_STRING,
    NODE_NAME,     /* decl                                                                     */
    NODE_UNARY,    /* op child                                                                 */
    NODE_BINARY,   /* child op child; no assignment                                            */
    NODE_ASSIGN,   /* child = child, or child op= child                                        */
    NODE_CHOICE,   /* child ? child : child                                                    */
    NODE_CALL,     /* decl(child, ...)                                                         */
    NODE_MEMBER,   /* child.field or child->field, by the child's type                         */
    NODE_INDEX,    /* child[child]                                                             */
    NODE_CAST,     /* (type)child, also implicit                                               */
    NODE_INIT,     /* { child, ... }; a child may be a NODE_DESIGNATED                         */
    NODE_DESIGNATED, /* child[child].field = child: a NODE_MEMBER without children is a field   */
    NODE_LITERAL,  /* (type){ ... }                                                            */
    /* statements; an expression is one too */
    NODE_BLOCK,
    NODE_DECLARE,  /* decls                                                                    */
    NODE_IF,       /* condition, then, else or NULL                                            */
    NODE_FOR,      /* begin, condition, step, any of them NULL; body                           */
    NODE_WHILE,    /* condition, body                                                          */
    NODE_DO,       /* body, condition                                                          */
    NODE_SWITCH,   /* number, body                                                             */
    NODE_CASE,     /* low, high or NULL, statement                                             */
    NODE_DEFAULT,  /* statement                                                                */
    NODE_BREAK, NODE_CONTINUE,
    NODE_RETURN,   /* child or none                                                            */
    NODE_EMPTY,
    NODE_REFUSED   /* text says what it is                                                     */
};

enum operator_kind {
    C_NONE,
    C_MUL, C_DIV, C_REM, C_ADD, C_SUB, C_SHL, C_SHR, C_LT, C_GT, C_LE, C_GE, C_EQ, C_NE,
    C_AND, C_XOR, C_OR, C_BOTH, C_EITHER, C_COMMA,
    C_AFTER_INCREASE, C_AFTER_DECREASE, C_INCREASE, C_DECREASE,
    C_ADDRESS, C_AT, C_PLUS, C_MINUS, C_FLIP, C_NOT
};

struct node {
    enum node_kind kind;
    enum operator_kind op; /* of NODE_ASSIGN: C_NONE for = */
    struct spot spot;
    const struct ctype *type; /* of an expression */
    struct node **child;
    size_t count;
    struct decl *decl;  /* NODE_NAME, NODE_CALL (NULL: a call through a pointer)        */
    struct decl **decls; /* NODE_DECLARE                                                 */
    int64_t integer;
    double real;
    const char *text; /* NODE_MEMBER: the field; NODE_REFUSED: what                     */
};

enum decl_kind { DECL_VARIABLE, DECL_PARAMETER, DECL_FUNCTION };

struct decl {
    enum decl_kind kind;
    const char *name;
    struct spot spot;
    const struct ctype *type;
    struct node *init;  /* of a variable; NULL: none                                     */
    bool is_global, is_static;
    bool is_elsewhere;  /* extern, and defined in no file at hand                        */
    /* of a function */
    struct decl **parameter;
    size_t parameter_count;
    struct node *body;  /* NULL: not defined in the files at hand                        */
    bool is_variadic, is_read;
    uint32_t reader;    /* tree.c's number of it                                         */
};

struct tree;

/* Parses the file with the compiler's flags. NULL and an error where libclang is not found
 * (WG_EIO), or C's compiler would complain (WG_ESYNTAX). */
struct tree *tree_read(const char *path, const wg_csource_options *options,
                       const wg_allocator *allocator, wg_error *error);
void tree_free(struct tree *t);
/* The function of that name that has a body; NULL for the name: the last one of the file itself. */
struct decl *tree_function(struct tree *t, const char *name, wg_error *error);
/* Reads a function's body, if that was not done yet. False without memory. */
bool tree_body(struct tree *t, struct decl *function);
/* A line of a file that was read, without its end; NULL: there is none. */
const char *tree_line(struct tree *t, const char *file, uint32_t line, size_t *length);
/* Appends the line that a spot is in and a caret below to an error's first line. */
void tree_caret(struct tree *t, struct spot spot, wg_error *error);

#endif
