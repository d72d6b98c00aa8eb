/* A training step, loss, gradients and update, as one native function that updates its weights in
 * place: in the loop nothing is allocated, neither by the library nor past it, nothing is copied,
 * and the weights stay where they are. malloc and its kin are this file's own, in front of the C
 * library's; see run/test_allocations.c. */
#include "native/compilers.h"
#include "wengert/data.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define COUNTING 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTING 0
#endif
#endif
#ifndef COUNTING
#define COUNTING 1
#endif

static _Atomic size_t allocations;

#if COUNTING
#define OURS __attribute__((visibility("default")))
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

OURS void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}
OURS void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}
OURS void *realloc(void *block, size_t size) {
    allocations++;
    return __libc_realloc(block, size);
}
#endif

static const char model[] = "loss(X[m,6], label[m]: i32, W1[6,8], b1[8], W2[8,3], b2[3]) =\n"
                            "  mean(cross_entropy(tanh(X @ W1 + b1) @ W2 + b2, label))\n";

enum { X, LABEL, W1, B1, W2, B2, INPUTS, WEIGHTS = 4, M = 32, STEPS = 200 };
static const size_t elements[INPUTS] = {6 * M, M, 48, 8, 24, 3};

/* The loss, and each weight minus 0.5 times its gradient. */
static wg_program *training_step(void) {
    static const char *const name[] = {"X", "label", "W1", "b1", "W2", "b2"};
    static const char *const next[] = {"W1_new", "b1_new", "W2_new", "b2_new"};
    wg_error error = {0};
    wg_program *loss = wg_parse(model, strlen(model), NULL, &error);
    wg_program *both = wg_value_and_grad(loss, "W1, b1, W2, b2", &error);
    assert_ok(error);
    wg_graph *g = wg_graph_new();
    wg_extent m = wg_size(g, "m");
    const wg_type type[] = {wg_f64(m, 6), wg_i32(m),    wg_f64(6, 8),
                            wg_f64(8),    wg_f64(8, 3), wg_f64(3)};
    wg_var in[INPUTS], out[1 + WEIGHTS] = {{0}};
    for (size_t i = 0; i < INPUTS; i++) in[i] = wg_input(g, name[i], type[i]);
    wg_apply(g, both, in, out);
    wg_output(g, "loss", out[0]);
    for (size_t i = 0; i < WEIGHTS; i++)
        wg_output(g, next[i], wg_sub(in[W1 + i], wg_mul(0.5, out[1 + i])));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    wg_program_free(both);
    wg_program_free(loss);
    return p;
}

struct data {
    double x[6 * M], weight[WEIGHTS][48], loss;
    int32_t label[M];
};

static void draw(struct data *d) {
    wg_random random = wg_random_seed(3);
    for (size_t i = 0; i < 6 * M; i++) d->x[i] = wg_random_normal(&random);
    for (size_t i = 0; i < M; i++) d->label[i] = d->x[6 * i] > 0 ? 0 : d->x[6 * i + 1] > 0 ? 1 : 2;
    for (size_t k = 0; k < WEIGHTS; k++)
        for (size_t i = 0; i < elements[W1 + k]; i++)
            d->weight[k][i] = wg_random_normal(&random) / 3;
}

static void step(const wg_function *fn, struct data *d, void *workspace) {
    const void *in[INPUTS] = {d->x, d->label};
    void *out[1 + WEIGHTS] = {&d->loss};
    wg_error error = {0};
    for (size_t k = 0; k < WEIGHTS; k++) in[W1 + k] = out[1 + k] = d->weight[k];
    wg_call_with(fn, (int64_t[]){M}, in, out, workspace, &error);
    assert_ok(error);
}

static const char donations[] = "W1_new=W1, b1_new=b1, W2_new=W2, b2_new=b2";

static void weights_are_updated_in_place(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = training_step();
    wg_options options = {.backend = WG_NATIVE, .donate = donations};
    wg_function *fn = wg_compile(p, &options, &error);
    wg_function *interpreted = wg_compile(p, &(wg_options){.donate = donations}, &error);
    assert_ok(error);
    assert_string_equal(wg_function_note(fn), "");
    struct data native, plain;
    draw(&native);
    draw(&plain);
    void *workspace = wg_workspace_new(fn, (int64_t[]){M}, &error);
    void *plain_workspace = wg_workspace_new(interpreted, (int64_t[]){M}, &error);
    step(fn, &native, workspace); /* in the first call a BLAS makes its own memory */
    step(interpreted, &plain, plain_workspace);
    double first = native.loss;
    size_t before = allocations;
    void *volatile block = malloc(1); /* volatile: else the pair could go */
    free(block);
    assert_int_equal(allocations - before, COUNTING);
    before = allocations;
    for (int i = 1; i < STEPS; i++) step(fn, &native, workspace);
    assert_int_equal(allocations - before, 0);
    for (int i = 1; i < STEPS; i++) step(interpreted, &plain, plain_workspace);
    assert_true(native.loss < first / 4);
    assert_float_equal(native.loss, plain.loss, 1e-9);
    for (size_t k = 0; k < WEIGHTS; k++)
        for (size_t i = 0; i < elements[W1 + k]; i++)
            assert_float_equal(native.weight[k][i], plain.weight[k][i], 1e-7);
    wg_workspace_free(workspace);
    wg_workspace_free(plain_workspace);
    wg_function_free(fn);
    wg_function_free(interpreted);
    wg_program_free(p);
}

/* The body of the program, behind the runtime, as the compiler had it; for free. */
static char *text_of(const wg_program *p, const char *donate) {
    wg_error error = {0};
    empty_directory("cache");
    wg_options options = {.backend = WG_NATIVE, .donate = donate, .flags = "-O0"};
    wg_function *fn = wg_compile(p, &options, &error);
    assert_ok(error);
    assert_string_equal(wg_function_note(fn), "");
    wg_function_free(fn);
    wg_text text = {0};
    char bytes[4096];
    FILE *file = fopen(only_file("cache", ".c"), "r");
    assert_non_null(file);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, file)) > 0;)
        assert_true(text_bytes(&text, bytes, n));
    fclose(file);
    char *body = strstr(text.data, "int wg_program(");
    assert_non_null(body);
    body = strdup(body);
    wg_text_free(&text);
    return body;
}

static void no_weight_is_copied(void **state) {
    (void)state;
    wg_program *p = training_step();
    char *in_place = text_of(p, donations), *apart = text_of(p, NULL);
    assert_null(strstr(in_place, "wg_copy("));
    assert_null(strstr(in_place, "memcpy("));
    assert_null(strstr(in_place, "memmove("));
    assert_non_null(strstr(in_place, "f->operation(")); /* it is the step */
    assert_null(strstr(apart, "wg_copy("));
    free(in_place);
    free(apart);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(weights_are_updated_in_place, fresh_environment),
        cmocka_unit_test_setup(no_weight_is_copied, fresh_environment)};
    return cmocka_run_group_tests(tests, scratch_setup, remove_environment);
}
