/* Any bytes as a .npy file. What is read is written and read again: the same bytes must come. */
#include "support.h"

#include <string.h>

static wg_tensor read_bytes(const uint8_t *data, size_t size, wg_error *error) {
    wg_tensor tensor;
    wg_npy_read(fuzz_file(data, size), &fuzz_allocator, &tensor, error);
    fuzz_require_sound(error, "wg_npy_read");
    fuzz_require((tensor.data != NULL) == (error->status == WG_OK), "neither data nor an error");
    return tensor;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wg_error error = {0};
    wg_tensor first = read_bytes(data, size, &error);
    if (error.status == WG_OK) {
        const char *path = fuzz_file(data, 0);
        wg_tensor second;
        fuzz_require(wg_npy_write(path, &first, &error) == WG_OK, "%s", error.message);
        fuzz_require(wg_npy_read(path, &fuzz_allocator, &second, &error) == WG_OK, "%s",
                     error.message);
        size_t bytes = (size_t)wg_tensor_count(&first) * wg_dtype_size(first.dtype);
        fuzz_require(first.dtype == second.dtype && first.rank == second.rank &&
                         memcmp(first.shape, second.shape, sizeof first.shape) == 0 &&
                         memcmp(first.data, second.data, bytes) == 0,
                     "written and read, the tensor is another");
        wg_tensor_free(&second, &fuzz_allocator);
    }
    wg_tensor_free(&first, &fuzz_allocator);
    return 0;
}
