/* Eager graphs: values at once, control flow of C on them, gradients of gradients, marks, errors,
 * and the same results as programs have. */
#include "support/failing_allocator.h"
#include "support/random_program.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

static void assert_near(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance * fmax(1, fabs(b)))) fail_msg("%.17g is not %.17g", a, b);
}

static void assert_message(const wg_graph *g, wg_status status, const char *part) {
    assert_int_equal(wg_graph_error(g)->status, status);
    if (!strstr(wg_graph_error(g)->message, part)) fail_msg("%s", wg_graph_error(g)->message);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void values_are_there_at_once(void **state) {
    (void)state;
    const double a[2][3] = {{1, 2, 3}, {4, 5, 6}}, v[3] = {1, -1, 2};
    wg_graph *g = wg_eager_new();
    wg_var A = wg_value(g, wg_f64(2, 3), a), x = wg_value(g, wg_f64(3), v);
    wg_tensor y = wg_data(wg_matmul(A, x));
    assert_int_equal(y.rank, 1);
    assert_int_equal(y.shape[0], 2);
    assert_true(((double *)y.data)[0] == 5 && ((double *)y.data)[1] == 11);
    assert_true(wg_item(wg_sum(wg_mul(x, 2))) == 4);
    assert_true(wg_item(wg_argmax(x, 0)) == 2);
    assert_true(wg_item(wg_gt(wg_sum(x), 1)) == 1);
    assert_true(wg_item(wg_number(g, WG_I32, -7)) == -7);
    wg_tensor t = wg_data(wg_transpose(wg_reshape(A, 3, 2)));
    const double expected[6] = {1, 3, 5, 2, 4, 6};
    assert_memory_equal(t.data, expected, sizeof expected);
    assert_true(wg_item(wg_reshape(wg_slice(x, 0, 1, 2, 1), 1)) == -1);
    assert_ok(*wg_graph_error(g));
    wg_graph_free(g);
}

/* Large and many tensors, in many blocks, all of them still there at the end. */
static void data_do_not_move(void **state) {
    (void)state;
    enum { COUNT = 300 };
    static double data[3000];
    const double *at[COUNT];
    for (int i = 0; i < 3000; i++) data[i] = i;
    wg_graph *g = wg_eager_new();
    for (int i = 0; i < COUNT; i++) {
        wg_var x = wg_value(g, wg_f64(10 * i + 1), data);
        at[i] = wg_data(wg_add(x, i)).data;
        assert_int_equal((uintptr_t)at[i] % 64, 0);
    }
    const double *scalar = wg_data(wg_scalar(g, 3)).data;
    for (int i = 0; i < 5000; i++) wg_scalar(g, i);
    assert_true(*scalar == 3);
    for (int i = 0; i < COUNT; i++) assert_true(at[i][0] == i && at[i][10 * i] == 11 * i);
    assert_ok(*wg_graph_error(g));
    wg_graph_free(g);
}

static void empty_values(void **state) {
    (void)state;
    wg_graph *g = wg_eager_new();
    wg_var x = wg_value(g, wg_f64(0, 3), NULL), slope;
    wg_var y = wg_sum(wg_exp(x));
    assert_true(wg_item(y) == 0);
    wg_backward(y, 1, &x, &slope);
    assert_int_equal(wg_data(slope).shape[0], 0);
    assert_ok(*wg_graph_error(g));
    wg_graph_free(g);
}

static void formulas_are_parts(void **state) {
    (void)state;
    wg_graph *g = wg_eager_new();
    uint32_t start = wg_mark(g);
    for (int i = 0; i < 3; i++) {
        wg_var x = wg_scalar(g, 0.5 + i), y = wg_formula(g, "x*exp(2*x)", "x", x, NULL), slope;
        wg_backward(y, 1, &x, &slope);
        assert_near(wg_item(slope), (2 + 2 * i) * exp(1 + 2 * i), 1e-15);
        wg_rewind(g, start);
    }
    assert_ok(*wg_graph_error(g));
    wg_graph_free(g);
}

/* Random programs give the same, bit for bit, as appended to an eager graph. */
static void programs_give_the_same(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        wg_error error = {0};
        wg_random random = wg_random_seed(seed);
        wg_program *p = random_program(seed, 60, false, NULL, &error);
        assert_ok(error);
        size_t inputs = wg_input_count(p), outputs = wg_output_count(p);
        wg_tensor *in = random_inputs(p, 4, &random), *out = run_program(p, 4, in);
        wg_graph *g = wg_eager_new();
        wg_var x[16], y[16];
        assert_true(inputs <= 16 && outputs <= 16);
        for (size_t i = 0; i < inputs; i++)
            x[i] = wg_value(g, wg_type_of(in[i].dtype, (size_t)in[i].rank, in[i].shape),
                            in[i].data);
        wg_apply(g, p, x, y);
        for (size_t i = 0; i < outputs; i++) {
            wg_tensor t = wg_data(y[i]);
            assert_ok(*wg_graph_error(g));
            assert_int_equal(wg_tensor_count(&t), wg_tensor_count(&out[i]));
            for (int64_t k = 0; k < wg_tensor_count(&t); k++)
                assert_near(((double *)t.data)[k], ((double *)out[i].data)[k], 1e-14);
        }
        wg_graph_free(g);
        free_tensors(in, inputs);
        free_tensors(out, outputs);
        wg_program_free(p);
    }
}

/* ---- control flow and gradients -------------------------------------------------------------- */

/* Newton's method until it has arrived: sqrt(x), with the derivatives of the steps taken. */
static void a_loop_as_long_as_the_data_say(void **state) {
    (void)state;
    wg_graph *g = wg_eager_new();
    for (double number = 0.5; number < 1000; number *= 7) {
        wg_var x = wg_scalar(g, number), y = x, dx, d2x, d3x;
        int steps = 0;
        while (fabs(wg_item(wg_sub(wg_mul(y, y), x))) > 1e-13 * number && steps++ < 50)
            y = wg_mul(wg_add(y, wg_div(x, y)), 0.5);
        wg_backward(y, 1, &x, &dx);
        wg_backward(dx, 1, &x, &d2x);
        wg_backward(d2x, 1, &x, &d3x);
        assert_near(wg_item(y), sqrt(number), 1e-12);
        assert_near(wg_item(dx), 0.5 / sqrt(number), 1e-9);
        assert_near(wg_item(d2x), -0.25 * pow(number, -1.5), 1e-6);
        assert_near(wg_item(d3x), 0.375 * pow(number, -2.5), 1e-3);
    }
    assert_ok(*wg_graph_error(g));
    wg_graph_free(g);
}

static void an_if_on_data(void **state) {
    (void)state;
    wg_graph *g = wg_eager_new();
    for (double number = -2; number <= 2; number += 4) {
        wg_var x = wg_scalar(g, number), y, dx;
        if (wg_item(x) > 0)
            y = wg_log(x);
        else
            y = wg_mul(x, x);
        wg_backward(y, 1, &x, &dx);
        assert_near(wg_item(dx), number > 0 ? 1 / number : 2 * number, 1e-15);
    }
    assert_ok(*wg_graph_error(g));
    wg_graph_free(g);
}

/* A number and its derivative by x and by z, by the rules on paper. */
struct dual {
    double v, dx, dz;
};
static struct dual dual_add(struct dual a, struct dual b) {
    return (struct dual){a.v + b.v, a.dx + b.dx, a.dz + b.dz};
}
static struct dual dual_mul(struct dual a, struct dual b) {
    return (struct dual){a.v * b.v, a.dx * b.v + a.v * b.dx, a.dz * b.v + a.v * b.dz};
}
static struct dual dual_div(struct dual a, struct dual b) {
    double q = a.v / b.v;
    return (struct dual){q, (a.dx - q * b.dx) / b.v, (a.dz - q * b.dz) / b.v};
}

/* Loops as C has them: nested, of lengths that data decide, left early, with variables that are
 * overwritten, a divisor that changes, and one from before the loop, used in it and behind. */
#define LOOPS(NAME, NUMBER, ADD, MUL, DIV, VALUE, CONSTANT)                                        \
    static NUMBER NAME(NUMBER x, NUMBER z) {                                                       \
        NUMBER before = MUL(x, x), y = x, divisor = CONSTANT(x, 1);                                \
        for (int i = 0; VALUE(y) < 40 && i < 60; i++) {                                            \
            divisor = ADD(divisor, MUL(before, CONSTANT(x, 0.01)));                                \
            if (i % 3 == 1) continue;                                                              \
            for (int k = 0; k <= i % 4; k++) {                                                     \
                NUMBER last = y;                                                                   \
                y = ADD(DIV(last, divisor), MUL(z, last));                                         \
                if (VALUE(y) > VALUE(last) * 1.5) break;                                           \
                x = MUL(x, ADD(CONSTANT(x, 1), MUL(CONSTANT(x, 0.001), y)));                       \
            }                                                                                      \
            y = ADD(y, before);                                                                    \
        }                                                                                          \
        return ADD(MUL(y, before), x);                                                             \
    }
#define DUAL_VALUE(a)              (a).v
#define DUAL_CONSTANT(a, number)   ((struct dual){number, 0, 0})
#define CONSTANT_BESIDE(a, number) wg_number((a).graph, WG_F64, number)
LOOPS(on_paper, struct dual, dual_add, dual_mul, dual_div, DUAL_VALUE, DUAL_CONSTANT)
LOOPS(on_a_graph, wg_var, wg_add, wg_mul, wg_div, wg_item, CONSTANT_BESIDE)

static void overwritten_variables_keep_their_adjoints(void **state) {
    (void)state;
    for (double at = 0.2; at < 3; at += 0.4)
        for (double slope = 0.1; slope < 1.2; slope += 0.3) {
            struct dual expected = on_paper((struct dual){at, 1, 0}, (struct dual){slope, 0, 1});
            wg_graph *g = wg_eager_new();
            wg_var leaf[2] = {wg_scalar(g, at), wg_scalar(g, slope)}, adjoint[2];
            wg_var y = on_a_graph(leaf[0], leaf[1]);
            wg_backward(y, 2, leaf, adjoint);
            assert_ok(*wg_graph_error(g));
            assert_near(wg_item(y), expected.v, 1e-13);
            assert_near(wg_item(adjoint[0]), expected.dx, 1e-12);
            assert_near(wg_item(adjoint[1]), expected.dz, 1e-12);
            wg_graph_free(g);
        }
}

/* Of operations whose adjoint is the transpose of a tangent, and of values that are no leaves. */
static void gradients_of_tensors(void **state) {
    (void)state;
    const double data[3] = {0.3, -0.2, 1};
    wg_graph *g = wg_eager_new();
    wg_var x = wg_value(g, wg_f64(3), data), middle = wg_mul(x, 2), other = wg_scalar(g, 1);
    wg_var wrt[3] = {x, middle, other}, adjoint[3], second;
    wg_backward(wg_logsumexp(middle), 3, wrt, adjoint);
    double sum = 0, p[3];
    for (int i = 0; i < 3; i++) sum += exp(2 * data[i]);
    for (int i = 0; i < 3; i++) p[i] = exp(2 * data[i]) / sum;
    for (int i = 0; i < 3; i++) {
        assert_near(((double *)wg_data(adjoint[0]).data)[i], 2 * p[i], 1e-15);
        assert_near(((double *)wg_data(adjoint[1]).data)[i], p[i], 1e-15);
    }
    assert_true(wg_item(adjoint[2]) == 0);
    wg_backward(wg_sum(wg_slice(adjoint[1], 0, 0, 1, 1)), 1, &middle, &second);
    for (int i = 0; i < 3; i++)
        assert_near(((double *)wg_data(second).data)[i], p[0] * ((i == 0) - p[i]), 1e-15);
    assert_ok(*wg_graph_error(g));
    wg_graph_free(g);
}

/* ---- marks ----------------------------------------------------------------------------------- */

/* One step of a kind that depends on i: new numbers, shapes, lines, constants and branches. */
static double step(wg_graph *g, int i) {
    double data[12];
    int64_t n = 1 + i % 12;
    for (int k = 0; k < n; k++) data[k] = sin(i + k);
    wg_var x = wg_value(g, wg_f64(n), data), y = x, slope;
    if (i % 3 == 0) y = wg_mul(y, 0.01 * i);
    if (i % 4 == 1) y = wg_add(y, wg_constant(g, wg_f64(n), data));
    for (int k = 0; k < i % 5; k++) y = wg_tanh(wg_add(y, k + 0.5 * i));
    if (i % 7 == 2) y = wg_broadcast(y, 1 + i % 3, n);
    wg_backward(wg_add(wg_logsumexp(y), wg_sum(wg_mul(y, y))), 1, &x, &slope);
    return ((double *)wg_data(slope).data)[0];
}

static void a_rewound_graph_is_as_it_was(void **state) {
    (void)state;
    struct failing_allocator memory = {0};
    wg_allocator hook = failing_hook(&memory);
    wg_graph *g = wg_eager_new_with(&hook);
    wg_var kept = wg_scalar(g, 4);
    uint32_t start = wg_mark(g);
    size_t early = 0;
    for (int i = 0; i < 4000; i++) {
        wg_graph *fresh = i < 500 ? wg_eager_new() : NULL;
        double slope = step(g, i);
        if (fresh) assert_true(slope == step(fresh, i));
        wg_graph_free(fresh);
        if (i % 5 == 4) { /* a mark within */
            uint32_t inner = wg_mark(g);
            assert_true(step(g, i / 2) == step(g, i / 2));
            wg_rewind(g, inner);
        }
        wg_rewind(g, start);
        assert_true(wg_item(kept) == 4);
        if (i == 1999) early = memory.peak_bytes;
    }
    assert_ok(*wg_graph_error(g));
    assert_int_equal(memory.peak_bytes, early);
    wg_graph_free(g);
    assert_int_equal(memory.live_blocks, 0);
    assert_int_equal(memory.wrong_sizes, 0);
}

/* Sharing survives: what stood before the mark is found again, what stood behind is not. */
static void sharing_survives_a_rewind(void **state) {
    (void)state;
    enum { BEFORE = 700, AFTER = 900 };
    wg_graph *g = wg_eager_new();
    wg_var x = wg_scalar(g, 2), v[BEFORE];
    for (int i = 0; i < BEFORE; i++) v[i] = wg_mul(x, i + 0.25);
    uint32_t mark = wg_mark(g);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < AFTER * round; i++) {
            wg_var y = wg_mul(x, -0.5 - i), again = wg_mul(x, -0.5 - i);
            assert_int_equal(y.id, again.id);
            assert_true(wg_item(y) == 2 * (-0.5 - i));
        }
        for (int i = 0; i < BEFORE; i++) assert_int_equal(wg_mul(x, i + 0.25).id, v[i].id);
        wg_rewind(g, mark);
    }
    assert_ok(*wg_graph_error(g));
    wg_graph_free(g);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void errors_tell_what_to_do(void **state) {
    (void)state;
    wg_graph *g = wg_eager_new(), *plain = wg_graph_new();
    const double data[2] = {1, 2};
    wg_backward(wg_value(g, wg_f64(2), data), 0, NULL, NULL);
    assert_message(g, WG_ESHAPE, "backward: from f64[2], not from a floating scalar");
    assert_true(isnan(wg_item(wg_scalar(g, 1))));
    assert_null(wg_data(wg_scalar(g, 1)).data);
    wg_graph_free(g);

    g = wg_eager_new();
    wg_backward(wg_number(g, WG_I64, 1), 0, NULL, NULL);
    assert_message(g, WG_EDTYPE, "not from a floating scalar");
    wg_graph_free(g);

    g = wg_eager_new();
    wg_var x = wg_scalar(g, 1), k = wg_value(g, wg_i64(), &(int64_t){3}), d;
    wg_backward(x, 1, &k, &d);
    assert_message(g, WG_EDTYPE, "with respect to i64");
    wg_graph_free(g);

    g = wg_eager_new();
    wg_take(wg_value(g, wg_f64(2), data), wg_number(g, WG_I64, 5), 0);
    assert_message(g, WG_EINDEX, "test_eager.c:");
    wg_graph_free(g);

    g = wg_eager_new();
    wg_item(wg_value(g, wg_f64(2), data));
    assert_message(g, WG_ESHAPE, "wg_data");
    wg_graph_free(g);

    g = wg_eager_new();
    wg_input(g, "x", wg_f64());
    assert_message(g, WG_EARGUMENT, "wg_value");
    wg_error error = {0};
    assert_null(wg_build(g, &error));
    assert_int_equal(error.status, WG_EARGUMENT);

    g = wg_eager_new();
    wg_output(g, "y", wg_scalar(g, 1));
    assert_message(g, WG_EARGUMENT, "wg_data");
    wg_graph_free(g);

    g = wg_eager_new();
    wg_size(g, "n");
    assert_message(g, WG_EARGUMENT, "no named sizes");
    wg_graph_free(g);

    g = wg_eager_new();
    wg_value(g, wg_f64(2), NULL);
    assert_message(g, WG_EARGUMENT, "data are NULL");
    wg_graph_free(g);

    g = wg_eager_new();
    wg_value(g, wg_f64(INT64_MAX / 4), NULL);
    assert_message(g, WG_EOVERFLOW, "no memory holds");
    wg_graph_free(g);

    g = wg_eager_new();
    wg_rewind(g, 1);
    assert_message(g, WG_EARGUMENT, "there is no mark 1");
    wg_graph_free(g);

    assert_true(isnan(wg_item(wg_number(plain, WG_F64, 1))));
    assert_message(plain, WG_EARGUMENT, "wg_eager_new");
    wg_graph_free(plain);
    assert_true(isnan(wg_item((wg_var){NULL, 0})));
}

static wg_status work(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_graph *g = wg_eager_new_with(allocator);
    uint32_t start = wg_mark(g);
    for (int i = 20; i < 24; i++) {
        wg_var x = wg_scalar(g, i), dx, d2x;
        double big[400] = {0};
        wg_var y = wg_add(wg_sum(wg_mul(wg_value(g, wg_f64(100 * (i - 19)), big), x)), wg_sin(x));
        wg_backward(y, 1, &x, &dx);
        wg_backward(dx, 1, &x, &d2x);
        bool right = fabs(wg_item(d2x) + sin(i)) < 1e-12;
        if (wg_graph_error(g)->status == WG_OK) assert_true(right);
        wg_rewind(g, start);
    }
    wg_status status = wg_graph_error(g)->status;
    wg_graph_free(g);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    assert_true(fail_every_request(work, NULL) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_there_at_once),
        cmocka_unit_test(data_do_not_move),
        cmocka_unit_test(empty_values),
        cmocka_unit_test(formulas_are_parts),
        cmocka_unit_test(programs_give_the_same),
        cmocka_unit_test(a_loop_as_long_as_the_data_say),
        cmocka_unit_test(an_if_on_data),
        cmocka_unit_test(overwritten_variables_keep_their_adjoints),
        cmocka_unit_test(gradients_of_tensors),
        cmocka_unit_test(a_rewound_graph_is_as_it_was),
        cmocka_unit_test(sharing_survives_a_rewind),
        cmocka_unit_test(errors_tell_what_to_do),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
