/* Random numbers as values of a program: bits are a pure function of a key and a counter, so that
 * a program gives the same numbers for the same arguments, in any order and in any thread. Uniform
 * and normal numbers are made of them by other operations.
 *
 *   draw_bits   key i64[b...], counter i64[b...] -> i32 or i64 [b..., shape...]
 *
 * For each pair of key and counter the elements in row-major order are the words of the blocks
 * philox(0), philox(1), ...; an i64 is two words, the lower one first. The number of the block is
 * the lower half of Philox's counter and the counter given its upper half: so different counters of
 * one key never share a block, however many elements are drawn. A batch axis is one more axis of
 * keys and counters. */
#include "op/build.h"
#include "op/describe.h"
#include "op/kernel/kernel.h"

/* ---- draw_bits: attr = element type, extents of the shape ----------------------------------- */

static bool draw_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    (void)narg;
    const char *name = op_def(op)->name;
    size_t words = attr_count(&g->t, attr);
    wg_type key = *type_of(&g->t, x[0]);
    if (words == 0) return require_words(g, op, attr, 1);
    int64_t dtype = attr_words(&g->t, attr)[0];
    if (dtype != WG_I32 && dtype != WG_I64) {
        graph_fail(g, WG_EDTYPE, "%s: bits are drawn as i32 or i64", name);
        return false;
    }
    if (key.dtype != WG_I64 || !type_equal(&key, type_of(&g->t, x[1]))) {
        graph_fail(g, WG_ESHAPE, "%s: key %s and counter %s: both must be i64 of one shape", name,
                   type_name(g, x[0]).text, type_name(g, x[1]).text);
        graph_fail_operands(g, x, 2);
        return false;
    }
    if (!require_rank(g, op, key.rank + words - 1)) return false;
    *type = key;
    type->dtype = (uint8_t)dtype;
    for (size_t i = 1; i < words; i++) {
        wg_extent extent = attr_words(&g->t, attr)[i];
        if (!require_extent(g, name, extent)) return false;
        type->extent[type->rank++] = extent;
    }
    return true;
}

static bool draw_word_is_extent(const int64_t *word, size_t count, size_t index) {
    (void)word, (void)count;
    return index > 0;
}

static value draw_batch(const struct batch *b) {
    value key = batch_argument(b, 0), counter = batch_argument(b, 1);
    return graph_emit(b->g, b->op, b->attr, (const value[]){key, counter}, 2);
}

static value draw_words(wg_graph *g, const value *x) {
    return build_draw_bits(g, x[0], x[1], &(wg_type){WG_I32, 2, {3, 5}});
}
static value draw_pairs(wg_graph *g, const value *x) {
    return build_draw_bits(g, x[0], x[1], &(wg_type){WG_I64, 1, {3}});
}
static value draw_nothing(wg_graph *g, const value *x) {
    return build_draw_bits(g, x[0], x[1], &(wg_type){WG_I64, 2, {3, 0}});
}
static const struct op_sample draw_sample[] = {
    {2, {{WG_I64, 0, {0}}, {WG_I64, 0, {0}}}, {0, 0}, {99, 99}, draw_words, "words"},
    {2, {{WG_I64, 2, {2, 2}}, {WG_I64, 2, {2, 2}}}, {0, 0}, {99, 99}, draw_pairs, "by many keys"},
    {2, {{WG_I64, 1, {2}}, {WG_I64, 1, {2}}}, {0, 0}, {99, 99}, draw_nothing, "nothing"},
    {0}};

const struct op_def op_draw_bits = {
    .name = "draw_bits",
    .class = NODIFF,
    .narg = 2,
    .doc = "y = random bits (i32 or i64) of any shape, a function of key and counter alone: "
           "Philox4x32-10. Keys and counters of shape b give b draws. Not differentiable: integers",
    .infer = draw_infer,
    .attr_is_extent = draw_word_is_extent,
    .batch = draw_batch,
    .run = run_draw_bits,
    .sample = draw_sample};

/* ---- builders ------------------------------------------------------------------------------- */

static bool is_integer(wg_graph *g, const char *what, value x) {
    unsigned dtype = type_of(&g->t, x)->dtype;
    if (dtype == WG_I32 || dtype == WG_I64) return true;
    graph_fail(g, WG_EDTYPE, "draw_bits: the %s is %s, not i32 or i64", what, type_name(g, x).text);
    graph_fail_operands(g, &x, 1);
    graph_hint(g, "draws are numbered: convert it with {wg_cast(WG_I64, x)|i64(x)}");
    return false;
}

/* Keys and counters in i64 and, where one is a scalar, in the other's shape. */
static bool pair_up(wg_graph *g, value *key, value *counter) {
    if (!*key || !*counter || g->error.status || !is_integer(g, "key", *key) ||
        !is_integer(g, "counter", *counter))
        return false;
    *key = build_cast(g, WG_I64, *key);
    *counter = build_cast(g, WG_I64, *counter);
    if (!*key || !*counter) return false;
    wg_type shape = *type_of(&g->t, *key);
    if (shape.rank == 0) shape = *type_of(&g->t, *counter);
    if (type_of(&g->t, *key)->rank == 0) *key = build_broadcast_to(g, *key, &shape);
    if (type_of(&g->t, *counter)->rank == 0) *counter = build_broadcast_to(g, *counter, &shape);
    return *key && *counter;
}

value build_draw_bits(wg_graph *g, value key, value counter, const wg_type *type) {
    if (!pair_up(g, &key, &counter)) return 0;
    int64_t word[1 + WG_MAX_RANK] = {type->dtype};
    memcpy(word + 1, type->extent, type->rank * sizeof *word);
    attr_id attr = graph_attr(g, word, 1u + type->rank);
    return graph_emit(g, OP_draw_bits, attr, (const value[]){key, counter}, 2);
}

/* As many bits as a fraction has, which the scaling keeps exact. */
value build_draw_uniform(wg_graph *g, value key, value counter, const wg_type *type) {
    if (!key || !counter || g->error.status) return 0;
    if (!dtype_is_float(type->dtype))
        return graph_fail(g, WG_EDTYPE, "draw_uniform: %s: the numbers are f32 or f64",
                          type_name_of(g, type).text);
    bool wide = type->dtype == WG_F64;
    wg_type of_bits = *type;
    of_bits.dtype = wide ? WG_I64 : WG_I32;
    value bits = build_draw_bits(g, key, counter, &of_bits);
    if (!bits) return 0;
    value mask = build_like(g, bits, wide ? 0x1p53 - 1 : 0x1p24 - 1);
    value whole = build_cast(g, (wg_dtype)type->dtype, build_binary(g, OP_bit_and, bits, mask));
    return whole ? build_mul(g, whole, build_like(g, whole, wide ? 0x1p-53 : 0x1p-24)) : 0;
}

/* sqrt(-2 log(1 - u)) cos(2 pi v), u and v two uniform numbers (Box and Muller, 1958). */
value build_draw_normal(wg_graph *g, value key, value counter, const wg_type *type) {
    if (!key || !counter || g->error.status) return 0;
    wg_type two = *type;
    if (type->rank == WG_MAX_RANK)
        return graph_fail(g, WG_ESHAPE, "draw_normal: %s: at most %d axes are possible",
                          type_name_of(g, type).text, WG_MAX_RANK - 1);
    two = type_prepend(type, 2);
    value both = build_draw_uniform(g, key, counter, &two);
    if (!both) return 0;
    unsigned axis = type_of(&g->t, both)->rank - two.rank;
    value u = build_squeeze(g, build_slice_axis(g, both, axis, 0, 1, 1), (uint32_t)1 << axis);
    value v = build_squeeze(g, build_slice_axis(g, both, axis, 1, 2, 1), (uint32_t)1 << axis);
    if (!u || !v) return 0;
    value log = build_unary(g, OP_log1p, build_neg(g, u));
    value radius = build_unary(g, OP_sqrt, build_mul(g, build_like(g, u, -2), log));
    value turn = build_mul(g, build_like(g, v, 6.283185307179586), v);
    return build_mul(g, radius, build_unary(g, OP_cos, turn));
}
