/* Reductions for one element type; included once for each, with T its type, U the type it is summed
 * in (unsigned for integers, so that sums wrap around), F(name) a name for it, and FLOAT 0 or 1.
 *
 * A reduction's axes are first joined into groups (struct reduction). If the innermost group is
 * reduced, its runs of contiguous elements become numbers; if it is kept, rows of contiguous
 * elements are combined element by element, a chunk of columns at a time, so that memory is read in
 * order.
 *
 * Sums are taken in a cascade: RADIX terms make a sum of the next level, and so on. The rounding
 * error therefore grows with the logarithm of the count (Higham, Accuracy and Stability of
 * Numerical Algorithms, section 4.2), and the order of additions depends on nothing but the
 * shape. */

/* ---- sums ------------------------------------------------------------------------------------ */

/* Sums of `width` columns. level[k] holds count[k] < RADIX sums of level k - 1. */
struct F(cascade) {
    size_t used;
    unsigned count[LEVELS];
    U level[LEVELS][CHUNK];
};

/* Opens level 0 for the next term to be added in place. */
static inline U *F(cascade_bottom)(struct F(cascade) * c, size_t width) {
    if (c->used == 0) {
        c->used = 1;
        c->count[0] = 0;
        memset(c->level[0], 0, width * sizeof(U));
    }
    return c->level[0];
}

/* So many terms were added to level 0: counts them, and carries full levels upwards. */
static inline void F(cascade_carry)(struct F(cascade) * c, size_t width, size_t terms) {
    c->count[0] += (unsigned)terms - 1;
    for (size_t k = 0; ++c->count[k] == RADIX && k + 1 < LEVELS; k++) {
        if (k + 1 == c->used) {
            c->count[c->used++] = 0;
            memset(c->level[k + 1], 0, width * sizeof(U));
        }
        for (size_t i = 0; i < width; i++) c->level[k + 1][i] += c->level[k][i];
        memset(c->level[k], 0, width * sizeof(U));
        c->count[k] = 0;
    }
}

static inline void F(cascade_total)(const struct F(cascade) * c, size_t width, U *total) {
    memset(total, 0, width * sizeof(U));
    for (size_t k = 0; k < c->used; k++)
        for (size_t i = 0; i < width; i++) total[i] += c->level[k][i];
}

/* The sum of n <= BLOCK contiguous elements, in LANES partial sums that fill vector registers; of a
 * few in four, so that additions do not wait for each other. */
static inline U F(sum_block)(const U *x, size_t n) {
    U few[4] = {0};
    size_t i = 0;
    if (n >= LANES) {
        U lane[LANES] = {0};
        for (; i + LANES <= n; i += LANES)
            for (size_t k = 0; k < LANES; k++) lane[k] += x[i + k];
        for (size_t k = 0; k < LANES; k++) few[k % 4] += lane[k];
    }
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; k++) few[k] += x[i + k];
    for (size_t k = 0; i < n; i++, k++) few[k] += x[i];
    return (few[0] + few[1]) + (few[2] + few[3]);
}

/* The terms of a sum for elements x: themselves, their squares over a scale, exponentials. Constant
 * `term` makes each caller's loop a plain one. */
static inline void F(terms)(enum term term, size_t n, const T *x, const T *by, size_t by_step,
                            U *out) {
#if FLOAT
    if (term == SQUARES)
        for (size_t i = 0; i < n; i++) out[i] = (x[i] * by[i * by_step]) * (x[i] * by[i * by_step]);
    else if (term == EXPONENTIALS)
        for (size_t i = 0; i < n; i++) out[i] = F(exp)(x[i] - by[i * by_step]);
    else
#endif
        for (size_t i = 0; i < n; i++) out[i] = (U)x[i];
    (void)term, (void)by, (void)by_step;
}

static inline U F(sum_terms)(enum term term, size_t n, const T *x, T by) {
    U block[BLOCK];
    if (term == PLAIN) return F(sum_block)((const U *)x, n);
    F(terms)(term, n, x, &by, 0, block);
    return F(sum_block)(block, n);
}

/* The sum over all runs, n elements each. */
static inline U F(sum_runs)(const struct reduction *r, enum term term, const T *x, T by) {
    struct F(cascade) c;
    struct strided_position at = {0};
    size_t n = (size_t)r->width;
    U total;
    if (r->reduces_nothing) return 0;
    if (r->reduced_rank == 0 && n <= BLOCK) return F(sum_terms)(term, n, x, by);
    c.used = 0;
    do {
        for (size_t i = 0; i < n; i += BLOCK) {
            size_t size = n - i < BLOCK ? n - i : BLOCK;
            F(cascade_bottom)(&c, 1)[0] += F(sum_terms)(term, size, x + at.in + i, by);
            F(cascade_carry)(&c, 1, 1);
        }
    } while (strided_next(r->reduced_rank, r->reduced, &at));
    F(cascade_total)(&c, 1, &total);
    return total;
}

/* Adds rows of so few terms that their sums stay in registers; constant `width`. */
static inline void F(add_tiny)(size_t rows, int64_t stride, size_t width, const U *x, U *sum) {
    U in[TINY] = {0};
    for (size_t i = 0; i < width; i++) in[i] = sum[i];
    for (; rows > 0; rows--, x += stride)
        for (size_t i = 0; i < width; i++) in[i] += x[i];
    for (size_t i = 0; i < width; i++) sum[i] = in[i];
}

/* A function of its own, so that the loop over longer rows stays small. */
static __attribute__((noinline)) void F(add_tiny_rows)(size_t rows, int64_t stride, size_t width,
                                                       const U *x, U *sum) {
    switch (width) {
    case 1: F(add_tiny)(rows, stride, 1, x, sum); break;
    case 2: F(add_tiny)(rows, stride, 2, x, sum); break;
    case 3: F(add_tiny)(rows, stride, 3, x, sum); break;
    default: F(add_tiny)(rows, stride, TINY, x, sum); break;
    }
}

/* Adds four rows of terms in turn, or fewer one by one. Of long rows the next four are asked for
 * meanwhile: their pieces are too short for the processor to guess where memory is read next. */
static inline void F(add_rows)(size_t rows, int64_t stride, size_t width, const U *x, U *sum) {
    enum { LINE = 64 / sizeof(U), LONG_ROW = 4096 / sizeof(U) };
    if (rows == 4) {
        const U *a = x, *b = a + stride, *c = b + stride, *d = c + stride;
        int64_t next = 4 * stride * (int64_t)sizeof(U);
        size_t i = 0;
        for (; stride >= LONG_ROW && i + LINE <= width; i += LINE) {
            strided_prefetch((const char *)(a + i), next, false);
            strided_prefetch((const char *)(b + i), next, false);
            strided_prefetch((const char *)(c + i), next, false);
            strided_prefetch((const char *)(d + i), next, false);
            for (size_t k = i; k < i + LINE; k++) sum[k] = (((sum[k] + a[k]) + b[k]) + c[k]) + d[k];
        }
        for (; i < width; i++) sum[i] = (((sum[i] + a[i]) + b[i]) + c[i]) + d[i];
        return;
    }
    for (; rows > 0; rows--, x += stride)
        for (size_t i = 0; i < width; i++) sum[i] += x[i];
}

/* The same for `width` columns, with one `by` a column. The order of additions is that of a sum
 * over the terms themselves, so that a program may compute these apart. */
static inline void F(sum_columns)(const struct reduction *r, enum term term, const T *x,
                                  size_t width, const T *by, U *total) {
    struct F(cascade) c;
    struct strided_position at = {0};
    U terms[CHUNK];
    size_t outer = r->reduced_rank ? r->reduced_rank - 1 : 0;
    struct strided_axis inner = r->reduced_rank ? r->reduced[outer]
                                                : (struct strided_axis){1, 0, 0};
    /* memory is read in order, but for rows that are short, or pieces of longer ones: several at
     * once */
    bool several = term == PLAIN && (width <= 32 || inner.in > (int64_t)width);
    int64_t at_once = !several ? 1 : width <= TINY ? RADIX : 4;
    bool more = !r->reduces_nothing;
    c.used = 0;
    while (more) {
        const T *row = x + at.in;
        for (int64_t k = 0, some; k < inner.extent; k += some, row += some * inner.in) {
            int64_t room = RADIX - (int64_t)(c.used ? c.count[0] : 0);
            some = at_once < room ? at_once : room;
            if (some > inner.extent - k) some = inner.extent - k;
            size_t rows = (size_t)some;
            const U *from = (const U *)row;
            if (term != PLAIN) {
                F(terms)(term, width, row, by, 1, terms);
                from = terms;
            }
            U *sum = F(cascade_bottom)(&c, width);
            if (at_once > 4) F(add_tiny_rows)(rows, inner.in, width, from, sum);
            else F(add_rows)(rows, inner.in, width, from, sum);
            F(cascade_carry)(&c, width, rows);
        }
        more = strided_next(outer, r->reduced, &at);
    }
    F(cascade_total)(&c, width, total);
}

/* ---- largest elements ------------------------------------------------------------------------ */

/* Meets n elements with the largest so far, one by one. A NaN compares with nothing and is
 * remembered apart (nan is 0 until then), so that each half is a vector instruction or two; where
 * numbers alone count, it is not. */
static inline void F(meet)(enum largest of, size_t n, const T *x, T *largest, T *nan) {
    T positive[WIDE];
    if (of == OF_MAGNITUDES) {
        for (size_t i = 0; i < n; i++) positive[i] = x[i] < 0 ? -x[i] : x[i];
        x = positive;
    }
    for (size_t i = 0; i < n; i++) largest[i] = x[i] > largest[i] ? x[i] : largest[i];
#if FLOAT
    if (of == OF_NUMBERS) return;
    for (size_t i = 0; i < n; i++) nan[i] = x[i] == x[i] ? nan[i] : x[i];
#else
    (void)nan;
#endif
}

static inline void F(begin)(size_t n, T start, T *largest, T *nan) {
    for (size_t i = 0; i < n; i++) largest[i] = start;
    memset(nan, 0, n * sizeof *nan);
}

static inline T F(end)(T largest, T nan) {
#if FLOAT
    return isnan(nan) ? nan : largest;
#else
    (void)nan;
    return largest;
#endif
}

static T F(largest_of_runs)(const struct reduction *r, enum largest of, const T *x, T start) {
    struct strided_position at = {0};
    T number[WIDE], nan[WIDE], any = 0;
    size_t n = (size_t)r->width, width = n < WIDE ? n : WIDE;
    bool more = !r->reduces_nothing;
    F(begin)(width, start, number, nan);
    while (more) {
        for (size_t i = 0; i < n; i += WIDE)
            F(meet)(of, n - i < WIDE ? n - i : WIDE, x + at.in + i, number, nan);
        more = strided_next(r->reduced_rank, r->reduced, &at);
    }
    for (size_t k = 0; k < width; k++) {
        start = number[k] > start ? number[k] : start;
        any += nan[k];
    }
    return F(end)(start, any);
}

static void F(largest_of_columns)(const struct reduction *r, enum largest of, const T *x,
                                  size_t width, T start, T *largest) {
    struct strided_position at = {0};
    T nan[CHUNK];
    bool more = !r->reduces_nothing;
    F(begin)(width, start, largest, nan);
    while (more) {
        for (size_t i = 0; i < width; i += WIDE)
            F(meet)(of, width - i < WIDE ? width - i : WIDE, x + at.in + i, largest + i, nan + i);
        more = strided_next(r->reduced_rank, r->reduced, &at);
    }
    for (size_t i = 0; i < width; i++) largest[i] = F(end)(largest[i], nan[i]);
}

/* ---- what is made of them -------------------------------------------------------------------- */

#if FLOAT
/* exp(x - shift) is summed: the largest number, or 0 where that is not finite, which gives -inf,
 * +inf and NaN their values with no further case. */
static inline T F(shift)(T largest) { return isfinite(largest) ? largest : 0; }

/* A sum of squares from which the root loses nothing. */
static inline bool F(is_safe)(T squares) {
    return squares <= T_MAX && squares >= T_MIN / T_EPSILON;
}

/* A power of two near 1/largest: scaling by it is exact. */
static inline T F(scale)(T largest) {
    int exponent = 0;
    (void)F(frexp)(largest, &exponent);
    return isfinite(largest) && largest > 0
               ? F(ldexp)(1, exponent > T_MIN_EXP ? -exponent : -T_MIN_EXP)
               : 1;
}
#endif

static T F(reduce_runs)(enum reduce_kind kind, const struct reduction *r, const T *x) {
    switch (kind) {
    case REDUCE_SUM: return (T)F(sum_runs)(r, PLAIN, x, 0);
    case REDUCE_MAX: return F(largest_of_runs)(r, OF_ALL, x, T_LOWEST);
#if FLOAT
    case REDUCE_PEAK: return F(shift)(F(largest_of_runs)(r, OF_NUMBERS, x, T_LOWEST));
    case REDUCE_LOGSUMEXP: {
        T shift = F(shift)(F(largest_of_runs)(r, OF_NUMBERS, x, T_LOWEST));
        return F(log)(F(sum_runs)(r, EXPONENTIALS, x, shift)) + shift;
    }
    case REDUCE_NORM: {
        T squares = F(sum_runs)(r, SQUARES, x, 1);
        if (F(is_safe)(squares)) return F(sqrt)(squares);
        T scale = F(scale)(F(largest_of_runs)(r, OF_MAGNITUDES, x, 0));
        return F(sqrt)(F(sum_runs)(r, SQUARES, x, scale)) / scale;
    }
#endif
    default: return 0;
    }
}

static void F(reduce_columns)(enum reduce_kind kind, const struct reduction *r, const T *x,
                              size_t width, T *y) {
    switch (kind) {
    case REDUCE_SUM: F(sum_columns)(r, PLAIN, x, width, NULL, (U *)y); return;
    case REDUCE_MAX: F(largest_of_columns)(r, OF_ALL, x, width, T_LOWEST, y); return;
#if FLOAT
    case REDUCE_PEAK:
        F(largest_of_columns)(r, OF_NUMBERS, x, width, T_LOWEST, y);
        for (size_t i = 0; i < width; i++) y[i] = F(shift)(y[i]);
        return;
    case REDUCE_LOGSUMEXP: {
        T shift[CHUNK];
        F(largest_of_columns)(r, OF_NUMBERS, x, width, T_LOWEST, shift);
        for (size_t i = 0; i < width; i++) shift[i] = F(shift)(shift[i]);
        F(sum_columns)(r, EXPONENTIALS, x, width, shift, y);
        for (size_t i = 0; i < width; i++) y[i] = F(log)(y[i]) + shift[i];
        return;
    }
    case REDUCE_NORM: {
        T scale[CHUNK];
        bool safe = true;
        scale[0] = 1;
        for (size_t i = 1; i < width; i++) scale[i] = 1;
        F(sum_columns)(r, SQUARES, x, width, scale, y);
        for (size_t i = 0; i < width; i++) safe = safe && F(is_safe)(y[i]);
        if (!safe) {
            F(largest_of_columns)(r, OF_MAGNITUDES, x, width, 0, scale);
            for (size_t i = 0; i < width; i++) scale[i] = F(scale)(scale[i]);
            F(sum_columns)(r, SQUARES, x, width, scale, y);
        }
        for (size_t i = 0; i < width; i++) y[i] = F(sqrt)(y[i]) / scale[i];
        return;
    }
#endif
    default: return;
    }
}

/* y in the order of the kept axes. */
static void F(reduce)(enum reduce_kind kind, const struct reduction *r, const T *x, T *y) {
    struct strided_position at = {0};
    do {
        const T *from = r->reduces_nothing ? x : x + at.in;
        if (r->runs) *y++ = F(reduce_runs)(kind, r, from);
        for (int64_t i = 0; i < r->width && !r->runs; i += CHUNK) {
            size_t width = (size_t)(r->width - i < CHUNK ? r->width - i : CHUNK);
            F(reduce_columns)(kind, r, r->reduces_nothing ? x : from + i, width, y);
            y += width;
        }
    } while (strided_next(r->kept_rank, r->kept, &at));
}

static inline bool F(is)(T x, T largest) {
#if FLOAT
    return x == largest || isnan(x);
#else
    return x == largest;
#endif
}

static inline bool F(beats)(T next, T best) {
#if FLOAT
    return next > best || (isnan(next) && !isnan(best));
#else
    return next > best;
#endif
}

/* The index of the first of the largest, NaN counting as largest; x[outer, n, inner], n > 0. */
static void F(argmax)(int64_t outer, int64_t n, int64_t inner, const T *x, int64_t *y) {
    for (int64_t o = 0; o < outer; o++, x += n * inner, y += inner) {
        if (inner == 1) { /* find the largest in vectors, then its place */
            T largest = F(largest_of_runs)(&(struct reduction){.width = n}, OF_ALL, x, T_LOWEST);
            for (*y = 0; *y < n - 1 && !F(is)(x[*y], largest);) ++*y;
            continue;
        }
        memset(y, 0, (size_t)inner * sizeof *y);
        for (int64_t k = 1; k < n; k++)
            for (int64_t i = 0; i < inner; i++)
                if (F(beats)(x[k * inner + i], x[y[i] * inner + i])) y[i] = k;
    }
}
