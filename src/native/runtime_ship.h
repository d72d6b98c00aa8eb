/* What shipped C has beside the texts of code that is loaded: see runtime_whole.h, also for whom it
 * binds. */

#if defined(__GNUC__) && !defined(__clang__)
#define WG_INDEPENDENT _Pragma("GCC ivdep")
#else
#define WG_INDEPENDENT
#endif

#define WG_LANE_LOOP WG_INDEPENDENT
#define WG_OF_SUM inline

#if defined(__GNUC__)
#define WG_APART __attribute__((noinline, unused))
#define WG_WITHIN static inline __attribute__((always_inline, unused))
#else
#define WG_APART
#define WG_WITHIN static
#endif

static inline double special_lgamma(double x) { return lgamma(x); }

static inline int wg_is_nan_f64(double x) { return x != x; }
static inline int wg_is_nan_f32(float x) { return x != x; }
static inline int wg_is_nan_i64(int64_t x) { return (void)x, 0; }
static inline int wg_is_nan_i32(int32_t x) { return (void)x, 0; }

/* Running sums are kept in these. */
typedef double wg_wide_f64;
typedef double wg_wide_f32;
typedef uint64_t wg_wide_i64;
typedef uint32_t wg_wide_i32;

/* The root of a sum of squares between these loses nothing. */
static const double wg_most_f64 = 1.7976931348623157e308;
static const double wg_least_square_f64 = 1.0020841800044864e-292; /* 2^-1022 / 2^-52 */
static const float wg_most_f32 = 3.40282347e38f;
static const float wg_least_square_f32 = 9.86076132e-32f; /* 2^-126 / 2^-23 */
enum { wg_least_exponent_f64 = -1021, wg_least_exponent_f32 = -125 };

/* ---- axes of a reduction --------------------------------------------------------------------- */

/* Neighbours that are both kept, or both reduced, as one; kept and reduced groups alternate. */
typedef struct {
    int rank, runs, empty;   /* runs: the last group is reduced; empty: nothing is reduced */
    int64_t extent[9];
} wg_groups;

static void wg_join(wg_groups *g, int rank, const int64_t *extent, unsigned mask)
{
    int last = -1;
    g->rank = 0;
    g->empty = 0;
    for (int k = 0; k < rank; k++) {
        const int reduced = (int)(mask >> k & 1);
        if (reduced && extent[k] == 0) g->empty = 1;
        if (extent[k] == 1) continue;
        if (reduced == last) g->extent[g->rank - 1] *= extent[k];
        else g->extent[g->rank++] = extent[k];
        last = reduced;
    }
    if (last < 0) g->extent[g->rank++] = 1;
    g->runs = last == 1;
}

/* How many places the groups last, last - 2, ... have. */
static int64_t wg_places(const wg_groups *g, int last)
{
    int64_t count = 1;
    for (; last >= 0; last -= 2) count *= g->extent[last];
    return count;
}

/* Where the place of this number begins. */
static int64_t wg_place(const wg_groups *g, int64_t number, int last)
{
    int64_t offset = 0;
    for (; last >= 0; last -= 2) {
        int64_t stride = 1;
        for (int k = last + 1; k < g->rank; k++) stride *= g->extent[k];
        offset += number % g->extent[last] * stride;
        number /= g->extent[last];
    }
    return offset;
}

/* ---- indices, pieces, bits ------------------------------------------------------------------- */

/* One of the two lists is there. */
static inline int64_t wg_index(const int64_t *index64, const int32_t *index32, int64_t at)
{
    return index64 ? index64[at] : index32[at];
}

/* Whether an index lies outside of 0 .. n-1. */
static int wg_is_outside(int64_t n, int64_t count, const int64_t *index64, const int32_t *index32)
{
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = wg_index(index64, index32, i);
        if (at < 0 || at >= n) return 1;
    }
    return 0;
}

/* Pieces of `piece` bytes, one behind the other, to places `row` bytes apart. */
static void wg_pieces(int64_t count, int64_t piece, int64_t row, const void *from, void *to)
{
    for (int64_t i = 0; i < count && piece > 0; i++)
        memcpy((char *)to + i * row, (const char *)from + i * piece, (size_t)piece);
}

/* What is drawn for one key and counter: 32 bits each. */
static void wg_draw_i32(uint64_t key, uint64_t counter, int64_t count, int32_t *y)
{
    uint32_t words[2] = {0, 0}, at[4] = {0, 0, 0, 0}, out[4];
    words[0] = (uint32_t)key;
    words[1] = (uint32_t)(key >> 32);
    at[2] = (uint32_t)counter;
    at[3] = (uint32_t)(counter >> 32);
    for (int64_t i = 0; i < count; i += 4) {
        at[0] = (uint32_t)(i / 4);
        at[1] = (uint32_t)((uint64_t)(i / 4) >> 32);
        philox(at, words, out);
        for (int64_t k = 0; k < 4 && i + k < count; k++) memcpy(&y[i + k], &out[k], 4);
    }
}

/* The same with 64 bits each: two words, the lower one first. */
static void wg_draw_i64(uint64_t key, uint64_t counter, int64_t count, int64_t *y)
{
    for (int64_t i = 0; i < count; i += 2) {
        uint32_t words[2] = {0, 0}, at[4] = {0, 0, 0, 0}, out[4];
        words[0] = (uint32_t)key;
        words[1] = (uint32_t)(key >> 32);
        at[0] = (uint32_t)(i / 2);
        at[1] = (uint32_t)((uint64_t)(i / 2) >> 32);
        at[2] = (uint32_t)counter;
        at[3] = (uint32_t)(counter >> 32);
        philox(at, words, out);
        for (int64_t k = 0; k < 2 && i + k < count; k++) {
            const uint64_t bits = out[2 * k] | (uint64_t)out[2 * k + 1] << 32;
            memcpy(&y[i + k], &bits, 8);
        }
    }
}

/* Extents of a convolution: image x[h,w], kernel k[i,j], output y[p,q]. */
typedef struct {
    int64_t images, groups, channels, own, x[2], k[2], y[2], stride[2], dilation[2], low[2];
} wg_conv_shape;

/* ---- products by a BLAS, where that is asked for --------------------------------------------- */

/* y[batch, m, n] = a[batch, m, depth] b[batch, depth, n], each of the two transposed on request;
 * extents that a BLAS takes are int. */
static void wg_blas_f64(int64_t batch, int64_t m, int64_t n, int64_t depth, const double *a,
                        int a_transposed, const double *b, int b_transposed, double *y)
{
    const int64_t a_line = a_transposed ? m : depth, b_line = b_transposed ? depth : n;
    for (int64_t i = 0; i < batch && m > 0 && n > 0; i++)
        cblas_dgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans,
                    b_transposed ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)depth, 1,
                    a + i * m * depth, (int)(a_line > 0 ? a_line : 1), b + i * depth * n,
                    (int)(b_line > 0 ? b_line : 1), 0, y + i * m * n, (int)n);
}

static void wg_blas_f32(int64_t batch, int64_t m, int64_t n, int64_t depth, const float *a,
                        int a_transposed, const float *b, int b_transposed, float *y)
{
    const int64_t a_line = a_transposed ? m : depth, b_line = b_transposed ? depth : n;
    for (int64_t i = 0; i < batch && m > 0 && n > 0; i++)
        cblas_sgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans,
                    b_transposed ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)depth, 1,
                    a + i * m * depth, (int)(a_line > 0 ? a_line : 1), b + i * depth * n,
                    (int)(b_line > 0 ? b_line : 1), 0, y + i * m * n, (int)n);
}
