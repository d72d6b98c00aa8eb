/* What every program compiled through C begins with. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <math.h>

typedef union { /* a scalar that outlives the function that makes it */
    uint8_t b8;
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
} wg_cell;

typedef struct { /* a call */
    void *call;
    int (*operation)(void *call, uint32_t step); /* runs one operation of the library */
    char *const *table;                          /* addresses of inputs, outputs and slots */
    wg_cell *cell;
    const int64_t *size;
    int threads; /* that the call may use */
    /* Runs, or checks, an operation of a loop's or branch's body, with the addresses of its result
     * and operands, under these sizes. */
    int (*inside)(void *call, uint32_t body, uint32_t operation, int check, void *const *at,
                  const int64_t *size);
    void *inner; /* the workspace of bodies */
} wg_frame;

/* Iterations of the loop that follows do not depend on each other. */
#if defined(__clang__)
#define WG_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define WG_INDEPENDENT _Pragma("GCC ivdep")
#else
#define WG_INDEPENDENT
#endif
#if defined(__GNUC__)
#define WG_APART __attribute__((noinline, unused))
#define WG_UNUSED __attribute__((unused))
#define WG_WITHIN static inline __attribute__((always_inline, unused)) /* a body in its loop */
#else
#define WG_APART
#define WG_UNUSED
#define WG_WITHIN static
#endif
#define WG_BLOCK 512   /* terms of a sum that are computed together */
#define WG_COLUMNS 512 /* columns that are reduced together */
#define WG_ROWS 64     /* rows that are added up in turn */
#define WG_LANES 16  /* partial sums of a block */
#define WG_ACROSS 16 /* iterations of a loop that goes across rows, taken at a time */
/* Memory that is read, or written, soon. */
#if defined(__GNUC__)
#define WG_SOON(address) __builtin_prefetch(address, 0, 2)
#define WG_SOON_WRITTEN(address) __builtin_prefetch(address, 1, 2)
#else
#define WG_SOON(address) (void)(address)
#define WG_SOON_WRITTEN(address) (void)(address)
#endif
#if defined(__AVX512F__)
#define WG_VECTOR_BYTES 64
#define WG_TILE 5 /* rows and columns of a product whose sums the registers hold */
#define WG_SUM_VECTORS 16 /* vectors of sums that they hold */
#else
#if defined(__AVX__)
#define WG_VECTOR_BYTES 32
#else
#define WG_VECTOR_BYTES 16
#endif
#define WG_TILE 3
#define WG_SUM_VECTORS 8
#endif
/* So many lanes of each of these sums, of numbers of this size, the registers hold at once. */
#define WG_FITS(sums, size, lanes)                                                                 \
    ((sums) * (size) * (lanes) <= WG_SUM_VECTORS * WG_VECTOR_BYTES)
#define WG_AT_ONCE(sums, size)                                                                     \
    (WG_FITS(sums, size, 16)  ? 16                                                                 \
     : WG_FITS(sums, size, 8) ? 8                                                                  \
     : WG_FITS(sums, size, 4) ? 4                                                                  \
                              : 2)
/* A pointer to an array, of which compilers do not know where it comes from. */
#if defined(__GNUC__)
#define WG_ALIGNED __attribute__((aligned(64)))
#define WG_POINTER(type, name, array)                                                              \
    type *name = array;                                                                            \
    __asm__("" : "+r"(name))
#else
#define WG_ALIGNED
#define WG_POINTER(type, name, array) type *name = array
#endif
/* A loop over lanes: whole vectors, and their sums in registers. gcc would first unroll a short
 * body sixteen times, and find the vectors in what results only slowly. */
#if defined(__GNUC__) && !defined(__clang__)
#define WG_LANE_LOOP _Pragma("GCC ivdep") _Pragma("GCC unroll 1")
#else
#define WG_LANE_LOOP WG_INDEPENDENT
#endif
/* Keeps compilers from computing iterations of a loop side by side, and from taking the time. */
#if defined(__GNUC__)
#define WG_ONE_BY_ONE __asm__ volatile("");
#else
#define WG_ONE_BY_ONE
#endif

typedef double f64;

static inline void wg_copy(void *to, const void *from, size_t size)
{
    if (size && to != from) memmove(to, from, size);
}

/* Whether an index is none of 0 .. n - 1. No early end, so that the loop becomes vector code. */
static inline int wg_outside_i64(const int64_t *index, int64_t count, int64_t n)
{
    int64_t outside = 0;
    for (int64_t i = 0; i < count; i++) outside |= (index[i] < 0) | (index[i] >= n);
    return outside != 0;
}

static inline int wg_outside_i32(const int32_t *index, int64_t count, int64_t n)
{
    int outside = 0;
    for (int64_t i = 0; i < count; i++) outside |= (index[i] < 0) | (index[i] >= n);
    return outside;
}

/* How often a loop runs that is to run `count` times, and at most `length` times. */
static inline int64_t wg_trips(int64_t count, int64_t length)
{
    return count > length ? length : count < 0 ? 0 : count;
}

/* Whether indices from low to high, within 0 .. n - 1, leave that by `count` - 1 steps, of
 * which there may be none; takes them to where they come. */
static inline int wg_leaves(int64_t step, int64_t count, int64_t n, int64_t *low, int64_t *high)
{
    const uint64_t more = (uint64_t)count - 1, size = step < 0 ? 0 - (uint64_t)step : (uint64_t)step;
    const uint64_t room = (uint64_t)(step < 0 ? *low : n - 1 - *high);
    if ((size | more) >> 31 ? size != 0 && more > room / size : size * more > room) return 1;
    if (step < 0) *low -= (int64_t)(size * more);
    else *high += (int64_t)(size * more);
    return 0;
}

/* The first index that is none of 0 .. n - 1, of loops within each other, the outermost first:
 * those of negative counts run backwards. */
static WG_APART int64_t wg_first_outside(int64_t first, int64_t n, int loops, const int64_t *step,
                                         const int64_t *count)
{
    const int64_t trips = loops ? count[0] < 0 ? -count[0] : count[0] : 0;
    if (!loops ) return first;
    for (int64_t i = 0; i < trips; i++) {
        const uint64_t k = (uint64_t)(count[0] < 0 ? trips - 1 - i : i);
        const int64_t at = (int64_t)((uint64_t)first + (uint64_t)step[0] * k);
        const int64_t found = wg_first_outside(at, n, loops - 1, step + 1, count + 1);
        if (found < 0 || found >= n) return found;
    }
    return 0;
}

static inline size_t wg_larger(size_t a, size_t b) { return a > b ? a : b; }

/* Division rounds down; -1 is a case of its own because the smallest integer has no quotient. */
static inline int64_t floor_quotient(int64_t a, int64_t b)
{
    if (b == 0) return 0;
    if (b == -1) return (int64_t)(0 - (uint64_t)a);
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static inline int64_t floor_remainder(int64_t a, int64_t b)
{
    int64_t rest;
    if (b == 0) return a;
    if (b == -1) return 0;
    rest = a % b;
    return rest != 0 && (a < 0) != (b < 0) ? rest + b : rest;
}
/* a b, but 0 where a or b is 0: that only matters where the product is NaN, which the common case
 * does not look further than. */
#define ABSOLUTE(a, b)                                                                             \
    ((a) * (b) + 0 == (a) * (b) + 0 ? (a) * (b) + 0 : (((a) == 0) | ((b) == 0)) ? 0 : (a) * (b))
#define BITS(x) (8 * sizeof(x))
/* To the right with the sign kept, which C leaves to the compiler. */
#define SHIFTED(a, count) ((a) < 0 ? ~(~(a) >> (count)) : (a) >> (count))

/* Truncation, saturating, NaN to 0. */
#define WG_TRUNCATE(name, T, R, limit, smallest, largest)                                          \
    static inline R name(T a)                                                                      \
    {                                                                                              \
        return a >= (T)(limit) ? (largest) : a >= (T) - (limit) ? (R)a : a < 0 ? (smallest) : 0;   \
    }
WG_TRUNCATE(wg_f32_to_i32, float, int32_t, 2147483648.0, INT32_MIN, INT32_MAX)
WG_TRUNCATE(wg_f64_to_i32, double, int32_t, 2147483648.0, INT32_MIN, INT32_MAX)
WG_TRUNCATE(wg_f32_to_i64, float, int64_t, 9223372036854775808.0, INT64_MIN, INT64_MAX)
WG_TRUNCATE(wg_f64_to_i64, double, int64_t, 9223372036854775808.0, INT64_MIN, INT64_MAX)
