/* A call with a workspace allocates nothing, neither through the allocator nor past it: malloc and
 * its kin are this file's own, in front of the C library's, for the library and for OpenBLAS alike.
 * The program has every kind of step and most kernels, its sizes are named, and they grow after the
 * first call, in which a BLAS makes its own memory. Only with glibc, whose own functions have names
 * of their own, and without sanitizers, which bring their own. */
#include "op/op.h"
#include "run/run.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define COUNTING 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTING 0
#endif
#endif
#ifndef COUNTING
#define COUNTING 1
#endif

static _Atomic size_t allocations;

#if COUNTING
#define OURS __attribute__((visibility("default")))
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

OURS void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}
OURS void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}
OURS void *realloc(void *block, size_t size) {
    allocations++;
    return __libc_realloc(block, size);
}
OURS void *memalign(size_t alignment, size_t size);
OURS void *memalign(size_t alignment, size_t size) {
    allocations++;
    return __libc_memalign(alignment, size);
}
OURS void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
OURS int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = memalign(alignment, size);
    return *block ? 0 : 12; /* ENOMEM */
}
#endif

static const char formula[] =
    "scalars(a, b) = sin(a*b + 2)*exp(a) + hypot(a, b)\n"
    "groups(x[n,4], W[4,4]) = sum(tanh(x @ W + x[0])*x)\n"
    "large(y[n,64], V[64,64]) = sum(square(y @ V)) + norm(y) + sum(transpose(y) @ y)\n"
    "image(z[n,2,6,6], k[3,2,3,3]) = sum(square(conv2d(z, k, 1, 1))) + sum(conv2d(z, k, 2, 1))\n"
    "reductions(x[n,4]) = logsumexp(x) + max(x) + sum(logsumexp(x, axis=0)) + sum(norm(x, 2))\n"
    "scans(x[n,4]) = sum(cumsum(x, axis=0)*x) + sum(cumprod(x)) + sum(sort(x, axis=0)[0])\n"
    "moves(x[n,4], i[n]: i64) = sum(x[i]*x) + sum(square(concat(x, x[::-1], axis=1))) +\n"
    "  sum(square(pad(x, 1, 2, axis=0))) + sum(square(reshape(x, -1))) + sum(pick(x, i))\n"
    "f(a, b, x[n,4], W[4,4], y[n,64], V[64,64], z[n,2,6,6], k[3,2,3,3], i[n]: i64) =\n"
    "  scalars(a, b) + groups(x, W) + large(y, V) + image(z, k) + reductions(x) + scans(x) +\n"
    "  moves(x, i)\n";

enum { INPUTS = 9, MOST = 40 };
static const size_t elements[INPUTS] = {1,       1,         4 * MOST,  16,  64 * MOST,
                                        64 * 64, 72 * MOST, 3 * 2 * 9, MOST};

static void assert_complete(const wg_function *fn) {
    static const char *const names[] = {"dot",     "conv", "sum",    "logsumexp",
                                        "norm",    "take", "cumsum", "scatter_add",
                                        "argsort", "pad",  "recur",  "concat"};
    const struct trace *t = &fn->program->t;
    size_t steps[STEP_COPIES + 1] = {0};
    for (size_t k = 0; k < fn->step.count; k++) steps[fn->step.at[k].kind]++;
    for (size_t kind = 0; kind <= STEP_COPIES; kind++) assert_int_not_equal(steps[kind], 0);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        unsigned op = op_by_name(names[k], strlen(names[k]));
        bool found = false;
        for (size_t s = 0; s < fn->step.count; s++)
            found = found || (fn->step.at[s].kind == STEP_OPERATION &&
                              instr_at(t, fn->step.at[s].count)->op == op);
        if (!found) fail_msg("no step runs %s", names[k]);
    }
}

static void a_call_allocates_nothing(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *f = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program *both = wg_value_and_grad(f, NULL, &error);
    wg_function *fn = wg_compile(both, NULL, &error);
    assert_ok(error);
    assert_complete(fn);
    size_t bytes;
    assert_int_equal(wg_workspace_size(fn, (int64_t[]){MOST}, &bytes, &error), WG_OK);
    void *workspace = aligned_alloc(64, (bytes + 63) / 64 * 64);
    void *in[INPUTS], *out[INPUTS];
    for (size_t k = 0; k < INPUTS; k++) {
        in[k] = calloc(elements[k], 8);
        out[k] = calloc(k ? elements[k - 1] : 1, 8);
        for (size_t e = 0; e < elements[k] && k + 1 < INPUTS; e++)
            ((double *)in[k])[e] = (double)((7 * e + k) % 11) / 11;
        for (size_t e = 0; e < elements[k] && k + 1 == INPUTS; e++)
            ((int64_t *)in[k])[e] = (int64_t)(e % 3);
    }
    size_t before = allocations;
    void *volatile block = malloc(1); /* volatile: else the pair could go */
    free(block);
    assert_int_equal(allocations - before, COUNTING);
    for (int64_t n = 4; n <= MOST; n += MOST - 4) {
        before = allocations;
        wg_status status = wg_call_with(fn, &n, (const void *const *)in, out, workspace, &error);
        size_t made = allocations - before;
        assert_ok(error);
        assert_int_equal(status, WG_OK);
        if (n == MOST) assert_int_equal(made, 0);
    }
    for (size_t k = 0; k < INPUTS; k++) {
        free(in[k]);
        free(out[k]);
    }
    free(workspace);
    wg_function_free(fn);
    wg_program_free(both);
    wg_program_free(f);
}

static void sparse_values_allocate_nothing(void **state) {
    (void)state;
    static const char text[] = "f(x[n]) = concat(reshape(sum(x^2), 1), x[1:]^2*x[0])";
    enum { N = 300 };
    static double x[N], entry[3 * N];
    wg_error error = {0};
    wg_program *f = wg_parse(text, strlen(text), NULL, &error);
    wg_sparse_options options = {.size = (int64_t[]){N}};
    wg_sparse *s = wg_sparse_jacobian(f, &options, &error);
    void *workspace = wg_sparse_workspace_new(s, &error);
    assert_ok(error);
    int64_t forward, reverse;
    wg_sparse_sweeps(s, &forward, &reverse);
    assert_true(forward > 0 && reverse > 0); /* both programs are called */
    for (size_t k = 0; k < N; k++) x[k] = (double)k;
    size_t before = allocations;
    wg_sparse_values(s, (const void *const[]){x}, entry, workspace, &error);
    size_t made = allocations - before;
    assert_ok(error);
    assert_int_equal(made, 0);
    assert_true(entry[N] == 1 && entry[N - 1] == 2 * (N - 1)); /* d x_1^2 x_0 / d x_0, d y_0 */
    wg_sparse_workspace_free(workspace);
    wg_sparse_free(s);
    wg_program_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_call_allocates_nothing),
                                       cmocka_unit_test(sparse_values_allocate_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
