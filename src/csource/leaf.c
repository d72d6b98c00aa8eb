/* What the parameters of a C function are made of: each scalar or array in them, how a caller's
 * variable reaches it, and which port of the program it is. The walk is that of csource.c. */
#include "csource/source.h"

#include <stdio.h>

static char *kept(struct wg_csource *s, const char *text, size_t length) {
    char *copy = arena_alloc(&s->arena, length + 1, 1);
    if (!copy) return NULL;
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

bool source_keep(struct wg_csource *s, const char *path, const wg_csource_options *o) {
    wg_error error = {0};
    s->decl = tree_function(s->tree, s->function, &error);
    s->file = arena_alloc(&s->arena, (o->file_count + o->rule_count + 1) * sizeof *s->file,
                          sizeof(void *));
    s->folder = arena_alloc(&s->arena, (o->flag_count + 1) * sizeof *s->folder, sizeof(void *));
    if (!s->decl || !s->file || !s->folder) return false;
    bool ok = (s->file[s->file_count++] = kept(s, path, strlen(path))) != NULL;
    for (size_t i = 0; ok && i < o->file_count; i++)
        ok = (s->file[s->file_count++] = kept(s, o->file[i], strlen(o->file[i])));
    for (size_t i = 0; ok && i < o->rule_count; i++) {
        const char *file = strchr(o->rule[i], '=') + 1;
        ok = (s->file[s->file_count++] = kept(s, file, strlen(file)));
    }
    for (size_t i = 0; ok && i < o->flag_count; i++) {
        const char *flag = o->flag[i];
        if (strncmp(flag, "-I", 2) == 0 && flag[2])
            ok = (s->folder[s->folder_count++] = kept(s, flag + 2, strlen(flag + 2)));
        else if ((strcmp(flag, "-I") == 0 || strcmp(flag, "-isystem") == 0) &&
                 i + 1 < o->flag_count)
            ok = (s->folder[s->folder_count++] = kept(s, o->flag[i + 1], strlen(o->flag[i + 1])));
    }
    return ok;
}

/* ---- the walk -------------------------------------------------------------------------------- */

struct walk {
    struct wg_csource *s;
    leaf_vec *leaves;
    struct leaf like; /* all that the leaves of a parameter share */
    char name[256], member[256];
    int64_t level[WG_MAX_RANK]; /* of the array types around */
    bool ok;
};

static void add_leaf(struct walk *w, const struct ctype *type, size_t levels, int64_t count,
                     bool is_pointer) {
    struct wg_csource *s = w->s;
    struct leaf leaf = w->like;
    leaf.name = kept(s, w->name, strlen(w->name));
    leaf.member = *w->member ? kept(s, w->member, strlen(w->member)) : NULL;
    leaf.type = type;
    leaf.inner = count;
    leaf.is_deep = levels > 1;
    leaf.own_levels = levels;
    if (w->like.top != TOP_ARRAY && w->like.top != TOP_ALONE) leaf.is_array = levels || is_pointer;
    struct leaf *new = leaf.name ? VEC_PUSH(&s->allocator, w->leaves) : NULL;
    if (!new || (*w->member && !leaf.member)) {
        w->ok = false;
        return;
    }
    leaf.in = leaf.d ? wg_input_index(s->program, leaf.name) : -1;
    leaf.out = wg_output_index(s->program, leaf.name);
    *new = leaf;
}

static void walk_type(struct walk *w, const struct ctype *type, size_t levels, int64_t count) {
    if (!w->ok || !type) return;
    if (type->kind == TYPE_ARRAY) {
        if (levels < WG_MAX_RANK) w->level[levels] = type->count;
        walk_type(w, type->of, levels + 1, count * (type->count > 0 ? type->count : 1));
        return;
    }
    if (type->kind == TYPE_POINTER) {
        if (type->of && type->of->kind >= TYPE_BOOL && type->of->kind <= TYPE_DOUBLE)
            add_leaf(w, type->of, levels, count, true);
        return;
    }
    if (type->kind != TYPE_RECORD) {
        if (type->kind >= TYPE_BOOL && type->kind <= TYPE_DOUBLE)
            add_leaf(w, type, levels, count, false);
        return;
    }
    size_t name = strlen(w->name), member = strlen(w->member), dims = w->like.dim_count;
    size_t end = member;
    for (size_t k = 0; k < levels && w->ok; k++) { /* those of an array of structs */
        if (w->like.dim_count == WG_MAX_RANK) return;
        end += (size_t)snprintf(w->member + end, sizeof w->member - end, "[i%zu_]",
                                w->like.dim_count);
        if (end >= sizeof w->member) return;
        w->like.dims[w->like.dim_count++] = w->level[k];
    }
    for (size_t i = 0; i < type->record->count; i++) {
        const struct field *f = &type->record->field[i];
        snprintf(w->name + name, sizeof w->name - name, ".%s", f->name);
        snprintf(w->member + end, sizeof w->member - end, "%s%s", end ? "." : "", f->name);
        walk_type(w, f->type, 0, 1);
        w->name[name] = w->member[end] = 0;
    }
    w->member[member] = 0;
    w->like.dim_count = dims;
}

/* The rank of a port of the parameter, -1 if there is none. */
static int rank_of(const struct wg_csource *s, const char *name, size_t length) {
    for (int outputs = 0; outputs < 2; outputs++)
        for (size_t i = 0; i < (outputs ? wg_output_count : wg_input_count)(s->program); i++) {
            const char *port = (outputs ? wg_output_name : wg_input_name)(s->program, i);
            if (strncmp(port, name, length) == 0 && (port[length] == 0 || port[length] == '.'))
                return (outputs ? wg_output_type : wg_input_type)(s->program, i).rank;
        }
    return -1;
}

static int levels_of(const struct ctype *type) {
    int levels = 0;
    for (; type && type->kind == TYPE_ARRAY; type = type->of) levels++;
    return levels;
}

/* Whether the parameter, a pointer to structs, points to one: a member that is a port has the axes
 * of the member's own type alone. 1, 0, or -1 where no member is one. */
static int is_one(const struct wg_csource *s, const char *name, const struct ctype *record,
                  int levels) {
    char port[256];
    for (size_t i = 0; i < record->record->count; i++) {
        const struct field *f = &record->record->field[i];
        size_t length = (size_t)snprintf(port, sizeof port, "%s.%s", name, f->name);
        const struct ctype *of = f->type;
        while (of && of->kind == TYPE_ARRAY) of = of->of;
        int own = levels + levels_of(f->type), found = -1;
        if (length >= sizeof port || !of) continue;
        if (of->kind == TYPE_RECORD) {
            found = is_one(s, port, of, own);
        } else if (rank_of(s, port, length) >= 0) {
            found = of->kind == TYPE_POINTER || rank_of(s, port, length) == own;
        }
        if (found >= 0) return found;
    }
    return -1;
}

static void walk_parameter(struct walk *w, const struct decl *d, const struct ctype *type) {
    const struct ctype *of = type->of;
    size_t levels = 0;
    snprintf(w->name, sizeof w->name, "%s", d ? d->name : "return");
    *w->member = 0;
    w->like.d = d;
    w->like.owner = type;
    w->like.top = type->kind == TYPE_RECORD ? TOP_RECORD : TOP_SCALAR;
    if (type->kind != TYPE_POINTER && type->kind != TYPE_ARRAY) {
        walk_type(w, type, 0, 1);
        return;
    }
    for (; of && of->kind == TYPE_ARRAY; of = of->of) levels++;
    if (!of) return;
    w->like.owner = of;
    if (of->kind == TYPE_RECORD) {
        w->like.top = is_one(w->s, w->name, of, 0) ? TOP_POINTER : TOP_ROWS;
        walk_type(w, of, 0, 1);
        return;
    }
    w->like.top = rank_of(w->s, w->name, strlen(w->name)) == 0 ? TOP_ALONE : TOP_ARRAY;
    w->like.is_array = w->like.top == TOP_ARRAY;
    if (of->kind >= TYPE_BOOL && of->kind <= TYPE_DOUBLE) add_leaf(w, of, levels + 1, 1, false);
    w->like.is_array = false;
}

bool leaves_of(struct wg_csource *s, leaf_vec *leaves) {
    struct walk w = {.s = s, .leaves = leaves, .ok = true};
    for (size_t i = 0; i < s->decl->parameter_count && w.ok; i++) {
        w.like.parameter = i;
        walk_parameter(&w, s->decl->parameter[i], s->decl->parameter[i]->type);
    }
    if (s->decl->type->of && s->decl->type->of->kind != TYPE_VOID)
        walk_parameter(&w, NULL, s->decl->type->of);
    return w.ok;
}

/* ---- types as text --------------------------------------------------------------------------- */

const char *c_type_name(const struct ctype *type) {
    static const char *const known[] = {"size_t",   "ptrdiff_t", "int8_t",   "int16_t",  "int32_t",
                                        "int64_t",  "uint8_t",   "uint16_t", "uint32_t", "uint64_t",
                                        "intptr_t", "uintptr_t", "intmax_t", "uintmax_t"};
    const char *text = type->text;
    if (type->kind == TYPE_BOOL) return "bool";
    if (type->kind == TYPE_RECORD) return type->record->name;
    if (strncmp(text, "const ", 6) == 0) text += 6;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(text, known[i]) == 0) return known[i];
    return type->plain;
}

/* struct { ... } member; */
static bool is_unnamed(const struct ctype *type) {
    return type->kind == TYPE_RECORD && strchr(type->record->name, '(');
}

/* "double x[3][4]", for a member. */
static bool add_declarator(wg_text *out, const struct ctype *type, const char *name) {
    const struct ctype *base = type;
    size_t pointers = 0;
    while (base->kind == TYPE_ARRAY) base = base->of;
    while (base->kind == TYPE_POINTER) {
        base = base->of;
        pointers++;
    }
    bool ok = !(base->is_const && pointers) || text_add(out, "const ");
    if (is_unnamed(base)) {
        ok = ok && text_add(out, "struct { ");
        for (size_t i = 0; ok && i < base->record->count; i++)
            ok = add_declarator(out, base->record->field[i].type, base->record->field[i].name) &&
                 text_add(out, "; ");
        ok = ok && text_add(out, "} ");
    } else {
        ok = ok && text_format(out, "%s ", c_type_name(base));
    }
    while (pointers-- > 0) ok = ok && text_add(out, "*");
    ok = ok && text_add(out, name);
    for (; type->kind == TYPE_ARRAY; type = type->of)
        ok = ok && text_format(out, "[%lld]", (long long)type->count);
    return ok;
}

/* The header that declares it, as the source includes it; NULL: the source itself does. */
static const char *header_of(const struct wg_csource *s, const char *file) {
    for (size_t i = 0; i < s->file_count; i++)
        if (strcmp(s->file[i], file) == 0) return NULL;
    for (size_t i = 0; i < s->folder_count; i++) {
        size_t n = strlen(s->folder[i]);
        while (n && s->folder[i][n - 1] == '/') n--;
        if (strncmp(file, s->folder[i], n) == 0 && file[n] == '/') return file + n + 1;
    }
    const char *slash = strrchr(s->file[0], '/');
    size_t n = slash ? (size_t)(slash + 1 - s->file[0]) : 0;
    if (n && strncmp(file, s->file[0], n) == 0) file += n;
    while (strncmp(file, "./", 2) == 0) file += 2;
    return file;
}

struct records {
    struct wg_csource *s;
    wg_text *headers, *structs;
    VEC(const struct record *) done;
};

static bool add_record(struct records *r, const struct ctype *type) {
    while (type->kind == TYPE_ARRAY || type->kind == TYPE_POINTER) type = type->of;
    if (type->kind != TYPE_RECORD) return true;
    const struct record *record = type->record;
    for (size_t i = 0; i < r->done.count; i++)
        if (r->done.at[i] == record) return true;
    const struct record **new = VEC_PUSH(&r->s->allocator, &r->done);
    if (!new) return false;
    *new = record;
    const char *header = header_of(r->s, record->spot.file ? record->spot.file : "");
    if (header) {
        char line[512];
        snprintf(line, sizeof line, "#include \"%s\"\n", header);
        return (r->headers->data && strstr(r->headers->data, line)) || text_add(r->headers, line);
    }
    bool ok = true, tagged = strncmp(record->name, "struct ", 7) == 0;
    for (size_t i = 0; i < record->count && ok; i++) ok = add_record(r, record->field[i].type);
    if (is_unnamed(type)) return ok;
    ok = ok && text_format(r->structs, "\n%s%s {\n", tagged ? "" : "typedef ",
                           tagged ? record->name : "struct");
    for (size_t i = 0; i < record->count && ok; i++)
        ok = text_add(r->structs, "    ") &&
             add_declarator(r->structs, record->field[i].type, record->field[i].name) &&
             text_add(r->structs, ";\n");
    return ok && text_format(r->structs, "}%s%s;\n", tagged ? "" : " ", tagged ? "" : record->name);
}

bool add_records(struct wg_csource *s, wg_text *out) {
    wg_text structs = {.allocator = s->allocator}, headers = {.allocator = s->allocator};
    struct records r = {.s = s, .headers = &headers, .structs = &structs};
    bool ok = true;
    for (size_t i = 0; i < s->decl->parameter_count && ok; i++)
        ok = add_record(&r, s->decl->parameter[i]->type);
    if (ok && s->decl->type->of) ok = add_record(&r, s->decl->type->of);
    if (ok && headers.data) ok = text_add(out, "\n") && text_add(out, headers.data);
    if (ok && structs.data) ok = text_add(out, structs.data);
    VEC_FREE(&s->allocator, &r.done);
    wg_text_free(&structs);
    wg_text_free(&headers);
    return ok;
}
