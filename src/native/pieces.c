/* Cuts texts at their top level, and finds which pieces are used. This is no parser of C: it knows
 * comments, parentheses, and how the runtime's texts are written (a definition begins at the
 * beginning of a line, preprocessor conditions stand outside of functions). */
#include "native/pieces.h"

struct piece {
    size_t from, code, to; /* its comment, itself, its end */
    bool used;
};

struct definition { /* of a name: bytes of the text */
    size_t at, length, source, piece;
};

struct cutter {
    wg_allocator allocator;
    wg_text text;                    /* of all sources, their words replaced */
    VEC(struct piece) piece;
    VEC(struct definition) name;
    VEC(size_t) waiting;             /* pieces that are used and not looked through yet */
    uint32_t *bucket;                /* 1 + name, by hash */
    size_t capacity;
};

/* Behind a comment that begins here, or a word or number, or one character. */
static const char *skip_token(const char *s) {
    if (s[0] == '/' && s[1] == '*') {
        const char *end = strstr(s + 2, "*/");
        return end ? end + 2 : s + strlen(s);
    }
    if (begins_word(*s)) return s + word_length(s);
    if (isdigit((unsigned char)*s))
        while (isalnum((unsigned char)s[1]) || s[1] == '.') s++;
    return s + 1;
}

bool has_word(const char *text, const char *word) {
    for (const char *s = text; *s; s = skip_token(s))
        if (begins_word(*s) && is_word(s, word_length(s), word)) return true;
    return false;
}

/* ---- words for types ------------------------------------------------------------------------- */

/* F(name): the name with its suffix; returns what stands behind it. */
static const char *add_suffixed(wg_text *out, const char *s, const char *suffix, bool *ok) {
    const char *name = s + 2, *end = strchr(name, ')');
    if (!end) return s + 1;
    *ok = *ok && text_bytes(out, name, (size_t)(end - name)) && text_format(out, "_%s", suffix);
    return end + 1;
}

static bool add_source(wg_text *out, const struct source_text *source) {
    bool ok = true;
    for (const char *s = source->text; *s && ok;) {
        const char *end = skip_token(s);
        size_t length = (size_t)(end - s);
        bool starts_line = s == source->text || s[-1] == '\n';
        if (!source->suffix && starts_line && is_word(s, length, "double"))
            ok = text_add(out, "static double"); /* what was for other files is for this one */
        else if (source->suffix && is_word(s, length, "F") && *end == '(')
            end = add_suffixed(out, s, source->suffix, &ok);
        else if (source->suffix && is_word(s, length, "T")) ok = text_add(out, source->type);
        else if (source->suffix && is_word(s, length, "U"))
            ok = text_add(out, source->unsigned_type);
        else if (source->suffix && is_word(s, length, "LOWEST")) ok = text_add(out, source->lowest);
        else ok = text_bytes(out, s, length);
        s = end;
    }
    return ok && text_add(out, "\n");
}

/* ---- cutting --------------------------------------------------------------------------------- */

static const char *line_end(const char *s) {
    const char *end = strchr(s, '\n');
    return end ? end + 1 : s + strlen(s);
}

/* Behind a directive with the lines that continue it. */
static const char *directive_end(const char *s) {
    const char *end = line_end(s);
    while (end - s > 1 && end[-2] == '\\' && *end) end = line_end(end);
    return end;
}

static const char *condition_end(const char *s) {
    int depth = 0;
    while (*s) {
        if (strncmp(s, "#if", 3) == 0) depth++;
        if (strncmp(s, "#endif", 6) == 0) depth--;
        s = line_end(s);
        if (depth == 0) break;
    }
    return s;
}

/* Behind a definition: a function's last brace, a call of a macro, or a semicolon. */
static const char *definition_end(const char *s) {
    size_t first = word_length(s);
    bool function = !(is_word(s, first, "typedef") || is_word(s, first, "struct") ||
                      is_word(s, first, "enum"));
    bool macro = s[first] == '(';
    int depth = 0;
    for (; *s; s = skip_token(s)) {
        if (*s == '=' && depth == 0) function = false;
        depth += (*s == '(' || *s == '{') - (*s == ')' || *s == '}');
        bool closed = depth == 0 && ((*s == '}' && function) || (*s == ')' && macro));
        if (closed || (depth == 0 && *s == ';')) return line_end(s);
    }
    return s;
}

static bool is_guard(const char *s) {
    const char *end = line_end(s);
    return (strncmp(s, "#ifndef", 7) == 0 || strncmp(s, "#define", 7) == 0) && end - s > 3 &&
           strncmp(end - 3, "_H\n", 3) == 0;
}

static bool define(struct cutter *c, const char *word, size_t length, size_t source) {
    struct definition *new = VEC_PUSH(&c->allocator, &c->name);
    if (!new) return false;
    *new = (struct definition){(size_t)(word - c->text.data), length, source, c->piece.count - 1};
    return true;
}

/* The names after each #define. */
static bool define_macros(struct cutter *c, const char *s, const char *end, size_t source) {
    bool ok = true;
    for (; s < end && ok; s = line_end(s)) {
        const char *word = s + 1 + strspn(s + 1, " ");
        if (*s != '#' || strncmp(word, "define ", 7)) continue;
        ok = define(c, word + 7, word_length(word + 7), source);
    }
    return ok;
}

/* The constants of an enum stand behind '{' and ','. */
static bool define_constants(struct cutter *c, const char *s, const char *end, size_t source) {
    bool ok = true, next = false;
    int depth = 0;
    for (; s < end && ok; s = skip_token(s)) {
        if (begins_word(*s) && next) ok = define(c, s, word_length(s), source);
        depth += (*s == '(') - (*s == ')');
        bool blank = isspace((unsigned char)*s) || s[0] == '/';
        if (!blank) next = *s == '{' || (*s == ',' && depth == 0);
    }
    return ok;
}

/* A function or variable is the last word in front of the first '(', '[', '=' or '{'; a typedef
 * that in front of the end; a call of a macro defines its first argument. */
static bool define_name(struct cutter *c, const char *s, const char *end, size_t source) {
    size_t first = word_length(s), length = 0;
    const char *word = NULL;
    if (is_word(s, first, "enum")) return define_constants(c, s, end, source);
    bool type = is_word(s, first, "typedef");
    if (s[first] == '(') return define(c, s + first + 1, word_length(s + first + 1), source);
    for (int depth = 0; s < end; s = skip_token(s)) {
        bool stop = *s == '(' || *s == '[' || *s == '=' || *s == '{' || *s == ';';
        if (begins_word(*s) && depth == 0) word = s, length = word_length(s);
        if (type) depth += (*s == '{') - (*s == '}');
        else if (stop && word && !is_word(word, length, "__attribute__")) break;
    }
    return !word || define(c, word, length, source);
}

static bool add_piece(struct cutter *c, const char *comment, const char *s, const char *end,
                      size_t source) {
    struct piece *new = VEC_PUSH(&c->allocator, &c->piece);
    if (!new) return false;
    const char *begin = c->text.data;
    *new = (struct piece){(size_t)((comment ? comment : s) - begin), (size_t)(s - begin),
                          (size_t)(end - begin), false};
    return *s == '#' ? define_macros(c, s, end, source) : define_name(c, s, end, source);
}

/* The text from `at` on, which is one source. */
static bool cut_source(struct cutter *c, size_t at, size_t source) {
    const char *s = c->text.data + at, *comment = NULL;
    bool ok = true;
    while (*s && ok) {
        const char *end;
        if (*s == '\n') {
            comment = NULL;
            s++;
            continue;
        }
        if (s[0] == '/' && s[1] == '*') {
            if (!comment) comment = s;
            s = line_end(skip_token(s));
            continue;
        }
        bool alone = is_guard(s) || !strncmp(s, "#include", 8) || !strncmp(s, "#endif", 6) ||
                     !strncmp(s, "#undef", 6);
        if (alone) end = line_end(s);
        else if (strncmp(s, "#if", 3) == 0) end = condition_end(s);
        else end = *s == '#' ? directive_end(s) : definition_end(s);
        if (!alone) ok = add_piece(c, comment, s, end, source);
        comment = NULL;
        s = end;
    }
    return ok;
}

/* ---- finding --------------------------------------------------------------------------------- */

/* The names with this one's bytes: their slot, or the empty one where it belongs. */
static size_t slot_of(const struct cutter *c, const char *word, size_t length) {
    size_t at = (size_t)hash_bytes(word, length, 0) & (c->capacity - 1);
    for (; c->bucket[at]; at = (at + 1) & (c->capacity - 1)) {
        const struct definition *d = &c->name.at[c->bucket[at] - 1];
        if (d->length == length && !memcmp(c->text.data + d->at, word, length)) break;
    }
    return at;
}

static bool index_names(struct cutter *c) {
    c->capacity = 64;
    while (c->capacity < 2 * c->name.count) c->capacity *= 2;
    c->bucket = mem_alloc_zero(&c->allocator, c->capacity * sizeof *c->bucket);
    if (!c->bucket) return false;
    for (size_t i = 0; i < c->name.count; i++) {
        size_t at = slot_of(c, c->text.data + c->name.at[i].at, c->name.at[i].length);
        if (!c->bucket[at]) c->bucket[at] = (uint32_t)i + 1;
    }
    return true;
}

static bool use(struct cutter *c, const char *s, const char *end) {
    for (; s < end && *s; s = skip_token(s)) {
        if (!begins_word(*s)) continue;
        uint32_t found = c->bucket[slot_of(c, s, word_length(s))];
        struct piece *piece = found ? &c->piece.at[c->name.at[found - 1].piece] : NULL;
        if (!piece || piece->used) continue;
        piece->used = true;
        size_t *next = VEC_PUSH(&c->allocator, &c->waiting);
        if (!next) return false;
        *next = c->name.at[found - 1].piece;
    }
    return true;
}

static bool use_all(struct cutter *c, const char *body) {
    bool ok = use(c, body, body + strlen(body));
    while (ok && c->waiting.count) {
        const struct piece *piece = &c->piece.at[c->waiting.at[--c->waiting.count]];
        ok = use(c, c->text.data + piece->code, c->text.data + piece->to);
    }
    return ok;
}

bool add_used_pieces(const struct source_text *source, size_t count, const char *body,
                     wg_text *out) {
    struct cutter c = {.allocator = out->allocator, .text = {.allocator = out->allocator}};
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        size_t at = c.text.size;
        ok = add_source(&c.text, &source[i]);
        /* offsets, not pointers: the text moves as it grows */
        ok = ok && cut_source(&c, at, i);
    }
    ok = ok && index_names(&c) && use_all(&c, body);
    for (size_t i = 0; i < c.piece.count && ok; i++) {
        const struct piece *p = &c.piece.at[i];
        if (!p->used) continue;
        ok = text_add(out, "\n") && text_bytes(out, c.text.data + p->from, p->to - p->from);
    }
    mem_free(&c.allocator, c.bucket, c.capacity * sizeof *c.bucket);
    VEC_FREE(&c.allocator, &c.piece);
    VEC_FREE(&c.allocator, &c.name);
    VEC_FREE(&c.allocator, &c.waiting);
    wg_text_free(&c.text);
    return ok;
}
