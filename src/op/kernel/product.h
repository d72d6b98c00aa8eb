/* The matrix product in plain C for one element type; included once for each, with T its type
 * (unsigned for integers, so that sums wrap around) and F(name) a name for it.
 *
 * op(A) and op(B) are given by their strides along rows and columns. Blocks of A and panels of B
 * are copied into local arrays in the order in which they are read, with zeros at the edges, and
 * tiles of ROWS x COLS results are summed in registers (Goto and van de Geijn, Anatomy of
 * high-performance matrix multiplication, 2008). The order of additions depends on the shapes
 * only. */

struct F(matrix) {
    const T *data;
    int64_t row, col; /* strides */
};

/* c[i, j] += sum over k of a[k, i] * b[k, j]. */
static inline void F(tile)(int64_t depth, const T *restrict a, const T *restrict b,
                           T c[ROWS][COLS]) {
    T sum[ROWS][COLS] = {{0}};
    for (int64_t k = 0; k < depth; k++, a += ROWS, b += COLS)
        for (size_t i = 0; i < ROWS; i++)
            for (size_t j = 0; j < COLS; j++) sum[i][j] += a[i] * b[j];
    memcpy(c, sum, sizeof sum);
}

/* Copies `count` x depth elements into strips of `width`, padded with zeros. */
static inline void F(pack)(const T *from, int64_t along, int64_t step, int64_t count, int64_t depth,
                           int64_t width, T *to) {
    for (int64_t strip = 0; strip < count; strip += width, from += width * along) {
        int64_t n = count - strip < width ? count - strip : width;
        for (int64_t k = 0; k < depth; k++, to += width) {
            for (int64_t i = 0; i < n; i++) to[i] = from[i * along + k * step];
            for (int64_t i = n; i < width; i++) to[i] = 0;
        }
    }
}

static void F(blocked)(int64_t m, int64_t n, int64_t depth, struct F(matrix) a, struct F(matrix) b,
                       T *y) {
    T left[BLOCK_ROWS * BLOCK_DEPTH], right[COLS * BLOCK_DEPTH], tile[ROWS][COLS];
    memset(y, 0, (size_t)(m * n) * sizeof *y);
    for (int64_t k = 0; k < depth; k += BLOCK_DEPTH) {
        int64_t deep = depth - k < BLOCK_DEPTH ? depth - k : BLOCK_DEPTH;
        for (int64_t i = 0; i < m; i += BLOCK_ROWS) {
            int64_t rows = m - i < BLOCK_ROWS ? m - i : BLOCK_ROWS;
            F(pack)(a.data + i * a.row + k * a.col, a.row, a.col, rows, deep, ROWS, left);
            for (int64_t j = 0; j < n; j += COLS) {
                int64_t cols = n - j < COLS ? n - j : COLS;
                F(pack)(b.data + k * b.row + j * b.col, b.col, b.row, cols, deep, COLS, right);
                for (int64_t r = 0; r < rows; r += ROWS) {
                    F(tile)(deep, left + r * deep, right, tile);
                    T *to = y + (i + r) * n + j;
                    for (int64_t p = 0; p < ROWS && r + p < rows; p++)
                        for (int64_t q = 0; q < cols; q++) to[p * n + q] += tile[p][q];
                }
            }
        }
    }
}

/* Few operations: no copies. Rows of y are sums of rows of B where those are dense and long enough,
 * else inner products. */
static void F(small)(int64_t m, int64_t n, int64_t depth, struct F(matrix) a, struct F(matrix) b,
                     T *restrict y) {
    for (int64_t i = 0; i < m; i++, y += n) {
        const T *left = a.data + i * a.row;
        if (b.col == 1 && n >= COLS) {
            for (int64_t j = 0; j < n; j++) y[j] = 0;
            for (int64_t k = 0; k < depth; k++) {
                T factor = left[k * a.col];
                const T *row = b.data + k * b.row;
                for (int64_t j = 0; j < n; j++) y[j] += factor * row[j];
            }
            continue;
        }
        for (int64_t j = 0; j < n; j++) {
            const T *right = b.data + j * b.col;
            T sum = 0;
            for (int64_t k = 0; k < depth; k++) sum += left[k * a.col] * right[k * b.row];
            y[j] = sum;
        }
    }
}

/* A matrix with dense rows times a vector, in LANES partial sums. */
static void F(times_vector)(int64_t m, int64_t depth, struct F(matrix) a, const T *x, T *y) {
    for (int64_t i = 0; i < m; i++) {
        const T *row = a.data + i * a.row;
        T lane[LANES] = {0};
        int64_t k = 0;
        for (; k + LANES <= depth; k += LANES)
            for (int64_t p = 0; p < LANES; p++) lane[p] += row[k + p] * x[k + p];
        for (int64_t half = LANES / 2; half > 0; half /= 2)
            for (int64_t p = 0; p < half; p++) lane[p] += lane[p + half];
        T sum = lane[0];
        for (; k < depth; k++) sum += row[k] * x[k];
        y[i] = sum;
    }
}

/* y[m, n] = op(A) op(B), all extents > 0. */
static void F(product)(int64_t m, int64_t n, int64_t depth, struct F(matrix) a, struct F(matrix) b,
                       T *y) {
    if (n == 1 && a.col == 1 && b.row == 1) F(times_vector)(m, depth, a, b.data, y);
    else if (m == 1 && b.row == 1 && a.col == 1)
        F(times_vector)(n, depth, (struct F(matrix)){b.data, b.col, 1}, a.data, y);
    else if (m < ROWS || n < COLS || m * n * depth <= SMALL) F(small)(m, n, depth, a, b, y);
    else F(blocked)(m, n, depth, a, b, y);
}
