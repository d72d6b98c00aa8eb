/* What the families of operations share: texts of types and extents for messages, the checks whose
 * wording should not differ between operations, and the batch axis on an argument. Texts are built
 * through the graph's allocator; where it has no memory the text is "?", so that an error can
 * always be told. */
#include "op/describe.h"

#include "op/build.h"

static struct description finish(wg_text *text, bool complete) {
    struct description d = {"?"};
    if (complete && text->data) {
        size_t size = text->size < sizeof d.text ? text->size : sizeof d.text - 1;
        memcpy(d.text, text->data, size);
        d.text[size] = 0;
    }
    wg_text_free(text);
    return d;
}

struct description type_name_of(const wg_graph *g, const wg_type *type) {
    wg_text text = {.allocator = g->t.allocator};
    bool complete = type_text(&g->t, type, &text);
    return finish(&text, complete);
}

struct description type_name(const wg_graph *g, value v) {
    return type_name_of(g, type_of(&g->t, v));
}

struct description shape_name(const wg_graph *g, const wg_type *type) {
    wg_text text = {.allocator = g->t.allocator};
    bool complete = text_add(&text, "[");
    for (size_t i = 0; complete && i < type->rank; i++)
        complete = (i == 0 || text_add(&text, ",")) && extent_text(&g->t, type->extent[i], &text);
    complete = complete && text_add(&text, "]");
    return finish(&text, complete);
}

struct description extent_name(const wg_graph *g, wg_extent e) {
    wg_text text = {.allocator = g->t.allocator};
    bool complete = extent_text(&g->t, e, &text);
    return finish(&text, complete);
}

/* ---- checks ---------------------------------------------------------------------------------- */

static bool wrong_dtype(wg_graph *g, const char *name, value x, const char *takes,
                        const char *hint) {
    graph_fail(g, WG_EDTYPE, "%s: takes %s, not %s", name, takes, type_name(g, x).text);
    graph_fail_operands(g, &x, 1);
    graph_hint(g, "%s", hint);
    return false;
}

bool require_numbers(wg_graph *g, const char *name, value x) {
    return type_of(&g->t, x)->dtype != WG_BOOL ||
           wrong_dtype(g, name, x, "numbers", "count truths after {wg_cast(WG_I64, x)|i64(x)}");
}

bool require_floats(wg_graph *g, const char *name, value x) {
    return value_is_float(&g->t, x) ||
           wrong_dtype(g, name, x, "f32 or f64", "convert it with {wg_cast(WG_F64, x)|f64(x)}");
}

bool require_integers(wg_graph *g, const char *name, value x) {
    unsigned dtype = type_of(&g->t, x)->dtype;
    return dtype == WG_I32 || dtype == WG_I64 ||
           wrong_dtype(g, name, x, "indices of i32 or i64",
                       "convert them with {wg_cast(WG_I64, index)|i64(index)}");
}

bool require_rank(wg_graph *g, unsigned op, size_t rank) {
    if (rank <= WG_MAX_RANK) return true;
    graph_fail(g, WG_ESHAPE, "%s: the result would have rank %zu, at most %d is possible",
               op_def(op)->name, rank, WG_MAX_RANK);
    return false;
}

bool require_words(wg_graph *g, unsigned op, attr_id attr, size_t count) {
    if (attr_count(&g->t, attr) == count) return true;
    graph_fail(g, WG_EARGUMENT, "%s: %zu attribute words, %zu are needed", op_def(op)->name,
               attr_count(&g->t, attr), count);
    return false;
}

bool require_extent(wg_graph *g, const char *name, wg_extent e) {
    if (e >= 0 || (e > extent_bad && -e < (wg_extent)g->t.extent.count)) return true;
    graph_fail(g, WG_EARGUMENT, "%s: an extent that is no constant and no size of this graph",
               name);
    return false;
}

/* ---- attributes of one extent ---------------------------------------------------------------- */

bool infer_one_extent(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                      wg_type *type) {
    (void)x, (void)narg;
    if (!require_words(g, op, attr, 1) ||
        !require_extent(g, op_def(op)->name, attr_words(&g->t, attr)[0]))
        return false;
    *type = wg_type_of(WG_I64, 1, attr_words(&g->t, attr));
    return true;
}

bool first_is_extent(const int64_t *word, size_t count, size_t index) {
    (void)word, (void)count;
    return index == 0;
}

/* ---- types ----------------------------------------------------------------------------------- */

wg_type type_prepend(const wg_type *type, wg_extent extent) {
    wg_type longer = {.dtype = type->dtype, .rank = (uint8_t)(type->rank + 1), .extent = {extent}};
    memcpy(longer.extent + 1, type->extent, type->rank * sizeof *type->extent);
    return longer;
}

wg_type type_without(const wg_type *type, uint32_t axes) {
    wg_type shorter = {.dtype = type->dtype};
    for (size_t i = 0; i < type->rank; i++)
        if (!(axes >> i & 1)) shorter.extent[shorter.rank++] = type->extent[i];
    return shorter;
}

uint32_t all_axes(const wg_graph *g, value a) {
    return a ? axes_below(type_of(&g->t, a)->rank) : 0;
}

/* ---- the batch axis -------------------------------------------------------------------------- */

value batch_argument(const struct batch *b, size_t k) {
    value x = b->x[k];
    if (!x || b->batched[k]) return x;
    const wg_type *type = type_of(&b->g->t, x);
    if (!require_rank(b->g, b->op, type->rank + 1u)) return 0;
    wg_type longer = type_prepend(type, b->extent);
    return build_broadcast(b->g, x, &longer, axes_below(longer.rank) & ~1u);
}
