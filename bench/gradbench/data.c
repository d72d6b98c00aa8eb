/* A job's arguments from JSON, and arrays as JSON. A field that is missing or has another shape is
 * an error that names it. Lists are walked once: cJSON finds an element by counting. */
#include "gradbench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void job_fail(struct job *job, wg_status status, const char *format, ...) {
    if (job->error.status) return;
    va_list list;
    va_start(list, format);
    job->error.status = status;
    vsnprintf(job->error.message, sizeof job->error.message, format, list);
    va_end(list);
}

const cJSON *get(struct job *job, const cJSON *input, const char *name) {
    if (job->error.status) return NULL;
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(input, name);
    if (!x) job_fail(job, WG_ENAME, "%s: the input has no '%s'", job->of->name, name);
    return x;
}

double get_number(struct job *job, const cJSON *input, const char *name) {
    const cJSON *x = get(job, input, name);
    if (!x) return 0;
    if (!cJSON_IsNumber(x)) job_fail(job, WG_EDTYPE, "%s: '%s' is no number", job->of->name, name);
    return x->valuedouble;
}

int64_t get_count(struct job *job, const cJSON *input, const char *name, int64_t least) {
    double x = get_number(job, input, name);
    if (x >= (double)least && x <= 0x1p31 && x == floor(x)) return (int64_t)x;
    job_fail(job, WG_EARGUMENT, "%s: '%s' is no whole number of at least %lld", job->of->name, name,
             (long long)least);
    return least;
}

int64_t get_length(struct job *job, const cJSON *input, const char *name) {
    const cJSON *x = get(job, input, name);
    if (!x) return 0;
    if (!cJSON_IsArray(x)) job_fail(job, WG_ESHAPE, "%s: '%s' is no list", job->of->name, name);
    return cJSON_GetArraySize(x);
}

static int64_t count_of(int rank, const int64_t *shape) {
    wg_tensor t = {.rank = rank};
    for (int i = 0; i < rank; i++) t.shape[i] = shape[i];
    return wg_tensor_count(&t);
}

/* Whether x is nested lists of numbers of this shape; *to is filled. */
static bool read_numbers(const cJSON *x, int rank, const int64_t *shape, double **to) {
    if (rank == 0) {
        if (!cJSON_IsNumber(x)) return false;
        *(*to)++ = x->valuedouble;
        return true;
    }
    if (!cJSON_IsArray(x)) return false;
    int64_t left = shape[0];
    for (const cJSON *e = x->child; e; e = e->next)
        if (left-- == 0 || !read_numbers(e, rank - 1, shape + 1, to)) return false;
    return left == 0;
}

static void fail_shape(struct job *job, const char *name, int rank, const int64_t *shape) {
    char text[128] = "";
    for (int i = 0, end = 0; i < rank && end < 100; i++)
        end += snprintf(text + end, sizeof text - (size_t)end, "[%lld]", (long long)shape[i]);
    job_fail(job, WG_ESHAPE, "%s: '%s' is not float%s", job->of->name, name, text);
}

static double *room(struct job *job, size_t bytes) {
    /* aligned, and touched, so that no clock sees its pages come */
    size_t size = (bytes + 64) / 64 * 64;
    void *block = job->error.status ? NULL : aligned_alloc(64, size);
    if (block) return memset(block, 0, size);
    job_fail(job, WG_ENOMEM, "%s: not enough memory", job->of->name);
    return NULL;
}

double *get_array(struct job *job, const cJSON *input, const char *name, int rank,
                  const int64_t *shape) {
    const cJSON *x = get(job, input, name);
    double *data = x ? room(job, (size_t)count_of(rank, shape) * sizeof *data) : NULL, *end = data;
    if (!data) return NULL;
    if (read_numbers(x, rank, shape, &end)) return data;
    fail_shape(job, name, rank, shape);
    free(data);
    return NULL;
}

static void *keep_argument(struct job *job, const char *name, wg_dtype dtype, int rank,
                           const int64_t *shape, void *data) {
    if (job->arguments == MAX_ARGUMENTS)
        job_fail(job, WG_EARGUMENT, "%s: more than %d arguments", job->of->name, MAX_ARGUMENTS);
    if (job->error.status) return free(data), NULL;
    struct argument *a = &job->argument[job->arguments++];
    snprintf(a->name, sizeof a->name, "%s", name);
    a->tensor = (wg_tensor){.data = data, .dtype = dtype, .rank = rank};
    for (int i = 0; i < rank; i++) a->tensor.shape[i] = shape[i];
    return data;
}

void *add_argument(struct job *job, const char *name, wg_dtype dtype, int rank,
                   const int64_t *shape) {
    size_t bytes = (size_t)count_of(rank, shape) * wg_dtype_size(dtype);
    return keep_argument(job, name, dtype, rank, shape, room(job, bytes));
}

double *add_array(struct job *job, const cJSON *input, const char *name, int rank,
                  const int64_t *shape) {
    return keep_argument(job, name, WG_F64, rank, shape, get_array(job, input, name, rank, shape));
}

double *add_number(struct job *job, const char *name, double x) {
    double *to = add_argument(job, name, WG_F64, 0, NULL);
    if (to) *to = x;
    return to;
}

static const wg_tensor *argument_of(const struct job *job, const char *name) {
    size_t i = 0;
    while (i + 1 < job->arguments && strcmp(job->argument[i].name, name) != 0) i++;
    return &job->argument[i].tensor;
}

void *data_of(const struct job *job, const char *name) { return argument_of(job, name)->data; }

const int64_t *shape_of(const struct job *job, const char *name) {
    return argument_of(job, name)->shape;
}

/* Text of about 24 bytes a number, which cJSON keeps as it is. */
cJSON *json_array(const double *x, int rank, const int64_t *shape) {
    int64_t count = count_of(rank, shape);
    size_t brackets = 2;
    for (int i = 0; i + 1 < rank; i++) brackets += 3 * (size_t)count_of(i + 1, shape);
    char *text = malloc((size_t)count * 26 + brackets + 16), *to = text;
    if (!text) return NULL;
    for (int64_t i = 0; i < count; i++) {
        int64_t block = 1;
        if (i) *to++ = ',';
        for (int k = rank; k-- > 0;)
            if (i % (block *= shape[k]) == 0) *to++ = '[';
        /* JSON has no word for these */
        to += isfinite(x[i]) ? sprintf(to, "%.17g", x[i]) : sprintf(to, "null");
        block = 1;
        for (int k = rank; k-- > 0;)
            if ((i + 1) % (block *= shape[k]) == 0) *to++ = ']';
    }
    if (count == 0) to += sprintf(to, "[]");
    *to = 0;
    cJSON *json = cJSON_CreateRaw(text);
    free(text);
    return json;
}
