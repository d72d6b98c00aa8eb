/* Directories and files that nobody else can write: what is loaded runs with our rights, so it must
 * come from a place where only we could have put it. Nothing here allocates. */
#include "native/parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

const char *trusted_environment(const char *name) {
    if (getuid() != geteuid() || getgid() != getegid()) return NULL;
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* ---- who may write ------------------------------------------------------------------------- */

/* A directory on the way: who can write it can put another one in our directory's place, unless it
 * is sticky. The group of the same name that many systems give each user is nobody else. */
static const char *not_safe_above(const struct stat *about) {
    if (about->st_uid != 0 && about->st_uid != geteuid())
        return "lies in a directory of another user";
    if (about->st_mode & S_ISVTX) return NULL;
    bool other_group = (about->st_mode & S_IWGRP) && about->st_gid != 0 &&
                       about->st_gid != getegid();
    return other_group || (about->st_mode & S_IWOTH) ? "lies in a directory that others can write"
                                                     : NULL;
}

const char *not_private(const char *path, bool shared) {
    char above[PATH_MAX];
    struct stat about;
    size_t length = strlen(path);
    if (path[0] != '/' || length >= sizeof above) return "is no absolute path";
    if (lstat(path, &about) || !S_ISDIR(about.st_mode)) return "is no directory";
    if (shared) {
        const char *why = not_safe_above(&about);
        if (why) return "can be changed by others";
    } else {
        if (about.st_uid != geteuid()) return "belongs to another user";
        if (about.st_mode & (S_IWGRP | S_IWOTH)) return "can be written by others";
    }
    memcpy(above, path, length + 1);
    while (length > 1) {
        while (length > 1 && above[length - 1] != '/') length--;
        while (length > 1 && above[length - 1] == '/') length--;
        above[length] = '\0';
        if (lstat(above, &about) || !S_ISDIR(about.st_mode)) return "lies in no directory";
        const char *why = not_safe_above(&about);
        if (why) return why;
    }
    return NULL;
}

bool is_private_file(int descriptor, uint64_t *size) {
    struct stat about;
    if (fstat(descriptor, &about) || !S_ISREG(about.st_mode)) return false;
    *size = (uint64_t)about.st_size;
    return about.st_uid == geteuid() && !(about.st_mode & (S_IWGRP | S_IWOTH));
}

/* ---- making and removing ------------------------------------------------------------------- */

bool make_directories(const char *path) {
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof part) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(part, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        part[i] = '\0';
        struct stat about;
        /* Another process may make it at the same time. */
        if (mkdir(part, 0700)) {
            int failure = errno == EEXIST ? ENOTDIR : errno;
            if (stat(part, &about) || !S_ISDIR(about.st_mode)) {
                errno = failure;
                return false;
            }
        }
        part[i] = path[i];
    }
    return true;
}

bool write_all(int descriptor, const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t count = write(descriptor, at, size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += count;
        size -= (size_t)count;
    }
    return true;
}

int64_t read_up_to(int descriptor, void *bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(descriptor, (char *)bytes + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        if (count == 0) break;
        done += (size_t)count;
    }
    return (int64_t)done;
}

bool write_new_file(const char *path, const void *const piece[], const size_t size[],
                    size_t count) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) ok = write_all(descriptor, piece[i], size[i]);
    int failure = ok ? 0 : errno;
    if (close(descriptor) && ok) return false; /* some file systems tell of a full disk here */
    errno = failure;
    return ok;
}

void remove_directory(const char *path) {
    DIR *directory = opendir(path);
    if (directory) {
        for (struct dirent *entry; (entry = readdir(directory));)
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                unlinkat(dirfd(directory), entry->d_name, 0);
        closedir(directory);
    }
    rmdir(path);
}
