/* What threads gain in native code: value and gradient of a chain of transcendental functions, of a
 * log-sum-exp, and of a softmax of rows, by 1, 2, ... threads in turns: wall milliseconds, and the
 * gain over one thread. The least of all rounds counts, for a thread that waits for another process
 * keeps all of them waiting. Then sizes at which two threads begin to be worth it, which is what
 * WG_MUCH of native/runtime_threads.h stands for. Fails if results differ by a bit. */
#include <wengert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000000, ROUNDS = 61, MOST = 8, COLUMNS = 100 };

/* The usual flags, but that every loop is shared. */
static const char share_all[] = "-O3 -march=native -fno-math-errno -fno-trapping-math -DWG_MUCH=0";

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static wg_program *program_of(const char *formula, int64_t n, int64_t columns, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_type type = columns > 1 ? wg_f64(n / columns, columns) : wg_f64(n);
    wg_output(g, "y", wg_formula(g, formula, "x", wg_input(g, "x", type), NULL));
    wg_program *p = wg_build(g, error), *d = wg_value_and_grad(p, NULL, error);
    wg_program_free(p);
    return d;
}

/* Milliseconds of 1 .. most threads; *same: whether all gave the same bits. */
static void measure(const wg_program *p, const char *flags, int64_t n, int most, double *ms,
                    bool *same, wg_error *error) {
    static double x[N], slope[MOST][N], value[MOST];
    wg_function *fn[MOST] = {NULL};
    void *workspace[MOST] = {NULL};
    int repeat = (int)(N / (4 * n)) + 1;
    for (int64_t i = 0; i < n; i++) x[i] = (double)(i * 7919 % 10007) / 3000 - 1.5;
    for (int k = 0; k < most; k++) {
        wg_options options = {.backend = WG_NATIVE, .threads = k + 1, .flags = flags};
        fn[k] = wg_compile(p, &options, error);
        workspace[k] = wg_workspace_new(fn[k], NULL, error);
        if (wg_function_note(fn[k])[0]) fprintf(stderr, "threads: %s\n", wg_function_note(fn[k]));
    }
    for (int round = -1; round < ROUNDS && !error->status; round++)
        for (int k = 0; k < most; k++) {
            double begin = now();
            for (int i = 0; i < repeat; i++)
                wg_call_with(fn[k], NULL, (const void *[]){x}, (void *[]){&value[k], slope[k]},
                             workspace[k], error);
            double sample = (now() - begin) / repeat;
            if (round <= 0 || sample < ms[k]) ms[k] = sample;
        }
    *same = true;
    for (int k = 0; k < most; k++) {
        *same = *same && value[k] == value[0] &&
                memcmp(slope[k], slope[0], (size_t)n * sizeof *x) == 0;
        wg_workspace_free(workspace[k]);
        wg_function_free(fn[k]);
    }
}

static bool report(const char *name, const char *formula, const char *flags, int64_t n,
                   int64_t columns, int most) {
    wg_error error = {0};
    double ms[MOST];
    bool same = false;
    wg_program *p = program_of(formula, n, columns, &error);
    if (!error.status) measure(p, flags, n, most, ms, &same, &error);
    wg_program_free(p);
    if (error.status) return fprintf(stderr, "threads: %s\n", error.message), false;
    printf("%-12s %8lld  %9.4f", name, (long long)n, ms[0]);
    for (int k = 1; k < most; k++) printf("  %9.4f %5.2f", ms[k], ms[0] / ms[k]);
    puts(same ? "" : "  results differ");
    return same;
}

int main(void) {
    static const char chain[] = "sum(sin(exp(tanh(x))*log1p(x^2)))";
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int most = cores < 2 ? 2 : cores > MOST ? MOST : (int)cores;
    printf("%-12s %8s  %9s", "", "n", "1 thread");
    for (int k = 2; k <= most; k++) printf("  %7d ms  gain", k);
    putchar('\n');
    bool same = report("chain", chain, NULL, N, 1, most);
    same &= report("log-sum-exp", "logsumexp(x)", NULL, N, 1, most);
    same &= report("softmax rows", "sum(softmax(x, axis=1)^2)", NULL, N, COLUMNS, most);
    for (int64_t n = 1000; n <= 256000; n *= 4) {
        same &= report("square", "sum(x*x)", share_all, n, 1, 2);
        same &= report("chain", chain, share_all, n, 1, 2);
    }
    return same ? 0 : 1;
}
