/* Random programs through the planner and through the plainest evaluation there is, every value in
 * a buffer of its own, one instruction after the other: the outputs must be the same bits. The
 * programs are made to be hard on groups and slots: many small domains that come and go, scalars
 * between tensors, broadcasts, reshapes, several outputs of one value, donated inputs. Some of them
 * as native code too. */
#include "op/build.h"
#include "op/op.h"
#include "support/test.h"
#include "wengert/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS = 3000, NATIVE_PROGRAMS = 60, LENGTH = 60 };

/* ---- the plain way --------------------------------------------------------------------------- */

static size_t bytes_of(const struct trace *t, const int64_t *size, value v) {
    int64_t shape[WG_MAX_RANK], count;
    assert_true(type_eval(t, type_of(t, v), size, shape, &count));
    return (size_t)count * wg_dtype_size((wg_dtype)type_of(t, v)->dtype);
}

static void run_plainly(const struct trace *t, value v, const int64_t *size, void *const *buffer,
                        const struct shape *shape) {
    const struct instr *i = instr_at(t, v);
    const value *arg = args_of(t, i);
    size_t bytes = bytes_of(t, size, v);
    if (i->op == OP_copy || i->op == OP_reshape) {
        memcpy(buffer[v], buffer[arg[0]], bytes);
        return;
    }
    elementwise_kernel *kernel = i->narg && i->narg <= 3
                                     ? op_kernel(i->op, type_of(t, arg[i->narg - 1])->dtype,
                                                 type_at(t, i->type)->dtype)
                                     : NULL;
    struct view view[UINT8_MAX];
    const void *operand[UINT8_MAX];
    for (size_t k = 0; k < i->narg; k++) {
        const wg_type *type = type_of(t, arg[k]);
        operand[k] = buffer[arg[k]];
        view[k] = (struct view){buffer[arg[k]], &shape[arg[k]], type->rank, type->dtype};
    }
    const wg_type *type = type_at(t, i->type);
    if (kernel) {
        kernel((size_t)shape[v].count, operand, buffer[v]);
        return;
    }
    int64_t extent_value[64];
    assert_true(t->extent.count <= 64);
    for (size_t k = 1; k < t->extent.count; k++)
        extent_eval(t, -(wg_extent)k, size, &extent_value[k]);
    struct exec e = {.arg = view,
                     .narg = i->narg,
                     .out = {buffer[v], &shape[v], type->rank, type->dtype},
                     .attr = attr_words(t, i->attr),
                     .attr_count = attr_count(t, i->attr),
                     .extent_value = extent_value};
    assert_int_equal(op_def(i->op)->run(&e), WG_OK);
}

/* A buffer for every value. */
static void **evaluate_plainly(const struct trace *t, const int64_t *size,
                               const void *const *input) {
    void **buffer = calloc(t->instr.count, sizeof *buffer);
    struct shape *shape = calloc(t->instr.count, sizeof *shape);
    assert_non_null(buffer);
    assert_non_null(shape);
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        size_t bytes = bytes_of(t, size, v);
        type_eval(t, type_of(t, v), size, shape[v].extent, &shape[v].count);
        buffer[v] = malloc(bytes + 1);
        assert_non_null(buffer[v]);
        const int64_t *word = attr_words(t, i->attr);
        if (i->op == OP_input)
            memcpy(buffer[v], input[word[0]], bytes);
        else if (i->op == OP_constant)
            memcpy(buffer[v], word, bytes);
        else if (i->op == OP_data)
            memcpy(buffer[v], t->blob.at[word[0]].data, bytes);
        else
            run_plainly(t, v, size, buffer, shape);
    }
    free(shape);
    return buffer;
}

/* ---- random programs ------------------------------------------------------------------------- */

enum { INPUTS = 6 };
static const char *const input_name[INPUTS] = {"s", "v", "m", "w", "c", "f"};
static const char *const output_name[] = {"y0", "y1", "y2", "y3", "y4", "y5", "y6", "y7"};

static value pick(wg_random *random, const value *pool, size_t count) {
    uint64_t back = wg_random_below(random, 3) ? wg_random_below(random, count < 8 ? count : 8)
                                               : wg_random_below(random, count);
    return pool[count - 1 - back];
}

/* One more value, made of those of the pool; 0 where the draw fits nothing. */
static value grow(wg_graph *g, wg_random *random, const value *pool, size_t count,
                  const wg_type *types, size_t drawn) {
    value a = pick(random, pool, count), b = pick(random, pool, count),
          c = pick(random, pool, count);
    const wg_type ta = *type_of(&g->t, a), tb = *type_of(&g->t, b);
    wg_type to = types[wg_random_below(random, drawn)];
    static const unsigned unary[] = {OP_sin, OP_neg, OP_tanh, OP_abs, OP_square};
    static const unsigned binary[] = {OP_add, OP_sub, OP_mul, OP_max, OP_min};
    switch (wg_random_below(random, 12)) {
    case 0:
    case 1:
        return value_is_float(&g->t, a) ? build_unary(g, unary[wg_random_below(random, 5)], a) : 0;
    case 2:
    case 3:
    case 4:
        return value_is_float(&g->t, a) && type_equal(&ta, &tb)
                   ? build_binary(g, binary[wg_random_below(random, 5)], a, b)
                   : 0;
    case 5: { /* compare and choose */
        const wg_type tc = *type_of(&g->t, c);
        if (!value_is_float(&g->t, a) || !type_equal(&ta, &tb) || !type_equal(&ta, &tc)) return 0;
        return build_where(g, build_binary(g, OP_lt, a, b), c, a);
    }
    case 6: return ta.dtype != WG_BOOL ? build_cast(g, ta.dtype == WG_F64 ? WG_F32 : WG_F64, a) : 0;
    case 7:
        return value_is_float(&g->t, a) && ta.rank
                   ? build_sum(g, a, 1 + (uint32_t)wg_random_below(random, (1u << ta.rank) - 1))
                   : 0;
    case 8: /* a scalar or vector over a larger shape */
        if (!value_is_float(&g->t, a)) return 0;
        if (ta.rank == 0) return build_broadcast(g, a, &to, 0);
        for (uint32_t axis = 0; ta.rank == 1 && axis < to.rank; axis++)
            if (to.extent[axis] == ta.extent[0]) return build_broadcast(g, a, &to, 1u << axis);
        return 0;
    case 9: { /* other extents of the same count */
        if (ta.rank == 2) return build_transpose(g, a, (const uint8_t[]){1, 0});
        wg_type one = wg_type_of(WG_F64, 1, (const wg_extent[]){1});
        wg_type row = wg_type_of(WG_F64, 2, (const wg_extent[]){1, ta.extent[0]});
        one.dtype = row.dtype = ta.dtype;
        return build_reshape(g, a, ta.rank == 0 ? &one : &row);
    }
    case 10: { /* back again */
        if (ta.rank == 0) return 0;
        wg_type flat = wg_type_of((wg_dtype)ta.dtype, 1, (const wg_extent[]){type_count(g, &ta)});
        wg_type scalar = {.dtype = ta.dtype};
        return build_reshape(g, a, flat.extent[0] == 1 ? &scalar : &flat);
    }
    default:
        return value_is_float(&g->t, a) ? build_binary(g, OP_mul, a, build_like(g, a, 0.5)) : 0;
    }
}

/* Returns the program; donate receives pairs of ports of one type. */
static wg_program *draw_program(wg_random *random, char *donate, size_t room) {
    wg_graph *g = wg_graph_new();
    wg_extent n = extent_size(g, graph_size(g, "n")), k = wg_random_below(random, 2) ? 3 : n;
    wg_type types[] = {wg_f64(), wg_f64(n), wg_f64(n, k), wg_f64(k, n), wg_f64(k), wg_f32(n)};
    value pool[INPUTS + LENGTH];
    size_t count = 0, outputs = 0;
    for (size_t i = 0; i < INPUTS; i++) pool[count++] = graph_input(g, input_name[i], &types[i]);
    if (wg_random_below(random, 2)) /* a constant tensor */
        pool[count++] = graph_blob(g, &(wg_type){WG_F64, 1, {3}}, (double[]){0.25, -0.5, 0.75});
    for (int i = 0; i < LENGTH && count < INPUTS + LENGTH; i++) {
        value v = grow(g, random, pool, count, types, 5);
        if (v) pool[count++] = v;
    }
    bool given[INPUTS] = {false};
    donate[0] = 0;
    for (; outputs < COUNT_OF(output_name); outputs++) {
        value y = pick(random, pool, count);
        graph_output(g, output_name[outputs], y);
        const wg_type type = *type_of(&g->t, y);
        for (size_t i = 0; i < INPUTS; i++) {
            if (given[i] || !type_equal(&type, &types[i]) || wg_random_below(random, 2)) continue;
            given[i] = true;
            size_t used = strlen(donate);
            snprintf(donate + used, room - used, "%s%s=%s", used ? ", " : "", output_name[outputs],
                     input_name[i]);
            break;
        }
    }
    wg_error error = {0};
    wg_program *p = wg_build(g, &error);
    assert_ok(error);
    return p;
}

static void *draw_elements(wg_random *random, wg_dtype dtype, size_t bytes) {
    char *data = malloc(bytes + 1);
    assert_non_null(data);
    size_t width = wg_dtype_size(dtype);
    for (size_t i = 0; i < bytes; i += width) {
        double x = 2 * wg_random_uniform(random) - 1;
        float single = (float)x;
        memcpy(data + i, dtype == WG_F64 ? (void *)&x : (void *)&single, width);
    }
    return data;
}

/* The input whose buffer output i may have, or -1. */
static int donor_of(const wg_program *p, const char *donate, size_t i) {
    for (size_t k = 0; k < INPUTS; k++) {
        char pair[32];
        snprintf(pair, sizeof pair, "%s=%s", wg_output_name(p, i), wg_input_name(p, k));
        const char *at = strstr(donate, pair);
        if (at && (at[strlen(pair)] == ',' || !at[strlen(pair)])) return (int)k;
    }
    return -1;
}

static void compare(const wg_program *p, const wg_function *fn, const char *donate, int64_t n,
                    wg_random *random, uint64_t seed) {
    const struct trace *t = &p->t;
    size_t outputs = wg_output_count(p);
    const void *input[INPUTS];
    void *owned[INPUTS], *output[COUNT_OF(output_name)];
    for (size_t i = 0; i < INPUTS; i++) {
        value v = t->input.at[i].v;
        input[i] = owned[i] = draw_elements(random, (wg_dtype)type_of(t, v)->dtype,
                                            bytes_of(t, &n, v));
    }
    void **expected = evaluate_plainly(t, &n, input);
    for (size_t i = 0; i < outputs; i++) {
        int donor = donor_of(p, donate, i);
        output[i] = donor >= 0 ? owned[donor] : malloc(bytes_of(t, &n, t->output.at[i].v) + 1);
        assert_non_null(output[i]);
    }
    size_t bytes = 0;
    wg_error error = {0};
    wg_workspace_size(fn, &n, &bytes, &error);
    assert_ok(error);
    char *workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(workspace);
    memset(workspace, 0xa5, (bytes + 127) / 64 * 64);
    wg_call_with(fn, &n, input, output, workspace, &error);
    assert_ok(error);
    for (size_t i = bytes; i < (bytes + 127) / 64 * 64; i++)
        assert_int_equal((unsigned char)workspace[i], 0xa5);
    for (size_t i = 0; i < outputs; i++) {
        value v = t->output.at[i].v;
        if (memcmp(output[i], expected[v], bytes_of(t, &n, v)) != 0)
            fail_msg("seed %llu: output %s differs at n = %lld, donate \"%s\"",
                     (unsigned long long)seed, wg_output_name(p, i), (long long)n, donate);
        if (donor_of(p, donate, i) < 0) free(output[i]);
    }
    free(workspace);
    for (size_t i = 0; i < INPUTS; i++) free(owned[i]);
    for (value v = 0; v < t->instr.count; v++) free(expected[v]);
    free(expected);
}

static void check_program(uint64_t seed, wg_options options) {
    static const int64_t sizes[] = {0, 1, 2, 17, 60};
    wg_random random = wg_random_seed(seed);
    char donate[128];
    wg_error error = {0};
    wg_program *p = draw_program(&random, donate, sizeof donate);
    options.donate = donate;
    wg_function *fn = wg_compile(p, &options, &error);
    assert_ok(error);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) compare(p, fn, donate, sizes[i], &random, seed);
    wg_function_free(fn);
    wg_program_free(p);
}

static void planned_programs_compute_what_plain_ones_do(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < PROGRAMS; seed++) check_program(seed, (wg_options){0});
}

/* Storage is given anew for native code, and donations with it. Where there is no compiler this is
 * the interpreter again. */
static void native_programs_do_too(void **state) {
    (void)state;
    wg_options options = {.backend = WG_NATIVE, .flags = "-O0 -ffp-contract=off"};
    for (uint64_t seed = 0; seed < NATIVE_PROGRAMS; seed++) check_program(seed, options);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planned_programs_compute_what_plain_ones_do),
        cmocka_unit_test(native_programs_do_too)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
