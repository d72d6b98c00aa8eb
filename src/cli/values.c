/* The values of --at, --tangent and --adjoint:
 *     list  = item {"," item}
 *     item  = name "=" value | name (a seed of ones) | "@" file (JSON: an object)
 *     value = number | "true" | "false" | "[" value {"," value} "]" | "@" file (.npy, else JSON)
 * A comma inside brackets does not end an item. Which names there are, and which types they have,
 * is not known here: take_value gives a value the element type that is wanted of it. */
#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *keep_text(struct cli *c, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    char *kept = size < 0 ? NULL : arena_alloc(&c->arena, (size_t)size + 1, 1);
    if (kept)
        vsnprintf(kept, (size_t)size + 1, format, again);
    else
        fail_memory(&c->error);
    va_end(again);
    va_end(args);
    return kept;
}

/* ---- lists of named values ----------------------------------------------------------------- */

struct named *find_value(const struct named_list *list, const char *name) {
    for (size_t i = 0; i < list->item.count; i++)
        if (strcmp(list->item.at[i].name, name) == 0) return &list->item.at[i];
    return NULL;
}

void free_values(struct cli *c, struct named_list *list) {
    for (size_t i = 0; i < list->item.count; i++)
        wg_tensor_free(&list->item.at[i].tensor, &c->allocator);
    VEC_FREE(&c->allocator, &list->item);
}

struct named *add_value(struct cli *c, struct named_list *list, const char *name, size_t length) {
    if (length > INT32_MAX / 2) length = INT32_MAX / 2;
    const char *kept = keep_text(c, "%.*s", (int)length, name);
    const char *source = kept ? keep_text(c, "%s %.64s", list->option, kept) : NULL;
    if (!source) return NULL;
    if (find_value(list, kept)) {
        input_error(c, WG_ENAME, "%s is given twice", source);
        return NULL;
    }
    struct named *value = VEC_PUSH(&c->allocator, &list->item);
    if (!value) {
        fail_memory(&c->error);
        return NULL;
    }
    *value = (struct named){.name = kept, .source = source};
    return value;
}

/* ---- values as text ------------------------------------------------------------------------ */

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static const char *skip_blanks(const char *s, const char *end) {
    while (s < end && is_blank(*s)) s++;
    return s;
}

/* Plain digits, but not -0, which only f64 knows. */
static bool is_integer(const char *s, size_t length) {
    size_t sign = *s == '-' || *s == '+', digits = sign;
    bool zero = true;
    for (; digits < length && s[digits] >= '0' && s[digits] <= '9'; digits++)
        zero &= s[digits] == '0';
    return digits == length && digits > sign && !(zero && *s == '-');
}

/* A number, true or false, of these bytes. */
static bool read_scalar(struct fill *f, const char *s, size_t length) {
    char word[512];
    if (is_word(s, length, "true")) return fill_bool(f, true);
    if (is_word(s, length, "false")) return fill_bool(f, false);
    size_t sign = length && (*s == '-' || *s == '+');
    if (is_word(s + sign, length - sign, "nan")) return fill_number(f, (double)NAN);
    if (is_word(s + sign, length - sign, "inf"))
        return fill_number(f, *s == '-' ? -(double)INFINITY : (double)INFINITY);
    size_t known = 0;
    while (known < length && strchr("0123456789+-.eE", s[known]) && s[known]) known++;
    char *end = word;
    if (known == length && length > 0 && length < sizeof word) {
        memcpy(word, s, length);
        word[length] = '\0';
        errno = 0;
        long long integer = is_integer(word, length) ? strtoll(word, &end, 10) : 0;
        if (end == word + length && errno == 0) return fill_integer(f, integer);
        double number = strtod(word, &end);
        if (end == word + length && isinf(number))
            return input_error(f->c, WG_EOVERFLOW, "%s: no f64 holds %.64s", f->source, word);
        if (end == word + length) return fill_number(f, number);
    }
    return input_error(f->c, WG_EFORMAT, "%s: a number expected, not '%.*s'", f->source,
                       (int)(length < 64 ? length : 64), s);
}

static bool read_elements(struct fill *f, const char *s, const char *end) {
    bool after = false; /* behind a value: a comma or a closing bracket must come */
    bool comma = false;
    for (s = skip_blanks(s, end); s < end; s = skip_blanks(s, end)) {
        if (*s == ']' && f->depth > 0 && !comma) {
            if (!fill_close(f)) return false;
            after = true;
            s++;
        } else if (*s == ',' && after && f->depth > 0) {
            after = false;
            comma = true;
            s++;
        } else if (after || *s == ',' || *s == ']') {
            return input_error(f->c, WG_EFORMAT, "%s: '%c' is not expected there", f->source, *s);
        } else if (*s == '[') {
            if (!fill_open(f)) return false;
            comma = false;
            s++;
        } else {
            const char *from = s;
            while (s < end && !strchr(",[]", *s) && !is_blank(*s)) s++;
            if (!read_scalar(f, from, (size_t)(s - from))) return false;
            after = true;
            comma = false;
        }
    }
    if (f->depth > 0)
        return input_error(f->c, WG_EFORMAT, "%s: a bracket is not closed", f->source);
    return after || input_error(f->c, WG_EFORMAT, "%s: a value is missing", f->source);
}

static bool read_text_value(struct cli *c, const char *s, const char *end, struct named *value) {
    struct fill f;
    fill_start(&f, c, value->source);
    return fill_finish(&f, read_elements(&f, s, end), &value->tensor);
}

/* ---- files --------------------------------------------------------------------------------- */

static bool read_npy(struct cli *c, const char *path, struct named *value) {
    wg_error error = {0};
    value->typed = true;
    if (wg_npy_read(path, &c->allocator, &value->tensor, &error) == WG_OK) return true;
    return input_error(c, error.status, "%s: %s", value->source, error.message);
}

static bool read_file_value(struct cli *c, const char *path, struct named *value) {
    size_t length = strlen(path);
    bool npy = length > 4 && strcmp(path + length - 4, ".npy") == 0;
    return npy ? read_npy(c, path, value) : read_json_value(c, path, value);
}

/* ---- items --------------------------------------------------------------------------------- */

/* The end of an item: a comma outside brackets, or the end of the text. */
static const char *item_end(const char *s) {
    size_t depth = 0;
    for (; *s && !(*s == ',' && depth == 0); s++) {
        if (*s == '[')
            depth++;
        else if (*s == ']' && depth > 0)
            depth--;
    }
    return s;
}

/* What stands behind '@'; source: what wants it. */
static const char *file_name(struct cli *c, const char *source, const char *at, const char *end) {
    if (end - at > 1) return keep_text(c, "%.*s", (int)(end - at - 1), at + 1);
    input_error(c, WG_EARGUMENT, "%s: the name of a file is missing behind '@'", source);
    return NULL;
}

static bool read_item(struct cli *c, const char *s, const char *end, bool bare,
                      struct named_list *list) {
    if (*s == '@') {
        const char *path = file_name(c, list->option, s, end);
        return path && read_json_object(c, path, list);
    }
    const char *equals = memchr(s, '=', (size_t)(end - s));
    const char *stop = equals ? equals : end;
    while (stop > s && is_blank(stop[-1])) stop--;
    size_t length = (size_t)(stop - s);
    if (length == 0 || (!equals && !bare))
        return input_error(c, WG_EFORMAT, "%s takes NAME=VALUE, not '%.*s'", list->option,
                           (int)(end - s < 64 ? end - s : 64), s);
    struct named *value = add_value(c, list, s, length);
    if (!value) return false;
    value->bare = !equals;
    if (value->bare) return true;
    const char *at = skip_blanks(equals + 1, end);
    if (at == end || *at != '@') return read_text_value(c, at, end, value);
    const char *path = file_name(c, value->source, at, end);
    return path && read_file_value(c, path, value);
}

bool read_values(struct cli *c, enum option_id id, bool bare, struct named_list *list) {
    list->option = option_table[id].name;
    for (size_t i = 0; i < c->given.count; i++) {
        if (c->given.at[i].id != id) continue;
        for (const char *s = c->given.at[i].value;; s++) {
            const char *end = item_end(s), *stop = end;
            s = skip_blanks(s, end);
            while (stop > s && is_blank(stop[-1])) stop--;
            if (!read_item(c, s, stop, bare, list)) return false;
            s = end;
            if (*s == '\0') break;
        }
    }
    return true;
}

/* ---- element types ------------------------------------------------------------------------- */

static bool refuse(struct cli *c, const struct named *value, wg_dtype dtype, const char *given) {
    return input_error(c, WG_EDTYPE, "%s: %s expected, %s given", value->source,
                       wg_dtype_name(dtype), given);
}

/* Element i of a tensor of bool, i64 or f64 as dtype. False if it has no such value. */
static bool convert(const wg_tensor *from, int64_t i, wg_dtype dtype, void *to) {
    int64_t integer = from->dtype == WG_I64 ? ((const int64_t *)from->data)[i] : 0;
    double number = from->dtype == WG_F64 ? ((const double *)from->data)[i] : (double)integer;
    if (dtype == WG_F64) {
        ((double *)to)[i] = number;
        return true;
    }
    if (dtype == WG_F32) {
        ((float *)to)[i] = (float)number;
        return isinf((float)number) == isinf(number);
    }
    if (from->dtype == WG_F64) { /* whole numbers may be written 3.0, if none was rounded to it */
        if (!(fabs(number) < 0x1p53) || number != trunc(number)) return false;
        integer = (int64_t)number;
    }
    if (dtype == WG_I32)
        ((int32_t *)to)[i] = (int32_t)integer;
    else
        ((int64_t *)to)[i] = integer;
    return dtype == WG_I64 || (integer >= INT32_MIN && integer <= INT32_MAX);
}

static bool converted(struct cli *c, const struct named *value, wg_dtype dtype, wg_tensor *tensor) {
    const wg_tensor *from = &value->tensor;
    wg_tensor made = *from;
    int64_t count = wg_tensor_count(from);
    bool is_bool = from->dtype == WG_BOOL;
    if (count && is_bool != (dtype == WG_BOOL))
        return refuse(c, value, dtype, is_bool ? "true or false" : "a number");
    made.dtype = dtype;
    if (tensor_alloc(&made, &c->allocator, &c->error)) return false;
    for (int64_t i = 0; i < count; i++) {
        if (is_bool) {
            ((bool *)made.data)[i] = ((const bool *)from->data)[i];
        } else if (!convert(from, i, dtype, made.data)) {
            wg_text text = {.allocator = c->allocator};
            if (from->dtype == WG_I64)
                text_format(&text, "%lld", (long long)((int64_t *)from->data)[i]);
            else
                text_f64(&text, ((const double *)from->data)[i]);
            refuse(c, value, dtype, text.data ? text.data : "another number");
            wg_text_free(&text);
            wg_tensor_free(&made, &c->allocator);
            return false;
        }
    }
    *tensor = made;
    return true;
}

bool take_value(struct cli *c, struct named *value, wg_dtype dtype, wg_tensor *tensor) {
    if (!value->typed) return converted(c, value, dtype, tensor);
    if (value->tensor.dtype != dtype)
        return refuse(c, value, dtype, wg_dtype_name(value->tensor.dtype));
    *tensor = value->tensor;
    value->tensor = (wg_tensor){0};
    return true;
}
