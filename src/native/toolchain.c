/* Compiling and loading, in order: find the compiler, look into the cache, else write the text into
 * a new private directory, run the compiler there, store what it made, and load it. The directory
 * lies in the cache, so that storing is a rename, or is a temporary one where there is no cache. */
#define _GNU_SOURCE /* dladdr */
#include "native/parts.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

enum { USUAL_SECONDS = 30, MOST_LOG = 64 << 10 };

struct build {
    const struct toolchain_options *options;
    const char *text;
    size_t length;
    double seconds;
    wg_text *log;
    wg_error *error;

    struct compiler compiler;
    const char *const *flags;  /* of those given, the list for this compiler, and */
    const char *const *vector; /* what else it is told */
    char key[CACHE_KEY_SIZE];
    wg_text cache; /* the cache's directory; empty: none */
    /* of the compiler's run */
    wg_text directory, source, object;
    wg_text stored, stored_source; /* where object and source get into the cache */
    VEC(const char *) argv;
    struct environment environment;
};

static void build_start(struct build *b, const wg_allocator *allocator) {
    wg_allocator a = allocator_or_standard(allocator);
    wg_text *const text[] = {&b->cache,
                             &b->directory,
                             &b->source,
                             &b->object,
                             &b->stored,
                             &b->stored_source,
                             &b->compiler.words,
                             &b->compiler.path,
                             &b->compiler.stamp,
                             &b->compiler.version,
                             &b->environment.variable};
    for (size_t i = 0; i < COUNT_OF(text); i++) text[i]->allocator = a;
}

/* The compiler's run is over: its directory goes, and what was written for it. */
static void forget_run(struct build *b) {
    if (b->directory.size > 0) remove_directory(b->directory.data);
    wg_text *const text[] = {&b->directory, &b->source, &b->object};
    for (size_t i = 0; i < COUNT_OF(text); i++) text_cut(text[i], 0);
    b->environment.at.count = b->argv.count = 0;
    text_cut(&b->environment.variable, 0);
}

static void build_end(struct build *b) {
    forget_run(b);
    wg_text *const text[] = {&b->directory, &b->source, &b->object,
                             &b->stored,    &b->cache,  &b->stored_source};
    VEC_FREE(&b->cache.allocator, &b->argv);
    for (size_t i = 0; i < COUNT_OF(text); i++) wg_text_free(text[i]);
    compiler_free(&b->compiler);
    environment_free(&b->environment);
}

/* ---- the key ------------------------------------------------------------------------------- */

/* With its size, so that no two lists of fields are the same bytes. */
static void add_field(struct sha256 *hash, const void *bytes, size_t size) {
    uint64_t length = size;
    sha256_add(hash, &length, sizeof length);
    sha256_add(hash, bytes, size);
}

static void add_list(struct sha256 *hash, const char *const *list) {
    for (; list && *list; list++) add_field(hash, *list, strlen(*list));
    add_field(hash, NULL, 0);
}

/* Everything that the object depends on. */
static bool make_key(struct build *b) {
    static const char format[] = "wengert object 1";
    static const char *const variable[] = {"CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH",
                                           "GCC_EXEC_PREFIX", "COMPILER_PATH"};
    struct sha256 hash = sha256_start();
    wg_text processor = {.allocator = b->cache.allocator};
    bool ok = processor_identity(&processor) || !fail_memory(b->error);
    add_field(&hash, format, sizeof format);
    add_field(&hash, b->text, b->length);
    add_field(&hash, b->compiler.stamp.data, b->compiler.stamp.size);
    add_field(&hash, b->compiler.version.data, b->compiler.version.size);
    add_list(&hash, b->flags);
    add_list(&hash, b->vector);
    add_list(&hash, b->options->libraries);
    add_field(&hash, processor.data, processor.size);
    for (size_t i = 0; i < COUNT_OF(variable); i++) {
        const char *value = getenv(variable[i]);
        add_field(&hash, value, value ? strlen(value) : 0);
    }
    cache_key(&hash, b->key);
    wg_text_free(&processor);
    return ok;
}

/* ---- loading ------------------------------------------------------------------------------- */

/* The threads of an OpenMP library wait in it for more work, so that it must stay where it is when
 * the objects that brought it along are gone. */
static void keep_openmp(void *handle) {
    Dl_info about;
    void *known = dlsym(handle, "omp_get_thread_num");
    if (!known || !dladdr(known, &about) || !about.dli_fname) return;
    void *library = dlopen(about.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    if (library) dlclose(library);
}

static bool load(const char *path, struct loaded *result) {
    result->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (result->handle) keep_openmp(result->handle);
    return result->handle != NULL;
}

static bool load_object(struct build *b, const char *path, struct loaded *result) {
    if (load(path, result)) return true;
    const char *why = dlerror();
    return !fail_with(b->error, WG_ENATIVE, "what %s made does not load: %s", b->compiler.path.data,
                      why ? why : path);
}

/* An object that is damaged, or that loads no more, since a library that it needs is gone, is made
 * again and replaced. It is not removed: it might be another process's new one by then. */
static bool load_stored(struct build *b, struct loaded *result) {
    result->cached = cache_check(b->stored.data, b->key) && load(b->stored.data, result);
    return result->cached;
}

/* ---- the run ------------------------------------------------------------------------------- */

static bool cannot_write(struct build *b, const char *path) {
    int failure = errno;
    char reason[128];
    if (failure == ENOMEM) return !fail_memory(b->error);
    return !fail_with(b->error, WG_EIO, "cannot write into %s: %s", path,
                      system_reason(failure, reason, sizeof reason));
}

/* Where debuggers shall look for the source; the text's lines keep their numbers, for this is the
 * first of the file. Nothing for a path that no C string holds as it is. */
static bool source_line(const struct build *b, char *line, size_t size) {
    const char *path = b->stored_source.data;
    line[0] = '\n';
    line[1] = '\0';
    if (b->stored_source.size == 0 || strpbrk(path, "\"\\\n")) return true;
    return snprintf(line, size, "#line 2 \"%s\"\n", path) < (int)size;
}

/* A new directory in this one, with the source in it. The file's name is the key, so that the
 * loader, should it know an object of this name, knows the same one. */
static bool prepare(struct build *b, const char *parent) {
    char line[PATH_MAX + 16];
    if (!make_work_directory(parent, &b->directory)) return cannot_write(b, parent);
    if (!text_format(&b->source, "%s/%s.c", b->directory.data, b->key) ||
        !text_format(&b->object, "%s/%s.so", b->directory.data, b->key))
        return !fail_memory(b->error);
    if (!source_line(b, line, sizeof line)) strcpy(line, "\n");
    return write_new_file(b->source.data, (const void *[]){line, b->text},
                          (size_t[]){strlen(line), b->length}, 2) ||
           cannot_write(b, b->directory.data);
}

/* The temporary directory of the user's choice, where that is safe to load from. */
static bool prepare_temporary(struct build *b) {
    char real[PATH_MAX];
    const char *given = trusted_environment("TMPDIR");
    const char *parent = given && given[0] == '/' ? given : "/tmp";
    if (!realpath(parent, real)) return cannot_write(b, parent);
    const char *why = not_private(real, true);
    if (why) return !fail_with(b->error, WG_EIO, "cannot work in %s: it %s", real, why);
    return prepare(b, real);
}

/* In the cache, or where that fails beside it. */
static bool prepare_somewhere(struct build *b) {
    if (b->cache.size > 0) {
        wg_error inside = {0}, *error = b->error;
        b->error = &inside;
        bool ok = prepare(b, b->cache.data);
        b->error = error;
        if (ok) return true;
        if (inside.status == WG_ENOMEM) return !fail_memory(error);
        forget_run(b);
        text_cut(&b->cache, 0);
        text_cut(&b->stored_source, 0);
        if (b->log && !text_format(b->log, "no cache: %s\n", inside.message))
            return !fail_memory(error);
    }
    return prepare_temporary(b);
}

static bool push(struct build *b, const char *word) {
    const char **new = VEC_PUSH(&b->cache.allocator, &b->argv);
    if (new) *new = word;
    return new != NULL;
}

static bool push_list(struct build *b, const char *const *list) {
    bool ok = true;
    for (; ok && list && *list; list++) ok = push(b, *list);
    return ok;
}

static bool make_argv(struct build *b) {
    bool ok = true;
    for (size_t i = 0; ok && i < b->compiler.argv.count; i++) ok = push(b, b->compiler.argv.at[i]);
    return ok && push(b, "-shared") && push(b, "-fPIC") && push_list(b, b->flags) &&
           push_list(b, b->vector) && push(b, "-o") && push(b, b->object.data) &&
           push(b, b->source.data) &&
           push_list(b, b->options->libraries) && push(b, NULL);
}

static bool log_command(struct build *b) {
    bool ok = text_add(b->log, "$");
    for (size_t i = 0; ok && b->argv.at[i]; i++) ok = text_format(b->log, " %s", b->argv.at[i]);
    return ok && text_add(b->log, "\n");
}

static bool run_compiler(struct build *b) {
    wg_text unwanted = {.allocator = b->cache.allocator};
    enum process_end end;
    int code;
    if (!make_argv(b) || (b->log && !log_command(b))) return !fail_memory(b->error);
    if (!environment_with(&b->environment, b->directory.data, b->error)) return false;
    struct process process = {.argv = (char *const *)(uintptr_t)b->argv.at, /* read only */
                              .environment = b->environment.at.at,
                              .seconds = b->seconds,
                              .most = b->log ? MOST_LOG : 0};
    bool ok = process_run(&process, b->log ? b->log : &unwanted, &end, &code, b->error) &&
              compiler_succeeded(b->compiler.path.data, end, code, b->seconds, b->error);
    wg_text_free(&unwanted);
    if (ok && access(b->object.data, F_OK) != 0)
        ok = !fail_with(b->error, WG_ENATIVE, "%s made no object", b->compiler.path.data);
    return ok;
}

/* Whether the object is in the cache now. In any case it stays where it was made too. */
static bool store(struct build *b, const char *second_name) {
    if (b->cache.size == 0 || !cache_seal(b->object.data, b->key) ||
        link(b->object.data, second_name))
        return false;
    (void)rename(b->source.data, b->stored_source.data);
    return rename(second_name, b->stored.data) == 0;
}

static bool compile(struct build *b, struct loaded *result) {
    if (!prepare_somewhere(b) || !run_compiler(b)) return false;
    wg_text second = {.allocator = b->cache.allocator};
    if (!text_format(&second, "%s/stored", b->directory.data)) return !fail_memory(b->error);
    bool stored = store(b, second.data);
    wg_text_free(&second);
    /* From the cache if it can be, where debuggers find it afterwards; another process may have
     * removed it already. */
    if ((stored && load(b->stored.data, result)) || load_object(b, b->object.data, result))
        return true;
    if (stored) {
        (void)unlink(b->stored.data);
        (void)unlink(b->stored_source.data);
    }
    return false;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static bool open_cache(struct build *b) {
    wg_text note = {.allocator = b->cache.allocator};
    bool ok = cache_open(b->options->cache_directory, &b->cache, &note, b->error);
    if (ok && b->log && note.size > 0)
        ok = text_bytes(b->log, note.data, note.size) || !fail_memory(b->error);
    wg_text_free(&note);
    return ok;
}

/* What the compiler calls itself is part of an object's name, and tells which flags it takes. */
static bool ask_version(struct build *b) {
    bool told = b->options->clang_flags || b->options->vector_library;
    const char *cache = b->cache.size > 0 ? b->cache.data : NULL;
    return (!cache && !told) ||
           compiler_ask_version(&b->compiler, cache, b->seconds, b->error);
}

static void choose_flags(struct build *b) {
#if defined(__x86_64__) && defined(__GLIBC__)
    enum { KNOWS_LIBMVEC = 14 };
#else
    enum { KNOWS_LIBMVEC = INT_MAX };
#endif
    static const char *const libmvec[] = {"-fveclib=libmvec", "-DWG_LIBMVEC", NULL};
    int clang = clang_version(&b->compiler);
    b->flags = clang && b->options->clang_flags ? b->options->clang_flags : b->options->flags;
    b->vector = b->options->vector_library && clang >= KNOWS_LIBMVEC ? libmvec : NULL;
}

static bool name_stored(struct build *b) {
    return (text_format(&b->stored, "%s/%s.so", b->cache.data, b->key) &&
            text_format(&b->stored_source, "%s/%s.c", b->cache.data, b->key)) ||
           !fail_memory(b->error);
}

static bool find_or_compile(struct build *b, struct loaded *result) {
    if (!compiler_find(&b->compiler, b->options->compiler, b->error)) return false;
    if (!b->options->no_cache && !open_cache(b)) return false;
    if (!ask_version(b)) return false;
    choose_flags(b);
    if (!make_key(b)) return false;
    if (b->cache.size == 0) return compile(b, result);
    if (!name_stored(b)) return false;
    if (load_stored(b, result))
        return !b->log || text_format(b->log, "loaded %s\n", b->stored.data) ||
               !fail_memory(b->error);
    if (!compile(b, result)) return false;
    uint64_t limit = b->options->cache_limit ? b->options->cache_limit : cache_default_limit();
    wg_error trimming = {0}; /* a cache that is too large is no reason to fail */
    if (b->cache.size > 0 && !cache_trim(&b->cache.allocator, b->cache.data, limit, &trimming) &&
        trimming.status == WG_ENOMEM)
        return !fail_memory(b->error);
    return true;
}

static double seconds_of(const struct toolchain_options *options) {
    const char *text = trusted_environment("WENGERT_COMPILE_SECONDS");
    double said = text ? strtod(text, NULL) : 0;
    if (said > 0) return said;
    return options->seconds > 0 ? options->seconds : USUAL_SECONDS;
}

bool toolchain_load(const wg_allocator *allocator, const struct toolchain_options *options,
                    const char *text, size_t length, struct loaded *result, wg_text *log,
                    wg_error *error) {
    static const struct toolchain_options usual = {.no_cache = false};
    wg_error own = {0};
    *result = (struct loaded){.handle = NULL};
    if (failed(error)) return false;
    struct build b = {.options = options ? options : &usual,
                      .text = text,
                      .length = length,
                      .log = log,
                      .error = error ? error : &own};
    b.seconds = seconds_of(b.options);
    build_start(&b, allocator);
    bool ok = find_or_compile(&b, result);
    build_end(&b);
    if (!ok) toolchain_unload(result);
    return ok;
}

void *toolchain_symbol(const struct loaded *loaded, const char *name) {
    return loaded->handle ? dlsym(loaded->handle, name) : NULL;
}

void toolchain_unload(struct loaded *loaded) {
    if (loaded->handle) dlclose(loaded->handle);
    *loaded = (struct loaded){.handle = NULL};
}
