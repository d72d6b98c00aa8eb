/* jvp, vjp, hvp: Jacobians and Hessians times vectors, none of them ever formed. The programs of
 * the library take the vectors as further inputs behind the formula's own, in the order of the
 * names that they are asked for, and give the products behind its outputs. */
#include "cli/cli.h"

struct product {
    enum option_id seeds;                  /* OPT_TANGENT or OPT_ADJOINT */
    enum option_id rows;                   /* OPT_OF or OPT_WRT: whose products are wanted */
    const char *before, *after, *key, *of; /* of the results */

    wg_tensor *seed; /* of each input (output), data NULL where there is none */
    wg_text names;   /* of those that have one, "x1,x3" */
    struct ports row;
    struct differences differences;
    wg_program *program; /* by differences: the one whose outputs are differentiated */
};

static bool is_adjoint(const struct product *p) { return p->seeds == OPT_ADJOINT; }

static bool need_seeds(struct cli *c, const struct product *p, const char *example) {
    const char *name = option_table[p->seeds].name;
    return has_option(c, p->seeds) || usage_error(c, "'%s' needs %s, for example %s %s",
                                                  c->command->name, name, name, example);
}

/* The shapes of the outputs come from a run, for named sizes may stand in them. */
static bool read_adjoints(struct cli *c, wg_tensor **seed) {
    size_t outputs = wg_output_count(c->program);
    wg_tensor *value = new_tensors(c, outputs);
    bool ok = value && run_on(c, c->program, c->input, value) &&
              read_seeds(c, OPT_ADJOINT, value, seed);
    free_tensors(c, value, outputs);
    return ok;
}

static bool product_begin(struct cli *c, struct product *p) {
    p->names.allocator = c->allocator;
    bool ok = select_ports(c, p->rows, &p->row) &&
              (is_adjoint(p) ? read_adjoints(c, &p->seed)
                             : read_seeds(c, OPT_TANGENT, c->input, &p->seed));
    for (size_t i = 0; ok && i < port_count(c, is_adjoint(p)); i++)
        if (p->seed[i].data && !text_format(&p->names, "%s%s", p->names.size ? "," : "",
                                            port_name(c, is_adjoint(p), i)))
            ok = !fail_memory(&c->error);
    if (!ok || p->names.size) return ok;
    return input_error(c, WG_ENAME, "%s names nothing", option_table[p->seeds].name);
}

/* Runs the program on the inputs and the seeds that are there; its last outputs become the rows. */
static bool run_product(struct cli *c, const struct product *p, struct results *r) {
    size_t inputs = wg_input_count(p->program), outputs = wg_output_count(p->program);
    wg_tensor *input = new_tensors(c, inputs), *output = new_tensors(c, outputs);
    bool ok = input && output;
    if (ok) {
        memcpy(input, c->input, c->input_count * sizeof *input);
        size_t at = c->input_count;
        for (size_t i = 0; i < port_count(c, is_adjoint(p)); i++)
            if (p->seed[i].data) input[at++] = p->seed[i];
        ok = run_on(c, p->program, input, output);
    }
    for (size_t i = 0; ok && i < r->rows; i++) {
        wg_tensor *last = &output[outputs - r->rows + i];
        r->block[i] = *last;
        set_axis(&r->row[i], port_name(c, p->rows == OPT_OF, p->row.index[i]), last);
        *last = (wg_tensor){0};
    }
    mem_free(&c->allocator, input, (inputs + 1) * sizeof *input); /* the data are borrowed */
    free_tensors(c, output, outputs);
    return ok;
}

/* The same by differences along the tangents. The outputs of a gradient are the rows themselves. */
static bool run_differences(struct cli *c, const struct product *p, struct results *r) {
    size_t outputs = wg_output_count(p->program);
    wg_tensor *output = new_tensors(c, outputs);
    bool ok = output && wg_numeric_jvp(p->program, NULL, c->input, p->seed, p->differences.kind,
                                       p->differences.epsilon, output, &c->error) == WG_OK;
    for (size_t i = 0; ok && i < r->rows; i++) {
        wg_tensor *of = &output[p->rows == OPT_OF ? p->row.index[i] : i];
        r->block[i] = *of;
        set_axis(&r->row[i], port_name(c, p->rows == OPT_OF, p->row.index[i]), of);
        *of = (wg_tensor){0};
    }
    free_tensors(c, output, outputs);
    return ok;
}

/* By differences along every element of each input; the adjoints weigh the outputs. */
static bool run_differences_back(struct cli *c, const struct product *p, struct results *r) {
    for (size_t i = 0; i < r->rows; i++) {
        size_t x = p->row.index[i];
        if (wg_numeric_vjp(p->program, NULL, c->input, p->seed, x, p->differences.kind,
                           p->differences.epsilon, &r->block[i], &c->error))
            return false;
        set_axis(&r->row[i], port_name(c, false, x), &r->block[i]);
    }
    return true;
}

/* Writes what the program gives, if there is one, and frees everything. */
static bool product_finish(struct cli *c, struct product *p) {
    struct results r = {0};
    bool (*const run)(struct cli *, const struct product *, struct results *) =
        !p->differences.wanted ? run_product
        : is_adjoint(p)        ? run_differences_back
                               : run_differences;
    bool ok = p->program && results_make(c, &r, p->row.count, 0) && run(c, p, &r);
    if (ok) {
        if (p->before) r.before = p->before;
        if (p->after) r.after = p->after;
        r.key = p->key;
        r.of = p->of;
        ok = results_write(c, &r);
    }
    results_free(c, &r);
    if (p->program != c->program) wg_program_free(p->program);
    wg_text_free(&p->names);
    if (p->seed) free_tensors(c, p->seed, port_count(c, is_adjoint(p)));
    return ok;
}

bool command_jvp(struct cli *c) {
    struct product p = {OPT_TANGENT, OPT_OF, .after = "_dot", .key = "tangent"};
    if (!need_seeds(c, &p, "x1=1,x2=0") || !read_differences(c, &p.differences) || !load(c, true))
        return false;
    if (product_begin(c, &p))
        p.program = p.differences.wanted
                        ? c->program
                        : wg_jvp(c->program, option_text(c, OPT_OF), p.names.data, &c->error);
    return product_finish(c, &p);
}

bool command_vjp(struct cli *c) {
    struct product p = {OPT_ADJOINT, OPT_WRT, .after = "_bar", .key = "adjoint"};
    if (!need_seeds(c, &p, "y1=1,y2=0") || !read_differences(c, &p.differences) || !load(c, true))
        return false;
    if (product_begin(c, &p))
        p.program = p.differences.wanted
                        ? c->program
                        : wg_vjp(c->program, p.names.data, option_text(c, OPT_WRT), &c->error);
    return product_finish(c, &p);
}

/* Forward over reverse: the tangents of the gradient by --wrt. */
bool command_hvp(struct cli *c) {
    struct product p = {OPT_TANGENT, OPT_WRT, .before = "H", .key = "product"};
    bool several;
    if (!need_seeds(c, &p, "x=[1,0]") || !read_differences(c, &p.differences) ||
        !load_scalar(c, &several))
        return false;
    p.of = wg_output_name(c->program, 0);
    if (product_begin(c, &p)) {
        wg_program *gradient = wg_grad(c->program, option_text(c, OPT_WRT), &c->error);
        p.program = gradient;
        if (gradient && !p.differences.wanted) {
            p.program = wg_jvp(gradient, NULL, p.names.data, &c->error);
            wg_program_free(gradient);
        }
    }
    return product_finish(c, &p);
}
