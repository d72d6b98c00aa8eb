/* The matrix product for processors with AVX-512, for one element type; included once for each,
 * with T its type and F(name) a name for it. A BLAS that does not know such a processor multiplies
 * at half its speed.
 *
 * Strips of B, three vectors wide and DEEP deep, are copied so that they lie in a row; tiles of 8
 * or 4 rows of A times a strip are summed in registers, a row's elements broadcast from where they
 * are. Where both operands lie along the summed axis, which is long, and the result is small, nothing
 * is copied: every lane sums its share of the axis, for squares of 2 x 2 to 5 x 5 results at a time.
 * Sums of products are fused; their order depends on the shapes only. */

typedef T F(vector) __attribute__((vector_size(64)));
typedef T F(loose) __attribute__((vector_size(64), aligned(sizeof(T)), may_alias));
enum { F(LANES) = 64 / sizeof(T), F(STRIP) = 3 * F(LANES) };

/* c[rows, cols] (+)= a[rows, depth] b[depth, cols]; b's rows `step` elements apart. The last vector
 * ends with the last column and may cover some of the one before. */
static inline __attribute__((always_inline)) void
F(tile)(size_t rows, size_t vectors, size_t cols, int64_t depth, const T *a, int64_t a_row,
        int64_t a_col, const T *b, int64_t step, bool add, T *c, int64_t c_row) {
    F(vector) sum[8][3];
    size_t at[3] = {0, F(LANES), 2 * F(LANES)};
    at[vectors - 1] = cols - F(LANES);
#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 3
        for (size_t j = 0; j < vectors; j++) sum[i][j] = (F(vector)){0};
    for (int64_t k = 0; k < depth; k++, a += a_col, b += step) {
        F(vector) right[3];
#pragma GCC unroll 3
        for (size_t j = 0; j < vectors; j++) right[j] = *(const F(loose) *)(b + at[j]);
#pragma GCC unroll 8
        for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 3
            for (size_t j = 0; j < vectors; j++) sum[i][j] += a[(int64_t)i * a_row] * right[j];
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++) {
        T *to = c + (int64_t)i * c_row;
#pragma GCC unroll 3
        for (size_t j = 0; j < vectors; j++) /* all read before one is written: they may overlap */
            if (add) sum[i][j] += *(const F(loose) *)(to + at[j]);
#pragma GCC unroll 3
        for (size_t j = 0; j < vectors; j++) *(F(loose) *)(to + at[j]) = sum[i][j];
    }
}

/* The same for a known number of rows. */
#define WG_TILE_ROWS(NAME, ROWS)                                                                   \
    static inline void NAME(size_t vectors, size_t cols, int64_t depth, const T *a, int64_t a_row, \
                            int64_t a_col, const T *b, int64_t step, bool add, T *c,               \
                            int64_t c_row) {                                                       \
        if (vectors == 3)                                                                          \
            F(tile)(ROWS, 3, cols, depth, a, a_row, a_col, b, step, add, c, c_row);                \
        else if (vectors == 2)                                                                     \
            F(tile)(ROWS, 2, cols, depth, a, a_row, a_col, b, step, add, c, c_row);                \
        else F(tile)(ROWS, 1, cols, depth, a, a_row, a_col, b, step, add, c, c_row);               \
    }
WG_TILE_ROWS(F(eight_rows), 8)
WG_TILE_ROWS(F(four_rows), 4)
WG_TILE_ROWS(F(two_rows), 2)
WG_TILE_ROWS(F(one_row), 1)
#undef WG_TILE_ROWS

/* Fewer columns than a vector has: by way of whole ones, b's rows being filled up with zeros, and
 * where rows are missing, of a copy of A with zeros in their place. */
static void F(edge)(size_t rows, size_t cols, int64_t depth, const T *a, int64_t a_row,
                    int64_t a_col, const T *b, int64_t step, bool add, T *c, int64_t c_row) {
    T whole[8 * F(LANES)] __attribute__((aligned(64))), left[8 * DEEP];
    if (rows < 8) {
        for (int64_t k = 0; k < depth; k++)
            for (size_t i = 0; i < 8; i++)
                left[(size_t)k * 8 + i] = i < rows ? a[(int64_t)i * a_row + k * a_col] : 0;
        a = left;
        a_row = 1;
        a_col = 8;
    }
    F(eight_rows)(1, F(LANES), depth, a, a_row, a_col, b, step, false, whole, F(LANES));
    for (size_t i = 0; i < rows; i++, c += c_row) {
        const T *from = whole + i * F(LANES);
        if (add)
            for (size_t j = 0; j < cols; j++) c[j] += from[j];
        else memcpy(c, from, cols * sizeof(T));
    }
}

/* Rows of b[depth, cols] behind each other, `width` apart, filled up with zeros. */
static void F(pack)(int64_t depth, int64_t cols, int64_t width, const T *b, int64_t row,
                    int64_t col, T *to) {
    if (col == 1) {
        for (int64_t k = 0; k < depth; k++, b += row, to += width) {
            memcpy(to, b, (size_t)cols * sizeof(T));
            for (int64_t j = cols; j < width; j++) to[j] = 0;
        }
        return;
    }
    for (int64_t k = 0; k < depth; k += 8) { /* in tiles, so that both sides stay in the cache */
        int64_t few = depth - k < 8 ? depth - k : 8;
        for (int64_t j = 0; j < width; j++)
            for (int64_t i = 0; i < few; i++)
                to[(k + i) * width + j] = j < cols ? b[(k + i) * row + j * col] : 0;
    }
}

static void F(strip)(int64_t m, int64_t cols, int64_t depth, const T *a, int64_t a_row,
                     int64_t a_col, const T *b, int64_t step, bool add, T *y, int64_t n) {
    size_t vectors = (size_t)(cols + F(LANES) - 1) / F(LANES), wide = (size_t)cols;
    int64_t i = 0;
    if (cols < F(LANES)) {
        for (; i < m; i += 8)
            F(edge)(m - i < 8 ? (size_t)(m - i) : 8, wide, depth, a + i * a_row, a_row, a_col, b,
                    step, add, y + i * n, n);
        return;
    }
    for (; i + 8 <= m; i += 8)
        F(eight_rows)(vectors, wide, depth, a + i * a_row, a_row, a_col, b, step, add, y + i * n,
                      n);
    if (i + 4 <= m) {
        F(four_rows)(vectors, wide, depth, a + i * a_row, a_row, a_col, b, step, add, y + i * n, n);
        i += 4;
    }
    if (i + 2 <= m) {
        F(two_rows)(vectors, wide, depth, a + i * a_row, a_row, a_col, b, step, add, y + i * n, n);
        i += 2;
    }
    if (i < m)
        F(one_row)(vectors, wide, depth, a + i * a_row, a_row, a_col, b, step, add, y + i * n, n);
}

/* ---- along the summed axis ------------------------------------------------------------------- */

typedef T F(half) __attribute__((vector_size(32)));
typedef T F(quarter) __attribute__((vector_size(16)));

static inline T F(total)(F(vector) x) {
    F(half) half[2];
    F(quarter) quarter[2];
    memcpy(half, &x, sizeof half);
    half[0] += half[1];
    memcpy(quarter, half, sizeof quarter);
    quarter[0] += quarter[1];
    T sum = 0;
    for (size_t i = 0; i < 16 / sizeof(T); i++) sum += quarter[0][i];
    return sum;
}

/* c[i, j] = sum over k of a[i, k] b[j, k], for a square of results. */
static inline __attribute__((always_inline)) void
F(along_tile)(size_t side, int64_t depth, const T *a, int64_t a_row, const T *b, int64_t b_row,
              T *c, int64_t c_row) {
    F(vector) sum[5][5], right[5];
#pragma GCC unroll 5
    for (size_t i = 0; i < side; i++)
#pragma GCC unroll 5
        for (size_t j = 0; j < side; j++) sum[i][j] = (F(vector)){0};
    int64_t k = 0;
    for (; k + F(LANES) <= depth; k += F(LANES)) {
#pragma GCC unroll 5
        for (size_t j = 0; j < side; j++)
            right[j] = *(const F(loose) *)(b + (int64_t)j * b_row + k);
#pragma GCC unroll 5
        for (size_t i = 0; i < side; i++) {
            F(vector) left = *(const F(loose) *)(a + (int64_t)i * a_row + k);
#pragma GCC unroll 5
            for (size_t j = 0; j < side; j++) sum[i][j] += left * right[j];
        }
    }
#pragma GCC unroll 5
    for (size_t i = 0; i < side; i++)
#pragma GCC unroll 5
        for (size_t j = 0; j < side; j++) c[(int64_t)i * c_row + (int64_t)j] = F(total)(sum[i][j]);
    for (; k < depth; k++)
        for (size_t i = 0; i < side; i++)
            for (size_t j = 0; j < side; j++)
                c[(int64_t)i * c_row + (int64_t)j] +=
                    a[(int64_t)i * a_row + k] * b[(int64_t)j * b_row + k];
}

#define WG_ALONG(NAME, SIDE)                                                                       \
    static void NAME(int64_t depth, const T *a, int64_t a_row, const T *b, int64_t b_row, T *c,    \
                     int64_t c_row) {                                                              \
        F(along_tile)(SIDE, depth, a, a_row, b, b_row, c, c_row);                                  \
    }
WG_ALONG(F(along_two), 2)
WG_ALONG(F(along_three), 3)
WG_ALONG(F(along_four), 4)
WG_ALONG(F(along_five), 5)
#undef WG_ALONG

/* The last tiles end with the last row and column, and may cover some of those before. */
static void F(along)(int64_t m, int64_t n, int64_t depth, const T *a, int64_t a_row, const T *b,
                     int64_t b_row, T *y) {
    static void (*const tile[])(int64_t, const T *, int64_t, const T *, int64_t, T *, int64_t) = {
        F(along_two), F(along_three), F(along_four), F(along_five)};
    int64_t side = along_side(m, n);
    for (int64_t row = 0; row < m; row += side) {
        int64_t i = row + side < m ? row : m - side;
        for (int64_t column = 0; column < n; column += side) {
            int64_t j = column + side < n ? column : n - side;
            tile[side - 2](depth, a + i * a_row, a_row, b + j * b_row, b_row, y + i * n + j, n);
        }
    }
}

void F(gemm_avx512)(int64_t m, int64_t n, int64_t depth, const T *a, int64_t a_row, int64_t a_col,
                    const T *b, int64_t b_row, int64_t b_col, T *y) {
    if (a_col == 1 && b_row == 1 && gemm_avx512_along(m, n, depth)) {
        F(along)(m, n, depth, a, a_row, b, b_col, y);
        return;
    }
    T packed[DEEP * F(STRIP)] __attribute__((aligned(64)));
    for (int64_t k = 0; k < depth; k += DEEP) {
        int64_t deep = depth - k < DEEP ? depth - k : DEEP;
        const T *left = a + k * a_col;
        for (int64_t j = 0; j < n; j += F(STRIP)) {
            int64_t cols = n - j < F(STRIP) ? n - j : F(STRIP);
            int64_t width = (cols + F(LANES) - 1) / F(LANES) * F(LANES);
            const T *right = b + k * b_row + j * b_col;
            bool as_it_is = b_col == 1 && cols >= F(LANES) && (m <= 16 || b_row == cols);
            if (!as_it_is) F(pack)(deep, cols, width, right, b_row, b_col, packed);
            F(strip)(m, cols, deep, left, a_row, a_col, as_it_is ? right : packed,
                     as_it_is ? b_row : width, k > 0, y + j, n);
        }
    }
}
