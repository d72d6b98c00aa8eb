/* In the place of tree.c and clang.c where the library was built without libclang's header: nothing
 * can be read, and the error says why. */
#include "csource/tree.h"

struct tree *tree_read(const char *path, const wg_csource_options *options,
                       const wg_allocator *allocator, wg_error *error) {
    (void)path, (void)options, (void)allocator;
    fail_with(error, WG_EIO, "this library was built without libclang, which reads C");
    return NULL;
}

void tree_free(struct tree *t) { (void)t; }

struct decl *tree_function(struct tree *t, const char *name, wg_error *error) {
    (void)t, (void)name, (void)error;
    return NULL;
}

bool tree_body(struct tree *t, struct decl *function) {
    (void)t, (void)function;
    return false;
}

void tree_caret(struct tree *t, struct spot spot, wg_error *error) {
    (void)t, (void)spot, (void)error;
}

const char *tree_line(struct tree *t, const char *file, uint32_t line, size_t *length) {
    (void)t, (void)file, (void)line, (void)length;
    return NULL;
}
