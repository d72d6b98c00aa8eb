/* A scalar recurrence of 10^6 steps as a loop of the program: nanoseconds a step of its value, and
 * of its value with its gradient by every element of the input, natively and interpreted. The least
 * of all rounds counts. Fails if the two backends differ by more than rounding. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS = 1000000, ROUNDS = 15 };

/* Every step waits for the one before: two products and two sums. Not linear, so that the gradient
 * needs the y of every step. */
static const char text[] = "f(x[n], a) = { y = 0\n for i in 0:n { y += a*(x[i] - y*y) } }";

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The least nanoseconds of all rounds for one step; y and the slopes are those of the last one. */
static double measure(const wg_function *fn, const double *x, double *y, double *slope,
                      wg_error *error) {
    const int64_t steps = STEPS;
    void *workspace = wg_workspace_new(fn, &steps, error);
    double a = 0.1, da = 0, least = INFINITY;
    for (int round = 0; round < ROUNDS && !error->status; round++) {
        double begin = now();
        wg_call_with(fn, &steps, (const void *[]){x, &a}, (void *[]){y, slope, &da}, workspace,
                     error);
        least = fmin(least, (now() - begin) / STEPS);
    }
    wg_workspace_free(workspace);
    return least;
}

int main(void) {
    static double x[STEPS], slope[2][STEPS];
    wg_error error = {0};
    wg_program *value = wg_parse(text, strlen(text), NULL, &error);
    wg_program *both = wg_value_and_grad(value, NULL, &error);
    const wg_backend backend[] = {WG_NATIVE, WG_INTERPRET};
    double ns[2][2] = {{0}}, y[2] = {0};
    for (int64_t i = 0; i < STEPS; i++) x[i] = (double)(i * 7919 % 10007) / 10007 - 0.5;
    for (int b = 0; b < 2; b++)
        for (int k = 0; k < 2; k++) {
            wg_options options = {.backend = backend[b]};
            wg_function *fn = wg_compile(k ? both : value, &options, &error);
            if (fn && wg_function_note(fn)[0]) fprintf(stderr, "loops: %s\n", wg_function_note(fn));
            if (fn) ns[b][k] = measure(fn, x, &y[b], slope[b], &error);
            wg_function_free(fn);
        }
    wg_program_free(both);
    wg_program_free(value);
    if (error.status) return fprintf(stderr, "loops: %s\n", error.message), 1;

    printf("y += a*(x[i] - y*y), %d steps\n", STEPS);
    printf("%-12s %9s  %14s\n", "ns a step", "value", "with gradient");
    printf("%-12s %9.2f  %14.2f\n", "native", ns[0][0], ns[0][1]);
    printf("%-12s %9.2f  %14.2f\n", "interpreted", ns[1][0], ns[1][1]);
    double off = fabs(y[0] - y[1]) / fmax(1, fabs(y[1]));
    for (int64_t i = 0; i < STEPS; i++) off = fmax(off, fabs(slope[0][i] - slope[1][i]));
    if (!(off <= 1e-12)) fprintf(stderr, "loops: the backends differ by %g\n", off);
    return !(off <= 1e-12);
}
