/* Scattering for one element type; included once for each, with T its type (unsigned for integers,
 * so that sums wrap around) and F(name) a name for it. */

/* y[b, p, n, q] += update[b, p, m, q] at index[b, m]; indices are known to be good. */
static void F(scatter)(const struct layout *l, const T *update, T *y) {
    int64_t n = l->n, after = l->after, m = l->m;
    for (int64_t b = 0; b < l->batch; b++)
        for (int64_t p = 0; p < l->before; p++, y += n * after)
            for (int64_t i = 0; i < m; i++, update += after) {
                T *to = y + index_at(l, b * m + i) * after;
                for (int64_t k = 0; k < after; k++) to[k] += update[k];
            }
}

/* The same for one element at each index, y[b, n] += update[b] at index[b]: where each step is so
 * short, more loops than one would take most of the time. */
static void F(scatter_elements)(const struct layout *l, const T *update, T *y) {
    int64_t n = l->n;
    if (l->index64)
        for (int64_t b = 0; b < l->batch; b++, y += n) y[l->index64[b]] += update[b];
    else
        for (int64_t b = 0; b < l->batch; b++, y += n) y[l->index32[b]] += update[b];
}

static void F(add_at)(const struct layout *l, const void *update, void *y) {
    if (l->before == 1 && l->after == 1 && l->m == 1) F(scatter_elements)(l, update, y);
    else F(scatter)(l, update, y);
}
