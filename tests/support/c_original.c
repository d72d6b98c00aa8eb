/* The caller that is written for a function copies each input to where C has it, calls, and copies
 * what the program has as outputs back; what has no output must be as it was. */
#include "support/c_original.h"

#include "csource/tree.h"
#include "ir/ir.h"

#include <dlfcn.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* ---- the text of the caller ------------------------------------------------------------------ */

struct writer {
    wg_text *text;
    wg_error *error;
    const wg_program *p;
    const wg_csource_options *options;
    enum { READING, WRITING } way;
};

static void put(struct writer *w, const char *format, ...) {
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_add(w->text, line);
}

static const char *stored_as(const wg_type *type) {
    static const char *const names[] = {"_Bool", "int", "long long", "float", "double"};
    return names[type->dtype];
}

static const char *without_const(const char *type) {
    return strncmp(type, "const ", 6) == 0 ? type + 6 : type;
}

static void put_loops(struct writer *w, size_t loops, const char *const *length) {
    for (size_t i = 0; i < loops; i++)
        put(w, "    for (long e%zu = 0; e%zu < %s; e%zu++)\n", i, i, length[i], i);
}

/* A scalar at `place`, or all those that the brackets in `place` stand for, named e0, e1, ... with
 * the lengths in `length`. */
static void write_leaf(struct writer *w, const struct ctype *type, const char *place,
                       const char *path, size_t loops, const char *const *length) {
    int in = wg_input_index(w->p, path), out = wg_output_index(w->p, path);
    int size = wg_size_index(w->p, path);
    if (w->way == READING && size >= 0) {
        put_loops(w, loops, length);
        put(w, "    %s = (%s)size[%d];\n", place, without_const(type->text), size);
        return;
    }
    int index = w->way == READING || out < 0 ? in : out;
    if (index < 0) return; /* what is not used */
    wg_type t = w->way == READING || out < 0 ? wg_input_type(w->p, (size_t)index)
                                             : wg_output_type(w->p, (size_t)index);
    put(w, "    k_ = 0;\n");
    put_loops(w, loops, length);
    if (w->way == READING)
        put(w, "    { %s = (%s)((const %s *)in[%d])[k_]; k_++; }\n", place,
            without_const(type->text), stored_as(&t), index);
    else if (out >= 0)
        put(w, "    { ((%s *)out[%d])[k_] = (%s)%s; k_++; }\n", stored_as(&t), index, stored_as(&t),
            place);
    else
        put(w, "    { %s was = (%s)((const %s *)in[%d])[k_], is = %s; k_++; "
               "changed_ |= memcmp(&was, &is, sizeof is) != 0; }\n",
            without_const(type->text), without_const(type->text), stored_as(&t), index, place);
}

enum { MOST_LOOPS = 12 };

/* `place` is of this type; some of its brackets have loops already. */
static void write_part(struct writer *w, const struct ctype *type, const char *place,
                       const char *path, size_t loops, const char **length) {
    char inner[512], name[256], count[32];
    if (type->kind == TYPE_ARRAY) {
        if (loops >= MOST_LOOPS) return;
        snprintf(inner, sizeof inner, "%s[e%zu]", place, loops);
        snprintf(count, sizeof count, "%lld", (long long)type->count);
        length[loops] = count;
        write_part(w, type->of, inner, path, loops + 1, length);
        return;
    }
    if (type->kind == TYPE_RECORD) {
        for (size_t i = 0; i < type->record->count; i++) {
            const struct field *f = &type->record->field[i];
            snprintf(inner, sizeof inner, "%s.%s", place, f->name);
            snprintf(name, sizeof name, "%s.%s", path, f->name);
            write_part(w, f->type, inner, name, loops, length);
        }
        return;
    }
    if (type->kind == TYPE_POINTER) {
        int in = wg_input_index(w->p, path);
        if (in < 0 || loops) return; /* a null pointer */
        if (w->way == READING)
            put(w, "    %s = count[%d] ? malloc((size_t)count[%d] * sizeof *%s) : 0;\n", place, in,
                in, place);
        snprintf(inner, sizeof inner, "%s[e0]", place);
        snprintf(count, sizeof count, "count[%d]", in);
        length[0] = count;
        write_part(w, type->of, inner, path, 1, length);
        return;
    }
    write_leaf(w, type, place, path, loops, length);
}

/* How many elements of the record or scalar a pointer parameter points to: by the first input that
 * is in it, over what each of them has of that. */
static void count_of(const struct writer *w, const struct ctype *of, const char *path, char *text,
                     size_t room, int64_t each) {
    char name[256];
    if (of->kind == TYPE_ARRAY) {
        count_of(w, of->of, path, text, room, each * of->count);
    } else if (of->kind == TYPE_RECORD) {
        for (size_t i = 0; i < of->record->count && !*text; i++) {
            snprintf(name, sizeof name, "%s.%s", path, of->record->field[i].name);
            count_of(w, of->record->field[i].type, name, text, room, each);
        }
    } else if (of->kind != TYPE_POINTER) {
        int in = wg_input_index(w->p, path);
        if (in >= 0) snprintf(text, room, "count[%d] / %lld", in, (long long)each);
    }
}

static const struct ctype *element_of(const struct decl *d) {
    const struct ctype *of = d->type->of;
    while (of->kind == TYPE_ARRAY) of = of->of;
    return of;
}

static bool is_pointer(const struct decl *d) {
    return d->type->kind == TYPE_POINTER || d->type->kind == TYPE_ARRAY;
}

static bool points_to_one(const struct writer *w, const struct decl *d) {
    size_t n = strlen(d->name);
    for (size_t i = 0; i < w->options->size_count; i++)
        if (strncmp(w->options->size[i], d->name, n) == 0 && w->options->size[i][n] == '=')
            return false;
    return d->type->kind == TYPE_POINTER && d->type->of->kind != TYPE_ARRAY;
}

static void write_parameter(struct writer *w, const struct decl *d) {
    char place[128], count[64] = "";
    const char *length[MOST_LOOPS];
    if (!is_pointer(d)) {
        snprintf(place, sizeof place, "a_%s", d->name);
        if (w->way == READING) {
            put(w, "    %s %s;\n", without_const(d->type->text), place);
            put(w, "    memset(&%s, 0, sizeof %s);\n", place, place);
            write_part(w, d->type, place, d->name, 0, length);
        }
        return;
    }
    const struct ctype *of = element_of(d);
    snprintf(place, sizeof place, "a_%s", d->name);
    count_of(w, of, d->name, count, sizeof count, 1);
    if (!*count) snprintf(count, sizeof count, "1");
    if (w->way == READING)
        put(w, "    %s *%s = calloc((size_t)(%s) + 1, sizeof *%s);\n", without_const(of->text),
            place, count, place);
    bool alone = points_to_one(w, d);
    snprintf(place, sizeof place, alone ? "a_%s[0]" : "a_%s[e0]", d->name);
    length[0] = count;
    write_part(w, of, place, d->name, !alone, length);
}

static void write_freeing(struct writer *w, const struct ctype *type, const char *place,
                          const char *path) {
    char inner[512], name[256];
    if (type->kind == TYPE_POINTER && wg_input_index(w->p, path) >= 0)
        put(w, "    free((void *)%s);\n", place);
    for (size_t i = 0; type->kind == TYPE_RECORD && i < type->record->count; i++) {
        snprintf(inner, sizeof inner, "%s.%s", place, type->record->field[i].name);
        snprintf(name, sizeof name, "%s.%s", path, type->record->field[i].name);
        write_freeing(w, type->record->field[i].type, inner, name);
    }
}

static void write_caller(struct writer *w, const struct decl *f) {
    const char *length[MOST_LOOPS];
    put(w, "int call_%s(const int64_t *size, const int64_t *count, const void *const *in, "
           "void *const *out);\n", f->name);
    put(w, "int call_%s(const int64_t *size, const int64_t *count, const void *const *in, "
           "void *const *out) {\n    long k_ = 0;\n    int changed_ = 0;\n"
           "    (void)size, (void)count, (void)in, (void)out, (void)k_;\n", f->name);
    w->way = READING;
    for (size_t i = 0; i < f->parameter_count; i++) write_parameter(w, f->parameter[i]);
    const struct ctype *type = f->type->of;
    put(w, "    ");
    if (type->kind != TYPE_VOID) put(w, "%s r_ = ", without_const(type->text));
    put(w, "%s(", f->name);
    for (size_t i = 0; i < f->parameter_count; i++)
        put(w, "%s%sa_%s", i ? ", " : "", is_pointer(f->parameter[i]) ? "(void *)" : "",
            f->parameter[i]->name);
    put(w, ");\n");
    w->way = WRITING;
    if (type->kind != TYPE_VOID) write_part(w, type, "r_", "return", 0, length);
    for (size_t i = 0; i < f->parameter_count; i++) write_parameter(w, f->parameter[i]);
    for (size_t i = 0; i < f->parameter_count; i++) {
        char place[128];
        const struct decl *d = f->parameter[i];
        snprintf(place, sizeof place, is_pointer(d) ? "a_%s[0]" : "a_%s", d->name);
        write_freeing(w, is_pointer(d) ? element_of(d) : d->type, place, d->name);
        if (is_pointer(d)) put(w, "    free(a_%s);\n", d->name);
    }
    put(w, "    return changed_;\n}\n");
}

bool original_write(const char *path, const wg_csource_options *options, const wg_csource *source,
                    wg_text *text, wg_error *error) {
    struct tree *t = tree_read(path, options, NULL, error);
    struct decl *f = t ? tree_function(t, wg_csource_function(source), error) : NULL;
    struct writer w = {.text = text, .error = error, .p = wg_csource_program(source), .options = options};
    if (f && tree_body(t, f)) write_caller(&w, f);
    tree_free(t);
    return f != NULL;
}

/* ---- compiled and loaded --------------------------------------------------------------------- */

struct original {
    void *library;
};

static int run_compiler(const char *const *argument) {
    pid_t child;
    int state;
    if (posix_spawnp(&child, argument[0], NULL, NULL, (char *const *)(uintptr_t)argument, environ))
        return -1;
    if (waitpid(child, &state, 0) < 0) return -1;
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* The elementary functions are the library's own, which are not the C library's to the last digit. */
static void write_elementary(FILE *file) {
    static const char *const names[] = {"exp", "exp2", "expm1", "log", "log2", "log10", "log1p",
                                        "sinh", "cosh", "tanh", "sin", "cos", "tan"};
    fprintf(file, "#include <math.h>\n#include <stdlib.h>\n"
                  "#include \"%s/src/op/kernel/vector_math.h\"\n"
                  "#include \"%s/src/op/kernel/vector_math_f32.h\"\n", WG_SOURCE_DIR,
            WG_SOURCE_DIR);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        fprintf(file, "#define %s(x) vm_%s(x)\n#define %sf(x) vm_%sf(x)\n", names[i], names[i],
                names[i], names[i]);
}

struct original *original_open(const char *compiler, const char *path, const wg_text *text,
                               wg_error *error) {
    char name[64], object[64];
    static unsigned number;
    if (error->status) return NULL;
    snprintf(name, sizeof name, "original%u.c", ++number);
    snprintf(object, sizeof object, "./original%u.so", number);
    FILE *file = fopen(name, "w");
    if (!file) return NULL;
    write_elementary(file);
    fprintf(file, "#include \"%s\"\n#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\n"
                  "%s", path, text->data ? text->data : "");
    fclose(file);
    const char *const argument[] = {compiler, "-std=gnu11", "-O0", "-ffp-contract=off", "-w",
                                    "-fPIC", "-shared", "-Wl,-Bsymbolic", "-o", object, name, "-lm", NULL};
    const char *const warnings[] = {compiler, "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra",
                                    "-Werror", path, NULL};
    int code = run_compiler(warnings);
    if (!code) code = run_compiler(argument);
    if (code < 0 || code == 127) return NULL;
    if (code) {
        fail_with(error, WG_EIO, "%s does not take what is written for %s", compiler, path);
        return NULL;
    }
    struct original *o = calloc(1, sizeof *o);
    if (o) o->library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    if (o && !o->library) fail_with(error, WG_EIO, "%s", dlerror());
    remove(name);
    remove(object);
    return o;
}

original_call *original_of(const struct original *o, const char *function) {
    char name[256];
    original_call *call = NULL;
    snprintf(name, sizeof name, "call_%s", function);
    void *found = dlsym(o->library, name);
    if (found) memcpy(&call, &found, sizeof found);
    return call;
}

void original_close(struct original *o) {
    if (!o) return;
    if (o->library) dlclose(o->library);
    free(o);
}
