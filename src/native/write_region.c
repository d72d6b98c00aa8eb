/* Loops and branches in C: a for, or a switch, around calls of functions that the bodies are. These
 * take sizes, inputs, outputs and a workspace as any shipped function does (ship.c), scalars by
 * value, so that a compiler that puts them into the loop keeps what is carried in registers, and
 * sees through the slices that arrays are read and written by. An array that is carried stays in
 * one place, which is input and output of the body at once. */
#include "native/writer.h"
#include "op/element.h"

#include <stdio.h>

struct scene {
    struct writer *w;
    value v;
    struct region r;
    const value *arg;  /* of the region */
    const struct body_code *body;
    value item[REGION_OPERANDS]; /* of each result; 0: nobody reads it */
};

static struct scene look_at(struct writer *w, value v) {
    const struct instr *i = instr_at(w->t, v);
    struct scene s = {.w = w, .v = v, .r = region_open(w->t, i->op, i->attr),
                      .arg = args_of(w->t, i)};
    for (value item = w->l->next[v]; item; item = w->l->next[item])
        s.item[attr_words(w->t, instr_at(w->t, item)->attr)[0]] = item;
    for (size_t k = 0; k < w->w->body_count && !s.body; k++)
        if (w->w->body[k].region == v) s.body = &w->w->body[k];
    return s;
}

static bool is_scalar(const struct writer *w, value v) { return type_of(w->t, v)->rank == 0; }

/* ---- workspaces ------------------------------------------------------------------------------ */

void inner_work(const struct writing *w, size_t *fixed, bool *named) {
    *fixed = 0;
    *named = false;
    for (size_t k = 0; k < w->body_count; k++) {
        const struct body_code *b = &w->body[k];
        if (b->named_work) *named = true;
        else if (b->work > *fixed) *fixed = b->work;
    }
}

/* The sizes of a body in terms of those around it. */
static void add_body_sizes(struct writer *w, const struct body_code *b, const char *between) {
    const struct instr *i = instr_at(w->t, b->region);
    struct region r = region_open(w->t, i->op, i->attr);
    const wg_extent *size = region_sizes(w->t, &r, b->which);
    for (size_t k = 0; k < b->t->size.count; k++) {
        add_program_extent(w, size[k], false);
        if (k + 1 < b->t->size.count || *between == ',') add(w, ", ");
    }
}

void add_inner_work(struct writer *w) {
    size_t fixed, open = 0;
    bool named;
    inner_work(w->w, &fixed, &named);
    for (size_t k = 0; k < w->w->body_count; k++) {
        const struct body_code *b = &w->w->body[k];
        if (!b->named_work) continue;
        ADD(w, "wg_larger(%s_work(", b->name);
        add_body_sizes(w, b, "");
        add(w, "), ");
        open++;
    }
    ADD(w, "%zu", fixed);
    while (open--) add(w, ")");
}

/* ---- operands -------------------------------------------------------------------------------- */

static value root_of(const struct scene *s, size_t k) {
    return storage_root(s->w->l, s->arg[k]);
}

static void add_scalar(const struct scene *s, value root) {
    struct access a = {.root = root};
    add_operand(s->w, &a, &(struct site_of_use){0, NULL});
}

/* An array by another name of a scalar, which is in no memory, has a variable for it. */
static bool is_named_scalar(const struct scene *s, size_t at) {
    return !is_scalar(s->w, s->arg[at]) && is_scalar(s->w, root_of(s, at));
}

static void declare_named_scalars(const struct scene *s) {
    struct writer *w = s->w;
    size_t count = instr_at(w->t, s->v)->narg;
    for (size_t at = 0; at < count; at++) {
        if (!is_named_scalar(s, at)) continue;
        value root = root_of(s, at);
        indent(w, 2);
        ADD(w, "const %s arg%zu = ", type_text_of[dtype_of(w, root)], at);
        add_scalar(s, root);
        add(w, ";\n");
    }
}

static void add_array(const struct scene *s, size_t at) {
    if (is_named_scalar(s, at)) ADD(s->w, "(&arg%zu)", at);
    else add_memory(s->w, root_of(s, at));
}

/* The elements of one slice of v. */
static wg_extent width_of(const struct scene *s, value v) {
    const wg_type *type = type_of(s->w->t, v);
    wg_extent width = 1;
    for (size_t k = 1; k < type->rank; k++)
        width = extent_mul(s->w->l->extents, width, lowered_extent(s->w->l, type->extent[k]));
    return width;
}

/* " + index * width" behind an address */
static void add_slice(const struct scene *s, value v) {
    struct writer *w = s->w;
    wg_extent width = width_of(s, v);
    add(w, " + ");
    if (width != 1) add_extent(w, &w->l->extents->t, width, true), add(w, " * ");
    add(w, "index");
}

/* What is carried in memory: the place of the result, or spare memory where nobody reads that. */
static void add_carried(const struct scene *s, size_t k) {
    struct writer *w = s->w;
    if (s->item[k]) {
        add_memory(w, s->item[k]);
        return;
    }
    uint32_t home = NO_HOME;
    for (size_t i = 0; i < w->w->spare_count; i++)
        if (w->w->spare[i].region == s->v && w->w->spare[i].carry == k) home = w->w->spare[i].home;
    value begin = s->arg[s->r.lead + s->r.captures + k];
    ADD(w, "(%s *)", type_text_of[dtype_of(w, begin)]);
    if (w->shipped) add_shipped_entry(w, home);
    else ADD(w, "f->table[%u]", home);
}

static void add_trip_count(const struct scene *s) {
    add_program_extent(s->w, s->r.length, false);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool has_place(const struct body_code *b, size_t input) {
    for (size_t k = 0; k < b->t->output.count; k++)
        if (b->donor[k] == input + 1) return true;
    return false;
}

static void begin_call(const struct scene *s, const struct body_code *b) {
    struct writer *w = s->w;
    bool called = !w->shipped || is_called_body(w);
    ADD(w, "%s(%s", b->name, called ? "f, " : "");
    add_body_sizes(w, b, ",");
    if (s->r.op == OP_loop) add(w, "index, ");
}

static void add_captures(const struct scene *s, const struct body_code *b) {
    for (size_t k = 0; k < s->r.captures; k++) {
        if (has_place(b, k + (s->r.op == OP_loop))) continue;
        size_t at = s->r.lead + k;
        if (is_scalar(s->w, s->arg[at])) add_scalar(s, root_of(s, at));
        else add_array(s, at);
        add(s->w, ", ");
    }
}

/* As inputs: arrays that the body makes in place are outputs. */
static void add_carries(const struct scene *s, const struct body_code *b) {
    for (size_t k = 0; k < s->r.carries; k++) {
        if (has_place(b, 1 + s->r.captures + k)) continue;
        bool scalar = is_scalar(s->w, s->arg[s->r.lead + s->r.captures + k]);
        if (scalar) ADD(s->w, "r%zu", k);
        else add_carried(s, k);
        add(s->w, ", ");
    }
}

static void end_call(const struct scene *s) {
    struct writer *w = s->w;
    if (w->shipped) add_shipped_inner(w);
    else add(w, "f->inner");
    add(w, ")");
}

static void add_stacks(const struct scene *s) {
    struct writer *w = s->w;
    for (size_t k = 0; k < s->r.stacks; k++) {
        size_t at = s->r.lead + s->r.captures + s->r.carries + k;
        add_array(s, at);
        if (type_of(w->t, s->arg[at])->rank == 1) add(w, "[index]");
        else add_slice(s, s->arg[at]);
        add(w, ", ");
    }
}

/* Where the results go. */
static void add_results(const struct scene *s) {
    struct writer *w = s->w;
    for (size_t k = 0; k < s->r.items; k++) {
        if (k < s->r.carries && is_scalar(w, s->arg[s->r.lead + s->r.captures + k])) {
            ADD(w, "&r%zu", k);
        } else if (k < s->r.carries) {
            add_carried(s, k);
        } else if (!s->item[k]) {
            continue;
        } else if (s->r.op == OP_loop) {
            add_memory(w, s->item[k]);
            add_slice(s, s->item[k]);
        } else if (is_scalar(w, s->item[k])) {
            ADD(w, "&r%zu", k);
        } else {
            add_memory(w, s->item[k]);
        }
        add(w, ", ");
    }
}

static void add_body_call(const struct scene *s, int depth) {
    struct writer *w = s->w;
    indent(w, depth);
    add(w, "if ((status = ");
    begin_call(s, s->body);
    add_captures(s, s->body);
    add_carries(s, s->body);
    add_stacks(s);
    add_results(s);
    end_call(s);
    add(w, ") != 0) return status;\n");
}

static void add_condition(const struct scene *s, int depth) {
    struct writer *w = s->w;
    indent(w, depth);
    add(w, "uint8_t go = 0;\n");
    indent(w, depth);
    add(w, "if ((status = ");
    begin_call(s, s->body + 1);
    add_captures(s, s->body + 1);
    add_carries(s, s->body + 1);
    add(w, "&go, ");
    end_call(s);
    add(w, ") != 0) return status;\n");
    indent(w, depth);
    add(w, "if (!go) break;\n");
}

/* ---- what is there before and after ---------------------------------------------------------- */

/* Scalars in variables; arrays to where the results go. */
static void begin_carries(const struct scene *s, int depth) {
    struct writer *w = s->w;
    for (size_t k = 0; k < s->r.carries; k++) {
        size_t at = s->r.lead + s->r.captures + k;
        value root = root_of(s, at);
        indent(w, depth);
        if (is_scalar(w, s->arg[at])) {
            ADD(w, "%s r%zu = ", type_text_of[dtype_of(w, root)], k);
            add_scalar(s, root);
            add(w, ";\n");
            continue;
        }
        add(w, "wg_copy(");
        add_carried(s, k);
        add(w, ", ");
        add_array(s, at);
        add(w, ", (size_t)(");
        add_count(w, type_of(w->t, s->arg[at]));
        ADD(w, ") * sizeof(%s));\n", type_text_of[dtype_of(w, root)]);
    }
}

/* Whether a scalar is a variable of the function rather than a cell or an element of a table. */
static bool is_variable(const struct writer *w) { return w->shipped && !has_cells(w->l); }

static bool is_counted(const struct scene *s) {
    return s->w->l->stages.at[s->w->l->stage[s->v]].counted;
}

static void declare_scalar(const struct scene *s, value v) {
    if (!is_variable(s->w) || !is_scalar(s->w, v)) return;
    ADD(s->w, "    %s v%u;\n", type_text_of[dtype_of(s->w, v)], v);
}

static void store_scalar(const struct scene *s, value v, const char *from, int depth) {
    struct writer *w = s->w;
    indent(w, depth);
    if (is_variable(w)) ADD(w, "v%u", v);
    else add_cell(w, v);
    ADD(w, " = %s;\n", from);
}

static void store_results(const struct scene *s, int depth, const char *number) {
    struct writer *w = s->w;
    for (size_t k = 0; k < s->r.items; k++) {
        if (!s->item[k] || !is_scalar(w, s->item[k])) continue;
        char name[32];
        snprintf(name, sizeof name, "r%zu", k);
        store_scalar(s, s->item[k], name, depth);
    }
    if (is_counted(s)) store_scalar(s, s->v, number, depth);
}

/* Iterations that did not run have made zeros, where somebody may read them. */
static void clear_rest(const struct scene *s, int depth, const char *ran) {
    struct writer *w = s->w;
    for (size_t k = s->r.carries; k < region_cleared(&s->r); k++) {
        value item = s->item[k];
        if (!item) continue;
        wg_extent width = width_of(s, item);
        indent(w, depth);
        ADD(w, "if (%s < length) memset(", ran);
        add_memory(w, item);
        ADD(w, " + %s", ran);
        if (width != 1) add(w, " * "), add_extent(w, &w->l->extents->t, width, true);
        ADD(w, ", 0, (size_t)((length - %s)", ran);
        if (width != 1) add(w, " * "), add_extent(w, &w->l->extents->t, width, true);
        ADD(w, ") * sizeof(%s));\n", type_text_of[dtype_of(w, item)]);
    }
}

/* ---- loops ----------------------------------------------------------------------------------- */

/* for (...) of one that runs to its end: the simplest form, for the sake of vectors. */
static void write_counted(const struct scene *s, int depth) {
    struct writer *w = s->w;
    if (s->r.flags & LOOP_APART || is_without_order(w->t, &s->r)) {
        indent(w, depth);
        add(w, "WG_INDEPENDENT\n");
    }
    indent(w, depth);
    if (s->r.flags & LOOP_BACKWARDS)
        add(w, "for (int64_t index = count - 1; index >= 0; index--) {\n");
    else
        add(w, "for (int64_t index = 0; index < count; index++) {\n");
    add_body_call(s, depth + 1);
    indent(w, depth);
    add(w, "}\n");
}

static void write_while(const struct scene *s, int depth) {
    struct writer *w = s->w;
    indent(w, depth);
    add(w, "for (; ran < count; ran++) {\n");
    indent(w, depth + 1);
    add(w, "const int64_t index = ran;\n");
    add_condition(s, depth + 1);
    add_body_call(s, depth + 1);
    indent(w, depth);
    add(w, "}\n");
}

/* An integer that the loop is given. */
static void add_given(struct writer *w, value v) {
    struct access a = {.root = storage_root(w->l, v)};
    add_operand(w, &a, &(struct site_of_use){0, NULL});
}

static void write_loop(const struct scene *s) {
    struct writer *w = s->w;
    bool is_while = s->r.flags & LOOP_CONDITION, partial = is_while || s->r.lead, collects = false;
    for (size_t k = s->r.carries; k < s->r.items; k++) collects |= s->item[k] != 0;
    indent(w, 2);
    add(w, "const int64_t length = ");
    add_trip_count(s);
    add(w, ";\n");
    indent(w, 2);
    add(w, "int64_t count = ");
    if (s->r.lead) add_scalar(s, root_of(s, 0));
    else add(w, "length");
    add(w, ";\n");
    if (s->r.lead) {
        indent(w, 2);
        add(w, "if (count > length) count = length;\n");
        indent(w, 2);
        add(w, "if (count < 0) count = 0;\n");
    }
    if (!is_while) add_ahead(w, s->body, 2, add_given);
    if (is_while) {
        indent(w, 2);
        add(w, "int64_t ran = 0;\n");
    }
    begin_carries(s, 2);
    if (is_while) write_while(s, 2);
    else write_counted(s, 2);
    if (partial) clear_rest(s, 2, is_while ? "ran" : "count");
    store_results(s, 2, is_while ? "ran" : "count");
}

/* ---- branches -------------------------------------------------------------------------------- */

/* What the cases make in the place of what they capture begins as that. */
static void begin_results(const struct scene *s, int depth) {
    struct writer *w = s->w;
    size_t output = 0;
    for (size_t k = 0; k < s->r.items; k++) {
        if (!s->item[k]) continue;
        uint32_t donor = s->body->donor[output++];
        if (!donor) continue;
        indent(w, depth);
        add(w, "wg_copy(");
        add_memory(w, s->item[k]);
        add(w, ", ");
        add_array(s, s->r.lead + donor - 1);
        add(w, ", (size_t)(");
        add_count(w, type_of(w->t, s->item[k]));
        ADD(w, ") * sizeof(%s));\n", type_text_of[dtype_of(w, s->item[k])]);
    }
}

static void write_branch(struct scene *s) {
    struct writer *w = s->w;
    const struct body_code *first = s->body;
    begin_results(s, 2);
    for (size_t k = 0; k < s->r.items; k++) {
        if (!s->item[k] || !is_scalar(w, s->item[k])) continue;
        indent(w, 2);
        ADD(w, "%s r%zu;\n", type_text_of[dtype_of(w, s->item[k])], k);
    }
    indent(w, 2);
    add(w, "int64_t which = ");
    add_scalar(s, root_of(s, 0));
    add(w, ";\n");
    indent(w, 2);
    ADD(w, "if (which < 0) which = 0;\n");
    indent(w, 2);
    ADD(w, "if (which > %zu) which = %zu;\n", s->r.bodies - 1, s->r.bodies - 1);
    for (size_t k = 0; k < s->r.bodies; k++) {
        indent(w, 2);
        if (k + 1 < s->r.bodies) ADD(w, "%sif (which == %zu) {\n", k ? "} else " : "", k);
        else add(w, k ? "} else {\n" : "{\n");
        s->body = first + k;
        add_body_call(s, 3);
    }
    indent(w, 2);
    add(w, "}\n");
    store_results(s, 2, "which");
}

/* ---- the whole ------------------------------------------------------------------------------- */

void write_region(struct writer *w, value v) {
    struct scene s = look_at(w, v);
    for (size_t k = 0; k < s.r.items; k++)
        if (s.item[k]) declare_scalar(&s, s.item[k]);
    if (is_counted(&s)) declare_scalar(&s, v);
    add(w, "    {");
    add_comment(w, v);
    declare_named_scalars(&s);
    if (s.r.op == OP_loop) write_loop(&s);
    else write_branch(&s);
    add(w, "    }\n");
}

void declare_region(struct writer *w, value v) {
    const struct instr *i = instr_at(w->t, v);
    for (size_t k = 0; k < i->narg; k++)
        declare_address(w, storage_root(w->l, args_of(w->t, i)[k]));
    for (value item = w->l->next[v]; item; item = w->l->next[item]) declare_address(w, item);
}
