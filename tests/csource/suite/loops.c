/* Loops of every kind, with bounds that data decide. */
#include <math.h>

/* at -- a sum of nothing too */
double sum(int n, const double x[n]) {
    double s = 0;
    for (int i = 0; i < n; i++) s += x[i];
    return s;
}

/* at native */
void prefix(int n, double x[n]) {
    for (int i = 1; i < n; i++) x[i] += x[i - 1];
}

/* at */
void suffix(int n, double x[n]) {
    for (int i = n - 2; i >= 0; i--) x[i] = 0.5 * x[i] + x[i + 1] * x[i];
}

/* at n = 1 2 17 5 */
double steps(int n, const double x[n]) {
    double s = 0;
    for (int i = 0; i < n; i += 3) s += x[i] * i;
    for (int i = n; i > 0; i -= 2) s -= x[i - 1] * i;
    for (int i = 1; i < n; i *= 2) s += x[i] * x[i];
    for (int i = n - 1; i > 0; i /= 2) s *= 1 + 0.1 * x[i];
    for (unsigned i = (unsigned)n; i-- > 0;) s += 0.5 * x[i];
    return s;
}

/* at k = 0 1 5 -3 */
double counted(int k, double x) {
    double y = 1;
    while (k-- > 0) y *= x;
    return y + k;
}

/* at k = 1 6 7 27 */
double collatz(int k, double x) {
    double y = x;
    int steps = 0;
    while (k != 1) {
        if (k % 2)
            k = 3 * k + 1, y = y * 0.5 + x;
        else
            k /= 2, y = sin(y) + 0.1;
        steps++;
    }
    return y + steps;
}

/* at x in 2..50; native */
double newton_root(double x) {
    double y = x;
    do {
        double next = 0.5 * (y + x / y);
        if (fabs(next - y) < 1e-14 * y) break;
        y = next;
    } while (1);
    return y;
}

/* at x in 0.5..3 */
double bisect(double x) {
    double low = 0, high = 10;
    int steps = 0;
    while (high - low > 1e-3 && ++steps < 100) {
        double middle = (low + high) / 2;
        if (middle * middle * middle < 20)
            low = middle;
        else
            high = middle;
    }
    return (low + high) * x * steps;
}

/* at n = 1 2 17 */
int first_negative(int n, const double x[n]) {
    int i = 0;
    while (i < n && x[i] >= 0) i++;
    return i;
}

/* at k = 0 1 2 9 */
double two_ends(int k, double x) {
    int i, j;
    double s = 0;
    for (i = 0, j = k; i < j; i++, j--) s += (i - j) * x;
    return s + i * 10 + j;
}

/* at */
double dependent(int n, const double x[n]) {
    double s = 0;
    for (int i = 0; i < n; i++)
        for (int j = i; j < n && j < i + 3; j++)
            for (int k = j; k > i; k--) s += x[i] * x[j] - x[k];
    return s;
}

/* at */
double end_moves(int n, const double x[n]) {
    double s = 0;
    int m = n;
    for (int i = 0; i < m; i++) {
        s += x[i];
        if (x[i] > 0 && m > 1) m--;
    }
    return s * m;
}

/* at */
double index_moves(int n, const double x[n]) {
    double s = 0;
    for (int i = 0; i < n; i++) {
        s = s * 0.5 + x[i];
        if (s > 0.2) i++;
    }
    return s;
}

/* at n = 0 1 2 17; m = 0 1 3 5; native */
double nested(int n, int m, double a[n][m]) {
    double s = 0;
    for (int i = 0; i < n; i++) {
        if (i % 4 == 3) continue;
        for (int j = 0; j < m; j++) {
            if (a[i][j] > 0.7) break;
            if (a[i][j] < -0.7) continue;
            a[i][j] = a[i][j] * s + j;
            s += a[i][j] * 0.1;
        }
    }
    return s;
}

/* at k = 0 3 10 */
int long_index(int k) {
    long s = 0;
    for (long i = -k; i <= k; i++) s = s * 3 + i;
    for (short j = 0; j < k; j++) s ^= j;
    for (unsigned char c = 250; c != 4; c++) s += c;
    return (int)(s & 0xFFFFFF);
}

/* at n = 1 2 5 17 */
double empty_parts(int n, const double x[n]) {
    double s = 0;
    int i = 0;
    for (;;) {
        if (i >= n) break;
        s += x[i++];
    }
    for (; i > 0;) s *= 1 + 0.01 * x[--i];
    for (i = 0; i < n; i++);
    return s + i;
}

/* at k = 1 2 3; n = 0 1 5 17 -- the caller says by how much */
double by_steps(int n, const double x[n], int k) {
    double s = 0;
    int i, j;
    for (i = 0; i < n; i += k) s += x[i] * i;
    for (j = n - 1; j >= 0; j -= k) s = s * 0.5 + x[j] * j;
    s += i * 100 + j;
    for (i = 1; i < n; i += k) {
        if (x[i] > 0.2) break;
        s += x[i];
    }
    for (j = n; j > 0; j = j - k);
    int m = 0;
    for (int a = 2; a <= n; a += k) m += a;
    return s + i * 10 + j + m;
}

/* at k = 0 1 2 5; m = 0 3 7 */
int sums_only(int k, int m) {
    int a = 0, b = 7, c = 100, i;
    for (i = 0; i < m; i++) a += 2, b -= i, c += k;
    for (int j = m; j > 0; j -= 2) a += j, b += 3;
    for (int j = 0; j <= m; j++)
        for (int q = j; q < m; q++) a += q - j;
    return a + b * 1000 + c + i;
}

/* at n = 0 1 2 5 17 */
double walk_two(int n, double x[n], double y[2 * n]) {
    double *p = x, *q = y, s = 0;
    int k = 0;
    for (int i = 0; i < n; i++) {
        s += *p++ * *q;
        q += 2;
        k += 3;
        if (k > 20) k = 1;
    }
    return s + k + (q - y) + (p - x);
}

/* at n = 0 1 2 5 17; native -- the size decides whether it runs, and is what it changes */
double halves(int n, const double x[n]) {
    double s = 0;
    while (n) {
        n /= 2;
        s += 0.3 * x[n];
    }
    return s;
}

/* at n = 0 1 2 5 17; native */
double walk_back(int n, const double x[n]) {
    double s = 0.3;
    const double *p = x + n;
    while (p > x) s = 0.5 * s + 0.5 * *--p;
    return s;
}

/* at -- what several loops read, none of which may run */
double read_by_both(int n, const double x[n], double c) {
    double s = c, t = 0;
    if (c > 100) s += x[n - 1];
    for (int k = 0; k < n; k++) s += x[n - 1] * c;
    for (int k = 0; k < n; k++)
        for (int j = 0; j <= k; j++) t += x[n - 1] * x[n - 1] * k;
    if (c > 50) s += x[n - 1];
    return s * t;
}
