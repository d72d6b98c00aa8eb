/* Wengert as a contestant: the problem's program and its value and gradient, compiled, and called
 * with a workspace. Which back ends take part is the table at the end, and nothing else. */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct compiled {
    const struct problem *p;
    wg_function *fn[WORKS];
    void *workspace[WORKS];
    double value, preparation, worked;
    void *slope[MAX_INPUTS];
};

static double preparation(const void *state, double *worked) {
    *worked = ((const struct compiled *)state)->worked;
    return ((const struct compiled *)state)->preparation;
}

static void close_compiled(void *state) {
    struct compiled *c = state;
    for (int work = 0; work < WORKS; work++) {
        wg_workspace_free(c->workspace[work]);
        wg_function_free(c->fn[work]);
    }
    slopes_free(c->slope);
    free(c);
}

static void *open_compiled(const struct contestant *of, const struct problem *p, const char **why) {
    static char message[sizeof(wg_error)];
    wg_error error = {0};
    wg_options options = {.backend = (wg_backend)of->backend};
    struct compiled *c = calloc(1, sizeof *c);
    if (!c) return *why = "not enough memory", NULL;
    c->p = p;
    double start = seconds_now(), idle = seconds_worked() + seconds_of_children();
    wg_program *program = problem_program(p, &error);
    wg_program *gradient = wg_value_and_grad(program, p->of->wrt, &error);
    c->fn[GRADIENT] = wg_compile(gradient, &options, &error);
    c->preparation = seconds_now() - start;
    c->worked = seconds_worked() + seconds_of_children() - idle;
    c->fn[VALUE] = wg_compile(program, &options, &error);
    wg_program_free(gradient);
    wg_program_free(program);
    for (int work = 0; work < WORKS; work++)
        c->workspace[work] = wg_workspace_new(c->fn[work], NULL, &error);
    if (slopes_make(p, c->slope) && !error.status) return c;
    snprintf(message, sizeof message, "%s", error.status ? error.message : "not enough memory");
    *why = message;
    close_compiled(c);
    return NULL;
}

static double run_compiled(void *state, enum work work, int64_t repeat, struct answer *answer) {
    struct compiled *c = state;
    wg_error error = {0};
    const void *in[MAX_INPUTS];
    void *out[MAX_INPUTS + 1] = {&c->value};
    float single = 0; /* the value of a program in f32 */
    if (c->p->dtype == WG_F32) out[0] = &single;
    for (size_t i = 0; i < c->p->inputs; i++) in[i] = c->p->input[i].data;
    for (size_t i = 0; i < c->p->slopes; i++) out[i + 1] = c->slope[i];
    double start = seconds_worked();
    for (int64_t i = 0; i < repeat; i++)
        wg_call_with(c->fn[work], NULL, in, out, c->workspace[work], &error);
    double seconds = seconds_worked() - start;
    if (error.status) fprintf(stderr, "compare: %s\n", error.message);
    if (answer) answer->value = c->p->dtype == WG_F32 ? (double)single : c->value;
    if (answer && work == GRADIENT) slopes_copy(c->p, answer->slope, (const void *const *)c->slope);
    return error.status ? -1 : seconds;
}

#define BACKEND(label, which)                                                                      \
    {                                                                                              \
        .name = label, .ours = true, .backend = which, .open = open_compiled, .run = run_compiled, \
        .close = close_compiled, .preparation = preparation                                        \
    }

/* The last one is the one that the targets speak of. */
const struct contestant contestants_ours[] = {
    BACKEND("Wengert, interpreted", WG_INTERPRET),
    BACKEND("Wengert, native", WG_NATIVE),
};
const size_t contestants_ours_count = sizeof contestants_ours / sizeof *contestants_ours;
