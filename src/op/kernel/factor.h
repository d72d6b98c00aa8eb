/* Triangular factors of square matrices and what they are for, in plain loops over rows, for one
 * element type: T, F(name) a name for it. Matrices are dense and row-major. The same text runs in
 * the interpreter, where no LAPACK takes a large matrix, and in C that is shipped: C99 and C++. It
 * binds nobody: it is in the public domain where that exists, else free for every use without
 * condition or warranty. */

/* to += factor * from */
static inline void F(wg_add_row)(int64_t n, T factor, const T *from, T *to) {
    for (int64_t i = 0; i < n; i++) to[i] += factor * from[i];
}

static inline void F(wg_scale_row)(int64_t n, T factor, T *row) {
    for (int64_t i = 0; i < n; i++) row[i] *= factor;
}

static inline void F(wg_swap_rows)(int64_t n, T *a, T *b) {
    for (int64_t i = 0; i < n; i++) {
        const T swap = a[i];
        a[i] = b[i];
        b[i] = swap;
    }
}

static inline T F(wg_row_product)(int64_t n, const T *a, const T *b) {
    T sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static inline T F(wg_magnitude)(T x) { return x < 0 ? -x : x; }

static inline void F(wg_fill)(int64_t count, T number, T *y) {
    for (int64_t i = 0; i < count; i++) y[i] = number;
}

/* The lower triangle of (a + a') / 2, zeros above it. */
static inline void F(wg_lower_half)(int64_t n, const T *a, T *y) {
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j <= i; j++)
            y[i * n + j] = (T)0.5 * a[i * n + j] + (T)0.5 * a[j * n + i];
        for (int64_t j = i + 1; j < n; j++) y[i * n + j] = 0;
    }
}

/* y[n,n], a symmetric matrix's lower triangle, becomes its factor L, row by row (Golub and Van
 * Loan, Matrix Computations, 4th ed., 4.2.5). Returns 0 where it is not positive definite. */
static int F(wg_cholesky_in_place)(int64_t n, T *y) {
    for (int64_t i = 0; i < n; i++) {
        T *row = y + i * n;
        for (int64_t j = 0; j < i; j++)
            row[j] = (row[j] - F(wg_row_product)(j, row, y + j * n)) / y[j * n + j];
        const T pivot = row[i] - F(wg_row_product)(i, row, row);
        if (!(pivot > 0)) return 0;
        row[i] = (T)sqrt((double)pivot);
    }
    return 1;
}

/* L of (a + a') / 2 = L L'; NaN everywhere where that is not positive definite. */
static void F(wg_cholesky)(int64_t batch, int64_t n, const T *a, T *y) {
    for (int64_t b = 0; b < batch; b++, a += n * n, y += n * n) {
        F(wg_lower_half)(n, a, y);
        if (!F(wg_cholesky_in_place)(n, y)) F(wg_fill)(n * n, (T)NAN, y);
    }
}

/* x[n,k] := op(a)^-1 x, of a[n,n] one triangle, with ones on the diagonal if `unit`. */
static void F(wg_triangular_in_place)(int64_t n, int64_t k, int lower, int transposed, int unit,
                                      const T *a, T *x) {
    const int forward = lower != transposed;
    for (int64_t step = 0; step < n; step++) {
        const int64_t i = forward ? step : n - 1 - step;
        const int64_t begin = lower ? 0 : i + 1, end = lower ? i : n;
        const T *row = a + i * n;
        for (int64_t j = begin; j < end && !transposed; j++)
            F(wg_add_row)(k, -row[j], x + j * k, x + i * k);
        for (int64_t c = 0; c < k && !unit; c++) x[i * k + c] /= row[i];
        for (int64_t j = begin; j < end && transposed; j++)
            F(wg_add_row)(k, -row[j], x + i * k, x + j * k);
    }
}

/* Columns of x that belong to columns of zeros in b are zeros, whatever the matrix. */
static void F(wg_zero_columns)(int64_t n, int64_t k, const T *b, T *x) {
    for (int64_t c = 0; c < k; c++) {
        int zero = 1;
        for (int64_t i = 0; i < n && zero; i++) zero = b[i * k + c] == 0;
        for (int64_t i = 0; i < n && zero; i++) x[i * k + c] = 0;
    }
}

static void F(wg_triangular_solve)(int64_t batch, int64_t n, int64_t k, int lower, int transposed,
                                   int unit, int absolute, const T *a, const T *b, T *x) {
    for (int64_t i = 0; i < batch; i++, a += n * n, b += n * k, x += n * k) {
        for (int64_t j = 0; j < n * k; j++) x[j] = b[j];
        F(wg_triangular_in_place)(n, k, lower, transposed, unit, a, x);
        if (absolute) F(wg_zero_columns)(n, k, b, x);
    }
}

/* f[n+1,n] of a[n,n]: the factors L, whose diagonal of ones is not there, and U of the rows of a in
 * another order, and below them that order: row i is row f[n,i] of a. Pivots are the largest of
 * their columns, the first of equal ones; one that is 0 is left as it is. */
static void F(wg_lu)(int64_t batch, int64_t n, const T *a, T *f) {
    for (int64_t b = 0; b < batch; b++, a += n * n, f += (n + 1) * n) {
        T *order = f + n * n;
        for (int64_t i = 0; i < n * n; i++) f[i] = a[i];
        for (int64_t i = 0; i < n; i++) order[i] = (T)i;
        for (int64_t k = 0; k < n; k++) {
            int64_t pivot = k;
            for (int64_t i = k + 1; i < n; i++)
                if (F(wg_magnitude)(f[i * n + k]) > F(wg_magnitude)(f[pivot * n + k])) pivot = i;
            if (pivot != k) {
                F(wg_swap_rows)(n, f + k * n, f + pivot * n);
                F(wg_swap_rows)(1, order + k, order + pivot);
            }
            const T largest = f[k * n + k];
            for (int64_t i = k + 1; i < n && largest != 0; i++) {
                T *row = f + i * n;
                row[k] /= largest;
                F(wg_add_row)(n - k - 1, -row[k], f + k * n + k + 1, row + k + 1);
            }
        }
    }
}

/* Where the exchange that brings row i to its place takes it from, once those before it are
 * made. */
static inline int64_t F(wg_exchange)(const T *order, int64_t i) {
    int64_t j = (int64_t)order[i];
    while (j < i) j = (int64_t)order[j];
    return j;
}

/* The rows of b in the order of the factors; and rows of x in that order put back. */
static void F(wg_take_order)(int64_t n, int64_t k, const T *order, const T *b, T *x) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < k; c++) x[i * k + c] = b[(int64_t)order[i] * k + c];
}

static void F(wg_undo_order)(int64_t n, int64_t k, const T *order, T *x) {
    for (int64_t i = n; i-- > 0;) {
        const int64_t j = F(wg_exchange)(order, i);
        if (j != i) F(wg_swap_rows)(k, x + i * k, x + j * k);
    }
}

/* x[n,k] = op(a)^-1 b by the factors f of a. */
static void F(wg_solve)(int64_t batch, int64_t n, int64_t k, int transposed, int absolute,
                        const T *f, const T *b, T *x) {
    for (int64_t i = 0; i < batch; i++, f += (n + 1) * n, b += n * k, x += n * k) {
        if (!transposed) F(wg_take_order)(n, k, f + n * n, b, x);
        for (int64_t j = 0; j < n * k && transposed; j++) x[j] = b[j];
        F(wg_triangular_in_place)(n, k, !transposed, transposed, !transposed, f, x);
        F(wg_triangular_in_place)(n, k, transposed, transposed, transposed, f, x);
        if (transposed) F(wg_undo_order)(n, k, f + n * n, x);
        if (absolute) F(wg_zero_columns)(n, k, b, x);
    }
}

/* Of a matrix by its factors: what = 0 the determinant, 1 the logarithm of its magnitude, 2 its
 * sign: 1, -1, 0 or NaN. */
static void F(wg_det)(int64_t batch, int64_t n, int what, const T *f, T *y) {
    for (int64_t b = 0; b < batch; b++, f += (n + 1) * n) {
        const T *order = f + n * n;
        T product = 1, sum = 0, sign = 1;
        for (int64_t i = 0; i < n; i++) {
            const T pivot = f[i * n + i];
            int64_t behind = 0;
            for (int64_t j = 0; j < i; j++) behind += order[j] > order[i];
            const T turn = behind % 2 ? (T)-1 : (T)1;
            product *= turn * pivot;
            sign *= turn * (pivot > 0 ? (T)1 : pivot < 0 ? (T)-1 : pivot);
            if (what == 1) sum += (T)log((double)F(wg_magnitude)(pivot));
        }
        y[b] = what == 0 ? product : what == 1 ? sum : sign;
    }
}

/* The factors of l[n,n] with pivots that are the largest of all that is left, so that those that
 * vanish come last: row i is row order[i], column i is column order[n + i]. Returns the sign of
 * both permutations. */
static T F(wg_complete_lu)(int64_t n, T *l, int64_t *order) {
    T sign = 1;
    for (int64_t i = 0; i < 2 * n; i++) order[i] = i % (n > 0 ? n : 1);
    for (int64_t k = 0; k < n; k++) {
        int64_t row = k, column = k;
        for (int64_t i = k; i < n; i++)
            for (int64_t j = k; j < n; j++)
                if (F(wg_magnitude)(l[i * n + j]) > F(wg_magnitude)(l[row * n + column])) {
                    row = i;
                    column = j;
                }
        if (row != k) F(wg_swap_rows)(n, l + k * n, l + row * n);
        for (int64_t i = 0; i < n && column != k; i++)
            F(wg_swap_rows)(1, l + i * n + k, l + i * n + column);
        if ((row != k) != (column != k)) sign = -sign;
        int64_t swap = order[k];
        order[k] = order[row];
        order[row] = swap;
        swap = order[n + k];
        order[n + k] = order[n + column];
        order[n + column] = swap;
        const T pivot = l[k * n + k];
        for (int64_t i = k + 1; i < n && pivot != 0; i++) {
            l[i * n + k] /= pivot;
            F(wg_add_row)(n - k - 1, -l[i * n + k], l + k * n + k + 1, l + i * n + k + 1);
        }
    }
    return sign;
}

/* y[n,n]: the cofactors of a, whatever its rank. With a = P' L U Q' and d the last pivot, D the
 * product of the others, the adjugate is the sign times Q adj(U) L^-1 P, and
 * adj(U) = D [d U1^-1, -U1^-1 u; 0, 1] for U = [U1, u; 0, d]: of U1 only is the inverse needed. If
 * a pivot of U1 vanishes so do all cofactors. work: 2 n^2 + 2 n words of 8 bytes. */
static void F(wg_cofactor)(int64_t batch, int64_t n, const T *a, int64_t *work, T *y) {
    T *l = (T *)work, *x = (T *)(work + n * n);
    int64_t *order = work + 2 * n * n;
    for (int64_t b = 0; b < batch && n > 0; b++, a += n * n, y += n * n) {
        for (int64_t i = 0; i < n * n; i++) l[i] = a[i];
        T others = F(wg_complete_lu)(n, l, order);
        for (int64_t i = 0; i + 1 < n; i++) others *= l[i * n + i];
        const T last = l[n * n - 1];
        F(wg_fill)(n * n, 0, x);
        for (int64_t i = 0; i < n; i++) x[i * n + order[i]] = 1;
        F(wg_triangular_in_place)(n, n, 1, 0, 1, l, x);
        F(wg_scale_row)((n - 1) * n, others * last, x);
        F(wg_scale_row)(n, others, x + (n - 1) * n);
        l[n * n - 1] = 1; /* the row is done */
        if (others == 0)
            F(wg_fill)(n * n, 0, x);
        else
            F(wg_triangular_in_place)(n, n, 0, 0, 0, l, x);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) y[j * n + order[n + i]] = x[i * n + j];
    }
}
