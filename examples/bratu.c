/* A boundary value problem with a sparse Jacobian: Bratu's equation
 *
 *     u'' + e^u = 0 between 0 and 1,    u(0) = u(1) = 0,
 *
 * by differences at n = 10^4 places between, and Newton's method. The residual at a place has to do
 * with three values, so of 10^8 derivatives 3*10^4 can differ from 0: three products with the
 * Jacobian give them all. Each step solves a tridiagonal system; its solution is known:
 *
 *     u(x) = -2 log(cosh((x - 1/2) t/2) / cosh(t/4)),    t = sqrt(2) cosh(t/4).  */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 10000, STEPS = 20 };

static const char formula[] =
    "residual(u[n], h) = pad(u[1:], 0, 1) - 2*u + pad(u[:-1], 1, 0) + h^2*exp(u)";

struct problem {
    wg_sparse *jacobian;
    wg_function *residual;
    void *workspace, *sparse_workspace;
    double h, u[N], r[N];
    double *value;                       /* of the entries */
    double left[N], middle[N], right[N]; /* of each row */
};

static void open_problem(struct problem *p, wg_error *error) {
    wg_program *f = wg_parse(formula, sizeof formula - 1, NULL, error);
    int64_t n = N;
    wg_sparse_options options = {.wrt = "u", .size = &n};
    p->h = 1.0 / (N + 1);
    p->residual = wg_compile(f, NULL, error);
    p->workspace = wg_workspace_new(p->residual, &n, error);
    p->jacobian = wg_sparse_jacobian(f, &options, error);
    p->sparse_workspace = wg_sparse_workspace_new(p->jacobian, error);
    if (!error->status) {
        p->value = malloc((size_t)wg_sparse_pattern(p->jacobian)->entries * sizeof *p->value);
        if (!p->value) *error = (wg_error){WG_ENOMEM, "not enough memory"};
    }
    wg_program_free(f);
}

static void close_problem(struct problem *p) {
    free(p->value);
    wg_sparse_workspace_free(p->sparse_workspace);
    wg_workspace_free(p->workspace);
    wg_sparse_free(p->jacobian);
    wg_function_free(p->residual);
}

/* The entries of row i are where pattern->row says, in the columns that pattern->column says. */
static void take_apart(struct problem *p) {
    const wg_pattern *pattern = wg_sparse_pattern(p->jacobian);
    for (int64_t i = 0; i < N; i++)
        for (int64_t e = pattern->row[i]; e < pattern->row[i + 1]; e++) {
            int64_t k = pattern->column[e];
            (k < i ? p->left : k > i ? p->right : p->middle)[i] = p->value[e];
        }
}

/* u -= J^-1 r, by elimination from the first row to the last and back. */
static void newton_step(struct problem *p) {
    for (int i = 1; i < N; i++) {
        double factor = p->left[i] / p->middle[i - 1];
        p->middle[i] -= factor * p->right[i - 1];
        p->r[i] -= factor * p->r[i - 1];
    }
    for (int i = N - 1; i >= 0; i--) {
        if (i + 1 < N) p->r[i] -= p->right[i] * p->r[i + 1];
        p->u[i] -= p->r[i] /= p->middle[i];
    }
}

static double solve(struct problem *p, wg_error *error) {
    const void *in[] = {p->u, &p->h};
    for (int step = 0; step < STEPS; step++) {
        double size = 0;
        wg_call_with(p->residual, (int64_t[]){N}, in, (void *[]){p->r}, p->workspace, error);
        wg_sparse_values(p->jacobian, in, p->value, p->sparse_workspace, error);
        if (error->status) return 0;
        for (int i = 0; i < N; i++) size = fmax(size, fabs(p->r[i]));
        printf("step %d: residual %.1e\n", step, size);
        if (size < 1e-14) break;
        take_apart(p);
        newton_step(p);
    }
    double t = 1.5, off = 0;
    for (int i = 0; i < 100; i++) t = sqrt(2) * cosh(t / 4);
    for (int i = 0; i < N; i++) {
        double x = (i + 1) * p->h;
        off = fmax(off, fabs(p->u[i] + 2 * log(cosh((x - 0.5) * t / 2) / cosh(t / 4))));
    }
    return off;
}

int main(void) {
    static struct problem p;
    wg_error error = {0};
    int64_t forward = 0, reverse = 0;
    open_problem(&p, &error);
    if (!error.status) {
        wg_sparse_sweeps(p.jacobian, &forward, &reverse);
        printf("%d unknowns, %lld entries, %lld sweeps\n", N,
               (long long)wg_sparse_pattern(p.jacobian)->entries, (long long)(forward + reverse));
        printf("off by %.1e\n", solve(&p, &error));
    }
    close_problem(&p);
    if (error.status) fprintf(stderr, "%s\n", error.message);
    return error.status != WG_OK;
}
