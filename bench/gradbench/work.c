/* Computing a job: its program is built, differentiated and compiled, which is its preparation and
 * depends on shapes and constant data alone; then it is called again and again, with a workspace
 * and into buffers that are there. In plain mode the function of plain C is called instead, and
 * derivatives are its central differences, which are there to check small jobs by. */
#include "gradbench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_RESULTS = 8 };

/* ---- programs -------------------------------------------------------------------------------- */

wg_program *formula(const char *text, const char *sizes, wg_error *error) {
    wg_program *named = wg_parse(text, strlen(text), NULL, error);
    if (!sizes || !named) return named;
    wg_program *fixed = wg_specialize(named, sizes, error);
    wg_program_free(named);
    return fixed;
}

static const struct argument *find_argument(const struct job *job, const char *name) {
    for (size_t i = 0; i < job->arguments; i++)
        if (strcmp(job->argument[i].name, name) == 0) return &job->argument[i];
    return NULL;
}

wg_var input_of(wg_graph *g, const struct job *job, const char *name) {
    const wg_tensor *t = &find_argument(job, name)->tensor;
    return wg_input(g, name, wg_type_of(t->dtype, (size_t)t->rank, t->shape));
}

/* A program made ready, with the buffers of a call. */
struct prepared {
    wg_function *fn;
    void *workspace;
    const void *input[MAX_ARGUMENTS];
    void *output[MAX_RESULTS];
};

static int64_t count_elements(wg_type type) {
    int64_t count = 1;
    for (int i = 0; i < type.rank; i++) count *= type.extent[i];
    return count;
}

static void find_inputs(struct job *job, const wg_program *program, struct prepared *to) {
    for (size_t i = 0; i < wg_input_count(program); i++) {
        const char *name = wg_input_name(program, i);
        const struct argument *a = find_argument(job, name);
        if (!a) {
            job_fail(job, WG_ENAME, "%s: no argument '%s'", job->of->name, name);
            return;
        }
        to->input[i] = a->tensor.data;
    }
}

/* Room for the results, one behind the other. */
static double *make_results(struct job *job, size_t count) {
    job->results = count;
    job->result = calloc(count + 1, sizeof *job->result);
    if (!job->result) job_fail(job, WG_ENOMEM, "%s: not enough memory", job->of->name);
    return job->result;
}

static void find_outputs(struct job *job, const wg_program *program, struct prepared *to) {
    size_t count = 0;
    if (wg_output_count(program) > MAX_RESULTS)
        job_fail(job, WG_EARGUMENT, "%s: more than %d outputs", job->of->name, MAX_RESULTS);
    if (job->error.status) return;
    for (size_t i = 0; i < wg_output_count(program); i++)
        count += (size_t)count_elements(wg_output_type(program, i));
    double *at = make_results(job, count);
    for (size_t i = 0; at && i < wg_output_count(program); i++) {
        to->output[i] = at;
        at += count_elements(wg_output_type(program, i));
    }
}

static wg_program *program_of(struct job *job) {
    wg_program *value = job->of->value(job, &job->error);
    if (!job->derivative) return value;
    wg_program *derivative = job->of->derivative ? job->of->derivative(job, value, &job->error)
                                                 : wg_grad(value, job->of->wrt, &job->error);
    wg_program_free(value);
    return derivative;
}

static void prepare(struct job *job, const struct mode *mode, struct prepared *to) {
    wg_program *program = program_of(job);
    to->fn = wg_compile(program, &(wg_options){.backend = mode->backend}, &job->error);
    to->workspace = wg_workspace_new(to->fn, NULL, &job->error);
    if (to->fn && mode->backend == WG_NATIVE && *wg_function_note(to->fn))
        fprintf(stderr, "gradbench: %s: %s\n", job->of->name, wg_function_note(to->fn));
    if (!job->error.status) find_inputs(job, program, to);
    if (!job->error.status) find_outputs(job, program, to);
    wg_program_free(program);
}

/* ---- plain C --------------------------------------------------------------------------------- */

/* The first input of a list "a, b", which *list leaves behind. */
static const wg_tensor *next_of(const struct job *job, const char **list) {
    char name[NAME_LENGTH] = "";
    sscanf(*list, "%31[^, ]", name);
    *list += strcspn(*list, ",");
    *list += strspn(*list, ", ");
    return &find_argument(job, name)->tensor;
}

static size_t count_directions(const struct job *job) {
    size_t count = 0;
    if (job->of->directions) return job->of->directions(job);
    for (const char *list = job->of->wrt; *list;)
        count += (size_t)wg_tensor_count(next_of(job, &list));
    return count;
}

static void move(struct job *job, size_t k, double h) {
    if (job->of->move) {
        job->of->move(job, k, h);
        return;
    }
    for (const char *list = job->of->wrt; *list;) {
        const wg_tensor *t = next_of(job, &list);
        size_t count = (size_t)wg_tensor_count(t);
        if (k < count) {
            ((double *)t->data)[k] += h;
            return;
        }
        k -= count;
    }
}

/* result[i,k] = (y_i(x + h e_k) - y_i(x - h e_k)) / 2h. Moves add and take away the same h, which
 * is a power of 2: what rounding leaves in x is far below the error of the difference. */
static void differences(struct job *job, size_t values, double *y) {
    static const double h = 0x1p-17;
    size_t count = count_directions(job);
    for (size_t k = 0; k < count; k++) {
        move(job, k, h);
        job->of->plain(job, y);
        move(job, k, -2 * h);
        job->of->plain(job, y + values);
        move(job, k, h);
        for (size_t i = 0; i < values; i++)
            job->result[i * count + k] = (y[i] - y[values + i]) / (2 * h);
    }
}

/* ---- runs ------------------------------------------------------------------------------------ */

/* By the wall for the preparation, where a compiler works too; a run, which is one thread's, in
 * processor time, so that whoever else uses the machine costs it nothing but the caches. */
static int64_t nanoseconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void add_timing(cJSON *timings, const char *name, int64_t nanoseconds) {
    cJSON *timing = cJSON_CreateObject();
    cJSON_AddStringToObject(timing, "name", name);
    cJSON_AddNumberToObject(timing, "nanoseconds", (double)nanoseconds);
    cJSON_AddItemToArray(timings, timing);
}

/* The values that plain C gives: the results of the value's program. */
static size_t count_values(struct job *job) {
    size_t count = 0;
    wg_program *value = job->of->value(job, &job->error);
    for (size_t i = 0; value && i < wg_output_count(value); i++)
        count += (size_t)count_elements(wg_output_type(value, i));
    wg_program_free(value);
    return count;
}

struct plain {
    size_t values;
    double *y; /* two times the values */
};

static void prepare_plain(struct job *job, struct plain *to) {
    to->values = count_values(job);
    to->y = calloc(2 * to->values + 1, sizeof *to->y);
    if (!to->y) job_fail(job, WG_ENOMEM, "%s: not enough memory", job->of->name);
    if (!job->error.status)
        make_results(job, to->values * (job->derivative ? count_directions(job) : 1));
}

static void run_once(struct job *job, const struct mode *mode, struct prepared *prepared,
                     struct plain *plain) {
    if (!mode->plain)
        wg_call_with(prepared->fn, NULL, prepared->input, prepared->output, prepared->workspace,
                     &job->error);
    else if (job->derivative)
        differences(job, plain->values, plain->y);
    else
        job->of->plain(job, job->result);
}

/* A run that the clock is too coarse for is timed together with others. */
static int64_t runs_at_once(int64_t took) {
    enum { LONG_ENOUGH = 20000 };
    return took >= LONG_ENOUGH ? 1 : LONG_ENOUGH / (took > 20 ? took : 20);
}

bool job_run(struct job *job, const struct mode *mode, int64_t min_runs, double min_seconds,
             cJSON *timings) {
    struct prepared prepared = {0};
    struct plain plain = {0};
    int64_t start = nanoseconds_of(CLOCK_MONOTONIC), spent = 0;
    if (job->error.status) return false;
    if (mode->plain)
        prepare_plain(job, &plain);
    else
        prepare(job, mode, &prepared);
    add_timing(timings, "prepare", nanoseconds_of(CLOCK_MONOTONIC) - start);
    for (int64_t run = 0, batch = 1;
         !job->error.status && (run < min_runs || (double)spent < min_seconds * 1e9);
         run += batch, batch = runs_at_once(spent / run)) {
        start = nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID);
        for (int64_t i = 0; i < batch; i++) run_once(job, mode, &prepared, &plain);
        int64_t took = nanoseconds_of(CLOCK_PROCESS_CPUTIME_ID) - start;
        spent += took > batch ? took : batch;
        for (int64_t i = 0; i < batch; i++) add_timing(timings, "evaluate", took / batch);
    }
    free(plain.y);
    wg_workspace_free(prepared.workspace);
    wg_function_free(prepared.fn);
    return !job->error.status;
}

void job_free(struct job *job) {
    for (size_t i = 0; i < job->arguments; i++) free(job->argument[i].tensor.data);
    free(job->own);
    free(job->result);
}
