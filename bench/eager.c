/* Nanoseconds that an eager graph costs a scalar instruction, gradient included: building,
 * computing and differentiating a recurrence step after step, and going back. What the same
 * arithmetic takes by itself (a call of the compiled gradient) is subtracted. A long run then must
 * not take more memory than a short one. Fails above 150 ns, or if memory grows. */
#include <wengert.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LENGTH = 100, STEPS = 200, REPEAT = 60, LONG_RUN = 1000000, LIMIT = 150 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- memory, counted ------------------------------------------------------------------------- */

static size_t live, peak;

static void *resize(void *ctx, void *block, size_t old_size, size_t new_size) {
    (void)ctx;
    live += new_size - old_size;
    if (live > peak) peak = live;
    if (new_size) return realloc(block, new_size);
    free(block);
    return NULL;
}

/* ---- the recurrence -------------------------------------------------------------------------- */

/* y = a y + y x, LENGTH times from x. */
static wg_var recurrence(wg_var a, wg_var x) {
    wg_var y = x;
    for (int i = 0; i < LENGTH; i++) y = wg_add(wg_mul(a, y), wg_mul(y, x));
    return y;
}

static double eager_step(wg_graph *g, uint32_t start) {
    wg_var wrt[2] = {wg_scalar(g, 0.5), wg_scalar(g, 0.3)}, adjoint[2];
    wg_backward(recurrence(wrt[0], wrt[1]), 2, wrt, adjoint);
    double sum = wg_item(adjoint[0]) + wg_item(adjoint[1]);
    wg_rewind(g, start);
    return sum;
}

/* ns a step, the best of a few times, and its result */
static double time_eager(double *sum) {
    double best = 1e30;
    wg_graph *g = wg_eager_new();
    uint32_t start = wg_mark(g);
    for (int r = 0; r < REPEAT; r++) {
        double begin = now();
        for (int i = 0; i < STEPS; i++) *sum = eager_step(g, start);
        double ns = (now() - begin) / STEPS;
        if (ns < best) best = ns;
    }
    wg_graph_free(g);
    return best;
}

static double time_compiled(double *sum, size_t *instructions, wg_error *error) {
    double best = 1e30, a = 0.5, x = 0.3, out[2] = {0, 0};
    wg_graph *g = wg_graph_new();
    wg_var wrt[2] = {wg_input(g, "a", wg_f64()), wg_input(g, "x", wg_f64())};
    wg_output(g, "y", recurrence(wrt[0], wrt[1]));
    wg_program *program = wg_build(g, error), *gradient = wg_grad(program, NULL, error);
    wg_function *fn = wg_compile(gradient, NULL, error);
    void *workspace = wg_workspace_new(fn, NULL, error);
    for (int r = 0; r < REPEAT && !error->status; r++) {
        double begin = now();
        for (int i = 0; i < STEPS; i++)
            wg_call_with(fn, NULL, (const void *[]){&a, &x}, (void *[]){&out[0], &out[1]},
                         workspace, error);
        double ns = (now() - begin) / STEPS;
        if (ns < best) best = ns;
    }
    *sum = out[0] + out[1];
    *instructions = wg_program_length(gradient);
    wg_workspace_free(workspace);
    wg_function_free(fn);
    wg_program_free(gradient);
    wg_program_free(program);
    return best;
}

/* A million steps of lengths that differ: the most memory that the first thousand and all took. */
static bool memory_stays(void) {
    wg_allocator allocator = {resize, NULL};
    wg_random random = wg_random_seed(1);
    wg_graph *g = wg_eager_new_with(&allocator);
    uint32_t start = wg_mark(g);
    size_t early = 0;
    for (int i = 0; i < LONG_RUN; i++) {
        int length = 1 + (int)wg_random_below(&random, 8);
        wg_var x = wg_scalar(g, wg_random_uniform(&random)), y = x, adjoint;
        while (length-- > 0) y = wg_sin(wg_mul(y, wg_random_uniform(&random)));
        wg_backward(y, 1, &x, &adjoint);
        wg_rewind(g, start);
        if (i == 1000) early = peak;
    }
    wg_status status = wg_graph_error(g)->status;
    wg_graph_free(g);
    printf("memory: %zu bytes at the most in 1000 steps, %zu in %d\n", early, peak, LONG_RUN);
    return status == WG_OK && live == 0 && peak <= early;
}

int main(void) {
    wg_error error = {0};
    double eager_sum = 0, compiled_sum = 0;
    size_t instructions = 0;
    double compiled = time_compiled(&compiled_sum, &instructions, &error);
    double eager = time_eager(&eager_sum);
    if (error.status || eager_sum != compiled_sum) {
        fprintf(stderr, "eager: %s\n", error.status ? error.message : "another gradient");
        return 1;
    }
    double overhead = (eager - compiled) / (double)instructions;
    printf("%zu instructions, gradient included: eager %.1f ns each, compiled %.1f ns, overhead "
           "%.1f ns (at most %d)\n",
           instructions, eager / (double)instructions, compiled / (double)instructions, overhead,
           LIMIT);
    bool good = memory_stays();
    if (!good) fprintf(stderr, "eager: memory grows with the number of steps\n");
    return good && overhead <= LIMIT ? 0 : 1;
}
