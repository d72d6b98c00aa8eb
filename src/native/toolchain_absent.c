/* What stands in the place of compiling and loading where the library is built without it
 * (WG_NATIVE_BACKEND=OFF), for systems without processes or a loader. */
#include "native/toolchain.h"

static bool absent(wg_error *error) {
    return !fail_with(error, WG_ENATIVE,
                      "this build cannot compile programs: it was made without "
                      "WG_NATIVE_BACKEND");
}

bool toolchain_load(const wg_allocator *allocator, const struct toolchain_options *options,
                    const char *text, size_t length, struct loaded *result, wg_text *log,
                    wg_error *error) {
    (void)allocator, (void)options, (void)text, (void)length, (void)log;
    *result = (struct loaded){.handle = NULL};
    return absent(error);
}

void *toolchain_symbol(const struct loaded *loaded, const char *name) {
    (void)loaded, (void)name;
    return NULL;
}

void toolchain_unload(struct loaded *loaded) { *loaded = (struct loaded){.handle = NULL}; }
