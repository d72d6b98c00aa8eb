/* Loaded before the library (LD_PRELOAD) into an example of a solver, it stands between the two:
 * every call of a compiled function passes through here, and its time is taken. At the end one line
 * goes to standard error: calls, microseconds within them, microseconds from the begin of the first
 * to the end of the last, which is the solver's and the calls' time together. */
#define _GNU_SOURCE
#include <wengert.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef wg_status call_with(const wg_function *fn, const int64_t *size, const void *const *input,
                            void *const *output, void *workspace, wg_error *error);

static call_with *library_call; /* examples have one thread */
static double first, last, within;
static long calls;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

__attribute__((constructor)) static void find_library(void) {
    void *symbol = dlsym(RTLD_NEXT, "wg_call_with");
    memcpy(&library_call, &symbol, sizeof symbol); /* ISO C has no cast from data to functions */
}

wg_status wg_call_with(const wg_function *fn, const int64_t *size, const void *const *input,
                       void *const *output, void *workspace, wg_error *error) {
    double begin = now();
    wg_status status = library_call(fn, size, input, output, workspace, error);
    last = now();
    within += last - begin;
    if (calls++ == 0) first = begin;
    return status;
}

__attribute__((destructor)) static void report(void) {
    if (calls) fprintf(stderr, "%ld %.1f %.1f\n", calls, within, last - first);
}
