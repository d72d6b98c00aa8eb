/* Files of numbers: what the readers of .npy and IDX share. A file is read only if it is a regular
 * one, so that its size is known, and is compared with what its header claims, before anything is
 * allocated. */
#ifndef LEARN_FILE_H
#define LEARN_FILE_H

#include "base/base.h"

struct file {
    const char *path; /* borrowed */
    int descriptor;
    uint64_t size, at; /* bytes; those read so far */
};

/* Records "path: what the system says" for a value of errno. Returns WG_EIO. */
wg_status file_fail(const char *path, int error_number, wg_error *error);

/* WG_EIO for what is missing, unreadable, or not a regular file. */
wg_status file_open(struct file *file, const char *path, wg_error *error);
void file_close(struct file *file);
/* Exactly `size` bytes. WG_EIO; WG_EFORMAT if the file ends before them. */
wg_status file_read(struct file *file, void *bytes, size_t size, wg_error *error);

/* Checks that the rest of the file is the elements of a tensor with this shape, whose elements the
 * file keeps in `element_size` bytes each and calls `element`. WG_EFORMAT with both sizes. */
wg_status file_holds(const struct file *file, const wg_tensor *tensor, const char *element,
                     size_t element_size, wg_error *error);

#endif
