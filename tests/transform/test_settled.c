/* Elements of arrays that a loop carries: what is kept for its reverse, and that nothing is taken
 * from the end which a later iteration changes. */
#include "support/run_both.h"

struct text {
    const char *name, *text;
    size_t most; /* bytes that reverse mode may need at n = 17; 0: not asked for */
};

enum { MATRIX = 17 * 17 * sizeof(double) };

static const struct text texts[] = {
    {"a factor, which the reverse reads from the end",
     "f(x[n,n]) = { let l = x + 4*eye(n)\n"
     "  for j in 0:n {\n"
     "    for k in 0:j { for i in j:n { l[i, j] -= 0.1*l[i, k]*l[j, k] } }\n"
     "    for i in j:n { l[i, j] /= sqrt(2 + l[j, j]*l[j, j]) } }\n"
     "  y = sum(l*l) }",
     18 * MATRIX},
    {"states, each made of the one before",
     "f(x[n,n]) = { let s = zeros(n, n)\n  let w = x\n  s[0, :] = x[0, :]\n"
     "  for i in 1:n { s[i, :] = tanh(w @ s[i-1, :]) }\n"
     "  y = sum(s*s) }", 0},
    {"columns, each the next one's factor",
     "f(x[n,n]) = { let s = x\n"
     "  for i in 1:n { s[:, i] = s[:, i]*s[:, i-1] }\n"
     "  y = sum(s*s) }", 0},
    {"rows are changed, columns are read",
     "f(x[n,n]) = { let s = x\n"
     "  for i in 1:n { s[i, :] = 0.3*s[i, :]*s[:, i-1] }\n"
     "  y = sum(s*s) }", 0},
    {"arrays that change places in a loop within",
     "f(x[n,n]) = { let a = x\n  let b = 2*x\n"
     "  for i in 1:n { a[i, :] += 0.1*a[i-1, :]*b[i-1, :]\n"
     "    for k in 0:3 { let t = a\n a = b\n b = t } }\n"
     "  y = sum(a*b*b) }", 0},
    {"arrays that change places",
     "f(x[n,n]) = { let a = x\n  let b = 2*x\n"
     "  for i in 1:n { a[i, :] += 0.1*a[i-1, :]*b[i-1, :]\n let t = a\n a = b\n b = t }\n"
     "  y = sum(a*b*b) }", 0},
    {"an array that is scaled beside",
     "f(x[n,n]) = { let a = x\n"
     "  for i in 1:n { a[i, :] += 0.1*a[i-1, :]*a[i-1, :]\n a = 0.9*a }\n"
     "  y = sum(a*a) }", 0},
    {"an array that one of two cases changes",
     "f(x[n,n]) = { let a = x\n"
     "  for i in 1:n { a[i, :] += 0.1*a[i-1, :]*a[i-1, :]\n"
     "    if sum(a[i, :]) > 0 { a[0, :] = 0.5*a[0, :] } }\n"
     "  y = sum(a*a) }", 0},
    {"what a loop leaves, read again behind it",
     "f(x[n,n]) = { let a = x\n"
     "  for i in 1:n { a[i, :] += 0.1*a[i-1, :]*a[i-1, :] }\n"
     "  let b = a\n"
     "  for i in 1:n { a[i-1, :] = a[i, :]*a[i, :]*b[i, :] }\n"
     "  y = sum(a*b) }", 0},
    {"an array of which a loop within has a view",
     "f(x[n,n]) = { let a = x\n"
     "  for i in 1:n { a[i, 0] = a[0, i-1] + 0.1*sum(q in 0:n: a[n-1-q, i]*x[q, q]) }\n"
     "  y = sum(a*a) }", 0},
    {"counts that wrap around",
     "f(x[n,n]) = { let a = x[0, :]\n"
     "  let c = -2147483648*i64(2147483648)\n"
     "  for i in 1:n {\n"
     "    a[i] = a[i]*a[i-1]*a[i-1]\n"
     "    for k in 0:c*i limit n { a[k] = 0.5*a[k]*a[k] + 0.1 } }\n"
     "  y = sum(a*a) }", 0},
    {"elements that the sizes put side by side",
     "f(x[n,n]) = { let a = x\n"
     "  for i in 0:n { for k in 0:n { a[i, k] += 0.1*sum(j in 0:i: a[j, k]*a[j, i]) } }\n"
     "  y = sum(a*a) }", 0},
    {"a loop that ends early",
     "f(x[n,n]) = { let a = x\n  let i = i64(1)\n"
     "  while i < n limit n { a[i, :] += 0.3*a[i-1, :]*a[i-1, :]\n i += 1 }\n"
     "  y = sum(a*a) }", 0},
};

static void gradients_are_those_of_forward_mode(void **state) {
    (void)state;
    static double x[RUN_MOST];
    static struct run r, f;
    for (size_t i = 0; i < RUN_MOST; i++) x[i] = 0.3 * sin(3.0 * (double)i) + 0.1;
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        wg_error error = {0};
        wg_program *p = wg_parse(texts[k].text, strlen(texts[k].text), NULL, &error);
        if (error.status) fail_msg("%s: %s", texts[k].name, error.message);
        wg_program *grad = wg_value_and_grad(p, "x", &error);
        wg_program *forward = wg_jacobian(p, NULL, "x", WG_FORWARD, &error);
        wg_program *twice = wg_hvp(p, "x", &error), *once = wg_grad(p, "x", &error);
        wg_program *again = wg_vjp(once, NULL, "x", &error);
        if (error.status) fail_msg("%s: %s", texts[k].name, error.message);
        for (int64_t n = 1; n <= 17; n += n < 5 ? 1 : 12) {
            const void *in[] = {x, x, x};
            size_t bytes = 0;
            run_both(grad, &n, in, &r);
            run_both(forward, &n, in, &f);
            for (int64_t i = 0; i < n * n; i++)
                if (!(fabs(r.out[1][i] - f.out[0][i]) <= 1e-12 * (1 + fabs(f.out[0][i]))))
                    fail_msg("%s: n = %d, element %d: %.17g, forwards %.17g", texts[k].name,
                             (int)n, (int)i, r.out[1][i], f.out[0][i]);
            run_both(twice, &n, in, &r);
            run_both(again, &n, in, &f);
            for (int64_t i = 0; i < n * n; i++) /* the Hessian is symmetric */
                if (!(fabs(r.out[0][i] - f.out[1][i]) <= 1e-11 * (1 + fabs(f.out[1][i]))))
                    fail_msg("%s: n = %d, element %d: %.17g, in reverse twice %.17g",
                             texts[k].name, (int)n, (int)i, r.out[0][i], f.out[1][i]);
            run_by(grad, WG_INTERPRET, &n, in, &r, &bytes);
            if (n == 17 && texts[k].most && bytes > texts[k].most)
                fail_msg("%s: %zu bytes, at most %zu", texts[k].name, bytes, texts[k].most);
        }
        wg_program *every[] = {p, grad, forward, twice, once, again};
        for (size_t i = 0; i < sizeof every / sizeof *every; i++) wg_program_free(every[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_are_those_of_forward_mode)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
