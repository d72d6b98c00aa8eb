/* Products of few rows along a long axis, in vectors of the processor at hand: every lane sums its
 * share of the axis, for tiles of results that the registers hold. T: the type; F(name): its
 * name. */

#if defined(__GNUC__)
typedef T F(wg_vector) __attribute__((vector_size(WG_VECTOR_BYTES), aligned(sizeof(T)), may_alias));

typedef T F(wg_half) __attribute__((vector_size(32)));
typedef T F(wg_quarter) __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) T F(wg_lanes_total)(F(wg_vector) x)
{
    F(wg_quarter) few;
#if WG_VECTOR_BYTES == 64
    F(wg_half) half[2];
    F(wg_quarter) quarter[2];
    memcpy(half, &x, sizeof half);
    half[0] += half[1];
    memcpy(quarter, half, sizeof quarter);
    few = quarter[0] + quarter[1];
#elif WG_VECTOR_BYTES == 32
    F(wg_quarter) quarter[2];
    memcpy(quarter, &x, sizeof quarter);
    few = quarter[0] + quarter[1];
#else
    memcpy(&few, &x, sizeof few);
#endif
    T sum = few[0] + few[1];
    for (size_t i = 2; i < 16 / sizeof(T); i++) sum += few[i];
    return sum;
}

static inline __attribute__((always_inline)) void F(wg_along_tile)(
    int rows, int columns, int64_t depth, const T *a, int64_t a_row, const T *b, int64_t b_row,
    T *y, int64_t n)
{
    enum { LANES = WG_VECTOR_BYTES / sizeof(T) };
    F(wg_vector) sum[WG_TILE][WG_TILE], right[WG_TILE];
    int64_t k = 0;
#pragma GCC unroll 5
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 5
        for (int j = 0; j < columns; j++) sum[i][j] = (F(wg_vector)){0};
    for (; k + LANES <= depth; k += LANES) {
#pragma GCC unroll 5
        for (int j = 0; j < columns; j++) right[j] = *(const F(wg_vector) *)(b + j * b_row + k);
#pragma GCC unroll 5
        for (int i = 0; i < rows; i++) {
            const F(wg_vector) left = *(const F(wg_vector) *)(a + i * a_row + k);
#pragma GCC unroll 5
            for (int j = 0; j < columns; j++) sum[i][j] += left * right[j];
        }
    }
#pragma GCC unroll 5
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 5
        for (int j = 0; j < columns; j++) y[i * n + j] = F(wg_lanes_total)(sum[i][j]);
    for (; k < depth; k++)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) y[i * n + j] += a[i * a_row + k] * b[j * b_row + k];
}

/* The last tiles end with the last row and column, and may cover some of those before. */
#define WG_ALONG(SIDE)                                                                             \
    for (int64_t row = 0; row < m; row += SIDE)                                                    \
        for (int64_t column = 0; column < n; column += SIDE) {                                     \
            const int64_t i = row + SIDE < m ? row : m - SIDE;                                     \
            const int64_t j = column + SIDE < n ? column : n - SIDE;                               \
            F(wg_along_tile)(SIDE, SIDE, depth, a + i * a_row, a_row, b + j * b_row, b_row,        \
                             y + i * n + j, n);                                                    \
        }
#endif

/* y[i, j] = the sum over k of a[i, k] * b[j, k], of m >= 2 rows and n >= 2 columns. */
static WG_APART void F(wg_along)(int64_t m, int64_t n, int64_t depth, const T *a, int64_t a_row,
                                 const T *b, int64_t b_row, T *y)
{
#if defined(__GNUC__)
    int64_t side = 2, least = INT64_MAX; /* of tiles, that takes least: products and reading */
    for (int64_t s = 2; s <= WG_TILE && s <= m && s <= n; s++) {
        const int64_t cost = (m + s - 1) / s * ((n + s - 1) / s) * s * (s + 2);
        if (cost <= least) least = cost, side = s;
    }
    if (side == 2) { WG_ALONG(2) }
    else if (side == 3) { WG_ALONG(3) }
#if WG_TILE > 3
    else if (side == 4) { WG_ALONG(4) }
    else { WG_ALONG(5) }
#endif
#else
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            T sum[4] = {0};
            int64_t k = 0;
            for (; k + 4 <= depth; k += 4)
                for (int p = 0; p < 4; p++) sum[p] += a[i * a_row + k + p] * b[j * b_row + k + p];
            for (; k < depth; k++) sum[0] += a[i * a_row + k] * b[j * b_row + k];
            y[i * n + j] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        }
#endif
}
#undef WG_ALONG
