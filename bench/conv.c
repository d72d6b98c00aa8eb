/* Our side of the convolution benchmark, which bench/conv.sh compares with PyTorch's: the
 * convolution of x f32[32,16,28,28] with k f32[32,16,3,3] and its adjoints by x and by k, without
 * padding and with a border of one.
 *
 * For each line on standard input all six are run in turn, and a line with their milliseconds is
 * printed. */
#include <wengert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PADDINGS = 2, PARTS = 3, CASES = PADDINGS * PARTS, REPEATS = 5 };
enum { IMAGE = 32 * 16 * 28 * 28, KERNEL = 32 * 16 * 3 * 3, OUTPUT = 32 * 32 * 28 * 28 };

struct subject {
    wg_function *fn;
    void *workspace;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void *block(size_t bytes) {
    void *at = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (at) memset(at, 0, bytes);
    return at;
}

static struct subject prepare(const wg_program *p, wg_error *error) {
    struct subject s = {wg_compile(p, NULL, error), NULL};
    size_t bytes = 0;
    if (wg_workspace_size(s.fn, NULL, &bytes, error) == WG_OK) s.workspace = block(bytes);
    return s;
}

/* The convolution, and its adjoints by either argument: gradients of its product with y. */
static void prepare_all(int padding, struct subject *subject, wg_error *error) {
    const char *const by[PARTS] = {NULL, "x", "k"};
    int side = 26 + 2 * padding;
    char formula[256];
    snprintf(formula, sizeof formula,
             "value(x[32,16,28,28]: f32, k[32,16,3,3]: f32) = conv2d(x, k, 1, %d)\n"
             "f(x[32,16,28,28]: f32, k[32,16,3,3]: f32, y[32,32,%d,%d]: f32) = %s",
             padding, side, side, "sum(value(x, k) * y)");
    wg_program *f = wg_parse(formula, strlen(formula), NULL, error);
    formula[strcspn(formula, "\n")] = 0;
    wg_program *value = wg_parse(formula, strlen(formula), NULL, error);
    for (int part = 0; part < PARTS; part++) {
        wg_program *adjoint = part ? wg_grad(f, by[part], error) : NULL;
        subject[part] = prepare(part ? adjoint : value, error);
        wg_program_free(adjoint);
    }
    wg_program_free(value);
    wg_program_free(f);
}

static double call(const struct subject *s, float *const *tensor, wg_error *error) {
    double begin = now();
    for (int i = 0; i < REPEATS; i++)
        wg_call_with(s->fn, NULL, (const void *[]){tensor[0], tensor[1], tensor[2]},
                     (void *[]){tensor[3]}, s->workspace, error);
    return (now() - begin) / REPEATS;
}

int main(void) {
    wg_error error = {0};
    struct subject subject[CASES] = {{NULL, NULL}};
    const size_t count[4] = {IMAGE, KERNEL, OUTPUT, OUTPUT};
    float *tensor[4];
    bool ready = true;
    wg_random random = wg_random_seed(1);
    for (int k = 0; k < 4; k++) {
        tensor[k] = block(count[k] * sizeof(float));
        ready = ready && tensor[k];
        for (size_t i = 0; tensor[k] && i < count[k]; i++)
            tensor[k][i] = (float)wg_random_normal(&random);
    }
    for (int padding = 0; padding < PADDINGS; padding++)
        prepare_all(padding, subject + PARTS * padding, &error);
    for (int i = 0; i < CASES; i++) ready = ready && subject[i].workspace;
    while (ready && !error.status && getchar() == '\n') {
        for (int i = 0; i < CASES; i++)
            printf("%.4f%c", call(&subject[i], tensor, &error), i + 1 < CASES ? ' ' : '\n');
        fflush(stdout);
    }
    if (!ready || error.status)
        fprintf(stderr, "conv: %s\n", error.status ? error.message : "out of memory");
    for (int i = 0; i < CASES; i++) {
        wg_function_free(subject[i].fn);
        free(subject[i].workspace);
    }
    for (int k = 0; k < 4; k++) free(tensor[k]);
    return !ready || error.status;
}
