/* The three products of a convolution for one element type; included once for each, with T its type
 * (unsigned for integers, so that sums wrap around), F(name) a name for it, and ADD_PRODUCT the
 * product of matrices, with the parameters of add_product below.
 *
 * For one image and one group, with D = c*kh*kw and P the pixels of the output, the windows of the
 * image are a matrix columns[D, P] (Chellapilla, Puri and Simard, High performance convolutional
 * neural networks for document processing, 2006). All of it is never there: tiles of it go through
 * a local array, and every tile is one product,
 *
 *   output += kernel columns     kernel += output columns^T     columns = kernel^T output */

/* c[m, n] += op(a) op(b) of depth k in plain C: rows of a, b and c lie lda, ldb, ldc apart. */
static void F(add_product)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const T *a,
                           int64_t lda, const T *b, int64_t ldb, T *restrict c, int64_t ldc) {
    int64_t a_row = ta ? 1 : lda, a_col = ta ? lda : 1;
    for (int64_t i = 0; i < m; i++, c += ldc) {
        if (tb) {
            for (int64_t j = 0; j < n; j++) {
                T sum = 0;
                for (int64_t l = 0; l < k; l++) sum += a[i * a_row + l * a_col] * b[j * ldb + l];
                c[j] += sum;
            }
            continue;
        }
        for (int64_t l = 0; l < k; l++) {
            T factor = a[i * a_row + l * a_col];
            for (int64_t j = 0; j < n; j++) c[j] += factor * b[l * ldb + j];
        }
    }
}

/* The same with absolute-zero products: a term with a factor 0 is left out. */
static void F(add_absolute)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const T *a,
                            int64_t lda, const T *b, int64_t ldb, T *restrict c, int64_t ldc) {
    int64_t a_row = ta ? 1 : lda, a_col = ta ? lda : 1, b_row = tb ? 1 : ldb, b_col = tb ? ldb : 1;
    for (int64_t i = 0; i < m; i++, c += ldc)
        for (int64_t l = 0; l < k; l++) {
            T factor = a[i * a_row + l * a_col];
            for (int64_t j = 0; j < n && factor != 0; j++) {
                T other = b[l * b_row + j * b_col];
                if (other != 0) c[j] += factor * other;
            }
        }
}

/* Whether all are finite: infinities and NaN less themselves are not 0. */
static bool F(is_finite)(const T *x, int64_t count) {
    int other = 0;
    for (int64_t i = 0; i < count; i++) other |= x[i] - x[i] != 0;
    return !other;
}

/* A row of the columns between two pixels: taken from the image, zero beside it; or added to it. */
static void F(window_row)(const struct conv *v, int64_t depth, struct run pixels, T *image, T *row,
                          bool add) {
    int64_t tap[2] = {depth / v->k[1] % v->k[0], depth % v->k[1]};
    int64_t width = v->y[1], stride = v->stride[1];
    int64_t first = tap[1] * v->dilation[1] - v->low[1]; /* the place in the image of output 0 */
    struct run inside = places_inside(first, stride, v->x[1], width);
    image += depth / (v->k[0] * v->k[1]) * v->x[0] * v->x[1];
    int64_t i = pixels.from / width, from = pixels.from % width, left = pixels.to - pixels.from;
    for (int64_t to; left > 0; left -= to - from, row += to - from, from = 0, i++) {
        to = left < width - from ? from + left : width;
        int64_t y = i * v->stride[0] + tap[0] * v->dilation[0] - v->low[0], j = from;
        bool outside = y < 0 || y >= v->x[0];
        int64_t begin = outside || inside.from > to ? to : inside.from < from ? from : inside.from;
        int64_t end = outside || inside.to > to ? to : inside.to < begin ? begin : inside.to;
        T *line = image + (outside ? 0 : y * v->x[1]);
        if (add) {
            for (j = begin; j < end; j++) line[j * stride + first] += row[j - from];
        } else {
            for (; j < begin; j++) row[j - from] = 0;
            if (stride == 1)
                for (; j < end; j++) row[j - from] = line[j + first];
            else
                for (; j < end; j++) row[j - from] = line[j * stride + first];
            for (; j < to; j++) row[j - from] = 0;
        }
    }
}

/* One image and one group; what is the result is added to. */
static void F(group)(const struct conv *v, T *image, T *kernel, T *output,
                     void (*add_product)(bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                                         const T *a, int64_t lda, const T *b, int64_t ldb,
                                         T *restrict c, int64_t ldc)) {
    T tile[TILE_BYTES / sizeof(T)];
    int64_t room = TILE_BYTES / (int64_t)sizeof(T);
    int64_t deep = v->depth < room / LEAST_PIXELS ? v->depth : room / LEAST_PIXELS;
    int64_t wide = v->pixels < room / deep ? v->pixels : room / deep;
    for (int64_t p = 0; p < v->pixels; p += wide)
        for (int64_t d = 0; d < v->depth; d += deep) {
            int64_t n = v->pixels - p < wide ? v->pixels - p : wide;
            int64_t k = v->depth - d < deep ? v->depth - d : deep;
            bool add = v->result == IMAGE;
            if (add) {
                memset(tile, 0, (size_t)(k * n) * sizeof *tile);
                add_product(true, false, k, n, v->own, kernel + d, v->depth, output + p, v->pixels,
                            tile, n);
            }
            for (int64_t i = 0; i < k; i++)
                F(window_row)(v, d + i, (struct run){p, p + n}, image, tile + i * n, add);
            if (v->result == OUTPUT)
                add_product(false, false, v->own, n, k, kernel + d, v->depth, tile, n, output + p,
                            v->pixels);
            if (v->result == KERNEL)
                add_product(false, true, v->own, k, n, output + p, v->pixels, tile, n, kernel + d,
                            v->depth);
        }
}

static void F(convolve)(const struct conv *v, void *const *tensor) {
    int64_t image = v->channels * v->x[0] * v->x[1], kernel = v->own * v->depth;
    int64_t output = v->own * v->pixels;
    for (int64_t n = 0; n < v->images; n++)
        for (int64_t g = 0; g < v->groups; g++) {
            int64_t at[3];
            conv_begin(v, n, g, at);
            T *x = (T *)tensor[IMAGE] + at[IMAGE], *k = (T *)tensor[KERNEL] + at[KERNEL];
            T *y = (T *)tensor[OUTPUT] + at[OUTPUT];
            bool plain = !v->absolute || ((v->result == IMAGE || F(is_finite)(x, image)) &&
                                          (v->result == KERNEL || F(is_finite)(k, kernel)) &&
                                          (v->result == OUTPUT || F(is_finite)(y, output)));
            F(group)(v, x, k, y, plain ? ADD_PRODUCT : F(add_absolute));
        }
}
