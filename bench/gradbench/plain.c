/* Each function as its definition reads; what it takes is said in plain.h. Compiled with -O3
 * -march=native, as the suite compiles the C++ that its tools share. */
#include "plain.h"

#include <math.h>
#include <string.h>

static double log_sum_exp(const double *x, int64_t n) {
    double most = x[0], sum = 0;
    for (int64_t i = 1; i < n; i++)
        if (x[i] > most) most = x[i];
    for (int64_t i = 0; i < n; i++) sum += exp(x[i] - most);
    return most + log(sum);
}

/* ---- gmm ------------------------------------------------------------------------------------- */

/* y = Q x, Q lower triangular: its diagonal, and what is below, column by column */
static void multiply_triangle(int64_t d, const double *restrict diagonal,
                              const double *restrict below, const double *restrict x,
                              double *restrict y) {
    for (int64_t i = 0; i < d; i++) y[i] = diagonal[i] * x[i];
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = i + 1; j < d; j++) y[j] += *below++ * x[i];
}

static double square_norm(const double *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

double plain_gmm(const struct plain_gmm *of) {
    int64_t d = of->d, k = of->k, n = of->n, e = d * (d - 1) / 2;
    double *diagonal = of->scratch, *sum = diagonal + k * d, *beta = sum + k;
    double *centred = beta + k, *mapped = centred + d;
    double total = 0, squares = 0, sums = 0;
    for (int64_t c = 0; c < k; c++) {
        sum[c] = 0;
        for (int64_t j = 0; j < d; j++) {
            sum[c] += of->q[c * d + j];
            diagonal[c * d + j] = exp(of->q[c * d + j]);
        }
        squares += square_norm(diagonal + c * d, d) + square_norm(of->l + c * e, e);
        sums += sum[c];
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t c = 0; c < k; c++) {
            for (int64_t j = 0; j < d; j++) centred[j] = of->x[i * d + j] - of->mu[c * d + j];
            multiply_triangle(d, diagonal + c * d, of->l + c * e, centred, mapped);
            beta[c] = of->alpha[c] + sum[c] - 0.5 * square_norm(mapped, d);
        }
        total += log_sum_exp(beta, k);
    }
    return of->constant + total - (double)n * log_sum_exp(of->alpha, k) -
           (0.5 * of->gamma * of->gamma * squares - of->m * sums);
}

/* ---- ba -------------------------------------------------------------------------------------- */

static void cross(const double *a, const double *b, double *y) {
    y[0] = a[1] * b[2] - a[2] * b[1];
    y[1] = a[2] * b[0] - a[0] * b[2];
    y[2] = a[0] * b[1] - a[1] * b[0];
}

static double dot3(const double *a, const double *b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* x turned about r by the angle |r| (Rodrigues) */
static void turn(const double *r, const double *x, double *y) {
    double square = dot3(r, r), w[3], v[3];
    if (square == 0) {
        cross(r, x, v);
        for (int i = 0; i < 3; i++) y[i] = x[i] + v[i];
        return;
    }
    double angle = sqrt(square), c = cos(angle), s = sin(angle);
    for (int i = 0; i < 3; i++) w[i] = r[i] / angle;
    cross(w, x, v);
    double along = dot3(w, x) * (1 - c);
    for (int i = 0; i < 3; i++) y[i] = x[i] * c + v[i] * s + w[i] * along;
}

void plain_ba(const double *cam, const double *x, double w, const double *feat, double *error) {
    double from[3], turned[3], p[2];
    for (int i = 0; i < 3; i++) from[i] = x[i] - cam[3 + i];
    turn(cam, from, turned);
    for (int i = 0; i < 2; i++) p[i] = turned[i] / turned[2];
    double s = p[0] * p[0] + p[1] * p[1], stretch = 1 + cam[9] * s + cam[10] * s * s;
    for (int i = 0; i < 2; i++) error[i] = w * (p[i] * stretch * cam[6] + cam[7 + i] - feat[i]);
}

/* ---- ht -------------------------------------------------------------------------------------- */

/* c = a b of 4 x 4 */
static void multiply4(const double *a, const double *b, double *restrict c) {
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            c[4 * i + j] = 0;
            for (int k = 0; k < 4; k++) c[4 * i + j] += a[4 * i + k] * b[4 * k + j];
        }
}

/* Rz(z) Ry(0) Rx(x) in the corner of a 4 x 4 */
static void bone_rotation(double x, double z, double *y) {
    double c = cos(x), s = sin(x), cz = cos(z), sz = sin(z);
    const double r[16] = {cz, -sz * c, sz * s, 0, sz, cz * c, -cz * s, 0, 0, s, c, 0, 0, 0, 0, 1};
    memcpy(y, r, sizeof r);
}

static void bone_angles(const double *theta, int64_t bone, double *x, double *z) {
    int64_t finger = (bone - 2) / 4, joint = (bone - 2) % 4;
    *x = *z = 0;
    if (bone < 2 || finger > 4 || joint == 3) return;
    *x = theta[6 + 4 * finger + (joint ? joint + 1 : 0)];
    if (joint == 0) *z = theta[7 + 4 * finger];
}

static void global_rotation(const double *r, double R[3][3]) {
    double n = sqrt(dot3(r, r));
    for (int i = 0; i < 9; i++) R[i / 3][i % 3] = i % 4 == 0;
    if (n < 1e-4) return;
    double x = r[0] / n, y = r[1] / n, z = r[2] / n, c = cos(n), s = sin(n);
    double v[3][3] = {
        {x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s},
        {x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s},
        {x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c},
    };
    memcpy(R, v, sizeof v);
}

/* position[vertices,3] += the vertices moved with a bone, times its weights */
static void add_bone(const struct plain_ht *of, int64_t bone, const double *restrict t,
                     double *restrict position) {
    for (int64_t v = 0; v < of->vertices; v++) {
        const double *x = of->base + 4 * v;
        double weight = of->weights[v * of->bones + bone];
        for (int i = 0; i < 3; i++)
            position[3 * v + i] += weight * (t[4 * i] * x[0] + t[4 * i + 1] * x[1] +
                                             t[4 * i + 2] * x[2] + t[4 * i + 3] * x[3]);
    }
}

static void place_vertices(const struct plain_ht *of, double *absolute, double *position) {
    double R[3][3];
    memset(position, 0, (size_t)(3 * of->vertices) * sizeof *position);
    for (int64_t b = 0; b < of->bones; b++) {
        double x, z, rotation[16], relative[16], *to = absolute + 16 * b, transform[16];
        bone_angles(of->theta, b, &x, &z);
        bone_rotation(x, z, rotation);
        multiply4(of->relatives + 16 * b, rotation, relative);
        if (of->parent[b] < 0)
            memcpy(to, relative, sizeof relative);
        else
            multiply4(absolute + 16 * of->parent[b], relative, to);
        multiply4(to, of->inverses + 16 * b, transform);
        add_bone(of, b, transform, position);
    }
    global_rotation(of->theta, R);
    for (int64_t v = 0; v < of->vertices; v++) {
        double *at = position + 3 * v, p[3] = {of->mirror * at[0], at[1], at[2]};
        for (int i = 0; i < 3; i++) at[i] = dot3(R[i], p) + of->theta[3 + i];
    }
}

void plain_ht(const struct plain_ht *of, double *error) {
    double *position = of->scratch + 16 * of->bones;
    place_vertices(of, of->scratch, position);
    for (int64_t p = 0; p < of->points; p++)
        for (int i = 0; i < 3; i++) {
            double y = position[3 * of->corner[0][p] + i];
            if (of->us) {
                double u = of->us[2 * p], v = of->us[2 * p + 1];
                y = u * y + v * position[3 * of->corner[1][p] + i] +
                    (1 - u - v) * position[3 * of->corner[2][p] + i];
            }
            error[3 * p + i] = of->point[3 * p + i] - y;
        }
}

/* ---- lstm ------------------------------------------------------------------------------------ */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* One layer's step: `in` becomes its new hidden state. */
static void lstm_layer(int64_t n, const double *w, const double *b, double *hidden, double *cell,
                       double *in) {
    for (int64_t i = 0; i < n; i++) {
        double forget = sigmoid(in[i] * w[i] + b[i]);
        double ingate = sigmoid(hidden[i] * w[n + i] + b[n + i]);
        double outgate = sigmoid(in[i] * w[2 * n + i] + b[2 * n + i]);
        double change = tanh(hidden[i] * w[3 * n + i] + b[3 * n + i]);
        cell[i] = cell[i] * forget + ingate * change;
        in[i] = hidden[i] = outgate * tanh(cell[i]);
    }
}

double plain_lstm(const struct plain_lstm *of) {
    int64_t n = of->bits;
    const double *x = of->sequence;
    double *state = of->scratch, *in = state + 2 * of->layers * n, *y = in + n, total = 0;
    memcpy(state, of->state, (size_t)(2 * of->layers * n) * sizeof *state);
    for (int64_t t = 0; t + 1 < of->steps; t++, x += n) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) in[i] = x[i] * of->extra[i];
        for (int64_t k = 0; k < of->layers; k++) {
            const double *w = of->main + 8 * k * n;
            lstm_layer(n, w, w + 4 * n, state + 2 * k * n, state + (2 * k + 1) * n, in);
        }
        for (int64_t i = 0; i < n; i++)
            sum += exp(y[i] = in[i] * of->extra[n + i] + of->extra[2 * n + i]);
        for (int64_t i = 0; i < n; i++) total += x[n + i] * (y[i] - log(2 + sum));
    }
    return -total / (double)((of->steps - 1) * n);
}

/* ---- llsq, lse ------------------------------------------------------------------------------- */

double plain_llsq(const double *x, int64_t m, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double t = -1 + 2 * (double)i / (double)(n - 1), power = 1;
        double r = t > 0 ? 1 : t < 0 ? -1 : 0;
        for (int64_t j = 0; j < m; j++, power *= t) r -= x[j] * power;
        sum += r * r;
    }
    return sum / 2;
}

double plain_lse(const double *x, int64_t n) { return log_sum_exp(x, n); }
