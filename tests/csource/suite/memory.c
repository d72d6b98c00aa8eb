/* Arrays and pointers: one array read and written through several names, walks, copies. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void swap(double *a, double *b) {
    double t = *a;
    *a = *b;
    *b = t;
}

/* at */
void reverse(int n, double x[n]) {
    for (int i = 0, j = n - 1; i < j; i++, j--) swap(&x[i], &x[j]);
}

/* at n = 1 2 17; k = 0 1 5 */
void rotate(int n, int k, double x[n]) {
    for (int s = 0; s < k; s++) {
        double first = x[0];
        for (int i = 0; i + 1 < n; i++) x[i] = x[i + 1];
        x[n - 1] = first * 1.5;
    }
}

/* at -- the same array three times */
double aliases(int n, double x[n]) {
    double *p = x, *q = x, *end = x + n;
    double s = 0;
    while (p != end) {
        *p = *p * 2 + *q;
        if (p > q) q++;
        s += *q++ * *p;
        if (q > p) q = p;
        p++;
    }
    return s + (double)(p - q);
}

/* at n = 1 2 3 17 */
double walk(int n, const double *restrict x, double y[static n]) {
    const double *p = y;
    double s = 0;
    (void)x;
    for (int i = 0; i < n; i++) s += *p++;
    s += *--p;
    s -= p[0] * *(p - (n > 1));
    for (double *w = y + n - 1; w >= y; --w) *w += s;
    return s;
}

/* at size x=n; n = 3 4 17 */
double stencil(int n, double *x) {
    double *a = x + 1;
    for (int i = 0; i < n - 2; i++, a++) a[0] = 0.25 * a[-1] + 0.5 * a[0] + 0.25 * a[1];
    return *x * *(x + n - 1) * 1 [x];
}

/* at n = 1 2 17; native */
double local_copies(int n, double x[n]) {
    double a[n], b[2][n];
    memcpy(a, x, sizeof(double) * (size_t)n);
    memset(x, 0, (size_t)n * sizeof *x);
    for (int i = 0; i < n; i++) {
        b[0][i] = a[i] * a[n - 1 - i];
        b[1][n - 1 - i] = b[0][i] + i;
    }
    for (int i = 0; i < n; i++) x[i] = b[1][i] - b[0][i] * a[0];
    return a[0] + b[1][n - 1];
}

/* at n = 4 5 17 */
void overlapping(int n, double x[n]) {
    memmove(x, x + 1, ((size_t)n - 1) * sizeof(double));
    x[n - 1] = x[0];
    memmove(x + 2, x, ((size_t)n - 2) * sizeof(double));
}

/* at n = 1 2 17 */
double allocated(int n, const double x[n]) {
    double *a = malloc((size_t)n * sizeof(double));
    double *b = calloc((size_t)n, sizeof *b);
    if (!a || !b) {
        free(a);
        free(b);
        return -1;
    }
    for (int i = 0; i < n; i++) a[i] = x[i] * x[i];
    for (int i = n - 1; i >= 0; i -= 2) b[i] = a[i];
    double s = 0;
    for (int i = 0; i < n; i++) s += a[i] * 3 - b[i];
    free(b);
    free(a);
    return s;
}

/* at */
void subscript_effects(int n, double x[n], double y[n]) {
    int i = 0, j = n;
    while (i < n) {
        y[--j] = x[i++];
        if (i < n) y[j] += x[i] * 0.5;
    }
    for (i = 0; i < n;) x[i++] *= y[j < n ? j++ : 0];
}

/* at n = 1 2 17 */
void overwritten(int n, double x[n], double s) {
    s = s * s;
    for (int i = 0; i < n; i++) {
        x[i] = x[i] * s;
        s = x[i] + x[0];
    }
    x[n / 2] = 0;
    n = 0;
    x[n] = s;
}

/* at n = 1 2 5; m = 1 3 4 */
double rows(int n, int m, double a[n][m]) {
    double s = 0;
    for (int i = 0; i < n; i++) {
        double *row = a[i];
        for (int j = 0; j < m; j++) s += row[j] * (j + 1);
        row[m - 1] = s;
        double *other = &a[n - 1 - i][0];
        other[0] -= row[m - 1];
    }
    double(*p)[m] = a;
    for (int i = 0; i < n; i++, p++) (*p)[0] *= p[0][m - 1];
    return s + *(*a + m - 1);
}

/* at l = 1 2 3; m = 1 2; n = 1 3 2 */
double cube(int l, int m, int n, double a[l][m][n]) {
    double s = 1;
    for (int i = 0; i < l; i++)
        for (int j = 0; j < m; j++)
            for (int k = 0; k < n; k++) {
                s += a[i][j][k] * s * 0.25;
                a[l - 1 - i][m - 1 - j][n - 1 - k] += a[i][j][k] * 0.5;
            }
    double *flat = &a[0][0][0];
    return s + flat[0] + a[l - 1][m - 1][n - 1];
}

/* at size a=n*n; n = 1 2 5 */
double flat_matrix(int n, double *a) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            double t = a[i * n + j];
            a[i * n + j] = a[j * n + i] * 0.5;
            a[j * n + i] = t;
        }
    double trace = 0;
    for (double *p = a; p < a + n * n; p += n + 1) trace += *p * *p;
    return trace;
}

/* at k = 0 1 2 */
double chosen(double x[3], int k) {
    double *p = &x[k];
    double *q = k ? x : x + 2;
    *p += *q;
    p = p == x ? p + 1 : p - 1;
    *p *= 2;
    return p - x + *q;
}

/* at n = 2 3 17 */
int permute(int n, int order[n], double x[n]) {
    for (int i = 0; i < n; i++) order[i] = (i * 7 + 3) % n;
    for (int i = 0; i < n; i++) x[order[i]] += x[i] * 0.5;
    int s = 0;
    for (int i = 0; i < n; i++) s = s * 31 % 1009 + order[i];
    return s;
}

/* at k in 0..4 */
void histogram(double x[12], const int k[12], double bin[5]) {
    double count[5] = {0};
    for (int i = 0; i < 12; i++) {
        count[k[i]] += 1;
        bin[k[i]] = bin[k[i]] * 0.5 + x[i];
        x[k[i]] -= bin[k[i]];
    }
    for (int i = 0; i < 5; i++) bin[i] /= 1 + count[i];
}

/* at */
void many_types(unsigned u[3], long l[3], _Bool b[3], float f[3], const int i[3]) {
    for (int k = 0; k < 3; k++) {
        u[k] += (unsigned)i[k] * 3u;
        l[k] = l[k] * u[k] - i[k];
        b[k] = !b[k] ^ (i[k] > 0);
        f[k] = f[k] * 2 + i[k] + b[k];
    }
    u[0]--, --u[1];
    l[2] %= 5;
}

/* at */
void by_pointer(double *a, double *b, int *n) {
    double t = *a * *b;
    *b = t + *a;
    *a = sin(t) * *n;
    ++*n;
    *n += 2;
    (*n)--;
}

/* at n = 1 4 */
double shadows(int n, double x[n]) {
    double s = 0;
    for (int i = 0; i < n; i++) {
        double s = x[i];
        {
            double x = s * s;
            s += x;
            int n = 2;
            for (int i = 0; i < n; i++) {
                double s = x * i;
                x += s;
            }
            s -= x;
        }
        x[i] = s;
    }
    for (int n = 0; n < 3; n++) s += n;
    return s + x[n - 1];
}

/* at k in 0..3; n = 1 4 */
double ring(int n, const double x[n], int k) {
    double buffer[4] = {1, 2};
    int head = k;
    for (int i = 0; i < n; i++) {
        buffer[head] += x[i];
        head = (head + 1) & 3;
        buffer[head ^ 1] *= 0.5 + x[i];
    }
    return buffer[0] + 2 * buffer[1] + 3 * buffer[2] + 4 * buffer[3];
}

/* at x in 0..9 */
double indexed_by_data(const double x[4]) {
    double table[10];
    for (int i = 0; i < 10; i++) table[i] = i * x[0];
    double s = 0;
    for (int i = 0; i < 4; i++) {
        int k = (int)x[i];
        s += table[k] + table[9 - k] * table[k];
        table[k] = s;
    }
    return s;
}

/* at k = 0 1 3 5 -- pointers to single variables, assigned in cases and loops */
double to_single(double x[1], int k) {
    double y = 2, *q = k ? x : x;
    double *p;
    if (k > 2) p = &y;
    else
        p = &y;
    for (int i = 0; i < k; i++) {
        *p += *q;
        q = x;
        p = &y;
    }
    return *q + *p;
}
