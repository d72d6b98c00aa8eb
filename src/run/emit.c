/* C to take away: each program is planned as native code is, and written with its storage as
 * pieces of one workspace. */
#include "native/write.h"
#include "run/run.h"
#include "transform/transform.h"
#include "wengert/emit.h"

#include <ctype.h>

static bool check_name(const char *const *names, size_t index, wg_error *error);

struct job {
    struct wg_function *fn;
    const char *name;
    bool cblas;
    wg_text *code, *header;   /* header NULL: it is static */
    struct shipped_work *work; /* NULL: nobody asks */
};

static bool ship(const struct writing *writing, void *context, wg_error *error) {
    const struct job *job = context;
    struct ship_wanted wanted = {job->name, job->header ? SHIP_PROGRAM : SHIP_CORE, job->cblas, 0};
    return ship_function(job->fn, writing, &wanted, job->code, job->header, job->work, error);
}

static bool emit_program(const wg_program *program, const char *name,
                         const wg_emit_options *options, wg_text *code, wg_text *header,
                         wg_error *error) {
    wg_program *narrow = options->f32 ? program_narrow(program, error) : NULL;
    if (options->f32 && !narrow) return false;
    struct job job = {function_prepare(narrow ? narrow : program, NULL, NATIVE_WHOLE, NULL, error),
                      name, options->cblas, code, header, NULL};
    struct native_bodies bodies = {name, name, false, options->cblas, code, job.fn,
                                   NULL, NULL};
    bool ok = job.fn && native_plan(job.fn, &bodies, ship, &job, error);
    wg_function_free(job.fn);
    wg_program_free(narrow);
    return ok;
}

bool emit_core(const wg_program *program, const char *name, bool cblas, wg_text *code,
               struct shipped_work *work, wg_error *error) {
    if (!check_name(&name, 0, error)) return false;
    struct job job = {function_prepare(program, NULL, NATIVE_WHOLE, NULL, error), name, cblas, code,
                      NULL, work};
    struct native_bodies bodies = {name, name, false, cblas, code, job.fn, NULL, NULL};
    bool ok = job.fn && native_plan(job.fn, &bodies, ship, &job, error);
    wg_function_free(job.fn);
    return ok;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool check_name(const char *const *names, size_t index, wg_error *error) {
    const char *name = names[index];
    size_t length = strlen(name);
    bool good = length && length <= MAX_FUNCTION_NAME && !isdigit((unsigned char)name[0]) &&
                !is_c_keyword(name);
    for (size_t i = 0; i < length; i++)
        good = good && (unsigned char)name[i] < 128 &&
               (isalnum((unsigned char)name[i]) || name[i] == '_');
    if (!good)
        return fail_with(error, WG_ENAME, "emit: \"%.64s\" cannot be the name of a function in C",
                         name),
               false;
    for (size_t i = 0; i < index; i++)
        if (strcmp(names[i], name) == 0)
            return fail_with(error, WG_ENAME, "emit: two functions are called \"%.64s\"", name),
                   false;
    return true;
}

/* prefix and name of each, one behind the other in `text`. */
static bool join_names(const char *const *name, size_t count, const char *prefix, wg_text *text,
                       const char **joined, wg_error *error) {
    bool ok = text_add(text, "");
    for (size_t i = 0; i < count && ok; i++)
        ok = text_add(text, prefix) && text_add(text, name[i]) && text_bytes(text, "", 1);
    if (!ok) return fail_memory(error), false;
    const char *s = text->data;
    for (size_t i = 0; i < count; i++, s += strlen(s) + 1) {
        joined[i] = s;
        if (!check_name(joined, i, error)) return false;
    }
    return true;
}

/* ---- the files ------------------------------------------------------------------------------- */

static const char how_to_call[] =
    "/* Functions return 0; 1 if an index lies outside its axis, or the largest of no elements is\n"
    " * asked for where there is none; 2 if a size is negative or the sizes do not go together.\n"
    " * Tensors are dense and row-major; outputs overlap nothing; work is aligned as malloc\n"
    " * aligns, and may be NULL where it has no bytes. There is no state: any number of threads\n"
    " * may call at once, each with a work of its own. Written by wengert; this text binds\n"
    " * nobody. */\n";

static const char declarations[] =
    "#include <stddef.h>\n"
    "#include <stdint.h>\n"
    "\n"
    "#ifndef WG_RESTRICT /* outputs and work overlap nothing */\n"
    RESTRICT_DEFINITION
    "\n"
    "#ifdef __cplusplus\n"
    "extern \"C\" {\n"
    "#endif\n";

/* A word of the name, in capitals. */
static bool add_guard(wg_text *out, const char *name) {
    bool ok = true;
    for (; *name && ok; name++) {
        char c = isalnum((unsigned char)*name) && (unsigned char)*name < 128
                     ? (char)toupper((unsigned char)*name)
                     : '_';
        ok = text_bytes(out, &c, 1);
    }
    return ok;
}

static bool add_header(wg_text *out, const char *name, const char *declared) {
    bool ok = text_add(out, "#ifndef EMITTED_") && add_guard(out, name) &&
              text_add(out, "\n#define EMITTED_") && add_guard(out, name);
    return ok && text_add(out, "\n\n") && text_add(out, how_to_call) &&
           text_add(out, declarations) && text_add(out, declared) &&
           text_add(out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

struct texts { /* of all programs */
    wg_text functions, declared, names, code, header;
};

static bool emit_all(const wg_program *const *program, const char **joined, size_t count,
                     const wg_emit_options *o, struct texts *t, wg_error *error) {
    for (size_t i = 0; i < count; i++) {
        if (i && !text_add(&t->functions, "\n")) return fail_memory(error), false;
        if (!emit_program(program[i], joined[i], o, &t->functions, &t->declared, error))
            return false;
    }
    bool ok = add_header(&t->header, o->header ? o->header : count ? joined[0] : "none",
                         t->declared.data ? t->declared.data : "");
    if (ok && o->header) ok = text_format(&t->code, "#include \"%s\"\n\n", o->header);
    else
        ok = ok && text_bytes(&t->code, t->header.data, t->header.size) &&
             text_add(&t->code, "\n");
    const char *functions = t->functions.data ? t->functions.data : "";
    if (!ok || !ship_runtime(functions, o->cblas, &t->code, error) ||
        !text_add(&t->code, functions))
        return fail_memory(error), false;
    return true;
}

wg_status wg_emit(const wg_program *const *program, const char *const *name, size_t count,
                  const wg_emit_options *options, wg_text *code, wg_text *header,
                  wg_error *error) {
    static const wg_emit_options none = {0};
    const wg_emit_options *o = options ? options : &none;
    if (failed(error)) return error->status;
    wg_error own = {0};
    if (!error) error = &own;
    bool given = program && name && count && code && header;
    for (size_t i = 0; given && i < count; i++) given = program[i] && name[i];
    if (!given)
        return fail_with(error, WG_EARGUMENT, "emit: programs, names, code or header are missing");
    const wg_allocator *a = &program[0]->t.allocator;
    struct texts t = {{.allocator = *a}, {.allocator = *a}, {.allocator = *a},
                      {.allocator = *a}, {.allocator = *a}};
    const char **joined = mem_alloc(a, count * sizeof *joined);
    size_t before = code->size;
    bool ok = joined || !fail_memory(error);
    ok = ok && join_names(name, count, o->prefix ? o->prefix : "", &t.names, joined, error) &&
         emit_all(program, joined, count, o, &t, error);
    if (ok && !(text_bytes(code, t.code.data, t.code.size) &&
                text_bytes(header, t.header.data, t.header.size))) {
        if (code->data) text_cut(code, before);
        fail_memory(error);
    }
    mem_free(a, joined, count * sizeof *joined);
    wg_text_free(&t.functions);
    wg_text_free(&t.declared);
    wg_text_free(&t.names);
    wg_text_free(&t.code);
    wg_text_free(&t.header);
    return error->status;
}

wg_status wg_show_lowered(const wg_program *program, wg_text *out, wg_error *error) {
    if (failed(error)) return error->status;
    wg_error own = {0};
    if (!error) error = &own;
    if (!program || !out)
        return fail_with(error, WG_EARGUMENT, "show: the %s is NULL", program ? "text" : "program");
    const wg_allocator *a = &program->t.allocator;
    wg_text functions = {.allocator = *a}, declared = {.allocator = *a};
    if (emit_program(program, "program", &(wg_emit_options){0}, &functions, &declared, error) &&
        !text_bytes(out, functions.data, functions.size))
        fail_memory(error);
    wg_text_free(&functions);
    wg_text_free(&declared);
    return error->status;
}
