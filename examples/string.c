/* A string that swings, and how its last shape depends on the first: the gradient through 10,000
 * steps of a simulation. Reverse mode needs what each step began with. Keeping all of that takes as
 * much memory as there are steps; with 20 snapshots of the state the loop is run again from these,
 * no step more than four times, and the gradient has the same bits. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>

enum { POINTS = 64, STEPS = 10000, SNAPSHOTS = 20 };

/* u'' = u_xx - u^3/5 with fixed ends, by leapfrog steps of 1/2; the loss is how far the string is
 * from rest at the end. */
static wg_program *simulation(int64_t snapshots, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_extent steps = wg_size(g, "steps");
    wg_var first = wg_input(g, "first", wg_f64(POINTS)), end[2] = {{0}};
    wg_loop *loop = wg_loop_begin(g, steps);
    wg_loop_checkpoints(loop, snapshots);
    wg_var u = wg_loop_carry(loop, first), v = wg_loop_carry(loop, wg_mul(0, first));
    const wg_extent none[] = {0}, one[] = {1};
    wg_var left = wg_pad(wg_slice(u, 0, 0, POINTS - 1, 1), one, none, 0);
    wg_var right = wg_pad(wg_slice(u, 0, 1, POINTS, 1), none, one, 0);
    wg_var force = wg_sub(wg_add(left, right), wg_add(wg_mul(2, u), wg_mul(0.2, wg_pow(u, 3))));
    wg_var faster = wg_add(v, wg_mul(0.5, force));
    wg_loop_next(loop, v, faster);
    wg_loop_next(loop, u, wg_add(u, wg_mul(0.5, faster)));
    wg_loop_end(loop, end);
    wg_output(g, "loss", wg_mean(wg_square(end[0])));
    return wg_build(g, error);
}

int main(void) {
    wg_error error = {0};
    double first[POINTS], loss[2], gradient[2][POINTS] = {{0}}, most = 0, off = 0;
    size_t bytes[2] = {0};
    for (int i = 0; i < POINTS; i++) first[i] = sin(0.3 * (i + 1)) * exp(-0.05 * i);
    for (int few = 0; few < 2; few++) {
        wg_program *p = simulation(few ? SNAPSHOTS : 0, &error);
        wg_program *grad = wg_value_and_grad(p, "first", &error);
        wg_function *fn = wg_compile(grad, NULL, &error);
        wg_workspace_size(fn, (int64_t[]){STEPS}, &bytes[few], &error);
        wg_call_with(fn, (int64_t[]){STEPS}, (const void *[]){first},
                     (void *[]){&loss[few], gradient[few]}, NULL, &error);
        wg_function_free(fn);
        wg_program_free(grad);
        wg_program_free(p);
    }
    for (int i = 0; i < POINTS; i++) {
        most = fmax(most, fabs(gradient[0][i]));
        off = fmax(off, fabs(gradient[0][i] - gradient[1][i]));
    }
    if (error.status) {
        fprintf(stderr, "string: %s\n", error.message);
        return 1;
    }
    printf("%d steps, loss %.4f, largest derivative %.3g\n", STEPS, loss[0], most);
    printf("everything kept: %zu bytes\n", bytes[0]);
    printf("%d snapshots: %zu bytes, gradient off by %.1e\n", SNAPSHOTS, bytes[1], off);
    return 0;
}
