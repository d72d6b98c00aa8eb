#include "support/op_values.h"

#include "op/build.h"
#include "support/reference.h"
#include "support/test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { ARGUMENTS = 3 };

static wg_dtype first_kind(const struct op_sample *s) {
    for (size_t i = 0; i < s->narg; i++)
        if (s->arg[i].dtype == WG_F64) return WG_F64;
    return s->narg ? (wg_dtype)s->arg[s->narg > 2].dtype : WG_F64; /* where: behind the condition */
}

static bool is_index(const struct op_sample *s, size_t i) {
    return first_kind(s) == WG_F64 && (s->arg[i].dtype == WG_I32 || s->arg[i].dtype == WG_I64);
}

static wg_type type_with(const struct op_sample *s, size_t i, struct op_typing t) {
    wg_type type = s->arg[i];
    if (type.dtype == first_kind(s)) type.dtype = (uint8_t)t.first;
    else if (is_index(s, i)) type.dtype = (uint8_t)t.index;
    return type;
}

/* NULL where the operation does not take these types. */
static wg_program *typed_program(unsigned op, const struct op_sample *s, struct op_typing t) {
    static const char *const name[ARGUMENTS] = {"x0", "x1", "x2"};
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    value arg[ARGUMENTS] = {0};
    for (size_t i = 0; i < s->narg; i++) {
        wg_type type = type_with(s, i, t);
        arg[i] = graph_input(g, name[i], &type);
    }
    value y = op == OP_cast ? build_cast(g, t.result, arg[0])
              : s->make     ? s->make(g, arg)
                            : graph_emit(g, op, 0, arg, s->narg);
    graph_output(g, "y", y);
    wg_program *p = wg_build(g, &error);
    if (!p && error.status != WG_EDTYPE && error.status != WG_ESHAPE)
        fail_msg("%s of %s: %s", op_def(op)->name, wg_dtype_name(t.first), error.message);
    return p;
}

static int64_t draw_integer(const struct op_sample *s, size_t i, bool all_bits, wg_random *random) {
    if (all_bits) return (int64_t)wg_random_bits(random);
    double width = s->high[i] - s->low[i] + 1;
    return (int64_t)floor(s->low[i] + width * wg_random_uniform(random));
}

wg_tensor op_draw(const struct op_sample *s, size_t i, struct op_typing t, bool all_bits,
                  wg_random *random) {
    wg_type type = type_with(s, i, t);
    wg_tensor x = {.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    for (int k = 0; k < type.rank; k++) x.shape[k] = type.extent[k];
    int64_t count = wg_tensor_count(&x);
    x.data = calloc((size_t)count + 1, 8);
    assert_non_null(x.data);
    all_bits = all_bits && !is_index(s, i);
    for (int64_t k = 0; k < count; k++) {
        double number = s->low[i] + (s->high[i] - s->low[i]) * wg_random_uniform(random);
        switch (x.dtype) {
        case WG_BOOL: ((uint8_t *)x.data)[k] = wg_random_uniform(random) < 0.5; break;
        case WG_I32:
            ((int32_t *)x.data)[k] = (int32_t)(uint32_t)draw_integer(s, i, all_bits, random);
            break;
        case WG_I64: ((int64_t *)x.data)[k] = draw_integer(s, i, all_bits, random); break;
        case WG_F32: ((float *)x.data)[k] = (float)number; break;
        case WG_F64: ((double *)x.data)[k] = number; break;
        }
    }
    return x;
}

static double difference(const wg_tensor *y, const struct array *reference, int64_t k) {
    struct number r = reference->at[k];
    switch (y->dtype) {
    case WG_BOOL: return ((const uint8_t *)y->data)[k] != r.i ? INFINITY : 0.0;
    case WG_I32: return ((const int32_t *)y->data)[k] != r.i ? INFINITY : 0.0;
    case WG_I64: return ((const int64_t *)y->data)[k] != r.i ? INFINITY : 0.0;
    default: break;
    }
    bool single = y->dtype == WG_F32;
    long double x = single ? (long double)((const float *)y->data)[k]
                           : (long double)((const double *)y->data)[k];
    if (x == r.f || (isnan(x) && isnan(r.f))) return 0;
    long double error = fabsl(x - r.f) / fmaxl(1, fabsl(r.f));
    return isfinite(error) ? (double)(error / (long double)(single ? FLT_EPSILON : DBL_EPSILON))
                           : INFINITY;
}

/* Takes note of the program's error at a point; false where it has no value there. */
static bool compare(const wg_program *p, const wg_tensor *x, struct op_values *v) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, NULL, &error);
    wg_tensor y = {0};
    const int64_t size[] = {3}; /* of what the sample may name */
    struct array reference = {0};
    unsigned missing = 0;
    wg_run(fn, size, x, &y, &error);
    wg_function_free(fn);
    if (error.status == WG_EARGUMENT) return false; /* the largest integer of none */
    assert_ok(error);
    if (!reference_run(p, size, x, &reference, &missing))
        fail_msg("%s of %s has no reference", op_def(missing)->name,
                 wg_dtype_name(wg_input_count(p) ? x[0].dtype : y.dtype));
    assert_int_equal(reference.count, wg_tensor_count(&y));
    v->given[y.dtype] = true;
    for (int64_t k = 0; k < reference.count; k++)
        v->error[y.dtype] = fmax(v->error[y.dtype], difference(&y, &reference, k));
    free(reference.at);
    wg_tensor_free(&y, NULL);
    return true;
}

void op_each_typing(unsigned op, const struct op_sample *sample, op_typed_visit *visit, void *ctx) {
    for (wg_dtype first = WG_BOOL; first <= WG_F64; first++)
        for (wg_dtype index = WG_I32; index <= WG_I64; index++)
            for (wg_dtype result = WG_BOOL; result <= WG_F64; result++) {
                struct op_typing t = {first, index, result};
                bool again = (op != OP_cast && result > WG_BOOL) ||
                             (sample->narg == 0 && first < WG_F64);
                wg_program *p = again ? NULL : typed_program(op, sample, t);
                if (p) visit(sample, t, p, ctx);
                wg_program_free(p);
            }
}

struct values_of_seed {
    struct op_values values;
    wg_random random;
    bool all_bits;
};

static void take_values(const struct op_sample *sample, struct op_typing t, const wg_program *p,
                        void *ctx) {
    struct values_of_seed *v = ctx;
    wg_tensor x[ARGUMENTS] = {{0}};
    for (size_t i = 0; i < sample->narg; i++)
        x[i] = op_draw(sample, i, t, v->all_bits, &v->random);
    v->values.accepted[t.first] |= compare(p, x, &v->values);
    for (size_t i = 0; i < sample->narg; i++) free(x[i].data);
}

struct op_values op_values(unsigned op, const struct op_sample *sample, uint64_t seed) {
    struct values_of_seed v = {.random = wg_random_seed(seed), .all_bits = seed % 2 == 0};
    op_each_typing(op, sample, take_values, &v);
    return v.values;
}
