/* Random C functions (support/random_c.h), compiled and read by libclang: what they return
 * and write is the same bit for bit; gradients in forward and in reverse mode agree, and are those
 * that differences of the compiled function give, wherever it goes one way on both sides; Hessians
 * are symmetric; native code computes what the interpreter does. A failure is shown on a small
 * function that has it. */
#include "support/random_c.h"
#include "support/scratch.h"
#include "support/test.h"

#include "op/kernel/vector_math.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS = 5000, BATCH = 250, SIZES = 4, PORTS = 160, ROOM = 1024, INPUTS = 40 };
static const int sizes[SIZES] = {2, 5, 1, 0};

enum {
    HOLDS,
    NOT_READ,
    NOT_RUN,
    WRONG_VALUE,
    DISAGREES,
    INACCURATE,
    ASYMMETRIC,
    UNLIKE,
    NOT_FINITE
};

typedef void compiled(struct random_c_point *io, unsigned long long *way);

static struct counts { /* what was looked at */
    long programs, compared, moving, components, trusted;
} count;

static int found(int failure, char *message, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(message, 600, format, args);
    va_end(args);
    return failure;
}

static void draw_point(struct random_c_point *io, uint64_t seed) {
    wg_random random = wg_random_seed(seed * 31 + 7);
    memset(io, 0, sizeof *io);
    double *number[] = {&io->a, &io->b, &io->r, &io->s.u, &io->s.v, &io->q.u, &io->q.v};
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        *number[i] = 2 * wg_random_uniform(&random) - 1;
    for (int i = 0; i < RANDOM_C_MOST; i++) {
        io->x[i] = 2 * wg_random_uniform(&random) - 1;
        io->y[i] = 2 * wg_random_uniform(&random) - 1;
    }
    for (int i = 0; i < 4; i++) io->z[i] = 2 * wg_random_uniform(&random) - 1;
    for (int i = 0; i < 6; i++) io->g[i / 3][i % 3] = 2 * wg_random_uniform(&random) - 1;
    for (int i = 0; i < 2; i++) {
        io->s.w[i] = 2 * wg_random_uniform(&random) - 1;
        io->q.w[i] = 2 * wg_random_uniform(&random) - 1;
    }
    int *whole[] = {&io->k, &io->s.j, &io->q.j, &io->c[0], &io->c[1], &io->c[2]};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        *whole[i] = (int)wg_random_below(&random, 13) - 4;
    io->n = sizes[seed % SIZES];
}

/* ---- numbers by name ------------------------------------------------------------------------- */

/* Where the numbers of a parameter, or of the result, stand. */
static double *numbers_of(struct random_c_point *io, const char *name, size_t length, int *n) {
    const struct {
        const char *name;
        double *at;
        int count;
    } row[] = {{"a", &io->a, 1},      {"b", &io->b, 1},    {"r", &io->r, 1},
               {"return", &io->r, 1}, {"x", io->x, io->n}, {"y", io->y, io->n},
               {"z", io->z, 4},       {"g", io->g[0], 6},  {"s.u", &io->s.u, 1},
               {"s.v", &io->s.v, 1},  {"s.w", io->s.w, 2}, {"q.u", &io->q.u, 1},
               {"q.v", &io->q.v, 1},  {"q.w", io->q.w, 2}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (strlen(row[i].name) == length && memcmp(row[i].name, name, length) == 0) {
            *n = row[i].count;
            return row[i].at;
        }
    return NULL;
}

static int whole_of(const struct random_c_point *io, const char *name) {
    return strcmp(name, "k") == 0     ? io->k
           : strcmp(name, "s.j") == 0 ? io->s.j
           : strcmp(name, "q.j") == 0 ? io->q.j
                                      : 0;
}

struct ports { /* of a program: its buffers */
    double in[PORTS][8], out[PORTS][64];
    int64_t whole[PORTS];
};

/* x of "x_dot" and "x_bar": *behind is the rest. */
static size_t stem(const char *name, const char **behind) {
    const char *end = strstr(name, "_dot");
    if (!end) end = strstr(name, "_bar");
    *behind = end ? end : "";
    return end ? (size_t)(end - name) : strlen(name);
}

/* Calls fn, a function of p, at io; what is called x_dot and x_bar is taken from `along`. */
static bool call(const wg_program *p, const wg_function *fn, struct random_c_point *io,
                 struct random_c_point *along, struct ports *ports, wg_error *error) {
    const void *in[PORTS];
    void *out[PORTS];
    int64_t n = io->n;
    if (wg_input_count(p) > PORTS || wg_output_count(p) > PORTS) {
        snprintf(error->message, sizeof error->message, "more inputs than the test has room for");
        return false;
    }
    for (size_t i = 0; i < wg_input_count(p); i++) {
        const char *name = wg_input_name(p, i), *behind;
        size_t length = stem(name, &behind);
        int many = 0;
        double *x = numbers_of(*behind ? along : io, name, length, &many);
        ports->whole[i] = whole_of(io, name);
        in[i] = &ports->whole[i];
        if (strcmp(name, "c") == 0) in[i] = io->c;
        if (!x) continue;
        memcpy(ports->in[i], x, (size_t)many * sizeof *x);
        in[i] = ports->in[i];
    }
    memset(ports->out, 0, wg_output_count(p) * sizeof *ports->out);
    for (size_t i = 0; i < wg_output_count(p); i++) out[i] = ports->out[i];
    return wg_call_with(fn, &n, in, out, NULL, error) == WG_OK;
}

/* ---- derivatives ----------------------------------------------------------------------------- */

struct gradient {
    double *at[INPUTS * 4]; /* the inputs, in io */
    const char *name[INPUTS * 4];
    double reverse[INPUTS * 4], forward[INPUTS * 4];
    size_t count;
};

/* The outputs' sum, each number with a weight of its own. */
static double weight(size_t k) { return 1 / (1.0 + (double)(k * 7 % 10)); }

static double outcome(const wg_program *p, struct random_c_point *io) {
    double sum = 0;
    size_t k = 0;
    for (size_t i = 0; i < wg_output_count(p); i++) {
        const char *name = wg_output_name(p, i);
        int n = 0;
        double *x = numbers_of(io, name, strlen(name), &n);
        for (int j = 0; x && j < n; j++) sum += weight(k++) * x[j];
    }
    return sum;
}

static double moved_outcome(const wg_program *p, compiled *f, const struct random_c_point *io,
                            size_t offset, double h, unsigned long long *way) {
    struct random_c_point moved = *io;
    double *x = (double *)(void *)((char *)&moved + offset);
    *x += h;
    *way = 0;
    f(&moved, way);
    return outcome(p, &moved);
}

/* By differences of fourth order with two steps that agree. False: no steps do. */
static bool quotient(const wg_program *p, compiled *f, const struct random_c_point *io,
                     const double *at, double *result) {
    size_t offset = (size_t)((const char *)at - (const char *)io);
    unsigned long long here, way;
    moved_outcome(p, f, io, offset, 0, &here);
    double last = (double)NAN;
    for (double h = 2e-3; h > 1e-6; h /= 4) {
        double d[4], move[4] = {h, -h, 2 * h, -2 * h};
        bool same = true;
        for (int i = 0; i < 4; i++) {
            d[i] = moved_outcome(p, f, io, offset, move[i], &way);
            same = same && way == here;
        }
        double q = (8 * (d[0] - d[1]) - (d[2] - d[3])) / (12 * h);
        if (!same) continue;
        *result = q;
        if (fabs(q - last) <= 2e-8 * (1 + fabs(q))) return true;
        last = q;
    }
    return false;
}

static int check_gradient(const struct random_c *r, const wg_program *p, compiled *f,
                          struct random_c_point *io, bool native, bool rough, char *message) {
    static struct ports ports, other;
    static struct gradient g;
    wg_error error = {0};
    g.count = 0;
    wg_program *jvp = wg_jvp(p, NULL, NULL, &error), *vjp = wg_vjp(p, NULL, NULL, &error);
    wg_function *forward = wg_compile(jvp, NULL, &error), *reverse = wg_compile(vjp, NULL, &error);
    struct random_c_point along = *io;
    size_t k = 0;
    int failure = HOLDS;
    bool deep = strstr(error.message, "nested deeper") != NULL;
    for (size_t i = 0; i < wg_output_count(p); i++) {
        const char *name = wg_output_name(p, i);
        int n = 0;
        double *x = numbers_of(&along, name, strlen(name), &n);
        for (int j = 0; x && j < n; j++) x[j] = weight(k++);
    }
    if (deep) /* a limit that is documented: the program counts as one that is not compared */
        error = (wg_error){0};
    else if (error.status || !call(vjp, reverse, io, &along, &ports, &error))
        failure = found(NOT_RUN, message, "reverse: %s", error.message);
    for (size_t i = 0; i < wg_output_count(vjp) && failure == HOLDS && !deep; i++) {
        const char *name = wg_output_name(vjp, i), *behind;
        size_t length = stem(name, &behind);
        int n = 0;
        double *x = *behind ? numbers_of(io, name, length, &n) : NULL;
        for (int j = 0; x && j < n; j++) {
            g.at[g.count] = x + j;
            g.name[g.count] = name;
            g.reverse[g.count++] = ports.out[i][j];
        }
    }
    if (native && failure == HOLDS && !deep) {
        wg_options options = {.backend = WG_NATIVE, .flags = "-O0 -ffp-contract=off"};
        wg_function *fn = wg_compile(vjp, &options, &error);
        if (!call(vjp, fn, io, &along, &other, &error))
            failure = found(NOT_RUN, message, "native: %s", error.message);
        else if (*wg_function_note(fn) && !strstr(wg_function_note(fn), "WG_NATIVE_BACKEND"))
            failure = found(NOT_RUN, message, "native: %s", wg_function_note(fn));
        for (size_t i = 0; i < wg_output_count(vjp) && failure == HOLDS; i++)
            if (memcmp(ports.out[i], other.out[i], sizeof ports.out[i]))
                failure = found(UNLIKE, message, "native: %s is %.17g, interpreted %.17g",
                                wg_output_name(vjp, i), other.out[i][0], ports.out[i][0]);
        wg_function_free(fn);
    }
    double largest = 0;
    for (size_t c = 0; c < g.count && failure == HOLDS; c++) {
        struct random_c_point direction = {.n = io->n};
        *(double *)(void *)((char *)&direction + ((char *)g.at[c] - (char *)io)) = 1;
        if (!call(jvp, forward, io, &direction, &other, &error))
            failure = found(NOT_RUN, message, "forward: %s", error.message);
        g.forward[c] = 0;
        k = 0;
        for (size_t i = 0; i < wg_output_count(jvp) && failure == HOLDS; i++) {
            const char *name = wg_output_name(jvp, i), *behind;
            size_t length = stem(name, &behind);
            int n = 0;
            if (!*behind || !numbers_of(io, name, length, &n)) continue;
            for (int j = 0; j < n; j++) g.forward[c] += weight(k++) * other.out[i][j];
        }
        largest = fmax(largest, fabs(g.forward[c]));
    }
    bool all = !deep && !rough;
    for (size_t c = 0; c < g.count && failure == HOLDS; c++) {
        double numeric = 0;
        if (!(fabs(g.forward[c] - g.reverse[c]) <= (rough ? 1e-5 : 1e-12) * (1 + largest)))
            failure = found(DISAGREES, message, "%s: %.17g in reverse, %.17g forward", g.name[c],
                            g.reverse[c], g.forward[c]);
        else if (rough || !quotient(p, f, io, g.at[c], &numeric))
            all = false;
        else if (!(fabs(numeric - g.reverse[c]) <= 1e-7 * (1 + fabs(numeric))))
            failure = found(INACCURATE, message, "%s[%d]: %.17g, by differences %.17g", g.name[c],
                            (int)c, g.reverse[c], numeric);
        else
            count.trusted++;
        count.components++;
    }
    count.compared += all;
    count.moving += largest > 0;
    (void)r;
    wg_function_free(forward);
    wg_function_free(reverse);
    wg_program_free(jvp);
    wg_program_free(vjp);
    return failure;
}

static int check_hessian(const wg_program *p, struct random_c_point *io, char *message) {
    static struct ports ports;
    wg_error error = {0};
    char wrt[200] = "";
    size_t inputs = 0, offset[INPUTS];
    int width[INPUTS], total = 0;
    for (size_t i = 0; i < wg_input_count(p) && inputs < 8; i++) {
        int n = 0;
        const char *name = wg_input_name(p, i);
        if (!numbers_of(io, name, strlen(name), &n)) continue;
        sprintf(wrt + strlen(wrt), "%s%s", inputs ? ", " : "", name);
        offset[inputs] = (size_t)total;
        total += n;
        width[inputs++] = n;
    }
    wg_program *hessian = wg_hessian(p, wrt, &error);
    wg_function *fn = wg_compile(hessian, NULL, &error);
    bool deep = strstr(error.message, "nested deeper") != NULL;
    int failure = HOLDS;
    double *h = calloc((size_t)(total * total) + 1, sizeof *h), largest = 0;
    assert_non_null(h);
    if (deep)
        inputs = 0;
    else if (error.status || !call(hessian, fn, io, io, &ports, &error))
        failure = found(NOT_RUN, message, "hessian: %s", error.message);
    for (size_t a = 0; a < inputs && failure == HOLDS; a++)
        for (size_t b = 0; b < inputs; b++)
            for (int i = 0; i < width[a]; i++)
                for (int j = 0; j < width[b]; j++) {
                    double x = ports.out[a * inputs + b][i * width[b] + j];
                    h[(offset[a] + (size_t)i) * (size_t)total + offset[b] + (size_t)j] = x;
                    largest = fmax(largest, fabs(x));
                }
    for (int i = 0; i < total && failure == HOLDS; i++)
        for (int j = 0; j < i; j++)
            if (!(fabs(h[i * total + j] - h[j * total + i]) <= 1e-11 * (1 + largest)))
                failure = found(ASYMMETRIC, message, "H[%d,%d] is %.17g, H[%d,%d] %.17g", i, j,
                                h[i * total + j], j, i, h[j * total + i]);
    free(h);
    wg_function_free(fn);
    wg_program_free(hessian);
    return failure;
}

/* ---- one function ---------------------------------------------------------------------------- */

static int check_values(const wg_program *p, const struct random_c *r, compiled *f,
                        struct random_c_point *io, char *message) {
    static struct ports ports;
    wg_error error = {0};
    struct random_c_point after = *io;
    unsigned long long way = 0;
    f(&after, &way);
    wg_function *fn = wg_compile(p, NULL, &error);
    int failure = HOLDS;
    if (!call(p, fn, io, io, &ports, &error))
        failure = found(NOT_RUN, message, "%s", error.message);
    wg_function_free(fn);
    static const char *const names[] = {"return", "r",   "y",   "z",   "g",
                                        "q.u",    "q.v", "q.w", "q.j", "c"};
    for (size_t k = 0; k < sizeof names / sizeof *names && failure == HOLDS; k++) {
        int n = 0, i = wg_output_index(p, names[k]);
        if (strcmp(names[k], r->returns ? "r" : "return") == 0) continue;
        if (strcmp(names[k], "q.j") == 0) {
            int64_t j = io->q.j;
            if (i >= 0) memcpy(&j, ports.out[i], sizeof j);
            if (j != after.q.j)
                failure = found(WRONG_VALUE, message, "q.j is %lld, in C %d", (long long)j,
                                after.q.j);
            continue;
        }
        if (strcmp(names[k], "c") == 0) {
            if (memcmp(i < 0 ? (void *)io->c : ports.out[i], after.c, sizeof after.c))
                failure = found(WRONG_VALUE, message, "c differs");
            continue;
        }
        double *expected = numbers_of(&after, names[k], strlen(names[k]), &n);
        const double *seen = i < 0 ? numbers_of(io, names[k], strlen(names[k]), &n) : ports.out[i];
        for (int j = 0; j < n && failure == HOLDS; j++) {
            if (!(fabs(expected[j]) < 1e6))
                failure = found(NOT_FINITE, message, "%s[%d] is %g", names[k], j, expected[j]);
            else if (memcmp(expected + j, seen + j, sizeof *seen))
                failure = found(WRONG_VALUE, message, "%s[%d] is %.17g, in C %.17g", names[k], j,
                                seen[j], expected[j]);
        }
    }
    return failure;
}

static int check(const struct random_c *r, compiled *f, char *message) {
    wg_error error = {0};
    char *text = random_c_plain(r), name[32];
    struct random_c_point io;
    draw_point(&io, r->seed);
    snprintf(name, sizeof name, "f%llu", (unsigned long long)r->seed);
    wg_csource_options options = {.function = name,
                                  .text = text,
                                  .text_size = strlen(text),
                                  .size = r->size,
                                  .size_count = r->size_count};
    wg_program *p = wg_csource_read("random.c", &options, &error);
    int failure = p ? HOLDS : found(NOT_READ, message, "%s", error.message);
    bool rough = strstr(text, "float") != NULL;
    free(text);
    if (strstr(error.message, "computes nothing")) return HOLDS; /* "*r = *r;" is all */
    if (!failure) failure = check_values(p, r, f, &io, message);
    if (!failure) failure = check_gradient(r, p, f, &io, r->seed % 64 == 49, rough, message);
    if (!failure && r->seed % 8 == 0 && r->returns && !rough)
        failure = check_hessian(p, &io, message);
    wg_program_free(p);
    return failure;
}

/* ---- functions of mathematics ----------------------------------------------------------------- */

/* The library's own, whose last digits are not those of the C library. */
#define OWN(X) X(sin) X(cos) X(tanh) X(exp) X(expm1) X(log) X(log1p)
#define OWN_FUNCTION(name)                                                                         \
    static double own_##name(double x) { return vm_##name(x); }
OWN(OWN_FUNCTION)

typedef double function_of_one(double);
static const struct {
    const char *name;
    function_of_one *function;
} own[] = {
#define OWN_ROW(name) {#name, own_##name},
    OWN(OWN_ROW)};

static void declare_own(FILE *file) {
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        fprintf(file, "double (*own_%s)(double);\n#define %s own_%s\n", own[i].name, own[i].name,
                own[i].name);
}

static void set_own(void *library) {
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        char name[40];
        snprintf(name, sizeof name, "own_%s", own[i].name);
        function_of_one **variable = dlsym(library, name);
        if (!variable) fail_msg("%s", dlerror());
        *variable = own[i].function;
    }
}

/* ---- batches --------------------------------------------------------------------------------- */

/* The shared object made of these, NULL where one is no C. */
static void *compile(const char *compiler, const struct random_c *r, size_t programs) {
    static int number;
    char name[64], command[400];
    snprintf(name, sizeof name, "batch%d", ++number);
    FILE *file = fopen("batch.c", "w");
    assert_non_null(file);
    fputs(random_c_prelude, file);
    declare_own(file);
    for (size_t i = 0; i < programs; i++) {
        char *text = random_c_marked(&r[i]);
        fputs(text, file);
        free(text);
    }
    assert_int_equal(fclose(file), 0);
    snprintf(command, sizeof command,
             "%s -w -O0 -Werror=implicit-function-declaration -fno-builtin -ffp-contract=off "
             "-shared -fPIC -o %s.so batch.c -lm%s",
             compiler, name, programs > 1 ? "" : " 2> messages");
    if (system(command)) return NULL;
    snprintf(command, sizeof command, "./%s.so", name);
    void *library = dlopen(command, RTLD_NOW | RTLD_LOCAL);
    if (!library && programs > 1) fail_msg("%s", dlerror());
    remove(command);
    if (library) set_own(library);
    return library;
}

static compiled *compiled_of(void *library, uint64_t seed) {
    char name[40];
    snprintf(name, sizeof name, "call_%llu", (unsigned long long)seed);
    void *symbol = dlsym(library, name);
    compiled *f;
    memcpy(&f, &symbol, sizeof f);
    return f;
}

/* What is wrong, behind file, line and column. */
static const char *complaint(const char *message) {
    const char *at = strstr(message, ".c:");
    return at ? at + 3 + strspn(at + 3, "0123456789: ") : message;
}

struct failing {
    struct random_c *r;
    int failure;
    char message[600];
};

static bool fails_likewise(void *ctx) {
    struct failing *f = ctx;
    char message[600];
    void *library = compile("gcc", f->r, 1);
    if (!library) return false;
    compiled *code = compiled_of(library, f->r->seed);
    const int *broken = dlsym(library, "broken");
    bool same = code && check(f->r, code, message) == f->failure && !*broken;
    if (f->failure == NOT_READ || f->failure == NOT_RUN)
        same = same && strncmp(complaint(message), complaint(f->message), 16) == 0;
    dlclose(library);
    if (same) memcpy(f->message, message, sizeof message);
    return same;
}

static void show(struct random_c *r, int failure, const char *message) {
    struct failing f = {.r = r, .failure = failure};
    snprintf(f.message, sizeof f.message, "%s", message);
    struct random_c_point io;
    draw_point(&io, r->seed);
    fails_likewise(&f);
    c_shrink(&r->text, r->root, 3000, fails_likewise, &f);
    char *text = random_c_plain(r);
    fprintf(stderr, "%s\n", text); /* longer than cmocka's lines are */
    free(text);
    fprintf(stderr, "k = %d, n = %d, a = %.17g, b = %.17g, c = {%d, %d, %d}\n", io.k, io.n, io.a,
            io.b, io.c[0], io.c[1], io.c[2]);
    for (int i = 0; i < io.n; i++)
        fprintf(stderr, "x[%d] = %.17g, y[%d] = %.17g\n", i, io.x[i], i, io.y[i]);
    for (int i = 0; i < 4; i++) fprintf(stderr, "z[%d] = %.17g\n", i, io.z[i]);
    const struct random_c_pair *pair[] = {&io.s, &io.q};
    for (int i = 0; i < 2; i++)
        fprintf(stderr, "%c = {%.17g, %.17g, %d, {%.17g, %.17g}}\n", i ? 'q' : 's', pair[i]->u,
                pair[i]->v, pair[i]->j, pair[i]->w[0], pair[i]->w[1]);
    print_error("program %llu: %s\nthe smallest that shows it: %s\n", (unsigned long long)r->seed,
                message, f.message);
}

static bool can_read(void) {
    static const char text[] = "double f(double x) { return x; }\n";
    wg_error error = {0};
    wg_csource_options options = {.text = text, .text_size = sizeof text - 1};
    wg_program *p = wg_csource_read("f.c", &options, &error);
    wg_program_free(p);
    return p != NULL;
}

static void functions_are_differentiated(void **state) {
    (void)state;
    if (!can_read() || system("echo | gcc -E - > /dev/null 2> /dev/null")) skip();
    /* where it is there most are left to clang, which is three times as fast */
    bool clang = !system("echo | clang -E - > /dev/null 2> /dev/null");
    const char *from = getenv("WG_FIRST_SEED"), *number = getenv("WG_PROGRAMS");
    const char *most = getenv("WG_FAILURES");
    uint64_t first = from ? strtoull(from, NULL, 10) : 1;
    /* fewer under sanitizers, which slow them down */
    uint64_t programs = number                      ? strtoull(number, NULL, 10)
                        : getenv("WG_INSTRUMENTED") ? PROGRAMS / 10
                                                    : PROGRAMS;
    int failures = 0, allowed = most ? atoi(most) : 1;
    for (uint64_t begin = first; begin < first + programs; begin += BATCH) {
        uint64_t many = first + programs - begin < BATCH ? first + programs - begin : BATCH;
        static struct random_c r[BATCH];
        for (uint64_t i = 0; i < many; i++)
            random_c_draw(&r[i], begin + i, 1 + (int)((begin + i) % 5));
        void *library = compile(clang && begin / BATCH % 4 ? "clang" : "gcc", r, many);
        assert_non_null(library);
        for (uint64_t i = 0; i < many && failures < allowed; i++) {
            char message[600];
            int failure = check(&r[i], compiled_of(library, r[i].seed), message);
            count.programs++;
            if (!failure) continue;
            failures++;
            struct counts before = count;
            show(&r[i], failure, message);
            count = before;
        }
        dlclose(library);
        for (uint64_t i = 0; i < many; i++) random_c_free(&r[i]);
        if (failures == allowed) break;
    }
    if (getenv("WG_VERBOSE"))
        fprintf(stderr,
                "%ld programs, %ld with a derivative, %ld compared with differences; of %ld "
                "derivatives %ld\n",
                count.programs, count.moving, count.compared, count.components, count.trusted);
    assert_int_equal(failures, 0);
    if (programs >= 100) {
        assert_true(count.compared * 10 >= count.programs * 8);
        assert_true(count.moving * 10 >= count.programs * 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_differentiated),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
