/* The rows `loop`, `branch` and `item`, and those that stand in loops in the making: what their
 * attributes and operands must be, and their builders. Bodies are checked against the operands
 * whenever an instruction is appended, so that neither a caller nor a program text can bring one
 * that does not fit. What the transformations do with them is transform/region.c, how they run is
 * run/region.c. */
#include "op/region.h"

#include "op/build.h"
#include "op/describe.h"

enum { LOOP_HEAD = 8, BRANCH_HEAD = 3 };

/* ---- attributes ------------------------------------------------------------------------------ */

static struct region parse(unsigned op, const int64_t *word) {
    struct region r = {.op = op, .bodies = (size_t)word[0], .body = word + 1};
    const int64_t *head = word + 1 + r.bodies;
    if (op == OP_branch) {
        r.captures = (size_t)head[0];
        r.results = (size_t)head[1];
        r.kept = (size_t)head[2];
        r.lead = 1;
        r.extent = head + BRANCH_HEAD;
    } else {
        r.length = head[0];
        r.flags = head[1];
        r.captures = (size_t)head[2];
        r.carries = (size_t)head[3];
        r.stacks = (size_t)head[4];
        r.results = (size_t)head[5];
        r.kept = (size_t)head[6];
        r.snapshots = head[7];
        r.lead = (r.flags & LOOP_COUNTED) != 0;
        r.active = head + LOOP_HEAD;
        r.extent = r.active + r.captures + r.carries + r.stacks;
    }
    r.items = r.carries + r.results;
    return r;
}

struct region region_open(const struct trace *t, unsigned op, attr_id attr) {
    return parse(op, attr_words(t, attr));
}

const wg_extent *region_sizes(const struct trace *t, const struct region *r, size_t k) {
    size_t at = 0;
    for (size_t i = 0; i < k; i++) at += region_body(t, r, i)->body->t.size.count;
    return r->extent + at;
}

value region_bare_count(const struct trace *t, value v, wg_extent length) {
    for (;;) {
        const struct instr *i = instr_at(t, v);
        value bound = 0, other = 0;
        if (i->op != OP_max && i->op != OP_min) return v;
        for (size_t k = 0; k < 2; k++) {
            const struct instr *x = instr_at(t, args_of(t, i)[k]);
            bool is_constant = x->op == OP_constant;
            wg_extent at = is_constant || x->op == OP_size ? attr_words(t, x->attr)[0] : -1;
            bool is_length = at == length && (is_constant ? length >= 0 : x->op == OP_size);
            bool is = i->op == OP_max ? is_constant && at == 0 : is_length;
            if (is) bound = args_of(t, i)[k], other = args_of(t, i)[1 - k];
        }
        if (!bound) return v;
        v = other;
    }
}

/* Whether the head stands in the words, and counts what they can hold. */
static bool is_sound(const struct trace *t, unsigned op, attr_id attr, size_t narg) {
    const int64_t *word = attr_words(t, attr);
    size_t count = attr_count(t, attr), head = op == OP_branch ? BRANCH_HEAD : LOOP_HEAD, at = 0;
    if (count < 1 || word[0] < 1 || (uint64_t)word[0] > count ||
        count < 1 + (size_t)word[0] + head)
        return false;
    for (size_t k = 0; k < (size_t)word[0]; k++)
        if (word[1 + k] < 0 || (uint64_t)word[1 + k] >= t->rule.count ||
            !t->rule.at[word[1 + k]].is_body)
            return false;
    const int64_t *h = word + 1 + word[0];
    for (size_t k = op == OP_branch ? 0 : 2; k < head; k++)
        if (h[k] < 0 || h[k] > INT16_MAX) return false;
    if (op != OP_branch && (h[1] < 0 || h[1] > 63 || (h[1] & LOOP_CONDITION ? 2 : 1) != word[0]))
        return false;
    struct region r = parse(op, word);
    if (r.items > REGION_OPERANDS || r.kept > r.results ||
        narg != r.lead + r.captures + r.carries + r.stacks)
        return false;
    if (r.flags & LOOP_APART && (r.carries || r.flags & LOOP_CONDITION)) return false;
    if (r.flags & LOOP_RECORD && !(r.flags & LOOP_AGAIN)) return false;
    if (op != OP_branch && r.kept && (r.snapshots || r.flags & LOOP_AGAIN)) return false;
    for (size_t k = 0; op != OP_branch && k < r.captures + r.carries + r.stacks; k++) {
        bool is_carry = k >= r.captures && k < r.captures + r.carries;
        int64_t all = REGION_ACTIVE | (is_carry ? REGION_SETTLED : 0);
        if (r.active[k] & ~all) return false;
    }
    for (size_t k = 0; k < r.bodies; k++) at += region_body(t, &r, k)->body->t.size.count;
    return (size_t)(r.extent - word) + at == count;
}

static bool region_word_is_extent(const int64_t *word, size_t count, size_t index) {
    if (count < 1 || word[0] < 0 || (uint64_t)word[0] >= count) return false;
    size_t head = 1 + (size_t)word[0];
    return index == head; /* of a loop; see the two below */
}

static bool loop_word_is_extent(const int64_t *word, size_t count, size_t index) {
    if (region_word_is_extent(word, count, index)) return true;
    size_t head = 1 + (size_t)word[0];
    if (count < head + LOOP_HEAD || index < head + LOOP_HEAD) return false;
    int64_t operands = word[head + 2] + word[head + 3] + word[head + 4];
    return operands >= 0 && index >= head + LOOP_HEAD + (uint64_t)operands;
}

static bool branch_word_is_extent(const int64_t *word, size_t count, size_t index) {
    return count > 0 && word[0] >= 0 && index >= 1 + (uint64_t)word[0] + BRANCH_HEAD;
}

/* ---- whether bodies fit ---------------------------------------------------------------------- */

struct fitting {
    wg_graph *g;
    const char *name; /* "loop", "branch" */
    const char *kind; /* "body", "condition" */
    const struct trace *t;
    const wg_extent *size_map;
};

static bool fits(const struct fitting *f, bool output, size_t index, const wg_type *needs,
                 const char *what, size_t number) {
    struct port port = (output ? f->t->output.at : f->t->input.at)[index];
    wg_type has = graph_import_type(f->g, f->t, type_of(f->t, port.v), f->size_map);
    if (f->g->error.status || type_equal(&has, needs)) return !f->g->error.status;
    graph_fail(f->g, has.dtype == needs->dtype ? WG_ESHAPE : WG_EDTYPE,
               "%s: %s \"%s\" of the %s is %s, but %s %zu is %s", f->name,
               output ? "output" : "input", name_at(f->t, port.name), f->kind,
               type_name_of(f->g, &has).text, what, number + 1, type_name_of(f->g, needs).text);
    return false;
}

static bool counts_fit(const struct fitting *f, size_t inputs, size_t outputs) {
    if (f->t->input.count == inputs && f->t->output.count == outputs) return true;
    graph_fail(f->g, WG_EARGUMENT,
               "%s: the %s has %zu inputs and %zu outputs; %zu and %zu are needed", f->name,
               f->kind, f->t->input.count, f->t->output.count, inputs, outputs);
    return false;
}

static bool inputs_fit(const struct fitting *f, size_t first, const value *x, size_t count,
                       const char *what) {
    for (size_t k = 0; k < count; k++)
        if (!fits(f, false, first + k, type_of(&f->g->t, x[k]), what, k)) return false;
    return true;
}

static struct fitting fitting(wg_graph *g, const char *name, const char *kind,
                              const struct region *r, size_t k) {
    return (struct fitting){g, name, kind, &region_body(&g->t, r, k)->body->t,
                            region_sizes(&g->t, r, k)};
}

int64_t *region_copy(wg_graph *g, unsigned op, attr_id attr, struct region *copy, size_t *bytes) {
    size_t count = attr_count(&g->t, attr);
    *bytes = (count + 1) * sizeof(int64_t);
    int64_t *word = mem_alloc(&g->t.allocator, *bytes);
    if (!word) return fail_memory(&g->error), NULL;
    memcpy(word, attr_words(&g->t, attr), count * sizeof *word);
    *copy = parse(op, word);
    return word;
}

static bool loop_fits(wg_graph *g, const struct region *r, const value *x) {
    const wg_type index = {.dtype = WG_I64}, truth = {.dtype = WG_BOOL};
    const value *capture = x + r->lead, *carry = capture + r->captures,
                *stack = carry + r->carries;
    size_t inputs = 1 + r->captures + r->carries;
    struct fitting f = fitting(g, "loop", "body", r, 0);
    if (r->lead && !(type_of(&g->t, x[0])->rank == 0 && type_of(&g->t, x[0])->dtype == WG_I64)) {
        graph_fail(g, WG_EDTYPE, "loop: the count is %s, not i64[]", type_name(g, x[0]).text);
        return false;
    }
    if (!require_extent(g, "loop", r->length) ||
        !counts_fit(&f, inputs + r->stacks, r->carries + r->results) ||
        !fits(&f, false, 0, &index, "the loop's index, operand", 0) ||
        !inputs_fit(&f, 1, capture, r->captures, "captured value") ||
        !inputs_fit(&f, 1 + r->captures, carry, r->carries, "carry"))
        return false;
    for (size_t k = 0; k < r->carries; k++)
        if (!fits(&f, true, k, type_of(&g->t, carry[k]), "carry", k)) return false;
    for (size_t k = 0; k < r->stacks; k++) {
        wg_type type = *type_of(&g->t, stack[k]);
        if (type.rank == 0 || type.extent[0] != r->length) {
            graph_fail(g, WG_ESHAPE, "loop: %s is no stack of %s slices",
                       type_name(g, stack[k]).text, extent_name(g, r->length).text);
            graph_fail_operands(g, &stack[k], 1);
            return false;
        }
        type = type_without(&type, 1);
        if (!fits(&f, false, inputs + k, &type, "slice of stack", k)) return false;
    }
    if (!(r->flags & LOOP_CONDITION)) return true;
    struct fitting c = fitting(g, "loop", "condition", r, 1);
    return counts_fit(&c, inputs, 1) &&
           fits(&c, false, 0, &index, "the loop's index, operand", 0) &&
           inputs_fit(&c, 1, capture, r->captures, "captured value") &&
           inputs_fit(&c, 1 + r->captures, carry, r->carries, "carry") &&
           fits(&c, true, 0, &truth, "a truth, result", 0);
}

static bool branch_fits(wg_graph *g, const struct region *r, const value *x) {
    const wg_type *index = type_of(&g->t, x[0]);
    if (index->rank || index->dtype != WG_I64) {
        graph_fail(g, WG_EDTYPE, "branch: the index is %s, not i64[]", type_name(g, x[0]).text);
        return false;
    }
    for (size_t k = 0; k < r->bodies; k++) {
        struct fitting f = fitting(g, "branch", "body", r, k), first = fitting(g, "", "", r, 0);
        if (!counts_fit(&f, r->captures, r->results) ||
            !inputs_fit(&f, 0, x + 1, r->captures, "captured value"))
            return false;
        for (size_t i = 0; k && i < r->results; i++) {
            wg_type type = graph_import_type(g, first.t, type_of(first.t, first.t->output.at[i].v),
                                             first.size_map);
            if (!fits(&f, true, i, &type, "result of the first branch,", i)) return false;
        }
    }
    return true;
}

static bool region_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                         wg_type *type) {
    if (!is_sound(&g->t, op, attr, narg)) {
        graph_fail(g, WG_EARGUMENT, "%s: attributes that it does not have", op_def(op)->name);
        return false;
    }
    struct region open = region_open(&g->t, op, attr), r;
    size_t bytes, sizes = attr_count(&g->t, attr) -
                          (size_t)(open.extent - attr_words(&g->t, attr));
    int64_t *words = region_copy(g, op, attr, &r, &bytes);
    bool ok = words != NULL;
    for (size_t k = 0; ok && k < sizes; k++) ok = require_extent(g, op_def(op)->name, r.extent[k]);
    ok = ok && (op == OP_branch ? branch_fits(g, &r, x) : loop_fits(g, &r, x));
    mem_free(&g->t.allocator, words, words ? bytes : 0);
    *type = (wg_type){.dtype = WG_I64};
    return ok;
}

bool region_item_type(wg_graph *g, value region, size_t k, wg_type *type) {
    struct instr i_copy = *instr_at(&g->t, region), *i = &i_copy;
    struct region open = region_open(&g->t, i->op, i->attr), r;
    size_t bytes;
    if (k == REGION_COUNT) {
        *type = (wg_type){.dtype = WG_I64};
        return true;
    }
    if (k >= open.items) return false;
    if (k < open.carries) {
        *type = *type_of(&g->t, args_of(&g->t, i)[open.lead + open.captures + k]);
        return true;
    }
    int64_t *words = region_copy(g, i->op, i->attr, &r, &bytes);
    if (!words) return false;
    const struct trace *body = &region_body(&g->t, &r, 0)->body->t;
    wg_type slice = graph_import_type(g, body, type_of(body, body->output.at[k].v),
                                      region_sizes(&g->t, &r, 0));
    bool fits_rank = r.op == OP_branch || slice.rank < WG_MAX_RANK;
    if (!fits_rank)
        graph_fail(g, WG_ESHAPE, "loop: a result of rank %d cannot be stacked", WG_MAX_RANK);
    if (fits_rank) *type = r.op == OP_branch ? slice : type_prepend(&slice, r.length);
    mem_free(&g->t.allocator, words, bytes);
    return fits_rank && !g->error.status;
}

/* ---- builders -------------------------------------------------------------------------------- */

static const wg_program *body_of(const struct region_parts *p, size_t k) {
    return p->branch ? p->branch[k] : k ? p->condition : p->body;
}

value build_region(wg_graph *g, unsigned op, const struct region_parts *p) {
    const wg_allocator *a = &g->t.allocator;
    size_t bodies = p->branch ? p->branches : p->condition ? 2 : 1, sizes = 0, n = 0, narg = 0;
    size_t operands = p->captures + p->carries + p->stacks;
    if (g->error.status) return 0;
    size_t results = p->carries + p->results;
    if (operands + 1 > REGION_OPERANDS || results > REGION_OPERANDS)
        return graph_fail(g, WG_EOVERFLOW,
                          "%s: %zu operands and %zu results, at most %d of each are possible",
                          op_def(op)->name, operands, results, REGION_OPERANDS - 1);
    for (size_t k = 0; k < bodies; k++) sizes += body_of(p, k)->t.size.count;
    size_t count = 1 + bodies + (op == OP_branch ? BRANCH_HEAD : LOOP_HEAD + operands) + sizes;
    int64_t *word = mem_alloc_zero(a, count * sizeof *word);
    if (!word) return (value)graph_fail_memory(g);
    word[n++] = (int64_t)bodies;
    for (size_t k = 0; k < bodies; k++)
        word[n++] = graph_body(g, op_def(op)->name, body_of(p, k), k ? NULL : p->reverse);
    if (op == OP_branch) {
        word[n++] = (int64_t)p->captures;
        word[n++] = (int64_t)p->results;
        word[n++] = (int64_t)p->kept;
    } else {
        word[n++] = p->length;
        word[n++] = (p->flags & ~(LOOP_CONDITION | LOOP_COUNTED)) |
                    (p->condition ? LOOP_CONDITION : 0) | (p->lead ? LOOP_COUNTED : 0);
        word[n++] = (int64_t)p->captures;
        word[n++] = (int64_t)p->carries;
        word[n++] = (int64_t)p->stacks;
        word[n++] = (int64_t)p->results;
        word[n++] = (int64_t)p->kept;
        word[n++] = p->snapshots;
        for (size_t k = 0; k < operands; k++) word[n++] = p->active ? p->active[k] : 0;
    }
    if (sizes) memcpy(word + n, p->sizes, sizes * sizeof *word);
    value arg[REGION_OPERANDS];
    if (p->lead) arg[narg++] = p->lead;
    for (size_t k = 0; k < p->captures; k++) arg[narg++] = p->capture[k];
    for (size_t k = 0; k < p->carries; k++) arg[narg++] = p->carry[k];
    for (size_t k = 0; k < p->stacks; k++) arg[narg++] = p->stack[k];
    value v = g->error.status ? 0 : graph_emit(g, op, graph_attr(g, word, count), arg, narg);
    mem_free(a, word, count * sizeof *word);
    return v;
}

/* How often the loop runs, or which branch is taken, where the operands tell; else 0. Then nobody
 * needs the region for its count alone, with bodies that make nothing. */
static value known_count(wg_graph *g, value region) {
    const struct instr *i = instr_at(&g->t, region);
    struct region r = region_open(&g->t, i->op, i->attr);
    if (r.flags & LOOP_CONDITION) return 0;
    value lead = r.lead ? args_of(&g->t, i)[0] : 0;
    value most = r.op == OP_loop ? build_extent(g, r.length)
                                 : build_number(g, WG_I64, (double)(r.bodies - 1));
    if (!lead) return most;
    return build_binary(g, OP_max, build_binary(g, OP_min, lead, most), build_number(g, WG_I64, 0));
}

/* The captured value that every case of a branch gives back as result k; 0: there is none. */
static value same_in_all(const wg_graph *g, value v, size_t k) {
    const struct instr *i = instr_at(&g->t, v);
    if (i->op != OP_branch) return 0;
    struct region r = region_open(&g->t, i->op, i->attr);
    value same = 0;
    for (size_t b = 0; b < r.bodies && k < r.items; b++) {
        const struct trace *t = &region_body(&g->t, &r, b)->body->t;
        const struct instr *y = instr_at(t, t->output.at[k].v);
        if (y->op != OP_input) return 0;
        value x = args_of(&g->t, i)[r.lead + (size_t)attr_words(t, y->attr)[0]];
        if (b && x != same) return 0;
        same = x;
    }
    return same;
}

value build_item(wg_graph *g, value region, size_t k) {
    if (!region) return 0;
    value known = k == REGION_COUNT ? known_count(g, region) : same_in_all(g, region, k);
    if (known) return known;
    return graph_emit(g, OP_item, graph_attr(g, (int64_t[]){(int64_t)k}, 1), &region, 1);
}

/* ---- the rows -------------------------------------------------------------------------------- */

static bool item_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    (void)op, (void)narg;
    unsigned from = instr_at(&g->t, x[0])->op;
    bool good = attr_count(&g->t, attr) == 1 && (from == OP_loop || from == OP_branch) &&
                attr_words(&g->t, attr)[0] >= 0 &&
                region_item_type(g, x[0], (size_t)attr_words(&g->t, attr)[0], type);
    if (!good && !g->error.status)
        graph_fail(g, WG_EARGUMENT, "item: there is no such result of a loop or branch");
    return good;
}

/* Regions are run by whoever has their bodies compiled. */
static wg_status region_run(const struct exec *e) {
    return fail_with(e->error, WG_EARGUMENT,
                     "a loop or branch in an eager graph: write it as a loop or branch of C there");
}

const struct op_def op_loop = {
    .name = "loop",
    .class = REGION,
    .narg = -1,
    .refers = REFERS_TO_BODIES,
    .doc = "a body run for i = 0, 1, ... on what it carries along, captures, and slices of stacks; "
           "the value is the number of times",
    .infer = region_infer,
    .attr_is_extent = loop_word_is_extent,
    .run = region_run,
};

const struct op_def op_branch = {
    .name = "branch",
    .class = REGION,
    .narg = -1,
    .refers = REFERS_TO_BODIES,
    .doc = "one of several bodies, by an index; nothing of the others is computed",
    .infer = region_infer,
    .attr_is_extent = branch_word_is_extent,
    .run = region_run,
};

/* attr = [number of the result] */
const struct op_def op_item = {
    .name = "item",
    .class = REGION,
    .narg = 1,
    .doc = "a result of a loop or branch: what is carried, then what is stacked",
    .infer = item_infer,
    .run = region_run,
};

static bool variable_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                           wg_type *type) {
    (void)attr, (void)x, (void)narg, (void)type;
    graph_fail(g, WG_EARGUMENT, "%s: stands in loops that are being built, in no program",
               op_def(op)->name);
    return false;
}

/* attr = [number]; appended by region_face.c, and gone when its loop is complete. */
const struct op_def op_variable = {
    .name = "variable",
    .class = LEAF,
    .flags = OP_IN_MAKING,
    .doc = "what the body of a loop that is being built has for an index, a carry or a slice",
    .infer = variable_infer,
};

static bool settled_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                          wg_type *type) {
    (void)attr, (void)narg;
    *type = *type_of(&g->t, x[0]);
    if (type_equal(type, type_of(&g->t, x[1]))) return true;
    graph_fail(g, WG_ESHAPE, "%s: %s and %s", op_def(op)->name, type_name(g, x[0]).text,
               type_name(g, x[1]).text);
    return false;
}

static value settled_transpose(const struct rule *r, size_t k, value ct) {
    (void)r, (void)k;
    return ct;
}

static value settled_batch(const struct batch *b) {
    const value x[2] = {batch_argument(b, 0), batch_argument(b, 1)};
    return graph_emit(b->g, OP_settled, 0, x, 2);
}

/* Appended by transform/settled.c, and gone when the loop's reverse is complete. */
const struct op_def op_settled = {
    .name = "settled",
    .class = LINEAR,
    .narg = 2,
    .flags = OP_IN_MAKING,
    .linear_mask = 1,
    .doc = "an element of what a loop carries, while the loop runs; its reverse has the same of "
           "what the loop leaves behind, the second operand",
    .infer = settled_infer,
    .transpose = settled_transpose,
    .batch = settled_batch,
};
