/* Microseconds an instruction for building, differentiating, planning and running programs of 10^3
 * to 10^6 scalar instructions: a chain, and a random graph. Everything runs on a stack of 256 kB,
 * so that nothing may recurse over a program. Fails if a phase takes more than one microsecond an
 * instruction at 10^6, or anywhere more than twice what it takes at best for a smaller program (20
 * ns of noise allowed).
 * An instruction is one of the program that the phase is given. */
#include <wengert.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STACK = 256 * 1024, SMALLEST = 1000, LARGEST = 1000000 };

static const double NOISE = 0.02; /* microseconds */

enum phase { BUILD, JVP, VJP, PLAN, RUN, PHASES };
static const char *const phase_name[PHASES] = {"build", "jvp", "vjp", "plan", "run"};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/* ---- programs of about n instructions -------------------------------------------------------- */

static wg_program *chain(size_t n, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = x;
    for (size_t i = 0; i < n / 2; i++) y = wg_sin(wg_mul(y, x));
    wg_output(g, "y", y);
    return wg_build(g, error);
}

/* One more value within [-1, 1], of earlier ones. */
static wg_var node(wg_random *random, const wg_var *v, size_t count) {
    wg_var a = v[wg_random_below(random, count)], b = v[wg_random_below(random, count)];
    switch (wg_random_below(random, 5)) {
    case 0: return wg_sin(a);
    case 1: return wg_cos(a);
    case 2: return wg_tanh(wg_sub(a, b));
    default: return wg_mul(a, b);
    }
}

/* Random values on random earlier ones. Then all are drawn together, so that none is dead. */
static wg_program *random_graph(size_t n, wg_error *error) {
    enum { INPUTS = 8 };
    static const char *const name[INPUTS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    wg_graph *g = wg_graph_new();
    wg_random random = wg_random_seed(n);
    size_t made = n * 3 / 8 / 2 * 2;
    wg_var *v = malloc(made * sizeof *v), y = {g, 0};
    for (size_t i = 0; v && i < made; i++)
        v[i] = i < INPUTS ? wg_input(g, name[i], wg_f64()) : node(&random, v, i);
    for (size_t i = 0; v && i < made; i += 2)
        y = i ? wg_sin(wg_sub(wg_mul(v[i], v[i + 1]), y)) : wg_mul(v[0], v[1]);
    free(v);
    wg_output(g, "y", y);
    return wg_build(g, error);
}

/* ---- timing ---------------------------------------------------------------------------------- */

struct times {
    double us[PHASES]; /* an instruction */
    size_t instructions, workspace;
};

static void keep_best(double *best, double begin, size_t instructions) {
    double us = (now() - begin) / (double)instructions;
    if (us < *best) *best = us;
}

static wg_status time_once(wg_program *(*make)(size_t, wg_error *), size_t n, struct times *t) {
    wg_error error = {0};
    double begin = now(), in[8] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}, out;
    const void *input[8];
    for (int i = 0; i < 8; i++) input[i] = &in[i];
    wg_program *p = make(n, &error);
    t->instructions = wg_program_length(p);
    keep_best(&t->us[BUILD], begin, t->instructions);

    begin = now();
    wg_program *jvp = wg_jvp(p, NULL, NULL, &error);
    keep_best(&t->us[JVP], begin, t->instructions);
    wg_program_free(jvp);

    begin = now();
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
    keep_best(&t->us[VJP], begin, t->instructions);
    wg_program_free(vjp);

    begin = now();
    wg_function *fn = wg_compile(p, NULL, &error);
    keep_best(&t->us[PLAN], begin, t->instructions);
    wg_program_free(p);

    wg_workspace_size(fn, NULL, &t->workspace, &error);
    void *workspace = error.status ? NULL : aligned_alloc(64, (t->workspace + 63) / 64 * 64);
    begin = now();
    wg_call_with(fn, NULL, input, (void *[]){&out}, workspace, &error);
    keep_best(&t->us[RUN], begin, t->instructions);
    free(workspace);
    wg_function_free(fn);
    if (error.status) fprintf(stderr, "scale: %s\n", error.message);
    return error.status;
}

static bool measure(const char *title, wg_program *(*make)(size_t, wg_error *)) {
    double least[PHASES];
    bool good = true;
    printf("%-14s", title);
    for (int i = 0; i < PHASES; i++) printf("%9s", phase_name[i]);
    printf("   us an instruction\n");
    for (size_t n = SMALLEST; n <= LARGEST; n *= 10) {
        struct times t = {.us = {1e9, 1e9, 1e9, 1e9, 1e9}};
        size_t repeat = LARGEST / n < 20 ? LARGEST / n + 5 : 20;
        for (size_t i = 0; i < repeat; i++)
            if (time_once(make, n, &t)) return false;
        printf("%-14zu", t.instructions);
        for (int i = 0; i < PHASES; i++) {
            bool flat = n == SMALLEST || t.us[i] <= 2 * least[i] + NOISE;
            bool fast = n < LARGEST || t.us[i] <= 1;
            if (n == SMALLEST || t.us[i] < least[i]) least[i] = t.us[i];
            printf("%8.3f%c", t.us[i], flat && fast ? ' ' : '!');
            good = good && flat && fast;
        }
        printf("   workspace %zu bytes\n", t.workspace);
        fflush(stdout);
    }
    return good;
}

static void *work(void *good) {
    *(bool *)good = measure("chain", chain);
    *(bool *)good = measure("random graph", random_graph) && *(bool *)good;
    return NULL;
}

int main(void) {
    bool good = false;
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, STACK) ||
        pthread_create(&thread, &attributes, work, &good) || pthread_join(thread, NULL)) {
        fprintf(stderr, "scale: no thread with a stack of %d bytes\n", STACK);
        return 1;
    }
    if (!good) fprintf(stderr, "scale: not flat, or slower than 1 us an instruction (marked !)\n");
    return good ? 0 : 1;
}
