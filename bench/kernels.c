/* The interpreter's kernels and native code against the machine: elementwise operations, sums and
 * movements of data as a share of the memory bandwidth that plain loops reach on arrays that fit no
 * cache, and products of matrices, large, narrow and tiny, beside OpenBLAS called directly. All are
 * taken in turns in one run, and medians compared.
 *
 *     kernels [WORD]      WORD: only the lines that have it in their name, as "native" has each
 *                         second one
 *
 * Fails where what only moves data, or computes less than memory takes, is below 80 % of the
 * bandwidth, or a product below 90 % of OpenBLAS. Lines without a verdict are bound by arithmetic,
 * or walk memory in an order that their data say. */
#include <wengert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef WG_BLAS
#include <cblas.h>
#endif

enum { BYTES = 1 << 26, ROUNDS = 9, ROW = 64, OPERANDS = 3 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *seconds) {
    qsort(seconds, ROUNDS, sizeof *seconds, by_value);
    return seconds[ROUNDS / 2];
}

/* ---- what is measured ----------------------------------------------------------------------- */

enum { MATRIX = 2, ROWS, VECTOR = 1 }; /* x[n, n]; x[n, ROW]; x[n] */

/* A movement or an elementwise operation on x (and y, and i, indices of rows) of about BYTES. */
struct movement {
    const char *name, *formula;
    const char *by; /* NULL: the formula; else its gradient by this */
    double moved;   /* bytes read and written, over the bytes of x */
    wg_dtype dtype;
    int shape;
    bool judged;
};

static const struct movement movements[] = {
    {"add", "f(x[n], y[n]) = x + y", NULL, 3, WG_F64, VECTOR, true},
    {"mul", "f(x[n], y[n]) = x * y", NULL, 3, WG_F64, VECTOR, true},
    {"max", "f(x[n], y[n]) = max(x, y)", NULL, 3, WG_F64, VECTOR, true},
    {"relu", "f(x[n]) = relu(x)", NULL, 2, WG_F64, VECTOR, true},
    {"where", "f(x[n], y[n]) = where(x > y, x, y)", NULL, 3, WG_F64, VECTOR, true},
    {"sqrt", "f(x[n]) = sqrt(x)", NULL, 2, WG_F64, VECTOR, true},
    {"exp", "f(x[n]) = exp(x)", NULL, 2, WG_F64, VECTOR, true},
    {"sum", "f(x[n]) = sum(x)", NULL, 1, WG_F64, VECTOR, true},
    {"sum, axis 0", "f(x[n,n]) = sum(x, axis=0)", NULL, 1, WG_F64, MATRIX, true},
    {"sum, axis 0, f32", "f(x[n,n]: f32) = sum(x, axis=0)", NULL, 1, WG_F32, MATRIX, true},
    {"sum, axis 0, i32", "f(x[n,n]: i32) = sum(x, axis=0)", NULL, 1, WG_I32, MATRIX, true},
    {"sum, axis 0, rows of 64", "f(x[n,64]) = sum(x, axis=0)", NULL, 1, WG_F64, ROWS, true},
    {"sum, axis 1", "f(x[n,n]) = sum(x, axis=1)", NULL, 1, WG_F64, MATRIX, true},
    {"sum, axis 1, rows of 64", "f(x[n,64]) = sum(x, axis=1)", NULL, 1, WG_F64, ROWS, true},
    {"broadcast of a row", "f(x[n,n]) = x + x[0]", NULL, 2, WG_F64, MATRIX, true},
    {"broadcast, f32", "f(x[n,n]: f32) = x + x[0]", NULL, 2, WG_F32, MATRIX, true},
    {"broadcast of a column", "f(x[n,n]) = x + expand(x[0], axis=1)", NULL, 2, WG_F64, MATRIX,
     true},
    {"broadcast, stored", "f(x[n,n]) = tile(x[0:1], n, 1)", NULL, 1, WG_F64, MATRIX, true},
    {"transpose", "f(x[n,n]) = transpose(x)", NULL, 2, WG_F64, MATRIX, true},
    {"transpose, f32", "f(x[n,n]: f32) = transpose(x)", NULL, 2, WG_F32, MATRIX, true},
    {"transpose, i32", "f(x[n,n]: i32) = transpose(x)", NULL, 2, WG_I32, MATRIX, true},
    {"transpose, rows of 64", "f(x[n,64]) = transpose(x)", NULL, 2, WG_F64, ROWS, true},
    {"slice of columns", "f(x[n,n]) = x[:, 8:]", NULL, 2, WG_F64, MATRIX, true},
    {"slice, every 2nd row", "f(x[2888,2888]) = x[1::2]", NULL, 1, WG_F64, MATRIX, true},
    {"slice, every 2nd", "f(x[8388608]) = x[1::2]", NULL, 1.5, WG_F64, VECTOR, true},
    {"reverse", "f(x[n]) = reverse(x)", NULL, 2, WG_F64, VECTOR, true},
    {"concat, axis 0", "f(x[n,n]) = concat(x, x[0:1], axis=0)", NULL, 2, WG_F64, MATRIX, true},
    {"concat, axis 1", "f(x[n,n]) = concat(x, x[:, 0:8], axis=1)", NULL, 2, WG_F64, MATRIX, true},
    {"pad", "f(x[n,n]) = pad(x, 1, 8, axis=1)", NULL, 2, WG_F64, MATRIX, true},
    {"take rows of 64", "f(x[n,64], i[n]: i32) = x[i]", NULL, 2, WG_F64, ROWS, false},
    {"scatter rows of 64", "f(x[n,64], y[n,64], i[n]: i32) = sum(x[i] * y)", "x", 3, WG_F64, ROWS,
     false},
    {"cumsum, axis 0", "f(x[n,n]) = cumsum(x, axis=0)", NULL, 2, WG_F64, MATRIX, false},
    {"cumsum, axis 1", "f(x[n,n]) = cumsum(x, axis=1)", NULL, 2, WG_F64, MATRIX, false},
    {"logsumexp, axis 1", "f(x[n,n]) = logsumexp(x, axis=1)", NULL, 1, WG_F64, MATRIX, false},
    {"softmax, axis 1", "f(x[n,n]) = softmax(x, axis=1)", NULL, 2, WG_F64, MATRIX, false},
    {"argsort, rows of 64", "f(x[n,64]) = argsort(x, axis=1)", NULL, 2, WG_F64, ROWS, false},
};
enum { MOVEMENTS = sizeof movements / sizeof *movements };

/* x[batch, m, k] @ y[batch, k, n] */
struct shapes {
    const char *name;
    int batch, m, k, n;
    bool f32;
};

static const struct shapes products[] = {
    {"1024 x 1024 x 1024", 1, 1024, 1024, 1024, false},
    {"256 x 256 x 256", 1, 256, 256, 256, false},
    {"64 x 64 x 64", 1, 64, 64, 64, false},
    {"64 x 64 x 64, f32", 1, 64, 64, 64, true},
    {"100 x 784 x 128, f32", 1, 100, 784, 128, true},
    {"100 x 784 x 128", 1, 100, 784, 128, false},
    {"100 x 128 x 10, f32", 1, 100, 128, 10, true},
    {"1000 x 1000 x 1", 1, 1000, 1000, 1, false},
    {"1 x 1000 x 1000", 1, 1, 1000, 1000, false},
    {"100 x 100 x 1", 1, 100, 100, 1, false},
    {"1000 of 10 x 10 x 1", 1000, 10, 10, 1, false},
    {"1000 of 16 x 16 x 16", 1000, 16, 16, 16, false},
    {"1000 of 8 x 8 x 8", 1000, 8, 8, 8, false},
    {"1000 of 4 x 4 x 4", 1000, 4, 4, 4, false},
    {"1000 of 4 x 4 x 4, f32", 1000, 4, 4, 4, true},
    {"1000 of 3 x 3 x 3", 1000, 3, 3, 3, false},
    {"1000 of 4 x 4 x 1", 1000, 4, 4, 1, false},
};
enum { PRODUCTS = sizeof products / sizeof *products, SUBJECTS = 2 * (MOVEMENTS + PRODUCTS) };

struct subject {
    const struct movement *movement; /* NULL: a product */
    const struct shapes *product;
    wg_backend backend;
    char name[48];
    wg_function *fn;
    void *workspace;
    int64_t n;
    int repeats; /* short ones more often than the clock is coarse */
    double seconds[ROUNDS], direct[ROUNDS];
};

/* Operands of BYTES and a result for every type, and indices of rows. */
struct data {
    void *x[WG_DTYPE_COUNT], *y[WG_DTYPE_COUNT], *out;
    uint32_t *index;
};

static int64_t width(wg_dtype dtype) { return dtype == WG_F64 ? 8 : 4; }

/* The n of x[n], x[n, ROW] or x[n, n]; the last is no power of two, which no cache likes. */
static int64_t size_of(const struct movement *m) {
    if (m->shape == VECTOR) return BYTES / width(m->dtype);
    if (m->shape == ROWS) return BYTES / width(m->dtype) / ROW;
    return m->dtype == WG_F64 ? 2888 : 3920;
}

static double bytes_of(const struct movement *m) {
    double n = (double)size_of(m), count = m->shape == VECTOR ? n
                                           : m->shape == ROWS ? n * ROW
                                                              : n * n;
    return m->moved * count * (double)width(m->dtype);
}

static void write_product(const struct shapes *p, char *formula, size_t size) {
    const char *type = p->f32 ? ": f32" : "";
    char batch[16] = "", column[16] = "";
    if (p->batch > 1) snprintf(batch, sizeof batch, "%d,", p->batch);
    if (p->batch > 1 || p->n > 1) snprintf(column, sizeof column, ",%d", p->n);
    snprintf(formula, size, "f(x[%s%d,%d]%s, y[%s%d%s]%s) = x @ y", batch, p->m, p->k, type, batch,
             p->k, column, type);
}

static void prepare(struct subject *s, wg_error *error) {
    char text[128];
    const char *formula = text, *by = NULL;
    if (s->movement) {
        formula = s->movement->formula;
        by = s->movement->by;
        s->n = size_of(s->movement);
        s->repeats = 1;
    } else {
        const struct shapes *p = s->product;
        write_product(p, text, sizeof text);
        double work = (double)p->batch * p->m * p->k * p->n;
        s->repeats = work > 5e7 ? 1 : (int)(5e7 / work);
    }
    size_t bytes = 0;
    wg_program *p = wg_parse(formula, strlen(formula), NULL, error);
    wg_program *slope = by ? wg_grad(p, by, error) : NULL;
    s->fn = wg_compile(slope ? slope : p, &(wg_options){.backend = s->backend}, error);
    wg_program_free(slope);
    wg_program_free(p);
    if (wg_workspace_size(s->fn, &s->n, &bytes, error) != WG_OK) return;
    s->workspace = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (s->workspace) memset(s->workspace, 0, bytes);
}

static wg_dtype dtype_of(const struct subject *s) {
    if (s->movement) return s->movement->dtype;
    return s->product->f32 ? WG_F32 : WG_F64;
}

static double call(struct subject *s, const struct data *d, wg_error *error) {
    wg_dtype dtype = dtype_of(s);
    const void *in[OPERANDS] = {d->x[dtype], d->y[dtype], d->index};
    if (s->movement && !strstr(s->movement->formula, "y[")) in[1] = d->index;
    if (s->product) /* finds its operands in the cache, as BLAS does after it */
        wg_call_with(s->fn, &s->n, in, (void *[]){d->out}, s->workspace, error);
    double begin = now();
    for (int i = 0; i < s->repeats; i++)
        wg_call_with(s->fn, &s->n, in, (void *[]){d->out}, s->workspace, error);
    return now() - begin;
}

/* ---- what it is measured against ------------------------------------------------------------ */

enum { N = BYTES / sizeof(double) };

static double copy(const struct data *d) {
    double begin = now();
    const double *x = d->x[WG_F64];
    double *restrict y = d->out;
    for (size_t i = 0; i < N; i++) y[i] = x[i] * 1.5;
    return now() - begin;
}

static double triad(const struct data *d) {
    double begin = now();
    const double *x = d->x[WG_F64], *z = d->y[WG_F64];
    double *restrict y = d->out;
    for (size_t i = 0; i < N; i++) y[i] = x[i] + 1.5 * z[i];
    return now() - begin;
}

/* The product as one writes it with BLAS: a matrix and a vector by gemv, a batch in a loop. */
static double blas(const struct subject *s, const struct data *d) {
    double begin = now();
#ifdef WG_BLAS
    int m = s->product->m, k = s->product->k, n = s->product->n, batch = s->product->batch;
#define BLAS_CALLS(T, PREFIX, DTYPE)                                                               \
    for (int i = 0; i < s->repeats * batch; i++) {                                                 \
        const T *x = (const T *)d->x[DTYPE] + (size_t)(i % batch * m * k);                         \
        const T *y = (const T *)d->y[DTYPE] + (size_t)(i % batch * k * n);                         \
        T *out = (T *)d->out + (size_t)(i % batch * m * n);                                        \
        if (n == 1)                                                                                \
            cblas_##PREFIX##gemv(CblasRowMajor, CblasNoTrans, m, k, 1, x, k, y, 1, 0, out, 1);     \
        else if (m == 1)                                                                           \
            cblas_##PREFIX##gemv(CblasRowMajor, CblasTrans, k, n, 1, y, n, x, 1, 0, out, 1);       \
        else                                                                                       \
            cblas_##PREFIX##gemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, x, k, y,   \
                                 n, 0, out, n);                                                    \
    }
    if (s->product->f32) {
        BLAS_CALLS(float, s, WG_F32)
    } else {
        BLAS_CALLS(double, d, WG_F64)
    }
#else
    (void)s, (void)d;
#endif
    return now() - begin;
}

/* ---- the report ----------------------------------------------------------------------------- */

static bool verdict(bool judged, double share, double least) {
    bool good = !judged || share >= least;
    puts(!judged ? "" : good ? "  PASS" : "  MISS");
    return good;
}

static bool report(struct subject *s, double bandwidth) {
    double seconds = median(s->seconds);
    const struct movement *m = s->movement;
    if (m) {
        double rate = bytes_of(m) / seconds;
        printf("%-32s %8.1f GB/s    %5.0f %% of bandwidth", s->name, rate * 1e-9,
               100 * rate / bandwidth);
        return verdict(m->judged, rate / bandwidth, 0.8);
    }
    const struct shapes *p = s->product;
    double flops = 2.0 * p->batch * p->m * p->k * p->n * s->repeats;
    double share = median(s->direct) / seconds;
    printf("%-32s %8.1f GFLOP/s %5.0f %% of OpenBLAS", s->name, flops / seconds * 1e-9,
           100 * share);
    return verdict(true, share, 0.9);
}

static bool make_data(struct data *d) {
    wg_random random = wg_random_seed(1);
    const wg_dtype dtype[] = {WG_F64, WG_F32, WG_I32};
    bool ready = true;
    d->out = aligned_alloc(64, BYTES + BYTES / 8);
    d->index = aligned_alloc(64, N / ROW * sizeof *d->index);
    for (int k = 0; k < 3; k++) {
        d->x[dtype[k]] = aligned_alloc(64, BYTES);
        d->y[dtype[k]] = aligned_alloc(64, BYTES);
        ready = ready && d->x[dtype[k]] && d->y[dtype[k]];
    }
    if (!ready || !d->out || !d->index) return false;
    memset(d->out, 0, BYTES + BYTES / 8);
    wg_random_permutation(&random, N / ROW, d->index);
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; i < BYTES / (size_t)width(dtype[k]); i++) {
            double x = wg_random_uniform(&random), y = 1 - x;
            if (dtype[k] == WG_F64)
                ((double *)d->x[WG_F64])[i] = x, ((double *)d->y[WG_F64])[i] = y;
            else if (dtype[k] == WG_F32)
                ((float *)d->x[WG_F32])[i] = (float)x, ((float *)d->y[WG_F32])[i] = (float)y;
            else
                ((int32_t *)d->x[WG_I32])[i] = (int32_t)(100 * x), ((int32_t *)d->y[WG_I32])[i] = 1;
        }
    return true;
}

static void measure(struct subject *subject, int count, const struct data *d, double *copies,
                    double *triads, wg_error *error) {
    for (int round = -1; round < ROUNDS && !error->status; round++) { /* the first is not counted */
        int r = round < 0 ? 0 : round;
        copies[r] = copy(d);
        triads[r] = triad(d);
        for (int i = 0; i < count; i++) {
            subject[i].seconds[r] = call(&subject[i], d, error);
            if (subject[i].product) subject[i].direct[r] = blas(&subject[i], d);
        }
    }
}

static void free_data(struct data *d) {
    for (int k = 0; k < WG_DTYPE_COUNT; k++) {
        free(d->x[k]);
        free(d->y[k]);
    }
    free(d->out);
    free(d->index);
}

int main(int argc, char **argv) {
    static struct subject subject[SUBJECTS];
    struct data data = {.out = NULL};
    wg_error error = {0};
    double copies[ROUNDS], triads[ROUNDS];
    int count = 0;
    for (int i = 0; i < SUBJECTS; i++) {
        const struct movement *m = i / 2 < MOVEMENTS ? &movements[i / 2] : NULL;
        const struct shapes *p = m ? NULL : &products[i / 2 - MOVEMENTS];
#ifndef WG_BLAS
        if (p) continue;
#endif
        struct subject *s = &subject[count];
        *s = (struct subject){.movement = m, .product = p};
        s->backend = i % 2 ? WG_NATIVE : WG_INTERPRET;
        snprintf(s->name, sizeof s->name, "%s%s", m ? m->name : p->name, i % 2 ? ", native" : "");
        if (argc == 1 || strstr(s->name, argv[1])) count++;
    }
    bool ready = make_data(&data), good = true;
    for (int i = 0; i < count && !error.status; i++) {
        prepare(&subject[i], &error);
        ready = ready && subject[i].workspace;
    }
    if (ready && !error.status) measure(subject, count, &data, copies, triads, &error);
    if (ready && !error.status) {
        double one = 2.0 * BYTES / median(copies), two = 3.0 * BYTES / median(triads);
        double bandwidth = one > two ? one : two;
        printf("arrays of %.0f MB; bandwidth: scaled copy %.1f GB/s, triad %.1f GB/s\n",
               1e-6 * BYTES, one * 1e-9, two * 1e-9);
        for (int i = 0; i < count; i++) good = report(&subject[i], bandwidth) && good;
    } else {
        fprintf(stderr, "kernels: %s\n", error.status ? error.message : "out of memory");
    }
    for (int i = 0; i < count; i++) {
        wg_function_free(subject[i].fn);
        free(subject[i].workspace);
    }
    free_data(&data);
    return !ready || error.status || !good;
}
