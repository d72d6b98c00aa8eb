/* The lines of a trace, computed once for all back ends: names, formulas, values. Here are the
 * primal ones, whose formulas are those of the program as it is given; derived.c adds what belongs
 * to tangents and adjoints, and values. The lines' strings live in one arena. */
#include "show/show.h"

/* ---- strings --------------------------------------------------------------------------------- */

const char *lines_keep(struct lines *s, bool written) {
    wg_text *text = &s->scratch;
    char *copy = written && text->data ? arena_alloc(&s->arena, text->size + 1, 1) : NULL;
    if (copy) memcpy(copy, text->data, text->size + 1);
    text_cut(text, 0);
    return copy;
}

const char *lines_variable(struct lines *s, enum mark mark, size_t i) {
    int64_t number = (int64_t)i - (int64_t)s->input_count + 1;
    return lines_keep(s, name_variable(&s->scratch, s->writing.notation, mark, number));
}

const char *lines_port_name(const struct lines *s, size_t i) {
    const struct trace *t = s->t;
    if (i < s->input_count) return name_at(t, t->input.at[i].name);
    return name_at(t, t->output.at[i - s->input_count - s->step_count].name);
}

const char *lines_port(struct lines *s, enum mark mark, size_t i) {
    return lines_keep(s, name_port(&s->scratch, s->writing.notation, mark, lines_port_name(s, i)));
}

const char *lines_formula(struct lines *s, const struct writing *w, value v, enum formula formula) {
    return lines_keep(s, formula_write(w, v, formula, &s->scratch));
}

bool writing_open(struct lines *s, const struct trace *t, enum notation notation,
                  struct writing *w) {
    size_t n = t->instr.count;
    *w = (struct writing){.t = t, .notation = notation};
    w->name = arena_alloc(&s->arena, n * sizeof *w->name, sizeof *w->name);
    w->rank = arena_alloc(&s->arena, n * sizeof *w->rank, sizeof *w->rank);
    w->derived = arena_alloc(&s->arena, n * sizeof *w->derived, 1);
    if (!w->name || !w->rank || !w->derived) return false;
    memset(w->name, 0, n * sizeof *w->name);
    return true;
}

void writing_call(struct writing *w, value v, const char *name, size_t place, bool derived) {
    if (w->name[v]) return;
    w->name[v] = name;
    w->rank[v] = (uint32_t)place + 1;
    w->derived[v] = derived;
}

/* ---- primal lines ---------------------------------------------------------------------------- */

static bool is_scalar_f64(const wg_type *type) {
    return type->rank == 0 && type->dtype == WG_F64;
}

/* Kinds, values, names and types. */
static bool open_lines(struct lines *s) {
    const struct trace *t = s->t;
    s->input_count = t->input.count;
    s->step_count = s->order.step_count;
    s->output_count = t->output.count;
    s->count = s->input_count + s->step_count + s->output_count;
    s->at = arena_alloc(&s->arena, (s->count + 1) * sizeof *s->at, sizeof(void *));
    if (!s->at) return false;
    memset(s->at, 0, s->count * sizeof *s->at);
    for (size_t i = 0; i < s->count; i++) {
        struct line *line = &s->at[i];
        size_t step = i - s->input_count, output = step - s->step_count;
        if (i < s->input_count) {
            line->kind = LINE_INPUT;
            line->v = t->input.at[i].v;
        } else if (step < s->step_count) {
            line->kind = LINE_STEP;
            line->v = s->order.step[step];
        } else {
            line->kind = LINE_OUTPUT;
            line->v = t->output.at[output].v;
        }
        line->name = line->kind == LINE_OUTPUT ? lines_port(s, MARK_PRIMAL, i)
                                               : lines_variable(s, MARK_PRIMAL, i);
        line->primal.left = line->name;
        line->type = lines_keep(s, type_text(t, type_of(t, line->v), &s->scratch));
        if (!line->name || !line->type) return false;
        if (!is_scalar_f64(type_of(t, line->v))) s->all_scalars = false;
    }
    return true;
}

static bool primal_formula(struct lines *s, struct line *line, size_t i, bool fold) {
    struct writing *w = &s->writing;
    if (line->kind == LINE_INPUT) {
        line->primal.right = lines_port(s, MARK_PRIMAL, i);
    } else if (line->kind == LINE_OUTPUT) {
        line->primal.right = lines_formula(s, w, line->v, FORMULA_VALUE);
    } else if (op_def(instr_at(s->t, line->v)->op)->class == REGION) {
        line->primal.right = region_formula(s, w, NULL, line->v);
        if (is_region(s->t, line->v) && !region_lines(s, fold, line)) return false;
    } else {
        line->primal.right = lines_formula(s, w, line->v, FORMULA_DEFINING);
    }
    if (line->inner_count) s->all_scalars = false;
    s->row_count += 1 + line->inner_count;
    return line->primal.right != NULL;
}

static bool primal_formulas(struct lines *s, bool fold) {
    struct writing *w = &s->writing;
    for (size_t i = 0; i < s->count - s->output_count; i++)
        writing_call(w, s->at[i].v, s->at[i].name, i, false);
    writing_complete(w);
    for (size_t i = 0; i < s->count; i++)
        if (!primal_formula(s, &s->at[i], i, fold)) return false;
    s->row = arena_alloc(&s->arena, (s->row_count + 1) * sizeof *s->row, sizeof(uint32_t));
    for (size_t i = 0, n = 0; s->row && i < s->count; i++)
        for (size_t k = 0; k <= s->at[i].inner_count; k++, n++) {
            s->row[n].line = (uint32_t)i;
            s->row[n].inner = (uint32_t)k;
        }
    return s->row != NULL;
}

/* ---- all together ---------------------------------------------------------------------------- */

wg_status lines_make(struct lines *s, const wg_program *p, const wg_show_options *options,
                     enum notation notation, wg_error *error) {
    const struct trace *t = &p->t;
    *s = (struct lines){.t = t,
                        .arena.allocator = t->allocator,
                        .scratch.allocator = t->allocator,
                        .has_tangents = options->tangent,
                        .has_adjoints = options->adjoint,
                        .has_values = options->at != NULL,
                        .all_scalars = true};
    s->absent = (wg_tensor){.data = &s->zero, .dtype = WG_F64};
    if (!order_make(t, options->fold, &s->arena, &s->order) ||
        !writing_open(s, t, notation, &s->writing) || !open_lines(s) ||
        !primal_formulas(s, options->fold))
        return fail_memory(error);
    if (!s->has_tangents && !s->has_adjoints && !s->has_values) return WG_OK;
    return lines_derive(s, p, options, error);
}

void lines_free(struct lines *s) {
    for (size_t i = 0; i < s->value_count; i++) wg_tensor_free(&s->value[i], &s->t->allocator);
    mem_free(&s->t->allocator, s->value, s->value_count * sizeof *s->value);
    wg_text_free(&s->scratch);
    arena_free(&s->arena);
}

/* ---- blocks of a printed trace --------------------------------------------------------------- */

unsigned block_count(const struct lines *s) {
    struct row row;
    size_t cursor = 0;
    return s->has_adjoints && block_next(s, 1, &cursor, &row) ? 2 : 1;
}

unsigned block_titles(const struct lines *s, unsigned block, const char *title[2]) {
    title[0] = block == 0 ? "Forward primal trace" : "Reverse adjoint trace";
    title[1] = "Forward tangent trace";
    return block == 0 && s->has_tangents ? 2 : 1;
}

bool block_next(const struct lines *s, unsigned block, size_t *cursor, struct row *row) {
    size_t own = s->count - s->output_count;
    const struct line *line;
    if (block == 0) {
        if (*cursor == s->row_count) return false;
        size_t at = (*cursor)++, k = s->row[at].inner;
        line = &s->at[s->row[at].line];
        *row = (struct row){line->kind, 0, line->type, {&line->primal, &line->tangent}};
        if (k == 0) return true;
        const struct inner *inner = &line->inner[k - 1];
        *row = (struct row){line->kind, inner->depth, inner->type, {&inner->equation, NULL}};
        return true;
    }
    while (*cursor < own + s->input_count) {
        size_t i = (*cursor)++;
        line = &s->at[i < own ? own - 1 - i : i - own]; /* backwards; then inputs by their names */
        const struct equation *e = i < own ? &line->adjoint : &line->gradient;
        *row = (struct row){i < own ? line->kind : LINE_OUTPUT, 0, line->type, {e, NULL}};
        if (e->left) return true;
    }
    return false;
}
