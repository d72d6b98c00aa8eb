/* Every sample of every operation, in every element type that the operation takes, with its first
 * and second derivatives, as native code against the interpreter: the same bits without
 * optimisation, within rounding with it. Among the numbers are NaN, infinities, zeros of both signs
 * and subnormal ones. */
#include "native/bundle.h"
#include "support/op_check.h"
#include "support/op_values.h"

enum { ROUNDS = 40, STATEMENTS = 1500 };

struct slice { /* the programs of one bundle, and how to draw what they take */
    struct bundle *bundle;
    size_t instructions;
    wg_tensor input[BUNDLE_PORTS];
    const struct op_sample *sample[BUNDLE_PROGRAMS];
    struct op_typing typing[BUNDLE_PROGRAMS];
    size_t total, different;
    const char *name;
};

/* ---- inputs ---------------------------------------------------------------------------------- */

static double special(wg_random *random, bool single) {
    const double list[] = {0,         -0.0,
                           NAN,       INFINITY,
                           -INFINITY, single ? (double)FLT_MIN / 4 : DBL_MIN / 4,
                           1,         single ? -(double)FLT_MIN / 8 : -DBL_MIN / 8};
    return list[wg_random_below(random, sizeof list / sizeof *list)];
}

static void sprinkle(wg_tensor *t, wg_random *random) {
    for (int64_t k = 0; k < wg_tensor_count(t); k++) {
        if (wg_random_below(random, 3)) continue;
        if (t->dtype == WG_F64) ((double *)t->data)[k] = special(random, false);
        if (t->dtype == WG_F32) ((float *)t->data)[k] = (float)special(random, true);
    }
}

/* Tangents and adjoints: of no sample. */
static wg_tensor draw_direction(wg_type type, wg_random *random) {
    wg_tensor t = {.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    for (int k = 0; k < type.rank; k++) t.shape[k] = type.extent[k];
    t.data = calloc((size_t)wg_tensor_count(&t) + 1, 8);
    assert_non_null(t.data);
    for (int64_t k = 0; k < wg_tensor_count(&t); k++) {
        double x = 2 * wg_random_uniform(random) - 1;
        if (t.dtype == WG_F64)
            ((double *)t.data)[k] = x;
        else
            ((float *)t.data)[k] = (float)x;
    }
    return t;
}

static void draw_inputs(struct slice *s, const wg_program *p, uint64_t seed, bool specials) {
    wg_random random = wg_random_seed(seed);
    const struct bundle *b = s->bundle;
    for (size_t k = 0; k < b->programs; k++) {
        for (size_t i = b->first_input[k]; i < b->first_input[k + 1]; i++) {
            size_t argument = i - b->first_input[k];
            s->input[i] = argument < s->sample[k]->narg
                              ? op_draw(s->sample[k], argument, s->typing[k], false, &random)
                              : draw_direction(wg_input_type(p, i), &random);
            if (specials) sprinkle(&s->input[i], &random);
        }
    }
}

/* ---- the comparison -------------------------------------------------------------------------- */

/* Sums keep their order; products are contracted, and functions without a form in vector_math.h may
 * be off by a few units of the last place, which second derivatives multiply. */
static const struct tolerance rounding = {1e-12, 1e-5};

static void finish(struct slice *s) {
    struct bundle *b = s->bundle;
    if (b->programs == 0) return;
    wg_program *p = bundle_build(b);
    wg_function *interpreted = bundle_compile(p, WG_INTERPRET, NULL);
    wg_function *plain = bundle_compile(p, WG_NATIVE, "-O0 -ffp-contract=off");
    wg_function *fast = bundle_compile(p, WG_NATIVE, NULL);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        draw_inputs(s, p, seed, seed > 1);
        s->different += bundle_compare(b, interpreted, plain, 3, s->input, same_bits, "plain");
        s->different += bundle_compare(b, interpreted, fast, 3, s->input, rounding, "optimised");
        for (size_t i = 0; i < b->inputs; i++) free(s->input[i].data);
    }
    wg_function_free(interpreted);
    wg_function_free(plain);
    wg_function_free(fast);
    wg_program_free(p);
    s->total += b->programs;
    bundle_free(b);
    s->bundle = bundle_new();
    s->instructions = 0;
}

static void put(struct slice *s, const struct op_sample *sample, struct op_typing t,
                const wg_program *p, const char *kind) {
    if (s->instructions + p->t.instr.count > STATEMENTS || s->bundle->programs == BUNDLE_PROGRAMS)
        finish(s);
    char label[BUNDLE_LABEL];
    snprintf(label, sizeof label, "%s %s of %s, %s and %s", s->name,
             sample->note ? sample->note : "", wg_dtype_name(t.first), wg_dtype_name(t.index),
             kind);
    s->sample[s->bundle->programs] = sample;
    s->typing[s->bundle->programs] = t;
    bundle_add(s->bundle, p, label);
    s->instructions += p->t.instr.count;
}

/* A call that has no value there fails as the interpreter's does. */
static bool fails_alike(const struct op_sample *sample, struct op_typing t, const wg_program *p) {
    wg_random random = wg_random_seed(1);
    wg_tensor in[3] = {{0}}, y = {0};
    wg_error error = {0}, native_error = {0};
    const int64_t size[] = {3};
    for (size_t i = 0; i < sample->narg; i++) in[i] = op_draw(sample, i, t, false, &random);
    wg_function *fn = bundle_compile(p, WG_INTERPRET, NULL);
    wg_status status = wg_run(fn, size, in, &y, &error);
    wg_function_free(fn);
    if (status) {
        fn = bundle_compile(p, WG_NATIVE, NULL);
        assert_int_equal(wg_run(fn, size, in, &y, &native_error), status);
        assert_string_equal(native_error.message, error.message);
        wg_function_free(fn);
    } else {
        wg_tensor_free(&y, NULL);
    }
    for (size_t i = 0; i < sample->narg; i++) free(in[i].data);
    return status != WG_OK;
}

/* The values and derivatives are outputs of the last program; the first has other fusions. */
static void add_typing(const struct op_sample *sample, struct op_typing t, const wg_program *p,
                       void *ctx) {
    wg_error error = {0}, error2 = {0};
    if (fails_alike(sample, t, p)) return;
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error), *jvp = wg_jvp(vjp, NULL, NULL, &error2);
    put(ctx, sample, t, p, "value");
    if (!error.status && !error2.status) put(ctx, sample, t, jvp, "jvp of vjp");
    wg_program_free(vjp);
    wg_program_free(jvp);
}

static void every_sample_gives_the_interpreters_bits(void **state) {
    (void)state;
    struct slice *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->bundle = bundle_new();
    for (unsigned op = 1; op < OP_COUNT; op++) {
        s->name = op_def(op)->name;
        for (const struct op_sample *p = op_def(op)->sample; p && (p->narg || p->make); p++)
            op_each_typing(op, p, add_typing, s);
    }
    finish(s);
    print_message("%zu programs\n", s->total);
    assert_int_equal(s->different, 0);
    bundle_free(s->bundle);
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_sample_gives_the_interpreters_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
