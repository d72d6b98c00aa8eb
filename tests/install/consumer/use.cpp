// The same in C++17, where the macros of the header are not there: calls end in _at, operands that
// may be numbers are wg_arg, types come of wg_type_of.
#include <cstdio>
#include <wengert.h>

int main() {
    wg_error error = {};
    wg_graph *g = wg_graph_new();
    const wg_type number = wg_type_of(WG_F64, 0, nullptr);
    wg_var x = wg_input_at(WG_HERE, g, "x", number), y = wg_input_at(WG_HERE, g, "y", number);
    wg_var z = wg_mul_at(WG_HERE, wg_arg_var(wg_square_at(WG_HERE, x)), wg_arg_var(y));
    wg_output_at(WG_HERE, g, "z", wg_sum_at(WG_HERE, z, 0, nullptr));
    wg_program *f = wg_build(g, &error), *df = wg_grad(f, nullptr, &error);
    wg_function *fn = wg_compile(df, nullptr, &error);
    double at_x = 3, at_y = 2, dx = 0, dy = 0;
    const void *input[] = {&at_x, &at_y};
    void *output[] = {&dx, &dy};
    wg_call_with(fn, nullptr, input, output, nullptr, &error);
    if (error.status) std::fprintf(stderr, "%s\n", error.message);
    std::printf("%g %g %d\n", dx, dy, wg_abi_version() == WG_ABI_VERSION);
    wg_function_free(fn);
    wg_program_free(df);
    wg_program_free(f);
    return error.status != WG_OK;
}
