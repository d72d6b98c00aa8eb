/* C text as a tree that can be made smaller: each node is a form, a piece of text with gaps that its
 * children fill. Made by support/random_c.h, and what it knows of C is what the kinds say. */
#ifndef C_TREE_H
#define C_TREE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum c_kind {
    C_REAL,  /* a floating expression */
    C_WHOLE, /* a whole number of at most `most`, by its size */
    C_TRUTH, /* a condition */
    C_LINE,  /* a statement or more, or a function */
    C_LIST,  /* lines, without braces of its own */
    C_FIXED  /* what stays as it is */
};

struct c_node {
    enum c_kind kind;
    /* A $ for each child. @plain|marked@ is one of the two texts, as asked for; lines end with \n */
    const char *form;
    struct c_node **child;
    size_t count, room;
    double most;
    bool stays;
};

struct c_text { /* owns nodes and their texts */
    void **block;
    size_t blocks, room;
};

/* A node with so many children, behind. */
struct c_node *c_node(struct c_text *t, enum c_kind kind, double most, const char *form,
                      size_t count, ...);
void c_append(struct c_text *t, struct c_node *list, struct c_node *line);
/* As printf, kept with the text. */
const char *c_say(struct c_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void c_text_free(struct c_text *t);

/* The text, indented; for free(). */
char *c_print(const struct c_node *node, bool marked);

/* Leaves out lines, and puts parts of expressions in place of the whole, as long as `fails` stays
 * true, until nothing more goes or it was asked so often. */
void c_shrink(struct c_text *t, struct c_node *root, int most_asked, bool (*fails)(void *ctx),
              void *ctx);

#endif
