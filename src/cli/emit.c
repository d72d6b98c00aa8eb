/* emit: a program and its derivatives as C. The names of functions come from the options or the
 * file's name, the text from the library. */
#include "cli/cli.h"
#include "ir/ir.h"

#include <ctype.h>

/* What --with may list: what stands behind the name, and the transformation's name as --after has
 * it. */
static const struct {
    const char *name, *after;
} derivatives[] = {{"grad", "grad"},    {"hvp", "hvp"}, {"jac", "jacobian"},
                   {"hess", "hessian"}, {"jvp", "jvp"}, {"vjp", "vjp"}};

enum { DERIVATIVES = COUNT_OF(derivatives), MOST = DERIVATIVES + 1 };

struct job {
    wg_program *program[MOST];
    const char *name[MOST];
    size_t count;
};

/* ---- names ----------------------------------------------------------------------------------- */

/* The file's name without folders and ".c", as an identifier. */
static const char *name_of_file(struct cli *c, const char *path) {
    const char *slash = strrchr(path, '/');
    char *name = (char *)(uintptr_t)keep_text(c, "%s", slash ? slash + 1 : path);
    if (!name) return NULL;
    char *dot = strrchr(name, '.');
    if (dot && dot != name) *dot = 0;
    for (char *s = name; *s; s++)
        if (!isalnum((unsigned char)*s) || (unsigned char)*s > 127) *s = '_';
    return isdigit((unsigned char)*name) ? keep_text(c, "f%s", name) : name;
}

static bool writes_files(const struct cli *c) {
    const char *path = option_text(c, OPT_OUTPUT);
    return path && strcmp(path, "-") != 0;
}

static const char *function_name(struct cli *c) {
    if (has_option(c, OPT_NAME)) return option_text(c, OPT_NAME);
    if (has_option(c, OPT_FUNCTION)) return option_text(c, OPT_FUNCTION);
    if (c->source) return wg_csource_function(c->source);
    return writes_files(c) ? name_of_file(c, option_text(c, OPT_OUTPUT)) : "f";
}

/* The header beside FILE.c; NULL and an error where the file is none. */
static const char *header_path(struct cli *c) {
    const char *path = option_text(c, OPT_OUTPUT);
    size_t length = strlen(path);
    if (length > 2 && strcmp(path + length - 2, ".c") == 0)
        return keep_text(c, "%.*s.h", (int)(length - 2), path);
    usage_error(c, "'%.64s' is no source of C: end it in .c", path);
    return NULL;
}

/* ---- programs -------------------------------------------------------------------------------- */

/* What --after gives of the program, which stays as it is also where one output is kept of it. */
static wg_program *derived(struct cli *c, const char *after) {
    wg_program *whole = program_copy(c->program, &c->allocator, &c->error);
    wg_program *result = whole ? transformed(c, after) : NULL;
    if (!whole) return NULL;
    wg_program_free(c->program);
    c->program = whole;
    return result;
}

static bool add_derivative(struct cli *c, struct job *job, const char *word, size_t length) {
    for (size_t i = 0; i < DERIVATIVES; i++) {
        if (strlen(derivatives[i].name) != length || memcmp(derivatives[i].name, word, length))
            continue;
        const char *name = keep_text(c, "%s_%s", job->name[0], derivatives[i].name);
        for (size_t k = 1; name && k < job->count; k++)
            if (strcmp(job->name[k], name) == 0)
                return usage_error(c, "--with: '%s' is listed twice", derivatives[i].name);
        wg_program *program = name ? derived(c, derivatives[i].after) : NULL;
        if (!program) return false;
        job->name[job->count] = name;
        job->program[job->count++] = program;
        return true;
    }
    return usage_error(c, "--with: there is no derivative '%.*s'; the known ones: "
                       "grad,hvp,jac,hess,jvp,vjp",
                       (int)(length < 64 ? length : 64), word);
}

static bool make_programs(struct cli *c, struct job *job) {
    const char *list = option_text(c, OPT_WITH), *word;
    size_t length;
    job->name[0] = function_name(c);
    if (!job->name[0]) return false;
    job->count = 1;
    for (const char *cursor = list; list && name_next(&cursor, &word, &length);)
        if (!add_derivative(c, job, word, length)) return false;
    job->program[0] = c->program;
    return true;
}

/* The code goes to c->out, the header to its file at once: the code is written last. */
static bool write_texts(struct cli *c, const struct job *job) {
    const char *path = writes_files(c) ? header_path(c) : NULL;
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (writes_files(c) && !path) return false;
    wg_text header = {.allocator = c->allocator};
    wg_emit_options options = {.prefix = option_text(c, OPT_PREFIX),
                               .header = slash ? slash + 1 : path,
                               .f32 = has_option(c, OPT_F32),
                               .cblas = has_option(c, OPT_CBLAS)};
    bool ok = wg_emit((const wg_program *const *)job->program, job->name, job->count, &options,
                      &c->out, &header, &c->error) == WG_OK;
    if (ok && path) {
        wg_text code = c->out;
        c->out = header;
        ok = write_file(c, path);
        c->out = code;
    }
    wg_text_free(&header);
    return ok;
}

bool command_emit(struct cli *c) {
    struct job job = {.count = 0};
    if (!has_option(c, OPT_WITH) && (has_option(c, OPT_OF) || has_option(c, OPT_WRT)))
        return usage_error(c, "--of and --wrt say what --with differentiates; give it too");
    bool ok = load(c, false) && make_programs(c, &job) && write_texts(c, &job);
    for (size_t i = 1; i < job.count; i++) wg_program_free(job.program[i]);
    return ok;
}
