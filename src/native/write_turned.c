/* Loops that read some operand across its rows, as a transpose is read: each iteration of the
 * innermost loop would take another line from memory, and all but one element of it would be read
 * when it has left the cache. So a part of both loops is done at a time: WG_ACROSS iterations of
 * the innermost one, and of the one that goes along rows as many as make a long piece of a row.
 * An operand's part is copied row by row and read from there, while memory is asked for what the
 * next part reads and writes. What is left over behind the last whole part is done as it would be
 * without. */
#include "native/writer.h"

#include <stdio.h>

enum {
    ACROSS = 16,     /* WG_ACROSS of runtime.h */
    PIECE = 512,     /* bytes of a row at a time: long enough for memory to be fast */
    LINE = 64,       /* bytes that memory hands over together */
    LEAST = 8,       /* elements in a row that are worth it */
    MANY = 64 * 64,  /* fewer elements stay in the nearest cache in any order */
    MANY_ROWS = 256, /* up to which arithmetic is faster in vectors, with its rows in the cache */
    STATEMENTS = 64  /* more are not written twice */
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

static size_t size_of(const struct writer *w, value root) {
    return wg_dtype_size((wg_dtype)dtype_of(w, root));
}

static wg_extent stride_in(const struct access *a, const struct plan *plan, size_t k) {
    return a->stride[plan->loop[k].last];
}

/* Whether the innermost loop goes across rows of an operand that lie in lines of their own. */
static bool is_read_across(const struct writer *w, const struct access *a,
                           const struct site_of_use *at) {
    wg_extent stride = stride_in(a, at->plan, at->plan->count - 1);
    bool near = stride >= 0 && stride < LINE / (wg_extent)size_of(w, a->root);
    return !near && !is_row_buffer(w, a->root) && is_read_in_memory(w, a, at);
}

/* Finds the loop that goes along the rows of such an operand; false where there is none, or nothing
 * to gain. */
static bool find_along(const struct writer *w, const struct access *a, const struct site_of_use *at,
                       size_t *along) {
    size_t last = at->plan->count - 1;
    int64_t inner = most_trips(w, at, last), elements;
    if (inner < ACROSS || !is_read_across(w, a, at)) return false;
    for (*along = 0; *along < last; ++*along) {
        int64_t outer = most_trips(w, at, *along);
        if (stride_in(a, at->plan, *along) == 1 && outer >= LEAST &&
            (mul_overflows(inner, outer, &elements) || elements >= MANY))
            return true;
    }
    return false;
}

static bool is_same(const struct access *a, const struct access *b) {
    bool same = a->root == b->root && a->base == b->base;
    for (size_t k = 0; k < COUNT_OF(a->stride); k++) same = same && a->stride[k] == b->stride[k];
    return same;
}

/* Whether it is one of the operands that are copied; then also which. */
static bool is_copied(const struct turned *turned, const struct access *a, size_t *number) {
    for (*number = 0; *number < turned->count; ++*number)
        if (is_same(turned->operand[*number], a)) return true;
    return false;
}

/* Whether a statement takes so long that it should be vector code. */
static bool is_slow(const struct writer *w, value v) {
    const struct instr *i = instr_at(w->t, v);
    if (w->l->role[v] != ROLE_POINT || i->narg == 0) return false;
    unsigned dtype = type_of(w->t, args_of(w->t, i)[0])->dtype;
    const char *formula = formula_of(i->op, dtype);
    return formula && (calls_function(i->op, dtype) || strchr(formula, '/') ||
                       strstr(formula, "sqrt"));
}

static bool only_moves(const struct writer *w, value v) {
    switch (instr_at(w->t, v)->op) {
    case OP_reshape:
    case OP_copy:
    case OP_stop_gradient:
    case OP_broadcast:
    case OP_transpose:
    case OP_slice: return true;
    default: return w->l->role[v] != ROLE_POINT;
    }
}

/* Reads by index, and what is written out as several products, are left as they are. */
static bool has_plain_operands(const struct writer *w, value v) {
    unsigned op = instr_at(w->t, v)->op;
    return w->l->role[v] == ROLE_POINT && op != OP_dot && op != OP_take && op != OP_scatter_add;
}

struct turned find_turned(struct writer *w, const struct site_of_use *at) {
    const struct lowered *l = w->l;
    struct turned turned = {0};
    size_t largest = 1, statements = 0, along, number;
    bool moves = true;
    for (value v = l->passes.at[at->pass].first; v && at->plan->count > 1; v = l->next[v]) {
        if (++statements > STATEMENTS) return (struct turned){0};
        turned.slow |= is_slow(w, v);
        moves &= only_moves(w, v);
        for (size_t k = 0; has_plain_operands(w, v) && k < access_count(l, v); k++) {
            const struct access *a = &l->access.at[l->access_at[v] + k];
            if (turned.count == MOST_TURNED || is_copied(&turned, a, &number) ||
                !find_along(w, a, at, &along) || (turned.count && along != turned.along))
                continue;
            turned.along = along;
            turned.operand[turned.count++] = a;
            if (size_of(w, a->root) > largest) largest = size_of(w, a->root);
        }
    }
    turned.wide = PIECE / largest;
    turned.least = moves || turned.slow ? ACROSS : MANY_ROWS;
    if (turned.count && most_trips(w, at, at->plan->count - 1) < turned.least) turned.count = 0;
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

/* The copy has the order of memory; where the loop should be vector code that of the loop, which
 * then reads what lies side by side. Copying in that order takes longer. Without it the compiler
 * writes out a loop of constant length, and does best with places that it knows. */
static void add_place_in_copy(struct writer *w, const struct turned *turned, const char *along,
                              const char *across) {
    if (turned->slow) ADD(w, "WG_ACROSS * %s + %s", along, across);
    else ADD(w, "%zu * %s + %s", turned->wide, across, along);
}

bool add_turned_operand(struct writer *w, const struct access *a, const struct site_of_use *at) {
    char along[48], across[48];
    size_t number;
    if (!w->turned || !is_copied(w->turned, a, &number)) return false;
    struct part p = loops_of(w->turned, at);
    snprintf(along, sizeof along, "(i%zu - t%zu)", p.along, p.along);
    snprintf(across, sizeof across, "(i%zu - t%zu)", p.across, p.across);
    ADD(w, "w%zu[", number);
    add_place_in_copy(w, w->turned, along, across);
    add(w, "]");
    return true;
}

static void add_end_along(struct writer *w, const struct part *p) {
    if (p->at->plan->pieces && p->turned->along == 0) add(w, "end");
    else add_trips(w, p->at->pass, p->at->plan, p->turned->along);
}

static void add_end_across(struct writer *w, const struct part *p) {
    add_trips(w, p->at->pass, p->at->plan, p->at->plan->count - 1);
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
        LINE / size_of(w, a->root));
    add_extent(w, &w->l->extents->t, stride, true);
    add(w, " * next + each);\n");
    indent(w, depth + 1);
    ADD(w, "for (int64_t each = 0; each < wide; each++) w%zu[", number);
    add_place_in_copy(w, p->turned, "each", "row");
    add(w, "] = from[each];\n");
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

/* Where the next part writes a value. */
static void ask_for_place(struct writer *w, const struct part *p, value v, int depth) {
    indent(w, depth);
    add(w, "{\n");
    indent(w, depth + 1);
    ADD(w, "const int64_t i%zu = t%zu + next;\n", p->across, p->across);
    for (size_t k = 0; k < ACROSS; k += LINE / size_of(w, v)) {
        indent(w, depth + 1);
        add(w, "WG_SOON_WRITTEN(&");
        add_place(w, v, p->at);
        ADD(w, " + %zu);\n", k);
    }
    close_loops(w, depth + 1, depth);
}

static void ask_for_places(struct writer *w, const struct part *p, int depth) {
    const struct lowered *l = w->l;
    for (value v = l->passes.at[p->at->pass].first; v && w->ok; v = l->next[v])
        if (l->role[v] == ROLE_POINT && l->storage[v] == STORE_FULL &&
            w->w->homes->table[v] != NO_HOME)
            ask_for_place(w, p, v, depth);
}

/* Both loops from the part's corner on, and their body. */
static void add_iterations(struct writer *w, const struct part *p, bool whole, int depth) {
    indent(w, depth);
    ADD(w, "for (int64_t i%zu = t%zu; i%zu < t%zu + wide; i%zu++) {\n", p->along, p->along,
        p->along, p->along, p->along);
    if (whole) ask_for_places(w, p, depth + 1);
    load_factors(w, p->at, depth + 1);
    indent(w, depth + 1);
    add(w, whole && p->turned->slow ? "WG_LANE_LOOP\n" : "WG_INDEPENDENT\n");
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
    add(w, "for (; ");
    if (p->turned->least > ACROSS) {
        add_end_across(w, p);
        ADD(w, " >= %lld && ", (long long)p->turned->least);
    }
    ADD(w, "t%zu + WG_ACROSS <= ", p->across);
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
