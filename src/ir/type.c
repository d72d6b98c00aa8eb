/* Types: comparing, counting, evaluating and printing shapes; and the public questions about types.
 * Interning is in graph.c beside the other tables. */
#include "ir/ir.h"

bool type_same_shape(const wg_type *a, const wg_type *b) {
    if (a->rank != b->rank) return false;
    for (size_t i = 0; i < a->rank; i++)
        if (a->extent[i] != b->extent[i]) return false;
    return true;
}

bool type_equal(const wg_type *a, const wg_type *b) {
    return a->dtype == b->dtype && type_same_shape(a, b);
}

wg_extent type_count(wg_graph *g, const wg_type *type) {
    wg_extent count = 1;
    for (size_t i = 0; i < type->rank; i++) count = extent_mul(g, count, type->extent[i]);
    return count;
}

bool type_eval(const struct trace *t, const wg_type *type, const int64_t *size, int64_t *shape,
               int64_t *count) {
    *count = 1;
    bool zero = false, overflow = false;
    for (size_t i = 0; i < type->rank; i++) {
        if (!extent_eval(t, type->extent[i], size, &shape[i])) return false;
        zero |= shape[i] == 0;
        overflow |= !zero && mul_overflows(*count, shape[i], count);
    }
    if (zero) *count = 0; /* whatever the other extents are, also where their product overflows */
    return zero || !overflow;
}

bool type_text(const struct trace *t, const wg_type *type, wg_text *out) {
    if (!text_add(out, wg_dtype_name((wg_dtype)type->dtype))) return false;
    for (size_t i = 0; i < type->rank; i++)
        if (!text_add(out, i ? "," : "[") || !extent_text(t, type->extent[i], out)) return false;
    return type->rank == 0 || text_add(out, "]");
}

wg_status wg_type_text(const wg_program *program, wg_type type, wg_text *out) {
    if (!program || !out || type.rank > WG_MAX_RANK || type.dtype >= WG_DTYPE_COUNT)
        return WG_EARGUMENT;
    for (size_t i = 0; i < type.rank; i++)
        if (type.extent[i] < 0 &&
            (type.extent[i] == INT64_MIN || -type.extent[i] >= (int64_t)program->t.extent.count))
            return WG_EARGUMENT;
    return type_text(&program->t, &type, out) ? WG_OK : WG_ENOMEM;
}
