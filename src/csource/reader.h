/* What the files that read libclang's cursors share: tree.c and tree_type.c. */
#ifndef READER_H
#define READER_H

#include "csource/clang.h"
#include "csource/tree.h"

enum { MAX_NESTING = 1000 };

struct known { /* a declaration that was read */
    CXCursor cursor;
    struct decl *decl;
};

struct unit {
    CXTranslationUnit unit;
    const char *only; /* of a rule's file: the function that it is for */
};

struct tree {
    struct clang c;
    CXIndex index;
    struct arena arena;
    wg_allocator allocator;
    wg_error *error; /* of the call that is under way */
    VEC(struct unit) unit;
    VEC(struct known) known;
    VEC(struct record *) record;
    VEC(struct decl *) own; /* functions that the files define, in their order */
    int nesting;
    size_t main_functions;
    const char *path; /* of the file, the caller's */
};

#define CL(t, name) (t)->c.name

struct children {
    struct tree *t;
    VEC(CXCursor) list;
    bool failed;
};

/* Zeros in the tree's arena; NULL and an error without memory. */
void *tree_take(struct tree *t, size_t size);
/* Keeps the string, and gives it back to libclang. */
const char *tree_text(struct tree *t, CXString string);
struct spot tree_spot(struct tree *t, CXSourceLocation location);
/* All children but names of types; to be freed. */
struct children tree_children(struct tree *t, CXCursor cursor);
void tree_children_free(struct children *c);
struct node *tree_node(struct tree *t, CXCursor cursor);
struct ctype *tree_new_type(struct tree *t, enum ctype_kind kind);
const struct ctype *tree_type(struct tree *t, CXType given);
/* The type of a variable or parameter with the lengths of its arrays. */
const struct ctype *tree_declared_type(struct tree *t, CXCursor cursor);

#endif
