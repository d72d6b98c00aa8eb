/* NumPy's .npy files, versions 1.0 to 3.0 ("NEP 1 - A simple file format for NumPy arrays"): a
 * magic string, a version, the length of a header, the header, which is a Python dictionary as
 * text, and the elements. What is read is little endian, in C order, and one of b1 i4 i8 f4 f8;
 * everything else is refused by name. A file is written under another name and then renamed, so
 * that a write that fails leaves what was there. */
#include "wengert/data.h"

#include "learn/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "elements are read and written as they lie in memory, which must be little endian"
#endif

static const char magic[6] = "\x93NUMPY";

enum {
    MAX_HEADER = 10000, /* bytes; NumPy's own reader refuses longer ones too */
    ALIGNMENT = 64      /* of the elements in the file, as the format asks for */
};

static const char *const dtype_code[WG_DTYPE_COUNT] = {
    [WG_BOOL] = "|b1", [WG_I32] = "<i4", [WG_I64] = "<i8", [WG_F32] = "<f4", [WG_F64] = "<f8",
};

/* ---- the header: { 'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } -------------- */

struct scanner {
    const char *path, *start, *at, *end;
    wg_error *error;
};

static bool is_printable(char c) { return c >= ' ' && c < 0x7F; }

static wg_status unexpected(struct scanner *s, const char *expected) {
    unsigned long long byte = (unsigned long long)(s->at - s->start);
    if (s->at == s->end)
        return fail_with(s->error, WG_EFORMAT, "%s: the header ends where %s is expected", s->path,
                         expected);
    return fail_with(s->error, WG_EFORMAT,
                     is_printable(*s->at)
                         ? "%s: byte %llu of the header: %s expected, '%c' found"
                         : "%s: byte %llu of the header: %s expected, code %d found",
                     s->path, byte, expected, (unsigned char)*s->at);
}

static void skip_blanks(struct scanner *s) {
    while (s->at < s->end && (*s->at == ' ' || (*s->at >= '\t' && *s->at <= '\r'))) s->at++;
}

/* Whether the next thing is this word or mark, which is then passed. */
static bool take(struct scanner *s, const char *word) {
    skip_blanks(s);
    size_t size = strlen(word);
    if ((size_t)(s->end - s->at) < size || memcmp(s->at, word, size) != 0) return false;
    s->at += size;
    return true;
}

/* A string in either kind of quotes, of printable ASCII, so that a message may show it; escapes are
 * not needed for what is understood. */
static wg_status scan_string(struct scanner *s, const char *expected, const char **text,
                             int *size) {
    skip_blanks(s);
    if (s->at == s->end || (*s->at != '\'' && *s->at != '"')) return unexpected(s, expected);
    char quote = *s->at++;
    for (*text = s->at; s->at == s->end || *s->at != quote; s->at++)
        if (s->at == s->end || !is_printable(*s->at))
            return unexpected(s, "a letter or the end of a string");
    *size = (int)(s->at++ - *text);
    return WG_OK;
}

static wg_status scan_descr(struct scanner *s, wg_tensor *tensor) {
    if (take(s, "["))
        return fail_with(s->error, WG_EFORMAT,
                         "%s: a structured array; save each of its fields in a file of its own",
                         s->path);
    const char *code;
    int size;
    if (scan_string(s, "a string for 'descr'", &code, &size)) return s->error->status;
    for (int i = 0; i < WG_DTYPE_COUNT && size == 3; i++) {
        /* "=" is the byte order of the machine that wrote; it is read as this one's. */
        bool order = code[0] == dtype_code[i][0] || (code[0] == '=' && i != WG_BOOL);
        if (order && memcmp(code + 1, dtype_code[i] + 1, 2) == 0) {
            tensor->dtype = (wg_dtype)i;
            return WG_OK;
        }
    }
    return fail_with(s->error, WG_EFORMAT,
                     "%s: 'descr' is '%.*s'; read are '|b1', '<i4', '<i8', '<f4' and '<f8' "
                     "(convert with NumPy's astype)",
                     s->path, size < 40 ? size : 40, code);
}

static wg_status scan_order(struct scanner *s) {
    if (take(s, "False")) return WG_OK;
    if (take(s, "True"))
        return fail_with(s->error, WG_EFORMAT,
                         "%s: the elements are in Fortran order; save numpy.ascontiguousarray(a)",
                         s->path);
    return unexpected(s, "True or False for 'fortran_order'");
}

static wg_status scan_extent(struct scanner *s, int64_t *extent) {
    skip_blanks(s);
    if (s->at == s->end || *s->at < '0' || *s->at > '9')
        return unexpected(s, "the length of an axis in 'shape'");
    for (*extent = 0; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
        if (mul_overflows(*extent, 10, extent) || add_overflows(*extent, *s->at - '0', extent))
            return fail_with(s->error, WG_EFORMAT, "%s: an axis in 'shape' is 2^63 or longer",
                             s->path);
    return WG_OK;
}

/* (), (3,), (3, 4), (3, 4,): as in Python, the comma makes a tuple of one. */
static wg_status scan_shape(struct scanner *s, wg_tensor *tensor) {
    if (!take(s, "(")) return unexpected(s, "'(' for 'shape'");
    for (tensor->rank = 0; !take(s, ")"); tensor->rank++) {
        if (tensor->rank == WG_MAX_RANK)
            return fail_with(s->error, WG_EFORMAT, "%s: 'shape' has more than %d axes", s->path,
                             WG_MAX_RANK);
        if (scan_extent(s, &tensor->shape[tensor->rank])) return s->error->status;
        if (take(s, ",")) continue;
        if (tensor->rank == 0) return unexpected(s, "',' after the length in 'shape'");
        if (!take(s, ")")) return unexpected(s, "',' or ')' in 'shape'");
        tensor->rank++;
        break;
    }
    return WG_OK;
}

static wg_status scan_header(struct scanner *s, wg_tensor *tensor) {
    static const char *const field[] = {"descr", "fortran_order", "shape"};
    bool seen[COUNT_OF(field)] = {false};
    if (!take(s, "{")) return unexpected(s, "'{'");
    while (!take(s, "}")) {
        const char *key;
        int size;
        size_t f = 0;
        if (scan_string(s, "the name of a field or '}'", &key, &size)) return s->error->status;
        while (f < COUNT_OF(field) &&
               (strlen(field[f]) != (size_t)size || memcmp(field[f], key, (size_t)size) != 0))
            f++;
        if (f == COUNT_OF(field) || seen[f])
            return fail_with(s->error, WG_EFORMAT, "%s: the header's field '%.*s' is %s", s->path,
                             size < 40 ? size : 40, key,
                             f < COUNT_OF(field) ? "there twice" : "unknown");
        seen[f] = true;
        if (!take(s, ":")) return unexpected(s, "':'");
        wg_status status = f == 0   ? scan_descr(s, tensor)
                           : f == 1 ? scan_order(s)
                                    : scan_shape(s, tensor);
        if (status != WG_OK) return status;
        if (take(s, ",")) continue;
        if (!take(s, "}")) return unexpected(s, "',' or '}'");
        break;
    }
    for (size_t f = 0; f < COUNT_OF(field); f++)
        if (!seen[f])
            return fail_with(s->error, WG_EFORMAT, "%s: the header has no field '%s'", s->path,
                             field[f]);
    skip_blanks(s);
    return s->at == s->end ? WG_OK : unexpected(s, "nothing after '}'");
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The magic string, the version and the header; the tensor gets its dtype and shape. */
static wg_status read_header(struct file *file, wg_tensor *tensor, wg_error *error) {
    unsigned char front[8], length[4] = {0};
    char header[MAX_HEADER];
    if (file->size < sizeof front + 2)
        return fail_with(error, WG_EFORMAT, "%s: %llu bytes are too few for a .npy file",
                         file->path, (unsigned long long)file->size);
    if (file_read(file, front, sizeof front, error)) return error->status;
    if (memcmp(front, magic, sizeof magic) != 0)
        return fail_with(error, WG_EFORMAT, "%s: not a .npy file: does not begin with \\x93NUMPY",
                         file->path);
    if (front[6] < 1 || front[6] > 3 || front[7] != 0)
        return fail_with(error, WG_EFORMAT, "%s: version %d.%d of the format; 1.0 to 3.0 are read",
                         file->path, front[6], front[7]);
    if (file_read(file, length, front[6] == 1 ? 2 : 4, error)) return error->status;
    uint32_t size = length[0] | (uint32_t)length[1] << 8 | (uint32_t)length[2] << 16 |
                    (uint32_t)length[3] << 24;
    if (size > file->size - file->at)
        return fail_with(error, WG_EFORMAT, "%s: a header of %lu bytes expected, %llu there",
                         file->path, (unsigned long)size,
                         (unsigned long long)(file->size - file->at));
    if (size > MAX_HEADER)
        return fail_with(error, WG_EFORMAT, "%s: a header of %lu bytes; at most %d are read",
                         file->path, (unsigned long)size, MAX_HEADER);
    if (file_read(file, header, size, error)) return error->status;
    return scan_header(&(struct scanner){file->path, header, header, header + size, error}, tensor);
}

/* A byte other than 0 and 1 is no bool in C. */
static wg_status check_bools(const char *path, const wg_tensor *tensor, wg_error *error) {
    const unsigned char *byte = tensor->data;
    size_t count = (size_t)wg_tensor_count(tensor);
    for (size_t i = 0; i < count; i++)
        if (byte[i] > 1)
            return fail_with(error, WG_EFORMAT, "%s: element %zu is %d, but a bool is 0 or 1", path,
                             i, byte[i]);
    return WG_OK;
}

static wg_status read_tensor(struct file *file, const wg_allocator *allocator, wg_tensor *tensor,
                             wg_error *error) {
    if (read_header(file, tensor, error)) return error->status;
    size_t element = wg_dtype_size(tensor->dtype);
    if (file_holds(file, tensor, wg_dtype_name(tensor->dtype), element, error))
        return error->status;
    if (tensor_alloc(tensor, allocator, error)) return error->status;
    size_t size = (size_t)wg_tensor_count(tensor) * element;
    if (file_read(file, tensor->data, size, error)) return error->status;
    return tensor->dtype == WG_BOOL ? check_bools(file->path, tensor, error) : WG_OK;
}

wg_status wg_npy_read(const char *path, const wg_allocator *allocator, wg_tensor *tensor,
                      wg_error *error) {
    wg_error own = {0}; /* what follows asks it whether a step failed */
    if (!error) error = &own;
    if (tensor) *tensor = (wg_tensor){0};
    if (failed(error)) return error->status;
    if (!path || !tensor)
        return fail_with(error, WG_EARGUMENT, "wg_npy_read: path or tensor is NULL");

    struct file file;
    if (file_open(&file, path, error)) return error->status;
    wg_status status = read_tensor(&file, allocator, tensor, error);
    file_close(&file);
    if (status != WG_OK) wg_tensor_free(tensor, allocator);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Everything in front of the elements, as one string of *size bytes. */
static void compose_front(const wg_tensor *tensor, char front[512], size_t *size) {
    size_t start = sizeof magic + 4, at = start;
    at += (size_t)snprintf(front + at, 512 - at,
                           "{'descr': '%s', 'fortran_order': False, 'shape': (",
                           dtype_code[tensor->dtype]);
    for (int i = 0; i < tensor->rank; i++)
        at += (size_t)snprintf(front + at, 512 - at, i == 0 ? "%lld," : " %lld,",
                               (long long)tensor->shape[i]);
    if (tensor->rank > 1) at--; /* only a tuple of one ends in a comma */
    at += (size_t)snprintf(front + at, 512 - at, "), }");
    while ((at + 1) % ALIGNMENT != 0) front[at++] = ' ';
    front[at++] = '\n';
    memcpy(front, magic, sizeof magic);
    front[6] = 1;
    front[7] = 0;
    front[8] = (char)((at - start) & 0xFF);
    front[9] = (char)((at - start) >> 8);
    *size = at;
}

static bool write_all(int descriptor, const void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = write(descriptor, (const char *)bytes + done, size - done);
        if (count < 0 && errno != EINTR) return false;
        if (count > 0) done += (size_t)count;
    }
    return true;
}

/* Writes and closes; 0 or the errno of what went wrong. What reaches the disk late fails in fsync,
 * which files of some kinds do not know (EINVAL). */
static int write_tensor(int descriptor, const wg_tensor *tensor, size_t bytes) {
    char front[512];
    size_t size;
    compose_front(tensor, front, &size);
    int reason = 0;
    if (!write_all(descriptor, front, size) || !write_all(descriptor, tensor->data, bytes) ||
        (fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS))
        reason = errno;
    if (close(descriptor) != 0 && reason == 0) reason = errno;
    return reason;
}

/* A new file beside `path`, readable and writable like the one that it will replace. */
static int open_beside(const char *path, const struct stat *old, char *name, size_t room) {
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash + 1 - path) : 0;
    for (int attempt = 0; attempt < 100; attempt++) {
        int size = snprintf(name, room, "%.*s.wengert-%ld-%d.tmp", folder, path, (long)getpid(),
                            attempt);
        if (size < 0 || (size_t)size >= room) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 && old) fchmod(descriptor, old->st_mode & 07777);
        if (descriptor >= 0 || errno != EEXIST) return descriptor;
    }
    return -1;
}

wg_status wg_npy_write(const char *path, const wg_tensor *tensor, wg_error *error) {
    if (failed(error)) return error->status;
    if (!path || !tensor)
        return fail_with(error, WG_EARGUMENT, "wg_npy_write: path or tensor is NULL");
    int64_t count = wg_tensor_count(tensor), bytes = -1;
    size_t element = wg_dtype_size(tensor->dtype);
    if (count < 0 || element == 0 || mul_overflows(count, (int64_t)element, &bytes))
        return fail_with(error, WG_EARGUMENT, "%s: the tensor to write has no valid dtype or shape",
                         path);
    if (count > 0 && !tensor->data)
        return fail_with(error, WG_EARGUMENT, "%s: the tensor to write has no data", path);

    /* Only a regular file is replaced; a link, a pipe or a device is written through. */
    struct stat old;
    bool exists = lstat(path, &old) == 0;
    if (exists && !S_ISREG(old.st_mode)) {
        int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        int reason = descriptor < 0 ? errno : write_tensor(descriptor, tensor, (size_t)bytes);
        return reason == 0 ? WG_OK : file_fail(path, reason, error);
    }
    char name[4096];
    int descriptor = open_beside(path, exists ? &old : NULL, name, sizeof name);
    if (descriptor < 0) return file_fail(path, errno, error);
    int reason = write_tensor(descriptor, tensor, (size_t)bytes);
    if (reason == 0 && rename(name, path) != 0) reason = errno;
    if (reason == 0) return WG_OK;
    unlink(name);
    return file_fail(path, reason, error);
}
