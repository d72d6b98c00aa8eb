/* Numbers and tensors as text: rounded for people, exact for programs. The same in every locale.
 * Which digits are wanted, and how much of a large tensor, is the caller's matter. */
#include "show/show.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int64_t element_bits(wg_dtype dtype, const void *data, int64_t index) {
    const char *at = (const char *)data + (size_t)index * wg_dtype_size(dtype);
    int64_t bits = 0;
    int32_t word;
    switch (wg_dtype_size(dtype)) {
    case 1: return *at != 0;
    case 4:
        memcpy(&word, at, sizeof word);
        return dtype == WG_I32 ? word : (int64_t)(uint32_t)word;
    default: memcpy(&bits, at, sizeof bits); return bits;
    }
}

/* %.*g, whatever the decimal point of the locale is. */
static void round_to(char *buffer, size_t size, double number, int digits) {
    snprintf(buffer, size, "%.*g", digits, number);
    char *to = buffer;
    for (const char *from = buffer; *from; from++) {
        bool plain = (*from >= '0' && *from <= '9') || strchr("+-e.", *from);
        if (plain) *to++ = *from;
        else if (to == buffer || to[-1] != '.') *to++ = '.';
    }
    *to = '\0';
}

static bool finite_write(wg_text *out, wg_dtype dtype, double number, enum number_style style,
                         int digits) {
    size_t start = out->size;
    char rounded[64];
    if (digits > 0 && style != NUMBER_JSON) {
        if (number == 0) number = 0; /* people do not ask for the sign of a zero */
        if (digits > DBL_DECIMAL_DIG) digits = DBL_DECIMAL_DIG;
        round_to(rounded, sizeof rounded, number, digits);
        if (!text_add(out, rounded)) return false;
    } else if (dtype == WG_F32 ? !text_f32(out, (float)number) : !text_f64(out, number)) {
        return false;
    }
    char *e = style == NUMBER_LATEX ? strchr(out->data + start, 'e') : NULL;
    if (!e) return true;
    long exponent = strtol(e + 1, NULL, 10);
    text_cut(out, (size_t)(e - out->data));
    return text_format(out, " \\times 10^{%ld}", exponent);
}

bool number_write(wg_text *out, wg_dtype dtype, int64_t bits, enum number_style style, int digits) {
    static const char *const special[][3] = { /* NaN, infinity, minus infinity */
        [NUMBER_PLAIN] = {"nan", "inf", "-inf"},
        [NUMBER_LATEX] = {"\\mathrm{NaN}", "\\infty", "-\\infty"},
        [NUMBER_JSON] = {"\"NaN\"", "\"Infinity\"", "\"-Infinity\""}};
    if (dtype == WG_BOOL) {
        if (style == NUMBER_LATEX) return text_format(out, "\\mathrm{%s}", bits ? "true" : "false");
        return text_add(out, bits ? "true" : "false");
    }
    if (dtype == WG_I32) return text_format(out, "%" PRId32, (int32_t)bits);
    if (dtype == WG_I64) return text_format(out, "%" PRId64, bits);
    double number = literal_to_f64(dtype, bits);
    if (isfinite(number)) return finite_write(out, dtype, number, style, digits);
    return text_add(out, special[style][isnan(number) ? 0 : number > 0 ? 1 : 2]);
}

/* More pairs of empty brackets than this tell a reader nothing, and a file of no bytes can ask for
 * any number of them. */
enum { EMPTY_LISTS = 4096 };

/* Brackets open where an axis begins and close where it ends: the element after which k axes end is
 * the one whose number, plus one, is a multiple of the product of the last k extents. */
static size_t axes_at(const wg_tensor *tensor, int64_t index) {
    size_t axes = 0;
    int64_t product = 1;
    for (int k = tensor->rank; k-- > 0; axes++) {
        product *= tensor->shape[k];
        if (index % product != 0) break;
    }
    return axes;
}

bool tensor_write(wg_text *out, const wg_tensor *tensor, enum number_style style, int digits,
                  size_t most) {
    wg_tensor lists = *tensor; /* the axes before the first of extent 0, if there is one */
    bool empty = wg_tensor_count(tensor) <= 0;
    for (int k = tensor->rank; empty && k-- > 0;)
        if (tensor->shape[k] <= 0) lists.rank = k;
    int64_t count = wg_tensor_count(&lists);
    if (empty && (lists.rank == 0 || count <= 0 || count > EMPTY_LISTS))
        return text_add(out, "[]");
    int64_t shown = most && (uint64_t)count > most ? (int64_t)most : count;
    const char *separator = style == NUMBER_JSON ? "," : ", ";
    bool ok = true;
    size_t open = 0;
    for (int64_t i = 0; i < shown && ok; i++) {
        for (size_t k = i ? axes_at(&lists, i) : (size_t)lists.rank; k > 0 && ok; k--, open++)
            ok = text_add(out, "[");
        if (ok && empty) ok = text_add(out, "[]");
        else if (ok)
            ok = number_write(out, tensor->dtype, element_bits(tensor->dtype, tensor->data, i),
                              style, digits);
        for (size_t k = axes_at(&lists, i + 1); k > 0 && ok && i + 1 < count; k--, open--)
            ok = text_add(out, "]");
        if (i + 1 < shown) ok = ok && text_add(out, separator);
    }
    if (shown < count)
        ok = ok && text_add(out, style == NUMBER_LATEX ? ", \\ldots" : ", ...");
    for (; open > 0 && ok; open--) ok = text_add(out, "]");
    return ok;
}
