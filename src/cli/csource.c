/* C functions in place of formulas: model.c:energy, with what its compiler is told, by options or
 * by a compile_commands.json. What of C is carried is the library's matter (wengert/csource.h). */
#include "cli/cli.h"
#include "csource/source.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

typedef VEC(const char *) texts;

bool is_c_source(const char *file) {
    const char *colon = strrchr(file, ':');
    size_t length = colon && colon != file ? (size_t)(colon - file) : strlen(file);
    return length > 2 && file[length - 2] == '.' &&
           (file[length - 1] == 'c' || file[length - 1] == 'h');
}

static bool push(struct cli *c, texts *list, const char *text) {
    const char **new = text ? VEC_PUSH(&c->allocator, list) : NULL;
    if (new) *new = text;
    return new || !fail_memory(&c->error);
}

/* ---- compile_commands.json ------------------------------------------------------------------- */

/* A path that an entry tells, which is relative to its directory. */
static const char *path_in(struct cli *c, const char *directory, const char *path) {
    return *path == '/' || !directory ? path : keep_text(c, "%s/%s", directory, path);
}

static const char *string_of(const cJSON *entry, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, key));
}

static bool is_entry_of(struct cli *c, const cJSON *entry, const char *path) {
    const char *file = string_of(entry, "file");
    const char *full = file ? path_in(c, string_of(entry, "directory"), file) : NULL;
    char *theirs = full ? realpath(full, NULL) : NULL, *ours = realpath(path, NULL);
    bool same = theirs && ours && strcmp(theirs, ours) == 0;
    free(theirs);
    free(ours);
    return same;
}

/* The words of a command, as a shell splits it: blanks, quotes and backslashes. */
static bool split(struct cli *c, const char *command, texts *words) {
    wg_text word = {.allocator = c->allocator};
    bool ok = true, open = false;
    char quote = 0;
    for (const char *s = command;; s++) {
        bool blank = !quote && (*s == ' ' || *s == '\t' || *s == '\n');
        if (!*s || blank) {
            if (open) ok = ok && push(c, words, keep_text(c, "%s", word.data));
            if (open && ok) text_cut(&word, 0);
            open = false;
            if (!*s || !ok) break;
            continue;
        }
        if (!open) ok = ok && (text_add(&word, "") || !fail_memory(&c->error));
        open = true;
        if (quote ? *s == quote : *s == '\'' || *s == '"') {
            quote = quote ? 0 : *s;
            continue;
        }
        if (*s == '\\' && quote != '\'' && s[1]) s++;
        ok = ok && (text_bytes(&word, s, 1) || !fail_memory(&c->error));
        if (!ok) break;
    }
    wg_text_free(&word);
    return ok;
}

static bool words_of(struct cli *c, const cJSON *entry, texts *words) {
    const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(entry, "arguments"), *item;
    const char *command = string_of(entry, "command");
    if (!cJSON_IsArray(arguments)) return !command || split(c, command, words);
    cJSON_ArrayForEach(item, arguments) {
        const char *word = cJSON_GetStringValue(item);
        if (word && !push(c, words, keep_text(c, "%s", word))) return false;
    }
    return true;
}

/* Those that say how the text is read; all else is about the code that a compiler makes. */
static bool take_words(struct cli *c, const texts *words, const char *directory, texts *flags) {
    static const struct {
        const char *flag;
        bool apart, path; /* its value may stand behind it as a word; names a file */
    } known[] = {{"-isystem", true, true}, {"-include", true, true}, {"-iquote", true, true},
                 {"-std=", false, false},  {"-I", true, true},       {"-D", true, false},
                 {"-U", true, false}};
    for (size_t i = 1; i < words->count; i++) {
        const char *word = words->at[i];
        size_t k = 0, length = 0;
        for (; k < COUNT_OF(known); k++) {
            length = strlen(known[k].flag);
            if (strncmp(word, known[k].flag, length) == 0) break;
        }
        if (k == COUNT_OF(known)) continue;
        const char *rest = word + length;
        if (known[k].apart && !*rest) rest = i + 1 < words->count ? words->at[++i] : "";
        if (known[k].path) rest = path_in(c, directory, rest);
        const char *flag = keep_text(c, "%s", known[k].flag);
        if (known[k].flag[1] == 'i') { /* of two words */
            if (!push(c, flags, flag) || !push(c, flags, keep_text(c, "%s", rest))) return false;
        } else if (!push(c, flags, keep_text(c, "%s%s", known[k].flag, rest))) {
            return false;
        }
    }
    return true;
}

static bool flags_of_entry(struct cli *c, const char *path, texts *flags) {
    const char *file = option_text(c, OPT_COMPILE_COMMANDS);
    wg_text text = {.allocator = c->allocator};
    if (!file) return true;
    bool ok = read_file(c, file, &text);
    cJSON *json = ok ? cJSON_ParseWithLength(text.data ? text.data : "", text.size) : NULL;
    const cJSON *entry, *found = NULL;
    if (ok && !cJSON_IsArray(json))
        ok = input_error(c, WG_EFORMAT, "%s: this is no list of compile commands in JSON", file);
    cJSON_ArrayForEach(entry, json) {
        if (ok && !found && is_entry_of(c, entry, path)) found = entry;
    }
    if (ok && !found) ok = input_error(c, WG_ENAME, "%s: it has no entry for %s", file, path);
    texts words = {0};
    if (ok) {
        const char *directory = string_of(found, "directory");
        directory = directory ? keep_text(c, "%s", directory) : NULL;
        ok = words_of(c, found, &words) && take_words(c, &words, directory, flags);
    }
    VEC_FREE(&c->allocator, &words);
    cJSON_Delete(json);
    wg_text_free(&text);
    return ok;
}

/* ---- options --------------------------------------------------------------------------------- */

/* The values of an option, each at its commas if `split`, with `before` in front. */
static bool values_of(struct cli *c, enum option_id id, bool at_commas, const char *before,
                      texts *list) {
    for (size_t i = 0; i < c->given.count; i++) {
        const char *text = c->given.at[i].value, *start;
        size_t length;
        if (c->given.at[i].id != id) continue;
        if (!at_commas && !push(c, list, keep_text(c, "%s%s", before, text))) return false;
        for (const char *cursor = text; at_commas && name_next(&cursor, &start, &length);)
            if (!push(c, list, keep_text(c, "%.*s", (int)length, start))) return false;
    }
    return true;
}

struct lists {
    texts flag, file, size, inactive, rule;
};

static bool read_lists(struct cli *c, const char *path, struct lists *l) {
    return flags_of_entry(c, path, &l->flag) && values_of(c, OPT_INCLUDE, false, "-I", &l->flag) &&
           values_of(c, OPT_DEFINE, false, "-D", &l->flag) &&
           values_of(c, OPT_STANDARD, false, "-std=", &l->flag) &&
           values_of(c, OPT_FILE, false, "", &l->file) &&
           values_of(c, OPT_SIZE, true, "", &l->size) &&
           values_of(c, OPT_INACTIVE, true, "", &l->inactive) &&
           values_of(c, OPT_RULE, false, "", &l->rule);
}

static bool open_source(struct cli *c, const char *path, const char *function,
                        const struct lists *l) {
    wg_csource_options options = {.function = function,
                                  .flag = l->flag.at,
                                  .flag_count = l->flag.count,
                                  .file = l->file.at,
                                  .file_count = l->file.count,
                                  .size = l->size.at,
                                  .size_count = l->size.count,
                                  .inactive = l->inactive.at,
                                  .inactive_count = l->inactive.count,
                                  .rule = l->rule.at,
                                  .rule_count = l->rule.count,
                                  .allocator = &c->allocator};
    c->source = wg_csource_open(path, &options, &c->error);
    if (c->source)
        c->program = program_copy(wg_csource_program(c->source), &c->allocator, &c->error);
    return c->program != NULL;
}

bool load_c(struct cli *c) {
    const char *colon = strrchr(c->file, ':'), *path = c->file;
    const char *function = option_text(c, OPT_FUNCTION);
    if (colon && colon != c->file) {
        if (function && strcmp(function, colon + 1) != 0)
            return usage_error(c, "--function %.64s and '%.128s': which of them?", function,
                               c->file);
        path = keep_text(c, "%.*s", (int)(colon - c->file), c->file);
        function = colon + 1;
        if (!path) return false;
    }
    struct lists l = {.flag = {0}};
    bool ok = read_lists(c, path, &l) && open_source(c, path, function, &l);
    VEC_FREE(&c->allocator, &l.flag);
    VEC_FREE(&c->allocator, &l.file);
    VEC_FREE(&c->allocator, &l.size);
    VEC_FREE(&c->allocator, &l.inactive);
    VEC_FREE(&c->allocator, &l.rule);
    return ok;
}

/* ---- what a function does not need ----------------------------------------------------------- */

bool tells_length(struct cli *c, const char *name) {
    size_t length = strlen(name);
    for (int outputs = 0; outputs < 2; outputs++)
        for (size_t i = 0; i < port_count(c, outputs); i++) {
            const char *port = port_name(c, outputs, i);
            if (strncmp(port, name, length) == 0 && port[length] == '.') return true;
            if (strcmp(port, name) != 0) continue;
            wg_type type = port_type(c, outputs, i);
            if (type.rank > 0 || outputs) return true;
            return input_error(c, WG_ENAME,
                               "--size: '%.64s' is no length, but a number that the function "
                               "computes with; give it with --at %.64s=...",
                               name, name);
        }
    for (size_t i = 0; i < wg_csource_parameter_count(c->source); i++)
        if (strcmp(wg_csource_parameter_at(c->source, i).name, name) == 0) return true;
    return input_error(c, WG_ENAME, "--size: there is no size and no parameter '%.64s'", name);
}

/* Whether the option's names are, or those in front of its values, this one. */
static bool is_named(const struct cli *c, enum option_id id, const char *name) {
    const char *start;
    size_t length;
    for (size_t i = 0; i < c->given.count; i++) {
        if (c->given.at[i].id != id) continue;
        for (const char *cursor = c->given.at[i].value; name_next(&cursor, &start, &length);)
            if (is_word(start, strcspn(start, "=, ") < length ? strcspn(start, "=, ") : length,
                        name))
                return true;
    }
    return false;
}

static bool is_defaulted(const struct cli *c, size_t i, bool values) {
    const struct trace *t = &c->program->t;
    const char *name = wg_input_name(c->program, i);
    if (find_value(&c->at, name) || is_named(c, OPT_WRT, name) || is_named(c, OPT_TANGENT, name))
        return false;
    bool used = value_is_read(t, t->input.at[i].v);
    if (!used && !dtype_is_float(type_of(t, t->input.at[i].v)->dtype)) return true;
    if (wg_output_index(c->program, name) < 0) return false;
    for (size_t k = 0; k < wg_csource_parameter_count(c->source); k++) {
        wg_csource_parameter p = wg_csource_parameter_at(c->source, k);
        if (is_word(name, strcspn(name, "."), p.name) && !p.is_read) return true;
    }
    return values || !used;
}

bool default_written(struct cli *c, bool values) {
    size_t count = wg_input_count(c->program);
    bool any = false, *zero = arena_alloc(&c->arena, count + 1, 1);
    if (!zero) return !fail_memory(&c->error);
    for (size_t i = 0; i < count; i++) any |= zero[i] = is_defaulted(c, i, values);
    if (!any) return true;
    wg_program *program = with_zeros(c->program, zero, &c->error);
    if (!program) return false;
    wg_program_free(c->program);
    c->program = program;
    return true;
}
