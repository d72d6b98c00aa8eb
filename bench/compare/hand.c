/* Two contestants that run a case's hand-written C: its value and derivative as they are, and the
 * gradient by central differences of its value. */
#include "compare.h"

#include <math.h>
#include <stdlib.h>

/* Differences of this many coordinates are computed; of more unknowns the time is extrapolated. */
enum { SAMPLED = 16 };

struct by_hand {
    const struct problem *p;
    void *slope[MAX_INPUTS];
};

static void close_hand(void *state) {
    struct by_hand *hand = state;
    slopes_free(hand->slope);
    free(hand);
}

static void *open_hand(const struct contestant *of, const struct problem *p, const char **why) {
    struct by_hand *hand = calloc(1, sizeof *hand);
    (void)of;
    if (hand) hand->p = p;
    if (hand && slopes_make(p, hand->slope)) return hand;
    *why = "not enough memory";
    if (hand) close_hand(hand);
    return NULL;
}

static double run_hand(void *state, enum work work, int64_t repeat, struct answer *answer) {
    struct by_hand *hand = state;
    const struct problem *p = hand->p;
    volatile double y = 0; /* keeps the compiler from calling a pure function once */
    double start = seconds_worked();
    for (int64_t i = 0; i < repeat; i++)
        y = work == VALUE ? p->of->value(p) : p->of->gradient(p, hand->slope);
    double seconds = seconds_worked() - start;
    if (answer) answer->value = y;
    if (answer && work == GRADIENT) slopes_copy(p, answer->slope, (const void *const *)hand->slope);
    return seconds;
}

/* ---- central differences -------------------------------------------------------------------- */

/* (f(x + h) - f(x - h)) / 2h along one coordinate, h what the element type could add exactly. */
static double difference(const struct problem *p, void *input, size_t i) {
    double x = slope_get(p, input, i);
    double step = (p->dtype == WG_F32 ? 1e-2 : 6e-6) * fmax(1, fabs(x));
    slope_set(p, input, i, x + step);
    double above = slope_get(p, input, i), up = p->of->value(p);
    slope_set(p, input, i, x - step);
    double below = slope_get(p, input, i), down = p->of->value(p);
    slope_set(p, input, i, x);
    return (up - down) / (above - below);
}

/* The coordinates, spread over all unknowns: number `which` of `count`. */
static double one_difference(const struct problem *p, size_t which, size_t count,
                             struct answer *answer) {
    size_t at = which * (problem_unknowns(p) / count), slope = 0;
    while (at >= problem_slope_count(p, slope)) at -= problem_slope_count(p, slope++);
    double d = difference(p, p->input[p->wrt[slope]].data, at);
    if (answer) slope_set(p, answer->slope[slope], at, d);
    return d;
}

static double run_differences(void *state, enum work work, int64_t repeat, struct answer *answer) {
    const struct problem *p = ((struct by_hand *)state)->p;
    if (work == VALUE) return run_hand(state, work, repeat, answer);
    size_t unknowns = problem_unknowns(p), count = unknowns < SAMPLED ? unknowns : SAMPLED;
    for (size_t i = 0; answer && i < p->slopes; i++)
        for (size_t k = 0; k < problem_slope_count(p, i); k++)
            slope_set(p, answer->slope[i], k, NAN);
    volatile double d;
    double start = seconds_worked();
    for (int64_t r = 0; r < repeat; r++)
        for (size_t i = 0; i < count; i++) d = one_difference(p, i, count, answer);
    double seconds = seconds_worked() - start;
    (void)d;
    if (answer) answer->value = p->of->value(p);
    return seconds * (double)unknowns / (double)count;
}

const struct contestant contestant_hand = {
    .name = "hand-written C",
    .open = open_hand,
    .run = run_hand,
    .close = close_hand,
};

const struct contestant contestant_differences = {
    .name = "central differences",
    .sampled = true,
    .open = open_hand,
    .run = run_differences,
    .close = close_hand,
};
