/* The entry: a C function's parameters become sizes and inputs, its body is carried out, and what
 * it returns and writes become outputs. */
#include "csource/lower.h"
#include "csource/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- lengths that the caller tells ----------------------------------------------------------- */

/* "x=n*m": names, numbers, + - * and brackets. A name is a whole number among the parameters. */
struct length_text {
    struct lower *l;
    const char *at, *whole;
    int depth;
};

static wg_extent length_sum(struct length_text *t);

static void skip_blanks(struct length_text *t) {
    while (*t->at == ' ') t->at++;
}

static wg_extent length_fail(struct length_text *t) {
    fail_with(&t->l->error, WG_EARGUMENT,
              "the length '%.128s' is no name=expression of whole numbers that are parameters",
              t->whole);
    return 0;
}

static size_t name_length(const char *s) {
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || s[n] == '_' || (n && s[n] == '.')) n++;
    return n;
}

static wg_extent length_factor(struct length_text *t) {
    char name[128];
    skip_blanks(t);
    if (stopped(t->l) || ++t->depth > 64) return length_fail(t);
    if (*t->at == '(') {
        t->at++;
        wg_extent e = length_sum(t);
        skip_blanks(t);
        if (*t->at != ')') return length_fail(t);
        t->at++;
        return e;
    }
    size_t n = name_length(t->at);
    if (!n || n >= sizeof name) return length_fail(t);
    memcpy(name, t->at, n);
    name[n] = 0;
    t->at += n;
    if (isdigit((unsigned char)name[0])) {
        char *end;
        errno = 0;
        long long number = strtoll(name, &end, 10);
        return *end || errno ? length_fail(t) : number;
    }
    return wg_size_at(NULL, SAME_SITE, t->l->g, name);
}

static wg_extent length_product(struct length_text *t) {
    wg_extent e = length_factor(t);
    for (skip_blanks(t); *t->at == '*' && !stopped(t->l); skip_blanks(t)) {
        t->at++;
        e = extent_mul(t->l->g, e, length_factor(t));
    }
    return e;
}

static wg_extent length_sum(struct length_text *t) {
    wg_extent e = length_product(t);
    for (skip_blanks(t); (*t->at == '+' || *t->at == '-') && !stopped(t->l); skip_blanks(t)) {
        bool minus = *t->at++ == '-';
        wg_extent right = length_product(t);
        e = minus ? extent_sub(t->l->g, e, right) : extent_add(t->l->g, e, right);
    }
    return e;
}

/* The text behind "name=", NULL if the caller tells nothing of it. */
static const char *length_told(const struct lower *l, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < l->options->size_count; i++)
        if (strncmp(l->options->size[i], name, n) == 0 && l->options->size[i][n] == '=')
            return l->options->size[i] + n + 1;
    return NULL;
}

static wg_extent told_length(struct lower *l, const char *text) {
    struct length_text t = {.l = l, .at = text, .whole = text};
    wg_extent e = length_sum(&t);
    skip_blanks(&t);
    if (*t.at) length_fail(&t);
    return e;
}

/* ---- which parameters are sizes -------------------------------------------------------------- */

static bool names_parameter(const struct node *n, const struct decl *d) {
    if (n->kind == NODE_NAME && n->decl == d) return true;
    for (size_t i = 0; i < n->count; i++)
        if (n->child[i] && names_parameter(n->child[i], d)) return true;
    return false;
}

static bool text_names(const char *text, const char *name) {
    size_t n = strlen(name);
    while (*text) {
        size_t k = name_length(text);
        if (k == n && strncmp(text, name, n) == 0) return true;
        text += k ? k : 1;
    }
    return false;
}

static bool is_told_size(const struct lower *l, const char *path) {
    for (size_t i = 0; i < l->options->size_count; i++) {
        const char *equals = strchr(l->options->size[i], '=');
        if (equals && text_names(equals + 1, path)) return true;
    }
    return false;
}

static bool bounds_loops(struct lower *l, const struct node *body, const struct decl *d, int depth);

static const struct node *bare(const struct node *n) {
    while (n->kind == NODE_CAST) n = n->child[0];
    return n;
}

static bool is_name(const struct node *n, const struct decl *d) {
    n = bare(n);
    return n->kind == NODE_NAME && n->decl == d;
}

/* Whether the parameter is what a loop counts up to, here or in a function that it is given to, and
 * nothing is assigned to it: then it is a size, and what reverse mode keeps has a known length. */
static bool ends_a_loop(struct lower *l, const struct node *n, const struct decl *d, int depth) {
    if (n->kind == NODE_DECLARE) {
        for (size_t i = 0; i < n->count; i++)
            if (n->decls[i]->init && ends_a_loop(l, n->decls[i]->init, d, depth)) return true;
        return false;
    }
    if (n->kind == NODE_FOR && n->child[1] && n->child[1]->kind == NODE_BINARY) {
        const struct node *c = n->child[1];
        bool up = c->op == C_LT || c->op == C_LE, down = c->op == C_GT || c->op == C_GE;
        if ((up && is_name(c->child[1], d)) || (down && is_name(c->child[0], d))) return true;
    }
    if (n->kind == NODE_CALL && n->decl && depth < 4 && tree_body(l->tree, n->decl) &&
        n->decl->body)
        for (size_t i = 0; i < n->count && i < n->decl->parameter_count; i++)
            if (is_name(n->child[i], d) &&
                bounds_loops(l, n->decl->body, n->decl->parameter[i], depth + 1))
                return true;
    for (size_t i = 0; i < n->count; i++)
        if (n->child[i] && ends_a_loop(l, n->child[i], d, depth)) return true;
    return false;
}

static bool bounds_loops(struct lower *l, const struct node *body, const struct decl *d,
                         int depth) {
    return !node_assigns(body, d) && ends_a_loop(l, body, d, depth);
}

static bool is_size(struct lower *l, const struct decl *f, const struct decl *d) {
    if (d->type->kind != TYPE_INT) return false;
    for (size_t i = 0; i < f->parameter_count; i++)
        for (const struct ctype *t = f->parameter[i]->type; t; t = t->of)
            if (t->kind == TYPE_ARRAY && t->size && names_parameter(t->size, d)) return true;
    return is_told_size(l, d->name) || (f->body && bounds_loops(l, f->body, d, 0));
}

/* ---- inputs and outputs ---------------------------------------------------------------------- */

struct port_walk {
    struct lower *l;
    struct object *object;
    uint32_t cell;
    char name[256];
    wg_extent dims[WG_MAX_RANK];
    size_t rank, levels, own; /* own: levels within a member of a struct */
    value *before; /* of each cell: its input */
    bool outputs;
};

static void walk_ports(struct port_walk *w, const struct ctype *type);

static void walk_pointer(struct port_walk *w, const struct ctype *type);

static void walk_cell(struct port_walk *w, const struct ctype *type) {
    struct lower *l = w->l;
    struct cell *c = &w->object->cell[w->cell];
    wg_type full = {.dtype = (uint8_t)cell_dtype(c), .rank = (uint8_t)w->rank};
    bool flat = w->levels > WG_MAX_RANK;
    if (flat) full.rank = 1;
    for (size_t i = 0; i < full.rank; i++) full.extent[i] = flat ? c->count : w->dims[i];
    if (w->outputs) {
        value v = cell_value(l, c);
        if (v != w->before[w->cell] && v) {
            if (full.rank > 1) v = build_reshape(l->g, v, &full);
            graph_output(l->g, w->name, v);
        }
        return;
    }
    if (type->kind == TYPE_INT && w->own && type->bits < 32 && strchr(w->name, '.')) {
        refuse_at(l, &l->frame->function->spot,
                  "an array of int is carried, or one of this that is a parameter itself",
                  "'%.64s' is an array of '%.32s' in a struct", w->name, type->text);
        return;
    }
    if (type->kind == TYPE_INT && !c->is_array && is_told_size(l, w->name)) {
        c->v = build_extent(l->g, wg_size_at(NULL, SAME_SITE, l->g, w->name));
    } else {
        value v = graph_input(l->g, w->name, &full);
        wg_type row = {.dtype = full.dtype, .rank = 1, .extent = {c->count}};
        c->v = full.rank > 1 && v ? build_reshape(l->g, v, &row) : v;
    }
    w->before[w->cell] = c->v;
}

static void walk_ports(struct port_walk *w, const struct ctype *type) {
    size_t end = strlen(w->name);
    if (stopped(w->l)) return;
    if (type->kind == TYPE_ARRAY) {
        if (w->rank < WG_MAX_RANK) w->dims[w->rank++] = type->count;
        w->levels++;
        w->own++;
        walk_ports(w, type->of);
        w->own--;
        if (w->levels-- <= WG_MAX_RANK) w->rank--;
        return;
    }
    if (type->kind == TYPE_RECORD) {
        size_t own = w->own;
        w->own = 0;
        for (size_t i = 0; i < type->record->count; i++) {
            snprintf(w->name + end, sizeof w->name - end, ".%s", type->record->field[i].name);
            walk_ports(w, type->record->field[i].type);
            w->name[end] = 0;
        }
        w->own = own;
        return;
    }
    if (type->kind == TYPE_POINTER)
        walk_pointer(w, type);
    else
        walk_cell(w, type);
    w->cell++;
}

/* What a parameter or a pointer in one points to. */
struct pointee {
    struct object *object;
    value *before;
    char name[256];
    bool is_copy;
};

struct reading {
    struct lower l;
    wg_csource *source;
    VEC(struct pointee) pointee;
};

static void open_ports(struct reading *r, struct object *o, const char *name, bool is_copy) {
    struct lower *l = &r->l;
    struct pointee *new = o ? VEC_PUSH(&l->allocator, &r->pointee) : NULL;
    value *before = o ? keep(l, (o->cell_count + 1) * sizeof *before) : NULL;
    if (!new || !before) {
        if (!stopped(l)) refuse_memory(l);
        return;
    }
    *new = (struct pointee){.object = o, .before = before, .is_copy = is_copy};
    snprintf(new->name, sizeof new->name, "%s", name);
    struct port_walk w = {.l = l, .object = o, .before = before};
    snprintf(w.name, sizeof w.name, "%s", name);
    walk_ports(&w, o->type);
}

/* The object that a pointer parameter, or a pointer within one, points to. */
static struct object *pointed_to(struct reading *r, const char *name, const struct ctype *of,
                                 wg_extent count) {
    struct lower *l = &r->l;
    const char *told = length_told(l, name);
    struct ctype *array = keep(l, sizeof *array);
    if (!array) return NULL;
    if (told) count = told_length(l, told);
    if (stopped(l)) return NULL;
    *array = (struct ctype){
        .kind = TYPE_ARRAY, .of = of, .count = count, .bytes = -1, .text = of->text};
    bool alone = count == LENGTH_UNKNOWN;
    char *kept = keep(l, strlen(name) + 1);
    if (!kept) return NULL;
    memcpy(kept, name, strlen(name));
    struct object *o = object_new(l, kept, alone ? of : array);
    if (o) o->is_alone = alone;
    return o;
}

static struct reading *reading_of(struct lower *l) {
    return (struct reading *)(void *)l; /* its first member */
}

static void walk_pointer(struct port_walk *w, const struct ctype *type) {
    struct lower *l = w->l;
    struct cell *c = &w->object->cell[w->cell];
    if (w->outputs) return;
    if (c->is_array || type->of->kind == TYPE_POINTER || type->of->kind > TYPE_RECORD ||
        type->of->kind == TYPE_VOID)
        return; /* an error where it is used */
    if (!length_told(l, w->name)) return;
    struct object *o = pointed_to(reading_of(l), w->name, type->of, LENGTH_UNKNOWN);
    if (!o) return;
    c->to = (struct place){.object = o, .type = type->of};
    c->is_set = true;
    c->v = whole(l, 0);
    open_ports(reading_of(l), o, w->name, false);
}

/* ---- parameters ------------------------------------------------------------------------------ */

static void open_parameter(struct reading *r, const struct node *at, const struct decl *d,
                           wg_csource_parameter *told) {
    struct lower *l = &r->l;
    const struct ctype *type = d->type;
    if (type->kind != TYPE_POINTER && type->kind != TYPE_ARRAY) {
        struct object *o = object_new(l, d->name, type);
        if (!o) return;
        told->role = type->kind == TYPE_RECORD ? WG_CSOURCE_RECORD : WG_CSOURCE_VALUE;
        open_ports(r, o, d->name, true); /* the caller does not see what becomes of a copy */
        bind(l, d, o);
        return;
    }
    type = settled_type(l, type, at);
    if (!type) return;
    if (type->of->kind == TYPE_POINTER || type->of->kind == TYPE_VOID ||
        type->of->kind > TYPE_RECORD) {
        const char *hint = type->of->kind == TYPE_FUNCTION ? "call the function by its name"
                           : type->of->kind == TYPE_VOID
                               ? "declare what it points to"
                               : "one array and indices into it are carried: double a[m][n]";
        refuse_at(l, &d->spot, hint, "the parameter '%.64s' is a '%.64s'", d->name, type->text);
        return;
    }
    wg_extent count = type->kind == TYPE_ARRAY ? type->count : LENGTH_UNKNOWN;
    struct object *o = pointed_to(r, d->name, type->of, count);
    struct ctype *pointer = keep(l, sizeof *pointer);
    if (!o || !pointer) return;
    *pointer = (struct ctype){.kind = TYPE_POINTER, .of = type->of, .bytes = 8, .text = type->text};
    told->role = type->of->kind == TYPE_RECORD ? WG_CSOURCE_RECORD : WG_CSOURCE_ARRAY;
    open_ports(r, o, d->name, false);
    struct object *variable = object_new(l, d->name, pointer);
    if (!variable) return;
    struct place first = place_of(l, o);
    if (!o->is_alone) first = place_element(l, first);
    variable->cell[0].to = first;
    variable->cell[0].is_set = true;
    variable->cell[0].v = first.index;
    bind(l, d, variable);
}

static const char *copy_name(struct lower *l, wg_csource *s, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = arena_alloc(&s->arena, size, 1);
    if (copy)
        memcpy(copy, text, size);
    else
        refuse_memory(l);
    return copy ? copy : "";
}

static void open_parameters(struct reading *r, const struct node *at, const struct decl *f) {
    struct lower *l = &r->l;
    wg_csource *s = r->source;
    s->parameter = arena_alloc(&s->arena, (f->parameter_count + 1) * sizeof *s->parameter,
                               sizeof(void *));
    if (!s->parameter) refuse_memory(l);
    for (int sizes = 1; sizes >= 0; sizes--)
        for (size_t i = 0; i < f->parameter_count && !stopped(l); i++) {
            const struct decl *d = f->parameter[i];
            if (is_size(l, f, d) != (sizes == 1)) continue;
            graph_site(l->g, d->spot.file, d->spot.line, d->spot.column);
            wg_csource_parameter *told = &s->parameter[i];
            *told = (wg_csource_parameter){.name = copy_name(l, s, d->name),
                                           .type = copy_name(l, s, d->type->text),
                                           .role = WG_CSOURCE_SIZE};
            if (!*d->name) {
                refuse_at(l, &d->spot, NULL, "a parameter without a name");
                return;
            }
            if (!sizes) {
                open_parameter(r, at, d, told);
                continue;
            }
            struct object *o = object_new(l, d->name, d->type);
            if (!o) return;
            o->cell[0].v = build_extent(l->g, wg_size_at(NULL, SAME_SITE, l->g, d->name));
            bind(l, d, o);
        }
    s->count = f->parameter_count;
}

/* ---- results --------------------------------------------------------------------------------- */

/* What a port called "name" or "name.field" belongs to. */
static wg_csource_parameter *parameter_of(wg_csource *s, const char *port) {
    size_t i = 0;
    while (i + 1 < s->count && !is_word(port, strcspn(port, "."), s->parameter[i].name)) i++;
    return &s->parameter[i];
}

static void close_ports(struct reading *r, struct object *result) {
    struct lower *l = &r->l;
    if (result) {
        struct port_walk w = {.l = l, .object = result, .outputs = true, .name = "return"};
        w.before = keep(l, (result->cell_count + 1) * sizeof *w.before);
        if (w.before) walk_ports(&w, result->type);
    }
    for (size_t i = 0; i < r->pointee.count && !stopped(l); i++) {
        struct pointee *p = &r->pointee.at[i];
        for (uint32_t k = 0; k < p->object->cell_count; k++)
            if (p->object->cell[k].is_read) parameter_of(r->source, p->name)->is_read = true;
        if (p->is_copy) continue;
        size_t before = l->g->t.output.count;
        struct port_walk w = {.l = l, .object = p->object, .outputs = true, .before = p->before};
        snprintf(w.name, sizeof w.name, "%s", p->name);
        walk_ports(&w, p->object->type);
        if (l->g->t.output.count > before) parameter_of(r->source, p->name)->is_written = true;
    }
    if (!stopped(l) && !l->g->t.output.count)
        refuse_at(l, &l->frame->function->spot,
                  "it returns nothing, and writes nothing that its "
                  "caller sees",
                  "'%.64s' computes nothing", l->frame->function->name);
}

/* What was told of the lengths was told of pointers that there are. */
static bool is_size_told(const struct reading *r, const char *item, size_t n) {
    const struct trace *t = &r->l.g->t;
    if (!item[n] || !item[n + 1] || item[n + 1 + strspn(item + n + 1, "0123456789")]) return false;
    for (size_t i = 0; i < t->size.count; i++)
        if (is_word(item, n, name_at(t, t->size.at[i]))) return true;
    return false;
}

static void lengths_are_of_pointers(struct reading *r) {
    const wg_csource_options *o = r->l.options;
    for (size_t i = 0; i < o->size_count && !stopped(&r->l); i++) {
        size_t n = strcspn(o->size[i], "="), k = 0;
        if (is_size_told(r, o->size[i], n)) continue; /* the caller's own matter */
        while (k < r->pointee.count && !is_word(o->size[i], n, r->pointee.at[k].name)) k++;
        if (k == r->pointee.count || !o->size[i][n] || r->pointee.at[k].is_copy)
            fail_with(&r->l.error, WG_EARGUMENT,
                      "the length '%.128s' is of no pointer among the parameters of '%.64s'",
                      o->size[i], r->source->function);
    }
}

static void read_function(struct reading *r, const wg_csource_options *o) {
    struct lower *l = &r->l;
    struct decl *f = tree_function(l->tree, o->function, &l->error);
    if (!f) return;
    if (!tree_body(l->tree, f)) refuse_memory(l);
    if (stopped(l)) return;
    r->source->function = copy_name(l, r->source, f->name);
    r->source->return_type = copy_name(l, r->source, f->type->of ? f->type->of->text : "void");
    if (f->is_variadic || !f->body) {
        refuse_at(l, &f->spot, "give it an array and how many there are",
                  "'%.64s' takes any number of arguments", f->name);
        return;
    }
    struct frame frame = {.function = f};
    const struct ctype *type = f->type->of;
    struct node at = {.kind = NODE_CALL, .spot = f->spot, .decl = f};
    l->frame = &frame;
    graph_site(l->g, f->spot.file, f->spot.line, f->spot.column);
    open_parameters(r, &at, f);
    lengths_are_of_pointers(r);
    if (type->kind == TYPE_POINTER)
        refuse_at(l, &f->spot, "return numbers or a struct, or write through a parameter",
                  "'%.64s' returns a pointer", f->name);
    if (type->kind != TYPE_VOID && !stopped(l)) frame.result = object_new(l, "return", type);
    frame.returned = object_new(l, "returned", plain_type(TYPE_BOOL));
    if (frame.returned) cell_set(l, &frame.returned->cell[0], truth(l, false));
    statement(l, f->body);
    graph_site(l->g, f->spot.file, f->spot.line, f->spot.column);
    close_ports(r, frame.result);
}

static bool good_options(const wg_csource_options *o, wg_error *error) {
    const struct {
        const char *const *list;
        size_t count;
    } lists[] = {{o->flag, o->flag_count},
                 {o->file, o->file_count},
                 {o->size, o->size_count},
                 {o->inactive, o->inactive_count},
                 {o->rule, o->rule_count}};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        for (size_t k = 0; k < lists[i].count; k++)
            if (!lists[i].list || !lists[i].list[k]) {
                fail_with(error, WG_EARGUMENT, "wg_csource_open: a list with a NULL in it");
                return false;
            }
    return true;
}

/* Forgets all but the tree and which arrays are whole. */
static void begin_again(struct reading *r) {
    struct lower *l = &r->l;
    if (l->g) wg_graph_free(l->g);
    l->g = l->real = NULL;
    l->begins_again = false;
    l->frame = NULL;
    l->broke = l->continued = NULL;
    l->watch = NULL;
    l->serials = 0;
    l->nesting = l->loops = 0;
    l->object.count = l->binding.count = l->table.count = l->bounded.count = 0;
    r->pointee.count = 0;
    arena_free(&l->arena);
    l->arena = (struct arena){.allocator = l->allocator};
}

wg_csource *wg_csource_open(const char *path, const wg_csource_options *options, wg_error *error) {
    wg_csource_options none = {0};
    if (failed(error)) return NULL;
    if (!options) options = &none;
    if (!path) {
        fail_with(error, WG_EARGUMENT, "wg_csource_open: the path is NULL");
        return NULL;
    }
    if (!good_options(options, error)) return NULL;
    wg_allocator a = allocator_or_standard(options->allocator);
    wg_csource *s = mem_alloc_zero(&a, sizeof *s);
    struct reading r = {.source = s};
    if (!s) {
        fail_memory(error);
        return NULL;
    }
    s->allocator = s->arena.allocator = a;
    r.l.allocator = r.l.arena.allocator = a;
    r.l.options = options;
    r.l.tree = tree_read(path, options, &a, &r.l.error);
    do {
        begin_again(&r);
        r.l.g = r.l.real = r.l.tree ? graph_new(&a) : NULL;
        if (r.l.tree && !r.l.g) refuse_memory(&r.l);
        if (r.l.g) read_function(&r, options);
    } while (r.l.begins_again && !r.l.error.status);
    if (r.l.g && !stopped(&r.l)) {
        s->program = graph_build(r.l.g, error);
        r.l.g = NULL;
    } else if (r.l.g && r.l.g->error.status && !r.l.error.status) {
        fail_as(error, &r.l.g->error);
    } else {
        fail_as(error, &r.l.error);
    }
    if (r.l.g) wg_graph_free(r.l.g);
    s->tree = r.l.tree;
    if (s->program && !source_keep(s, path, options)) {
        fail_memory(error);
        wg_program_free(s->program);
        s->program = NULL;
    }
    VEC_FREE(&a, &r.pointee);
    VEC_FREE(&a, &r.l.binding);
    VEC_FREE(&a, &r.l.object);
    VEC_FREE(&a, &r.l.table);
    VEC_FREE(&a, &r.l.bounded);
    VEC_FREE(&a, &r.l.whole_array);
    arena_free(&r.l.arena);
    if (s->program) return s;
    wg_csource_free(s);
    return NULL;
}

const wg_program *wg_csource_program(const wg_csource *s) { return s ? s->program : NULL; }
const char *wg_csource_function(const wg_csource *s) { return s ? s->function : NULL; }
const char *wg_csource_return_type(const wg_csource *s) { return s ? s->return_type : NULL; }
size_t wg_csource_parameter_count(const wg_csource *s) { return s ? s->count : 0; }

wg_csource_parameter wg_csource_parameter_at(const wg_csource *s, size_t index) {
    wg_csource_parameter none = {0};
    return s && index < s->count ? s->parameter[index] : none;
}

void wg_csource_free(wg_csource *s) {
    if (!s) return;
    wg_program_free(s->program);
    tree_free(s->tree);
    arena_free(&s->arena);
    wg_allocator a = s->allocator;
    mem_free(&a, s, sizeof *s);
}

wg_program *wg_csource_read(const char *path, const wg_csource_options *options, wg_error *error) {
    wg_csource *s = wg_csource_open(path, options, error);
    wg_program *program = s ? s->program : NULL;
    if (s) s->program = NULL;
    wg_csource_free(s);
    return program;
}
