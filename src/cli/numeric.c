/* --mode numeric: how differences are taken, and Jacobians by them. Directional derivatives by
 * differences are in products.c beside the exact ones. */
#include "cli/cli.h"

#include <math.h>
#include <stdlib.h>

bool read_differences(struct cli *c, struct differences *d) {
    const char *epsilon = option_text(c, OPT_EPSILON);
    *d = (struct differences){.wanted = option_is(c, OPT_MODE, "numeric")};
    d->kind = option_is(c, OPT_DIFFERENCE, "one-sided") ? WG_ONE_SIDED : WG_CENTRAL;
    if (!d->wanted && (epsilon || has_option(c, OPT_DIFFERENCE)))
        return usage_error(c, "%s is for --mode numeric; give it too",
                           option_table[epsilon ? OPT_EPSILON : OPT_DIFFERENCE].name);
    if (!epsilon) return true;
    char *end;
    d->epsilon = strtod(epsilon, &end);
    if (end != epsilon && *end == '\0' && d->epsilon > 0 && isfinite(d->epsilon)) return true;
    return usage_error(c, "--epsilon takes a number above 0, as in 1e-6, not '%.64s'", epsilon);
}

/* block: of the shape of y followed by that of x. */
static bool numeric_block(struct cli *c, const wg_program *program, const struct differences *d,
                          const wg_tensor *value, size_t y, size_t x, wg_tensor *block) {
    wg_tensor made = {.dtype = WG_F64, .rank = value[y].rank + c->input[x].rank};
    if (made.rank > WG_MAX_RANK)
        return input_error(c, WG_ESHAPE, "d%s/d%s has %d axes, and there may be %d",
                           wg_output_name(program, y), wg_input_name(program, x), made.rank,
                           WG_MAX_RANK);
    for (int i = 0; i < made.rank; i++)
        made.shape[i] = i < value[y].rank ? value[y].shape[i]
                                          : c->input[x].shape[i - value[y].rank];
    if (tensor_alloc(&made, &c->allocator, &c->error)) return false;
    *block = made;
    return wg_numeric_jacobian(program, NULL, c->input, y, x, d->kind, d->epsilon, made.data,
                               &c->error) == WG_OK;
}

bool numeric_blocks(struct cli *c, const wg_program *program, const struct differences *d,
                    const struct ports *y, const struct ports *x, wg_tensor *block) {
    size_t outputs = wg_output_count(program);
    wg_tensor *value = new_tensors(c, outputs);
    bool ok = value && run_on(c, program, c->input, value);
    for (size_t i = 0; ok && i < y->count * x->count; i++)
        ok = numeric_block(c, program, d, value, y->index[i / x->count], x->index[i % x->count],
                           &block[i]);
    free_tensors(c, value, outputs);
    return ok;
}
