/* From C text to a function that can be called: the system's C compiler is run on it, what comes
 * out is loaded, and kept in a private cache, so that the next process need not compile. What the
 * text says is the matter of those who write it.
 *
 * Built without WG_NATIVE_BACKEND loading fails with WG_ENATIVE (toolchain_absent.c). */
#ifndef NATIVE_TOOLCHAIN_H
#define NATIVE_TOOLCHAIN_H

#include "base/base.h"

/* ---- loading ------------------------------------------------------------------------------- */

/* All zero is the usual. */
struct toolchain_options {
    /* Words of a command, split at blanks, no shell: "ccache gcc -m64". NULL: $CC, and where that
     * is not set the first of cc, gcc and clang on $PATH. */
    const char *compiler;
    const char *cache_directory;  /* NULL: see cache_place */
    uint64_t cache_limit;         /* bytes; 0: $WENGERT_CACHE_SIZE, else 256 MiB */
    double seconds;               /* that a run of the compiler may take, unless
                                     $WENGERT_COMPILE_SECONDS says otherwise; 0: 30 */
    const char *const *flags;     /* in front of the source, ends in NULL; NULL: none */
    const char *const *clang_flags; /* the same where the compiler is clang; NULL: flags too */
    /* Where it is a clang that can, loops shall call glibc's vector functions by the names of the
     * scalar ones; the macro WG_LIBMVEC tells the text. gcc is told by declarations. */
    bool vector_library;
    const char *const *libraries; /* behind the source, "-lm", ends in NULL; NULL: none */
    bool no_cache;
};

struct loaded {
    void *handle;
    bool cached; /* it was in the cache, and no process was run */
};

/* Compiles text as a shared object, or finds it in the cache, and loads it. `result` is then to be
 * given back by toolchain_unload; on failure it is all zero. To `log` (NULL: not wanted; else with
 * an allocator of its own) are appended the command line, what the compiler printed, at most 64 kB,
 * and why the cache was not used where it was not.
 * Errors: WG_ENATIVE where there is no compiler, it fails, is ended by a signal or by the limit of
 * time, or where its output does not load; WG_EIO where no directory to work in can be written;
 * WG_ENOMEM. A cache that cannot be used is no error: the work is done in a private directory under
 * $TMPDIR or /tmp, which is removed.
 * Safe with threads and in many processes at once, as long as nobody calls setenv meanwhile. Of the
 * process nothing is changed: no handlers, no masks, no working directory. The calling process may
 * ignore SIGCHLD or reap all children: what the compiler leaves then tells whether it succeeded.
 * A process with other effective than real ids trusts none of the environment. */
bool toolchain_load(const wg_allocator *allocator, const struct toolchain_options *options,
                    const char *text, size_t length, struct loaded *result, wg_text *log,
                    wg_error *error);
/* The address of what the text defines under this name; NULL if it does not. */
void *toolchain_symbol(const struct loaded *loaded, const char *name);
/* Takes one that is all zero, and leaves it all zero. Nothing of it may be called any more. */
void toolchain_unload(struct loaded *loaded);

/* ---- the cache ----------------------------------------------------------------------------- */

enum { CACHE_KEY_SIZE = 33 }; /* 128 bits in hex, and a NUL */

struct cache_entry {
    char key[CACHE_KEY_SIZE];
    uint64_t bytes;     /* of the object and its source */
    int64_t made, used; /* seconds since 1970: when it was compiled, last loaded */
};

struct cache_listing {
    VEC(struct cache_entry) entry; /* the one used last first */
    uint64_t bytes;                /* of all that lies in the cache */
};

/* Appends where the cache is: `given`, if that is NULL $WENGERT_CACHE, else
 * $XDG_CACHE_HOME/wengert, else $HOME/.cache/wengert. It need not exist. WG_ENATIVE if none of
 * these is set, WG_ENOMEM. */
bool cache_place(const char *given, wg_text *path, wg_error *error);
/* How many bytes the cache may hold: $WENGERT_CACHE_SIZE, a number with an optional K, M or G
 * (2^10, 2^20, 2^30), else 256 MiB. */
uint64_t cache_default_limit(void);
/* The entries; freed by cache_listing_free. A directory that does not exist is an empty one. */
bool cache_list(const wg_allocator *allocator, const char *directory, struct cache_listing *listing,
                wg_error *error);
void cache_listing_free(const wg_allocator *allocator, struct cache_listing *listing);
/* Removes entries, those used longest ago first, until at most `limit` bytes are left, and what
 * killed processes have left behind. Other files in the directory stay. WG_EIO, WG_ENOMEM. */
bool cache_trim(const wg_allocator *allocator, const char *directory, uint64_t limit,
                wg_error *error);

#endif
