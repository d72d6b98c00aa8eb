/* Reading of regular files through the system's own calls, because stdio would allocate behind the
 * allocator hook. Knows sizes and shapes, but no format. */
#include "learn/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

wg_status file_fail(const char *path, int error_number, wg_error *error) {
    char reason[128];
    return fail_with(error, WG_EIO, "%s: %s", path,
                     system_reason(error_number, reason, sizeof reason));
}

wg_status file_open(struct file *file, const char *path, wg_error *error) {
    /* Without O_NONBLOCK the opening of a FIFO would wait for somebody who writes to it. */
    *file = (struct file){.path = path,
                          .descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    if (file->descriptor < 0) return file_fail(path, errno, error);

    struct stat about;
    wg_status status = WG_OK;
    if (fstat(file->descriptor, &about) != 0)
        status = file_fail(path, errno, error);
    else if (S_ISDIR(about.st_mode))
        status = file_fail(path, EISDIR, error);
    else if (!S_ISREG(about.st_mode))
        status = fail_with(error, WG_EIO, "%s: Not a regular file; copy its content into one",
                           path);
    else
        file->size = (uint64_t)about.st_size;
    if (status != WG_OK) file_close(file);
    return status;
}

void file_close(struct file *file) {
    if (file->descriptor >= 0) close(file->descriptor);
    file->descriptor = -1;
}

wg_status file_read(struct file *file, void *bytes, size_t size, wg_error *error) {
    for (size_t done = 0; done < size;) {
        ssize_t count = read(file->descriptor, (char *)bytes + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return file_fail(file->path, errno, error);
        if (count == 0)
            return fail_with(error, WG_EFORMAT, "%s: ends after %llu bytes, %zu more expected",
                             file->path, (unsigned long long)file->at, size - done);
        done += (size_t)count;
        file->at += (uint64_t)count;
    }
    return WG_OK;
}

/* "[10,10]", "" for a scalar. */
static const char *shape_text(const wg_tensor *tensor, char *out, size_t room) {
    size_t size = 0;
    out[0] = '\0';
    for (int i = 0; i < tensor->rank; i++)
        size += (size_t)snprintf(out + size, room - size, "%c%lld", i == 0 ? '[' : ',',
                                 (long long)tensor->shape[i]);
    if (tensor->rank > 0) snprintf(out + size, room - size, "]");
    return out;
}

wg_status file_holds(const struct file *file, const wg_tensor *tensor, const char *element,
                     size_t element_size, wg_error *error) {
    char shape[WG_MAX_RANK * 21 + 2];
    shape_text(tensor, shape, sizeof shape);
    int64_t bytes = wg_tensor_count(tensor);
    if (bytes < 0 || mul_overflows(bytes, (int64_t)element_size, &bytes))
        return fail_with(error, WG_EFORMAT, "%s: no memory holds as many elements as %s%s says",
                         file->path, element, shape);
    uint64_t there = file->size - file->at;
    if (there != (uint64_t)bytes)
        return fail_with(error, WG_EFORMAT, "%s: %lld bytes of data expected for %s%s, %llu there",
                         file->path, (long long)bytes, element, shape, (unsigned long long)there);
    return WG_OK;
}
