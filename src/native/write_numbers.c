/* Concatenations of single numbers, as the gradient by a vector is whose elements a program reads
 * one by one: assignments, and loops over what a repeat (repeats.c) has left in cells. Where each
 * repetition reads several elements, those of one statement stand so many apart. */
#include "native/writer.h"

enum {
    RUN = 4,          /* repetitions that are worth a loop */
    PERIOD = 16,      /* the most elements that a repetition reads */
    ASSIGNMENTS = 32  /* and loops, of code that is loaded: more are left to the library */
};

/* Numbers k, k + period, ... and as many from k + 1 to k + period - 1 on. */
struct run {
    size_t trips, period;
};

static value number_at(const struct writer *w, value whole, size_t k) {
    return storage_root(w->l, args_of(w->t, instr_at(w->t, whole))[k]);
}

/* How far behind the one before it a number's cell is, which may be the same; false if one of two
 * has none. */
static bool step_to(const struct writer *w, value before, value v, int64_t *step) {
    *step = 0;
    if (before == v) return true;
    if (!is_in_cell(w, before) || !is_in_cell(w, v)) return false;
    *step = (int64_t)w->w->homes->cell[v] - (int64_t)w->w->homes->cell[before];
    return true;
}

static bool goes_on(const struct writer *w, value whole, size_t k, size_t period, size_t at) {
    int64_t first, step;
    value start = number_at(w, whole, k + (at - k) % period);
    value next = number_at(w, whole, k + (at - k) % period + period);
    return step_to(w, start, next, &first) &&
           step_to(w, number_at(w, whole, at - period), number_at(w, whole, at), &step) &&
           step == first;
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
    size_t texts = 0, count = instr_at(w->t, v)->narg;
    if (!v || !joins_numbers(w->t, v)) return false;
    for (size_t k = 0; k < count && !w->shipped;) {
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
    add(w, "    ");
    if (run.trips > 1) {
        step_to(w, a.root, number_at(w, whole, k + run.period), &step);
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
