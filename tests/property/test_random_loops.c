/* Random programs with loops and branches (support/random_loops.h): values against the same program
 * in C, forward against reverse mode, derivatives against differences, batches against examples one
 * by one, Hessians against their transposes, text against the program it came from, and derivatives
 * of programs with cases that are never taken against those without. A failure is shown on the
 * smallest program of its seed that has it. */
#include "support/random_loops.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS = 20000, SIZES = 4, MOST_N = 5, EXAMPLES = 3, ROOM = 96, PORTS = 12 };
static const int64_t sizes[SIZES] = {1, 3, 0, MOST_N};

enum { HOLDS, NOT_BUILT, NOT_RUN, WRONG_VALUE, DISAGREES, INACCURATE, UNLIKE, ASYMMETRIC, CHANGED };

struct ports { /* of a call: room for every input and output */
    double x[PORTS][ROOM], y[PORTS][ROOM];
    int64_t k[EXAMPLES];
};

static int found(int failure, char *message, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(message, 600, format, args);
    va_end(args);
    return failure;
}

/* Input 3 is k. */
static bool run(const wg_program *p, const int64_t *size, struct ports *io, wg_error *error) {
    const void *in[PORTS];
    void *out[PORTS];
    for (size_t i = 0; i < PORTS; i++) in[i] = i == 3 ? (void *)io->k : io->x[i], out[i] = io->y[i];
    wg_function *fn = wg_compile(p, NULL, error);
    wg_call_with(fn, size, in, out, NULL, error);
    wg_function_free(fn);
    return error->status == WG_OK;
}

static void draw(struct ports *io, uint64_t seed, int64_t n) {
    wg_random random = wg_random_seed(seed);
    memset(io, 0, sizeof *io);
    for (size_t i = 0; i < PORTS; i++)
        for (size_t k = 0; k < ROOM; k++) io->x[i][k] = 2 * wg_random_uniform(&random) - 1;
    for (size_t k = 0; k < EXAMPLES; k++)
        io->k[k] = (int64_t)wg_random_below(&random, (uint64_t)n + 3) - 1;
}

static bool near(double a, double b, double off, double scale) {
    return fabs(a - b) <= off * (1 + scale);
}

/* y + w z in C, at the point of io, moved by h along the directions behind it. */
static double along(const struct random_loops *r, const struct ports *io, int64_t n, double h,
                    const double *w, uint64_t *path) {
    double x[3][MOST_N + 1] = {{0}}, z[MOST_N + 1];
    for (int i = 0; i < 3; i++)
        for (int64_t k = 0; k < (i ? n : 1); k++) x[i][k] = io->x[i][k] + h * io->x[4 + i][k];
    double y = random_loops_in_c(r, n, x[0][0], x[1], x[2], io->k[0], z, path);
    for (int64_t k = 0; k < n; k++) y += w[k] * z[k];
    return y;
}

/* Values, and both modes, at one size. */
static int check_modes(const struct random_loops *r, const wg_program *jvp, const wg_program *vjp,
                       int64_t n, char *message) {
    struct ports f, b;
    wg_error error = {0};
    draw(&f, r->seed * 7 + (uint64_t)n, n);
    b = f;
    if (!run(jvp, &n, &f, &error) || !run(vjp, &n, &b, &error))
        return found(NOT_RUN, message, "%s", error.message);
    double z[MOST_N + 1], left = 0, right = 0, scale = 0;
    uint64_t path, up, down;
    double y = random_loops_in_c(r, n, f.x[0][0], f.x[1], f.x[2], f.k[0], z, &path);
    if (!near(f.y[0][0], y, 1e-11, fabs(y)) || !near(b.y[0][0], y, 1e-11, fabs(y)))
        return found(WRONG_VALUE, message, "n = %lld: y = %.17g and %.17g, in C %.17g",
                     (long long)n, f.y[0][0], b.y[0][0], y);
    for (int64_t k = 0; k < n; k++)
        if (!near(f.y[1][k], z[k], 1e-11, fabs(z[k])))
            return found(WRONG_VALUE, message, "n = %lld: z[%lld] = %.17g, in C %.17g",
                         (long long)n, (long long)k, f.y[1][k], z[k]);
    /* jvp: y, z, y', z' of directions x[4..6]; vjp: a', b', c' of adjoints x[4], x[5] */
    for (int i = 0; i < 2; i++)
        for (int64_t k = 0; k < (i ? n : 1); k++) {
            left += f.y[2 + i][k] * b.x[4 + i][k];
            scale += fabs(f.y[2 + i][k] * b.x[4 + i][k]);
        }
    for (int i = 0; i < 3; i++)
        for (int64_t k = 0; k < (i ? n : 1); k++) {
            right += b.y[2 + i][k] * f.x[4 + i][k];
            scale += fabs(b.y[2 + i][k] * f.x[4 + i][k]);
        }
    if (!near(left, right, 1e-12, scale))
        return found(DISAGREES, message, "n = %lld: <Jx', y'> = %.17g, <x', J'y'> = %.17g",
                     (long long)n, left, right);
    double tangent = f.y[2][0];
    for (int64_t k = 0; k < n; k++) tangent += f.x[7][k] * f.y[3][k];
    for (double h = 1e-4;; h /= 4) {
        double high = along(r, &f, n, h, f.x[7], &up), low = along(r, &f, n, -h, f.x[7], &down);
        double more = along(r, &f, n, 2 * h, f.x[7], &up), less;
        if (up != path) return HOLDS;
        less = along(r, &f, n, -2 * h, f.x[7], &up);
        if (up != path || down != path) return HOLDS;
        double quotient = (8 * (high - low) - (more - less)) / (12 * h);
        if (near(quotient, tangent, 1e-7, fabs(tangent))) return HOLDS;
        if (h < 1e-6)
            return found(INACCURATE, message, "n = %lld: J x' = %.17g, by differences %.17g",
                         (long long)n, tangent, quotient);
    }
}

/* The gradient on a batch, of which k is one where trips may not differ, against each example. */
static int check_batch(const struct random_loops *r, const wg_program *grad, int64_t n,
                       char *message) {
    wg_error error = {0};
    bool each = r->seed % 8 == 0;
    wg_program *batch = wg_vmap(grad, each ? "a, b, c, k" : "a, b", "examples", &error);
    if (!batch) return found(NOT_BUILT, message, "vmap: %s", error.message);
    struct ports all, one;
    draw(&all, r->seed * 11 + (uint64_t)n, n);
    struct ports in = all;
    int64_t size[2] = {n, EXAMPLES};
    int failure = run(batch, size, &all, &error)
                      ? HOLDS
                      : found(NOT_RUN, message, "vmap: %s", error.message);
    for (int e = 0; e < EXAMPLES && failure == HOLDS; e++) {
        one = in;
        for (int i = 0; i < (each ? 3 : 2); i++) {
            size_t width = i ? (size_t)n : 1;
            memcpy(one.x[i], in.x[i] + (size_t)e * width, width * sizeof(double));
        }
        if (each) one.k[0] = in.k[e];
        if (!run(grad, size, &one, &error)) failure = found(NOT_RUN, message, "%s", error.message);
        for (size_t i = 0; i < wg_output_count(grad) && failure == HOLDS; i++) {
            int64_t width = wg_output_type(grad, i).rank ? n : 1;
            for (int64_t k = 0; k < width && failure == HOLDS; k++) {
                double a = all.y[i][e * width + k], b = one.y[i][k];
                if (!near(a, b, 1e-11, fabs(b)))
                    failure = found(UNLIKE, message,
                                    "n = %lld, example %d, %s[%lld]: %.17g in the "
                                    "batch, %.17g alone",
                                    (long long)n, e, wg_output_name(grad, i), (long long)k, a, b);
            }
        }
    }
    wg_program_free(batch);
    return failure;
}

/* The Hessian in b, forward over reverse and reverse over reverse, symmetric. */
static int check_second(const struct random_loops *r, const wg_program *p, int64_t n,
                        char *message) {
    wg_error error = {0};
    wg_program *hessian = wg_hessian(p, "b", &error), *grad = wg_grad(p, "b", &error);
    wg_program *rows = wg_jacobian(grad, NULL, "b", WG_REVERSE, &error);
    struct ports h, q;
    draw(&h, r->seed * 13, n);
    q = h;
    int failure = HOLDS;
    if (error.status)
        failure = found(NOT_BUILT, message, "hessian: %s", error.message);
    else if (!run(hessian, &n, &h, &error) || !run(rows, &n, &q, &error))
        failure = found(NOT_RUN, message, "hessian: %s", error.message);
    double scale = 0;
    for (int64_t i = 0; i < n * n && failure == HOLDS; i++) scale += fabs(h.y[0][i]);
    for (int64_t i = 0; i < n && failure == HOLDS; i++)
        for (int64_t k = 0; k < n && failure == HOLDS; k++) {
            double a = h.y[0][i * n + k], b = h.y[0][k * n + i], c = q.y[0][i * n + k];
            if (!near(a, b, 1e-11, scale) || !near(a, c, 1e-11, scale))
                failure = found(ASYMMETRIC, message,
                                "n = %lld: H[%lld,%lld] = %.17g, the other "
                                "%.17g, in reverse %.17g",
                                (long long)n, (long long)i, (long long)k, a, b, c);
        }
    wg_program_free(hessian);
    wg_program_free(grad);
    wg_program_free(rows);
    return failure;
}

static int check_text(const wg_program *p, char *message) {
    wg_text first = {0}, second = {0};
    wg_error error = {0};
    wg_program_print(p, &first, &error);
    wg_program *again = wg_program_read(first.data, first.size, NULL, &error);
    wg_program_print(again, &second, &error);
    wg_program_verify(again, &error);
    int failure = error.status ? found(CHANGED, message, "read: %s", error.message)
                  : strcmp(first.data, second.data) ? found(CHANGED, message, "reads as another")
                                                    : HOLDS;
    wg_program_free(again);
    wg_text_free(&first);
    wg_text_free(&second);
    return failure;
}

static int check(const struct random_loops *r, char *message) {
    wg_error error = {0};
    wg_program *p = random_loops(r, NULL, &error);
    wg_program *jvp = wg_jvp(p, NULL, NULL, &error), *vjp = wg_vjp(p, NULL, NULL, &error);
    int failure = error.status ? found(NOT_BUILT, message, "%s", error.message) : HOLDS;
    if (failure == HOLDS) failure = check_modes(r, jvp, vjp, sizes[r->seed % SIZES], message);
    if (failure == HOLDS && r->seed % 4 == 0) {
        wg_program *grad = wg_value_and_grad(p, NULL, &error);
        failure = error.status ? found(NOT_BUILT, message, "%s", error.message)
                               : check_batch(r, grad, sizes[r->seed / 4 % SIZES], message);
        wg_program_free(grad);
    }
    if (failure == HOLDS && r->seed % 16 == 1) failure = check_second(r, p, 3, message);
    if (failure == HOLDS && r->seed % 16 == 2) failure = check_text(vjp, message);
    wg_program_free(p);
    wg_program_free(jvp);
    wg_program_free(vjp);
    return failure;
}

/* The smallest program of the seed that fails in the same way. */
static void show(struct random_loops r, int failure, const char *message) {
    char other[600];
    struct random_loops best = r;
    for (int depth = 0; depth <= r.depth; depth++)
        for (int inner = 1; inner <= r.inner; inner++)
            for (int length = 1; length <= r.length; length++) {
                struct random_loops t = {r.seed,    length,   inner,      depth,
                                         r.hazards, r.whiles, r.snapshots};
                if (length + 2 * inner + 4 * depth >= best.length + 2 * best.inner + 4 * best.depth)
                    break;
                if (check(&t, other) == failure) best = t;
            }
    wg_error error = {0};
    wg_program *p = random_loops(&best, NULL, &error);
    wg_text text = {0};
    wg_program_print(p, &text, &error);
    check(&best, other);
    fprintf(stderr, "%s\n", text.data); /* longer than cmocka's lines are */
    fail_msg("program %llu: %s\nsmallest, {%llu, %d, %d, %d, %d, %d, %d}: %s",
             (unsigned long long)r.seed, message, (unsigned long long)best.seed, best.length,
             best.inner, best.depth, best.hazards, best.whiles, best.snapshots, other);
}

static struct random_loops program(uint64_t seed) {
    return (struct random_loops){.seed = seed,
                                 .length = 2 + (int)(seed % 7),
                                 .inner = 4,
                                 .depth = 1 + (int)(seed / 5 % 3),
                                 .hazards = seed % 3 == 0,
                                 .whiles = seed % 2 == 0};
}

static void loops_and_branches_hold_what_they_promise(void **state) {
    (void)state;
    const char *from = getenv("WG_FIRST_SEED"), *count = getenv("WG_PROGRAMS");
    uint64_t first = from ? strtoull(from, NULL, 10) : 1;
    /* fewer under sanitizers, which slow them down */
    uint64_t programs = count                       ? strtoull(count, NULL, 10)
                        : getenv("WG_INSTRUMENTED") ? PROGRAMS / 10
                                                    : PROGRAMS;
    for (uint64_t seed = first; seed < first + programs; seed++) {
        char message[600];
        struct random_loops r = program(seed);
        /* their reverse is three loops in one another; 8 are possible */
        r.snapshots = r.depth == 1 || (r.depth == 2 && seed % 16 != 1);
        int failure = check(&r, message);
        if (failure) show(r, failure, message);
    }
}

/* Derivatives of order 1 to 3, in forward and reverse mode and in batches: those of a program with
 * cases that are never taken are those of the one without. */
static void cases_not_taken_send_nothing(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct random_loops r = program(seed);
        r.whiles = false;
        wg_error error = {0};
        wg_program *with[6] = {0}, *without[6] = {0};
        for (int hazards = 0; hazards < 2; hazards++) {
            wg_program **q = hazards ? with : without;
            r.hazards = hazards;
            wg_program *p = random_loops(&r, NULL, &error);
            q[0] = wg_grad(p, "a", &error);
            q[1] = wg_grad(q[0], "a", &error);
            q[2] = wg_jacobian(q[1], NULL, "a", WG_REVERSE, &error);
            q[3] = wg_jvp(q[1], NULL, NULL, &error);
            q[4] = wg_jvp(q[0], NULL, NULL, &error);
            q[5] = wg_vmap(q[1], "a", "examples", &error);
            wg_program_free(p);
        }
        assert_ok(error);
        for (int i = 0; i < 6; i++) {
            struct ports a, b;
            int64_t size[2] = {3, EXAMPLES};
            draw(&a, seed, 3);
            b = a;
            run(with[i], size, &a, &error);
            run(without[i], size, &b, &error);
            assert_ok(error);
            for (size_t o = 0; o < wg_output_count(with[i]); o++)
                for (int64_t k = 0; k < (i == 5 ? EXAMPLES : 1); k++)
                    if (!near(a.y[o][k], b.y[o][k], 1e-10, fabs(b.y[o][k])))
                        fail_msg("program %llu, derivative %d: %.17g, but %.17g without cases that "
                                 "are not taken",
                                 (unsigned long long)seed, i, a.y[o][k], b.y[o][k]);
            wg_program_free(with[i]);
            wg_program_free(without[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_and_branches_hold_what_they_promise),
        cmocka_unit_test(cases_not_taken_send_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
