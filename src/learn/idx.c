/* Reader of the IDX format, in which the MNIST files come: two zero bytes, the element type, the
 * rank, an extent of four bytes for each axis, big endian, and the elements. Only unsigned bytes
 * (type 0x08) are read. The format is described at the foot of Yann LeCun's MNIST page. */
#include "wengert/data.h"

#include "learn/file.h"

enum { UNSIGNED_BYTE = 0x08 };

static const char *element_name(unsigned char type) {
    switch (type) {
    case UNSIGNED_BYTE: return "u8";
    case 0x09: return "i8";
    case 0x0B: return "i16";
    case 0x0C: return "i32";
    case 0x0D: return "f32";
    case 0x0E: return "f64";
    default: return NULL;
    }
}

static int64_t big_endian(const unsigned char byte[4]) {
    return (int64_t)byte[0] << 24 | (int64_t)byte[1] << 16 | (int64_t)byte[2] << 8 | byte[3];
}

/* The header; the tensor gets its shape. */
static wg_status read_header(struct file *file, wg_tensor *tensor, wg_error *error) {
    unsigned char magic[4], extent[4];
    if (file_read(file, magic, sizeof magic, error)) return error->status;
    if (magic[0] == 0x1F && magic[1] == 0x8B)
        return fail_with(error, WG_EFORMAT, "%s: is compressed; unpack it with gunzip", file->path);
    const char *element = element_name(magic[2]);
    if (magic[0] != 0 || magic[1] != 0 || !element)
        return fail_with(
            error, WG_EFORMAT,
            "%s: not an IDX file: begins with bytes %02x %02x %02x %02x, not 00 00 08 rank",
            file->path, magic[0], magic[1], magic[2], magic[3]);
    if (magic[2] != UNSIGNED_BYTE)
        return fail_with(error, WG_EFORMAT,
                         "%s: the elements are %s (type 0x%02x); only u8 (type 0x08) is read",
                         file->path, element, magic[2]);
    if (magic[3] < 1 || magic[3] > WG_MAX_RANK)
        return fail_with(error, WG_EFORMAT, "%s: the rank is %d; 1 to %d is supported", file->path,
                         magic[3], WG_MAX_RANK);
    for (tensor->rank = 0; tensor->rank < magic[3]; tensor->rank++) {
        if (file_read(file, extent, sizeof extent, error)) return error->status;
        tensor->shape[tensor->rank] = big_endian(extent);
    }
    return WG_OK;
}

/* Widens bytes to elements in one block: the bytes lie at its end, and element i, written after
 * byte i is read, never reaches byte i + 1. */
static void widen(const wg_tensor *tensor, const unsigned char *byte, size_t count, double scale) {
    for (size_t i = 0; i < count; i++) {
        unsigned char x = byte[i];
        switch (tensor->dtype) {
        case WG_I32: ((int32_t *)tensor->data)[i] = x; break;
        case WG_I64: ((int64_t *)tensor->data)[i] = x; break;
        case WG_F32: ((float *)tensor->data)[i] = (float)(x * scale); break;
        default: ((double *)tensor->data)[i] = x * scale; break;
        }
    }
}

static wg_status read_tensor(struct file *file, double scale, const wg_allocator *allocator,
                             wg_tensor *tensor, wg_error *error) {
    if (read_header(file, tensor, error)) return error->status;
    if (file_holds(file, tensor, "u8", 1, error)) return error->status;
    if (tensor_alloc(tensor, allocator, error)) return error->status;
    size_t count = (size_t)wg_tensor_count(tensor);
    unsigned char *byte = (unsigned char *)tensor->data +
                          count * (wg_dtype_size(tensor->dtype) - 1);
    if (file_read(file, byte, count, error)) return error->status;
    widen(tensor, byte, count, scale);
    return WG_OK;
}

wg_status wg_idx_read(const char *path, wg_dtype dtype, double scale, const wg_allocator *allocator,
                      wg_tensor *tensor, wg_error *error) {
    wg_error own = {0}; /* what follows asks it whether a step failed */
    if (!error) error = &own;
    if (tensor) *tensor = (wg_tensor){.dtype = dtype};
    if (failed(error)) return error->status;
    if (!path || !tensor)
        return fail_with(error, WG_EARGUMENT, "wg_idx_read: path or tensor is NULL");
    if (dtype != WG_I32 && dtype != WG_I64 && dtype != WG_F32 && dtype != WG_F64)
        return fail_with(error, WG_EARGUMENT,
                         "wg_idx_read: bytes become i32, i64, f32 or f64, not %s",
                         wg_dtype_name(dtype));

    struct file file;
    if (file_open(&file, path, error)) return error->status;
    wg_status status = read_tensor(&file, scale, allocator, tensor, error);
    file_close(&file);
    if (status != WG_OK) wg_tensor_free(tensor, allocator);
    return status;
}
