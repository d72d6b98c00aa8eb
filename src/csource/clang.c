/* Finds libclang and the functions that are called of it. WENGERT_LIBCLANG names the library where
 * it has an unusual place. Once loaded it stays in memory: it has state of its own that does not
 * survive being unloaded. */
#include "csource/clang.h"

#include <dlfcn.h>
#include <stdlib.h>

static const char *const places[] = {
    "libclang-19.so.19", "libclang-19.so.1", "libclang.so.19", "libclang-20.so.20",
    "libclang.so.20", "libclang-21.so.21", "libclang.so.21", "/usr/lib/llvm-19/lib/libclang.so.1",
    "/usr/lib/llvm-19/lib/libclang.so", "libclang.so"};

static bool take_functions(struct clang *c) {
    bool all = true;
#define CLANG_TAKE(name)                                                                           \
    {                                                                                              \
        void *found = dlsym(c->library, "clang_" #name);                                           \
        if (found)                                                                                 \
            memcpy(&c->name, &found, sizeof found);                                                \
        else                                                                                       \
            all = false;                                                                           \
    }
    CLANG_FUNCTIONS(CLANG_TAKE)
#undef CLANG_TAKE
    return all;
}

static bool try_library(struct clang *c, const char *place) {
    c->library = dlopen(place, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!c->library) return false;
    if (take_functions(c)) return true;
    clang_unload(c);
    return false;
}

bool clang_load(struct clang *c, wg_error *error) {
    memset(c, 0, sizeof *c);
    const char *told = getenv("WENGERT_LIBCLANG");
    if (told && *told) {
        if (try_library(c, told)) return true;
        fail_with(error, WG_EIO, "WENGERT_LIBCLANG: '%.256s' is not libclang 19 or later", told);
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (try_library(c, places[i])) return true;
    fail_with(error, WG_EIO,
              "C is read by libclang 19 or later, which is not there\n  hint: install "
              "libclang-19-dev, or name the library in WENGERT_LIBCLANG");
    return false;
}

void clang_unload(struct clang *c) {
    if (c->library) dlclose(c->library);
    c->library = NULL;
}
