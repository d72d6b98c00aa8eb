/* Reads what print.c writes. The text is untrusted: every number is checked before it is used, and
 * what the operations' own type rules say decides over the types written. */
#include "op/op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
    wg_graph *g; /* of the program at hand: that of a rule inside another */
    const char *at; /* NUL-terminated copy of the text */
    unsigned line;
    wg_text scratch;
    VEC(value) arg;
    VEC(int64_t) word;
    const wg_external *known; /* the C functions that the text may name */
    size_t known_count;
    unsigned depth; /* of rules around the program at hand */
};

static bool bad(struct reader *r, const char *what) {
    if (!r->g->error.status)
        fail_with(&r->g->error, WG_ESYNTAX, "program text, line %u: %s", r->line, what);
    return false;
}

static void blanks(struct reader *r) {
    while (*r->at == ' ' || *r->at == '\t') r->at++;
}

static bool accept(struct reader *r, const char *word) {
    blanks(r);
    size_t n = strlen(word);
    if (strncmp(r->at, word, n) != 0) return false;
    r->at += n;
    return true;
}

static bool expect(struct reader *r, const char *word) {
    char what[64];
    if (accept(r, word)) return true;
    snprintf(what, sizeof what, "'%s' expected", word);
    return bad(r, what);
}

/* A word, such as the name of an operation, an element type or a size, into scratch. */
static bool word(struct reader *r) {
    blanks(r);
    size_t n = 0;
    while (name_has(r->at[n])) n++;
    if (n == 0) return bad(r, "a name expected");
    text_cut(&r->scratch, 0);
    if (!text_bytes(&r->scratch, r->at, n)) return fail_memory(&r->g->error), false;
    r->at += n;
    return true;
}

/* A quoted string into scratch. */
static bool quoted(struct reader *r) {
    if (!expect(r, "\"")) return false;
    text_cut(&r->scratch, 0);
    if (!text_add(&r->scratch, "")) return fail_memory(&r->g->error), false;
    for (; *r->at != '"'; r->at++) {
        if (*r->at == '\\') r->at++;
        if (*r->at == 0 || *r->at == '\n') return bad(r, "a string without its closing quote");
        if (!text_bytes(&r->scratch, r->at, 1)) return fail_memory(&r->g->error), false;
    }
    r->at++;
    return true;
}

static bool integer(struct reader *r, int64_t *number) {
    blanks(r);
    const char *c = r->at;
    bool negative = *c == '-';
    if (negative) c++;
    if (*c < '0' || *c > '9') return bad(r, "an integer expected");
    int64_t n = 0;
    for (; *c >= '0' && *c <= '9'; c++)
        if (mul_overflows(n, 10, &n) || add_overflows(n, negative ? -(*c - '0') : *c - '0', &n))
            return bad(r, "an integer that leaves 64 bits");
    r->at = c;
    *number = n;
    return true;
}

static bool unsigned_number(struct reader *r, uint32_t *number) {
    int64_t n;
    if (!integer(r, &n)) return false;
    if (n < 0 || n > INT32_MAX) return bad(r, "a number out of range");
    *number = (uint32_t)n;
    return true;
}

/* A polynomial: terms joined by + and -, each a product of numbers and sizes. */
static bool extent(struct reader *r, wg_extent *result) {
    wg_graph *g = r->g;
    *result = 0;
    bool negative = accept(r, "-");
    for (;;) {
        wg_extent product = 1;
        do {
            wg_extent factor;
            blanks(r);
            if (*r->at >= '0' && *r->at <= '9') {
                if (!integer(r, &factor)) return false;
            } else {
                if (!word(r)) return false;
                size_t known = g->t.size.count;
                uint32_t index = graph_size(g, r->scratch.data);
                if (g->t.size.count != known) return bad(r, "a size that is not declared");
                factor = extent_size(g, index);
            }
            product = extent_mul(g, product, factor);
        } while (accept(r, "*"));
        *result = negative ? extent_sub(g, *result, product) : extent_add(g, *result, product);
        if (g->error.status) return false;
        negative = false;
        if (accept(r, "-")) negative = true;
        else if (!accept(r, "+")) return true;
    }
}

static bool dtype(struct reader *r, uint8_t *dtype) {
    if (!word(r)) return false;
    for (uint8_t d = 0; d < WG_DTYPE_COUNT; d++)
        if (strcmp(r->scratch.data, wg_dtype_name((wg_dtype)d)) == 0) return *dtype = d, true;
    return bad(r, "an element type expected: bool, i32, i64, f32 or f64");
}

static bool type(struct reader *r, wg_type *type) {
    *type = (wg_type){0};
    if (!dtype(r, &type->dtype)) return false;
    if (!accept(r, "[")) return true;
    do {
        if (type->rank == WG_MAX_RANK) return bad(r, "more axes than 8");
        wg_extent *e = &type->extent[type->rank++];
        if (!extent(r, e)) return false;
        if (*e < 0 && extent_degree(&r->g->t, *e) == 0) return bad(r, "an extent below 0");
    } while (accept(r, ","));
    return expect(r, "]");
}

/* A decimal, inf or nan. strtod reads the point of the locale, so the number is put to it without
 * one: 1.25e3 as 125e1. */
static bool real(struct reader *r, double *number) {
    enum { DIGITS = 800, LARGE = 100000 }; /* no double needs more digits to be told from others */
    char decimal[DIGITS + 32];
    size_t count = 0;
    int64_t exponent = 0, fraction = 0;
    bool negative = accept(r, "-"), point = false;
    if (accept(r, "inf") || accept(r, "nan")) {
        *number = r->at[-1] == 'n' ? (double)NAN : negative ? -HUGE_VAL : HUGE_VAL;
        return true;
    }
    const char *c = r->at;
    for (; (*c >= '0' && *c <= '9') || (*c == '.' && !point); c++) {
        if (*c == '.') point = true;
        else if (count < DIGITS) decimal[count++] = *c, fraction += point;
        else return bad(r, "a number of more digits than a double has");
    }
    if (count == 0) return bad(r, "a number expected");
    r->at = c;
    if (*c == 'e' || *c == 'E') {
        r->at += c[1] == '+' ? 2 : 1;
        if (!integer(r, &exponent)) return false;
    }
    if (exponent < -LARGE || exponent > LARGE) exponent = exponent < 0 ? -LARGE : LARGE;
    snprintf(decimal + count, sizeof decimal - count, "e%lld", (long long)(exponent - fraction));
    *number = negative ? -strtod(decimal, NULL) : strtod(decimal, NULL);
    return true;
}

/* A literal of this type as bits. */
static bool literal(struct reader *r, wg_dtype dtype, int64_t *bits) {
    blanks(r);
    if (dtype == WG_BOOL) {
        *bits = accept(r, "true");
        return *bits || accept(r, "false") || bad(r, "true or false expected");
    }
    if (dtype == WG_I32 || dtype == WG_I64) {
        if (!integer(r, bits)) return false;
        if (dtype == WG_I64) return true;
        if (*bits < INT32_MIN || *bits > INT32_MAX) return bad(r, "a literal that leaves 32 bits");
        *bits = (int64_t)(uint32_t)(int32_t)*bits;
        return true;
    }
    double number;
    if (!real(r, &number)) return false;
    *bits = literal_from_f64(dtype, number);
    return true;
}

static bool site(struct reader *r) {
    uint32_t line, column;
    r->g->site = 0;
    if (!accept(r, "at ")) return true;
    if (!quoted(r) || !expect(r, ":") || !unsigned_number(r, &line) || !expect(r, ":") ||
        !unsigned_number(r, &column))
        return false;
    graph_site(r->g, r->scratch.data, line, column);
    return true;
}

static bool operand(struct reader *r, value *v) {
    uint32_t n;
    if (!expect(r, "%") || !unsigned_number(r, &n)) return false;
    if (n == 0 || n >= r->g->t.instr.count) return bad(r, "a value that is not defined above");
    *v = n;
    return true;
}

/* The words behind an opening brace; the operation says which of them are extents. */
static bool attributes(struct reader *r, const struct op_def *def) {
    size_t count = 1;
    for (const char *c = r->at; *c && *c != '\n' && *c != '}'; c++) count += *c == ',';
    if (!VEC_RESERVE(&r->g->t.allocator, &r->word, count)) return fail_memory(&r->g->error), false;
    memset(r->word.at, 0, count * sizeof *r->word.at);
    for (; r->word.count < count; r->word.count++) {
        int64_t *word = &r->word.at[r->word.count];
        if (r->word.count && !expect(r, ",")) return false;
        bool is_extent =
            def->attr_is_extent && def->attr_is_extent(r->word.at, count, r->word.count);
        if (!(is_extent ? extent(r, word) : integer(r, word))) return false;
    }
    return expect(r, "}");
}

/* "tangent %5", "adjoint %5" or nothing: what the instruction of this number was derived from. */
static bool origin(struct reader *r, uint32_t number) {
    wg_graph *g = r->g;
    if (accept(r, "tangent %")) g->flags = INSTR_TANGENT;
    else if (accept(r, "adjoint %")) g->flags = INSTR_ADJOINT;
    else return true;
    if (!unsigned_number(r, &g->origin)) return false;
    return g->origin < number || bad(r, "derived from a value that is not defined above");
}

static value constant(struct reader *r, const wg_type *type) {
    int64_t bits;
    if (type->rank) return bad(r, "a constant is a scalar");
    if (!literal(r, (wg_dtype)type->dtype, &bits) || !expect(r, ":")) return 0;
    return graph_literal(r->g, (wg_dtype)type->dtype, bits);
}

static value data(struct reader *r, const wg_type *type) {
    wg_graph *g = r->g;
    int64_t shape[WG_MAX_RANK], count, bits;
    for (size_t i = 0; i < type->rank; i++)
        if (type->extent[i] < 0) return bad(r, "data with an extent that is not constant");
    if (!type_eval(&g->t, type, NULL, shape, &count)) return bad(r, "data too large");
    wg_text bytes = {.allocator = g->t.allocator};
    bool ok = expect(r, "[");
    for (int64_t i = 0; ok && i < count; i++) {
        ok = literal(r, (wg_dtype)type->dtype, &bits);
        if (ok && !text_bytes(&bytes, (const char *)&bits, wg_dtype_size((wg_dtype)type->dtype)))
            ok = (fail_memory(&g->error), false);
    }
    value v = ok && expect(r, "]") && expect(r, ":") ? graph_blob(g, type, bytes.data) : 0;
    wg_text_free(&bytes);
    return v;
}

/* The rest of the line of an operation other than a leaf, up to its type. */
static bool operation(struct reader *r, unsigned op) {
    if (accept(r, "{") && !attributes(r, op_def(op))) return false;
    for (blanks(r); *r->at == '%'; blanks(r)) {
        value v;
        if (!operand(r, &v)) return false;
        value *a = VEC_PUSH(&r->g->t.allocator, &r->arg);
        if (!a) return fail_memory(&r->g->error), false;
        *a = v;
    }
    return true;
}

/* The type stands behind what it is needed for, so literals are read when the line is done. */
static bool instruction(struct reader *r) {
    wg_graph *g = r->g;
    uint32_t number;
    wg_type written;
    if (!expect(r, "%") || !unsigned_number(r, &number)) return false;
    if (number != g->t.instr.count) return bad(r, "values must be numbered 1, 2, 3, ...");
    if (!expect(r, "=") || !word(r)) return false;
    unsigned op = op_by_name(r->scratch.data, r->scratch.size);
    if (op == OP_none || op_def(op)->flags & OP_IN_MAKING) return bad(r, "an unknown operation");
    r->arg.count = r->word.count = 0;
    blanks(r);
    const char *leaf = r->at;
    bool ok = true;
    if (op == OP_input) ok = quoted(r);
    else if (op == OP_constant || op == OP_data) r->at += strcspn(r->at, ":\n");
    else ok = operation(r, op);
    ok = ok && expect(r, ":") && type(r, &written) && site(r) && origin(r, number);
    const char *after = r->at;
    value v = 0;
    r->at = leaf;
    if (!ok) v = 0;
    else if (op == OP_input) v = quoted(r) ? graph_input(g, r->scratch.data, &written) : 0;
    else if (op == OP_constant) v = constant(r, &written);
    else if (op == OP_data) v = data(r, &written);
    else v = graph_emit(g, op, graph_attr(g, r->word.at, r->word.count), r->arg.at, r->arg.count);
    r->at = after;
    g->flags = 0;
    g->origin = 0;
    if (!v) return bad(r, "this is no instruction");
    return type_equal(type_of(&g->t, v), &written) ||
           bad(r, "the type is not what the operation gives");
}

static bool line_end(struct reader *r) {
    blanks(r);
    if (*r->at == '\r') r->at++;
    if (*r->at == '\n') r->at++;
    else if (*r->at) return bad(r, "the line goes on after its end");
    r->line++;
    return r->g->error.status == WG_OK;
}

/* The function called `name`, or a derivative that belongs to it, "name.jvp". */
static wg_external_function *known_function(const wg_external *e, const char *name) {
    size_t length = strlen(e->name);
    if (strncmp(e->name, name, length) != 0) return NULL;
    if (strcmp(name + length, ".jvp") == 0) return e->jvp;
    if (strcmp(name + length, ".vjp") == 0) return e->vjp;
    return name[length] ? NULL : e->call;
}

static bool external(struct reader *r) {
    if (!quoted(r)) return false;
    wg_graph *g = r->g;
    size_t before = g->t.external.count;
    for (size_t i = 0; i < r->known_count; i++) {
        const wg_external *e = &r->known[i];
        wg_external_function *call = e->name ? known_function(e, r->scratch.data) : NULL;
        if (!call) continue;
        graph_external(g, r->scratch.data, call, e->context);
        if (g->error.status || g->t.external.count > before) return !g->error.status;
        return bad(r, "a C function that stands above already"); /* numbers would not fit */
    }
    if (!g->error.status)
        fail_with(&g->error, WG_ENAME,
                  "program text, line %u: the C function \"%.64s\" is not among those given\n"
                  "  hint: read the text with wg_program_read_with, and list it there",
                  r->line, r->scratch.data);
    return false;
}

static bool line(struct reader *r);

/* The lines of a program up to "end"; NULL and an error in the graph around it. */
static wg_program *nested_program(struct reader *r, uint32_t depth) {
    wg_graph *around = r->g;
    if (r->depth + depth > MAX_RULE_DEPTH) {
        bad(r, "rules inside rules, too deep");
        return NULL;
    }
    r->g = graph_new(&around->t.allocator);
    wg_program *p = NULL;
    if (r->g) {
        r->g->no_fold = true;
        r->depth += depth;
        bool ok = line_end(r), end = false;
        while (ok && !(end = accept(r, "end")))
            ok = *r->at ? line(r) : bad(r, "the program of a rule without its end");
        r->depth -= depth;
        p = graph_build(r->g, &around->error);
    } else {
        fail_memory(&around->error);
    }
    r->g = around;
    return p;
}

/* Its name, and the programs on the lines below. */
static bool rule(struct reader *r, bool is_body) {
    wg_graph *g = r->g;
    if (!quoted(r)) return false;
    const char *name = name_at(&g->t, graph_name(g, r->scratch.data, r->scratch.size));
    wg_program *program[2] = {NULL, NULL};
    uint32_t depth = name ? record_depth(is_body, name) : LOOP_DEPTH;
    static const char *const kinds[2][2] = {{"jvp", "vjp"}, {"body", "reverse"}};
    const char *const *kind = kinds[is_body];
    bool ok = line_end(r);
    for (size_t k = 0; ok && k < 2; k++) {
        if (!accept(r, kind[k])) continue;
        program[k] = nested_program(r, depth);
        ok = program[k] && line_end(r);
    }
    if (is_body) ok = ok && (program[0] || bad(r, "'body' expected"));
    else ok = ok && (program[0] || program[1] || bad(r, "'jvp' or 'vjp' expected"));
    size_t before = g->t.rule.count;
    if (ok && (is_body ? graph_body : graph_rule)(g, name, program[0], program[1]) >= 0 &&
        g->t.rule.count == before)
        bad(r, "a rule that stands above already"); /* numbers would not fit */
    wg_program_free(program[0]);
    wg_program_free(program[1]);
    return !g->error.status;
}

static bool line(struct reader *r) {
    wg_graph *g = r->g;
    blanks(r);
    if (accept(r, "rule ")) return rule(r, false); /* several lines */
    if (accept(r, "region ")) return rule(r, true);
    if (*r->at == '%') {
        if (!instruction(r)) return false;
    } else if (accept(r, "size ")) {
        if (!word(r)) return false;
        graph_size(g, r->scratch.data);
    } else if (accept(r, "external ")) {
        if (!external(r)) return false;
    } else if (accept(r, "output ")) {
        value v;
        if (!quoted(r)) return false;
        wg_text name = r->scratch; /* operand() does not touch it */
        if (!operand(r, &v)) return false;
        graph_output(g, name.data, v);
    } else if (accept(r, "require ")) {
        wg_extent left, right;
        if (!extent(r, &left)) return false;
        bool equal = accept(r, "==");
        if ((!equal && !expect(r, "<=")) || !extent(r, &right) || !site(r)) return false;
        graph_require(g, left, right, equal, "require");
    } else if (*r->at != '\n' && *r->at) {
        return bad(r, "an instruction, size, require or output expected");
    }
    return line_end(r);
}

wg_program *wg_program_read(const char *text, size_t size, const wg_allocator *allocator,
                            wg_error *error) {
    return wg_program_read_with(text, size, NULL, 0, allocator, error);
}

wg_program *wg_program_read_with(const char *text, size_t size, const wg_external *known,
                                 size_t count, const wg_allocator *allocator, wg_error *error) {
    if (failed(error)) return NULL;
    if ((!text && size) || (!known && count))
        return fail_with(error, WG_EARGUMENT, "program text%s is NULL", text ? ": the list of C "
                         "functions" : ""), NULL;
    struct reader r = {.g = graph_new(allocator), .line = 1, .known = known, .known_count = count};
    wg_text copy = {.allocator = allocator_or_standard(allocator)};
    r.scratch.allocator = copy.allocator;
    if (!r.g || !text_bytes(&copy, text ? text : "", size)) {
        wg_graph_free(r.g);
        fail_memory(error);
        return NULL;
    }
    r.g->no_fold = true;
    r.at = copy.data;
    if (strlen(copy.data) != size) bad(&r, "a NUL byte");
    else if (!accept(&r, "wengert 1\n")) bad(&r, "the first line must be 'wengert 1'");
    else r.line++;
    while (!r.g->error.status && *r.at && line(&r)) {}
    VEC_FREE(&copy.allocator, &r.arg);
    VEC_FREE(&copy.allocator, &r.word);
    wg_text_free(&r.scratch);
    wg_text_free(&copy);
    return graph_build(r.g, error);
}
