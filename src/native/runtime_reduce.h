/* The order in which a row is summed, and its largest element found: block by block as
 * op/kernel/reduce.h does it, so that both give the same bits. T: the type; F(name): its name. */

typedef struct {
    T level[6], first;
    unsigned count[6], used, blocks;
} F(wg_sum);

static inline T F(wg_sum_block)(const T *x, int64_t n) {
    T few[4] = {0};
    int64_t i = 0;
    if (n >= 16) {
        T lane[16] = {0};
        for (; i + 16 <= n; i += 16)
            for (int k = 0; k < 16; k++) lane[k] += x[i + k];
        for (int k = 0; k < 16; k++) few[k % 4] += lane[k];
    }
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++) few[k] += x[i + k];
    for (int k = 0; i < n; i++, k++) few[k] += x[i];
    return (few[0] + few[1]) + (few[2] + few[3]);
}

static inline void F(wg_sum_begin)(F(wg_sum) *s) { memset(s, 0, sizeof *s); }

/* Adds to a level; 64 terms of one are a term of the next. */
static inline void F(wg_sum_carry)(F(wg_sum) *s, unsigned k, T sum) {
    s->level[k] += sum;
    for (; ++s->count[k] == 64 && k + 1 < 6; k++) {
        if (k + 1 == s->used) s->used++;
        s->level[k + 1] += s->level[k];
        s->level[k] = 0;
        s->count[k] = 0;
    }
}

static inline void F(wg_sum_block_end)(F(wg_sum) *s, T sum) {
    if (s->blocks++ == 0) s->first = sum;
    if (s->used == 0) s->used = 1;
    F(wg_sum_carry)(s, 0, sum);
}

static inline void F(wg_sum_add)(F(wg_sum) *s, const T *x, int64_t n) {
    F(wg_sum_block_end)(s, F(wg_sum_block)(x, n));
}

/* The same, of a block whose groups of sixteen terms are already added up in lanes; x: the rest.
 * Where a program has many sums, each is not worth a copy of this, and WG_OF_SUM says so. */
static WG_OF_SUM void F(wg_sum_add_lanes)(F(wg_sum) *s, const T lane[16], const T *x, int64_t n) {
    T few[4] = {0};
    int64_t i = 0;
    for (int k = 0; k < 16; k++) few[k % 4] += lane[k];
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++) few[k] += x[i + k];
    for (int k = 0; i < n; i++, k++) few[k] += x[i];
    F(wg_sum_block_end)(s, (few[0] + few[1]) + (few[2] + few[3]));
}

/* The blocks of `next` behind those of s, which are a whole number of 64: the same bits as by
 * wg_sum_add one after the other. next: at most 64 blocks. */
static inline void F(wg_sum_join)(F(wg_sum) *s, const F(wg_sum) *next) {
    if (s->blocks == 0) {
        *s = *next;
        return;
    }
    s->blocks += next->blocks;
    s->level[0] = next->level[0];
    s->count[0] = next->count[0];
    if (next->used > 1) F(wg_sum_carry)(s, 1, next->level[1]);
}

static WG_OF_SUM T F(wg_sum_total)(const F(wg_sum) *s) {
    T total = 0;
    if (s->blocks == 1) return s->first;
    for (unsigned k = 0; k < s->used; k++) total += s->level[k];
    return total;
}

typedef struct {
    T number[64], nan[64];
    int width;
} F(wg_max);

static inline void F(wg_max_begin)(F(wg_max) *s, int64_t n) {
    s->width = n < 64 ? (int)n : 64;
    for (int k = 0; k < s->width; k++) {
        s->number[k] = -(T)INFINITY;
        s->nan[k] = 0;
    }
}

static inline void F(wg_max_add)(F(wg_max) *s, const T *x, int64_t n) {
    for (int64_t i = 0; i < n; i += 64) {
        int m = n - i < 64 ? (int)(n - i) : 64;
        for (int k = 0; k < m; k++)
            s->number[k] = x[i + k] > s->number[k] ? x[i + k] : s->number[k];
        for (int k = 0; k < m; k++) s->nan[k] = x[i + k] == x[i + k] ? s->nan[k] : x[i + k];
    }
}

static inline void F(wg_max_join)(F(wg_max) *s, const F(wg_max) *next) {
    for (int k = 0; k < s->width; k++) {
        s->number[k] = next->number[k] > s->number[k] ? next->number[k] : s->number[k];
        s->nan[k] = next->nan[k] == next->nan[k] ? s->nan[k] : next->nan[k];
    }
}

static inline T F(wg_max_total)(const F(wg_max) *s) {
    T largest = -(T)INFINITY, nan = 0;
    for (int k = 0; k < s->width; k++) {
        largest = s->number[k] > largest ? s->number[k] : largest;
        nan += s->nan[k];
    }
    return nan != nan ? nan : largest;
}

/* The largest number, NaN being none, as a shift: 0 where it is not finite. */
typedef struct {
    T number[64];
    int width;
} F(wg_peak);

static inline T F(wg_shift)(T largest) { return isfinite(largest) ? largest : 0; }

static inline void F(wg_peak_begin)(F(wg_peak) *s, int64_t n) {
    s->width = n < 64 ? (int)n : 64;
    for (int k = 0; k < s->width; k++) s->number[k] = -(T)INFINITY;
}

static inline void F(wg_peak_add)(F(wg_peak) *s, const T *x, int64_t n) {
    for (int64_t i = 0; i < n; i += 64) {
        int m = n - i < 64 ? (int)(n - i) : 64;
        for (int k = 0; k < m; k++)
            s->number[k] = x[i + k] > s->number[k] ? x[i + k] : s->number[k];
    }
}

static inline void F(wg_peak_join)(F(wg_peak) *s, const F(wg_peak) *next) {
    for (int k = 0; k < s->width; k++)
        s->number[k] = next->number[k] > s->number[k] ? next->number[k] : s->number[k];
}

static inline T F(wg_peak_short)(const T *x, int64_t n) {
    T largest = -(T)INFINITY;
    for (int64_t i = 0; i < n; i++) largest = x[i] > largest ? x[i] : largest;
    return F(wg_shift)(largest);
}

static inline T F(wg_peak_total)(const F(wg_peak) *s) {
    return F(wg_peak_short)(s->number, s->width);
}

/* Of a row of few elements, at most 64: the same order, in which they are one block. */
static inline T F(wg_sum_short)(const T *x, int64_t n) { return F(wg_sum_block)(x, n); }

static inline T F(wg_max_short)(const T *x, int64_t n) {
    T largest = -(T)INFINITY, nan = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = x[i] > largest ? x[i] : largest;
        nan += x[i] == x[i] ? 0 : x[i];
    }
    return nan != nan ? nan : largest;
}

/* Columns: numbers of WG_COLUMNS of them at most, met row by row. 64 rows are added up in turn, the
 * sums of 64 such again, and so on. */
typedef struct {
    T level[6][WG_COLUMNS];
    unsigned count[6], used;
} F(wg_column_sum);

static inline void F(wg_column_sum_begin)(F(wg_column_sum) *s, int64_t width) {
    s->used = 1;
    s->count[0] = 0;
    for (int64_t k = 0; k < width; k++) s->level[0][k] = 0;
}

static inline void F(wg_column_sum_add)(F(wg_column_sum) *s, int64_t k, T x) {
    s->level[0][k] += x;
}

static inline void F(wg_column_sum_row)(F(wg_column_sum) *s, int64_t width) {
    for (unsigned n = 0; ++s->count[n] == 64 && n + 1 < 6; n++) {
        if (n + 1 == s->used) {
            s->count[s->used++] = 0;
            for (int64_t k = 0; k < width; k++) s->level[n + 1][k] = 0;
        }
        for (int64_t k = 0; k < width; k++) s->level[n + 1][k] += s->level[n][k];
        for (int64_t k = 0; k < width; k++) s->level[n][k] = 0;
        s->count[n] = 0;
    }
}

/* Behind the last row: the levels become one. */
static inline void F(wg_column_sum_end)(F(wg_column_sum) *s, int64_t width) {
    for (unsigned n = 1; n < s->used; n++)
        for (int64_t k = 0; k < width; k++) s->level[0][k] += s->level[n][k];
}

static inline T F(wg_column_sum_total)(const F(wg_column_sum) *s, int64_t k) {
    return s->level[0][k];
}

/* As many rows as one level adds up, of few columns, one behind the other in memory. */
static inline void F(wg_column_sum_rows)(F(wg_column_sum) *s, const T *x, int64_t rows,
                                         int64_t width) {
    for (int64_t k = 0; k < width; k++) {
        T sum = 0;
        for (int64_t r = 0; r < rows; r++) sum += x[width * r + k];
        s->level[0][k] = sum;
    }
    s->count[0] = (unsigned)rows - 1;
    F(wg_column_sum_row)(s, width);
}

typedef struct {
    T number[WG_COLUMNS], nan[WG_COLUMNS];
} F(wg_column_max);

static inline void F(wg_column_max_begin)(F(wg_column_max) *s, int64_t width) {
    for (int64_t k = 0; k < width; k++) s->number[k] = -(T)INFINITY;
    for (int64_t k = 0; k < width; k++) s->nan[k] = 0;
}

static inline void F(wg_column_max_add)(F(wg_column_max) *s, int64_t k, T x) {
    s->number[k] = x > s->number[k] ? x : s->number[k];
    s->nan[k] = x == x ? s->nan[k] : x;
}

static inline void F(wg_column_max_row)(F(wg_column_max) *s, int64_t width) {
    (void)s, (void)width;
}

static inline void F(wg_column_max_end)(F(wg_column_max) *s, int64_t width) {
    (void)s, (void)width;
}

static inline void F(wg_column_max_rows)(F(wg_column_max) *s, const T *x, int64_t rows,
                                         int64_t width) {
    for (int64_t k = 0; k < width; k++) {
        T number = s->number[k], nan = s->nan[k];
        for (int64_t r = 0; r < rows; r++) {
            number = x[width * r + k] > number ? x[width * r + k] : number;
            nan = x[width * r + k] == x[width * r + k] ? nan : x[width * r + k];
        }
        s->number[k] = number;
        s->nan[k] = nan;
    }
}

static inline T F(wg_column_max_total)(const F(wg_column_max) *s, int64_t k) {
    return s->nan[k] != s->nan[k] ? s->nan[k] : s->number[k];
}

static inline T F(wg_column_max_peak)(const F(wg_column_max) *s, int64_t k) {
    return F(wg_shift)(s->number[k]);
}

/* The same over memory. */
static inline T F(wg_sum_run)(const T *x, int64_t n) {
    F(wg_sum) s;
    F(wg_sum_begin)(&s);
    for (int64_t i = 0; i < n; i += 512) F(wg_sum_add)(&s, x + i, n - i < 512 ? n - i : 512);
    return F(wg_sum_total)(&s);
}

static inline T F(wg_max_run)(const T *x, int64_t n) {
    F(wg_max) s;
    F(wg_max_begin)(&s, n);
    F(wg_max_add)(&s, x, n);
    return F(wg_max_total)(&s);
}

static inline T F(wg_peak_run)(const T *x, int64_t n) {
    F(wg_peak) s;
    F(wg_peak_begin)(&s, n);
    F(wg_peak_add)(&s, x, n);
    return F(wg_peak_total)(&s);
}
