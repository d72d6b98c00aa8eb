/* Loops and branches in the making (wengert/loop.h). Their bodies are instructions of the graph
 * itself, on variables that stand for the index, carries and slices; when a loop or branch is
 * complete, what depends on them (of a branch: what is new) is taken over into a program of its
 * own, with an input for each value from outside that it reads, and the region is appended. What
 * was taken over is dead from then on. So values from outside need no word, nested loops are taken
 * over with the rest, and what does not vary stays outside. */
#include "op/build.h"
#include "op/describe.h"
#include "op/face.h"
#include "op/region.h"
#include "wengert/loop.h"

#include <stdio.h>

struct variable { /* of a loop: the index, a carry, a slice */
    value v;
    value from; /* a carry's beginning, a slice's stack */
    value next; /* a carry's */
};

struct wg_loop {
    wg_graph *g;
    wg_extent length;
    int64_t flags, snapshots;
    bool broadcasts; /* are the body's own, where they do not vary too */
    value begin;  /* the first instruction behind its beginning */
    value around; /* the same of the loop that this one is in; 0: none */
    value index, count, condition;
    VEC(struct variable) carry, slice;
    VEC(value) collected;
};

struct wg_branch {
    wg_graph *g;
    value begin, of_this; /* where it begins, and the case that is being built */
    value choice;
    size_t results, kept;
    VEC(wg_program *) body;
    VEC(value) captured; /* by any case */
    span_vec of_case; /* which of these each case captured, in the order of its inputs */
};

/* ---- taking over ----------------------------------------------------------------------------- */

struct taking {
    wg_graph *g;
    uint8_t *state; /* of each value of g */
    size_t count;
    VEC(value) captured;
};

enum { VARIES = 1, NEEDED = 2, CAPTURED = 4, SAME = 8, APART = 16, OWN = 32 };

static bool open_taking(struct taking *t, wg_graph *g) {
    *t = (struct taking){.g = g, .count = g->t.instr.count};
    t->state = mem_alloc_zero(&g->t.allocator, t->count);
    return t->state || graph_fail_memory(g);
}

static void close_taking(struct taking *t) {
    mem_free(&t->g->t.allocator, t->state, t->count);
    VEC_FREE(&t->g->t.allocator, &t->captured);
}

/* Whether a body makes it itself rather than being given it: a number, or a tensor of one. */
static bool is_plain(const struct trace *t, value v) {
    int64_t bits;
    return value_is_splat(t, v, &bits) || op_def(instr_at(t, v)->op)->class == LEAF;
}

/* An element at an index that is known to be within its axis is there before the loop too. */
static bool is_within(const struct trace *t, const struct instr *i) {
    int64_t index;
    if (i->op != OP_take) return false;
    const value *x = args_of(t, i);
    wg_extent extent = type_of(t, x[0])->extent[attr_words(t, i->attr)[0]];
    return extent >= 0 && value_is_splat(t, x[1], &index) && index >= 0 && index < extent;
}

/* Marks what the outputs need, and captures what they read from outside. */
static bool mark_taken(struct taking *t, const value *out, size_t count) {
    const struct trace *trace = &t->g->t;
    for (size_t k = 0; k < count; k++) t->state[out[k]] |= NEEDED;
    for (value v = (value)t->count; v-- > 1;) {
        const struct instr *i = instr_at(trace, v);
        if (!(t->state[v] & NEEDED)) continue;
        bool plain = is_plain(trace, v) && i->op != OP_input && i->op != OP_variable;
        if (!(t->state[v] & VARIES) && !plain) t->state[v] |= CAPTURED;
        if (t->state[v] & CAPTURED) continue;
        for (size_t k = 0; k < i->narg; k++) t->state[args_of(trace, i)[k]] |= NEEDED;
    }
    for (value v = 1; v < t->count; v++) {
        if (!(t->state[v] & CAPTURED)) continue;
        value *new = VEC_PUSH(&trace->allocator, &t->captured);
        if (!new) return graph_fail_memory(t->g);
        *new = v;
    }
    return true;
}

static value fresh_input(wg_graph *h, const struct taking *t, value v, const char *name,
                         size_t number, const wg_extent *size_map) {
    char text[64];
    const struct instr *i = instr_at(&t->g->t, v);
    const char *known = value_name(&t->g->t, v);
    if (i->op == OP_input)
        known = name_at(&t->g->t, t->g->t.input.at[attr_words(&t->g->t, i->attr)[0]].name);
    snprintf(text, sizeof text, known ? "%.50s" : "%s%zu", known ? known : name, number);
    while (graph_has_port(h, false, text)) snprintf(text, sizeof text, "x%zu", ++number);
    wg_type type = graph_import_type(h, &t->g->t, type_at(&t->g->t, i->type), size_map);
    return graph_input(h, text, &type);
}

/* A program of inputs `in` (values of g; each 0 is an index that nobody reads) and these
 * outputs. */
static wg_program *take_over(struct taking *t, const value *in, size_t inputs, const value *out,
                             size_t outputs) {
    wg_graph *g = t->g, *h = graph_new(&g->t.allocator);
    size_t sizes = g->t.size.count;
    value *map = mem_alloc_zero(&g->t.allocator, t->count * sizeof *map);
    wg_extent *size_map = mem_alloc_zero(&g->t.allocator, (sizes + 1) * sizeof *size_map);
    if (h && map && size_map) {
        const wg_type integer = {.dtype = WG_I64};
        for (size_t i = 0; i < sizes; i++)
            size_map[i] = extent_size(h, graph_size(h, name_at(&g->t, g->t.size.at[i])));
        for (size_t k = 0; k < inputs; k++) {
            if (in[k]) map[in[k]] = fresh_input(h, t, in[k], "x", k, size_map);
            else graph_input(h, "i", &integer);
        }
        for (value v = 1; v < t->count && !h->error.status; v++)
            if (t->state[v] & NEEDED && !map[v]) map[v] = graph_import(h, &g->t, v, size_map, map);
        h->site = 0;
        for (size_t k = 0; k < outputs && !h->error.status; k++) {
            char name[32];
            snprintf(name, sizeof name, "y%zu", k + 1);
            graph_output(h, name, map[out[k]]);
        }
    } else {
        graph_fail_memory(g);
    }
    mem_free(&g->t.allocator, map, map ? t->count * sizeof *map : 0);
    mem_free(&g->t.allocator, size_map, size_map ? (sizes + 1) * sizeof *size_map : 0);
    wg_error error = {0};
    if (g->error.status) return wg_graph_free(h), NULL;
    wg_program *p = graph_build(h, &error);
    fail_as(&g->error, &error);
    return p;
}

/* The graph's sizes, which are all bodies', n times over. */
static wg_extent *list_sizes(wg_graph *g, size_t times, size_t *bytes) {
    size_t sizes = g->t.size.count;
    *bytes = (sizes * times + 1) * sizeof(wg_extent);
    wg_extent *list = mem_alloc_zero(&g->t.allocator, *bytes);
    if (!list) return fail_memory(&g->error), NULL;
    for (size_t k = 0; k < times * sizes; k++) list[k] = extent_size(g, (uint32_t)(k % sizes));
    return list;
}

/* ---- loops ----------------------------------------------------------------------------------- */

static bool enter_loop(const char *file, int line, wg_loop *loop) {
    return loop && face_begin(loop->g, file, line);
}

/* A variable of this type, which is never the same as another. */
static value variable(wg_loop *loop, const wg_type *type) {
    wg_graph *g = loop->g;
    attr_id attr = graph_attr(g, (int64_t[]){(int64_t)g->t.instr.count}, 1);
    type_id id = type_intern(g, type);
    return id ? graph_append(g, OP_variable, id, attr, NULL, 0) : 0;
}

wg_loop *wg_loop_begin_at(const char *file, int line, wg_graph *g, wg_extent length) {
    if (!face_begin(g, file, line) || !face_extent(g, "loop", length)) return NULL;
    if (g->eager) {
        graph_fail(g, WG_EARGUMENT, "loop: an eager graph is built by loops of C");
        return NULL;
    }
    wg_loop *loop = mem_alloc_zero(&g->t.allocator, sizeof *loop);
    if (!loop) return fail_memory(&g->error), NULL;
    *loop = (wg_loop){.g = g, .length = length, .begin = (value)g->t.instr.count,
                      .around = g->loop_begin};
    g->loop_begin = loop->begin;
    return loop;
}

void wg_loop_count_at(const char *file, int line, wg_loop *loop, wg_var count) {
    if (enter_loop(file, line, loop) && face_var(loop->g, "loop_count", count))
        loop->count = count.id;
}

void wg_loop_backwards(wg_loop *loop) {
    if (loop) loop->flags |= LOOP_BACKWARDS;
}

void loop_broadcasts_within(wg_loop *loop) {
    if (loop) loop->broadcasts = true;
}

void loop_sets_flags(wg_loop *loop, int64_t flags) {
    if (loop) loop->flags |= flags;
}

void wg_loop_checkpoints_at(const char *file, int line, wg_loop *loop, int64_t snapshots) {
    if (!enter_loop(file, line, loop)) return;
    if (snapshots < 0 || snapshots > INT16_MAX)
        graph_fail(loop->g, WG_EARGUMENT, "loop_checkpoints: %lld snapshots; 1 to %d are possible",
                   (long long)snapshots, INT16_MAX);
    loop->snapshots = snapshots;
}

wg_var wg_loop_index_at(const char *file, int line, wg_loop *loop) {
    const wg_type integer = {.dtype = WG_I64};
    if (!enter_loop(file, line, loop)) return (wg_var){loop ? loop->g : NULL, 0};
    if (!loop->index) loop->index = variable(loop, &integer);
    return (wg_var){loop->g, loop->index};
}

wg_var wg_loop_carry_at(const char *file, int line, wg_loop *loop, wg_var begin) {
    if (!enter_loop(file, line, loop) || !face_var(loop->g, "loop_carry", begin))
        return (wg_var){begin.graph, 0};
    wg_graph *g = loop->g;
    wg_type type = *type_of(&g->t, begin.id);
    value v = variable(loop, &type);
    struct variable *new = VEC_PUSH(&g->t.allocator, &loop->carry);
    if (!new) return fail_memory(&g->error), (wg_var){g, 0};
    *new = (struct variable){v, begin.id, v};
    return (wg_var){g, v};
}

wg_var wg_loop_slice_at(const char *file, int line, wg_loop *loop, wg_var stack) {
    if (!enter_loop(file, line, loop) || !face_var(loop->g, "loop_slice", stack))
        return (wg_var){stack.graph, 0};
    wg_graph *g = loop->g;
    wg_type type = *type_of(&g->t, stack.id);
    if (type.rank == 0 || type.extent[0] != loop->length) {
        graph_fail(g, WG_ESHAPE, "loop_slice: %s has no %s slices along its first axis",
                   type_name(g, stack.id).text, extent_name(g, loop->length).text);
        graph_fail_operands(g, &stack.id, 1);
        return (wg_var){g, 0};
    }
    for (size_t k = 0; k < loop->slice.count; k++)
        if (loop->slice.at[k].from == stack.id) return (wg_var){g, loop->slice.at[k].v};
    type = type_without(&type, 1);
    value v = variable(loop, &type);
    struct variable *new = VEC_PUSH(&g->t.allocator, &loop->slice);
    if (!new) return fail_memory(&g->error), (wg_var){g, 0};
    *new = (struct variable){v, stack.id, 0};
    return (wg_var){g, v};
}

void wg_loop_next_at(const char *file, int line, wg_loop *loop, wg_var carry, wg_var next) {
    if (!enter_loop(file, line, loop) || !face_var(loop->g, "loop_next", carry) ||
        !face_var(loop->g, "loop_next", next))
        return;
    wg_graph *g = loop->g;
    for (size_t k = 0; k < loop->carry.count; k++) {
        struct variable *c = &loop->carry.at[k];
        if (c->v != carry.id) continue;
        if (instr_at(&g->t, next.id)->type != instr_at(&g->t, c->v)->type) {
            graph_fail(g, type_of(&g->t, next.id)->dtype == type_of(&g->t, c->v)->dtype
                              ? WG_ESHAPE : WG_EDTYPE,
                       "loop_next: a carry of type %s cannot be %s in the next iteration",
                       type_name(g, c->v).text, type_name(g, next.id).text);
            graph_fail_operands(g, &next.id, 1);
            return;
        }
        c->next = next.id;
        return;
    }
    graph_fail(g, WG_EARGUMENT, "loop_next: this is no carry of the loop");
}

void wg_loop_while_at(const char *file, int line, wg_loop *loop, wg_var condition) {
    if (!enter_loop(file, line, loop) || !face_var(loop->g, "loop_while", condition)) return;
    const wg_type *type = type_of(&loop->g->t, condition.id);
    if (loop->condition || loop->flags & LOOP_BACKWARDS || type->rank || type->dtype != WG_BOOL)
        graph_fail(loop->g, WG_EARGUMENT,
                   loop->condition                ? "loop_while: there is a condition already"
                   : loop->flags & LOOP_BACKWARDS ? "loop_while: the loop runs backwards"
                                                  : "loop_while: the condition is %s, not bool[]",
                   type_name(loop->g, condition.id).text);
    loop->condition = condition.id;
}

void wg_loop_collect_at(const char *file, int line, wg_loop *loop, wg_var y) {
    if (!enter_loop(file, line, loop) || !face_var(loop->g, "loop_collect", y)) return;
    value *new = VEC_PUSH(&loop->g->t.allocator, &loop->collected);
    if (new) *new = y.id;
    else fail_memory(&loop->g->error);
}

static void loop_free(wg_loop *loop) {
    wg_allocator a = loop->g->t.allocator;
    VEC_FREE(&a, &loop->carry);
    VEC_FREE(&a, &loop->slice);
    VEC_FREE(&a, &loop->collected);
    mem_free(&a, loop, sizeof *loop);
}

/* The inputs of the body, or of the condition, which has no slices: index, captured, carries. */
static size_t loop_inputs(const wg_loop *loop, const value *captured, size_t captures, bool slices,
                          value *in) {
    size_t n = 0;
    in[n++] = loop->index;
    for (size_t k = 0; k < captures; k++) in[n++] = captured[k];
    for (size_t k = 0; k < loop->carry.count; k++) in[n++] = loop->carry.at[k].v;
    for (size_t k = 0; slices && k < loop->slice.count; k++) in[n++] = loop->slice.at[k].v;
    return n;
}

/* Whether there may be no iteration: then no error of one may come from before the loop. */
static bool may_not_run(const wg_loop *loop) {
    return loop->length <= 0 || loop->count || loop->condition;
}

static bool can_fail(const struct trace *t, const struct instr *i) {
    return (op_def(i->op)->check && !is_within(t, i)) || i->op == OP_external ||
           i->op == OP_loop || i->op == OP_branch;
}

/* As varying: what may fail and was computed in bodies alone so far, which an equal instruction is
 * found to be, and what bodies made of it. Captured it would be computed in any case. What stands
 * outside of bodies is there, and is captured. */
static void mark_in_bodies(struct taking *t) {
    const wg_graph *g = t->g;
    for (size_t k = 0; k < g->in_bodies.count; k++) t->state[g->in_bodies.at[k]] |= VARIES;
    for (size_t k = 0; k < g->taken.count; k++) {
        struct span span = g->taken.at[k];
        for (value v = span.at; v < span.at + span.count; v++) {
            const struct instr *i = instr_at(&g->t, v);
            if (can_fail(&g->t, i)) t->state[v] |= VARIES;
            for (size_t j = 0; j < i->narg; j++)
                t->state[v] |= t->state[args_of(&g->t, i)[j]] & VARIES;
        }
    }
}

/* Lists what a complete loop computes of that; what depends on its variables nobody else finds. */
static void note_in_body(const wg_loop *loop, const struct taking *t) {
    wg_graph *g = loop->g;
    size_t left = 0;
    for (size_t k = 0; k < g->in_bodies.count; k++) {
        value v = g->in_bodies.at[k];
        if (!(t->state[v] & OWN)) g->in_bodies.at[left++] = v;
    }
    g->in_bodies.count = left;
    for (value v = loop->begin; v < t->count; v++) {
        if ((t->state[v] & (VARIES | OWN | NEEDED)) != (VARIES | NEEDED)) continue;
        value *new = VEC_PUSH(&g->t.allocator, &g->in_bodies);
        if (new) *new = v;
        else graph_fail_memory(g);
    }
}

static value append_loop(wg_loop *loop) {
    wg_graph *g = loop->g;
    struct taking t;
    size_t carries = loop->carry.count, outputs = carries + loop->collected.count, bytes = 0;
    value out[REGION_OPERANDS + 1], in[2 * REGION_OPERANDS], carry[REGION_OPERANDS],
        stack[REGION_OPERANDS], result = 0;
    if (outputs + 1 > REGION_OPERANDS || carries + loop->slice.count > REGION_OPERANDS)
        return graph_fail(g, WG_EOVERFLOW, "loop: more than %d carries, slices or results",
                          REGION_OPERANDS);
    if (!open_taking(&t, g)) return 0;
    for (size_t k = 0; k < carries; k++) {
        out[k] = loop->carry.at[k].next;
        carry[k] = loop->carry.at[k].from;
        t.state[loop->carry.at[k].v] = VARIES | OWN;
    }
    for (size_t k = 0; k < loop->slice.count; k++) {
        stack[k] = loop->slice.at[k].from;
        t.state[loop->slice.at[k].v] = VARIES | OWN;
    }
    for (size_t k = carries; k < outputs; k++) out[k] = loop->collected.at[k - carries];
    if (loop->index) t.state[loop->index] = VARIES | OWN;
    if (may_not_run(loop)) mark_in_bodies(&t);
    for (value v = loop->begin; v < t.count; v++) {
        const struct instr *i = instr_at(&g->t, v);
        if (may_not_run(loop) && can_fail(&g->t, i)) t.state[v] |= VARIES;
        if (loop->broadcasts && i->op == OP_broadcast) t.state[v] |= VARIES;
        for (size_t k = 0; k < i->narg; k++)
            t.state[v] |= t.state[args_of(&g->t, i)[k]] & (VARIES | OWN);
    }
    if (loop->condition) out[outputs] = loop->condition;
    wg_program *body = NULL, *condition = NULL;
    wg_extent *sizes = NULL;
    if (mark_taken(&t, out, outputs + (loop->condition != 0)) &&
        t.captured.count + carries + loop->slice.count < REGION_OPERANDS) {
        size_t n = loop_inputs(loop, t.captured.at, t.captured.count, true, in);
        note_in_body(loop, &t);
        /* both are made of what either needs: dead code goes */
        body = take_over(&t, in, n, out, outputs);
        n = loop_inputs(loop, t.captured.at, t.captured.count, false, in);
        if (body && loop->condition) {
            memset(t.state, 0, t.count);
            t.state[out[outputs]] = NEEDED;
            for (value v = (value)t.count; v-- > 1;)
                for (size_t k = 0; t.state[v] && k < instr_at(&g->t, v)->narg; k++) {
                    bool given = false;
                    for (size_t c = 0; c < n; c++) given |= in[c] == v;
                    if (!given) t.state[args_of(&g->t, instr_at(&g->t, v))[k]] = NEEDED;
                }
            for (size_t k = 0; k < loop->slice.count; k++)
                if (t.state[loop->slice.at[k].v])
                    graph_fail(g, WG_EARGUMENT, "loop_while: the condition looks at a slice");
            condition = take_over(&t, in, n, out + outputs, 1);
        }
        sizes = list_sizes(g, 1 + (loop->condition != 0), &bytes);
    } else if (!g->error.status) {
        graph_fail(g, WG_EOVERFLOW, "loop: a body that captures %zu values, more than %d",
                   t.captured.count, REGION_OPERANDS);
    }
    if (body && sizes && !g->error.status) {
        struct region_parts parts = {
            .body = body, .condition = condition, .sizes = sizes, .length = loop->length,
            .flags = loop->flags | (carries == 0 && !condition ? LOOP_APART : 0),
            .lead = loop->count, .capture = t.captured.at, .captures = t.captured.count,
            .carry = carry, .carries = carries, .stack = stack, .stacks = loop->slice.count,
            .results = outputs - carries, .snapshots = loop->snapshots};
        result = build_region(g, OP_loop, &parts);
    }
    wg_program_free(body);
    wg_program_free(condition);
    if (sizes) mem_free(&g->t.allocator, sizes, bytes);
    close_taking(&t);
    return result;
}

wg_var wg_loop_end_at(const char *file, int line, wg_loop *loop, wg_var *result) {
    if (!loop) return (wg_var){NULL, 0};
    wg_graph *g = loop->g;
    size_t results = loop->carry.count + loop->collected.count;
    value region = face_begin(g, file, line) ? append_loop(loop) : 0;
    value count = region ? build_item(g, region, REGION_COUNT) : 0;
    for (size_t k = 0; result && k < results; k++)
        result[k] = (wg_var){g, region ? build_item(g, region, k) : 0};
    g->loop_begin = loop->around;
    loop_free(loop);
    return (wg_var){g, count};
}

/* ---- branches -------------------------------------------------------------------------------- */

wg_branch *wg_branch_begin_at(const char *file, int line, wg_graph *g, wg_var choice) {
    if (!face_begin(g, file, line) || !face_var(g, "branch", choice)) return NULL;
    const wg_type *type = type_of(&g->t, choice.id);
    if (type->rank || (type->dtype != WG_BOOL && type->dtype != WG_I64) || g->eager) {
        graph_fail(g, WG_EDTYPE, g->eager ? "branch: an eager graph is built by an if of C"
                                          : "branch: the choice is %s, not bool[] or i64[]",
                   type_name(g, choice.id).text);
        return NULL;
    }
    wg_branch *b = mem_alloc_zero(&g->t.allocator, sizeof *b);
    if (!b) return fail_memory(&g->error), NULL;
    *b = (wg_branch){.g = g, .choice = choice.id};
    if (type->dtype == WG_BOOL)
        b->choice = build_cast(g, WG_I64, build_unary(g, OP_not, choice.id));
    b->begin = b->of_this = (value)g->t.instr.count;
    return b;
}

/* Worth being computed once before a loop rather than in those of its iterations that take a case:
 * more than a few instructions. */
static bool is_dear(const struct instr *i) {
    switch (i->op) {
    case OP_add: case OP_sub: case OP_mul: case OP_neg: case OP_abs: case OP_min: case OP_max:
    case OP_sign: case OP_square: case OP_fma: case OP_mulz: case OP_copy: case OP_cast:
    case OP_where: case OP_take: return false;
    default: return true;
    }
}

enum { MOST_APART = 16 };

/* What cases within a loop compute of numbers that no iteration changes stays outside of them, where
 * it is dear, and so comes before the loop: no floating number is an error, and what a loop with
 * branches sends back to it is guarded. Not more than a few, since a region has room for a few
 * hundred operands. */
static void mark_apart(struct taking *t) {
    const struct trace *trace = &t->g->t;
    value begin = t->g->loop_begin, end = (value)t->count;
    size_t dear = 0;
    for (value v = begin; begin && v < end; v++) {
        const struct instr *i = instr_at(trace, v);
        bool same = i->narg > 0 && (op_is_elementwise(i->op) || is_within(trace, i)) &&
                    type_at(trace, i->type)->rank == 0 &&
                    dtype_is_float(type_at(trace, i->type)->dtype);
        for (size_t k = 0; same && k < i->narg; k++) {
            value x = args_of(trace, i)[k];
            unsigned op = instr_at(trace, x)->op;
            bool plain = is_plain(trace, x) && op != OP_variable && op != OP_input;
            same = x < begin || t->state[x] & SAME || plain;
        }
        if (same) t->state[v] |= is_dear(i) && dear++ < MOST_APART ? SAME | APART : SAME;
    }
    for (value v = end; begin && v-- > begin;) {
        const struct instr *i = instr_at(trace, v);
        if (!(t->state[v] & APART)) continue;
        for (size_t k = 0; k < i->narg; k++)
            if (t->state[args_of(trace, i)[k]] & SAME) t->state[args_of(trace, i)[k]] |= APART;
    }
}

/* As varying: a variable is a loop's around, an input the program's. */
static void mark_new(struct taking *t, value first, value end) {
    for (value v = first; v < end; v++) {
        unsigned op = instr_at(&t->g->t, v)->op;
        if (op != OP_variable && op != OP_input && !(t->state[v] & APART)) t->state[v] = VARIES;
    }
}

static void note_taken(wg_graph *g, value first) {
    span_vec *taken = &g->taken;
    while (taken->count && taken->at[taken->count - 1].at >= first) taken->count--;
    struct span *span = VEC_PUSH(&g->t.allocator, taken);
    if (span) *span = (struct span){first, (uint32_t)g->t.instr.count - first};
    else graph_fail_memory(g);
}

/* A case is kept as a program of what it alone captured; at the end, when all are known, it gets
 * inputs for what the others captured too. */
void wg_branch_case_at(const char *file, int line, wg_branch *b, size_t count,
                       const wg_var *result) {
    if (!b || !face_begin(b->g, file, line) || !face_list(b->g, "branch_case", count, result))
        return;
    wg_graph *g = b->g;
    if (b->body.count == 0) b->results = count;
    if (count != b->results || count > REGION_OPERANDS) {
        graph_fail(g, WG_EARGUMENT, "branch_case: %zu results, but the first case has %zu", count,
                   b->results);
        return;
    }
    value out[REGION_OPERANDS];
    struct taking t;
    for (size_t k = 0; k < count; k++) {
        if (!face_var(g, "branch_case", result[k])) return;
        out[k] = result[k].id;
    }
    if (!open_taking(&t, g)) return;
    /* what is new, and what other cases made, which an equal instruction here is found to be: none
     * of it is computed where it is not needed */
    mark_apart(&t);
    mark_in_bodies(&t);
    mark_new(&t, b->begin, (value)t.count);
    for (size_t k = 0; k < g->taken.count; k++)
        mark_new(&t, g->taken.at[k].at, g->taken.at[k].at + g->taken.at[k].count);
    wg_program *body = mark_taken(&t, out, count)
                           ? take_over(&t, t.captured.at, t.captured.count, out, count) : NULL;
    wg_program **new = body ? VEC_PUSH(&g->t.allocator, &b->body) : NULL;
    if (new) *new = body;
    else wg_program_free(body);
    struct span *span = new ? VEC_PUSH(&g->t.allocator, &b->of_case) : NULL;
    if (span) *span = (struct span){(uint32_t)b->captured.count, (uint32_t)t.captured.count};
    for (size_t k = 0; span && k < t.captured.count; k++) {
        value *c = VEC_PUSH(&g->t.allocator, &b->captured);
        if (c) *c = t.captured.at[k];
        else graph_fail_memory(g);
    }
    if (body && !span) graph_fail_memory(g);
    close_taking(&t);
    note_taken(g, b->of_this);
    b->of_this = (value)g->t.instr.count;
}

/* The case with an input for everything that any case captured. */
static wg_program *widen(const wg_branch *b, size_t k, const value *all, size_t count) {
    wg_graph *g = b->g, *h = graph_new(&g->t.allocator);
    const struct trace *t = &b->body.at[k]->t;
    struct span own = b->of_case.at[k];
    value *map = mem_alloc_zero(&g->t.allocator, t->instr.count * sizeof *map);
    value input[REGION_OPERANDS];
    wg_extent size_map[64];
    wg_error error = {0};
    if (!h || !map || t->size.count > 64) {
        if (h && map) graph_fail(g, WG_EOVERFLOW, "branch: more than 64 named sizes");
        else graph_fail_memory(g);
        mem_free(&g->t.allocator, map, map ? t->instr.count * sizeof *map : 0);
        return wg_graph_free(h), NULL;
    }
    for (size_t i = 0; i < t->size.count; i++)
        size_map[i] = extent_size(h, graph_size(h, name_at(t, t->size.at[i])));
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "x%zu", i + 1);
        wg_type type = graph_import_type(h, &g->t, type_of(&g->t, all[i]), size_map);
        value v = graph_input(h, name, &type);
        for (size_t c = 0; c < own.count; c++)
            if (b->captured.at[own.at + c] == all[i]) input[c] = v;
    }
    if (graph_inline(h, t, input, size_map, map))
        for (size_t i = 0; i < t->output.count; i++)
            graph_output(h, name_at(t, t->output.at[i].name), map[t->output.at[i].v]);
    mem_free(&g->t.allocator, map, t->instr.count * sizeof *map);
    wg_program *p = graph_build(h, &error);
    fail_as(&g->error, &error);
    return p;
}

static value append_branch(wg_branch *b) {
    wg_graph *g = b->g;
    value all[REGION_OPERANDS], result = 0;
    size_t count = 0, bytes;
    for (size_t k = 0; k < b->captured.count; k++) {
        bool known = false;
        for (size_t i = 0; i < count; i++) known |= all[i] == b->captured.at[k];
        if (known) continue;
        if (count + 1 == REGION_OPERANDS)
            return graph_fail(g, WG_EOVERFLOW, "branch: cases that capture more than %d values",
                              REGION_OPERANDS - 1);
        all[count++] = b->captured.at[k];
    }
    if (b->body.count == 0) return graph_fail(g, WG_EARGUMENT, "branch: without a case");
    for (size_t k = 0; k < b->body.count && !g->error.status; k++) {
        wg_program *wide = widen(b, k, all, count);
        wg_program_free(b->body.at[k]);
        b->body.at[k] = wide;
    }
    wg_extent *sizes = g->error.status ? NULL : list_sizes(g, b->body.count, &bytes);
    if (sizes) {
        struct region_parts parts = {.branch = (const wg_program *const *)b->body.at,
                                     .branches = b->body.count, .sizes = sizes,
                                     .lead = b->choice, .capture = all, .captures = count,
                                     .results = b->results, .kept = b->kept};
        result = build_region(g, OP_branch, &parts);
        mem_free(&g->t.allocator, sizes, bytes);
    }
    return result;
}

void wg_branch_end_at(const char *file, int line, wg_branch *b, wg_var *result) {
    if (!b) return;
    wg_graph *g = b->g;
    wg_allocator a = g->t.allocator;
    value region = face_begin(g, file, line) ? append_branch(b) : 0;
    for (size_t k = 0; result && k < b->results; k++)
        result[k] = (wg_var){g, region ? build_item(g, region, k) : 0};
    for (size_t k = 0; k < b->body.count; k++) wg_program_free(b->body.at[k]);
    VEC_FREE(&a, &b->body);
    VEC_FREE(&a, &b->of_case);
    VEC_FREE(&a, &b->captured);
    mem_free(&a, b, sizeof *b);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */
/* A branch with one case, whose last results are what is kept. */

struct wg_checkpoint {
    wg_branch *branch; /* NULL: everything is kept, and there is no region */
    wg_graph *g;
    wg_keep keep;
    VEC(value) kept;
};

wg_checkpoint *wg_checkpoint_begin_at(const char *file, int line, wg_graph *g, wg_keep keep) {
    if (!face_begin(g, file, line)) return NULL;
    if (keep != WG_KEEP_INPUTS && keep != WG_KEEP_MARKED && keep != WG_KEEP_ALL) {
        graph_fail(g, WG_EARGUMENT, "checkpoint: %d is no way of keeping values", (int)keep);
        return NULL;
    }
    wg_checkpoint *c = mem_alloc_zero(&g->t.allocator, sizeof *c);
    if (!c) return fail_memory(&g->error), NULL;
    *c = (wg_checkpoint){.g = g, .keep = keep};
    if (keep == WG_KEEP_ALL) return c;
    wg_var only = {g, build_number(g, WG_I64, 0)};
    c->branch = wg_branch_begin_at(file, SAME_SITE, g, only);
    return c;
}

wg_var wg_checkpoint_keep_at(const char *file, int line, wg_checkpoint *c, wg_var x) {
    if (!c || !face_begin(c->g, file, line) || !face_var(c->g, "checkpoint_keep", x) ||
        c->keep != WG_KEEP_MARKED)
        return x;
    value *new = VEC_PUSH(&c->g->t.allocator, &c->kept);
    if (new) *new = x.id;
    else fail_memory(&c->g->error);
    return x;
}

void wg_checkpoint_end_at(const char *file, int line, wg_checkpoint *c, wg_var *result,
                          size_t count, const wg_var *y) {
    if (!c) return;
    wg_graph *g = c->g;
    wg_allocator a = g->t.allocator;
    wg_var all[REGION_OPERANDS], made[REGION_OPERANDS] = {{0}};
    bool good = face_begin(g, file, line) && face_list(g, "checkpoint_end", count, y);
    size_t kept = c->kept.count;
    if (good && count + kept > REGION_OPERANDS) {
        graph_fail(g, WG_EOVERFLOW, "checkpoint: %zu results and values to keep, more than %d",
                   count + kept, REGION_OPERANDS);
        good = false;
    }
    for (size_t k = 0; good && k < count; k++) {
        good = face_var(g, "checkpoint_end", y[k]);
        all[k] = made[k] = y[k];
    }
    if (good && c->branch) {
        for (size_t k = 0; k < kept; k++) all[count + k] = (wg_var){g, c->kept.at[k]};
        c->branch->kept = kept;
        wg_branch_case_at(file, SAME_SITE, c->branch, count + kept, all);
    }
    if (c->branch) wg_branch_end_at(file, SAME_SITE, c->branch, good ? made : NULL);
    for (size_t k = 0; good && result && k < count; k++) result[k] = made[k];
    VEC_FREE(&a, &c->kept);
    mem_free(&a, c, sizeof *c);
}
