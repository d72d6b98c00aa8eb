/* What the GradBench tool is made of. An evaluation is a function of the suite with its derivative;
 * a job is one request for either, with its data. To add an evaluation: one file with a `struct
 * evaluation`, and its name in EVALUATIONS below.
 *
 * main.c speaks the protocol, work.c makes a job ready and repeats it, data.c reads and writes
 * arrays in JSON, plain.c holds each function in plain C to compare with. Only the public interface
 * of Wengert is used. */
#ifndef BENCH_GRADBENCH_H
#define BENCH_GRADBENCH_H

#include <wengert.h>

#include <cjson/cJSON.h>

enum { MAX_ARGUMENTS = 16, NAME_LENGTH = 32 };

struct job;

struct evaluation {
    const char *name;
    const char *value_name, *derivative_name; /* its functions, as requests call them */

    /* Takes the job's arguments from a request (see data.c), and whatever `own` holds. */
    void (*read)(struct job *job, const cJSON *input);
    /* The function, a program on the job's arguments, found by their names. */
    wg_program *(*value)(const struct job *job, wg_error *error);
    /* What is asked of it as its derivative; NULL: the gradient with respect to `wrt`. */
    wg_program *(*derivative)(const struct job *job, const wg_program *value, wg_error *error);
    /* The answer, from job->result: the program's outputs, f64, one behind the other. */
    cJSON *(*answer)(const struct job *job);

    /* The function in plain C, and how to move its arguments by h in direction k, 0 .. directions-1
     * (NULL: those of wrt, element by element). The derivative's results are [value's results,
     * directions] in this order. */
    void (*plain)(const struct job *job, double *y);
    const char *wrt;
    size_t (*directions)(const struct job *job);
    void (*move)(struct job *job, size_t k, double h);
};

#define EVALUATIONS(X) X(hello) X(gmm) X(ba) X(ht) X(lstm) X(llsq) X(lse)
#define DECLARE(name) extern const struct evaluation evaluation_##name;
EVALUATIONS(DECLARE)
#undef DECLARE

/* An input of the programs: data in malloc's memory, the job's. */
struct argument {
    char name[NAME_LENGTH];
    wg_tensor tensor;
};

struct job {
    const struct evaluation *of;
    bool derivative; /* else the value */
    struct argument argument[MAX_ARGUMENTS];
    size_t arguments;
    void *own; /* what the evaluation keeps beside, of malloc; freed with the job */
    double *result;
    size_t results;
    wg_error error; /* the first; all functions below do nothing once there is one */
};

/* How a job is computed. */
struct mode {
    bool plain; /* by plain C: values, and derivatives by its differences */
    wg_backend backend;
};

/* ---- data.c: reading requests and writing answers. Names are those of fields of the input. --- */

void job_fail(struct job *job, wg_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The field, or an error. */
const cJSON *get(struct job *job, const cJSON *input, const char *name);
double get_number(struct job *job, const cJSON *input, const char *name);
/* A whole number of least .. 2^31. */
int64_t get_count(struct job *job, const cJSON *input, const char *name, int64_t least);
/* The elements of a list; 0 after an error. */
int64_t get_length(struct job *job, const cJSON *input, const char *name);
/* Numbers in nested lists of these lengths, in row-major order; NULL after an error, else the
 * caller's. */
double *get_array(struct job *job, const cJSON *input, const char *name, int rank,
                  const int64_t *shape);
/* The next argument, its data to be filled; NULL after an error. */
void *add_argument(struct job *job, const char *name, wg_dtype dtype, int rank,
                   const int64_t *shape);
/* The next argument, of f64, from the field of its name; its data, NULL after an error. */
double *add_array(struct job *job, const cJSON *input, const char *name, int rank,
                  const int64_t *shape);
double *add_number(struct job *job, const char *name, double x);
/* The data and the shape of an argument; the job has it. */
void *data_of(const struct job *job, const char *name);
const int64_t *shape_of(const struct job *job, const char *name);
#define SHAPE(...)                                                                                 \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) { __VA_ARGS__ }

/* Numbers as nested lists, with all their digits; NULL without memory. */
cJSON *json_array(const double *x, int rank, const int64_t *shape);

/* ---- work.c ---------------------------------------------------------------------------------- */

/* A text in the formula language (its last function, or its formula) with named sizes fixed, as
 * wg_specialize reads them (NULL: there are none). */
wg_program *formula(const char *text, const char *sizes, wg_error *error);
/* An input of g with the type of the job's argument. */
wg_var input_of(wg_graph *g, const struct job *job, const char *name);

/* Computes a job: repeated until there were min_runs runs and min_seconds seconds of them. Appends
 * to timings, a list. False, with job->error, where it could not. */
bool job_run(struct job *job, const struct mode *mode, int64_t min_runs, double min_seconds,
             cJSON *timings);
void job_free(struct job *job);

#endif
