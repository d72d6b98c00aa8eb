/* Any bytes as the text of a program. What is read must be sound enough for every transformation
 * and for the interpreter. */
#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wg_error error = {0};
    wg_program *p = wg_program_read((const char *)data, size, &fuzz_allocator, &error);
    fuzz_require_sound(&error, "wg_program_read");
    fuzz_require((p != NULL) == (error.status == WG_OK), "neither a program nor an error");
    fuzz_program(p);
    wg_program_free(p);
    return 0;
}
