/* C to take away, against the interpreter: every operation of the table with its adjoints, the
 * example programs and random ones with their derivatives, all in one file, which every compiler
 * here takes without a word. Without optimisation the results are the interpreter's bits, but for
 * products of matrices and convolutions, whose sums a BLAS takes in its own order. */
#include "ir/ir.h"
#include "native/pieces.h"
#include "op/op.h"
#include "support/op_check.h"
#include "support/random_program.h"
#include "support/test.h"
#include "transform/transform.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4000, RANDOM = 100, MOST_PORTS = 32, SIZES = 5 };
static const int64_t sizes[SIZES] = {0, 1, 2, 17, 700};

struct subject {
    wg_program *program;            /* what the interpreter runs */
    const wg_program *emitted;
    char name[64];
    const struct op_sample *sample; /* says what to draw; NULL: numbers below 1 */
    bool sized;                     /* runs at all sizes */
};

static struct subject subject[MOST];
/* Loops and formulas of files, up to the random programs, are what a user may have. */
static size_t subjects, first_file, first_random;
static char folder[512];

static void add_subject(wg_program *program, const struct op_sample *sample, const char *format,
                        ...) PRINTF_LIKE(3, 4);

static void add_subject(wg_program *program, const struct op_sample *sample, const char *format,
                        ...) {
    assert_true(subjects < MOST && program);
    struct subject *s = &subject[subjects++];
    va_list args;
    va_start(args, format);
    vsnprintf(s->name, sizeof s->name, format, args);
    va_end(args);
    s->program = program;
    s->emitted = program;
    s->sample = sample;
    s->sized = wg_size_count(program) > 0;
}

/* ---- what is emitted ------------------------------------------------------------------------- */

/* The operation in one element type for its floating arguments, and its adjoints. */
static void add_sample(unsigned op, const struct op_sample *s, void *ctx) {
    static const char *const name[] = {"x0", "x1", "x2"};
    unsigned *index = ctx;
    unsigned number = ++*index;
    if (op == OP_external) return; /* see what_has_no_c_is_refused */
    for (int narrow = 0; narrow < 2; narrow++) {
        wg_error error = {0};
        wg_graph *g = wg_graph_new();
        value arg[3] = {0};
        bool floats = false;
        for (size_t i = 0; i < s->narg; i++) {
            wg_type type = s->arg[i];
            floats |= type.dtype == WG_F64;
            if (narrow && type.dtype == WG_F64) type.dtype = WG_F32;
            arg[i] = graph_input(g, name[i], &type);
        }
        value y = s->make ? s->make(g, arg) : graph_emit(g, op, 0, arg, s->narg);
        if (g->error.status || (narrow && !floats)) {
            wg_graph_free(g);
            continue;
        }
        graph_output(g, "y", y);
        wg_program *p = wg_build(g, &error);
        assert_ok(error);
        add_subject(p, s, "op_%s_%u_%s", op_def(op)->name, number, narrow ? "f32" : "f64");
        wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
        if (vjp)
            add_subject(vjp, s, "vjp_%s_%u_%s", op_def(op)->name, number, narrow ? "f32" : "f64");
    }
}

static void add_random(void) {
    /* fewer under sanitizers, which slow their building down */
    uint64_t programs = getenv("WG_INSTRUMENTED") ? RANDOM / 5 : RANDOM;
    for (uint64_t seed = 1; seed <= programs; seed++) {
        wg_error error = {0};
        wg_program *p = random_program(seed, 5 + (int)seed % 25, false, NULL, &error);
        wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
        wg_program *hvp = seed % 4 == 0 ? wg_jvp(vjp, NULL, NULL, &error) : NULL;
        assert_ok(error);
        add_subject(p, NULL, "random_%u", (unsigned)seed);
        add_subject(vjp, NULL, "random_%u_vjp", (unsigned)seed);
        if (hvp) add_subject(hvp, NULL, "random_%u_jvp_vjp", (unsigned)seed);
    }
}

static void add_file(const char *path, const char *name) {
    char full[512];
    wg_error error = {0};
    wg_text text = {0};
    snprintf(full, sizeof full, "%s/%s", WG_SOURCE_DIR, path);
    FILE *file = fopen(full, "rb");
    assert_non_null(file);
    char line[4096];
    while (fgets(line, sizeof line, file)) assert_true(text_add(&text, line));
    fclose(file);
    wg_program *p = wg_parse(text.data, text.size, NULL, &error);
    assert_ok(error);
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
    wg_program *jvp = wg_jvp(p, NULL, NULL, &error);
    wg_program *jacobian = wg_jacobian(p, NULL, NULL, WG_AUTO_MODE, &error);
    assert_ok(error);
    add_subject(p, NULL, "%s", name);
    add_subject(vjp, NULL, "%s_vjp", name);
    add_subject(jvp, NULL, "%s_jvp", name);
    add_subject(jacobian, NULL, "%s_jac", name);
    wg_text_free(&text);
}

/* Long scalar code, which becomes several functions. */
static void add_long(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = wg_input(g, "y", wg_f64(3)), z = x;
    for (int i = 0; i < 1500; i++) z = i % 2 ? wg_sin(wg_add(z, wg_mul(0.5, x))) : wg_mul(z, 1.25);
    wg_output(g, "z", z);
    wg_output(g, "s", wg_sum(wg_mul(y, z)));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    add_subject(p, NULL, "long_code");
    add_subject(wg_vjp(p, NULL, NULL, &error), NULL, "long_code_vjp");
    assert_ok(error);
}

/* Names that C does not have, that it keeps for itself, and that the code has for its own. */
static void add_names(void) {
    static const char *const name[] = {"double", "v1", "m1", "b1", "i0", "x.1", "x_1",
                                       "exp", "work", "c", "terms", "class", "_y", "\xce\xb8"};
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var sum = wg_input(g, "static", wg_f64());
    wg_extent n = wg_size(g, "begin");
    for (size_t i = 0; i < COUNT_OF(name); i++)
        sum = wg_add(sum, wg_sum(wg_exp(wg_input(g, name[i], i % 2 ? wg_f64(n) : wg_f64()))));
    wg_output(g, "y.", sum);
    wg_output(g, "int", wg_mul(sum, wg_input(g, "k", wg_f64(n))));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    add_subject(p, NULL, "names");
}

/* A loop over a network's layer, in it a while and a branch; what is carried is an array, of which
 * one is not read in the end, results are stacked, and a matrix is captured. */
static void add_loops(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var a = wg_input(g, "a", wg_f64(4)), x = wg_input(g, "x", wg_f64(n));
    wg_var w = wg_input(g, "W", wg_f64(4, 4)), made[5] = {{0}}, root[1] = {{0}}, chosen[1] = {{0}};
    wg_loop *loop = wg_loop_begin(g, n);
    wg_var s = wg_loop_carry(loop, a), total = wg_loop_carry(loop, a);
    wg_var at = wg_loop_slice(loop, x);
    wg_loop_next(loop, s, wg_tanh(wg_add(wg_matmul(w, s), at)));
    wg_loop_next(loop, total, wg_add(s, total));
    wg_loop_collect(loop, wg_sum(wg_mul(total, total)));
    wg_loop *inner = wg_loop_begin(g, 6);
    wg_var grows = wg_loop_carry(inner, wg_sum(s));
    wg_loop_while(inner, wg_lt(grows, 3));
    wg_loop_next(inner, grows, wg_add(wg_mul(grows, grows), 1.0));
    wg_var trips = wg_loop_end(inner, root);
    wg_loop_collect(loop, wg_mul(wg_cast(WG_F64, trips), root[0]));
    wg_branch *branch = wg_branch_begin(g, wg_gt(at, 0));
    wg_branch_case(branch, wg_exp(at));
    wg_branch_case(branch, wg_mul(at, 2));
    wg_branch_end(branch, chosen);
    wg_loop_collect(loop, chosen[0]);
    wg_loop_end(loop, made);
    wg_output(g, "y", wg_add(wg_sum(made[0]), wg_add(wg_sum(made[2]), wg_sum(made[4]))));
    wg_output(g, "roots", made[3]);
    wg_program *p = wg_build(g, &error);
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
    assert_ok(error);
    add_subject(p, NULL, "loops");
    add_subject(vjp, NULL, "loops_vjp");
    add_subject(wg_jvp(vjp, NULL, NULL, &error), NULL, "loops_jvp_vjp");
    assert_ok(error);
    /* from snapshots, with a checkpoint inside, and without a bound */
    g = wg_graph_new();
    n = wg_size(g, "n");
    x = wg_input(g, "x", wg_f64(n, 3));
    a = wg_input(g, "a", wg_f64(3));
    loop = wg_loop_begin(g, n);
    wg_loop_checkpoints(loop, 2);
    s = wg_loop_carry(loop, a);
    at = wg_loop_slice(loop, x);
    wg_checkpoint *part = wg_checkpoint_begin(g, WG_KEEP_MARKED);
    wg_var next = wg_checkpoint_keep(part, wg_tanh(wg_add(wg_sin(s), at)));
    wg_checkpoint_end(part, &next, wg_mul(next, wg_exp(next)));
    wg_loop_next(loop, s, next);
    wg_loop_collect(loop, wg_sum(next));
    wg_loop_end(loop, made);
    inner = wg_loop_begin(g, WG_UNBOUNDED);
    grows = wg_loop_carry(inner, wg_add(1.5, wg_square(wg_sum(made[0]))));
    wg_loop_while(inner, wg_lt(grows, 30));
    wg_loop_next(inner, grows, wg_add(wg_mul(grows, grows), 0.1));
    wg_loop_end(inner, root);
    wg_output(g, "y", wg_add(wg_log(root[0]), wg_sum(made[1])));
    p = wg_build(g, &error);
    wg_program *grad = wg_grad(p, "x, a", &error);
    assert_ok(error);
    add_subject(grad, NULL, "snapshots");
    add_subject(wg_jvp(grad, NULL, NULL, &error), NULL, "snapshots_jvp");
    add_subject(wg_vjp(grad, NULL, NULL, &error), NULL, "snapshots_vjp");
    wg_program_free(p);
}

/* Loops whose text tests of loaded code look at for its numbers only: transposes, with names that
 * their text has for its own; scalars; concatenations of numbers. */
static void add_formulas(void) {
    static const char *const formulas[] = {
        "f(w0[300,20], next[20,300], wide) = { a = exp(w0') * wide; b = w0' + next*wide }",
        "f(x[300,40], y[300,40]) = concat(x', y', axis=0)",
        "f(x[300,16], y[300,16]: f32) = softmax(x' + f64(y'), axis=1)",
        "f(a, b, x) = { let e = stop_gradient(a*b); p = sin(e); y = e + a*sin(x) }",
        "f(a, b, x) = { let e = exp(a*b); y = [e, x, 0, e*x, a, 1] }",
        "f(x[9], m[3]) = { let k = i64(m); y = x*2; z = x[k[1]]; w = [m[0], 3, sin(m[1])] }",
    };
    for (size_t i = 0; i < COUNT_OF(formulas); i++) {
        wg_error error = {0};
        wg_program *p = test_parse(formulas[i]);
        add_subject(p, NULL, "formula_%zu", i);
        add_subject(wg_vjp(p, NULL, NULL, &error), NULL, "formula_%zu_vjp", i);
        assert_ok(error);
    }
}

static int collect(void **state) {
    unsigned index = 0;
    (void)state;
    op_each_sample(add_sample, &index);
    first_file = subjects;
    add_loops();
    static const char *const golden[] = {"gaussian",  "learning", "logistic",
                                         "quadratic", "shapes",   "where"};
    for (size_t i = 0; i < COUNT_OF(golden); i++) {
        char path[128];
        snprintf(path, sizeof path, "tests/golden/programs/%s.wg", golden[i]);
        add_file(path, golden[i]);
    }
    static const char *const examples[] = {"case_a", "case_b", "case_c", "mlp", "quad"};
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        char path[128];
        snprintf(path, sizeof path, "examples/%s.wg", examples[i]);
        add_file(path, examples[i]);
    }
    add_names();
    add_long();
    add_formulas();
    first_random = subjects;
    add_random();
    snprintf(folder, sizeof folder, "%s/emitted", WG_BUILD_DIR);
    char command[600];
    snprintf(command, sizeof command, "mkdir -p '%s'", folder);
    return system(command);
}

static int give_back(void **state) {
    (void)state;
    for (size_t i = 0; i < subjects; i++) wg_program_free(subject[i].program);
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static void write_to(const char *name, const wg_text *text) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->size, file), text->size);
    assert_int_equal(fclose(file), 0);
}

/* Functions of one type for all: int call_3(const int64_t *n, void *const *x, void *const *y, void
 * *work). */
static void add_adapter(wg_text *out, size_t index) {
    static const char *const type[] = {"uint8_t", "int32_t", "int64_t", "float", "double"};
    const struct subject *s = &subject[index];
    const wg_program *p = s->program;
    text_format(out,
                "size_t work_%zu(const int64_t *n)\n{\n    (void)n;\n#ifdef %s_WORK\n    return "
                "%s_WORK;\n#else\n    return %s_work(",
                index, s->name, s->name, s->name);
    for (size_t i = 0; i < wg_size_count(p); i++) text_format(out, "%sn[%zu]", i ? ", " : "", i);
    text_format(out,
                ");\n#endif\n}\nint call_%zu(const int64_t *n, void *const *x, void *const *y, "
                "void *work)\n{\n    (void)n, (void)x;\n    return %s(",
                index, s->name);
    for (size_t i = 0; i < wg_size_count(p); i++) text_format(out, "n[%zu], ", i);
    for (size_t i = 0; i < wg_input_count(p); i++) {
        wg_type t = wg_input_type(p, i);
        text_format(out, "%s(const %s *)x[%zu], ", t.rank ? "" : "*", type[t.dtype], i);
    }
    for (size_t i = 0; i < wg_output_count(p); i++)
        text_format(out, "(%s *)y[%zu], ", type[wg_output_type(p, i).dtype], i);
    text_format(out, "work);\n}\n");
}

/* Those from .. to-1, as STEM.c and STEM.h. */
static void emit_some(size_t from, size_t to, const char *stem, wg_emit_options options,
                      wg_text *code) {
    wg_error error = {0};
    wg_text header = {0};
    const wg_program *program[MOST];
    const char *name[MOST];
    char file[64];
    for (size_t i = from; i < to; i++) {
        program[i - from] = subject[i].emitted;
        name[i - from] = subject[i].name;
    }
    snprintf(file, sizeof file, "%s.h", stem);
    options.header = file;
    wg_emit(program, name, to - from, &options, code, &header, &error);
    assert_ok(error);
    write_to(file, &header);
    snprintf(file, sizeof file, "%s.c", stem);
    write_to(file, code);
    wg_text_free(&header);
}

/* STEM_adapters.c */
static void write_adapters(size_t from, size_t to, const char *stem) {
    wg_text adapters = {0};
    char file[64];
    text_format(&adapters, "#include \"%s.h\"\n", stem);
    for (size_t i = from; i < to; i++) add_adapter(&adapters, i);
    snprintf(file, sizeof file, "%s_adapters.c", stem);
    write_to(file, &adapters);
    wg_text_free(&adapters);
}

static bool has_command(const char *command) {
    char text[200];
    snprintf(text, sizeof text, "command -v %s >/dev/null 2>&1", command);
    return system(text) == 0;
}

static void run_compiler(const char *format, ...) PRINTF_LIKE(1, 2);
static void run_compiler(const char *format, ...) {
    char arguments[1024], command[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(arguments, sizeof arguments, format, args);
    va_end(args);
    snprintf(command, sizeof command, "cd '%s' && %s 2>&1", folder, arguments);
    if (system(command)) fail_msg("%s", command);
}

static void the_text_is_the_same_each_time(void **state) {
    (void)state;
    wg_text code = {0}, again = {0};
    emit_some(0, subjects, "all", (wg_emit_options){0}, &code);
    emit_some(0, subjects, "all", (wg_emit_options){0}, &again);
    assert_string_equal(code.data, again.data);
    assert_false(has_word(code.data, "malloc"));
    write_adapters(0, subjects, "all");
    wg_text_free(&code);
    wg_text_free(&again);
}

#define STRICT "-Wall -Wextra -Wpedantic -Werror"

/* A build with sanitizers writes the same text, which compilers need not read once more. */
#ifdef __SANITIZE_ADDRESS__
enum { IS_READ_ELSEWHERE = true };
#else
enum { IS_READ_ELSEWHERE = false };
#endif

static void compilers_take_it_without_a_word(void **state) {
    static const char *const calls[] = {
        "clang -std=c99", "g++ -x c++", "clang++ -x c++",
        "arm-none-eabi-gcc -std=c99 -ffreestanding -mcpu=cortex-m4"};
    (void)state;
    if (IS_READ_ELSEWHERE) skip();
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        char compiler[32];
        sscanf(calls[i], "%31s", compiler);
        if (has_command(compiler)) run_compiler("%s -fsyntax-only " STRICT " all.c", calls[i]);
        else print_message("without %s\n", compiler);
    }
}

/* ---- values ---------------------------------------------------------------------------------- */

static void draw(const struct subject *s, size_t index, wg_tensor *t, wg_random *random) {
    double low = s->sample && index < s->sample->narg ? s->sample->low[index] : 0;
    double high = s->sample && index < s->sample->narg ? s->sample->high[index] : 1;
    for (int64_t k = 0; k < wg_tensor_count(t); k++) {
        double x = low + (high - low) * wg_random_uniform(random);
        switch (t->dtype) {
        case WG_F64: ((double *)t->data)[k] = x; break;
        case WG_F32: ((float *)t->data)[k] = (float)x; break;
        case WG_I64: ((int64_t *)t->data)[k] = (int64_t)floor(x + 0.5); break;
        case WG_I32: ((int32_t *)t->data)[k] = (int32_t)floor(x + 0.5); break;
        case WG_BOOL: ((uint8_t *)t->data)[k] = x > (low + high) / 2; break;
        }
    }
}

static wg_tensor tensor_of(const wg_program *p, wg_type type, int64_t n) {
    wg_tensor t = {.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    for (int k = 0; k < type.rank; k++)
        t.shape[k] = type.extent[k] >= 0 ? type.extent[k] : test_extent(p, type.extent[k], n);
    t.data = calloc((size_t)wg_tensor_count(&t) + 1, 8);
    assert_non_null(t.data);
    return t;
}

/* Of log sum exp over leading axes the kernel takes the exponentials one by one, and its expansion,
 * which nests use, sums them as any sum: four rows at once. */
static bool is_leading_logsumexp(const struct trace *t, const struct instr *i) {
    int64_t mask = i->op == OP_logsumexp ? attr_words(t, i->attr)[0] : 0;
    size_t rank = i->narg ? type_of(t, args_of(t, i)[0])->rank : 0;
    return mask && !(mask >> (rank - 1) & 1);
}

static bool sums_otherwise(const wg_program *p) {
    for (value v = 1; v < p->t.instr.count; v++) {
        const struct instr *i = instr_at(&p->t, v);
        if (i->op == OP_dot || i->op == OP_conv || is_leading_logsumexp(&p->t, i)) return true;
    }
    return false;
}

static double element(const wg_tensor *t, int64_t k) {
    return t->dtype == WG_F64 ? ((const double *)t->data)[k] : (double)((const float *)t->data)[k];
}

static void compare(const struct subject *s, int64_t n, size_t output, const wg_tensor *expected,
                    const wg_tensor *got, bool exact) {
    int64_t count = wg_tensor_count(expected);
    size_t width = wg_dtype_size(expected->dtype);
    double scale = 1;
    if (!dtype_is_float(expected->dtype)) {
        if (memcmp(expected->data, got->data, (size_t)count * width))
            fail_msg("%s, n = %lld, output %zu: whole numbers differ", s->name, (long long)n,
                     output);
        return;
    }
    for (int64_t k = 0; k < count; k++)
        if (isfinite(element(expected, k))) scale = fmax(scale, fabs(element(expected, k)));
    for (int64_t k = 0; k < count; k++) {
        double x = element(expected, k), y = element(got, k);
        bool same = !memcmp((char *)expected->data + (size_t)k * width,
                            (char *)got->data + (size_t)k * width, width) ||
                    (x != x && y != y);
        double bound = exact ? 0 : scale * (width == 8 ? 1e-12 : 1e-4);
        if (!same && !(fabs(x - y) <= bound && !exact))
            fail_msg("%s, n = %lld, output %zu, element %lld: %.17g, emitted %.17g", s->name,
                     (long long)n, output, (long long)k, x, y);
    }
}

static void check_at(const struct subject *s, size_t index, int64_t n, void *library,
                     bool always_within) {
    const wg_program *p = s->program;
    size_t inputs = wg_input_count(p), outputs = wg_output_count(p);
    wg_random random = wg_random_seed(index + 1000 * (uint64_t)n);
    wg_tensor in[MOST_PORTS] = {0}, expected[MOST_PORTS] = {0}, got[MOST_PORTS] = {0};
    void *x[MOST_PORTS] = {0}, *y[MOST_PORTS] = {0};
    int64_t size[16];
    wg_error error = {0};
    char symbol[32];
    int (*call)(const int64_t *, void *const *, void *const *, void *);
    size_t (*work_size)(const int64_t *);
    assert_true(inputs <= MOST_PORTS && outputs <= MOST_PORTS);
    for (size_t i = 0; i < 16; i++) size[i] = n;
    for (size_t i = 0; i < inputs; i++) {
        in[i] = tensor_of(p, wg_input_type(p, i), n);
        draw(s, i, &in[i], &random);
        x[i] = in[i].data;
    }
    for (size_t i = 0; i < outputs; i++) {
        got[i] = tensor_of(p, wg_output_type(p, i), n);
        y[i] = got[i].data;
    }
    snprintf(symbol, sizeof symbol, "call_%zu", index);
    void *found = dlsym(library, symbol);
    memcpy(&call, &found, sizeof call);
    snprintf(symbol, sizeof symbol, "work_%zu", index);
    found = dlsym(library, symbol);
    memcpy(&work_size, &found, sizeof work_size);
    size_t bytes = work_size(size);
    char *work = malloc(bytes + 16);
    memset(work, 0x7f, bytes + 16); /* nothing may be expected there, nor be written behind it */
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    wg_status status = wg_run(fn, size, in, expected, &error);
    int returned = call(size, x, y, bytes ? work : NULL);
    if ((status != WG_OK) != (returned != 0))
        fail_msg("%s, n = %lld: interpreted \"%s\", emitted %d", s->name, (long long)n,
                 error.message, returned);
    for (size_t i = 0; i < 16; i++) assert_int_equal(work[bytes + i], 0x7f);
    for (size_t i = 0; i < outputs && status == WG_OK; i++)
        compare(s, n, i, &expected[i], &got[i], !always_within && !sums_otherwise(p));
    wg_function_free(fn);
    free(work);
    for (size_t i = 0; i < inputs; i++) free(in[i].data);
    for (size_t i = 0; i < outputs; i++) free(expected[i].data), free(got[i].data);
}

static void check_library(const char *name, size_t from, size_t to, bool always_within) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail_msg("%s", dlerror());
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < (subject[i].sized ? SIZES : 1); k++)
            check_at(&subject[i], i, subject[i].sized ? sizes[k] : 1, library, always_within);
    dlclose(library);
}

static void it_gives_the_interpreters_bits(void **state) {
    (void)state;
    run_compiler("gcc -std=c99 " STRICT " -O0 -ffp-contract=off -fPIC -shared -o all.so all.c "
                 "all_adapters.c -lm");
    check_library("all.so", 0, subjects, false);
}

/* Warnings that only optimisers give, and code that they could break. */
static void optimised_it_stays_within_rounding(void **state) {
    (void)state;
    wg_text code = {0};
    if (IS_READ_ELSEWHERE) skip();
    emit_some(first_file, first_random, "files", (wg_emit_options){0}, &code);
    write_adapters(first_file, first_random, "files");
    run_compiler("gcc -std=c99 " STRICT " -O3 -march=native -fPIC -shared -o files.so files.c "
                 "files_adapters.c -lm");
    check_library("files.so", first_file, first_random, true);
    if (has_command("clang++")) {
        run_compiler("clang++ -x c++ " STRICT " -O2 -fPIC -shared -o files_cpp.so files.c "
                     "files_adapters.c -lm");
    }
    wg_text_free(&code);
}

static void products_go_to_a_blas_on_request(void **state) {
    (void)state;
    wg_text code = {0};
    emit_some(first_file, first_random, "blas", (wg_emit_options){.cblas = true}, &code);
    assert_true(has_word(code.data, "cblas_dgemm"));
    write_adapters(first_file, first_random, "blas");
    wg_text_free(&code);
    if (system("echo '#include <cblas.h>' | gcc -fsyntax-only -x c - 2>/dev/null")) skip();
    run_compiler("gcc -std=c99 " STRICT " -O1 -ffp-contract=off -fPIC -shared -o blas.so blas.c "
                 "blas_adapters.c -lopenblas -lm");
    check_library("blas.so", first_file, first_random, false);
}

static void in_float_it_is_the_narrow_program(void **state) {
    (void)state;
    wg_text code = {0};
    wg_program *wide[96];
    assert_true(first_random - first_file <= COUNT_OF(wide));
    for (size_t i = first_file; i < first_random; i++) {
        wg_error error = {0};
        wide[i - first_file] = subject[i].program;
        subject[i].program = program_narrow(subject[i].program, &error);
        assert_ok(error);
    }
    emit_some(first_file, first_random, "narrow", (wg_emit_options){.f32 = true}, &code);
    write_adapters(first_file, first_random, "narrow");
    run_compiler("gcc -std=c99 " STRICT " -O0 -ffp-contract=off -fPIC -shared -o narrow.so "
                 "narrow.c narrow_adapters.c -lm");
    check_library("narrow.so", first_file, first_random, false);
    if (has_command("arm-none-eabi-gcc"))
        run_compiler("arm-none-eabi-gcc -std=c99 -ffreestanding -mcpu=cortex-m4 -O2 " STRICT
                     " -c -o narrow.o narrow.c");
    assert_false(has_word(code.data, "wg_dot_f64"));
    for (size_t i = first_file; i < first_random; i++) {
        wg_program_free(subject[i].program);
        subject[i].program = wide[i - first_file];
    }
    wg_text_free(&code);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static wg_status emit_as(const wg_program *p, const char *first, const char *second,
                         wg_error *error) {
    const wg_program *const both[] = {p, p};
    const char *const name[] = {first, second};
    wg_text code = {0}, header = {0};
    *error = (wg_error){0};
    wg_status status = wg_emit(both, name, 2, NULL, &code, &header, error);
    if (status) assert_true(code.size == 0 && header.size == 0);
    wg_text_free(&code);
    wg_text_free(&header);
    return status;
}

static void names_of_functions_are_checked(void **state) {
    (void)state;
    wg_error error;
    wg_program *p = test_parse("x*x");
    assert_int_equal(emit_as(p, "f", "f", &error), WG_ENAME);
    assert_string_equal(error.message, "emit: two functions are called \"f\"");
    assert_int_equal(emit_as(p, "f", "2f", &error), WG_ENAME);
    assert_string_equal(error.message, "emit: \"2f\" cannot be the name of a function in C");
    assert_int_equal(emit_as(p, "f", "class", &error), WG_ENAME);
    assert_int_equal(emit_as(p, "f", "", &error), WG_ENAME);
    assert_int_equal(emit_as(p, "f", "g", &error), WG_OK);
    assert_int_equal(emit_as(NULL, "f", "g", &error), WG_EARGUMENT);
    wg_program_free(p);
}

/* Sizes that do not go together, and an index outside: 2 and 1, and nothing is printed. */
static void bad_calls_return_their_reasons(void **state) {
    (void)state;
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_extent n = wg_size(g, "n");
    wg_var x = wg_input(g, "x", wg_f64(n)), at = wg_input(g, "at", wg_i64());
    wg_output(g, "y", wg_add(wg_take(x, at, 0), wg_sum(wg_slice(x, 0, 2, 3, 1))));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    size_t index = subjects;
    add_subject(p, NULL, "fails");
    wg_text code = {0};
    emit_some(index, subjects, "fails", (wg_emit_options){0}, &code);
    write_adapters(index, subjects, "fails");
    run_compiler("gcc -std=c99 " STRICT " -fPIC -shared -o fails.so fails.c fails_adapters.c -lm");
    char path[600], symbol[32];
    snprintf(path, sizeof path, "%s/fails.so", folder);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    snprintf(symbol, sizeof symbol, "call_%zu", index);
    void *found = dlsym(library, symbol);
    int (*call)(const int64_t *, void *const *, void *const *, void *);
    memcpy(&call, &found, sizeof call);
    double data[4] = {1, 2, 3, 4}, y = 0, work[64];
    int64_t place = 3, size = 4;
    void *in[] = {data, &place}, *out[] = {&y};
    assert_int_equal(call(&size, in, out, work), 0);
    assert_true(y == 4 + 3);
    place = 4;
    assert_int_equal(call(&size, in, out, work), 1);
    place = -1;
    assert_int_equal(call(&size, in, out, work), 1);
    place = 0;
    size = 2;
    assert_int_equal(call(&size, in, out, work), 2);
    size = -1;
    assert_int_equal(call(&size, in, out, work), 2);
    dlclose(library);
    wg_text_free(&code);
}

static void what_has_no_c_is_refused(void **state) {
    (void)state;
    wg_error error = {0};
    const struct op_sample *s = &op_def(OP_external)->sample[0];
    wg_graph *g = wg_graph_new();
    value arg[3] = {0};
    graph_site(g, "model.wg", 7, 3);
    for (size_t i = 0; i < s->narg; i++)
        arg[i] = graph_input(g, (const char *[]){"a", "b", "c"}[i], &s->arg[i]);
    graph_output(g, "y", s->make(g, arg));
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    assert_int_equal(emit_as(p, "f", "g", &error), WG_EARGUMENT);
    assert_non_null(strstr(error.message, "emit: the operation external"));
    assert_non_null(strstr(error.message, "has no form as C of its own"));
    wg_program_free(p);
}

static void nests_are_shown_without_the_runtime(void **state) {
    (void)state;
    wg_error error = {0};
    wg_text text = {0};
    wg_program *p = test_parse("f(x[n]) = sum(x^2)");
    assert_int_equal(wg_show_lowered(p, &text, &error), WG_OK);
    assert_non_null(strstr(text.data, "/* square: "));
    assert_null(strstr(text.data, "#include"));
    wg_text_free(&text);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_the_same_each_time),
        cmocka_unit_test(compilers_take_it_without_a_word),
        cmocka_unit_test(it_gives_the_interpreters_bits),
        cmocka_unit_test(optimised_it_stays_within_rounding),
        cmocka_unit_test(products_go_to_a_blas_on_request),
        cmocka_unit_test(in_float_it_is_the_narrow_program),
        cmocka_unit_test(names_of_functions_are_checked),
        cmocka_unit_test(bad_calls_return_their_reasons),
        cmocka_unit_test(what_has_no_c_is_refused),
        cmocka_unit_test(nests_are_shown_without_the_runtime),
    };
    return cmocka_run_group_tests(tests, collect, give_back);
}
