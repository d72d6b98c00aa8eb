/* Copying between two layouts that have the same axes but their own strides: all that reshape,
 * transpose, broadcast, slice, pad and concat do. A stride of 0 on the input side repeats; the
 * output side visits no element twice. Axes stand outermost first, in the order of the output.
 * Axes that lie side by side in both layouts are joined first, so that the inner loops are long;
 * where the input's dense axis is not the innermost one, both are walked in tiles. */
#ifndef STRIDED_H
#define STRIDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { STRIDED_RANK = 8, TILE = 16 };

struct strided_axis {
    int64_t extent, in, out; /* strides in elements */
};

/* A position in nested axes, the last one moving fastest. Start from all zero. */
struct strided_position {
    int64_t index[STRIDED_RANK], in, out;
};

static inline bool strided_next(size_t rank, const struct strided_axis *axis,
                                struct strided_position *at) {
    for (size_t i = rank; i-- > 0;) {
        at->in += axis[i].in;
        at->out += axis[i].out;
        if (++at->index[i] < axis[i].extent) return true;
        at->index[i] = 0;
        at->in -= axis[i].in * axis[i].extent;
        at->out -= axis[i].out * axis[i].extent;
    }
    return false;
}

/* Drops axes of extent 1 and joins neighbours; the rank that is left, at least 1. */
static inline size_t strided_join(size_t rank, struct strided_axis *axis) {
    size_t kept = 0;
    for (size_t i = 0; i < rank; i++) {
        struct strided_axis next = axis[i];
        if (next.extent == 1) continue;
        struct strided_axis *last = kept ? &axis[kept - 1] : NULL;
        if (last && last->in == next.in * next.extent && last->out == next.out * next.extent) {
            last->extent *= next.extent;
            last->in = next.in;
            last->out = next.out;
        } else {
            axis[kept++] = next;
        }
    }
    if (kept == 0) axis[kept++] = (struct strided_axis){1, 1, 1};
    return kept;
}

/* Rows of `row` elements along `col`, for one size of element. Constant sizes make each memcpy a
 * load and a store; the common strides are told apart so that the loops become vector code.
 * NAME_tiled does the same where the input is dense along row: in tiles, so that the lines of both
 * stay in the cache; whole tiles have constant bounds. */
#define STRIDED_PLANE(NAME, SIZE)                                                                  \
    static inline void NAME(struct strided_axis row, struct strided_axis col,                      \
                            const char *restrict in, char *restrict out) {                         \
        int64_t n = col.extent, in_row = row.in * SIZE, out_row = row.out * SIZE;                  \
        for (int64_t r = 0; r < row.extent; r++, in += in_row, out += out_row) {                   \
            if (col.in == 1 && col.out == 1 && n >= 16)                                            \
                memcpy(out, in, (size_t)n *SIZE);                                                  \
            else if (col.in == 1 && col.out == 1)                                                  \
                for (int64_t c = 0; c < n; c++) memcpy(out + c * SIZE, in + c * SIZE, SIZE);       \
            else if (col.in == 0 && col.out == 1)                                                  \
                for (int64_t c = 0; c < n; c++) memcpy(out + c * SIZE, in, SIZE);                  \
            else                                                                                   \
                for (int64_t c = 0; c < n; c++)                                                    \
                    memcpy(out + c * col.out * SIZE, in + c * col.in * SIZE, SIZE);                \
        }                                                                                          \
    }                                                                                              \
    static inline void NAME##_tiled(struct strided_axis row, struct strided_axis col,              \
                                    const char *restrict in, char *restrict out) {                 \
        for (int64_t c = 0; c < col.extent; c += TILE)                                             \
            for (int64_t r = 0; r < row.extent; r += TILE) {                                       \
                int64_t rows = row.extent - r < TILE ? row.extent - r : TILE;                      \
                int64_t cols = col.extent - c < TILE ? col.extent - c : TILE;                      \
                const char *from = in + (r + c * col.in) * SIZE;                                   \
                char *to = out + (r * row.out + c * col.out) * SIZE;                               \
                if (rows == TILE && cols == TILE && col.out == 1) {                                \
                    for (int64_t i = 0; i < TILE; i++)                                             \
                        for (int64_t k = 0; k < TILE; k++)                                         \
                            memcpy(to + (i * row.out + k) * SIZE, from + (k * col.in + i) * SIZE,  \
                                   SIZE);                                                          \
                    continue;                                                                      \
                }                                                                                  \
                for (int64_t i = 0; i < rows; i++)                                                 \
                    for (int64_t k = 0; k < cols; k++)                                             \
                        memcpy(to + (i * row.out + k * col.out) * SIZE,                            \
                               from + (k * col.in + i) * SIZE, SIZE);                              \
            }                                                                                      \
    }
STRIDED_PLANE(strided_plane_1, 1)
STRIDED_PLANE(strided_plane_4, 4)
STRIDED_PLANE(strided_plane_8, 8)

/* ---- transposing ----------------------------------------------------------------------------- */

/* Asks for a place that may lie outside all memory: so its address is no pointer arithmetic. */
static inline void strided_prefetch(const char *from, int64_t offset, bool write) {
    const void *at = (const void *)((uintptr_t)from + (uintptr_t)offset);
    if (write)
        __builtin_prefetch(at, 1);
    else
        __builtin_prefetch(at);
}

/* A square whose side fills a vector of 16 bytes, through registers: line i of `in` becomes column
 * i of `out`; lines are in_line and out_line bytes apart. */
typedef uint64_t strided_pair __attribute__((vector_size(16)));
typedef uint32_t strided_quad __attribute__((vector_size(16)));

static inline void strided_square_8(const char *in, int64_t in_line, char *out, int64_t out_line) {
    strided_pair a, b;
    memcpy(&a, in, 16);
    memcpy(&b, in + in_line, 16);
    strided_pair first = {a[0], b[0]}, second = {a[1], b[1]};
    memcpy(out, &first, 16);
    memcpy(out + out_line, &second, 16);
}

static inline void strided_square_4(const char *in, int64_t in_line, char *out, int64_t out_line) {
    strided_quad x[4];
    for (int64_t i = 0; i < 4; i++) memcpy(&x[i], in + i * in_line, 16);
    for (int64_t half = 0; half < 2; half++) { /* pairs of lines, then pairs of pairs */
        const strided_quad *l = x;
        strided_quad upper = half ? (strided_quad){l[0][2], l[1][2], l[0][3], l[1][3]}
                                  : (strided_quad){l[0][0], l[1][0], l[0][1], l[1][1]};
        strided_quad lower = half ? (strided_quad){l[2][2], l[3][2], l[2][3], l[3][3]}
                                  : (strided_quad){l[2][0], l[3][0], l[2][1], l[3][1]};
        strided_pair a = (strided_pair)upper, b = (strided_pair)lower;
        strided_pair first = {a[0], b[0]}, second = {a[1], b[1]};
        memcpy(out + 2 * half * out_line, &first, 16);
        memcpy(out + (2 * half + 1) * out_line, &second, 16);
    }
}

static inline void strided_square_1(const char *in, int64_t in_line, char *out, int64_t out_line) {
    for (int64_t i = 0; i < 16; i++)
        for (int64_t k = 0; k < 16; k++) out[i * out_line + k] = in[k * in_line + i];
}

/* The same as the tiled planes, for what no cache holds: tiles of a line of the cache each way, so
 * that each line is read and written once, walked along the output's rows. What comes next stands
 * far apart on both sides, so it is asked for early; but input lines whole pages apart share a few
 * places of the cache and would drive each other out. */
#define STRIDED_TRANSPOSE(NAME, SIZE, SQUARE)                                                      \
    static inline void NAME(struct strided_axis row, struct strided_axis col,                      \
                            const char *restrict in, char *restrict out) {                         \
        enum { LINE = SIZE == 1 ? 16 : 64 / SIZE, SIDE = 16 / SIZE };                              \
        enum { PAGE = 4096 };                                                                      \
        int64_t in_line = col.in * SIZE, out_line = row.out * SIZE, step = col.out * SIZE;         \
        int64_t read_ahead = (in_line % PAGE ? 6 : 1) * LINE * in_line, write_ahead = 8 * 64;      \
        for (int64_t r = 0; r < row.extent; r += LINE)                                             \
            for (int64_t c = 0; c < col.extent; c += LINE) {                                       \
                int64_t rows = row.extent - r < LINE ? row.extent - r : LINE;                      \
                int64_t cols = col.extent - c < LINE ? col.extent - c : LINE;                      \
                const char *from = in + r * SIZE + c * in_line;                                    \
                char *to = out + r * out_line + c * step;                                          \
                if (rows == LINE && cols == LINE && col.out == 1) {                                \
                    for (int64_t i = 0; i < LINE; i++) {                                           \
                        strided_prefetch(from, i * in_line + read_ahead, false);                   \
                        strided_prefetch(to, i * out_line + write_ahead, true);                    \
                    }                                                                              \
                    for (int64_t i = 0; i < LINE; i += SIDE)                                       \
                        for (int64_t k = 0; k < LINE; k += SIDE)                                   \
                            SQUARE(from + k * in_line + i * SIZE, in_line,                         \
                                   to + i * out_line + k * SIZE, out_line);                        \
                    continue;                                                                      \
                }                                                                                  \
                for (int64_t i = 0; i < rows; i++)                                                 \
                    for (int64_t k = 0; k < cols; k++)                                             \
                        memcpy(to + i * out_line + k * step, from + k * in_line + i * SIZE, SIZE); \
            }                                                                                      \
    }
STRIDED_TRANSPOSE(strided_transpose_1, 1, strided_square_1)
STRIDED_TRANSPOSE(strided_transpose_4, 4, strided_square_4)
STRIDED_TRANSPOSE(strided_transpose_8, 8, strided_square_8)

/* Copies elements of `size` bytes (1, 4 or 8). The axes are overwritten. */
static inline void strided_copy(size_t size, size_t rank, struct strided_axis *axis, const void *in,
                                void *out) {
    for (size_t i = 0; i < rank; i++)
        if (axis[i].extent == 0) return;
    rank = strided_join(rank, axis);
    struct strided_axis col = axis[--rank], row = {1, 0, 0};
    size_t dense = rank; /* an outer axis along which the input is dense, if the inner one is not */
    if (col.in > 1)
        for (size_t i = 0; i < rank; i++)
            if (axis[i].in == 1) dense = i;
    bool tiled = dense < rank;
    if (tiled || rank > 0) {
        if (!tiled) dense = rank - 1;
        row = axis[dense];
        for (size_t i = dense + 1; i < rank; i++) axis[i - 1] = axis[i];
        rank--;
    }
    enum { CACHED = 1 << 20 }; /* bytes that the second-level cache holds, about */
    bool far = tiled && row.extent * col.extent > CACHED / (int64_t)size;
    struct strided_position at = {0};
    do {
        const char *from = (const char *)in + at.in * (int64_t)size;
        char *to = (char *)out + at.out * (int64_t)size;
        if (far && size == 8)
            strided_transpose_8(row, col, from, to);
        else if (far && size == 4)
            strided_transpose_4(row, col, from, to);
        else if (far)
            strided_transpose_1(row, col, from, to);
        else if (size == 8)
            (tiled ? strided_plane_8_tiled : strided_plane_8)(row, col, from, to);
        else if (size == 4)
            (tiled ? strided_plane_4_tiled : strided_plane_4)(row, col, from, to);
        else
            (tiled ? strided_plane_1_tiled : strided_plane_1)(row, col, from, to);
    } while (strided_next(rank, axis, &at));
}

#endif
