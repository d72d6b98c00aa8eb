/* Least squares with a polynomial: 1/2 sum (s - c(t))^2 over points t in [-1, 1] with s = sign t,
 * the gradient with respect to the coefficients. No Vandermonde matrix is stored: Horner's scheme
 * in registers for a block of points, and running powers for the gradient. */
#include "compare.h"
#include "simd.h"

enum { DEGREES = 128, BLOCK = 4 * LANES };

/* Up to BLOCK points; what is missing has weight 0. */
struct points {
    lanes t[4], s[4], weight[4];
};

static void load_points(const double *restrict t, const double *restrict s, int64_t count,
                        struct points *restrict out) {
    double block[3][BLOCK] = {{0}};
    for (int64_t i = 0; i < count && i < BLOCK; i++) {
        block[0][i] = t[i];
        block[1][i] = s[i];
        block[2][i] = 1;
    }
    for (int i = 0; i < 4; i++) {
        out->t[i] = load_lanes(&block[0][i * LANES]);
        out->s[i] = load_lanes(&block[1][i * LANES]);
        out->weight[i] = load_lanes(&block[2][i * LANES]);
    }
}

/* r = weight (s - c(t)) */
static void residuals(const struct points *restrict at, const double *restrict c, lanes r[4]) {
    lanes t0 = at->t[0], t1 = at->t[1], t2 = at->t[2], t3 = at->t[3];
    lanes y0 = {0}, y1 = {0}, y2 = {0}, y3 = {0};
    for (int j = DEGREES; j-- > 0;) {
        y0 = y0 * t0 + c[j];
        y1 = y1 * t1 + c[j];
        y2 = y2 * t2 + c[j];
        y3 = y3 * t3 + c[j];
    }
    r[0] = (at->s[0] - y0) * at->weight[0];
    r[1] = (at->s[1] - y1) * at->weight[1];
    r[2] = (at->s[2] - y2) * at->weight[2];
    r[3] = (at->s[3] - y3) * at->weight[3];
}

/* sum[j] += r t^j */
static void add_moments(const struct points *restrict at, const lanes r[4], lanes *restrict sum) {
    lanes t0 = at->t[0], t1 = at->t[1], t2 = at->t[2], t3 = at->t[3];
    lanes q0 = r[0], q1 = r[1], q2 = r[2], q3 = r[3];
    for (int j = 0; j < DEGREES; j++) {
        sum[j] += (q0 + q1) + (q2 + q3);
        q0 *= t0;
        q1 *= t1;
        q2 *= t2;
        q3 *= t3;
    }
}

static double half_square(const lanes r[4]) {
    return 0.5 * sum_lanes((r[0] * r[0] + r[1] * r[1]) + (r[2] * r[2] + r[3] * r[3]));
}

static double value(const struct problem *p) {
    const double *c = p->input[0].data, *t = p->input[1].data, *s = p->input[2].data;
    int64_t n = p->input[1].shape[0];
    double y = 0;
    for (int64_t i = 0; i < n; i += BLOCK) {
        struct points at;
        lanes r[4];
        load_points(t + i, s + i, n - i, &at);
        residuals(&at, c, r);
        y += half_square(r);
    }
    return y;
}

static double gradient(const struct problem *p, void *const *slope) {
    const double *c = p->input[0].data, *t = p->input[1].data, *s = p->input[2].data;
    double *dc = slope[0], y = 0;
    int64_t n = p->input[1].shape[0];
    lanes sum[DEGREES] = {{0}};
    for (int64_t i = 0; i < n; i += BLOCK) {
        struct points at;
        lanes r[4];
        load_points(t + i, s + i, n - i, &at);
        residuals(&at, c, r);
        y += half_square(r);
        add_moments(&at, r, sum);
    }
    for (int j = 0; j < DEGREES; j++) dc[j] = -sum_lanes(sum[j]);
    return y;
}

static void fill(struct problem *p, wg_random *random) {
    double *c = p->input[0].data, *t = p->input[1].data, *s = p->input[2].data;
    int64_t n = p->input[1].shape[0];
    for (int j = 0; j < DEGREES; j++) c[j] = wg_random_uniform(random);
    for (int64_t i = 0; i < n; i++) {
        t[i] = -1 + 2 * (double)i / (double)(n - 1);
        s[i] = t[i] > 0 ? 1 : t[i] < 0 ? -1 : 0;
    }
}

static wg_program *build(const struct problem *p, wg_error *error) {
    (void)p;
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var c = wg_input(g, "c", wg_f64(DEGREES)), t = wg_input(g, "t", wg_f64(n));
    wg_var s = wg_input(g, "s", wg_f64(n)), y = wg_slice(c, 0, DEGREES - 1, DEGREES, 1);
    for (int j = DEGREES - 1; j-- > 0;) y = wg_add(wg_mul(y, t), wg_slice(c, 0, j, j + 1, 1));
    wg_output(g, "y", wg_mul(wg_sum(wg_square(wg_sub(s, y))), 0.5));
    return wg_build(g, error);
}

const struct bench_case case_polynomial = {
    .name = "polynomial",
    .what = "1/2 sum (s - sum c_j t^j)^2, 128 coefficients",
    .build = build,
    .wrt = "c",
    .sizes = {"n=37", "n=2048", "n=16392"},
    .fill = fill,
    .value = value,
    .gradient = gradient,
};
