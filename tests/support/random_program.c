#include "support/random_program.h"

#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VARS = 256 };

struct maker {
    wg_graph *g;
    wg_random random;
    wg_extent n;
    bool smooth;
    wg_var var[MAX_VARS];
    int count;
};

static wg_var any(struct maker *m) {
    /* the newest ones twice as often: deep programs, with fan-out */
    uint64_t i = wg_random_below(&m->random, (uint64_t)m->count);
    uint64_t k = wg_random_below(&m->random, (uint64_t)m->count);
    return m->var[i > k ? i : k];
}

static void keep(struct maker *m, wg_var x) {
    if (m->count < MAX_VARS && x.id) m->var[m->count++] = x;
}

static bool same_shape(wg_var a, wg_var b) {
    wg_type s = wg_type_of_var(a), t = wg_type_of_var(b);
    return s.rank == t.rank && memcmp(s.extent, t.extent, s.rank * sizeof *s.extent) == 0;
}

/* b as an operand beside a: itself where the shapes agree or it is a scalar, else its sum. */
static wg_var beside(wg_var a, wg_var b) {
    if (same_shape(a, b)) return b;
    wg_type s = wg_type_of_var(a), t = wg_type_of_var(b);
    if (s.rank == 2 && t.rank == 1 && s.extent[1] == t.extent[0]) return b; /* a row */
    return t.rank == 0
               ? b
               : wg_tanh(wg_mean(wg_concat(0, wg_reshape(b, WG_INFER), wg_reshape(wg_sum(b), 1))));
}

static wg_var unary(struct maker *m, wg_var x) {
    uint64_t kinds = m->smooth ? 10 : 14;
    switch (wg_random_below(&m->random, kinds)) {
    case 0: return wg_sin(x);
    case 1: return wg_tanh(x);
    case 2: return wg_sigmoid(wg_mul(2, x));
    case 3: return wg_sub(wg_exp(wg_mul(0.25, wg_tanh(x))), 1);
    case 4: return wg_softplus(x);
    case 5: return wg_cos(wg_add(x, 0.5));
    case 6: return wg_log(wg_add(wg_square(x), 1.5));
    case 7: return wg_sqrt(wg_add(wg_square(x), 0.5));
    case 8: return wg_div(x, wg_add(2, wg_square(x)));
    case 9: return wg_atan2(x, wg_add(wg_cos(x), 2));
    case 10: return wg_relu(x);
    case 11: return wg_abs(x);
    case 12: return wg_max(x, 0.125);
    default: return wg_where(wg_gt(x, 0.1), wg_sqrt(wg_sub(x, 0.05)), wg_mul(0.3, x));
    }
}

static wg_var binary(struct maker *m, wg_var a, wg_var b) {
    b = beside(a, b);
    switch (wg_random_below(&m->random, m->smooth ? 4 : 5)) {
    case 0: return wg_add(a, b);
    case 1: return wg_sub(b, a);
    case 2: return wg_tanh(wg_mul(a, b));
    case 3: return wg_div(a, wg_add(1.5, wg_square(b)));
    default: return wg_min(a, b);
    }
}

static wg_var reduction(struct maker *m, wg_var x) {
    wg_type t = wg_type_of_var(x);
    int axis = t.rank ? (int)wg_random_below(&m->random, t.rank) : 0;
    if (t.rank == 0) return wg_sin(x);
    switch (wg_random_below(&m->random, m->smooth ? 3 : 4)) {
    case 0: return wg_tanh(wg_sum(x, axis));
    case 1: /* never over nothing: n may be 0 */
        return t.extent[axis] == 3 ? wg_logsumexp(x, axis) : wg_tanh(wg_sum(wg_square(x), axis));
    case 2: return wg_sqrt(wg_add(0.5, wg_square(wg_norm(wg_add(x, 3), axis))));
    default: return t.extent[axis] == 3 ? wg_reduce_max(x, axis) : wg_sin(wg_sum(x, axis));
    }
}

static wg_var movement(struct maker *m, wg_var x) {
    wg_type t = wg_type_of_var(x);
    static const int32_t order[] = {2, 0, 2, 1};
    if (t.rank == 0) return wg_mul(x, 0.5);
    int last = t.rank - 1;
    switch (wg_random_below(&m->random, 5)) {
    case 0: return wg_transpose(x);
    case 1: return wg_reshape(wg_reshape(x, WG_INFER), WG_INFER);
    case 2: return t.extent[last] == 3 ? wg_slice(x, last, 0, 3, 2) : wg_transpose(x);
    case 3:
        if (t.extent[last] != 3) return wg_concat(0, x, x);
        return wg_take(x, wg_constant(m->g, wg_i32(4), order), last);
    default:
        if (t.extent[last] != 3) return wg_sin(x);
        return wg_scatter_add(wg_slice(x, last, 0, 2, 1), wg_constant(m->g, wg_i32(2), order), last,
                              3);
    }
}

static wg_var product(struct maker *m, wg_var a) {
    wg_type t = wg_type_of_var(a);
    for (int tries = 0; tries < 8 && t.rank; tries++) {
        wg_var b = any(m);
        wg_type u = wg_type_of_var(b);
        if (u.rank == 0) continue;
        if (t.extent[t.rank - 1] == u.extent[u.rank > 1 ? u.rank - 2 : 0])
            return wg_tanh(wg_mul(0.5, wg_matmul(a, b)));
    }
    return wg_softplus(a);
}

wg_program *random_program(uint64_t seed, int length, bool smooth, const wg_allocator *allocator,
                           wg_error *error) {
    wg_graph *g = wg_graph_new_with(allocator);
    struct maker m = {.g = g, .random = wg_random_seed(seed), .smooth = smooth};
    m.n = wg_size(g, "n");
    keep(&m, wg_input(g, "a", wg_f64()));
    keep(&m, wg_input(g, "b", wg_f64(m.n)));
    keep(&m, wg_input(g, "c", wg_f64(m.n, 3)));
    keep(&m, wg_input(g, "d", wg_f64(3, 3)));
    while (m.count && m.count < length && m.count < MAX_VARS && !wg_graph_error(g)->status) {
        wg_var x = any(&m);
        switch (wg_random_below(&m.random, 8)) {
        case 0:
        case 1: keep(&m, unary(&m, x)); break;
        case 2:
        case 3:
        case 4: keep(&m, binary(&m, x, any(&m))); break;
        case 5: keep(&m, reduction(&m, x)); break;
        case 6: keep(&m, movement(&m, x)); break;
        default: keep(&m, product(&m, x)); break;
        }
    }
    if (m.count) {
        wg_var y = wg_sum(wg_sin(m.var[0]));
        for (int i = 1; i < m.count; i++) y = wg_add(y, wg_mul(0.25, wg_sum(wg_sin(m.var[i]))));
        wg_output(g, "y", y);
        wg_output(g, "z", m.var[m.count - 1]);
    }
    return wg_build(g, error);
}

/* ---- inputs and runs ------------------------------------------------------------------------- */

static wg_extent extent_at(const wg_program *p, wg_type type, int axis, int64_t n) {
    /* the public face of extents is text; the programs here use n, 2n, n+1, ...: evaluate through
     * it */
    return type.extent[axis] >= 0 ? type.extent[axis] : test_extent(p, type.extent[axis], n);
}

wg_tensor *random_inputs(const wg_program *program, int64_t n, wg_random *random) {
    size_t count = wg_input_count(program);
    wg_tensor *tensor = calloc(count + 1, sizeof *tensor);
    assert_non_null(tensor);
    for (size_t i = 0; i < count; i++) {
        wg_type type = wg_input_type(program, i);
        tensor[i].dtype = (wg_dtype)type.dtype;
        tensor[i].rank = type.rank;
        for (int k = 0; k < type.rank; k++) tensor[i].shape[k] = extent_at(program, type, k, n);
        int64_t elements = wg_tensor_count(&tensor[i]);
        assert_true(elements >= 0);
        tensor[i].data = malloc((size_t)elements * wg_dtype_size(tensor[i].dtype) + 1);
        assert_non_null(tensor[i].data);
        for (int64_t k = 0; k < elements; k++) {
            double x = 2 * wg_random_uniform(random) - 1;
            if (type.dtype == WG_F64) ((double *)tensor[i].data)[k] = x;
            else if (type.dtype == WG_F32) ((float *)tensor[i].data)[k] = (float)x;
            else fail_msg("random_inputs: input %zu is not of a floating type", i);
        }
    }
    return tensor;
}

void free_tensors(wg_tensor *tensor, size_t count) {
    for (size_t i = 0; tensor && i < count; i++) free(tensor[i].data);
    free(tensor);
}

wg_tensor *try_program(const wg_program *program, int64_t n, const wg_tensor *input,
                       wg_error *error) {
    size_t count = wg_output_count(program);
    wg_tensor *output = calloc(count + 1, sizeof *output);
    assert_non_null(output);
    int64_t size[16];
    for (size_t i = 0; i < 16; i++) size[i] = n;
    wg_function *fn = wg_compile(program, NULL, error);
    wg_run(fn, size, input, output, error);
    wg_function_free(fn);
    if (error->status == WG_OK) return output;
    free_tensors(output, count);
    return NULL;
}

wg_tensor *run_program(const wg_program *program, int64_t n, const wg_tensor *input) {
    wg_error error = {0};
    wg_tensor *output = try_program(program, n, input, &error);
    if (error.status) fail_msg("%s", error.message);
    return output;
}

double inner_product(const wg_tensor *a, const wg_tensor *b, double *scale) {
    double sum = 0;
    for (int64_t i = 0; i < wg_tensor_count(a); i++) {
        double term = ((const double *)a->data)[i] * ((const double *)b->data)[i];
        sum += term;
        *scale += fabs(term);
    }
    return sum;
}

bool has_products(const wg_program *program) {
    wg_text text = {0};
    wg_program_print(program, &text, NULL);
    assert_non_null(text.data);
    bool found = strstr(text.data, " = dot ") != NULL;
    wg_text_free(&text);
    return found;
}
