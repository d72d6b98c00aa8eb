/* Growable text, numbers as text, and lists of names. A text is either empty (data NULL) or
 * NUL-terminated; a call that finds no memory leaves it as it was. Numbers are written alike in
 * every locale. Reading numbers from text is the matter of those who know the grammar. */
#include "base/base.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool text_reserve(wg_text *text, size_t more) {
    if (more > PTRDIFF_MAX || text->size + more >= PTRDIFF_MAX) return false;
    if (!vec_reserve(&text->allocator, (void **)&text->data, &text->capacity, text->size + more + 1,
                     1))
        return false;
    text->data[text->size] = '\0';
    return true;
}

bool text_bytes(wg_text *text, const char *bytes, size_t size) {
    if (!text_reserve(text, size)) return false;
    if (size > 0) memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
    return true;
}

bool text_add(wg_text *text, const char *string) {
    return text_bytes(text, string, strlen(string));
}

bool text_format(wg_text *text, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    /* Most pieces fit into the room that is there; the others are measured by the same call. */
    size_t room = text->capacity - text->size;
    int size = vsnprintf(room ? text->data + text->size : NULL, room, format, args);
    bool ok = size >= 0;
    if (ok && (size_t)size >= room) {
        ok = text_reserve(text, (size_t)size);
        if (ok) vsnprintf(text->data + text->size, (size_t)size + 1, format, again);
    }
    if (ok)
        text->size += (size_t)size;
    else if (room)
        text->data[text->size] = '\0';
    va_end(again);
    va_end(args);
    return ok;
}

void text_cut(wg_text *text, size_t size) {
    if (size >= text->size) return;
    text->size = size;
    text->data[size] = '\0';
}

void wg_text_free(wg_text *text) {
    if (!text) return;
    mem_free(&text->allocator, text->data, text->capacity);
    text->data = NULL;
    text->size = text->capacity = 0;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* digits times ten to the exponent: the form in which decimals are tried. It reads and writes
 * without a decimal point, for that one is a comma in some locales. */
struct decimal {
    uint64_t digits;
    int exponent;
};

/* The nearest decimal of `precision` digits to a finite number >= 0. */
static struct decimal decimal_near(double number, int precision) {
    char printed[48];
    snprintf(printed, sizeof printed, "%.*e", precision - 1, number);
    struct decimal d = {0, 0};
    const char *c = printed;
    for (; *c != 'e'; c++)
        if (*c >= '0' && *c <= '9') d.digits = d.digits * 10 + (uint64_t)(*c - '0');
    d.exponent = (int)strtol(c + 1, NULL, 10) - (precision - 1);
    return d;
}

static bool reads_back(struct decimal d, double number, bool single) {
    char written[48];
    snprintf(written, sizeof written, "%llue%d", (unsigned long long)d.digits, d.exponent);
    if (!single) return strtod(written, NULL) == number;
    /* Whether it is read as a float at once, or as a double that is then rounded. */
    return strtof(written, NULL) == (float)number && (float)strtod(written, NULL) == (float)number;
}

/* The shortest decimal that reads back as the number. Every decimal of DBL_DIG (FLT_DIG) digits
 * survives the way through a normal number, so shorter ones need not be tried; a subnormal number
 * keeps fewer. Above a power of two the gap is twice that below, and the shortest decimal may be
 * the second nearest one, which then lies above. */
static struct decimal shortest(double number, bool single) {
    int precision = single ? FLT_DIG : DBL_DIG, last = single ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
    if (number < (single ? (double)FLT_MIN : DBL_MIN)) precision = 1;
    for (; precision < last; precision++) {
        struct decimal d = decimal_near(number, precision);
        if (reads_back(d, number, single)) return d;
        d.digits++;
        if (reads_back(d, number, single)) return d;
    }
    return decimal_near(number, last);
}

/* Plain from 1e-4 to below 1e16, else with an exponent of at least two digits, as C's %g. */
static bool number_add(wg_text *text, double number, bool single) {
    if (isnan(number)) return text_add(text, "nan");
    const char *sign = signbit(number) ? "-" : "";
    if (isinf(number)) return text_format(text, "%sinf", sign);
    if (number == 0) return text_format(text, "%s0", sign);

    struct decimal d = shortest(fabs(number), single);
    for (; d.digits % 10 == 0; d.digits /= 10) d.exponent++;
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)d.digits);
    int point = count + d.exponent; /* digits in front of the decimal point */
    if (point < -3 || point > 16)
        return text_format(text, "%s%c%s%se%c%02d", sign, digits[0], count > 1 ? "." : "",
                           digits + 1, point > 0 ? '+' : '-', abs(point - 1));
    if (point <= 0) return text_format(text, "%s0.%.*s%s", sign, -point, "000", digits);
    if (point >= count)
        return text_format(text, "%s%s%.*s", sign, digits, point - count, "0000000000000000");
    return text_format(text, "%s%.*s.%s", sign, point, digits, digits + point);
}

bool text_f64(wg_text *text, double number) {
    return number_add(text, number, false);
}

bool text_f32(wg_text *text, float number) {
    return number_add(text, (double)number, true);
}

/* ---- names -------------------------------------------------------------------------------- */

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A name between two commas may be empty: saying what is wrong with that is the caller's matter. */
bool name_next(const char **cursor, const char **start, size_t *length) {
    const char *c = *cursor;
    while (c && is_blank(*c)) c++;
    if (!c || *c == '\0') return false;
    const char *end = c + strcspn(c, ",");
    *cursor = *end ? end + 1 : end;
    while (end > c && is_blank(end[-1])) end--;
    *start = c;
    *length = (size_t)(end - c);
    return true;
}
