/* The exponential of a matrix and its mixed derivatives, for one element type, as factor.h, whose
 * factors it uses. The same text runs in the interpreter and in C that is shipped. It binds nobody:
 * it is in the public domain where that exists, else free for every use without condition or
 * warranty. */

/* y[n,n] = a b: whoever calls the functions below may give a faster one. */
static void F(wg_plain_product)(int64_t n, const T *a, const T *b, T *y) {
    for (int64_t i = 0; i < n; i++) {
        F(wg_fill)(n, 0, y + i * n);
        for (int64_t j = 0; j < n; j++) F(wg_add_row)(n, a[i * n + j], b + j * n, y + i * n);
    }
}

/* Sums of matrices x_S times products e_S of numbers e_i whose squares are 0, one matrix[n,n] for
 * every set S of `sets`, a power of 2: bit i of S for e_i. Derivatives along several directions are
 * arithmetic on these (Higham and Relton, 2014, write it as one of block matrices of `sets` rows,
 * which costs 8/3 to the order as much). */

/* y = a b: y_S is the sum of a_R b_T over all R and T that make up S. part: n^2 elements. */
static void F(wg_sets_product)(int64_t n, int64_t sets,
                               void (*product)(int64_t n, const T *a, const T *b, T *y), const T *a,
                               const T *b, T *y, T *part) {
    const int64_t size = n * n;
    for (int64_t s = 0; s < sets; s++) {
        product(n, a, b + s * size, y + s * size);
        for (int64_t r = 1; r <= s; r++) {
            if ((r & s) != r) continue;
            product(n, a + r * size, b + (s ^ r) * size, part);
            F(wg_add_row)(size, 1, part, y + s * size);
        }
    }
}

/* y = d^-1 y by the factors f[n+1,n] of d_0. */
static void F(wg_sets_solve)(int64_t n, int64_t sets,
                             void (*product)(int64_t n, const T *a, const T *b, T *y), const T *d,
                             T *y, T *f, T *part) {
    const int64_t size = n * n;
    F(wg_lu)(1, n, d, f);
    for (int64_t s = 0; s < sets; s++) {
        for (int64_t r = 1; r <= s; r++) {
            if ((r & s) != r) continue;
            product(n, d + r * size, y + (s ^ r) * size, part);
            F(wg_add_row)(size, -1, part, y + s * size);
        }
        for (int64_t i = 0; i < size; i++) part[i] = y[s * size + i];
        F(wg_solve)(1, n, n, 0, 0, f, part, y + s * size);
    }
}

/* y = c6 a6 + c4 a4 + c2 a2 + c0, count elements each, the first n^2 those of a matrix */
static void F(wg_even_powers)(int64_t n, int64_t count, T *const *power, double c6, double c4,
                              double c2, double c0, T *y) {
    for (int64_t i = 0; i < count; i++)
        y[i] = (T)c6 * power[2][i] + (T)c4 * power[1][i] + (T)c2 * power[0][i];
    for (int64_t i = 0; i < n; i++) y[i * n + i] += (T)c0;
}

/* The largest sum of magnitudes in a column; NaN where there is one. */
static T F(wg_column_norm)(int64_t n, const T *a) {
    T norm = 0;
    for (int64_t j = 0; j < n; j++) {
        T sum = 0;
        for (int64_t i = 0; i < n; i++) sum += F(wg_magnitude)(a[i * n + j]);
        if (!(sum <= norm)) norm = sum;
    }
    return norm;
}

/* a := exp(a) by the quotient of degree 13 and squaring, as often as a_0 asks for (Higham, The
 * scaling and squaring method for the matrix exponential revisited, 2005; Al-Mohy and Higham,
 * Computing the Frechet derivative of the matrix exponential, 2009). work: 5 sets n^2 + 2 n^2 + n
 * elements. */
static void F(wg_exponential)(int64_t n, int64_t sets,
                              void (*product)(int64_t n, const T *a, const T *b, T *y), T *a,
                              T *work) {
    const int64_t count = sets * n * n;
    T *power[3], *u = work + 3 * count, *v = u + count, *part = v + count, *f = part + n * n;
    T norm = F(wg_column_norm)(n, a);
    int squarings = 0;
    for (int k = 0; k < 3; k++) power[k] = work + k * count;
    if (!(norm - norm == 0)) { /* infinite, or NaN */
        F(wg_fill)(count, (T)NAN, a);
        return;
    }
    for (; norm > (T)4.74; norm /= 2) squarings++;
    F(wg_scale_row)(count, (T)ldexp(1, -squarings), a);
    F(wg_sets_product)(n, sets, product, a, a, power[0], part);
    F(wg_sets_product)(n, sets, product, power[0], power[0], power[1], part);
    F(wg_sets_product)(n, sets, product, power[1], power[0], power[2], part);
    F(wg_even_powers)(n, count, power, 1, 16380, 40840800, 0, u);
    F(wg_sets_product)(n, sets, product, power[2], u, v, part);
    F(wg_even_powers)
    (n, count, power, 33522128640, 10559470521600, 1187353796428800, 32382376266240000, u);
    F(wg_add_row)(count, 1, u, v);
    F(wg_sets_product)(n, sets, product, a, v, u, part); /* odd powers */
    F(wg_even_powers)(n, count, power, 182, 960960, 1323241920, 0, a);
    F(wg_sets_product)(n, sets, product, power[2], a, v, part);
    F(wg_even_powers)
    (n, count, power, 670442572800, 129060195264000, 7771770303897600, 64764752532480000, a);
    for (int64_t i = 0; i < count; i++) {
        const T even = v[i] + a[i];
        v[i] = even - u[i];
        a[i] = even + u[i];
    }
    F(wg_sets_solve)(n, sets, product, v, a, f, part);
    for (int k = 0; k < squarings; k++) {
        F(wg_sets_product)(n, sets, product, a, a, u, part);
        for (int64_t i = 0; i < count; i++) a[i] = u[i];
    }
}

/* y[n,n]: the derivative of exp at x[0] along x[1], ..., x[order], of which order 0 is exp itself:
 * what belongs to the set of all e_i in exp(x[0] + e_1 x[1] + ...). absolute: along zeros it is 0,
 * whatever x[0] is. work: 6 2^order n^2 + 2 n^2 + n elements. */
static void F(wg_expm)(int64_t batch, int64_t n, int order, int absolute,
                       void (*product)(int64_t n, const T *a, const T *b, T *y), const T *const *x,
                       T *work, T *y) {
    const int64_t size = n * n, sets = (int64_t)1 << order;
    for (int64_t b = 0; b < batch; b++) {
        int zero = 0;
        for (int k = 1; k <= order && absolute && !zero; k++) {
            zero = 1;
            for (int64_t i = 0; i < size; i++) zero &= x[k][b * size + i] == 0;
        }
        F(wg_fill)(sets * size, 0, work);
        for (int k = 0; k <= order; k++) {
            T *part = work + (k ? (int64_t)1 << (k - 1) : 0) * size;
            for (int64_t i = 0; i < size; i++) part[i] = x[k][b * size + i];
        }
        if (!zero) F(wg_exponential)(n, sets, product, work, work + sets * size);
        for (int64_t i = 0; i < size; i++) y[b * size + i] = zero ? 0 : work[(sets - 1) * size + i];
    }
}
