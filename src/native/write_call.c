/* The frame of code that the library loads and calls: functions of a wg_frame, where the addresses
 * of everything are in a table, and the pieces of the runtime in front of them. */
#include "native/embedded.h"
#include "native/pieces.h"
#include "native/writer.h"

#include <stdio.h>

/* ---- addresses ------------------------------------------------------------------------------- */

void declare_address(struct writer *w, value root) {
    if (w->declared[root] == w->part + 1 || w->w->homes->table[root] == NO_HOME) return;
    if (w->w->threads && is_row_buffer(w, root)) return; /* see open_row_pieces */
    w->declared[root] = w->part + 1;
    const char *type = type_text_of[dtype_of(w, root)];
    bool given = w->l->role[root] == ROLE_GIVEN;
    ADD(w, "    %s%s *const ", given ? "const " : "", type);
    add_memory(w, root);
    ADD(w, " = (%s%s *)f->table[%u];\n", given ? "const " : "", type, w->w->homes->table[root]);
}

static void declare_value(struct writer *w, value v) {
    struct lowered *l = w->l;
    for (size_t k = 0; k < access_count(l, v); k++)
        declare_address(w, l->access.at[l->access_at[v] + k].root);
    if (l->storage[v] != STORE_NONE) declare_address(w, v);
    for (uint32_t id = l->place[v]; id; id = l->places.at[id - 1].next)
        declare_address(w, l->places.at[id - 1].whole);
}

/* ---- functions ------------------------------------------------------------------------------- */

static void add_copies(struct writer *w, bool first) {
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < w->w->copy_count; i++) {
            const struct output_copy *copy = &w->w->copy[i];
            if (pass == 0 && copy->save == NO_HOME) continue;
            if (copy->first != first) continue;
            value v = copy->from;
            const wg_type *type = type_of(w->t, v);
            unsigned dtype = type->dtype;
            uint32_t to = pass == 0 ? copy->save : copy->to;
            if (type->rank == 0) {
                struct access a = {.root = v};
                struct site_of_use at = {0, NULL};
                ADD(w, "    *(%s *)f->table[%u] = ", type_text_of[dtype], to);
                if (pass == 1 && copy->save != NO_HOME)
                    ADD(w, "*(%s *)f->table[%u]", type_text_of[dtype], copy->save);
                else add_operand(w, &a, &at);
                add(w, ";\n");
                continue;
            }
            uint32_t from = pass == 1 && copy->save != NO_HOME ? copy->save
                                                               : w->w->homes->table[v];
            ADD(w, "    wg_copy(f->table[%u], f->table[%u], (size_t)(", to, from);
            add_count(w, type);
            ADD(w, ") * sizeof(%s));\n", type_text_of[dtype]);
        }
    }
}

static void declare_copies(struct writer *w) {
    for (size_t i = 0; i < w->w->copy_count; i++) {
        value v = w->w->copy[i].from;
        if (type_of(w->t, v)->rank == 0) declare_address(w, v);
    }
}

static void open_function(struct writer *w) {
    add(w, "    int status = 0;\n    wg_cell *const c = f->cell;\n");
    for (size_t i = 0; i < w->t->size.count; i++) {
        add(w, "    const int64_t ");
        add_size(w, w->t, i);
        ADD(w, " = f->size[%zu];\n", i);
    }
}

static void close_function(struct writer *w) {
    for (size_t i = 0; i < w->t->size.count; i++) {
        add(w, "    (void)");
        add_size(w, w->t, i);
        add(w, ";\n");
    }
    add(w, "    (void)c;\n    return status;\n}\n");
}

/* The items of one part, from *at on. */
static void add_part(struct writer *w, size_t *at) {
    const struct lowered *l = w->l;
    size_t end = *at;
    while (end < l->items.count && l->items.at[end].part == w->part) end++;
    for (size_t i = *at; i < end && w->ok; i++) {
        value operation = l->stages.at[l->items.at[i].stage].operation;
        if (is_region(w->t, operation)) declare_region(w, operation);
        if (is_of_numbers(w, operation)) declare_numbers(w, operation);
        visit_statements(w, &l->items.at[i], declare_value);
    }
    if (l->part_count == 1) declare_copies(w);
    for (size_t i = *at; i < end && w->ok; i++) {
        w->item = (uint32_t)i + 1;
        write_item(w, &l->items.at[i]);
    }
    w->item = 0;
    *at = end;
}

static void add_functions(struct writer *w) {
    const struct lowered *l = w->l;
    size_t at = 0;
    if (l->part_count == 1) {
        add(w, "int wg_program(const wg_frame *f)\n{\n");
        open_function(w);
        check_given_indices(w);
        add_copies(w, true);
        add_part(w, &at);
        add_copies(w, false);
        close_function(w);
        return;
    }
    for (w->part = 0; w->part < l->part_count && w->ok; w->part++) {
        ADD(w, "static WG_APART int part%u(const wg_frame *f)\n{\n", w->part);
        open_function(w);
        add_part(w, &at);
        close_function(w);
        add(w, "\n");
    }
    add(w, "int wg_program(const wg_frame *f)\n{\n");
    open_function(w);
    declare_copies(w);
    check_given_indices(w);
    add_copies(w, true);
    for (uint32_t k = 0; k < l->part_count && w->ok; k++)
        ADD(w, "    if ((status = part%u(f)) != 0) return status;\n", k);
    add_copies(w, false);
    close_function(w);
}

/* ---- the file -------------------------------------------------------------------------------- */

static size_t count_of(const char *text, const char *word) {
    size_t count = 0;
    while ((text = strstr(text, word))) text++, count++;
    return count;
}

/* Where a body uses them, what of runtime_wide.h takes the place of functions of vector_math.h. */
static void add_wide_functions(struct writer *w, const char *body) {
    static const char *const name[] = {"exp", "log", "log1p", "tanh"};
    bool begun = false;
    for (size_t i = 0; i < COUNT_OF(name); i++) {
        char called[16];
        snprintf(called, sizeof called, "vm_%s(", name[i]);
        if (!strstr(body, called)) continue;
        if (!begun) ADD(w, "#ifdef WG_WIDE_LOOPS\n%s", embedded_wide);
        begun = true;
        ADD(w, "WG_WIDE_VARIANTS(%s)\n#define vm_%s wg_simd_%s\n", name[i], name[i], name[i]);
    }
    if (begun) add(w, "#endif\n");
}

/* The functions of vector_math.h that a body uses, and no others: to read all takes a compiler a
 * tenth of a second. */
static void add_mathematics(struct writer *w, const char *body) {
    const struct source_text source[] = {{.text = embedded_vector_math},
                                         {.text = embedded_vector_math_f32}};
    wg_text scalar = {.allocator = w->out->allocator}, words = {.allocator = w->out->allocator};
    if (strstr(body, "special_")) w->ok = w->ok && text_add(&words, embedded_special);
    for (size_t i = 0; row_functions[i] && w->ok; i++) {
        char called[32];
        bool used = false;
        for (int narrow = 0; narrow < 2; narrow++) {
            snprintf(called, sizeof called, "wg_%s%s(", row_functions[i], narrow ? "f" : "");
            used |= strstr(body, called) != NULL;
            snprintf(called, sizeof called, "vm_%s%s(", row_functions[i], narrow ? "f" : "");
            if (used || strstr(body, called)) w->ok = w->ok && text_format(&words, "\n%s", called);
        }
        if (!used) continue;
        w->ok = w->ok && text_format(&words, "\nvm_%s(", row_functions[i]) &&
                text_format(&scalar, "WG_SCALAR(%s)\n", row_functions[i]);
    }
    w->ok = w->ok && (!words.data || add_used_pieces(source, COUNT_OF(source), words.data, w->out));
    add(w, embedded_runtime_math);
    if (scalar.data) add(w, scalar.data);
    add_wide_functions(w, body);
    wg_text_free(&scalar);
    wg_text_free(&words);
}

/* The pieces of the runtime that a body uses, by a word that only they have. */
static void add_runtime(struct writer *w, const char *body) {
    add(w, embedded_runtime);
    if (w->w->before) add(w, "#define WG_RESTRICT __restrict\n");
    if (w->w->threads) add(w, embedded_threads);
    add_mathematics(w, body);
    enum { FEW_SUMS = 8 };
    bool few = count_of(body, "wg_sum_add_lanes_") <= FEW_SUMS;
    ADD(w, "\n#define WG_OF_SUM %s\n", few ? "inline" : "WG_APART");
    static const char *const suffix[] = {"f64", "f32"}, *const type[] = {"double", "float"};
    static const char *const kind[] = {"sum", "max", "peak"},
                             *const tail[] = {"", "_run", "_short"};
    for (size_t k = 0; k < 2; k++) {
        bool used = false;
        for (size_t i = 0; i < 9; i++) {
            char name[32];
            snprintf(name, sizeof name, "wg_%s%s_%s", kind[i / 3], tail[i % 3], suffix[k]);
            used |= strstr(body, name) != NULL;
        }
        used |= strstr(body, k ? "wg_column_sum_f32" : "wg_column_sum_f64") ||
                strstr(body, k ? "wg_column_max_f32" : "wg_column_max_f64");
        if (!used) continue;
        ADD(w, "\n#define T %s\n#define F(name) name##_%s\n", type[k], suffix[k]);
        add(w, embedded_reduce);
        add(w, "#undef T\n#undef F\n");
    }
    for (size_t k = 0; k < 2; k++) {
        if (!strstr(body, k ? "wg_along_f32" : "wg_along_f64")) continue;
        ADD(w, "\n#define T %s\n#define F(name) name##_%s\n", type[k], suffix[k]);
        add(w, embedded_along);
        add(w, "#undef T\n#undef F\n");
    }
    if (strstr(body, "special_")) {
        add(w, embedded_special);
    }
    add(w, "\n");
}

bool write_c(const struct writing *writing, wg_text *out, wg_error *error) {
    struct lowered *l = writing->lowered;
    const struct trace *t = &l->program->t;
    wg_text body = {.allocator = t->allocator};
    struct writer w = {.w = writing, .l = l, .t = t, .out = &body, .ok = true};
    w.declared = mem_alloc_zero(&t->allocator, l->count * sizeof *w.declared);
    w.loaded = mem_alloc_zero(&t->allocator, l->count * sizeof *w.loaded);
    w.grouping = mem_alloc_zero(&t->allocator, l->count * sizeof *w.grouping);
    w.step = mem_alloc_zero(&t->allocator, l->count * sizeof *w.step);
    w.kept = mem_alloc_zero(&t->allocator, l->count);
    w.ok = w.declared && w.loaded && w.grouping && w.step && w.kept;
    if (w.ok && writing->before) add(&w, writing->before);
    if (w.ok) add_functions(&w);
    w.ok = w.ok && body.data;
    w.out = out;
    if (w.ok) add_runtime(&w, body.data);
    if (w.ok) add(&w, body.data);
    mem_free(&t->allocator, w.declared, l->count * sizeof *w.declared);
    mem_free(&t->allocator, w.loaded, l->count * sizeof *w.loaded);
    mem_free(&t->allocator, w.grouping, l->count * sizeof *w.grouping);
    mem_free(&t->allocator, w.step, l->count * sizeof *w.step);
    mem_free(&t->allocator, w.kept, l->count);
    VEC_FREE(&out->allocator, &w.checked);
    wg_text_free(&body);
    if (!w.ok) fail_memory(error);
    return w.ok;
}
