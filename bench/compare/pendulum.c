/* A scalar expression of 10^5 instructions: a damped pendulum by the semi-implicit Euler method,
 * and how far it stays from an angle b. Every step is written out, as a program that traces scalars
 * does; by hand it is a loop that keeps what it went through and walks back.
 *
 *     v <- v - H (k sin a + c v);  a <- a + H v;  y <- y + (a - b)^2
 */
#include "compare.h"
#include "simd.h"

#include <stdlib.h>
#include <string.h>

#define H 0.001

enum { A, V, K, C, B, UNKNOWNS };

static int64_t steps_of(const struct problem *p) {
    return strtoll(p->sizes + strlen("steps="), NULL, 10);
}

static double unknown(const struct problem *p, int i) { return *(const double *)p->input[i].data; }

static double value(const struct problem *p) {
    double a = unknown(p, A), v = unknown(p, V), k = unknown(p, K), c = unknown(p, C);
    double b = unknown(p, B), y = 0;
    for (int64_t i = 0, n = steps_of(p); i < n; i++) {
        v -= H * (k * sin(a) + c * v);
        a += H * v;
        y += (a - b) * (a - b);
    }
    return y;
}

struct passed { /* v before a step, sine and cosine of a before it, a - b after it */
    double v, sine, cosine, off;
};

static double gradient(const struct problem *p, void *const *slope) {
    double a = unknown(p, A), v = unknown(p, V), k = unknown(p, K), c = unknown(p, C);
    double b = unknown(p, B), y = 0, da = 0, dv = 0, dk = 0, dc = 0, db = 0;
    struct passed *at = p->scratch;
    int64_t n = steps_of(p);
    for (int64_t i = 0; i < n; i++) {
        at[i].v = v;
        at[i].sine = sin(a);
        at[i].cosine = cos(a);
        v -= H * (k * at[i].sine + c * v);
        a += H * v;
        at[i].off = a - b;
        y += at[i].off * at[i].off;
    }
    for (int64_t i = n; i-- > 0;) {
        double off = 2 * at[i].off;
        da += off;
        db -= off;
        dv += H * da;
        double ct = -H * dv;
        dk += ct * at[i].sine;
        dc += ct * at[i].v;
        da += ct * k * at[i].cosine;
        dv += ct * c;
    }
    const double d[UNKNOWNS] = {da, dv, dk, dc, db};
    for (int i = 0; i < UNKNOWNS; i++) *(double *)slope[i] = d[i];
    return y;
}

static size_t scratch(const struct problem *p) {
    return (size_t)steps_of(p) * sizeof(struct passed);
}

static void fill(struct problem *p, wg_random *random) {
    const double at[UNKNOWNS] = {1, 0.5, 9.81, 0.3, 0.2};
    (void)random;
    for (int i = 0; i < UNKNOWNS; i++) *(double *)p->input[i].data = at[i];
}

static wg_program *build(const struct problem *p, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input(g, "a", wg_f64()), v = wg_input(g, "v", wg_f64());
    wg_var k = wg_input(g, "k", wg_f64()), c = wg_input(g, "c", wg_f64());
    wg_var b = wg_input(g, "b", wg_f64()), y = wg_number(g, WG_F64, 0);
    for (int64_t i = 0, n = steps_of(p); i < n; i++) {
        v = wg_sub(v, wg_mul(H, wg_add(wg_mul(k, wg_sin(a)), wg_mul(c, v))));
        a = wg_add(a, wg_mul(H, v));
        y = wg_add(y, wg_square(wg_sub(a, b)));
    }
    wg_output(g, "y", y);
    return wg_build(g, error);
}

const struct bench_case case_pendulum = {
    .name = "pendulum",
    .what = "scalar program of 11 instructions a step",
    .build = build,
    .wrt = "a, v, k, c, b",
    .sizes = {"steps=20", "steps=9100"},
    .fill = fill,
    .value = value,
    .gradient = gradient,
    .scratch = scratch,
};
