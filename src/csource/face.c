/* A function of the user's parameters around a derivative. The mathematics is a program's, written
 * by run/emit.c as a static function, NAME_core. Around it stands a function that takes what the
 * user's takes: it hands over what the core takes, gathers members of structs in an array, and
 * integers that are narrower than a program's, into the workspace, and scatters results back. */
#include "csource/ship.h"
#include "native/write.h"
#include "run/run.h"

#include <ctype.h>
#include <stdio.h>

/* A parameter that no other one may overlap. */
struct buffer {
    const char *name, *bytes; /* C */
    bool is_written;
};

/* A parameter that the derivative brings: of a leaf, or of all leaves of a parameter that is a
 * struct. */
struct companion {
    const struct leaf *leaf;
    const char *name, *tail;
    bool is_result;
};

/* A type whose extents are this program's. */
struct sized {
    const wg_program *p;
    wg_type type;
};

struct face { /* a function under way */
    struct shipment *h;
    enum kind kind;
    const char *name;
    wg_program *d;               /* the derivative */
    const char **size;           /* of each named size of d: C of it, an int64_t */
    VEC(const char *) used;      /* names */
    VEC(const char *) parameter; /* "int n" */
    VEC(const char *) shown;     /* lines of the comment */
    VEC(struct buffer) buffer;
    VEC(struct companion) companion;
    const char **own;                       /* names of the user's parameters here */
    wg_text before, arguments, after, room; /* C; room: bytes behind those of the core */
    struct shipped_work work;
    const char *work_name, *last_room;
    bool gathers, in_pieces;
};

/* ---- text ------------------------------------------------------------------------------------ */

/* The words as an identifier that the function does not have yet. */
static const char *unused_name(struct face *f, const char *words) {
    struct shipment *h = f->h;
    char *name = (char *)(uintptr_t)compose(h, "%s", words);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c)) *c = '_';
    bool taken = is_c_keyword(name) && strcmp(name, "work") != 0;
    for (;;) {
        for (size_t i = 0; i < f->used.count; i++) taken = taken || !strcmp(f->used.at[i], name);
        if (!taken || failed(h->error)) break;
        name = (char *)(uintptr_t)compose(h, "%s_", name);
        taken = false;
    }
    PUSH(h, &f->used, name);
    return name;
}

static const char *element_name(unsigned dtype) {
    static const char *const names[] = {[WG_BOOL] = "uint8_t",
                                        [WG_I32] = "int32_t",
                                        [WG_I64] = "int64_t",
                                        [WG_F32] = "float",
                                        [WG_F64] = "double"};
    return names[dtype];
}

/* An extent of a program as C of the sizes' names. */
static const char *extent_c(struct face *f, const wg_program *p, wg_extent e) {
    struct shipment *h = f->h;
    const struct trace *t = &p->t;
    if (e >= 0) return compose(h, "%lld", (long long)e);
    struct span span = t->extent.at[-e];
    const int64_t *word = t->word.at + span.at, *end = word + span.count;
    const char *sum = "";
    while (word < end) {
        int64_t factor = *word++, degree = *word++;
        bool first = !*sum, bare = degree && (factor == 1 || (factor == -1 && !first));
        const char *sign = first ? "" : factor < 0 ? " - " : " + ";
        int64_t shown = first || factor >= 0 ? factor : -factor;
        sum = compose(h, "%s%s", sum, sign);
        if (!bare) sum = compose(h, "%s%lld%s", sum, (long long)shown, degree ? " * " : "");
        for (; degree > 0; degree--) {
            int size = wg_size_index(f->d, wg_size_name(p, (size_t)*word++));
            sum = compose(h, "%s%s%s", sum, size < 0 ? "0" : f->size[size],
                          degree > 1 ? " * " : "");
        }
    }
    return span.count > 2 && strpbrk(sum, "+-") ? compose(h, "(%s)", sum) : sum;
}

/* The product of the axes from..to. */
static const char *count_c(struct face *f, const struct sized *s, size_t from, size_t to) {
    const char *product = "";
    for (size_t i = from; i < to; i++)
        product = compose(f->h, "%s%s%s", product, *product ? " * " : "",
                          extent_c(f, s->p, s->type.extent[i]));
    return *product ? product : "1";
}

static const char *type_words(struct face *f, const struct sized *s) {
    wg_text text = {.allocator = f->h->s->allocator};
    if (!type_text(&s->p->t, &s->type, &text)) fail_memory(f->h->error);
    const char *kept = compose(f->h, "%s", text.data ? text.data : "");
    wg_text_free(&text);
    return kept;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static bool is_record(const struct leaf *leaf) { return leaf->top >= TOP_RECORD; }

static const struct leaf *leaf_named(const struct shipment *h, const char *name) {
    for (size_t i = 0; i < h->leaves.count; i++)
        if (strcmp(h->leaves.at[i].name, name) == 0) return &h->leaves.at[i];
    return NULL;
}

/* The first leaf of a parameter; NULL: a size, or nothing that is carried. */
static const struct leaf *leaf_of(const struct shipment *h, size_t parameter) {
    for (size_t i = 0; i < h->leaves.count; i++)
        if (h->leaves.at[i].d && h->leaves.at[i].parameter == parameter) return &h->leaves.at[i];
    return NULL;
}

/* Of a leaf in the variable `base`, a struct or a pointer to it. */
static const char *reach(struct face *f, const struct leaf *leaf, const char *base, bool by_value) {
    if (!leaf->member) return base;
    return compose(f->h, "%s%s%s", base, by_value ? "." : "->", leaf->member);
}

static const char *as_number(struct face *f, unsigned dtype, const char *c) {
    if (dtype == WG_I64) return compose(f->h, "(int64_t)%s", c);
    return dtype == WG_BOOL ? compose(f->h, "(uint8_t)(%s != 0)", c) : c;
}

static const char *as_elements(struct face *f, const struct leaf *leaf, unsigned dtype,
                               const char *c, bool is_const) {
    if (dtype_is_float(dtype) && !leaf->is_deep) return c;
    return compose(f->h, "(%s%s *)%s", is_const ? "const " : "", element_name(dtype), c);
}

static void argument(struct face *f, const char *c) {
    if (f->arguments.size) put(f->h, &f->arguments, ", ");
    put(f->h, &f->arguments, "%s", c);
}

/* Appends "head(a, b, c" in lines of at most 96 columns; the arguments have no commas in them but
 * between brackets. */
static void add_call(struct shipment *h, wg_text *out, const char *head, const char *arguments) {
    size_t begin = out->size, indentation = strlen(head);
    put(h, out, "%s", head);
    while (*arguments && !failed(h->error)) {
        size_t n = 0;
        for (int depth = 0; arguments[n] && (depth || arguments[n] != ','); n++)
            depth += (arguments[n] == '(') - (arguments[n] == ')');
        if (out->size - begin > indentation && out->size - begin + n > 92) {
            while (out->data[out->size - 1] == ' ') text_cut(out, out->size - 1);
            put(h, out, "\n");
            begin = out->size;
            put(h, out, "%*s", (int)indentation, "");
        }
        put(h, out, "%.*s%s", (int)n, arguments, arguments[n] ? ", " : "");
        arguments += n + (arguments[n] != 0);
        arguments += strspn(arguments, " ");
    }
}

/* A count as a size_t. */
static const char *as_size(struct face *f, const char *count) {
    if (strncmp(count, "(int64_t)", 9) == 0 && !strchr(count + 9, ' ')) count += 9;
    return compose(f->h, strchr(count, ' ') ? "(size_t)(%s)" : "(size_t)%s", count);
}

static const char *bytes_c(struct face *f, const struct sized *s, const char *element) {
    if (!s->type.rank) return compose(f->h, "sizeof(%s)", element);
    const char *count = count_c(f, s, 0, s->type.rank);
    return compose(f->h, "sizeof(%s) * %s", element, as_size(f, count));
}

/* What another parameter must not overlap. */
static void note_buffer(struct face *f, const char *name, const char *bytes, bool is_written) {
    struct buffer b = {name, bytes, is_written};
    PUSH(f->h, &f->buffer, b);
}

/* Of a parameter's own leaf. */
static struct sized shape_of(struct face *f, const struct leaf *leaf) {
    const wg_program *p = f->h->s->program;
    return (struct sized){p, leaf->in >= 0 ? wg_input_type(p, (size_t)leaf->in)
                                           : wg_output_type(p, (size_t)leaf->out)};
}

/* Rows of structs: how many there are. */
static const char *rows_c(struct face *f, const struct leaf *leaf, const struct sized *s) {
    size_t inner = leaf->own_levels + leaf->dim_count;
    return count_c(f, s, 0, s->type.rank > inner ? s->type.rank - inner : 0);
}

/* The sizes as parameters, or as arguments, of functions that tell bytes. */
static const char *size_list(struct face *f, bool declared) {
    struct shipment *h = f->h;
    const char *list = "";
    for (size_t i = 0; i < wg_size_count(f->d); i++) {
        const char *name = f->size[i], *cast = strncmp(name, "(int64_t)", 9) == 0 ? name + 9 : name;
        const char *type = "int64_t";
        for (size_t k = 0; k < h->s->count; k++)
            if (cast != name && strcmp(f->own[k], cast) == 0)
                type = c_type_name(h->s->decl->parameter[k]->type);
        list = declared ? compose(h, "%s%s%s %s", list, i ? ", " : "", type, cast)
                        : compose(h, "%s%s%s", list, i ? ", " : "", name);
    }
    return list;
}

/* A piece of the workspace for a leaf of an array of structs: its name. */
static const char *piece(struct face *f, const struct leaf *leaf, const char *base,
                         const struct sized *s) {
    struct shipment *h = f->h;
    const char *name =
        unused_name(f, compose(h, "%s_%s", base, leaf->member ? leaf->member : "wide"));
    const char *element = element_name(s->type.dtype);
    const char *core = f->work.named ? compose(h, "WG_ROOM(%s_core_work(%s), char)", f->name,
                                               size_list(f, false))
                                     : compose(h, "%zu", (f->work.bytes + 15) / 16 * 16);
    if (!f->gathers)
        put(h, &f->before, "    char *piece_ = (char *)%s + %s;\n", f->work_name, core);
    const char *room = compose(h, "WG_ROOM(%s, %s)", count_c(f, s, 0, s->type.rank), element);
    if (f->gathers) put(h, &f->before, "    piece_ += %s;\n", f->last_room);
    put(h, &f->before, "    %s *const %s = (%s *)(void *)piece_;\n", element, name, element);
    put(h, &f->room, "\n           + %s", room);
    f->last_room = room;
    f->gathers = h->gathers = true;
    return name;
}

/* Whether it lies in pieces where the caller has it. */
static bool is_gathered(const struct leaf *leaf) {
    return leaf->top == TOP_ROWS || leaf->dim_count;
}

/* Loops over all pieces of a leaf, in which `at_` is the element of its own array. */
static void begin_pieces(struct face *f, wg_text *out, const struct leaf *leaf,
                         const struct sized *s) {
    struct shipment *h = f->h;
    const char *deeper = "";
    put(h, out, "    at_ = 0;\n");
    if (leaf->top == TOP_ROWS) {
        put(h, out, "    for (int64_t row_ = 0; row_ < %s; row_++)\n", rows_c(f, leaf, s));
        deeper = "    ";
    }
    for (size_t k = 0; k < leaf->dim_count; k++) {
        put(h, out, "    %sfor (int i%zu_ = 0; i%zu_ < %lld; i%zu_++)\n", deeper, k, k,
            (long long)leaf->dims[k], k);
        deeper = compose(h, "%s    ", deeper);
    }
    put(h, out, "    %s", deeper);
    f->in_pieces = true;
}

static const char *place_of_piece(struct face *f, const struct leaf *leaf, const char *base,
                                  bool by_value) {
    if (leaf->top == TOP_ROWS) return compose(f->h, "%s[row_].%s", base, leaf->member);
    return reach(f, leaf, base, by_value);
}

static const char *gathered(struct face *f, const struct leaf *leaf, const char *base,
                            const struct sized *s, bool by_value) {
    struct shipment *h = f->h;
    const char *name = piece(f, leaf, base, s), *at = place_of_piece(f, leaf, base, by_value);
    begin_pieces(f, &f->before, leaf, s);
    if (leaf->is_array)
        put(h, &f->before, "memcpy(%s + %lld * at_++, %s, sizeof %s);\n", name,
            (long long)leaf->inner, at, at);
    else
        put(h, &f->before, "%s[at_++] = (%s)%s;\n", name, element_name(s->type.dtype), at);
    return name;
}

/* Whether the caller's integers are narrower than those of programs. */
static bool is_narrow(const struct leaf *leaf) {
    return leaf->top == TOP_ARRAY && leaf->type->kind == TYPE_INT && leaf->type->bits < 32;
}

static const char *widened(struct face *f, const struct leaf *leaf, const char *base,
                           const struct sized *s) {
    struct shipment *h = f->h;
    const char *name = piece(f, leaf, base, s);
    put(h, &f->before, "    for (at_ = 0; at_ < %s; at_++)\n", count_c(f, s, 0, s->type.rank));
    put(h, &f->before, "        %s[at_] = ((const %s *)%s)[at_];\n", name,
        c_type_name(leaf->type), base);
    f->in_pieces = true;
    return name;
}

static const char *scattered(struct face *f, const struct leaf *leaf, const char *base,
                             const struct sized *s) {
    struct shipment *h = f->h;
    const char *name = piece(f, leaf, base, s), *at = place_of_piece(f, leaf, base, false);
    begin_pieces(f, &f->after, leaf, s);
    if (leaf->is_array)
        put(h, &f->after, "memcpy(%s, %s + %lld * at_++, sizeof %s);\n", at, name,
            (long long)leaf->inner, at);
    else
        put(h, &f->after, "%s = %s[at_++];\n", at, name);
    return name;
}

/* "const double *x", or double (*a)[3] where all axes but the first are constant. */
static const char *own_declaration(struct face *f, const struct decl *d, const char *name) {
    struct shipment *h = f->h;
    const struct ctype *type = d->type, *of = type->of, *element = of;
    if (type->kind != TYPE_POINTER && type->kind != TYPE_ARRAY) {
        h->has_bool = h->has_bool || type->kind == TYPE_BOOL;
        return compose(h, "%s %s", c_type_name(type), name);
    }
    bool constant = of->kind == TYPE_ARRAY;
    const char *axes = "";
    for (; element->kind == TYPE_ARRAY; element = element->of) {
        constant = constant && element->count >= 0 && !element->size;
        axes = compose(h, "%s[%lld]", axes, (long long)element->count);
    }
    h->has_bool = h->has_bool || element->kind == TYPE_BOOL;
    if (constant)
        return compose(h, "%s%s (*%s)%s", element->is_const ? "const " : "", c_type_name(element),
                       name, axes);
    return compose(h, "const %s *%s", c_type_name(element), name);
}

static void own_parameters(struct face *f) {
    struct shipment *h = f->h;
    const struct decl *function = h->s->decl;
    const char *list = "";
    for (size_t i = 0; i < function->parameter_count && !failed(h->error); i++) {
        f->own[i] = unused_name(f, function->parameter[i]->name);
        PUSH(h, &f->parameter, own_declaration(f, function->parameter[i], f->own[i]));
        list = compose(h, "%s%s%s", list, i ? ", " : "", f->own[i]);
    }
    if (*list)
        PUSH(h, &f->shown, compose(h, "%s: as %s takes them, but only read", list, h->s->function));
}

/* Names of sizes as C; those that are members of structs become variables. */
static void name_sizes(struct face *f) {
    struct shipment *h = f->h;
    size_t count = wg_size_count(f->d);
    f->size = arena_alloc(&h->arena, (count + 1) * sizeof *f->size, sizeof(void *));
    if (!f->size) fail_memory(h->error);
    for (size_t i = 0; i < count && !failed(h->error); i++) {
        const char *name = wg_size_name(f->d, i);
        const struct leaf *leaf = leaf_named(h, name);
        size_t k = 0;
        while (k < h->s->count && strcmp(h->s->parameter[k].name, name) != 0) k++;
        if (k < h->s->count) {
            f->size[i] = compose(h, "(int64_t)%s", f->own[k]);
        } else if (leaf && leaf->d && is_record(leaf) && leaf->top != TOP_ROWS) {
            f->size[i] = unused_name(f, name);
            put(h, &f->before, "    const int64_t %s = (int64_t)%s;\n", f->size[i],
                reach(f, leaf, f->own[leaf->parameter], leaf->top == TOP_RECORD));
        } else {
            fail_with(h->error, WG_EARGUMENT,
                      "%s: the size '%.64s' is none of its parameters\n  hint: tell lengths by "
                      "numbers and parameters, as in --size x=n*3",
                      h->s->function, name);
        }
    }
}

/* ---- what the derivative brings -------------------------------------------------------------- */

/* Lists the companion of a leaf once, with the others of its struct. */
static const struct companion *companion_of(struct face *f, const struct leaf *leaf,
                                            const char *tail, bool is_result) {
    struct shipment *h = f->h;
    for (size_t i = 0; i < f->companion.count; i++) {
        const struct companion *c = &f->companion.at[i];
        bool same = c->leaf == leaf || (is_record(leaf) && c->leaf->d == leaf->d);
        if (same && c->is_result == is_result && strcmp(c->tail, tail) == 0) return c;
    }
    const char *stem = leaf->d ? leaf->d->name : "return";
    struct companion new = {leaf, unused_name(f, compose(h, "%s%s", stem, tail)), tail, is_result};
    struct sized sized = shape_of(f, leaf);
    const char *element = is_record(leaf) ? c_type_name(leaf->owner)
                                          : element_name(sized.type.dtype);
    bool number = !is_record(leaf) && sized.type.rank == 0;
    const char *declared = number && !is_result ? compose(h, "%s %s", element, new.name)
                                                : compose(h, "%s%s *%s", is_result ? "" : "const ",
                                                          element, new.name);
    PUSH(h, &f->parameter, declared);
    if (is_record(leaf)) {
        PUSH(h, &f->shown,
             compose(h, "%s: %s, the members that are differentiated", new.name,
                     is_result ? "out" : "in"));
        const char *rows = leaf->top == TOP_ROWS ? rows_c(f, leaf, &sized) : "1";
        note_buffer(f, new.name, compose(h, "sizeof(%s) * %s", element, as_size(f, rows)),
                    is_result);
    } else {
        PUSH(h, &f->shown,
             compose(h, "%s: %s, %s", new.name, is_result ? "out" : "in", type_words(f, &sized)));
        if (!number || is_result) note_buffer(f, new.name, bytes_c(f, &sized, element), is_result);
    }
    PUSH(h, &f->companion, new);
    return f->companion.count ? &f->companion.at[f->companion.count - 1] : NULL;
}

static void seed_argument(struct face *f, const struct leaf *leaf, const char *tail) {
    const struct companion *c = companion_of(f, leaf, tail, false);
    if (!c || failed(f->h->error)) return;
    struct sized sized = shape_of(f, leaf);
    const char *base = c->name;
    if (is_gathered(leaf))
        argument(f, gathered(f, leaf, base, &sized, false));
    else if (sized.type.rank)
        argument(f, as_elements(f, leaf, sized.type.dtype, reach(f, leaf, base, false), true));
    else
        argument(f, reach(f, leaf, base, false));
}

static void result_argument(struct face *f, const struct leaf *leaf, const char *tail) {
    const struct companion *c = companion_of(f, leaf, tail, true);
    if (!c || failed(f->h->error)) return;
    struct sized sized = shape_of(f, leaf);
    const char *at = reach(f, leaf, c->name, false);
    if (is_gathered(leaf))
        argument(f, scattered(f, leaf, c->name, &sized));
    else if (sized.type.rank)
        argument(f, as_elements(f, leaf, sized.type.dtype, at, false));
    else
        argument(f, is_record(leaf) ? compose(f->h, "&%s", at) : at);
}

/* An output of the derivative that stands for itself: a matrix, a value. */
static void plain_result(struct face *f, size_t index, const char *words) {
    struct shipment *h = f->h;
    struct sized sized = {f->d, wg_output_type(f->d, index)};
    const char *name = unused_name(f, words), *element = element_name(sized.type.dtype);
    PUSH(h, &f->parameter, compose(h, "%s *%s", element, name));
    PUSH(h, &f->shown, compose(h, "%s: out, %s", name, type_words(f, &sized)));
    note_buffer(f, name, bytes_c(f, &sized, element), true);
    argument(f, name);
}

/* The tail of an output's companion: with "_out" where the input of that name has one too. */
static const char *output_tail(struct face *f, const struct leaf *leaf, const char *tail) {
    struct shipment *h = f->h;
    for (size_t i = 0; i < h->wrt.count; i++)
        if (leaf->d && h->leaves.at[h->wrt.at[i]].d == leaf->d) return compose(h, "_out%s", tail);
    return tail;
}

static const char *const result_tails[KINDS] = {
    [GRAD] = "_bar", [VALUE_GRAD] = "_bar", [HVP] = "_bar_dot", [VJP] = "_bar", [JVP] = "_dot"};

static void seeds(struct face *f) {
    struct shipment *h = f->h;
    if (f->kind == JVP || f->kind == HVP)
        for (size_t i = 0; i < h->wrt.count; i++)
            seed_argument(f, &h->leaves.at[h->wrt.at[i]], "_dot");
    for (size_t i = 0; f->kind == VJP && i < h->of.count; i++) {
        const struct leaf *leaf = &h->leaves.at[h->of.at[i]];
        seed_argument(f, leaf, output_tail(f, leaf, "_bar"));
    }
}

static void results(struct face *f) {
    struct shipment *h = f->h;
    size_t at = 0;
    if (f->kind == JAC || f->kind == HESS) {
        for (; at < wg_output_count(f->d); at++) plain_result(f, at, wg_output_name(f->d, at));
        return;
    }
    if (f->kind == VALUE_GRAD) plain_result(f, at++, "value");
    for (size_t i = 0; f->kind != JVP && i < h->wrt.count; i++)
        result_argument(f, &h->leaves.at[h->wrt.at[i]], result_tails[f->kind]);
    for (size_t i = 0; f->kind == JVP && i < h->of.count; i++) {
        const struct leaf *leaf = &h->leaves.at[h->of.at[i]];
        result_argument(f, leaf, output_tail(f, leaf, "_dot"));
    }
}

/* ---- the user's own parameters as arguments -------------------------------------------------- */

static void primal_argument(struct face *f, size_t index) {
    struct shipment *h = f->h;
    const char *name = wg_input_name(f->d, index);
    const struct leaf *leaf = leaf_named(h, name);
    struct sized sized = {f->d, wg_input_type(f->d, index)};
    wg_type type = sized.type;
    if (!leaf) {
        fail_with(h->error, WG_EARGUMENT,
                  "%s: an input '%.64s' that no parameter has is not carried", h->s->function,
                  name);
        return;
    }
    const char *base = f->own[leaf->parameter];
    if (!value_is_read(&f->d->t, f->d->t.input.at[index].v)) {
        argument(f, type.rank ? "NULL" : "0");
        return;
    }
    if (is_gathered(leaf))
        argument(f, gathered(f, leaf, base, &sized, leaf->top == TOP_RECORD));
    else if (is_narrow(leaf))
        argument(f, widened(f, leaf, base, &sized));
    else if (leaf->top == TOP_ALONE)
        argument(f, as_number(f, type.dtype, compose(h, "*%s", base)));
    else if (type.rank)
        argument(f, as_elements(f, leaf, type.dtype, reach(f, leaf, base, leaf->top == TOP_RECORD),
                                true));
    else
        argument(f, as_number(f, type.dtype, reach(f, leaf, base, leaf->top == TOP_RECORD)));
}

static void own_buffers(struct face *f) {
    struct shipment *h = f->h;
    for (size_t i = 0; i < h->s->count && !failed(h->error); i++) {
        const struct leaf *leaf = leaf_of(h, i);
        if (!leaf || leaf->top == TOP_SCALAR || leaf->top == TOP_RECORD) continue;
        if (leaf->in < 0 && leaf->out < 0) continue;
        struct sized sized = shape_of(f, leaf);
        const char *bytes = leaf->top == TOP_ARRAY
                                ? bytes_c(f, &sized, is_narrow(leaf)
                                                         ? c_type_name(leaf->type)
                                                         : element_name(sized.type.dtype))
                            : leaf->top == TOP_ROWS ? compose(h, "sizeof *%s * %s", f->own[i],
                                                              as_size(f, rows_c(f, leaf, &sized)))
                                                    : compose(h, "sizeof *%s", f->own[i]);
        note_buffer(f, f->own[i], bytes, h->s->parameter[i].is_written);
    }
}

/* ---- the function ---------------------------------------------------------------------------- */

static void add_signature(struct face *f, wg_text *out) {
    struct shipment *h = f->h;
    size_t begin = out->size, indentation;
    put(h, out, "int %s(", f->name);
    indentation = out->size - begin;
    for (size_t i = 0; i < f->parameter.count && !failed(h->error); i++) {
        const char *p = f->parameter.at[i];
        if (i && out->size - begin + strlen(p) > 92) {
            put(h, out, ",\n");
            begin = out->size;
            put(h, out, "%*s%s", (int)indentation, "", p);
        } else {
            put(h, out, "%s%s", i ? ", " : "", p);
        }
    }
    put(h, out, ")");
}

static void add_work(struct face *f) {
    struct shipment *h = f->h;
    const char *room = f->room.data ? f->room.data : "";
    if (!f->work.named && !f->gathers) {
        put(h, &h->declared, "#define %s_WORK %zu\n", f->name, f->work.bytes);
        return;
    }
    put(h, &h->declared, "size_t %s_work(%s);\n", f->name,
        wg_size_count(f->d) ? size_list(f, true) : "void");
    put(h, &h->faces, "\nsize_t %s_work(%s)\n{\n", f->name,
        wg_size_count(f->d) ? size_list(f, true) : "void");
    const char *core = f->work.named ? compose(h, "WG_ROOM(%s_core_work(%s), char)", f->name,
                                               size_list(f, false))
                                     : compose(h, "%zu", (f->work.bytes + 15) / 16 * 16);
    for (size_t i = 0; i < wg_size_count(f->d); i++) {
        const char *name = f->size[i];
        if (!f->work.named && !strstr(room, name))
            put(h, &h->faces, "    (void)%s;\n",
                strncmp(name, "(int64_t)", 9) == 0 ? name + 9 : name);
    }
    put(h, &h->faces, "    return %s%s;\n}\n", core, room);
}

static void add_alias_check(struct face *f) {
    struct shipment *h = f->h;
    bool any = false;
    for (size_t i = 0; i < f->buffer.count; i++) any = any || f->buffer.at[i].is_written;
    if (!any || f->buffer.count < 2) return;
    put(h, &h->faces, "#ifdef WG_CHECK_ALIAS\n    const struct wg_buffer buffers_[] = {\n");
    for (size_t i = 0; i < f->buffer.count; i++) {
        const struct buffer *b = &f->buffer.at[i];
        put(h, &h->faces, "        {%s, %s, %d},\n", b->name, b->bytes, b->is_written);
    }
    put(h, &h->faces,
        "    };\n    if (wg_overlap(buffers_, sizeof buffers_ / sizeof *buffers_)) "
        "return 3;\n#endif\n");
}

/* Whether the C in `text` names a variable. */
static bool mentions(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *at = text; at && (at = strstr(at, name)); at += length)
        if ((at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_')) &&
            !isalnum((unsigned char)at[length]) && at[length] != '_')
            return true;
    return false;
}

static bool is_read_here(const struct face *f, size_t parameter) {
    return mentions(f->before.data, f->own[parameter]) ||
           mentions(f->arguments.data, f->own[parameter]);
}

static void add_description(struct face *f) {
    struct shipment *h = f->h;
    put(h, &h->declared, "\n/* %s: ", f->name);
    bool scalar = f->kind != JAC && f->kind != JVP && f->kind != VJP;
    const struct leaf *one = scalar ? scalar_output(h, f->kind) : NULL;
    const char *of = one ? one->name : list_names(h, true);
    if (strcmp(of, "return") == 0) of = compose(h, "what %s returns", h->s->function);
    char what[512];
    const char *format = kinds[f->kind].what, *second = strrchr(format, '%');
    snprintf(what, sizeof what, "%.*s", (int)(second - format), format);
    char *first = strstr(what, "%s");
    put(h, &h->declared, "%.*s%s%s", (int)(first - what), what, of, first + 2);
    put(h, &h->declared, "%s%s", list_names(h, false), second + 2);
    for (size_t i = 0; i < f->shown.count; i++) {
        put(h, &h->declared, "\n *   %s", f->shown.at[i]);
        for (size_t k = 0; !i && k < h->s->count; k++) /* behind those of the function */
            if (!is_read_here(f, k)) put(h, &h->declared, "; %s not even that", f->own[k]);
    }
    bool computed = f->work.named || f->gathers;
    put(h, &h->declared, "\n *   %s: of %s_%s bytes%s", f->work_name, f->name,
        computed ? "work(...)" : "WORK", computed || f->work.bytes ? "" : ": may be NULL");
    put(h, &h->declared, " */\n");
}

static void add_face(struct face *f) {
    struct shipment *h = f->h;
    add_description(f);
    add_work(f);
    add_signature(f, &h->declared);
    put(h, &h->declared, ";\n");
    put(h, &h->faces, "\n");
    add_signature(f, &h->faces);
    put(h, &h->faces, "\n{\n");
    const char *from = f->before.data ? f->before.data : "";
    const char *sizes_end = from;
    while (strncmp(sizes_end, "    const int64_t ", 18) == 0 && strchr(sizes_end, '\n'))
        sizes_end = strchr(sizes_end, '\n') + 1;
    put(h, &h->faces, "%.*s", (int)(sizes_end - from), from);
    for (size_t i = 0; i < wg_size_count(f->d); i++)
        put(h, &h->faces, "    if (%s < 0) return 2;\n", f->size[i]);
    add_alias_check(f);
    if (f->in_pieces) put(h, &h->faces, "    int64_t at_;\n");
    put(h, &h->faces, "%s", sizes_end);
    for (size_t i = 0; i < h->s->count && !failed(h->error); i++)
        if (!is_read_here(f, i)) put(h, &h->faces, "    (void)%s;\n", f->own[i]);
    const char *arguments = f->arguments.data ? f->arguments.data : "";
    if (f->after.data) {
        add_call(h, &h->faces, compose(h, "    int status = %s_core(", f->name), arguments);
        put(h, &h->faces, ");\n    if (status) return status;\n");
        put(h, &h->faces, "%s    return 0;\n}\n", f->after.data);
    } else {
        add_call(h, &h->faces, compose(h, "    return %s_core(", f->name), arguments);
        put(h, &h->faces, ");\n}\n");
    }
}

static void free_face(struct face *f) {
    const wg_allocator *a = &f->h->s->allocator;
    VEC_FREE(a, &f->used);
    VEC_FREE(a, &f->parameter);
    VEC_FREE(a, &f->shown);
    VEC_FREE(a, &f->buffer);
    VEC_FREE(a, &f->companion);
    wg_text_free(&f->before);
    wg_text_free(&f->arguments);
    wg_text_free(&f->after);
    wg_text_free(&f->room);
    wg_program_free(f->d);
}

void ship_kind(struct shipment *h, enum kind kind) {
    const wg_allocator *a = &h->s->allocator;
    struct face f = {.h = h,
                     .kind = kind,
                     .before = {.allocator = *a},
                     .arguments = {.allocator = *a},
                     .after = {.allocator = *a},
                     .room = {.allocator = *a}};
    f.name = compose(h, "%s_%s", h->o->name ? h->o->name : h->s->function, kinds[kind].name);
    f.d = derivative(h, kind);
    f.own = arena_alloc(&h->arena, (h->s->count + 1) * sizeof *f.own, sizeof(void *));
    if (!f.own) fail_memory(h->error);
    wg_text core = {.allocator = *a};
    if (!failed(h->error))
        emit_core(f.d, compose(h, "%s_core", f.name), h->o->cblas, &core, &f.work, h->error);
    if (!failed(h->error) && !add_quoted(h->s, core.data, &h->cores)) fail_memory(h->error);
    put(h, &h->cores, "\n");
    wg_text_free(&core);
    if (!failed(h->error)) {
        PUSH(h, &f.used, "row_");
        PUSH(h, &f.used, "status");
        PUSH(h, &f.used, "piece_");
        PUSH(h, &f.used, "at_");
        PUSH(h, &f.used, "buffers_");
        own_parameters(&f);
        f.work_name = unused_name(&f, "work");
        name_sizes(&f);
    }
    for (size_t i = 0; !failed(h->error) && i < wg_size_count(f.d); i++) argument(&f, f.size[i]);
    size_t inputs = wg_input_count(h->p);
    for (size_t i = 0; !failed(h->error) && i < inputs; i++) primal_argument(&f, i);
    if (!failed(h->error)) {
        seeds(&f);
        results(&f);
        own_buffers(&f);
        PUSH(h, &f.parameter, compose(h, "void *%s", f.work_name));
        argument(&f, f.work_name);
        if (!failed(h->error)) add_face(&f);
    }
    free_face(&f);
}
