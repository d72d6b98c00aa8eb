/* A user's program in C: the gradient of x^2 y at (3, 2), through the installed header. */
#include <stdio.h>
#include <wengert.h>

int main(void) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_var x = wg_input(g, "x", wg_f64()), y = wg_input(g, "y", wg_f64());
    wg_output(g, "z", wg_mul(wg_square(x), y));
    wg_program *f = wg_build(g, &error), *df = wg_grad(f, NULL, &error);
    wg_function *fn = wg_compile(df, NULL, &error);
    double at_x = 3, at_y = 2, dx = 0, dy = 0;
    wg_call_with(fn, NULL, (const void *[]){&at_x, &at_y}, (void *[]){&dx, &dy}, NULL, &error);
    if (error.status) fprintf(stderr, "%s\n", error.message);
    printf("%g %g %d\n", dx, dy, wg_abi_version() == WG_ABI_VERSION);
    wg_function_free(fn);
    wg_program_free(df);
    wg_program_free(f);
    return error.status != WG_OK;
}
