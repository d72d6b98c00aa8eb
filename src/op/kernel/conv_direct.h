/* Convolution without products of matrices, for one floating type and one kind of processor;
 * included once for each, with T the type, F(name) a name for it, LANES the elements of a vector
 * register, and the sizes of tiles: ROWS x VECTORS sums for the output, SIDE_O x SIDE_D for the
 * kernel, which fill the registers.
 *
 * A block of the image is copied with its border of zeros into a local array. Along the rows of the
 * block, and from one row to the next, a step of one in the output is a step of one in the block,
 * whatever the tap. So the output is computed as if it were one long row of `wide` pixels a line,
 * and the few pixels a line that no window has are left out when sums are written. Where windows
 * take strides, the block holds each phase of the image as an image of its own.
 *
 * The adjoint of the image for stride 1 is the convolution of the output's adjoint with the kernel
 * turned around. The adjoint of the kernel sums products over the long row; there the pixels that
 * no window has are zeros of the output. */

#define TILE (VECTORS * LANES)
/* The longest row of a block, and how far rows of the output lie apart; not a power of two, which
 * would send all of them to the same lines of the cache. */
#define LONGEST ((OTHER_BYTES / (int64_t)sizeof(T) / SIDE_O / LANES - 1) * LANES)

typedef T F(vector) __attribute__((vector_size(LANES * sizeof(T))));
typedef T F(half) __attribute__((vector_size(LANES * sizeof(T) / 2)));
typedef T F(quarter) __attribute__((vector_size(LANES * sizeof(T) / 4)));

/* y[own, p, q] = sum over channel, i, j of kernel[own, channel, i, j] x[channel, ...] */
struct F(form) {
    int64_t channels, own;
    int64_t x[2], k[2], y[2], stride[2], dilation[2], low[2];
    int64_t own_step, channel_step, tap_step[2]; /* in the kernel, in elements */
    /* follow from these: */
    int64_t phases[2], more[2];        /* a block has `more` lines and columns than its pixels */
    int64_t channels_once, rows, cols; /* of a block */
};

/* A block of pixels of the output, and of channels. */
struct F(block) {
    int64_t channel, channels, p, q, rows, cols;
    int64_t wide, plane, length; /* elements of a line, of a phase; pixels of the long row */
};

struct F(room) {
    T image[IMAGE_BYTES / sizeof(T)];
    T other[OTHER_BYTES / sizeof(T)];               /* the kernel, or rows of the output */
    int32_t offset[OTHER_BYTES / sizeof(T) / ROWS]; /* of each tap in the image */
};

static inline int64_t F(least)(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- blocks ---------------------------------------------------------------------------------- */

/* Elements of the local image. The last tile reads past the end. */
static int64_t F(block_size)(const struct F(form) * f, int64_t channels, int64_t rows,
                             int64_t cols) {
    return channels * f->phases[0] * f->phases[1] * (rows + f->more[0]) * (cols + f->more[1]) +
           f->more[1] + TILE;
}

static bool F(block_fits)(const struct F(form) * f, int64_t channels) {
    return F(block_size)(f, channels, f->rows, f->cols) <= IMAGE_BYTES / (int64_t)sizeof(T) &&
           f->rows * (f->cols + f->more[1]) <= LONGEST;
}

/* The largest block for so many channels, a whole image if possible, cut evenly. */
static void F(cut_image)(struct F(form) * f, int64_t channels) {
    f->rows = F(least)(f->y[0], LONGEST);
    f->cols = F(least)(f->y[1], LONGEST);
    for (int64_t cuts = 2; f->rows > 1 && !F(block_fits)(f, channels); cuts += 1 + cuts / 8)
        f->rows = (f->y[0] + cuts - 1) / cuts;
    while (f->cols > LANES && !F(block_fits)(f, channels)) f->cols = (f->cols + 1) / 2;
}

/* Chooses blocks that fit; false if none does. Many channels make sums long, but lines that are
 * needed by two blocks are copied twice. */
static bool F(choose_blocks)(struct F(form) * f) {
    enum { MANY = 64, FEW = 8, LINES = 4 };
    int64_t room = IMAGE_BYTES / sizeof(T);
    int64_t taps = f->k[0] * f->k[1], deepest = OTHER_BYTES / sizeof(T) / ROWS;
    if (taps > deepest) return false;
    for (int i = 0; i < 2; i++) {
        int64_t reach = (f->k[i] - 1) * f->dilation[i];
        f->phases[i] = F(least)(f->stride[i], reach + 1);
        f->more[i] = reach / f->stride[i];
        if (f->more[i] > room || f->phases[i] > room) return false;
    }
    int64_t most = F(least)(f->channels, deepest / taps), once = F(least)(most, MANY);
    for (; once > 0; once /= 2) {
        F(cut_image)(f, once);
        int64_t enough = once <= FEW ? 1 : F(least)(f->y[0], LINES * (f->more[0] + 1));
        if (f->rows >= enough && F(block_fits)(f, once)) break;
    }
    while (once > 0 && once < most && F(block_fits)(f, once + 1)) once++;
    f->channels_once = once;
    return once > 0;
}

/* Copies count elements; the last vector may overlap the one before it. */
static inline void F(copy_run)(int64_t count, const T *restrict from, T *restrict to) {
    F(vector) some;
    if (count < LANES) {
        for (int64_t i = 0; i < count; i++) to[i] = from[i];
        return;
    }
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t at = F(least)(i, count - LANES);
        memcpy(&some, from + at, sizeof some);
        memcpy(to + at, &some, sizeof some);
    }
}

/* One line of one phase: `count` elements of the image's line from `first` in steps, zeros beside
 * it. */
static inline void F(copy_line)(const T *line, int64_t first, int64_t step, int64_t extent,
                                int64_t count, T *to) {
    struct run inside = places_inside(first, step, extent, count);
    int64_t i = 0;
    if (!line || inside.from > inside.to) inside.from = inside.to = count;
    for (; i < inside.from; i++) to[i] = 0;
    if (step == 1 && i < inside.to) {
        F(copy_run)(inside.to - i, line + first + i, to + i);
        i = inside.to;
    }
    for (; i < inside.to; i++) to[i] = line[first + i * step];
    for (; i < count; i++) to[i] = 0;
}

static void F(copy_block)(const struct F(form) * f, const struct F(block) * b, const T *x, T *to) {
    const T *channel = x + b->channel * f->x[0] * f->x[1];
    for (int64_t c = 0; c < b->channels; c++, channel += f->x[0] * f->x[1])
        for (int64_t phase = 0; phase < f->phases[0] * f->phases[1]; phase++) {
            int64_t row_phase = phase / f->phases[1], col_phase = phase % f->phases[1];
            for (int64_t r = 0; r < b->rows + f->more[0]; r++, to += b->wide) {
                int64_t line = (b->p + r) * f->stride[0] + row_phase - f->low[0];
                bool outside = line < 0 || line >= f->x[0];
                F(copy_line)
                (outside ? NULL : channel + line * f->x[1],
                 b->q * f->stride[1] + col_phase - f->low[1], f->stride[1], f->x[1], b->wide, to);
            }
        }
    memset(to, 0, (size_t)(f->more[1] + TILE) * sizeof *to);
}

/* Where each tap of each channel meets the first pixel. */
static void F(find_taps)(const struct F(form) * f, const struct F(block) * b, int32_t *offset) {
    for (int64_t c = 0; c < b->channels; c++)
        for (int64_t i = 0; i < f->k[0]; i++)
            for (int64_t j = 0; j < f->k[1]; j++) {
                int64_t y = i * f->dilation[0], x = j * f->dilation[1];
                int64_t phase = (c * f->phases[0] + y % f->stride[0]) * f->phases[1] +
                                x % f->stride[1];
                *offset++ = (int32_t)(phase * b->plane + y / f->stride[0] * b->wide +
                                      x / f->stride[1]);
            }
}

/* The block that begins at pixel p, q. */
static struct F(block)
    F(block_at)(const struct F(form) * f, int64_t channel, int64_t p, int64_t q) {
    struct F(block) b = {.channel = channel, .p = p, .q = q};
    b.channels = F(least)(f->channels_once, f->channels - channel);
    b.rows = F(least)(f->rows, f->y[0] - p);
    b.cols = F(least)(f->cols, f->y[1] - q);
    b.wide = b.cols + f->more[1];
    b.plane = (b.rows + f->more[0]) * b.wide;
    b.length = (b.rows - 1) * b.wide + b.cols;
    return b;
}

/* ---- the output ------------------------------------------------------------------------------ */

/* sum[own, pixel] over taps; kernel[tap, own]. Constant extents keep the sums in registers. */
static inline void F(tile)(size_t rows, size_t vectors, int64_t taps, const int32_t *offset,
                           const T *x, const T *kernel, T sum[ROWS][TILE]) {
    F(vector) total[ROWS][VECTORS];
    for (size_t i = 0; i < rows; i++)
        for (size_t v = 0; v < vectors; v++) total[i][v] = (F(vector)){0};
    for (int64_t t = 0; t < taps; t++, kernel += rows) {
        F(vector) pixel[VECTORS];
        for (size_t v = 0; v < vectors; v++)
            memcpy(&pixel[v], x + offset[t] + v * LANES, sizeof pixel[v]);
        for (size_t i = 0; i < rows; i++)
            for (size_t v = 0; v < vectors; v++) total[i][v] += kernel[i] * pixel[v];
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t v = 0; v < vectors; v++)
            memcpy(&sum[i][v * LANES], &total[i][v], sizeof total[i][v]);
}

#define TILE_OF(ROWS_, VECTORS_)                                                                   \
    case ROWS_ * 4 + VECTORS_: F(tile)(ROWS_, VECTORS_, taps, offset, x, kernel, sum); return;
static void F(any_tile)(int64_t rows, int64_t vectors, int64_t taps, const int32_t *offset,
                        const T *x, const T *kernel, T sum[ROWS][TILE]) {
    switch (rows * 4 + vectors) {
#if ROWS == 8
        TILE_OF(8, 1)
        TILE_OF(8, 2) TILE_OF(8, 3)
#endif
            TILE_OF(4, 1) TILE_OF(4, 2) TILE_OF(4, 3) TILE_OF(2, 1) TILE_OF(2, 2) TILE_OF(2, 3)
                TILE_OF(1, 1) TILE_OF(1, 2) TILE_OF(1, 3) default : return;
    }
}

/* Own channels of a tile where `left` are left: powers of two. */
static inline int64_t F(tile_rows)(int64_t left) {
    int64_t rows = ROWS;
    while (rows > left) rows /= 2;
    return rows;
}

/* The kernel in the order in which tiles read it: own channels from..to-1, b's channels. */
static void F(copy_kernel)(const struct F(form) * f, const struct F(block) * b, int64_t from,
                           int64_t to, const T *kernel, T *copy) {
    for (int64_t rows; from < to; from += rows) {
        rows = F(tile_rows)(to - from);
        for (int64_t c = b->channel; c < b->channel + b->channels; c++)
            for (int64_t i = 0; i < f->k[0]; i++)
                for (int64_t j = 0; j < f->k[1]; j++) {
                    const T *tap = kernel + c * f->channel_step + i * f->tap_step[0] +
                                   j * f->tap_step[1];
                    for (int64_t r = 0; r < rows; r++) *copy++ = tap[(from + r) * f->own_step];
                }
    }
}

/* Pixels n .. n+count-1 of the long row into the output, whose rows are f->y[1] apart. */
static inline void F(put)(const struct F(form) * f, const struct F(block) * b, bool first,
                          int64_t n, int64_t count, const T *restrict sum, T *restrict y) {
    int64_t p = n / b->wide, q = n % b->wide;
    for (int64_t i = 0, run; i < count; i += run, p++, q = 0) {
        run = F(least)(b->wide - q, count - i);
        int64_t good = F(least)(run, b->cols - q);
        T *to = y + (b->p + p) * f->y[1] + b->q + q;
        if (first)
            F(copy_run)(good, sum + i, to);
        else
            for (int64_t k = 0; k < good; k++) to[k] += sum[i + k];
    }
}

/* One block for the own channels from..to-1, whose kernel is in the room already. */
static void F(output_block)(const struct F(form) * f, const struct F(block) * b, int64_t from,
                            int64_t to, struct F(room) * room, T *y) {
    T sum[ROWS][TILE];
    int64_t taps = b->channels * f->k[0] * f->k[1], pixels = f->y[0] * f->y[1];
    for (int64_t n = 0; n < b->length; n += TILE) {
        int64_t count = F(least)(TILE, b->length - n), vectors = (count + LANES - 1) / LANES;
        const T *kernel = room->other;
        for (int64_t o = from, rows; o < to; o += rows, kernel += rows * taps) {
            rows = F(tile_rows)(to - o);
            F(any_tile)(rows, vectors, taps, room->offset, room->image + n, kernel, sum);
            for (int64_t r = 0; r < rows; r++)
                F(put)(f, b, b->channel == 0, n, count, sum[r], y + (o + r) * pixels);
        }
    }
}

/* The images of one group: image and y step by in_step and out_step from one to the next. */
static void F(correlate)(const struct F(form) * f, int64_t images, int64_t in_step,
                         int64_t out_step, const T *x, const T *kernel, T *y) {
    struct F(room) room;
    for (int64_t channel = 0; channel < f->channels; channel += f->channels_once) {
        struct F(block) b = F(block_at)(f, channel, 0, 0);
        int64_t taps = b.channels * f->k[0] * f->k[1];
        int64_t once = OTHER_BYTES / (int64_t)sizeof(T) / taps / ROWS * ROWS;
        for (int64_t from = 0, to; from < f->own; from = to) {
            to = F(least)(f->own, from + once);
            F(copy_kernel)(f, &b, from, to, kernel, room.other);
            for (int64_t n = 0; n < images; n++)
                for (int64_t p = 0; p < f->y[0]; p += f->rows)
                    for (int64_t q = 0; q < f->y[1]; q += f->cols) {
                        b = F(block_at)(f, channel, p, q);
                        F(find_taps)(f, &b, room.offset);
                        F(copy_block)(f, &b, x + n * in_step, room.image);
                        F(output_block)(f, &b, from, to, &room, y + n * out_step);
                    }
        }
    }
}

/* ---- the adjoint of the kernel --------------------------------------------------------------- */

/* Rows of the output's adjoint over the long row, LONGEST apart, zero where no window is and behind
 * the end. */
static void F(copy_output)(const struct F(form) * f, const struct F(block) * b, int64_t from,
                           int64_t length, const T *y, T *to) {
    for (int64_t o = from; o < from + SIDE_O; o++, to += LONGEST) {
        if (o >= f->own) {
            memset(to, 0, (size_t)length * sizeof *to);
            continue;
        }
        int64_t at = 0;
        for (int64_t r = 0; r < b->rows; r++) {
            const T *row = y + (o * f->y[0] + b->p + r) * f->y[1] + b->q;
            F(copy_run)(b->cols, row, to + at);
            at += b->cols;
            for (int64_t end = F(least)(length, (r + 1) * b->wide); at < end; at++) to[at] = 0;
        }
        for (; at < length; at++) to[at] = 0;
    }
}

static inline T F(add_lanes)(F(vector) x) {
    F(half) half[2], sum;
    F(quarter) quarter[2], few;
    T element[LANES / 4], total = 0;
    memcpy(half, &x, sizeof half);
    sum = half[0] + half[1];
    memcpy(quarter, &sum, sizeof quarter);
    few = quarter[0] + quarter[1];
    memcpy(element, &few, sizeof element);
    for (size_t i = 0; i < LANES / 4; i++) total += element[i];
    return total;
}

/* sum[o, d] of products along `length` elements, a multiple of LANES. */
static void F(inner)(int64_t length, const int32_t *offset, const T *x, const T *y,
                     T sum[SIDE_O * SIDE_D]) {
    F(vector) total[SIDE_O * SIDE_D];
    const T *line[SIDE_D];
    for (size_t d = 0; d < SIDE_D; d++) line[d] = x + offset[d];
    for (size_t i = 0; i < SIDE_O * SIDE_D; i++) total[i] = (F(vector)){0};
    for (int64_t n = 0; n < length; n += LANES) {
        F(vector) row[SIDE_O], pixel;
        for (int64_t o = 0; o < SIDE_O; o++) memcpy(&row[o], y + o * LONGEST + n, sizeof row[o]);
        for (size_t d = 0; d < SIDE_D; d++) {
            memcpy(&pixel, line[d] + n, sizeof pixel);
            for (size_t o = 0; o < SIDE_O; o++) total[o * SIDE_D + d] += row[o] * pixel;
        }
    }
    for (size_t i = 0; i < SIDE_O * SIDE_D; i++) sum[i] = F(add_lanes)(total[i]);
}

static void F(kernel_block)(const struct F(form) * f, const struct F(block) * b,
                            struct F(room) * room, const T *y, T *kernel) {
    int64_t window = f->k[0] * f->k[1], taps = b->channels * window;
    int64_t length = (b->length + LANES - 1) / LANES * LANES;
    for (int64_t from = 0; from < f->own; from += SIDE_O) {
        F(copy_output)(f, b, from, length, y, room->other);
        for (int64_t t = 0; t < taps; t += SIDE_D) {
            int32_t offset[SIDE_D];
            T sum[SIDE_O * SIDE_D];
            for (int64_t d = 0; d < SIDE_D; d++)
                offset[d] = room->offset[F(least)(t + d, taps - 1)];
            F(inner)(length, offset, room->image, room->other, sum);
            for (int64_t o = 0; o < SIDE_O && from + o < f->own; o++)
                for (int64_t d = 0; d < SIDE_D && t + d < taps; d++)
                    kernel[(from + o) * f->own_step + b->channel * window + t + d] +=
                        sum[o * SIDE_D + d];
        }
    }
}

static void F(kernel_adjoint)(const struct F(form) * f, int64_t images, int64_t in_step,
                              int64_t out_step, const T *x, const T *y, T *kernel) {
    struct F(room) room;
    memset(kernel, 0, (size_t)(f->own * f->own_step) * sizeof *kernel);
    for (int64_t n = 0; n < images; n++)
        for (int64_t channel = 0; channel < f->channels; channel += f->channels_once)
            for (int64_t p = 0; p < f->y[0]; p += f->rows)
                for (int64_t q = 0; q < f->y[1]; q += f->cols) {
                    struct F(block) b = F(block_at)(f, channel, p, q);
                    F(find_taps)(f, &b, room.offset);
                    F(copy_block)(f, &b, x + n * in_step, room.image);
                    F(kernel_block)(f, &b, &room, y + n * out_step, kernel);
                }
}

/* ---- the three results ----------------------------------------------------------------------- */

static bool F(are_finite)(const T *x, int64_t count) {
    T zero = 0; /* stays 0 as long as all are */
    for (int64_t i = 0; i < count; i++) zero += x[i] * 0;
    return zero == 0;
}

/* The form as it stands, or for the adjoint of the image its mirror. */
static struct F(form) F(form_of)(const struct conv *v) {
    bool mirror = v->result == IMAGE;
    int64_t window = v->k[0] * v->k[1], turn = mirror ? -1 : 1;
    struct F(form) f = {.channels = mirror ? v->own : v->channels,
                        .own = mirror ? v->channels : v->own,
                        .own_step = mirror ? window : v->depth,
                        .channel_step = mirror ? v->depth : window,
                        .tap_step = {turn * v->k[1], turn}};
    for (int i = 0; i < 2; i++) {
        f.x[i] = mirror ? v->y[i] : v->x[i];
        f.y[i] = mirror ? v->x[i] : v->y[i];
        f.k[i] = v->k[i];
        f.stride[i] = v->stride[i];
        f.dilation[i] = v->dilation[i];
        f.low[i] = mirror ? (v->k[i] - 1) * v->dilation[i] - v->low[i] : v->low[i];
    }
    return f;
}

/* Zeros around the output's adjoint meet the kernel, and zeros between its lines meet the image:
 * where that would be felt, beside infinities and NaN, the form is left to others. */
bool F(conv)(const struct conv *v, void *const *tensor) {
    struct F(form) f = F(form_of)(v);
    int64_t kernels = v->groups * v->own * v->depth;
    bool strided = v->stride[0] > 1 || v->stride[1] > 1;
    if (v->result == IMAGE && (strided || !F(are_finite)(tensor[KERNEL], kernels))) return false;
    if (!F(choose_blocks)(&f)) return false;
    int64_t step[3], at[3];
    conv_begin(v, 1, 0, step);
    for (int64_t g = 0; g < v->groups; g++) {
        conv_begin(v, 0, g, at);
        T *image = (T *)tensor[IMAGE] + at[IMAGE], *kernel = (T *)tensor[KERNEL] + at[KERNEL];
        T *output = (T *)tensor[OUTPUT] + at[OUTPUT];
        if (v->result == OUTPUT)
            F(correlate)(&f, v->images, step[IMAGE], step[OUTPUT], image, kernel, output);
        else if (v->result == IMAGE)
            F(correlate)
            (&f, v->images, step[OUTPUT], step[IMAGE], output, kernel + v->k[0] * v->k[1] - 1,
             image);
        else
            F(kernel_adjoint)(&f, v->images, step[IMAGE], step[OUTPUT], image, output, kernel);
    }
    return v->result != KERNEL || F(are_finite)(tensor[KERNEL], kernels);
}

#undef TILE
#undef LONGEST
#undef TILE_OF
