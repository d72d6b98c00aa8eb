/* gradient, jacobian, hessian: derivatives as numbers, every element of them. What is
 * differentiated by what, and in which mode, is read off the options; the programs come from the
 * library. Products with tangents and adjoints, which form no matrix, are in products.c. */
#include "cli/cli.h"

static void set_inputs(const struct cli *c, struct axis *axis, const struct ports *x) {
    for (size_t k = 0; k < x->count; k++)
        set_axis(&axis[k], wg_input_name(c->program, x->index[k]), &c->input[x->index[k]]);
}

/* Rows are the first axes of the blocks, the columns the last ones. */
static void set_outputs(const struct cli *c, struct results *r, const struct ports *y) {
    for (size_t i = 0; i < r->rows; i++) {
        set_axis(&r->row[i], wg_output_name(c->program, y->index[i]), &r->block[i * r->columns]);
        r->row[i].rank -= r->column[0].rank;
    }
}

/* ---- Jacobians ----------------------------------------------------------------------------- */

/* The blocks of all outputs y by all inputs x, in the mode asked for, whose name goes to *mode. */
static bool jacobian_blocks(struct cli *c, const struct differences *d, const char *of,
                            const struct ports *y, const struct ports *x, const char **mode,
                            wg_tensor *block) {
    const char *wrt = option_text(c, OPT_WRT);
    *mode = "numeric";
    if (d->wanted) return numeric_blocks(c, c->program, d, y, x, block);
    wg_mode chosen = option_is(c, OPT_MODE, "forward") ? WG_FORWARD : WG_REVERSE;
    if (option_is(c, OPT_MODE, "auto")) chosen = wg_jacobian_mode(c->program, of, wrt, &c->error);
    *mode = chosen == WG_FORWARD ? "forward" : "reverse";
    wg_program *program = wg_jacobian(c->program, of, wrt, chosen, &c->error);
    bool ok = program && run_on(c, program, c->input, block);
    wg_program_free(program);
    return ok;
}

bool command_jacobian(struct cli *c) {
    struct ports x, y;
    struct results r = {0};
    struct differences d;
    if (has_option(c, OPT_SPARSE)) return sparse_result(c, false);
    if (!read_differences(c, &d) || !load(c, true) || !select_ports(c, OPT_OF, &y) ||
        !select_ports(c, OPT_WRT, &x))
        return false;
    bool ok = results_make(c, &r, y.count, x.count) &&
              jacobian_blocks(c, &d, option_text(c, OPT_OF), &y, &x, &r.mode, r.block);
    if (ok) {
        set_inputs(c, r.column, &x);
        set_outputs(c, &r, &y);
        r.title = "J";
        r.before = "d";
        r.between = "/d";
        r.key = "jacobian";
        r.wrt = r.column;
        r.wrt_count = r.columns;
        ok = results_write(c, &r);
    }
    results_free(c, &r);
    return ok;
}

/* Of one output the Jacobian's blocks have the shapes of the inputs: they are the gradient. */
static bool gradient_blocks(struct cli *c, const struct differences *d, const struct ports *x,
                            const char **mode, wg_tensor *block) {
    size_t first = 0;
    if (d->wanted || option_is(c, OPT_MODE, "forward"))
        return jacobian_blocks(c, d, NULL, &(struct ports){&first, 1}, x, mode, block);
    *mode = "reverse";
    wg_program *program = wg_grad(c->program, option_text(c, OPT_WRT), &c->error);
    bool ok = program && run_on(c, program, c->input, block);
    wg_program_free(program);
    return ok;
}

bool command_gradient(struct cli *c) {
    struct ports x;
    struct results r = {0};
    struct differences d;
    bool several;
    if (!read_differences(c, &d) || !load_scalar(c, &several) || !select_ports(c, OPT_WRT, &x))
        return false;
    bool ok = results_make(c, &r, x.count, 0) && gradient_blocks(c, &d, &x, &r.mode, r.block);
    if (ok) {
        set_inputs(c, r.row, &x);
        r.of = wg_output_name(c->program, 0);
        r.before = several ? keep_text(c, "d%s/d", r.of) : "d/d";
        r.key = "gradient";
        r.wrt = r.row;
        r.wrt_count = r.rows;
        ok = r.before && results_write(c, &r);
    }
    results_free(c, &r);
    return ok;
}

/* The Jacobian of the gradient, exactly or by differences. */
static bool hessian_blocks(struct cli *c, const struct differences *d, const struct ports *x,
                           wg_tensor *block) {
    const char *wrt = option_text(c, OPT_WRT);
    wg_program *program = (d->wanted ? wg_grad : wg_hessian)(c->program, wrt, &c->error);
    struct ports y = {arena_alloc(&c->arena, (x->count + 1) * sizeof *y.index, _Alignof(size_t)),
                      x->count};
    bool ok = program && (y.index || !fail_memory(&c->error));
    for (size_t i = 0; ok && i < y.count; i++) y.index[i] = i; /* an output for each of x */
    ok = ok && (d->wanted ? numeric_blocks(c, program, d, &y, x, block)
                          : run_on(c, program, c->input, block));
    wg_program_free(program);
    return ok;
}

bool command_hessian(struct cli *c) {
    struct ports x;
    struct results r = {0};
    struct differences d;
    bool several;
    if (has_option(c, OPT_SPARSE)) return sparse_result(c, true);
    if (!read_differences(c, &d) || !load_scalar(c, &several) || !select_ports(c, OPT_WRT, &x))
        return false;
    bool ok = results_make(c, &r, x.count, x.count) && hessian_blocks(c, &d, &x, r.block);
    if (ok) {
        set_inputs(c, r.row, &x);
        set_inputs(c, r.column, &x);
        r.of = wg_output_name(c->program, 0);
        r.title = "H";
        r.before = keep_text(c, "d2%s/d", r.of);
        r.between = "d";
        r.key = "hessian";
        r.wrt = r.column;
        r.wrt_count = r.columns;
        ok = r.before && results_write(c, &r);
    }
    results_free(c, &r);
    return ok;
}
