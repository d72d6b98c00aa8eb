/* The value of each elementwise row as the text of C that elementwise.def spells, by the kind of
 * its operands. Kept apart because the rows must not meet <tgmath.h>, whose macros would be
 * expanded into the text. */
#include "native/write.h"

static const char *const floats[OP_COUNT] = {
#define UNARY(name, value, ...) [OP_##name] = #value,
#define BINARY(name, value, ...) [OP_##name] = #value,
#define PREDICATE1(name, value, ...) [OP_##name] = #value,
#define PREDICATE2(name, value, ...) [OP_##name] = #value,
#define INTEGER1(name, value, ...)
#define INTEGER2(name, value, ...)
#define LOGICAL1(name, value, ...)
#define LOGICAL2(name, value, ...)
#define COMPARISON(name, value, ...) [OP_##name] = #value,
#include "op/elementwise.def"
};

static const char *const integers[OP_COUNT] = {
#define UNARY(name, value, ...)
#define BINARY(name, value, ...)
#define UNARY_INT(name, value, integer, ...) [OP_##name] = #integer,
#define BINARY_INT(name, value, integer, ...) [OP_##name] = #integer,
#define STEP(name, value, ...)
#define STEP_INT(name, value, integer, ...) [OP_##name] = #integer,
#define PREDICATE1(name, value, ...)
#define PREDICATE2(name, value, ...)
#define INTEGER1(name, value, ...) [OP_##name] = #value,
#define INTEGER2(name, value, ...) [OP_##name] = #value,
#define LOGICAL1(name, value, ...)
#define LOGICAL2(name, value, ...)
#define COMPARISON(name, value, ...) [OP_##name] = #value,
#include "op/elementwise.def"
};

static const char *const logical[OP_COUNT] = {
#define UNARY(name, value, ...)
#define BINARY(name, value, ...)
#define PREDICATE1(name, value, ...)
#define PREDICATE2(name, value, ...)
#define INTEGER1(name, value, ...)
#define INTEGER2(name, value, ...)
#define LOGICAL1(name, value, ...) [OP_##name] = #value,
#define LOGICAL2(name, value, ...) [OP_##name] = #value,
#define COMPARISON(name, value, ...) [OP_##name] = #value,
#include "op/elementwise.def"
};

const char *formula_of(unsigned op, unsigned dtype) {
    if (op >= OP_COUNT) return NULL;
    if (dtype == WG_BOOL) return logical[op];
    return dtype_is_float(dtype) ? floats[op] : integers[op];
}
