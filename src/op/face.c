/* The public functions of wengert/graph.h from the leaves to the composites. They check what only
 * the public interface can get wrong (variables of no graph or of two, axes counted from the end,
 * numbers that an element type does not have), note the caller's line, and leave the rest to the
 * builders. Elementwise functions are in elementwise_face.c, those of wengert/ops.h in
 * ops_face.c; graphs are made and ended in ir/. */
#include "op/build.h"
#include "op/describe.h"
#include "op/face.h"

#include <math.h>

/* ---- what every call begins with ------------------------------------------------------------- */

bool face_begin(wg_graph *g, const char *file, int line) {
    if (!g || g->error.status) return false;
    if (line != SAME_SITE) graph_site(g, file, line > 0 ? (uint32_t)line : 0, 0);
    return !g->error.status;
}

bool face_var(wg_graph *g, const char *name, wg_var x) {
    if (x.graph == g && x.id && x.id < g->t.instr.count) return true;
    if (x.graph && x.graph != g)
        graph_fail(g, WG_EARGUMENT,
                   "%s: operands of two graphs; build all of one program in one graph", name);
    else
        graph_fail(g, WG_EARGUMENT, "%s: an operand is not a value: a wg_var that no call gave",
                   name);
    return false;
}

wg_graph *face_enter(const char *file, int line, const char *name, size_t count, const wg_var *x) {
    wg_graph *g = NULL;
    for (size_t i = 0; i < count && !g; i++) g = x[i].graph;
    if (!face_begin(g, file, line)) return NULL;
    for (size_t i = 0; i < count; i++)
        if (!face_var(g, name, x[i])) return NULL;
    return g;
}

bool face_axis(wg_graph *g, const char *name, value x, int axis, unsigned *result) {
    int rank = type_of(&g->t, x)->rank;
    if (axis >= -rank && axis < rank) {
        *result = (unsigned)(axis < 0 ? axis + rank : axis);
        return true;
    }
    graph_fail(g, WG_ESHAPE, "%s: axis %d of a value of rank %d", name, axis, rank);
    graph_fail_operands(g, &x, 1);
    if (rank)
        graph_hint(g, "%s has axes 0..%d, or -%d..-1 from the end", type_name(g, x).text, rank - 1,
                   rank);
    return false;
}

static bool twice(wg_graph *g, const char *name, value x, int axis) {
    graph_fail(g, WG_ESHAPE, "%s: axis %d is listed twice", name, axis);
    graph_fail_operands(g, &x, 1);
    return false;
}

bool face_list(wg_graph *g, const char *name, size_t count, const void *list) {
    if (list || count == 0) return true;
    graph_fail(g, WG_EARGUMENT, "%s: the list of %zu is NULL", name, count);
    return false;
}

bool face_axes(wg_graph *g, const char *name, value x, size_t count, const int *axis,
               uint32_t *mask) {
    *mask = count ? 0 : all_axes(g, x);
    if (!face_list(g, name, count, axis)) return false;
    for (size_t i = 0; i < count; i++) {
        unsigned one;
        if (!face_axis(g, name, x, axis[i], &one)) return false;
        if (*mask >> one & 1) return twice(g, name, x, axis[i]);
        *mask |= (uint32_t)1 << one;
    }
    return true;
}

bool face_extent(wg_graph *g, const char *name, wg_extent e) {
    if (g->error.status || !require_extent(g, name, e)) return false;
    if (e >= 0 || extent_degree(&g->t, e) > 0) return true;
    graph_fail(g, WG_ESHAPE, "%s: the extent %s is negative", name, extent_name(g, e).text);
    return false;
}

static bool check_rank(wg_graph *g, const char *name, size_t rank) {
    if (rank <= WG_MAX_RANK) return true;
    graph_fail(g, WG_ESHAPE, "%s: rank %zu; at most %d is possible", name, rank, WG_MAX_RANK);
    return false;
}

static bool check_extents(wg_graph *g, const char *name, size_t rank, const wg_extent *extent) {
    if (!check_rank(g, name, rank) || !face_list(g, name, rank, extent)) return false;
    for (size_t i = 0; i < rank; i++)
        if (!face_extent(g, name, extent[i])) return false;
    return true;
}

bool face_type(wg_graph *g, const char *name, const wg_type *type) {
    if (type->dtype >= WG_DTYPE_COUNT) {
        graph_fail(g, WG_EDTYPE, "%s: %d is no element type", name, type->dtype);
        return false;
    }
    if (!check_extents(g, name, type->rank, type->extent)) return false;
    wg_extent bytes = extent_mul(g, type_count(g, type),
                                 (wg_extent)wg_dtype_size((wg_dtype)type->dtype));
    return bytes != extent_bad && !g->error.status;
}

bool face_has_number(wg_dtype dtype, double number) {
    switch (dtype) {
    case WG_BOOL: return number == 0 || number == 1;
    case WG_I32: return number >= INT32_MIN && number <= INT32_MAX && number == trunc(number);
    case WG_I64: return number >= -0x1p63 && number < 0x1p63 && number == trunc(number);
    case WG_F32:
    case WG_F64: return true;
    }
    return false;
}

/* The number as a scalar, if the element type has it. */
static value number_of(wg_graph *g, const char *name, wg_dtype dtype, double number) {
    if (face_has_number(dtype, number)) return build_number(g, dtype, number);
    return graph_fail(g, WG_EDTYPE, "%s: the number %g is no %s", name, number,
                      wg_dtype_name(dtype));
}

/* ---- leaves ---------------------------------------------------------------------------------- */

wg_extent wg_size_at(const char *file, int line, wg_graph *g, const char *name) {
    if (!face_begin(g, file, line)) return 0;
    uint32_t index = graph_size(g, name);
    return g->error.status ? 0 : extent_size(g, index);
}

/* Arithmetic on extents that the caller hands over. After an error the result means nothing, but it
 * is an extent, so that nothing else is reported. */
static wg_extent arithmetic(wg_graph *g, wg_extent a, wg_extent b,
                            wg_extent (*operation)(wg_graph *, wg_extent, wg_extent)) {
    static const char name[] = "extent arithmetic";
    if (!g || g->error.status) return 0;
    if (!require_extent(g, name, a) || !require_extent(g, name, b)) return 0;
    wg_extent result = operation(g, a, b);
    return g->error.status ? 0 : result;
}

wg_extent wg_extent_add(wg_graph *g, wg_extent a, wg_extent b) {
    return arithmetic(g, a, b, extent_add);
}

wg_extent wg_extent_sub(wg_graph *g, wg_extent a, wg_extent b) {
    return arithmetic(g, a, b, extent_sub);
}

wg_extent wg_extent_mul(wg_graph *g, wg_extent a, wg_extent b) {
    return arithmetic(g, a, b, extent_mul);
}

wg_var wg_input_at(const char *file, int line, wg_graph *g, const char *name, wg_type type) {
    if (!face_begin(g, file, line)) return (wg_var){g, 0};
    if (!face_type(g, "input", &type)) return (wg_var){g, 0};
    return (wg_var){g, graph_input(g, name, &type)};
}

void wg_output_at(const char *file, int line, wg_graph *g, const char *name, wg_var x) {
    if (face_begin(g, file, line) && face_var(g, "output", x)) graph_output(g, name, x.id);
}

wg_var wg_number_at(const char *file, int line, wg_graph *g, wg_dtype dtype, double number) {
    wg_type type = {.dtype = (uint8_t)dtype};
    if (!face_begin(g, file, line) || !face_type(g, "number", &type)) return (wg_var){g, 0};
    return (wg_var){g, number_of(g, "number", dtype, number)};
}

wg_var wg_constant_at(const char *file, int line, wg_graph *g, wg_type type, const void *data) {
    if (!face_begin(g, file, line) || !face_type(g, "constant", &type)) return (wg_var){g, 0};
    if (!data && type_count(g, &type) != 0)
        return (wg_var){g, graph_fail(g, WG_EARGUMENT, "constant: no data")};
    return (wg_var){g, graph_blob(g, &type, data)};
}

wg_var wg_full_at(const char *file, int line, wg_graph *g, wg_type type, double number) {
    if (!face_begin(g, file, line) || !face_type(g, "full", &type)) return (wg_var){g, 0};
    value scalar = number_of(g, "full", (wg_dtype)type.dtype, number);
    return (wg_var){g, build_broadcast(g, scalar, &type, 0)};
}

wg_var wg_iota_at(const char *file, int line, wg_graph *g, wg_extent count) {
    if (!face_begin(g, file, line) || !face_extent(g, "iota", count)) return (wg_var){g, 0};
    return (wg_var){g, build_iota(g, count)};
}

wg_var wg_extent_value_at(const char *file, int line, wg_graph *g, wg_extent extent) {
    if (!face_begin(g, file, line) || !face_extent(g, "extent_value", extent))
        return (wg_var){g, 0};
    return (wg_var){g, build_extent(g, extent)};
}

wg_type wg_type_of_var(wg_var x) {
    bool good = x.graph && !x.graph->error.status && x.id && x.id < x.graph->t.instr.count;
    return good ? *type_of(&x.graph->t, x.id) : (wg_type){0};
}

wg_extent wg_extent_of(wg_var x, int axis) {
    unsigned at;
    if (!x.graph || x.graph->error.status || !face_var(x.graph, "extent_of", x) ||
        !face_axis(x.graph, "extent_of", x.id, axis, &at))
        return 0;
    return type_of(&x.graph->t, x.id)->extent[at];
}

/* ---- elementwise, but for the table's -------------------------------------------------------- */

wg_var wg_where_at(const char *file, int line, wg_var condition, wg_arg a, wg_arg b) {
    wg_var x[3] = {condition};
    size_t count = 1;
    if (!a.is_number) x[count++] = a.var;
    if (!b.is_number) x[count++] = b.var;
    wg_graph *g = face_enter(file, line, "where", count, x);
    if (!g) {
        for (size_t i = 0; i < count && !g; i++) g = x[i].graph;
        return (wg_var){g, 0};
    }
    /* a number is of its partner's element type; two numbers are f64 */
    wg_dtype dtype = count > 1 ? (wg_dtype)type_of(&g->t, x[1].id)->dtype : WG_F64;
    value left = a.is_number ? number_of(g, "where", dtype, a.number) : a.var.id;
    value right = b.is_number ? number_of(g, "where", dtype, b.number) : b.var.id;
    return (wg_var){g, build_where(g, condition.id, left, right)};
}

wg_var wg_cast_at(const char *file, int line, wg_dtype dtype, wg_var x) {
    wg_graph *g = face_enter(file, line, "cast", 1, &x);
    bool good = g && face_type(g, "cast", &(wg_type){.dtype = (uint8_t)dtype});
    return face_result(x, g, good ? build_cast(g, dtype, x.id) : 0);
}

wg_var wg_stop_gradient_at(const char *file, int line, wg_var x) {
    wg_graph *g = face_enter(file, line, "stop_gradient", 1, &x);
    return face_result(x, g, g ? build_unary(g, OP_stop_gradient, x.id) : 0);
}

/* ---- shape ----------------------------------------------------------------------------------- */

wg_var wg_reshape_at(const char *file, int line, wg_var x, size_t rank, const wg_extent *extent) {
    wg_graph *g = face_enter(file, line, "reshape", 1, &x);
    if (!g || !check_rank(g, "reshape", rank) || !face_list(g, "reshape", rank, extent))
        return face_result(x, g, 0);
    wg_type shape = wg_type_of(WG_F64, rank, extent);
    for (size_t i = 0; i < rank; i++)
        if (extent[i] != WG_INFER && !face_extent(g, "reshape", extent[i]))
            return face_result(x, g, 0);
    return face_result(x, g, infer_extent(g, x.id, &shape) ? build_reshape(g, x.id, &shape) : 0);
}

wg_var wg_transpose_at(const char *file, int line, wg_var x, size_t rank, const int *perm) {
    wg_graph *g = face_enter(file, line, "transpose", 1, &x);
    if (!g || !face_list(g, "transpose", rank, perm)) return face_result(x, g, 0);
    size_t axes = type_of(&g->t, x.id)->rank;
    uint8_t order[WG_MAX_RANK] = {0};
    uint32_t seen = 0;
    if (rank != 0 && rank != axes) {
        graph_fail(g, WG_ESHAPE, "transpose: %zu axes listed for %s, which has %zu", rank,
                   type_name(g, x.id).text, axes);
        graph_fail_operands(g, &x.id, 1);
        return face_result(x, g, 0);
    }
    for (size_t i = 0; i < axes; i++) {
        unsigned axis = (unsigned)(axes - 1 - i);
        if (rank && !face_axis(g, "transpose", x.id, perm[i], &axis)) return face_result(x, g, 0);
        if (seen >> axis & 1) return face_result(x, g, twice(g, "transpose", x.id, (int)axis));
        seen |= (uint32_t)1 << axis;
        order[i] = (uint8_t)axis;
    }
    return face_result(x, g, build_transpose(g, x.id, order));
}

wg_var wg_broadcast_at(const char *file, int line, wg_var x, size_t rank, const wg_extent *extent) {
    wg_graph *g = face_enter(file, line, "broadcast", 1, &x);
    if (!g || !check_extents(g, "broadcast", rank, extent)) return face_result(x, g, 0);
    wg_type shape = wg_type_of((wg_dtype)type_of(&g->t, x.id)->dtype, rank, extent);
    return face_result(x, g, build_broadcast_to(g, x.id, &shape));
}

wg_var wg_slice_at(const char *file, int line, wg_var x, int axis, wg_extent start, wg_extent stop,
                   int64_t step) {
    wg_graph *g = face_enter(file, line, "slice", 1, &x);
    unsigned at;
    if (!g || !face_axis(g, "slice", x.id, axis, &at) ||
        (start != WG_INFER && !face_extent(g, "slice", start)) ||
        (stop != WG_INFER && !face_extent(g, "slice", stop)))
        return face_result(x, g, 0);
    return face_result(x, g, build_slice_axis(g, x.id, at, start, stop, step));
}

wg_var face_joined(const char *file, int line, const char *name, size_t count, const wg_var *part,
                   int axis, bool new_axis,
                   value (*build)(wg_graph *, const value *, size_t, unsigned)) {
    if (count == 0 || !part) return (wg_var){NULL, 0};
    wg_graph *g = face_enter(file, line, name, count, part);
    unsigned at;
    if (!g) return face_result(part[0], g, 0);
    unsigned rank = type_of(&g->t, part[0].id)->rank;
    if (new_axis && (axis == (int)rank || axis == -1)) at = rank;
    else if (!face_axis(g, name, part[0].id, axis + (new_axis && axis < 0), &at))
        return face_result(part[0], g, 0);
    value *id = mem_alloc(&g->t.allocator, count * sizeof *id);
    if (!id) {
        fail_memory(&g->error);
        return face_result(part[0], g, 0);
    }
    for (size_t i = 0; i < count; i++) id[i] = part[i].id;
    value whole = build(g, id, count, at);
    mem_free(&g->t.allocator, id, count * sizeof *id);
    return face_result(part[0], g, whole);
}

wg_var wg_concat_at(const char *file, int line, int axis, size_t count, const wg_var *part) {
    return face_joined(file, line, "concat", count, part, axis, false, build_concat);
}

/* ---- reductions ------------------------------------------------------------------------------ */

wg_var face_reduction(const char *file, int line, const char *name, wg_var x, size_t count,
                      const int *axis, value (*build)(wg_graph *, value, uint32_t)) {
    wg_graph *g = face_enter(file, line, name, 1, &x);
    uint32_t mask;
    bool good = g && face_axes(g, name, x.id, count, axis, &mask);
    return face_result(x, g, good ? build(g, x.id, mask) : 0);
}

wg_var wg_sum_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "sum", x, count, axis, build_sum);
}

wg_var wg_mean_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "mean", x, count, axis, build_mean);
}

wg_var wg_reduce_max_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "reduce_max", x, count, axis, build_reduce_max);
}

wg_var wg_logsumexp_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "logsumexp", x, count, axis, build_logsumexp);
}

wg_var wg_norm_at(const char *file, int line, wg_var x, size_t count, const int *axis) {
    return face_reduction(file, line, "norm", x, count, axis, build_norm);
}

wg_var face_along_axis(const char *file, int line, const char *name, wg_var x, int axis,
                       value (*build)(wg_graph *, value, unsigned)) {
    wg_graph *g = face_enter(file, line, name, 1, &x);
    unsigned at;
    bool good = g && face_axis(g, name, x.id, axis, &at);
    return face_result(x, g, good ? build(g, x.id, at) : 0);
}

wg_var wg_argmax_at(const char *file, int line, wg_var x, int axis) {
    return face_along_axis(file, line, "argmax", x, axis, build_argmax);
}

/* ---- indexing -------------------------------------------------------------------------------- */

wg_var wg_take_at(const char *file, int line, wg_var x, wg_var index, int axis) {
    wg_graph *g = face_enter(file, line, "take", 2, (const wg_var[]){x, index});
    unsigned at;
    bool good = g && face_axis(g, "take", x.id, axis, &at);
    return face_result(x.graph ? x : index, g, good ? build_take(g, x.id, index.id, at, 0) : 0);
}

wg_var wg_pick_at(const char *file, int line, wg_var x, wg_var index) {
    wg_graph *g = face_enter(file, line, "pick", 2, (const wg_var[]){x, index});
    if (!g) return face_result(x.graph ? x : index, g, 0);
    wg_type type = *type_of(&g->t, x.id), rows = type;
    rows.rank = (uint8_t)(type.rank ? type.rank - 1 : 0);
    if (type.rank && type_same_shape(&rows, type_of(&g->t, index.id)))
        return face_result(x, g, build_take(g, x.id, index.id, rows.rank, rows.rank));
    graph_fail(g, WG_ESHAPE, "pick: %s needs one index a row, there are %s",
               type_name(g, x.id).text, type_name(g, index.id).text);
    graph_fail_operands(g, (const value[]){x.id, index.id}, 2);
    graph_hint(g, "the index has the axes of x but for the last one");
    return face_result(x, g, 0);
}

wg_var wg_scatter_add_at(const char *file, int line, wg_var update, wg_var index, int axis,
                         wg_extent extent) {
    wg_graph *g = face_enter(file, line, "scatter_add", 2, (const wg_var[]){update, index});
    wg_var first = update.graph ? update : index;
    if (!g || !face_extent(g, "scatter_add", extent)) return face_result(first, g, 0);
    /* axes are counted in the result, where one axis stands for the index's */
    int rank = type_of(&g->t, update.id)->rank - type_of(&g->t, index.id)->rank + 1;
    if (axis < -rank || axis >= rank || rank > WG_MAX_RANK) {
        graph_fail(g, WG_ESHAPE, "scatter_add: axis %d of a result of rank %d from %s at index %s",
                   axis, rank, type_name(g, update.id).text, type_name(g, index.id).text);
        graph_fail_operands(g, (const value[]){update.id, index.id}, 2);
        return face_result(first, g, 0);
    }
    unsigned at = (unsigned)(axis < 0 ? axis + rank : axis);
    return face_result(first, g, build_scatter_add(g, update.id, index.id, at, 0, extent));
}

static wg_var face_update(const char *file, int line, const char *name, wg_var x, wg_var update,
                          wg_var index, int axis,
                          value (*build)(wg_graph *g, value a, value update, value index,
                                         unsigned axis, unsigned batch)) {
    wg_graph *g = face_enter(file, line, name, 3, (const wg_var[]){x, update, index});
    wg_var first = x.graph ? x : update.graph ? update : index;
    unsigned at;
    bool good = g && face_axis(g, name, x.id, axis, &at);
    return face_result(first, g, good ? build(g, x.id, update.id, index.id, at, 0) : 0);
}

wg_var wg_index_add_at(const char *file, int line, wg_var x, wg_var update, wg_var index,
                       int axis) {
    return face_update(file, line, "index_add", x, update, index, axis, build_index_add);
}

wg_var wg_index_set_at(const char *file, int line, wg_var x, wg_var update, wg_var index,
                       int axis) {
    return face_update(file, line, "index_set", x, update, index, axis, build_index_set);
}

/* ---- products -------------------------------------------------------------------------------- */

wg_var wg_matmul_at(const char *file, int line, wg_var a, wg_var b) {
    wg_graph *g = face_enter(file, line, "matmul", 2, (const wg_var[]){a, b});
    return face_result(a.graph ? a : b, g, g ? build_matmul(g, a.id, b.id) : 0);
}

wg_var wg_dot_at(const char *file, int line, wg_var a, wg_var b, size_t batch, const int *a_batch,
                 const int *b_batch, size_t contract, const int *a_contract,
                 const int *b_contract) {
    const wg_var x[2] = {a, b};
    const int *list[2][2] = {{a_batch, a_contract}, {b_batch, b_contract}};
    wg_graph *g = face_enter(file, line, "dot", 2, x);
    wg_var nothing = face_result(a.graph ? a : b, g, 0);
    if (!g) return nothing;
    uint8_t pair[2][WG_MAX_RANK];
    for (size_t k = 0; k < 2; k++) {
        size_t rank = type_of(&g->t, x[k].id)->rank;
        uint32_t seen = 0;
        if (!face_list(g, "dot", batch, list[k][0]) || !face_list(g, "dot", contract, list[k][1]))
            return nothing;
        if (batch > rank || contract > rank || batch + contract > rank) {
            graph_fail(g, WG_ESHAPE, "dot: %zu shared and %zu contracted axes of %s", batch,
                       contract, type_name(g, x[k].id).text);
            graph_fail_operands(g, &x[k].id, 1);
            return nothing;
        }
        for (size_t i = 0; i < batch + contract; i++) {
            unsigned axis;
            int given = i < batch ? list[k][0][i] : list[k][1][i - batch];
            if (!face_axis(g, "dot", x[k].id, given, &axis)) return nothing;
            if (seen >> axis & 1) return face_result(nothing, g, twice(g, "dot", x[k].id, given));
            seen |= (uint32_t)1 << axis;
            pair[k][i] = (uint8_t)axis;
        }
    }
    return face_result(nothing, g,
                       build_dot_axes(g, a.id, b.id, (unsigned)batch, (unsigned)contract,
                                      (const uint8_t *const[]){pair[0], pair[1]}));
}

/* ---- composites ------------------------------------------------------------------------------ */

wg_var wg_softmax_at(const char *file, int line, wg_var x, int axis) {
    return face_along_axis(file, line, "softmax", x, axis, build_softmax);
}

wg_var wg_log_softmax_at(const char *file, int line, wg_var x, int axis) {
    return face_along_axis(file, line, "log_softmax", x, axis, build_log_softmax);
}

wg_var wg_cross_entropy_at(const char *file, int line, wg_var logits, wg_var label) {
    wg_graph *g = face_enter(file, line, "cross_entropy", 2, (const wg_var[]){logits, label});
    return face_result(logits.graph ? logits : label, g,
                  g ? build_cross_entropy(g, logits.id, label.id) : 0);
}

wg_var wg_mse_at(const char *file, int line, wg_var a, wg_var b) {
    wg_graph *g = face_enter(file, line, "mse", 2, (const wg_var[]){a, b});
    return face_result(a.graph ? a : b, g, g ? build_mse(g, a.id, b.id) : 0);
}
