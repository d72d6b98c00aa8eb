/* Loops and branches: statements whose bodies assign names from before them, the expression
 * if c then a else b, and calls with an index, sum(i in 0:n: x[i]^2). Which names a body assigns is
 * found before it is read, by its tokens alone: of a loop these are what is carried, of a branch
 * its results. What a body reads from outside needs no word: the graph captures it. Ranges are half
 * open; their ends are extents, or values, of which loops around tell the bounds. */
#include "lang/lang.h"
#include "op/describe.h"
#include "op/face.h"

#include <math.h>

static int shown(size_t length) { return (int)(length < 64 ? length : 64); }

static bool spells(const struct token *t, const char *word) {
    return t->kind == T_NAME && is_word(t->start, t->length, word);
}

static wg_var var_of(const struct parser *p, value v) { return (wg_var){p->g, v}; }

/* ---- what a body assigns --------------------------------------------------------------------- */

/* Takes the tokens up to one of these kinds (0: none) outside of brackets, a line end or '}'. */
static void skip_to(struct parser *p, unsigned a, unsigned b) {
    size_t brackets = p->in.brackets;
    for (unsigned kind; (kind = token_kind(p)) != T_END; lex_next(p)) {
        if (p->in.brackets > brackets) continue;
        if (kind == T_NEWLINE || kind == '}' || (a && kind == a) || (b && kind == b)) break;
    }
}

/* Takes an `else`, which may stand on the line behind the brace. */
static bool take_else(struct parser *p) {
    struct reader here = p->in;
    skip_newlines(p);
    if (lex_take(p, T_ELSE)) return true;
    p->in = here;
    return false;
}

static void note_assigned(struct parser *p, const struct token *name) {
    struct name *known = names_find(&p->names, p->scope, name->start, name->length);
    if (!known || known->is_index || known->seen == p->looks_ahead) return;
    known->seen = p->looks_ahead;
    size_t *index = VEC_PUSH(&p->g->t.allocator, &p->assigned);
    if (index)
        *index = (size_t)(known - p->names.stack.at);
    else
        parse_memory(p);
}

/* Of a statement, up to the brace in it or its end. */
static void look_at_statement(struct parser *p) {
    unsigned kind = token_kind(p);
    if (kind == T_FOR || kind == T_WHILE || kind == T_IF) {
        skip_to(p, '{', T_THEN);
        if (token_kind(p) != '{') skip_to(p, 0, 0);
        return;
    }
    struct token name = p->in.token;
    if (kind == '(') {
        struct reader here = p->in;
        do lex_next(p);
        while (lex_take(p, T_NAME) && token_kind(p) == ',');
        bool several = token_kind(p) == ')' && lex_peek(p) == '=';
        p->in = here;
        do {
            lex_next(p);
            name = p->in.token;
            if (several) note_assigned(p, &name);
        } while (several && lex_take(p, T_NAME) && token_kind(p) == ',');
    } else if (lex_take(p, T_NAME)) {
        while (token_kind(p) == '[') {
            size_t brackets = p->in.brackets;
            do lex_next(p);
            while (token_kind(p) != T_END && p->in.brackets > brackets);
        }
        kind = token_kind(p);
        if (kind == '=' || (kind >= T_INCREASE && kind <= T_DIVIDE)) note_assigned(p, &name);
    }
    skip_to(p, 0, 0);
}

/* Of { statements }, which it takes: the names that they assign and that are there already go to
 * the end of parser.assigned. */
static void look_at_body(struct parser *p) {
    size_t braces = 0;
    if (token_kind(p) != '{') return; /* told when it is read */
    do {
        if (lex_take(p, '{')) {
            braces++;
            continue;
        }
        if (lex_take(p, '}')) {
            braces--;
            if (braces && take_else(p)) skip_to(p, '{', 0);
            continue;
        }
        if (lex_take(p, T_NEWLINE)) continue;
        if (lex_take(p, T_LET))
            skip_to(p, 0, 0);
        else if (token_kind(p) == T_ELSE)
            lex_next(p); /* misplaced */
        else
            look_at_statement(p);
    } while (braces && token_kind(p) != T_END);
}

/* The names of parser.assigned from `first` on, of which there must be one. */
static bool something_changes(struct parser *p, size_t first, struct place place,
                              const char *what) {
    size_t count = p->assigned.count - first;
    if (count > 0 && count < 255) return !parse_failed(p);
    parse_fail(p, place, count ? WG_EOVERFLOW : WG_ENAME,
               count ? "this %s assigns more than 254 names" : "this %s changes nothing", what);
    if (!count && strcmp(what, "if") == 0)
        parse_hint(p, "give a name a value before it, or write y = if c then a else b; what is new "
                      "in it is local");
    else if (!count)
        parse_hint(p, "it changes names that have a value before it: let s = 0; what is new in it "
                      "is local");
    return false;
}

static struct name *assigned_name(struct parser *p, size_t index) {
    return &p->names.stack.at[p->assigned.at[index]];
}

bool known_bounds(struct parser *p, value v, wg_extent *low, wg_extent *high) {
    return value_bounds(p->g, p->bounded.at, p->bounded.count, v, low, high);
}

struct open_loop *loop_over(struct parser *p, value index, value x) {
    for (size_t k = p->loop.count; k-- > 0;) {
        struct open_loop *loop = &p->loop.at[k];
        const wg_type *type = term_type(p, x);
        if (index == loop->index && index == loop->name)
            return x < loop->begin && type->rank && type->extent[0] == loop->length ? loop : NULL;
    }
    return NULL;
}

/* ---- ranges ---------------------------------------------------------------------------------- */

struct range {
    struct place place;
    struct term start, stop, limit;
    int64_t step;
    bool is_reversed;
};

static void read_step(struct parser *p, struct range *r) {
    struct place place = p->in.token.place;
    struct term step = expression(p);
    wg_extent extent;
    if (parse_failed(p)) return;
    if (step.kind == TERM_NUMBER && term_is_extent(p, step, &extent) && extent > 0) {
        r->step = extent;
        return;
    }
    parse_fail(p, place, WG_ESYNTAX, "the step of a range is a whole number above 0");
    parse_hint(p, "backwards is reverse(0:n)");
}

/* start:stop, start:stop:step, reverse(start:stop) */
static struct range read_range(struct parser *p, bool has_step) {
    struct range r = {.place = p->in.token.place, .step = 1};
    struct token token = p->in.token;
    r.is_reversed = spells(&token, "reverse") && lex_peek(p) == '(';
    if (r.is_reversed) {
        lex_next(p);
        lex_next(p);
        has_step = true;
    }
    r.start = expression(p);
    if (!lex_take(p, ':')) {
        lex_unexpected(p, "':' and the end of the range");
        parse_hint(p, "a range is start:stop, without its stop: 0:n");
    }
    r.stop = expression(p);
    if (has_step && lex_take(p, ':')) read_step(p, &r);
    if (r.is_reversed) lex_expect(p, ')', "')'");
    return r;
}

static wg_extent read_limit(struct parser *p) {
    struct place place = p->in.token.place;
    struct term term = expression(p);
    wg_extent limit = 0;
    if (!parse_failed(p) && !term_is_extent(p, term, &limit) && !parse_failed(p))
        parse_fail(p, place, WG_ESHAPE, "a limit is made of whole numbers and named sizes");
    return limit;
}

/* What may stand behind a range or a condition: how many iterations there are at most, and how many
 * snapshots reverse mode keeps. */
struct bounds {
    bool has_limit;
    wg_extent limit;
    int64_t snapshots; /* 0: none */
};

static struct bounds read_bounds(struct parser *p) {
    struct bounds b = {.limit = WG_UNBOUNDED};
    if (!parse_failed(p) && spells(&p->in.token, "limit")) {
        lex_next(p);
        b.has_limit = true;
        b.limit = read_limit(p);
    }
    if (!parse_failed(p) && spells(&p->in.token, "keep")) {
        lex_next(p);
        struct place place = p->in.token.place;
        struct term term = expression(p);
        bool is_number = !parse_failed(p) && term_is_extent(p, term, &b.snapshots);
        if (!parse_failed(p) && (!is_number || b.snapshots < 1 || b.snapshots > INT16_MAX))
            parse_fail(p, place, WG_EARGUMENT, "a loop keeps a number of snapshots, 1 to %d",
                       INT16_MAX);
    }
    return b;
}

static value end_value(struct parser *p, struct term t, wg_extent extent) {
    return t.kind == TERM_NUMBER ? build_number(p->g, WG_I64, t.as.number)
                                 : build_extent(p->g, extent);
}

static value range_end(struct parser *p, struct term t, wg_extent *low, wg_extent *high,
                       bool *is_bounded) {
    if (term_is_extent(p, t, low)) {
        *high = *low;
        return end_value(p, t, *low);
    }
    if (parse_failed(p)) return 0;
    value v = term_build(p, t, WG_I64);
    const wg_type *type = v ? term_type(p, v) : NULL;
    if (v && (type->rank || type->dtype != WG_I64)) {
        graph_fail(p->g, WG_EDTYPE, "an end of a range is a whole number, not %s",
                   type_name(p->g, v).text);
        graph_hint(p->g, "a size, a value of i64, or what is converted: i64(x)");
        return 0;
    }
    *is_bounded = *is_bounded && v && known_bounds(p, v, low, high);
    return v;
}

/* At least 0 whatever the sizes are: a bound that is too high by one or two does no harm. */
static wg_extent not_negative(struct parser *p, wg_extent e) {
    for (int k = 0; k < 4 && !extent_provably_le(p->g, 0, e); k++) e = extent_add(p->g, e, 1);
    return e;
}

/* Begins the loop and binds its index. */
static bool open_range(struct parser *p, const struct token *name, const struct range *r,
                       bool has_limit, wg_extent limit, bool is_exact) {
    wg_graph *g = p->g;
    wg_extent start = 0, stop = 0, ends[2], length = WG_UNBOUNDED;
    value from = 0, count = 0;
    struct open_loop loop = {.is_bounded = true};
    if (parse_failed(p)) return false;
    parse_at(p, r->place);
    if (term_is_extent(p, r->start, &start) && term_is_extent(p, r->stop, &stop)) {
        graph_require(g, start, stop, false, "range");
        length = extent_sub(g, stop, start);
        if (r->step > 1 && (is_exact || length >= 0))
            slice_count(g, start, stop, r->step, &length);
        else if (r->step > 1)
            count = build_extent(g, length);
        loop.low = start;
        loop.high = extent_sub(g, stop, 1);
        from = start ? end_value(p, r->start, start) : 0;
    } else if (!parse_failed(p)) {
        from = range_end(p, r->start, &loop.low, &ends[0], &loop.is_bounded);
        value to = range_end(p, r->stop, &ends[1], &loop.high, &loop.is_bounded);
        count = build_sub(g, to, from);
        if (loop.is_bounded && !has_limit)
            length = not_negative(p, extent_sub(g, loop.high, loop.low));
        if (loop.is_bounded) loop.high = extent_sub(g, loop.high, 1);
    }
    if (count && r->step > 1)
        count = build_binary(g, OP_idiv,
                             build_add(g, count, build_number(g, WG_I64, (double)r->step - 1)),
                             build_number(g, WG_I64, (double)r->step));
    if (has_limit && count) length = limit;
    if (parse_failed(p)) return false;
    if (count && is_exact) {
        parse_fail(p, r->place, WG_ESHAPE,
                   "a map goes over a range of extents: the end is a value");
        parse_hint(p, "go over all, and choose in the body: if i < k then x[i] else 0");
        return false;
    }
    loop.length = length;
    loop.is_counted = count != 0;
    loop.begin = (value)g->t.instr.count;
    loop.loop = wg_loop_begin_at(NULL, SAME_SITE, g, length);
    if (!loop.loop) return false;
    if (count) wg_loop_count_at(NULL, SAME_SITE, loop.loop, var_of(p, count));
    if (r->is_reversed) wg_loop_backwards(loop.loop);
    loop.index = loop.name = wg_loop_index_at(NULL, SAME_SITE, loop.loop).id;
    if (r->step > 1) loop.name = build_mul(g, loop.name, build_number(g, WG_I64, (double)r->step));
    if (from) loop.name = build_add(g, from, loop.name);
    struct open_loop *open = VEC_PUSH(&g->t.allocator, &p->loop);
    if (!open) {
        parse_memory(p);
        wg_loop_end_at(NULL, SAME_SITE, loop.loop, NULL);
        return false;
    }
    loop.bounded = p->bounded.count;
    if (loop.is_bounded) {
        struct bounded *known = VEC_PUSH(&g->t.allocator, &p->bounded);
        if (known)
            *known = (struct bounded){loop.name, loop.low, loop.high};
        else
            parse_memory(p);
    }
    *open = loop;
    bind_name(p, name, term_value(loop.name));
    struct name *bound = names_find(&p->names, p->scope, name->start, name->length);
    if (bound) bound->is_index = true;
    return true;
}

/* Ends the innermost loop. */
static value close_loop(struct parser *p, struct place place, wg_var *result) {
    parse_at(p, place);
    const struct open_loop *loop = &p->loop.at[--p->loop.count];
    p->bounded.count = loop->bounded;
    return wg_loop_end_at(NULL, SAME_SITE, loop->loop, result).id;
}

/* ---- loops that carry ------------------------------------------------------------------------ */

/* What the names assigned have before the loop becomes what it carries. */
static void carry_all(struct parser *p, size_t first, wg_loop *loop, wg_var *carry) {
    for (size_t i = first; i < p->assigned.count && !parse_failed(p); i++) {
        struct name *name = assigned_name(p, i);
        value v = term_default(p, name->term);
        if (!v) return;
        carry[i - first] = wg_loop_carry_at(NULL, SAME_SITE, loop, var_of(p, v));
        name->term = term_value(carry[i - first].id);
    }
}

static void change_of_type(struct parser *p, const struct name *name, value before, value after,
                           const char *what) {
    const wg_type *was = term_type(p, before), *is = term_type(p, after);
    bool shape = was->dtype == is->dtype;
    parse_fail(p, name->assigned, shape ? WG_ESHAPE : WG_EDTYPE,
               "'%.*s' is %s before the %s, and "
               "%s behind it",
               shown(name->length), name->start, type_name(p->g, before).text, what,
               type_name(p->g, after).text);
    if (shape)
        parse_hint(p,
                   "what is assigned in a %s keeps its shape: begin with one of that shape, as "
                   "zeros(n)",
                   what);
    else
        parse_hint(p, "begin with one of that type: %s(0)", wg_dtype_name((wg_dtype)is->dtype));
}

static void carry_on(struct parser *p, size_t first, wg_loop *loop, const wg_var *carry) {
    for (size_t i = first; i < p->assigned.count && !parse_failed(p); i++) {
        const struct name *name = assigned_name(p, i);
        value was = carry[i - first].id;
        parse_at(p, name->assigned);
        value next = term_build(p, name->term, (wg_dtype)term_type(p, was)->dtype);
        if (!next) return;
        if (!type_equal(term_type(p, was), term_type(p, next)))
            change_of_type(p, name, was, next, "loop");
        else
            wg_loop_next_at(NULL, SAME_SITE, loop, carry[i - first], var_of(p, next));
    }
}

static void take_results(struct parser *p, size_t first, const wg_var *result) {
    for (size_t i = first; i < p->assigned.count && !parse_failed(p); i++)
        assigned_name(p, i)->term = term_value(result[i - first].id);
    p->assigned.count = first;
}

/* Room for a variable of every name assigned. NULL and an error without memory. */
static wg_var *variables(struct parser *p, size_t count) {
    wg_var *list = mem_alloc_zero(&p->g->t.allocator, (count + 1) * sizeof *list);
    if (!list) parse_memory(p);
    return list;
}

static void free_variables(struct parser *p, wg_var *list, size_t count) {
    if (list) mem_free(&p->g->t.allocator, list, (count + 1) * sizeof *list);
}

/* The names that the body assigns, which is next and stays so; what is assigned by bodies around
 * stands before them. */
static size_t look_ahead(struct parser *p) {
    struct reader here = p->in;
    size_t first = p->assigned.count;
    p->looks_ahead++;
    look_at_body(p);
    p->in = here;
    return first;
}

/* The loop is open; its body is next. */
static void carrying_body(struct parser *p, size_t first, struct place place, wg_var *carry) {
    wg_loop *loop = p->loop.at[p->loop.count - 1].loop;
    if (!parse_failed(p)) read_branch_body(p);
    carry_on(p, first, loop, carry);
    close_loop(p, place, carry);
    take_results(p, first, carry);
}

void for_statement(struct parser *p) {
    struct place place = p->in.token.place;
    lex_next(p);
    struct token name = p->in.token;
    if (!lex_expect(p, T_NAME, "the name of the index") || !lex_expect(p, T_IN, "'in'")) return;
    struct range range = read_range(p, true);
    struct bounds bounds = read_bounds(p);
    if (!parse_failed(p) && token_kind(p) != '{') lex_unexpected(p, "'{' or a limit");
    if (parse_failed(p)) return;
    size_t first = look_ahead(p), count = p->assigned.count - first;
    size_t names = p->names.stack.count;
    wg_var *carry = something_changes(p, first, place, "loop") ? variables(p, count) : NULL;
    if (carry && open_range(p, &name, &range, bounds.has_limit, bounds.limit, false)) {
        wg_loop *loop = p->loop.at[p->loop.count - 1].loop;
        parse_at(p, place);
        wg_loop_checkpoints_at(NULL, SAME_SITE, loop, bounds.snapshots);
        carry_all(p, first, loop, carry);
        carrying_body(p, first, place, carry);
    }
    p->assigned.count = first;
    free_variables(p, carry, count);
    names_end(p, names);
}

/* Takes the condition's tokens, and says where its bounds stand, if there are any: `limit` or
 * `keep` behind what may end an operand. */
static bool skip_condition(struct parser *p, struct reader *bounds) {
    size_t brackets = p->in.brackets;
    unsigned last = T_WHILE, kind;
    bool found = false;
    for (; (kind = token_kind(p)) != '{' && kind != T_NEWLINE && kind != T_END; lex_next(p)) {
        bool ends = last == ')' || last == ']' || last == '\'' || last == T_NAME ||
                    last == T_NUMBER || (last >= T_TRUE && last <= T_NAN);
        if (ends && !found && p->in.brackets == brackets &&
            (spells(&p->in.token, "limit") || spells(&p->in.token, "keep"))) {
            *bounds = p->in;
            found = true;
        }
        last = kind;
    }
    return found;
}

/* A truth for the whole of a loop or branch. */
static value condition_of(struct parser *p, struct term t, struct place place, const char *what) {
    parse_at(p, place);
    value v = term_default(p, t);
    if (!v || (term_type(p, v)->rank == 0 && term_type(p, v)->dtype == WG_BOOL)) return v;
    bool many = term_type(p, v)->dtype == WG_BOOL;
    parse_fail(p, place, many ? WG_ESHAPE : WG_EDTYPE, "the condition of %s is %s, not bool", what,
               type_name(p->g, v).text);
    parse_hint(p, many ? "where(c, a, b) chooses element by element; any(c), all(c) are one truth"
                       : "compare: x != 0");
    return 0;
}

void while_statement(struct parser *p) {
    struct place place = p->in.token.place;
    lex_next(p);
    struct reader condition = p->in, bounds_at = p->in;
    struct bounds bounds = {.limit = WG_UNBOUNDED};
    bool has_bounds = skip_condition(p, &bounds_at);
    struct reader body = p->in;
    if (token_kind(p) != '{') {
        lex_unexpected(p, "'{' and the body of the loop");
        return;
    }
    size_t first = look_ahead(p), count = p->assigned.count - first;
    if (has_bounds) {
        p->in = bounds_at;
        bounds = read_bounds(p);
        if (!parse_failed(p) && token_kind(p) != '{') lex_unexpected(p, "'{'");
    }
    wg_var *carry = something_changes(p, first, place, "loop") ? variables(p, count) : NULL;
    parse_at(p, place);
    struct open_loop open = {.begin = (value)p->g->t.instr.count, .length = bounds.limit,
                             .bounded = p->bounded.count};
    if (carry) open.loop = wg_loop_begin_at(NULL, SAME_SITE, p->g, bounds.limit);
    wg_loop_checkpoints_at(NULL, SAME_SITE, open.loop, bounds.snapshots);
    struct open_loop *new = open.loop ? VEC_PUSH(&p->g->t.allocator, &p->loop) : NULL;
    if (new) {
        *new = open;
        carry_all(p, first, open.loop, carry);
        p->in = condition;
        struct term term = expression(p);
        if (!parse_failed(p) &&
            p->in.token.place.at != (has_bounds ? bounds_at : body).token.place.at)
            lex_unexpected(p, "an operator, 'limit' or '{'");
        value v = condition_of(p, term, condition.token.place, "a loop");
        if (v) wg_loop_while_at(NULL, SAME_SITE, open.loop, var_of(p, v));
        p->in = body;
        carrying_body(p, first, place, carry);
    } else if (open.loop) {
        parse_memory(p);
        wg_loop_end_at(NULL, SAME_SITE, open.loop, NULL);
    }
    p->assigned.count = first;
    free_variables(p, carry, count);
}

/* ---- branches -------------------------------------------------------------------------------- */

/* Ends a case with what the names have now, and gives them back what they had before. The first
 * case decides on types: a plain number takes that of the value before, or is f64. */
static void end_case(struct parser *p, size_t first, wg_branch *branch, const struct term *before,
                     wg_var *result, bool is_first) {
    size_t count = p->assigned.count - first;
    for (size_t i = 0; i < count && !parse_failed(p); i++) {
        struct name *name = assigned_name(p, first + i);
        wg_dtype dtype = WG_F64;
        if (!is_first)
            dtype = (wg_dtype)term_type(p, result[i].id)->dtype;
        else if (before[i].kind == TERM_VALUE)
            dtype = (wg_dtype)term_type(p, before[i].as.v)->dtype;
        else if (name->term.kind == TERM_EXTENT)
            dtype = WG_I64;
        parse_at(p, name->assigned);
        value v = term_build(p, name->term, dtype);
        if (!v) break;
        if (!is_first && !type_equal(term_type(p, v), term_type(p, result[i].id))) {
            const wg_type *a = term_type(p, result[i].id), *b = term_type(p, v);
            bool shape = a->dtype == b->dtype;
            parse_fail(p, name->assigned, shape ? WG_ESHAPE : WG_EDTYPE,
                       "'%.*s' is %s if the condition holds, and %s if not", shown(name->length),
                       name->start, type_name(p->g, result[i].id).text, type_name(p->g, v).text);
            break;
        }
        result[i] = var_of(p, v);
    }
    if (!parse_failed(p)) wg_branch_case_at(NULL, SAME_SITE, branch, count, result);
    for (size_t i = 0; i < count; i++) assigned_name(p, first + i)->term = before[i];
}

/* The names that any of the cases assigns; the first body is next and stays so. */
static size_t look_at_cases(struct parser *p) {
    struct reader here = p->in;
    size_t first = p->assigned.count;
    p->looks_ahead++;
    look_at_body(p);
    while (!parse_failed(p) && take_else(p)) {
        bool chained = token_kind(p) == T_IF;
        if (chained) skip_to(p, '{', 0);
        look_at_body(p);
        if (!chained) break;
    }
    p->in = here;
    return first;
}

void if_statement(struct parser *p) {
    struct place place = p->in.token.place;
    lex_next(p);
    struct place at = p->in.token.place;
    struct term term = expression(p);
    value condition = condition_of(p, term, at, "an if");
    if (!parse_failed(p) && token_kind(p) != '{') lex_unexpected(p, "an operator or '{'");
    if (parse_failed(p)) return;
    size_t first = look_at_cases(p), count = p->assigned.count - first;
    wg_var *result = something_changes(p, first, place, "if") ? variables(p, count) : NULL;
    struct term *before = result ? mem_alloc(&p->g->t.allocator, count * sizeof *before) : NULL;
    if (result && !before) parse_memory(p);
    for (size_t i = 0; before && i < count; i++) before[i] = assigned_name(p, first + i)->term;
    parse_at(p, place);
    wg_branch *branch = before ? wg_branch_begin_at(NULL, SAME_SITE, p->g, var_of(p, condition))
                               : NULL;
    if (branch) {
        read_branch_body(p);
        end_case(p, first, branch, before, result, true);
        if (!parse_failed(p) && take_else(p)) {
            p->body_depth++;
            enter_level(p);
            if (token_kind(p) == T_IF)
                if_statement(p);
            else
                read_branch_body(p);
            p->depth--;
            p->body_depth--;
        }
        end_case(p, first, branch, before, result, false);
        parse_at(p, place);
        wg_branch_end_at(NULL, SAME_SITE, branch, result);
        take_results(p, first, result);
    }
    p->assigned.count = first;
    if (before) mem_free(&p->g->t.allocator, before, count * sizeof *before);
    free_variables(p, result, count);
}

struct term if_expression(struct parser *p, struct place place) {
    struct place at = p->in.token.place;
    struct term term = expression(p);
    value condition = condition_of(p, term, at, "an if");
    if (!parse_failed(p)) skip_newline_before(p, T_THEN);
    if (!lex_expect(p, T_THEN, "an operator or 'then'")) return term_none();
    parse_at(p, place);
    wg_branch *branch = wg_branch_begin_at(NULL, SAME_SITE, p->g, var_of(p, condition));
    if (!branch) return term_none();
    wg_var result = {0};
    value v[2] = {0};
    for (size_t k = 0; k < 2 && !parse_failed(p); k++) {
        at = p->in.token.place;
        term = expression(p);
        parse_at(p, at);
        v[k] = k ? term_build(p, term, (wg_dtype)term_type(p, v[0])->dtype) : term_default(p, term);
        if (k && v[1] && !type_equal(term_type(p, v[0]), term_type(p, v[1]))) {
            bool shape = term_type(p, v[0])->dtype == term_type(p, v[1])->dtype;
            parse_fail(p, at, shape ? WG_ESHAPE : WG_EDTYPE, "one is %s, the other %s",
                       type_name(p->g, v[0]).text, type_name(p->g, v[1]).text);
            parse_hint(p, "both are of one shape and element type");
        }
        result = var_of(p, v[k]);
        if (!parse_failed(p)) wg_branch_case_at(NULL, SAME_SITE, branch, 1, &result);
        if (k == 0 && !parse_failed(p)) {
            skip_newline_before(p, T_ELSE);
            lex_expect(p, T_ELSE, "an operator or 'else'");
        }
    }
    parse_at(p, place);
    wg_branch_end_at(NULL, SAME_SITE, branch, &result);
    return parse_failed(p) ? term_none() : term_value(result.id);
}

/* ---- calls with an index --------------------------------------------------------------------- */

bool comprehension_ahead(struct parser *p) {
    struct reader here = p->in;
    bool yes = lex_take(p, '(') && lex_take(p, T_NAME) && token_kind(p) == T_IN;
    p->in = here;
    return yes;
}

/* Whether two colons or more stand outside of brackets before the call ends. */
static bool step_ahead(struct parser *p) {
    struct reader here = p->in;
    size_t colons = 0;
    for (unsigned kind; (kind = token_kind(p)) != T_END; lex_next(p)) {
        if (p->in.brackets > here.brackets) continue;
        if (kind == ')' && p->in.brackets == here.brackets) break;
        colons += kind == ':';
    }
    p->in = here;
    return colons > 2;
}

/* What a reduction has for an iteration that did not run. */
static const struct reduction {
    const char *name;
    value (*build)(wg_graph *, value, uint32_t);
    double neutral;
} reductions[] = {
    {"map", NULL, 0},
    {"sum", build_sum, 0},
    {"prod", build_prod, 1},
    {"max", build_reduce_max, -INFINITY},
    {"min", build_reduce_min, INFINITY},
    {"any", build_any, 0},
    {"all", build_all, 1},
};

/* The stack of results, those that did not run neutral. */
static value neutralised(struct parser *p, const struct reduction *r, value stack, value ran) {
    wg_graph *g = p->g;
    if (!stack || !ran || !r->build || r->neutral == 0) return stack;
    const wg_type *type = term_type(p, stack);
    if (!dtype_is_float(type->dtype) && r->neutral != 1)
        return graph_fail(g, WG_EDTYPE, "%s of integers over a range whose end is a value",
                          r->name);
    wg_type mask = *type;
    mask.dtype = WG_BOOL;
    value runs = build_binary(g, OP_lt, build_iota(g, type->extent[0]), ran);
    return build_where(g, build_broadcast(g, runs, &mask, 1), stack,
                       build_like(g, stack, r->neutral));
}

struct term comprehension(struct parser *p, const struct token *name) {
    const struct reduction *r = NULL;
    for (size_t i = 0; i < COUNT_OF(reductions); i++)
        if (spells(name, reductions[i].name)) r = &reductions[i];
    lex_next(p);
    struct token index = p->in.token;
    if (!r) {
        parse_fail(p, index.place, WG_ESYNTAX, "%.*s takes no index", shown(name->length),
                   name->start);
        parse_hint(p, "map, sum, prod, max, min, any and all do: sum(i in 0:n: x[i])");
        return term_none();
    }
    lex_next(p);
    lex_next(p);
    size_t names = p->names.stack.count;
    struct range range = read_range(p, step_ahead(p));
    lex_expect(p, ':', "':' and an expression in the index");
    wg_var stack = {0};
    value ran = 0;
    if (open_range(p, &index, &range, false, 0, !r->build)) {
        struct term term = expression(p);
        parse_at(p, name->place);
        value v = term_default(p, term);
        struct open_loop loop = p->loop.at[p->loop.count - 1];
        if (v) wg_loop_collect_at(NULL, SAME_SITE, loop.loop, var_of(p, v));
        value times = close_loop(p, name->place, &stack);
        if (loop.is_counted) ran = times;
    }
    lex_expect(p, ')', "an operator or ')'");
    names_end(p, names);
    parse_at(p, name->place);
    if (parse_failed(p)) return term_none();
    value v = neutralised(p, r, stack.id, ran);
    return term_value(r->build ? r->build(p->g, v, 1) : v);
}
