/* What is easily taken wrong: order, effects in odd places, names of one thing. */
#pragma GCC diagnostic ignored "-Wbool-operation"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wmissing-braces"
#pragma GCC diagnostic ignored "-Woverflow"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wliteral-conversion"
#pragma GCC diagnostic ignored "-Wliteral-range"
#endif
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* at k = -2 0 3; x in 0.5..2 -- nothing may be divided where C does not */
double guarded_division(int k, double x) {
    int y = 7, z = 0;
    if (k != 0) y = 100 / k;
    if (k) z = 100 % k;
    int w = k ? 12 / k : -1;
    bool both = k != 0 && 6 / k > 1;
    if (k > 0) x = x / k;
    return x * y + z + w + both;
}

/* at n = 0 1 3; k = 0 1 2 3 4 */
double guarded_element(int n, const double x[n], int k) {
    double s = k < n && x[k] > 0 ? x[k] : -1;
    if (k < n && x[k] < 0.5) s += x[k];
    if (k >= n || x[k] < 0) s *= 2;
    else
        s += x[k];
    double t = k + 1 < n ? x[k + 1] : 0.5;
    if (k > 0 && k <= n && x[k - 1] > -2) t += x[k - 1];
    return s * t;
}

/* at n = 4 6; -- the condition moves the index */
double condition_moves(int n, const double x[n]) {
    int i = 0;
    double s = x[i++] > 0 ? x[i++] : 5;
    if (x[i++] > 0) s += x[i];
    s += x[i] > -2 ? x[i] : 0;
    return s * 100 + i;
}

/* at k = 0 1 2 */
double moved_through_pointer(int k, double x) {
    double s = 0;
    for (int i = 0; i < 10; i++) {
        int *p = &i;
        s = s * 0.5 + x * i;
        if (i > 4) *p += k;
    }
    int *q = &k, n = 6;
    for (int i = 0; i < n; i++) {
        s += x;
        int *r = i & 1 ? q : q;
        *r += 1;
        if (i == k) n--;
    }
    return s + k + n;
}

static void advance(int *i) { ++*i; }

/* at n = 0 1 2 17 */
double moved_by_call(int n, const double x[n]) {
    double s = 0;
    for (int i = 0; i < n; i++) {
        s += x[i] * (i + 1);
        if (s < 0) advance(&i);
    }
    return s;
}

/* at n = 0 1 2 17; key in -1..1 */
int after_break(int n, const double x[n], double key) {
    int i, j, k;
    for (i = 0; i < n; i++)
        if (x[i] > key) break;
    for (j = n - 1; j >= 0; j -= 2)
        if (x[j] < key) break;
    for (k = 1; k < 3 * n; k += 4) continue;
    return i * 10000 + (j + 2) * 100 + k;
}

#define ONCE(body) do { body } while (0)

/* at x in -1..1; k = 0 1 2 */
double once(double x, int k) {
    do {
        if (x > 0.5) break;
        x += 1;
        if (k == 1) continue;
        x *= 3;
    } while (0);
    ONCE(if (k == 2) break; x -= 0.25;);
    do
        ONCE(x *= 1.5;);
    while (0);
    return x;
}

/* at b = 0 1; k = -3 0 1 2 */
int truths(bool b, int k) {
    bool c = k, d = 0.5, e = b;
    int s = b + c * 2 + ~b + -c + (b << 3) + (d ^ c);
    b += k;
    c ^= 1;
    e |= k > 1;
    e++;
    d = !d || k;
    c = (k & 2) != 0;
    s = s * 3 + b + c + d + e;
    b = b == c;
    return s * 2 + b + (c < d) + !!k;
}

/* at k = 0 1 2 */
double choices_of_types(int k, double x, unsigned u) {
    double a = k ? 1 : x;
    double b = k > 1 ? u : -k;
    float c = k ? 0.1f : 0.2;
    long d = k == 1 ? 1u : -1L;
    double e = (k ? 3 : 4) / 2 + (k ? 3.0 : 4) / 2;
    return a + b * 2 + (double)c + d + e + (k ? x > 0 : x);
}

/* at k = 3 -4 */
double assignment_chain(double x[4], int k) {
    int i;
    float f;
    double d;
    d = i = x[0] * 10 + 3.7;
    x[1] = f = d / 3;
    x[2] = x[3] = x[0] += k;
    d += i + (double)f;
    i = (i = k, i * 2);
    return d + i + (x[0] -= 1);
}

/* at */
double increments(double x[5], int k[5]) {
    double *p = x, y = x[0]++;
    int *q = k;
    y += ++x[1];
    y += x[1]--;
    y += *p++;
    y += *++p;
    y += (*p)--;
    y -= --*p;
    *p++ *= 2;
    k[0]++, ++*q, (*q++)--, --q[0], q[1]++;
    float f = 1.5f;
    f++, --f, f--;
    return y * f + (p - x) * 10 + *&y + (&p[1] - &x[0]) + p[-1] + 2 [x] + *(&x[4] - 1) + (&*q - k);
}

/* at x in 0.2..3 */
double assigned_in_conditions(double x, int n) {
    int k;
    double y, s = 0;
    if ((k = n - 1) > 0) s = k;
    while ((y = x * 0.5 - 0.1) > 0.1) s += x = y;
    if ((n = k) && (x = 3 * x) > 0) s -= x;
    for (int i = 3, j; (j = i * i) > 2; i--) s += j;
    switch (k = 2 * k) {
    case 0: s = -s;
    }
    return s + x + n + k;
}

static void plus(double *x) { *x += 1; }
static void twice(double *x) { *x *= 2; }

/* at k = 0 1 2 3 */
double void_choices(double x, int k) {
    k & 1 ? plus(&x) : twice(&x);
    if (k > 2 && (plus(&x), 1)) x -= 3;
    (void)(k == 0 || (twice(&x), 0));
    return x;
}

/* at n = 1 2 17 */
double first_then(int n, const double x[n]) {
    double s, t;
    for (int i = 0; i < n; i++) {
        if (i == 0) s = x[0], t = 1;
        else
            s += x[i] * t, t = s;
    }
    return s;
}

static void axpy(int n, double a, const double *x, double *y) {
    for (int i = 0; i < n; i++) y[i] += a * x[n - 1 - i];
}
static double dot3(const double a[3], const double b[3]) {
    double s = 0;
    for (int i = 0; i < 3; i++) s += a[i] * b[i];
    return s;
}
static double trace(int n, double a[n][n]) {
    double s = 0;
    for (int i = 0; i < n; i++) s += a[i][i];
    a[n - 1][0] = s;
    return s;
}
struct point {
    double x[3], w;
};
static void scale(struct point *p, double by) {
    for (int i = 0; i < 3; i++) p->x[i] *= by;
    p->w += by;
}

/* at n = 1 3 4; size p=3 */
double passes_everything(int n, double x[n], double a[n][n], struct point *p) {
    axpy(n, 0.5, x, x);
    axpy(n, 2, a[0], a[n - 1]);
    axpy(n, -1, x, &a[n / 2][0]);
    scale(&p[1], x[0]);
    scale(p + 2, p[1].w);
    axpy(3, 0.25, p[2].x, p->x);
    double s = dot3(p[0].x, p[2].x) + dot3((double[]){1, x[0], 2}, p[1].x);
    plus(&p[0].x[1]);
    twice(&a[n - 1][n - 1]);
    return s + trace(n, a);
}

/* at */
double initial_values(double x) {
    int grid[2][3] = {1, 2, 3, 4}, more[2][2] = {[1] = {5, 6}, [0][1] = 7};
    struct {
        double a[2];
        int k;
    } s[2] = {1, x, 3, 4, 5, 6}, t[3] = {[2].k = 8, [1].a[1] = 9, [0] = {.a = {x}}};
    struct point p = {.x[1] = x, .w = 2}, q = {{1, 2}, x * x}, zero = {0};
    double y = 0, list[] = {[3] = x, 1, [0] = 2, x + 1};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) y += grid[i][j] * (i + 2 * j);
    for (int i = 0; i < 4; i++) y += more[i / 2][i % 2] * (i + 1);
    for (int i = 0; i < 2; i++) y += s[i].a[0] * s[i].a[1] + s[i].k;
    for (int i = 0; i < 3; i++) y += t[i].a[0] * 3 + t[i].a[1] * (i + 1) - t[i].k;
    for (int i = 0; i < 5; i++) y = y * 1.5 + list[i];
    return y + p.x[0] + p.x[1] * p.w + q.x[1] * q.w + q.x[2] + zero.w;
}

/* at differences 0 */
void constants(double y[8], int64_t k[8]) {
    y[0] = 0x1.8p3 + 1e-3 + .5 + 5. + 1e3f;
    y[1] = 1 / 3 + 1 / 3. + 1.0f / 3 + 'a' / 2;
    y[2] = -0.0;
    y[3] = 1e400 * 0;
    y[4] = (double)0xFFFFFFFFFFFFFFFFull;
    y[5] = (double)(float)16777217 + (float)0.1;
    y[6] = 1e308 * 10;
    y[7] = 4.9e-324 / 2 + 5e-324;
    k[0] = INT_MIN + 0L - INT_MAX;
    k[1] = 0xFFFFFFFF + 1 + (0xFFFFFFFF > -1) + 017 + '\n' + sizeof(int) * sizeof k[0];
    k[2] = (int64_t)(UINT64_MAX >> 1) - LONG_MAX;
    k[3] = -7 / 2 * 100 + -7 % 2 + (-7 >> 1) + (7 & -8) + (-1 ^ 5);
    k[4] = (unsigned char)300 + (signed char)200 + (short)70000 + (unsigned short)-1;
    k[5] = 2147483647u + 1u > 0 ? sizeof(double[3]) : 0;
    k[6] = (int64_t)1 << 62 | 1u << 31;
    k[7] = (_Bool)0.1 + !0.1 + (int)-2.9 + (unsigned)3.99;
}

/* at x in -2..2; differences 0 */
int not_numbers(double x) {
    double z = x - x, nan = z / z, inf = 1 / z;
    int s = 0;
    s = s * 2 + (nan == nan);
    s = s * 2 + (nan != nan);
    s = s * 2 + !(nan < 1);
    s = s * 2 + (nan >= 1 || nan <= 1);
    s = s * 2 + (inf > 1e300);
    s = s * 2 + (-inf < inf && inf == inf);
    s = s * 2 + (nan ? 1 : 0);
    s = s * 2 + (fmax(nan, 2) == 2) + (fmin(1, nan) == 1);
    s = s * 2 + isnan(nan) + (isinf(inf) != 0) + !isfinite(nan) + (signbit(-z) != 0);
    return s * 2 + (z == -z);
}

/* at x in 0.5..2 */
double root_at_edge(double x, double z) {
    double y = 0;
    if (z > 5) y = sqrt(z - 5);
    y += z < -5 ? sqrt(-z - 5) : x;
    y += x > 4 ? log(x - 4) : x < 0 ? pow(x, 0.5) : x * x;
    return y;
}

/* at */
double rows_copied(double a[3][4], double b[3][4]) {
    double c[3][4], d[12];
    memcpy(c, a, sizeof c);
    memcpy(b[1], a[2], sizeof(double) * 4);
    memcpy(d, &c[1][0], 8 * sizeof(double));
    memset(a, 0, sizeof(double) * 12);
    memset(c[0], 0, sizeof c[0]);
    return c[0][0] + c[1][1] * d[0] + d[7] + b[1][3];
}

/* at */
struct point structs_copied(struct point p[2], double x) {
    struct point q, r = p[1];
    memcpy(&q, &p[0], sizeof q);
    memset(&p[1], 0, sizeof p[1]);
    q.x[0] *= x;
    memmove(&p[0], &q, sizeof(struct point));
    q.w += r.w;
    return q;
}

/* at k = 0 1 */
double from_null(double x[3], int k) {
    double *p = 0;
    double y = 1;
    if (!p) y += 1;
    p = x + k;
    if (p) y *= *p;
    if (p != NULL && x) y -= p[1];
    return y;
}

/* at k = 0 1 5 */
int shadowed_loop_names(int k) {
    int s = 0;
    for (int i = 0; i < k; i++) {
        int k = i;
        for (int i = k; i < k + 2; i++) s += i;
        while (k --> 0) {
            int s = k;
            s++;
            if (s > 2) break;
        }
        s = s * 2 + k;
        enum { A = 3, B };
        typedef int whole;
        whole t = A * B + (int)sizeof(whole);
        s += t % 5;
    }
    return s % 10007;
}

/* at n = 0 1 2 3 17 */
int unsigned_down(unsigned n, const int x[n]) {
    int s = 0;
    for (unsigned i = n - 1; i < n; i--) s = (s * 3 + x[i]) % 1000;
    for (unsigned i = n; i-- != 0;) s = (s * 2 + x[i]) % 1000;
    for (unsigned i = n; i > 0; --i) s ^= x[i - 1];
    for (unsigned long i = 0; i + 1 < n; i++) s += x[i];
    return s;
}
