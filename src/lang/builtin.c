/* The functions of the language: a row each, with how it is called, and below them every
 * elementwise operation by its own name. Rows turn arguments and options into calls of builders;
 * what an operation is, and what it accepts, is not known here. */
#include "lang/lang.h"
#include "op/describe.h"

enum { AXIS = 1, AXES = 2, KEEP = 4, TEXT = 8, REDUCE = AXES | KEEP, ANY = 255 };

struct builtin;
typedef value builtin_function(struct parser *p, const struct call *c, const struct builtin *b,
                               const struct term *arg, size_t count);

struct builtin {
    const char *name, *usage;
    builtin_function *apply;
    uint8_t least, most, options;
    int detail; /* an operation, an element type, or a number: the function's own affair */
};

/* ---- axes ------------------------------------------------------------------------------------ */

static bool resolve_axis(struct parser *p, const struct builtin *b, value x, int axis,
                         unsigned *result) {
    int rank = term_type(p, x)->rank;
    if (axis < -rank || axis >= rank) {
        graph_fail(p->g, WG_ESHAPE, "%s: there is no axis %d in %s", b->name, axis,
                   type_name(p->g, x).text);
        return false;
    }
    *result = (unsigned)(axis < 0 ? axis + rank : axis);
    return true;
}

/* The axis given, or else the row's own. */
static bool one_axis(struct parser *p, const struct call *c, const struct builtin *b, value x,
                     unsigned *axis) {
    return x && resolve_axis(p, b, x, c->has_axis ? c->axis[0] : b->detail, axis);
}

/* ---- reductions ------------------------------------------------------------------------------ */

/* What the rows of reductions name. */
enum { SUM, MEAN, PROD, MAX, MIN, PEAK, LOGSUMEXP, NORM, ANY_TRUE, ALL_TRUE, VAR, REVERSE };
static value (*const reduction[])(wg_graph *, value, uint32_t) = {
    [SUM] = build_sum,          [MEAN] = build_mean,      [PROD] = build_prod,
    [MAX] = build_reduce_max,   [MIN] = build_reduce_min, [LOGSUMEXP] = build_logsumexp,
    [PEAK] = build_peak,
    [NORM] = build_norm,        [ANY_TRUE] = build_any,   [ALL_TRUE] = build_all,
    [VAR] = build_variance,     [REVERSE] = build_reverse,
};

static bool named_axes(struct parser *p, const struct call *c, const struct builtin *b, value x,
                       uint32_t *axes) {
    *axes = c->has_axis ? 0 : all_axes(p->g, x);
    for (size_t i = 0; i < c->axis_count; i++) {
        unsigned axis;
        if (!resolve_axis(p, b, x, c->axis[i], &axis)) return false;
        if (*axes >> axis & 1) {
            graph_fail(p->g, WG_ESHAPE, "%s: axis %d is named twice", b->name, c->axis[i]);
            return false;
        }
        *axes |= (uint32_t)1 << axis;
    }
    return true;
}

static value kept_axes(struct parser *p, const struct call *c, value y, wg_type kept,
                       uint32_t axes) {
    if (!c->keep || !y) return y;
    for (size_t i = 0; i < kept.rank; i++)
        if (axes >> i & 1) kept.extent[i] = 1;
    return build_reshape(p->g, y, &kept);
}

static value reduce_axes(struct parser *p, const struct call *c, const struct builtin *b, value x) {
    if (!x) return 0;
    uint32_t axes;
    if (!named_axes(p, c, b, x, &axes)) return 0;
    wg_type type = *term_type(p, x);
    return kept_axes(p, c, reduction[b->detail](p->g, x, axes), type, axes);
}

static value apply_reduce(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    (void)count;
    return reduce_axes(p, c, b, term_default(p, arg[0]));
}

static value apply_max(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    value x, y;
    if (count == 1) return reduce_axes(p, c, b, term_default(p, arg[0]));
    if (c->has_axis || c->has_keep)
        return graph_fail(p->g, WG_EARGUMENT, "%s of two arguments has no options", b->name);
    return term_pair(p, arg[0], arg[1], &x, &y)
               ? build_binary(p->g, b->detail == MAX ? OP_max : OP_min, x, y)
               : 0;
}

static value apply_argmax(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x = term_default(p, arg[0]);
    return one_axis(p, c, b, x, &axis) ? build_argmax(p->g, x, axis) : 0;
}

static value apply_softmax(struct parser *p, const struct call *c, const struct builtin *b,
                           const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x = term_default(p, arg[0]);
    return one_axis(p, c, b, x, &axis) ? build_softmax(p->g, x, axis) : 0;
}

static value apply_log_softmax(struct parser *p, const struct call *c, const struct builtin *b,
                               const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x = term_default(p, arg[0]);
    return one_axis(p, c, b, x, &axis) ? build_log_softmax(p->g, x, axis) : 0;
}

/* ---- losses and products --------------------------------------------------------------------- */

static value apply_cross_entropy(struct parser *p, const struct call *c, const struct builtin *b,
                                 const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value logits = term_default(p, arg[0]), label = term_build(p, arg[1], WG_I64);
    return build_cross_entropy(p->g, logits, label);
}

static value apply_mse(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value x, y;
    return term_pair(p, arg[0], arg[1], &x, &y) ? build_mse(p->g, x, y) : 0;
}

static value apply_matmul(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value x, y;
    return term_pair(p, arg[0], arg[1], &x, &y) ? build_matmul(p->g, x, y) : 0;
}

/* The sum of all products of elements: x f64[n...], y f64[n...] -> f64 */
static value apply_dot(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value x, y;
    if (!term_pair(p, arg[0], arg[1], &x, &y)) return 0;
    if (type_same_shape(term_type(p, x), term_type(p, y)))
        return build_dot(p->g, x, y, 0, term_type(p, x)->rank, false, false);
    graph_fail(p->g, WG_ESHAPE, "dot: shapes differ: left %s, right %s", type_name(p->g, x).text,
               type_name(p->g, y).text);
    graph_fail_operands(p->g, (const value[]){x, y}, 2);
    graph_hint(p->g, "dot is the sum of the products of all elements; @ is the matrix product");
    return 0;
}

/* ---- choice and conversion ------------------------------------------------------------------- */

static value apply_where(struct parser *p, const struct call *c, const struct builtin *b,
                         const struct term *arg, size_t count) {
    (void)c, (void)b, (void)count;
    value condition = term_default(p, arg[0]), x, y;
    if (!condition || !term_pair(p, arg[1], arg[2], &x, &y)) return 0;
    return build_where(p->g, condition, x, y);
}

/* Numbers that the type holds become it at once: i32([0, 2]) is a constant. */
static value apply_cast(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c, (void)count;
    wg_dtype dtype = (wg_dtype)b->detail;
    if (term_holds(p, arg[0], dtype)) return term_build(p, arg[0], dtype);
    return build_cast(p->g, dtype, term_default(p, arg[0]));
}

/* ---- shape ----------------------------------------------------------------------------------- */

/* Arguments as the extents of a type; -1 is WG_INFER where that is allowed. */
static bool read_extents(struct parser *p, const struct builtin *b, const struct term *arg,
                         size_t count, bool may_infer, wg_type *type) {
    if (count > WG_MAX_RANK) {
        graph_fail(p->g, WG_ESHAPE, "%s: more than %d axes", b->name, WG_MAX_RANK);
        return false;
    }
    type->rank = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        bool is_number = arg[i].kind == TERM_NUMBER;
        if (is_number && arg[i].as.number == -1 && may_infer) {
            type->extent[i] = WG_INFER;
            continue;
        }
        if (term_is_extent(p, arg[i], &type->extent[i]) && (!is_number || arg[i].as.number >= 0))
            continue;
        if (parse_failed(p)) return false;
        graph_fail(p->g, WG_ESHAPE, "%s: an extent is made of whole numbers and named sizes",
                   b->name);
        return false;
    }
    return true;
}

static value apply_full(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c;
    wg_type type = {.dtype = WG_F64};
    return read_extents(p, b, arg, count, false, &type) ? build_full(p->g, &type, b->detail) : 0;
}

static value apply_eye(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    (void)c;
    wg_type type = {0};
    return read_extents(p, b, arg, count, false, &type) ? build_eye(p->g, WG_F64, type.extent[0])
                                                        : 0;
}

static value apply_iota(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c;
    wg_type type = {0};
    return read_extents(p, b, arg, count, false, &type) ? build_iota(p->g, type.extent[0]) : 0;
}

static value apply_transpose(struct parser *p, const struct call *c, const struct builtin *b,
                             const struct term *arg, size_t count) {
    (void)c;
    value x = term_default(p, arg[0]);
    if (!x) return 0;
    uint8_t perm[WG_MAX_RANK];
    size_t rank = term_type(p, x)->rank;
    uint32_t seen = 0;
    for (size_t i = 0; i < rank; i++) perm[i] = (uint8_t)(rank - 1 - i);
    for (size_t i = 1; i < count && count == rank + 1; i++) {
        wg_extent given;
        unsigned axis;
        if (!term_is_extent(p, arg[i], &given) || arg[i].kind != TERM_NUMBER) break;
        int number = arg[i].as.number < -WG_MAX_RANK  ? -WG_MAX_RANK - 1
                     : arg[i].as.number > WG_MAX_RANK ? WG_MAX_RANK
                                                      : (int)arg[i].as.number;
        if (!resolve_axis(p, b, x, number, &axis)) return 0;
        perm[i - 1] = (uint8_t)axis;
        seen |= (uint32_t)1 << axis;
    }
    if (count > 1 && (count != rank + 1 || seen != all_axes(p->g, x)))
        return graph_fail(p->g, WG_ESHAPE, "transpose: each of the %zu axes is named once", rank);
    return build_transpose(p->g, x, perm);
}

static value apply_reshape(struct parser *p, const struct call *c, const struct builtin *b,
                           const struct term *arg, size_t count) {
    (void)c;
    wg_type type = {0};
    value x = term_default(p, arg[0]);
    if (!x || !read_extents(p, b, arg + 1, count - 1, true, &type)) return 0;
    return infer_extent(p->g, x, &type) ? build_reshape(p->g, x, &type) : 0;
}

static value apply_take(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x = term_default(p, arg[0]), index = term_build(p, arg[1], WG_I64);
    return one_axis(p, c, b, x, &axis) ? build_take(p->g, x, index, axis, 0) : 0;
}

/* scatter_add(update, index, n): zeros with n along the axis, the axis counted in the result. */
static value apply_scatter_add(struct parser *p, const struct call *c, const struct builtin *b,
                               const struct term *arg, size_t count) {
    wg_type type = {0};
    value update = term_default(p, arg[0]), index = term_build(p, arg[1], WG_I64);
    if (!read_extents(p, b, arg + 2, count - 2, false, &type) || !update || !index) return 0;
    int rank = term_type(p, update)->rank - term_type(p, index)->rank + 1;
    int axis = c->has_axis ? c->axis[0] : 0;
    if (rank > 0 && (axis < -rank || axis >= rank))
        return graph_fail(p->g, WG_ESHAPE, "%s: there is no axis %d in a result of rank %d",
                          b->name, axis, rank);
    return build_scatter_add(p->g, update, index, (unsigned)(axis < 0 ? axis + rank : axis), 0,
                             type.extent[0]);
}

/* x with some of its elements along an axis changed: x, update and index in value[]. */
static bool update_terms(struct parser *p, const struct call *c, const struct builtin *b,
                         const struct term *arg, value v[3], unsigned *axis) {
    v[0] = term_default(p, arg[0]);
    v[1] = v[0] ? term_build(p, arg[1], (wg_dtype)term_type(p, v[0])->dtype) : 0;
    v[2] = term_build(p, arg[2], WG_I64);
    return v[1] && v[2] && one_axis(p, c, b, v[0], axis);
}

static value apply_index_add(struct parser *p, const struct call *c, const struct builtin *b,
                             const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value v[3];
    if (!update_terms(p, c, b, arg, v, &axis)) return 0;
    return build_index_add(p->g, v[0], v[1], v[2], axis, 0);
}

static value apply_index_set(struct parser *p, const struct call *c, const struct builtin *b,
                             const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value v[3];
    if (!update_terms(p, c, b, arg, v, &axis)) return 0;
    return build_index_set(p->g, v[0], v[1], v[2], axis, 0);
}

/* For every row of x[..., n] the element index[...]. */
static value apply_pick(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c, (void)count;
    value x = term_default(p, arg[0]), index = term_build(p, arg[1], WG_I64);
    unsigned last;
    if (!x || !index || !resolve_axis(p, b, x, -1, &last)) return 0;
    return build_take(p->g, x, index, last, last);
}

/* ---- along one axis -------------------------------------------------------------------------- */

static value running_sum(wg_graph *g, value x, unsigned axis) {
    return build_cumsum(g, x, axis, false);
}

static value running_product(wg_graph *g, value x, unsigned axis) {
    return build_cumprod(g, x, axis, false);
}

enum { ARGMIN, SORT, ARGSORT, CUMSUM, CUMPROD };
static value (*const line[])(wg_graph *, value, unsigned) = {
    [ARGMIN] = build_argmin, [SORT] = build_sort, [ARGSORT] = build_argsort,
    [CUMSUM] = running_sum,  [CUMPROD] = running_product,
};

/* The last axis unless another is given. */
static bool last_axis(struct parser *p, const struct call *c, const struct builtin *b, value x,
                      unsigned *axis) {
    return x && resolve_axis(p, b, x, c->has_axis ? c->axis[0] : -1, axis);
}

static value apply_line(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x = term_default(p, arg[0]);
    return last_axis(p, c, b, x, &axis) ? line[b->detail](p->g, x, axis) : 0;
}

static value apply_along(struct parser *p, const struct call *c, const struct builtin *b,
                         const struct term *arg, size_t count) {
    unsigned axis;
    wg_type type = {0};
    value x = term_default(p, arg[0]), index = term_build(p, arg[1], WG_I64);
    if (!last_axis(p, c, b, x, &axis)) return 0;
    if (count == 2) return build_take_along(p->g, x, index, axis);
    if (!read_extents(p, b, arg + 2, 1, false, &type)) return 0;
    return build_scatter_along(p->g, x, index, axis, type.extent[0]);
}

/* ---- numbers among the arguments ------------------------------------------------------------- */

static bool read_number(struct parser *p, const struct builtin *b, struct term t, double *number) {
    if (t.kind == TERM_NUMBER) *number = t.as.number;
    else graph_fail(p->g, WG_EARGUMENT, "%s: a plain number is wanted: %s", b->name, b->usage);
    return t.kind == TERM_NUMBER;
}

static value apply_norm(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    value x = term_default(p, arg[0]);
    uint32_t axes;
    double order;
    if (count == 1) return reduce_axes(p, c, b, x);
    if (!x || !read_number(p, b, arg[1], &order) || !named_axes(p, c, b, x, &axes)) return 0;
    wg_type type = *term_type(p, x);
    return kept_axes(p, c, build_norm_of_order(p->g, x, order, axes), type, axes);
}

static value apply_layer_norm(struct parser *p, const struct call *c, const struct builtin *b,
                              const struct term *arg, size_t count) {
    (void)count;
    value x = term_default(p, arg[0]);
    uint32_t axes;
    double epsilon;
    if (!x || !read_number(p, b, arg[1], &epsilon) || !named_axes(p, c, b, x, &axes)) return 0;
    unsigned rank = term_type(p, x)->rank;
    if (!c->has_axis && rank) axes = (uint32_t)1 << (rank - 1);
    return build_layer_norm(p->g, x, axes, epsilon);
}

static value apply_squeeze(struct parser *p, const struct call *c, const struct builtin *b,
                           const struct term *arg, size_t count) {
    (void)count;
    value x = term_default(p, arg[0]);
    uint32_t axes;
    if (!x || !named_axes(p, c, b, x, &axes)) return 0;
    for (size_t i = 0; i < term_type(p, x)->rank && !c->has_axis; i++)
        if (term_type(p, x)->extent[i] != 1) axes &= ~((uint32_t)1 << i);
    return build_squeeze(p->g, x, axes);
}

/* The axis is counted in the result, which has one more. */
static value apply_expand(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    (void)count;
    value x = term_default(p, arg[0]);
    if (!x) return 0;
    int axis = c->has_axis ? c->axis[0] : b->detail, rank = term_type(p, x)->rank + 1;
    if (axis < 0) axis += rank;
    return build_new_axis(p->g, x, axis < 0 ? WG_MAX_RANK : (unsigned)axis);
}

static value apply_tile(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c;
    wg_type times = {0};
    value x = term_default(p, arg[0]);
    if (!x || !read_extents(p, b, arg + 1, count - 1, false, &times)) return 0;
    if (times.rank == term_type(p, x)->rank) return build_tile(p->g, x, times.extent);
    return graph_fail(p->g, WG_ESHAPE, "tile: %d numbers of copies for %s; one an axis is needed",
                      times.rank, type_name(p->g, x).text);
}

static value apply_pad(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    wg_type ends = {0};
    unsigned axis;
    double number = 0;
    value x = term_default(p, arg[0]);
    if (!read_extents(p, b, arg + 1, 2, false, &ends) || !one_axis(p, c, b, x, &axis) ||
        (count == 4 && !read_number(p, b, arg[3], &number)))
        return 0;
    wg_extent low[WG_MAX_RANK] = {0}, high[WG_MAX_RANK] = {0};
    low[axis] = ends.extent[0];
    high[axis] = ends.extent[1];
    return build_pad_with(p->g, x, low, high, number);
}

static value apply_one_hot(struct parser *p, const struct call *c, const struct builtin *b,
                           const struct term *arg, size_t count) {
    (void)c, (void)count;
    wg_type classes = {0};
    value index = term_build(p, arg[0], WG_I64);
    if (!read_extents(p, b, arg + 1, 1, false, &classes)) return 0;
    return build_one_hot(p->g, index, classes.extent[0], WG_F64);
}

static value apply_dynamic(struct parser *p, const struct call *c, const struct builtin *b,
                           const struct term *arg, size_t count) {
    (void)count;
    wg_type length = {0};
    unsigned axis;
    value x = term_default(p, arg[0]), start = term_build(p, arg[1], WG_I64);
    if (!one_axis(p, c, b, x, &axis) || !read_extents(p, b, arg + 2, 1, false, &length)) return 0;
    return build_dynamic_slice(p->g, x, start, axis, length.extent[0]);
}

static value apply_dynamic_update(struct parser *p, const struct call *c, const struct builtin *b,
                                  const struct term *arg, size_t count) {
    (void)count;
    unsigned axis;
    value x, update;
    if (!term_pair(p, arg[0], arg[1], &x, &update) || !one_axis(p, c, b, x, &axis)) return 0;
    return build_dynamic_update(p->g, x, update, term_build(p, arg[2], WG_I64), axis);
}

/* ---- random numbers -------------------------------------------------------------------------- */

enum { BITS, UNIFORM, NORMAL };
static value (*const drawn[])(wg_graph *, value, value, const wg_type *) = {
    [BITS] = build_draw_bits, [UNIFORM] = build_draw_uniform, [NORMAL] = build_draw_normal,
};

static value apply_draw(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c;
    wg_type type = {.dtype = b->detail == BITS ? WG_I64 : WG_F64};
    value key = term_build(p, arg[0], WG_I64), counter = term_build(p, arg[1], WG_I64);
    if (!read_extents(p, b, arg + 2, count - 2, false, &type)) return 0;
    return drawn[b->detail](p->g, key, counter, &type);
}

/* ---- matrices -------------------------------------------------------------------------------- */

enum { CHOLESKY, INVERSE, DET, LOG_DET, SIGN_DET, EXPM, DIAGONAL, TRACE };
static value (*const of_matrix[])(wg_graph *, value) = {
    [CHOLESKY] = build_cholesky, [INVERSE] = build_inverse,   [DET] = build_det,
    [LOG_DET] = build_log_det,   [SIGN_DET] = build_sign_det, [EXPM] = build_expm,
    [DIAGONAL] = build_diagonal, [TRACE] = build_trace,
};

static value apply_matrix(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    (void)c, (void)count;
    return of_matrix[b->detail](p->g, term_default(p, arg[0]));
}

static value apply_part(struct parser *p, const struct call *c, const struct builtin *b,
                        const struct term *arg, size_t count) {
    (void)c, (void)count;
    return build_matrix_part(p->g, term_default(p, arg[0]), (enum matrix_part)b->detail);
}

enum { SOLVE = 16, CHOLESKY_SOLVE }; /* beside enum wg_triangle */

static value apply_solve(struct parser *p, const struct call *c, const struct builtin *b,
                         const struct term *arg, size_t count) {
    (void)c, (void)count;
    value x, y;
    if (!term_pair(p, arg[0], arg[1], &x, &y)) return 0;
    if (b->detail == SOLVE) return build_solve(p->g, x, y);
    if (b->detail == CHOLESKY_SOLVE) return build_cholesky_solve(p->g, x, y);
    return build_triangular_solve(p->g, x, y, b->detail);
}

/* ---- windows --------------------------------------------------------------------------------- */

enum { CONV1, CONV2, CONV_TRANSPOSE, MAX_POOL, AVG_POOL };

/* Whole numbers behind the operands, the same for both axes: of pooling the size first, then
 * stride, padding, dilation and, of convolution, groups. */
static value apply_window(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    (void)c;
    bool pool = b->detail >= MAX_POOL;
    int64_t number[4] = {0}, size = 0;
    value x = 0, kernel = 0;
    if (pool) x = term_default(p, arg[0]);
    else if (!term_pair(p, arg[0], arg[1], &x, &kernel)) return 0;
    for (size_t i = pool ? 1 : 2; i < count; i++) {
        wg_type whole = {0};
        if (!read_extents(p, b, arg + i, 1, false, &whole)) return 0;
        if (whole.extent[0] < 0)
            return graph_fail(p->g, WG_EARGUMENT, "%s: a plain number is wanted: %s", b->name,
                              b->usage);
        if (i == 1) size = whole.extent[0];
        else number[i - 2] = whole.extent[0];
    }
    wg_window w = {.groups = number[3]};
    for (size_t i = 0; i < 2; i++) {
        w.stride[i] = number[0];
        w.low[i] = w.high[i] = number[1];
        w.dilation[i] = number[2];
    }
    switch (b->detail) {
    case MAX_POOL: return build_max_pool(p->g, x, (const int64_t[]){size, size}, &w);
    case AVG_POOL: return build_avg_pool(p->g, x, (const int64_t[]){size, size}, &w);
    case CONV_TRANSPOSE: return build_conv_transpose(p->g, x, kernel, &w);
    default: return build_convolution(p->g, x, kernel, b->detail == CONV1 ? 1 : 2, &w);
    }
}

/* ---- lists of arguments ---------------------------------------------------------------------- */

/* All arguments in one element type; the caller frees count values. NULL on error. */
static value *list_of(struct parser *p, const struct term *arg, size_t count) {
    value *part = mem_alloc(&p->g->t.allocator, count * sizeof *part);
    if (!part) {
        parse_memory(p);
        return NULL;
    }
    wg_dtype dtype = WG_F64;
    for (size_t i = count; i-- > 0;)
        if (arg[i].kind == TERM_VALUE) dtype = (wg_dtype)term_type(p, arg[i].as.v)->dtype;
    for (size_t i = 0; i < count; i++) part[i] = term_build(p, arg[i], dtype);
    return part;
}

static value apply_concat(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    value *part = list_of(p, arg, count), result = 0;
    unsigned axis;
    if (!part) return 0;
    if (!parse_failed(p) && one_axis(p, c, b, part[0], &axis))
        result = build_concat(p->g, part, count, axis);
    mem_free(&p->g->t.allocator, part, count * sizeof *part);
    return result;
}

static value apply_stack(struct parser *p, const struct call *c, const struct builtin *b,
                         const struct term *arg, size_t count) {
    value *part = list_of(p, arg, count), result = 0;
    if (!part) return 0;
    if (!parse_failed(p)) {
        int axis = c->has_axis ? c->axis[0] : b->detail, rank = term_type(p, part[0])->rank + 1;
        if (axis < 0) axis += rank;
        result = build_stack(p->g, part, count, axis < 0 ? WG_MAX_RANK : (unsigned)axis);
    }
    mem_free(&p->g->t.allocator, part, count * sizeof *part);
    return result;
}

static value apply_einsum(struct parser *p, const struct call *c, const struct builtin *b,
                          const struct term *arg, size_t count) {
    if (!c->text) return graph_fail(p->g, WG_EARGUMENT, "einsum begins with a text: %s", b->usage);
    value *part = list_of(p, arg, count), result = 0;
    if (!part) return 0;
    if (!parse_failed(p)) result = build_einsum(p->g, c->text, c->text_length, part, count);
    mem_free(&p->g->t.allocator, part, count * sizeof *part);
    return result;
}

/* With an index it is read by control.c. */
static value apply_map(struct parser *p, const struct call *c, const struct builtin *b,
                       const struct term *arg, size_t count) {
    (void)c, (void)arg, (void)count;
    return graph_fail(p->g, WG_EARGUMENT, "map has an index: %s", b->usage);
}

/* ---- the table ------------------------------------------------------------------------------- */

// clang-format off
static const struct builtin builtins[] = {
    {"map",           "map(i in 0:n: x[i]^2)",        apply_map,      1, 1, 0, 0},
    {"sum",           "sum(x, axis=0)",               apply_reduce,   1, 1, REDUCE, SUM},
    {"mean",          "mean(x, axis=0)",              apply_reduce,   1, 1, REDUCE, MEAN},
    {"max",           "max(x, axis=0) or max(a, b)",  apply_max,      1, 2, REDUCE, MAX},
    {"logsumexp",     "logsumexp(x, axis=0)",         apply_reduce,   1, 1, REDUCE, LOGSUMEXP},
    {"peak",          "peak(x, axis=0)",              apply_reduce,   1, 1, REDUCE, PEAK},
    {"norm",          "norm(x, axis=0) or norm(x, p, axis=0)", apply_norm, 1, 2, REDUCE, NORM},
    {"argmax",        "argmax(x, axis=-1)",           apply_argmax,   1, 1, AXIS, -1},
    {"softmax",       "softmax(x, axis=-1)",          apply_softmax,  1, 1, AXIS, -1},
    {"log_softmax",   "log_softmax(x, axis=-1)",      apply_log_softmax, 1, 1, AXIS, -1},
    {"cross_entropy", "cross_entropy(logits, labels)", apply_cross_entropy, 2, 2, 0, 0},
    {"mse",           "mse(a, b)",                    apply_mse,      2, 2, 0, 0},
    {"matmul",        "matmul(a, b)",                 apply_matmul,   2, 2, 0, 0},
    {"dot",           "dot(a, b)",                    apply_dot,      2, 2, 0, 0},
    {"where",         "where(condition, a, b)",       apply_where,    3, 3, 0, 0},
    {"bool",          "bool(x)",                      apply_cast,     1, 1, 0, WG_BOOL},
    {"i32",           "i32(x)",                       apply_cast,     1, 1, 0, WG_I32},
    {"i64",           "i64(x)",                       apply_cast,     1, 1, 0, WG_I64},
    {"f32",           "f32(x)",                       apply_cast,     1, 1, 0, WG_F32},
    {"f64",           "f64(x)",                       apply_cast,     1, 1, 0, WG_F64},
    {"zeros",         "zeros(n, m)",                  apply_full,     0, ANY, 0, 0},
    {"ones",          "ones(n, m)",                   apply_full,     0, ANY, 0, 1},
    {"eye",           "eye(n)",                       apply_eye,      1, 1, 0, 0},
    {"iota",          "iota(n)",                      apply_iota,     1, 1, 0, 0},
    {"transpose",     "transpose(x) or transpose(x, 1, 0)", apply_transpose, 1, ANY, 0, 0},
    {"reshape",       "reshape(x, 2, 3)",             apply_reshape,  1, ANY, 0, 0},
    {"concat",        "concat(a, b, axis=0)",         apply_concat,   1, ANY, AXIS, 0},
    {"take",          "take(x, index, axis=0)",       apply_take,     2, 2, AXIS, 0},
    {"scatter_add",   "scatter_add(update, index, n, axis=0)", apply_scatter_add, 3, 3, AXIS, 0},
    {"index_add",     "index_add(x, update, index, axis=0)", apply_index_add, 3, 3, AXIS, 0},
    {"index_set",     "index_set(x, update, index, axis=0)", apply_index_set, 3, 3, AXIS, 0},
    {"pick",          "pick(x, index)",               apply_pick,     2, 2, 0, 0},
    {"prod",          "prod(x, axis=0)",              apply_reduce,   1, 1, REDUCE, PROD},
    {"min",           "min(x, axis=0) or min(a, b)",  apply_max,      1, 2, REDUCE, MIN},
    {"any",           "any(x, axis=0)",               apply_reduce,   1, 1, REDUCE, ANY_TRUE},
    {"all",           "all(x, axis=0)",               apply_reduce,   1, 1, REDUCE, ALL_TRUE},
    {"var",           "var(x, axis=0)",               apply_reduce,   1, 1, REDUCE, VAR},
    {"reverse",       "reverse(x, axis=0)",           apply_reduce,   1, 1, AXES, REVERSE},
    {"argmin",        "argmin(x, axis=-1)",           apply_line,     1, 1, AXIS, ARGMIN},
    {"sort",          "sort(x, axis=-1)",             apply_line,     1, 1, AXIS, SORT},
    {"argsort",       "argsort(x, axis=-1)",          apply_line,     1, 1, AXIS, ARGSORT},
    {"cumsum",        "cumsum(x, axis=-1)",           apply_line,     1, 1, AXIS, CUMSUM},
    {"cumprod",       "cumprod(x, axis=-1)",          apply_line,     1, 1, AXIS, CUMPROD},
    {"layer_norm",    "layer_norm(x, 1e-5, axis=-1)", apply_layer_norm, 2, 2, AXES, 0},
    {"squeeze",       "squeeze(x, axis=0)",           apply_squeeze,  1, 1, AXES, 0},
    {"expand",        "expand(x, axis=0)",            apply_expand,   1, 1, AXIS, 0},
    {"stack",         "stack(a, b, axis=0)",          apply_stack,    1, ANY, AXIS, 0},
    {"tile",          "tile(x, 2, 1)",                apply_tile,     1, ANY, 0, 0},
    {"pad",           "pad(x, 1, 2, axis=0) or pad(x, 1, 2, value, axis=0)",
     apply_pad, 3, 4, AXIS, 0},
    {"take_along",    "take_along(x, index, axis=-1)", apply_along,   2, 2, AXIS, -1},
    {"scatter_along", "scatter_along(update, index, n, axis=-1)", apply_along, 3, 3, AXIS, -1},
    {"one_hot",       "one_hot(index, n)",            apply_one_hot,  2, 2, 0, 0},
    {"dynamic_slice", "dynamic_slice(x, start, count, axis=0)", apply_dynamic, 3, 3, AXIS, 0},
    {"dynamic_update", "dynamic_update(x, update, start, axis=0)",
     apply_dynamic_update, 3, 3, AXIS, 0},
    {"draw_bits",     "draw_bits(key, counter, n, m)", apply_draw,    2, ANY, 0, BITS},
    {"draw_uniform",  "draw_uniform(key, counter, n, m)", apply_draw, 2, ANY, 0, UNIFORM},
    {"draw_normal",   "draw_normal(key, counter, n, m)", apply_draw,  2, ANY, 0, NORMAL},
    {"conv1d", "conv1d(x, kernel, stride, padding, dilation, groups)",
     apply_window, 2, 6, 0, CONV1},
    {"conv2d", "conv2d(x, kernel, stride, padding, dilation, groups)",
     apply_window, 2, 6, 0, CONV2},
    {"conv_transpose2d", "conv_transpose2d(x, kernel, stride, padding, dilation, groups)",
     apply_window, 2, 6, 0, CONV_TRANSPOSE},
    {"max_pool2d", "max_pool2d(x, size, stride, padding, dilation)",
     apply_window, 2, 5, 0, MAX_POOL},
    {"avg_pool2d", "avg_pool2d(x, size, stride, padding, dilation)",
     apply_window, 2, 5, 0, AVG_POOL},
    {"einsum",        "einsum(\"ij,jk->ik\", a, b)",  apply_einsum,   1, ANY, TEXT, 0},
    {"cholesky",      "cholesky(A)",                  apply_matrix,   1, 1, 0, CHOLESKY},
    {"inv",           "inv(A)",                       apply_matrix,   1, 1, 0, INVERSE},
    {"det",           "det(A)",                       apply_matrix,   1, 1, 0, DET},
    {"logdet",        "logdet(A)",                    apply_matrix,   1, 1, 0, LOG_DET},
    {"signdet",       "signdet(A)",                   apply_matrix,   1, 1, 0, SIGN_DET},
    {"expm",          "expm(A)",                      apply_matrix,   1, 1, 0, EXPM},
    {"diagonal",      "diagonal(A)",                  apply_matrix,   1, 1, 0, DIAGONAL},
    {"trace",         "trace(A)",                     apply_matrix,   1, 1, 0, TRACE},
    {"solve",         "solve(A, b)",                  apply_solve,    2, 2, 0, SOLVE},
    {"cholesky_solve", "cholesky_solve(L, b)",        apply_solve,    2, 2, 0, CHOLESKY_SOLVE},
    {"solve_lower",   "solve_lower(L, b)",            apply_solve,    2, 2, 0, WG_LOWER},
    {"solve_upper",   "solve_upper(U, b)",            apply_solve,    2, 2, 0, WG_UPPER},
    {"lu_l",          "lu_l(A)",                      apply_part,     1, 1, 0, LU_L},
    {"lu_u",          "lu_u(A)",                      apply_part,     1, 1, 0, LU_U},
    {"lu_order",      "lu_order(A)",                  apply_part,     1, 1, 0, LU_ORDER},
    {"qr_q",          "qr_q(A)",                      apply_part,     1, 1, 0, QR_Q},
    {"qr_r",          "qr_r(A)",                      apply_part,     1, 1, 0, QR_R},
    {"eigh_values",   "eigh_values(A)",               apply_part,     1, 1, 0, EIGH_VALUES},
    {"eigh_vectors",  "eigh_vectors(A)",              apply_part,     1, 1, 0, EIGH_VECTORS},
    {"svd_u",         "svd_u(A)",                     apply_part,     1, 1, 0, SVD_U},
    {"svd_s",         "svd_s(A)",                     apply_part,     1, 1, 0, SVD_S},
    {"svd_v",         "svd_v(A)",                     apply_part,     1, 1, 0, SVD_V},
};
// clang-format on

static const struct builtin *find(const char *name, size_t length) {
    for (size_t i = 0; i < COUNT_OF(builtins); i++)
        if (is_word(name, length, builtins[i].name)) return &builtins[i];
    return NULL;
}

/* The elementwise operations that a name may call. */
static bool is_function(unsigned op) {
    return op != OP_none && op != OP_copy && op != OP_cast && op != OP_where &&
           op_is_elementwise(op);
}

static unsigned operation(const char *name, size_t length) {
    if (length == 2 && memcmp(name, "ln", 2) == 0) return OP_log;
    unsigned op = op_by_name(name, length);
    return is_function(op) ? op : OP_none;
}

bool builtin_exists(const char *name, size_t length) {
    return find(name, length) || operation(name, length) != OP_none;
}

void builtin_nearest(struct nearest *n) {
    for (size_t i = 0; i < COUNT_OF(builtins); i++)
        nearest_try(n, builtins[i].name, strlen(builtins[i].name));
    for (unsigned op = 1; op < OP_COUNT; op++)
        if (is_function(op)) nearest_try(n, op_def(op)->name, strlen(op_def(op)->name));
}

static bool good_count(struct parser *p, const struct call *c, const char *name, const char *usage,
                       size_t least, size_t most) {
    size_t count = p->stack.count - c->first;
    if (count >= least && (count <= most || most == ANY)) return true;
    parse_fail(p, c->name->place, WG_EARGUMENT, "%s takes %zu argument%s, not %zu", name,
               count < least ? least : most, (count < least ? least : most) == 1 ? "" : "s", count);
    if (usage) parse_hint(p, "%s", usage);
    return false;
}

static bool good_options(struct parser *p, const struct call *c, const struct builtin *b) {
    const char *wrong = NULL;
    if (c->has_axis && !(b->options & (AXIS | AXES))) wrong = "no option axis";
    if (c->axis_count != 1 && c->has_axis && b->options & AXIS) wrong = "one axis";
    if (c->has_keep && !(b->options & KEEP)) wrong = "no option keep";
    if (c->text && !(b->options & TEXT)) wrong = "no text";
    if (!wrong) return true;
    parse_fail(p, c->name->place, WG_EARGUMENT, "%s has %s", b->name, wrong);
    parse_hint(p, "%s", b->usage);
    return false;
}

/* Numbers take the element type of the first operand that has one. */
static value build_three(struct parser *p, unsigned op, const struct term *arg) {
    wg_dtype dtype = WG_F64;
    for (size_t i = 3; i-- > 0;)
        if (arg[i].kind == TERM_VALUE) dtype = (wg_dtype)term_type(p, arg[i].as.v)->dtype;
    value a = term_build(p, arg[0], dtype), b = term_build(p, arg[1], dtype);
    return build_ternary(p->g, op, a, b, term_build(p, arg[2], dtype));
}

/* sin(x), pow(a, b): whatever the table of operations has. */
static struct term call_elementwise(struct parser *p, const struct call *c) {
    unsigned op = operation(c->name->start, c->name->length);
    const struct op_def *def = op_def(op);
    size_t count = (size_t)def->narg;
    if (!good_count(p, c, def->name, NULL, count, count))
        return term_none();
    if (c->has_axis || c->has_keep || c->text) {
        parse_fail(p, c->name->place, WG_EARGUMENT, "%s has no options", def->name);
        return term_none();
    }
    const struct term *arg = p->stack.at + c->first;
    if (count == 3) return term_value(build_three(p, op, arg));
    return count == 1 ? term_unary(p, op, arg[0]) : term_binary(p, op, arg[0], arg[1]);
}

struct term builtin_call(struct parser *p, const struct call *c) {
    const struct builtin *b = find(c->name->start, c->name->length);
    parse_at(p, c->name->place);
    if (!b) return call_elementwise(p, c);
    if (!good_count(p, c, b->name, b->usage, b->least, b->most) || !good_options(p, c, b))
        return term_none();
    size_t count = p->stack.count - c->first;
    return term_value(b->apply(p, c, b, count ? p->stack.at + c->first : NULL, count));
}
