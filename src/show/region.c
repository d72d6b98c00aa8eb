/* Loops and branches in a trace: what stands in the line of one, and below it the lines of its
 * bodies, further in. Lines of a body are numbered within it, v1.2 of v1; c1.1 is what v1 carries
 * first, r1.1 its first result; indices are i, j, k by depth. Captured values keep the names that
 * they have outside, and slices of a stack are written as what they are, v0[i]. Bodies nest at most
 * MAX_RULE_DEPTH deep, so these functions call each other. */
#include "show/show.h"

#include "op/region.h"
#include "wengert/loop.h"

struct path { /* of a body: the numbers of the lines around it */
    int64_t at[MAX_RULE_DEPTH + 2];
    unsigned depth;
};

bool is_region(const struct trace *t, value v) {
    return op_def(instr_at(t, v)->op)->class == REGION && instr_at(t, v)->op != OP_item;
}

bool region_keeps(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_item) return false;
    const struct instr *from = instr_at(t, args_of(t, i)[0]);
    struct region r = region_open(t, from->op, from->attr);
    size_t k = (size_t)attr_words(t, i->attr)[0];
    return k < r.items && k >= r.items - r.kept;
}

/* ---- names ----------------------------------------------------------------------------------- */

static const char *within(struct lines *s, char letter, const struct path *path, int64_t number) {
    return lines_keep(
        s, name_within(&s->scratch, s->writing.notation, letter, path->at, path->depth, number));
}

static const char *index_name(const struct path *path) {
    static const char *const letter[] = {"i", "j", "k", "l", "m", "n", "o", "p"};
    return letter[path->depth <= COUNT_OF(letter) ? path->depth - 1 : COUNT_OF(letter) - 1];
}

static struct path path_into(const struct path *path, const struct writing *w, value v) {
    struct path inner = *path;
    if (inner.depth < COUNT_OF(inner.at))
        inner.at[inner.depth++] = (int64_t)w->rank[v] - (int64_t)w->t->input.count;
    return inner;
}

/* A value of the trace around, such that anything may stand behind it. */
static const char *operand(struct lines *s, const struct writing *w, value v) {
    if (w->name[v]) return w->name[v];
    const char *text = lines_formula(s, w, v, FORMULA_VALUE);
    if (!text || !strchr(text, ' ')) return text;
    return lines_keep(s, text_format(&s->scratch, "(%s)", text));
}

/* ---- bodies ---------------------------------------------------------------------------------- */

/* A body, its inputs named. */
struct body {
    const struct trace *t;
    struct writing writing;
    struct order order;
    struct path path;
    uint32_t number; /* in collecting.body */
};

static bool name_input(struct body *b, size_t i, const char *name) {
    writing_call(&b->writing, b->t->input.at[i].v, name, i, false);
    return name != NULL;
}

/* Body k of the region v of the trace that w writes. */
static bool body_open(struct lines *s, const struct writing *w, const struct path *path, value v,
                      size_t k, bool fold, struct body *b) {
    const struct instr *i = instr_at(w->t, v);
    struct region r = region_open(w->t, i->op, i->attr);
    const value *x = args_of(w->t, i) + r.lead;
    *b = (struct body){.t = &region_body(w->t, &r, k)->body->t, .path = path_into(path, w, v)};
    if (!order_make(b->t, fold, &s->arena, &b->order) ||
        !writing_open(s, b->t, w->notation, &b->writing))
        return false;
    size_t n = 0;
    bool ok = i->op == OP_branch || name_input(b, n++, index_name(&b->path));
    for (size_t c = 0; ok && c < r.captures; c++) ok = name_input(b, n++, operand(s, w, *x++));
    for (size_t c = 0; ok && c < r.carries; c++, x++)
        ok = name_input(b, n++, within(s, 'c', &b->path, (int64_t)c + 1));
    for (size_t c = 0; ok && c < r.stacks && n < b->t->input.count; c++) {
        const char *stack = operand(s, w, *x++);
        ok = stack && name_input(b, n++,
                                 lines_keep(s, text_format(&s->scratch, "%s[%s]", stack,
                                                           index_name(&b->path))));
    }
    for (size_t c = 0; ok && c < b->order.step_count; c++) {
        const char *name = within(s, 'v', &b->path, (int64_t)c + 1);
        writing_call(&b->writing, b->order.step[c], name, b->t->input.count + c, false);
        ok = name != NULL;
    }
    if (ok) writing_complete(&b->writing);
    return ok;
}

/* ---- the line of a region -------------------------------------------------------------------- */

/* A word beside mathematics. */
static const char *word(const struct lines *s, const char *plain, const char *latex) {
    return s->writing.notation == NOTATION_LATEX ? latex : plain;
}

static const char *extent_string(struct lines *s, const struct trace *t, wg_extent e) {
    return lines_keep(s, extent_text(t, e, &s->scratch));
}

/* "for i in 0:n", "while c1.1 > 0 limit 9" */
static const char *loop_heading(struct lines *s, const struct writing *w, const struct path *path,
                                value v) {
    const struct instr *i = instr_at(w->t, v);
    struct region r = region_open(w->t, i->op, i->attr);
    struct path inner = path_into(path, w, v);
    const char *length = extent_string(s, w->t, r.length), *end = length, *limit = "";
    bool early = r.flags & (LOOP_COUNTED | LOOP_CONDITION);
    if (!length) return NULL;
    if (r.flags & LOOP_COUNTED) end = operand(s, w, args_of(w->t, i)[0]);
    if (early && r.length != WG_UNBOUNDED)
        limit = lines_keep(
            s, text_format(&s->scratch, "%s%s", word(s, " limit ", " \\mbox{ limit } "), length));
    if (!end || !limit) return NULL;
    if (r.flags & LOOP_CONDITION) {
        struct body condition;
        if (!body_open(s, w, path, v, 1, false, &condition)) return NULL;
        for (size_t k = 0; k < condition.order.step_count; k++) /* written out */
            condition.writing.name[condition.order.step[k]] = NULL;
        writing_complete(&condition.writing);
        const char *text = lines_formula(s, &condition.writing, condition.t->output.at[0].v,
                                         FORMULA_VALUE);
        return text ? lines_keep(s, text_format(&s->scratch, "%s%s%s",
                                                word(s, "while ", "\\mbox{while } "), text, limit))
                    : NULL;
    }
    bool back = r.flags & LOOP_BACKWARDS;
    return lines_keep(s,
                      text_format(&s->scratch, "%s%s%s%s0:%s%s%s", word(s, "for ", "\\mbox{for } "),
                                  index_name(&inner), word(s, " in ", " \\mbox{ in } "),
                                  back ? word(s, "reverse(", "\\operatorname{reverse}(") : "", end,
                                  back ? ")" : "", limit));
}

/* The truth of which a branch's index is made, or 0. */
static value truth_of(const struct trace *t, value index) {
    const struct instr *cast = instr_at(t, index);
    if (cast->op != OP_cast) return 0;
    const struct instr *negation = instr_at(t, args_of(t, cast)[0]);
    return negation->op == OP_not ? args_of(t, negation)[0] : 0;
}

const char *region_formula(struct lines *s, const struct writing *w, const struct path *path,
                           value v) {
    static const struct path top = {.depth = 0};
    const struct instr *i = instr_at(w->t, v);
    const value *x = args_of(w->t, i);
    if (!path) path = &top;
    if (i->op == OP_loop) return loop_heading(s, w, path, v);
    if (i->op == OP_branch) {
        value truth = truth_of(w->t, x[0]);
        const char *of = operand(s, w, truth ? truth : x[0]);
        return of ? lines_keep(s, text_format(&s->scratch, "%s%s",
                                              truth ? word(s, "if ", "\\mbox{if } ")
                                                    : word(s, "case ", "\\mbox{case } "),
                                              of))
                  : NULL;
    }
    const struct instr *from = instr_at(w->t, x[0]);
    struct region r = region_open(w->t, from->op, from->attr);
    size_t k = (size_t)attr_words(w->t, i->attr)[0];
    if (!w->name[x[0]] || k == REGION_COUNT) return lines_formula(s, w, v, FORMULA_DEFINING);
    struct path inner = path_into(path, w, x[0]);
    return k < r.carries ? within(s, 'c', &inner, (int64_t)k + 1)
                         : within(s, 'r', &inner, (int64_t)(k - r.carries) + 1);
}

/* ---- the lines of bodies --------------------------------------------------------------------- */

/* While they are collected. */
struct collecting {
    struct lines *s;
    bool fold;
    VEC(struct inner) row;
    VEC(struct inner_body) body;
};

/* Gives body k of a region a number. */
static bool enter_body(struct collecting *c, value region, size_t k, uint32_t around,
                       struct body *b) {
    b->number = (uint32_t)c->body.count;
    struct inner_body *new = VEC_PUSH(&c->s->t->allocator, &c->body);
    if (new) *new = (struct inner_body){b->t, around, region, k};
    return new != NULL;
}

static bool add_row(struct collecting *c, enum inner_kind kind, const struct body *b,
                    const char *left, const char *right, value v) {
    struct lines *s = c->s;
    bool heading = kind == INNER_HEADING;
    const char *type = heading ? "" : lines_keep(s, type_text(b->t, type_of(b->t, v), &s->scratch));
    struct inner *row = left && type ? VEC_PUSH(&s->t->allocator, &c->row) : NULL;
    if (row)
        *row = (struct inner){.kind = kind,
                              .depth = b->path.depth - heading,
                              .type = type,
                              .equation = {.left = left, .right = right},
                              .body = b->number,
                              .v = v};
    return row && (right || heading);
}

static bool add_bodies(struct collecting *c, const struct writing *w, const struct path *path,
                       value v, uint32_t around);

static bool add_steps(struct collecting *c, const struct body *b) {
    struct lines *s = c->s;
    for (size_t k = 0; k < b->order.step_count; k++) {
        value v = b->order.step[k];
        const char *formula = op_def(instr_at(b->t, v)->op)->class == REGION
                                  ? region_formula(s, &b->writing, &b->path, v)
                                  : lines_formula(s, &b->writing, v, FORMULA_DEFINING);
        if (!formula || !add_row(c, INNER_STEP, b, b->writing.name[v], formula, v)) return false;
        if (is_region(b->t, v) && !add_bodies(c, &b->writing, &b->path, v, b->number + 1))
            return false;
    }
    return true;
}

static bool add_loop(struct collecting *c, const struct writing *w, const struct path *path,
                     value v, uint32_t around) {
    struct lines *s = c->s;
    const struct instr *i = instr_at(w->t, v);
    struct region r = region_open(w->t, i->op, i->attr);
    const value *carry = args_of(w->t, i) + r.lead + r.captures;
    struct body b;
    if (!body_open(s, w, path, v, 0, c->fold, &b) || !enter_body(c, v, 0, around, &b)) return false;
    for (size_t k = 0; k < r.carries; k++) {
        value next = b.t->output.at[k].v, x = b.t->input.at[1 + r.captures + k].v;
        const char *from = operand(s, w, carry[k]), *to = operand(s, &b.writing, next),
                   *text = from;
        if (from && to && next != x)
            text = lines_keep(s, text_format(&s->scratch, "%s%s%s", from,
                                             word(s, ", then ", " \\mbox{, then } "), to));
        if (!to || !text || !add_row(c, INNER_CARRY, &b, b.writing.name[x], text, x)) return false;
    }
    if (!add_steps(c, &b)) return false;
    for (size_t k = 0; k < r.results; k++) {
        value y = b.t->output.at[r.carries + k].v;
        const char *name = within(s, 'r', &b.path, (int64_t)k + 1);
        const char *text = operand(s, &b.writing, y);
        if (name)
            name = lines_keep(s, text_format(&s->scratch, "%s[%s]", name, index_name(&b.path)));
        if (!name || !text || !add_row(c, INNER_RESULT, &b, name, text, y)) return false;
    }
    return true;
}

static bool add_branch(struct collecting *c, const struct writing *w, const struct path *path,
                       value v, uint32_t around) {
    struct lines *s = c->s;
    const struct instr *i = instr_at(w->t, v);
    struct region r = region_open(w->t, i->op, i->attr);
    bool truth = r.bodies == 2 && truth_of(w->t, args_of(w->t, i)[0]);
    for (size_t k = 0; k < r.bodies; k++) {
        struct body b;
        if (!body_open(s, w, path, v, k, c->fold, &b) || !enter_body(c, v, k, around, &b))
            return false;
        if (!truth || k) {
            const char *title = truth ? word(s, "else", "\\mbox{else}")
                                      : lines_keep(s, text_format(&s->scratch,
                                                                  word(s, "%zu:", "%zu:"), k));
            if (!add_row(c, INNER_HEADING, &b, title, NULL, 0)) return false;
        }
        if (!add_steps(c, &b)) return false;
        for (size_t n = 0; n < r.results; n++) {
            value y = b.t->output.at[n].v;
            const char *name = within(s, 'r', &b.path, (int64_t)n + 1);
            const char *text = operand(s, &b.writing, y);
            if (!name || !text || !add_row(c, INNER_RESULT, &b, name, text, y)) return false;
        }
    }
    return true;
}

static bool add_bodies(struct collecting *c, const struct writing *w, const struct path *path,
                       value v, uint32_t around) {
    return instr_at(w->t, v)->op == OP_loop ? add_loop(c, w, path, v, around)
                                            : add_branch(c, w, path, v, around);
}

bool region_lines(struct lines *s, bool fold, struct line *line) {
    static const struct path top = {.depth = 0};
    struct collecting c = {.s = s, .fold = fold};
    bool ok = add_bodies(&c, &s->writing, &top, line->v, 0);
    size_t rows = c.row.count * sizeof *line->inner, bodies = c.body.count * sizeof *line->body;
    line->inner = ok ? arena_alloc(&s->arena, rows + 1, sizeof(void *)) : NULL;
    line->body = ok ? arena_alloc(&s->arena, bodies + 1, sizeof(void *)) : NULL;
    ok = line->inner && line->body;
    if (ok && rows) memcpy(line->inner, c.row.at, rows);
    if (ok && bodies) memcpy(line->body, c.body.at, bodies);
    line->inner_count = ok ? c.row.count : 0;
    VEC_FREE(&s->t->allocator, &c.row);
    VEC_FREE(&s->t->allocator, &c.body);
    return ok;
}
