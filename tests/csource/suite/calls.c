/* Calls: recursion that literals bound, mutual recursion, inline functions, macros, static tables. */
#include <math.h>
#include <string.h>

static double power(double x, int n) {
    if (n == 0) return 1;
    if (n % 2) return x * power(x, n - 1);
    double h = power(x, n / 2);
    return h * h;
}

/* at x in 0.5..1.5 */
double powers(double x) { return power(x, 0) + power(x, 7) * power(1 / x, 10); }

static double is_even(double x, int n);
static double is_odd(double x, int n) { return n == 0 ? x : is_even(x * 0.5 + 1, n - 1); }
static double is_even(double x, int n) { return n == 0 ? -x : is_odd(x * x, n - 1); }

/* at */
double mutual(double x) { return is_even(x, 4) + is_odd(x, 5); }

static int ackermann(int m, int n) {
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

/* at */
double deep_numbers(double x) { return x * ackermann(2, 2); }

static void fft(double *re, double *im, int n, int stride, double *out_re, double *out_im) {
    if (n == 1) {
        *out_re = *re;
        *out_im = *im;
        return;
    }
    fft(re, im, n / 2, 2 * stride, out_re, out_im);
    fft(re + stride, im + stride, n / 2, 2 * stride, out_re + n / 2, out_im + n / 2);
    for (int k = 0; k < n / 2; k++) {
        double a = -6.283185307179586 * k / n, c = cos(a), s = sin(a);
        double br = out_re[k + n / 2] * c - out_im[k + n / 2] * s;
        double bi = out_re[k + n / 2] * s + out_im[k + n / 2] * c;
        out_re[k + n / 2] = out_re[k] - br;
        out_im[k + n / 2] = out_im[k] - bi;
        out_re[k] += br;
        out_im[k] += bi;
    }
}

/* at */
void fourier(double re[8], double im[8], double a[8], double b[8]) { fft(re, im, 8, 1, a, b); }

static inline double clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define SWAP(type, a, b) \
    do {                 \
        type t_ = (a);   \
        (a) = (b);       \
        (b) = t_;        \
    } while (0)
#define REPEAT(n) for (int r_ = 0; r_ < (n); r_++)
#define SQUARED(x) ((x) * (x))
#define UNLESS(c) if (c) ; else

/* at x in 0.1..0.9; y in 1.2..2 */
double macros(double x, double y, int k) {
    SWAP(double, x, y);
    if (k > 0) SWAP(double, x, y);
    else
        x = MAX(x, SQUARED(y));
    REPEAT(3) x += MAX(x * 0.5, y);
    UNLESS(k) y = SQUARED(y + 1);
    x = clamp(x, 0.3, 20) * MAX(y++, 2);
    return x + y;
}

static const double weights[3][2] = {{0.25, 0.5}, {1.5, -1}, {2}};
static const int order[] = {2, 0, 1, [5] = 1};
static const struct {
    const double a;
    int k[2];
} entries[2] = {{1.5, {0, 1}}, {.k = {1}, .a = -2}};
static const float small = 0.1f;
const long limit = 1L << 33;

/* at k = 0 1 2 */
double tables(double x, int k) {
    static const double local[] = {1, 2, 4, 8};
    double s = 0;
    for (int i = 0; i < 3; i++) s += weights[order[i]][i & 1] * x * local[k + 1];
    s += entries[k & 1].a * entries[1].k[k & 1] + entries[0].k[1] * x;
    return s * small + (double)(limit >> 32) + order[5] + order[3];
}

static double simpson(double a, double b, double fa, double fm, double fb, int depth) {
    double m = (a + b) / 2, l = (a + m) / 2, r = (m + b) / 2;
    double fl = exp(-l * l), fr = exp(-r * r);
    double whole = (b - a) / 6 * (fa + 4 * fm + fb);
    double left = (m - a) / 6 * (fa + 4 * fl + fm), right = (b - m) / 6 * (fm + 4 * fr + fb);
    if (depth == 0 || fabs(left + right - whole) < 1e-4) return left + right;
    return simpson(a, m, fa, fl, fm, depth - 1) + simpson(m, b, fm, fr, fb, depth - 1);
}

/* at x in 1..3; native -- recursion that data end, too, below a literal depth */
double integral(double x) { return simpson(0, x, 1, exp(-x * x / 4), exp(-x * x), 4); }

static int find(int n, const double x[n], double key) {
    int low = 0, high = n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (x[middle] < key) low = middle + 1;
        else if (x[middle] > key) high = middle;
        else return middle;
    }
    return ~low;
}

/* at n = 0 1 2 17; key in -1..1 */
int binary_search(int n, double x[n], double key) {
    for (int i = 1; i < n; i++) x[i] = x[i - 1] + fabs(x[i]);
    return find(n, x, key) * 100 + find(n, x, n > 2 ? x[n / 2] : 0);
}

static void increase(double *x, int by) { *x += by; }
static double *at_least(double *a, int k) { return a + (k > 0 ? k : 0); }

/* at k = -1 0 2 */
double pointers_back(double x[4], int k) {
    increase(at_least(x, k), k);
    increase(&x[3], 2);
    *at_least(x + 1, k - 1) *= 2;
    return x[0] * x[1] + x[2] * x[3];
}

struct state {
    double x, v;
    int steps;
};

static struct state advance(struct state s, double dt) {
    s.v -= s.x * dt;
    s.x += s.v * dt;
    s.steps++;
    return s;
}

/* at */
double chained(double x) {
    struct state s = advance(advance((struct state){x, .v = 1}, 0.1), 0.2);
    return advance(s, 0.5).x * s.steps;
}

static void nothing(void) {}
static double constant(void) { return 2.5; }
static double early(double x) {
    if (x > 0) return x;
    nothing();
    if (x > -0.5) return -2 * x;
    return constant();
}

/* at n = 1 2 17 */
double early_returns(int n, const double x[n]) {
    double s = 0;
    for (int i = 0; i < n; i++) s += early(x[i]) * early(-x[i]);
    return s;
}

static double two_results(double x, double *other) {
    *other = cos(x);
    return sin(x);
}

/* at */
double order_of_calls(double x) {
    double c;
    double s = two_results(x, &c);
    double t = two_results(s, &c) + 0.5;
    return s * t * c;
}

static void hanoi(int n, int from, int to, int by, double *x) {
    if (n == 0) return;
    hanoi(n - 1, from, by, to, x);
    x[to] += x[from] * 0.5;
    x[from] *= 0.5;
    hanoi(n - 1, by, to, from, x);
}

/* at */
void towers(double x[3]) { hanoi(4, 0, 2, 1, x); }
