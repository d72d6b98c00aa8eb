/* The convolution kernels for wide processors, each that this one can run, against a plain sum: on
 * images that need one block and many, lines longer than a block, more channels than a block, odd
 * numbers of own channels, and every kind of window; and what they leave to others. */
#if defined(__x86_64__)
#define WG_WIDE 1
#endif
#include "op/kernel/conv_form.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct conv forms[] = {
    {.images = 2,
     .groups = 1,
     .channels = 3,
     .own = 7,
     .x = {9, 11},
     .k = {3, 3},
     .stride = {1, 1},
     .dilation = {1, 1},
     .low = {1, 1},
     .y = {9, 11}},
    {.images = 1,
     .groups = 2,
     .channels = 1,
     .own = 1,
     .x = {300, 170},
     .k = {3, 5},
     .stride = {1, 1},
     .dilation = {1, 1},
     .low = {0, 2},
     .y = {298, 170}},
    {.images = 1,
     .groups = 1,
     .channels = 2,
     .own = 3,
     .x = {1, 20000},
     .k = {1, 7},
     .stride = {1, 1},
     .dilation = {1, 2},
     .low = {0, 3},
     .y = {1, 19991}},
    {.images = 3,
     .groups = 1,
     .channels = 100,
     .own = 37,
     .x = {5, 6},
     .k = {2, 3},
     .stride = {1, 1},
     .dilation = {2, 1},
     .low = {0, 0},
     .y = {3, 4}},
    {.images = 2,
     .groups = 2,
     .channels = 5,
     .own = 9,
     .x = {30, 31},
     .k = {3, 2},
     .stride = {2, 3},
     .dilation = {1, 2},
     .low = {1, 0},
     .y = {15, 10}},
    {.images = 1,
     .groups = 1,
     .channels = 4,
     .own = 8,
     .x = {8, 8},
     .k = {1, 1},
     .stride = {3, 1},
     .dilation = {1, 1},
     .low = {-1, -2},
     .y = {3, 8}},
    {.images = 1,
     .groups = 1,
     .channels = 2,
     .own = 2,
     .x = {40, 40},
     .k = {21, 17},
     .stride = {1, 1},
     .dilation = {1, 1},
     .low = {10, 8},
     .y = {40, 40}},
};
enum { FORMS = sizeof forms / sizeof *forms };

struct kernel {
    const char *name;
    conv_kernel *run;
    bool f32;
};

static size_t kernels_here(struct kernel *kernel) {
    size_t count = 0;
#ifdef WG_WIDE
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        kernel[count++] = (struct kernel){"avx2, f64", conv_avx2_f64, false};
        kernel[count++] = (struct kernel){"avx2, f32", conv_avx2_f32, true};
    }
    if (__builtin_cpu_supports("avx512f")) {
        kernel[count++] = (struct kernel){"avx512, f64", conv_avx512_f64, false};
        kernel[count++] = (struct kernel){"avx512, f32", conv_avx512_f32, true};
    }
#endif
    (void)kernel;
    return count;
}

static void count_elements(const struct conv *v, size_t *count) {
    int64_t all = v->images * v->groups;
    count[IMAGE] = (size_t)(all * v->channels * v->x[0] * v->x[1]);
    count[KERNEL] = (size_t)(v->groups * v->own * v->channels * v->k[0] * v->k[1]);
    count[OUTPUT] = (size_t)(all * v->own * v->y[0] * v->y[1]);
}

/* result += the products of the other two, for every term of the form. */
static void plain(const struct conv *v, double *const *tensor) {
    int64_t y = 0;
    for (int64_t at = 0; at < v->images * v->groups; at++)
        for (int64_t o = 0; o < v->own; o++)
            for (int64_t p = 0; p < v->y[0]; p++)
                for (int64_t q = 0; q < v->y[1]; q++, y++)
                    for (int64_t d = 0; d < v->channels * v->k[0] * v->k[1]; d++) {
                        int64_t c = d / (v->k[0] * v->k[1]), j = d % v->k[1];
                        int64_t i = d / v->k[1] % v->k[0];
                        int64_t h = p * v->stride[0] + i * v->dilation[0] - v->low[0];
                        int64_t w = q * v->stride[1] + j * v->dilation[1] - v->low[1];
                        if (h < 0 || h >= v->x[0] || w < 0 || w >= v->x[1]) continue;
                        int64_t place[3] = {
                            [IMAGE] = ((at * v->channels + c) * v->x[0] + h) * v->x[1] + w,
                            [KERNEL] = (at % v->groups * v->own + o) * v->depth + d,
                            [OUTPUT] = y};
                        enum conv_tensor r = v->result, a = (r + 1) % 3, b = (r + 2) % 3;
                        tensor[r][place[r]] += tensor[a][place[a]] * tensor[b][place[b]];
                    }
}

static void *as_type(const double *x, size_t count, bool f32) {
    void *copy = malloc(count * (f32 ? sizeof(float) : sizeof(double)));
    assert_non_null(copy);
    for (size_t i = 0; i < count; i++) {
        if (f32)
            ((float *)copy)[i] = (float)x[i];
        else
            ((double *)copy)[i] = x[i];
    }
    return copy;
}

/* Runs one kernel; the result is compared unless it is left to others, which is returned. */
static bool agrees(const struct kernel *kernel, const struct conv *v, double *const *tensor,
                   const size_t *count) {
    void *typed[3];
    for (size_t t = 0; t < 3; t++) {
        typed[t] = as_type(tensor[t], count[t], kernel->f32);
        if (t == v->result)
            memset(typed[t], 0x55, count[t] * (kernel->f32 ? sizeof(float) : sizeof(double)));
    }
    bool taken = kernel->run(v, typed);
    for (size_t i = 0; taken && i < count[v->result]; i++) {
        double have = kernel->f32 ? (double)((float *)typed[v->result])[i]
                                  : ((double *)typed[v->result])[i];
        if (have != tensor[v->result][i])
            fail_msg("%s, result %d: element %zu is %g, expected %g", kernel->name, (int)v->result,
                     i, have, tensor[v->result][i]);
    }
    for (size_t t = 0; t < 3; t++) free(typed[t]);
    return taken;
}

static void make_tensors(const struct conv *v, size_t *count, double **tensor) {
    count_elements(v, count);
    for (size_t t = 0; t < 3; t++) {
        tensor[t] = calloc(count[t], sizeof(double));
        assert_non_null(tensor[t]);
        for (size_t i = 0; i < count[t]; i++)
            tensor[t][i] = t == v->result ? 0 : (double)((i * i + 3 * i + t) % 5) - 2;
    }
}

static struct conv complete(struct conv v, enum conv_tensor result) {
    v.depth = v.channels * v.k[0] * v.k[1];
    v.pixels = v.y[0] * v.y[1];
    v.result = result;
    return v;
}

static void every_form_is_the_sum(void **state) {
    (void)state;
    struct kernel kernel[4];
    size_t kernels = kernels_here(kernel), count[3];
    if (kernels == 0) skip();
    for (size_t f = 0; f < FORMS; f++)
        for (enum conv_tensor result = IMAGE; result <= OUTPUT; result++) {
            struct conv v = complete(forms[f], result);
            double *tensor[3];
            make_tensors(&v, count, tensor);
            plain(&v, tensor);
            bool strided = v.stride[0] > 1 || v.stride[1] > 1;
            for (size_t k = 0; k < kernels; k++)
                assert_int_equal(agrees(&kernel[k], &v, tensor, count),
                                 !(strided && result == IMAGE));
            for (size_t t = 0; t < 3; t++) free(tensor[t]);
        }
}

/* Zeros that the form does not have must not meet an infinity. */
static void infinities_are_left_to_others(void **state) {
    (void)state;
    struct kernel kernel[4];
    size_t kernels = kernels_here(kernel), count[3];
    if (kernels == 0) skip();
    for (enum conv_tensor result = IMAGE; result <= KERNEL; result++) {
        struct conv v = complete(forms[3], result);
        double *tensor[3];
        make_tensors(&v, count, tensor);
        tensor[result == IMAGE ? KERNEL : IMAGE][5] = HUGE_VAL;
        for (size_t k = 0; k < kernels; k++) assert_false(agrees(&kernel[k], &v, tensor, count));
        for (size_t t = 0; t < 3; t++) free(tensor[t]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_form_is_the_sum),
                                       cmocka_unit_test(infinities_are_left_to_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
