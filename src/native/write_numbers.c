/* Concatenations of single numbers, as the gradient by a vector is whose elements a program reads
 * one by one: assignments, and loops over what a repeat (repeats.c) has left in cells. Where each
 * repetition reads several elements, those of one statement stand so many apart. */
#include "native/writer.h"

enum {
    RUN = 4,          /* repetitions that are worth a loop */
    PERIOD = 16,      /* the most elements that a repetition reads */
    ASSIGNMENTS = 32  /* and loops, of code that is loaded: more are left to the library */
};

/* Numbers k, k + period, ..., `trips` of them, and as many from each of those between the first two
 * on. One assignment is a run of one trip and period 1. */
struct run {
    size_t trips, period;
};

static value number_at(const struct writer *w, value whole, size_t k) {
    return storage_root(w->l, args_of(w->t, instr_at(w->t, whole))[k]);
}

/* How far behind part k's cell that of part `next` is, which may be the same; nobody asks where both
 * are in their place. False if only one of them is, or one of two has no cell. */
static bool step_to(const struct writer *w, value whole, size_t k, size_t next, int64_t *step) {
    value from = number_at(w, whole, k), to = number_at(w, whole, next);
    bool placed = place_of_part(w->l, whole, k), next_placed = place_of_part(w->l, whole, next);
    *step = 0;
    if (placed || next_placed) return placed && next_placed;
    if (from == to) return true;
    if (!is_in_cell(w, from) || !is_in_cell(w, to)) return false;
    *step = (int64_t)w->w->homes->cell[to] - (int64_t)w->w->homes->cell[from];
    return true;
}

/* Whether part `at` follows those a period and two periods before it, in a run that begins at k. */
static bool goes_on(const struct writer *w, value whole, size_t k, size_t period, size_t at) {
    size_t start = k + (at - k) % period;
    int64_t first, step;
    return step_to(w, whole, start, start + period, &first) &&
           step_to(w, whole, at - period, at, &step) && step == first;
}

/* The longest run that begins with number k. */
static struct run run_at(const struct writer *w, value whole, size_t k) {
    size_t count = instr_at(w->t, whole)->narg;
    struct run best = {1, 1};
    for (size_t period = 1; period <= PERIOD && k + period < count; period++) {
        size_t end = k + period;
        while (end < count && goes_on(w, whole, k, period, end)) end++;
        size_t trips = (end - k) / period;
        if (trips >= RUN && trips * period > best.trips * best.period)
            best = (struct run){trips, period};
    }
    return best;
}

bool is_of_numbers(const struct writer *w, value v) {
    size_t texts = 0;
    if (!v || !joins_numbers(w->t, v)) return false;
    for (size_t k = 0; k < instr_at(w->t, v)->narg && !w->shipped;) {
        struct run run = run_at(w, v, k);
        texts += run.period;
        k += run.trips * run.period;
    }
    return texts <= ASSIGNMENTS;
}

void declare_numbers(struct writer *w, value v) {
    declare_address(w, v);
    for (size_t k = 0; k < instr_at(w->t, v)->narg; k++) declare_address(w, number_at(w, v, k));
}

/* whole[k] = the number, of `trips` repetitions `period` elements apart. */
static void add_number(struct writer *w, value whole, size_t k, struct run run) {
    struct access a = {.root = number_at(w, whole, k)};
    int64_t step = 0;
    if (place_of_part(w->l, whole, k)) return;
    add(w, "    ");
    if (run.trips > 1) {
        step_to(w, whole, k, k + run.period, &step);
        ADD(w, "WG_INDEPENDENT\n    for (int64_t each = 0; each < %zu; each++) ", run.trips);
    }
    add_memory(w, whole);
    if (run.trips > 1) ADD(w, "[%zu + %zu * each] = ", k, run.period);
    else ADD(w, "[%zu] = ", k);
    if (step) {
        if (w->shipped) shipped_cells(w);
        ADD(w, "c[%u + %lld * each].%s", w->w->homes->cell[a.root], (long long)step,
            short_name[dtype_of(w, whole)]);
    } else {
        add_operand(w, &a, &(struct site_of_use){0, NULL});
    }
    add(w, ";");
    add_comment(w, whole);
}

void write_numbers(struct writer *w, value v) {
    for (size_t k = 0; k < instr_at(w->t, v)->narg && w->ok;) {
        struct run run = run_at(w, v, k);
        for (size_t j = 0; j < run.period; j++) add_number(w, v, k + j, run);
        k += run.trips * run.period;
    }
}
