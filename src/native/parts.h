/* Inside of compiling and loading. One toolchain_load goes through
 *   compiler.c   which compiler, and what tells it from others
 *   private.c    directories and files that nobody else can write
 *   cache.c      what is kept: finding, sealing, storing, trimming
 *   process.c    the compiler's run, with a limit of time
 *   toolchain.c  the order of all this, and the loading
 * Functions that return bool return false after recording an error, unless they say otherwise. */
#ifndef NATIVE_PARTS_H
#define NATIVE_PARTS_H

#include "native/toolchain.h"

/* ---- process.c ----------------------------------------------------------------------------- */

enum process_end {
    PROCESS_EXITED,
    PROCESS_SIGNALLED,
    PROCESS_TIMED_OUT,
    PROCESS_UNKNOWN /* somebody else in this process has reaped it */
};

struct process {
    char *const *argv;        /* argv[0] is a path; ends in NULL */
    char *const *environment; /* ends in NULL */
    double seconds;           /* then it and all that it started are killed */
    size_t most;              /* bytes of output that are kept, the first ones */
};

/* Runs a process to its end, and all processes that it left in its group. Its standard input is
 * empty; what it writes to standard output and error is appended to `output`. *code: the exit
 * status or the signal. WG_ENATIVE if it cannot be started, WG_ENOMEM. */
bool process_run(const struct process *process, wg_text *output, enum process_end *end, int *code,
                 wg_error *error);

/* ---- private.c ----------------------------------------------------------------------------- */

/* A variable of the environment; NULL if it is empty, or if the process runs with the rights of
 * somebody else than the one who set it. */
const char *trusted_environment(const char *name);
/* Why others could change what lies at this absolute path without links, in a few words; NULL:
 * they cannot. `shared`: the directory itself may be one like /tmp, sticky and open to all. */
const char *not_private(const char *path, bool shared);
/* Whether an open file is a regular one that is ours and that nobody else can write. */
bool is_private_file(int descriptor, uint64_t *size);
/* Makes a directory and those above it that are missing, for nobody but us; false with errno. */
bool make_directories(const char *path);
/* Writes all bytes; false with errno. */
bool write_all(int descriptor, const void *bytes, size_t size);
/* Reads up to size bytes; fewer only where the file ends. Negative with errno. */
int64_t read_up_to(int descriptor, void *bytes, size_t size);
/* Writes a new file; false with errno. */
bool write_new_file(const char *path, const void *const piece[], const size_t size[], size_t count);
/* Removes a directory and the files in it, as far as that goes. */
void remove_directory(const char *path);

/* ---- compiler.c ---------------------------------------------------------------------------- */

struct compiler {
    wg_text words;    /* with a NUL behind each */
    VEC(char *) argv; /* into words, but for argv[0], which is the program's path */
    wg_text path;
    wg_text stamp;   /* path, size and time of change of each word that is a program */
    wg_text version; /* the first line that it prints for --version */
};

/* The number in "clang version 14.0.6", whatever stands around that; 0: it is no clang, or nobody
 * has asked. */
int clang_version(const struct compiler *compiler);

/* Finds the compiler, starting no process. compiler_free in any case. */
bool compiler_find(struct compiler *compiler, const char *wanted, wg_error *error);
void compiler_free(struct compiler *compiler);
/* Learns what the compiler calls itself: from the cache's directory (NULL: there is none), else by
 * running it. */
bool compiler_ask_version(struct compiler *compiler, const char *cache, double seconds,
                          wg_error *error);
/* Records why the end of a run is none that gives a result. Returns whether it is one. */
bool compiler_succeeded(const char *path, enum process_end end, int code, double seconds,
                        wg_error *error);
/* Appends bytes that differ where -march=native may give other code. */
bool processor_identity(wg_text *identity);
/* The environment with TMPDIR set to a directory, so that what a killed compiler leaves is removed
 * with it; ends in NULL. The strings are borrowed, TMPDIR's stands in `variable`. */
struct environment {
    VEC(char *) at;
    wg_text variable;
};
bool environment_with(struct environment *environment, const char *directory, wg_error *error);
void environment_free(struct environment *environment);

/* A directory of a new name, of this beginning, in this one, to work in. False with
 * errno (ENOMEM too). */
#define WORK_PREFIX "wengert-work-"
bool make_work_directory(const char *parent, wg_text *path);

/* ---- cache.c ------------------------------------------------------------------------------- */

/* The cache's directory, made if it is missing, as an absolute path without links. Where it cannot
 * be used that stays empty, and `note` says why; false only without memory. */
bool cache_open(const char *given, wg_text *path, wg_text *note, wg_error *error);
/* The first 128 bits of a digest, in hex. */
void cache_key(struct sha256 *hash, char key[CACHE_KEY_SIZE]);
/* Marks an open file as used now. */
void cache_touch(int descriptor);
/* Whether the object of this path is whole, ours and of this key; it then counts as used now. */
bool cache_check(const char *object, const char *key);
/* Appends what cache_check looks for; false with errno. The file becomes ours alone to write. */
bool cache_seal(const char *object, const char *key);

#endif
