/* The errors of mathematical functions as loops of native code compute them, at its usual flags and
 * for this machine's vectors, against long double: within what docs/conventions.md states. */
#include "op/build.h"
#include "support/test.h"
#include "support/vector_accuracy.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

/* Each function has its own number of points, for loops over equally many would become one, which
 * is a vector loop only if all of it can be. */
static size_t points_of(size_t function) { return VECTOR_POINTS - function; }

/* One output for each function, of a_i and b_i. */
static wg_function *compile(wg_dtype dtype) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    for (size_t i = 0; i < native_function_count; i++) {
        const struct op_def *def = op_def(native_functions[i].op);
        char name[2][24];
        value arg[2];
        wg_type type = wg_type_of(dtype, 1, (wg_extent[]){(wg_extent)points_of(i)});
        for (int k = 0; k < 2; k++) {
            snprintf(name[k], sizeof name[k], "%c%zu", 'a' + k, i);
            arg[k] = graph_input(g, name[k], &type);
        }
        graph_output(g, def->name,
                     graph_emit(g, native_functions[i].op, 0, arg, (size_t)def->narg));
    }
    wg_program *p = wg_build(g, &error);
    wg_function *fn = wg_compile(p, &(wg_options){.backend = WG_NATIVE}, &error);
    assert_ok(error);
    assert_string_equal(wg_function_note(fn), "");
    wg_program_free(p);
    return fn;
}

static char *call(wg_dtype dtype, const void *a, const void *b) {
    wg_error error = {0};
    wg_function *fn = compile(dtype);
    size_t size = VECTOR_POINTS * wg_dtype_size(dtype);
    char *y = malloc(native_function_count * size);
    enum { MOST = 32 };
    const void *in[2 * MOST];
    void *out[MOST];
    assert_true(y && native_function_count <= MOST);
    for (size_t i = 0; i < native_function_count; i++) {
        in[2 * i] = a;
        in[2 * i + 1] = b;
        out[i] = y + i * size;
    }
    wg_call_with(fn, NULL, in, out, NULL, &error);
    assert_ok(error);
    wg_function_free(fn);
    return y;
}

static void errors_are_within_bounds(void **state) {
    static double a[VECTOR_POINTS], b[VECTOR_POINTS];
    static float a32[VECTOR_POINTS], b32[VECTOR_POINTS];
    (void)state;
    if (LDBL_MANT_DIG < 64) skip(); /* nothing to compare with */
    vector_points_f64(a, b);
    vector_points_f32(a32, b32);
    char *y = call(WG_F64, a, b), *y32 = call(WG_F32, a32, b32);
    int beyond = 0;
    for (size_t i = 0; i < native_function_count; i++) {
        const struct native_function *f = &native_functions[i];
        size_t n = points_of(i), at = i * VECTOR_POINTS;
        double f64 = native_error_f64(f, n, a, b, (double *)y + at);
        double f32 = native_error_f32(f, n, a32, b32, (float *)y32 + at);
        bool within = f64 <= f->f64_bound && f32 <= f->f32_bound;
        printf("%-6s %8.3f %8.3f%s\n", op_def(f->op)->name, f64, f32, within ? "" : "  beyond");
        beyond += !within;
        if (f64 < 0.4 || f32 < 0.4) fail_msg("%s: measured nothing", op_def(f->op)->name);
    }
    free(y);
    free(y32);
    assert_int_equal(beyond, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_are_within_bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
