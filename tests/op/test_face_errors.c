/* What every mistake in a call of wengert/graph.h says: status and text, to the letter. Each case
 * is a fresh graph with the same inputs, made in m.c line 1, and a call in line 2. */
#include "op/evaluate.h"

#include "op/op.h"
#include "support/failing_allocator.h"

struct fixture {
    wg_graph *g;
    wg_extent n, m;
    wg_var x, v, w, i, b, s, f; /* f64[n,3], f64[n], f64[4,5], i32[n], bool[n], f64, f32[5,2] */
};

static struct fixture make(void) {
    struct fixture t = {.g = wg_graph_new()};
    assert_non_null(t.g);
    t.n = wg_size_at("m.c", 1, t.g, "n");
    t.m = wg_size_at("m.c", 1, t.g, "m");
    t.x = wg_input_at("m.c", 1, t.g, "x", wg_f64(t.n, 3));
    t.v = wg_input_at("m.c", 1, t.g, "v", wg_f64(t.n));
    t.w = wg_input_at("m.c", 1, t.g, "w", wg_f64(4, 5));
    t.i = wg_input_at("m.c", 1, t.g, "i", wg_i32(t.n));
    t.b = wg_input_at("m.c", 1, t.g, "b", wg_bool(t.n));
    t.s = wg_input_at("m.c", 1, t.g, "s", wg_f64());
    t.f = wg_input_at("m.c", 1, t.g, "f", wg_f32(5, 2));
    assert_int_equal(wg_graph_error(t.g)->status, WG_OK);
    return t;
}

static void expect(struct fixture *t, int line, wg_status status, const char *text) {
    const wg_error *error = wg_graph_error(t->g);
    if (error->status != status || strcmp(error->message, text) != 0)
        fail_msg("line %d: status %d, \"%s\"\ninstead of %d, \"%s\"", line, error->status,
                 error->message, status, text);
    wg_graph_free(t->g);
}

/* WRONG(status, text, call): the call on `t`, alone in its graph, fails like this. */
#define AT "m.c", 2
#define X "\n  operand = input \"x\"      m.c:1"
#define V "\n  operand = input \"v\"      m.c:1"
#define AXES_OF_X "\n  hint: f64[n,3] has axes 0..1, or -2..-1 from the end"
#define WRONG(status, text, ...)                                                                   \
    do {                                                                                           \
        struct fixture t = make();                                                                 \
        (void)(__VA_ARGS__);                                                                       \
        expect(&t, __LINE__, status, "m.c:2: " text);                                              \
    } while (0)

static void leaves(void **state) {
    (void)state;
    WRONG(WG_ENAME, "a size without a name", wg_size_at(AT, t.g, ""));
    WRONG(WG_ENAME, "a size without a name", wg_size_at(AT, t.g, NULL));
    WRONG(WG_ENAME, "there is an input \"x\" already", wg_input_at(AT, t.g, "x", wg_f64()));
    WRONG(WG_ENAME, "an input without a name", wg_input_at(AT, t.g, "", wg_f64()));
    WRONG(WG_ENAME, "an output without a name", (wg_output_at(AT, t.g, NULL, t.x), 0));
    WRONG(WG_EDTYPE, "input: 9 is no element type",
          wg_input_at(AT, t.g, "y", (wg_type){.dtype = 9}));
    WRONG(WG_ESHAPE, "input: rank 255; at most 8 is possible",
          wg_input_at(AT, t.g, "y", wg_f64(1, 1, 1, 1, 1, 1, 1, 1, 1)));
    WRONG(WG_EARGUMENT, "input: an extent that is no constant and no size of this graph",
          wg_input_at(AT, t.g, "y", wg_f64(-100)));
    WRONG(WG_ESHAPE, "input: the extent -1 is negative",
          wg_input_at(AT, t.g, "y", wg_f64(wg_extent_sub(t.g, 1, 2))));
    WRONG(WG_EDTYPE, "number: the number 0.5 is no i32", wg_number_at(AT, t.g, WG_I32, 0.5));
    WRONG(WG_EDTYPE, "number: the number 2 is no bool", wg_number_at(AT, t.g, WG_BOOL, 2));
    WRONG(WG_EARGUMENT, "constant: no data", wg_constant_at(AT, t.g, wg_f64(2), NULL));
    WRONG(WG_EDTYPE, "full: the number 1e+20 is no i64", wg_full_at(AT, t.g, wg_i64(2), 1e20));
    WRONG(WG_EARGUMENT, "iota: an extent that is no constant and no size of this graph",
          wg_iota_at(AT, t.g, INT64_MIN));
    WRONG(WG_EARGUMENT, "extent_value: an extent that is no constant and no size of this graph",
          wg_extent_value_at(AT, t.g, -77));
}

static void variables(void **state) {
    (void)state;
    struct fixture other = make();
    WRONG(WG_EARGUMENT, "matmul: operands of two graphs; build all of one program in one graph",
          wg_matmul_at(AT, t.x, other.x));
    WRONG(WG_EARGUMENT, "output: operands of two graphs; build all of one program in one graph",
          (wg_output_at(AT, t.g, "y", other.x), 0));
    wg_graph_free(other.g);
    const wg_var none = {NULL, 0};
    WRONG(WG_EARGUMENT, "mse: an operand is not a value: a wg_var that no call gave",
          wg_mse_at(AT, none, t.x));
    WRONG(WG_EARGUMENT, "sum: an operand is not a value: a wg_var that no call gave",
          wg_sum_at(AT, (wg_var){t.g, 1000}, 0, NULL));
    /* without a graph there is nobody to tell */
    assert_null(wg_sum_at(AT, none, 0, NULL).graph);
    assert_null(wg_matmul_at(AT, none, none).graph);
    assert_null(wg_where_at(AT, none, wg_arg_number(1), wg_arg_var(none)).graph);
    assert_null(wg_concat_at(AT, 0, 0, NULL).graph);
    assert_null(wg_input_at(AT, NULL, "x", wg_f64()).graph);
    wg_output_at(AT, NULL, "x", none);
    assert_int_equal(wg_type_of_var(none).rank, 0);
    assert_int_equal(wg_extent_of(none, 0), 0);
    assert_int_equal(wg_extent_add(NULL, 1, 2), 0);
}

static void lists(void **state) {
    (void)state;
    static const int axis[] = {0};
    wg_program *none = NULL;
    WRONG(WG_EARGUMENT, "sum: the list of 1 is NULL", wg_sum_at(AT, t.x, 1, NULL));
    WRONG(WG_EARGUMENT, "reshape: the list of 2 is NULL", wg_reshape_at(AT, t.x, 2, NULL));
    WRONG(WG_EARGUMENT, "broadcast: the list of 3 is NULL", wg_broadcast_at(AT, t.x, 3, NULL));
    WRONG(WG_EARGUMENT, "transpose: the list of 2 is NULL", wg_transpose_at(AT, t.x, 2, NULL));
    WRONG(WG_EARGUMENT, "dot: the list of 1 is NULL",
          wg_dot_at(AT, t.x, t.x, 0, NULL, NULL, 1, axis, NULL));
    WRONG(WG_EARGUMENT, "apply: the program is NULL",
          (wg_apply_at(AT, t.g, none, &t.x, NULL), 0));
}

/* The first error stays, and later calls give variables of the graph without a value. */
static void errors_stick(void **state) {
    (void)state;
    struct fixture t = make();
    wg_var y = wg_sum_at(AT, t.x, 1, (int[]){3});
    assert_ptr_equal(y.graph, t.g);
    assert_int_equal(y.id, 0);
    y = wg_softmax_at("m.c", 3, wg_matmul_at("m.c", 3, y, t.x), 9);
    assert_ptr_equal(y.graph, t.g);
    assert_int_equal(y.id, 0);
    wg_error error = {0};
    assert_null(wg_build(t.g, &error));
    assert_string_equal(error.message, "m.c:2: sum: axis 3 of a value of rank 2" X AXES_OF_X);
}

static void axes(void **state) {
    (void)state;
    WRONG(WG_ESHAPE, "sum: axis 3 of a value of rank 2" X AXES_OF_X,
          wg_sum_at(AT, t.x, 1, (int[]){3}));
    WRONG(WG_ESHAPE, "mean: axis -3 of a value of rank 2" X AXES_OF_X,
          wg_mean_at(AT, t.x, 2, (int[]){0, -3}));
    WRONG(WG_ESHAPE, "logsumexp: axis -1 is listed twice" X,
          wg_logsumexp_at(AT, t.x, 2, (int[]){1, -1}));
    WRONG(WG_ESHAPE, "argmax: axis 0 of a value of rank 0\n  operand = input \"s\"      m.c:1",
          wg_argmax_at(AT, t.s, 0));
    WRONG(WG_ESHAPE, "softmax: axis 2 of a value of rank 2" X AXES_OF_X, wg_softmax_at(AT, t.x, 2));
    WRONG(WG_ESHAPE, "extent_of: axis 2 of a value of rank 2" X AXES_OF_X,
          (wg_size_at(AT, t.g, "n"), wg_extent_of(t.x, 2)));
}

static void element_types(void **state) {
    (void)state;
    WRONG(WG_EDTYPE, "sum: takes numbers, not bool[n]\n  operand = input \"b\"      m.c:1"
          "\n  hint: count truths after wg_cast(WG_I64, x)", wg_sum_at(AT, t.b, 0, NULL));
    WRONG(WG_EDTYPE, "norm: takes f32 or f64, not i32[n]\n  operand = input \"i\"      m.c:1"
          "\n  hint: convert it with wg_cast(WG_F64, x)", wg_norm_at(AT, t.i, 0, NULL));
    WRONG(WG_EDTYPE, "mean: takes f32 or f64, not i32[n]\n  operand = input \"i\"      m.c:1"
          "\n  hint: convert it with wg_cast(WG_F64, x)", wg_mean_at(AT, t.i, 0, NULL));
    WRONG(WG_EDTYPE, "take: takes indices of i32 or i64, not f64[n]" V
          "\n  hint: convert them with wg_cast(WG_I64, index)", wg_take_at(AT, t.x, t.v, 0));
    WRONG(WG_EDTYPE,
          "cross_entropy: takes indices of i32 or i64, not f64[n]" V
          "\n  hint: convert them with wg_cast(WG_I64, index)",
          wg_cross_entropy_at(AT, t.x, t.v));
    WRONG(WG_EDTYPE, "matmul: element types differ: left f64[4,5], right f32[5,2]"
          "\n  left  = input \"w\"      m.c:1\n  right = input \"f\"      m.c:1"
          "\n  hint: cast one: wg_cast(WG_F64, x)", wg_matmul_at(AT, t.w, t.f));
    WRONG(WG_EDTYPE, "where: the number 0.5 is no i32",
          wg_where_at(AT, t.b, wg_arg_var(t.i), wg_arg_number(0.5)));
    WRONG(WG_EDTYPE, "cast: 12 is no element type", wg_cast_at(AT, (wg_dtype)12, t.x));
}

static void shapes(void **state) {
    (void)state;
    WRONG(WG_ESHAPE, "reshape: 20 elements of f64[4,5] cannot become 21 elements of [3,7]"
          "\n  operand = input \"w\"      m.c:1", wg_reshape_at(AT, t.w, 2, (wg_extent[]){3, 7}));
    WRONG(WG_ESHAPE, "reshape: axes 0 and 1 are both to be inferred; only one can be",
          wg_reshape_at(AT, t.w, 2, (wg_extent[]){WG_INFER, WG_INFER}));
    WRONG(WG_ESHAPE, "reshape: the extent of axis 1 does not follow from f64[n,3]" X
          "\n  hint: give every extent, or let the known ones divide the number of elements",
          wg_reshape_at(AT, t.x, 2, (wg_extent[]){t.m, WG_INFER}));
    WRONG(WG_ESHAPE, "reshape: the extent of axis 0 does not follow from f64[4,5]"
          "\n  operand = input \"w\"      m.c:1"
          "\n  hint: give every extent, or let the known ones divide the number of elements",
          wg_reshape_at(AT, t.w, 2, (wg_extent[]){WG_INFER, 3}));
    WRONG(WG_ESHAPE, "reshape: rank 9; at most 8 is possible",
          wg_reshape_at(AT, t.w, 9, (wg_extent[9]){20, 1, 1, 1, 1, 1, 1, 1, 1}));
    WRONG(WG_ESHAPE, "transpose: 3 axes listed for f64[n,3], which has 2" X,
          wg_transpose_at(AT, t.x, 3, (int[]){0, 1, 2}));
    WRONG(WG_ESHAPE, "transpose: axis 0 is listed twice" X,
          wg_transpose_at(AT, t.x, 2, (int[]){0, -2}));
    WRONG(WG_ESHAPE, "broadcast: f64[n] does not stretch to [m]" V
          "\n  hint: axes are aligned at the last one, and only the constant extent 1 stretches",
          wg_broadcast_at(AT, t.v, 1, &t.m));
    WRONG(WG_ESHAPE, "broadcast: f64[n,3] does not stretch to [3]" X
          "\n  hint: axes are aligned at the last one, and only the constant extent 1 stretches",
          wg_broadcast_at(AT, t.x, 1, (wg_extent[]){3}));
    WRONG(WG_ESHAPE,
          "slice: 3 elements from 1 in steps of 1 leave axis 1 of f64[n,3] with extent 3" X,
          wg_slice_at(AT, t.x, 1, 1, 4, 1));
    WRONG(WG_ESHAPE, "slice: from 2 to 1 is backwards", wg_slice_at(AT, t.x, 1, 2, 1, 1));
    WRONG(WG_EARGUMENT, "slice: the step is 0; it must not be 0",
          wg_slice_at(AT, t.x, 1, 0, 2, 0));
    WRONG(WG_ESHAPE,
          "slice: the number of elements from 0 to n in steps of 2 is no polynomial of the "
          "sizes\n  hint: let the step divide what the sizes are multiplied by, or slice in steps "
          "of 1",
          wg_slice_at(AT, t.v, 0, 0, t.n, 2));
    WRONG(WG_ESHAPE,
          "concat: part 0 is f64[n,3] and part 1 is f64[4,5]; only the joined axis may differ"
          "\n  left  = input \"x\"      m.c:1\n  right = input \"w\"      m.c:1",
          wg_concat_at(AT, 0, 2, (wg_var[]){t.x, t.w}));
    WRONG(WG_EDTYPE, "concat: part 0 is f64[n] and part 1 is i32[n]; element types must agree"
          "\n  left  = input \"v\"      m.c:1\n  right = input \"i\"      m.c:1",
          wg_concat_at(AT, 0, 2, (wg_var[]){t.v, t.i}));
}

static void products(void **state) {
    (void)state;
    WRONG(WG_ESHAPE, "matmul: inner extents differ: left f64[4,5] has 5, right f64[n,3] has n"
          "\n  left  = input \"w\"      m.c:1\n  right = input \"x\"      m.c:1"
          "\n  hint: the contracted axes must have one extent; wg_dot contracts any axes",
          wg_matmul_at(AT, t.w, t.x));
    WRONG(WG_ESHAPE, "matmul: inner extents differ: left f64[4,5] has 5, right f64[4,5] has 4"
          "\n  left  = input \"w\"      m.c:1\n  right = input \"w\"      m.c:1"
          "\n  hint: transpose the right operand, or contract other axes with wg_dot",
          wg_matmul_at(AT, t.w, t.w));
    WRONG(WG_ESHAPE, "matmul: the left operand is a scalar: left f64, right f64[4,5]"
          "\n  left  = input \"s\"      m.c:1\n  right = input \"w\"      m.c:1"
          "\n  hint: scale with wg_mul", wg_matmul_at(AT, t.s, t.w));
    WRONG(WG_ESHAPE, "dot: axis 2 of a value of rank 2" X AXES_OF_X,
          wg_dot_at(AT, t.x, t.w, 0, NULL, NULL, 1, (int[]){2}, (int[]){0}));
    WRONG(WG_ESHAPE, "dot: 1 shared and 2 contracted axes of f64[n,3]" X,
          wg_dot_at(AT, t.x, t.w, 1, (int[]){0}, (int[]){0}, 2, (int[]){0, 1}, (int[]){0, 1}));
    WRONG(WG_ESHAPE, "dot: axis 1 is listed twice" X,
          wg_dot_at(AT, t.x, t.w, 0, NULL, NULL, 2, (int[]){1, 1}, (int[]){0, 1}));
}

static void indexing(void **state) {
    (void)state;
    WRONG(WG_ESHAPE, "take: axis 2 of a value of rank 2" X AXES_OF_X, wg_take_at(AT, t.x, t.i, 2));
    WRONG(WG_ESHAPE, "pick: f64[4,5] needs one index a row, there are i32[n]"
          "\n  left  = input \"w\"      m.c:1\n  right = input \"i\"      m.c:1"
          "\n  hint: the index has the axes of x but for the last one", wg_pick_at(AT, t.w, t.i));
    WRONG(WG_ESHAPE, "scatter_add: axis 2 of a result of rank 2 from f64[n,3] at index i32[n]"
          "\n  left  = input \"x\"      m.c:1\n  right = input \"i\"      m.c:1",
          wg_scatter_add_at(AT, t.x, t.i, 2, 4));
    WRONG(WG_ESHAPE,
          "scatter_add: f64[n,3] at index i32[n] along axis 1: the index's axes must stand "
          "there\n  left  = input \"x\"      m.c:1\n  right = input \"i\"      m.c:1",
          wg_scatter_add_at(AT, t.x, t.i, 1, 4));
    WRONG(WG_ESHAPE, "index_add: axis 2 of a value of rank 2" X AXES_OF_X,
          wg_index_add_at(AT, t.x, t.x, t.i, 2));
    WRONG(
        WG_ESHAPE,
        "index_set: index i32[n] of more than one integer"
        "\n  operand = input \"i\"      m.c:1"
        "\n  hint: an integer that stood in it twice would have two values to set: set one element "
        "or slice at a time, in a loop",
        wg_index_set_at(AT, t.x, t.x, t.i, 0));
    WRONG(WG_ESHAPE,
          "broadcast: f64[4,5] does not stretch to [n,n]\n  operand = input \"w\"      m.c:1"
          "\n  hint: axes are aligned at the last one, and only the constant extent 1 stretches",
          wg_index_add_at(AT, t.x, t.w, t.i, 1));
    WRONG(WG_ESHAPE, "cross_entropy: logits f64[4,5] need one label a row, labels are i32[n]"
          "\n  left  = input \"w\"      m.c:1\n  right = input \"i\"      m.c:1"
          "\n  hint: the last axis of the logits are the classes; labels have the other axes",
          wg_cross_entropy_at(AT, t.w, t.i));
}

/* What only a call can know is a check there, with the line of the instruction. */
static void calls(void **state) {
    (void)state;
    struct fixture t = make();
    wg_error error = {0};
    wg_var y = wg_reshape_at(AT, t.v, 2, (wg_extent[]){t.m, 2});
    wg_output_at(AT, t.g, "y", y);
    wg_program *p = wg_build(t.g, &error);
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    const double v[3] = {0};
    double out[4];
    const void *in[7] = {v, v, v, v, v, v, v};
    wg_call_with(fn, (int64_t[]){3, 1}, in, (void *[]){out}, NULL, &error);
    assert_int_equal(error.status, WG_ESHAPE);
    assert_memory_equal(error.message, "m.c:2: ", 7);
    wg_function_free(fn);
    wg_program_free(p);
}

static void maxima_of_nothing(void **state) {
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct evaluate e = evaluate_begin();
        wg_error error = {0};
        wg_var x = evaluate_input(&e, true, WG_I32, SHAPE(2, 0), NULL);
        evaluate_with(&e, which ? wg_argmax_at(AT, x, 1) : wg_reduce_max_at(AT, x, 1, (int[]){1}),
                      &error);
        assert_int_equal(error.status, WG_EARGUMENT);
        const char *text =
            which ? "argmax: no elements along axis 1, so none is the largest"
                  : "reduce_max: no elements along a reduced axis, and no integer is the "
                    "largest of none";
        if (!strstr(error.message, text)) fail_msg("%s", error.message);
        evaluate_end(&e);
    }
}

/* A program with all these operations, and its derivatives, in memory that ends anywhere. */
static wg_status everything(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_error error = {0};
    wg_graph *g = wg_graph_new_with(allocator);
    wg_extent n = wg_size(g, "n"), twice = wg_extent_mul(g, 2, n);
    wg_var x = wg_input(g, "x", wg_f64(twice, 3)), i = wg_input(g, "i", wg_i32(n));
    wg_var half = wg_slice(x, 0, 0, twice, 2), flat = wg_reshape(wg_take(x, i, 0), WG_INFER);
    wg_var wide = wg_concat(1, half, wg_transpose(wg_broadcast(wg_sum(half, 1), 2, n)));
    wg_var back = wg_scatter_add(half, i, 0, n);
    wg_var square = wg_matmul(wg_transpose(back), wg_where(wg_gt(half, 0), half, 0));
    wg_var picked = wg_pick(x, wg_argmax(x, 1)),
           batched = wg_matmul(wg_reshape(x, 2, n, 3), square);
    wg_var loss = wg_add(wg_norm(wide), wg_mul(wg_logsumexp(flat), wg_mean(wg_softmax(square, 0))));
    loss = wg_add(loss, wg_add(wg_sum(wg_reduce_max(batched, 0, 2)), wg_sum(picked)));
    loss = wg_add(loss, wg_mean(wg_cross_entropy(half, i)));
    wg_output(g, "loss", wg_add(loss, wg_mse(wg_log_softmax(square, -1), square)));
    wg_program *p = wg_build(g, &error),
               *made[4] = {wg_grad(p, "x", &error), wg_hvp(p, "x", &error),
                           wg_jvp(p, NULL, NULL, &error), wg_vmap(p, "x", "batch", &error)};
    wg_function *fn = wg_compile(made[1], NULL, &error);
    wg_function_free(fn);
    for (int k = 0; k < 4; k++) wg_program_free(made[k]);
    wg_program_free(p);
    return error.status;
}

static void memory_ends(void **state) {
    (void)state;
    assert_true(fail_every_request(everything, NULL) > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves),        cmocka_unit_test(variables),
        cmocka_unit_test(lists),
        cmocka_unit_test(errors_stick),  cmocka_unit_test(axes),
        cmocka_unit_test(shapes),        cmocka_unit_test(products),
        cmocka_unit_test(element_types), cmocka_unit_test(indexing),
        cmocka_unit_test(calls),         cmocka_unit_test(maxima_of_nothing),
        cmocka_unit_test(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
