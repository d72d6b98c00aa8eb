/* The interpreter's kernels against the machine: elementwise operations, sums and movements of data
 * as a share of the memory bandwidth that plain loops reach on arrays that fit no cache, and
 * products of matrices as a share of OpenBLAS called directly. All are taken in turns in one run,
 * and medians compared. Fails where an elementwise kernel is below 80 % of the bandwidth or a
 * product below 90 % of OpenBLAS. */
#include <wengert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef WG_BLAS
#include <cblas.h>
#endif

enum { SIDE = 2896, N = SIDE * SIDE, ROUNDS = 9, OPERANDS = 3 };

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

enum kind { ELEMENTS, OTHER, PRODUCT };

struct subject {
    const char *name, *formula;
    enum kind kind;
    int64_t arrays; /* read or written, of N elements; PRODUCT: the side of the matrices */
    wg_function *fn;
    void *workspace;
    double seconds[ROUNDS], direct[ROUNDS];
};

static struct subject subjects[] = {
    {"add", "f(x[n], y[n]) = x + y", ELEMENTS, 3, NULL, NULL, {0}, {0}},
    {"mul", "f(x[n], y[n]) = x * y", ELEMENTS, 3, NULL, NULL, {0}, {0}},
    {"max", "f(x[n], y[n]) = max(x, y)", ELEMENTS, 3, NULL, NULL, {0}, {0}},
    {"relu", "f(x[n]) = relu(x)", ELEMENTS, 2, NULL, NULL, {0}, {0}},
    {"where", "f(x[n], y[n]) = where(x > y, x, y)", ELEMENTS, 3, NULL, NULL, {0}, {0}},
    {"sqrt", "f(x[n]) = sqrt(x)", ELEMENTS, 2, NULL, NULL, {0}, {0}},
    {"exp", "f(x[n]) = exp(x)", ELEMENTS, 2, NULL, NULL, {0}, {0}},
    {"sum, axis 0", "f(x[n,n]) = sum(x, axis=0)", OTHER, 1, NULL, NULL, {0}, {0}},
    {"sum, axis 1", "f(x[n,n]) = sum(x, axis=1)", OTHER, 1, NULL, NULL, {0}, {0}},
    {"sum", "f(x[n]) = sum(x)", OTHER, 1, NULL, NULL, {0}, {0}},
    {"broadcast", "f(x[n,n]) = x + x[0]", OTHER, 2, NULL, NULL, {0}, {0}},
    {"transpose", "f(x[n,n]) = transpose(x)", OTHER, 2, NULL, NULL, {0}, {0}},
    {"product 64", "f(x[n,n], y[n,n]) = x @ y", PRODUCT, 64, NULL, NULL, {0}, {0}},
    {"product 256", "f(x[n,n], y[n,n]) = x @ y", PRODUCT, 256, NULL, NULL, {0}, {0}},
    {"product 1024", "f(x[n,n], y[n,n]) = x @ y", PRODUCT, 1024, NULL, NULL, {0}, {0}},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static int64_t size_of(const struct subject *s) {
    if (s->kind == PRODUCT) return s->arrays;
    return strstr(s->formula, "n,n") ? SIDE : N;
}

static void prepare(struct subject *s, wg_error *error) {
    int64_t n = size_of(s);
    size_t bytes = 0;
    wg_program *p = wg_parse(s->formula, strlen(s->formula), NULL, error);
    s->fn = wg_compile(p, NULL, error);
    wg_program_free(p);
    if (wg_workspace_size(s->fn, &n, &bytes, error) != WG_OK) return;
    s->workspace = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (s->workspace) memset(s->workspace, 0, bytes);
}

static int repeats(const struct subject *s) { /* short ones more often than the clock is coarse */
    return s->kind == PRODUCT && s->arrays < 512 ? (int)((1 << 20) / (s->arrays * s->arrays)) : 1;
}

static double call(struct subject *s, double *const *a, wg_error *error) {
    int64_t n = size_of(s);
    double begin = now();
    for (int i = 0; i < repeats(s); i++)
        wg_call_with(s->fn, &n, (const void *[]){a[0], a[1]}, (void *[]){a[2]}, s->workspace,
                     error);
    return now() - begin;
}

/* ---- what it is measured against ------------------------------------------------------------ */

static double copy(double *const *a) {
    double begin = now();
    const double *x = a[0];
    double *restrict y = a[2];
    for (size_t i = 0; i < N; i++) y[i] = x[i] * 1.5;
    return now() - begin;
}

static double triad(double *const *a) {
    double begin = now();
    const double *x = a[0], *z = a[1];
    double *restrict y = a[2];
    for (size_t i = 0; i < N; i++) y[i] = x[i] + 1.5 * z[i];
    return now() - begin;
}

static double blas(const struct subject *s, double *const *a) {
    double begin = now();
#ifdef WG_BLAS
    int n = (int)s->arrays;
    for (int i = 0; i < repeats(s); i++)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a[0], n, a[1], n, 0,
                    a[2], n);
#else
    (void)s, (void)a;
#endif
    return now() - begin;
}

/* ---- the report ----------------------------------------------------------------------------- */

static bool report(struct subject *s, double bandwidth) {
    double seconds = median(s->seconds), share, least = s->kind == PRODUCT ? 0.9 : 0.8;
    if (s->kind == PRODUCT) {
        double flops = 2 * (double)s->arrays * (double)s->arrays * (double)s->arrays * repeats(s);
        share = median(s->direct) / seconds;
        printf("%-14s %8.1f GFLOP/s %5.0f %% of OpenBLAS", s->name, flops / seconds * 1e-9,
               100 * share);
    } else {
        double rate = 8.0 * (double)s->arrays * N / seconds;
        share = rate / bandwidth;
        printf("%-14s %8.1f GB/s    %5.0f %% of bandwidth", s->name, rate * 1e-9, 100 * share);
    }
    bool good = s->kind == OTHER || share >= least;
    puts(s->kind == OTHER ? "" : good ? "  PASS" : "  MISS");
    return good;
}

int main(void) {
    wg_error error = {0};
    double *a[OPERANDS], copies[ROUNDS], triads[ROUNDS];
    bool ready = true, good = true;
    wg_random random = wg_random_seed(1);
    for (int k = 0; k < OPERANDS; k++) {
        a[k] = aligned_alloc(64, N * sizeof *a[k]);
        ready = ready && a[k];
        for (size_t i = 0; ready && i < N; i++) a[k][i] = wg_random_uniform(&random);
    }
    for (int i = 0; i < SUBJECTS; i++) {
        prepare(&subjects[i], &error);
        ready = ready && subjects[i].workspace;
    }
    for (int round = -1; ready && round < ROUNDS; round++) { /* the first is not counted */
        int r = round < 0 ? 0 : round;
        copies[r] = copy(a);
        triads[r] = triad(a);
        for (int i = 0; i < SUBJECTS; i++) {
            subjects[i].seconds[r] = call(&subjects[i], a, &error);
            if (subjects[i].kind == PRODUCT) subjects[i].direct[r] = blas(&subjects[i], a);
        }
    }
    if (ready && !error.status) {
        double one = 16.0 * N / median(copies), two = 24.0 * N / median(triads);
        double bandwidth = one > two ? one : two;
        printf("f64, arrays of %.0f MB; bandwidth: scaled copy %.1f GB/s, triad %.1f GB/s\n",
               8e-6 * N, one * 1e-9, two * 1e-9);
        for (int i = 0; i < SUBJECTS; i++) {
#ifndef WG_BLAS
            if (subjects[i].kind == PRODUCT) continue;
#endif
            good = report(&subjects[i], bandwidth) && good;
        }
    } else {
        fprintf(stderr, "kernels: %s\n", error.status ? error.message : "out of memory");
    }
    for (int i = 0; i < SUBJECTS; i++) {
        wg_function_free(subjects[i].fn);
        free(subjects[i].workspace);
    }
    for (int k = 0; k < OPERANDS; k++) free(a[k]);
    return !ready || error.status || !good;
}
