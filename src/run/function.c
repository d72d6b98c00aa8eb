/* Functions: compiling a program, and what belongs to it alone, the donation of buffers. The work
 * is done in measure.c, schedule.c and plan.c. */
#include "native/lower.h"
#include "run/run.h"
#include "transform/transform.h"

#include <stdio.h>

/* ---- donation -------------------------------------------------------------------------------- */

struct word { /* a piece of the caller's text */
    const char *at;
    size_t length;
};

static struct word trim(const char *at, const char *end) {
    while (at < end && *at == ' ') at++;
    while (end > at && end[-1] == ' ') end--;
    return (struct word){at, (size_t)(end - at)};
}

/* The index of the port with this name, or -1 and an error. */
static int64_t find_port(const struct trace *t, bool output, struct word name, wg_error *error) {
    const struct port *port = output ? t->output.at : t->input.at;
    size_t count = output ? t->output.count : t->input.count;
    for (size_t i = 0; i < count; i++) {
        if (is_word(name.at, name.length, name_at(t, port[i].name))) return (int64_t)i;
    }
    fail_with(error, WG_ENAME, "donate: there is no %s \"%.*s\"", output ? "output" : "input",
              (int)name.length, name.at);
    return -1;
}

static bool donate_one(struct wg_function *fn, struct word output, struct word input,
                       wg_error *error) {
    const struct trace *t = &fn->program->t;
    int64_t to = find_port(t, true, output, error);
    int64_t from = to < 0 ? -1 : find_port(t, false, input, error);
    if (from < 0) return false;
    for (size_t i = 0; i < t->output.count; i++) {
        bool same_output = (int64_t)i == to && fn->donor[i];
        if (!same_output && fn->donor[i] != (uint32_t)from + 1) continue;
        fail_with(error, WG_ENAME, "donate: %s \"%.*s\" is named twice",
                  same_output ? "output" : "input", (int)(same_output ? output : input).length,
                  (same_output ? output : input).at);
        return false;
    }
    const struct instr *y = instr_at(t, t->output.at[to].v), *x = instr_at(t, t->input.at[from].v);
    if (y->type != x->type) {
        wg_text y_text = {.allocator = fn->allocator}, x_text = {.allocator = fn->allocator};
        if (type_text(t, type_at(t, y->type), &y_text) &&
            type_text(t, type_at(t, x->type), &x_text))
            fail_with(error, WG_ESHAPE,
                      "donate: output \"%.*s\" is %s but input \"%.*s\" is %s; they share a buffer "
                      "only if they have one type",
                      (int)output.length, output.at, y_text.data, (int)input.length, input.at,
                      x_text.data);
        else
            fail_memory(error);
        wg_text_free(&y_text);
        wg_text_free(&x_text);
        return false;
    }
    fn->donor[to] = (uint32_t)from + 1;
    return true;
}

/* "out=in, out=in" */
static bool donate(struct wg_function *fn, const char *list, wg_error *error) {
    size_t count = fn->program->t.output.count;
    fn->donor = mem_alloc_zero(&fn->allocator, count * sizeof *fn->donor);
    if (!fn->donor) return fail_memory(error), false;
    while (list && *list) {
        const char *end = list + strcspn(list, ","),
                   *equal = memchr(list, '=', (size_t)(end - list));
        struct word pair = trim(list, end);
        if (pair.length && !equal) {
            fail_with(error, WG_ENAME, "donate: \"%.*s\" is not of the form output=input",
                      (int)pair.length, pair.at);
            return false;
        }
        if (pair.length && !donate_one(fn, trim(list, equal), trim(equal + 1, end), error))
            return false;
        list = *end ? end + 1 : end;
    }
    return true;
}

/* ---- compiling ------------------------------------------------------------------------------- */

/* The types that values have; others may have extents that mean nothing at a call. */
static bool list_types(struct wg_function *fn, wg_error *error) {
    const struct trace *t = &fn->program->t;
    size_t size = t->type.count * sizeof(bool);
    bool *seen = mem_alloc_zero(&fn->allocator, size), ok = seen != NULL;
    for (value v = 1; ok && v < t->instr.count; v++) {
        type_id type = instr_at(t, v)->type;
        if (seen[type]) continue;
        seen[type] = true;
        type_id *new = VEC_PUSH(&fn->allocator, &fn->type);
        ok = new != NULL;
        if (ok) *new = type;
    }
    mem_free(&fn->allocator, seen, size);
    if (!ok) fail_memory(error);
    return ok;
}

static bool fix_shapes(struct wg_function *fn, wg_error *error) {
    const struct trace *t = &fn->program->t;
    if (has_named_sizes(fn)) return true;
    fn->shape = mem_alloc_zero(&fn->allocator, t->type.count * sizeof *fn->shape);
    fn->extent_value =
        mem_alloc_zero(&fn->allocator, t->extent.count * sizeof *fn->extent_value);
    if (!fn->shape || !fn->extent_value) return fail_memory(error), false;
    for (size_t i = 1; i < t->extent.count; i++) /* those that fail are in no type of a value */
        extent_eval(t, -(wg_extent)i, NULL, &fn->extent_value[i]);
    for (size_t i = 0; i < fn->type.count; i++) {
        struct shape *shape = &fn->shape[fn->type.at[i]]; /* measures_make found that it exists */
        type_eval(t, type_at(t, fn->type.at[i]), NULL, shape->extent, &shape->count);
    }
    return true;
}

/* Derivatives were made before: what runs needs their rules no more. */
static bool drop_rules(wg_program *program, wg_error *error) {
    const wg_allocator *a = &program->t.allocator;
    size_t bytes = program->t.instr.count * sizeof(value);
    if (program->t.rule.count == 0) return true;
    value *map = mem_alloc(a, bytes);
    if (!map) return fail_memory(error), false;
    bool ok = program_drop_rules(program, map);
    mem_free(a, map, bytes);
    if (!ok) fail_memory(error);
    return ok;
}

struct wg_function *function_prepare(const wg_program *program, const wg_options *options,
                                     enum form form, const bool *unread,
                                     wg_error *error) {
    wg_allocator a = program->t.allocator;
    struct wg_function *fn = mem_alloc_zero(&a, sizeof *fn);
    if (!fn) return fail_memory(error), NULL;
    fn->allocator = a;
    fn->threads = native_threads(options ? options->threads : 0);
    fn->expanded = form != INTERPRETED;
    fn->program = program_spread(program, error);
    if (fn->expanded && fn->program) {
        wg_program *spread = fn->program;
        fn->program = expand(spread, unread, error);
        wg_program_free(spread);
    }
    /* Portions are one behind the other, where threads share every loop; and sums over them have
     * another order, where flags are given that promise the interpreter's. */
    bool portions = form == NATIVE_WHOLE && !fn->threads && !(options && options->flags);
    if (portions && fn->program) {
        wg_program *at_once = fn->program;
        fn->program = take_portions(at_once, error);
        wg_program_free(at_once);
    }
    bool there = fn->program && drop_rules(fn->program, error);
    const struct trace *t = there ? &fn->program->t : NULL;
    if (t && t->instr.count + t->input.count + t->output.count + t->blob.count >= PLACE_LIMIT)
        fail_with(error, WG_EOVERFLOW, "a program of %zu instructions: at most %u can be run",
                  t->instr.count, (unsigned)PLACE_LIMIT / 2);
    else if (t && donate(fn, options ? options->donate : NULL, error) && measures_make(fn, error) &&
             list_types(fn, error) && fix_shapes(fn, error) && regions_make(fn, error))
        return fn;
    wg_function_free(fn);
    return NULL;
}

static struct wg_function *scheduled(struct wg_function *fn, wg_error *error) {
    struct schedule schedule = {0};
    bool ok = fn && schedule_make(fn, &schedule, error) && plan_make(fn, &schedule, error);
    if (fn) schedule_free(fn, &schedule);
    if (ok) return fn;
    wg_function_free(fn);
    return NULL;
}

static struct wg_function *interpreted(const wg_program *program, const wg_options *options,
                                       wg_error *error) {
    return scheduled(function_prepare(program, options, INTERPRETED, NULL, error), error);
}

struct wg_function *interpreted_body(const wg_program *program, const struct wg_function *around,
                                     const uint32_t *donor, wg_error *error) {
    wg_options options = {.threads = around->threads > 0 ? 1 : 0};
    struct wg_function *fn = function_prepare(program, &options, INTERPRETED, NULL, error);
    if (fn && donor) memcpy(fn->donor, donor, program->t.output.count * sizeof *donor);
    return scheduled(fn, error);
}

/* log: the compiler's, where that fails. */
static struct wg_function *native(const wg_program *program, const wg_options *options,
                                  const char *flags, wg_text *log, wg_error *error) {
    struct wg_function *fn = function_prepare(program, options, NATIVE_WHOLE, NULL, error);
    wg_text text = {.allocator = program->t.allocator};
    bool ok = fn && native_write(fn, &text, error) && native_load(fn, &text, flags, error);
    wg_text_free(&text);
    if (ok) return fn;
    if (fn) *log = fn->log, fn->log = (wg_text){0};
    wg_function_free(fn);
    return NULL;
}

/* Interpreted at once, native as soon as a thread has it compiled. */
static bool begin_native(struct wg_function *fn, const wg_program *program,
                         const wg_options *options, const char *flags, wg_error *error) {
    struct wg_function *planned = function_prepare(program, options, NATIVE_WHOLE, NULL, error);
    return planned && background_start(fn, planned, flags, error);
}

static wg_function *compile(const wg_program *program, const wg_options *options,
                            wg_error *error) {
    wg_backend backend = options ? options->backend : WG_INTERPRET;
    const char *flags = options && options->flags ? options->flags : native_usual_flags;
    wg_error why = {0}; /* what stands against native code */
    wg_text log = {0};
    if (strlen(flags) >= NATIVE_FLAGS_SIZE) {
        fail_with(error, WG_EARGUMENT, "compile: flags of more than %d bytes",
                  NATIVE_FLAGS_SIZE - 1);
        return NULL;
    }
    if (backend == WG_NATIVE) {
        struct wg_function *fn = native(program, options, flags, &log, &why);
        if (fn) return fn;
    }
    if (why.status == WG_ENOMEM) return fail_memory(error), wg_text_free(&log), NULL;
    struct wg_function *fn = interpreted(program, options, error);
    if (fn && backend == WG_AUTO) begin_native(fn, program, options, flags, &why);
    if (fn && why.status == WG_ENOMEM) {
        fail_memory(error);
        wg_function_free(fn);
        fn = NULL;
    }
    if (!fn) return wg_text_free(&log), NULL;
    function_note(fn, "", &why);
    fn->log = log;
    return fn;
}

void function_note(struct wg_function *fn, const char *head, const wg_error *why) {
    snprintf(fn->note, sizeof fn->note, "%s%.*s", head, WG_NOTE_SIZE - 64, why->message);
}

const char *wg_function_note(const wg_function *fn) {
    if (!fn) return "";
    return fn->background ? background_note(fn) : fn->note;
}

const char *wg_function_log(const wg_function *fn) {
    if (!fn) return "";
    if (fn->background) return background_log(fn);
    return fn->log.data ? fn->log.data : "";
}

wg_function *wg_compile(const wg_program *program, const wg_options *options, wg_error *error) {
    if (failed(error)) return NULL;
    if (!program) {
        fail_with(error, WG_EARGUMENT, "compile: the program is NULL");
        return NULL;
    }
    if (options && options->backend != WG_INTERPRET && options->backend != WG_NATIVE &&
        options->backend != WG_AUTO) {
        fail_with(error, WG_EARGUMENT, "compile: there is no backend %d", (int)options->backend);
        return NULL;
    }
    if (options && native_threads(options->threads) < 0) {
        fail_with(error, WG_EARGUMENT,
                  "compile: %d threads; -1 stands for as many as there are processors",
                  options->threads);
        return NULL;
    }
    return compile(program, options, error);
}

void wg_function_free(wg_function *fn) {
    if (!fn) return;
    wg_allocator a = fn->allocator;
    background_end(fn);
    if (fn->program) {
        const struct trace *t = &fn->program->t;
        mem_free(&a, fn->donor, t->output.count * sizeof *fn->donor);
        mem_free(&a, fn->shape, t->type.count * sizeof *fn->shape);
        mem_free(&a, fn->extent_value, t->extent.count * sizeof *fn->extent_value);
    }
    toolchain_unload(&fn->library);
    regions_free(fn);
    VEC_FREE(&a, &fn->inside);
    wg_text_free(&fn->log);
    measures_free(fn);
    VEC_FREE(&a, &fn->step);
    VEC_FREE(&a, &fn->scalar);
    VEC_FREE(&a, &fn->group);
    VEC_FREE(&a, &fn->lane);
    VEC_FREE(&a, &fn->operand);
    VEC_FREE(&a, &fn->copy);
    VEC_FREE(&a, &fn->pool);
    VEC_FREE(&a, &fn->scalar_input);
    VEC_FREE(&a, &fn->slot);
    VEC_FREE(&a, &fn->type);
    wg_program_free(fn->program);
    mem_free(&a, fn, sizeof *fn);
}
