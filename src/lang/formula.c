/* Whole texts and their definitions. The definitions are found first, by their brackets alone;
 * then the function asked for, or the bare formula below them, is read into a graph. wg_parse makes
 * a program of it; wg_formula continues a graph of the caller's. Statements are statement.c. */
#include "lang/lang.h"

/* ---- headings of definitions ----------------------------------------------------------------- */

/* Blames the bracket that nothing closes: the last in the text, from `start` on, that brought the
 * nesting of its kind to what is left of it at the end. By kinds, because in `{ sin(x }` it is the
 * parenthesis. */
static void fail_unclosed(struct parser *p, struct reader start) {
    static const char open[] = "([{", close[] = ")]}";
    int64_t left[3] = {0};
    struct token unclosed = start.token;
    for (int pass = 0; pass < 2; pass++) {
        int64_t nesting[3] = {0};
        for (p->in = start; p->in.token.kind != T_END; lex_next(p)) {
            for (size_t k = 0; k < 3; k++) {
                if (p->in.token.kind == (unsigned)close[k]) nesting[k]--;
                if (p->in.token.kind != (unsigned)open[k]) continue;
                if (++nesting[k] == left[k] && left[k] > 0) unclosed = p->in.token;
            }
        }
        memcpy(left, nesting, sizeof left);
    }
    parse_fail(p, unclosed.place, WG_ESYNTAX, "this '%c' is not closed", (int)unclosed.kind);
}

/* From the bracket that is next to behind the one that closes it; counts the commas directly in it.
 * Brackets further in are only counted: their kinds are checked when the text is read. */
static bool skip_brackets(struct parser *p, size_t *commas) {
    struct reader start = p->in;
    struct token open = start.token, last;
    unsigned close = open.kind == '(' ? ')' : open.kind == '[' ? ']' : '}';
    size_t nesting = 0;
    *commas = 0;
    do {
        last = p->in.token;
        if (last.kind == '(' || last.kind == '[' || last.kind == '{') nesting++;
        if (last.kind == ')' || last.kind == ']' || last.kind == '}') nesting--;
        if (last.kind == ',' && nesting == 1) ++*commas;
        if (last.kind == T_END) {
            fail_unclosed(p, start);
            return false;
        }
        lex_next(p);
    } while (nesting > 0);
    if (last.kind == close) return true;
    parse_fail(p, last.place, WG_ESYNTAX, "'%c' cannot close the '%c' of line %u", (int)last.kind,
               (int)open.kind, (unsigned)open.place.line);
    return false;
}

/* Takes name(parameters) = and says where it was; if something else comes next, takes nothing. */
static bool heading(struct parser *p, struct function *f) {
    struct reader here = p->in;
    *f = (struct function){.name = p->in.token};
    if (token_kind(p) != T_NAME) return false;
    lex_next(p);
    f->parameters = p->in;
    bool empty = token_kind(p) == '(' && lex_peek(p) == ')';
    if (token_kind(p) != '(' || !skip_brackets(p, &f->arity) || !lex_take(p, '=')) {
        p->in = here;
        return false;
    }
    if (!empty) f->arity++;
    f->body = p->in;
    return true;
}

bool definition_ahead(struct parser *p, struct token *name) {
    struct reader here = p->in;
    struct function f;
    bool yes = heading(p, &f);
    *name = f.name;
    p->in = here;
    return yes;
}

/* ---- definitions ----------------------------------------------------------------------------- */

static void skip_body(struct parser *p) {
    size_t commas;
    while (token_kind(p) != T_NEWLINE && token_kind(p) != T_END) {
        if (token_kind(p) == '(' || token_kind(p) == '[' || token_kind(p) == '{')
            skip_brackets(p, &commas);
        else
            lex_next(p);
    }
}

static bool definition(struct parser *p) {
    struct function f;
    if (!heading(p, &f)) return false;
    skip_body(p);
    struct function *new = VEC_PUSH(&p->g->t.allocator, &p->function);
    if (new)
        *new = f;
    else
        parse_memory(p);
    bind_name(p, &f.name, (struct term){TERM_FUNCTION, {.index = p->function.count - 1}});
    return true;
}

/* ---- programs -------------------------------------------------------------------------------- */

static bool is_input(const struct parser *p, const char *name) {
    const struct trace *t = &p->g->t;
    for (size_t i = 0; i < t->input.count; i++)
        if (strcmp(name_at(t, t->input.at[i].name), name) == 0) return true;
    return false;
}

/* A result without a name is "y"; where an input has that name, it is the function's, or
 * "result". */
static const char *default_name(struct parser *p, const struct function *f) {
    name_id id = f ? graph_name(p->g, f->name.start, f->name.length) : 0;
    const char *choice[] = {"y", id ? name_at(&p->g->t, id) : "f", "result"};
    for (size_t i = 0; i < COUNT_OF(choice); i++)
        if (!is_input(p, choice[i])) return choice[i];
    return "value";
}

static void make_outputs(struct parser *p, const struct function *f) {
    for (size_t i = 0; i < p->output.count && !parse_failed(p); i++) {
        struct output *output = &p->output.at[i];
        parse_at(p, output->place);
        value v = term_default(p, output->term);
        name_id id = output->length ? graph_name(p->g, output->name, output->length) : 0;
        const char *name = id ? name_at(&p->g->t, id) : default_name(p, f);
        graph_output(p->g, name, v);
    }
}

/* Definitions; true if a bare formula follows. */
static bool read_definitions(struct parser *p) {
    p->scope = SCOPE_FUNCTIONS;
    lex_start(p);
    skip_newlines(p);
    while (!parse_failed(p) && definition(p)) {
        if (token_kind(p) != T_END) lex_expect(p, T_NEWLINE, "a line end");
        skip_newlines(p);
    }
    p->scope = p->scope_count = SCOPE_FORMULA;
    p->function_limit = p->function.count;
    return !parse_failed(p) && token_kind(p) != T_END;
}

/* The function to read: the one named, or else the last; SIZE_MAX if there is none. */
static size_t choose_function(struct parser *p, const char *name) {
    if (!name && p->function.count > 0) return p->function.count - 1;
    struct place start = {0, 1, 1};
    if (!name) {
        parse_fail(p, start, WG_ESYNTAX, "there is no formula in the text");
        parse_hint(p, "write an expression, like x^2 + 1, or a function, like f(x) = x^2 + 1");
        return SIZE_MAX;
    }
    const struct name *known = names_find(&p->names, SCOPE_FUNCTIONS, name, strlen(name));
    if (known) return known->term.as.index;
    parse_fail(p, start, WG_ENAME, "there is no function '%.64s'", name);
    struct nearest nearest = {.wanted = name, .wanted_length = strlen(name)};
    for (size_t i = 0; i < p->function.count; i++)
        nearest_try(&nearest, p->function.at[i].name.start, p->function.at[i].name.length);
    nearest_hint(p, &nearest);
    return SIZE_MAX;
}

static void read_program(struct parser *p, const wg_parse_options *options) {
    bool bare = read_definitions(p);
    if (bare && !options->function) {
        p->free = options;
        block(p, T_END);
        make_outputs(p, NULL);
        return;
    }
    size_t index = parse_failed(p) ? SIZE_MAX : choose_function(p, options->function);
    if (index == SIZE_MAX) return;
    struct function f = p->function.at[index];
    p->function_limit = index;
    p->in = f.parameters;
    read_parameters(p, &f, NULL);
    p->in = f.body;
    if (!parse_failed(p)) read_body(p);
    make_outputs(p, &f);
}

static void parser_free(struct parser *p) {
    const wg_allocator *allocator = &p->g->t.allocator;
    names_free(&p->names, allocator);
    VEC_FREE(allocator, &p->function);
    VEC_FREE(allocator, &p->array);
    VEC_FREE(allocator, &p->element);
    VEC_FREE(allocator, &p->stack);
    VEC_FREE(allocator, &p->pending);
    VEC_FREE(allocator, &p->output);
    VEC_FREE(allocator, &p->loop);
    VEC_FREE(allocator, &p->bounded);
    VEC_FREE(allocator, &p->gone);
    VEC_FREE(allocator, &p->assigned);
}

static bool check_bound(const wg_parse_options *options, wg_error *error) {
    for (size_t i = 0; i < options->bound_count; i++) {
        const wg_binding *b = &options->bound[i];
        bool good = b->name && b->type.rank <= WG_MAX_RANK && b->type.dtype < WG_DTYPE_COUNT;
        for (size_t k = 0; good && k < b->type.rank; k++) good = b->type.extent[k] >= 0;
        if (good) continue;
        fail_with(error, WG_EARGUMENT,
                  "wg_parse: binding %zu has no name, or its type is no type of "
                  "constant extents",
                  i);
        return false;
    }
    return true;
}

wg_program *wg_parse(const char *text, size_t size, const wg_parse_options *options,
                     wg_error *error) {
    wg_parse_options none = {0};
    if (failed(error)) return NULL;
    if (!options) options = &none;
    if ((!text && size > 0) || size >= UINT32_MAX) {
        fail_with(error, text ? WG_EOVERFLOW : WG_EARGUMENT,
                  text ? "wg_parse: a text of 4 GB or more" : "wg_parse: the text is NULL");
        return NULL;
    }
    if (!check_bound(options, error)) return NULL;
    struct parser p = {.g = graph_new(options->allocator), .text = text ? text : "", .size = size};
    if (!p.g) {
        fail_memory(error);
        return NULL;
    }
    p.origin = options->origin ? options->origin : "formula";
    read_program(&p, options);
    report_line(&p);
    parser_free(&p);
    return graph_build(p.g, error);
}

/* ---- formulas within graphs ------------------------------------------------------------------ */

static void bind_variables(struct parser *p, va_list args) {
    const char *name;
    p->scope = SCOPE_FORMULA;
    while ((name = va_arg(args, const char *)) != NULL && !parse_failed(p)) {
        wg_var x = va_arg(args, wg_var);
        if (x.graph != p->g || x.id == 0 || x.id >= p->g->t.instr.count)
            graph_fail(p->g, WG_EARGUMENT, "wg_formula: '%.64s' is not a variable of this graph",
                       name);
        struct token token = {.start = name, .length = strlen(name)};
        bind_name(p, &token, term_value(x.id));
    }
}

wg_var wg_formula(wg_graph *g, const char *formula, ...) {
    wg_var result = {g, 0};
    if (!g || g->error.status) return result;
    struct parser p = {.g = g, .text = formula ? formula : "", .origin = "formula"};
    uint32_t site = g->site;
    p.size = strlen(p.text);
    va_list args;
    va_start(args, formula);
    bind_variables(&p, args);
    va_end(args);
    if (p.size >= UINT32_MAX) graph_fail(g, WG_EOVERFLOW, "wg_formula: a text of 4 GB or more");
    if (!g->error.status && read_definitions(&p)) {
        block(&p, T_END);
        if (p.output.count > 1 && !parse_failed(&p))
            parse_fail(&p, p.output.at[1].place, WG_EARGUMENT,
                       "a formula within a graph has one result; this is a second one");
        if (!parse_failed(&p)) {
            parse_at(&p, p.output.at[0].place);
            result.id = term_default(&p, p.output.at[0].term);
        }
    } else if (!g->error.status) {
        parse_fail(&p, (struct place){0, 1, 1}, WG_ESYNTAX, "there is no expression in the text");
    }
    report_line(&p);
    parser_free(&p);
    g->site = site;
    if (g->error.status) result.id = 0;
    return result;
}
