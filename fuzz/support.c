/* Programs that fuzzers made are put through the whole library here. Nothing is run that takes long
 * or much memory by right: only what every instruction of is small. */
#include "support.h"

#include "op/region.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_BLOCK = 16 << 20,
    MAX_LENGTH = 400,    /* instructions of a program that is transformed, or run */
    MAX_ELEMENTS = 2048, /* of each value of a program that is run */
    MAX_TRIPS = 1000     /* of its loops, together */
};

void fuzz_require(bool holds, const char *format, ...) {
    if (holds) return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

void fuzz_require_sound(const wg_error *error, const char *where) {
    fuzz_require(error->status != WG_EINTERNAL, "%s: %s", where, error->message);
    fuzz_require(!error->status || error->message[0], "%s: an error without message", where);
}

static void *limited_resize(void *ctx, void *block, size_t old_size, size_t new_size) {
    (void)ctx;
    (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return new_size <= MAX_BLOCK ? realloc(block, new_size) : NULL;
}

const wg_allocator fuzz_allocator = {.resize = limited_resize};

/* ---- files ---------------------------------------------------------------------------------- */

/* In memory where the system has such a folder. */
static char file_name[32];

static void remove_file(void) {
    unlink(file_name);
}

static void name_file(void) {
    static const char *const folder[] = {"/dev/shm", "/tmp"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(file_name, sizeof file_name, "%s/fuzz-XXXXXX", folder[i]);
        int descriptor = mkstemp(file_name);
        if (descriptor < 0) continue;
        close(descriptor);
        atexit(remove_file);
        return;
    }
    fuzz_require(false, "no folder for a file");
}

const char *fuzz_file(const uint8_t *data, size_t size) {
    if (!file_name[0]) name_file();
    FILE *file = fopen(file_name, "wb"); /* anew: a writer may have put another file in its place */
    bool written = file && fwrite(data, 1, size, file) == size;
    fuzz_require(file && fclose(file) == 0 && written, "%s cannot be written", file_name);
    return file_name;
}

/* ---- programs ------------------------------------------------------------------------------- */

static bool is_small(const wg_program *p, const int64_t *size, int64_t *trips);

/* Whether the loops and branches of a value run few times and have small bodies; takes from trips
 * what they may run. Bodies nest at most MAX_RULE_DEPTH deep. */
static bool is_short(const struct trace *t, value v, const int64_t *size, int64_t *trips) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_loop && i->op != OP_branch) return true;
    struct region r = region_open(t, i->op, i->attr);
    int64_t length = 1;
    if (i->op == OP_loop && (!extent_eval(t, r.length, size, &length) || length > MAX_TRIPS))
        return false;
    for (size_t k = 0; k < r.bodies; k++) {
        const wg_program *body = region_body(t, &r, k)->body;
        int64_t *inner = calloc(body->t.size.count + 1, sizeof *inner), left = *trips;
        bool ok = inner != NULL;
        for (size_t s = 0; ok && s < body->t.size.count; s++)
            ok = extent_eval(t, region_sizes(t, &r, k)[s], size, &inner[s]);
        ok = ok && is_small(body, inner, &left);
        free(inner);
        if (!ok || (*trips - left + 1) * length > *trips) return false;
        *trips -= (*trips - left + 1) * length;
    }
    return true;
}

/* The program at these sizes: whether each value has few elements. */
static bool is_small(const wg_program *p, const int64_t *size, int64_t *trips) {
    if (wg_program_length(p) > MAX_LENGTH) return false;
    for (size_t i = 1; i < p->t.type.count; i++) {
        int64_t shape[WG_MAX_RANK], count;
        if (!type_eval(&p->t, &p->t.type.at[i], size, shape, &count)) return false;
        if (count > MAX_ELEMENTS) return false;
    }
    for (value v = 1; v < p->t.instr.count; v++)
        if (!is_short(&p->t, v, size, trips)) return false;
    return true;
}

/* Floating elements 0.5, -1, 1.5, ...; others 0 and 1. False without memory. */
static bool make_input(const wg_program *p, size_t index, const int64_t *size, wg_tensor *tensor) {
    wg_type type = wg_input_type(p, index);
    int64_t count;
    *tensor = (wg_tensor){.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    if (!type_eval(&p->t, &type, size, tensor->shape, &count)) return false;
    tensor->data = calloc((size_t)count + 1, wg_dtype_size(tensor->dtype));
    if (!tensor->data) return false;
    for (int64_t i = 0; i < count; i++) {
        double x = (i % 2 ? -0.5 : 0.5) * (double)(i % 7 + 1);
        switch (tensor->dtype) {
        case WG_F64: ((double *)tensor->data)[i] = x; break;
        case WG_F32: ((float *)tensor->data)[i] = (float)x; break;
        case WG_I64: ((int64_t *)tensor->data)[i] = i % 2; break;
        case WG_I32: ((int32_t *)tensor->data)[i] = (int32_t)(i % 2); break;
        case WG_BOOL: ((bool *)tensor->data)[i] = i % 2; break;
        }
    }
    return true;
}

static void run(const wg_program *p, int64_t n) {
    size_t sizes = wg_size_count(p), inputs = wg_input_count(p), outputs = wg_output_count(p);
    int64_t *size = calloc(sizes + 1, sizeof *size);
    wg_tensor *in = calloc(inputs + 1, sizeof *in), *out = calloc(outputs + 1, sizeof *out);
    int64_t trips = MAX_TRIPS;
    bool ok = size && in && out;
    for (size_t i = 0; ok && i < sizes; i++) size[i] = n;
    ok = ok && is_small(p, size, &trips);
    for (size_t i = 0; ok && i < inputs; i++) ok = make_input(p, i, size, &in[i]);
    if (ok) {
        wg_error error = {0};
        wg_function *fn = wg_compile(p, NULL, &error);
        wg_run(fn, size, in, out, &error);
        fuzz_require_sound(&error, "run");
        if (error.status == WG_OK)
            for (size_t i = 0; i < outputs; i++) wg_tensor_free(&out[i], NULL);
        wg_function_free(fn);
        uint32_t first;
        wg_text report = {0};
        wg_error hunt = {0};
        wg_find_nonfinite(p, size, in, &first, &report, &hunt);
        fuzz_require_sound(&hunt, "wg_find_nonfinite");
        wg_text_free(&report);
    }
    for (size_t i = 0; in && i < inputs; i++) free(in[i].data);
    free(size);
    free(in);
    free(out);
}

static void print_and_read(const wg_program *p) {
    wg_error error = {0};
    wg_text first = {0}, second = {0};
    wg_program_verify(p, &error);
    wg_program_print(p, &first, &error);
    wg_program *again = wg_program_read(first.data, first.size, NULL, &error);
    wg_program_print(again, &second, &error);
    fuzz_require(error.status == WG_OK, "%s\n%s", error.message, first.data ? first.data : "");
    fuzz_require(strcmp(first.data, second.data) == 0, "printed:\n%s\nread and printed:\n%s",
                 first.data, second.data);
    wg_program_free(again);
    wg_text_free(&first);
    wg_text_free(&second);
}

static void show(const wg_program *p) {
    for (int format = WG_TEXT; format <= WG_JSON; format++) {
        wg_error error = {0};
        wg_text out = {0};
        wg_show_options options = {
            .format = (wg_format)format, .fold = true, .tangent = true, .adjoint = true};
        wg_show_trace(p, &options, &out, &error);
        fuzz_require_sound(&error, "wg_show_trace");
        wg_show_graph(p, &options, &out, &error);
        fuzz_require_sound(&error, "wg_show_graph");
        wg_text_free(&out);
    }
}

static void check(const wg_program *p) {
    print_and_read(p);
    for (int64_t n = 0; n <= 2; n += 2) run(p, n);
}

void fuzz_program(const wg_program *program) {
    if (!program) return;
    check(program);
    if (wg_program_length(program) > MAX_LENGTH) return;
    show(program);
    for (int mode = 0; mode < 3; mode++) {
        wg_error error = {0};
        wg_program *made = mode == 0   ? wg_jvp(program, NULL, NULL, &error)
                           : mode == 1 ? wg_vjp(program, NULL, NULL, &error)
                                       : wg_vmap(program, NULL, "examples", &error);
        fuzz_require_sound(&error, "a transformation");
        fuzz_require((made != NULL) == (error.status == WG_OK), "neither a program nor an error");
        if (made) check(made);
        wg_program_free(made);
    }
}
