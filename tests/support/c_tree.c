/* Shrinking is greedy, from the root down: of lines the last first, then what is in those that
 * stay. What does not compile does not fail, so declarations go when nothing needs them any more. */
#include "support/c_tree.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *kept(struct c_text *t, size_t size) {
    if (t->blocks == t->room) {
        t->room = 2 * t->room + 64;
        t->block = realloc(t->block, t->room * sizeof *t->block);
        assert_non_null(t->block);
    }
    void *block = calloc(1, size + 1);
    assert_non_null(block);
    return t->block[t->blocks++] = block;
}

void c_text_free(struct c_text *t) {
    for (size_t i = 0; i < t->blocks; i++) free(t->block[i]);
    free(t->block);
    *t = (struct c_text){0};
}

struct c_node *c_node(struct c_text *t, enum c_kind kind, double most, const char *form,
                      size_t count, ...) {
    struct c_node *n = kept(t, sizeof *n);
    *n = (struct c_node){.kind = kind, .form = form, .count = count, .room = count, .most = most};
    n->child = kept(t, count * sizeof(struct c_node *));
    va_list args;
    va_start(args, count);
    for (size_t i = 0; i < count; i++) n->child[i] = va_arg(args, struct c_node *);
    va_end(args);
    return n;
}

void c_append(struct c_text *t, struct c_node *list, struct c_node *line) {
    if (list->count == list->room) {
        struct c_node **old = list->child;
        list->room = 2 * list->room + 4;
        list->child = kept(t, list->room * sizeof *list->child);
        for (size_t i = 0; i < list->count; i++) list->child[i] = old[i];
    }
    list->child[list->count++] = line;
}

const char *c_say(struct c_text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    char *text = kept(t, (size_t)size);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(args);
    va_end(again);
    return text;
}

/* ---- printing -------------------------------------------------------------------------------- */

struct printer {
    char *text;
    size_t size, room;
    int depth;
    bool marked;
};

static void put(struct printer *p, char c) {
    if (p->size + 1 >= p->room) {
        p->room = 2 * p->room + 1024;
        p->text = realloc(p->text, p->room);
        assert_non_null(p->text);
    }
    p->text[p->size++] = c;
    p->text[p->size] = 0;
}

static void put_in_line(struct printer *p, char c) {
    bool begins = p->size == 0 || p->text[p->size - 1] == '\n';
    if (c == '}') p->depth--;
    for (int i = 0; begins && c != '\n' && i < p->depth; i++)
        for (int k = 0; k < 4; k++) put(p, ' ');
    if (c == '{') p->depth++;
    put(p, c);
}

static void print(struct printer *p, const struct c_node *n) {
    size_t next = 0;
    if (n->kind == C_LIST)
        for (size_t i = 0; i < n->count; i++) print(p, n->child[i]);
    bool shown = true, in_choice = false;
    for (const char *c = n->form; c && *c; c++) {
        if (*c == '@') {
            in_choice = !in_choice;
            shown = !in_choice || !p->marked;
        } else if (*c == '|' && in_choice)
            shown = p->marked;
        else if (!shown)
            continue;
        else if (*c == '$')
            print(p, n->child[next++]);
        else
            put_in_line(p, *c);
    }
}

char *c_print(const struct c_node *node, bool marked) {
    struct printer p = {.marked = marked};
    print(&p, node);
    return p.text;
}

/* ---- shrinking ------------------------------------------------------------------------------- */

struct shrinking {
    struct c_text *t;
    int asked;
    bool (*fails)(void *ctx);
    void *ctx;
};

static bool still_fails(struct shrinking *s) { return s->asked-- > 0 && s->fails(s->ctx); }

static bool put_instead(struct shrinking *s, struct c_node **slot, struct c_node *other) {
    struct c_node *old = *slot;
    *slot = other;
    if (still_fails(s)) return true;
    *slot = old;
    return false;
}

static bool shrink_list(struct shrinking *s, struct c_node *list) {
    bool any = false;
    for (size_t i = list->count; i-- > 0;) {
        struct c_node *gone = list->child[i];
        if (gone->stays) continue;
        memmove(list->child + i, list->child + i + 1, (list->count - i - 1) * sizeof *list->child);
        list->count--;
        if (still_fails(s)) {
            any = true;
            continue;
        }
        memmove(list->child + i + 1, list->child + i, (list->count - i) * sizeof *list->child);
        list->count++;
        list->child[i] = gone;
    }
    return any;
}

/* The node at `slot` by one of its parts. */
static bool shrink_whole(struct shrinking *s, struct c_node **slot) {
    struct c_node *n = *slot;
    if (n->stays || n->kind == C_FIXED) return false;
    for (size_t i = 0; i < n->count; i++) {
        struct c_node *part = n->child[i];
        bool fits = n->kind == C_LINE ? part->kind == C_LIST
                                      : part->kind == n->kind && part->most <= n->most;
        if (fits && put_instead(s, slot, part)) return true;
    }
    const char *leaf[2] = {NULL, NULL};
    if (n->kind == C_REAL) leaf[0] = "0.5";
    if (n->kind == C_WHOLE) leaf[0] = "0";
    if (n->kind == C_TRUTH) leaf[0] = "1", leaf[1] = "0";
    for (int k = 0; k < 2 && leaf[k]; k++) {
        if (!n->count && strcmp(n->form, leaf[k]) == 0) return false;
        struct c_node *other = c_node(s->t, n->kind, 0.5, leaf[k], 0);
        if (n->kind == C_TRUTH && !n->count && strlen(n->form) == 1) return false;
        if (put_instead(s, slot, other)) return true;
    }
    return false;
}

static bool shrink(struct shrinking *s, struct c_node **slot) {
    bool any = false;
    if ((*slot)->kind == C_LIST) any = shrink_list(s, *slot);
    while (s->asked > 0 && (*slot)->kind != C_LIST && shrink_whole(s, slot)) any = true;
    for (size_t i = 0; i < (*slot)->count && s->asked > 0; i++)
        if (shrink(s, &(*slot)->child[i])) any = true;
    return any;
}

void c_shrink(struct c_text *t, struct c_node *root, int most_asked, bool (*fails)(void *ctx),
              void *ctx) {
    struct shrinking s = {t, most_asked, fails, ctx};
    while (shrink(&s, &root)) continue;
}
