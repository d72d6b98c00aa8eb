/* Orthogonal factors: QR by Householder's reflections, eigenvalues of symmetric matrices by
 * reduction to three diagonals and implicit QL, singular values by one-sided rotations. Plain loops
 * over rows for one element type, as factor.h has them, whose rows' functions they use; the same
 * text runs in the interpreter and in C that is shipped. It binds nobody: it is in the public
 * domain where that exists, else free for every use without condition or warranty.
 *
 * Signs, which the decompositions leave open, are chosen so that values do not depend on who
 * computes them: R's diagonal is not negative, and of an eigenvector or a right singular vector the
 * element of the largest magnitude, the first of equal ones, is positive. */

static inline T F(wg_epsilon)(void) {
    return (T)(sizeof(T) == 8 ? 2.220446049250313e-16 : 1.1920928955078125e-7);
}

static inline T F(wg_root)(T x) { return (T)sqrt((double)x); }

/* sqrt(a^2 + b^2) without overflow */
static inline T F(wg_hypotenuse)(T a, T b) {
    const T x = F(wg_magnitude)(a), y = F(wg_magnitude)(b), large = x > y ? x : y;
    const T ratio = large > 0 ? (x > y ? y : x) / large : 0;
    return large * F(wg_root)(1 + ratio * ratio);
}

/* Whether the element of the largest magnitude of x[0], x[stride], ... is negative. */
static inline int F(wg_points_back)(int64_t n, int64_t stride, const T *x) {
    int64_t largest = 0;
    for (int64_t i = 1; i < n; i++)
        if (F(wg_magnitude)(x[i * stride]) > F(wg_magnitude)(x[largest * stride])) largest = i;
    return n > 0 && x[largest * stride] < 0;
}

static inline int F(wg_all_finite)(int64_t count, const T *x) {
    int finite = 1;
    for (int64_t i = 0; i < count; i++) finite &= x[i] - x[i] == 0;
    return finite;
}

static void F(wg_square_transpose)(int64_t n, T *a) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) F(wg_swap_rows)(1, a + i * n + j, a + j * n + i);
}

/* The rotation of two rows: a := c a - s b, b := s a + c b. */
static inline void F(wg_rotate)(int64_t n, T c, T s, T *a, T *b) {
    for (int64_t i = 0; i < n; i++) {
        const T x = a[i], y = b[i];
        a[i] = c * x - s * y;
        b[i] = s * x + c * y;
    }
}

/* ---- QR -------------------------------------------------------------------------------------- */

/* Makes R's diagonal positive in y[m+n,n], Q above R. */
static void F(wg_qr_signs)(int64_t m, int64_t n, T *y) {
    for (int64_t k = 0; k < n; k++) {
        if (!(y[(m + k) * n + k] < 0)) continue;
        for (int64_t j = k; j < n; j++) y[(m + k) * n + j] = -y[(m + k) * n + j];
        for (int64_t i = 0; i < m; i++) y[i * n + k] = -y[i * n + k];
    }
}

/* The reflection H = 1 - tau v v', v_k = 1, that makes column k of q[m,n] beta below the rows
 * before k; v_i stands in the column then. Returns beta. */
static T F(wg_reflect)(int64_t m, int64_t n, int64_t k, T *q, T *tau) {
    T largest = 0, sum = 0, head = q[k * n + k];
    for (int64_t i = k + 1; i < m; i++) {
        const T x = F(wg_magnitude)(q[i * n + k]);
        if (!(x <= largest)) largest = x;
    }
    *tau = 0;
    if (largest == 0) return head;
    if (F(wg_magnitude)(head) > largest) largest = F(wg_magnitude)(head);
    for (int64_t i = k; i < m; i++) sum += q[i * n + k] / largest * (q[i * n + k] / largest);
    const T norm = largest * F(wg_root)(sum), beta = head > 0 ? -norm : norm;
    *tau = (beta - head) / beta;
    for (int64_t i = k + 1; i < m; i++) q[i * n + k] /= head - beta;
    return beta;
}

/* The reflection of column k applied to the columns behind it; w: n words. */
static void F(wg_apply_reflection)(int64_t m, int64_t n, int64_t k, T tau, T *q, T *w) {
    const int64_t width = n - k - 1;
    for (int64_t j = 0; j < width; j++) w[j] = q[k * n + k + 1 + j];
    for (int64_t i = k + 1; i < m; i++) F(wg_add_row)(width, q[i * n + k], q + i * n + k + 1, w);
    for (int64_t j = 0; j < width; j++) q[k * n + k + 1 + j] -= tau * w[j];
    for (int64_t i = k + 1; i < m; i++)
        F(wg_add_row)(width, -tau * q[i * n + k], w, q + i * n + k + 1);
}

/* y[m+n,n] of a[m,n], m >= n: Q[m,n] with orthonormal columns above R[n,n], upper triangular. work:
 * 2 n words of 8 bytes. (Golub and Van Loan, 5.2.2 and 5.1.6.) */
static void F(wg_qr)(int64_t batch, int64_t m, int64_t n, const T *a, int64_t *work, T *y) {
    T *tau = (T *)work, *w = (T *)(work + n);
    for (int64_t b = 0; b < batch; b++, a += m * n, y += (m + n) * n) {
        T *r = y + m * n;
        for (int64_t i = 0; i < m * n; i++) y[i] = a[i];
        F(wg_fill)(n * n, 0, r);
        for (int64_t k = 0; k < n; k++) {
            r[k * n + k] = F(wg_reflect)(m, n, k, y, &tau[k]);
            F(wg_apply_reflection)(m, n, k, tau[k], y, w);
            for (int64_t j = k + 1; j < n; j++) r[k * n + j] = y[k * n + j];
        }
        for (int64_t k = n; k-- > 0;) {
            for (int64_t j = k + 1; j < n; j++) y[k * n + j] = 0;
            F(wg_apply_reflection)(m, n, k, tau[k], y, w);
            for (int64_t i = 0; i < k; i++) y[i * n + k] = 0;
            y[k * n + k] = 1 - tau[k];
            for (int64_t i = k + 1; i < m; i++) y[i * n + k] *= -tau[k];
        }
        F(wg_qr_signs)(m, n, y);
    }
}

/* ---- symmetric matrices ---------------------------------------------------------------------- */

/* s[n,n] symmetric becomes d on the diagonal and e beside it, s = Q T Q'; rows behind the diagonal
 * keep the reflections, tau their factors. w: n words. (Golub and Van Loan, 8.3.1.) */
static void F(wg_three_diagonals)(int64_t n, T *s, T *d, T *e, T *tau, T *w) {
    for (int64_t k = 0; k < n; k++) {
        T *v = s + k * n + k + 1; /* the row is the column too */
        const int64_t left = n - k - 1;
        d[k] = s[k * n + k];
        tau[k] = e[k] = 0;
        if (left == 0) break;
        e[k] = v[0];
        if (left == 1) continue;
        T largest = 0, sum = 0;
        for (int64_t i = 1; i < left; i++)
            if (F(wg_magnitude)(v[i]) > largest) largest = F(wg_magnitude)(v[i]);
        if (largest == 0) continue;
        if (F(wg_magnitude)(v[0]) > largest) largest = F(wg_magnitude)(v[0]);
        for (int64_t i = 0; i < left; i++) sum += v[i] / largest * (v[i] / largest);
        const T norm = largest * F(wg_root)(sum), beta = v[0] > 0 ? -norm : norm;
        const T head = v[0] - beta;
        tau[k] = (beta - v[0]) / beta;
        e[k] = beta;
        v[0] = 1;
        for (int64_t i = 1; i < left; i++) v[i] /= head;
        /* s := s - v w' - w v' behind, with p = tau s v, w = p - tau/2 (p'v) v */
        for (int64_t i = 0; i < left; i++)
            w[i] = tau[k] * F(wg_row_product)(left, s + (k + 1 + i) * n + k + 1, v);
        F(wg_add_row)(left, -tau[k] / 2 * F(wg_row_product)(left, w, v), v, w);
        for (int64_t i = 0; i < left; i++) {
            T *row = s + (k + 1 + i) * n + k + 1;
            F(wg_add_row)(left, -v[i], w, row);
            F(wg_add_row)(left, -w[i], v, row);
        }
    }
}

/* z[n,n] := Q of the reflections, by rows: w: n words. */
static void F(wg_collect_reflections)(int64_t n, const T *s, const T *tau, T *z, T *w) {
    F(wg_fill)(n * n, 0, z);
    for (int64_t i = 0; i < n; i++) z[i * n + i] = 1;
    for (int64_t k = n; k-- > 0;) {
        const T *v = s + k * n + k + 1;
        const int64_t left = n - k - 1;
        if (tau[k] == 0) continue;
        F(wg_fill)(left, 0, w);
        for (int64_t i = 0; i < left; i++)
            F(wg_add_row)(left, v[i], z + (k + 1 + i) * n + k + 1, w);
        for (int64_t i = 0; i < left; i++)
            F(wg_add_row)(left, -tau[k] * v[i], w, z + (k + 1 + i) * n + k + 1);
    }
}

/* One step of implicit QL between l and m, by Wilkinson's shift; rows of z are rotated with it.
 * (Golub and Van Loan, 8.3.3; Dubrulle, 1970.) */
static void F(wg_ql_step)(int64_t n, int64_t l, int64_t m, T *d, T *e, T *z) {
    T g = (d[l + 1] - d[l]) / (2 * e[l]), r = F(wg_hypotenuse)(g, 1), s = 1, c = 1, p = 0;
    g = d[m] - d[l] + e[l] / (g < 0 ? g - r : g + r);
    for (int64_t i = m; i-- > l;) {
        const T f = s * e[i], b = c * e[i];
        r = F(wg_hypotenuse)(f, g);
        e[i + 1] = r;
        if (r == 0) { /* the chase has ended early */
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        F(wg_rotate)(n, c, s, z + i * n, z + (i + 1) * n);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* Diagonal d, e beside it (n words) to eigenvalues, rows of z to eigenvectors. 0 where that does
 * not come to an end. */
static int F(wg_implicit_ql)(int64_t n, T *d, T *e, T *z) {
    for (int64_t l = 0; l < n; l++)
        for (int tries = 0;; tries++) {
            int64_t m = l;
            for (; m + 1 < n; m++) {
                const T size = F(wg_magnitude)(d[m]) + F(wg_magnitude)(d[m + 1]);
                if (F(wg_magnitude)(e[m]) <= F(wg_epsilon)() * size) break;
            }
            if (m == l) break;
            if (tries == 50) return 0;
            F(wg_ql_step)(n, l, m, d, e, z);
        }
    return 1;
}

/* y[n+1,n] of a[n,n]: the eigenvalues of (a + a') / 2 in ascending order above V[n,n], in whose
 * columns the eigenvectors stand. NaN where a has a NaN or an infinity. work: n^2 + 3 n words of 8
 * bytes. */
static void F(wg_eigh)(int64_t batch, int64_t n, const T *a, int64_t *work, T *y) {
    T *s = (T *)work, *e = (T *)(work + n * n), *tau = (T *)(work + n * n + n);
    T *w = (T *)(work + n * n + 2 * n);
    for (int64_t b = 0; b < batch; b++, a += n * n, y += (n + 1) * n) {
        T *d = y, *z = y + n;
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                s[i * n + j] = (T)0.5 * a[i * n + j] + (T)0.5 * a[j * n + i];
        int good = F(wg_all_finite)(n * n, s);
        if (good) {
            F(wg_three_diagonals)(n, s, d, e, tau, w);
            F(wg_collect_reflections)(n, s, tau, z, w);
            F(wg_square_transpose)(n, z);
            good = F(wg_implicit_ql)(n, d, e, z);
        }
        if (!good) {
            F(wg_fill)((n + 1) * n, (T)NAN, y);
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            int64_t least = i;
            for (int64_t j = i + 1; j < n; j++)
                if (d[j] < d[least]) least = j;
            F(wg_swap_rows)(1, d + i, d + least);
            if (least != i) F(wg_swap_rows)(n, z + i * n, z + least * n);
            if (F(wg_points_back)(n, 1, z + i * n)) F(wg_scale_row)(n, -1, z + i * n);
        }
        F(wg_square_transpose)(n, z);
    }
}

/* ---- singular values ------------------------------------------------------------------------- */

/* Rotates rows of w[n,m] until they are orthogonal to working accuracy, and those of v[n,n] with
 * them (Hestenes, 1958; Demmel and Veselic, 1992). */
static void F(wg_orthogonal_rows)(int64_t m, int64_t n, T *w, T *v) {
    for (int sweep = 0, again = 1; again && sweep < 60; sweep++) {
        again = 0;
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++) {
                T *a = w + p * m, *b = w + q * m;
                const T alpha = F(wg_row_product)(m, a, a), beta = F(wg_row_product)(m, b, b);
                const T gamma = F(wg_row_product)(m, a, b);
                const T least = F(wg_epsilon)() * F(wg_root)(alpha) * F(wg_root)(beta);
                if (!(F(wg_magnitude)(gamma) > least)) continue;
                const T zeta = (beta - alpha) / (2 * gamma), r = F(wg_hypotenuse)(1, zeta);
                const T t = zeta < 0 ? 1 / (zeta - r) : 1 / (zeta + r);
                const T c = 1 / F(wg_hypotenuse)(1, t);
                F(wg_rotate)(m, c, c * t, a, b);
                F(wg_rotate)(n, c, c * t, v + p * n, v + q * n);
                again = 1;
            }
    }
}

/* Row k of w[.,m] := some unit vector that is orthogonal to the rows before it. */
static void F(wg_complete_row)(int64_t m, int64_t k, T *w) {
    T *row = w + k * m;
    for (int64_t axis = 0; axis < m; axis++) {
        F(wg_fill)(m, 0, row);
        row[axis] = 1;
        for (int twice = 0; twice < 2; twice++)
            for (int64_t i = 0; i < k; i++)
                F(wg_add_row)(m, -F(wg_row_product)(m, w + i * m, row), w + i * m, row);
        const T norm = F(wg_root)(F(wg_row_product)(m, row, row));
        if (norm * norm * (T)(2 * m) < 1) continue; /* some axis has 1/m at least */
        F(wg_scale_row)(m, 1 / norm, row);
        return;
    }
}

/* Signs for y[m+1+n,n]: the element of the largest magnitude of every row of V' is positive. */
static void F(wg_svd_signs)(int64_t m, int64_t n, T *y) {
    for (int64_t k = 0; k < n; k++) {
        T *v = y + (m + 1 + k) * n;
        if (!F(wg_points_back)(n, 1, v)) continue;
        F(wg_scale_row)(n, -1, v);
        for (int64_t i = 0; i < m; i++) y[i * n + k] = -y[i * n + k];
    }
}

/* y[m+1+n,n] of a[m,n], m >= n: U[m,n], the singular values in descending order, V'[n,n] with a = U
 * diag(s) V'. NaN where a has a NaN or an infinity. work: m n words of 8 bytes. */
static void F(wg_svd)(int64_t batch, int64_t m, int64_t n, const T *a, int64_t *work, T *y) {
    T *w = (T *)work;
    for (int64_t b = 0; b < batch; b++, a += m * n, y += (m + 1 + n) * n) {
        T *s = y + m * n, *v = s + n, scale = 0;
        for (int64_t i = 0; i < m * n; i++)
            if (F(wg_magnitude)(a[i]) > scale) scale = F(wg_magnitude)(a[i]);
        if (!F(wg_all_finite)(m * n, a)) {
            F(wg_fill)((m + 1 + n) * n, (T)NAN, y);
            continue;
        }
        F(wg_fill)(n * n, 0, v);
        for (int64_t j = 0; j < n; j++) {
            v[j * n + j] = 1;
            for (int64_t i = 0; i < m; i++) w[j * m + i] = scale > 0 ? a[i * n + j] / scale : 0;
        }
        F(wg_orthogonal_rows)(m, n, w, v);
        for (int64_t k = 0; k < n; k++)
            s[k] = F(wg_root)(F(wg_row_product)(m, w + k * m, w + k * m));
        for (int64_t k = 0; k < n; k++) {
            int64_t largest = k;
            for (int64_t j = k + 1; j < n; j++)
                if (s[j] > s[largest]) largest = j;
            F(wg_swap_rows)(1, s + k, s + largest);
            if (largest != k) F(wg_swap_rows)(m, w + k * m, w + largest * m);
            if (largest != k) F(wg_swap_rows)(n, v + k * n, v + largest * n);
            if (s[k] > 0)
                F(wg_scale_row)(m, 1 / s[k], w + k * m);
            else
                F(wg_complete_row)(m, k, w);
            s[k] *= scale;
            for (int64_t i = 0; i < m; i++) y[i * n + k] = w[k * m + i];
        }
        F(wg_svd_signs)(m, n, y);
    }
}
