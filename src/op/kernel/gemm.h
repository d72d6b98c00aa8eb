/* The matrix product for processors with AVX-512, for one element type; included once for each,
 * with T its type and F(name) a name for it. A BLAS that does not know such a processor multiplies
 * at half its speed.
 *
 * Strips of B, three vectors wide and DEEP deep, are copied so that they lie in a row; tiles of 8
 * or 4 rows of A times a strip are summed in registers, a row's elements broadcast from where they
 * are. Sums of products are fused; their order depends on the shapes only. */

typedef T F(vector) __attribute__((vector_size(64)));
typedef T F(loose) __attribute__((vector_size(64), aligned(sizeof(T)), may_alias));
enum { F(LANES) = 64 / sizeof(T), F(STRIP) = 3 * F(LANES) };

/* c[rows, vectors] (+)= a[rows, depth] b[depth, vectors]; b's rows `step` elements apart. */
static inline __attribute__((always_inline)) void
F(tile)(size_t rows, size_t vectors, int64_t depth, const T *a, int64_t a_row, int64_t a_col,
        const T *b, int64_t step, bool add, T *c, int64_t c_row) {
    F(vector) sum[8][3];
#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 3
        for (size_t j = 0; j < vectors; j++) sum[i][j] = (F(vector)){0};
    for (int64_t k = 0; k < depth; k++, a += a_col, b += step) {
        F(vector) right[3];
#pragma GCC unroll 3
        for (size_t j = 0; j < vectors; j++) right[j] = *(const F(loose) *)(b + j * F(LANES));
#pragma GCC unroll 8
        for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 3
            for (size_t j = 0; j < vectors; j++) sum[i][j] += a[(int64_t)i * a_row] * right[j];
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 3
        for (size_t j = 0; j < vectors; j++) {
            F(loose) *to = (F(loose) *)(c + (int64_t)i * c_row + j * F(LANES));
            if (add) *to += sum[i][j];
            else *to = sum[i][j];
        }
}

/* A tile of 8 rows and a known number of vectors. */
static inline void F(tile_of)(size_t vectors, int64_t depth, const T *a, int64_t a_row,
                              int64_t a_col, const T *b, int64_t step, bool add, T *c,
                              int64_t c_row) {
    if (vectors == 3) F(tile)(8, 3, depth, a, a_row, a_col, b, step, add, c, c_row);
    else if (vectors == 2) F(tile)(8, 2, depth, a, a_row, a_col, b, step, add, c, c_row);
    else F(tile)(8, 1, depth, a, a_row, a_col, b, step, add, c, c_row);
}

/* The same for fewer rows or columns than a tile has: by way of a whole one, and where rows are
 * missing, of a copy of A with zeros in their place. */
static void F(edge)(size_t rows, size_t cols, size_t vectors, int64_t depth, const T *a,
                    int64_t a_row, int64_t a_col, const T *b, int64_t step, bool add, T *c,
                    int64_t c_row) {
    T whole[8 * F(STRIP)] __attribute__((aligned(64))), left[8 * DEEP];
    if (rows < 8) {
        for (int64_t k = 0; k < depth; k++)
            for (size_t i = 0; i < 8; i++)
                left[(size_t)k * 8 + i] = i < rows ? a[(int64_t)i * a_row + k * a_col] : 0;
        a = left;
        a_row = 1;
        a_col = 8;
    }
    F(tile_of)(vectors, depth, a, a_row, a_col, b, step, false, whole, F(STRIP));
    for (size_t i = 0; i < rows; i++, c += c_row) {
        const T *from = whole + i * F(STRIP);
        if (add)
            for (size_t j = 0; j < cols; j++) c[j] += from[j];
        else memcpy(c, from, cols * sizeof(T));
    }
}

/* Rows of b[depth, cols] behind each other, `width` apart, filled up with zeros. */
static void F(pack)(int64_t depth, int64_t cols, int64_t width, const T *b, int64_t row, int64_t col,
                    T *to) {
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
    size_t vectors = (size_t)(cols + F(LANES) - 1) / F(LANES);
    bool whole = cols % F(LANES) == 0;
    int64_t i = 0;
    for (; whole && i + 8 <= m; i += 8)
        F(tile_of)(vectors, depth, a + i * a_row, a_row, a_col, b, step, add, y + i * n, n);
    for (; whole && vectors == 3 && i + 4 <= m; i += 4)
        F(tile)(4, 3, depth, a + i * a_row, a_row, a_col, b, step, add, y + i * n, n);
    for (; i < m; i += 8)
        F(edge)(m - i < 8 ? (size_t)(m - i) : 8, (size_t)cols, vectors, depth, a + i * a_row, a_row,
                a_col, b, step, add, y + i * n, n);
}

void F(gemm_avx512)(int64_t m, int64_t n, int64_t depth, const T *a, int64_t a_row, int64_t a_col,
                    const T *b, int64_t b_row, int64_t b_col, T *y) {
    T packed[DEEP * F(STRIP)] __attribute__((aligned(64)));
    for (int64_t k = 0; k < depth; k += DEEP) {
        int64_t deep = depth - k < DEEP ? depth - k : DEEP;
        const T *left = a + k * a_col;
        for (int64_t j = 0; j < n; j += F(STRIP)) {
            int64_t cols = n - j < F(STRIP) ? n - j : F(STRIP);
            int64_t width = (cols + F(LANES) - 1) / F(LANES) * F(LANES);
            const T *right = b + k * b_row + j * b_col;
            bool as_it_is = b_col == 1 && cols == width && m <= 16;
            if (!as_it_is) F(pack)(deep, cols, width, right, b_row, b_col, packed);
            F(strip)(m, cols, deep, left, a_row, a_col, as_it_is ? right : packed,
                     as_it_is ? b_row : width, k > 0, y + j, n);
        }
    }
}
