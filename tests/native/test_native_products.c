/* Products and sums that native code keeps in registers, against the interpreter: short products in
 * every orientation, of views, in batches, and summed over their rows; passes with more statements
 * and sums than fit one loop, at sizes around those of lanes and blocks; and the derivatives of all
 * of them. */
#include "native/bundle.h"

#include <string.h>

static const int64_t sizes[] = {0, 1, 15, 16, 17, 511, 513, 1100};

static wg_program *parse(const char *formula) {
    wg_error error = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    if (error.status) fail_msg("%.80s\n%s", formula, error.message);
    return p;
}

/* The program and its second derivative, which has products with all flags. */
static void add_with_derivatives(struct bundle *b, const char *formula) {
    wg_error error = {0};
    wg_program *p = parse(formula), *vjp = wg_vjp(p, NULL, NULL, &error);
    wg_program *jvp = wg_jvp(vjp, NULL, NULL, &error);
    if (error.status) fail_msg("%.80s\n%s", formula, error.message);
    bundle_add(b, p, formula);
    bundle_add(b, jvp, formula);
    wg_program_free(p);
    wg_program_free(vjp);
    wg_program_free(jvp);
}

static wg_tensor draw(const wg_program *p, size_t i, int64_t n, wg_random *random) {
    wg_type type = wg_input_type(p, i);
    wg_tensor t = {.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    for (int k = 0; k < t.rank; k++)
        t.shape[k] = type.extent[k] >= 0 ? type.extent[k] : test_extent(p, type.extent[k], n);
    t.data = calloc((size_t)wg_tensor_count(&t) + 1, 8);
    assert_non_null(t.data);
    for (int64_t k = 0; k < wg_tensor_count(&t); k++) {
        double x = 2 * wg_random_uniform(random) - 1;
        if (t.dtype == WG_F64) ((double *)t.data)[k] = x;
        else ((float *)t.data)[k] = (float)x;
    }
    return t;
}

static void compare(struct bundle *b) {
    static const struct tolerance rounding = {1e-11, 1e-4};
    wg_program *p = bundle_build(b);
    wg_function *interpreted = bundle_compile(p, WG_INTERPRET, NULL);
    wg_function *plain = bundle_compile(p, WG_NATIVE, "-O0 -ffp-contract=off");
    wg_function *fast = bundle_compile(p, WG_NATIVE, NULL);
    wg_tensor *in = calloc(b->inputs, sizeof *in);
    size_t different = 0;
    assert_non_null(in);
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        wg_random random = wg_random_seed(s);
        for (size_t i = 0; i < b->inputs; i++) in[i] = draw(p, i, sizes[s], &random);
        different += bundle_compare(b, interpreted, plain, sizes[s], in, same_bits, "plain");
        different += bundle_compare(b, interpreted, fast, sizes[s], in, rounding, "optimised");
        for (size_t i = 0; i < b->inputs; i++) free(in[i].data);
    }
    free(in);
    wg_function_free(interpreted);
    wg_function_free(plain);
    wg_function_free(fast);
    wg_program_free(p);
    bundle_free(b);
    assert_int_equal(different, 0);
}

static void short_products_agree(void **state) {
    static const char *const formulas[] = {
        /* extents below, at and above what a short product has, vectors and single columns */
        "f(a[n,1], b[1,5]) = a @ b",
        "f(a[n,3], b[3,3]) = tanh(a @ b) + a",
        "f(a[n,8], b[8,17]) = sum((a @ b)^2, axis=1)",
        "f(a[n,32], b[32,2]) = a @ b",
        "f(a[n,33], b[33,2]) = a @ b",
        "f(a[n,4], b[4]) = a @ b",
        "f(a[4], b[4,n]) = a @ b",
        "f(a[5], b[5]) = a @ b",
        "f(a[3,4], b[4,n]) = sin(a @ b)",
        "f(a[n,20]: f32, b[20,10]: f32) = exp(a @ b)",
        /* orientations */
        "f(a[n,6], b[7,6]) = cos(a @ b')",
        "f(a[6,n], b[6,7]) = a' @ b",
        "f(a[6,n], b[7,6]) = a' @ b'",
        "f(a[n,6], b[n,7]) = a' @ b",
        /* batches */
        "f(a[n,3,3], b[n,3]) = einsum(\"nij,nj->ni\", a, b)",
        "f(a[n,2,4], b[n,4,3]) = a @ b",
        "f(q[4,5,5], x[n,5], m[4,5]) = sum(einsum(\"kij,knj->kni\", q, "
        "expand(x, axis=0) - expand(m, axis=1))^2, axis=2)",
        /* views as operands */
        "f(a[n,3], b[3,3]) = (a[:, ::-1] - b[0]) @ b[::-1]",
        "f(a[n,4], c) = (a*c) @ (ones(4, 3) + c)",
        "f(a[n,2,3], b[3,2]) = reshape(a, 2*n, 3) @ b",
        /* sums over the rows and columns of a product */
        "f(a[n,3], b[3,4]) = sum(a @ b, axis=0)",
        "f(a[n,3], b[3,4]) = sum(-(a @ b), axis=0) * 2",
        "f(a[n,3], b[3,4]) = sum(a @ b, axis=1)",
        "f(a[n,40], b[40,50]) = sum(a @ b, axis=0)",
        "f(a[2,n,3], b[2,3,4]) = sum(a @ b, axis=1)",
    };
    (void)state;
    struct bundle *b = bundle_new();
    for (size_t i = 0; i < COUNT_OF(formulas); i++) add_with_derivatives(b, formulas[i]);
    compare(b);
}

/* sum (s - c(t))^2 by Horner's scheme: few values wait between the groups of its loops, and the
 * adjoint of c is a sum of as many pads as it has coefficients. */
static void long_polynomials_give_the_bits(void **state) {
    char text[16384];
    (void)state;
    struct bundle *b = bundle_new();
    for (int degree = 5; degree < 400; degree *= 4) {
        int size = snprintf(text, sizeof text, "f(c[%d], t[n]) = {\n  let y%d = c[%d] + 0*t\n",
                            degree + 1, degree, degree);
        for (int i = degree; i-- > 0;)
            size += snprintf(text + size, sizeof text - (size_t)size,
                             "  let y%d = y%d*t + c[%d]\n", i, i + 1, i);
        snprintf(text + size, sizeof text - (size_t)size, "  sum((y0 - 1)^2)\n}");
        wg_error error = {0};
        wg_program *p = parse(text), *gradient = wg_value_and_grad(p, "c", &error);
        assert_string_equal(error.message, "");
        bundle_add(b, p, "polynomial");
        bundle_add(b, gradient, "its gradient");
        wg_program_free(p);
        wg_program_free(gradient);
    }
    compare(b);
}

/* More values wait than there are buffers for: such a pass is not cut. What goes to memory goes
 * there behind the last group. */
static void many_sums_give_the_bits(void **state) {
    char text[16384];
    int size = snprintf(text, sizeof text, "f(x[n]) = {\n");
    (void)state;
    for (int i = 0; i < 12; i++)
        size += snprintf(text + size, sizeof text - (size_t)size, "  let a%d = x*%d + x\n", i, i);
    for (int i = 0; i < 12; i++)
        size += snprintf(text + size, sizeof text - (size_t)size,
                         "  s%d = sum(a%d*a%d)\n  t%d = max(a%d - x)\n", i, i, 11 - i, i, i);
    for (int i = 0; i < 3; i++)
        size += snprintf(text + size, sizeof text - (size_t)size, "  u%d = a%d + 1\n", i, 5 * i);
    snprintf(text + size, sizeof text - (size_t)size, "}");
    struct bundle *b = bundle_new();
    add_with_derivatives(b, text);
    add_with_derivatives(b, "f(x[n]: f32) = { y = sum(x*x); z = sum(exp(x)*x); w = x*x + 1 }");
    compare(b);
}

/* Pieces apart, and pieces that overlap; -0 where the sum of pads has 0. */
static void adjoints_of_slices_give_the_bits(void **state) {
    static const char *const formulas[] = {
        "f(x[6]) = x[0]*x[1] + sin(x[4])",
        "f(x[6]) = { y = x[:2]; z = -0.0*x[2:4]; w = x[5:]*3 }",
        "f(x[6]) = { y = x[:3]; z = x[2:4]*2; w = x[5:] }",
        "f(x[6,n]) = { y = x[:2]; z = x[3:5]*2 }",
        "f(x[6,4]) = { y = x[:2]; z = x[3:5]*2; w = x[:, 1] }",
        "f(x[6]) = { y = x[::2]; z = x[1::2]*2 }",
    };
    (void)state;
    struct bundle *b = bundle_new();
    for (size_t i = 0; i < COUNT_OF(formulas); i++) add_with_derivatives(b, formulas[i]);
    compare(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_products_agree),
        cmocka_unit_test(long_polynomials_give_the_bits),
        cmocka_unit_test(many_sums_give_the_bits),
        cmocka_unit_test(adjoints_of_slices_give_the_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
