/* Lines of the user's source in the C that was made from them. A statement there names its place,
 * "mul, adjoint: model.c:11:20"; where that is another line than the one before, the line stands
 * above. */
#include "csource/source.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST = 88 };

struct quoting {
    struct wg_csource *s;
    wg_text *out;
    char file[128]; /* of the last place */
    long line;
};

/* "model.c:11:20 *" + "/" at the end of a line of code: the file's name, and the line, 0: none. */
static long place_in(const char *begin, size_t length, char *file, size_t room) {
    if (length < 3 || memcmp(begin + length - 3, " */", 3) != 0) return 0;
    const char *end = begin + length - 3, *at = end;
    while (at > begin && at[-1] != ' ') at--; /* names of files with blanks are left out */
    if (at - begin < 2 || at[-2] != ':') return 0;
    const char *colon = at;
    while (colon < end && !(*colon == ':' && isdigit((unsigned char)colon[1]))) colon++;
    if (colon == end || (size_t)(colon - at) >= room) return 0;
    memcpy(file, at, (size_t)(colon - at));
    file[colon - at] = 0;
    return strtol(colon + 1, NULL, 10);
}

/* The line without what stands around it, and without ends or begins of comments. */
static bool add_line(struct quoting *q, const char *text, size_t length, size_t indentation) {
    char shown[LONGEST + 4];
    size_t n = 0, begin = 0;
    while (begin < length && isspace((unsigned char)text[begin])) begin++;
    while (length > begin && isspace((unsigned char)text[length - 1])) length--;
    for (size_t i = begin; i < length && n < LONGEST; i++) {
        bool mark = (text[i] == '/' || text[i] == '*') && n && shown[n - 1] != ' ' &&
                    text[i] != shown[n - 1] && (shown[n - 1] == '/' || shown[n - 1] == '*');
        if (mark) shown[n++] = ' ';
        shown[n++] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
    }
    if (n >= LONGEST) {
        n = LONGEST - 3;
        while (n && ((unsigned char)shown[n] & 0xC0) == 0x80) n--; /* no half of a letter */
        memcpy(shown + n, "...", 3);
        n += 3;
    }
    return !n || text_format(q->out, "%*s/* %s:%ld | %.*s */\n", (int)indentation, "", q->file,
                             q->line, (int)n, shown);
}

static bool quote(struct quoting *q, size_t indentation) {
    for (size_t i = 0; i < q->s->file_count; i++) {
        const char *slash = strrchr(q->s->file[i], '/');
        if (strcmp(slash ? slash + 1 : q->s->file[i], q->file) != 0) continue;
        size_t length;
        const char *text = tree_line(q->s->tree, q->s->file[i], (uint32_t)q->line, &length);
        return !text || add_line(q, text, length, indentation);
    }
    return true;
}

/* A line of code; one that is too long for its call's arguments goes on below them. */
static bool add_code(struct quoting *q, const char *line, size_t length) {
    enum { COLUMNS = 100 };
    static const char call[] = "if ((status = ";
    const char *begin = length > COLUMNS ? strstr(line, call) : NULL;
    const char *open = begin && begin < line + length ? strchr(begin + strlen(call), '(') : NULL;
    bool ok = true;
    if (!open || open >= line + length) return text_bytes(q->out, line, length);
    size_t margin = (size_t)(open + 1 - line), room = margin < 60 ? COLUMNS - margin : 40;
    ok = text_bytes(q->out, line, margin);
    for (const char *at = open + 1, *end = line + length; at < end && ok;) {
        size_t n = (size_t)(end - at), last = 0;
        for (size_t k = 0; n > room && k < room; k++)
            if (at[k] == ',' && at[k + 1] == ' ') last = k + 1;
        if (last) n = last;
        ok = text_bytes(q->out, at, n);
        at += n;
        if (at < end) at += *at == ' ';
        if (at < end) ok = ok && text_format(q->out, "\n%*s", (int)margin, "");
    }
    return ok;
}

bool add_quoted(struct wg_csource *s, const char *code, wg_text *out) {
    struct quoting q = {.s = s, .out = out};
    bool ok = true;
    while (code && *code && ok) {
        size_t length = strcspn(code, "\n"), indentation = strspn(code, " ");
        char file[sizeof q.file];
        long line = place_in(code, length, file, sizeof file);
        if (line > 0 && (line != q.line || strcmp(file, q.file) != 0)) {
            memcpy(q.file, file, sizeof file);
            q.line = line;
            ok = quote(&q, indentation);
        }
        if (*code == '}') q.line = 0; /* the next function */
        ok = ok && add_code(&q, code, length) && text_add(out, "\n");
        code += length + (code[length] == '\n');
    }
    return ok;
}
