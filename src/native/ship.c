/* C that a user takes away, and the bodies of loops and branches in all C: around the loop nests of
 * write.c a function whose parameters are the program's sizes, inputs and outputs and one
 * workspace, its declaration with what it takes and gives, and the pieces of the runtime that it
 * uses. All addresses are parameters, pieces of the workspace, or constants; a function declares
 * those that it uses. */
#include "native/embedded.h"
#include "native/pieces.h"
#include "native/writer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ROUND = SHIP_ROUND,
    LINE = 96,
    MUCH = 400 /* statements of a body that is not put into its loop as it stands */
};

enum parameter_kind { SIZE, INPUT, OUTPUT };

struct parameter {
    const char *given; /* in the program */
    const char *shown; /* in the header */
    const char *name;  /* in the code, where other words are taken */
    enum parameter_kind kind;
    wg_type type;
    uint32_t used;     /* 1 + the last part that does */
    uint32_t place;    /* of an input: 1 + the output that is in its place */
};

struct shipped {
    const struct shipping *s;
    struct arena arena;
    struct parameter *parameter;
    size_t sizes, count, cell_count;
    uint32_t cells;         /* 1 + the last part that uses them */
    uint32_t work;          /* likewise */
    VEC(value) memory;      /* slots that the part at hand uses */
    uint32_t *slot_used;    /* of each slot: 1 + the last part that uses it */
};

/* ---- names ----------------------------------------------------------------------------------- */

/* What neither C nor C++ lets be a name, and macros of their headers. */
static const char *const keywords[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break",
    "case", "catch", "char", "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return",
    "co_yield", "compl", "concept", "const", "const_cast", "consteval", "constexpr", "constinit",
    "continue", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else", "enum",
    "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline",
    "int", "int32_t", "int64_t", "long", "main", "mutable", "namespace", "new", "noexcept", "not",
    "not_eq", "nullptr", "operator", "or", "or_eq", "private", "protected", "public", "register",
    "reinterpret_cast", "requires", "restrict", "return", "short", "signed", "size_t", "sizeof",
    "static", "static_assert", "static_cast", "struct", "switch", "template", "this",
    "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "uint32_t", "uint64_t",
    "uint8_t", "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while",
    "work", "xor", "xor_eq", "linux", "unix", "near", "far", "NULL", "NAN", "INFINITY", "EOF",
    "INT64_MIN", "INT64_MAX", "INT32_MIN", "INT32_MAX", "errno", "assert"};

/* What the code itself calls so, beside the functions of the C library. */
static const char *const own_words[] = {
    "c", "terms", "each", "whole", "side", "lanes", "lane", "begin", "count", "extent", "shape",
    "from", "to", "start", "step", "row", "rows", "first", "rest", "trips", "f64", "philox",
    "next", "wide", "memcpy", "memset", "memmove", "isfinite", "isinf", "floor_quotient",
    "floor_remainder", "BITS", "SHIFTED", "ABSOLUTE", "lgamma", "tgamma", "copysign", "f", "status",
    "index", "length", "low", "high", "outside", "ran", "go", "at", "size", "which", "along"};

static bool is_listed(const char *word, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], word) == 0) return true;
    return false;
}

/* A letter and a number, as the code names values, memory, loops and so on: v12, or v12_1 and
 * v12_a1 for what belongs to v12. */
static bool is_numbered(const char *word) {
    size_t digits = strlen(word) > 1 ? strspn(word + 1, "0123456789") : 0;
    char behind = digits ? word[1 + digits] : 'x';
    return (behind == 0 || behind == '_') && strchr("bilmrstvw", word[0]);
}

/* sum_v12: what v12 is called if the program tells the variable that it was. */
static bool is_named(const char *word) {
    const char *tail = strrchr(word, '_');
    return tail && tail[1] == 'v' && is_numbered(tail + 1);
}

static bool is_own(const char *word) {
    return is_numbered(word) || is_named(word) || is_listed(word, own_words, COUNT_OF(own_words)) ||
           is_library_function(word) || strncmp(word, "wg_", 3) == 0 ||
           strncmp(word, "WG_", 3) == 0 || strncmp(word, "vm", 2) == 0 ||
           strncmp(word, "arg", 3) == 0 || strncmp(word, "special_", 8) == 0;
}

static bool is_body(const struct shipping *s) {
    return s->kind != SHIP_PROGRAM && s->kind != SHIP_CORE;
}

bool is_c_keyword(const char *word) {
    return is_listed(word, keywords, COUNT_OF(keywords));
}

static bool is_taken(const struct shipped *s, size_t before, const char *name, bool shown) {
    for (size_t i = 0; i < before; i++)
        if (strcmp(shown ? s->parameter[i].shown : s->parameter[i].name, name) == 0) return true;
    return false;
}

/* A text in the arena, with "_2", "_3", ... behind it where it is a parameter's already. */
static const char *unique(struct shipped *s, size_t index, const char *name, const char *tail,
                          bool shown) {
    size_t size = strlen(name) + strlen(tail) + 16;
    char *text = arena_alloc(&s->arena, size, 1);
    if (!text) return NULL;
    snprintf(text, size, "%s%s", name, tail);
    for (unsigned i = 2; is_taken(s, index, text, shown); i++)
        snprintf(text, size, "%s%s_%u", name, tail, i);
    return text;
}

/* The name with what no identifier has replaced: "x.1" becomes x_1. */
static char *as_identifier(struct shipped *s, const char *name) {
    size_t size = strlen(name) + 2, at = 0;
    char *text = arena_alloc(&s->arena, size, 1);
    if (!text) return NULL;
    if (isdigit((unsigned char)*name)) text[at++] = 'x';
    for (; *name; name++) {
        bool good = isalnum((unsigned char)*name) && (unsigned char)*name < 128;
        text[at++] = good ? *name : '_';
    }
    text[at] = 0;
    if (text[0] == '_') text[0] = 'x'; /* names that begin so are the compiler's */
    return text;
}

/* As the function and those that it calls may be. */
static bool is_of_function(const struct shipped *s, const char *word) {
    size_t length = strlen(s->s->name);
    return strncmp(word, s->s->name, length) == 0 && (word[length] == '_' || !word[length]);
}

static bool name_parameter(struct shipped *s, size_t index) {
    struct parameter *p = &s->parameter[index];
    const char *word = as_identifier(s, p->given);
    if (!word) return false;
    p->shown = unique(s, index, word, is_c_keyword(word) ? "_" : "",
                      true);
    bool taken = p->shown && (is_own(p->shown) || is_of_function(s, p->shown));
    p->name = p->shown ? unique(s, index, p->shown, taken ? "_" : "", false) : NULL;
    return p->name;
}

static bool list_parameters(struct writer *w, struct shipped *s) {
    const struct trace *t = w->t;
    s->sizes = t->size.count;
    s->count = s->sizes + t->input.count + t->output.count;
    s->parameter = arena_alloc(&s->arena, (s->count + 1) * sizeof *s->parameter,
                               _Alignof(struct parameter));
    bool ok = s->parameter;
    for (size_t i = 0; i < s->count && ok; i++) {
        size_t port = i - s->sizes;
        bool input = i >= s->sizes && port < t->input.count;
        const struct port *of = i < s->sizes ? NULL
                                : input      ? &t->input.at[port]
                                             : &t->output.at[port - t->input.count];
        s->parameter[i] = (struct parameter){
            .given = name_at(t, of ? of->name : t->size.at[i]),
            .kind = !of ? SIZE : input ? INPUT : OUTPUT,
            .type = of ? *type_of(t, of->v) : (wg_type){.dtype = WG_I64}};
        ok = name_parameter(s, i);
    }
    for (size_t i = 0; ok && s->s->donor && i < t->output.count; i++)
        if (s->s->donor[i])
            s->parameter[s->sizes + s->s->donor[i] - 1].place =
                (uint32_t)(s->sizes + t->input.count + i) + 1;
    return ok;
}

/* ---- what the code uses ---------------------------------------------------------------------- */

static void use_parameter(struct writer *w, struct parameter *p) {
    if (p->place) p = &w->shipped->parameter[p->place - 1];
    p->used = w->part + 1;
    add(w, p->name);
}

void shipped_size(struct writer *w, size_t index) {
    use_parameter(w, &w->shipped->parameter[index]);
}

void shipped_cells(struct writer *w) {
    w->shipped->cells = w->part + 1;
}

bool ships_with_cblas(const struct writer *w) {
    return w->shipped->s->cblas;
}

bool is_called_body(const struct writer *w) {
    return w->shipped && w->shipped->s->kind == CALLED_BODY;
}

uint32_t number_of_body(const struct writer *w) {
    return w->shipped->s->number;
}

void add_shipped_sizes(struct writer *w) {
    struct shipped *s = w->shipped;
    for (size_t i = 0; i < s->sizes; i++) {
        if (i) add(w, ", ");
        use_parameter(w, &s->parameter[i]);
    }
}

void shipped_memory(struct writer *w, value root) {
    struct shipped *s = w->shipped;
    uint32_t entry = w->w->homes->table[root];
    if (instr_at(w->t, root)->op == OP_data) {
        ADD(w, "%s_data%u", s->s->name, root);
    } else if (entry < s->s->constants) {
        use_parameter(w, &s->parameter[s->sizes + entry]);
    } else {
        ADD(w, "m%u", root);
        if (w->declared[root] == w->part + 1) return;
        w->declared[root] = w->part + 1;
        s->slot_used[entry - s->s->slots] = w->part + 1;
        value *new = VEC_PUSH(&w->out->allocator, &s->memory);
        if (new) *new = root;
        w->ok = w->ok && new;
    }
}

/* ---- the workspace --------------------------------------------------------------------------- */

/* Cells stand first, then slots of constant size, then the others, one behind the other. */
static size_t cells_end(const struct shipped *s) {
    return (s->cell_count * sizeof(int64_t) + ROUND - 1) / ROUND * ROUND;
}

static size_t slot_bytes(const struct ship_slot *slot) {
    return ((size_t)slot->factor + ROUND - 1) / ROUND * ROUND;
}

/* Where the slot begins; of all slots: where the constant ones end. */
static size_t constant_offset(const struct shipped *s, size_t slot) {
    size_t at = cells_end(s);
    for (size_t i = 0; i < slot; i++)
        if (s->s->slot[i].part_count == 0) at += slot_bytes(&s->s->slot[i]);
    return at;
}

/* The bytes of a slot of named extents, rounded up. */
static void add_slot_bytes(struct writer *w, const struct ship_slot *slot) {
    bool round = slot->factor % ROUND;
    if (round) add(w, "(");
    ADD(w, "%lld", (long long)slot->factor);
    for (size_t k = 0; k < slot->part_count; k++) {
        add(w, " * ");
        add_extent(w, w->t, slot->part[k], true);
    }
    if (round) ADD(w, " + %d) / %d * %d", ROUND - 1, ROUND, ROUND);
}

static void add_offset(struct writer *w, size_t bytes) {
    w->shipped->work = w->part + 1;
    add(w, "(char *)work");
    if (bytes) ADD(w, " + %zu", bytes);
}

/* Behind all slots: the workspaces of bodies. */
static void add_slots_end(struct writer *w) {
    struct shipped *s = w->shipped;
    ADD(w, "%zu", constant_offset(s, s->s->slot_count));
    for (size_t i = 0; i < s->s->slot_count && w->ok; i++) {
        if (s->s->slot[i].part_count == 0) continue;
        add(w, " + ");
        add_slot_bytes(w, &s->s->slot[i]);
    }
}

void add_shipped_inner(struct writer *w) {
    w->shipped->work = w->part + 1;
    add(w, "(char *)work + ");
    add_slots_end(w);
}

void add_shipped_entry(struct writer *w, uint32_t entry) {
    struct shipped *s = w->shipped;
    size_t slot = entry - s->s->slots;
    if (entry < s->s->constants) {
        use_parameter(w, &s->parameter[s->sizes + entry]);
    } else if (s->s->slot[slot].part_count) {
        s->slot_used[slot] = w->part + 1;
        ADD(w, "s%zu", slot);
    } else {
        add(w, "(");
        add_offset(w, constant_offset(s, slot));
        add(w, ")");
    }
}

static void declare_slots(struct writer *w) {
    struct shipped *s = w->shipped;
    size_t end = 0, previous = SIZE_MAX;
    for (size_t i = 0; i < s->s->slot_count; i++)
        if (s->s->slot[i].part_count && s->slot_used[i] == w->part + 1) end = i + 1;
    for (size_t i = 0; i < end; i++) {
        if (s->s->slot[i].part_count == 0) continue;
        if (previous == SIZE_MAX) {
            ADD(w, "    char *const s%zu = ", i);
            add_offset(w, constant_offset(s, s->s->slot_count));
            add(w, ";\n");
        } else {
            ADD(w, "    char *const s%zu = s%zu + ", i, previous);
            add_slot_bytes(w, &s->s->slot[previous]);
            add(w, ";\n");
        }
        previous = i;
    }
}

static void declare_memory(struct writer *w) {
    struct shipped *s = w->shipped;
    if (s->cells == w->part + 1) {
        add(w, "    wg_cell *const c = (wg_cell *)work;\n");
        s->work = w->part + 1;
    }
    declare_slots(w);
    for (size_t i = 0; i < s->memory.count; i++) {
        value v = s->memory.at[i];
        const char *type = type_text_of[dtype_of(w, v)];
        size_t slot = w->w->homes->table[v] - s->s->slots;
        ADD(w, "    %s *const m%u = (%s *)", type, v, type);
        if (s->s->slot[slot].part_count) {
            ADD(w, "s%zu;\n", slot);
        } else {
            add(w, "(");
            add_offset(w, constant_offset(s, slot));
            add(w, ");\n");
        }
    }
    s->memory.count = 0;
}

/* ---- functions ------------------------------------------------------------------------------- */

/* One parameter with its comma, on the line or the next. */
static void add_parameter(struct writer *w, const char *type, const char *name, const char *end,
                          size_t indentation, size_t *begin) {
    size_t length = strlen(type) + strlen(name) + strlen(end);
    bool first = w->out->data[w->out->size - 1] == '(';
    if (!first && w->out->size - *begin + 1 + length > LINE) {
        *begin = w->out->size + 1;
        ADD(w, "\n%*s", (int)indentation, "");
    } else if (!first) {
        add(w, " ");
    }
    ADD(w, "%s%s%s", type, name, end);
}

/* NAME(int64_t n, const double *WG_RESTRICT x, ..., void *WG_RESTRICT work), as `shown` in the
 * header or with the names of the code. */
static void add_signature(struct writer *w, const char *head, bool shown) {
    struct shipped *s = w->shipped;
    size_t begin = w->out->size, indentation = strlen(head) + 1;
    ADD(w, "%s(", head);
    if (is_called_body(w)) add_parameter(w, "const wg_frame *", "f", ",", indentation, &begin);
    for (size_t i = 0; i < s->count && w->ok; i++) {
        const struct parameter *p = &s->parameter[i];
        if (p->place) continue;
        bool by_value = p->kind != OUTPUT && p->type.rank == 0;
        char type[64];
        snprintf(type, sizeof type, "%s%s %s", p->kind == INPUT && !by_value ? "const " : "",
                 type_text_of[p->type.dtype], by_value ? "" : "*WG_RESTRICT ");
        add_parameter(w, type, shown ? p->shown : p->name, ",", indentation, &begin);
    }
    if (w->ok) add_parameter(w, "void *WG_RESTRICT ", "work", ")", indentation, &begin);
}

/* (n, x, ..., work) */
static void add_arguments(struct writer *w) {
    struct shipped *s = w->shipped;
    add(w, is_called_body(w) ? "(f, " : "(");
    for (size_t i = 0; i < s->count && w->ok; i++) {
        if (s->parameter[i].place) continue;
        use_parameter(w, &s->parameter[i]);
        add(w, ", ");
    }
    add(w, "work)");
    s->work = w->part + 1;
}

static void add_unused(struct writer *w) {
    struct shipped *s = w->shipped;
    for (size_t i = 0; i < s->count; i++)
        if (s->parameter[i].used != w->part + 1 && !s->parameter[i].place)
            ADD(w, "    (void)%s;\n", s->parameter[i].name);
    if (s->work != w->part + 1) add(w, "    (void)work;\n");
    if (is_called_body(w)) add(w, "    (void)f;\n");
}

/* The name that a value's variable has in the user's text, as far as it may be part of one here. */
static bool add_named(const struct trace *t, value v, wg_text *out) {
    const char *name = v < t->instr.count ? value_name(t, v) : NULL;
    size_t length = name ? strlen(name) : 0;
    if (length > 40 || !length || isdigit((unsigned char)*name)) length = 0;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '_') length = 0;
    if (length && *name == '_') length = 0; /* such names are the compiler's */
    unsigned flags = instr_at(t, v < t->instr.count ? v : 0)->flags;
    return !length || text_format(out, "%s%s%s_", name, flags & INSTR_ADJOINT ? "_bar" : "",
                                  flags & INSTR_TANGENT ? "_dot" : "");
}

/* v12 becomes sum_v12 everywhere. */
static void name_values(struct writer *w, wg_text *body) {
    wg_text named = {.allocator = body->allocator};
    const char *s = body->data, *from = s;
    bool comment = false;
    while (*s && w->ok) {
        size_t length = 0;
        if (!comment && s[0] == '/' && s[1] == '*') comment = true;
        if (comment && s[0] == '*' && s[1] == '/') comment = false;
        while (isalnum((unsigned char)s[length]) || s[length] == '_') length++;
        size_t digits = *s == 'v' && length > 1 ? strspn(s + 1, "0123456789") : 0;
        if (!comment && digits && digits + 1 == length && digits < 10) {
            w->ok = text_bytes(&named, from, (size_t)(s - from)) &&
                    add_named(w->t, (value)strtoul(s + 1, NULL, 10), &named);
            from = s;
        }
        s += length ? length : 1;
    }
    w->ok = w->ok && text_add(&named, from);
    wg_text_free(body);
    *body = named;
}

/* A whole function: body is written first, as it tells what is declared in front of it. */
static void add_function(struct writer *w, const char *head, void (*write_body)(struct writer *w)) {
    wg_text *out = w->out, body = {.allocator = out->allocator},
            declared = {.allocator = out->allocator};
    w->out = &body;
    write_body(w);
    w->out = &declared;
    declare_memory(w);
    w->out = out;
    add_signature(w, head, false);
    add(w, "\n{\n");
    if (body.data && has_word(body.data, "status")) add(w, "    int status = 0;\n");
    if (declared.data) add(w, declared.data);
    add_unused(w);
    if (body.data) name_values(w, &body);
    if (body.data) add(w, body.data);
    add(w, "    return 0;\n}\n");
    wg_text_free(&body);
    wg_text_free(&declared);
}

static void add_part_items(struct writer *w) {
    const struct lowered *l = w->l;
    for (size_t i = 0; i < l->items.count && w->ok; i++) {
        if (l->items.at[i].part != w->part) continue;
        w->item = (uint32_t)i + 1;
        write_item(w, &l->items.at[i]);
    }
    w->item = 0;
}

/* Sizes that are negative, or that do not go together. */
static void add_checks(struct writer *w) {
    struct shipped *s = w->shipped;
    for (size_t i = 0; i < s->sizes; i++) {
        add(w, "    if (");
        use_parameter(w, &s->parameter[i]);
        add(w, " < 0) return 2;\n");
    }
    for (size_t i = 0; i < w->t->check.count; i++) {
        const struct check *check = &w->t->check.at[i];
        add(w, "    if (");
        add_extent(w, w->t, check->left, true);
        add(w, check->equal ? " != " : " > ");
        add_extent(w, w->t, check->right, true);
        add(w, ") return 2;\n");
    }
}

static void add_memory_of(struct writer *w, uint32_t entry, value v) {
    if (entry < w->shipped->s->constants)
        use_parameter(w, &w->shipped->parameter[w->shipped->sizes + entry]);
    else add_memory(w, v);
}

static void add_copy(struct writer *w, const struct output_copy *copy, bool saves) {
    const wg_type *type = type_of(w->t, copy->from);
    bool saved = copy->save != NO_HOME;
    struct access a = {.root = copy->from};
    struct site_of_use at = {0, NULL};
    if (type->rank == 0) {
        add(w, "    *");
        add_memory_of(w, copy->to, copy->from);
        add(w, " = ");
        add_operand(w, &a, &at);
        add(w, ";\n");
        return;
    }
    add(w, "    wg_copy(");
    if (saves)
        add_shipped_entry(w, copy->save);
    else
        add_memory_of(w, copy->to, copy->from);
    add(w, ", ");
    if (saved && !saves)
        add_shipped_entry(w, copy->save);
    else
        add_memory(w, copy->from);
    add(w, ", (size_t)(");
    add_count(w, type);
    ADD(w, ") * sizeof(%s));\n", type_text_of[type->dtype]);
}

/* What the output in its place will overwrite is saved first; a scalar has no such place. */
static void add_output_copies(struct writer *w, bool first) {
    const struct output_copy *copy = w->w->copy;
    for (size_t i = 0; i < w->w->copy_count && w->ok; i++)
        if (copy[i].save != NO_HOME && !first) add_copy(w, &copy[i], true);
    for (size_t i = 0; i < w->w->copy_count && w->ok; i++)
        if (copy[i].first == first) add_copy(w, &copy[i], false);
}

static void add_whole_body(struct writer *w) {
    if (!is_body(w->shipped->s)) add_checks(w);
    check_given_indices(w);
    add_output_copies(w, true);
    add_part_items(w);
    add_output_copies(w, false);
}

static void add_calls_of_parts(struct writer *w) {
    if (!is_body(w->shipped->s)) add_checks(w);
    check_given_indices(w);
    add_output_copies(w, true);
    for (uint32_t k = 0; k < w->l->part_count && w->ok; k++) {
        ADD(w, "    if ((status = %s_part%u", w->shipped->s->name, k);
        add_arguments(w);
        add(w, ") != 0) return status;\n");
    }
    add_output_copies(w, false);
}

static void add_functions(struct writer *w) {
    const char *name = w->shipped->s->name;
    char head[512];
    const char *kind = w->shipped->s->kind == SHIP_PROGRAM               ? "int"
                       : w->shipped->s->kind == SHIP_CORE                ? "static int"
                       : w->l->part_count == 1 && w->l->access.count < MUCH ? "WG_WITHIN int"
                                                                            : "static WG_APART int";
    snprintf(head, sizeof head, "%s %s", kind, name);
    if (w->l->part_count == 1) {
        add_function(w, head, add_whole_body);
        return;
    }
    for (w->part = 0; w->part < w->l->part_count && w->ok; w->part++) {
        char part[560];
        snprintf(part, sizeof part, "static WG_APART int %s_part%u", name, w->part);
        add_function(w, part, add_part_items);
        add(w, "\n");
    }
    add_function(w, head, add_calls_of_parts);
}

/* size_t NAME_work(int64_t n): the bytes of workspace, where they depend on sizes. */
static bool has_named_work(const struct writer *w) {
    bool named;
    ship_work(w->w, w->shipped->s, &named);
    return named;
}

size_t ship_work(const struct writing *w, const struct shipping *shipping, bool *named) {
    struct shipped s = {.s = shipping,
                        .cell_count = has_cells(w->lowered) ? shipping->cell_count : 0};
    size_t inner;
    inner_work(w, &inner, named);
    for (size_t i = 0; i < shipping->slot_count; i++) *named |= shipping->slot[i].part_count > 0;
    return constant_offset(&s, shipping->slot_count) + inner;
}

static void add_work_signature(struct writer *w, bool shown) {
    const struct shipped *s = w->shipped;
    const char *kind = is_body(s->s) ? "static inline " : s->s->kind == SHIP_CORE ? "static " : "";
    ADD(w, "%ssize_t %s_work(", kind, s->s->name);
    for (size_t i = 0; i < s->sizes; i++)
        ADD(w, "%sint64_t %s", i ? ", " : "",
            shown ? s->parameter[i].shown : s->parameter[i].name);
    add(w, ")");
}

static void add_work_function(struct writer *w) {
    struct shipped *s = w->shipped;
    wg_text *out = w->out, body = {.allocator = out->allocator};
    if (!has_named_work(w)) return;
    w->part++; /* so that what it uses is told from what others do */
    w->out = &body;
    add(w, "    return (size_t)(");
    add_slots_end(w);
    add(w, ")");
    if (w->w->body_count) {
        add(w, " + ");
        add_inner_work(w);
    }
    add(w, ";\n}\n");
    w->out = out;
    add(w, "\n");
    add_work_signature(w, false);
    add(w, "\n{\n");
    for (size_t i = 0; i < s->sizes; i++)
        if (s->parameter[i].used != w->part + 1) ADD(w, "    (void)%s;\n", s->parameter[i].name);
    w->ok = w->ok && body.data;
    if (w->ok) add(w, body.data);
    wg_text_free(&body);
}

/* Constant tensors, a line for every few numbers. */
static void add_constants(struct writer *w) {
    enum { A_LINE = 8 };
    for (value v = 1; v < w->l->count && w->ok; v++) {
        const struct instr *i = instr_at(w->t, v);
        if (i->op != OP_data) continue;
        const struct blob *blob = &w->t->blob.at[attr_words(w->t, i->attr)[0]];
        unsigned dtype = dtype_of(w, v);
        size_t width = wg_dtype_size((wg_dtype)dtype), count = blob->size / width;
        ADD(w, "static const %s %s_data%u[%zu] = {", type_text_of[dtype], w->shipped->s->name, v,
            count ? count : 1);
        if (count == 0) add(w, "0");
        for (size_t k = 0; k < count && w->ok; k++) {
            int64_t bits = 0;
            memcpy(&bits, (const char *)blob->data + k * width, width);
            add(w, k % A_LINE == 0 ? "\n    " : " ");
            add_literal(w, dtype, bits);
            if (k + 1 < count) add(w, ",");
        }
        add(w, "};\n\n");
    }
}

/* ---- the header ------------------------------------------------------------------------------ */

/* " *   x    in   const double *, f64[n,784]" */
static void describe_parameters(struct writer *w) {
    static const char *const kinds[] = {"size", "in  ", "out "};
    const struct shipped *s = w->shipped;
    size_t width = 4;
    for (size_t i = 0; i < s->count; i++) {
        size_t length = strlen(s->parameter[i].shown);
        if (length > width) width = length < 24 ? length : 24;
    }
    for (size_t i = 0; i < s->count && w->ok; i++) {
        const struct parameter *p = &s->parameter[i];
        ADD(w, " *   %-*s  %s  ", (int)width, p->shown, kinds[p->kind]);
        if (p->kind == SIZE) add(w, "at least 0");
        else w->ok = w->ok && type_text(w->t, &p->type, w->out);
        if (p->kind == OUTPUT && p->type.rank == 0) add(w, ", one number");
        bool same = strcmp(p->shown, p->given) == 0;
        if (!same && !strstr(p->given, "*/") && !strstr(p->given, "/*"))
            ADD(w, ", called %s", p->given);
        add(w, "\n");
    }
    ADD(w, " *   %-*s        ", (int)width, "work");
}

static void add_declaration(struct writer *w) {
    const struct shipped *s = w->shipped;
    bool named;
    size_t bytes = ship_work(w->w, s->s, &named);
    ADD(w, "\n/* %s:\n", s->s->name);
    describe_parameters(w);
    if (named) {
        ADD(w, "%s_work bytes, below */\n", s->s->name);
        add_work_signature(w, true);
        add(w, ";\n");
    } else {
        ADD(w, "%s_WORK bytes */\n#define %s_WORK %zu\n", s->s->name, s->s->name, bytes);
    }
    char head[512];
    snprintf(head, sizeof head, "int %s", s->s->name);
    add_signature(w, head, true);
    add(w, ";\n");
}

/* ---- the whole ------------------------------------------------------------------------------- */

bool ship_program(const struct writing *writing, const struct shipping *shipping, wg_text *code,
                  wg_text *header, wg_error *error) {
    struct lowered *l = writing->lowered;
    const struct trace *t = &l->program->t;
    const wg_allocator *a = &t->allocator;
    size_t slots = (shipping->slot_count + 1) * sizeof(uint32_t);
    struct shipped s = {.s = shipping,
                        .arena = {.allocator = *a},
                        .cell_count = has_cells(l) ? shipping->cell_count : 0};
    struct writer w = {.w = writing, .l = l, .t = t, .out = code, .shipped = &s, .error = error};
    w.declared = mem_alloc_zero(a, l->count * sizeof *w.declared);
    w.grouping = mem_alloc_zero(a, l->count * sizeof *w.grouping);
    w.loaded = mem_alloc_zero(a, l->count * sizeof *w.loaded);
    s.slot_used = mem_alloc_zero(a, slots);
    w.step = mem_alloc_zero(a, l->count * sizeof *w.step);
    w.kept = mem_alloc_zero(a, l->count);
    w.ok = w.declared && w.loaded && w.grouping && w.step && w.kept && s.slot_used &&
           list_parameters(&w, &s);
    if (w.ok) add_constants(&w);
    if (w.ok) add_functions(&w);
    if (w.ok) add_work_function(&w);
    w.out = header;
    if (w.ok && shipping->kind == SHIP_PROGRAM) add_declaration(&w);
    mem_free(a, w.declared, l->count * sizeof *w.declared);
    mem_free(a, w.loaded, l->count * sizeof *w.loaded);
    mem_free(a, w.grouping, l->count * sizeof *w.grouping);
    mem_free(a, w.step, l->count * sizeof *w.step);
    mem_free(a, w.kept, l->count);
    mem_free(a, s.slot_used, slots);
    VEC_FREE(&code->allocator, &s.memory);
    VEC_FREE(&code->allocator, &w.checked);
    arena_free(&s.arena);
    if (l->extents->error.status)
        fail_with(error, l->extents->error.status, "%s", l->extents->error.message);
    else if (!w.ok && !failed(error)) fail_memory(error);
    return w.ok && !failed(error);
}

/* Functions that scalar code calls: one copy of each function of vector_math.h. */
static bool add_scalar_functions(wg_text *out) {
    bool ok = true;
    for (size_t i = 0; row_functions[i] && ok; i++) {
        const char *name = row_functions[i];
        ok = text_format(out,
                         "static WG_APART double wg_%s(double x) { return vm_%s(x); }\n"
                         "static WG_APART float wg_%sf(float x) { return vm_%sf(x); }\n",
                         name, name, name, name);
    }
    return ok;
}

bool ship_runtime(const char *functions, bool cblas, wg_text *out, wg_error *error) {
    wg_text scalar = {.allocator = out->allocator};
    bool ok = text_add(out, "/* What stands here above the functions asked for binds nobody: it is "
                            "in the public domain where\n * that exists, else free for every use "
                            "without condition or warranty. */\n#include <math.h>\n#include "
                            "<stddef.h>\n#include <stdint.h>\n#include <string.h>\n");
    if (ok && cblas && strstr(functions, "wg_blas_")) ok = text_add(out, "#include <cblas.h>\n");
    ok = ok && add_scalar_functions(&scalar);
    const struct source_text source[] = {
        {.text = embedded_philox},
        {.text = embedded_ship},
        {.text = embedded_runtime},
        {.text = embedded_vector_math},
        {.text = embedded_vector_math_f32},
        {.text = scalar.data},
        {.text = embedded_special},
        {embedded_reduce, "double", "double", "f64", ""},
        {embedded_reduce, "float", "float", "f32", ""},
        {embedded_reduce, "uint64_t", "uint64_t", "i64", ""},
        {embedded_reduce, "uint32_t", "uint32_t", "i32", ""},
        {embedded_whole, "double", "double", "f64", "(-(double)INFINITY)"},
        {embedded_whole, "float", "float", "f32", "(-(float)INFINITY)"},
        {embedded_whole, "int64_t", "uint64_t", "i64", "INT64_MIN"},
        {embedded_whole, "int32_t", "uint32_t", "i32", "INT32_MIN"},
        {embedded_whole, "uint8_t", "uint8_t", "b8", "0"},
        {embedded_factor, "double", "double", "f64", ""},
        {embedded_factor, "float", "float", "f32", ""},
        {embedded_spectral, "double", "double", "f64", ""},
        {embedded_spectral, "float", "float", "f32", ""},
        {embedded_expm, "double", "double", "f64", ""},
        {embedded_expm, "float", "float", "f32", ""},
    };
    ok = ok && add_used_pieces(source, COUNT_OF(source), functions, out) && text_add(out, "\n");
    wg_text_free(&scalar);
    if (!ok) fail_memory(error);
    return ok;
}
