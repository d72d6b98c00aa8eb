/* A tensor from numbers and brackets as they are read, whatever the notation. The depth of the
 * first number (or of the first empty row) is the rank, the first row of each axis its extent;
 * all else must agree. The elements are bool or i64 as long as every number is, and f64 from the
 * first that is not. */
#include "cli/cli.h"

void fill_start(struct fill *f, struct cli *c, const char *source) {
    *f = (struct fill){.c = c, .source = source, .rank = -1, .dtype = WG_I64};
    for (int i = 0; i < WG_MAX_RANK; i++) f->shape[i] = -1;
}

/* An element or a row stands at this depth: one more along its axis. */
static void counted(struct fill *f) {
    if (f->depth > 0) f->count[f->depth - 1]++;
}

bool fill_open(struct fill *f) {
    if (f->depth == WG_MAX_RANK)
        return input_error(f->c, WG_EFORMAT, "%s: brackets more than %d deep", f->source,
                           WG_MAX_RANK);
    if (f->rank >= 0 && f->depth == f->rank)
        return input_error(f->c, WG_EFORMAT, "%s: ragged: a list among numbers", f->source);
    counted(f);
    f->count[f->depth++] = 0;
    return true;
}

bool fill_close(struct fill *f) {
    int axis = --f->depth;
    if (f->rank < 0) f->rank = axis + 1; /* an empty row */
    if (f->shape[axis] < 0) f->shape[axis] = f->count[axis];
    if (f->shape[axis] == f->count[axis]) return true;
    return input_error(f->c, WG_EFORMAT, "%s: ragged: a row of %lld after rows of %lld", f->source,
                       (long long)f->count[axis], (long long)f->shape[axis]);
}

static bool append(struct fill *f, int64_t element) {
    if (f->rank < 0) f->rank = f->depth;
    if (f->depth != f->rank)
        return input_error(f->c, WG_EFORMAT, "%s: ragged: a number among lists", f->source);
    counted(f);
    int64_t *at = VEC_PUSH(&f->c->allocator, &f->element);
    if (!at) return !fail_memory(&f->c->error);
    *at = element;
    return true;
}

static int64_t bits_of(double number) {
    int64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static bool no_mixing(struct fill *f) {
    return input_error(f->c, WG_EDTYPE, "%s: numbers and truth values in one list", f->source);
}

bool fill_integer(struct fill *f, int64_t number) {
    if (f->dtype == WG_BOOL) return no_mixing(f);
    return append(f, f->dtype == WG_I64 ? number : bits_of((double)number));
}

bool fill_number(struct fill *f, double number) {
    if (f->dtype == WG_BOOL) return no_mixing(f);
    for (size_t i = 0; f->dtype == WG_I64 && i < f->element.count; i++)
        f->element.at[i] = bits_of((double)f->element.at[i]);
    f->dtype = WG_F64;
    return append(f, bits_of(number));
}

bool fill_bool(struct fill *f, bool truth) {
    if (f->dtype != WG_BOOL && f->element.count) return no_mixing(f);
    f->dtype = WG_BOOL;
    return append(f, truth);
}

static bool make_tensor(struct fill *f, wg_tensor *tensor) {
    wg_tensor made = {.dtype = f->dtype, .rank = f->rank};
    for (int i = 0; i < f->rank; i++) made.shape[i] = f->shape[i] < 0 ? 0 : f->shape[i];
    if (tensor_alloc(&made, &f->c->allocator, &f->c->error)) return false;
    for (size_t i = 0; f->dtype == WG_BOOL && i < f->element.count; i++)
        ((bool *)made.data)[i] = f->element.at[i] != 0;
    if (f->dtype != WG_BOOL && f->element.count)
        memcpy(made.data, f->element.at, f->element.count * sizeof *f->element.at);
    *tensor = made;
    return true;
}

bool fill_finish(struct fill *f, bool ok, wg_tensor *tensor) {
    ok = ok && make_tensor(f, tensor);
    VEC_FREE(&f->c->allocator, &f->element);
    return ok;
}
