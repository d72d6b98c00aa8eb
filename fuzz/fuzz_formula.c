/* Any bytes as text in the formula language. */
#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wg_error error = {0};
    wg_parse_options options = {.allocator = &fuzz_allocator};
    wg_program *p = wg_parse((const char *)data, size, &options, &error);
    fuzz_require_sound(&error, "wg_parse");
    fuzz_require((p != NULL) == (error.status == WG_OK), "neither a program nor an error");
    fuzz_program(p);
    wg_program_free(p);
    return 0;
}
