/* Status codes, errors, memory, element types and shapes: what every other part of the
 * interface is written in. */
#ifndef WENGERT_BASE_H
#define WENGERT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define WG_API
#else
#define WG_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ------------------------------------------------------------------------------ */

typedef enum wg_status {
    WG_OK = 0,
    WG_EARGUMENT, /* a null or meaningless argument                                       */
    WG_ESHAPE,    /* shapes or ranks that do not go together                              */
    WG_EDTYPE,    /* element types that do not go together                                */
    WG_ENAME,     /* a name that is unknown, missing or used twice                        */
    WG_ESYNTAX,   /* text that the grammar does not know                                  */
    WG_EINDEX,    /* an index outside its axis, at a call                                 */
    WG_EOVERFLOW, /* a size or count that no machine word or memory holds                 */
    WG_ENOMEM,    /* the allocator returned NULL                                          */
    WG_EIO,       /* a file that cannot be opened, read or written                        */
    WG_EFORMAT,   /* a file whose content contradicts its format                          */
    WG_ENORULE,   /* an operation that has no derivative, where one is asked for          */
    WG_EALIAS,    /* buffers that overlap where they must not                             */
    WG_ENATIVE,   /* no C compiler, one that fails or hangs, code that does not load     */
    WG_EINTERNAL  /* a broken invariant: a mistake in the library, please report it       */
} wg_status;

/* The first error of a chain of calls, owned by the caller; start from `wg_error e = {0};`.
 * It is sticky: a function that receives an error with a status other than WG_OK does nothing
 * and returns NULL or that status, so a chain needs one check at its end. Every function that
 * takes a wg_error * accepts NULL. The message says what, where, and what to do; it has no
 * trailing newline, and its first line stands by itself. */
typedef struct wg_error {
    wg_status status;
    char message[2044];
} wg_error;

/* A short English name of a status, "shape error" for WG_ESHAPE; static storage. */
WG_API const char *wg_status_name(wg_status status);

/* The version of the library as "major.minor.patch"; static storage. */
WG_API const char *wg_version(void);

/* The number of the binary interface, which the shared library's name ends in. It grows with every
 * change after which a program must be compiled anew: a function or a field that is gone or means
 * something else. What is only added keeps it. 0: no such promise yet. */
#define WG_ABI_VERSION 0
/* That of the library at hand; other than WG_ABI_VERSION, it is not what was compiled against. */
WG_API int wg_abi_version(void);

/* ---- memory ------------------------------------------------------------------------------ */

/* The one hook for memory. resize(ctx, NULL, 0, n) allocates n > 0 bytes, resize(ctx, p, old, n)
 * resizes, resize(ctx, p, old, 0) frees and returns NULL. Blocks must be aligned as malloc aligns.
 * It returns NULL when there is no memory: the library then reports WG_ENOMEM and stays sound.
 * One allocator may be used from several threads if its resize allows that. */
typedef struct wg_allocator {
    void *(*resize)(void *ctx, void *block, size_t old_size, size_t new_size);
    void *ctx;
} wg_allocator;

/* A growable piece of text that library functions append to; start from `wg_text t = {0};`.
 * data is NUL-terminated once anything was appended, size counts the bytes before the NUL.
 * Release it with wg_text_free. */
typedef struct wg_text {
    char *data;
    size_t size, capacity;
    wg_allocator allocator; /* all zero: the standard one */
} wg_text;

WG_API void wg_text_free(wg_text *text);

/* ---- element types and shapes ------------------------------------------------------------ */

typedef enum wg_dtype { WG_BOOL, WG_I32, WG_I64, WG_F32, WG_F64 } wg_dtype;

#define WG_DTYPE_COUNT 5
#define WG_MAX_RANK 8

/* "f64" for WG_F64 and so on; static storage. */
WG_API const char *wg_dtype_name(wg_dtype dtype);
/* Bytes of one element: 1, 4, 8, 4, 8. */
WG_API size_t wg_dtype_size(wg_dtype dtype);

/* The length of an axis. A value >= 0 is a constant. A negative one stands for a polynomial in the
 * named sizes of the graph or program that made it, and means nothing elsewhere. */
typedef int64_t wg_extent;

/* Element type and shape, row-major; rank 0 is a scalar. */
typedef struct wg_type {
    uint8_t dtype, rank;
    wg_extent extent[WG_MAX_RANK];
} wg_type;

/* A type from a list of extents; rank above WG_MAX_RANK gives a type that every function
 * refuses. */
static inline wg_type wg_type_of(wg_dtype dtype, size_t rank, const wg_extent *extent) {
    wg_type type;
    type.dtype = (uint8_t)dtype;
    type.rank = (uint8_t)(rank <= WG_MAX_RANK ? rank : 255);
    for (size_t i = 0; i < WG_MAX_RANK; i++) type.extent[i] = i < rank ? extent[i] : 0;
    return type;
}

#ifndef __cplusplus
/* wg_f64() is a scalar, wg_f64(n) a vector, wg_f64(784, 10) a matrix, and so on. */
#define WG_TYPE_(dtype, ...)                                                                       \
    wg_type_of(dtype, sizeof((wg_extent[]){0, __VA_ARGS__}) / sizeof(wg_extent) - 1,               \
               (const wg_extent[]){0, __VA_ARGS__} + 1)
#define wg_bool(...) WG_TYPE_(WG_BOOL, __VA_ARGS__)
#define wg_i32(...) WG_TYPE_(WG_I32, __VA_ARGS__)
#define wg_i64(...) WG_TYPE_(WG_I64, __VA_ARGS__)
#define wg_f32(...) WG_TYPE_(WG_F32, __VA_ARGS__)
#define wg_f64(...) WG_TYPE_(WG_F64, __VA_ARGS__)
#endif

/* A row-major array of numbers in memory: what calls on tensors and the readers of files use.
 * Whether data is borrowed or owned is said where a function takes or gives one. */
typedef struct wg_tensor {
    void *data;
    wg_dtype dtype;
    int rank;
    int64_t shape[WG_MAX_RANK];
} wg_tensor;

/* The number of elements, or -1 if it overflows, or if an extent is negative. */
WG_API int64_t wg_tensor_count(const wg_tensor *tensor);
/* Frees the data of a tensor that the library allocated with this allocator (NULL: the standard
 * one), and clears the tensor. */
WG_API void wg_tensor_free(wg_tensor *tensor, const wg_allocator *allocator);

#ifdef __cplusplus
}
#endif
#endif
