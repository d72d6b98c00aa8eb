/* Which C compiler there is, and what tells it from every other one: objects of one compiler, or
 * for one processor, must not be taken for those of another. Finding it starts no process; what it
 * calls itself is asked once and then remembered in the cache. */
#include "native/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#endif

extern char **environ;

/* ---- programs on $PATH --------------------------------------------------------------------- */

static bool is_program(const char *path, struct stat *about) {
    return stat(path, about) == 0 && S_ISREG(about->st_mode) && access(path, X_OK) == 0;
}

/* Appends the path of a program. Of $PATH only absolute directories count: what a name means must
 * not depend on where one stands. *found: whether there is one. False without memory. */
static bool find_program(const char *name, wg_text *path, struct stat *about, bool *found) {
    const char *at = trusted_environment("PATH");
    if (!at) at = "/usr/local/bin:/usr/bin:/bin";
    *found = false;
    if (strchr(name, '/')) {
        *found = is_program(name, about);
        return text_add(path, name);
    }
    while (*at) {
        size_t length = strcspn(at, ":"), before = path->size;
        if (*at == '/') {
            if (!text_format(path, "%.*s/%s", (int)length, at, name)) return false;
            *found = is_program(path->data + before, about);
            if (*found) return true;
            text_cut(path, before);
        }
        at += length + (at[length] == ':');
    }
    return true;
}

/* ---- the words ----------------------------------------------------------------------------- */

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static bool split(struct compiler *c, const char *command) {
    const wg_allocator *a = &c->words.allocator;
    if (!text_add(&c->words, command)) return false;
    for (char *at = c->words.data; *at;) {
        if (is_blank(*at)) {
            *at++ = '\0';
            continue;
        }
        char **word = VEC_PUSH(a, &c->argv);
        if (!word) return false;
        *word = at;
        while (*at && !is_blank(*at)) at++;
    }
    return true;
}

static bool stamp_program(struct compiler *c, const char *path, const struct stat *about) {
    return text_format(&c->stamp, "%s %lld %lld.%09ld\n", path, (long long)about->st_size,
                       (long long)about->st_mtim.tv_sec, about->st_mtim.tv_nsec);
}

/* The words behind the first may be programs too, as in "ccache gcc": that one matters. */
static bool stamp_words(struct compiler *c) {
    wg_text path = {.allocator = c->words.allocator};
    struct stat about;
    bool found, ok = true;
    for (size_t i = 1; ok && i < c->argv.count; i++) {
        const char *word = c->argv.at[i];
        text_cut(&path, 0);
        ok = text_format(&c->stamp, "%s\n", word);
        if (!ok || word[0] == '-') continue;
        ok = find_program(word, &path, &about, &found);
        if (ok && found) ok = stamp_program(c, path.data, &about);
    }
    wg_text_free(&path);
    return ok;
}

/* *found: whether the first word of the command is a program. */
static bool try_command(struct compiler *c, const char *command, bool *found) {
    struct stat about;
    *found = false;
    c->argv.count = 0;
    text_cut(&c->words, 0);
    if (!split(c, command)) return false;
    if (c->argv.count == 0) return true;
    if (!find_program(c->argv.at[0], &c->path, &about, found)) return false;
    if (!*found) return true;
    c->argv.at[0] = c->path.data;
    return stamp_program(c, c->path.data, &about) && stamp_words(c);
}

bool compiler_find(struct compiler *compiler, const char *wanted, wg_error *error) {
    static const char *const usual[] = {"cc", "gcc", "clang"};
    const char *command = wanted ? wanted : trusted_environment("CC");
    bool found = false;
    if (command) {
        if (!try_command(compiler, command, &found)) return !fail_memory(error);
        return found || !fail_with(error, WG_ENATIVE, "there is no compiler '%.200s'%s", command,
                                   wanted ? "" : ", which $CC names");
    }
    for (size_t i = 0; !found && i < COUNT_OF(usual); i++)
        if (!try_command(compiler, usual[i], &found)) return !fail_memory(error);
    return found || !fail_with(error, WG_ENATIVE,
                               "there is no C compiler: none of cc, gcc and clang is on $PATH\n"
                               "  hint: install one, or name it in $CC");
}

void compiler_free(struct compiler *compiler) {
    VEC_FREE(&compiler->words.allocator, &compiler->argv);
    wg_text_free(&compiler->words);
    wg_text_free(&compiler->path);
    wg_text_free(&compiler->stamp);
    wg_text_free(&compiler->version);
}

/* ---- its environment ----------------------------------------------------------------------- */

bool environment_with(struct environment *environment, const char *directory, wg_error *error) {
    static const char name[] = "TMPDIR=";
    const wg_allocator *a = &environment->variable.allocator;
    size_t count = 0;
    while (environ && environ[count]) count++;
    if (!text_format(&environment->variable, "%s%s", name, directory) ||
        !VEC_RESERVE(a, &environment->at, count + 2))
        return !fail_memory(error);
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], name, sizeof name - 1) != 0)
            environment->at.at[environment->at.count++] = environ[i];
    environment->at.at[environment->at.count++] = environment->variable.data;
    environment->at.at[environment->at.count++] = NULL;
    return true;
}

void environment_free(struct environment *environment) {
    VEC_FREE(&environment->variable.allocator, &environment->at);
    wg_text_free(&environment->variable);
}

/* ---- its version --------------------------------------------------------------------------- */

bool compiler_succeeded(const char *path, enum process_end end, int code, double seconds,
                        wg_error *error) {
    switch (end) {
    case PROCESS_UNKNOWN: return true; /* what it leaves behind will tell */
    case PROCESS_TIMED_OUT:
        return !fail_with(error, WG_ENATIVE, "%s was stopped: it took more than %g seconds", path,
                          seconds);
    case PROCESS_SIGNALLED:
        return !fail_with(error, WG_ENATIVE, "%s was ended by signal %d", path, code);
    case PROCESS_EXITED: break;
    }
    return code == 0 || !fail_with(error, WG_ENATIVE, "%s failed with exit status %d", path, code);
}

bool make_work_directory(const char *parent, wg_text *path) {
    size_t before = path->size;
    if (!text_format(path, "%s/" WORK_PREFIX "XXXXXX", parent)) {
        errno = ENOMEM;
        return false;
    }
    if (mkdtemp(path->data + before)) return true;
    text_cut(path, before);
    return false;
}

/* What cannot be kept is asked again the next time. False without memory. */
static bool remember(const struct compiler *c, const char *cache, const char *file) {
    wg_text work = {.allocator = c->words.allocator}, path = {.allocator = c->words.allocator};
    bool ok = make_work_directory(cache, &work);
    if (!ok && errno != ENOMEM) return true;
    ok = ok && text_format(&path, "%s/version", work.data);
    if (ok && write_new_file(path.data, (const void *[]){c->version.data},
                             (size_t[]){c->version.size}, 1))
        (void)rename(path.data, file);
    if (work.size > 0) remove_directory(work.data);
    wg_text_free(&path);
    wg_text_free(&work);
    return ok;
}

enum { LONGEST_VERSION = 255 };

/* The version has room for the line. */
static bool recall(struct compiler *c, const char *file) {
    char line[LONGEST_VERSION + 1];
    uint64_t size;
    int descriptor = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return false;
    bool known = is_private_file(descriptor, &size) && size > 0 && size < sizeof line &&
                 read_up_to(descriptor, line, sizeof line) == (int64_t)size &&
                 line[size - 1] == '\n' && text_bytes(&c->version, line, (size_t)size);
    if (known) cache_touch(descriptor);
    close(descriptor);
    return known;
}

/* A compiler that knows no --version has an empty one; one that hangs is not asked for more. */
static bool ask(struct compiler *c, double seconds, wg_error *error) {
    const wg_allocator *a = &c->words.allocator;
    enum process_end end;
    int code;
    if (!VEC_RESERVE(a, &c->argv, c->argv.count + 2)) return !fail_memory(error);
    c->argv.at[c->argv.count] = "--version";
    c->argv.at[c->argv.count + 1] = NULL;
    struct process process = {.argv = c->argv.at,
                              .environment = environ,
                              .seconds = seconds,
                              .most = LONGEST_VERSION - 1};
    if (!process_run(&process, &c->version, &end, &code, error)) return false;
    if (end == PROCESS_TIMED_OUT) return compiler_succeeded(c->path.data, end, 0, seconds, error);
    text_cut(&c->version, strcspn(c->version.data, "\n"));
    return text_add(&c->version, "\n") || !fail_memory(error);
}

bool compiler_ask_version(struct compiler *c, const char *cache, double seconds, wg_error *error) {
    char key[CACHE_KEY_SIZE];
    struct sha256 hash = sha256_start();
    wg_text file = {.allocator = c->words.allocator};
    sha256_add(&hash, c->stamp.data, c->stamp.size);
    cache_key(&hash, key);
    bool ok = (text_format(&file, "%s/%s.id", cache ? cache : "", key) &&
               text_reserve(&c->version, LONGEST_VERSION)) ||
              !fail_memory(error);
    if (ok && !(cache && recall(c, file.data)))
        ok = ask(c, seconds, error) &&
             (!cache || remember(c, cache, file.data) || !fail_memory(error));
    wg_text_free(&file);
    return ok;
}

int clang_version(const struct compiler *c) {
    static const char name[] = "clang version ";
    const char *at = c->version.data ? strstr(c->version.data, name) : NULL;
    return at ? atoi(at + sizeof name - 1) : 0;
}

/* ---- the processor ------------------------------------------------------------------------- */

#if defined(__x86_64__) || defined(__i386__)
/* Maker, family and model, what it can do, and what of that the system lets programs use (XCR0). */
static bool processor_features(wg_text *identity) {
    unsigned a, b, c, d, model = 0, can[8] = {0}, low = 0, high = 0, maker[3] = {0};
    if (__get_cpuid(0, &a, &b, &c, &d)) maker[0] = b, maker[1] = c, maker[2] = d;
    if (__get_cpuid(1, &a, &b, &c, &d)) model = a, can[0] = c, can[1] = d;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) can[2] = b, can[3] = c, can[4] = d;
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) can[5] = a;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) can[6] = c, can[7] = d;
    enum { OSXSAVE = 1 << 27 };
    if (can[0] & OSXSAVE) __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    bool ok = text_format(identity, "%x %x.%x %x %x %x", model, low, high, maker[0], maker[1],
                          maker[2]);
    for (size_t i = 0; ok && i < COUNT_OF(can); i++) ok = text_format(identity, " %x", can[i]);
    return ok;
}
#elif defined(__linux__)
static bool processor_features(wg_text *identity) {
    return text_format(identity, "%lx %lx", getauxval(AT_HWCAP), getauxval(AT_HWCAP2));
}
#else
static bool processor_features(wg_text *identity) { return text_add(identity, "unknown"); }
#endif

bool processor_identity(wg_text *identity) {
    struct utsname name;
    if (uname(&name) < 0) return text_add(identity, "unnamed");
    return text_format(identity, "%s %s ", name.sysname, name.machine) &&
           processor_features(identity);
}
