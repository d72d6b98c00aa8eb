/* Loops that programs write out: scalar code whose statements repeat themselves becomes a loop
 * again. Each program here, with its reverse and forward mode, must give the interpreter's bits
 * without optimisation and its numbers with it, and become as short as a loop is. */
#include "native/bundle.h"

enum { SHORT = 250 }; /* statements of a program whose loops were found */

typedef wg_program *building(int steps);

/* ---- the check ------------------------------------------------------------------------------- */

static void draw(const wg_program *p, wg_tensor *input) {
    wg_random random = wg_random_seed(5);
    for (size_t i = 0; i < wg_input_count(p); i++) {
        wg_type type = wg_input_type(p, i);
        input[i] = (wg_tensor){.dtype = (wg_dtype)type.dtype, .rank = type.rank};
        for (int k = 0; k < type.rank; k++) input[i].shape[k] = type.extent[k];
        input[i].data = calloc((size_t)wg_tensor_count(&input[i]) + 1, sizeof(double));
        assert_non_null(input[i].data);
        for (int64_t k = 0; k < wg_tensor_count(&input[i]); k++) {
            double x = 1 - wg_random_uniform(&random);
            if (type.dtype == WG_F32)
                ((float *)input[i].data)[k] = (float)x;
            else
                ((double *)input[i].data)[k] = x;
        }
    }
}

/* The statements of the program as C. */
static size_t statements_of(const wg_program *p) {
    wg_error error = {0};
    wg_text text = {0};
    size_t count = 0;
    wg_show_lowered(p, &text, &error);
    assert_ok(error);
    for (const char *s = text.data; (s = strstr(s, " = ")); s++) count++;
    wg_text_free(&text);
    return count;
}

static void agrees(const wg_program *p, const char *label) {
    enum { MOST = 64 };
    static const struct tolerance rounding = {1e-11, 1e-4};
    wg_tensor input[MOST];
    assert_true(wg_input_count(p) < MOST);
    draw(p, input);
    struct bundle *b = bundle_of_one(p, label);
    wg_function *interpreted = bundle_compile(p, WG_INTERPRET, NULL);
    wg_function *plain = bundle_compile(p, WG_NATIVE, "-O0 -ffp-contract=off");
    wg_function *fast = bundle_compile(p, WG_NATIVE, NULL);
    assert_int_equal(bundle_compare(b, interpreted, plain, 0, input, same_bits, "plain"), 0);
    assert_int_equal(bundle_compare(b, interpreted, fast, 0, input, rounding, "fast"), 0);
    wg_function_free(interpreted);
    wg_function_free(plain);
    wg_function_free(fast);
    for (size_t i = 0; i < wg_input_count(p); i++) free(input[i].data);
    free(b);
}

static void check(building *build, int steps, bool repeats, const char *label) {
    wg_error error = {0};
    wg_program *p = build(steps);
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error), *jvp = wg_jvp(vjp, NULL, NULL, &error);
    assert_ok(error);
    agrees(p, label);
    agrees(vjp, label);
    agrees(jvp, label);
    if (repeats) {
        size_t direct = statements_of(p), reverse = statements_of(vjp), second = statements_of(jvp);
        print_message("%s: %zu, %zu and %zu statements\n", label, direct, reverse, second);
        assert_true(direct < SHORT && 4 * reverse < vjp->t.instr.count &&
                    4 * second < jvp->t.instr.count);
    } else {
        assert_true(statements_of(p) > (size_t)steps);
    }
    wg_program_free(p);
    wg_program_free(vjp);
    wg_program_free(jvp);
}

/* ---- programs -------------------------------------------------------------------------------- */

static wg_program *pendulum(int steps) {
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input(g, "a", wg_f64()), v = wg_input(g, "v", wg_f64());
    wg_var k = wg_input(g, "k", wg_f64()), y = wg_number(g, WG_F64, 0);
    for (int i = 0; i < steps; i++) {
        v = wg_sub(v, wg_mul(0.01, wg_add(wg_mul(k, wg_sin(a)), wg_mul(0.3, v))));
        a = wg_add(a, wg_mul(0.01, v));
        y = wg_add(y, wg_square(a));
    }
    wg_output(g, "y", y);
    return test_build(g);
}

/* x[i + 1] of x[i] and x[i - 1], in f32; some on the way are asked for too. */
static wg_program *two_back(int steps) {
    wg_graph *g = wg_graph_new();
    wg_var before = wg_input(g, "p", wg_f32()), x = wg_input(g, "q", wg_f32());
    for (int i = 0; i < steps; i++) {
        wg_var next = wg_add(wg_sin(x), wg_mul(0.25, before));
        before = x;
        x = next;
        if (i == steps / 3) wg_output(g, "third", x);
        if (i == steps / 3 + 1) wg_output(g, "then", wg_exp(x));
    }
    wg_output(g, "last", x);
    return test_build(g);
}

static wg_var element_of(wg_var x, int i) { return wg_sum(wg_slice(x, 0, i, i + 1, 1)); }

/* Elements of two inputs, one forwards and one backwards with steps of two. */
static wg_program *elements(int steps) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(steps)), z = wg_input(g, "z", wg_f64(2 * steps));
    wg_var y = wg_number(g, WG_F64, 1);
    for (int i = 0; i < steps; i++) {
        wg_var a = element_of(x, i), b = element_of(z, 2 * (steps - 1 - i));
        y = wg_add(wg_mul(0.5, wg_mul(y, a)), wg_tanh(wg_mul(a, b)));
    }
    wg_output(g, "y", y);
    return test_build(g);
}

/* Two elements a step, and so many steps that the gradient is a concatenation of concatenations. */
static wg_program *pairs(int steps) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(6 * steps)), y = wg_number(g, WG_F64, 0);
    for (int i = 0; i < 3 * steps; i++)
        y = wg_add(y, wg_mul(wg_sin(element_of(x, 2 * i)), element_of(x, 2 * i + 1)));
    wg_output(g, "y", y);
    return test_build(g);
}

/* No value needs the one before: comparisons and choices. */
static wg_program *choices(int steps) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64(steps)), c = wg_input(g, "c", wg_f64());
    wg_var y = wg_number(g, WG_F64, 0);
    for (int i = 0; i < steps; i++) {
        wg_var a = element_of(x, i);
        wg_var chosen = wg_where(wg_gt(a, c), wg_mul(a, a), wg_sub(c, a));
        y = wg_add(y, wg_mul(chosen, wg_cast(WG_F64, wg_lt(a, 0.75))));
    }
    wg_output(g, "y", y);
    return test_build(g);
}

/* A step in the middle is another: two loops, and the second reads what the first kept. */
static wg_program *interrupted(int steps) {
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = wg_input(g, "y", wg_f64()), kept[1000];
    assert_true(steps <= 1000);
    for (int i = 0; i < steps; i++) {
        if (i == steps / 2) x = wg_sqrt(wg_add(wg_square(x), 1));
        x = wg_add(wg_cos(x), wg_mul(y, x));
        kept[i] = wg_exp(wg_neg(x));
        y = wg_mul(0.9, y);
    }
    for (int i = 0; i < steps; i++)
        y = wg_add(wg_mul(y, 0.5), wg_mul(kept[steps - 1 - i], kept[i]));
    wg_output(g, "x", x);
    wg_output(g, "y", y);
    return test_build(g);
}

/* What lies six steps back is farther than variables wait. */
static wg_program *far_back(int steps) {
    wg_graph *g = wg_graph_new();
    wg_var x[1000];
    x[0] = wg_input(g, "x", wg_f64());
    for (int i = 1; i <= steps; i++)
        x[i] = wg_add(wg_mul(0.5, wg_sin(x[i > 6 ? i - 6 : 0])), wg_mul(0.5, x[i - 1]));
    wg_output(g, "y", x[steps]);
    return test_build(g);
}

/* Loops within the step of a loop. */
static wg_program *matrix_steps(int steps) {
    enum { N = 6 };
    wg_graph *g = wg_graph_new();
    wg_var A = wg_input(g, "A", wg_f64(N, N)), x[N], y[N];
    for (int j = 0; j < N; j++) x[j] = wg_number(g, WG_F64, j + 1);
    for (int i = 0; i < steps; i++) {
        for (int j = 0; j < N; j++) {
            y[j] = wg_number(g, WG_F64, 0);
            for (int k = 0; k < N; k++) {
                wg_var a = wg_sum(wg_slice(wg_slice(A, 0, j, j + 1, 1), 1, k, k + 1, 1));
                y[j] = wg_add(y[j], wg_mul(a, x[k]));
            }
        }
        for (int j = 0; j < N; j++) x[j] = wg_tanh(y[j]);
    }
    wg_output(g, "y", x[0]);
    return test_build(g);
}

/* Steps written out in the body of a loop. */
static wg_program *in_a_body(int steps) {
    enum { LINE = 40 };
    wg_error error = {0};
    char *text = calloc((size_t)steps + 9, 2 * LINE);
    assert_non_null(text);
    size_t size = (size_t)sprintf(text, "f(x, k) = {\n  y = x\n  for i in 0:3 {\n");
    for (int i = 0; i < steps; i++)
        size += (size_t)sprintf(text + size, "    y = y + 0.1*sin(k*y)\n");
    size += (size_t)sprintf(text + size, "  }\n}\n");
    wg_program *p = wg_parse(text, size, NULL, &error);
    assert_ok(error);
    free(text);
    return p;
}

static void loops_are_found_in_bodies(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = in_a_body(200), *jvp = wg_jvp(p, NULL, NULL, &error);
    assert_ok(error);
    agrees(p, "body");
    agrees(jvp, "tangent of a body");
    assert_true(statements_of(p) < SHORT);
    wg_program_free(p);
    wg_program_free(jvp);
}

static void loops_are_found(void **state) {
    (void)state;
    check(pendulum, 200, true, "pendulum");
    check(two_back, 400, true, "two back");
    check(elements, 200, true, "elements");
    check(pairs, 200, true, "pairs");
    check(choices, 200, true, "choices");
    check(interrupted, 200, true, "interrupted");
    check(matrix_steps, 30, true, "matrix steps");
}

static void what_is_no_loop_is_none(void **state) {
    (void)state;
    check(far_back, 300, false, "far back");
}

/* ---- random loops ---------------------------------------------------------------------------- */

enum { WIDTH = 12, LOOPS = 40 };

/* A body of random statements, each reading what this repetition made, one of the last, the first,
 * or an input; now and then one repetition is spoilt. */
static void add_random(struct bundle *b, wg_random *random) {
    static const int back[] = {0, 0, 0, 1, 1, 2, 3, 4};
    wg_graph *g = wg_graph_new();
    uint64_t width = 1 + wg_random_below(random, WIDTH), trips = 700 / width;
    int op[WIDTH], from[WIDTH][2], distance[WIDTH][2];
    wg_var *made = calloc((trips + 8) * WIDTH, sizeof *made), in[2];
    in[0] = wg_input(g, "p", wg_f64());
    in[1] = wg_input(g, "q", wg_f64());
    for (uint64_t j = 0; j < width; j++) {
        op[j] = (int)wg_random_below(random, 5);
        for (int k = 0; k < 2; k++) {
            from[j][k] = (int)wg_random_below(random, width + 2);
            distance[j][k] = back[wg_random_below(random, 8)];
            if (distance[j][k] == 0 && from[j][k] >= (int)j) distance[j][k] = 1;
        }
    }
    for (uint64_t i = 0; i < trips; i++) {
        bool spoilt = wg_random_below(random, 300) == 0;
        for (uint64_t j = 0; j < width; j++) {
            wg_var x[2];
            for (int k = 0; k < 2; k++) {
                bool given = from[j][k] >= (int)width || (uint64_t)distance[j][k] > i;
                x[k] = given ? in[(from[j][k] + k) % 2]
                             : made[(i - (uint64_t)distance[j][k]) * WIDTH + (size_t)from[j][k]];
            }
            wg_var y = op[j] == 0   ? wg_sin(x[0])
                       : op[j] == 1 ? wg_mul(wg_cos(x[0]), x[1])
                       : op[j] == 2 ? wg_sub(wg_mul(0.5, x[0]), wg_tanh(x[1]))
                       : op[j] == 3 ? wg_where(wg_gt(x[0], x[1]), x[1], wg_sin(x[0]))
                                    : wg_mul(0.75, wg_add(x[0], wg_sin(x[1])));
            made[i * WIDTH + j] = spoilt && j == width / 2 ? wg_sigmoid(y) : y;
        }
    }
    for (uint64_t j = 0; j < width; j++) {
        char name[32];
        snprintf(name, sizeof name, "y%d", (int)j);
        wg_output(g, name, made[(trips - 1 - j % 3) * WIDTH + j]);
    }
    free(made);
    wg_error error = {0};
    wg_program *p = test_build(g), *vjp = wg_vjp(p, NULL, NULL, &error);
    assert_ok(error);
    bundle_add(b, p, "random loop");
    bundle_add(b, vjp, "adjoint of a random loop");
    wg_program_free(p);
    wg_program_free(vjp);
}

static void random_loops(void **state) {
    (void)state;
    wg_random random = wg_random_seed(2);
    struct bundle *b = bundle_new();
    int loops = getenv("WG_INSTRUMENTED") ? LOOPS / 8 : LOOPS; /* sanitizers slow them down */
    for (int i = 0; i < loops; i++) add_random(b, &random);
    wg_program *p = bundle_build(b);
    wg_tensor *input = calloc(b->inputs + 1, sizeof *input);
    draw(p, input);
    wg_function *interpreted = bundle_compile(p, WG_INTERPRET, NULL);
    wg_function *plain = bundle_compile(p, WG_NATIVE, "-O0 -ffp-contract=off");
    assert_int_equal(bundle_compare(b, interpreted, plain, 0, input, same_bits, "plain"), 0);
    print_message("%zu instructions, %zu statements\n", p->t.instr.count, statements_of(p));
    assert_true(10 * statements_of(p) < 6 * p->t.instr.count);
    wg_function_free(interpreted);
    wg_function_free(plain);
    for (size_t i = 0; i < b->inputs; i++) free(input[i].data);
    free(input);
    wg_program_free(p);
    bundle_free(b);
}

/* ---- what a step waits for ------------------------------------------------------------------- */

/* Whether `early` stands before `late` in the program's C; both are there. */
static bool stands_before(const wg_program *p, const char *early, const char *late) {
    wg_error error = {0};
    wg_text text = {0};
    wg_show_lowered(p, &text, &error);
    assert_ok(error);
    const char *first = strstr(text.data, early), *second = strstr(text.data, late);
    assert_true(first && second);
    bool before = first < second;
    wg_text_free(&text);
    return before;
}

/* Of two products the one that is ready first stands second, whichever the formula has first. */
static void late_products_stand_first(void **state) {
    static const char *const formulas[] = {
        "f(a,b,x) = a*b + a*sin(x)", "f(a,b,x) = a*sin(x) + a*b",
        "f(a,b,x) = a*b - a*sin(x)", "f(a,b,x) = { let c = a*b; y = a*sin(x) - c }",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(formulas); i++) {
        wg_program *p = test_parse(formulas[i]);
        assert_true(stands_before(p, " = a * v", " = a * b"));
        agrees(p, formulas[i]);
        wg_program_free(p);
    }
}

/* A product that somebody else reads, also by another name, stays in front of its readers. */
static void products_with_other_readers_stay(void **state) {
    static const char *const formulas[] = {
        "f(a,b,x) = { let e = a*b; p = sin(e); y = e + a*sin(x) }",
        "f(a,b,x) = { let e = stop_gradient(a*b); p = sin(e); y = e + a*sin(x) }",
        "f(a,b,x) = { let e = stop_gradient(a*b); y = e + a*sin(x); z = e + a*sin(sin(x)) }",
        "f(a,b,x) = { e = a*b; y = e + a*sin(x) }",
        "f(a,b,x) = { let e = stop_gradient(a*b); y = e + a*sin(x); z = [e, x] }",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(formulas); i++) {
        wg_program *p = test_parse(formulas[i]);
        assert_true(stands_before(p, " = a * b", " = a * v"));
        agrees(p, formulas[i]);
        wg_program_free(p);
    }
    static const char loop[] =
        "f(a,b,x) = { s = x; for i in 0:50 { let e = stop_gradient(a*s); let p = cos(e)\n"
        " s = e*0.001 + p*sin(sin(s)) + (e + a*sin(s))*0.1 } }";
    wg_program *p = test_parse(loop);
    agrees(p, loop);
    wg_program_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_products_stand_first),
        cmocka_unit_test(products_with_other_readers_stay),
        cmocka_unit_test(loops_are_found),
        cmocka_unit_test(loops_are_found_in_bodies),
        cmocka_unit_test(what_is_no_loop_is_none),
        cmocka_unit_test(random_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
