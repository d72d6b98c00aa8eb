/* Calls. The text of a function of the user is read again at every call, with its parameters bound
 * to the arguments, in a scope of its own; so one definition serves all shapes, and sizes named in
 * its brackets take what the arguments bring. Functions see only those above them: there is no
 * recursion. What all calls together may read is bounded, because chains of calls can double. */
#include "lang/lang.h"
#include "op/describe.h"

#include <stdio.h>

enum { CALLS_TOLD = 4, SHOWN = 64 };

static int shown(size_t length) { return (int)(length < SHOWN ? length : SHOWN); }

void enter_level(struct parser *p) {
    if (++p->depth <= MAX_DEPTH) return;
    parse_fail(p, p->in.token.place, WG_ESYNTAX, "brackets and calls nest deeper than %d levels",
               MAX_DEPTH);
    parse_hint(p, "give inner parts a name: let t = ...");
}

void bind_name(struct parser *p, const struct token *name, struct term term) {
    if (parse_failed(p)) return;
    const struct name *known = names_find(&p->names, p->scope, name->start, name->length);
    if (known) {
        parse_fail(p, name->place, WG_ENAME, "'%.*s' is a name already, from line %u",
                   shown(name->length), name->start, (unsigned)known->place.line);
        parse_hint(p, "a name is given once: choose another");
        return;
    }
    struct name *new = names_add(&p->names, &p->g->t.allocator, p->scope, name->start, name->length,
                                 term);
    if (new)
        new->place = name->place;
    else
        parse_memory(p);
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* The parameter that is being read, and the argument bound to it (TERM_NONE: an input). */
struct parameter {
    struct token name;
    const struct function *function;
    struct term argument;
    wg_type given; /* the argument's type */
    wg_type type;
    bool has_shape, has_dtype;
};

/* The type of a term; of a plain one as if in f64. */
static wg_type type_of_term(const struct parser *p, struct term t) {
    if (t.kind == TERM_VALUE) return *term_type(p, t.as.v);
    if (t.kind == TERM_ARRAY) return p->array.at[t.as.index].type;
    return (wg_type){.dtype = WG_F64};
}

static void wrong_argument(struct parser *p, const struct parameter *x, wg_status status,
                           const char *what) {
    parse_fail(p, p->place, status, "%.*s: the argument %.*s is %s, but %s",
               shown(x->function->name.length), x->function->name.start, shown(x->name.length),
               x->name.start, type_name_of(p->g, &x->given).text, what);
}

/* One extent between the brackets of a parameter. A new name standing alone is a new size. */
static void read_extent(struct parser *p, struct parameter *x) {
    struct token token = p->in.token;
    bool is_call = x->argument.kind != TERM_NONE;
    size_t k = x->type.rank;
    if (k == WG_MAX_RANK) {
        parse_fail(p, token.place, WG_ESHAPE, "more than %d axes", WG_MAX_RANK);
        return;
    }
    if (is_call && k >= x->given.rank) {
        wrong_argument(p, x, WG_ESHAPE, "the parameter has more axes");
        return;
    }
    x->type.rank++;
    bool alone = false;
    if (token.kind == T_NAME) {
        unsigned next = lex_peek(p);
        alone = (next == ',' || next == ']') &&
                !names_find(&p->names, p->scope, token.start, token.length);
    }
    if (alone) {
        lex_next(p);
        name_id id = graph_name(p->g, token.start, token.length);
        wg_extent size = is_call ? x->given.extent[k] : 0;
        if (!is_call && id) size = extent_size(p->g, graph_size(p->g, name_at(&p->g->t, id)));
        bind_name(p, &token, term_extent(size));
        x->type.extent[k] = size;
        return;
    }
    struct place place = p->place; /* errors of a call are told at the call */
    struct term term = expression(p);
    int64_t below;
    if (p->g->error.status == WG_ENAME)
        parse_hint(p, "a new size stands alone the first time: x[n] before z[2*n]");
    if (parse_failed(p)) return;
    if (!term_is_extent(p, term, &x->type.extent[k]) ||
        (extent_difference(p->g, 0, x->type.extent[k], &below) && below > 0)) {
        parse_fail(p, token.place, WG_ESHAPE,
                   "an extent is made of whole numbers and sizes named before, with + - *");
        return;
    }
    p->place = place;
    if (is_call && x->type.extent[k] != x->given.extent[k]) {
        char what[256];
        snprintf(what, sizeof what, "axis %zu of the parameter is %s", k,
                 extent_name(p->g, x->type.extent[k]).text);
        wrong_argument(p, x, WG_ESHAPE, what);
    }
}

static void read_dtype(struct parser *p, struct parameter *x) {
    const struct token *token = &p->in.token;
    for (int d = 0; d < WG_DTYPE_COUNT && token->kind == T_NAME; d++) {
        const char *name = wg_dtype_name((wg_dtype)d);
        if (strlen(name) != token->length || memcmp(name, token->start, token->length) != 0)
            continue;
        x->type.dtype = (uint8_t)d;
        x->has_dtype = true;
        lex_next(p);
        return;
    }
    lex_unexpected(p, "bool, i32, i64, f32 or f64");
}

/* What the parameter's name stands for in the body. */
static struct term parameter_term(struct parser *p, const struct parameter *x, struct place at) {
    if (x->argument.kind == TERM_NONE) {
        parse_at(p, x->name.place);
        name_id id = graph_name(p->g, x->name.start, x->name.length);
        return term_value(id ? graph_input(p->g, name_at(&p->g->t, id), &x->type) : 0);
    }
    parse_at(p, at);
    if (x->has_shape && x->type.rank != x->given.rank)
        wrong_argument(p, x, WG_ESHAPE, "the parameter has fewer axes");
    if (!x->has_shape && !x->has_dtype) return x->argument;
    if (x->argument.kind == TERM_VALUE && x->has_dtype && x->given.dtype != x->type.dtype) {
        char what[64];
        snprintf(what, sizeof what, "the parameter is %s", wg_dtype_name((wg_dtype)x->type.dtype));
        wrong_argument(p, x, WG_EDTYPE, what);
    }
    return term_value(term_build(p, x->argument, (wg_dtype)x->type.dtype));
}

void read_parameters(struct parser *p, const struct function *f, const size_t *first) {
    struct place at = p->place;
    lex_expect(p, '(', "'('");
    for (size_t i = 0; i < f->arity && !parse_failed(p); i++) {
        if (i > 0) lex_expect(p, ',', "',' or ')'");
        struct parameter x = {.function = f, .name = p->in.token, .type = {.dtype = WG_F64}};
        if (first) {
            x.argument = p->stack.at[*first + i];
            x.given = type_of_term(p, x.argument);
        }
        lex_expect(p, T_NAME, "the name of a parameter");
        if (lex_take(p, '[')) {
            x.has_shape = true;
            do read_extent(p, &x);
            while (!parse_failed(p) && lex_take(p, ','));
            lex_expect(p, ']', "',' or ']'");
        }
        if (lex_take(p, ':')) read_dtype(p, &x);
        if (parse_failed(p)) break;
        bind_name(p, &x.name, parameter_term(p, &x, at));
    }
    lex_expect(p, ')', "',' or ')'");
}

/* ---- calls of the text's own functions ------------------------------------------------------- */

static void tell_call(struct parser *p, const struct token *name) {
    bool is_here = p->place.at == name->place.at;
    if (p->g->error.status == WG_ENOMEM || is_here || p->calls_told++ >= CALLS_TOLD) return;
    fail_more(&p->g->error, "\n  in %.*s, called at %u:%u", shown(name->length), name->start,
              (unsigned)name->place.line, (unsigned)name->place.column);
}

OUT_OF_LINE static void call_function(struct parser *p, const struct token *name, size_t index,
                                      size_t first) {
    const struct function *f = &p->function.at[index];
    if (p->stack.count - first != f->arity) {
        parse_fail(p, name->place, WG_EARGUMENT, "%.*s takes %zu argument%s, not %zu",
                   shown(name->length), name->start, f->arity, f->arity == 1 ? "" : "s",
                   p->stack.count - first);
        return;
    }
    struct reader back = p->in;
    uint32_t scope = p->scope;
    size_t limit = p->function_limit, names = p->names.stack.count, output = p->output.count;
    size_t arrays = p->array.count, elements = p->element.count, bodies = p->body_depth;
    enter_level(p);
    p->body_depth = 0;
    p->call_depth++;
    p->scope = ++p->scope_count;
    p->function_limit = index;
    parse_at(p, name->place);
    p->in = f->parameters;
    read_parameters(p, f, &first);
    p->in = f->body;
    if (!parse_failed(p)) read_body(p);
    for (size_t i = output; i < p->output.count && !parse_failed(p); i++) {
        struct term *term = &p->output.at[i].term;
        if (term->kind == TERM_ARRAY) *term = term_value(term_default(p, *term));
    }
    p->in = back;
    p->scope = scope;
    p->function_limit = limit;
    p->body_depth = bodies;
    p->call_depth--;
    p->depth--;
    names_cut(&p->names, names);
    p->array.count = arrays;
    p->element.count = elements;
    if (parse_failed(p)) tell_call(p, name);
}

/* ---- calls of all kinds ---------------------------------------------------------------------- */

OUT_OF_LINE static void unknown_function(struct parser *p, const struct token *name,
                                         const struct name *later) {
    int length = shown(name->length);
    if (later && later->term.as.index == p->function_limit) {
        parse_fail(p, name->place, WG_ENAME, "%.*s calls itself", length, name->start);
        parse_hint(p, "a function may call those above it; there is no recursion");
        return;
    }
    if (later) {
        parse_fail(p, name->place, WG_ENAME, "%.*s is only defined on line %u", length, name->start,
                   (unsigned)later->place.line);
        parse_hint(p, "a function may call those above it: move the definition up");
        return;
    }
    if (names_find(&p->names, p->scope, name->start, name->length)) {
        parse_fail(p, name->place, WG_ENAME, "'%.*s' is a value, not a function", length,
                   name->start);
        parse_hint(p, "a product is written with its sign: %.*s*(...)", length, name->start);
        return;
    }
    parse_fail(p, name->place, WG_ENAME, "unknown function '%.*s'", length, name->start);
    struct nearest nearest = {.wanted = name->start, .wanted_length = name->length};
    for (size_t i = 0; i < p->function_limit && i < p->function.count; i++)
        nearest_try(&nearest, p->function.at[i].name.start, p->function.at[i].name.length);
    builtin_nearest(&nearest);
    nearest_hint(p, &nearest);
}

static int read_axis(struct parser *p) {
    bool negative = lex_take(p, '-');
    struct token token = p->in.token;
    if (!lex_expect(p, T_NUMBER, "the number of an axis")) return 0;
    if (token.number > WG_MAX_RANK || token.number != (double)(int)token.number)
        parse_fail(p, token.place, WG_ESYNTAX, "an axis is a whole number below %d", WG_MAX_RANK);
    return negative ? -(int)token.number : (int)token.number;
}

OUT_OF_LINE static void read_axes(struct parser *p, struct call *c) {
    c->has_axis = true;
    c->axis_count = 0;
    bool several = lex_take(p, '(');
    do {
        if (c->axis_count == WG_MAX_RANK)
            parse_fail(p, p->in.token.place, WG_ESYNTAX, "more than %d axes", WG_MAX_RANK);
        else
            c->axis[c->axis_count++] = read_axis(p);
    } while (several && !parse_failed(p) && lex_take(p, ',') && token_kind(p) != ')');
    if (several) lex_expect(p, ')', "',' or ')'");
}

/* axis = 0, axis = (0, 1), keep = true */
OUT_OF_LINE static void read_option(struct parser *p, struct call *c) {
    struct token name = p->in.token;
    lex_next(p);
    lex_next(p);
    if (name.length == 4 && memcmp(name.start, "axis", 4) == 0) {
        read_axes(p, c);
    } else if (name.length == 4 && memcmp(name.start, "keep", 4) == 0) {
        c->has_keep = true;
        c->keep = token_kind(p) == T_TRUE;
        if (!lex_take(p, T_TRUE)) lex_expect(p, T_FALSE, "true or false");
    } else {
        parse_fail(p, name.place, WG_ESYNTAX, "unknown option '%.*s'", shown(name.length),
                   name.start);
        parse_hint(p, "options are axis and keep; == compares");
    }
}

static void read_text(struct parser *p, struct call *c) {
    c->text = p->in.token.start + 1;
    c->text_length = p->in.token.length - 2;
    lex_next(p);
}

static void read_arguments(struct parser *p, struct call *c) {
    lex_expect(p, '(', "'('");
    while (token_kind(p) != ')' && !parse_failed(p)) {
        if (token_kind(p) == T_NAME && lex_peek(p) == '=')
            read_option(p, c);
        else if (token_kind(p) == T_TEXT && !c->text && p->stack.count == c->first)
            read_text(p, c);
        else
            term_push(p, expression(p));
        if (!lex_take(p, ',')) break;
    }
    lex_expect(p, ')', "',' or ')'");
}

/* Of a function of the text the results are left in parser.output; another's is returned. */
static struct term call_any(struct parser *p, const struct token *name) {
    struct call c = {.name = name, .first = p->stack.count};
    struct name *known = names_find(&p->names, SCOPE_FUNCTIONS, name->start, name->length);
    bool own = known && known->term.as.index < p->function_limit;
    size_t index = own ? known->term.as.index : 0;
    struct term result = term_none();
    if (!own && !builtin_exists(name->start, name->length)) {
        unknown_function(p, name, known);
        return result;
    }
    if (!own && comprehension_ahead(p)) return comprehension(p, name);
    read_arguments(p, &c);
    if (own && (c.has_axis || c.has_keep || c.text))
        parse_fail(p, name->place, WG_ESYNTAX, "%.*s %s", shown(name->length), name->start,
                   c.text ? "takes no text" : "has no options");
    if (!parse_failed(p)) {
        if (own)
            call_function(p, name, index, c.first);
        else
            result = builtin_call(p, &c);
    }
    p->stack.count = c.first;
    return result;
}

struct term call(struct parser *p, const struct token *name) {
    size_t first = p->output.count;
    struct term result = call_any(p, name);
    size_t count = p->output.count - first;
    if (count == 1) result = p->output.at[first].term;
    p->output.count = first;
    if (count > 1) {
        parse_fail(p, name->place, WG_EARGUMENT, "%.*s has %zu results, where one is expected",
                   shown(name->length), name->start, count);
        parse_hint(p, "take them apart: let (a, b) = %.*s(...)", shown(name->length), name->start);
    }
    return parse_failed(p) ? term_none() : result;
}

void call_several(struct parser *p, const struct token *name, size_t first) {
    struct term result = call_any(p, name);
    if (parse_failed(p) || p->output.count > first) return;
    struct output *output = VEC_PUSH(&p->g->t.allocator, &p->output);
    if (output)
        *output = (struct output){.place = name->place, .term = result};
    else
        parse_memory(p);
}
