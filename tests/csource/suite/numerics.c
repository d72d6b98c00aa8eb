/* Algorithms as people write them. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* at n = 1 2 5; differences 1e-6 -- with pivoting, in place */
double gauss(int n, double a[n][n], double b[n]) {
    double det = 1;
    for (int k = 0; k < n; k++) {
        int p = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(a[i][k]) > fabs(a[p][k])) p = i;
        if (p != k) {
            for (int j = 0; j < n; j++) {
                double t = a[k][j];
                a[k][j] = a[p][j];
                a[p][j] = t;
            }
            double t = b[k];
            b[k] = b[p];
            b[p] = t;
            det = -det;
        }
        det *= a[k][k];
        for (int i = k + 1; i < n; i++) {
            double f = a[i][k] / a[k][k];
            a[i][k] = 0;
            for (int j = k + 1; j < n; j++) a[i][j] -= f * a[k][j];
            b[i] -= f * b[k];
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int j = i + 1; j < n; j++) b[i] -= a[i][j] * b[j];
        b[i] /= a[i][i];
    }
    return det;
}

/* at n = 0 1 2 5; native */
int cholesky(int n, double a[n][n]) {
    for (int i = 0; i < n; i++) a[i][i] += n;
    for (int j = 0; j < n; j++) {
        double d = a[j][j];
        for (int k = 0; k < j; k++) d -= a[j][k] * a[j][k];
        if (d <= 0) return j + 1;
        d = sqrt(d);
        a[j][j] = d;
        for (int i = j + 1; i < n; i++) {
            double s = a[i][j];
            for (int k = 0; k < j; k++) s -= a[i][k] * a[j][k];
            a[i][j] = s / d;
            a[j][i] = 0;
        }
    }
    return 0;
}

/* at size re=n; size im=n; n = 1 2 8 16; native -- in place, bits reversed */
void fft(int n, double *re, double *im) {
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = re[i];
            re[i] = re[j], re[j] = t;
            t = im[i], im[i] = im[j], im[j] = t;
        }
    }
    for (int length = 2; length <= n; length <<= 1) {
        double angle = -2 * 3.14159265358979323846 / length;
        for (int i = 0; i < n; i += length)
            for (int k = 0; k < length / 2; k++) {
                double c = cos(angle * k), s = sin(angle * k);
                int a = i + k, b = a + length / 2;
                double x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
                re[b] = re[a] - x;
                im[b] = im[a] - y;
                re[a] += x;
                im[a] += y;
            }
    }
}

/* at n = 0 1 2 9 */
int bubble_sort(int n, double x[n]) {
    int swaps = 0;
    bool again;
    do {
        again = false;
        for (int i = 1; i < n; i++)
            if (x[i - 1] > x[i]) {
                double t = x[i];
                x[i] = x[i - 1];
                x[i - 1] = t;
                again = true;
                swaps++;
            }
    } while (again);
    return swaps;
}

/* at n = 0 1 2 17 */
void heap_sort(int n, double x[n]) {
    for (int start = n / 2 - 1, end = n; end > 1;) {
        if (start >= 0) {
            start--;
        } else {
            end--;
            double t = x[end];
            x[end] = x[0];
            x[0] = t;
        }
        int root = start >= 0 || end == n ? start + 1 : 0;
        if (end < n) root = 0;
        for (;;) {
            int child = 2 * root + 1;
            if (child >= end) break;
            if (child + 1 < end && x[child] < x[child + 1]) child++;
            if (x[root] >= x[child]) break;
            double t = x[root];
            x[root] = x[child];
            x[child] = t;
            root = child;
        }
    }
}

static void pendulum(double t, const double y[2], double dy[2], double friction) {
    dy[0] = y[1];
    dy[1] = -sin(y[0]) - friction * y[1] + 0.1 * cos(t);
}

/* at steps = 0 1 8; y.0 in -1..1; friction in 0..0.5; native */
void runge_kutta(double y[2], double friction, double h, int steps) {
    double k[4][2], z[2];
    static const double node[] = {0, 0.5, 0.5, 1};
    for (int s = 0; s < steps; s++) {
        for (int stage = 0; stage < 4; stage++) {
            for (int i = 0; i < 2; i++)
                z[i] = stage ? y[i] + h * node[stage] * k[stage - 1][i] : y[i];
            pendulum(s * h + node[stage] * h, z, k[stage], friction);
        }
        for (int i = 0; i < 2; i++) y[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    }
}

/* at x in 0.5..3 */
double kepler(double x) {
    double e = 0.4, u = x;
    for (int i = 0; i < 50; i++) {
        double f = u - e * sin(u) - x, d = 1 - e * cos(u);
        u -= f / d;
        if (fabs(f) < 1e-13) return u;
    }
    return -1;
}

/* at n = 1 2 6; m = 1 2 5; k = 1 3 */
void matrix_product(int n, int m, int k, const double a[n][m], const double b[m][k], double c[n][k]) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < k; j++) {
            c[i][j] *= 0.5;
            for (int l = 0; l < m; l++) c[i][j] += a[i][l] * b[l][j];
        }
}

/* at n = 1 2 9; -- logarithm of a sum of exponentials, in two passes */
double log_sum_exp(int n, const double x[n]) {
    double most = x[0], s = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > most) most = x[i];
    for (int i = 0; i < n; i++) s += exp(x[i] - most);
    return most + log(s);
}

/* at n = 0 1 2 9; m = 0 1 7 */
double edit_distance(int n, int m, const double a[n], const double b[m]) {
    double row[m + 1], last;
    for (int j = 0; j <= m; j++) row[j] = j;
    for (int i = 0; i < n; i++) {
        last = row[0];
        row[0] = i + 1;
        for (int j = 0; j < m; j++) {
            double up = row[j + 1], cost = fabs(a[i] - b[j]);
            double best = last + cost;
            if (up + 1 < best) best = up + 1;
            if (row[j] + 1 < best) best = row[j] + 1;
            last = up;
            row[j + 1] = best;
        }
    }
    return row[m];
}

/* at n = 3 5 9; steps = 0 1 4; native */
void heat(int n, double u[n][n], int steps) {
    double next[n][n];
    for (int s = 0; s < steps; s++) {
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                bool edge = i == 0 || j == 0 || i == n - 1 || j == n - 1;
                next[i][j] = edge ? u[i][j]
                                  : u[i][j] + 0.2 * (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] +
                                                     u[i][j + 1] - 4 * u[i][j]);
            }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) u[i][j] = next[i][j];
    }
}

/* at n = 2 3 8; x in 0..1 -- knots sorted by sums, then a search */
double interpolate(int n, double t[n], const double y[n], double x) {
    for (int i = 1; i < n; i++) t[i] = t[i - 1] + fabs(t[i]) + 0.1;
    if (x <= t[0]) return y[0];
    if (x >= t[n - 1]) return y[n - 1];
    int low = 0, high = n - 1;
    while (high - low > 1) {
        int middle = (low + high) >> 1;
        if (t[middle] > x) high = middle;
        else low = middle;
    }
    double w = (x - t[low]) / (t[high] - t[low]);
    return (1 - w) * y[low] + w * y[high];
}

/* at x in -1..1; n = 0 1 2 8 */
double chebyshev(int n, const double c[n], double x) {
    double d = 0, dd = 0;
    for (int j = n - 1; j > 0; j--) {
        double s = d;
        d = 2 * x * d - dd + c[j];
        dd = s;
    }
    return n ? x * d - dd + 0.5 * c[0] : 0;
}

/* at n = 1 2 5 17 -- compressed sparse rows */
double sparse_times(int n, const double value[2 * n], const double x[n]) {
    int start[n + 1], column[2 * n], count = 0;
    for (int i = 0; i < n; i++) {
        start[i] = count;
        column[count++] = i;
        if (i % 3 == 1) column[count++] = (i * i) % n;
    }
    start[n] = count;
    double norm = 0;
    for (int i = 0; i < n; i++) {
        double y = 0;
        for (int k = start[i]; k < start[i + 1]; k++) y += value[k] * x[column[k]];
        norm += y * y;
    }
    return sqrt(norm);
}

/* at n = 1 2 5; -- conjugate gradients until small or n steps */
int conjugate_gradients(int n, double a[n][n], double b[n], double x[n]) {
    double r[n], p[n], q[n], rho = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) a[i][j] = a[j][i];
        a[i][i] = a[i][i] * a[i][i] + n;
        x[i] = 0;
        r[i] = p[i] = b[i];
        rho += r[i] * r[i];
    }
    int k;
    for (k = 0; k < n && rho > 1e-20; k++) {
        double pq = 0;
        for (int i = 0; i < n; i++) {
            q[i] = 0;
            for (int j = 0; j < n; j++) q[i] += a[i][j] * p[j];
            pq += p[i] * q[i];
        }
        double alpha = rho / pq, next = 0;
        for (int i = 0; i < n; i++) {
            x[i] += alpha * p[i];
            r[i] -= alpha * q[i];
            next += r[i] * r[i];
        }
        for (int i = 0; i < n; i++) p[i] = r[i] + next / rho * p[i];
        rho = next;
    }
    return k;
}

/* at x in 0.1..2; differences 1e-6 -- a continued fraction by Lentz's method */
double fraction(double x) {
    double f = 1e-30, c = f, d = 0;
    for (int j = 1; j <= 200; j++) {
        double a = j == 1 ? exp(-x) : -(j - 1.0) * (j - 1.0), b = x + 2 * j - 1;
        d = b + a * d;
        if (fabs(d) < 1e-30) d = 1e-30;
        c = b + a / c;
        if (fabs(c) < 1e-30) c = 1e-30;
        d = 1 / d;
        double delta = c * d;
        f *= delta;
        if (fabs(delta - 1) < 1e-15) break;
    }
    return f;
}
