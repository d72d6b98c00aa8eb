/* Variables: objects of cells, places in them, and what is read and written there. */
#include "csource/lower.h"

#include <stdio.h>

enum { COPIED_ONE_BY_ONE = 16, MOST_PARTS = 32 };

/* ---- cells ----------------------------------------------------------------------------------- */

uint32_t cells_in(const struct ctype *type) {
    if (!type) return 0;
    if (type->kind == TYPE_ARRAY) return cells_in(type->of);
    if (type->kind != TYPE_RECORD) return 1;
    uint32_t count = 0;
    for (size_t i = 0; i < type->record->count; i++) count += cells_in(type->record->field[i].type);
    return count;
}

/* How many elements a cell has in one `type`, of which it is number `cell`. */
static wg_extent cell_span(struct lower *l, const struct ctype *type, uint32_t cell) {
    if (!type || type->kind == TYPE_POINTER) return 1;
    if (type->kind == TYPE_ARRAY) {
        wg_extent inner = cell_span(l, type->of, cell);
        if (type->count == LENGTH_UNKNOWN || inner == LENGTH_UNKNOWN) return LENGTH_UNKNOWN;
        if (l->watch && (type->count < 0 || inner < 0)) return LENGTH_UNKNOWN;
        return extent_mul(l->g, type->count, inner);
    }
    if (type->kind != TYPE_RECORD) return 1;
    for (size_t i = 0; i < type->record->count; i++) {
        const struct ctype *field = type->record->field[i].type;
        uint32_t inside = cells_in(field);
        if (cell < inside) return cell_span(l, field, cell);
        cell -= inside;
    }
    return 1;
}

static bool fill_cells(struct lower *l, struct object *o, const struct ctype *type, wg_extent count,
                       bool is_array, uint32_t *at) {
    if (stopped(l)) return false;
    if (type->kind == TYPE_ARRAY) {
        if (type->count == LENGTH_UNKNOWN || count == LENGTH_UNKNOWN ||
            (l->watch && (type->count < 0 || count < 0)))
            count = LENGTH_UNKNOWN;
        else
            count = extent_mul(l->g, count, type->count);
        return fill_cells(l, o, type->of, count, true, at);
    }
    if (type->kind == TYPE_RECORD) {
        for (size_t i = 0; i < type->record->count; i++)
            if (!fill_cells(l, o, type->record->field[i].type, count, is_array, at)) return false;
        return true;
    }
    o->cell[(*at)++] = (struct cell){
        .type = type, .is_array = is_array, .count = count, .serial = o->serial, .owner = o};
    return true;
}

static const char *not_carried(const struct ctype *type) {
    for (; type; type = type->of) {
        if (type->is_volatile) return "volatile";
        if (type->kind == TYPE_OTHER) return type->text;
        if (type->kind == TYPE_RECORD) {
            if (type->record->refused) return type->record->refused;
            for (size_t i = 0; i < type->record->count; i++) {
                const struct ctype *field = type->record->field[i].type;
                if (field->kind == TYPE_POINTER) continue; /* seen when it is used */
                const char *why = not_carried(field);
                if (why) return why;
            }
            return NULL;
        }
        if (type->kind == TYPE_FUNCTION) return "a pointer to a function";
        if (type->kind != TYPE_ARRAY && type->kind != TYPE_POINTER) return NULL;
    }
    return NULL;
}

struct object *object_new(struct lower *l, const char *name, const struct ctype *type) {
    if (stopped(l) || !type) return NULL;
    const char *why = not_carried(type);
    if (why) {
        struct spot spot = {0};
        if (l->g->site) {
            const struct site *s = &l->g->t.site.at[l->g->site];
            spot = (struct spot){name_at(&l->g->t, s->file), s->line, s->column};
        }
        refuse_at(l, &spot, "double, float, whole numbers, arrays and structs of these are carried",
                  "'%.64s' is, or holds, %.64s", name, why);
        return NULL;
    }
    struct object *o = keep(l, sizeof *o);
    struct object **alive = o ? VEC_PUSH(&l->allocator, &l->object) : NULL;
    uint32_t count = cells_in(type), at = 0;
    if (alive) *alive = o;
    if (!alive || !(o->cell = keep(l, count * sizeof *o->cell))) {
        refuse_memory(l);
        return NULL;
    }
    o->name = name;
    o->type = type;
    o->cell_count = count;
    o->serial = ++l->serials;
    return fill_cells(l, o, type, 1, false, &at) ? o : NULL;
}

/* ---- short arrays ---------------------------------------------------------------------------- */

void make_whole(struct lower *l, struct cell *c) {
    const struct decl **new = VEC_PUSH(&l->allocator, &l->whole_array);
    if (!new) {
        refuse_memory(l);
        return;
    }
    *new = c->owner->decl;
    l->begins_again = true;
}

bool make_one_whole(struct lower *l, const written_vec *written) {
    struct cell *most = NULL;
    for (size_t i = 0; i < written->count; i++) {
        struct object *o = written->at[i].cell->owner;
        if (o && o->part_count && (!most || o->part_count > most->owner->part_count))
            most = written->at[i].cell;
    }
    if (most) make_whole(l, most);
    return most != NULL;
}

static bool is_short(const struct cell *c) {
    return c->is_array && c->count >= 0 && c->count <= MOST_PARTS && c->type->kind != TYPE_POINTER;
}

struct object *variable_new(struct lower *l, const struct decl *decl, const struct ctype *type) {
    struct object *o = object_new(l, decl->name, type);
    if (!o) return NULL;
    o->decl = decl;
    for (size_t i = 0; i < l->whole_array.count; i++)
        if (l->whole_array.at[i] == decl) return o;
    uint32_t count = 0;
    for (uint32_t i = 0; i < o->cell_count; i++)
        if (is_short(&o->cell[i])) count += (uint32_t)o->cell[i].count;
    if (!count || !(o->part = keep(l, count * sizeof *o->part))) return o;
    for (uint32_t i = 0; i < o->cell_count; i++) {
        struct cell *c = &o->cell[i];
        if (!is_short(c)) continue;
        c->part = &o->part[o->part_count];
        for (int64_t k = 0; k < c->count; k++)
            o->part[o->part_count++] = (struct cell){
                .type = c->type, .count = 1, .serial = o->serial, .owner = o};
    }
    return o;
}

/* The cell of an element, or that of the whole array. NULL: all begins again. */
static struct cell *part_at(struct lower *l, struct cell *c, value index) {
    int64_t k;
    if (stopped(l) || !c->part) return c;
    if (literal_of(l, index, &k) && k >= 0 && k < c->count) return &c->part[k];
    make_whole(l, c);
    return NULL;
}

wg_dtype cell_dtype(const struct cell *c) {
    switch (c->type->kind) {
    case TYPE_DOUBLE: return WG_F64;
    case TYPE_FLOAT: return WG_F32;
    case TYPE_BOOL: return WG_BOOL;
    case TYPE_INT: return c->is_array && c->type->bits <= 32 ? WG_I32 : WG_I64;
    default: return WG_I64;
    }
}

static wg_type cell_wg_type(const struct cell *c) {
    wg_type type = {.dtype = (uint8_t)cell_dtype(c), .rank = c->is_array};
    if (c->is_array) type.extent[0] = c->count;
    return type;
}

value cell_value(struct lower *l, struct cell *c) {
    if (stopped(l)) return 0;
    if (c->constant) {
        wg_type type = cell_wg_type(c);
        if (!l->watch && c->is_array) return graph_blob(l->g, &type, c->constant);
        return c->is_array ? 0 : table_element(l, c, 0);
    }
    if (c->v || (l->watch && c->is_array)) return c->v;
    if (l->watch) return c->v = unknown_value(l, cell_dtype(c));
    wg_type type = cell_wg_type(c);
    return build_full(l->g, &type, 0); /* nothing was assigned: anything will do */
}

void name_value(struct lower *l, const struct cell *c, value v) {
    const struct object *o = c->owner;
    if (!l->watch && o && o->cell_count == 1 && !c->is_array && is_scalar(c->type) && o->name)
        graph_value_name(l->g, v, o->name);
}

void cell_set(struct lower *l, struct cell *c, value v) {
    if (stopped(l)) return;
    note_written(l, c);
    c->v = v;
}

/* ---- names ----------------------------------------------------------------------------------- */

void bind(struct lower *l, const struct decl *decl, struct object *object) {
    if (stopped(l)) return;
    struct binding *b = VEC_PUSH(&l->allocator, &l->binding);
    if (b)
        *b = (struct binding){decl, object};
    else
        refuse_memory(l);
}

void leave_scope(struct lower *l, size_t objects, size_t bindings) {
    for (size_t i = objects; i < l->object.count; i++)
        if (l->object.at[i]->is_allocated) l->object.at[objects++] = l->object.at[i];
    l->object.count = objects;
    l->binding.count = bindings;
}

static struct object *table_of(struct lower *l, const struct decl *decl, const struct node *at) {
    for (size_t i = 0; i < l->table.count; i++)
        if (l->table.at[i]->decl == decl) return l->table.at[i];
    bool is_const = false;
    for (const struct ctype *t = decl->type; t; t = t->of) is_const = is_const || t->is_const;
    if (!is_const) {
        refuse_at(l, &at->spot, "make it a parameter, or const",
                  "'%.64s' is a variable that outlives the call", decl->name);
        return NULL;
    }
    if (decl->is_elsewhere) {
        refuse_at(l, &at->spot, "define it where it is declared",
                  "'%.64s' has its values in another file", decl->name);
        return NULL;
    }
    struct object *o = object_new(l, decl->name, decl->type);
    if (!o) return NULL;
    l->object.count--; /* it lives on */
    o->decl = decl;
    o->serial = 0; /* as old as the program */
    for (uint32_t i = 0; i < o->cell_count; i++) o->cell[i].serial = 0;
    struct object **new = VEC_PUSH(&l->allocator, &l->table);
    if (!new) {
        refuse_memory(l);
        return NULL;
    }
    *new = o;
    return decl->init && table_fill(l, o, decl->init) ? o : (decl->init ? NULL : o);
}

struct object *bound_object(struct lower *l, const struct decl *decl, const struct node *at) {
    if (stopped(l)) return NULL;
    if (decl && (decl->is_global || decl->is_static)) return table_of(l, decl, at);
    for (size_t i = l->binding.count; decl && i-- > l->frame->first_binding;)
        if (l->binding.at[i].decl == decl) return l->binding.at[i].object;
    refuse_at(l, &at->spot, NULL, "this name is not carried");
    return NULL;
}

/* ---- places ---------------------------------------------------------------------------------- */

struct place place_of(struct lower *l, struct object *object) {
    struct place p = {.object = object, .index = whole(l, 0)};
    p.type = object ? object->type : NULL;
    return p;
}

static value times(struct lower *l, value index, wg_extent count) {
    int64_t number;
    if (stopped(l) || count == 1) return index;
    if (literal_of(l, index, &number) && number == 0) return index;
    return build_mul(l->g, index, extent_value(l, count));
}

struct place place_element(struct lower *l, struct place p) {
    if (stopped(l) || !p.type || p.type->kind != TYPE_ARRAY) return p;
    p.index = times(l, p.index, p.type->count);
    p.type = p.type->of;
    return p;
}

struct place place_member(struct lower *l, struct place p, const char *name) {
    if (stopped(l) || !p.type || p.type->kind != TYPE_RECORD) return p;
    for (size_t i = 0; i < p.type->record->count; i++) {
        const struct field *field = &p.type->record->field[i];
        if (strcmp(field->name, name) == 0) {
            p.type = field->type;
            return p;
        }
        p.cell += cells_in(field->type);
    }
    fail_with(&l->error, WG_EINTERNAL, "a struct without the member '%.64s'", name);
    return p;
}

struct place place_moved(struct lower *l, struct place p, value step) {
    int64_t number;
    if (stopped(l)) return p;
    if (!(literal_of(l, step, &number) && number == 0)) p.index = build_add(l->g, p.index, step);
    return p;
}

/* ---- reading and writing --------------------------------------------------------------------- */

/* The cell at a place of a scalar or pointer. */
static struct cell *cell_at(struct lower *l, struct place p, const struct node *at) {
    int64_t number;
    if (stopped(l)) return NULL;
    if (!p.object) {
        refuse_null(l, at);
        return NULL;
    }
    struct cell *c = &p.object->cell[p.cell];
    if (!c->is_array && !l->watch && !(literal_of(l, p.index, &number) && number == 0)) {
        char hint[256];
        snprintf(hint, sizeof hint,
                 "tell how many there are: declare it %.64s[n], or say --size %.64s=n",
                 p.object->name, p.object->name);
        if (p.object->is_alone)
            refuse_at(l, &at->spot, hint, "'%.64s' points to one as far as its declaration tells",
                      p.object->name);
        else
            refuse_at(l, &at->spot, "make it an array",
                      "this pointer to '%.64s', or within it, moves away from what it pointed to",
                      p.object->name);
    }
    if (c->is_array && c->type->kind == TYPE_POINTER)
        refuse_at(l, &at->spot, "one array and indices into it are carried",
                  "'%.64s' holds an array of pointers", p.object->name);
    if (!stopped(l)) note_index(l, c, p.index);
    return stopped(l) ? NULL : part_at(l, c, p.index);
}

struct operand load_from(struct lower *l, struct place p, const struct node *at) {
    struct operand x = {.type = p.type, .at = p};
    if (stopped(l) || !p.type || p.type->kind == TYPE_ARRAY || p.type->kind == TYPE_RECORD)
        return x;
    struct cell *c = cell_at(l, p, at);
    if (!c) return x;
    note_read(l, c);
    if (c->type->kind == TYPE_POINTER) {
        x.at = c->to;
        x.at.index = c->v ? c->v : l->watch ? unknown_value(l, WG_I64) : whole(l, 0);
        if (!c->is_set) x.at.object = NULL;
        if (!x.at.type) x.at.type = p.type->of;
        return x;
    }
    if (!c->is_array) {
        x.v = cell_value(l, c);
        return x;
    }
    int64_t k;
    if (c->constant && literal_of(l, p.index, &k) && k >= 0 && k < c->count) {
        x.v = table_element(l, c, k);
        return x;
    }
    value all = cell_value(l, c);
    if (l->watch) {
        wg_dtype dtype = cell_dtype(c);
        x.v = unknown_value(l, dtype == WG_I32 ? WG_I64 : dtype);
        return x;
    }
    x.v = build_take(l->g, all, p.index, 0, 0);
    if (c->type->kind == TYPE_INT && c->type->bits <= 32) {
        x.v = build_cast(l->g, WG_I64, x.v);
        if (!c->type->is_signed)
            x.v = build_binary(l->g, OP_bit_and, x.v, whole(l, UINT32_MAX >> (32 - c->type->bits)));
    }
    return x;
}

/* A scalar as its cell keeps it. */
static value kept_value(struct lower *l, const struct cell *c, value v) {
    if (stopped(l) || !v) return 0;
    wg_dtype dtype = cell_dtype(c);
    unsigned given = type_of(&l->g->t, v)->dtype;
    return given == dtype ? v : build_cast(l->g, dtype, v);
}

void store_to(struct lower *l, struct place p, struct operand x, const struct node *at) {
    if (stopped(l) || !p.type) return;
    if (p.type->kind == TYPE_RECORD || p.type->kind == TYPE_ARRAY) {
        copy_object(l, p, x.at, at);
        return;
    }
    struct cell *c = cell_at(l, p, at);
    if (!c) return;
    if (c->constant && l->is_filling) {
        table_put(l, c, p.index, kept_value(l, c, x.v), at);
        return;
    }
    if (c->constant) {
        refuse_at(l, &at->spot, NULL, "'%.64s' is const", p.object->name);
        return;
    }
    if (c->type->kind == TYPE_POINTER) {
        c->to = x.at;
        c->is_set = true;
        c->v = x.at.index;
        note_written(l, c);
        return;
    }
    note_written(l, c);
    value v = kept_value(l, c, x.v);
    if (!c->is_array) {
        c->v = v;
        name_value(l, c, v);
    } else if (!l->watch) {
        c->v = build_index_set(l->g, cell_value(l, c), v, p.index, 0, 0);
    }
}

bool store_sum(struct lower *l, struct place p, value x, const struct node *at) {
    if (stopped(l) || !is_floating(p.type)) return false;
    struct cell *c = cell_at(l, p, at);
    if (!c || !c->is_array || c->constant) return false;
    note_read(l, c);
    note_written(l, c);
    if (!l->watch) c->v = build_index_add(l->g, cell_value(l, c), x, p.index, 0, 0);
    return true;
}

/* ---- copies ---------------------------------------------------------------------------------- */

struct copy {
    struct cell *to, *from;
    value to_index, from_index, all;
};

/* Where the elements of one of the two are cells. */
static void copy_parts(struct lower *l, struct cell *to, value to_index, struct cell *from,
                       value from_index, wg_extent count) {
    if (count < 0) make_whole(l, to->part ? to : from);
    for (int64_t k = 0; k < count && !stopped(l); k++) {
        value i = build_add(l->g, to_index, whole(l, k));
        value j = build_add(l->g, from_index, whole(l, k));
        struct cell *a = part_at(l, to, i), *b = part_at(l, from, j);
        if (a && b) copy_elements(l, a, i, b, j, 1);
    }
}

void copy_elements(struct lower *l, struct cell *to, value to_index, struct cell *from,
                   value from_index, wg_extent count) {
    int64_t a, b;
    if (stopped(l)) return;
    if (to->part || from->part) {
        copy_parts(l, to, to_index, from, from_index, count);
        return;
    }
    note_read(l, from);
    note_written(l, to);
    if (l->watch) {
        if (!to->is_array) to->v = unknown_value(l, cell_dtype(to));
        return;
    }
    value source = cell_value(l, from);
    if (!to->is_array && !from->is_array) {
        to->v = source;
    } else if (!to->is_array) {
        to->v = kept_value(l, to, build_take(l->g, source, from_index, 0, 0));
    } else if (to->is_array && from->is_array && to->count == count && from->count == count &&
               literal_of(l, to_index, &a) && literal_of(l, from_index, &b) && !a && !b) {
        to->v = source;
    } else if (count >= 0 && count <= COPIED_ONE_BY_ONE) {
        for (int64_t k = 0; k < count && !stopped(l); k++) {
            value x = source;
            if (from->is_array)
                x = build_take(l->g, source, build_add(l->g, from_index, whole(l, k)), 0, 0);
            else
                x = kept_value(l, to, x);
            to->v = build_index_set(l->g, cell_value(l, to), x,
                                    build_add(l->g, to_index, whole(l, k)), 0, 0);
        }
    } else {
        wg_loop *loop = wg_loop_begin_at(NULL, SAME_SITE, l->g, count);
        wg_var index = wg_loop_index_at(NULL, SAME_SITE, loop);
        wg_var carry = wg_loop_carry_at(NULL, SAME_SITE, loop, (wg_var){l->g, cell_value(l, to)});
        value x = build_take(l->g, source, build_add(l->g, from_index, index.id), 0, 0);
        value next = build_index_set(l->g, carry.id, x, build_add(l->g, to_index, index.id), 0, 0);
        wg_loop_next_at(NULL, SAME_SITE, loop, carry, (wg_var){l->g, next});
        wg_var result = {0};
        wg_loop_end_at(NULL, SAME_SITE, loop, &result);
        to->v = result.id;
    }
}

void copy_object(struct lower *l, struct place to, struct place from, const struct node *at) {
    copy_several(l, to, from, 1, at);
}

void copy_several(struct lower *l, struct place to, struct place from, wg_extent count,
                  const struct node *at) {
    if (stopped(l)) return;
    if (!to.object || !from.object) {
        refuse_null(l, at);
        return;
    }
    for (uint32_t i = 0; i < cells_in(to.type) && !stopped(l); i++) {
        struct cell *a = &to.object->cell[to.cell + i], *b = &from.object->cell[from.cell + i];
        if (a->type->kind == TYPE_POINTER) {
            note_read(l, b);
            a->to = b->to;
            a->v = b->v;
            a->is_set = b->is_set;
            note_written(l, a);
            continue;
        }
        wg_extent span = cell_span(l, to.type, i);
        if (span == LENGTH_UNKNOWN && !l->watch) {
            refuse_at(l, &at->spot, NULL, "how long this is, is not known");
            return;
        }
        wg_extent all = l->watch ? 1 : extent_mul(l->g, span, count);
        copy_elements(l, a, times(l, to.index, span), b, times(l, from.index, span), all);
    }
}

void clear_object(struct lower *l, struct object *object) {
    for (uint32_t i = 0; object && i < object->cell_count && !stopped(l); i++) {
        struct cell *c = &object->cell[i];
        note_written(l, c);
        wg_type type = cell_wg_type(c);
        for (int64_t k = 0; c->part && k < c->count; k++) {
            note_written(l, &c->part[k]);
            c->part[k].v = build_number(l->g, cell_dtype(&c->part[k]), 0);
        }
        if (c->part) continue;
        c->is_set = c->type->kind == TYPE_POINTER;
        c->to = (struct place){.type = c->type->of};
        c->v = 0;
        if (!c->is_array || !l->watch) c->v = build_full(l->g, &type, 0);
    }
}
