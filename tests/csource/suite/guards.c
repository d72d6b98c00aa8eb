/* Loops that guard what they read, and what is written out, carried as a flag or walked. */
#include <math.h>
#include <stdbool.h>

/* at n = 0 1 2 5; k = 0 3 9 12 */
double beyond(int n, const double x[n], int k) {
    double s = 0;
    for (int i = 0; i < k; i++) {
        if (i < n)
            s += x[i];
        else
            s += 1;
    }
    for (int i = 0; i < k; i++) {
        if (i >= n) continue;
        s += x[i] * 2;
    }
    for (int i = 0; i < k; i++) {
        if (i >= n) break;
        s += x[i] * i;
    }
    for (int i = 0; i < k && i < n; i++) s -= x[i];
    for (int i = 0; i < k; i++) s += i < n && x[i] > 0 ? 1 : 0.5;
    for (int i = 0, j = 0; i < k; i++) {
        if (j < n) s += x[j++] * i;
    }
    for (int i = 0; i < k; i++) s += n ? x[i % n] : 0.25;
    for (int i = k; i > 0; i--)
        if (i <= n) s *= x[i - 1] + 1;
    return s;
}

/* at n = 1 2 5 17 */
double offsets(int n, double x[2 * n], double y[n + 1]) {
    double s = 0;
    for (int i = 0; i < n; i++) s += x[2 * i] * y[i + 1] - x[2 * i + 1] * y[n - 1 - i];
    for (int i = 1; i <= n; i++) y[i] = y[i - 1] * 0.5 + x[i + n - 1];
    for (int i = n - 1; i > 0; i -= 2) x[i] = x[i - 1] * y[i];
    int j = 2 * n;
    while (j > n) {
        j--;
        s += x[j] * y[j - n];
    }
    for (int i = 0; i < n / 2; i++) {
        double t = y[i];
        y[i] = y[n - i];
        y[n - i] = t;
    }
    for (int i = 0; i < n; i += 2) {
        y[i] += 1;
        if (i + 1 < n) y[i + 1] -= y[i];
    }
    return s;
}

/* at n = 0 1 4; k = 0 2 5 */
double written_out(int n, double x[n], int k) {
    double a[4] = {1, 2, 3, 4}, b[3][3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) b[i][j] = a[i] * (j - i) + k;
    for (int i = 0; i < 4; i++) {
        if (i == k) {
            a[i] = 7;
            continue;
        }
        if (i > k) break;
        a[i] += a[(i + 1) % 4];
    }
    for (int i = 3; i >= 0; i--)
        for (int j = 0; j < i; j++) a[j] += a[i] * b[j % 3][i % 3];
    int i;
    for (i = 0; i < 3; i++)
        if (b[i][i] > 1 && k) break;
    double s = i;
    for (int m = 0; m < n; m++) {
        for (int q = 0; q < 3; q++) {
            if (x[m] > 0.5) return s + q;
            b[q][m % 3] += x[m];
            s += b[q][q] * a[m];
            if (s > 30) break;
        }
        x[m] = b[m % 3][(m + k) % 3];
    }
    return s + a[0] * a[3] + b[2][1] + (k < 3 ? a[k] : b[k - 3][0]);
}

/* at n = 0 1 3 17 */
double many_flags(int n, const double x[n]) {
    bool up = false, down = false, both = false;
    int runs = 0, last = 0;
    double s = 0;
    for (int i = 0; i < n; i++) {
        bool now = x[i] > 0;
        if (now && !up)
            up = true, runs++;
        else if (!now && up && !down)
            down = true;
        both = both || (up && down);
        if (both && x[i] > 0.5) {
            both = up = down = false;
            s += x[last];
            last = i;
        }
        s += both ? x[i] * x[last] : up ? x[i] : -x[i];
    }
    return s + runs * 10 + last;
}

/* at n = 0 1 2 6 */
double pointers_to_pairs(int n, double x[2 * n]) {
    double s = 0;
    for (double *p = x, *q = x + 2 * n; p < q; p += 2) {
        double *lo = p, *hi = p + 1;
        if (*lo > *hi) {
            double t = *lo;
            *lo = *hi;
            *hi = t;
        }
        s += *hi - *lo;
        if (p + 2 < q) p[2] += 0.1 * *hi;
    }
    return s;
}

/* at k = 0 1 5 */
double vla_in_loop(int k, int n, const double x[n]) {
    double s = 0;
    for (int r = 0; r < k; r++) {
        double t[n + 1];
        t[0] = r;
        for (int i = 0; i < n; i++) t[i + 1] = t[i] * 0.5 + x[i];
        s += t[n];
        double u[3] = {s, t[0]};
        u[r % 3] += 1;
        s += u[1] * u[2] + u[0] * 0.1;
    }
    return s;
}

/* at n = 2 5; differences 1e-6 */
double infinite_and_zero(int n, const double x[n]) {
    double least = INFINITY, most = -HUGE_VAL, product = 1;
    for (int i = 0; i < n; i++) {
        least = fmin(least, x[i]);
        most = x[i] > most ? x[i] : most;
        product *= x[i];
    }
    return (most - least) * product;
}
struct rng {
    unsigned long s;
    int used;
};
static double draw(struct rng *r) {
    r->s = r->s * 6364136223846793005ul + 1442695040888963407ul;
    r->used++;
    return (double)(r->s >> 11) / 9007199254740992.0;
}

/* at n = 1 3 17 */
double monte_carlo(int n, const double x[n], unsigned seed) {
    struct rng r = {seed, 0};
    double s = 0;
    for (int i = 0; i < n; i++) {
        double u = draw(&r);
        if (u < 0.3) continue;
        double v = u > 0.8 ? draw(&r) : u * u;
        s += x[(int)(v * n)] * u;
    }
    return s / r.used;
}
static int gcd(int a, int b) {
    while (b) {
        int t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* at a = 12 0 35 -18 1071; b = 18 5 0 12 462 */
int number_theory(int a, int b, double *x) {
    int g = gcd(a, b), lcm = g ? a / g * b : 0;
    unsigned c = 0;
    for (unsigned v = (unsigned)a; v; v &= v - 1) c++;
    int primes = 0;
    for (int p = 2; p < 30; p++) {
        int d;
        for (d = 2; d * d <= p; d++)
            if (p % d == 0) break;
        if (d * d > p) primes++;
    }
    *x *= g;
    return lcm * 100 + (int)c + primes;
}
