/* Files: what the command reads, and the one that it writes. A file is replaced only once all of
 * the new one is written, so that no error loses the old one; what is not a regular file (a
 * terminal, a pipe, /dev/null) is written to as it is. */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE = 256 << 20 };

/* ---- reading ------------------------------------------------------------------------------- */

static bool read_stream(struct cli *c, FILE *file, const char *path, wg_text *text) {
    for (;;) {
        if (!text_reserve(text, 1 << 16)) return !fail_memory(&c->error);
        size_t room = text->capacity - text->size - 1;
        size_t count = fread(text->data + text->size, 1, room, file);
        text->size += count;
        text->data[text->size] = '\0';
        if (text->size > MAX_FILE)
            return input_error(c, WG_EOVERFLOW, "%s: more than %d MB of text", path,
                               MAX_FILE >> 20);
        if (count == room) continue;
        if (!ferror(file)) return true;
        return input_error(c, WG_EIO, "%s: %s", path, strerror(errno));
    }
}

bool read_file(struct cli *c, const char *path, wg_text *text) {
    if (strcmp(path, "-") == 0) return read_stream(c, stdin, "standard input", text);
    FILE *file = fopen(path, "rb");
    if (!file) {
        bool formula = errno == ENOENT && path == c->file && strpbrk(path, "=+*^()[]@ ");
        return input_error(c, WG_EIO, "%s: %s%s", path, strerror(errno),
                           formula ? "; a formula, not a file, comes behind -e" : "");
    }
    bool ok = read_stream(c, file, path, text);
    fclose(file);
    return ok;
}

/* ---- writing ------------------------------------------------------------------------------- */

static bool cannot_write(struct cli *c, const char *path) {
    return input_error(c, WG_EIO, "cannot write %s: %s", path, strerror(errno));
}

static bool write_stream(struct cli *c, FILE *file, const char *path) {
    if (fwrite(c->out.data, 1, c->out.size, file) == c->out.size && fflush(file) == 0) return true;
    return cannot_write(c, path);
}

/* Writes to a new file beside the target, with the rights that the target has or would get, and
 * puts it in the target's place. */
static bool replace_file(struct cli *c, const char *path, const char *target,
                         const struct stat *old) {
    wg_text name = {.allocator = c->allocator};
    if (!text_format(&name, "%s.XXXXXX", target)) return !fail_memory(&c->error);
    int descriptor = mkstemp(name.data);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    mode_t mask = umask(0);
    umask(mask);
    bool ok = file || cannot_write(c, path);
    if (ok && fchmod(descriptor, old ? old->st_mode & 0777 : 0666 & ~mask))
        ok = cannot_write(c, path);
    ok = ok && write_stream(c, file, path);
    if (file && fclose(file) && ok) ok = cannot_write(c, path);
    if (!file && descriptor >= 0) close(descriptor);
    if (ok && rename(name.data, target)) ok = cannot_write(c, path);
    if (!ok && descriptor >= 0) unlink(name.data);
    wg_text_free(&name);
    return ok;
}

bool write_file(struct cli *c, const char *path) {
    struct stat old;
    bool exists = stat(path, &old) == 0;
    if (exists && !S_ISREG(old.st_mode)) {
        FILE *file = fopen(path, "wb");
        if (!file) return cannot_write(c, path);
        bool ok = write_stream(c, file, path);
        if (fclose(file) && ok) ok = cannot_write(c, path);
        return ok;
    }
    char *real = exists ? realpath(path, NULL) : NULL; /* a link stays a link */
    bool ok = replace_file(c, path, real ? real : path, exists ? &old : NULL);
    free(real);
    return ok;
}

bool write_out(struct cli *c) {
    if (c->out.size == 0) return true;
    const char *path = c->command ? option_text(c, OPT_OUTPUT) : NULL;
    if (path && strcmp(path, "-") != 0) return write_file(c, path);
    return write_stream(c, stdout, "standard output");
}
