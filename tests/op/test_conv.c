/* Convolution and pooling: against a plain sum for every kind of window and element type, both
 * adjoints against it, gradients of a transposed convolution, extents that only the call knows,
 * edge cases of windows, and what errors say. */
#include "op/evaluate.h"
#include "support/failing_allocator.h"

enum { N = 2, C = 4, H = 6, W = 7, O = 6, I = 3, J = 2, ROOM = 4096 };

static double number[ROOM]; /* small whole numbers: sums are exact in every element type */

struct place {
    int64_t n, groups, h, w, p, q;
};

static struct place sizes(const wg_window *v) {
    return (struct place){N, v->groups ? v->groups : 1, H, W,
                          (H + v->low[0] + v->high[0] - (I - 1) * v->dilation[0] - 1) /
                                  v->stride[0] + 1,
                          (W + v->low[1] + v->high[1] - (J - 1) * v->dilation[1] - 1) /
                                  v->stride[1] + 1};
}

/* Visits every term y[..] x[..] k[..] of the form. */
static void each_term(const wg_window *v, void (*visit)(int64_t x, int64_t k, int64_t y, void *),
                      void *context) {
    struct place s = sizes(v);
    int64_t c_each = C / s.groups, o_each = O / s.groups;
    for (int64_t n = 0; n < N; n++)
        for (int64_t o = 0; o < O; o++)
            for (int64_t p = 0; p < s.p; p++)
                for (int64_t q = 0; q < s.q; q++)
                    for (int64_t t = 0; t < c_each * I * J; t++) {
                        int64_t c = t / (I * J), i = t / J % I, j = t % J;
                        int64_t h = p * v->stride[0] + i * v->dilation[0] - v->low[0];
                        int64_t w = q * v->stride[1] + j * v->dilation[1] - v->low[1];
                        if (h < 0 || h >= H || w < 0 || w >= W) continue;
                        visit(((n * C + o / o_each * c_each + c) * H + h) * W + w,
                              o * c_each * I * J + t, ((n * O + o) * s.p + p) * s.q + q, context);
                    }
}

struct sums {
    double y[ROOM], x[ROOM], k[ROOM]; /* output; adjoints for the adjoint `number` of the output */
};

static void add_term(int64_t x, int64_t k, int64_t y, void *context) {
    struct sums *s = context;
    s->y[y] += number[x] * number[k];
    s->x[x] += number[y] * number[k];
    s->k[k] += number[y] * number[x];
}

static const wg_window window[] = {
    {.stride = {1, 1}, .dilation = {1, 1}},
    {.stride = {2, 2}, .dilation = {1, 1}, .low = {1, 1}, .high = {1, 1}},
    {.stride = {1, 1}, .dilation = {2, 2}, .low = {2, 0}, .high = {0, 3}},
    {.stride = {2, 1}, .dilation = {1, 3}, .low = {1, 9}, .high = {2, 4}, .groups = 2},
    {.stride = {5, 3}, .dilation = {1, 2}, .groups = 2},
};
enum { WINDOWS = sizeof window / sizeof *window };

static const void *as_type(wg_dtype dtype, void *room) {
    for (size_t i = 0; i < ROOM; i++) switch (dtype) {
        case WG_F32: ((float *)room)[i] = (float)number[i]; break;
        case WG_I32: ((int32_t *)room)[i] = (int32_t)number[i]; break;
        case WG_I64: ((int64_t *)room)[i] = (int64_t)number[i]; break;
        default: ((double *)room)[i] = number[i];
        }
    return room;
}

static void outputs_are_the_sum(void **state) {
    (void)state;
    static struct sums s;
    static double room[ROOM];
    for (size_t i = 0; i < WINDOWS; i++)
        for (wg_dtype dtype = WG_I32; dtype <= WG_F64; dtype++)
            for (int named = 0; named < 2; named++) {
                struct place at = sizes(&window[i]);
                if (named && (window[i].stride[0] > 1 || window[i].groups > 1)) continue;
                const void *data = as_type(dtype, room);
                struct evaluate e = evaluate_begin();
                wg_var x = evaluate_input(&e, named, dtype, SHAPE(N, C, H, W), data);
                wg_var k = evaluate_input(&e, named, dtype, SHAPE(O, C / at.groups, I, J), data);
                memset(&s, 0, sizeof s);
                each_term(&window[i], add_term, &s);
                evaluate(&e, wg_conv2d(x, k, &window[i]));
                assert_numbers(&e.out, s.y, (size_t)(N * O * at.p * at.q), 0);
                evaluate_end(&e);
            }
}

/* The adjoints of sum(y * number) by both arguments. */
static void adjoints_are_the_sum(void **state) {
    (void)state;
    static struct sums s;
    for (size_t i = 0; i < WINDOWS; i++) {
        struct place at = sizes(&window[i]);
        wg_error error = {0};
        wg_graph *g = wg_graph_new();
        wg_var x = wg_input(g, "x", wg_f64(N, C, H, W));
        wg_var k = wg_input(g, "k", wg_f64(O, C / at.groups, I, J));
        wg_var y = wg_constant(g, wg_f64(N, O, at.p, at.q), number);
        wg_output(g, "L", wg_sum(wg_mul(wg_conv2d(x, k, &window[i]), y)));
        wg_program *p = wg_build(g, &error), *d = wg_grad(p, "x, k", &error);
        wg_function *fn = wg_compile(d, NULL, &error);
        wg_tensor in[2] = {{number, WG_F64, 4, {N, C, H, W}},
                           {number, WG_F64, 4, {O, C / at.groups, I, J}}}, out[2] = {{0}};
        wg_run(fn, NULL, in, out, &error);
        assert_ok(error);
        memset(&s, 0, sizeof s);
        each_term(&window[i], add_term, &s);
        assert_numbers(&out[0], s.x, N * C * H * W, 0);
        assert_numbers(&out[1], s.k, (size_t)(O * C / at.groups * I * J), 0);
        for (int r = 0; r < 2; r++) wg_tensor_free(&out[r], NULL);
        wg_function_free(fn);
        wg_program_free(d);
        wg_program_free(p);
    }
}

#define IS(y, ...)                                                                                 \
    evaluate(&e, y);                                                                               \
    ASSERT_VALUES(&e.out, __VA_ARGS__);                                                            \
    evaluate_end(&e);                                                                              \
    e = evaluate_begin()
#define TENSOR(a, b, c, d, ...)                                                                    \
    evaluate_input(&e, false, WG_F64, SHAPE(a, b, c, d), (const double[]){__VA_ARGS__})

static void transposes_spread_the_kernel(void **state) {
    (void)state;
    struct evaluate e = evaluate_begin();
    wg_window two = {.stride = {1, 2}};
    IS(wg_conv_transpose2d(TENSOR(1, 1, 1, 2, 1, 10), TENSOR(1, 1, 1, 2, 3, 4), &two), 3, 4, 30,
       40);
    two.high[1] = -1; /* the column that a stride of 2 left behind */
    IS(wg_conv_transpose2d(TENSOR(1, 1, 1, 2, 1, 10), TENSOR(1, 1, 1, 2, 3, 4), &two), 3, 4, 30, 40,
       0);
    two = (wg_window){.low = {0, 1}, .groups = 2};
    IS(wg_conv_transpose2d(TENSOR(1, 2, 1, 2, 1, 10, 5, 6), TENSOR(2, 1, 1, 2, 3, 4, 1, 2), &two),
       34, 40, 16, 12);
    wg_graph_free(e.g);
}

static void windows_have_a_largest_and_a_mean(void **state) {
    (void)state;
    const int64_t size[2] = {2, 2};
    const wg_window beside = {.stride = {1, 1}, .low = {1, 0}, .high = {0, 1}};
    struct evaluate e = evaluate_begin();
    IS(wg_max_pool2d(TENSOR(1, 1, 2, 4, 1, 2, 3, 4, 5, 6, 7, -8), size, NULL), 6, 7);
    IS(wg_avg_pool2d(TENSOR(1, 2, 2, 2, 1, 2, 3, 6, 4, 4, 4, 4), size, NULL), 3, 4);
    IS(wg_max_pool2d(TENSOR(1, 1, 1, 2, -1, -2), size, &beside), -1, -2);
    IS(wg_avg_pool2d(TENSOR(1, 1, 1, 2, -1, -2), size, &beside), -0.75, -0.5);
    wg_var x = TENSOR(1, 1, 2, 2, 1, 3, 3, 2);
    IS(wg_max_pool2d(x, size, NULL), 3);
    wg_graph_free(e.g);
}

static void ties_share(void **state) {
    (void)state;
    wg_error error = {0};
    double data[4] = {1, 3, 3, 2};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(1, 1, 2, 2));
    wg_output(g, "L", wg_sum(wg_max_pool2d(x, ((int64_t[]){2, 2}), NULL)));
    wg_program *p = wg_build(g, &error), *d = wg_grad(p, "x", &error);
    wg_function *fn = wg_compile(d, NULL, &error);
    wg_tensor in = {data, WG_F64, 4, {1, 1, 2, 2}}, out = {0};
    wg_run(fn, NULL, &in, &out, &error);
    assert_ok(error);
    ASSERT_VALUES(&out, 0, 0.5, 0.5, 0);
    wg_tensor_free(&out, NULL);
    wg_function_free(fn);
    wg_program_free(d);
    wg_program_free(p);
}

#define FAILS(y, text)                                                                             \
    do {                                                                                           \
        struct evaluate e = evaluate_begin();                                                      \
        wg_error error = {0};                                                                      \
        wg_output(e.g, "y", y);                                                                    \
        assert_null(wg_build(e.g, &error));                                                        \
        if (!strstr(error.message, text)) fail_msg("%s", error.message);                           \
    } while (0)

static void errors_say_what_does_not_fit(void **state) {
    (void)state;
    const wg_window three = {.groups = 3}, bad = {.stride = {-1, 1}};
    FAILS(wg_conv2d(TENSOR(1, 1, 2, 2, 0), TENSOR(1, 1, 3, 1, 0), NULL),
          "conv2d: a window over 3 elements does not fit into 2");
    FAILS(wg_conv2d(TENSOR(1, 2, 2, 2, 0), TENSOR(1, 1, 1, 1, 0), NULL),
          "conv2d: the image f64[1,2,2,2] and the kernel f64[1,1,1,1] do not fit in 1 group");
    FAILS(wg_conv2d(TENSOR(1, 3, 2, 2, 0), TENSOR(2, 1, 1, 1, 0), &three),
          "conv2d: 3 groups do not divide the 2 channels");
    FAILS(wg_conv2d(TENSOR(1, 1, 2, 2, 0), TENSOR(1, 1, 1, 1, 0), &bad), "conv2d: strides");
    FAILS(wg_conv1d(TENSOR(1, 1, 2, 2, 0), TENSOR(1, 1, 1, 1, 0), NULL), "not the three axes");
    FAILS(wg_max_pool2d(TENSOR(1, 1, 2, 2, 0), ((int64_t[]){0, 1}), NULL), "max_pool2d: the two");
}

static wg_status build(const wg_allocator *allocator, void *context) {
    wg_error error = {0};
    (void)context;
    wg_graph *g = wg_graph_new_with(allocator);
    if (!g) return WG_ENOMEM;
    wg_var x = wg_input(g, "x", wg_f64(wg_size(g, "n"), C, H, W));
    wg_var k = wg_input(g, "k", wg_f64(O, C / 2, I, J));
    wg_var y = wg_max_pool2d(wg_conv2d(x, k, &window[3]), ((int64_t[]){2, 2}), &window[1]);
    wg_output(g, "L", wg_sum(wg_avg_pool2d(y, ((int64_t[]){2, 1}), NULL)));
    wg_program *p = wg_build(g, &error);
    wg_program_free(wg_grad(p, "x, k", &error));
    wg_program_free(wg_vmap(p, "k", "batch", &error));
    wg_program_free(p);
    return error.status;
}

static void survives_failed_allocations(void **state) {
    (void)state;
    assert_true(fail_every_request(build, NULL) > 10);
}

int main(void) {
    for (size_t i = 0; i < ROOM; i++) number[i] = (double)(i * 7 % 11) - 5;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_the_sum),
        cmocka_unit_test(adjoints_are_the_sum),
        cmocka_unit_test(transposes_spread_the_kernel),
        cmocka_unit_test(windows_have_a_largest_and_a_mean),
        cmocka_unit_test(ties_share),
        cmocka_unit_test(errors_say_what_does_not_fit),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
