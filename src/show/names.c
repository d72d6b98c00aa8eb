/* What variables are called: v with its number, inputs and outputs with the names that the program
 * gives them, with a dot for the tangent and a bar for the adjoint, in Unicode, ASCII or LaTeX. A
 * name of one letter (and digits) carries its mark above the letter; a longer one is spelt x_dot or
 * x_bar, as the inputs and outputs of derived programs are. */
#include "show/show.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const mark_above[] = {"", "\u0307", "\u0304"};
static const char *const mark_ascii[] = {"", "_dot", "_bar"};
static const char *const mark_latex[] = {"", "\\dot{", "\\bar{"};

static bool subscript_write(wg_text *out, int64_t number) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    bool ok = true;
    for (const char *c = digits; *c && ok; c++) { /* U+208B, U+2080 .. U+2089 */
        char below[] = {'\xE2', '\x82', (char)(*c == '-' ? 0x8B : 0x80 + (*c - '0'))};
        ok = text_bytes(out, below, sizeof below);
    }
    return ok;
}

bool name_variable(wg_text *out, enum notation notation, enum mark mark, int64_t number) {
    switch (notation) {
    case NOTATION_UNICODE:
        return text_format(out, "v%s", mark_above[mark]) && subscript_write(out, number);
    case NOTATION_ASCII: return text_format(out, "v%" PRId64 "%s", number, mark_ascii[mark]);
    case NOTATION_LATEX: break;
    }
    return text_format(out, "%sv%s_{%" PRId64 "}", mark_latex[mark], mark ? "}" : "", number);
}

bool name_within(wg_text *out, enum notation notation, char letter, const int64_t *path,
                 size_t depth, int64_t number) {
    bool latex = notation == NOTATION_LATEX;
    bool ok = text_format(out, latex ? "%c_{" : "%c", letter);
    for (size_t k = 0; k <= depth && ok; k++) {
        int64_t part = k < depth ? path[k] : number;
        ok = (k == 0 || text_add(out, ".")) &&
             (notation == NOTATION_UNICODE ? subscript_write(out, part)
                                           : text_format(out, "%" PRId64, part));
    }
    return ok && (!latex || text_add(out, "}"));
}

/* Bytes of the first character of a text that may not be UTF-8. */
static size_t character_size(const char *c) {
    size_t n = 1;
    if ((*c & 0xC0) == 0xC0)
        while ((c[n] & 0xC0) == 0x80) n++;
    return n;
}

/* Bytes of the digit at c, plain or below the line (U+2080 .. U+2089); 0 if there is none. */
static size_t digit_size(const char *c) {
    if (*c >= '0' && *c <= '9') return 1;
    return c[0] == '\xE2' && c[1] == '\x82' && (unsigned char)c[2] <= 0x89 ? 3 : 0;
}

/* Bytes of a name without the digits that end it; the first character is none of them. */
static size_t stem_size(const char *name) {
    size_t stem = character_size(name);
    for (size_t at = stem; name[at];) {
        size_t digit = digit_size(name + at);
        at += digit ? digit : character_size(name + at);
        if (!digit) stem = at;
    }
    return stem;
}

/* U+03B1 .. U+03C9 */
static const char *const greek[] = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "o", "pi", "rho", "varsigma", "sigma", "tau", "upsilon", "varphi",
    "chi", "psi", "omega"};

static const char *greek_name(const char *c, size_t size) {
    if (size != 2) return NULL;
    unsigned point = ((unsigned char)c[0] & 0x1Fu) << 6 | ((unsigned char)c[1] & 0x3Fu);
    return point >= 0x3B1 && point <= 0x3C9 ? greek[point - 0x3B1] : NULL;
}

/* Letters as they stand in mathematics; what TeX would take for a command is escaped. */
static bool latex_letters(wg_text *out, const char *name, size_t size) {
    bool ok = true;
    for (const char *c = name; c < name + size && ok; c += character_size(c)) {
        const char *letter = greek_name(c, character_size(c));
        if (letter) ok = text_format(out, "\\%s ", letter);
        else if (strchr("_%$#&{}", *c)) ok = text_format(out, "\\%c", *c);
        else if (strchr("\\^~", *c)) ok = text_add(out, "\\_");
        else ok = text_bytes(out, c, character_size(c));
    }
    return ok;
}

static bool latex_port(wg_text *out, enum mark mark, const char *name) {
    size_t stem = stem_size(name);
    const char *below = name + stem; /* x12, x_12 and x₁₂ are x with an index */
    if (*below && stem > 1 && name[stem - 1] == '_') stem--;
    bool one = character_size(name) == stem;
    const char *above = !one && mark == MARK_ADJOINT ? "\\overline{" : mark_latex[mark];
    bool ok = text_format(out, "%s%s", above, one ? "" : "\\mathit{") &&
              latex_letters(out, name, stem) &&
              text_format(out, "%s%s", one ? "" : "}", mark ? "}" : "");
    if (!*below) return ok;
    ok = ok && text_add(out, "_{");
    for (const char *c = below; *c && ok; c += digit_size(c)) /* of three bytes the last counts */
        ok = text_format(out, "%d", c[digit_size(c) - 1] & 0xF);
    return ok && text_add(out, "}");
}

bool name_port(wg_text *out, enum notation notation, enum mark mark, const char *name) {
    if (notation == NOTATION_LATEX) return latex_port(out, mark, name);
    size_t first = character_size(name);
    bool one = stem_size(name) == first;
    if (notation == NOTATION_UNICODE && one)
        return text_bytes(out, name, first) && text_add(out, mark_above[mark]) &&
               text_add(out, name + first);
    return text_format(out, "%s%s", name, mark_ascii[mark]);
}
