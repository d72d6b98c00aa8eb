#include "support/orders.h"

#include "support/test.h"

#include <math.h>
#include <stdio.h>

/* A program of x f64 -> y f64 at x. */
static double call_at(const wg_program *p, const char *output, const double *input) {
    wg_error error = {0};
    wg_function *fn = wg_compile(p, NULL, &error);
    double result[8];
    const void *in[8];
    void *out[8];
    assert_ok(error);
    for (size_t i = 0; i < wg_input_count(p); i++) in[i] = &input[i];
    for (size_t i = 0; i < wg_output_count(p); i++) out[i] = &result[i];
    assert_int_equal(wg_call(fn, NULL, in, out), WG_OK);
    int index = wg_output_index(p, output);
    assert_true(index >= 0);
    wg_function_free(fn);
    return result[index];
}

/* The first derivative of the output `of` of p by x: forward or reverse, seeds become inputs. */
static wg_program *derive(wg_program *p, bool forward, const char *of) {
    wg_error error = {0};
    wg_program *q = forward ? wg_jvp(p, of, "x", &error) : wg_vjp(p, of, "x", &error);
    assert_ok(error);
    wg_program_free(p);
    return q;
}

static const char *last_output(const wg_program *p) {
    return wg_output_name(p, wg_output_count(p) - 1);
}

void check_orders(formula *f, double x, const double *expected, size_t orders) {
    for (unsigned modes = 0; modes < 1u << orders; modes++) {
        wg_graph *g = wg_graph_new();
        wg_error error = {0};
        wg_var v = wg_input(g, "x", wg_f64());
        wg_output(g, "y", f(g, v));
        wg_program *p = wg_build(g, &error);
        assert_ok(error);
        double input[8] = {x, 1, 1, 1, 1, 1, 1, 1};
        for (size_t order = 0; order < orders; order++) {
            char of[64];
            snprintf(of, sizeof of, "%s", last_output(p));
            p = derive(p, modes >> order & 1, of);
            double y = call_at(p, last_output(p), input);
            bool close = fabs(y - expected[order]) <= 1e-14 * fabs(expected[order]);
            if (!close && y != expected[order])
                fail_msg("order %zu at %g, modes %x: %g, not %g", order + 1, x, modes, y,
                         expected[order]);
        }
        wg_program_free(p);
    }
}
