/* Scattering for one element type; included once for each, with T its type (unsigned for integers,
 * so that sums wrap around) and F(name) a name for it. */

/* y[p, n, q] += update[p, m, q] at index[m]; indices are known to be good. */
static void F(scatter)(int64_t before, int64_t n, int64_t after, int64_t m, const int64_t *index64,
                       const int32_t *index32, const T *update, T *y) {
    for (int64_t p = 0; p < before; p++, y += n * after)
        for (int64_t i = 0; i < m; i++, update += after) {
            T *to = y + (index64 ? index64[i] : index32[i]) * after;
            for (int64_t k = 0; k < after; k++) to[k] += update[k];
        }
}
