/* A loop is a map but for what it adds up, if each of its carries is
 *     handed on as it is,
 *     a number to which each iteration adds one: a sum,
 *     an array of numbers to elements of which each iteration adds some, and which it does not read
 *         otherwise: at several places that move by one an iteration, as a stencil's reverse does,
 *         or at one that stands still, or
 *     an array of which each iteration reads and writes but the element that it comes to.
 * The second and third are what can be added up behind it: elements in one loop for each place,
 * which is a loop over vectors. */
#include "transform/addends.h"

#include "op/build.h"
#include "op/element.h"
#include "transform/derive.h"
#include "transform/region.h"

enum { FEW_ADDENDS = 4, FEW_SUMS = 2, MOST_PLACES = 8 };

/* The updates of an array, from the last to the first. */
struct places {
    value update[MOST_PLACES];
    size_t count;
};

/* Whether nobody but one instruction, or output, reads x. */
static bool is_read_once(const struct trace *t, value x, value reader, size_t output) {
    for (value v = 1; v < t->instr.count; v++)
        if (v != reader && reads_value(t, v, x)) return false;
    for (size_t k = 0; k < t->output.count; k++)
        if (k != output && t->output.at[k].v == x) return false;
    return true;
}

/* What is added to the sum that input x is, whose next value is output o; 0 if it is none. */
static value addend_of(const struct trace *t, value x, size_t o) {
    value y = t->output.at[o].v, other = 0;
    const struct instr *add = instr_at(t, y);
    if (type_of(t, x)->rank || add->op != OP_add) return 0;
    for (size_t k = 0; k < 2; k++)
        if (args_of(t, add)[k] == x) other = args_of(t, add)[1 - k];
    if (!other || other == x || !is_read_once(t, x, y, SIZE_MAX) ||
        !is_read_once(t, y, 0, o))
        return 0;
    return other;
}

/* Whether output o is the array that input x is with additions to elements alone. */
static bool find_places(const struct trace *t, value x, size_t o, struct places *p) {
    value y = t->output.at[o].v;
    p->count = 0;
    if (y == x || type_of(t, x)->rank != 1) return false;
    for (value reader = 0; y != x; reader = y, y = args_of(t, instr_at(t, y))[0]) {
        const struct instr *i = instr_at(t, y);
        if (i->op != OP_index_add || p->count == MOST_PLACES ||
            type_of(t, args_of(t, i)[1])->rank > 0 ||
            !is_read_once(t, y, reader, reader ? SIZE_MAX : o))
            return false;
        p->update[p->count++] = y;
    }
    return is_read_once(t, x, p->update[p->count - 1], SIZE_MAX);
}

/* Whether what is added to the array is better added behind the loop. */
static bool are_apart(const struct trace *t, const struct places *p, size_t captures) {
    bool stands = false;
    for (size_t k = 0; k < p->count; k++) {
        enum motion motion = index_motion(t, index_of_update(t, p->update[k]), captures);
        if (motion == MOVES) return false;
        stands = stands || motion == STANDS;
    }
    return stands || p->count > 1;
}

static void list_addend(value addend, value *list, size_t *count) {
    size_t k = 0;
    while (k < *count && list[k] != addend) k++;
    if (k < FEW_ADDENDS + 1) list[k] = addend;
    if (k == *count && k < FEW_ADDENDS + 1) ++*count;
}

/* The addends of all carries that are apart, each once. */
static void list_addends(const struct addends *a, value list[FEW_ADDENDS + 1], size_t *count) {
    const struct trace *t = &a->from->t;
    *count = 0;
    for (size_t k = 0; k < a->carries; k++) {
        value x = t->input.at[1 + a->given + k].v;
        struct places p;
        if (!a->apart[k]) continue;
        if (type_of(t, x)->rank == 0) list_addend(addend_of(t, x, k), list, count);
        else if (find_places(t, x, k, &p))
            for (size_t j = 0; j < p.count; j++)
                list_addend(args_of(t, instr_at(t, p.update[j]))[1], list, count);
    }
}

/* The body without those carries. */
static wg_program *rest_of(const struct addends *a, const value *list, wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, a->from, error)) {
        const struct trace *t = d.from;
        for (size_t i = 0; i < t->input.count; i++) {
            size_t k = i - 1 - a->given;
            if (i <= a->given || k >= a->carries || !a->apart[k]) derive_input(&d, i);
        }
        for (value v = 1; v < t->instr.count && !d.g->error.status; v++) {
            bool there = instr_at(t, v)->op != OP_input;
            for (size_t k = 0; k < instr_at(t, v)->narg; k++)
                there = there && d.map[args_of(t, instr_at(t, v))[k]];
            if (there) d.map[v] = graph_import(d.g, t, v, d.size_map, d.map);
        }
        d.g->site = 0;
        for (size_t k = 0; k < t->output.count && !d.g->error.status; k++)
            if (k >= a->carries || !a->apart[k])
                graph_output(d.g, from_output_name(&d, k), d.map[t->output.at[k].v]);
        for (size_t k = 0; k < a->results && !d.g->error.status; k++) {
            const char *name = derive_name(&d, true, "%a", "addend", "");
            if (name) graph_output(d.g, name, d.map[list[k]]);
        }
    }
    return derive_finish(&d);
}

/* Says which carries are apart. False if one is neither that nor part of a map. */
static bool find_apart(struct addends *a, bool within) {
    const struct trace *t = &a->from->t;
    for (value v = 1; v < t->instr.count; v++)
        if (op_def(instr_at(t, v)->op)->class == REGION) return false;
    for (size_t k = 0; k < a->carries; k++) {
        value x = t->input.at[1 + a->given + k].v;
        struct places places;
        if (t->output.at[k].v == x) continue;
        a->apart[k] = addend_of(t, x, k) || (within && find_places(t, x, k, &places) &&
                                             are_apart(t, &places, a->given));
        if (!a->apart[k] && !(within && is_own_element(t, x, t->output.at[k].v, a->given)))
            return false;
    }
    return true;
}

bool find_addends(const wg_program *p, size_t captures, size_t carries, bool within,
                  struct addends *a, wg_error *error) {
    value list[FEW_ADDENDS + 1];
    size_t few = within ? FEW_ADDENDS : FEW_SUMS;
    *a = (struct addends){.from = p, .given = captures, .carries = carries};
    bool good = find_apart(a, within);
    if (good) list_addends(a, list, &a->results);
    if (good && a->results > 0 && a->results <= few) a->body = rest_of(a, list, error);
    if (a->body) return true;
    *a = (struct addends){.from = p};
    return false;
}

/* i, captures, the array, the addend (in front of the array where the place stands still) -> the
 * array with it. */
static wg_program *adding(const struct addends *a, value update, size_t carry, bool stands,
                          wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, a->from, error)) {
        const struct trace *t = d.from;
        const value *x = args_of(t, instr_at(t, update));
        wg_type number = *type_of(t, x[1]);
        value addend = 0;
        for (size_t i = 0; i <= a->given; i++) derive_input(&d, i);
        if (stands) addend = graph_input(d.g, derive_name(&d, false, "addend", "", ""), &number);
        value array = derive_input(&d, 1 + a->given + carry);
        if (!stands) addend = graph_input(d.g, derive_name(&d, false, "addend", "", ""), &number);
        for (value v = 1; v <= x[2] && !d.g->error.status; v++) {
            bool there = instr_at(t, v)->op != OP_input;
            for (size_t k = 0; k < instr_at(t, v)->narg; k++)
                there = there && d.map[args_of(t, instr_at(t, v))[k]];
            if (there && !dtype_is_float(type_of(t, v)->dtype))
                d.map[v] = graph_import(d.g, t, v, d.size_map, d.map);
        }
        graph_take_site(d.g, t, instr_at(t, update)->site);
        d.g->flags = instr_at(t, update)->flags;
        value y = build_index_add(d.g, array, addend, d.map[x[2]], 0, 0);
        d.g->flags = 0;
        d.g->site = 0;
        if (y) graph_output(d.g, "array", y);
    }
    return derive_finish(&d);
}

static value at_place(wg_graph *g, const struct addends *a, value update, size_t carry,
                      value array, const struct region_parts *loop, value addend) {
    const struct trace *t = &a->from->t;
    bool stands = index_motion(t, index_of_update(t, update), a->given) == STANDS;
    bool read[2 * REGION_OPERANDS] = {[0] = true};
    value capture[2 * REGION_OPERANDS];
    wg_error error = {0};
    size_t captures = a->given;
    memcpy(capture, loop->capture, captures * sizeof *capture);
    if (stands) capture[captures++] = build_sum(g, addend, 1);
    wg_program *all = adding(a, update, carry, stands, &error), *body = NULL;
    if (all) {
        inputs_read(&all->t, read);
        body = only_read(all, read, &error);
    }
    struct region_parts parts = {
        .body = body, .sizes = loop->sizes, .length = loop->length, .lead = loop->lead,
        .capture = capture, .captures = keep_read(capture, captures, read + 1),
        .carry = &array, .carries = 1, .stack = &addend, .stacks = !stands};
    if (stands) { /* once, if the loop runs at all: else the place may be none */
        value one = build_number(g, WG_I64, 1);
        parts.lead = loop->lead ? build_binary(g, OP_min, loop->lead, one) : one;
    }
    fail_as(&g->error, &error);
    value result = g->error.status ? 0 : build_region(g, OP_loop, &parts);
    wg_program_free(all);
    wg_program_free(body);
    return build_item(g, result, 0);
}

value add_addends(wg_graph *g, const struct addends *a, size_t k, value begin, value like,
                  const struct region_parts *parts, const value *addend) {
    const struct trace *t = &a->from->t;
    value x = t->input.at[1 + a->given + k].v, list[FEW_ADDENDS + 1];
    size_t count, at = 0;
    struct places p;
    list_addends(a, list, &count);
    if (type_of(t, x)->rank == 0) {
        while (list[at] != addend_of(t, x, k)) at++;
        value sum = build_sum(g, addend[at], 1);
        return begin ? build_add(g, begin, sum) : sum;
    }
    if (!find_places(t, x, k, &p)) return 0;
    value array = begin ? begin : build_like(g, like, 0);
    for (size_t j = p.count; j-- > 0 && !g->error.status;) { /* as the body does */
        for (at = 0; list[at] != args_of(t, instr_at(t, p.update[j]))[1];) at++;
        array = at_place(g, a, p.update[j], k, array, parts, addend[at]);
    }
    return array;
}
