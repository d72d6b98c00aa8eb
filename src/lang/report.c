/* Errors of formulas: the place in front, the line of text with a caret below, and the nearest
 * known name for one that is unknown. The line is cut to a window around the caret, and shown
 * without control characters, so that a message stays small and safe to print whatever the text
 * is. */
#include "lang/lang.h"

#include <stdio.h>

enum { WINDOW = 72, WINDOW_BEFORE = 44, MAX_NAME = 32 };

void parse_at(struct parser *p, struct place place) {
    if (parse_failed(p)) return;
    p->place = place;
    graph_site(p->g, p->origin, place.line, place.column);
}

void parse_fail(struct parser *p, struct place place, wg_status status, const char *format, ...) {
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    p->hints = !parse_failed(p);
    parse_at(p, place);
    graph_fail(p->g, status, "%s", what);
}

void parse_hint(struct parser *p, const char *format, ...) {
    char hint[256];
    va_list args;
    va_start(args, format);
    vsnprintf(hint, sizeof hint, format, args);
    va_end(args);
    if (p->hints && p->g->error.status != WG_ENOMEM) graph_hint(p->g, "%s", hint);
}

void parse_memory(struct parser *p) { fail_memory(&p->g->error); }

/* ---- the line with a caret ------------------------------------------------------------------- */

static bool continues_character(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

/* Where the window begins: some characters before `at`, on its line. */
static size_t window_start(const struct parser *p, size_t at) {
    for (int i = 0; i < WINDOW_BEFORE && at > 0 && p->text[at - 1] != '\n'; i++) {
        at--;
        for (int k = 0; k < 3 && at > 0 && continues_character(p->text[at]); k++) at--;
    }
    return at;
}

void report_line(struct parser *p) {
    wg_error *error = &p->g->error;
    if (error->status == WG_OK || error->status == WG_ENOMEM || p->place.line == 0) return;
    char line[4 * WINDOW + 1], caret[WINDOW + 1];
    size_t start = window_start(p, p->place.at), at = start, n = 0, column = 0;
    for (int i = 0; i < WINDOW && at < p->size && p->text[at] != '\n'; i++) {
        char c = p->text[at];
        if (at < p->place.at) caret[column++] = c == '\t' ? '\t' : ' ';
        if (c == '\r') c = ' ';
        line[n++] = ((unsigned char)c < ' ' && c != '\t') || c == 0x7F ? '?' : c;
        at++;
        for (int k = 0; k < 3 && at < p->size && continues_character(p->text[at]); k++)
            line[n++] = p->text[at++];
    }
    while (n > 0 && line[n - 1] == ' ') n--;
    if (n == 0) return; /* nothing to point at */
    bool cut_before = start > 0 && p->text[start - 1] != '\n';
    bool cut_after = at < p->size && p->text[at] != '\n';

    /* below the first line, before operands and hints */
    char rest[sizeof error->message];
    char *end = strchr(error->message, '\n');
    rest[0] = 0;
    if (end) {
        memcpy(rest, end, strlen(end) + 1);
        *end = 0;
    }
    fail_more(error, "\n    %s%.*s%s\n    %s%.*s^%s", cut_before ? "..." : "", (int)n, line,
              cut_after ? "..." : "", cut_before ? "   " : "", (int)column, caret, rest);
}

/* ---- the nearest name ------------------------------------------------------------------------ */

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* How many letters must be inserted, removed, replaced or exchanged with their neighbour to make a
 * from b (Damerau 1964, each place changed once): row i is the distance of a's first i letters. */
static size_t edit_distance(const char *a, size_t na, const char *b, size_t nb) {
    size_t rows[3][MAX_NAME + 1], *row = rows[0], *last = rows[1], *before = rows[2];
    for (size_t k = 0; k <= nb; k++) row[k] = k;
    for (size_t i = 1; i <= na; i++) {
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
        row[0] = i;
        for (size_t k = 1; k <= nb; k++) {
            row[k] = smaller(last[k - 1] + (a[i - 1] != b[k - 1]),
                             1 + smaller(last[k], row[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = smaller(row[k], before[k - 2] + 1);
        }
    }
    return row[nb];
}

void nearest_try(struct nearest *n, const char *name, size_t length) {
    if (n->wanted_length < 2 || n->wanted_length > MAX_NAME || length > MAX_NAME) return;
    size_t limit = n->found ? n->distance : smaller(n->wanted_length / 2, 2) + 1;
    size_t distance = edit_distance(n->wanted, n->wanted_length, name, length);
    if (distance >= limit || distance >= length) return;
    n->found = name;
    n->found_length = length;
    n->distance = distance;
}

void nearest_hint(struct parser *p, const struct nearest *n) {
    if (n->found) parse_hint(p, "did you mean '%.*s'?", (int)n->found_length, n->found);
}
