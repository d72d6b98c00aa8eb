/* Running sums and recurrences along the middle axis of x[outer, n, inner], and the order of its
 * elements, for one element type; included once for each, with T the type, U its type without a
 * sign where it is an integer, A the type that sums are kept in, and F(name) a name for it. Lines
 * are walked row by row, so that the inner loop is dense. */

/* Dense lines, LINES of them at once, as each addition waits for the one before it. */
static inline void F(cumsum_lines)(int64_t lines, int64_t n, bool reverse, const T *x, T *y) {
    A sum[LINES] = {0};
    for (int64_t i = 0; i < n; i++) {
        int64_t at = reverse ? n - 1 - i : i;
        for (int64_t k = 0; k < lines; k++) {
            sum[k] += (A)x[k * n + at];
            y[k * n + at] = (T)sum[k];
        }
    }
}

/* y_i = x_0 + ... + x_i, or x_i + ... + x_n-1 if reversed; sum has room for INNER elements. */
static void F(cumsum)(int64_t outer, int64_t n, int64_t inner, bool reverse, const T *x, T *y) {
    for (; inner == 1 && outer >= LINES; outer -= LINES, x += LINES * n, y += LINES * n)
        F(cumsum_lines)(LINES, n, reverse, x, y);
    for (int64_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (int64_t from = 0; from < inner; from += INNER) {
            int64_t width = inner - from < INNER ? inner - from : INNER;
            A sum[INNER];
            memset(sum, 0, (size_t)width * sizeof *sum);
            for (int64_t i = 0; i < n; i++) {
                int64_t at = (reverse ? n - 1 - i : i) * inner + from;
                for (int64_t k = 0; k < width; k++) {
                    sum[k] += (A)x[at + k];
                    y[at + k] = (T)sum[k];
                }
            }
        }
}

/* y_i = a_i y_i-1 + b_i, the first y_i = b_i; reversed: y_i = a_i y_i+1 + b_i from the end.
 * absolute: a product with a factor 0 is 0, whatever the other. */
static void F(recur)(int64_t outer, int64_t n, int64_t inner, bool reverse, bool absolute,
                     const T *a, const T *b, T *y) {
    for (int64_t o = 0; o < outer; o++, a += n * inner, b += n * inner, y += n * inner)
        for (int64_t i = 0; i < n; i++) {
            int64_t at = (reverse ? n - 1 - i : i) * inner, last = at + (reverse ? inner : -inner);
            for (int64_t k = 0; k < inner; k++) {
                bool alone = i == 0 || (absolute && (a[at + k] == 0 || y[last + k] == 0));
                y[at + k] = alone ? b[at + k] : (T)((U)a[at + k] * (U)y[last + k] + (U)b[at + k]);
            }
        }
}

/* Whether element p of the line stands before element q: smaller numbers first, NaN last, equals in
 * their order. */
static inline bool F(before)(const T *x, int64_t stride, int64_t p, int64_t q) {
    const T a = x[p * stride], b = x[q * stride];
    if (a < b) return true;
    if (b < a) return false;
    bool a_is_nan = isnan((double)a), b_is_nan = isnan((double)b);
    return a_is_nan == b_is_nan ? p < q : b_is_nan;
}

/* Places `moved` in the heap order[0..n-1] from root downwards. */
static void F(sift)(const T *x, int64_t stride, int64_t *order, int64_t step, int64_t root,
                    int64_t n, int64_t moved) {
    for (int64_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && F(before)(x, stride, order[child * step], order[(child + 1) * step]))
            child++;
        if (!F(before)(x, stride, moved, order[child * step])) break;
        order[root * step] = order[child * step];
    }
    order[root * step] = moved;
}

/* Heapsort of indices: in place, never quadratic; that the indices decide between equals makes it
 * stable. */
static void F(argsort)(int64_t outer, int64_t n, int64_t inner, const T *x, int64_t *y) {
    for (int64_t o = 0; o < outer; o++, x += n * inner, y += n * inner)
        for (int64_t k = 0; k < inner; k++) {
            const T *line = x + k;
            int64_t *order = y + k;
            for (int64_t i = 0; i < n; i++) order[i * inner] = i;
            for (int64_t root = n / 2; root-- > 0;)
                F(sift)(line, inner, order, inner, root, n, root);
            for (int64_t end = n; end-- > 1;) {
                int64_t moved = order[end * inner];
                order[end * inner] = order[0];
                F(sift)(line, inner, order, inner, 0, end, moved);
            }
        }
}
