/* JSON into tensors, by cJSON: numbers, true and false, arrays of these, and objects of names and
 * values. "NaN", "Infinity" and "-Infinity" are numbers, as in the JSON that the command writes.
 * cJSON keeps every number as a double, so integers beyond 2^53 are refused for integer inputs. */
#include "cli/cli.h"

#include <cjson/cJSON.h>
#include <math.h>

/* Where in the text a byte is, counted from 1. */
static void place_of(const char *text, const char *at, size_t *line, size_t *column) {
    *line = *column = 1;
    for (; text < at; text++) {
        ++*column;
        if (*text == '\n') {
            ++*line;
            *column = 1;
        }
    }
}

/* NULL, and an error recorded, unless the file is one value of JSON. source: what wants it. */
static cJSON *parse(struct cli *c, const char *path, const char *source) {
    wg_text text = {.allocator = c->allocator};
    if (!read_file(c, path, &text)) {
        wg_text_free(&text);
        return NULL;
    }
    const char *end = text.data;
    cJSON *json = cJSON_ParseWithLengthOpts(text.data, text.size, &end, 0);
    while (json && end < text.data + text.size && *end && strchr(" \t\r\n", *end)) end++;
    if (!json || end < text.data + text.size) {
        size_t line, column;
        place_of(text.data, end, &line, &column);
        input_error(c, WG_EFORMAT, "%s: %s:%zu:%zu: this is no JSON", source, path, line, column);
        cJSON_Delete(json);
        json = NULL;
    }
    wg_text_free(&text);
    return json;
}

static bool put_number(struct fill *f, double number, const cJSON *json) {
    bool whole = number == trunc(number) && fabs(number) <= 0x1p53 &&
                 !(number == 0 && signbit(number));
    if (isinf(number) && cJSON_IsNumber(json))
        return input_error(f->c, WG_EOVERFLOW, "%s: no f64 holds one of its numbers", f->source);
    return whole ? fill_integer(f, (int64_t)number) : fill_number(f, number);
}

static bool put_scalar(struct fill *f, const cJSON *json) {
    if (cJSON_IsNumber(json)) return put_number(f, json->valuedouble, json);
    if (cJSON_IsBool(json)) return fill_bool(f, cJSON_IsTrue(json));
    if (!cJSON_IsString(json))
        return input_error(f->c, WG_EFORMAT, "%s: a number or an array expected, not %s", f->source,
                           cJSON_IsObject(json) ? "an object" : "null");
    const char *word = json->valuestring;
    if (strcmp(word, "NaN") == 0) return fill_number(f, (double)NAN);
    if (strcmp(word, "Infinity") == 0) return fill_number(f, (double)INFINITY);
    if (strcmp(word, "-Infinity") == 0) return fill_number(f, -(double)INFINITY);
    return input_error(f->c, WG_EFORMAT, "%s: a number or an array expected, not \"%.64s\"",
                       f->source, word);
}

/* Walks the arrays with a stack as deep as brackets may be. */
static bool put(struct fill *f, const cJSON *json) {
    const cJSON *next[WG_MAX_RANK + 1]; /* in the array at each depth */
    next[0] = json;
    for (;;) {
        const cJSON *item = next[f->depth];
        if (!item) {
            if (!fill_close(f)) return false;
        } else if (cJSON_IsArray(item)) {
            next[f->depth] = item->next;
            if (!fill_open(f)) return false;
            next[f->depth] = item->child;
            continue;
        } else {
            next[f->depth] = item->next;
            if (!put_scalar(f, item)) return false;
        }
        if (f->depth == 0) return true;
    }
}

static bool read_json(struct cli *c, const cJSON *json, struct named *value) {
    struct fill f;
    fill_start(&f, c, value->source);
    return fill_finish(&f, put(&f, json), &value->tensor);
}

bool read_json_value(struct cli *c, const char *path, struct named *value) {
    cJSON *json = parse(c, path, value->source);
    bool ok = json && read_json(c, json, value);
    cJSON_Delete(json);
    return ok;
}

bool read_json_object(struct cli *c, const char *path, struct named_list *list) {
    cJSON *json = parse(c, path, list->option);
    bool ok = json != NULL;
    if (ok && !cJSON_IsObject(json))
        ok = input_error(c, WG_EFORMAT,
                         "%s: %s: an object of names and values expected, as in "
                         "{\"x\": [1, 2]}",
                         list->option, path);
    for (const cJSON *item = ok ? json->child : NULL; ok && item; item = item->next) {
        struct named *value = add_value(c, list, item->string, strlen(item->string));
        if (value) value->source = keep_text(c, "%s: %s: %.64s", list->option, path, value->name);
        ok = value && value->source && read_json(c, item, value);
    }
    cJSON_Delete(json);
    return ok;
}
