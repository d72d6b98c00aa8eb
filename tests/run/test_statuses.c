/* Every status that a call can give, provoked from outside, with the whole text that comes with it.
 * A status that is added without a line here fails. */
#include "support/test.h"

#include "base/base.h"
#include "ir/ir.h"
#include "native/toolchain.h"

#include <string.h>

static void argument(wg_error *error) {
    wg_compile(NULL, NULL, error);
}

static void shape(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input_at("net.c", 3, g, "W", wg_f64(2, 3));
    wg_var b = wg_input_at("net.c", 4, g, "x", wg_f64(4));
    wg_output(g, "y", wg_matmul_at("net.c", 5, a, b));
    wg_build(g, error);
}

static void element_type(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var a = wg_input_at("net.c", 3, g, "a", wg_f64());
    wg_var b = wg_input_at("net.c", 4, g, "b", wg_f32());
    wg_output(g, "y", wg_dot_at("net.c", 5, a, b, 0, NULL, NULL, 0, NULL, NULL));
    wg_build(g, error);
}

static wg_program *parsed(const char *text, wg_error *error) {
    return wg_parse(text, strlen(text), NULL, error);
}

static void name(wg_error *error) {
    wg_program *p = parsed("x*y", error);
    wg_grad(p, "z", error);
    wg_program_free(p);
}

static void syntax(wg_error *error) {
    parsed("2*(x + ", error);
}

static wg_status run_formula(const char *text, const wg_tensor *in, wg_error *error) {
    wg_program *p = parsed(text, error);
    wg_function *fn = wg_compile(p, NULL, error);
    wg_tensor out = {0};
    wg_run(fn, NULL, in, &out, error);
    wg_tensor_free(&out, NULL);
    wg_function_free(fn);
    wg_program_free(p);
    return error->status;
}

static void index_outside(wg_error *error) {
    double x[] = {1, 2, 3};
    int32_t i = 3;
    run_formula("f(x[3], i: i32) = x[i]",
                (wg_tensor[]){{x, WG_F64, 1, {3}}, {&i, WG_I32, 0, {0}}}, error);
}

static void overflow(wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_input_at("net.c", 3, g, "x", wg_f64(wg_extent_mul(g, INT64_MAX, 2)));
    wg_build(g, error);
}

static void *no_memory(void *ctx, void *block, size_t old_size, size_t new_size) {
    (void)ctx, (void)block, (void)old_size, (void)new_size;
    return NULL;
}

static void memory(wg_error *error) {
    wg_allocator none = {no_memory, NULL};
    wg_build(wg_graph_new_with(&none), error);
}

static void file(wg_error *error) {
    wg_tensor t = {0};
    wg_npy_read("no/such/file.npy", NULL, &t, error);
}

static void format(wg_error *error) {
    wg_tensor t = {0};
    wg_npy_read(WG_SOURCE_DIR "/CMakeLists.txt", NULL, &t, error);
}

static void rule(wg_error *error) {
    wg_program *p = parsed("f(x[n]) = sum(cumprod(x))", error);
    wg_text text = {0};
    wg_symbolic(p, NULL, NULL, false, &text, error);
    wg_text_free(&text);
    wg_program_free(p);
}

static void alias(wg_error *error) {
    double x[] = {1, 2, 3};
    wg_program *p = parsed("f(x[3]) = sin(x)", error);
    wg_function *fn = wg_compile(p, NULL, error);
    wg_call_with(fn, NULL, (const void *[]){x}, (void *[]){x + 1}, NULL, error);
    wg_function_free(fn);
    wg_program_free(p);
}

static void native(wg_error *error) {
    struct toolchain_options options = {.compiler = "./no/such/compiler", .no_cache = true};
    wg_allocator allocator = standard_allocator();
    struct loaded loaded;
    toolchain_load(&allocator, &options, "", 0, &loaded, NULL, error);
}

/* Only a mistake of the library's own gives it: here a program that is broken by hand. */
static void internal(wg_error *error) {
    wg_program *p = parsed("x + y", error);
    struct instr *last = &p->t.instr.at[p->t.instr.count - 1];
    p->t.arg.at[last->arg] = (value)p->t.instr.count;
    trace_verify(&p->t, error);
    wg_program_free(p);
}

static const struct {
    wg_status status;
    void (*provoke)(wg_error *error);
    const char *message;
} provoked[] = {
    {WG_EARGUMENT, argument,
     "compile: the program is NULL"},
    {WG_ESHAPE, shape,
     "net.c:5: matmul: inner extents differ: left f64[2,3] has 3, right f64[4] has 4\n"
     "  left  = input \"W\"      net.c:3\n"
     "  right = input \"x\"      net.c:4\n"
     "  hint: the contracted axes must have one extent; wg_dot contracts any axes"},
    {WG_EDTYPE, element_type,
     "net.c:5: dot: element types differ: left f64, right f32\n"
     "  left  = input \"a\"      net.c:3\n"
     "  right = input \"b\"      net.c:4\n"
     "  hint: cast one: wg_cast(WG_F64, x)"},
    {WG_ENAME, name,
     "there is no input \"z\"\n  hint: the inputs are x, y"},
    {WG_ESYNTAX, syntax,
     "formula:1:7: expected a value, but the text ends\n"
     "    2*(x +\n"
     "          ^"},
    {WG_EINDEX, index_outside,
     "formula:1:20: take: index 3 is outside 0..2 (axis 0 of f64[3])"},
    {WG_EOVERFLOW, overflow,
     "an extent leaves 64 bits, or has more than 32 terms or degree 8"},
    {WG_ENOMEM, memory,
     "out of memory"},
    {WG_EIO, file,
     "no/such/file.npy: No such file or directory"},
    {WG_EFORMAT, format,
     WG_SOURCE_DIR "/CMakeLists.txt: not a .npy file: does not begin with \\x93NUMPY"},
    {WG_ENORULE, rule,
     "formula:1:15: symbolic: formulas have no word for recur, which is in the derivative\n"
     "  hint: gradient computes, show --after grad prints it as instructions"},
    {WG_EALIAS, alias,
     "call: the buffers of output \"y\" and input \"x\" overlap; give the output one of its own, "
     "or donate the input"},
    {WG_ENATIVE, native, "there is no compiler './no/such/compiler'"},
    {WG_EINTERNAL, internal,
     "broken program: instruction 3: an argument does not come before its user"},
};

static void every_status_has_its_text(void **state) {
    (void)state;
    bool seen[WG_EINTERNAL + 1] = {true};
    for (size_t i = 0; i < COUNT_OF(provoked); i++) {
        wg_error error = {0};
        provoked[i].provoke(&error);
        if (error.status == WG_ENATIVE && strstr(error.message, "this build cannot")) {
            seen[WG_ENATIVE] = true; /* built without native code: it says so */
            continue;
        }
        assert_string_equal(error.message, provoked[i].message);
        assert_int_equal(error.status, provoked[i].status);
        seen[error.status] = true;
    }
    for (int i = 0; i <= WG_EINTERNAL; i++)
        if (!seen[i]) fail_msg("no line for %s", wg_status_name((wg_status)i));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_status_has_its_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
