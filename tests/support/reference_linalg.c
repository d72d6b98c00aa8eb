/* Matrices once more, by other algorithms than the kernels' wherever there is one, in long double:
 * columns made orthogonal one by one, Jacobi's rotations, minors, series. */
#include "support/reference_linalg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one matrix ------------------------------------------------------------------------------ */

static void swap(long double *a, long double *b) {
    long double x = *a;
    *a = *b;
    *b = x;
}

/* The determinant of a[n,n], which is overwritten; the row of each pivot in order, if not NULL. */
static long double eliminate(int64_t n, long double *a, long double *order) {
    long double product = 1;
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k; i < n; i++)
            if (fabsl(a[i * n + k]) > fabsl(a[pivot * n + k])) pivot = i;
        for (int64_t j = 0; j < n && pivot != k; j++) swap(&a[k * n + j], &a[pivot * n + j]);
        if (order) swap(&order[k], &order[pivot]);
        product *= pivot == k ? a[k * n + k] : -a[k * n + k];
        for (int64_t i = k + 1; i < n && a[k * n + k] != 0; i++) {
            a[i * n + k] /= a[k * n + k];
            for (int64_t j = k + 1; j < n; j++) a[i * n + j] -= a[i * n + k] * a[k * n + j];
        }
    }
    return product;
}

/* Cramer's rule: x[n,k] with a x = b, or a' x = b. */
static void solve(int64_t n, int64_t k, bool transposed, const long double *a, const long double *b,
                  long double *x) {
    long double *copy = calloc((size_t)(n * n) + 1, sizeof *copy);
    memcpy(copy, a, (size_t)(n * n) * sizeof *a);
    long double whole = eliminate(n, copy, NULL);
    for (int64_t c = 0; c < k; c++)
        for (int64_t at = 0; at < n; at++) {
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j < n; j++)
                    copy[i * n + j] = j == at ? b[i * k + c]
                                              : a[transposed ? j * n + i : i * n + j];
            x[at * k + c] = eliminate(n, copy, NULL) / whole;
        }
    free(copy);
}

static void cofactors(int64_t n, const long double *a, long double *y) {
    long double *minor = calloc((size_t)(n * n) + 1, sizeof *minor);
    for (int64_t p = 0; p < n; p++)
        for (int64_t q = 0; q < n; q++) {
            int64_t at = 0;
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j < n; j++)
                    if (i != p && j != q) minor[at++] = a[i * n + j];
            y[p * n + q] = ((p + q) % 2 ? -1 : 1) * eliminate(n - 1, minor, NULL);
        }
    free(minor);
}

static void cholesky(int64_t n, const long double *a, long double *y) {
    bool good = true;
    memset(y, 0, (size_t)(n * n) * sizeof *y);
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = j; i < n; i++) {
            long double sum = (a[i * n + j] + a[j * n + i]) / 2;
            for (int64_t k = 0; k < j; k++) sum -= y[i * n + k] * y[j * n + k];
            if (i == j) good = good && sum > 0;
            y[i * n + j] = i == j ? sqrtl(sum) : sum / y[j * n + j];
        }
    for (int64_t i = 0; i < n * n && !good; i++) y[i] = NAN;
}

/* Gram and Schmidt, twice. */
static void qr(int64_t m, int64_t n, const long double *a, long double *y) {
    long double *r = y + m * n;
    memcpy(y, a, (size_t)(m * n) * sizeof *a);
    memset(r, 0, (size_t)(n * n) * sizeof *r);
    for (int64_t j = 0; j < n; j++) {
        for (int64_t k = 0; k < 2 * j; k++) {
            long double product = 0;
            for (int64_t i = 0; i < m; i++) product += y[i * n + k % j] * y[i * n + j];
            for (int64_t i = 0; i < m; i++) y[i * n + j] -= product * y[i * n + k % j];
            r[k % j * n + j] += product;
        }
        long double norm = 0;
        for (int64_t i = 0; i < m; i++) norm += y[i * n + j] * y[i * n + j];
        r[j * n + j] = sqrtl(norm);
        for (int64_t i = 0; i < m; i++) y[i * n + j] /= r[j * n + j];
    }
}

/* a[n,n] symmetric, overwritten; eigenvalues w, in ascending order times `direction`, and vectors
 * in the rows of v, the largest element of each positive. */
static void jacobi(int64_t n, long double *a, int direction, long double *w, long double *v) {
    for (int64_t i = 0; i < n * n; i++) v[i] = i % (n + 1) == 0;
    for (int sweep = 0; sweep < 60; sweep++)
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++) {
                if (a[p * n + q] == 0) continue;
                long double theta = atan2l(2 * a[p * n + q], a[q * n + q] - a[p * n + p]) / 2;
                long double c = cosl(theta), s = sinl(theta);
                for (int64_t k = 0; k < n; k++) {
                    long double x = a[k * n + p], y = a[k * n + q];
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                }
                for (int64_t k = 0; k < n; k++) {
                    long double x = a[p * n + k], y = a[q * n + k];
                    a[p * n + k] = c * x - s * y;
                    a[q * n + k] = s * x + c * y;
                    x = v[p * n + k], y = v[q * n + k];
                    v[p * n + k] = c * x - s * y;
                    v[q * n + k] = s * x + c * y;
                }
            }
    for (int64_t i = 0; i < n; i++) w[i] = a[i * n + i];
    for (int64_t i = 0; i < n; i++) {
        int64_t first = i, largest = 0;
        for (int64_t j = i; j < n; j++)
            if (direction * w[j] < direction * w[first]) first = j;
        swap(&w[i], &w[first]);
        for (int64_t k = 0; k < n && first != i; k++) swap(&v[i * n + k], &v[first * n + k]);
        for (int64_t k = 0; k < n; k++)
            if (fabsl(v[i * n + k]) > fabsl(v[i * n + largest])) largest = k;
        bool turn = v[i * n + largest] < 0;
        for (int64_t k = 0; k < n && turn; k++) v[i * n + k] = -v[i * n + k];
    }
}

static void eigh(int64_t n, const long double *a, long double *y) {
    long double *s = calloc((size_t)(2 * n * n) + 1, sizeof *s), *v = s + n * n;
    for (int64_t i = 0; i < n * n; i++) s[i] = (a[i] + a[i % n * n + i / n]) / 2;
    jacobi(n, s, 1, y, v);
    for (int64_t i = 0; i < n * n; i++) y[n + i] = v[i % n * n + i / n];
    free(s);
}

/* By the eigenvalues of a' a. */
static void svd(int64_t m, int64_t n, const long double *a, long double *y) {
    long double *s = y + m * n, *v = s + n, *square = calloc((size_t)(n * n) + 1, sizeof *square);
    for (int64_t i = 0; i < n * n; i++)
        for (int64_t k = 0; k < m; k++) square[i] += a[k * n + i / n] * a[k * n + i % n];
    jacobi(n, square, -1, s, v);
    for (int64_t j = 0; j < n; j++) {
        s[j] = sqrtl(s[j]);
        for (int64_t i = 0; i < m; i++) {
            y[i * n + j] = 0;
            for (int64_t k = 0; k < n; k++) y[i * n + j] += a[i * n + k] * v[j * n + k] / s[j];
        }
    }
    free(square);
}

/* The series of exp at x[0] + e1 x[1] + ..., of numbers whose e's have square 0: coefficients by
 * the set of e's in a product, and that of all of them is the derivative. */
static void expm(int64_t n, size_t order, const long double *const *x, long double *y) {
    size_t sets = (size_t)1 << order, size = (size_t)(n * n);
    long double *term = calloc(3 * sets * size + 1, sizeof *term);
    long double *next = term + sets * size, *sum = next + sets * size;
    for (int64_t i = 0; i < n; i++) term[i * n + i] = sum[i * n + i] = 1;
    for (int power = 1; power < 120; power++) {
        memset(next, 0, sets * size * sizeof *next);
        for (size_t set = 0; set < sets; set++)
            for (size_t k = 0; k <= order; k++) {
                size_t e = k ? (size_t)1 << (k - 1) : 0;
                if (k && !(set & e)) continue;
                const long double *from = term + (set ^ e) * size;
                for (int64_t i = 0; i < n; i++)
                    for (int64_t j = 0; j < n; j++)
                        for (int64_t l = 0; l < n; l++)
                            next[set * size + (size_t)(i * n + j)] += from[i * n + l] *
                                                                      x[k][l * n + j] / power;
            }
        memcpy(term, next, sets * size * sizeof *next);
        for (size_t i = 0; i < sets * size; i++) sum[i] += term[i];
    }
    memcpy(y, sum + (sets - 1) * size, size * sizeof *y);
    free(term);
}

/* ---- all of a batch -------------------------------------------------------------------------- */

/* Elements count * batch of an operand, converted. */
static long double *copy_of(const struct array *a, int64_t batch, int64_t count) {
    long double *x = calloc((size_t)count + 1, sizeof *x);
    for (int64_t i = 0; i < count; i++) x[i] = a->at[batch * count + i].f;
    return x;
}

static void triangular(int64_t n, int64_t k, const int64_t *word, const long double *a,
                       const long double *b, long double *x) {
    long double *t = calloc((size_t)(n * n) + 1, sizeof *t);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            t[i * n + j] = i == j                      ? (word[2] ? 1 : a[i * n + j])
                           : (j < i) == (word[0] != 0) ? a[i * n + j]
                                                       : 0;
    solve(n, k, word[1] != 0, t, b, x);
    free(t);
}

static void one(unsigned op, int64_t n, int64_t m, int64_t k, const int64_t *word, size_t narg,
                const long double *const *x, long double *y) {
    switch (op) {
    case OP_cholesky: cholesky(n, x[0], y); break;
    case OP_triangular_solve: triangular(n, k, word, x[0], x[1], y); break;
    case OP_lu:
        memcpy(y, x[0], (size_t)(n * n) * sizeof *y);
        for (int64_t i = 0; i < n; i++) y[n * n + i] = i;
        eliminate(n, y, y + n * n);
        break;
    case OP_solve: solve(n, k, word[0] != 0, x[0], x[2], y); break;
    case OP_det: {
        long double *copy = calloc((size_t)(n * n) + 1, sizeof *copy);
        memcpy(copy, x[0], (size_t)(n * n) * sizeof *copy);
        long double det = eliminate(n, copy, NULL);
        *y = word[0] == 0 ? det : word[0] == 1 ? logl(fabsl(det)) : (det > 0) - (det < 0);
        free(copy);
        break;
    }
    case OP_cofactor: cofactors(n, x[0], y); break;
    case OP_qr: qr(m, n, x[0], y); break;
    case OP_eigh: eigh(n, x[0], y); break;
    case OP_svd: svd(m, n, x[0], y); break;
    case OP_expm: expm(n, narg - 2, x, y); break;
    }
}

bool reference_linalg(unsigned op, const struct array *const *arg, size_t narg, const int64_t *word,
                      struct array *y) {
    if (op == OP_words) return true;
    if (op < OP_cholesky || op > OP_expm) return false;
    bool room = op >= OP_cofactor; /* behind the operands */
    const struct array *a = arg[0], *last = arg[narg - 1];
    int64_t n = a->extent[a->rank - 1], m = a->extent[a->rank - 2], batch = 1;
    int64_t k = room ? 0 : last->extent[last->rank - 1];
    for (size_t i = 0; i + 2 < a->rank; i++) batch *= a->extent[i];
    for (int64_t b = 0; b < batch; b++) {
        long double *x[8] = {NULL}, *out = calloc((size_t)(y->count / batch) + 1, sizeof *out);
        for (size_t i = 0; i < narg - room; i++) x[i] = copy_of(arg[i], b, arg[i]->count / batch);
        one(op, n, m, k, word, narg, (const long double *const *)x, out);
        for (int64_t i = 0; i < y->count / batch; i++) y->at[b * (y->count / batch) + i].f = out[i];
        for (size_t i = 0; i < narg; i++) free(x[i]);
        free(out);
    }
    return true;
}
