/* Operations on whole tensors for C that is shipped, for one element type: T, U its type without a
 * sign where it is an integer, so that sums wrap around, LOWEST its smallest value, F(name) a name
 * for it. C99 and C++. Orders of additions are those of the kernels in op/kernel, but for products
 * and convolutions. This text, like vector_math.h, binds nobody: it is in the public domain where
 * that exists, else free for every use without condition or warranty. */

/* ---- reductions over any axes ---------------------------------------------------------------- */

/* Adds the term in level[0] to the cascade of sums: 64 terms make one of the next level. */
static inline void F(wg_carry)(unsigned *count, U level[6][16], int64_t width)
{
    for (int k = 0; ++count[k] == 64 && k + 1 < 6; k++) {
        for (int64_t i = 0; i < width; i++) {
            level[k + 1][i] += level[k][i];
            level[k][i] = 0;
        }
        count[k] = 0;
    }
}

/* y[i] = the sum over all reduced places of x[place + i], for up to 16 columns. */
static void F(wg_sum_columns)(const wg_groups *g, const T *x, int64_t width, T *y)
{
    U level[6][16];
    unsigned count[6] = {0, 0, 0, 0, 0, 0};
    const int64_t inner = g->rank > 1 ? g->extent[g->rank - 2] : 1;
    const int64_t stride = g->extent[g->rank - 1], outer = wg_places(g, g->rank - 4);
    memset(level, 0, sizeof level);
    for (int64_t o = 0; o < outer; o++) {
        const T *row = x + wg_place(g, o, g->rank - 4);
        for (int64_t k = 0; k < inner; k++) {
            for (int64_t i = 0; i < width; i++) level[0][i] += (U)row[k * stride + i];
            F(wg_carry)(count, level, width);
        }
    }
    for (int64_t i = 0; i < width; i++) {
        U total = 0;
        for (int k = 0; k < 6; k++) total += level[k][i];
        y[i] = (T)total;
    }
}

/* The sum over the axes of the mask. */
static void F(wg_sum_axes)(int rank, const int64_t *extent, unsigned mask, const T *x, T *y)
{
    wg_groups g;
    wg_join(&g, rank, extent, mask);
    const int64_t width = g.extent[g.rank - 1], kept = wg_places(&g, g.rank - (g.runs ? 2 : 3));
    const int64_t runs = g.empty ? 0 : wg_places(&g, g.rank - 3);
    for (int64_t o = 0; o < kept; o++) {
        const T *from = x + wg_place(&g, o, g.rank - (g.runs ? 2 : 3));
        if (g.runs) {
            F(wg_sum) s;
            F(wg_sum_begin)(&s);
            for (int64_t r = 0; r < runs; r++)
                for (int64_t i = 0; i < width; i += 512)
                    F(wg_sum_add)(&s, (const U *)from + wg_place(&g, r, g.rank - 3) + i,
                                  width - i < 512 ? width - i : 512);
            y[o] = (T)F(wg_sum_total)(&s);
            continue;
        }
        for (int64_t i = 0; i < width; i++) y[o * width + i] = 0;
        for (int64_t i = 0; i < width && !g.empty; i += 16)
            F(wg_sum_columns)(&g, from + i, width - i < 16 ? width - i : 16, y + o * width + i);
    }
}

/* The largest over the axes of the mask, NaN if one is and not numbers alone count; 1 if some are
 * the largest of none. */
static int F(wg_largest_axes)(int rank, const int64_t *extent, unsigned mask, int numbers,
                              const T *x, T *y)
{
    wg_groups g;
    wg_join(&g, rank, extent, mask);
    const int last = g.runs ? g.rank - 1 : g.rank - 2;
    const int64_t width = g.runs ? 1 : g.extent[g.rank - 1];
    const int64_t kept = wg_places(&g, g.rank - (g.runs ? 2 : 3));
    const int64_t terms = g.empty ? 0 : wg_places(&g, last);
    for (int64_t o = 0; o < kept; o++) {
        const T *from = x + wg_place(&g, o, g.rank - (g.runs ? 2 : 3));
        T *to = y + o * width;
        for (int64_t i = 0; i < width; i++) to[i] = LOWEST;
        for (int64_t r = 0; r < terms; r++) {
            const T *row = from + wg_place(&g, r, last);
            for (int64_t i = 0; i < width; i++)
                if (row[i] > to[i] ||
                    (!numbers && F(wg_is_nan)(row[i]) && !F(wg_is_nan)(to[i])))
                    to[i] = row[i];
        }
    }
    return g.empty && kept * width > 0;
}

static int F(wg_max_axes)(int rank, const int64_t *extent, unsigned mask, const T *x, T *y)
{
    return F(wg_largest_axes)(rank, extent, mask, 0, x, y);
}

/* The largest number, but 0 where it is not finite. */
static void F(wg_peak_axes)(int rank, const int64_t *extent, unsigned mask, const T *x, T *y)
{
    int64_t count = 1;
    for (int k = 0; k < rank; k++)
        if (!(mask >> k & 1)) count *= extent[k];
    (void)F(wg_largest_axes)(rank, extent, mask, 1, x, y);
    for (int64_t i = 0; i < count; i++)
        y[i] = F(wg_shift)(y[i]);
}

/* The sum of the squares of scale * x over the reduced places from x on. */
static T F(wg_squares)(const wg_groups *g, const T *x, T scale)
{
    const int64_t width = g->runs ? g->extent[g->rank - 1] : 1;
    const int64_t rows = g->empty ? 0 : wg_places(g, g->rank - (g->runs ? 3 : 2));
    F(wg_sum) s;
    F(wg_sum_begin)(&s);
    for (int64_t r = 0; r < rows; r++) {
        const T *row = x + wg_place(g, r, g->rank - (g->runs ? 3 : 2));
        for (int64_t i = 0; i < width; i += 512) {
            const int64_t n = width - i < 512 ? width - i : 512;
            T term[512];
            for (int64_t k = 0; k < n; k++) term[k] = (row[i + k] * scale) * (row[i + k] * scale);
            F(wg_sum_add)(&s, term, n);
        }
    }
    return F(wg_sum_total)(&s);
}

/* A power of two near the inverse of the largest magnitude: scaling by it is exact. */
static T F(wg_norm_scale)(const wg_groups *g, const T *x)
{
    const int last = g->runs ? g->rank - 1 : g->rank - 2;
    const int64_t terms = g->empty ? 0 : wg_places(g, last);
    T largest = 0;
    int exponent = 0;
    for (int64_t r = 0; r < terms; r++) {
        const T a = x[wg_place(g, r, last)], size = a < 0 ? -a : a;
        if (size > largest || (F(wg_is_nan)(size) && !F(wg_is_nan)(largest))) largest = size;
    }
    if (!isfinite(largest) || !(largest > 0)) return 1;
    (void)frexp((double)largest, &exponent);
    if (exponent < F(wg_least_exponent)) exponent = F(wg_least_exponent);
    return (T)ldexp(1.0, -exponent);
}

/* The square root of the sum of squares; neither overflow nor underflow on the way. */
static void F(wg_norm_axes)(int rank, const int64_t *extent, unsigned mask, const T *x, T *y)
{
    wg_groups g;
    wg_join(&g, rank, extent, mask);
    const int64_t width = g.runs ? 1 : g.extent[g.rank - 1];
    const int64_t kept = wg_places(&g, g.rank - (g.runs ? 2 : 3));
    for (int64_t o = 0; o < kept; o++)
        for (int64_t i = 0; i < width; i++) {
            const T *from = x + wg_place(&g, o, g.rank - (g.runs ? 2 : 3)) + i;
            T squares = F(wg_squares)(&g, from, 1), scale = 1;
            if (!(squares <= F(wg_most) && squares >= F(wg_least_square))) {
                scale = F(wg_norm_scale)(&g, from);
                squares = F(wg_squares)(&g, from, scale);
            }
            y[o * width + i] = (T)sqrt((double)squares) / scale;
        }
}

/* The index of the first of the largest along the middle axis of x[outer, n, inner], NaN counting
 * as largest; 1 if that axis is empty. */
static int F(wg_argmax)(int64_t outer, int64_t n, int64_t inner, const T *x, int64_t *y)
{
    if (n == 0 && outer * inner > 0) return 1;
    for (int64_t o = 0; o < outer; o++, x += n * inner, y += inner)
        for (int64_t i = 0; i < inner; i++) {
            T best = x[i];
            y[i] = 0;
            for (int64_t k = 1; k < n; k++) {
                const T next = x[k * inner + i];
                if (!(next > best || (F(wg_is_nan)(next) && !F(wg_is_nan)(best)))) continue;
                best = next;
                y[i] = k;
            }
        }
    return 0;
}

/* ---- along one axis: x[outer, n, inner] ------------------------------------------------------ */

/* y_i = x_0 + ... + x_i, or x_i + ... + x_n-1 backwards. */
static void F(wg_cumsum)(int64_t outer, int64_t n, int64_t inner, int backwards, const T *x, T *y)
{
    for (int64_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (int64_t k = 0; k < inner; k++) {
            F(wg_wide) sum = 0;
            for (int64_t i = 0; i < n; i++) {
                const int64_t at = (backwards ? n - 1 - i : i) * inner + k;
                sum += (F(wg_wide))x[at];
                y[at] = (T)sum;
            }
        }
}

/* y_i = a_i y_i-1 + b_i, the first y_i = b_i; backwards: y_i = a_i y_i+1 + b_i from the end.
 * absolute: a product with a factor 0 is 0, whatever the other. */
static void F(wg_recur)(int64_t outer, int64_t n, int64_t inner, int backwards, int absolute,
                        const T *a, const T *b, T *y)
{
    for (int64_t o = 0; o < outer; o++, a += n * inner, b += n * inner, y += n * inner)
        for (int64_t i = 0; i < n; i++) {
            const int64_t at = (backwards ? n - 1 - i : i) * inner;
            const int64_t last = at + (backwards ? inner : -inner);
            for (int64_t k = 0; k < inner; k++) {
                const int alone = i == 0 || (absolute && (a[at + k] == 0 || y[last + k] == 0));
                y[at + k] = alone ? b[at + k] : (T)((U)a[at + k] * (U)y[last + k] + (U)b[at + k]);
            }
        }
}

/* Whether element p stands before element q: smaller first, NaN last, equals in their order. */
static inline int F(wg_before)(const T *x, int64_t stride, int64_t p, int64_t q)
{
    const T a = x[p * stride], b = x[q * stride];
    if (a < b || b < a) return a < b;
    if (F(wg_is_nan)(a) != F(wg_is_nan)(b)) return F(wg_is_nan)(b);
    return p < q;
}

/* Places `moved` in the heap order[0..n-1] from root downwards. */
static void F(wg_sift)(const T *x, int64_t stride, int64_t *order, int64_t root, int64_t n,
                       int64_t moved)
{
    for (;;) {
        int64_t child = 2 * root + 1;
        if (child >= n) break;
        if (child + 1 < n && F(wg_before)(x, stride, order[child * stride],
                                          order[(child + 1) * stride]))
            child++;
        if (!F(wg_before)(x, stride, moved, order[child * stride])) break;
        order[root * stride] = order[child * stride];
        root = child;
    }
    order[root * stride] = moved;
}

/* The indices in the order of the elements, by heapsort. */
static void F(wg_argsort)(int64_t outer, int64_t n, int64_t inner, const T *x, int64_t *y)
{
    for (int64_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (int64_t k = 0; k < inner; k++) {
            int64_t *order = y + k;
            for (int64_t i = 0; i < n; i++) order[i * inner] = i;
            for (int64_t root = n / 2; root-- > 0;) F(wg_sift)(x + k, inner, order, root, n, root);
            for (int64_t end = n; end-- > 1;) {
                const int64_t moved = order[end * inner];
                order[end * inner] = order[0];
                F(wg_sift)(x + k, inner, order, 0, end, moved);
            }
        }
}

/* ---- by indices ------------------------------------------------------------------------------ */

/* y[batch, before, m, after] = x[batch, before, index[batch, m], after], n elements to an axis. */
static void F(wg_take)(int64_t batch, int64_t before, int64_t n, int64_t after, int64_t m,
                       const int64_t *index64, const int32_t *index32, const T *x, T *y)
{
    for (int64_t b = 0; b < batch; b++)
        for (int64_t p = 0; p < before; p++, x += n * after)
            for (int64_t i = 0; i < m; i++, y += after) {
                const int64_t at = wg_index(index64, index32, b * m + i);
                for (int64_t k = 0; k < after; k++) y[k] = x[at * after + k];
            }
}

/* y[batch, before, index[batch, m], after] += x[batch, before, m, after]. */
static void F(wg_add_at)(int64_t batch, int64_t before, int64_t n, int64_t after, int64_t m,
                         const int64_t *index64, const int32_t *index32, const T *x, T *y)
{
    for (int64_t b = 0; b < batch; b++)
        for (int64_t p = 0; p < before; p++, y += n * after)
            for (int64_t i = 0; i < m; i++, x += after) {
                T *to = y + wg_index(index64, index32, b * m + i) * after;
                for (int64_t k = 0; k < after; k++) to[k] = (T)((U)to[k] + (U)x[k]);
            }
}

/* y = 0, then the same. */
static void F(wg_scatter_add)(int64_t batch, int64_t before, int64_t n, int64_t after, int64_t m,
                              const int64_t *index64, const int32_t *index32, const T *x, T *y)
{
    for (int64_t i = 0; i < batch * before * n * after; i++) y[i] = 0;
    F(wg_add_at)(batch, before, n, after, m, index64, index32, x, y);
}

/* y = a, then the same with u; a may be y itself. */
static void F(wg_index_add)(int64_t batch, int64_t before, int64_t n, int64_t after, int64_t m,
                            const int64_t *index64, const int32_t *index32, const T *a,
                            const T *u, T *y)
{
    for (int64_t i = 0; a != y && i < batch * before * n * after; i++) y[i] = a[i];
    F(wg_add_at)(batch, before, n, after, m, index64, index32, u, y);
}

/* y = a, then y[batch, before, index[batch], after] = u[batch, before, after]; m is 1; a may be y
 * itself. */
static void F(wg_index_set)(int64_t batch, int64_t before, int64_t n, int64_t after, int64_t m,
                            const int64_t *index64, const int32_t *index32, const T *a,
                            const T *u, T *y)
{
    for (int64_t i = 0; a != y && i < batch * before * n * after; i++) y[i] = a[i];
    for (int64_t b = 0; b < batch * m; b++)
        for (int64_t p = 0; p < before; p++, y += n * after, u += after) {
            const int64_t at = wg_index(index64, index32, b);
            for (int64_t k = 0; k < after; k++) y[at * after + k] = u[k];
        }
}

/* y = 0, then y[start + i * step] = x[i] along every axis; from the last to the first where step is
 * negative. */
static void F(wg_pad)(int rank, const int64_t *from, const int64_t *to, const int64_t *start,
                      const int64_t *step, const T *x, T *y)
{
    int64_t count = 1, all = 1;
    for (int k = 0; k < rank; k++) count *= from[k], all *= to[k];
    for (int64_t i = 0; i < all; i++) y[i] = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, at = 0, stride = 1;
        for (int k = rank; k-- > 0; stride *= to[k]) {
            const int64_t place = rest % from[k];
            at += stride * (start[k] + (step[k] < 0 ? (place - from[k] + 1) : place) * step[k]);
            rest /= from[k];
        }
        y[at] = x[i];
    }
}

/* ---- products -------------------------------------------------------------------------------- */

/* y[batch, m, n] = the sum over k of a[batch, m, k] * b[batch, k, n], whose rows and columns have
 * these strides. */
static void F(wg_dot)(int64_t batch, int64_t m, int64_t n, int64_t depth, const T *a, int64_t a_row,
                      int64_t a_column, const T *b, int64_t b_row, int64_t b_column, T *y)
{
    for (int64_t s = 0; s < batch; s++, a += m * depth, b += depth * n, y += m * n)
        for (int64_t i = 0; i < m; i++) {
            const T *left = a + i * a_row;
            T *to = y + i * n;
            if (b_column == 1 && n > 1) {
                for (int64_t j = 0; j < n; j++) to[j] = 0;
                for (int64_t k = 0; k < depth; k++) {
                    const U factor = (U)left[k * a_column];
                    const T *right = b + k * b_row;
                    for (int64_t j = 0; j < n; j++) to[j] = (T)((U)to[j] + factor * (U)right[j]);
                }
                continue;
            }
            for (int64_t j = 0; j < n; j++) {
                const T *right = b + j * b_column;
                U sum[4] = {0, 0, 0, 0};
                int64_t k = 0;
                for (; k + 4 <= depth; k += 4)
                    for (int l = 0; l < 4; l++)
                        sum[l] += (U)left[(k + l) * a_column] * (U)right[(k + l) * b_row];
                for (; k < depth; k++) sum[0] += (U)left[k * a_column] * (U)right[k * b_row];
                to[j] = (T)((sum[0] + sum[1]) + (sum[2] + sum[3]));
            }
        }
}

/* The same, where 0 times anything is 0. */
static void F(wg_dot_absolute)(int64_t batch, int64_t m, int64_t n, int64_t depth, const T *a,
                               int64_t a_row, int64_t a_column, const T *b, int64_t b_row,
                               int64_t b_column, T *y)
{
    for (int64_t s = 0; s < batch; s++, a += m * depth, b += depth * n, y += m * n)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                U sum = 0;
                for (int64_t k = 0; k < depth; k++) {
                    const T left = a[i * a_row + k * a_column], right = b[k * b_row + j * b_column];
                    if (left != 0 && right != 0) sum += (U)left * (U)right;
                }
                y[i * n + j] = (T)sum;
            }
}

/* The convolution of an image x[n,g,c,h,w] and a kernel k[g,o,c,i,j] to y[n,g,o,p,q], or what one
 * of the three is of the other two: the sum of all y[n,g,o,p,q] k[g,o,c,i,j]
 * x[n,g,c, p*stride + i*dilation - low, likewise of q], derived by it. */
static void F(wg_conv)(const wg_conv_shape *s, int result, int absolute, T *x, T *k, T *y)
{
    const int64_t channels = s->channels, own = s->own;
    for (int64_t all = 0; all < s->images * s->groups * own * channels; all++) {
        const int64_t c = all % channels, o = all / channels % own;
        const int64_t g = all / (channels * own) % s->groups;
        const int64_t n = all / (channels * own * s->groups);
        T *image = x + ((n * s->groups + g) * channels + c) * s->x[0] * s->x[1];
        T *kernel = k + ((g * own + o) * channels + c) * s->k[0] * s->k[1];
        T *output = y + ((n * s->groups + g) * own + o) * s->y[0] * s->y[1];
        for (int64_t i = 0; i < s->k[0]; i++)
            for (int64_t j = 0; j < s->k[1]; j++, kernel++)
                for (int64_t p = 0; p < s->y[0]; p++) {
                    const int64_t h = p * s->stride[0] + i * s->dilation[0] - s->low[0];
                    const int64_t first = j * s->dilation[1] - s->low[1];
                    if (h < 0 || h >= s->x[0]) continue;
                    for (int64_t q = 0; q < s->y[1]; q++) {
                        const int64_t w = q * s->stride[1] + first;
                        T *from = image + h * s->x[1] + w, *to = output + p * s->y[1] + q;
                        if (w < 0 || w >= s->x[1]) continue;
                        if (result == 0 && !(absolute && (*to == 0 || *kernel == 0)))
                            *from = (T)((U)*from + (U)*to * (U)*kernel);
                        if (result == 1 && !(absolute && (*to == 0 || *from == 0)))
                            *kernel = (T)((U)*kernel + (U)*to * (U)*from);
                        if (result == 2 && !(absolute && (*from == 0 || *kernel == 0)))
                            *to = (T)((U)*to + (U)*from * (U)*kernel);
                    }
                }
    }
}
