/* What the comparison is made of. A case is a function with sizes to try; a problem is a case at
 * one of them, with its data; a contestant is a way to compute a problem's value and gradient. To
 * add a case: one file with a `struct bench_case`, its name in CASES below, and, where the peers
 * shall take part, its function in adolc.cc and torch_peer.py.
 *
 * bench/compare/main.c runs contestants in turns, report.c prints. */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

#include <wengert.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MAX_INPUTS = 10, MAX_SIZES = 4, MAX_CONTESTANTS = 8, MAX_ROWS = 32 };

/* ---- cases ---------------------------------------------------------------------------------- */

struct problem;

struct bench_case {
    const char *name, *what;
    /* The function: text in the formula language, or where a loop writes it, a builder. Its output
     * is a floating scalar. */
    const char *formula;
    wg_program *(*build)(const struct problem *p, wg_error *error);
    const char *wrt; /* what the gradient is taken with respect to, as wg_grad reads it */
    /* Named sizes as wg_specialize reads them, the first one small (for the smoke test). */
    const char *sizes[MAX_SIZES + 1];
    void (*fill)(struct problem *p, wg_random *random); /* NULL: all from N(0, 1) */

    /* Hand-written C. The gradient writes the adjoint of the i-th input of wrt to slope[i] and
     * gives the value too. Both may use p->scratch, of scratch(p) bytes (NULL: none). */
    double (*value)(const struct problem *p);
    double (*gradient)(const struct problem *p, void *const *slope);
    size_t (*scratch)(const struct problem *p);
};

#define CASES(X)                                                                                   \
    X(chain)                                                                                       \
    X(logsumexp) X(polynomial) X(mixture) X(cross_entropy) X(network) X(deep_network) X(pendulum)
#define DECLARE(name) extern const struct bench_case case_##name;
CASES(DECLARE)
#undef DECLARE

struct problem {
    const struct bench_case *of;
    const char *sizes;
    size_t inputs, slopes;
    wg_tensor input[MAX_INPUTS]; /* owned */
    char input_name[MAX_INPUTS][16];
    size_t wrt[MAX_INPUTS]; /* slope i belongs to input wrt[i] */
    wg_dtype dtype;         /* of the inputs of wrt */
    void *scratch;
};

/* Builds the case's program at these sizes, makes room for its inputs and fills them from a fixed
 * seed. problem_free releases what is there, also after an error. */
wg_status problem_make(struct problem *p, const struct bench_case *of, const char *sizes,
                       wg_error *error);
void problem_free(struct problem *p);
/* A new program of the problem at its sizes, as a user writes it: where our contestants start. */
wg_program *problem_program(const struct problem *p, wg_error *error);
/* The elements of all slopes together, and of slope i. */
size_t problem_unknowns(const struct problem *p);
size_t problem_slope_count(const struct problem *p, size_t i);

/* Room for all slopes, each of the type of its input; false where memory is short. slopes_free
 * takes what slopes_make left, however it ended. */
bool slopes_make(const struct problem *p, void *slope[MAX_INPUTS]);
void slopes_free(void *slope[MAX_INPUTS]);
void slopes_copy(const struct problem *p, void *const *to, const void *const *from);
double slope_get(const struct problem *p, const void *slope, size_t k);
void slope_set(const struct problem *p, void *slope, size_t k, double x);

/* ---- contestants ---------------------------------------------------------------------------- */

enum work { VALUE, GRADIENT, WORKS }; /* GRADIENT: the value and the whole gradient */

/* Room for the answers: slope[i] has the type of its input. */
struct answer {
    double value;
    void *slope[MAX_INPUTS];
};

/* A way to compute. open makes it ready for one problem (this is timed as its preparation), run
 * repeats the work so many times and gives the seconds that took, below 0 where it failed; with an
 * answer it writes that too (not timed). */
struct contestant {
    const char *name;
    bool ours;
    /* Differences: only some coordinates are computed and the time is extrapolated; the others are
     * NaN, and what is there is compared to the tolerance that differences allow. */
    bool sampled;
    int backend;
    /* NULL, and *why in words, where it is absent or the problem is not for it. */
    void *(*open)(const struct contestant *of, const struct problem *p, const char **why);
    double (*run)(void *state, enum work work, int64_t repeat, struct answer *answer);
    void (*close)(void *state);
    /* Seconds that making the gradient ready took, where open makes more ready, and what processors
     * worked for it, those of a compiler too; may be NULL. */
    double (*preparation)(const void *state, double *worked);
};

extern const struct contestant contestants_ours[];
extern const size_t contestants_ours_count;
extern const struct contestant contestant_hand, contestant_adolc, contestant_torch;
extern const struct contestant contestant_differences;

void torch_stop(void);           /* ends PyTorch's process, if one runs */
const char *torch_version(void); /* "1.13.0", or why there is none; starts it */

double seconds_now(void); /* by the wall, for what other processes work at too, as a compiler */
/* Processor time of this process, all threads: what work is timed by, so that whoever else uses the
 * machine costs a contestant nothing but the caches. */
double seconds_worked(void);
double seconds_of_children(void); /* likewise of the processes that this one has waited for */

/* ---- what was measured ---------------------------------------------------------------------- */

struct measurement {
    const struct contestant *who;
    const char *why;   /* it takes no part; else NULL */
    double error;      /* largest disagreement with the hand-written C, over the largest entry */
    double prepare[2]; /* seconds to make the gradient ready: for the first time, and again */
    double prepare_worked; /* processor time for the first time */
    double memory;         /* bytes that the largest compiler of the first time had; 0: none ran */
    double seconds[WORKS]; /* medians */
    int64_t repeat[WORKS]; /* runs a sample */
};

struct row {
    const struct bench_case *of;
    const char *sizes;
    wg_dtype dtype;
    size_t count;
    struct measurement by[MAX_CONTESTANTS];
};

struct report {
    struct row row[MAX_ROWS];
    size_t rows;
    const char *mode;
    int rounds;
    double sample; /* seconds that a sample takes at least */
};

void report_head(const struct report *report);
void report_row(const struct row *row);
/* How long our back ends took to make each problem's gradient ready, at first and again. */
void report_preparation(const struct report *report);
/* Prints the targets as met or missed. */
void report_targets(const struct report *report);
/* Everything as JSON; false where writing failed. */
bool report_json(const struct report *report, const char *path);

#ifdef __cplusplus
}
#endif
#endif
