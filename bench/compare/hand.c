/* Two contestants that run a case's hand-written C: its value and derivative as they are, and the
 * gradient by central differences of its value. */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Differences of this many coordinates are computed; of more unknowns the time is extrapolated. */
enum { SAMPLED = 16 };

struct by_hand {
    const struct problem *p;
    void *slope[MAX_INPUTS];
};

static void close_hand(void *state) {
    struct by_hand *hand = state;
    for (size_t i = 0; i < MAX_INPUTS; i++) free(hand->slope[i]);
    free(hand);
}

static void *open_hand(const struct contestant *of, const struct problem *p, const char **why) {
    struct by_hand *hand = calloc(1, sizeof *hand);
    bool good = hand;
    (void)of;
    if (hand) hand->p = p;
    for (size_t i = 0; good && i < p->slopes; i++) {
        size_t bytes = problem_slope_count(p, i) * wg_dtype_size(p->dtype);
        hand->slope[i] = aligned_alloc(64, (bytes + 64) / 64 * 64);
        if (hand->slope[i]) memset(hand->slope[i], 0, bytes);
        good = hand->slope[i];
    }
    if (good) return hand;
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
    for (size_t i = 0; answer && work == GRADIENT && i < p->slopes; i++)
        memcpy(answer->slope[i], hand->slope[i],
               problem_slope_count(p, i) * wg_dtype_size(p->dtype));
    return seconds;
}

/* ---- central differences -------------------------------------------------------------------- */

static double get(const wg_tensor *t, size_t i) {
    return t->dtype == WG_F32 ? (double)((const float *)t->data)[i] : ((const double *)t->data)[i];
}

static void set(void *data, wg_dtype dtype, size_t i, double x) {
    if (dtype == WG_F32)
        ((float *)data)[i] = (float)x;
    else
        ((double *)data)[i] = x;
}

/* (f(x + h) - f(x - h)) / 2h along one coordinate, h what the element type could add exactly. */
static double difference(const struct problem *p, const wg_tensor *t, size_t i) {
    double x = get(t, i), step = (p->dtype == WG_F32 ? 1e-2 : 6e-6) * fmax(1, fabs(x));
    set(t->data, t->dtype, i, x + step);
    double above = get(t, i), up = p->of->value(p);
    set(t->data, t->dtype, i, x - step);
    double below = get(t, i), down = p->of->value(p);
    set(t->data, t->dtype, i, x);
    return (up - down) / (above - below);
}

/* The coordinates, spread over all unknowns: number `which` of `count`. */
static double one_difference(const struct problem *p, size_t which, size_t count,
                             struct answer *answer) {
    size_t at = which * (problem_unknowns(p) / count), slope = 0;
    while (at >= problem_slope_count(p, slope)) at -= problem_slope_count(p, slope++);
    double d = difference(p, &p->input[p->wrt[slope]], at);
    if (answer) set(answer->slope[slope], p->dtype, at, d);
    return d;
}

static double run_differences(void *state, enum work work, int64_t repeat, struct answer *answer) {
    const struct problem *p = ((struct by_hand *)state)->p;
    if (work == VALUE) return run_hand(state, work, repeat, answer);
    size_t unknowns = problem_unknowns(p), count = unknowns < SAMPLED ? unknowns : SAMPLED;
    for (size_t i = 0; answer && i < p->slopes; i++)
        for (size_t k = 0; k < problem_slope_count(p, i); k++)
            set(answer->slope[i], p->dtype, k, NAN);
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
