/* Loops with reductions, or with functions of functions, block by block. The terms of a sum are
 * added to sixteen lanes, in the order of runtime_reduce.h; those of a maximum wait in a buffer.
 * The statements of a pass are cut into groups, each with a loop of its own over the block: a
 * group's lanes, so many at a time, fit the registers; its chains of operations are short enough
 * for the processor to work on several elements at once, so none has a mathematical function of
 * another one's value; and a compiler's time grows with the size of a loop's body faster than
 * linearly. What a later group reads waits in a buffer of one block. */
#include "native/writer.h"

#include <stdio.h>

enum {
    LANES = 16,            /* of runtime_reduce.h */
    GROUP_SUMS = 6,        /* in lanes, of a group: with what they add up they fit 16 registers */
    GROUP_STATEMENTS = 32, /* of a group */
    WAITING = 8,           /* values that may wait at once; a pass with more is not cut */
    CUT_LENGTH = 64        /* iterations that are worth several loops */
};

struct slot { /* a buffer of one block */
    unsigned dtype;
    uint32_t until; /* the last group that reads it */
};

struct blocks {
    struct writer *w;
    uint32_t pass;
    const struct plan *plan;
    struct site_of_use at;
    uint32_t groups;
    struct slot slot[WAITING];
    size_t slots;
    int64_t trips;      /* -1: known at the call only */
    bool reduces;       /* the pass has reductions */
    bool is_long;       /* some group has as many statements or sums as there may be */
    uint32_t sums;      /* of the group at hand, in lanes */
    char at_once[32];   /* so many of the lanes it takes at a time: "WG_AT_ONCE(sums, bytes)" */
    const char *suffix; /* of the names of buffers in it */
};

enum loop { PLAIN_LOOP, LANE_LOOP, REST_LOOP };

static value first_of(const struct blocks *b) {
    return b->w->l->passes.at[b->pass].first;
}

static bool is_reduction(const struct blocks *b, value v) {
    return b->w->l->role[v] == ROLE_REDUCE;
}

/* Whether a reduction's terms are made by the loop. */
static bool has_terms(const struct blocks *b, value v) {
    return is_reduction(b, v) && !terms_in_memory(b->w, v, b->plan);
}

/* Whether v is written to memory, or to concatenations. */
static bool is_stored(const struct blocks *b, value v) {
    const struct lowered *l = b->w->l;
    return !is_reduction(b, v) && (l->storage[v] != STORE_NONE || l->place[v]);
}

static bool has_lanes(const struct blocks *b, value v) {
    return has_terms(b, v) && instr_at(b->w->t, v)->op == OP_sum;
}

static int64_t constant_trips(const struct blocks *b) {
    int64_t trips = 1;
    for (size_t k = b->plan->loop[0].first; k <= b->plan->loop[0].last; k++) {
        wg_extent extent = domain_extent(b->w, b->pass, k);
        if (extent < 0 || mul_overflows(trips, extent, &trips)) return -1;
    }
    return trips;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static uint32_t count_lanes(const struct blocks *b) {
    uint32_t count = 0;
    for (value v = first_of(b); v; v = b->w->l->next[v]) count += has_lanes(b, v);
    return count;
}

static bool is_function(const struct blocks *b, value v) {
    const struct instr *i = instr_at(b->w->t, v);
    return !is_reduction(b, v) && i->narg &&
           calls_function(i->op, type_of(b->w->t, args_of(b->w->t, i)[0])->dtype);
}

/* Whether v reads, through whatever statements, what a function of this group makes. */
static bool follows_function(const struct blocks *b, value v, uint32_t group) {
    const struct lowered *l = b->w->l;
    for (size_t k = 0; k < access_count(l, v); k++) {
        value root = l->access.at[l->access_at[v] + k].root;
        if (l->pass[root] != b->pass || is_reduction(b, root)) continue;
        const struct grouping *of = &b->w->grouping[root];
        if (of->group == group && of->has_function) return true;
    }
    return false;
}

static uint32_t most_sums(const struct blocks *b) {
    uint32_t lanes = count_lanes(b), wanted = (lanes + GROUP_SUMS - 1) / GROUP_SUMS;
    return wanted ? (lanes + wanted - 1) / wanted : 1; /* about as many in each group */
}

static void number_groups(struct blocks *b, bool cut_at_functions) {
    uint32_t most = most_sums(b), sums = 0, statements = 0, group = 0;
    b->is_long = false;
    for (value v = first_of(b); v; v = b->w->l->next[v]) {
        bool full = b->reduces &&
                    (statements == GROUP_STATEMENTS || (has_lanes(b, v) && sums == most));
        bool function = is_function(b, v), follows = follows_function(b, v, group);
        if (full || (cut_at_functions && function && follows)) {
            b->is_long |= full;
            follows = false;
            group++;
            sums = statements = 0;
        }
        sums += has_lanes(b, v);
        statements += !is_reduction(b, v);
        b->w->grouping[v] =
            (struct grouping){.group = group, .until = group, .has_function = function || follows};
    }
    b->groups = group + 1;
}

/* The last group that reads each value. What goes to memory goes there in the last group, behind
 * everything that reads the memory's former contents. */
static void find_readers(struct blocks *b) {
    const struct lowered *l = b->w->l;
    struct grouping *of = b->w->grouping;
    for (value v = first_of(b); v; v = l->next[v]) {
        for (size_t k = 0; k < access_count(l, v); k++) {
            value root = l->access.at[l->access_at[v] + k].root;
            if (l->pass[root] == b->pass && !is_reduction(b, root) && of[root].until < of[v].group)
                of[root].until = of[v].group;
        }
        if (is_stored(b, v)) of[v].until = b->groups - 1;
    }
}

static bool take_slot(struct blocks *b, value v) {
    struct grouping *of = &b->w->grouping[v];
    unsigned dtype = dtype_of(b->w, v);
    size_t i = 0;
    while (i < b->slots && (b->slot[i].dtype != dtype || b->slot[i].until > of->group)) i++;
    if (i == WAITING) return false;
    if (i == b->slots) b->slots++;
    b->slot[i] = (struct slot){dtype, of->until};
    of->slot = (uint8_t)(i + 1);
    return true;
}

/* Whether what waits has buffers enough. */
static bool fits_buffers(struct blocks *b) {
    const struct lowered *l = b->w->l;
    bool fits = true;
    b->slots = 0;
    find_readers(b);
    for (value v = first_of(b); v && fits; v = l->next[v])
        if (b->w->grouping[v].until > b->w->grouping[v].group) fits = take_slot(b, v);
    return fits;
}

static void form_groups(struct blocks *b) {
    number_groups(b, b->trips < 0 || b->trips >= CUT_LENGTH);
    if (fits_buffers(b)) return;
    number_groups(b, false);
    if (fits_buffers(b)) return;
    for (value v = first_of(b); v; v = b->w->l->next[v]) b->w->grouping[v] = (struct grouping){0};
    b->groups = 1;
    b->slots = 0;
    b->is_long = false;
}

/* ---- the body of a group --------------------------------------------------------------------- */

/* Takes a value of an earlier group from its buffer, once a loop. */
static void fetch(struct blocks *b, value v, uint32_t loop, int depth) {
    struct grouping *of = &b->w->grouping[v];
    if (!of->slot || of->fetched == loop) return;
    of->fetched = loop;
    indent(b->w, depth);
    ADD(b->w, "const %s v%u = w%u%s[each];\n", type_text_of[dtype_of(b->w, v)], v, of->slot - 1u,
        b->suffix);
}

static void fetch_operands(struct blocks *b, value v, uint32_t loop, int depth) {
    const struct lowered *l = b->w->l;
    for (size_t k = 0; k < access_count(l, v); k++) {
        value root = l->access.at[l->access_at[v] + k].root;
        if (l->pass[root] == b->pass && !is_reduction(b, root) &&
            b->w->grouping[root].group < b->w->grouping[v].group)
            fetch(b, root, loop, depth);
    }
}

static void add_term(struct blocks *b, value v, enum loop loop, int depth) {
    struct writer *w = b->w;
    indent(w, depth);
    if (!has_lanes(b, v)) ADD(w, "b%u[each] = ", v);
    else if (loop == LANE_LOOP) ADD(w, "s%u[lane] += ", v);
    else ADD(w, "t%u[each - whole] = ", v);
    add_operand(w, &w->l->access.at[w->l->access_at[v]], &b->at);
    add(w, ";\n");
}

/* Statements, then what waits for later groups, then what goes to memory, then terms. */
static void add_group_body(struct blocks *b, value first, enum loop loop, int depth) {
    struct writer *w = b->w;
    const struct lowered *l = w->l;
    const struct grouping *of = w->grouping;
    uint32_t group = of[first].group, id = 3 * group + loop + 1;
    indent(w, depth);
    ADD(w, "const int64_t i%zu = begin + each;\n", b->plan->loop[0].last);
    indent(w, depth);
    ADD(w, "(void)i%zu;\n", b->plan->loop[0].last);
    for (value v = first; v && of[v].group == group; v = l->next[v]) {
        fetch_operands(b, v, id, depth);
        if (!is_reduction(b, v)) add_statement(w, v, &b->at, depth);
    }
    for (value v = first; v && of[v].group == group; v = l->next[v]) {
        if (!of[v].slot) continue;
        indent(w, depth);
        ADD(w, "w%u%s[each] = v%u;\n", of[v].slot - 1u, b->suffix, v);
    }
    for (value v = first_of(b); v && group + 1 == b->groups; v = l->next[v]) {
        if (!is_stored(b, v)) continue;
        if (of[v].group < group) fetch(b, v, id, depth);
        add_store(w, v, &b->at, depth);
    }
    for (value v = first; v && of[v].group == group; v = l->next[v])
        if (has_terms(b, v)) add_term(b, v, loop, depth);
}

static void add_group_loop(struct blocks *b, value first, enum loop loop, int depth) {
    struct writer *w = b->w;
    indent(w, depth);
    add(w, "WG_INDEPENDENT\n");
    indent(w, depth);
    ADD(w, "for (int64_t each = %s; each < count; each++) {\n", loop == REST_LOOP ? "whole" : "0");
    if (loop == REST_LOOP && b->groups > 1) {
        indent(w, depth + 1);
        add(w, "WG_ONE_BY_ONE\n");
    }
    add_group_body(b, first, loop, depth + 1);
    indent(w, depth);
    add(w, "}\n");
}

static void open_lanes(struct blocks *b, int depth) {
    indent(b->w, depth);
    ADD(b->w, "for (int64_t lane = 0; lane < %s; lane++) {\n", b->at_once);
}

/* The whole groups of sixteen elements. */
static void add_lane_loop(struct blocks *b, value first, const char *start, int depth) {
    struct writer *w = b->w;
    indent(w, depth);
    ADD(w, "for (int64_t lanes = %s; lanes < whole; lanes += WG_LANES) {\n", start);
    indent(w, depth + 1);
    add(w, "WG_LANE_LOOP\n");
    open_lanes(b, depth + 1);
    indent(w, depth + 2);
    add(w, "const int64_t each = lanes + lane;\n");
    add_group_body(b, first, LANE_LOOP, depth + 2);
    close_loops(w, depth + 2, depth);
}

/* The same with sums, so many lanes of each at a time as the registers hold. No address of theirs
 * leaves the loop: compilers then know that nothing else is written there. */
static void add_sides(struct blocks *b, value first, int depth) {
    struct writer *w = b->w;
    const struct lowered *l = w->l;
    const struct grouping *of = w->grouping;
    uint32_t group = of[first].group;
    indent(w, depth);
    ADD(w, "for (int64_t side = 0; side < WG_LANES; side += %s) {\n", b->at_once);
    for (value v = first; v && of[v].group == group; v = l->next[v]) {
        if (!has_lanes(b, v)) continue;
        indent(w, depth + 1);
        ADD(w, "%s s%u[%s] = {0};\n", type_text_of[dtype_of(w, v)], v, b->at_once);
    }
    add_lane_loop(b, first, "side", depth + 1);
    open_lanes(b, depth + 1);
    for (value v = first; v && of[v].group == group; v = l->next[v]) {
        if (!has_lanes(b, v)) continue;
        indent(w, depth + 2);
        ADD(w, "l%u[side + lane] = s%u[lane];\n", v, v);
    }
    close_loops(w, depth + 2, depth);
}

/* ---- sums ------------------------------------------------------------------------------------ */

static bool has_lane_loop(const struct blocks *b) {
    return b->trips < 0 || b->trips >= LANES;
}

static void declare_terms(struct blocks *b, value v, int depth) {
    const char *type = type_text_of[dtype_of(b->w, v)];
    indent(b->w, depth);
    if (!has_lanes(b, v)) {
        ADD(b->w, "%s b%u[WG_BLOCK];\n", type, v);
        return;
    }
    ADD(b->w, "%s l%u[WG_LANES]%s, t%u[WG_LANES];\n", type, v, has_lane_loop(b) ? "" : " = {0}",
        v);
}

static void add_up_terms(struct blocks *b, value v, int depth) {
    struct writer *w = b->w;
    const char *type = short_name[dtype_of(w, v)];
    indent(w, depth);
    if (has_lanes(b, v)) {
        ADD(w, "wg_sum_add_lanes_%s(&r%u, l%u, t%u, count - whole);\n", type, v, v, v);
        return;
    }
    ADD(w, "wg_%s_add_%s(&r%u, ", reducer(w, v), type, v);
    if (terms_in_memory(w, v, b->plan)) {
        const struct access *a = &w->l->access.at[w->l->access_at[v]];
        struct plan rows = {.rows = b->plan->rows};
        struct site_of_use outside = {b->pass, &rows};
        add_memory(w, a->root);
        add(w, " + begin + ");
        add_index(w, a, &outside);
    } else {
        ADD(w, "b%u", v);
    }
    add(w, ", count);\n");
}

/* How many sums the group has, and what follows from that. gcc forgets which array it is that a
 * vector loop writes, and takes it to be any one, the lanes of sums among them. Of a pointer that
 * comes from nowhere it knows that it is no array whose address nobody has, as the lanes are. But
 * then it may be the caller's memory, which is read again each time: that costs more than one sum
 * would gain. */
static void count_sums(struct blocks *b, value first, int depth) {
    struct writer *w = b->w;
    const struct grouping *of = w->grouping;
    size_t largest = 1;
    b->sums = 0;
    for (value v = first; v && of[v].group == of[first].group; v = w->l->next[v]) {
        size_t size = wg_dtype_size((wg_dtype)dtype_of(w, v));
        if (!has_lanes(b, v)) continue;
        b->sums++;
        if (size > largest) largest = size;
    }
    if (b->sums) snprintf(b->at_once, sizeof b->at_once, "WG_AT_ONCE(%u, %zu)", b->sums, largest);
    else snprintf(b->at_once, sizeof b->at_once, "WG_LANES");
    b->suffix = b->sums > 1 ? "_p" : "";
    for (size_t i = 0; i < b->slots && b->sums > 1; i++) {
        indent(w, depth);
        ADD(w, "WG_POINTER(%s, w%zu_p, w%zu);\n", type_text_of[b->slot[i].dtype], i, i);
    }
}

static void add_group(struct blocks *b, value first, int depth) {
    const struct lowered *l = b->w->l;
    const struct grouping *of = b->w->grouping;
    uint32_t group = of[first].group;
    bool body = b->groups > 1;
    count_sums(b, first, depth);
    for (value v = first; v && of[v].group == group; v = l->next[v]) {
        body |= !is_reduction(b, v) || has_terms(b, v);
        if (has_terms(b, v)) declare_terms(b, v, depth);
    }
    /* Of a long pass all loops are over lanes: what is left over behind them is no vector code,
     * which takes compilers long. */
    if (body && (b->is_long || b->sums > 0)) {
        if (has_lane_loop(b) && b->sums > 0) add_sides(b, first, depth);
        else if (has_lane_loop(b)) add_lane_loop(b, first, "0", depth);
        if (b->trips < 0 || b->trips % LANES) add_group_loop(b, first, REST_LOOP, depth);
    } else if (body) {
        add_group_loop(b, first, PLAIN_LOOP, depth);
    }
    for (value v = first; v && of[v].group == group; v = l->next[v])
        if (is_reduction(b, v)) add_up_terms(b, v, depth);
}

/* ---- the pass -------------------------------------------------------------------------------- */

static void begin_reductions(struct blocks *b, int depth) {
    struct writer *w = b->w;
    for (value v = first_of(b); v; v = w->l->next[v]) {
        if (!is_reduction(b, v)) continue;
        const char *type = short_name[dtype_of(w, v)], *kind = reducer(w, v);
        indent(w, depth);
        if (kind[0] == 's') ADD(w, "wg_sum_%s r%u; wg_sum_begin_%s(&r%u);\n", type, v, type, v);
        else ADD(w, "wg_%s_%s r%u; wg_%s_begin_%s(&r%u, terms);\n", kind, type, v, kind, type, v);
    }
}

static void add_block(struct blocks *b, const char *end, int depth) {
    struct writer *w = b->w;
    const struct grouping *of = w->grouping;
    indent(w, depth);
    ADD(w, "const int64_t count = %s - begin < WG_BLOCK ? %s - begin : WG_BLOCK;\n", end, end);
    if (count_lanes(b) > 0 || b->is_long) {
        indent(w, depth);
        add(w, "const int64_t whole = count / WG_LANES * WG_LANES;\n");
    }
    for (size_t i = 0; i < b->slots; i++) {
        indent(w, depth);
        ADD(w, "%s w%zu[WG_BLOCK] WG_ALIGNED;\n", type_text_of[b->slot[i].dtype], i);
    }
    uint32_t group = UINT32_MAX;
    for (value v = first_of(b); v && w->ok; v = w->l->next[v]) {
        if (of[v].group == group) continue;
        group = of[v].group;
        if (b->groups == 1) {
            add_group(b, v, depth);
            continue;
        }
        indent(w, depth);
        add(w, "{\n");
        add_group(b, v, depth + 1);
        indent(w, depth);
        add(w, "}\n");
    }
}

static void add_block_loop(struct blocks *b, const char *start, const char *end, int depth) {
    struct writer *w = b->w;
    load_factors(w, &b->at, depth);
    indent(w, depth);
    ADD(w, "for (int64_t begin = %s; begin < %s; begin += WG_BLOCK) {\n", start, end);
    add_block(b, end, depth + 1);
    indent(w, depth);
    add(w, "}\n");
}

/* Threads, where there are some, share groups of blocks. */
static void add_all_blocks(struct blocks *b, int depth) {
    struct writer *w = b->w;
    if (!w->w->threads || b->plan->rows > 0) {
        add_block_loop(b, "0", "terms", depth);
        return;
    }
    open_groups(w, b->pass, depth);
    begin_reductions(b, depth + 2);
    add_block_loop(b, "start", "end", depth + 2);
    close_groups(w, b->pass, depth);
}

static void open_block(struct blocks *b, int depth) {
    struct writer *w = b->w;
    indent(w, depth);
    add(w, "{\n");
    indent(w, depth + 1);
    add(w, "const int64_t terms = ");
    add_trips(w, b->pass, b->plan, 0);
    add(w, ";\n");
}

void add_blocks(struct writer *w, uint32_t pass, const struct plan *plan, int depth) {
    struct blocks b = {
        .w = w, .pass = pass, .plan = plan, .at = {pass, plan}, .reduces = true};
    const struct lowered *l = w->l;
    b.trips = constant_trips(&b);
    form_groups(&b);
    for (value v = first_of(&b); v; v = l->next[v])
        if (is_reduction(&b, v)) declare_number(w, v, depth);
    open_block(&b, depth);
    begin_reductions(&b, depth + 1);
    add_all_blocks(&b, depth + 1);
    for (value v = first_of(&b); v; v = l->next[v]) {
        if (!is_reduction(&b, v)) continue;
        indent(w, depth + 1);
        ADD(w, "v%u = wg_%s_total_%s(&r%u);\n", v, reducer(w, v), short_name[dtype_of(w, v)], v);
    }
    indent(w, depth);
    add(w, "}\n");
    for (value v = first_of(&b); v; v = l->next[v])
        if (is_reduction(&b, v)) end_reduction(w, v, depth);
}

bool add_cut_loop(struct writer *w, uint32_t pass, const struct plan *plan, int depth) {
    struct blocks b = {.w = w, .pass = pass, .plan = plan, .at = {pass, plan}};
    b.trips = constant_trips(&b);
    form_groups(&b);
    if (b.groups == 1) return false;
    if (plan->pieces) {
        add_block_loop(&b, "piece", "end", depth);
        return true;
    }
    open_block(&b, depth);
    add_block_loop(&b, "0", "terms", depth + 1);
    indent(w, depth);
    add(w, "}\n");
    return true;
}
