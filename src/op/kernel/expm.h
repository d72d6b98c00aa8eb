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

/* y = c6 a6 + c4 a4 + c2 a2 + c0, n^2 elements each */
static void F(wg_even_powers)(int64_t n, T *const *power, double c6, double c4, double c2,
                              double c0, T *y) {
    for (int64_t i = 0; i < n * n; i++)
        y[i] = (T)c6 * power[2][i] + (T)c4 * power[1][i] + (T)c2 * power[0][i];
    for (int64_t i = 0; i < n; i++) y[i * n + i] += (T)c0;
}

/* a[n,n] := exp(a) by the quotient of degree 13 and squaring (Higham, The scaling and squaring
 * method for the matrix exponential revisited, 2005). work: 7 n^2 + n elements. */
static void F(wg_exponential)(int64_t n, void (*product)(int64_t n, const T *a, const T *b, T *y),
                              T *a, T *work) {
    T *power[3], *u = work + 3 * n * n, *v = u + n * n, *f = v + n * n, norm = 0;
    int squarings = 0;
    for (int k = 0; k < 3; k++) power[k] = work + k * n * n;
    for (int64_t j = 0; j < n; j++) {
        T sum = 0;
        for (int64_t i = 0; i < n; i++) sum += F(wg_magnitude)(a[i * n + j]);
        if (!(sum <= norm)) norm = sum;
    }
    if (!(norm - norm == 0)) { /* infinite, or NaN */
        F(wg_fill)(n * n, (T)NAN, a);
        return;
    }
    for (; norm > (T)5.371920351148152; norm /= 2) squarings++;
    F(wg_scale_row)(n * n, (T)ldexp(1, -squarings), a);
    product(n, a, a, power[0]);
    product(n, power[0], power[0], power[1]);
    product(n, power[1], power[0], power[2]);
    F(wg_even_powers)(n, power, 1, 16380, 40840800, 0, u);
    product(n, power[2], u, v);
    F(wg_even_powers)
    (n, power, 33522128640, 10559470521600, 1187353796428800, 32382376266240000, u);
    for (int64_t i = 0; i < n * n; i++) v[i] += u[i];
    product(n, a, v, u); /* odd powers */
    F(wg_even_powers)(n, power, 182, 960960, 1323241920, 0, a);
    product(n, power[2], a, v);
    F(wg_even_powers)
    (n, power, 670442572800, 129060195264000, 7771770303897600, 64764752532480000, a);
    for (int64_t i = 0; i < n * n; i++) {
        v[i] += a[i]; /* even powers */
        a[i] = v[i] - u[i];
        v[i] += u[i];
    }
    F(wg_lu)(1, n, a, f);
    F(wg_solve)(1, n, n, 0, 0, f, v, a);
    for (int k = 0; k < squarings; k++) {
        product(n, a, a, u);
        for (int64_t i = 0; i < n * n; i++) a[i] = u[i];
    }
}

/* y[n,n]: the derivative of exp at x[0] along x[1], ..., x[order], of which order 0 is exp itself.
 * It is the last block of the first row of the exponential of a block matrix of 2^order rows, whose
 * block (r, c) is x[0] where r = c, and x[1 + i] where c is r with bit i set (Al-Mohy and Higham,
 * 2009; Higham and Relton, 2014). absolute: along zeros it is 0, whatever x[0] is. work: 8 N^2 + N
 * elements with N = 2^order n. */
static void F(wg_expm)(int64_t batch, int64_t n, int order, int absolute,
                       void (*product)(int64_t n, const T *a, const T *b, T *y), const T *const *x,
                       T *work, T *y) {
    const int64_t blocks = (int64_t)1 << order, width = blocks * n;
    for (int64_t b = 0; b < batch && n > 0; b++) {
        T *a = work;
        int zero = 0;
        for (int k = 1; k <= order && absolute && !zero; k++) {
            zero = 1;
            for (int64_t i = 0; i < n * n; i++) zero &= x[k][b * n * n + i] == 0;
        }
        if (zero) {
            F(wg_fill)(n * n, 0, y + b * n * n);
            continue;
        }
        F(wg_fill)(width * width, 0, a);
        for (int64_t r = 0; r < blocks; r++)
            for (int i = 0; i <= order; i++) {
                const int64_t c = i == 0 ? r : r | (int64_t)1 << (i - 1);
                if (i > 0 && c == r) continue;
                for (int64_t k = 0; k < n; k++)
                    for (int64_t j = 0; j < n; j++)
                        a[(r * n + k) * width + c * n + j] = x[i][(b * n + k) * n + j];
            }
        F(wg_exponential)(width, product, a, work + width * width);
        for (int64_t k = 0; k < n; k++)
            for (int64_t j = 0; j < n; j++)
                y[(b * n + k) * n + j] = a[k * width + (blocks - 1) * n + j];
    }
}
