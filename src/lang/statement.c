/* Statements: what is given a name, and blocks of such. A name is given once in a straight text;
 * bodies of loops and branches assign those from before them anew, and then the block's results are
 * what their names stand for at its end. A body ends with its names; inputs of a bare formula that
 * it was the first to use stay. What loops and branches do with a body is control.c, x[i] = ...
 * is update.c. */
#include "lang/lang.h"

static int shown(size_t length) { return (int)(length < 64 ? length : 64); }

static void add_output(struct parser *p, const char *name, size_t length, struct place place,
                       struct term term) {
    if (parse_failed(p)) return;
    struct output *output = VEC_PUSH(&p->g->t.allocator, &p->output);
    if (output)
        *output = (struct output){name, length, place, term};
    else
        parse_memory(p);
}

/* Gives a name its value: a new name, or one that an update, or the body of a loop or branch, has
 * from before. */
void assign_name(struct parser *p, const struct token *name, struct term term, bool anew) {
    if (parse_failed(p)) return;
    struct name *known = names_find(&p->names, p->scope, name->start, name->length);
    if (!known || !(anew || p->body_depth)) {
        bind_name(p, name, term);
        known = names_find(&p->names, p->scope, name->start, name->length);
        if (known) known->assigned = name->place;
        return;
    }
    bool awaited = p->body_depth == 0 || !known->is_input;
    for (size_t i = p->assigned.count; i-- > 0 && !awaited;)
        awaited = p->assigned.at[i] == (size_t)(known - p->names.stack.at);
    if (known->is_index) {
        parse_fail(p, name->place, WG_ENAME, "'%.*s' is the index of a loop, which is not assigned",
                   shown(name->length), name->start);
        parse_hint(p, "use another name in the body");
    } else if (!awaited) {
        parse_fail(p, name->place, WG_ENAME, "the input '%.*s' is assigned by the body that is the "
                   "first to use it", shown(name->length), name->start);
        parse_hint(p, "begin with a name of your own before the loop: let t = %.*s",
                   shown(name->length), name->start);
    }
    known->term = term;
    known->assigned = name->place;
}

/* y = ..., let t = ...; the name is next. */
static void assignment(struct parser *p, bool local) {
    struct token name = p->in.token;
    lex_next(p);
    lex_next(p);
    struct term term = expression(p);
    if (local) bind_name(p, &name, term);
    else assign_name(p, &name, term, false);
    if (!local && p->body_depth == 0) add_output(p, name.start, name.length, name.place, term);
}

/* Whether names in brackets and = come next: (a, b) = ... */
OUT_OF_LINE static bool several_ahead(struct parser *p) {
    struct reader here = p->in;
    do lex_next(p);
    while (lex_take(p, T_NAME) && token_kind(p) == ',');
    bool yes = token_kind(p) == ')' && lex_peek(p) == '=';
    p->in = here;
    return yes;
}

/* (a, b) = f(x) */
OUT_OF_LINE static void several_assignment(struct parser *p, bool local) {
    struct reader names = p->in;
    size_t first = p->output.count, count = 0;
    do {
        lex_next(p);
        lex_take(p, T_NAME);
        count++;
    } while (token_kind(p) == ',');
    lex_next(p);
    lex_next(p);
    struct token function = p->in.token;
    if (!lex_expect(p, T_NAME, "the call of a function with several results")) return;
    if (token_kind(p) != '(') lex_unexpected(p, "'('");
    enter_level(p);
    if (!parse_failed(p)) call_several(p, &function, first);
    p->depth--;
    if (!parse_failed(p) && p->output.count - first != count)
        parse_fail(p, function.place, WG_EARGUMENT, "%.*s gives %zu result%s for %zu names",
                   (int)(function.length < 64 ? function.length : 64), function.start,
                   p->output.count - first, p->output.count - first == 1 ? "" : "s", count);
    struct reader behind = p->in;
    p->in = names;
    for (size_t i = 0; i < count && !parse_failed(p); i++) {
        lex_next(p);
        struct output *output = &p->output.at[first + i];
        struct token name = p->in.token;
        if (local) bind_name(p, &name, output->term);
        else assign_name(p, &name, output->term, false);
        output->name = name.start;
        output->length = name.length;
        output->place = name.place;
        lex_next(p);
    }
    p->in = behind;
    if (local || p->body_depth) p->output.count = first;
}

/* A result without a name. Where a line begins with an operator, it may be meant to continue the
 * one before it: that is an error, not a second result. */
static void bare_expression(struct parser *p, bool is_first) {
    unsigned kind = token_kind(p);
    struct place place = p->in.token.place;
    if (p->body_depth) {
        parse_fail(p, place, WG_ESYNTAX, "an expression alone does nothing in a loop or branch");
        parse_hint(p, "assign it: s = ..., s += ..., x[i] = ...");
        return;
    }
    if (!is_first && (kind == '+' || kind == '-')) {
        parse_fail(p, place, WG_ESYNTAX, "a line begins with '%c'", (int)kind);
        parse_hint(p, "put the sign at the end of the line before, or brackets around the "
                      "expression");
        return;
    }
    add_output(p, "", 0, place, expression(p));
}

OUT_OF_LINE static void refuse_definition(struct parser *p) {
    struct token name;
    if (!definition_ahead(p, &name)) return;
    parse_fail(p, name.place, WG_ESYNTAX, "a function is defined within a formula");
    parse_hint(p, "put it above");
}

static bool is_update(unsigned kind) { return kind >= T_INCREASE && kind <= T_DIVIDE; }

/* Whether x += ... or x[...] = ... comes next. */
OUT_OF_LINE static bool update_ahead(struct parser *p) {
    struct reader here = p->in;
    if (!lex_take(p, T_NAME)) return false;
    bool indexed = token_kind(p) == '[';
    size_t open = 0;
    while (indexed && token_kind(p) != T_END) {
        if (token_kind(p) == '[') open++;
        bool last = token_kind(p) == ']' && --open == 0;
        lex_next(p);
        if (last && token_kind(p) != '[') break;
    }
    bool yes = is_update(token_kind(p)) || (indexed && token_kind(p) == '=');
    p->in = here;
    return yes;
}

/* Whether an `if` is a statement: its body in braces comes before a `then`. */
OUT_OF_LINE static bool if_is_statement(struct parser *p) {
    struct reader here = p->in;
    unsigned kind;
    do {
        lex_next(p);
        kind = token_kind(p);
    } while (kind != T_END && (p->in.brackets > here.brackets ||
                               (kind != '{' && kind != T_THEN && kind != T_NEWLINE)));
    p->in = here;
    return kind == '{';
}

static void statement(struct parser *p, bool is_first) {
    bool local = lex_take(p, T_LET);
    unsigned kind = token_kind(p);
    if (!is_first) refuse_definition(p);
    if (kind == T_NAME && lex_peek(p) == '=')
        assignment(p, local);
    else if (kind == '(' && several_ahead(p))
        several_assignment(p, local);
    else if (local)
        lex_unexpected(p, "a name and '=' behind let");
    else if (kind == T_FOR)
        for_statement(p);
    else if (kind == T_WHILE)
        while_statement(p);
    else if (kind == T_IF && if_is_statement(p))
        if_statement(p);
    else if (kind == T_NAME && update_ahead(p))
        update_statement(p);
    else
        bare_expression(p, is_first);
}

/* Results all have names, or there is one without. */
static void check_results(struct parser *p, size_t first, struct place place) {
    size_t count = p->output.count - first;
    if (count < 2 || parse_failed(p)) return;
    if (p->output.at[first].length > 0 && p->output.at[p->output.count - 1].length > 0) return;
    parse_fail(p, place, WG_ESYNTAX, "a result without a name is the only one of its block");
    parse_hint(p, "name the results: y1 = ...; what is only used is let t = ...");
}

static void statement_end(struct parser *p, unsigned end) {
    unsigned kind = token_kind(p);
    if (kind == end || lex_take(p, T_NEWLINE) || parse_failed(p)) return;
    lex_unexpected(p, end == '}' ? "an operator, a line end or '}'" : "an operator or a line end");
    if (kind == T_NAME || kind == T_NUMBER || kind == '(')
        parse_hint(p, "a product is written with its sign: 2*x");
    if (kind == '=')
        parse_hint(p,
                   "== compares; y = ... names a result; functions are defined above the formula");
}

/* What was assigned again since is the result. */
static void settle_results(struct parser *p, size_t first) {
    for (size_t i = first; i < p->output.count; i++) {
        struct output *output = &p->output.at[i];
        const struct name *name =
            output->length ? names_find(&p->names, p->scope, output->name, output->length) : NULL;
        if (name) output->term = name->term;
    }
}

void block(struct parser *p, unsigned end) {
    size_t first = p->output.count;
    skip_newlines(p);
    struct place place = p->in.token.place;
    bool is_first = true;
    while (token_kind(p) != end && token_kind(p) != T_END && !parse_failed(p)) {
        place = p->in.token.place;
        statement(p, is_first);
        statement_end(p, end);
        check_results(p, first, place);
        is_first = false;
        skip_newlines(p);
    }
    if (!parse_failed(p) && p->output.count == first) {
        parse_fail(p, place, WG_ESYNTAX, "there is no result");
        parse_hint(p, "a result is an expression, or y = ... without let");
    }
    settle_results(p, first);
}

void names_end(struct parser *p, size_t first) {
    const wg_allocator *a = &p->g->t.allocator;
    VEC(struct name) input = {0};
    for (size_t i = first; i < p->names.stack.count && !parse_failed(p); i++) {
        const struct name *name = &p->names.stack.at[i];
        struct name *kept = name->is_input ? VEC_PUSH(a, &input) : NULL;
        struct gone *gone = name->is_input ? NULL : VEC_PUSH(a, &p->gone);
        if (kept) *kept = *name;
        else if (gone)
            *gone = (struct gone){name->start, name->length, name->scope, name->place.line};
        else parse_memory(p);
    }
    names_cut(&p->names, first);
    for (size_t i = 0; i < input.count && !parse_failed(p); i++) {
        const struct name *from = &input.at[i];
        struct name *name = names_add(&p->names, a, from->scope, from->start, from->length,
                                      from->term);
        if (!name) {
            parse_memory(p);
            break;
        }
        name->place = from->place;
        name->is_input = true;
    }
    VEC_FREE(a, &input);
}

void read_branch_body(struct parser *p) {
    size_t first = p->names.stack.count;
    struct place open = p->in.token.place;
    lex_expect(p, '{', "'{'");
    skip_newlines(p);
    p->body_depth++;
    enter_level(p);
    while (token_kind(p) != '}' && token_kind(p) != T_END && !parse_failed(p)) {
        statement(p, false);
        statement_end(p, '}');
        skip_newlines(p);
    }
    if (token_kind(p) == T_END)
        parse_fail(p, open, WG_ESYNTAX, "this '{' is not closed");
    lex_expect(p, '}', "'}'");
    p->depth--;
    p->body_depth--;
    names_end(p, first);
}

void read_body(struct parser *p) {
    if (lex_take(p, '{')) {
        block(p, '}');
        lex_expect(p, '}', "'}'");
    } else {
        bare_expression(p, true);
    }
    if (token_kind(p) != T_END) statement_end(p, T_END);
}
