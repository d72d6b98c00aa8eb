/* Numbers: every operator on every type, conversions, wraparound. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* at native */
double square(double x) { return x * x; }

/* at x in 0.5..2; k = -7 -1 0 3 12 */
double mixed(double x, int k) {
    double y = k * x + (k / 3) - (k % 3) * x;
    y += -k / 2 * x;
    y -= (-k) % 4;
    return y;
}

/* at a = -17 17 -17 17 5 -2147483647 2147483647; b = 5 5 -5 -5 17 10 -10 */
int64_t quotients(int a, int b) {
    return (int64_t)(a / b) * 1000000 + a % b * 1000 + (a / b * b + a % b == a);
}

/* at a = 0 1 4294967295 4294967290 2147483648; b = 1 2 3 4294967295 7 */
unsigned unsigned_wrap(unsigned a, unsigned b) {
    unsigned s = a + b, d = a - b, m = a * b, n = -a, f = ~b;
    return s ^ (d << 3) ^ (m >> 2) ^ n ^ (f & 0xFFu) ^ (a / b) ^ (a % b);
}

/* at a = 0 -1 9223372036854775807 -9223372036854775807 12345; b = 3 -3 7 5 -1 */
uint64_t wide_wrap(uint64_t a, uint64_t b) {
    return (a + b) ^ (a * b) ^ (a / b) ^ (a % b) ^ (a >> 7) ^ (a << 5) ^ (uint64_t)(a < b) ^
           (uint64_t)(a >= b) << 1;
}

/* at k = 0 1 5 31 30 17 */
int shifts(int k) {
    int x = 1 << (k & 15), y = -4096 >> (k & 7);
    unsigned z = 0x80000000u >> k;
    x <<= 2;
    y >>= 1;
    z >>= 1, z |= 1u << (k % 32);
    return (int)(z >> 3) + x - y;
}

/* at k = -300 -129 -1 0 127 128 255 256 40000 65536 70000 */
int narrow(int k) {
    signed char a = (signed char)k;
    unsigned char b = (unsigned char)k;
    short c = (short)k;
    unsigned short d = (unsigned short)k;
    a++, b--, c += a, d *= b;
    bool e = k, f = !k;
    return a + b * 3 + c * 5 + d * 7 + e * 11 + f * 13;
}

/* at x in -9..9; k = 3 -3 */
double casts(double x, int k) {
    int i = (int)x;
    long l = (long)(x * 1000.5);
    unsigned u = (unsigned)(fabs(x) * 100);
    float f = (float)x;
    return i + (double)l * 0.5 + u + (double)f + (float)k / 7 + (double)(char)k;
}

/* at x in 1..2; differences 0 -- float rounding */
float single(float x, float y) {
    float z = x * y + 1.5f;
    z = z / 3 + x * 0.1f;
    double w = x * y;
    return z + (float)(w * 2.5) - sqrtf(x);
}

/* at x in -3..3; differences 0 */
float mixed_precision(float x, double y, int k) {
    float a = x + k;
    double b = a * y;
    a += b;
    a *= 2;
    b = x * x;
    return a - (float)b;
}

/* at k = 0 1 2 3 9; x in 0.5..1 */
double comparisons(int k, double x) {
    double y = (k == 1) + 2 * (k != 2) + 4 * (k < 3) + 8 * (k > 0) + 16 * (k <= 9) + 32 * (k >= 9);
    return y * x + (x < 2) + (x > 0.1 && k) + (x < 0.1 || !k) + !x;
}

enum colour { RED, GREEN = 5, BLUE };

/* at c = 0 5 6 7 */
int enums(enum colour c) {
    enum colour next = c == RED ? GREEN : c == GREEN ? BLUE : RED;
    return next * 10 + (int)c + BLUE;
}

/* at x in -2..2 */
double comma(double x, int k) {
    double y = (x *= 2, k++, x + k), z;
    z = (y++, ++y, y--);
    return z * y + x - (k--, --k);
}

/* at x in 0.5..2; y in 0.5..2 */
double compound(double x, double y) {
    double z = x;
    z += y;
    z -= x * y;
    z *= z;
    z /= y;
    x = y = z;
    double w = (z += x) * (y -= 2);
    return w + z;
}

/* at x in 0.5..2; k in -3..3 */
double ternaries(double x, int k) {
    double y = k > 0 ? x : k < -1 ? -x : k ? x * x : 1 / x;
    return y + (k & 1 ? sin(x) : k & 2 ? cos(x) : 0) + (k ? k : x);
}

static int touch(int *n) { return ++*n; }

/* at x in 0.5..2; k in -3..3 */
double short_circuit(double x, int k) {
    int n = 0;
    bool a = k > 0 && touch(&n) > 0;
    bool b = k > 0 || touch(&n) > 1;
    if ((k == 2 || touch(&n)) && (k == -2 || touch(&n) > 2)) x *= n;
    int c = k != 0 ? touch(&n) + touch(&n) : n;
    return x + n + a * 10 + b * 20 + c;
}

/* at v = 1 2 3 255 4096 65535 -1 */
int bit_tricks(uint32_t v) {
    uint32_t n = v - ((v >> 1) & 0x55555555u);
    n = (n & 0x33333333u) + ((n >> 2) & 0x33333333u);
    int count = (int)((((n + (n >> 4)) & 0x0F0F0F0Fu) * 0x01010101u) >> 24);
    int lowest = (int)(v & -v) != 0;
    v |= v >> 1, v |= v >> 2, v |= v >> 4, v |= v >> 8, v |= v >> 16;
    return count * 1000 + lowest * 100 + (int)(v >> 1 & 63);
}

/* at s = 1 2 3 12345 */
double xorshift(uint64_t s, double x) {
    double y = 0;
    for (int i = 0; i < 5; i++) {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        y = y * x + (double)(s >> 11) * 0x1p-53;
    }
    return y;
}

/* at k = 0 1 7 -2 -9 100 */
int characters(int k) {
    char c = (char)('a' + k % 26);
    return c >= 'a' && c <= 'z' ? c - 'a' : -(int)c;
}

/* at a = 0 1 -1 -2147483647 5; b = 0 4294967295 1 2147483648 6 */
int signs_mixed(int a, unsigned b) { return ((unsigned)a < b) + 2 * ((long)a < (long)b) + 4 * ((unsigned)a + b > 3u) + 8 * (-1 < (int)b); }

/* at w = 0 255 7 200 3; k = 2 -3 1; i = -128 127 5 -- narrow integers are as wide as int in programs */
double narrow_arrays(int n, const unsigned char w[n], const short k[n], const signed char *i,
                     const double x[n]) {
    double s = 0;
    for (int j = 0; j < n; j++) s += w[j] * x[j] + k[j] * x[j] * x[j];
    return s * *i;
}

/* at m = 0 1 3; n = 0 1 2 5; p = 0 255 7 200 3 */
double narrow_matrix(int m, int n, const unsigned char p[m][n], const double g[n]) {
    double s = 0;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) s += p[i][j] / 255.0 * g[j] * g[j];
    return s;
}

struct sample { short count; double value; };

/* at q.count = 3 -7 0 */
double narrow_members(int n, const struct sample q[n]) {
    double s = 0;
    for (int i = 0; i < n; i++) s += q[i].count * q[i].value * q[i].value;
    return s;
}

/* at k = 300 -3 1 70000 -- what is written wraps around */
double narrow_written(int n, const int k[n], short s[n], unsigned char c[n], double x) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        s[i] = (short)(k[i] * 2);
        c[i] = (unsigned char)k[i];
        c[i] += 250;
        sum += s[i] * x + c[i] * x * x;
    }
    return sum;
}
