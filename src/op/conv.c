/* Convolution over two axes of space, as neural networks have it: the kernel is not turned around.
 * It is one trilinear form of an image x[n,g,c,h,w], a kernel k[g,o,c,i,j] and an output
 * y[n,g,o,p,q], with a group axis g of its own,
 *
 *   sum over all of y[n,g,o,p,q] k[g,o,c,i,j] x[n,g,c, p*stride + i*dilation - low, likewise of q]
 *
 * where what lies outside the image is 0. attr says which of the three is the result, and the words
 * of conv.h; the arguments are the other two, in this order, and the result is the derivative of
 * the form by it: the output for the convolution, the image for its transpose. So the form is
 * closed under differentiation: every adjoint is the same form with another result; below a `where`
 * with absolute-zero products. Padding behind the image is said by the extents of the output. */
#include "op/conv.h"
#include "op/build.h"
#include "op/describe.h"
#include "op/kernel/kernel.h"
#include "op/reach.h"

/* The dimensions that two or three of the tensors share, and their axes in each; -1: none. */
enum { IMAGES, GROUPS, CHANNELS, OWN, DIMENSIONS };
static const int8_t axis_of[3][DIMENSIONS] = {
    [IMAGE] = {0, 1, 2, -1}, [KERNEL] = {-1, 0, 2, 1}, [OUTPUT] = {0, 1, -1, 2}};

static enum conv_tensor result_of(const struct trace *t, attr_id attr) {
    return (enum conv_tensor)attr_words(t, attr)[CONV_RESULT];
}

/* Which tensor argument k is. */
static enum conv_tensor argument(enum conv_tensor result, size_t k) {
    return (enum conv_tensor)(k + (k >= (size_t)result));
}

static bool good_words(wg_graph *g, unsigned op, attr_id attr) {
    if (!require_words(g, op, attr, CONV_WORDS)) return false;
    const int64_t *word = attr_words(&g->t, attr);
    bool good = word[CONV_RESULT] >= IMAGE && word[CONV_RESULT] <= OUTPUT &&
                word[CONV_ABSOLUTE] >= 0 && word[CONV_ABSOLUTE] <= 1;
    for (size_t i = 0; i < 2; i++) {
        good = good && word[CONV_STRIDE + i] >= 1 && word[CONV_STRIDE + i] <= INT32_MAX &&
               word[CONV_DILATION + i] >= 1 && word[CONV_DILATION + i] <= INT32_MAX &&
               word[CONV_LOW + i] >= -INT32_MAX && word[CONV_LOW + i] <= INT32_MAX;
        if (good && !require_extent(g, "conv", word[CONV_EXTENT + i])) return false;
    }
    if (good) return true;
    graph_fail(g, WG_EARGUMENT, "conv: strides and dilations are 1 to 2^31-1, and paddings less");
    return false;
}

static bool conv_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    (void)narg;
    wg_type a = *type_of(&g->t, x[0]), b = *type_of(&g->t, x[1]);
    if (!good_words(g, op, attr) || !require_numbers(g, "conv", x[0])) return false;
    enum conv_tensor result = result_of(&g->t, attr), left = argument(result, 0),
                     right = argument(result, 1);
    bool good = a.dtype == b.dtype && a.rank == 5 && b.rank == 5;
    *type = (wg_type){.dtype = a.dtype, .rank = 5};
    for (size_t d = 0; d < DIMENSIONS; d++) {
        int in_a = axis_of[left][d], in_b = axis_of[right][d], in_y = axis_of[result][d];
        if (in_a >= 0 && in_b >= 0) good = good && a.extent[in_a] == b.extent[in_b];
        if (in_y >= 0) type->extent[in_y] = in_a >= 0 ? a.extent[in_a] : b.extent[in_b];
    }
    for (size_t i = 0; i < 2; i++)
        type->extent[3 + i] = attr_words(&g->t, attr)[CONV_EXTENT + i];
    if (good) return true;
    graph_fail(g, a.dtype == b.dtype ? WG_ESHAPE : WG_EDTYPE,
               "conv: %s and %s do not fit as two of image [n,g,c,h,w], kernel [g,o,c,i,j] and "
               "output [n,g,o,p,q]",
               type_name(g, x[0]).text, type_name(g, x[1]).text);
    graph_fail_operands(g, x, 2);
    return false;
}

static bool word_is_extent(const int64_t *word, size_t count, size_t index) {
    (void)word;
    (void)count;
    return index >= CONV_EXTENT && index < CONV_ABSOLUTE;
}

value build_conv(wg_graph *g, const int64_t *word, value a, value b) {
    if (!a || !b || g->error.status) return 0;
    return graph_emit(g, OP_conv, graph_attr(g, word, CONV_WORDS), (const value[]){a, b}, 2);
}

/* The same form with argument k for its result. */
static value conv_transpose(const struct rule *r, size_t k, value ct) {
    const struct trace *t = &r->g->t;
    enum conv_tensor result = result_of(t, r->attr), wanted = argument(result, k);
    value tensor[3];
    tensor[argument(result, 0)] = r->x[0];
    tensor[argument(result, 1)] = r->x[1];
    tensor[result] = ct;
    int64_t word[CONV_WORDS];
    memcpy(word, attr_words(t, r->attr), sizeof word);
    word[CONV_RESULT] = wanted;
    word[CONV_ABSOLUTE] |= r->guarded;
    for (size_t i = 0; i < 2; i++) word[CONV_EXTENT + i] = type_of(t, r->x[k])->extent[3 + i];
    return build_conv(r->g, word, tensor[argument(wanted, 0)], tensor[argument(wanted, 1)]);
}

/* ---- batching -------------------------------------------------------------------------------- */

/* The leading axis becomes a part of this one: [b, .., n, ..] -> [.., b*n, ..]. */
static value join_axis(wg_graph *g, value x, unsigned axis) {
    if (!x || g->error.status) return 0;
    uint8_t perm[WG_MAX_RANK];
    wg_type type = *type_of(&g->t, x), joined = {.rank = (uint8_t)(type.rank - 1)};
    for (unsigned i = 0; i < type.rank; i++)
        perm[i] = (uint8_t)(i < axis ? i + 1 : i == axis ? 0 : i);
    for (unsigned i = 0; i < joined.rank; i++) joined.extent[i] = type.extent[i + 1];
    joined.extent[axis] = extent_mul(g, type.extent[0], joined.extent[axis]);
    return g->error.status ? 0 : build_reshape(g, build_transpose(g, x, perm), &joined);
}

/* The way back, to a leading axis b and the type `from`. */
static value split_axis(wg_graph *g, value y, unsigned axis, wg_extent extent,
                        const wg_type *from) {
    uint8_t perm[WG_MAX_RANK];
    wg_type split = *from;
    split.rank++;
    for (unsigned i = axis; i < from->rank; i++) split.extent[i + 1] = from->extent[i];
    split.extent[axis] = extent;
    for (unsigned i = 0; i < split.rank; i++)
        perm[i] = (uint8_t)(i == 0 ? axis : i <= axis ? i - 1 : i);
    value parts = build_reshape(g, y, &split);
    return parts ? build_transpose(g, parts, perm) : 0;
}

/* One batched argument and the result share a dimension that the other argument lacks: examples are
 * more of that, and the other argument is not repeated. Two batched arguments: more groups. */
static value conv_batch(const struct batch *b) {
    enum conv_tensor result = result_of(&b->g->t, b->attr);
    size_t k = b->batched[0] ? 0 : 1, shared = GROUPS;
    for (size_t d = 0; d < DIMENSIONS && !(b->batched[0] && b->batched[1]); d++)
        if (axis_of[result][d] >= 0 && axis_of[argument(result, 1 - k)][d] < 0) shared = d;
    value x[2] = {b->x[0], b->x[1]};
    for (size_t i = 0; i < 2; i++)
        if (b->batched[i])
            x[i] = join_axis(b->g, x[i], (unsigned)axis_of[argument(result, i)][shared]);
    int64_t word[CONV_WORDS];
    memcpy(word, attr_words(&b->g->t, b->attr), sizeof word);
    return split_axis(b->g, build_conv(b->g, word, x[0], x[1]),
                      (unsigned)axis_of[result][shared], b->extent, b->from);
}

/* ---- reach ----------------------------------------------------------------------------------- */

/* The places along one axis of space of the three tensors that belong together, given that of the
 * result, and `along` of the kernel, or of the output where the kernel is the result. False:
 * none. */
static bool together(const int64_t *word, size_t space, enum conv_tensor result,
                     const int64_t extent[3], int64_t at, int64_t along, int64_t place[3]) {
    int64_t stride = word[CONV_STRIDE + space], dilation = word[CONV_DILATION + space];
    int64_t low = word[CONV_LOW + space];
    place[result] = at;
    place[result == KERNEL ? OUTPUT : KERNEL] = along;
    if (result == IMAGE) {
        int64_t shifted = at + low - along * dilation;
        if (shifted < 0 || shifted % stride) return false;
        place[OUTPUT] = shifted / stride;
        return place[OUTPUT] < extent[OUTPUT];
    }
    place[IMAGE] = place[OUTPUT] * stride + place[KERNEL] * dilation - low;
    return place[IMAGE] >= 0 && place[IMAGE] < extent[IMAGE];
}

/* One element of the result, at `at`: all pairs of elements that it is a sum of products of. */
static set_id terms_reach(const struct reach *r, enum conv_tensor result,
                          const struct shape *const shape[3], const int64_t *at) {
    const int64_t *word = r->exec.attr;
    enum conv_tensor along = result == KERNEL ? OUTPUT : KERNEL;
    size_t summed = 0; /* the dimension that the result lacks */
    while (axis_of[result][summed] >= 0) summed++;
    int64_t summands = 0, dimension[DIMENSIONS];
    for (size_t d = 0; d < DIMENSIONS; d++) {
        dimension[d] = axis_of[result][d] >= 0 ? at[axis_of[result][d]] : 0;
        for (size_t k = 0; d == summed && k < 3; k++)
            if (axis_of[k][d] >= 0) summands = shape[k]->extent[axis_of[k][d]];
    }
    int64_t place[2][3], extent[2][3];
    for (size_t s = 0; s < 2; s++)
        for (size_t k = 0; k < 3; k++) extent[s][k] = shape[k]->extent[3 + s];
    sets_begin(r->sets);
    for (int64_t u = 0; u < extent[0][along]; u++) {
        if (!together(word, 0, result, extent[0], at[3], u, place[0])) continue;
        for (int64_t v = 0; v < extent[1][along]; v++) {
            if (!together(word, 1, result, extent[1], at[4], v, place[1])) continue;
            for (dimension[summed] = 0; dimension[summed] < summands; dimension[summed]++)
                for (size_t k = 0; k < 2; k++) {
                    enum conv_tensor tensor = argument(result, k);
                    int64_t index[5] = {0, 0, 0, place[0][tensor], place[1][tensor]}, offset = 0;
                    for (size_t d = 0; d < DIMENSIONS; d++)
                        if (axis_of[tensor][d] >= 0) index[axis_of[tensor][d]] = dimension[d];
                    for (size_t i = 0; i < 5; i++)
                        offset = offset * shape[tensor]->extent[i] + index[i];
                    sets_add(r->sets, reached_at(&r->x[k], offset));
                }
        }
    }
    return sets_end(r->sets);
}

static bool conv_reach(const struct reach *r) {
    enum conv_tensor result = (enum conv_tensor)r->exec.attr[CONV_RESULT];
    const struct shape *shape[3], *out = r->exec.out.shape;
    shape[result] = out;
    for (size_t k = 0; k < 2; k++) shape[argument(result, k)] = r->exec.arg[k].shape;
    if (!reach_open(r)) return false;
    for (int64_t y = 0; y < out->count; y++) {
        int64_t at[5], rest = y;
        for (size_t i = 5; i-- > 0; rest /= out->extent[i]) at[i] = rest % out->extent[i];
        r->y->set[y] = terms_reach(r, result, shape, at);
    }
    return true;
}

/* ---- samples: stride, dilation, low, extent -------------------------------------------------- */

static value sample_plain(wg_graph *g, const value *x) {
    return build_conv(g, (const int64_t[]){OUTPUT, 1, 1, 1, 1, 0, 0, 2, 3, 0}, x[0], x[1]);
}
static value sample_padded(wg_graph *g, const value *x) {
    return build_conv(g, (const int64_t[]){OUTPUT, 2, 1, 1, 2, 1, 2, 3, 4, 0}, x[0], x[1]);
}
static value sample_kernel(wg_graph *g, const value *x) {
    return build_conv(g, (const int64_t[]){KERNEL, 2, 1, 1, 2, 1, 0, 2, 2, 0}, x[0], x[1]);
}
static value sample_image(wg_graph *g, const value *x) {
    return build_conv(g, (const int64_t[]){IMAGE, 2, 2, 1, 2, 1, 1, 4, 5, 0}, x[0], x[1]);
}
static value sample_absolute(wg_graph *g, const value *x) {
    return build_conv(g, (const int64_t[]){OUTPUT, 1, 1, 1, 1, 1, 0, 3, 3, true}, x[0], x[1]);
}
static const struct op_sample conv_sample[] = {
    {2, {{WG_F64, 5, {2, 1, 2, 3, 4}}, {WG_F64, 5, {1, 2, 2, 2, 2}}}, {-2, -2}, {2, 2},
     sample_plain, "two images"},
    {2, {{WG_F64, 5, {1, 2, 1, 4, 3}}, {WG_F64, 5, {2, 2, 1, 2, 2}}}, {-2, -2}, {2, 2},
     sample_padded, "two groups, stride 2, dilation 2, zeros around"},
    {2, {{WG_F64, 5, {2, 2, 1, 3, 4}}, {WG_F64, 5, {2, 2, 1, 2, 2}}}, {-2, -2}, {2, 2},
     sample_kernel, "the adjoint of the kernel"},
    {2, {{WG_F64, 5, {1, 2, 2, 2, 2}}, {WG_F64, 5, {2, 1, 2, 2, 3}}}, {-2, -2}, {2, 2},
     sample_image, "the transposed convolution"},
    {2, {{WG_F64, 5, {2, 1, 2, 3, 4}}, {WG_F64, 5, {1, 2, 2, 2, 2}}}, {-2, -2}, {2, 2},
     sample_absolute, "absolute-zero products"},
    {2, {{WG_F64, 5, {1, 1, 0, 3, 4}}, {WG_F64, 5, {1, 1, 0, 2, 2}}}, {-2, -2}, {2, 2},
     sample_plain, "no channels"},
    {0}};

const struct op_def op_conv = {
    .name = "conv",
    .class = MULTILINEAR,
    .narg = 2,
    .linear_mask = 3,
    .absolute_word = CONV_ABSOLUTE,
    .doc = "y[n,g,o,p] = sum over c, i of x[n,g,c, p*stride + i*dilation - low] * k[g,o,c,i], p "
           "and i over two axes; 0 outside x. Also its adjoints, x of k and y, k of x and y. In "
           "adjoints below a where a term with a factor 0 is 0, also if the other is infinite or "
           "NaN. Integers wrap around",
    .infer = conv_infer,
    .attr_is_extent = word_is_extent,
    .transpose = conv_transpose,
    .batch = conv_batch,
    .reach = conv_reach,
    .run = run_conv,
    .sample = conv_sample};
