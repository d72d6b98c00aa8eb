/* Any bytes as an IDX file, in every element type that bytes may become. */
#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const wg_dtype dtype[] = {WG_I32, WG_I64, WG_F32, WG_F64};
    const char *path = fuzz_file(data, size);
    for (size_t i = 0; i < sizeof dtype / sizeof *dtype; i++) {
        wg_error error = {0};
        wg_tensor tensor;
        wg_idx_read(path, dtype[i], 1. / 255, &fuzz_allocator, &tensor, &error);
        fuzz_require_sound(&error, "wg_idx_read");
        fuzz_require((tensor.data != NULL) == (error.status == WG_OK), "neither data nor an error");
        wg_tensor_free(&tensor, &fuzz_allocator);
    }
    return 0;
}
