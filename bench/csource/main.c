/* Gradients of C functions that were written without any thought of them, those of
 * bench/csource/models: compiled as they are (-O3 -march=native), beside their gradients, read from
 * the same files. The two are timed in turn, in one thread, by the time of the processor, and the
 * median of all rounds counts. The targets are a gradient of at most 3 times the original's own time
 * on average, and none above 6.
 *     csource [--quick] [NAME] */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_INPUTS = 8, ROUNDS = 21 };

double camera_cost(int p, const double *cam, const double (*x)[3], const double (*seen)[2]);
double orbit_miss(int steps, double h, const double *start, const double *mass,
                  const double *target);
double lennard_jones(int n, const double (*x)[3], double sigma, double cutoff);
double black_scholes(int n, const double *spot, const double *strike, const double *years,
                     const int *is_call, double rate, double volatility);
double heat(int m, int n, int steps, const double *start, double rate);
double log_determinant(int n, const double *a);
double low_energy(int n, const double *signal);
double lstm(int layers, int steps, int width, const double *main_params, const double *extra,
            const double *state, const double *sequence);
double mixture(int n, int d, int k, int below, const double *alpha, const double *mu,
               const double *q, const double *icf, const double *x);

struct data {
    int64_t size[4];
    double *x[MAX_INPUTS]; /* in the order of the program's inputs; whole numbers too */
    int64_t whole[MAX_INPUTS];
    int *index;
};

struct input {
    int64_t count;       /* of numbers; 0: a whole number, in `low` */
    double low, high;    /* drawn evenly between */
};

struct problem {
    const char *name, *file, *function, *wrt, *shown;
    int64_t size[4];
    struct input input[MAX_INPUTS];
    double (*original)(const struct data *d);
    void (*prepare)(struct data *d);
};

static double call_camera(const struct data *d) {
    return camera_cost((int)d->size[0], d->x[0], (void *)d->x[1], (void *)d->x[2]);
}
static double call_orbit(const struct data *d) {
    return orbit_miss((int)d->size[0], *d->x[0], d->x[1], d->x[2], d->x[3]);
}
static double call_lennard_jones(const struct data *d) {
    return lennard_jones((int)d->size[0], (void *)d->x[0], *d->x[1], *d->x[2]);
}
static double call_black_scholes(const struct data *d) {
    return black_scholes((int)d->size[0], d->x[0], d->x[1], d->x[2], d->index, *d->x[4], *d->x[5]);
}
static double call_heat(const struct data *d) {
    return heat((int)d->size[0], (int)d->size[1], (int)d->size[2], d->x[0], *d->x[1]);
}
static double call_cholesky(const struct data *d) {
    return log_determinant((int)d->size[0], d->x[0]);
}
static double call_fft(const struct data *d) { return low_energy((int)d->size[0], d->x[0]); }
static double call_lstm(const struct data *d) {
    return lstm((int)d->size[0], (int)d->size[1], (int)d->size[2], d->x[0], d->x[1], d->x[2],
                d->x[3]);
}
static double call_mixture(const struct data *d) {
    return mixture((int)d->size[0], (int)d->size[1], (int)d->size[2], (int)d->size[3], d->x[0],
                   d->x[1], d->x[2], d->x[3], d->x[4]);
}

static void make_calls(struct data *d) {
    d->index = malloc((size_t)d->size[0] * sizeof *d->index);
    for (int64_t i = 0; d->index && i < d->size[0]; i++) d->index[i] = i % 3 != 0;
}
static void add_diagonal(struct data *d) {
    int64_t n = d->size[0];
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k <= i; k++)
            d->x[0][i * n + k] = d->x[0][k * n + i] + (i == k ? (double)n : 0);
}

static const struct problem problems[] = {
    {"camera", "camera", "camera_cost", "cam,x", "p = 2000", {2000},
     {{11, 0.1, 0.4}, {6000, 1, 2}, {4000, -1, 1}}, call_camera, NULL},
    {"orbit", "orbit", "orbit_miss", "start,mass", "2000 steps", {2000},
     {{1, 0.004, 0.004}, {4, 0.2, 0.6}, {2, 0.5, 1}, {2, 0, 1}}, call_orbit, NULL},
    {"lennard-jones", "lennard_jones", "lennard_jones", "x,sigma", "n = 1000", {1000},
     {{3000, 0, 1}, {1, 0.05, 0.05}, {1, 0.19, 0.19}}, call_lennard_jones, NULL},
    {"black-scholes", "black_scholes", "black_scholes", "spot,volatility,rate", "n = 10000",
     {10000},
     {{10000, 80, 120}, {10000, 80, 120}, {10000, 0.2, 2}, {1, 0, 0}, {1, 0.02, 0.02},
      {1, 0.3, 0.3}}, call_black_scholes, make_calls},
    {"heat", "heat", "heat", "start,rate", "128 x 128, 100 steps", {128, 128, 100},
     {{16384, 0, 1}, {1, 0.2, 0.2}}, call_heat, NULL},
    {"cholesky", "cholesky", "log_determinant", "a", "n = 150", {150}, {{22500, -1, 1}},
     call_cholesky, add_diagonal},
    {"fft", "fft", "low_energy", "signal", "n = 4096", {4096}, {{4096, -1, 1}}, call_fft, NULL},
    {"lstm", "lstm", "lstm", "main_params,extra", "2 layers, 1024 steps, 14 wide", {2, 1024, 14},
     {{224, -1, 1}, {42, -1, 1}, {56, -1, 1}, {14336, 0, 1}}, call_lstm, NULL},
    {"mixture", "mixture", "mixture", "alpha,mu,q,icf", "d = 10, k = 25, n = 1000",
     {1000, 10, 25, 45},
     {{25, -1, 1}, {250, 0, 1}, {250, -0.5, 0.5}, {1125, -0.5, 0.5}, {10000, -1, 1}},
     call_mixture, NULL},
};

/* Of this thread, milliseconds: what else the machine does is not counted. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, size_t count) {
    qsort(x, count, sizeof *x, by_size);
    return x[count / 2];
}

static uint64_t draws;
static double draw(double low, double high) {
    draws = draws * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(draws >> 11) * 0x1p-53;
}

static void fill(const struct problem *p, struct data *d) {
    draws = 1;
    memcpy(d->size, p->size, sizeof d->size);
    for (size_t i = 0; i < MAX_INPUTS; i++) {
        const struct input *in = &p->input[i];
        d->whole[i] = (int64_t)in->low;
        d->x[i] = malloc((size_t)(in->count + 1) * sizeof(double));
        for (int64_t k = 0; d->x[i] && k < in->count; k++) d->x[i][k] = draw(in->low, in->high);
    }
    if (p->prepare) p->prepare(d);
}

static bool has(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ',') && (!at[n] || at[n] == ',')) return true;
    return false;
}

/* One line of the table; false on error. */
static bool measure(const struct problem *p, double seconds, double *ratio) {
    char path[512], names[256];
    struct data d = {0};
    wg_error error = {0};
    fill(p, &d);
    snprintf(path, sizeof path, WG_SOURCE_DIR "/bench/csource/models/%s.c", p->file);
    snprintf(names, sizeof names, "%s", p->wrt);
    double begin = now();
    wg_csource_options source = {.function = p->function};
    wg_program *value = wg_csource_read(path, &source, &error);
    wg_program *both = wg_value_and_grad(value, names, &error);
    wg_options options = {.backend = WG_NATIVE};
    wg_function *fn = wg_compile(both, &options, &error);
    double made = now() - begin;
    if (fn && *wg_function_note(fn)) fprintf(stderr, "csource: %s\n", wg_function_note(fn));
    const void *in[MAX_INPUTS];
    void *out[MAX_INPUTS];
    double y = 0;
    size_t outs = 0, bytes = 0;
    out[outs++] = &y;
    for (size_t i = 0; value && i < wg_input_count(value); i++) {
        bool is_whole = wg_input_type(value, i).dtype == WG_I64;
        bool is_index = wg_input_type(value, i).dtype == WG_I32;
        in[i] = is_whole ? (void *)&d.whole[i] : is_index ? (void *)d.index : (void *)d.x[i];
        if (has(p->wrt, wg_input_name(value, i)))
            out[outs++] = malloc((size_t)p->input[i].count * sizeof(double));
    }
    double *original = malloc(ROUNDS * sizeof *original), *ours = malloc(ROUNDS * sizeof *ours);
    void *work = fn ? wg_workspace_new(fn, d.size, &error) : NULL;
    if (fn) wg_workspace_size(fn, d.size, &bytes, &error);
    size_t rounds = 0;
    double sum = 0, first = now();
    while (!error.status && original && ours && rounds < ROUNDS &&
           (rounds < 5 || now() - first < seconds * 1e3)) {
        int repeats = 0;
        double start = now(), end;
        do sum += p->original(&d), repeats++;
        while ((end = now()) - start < 2);
        original[rounds] = (end - start) / repeats;
        start = now();
        repeats = 0;
        do wg_call_with(fn, d.size, in, out, work, &error), repeats++;
        while ((end = now()) - start < 2 && !error.status);
        ours[rounds++] = (end - start) / repeats;
    }
    if (error.status) {
        fprintf(stderr, "csource: %s: %s\n", p->name, error.message);
    } else {
        double mine = median(ours, rounds), theirs = median(original, rounds);
        double off = fabs(y - p->original(&d)) / fmax(1, fabs(y));
        *ratio = mine / theirs;
        printf("%-14s %-29s %10.4f %10.4f %7.2f %9.3f %8.2f%s\n", p->name, p->shown, theirs, mine,
               *ratio, (double)bytes / 1048576, made / 1000,
               off <= 1e-9 && isfinite(sum) ? "" : "  VALUE DIFFERS");
        fflush(stdout);
        if (off > 1e-9) fprintf(stderr, "csource: %s: value off by %g\n", p->name, off);
    }
    wg_workspace_free(work);
    wg_function_free(fn);
    wg_program_free(both);
    wg_program_free(value);
    free(original);
    free(ours);
    free(d.index);
    for (size_t i = 0; i < MAX_INPUTS; i++) free(d.x[i]);
    for (size_t i = 1; i < outs; i++) free(out[i]);
    return !error.status;
}

int main(int argc, char **argv) {
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0, good = true;
    const char *only = argc > 1 + quick ? argv[1 + quick] : NULL;
    double sum = 0, most = 0;
    int count = 0;
    printf("%-14s %-29s %10s %10s %7s %9s %8s\n", "function", "size", "value ms", "grad ms",
           "ratio", "work MiB", "made s");
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
        double ratio = 0;
        if (only && strcmp(only, problems[i].name) != 0) continue;
        if (!measure(&problems[i], quick ? 0.3 : 1.5, &ratio)) {
            good = false;
            continue;
        }
        sum += ratio;
        most = fmax(most, ratio);
        count++;
    }
    if (count && !only) {
        printf("average ratio at most 3:  %6.2f  %s\n", sum / count,
               sum / count <= 3 ? "met" : "MISSED");
        printf("every ratio at most 6:    %6.2f  %s\n", most, most <= 6 ? "met" : "MISSED");
    }
    return good ? 0 : 1;
}
