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

/* ---- central differences ------------------------------------------------------------------- */

/* block: of the shape of y followed by that of x. */
static bool numeric_block(struct cli *c, const wg_tensor *value, size_t y, size_t x,
                          wg_tensor *block) {
    wg_tensor made = {.dtype = WG_F64, .rank = value[y].rank + c->input[x].rank};
    if (made.rank > WG_MAX_RANK)
        return input_error(c, WG_ESHAPE, "d%s/d%s has %d axes, and there may be %d",
                           wg_output_name(c->program, y), wg_input_name(c->program, x), made.rank,
                           WG_MAX_RANK);
    for (int i = 0; i < made.rank; i++)
        made.shape[i] = i < value[y].rank ? value[y].shape[i]
                                          : c->input[x].shape[i - value[y].rank];
    if (tensor_alloc(&made, &c->allocator, &c->error)) return false;
    *block = made;
    return wg_numeric_jacobian(c->program, c->input, y, x, WG_CENTRAL, 0, made.data, &c->error) ==
           WG_OK;
}

static bool numeric_blocks(struct cli *c, const struct ports *y, const struct ports *x,
                           wg_tensor *block) {
    size_t outputs = wg_output_count(c->program);
    wg_tensor *value = new_tensors(c, outputs);
    bool ok = value && run_on(c, c->program, c->input, value);
    for (size_t i = 0; ok && i < y->count * x->count; i++)
        ok = numeric_block(c, value, y->index[i / x->count], x->index[i % x->count], &block[i]);
    free_tensors(c, value, outputs);
    return ok;
}

/* ---- Jacobians ----------------------------------------------------------------------------- */

/* The blocks of all outputs y by all inputs x, in the mode asked for, whose name goes to *mode. */
static bool jacobian_blocks(struct cli *c, const char *of, const struct ports *y,
                            const struct ports *x, const char **mode, wg_tensor *block) {
    const char *wrt = option_text(c, OPT_WRT);
    *mode = "numeric";
    if (option_is(c, OPT_MODE, *mode)) return numeric_blocks(c, y, x, block);
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
    if (!load(c, true) || !select_ports(c, OPT_OF, &y) || !select_ports(c, OPT_WRT, &x))
        return false;
    bool ok = results_make(c, &r, y.count, x.count) &&
              jacobian_blocks(c, option_text(c, OPT_OF), &y, &x, &r.mode, r.block);
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
static bool gradient_blocks(struct cli *c, const struct ports *x, const char **mode,
                            wg_tensor *block) {
    size_t first = 0;
    bool forward = option_is(c, OPT_MODE, "forward"), numeric = option_is(c, OPT_MODE, "numeric");
    if (forward || numeric)
        return jacobian_blocks(c, NULL, &(struct ports){&first, 1}, x, mode, block);
    *mode = "reverse";
    wg_program *program = wg_grad(c->program, option_text(c, OPT_WRT), &c->error);
    bool ok = program && run_on(c, program, c->input, block);
    wg_program_free(program);
    return ok;
}

bool command_gradient(struct cli *c) {
    struct ports x;
    struct results r = {0};
    bool several;
    if (!load_scalar(c, &several) || !select_ports(c, OPT_WRT, &x)) return false;
    bool ok = results_make(c, &r, x.count, 0) && gradient_blocks(c, &x, &r.mode, r.block);
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

bool command_hessian(struct cli *c) {
    struct ports x;
    struct results r = {0};
    bool several;
    if (!load_scalar(c, &several) || !select_ports(c, OPT_WRT, &x)) return false;
    wg_program *program = wg_hessian(c->program, option_text(c, OPT_WRT), &c->error);
    bool ok = program && results_make(c, &r, x.count, x.count) &&
              run_on(c, program, c->input, r.block);
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
    wg_program_free(program);
    results_free(c, &r);
    return ok;
}
