/* A Hessian-vector product of log sum exp x at n = 10^6 against one gradient: the ratio of their
 * median times, taken in turns, and the bytes of workspace, of which a Hessian would take 8 n^2.
 * Fails above a ratio of 4, or if the workspace grows faster than n. */
#include <wengert.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 1000000, ROUNDS = 31 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *ms) {
    qsort(ms, ROUNDS, sizeof *ms, by_value);
    return ms[ROUNDS / 2];
}

static size_t workspace_at(const wg_function *fn, int64_t n, wg_error *error) {
    size_t bytes = 0;
    wg_workspace_size(fn, &n, &bytes, error);
    return bytes;
}

int main(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n));
    wg_output(g, "y", wg_log(wg_sum(wg_exp(x))));
    wg_program *f = wg_build(g, &error);
    wg_program *grad = wg_grad(f, NULL, &error), *hvp = wg_hvp(f, NULL, &error);
    wg_function *fn[2] = {wg_compile(grad, NULL, &error), wg_compile(hvp, NULL, &error)};

    size_t bytes[2] = {0};
    void *workspace[2] = {0};
    for (int i = 0; i < 2; i++) {
        bytes[i] = workspace_at(fn[i], N, &error);
        workspace[i] = wg_workspace_new(fn[i], (int64_t[]){N}, &error);
    }
    double *point = malloc(N * sizeof *point), *along = malloc(N * sizeof *along);
    double *out[2] = {malloc(N * sizeof **out), malloc(N * sizeof **out)}, ms[2][ROUNDS];
    if (error.status || !workspace[0] || !workspace[1] || !point || !along || !out[0] || !out[1]) {
        fprintf(stderr, "hvp: %s\n", error.status ? error.message : "out of memory");
        return 1;
    }
    wg_random random = wg_random_seed(1);
    for (size_t i = 0; i < N; i++) {
        point[i] = wg_random_normal(&random);
        along[i] = wg_random_normal(&random);
        out[0][i] = out[1][i] = 0; /* all memory is there before the clock runs */
    }
    for (int round = -1; round < ROUNDS; round++) {
        for (int i = 0; i < 2; i++) {
            double begin = now();
            wg_call_with(fn[i], (int64_t[]){N}, (const void *[]){point, along}, (void *[]){out[i]},
                         workspace[i], &error);
            if (round >= 0) ms[i][round] = now() - begin;
        }
    }
    double gradient = median(ms[0]), product = median(ms[1]), ratio = product / gradient;
    bool linear = bytes[1] <= 16 * workspace_at(fn[1], N / 16, &error) + 65536;
    printf("log sum exp, n = %d\n", N);
    printf("gradient                %8.2f ms   workspace %10zu bytes\n", gradient, bytes[0]);
    printf("Hessian-vector product  %8.2f ms   workspace %10zu bytes   ratio %.2f\n", product,
           bytes[1], ratio);
    for (int i = 0; i < 2; i++) {
        wg_function_free(fn[i]);
        wg_workspace_free(workspace[i]);
        free(out[i]);
    }
    free(point);
    free(along);
    wg_program_free(hvp);
    wg_program_free(grad);
    wg_program_free(f);
    if (error.status)
        fprintf(stderr, "hvp: %s\n", error.message);
    else if (!(ratio <= 4) || !linear)
        fprintf(stderr, "hvp: more than 4 gradients, or more memory than O(n)\n");
    return error.status || !(ratio <= 4) || !linear;
}
