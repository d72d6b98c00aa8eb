/* wg_csource_emit: C functions that take what the user's function takes, in its order, and give
 * derivatives. Here is said what is differentiated by what, and the files are put together. */
#include "csource/ship.h"
#include "native/write.h"
#include "op/build.h"
#include "run/run.h"
#include "transform/derive.h"

#include <ctype.h>
#include <stdio.h>

const struct kind_row kinds[KINDS] = {[GRAD] = {"grad", "the gradient of %s by %s"},
                                      [VALUE_GRAD] = {"value_grad", "%s and its gradient by %s"},
                                      [HVP] = {"hvp", "the Hessian of %s by %s, times tangents"},
                                      [JAC] = {"jac", "the Jacobian of %s by %s"},
                                      [HESS] = {"hess", "the Hessian of %s by %s"},
                                      [JVP] = {"jvp", "the tangents of %s, for tangents of %s"},
                                      [VJP] = {"vjp", "for adjoints of %s those of %s"}};

/* ---- text ------------------------------------------------------------------------------------ */

const char *compose(struct shipment *h, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : arena_alloc(&h->arena, (size_t)length + 1, 1);
    if (!text) {
        fail_memory(h->error);
        return "";
    }
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

void put(struct shipment *h, wg_text *out, const char *format, ...) {
    if (failed(h->error)) return;
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length >= 0 && text_reserve(out, (size_t)length + 1)) {
        text = out->data + out->size;
        va_start(args, format);
        vsnprintf(text, (size_t)length + 1, format, args);
        va_end(args);
        out->size += (size_t)length;
    } else {
        fail_memory(h->error);
    }
}

/* ---- what is differentiated by what ---------------------------------------------------------- */

static bool is_floating_port(const struct shipment *h, const struct leaf *leaf, bool output) {
    const wg_program *p = h->s->program;
    int index = output ? leaf->out : leaf->in;
    return index >= 0 &&
           dtype_is_float((output ? wg_output_type : wg_input_type)(p, (size_t)index).dtype);
}

static bool names_leaf(const struct leaf *leaf, const char *name, size_t length) {
    return strncmp(leaf->name, name, length) == 0 &&
           (leaf->name[length] == 0 || leaf->name[length] == '.');
}

static void unknown(struct shipment *h, bool output, const char *name, size_t length) {
    const char *kind = output ? "output" : "input", *before = "";
    fail_with(h->error, WG_ENAME, "%s: it has no %s '%.*s' of a floating type\n  hint: it has",
              h->s->function, kind, (int)(length < 64 ? length : 64), name);
    for (size_t i = 0; i < h->leaves.count; i++) {
        if (!is_floating_port(h, &h->leaves.at[i], output)) continue;
        fail_more(h->error, "%s %s", before, h->leaves.at[i].name);
        before = ",";
    }
}

static void take_leaf(struct shipment *h, size_t i, bool output) {
    for (size_t k = 0; k < (output ? h->of.count : h->wrt.count); k++)
        if ((output ? h->of.at[k] : h->wrt.at[k]) == i) return;
    if (output)
        PUSH(h, &h->of, i);
    else
        PUSH(h, &h->wrt, i);
}

/* The leaves of a list of names, "x, s"; NULL: all outputs, and all inputs that are read. */
static void select_leaves(struct shipment *h, const char *list, bool output) {
    const char *name;
    size_t length;
    for (size_t i = 0; !list && i < h->leaves.count; i++) {
        const struct leaf *leaf = &h->leaves.at[i];
        bool of_use = output ||
                      (leaf->d && (leaf->out < 0 || h->s->parameter[leaf->parameter].is_read));
        if (of_use && is_floating_port(h, leaf, output)) take_leaf(h, i, output);
    }
    for (const char *cursor = list; list && name_next(&cursor, &name, &length);) {
        bool found = false;
        for (size_t i = 0; i < h->leaves.count; i++) {
            if (!names_leaf(&h->leaves.at[i], name, length)) continue;
            if (!is_floating_port(h, &h->leaves.at[i], output)) continue;
            take_leaf(h, i, output);
            found = true;
        }
        if (!found) {
            unknown(h, output, name, length);
            return;
        }
    }
    if (!(output ? h->of.count : h->wrt.count))
        fail_with(h->error, WG_EARGUMENT, "%s has no %s of a floating type", h->s->function,
                  output ? "output" : "input");
}

const char *list_names(struct shipment *h, bool output) {
    const char *list = "";
    for (size_t i = 0; i < (output ? h->of.count : h->wrt.count); i++)
        list = compose(h, "%s%s%s", list, i ? ", " : "",
                       h->leaves.at[output ? h->of.at[i] : h->wrt.at[i]].name);
    return list;
}

const struct leaf *scalar_output(struct shipment *h, enum kind kind) {
    for (size_t i = 0; i < h->of.count; i++) {
        const struct leaf *leaf = &h->leaves.at[h->of.at[i]];
        if (wg_output_type(h->s->program, (size_t)leaf->out).rank == 0) return leaf;
    }
    fail_with(h->error, WG_ESHAPE,
              "%s of '%s' needs one number that it gives, and %s is none\n  hint: ask for jac, jvp "
              "or vjp",
              kinds[kind].name, h->s->function, list_names(h, true));
    return NULL;
}

/* The program with the outputs from `first` on alone, or with that one. */
static wg_program *with_outputs(const wg_program *p, size_t first, size_t count, wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, p, error) && derive_inputs(&d) &&
        graph_inline(d.g, d.from, d.input, d.size_map, d.map))
        for (size_t i = first; i < first + count; i++)
            graph_output(d.g, from_output_name(&d, i), d.map[d.from->output.at[i].v]);
    return derive_finish(&d);
}

wg_program *with_zeros(const wg_program *p, const bool *zero, wg_error *error) {
    struct derivation d;
    bool ok = derive_begin(&d, p, error);
    for (size_t i = 0; ok && i < d.from->input.count && !d.g->error.status; i++) {
        value v = d.from->input.at[i].v;
        wg_type type = graph_import_type(d.g, d.from, type_of(d.from, v), d.size_map);
        graph_take_site(d.g, d.from, instr_at(d.from, v)->site);
        d.input[i] = zero[i] ? build_full(d.g, &type, 0)
                             : graph_input(d.g, from_input_name(&d, i), &type);
    }
    if (ok && graph_inline(d.g, d.from, d.input, d.size_map, d.map)) derive_primals(&d);
    return derive_finish(&d);
}

/* The program without the inputs that are written before they are read. */
static wg_program *without_written(struct shipment *h) {
    const wg_program *p = h->s->program;
    size_t count = wg_input_count(p);
    bool *zero = arena_alloc(&h->arena, count + 1, 1);
    if (!zero) return fail_memory(h->error), NULL;
    memset(zero, 0, count + 1);
    for (size_t i = 0; i < h->leaves.count; i++) {
        const struct leaf *leaf = &h->leaves.at[i];
        if (leaf->d && leaf->in >= 0 && leaf->out >= 0)
            zero[leaf->in] = !h->s->parameter[leaf->parameter].is_read;
    }
    for (size_t i = 0; i < h->wrt.count; i++) zero[h->leaves.at[h->wrt.at[i]].in] = false;
    return with_zeros(p, zero, h->error);
}

wg_program *derivative(struct shipment *h, enum kind kind) {
    const wg_program *p = h->p;
    const char *wrt = list_names(h, false), *of = list_names(h, true);
    size_t outputs = wg_output_count(p);
    wg_program *first = NULL, *d = NULL;
    if (failed(h->error)) return NULL;
    if (kind == JAC) return wg_jacobian(p, of, wrt, WG_AUTO_MODE, h->error);
    if (kind == JVP || kind == VJP) {
        first = kind == JVP ? wg_jvp(p, of, wrt, h->error) : wg_vjp(p, of, wrt, h->error);
        if (first) d = with_outputs(first, outputs, wg_output_count(first) - outputs, h->error);
        wg_program_free(first);
        return d;
    }
    const struct leaf *scalar = scalar_output(h, kind);
    if (scalar) first = with_outputs(p, (size_t)scalar->out, 1, h->error);
    if (first)
        d = kind == GRAD         ? wg_grad(first, wrt, h->error)
            : kind == VALUE_GRAD ? wg_value_and_grad(first, wrt, h->error)
            : kind == HVP        ? wg_hvp(first, wrt, h->error)
                                 : wg_hessian(first, wrt, h->error);
    wg_program_free(first);
    return d;
}

/* ---- a shipment ------------------------------------------------------------------------------ */

void shipment_open(struct shipment *h, const wg_csource *source,
                   const wg_csource_emit_options *options, wg_error *error) {
    const wg_allocator a = source->allocator;
    struct wg_csource *s = (struct wg_csource *)(uintptr_t)source; /* its arena grows */
    *h = (struct shipment){.s = s,
                           .o = options,
                           .error = error,
                           .arena = {.allocator = a},
                           .cores = {.allocator = a},
                           .faces = {.allocator = a},
                           .declared = {.allocator = a}};
    if (!leaves_of(s, &h->leaves)) fail_memory(error);
    if (!failed(error)) select_leaves(h, options->wrt, false);
    if (!failed(error)) select_leaves(h, options->of, true);
    if (!failed(error)) h->p = without_written(h);
}

void shipment_close(struct shipment *h) {
    const wg_allocator *a = &h->s->allocator;
    VEC_FREE(a, &h->leaves);
    VEC_FREE(a, &h->wrt);
    VEC_FREE(a, &h->of);
    wg_program_free(h->p);
    wg_text_free(&h->cores);
    wg_text_free(&h->faces);
    wg_text_free(&h->declared);
    arena_free(&h->arena);
}

/* ---- the files ------------------------------------------------------------------------------- */

static const char how_to_call[] =
    "/* Functions return 0; 1 if an index lies outside its axis; 2 if a size is negative or the\n"
    " * sizes do not go together; 3 if they are compiled with -DWG_CHECK_ALIAS and something that\n"
    " * is written overlaps another parameter, which it must not. Parameters are those of the\n"
    " * function, which are only read, then those of the derivative, then a workspace, aligned as\n"
    " * malloc aligns, NULL where it has no bytes. Tensors are dense and row-major. There is no\n"
    " * state: any number of threads may call at once. Written by wengert; this text binds\n"
    " * nobody. */\n";

static const char restrict_text[] = "#ifndef WG_RESTRICT\n" RESTRICT_DEFINITION "\n";

static const char overlap_text[] =
    "\n#ifdef WG_CHECK_ALIAS\n"
    "struct wg_buffer {\n"
    "    const void *at;\n"
    "    size_t bytes;\n"
    "    int written;\n"
    "};\n"
    "\n"
    "static int wg_overlap(const struct wg_buffer *b, size_t count)\n"
    "{\n"
    "    for (size_t i = 0; i < count; i++)\n"
    "        for (size_t k = 0; k < i; k++) {\n"
    "            const uintptr_t x = (uintptr_t)b[i].at, y = (uintptr_t)b[k].at;\n"
    "            if ((b[i].written || b[k].written) && x && y && x < y + b[k].bytes &&\n"
    "                y < x + b[i].bytes)\n"
    "                return 1;\n"
    "        }\n"
    "    return 0;\n"
    "}\n"
    "#endif\n";

static const char room_text[] =
    "\n/* The bytes of so many elements in the workspace. */\n"
    "#define WG_ROOM(count, type) (((size_t)(count) * sizeof(type) + 15) / 16 * 16)\n";

static void add_header(struct shipment *h, wg_text *out) {
    const char *name = h->o->header ? h->o->header
                                    : compose(h, "%s_d", h->o->name ? h->o->name : h->s->function);
    char *guard = (char *)(uintptr_t)compose(h, "EMITTED_%s", name);
    for (char *c = guard; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
    put(h, out, "#ifndef %s\n#define %s\n\n%s", guard, guard, how_to_call);
    wg_text records = {.allocator = h->s->allocator};
    if (!failed(h->error) && !add_records(h->s, &records)) fail_memory(h->error);
    const char *text = records.data ? records.data : "";
    if (h->has_bool || strstr(text, "bool ")) put(h, out, "#include <stdbool.h>\n");
    put(h, out, "#include <stddef.h>\n#include <stdint.h>\n%s", text);
    wg_text_free(&records);
    put(h, out,
        "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n%s\n#ifdef __cplusplus\n}\n#endif\n\n"
        "#endif\n",
        h->declared.data ? h->declared.data : "");
}

static void add_code(struct shipment *h, const wg_text *header, wg_text *out) {
    if (h->o->header)
        put(h, out, "#include \"%s\"\n\n", h->o->header);
    else
        put(h, out, "%s\n", header->data ? header->data : "");
    put(h, out, "%s", restrict_text);
    const char *cores = h->cores.data ? h->cores.data : "";
    if (!failed(h->error)) ship_runtime(cores, h->o->cblas, out, h->error);
    put(h, out, "%s", cores);
    const char *faces = h->faces.data ? h->faces.data : "";
    if (strstr(faces, "WG_ROOM(")) put(h, out, "%s", room_text + 1);
    if (strstr(faces, "wg_overlap(")) put(h, out, "%s", overlap_text + !strstr(faces, "WG_ROOM("));
    put(h, out, "%s",
        strstr(faces, "WG_ROOM(") || strstr(faces, "wg_overlap(") ? faces : faces + 1);
}

void each_kind(struct shipment *h, void (*each)(struct shipment *h, enum kind kind)) {
    const char *word, *list = h->o->with ? h->o->with : "grad";
    size_t length;
    bool listed[KINDS] = {false};
    for (const char *cursor = list; !failed(h->error) && name_next(&cursor, &word, &length);) {
        size_t k = 0;
        while (k < KINDS && !is_word(word, length, kinds[k].name)) k++;
        if (k == KINDS)
            fail_with(h->error, WG_EARGUMENT,
                      "there is no derivative '%.*s'; the known ones: "
                      "grad,value_grad,hvp,jac,hess,jvp,vjp",
                      (int)(length < 64 ? length : 64), word);
        else if (!listed[k])
            each(h, (enum kind)k);
        if (k < KINDS) listed[k] = true;
    }
}

wg_status wg_csource_emit(const wg_csource *source, const wg_csource_emit_options *options,
                          wg_text *code, wg_text *header, wg_error *error) {
    static const wg_csource_emit_options none = {0};
    if (failed(error)) return error->status;
    wg_error own = {0};
    if (!error) error = &own;
    if (!source || !code || !header)
        return fail_with(error, WG_EARGUMENT, "wg_csource_emit: source, code or header is NULL");
    struct shipment h;
    wg_text own_code = {.allocator = source->allocator}, own_header = own_code;
    shipment_open(&h, source, options ? options : &none, error);
    if (!failed(error)) each_kind(&h, ship_kind);
    if (!failed(error)) add_header(&h, &own_header);
    if (!failed(error)) add_code(&h, &own_header, &own_code);
    size_t before = code->size;
    if (!failed(error) && !(text_add(code, own_code.data) && text_add(header, own_header.data))) {
        if (code->data) text_cut(code, before);
        fail_memory(error);
    }
    shipment_close(&h);
    wg_text_free(&own_code);
    wg_text_free(&own_header);
    return error->status;
}
