/* Loops that read some operand across its rows, as a transpose is read: each iteration of the
 * innermost loop would take another line from memory, and all but one element of it would be read
 * when it has left the cache. So a part of both loops is done at a time: WG_ACROSS iterations of
 * the innermost one, and of the one that goes along rows as many as make a long piece of a row.
 * An operand's part is copied row by row and read from there, while memory is asked for what the
 * next part reads and writes. What is left over behind the last whole part is done as it would be
 * without. */
#include "native/writer.h"

enum {
    ACROSS = 16,         /* WG_ACROSS */
    PIECE = 512,         /* bytes of a row at a time: long enough for memory to be fast */
    LINE = 64,           /* bytes that memory hands over together */
    LEAST = 8,           /* elements in a row that are worth it */
    MANY = 64 * 64       /* fewer elements stay in the nearest cache in any order */
};

/* ---- questions ------------------------------------------------------------------------------- */

/* The iterations of a loop if they are constant, else INT64_MAX. */
static int64_t most_trips(const struct writer *w, const struct site_of_use *at, size_t k) {
    int64_t trips = 1;
    for (size_t axis = at->plan->loop[k].first; axis <= at->plan->loop[k].last; axis++) {
        wg_extent extent = domain_extent(w, at->pass, axis);
        if (extent < 0 || mul_overflows(trips, extent, &trips)) return INT64_MAX;
    }
    return trips;
}

static wg_extent stride_in(const struct access *a, const struct plan *plan, size_t k) {
    return a->stride[plan->loop[k].last];
}

/* The loop that goes along the rows of an operand which the innermost one goes across; the
 * innermost one if there is none, or nothing to gain. */
static size_t loop_along(struct writer *w, const struct access *a, const struct site_of_use *at) {
    const struct plan *plan = at->plan;
    size_t last = plan->count - 1;
    wg_extent stride = stride_in(a, plan, last);
    if (stride == 0 || stride == 1 || is_row_buffer(w, a->root) || !is_read_in_memory(w, a, at))
        return last;
    int64_t inner = most_trips(w, at, last), elements;
    for (size_t k = 0; k < last; k++) {
        int64_t outer = most_trips(w, at, k);
        if (stride_in(a, plan, k) == 1 && inner >= ACROSS && outer >= LEAST &&
            (mul_overflows(inner, outer, &elements) || elements >= MANY))
            return k;
    }
    return last;
}

static bool is_same(const struct access *a, const struct access *b) {
    bool same = a->root == b->root && a->base == b->base;
    for (size_t k = 0; k < COUNT_OF(a->stride); k++) same = same && a->stride[k] == b->stride[k];
    return same;
}

/* 1 + the number of the operand among those that are copied; 0: it is none. */
static size_t number_of(const struct turned *turned, const struct access *a) {
    size_t k = 0;
    while (k < turned->count && !is_same(turned->operand[k], a)) k++;
    return k == turned->count ? 0 : k + 1;
}

struct turned find_turned(struct writer *w, const struct site_of_use *at) {
    const struct lowered *l = w->l;
    struct turned turned = {0};
    size_t size = 1;
    if (at->plan->count < 2) return turned;
    for (value v = l->passes.at[at->pass].first; v; v = l->next[v]) {
        unsigned op = instr_at(w->t, v)->op;
        if (l->role[v] != ROLE_POINT || op == OP_dot || op == OP_take || op == OP_scatter_add)
            continue;
        for (size_t k = 0; k < access_count(l, v) && turned.count < MOST_TURNED; k++) {
            const struct access *a = &l->access.at[l->access_at[v] + k];
            size_t along = loop_along(w, a, at);
            if (along + 1 == at->plan->count || number_of(&turned, a) ||
                (turned.count && along != turned.along))
                continue;
            turned.along = along;
            turned.operand[turned.count++] = a;
            size_t bytes = wg_dtype_size((wg_dtype)dtype_of(w, a->root));
            if (bytes > size) size = bytes;
        }
    }
    turned.wide = PIECE / size;
    return turned;
}

/* ---- writing --------------------------------------------------------------------------------- */

struct part { /* of two loops, and their axes: the outer one goes along rows, the innermost across */
    const struct turned *turned;
    const struct site_of_use *at;
    size_t along, across;
};

static struct part loops_of(const struct turned *turned, const struct site_of_use *at) {
    const struct plan *plan = at->plan;
    return (struct part){turned, at, plan->loop[turned->along].last,
                         plan->loop[plan->count - 1].last};
}

bool add_turned_operand(struct writer *w, const struct access *a, const struct site_of_use *at) {
    size_t number = w->turned ? number_of(w->turned, a) : 0;
    if (!number) return false;
    struct part p = loops_of(w->turned, at);
    ADD(w, "w%zu[%zu * (i%zu - t%zu) + i%zu - t%zu]", number - 1, w->turned->wide, p.across,
        p.across, p.along, p.along);
    return true;
}

static void add_end_along(struct writer *w, const struct part *p) {
    if (p->at->plan->pieces && p->turned->along == 0) add(w, "end");
    else add_trips(w, p->at->pass, p->at->plan, p->turned->along);
}

static void add_end_across(struct writer *w, const struct part *p) {
    add_trips(w, p->at->pass, p->at->plan, p->at->plan->count - 1);
}

static size_t elements_of_line(const struct writer *w, value root) {
    return LINE / wg_dtype_size((wg_dtype)dtype_of(w, root));
}

static void copy_operand(struct writer *w, const struct part *p, size_t number, int depth) {
    const struct access *a = p->turned->operand[number];
    wg_extent stride = stride_in(a, p->at->plan, p->at->plan->count - 1);
    indent(w, depth);
    add(w, "for (int64_t row = 0; row < WG_ACROSS; row++) {\n");
    indent(w, depth + 1);
    ADD(w, "const int64_t i%zu = t%zu, i%zu = t%zu + row;\n", p->along, p->along, p->across,
        p->across);
    indent(w, depth + 1);
    ADD(w, "const %s *const from = ", type_text_of[dtype_of(w, a->root)]);
    add_memory(w, a->root);
    add(w, " + ");
    add_index(w, a, p->at);
    add(w, ";\n");
    indent(w, depth + 1);
    ADD(w, "for (int64_t each = 0; each < wide; each += %zu) WG_SOON(from + ",
        elements_of_line(w, a->root));
    add_extent(w, &w->l->extents->t, stride, true);
    add(w, " * next + each);\n");
    indent(w, depth + 1);
    add(w, "for (int64_t each = 0; each < wide; each++) ");
    ADD(w, "w%zu[%zu * row + each] = from[each];\n", number, p->turned->wide);
    close_loops(w, depth + 1, depth);
}

static void copy_operands(struct writer *w, const struct part *p, int depth) {
    indent(w, depth);
    ADD(w, "const int64_t next = t%zu + 2 * WG_ACROSS <= ", p->across);
    add_end_across(w, p);
    add(w, " ? WG_ACROSS : 0;\n");
    for (size_t k = 0; k < p->turned->count; k++) {
        indent(w, depth);
        ADD(w, "%s w%zu[%zu * WG_ACROSS];\n",
            type_text_of[dtype_of(w, p->turned->operand[k]->root)], k, p->turned->wide);
    }
    for (size_t k = 0; k < p->turned->count && w->ok; k++) copy_operand(w, p, k, depth);
}

/* What the next part writes: the places of stored values, where the innermost loop begins there. */
static void ask_for_places(struct writer *w, const struct part *p, int depth) {
    const struct lowered *l = w->l;
    for (value v = l->passes.at[p->at->pass].first; v && w->ok; v = l->next[v]) {
        if (l->role[v] != ROLE_POINT || l->storage[v] != STORE_FULL ||
            w->w->homes->table[v] == NO_HOME)
            continue;
        for (size_t k = 0; k < ACROSS; k += elements_of_line(w, v)) {
            indent(w, depth);
            ADD(w, "WG_SOON_WRITTEN(&");
            add_place(w, v, p->at);
            ADD(w, " + %zu);\n", k);
        }
    }
}

/* Both loops from the part's corner on, and their body. */
static void add_iterations(struct writer *w, const struct part *p, bool whole, int depth) {
    indent(w, depth);
    ADD(w, "for (int64_t i%zu = t%zu; i%zu < t%zu + wide; i%zu++) {\n", p->along, p->along,
        p->along, p->along, p->along);
    if (whole) {
        indent(w, depth + 1);
        add(w, "{\n");
        indent(w, depth + 2);
        ADD(w, "const int64_t i%zu = t%zu + next;\n", p->across, p->across);
        ask_for_places(w, p, depth + 2);
        close_loops(w, depth + 2, depth + 1);
    }
    load_factors(w, p->at, depth + 1);
    indent(w, depth + 1);
    add(w, "WG_INDEPENDENT\n");
    indent(w, depth + 1);
    ADD(w, "for (int64_t i%zu = t%zu; i%zu < ", p->across, p->across, p->across);
    if (whole) ADD(w, "t%zu + WG_ACROSS", p->across);
    else add_end_across(w, p);
    ADD(w, "; i%zu++) {\n", p->across);
    add_body(w, p->at, depth + 2);
    close_loops(w, depth + 2, depth);
}

static void add_parts(struct writer *w, const struct part *p, int depth) {
    indent(w, depth);
    ADD(w, "int64_t t%zu = 0;\n", p->across);
    indent(w, depth);
    ADD(w, "for (; t%zu + WG_ACROSS <= ", p->across);
    add_end_across(w, p);
    ADD(w, "; t%zu += WG_ACROSS) {\n", p->across);
    copy_operands(w, p, depth + 1);
    w->turned = p->turned;
    add_iterations(w, p, true, depth + 1);
    w->turned = NULL;
    close_loops(w, depth + 1, depth);
    add_iterations(w, p, false, depth);
}

void add_turned(struct writer *w, const struct turned *turned, const struct site_of_use *at,
                int depth) {
    const struct plan *plan = at->plan;
    struct part p = loops_of(turned, at);
    int inside = depth;
    for (size_t k = 0; k + 1 < plan->count; k++) {
        if (k != turned->along) {
            open_loop(w, at->pass, plan, k, inside++, false);
            continue;
        }
        indent(w, inside++);
        ADD(w, "for (int64_t t%zu = %s; t%zu < ", p.along, plan->pieces && k == 0 ? "piece" : "0",
            p.along);
        add_end_along(w, &p);
        ADD(w, "; t%zu += %zu) {\n", p.along, turned->wide);
        indent(w, inside);
        add(w, "const int64_t rest = ");
        add_end_along(w, &p);
        ADD(w, " - t%zu, wide = rest < %zu ? rest : %zu;\n", p.along, turned->wide, turned->wide);
    }
    add_parts(w, &p, inside);
    close_loops(w, inside, depth);
}
