/* Axes that native code takes in portions: programs whose values along an axis are used by sums
 * over it alone, against the interpreter, with and without something left over; which programs are
 * taken so; and flags that promise the interpreter's bits. */
#include "native/bundle.h"
#include "native/lower.h"
#include "support/random_program.h"

#include <string.h>

static wg_program *parse(const char *formula, const char *sizes) {
    wg_error error = {0};
    wg_program *named = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program *p = wg_specialize(named, sizes, &error);
    wg_program_free(named);
    if (error.status) fail_msg("%.80s\n%s", formula, error.message);
    return p;
}

static bool has_portions(const wg_program *p) {
    wg_error error = {0};
    wg_program *expanded = expand(p, NULL, &error), *taken = take_portions(expanded, &error);
    assert_ok(error);
    bool found = false;
    for (value v = 1; v < taken->t.instr.count; v++) found |= instr_at(&taken->t, v)->op == OP_loop;
    wg_program_free(expanded);
    wg_program_free(taken);
    return found;
}

/* The program natively, with these flags, beside the interpreter. */
static void check(const wg_program *p, const char *label, const char *flags,
                  struct tolerance allowed) {
    struct bundle *b = bundle_of_one(p, label);
    wg_function *interpreted = bundle_compile(p, WG_INTERPRET, NULL);
    wg_function *native = bundle_compile(p, WG_NATIVE, flags);
    wg_random random = wg_random_seed(7);
    wg_tensor *in = random_inputs(p, 1, &random);
    size_t different = bundle_compare(b, interpreted, native, 0, in, allowed, label);
    free_tensors(in, b->inputs);
    wg_function_free(interpreted);
    wg_function_free(native);
    bundle_free(b);
    assert_int_equal(different, 0);
}

static const struct tolerance rounding = {1e-11, 1e-4};

static const char mixture[] =
    "f(a[k], mu[k,d], Q[k,d,d], x[n,d]) = {\n"
    "  let z = einsum(\"kij,kjn->kin\", Q, expand(transpose(x), axis=0) - expand(mu, axis=2))\n"
    "  let beta = expand(a, axis=1) - 0.5*sum(z^2, axis=1)\n"
    "  sum(logsumexp(beta, axis=0)) - n*logsumexp(a)\n"
    "}";

static void gradients_of_mixtures_agree(void **state) {
    (void)state;
    static const char *const sizes[] = {"d=5, k=9, n=2048", "d=5, k=9, n=2051", "d=2, k=30, n=3000",
                                        "d=12, k=6, n=1500"};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        wg_error error = {0};
        wg_program *p = parse(mixture, sizes[i]);
        wg_program *gradient = wg_value_and_grad(p, "a, mu, Q, x", &error);
        assert_ok(error);
        assert_true(has_portions(gradient));
        check(gradient, sizes[i], NULL, rounding);
        wg_program_free(gradient);
        wg_program_free(p);
    }
}

/* Sums whose terms go through every instruction that keeps an axis; what is collected along its
 * first axis, and along others. */
static const char *const taken[] = {
    "f(x[n,m], w[m,m]) = { let y = sin(x @ w); let z = y + expand(sum(y, axis=1), axis=1)\n"
    "  a = sum(z*y, axis=0); b = y' @ z; c = sum(z); d = sum(y, axis=1) }",
    "f(x[m,n], w[m]) = { let y = exp(-x)*expand(w, axis=1); c = max(y, axis=0)\n"
    "  let z = y*expand(c, axis=0) + y; a = sum(z, axis=1); b = z @ y' }",
    "f(x[n,m], w[m,m]) = { let y = tanh(x @ w); let z = concat(y, y*y, axis=1)[:, 1:m]\n"
    "  let u = reshape(z, n, 1, m - 1); a = z' @ z; b = sum(exp(u), axis=0)\n"
    "  c = sum(y*y, axis=1); d = a[0, 0]*c }",
    "f(x[n,m]: f32, w[m,m]: f32) = { let y = x @ w; let z = where(y > 0, y, 0.5*y)\n"
    "  a = sum(z^2); b = z' @ y; c = sum(sum(y, axis=1)^3) }",
    "f(x[m,n], w[m,m]) = { let y = sin(w @ x); let z = y*expand(sum(y, axis=0), axis=0)\n"
    "  a = sum(z*y, axis=1); b = y @ z'; c = sum(y, axis=0) }",
};

static void axes_in_portions_agree(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        for (int rest = 0; rest < 2; rest++) {
            wg_program *p = parse(taken[i], rest ? "n=9000, m=24" : "n=8192, m=24");
            if (!has_portions(p)) fail_msg("no portions: %s", taken[i]);
            check(p, taken[i], NULL, rounding);
            wg_program_free(p);
        }
}

static void sums_alone_end_portions(void **state) {
    (void)state;
    static const struct {
        const char *formula, *sizes;
        bool portions;
    } program[] = {
        {mixture, "d=5, k=9, n=40", false},                 /* fits the cache as it is */
        {"f(x[n]) = sum(exp(sin(x)))", "n=1000000", false}, /* nothing goes to memory */
        {"f(x[n,m]) = sum(exp(x)/expand(sum(exp(x), axis=0), axis=0))", "n=10000, m=24", false},
        {"f(x[n,m]) = cumsum(exp(x), axis=0)", "n=10000, m=24", false},
        {"f(x[n,m], w[m,m]) = exp(x @ w)", "n=10000, m=24", false}, /* all of it is asked for */
    };
    for (size_t i = 0; i < COUNT_OF(program); i++) {
        wg_program *p = parse(program[i].formula, program[i].sizes);
        assert_int_equal(has_portions(p), program[i].portions);
        check(p, program[i].formula, NULL, rounding);
        wg_program_free(p);
    }
}

/* Adjoints of which a condition of the program's own takes a part, in batches, alone and in
 * portions. */
static void parts_of_products_agree(void **state) {
    (void)state;
    static const struct {
        const char *condition;
        bool part;
    } mask[] = {{"r >= c", true},         {"r < c", true},          {"r - c == 1", true},
                {"abs(r - c) < 2", true}, {"r + c < 0", true},      {"r*c < 200", false},
                {"r' > c", true},         {"r > 3 and c > 4", true}};
    static const char *const sizes[] = {"d=11, k=3, n=40", "d=16, k=4, n=2000", "d=2, k=5, n=64"};
    for (size_t i = 0; i < COUNT_OF(mask); i++)
        for (size_t s = 0; s < COUNT_OF(sizes); s++) {
            char formula[512];
            wg_error error = {0};
            snprintf(formula, sizeof formula,
                     "f(Q[k,d,d], y[k,d,n]) = {\n"
                     "  let r = expand(iota(d), axis=1) + 0*expand(iota(d), axis=0)\n"
                     "  let c = 0*expand(iota(d), axis=1) + expand(iota(d), axis=0)\n"
                     "  sum(sin(where(%s, Q, 0) @ y))\n}",
                     mask[i].condition);
            wg_program *p = parse(formula, sizes[s]);
            wg_program *gradient = wg_grad(p, "Q", &error),
                       *expanded = expand(gradient, NULL, &error);
            assert_ok(error);
            bool found = false;
            const struct trace *t = &expanded->t;
            for (value v = 1; v < t->instr.count; v++) found |= instr_at(t, v)->op == OP_concat;
            if (s == 0 && found != mask[i].part) fail_msg("%s", mask[i].condition);
            check(gradient, formula, NULL, rounding);
            wg_program_free(expanded);
            wg_program_free(gradient);
            wg_program_free(p);
        }
}

/* Flags of the caller, and threads, leave the axis whole. */
static void given_flags_keep_the_bits(void **state) {
    (void)state;
    wg_program *p = parse("f(x[n,m]) = { let y = exp(x); let z = y*expand(sum(y, axis=1), axis=1)\n"
                          "  a = sum(z, axis=0); b = sum(z*y) }",
                          "n=9000, m=24");
    check(p, "flags", "-O0 -ffp-contract=off", same_bits);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_mixtures_agree), cmocka_unit_test(axes_in_portions_agree),
        cmocka_unit_test(sums_alone_end_portions),     cmocka_unit_test(parts_of_products_agree),
        cmocka_unit_test(given_flags_keep_the_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
