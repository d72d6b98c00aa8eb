/* The cache of compiled objects: a directory that only we can write, with for every key an object
 * KEY.so and its source KEY.c, where debuggers find it; and KEY.id, what a compiler calls itself.
 *
 * Whatever has such a name is whole: it was written under another name, in a directory of its own,
 * and renamed. So any number of processes use the cache at once without locks. Two that compile the
 * same text both do, and the last one's object stays. An object that is in use may be replaced or
 * removed, for what is mapped stays; and since the name tells the content, it does no harm that the
 * loader takes a name that it has loaded already for the same object.
 *
 * An object ends in a seal with its key and a checksum, behind what the loader reads. That finds
 * what a disk or a crash has damaged; against malice stands who may write. The time of access is
 * when an object was loaded last, that of change when it was made. */
#include "native/parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

enum { KEY_DIGITS = CACHE_KEY_SIZE - 1 };

/* ---- the place ----------------------------------------------------------------------------- */

bool cache_place(const char *given, wg_text *path, wg_error *error) {
    const char *own = given ? given : trusted_environment("WENGERT_CACHE");
    const char *shared = trusted_environment("XDG_CACHE_HOME"), *home = trusted_environment("HOME");
    bool ok;
    if (own)
        ok = text_add(path, own);
    else if (shared && shared[0] == '/') /* the XDG base directory specification wants it so */
        ok = text_format(path, "%s/wengert", shared);
    else if (home && home[0] == '/')
        ok = text_format(path, "%s/.cache/wengert", home);
    else
        return !fail_with(error, WG_ENATIVE,
                          "there is no place for a cache: neither WENGERT_CACHE nor XDG_CACHE_HOME "
                          "nor HOME is set");
    return ok || !fail_memory(error);
}

bool cache_open(const char *given, wg_text *path, wg_text *note, wg_error *error) {
    char real[PATH_MAX], reason[128];
    wg_text wanted = {.allocator = path->allocator};
    wg_error none = {0};
    bool ok = cache_place(given, &wanted, &none);
    if (!ok && none.status == WG_ENOMEM) return !fail_memory(error);
    const char *why = NULL;
    if (ok && (!make_directories(wanted.data) || !realpath(wanted.data, real)))
        why = system_reason(errno, reason, sizeof reason);
    else if (ok)
        why = not_private(real, false);
    if (!ok)
        ok = text_format(note, "no cache: %s\n", none.message);
    else if (why)
        ok = text_format(note, "no cache: %s %s%s\n", wanted.data, why == reason ? "- " : "", why);
    else
        ok = text_add(path, real);
    wg_text_free(&wanted);
    return ok || !fail_memory(error);
}

uint64_t cache_default_limit(void) {
    static const char units[] = "KMG";
    const uint64_t usual = (uint64_t)256 << 20;
    const char *text = trusted_environment("WENGERT_CACHE_SIZE");
    if (!text || *text < '0' || *text > '9') return usual;
    char *end;
    errno = 0;
    unsigned long long limit = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (errno || (*end && (!unit || end[1])) || limit > UINT64_MAX >> shift) return usual;
    return limit << shift;
}

void cache_key(struct sha256 *hash, char key[CACHE_KEY_SIZE]) {
    static const char digit[] = "0123456789abcdef";
    unsigned char digest[32];
    sha256_finish(hash, digest);
    for (int i = 0; i < KEY_DIGITS; i++) key[i] = digit[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    key[KEY_DIGITS] = '\0';
}

void cache_touch(int descriptor) {
    (void)futimens(descriptor,
                   (struct timespec[]){{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}});
}

/* ---- the seal ------------------------------------------------------------------------------ */

/* Read on the machine that wrote it, or on one whose processor has another key. */
struct seal {
    char magic[8];
    uint64_t size, checksum; /* of what stands in front of the seal */
    char key[KEY_DIGITS];
};

static const char magic[8] = "wengert";

static bool seal_of(int descriptor, uint64_t size, const char *key, struct seal *seal) {
    unsigned char bytes[16384];
    *seal = (struct seal){.size = size};
    memcpy(seal->magic, magic, sizeof magic);
    memcpy(seal->key, key, sizeof seal->key);
    for (uint64_t done = 0; done < size;) {
        size_t piece = size - done < sizeof bytes ? (size_t)(size - done) : sizeof bytes;
        if (read_up_to(descriptor, bytes, piece) != (int64_t)piece) return false;
        seal->checksum = hash_bytes(bytes, piece, seal->checksum);
        done += piece;
    }
    return true;
}

bool cache_seal(const char *object, const char *key) {
    struct stat about;
    struct seal seal;
    int descriptor = open(object, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) return false;
    /* The compiler has made it, with what our umask gives to others. */
    bool ok = fchmod(descriptor, 0700) == 0 && fstat(descriptor, &about) == 0 &&
              seal_of(descriptor, (uint64_t)about.st_size, key, &seal) &&
              write_all(descriptor, &seal, sizeof seal);
    return close(descriptor) == 0 && ok;
}

bool cache_check(const char *object, const char *key) {
    struct seal expected, found;
    uint64_t size;
    int descriptor = open(object, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return false;
    bool whole = is_private_file(descriptor, &size) && size > sizeof found &&
                 seal_of(descriptor, size - sizeof found, key, &expected) &&
                 read_up_to(descriptor, &found, sizeof found) == (int64_t)sizeof found &&
                 memcmp(&expected, &found, sizeof found) == 0;
    if (whole) cache_touch(descriptor);
    close(descriptor);
    return whole;
}

/* ---- what is there ------------------------------------------------------------------------- */

enum kind { KIND_OBJECT, KIND_SOURCE, KIND_VERSION, KIND_COUNT };
static const char *const ending[KIND_COUNT] = {".so", ".c", ".id"};

struct item { /* the files of one key */
    char key[CACHE_KEY_SIZE];
    bool has[KIND_COUNT];
    uint64_t bytes;
    int64_t made, used;
};

struct scan {
    wg_allocator allocator;
    DIR *directory;
    VEC(struct item) item;
};

/* False if this is no name of ours. */
static bool read_name(const char *name, struct item *item) {
    if (strspn(name, "0123456789abcdef") != KEY_DIGITS) return false;
    memcpy(item->key, name, KEY_DIGITS);
    item->key[KEY_DIGITS] = '\0';
    for (int kind = 0; kind < KIND_COUNT; kind++)
        item->has[kind] = strcmp(name + KEY_DIGITS, ending[kind]) == 0;
    return item->has[KIND_OBJECT] || item->has[KIND_SOURCE] || item->has[KIND_VERSION];
}

/* A directory in which a compiler worked whose parent process was killed. */
static void remove_if_left_behind(int parent, const char *path, const char *name) {
    enum { LONGEST_RUN = 3600 }; /* seconds; a longer one, if it lives, loses its files */
    struct stat about;
    char full[PATH_MAX];
    if (strncmp(name, WORK_PREFIX, sizeof WORK_PREFIX - 1) != 0) return;
    if (fstatat(parent, name, &about, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(about.st_mode)) return;
    if (time(NULL) - about.st_mtime < LONGEST_RUN) return;
    if (snprintf(full, sizeof full, "%s/%s", path, name) < (int)sizeof full) remove_directory(full);
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct item *)a)->key, ((const struct item *)b)->key);
}

static int by_use(const void *a, const void *b) {
    const struct item *p = a, *q = b;
    return p->used != q->used ? (p->used < q->used ? 1 : -1) : by_key(a, b);
}

static void join(struct scan *scan) {
    size_t count = 0;
    struct item *item = scan->item.at;
    if (scan->item.count > 0) qsort(item, scan->item.count, sizeof *item, by_key);
    for (size_t i = 0; i < scan->item.count; i++) {
        if (count == 0 || by_key(&item[count - 1], &item[i]) != 0) {
            item[count++] = item[i];
            continue;
        }
        struct item *first = &item[count - 1];
        /* Times are the object's; a source may be read for other reasons. */
        if (item[i].has[KIND_OBJECT]) first->made = item[i].made, first->used = item[i].used;
        first->bytes += item[i].bytes;
        for (int kind = 0; kind < KIND_COUNT; kind++)
            first->has[kind] = first->has[kind] || item[i].has[kind];
    }
    scan->item.count = count;
    if (count > 0) qsort(item, count, sizeof *item, by_use);
}

static int64_t nanoseconds(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec; }

static bool scan_file(struct scan *scan, const char *name) {
    struct item item = {.bytes = 0};
    struct stat about;
    /* Another process may have removed it since it was listed. */
    if (!read_name(name, &item) ||
        fstatat(dirfd(scan->directory), name, &about, AT_SYMLINK_NOFOLLOW) ||
        !S_ISREG(about.st_mode))
        return true;
    item.bytes = (uint64_t)about.st_size;
    item.made = nanoseconds(about.st_mtim);
    item.used = nanoseconds(about.st_atim);
    struct item *new = VEC_PUSH(&scan->allocator, &scan->item);
    if (new) *new = item;
    return new != NULL;
}

/* Reads the directory, the one used last first; scan_end in any case. One that does not exist is
 * empty and has no descriptor. */
static bool scan_start(struct scan *scan, const wg_allocator *a, const char *path, bool tidy,
                       wg_error *error) {
    char reason[128];
    *scan = (struct scan){.allocator = allocator_or_standard(a), .directory = opendir(path)};
    if (!scan->directory)
        return errno == ENOENT || !fail_with(error, WG_EIO, "%s: %s", path,
                                             system_reason(errno, reason, sizeof reason));
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(scan->directory));) {
        if (tidy) remove_if_left_behind(dirfd(scan->directory), path, entry->d_name);
        ok = scan_file(scan, entry->d_name);
    }
    if (ok) join(scan);
    return ok || !fail_memory(error);
}

static void scan_end(struct scan *scan) {
    if (scan->directory) closedir(scan->directory);
    VEC_FREE(&scan->allocator, &scan->item);
}

bool cache_list(const wg_allocator *allocator, const char *directory, struct cache_listing *listing,
                wg_error *error) {
    struct scan scan;
    *listing = (struct cache_listing){.bytes = 0};
    bool ok = scan_start(&scan, allocator, directory, false, error);
    for (size_t i = 0; ok && i < scan.item.count; i++) {
        const struct item *item = &scan.item.at[i];
        listing->bytes += item->bytes;
        if (!item->has[KIND_OBJECT]) continue;
        struct cache_entry *entry = VEC_PUSH(&scan.allocator, &listing->entry);
        ok = entry || !fail_memory(error);
        if (!entry) break;
        *entry = (struct cache_entry){
            .bytes = item->bytes, .made = item->made / 1000000000, .used = item->used / 1000000000};
        memcpy(entry->key, item->key, sizeof entry->key);
    }
    scan_end(&scan);
    if (!ok) cache_listing_free(allocator, listing);
    return ok;
}

void cache_listing_free(const wg_allocator *allocator, struct cache_listing *listing) {
    VEC_FREE(allocator, &listing->entry);
    listing->bytes = 0;
}

/* The object first: what has no object cannot be found. What another process has removed is gone,
 * which is as well. */
static bool remove_item(const struct scan *scan, const struct item *item) {
    char name[CACHE_KEY_SIZE + 8];
    bool ok = true;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (!item->has[kind]) continue;
        snprintf(name, sizeof name, "%s%s", item->key, ending[kind]);
        if (unlinkat(dirfd(scan->directory), name, 0) && errno != ENOENT) ok = false;
    }
    return ok;
}

bool cache_trim(const wg_allocator *allocator, const char *directory, uint64_t limit,
                wg_error *error) {
    struct scan scan;
    char reason[128];
    bool ok = scan_start(&scan, allocator, directory, true, error);
    uint64_t kept = 0;
    bool full = limit == 0;
    for (size_t i = 0; ok && i < scan.item.count; i++) {
        const struct item *item = &scan.item.at[i];
        full = full || item->bytes > limit - kept; /* then all that were used before go too */
        if (!full) kept += item->bytes;
        if (full && !remove_item(&scan, item))
            ok = !fail_with(error, WG_EIO, "%s: cannot remove %s: %s", directory, item->key,
                            system_reason(errno, reason, sizeof reason));
    }
    scan_end(&scan);
    return ok;
}
