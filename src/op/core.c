/* Leaves, and the elementwise operations that are not a formula: where, cast, copy. Inputs and
 * constants have no kernel: whoever runs a program gives them their storage. */
#include "op/build.h"
#include "op/describe.h"
#include "op/elementwise.h"

/* ---- attributes ----------------------------------------------------------------------------- */

/* Attributes come from builders, which make them right, and from program texts, which may not. */
static bool bad_attributes(wg_graph *g, unsigned op) {
    graph_fail(g, WG_EARGUMENT, "%s: attributes that it does not have", op_def(op)->name);
    return false;
}

static bool is_dtype(int64_t word) {
    return word >= 0 && word < WG_DTYPE_COUNT;
}

/* ---- leaves --------------------------------------------------------------------------------- */

static bool input_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                        wg_type *type) {
    (void)op, (void)attr, (void)x, (void)narg, (void)type;
    graph_fail(g, WG_EARGUMENT, "input: the type of an input is given, not inferred");
    return false;
}

/* attr = [index among the inputs] */
const struct op_def op_input = {
    .name = "input",
    .class = LEAF,
    .doc = "an input of the program",
    .infer = input_infer,
};

static bool constant_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                           wg_type *type) {
    const int64_t *word = attr_words(&g->t, attr);
    (void)x, (void)narg;
    if (attr_count(&g->t, attr) != 2 || !is_dtype(word[1])) return bad_attributes(g, op);
    size_t bits = 8 * wg_dtype_size((wg_dtype)word[1]);
    uint64_t largest = word[1] == WG_BOOL ? 1 : bits == 64 ? UINT64_MAX : UINT32_MAX;
    if ((uint64_t)word[0] > largest) return bad_attributes(g, op);
    *type = (wg_type){.dtype = (uint8_t)word[1]};
    return true;
}

static value constant_sample(wg_graph *g, const value *arg) {
    (void)arg;
    return build_number(g, WG_F64, 2.5);
}

/* attr = [bits, dtype] */
const struct op_def op_constant = {
    .name = "constant",
    .class = LEAF,
    .doc = "a number",
    .infer = constant_infer,
    .sample = (const struct op_sample[]){{.make = constant_sample}, {0}},
};

static bool data_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    const int64_t *word = attr_words(&g->t, attr);
    size_t count = attr_count(&g->t, attr);
    int64_t elements, size, shape[WG_MAX_RANK];
    (void)x, (void)narg;
    if (count < 3 || word[0] < 0 || word[0] >= (int64_t)g->t.blob.count || !is_dtype(word[1]) ||
        word[2] < 0 || word[2] > WG_MAX_RANK || count != 3 + (size_t)word[2])
        return bad_attributes(g, op);
    *type = wg_type_of((wg_dtype)word[1], (size_t)word[2], word + 3);
    for (size_t i = 0; i < type->rank; i++)
        if (type->extent[i] < 0) return bad_attributes(g, op);
    if (!type_eval(&g->t, type, NULL, shape, &elements) ||
        mul_overflows(elements, (int64_t)wg_dtype_size((wg_dtype)type->dtype), &size) ||
        (uint64_t)size != g->t.blob.at[word[0]].size)
        return bad_attributes(g, op);
    return true;
}

static value data_sample(wg_graph *g, const value *arg) {
    wg_type type = {.dtype = WG_F64, .rank = 1, .extent = {3}};
    (void)arg;
    return graph_blob(g, &type, (const double[]){1, -2, 0.5});
}

/* attr = [index of the blob, dtype, rank, extents...]; the extents are constants */
const struct op_def op_data = {
    .name = "data",
    .class = LEAF,
    .doc = "a constant tensor",
    .infer = data_infer,
    .sample = (const struct op_sample[]){{.make = data_sample}, {0}},
};

static wg_status iota_run(const struct exec *e) {
    int64_t *out = e->out.data, count = e->out.shape->count;
    for (int64_t i = 0; i < count; i++) out[i] = i;
    return WG_OK;
}

static value iota_sample(wg_graph *g, const value *arg) {
    (void)arg;
    return build_iota(g, 4);
}

/* attr = [extent] */
const struct op_def op_iota = {
    .name = "iota",
    .class = LEAF,
    .doc = "0, 1, 2, ...: i64[extent]",
    .infer = infer_one_extent,
    .attr_is_extent = first_is_extent,
    .run = iota_run,
    .sample = (const struct op_sample[]){{.make = iota_sample}, {0}},
};

static bool size_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    (void)x, (void)narg;
    if (!require_words(g, op, attr, 1) ||
        !require_extent(g, op_def(op)->name, attr_words(&g->t, attr)[0]))
        return false;
    *type = (wg_type){.dtype = WG_I64};
    return true;
}

static wg_status size_run(const struct exec *e) {
    int64_t *out = e->out.data;
    *out = exec_extent(e, e->attr[0]);
    return WG_OK;
}

static value size_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    int64_t extent = attr_words(&g->t, attr)[0];
    (void)x, (void)narg;
    return extent >= 0 ? build_extent(g, extent) : 0;
}

static value size_sample(wg_graph *g, const value *arg) {
    (void)arg;
    return build_extent(g, extent_size(g, graph_size(g, "n")));
}

/* attr = [extent] */
const struct op_def op_size = {
    .name = "size",
    .class = LEAF,
    .doc = "the value of an extent: i64",
    .infer = size_infer,
    .attr_is_extent = first_is_extent,
    .identity = size_identity,
    .run = size_run,
    .sample = (const struct op_sample[]){{.make = size_sample}, {0}},
};

/* ---- copy ----------------------------------------------------------------------------------- */

static bool copy_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    (void)op, (void)attr, (void)narg;
    *type = *type_of(&g->t, x[0]);
    return true;
}

static value copy_transpose(const struct rule *r, size_t k, value ct) {
    (void)r, (void)k;
    return ct;
}

const struct op_def op_copy = {
    .name = "copy",
    .class = LINEAR,
    .narg = 1,
    .flags = OP_POINTWISE | OP_ALIAS,
    .linear_mask = 1,
    .doc = "x, kept as a value of its own",
    .infer = copy_infer,
    .transpose = copy_transpose,
    .sample = (const struct op_sample[]){{.narg = 1,
                                          .arg = {{WG_F64, 1, {3}}},
                                          .low = {-2},
                                          .high = {2}},
                                         {0}},
};

/* No tangent goes in, no adjoint comes out. The sample has integers, for which that is so of any
 * operation: differences, to which the table's tests compare, do not know of the stop. */
const struct op_def op_stop_gradient = {
    .name = "stop_gradient",
    .class = NODIFF,
    .narg = 1,
    .flags = OP_POINTWISE,
    .doc = "x; its derivative is zero in every mode and order",
    .infer = copy_infer,
    .sample = (const struct op_sample[]){{.narg = 1,
                                          .arg = {{WG_I64, 1, {3}}},
                                          .low = {-5},
                                          .high = {5}},
                                         {0}},
};

/* ---- where ---------------------------------------------------------------------------------- */

static bool where_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                        wg_type *type) {
    (void)attr;
    *type = *type_of(&g->t, x[2]);
    return pointwise_agree(g, op, x, narg);
}

static value where_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    const struct instr *condition = instr_at(&g->t, x[0]);
    int64_t truth;
    (void)attr, (void)narg;
    if (x[1] == x[2]) return x[1];
    if (value_is_splat(&g->t, x[0], &truth)) return truth ? x[1] : x[2];
    if (condition->op == OP_not)
        return build_where(g, args_of(&g->t, condition)[0], x[2], x[1]);
    return 0;
}

/* Selects, and does not multiply: what the branch not taken sends back is 0 whatever it is. */
static value where_transpose(const struct rule *r, size_t k, value ct) {
    value zero = build_like(r->g, ct, 0);
    return k == 1 ? build_where(r->g, r->x[0], ct, zero) : build_where(r->g, r->x[0], zero, ct);
}

/* condition bool[...], a T[...], b T[...] -> T[...] */
const struct op_def op_where = {
    .name = "where",
    .class = LINEAR,
    .narg = 3,
    .flags = OP_POINTWISE | OP_GUARDS,
    .linear_mask = 6,
    .doc = "a where the condition is true, else b; the one not taken sends 0 to every derivative, "
           "also where its own derivative is infinite or NaN",
    .infer = where_infer,
    .identity = where_identity,
    .transpose = where_transpose,
    .sample = (const struct op_sample[]){{.narg = 3,
                                          .arg = {{WG_BOOL, 1, {12}},
                                                  {WG_F64, 1, {12}},
                                                  {WG_F64, 1, {12}}},
                                          .low = {0, -2, -2},
                                          .high = {1, 2, 2}},
                                         {0}},
};

/* ---- cast ----------------------------------------------------------------------------------- */

static bool cast_infer(wg_graph *g, unsigned op, attr_id attr, const value *x, size_t narg,
                       wg_type *type) {
    (void)narg;
    if (attr_count(&g->t, attr) != 1 || !is_dtype(attr_words(&g->t, attr)[0]))
        return bad_attributes(g, op);
    *type = *type_of(&g->t, x[0]);
    type->dtype = (uint8_t)attr_words(&g->t, attr)[0];
    return true;
}

static value cast_identity(wg_graph *g, attr_id attr, const value *x, size_t narg) {
    (void)narg;
    return type_of(&g->t, x[0])->dtype == attr_words(&g->t, attr)[0] ? x[0] : 0;
}

static value cast_transpose(const struct rule *r, size_t k, value ct) {
    return build_cast(r->g, (wg_dtype)type_of(&r->g->t, r->x[k])->dtype, ct);
}

static value cast_sample(wg_graph *g, const value *arg) {
    return build_cast(g, WG_F64, arg[0]);
}

/* attr = [dtype] */
const struct op_def op_cast = {
    .name = "cast",
    .class = LINEAR,
    .narg = 1,
    .flags = OP_POINTWISE,
    .linear_mask = 1,
    .doc = "x as another element type: to bool, x != 0; from floating numbers to integers, "
           "truncated, at the ends of the range beyond it, 0 for NaN; from i64 to i32, the low 32 "
           "bits",
    .infer = cast_infer,
    .identity = cast_identity,
    .transpose = cast_transpose,
    .sample = (const struct op_sample[]){{.narg = 1,
                                          .arg = {{WG_I32, 1, {3}}},
                                          .low = {-2},
                                          .high = {2},
                                          .make = cast_sample,
                                          .note = "i32 to f64"},
                                         {0}},
};
