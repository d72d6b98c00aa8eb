/* Writes docs/conventions.md to standard output from the table of operations: what every row says
 * of itself, and of the elementwise ones values and derivatives at edge points and the error of
 * f32, as the library computes them. A test compares the committed file with this. */
#include "op/build.h"
#include "support/vector_accuracy.h"
#include "wengert/run.h"

#include <math.h>
#include <stdio.h>

enum { SAMPLES = 4000 };

static void print_number(double x) {
    if (isnan(x)) fputs("NaN", stdout);
    else if (isinf(x)) fputs(x < 0 ? "-inf" : "inf", stdout);
    else printf("%.4g", x == 0 ? 0 : x); /* no -0 */
}

/* The row as a program of scalars. */
static wg_program *scalar_program(unsigned op, wg_error *error) {
    static const char *const name[] = {"a", "b", "c"};
    wg_graph *g = wg_graph_new();
    value arg[3] = {0};
    wg_type type = wg_type_of(WG_F64, 0, NULL);
    for (size_t i = 0; i < (size_t)op_def(op)->narg; i++) arg[i] = graph_input(g, name[i], &type);
    graph_output(g, "y", graph_emit(g, op, 0, arg, (size_t)op_def(op)->narg));
    return wg_build(g, error);
}

/* "value; derivative, derivative" at a point. */
static void print_cell(const wg_function *fn, const wg_function *grad, size_t narg, double *point,
                       wg_error *error) {
    wg_tensor in[3], out[3] = {{0}};
    for (size_t i = 0; i < narg; i++) in[i] = (wg_tensor){&point[i], WG_F64, 0, {0}};
    fputs(" | ", stdout);
    if (wg_run(fn, NULL, in, out, error) != WG_OK) return;
    print_number(*(double *)out[0].data);
    wg_tensor_free(&out[0], NULL);
    if (!grad || wg_run(grad, NULL, in, out, error) != WG_OK) return;
    for (size_t i = 0; i < narg; i++) {
        fputs(i ? ", " : "; ", stdout);
        print_number(*(double *)out[i].data);
        wg_tensor_free(&out[i], NULL);
    }
}

/* The largest error of f32 against f64 over the range that the tests draw from, in units of the
 * last place of max(1, |y|), rounded up. */
static void print_error(unsigned op) {
    static double x[3][SAMPLES], y[SAMPLES];
    static float x32[3][SAMPLES], y32[SAMPLES];
    const struct op_def *def = op_def(op);
    const struct op_sample *s = def->sample;
    uint64_t bits = 1;
    for (int i = 0; i < def->narg; i++)
        for (int k = 0; k < SAMPLES; k++) {
            bits = bits * 6364136223846793005u + 1442695040888963407u;
            double unit = (double)(bits >> 40) * 0x1p-24;
            x32[i][k] = (float)(s->low[i] + (s->high[i] - s->low[i]) * unit);
            x[i][k] = (double)x32[i][k];
        }
    op_kernel(op, WG_F64, WG_F64)(SAMPLES, (const void *const[]){x[0], x[1], x[2]}, y);
    op_kernel(op, WG_F32, WG_F32)(SAMPLES, (const void *const[]){x32[0], x32[1], x32[2]}, y32);
    double worst = 0;
    for (int k = 0; k < SAMPLES; k++)
        worst = fmax(worst, fabs((double)y32[k] - y[k]) / (0x1p-23 * fmax(1, fabs(y[k]))));
    printf(" | %.0f", ceil(worst));
}

static bool print_row(unsigned op, size_t points, double (*point)[2], wg_error *error) {
    const struct op_def *def = op_def(op);
    wg_program *p = scalar_program(op, error), *grad = NULL;
    wg_function *grad_fn = NULL;
    if (def->class != NODIFF) {
        grad = wg_grad(p, def->narg == 1 ? "a" : "a,b", error);
        grad_fn = wg_compile(grad, NULL, error);
    }
    wg_function *fn = wg_compile(p, NULL, error);
    printf("| `%s`", def->name);
    for (size_t i = 0; i < points && !error->status; i++)
        print_cell(fn, grad_fn, (size_t)def->narg, point[i], error);
    if (!error->status) print_error(op);
    puts(" |");
    wg_function_free(fn);
    wg_function_free(grad_fn);
    wg_program_free(p);
    wg_program_free(grad);
    return error->status == WG_OK;
}

/* Rows of floating numbers with this many arguments. */
static bool has_edges(unsigned op, int narg) {
    return op_is_elementwise(op) && op != OP_copy && op_def(op)->narg == narg &&
           op_kernel(op, WG_F64, WG_F64) && op_kernel(op, WG_F32, WG_F32) &&
           op_def(op)->infer == op_def(narg == 1 ? OP_exp : OP_add)->infer;
}

static bool print_edges(int narg, size_t points, double (*point)[2], wg_error *error) {
    fputs("| operation", stdout);
    for (size_t i = 0; i < points; i++) {
        fputs(" | ", stdout);
        print_number(point[i][0]);
        if (narg == 2) fputs(", ", stdout), print_number(point[i][1]);
    }
    fputs(" | f32 |\n|---", stdout);
    for (size_t i = 0; i < points; i++) fputs("|---", stdout);
    puts("|---|");
    for (unsigned op = 1; op < OP_COUNT; op++)
        if (has_edges(op, narg) && !print_row(op, points, point, error)) return false;
    return true;
}

static const char *class_name(const struct op_def *def) {
    static const char *const name[] = {"leaf",    "elementwise",   "linear", "multilinear",
                                       "general", "no derivative", "custom", "region"};
    return name[def->class];
}

/* Doc lines have |x| for the absolute value, which would end a cell. */
static void print_doc(const char *doc) {
    for (; *doc; doc++) {
        if (*doc == '|') putchar('\\');
        putchar(*doc);
    }
}

/* Rounded up, so that what is printed is a bound of what was measured. */
static double hundredths(double x) {
    return ceil(100 * x) / 100;
}

static void print_accuracy(void) {
    puts("| operation | f64 | f32 | at most, f64 | at most, f32 |\n|---|---|---|---|---|");
    for (size_t i = 0; i < vector_function_count; i++) {
        const struct vector_function *f = &vector_functions[i];
        printf("| `%s` | %.2f | %.2f | %.1f | %.1f |\n", op_def(f->op)->name,
               hundredths(vector_error_f64(f)), hundredths(vector_error_f32(f)), f->f64_bound,
               f->f32_bound);
    }
}

static void print_native_accuracy(void) {
    puts("| operation | f64 | f32 | at most, f64 | at most, f32 |\n|---|---|---|---|---|");
    for (size_t i = 0; i < native_function_count; i++) {
        const struct native_function *f = &native_functions[i];
        printf("| `%s` | %.2f | %.2f | %.1f | %.1f |\n", op_def(f->op)->name, f->f64, f->f32,
               f->f64_bound, f->f32_bound);
    }
}

int main(void) {
    wg_error error = {0};
    double one[][2] = {{-HUGE_VAL, 0}, {-1, 0}, {0, 0}, {1, 0}, {HUGE_VAL, 0}, {NAN, 0}};
    double two[][2] = {{0, 0},    {0, 1},        {1, 0},        {1, 1},
                       {-1, 0.5}, {0, HUGE_VAL}, {HUGE_VAL, 0}, {NAN, 1}};
    puts("# Conventions\n\n"
         "Values and derivatives where they are not a matter of course. Written from the table of "
         "operations by `make_conventions`; a test compares.\n\n"
         "## Operations\n\n"
         "| operation | class | |\n|---|---|---|");
    for (unsigned op = 1; op < OP_COUNT; op++) {
        printf("| `%s` | %s | ", op_def(op)->name, class_name(op_def(op)));
        print_doc(op_def(op)->doc);
        puts(" |");
    }
    puts(
        "\n## Elementwise operations of one argument at edge points\n\n"
        "Value; derivative, of f64, to four digits and without the sign of zeros. The last column "
        "is the largest error of f32 against f64 over the range that the tests draw from, in units "
        "of the last place of max(1, \\|y\\|), rounded up.\n");
    if (!print_edges(1, sizeof one / sizeof *one, one, &error)) goto failed;
    puts("\n## Of two arguments\n\nValue; derivative in a, derivative in b.\n");
    if (!print_edges(2, sizeof two / sizeof *two, two, &error)) goto failed;
    puts("\n## Accuracy of the vector functions\n\n"
         "These functions are computed without the C library (`src/op/kernel/vector_math.h`), with "
         "the same digits on every processor. The largest error against long double, in units of "
         "the last place of the true value, over 30,000 arguments of all magnitudes, dense ones, "
         "edges, infinities and NaN; and the bound that a test asserts over them. The other "
         "elementwise functions are the C library's, or few operations of these.\n");
    print_accuracy();
    puts("\n## Accuracy of native code\n\n"
         "Loops of native code compute these functions by the same text, with products and sums "
         "contracted, and the circular functions and those that the table above lacks by glibc's "
         "vector functions where the compiler has them: gcc all, clang sines, cosines and powers, "
         "the others one by one. Where the processor has AVX-512, loops that gcc compiles have "
         "`exp`, `log`, `log1p` and `tanh` of f64 by tables (`src/native/runtime_wide.h`). Digits "
         "differ between processors and compilers; errors stay within the bounds, which a test "
         "asserts over the same arguments and pairs of them. What was measured is the larger of "
         "what gcc 12 and clang 14 gave with glibc 2.36 on a processor with AVX-512, and of the "
         "functions by tables over ten million arguments.\n");
    print_native_accuracy();
    return fflush(stdout) || ferror(stdout);
failed:
    fprintf(stderr, "make_conventions: %s\n", error.message);
    return 1;
}
