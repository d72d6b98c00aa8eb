/* Sticky errors: the first failure of a chain of calls is kept, whatever follows is dropped. The
 * record has its room inside, so that telling of a failure never needs memory; a message that is
 * too long ends after its last whole UTF-8 character. */
#include "base/base.h"

#include <stdio.h>

const char *wg_status_name(wg_status status) {
    switch (status) {
    case WG_OK: return "ok";
    case WG_EARGUMENT: return "argument error";
    case WG_ESHAPE: return "shape error";
    case WG_EDTYPE: return "element type error";
    case WG_ENAME: return "name error";
    case WG_ESYNTAX: return "syntax error";
    case WG_EINDEX: return "index error";
    case WG_EOVERFLOW: return "overflow";
    case WG_ENOMEM: return "out of memory";
    case WG_EIO: return "file error";
    case WG_EFORMAT: return "format error";
    case WG_ENORULE: return "no derivative rule";
    case WG_EALIAS: return "overlapping buffers";
    case WG_ENATIVE: return "native code error";
    case WG_EINTERNAL: return "internal error";
    }
    return "unknown status";
}

/* How many bytes of text[0, size) are left when a character cut off at its end is dropped. */
static size_t whole_characters(const char *text, size_t size) {
    size_t start = size;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
    if (start == 0) return size;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    return start - 1 + length > size ? start - 1 : size;
}

static void append(wg_error *error, size_t size, const char *format, va_list args) {
    size_t room = sizeof error->message - size;
    int wanted = vsnprintf(error->message + size, room, format, args);
    if (wanted < 0)
        error->message[size] = '\0';
    else if ((size_t)wanted >= room)
        error->message[whole_characters(error->message, sizeof error->message - 1)] = '\0';
}

wg_status fail_v(wg_error *error, wg_status status, const char *format, va_list args) {
    if (!error) return status;
    if (error->status == WG_OK) {
        error->status = status;
        append(error, 0, format, args);
    }
    return error->status;
}

wg_status fail_with(wg_error *error, wg_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    wg_status recorded = fail_v(error, status, format, args);
    va_end(args);
    return recorded;
}

void fail_as(wg_error *error, const wg_error *cause) {
    if (cause->status) fail_with(error, cause->status, "%s", cause->message);
}

void fail_more(wg_error *error, const char *format, ...) {
    if (!failed(error)) return;
    va_list args;
    va_start(args, format);
    append(error, strlen(error->message), format, args);
    va_end(args);
}

const char *system_reason(int error_number, char *room, size_t size) {
    if (strerror_r(error_number, room, size) != 0)
        snprintf(room, size, "system error %d", error_number);
    return room;
}

wg_status fail_memory(wg_error *error) {
    return fail_with(error, WG_ENOMEM, "out of memory");
}
