/* Greedy: simplifications are tried in turn, each kept if the failure stays, until none is. In this
 * order, which cuts off most first:
 *   an output, size or requirement less     output "y" %9      -> (nothing)
 *   an output nearer to the inputs          output "y" %9      -> output "y" %4
 *   an instruction turned into an input     %4 = sin %3 : f64  -> %4 = input "v4" : f64
 *   an instruction replaced by an operand   sin %4             -> sin %3
 * What no output needs any more is dropped, and numbers are closed up. Sites and origins are left
 * out from the start. Every step but turning an instruction that has only inputs before it into
 * an input shortens the program, and that one leaves an instruction less to turn: it ends. */
#include "support/shrink.h"

#include "support/test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { DECLARATION, INSTRUCTION, OUTPUT };

/* A line, its values' numbers apart: text with a '%' where each number stood (names have none), the
 * first of an instruction being its own. */
struct line {
    enum kind kind;
    const char *text, *type; /* type: behind the colon; NULL: none */
    size_t *value, values;
    bool live;
};

struct listing {
    struct line *line;
    size_t count;
};

struct shrinking {
    struct listing now;
    shrink_check *check;
    void *ctx;
    int failure;
    void **block; /* texts and numbers, freed at the end */
    size_t blocks, room;
};

static void *kept(struct shrinking *s, size_t size) {
    if (s->blocks == s->room) {
        s->room = 2 * s->room + 64;
        s->block = realloc(s->block, s->room * sizeof *s->block);
        assert_non_null(s->block);
    }
    void *block = calloc(1, size);
    assert_non_null(block);
    return s->block[s->blocks++] = block;
}

/* What was kept since there were so many blocks. */
static void release(struct shrinking *s, size_t blocks) {
    while (s->blocks > blocks) free(s->block[--s->blocks]);
}

/* ---- text into lines and back ---------------------------------------------------------------- */

/* Where a line ends once its site and origin, ' at "..."' and ' adjoint %...', are cut. */
static const char *end_of_line(const char *from, const char *end) {
    const char *site = strstr(from, " at \""), *type = strstr(from, " : ");
    if (site && site < end) end = site;
    if (!type || type >= end) return end;
    size_t depth = 0;
    for (const char *c = type + 3; c < end; c++) {
        depth += *c == '[';
        depth -= *c == ']';
        if (*c == ' ' && depth == 0) return c;
    }
    return end;
}

static struct line read_line(struct shrinking *s, const char *from, const char *end) {
    struct line line = {.kind = *from == '%' ? INSTRUCTION : DECLARATION, .live = true};
    if (strncmp(from, "output ", 7) == 0) line.kind = OUTPUT;
    end = end_of_line(from, end);
    char *text = kept(s, (size_t)(end - from) + 1);
    line.value = kept(s, ((size_t)(end - from) + 1) * sizeof *line.value);
    line.text = text;
    for (const char *c = from; c < end;) {
        if (strncmp(c, " : ", 3) == 0) line.type = text + 3;
        *text++ = *c;
        if (*c++ != '%') continue;
        char *behind;
        line.value[line.values++] = strtoul(c, &behind, 10);
        c = behind;
    }
    return line;
}

static struct listing read_listing(struct shrinking *s, const char *text) {
    struct listing l = {0};
    size_t lines = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    l.line = kept(s, (lines + 1) * sizeof *l.line);
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        l.line[l.count++] = read_line(s, text, end);
    return l;
}

/* Marks what some output needs. Returns a map from values to new numbers, for free. */
static size_t *number_live(struct listing *l) {
    size_t *number = calloc(l->count + 1, sizeof *number), next = 0;
    assert_non_null(number);
    for (size_t i = l->count; i-- > 0;) {
        struct line *line = &l->line[i];
        if (line->kind == INSTRUCTION) line->live = number[line->value[0]] != 0;
        for (size_t k = 0; line->live && k < line->values; k++) number[line->value[k]] = 1;
    }
    for (size_t i = 0; i < l->count; i++)
        if (l->line[i].kind == INSTRUCTION && l->line[i].live)
            number[l->line[i].value[0]] = ++next;
    return number;
}

static char *write_listing(struct listing *l) {
    size_t *number = number_live(l), size = 1;
    for (size_t i = 0; i < l->count; i++)
        size += strlen(l->line[i].text) + 1 + 20 * l->line[i].values;
    char *text = malloc(size), *at = text;
    assert_non_null(text);
    for (size_t i = 0; i < l->count; i++) {
        const struct line *line = &l->line[i];
        size_t k = 0;
        if (!line->live) continue;
        for (const char *c = line->text; *c; c++) {
            *at++ = *c;
            if (*c == '%')
                at += snprintf(at, size - (size_t)(at - text), "%zu", number[line->value[k++]]);
        }
        *at++ = '\n';
    }
    *at = '\0';
    free(number);
    return text;
}

/* ---- simplifications ------------------------------------------------------------------------- */

static struct listing copied(struct shrinking *s, const struct listing *l) {
    struct listing copy = {kept(s, l->count * sizeof *l->line), l->count};
    size_t values = 0;
    for (size_t i = 0; i < l->count; i++) values += l->line[i].values;
    size_t *value = kept(s, (values + 1) * sizeof *value);
    for (size_t i = 0; i < l->count; i++) {
        copy.line[i] = l->line[i];
        copy.line[i].value = value;
        memcpy(value, l->line[i].value, l->line[i].values * sizeof *value);
        value += l->line[i].values;
    }
    return copy;
}

/* Whether the changed listing is a program that shows the failure: it is then the one to go on
 * with. */
static bool accept(struct shrinking *s, struct listing *changed) {
    char *text = write_listing(changed);
    wg_error error = {0};
    wg_program *p = wg_program_read(text, strlen(text), NULL, &error);
    bool same = p && s->check(p, s->ctx, NULL) == s->failure;
    wg_program_free(p);
    if (same) s->now = read_listing(s, text);
    free(text);
    return same;
}

static struct line *line_of(struct listing *l, size_t value) {
    for (size_t i = 0; i < l->count; i++)
        if (l->line[i].kind == INSTRUCTION && l->line[i].value[0] == value) return &l->line[i];
    return NULL;
}

static bool is_input(const struct line *line) {
    return strncmp(line->text, "% = input ", 10) == 0;
}

static bool drop_line(struct shrinking *s, size_t i) {
    if (s->now.line[i].kind == INSTRUCTION) return false; /* these go when nothing needs them */
    struct listing l = copied(s, &s->now);
    l.line[i].live = false;
    return accept(s, &l);
}

/* To any value before its own, the first first. */
static bool lower_output(struct shrinking *s, size_t i) {
    if (s->now.line[i].kind != OUTPUT) return false;
    for (size_t v = 1; v < s->now.line[i].value[0]; v++) {
        struct listing l = copied(s, &s->now);
        l.line[i].value[0] = v;
        if (accept(s, &l)) return true;
    }
    return false;
}

static bool turn_to_input(struct shrinking *s, size_t i) {
    const struct line *old = &s->now.line[i];
    if (old->kind != INSTRUCTION || is_input(old) || !old->type) return false;
    if (strncmp(old->type, "f64", 3) != 0 && strncmp(old->type, "f32", 3) != 0) return false;
    struct listing l = copied(s, &s->now);
    struct line *line = &l.line[i];
    size_t size = strlen(line->type) + 64;
    char *text = kept(s, size);
    /* the first name that no port has */
    for (unsigned name = 1;; name++) {
        bool taken = false;
        snprintf(text, size, "\"v%u\"", name);
        for (size_t k = 0; k < l.count; k++) taken |= strstr(l.line[k].text, text) != NULL;
        if (taken) continue;
        snprintf(text, size, "%% = input \"v%u\" : %s", name, line->type);
        break;
    }
    line->text = text;
    line->values = 1;
    return accept(s, &l);
}

static bool replace_by_operand(struct shrinking *s, size_t i) {
    const struct line *old = &s->now.line[i];
    if (old->kind != INSTRUCTION || !old->type) return false;
    for (size_t k = 1; k < old->values; k++) {
        const struct line *operand = line_of(&s->now, old->value[k]);
        if (!operand || !operand->type || strcmp(operand->type, old->type) != 0) continue;
        struct listing l = copied(s, &s->now);
        for (size_t n = i + 1; n < l.count; n++)
            for (size_t j = 0; j < l.line[n].values; j++)
                if (l.line[n].value[j] == old->value[0]) l.line[n].value[j] = old->value[k];
        if (accept(s, &l)) return true;
    }
    return false;
}

/* ---- the face -------------------------------------------------------------------------------- */

static bool simplify(struct shrinking *s) {
    static bool (*const step[])(struct shrinking *, size_t) = {
        drop_line, lower_output, turn_to_input, replace_by_operand};
    for (size_t k = 0; k < sizeof step / sizeof *step; k++)
        for (size_t i = s->now.count; i-- > 0;) { /* from the end: most is cut off there */
            size_t blocks = s->blocks;
            if (step[k](s, i)) return true;
            release(s, blocks);
        }
    return false;
}

char *shrink_program(const wg_program *program, shrink_check *check, void *ctx) {
    struct shrinking s = {.check = check, .ctx = ctx, .failure = check(program, ctx, NULL)};
    assert_int_not_equal(s.failure, 0);
    wg_error error = {0};
    wg_text text = {0};
    wg_program_print(program, &text, &error);
    assert_ok(error);
    s.now = read_listing(&s, text.data);
    wg_text_free(&text);
    while (simplify(&s)) continue;
    char *smallest = write_listing(&s.now);
    release(&s, 0);
    free(s.block);
    return smallest;
}

void assert_holds(const wg_program *program, shrink_check *check, void *ctx, const char *what) {
    char message[SHRINK_MESSAGE] = "", smaller[SHRINK_MESSAGE] = "";
    if (check(program, ctx, message) == 0) return;
    char *text = shrink_program(program, check, ctx);
    wg_program *p = wg_program_read(text, strlen(text), NULL, NULL);
    if (p) check(p, ctx, smaller);
    wg_program_free(p);
    print_error("%s: %s\nthe smallest program that shows it: %s\n%s", what, message, smaller, text);
    free(text);
    fail();
}
