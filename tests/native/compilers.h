/* Compilers that a test writes itself, small scripts of the shell, and an environment without the
 * user's own settings. The test runs in a folder of its own (support/scratch.h). */
#ifndef COMPILERS_H
#define COMPILERS_H

#include "support/test.h"

#include "native/toolchain.h"
#include "support/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char answer[] = "int f(void) { return 42; }\n";

/* The folder's path with this name in it; valid until four calls later. */
static inline const char *in_folder(const char *name) {
    static char path[4][600];
    static int next;
    char folder[256];
    assert_non_null(getcwd(folder, sizeof folder));
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

/* A program of this text in the folder; returns its path. */
static inline const char *script(const char *name, const char *text) {
    char whole[2000];
    int size = snprintf(whole, sizeof whole, "#!/bin/sh\n%s\n", text);
    scratch_write(name, whole, (size_t)size);
    assert_int_equal(chmod(name, 0755), 0);
    return in_folder(name);
}

/* The number of files whose names hold these letters, in a directory. */
static inline size_t files_in(const char *directory, const char *letters) {
    size_t count = 0;
    DIR *d = opendir(directory);
    if (!d) return 0;
    for (struct dirent *entry; (entry = readdir(d));)
        if (entry->d_name[0] != '.' && strstr(entry->d_name, letters)) count++;
    closedir(d);
    return count;
}

/* The path of the one file whose name ends so. */
static inline const char *only_file(const char *directory, const char *ending) {
    static char path[900];
    DIR *d = opendir(directory);
    path[0] = '\0';
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        size_t length = strlen(entry->d_name), tail = strlen(ending);
        if (length > tail && strcmp(entry->d_name + length - tail, ending) == 0)
            snprintf(path, sizeof path, "%.600s/%s", directory, entry->d_name);
    }
    closedir(d);
    assert_true(path[0]);
    return path;
}

/* Removes what is in a directory of the folder. */
static inline void empty_directory(const char *name) {
    char command[100];
    snprintf(command, sizeof command, "rm -rf ./%s/*", name);
    assert_int_equal(system(command), 0);
}

/* Before each test: an empty cache "cache" and an empty "tmp" for temporary files, no compiler of
 * the user's. */
static inline int fresh_environment(void **state) {
    (void)state;
    chmod("cache", 0700);
    empty_directory("cache");
    empty_directory("tmp");
    mkdir("cache", 0700);
    mkdir("tmp", 0700);
    setenv("WENGERT_CACHE", in_folder("cache"), 1);
    setenv("TMPDIR", in_folder("tmp"), 1);
    unsetenv("WENGERT_CACHE_SIZE");
    return unsetenv("CC");
}

static inline int remove_environment(void **state) {
    empty_directory("cache");
    empty_directory("tmp");
    return scratch_teardown(state);
}

static inline int call_int(const struct loaded *loaded, const char *name) {
    int (*function)(void);
    void *address = toolchain_symbol(loaded, name);
    assert_non_null(address);
    memcpy(&function, &address, sizeof function);
    return function();
}

/* Compiles and loads this text, which goes well, and gives what its f returns. */
static inline int load_and_call(const struct toolchain_options *options, const char *text,
                                bool *cached) {
    wg_error error = {0};
    struct loaded loaded;
    toolchain_load(NULL, options, text, strlen(text), &loaded, NULL, &error);
    assert_ok(error);
    int result = call_int(&loaded, "f");
    if (cached) *cached = loaded.cached;
    toolchain_unload(&loaded);
    return result;
}

#endif
