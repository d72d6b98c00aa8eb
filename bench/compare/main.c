/* Wengert against its peers: one table of times, and the targets.
 *
 *     compare [--quick | --smoke] [--case NAME] [--json FILE]
 *
 * For each case and size, every contestant's value and gradient are first compared with those of
 * the hand-written C; a disagreement is an error, and nothing is timed. Then all take turns, a
 * sample of the value and one of the gradient each, round after round; medians are reported. A
 * sample repeats the work until it is long enough for the clock. Exit status 1 after an error; a
 * target that is missed is told and is no error. bench/compare.sh sets one thread and runs this. */
#include "compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 15 };

struct options {
    const char *mode, *only, *json;
    int rounds;
    double sample;
    bool smallest, torch;
};

static const struct options complete = {
    .mode = "complete", .rounds = 9, .sample = 0.02, .torch = true};
static const struct options quick = {.mode = "quick", .rounds = 5, .sample = 0.004, .torch = true};
static const struct options smoke = {.mode = "smoke", .rounds = 1, .smallest = true};

static const struct bench_case *const cases[] = {
#define ADDRESS(name) &case_##name,
    CASES(ADDRESS)
#undef ADDRESS
};

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double seconds_now(void) { return seconds_of(CLOCK_MONOTONIC); }
double seconds_worked(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

double seconds_of_children(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage)) return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* ---- do they agree? ------------------------------------------------------------------------- */

/* The largest difference of a slope over its largest entry. Where only some coordinates are
 * sampled, NaN stands for the others. */
static double slope_error(const struct problem *p, const struct answer *right,
                          const struct answer *a, size_t slope, bool sampled) {
    double largest = 0, off = 0;
    for (size_t k = 0; k < problem_slope_count(p, slope); k++) {
        double x = slope_get(p, right->slope[slope], k), y = slope_get(p, a->slope[slope], k);
        if (sampled && isnan(y)) continue;
        if (!isfinite(x) || !isfinite(y)) return INFINITY;
        largest = fmax(largest, fabs(x));
        off = fmax(off, fabs(x - y));
    }
    return off == 0 ? 0 : off / largest;
}

static double answer_error(const struct problem *p, const struct answer *right,
                           const struct answer *a, bool sampled) {
    double error = fabs(a->value - right->value) / fabs(right->value);
    if (!isfinite(error)) return INFINITY;
    for (size_t i = 0; i < p->slopes; i++)
        error = fmax(error, slope_error(p, right, a, i, sampled));
    return error;
}

/* Differences of a sum of 10^6 numbers have few digits; in f32 fewer still. */
static double tolerance(const struct problem *p, const struct contestant *who) {
    if (who->sampled) return p->dtype == WG_F32 ? 0.2 : 1e-2;
    return p->dtype == WG_F32 ? 1e-4 : 1e-9;
}

/* Value alone, then value and gradient, against the reference. */
static bool agrees(const struct problem *p, struct measurement *m, void *state,
                   const struct answer *right, struct answer *a) {
    bool ran = m->who->run(state, VALUE, 1, a) >= 0;
    double alone = fabs(a->value - right->value) / fabs(right->value);
    ran = ran && m->who->run(state, GRADIENT, 1, a) >= 0;
    m->error = fmax(isfinite(alone) ? alone : INFINITY, answer_error(p, right, a, m->who->sampled));
    if (ran && m->error <= tolerance(p, m->who)) return true;
    fprintf(stderr, "compare: %s, %s: %s %s (off by %.1e)\n", p->of->name, p->sizes, m->who->name,
            ran ? "disagrees with the hand-written C" : "failed", m->error);
    return false;
}

/* A check that cannot fail is none: the largest entry of the first slope, off by a thousandth, must
 * be noticed. */
static bool notices(const struct problem *p, const struct answer *right, struct answer *a) {
    size_t largest = 0;
    slopes_copy(p, a->slope, (const void *const *)right->slope);
    a->value = right->value;
    for (size_t k = 1; k < problem_slope_count(p, 0); k++)
        if (fabs(slope_get(p, a->slope[0], k)) > fabs(slope_get(p, a->slope[0], largest)))
            largest = k;
    bool same = answer_error(p, right, a, false) == 0;
    slope_set(p, a->slope[0], largest, slope_get(p, a->slope[0], largest) * 1.001);
    return same && answer_error(p, right, a, false) > tolerance(p, &contestant_hand);
}

/* ---- one row of the table ------------------------------------------------------------------- */

#ifndef WG_ADOLC
static void *open_absent(const struct contestant *of, const struct problem *p, const char **why) {
    (void)of, (void)p;
    return *why = "absent when this was built (Debian: libadolc-dev)", NULL;
}
const struct contestant contestant_adolc = {.name = "ADOL-C", .open = open_absent};
#endif

static void list_contestants(struct row *row, const struct options *options) {
    for (size_t i = 0; i < contestants_ours_count; i++)
        row->by[row->count++].who = &contestants_ours[i];
    row->by[row->count++].who = &contestant_hand;
    row->by[row->count++].who = &contestant_adolc;
    if (options->torch) row->by[row->count++].who = &contestant_torch;
    row->by[row->count++].who = &contestant_differences;
}

static void *open_timed(struct measurement *m, const struct problem *p, double *seconds,
                        double *worked) {
    double start = seconds_now();
    void *state = m->who->open(m->who, p, &m->why);
    *seconds = seconds_now() - start;
    if (state && m->who->preparation) *seconds = m->who->preparation(state, worked);
    return state;
}

/* What the first preparation took, by a process of its own: its children are the compilers and
 * nobody else, whose largest memory the system tells. False: it could not be made. */
struct first {
    double seconds, worked, memory;
    bool good;
};
static bool open_apart(struct measurement *m, const struct problem *p, struct first *first) {
    int end[2];
    if (pipe(end)) return false;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rusage usage;
        first->good = open_timed(m, p, &first->seconds, &first->worked) != NULL;
        if (getrusage(RUSAGE_CHILDREN, &usage) == 0)
            first->memory = 1024.0 * (double)usage.ru_maxrss;
        bool told = write(end[1], first, sizeof *first) == (ssize_t)sizeof *first;
        _exit(told ? 0 : 1);
    }
    close(end[1]);
    bool told = child > 0 && read(end[0], first, sizeof *first) == (ssize_t)sizeof *first;
    close(end[0]);
    if (child > 0) waitpid(child, NULL, 0);
    return told && first->good;
}

/* Twice, because what was compiled once may be found again. */
static void *make_ready(struct measurement *m, const struct problem *p) {
    struct first first = {0};
    if (m->who->ours && open_apart(m, p, &first)) {
        m->prepare[0] = first.seconds;
        m->memory = first.memory;
        m->prepare_worked = first.worked;
    } else {
        void *state = open_timed(m, p, &m->prepare[0], &m->prepare_worked);
        if (!state) return NULL;
        m->who->close(state);
    }
    return open_timed(m, p, &m->prepare[1], &first.worked);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, by_size);
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
}

/* How often a sample repeats the work: until it is long enough also when all is warm. */
static bool calibrate(struct measurement *m, void *state, double sample) {
    for (enum work work = VALUE; work < WORKS; work++) {
        int64_t repeat = 1;
        for (double seconds = -1; seconds < sample;) {
            if (seconds >= 0) repeat = (int64_t)ceil(1.2 * sample / fmax(seconds, 1e-7)) * repeat;
            seconds = m->who->run(state, work, repeat, NULL);
            if (seconds < 0) return false;
        }
        m->repeat[work] = repeat;
    }
    return true;
}

static bool take_turns(struct row *row, void *const *state, const struct options *options) {
    static double sample[MAX_CONTESTANTS][WORKS][MAX_ROUNDS];
    for (size_t i = 0; i < row->count; i++)
        if (state[i] && !calibrate(&row->by[i], state[i], options->sample)) return false;
    for (int round = 0; round < options->rounds; round++)
        for (size_t i = 0; i < row->count; i++)
            for (enum work work = VALUE; state[i] && work < WORKS; work++) {
                const struct measurement *m = &row->by[i];
                double seconds = m->who->run(state[i], work, m->repeat[work], NULL);
                if (seconds < 0) return false;
                sample[i][work][round] = seconds / (double)m->repeat[work];
            }
    for (size_t i = 0; i < row->count; i++)
        for (enum work work = VALUE; state[i] && work < WORKS; work++)
            row->by[i].seconds[work] = median(sample[i][work], options->rounds);
    return true;
}

static bool measure(struct row *row, const struct problem *p, const struct options *options) {
    void *state[MAX_CONTESTANTS] = {NULL};
    struct answer right, a;
    const char *why = NULL;
    bool made = slopes_make(p, right.slope), good = slopes_make(p, a.slope) && made;
    void *reference = good ? contestant_hand.open(&contestant_hand, p, &why) : NULL;
    good = reference && contestant_hand.run(reference, GRADIENT, 1, &right) >= 0;
    if (reference) contestant_hand.close(reference);
    if (good && !notices(p, &right, &a)) {
        fprintf(stderr, "compare: %s: a spoilt gradient passes\n", p->of->name);
        good = false;
    }
    for (size_t i = 0; good && i < row->count; i++) {
        state[i] = make_ready(&row->by[i], p);
        if (!state[i] && row->by[i].who->ours) {
            fprintf(stderr, "compare: %s: %s\n", p->of->name, row->by[i].why);
            good = false;
        }
        if (state[i] && !agrees(p, &row->by[i], state[i], &right, &a)) good = false;
    }
    good = good && take_turns(row, state, options);
    for (size_t i = 0; i < row->count; i++)
        if (state[i]) row->by[i].who->close(state[i]);
    slopes_free(right.slope);
    slopes_free(a.slope);
    return good;
}

static bool run_problem(struct report *report, const struct bench_case *of, const char *sizes,
                        const struct options *options) {
    struct row *row = &report->row[report->rows];
    struct problem p;
    wg_error error = {0};
    bool good = problem_make(&p, of, sizes, &error) == WG_OK;
    if (!good) fprintf(stderr, "compare: %s, %s: %s\n", of->name, sizes, error.message);
    *row = (struct row){.of = of, .sizes = sizes, .dtype = p.dtype};
    list_contestants(row, options);
    good = good && measure(row, &p, options);
    problem_free(&p);
    if (!good) return false;
    report_row(row);
    report->rows++;
    return true;
}

/* ---- the command ---------------------------------------------------------------------------- */

static bool read_options(int argc, char **argv, struct options *options) {
    *options = complete;
    for (int i = 1; i < argc; i++) {
        const char *json = options->json, *only = options->only;
        if (!strcmp(argv[i], "--quick"))
            *options = quick;
        else if (!strcmp(argv[i], "--smoke"))
            *options = smoke;
        else if (!strcmp(argv[i], "--json") && i + 1 < argc)
            json = argv[++i];
        else if (!strcmp(argv[i], "--case") && i + 1 < argc)
            only = argv[++i];
        else
            return false;
        options->json = json;
        options->only = only;
    }
    return true;
}

int main(int argc, char **argv) {
    struct options options;
    static struct report report;
    if (!read_options(argc, argv, &options))
        return fputs("usage: compare [--quick | --smoke] [--case NAME] [--json FILE]\n", stderr), 2;
    report.mode = options.mode;
    report.rounds = options.rounds;
    report.sample = options.sample;
    bool good = true;
    report_head(&report);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (options.only && strcmp(options.only, cases[i]->name) != 0) continue;
        const char *const *sizes = cases[i]->sizes;
        if (options.smallest)
            good = run_problem(&report, cases[i], sizes[0], &options) && good;
        else
            while (*++sizes) good = run_problem(&report, cases[i], *sizes, &options) && good;
    }
    if (!options.smallest) {
        report_preparation(&report);
        report_targets(&report);
    }
    if (options.json && !report_json(&report, options.json)) {
        fprintf(stderr, "compare: %s cannot be written\n", options.json);
        good = false;
    }
    torch_stop();
    if (!good) fputs("compare: not everybody agreed or ran: see above\n", stderr);
    return good ? 0 : 1;
}
