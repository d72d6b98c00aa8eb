/* Text into tokens, one at a time, without copies: names point into the text. Line ends count as
 * tokens only where a statement may end: not inside ( and [, not behind an operator, a comma or an
 * opening brace. Bytes above 127 must be UTF-8; letters of any script are letters of names. Columns
 * count characters. What tokens mean is not known here. */
#include "lang/lang.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- characters ------------------------------------------------------------------------------ */

/* The code point at s and its length in bytes; 0 bytes if it is not UTF-8. */
static uint32_t decode(const char *s, size_t size, size_t *length) {
    unsigned char c = (unsigned char)s[0];
    *length = 1;
    if (c < 0x80) return c;
    size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    uint32_t point = c & (0xFFu >> (n + 1));
    *length = 0;
    if (c < 0xC2 || c > 0xF4 || size < n) return 0;
    for (size_t i = 1; i < n; i++) {
        unsigned char next = (unsigned char)s[i];
        if ((next & 0xC0) != 0x80) return 0;
        point = point << 6 | (next & 0x3F);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[n] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return 0;
    *length = n;
    return point;
}

/* Letters and subscripts beyond ASCII; not the signs and blanks that look like operators. */
static bool is_letter(uint32_t c) {
    static const uint32_t range[][2] = {
        {'A', 'Z'},         {'_', '_'},       {'a', 'z'},       {0xB5, 0xB5},
        {0xC0, 0xD6},       {0xD8, 0xF6},     {0xF8, 0x167F},   {0x1681, 0x180D},
        {0x180F, 0x1FFF},   {0x2080, 0x2089}, {0x2090, 0x209C}, {0x2102, 0x2149},
        {0x2C00, 0x2DFF},   {0x3041, 0xD7FF}, {0xF900, 0xFAFF}, {0x10000, 0x1F000},
        {0x20000, 0x3FFFF},
    };
    for (size_t i = 0; i < COUNT_OF(range); i++)
        if (c >= range[i][0] && c <= range[i][1]) return true;
    return false;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The bytes of the letter or digit at `at`, 0 if there is none. */
static size_t name_character(const struct parser *p, size_t at) {
    if (at >= p->size) return 0;
    if (is_digit(p->text[at])) return 1;
    size_t length;
    uint32_t c = decode(p->text + at, p->size - at, &length);
    return length && is_letter(c) ? length : 0;
}

// clang-format off
/* Signs that people type or paste, and what the language has in their place. Longer ones first. */
static const struct {
    const char *sign, *instead;
} lookalike[] = {
    {"**", "^"},            {"&&", "and"},          {"||", "or"},           {"!", "not"},
    {"&", "and"},           {"|", "or"},            {"\xE2\x88\x92", "-"}, {"\xC3\x97", "*"},
    {"\xC2\xB7", "*"},      {"\xE2\x8B\x85", "*"}, {"\xC3\xB7", "/"},     {"\xC2\xB2", "^2"},
    {"\xC2\xB3", "^3"},     {"\xE2\x89\xA4", "<="}, {"\xE2\x89\xA5", ">="}, {"\xE2\x89\xA0", "!="},
    {"\xE2\x80\x99", "'"}, {"\xE2\x80\xB2", "'"}, {"`", "'"},            {"\xC2\xA0", "a blank"},
    {"\xE3\x80\x80", "a blank"}, {"\xEF\xBC\x88", "("}, {"\xEF\xBC\x89", ")"},
    {"\xEF\xBC\x8C", ","},
};
// clang-format on

static void unknown_character(struct parser *p, struct place place) {
    const char *s = p->text + place.at;
    size_t rest = p->size - place.at, length;
    uint32_t c = decode(s, rest, &length);
    if (!length) {
        parse_fail(p, place, WG_ESYNTAX, "byte 0x%02x is not UTF-8", (unsigned)(unsigned char)*s);
        parse_hint(p, "save the text as UTF-8");
        return;
    }
    if (c < ' ' || c == 0x7F) {
        parse_fail(p, place, WG_ESYNTAX, "a control character (0x%02x) in the text", (unsigned)c);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(lookalike); i++) {
        size_t n = strlen(lookalike[i].sign);
        if (n > rest || memcmp(s, lookalike[i].sign, n) != 0) continue;
        parse_fail(p, place, WG_ESYNTAX, "unknown sign '%s'", lookalike[i].sign);
        parse_hint(p, "write %s", lookalike[i].instead);
        return;
    }
    parse_fail(p, place, WG_ESYNTAX, "unknown sign '%.*s'", (int)length, s);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static size_t skip_digits(const struct parser *p, size_t at) {
    while (at < p->size && is_digit(p->text[at])) at++;
    return at;
}

/* 12, 1.5, .5, 1e-3: the end of the number that begins at `at`. */
static size_t number_end(const struct parser *p, size_t at) {
    at = skip_digits(p, at);
    if (at < p->size && p->text[at] == '.') at = skip_digits(p, at + 1);
    if (at < p->size && (p->text[at] == 'e' || p->text[at] == 'E')) {
        size_t sign = at + 1 < p->size && (p->text[at + 1] == '+' || p->text[at + 1] == '-');
        size_t end = skip_digits(p, at + 1 + sign);
        if (end > at + 1 + sign) at = end;
    }
    return at;
}

/* strtod reads the point of the locale, so that the number is put to it without a point: 1.25e3 as
 * 125e1. */
static double number_value(const char *start, size_t length) {
    char digits[MAX_NUMBER + 32];
    size_t count = 0, i = 0;
    long exponent = 0, fraction = 0;
    bool point = false;
    for (; i < length && (is_digit(start[i]) || start[i] == '.'); i++) {
        if (start[i] == '.')
            point = true;
        else {
            digits[count++] = start[i];
            fraction += point;
        }
    }
    if (i < length) { /* an exponent of many digits is as good as one of six */
        bool negative = start[i + 1] == '-';
        for (i += is_digit(start[i + 1]) ? 1 : 2; i < length; i++)
            if (exponent < 100000) exponent = 10 * exponent + (start[i] - '0');
        if (negative) exponent = -exponent;
    }
    snprintf(digits + count, sizeof digits - count, "e%ld", exponent - fraction);
    return strtod(digits, NULL);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    unsigned kind;
} keyword[] = {
    {"let", T_LET},     {"and", T_AND}, {"or", T_OR},   {"not", T_NOT}, {"true", T_TRUE},
    {"false", T_FALSE}, {"pi", T_PI},   {"inf", T_INF}, {"nan", T_NAN}, {"for", T_FOR},
    {"in", T_IN},       {"while", T_WHILE}, {"if", T_IF}, {"then", T_THEN}, {"else", T_ELSE},
};

static unsigned word_kind(const char *start, size_t length) {
    for (size_t i = 0; i < COUNT_OF(keyword); i++)
        if (is_word(start, length, keyword[i].word)) return keyword[i].kind;
    return T_NAME;
}

/* Whether a statement may end behind a token of this kind. */
static bool may_end(unsigned kind) {
    switch (kind) {
    case T_NEWLINE:
    case T_LET:
    case T_AND:
    case T_OR:
    case T_NOT:
    case T_END: return false;
    case T_EQ:
    case T_NE:
    case T_LE:
    case T_GE:
    case T_FOR:
    case T_IN:
    case T_WHILE:
    case T_IF:
    case T_THEN:
    case T_ELSE:
    case T_INCREASE:
    case T_DECREASE:
    case T_MULTIPLY:
    case T_DIVIDE: return false;
    default: return kind >= 128 || !strchr("+-*/@^,=<>{:([", (int)kind);
    }
}

/* Blanks and comments, and line ends where they mean nothing. Returns whether a line end that
 * counts comes next. */
static bool skip_blanks(const struct parser *p, struct place *at, bool line_end_counts) {
    for (; at->at < p->size; at->at++, at->column++) {
        char c = p->text[at->at];
        if (c == '#') {
            const char *end = memchr(p->text + at->at, '\n', p->size - at->at);
            at->at = end ? (size_t)(end - p->text) : p->size;
            c = '\n'; /* the column is that of the sign: nothing else is on the line */
            if (!end) return false;
        }
        if (c == '\n') {
            if (line_end_counts) return true;
            at->line++;
            at->column = 0;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return false;
        }
    }
    return false;
}

void lex_next(struct parser *p) {
    struct reader *in = &p->in;
    unsigned last = in->token.kind;
    if (last == '(' || last == '[') in->brackets++;
    if ((last == ')' || last == ']') && in->brackets) in->brackets--;
    if (p->call_depth && ++p->call_tokens > MAX_CALL_TOKENS) {
        parse_fail(p, in->token.place, WG_EOVERFLOW,
                   "the calls of functions come to more than %d tokens", MAX_CALL_TOKENS);
        parse_hint(p, "a function that calls another twice doubles its text; take common parts "
                      "into names with let");
    }
    struct place end = in->next, at = in->next;
    bool newline = skip_blanks(p, &at, in->brackets == 0 && may_end(last));
    struct token *token = &in->token;
    *token = (struct token){.kind = T_END, .place = at, .start = p->text + at.at};
    if (parse_failed(p)) return;
    if (at.at == p->size) {
        token->place = end; /* behind the last token, not on the empty line below */
        return;
    }

    const char *s = token->start;
    size_t length = 1, columns = 0; /* columns: where they are not bytes */
    char second = at.at + 1 < p->size ? s[1] : 0;
    if (newline || *s == ';') {
        token->kind = T_NEWLINE;
    } else if (is_digit(*s) || (*s == '.' && is_digit(second))) {
        token->kind = T_NUMBER;
        length = number_end(p, at.at) - at.at;
        if (length > MAX_NUMBER) {
            parse_fail(p, at, WG_ESYNTAX, "a number of more than %d digits", MAX_NUMBER);
        } else {
            token->number = number_value(s, length);
            if (isinf(token->number))
                parse_fail(p, at, WG_EOVERFLOW, "the number %.*s is larger than any f64",
                           (int)length, s);
        }
    } else if (*s == '"') {
        const char *quote = memchr(s + 1, '"', p->size - at.at - 1);
        token->kind = T_TEXT;
        if (quote) length = (size_t)(quote - s) + 1;
        if (!quote || memchr(s, '\n', length))
            parse_fail(p, at, WG_ESYNTAX, "a text without its closing quote on the line");
    } else if (name_character(p, at.at)) {
        length = columns = 0;
        for (size_t n; (n = name_character(p, at.at + length)) != 0; columns++) length += n;
        token->kind = word_kind(s, length);
    } else if (*s && strchr("=!<>", *s) && second == '=') {
        token->kind = *s == '=' ? T_EQ : *s == '!' ? T_NE : *s == '<' ? T_LE : T_GE;
        length = 2;
    } else if (*s && strchr("+-*/", *s) && second == '=') {
        token->kind = *s == '+' ? T_INCREASE : *s == '-' ? T_DECREASE
                      : *s == '*' ? T_MULTIPLY : T_DIVIDE;
        length = 2;
    } else if (*s && strchr("+-/@^()[]{}',:=<>", *s)) {
        token->kind = (unsigned char)*s;
    } else if (*s == '*' && second != '*') {
        token->kind = '*';
    } else {
        unknown_character(p, at);
    }
    if (parse_failed(p)) token->kind = T_END;
    token->length = length;
    in->next = (struct place){at.at + length, at.line,
                              at.column + (uint32_t)(columns ? columns : length)};
    if (newline) in->next = (struct place){at.at + 1, at.line + 1, 1};
}

void lex_start(struct parser *p) {
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    size_t skip = p->size >= 3 && memcmp(p->text, byte_order_mark, 3) == 0 ? 3 : 0;
    p->in = (struct reader){.token.kind = T_NEWLINE, .next = {skip, 1, 1}};
    lex_next(p);
}

unsigned lex_peek(struct parser *p) {
    struct reader here = p->in;
    lex_next(p);
    unsigned kind = token_kind(p);
    p->in = here;
    return kind;
}

bool lex_take(struct parser *p, unsigned kind) {
    if (token_kind(p) != kind) return false;
    lex_next(p);
    return true;
}

void skip_newlines(struct parser *p) {
    while (lex_take(p, T_NEWLINE)) continue;
}

void skip_newline_before(struct parser *p, unsigned kind) {
    struct reader here = p->in;
    skip_newlines(p);
    if (token_kind(p) != kind) p->in = here;
}

/* "expected a value, found ')'" */
void lex_unexpected(struct parser *p, const char *expected) {
    const struct token *found = &p->in.token;
    size_t length = found->length <= 40 ? found->length : 40;
    if (found->kind == T_END)
        parse_fail(p, found->place, WG_ESYNTAX, "expected %s, but the text ends", expected);
    else if (found->kind == T_NEWLINE && *found->start != ';')
        parse_fail(p, found->place, WG_ESYNTAX, "expected %s, but the line ends", expected);
    else
        parse_fail(p, found->place, WG_ESYNTAX, "expected %s, found '%.*s'", expected, (int)length,
                   found->start);
}

bool lex_expect(struct parser *p, unsigned kind, const char *what) {
    if (lex_take(p, kind)) return true;
    lex_unexpected(p, what);
    return false;
}
